"""The grid of one sheet: shown, selected in and edited.

Owns the selection, the signals and the edits that start here. Showing is `GridCanvas`; keys,
mouse, in-place editor and clipboard have modules of their own. It holds no fact of the document:
every edit goes through `Document`, every change comes back by `apply_change`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QFont,
    QInputMethodEvent,
    QKeyEvent,
    QMouseEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import UserError
from gradsheet.qt.grid import clipboard, spoken
from gradsheet.qt.grid.canvas import FRAME_MARGIN_PX, GridCanvas
from gradsheet.qt.grid.editor import EditMode, InPlaceEditing
from gradsheet.qt.grid.extent import extent_of
from gradsheet.qt.grid.keyboard import press_key
from gradsheet.qt.grid.mouse import MouseGestures
from gradsheet.qt.grid.selection import Selection
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
    """

    current_changed = Signal()
    selection_changed = Signal()
    content_changed = Signal()
    typed = Signal(str)
    message = Signal(str, str)

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(document, parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled)
        self.viewport().setMouseTracking(True)
        self.mouse = MouseGestures(self)
        self.editing = InPlaceEditing(self)
        self._say_current()

    # ------------------------------------------------------------------------- what is shown

    def set_sheet(self, sheet_id: int) -> None:
        """Show another sheet, at the place and with the selection where it was left."""
        if sheet_id == self._sheet_id or not self.editing.finish():
            return
        self._leave_sheet()
        self._open_sheet(sheet_id)
        self._announce_all()

    def reload(self, sheet_id: int) -> None:
        """Show a sheet of a workbook that was just opened; forget where others were left."""
        self.editing.cancel()
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

    def attempt(self, edit: Edit | None, label: str) -> bool:
        """Apply an edit by the document; say why if it is not possible."""
        if edit is None:
            return True
        try:
            self.document.apply(edit, label)
        except UserError as error:
            self.message.emit(error.text, error.hint)
            return False
        return True

    def copy(self) -> bool:
        """Put the selected cells on the clipboard, as text and with their formulas."""
        return self._copy(is_cut=False)

    def cut(self) -> None:
        """Copy the selected cells and clear them."""
        if self._copy(is_cut=True):
            self.attempt(clipboard.clear_edit(self.sheet, self.selection), "Cut")

    def _copy(self, is_cut: bool) -> bool:
        try:
            clipboard.copy(self.document.workbook, self._sheet_id, self.selection, is_cut)
        except UserError as error:
            self.message.emit(error.text, error.hint)
            return False
        return True

    def paste(self) -> None:
        """Put the clipboard's cells here; all of them, or none and a message why."""
        try:
            pasted = clipboard.paste(
                self.document, self._sheet_id, self.selection, self._extent.region
            )
        except UserError as error:
            self.message.emit(error.text, error.hint)
            return
        if pasted is not None and self.attempt(pasted.edit, "Paste"):
            self.select(pasted.region)

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
            sheets = self.document.workbook.sheets
            if all(sheet.id != self._sheet_id for sheet in sheets):
                self.reload(sheets[0].id)
                return
        if change.structure or self.sheet.roles is not self._roles_shown:
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

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and self.mouse.tool_tip(event):
            return True
        return super().viewportEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update_region(self._selection.region, FRAME_MARGIN_PX)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update_region(self._selection.region, FRAME_MARGIN_PX)
