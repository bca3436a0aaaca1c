"""The sheet `adamw`, laid out as those of the lecture's graddesc workbook.

Weight decay beside the gradient or inside it: the same numbers, another goal.
"""

from __future__ import annotations

from functools import partial

from gradsheet.lessons.descent_book import build_for
from gradsheet.lessons.lesson import Lesson

LESSON = Lesson(
    id="adamw",
    title="AdamW beside L2",
    summary="Weight decay beside the gradient or inside it: the same numbers, another goal.",
    text="lessons/adamw.md",
    build=partial(build_for, "adamw"),
    takes_ratings=False,
)
