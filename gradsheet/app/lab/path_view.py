"""What there is to draw of a descent in the plane: where the rows are, gradients, steps, the trail.

Owns the reading of these from the cells of the sheet that runs. Knows no plot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gradsheet.app.epoch_training import EpochTraining
from gradsheet.app.lab.function_lab import plane_of
from gradsheet.app.lab.plane import Plane, line_plane
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import Kind
from gradsheet.learn.epoch_step import named_region
from gradsheet.lessons.descent_layout import KINDS
from gradsheet.lessons.function_book import is_function

if TYPE_CHECKING:
    from gradsheet.app.document import Document

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PathView:
    """A descent over (intercept, slope), as the sheet shows it.

    Attributes
    ----------
    sheet : int
    name : str
        Of the sheet: its optimizer.
    top : int
        Zero-based sheet row of the first point.
    rows : ndarray (n, 2)
        The weights that each row used.
    produced : ndarray (2,)
        Those that the last row produced.
    gradients, moves : ndarray (n, 2)
        Each row's gradient, and how far it moved the weights; NaN where a row has none.
    momentum : ndarray (n, 2) or None
        The averages of the gradients, on the sheets that have them.
    trail : ndarray (m, 2)
        The weights of every row of every epoch of the run.
    began : int
        Where in the trail the epoch that is shown begins.
    x, y : ndarray (n,)
        The data; empty for a function.
    plane : Plane or None
        What the path is drawn on.
    """

    sheet: int
    name: str
    top: int
    rows: Floats
    produced: Floats
    gradients: Floats
    moves: Floats
    momentum: Floats | None
    trail: Floats
    began: int
    x: Floats
    y: Floats
    plane: Plane | None
    branches: tuple[tuple[int, str, Floats], ...] = ()
    """Place in the list of branches, name and path of those that are shown."""


def path_view(document: Document) -> PathView | None:
    """Return what to draw of the sheet that runs; None where it is none of the line's."""
    training = document.training
    if not isinstance(training, EpochTraining):
        return None
    workbook, sheet = document.workbook, training.sheet
    name = workbook.sheet(sheet).name
    const, slope = (named_region(workbook, sheet, n) for n in ("constpath", "slopepath"))
    if const is None or slope is None or name not in KINDS:
        return None
    cells = workbook.sheet(sheet).cells
    top, bottom = const.top, const.bottom

    def column(left: int) -> Floats:
        values, kinds = cells.read(Region(top, left, bottom, left + 1))
        return np.where(kinds == Kind.NUMBER, values, np.nan)[:, 0]

    def pair(first: int, second: int) -> Floats:
        return np.stack([column(first), column(second)], 1)

    gradient = [Region.parse(f"{letter}1").left for letter in KINDS[name].gradient]
    last = [named_region(workbook, sheet, n) for n in ("lastconst", "lastslope")]
    rows = pair(const.left, slope.left)
    new = pair(*(r.left for r in last if r is not None)) if None not in last else rows * np.nan
    momentum = named_region(workbook, sheet, "momlast")
    is_a_function = is_function(workbook)
    x, y = (np.empty(0), np.empty(0)) if is_a_function else (column(0), column(1))
    trail, began = _trail(training, rows)
    return PathView(
        sheet=sheet, name=name, top=top, rows=rows, produced=new[-1],
        gradients=pair(*gradient), moves=new - rows,
        momentum=pair(momentum.left, momentum.left + 1) if momentum is not None else None,
        trail=trail, began=began,
        x=x, y=y, plane=plane_of(workbook) if is_a_function else line_plane(x, y),
        branches=tuple(
            (place, branch.name, branch.path)
            for place, branch in enumerate(training.run.timeline.branches)
            if branch.is_shown and branch.path is not None
        ),
    )  # fmt: skip


def _trail(training: EpochTraining, rows: Floats) -> tuple[Floats, int]:
    """Return the path of the run, as far as it is recorded, and where the shown epoch begins."""
    walked, run = training.walked, training.run
    if walked is None:
        return rows, 0
    return walked.trail.points()[: walked.began(run.timeline.end(run.step) + 1)], walked.began(
        run.step
    )


def start_cells(intercept: float, slope: float) -> tuple[tuple[Cell, float], ...]:
    """Return what to put into the start cells, C1 and C2, to start from a point of the plane."""
    return (Cell(0, 2), intercept), (Cell(1, 2), slope)


def row_of(view: PathView, cell: Cell) -> int | None:
    """Return the number of the point (from 0) that a cell's row stands for, None if it is none."""
    row = cell.row - view.top
    return row if 0 <= row < len(view.rows) else None


def cell_of(view: PathView, point: int) -> Cell:
    """Return the cell to select for a point: its intercept."""
    return Cell(view.top + point, 2)
