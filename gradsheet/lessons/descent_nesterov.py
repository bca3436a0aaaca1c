"""The sheet `nesterov`, laid out as those of the lecture's graddesc workbook.

Momentum that looks where the average is about to take it.
"""

from __future__ import annotations

from functools import partial

from gradsheet.lessons.descent_book import build_for
from gradsheet.lessons.lesson import Lesson

LESSON = Lesson(
    id="nesterov",
    title="Nesterov momentum",
    summary="Momentum that looks where the average is about to take it.",
    text="lessons/nesterov.md",
    build=partial(build_for, "nesterov"),
    takes_ratings=False,
)
