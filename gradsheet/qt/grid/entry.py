"""The text that a cell is edited as, and what a text that was typed puts into it.

Owns the choice between formula and constant, the user's decimal sign and the brackets that
hands leave open; `sheet.formats.edit_text` owns the round trip. Knows no widget.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale

from gradsheet.formula.address import Cell
from gradsheet.formula.syntax import parse, tokens, unparse
from gradsheet.formula.values import FormulaError
from gradsheet.sheet.cells import Content
from gradsheet.sheet.edits import SetCells
from gradsheet.sheet.formats import edit_text
from gradsheet.sheet.typed import typed_value
from gradsheet.sheet.workbook import Workbook

if TYPE_CHECKING:
    from gradsheet.app.document import Document


def entry_text(workbook: Workbook, sheet_id: int, cell: Cell) -> str:
    """The text to edit a cell with: its formula, else its constant."""
    sheet = workbook.sheet(sheet_id)
    formula = sheet.cells.formula(cell)
    if formula is not None:
        return unparse(formula.expr, cell)
    return edit_text(*sheet.cells.get(cell), workbook.strings)


def typed_content(document: Document, cell: Cell, text: str) -> Content:
    """What typing a text into a cell puts there. Raises FormulaError.

    Numbers may have a decimal point or a decimal comma; see `sheet.typed`.
    """
    if text.startswith("=") and len(text) > 1:
        return document.content(cell, with_brackets_closed(text, cell))
    return typed_value(text, QLocale().decimalPoint())


def enter_text(document: Document, sheet_id: int, cell: Cell, text: str) -> None:
    """Put what was typed into a cell. Raises FormulaError; nothing has changed then."""
    content = typed_content(document, cell, text)
    document.apply(SetCells(sheet_id, ((cell, content),)), f"Type into {cell}")


def with_brackets_closed(text: str, host: Cell) -> str:
    """A formula with the round brackets closed that its end left open, if it is right then.

    As Excel does for `=SUM(A1:A3`; anything else comes back as it is.
    """
    if not text.startswith("="):
        return text
    open_brackets = 0
    found = [token for token in tokens(text) if token.kind != "space"]
    if not found or (found[-1].kind == "op" and found[-1].text not in ")}%#"):
        return text
    for token in found:
        if token.text == "(":
            open_brackets += 1
        elif token.text == ")":
            open_brackets -= 1
    if open_brackets < 1:
        return text
    closed = text.rstrip() + ")" * open_brackets
    try:
        parse(closed, host)
    except FormulaError:
        return text
    return closed
