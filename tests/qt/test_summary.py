"""Sum, average and count of a selection."""

from __future__ import annotations

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import ErrorCode, Kind
from gradsheet.qt.panels.status import StatusBar
from gradsheet.qt.summary import Summary, summarise
from gradsheet.sheet.cells import CellStore


@pytest.fixture
def cells() -> CellStore:
    store = CellStore()
    store.write(Region.parse("A1:B3"), np.arange(1.0, 7.0).reshape(3, 2), Kind.NUMBER)
    store.write(Region.parse("C1"), np.array([[3.0]]), Kind.TEXT)
    store.write(Region.parse("C2"), np.array([[1.0]]), Kind.BOOLEAN)
    store.write(Region.parse("C3"), np.array([[float(ErrorCode.NA)]]), Kind.ERROR)
    return store


def test_only_numbers_are_added_and_blanks_are_not_counted(cells: CellStore) -> None:
    assert summarise(cells, [Region.parse("A1:D9")]) == Summary(36, 9, 6, 21.0)


def test_a_cell_in_two_regions_counts_once(cells: CellStore) -> None:
    summary = summarise(cells, [Region.parse("A1:A3"), Region.parse("A1:B1")])
    assert summary is not None
    assert (summary.count, summary.total) == (4, 1 + 3 + 5 + 2)


def test_a_whole_column_costs_what_is_in_it(cells: CellStore) -> None:
    summary = summarise(cells, [Region(0, 0, 1_048_576, 1)])
    assert summary == Summary(1_048_576, 3, 3, 9.0)


def test_an_empty_selection_adds_up_to_nothing(cells: CellStore) -> None:
    assert summarise(cells, [Region.of(Cell(50, 50))]) == Summary(1, 0, 0, 0.0)


def test_the_status_bar_writes_them_out(qtbot: object, qapp: object) -> None:
    from PySide6.QtWidgets import QMainWindow

    window = QMainWindow()
    bar = StatusBar(window)
    bar.show_summary(Summary(3, 3, 3, 10.0))
    assert bar.texts()[-3:] == ["Sum 10", "Average 3.33333", "Count 3"]
    bar.show_summary(Summary(1, 1, 1, 10.0))
    assert bar.texts()[-3:] == ["", "", ""]
    bar.show_summary(Summary(4, 2, 0, 0.0))
    assert bar.texts()[-3:] == ["", "", "Count 2"]


def test_no_number_of_the_selection_is_cut_off(qtbot: object, qapp: object) -> None:
    from PySide6.QtWidgets import QLabel, QMainWindow

    window = QMainWindow()
    bar = StatusBar(window)
    for total, cells in ((-0.0236222, 5), (-1.23456e9, 3), (-2e-250, 4), (10.0, 2_000_000)):
        bar.show_summary(Summary(cells, cells, cells, total))
        for label in bar.findChildren(QLabel):
            room = label.contentsRect().width()
            assert label.fontMetrics().horizontalAdvance(label.text()) <= room, label.text()


def test_a_narrow_status_bar_leaves_speed_and_device_out_not_the_selection(
    qtbot: QtBot, qapp: object
) -> None:
    from PySide6.QtWidgets import QMainWindow

    window = QMainWindow()
    qtbot.addWidget(window)
    bar = StatusBar(window)
    window.setStatusBar(bar)
    window.resize(1400, 200)
    window.show()
    bar.show_summary(Summary(3, 3, 3, 10.0))
    speed, device, count = bar._speed, bar._device, bar._count
    assert speed.isVisible()
    assert device.isVisible()
    window.resize(840, 200)
    qtbot.waitUntil(lambda: not speed.isVisible() and not device.isVisible())
    assert count.isVisible()
    qtbot.waitUntil(lambda: bar.rect().contains(count.geometry()))
    window.resize(1400, 200)
    qtbot.waitUntil(device.isVisible)
