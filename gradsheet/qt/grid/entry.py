"""The text that a cell is edited as: its formula, or what must be typed to get its constant.

Owns the choice between them; `sheet.formats.edit_text` owns the round trip. Knows no widget.
"""

from __future__ import annotations

from gradsheet.formula.address import Cell
from gradsheet.formula.syntax import unparse
from gradsheet.sheet.formats import edit_text
from gradsheet.sheet.workbook import Workbook


def entry_text(workbook: Workbook, sheet_id: int, cell: Cell) -> str:
    """The text to edit a cell with: its formula, else its constant."""
    sheet = workbook.sheet(sheet_id)
    formula = sheet.cells.formula(cell)
    if formula is not None:
        return unparse(formula.expr, cell)
    return edit_text(*sheet.cells.get(cell), workbook.strings)
