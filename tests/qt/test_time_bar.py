"""The line of time: dragging it, its keys, its buttons."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from gradsheet.app.ratings.choices import LearnChoice, ModelChoice
from gradsheet.app.ratings.pairs import busiest_pairs
from gradsheet.app.ratings.session import RatingsSession
from gradsheet.app.ratings.workbook import RatingsBook
from gradsheet.qt.main_window import MainWindow
from gradsheet.ratings.synthetic import synthetic_ratings


def take_steps(window: MainWindow, count: int) -> None:
    window.document.finish()
    window.document.step_run(count)
    window.document.finish()


def test_nothing_to_drag_before_the_first_step(window: MainWindow) -> None:
    window.document.finish()
    assert not window.time_bar.slider.isEnabled()


def test_the_slider_follows_the_run_and_leads_it(window: MainWindow) -> None:
    take_steps(window, 50)
    slider = window.time_bar.slider
    assert (slider.minimum(), slider.maximum(), slider.value()) == (0, 50, 50)
    slider.setFocus()
    QTest.keyClick(slider, Qt.Key.Key_Left)
    window.document.finish()
    assert window.document.run_view().step == 49
    QTest.keyClick(slider, Qt.Key.Key_Home)
    window.document.finish()
    assert window.document.run_view().step == 0
    assert slider.maximum() == 50


def test_shift_space_takes_a_step_back_from_the_grid(window: MainWindow) -> None:
    take_steps(window, 10)
    window.grid.setFocus()
    QTest.keyClick(window.grid, Qt.Key.Key_Space, Qt.KeyboardModifier.ShiftModifier)
    window.document.finish()
    assert window.document.run_view().step == 9
    QTest.keyClick(window.grid, Qt.Key.Key_Space)
    window.document.finish()
    assert window.document.run_view().step == 10


def test_buttons_jump_to_both_ends(window: MainWindow) -> None:
    take_steps(window, 20)
    QTest.mouseClick(window.time_bar.buttons["train.first"], Qt.MouseButton.LeftButton)
    window.document.finish()
    assert window.document.run_view().step == 0
    QTest.mouseClick(window.time_bar.buttons["train.last"], Qt.MouseButton.LeftButton)
    window.document.finish()
    assert window.document.run_view().step == 20


def test_the_slider_goes_through_the_epochs_of_a_rating_set(
    window: MainWindow, qtbot: QtBot
) -> None:
    table = synthetic_ratings(60, 40, 900, factors=2, seed=1)[0]
    session = RatingsSession(
        table, "made up", model=ModelChoice(factors=4), learn=LearnChoice(epochs=3)
    )
    book = RatingsBook(session, busiest_pairs(table, session.totals, 6, 5))
    window.document.open_ratings(book)
    qtbot.waitUntil(lambda: session.state == "idle", timeout=60_000)
    bar, slider = window.time_bar, window.time_bar.slider
    assert not slider.isEnabled()
    window.document.start_run()
    qtbot.waitUntil(lambda: session.state == "done", timeout=60_000)
    qtbot.waitUntil(lambda: bar._place.text() == "epoch 3")
    assert (slider.minimum(), slider.maximum(), slider.value()) == (0, 3, 3)
    end = session.learned
    slider.setFocus()
    QTest.keyClick(slider, Qt.Key.Key_Left)
    qtbot.waitUntil(lambda: bar._place.text() == "epoch 2 of 3")
    assert session.learned is not end
    window.grid.setFocus()
    QTest.keyClick(window.grid, Qt.Key.Key_Space, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: bar._place.text() == "epoch 1 of 3")
    table_of_epochs = window.ratings_docks.panels["epochs"]
    qtbot.waitUntil(lambda: table_of_epochs.selectedItems() != [])
    assert table_of_epochs.currentRow() == 0
    assert table_of_epochs.rowCount() == 3
    table_of_epochs.epoch_chosen.emit(1)
    qtbot.waitUntil(lambda: bar._place.text() == "epoch 2 of 3")
    QTest.mouseClick(bar.buttons["train.last"], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bar._place.text() == "epoch 3")
    QTest.mouseClick(bar.buttons["train.best"], Qt.MouseButton.LeftButton)
    best = min(session.past.whole.epochs, key=lambda row: row.valid_rmse)
    qtbot.waitUntil(lambda: session.epochs[-1] == best and not session.is_at_work)
