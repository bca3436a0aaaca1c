"""The sheet `adam_ann` of the lecture's graddesc workbook.

Start with large steps, and let the sheet itself make them small.
"""

from __future__ import annotations

from functools import partial

from gradsheet.lessons.descent_book import build_for
from gradsheet.lessons.lesson import Lesson

LESSON = Lesson(
    id="adam_ann",
    title="Adam, annealed",
    summary="Start with large steps, and let the sheet itself make them small.",
    text="lessons/adam_ann.md",
    build=partial(build_for, "adam_ann"),
    takes_ratings=False,
)
