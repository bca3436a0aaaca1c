"""Go to: an address, a name, or a range of the model from a list.

Owns the little window; where it leads is told by a signal.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from gradsheet.qt.dialogs.parts import roomy, without_icons
from gradsheet.qt.grid.places import Place, find_place, known_places
from gradsheet.qt.theme import SPACE, current_theme
from gradsheet.sheet.workbook import Workbook


class GoTo(QDialog):
    """Asks for a place.

    Signals
    -------
    chosen(Place)
    """

    chosen = Signal(object)

    def __init__(self, workbook: Workbook, sheet_id: int, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Go to")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._workbook = workbook
        self._sheet_id = sheet_id
        self.line = QLineEdit(self)
        self.line.setPlaceholderText("H25, H2:V16, Sheet2!A1, a name")
        self.line.setAccessibleName("Address or name")
        self.list = roomy(QListWidget(self))
        self.list.setAccessibleName("Names and ranges of the model")
        self.problem = QLabel(self)
        self.problem.setStyleSheet(f"color: {current_theme().error};")
        self.problem.setWordWrap(True)
        self.problem.hide()
        for place in known_places(workbook):
            region = ", ".join(map(str, place.regions))
            sheet = "" if len(workbook.sheets) == 1 else f"{workbook.sheet(place.sheet).name}!"
            item = QListWidgetItem(f"{place.name}    {sheet}{region}", self.list)
            item.setData(Qt.ItemDataRole.UserRole, place)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel, self
        )
        buttons.button(QDialogButtonBox.StandardButton.Ok).setText("Go")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        layout.setSpacing(SPACE)
        layout.addWidget(self.line)
        layout.addWidget(self.problem)
        layout.addWidget(self.list, 1)
        layout.addWidget(buttons)
        self.resize(380, 320)
        self.line.textEdited.connect(self._on_edited)
        self.list.itemClicked.connect(self._on_item)
        self.list.itemActivated.connect(self._on_activated)
        without_icons(buttons)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self.line.setFocus()

    def _on_edited(self) -> None:
        self.problem.hide()
        self.list.clearSelection()
        self.list.setCurrentRow(-1)

    def _on_item(self, item: QListWidgetItem) -> None:
        self.line.setText(item.data(Qt.ItemDataRole.UserRole).name)

    def _on_activated(self, item: QListWidgetItem) -> None:
        self._on_item(item)
        self.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up) and self.line.hasFocus():
            self.list.setFocus()
            self.list.setCurrentRow(0)
            return
        super().keyPressEvent(event)

    def accept(self) -> None:
        """Go there, or say what is wrong with the text."""
        item = self.list.currentItem()
        listed: Place | None = item.data(Qt.ItemDataRole.UserRole) if item is not None else None
        is_meant = self.list.hasFocus() or (listed is not None and listed.name == self.line.text())
        place = listed if is_meant else None
        place = place or find_place(self._workbook, self._sheet_id, self.line.text())
        if place is None:
            self.problem.setText(f"“{self.line.text()}” is no cell and no name of this workbook.")
            self.problem.show()
            self.line.setFocus()
            self.line.selectAll()
            return
        self.chosen.emit(place)
        super().accept()
