"""The tabs below the grid, one for each sheet.

Owns which tab stands for which sheet's id, their dragging and the editing of names in place.
Knows no document and no grid: it is told the sheets and says what was asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QSignalBlocker, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import QLineEdit, QTabBar, QWidget

if TYPE_CHECKING:
    from gradsheet.sheet.workbook import Sheet

COLOUR_PX = 3
LONGEST_NAME = 31


class SheetTabs(QTabBar):
    """Bottom tabs as in other spreadsheets."""

    chosen = Signal(int)
    """Id of the sheet whose tab the user chose."""
    renamed = Signal(int, str)
    """Id of a sheet, and the name it is to have."""
    moved = Signal(int, int)
    """Id of a sheet, and its place among the others, counted without it."""
    menu_asked = Signal(QPoint)
    """A menu for the current sheet is wanted at this point of the screen."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setShape(QTabBar.Shape.RoundedSouth)
        self.setExpanding(False)
        self.setDrawBase(False)
        self.setUsesScrollButtons(True)
        self.setMovable(True)
        self.setElideMode(Qt.TextElideMode.ElideNone)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName("Sheets")
        self._order: list[int] = []
        self._colours: dict[int, str] = {}
        self._name = _NameEditor(self)
        self.currentChanged.connect(self._on_changed)

    def show_sheets(self, sheets: Sequence[Sheet], current_id: int) -> None:
        """Show a tab for each sheet, and which one is open."""
        with QSignalBlocker(self):
            while self.count():
                self.removeTab(0)
            for index, sheet in enumerate(sheets):
                self.addTab(sheet.name)
                self.setTabData(index, sheet.id)
                self.setTabToolTip(index, f"Sheet {sheet.name}; double-click to rename")
                if sheet.id == current_id:
                    self.setCurrentIndex(index)
        self._order = [sheet.id for sheet in sheets]
        self._colours = {sheet.id: sheet.tab_colour for sheet in sheets if sheet.tab_colour}
        self.update()

    def show_current(self, sheet_id: int) -> None:
        """Mark the tab of a sheet as the open one, without choosing it."""
        if sheet_id in self._order:
            with QSignalBlocker(self):
                self.setCurrentIndex(self._order.index(sheet_id))

    def move_by(self, by: int) -> None:
        """Choose the tab `by` places to the right, round the end."""
        if self.count():
            self.setCurrentIndex((self.currentIndex() + by) % self.count())

    def edit_name(self, index: int | None = None) -> None:
        """Write the name of a sheet in its tab; of the current one unless told."""
        index = self.currentIndex() if index is None else index
        if index >= 0:
            self._name.open(index)

    @property
    def name_editor(self) -> QLineEdit:
        """The line in which a name is written, hidden else."""
        return self._name

    def _on_changed(self, index: int) -> None:
        sheet_id = self.tabData(index)
        if sheet_id is not None:
            self.chosen.emit(sheet_id)

    # ----------------------------------------------------------------------------- Qt's events

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        index = self.tabAt(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and index >= 0:
            self.edit_name(index)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Tabs that were dragged past others make one move."""
        super().mouseReleaseEvent(event)
        order = [self.tabData(index) for index in range(self.count())]
        if order == self._order:
            return
        moved = self.tabData(self.currentIndex())
        before = [sheet for sheet in self._order if sheet != moved]
        if [sheet for sheet in order if sheet != moved] == before:
            self.moved.emit(moved, order.index(moved))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        index = self.tabAt(event.pos())
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            index = self.currentIndex()
        if index < 0:
            return
        self.setCurrentIndex(index)
        self.menu_asked.emit(event.globalPos())
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_F2:
            self.edit_name()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The tabs, and below each one its sheet's colour."""
        super().paintEvent(event)
        if not self._colours:
            return
        painter = QPainter(self)
        for index in range(self.count()):
            colour = self._colours.get(self.tabData(index))
            if colour:
                box = self.tabRect(index).adjusted(4, 0, -4, 0)
                painter.fillRect(
                    box.left(), box.bottom() - COLOUR_PX, box.width(), COLOUR_PX, QColor(colour)
                )
        painter.end()


class _NameEditor(QLineEdit):
    """A line over the tab whose name is written."""

    def __init__(self, tabs: SheetTabs) -> None:
        super().__init__(tabs)
        self._tabs = tabs
        self._index = -1
        self.setObjectName("sheetName")
        self.setMaxLength(LONGEST_NAME)
        self.setAccessibleName("Name of the sheet")
        self.hide()

    def open(self, index: int) -> None:
        self._index = index
        box = self._tabs.tabRect(index)
        self.setText(self._tabs.tabText(index))
        width = max(box.width(), self.fontMetrics().horizontalAdvance("m" * 12))
        self.setGeometry(box.left(), box.top(), width, box.height())
        self.selectAll()
        self.show()
        self.raise_()
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def _finish(self, keep: bool) -> None:
        if self.isHidden():
            return
        self.hide()
        tabs, name = self._tabs, self.text().strip()
        if keep and name != tabs.tabText(self._index):
            tabs.renamed.emit(tabs.tabData(self._index), name)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._finish(keep=False)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._finish(keep=True)
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._finish(keep=True)
