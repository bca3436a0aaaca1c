"""The tool bar of a run."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from gradsheet.learn.optimizers import OPTIMIZERS
from gradsheet.qt.main_window import MainWindow
from gradsheet.qt.panels.run_bar import RATE_FIELDS, SPEEDS, speed_text


def shows_exactly(window: MainWindow, names: set[str]) -> bool:
    fields = {field.name: window.run_bar.rate_field(field.name) for field in RATE_FIELDS}
    return {name for name, field in fields.items() if field.isVisibleTo(window)} == names


def test_every_optimizer_can_be_chosen(window: MainWindow) -> None:
    box = window.run_bar.optimizer_box
    assert [box.itemData(i) for i in range(box.count())] == list(OPTIMIZERS)
    assert box.currentData() == window.document.run.optimizer_name


def test_choosing_an_optimizer_shows_the_rates_it_uses(window: MainWindow, qtbot: QtBot) -> None:
    box = window.run_bar.optimizer_box
    for name, rule in OPTIMIZERS.items():
        box.setCurrentIndex(box.findData(name))
        box.activated.emit(box.currentIndex())
        assert window.document.run.optimizer_name == name
        used = {field.name for field in RATE_FIELDS} & set(rule.uses)
        qtbot.waitUntil(partial(shows_exactly, window, used))
        number = window.run_bar.rate_field("lr").number
        assert number == rule.defaults.lr


def test_a_typed_rate_reaches_the_optimizer(window: MainWindow, qtbot: QtBot) -> None:
    field = window.run_bar.rate_field("lr")
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, "1e-3")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert window.document.run_view().hyper.lr == 1e-3


def test_a_rate_that_is_not_possible_changes_nothing(window: MainWindow, qtbot: QtBot) -> None:
    before = window.document.run_view().hyper
    field = window.run_bar.rate_field("beta1")
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, "1.5")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert window.document.run_view().hyper == before
    assert field.text() == "1.5"
    assert "less than 1" in field.toolTip()
    qtbot.keyClick(field, Qt.Key.Key_Escape)


def test_a_rate_changed_elsewhere_is_shown(window: MainWindow) -> None:
    window.document.set_hyper(lr=0.25)
    assert window.run_bar.rate_field("lr").text() == "0.25"


def test_the_slider_goes_from_slow_motion_to_full_speed(window: MainWindow) -> None:
    slider = window.run_bar.speed_slider
    assert slider.value() == slider.maximum()
    slider.setValue(0)
    assert window.document.run.steps_per_second_limit == SPEEDS[0] == 1
    slider.setValue(slider.maximum())
    assert window.document.run.steps_per_second_limit is None
    assert speed_text(1) == "1 step/s"
    assert speed_text(1000) == "1,000 steps/s"
    assert speed_text(None) == "full speed"


def test_everything_fits_at_1366_pixels(window: MainWindow, qtbot: QtBot) -> None:
    window.resize(1366, 768)
    box = window.run_bar.optimizer_box
    for name in OPTIMIZERS:
        box.setCurrentIndex(box.findData(name))
        box.activated.emit(box.currentIndex())
        qtbot.waitUntil(lambda: window.run_bar.sizeHint().width() <= window.width())
        right = max(
            child.mapTo(window.run_bar, child.rect().topRight()).x()
            for child in window.run_bar.findChildren(
                QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly
            )
            if child.isVisible()
        )
        assert right <= window.run_bar.width(), name


def test_every_control_says_what_it_is(window: MainWindow) -> None:
    bar = window.run_bar
    rates = [bar.rate_field(field.name) for field in RATE_FIELDS]
    for control in (bar.optimizer_box, bar.speed_slider, *rates):
        assert control.accessibleName()
        assert control.toolTip()
    step = window.actions_by_id.by_id["train.step"].toolTip()
    assert "Space" in step
    assert "F5" in window.actions_by_id.by_id["train.run"].toolTip()
