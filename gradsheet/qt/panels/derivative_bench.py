"""Finite differences beside the exact derivative, and the U of their error.

Owns the picture and the slider of the step; what is differentiated is `app.derivative_bench`'s.
Says what it wants measured and is told the result: the work is done on the engine's thread.
"""

from __future__ import annotations

import math

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QComboBox, QGridLayout, QLabel, QSlider, QVBoxLayout, QWidget

from gradsheet.app.lab.derivative_bench import Bench
from gradsheet.learn.derivatives import ErrorCurve
from gradsheet.qt.theme import SPACE, current_theme
from gradsheet.qt.widgets.quiet_plot import QuietPlot, finite_range, log10

LOWEST, HIGHEST = -15.0, 1.0
TICKS = 160
WAYS = ("forward", "central", "analytic", "autograd")
HINTS = {
    "forward": "(f(w+ε) − f(w)) / ε",
    "central": "(f(w+ε) − f(w−ε)) / 2ε",
    "analytic": "the formula on the sheet",
    "autograd": "the chain rule, by the engine",
}


STRAIGHT = 0.1
"""A central difference that is best with a step as long as this has no truncation."""


def _step_text(step: float) -> str:
    return f"{step:.0e}" if step < 0.01 else f"{step:.2g}"


class DerivativeBenchPanel(QWidget):
    """Four derivatives, an epsilon slider and the error curve."""

    asked = Signal(str, float)
    """Please measure: the weight ("slope" or "intercept") and epsilon."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._bench: Bench | None = None
        self._weight = QComboBox(self)
        self._weight.addItem("slope a", "slope")
        self._weight.addItem("intercept b", "intercept")
        self._weight.setAccessibleName("By which weight")
        self._weight.currentIndexChanged.connect(self.ask)
        self._slider = QSlider(Qt.Orientation.Horizontal, self)
        self._slider.setRange(0, TICKS)
        self._slider.setAccessibleName("Epsilon")
        self._slider.setToolTip("The step ε of the finite differences, on a logarithmic scale")
        self.set_epsilon(0.01)
        self._slider.valueChanged.connect(self.ask)
        self._title = QLabel(self)
        self._title.setWordWrap(True)
        self._epsilon_text = QLabel(self)
        self._values = {way: QLabel(self) for way in WAYS}
        grid = QGridLayout()
        grid.setContentsMargins(SPACE, SPACE // 2, SPACE, SPACE // 2)
        grid.setVerticalSpacing(SPACE // 4)
        grid.setHorizontalSpacing(SPACE)
        grid.addWidget(self._title, 0, 0, 1, 2)
        grid.addWidget(self._weight, 0, 2)
        for row, way in enumerate(WAYS, 1):
            name = QLabel(way, self)
            name.setToolTip(HINTS[way])
            hint = QLabel(HINTS[way], self)
            hint.setObjectName("quiet")
            value = self._values[way]
            value.setAlignment(Qt.AlignmentFlag.AlignRight)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            grid.addWidget(name, row, 0)
            grid.addWidget(hint, row, 1)
            grid.addWidget(value, row, 2)
        grid.addWidget(self._epsilon_text, 5, 0)
        grid.addWidget(self._slider, 5, 1, 1, 2)
        grid.setColumnStretch(1, 1)
        self.plot = QuietPlot(self, "step ε", "error of the derivative", log_x=True, log_y=True)
        self._words = QLabel(self)
        self._words.setWordWrap(True)
        self._words.setMargin(SPACE)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(grid)
        column.addWidget(self.plot, 1)
        column.addWidget(self._words)
        self._curves = {way: self.plot.curve("#888888", 2) for way in ("forward", "central")}
        anchors = {"forward": (1.0, 1.1), "central": (1.1, -0.1)}  # above a rise, below a fall
        self._ends = {way: self.plot.label(way, "#888888", anchors[way]) for way in anchors}
        self._here = pg.InfiniteLine(angle=90)
        self.plot.addItem(self._here, ignoreBounds=True)
        self._dots = pg.ScatterPlotItem(size=9, pen=None)
        self.plot.addItem(self._dots, ignoreBounds=True)
        self._bottom = pg.InfiniteLine(angle=90)
        self.plot.addItem(self._bottom, ignoreBounds=True)
        self._sides = (self.plot.label("← rounding", "#888888", (1, 0)),
                       self.plot.label("truncation →", "#888888", (0, 0)))  # fmt: skip
        self.setMinimumSize(280, 320)
        self.apply_theme()

    @property
    def epsilon(self) -> float:
        """The step that the slider stands at."""
        return float(10 ** (LOWEST + (HIGHEST - LOWEST) * self._slider.value() / TICKS))

    @property
    def weight(self) -> str:
        """By which weight: "slope" or "intercept"."""
        return str(self._weight.currentData())

    def set_epsilon(self, epsilon: float) -> None:
        """Move the slider."""
        share = (math.log10(epsilon) - LOWEST) / (HIGHEST - LOWEST)
        self._slider.setValue(round(share * TICKS))

    def ask(self, *_: object) -> None:
        """Want the derivative measured as the widgets stand."""
        self.asked.emit(self.weight, self.epsilon)

    def show_complaint(self, text: str) -> None:
        """Say why there is nothing to measure."""
        self._title.setText(text)

    def show_bench(self, bench: Bench) -> None:
        """Show what was measured."""
        self._bench = bench
        self._weight.setVisible(bench.analytic is not None)
        found = bench.estimate
        self._title.setText(f"Derivative of the {bench.title}, at {bench.at:.6g}")
        self._epsilon_text.setText(f"ε = {found.epsilon:.2g}")
        numbers = (found.forward, found.central, bench.analytic, bench.autograd)
        for way, number in zip(WAYS, numbers, strict=True):
            self._values[way].setText("–" if number is None else f"{number:.15g}")
        self._draw(bench)

    def _draw(self, bench: Bench) -> None:
        curve, found = bench.curve, bench.estimate
        x = np.log10(curve.epsilons)
        floor = max(abs(bench.autograd), 1.0) * 1e-17
        heights = {"forward": curve.forward, "central": curve.central}
        for way, errors in heights.items():
            y = log10(np.where(np.isfinite(errors), np.maximum(errors, floor), np.nan))
            self._curves[way].setData(x, y, connect="finite")
            at = len(x) - 22
            if np.isfinite(y[at]):
                self._ends[way].setPos(float(x[at]), float(y[at]))
        here = math.log10(found.epsilon)
        self._here.setPos(here)
        dots = [max(found.forward_error, floor), max(found.central_error, floor)]
        self._dots.setData([here, here], log10(np.array(dots)))
        span = finite_range(log10(np.concatenate([curve.forward, curve.central]) + floor))
        if span is not None:
            self.plot.show_range((float(x[0]), float(x[-1])), (span[0], span[1] + 0.5))
            best = math.log10(curve.best_forward)
            self._bottom.setPos(best)
            for label in self._sides:
                label.setPos(best, span[1] + 0.5)
        side = self._side(here, bench)
        self._words.setText(
            f"At ε = {found.epsilon:.2g} the forward difference is off by "
            f"{found.forward_error:.2g}, the central one by {found.central_error:.2g}: {side} "
            f"Best: ε ≈ {_step_text(curve.best_forward)} forward, {self._best_central(curve)}"
        )

    def _best_central(self, curve: ErrorCurve) -> str:
        if curve.best_central > STRAIGHT:
            return (
                "for central the longer the better: a central difference is exact for a parabola, "
                "and only rounding is left."
            )
        return f"{_step_text(curve.best_central)} central."

    def _side(self, here: float, bench: Bench) -> str:
        best = math.log10(bench.curve.best_forward)
        if here > best + 0.7:
            return "truncation, for the function is not straight over the step."
        if here < best - 0.7:
            return "rounding, for two nearly equal numbers are subtracted."
        return "about as good as a forward difference gets."

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_sides"):
            self.apply_theme()

    def apply_theme(self) -> None:
        """Paint with the theme that is on."""
        theme = current_theme()
        self.plot.apply_theme()
        tints = {"forward": theme.role_colour("loss"), "central": theme.accent}
        for way, curve in self._curves.items():
            curve.setPen(pg.mkPen(tints[way], width=2))
            self._ends[way].setColor(theme.text)
        self._here.setPen(pg.mkPen(theme.strong_lines, width=1))
        pen = pg.mkPen(theme.muted, width=1)
        pen.setDashPattern([4, 4])
        self._bottom.setPen(pen)
        self._dots.setBrush(QColor(theme.text))
        for label in self._sides:
            label.setColor(theme.muted)
        if self._bench is not None:
            self._draw(self._bench)
