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

from gradsheet.app.lab.schedule_choice import TITLES, ScheduleChoice
from gradsheet.app.run import RunView
from gradsheet.formula.values import UserError
from gradsheet.learn.schedules import RateSuggestion, suggest_rate
from gradsheet.qt import icons
from gradsheet.qt.theme import SPACE, current_theme
from gradsheet.qt.widgets.number_field import NumberField
from gradsheet.qt.widgets.quiet_plot import QuietPlot, finite_range, log10, thinned

AXIS_PX = 72
"""Room for rates such as 0.00005."""


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
        self._base, self._momentum_base = 1.0, 0.9
        self._drawn_to = 0
        self._name = QComboBox(self)
        for name, title in TITLES.items():
            self._name.addItem(title, name)
        self._name.setAccessibleName("Schedule")
        self._name.activated.connect(self._on_choice)
        self._total = self._field("Steps", "Steps (or epochs) that the schedule is made for",
                                  self._choice.total, 2)  # fmt: skip
        self._cycle = self._field("Length of the first cycle", "Steps (or epochs) of the first "
                                  "cycle: cycle_len", self._choice.cycle_len, 1)  # fmt: skip
        self._mult = self._field("Cycle multiplier", "Each cycle is so many times as long as the "
                                 "one before: cycle_mult", self._choice.cycle_mult, 1)  # fmt: skip
        self._use = QToolButton(self)
        self._use.setText("Reset and use it")
        self._use.setToolTip("Back to the start with the suggested rate, without a schedule")
        self._use.setIcon(icons.icon("rotate-ccw"))
        self._use.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._use.clicked.connect(self._on_use)
        self._use.hide()
        head = QHBoxLayout()
        head.setContentsMargins(SPACE, SPACE // 2, SPACE, 0)
        head.setSpacing(SPACE // 2)
        head.addWidget(self._name, 1)
        self._of_total = (QLabel("steps", self), self._total)
        self._of_cycles = (QLabel("first cycle", self), self._cycle, QLabel("then ×", self),
                           self._mult)  # fmt: skip
        for widget in (*self._of_total, *self._of_cycles):
            head.addWidget(widget)
        self.rate_plot = QuietPlot(self, "", "learning rate", axis_px=AXIS_PX)
        self.momentum_plot = QuietPlot(self, "", "momentum", axis_px=AXIS_PX)
        self.loss_plot = QuietPlot(self, "step", "loss", log_y=True, axis_px=AXIS_PX)
        self.momentum_plot.write_closely()
        for plot in (self.momentum_plot, self.loss_plot):
            plot.setXLink(self.rate_plot)
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
        column.addWidget(self.rate_plot, 4)
        column.addWidget(self.momentum_plot, 3)
        column.addWidget(self.loss_plot, 4)
        column.addLayout(foot)
        self._rate = self.rate_plot.curve("#888888", 2)
        self._momentum = self.momentum_plot.curve("#888888", 2)
        self._loss = self.loss_plot.curve("#888888", 2)
        self._lines = [pg.InfiniteLine(angle=90) for _ in self._plots]
        for plot, line in zip(self._plots, self._lines, strict=True):
            plot.addItem(line, ignoreBounds=True)
        self._best = pg.InfiniteLine(angle=90)
        self.loss_plot.addItem(self._best, ignoreBounds=True)
        self._best_name = self.loss_plot.label("suggested", "#888888", (0, 0))
        self.setMinimumSize(280, 300)
        self.apply_theme()

    @property
    def _plots(self) -> tuple[QuietPlot, ...]:
        return self.rate_plot, self.momentum_plot, self.loss_plot

    def _field(self, name: str, about: str, number: int, low: int) -> NumberField:
        field = NumberField(name, about, self, low=low, high=1e6)
        field.setFixedWidth(7 * SPACE)
        field.show_number(number)
        field.committed.connect(self._on_choice)
        return field

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
        for field, number in (
            (self._total, self._choice.total), (self._cycle, self._choice.cycle_len),
            (self._mult, self._choice.cycle_mult),
        ):  # fmt: skip
            field.show_number(number)
        self._draw_curve()

    def _on_choice(self, *_: object) -> None:
        numbers = [int(field.number) for field in (self._total, self._cycle, self._mult)]
        try:
            self._choice = ScheduleChoice(str(self._name.currentData()), *numbers)
        except UserError as error:
            self._words.setText(str(error))
            return
        self._draw_curve()
        self.chosen.emit(self._choice)

    def _on_use(self) -> None:
        if self._suggestion is not None:
            self.rate_suggested.emit(self._base * self._suggestion.steepest)

    # ------------------------------------------------------------------ showing

    def show_run(
        self, run: RunView, base_rate: float, is_live: bool = True, momentum: float | None = 0.9
    ) -> None:
        """Draw the loss of a run, and where in the schedule it is.

        `base_rate` and `momentum` are what the schedule multiplies; None: there is no momentum.
        """
        has_changed = (base_rate, momentum) != (self._base, self._momentum_base)
        self._run, self._base, self._momentum_base = run, base_rate, momentum
        is_endless = self._choice.name in ("constant", "restarts")
        if has_changed or (is_endless and run.step > self._drawn_to):
            self._draw_curve()
        for line in self._lines:
            line.setPos(run.step)
        self._draw_loss(run)
        if self._choice.name == "range" and not is_live:
            self._read_range_test(run)

    def _draw_curve(self) -> None:
        name = self._choice.name
        for widget in self._of_total:
            widget.setVisible(name not in ("constant", "restarts"))
        for widget in self._of_cycles:
            widget.setVisible(name == "restarts")
        self._drawn_to = self._choice.length
        if self._run is not None and name in ("constant", "restarts"):
            while self._drawn_to < self._run.step:
                self._drawn_to *= 2
        steps, rates, momenta = self._choice.curve(self._momentum_base or 0.9, self._drawn_to)
        log = name in ("range", "exponential")
        self.rate_plot.set_log("left", log)
        shown = log10(rates * self._base) if log else rates * self._base
        self._rate.setData(steps, shown, connect="finite")
        span = finite_range(shown)
        if span is not None:
            low, high = (span[0], span[1]) if log else (0.0, span[1] * 1.08)
            self.rate_plot.show_range((0, float(steps[-1])), (low, high))
        moves = self._momentum_base is not None and bool(np.ptp(momenta) > 0)
        self.momentum_plot.setVisible(moves)
        if moves and self._momentum_base is not None:
            momenta = momenta * self._momentum_base
            self._momentum.setData(steps, momenta)
            box = self.momentum_plot.getPlotItem().getViewBox()
            box.setYRange(float(momenta.min()), float(momenta.max()), padding=0.12)
        self._use.hide()
        self._best.hide()
        self._best_name.hide()
        self._words.setText(_WORDS[name])

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
        at = int(np.argmin(np.abs(np.log(np.array(rates) / found.steepest))))
        self._best.setPos(at)
        box = self.loss_plot.getPlotItem().getViewBox()
        self._best_name.setPos(at, box.viewRange()[1][1])
        self._best.show()
        self._best_name.show()
        self._words.setText(
            f"Suggested rate {self._base * found.steepest:.2g}, as at step {at}: there the "
            f"smoothed loss falls fastest over the logarithm of the rate, well before it rises. "
            f"A tenth of the rate where it is lowest would be "
            f"{self._base * found.tenth_of_lowest:.2g}."
        )

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_lines"):
            self.apply_theme()

    def apply_theme(self) -> None:
        """Paint with the theme that is on."""
        theme = current_theme()
        for plot in self._plots:
            plot.apply_theme()
        self._rate.setPen(pg.mkPen(theme.accent, width=2))
        self._momentum.setPen(pg.mkPen(theme.role_colour("user"), width=2))
        self._loss.setPen(pg.mkPen(theme.role_colour("loss"), width=2))
        for line in self._lines:
            line.setPen(pg.mkPen(theme.strong_lines, width=1))
        pen = pg.mkPen(theme.accent, width=1)
        pen.setDashPattern([4, 4])
        self._best.setPen(pen)
        self._best_name.setColor(theme.accent)
        self._draw_curve()


_WORDS = {
    "constant": "The rate stays as it is set.",
    "linear": "The rate falls evenly to nothing.",
    "cosine": "The rate falls slowly, then fast, then slowly to nothing.",
    "exponential": "The rate falls by the same share at every step, to a hundredth.",
    "restarts": "Cosine falls, each followed by a jump back up; the cycles get longer.",
    "one-cycle": "The rate rises, then falls; the momentum does the opposite.",
    "range": (
        "The rate rises from a ten-thousandth of what is set to a thousand times it. Run: at the "
        "end of the test it pauses and suggests a rate."
    ),
}
