"""What stands in a panel where there is nothing yet: what will appear, and how.

Owns its look, and which of the two shows: this, or what there is.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from gradsheet.qt.theme import SPACE, current_theme, ui_font
from gradsheet.qt.widgets.figure import demi_bold
from gradsheet.qt.widgets.styling import set_style


class EmptyText(QWidget):
    """What stands where there is nothing yet: what will appear, and how."""

    asked = Signal()
    """The button was pressed."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._heading = QLabel(self)
        self._text = QLabel(self)
        self.button = QPushButton(self)
        self.button.clicked.connect(self.asked)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * SPACE, 3 * SPACE, 3 * SPACE, 3 * SPACE)
        column.setSpacing(SPACE)
        column.addStretch(1)
        for label in (self._heading, self._text):
            label.setWordWrap(True)
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            column.addWidget(label)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignCenter)
        column.addStretch(2)
        self._apply_theme()

    def say(self, heading: str, text: str, button: str = "") -> None:
        """Say this; with a button if there is something to do at once."""
        self._heading.setText(heading)
        self._text.setText(text)
        self.button.setText(button)
        self.button.setVisible(bool(button))

    @property
    def text(self) -> str:
        """What it says."""
        return f"{self._heading.text()} {self._text.text()}"

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours and sizes of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "button"):
            self._apply_theme()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the ground of the sheet."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(current_theme().sheet))
        painter.end()

    def _apply_theme(self) -> None:
        theme = current_theme()
        self._heading.setFont(demi_bold(ui_font(15)))
        self._text.setFont(ui_font())
        set_style(self._text, f"color: {theme.muted};")


class EmptyOr(QStackedWidget):
    """The empty text of a panel, or its contents.

    Parameters
    ----------
    heading : str
        The question that the panel answers.
    what : str
        What will appear, and how.
    parent : QWidget
    """

    def __init__(self, heading: str, what: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._heading, self._what = heading, what
        self.empty = EmptyText(self)
        self.addWidget(self.empty)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show yet."""
        return self.currentIndex() == 0

    def show_nothing(self, why: str) -> None:
        """Say what will appear, and why it is not here yet."""
        self.empty.say(self._heading, f"{self._what} {why}")
        self.setCurrentIndex(0)

    def show_contents(self) -> None:
        """Show what was added."""
        self.setCurrentIndex(1)
