"""The sheet `basic` of the lecture's graddesc workbook.

Twenty-nine rows, one line to find: each row nudges a and b a little downhill.
"""

from __future__ import annotations

from functools import partial

from gradsheet.lessons.descent_book import build_for
from gradsheet.lessons.lesson import Lesson

LESSON = Lesson(
    id="basic",
    title="Gradient descent by hand",
    summary="Twenty-nine rows, one line to find: each row nudges a and b a little downhill.",
    text="lessons/basic.md",
    build=partial(build_for, "basic"),
    takes_ratings=False,
)
