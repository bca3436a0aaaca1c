"""Copy, cut and paste: Excel's text both ways, formulas, tiles, and all or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QMimeData
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import ErrorCode
from gradsheet.qt.grid.clipboard_read import decimal_sign, read_tsv, tiled
from gradsheet.qt.grid.view import GridView

if TYPE_CHECKING:
    from tests.qt.grid.conftest import Hands, SheetDocument


def put_text(text: str) -> None:
    QGuiApplication.clipboard().setText(text)


def text_now() -> str:
    return QGuiApplication.clipboard().text()


def test_numbers_leave_with_every_digit_as_tab_separated_text(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.put("A1", (1 / 3, 2.0, None), (True, ErrorCode.DIV0, 'two "words"\nand a line'))
    grid.select(Region.parse("A1:C2"))
    hands.press("Ctrl+C")
    assert text_now() == ('0.3333333333333333\t2\t\nTRUE\t#DIV/0!\t"two ""words""\nand a line"\n')


def test_text_from_excel_comes_in_as_values(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    put_text('1.5\tTRUE\t50%\r\n#N/A\t"a\tb"\t\r\n')
    grid.select(Cell.parse("B2"))
    hands.press("Ctrl+V")
    assert [document.value(a) for a in ("B2", "C2", "D2")] == [1.5, True, 0.5]
    assert [document.value(a) for a in ("B3", "C3", "D3")] == [ErrorCode.NA, "a\tb", None]
    assert grid.selection == [Region.parse("B2:D3")]
    document.undo()
    assert document.value("B2") is None


def test_decimal_commas_are_understood(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    put_text("1,5\t2,25\n1.000,5\tx\n")
    hands.press("Ctrl+V")
    assert [document.value(a) for a in ("A1", "B1", "A2", "B2")] == [1.5, 2.25, 1000.5, "x"]


def test_a_point_is_the_decimal_sign_unless_commas_read_more_numbers() -> None:
    assert decimal_sign([["1.5", "2"]]) == "."
    assert decimal_sign([["1,234"]]) == "."
    assert decimal_sign([["1,5", "a"]]) == ","


def test_copied_formulas_move_with_the_paste_and_cut_ones_stay_as_they_are(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.enter(grid.sheet_id, Cell.parse("B1"), "=A1*2")
    original = document.formula("B1")
    grid.select(Cell.parse("B1"))
    hands.press("Ctrl+C")
    grid.select(Cell.parse("D5"))
    hands.press("Ctrl+V")
    assert document.formula("D5") == original
    grid.select(Cell.parse("B1"))
    hands.press("Ctrl+X")
    assert document.formula("B1") == original
    grid.select(Cell.parse("E9"))
    hands.press("Ctrl+V", "F2")
    assert document.formula("B1") is None
    assert grid.editing.editor.text() == "=A1*2"
    hands.press("Escape")


def test_a_selection_that_is_a_multiple_is_filled_with_copies(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    put_text("1\t2\n")
    grid.select(Region.parse("A1:D3"))
    hands.press("Ctrl+V")
    assert [document.value(a) for a in ("A1", "B2", "C3", "D3")] == [1.0, 2.0, 1.0, 2.0]
    assert tiled(Region.parse("A1:C3"), 1, 2) == Region.parse("A1:B1")
    assert tiled(Region.parse("B2"), 3, 2) == Region.parse("B2:C4")


def test_bad_cells_are_named_and_nothing_is_pasted(
    qtbot: QtBot, document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    put_text("1\t=1+\n=(\t4\n")
    with qtbot.waitSignal(grid.message) as told:
        hands.press("Ctrl+V")
    text, hint = told.args
    assert "2 of 4" in text
    assert "B1" in text
    assert "A2" in text
    assert hint
    assert not document.changes
    assert document.value("A1") is None


def test_what_does_not_fit_on_the_sheet_is_refused(
    qtbot: QtBot, document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    put_text("1\n2\n")
    grid.select(Cell(grid.extent.rows - 1, 0))
    with qtbot.waitSignal(grid.message) as told:
        hands.press("Ctrl+V")
    assert "does not fit" in told.args[0]
    assert not document.changes


def test_several_ranges_are_not_copied_together(qtbot: QtBot, grid: GridView, hands: Hands) -> None:
    grid.select([Region.parse("A1"), Region.parse("C3")])
    with qtbot.waitSignal(grid.message):
        hands.press("Ctrl+C")


def test_a_whole_column_is_copied_as_far_as_it_is_used(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.put("A1", (1.0,), (2.0,))
    grid.select(Region(0, 0, grid.extent.rows, 1))
    hands.press("Ctrl+C")
    assert text_now() == "1\n2\n"


def test_an_empty_clipboard_changes_nothing(document: SheetDocument, hands: Hands) -> None:
    QGuiApplication.clipboard().setMimeData(QMimeData())
    hands.press("Ctrl+V")
    assert not document.changes


def test_text_that_looks_like_a_number_survives_copy_and_paste(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.put("A1", ("007", "=not a formula"))
    grid.select(Region.parse("A1:B1"))
    hands.press("Ctrl+C")
    grid.select(Cell.parse("A5"))
    hands.press("Ctrl+V")
    assert document.value("A5") == "007"
    assert document.value("B5") == "=not a formula"


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", []),
        ("a\tb\n", [["a", "b"]]),
        ("a\n\nb", [["a"], [""], ["b"]]),
        ("a\tb\nc", [["a", "b"], ["c", ""]]),
        ('"x\ny"\tz', [["x\ny", "z"]]),
    ],
)
def test_rows_of_text_are_read_to_equal_length(text: str, rows: list[list[str]]) -> None:
    assert read_tsv(text) == rows
