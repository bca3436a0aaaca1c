"""A window with something to read: the shortcuts, the about text.

Owns nothing but its look; never modal.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from gradsheet.qt.theme import SPACE
from gradsheet.qt.widgets.styling import PLAIN_BUTTONS, set_style


class TextWindow(QDialog):
    """Shows rich text until it is closed."""

    def __init__(self, title: str, html: str, parent: QWidget, *, width: int = 620) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.resize(width, 520)
        set_style(self, PLAIN_BUTTONS)
        text = QTextBrowser(self)
        text.setOpenExternalLinks(True)
        text.setHtml(html)
        text.setAccessibleName(title)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.setSpacing(SPACE)
        column.addWidget(text, 1)
        column.addWidget(buttons)
