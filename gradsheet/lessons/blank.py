"""An empty workbook: what it learns is said by giving roles to cells.

Not one of the lecture's lessons, so not on the list; it is made as they are.
"""

from __future__ import annotations

from gradsheet.formula.address import Cell
from gradsheet.lessons.lesson import Crosstab, Lesson, LessonBook
from gradsheet.sheet.workbook import Workbook


def build(seed: int = 0, data: Crosstab | None = None) -> LessonBook:
    """Make a workbook of one empty sheet, without a problem.

    Parameters
    ----------
    seed, data : as for every lesson; there is nothing to draw and nothing to lay out.
    """
    workbook = Workbook.with_sheet("Sheet1")
    return LessonBook(
        workbook=workbook,
        problem=None,
        optimizer="adam",
        hyper={"lr": 0.05},
        sheet=workbook.sheets[0].id,
        selection=Cell(0, 0),
    )


LESSON = Lesson(
    id="blank",
    title="New workbook",
    summary="An empty sheet of your own.",
    text="lessons/blank.md",
    build=build,
    takes_ratings=False,
)
