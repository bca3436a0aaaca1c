"""The schedule of the learning rate, drawn beside the loss of the run.

Owns the picture and the choice's widgets; the schedules are `app.schedule_choice`'s, the run's
loss comes in a `RunView`.
"""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gradsheet.app.run import RunView
from gradsheet.app.schedule_choice import TITLES, ScheduleChoice
from gradsheet.formula.values import UserError
from gradsheet.learn.schedules import RateSuggestion, suggest_rate
from gradsheet.qt.number_field import NumberField
from gradsheet.qt.quiet_plot import QuietPlot, finite_range, log10, thinned
from gradsheet.qt.theme import SPACE, current_theme


class SchedulePanel(QWidget):
    """Which schedule, how long, its curve, and the loss below it on the same steps."""

    chosen = Signal(object)
    """The new `ScheduleChoice`."""
    rate_suggested = Signal(float)
    """The user takes the rate that the range test suggests."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._choice = ScheduleChoice()
        self._run: RunView | None = None
        self._suggestion: RateSuggestion | None = None
        self._base = 1.0
        self._name = QComboBox(self)
        for name, title in TITLES.items():
            self._name.addItem(title, name)
        self._name.setAccessibleName("Schedule")
        self._name.activated.connect(self._on_choice)
        self._total = NumberField("Steps", "Steps (or epochs) that the schedule is made for", self,
                                  low=2, high=1e6)  # fmt: skip
        self._total.setFixedWidth(7 * SPACE)
        self._total.show_number(self._choice.total)
        self._total.committed.connect(self._on_choice)
        self._use = QToolButton(self)
        self._use.setText("Use it")
        self._use.clicked.connect(self._on_use)
        self._use.hide()
        head = QHBoxLayout()
        head.setContentsMargins(SPACE, SPACE // 2, SPACE, 0)
        head.addWidget(self._name, 1)
        head.addWidget(QLabel("steps", self))
        head.addWidget(self._total)
        self.rate_plot = QuietPlot(self, "", "rate")
        self.loss_plot = QuietPlot(self, "step", "loss", log_y=True)
        self.loss_plot.setXLink(self.rate_plot)
        self._words = QLabel(self)
        self._words.setWordWrap(True)
        self._words.setMargin(SPACE)
        foot = QHBoxLayout()
        foot.addWidget(self._words, 1)
        foot.addWidget(self._use, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.rate_plot, 1)
        column.addWidget(self.loss_plot, 1)
        column.addLayout(foot)
        self._rate = self.rate_plot.curve("#888888", 2)
        self._momentum = self.rate_plot.curve("#888888", 1, dashed=True)
        self._labels = (self.rate_plot.label("rate", "#888888", (1, 1)),
                        self.rate_plot.label("momentum", "#888888", (1, 1)))  # fmt: skip
        self._loss = self.loss_plot.curve("#888888")
        self._lines = [pg.InfiniteLine(angle=90), pg.InfiniteLine(angle=90)]
        self.rate_plot.addItem(self._lines[0], ignoreBounds=True)
        self.loss_plot.addItem(self._lines[1], ignoreBounds=True)
        self.setMinimumSize(280, 300)
        self.apply_theme()

    @property
    def choice(self) -> ScheduleChoice:
        """The schedule that is chosen."""
        return self._choice

    def choose(self, name: str, total: int | None = None) -> None:
        """Choose a schedule as the user would."""
        self._name.setCurrentIndex(self._name.findData(name))
        if total is not None:
            self._total.show_number(total)
        self._on_choice()

    def show_choice(self, choice: ScheduleChoice | None) -> None:
        """Show the schedule of the run that is on show."""
        self._choice = choice or ScheduleChoice()
        with QSignalBlocker(self._name):
            self._name.setCurrentIndex(self._name.findData(self._choice.name))
        self._total.show_number(self._choice.total)
        self._draw_curve()

    def _on_choice(self, *_: object) -> None:
        total = int(self._total.number)
        try:
            self._choice = ScheduleChoice(
                str(self._name.currentData()), total, max(1, total // 7)
            )
        except UserError as error:
            self._words.setText(str(error))
            return
        self._draw_curve()
        self.chosen.emit(self._choice)

    def _on_use(self) -> None:
        if self._suggestion is not None:
            self.rate_suggested.emit(self._base * self._suggestion.steepest)

    # ------------------------------------------------------------------ showing

    def show_run(self, run: RunView, base_rate: float, is_live: bool = True) -> None:
        """Draw the loss of a run, and where in the schedule it is."""
        self._run, self._base = run, base_rate
        for line in self._lines:
            line.setPos(run.step)
        self._draw_loss(run)
        if self._choice.name == "range" and not is_live:
            self._read_range_test(run)

    def _draw_curve(self) -> None:
        steps, rates, momenta = self._choice.curve()
        log = self._choice.name in ("range", "exponential")
        self.rate_plot.set_log("left", log)
        shown = log10(rates) if log else rates
        self._rate.setData(steps, shown, connect="finite")
        moves = bool(np.ptp(momenta) > 0)
        scaled = momenta * 0.95 if moves else momenta[:0]
        self._momentum.setData(steps[: len(scaled)], scaled)
        self._labels[1].setVisible(moves)
        span = finite_range(shown)
        if span is not None:
            low, high = (span[0], span[1]) if log else (0.0, max(span[1], 1.0) * 1.08)
            self.rate_plot.show_range((0, float(steps[-1])), (low, high))
            top = int(np.nanargmax(shown))
            self._labels[0].setPos(float(steps[top]), float(shown[top]))
            self._labels[0].setAnchor((0 if top < len(steps) // 2 else 1, 1))
            if moves:
                self._labels[1].setPos(float(steps[-1]), float(scaled[-1]))
        self._use.hide()
        self._words.setText(_WORDS[self._choice.name])

    def _draw_loss(self, run: RunView) -> None:
        if run.trace is None:
            self._loss.setData([], [])
            return
        steps, losses = run.trace.arrays()
        points = thinned(np.stack([steps.astype(np.float64), log10(losses)], 1), 2000)
        self._loss.setData(points[:, 0], points[:, 1], connect="finite")
        span = finite_range(points[:, 1])
        if span is not None:
            self.loss_plot.getPlotItem().getViewBox().setYRange(*span, padding=0.05)

    def _read_range_test(self, run: RunView) -> None:
        """Say which rate the test suggests, and why."""
        if run.trace is None or run.step < 5:
            return
        schedule = self._choice.schedule()
        if schedule is None:
            return
        steps, losses = run.trace.arrays()
        rates = [schedule(int(step)).lr for step in steps]
        found = suggest_rate(rates, losses)
        self._suggestion = found
        self._use.setVisible(found is not None)
        if found is None:
            self._words.setText("The loss never fell: start lower, or make the test longer.")
            return
        self._words.setText(
            f"Suggested rate {self._base * found.steepest:.2g}: there the smoothed loss falls "
            f"fastest. A tenth of the rate where it is lowest would be "
            f"{self._base * found.tenth_of_lowest:.2g}. Reset before you use it."
        )

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_lines"):
            self.apply_theme()

    def apply_theme(self) -> None:
        """Paint with the theme that is on."""
        theme = current_theme()
        for plot in (self.rate_plot, self.loss_plot):
            plot.apply_theme()
        self._rate.setPen(pg.mkPen(theme.accent, width=2))
        pen = pg.mkPen(theme.role_colour("user"), width=1)
        pen.setDashPattern([4, 4])
        self._momentum.setPen(pen)
        self._loss.setPen(pg.mkPen(theme.role_colour("loss"), width=1))
        for line in self._lines:
            line.setPen(pg.mkPen(theme.strong_lines, width=1))
        for label in self._labels:
            label.setColor(theme.text)
        self._draw_curve()


_WORDS = {
    "constant": "The rate stays as it is set.",
    "linear": "The rate falls evenly to nothing.",
    "cosine": "The rate falls slowly, then fast, then slowly to nothing.",
    "exponential": "The rate falls by the same share at every step, to a hundredth.",
    "restarts": "Cosine falls, each followed by a jump back up; every fall is twice as long.",
    "one-cycle": "The rate rises, then falls; the momentum does the opposite.",
    "range": (
        "The rate rises from a ten-thousandth of what is set to a thousand times it. Run once, "
        "then read where the loss falls fastest."
    ),
}
