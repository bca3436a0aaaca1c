"""Writing a note: a small page beside its cell.

Owns how it looks and which keys end it. What becomes of the text is told by a signal.
"""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from gradsheet.formula.address import Cell
from gradsheet.qt.theme import SPACE, blend, current_theme

WIDTH_PX, HEIGHT_PX = 260, 110


class NoteEditor(QPlainTextEdit):
    """The note of one cell at a time.

    Signals
    -------
    written(Cell, str)
        The note of a cell reads so now; empty to remove it.
    left()
        The keyboard is free again.
    """

    written = Signal(object, str)
    left = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("noteEditor")
        self.setAccessibleName("Note")
        self.setPlaceholderText("A note on this cell. Esc leaves it as it was.")
        self.setTabChangesFocus(True)
        self._cell = Cell(0, 0)
        self._before = ""
        self.hide()

    def open(self, cell: Cell, text: str, beside: QRect) -> None:
        """Write the note of a cell, shown beside its rectangle."""
        theme = current_theme()
        paper = blend(theme.sheet, "#E69F00", 0.12)
        self.setStyleSheet(
            f"#noteEditor {{ background: {paper}; color: {theme.text}; padding: 4px;"
            f" border: 1px solid {theme.strong_lines}; border-radius: 4px; }}"
        )
        self._cell, self._before = cell, text
        self.setPlainText(text)
        self.setAccessibleName(f"Note on {cell}")
        parent = self.parentWidget()
        self.resize(WIDTH_PX, HEIGHT_PX)
        x = beside.right() + SPACE
        if x + WIDTH_PX > parent.width():
            x = max(0, beside.left() - WIDTH_PX - SPACE)
        y = min(max(0, beside.top()), max(0, parent.height() - HEIGHT_PX))
        self.move(QPoint(x, y))
        self.show()
        self.raise_()
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        self.selectAll()

    def _finish(self, keep: bool) -> None:
        if self.isHidden():
            return
        self.hide()
        text = self.toPlainText().strip()
        if keep and text != self._before:
            self.written.emit(self._cell, text)
        self.left.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        ctrl = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if key == Qt.Key.Key_Escape:
            self._finish(keep=False)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and ctrl:
            self._finish(keep=True)
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self._finish(keep=True)
