"""The line editor that formulas are typed into, in the cell and in the formula bar.

Owns which keys it takes before the window's commands do. What it edits is its owner's affair.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QInputMethodEvent, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

_EDITING_KEYS = frozenset(
    {
        Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_F2,
        Qt.Key.Key_F4, Qt.Key.Key_Return, Qt.Key.Key_Enter,
        Qt.Key.Key_Tab, Qt.Key.Key_Backtab, Qt.Key.Key_Escape, Qt.Key.Key_Home, Qt.Key.Key_End,
        Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Delete, Qt.Key.Key_Backspace,
    }
)  # fmt: skip


class FormulaLine(QLineEdit):
    """A line editor that knows whether an input method is composing in it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.is_composing = False
        self.setAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled)

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        self.is_composing = bool(event.preeditString())
        super().inputMethodEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        return False  # Tab commits

    def event(self, event: QEvent) -> bool:
        """Take the keys of editing before the window's commands do, F2 and F4 above all."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            ctrl = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
            pages = event.key() in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)
            if event.key() in _EDITING_KEYS and not (ctrl and pages):  # which change the sheet
                event.accept()
                return True
        return super().event(event)
