"""Lesson 1: collaborative filtering by a dot product, the sheet `dotprod` of collab_filter.xlsx.

Every prediction is the product of five user factors and five item factors; nothing else.
"""

from __future__ import annotations

from gradsheet.formula.address import Cell
from gradsheet.lessons.lesson import Crosstab, Lesson, LessonBook, lesson_crosstab
from gradsheet.lessons.ratings_sheet import FACTORS, Layout, dot_product, ratings_book


def build(seed: int = 0, data: Crosstab | None = None) -> LessonBook:
    """Lay out the dot-product model.

    Parameters
    ----------
    seed : int
        Of the random embeddings.
    data : Crosstab, optional
        The ratings; the lecture's 15 x 15 if not given.
    """
    data = data or lesson_crosstab()
    layout = Layout(len(data.users), len(data.items), FACTORS, bias_rows=0)
    top = layout.item_factors.top
    notes = (
        (Cell(top, 1), "Embeddings start as random numbers."),
        (Cell(top + 1, 1), "Space takes one step of gradient"),
        (Cell(top + 2, 1), "descent on them, F5 runs."),
    )
    return ratings_book("dotprod", layout, data, dot_product(layout), notes, seed)


LESSON = Lesson(
    id="dotprod",
    title="Dot product",
    summary="Five numbers a film, five a user: their product is the rating.",
    text="lessons/dotprod.md",
    build=build,
)
