"""The line of time: dragging it, its keys, its buttons."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from gradsheet.qt.main_window import MainWindow


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
