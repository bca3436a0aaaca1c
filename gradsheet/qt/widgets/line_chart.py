"""One quiet line on two axes, others beside it, drawn by pyqtgraph.

Owns the axes, their ticks, the range, the label at the line's end or where one stands. Knows no
run. Imported
only after the window has been painted: pyqtgraph takes half a second.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPen
from PySide6.QtWidgets import QWidget

from gradsheet.qt.theme import Theme, scale, ui_font

FLOATS = NDArray[np.float64]

TICK_PX = 12
LABEL_PX = 13
LEFT_AXIS_PX = 64
"""Fixed, so that the curve does not jump when the numbers get longer."""
HALF_LABEL_PX = 24
HEAD_ROOM = 0.08
EXPLODED, SHOWN = 1000.0, 10.0
"""A curve that rises to so many times its start is shown to so many times it: what went before
stays readable on a linear axis, and the line leaves at the top."""
BESIDE_LABEL_PX = 11
LEFT_ROOM = 0.012


class NumberAxis(pg.AxisItem):
    """An axis with plain numbers: 10,000 rather than 10k or 1e+04; 1, 2, 5 in a log decade."""

    lines_a_tick = 4.0
    """Room of a number on an upright axis, in heights of its digits; less for small plots."""

    def boundingRect(self) -> QRectF:
        """Leave room for the labels of the first and the last tick, which stand half outside."""
        return super().boundingRect().adjusted(-HALF_LABEL_PX, -8, HALF_LABEL_PX, 8)

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        """Write the numbers of a linear axis."""
        if self.logMode:
            return self.logTickStrings(values, scale, spacing)
        places = max(0, math.ceil(-math.log10(spacing * scale) - 1e-9)) if spacing > 0 else 0
        if places > 6 or max(map(abs, values), default=0.0) * scale >= 1e7:
            return [f"{v * scale:.1e}" if v else "0" for v in values]
        return [f"{v * scale:,.{places}f}" for v in values]

    def logTickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        """Write the numbers themselves, not their logarithms."""
        return [f"{10.0**v:,.4g}" if -4 < v < 6 else f"{10.0**v:.0e}" for v in values]

    def tickValues(
        self, minVal: float, maxVal: float, size: float
    ) -> list[tuple[float, list[float]]]:
        """Place ticks of one level: at round steps, or at 1, 2, 5 of each decade of a log axis."""
        low, high = sorted((minVal, maxVal))
        if size <= 0 or not high > low:
            return []
        room = size / (TICK_PX * (5 if self.orientation == "bottom" else self.lines_a_tick))
        if not self.logMode:
            step = _nice_step((high - low) / max(room, 1.0))
            first = math.ceil(low / step - 1e-9)
            return [(step, [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)])]
        return [(1.0, _log_ticks(low, high, room))]


def _log_ticks(low: float, high: float, room: float) -> list[float]:
    """Return the logarithms at which ticks stand, about `room` of them at most."""
    span = high - low
    if span < 0.7:
        bottom, top = 10.0**low, 10.0**high
        step = _nice_step((top - bottom) / max(room, 1.0))
        first = max(1, math.ceil(bottom / step))
        return [math.log10(i * step) for i in range(first, math.floor(top / step) + 1)]
    every = max(1, math.ceil(span / max(room, 1.0)))
    steps = (1.0, 2.0, 5.0) if span * 3 <= room * 1.5 else (1.0,)
    decades = range(math.floor(low), math.ceil(high) + 1)
    ticks = [d + math.log10(s) for d in decades if d % every == 0 for s in steps]
    return [t for t in ticks if low <= t <= high]


def _nice_step(rough: float) -> float:
    """Return the smallest of 1, 2, 5 times a power of ten that is not below `rough`."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(m * power for m in (1.0, 2.0, 5.0, 10.0) if m * power >= rough * 0.999)


class Beside(NamedTuple):
    """A line to compare with: its points, colour and name."""

    x: FLOATS
    y: FLOATS
    colour: str
    name: str


