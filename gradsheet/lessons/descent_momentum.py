"""The sheet `momentum` of the lecture's graddesc workbook.

Do not turn at every row: follow a running average of the gradients.
"""

from __future__ import annotations

from functools import partial

from gradsheet.lessons.descent_book import build_for
from gradsheet.lessons.lesson import Lesson

LESSON = Lesson(
    id="momentum",
    title="Momentum",
    summary="Do not turn at every row: follow a running average of the gradients.",
    text="lessons/momentum.md",
    build=partial(build_for, "momentum"),
    takes_ratings=False,
)
