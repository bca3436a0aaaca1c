"""More ways to select, as hands know them from Excel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt

from gradsheet.formula.address import Cell, Region
from gradsheet.qt.grid.view import GridView
from gradsheet.sheet.edits import Freeze

if TYPE_CHECKING:
    from tests.qt.grid.conftest import Hands, SheetDocument

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def test_f8_stretches_with_plain_arrows_until_escape(grid: GridView, hands: Hands) -> None:
    grid.select(Cell.parse("B2"))
    hands.press("F8", "Down", "Right")
    assert grid.selection == [Region.parse("B2:C3")]
    hands.press("Escape", "Down")
    assert grid.selection == [Region.parse("B3")]


def test_f8_stretches_with_a_click(grid: GridView, hands: Hands) -> None:
    grid.select(Cell.parse("B2"))
    hands.press("F8")
    hands.click("D5")
    assert grid.selection == [Region.parse("B2:D5")]
    hands.press("F8")
    hands.click("A1")
    assert grid.selection == [Region.parse("A1")]


def test_shift_f8_adds_a_range_by_keys_alone(grid: GridView, hands: Hands) -> None:
    grid.select(Region.parse("A1:A2"))
    hands.press("Shift+F8", "Right", "Right", "Shift+Down")
    assert grid.selection == [Region.parse("A1:A2"), Region.parse("C1:C2")]
    hands.press("Escape")
    assert len(grid.selection) == 2


def test_ctrl_click_on_headers_adds_columns_and_rows(grid: GridView, hands: Hands) -> None:
    layout = grid.layout_now
    hands.click(QPoint(layout.x_of(1) + 20, 8))
    hands.click(QPoint(layout.x_of(3) + 20, 8), CTRL)
    hands.click(QPoint(10, layout.y_of(4) + 8), CTRL)
    rows, cols = grid.extent.rows, grid.extent.cols
    assert grid.selection == [
        Region(0, 1, rows, 2), Region(0, 3, rows, 4), Region(4, 0, 5, cols),
    ]  # fmt: skip


def test_shift_click_on_a_header_spans_from_the_current_one(grid: GridView, hands: Hands) -> None:
    layout = grid.layout_now
    hands.click(QPoint(layout.x_of(1) + 20, 8))
    hands.click(QPoint(layout.x_of(3) + 20, 8), SHIFT)
    assert grid.selection == [Region(0, 1, grid.extent.rows, 4)]


def test_ctrl_period_goes_round_the_corners(grid: GridView, hands: Hands) -> None:
    grid.select(Region.parse("B2:D5"))
    seen = []
    for _ in range(4):
        hands.press("Ctrl+Period")
        seen.append(str(grid.current))
    assert seen == ["D2", "D5", "B5", "B2"]
    assert grid.selection == [Region.parse("B2:D5")]


def test_ctrl_shift_8_selects_the_filled_cells_around(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.put("B2", (1.0, 2.0), (None, 3.0), (4.0, None))
    document.put("F9", (9.0,))
    grid.select(Cell.parse("C3"))
    hands.press("Ctrl+Shift+8")
    assert grid.selection == [Region.parse("B2:C4")]
    assert grid.current == Cell.parse("C3")


def test_ctrl_shift_space_selects_everything(grid: GridView, hands: Hands) -> None:
    hands.press("Ctrl+Shift+Space")
    assert grid.selection == [grid.extent.region]


def test_shift_space_and_ctrl_space_select_lines(grid: GridView, hands: Hands) -> None:
    grid.select(Region.parse("B2:C3"))
    hands.press("Shift+Space")
    assert grid.selection == [Region(1, 0, 3, grid.extent.cols)]
    grid.select(Region.parse("B2:C3"))
    hands.press("Ctrl+Space")
    assert grid.selection == [Region(0, 1, grid.extent.rows, 3)]


def test_ctrl_backspace_brings_the_current_cell_back_into_view(
    grid: GridView, hands: Hands
) -> None:
    grid.select(Cell.parse("B2"))
    grid.scroll_by(0, 4000)
    assert not grid.visible_region().contains(Cell.parse("B2"))
    hands.press("Ctrl+Backspace")
    assert grid.visible_region().contains(Cell.parse("B2"))


def test_ctrl_apostrophe_takes_the_formula_above(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.enter(grid.sheet_id, Cell.parse("B1"), "=A1*2")
    grid.select(Cell.parse("B2"))
    hands.press("Ctrl+Apostrophe")
    assert grid.editing.editor.text() == "=A1*2"
    hands.press("Escape")


def test_ctrl_home_goes_to_the_first_cell_that_scrolls(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.apply(Freeze(grid.sheet_id, Cell(1, 2)))
    grid.select(Cell.parse("M40"))
    hands.press("Ctrl+Home")
    assert grid.current == Cell(1, 2)


def test_the_first_row_is_whole_after_scrolling_by_keys(grid: GridView, hands: Hands) -> None:
    for _ in range(60):
        hands.press("Down")
    first = grid.visible_region().top
    assert first > 0
    assert grid.layout_now.y_of(first) == grid.layout_now.split_y


def test_the_first_column_is_whole_after_scrolling_by_keys(grid: GridView, hands: Hands) -> None:
    for _ in range(40):
        hands.press("Right")
    first = grid.visible_region().left
    assert first > 0
    assert grid.layout_now.x_of(first) == grid.layout_now.split_x


def test_right_click_on_a_header_selects_the_line_and_asks_for_its_menu(
    grid: GridView, hands: Hands, qtbot: object
) -> None:
    layout = grid.layout_now
    point = QPoint(layout.x_of(2) + 20, 8)
    hands.click(point, button=Qt.MouseButton.RightButton)
    assert grid.selection == [Region(0, 2, grid.extent.rows, 3)]
    assert grid.mouse.place_of(point) == "columns"
    assert grid.mouse.place_of(QPoint(5, layout.y_of(3) + 5)) == "rows"
    assert grid.mouse.place_of(QPoint(3, 3)) == "corner"


def test_a_decimal_comma_is_understood(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    hands.type("3,5")
    hands.press("Return")
    hands.type("1,234")
    hands.press("Return")
    assert [document.value("A1"), document.value("A2")] == [3.5, 1234.0]
