"""The status bar: where the run stands, and what the selection adds up to.

Owns texts of fixed width, so that nothing moves when a number gets longer. It is told a
`RunView` and a `Summary` and holds neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QLabel, QStatusBar, QWidget

from gradsheet.qt.summary import Summary
from gradsheet.qt.theme import SPACE, current_theme, ui_font
from gradsheet.qt.widgets.figures import count_text, loss_text, rate_text
from gradsheet.qt.widgets.styling import set_style

if TYPE_CHECKING:
    from gradsheet.app.document import RunView

STATE_TEXT = {
    "loading": "Starting",
    "idle": "Ready",
    "running": "Running",
    "paused": "Paused",
    "failed": "Stopped",
}


def _number_text(number: float) -> str:
    """Return a number in at most ten places, as a General cell shows it."""
    if number == int(number) and abs(number) < 1e10:
        return f"{int(number):,}"
    return f"{number:,.6g}" if 1e-4 <= abs(number) < 1e10 else f"{number:.4e}"


class _Note(QLabel):
    """A line of text that is cut off with dots where its space ends."""

    def minimumSizeHint(self) -> QSize:
        """Ask for no width: the numbers beside it come first."""
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        room = self.rect().adjusted(2 * SPACE, 0, -SPACE, 0)
        text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, text)


class StatusBar(QStatusBar):
    """State, step, loss, speed and device at the left; the selection at the right."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self.setMinimumWidth(1)  # less than its fields, so that they never widen the window
        self.setFont(ui_font())
        self._state = self._field(max(STATE_TEXT.values(), key=len), Qt.AlignmentFlag.AlignLeft)
        self._step = self._field("step 8,888,888", Qt.AlignmentFlag.AlignLeft)
        self._loss = self._field("RMSE 8,888.8888", Qt.AlignmentFlag.AlignLeft)
        self._speed = self._field("88,888 steps/s", Qt.AlignmentFlag.AlignRight)
        self._device = self._field("cuda:0", Qt.AlignmentFlag.AlignCenter)
        for field in (self._state, self._step, self._loss, self._speed, self._device):
            self.addWidget(field)
        self._note = _Note(self)
        self.addWidget(self._note, 1)
        self._left_count = 6
        right = Qt.AlignmentFlag.AlignRight
        self._sum = self._field("Sum -888,888.88", right)
        self._average = self._field("Average -0.00888888", right)
        self._count = self._field("Count 888,888", right)
        for field in (self._sum, self._average, self._count):
            self.addPermanentWidget(field)
        self._apply_theme()

    def _field(self, widest: str, alignment: Qt.AlignmentFlag) -> QLabel:
        label = QLabel(self)
        label.setAlignment(alignment | Qt.AlignmentFlag.AlignVCenter)
        label.setFixedWidth(QFontMetrics(self.font()).horizontalAdvance(widest) + 3 * SPACE)
        label.setContentsMargins(SPACE, 0, SPACE, 0)
        return label

    def add_before_summary(self, widget: QWidget) -> None:
        """Put a widget between the note and the selection's sum."""
        self.insertPermanentWidget(self._left_count, widget)

    def texts(self) -> list[str]:
        """Return what every field says, from left to right."""
        fields = self._fields()
        return [field.text() for field in (*fields[:5], self._note, *fields[5:])]

    def show_run(self, run: RunView) -> None:
        """Show where the run stands."""
        self._state.setText(STATE_TEXT.get(run.state, run.state))
        self._step.setText(f"step {count_text(run.step)}")
        self._loss.setText(f"{run.loss_name} {loss_text(run.loss)}")
        self._speed.setText(rate_text(run.steps_per_second))
        self._device.setText(run.device.partition(" ")[0])  # the rule that chose it is a sentence
        self._device.setToolTip(f"Learns on {run.device}")
        self._state.setToolTip(run.note)

    def show_summary(self, summary: Summary | None) -> None:
        """Show sum, average and count; nothing for a single cell."""
        if summary is None or summary.cells < 2:
            for field in (self._sum, self._average, self._count):
                field.setText("")
            return
        has_numbers = summary.numbers > 0
        average = summary.total / summary.numbers if has_numbers else 0.0
        self._write(self._sum, f"Sum {_number_text(summary.total)}" if has_numbers else "")
        self._write(self._average, f"Average {_number_text(average)}" if has_numbers else "")
        self._write(self._count, f"Count {summary.count:,}")

    def _write(self, field: QLabel, text: str) -> None:
        """Write a number whole: a field that is too narrow for it grows, and stays so."""
        needed = field.fontMetrics().horizontalAdvance(text) + 2 * SPACE
        if needed > field.width():
            field.setFixedWidth(needed)
            self._make_room()
        field.setText(text)

    def _make_room(self) -> None:
        """Leave speed and device out where not all fields have room beside each other."""
        dispensable = (self._device, self._speed)
        needed = sum(field.minimumWidth() + SPACE for field in self._fields())
        for field in dispensable:
            field.setVisible(needed <= self.width())
            needed -= 0 if field.isVisibleTo(self) else field.minimumWidth() + SPACE

    def _fields(self) -> tuple[QLabel, ...]:
        return (self._state, self._step, self._loss, self._speed, self._device,
                self._sum, self._average, self._count)  # fmt: skip

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show as many fields as there is room for."""
        super().resizeEvent(event)
        self._make_room()

    def show_note(self, text: str) -> None:
        """Say something in passing, cut off where the space ends."""
        self._note.setText(text)
        self._note.setToolTip(text)

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_count"):
            self._apply_theme()

    def _apply_theme(self) -> None:
        muted = f"QLabel {{ color: {current_theme().muted}; }}"
        for field in (self._device, self._speed, self._note):
            set_style(field, muted)
