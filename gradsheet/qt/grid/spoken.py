"""What a cell says of itself, for screen readers, tool tips and tests.

Owns the sentence; reads roles, labels and values, changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakKeyDictionary

from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QWidget

from gradsheet.formula.address import Cell, column_name
from gradsheet.formula.values import ErrorCode, Kind
from gradsheet.qt.grid.cell_style import CellStyles
from gradsheet.qt.theme import ROLE_NAMES
from gradsheet.sheet.roles import RoleRegion
from gradsheet.sheet.workbook import Sheet, Workbook


def role_at(sheet: Sheet, cell: Cell) -> RoleRegion | None:
    """The role region that holds a cell; the smallest if several do."""
    found = [role for role in sheet.roles if role.region.contains(cell)]
    return min(found, key=lambda role: role.region.size, default=None)


def display_text(workbook: Workbook, sheet: Sheet, cell: Cell, styles: CellStyles) -> str:
    """What the cell shows, at its full format width; empty for a blank cell."""
    value, kind = sheet.cells.get(cell)
    if kind == Kind.NUMBER:
        return styles.at(cell).number(value, 11)
    if kind == Kind.TEXT:
        return workbook.strings.text(int(value))
    if kind == Kind.BOOLEAN:
        return "TRUE" if value else "FALSE"
    if kind == Kind.ERROR:
        return ErrorCode(int(value)).text
    return ""


_ADDED: WeakKeyDictionary[Workbook, Callable[[int, Cell], str]] = WeakKeyDictionary()


def add_to(workbook: Workbook, more: Callable[[int, Cell], str]) -> None:
    """Have something said at the end of every cell's text: `more(sheet id, cell)`, "" for nothing.

    It ends with the workbook, or when something else is added.
    """
    _ADDED[workbook] = more


def cell_text(workbook: Workbook, sheet_id: int, cell: Cell, styles: CellStyles) -> str:
    """What a cell says of itself, with what was added to it by `add_to`."""
    text = _own_text(workbook, sheet_id, cell, styles)
    more = _ADDED.get(workbook)
    extra = more(sheet_id, cell) if more is not None else ""
    return f"{text}, {extra}" if extra else text


def _own_text(workbook: Workbook, sheet_id: int, cell: Cell, styles: CellStyles) -> str:
    """Role, row, column and content: `prediction, user 14, Braveheart, 3.25, actual 3`.

    A cell without a role says its address. A prediction also says the actual value, where a
    range of data of the same shape lies above it in the same columns or beside it.
    """
    sheet = workbook.sheet(sheet_id)
    role = role_at(sheet, cell)
    shown = display_text(workbook, sheet, cell, styles) or "blank"
    if role is None:
        places = [sheet.row_labels.get(cell.row), sheet.column_labels.get(cell.col)]
        names = [place for place in places if place]
        return ", ".join([str(cell), *names, shown])
    row = sheet.row_labels.get(cell.row) or f"row {cell.row + 1}"
    column = sheet.column_labels.get(cell.col) or f"column {column_name(cell.col)}"
    name = ROLE_NAMES[role.role.value]
    if role.region.size == 1:
        parts = [name, str(cell), shown]
        if role.label and role.label.casefold() != name:
            parts.insert(1, role.label)
        return ", ".join(parts)
    parts = [name, row, column, shown]
    actual = _counterpart(sheet, role, cell)
    if actual is not None:
        text = display_text(workbook, sheet, actual, styles)
        parts.append(f"actual {text}" if text else "no actual value")
    return ", ".join(parts)


def _counterpart(sheet: Sheet, role: RoleRegion, cell: Cell) -> Cell | None:
    """The cell of data that a prediction predicts."""
    if role.role.value != "prediction":
        return None
    for other in sheet.roles:
        region = other.region
        aligned = region.left == role.region.left or region.top == role.region.top
        if other.role.value == "data" and region.shape == role.region.shape and aligned:
            return Cell(
                region.top + cell.row - role.region.top,
                region.left + cell.col - role.region.left,
            )
    return None


def is_listening() -> bool:
    """Whether a screen reader or another assistive technology is at work."""
    return bool(QAccessible.isActive())


def announce(widget: QWidget, text: str) -> None:
    """Make `text` what assistive technology reads of a widget now."""
    widget.setAccessibleDescription(text)
    change = QAccessibleEvent(widget, QAccessible.Event.DescriptionChanged)
    QAccessible.updateAccessibility(change)