class LineChart(pg.PlotWidget):
    """A line and the value at its end, or where one stands in it; other lines beside it."""

    moved_by_hand = Signal()
    """The user moved or zoomed the axes."""

    def __init__(self, parent: QWidget) -> None:
        left = NumberAxis("left")
        bottom = NumberAxis("bottom")
        super().__init__(parent, axisItems={"left": left, "bottom": bottom}, enableMenu=False)
        self.setFrameShape(pg.QtWidgets.QFrame.Shape.NoFrame)
        self._log = False
        self._last_fitted = 0.0
        self._y_title = ""
        self._end: tuple[float, float] | None = None
        self._data: tuple[FLOATS, FLOATS] = (np.empty(0), np.empty(0))
        self._ceiling = math.inf
        """Where a line that leaves the view at the top is cut: Qt cannot paint to infinity."""
        item = self.getPlotItem()
        item.hideButtons()
        item.disableAutoRange()
        item.setContentsMargins(4, 8, 20, 4)
        left.setWidth(round(LEFT_AXIS_PX * scale()))
        for axis in (left, bottom):
            axis.setStyle(tickLength=0, tickFont=ui_font(TICK_PX), maxTickLevel=0)
            axis.enableAutoSIPrefix(False)
            axis.setZValue(-1000)  # the grid is the axis's: behind the line, not over it
        self._beside: tuple[Beside, ...] = ()
        self._others: list[tuple[pg.PlotCurveItem, pg.TextItem]] = []
        self._position: float | None = None
        self._ground = "#FFFFFF"
        self._marker = pg.InfiniteLine(angle=90, movable=False)
        self._marker.hide()
        item.addItem(self._marker, ignoreBounds=True)
        self._line = pg.PlotCurveItem(connect="finite", antialias=False)
        self._line.setSkipFiniteCheck(False)
        item.addItem(self._line, ignoreBounds=True)
        self._dot = pg.ScatterPlotItem(size=6, pen=None, antialias=True)
        item.addItem(self._dot, ignoreBounds=True)
        self._label = pg.TextItem("", anchor=(1.0, 1.1))
        self._label.setFont(ui_font(LABEL_PX))
        item.addItem(self._label, ignoreBounds=True)
        item.getViewBox().sigRangeChangedManually.connect(self._on_moved)
        self.setAccessibleName("Loss against step")

    def set_colours(self, theme: Theme) -> None:
        """Paint with a theme."""
        self.setBackground(theme.sheet)
        self._line.setPen(QPen(QColor(theme.role_colour("loss")), 0))
        self._dot.setBrush(QColor(theme.role_colour("loss")))
        self._marker.setPen(QPen(QColor(theme.accent), 0, Qt.PenStyle.DashLine))
        self._label.setColor(QColor(theme.text))
        self._ground = theme.sheet
        item = self.getPlotItem()
        self._muted = theme.muted
        for side in ("left", "bottom"):
            axis = item.getAxis(side)
            axis.setPen(QPen(QColor(theme.lines), 1))
            axis.setTextPen(QColor(theme.muted))
            axis.setTickPen(QPen(QColor(theme.lines), 1))
        item.showGrid(x=True, y=True, alpha=1.0)
        self.write_titles()

    def set_log(self, log: bool) -> None:
        """Show the values on a logarithmic (True) or linear axis."""
        self._log = log
        self.getPlotItem().getAxis("left").setLogMode(y=log)
        self._place()
        self.fit()

    def set_points(self, x: FLOATS, y: FLOATS, title: str, end_text: str) -> None:
        """Draw these points; `end_text` stands at the last finite one."""
        self._data = (x, y)
        if title != self._y_title:
            self._y_title = title
            self.write_titles()
        self._label.setText(end_text)
        self._place()

    def set_beside(self, lines: Sequence[Beside]) -> None:
        """Draw these lines behind the line, each with its name at its end."""
        self._beside = tuple(lines)
        item = self.getPlotItem()
        while len(self._others) > len(self._beside):
            for part in self._others.pop():
                item.removeItem(part)
        while len(self._others) < len(self._beside):
            curve = pg.PlotCurveItem(connect="finite", antialias=False)
            curve.setSkipFiniteCheck(False)
            curve.setZValue(-10)
            name = pg.TextItem("", anchor=(1.0, 1.05))
            name.setFont(ui_font(BESIDE_LABEL_PX))
            for part in (curve, name):
                item.addItem(part, ignoreBounds=True)
            self._others.append((curve, name))
        self._place()

    @property
    def beside(self) -> tuple[Beside, ...]:
        """The lines drawn to compare with."""
        return self._beside

    def set_position(self, step: float | None) -> None:
        """Mark where one stands in the line; None: at its end."""
        if step != self._position:
            self._position = step
            self._place()

    @property
    def position(self) -> float | None:
        """Where the mark stands; None while there is none."""
        return self._position

    def fit(self, *, grows: bool = True) -> None:
        """Show every point, from step 0 on, and leave room ahead of a line that still grows."""
        x, y = self._data[0], self._heights()
        finite = np.isfinite(y)
        if not finite.any():
            return
        low, high = float(y[finite].min()), float(y[finite].max())
        last = float(x[-1])
        for line in self._beside:
            heights = self._heights_of(line.y)
            heights = heights[np.isfinite(heights)]
            if len(heights):
                low, high = min(low, float(heights.min())), max(high, float(heights.max()))
                last = max(last, float(line.x[-1]))
        start = float(y[finite][0])
        size = max(abs(start), start - low)
        is_cut = not self._log and high / EXPLODED - low / EXPLODED > size > 0
        high = low + SHOWN * size if is_cut else high
        # Room for what the line grows until the next fit, so that its end never leaves the view.
        growth = max(0.0, float(x[-1]) - self._last_fitted)
        self._last_fitted = float(x[-1])
        right = max(last, float(x[-1]) + (1.5 * growth if grows else 0.0), 10.0)
        if high - low < 1e-12 * max(abs(high), 1.0):
            low, high = low - 0.5, high + 0.5
        margin = (high - low) * HEAD_ROOM
        bottom = low - margin
        if not self._log and 0 <= low < 3 * margin:
            bottom = 0.0
        # The first steps fall steeply: a little room keeps them off the axis.
        left = -LEFT_ROOM * right
        rect = QRectF(left, bottom, right * 1.02 - left, high + 1.5 * margin - bottom)
        self.getPlotItem().getViewBox().setRange(rect, padding=0, disableAutoRange=True)
        self._ceiling = rect.bottom() + 10 * rect.height() if is_cut else math.inf
        self._place()

    def end_text(self) -> str:
        """Return the text at the line's end."""
        return str(self._label.toPlainText())

    def mouseDoubleClickEvent(self, event: QEvent) -> None:
        """A double click is no zoom."""
        event.accept()

    def _heights(self) -> FLOATS:
        return self._heights_of(self._data[1])

    def _heights_of(self, y: FLOATS) -> FLOATS:
        if not self._log:
            return y
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(y > 0, np.log10(y), np.nan)

    def _place(self) -> None:
        x, y = self._data[0], np.minimum(self._heights(), self._ceiling)
        self._line.setData(x, y, connect="finite")
        self._place_beside()
        finite = np.flatnonzero(np.isfinite(y))
        stands = self._position is not None and len(finite) > 0
        self._marker.setVisible(stands)
        if self._position is not None:
            self._marker.setPos(self._position)
            finite = finite[: max(1, int(x[finite].searchsorted(self._position, "right")))]
        if len(finite) == 0:
            self._dot.setData([], [])
            self._label.setText("")
            return
        last = finite[-1]
        # Nothing lies under the end of the line; in its middle the ground would hide the line.
        ground = None if stands else QColor(self._ground)
        self._label.fill = pg.mkBrush(ground)
        self._dot.setData([x[last]], [y[last]])
        (left, right), (_, top) = self.getPlotItem().getViewBox().viewRange()
        is_above = math.isfinite(self._ceiling) and y[last] > top
        self._label.setPos(float(x[last]), top if is_above else float(y[last]))
        # Right of the middle the text stands left of the end, else right of it.
        near_right = x[last] > left + 0.5 * (right - left)
        self._label.setAnchor((1.0 if near_right else -0.05, -0.1 if is_above else 1.1))

    def _place_beside(self) -> None:
        for line, (curve, name) in zip(self._beside, self._others, strict=True):
            heights = np.minimum(self._heights_of(line.y), self._ceiling)
            curve.setPen(QPen(QColor(line.colour), 0))
            curve.setData(line.x, heights, connect="finite")
            finite = np.flatnonzero(np.isfinite(heights))
            name.setText(line.name if len(finite) else "")
            name.setColor(QColor(line.colour))
            if len(finite):
                name.setPos(float(line.x[finite[-1]]), float(heights[finite[-1]]))

    def write_titles(self) -> None:
        """Write the titles of the axes in the colour and size that are on."""
        item = self.getPlotItem()
        size_px = round(TICK_PX * scale())
        style = {"color": getattr(self, "_muted", "#888888"), "font-size": f"{size_px}px"}
        item.setLabel("bottom", "step", **style)
        item.setLabel("left", self._y_title or "loss", **style)

    def _on_moved(self, *_: object) -> None:
        self.moved_by_hand.emit()
