"""A plot in the house's look: no frame, faint grid behind, plain numbers, titles with the axes.

Owns the look only; panels add their own curves. Imported once pyqtgraph may be.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPen
from PySide6.QtWidgets import QWidget

from gradsheet.qt.theme import current_theme, scale, ui_font
from gradsheet.qt.widgets.line_chart import FLOATS, TICK_PX, NumberAxis

LABEL_PX = 12


class QuietCurve(pg.PlotCurveItem):
    """A curve that no axis follows: it takes no part in finding what to show."""

    def boundingRect(self) -> QRectF:
        """Be as large as the view, which costs nothing; the points need not be gone through."""
        box = self.getViewBox()
        return box.viewRect() if box is not None else QRectF()


class QuietPlot(pg.PlotWidget):
    """Two axes with titles; logarithmic ones are fed logarithms.

    Parameters
    ----------
    parent : QWidget
    x_title, y_title : str
    log_x, log_y : bool
        Whether the numbers on the axis are powers of ten.
    """

    def __init__(
        self, parent: QWidget, x_title: str, y_title: str, *, log_x: bool = False,
        log_y: bool = False, axis_px: int = 56,
    ) -> None:  # fmt: skip
        left, bottom = NumberAxis("left"), NumberAxis("bottom")
        super().__init__(parent, axisItems={"left": left, "bottom": bottom}, enableMenu=False)
        self.setFrameShape(pg.QtWidgets.QFrame.Shape.NoFrame)
        self._titles = {"bottom": x_title, "left": y_title}
        item = self.getPlotItem()
        item.hideButtons()
        item.setContentsMargins(2, 6, 14, 2)
        left.setWidth(round(axis_px * scale()))
        left.setLogMode(y=log_y)
        bottom.setLogMode(x=log_x)
        for axis in (left, bottom):
            axis.setStyle(tickLength=0, tickFont=ui_font(TICK_PX), maxTickLevel=0)
            axis.enableAutoSIPrefix(False)
            axis.setZValue(-1000)
        self.apply_theme()

    def write_closely(self) -> None:
        """Write more numbers on the upright axis: for a low plot."""
        self.getPlotItem().getAxis("left").lines_a_tick = 2.0

    def set_titles(self, bottom: str, left: str) -> None:
        """Change the titles of the axes."""
        self._titles = {"bottom": bottom, "left": left}
        self.write_titles()

    def set_log(self, side: str, log: bool) -> None:
        """Make an axis logarithmic or linear; the curves are the caller's."""
        axis = self.getPlotItem().getAxis(side)
        axis.setLogMode(**{"x" if side == "bottom" else "y": log})
        axis.picture = None
        axis.update()

    def apply_theme(self) -> None:
        """Paint with the theme that is on."""
        theme = current_theme()
        self.setBackground(theme.sheet)
        item = self.getPlotItem()
        for side in ("left", "bottom"):
            axis = item.getAxis(side)
            axis.setPen(QPen(QColor(theme.lines), 1))
            axis.setTextPen(QColor(theme.muted))
            axis.setTickPen(QPen(QColor(theme.lines), 1))
        item.showGrid(x=True, y=True, alpha=1.0)
        self.write_titles()

    def write_titles(self) -> None:
        """Write the titles of the axes in the colour and size that are on."""
        style = {"color": current_theme().muted, "font-size": f"{round(TICK_PX * scale())}px"}
        for side, title in self._titles.items():
            self.getPlotItem().setLabel(side, title, **style)

    def curve(self, colour: str, width: int = 0, dashed: bool = False) -> pg.PlotCurveItem:
        """Add an empty curve; fill it with `setData`."""
        pen = pg.mkPen(colour, width=round((width or 1) * scale()))
        pen.setCosmetic(True)
        if dashed:
            pen.setDashPattern([4, 4])
        item = QuietCurve(pen=pen, connect="finite", antialias=width > 1)
        item.setSkipFiniteCheck(False)
        self.addItem(item, ignoreBounds=True)
        return item

    def label(self, text: str, colour: str, anchor: tuple[float, float] = (0, 0.5)) -> pg.TextItem:
        """Add a text; place it with `setPos`."""
        item = pg.TextItem(text, color=colour, anchor=anchor)
        item.setFont(ui_font(LABEL_PX))
        self.addItem(item, ignoreBounds=True)
        return item

    def show_range(self, x: tuple[float, float], y: tuple[float, float]) -> None:
        """Show this part of the plane; degenerate ranges are widened."""
        (left, right), (low, high) = _wide(*x), _wide(*y)
        self.getPlotItem().getViewBox().setRange(
            xRange=(left, right), yRange=(low, high), padding=0.02, disableAutoRange=True
        )


def spread_labels(
    plot: QuietPlot, labels: Sequence[tuple[pg.TextItem, float]], x: float, low: float, high: float
) -> None:
    """Write labels at their heights, moved apart where they would lie on each other.

    They stay between low and high as long as there is room.
    """
    room = (high - low) / max(plot.getPlotItem().getViewBox().height() / (LABEL_PX + 2), 1)
    order = sorted(labels, key=lambda pair: pair[1])
    places: list[float] = []
    for _, y in order:
        places.append(max(min(max(y, low), high), places[-1] + room if places else low))
    above = high
    for i in range(len(places) - 1, -1, -1):
        places[i] = min(places[i], above)
        above = places[i] - room
    for (label, _), place in zip(order, places, strict=True):
        label.setPos(x, place)


def log10(values: FLOATS) -> FLOATS:
    """Return decimal logarithms, NaN for what has none, so that a curve breaks there."""
    values = np.asarray(values, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((values > 0) & np.isfinite(values), np.log10(values), np.nan)


def finite_range(values: FLOATS) -> tuple[float, float] | None:
    """Return the smallest and largest finite number; None if there is none."""
    good = np.asarray(values)[np.isfinite(values)]
    return (float(good.min()), float(good.max())) if len(good) else None


def thinned(points: FLOATS, most: int = 4000) -> FLOATS:
    """Return at most about `most` points (n, ...): first and newest, and every k-th between.

    A path is looked at where it began and where it is.
    """
    if len(points) <= most:
        return points
    quarter = most // 4
    middle = points[quarter:-quarter]
    every = -(-len(middle) // (most - 2 * quarter))
    return np.concatenate([points[:quarter], middle[::every], points[-quarter:]])


def _wide(low: float, high: float) -> tuple[float, float]:
    if not high > low:
        margin = max(abs(low) * 0.1, 1e-9)
        return low - margin, high + margin
    return low, high
