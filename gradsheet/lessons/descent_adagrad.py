"""The sheet `adagrad` of the lecture's graddesc workbook.

One learning rate a weight, divided by how large its gradients have been.
"""

from __future__ import annotations

from functools import partial

from gradsheet.lessons.descent_book import build_for
from gradsheet.lessons.lesson import Lesson

LESSON = Lesson(
    id="adagrad",
    title="Adagrad",
    summary="One learning rate a weight, divided by how large its gradients have been.",
    text="lessons/adagrad.md",
    build=partial(build_for, "adagrad"),
    takes_ratings=False,
)
