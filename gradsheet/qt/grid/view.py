"""The grid of one sheet: shown, selected in and edited.

Owns the selection, the signals and the edits that start here. Showing is `GridCanvas`; keys,
mouse, in-place editor and clipboard have modules of their own. It holds no fact of the document:
every edit goes through `Document`, every change comes back by `apply_change`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QFont,
    QInputMethodEvent,
    QKeyEvent,
    QMouseEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import UserError
from gradsheet.qt.grid import clipboard, spoken
from gradsheet.qt.grid.canvas import FRAME_MARGIN_PX, GridCanvas
from gradsheet.qt.grid.copy_paste import CopyPaste
from gradsheet.qt.grid.copying import EVERYTHING, PasteWhat
from gradsheet.qt.grid.editor import EditMode, InPlaceEditing
from gradsheet.qt.grid.extent import extent_of
from gradsheet.qt.grid.formula_typing import FormulaTyping
from gradsheet.qt.grid.key_mode import KeyMode
from gradsheet.qt.grid.keyboard import press_key
from gradsheet.qt.grid.marks import handle_box
from gradsheet.qt.grid.mouse import MouseGestures
from gradsheet.qt.grid.selection import Selection
from gradsheet.qt.grid.typeface import Faces
from gradsheet.sheet.edits import Edit
from gradsheet.sheet.workbook import Change

if TYPE_CHECKING:
    from gradsheet.app.document import Document


class GridView(GridCanvas):
    """A hand-painted spreadsheet grid.

    Signals
    -------
    current_changed()
        The current cell is another one, or another sheet is shown.
    selection_changed()
        The selected regions are others; comes with `current_changed` too.
    content_changed()
        What the current cell holds may have changed.
    typed(text)
        What stands in the in-place editor now.
    message(text, hint)
        An edit was not possible: what happened, and what to do next.
    zoom_changed(float)
        The zoom is another one.
    sheet_shown(int)
        The grid went to another sheet of itself: the tabs must follow.
    menu_asked(place, point)
        A context menu is wanted for "cells", "columns", "rows" or "corner", at a point of the
        screen; the selection holds what it is about.
    """

    current_changed = Signal()
    selection_changed = Signal()
    content_changed = Signal()
    typed = Signal(str)
    message = Signal(str, str)
    sheet_shown = Signal(int)
    menu_asked = Signal(str, QPoint)

    _gave_way: tuple[tuple[int, int], tuple[int, int] | None, QSize] = ((0, 0), None, QSize())
    """Where the sheet stood before it made room for its current cell, where after, and how large
    the grid must be for it to go back."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(document, parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled)
        self.viewport().setMouseTracking(True)
        self.typing: FormulaTyping | None = None
        """What is being typed, in the cell or in the formula bar."""
        self.keys_mode = KeyMode()
        self.copied = CopyPaste(self)
        self.mouse = MouseGestures(self)
        self.editing = InPlaceEditing(self)
        self._say_current()

    # ------------------------------------------------------------------------- what is shown

    def set_sheet(self, sheet_id: int) -> None:
        """Show another sheet, at the place and with the selection where it was left."""
        if sheet_id == self._sheet_id:
            return
        may_point = self.typing is not None and self.typing.can_point()
        if not may_point and not self.finish_typing():
            return
        self._change_sheet(sheet_id)

    def go_to_sheet(self, sheet_id: int) -> bool:
        """Show another sheet and let the tabs follow; False if what is typed forbids it."""
        if sheet_id != self._sheet_id:
            self.set_sheet(sheet_id)
            self.sheet_shown.emit(self._sheet_id)
        return self._sheet_id == sheet_id

    def return_to_sheet(self, sheet_id: int) -> None:
        """Show the sheet again from which a formula was pointed into this one."""
        if sheet_id in self.document.workbook.sheet_ids():
            self._change_sheet(sheet_id)
            self.sheet_shown.emit(sheet_id)

    def _change_sheet(self, sheet_id: int) -> None:
        self._leave_sheet()
        self._open_sheet(sheet_id)
        self.overlay.set_arrows(())
        self.keys_mode.leave()
        self.copied.show()
        if self.typing is not None:
            self.typing.show_marks()
        self.editing.follow()
        self._announce_all()

    def reload(self, sheet_id: int) -> None:
        """Show a sheet of a workbook that was just opened; forget where others were left."""
        self.editing.cancel()
        self.copied.forget()
        self._left.clear()
        self._open_sheet(sheet_id)
        self._announce_all()

    def _announce_all(self) -> None:
        self._say_current()
        self.current_changed.emit()
        self.selection_changed.emit()

    def layout_changed(self) -> None:
        """Keep the editor over its cell."""
        if hasattr(self, "editing"):
            self.editing.follow()

    def is_active(self) -> bool:
        """Whether keys go to the grid or to its editor."""
        return self.hasFocus() or self.editing.is_open

    def has_handle(self) -> bool:
        """Whether the selection shows its fill handle: it is one rectangle of less than a line."""
        region, whole = self._selection.regions[-1], self._extent.region
        is_line = region.rows == whole.rows or region.cols == whole.cols
        return self.typing is None and len(self._selection.regions) == 1 and not is_line

    def handle_rect(self) -> QRect:
        """The fill handle on the screen, null if it is not there."""
        if not self.has_handle():
            return QRect()
        region = self._selection.regions[-1]
        last = Region.of((region.bottom - 1, region.right - 1))
        boxes = self._layout.region_rects(last)
        return handle_box(boxes[-1]) if boxes else QRect()

    @property
    def faces(self) -> Faces:
        """The faces of the cells at this zoom."""
        return self._painter.faces

    def finish_typing(self) -> bool:
        """Commit what is being typed, here or in the formula bar; False if it cannot be read."""
        return self.typing is None or self.typing.finish()

    def cell_font(self) -> QFont:
        """The font of the current cell at this zoom."""
        return self._painter.faces.styles[self._styles.at(self.current).font].font

    # ----------------------------------------------------------------------------- selection

    @property
    def current(self) -> Cell:
        """The cell that typing goes into."""
        return self._selection.current

    @property
    def reach(self) -> Cell:
        """The corner of the selection that Shift moves."""
        return self._selection.reach

    @property
    def selection(self) -> list[Region]:
        """The selected regions, the latest one last."""
        return list(self._selection.regions)

    def select(self, region: Region | Sequence[Region] | Cell, current: Cell | None = None) -> None:
        """Select a cell, a region or several, and bring the current cell into view."""
        if isinstance(region, Cell):
            self.alter_selection(lambda s: s.collapse(region))
        else:
            self.alter_selection(lambda s: s.replace(region, current))
        self.show_cell(self.current)

    def alter_selection(
        self, change: Callable[[Selection], None], show: Cell | None = None
    ) -> None:
        """Let `change` do something to the selection, and bring a cell into view."""
        current, regions = self.current, self.selection
        change(self._selection)
        if show is not None:
            self.show_cell(show)
        if self.current == current and self._selection.regions == regions:
            return
        for region in (*regions, *self._selection.regions):
            self.update_region(region, FRAME_MARGIN_PX)
        self.update_headers()
        if self.current != current:
            self._say_current()
            self.current_changed.emit()
        self.selection_changed.emit()

    # --------------------------------------------------------------------------------- edits

    def attempt(self, edit: Edit | None, label: str | None) -> bool:
        """Apply an edit by the document; say why if it is not possible.

        What is being typed is committed before. `label` None takes the edit's own.
        """
        if edit is None:
            return True
        if not self.finish_typing():
            return False
        try:
            self.document.apply(edit, label)
        except UserError as error:
            self.message.emit(error.text, error.hint)
            return False
        self.copied.end()
        return True

    def copy(self) -> None:
        """Put the selected cells on the clipboard, with their formulas and looks."""
        self.copied.copy(is_cut=False)

    def cut(self) -> None:
        """Copy the selected cells; where they are pasted they move to, references and all."""
        self.copied.copy(is_cut=True)

    def paste(self, what: PasteWhat = EVERYTHING) -> None:
        """Put the clipboard's cells here; all of them, or none and a message why."""
        self.copied.paste(what)

    def clear(self) -> None:
        """Make the selected cells blank."""
        self.attempt(clipboard.clear_edit(self.sheet, self.selection), "Clear")

    def fill(self, down: bool) -> None:
        """Fill the selection from its first row (Ctrl+D) or its first column (Ctrl+R)."""
        edit = clipboard.fill_edit(self._sheet_id, self.selection[-1], down)
        self.attempt(edit, "Fill down" if down else "Fill right")

    def edit(self) -> None:
        """Edit the current cell in place, as F2 does."""
        self.show_cell(self.current)
        self.editing.open(EditMode.CARET)

    # ------------------------------------------------------------------------------- changes

    def apply_change(self, change: Change) -> None:
        """Follow a change of the document: repaint what is visible and changed, no more."""
        if change.structure:
            self.copied.end()
            self.overlay.set_arrows(())
            sheets = self.document.workbook.sheets
            if all(sheet.id != self._sheet_id for sheet in sheets):
                self.reload(sheets[0].id)
                return
        is_other = (
            self.sheet.roles is not self._roles_shown
            or self.sheet.cells.order is not self._order_shown
        )
        if change.structure or is_other:
            self._follow_structure()
            return
        touched = [
            region
            for sheet_id, region in (*change.values, *change.formulas, *change.formats)
            if sheet_id == self._sheet_id
        ]
        if touched:
            self.update_values(touched)
            if not all(map(self.is_in_role, touched)):
                self.update_tags()
        if any(region.contains(self.current) for region in touched):
            self._say_current()
            self.content_changed.emit()

    def _follow_structure(self) -> None:
        """Rows, columns, sizes, roles or sheets are others: measure and paint anew."""
        extent = self._extent = extent_of(self.sheet)
        self._selection.rows, self._selection.cols = extent.rows, extent.cols
        self._selection.replace(self._selection.regions, self._selection.current)
        self._measure()
        self.editing.follow()
        self.content_changed.emit()
        self.selection_changed.emit()

    # ------------------------------------------------------------------------------- spoken

    def accessible_text(self, cell: Cell) -> str:
        """What a screen reader says of a cell: role, row, column, what it shows."""
        return spoken.cell_text(self.document.workbook, self._sheet_id, cell, self._styles)

    def _say_current(self) -> None:
        if spoken.is_listening():
            self.setAccessibleName(f"Sheet {self.sheet.name}")
            spoken.announce(self, self.accessible_text(self.current))

    # --------------------------------------------------------------------------- Qt's events

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not press_key(self, event):
            event.ignore()

    def focusNextPrevChild(self, forward: bool) -> bool:
        return False  # Tab moves between cells

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        if event.commitString() or event.preeditString():
            self.editing.open(EditMode.TYPE, "")
            self.editing.forward(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.mouse.wheel(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.mouse.press(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.mouse.move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.mouse.release(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.mouse.double_click(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Ask for the menu of what was clicked; of the current cell for the menu key."""
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            box = self._layout.cell_rect(self.current)
            self.menu_asked.emit("cells", self.viewport().mapToGlobal(box.center()))
        else:
            self.menu_asked.emit(self.mouse.place_of(event.pos()), event.globalPos())
        event.accept()

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and self.mouse.tool_tip(event):
            return True
        return super().viewportEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the current cell in sight when the grid gets smaller, and go back after it."""
        was_in_sight = self.visible_region().contains(self.current)
        super().resizeEvent(event)
        home, away, size = self._gave_way
        port = self.viewport().size()
        if self._scroll == away and port == port.expandedTo(size):
            self._move_to(*home)
            self._gave_way = (home, None, size)
        before = self._scroll
        if was_in_sight:
            self.show_cell(self.current)
        if self._scroll != before:
            is_further = before == away
            self._gave_way = (
                home if is_further else before,
                self._scroll,
                size if is_further else event.oldSize(),
            )

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update_region(self._selection.region, FRAME_MARGIN_PX)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update_region(self._selection.region, FRAME_MARGIN_PX)
