"""A line editor for one number that keeps what was typed until it makes sense.

Owns reading, marking and stepping. Knows no optimizer and no document: it says `committed`
and is told `show_number`.
"""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QToolTip, QWidget

from gradsheet.qt.theme import current_theme
from gradsheet.qt.widgets.figures import exact_text, read_number, rung
from gradsheet.qt.widgets.styling import set_style


class NumberField(QLineEdit):
    """Shows a number in full, takes `1e-3` and `0,001`, steps with the up and down keys.

    Text that is no number in range is marked and explained and stays as it was typed; Escape
    brings the last good number back.

    Parameters
    ----------
    name : str
        What the number is, for tooltip and screen readers.
    about : str
        One sentence on what it does.
    parent : QWidget
    low, high : float
        The range allowed; `open_high` leaves `high` itself out.
    first_rung : float
        Where up goes to from zero.
    towards_one : bool
        Step one minus the number: 0.9, 0.95, 0.98, 0.99.
    whole : bool
        Only whole numbers; below ten the keys step by one.
    open_low : bool
        Leaves `low` itself out.
    """

    committed = Signal(float)
    """The user gave another number: Enter, the arrow keys, or leaving the field."""
    complained = Signal(str)
    """What is wrong with what was typed, for a text next to the field; "" once it is right."""

    def __init__(
        self,
        name: str,
        about: str,
        parent: QWidget,
        *,
        low: float = 0.0,
        high: float = 1e9,
        open_high: bool = False,
        first_rung: float = 1e-5,
        towards_one: bool = False,
        whole: bool = False,
        open_low: bool = False,
    ) -> None:
        super().__init__(parent)
        self._low = low
        self._high = high
        self._open_high = open_high
        self._first_rung = first_rung
        self._towards_one = towards_one
        self._whole = whole
        self._open_low = open_low
        self._number = low
        self._about = f"<b>{name}</b><br>{about}<br>Up and Down step it; Escape takes typing back."
        self.setAccessibleName(name)
        self.setAccessibleDescription(about)
        self.setToolTip(self._about)
        self.setMaxLength(40)
        self.textEdited.connect(self._check)
        self.editingFinished.connect(self.commit)

    @property
    def number(self) -> float:
        """The last good number."""
        return self._number

    @property
    def complaint(self) -> str:
        """What is wrong with the text; "" if nothing is."""
        return self._complaint_of(self.text())

    def show_number(self, number: float) -> None:
        """Show a number, unless the user is in the middle of typing another."""
        if number == self._number and self.text():
            return
        self._number = number
        if not (self.hasFocus() and self.isModified()):
            self._show(number)

    def commit(self) -> None:
        """Take the text as the number, or mark it."""
        complaint = self.complaint
        self._mark(complaint)
        if complaint:
            QToolTip.showText(self.mapToGlobal(QPoint(0, self.height())), complaint, self)
            return
        number = self._read(self.text())
        self.setModified(False)
        if number != self._number:
            self._number = number
            self.committed.emit(number)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Step with the arrow keys; Escape shows the last good number again."""
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self._step(1 if event.key() == Qt.Key.Key_Up else -1)
        elif event.key() == Qt.Key.Key_Escape:
            self._show(self._number)
            self._mark("")
            self.selectAll()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Select everything, so that typing replaces it."""
        super().focusInEvent(event)
        if event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason):
            self.selectAll()

    def _read(self, text: str) -> float:
        number = read_number(text, self._low, self._high, open_high=self._open_high)
        if self._whole and number != int(number):
            raise ValueError("The number must be whole.")
        if self._open_low and number == self._low:
            raise ValueError(f"The number must be more than {exact_text(self._low)}.")
        return number

    def _complaint_of(self, text: str) -> str:
        try:
            self._read(text)
        except ValueError as error:
            return str(error)
        return ""

    def _check(self) -> None:
        # While typing "1e-" is on the way to 1e-3: take the mark away, put none on.
        if not self.complaint:
            self._mark("")

    def _step(self, direction: int) -> None:
        if self.complaint:
            self.commit()
            return
        stepped = self._stepped(self._read(self.text()), direction)
        if not self._low <= stepped <= self._high or (self._open_high and stepped >= self._high):
            return
        self._show(stepped)
        self.selectAll()
        self.commit()

    def _stepped(self, number: float, direction: int) -> float:
        if self._whole and (number < 10 or (number == 10 and direction < 0)):
            return number + direction
        if self._towards_one:
            rest = 1.0 - number
            return 0.5 if rest <= 0 else float(f"{1.0 - rung(rest, -direction):.12g}")
        if number <= 0:
            return self._first_rung if direction > 0 else number
        if direction < 0 and self._low <= 0 and number <= self._first_rung:
            return 0.0 if self._low == 0 else number
        return rung(number, direction)

    def _show(self, number: float) -> None:
        self.setText(exact_text(number))
        self.setModified(False)
        self.setCursorPosition(0)

    def _mark(self, complaint: str) -> None:
        self.complained.emit(complaint)
        theme = current_theme()
        set_style(
            self,
            f"QLineEdit {{ border: 2px solid {theme.error}; color: {theme.error}; }}"
            if complaint
            else "",
        )
        self.setToolTip(f"{complaint}<br><br>{self._about}" if complaint else self._about)
