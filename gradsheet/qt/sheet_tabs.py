"""The tabs below the grid, one for each sheet.

Owns which tab stands for which sheet's id. Knows no document and no grid: it is told the sheets
and says which one was chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QTabBar, QWidget

if TYPE_CHECKING:
    from gradsheet.sheet.workbook import Sheet


class SheetTabs(QTabBar):
    """Bottom tabs as in other spreadsheets."""

    chosen = Signal(int)
    """Id of the sheet whose tab the user chose."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setShape(QTabBar.Shape.RoundedSouth)
        self.setExpanding(False)
        self.setDrawBase(False)
        self.setUsesScrollButtons(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName("Sheets")
        self.currentChanged.connect(self._on_changed)

    def show_sheets(self, sheets: Sequence[Sheet], current_id: int) -> None:
        """Show a tab for each sheet, and which one is open."""
        with QSignalBlocker(self):
            while self.count():
                self.removeTab(0)
            for index, sheet in enumerate(sheets):
                self.addTab(sheet.name)
                self.setTabData(index, sheet.id)
                self.setTabToolTip(index, f"Sheet {sheet.name}")
                if sheet.id == current_id:
                    self.setCurrentIndex(index)

    def move_by(self, by: int) -> None:
        """Choose the tab `by` places to the right, round the end."""
        if self.count():
            self.setCurrentIndex((self.currentIndex() + by) % self.count())

    def _on_changed(self, index: int) -> None:
        sheet_id = self.tabData(index)
        if sheet_id is not None:
            self.chosen.emit(sheet_id)
