"""The editor of one number."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from gradsheet.qt.widgets.number_field import NumberField


@pytest.fixture
def field(qtbot: QtBot) -> Iterator[NumberField]:
    parent = QWidget()
    qtbot.addWidget(parent)
    field = NumberField("Learning rate", "How far a step goes.", parent, first_rung=1e-5)
    field.show_number(0.05)
    parent.show()
    parent.activateWindow()
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    yield field
    parent.close()


def type_over(qtbot: QtBot, field: NumberField, text: str) -> None:
    field.selectAll()
    qtbot.keyClicks(field, text)


def test_enter_commits_what_was_typed(qtbot: QtBot, field: NumberField) -> None:
    type_over(qtbot, field, "1e-3")
    with qtbot.waitSignal(field.committed) as caught:
        qtbot.keyClick(field, Qt.Key.Key_Return)
    assert caught.args == [1e-3]
    assert field.text() == "1e-3"


def test_invalid_text_is_marked_explained_and_kept(qtbot: QtBot, field: NumberField) -> None:
    type_over(qtbot, field, "fast")
    with qtbot.assertNotEmitted(field.committed):
        qtbot.keyClick(field, Qt.Key.Key_Return)
    assert field.text() == "fast"
    assert field.number == 0.05
    assert "not a number" in field.toolTip()
    assert field.styleSheet()


def test_escape_brings_the_last_good_number_back(qtbot: QtBot, field: NumberField) -> None:
    type_over(qtbot, field, "fast")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert field.text() == "0.05"
    assert not field.styleSheet()
    assert not field.complaint


def test_a_number_on_its_way_is_not_marked(qtbot: QtBot, field: NumberField) -> None:
    type_over(qtbot, field, "1e-")
    assert not field.styleSheet()


def test_up_and_down_step_by_a_factor(qtbot: QtBot, field: NumberField) -> None:
    seen: list[float] = []
    field.committed.connect(seen.append)
    qtbot.keyClick(field, Qt.Key.Key_Up)
    qtbot.keyClick(field, Qt.Key.Key_Down)
    qtbot.keyClick(field, Qt.Key.Key_Down)
    assert seen == [0.1, 0.05, 0.02]


def test_stepping_reaches_zero_and_leaves_it(qtbot: QtBot, field: NumberField) -> None:
    field.show_number(1e-5)
    qtbot.keyClick(field, Qt.Key.Key_Down)
    assert field.number == 0.0
    qtbot.keyClick(field, Qt.Key.Key_Up)
    assert field.number == 1e-5


def test_a_momentum_steps_towards_one_and_never_reaches_it(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    field = NumberField("Momentum", "Kept.", parent, high=1.0, open_high=True, towards_one=True)
    field.show_number(0.9)
    parent.show()
    numbers = []
    for _ in range(4):
        qtbot.keyClick(field, Qt.Key.Key_Up)
        numbers.append(field.number)
    assert numbers == [0.95, 0.98, 0.99, 0.995]
    for _ in range(40):
        qtbot.keyClick(field, Qt.Key.Key_Up)
    assert field.number < 1.0


def test_a_number_from_outside_does_not_overwrite_typing(qtbot: QtBot, field: NumberField) -> None:
    type_over(qtbot, field, "0.3")
    field.show_number(0.01)
    assert field.text() == "0.3"


def test_a_space_types_a_space(qtbot: QtBot, field: NumberField) -> None:
    type_over(qtbot, field, "1 ")
    assert field.text() == "1 "
