"""Rows of a narrow form: title, field, and below them what is wrong with the field.

Owns the places of the rows, their messages and headings. Knows no setting: panels add rows and
hide those that do not apply.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from gradsheet.qt.theme import SPACE, current_theme
from gradsheet.qt.widgets.number_field import NumberField
from gradsheet.qt.widgets.styling import set_style

TITLE_SHARE = 5
FIELD_SHARE = 6


class Row(QWidget):
    """Title and field side by side, a hint and a complaint below, both hidden while empty."""

    def __init__(self, title: str, field: QWidget, parent: QWidget) -> None:
        super().__init__(parent)
        self.field = field
        self.title = QLabel(title, self)
        self.title.setBuddy(field)
        self.title.setToolTip(field.toolTip())
        self.title.setWordWrap(True)
        # Short fields keep their place at the left edge of the column, whatever the title.
        self.title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.hint = self._small()
        self.complaint = self._small()
        self.complaint.setAccessibleName(f"What is wrong with {title}")
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(SPACE)
        grid.setVerticalSpacing(2)
        if title:
            grid.addWidget(self.title, 0, 0)
            grid.addWidget(field, 0, 1)
        else:
            self.title.hide()
            grid.addWidget(field, 0, 0, 1, 2)
        grid.addWidget(self.hint, 1, 0, 1, 2)
        grid.addWidget(self.complaint, 2, 0, 1, 2)
        grid.setColumnStretch(0, TITLE_SHARE)
        grid.setColumnStretch(1, FIELD_SHARE)
        self._apply_theme()

    def _small(self) -> QLabel:
        label = QLabel(self)
        label.setWordWrap(True)
        label.hide()
        return label

    def say(self, text: str) -> None:
        """Show a quiet line below the field; "" takes it away."""
        self.hint.setText(text)
        self.hint.setVisible(bool(text))

    def complain(self, text: str) -> None:
        """Say what is wrong with the field; "" once it is right."""
        self.complaint.setText(text)
        self.complaint.setVisible(bool(text))

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "complaint"):
            self._apply_theme()

    def _apply_theme(self) -> None:
        theme = current_theme()
        set_style(self.complaint, f"QLabel {{ color: {theme.error}; }}")
        set_style(self.hint, f"QLabel {{ color: {theme.muted}; }}")


class Form(QWidget):
    """Rows below one another, a heading first."""

    def __init__(self, heading: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(SPACE // 2 + 2)
        if heading:
            label = QLabel(heading, self)
            font = QFont(self.font())
            font.setWeight(QFont.Weight.DemiBold)
            label.setFont(font)
            label.setContentsMargins(0, SPACE, 0, 0)
            self.column.addWidget(label)

    def add(self, title: str, field: QWidget) -> Row:
        """Add a row; a `NumberField`, `ListField` or `PairField` says there what is wrong."""
        row = Row(title, field, self)
        self.column.addWidget(row)
        if isinstance(field, NumberField | ListField | PairField):
            field.complained.connect(row.complain)
        return row


def number_field(
    parent: QWidget, name: str, about: str, low: float, high: float = 1e9, **options: bool | float
) -> NumberField:
    """Return a field for one number; `options` are those of `NumberField`."""
    field = NumberField(name, about, parent, low=low, high=high, **options)  # type: ignore[arg-type]
    field.setMinimumWidth(5 * SPACE)
    return field


def choice(
    parent: QWidget, name: str, about: str, titles: Sequence[tuple[str, str]]
) -> QComboBox:
    """Return a list of (key, title) to choose one from; the key is the item's data."""
    box = QComboBox(parent)
    box.setAccessibleName(name)
    box.setToolTip(f"<b>{name}</b><br>{about}")
    box.setMinimumContentsLength(6)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    for key, title in titles:
        box.addItem(title, key)
    return box


def show_choice(box: QComboBox, key: str) -> None:
    """Show a key's title without saying that the user chose it."""
    with QSignalBlocker(box):
        box.setCurrentIndex(box.findData(key))


