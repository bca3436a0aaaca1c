"""Losses of a recommender while it learns, and below them the schedule of its rate.

Owns the two plots on one axis of epochs. Knows a run as a `FitSnapshot` and its schedule as a
`ScheduleCurve`; no session.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QRectF, Qt
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from gradsheet.app.ratings.plan import ScheduleCurve
from gradsheet.collab.report import FitSnapshot
from gradsheet.qt.theme import SPACE, blend, current_theme, legible, scale, translucent, ui_font
from gradsheet.qt.widgets.line_chart import FLOATS, TICK_PX, NumberAxis
from gradsheet.qt.widgets.quiet_plot import QuietPlot, finite_range

Unit = Literal["rmse", "mse"]

AVERAGED_OVER = 0.02
"""Share of the points over which the averaged curve of the training loss looks back."""
FIRST_LEFT_OUT = 0.03
"""Share of the training points at the start that do not decide the range: they are huge."""
SCHEDULE_SHARE = 0.27
DENSE = 2.4
"""Heights of its digits that a number on the upright axes gets: these plots are small."""
RIGHT_AXIS_PX = 44


def averaged(values: FLOATS, share: float = AVERAGED_OVER) -> FLOATS:
    """Return the exponentially weighted averages of values, corrected for the start at zero.

    Parameters
    ----------
    values : ndarray (n,) float64
    share : float
        Of n, the points that an average mostly holds.
    """
    beta = 1 - 1 / max(share * len(values), 1.0)
    out, average, weight = np.empty_like(values), 0.0, 0.0
    for i, value in enumerate(values.tolist()):
        average = beta * average + (1 - beta) * value
        weight = beta * weight + (1 - beta)
        out[i] = average / weight
    return out


class FitCurves(QWidget):
    """Training loss of the batches, validation after each epoch, learning rate and momentum."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._unit: Unit = "rmse"
        self._is_fast = False
        self._snapshot: FitSnapshot | None = None
        self._per_epoch = 1
        self._span = 1.0
        self.loss_plot = QuietPlot(self, "", "RMSE, stars")
        self.rate_plot = QuietPlot(self, "epoch", "rate")
        self.rate_plot.setXLink(self.loss_plot)
        for plot in (self.loss_plot, self.rate_plot):
            plot.getPlotItem().getAxis("left").lines_a_tick = DENSE
        self._build_momentum()
        split = QSplitter(Qt.Orientation.Vertical, self)
        split.addWidget(self.loss_plot)
        split.addWidget(self.rate_plot)
        split.setStretchFactor(0, round(100 * (1 - SCHEDULE_SHARE)))
        split.setStretchFactor(1, round(100 * SCHEDULE_SHARE))
        split.setChildrenCollapsible(False)
        self.loss_plot.setMinimumHeight(12 * SPACE)
        self.rate_plot.setMinimumHeight(10 * SPACE)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(split)
        self._raw = self.loss_plot.curve("#888888")
        self._train = self.loss_plot.curve("#888888", 2)
        self._valid = self.loss_plot.curve("#888888", 2)
        self._dots = pg.ScatterPlotItem(size=6, pen=None, antialias=True)
        self.loss_plot.addItem(self._dots, ignoreBounds=True)
        self._labels = {name: self.loss_plot.label("", "#888888", (1, 1))
                        for name in ("train", "validation")}  # fmt: skip
        self._rate = self.rate_plot.curve("#888888", 2)
        self._now = [pg.InfiniteLine(angle=90), pg.InfiniteLine(angle=90)]
        for plot, line in zip((self.loss_plot, self.rate_plot), self._now, strict=True):
            plot.addItem(line, ignoreBounds=True)
            line.hide()
        self.apply_theme()
        self.show_fit(None, 1, 1.0)

    def _build_momentum(self) -> None:
        """A second ruler at the right for the momentum, which is of another size than the rate."""
        item = self.rate_plot.getPlotItem()
        self._right = NumberAxis("right")
        self._right.lines_a_tick = DENSE
        self._right.enableAutoSIPrefix(False)
        self._right.setWidth(round(RIGHT_AXIS_PX * scale()))
        self._right.setStyle(tickLength=0, tickFont=ui_font(TICK_PX), maxTickLevel=0)
        item.setAxisItems({"right": self._right})
        self._momentum_box = pg.ViewBox(enableMenu=False, enableMouse=False)
        item.scene().addItem(self._momentum_box)
        self._right.linkToView(self._momentum_box)
        self._momentum_box.setXLink(item.getViewBox())
        self._momentum = pg.PlotCurveItem(antialias=False)
        self._momentum_box.addItem(self._momentum)
        # At the line's end: along so low an axis its title would be cut.
        self._momentum_name = pg.TextItem("momentum", anchor=(1, 0))
        self._momentum_name.setFont(ui_font(TICK_PX))
        self._momentum_name.setAnchor((1, 0))
        self._momentum_box.addItem(self._momentum_name)
        item.getViewBox().sigResized.connect(self._place_momentum)
        item.hideAxis("right")
        # The upper plot keeps as much room free, so that an epoch is at the same place in both.
        beside = self.loss_plot.getPlotItem().getAxis("right")
        beside.setWidth(round(RIGHT_AXIS_PX * scale()))
        beside.setStyle(showValues=False, tickLength=0)
        beside.setPen(pg.mkPen(None))

    def _place_momentum(self) -> None:
        view = self.rate_plot.getPlotItem().getViewBox()
        rect: QRectF = view.sceneBoundingRect()
        self._momentum_box.setGeometry(rect)
        self._momentum_box.linkedViewChanged(view, self._momentum_box.XAxis)

    # ------------------------------------------------------------------ showing

    @property
    def unit(self) -> Unit:
        """What the losses are shown in."""
        return self._unit

    def set_unit(self, unit: Unit) -> None:
        """Show errors in stars (RMSE) or as the loss itself (MSE), the notebook's figures."""
        if unit != self._unit:
            self._unit = unit
            self._write_titles()
            self._draw()

    def points(self) -> dict[str, tuple[FLOATS, FLOATS]]:
        """Return what is drawn: epochs and losses of "train" (unaveraged) and "validation"."""
        return {name: tuple(curve.getData()) for name, curve in
                (("train", self._raw), ("validation", self._valid))}  # fmt: skip

    def show_fit(
        self, snapshot: FitSnapshot | None, steps_per_epoch: int, planned: float,
        *, is_fast: bool = False,
    ) -> None:  # fmt: skip
        """Draw a run.

        Parameters
        ----------
        snapshot : FitSnapshot or None
            None before the first step.
        steps_per_epoch : int
        planned : float
            Epochs at which the run will end: the axis shows them from the start.
        is_fast : bool
            Whether the epochs are passes of the fast way.
        """
        self._snapshot, self._per_epoch = snapshot, max(steps_per_epoch, 1)
        if is_fast != self._is_fast:
            self._is_fast = is_fast
            self._write_titles()
        done = 0.0
        if snapshot is not None and len(snapshot.steps):
            done = float(snapshot.steps[-1]) / self._per_epoch
        self._span = max(planned, done, 1.0)
        self.stand_at(done)
        self._draw()

    def stand_at(self, epochs: float) -> None:
        """Draw the line of where in the run one stands."""
        for line in self._now:
            line.setPos(epochs)
            line.setVisible(self._snapshot is not None and self._span > 0)

    def show_schedule(self, curve: ScheduleCurve, begins: float) -> None:
        """Draw the schedule of the run that began after so many epochs."""
        x = curve.epochs + begins
        self._rate.setData(x, curve.rates)
        span = finite_range(curve.rates)
        if span is not None:
            view = self.rate_plot.getPlotItem().getViewBox()
            view.setYRange(0.0, max(span[1], 1e-12) * 1.15, padding=0)
        moves = len(curve.momenta) > 0
        for plot in (self.loss_plot, self.rate_plot):
            plot.getPlotItem().showAxis("right", moves)
        self._momentum.setData(x if moves else [], curve.momenta)
        self._momentum_name.setVisible(moves)
        if moves:
            low, high = float(curve.momenta.min()), float(curve.momenta.max())
            room = max(0.25 * (high - low), 0.02)
            self._momentum_box.setYRange(low - room, high + room, padding=0)
            self._right.setTicks([[(value, f"{value:.2g}") for value in sorted({low, high})]])
            self._momentum_name.setPos(float(x[-1]), float(curve.momenta[-1]))
        self._place_momentum()

    def _draw(self) -> None:
        snapshot = self._snapshot
        if snapshot is None:
            for curve in (self._raw, self._train, self._valid):
                curve.setData([], [])
            self._dots.setData([], [])
            for label in self._labels.values():
                label.setText("")
            self.loss_plot.show_range((0.0, self._span), (0.0, 2.0))
            return
        x = snapshot.steps / self._per_epoch
        train = self._in_unit(np.maximum(snapshot.losses, 0.0))
        rows = [row for row in snapshot.epochs if row.valid_rmse is not None]
        valid_x = np.array([row.epoch for row in rows], dtype=np.float64)
        valid = self._in_unit(np.array([row.valid_rmse or 0.0 for row in rows]) ** 2)
        smooth = train if self._is_fast else averaged(train)
        self._raw.setData(x, train)
        self._raw.setVisible(not self._is_fast)
        self._train.setData(x, smooth)
        self._valid.setData(valid_x, valid)
        self._dots.setData(valid_x, valid)
        self._fit_range(train, smooth, valid)
        self._label_ends(x, smooth, valid_x, valid)

    def _in_unit(self, squared: FLOATS) -> FLOATS:
        return np.sqrt(squared) if self._unit == "rmse" else np.asarray(squared)

    def _fit_range(self, train: FLOATS, smooth: FLOATS, valid: FLOATS) -> None:
        """Show what is being learned; the first batches' errors may lie above the top."""
        late = smooth[int(FIRST_LEFT_OUT * len(smooth)) :] if len(smooth) > 50 else smooth
        spread = train[len(train) // 2 :]
        found = finite_range(np.concatenate([late, valid]))
        if found is None:
            return
        low, high = found
        inner = spread[np.isfinite(spread)]
        if len(inner) > 20:  # the noise of the batches, but for its extremes
            low = min(low, float(np.quantile(inner, 0.02)))
            high = max(high, float(np.quantile(inner, 0.98)))
        margin = 0.06 * (high - low) or 0.05
        right = self._span * 1.01
        self.loss_plot.show_range((0.0, right), (max(low - margin, 0.0), high + margin))

    def _label_ends(self, x: FLOATS, smooth: FLOATS, valid_x: FLOATS, valid: FLOATS) -> None:
        low, high = self.loss_plot.getPlotItem().getViewBox().viewRange()[1]
        ends = []
        word = "train" if self._is_fast else "train, averaged"
        for name, text, xs, ys in (("train", word, x, smooth),
                                   ("validation", "validation", valid_x, valid)):  # fmt: skip
            label = self._labels[name]
            good = np.flatnonzero(np.isfinite(ys))
            label.setText("")
            if len(good):
                label.setText(f"{text} {ys[int(good[-1])]:.4f}")
                ends.append((float(ys[good[-1]]), xs[good], ys[good], label))
        # The upper line's text stands above its end, the lower one's below: off both lines.
        for place, (y, xs, ys, label) in enumerate(sorted(ends, key=lambda found: found[0])):
            wide, tall = self._size_of(label)
            # Near the left edge a text left of the line's end would be cut.
            end = float(xs[-1])
            is_left = end > 0.5 * self._span
            beside = np.array([y])
            if is_left:  # clear of the line all along the text
                begin = end - wide
                beside = np.append(ys[xs >= begin], np.interp(begin, xs, ys))
            # Below a line that lies low there is no room.
            is_above = place == 1 or len(ends) == 1 or beside.min() - tall < low
            label.setAnchor((1 if is_left else 0, 1 if is_above else 0))
            top = float(beside.max() if is_above else beside.min())
            label.setPos(end, min(max(top, low), high))

    def _size_of(self, label: pg.TextItem) -> tuple[float, float]:
        """Return how many epochs a text is wide, and how much of the loss it is tall."""
        view = self.loss_plot.getPlotItem().getViewBox()
        (left, right), (low, high) = view.viewRange()
        box = label.boundingRect()
        wide = box.width() / max(view.width(), 1.0) * (right - left)
        return wide, box.height() / max(view.height(), 1.0) * (high - low)

    # ------------------------------------------------------------------ look

    def _write_titles(self) -> None:
        unit = "RMSE, stars" if self._unit == "rmse" else "MSE, stars²"
        self.loss_plot.set_titles("", unit)
        epochs = "pass (1: biases, 2: start)" if self._is_fast else "epoch"
        self.rate_plot.set_titles(epochs, "rate")

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_now"):
            self.apply_theme()

    def apply_theme(self) -> None:
        """Paint with the theme that is on."""
        theme = current_theme()
        for plot in (self.loss_plot, self.rate_plot):
            plot.apply_theme()
        loss = theme.role_colour("loss")
        self._raw.setPen(pg.mkPen(blend(theme.sheet, loss, 0.3), width=1))
        self._train.setPen(pg.mkPen(loss, width=2))
        self._valid.setPen(pg.mkPen(theme.text, width=2))
        self._dots.setBrush(theme.text)
        self._labels["train"].setColor(legible(loss, theme.sheet, theme.text))
        self._labels["validation"].setColor(theme.text)
        for label in self._labels.values():
            label.fill = pg.mkBrush(translucent(theme.sheet, 0.75))
        self._rate.setPen(pg.mkPen(theme.accent, width=2))
        dashed = pg.mkPen(theme.role_colour("user"), width=1)
        dashed.setDashPattern([4, 4])
        dashed.setCosmetic(True)
        self._momentum.setPen(dashed)
        self._momentum_name.setColor(theme.role_colour("user"))
        for line in self._now:
            line.setPen(pg.mkPen(theme.strong_lines, width=1))
        self._right.setPen(pg.mkPen(theme.lines))
        self._right.setTextPen(theme.muted)
        self._write_titles()
