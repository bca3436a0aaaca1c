"""What is recorded on the window's thread and drawn on another is what the widget shows."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRectF, QSize
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from gradsheet.qt.export.pictures import drawn, painted, pixels_of
from gradsheet.qt.export.recorded import Paint, record_widgets
from gradsheet.qt.main_window import MainWindow
from gradsheet.qt.ratings.map_canvas import MapCanvas
from gradsheet.qt.theme import LIGHT, apply_theme, current_theme

T = TypeVar("T")
DOTS = 500


def elsewhere(make: Callable[[], T]) -> T:
    """Return what a call gives on another thread."""
    given: list[T] = []
    thread = threading.Thread(target=lambda: given.append(make()))
    thread.start()
    thread.join()
    return given[0]


@pytest.fixture
def canvas(qapp: QApplication, qtbot: QtBot) -> Iterator[MapCanvas]:
    """A map of some hundred dots with names, in the corner of a larger widget."""
    apply_theme(qapp, LIGHT)
    holder = QWidget()
    qtbot.addWidget(holder)
    holder.resize(700, 600)
    canvas = MapCanvas(holder)
    canvas.setGeometry(20, 30, 600, 500)
    holder.show()
    random = np.random.default_rng(0)
    titles = [f"Film number {k}" for k in range(DOTS)]
    canvas.show_items(np.arange(DOTS), random.normal(size=(DOTS, 2)), titles,
                      np.arange(DOTS)[::-1].copy(), ("first", "second"))  # fmt: skip
    canvas.set_colours(np.full(DOTS, 0xFF0072B2, np.uint32))
    canvas.show_selection([5], [6, 7])
    qapp.processEvents()
    yield canvas
    holder.close()


def is_alike(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether nobody sees a difference: half-covered pixels of a letter may be rounded."""
    return bool(np.abs(one.astype(int) - other.astype(int)).max() <= 4)


def shown(canvas: MapCanvas) -> np.ndarray:
    """Return the pixels that the widget itself paints."""
    def paint(painter: QPainter) -> None:
        canvas.render(painter, QPoint(0, 0))

    return pixels_of(painted(canvas.size(), paint))


@pytest.mark.parametrize("zoom", [1.0, 3.0])
def test_a_map_is_drawn_elsewhere_as_the_widget_paints_it(canvas: MapCanvas, zoom: float) -> None:
    canvas.zoom(zoom)
    size, paint = record_widgets([canvas], canvas.parentWidget())
    assert size == QSize(600, 500)
    picture = pixels_of(elsewhere(lambda: painted(size, paint)))
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 20
    assert is_alike(picture, shown(canvas))


def test_a_recorded_map_stays_what_it_was_when_the_map_moves(canvas: MapCanvas) -> None:
    size, paint = record_widgets([canvas], canvas.parentWidget())
    before = shown(canvas)
    for _ in range(5):
        canvas.zoom(1.5)
        shown(canvas)
    assert not is_alike(shown(canvas), before)
    assert is_alike(pixels_of(elsewhere(lambda: painted(size, paint))), before)


def test_a_plot_is_drawn_elsewhere_to_the_last_pixel(window: MainWindow, qtbot: QtBot) -> None:
    window.document.step_run(12)
    qtbot.waitUntil(lambda: window.document.run.step == 12, timeout=60_000)
    qtbot.waitUntil(lambda: "Loss" in window.pictures.plots(), timeout=10_000)
    chart = window.loss_plot._plot
    assert chart is not None
    qtbot.waitUntil(lambda: len(window.loss_plot.points()[0]) > 12, timeout=10_000)
    size, paint = record_widgets([chart], window.docks["loss"].widget())

    def directly(painter: QPainter) -> None:
        painter.fillRect(chart.rect(), QColor(current_theme().sheet))
        items = [item for item in chart.scene().items() if hasattr(item, "setExportMode")]
        for item in items:
            item.setExportMode(True, {"antialias": True, "resolutionScale": 1.0})
        chart.render(painter, QRectF(chart.rect()), chart.viewport().rect())
        for item in items:
            item.setExportMode(False)

    for scale in (1, 2):
        recorded = pixels_of(elsewhere(lambda scale=scale: painted(size, paint, scale)))
        assert np.array_equal(recorded, pixels_of(painted(size, directly, scale)))


def test_vectors_are_drawn_elsewhere_with_their_texts(canvas: MapCanvas) -> None:
    size, paint = record_widgets([canvas], canvas.parentWidget())
    text = elsewhere(lambda: drawn(size, paint, "map"))
    assert ">first<" in text
    assert "Film number 5<" in text
    assert text.count("<image") == 1


def test_two_widgets_keep_their_places(canvas: MapCanvas) -> None:
    holder = canvas.parentWidget()
    second = MapCanvas(holder)
    second.setGeometry(620, 30, 300, 500)
    second.show()
    both: tuple[QSize, Paint] = record_widgets([canvas, second], holder)
    assert both[0] == QSize(900, 500)
    picture = pixels_of(painted(*both))
    assert is_alike(picture[:, :600], shown(canvas))
    assert (picture[:, 601:] == picture[0, 650]).all()


def test_the_bands_of_a_plane_are_kept_aside_and_drawn_where_they_lie(
    qapp: QApplication, qtbot: QtBot
) -> None:
    from gradsheet.qt.lab.plane_plot import PlanePlot

    apply_theme(qapp, LIGHT)
    holder = QWidget()
    qtbot.addWidget(holder)
    holder.resize(400, 300)
    plot = PlanePlot(holder, "x", "y")
    plot.resize(400, 300)
    plot.set_loss(lambda points: (points**2).sum(axis=1))
    holder.show()
    qapp.processEvents()
    plot.finish_drawing()
    inside = (slice(60, 200), slice(100, 350))
    before = pixels_of(plot.grab().toImage())
    size, paint = record_widgets([plot], holder)
    picture = pixels_of(elsewhere(lambda: painted(size, paint)))
    assert len(np.unique(before[inside].reshape(-1, 3), axis=0)) > 5
    assert is_alike(picture[inside], before[inside])
    assert np.array_equal(pixels_of(plot.grab().toImage()), before)
    holder.close()
