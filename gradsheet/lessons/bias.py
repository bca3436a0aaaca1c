"""Lesson 2: dot product plus biases, the sheet `bias` of collab_filter.xlsx.

Some films are better liked by everyone, some users rate everything higher: one number each.
"""

from __future__ import annotations

from gradsheet.formula.address import Cell, column_name
from gradsheet.lessons.lesson import Crosstab, Lesson, LessonBook, lesson_crosstab
from gradsheet.lessons.ratings_sheet import (
    FACTORS,
    USER_ID_COLUMN,
    Layout,
    dot_product,
    ratings_book,
)


def build(seed: int = 0, data: Crosstab | None = None) -> LessonBook:
    """Lay out the dot-product model with a bias for every film and every user.

    Parameters
    ----------
    seed : int
        Of the random embeddings and biases.
    data : Crosstab, optional
        The ratings; the lecture's 15 x 15 if not given.
    """
    data = data or lesson_crosstab()
    layout = Layout(len(data.users), len(data.items), FACTORS, bias_rows=1)
    notes = (
        (Cell(layout.item_bias.top, USER_ID_COLUMN), "bias"),
        (Cell(layout.user_bias.top - 1, 0), "bias"),
    )
    return ratings_book("bias", layout, data, prediction(layout), notes, seed)


def prediction(layout: Layout) -> str:
    """Return the dot product plus both biases: ``...+H$19+$A26`` for the lecture's sizes."""
    item = f"{column_name(layout.item_bias.left)}${layout.item_bias.top + 1}"
    user = f"${column_name(layout.user_bias.left)}{layout.user_bias.top + 1}"
    return f"{dot_product(layout)}+{item}+{user}"


LESSON = Lesson(
    id="bias",
    title="Dot product with bias",
    summary="Some films please everyone, some users are generous: add one number each.",
    text="lessons/bias.md",
    build=build,
)
