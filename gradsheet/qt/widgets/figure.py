"""A painted figure, the text that stands while there is none, and its data as a table.

Owns the frame around every figure: title, note, the switch to the table, and what an empty panel
says. Knows nothing of what is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gradsheet.qt import icons
from gradsheet.qt.theme import SPACE, current_theme, ui_font
from gradsheet.qt.widgets.column_table import Column, ColumnTable
from gradsheet.qt.widgets.styling import set_style


class Figure(QWidget):
    """Paints itself on the sheet's colour; a subclass draws and tells its data."""

    def __init__(self, parent: QWidget, name: str) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setMouseTracking(True)

    def draw(self, painter: QPainter, box: QRectF) -> None:
        """Draw into a box; the ground is painted."""
        raise NotImplementedError

    def columns(self) -> Sequence[Column]:
        """Return what is drawn, as columns."""
        raise NotImplementedError

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the ground, then the figure."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(current_theme().sheet))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.draw(painter, QRectF(self.rect()))
        painter.end()

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.update()


class FigureAndTable(QWidget):
    """A figure with title and note, and beside it its table, one of the two in sight.

    Parameters
    ----------
    figure : Figure
    title : str
    parent : QWidget
    """

    def __init__(self, figure: Figure, title: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.figure = figure
        self._title = QLabel(title, self)
        self._title.setFont(demi_bold(ui_font()))
        self.note = QLabel(self)
        self.note.setObjectName("note")
        self.note.setWordWrap(True)
        self.switch = QToolButton(self)
        self.switch.setCheckable(True)
        self.switch.setText("Table")
        self.switch.setToolTip(f"{title}: as numbers in a table, or as a figure")
        self.switch.setAccessibleName(f"{title} as a table")
        self.switch.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.switch.toggled.connect(self.show_table)
        self.table = ColumnTable(self, f"{title}, as a table")
        head = QHBoxLayout()
        head.setContentsMargins(SPACE, SPACE // 2, SPACE // 2, 0)
        head.addWidget(self._title, 1)
        head.addWidget(self.switch)
        holder = QWidget(self)
        self._stack = QStackedLayout(holder)
        self._stack.addWidget(figure)
        self._stack.addWidget(self.table)
        figure.setParent(holder)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.note)
        column.addWidget(holder, 1)
        self.note.setContentsMargins(SPACE, 0, SPACE, SPACE // 2)
        self._apply_theme()

    def refresh(self, note: str) -> None:
        """Draw the figure anew, and the table if it is in sight."""
        self.note.setText(note)
        self.note.setVisible(bool(note))
        self.figure.update()
        if self.switch.isChecked():
            self.table.set_columns(self.figure.columns())

    def show_table(self, shown: bool) -> None:
        """Show the table, or the figure."""
        if self.switch.isChecked() != shown:
            self.switch.setChecked(shown)
            return
        if shown:
            self.table.set_columns(self.figure.columns())
        self._stack.setCurrentIndex(1 if shown else 0)

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours and sizes of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "table"):
            self._apply_theme()

    def _apply_theme(self) -> None:
        theme = current_theme()
        self._title.setFont(demi_bold(ui_font()))
        self.switch.setIcon(icons.icon("table"))
        set_style(
            self,
            f"FigureAndTable {{ background: {theme.sheet}; }}"
            f" #note {{ color: {theme.muted}; }} QToolButton {{ padding: 2px 6px; }}",
        )


def demi_bold(font: QFont) -> QFont:
    """Return the font, half bold."""
    bold = QFont(font)
    bold.setWeight(QFont.Weight.DemiBold)
    return bold
