"""What to make a picture or an animation of, on which ground, how large.

Owns the little window; what was chosen is told by signals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from gradsheet.qt.dialogs.parts import without_icons
from gradsheet.qt.theme import SPACE, current_theme


@dataclass(frozen=True, slots=True)
class PictureChoice:
    """What was chosen.

    Attributes
    ----------
    subject : str
        Its title in the list.
    is_light : bool
        Whether the ground is light, whatever the screen's.
    scale : int
        Pixels of a .png for one of the screen.
    """

    subject: str
    is_light: bool
    scale: int


class ExportPicture(QDialog):
    """Asks what to make a picture of.

    Signals
    -------
    saved(PictureChoice), copied(PictureChoice)
        Save, or Copy, was pressed.

    Parameters
    ----------
    title : str
    subjects : sequence of str
        What there is to choose from.
    first : str
        What is chosen at first.
    note : str
        A line below the fields.
    is_still : bool
        Whether it is a picture: it can be copied and has a size.
    """

    saved = Signal(object)
    copied = Signal(object)

    def __init__(
        self, title: str, subjects: Sequence[str], first: str, note: str, parent: QWidget, *,
        is_still: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.subject = self._combo("What to show", subjects)
        self.subject.setCurrentText(first)
        self.ground = self._combo("Ground", ("Light", "As on the screen"))
        self.ground.setToolTip("Light suits paper and slides, whatever the theme of the screen")
        self.size = self._combo("Size", ("1x", "2x, for print and sharp screens"))
        self.size.setToolTip("Pixels of a .png; an .svg is sharp at any size")
        form = QFormLayout()
        form.setSpacing(SPACE)
        form.addRow("Show", self.subject)
        form.addRow("Ground", self.ground)
        if is_still:
            form.addRow("Size of a .png", self.size)
        self.size.setVisible(is_still)
        remark = QLabel(note, self)
        remark.setWordWrap(True)
        remark.setStyleSheet(f"color: {current_theme().muted};")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        save = buttons.addButton("Save…", QDialogButtonBox.ButtonRole.AcceptRole)
        save.setDefault(True)
        save.clicked.connect(self._on_save)
        if is_still:
            copy = buttons.addButton("Copy", QDialogButtonBox.ButtonRole.ActionRole)
            copy.setToolTip("Put the picture on the clipboard")
            copy.clicked.connect(self._on_copy)
        buttons.rejected.connect(self.reject)
        without_icons(buttons)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        column.setSpacing(2 * SPACE)
        column.addLayout(form)
        column.addWidget(remark)
        column.addWidget(buttons)
        self.setMinimumWidth(360)

    def _combo(self, name: str, entries: Sequence[str]) -> QComboBox:
        combo = QComboBox(self)
        combo.addItems(list(entries))
        combo.setAccessibleName(name)
        return combo

    def choice(self) -> PictureChoice:
        """Return what is chosen now."""
        return PictureChoice(
            self.subject.currentText(), self.ground.currentIndex() == 0,
            self.size.currentIndex() + 1,
        )  # fmt: skip

    def _on_save(self) -> None:
        chosen = self.choice()
        self.accept()
        self.saved.emit(chosen)

    def _on_copy(self) -> None:
        chosen = self.choice()
        self.accept()
        self.copied.emit(chosen)
