"""What a user can do in the gradient-descent lab besides running a sheet.

Owns the operations on a document: points, mini-batch, bias correction, the lecture's Reset, the
start. Each is one entry of the history and starts the run anew. Knows no window.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gradsheet.app.epoch_training import EpochTraining
from gradsheet.app.lab import function_lab
from gradsheet.app.lab.path_view import start_cells
from gradsheet.formula.address import Cell
from gradsheet.formula.values import UserError
from gradsheet.learn.epoch_step import named_region
from gradsheet.lessons import descent_data, descent_edits
from gradsheet.lessons.descent_data import LineData
from gradsheet.lessons.function_book import is_function
from gradsheet.sheet.edits import Edit, SetCells

if TYPE_CHECKING:
    from gradsheet.app.document import Document
    from gradsheet.lessons.descent_book import SheetPlan


def plan_of(document: Document) -> SheetPlan | None:
    """Return rows, mini-batch and kind of the sheet that runs; None if it is none of the lab's."""
    training = document.training
    if not isinstance(training, EpochTraining):
        return None
    workbook = document.workbook
    if not descent_edits.is_descent(workbook, training.sheet):
        return None
    return descent_edits.plan_of(workbook, workbook.sheet(training.sheet))


def place_of(document: Document, sheet: int, cell: Cell) -> int | None:
    """Return which of the problem's parameters a cell is, from 0; None if it is none."""
    before = 0
    if not document.has_problem:
        return None
    for parameter in document.problem.parameters:
        region = parameter.region
        if parameter.sheet == sheet and region.contains(cell):
            return before + (cell.row - region.top) * region.cols + cell.col - region.left
        before += region.size
    return None


def set_batch(document: Document, rows: int) -> None:
    """Make mini-batches of so many rows. Raises UserError."""
    training = _training(document)
    if is_function(document.workbook):
        raise UserError("A function has no rows to choose from.", "Descend on points for that.")
    sheet = document.workbook.sheet(training.sheet)
    _do(training, descent_edits.set_batch(document.workbook, sheet, rows))


def set_correction(document: Document, is_corrected: bool) -> None:
    """Add or remove Adam's bias correction. Raises UserError."""
    training = _training(document)
    if is_function(document.workbook):
        _do(training, function_lab.correction_edit(document, training.sheet, is_corrected))
        return
    sheet = document.workbook.sheet(training.sheet)
    _do(training, descent_edits.set_correction(document.workbook, sheet, is_corrected))


def reset_as_the_lecture(document: Document) -> None:
    """Put a = b = 1, or x and y of a function, and the states to their start. Raises UserError."""
    training = _training(document)
    if is_function(document.workbook):
        _do(training, function_lab.reset_edit(document, training.sheet))
        return
    sheet = document.workbook.sheet(training.sheet)
    _do(training, descent_edits.reset(document.workbook, sheet))


def set_start(document: Document, intercept: float, slope: float) -> None:
    """Start from a point of the plane: intercept and slope, or x and y. Raises UserError."""
    training = _training(document)
    if is_function(document.workbook):
        _do(training, function_lab.start_edit(document, training.sheet, intercept, slope))
        return
    cells = start_cells(intercept, slope)
    beside = named_region(document.workbook, training.sheet, "l2const")
    if beside is not None:  # Adam with L2, the right half of `adamw`, starts at the same point
        down = Cell(beside.first.row + 1, beside.first.col)
        cells += ((beside.first, intercept), (down, slope))
    label = f"Start at {intercept:.4g}, {slope:.4g}"
    training.marked(label, SetCells(training.sheet, cells))


def set_points(document: Document, data: LineData) -> None:
    """Learn from other points, on every sheet. Raises UserError."""
    training = _training(document)
    if is_function(document.workbook):
        raise UserError("These sheets descend on a function.", "Choose the line fit first.")
    _do(training, descent_edits.set_points(document.workbook, data))
    document.rewind_others()


def draw_points(
    document: Document, seed: int, points: int, slope: float, intercept: float, spread: float
) -> None:
    """Draw points round a line of one's own. Raises UserError."""
    set_points(document, descent_data.drawn(seed, points, slope, intercept, spread))


def open_points(document: Document, path: Path) -> None:
    """Read two columns from a file. Raises UserError."""
    set_points(document, descent_data.read(path))


def paste_points(document: Document, text: str) -> None:
    """Take two columns from copied text. Raises UserError."""
    set_points(document, descent_data.parsed(text, "the clipboard"))


def _training(document: Document) -> EpochTraining:
    training = document.training
    if not isinstance(training, EpochTraining) or plan_of(document) is None:
        raise UserError(
            "This is not one of the gradient-descent sheets.", "Open one of those lessons."
        )
    return training


def mark(document: Document, edit: Edit) -> None:
    """Apply an edit that starts the run anew. Raises UserError."""
    _do(_training(document), edit)


def _do(training: EpochTraining, edit: Edit) -> None:
    training.marked(edit.label, edit)
