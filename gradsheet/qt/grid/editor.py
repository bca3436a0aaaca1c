"""Editing a cell in place: a line editor over the cell, and where the keys lead afterwards.

Owns the two modes (typing replaces and arrows commit; F2 edits and arrows move the caret), the
column to which Enter returns after Tab, and what a text that cannot be read looks like. What
typing means is the document's affair.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QFocusEvent, QInputMethodEvent, QKeyEvent
from PySide6.QtWidgets import QApplication, QLineEdit

from gradsheet.formula.address import Cell
from gradsheet.formula.values import UserError
from gradsheet.qt.grid.entry import enter_text, entry_text, typed_content
from gradsheet.qt.grid.formula_line import FormulaLine
from gradsheet.qt.grid.formula_typing import FormulaTyping
from gradsheet.qt.grid.inline_error import InlineError, mark_error
from gradsheet.qt.theme import current_theme
from gradsheet.sheet.edits import SetCells

if TYPE_CHECKING:
    from gradsheet.qt.grid.view import GridView

MOST_FILLED = 1_000_000
"""Cells that Ctrl+Enter fills at most."""
_ROOM_PX = 12

Key = Qt.Key
_ARROWS: dict[int, tuple[int, int]] = {
    Key.Key_Up: (-1, 0),
    Key.Key_Down: (1, 0),
    Key.Key_Left: (0, -1),
    Key.Key_Right: (0, 1),
}


class EditMode(Enum):
    """How the editor was opened."""

    TYPE = auto()
    CARET = auto()


class CellEditor(FormulaLine):
    """The line editor; it hands the keys that end editing to `InPlaceEditing`."""

    def __init__(self, editing: InPlaceEditing, view: GridView) -> None:
        super().__init__(view.viewport())
        self._editing = editing
        self.setObjectName("cellEditor")
        self.setAccessibleName("Cell")
        self.hide()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._editing.press_key(event):
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() not in (
            Qt.FocusReason.PopupFocusReason,
            Qt.FocusReason.ActiveWindowFocusReason,
        ):
            self._editing.lost_focus()


class InPlaceEditing(QObject):
    """The editing of one view: at most one cell at a time."""

    def __init__(self, view: GridView) -> None:
        super().__init__(view)
        self._view = view
        self._editor = CellEditor(self, view)
        self.typing = FormulaTyping(self._editor, view, self.finish)
        self._editor.textEdited.connect(self._on_edited)
        self._error = InlineError(view.viewport())
        self._mode = EditMode.TYPE
        self._cell = Cell(0, 0)
        self._sheet_id = view.sheet_id
        self._before = ""
        self._is_closing = False
        self._tab_column: int | None = None

    # ----------------------------------------------------------------------- open and close

    @property
    def is_open(self) -> bool:
        """Whether a cell is being edited."""
        return not self._editor.isHidden()

    @property
    def editor(self) -> QLineEdit:
        """The line editor, hidden while nothing is edited."""
        return self._editor

    def open(self, mode: EditMode, text: str | None = None) -> None:
        """Edit the current cell, beginning with `text` instead of what it holds."""
        if self.is_open:
            return
        view = self._view
        self._cell, self._mode = view.current, mode
        self._sheet_id = view.sheet_id
        self._before = entry_text(view.document.workbook, view.sheet_id, self._cell)
        editor = self._editor
        theme = current_theme()
        editor.setStyleSheet(
            f"QLineEdit {{ border: 2px solid {theme.accent}; border-radius: 0; padding: 0 3px;"
            f" background: {theme.sheet}; color: {theme.text}; }}"
        )
        editor.setFont(view.cell_font())
        editor.setText(self._before if text is None else text)
        editor.end(False)
        editor.show()
        self.follow()
        editor.setFocus(Qt.FocusReason.OtherFocusReason)
        self.typing.begin(self._sheet_id, self._cell)
        view.typed.emit(editor.text())

    def forward(self, event: QInputMethodEvent) -> None:
        """Give an input method's text to the editor that it opened."""
        QApplication.sendEvent(self._editor, event)

    def finish(self) -> bool:
        """Commit what is being edited and stay; False if it cannot be read."""
        return not self.is_open or self._commit()

    def cancel(self) -> None:
        """Close and leave the cell as it was."""
        if self.is_open:
            self._close()

    def lost_focus(self) -> None:
        """Another widget was chosen: commit; a text that cannot be read stays in the editor."""
        if self.is_open and not self._is_closing:
            self._commit(keep_focus=False)

    def _commit(self, keep_focus: bool = True) -> bool:
        text = self._editor.text()
        if text == self._before:
            self._close(keep_focus)
            return True
        try:
            enter_text(self._view.document, self._sheet_id, self._cell, text)
        except UserError as error:
            self._refuse(error)
            return False
        self._close(keep_focus)
        return True

    def _commit_to_selection(self) -> bool:
        """Ctrl+Enter: the text goes into every selected cell, formulas relative to each."""
        view = self._view
        try:
            if sum(region.size for region in view.selection) > MOST_FILLED:
                raise UserError(
                    f"The selection has more than {MOST_FILLED:,} cells to fill.",
                    "Select a smaller range.",
                )
            content = typed_content(view.document, self._cell, self._editor.text())
            cells = dict.fromkeys(cell for region in view.selection for cell in region.cells())
            edit = SetCells(self._sheet_id, tuple((cell, content) for cell in cells))
            view.document.apply(edit, "Fill selection")
        except UserError as error:
            self._refuse(error)
            return False
        self._close()
        return True

    def _refuse(self, error: UserError) -> None:
        """Keep the text, mark where it went wrong and say why."""
        if self._view.sheet_id != self._sheet_id:
            self._view.return_to_sheet(self._sheet_id)
        self._editor.setFocus(Qt.FocusReason.OtherFocusReason)
        mark_error(self._editor, error)
        self._error.show_below(self._editor, error)
        self._view.message.emit(error.text, error.hint)

    def _close(self, keep_focus: bool = True) -> None:
        self._is_closing = True
        self._error.hide()
        self.typing.end()
        if keep_focus:
            self._view.setFocus(Qt.FocusReason.OtherFocusReason)
        self._editor.hide()
        self._is_closing = False
        self._view.content_changed.emit()

    def _on_edited(self) -> None:
        self._error.hide()
        self.follow()
        self._view.typed.emit(self._editor.text())

    def follow(self) -> None:
        """Put the editor over its cell and make it as wide as its text."""
        if not self.is_open:
            return
        rect = self._view.layout_now.cell_rect(self._cell)
        area = self._view.layout_now.cells_area()
        if rect.isNull() or self._view.sheet_id != self._sheet_id:
            rect.moveTo(-10_000, -10_000)
        need = self._editor.fontMetrics().horizontalAdvance(self._editor.text()) + _ROOM_PX
        width = min(max(rect.width() + 1, need), max(area.width(), rect.width() + 1))
        left = rect.left() - 1
        if left + width > area.right() and rect.left() >= area.left():
            left = max(area.left() - 1, area.right() - width)  # no room: grow to the left
        self._editor.setGeometry(left, rect.top() - 1, width, rect.height() + 1)

    # ----------------------------------------------------------------------------- the keys

    def press_key(self, event: QKeyEvent) -> bool:
        """Do what ends or changes editing; False leaves the key to the line editor."""
        key, held = event.key(), event.modifiers()
        shift = bool(held & Qt.KeyboardModifier.ShiftModifier)
        ctrl = bool(held & Qt.KeyboardModifier.ControlModifier)
        alt = bool(held & Qt.KeyboardModifier.AltModifier)
        if self.typing.press_key(event, arrows_point=self._mode is EditMode.TYPE):
            return True
        if key == Key.Key_Escape:
            self.cancel()
        elif key in (Key.Key_Return, Key.Key_Enter) and alt:
            self._editor.insert("\n")
        elif key in (Key.Key_Return, Key.Key_Enter) and ctrl:
            self._commit_to_selection()
        elif key in (Key.Key_Return, Key.Key_Enter):
            self._commit_and("enter", shift)
        elif key in (Key.Key_Tab, Key.Key_Backtab):
            self._commit_and("tab", shift or key == Key.Key_Backtab)
        elif key == Key.Key_F2:
            self._mode = EditMode.CARET if self._mode is EditMode.TYPE else EditMode.TYPE
        elif self._mode is EditMode.TYPE and key in _ARROWS and not shift and not ctrl:
            self._commit_and_step(*_ARROWS[Key(key)])
        else:
            return key in (Key.Key_Up, Key.Key_Down)  # nothing for them to do in one line
        return True

    @property
    def mode(self) -> EditMode:
        """Whether arrows commit (TYPE) or move the caret (CARET)."""
        return self._mode

    def _commit_and(self, way: Literal["enter", "tab"], backward: bool) -> None:
        if self._commit():
            self.go_on(way, backward)

    def _commit_and_step(self, down: int, right: int) -> None:
        if self._commit():
            self.forget_tab()
            self._step(down, right)

    def go_on(self, way: Literal["enter", "tab"], backward: bool) -> None:
        """Move on from the current cell as Enter or Tab does.

        Inside a selection of several cells they go round in it. Else Tab goes right, and Enter
        goes down, to the column in which the first Tab was pressed.
        """
        view = self._view
        if len(view.selection) > 1 or view.selection[0].size > 1:
            view.alter_selection(lambda s: s.cycle(not backward, by_rows=way == "tab"))
            view.show_cell(view.current)
            return
        if way == "tab":
            if self._tab_column is None:
                self._tab_column = view.current.col
            self._step(0, -1 if backward else 1)
            return
        column, self._tab_column = self._tab_column, None
        self._step(-1 if backward else 1, 0, column)

    def forget_tab(self) -> None:
        """The next Enter goes straight down: the user went elsewhere."""
        self._tab_column = None

    def _step(self, down: int, right: int, column: int | None = None) -> None:
        view, layout = self._view, self._view.layout_now
        row, col = view.current
        target = Cell(
            layout.rows.step(row, down) if down else row,
            layout.columns.step(col, right) if right else col if column is None else column,
        )
        view.alter_selection(lambda s: s.collapse(target), show=target)
