"""The sheet `adagrad_ann` of the lecture's graddesc workbook.

A quarter of the learning rate whenever the gradients have grown.
"""

from __future__ import annotations

from functools import partial

from gradsheet.lessons.descent_book import build_for
from gradsheet.lessons.lesson import Lesson

LESSON = Lesson(
    id="adagrad_ann",
    title="Adagrad, annealed",
    summary="A quarter of the learning rate whenever the gradients have grown.",
    text="lessons/adagrad_ann.md",
    build=partial(build_for, "adagrad_ann"),
    takes_ratings=False,
)
