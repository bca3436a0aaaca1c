"""The sheet `rmsprop` of the lecture's graddesc workbook.

Divide each gradient by the size it has had lately.
"""

from __future__ import annotations

from functools import partial

from gradsheet.lessons.descent_book import build_for
from gradsheet.lessons.lesson import Lesson

LESSON = Lesson(
    id="rmsprop",
    title="RMSprop",
    summary="Divide each gradient by the size it has had lately.",
    text="lessons/rmsprop.md",
    build=partial(build_for, "rmsprop"),
    takes_ratings=False,
)
