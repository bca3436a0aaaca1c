"""Asks for the height of rows or the width of columns.

Owns the question only; it is told the size there is, and tells the one that is wanted.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QSpinBox, QWidget

from gradsheet.qt.dialogs.parts import without_icons
from gradsheet.qt.theme import SPACE

LEAST_PX, MOST_PX = 4, 2_000


class LineSize(QDialog):
    """One number, in pixels at 100 %.

    Signals
    -------
    chosen(int)
    """

    chosen = Signal(int)

    def __init__(self, title: str, size_px: int, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.number = QSpinBox(self)
        self.number.setRange(LEAST_PX, MOST_PX)
        self.number.setSuffix(" px")
        self.number.setValue(size_px)
        self.number.setAccessibleName(title)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel, self
        )
        form = QFormLayout(self)
        form.setContentsMargins(2 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        form.setSpacing(SPACE)
        form.addRow(title, self.number)
        form.addRow(without_icons(buttons))
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self.number.selectAll()
        self.number.setFocus()

    def accept(self) -> None:
        """Tell the size."""
        self.chosen.emit(self.number.value())
        super().accept()