def switch(parent: QWidget, text: str, about: str) -> QCheckBox:
    """Return a box to tick."""
    box = QCheckBox(text, parent)
    box.setToolTip(about)
    return box


def show_switch(box: QCheckBox, on: bool) -> None:
    """Show a box ticked or not without saying that the user did it."""
    with QSignalBlocker(box):
        box.setChecked(on)


class PairField(QWidget):
    """Two numbers, the first smaller than the second."""

    committed = Signal(float, float)
    complained = Signal(str)

    def __init__(self, parent: QWidget, name: str, about: str) -> None:
        super().__init__(parent)
        self.setToolTip(f"<b>{name}</b><br>{about}")
        self.low = number_field(self, f"{name}, from", about, -1e6, 1e6)
        self.high = number_field(self, f"{name}, to", about, -1e6, 1e6)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE // 2)
        row.addWidget(self.low, 1)
        row.addWidget(QLabel("to", self))
        row.addWidget(self.high, 1)
        self.setFocusProxy(self.low)
        for field in (self.low, self.high):
            field.committed.connect(self._on_number)
            field.complained.connect(self.complained)

    def show_pair(self, low: float, high: float) -> None:
        """Show two numbers."""
        self.low.show_number(low)
        self.high.show_number(high)

    def _on_number(self, _: float) -> None:
        low, high = self.low.number, self.high.number
        if low >= high:
            self.complained.emit(f"The first must be the smaller: {low:g} is not below {high:g}.")
            return
        self.complained.emit("")
        self.committed.emit(low, high)


class ListField(QLineEdit):
    """Numbers separated by commas or spaces, with decimal points.

    Parameters
    ----------
    parent : QWidget
    name, about : str
    whole : bool
    low, high : float
        Both ends allowed, `high` not where `open_high`.
    """

    committed = Signal(tuple)
    complained = Signal(str)

    def __init__(
        self, parent: QWidget, name: str, about: str, *, whole: bool, low: float, high: float,
        open_high: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._whole, self._low, self._high, self._open_high = whole, low, high, open_high
        self._numbers: tuple[float, ...] = ()
        self.setAccessibleName(name)
        self.setToolTip(f"<b>{name}</b><br>{about}")
        self.setMinimumWidth(5 * SPACE)
        self.editingFinished.connect(self.commit)

    def show_numbers(self, numbers: Sequence[float]) -> None:
        """Show numbers, unless the user is in the middle of typing others."""
        if tuple(numbers) == self._numbers and self.text():
            return
        self._numbers = tuple(numbers)
        if not (self.hasFocus() and self.isModified()):
            self.setText(", ".join(f"{number:g}" for number in numbers))
            self.setModified(False)

    def commit(self) -> None:
        """Take the text as numbers, or say what is wrong with it."""
        try:
            numbers = self._read()
        except ValueError as error:
            self._mark(str(error))
            return
        self._mark("")
        self.setModified(False)
        if numbers != self._numbers:
            self._numbers = numbers
            self.committed.emit(tuple(int(n) for n in numbers) if self._whole else numbers)

    def _read(self) -> tuple[float, ...]:
        found = []
        for part in self.text().replace(";", " ").replace(",", " ").split():
            try:
                number = float(part)
            except ValueError:
                raise ValueError(f"“{part}” is not a number. Type some like 100, 50.") from None
            if self._whole and number != int(number):
                raise ValueError(f"{part} is not a whole number.")
            above = number >= self._high if self._open_high else number > self._high
            if number < self._low or above:
                end = "less than" if self._open_high else "at most"
                raise ValueError(
                    f"{part} is out of range: at least {self._low:g}, {end} {self._high:,g}."
                )
            found.append(number)
        return tuple(found)

    def _mark(self, complaint: str) -> None:
        colour = current_theme().error
        style = f"QLineEdit {{ border: 2px solid {colour}; color: {colour}; }}"
        set_style(self, style if complaint else "")
        self.complained.emit(complaint)
