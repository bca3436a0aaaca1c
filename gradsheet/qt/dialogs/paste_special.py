"""Paste special: what of the copied cells is pasted.

Owns the little window; the choice is told by a signal.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from gradsheet.qt.dialogs.parts import without_icons
from gradsheet.qt.grid.copying import PasteWhat
from gradsheet.qt.theme import SPACE

CHOICES: tuple[tuple[str, str, bool], ...] = (
    ("&All", "all", True),
    ("&Formulas, without formats", "all", False),
    ("&Values, without formulas and formats", "values", False),
    ("Values and f&ormats", "values", True),
    ("Forma&ts only", "none", True),
)
"""Title, contents and looks of `PasteWhat`."""


class PasteSpecial(QDialog):
    """Asks what is to be pasted.

    Signals
    -------
    chosen(PasteWhat)
    """

    chosen = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Paste special")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        layout.setSpacing(SPACE)
        self.choices = [QRadioButton(title, self) for title, _, _ in CHOICES]
        for button in self.choices:
            layout.addWidget(button)
        self.choices[0].setChecked(True)
        layout.addSpacing(SPACE)
        self.transpose = QCheckBox("T&ranspose: rows become columns", self)
        self.skip_blanks = QCheckBox("&Skip blanks: they leave what they would cover", self)
        layout.addWidget(self.transpose)
        layout.addWidget(self.skip_blanks)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel, self
        )
        buttons.button(QDialogButtonBox.StandardButton.Ok).setText("Paste")
        layout.addWidget(buttons)
        without_icons(buttons)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self.choices[0].setFocus()

    def accept(self) -> None:
        """Tell the choice."""
        at = next(i for i, button in enumerate(self.choices) if button.isChecked())
        _, contents, looks = CHOICES[at]
        self.chosen.emit(
            PasteWhat(
                contents, looks, self.transpose.isChecked(), self.skip_blanks.isChecked()
            )
        )
        super().accept()
