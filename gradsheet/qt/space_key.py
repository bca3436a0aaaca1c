"""Space is one step of training, except on a button that has the focus: there it presses it.

Owns the one rule by which the two get along. Knows no command.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QComboBox, QWidget


class SpacePressesButtons(QObject):
    """Claims Space for the buttons and lists of a window before its shortcuts get it.

    Parameters
    ----------
    window : QWidget
        With all its buttons in place.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        for kind in (QAbstractButton, QComboBox):
            for widget in window.findChildren(kind):
                widget.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Accept Space as input of the widget, so that it is no shortcut."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
            if event.key() == Qt.Key.Key_Space and plain:
                event.accept()
                return True
        return False
