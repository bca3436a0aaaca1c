"""The sheet `eve` of the lecture's graddesc workbook.

Adam that slows down when the loss jumps about.
"""

from __future__ import annotations

from functools import partial

from gradsheet.lessons.descent_book import build_for
from gradsheet.lessons.lesson import Lesson

LESSON = Lesson(
    id="eve",
    title="Eve",
    summary="Adam that slows down when the loss jumps about.",
    text="lessons/eve.md",
    build=partial(build_for, "eve"),
    takes_ratings=False,
)
