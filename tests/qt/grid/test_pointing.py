"""Typing formulas: pointing at cells by key and mouse, F4, coloured references."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from gradsheet.formula.address import Cell, Region
from gradsheet.qt.grid.formula_bar import FormulaBar
from gradsheet.qt.grid.reference_text import reference_text, spots, takes_reference
from gradsheet.qt.grid.view import GridView
from gradsheet.sheet.edits import AddSheet

if TYPE_CHECKING:
    from tests.qt.grid.conftest import Hands, SheetDocument

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def text(grid: GridView) -> str:
    return grid.editing.editor.text()


def header(grid: GridView, column: int) -> QPoint:
    layout = grid.layout_now
    return QPoint(layout.x_of(column) + layout.columns.size(column) // 2, 8)


def test_an_arrow_after_an_operator_names_the_neighbour(grid: GridView, hands: Hands) -> None:
    grid.select(Cell.parse("B2"))
    hands.type("=")
    hands.press("Up")
    assert text(grid) == "=B1"
    hands.press("Left")
    assert text(grid) == "=A1"
    hands.type("+")
    hands.press("Right")
    assert text(grid) == "=A1+C2"
    hands.press("Escape")


def test_shift_and_an_arrow_names_a_range(grid: GridView, hands: Hands) -> None:
    grid.select(Cell.parse("B5"))
    hands.type("=SUM(")
    hands.press("Up", "Shift+Up", "Shift+Up", "Shift+Left")
    assert text(grid) == "=SUM(A2:B4"
    hands.press("Escape")


def test_ctrl_and_an_arrow_names_the_edge_of_the_block(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.put("A1", (1.0,), (2.0,), (3.0,))
    grid.select(Cell.parse("B1"))
    hands.type("=SUM(")
    hands.press("Left", "Ctrl+Shift+Down")
    assert text(grid) == "=SUM(A1:A3"
    hands.press("Escape")


def test_an_arrow_after_a_complete_reference_that_was_typed_commits(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    hands.type("=B1")
    hands.press("Down")
    assert not grid.editing.is_open
    assert document.formula("A1") is not None


def test_arrows_move_the_caret_in_a_formula_after_f2(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.enter(grid.sheet_id, Cell.parse("A1"), "=B1+2")
    hands.press("F2", "Left")
    assert text(grid) == "=B1+2"
    assert grid.editing.editor.cursorPosition() == 4
    hands.press("Escape")


def test_f2_while_typing_a_formula_stops_and_starts_pointing(grid: GridView, hands: Hands) -> None:
    hands.type("=")
    hands.press("F2", "Down")
    assert text(grid) == "="
    hands.press("F2", "Down")
    assert text(grid) == "=A2"
    hands.press("Escape")


def test_a_click_names_a_cell_and_the_keyboard_stays(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    hands.type("=2*")
    hands.click("C3")
    assert text(grid) == "=2*C3"
    assert grid.editing.editor.hasFocus()
    assert grid.current == Cell.parse("A1")
    hands.click("D4")
    assert text(grid) == "=2*D4"
    hands.press("Return")
    assert str(document.formula("A1")) != ""
    assert grid.current == Cell.parse("A2")


def test_a_drag_names_a_range(grid: GridView, hands: Hands) -> None:
    hands.type("=SUM(")
    hands.drag(hands.point("B2"), hands.point("D5"))
    assert text(grid) == "=SUM(B2:D5"
    hands.press("Escape")


def test_shift_click_stretches_what_is_pointed_at(grid: GridView, hands: Hands) -> None:
    hands.type("=SUM(")
    hands.click("B2")
    hands.click("C6", SHIFT)
    assert text(grid) == "=SUM(B2:C6"
    hands.press("Escape")


def test_ctrl_click_names_one_more(grid: GridView, hands: Hands) -> None:
    hands.type("=SUM(")
    hands.click("B2")
    hands.click("D4", CTRL)
    assert text(grid) == "=SUM(B2,D4"
    hands.press("Escape")


def test_a_click_on_a_header_names_the_whole_column_or_row(grid: GridView, hands: Hands) -> None:
    hands.type("=SUM(")
    hands.click(header(grid, 2))
    assert text(grid) == "=SUM(C:C"
    hands.type(")+SUM(")
    hands.click(QPoint(10, grid.layout_now.y_of(3) + 5))
    assert text(grid) == "=SUM(C:C)+SUM(4:4"
    hands.press("Escape")


def test_a_drag_over_headers_names_several_columns(grid: GridView, hands: Hands) -> None:
    hands.type("=SUM(")
    hands.drag(header(grid, 1), header(grid, 3))
    assert text(grid) == "=SUM(B:D"
    hands.press("Escape")


def test_a_click_after_a_whole_operand_commits(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    hands.type("=1+2")
    hands.click("C3")
    assert not grid.editing.is_open
    assert document.formula("A1") is not None
    assert grid.current == Cell.parse("C3")


def test_a_click_while_a_text_is_typed_commits(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    hands.type("a(")
    hands.click("C3")
    assert document.value("A1") == "a("


def test_enter_closes_the_bracket_that_was_left_open(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    hands.type("=SUM(B1:B3")
    hands.press("Return")
    hands.press("Up", "F2")
    assert text(grid) == "=SUM(B1:B3)"
    hands.press("Escape")


def test_f4_cycles_the_dollars_of_the_reference_at_the_caret(grid: GridView, hands: Hands) -> None:
    hands.type("=A1+B2")
    seen = []
    for _ in range(4):
        hands.press("F4")
        seen.append(text(grid))
    assert seen == ["=A1+$B$2", "=A1+B$2", "=A1+$B2", "=A1+B2"]
    hands.press("Escape")


def test_f4_changes_a_range_as_a_whole_and_what_was_pointed_at(
    grid: GridView, hands: Hands
) -> None:
    hands.type("=SUM(")
    hands.drag(hands.point("B2"), hands.point("C3"))
    hands.press("F4")
    assert text(grid) == "=SUM($B$2:$C$3"
    hands.press("Escape")


def test_f4_works_after_f2_in_the_middle_of_a_formula(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.enter(grid.sheet_id, Cell.parse("A1"), "=B1*C1")
    hands.press("F2", "Home", "Right", "F4", "Return")
    hands.press("Up", "F2")
    assert text(grid) == "=$B$1*C1"
    hands.press("Escape")


def test_the_editors_own_undo_takes_a_reference_back(grid: GridView, hands: Hands) -> None:
    hands.type("=2*")
    hands.click("C3")
    grid.editing.editor.undo()
    assert text(grid) == "=2*"
    hands.press("Escape")


def test_references_are_framed_in_their_colours_while_typing(grid: GridView, hands: Hands) -> None:
    hands.type("=B2+C3:D4+B2")
    marks = grid.overlay.marks("typing")
    assert [mark.region for mark in marks] == [Region.parse("B2"), Region.parse("C3:D4")]
    assert len({mark.colour for mark in marks}) == 2
    hands.press("Escape")
    assert grid.overlay.marks("typing") == ()


def test_references_are_framed_after_f2_and_unframed_after_enter(
    lesson_grid: GridView, lesson_hands: Hands
) -> None:
    lesson_grid.select(Cell.parse("I26"))
    lesson_hands.press("F2")
    regions = [str(mark.region) for mark in lesson_grid.overlay.marks("typing")]
    assert regions == ["I3", "B26:F26", "I19:I23"]
    lesson_hands.press("Return")
    assert lesson_grid.overlay.marks("typing") == ()


def test_references_are_written_in_their_colours(grid: GridView, hands: Hands) -> None:
    hands.type("1+B2")
    plain = grid.editing.editor.grab().toImage()
    hands.press("Home")
    hands.press("Escape")
    hands.type("=B2+C3")
    coloured = grid.editing.editor.grab().toImage()
    hands.press("Escape")

    def hues(image: object) -> set[int]:
        found = set()
        for x in range(4, image.width() - 4):  # type: ignore[attr-defined]
            for y in range(4, image.height() - 4):  # type: ignore[attr-defined]
                colour = image.pixelColor(x, y)  # type: ignore[attr-defined]
                if colour.saturation() > 150:
                    found.add(colour.hue() // 20)
        return found

    assert len(hues(coloured)) > len(hues(plain))


def test_pointing_into_another_sheet_names_it_and_enter_comes_back(
    document: SheetDocument, grid: GridView, hands: Hands, qtbot: QtBot
) -> None:
    document.apply(AddSheet("my data"))
    other = document.workbook.sheets[1].id
    home = grid.sheet_id
    hands.type("=SUM(")
    grid.set_sheet(other)
    assert grid.editing.is_open
    assert grid.editing.editor.hasFocus()
    hands.drag(hands.point("B2"), hands.point("B4"))
    assert text(grid) == "=SUM('my data'!B2:B4"
    assert [str(mark.region) for mark in grid.overlay.marks("typing")] == ["B2:B4"]
    with qtbot.waitSignal(grid.sheet_shown) as shown:
        hands.press("Return")
    assert shown.args == [home]
    assert grid.sheet_id == home
    assert document.formula("A1") is not None
    assert grid.current == Cell.parse("A2")


def test_escape_on_another_sheet_comes_back_and_changes_nothing(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.apply(AddSheet("Two"))
    home, changes = grid.sheet_id, len(document.changes)
    hands.type("=")
    grid.set_sheet(document.workbook.sheets[1].id)
    hands.click("C3")
    hands.press("Escape")
    assert grid.sheet_id == home
    assert len(document.changes) == changes


def test_another_sheet_commits_a_formula_that_waits_for_nothing(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.apply(AddSheet("Two"))
    hands.type("=1+1")
    grid.set_sheet(document.workbook.sheets[1].id)
    assert not grid.editing.is_open
    assert document.formula("A1") is not None


def test_pointing_works_from_the_formula_bar(
    document: SheetDocument, grid: GridView, hands: Hands, qtbot: QtBot
) -> None:
    bar = FormulaBar(document, grid)  # type: ignore[arg-type]
    qtbot.addWidget(bar)
    bar.show()
    bar.activateWindow()
    bar.line.setFocus()
    qtbot.waitUntil(bar.line.hasFocus)
    QTest.keyClicks(bar.line, "=SUM(")
    hands.drag(hands.point("B2"), hands.point("C3"))
    assert bar.line.text() == "=SUM(B2:C3"
    QTest.keyClicks(bar.line, ")")
    QTest.keyClick(bar.line, Qt.Key.Key_Return)
    assert document.formula("A1") is not None


def test_alt_enter_begins_a_line_in_the_cell(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    hands.type("two")
    hands.press("Alt+Return")
    hands.type("lines")
    hands.press("Return")
    assert document.value("A1") == "two\nlines"
    grid.select(Cell.parse("A1"))
    changes = len(document.changes)
    hands.press("F2", "Return")
    assert len(document.changes) == changes


@pytest.mark.parametrize(
    ("typed", "takes"),
    [
        ("=", True), ("=A1+", True), ("=SUM(", True), ("=SUM(A1,", True), ("=A1:", True),
        ("=-", True), ("={1,", True), ("=A1&", True), ("=A1", False), ("=1", False),
        ("=SUM(A1)", False), ('="a', False), ("=50%", False), ("a+", False), ("", False),
        ("=Sheet1!", False), ("=A1 + ", True),
    ],
)  # fmt: skip
def test_where_a_reference_can_stand(typed: str, takes: bool) -> None:
    assert takes_reference(typed, len(typed)) is takes


def test_a_reference_cannot_be_put_before_a_word() -> None:
    assert not takes_reference("=+A1", 2)
    assert takes_reference("=+*2", 2)


def test_spots_know_sheets_and_repeat_their_place() -> None:
    found = spots("=A1+Two!B2+A1+Gone!C3", Cell(0, 0), 1, {"Two": 2}.get)
    assert [(s.sheet, str(s.region), s.place) for s in found] == [
        (1, "A1", 0), (2, "B2", 1), (1, "A1", 0),
    ]  # fmt: skip


def test_whole_lines_are_spelled_by_their_letters_and_numbers() -> None:
    whole = Region(0, 0, 1_048_576, 16_384)
    assert reference_text(Region(0, 1, 1_048_576, 3), whole) == "B:C"
    assert reference_text(Region(1, 0, 3, 16_384), whole, "my data") == "'my data'!2:3"
