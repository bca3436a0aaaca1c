"""Typing into cells, in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import ErrorCode
from gradsheet.qt.grid.view import GridView

if TYPE_CHECKING:
    from tests.qt.grid.conftest import Hands, SheetDocument


def test_typing_replaces_and_enter_moves_down(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.put("A1", (5.0,))
    hands.type("12.5")
    assert grid.editing.is_open
    assert document.value("A1") == 5.0
    hands.press("Return")
    assert document.value("A1") == 12.5
    assert grid.current == Cell.parse("A2")
    assert grid.hasFocus()


def test_shift_enter_moves_up(grid: GridView, hands: Hands) -> None:
    grid.select(Cell.parse("B5"))
    hands.type("1")
    hands.press("Shift+Return")
    assert grid.current == Cell.parse("B4")


def test_enter_returns_to_the_column_where_tab_began(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    grid.select(Cell.parse("B2"))
    for entry in ("1", "2"):
        hands.type(entry)
        hands.press("Tab")
    hands.type("3")
    hands.press("Return")
    assert [document.value(a) for a in ("B2", "C2", "D2")] == [1.0, 2.0, 3.0]
    assert grid.current == Cell.parse("B3")


def test_moving_elsewhere_forgets_where_tab_began(grid: GridView, hands: Hands) -> None:
    grid.select(Cell.parse("B2"))
    hands.press("Tab", "Tab", "Up", "Return")
    assert grid.current == Cell.parse("D2")


def test_an_arrow_commits_after_typing(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    hands.type("7")
    hands.press("Right")
    assert document.value("A1") == 7.0
    assert grid.current == Cell.parse("B1")
    assert not grid.editing.is_open


def test_an_arrow_moves_the_caret_after_f2(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.put("A1", (12.0,))
    hands.press("F2", "Left")
    hands.type("5")
    hands.press("Return")
    assert document.value("A1") == 152.0


def test_f2_while_typing_gives_the_arrows_to_the_caret(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    hands.type("12")
    hands.press("F2", "Left")
    assert grid.editing.is_open
    hands.type("5")
    hands.press("Return")
    assert document.value("A1") == 152.0


def test_escape_leaves_everything_as_it_was(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.put("A1", (5.0,))
    changes = len(document.changes)
    hands.type("99")
    hands.press("Escape")
    assert document.value("A1") == 5.0
    assert len(document.changes) == changes
    assert grid.current == Cell.parse("A1")
    assert grid.hasFocus()


def test_f2_and_enter_on_a_number_changes_no_digit(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    for number in (0.123456789012345678, 1 / 3, 1e-300, -0.1, 1e22, 5e-324):
        document.put("A1", (number,))
        grid.select(Cell.parse("A1"))
        changes = len(document.changes)
        hands.press("F2", "Return")
        assert document.value("A1") == number
        assert len(document.changes) == changes
        grid.select(Cell.parse("A1"))
        hands.press("F2")
        text = grid.editing.editor.text()
        hands.press("Escape")
        document.enter(grid.sheet_id, Cell.parse("B1"), text)
        assert document.value("B1") == number


def test_a_formula_is_edited_as_text(lesson_grid: GridView, lesson_hands: Hands) -> None:
    lesson_grid.select(Cell.parse("I26"))
    lesson_hands.press("F2")
    assert lesson_grid.editing.editor.text() == '=IF(I3="",0,MMULT($B26:$F26,I$19:I$23))'
    lesson_hands.press("Escape")


def test_a_formula_that_cannot_be_read_stays_with_its_column_marked(
    qtbot: QtBot, document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    with qtbot.waitSignal(grid.message) as told:
        hands.type("=1+*2")
        hands.press("Return")
    editor = grid.editing.editor
    assert grid.editing.is_open
    assert editor.text() == "=1+*2"
    assert editor.hasFocus()
    assert told.args[0]
    note = grid.viewport().findChild(object, "inlineError")
    assert note.isVisible()
    assert told.args[0] in note.text()
    assert document.value("A1") is None
    hands.press("Escape")
    assert not note.isVisible()


def test_a_click_elsewhere_commits(document: SheetDocument, grid: GridView, hands: Hands) -> None:
    hands.type("3")
    hands.click("C4")
    assert document.value("A1") == 3.0
    assert grid.current == Cell.parse("C4")


def test_a_click_elsewhere_does_not_lose_what_cannot_be_read(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    hands.type("=1)")
    hands.click("C4")
    assert grid.editing.is_open
    assert grid.current == Cell.parse("A1")
    assert grid.editing.editor.text() == "=1)"
    hands.press("Escape")


def test_delete_clears_the_selection_as_one_edit(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.put("A1", (1.0, 2.0), (3.0, 4.0))
    grid.select([Region.parse("A1:A2"), Region.parse("B2")])
    hands.press("Delete")
    assert [document.value(a) for a in ("A1", "A2", "B1", "B2")] == [None, None, 2.0, None]
    document.undo()
    assert [document.value(a) for a in ("A1", "A2", "B1", "B2")] == [1.0, 3.0, 2.0, 4.0]


def test_backspace_begins_with_an_empty_text(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.put("A1", (1.0,))
    hands.press("Backspace")
    assert grid.editing.is_open
    assert grid.editing.editor.text() == ""
    hands.press("Return")
    assert document.value("A1") is None


def test_ctrl_enter_fills_the_selection(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    grid.select(Region.parse("B1:C3"))
    hands.type("=A1*2")
    hands.press("Ctrl+Return")
    assert document.formula("C3") == document.formula("B1") is not None
    assert grid.selection == [Region.parse("B1:C3")]
    assert len(document.changes) == 1


def test_space_inside_a_text_is_a_space(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    hands.type("two words")
    hands.press("Return")
    assert document.value("A1") == "two words"


@pytest.mark.parametrize(
    ("typed", "value"),
    [("50%", 0.5), ("TRUE", True), ("#N/A", ErrorCode.NA), ("'007", "007"), ("-1e3", -1000.0)],
)
def test_what_is_typed_becomes_a_value(
    document: SheetDocument, hands: Hands, typed: str, value: object
) -> None:
    hands.type(typed)
    hands.press("Return")
    assert document.value("A1") == value


def test_the_editor_grows_with_its_text_and_follows_its_cell(grid: GridView, hands: Hands) -> None:
    hands.type("a")
    width = grid.editing.editor.width()
    hands.type(" long text that needs much more room than one cell")
    assert grid.editing.editor.width() > 3 * width
    top = grid.editing.editor.y()
    grid.scroll_by(0, 40)
    assert grid.editing.editor.y() == top - 40
    hands.press("Escape")


def test_double_click_edits(document: SheetDocument, grid: GridView, hands: Hands) -> None:
    document.put("B2", (4.0,))
    hands.click("B2")
    hands.double_click("B2")
    assert grid.editing.is_open
    assert grid.editing.editor.text() == "4"
    hands.press("Escape")


def test_another_widget_taking_the_keyboard_commits(
    qtbot: QtBot, document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    hands.type("8")
    grid.editing.editor.clearFocus()
    assert not grid.editing.is_open
    assert document.value("A1") == 8.0
    grid.setFocus(Qt.FocusReason.OtherFocusReason)
