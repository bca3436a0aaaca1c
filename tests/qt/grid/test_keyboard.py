"""Keys that move and select."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gradsheet.formula.address import Cell, Region
from gradsheet.qt.grid.view import GridView
from gradsheet.sheet.edits import ResizeRows

if TYPE_CHECKING:
    from tests.qt.grid.conftest import Hands, SheetDocument


@pytest.mark.parametrize(
    ("keys", "cell"),
    [
        ("Down Down Right", "B3"),
        ("Up Left", "A1"),
        ("PageDown PageUp Down", "A2"),
        ("Right Right Home", "A1"),
        ("Ctrl+Down", "A1048576"),
        ("Ctrl+Right", "XFD1"),
        ("Ctrl+Down Ctrl+Home", "A1"),
        ("Tab Tab Shift+Tab", "B1"),
        ("Return Return Shift+Return", "A2"),
    ],
)
def test_keys_lead_where_hands_expect(grid: GridView, hands: Hands, keys: str, cell: str) -> None:
    hands.press(*keys.split())
    assert str(grid.current) == cell
    assert grid.selection == [Region.of(grid.current)]


def test_ctrl_and_arrows_go_to_the_edges_of_blocks(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.put("B2", (1.0, 2.0, 3.0), (4.0, 5.0, 6.0))
    hands.press("Down", "Ctrl+Right")
    assert grid.current == Cell.parse("B2")
    hands.press("Ctrl+Right")
    assert grid.current == Cell.parse("D2")
    hands.press("Ctrl+Shift+Left", "Ctrl+Shift+Down")
    assert str(grid.selection[0]) == "B2:D3"
    hands.press("Ctrl+End")
    assert grid.current == Cell.parse("D3")
    hands.press("Home", "End")
    assert grid.current == Cell.parse("D3")


def test_shift_and_arrows_extend_from_the_current_cell(grid: GridView, hands: Hands) -> None:
    grid.select(Cell.parse("C3"))
    hands.press("Shift+Down", "Shift+Right", "Shift+Right")
    assert str(grid.selection[0]) == "C3:E4"
    assert grid.current == Cell.parse("C3")
    hands.press("Shift+Up", "Shift+Up", "Shift+Left", "Shift+Left", "Shift+Left")
    assert str(grid.selection[0]) == "B2:C3"


def test_ctrl_a_selects_what_is_used_then_everything(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.put("B2", (1.0, 2.0))
    hands.press("Ctrl+A")
    assert str(grid.selection[0]) == "B2:C2"
    hands.press("Ctrl+A")
    assert grid.selection == [grid.extent.region]


def test_page_down_moves_by_what_is_visible_and_scrolls(grid: GridView, hands: Hands) -> None:
    rows = grid.visible_region().rows
    hands.press("PageDown")
    assert grid.current.row == rows - 2
    assert grid.visible_region().contains(grid.current)
    assert grid.visible_region().top == rows - 2
    hands.press("Alt+PageDown")
    assert grid.current.col > 5


def test_the_current_cell_is_always_brought_into_view(grid: GridView, hands: Hands) -> None:
    hands.press("Ctrl+Down")
    assert grid.visible_region().bottom == 1_048_576
    hands.press("Ctrl+Right", "Shift+Ctrl+Home")
    assert grid.visible_region().top == 0
    assert grid.selection == [grid.extent.region]


def test_hidden_rows_are_stepped_over(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.apply(ResizeRows(grid.sheet_id, ((1, 0), (2, 0))))
    hands.press("Down")
    assert grid.current == Cell.parse("A4")


def test_space_is_left_to_the_window(document: SheetDocument, grid: GridView) -> None:
    event = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Space, Qt.KeyboardModifier.NoModifier, " ")
    QApplication.sendEvent(grid, event)
    assert not event.isAccepted()
    assert not grid.editing.is_open


def test_shift_space_selects_rows_and_ctrl_space_columns(grid: GridView, hands: Hands) -> None:
    grid.select(Cell.parse("C3"))
    hands.press("Shift+Space")
    assert grid.selection[0].rows == 1
    assert grid.selection[0].cols == grid.extent.cols
    grid.select(Cell.parse("C3"))
    hands.press("Ctrl+Space")
    assert grid.selection[0].rows == grid.extent.rows


def test_function_keys_and_letters_with_alt_are_left_to_the_window(grid: GridView) -> None:
    for key, modifier, text in (
        (Qt.Key.Key_F5, Qt.KeyboardModifier.NoModifier, ""),
        (Qt.Key.Key_F, Qt.KeyboardModifier.AltModifier, "f"),
        (Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier, "\x13"),
    ):
        event = QKeyEvent(QEvent.Type.KeyPress, key, modifier, text)
        QApplication.sendEvent(grid, event)
        assert not event.isAccepted()
        assert not grid.editing.is_open


def test_signals_tell_of_current_and_selection(qtbot: QtBot, grid: GridView, hands: Hands) -> None:
    with qtbot.waitSignals([grid.current_changed, grid.selection_changed]):
        hands.press("Down")
    with qtbot.waitSignal(grid.selection_changed), qtbot.assertNotEmitted(grid.current_changed):
        hands.press("Shift+Down")


def test_enter_and_tab_go_round_inside_a_selection(grid: GridView, hands: Hands) -> None:
    grid.select(Region.parse("B2:C3"))
    hands.press("Return", "Return", "Tab")
    assert grid.current == Cell.parse("B3")
    assert grid.selection == [Region.parse("B2:C3")]


def test_ctrl_d_and_ctrl_r_fill(document: SheetDocument, grid: GridView, hands: Hands) -> None:
    document.put("A1", (1.0, 2.0))
    document.enter(grid.sheet_id, Cell.parse("B1"), "=A1+1")
    grid.select(Region.parse("A1:B3"))
    hands.press("Ctrl+D")
    assert document.value("A3") == 1.0
    assert document.formula("B3") == document.formula("B1")
    grid.select(Region.parse("A5"))
    document.put("A5", (7.0,))
    grid.select(Region.parse("A5:C5"))
    hands.press("Ctrl+R")
    assert document.value("C5") == 7.0
