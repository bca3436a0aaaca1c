"""A field for cells: typed, or taken from the selection of the sheet by a button.

Owns the pair of widgets. What the text means is the app's business.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QSize
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QTableWidget,
    QTableWidgetItem,
    QToolButton,
    QWidget,
)

from gradsheet.qt import icons
from gradsheet.qt.theme import SPACE


class CellField(QWidget):
    """A line for cells, with a button that takes the selection of the sheet.

    Parameters
    ----------
    name : for tooltips and screen readers
    selection : gives the text of what is selected
    parent : QWidget
    """

    def __init__(self, name: str, selection: Callable[[], str], parent: QWidget) -> None:
        super().__init__(parent)
        self._selection = selection
        self.line = QLineEdit(self)
        self.line.setAccessibleName(name)
        self.line.setToolTip(f"<b>{name}</b><br>Cells such as H25 or H19:V23, or a name")
        self.take = QToolButton(self)
        self.take.setIconSize(QSize(16, 16))
        self.take.setToolTip(f"<b>{name}</b><br>Take the cells that are selected in the sheet")
        self.take.setAccessibleName(f"{name}: take the selection")
        self.take.clicked.connect(self._on_take)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE // 4)
        row.addWidget(self.line, 1)
        row.addWidget(self.take)
        self.setFocusProxy(self.line)
        self._apply_theme()

    def text(self) -> str:
        """What is written."""
        return self.line.text()

    def set_text(self, text: str) -> None:
        """Write this."""
        self.line.setText(text)
        self.line.setCursorPosition(0)

    def _on_take(self) -> None:
        self.set_text(self._selection())
        self.line.editingFinished.emit()

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "take"):
            self._apply_theme()

    def _apply_theme(self) -> None:
        self.take.setIcon(icons.icon("crosshair"))


def quiet_table(name: str, heads: tuple[str, ...], parent: QWidget) -> QTableWidget:
    """Return a table without frames, whose rows are chosen whole."""
    table = QTableWidget(0, len(heads), parent)
    table.setHorizontalHeaderLabels(heads)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(3 * SPACE)
    table.setShowGrid(False)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
    table.setAccessibleName(name)
    return table


def put_row(table: QTableWidget, row: int, texts: tuple[str, ...], *, left: int = 1) -> None:
    """Write a row; columns from `left` on are numbers and stand at the right."""
    from PySide6.QtCore import Qt

    for column, text in enumerate(texts):
        item = table.item(row, column)
        if item is None:
            item = QTableWidgetItem()
            side = Qt.AlignmentFlag.AlignLeft if column < left else Qt.AlignmentFlag.AlignRight
            item.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
            table.setItem(row, column, item)
        if item.text() != text:
            item.setText(text)
            item.setToolTip(text)
