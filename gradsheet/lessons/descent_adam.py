"""The sheet `adam` of the lecture's graddesc workbook.

Momentum and RMSprop together, and why the betas matter.
"""

from __future__ import annotations

from functools import partial

from gradsheet.lessons.descent_book import build_for
from gradsheet.lessons.lesson import Lesson

LESSON = Lesson(
    id="adam",
    title="Adam",
    summary="Momentum and RMSprop together, and why the betas matter.",
    text="lessons/adam.md",
    build=partial(build_for, "adam"),
    takes_ratings=False,
)
