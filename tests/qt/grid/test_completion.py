"""Completion and argument help while a formula is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

import gradsheet.formula.functions  # noqa: F401  the engine has loaded the table
from gradsheet.formula.address import Cell
from gradsheet.formula.syntax import parse
from gradsheet.qt.grid.completion import call_at, completion_at
from gradsheet.qt.grid.completion_popup import CompletionList
from gradsheet.qt.grid.view import GridView
from gradsheet.sheet.edits import DefineName
from gradsheet.sheet.workbook import Workbook

if TYPE_CHECKING:
    from tests.qt.grid.conftest import Hands, SheetDocument


def offered(grid: GridView) -> list[str]:
    return [offer.text for offer in grid.editing.typing.offers]


def test_functions_that_begin_so_are_offered_common_ones_first(
    grid: GridView, hands: Hands
) -> None:
    hands.type("=av")
    assert offered(grid)[0] == "AVERAGE"
    assert all(name.startswith("AV") for name in offered(grid))
    hands.press("Escape", "Escape")


def test_tab_accepts_and_opens_the_bracket(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    hands.type("=1+averagei")
    hands.press("Tab")
    assert grid.editing.editor.text() == "=1+AVERAGEIF("
    assert offered(grid) == []
    hands.press("Escape")


def test_up_and_down_choose_among_the_offers(grid: GridView, hands: Hands) -> None:
    hands.type("=su")
    names = offered(grid)
    hands.press("Down", "Down", "Up", "Tab")
    assert grid.editing.editor.text() == f"={names[1]}("
    hands.press("Escape")


def test_escape_closes_the_list_before_it_ends_editing(grid: GridView, hands: Hands) -> None:
    hands.type("=su")
    hands.press("Escape")
    assert grid.editing.is_open
    assert offered(grid) == []
    hands.press("Escape")
    assert not grid.editing.is_open


def test_enter_takes_what_was_typed_not_what_is_offered(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    hands.type("=su")
    hands.press("Return")
    assert document.formula("A1") is not None
    assert not grid.editing.is_open


def test_a_click_accepts(grid: GridView, hands: Hands) -> None:
    hands.type("=su")
    names = offered(grid)
    listing = grid.window().findChild(CompletionList)
    rows = listing._rows
    point = QPoint(40, rows.row_height() + 4)
    QTest.mouseClick(rows, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, point)
    assert grid.editing.editor.text() == f"={names[1]}("
    assert grid.editing.editor.hasFocus()
    hands.press("Escape")


def test_defined_names_are_offered_too(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.apply(DefineName("rating_mean", parse("=Sheet1!$A$1", Cell(0, 0))))
    hands.type("=2*rati")
    assert offered(grid) == ["rating_mean"]
    hands.press("Tab")
    assert grid.editing.editor.text() == "=2*rating_mean"
    hands.press("Escape")


def test_nothing_is_offered_in_texts_strings_and_addresses(grid: GridView, hands: Hands) -> None:
    for typed in ("sum", '="su', "=B", "=$A", "=1e"):
        hands.type(typed)
        names = offered(grid)
        assert not [n for n in names if typed in ("sum", '="su', "=$A", "=1e")], typed
        hands.press("Escape", "Escape")


def test_accepting_before_a_bracket_makes_no_second_one(grid: GridView, hands: Hands) -> None:
    hands.type("=s(A1)")
    hands.press("F2", "Home", "Right", "Right")
    hands.type("u")
    hands.press("Tab")
    assert grid.editing.editor.text() == "=SUM(A1)"
    hands.press("Escape")


def test_the_argument_at_hand_is_bold(grid: GridView, hands: Hands) -> None:
    hands.type("=IF(A1>2,")
    hint = grid.editing.typing.hint
    assert hint is not None
    assert hint.isVisible()
    assert "<b>[value_if_true]</b>" in hint.text()
    hands.type("1,")
    assert "<b>[value_if_false]</b>" in hint.text()
    hands.press("Escape")
    assert not hint.isVisible()


def test_help_is_for_the_innermost_call(grid: GridView, hands: Hands) -> None:
    hands.type("=SUM(ROUND(A1,")
    hint = grid.editing.typing.hint
    assert hint is not None
    assert hint.text().startswith("ROUND(")
    hands.type("2),")
    assert hint.text().startswith("SUM(")
    hands.press("Escape")


@pytest.mark.parametrize(
    ("text", "name", "argument"),
    [
        ("=SUM(", "SUM", 0), ("=SUM(A1,(2+3),", "SUM", 2), ("=IF(SUM(1,2),", "IF", 1),
        ("=SUM(1)", None, 0), ('=IF("a,(",', "IF", 1), ("=(1,", None, 0), ("=1", None, 0),
    ],
)  # fmt: skip
def test_the_call_around_the_caret(text: str, name: str | None, argument: int) -> None:
    call = call_at(text, len(text))
    assert (call.name if call else None) == name
    assert call is None or call.argument == argument


def test_a_word_that_is_a_whole_name_is_offered_first() -> None:
    found = completion_at("=SUM", 4, Workbook.with_sheet())
    assert found is not None
    assert found.offers[0].text == "SUM"
    assert found.offers[0].detail.startswith("SUM(number1")
    assert found.offers[0].help
