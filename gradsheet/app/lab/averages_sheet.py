"""The tab `averages`: weighted averages of a run's own gradients, as live formulas.

Owns what stands in its cells and how it is pointed at another optimizer's tab. The averages that
the panel draws are `learn.averages`. Knows no window.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradsheet.app.epoch_training import EpochTraining
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import parse
from gradsheet.formula.values import UserError
from gradsheet.learn.epoch_step import named_region
from gradsheet.lessons.descent_layout import KINDS
from gradsheet.sheet.book_edits import AddSheet
from gradsheet.sheet.cells import Content, Formula
from gradsheet.sheet.change import Composite, Edit
from gradsheet.sheet.edits import ClearCells, FormatChange, SetCells, SetFormat

if TYPE_CHECKING:
    from gradsheet.app.document import Document

NAME = "averages"
BETA = Cell.parse("B1")
FIRST_ROW = 6
_HEADS = ("gradient", "average", "corrected")


def show(document: Document, beta: float) -> int:
    """Make the tab, or point it at the optimizer that runs; return its id.

    Raises
    ------
    UserError
        If what runs is none of the optimizers' tabs.
    """
    training = document.training
    workbook = document.workbook
    source = workbook.sheet(training.sheet) if isinstance(training, EpochTraining) else None
    path = named_region(workbook, source.id, "constpath") if source is not None else None
    if source is None or path is None or source.name not in KINDS:
        raise UserError(
            "The averages are those of an optimizer's gradients.",
            "Choose one of the gradient-descent tabs first.",
        )
    if workbook.by_name(NAME) is None:
        document.apply(AddSheet(NAME))
    sheet = workbook.by_name(NAME)
    assert sheet is not None
    cells = _cells(source.name, KINDS[source.name].gradient, path, beta)
    edits: list[Edit] = [
        ClearCells(sheet.id, sheet.cells.used()),
        SetCells(sheet.id, tuple(cells.items())),
        SetFormat(sheet.id, Region(3, 0, 5, 7), FormatChange(bold=True, align="right")),
    ]
    document.apply(Composite(tuple(edits), f"Average the gradients of {source.name}"))
    return sheet.id


def set_beta(document: Document, beta: float) -> None:
    """Write beta into its cell, where the tab is there."""
    sheet = document.workbook.by_name(NAME)
    if sheet is not None and sheet.cells.get(BETA)[0] != beta:
        document.apply(SetCells(sheet.id, ((BETA, beta),)), f"Set beta to {beta:g}")


def _cells(name: str, letters: tuple[str, str], path: Region, beta: float) -> dict[Cell, Content]:
    """Return everything that stands on the tab."""
    texts: dict[str, str | float] = {
        "A1": "beta", "B1": beta, "A2": "1-beta", "B2": "=1-B1", "C1": "remembers about",
        "D1": "=1/B2", "E1": "rows", "C2": "of", "D2": name, "A5": "t",
        "B4": "de/db", "E4": "de/da",
    }  # fmt: skip
    for first, letter in (("B", letters[0]), ("E", letters[1])):
        gradient, average, corrected = (chr(ord(first) + i) for i in range(3))
        for column, head in zip((gradient, average, corrected), _HEADS, strict=True):
            texts[f"{column}5"] = head
        for i in range(path.rows):
            row = FIRST_ROW + i
            before = f"{average}{row - 1}" if i else "0"
            texts[f"A{row}"] = float(i + 1)
            texts[f"{gradient}{row}"] = f"={name}!{letter}{path.top + i + 1}"
            texts[f"{average}{row}"] = f"={before}*$B$1+$B$2*{gradient}{row}"
            texts[f"{corrected}{row}"] = f"={average}{row}/(1-$B$1^$A{row})"
    cells: dict[Cell, Content] = {}
    for address, text in texts.items():
        cell = Cell.parse(address)
        is_formula = isinstance(text, str) and text.startswith("=")
        cells[cell] = Formula(parse(str(text), cell)) if is_formula else text
    return cells
