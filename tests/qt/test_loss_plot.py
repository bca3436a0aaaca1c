"""The live curve of the loss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication
from PySide6.QtWidgets import QApplication, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from gradsheet.app.run import RunView
from gradsheet.qt.panels.loss_plot import DECIMATE_ABOVE, LossPlot, decimate
from gradsheet.qt.theme import LIGHT, apply_theme
from gradsheet.qt.widgets.line_chart import NumberAxis


@dataclass
class Trace:
    """Steps and losses as a run keeps them."""

    losses: NDArray[np.float64]

    def arrays(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        return np.arange(len(self.losses)), self.losses


def run_of(losses: NDArray[np.float64] | None, name: str = "RMSE") -> RunView:
    trace = Trace(np.asarray(losses, dtype=np.float64)) if losses is not None else None
    steps = 0 if losses is None else len(losses)
    return RunView("running", steps, 1.0, name, 100.0, "cpu", "adam", None, trace)  # type: ignore[arg-type]


@pytest.fixture
def plot(qtbot: QtBot, qapp: QApplication) -> Iterator[LossPlot]:
    apply_theme(qapp, LIGHT)
    parent = QWidget()
    qtbot.addWidget(parent)
    plot = LossPlot(parent)
    plot.resize(360, 300)
    parent.resize(360, 300)
    parent.show()
    plot.make_plot()
    yield plot
    parent.close()


def test_an_empty_plot_says_what_will_appear_and_how(plot: LossPlot) -> None:
    assert plot.is_empty
    plot.show_run(run_of(None))
    assert plot.is_empty
    plot.show_run(run_of(np.array([])))
    assert plot.is_empty
    assert "Space" in plot._empty.text()
    assert "F5" in plot._empty.text()


def test_the_last_value_stands_at_the_line_end(plot: LossPlot, qtbot: QtBot) -> None:
    plot.show_run(run_of(np.array([3.0, 1.0, 0.41234])))
    qtbot.waitUntil(lambda: not plot.is_empty)
    assert plot._plot.end_text() == "0.4123"


def test_a_short_trace_is_drawn_point_by_point(plot: LossPlot) -> None:
    losses = np.linspace(3, 1, DECIMATE_ABOVE)
    plot.show_run(run_of(losses))
    assert len(plot.points()[0]) == DECIMATE_ABOVE


def test_a_long_trace_is_decimated_and_keeps_its_peaks(plot: LossPlot) -> None:
    losses = np.ones(250_000)
    losses[123_456] = 50.0
    losses[200_001] = 0.001
    plot.show_run(run_of(losses))
    x, y = plot.points()
    assert len(x) < 5_000
    assert y.max() == 50.0
    assert y.min() == 0.001
    assert x[-1] == 249_999


@settings(max_examples=50, deadline=None)
@given(st.integers(3, 5_000), st.integers(2, 50), st.integers(0, 2**32 - 1))
def test_decimating_keeps_extremes_order_and_the_end(n: int, buckets: int, seed: int) -> None:
    y = np.random.default_rng(seed).normal(size=n)
    x = np.arange(n, dtype=np.float64)
    kept_x, kept_y = decimate(x, y, buckets)
    assert kept_y.max() == y.max()
    assert kept_y.min() == y.min()
    assert kept_x[-1] == n - 1
    assert np.all(np.diff(kept_x) > 0)
    assert np.array_equal(y[kept_x.astype(int)], kept_y)


def test_a_loss_that_is_no_number_does_not_hide_the_curve(plot: LossPlot) -> None:
    plot.show_run(run_of(np.array([3.0, 2.0, np.nan, np.inf])))
    low, high = plot._plot.getPlotItem().getViewBox().viewRange()[1]
    assert low < 2.0 < 3.0 < high < 10.0


def test_log_and_linear_are_one_click_apart(plot: LossPlot, qtbot: QtBot) -> None:
    plot.show_run(run_of(np.array([100.0, 10.0, 1.0])))
    log_button = next(b for b in plot.findChildren(QToolButton) if b.text() == "Log")
    with qtbot.waitSignal(plot.log_changed) as caught:
        qtbot.mouseClick(log_button, Qt.MouseButton.LeftButton)
    assert caught.args == [True]
    low, high = plot._plot.getPlotItem().getViewBox().viewRange()[1]
    assert -0.5 < low < 0 < 2 < high < 2.6
    plot.set_log(False)
    assert not plot.is_log
    assert plot._plot.getPlotItem().getViewBox().viewRange()[1][1] > 90


def test_a_negative_loss_is_left_out_of_a_log_axis(plot: LossPlot) -> None:
    plot.set_log(True)
    plot.show_run(run_of(np.array([10.0, -1.0, 1.0])))
    low, high = plot._plot.getPlotItem().getViewBox().viewRange()[1]
    assert np.isfinite([low, high]).all()


def test_axes_are_named_with_the_loss_and_step(plot: LossPlot) -> None:
    plot.show_run(run_of(np.array([2.0, 1.0]), "MSE"))
    item = plot._plot.getPlotItem()
    assert item.getAxis("left").labelText == "MSE"
    assert item.getAxis("bottom").labelText == "step"


def test_the_end_of_the_line_stays_in_view_while_it_grows(plot: LossPlot) -> None:
    for n in (1_000, 1_400, 1_800, 2_200):
        plot._ranged_at = 0.0
        plot._drawn_at = 0.0
        plot.show_run(run_of(np.linspace(3, 1, n)))
        right = plot._plot.getPlotItem().getViewBox().viewRange()[0][1]
        assert right >= n - 1
    assert right >= 2_200 + 400


def test_the_pen_is_thin_and_not_antialiased(plot: LossPlot) -> None:
    plot.show_run(run_of(np.array([2.0, 1.0])))
    pen = plot._plot._line.opts["pen"]
    assert pen.widthF() <= 1.0
    assert not plot._plot._line.opts["antialias"]
    assert plot._plot._line.opts["connect"] == "finite"


def test_the_grid_does_not_hide_a_steep_beginning(plot: LossPlot) -> None:
    plot.show_run(replace(run_of(0.4 + 3.6 * np.exp(-np.arange(9_000) / 20)), state="paused"))
    picture = plot._plot.grab().toImage()
    line = QColor(LIGHT.role_colour("loss"))
    rows = [
        y
        for y in range(picture.height())
        for x in range(picture.width())
        if picture.pixelColor(x, y) == line
    ]
    axis = plot._plot.getPlotItem().getViewBox().height()
    assert max(rows) - min(rows) > 0.7 * axis


def test_the_data_can_be_had_as_a_table(plot: LossPlot) -> None:
    plot.show_run(run_of(np.array([2.0, 0.1234567890123])))
    plot.copy_table()
    assert QGuiApplication.clipboard().text() == "step\tRMSE\n0\t2.0\n1\t0.1234567890123"


def test_log_ticks_are_numbers_not_exponents() -> None:
    axis = NumberAxis("left")
    axis.setLogMode(y=True)
    (_, ticks), *_ = axis.tickValues(-1.0, 2.0, 400)
    assert axis.tickStrings(ticks, 1.0, 1.0) == [
        "0.1", "0.2", "0.5", "1", "2", "5", "10", "20", "50", "100",
    ]  # fmt: skip
    (_, ticks), *_ = axis.tickValues(np.log10(0.39), np.log10(0.61), 300)
    texts = axis.tickStrings(ticks, 1.0, 1.0)
    assert 3 <= len(texts) <= 9
    assert len(set(texts)) == len(texts)


def test_linear_ticks_are_written_out() -> None:
    axis = NumberAxis("bottom")
    assert axis.tickStrings([0, 10_000, 20_000], 1.0, 10_000.0) == ["0", "10,000", "20,000"]
    assert axis.tickStrings([0.0, 0.05], 1.0, 0.05) == ["0.00", "0.05"]


def test_a_paused_run_fills_the_plot(plot: LossPlot) -> None:
    for n in (1_000, 3_000):
        plot._ranged_at = 0.0
        plot._drawn_at = 0.0
        plot.show_run(run_of(np.linspace(3, 1, n)))
    plot._drawn_at = 0.0
    plot.show_run(replace(run_of(np.linspace(3, 1, 3_000)), state="paused"))
    assert plot._plot.getPlotItem().getViewBox().viewRange()[0][1] == pytest.approx(3_000, rel=0.05)


def test_moving_the_plot_by_hand_stops_following_until_fit(plot: LossPlot) -> None:
    plot.show_run(run_of(np.linspace(3, 1, 100)))
    box = plot._plot.getPlotItem().getViewBox()
    box.setRange(xRange=(10, 20), padding=0)
    box.sigRangeChangedManually.emit([True, True])
    plot._drawn_at = plot._ranged_at = 0.0
    plot.show_run(run_of(np.linspace(3, 1, 200)))
    assert box.viewRange()[0] == pytest.approx([10, 20])
    plot.fit()
    assert box.viewRange()[0][1] >= 199


def test_the_plot_is_imported_in_a_thread(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    plot = LossPlot(parent)
    plot.prepare()
    assert plot._plot is None
    qtbot.waitUntil(lambda: plot._plot is not None)
