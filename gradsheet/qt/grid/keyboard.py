"""What the keys do in the grid while no cell is being edited.

Owns the table of keys, as hands know it from Excel, LibreOffice Calc and Sheets. Space alone is
not for the grid: it is the window's key for one training step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from gradsheet.formula.address import Cell, Region
from gradsheet.qt.grid.editor import EditMode
from gradsheet.qt.grid.entry import entry_text

if TYPE_CHECKING:
    from gradsheet.qt.grid.view import GridView

Key = Qt.Key
Modifier = Qt.KeyboardModifier
_Direction = Literal["up", "down", "left", "right"]

_ARROWS: dict[int, tuple[_Direction, int, int]] = {
    Key.Key_Up: ("up", -1, 0),
    Key.Key_Down: ("down", 1, 0),
    Key.Key_Left: ("left", 0, -1),
    Key.Key_Right: ("right", 0, 1),
}
_REGION_KEYS = (Key.Key_Asterisk, Key.Key_8)
_MOST_AROUND = 4_000_000
_MODIFIERS = (
    Modifier.ShiftModifier
    | Modifier.ControlModifier
    | Modifier.AltModifier
    | (Modifier.MetaModifier)
)


def press_key(view: GridView, event: QKeyEvent) -> bool:
    """Do what a key does; False leaves it to the window."""
    held = event.modifiers() & _MODIFIERS
    shift = bool(held & Modifier.ShiftModifier)
    ctrl = bool(held & Modifier.ControlModifier)
    alt = bool(held & (Modifier.AltModifier | Modifier.MetaModifier))
    key = event.key()
    if key == Key.Key_Space:
        return _space(view, shift, ctrl, alt)
    if key in (Key.Key_PageUp, Key.Key_PageDown) and not ctrl:
        _page(view, key == Key.Key_PageDown, shift, sideways=alt)
        return True
    if not alt and _move(view, key, shift, ctrl):
        return True
    if ctrl and not alt and not shift and _command(view, key):
        return True
    if ctrl and not alt and key in _REGION_KEYS:
        view.alter_selection(lambda s: s.replace(region_around(view), s.current))
        return True
    if held in (Modifier.NoModifier, Modifier.ShiftModifier) and _act(view, key, shift):
        return True
    types = ctrl == alt  # neither, or both, which is AltGr on Windows
    return types and _type(view, event.text())


def _space(view: GridView, shift: bool, ctrl: bool, alt: bool) -> bool:
    """Shift+Space selects rows, Ctrl+Space columns; Space alone belongs to the window."""
    region = view.selection[-1]
    if shift and ctrl and not alt:
        whole = view.extent.region
        view.alter_selection(lambda s: s.replace(whole, s.current))
        return True
    if alt or shift == ctrl:
        return False
    if shift:
        view.alter_selection(lambda s: s.span_rows(region.top, region.bottom - 1))
    else:
        view.alter_selection(lambda s: s.span_columns(region.left, region.right - 1))
    return True


def _move(view: GridView, key: int, shift: bool, ctrl: bool) -> bool:
    stretches = shift or view.keys_mode.extends
    target = _target(view, view.reach if stretches else view.current, key, ctrl)
    if target is None:
        return False
    view.editing.forget_tab()
    _go(view, target, shift)
    return True


def _go(view: GridView, target: Cell, shift: bool) -> None:
    if shift or view.keys_mode.extends:
        view.alter_selection(lambda s: s.stretch(target), show=target)
    elif view.keys_mode.adds:
        view.alter_selection(lambda s: s.wander(target), show=target)
    else:
        view.alter_selection(lambda s: s.collapse(target), show=target)


def _target(view: GridView, start: Cell, key: int, ctrl: bool) -> Cell | None:
    """Where an arrow, Home or End leads from a cell; None for other keys."""
    layout, used = view.layout_now, view.sheet.cells.used()
    if key in _ARROWS:
        direction, down, right = _ARROWS[Key(key)]
        if ctrl:
            return view.sheet.cells.next_edge(start, direction, view.extent.region)
        row = layout.rows.step(start.row, down) if down else start.row
        col = layout.columns.step(start.col, right) if right else start.col
        return Cell(row, col)
    if key == Key.Key_Home:
        frozen = view.sheet.frozen
        return Cell(frozen.row, frozen.col) if ctrl else Cell(start.row, 0)
    if key == Key.Key_End:
        row = max(used.bottom - 1, 0) if ctrl else start.row
        return Cell(row, max(used.right - 1, 0))
    return None


def _page(view: GridView, forward: bool, shift: bool, sideways: bool) -> None:
    visible, layout = view.visible_region(), view.layout_now
    start = view.reach if shift else view.current
    by = max(1, (visible.cols if sideways else visible.rows) - 2) * (1 if forward else -1)
    if sideways:
        target = Cell(start.row, layout.columns.step(start.col, by))
        px = layout.columns.offset(target.col) - layout.columns.offset(start.col)
        view.scroll_by(px, 0)
    else:
        target = Cell(layout.rows.step(start.row, by), start.col)
        px = layout.rows.offset(target.row) - layout.rows.offset(start.row)
        view.scroll_by(0, px)
    view.editing.forget_tab()
    _go(view, target, shift)


def _command(view: GridView, key: int) -> bool:
    """Ctrl and a letter."""
    if key == Key.Key_A:
        used = view.sheet.cells.used()
        whole = view.extent.region
        everything = whole if used.is_empty or view.selection == [used] else used
        inside = view.current if everything.contains(view.current) else None
        view.alter_selection(lambda s: s.replace(everything, inside))
    elif key == Key.Key_C:
        view.copy()
    elif key == Key.Key_X:
        view.cut()
    elif key == Key.Key_V:
        view.paste()
    elif key == Key.Key_D:
        view.fill(down=True)
    elif key == Key.Key_R:
        view.fill(down=False)
    elif key == Key.Key_Period:
        view.alter_selection(lambda s: s.turn_corner())
        view.show_cell(view.current)
    elif key == Key.Key_Backspace:
        view.show_cell(view.current)
    elif key == Key.Key_Apostrophe:
        _copy_above(view)
    else:
        return False
    return True


def _act(view: GridView, key: int, shift: bool) -> bool:
    if key in (Key.Key_Return, Key.Key_Enter):
        view.editing.go_on("enter", shift)
    elif key in (Key.Key_Tab, Key.Key_Backtab):
        view.editing.go_on("tab", shift or key == Key.Key_Backtab)
    elif key == Key.Key_F2 and not shift:
        view.edit()
    elif key == Key.Key_Delete and not shift:
        view.clear()
    elif key == Key.Key_Backspace and not shift:
        view.editing.open(EditMode.TYPE, "")
    elif key == Key.Key_F8:
        _choose_mode(view, shift)
    elif key == Key.Key_Escape and not shift:
        return _escape(view)
    else:
        return False
    return True


def _choose_mode(view: GridView, shift: bool) -> None:
    """F8 stretches with the arrows, Shift+F8 begins another range beside what is selected."""
    if not shift:
        view.keys_mode.toggle_extend()
    elif view.keys_mode.toggle_add():
        view.alter_selection(lambda s: s.add(s.current))


def _escape(view: GridView) -> bool:
    """Give up the nearest thing: a drag, a mode of F8, what was copied, several ranges, arrows."""
    if view.mouse.cancel() or view.keys_mode.leave() or view.copied.end():
        return True
    if view.overlay.arrows:
        view.overlay.set_arrows(())
    elif len(view.selection) > 1:
        view.alter_selection(lambda s: s.collapse(s.current))
    else:
        return False
    return True


def _copy_above(view: GridView) -> None:
    """Ctrl+': edit the cell with the text of the one above it."""
    row, col = view.current
    if row:
        text = entry_text(view.document.workbook, view.sheet_id, Cell(row - 1, col))
        view.editing.open(EditMode.CARET, text)


def region_around(view: GridView) -> Region:
    """The filled cells around the current one, up to blank rows and columns; at least itself."""
    cells, whole = view.sheet.cells, view.extent.region
    region = Region.of(view.current)
    while True:
        wider = Region(
            max(region.top - 1, 0), max(region.left - 1, 0),
            min(region.bottom + 1, whole.bottom), min(region.right + 1, whole.right),
        )  # fmt: skip
        values, kinds = cells.read(wider)
        rows, cols = kinds.any(axis=1), kinds.any(axis=0)
        top = region.top - int(rows[0] and wider.top < region.top)
        bottom = region.bottom + int(rows[-1] and wider.bottom > region.bottom)
        left = region.left - int(cols[0] and wider.left < region.left)
        right = region.right + int(cols[-1] and wider.right > region.right)
        grown = Region(top, left, bottom, right)
        if grown == region or values.size > _MOST_AROUND:
            return grown
        region = grown


def _type(view: GridView, text: str) -> bool:
    """A printable character begins to replace the cell."""
    if not text or not text.isprintable():
        return False
    view.show_cell(view.current)
    view.editing.open(EditMode.TYPE, text)
    return True
