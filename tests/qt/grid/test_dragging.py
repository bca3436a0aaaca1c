"""The fill handle, cells and lines that are dragged elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import unparse
from gradsheet.qt.grid.view import GridView

if TYPE_CHECKING:
    from tests.qt.grid.conftest import Hands, SheetDocument

NONE, CTRL = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier
LEFT = Qt.MouseButton.LeftButton


def drag(
    grid: GridView,
    start: QPoint,
    end: QPoint,
    held: Qt.KeyboardModifier = NONE,
) -> None:
    """A drag whose modifier is held when the button is let go."""
    port = grid.viewport()
    QTest.mousePress(port, LEFT, NONE, start)
    QTest.mouseMove(port, (start + end) / 2)
    QTest.mouseMove(port, end)
    QTest.mouseRelease(port, LEFT, held, end)


def handle(grid: GridView) -> QPoint:
    return grid.handle_rect().center()


def edge(grid: GridView, address: str) -> QPoint:
    """The middle of the upper edge of a cell."""
    box = grid.layout_now.cell_rect(Cell.parse(address))
    return QPoint(box.center().x(), box.top())


def values(document: SheetDocument, *addresses: str) -> list[object]:
    return [document.value(address) for address in addresses]


def formula(document: SheetDocument, address: str) -> str:
    found = document.formula(address)
    assert found is not None
    return unparse(found.expr, Cell.parse(address))


def test_two_numbers_go_on_as_a_series(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.put("A1", (1.0,), (3.0,))
    grid.select(Region.parse("A1:A2"))
    drag(grid, handle(grid), hands.point("A5"))
    assert values(document, "A3", "A4", "A5") == [5.0, 7.0, 9.0]
    assert grid.selection == [Region.parse("A1:A5")]
    assert len(document.history.labels) == 1


def test_ctrl_copies_what_would_go_on(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.put("A1", (1.0,), (3.0,))
    grid.select(Region.parse("A1:A2"))
    drag(grid, handle(grid), hands.point("A5"), CTRL)
    assert values(document, "A3", "A4", "A5") == [1.0, 3.0, 1.0]


def test_one_number_is_copied_and_counts_with_ctrl(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.put("A1", (4.0,))
    grid.select(Cell.parse("A1"))
    drag(grid, handle(grid), hands.point("C1"))
    assert values(document, "B1", "C1") == [4.0, 4.0]
    document.undo()
    grid.select(Cell.parse("A1"))
    drag(grid, handle(grid), hands.point("C1"), CTRL)
    assert values(document, "B1", "C1") == [5.0, 6.0]


def test_names_with_numbers_count_on(document: SheetDocument, grid: GridView, hands: Hands) -> None:
    document.put("A1", ("factor 1",))
    grid.select(Cell.parse("A1"))
    drag(grid, handle(grid), hands.point("A3"))
    assert values(document, "A2", "A3") == ["factor 2", "factor 3"]


def test_upwards_and_leftwards_a_series_counts_back(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.put("D5", (10.0,), (12.0,))
    grid.select(Region.parse("D5:D6"))
    drag(grid, handle(grid), hands.point("D3"))
    assert values(document, "D3", "D4") == [6.0, 8.0]


def test_formulas_follow_when_they_are_filled(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.enter(grid.sheet_id, Cell.parse("B1"), "=A1*$D$1")
    grid.select(Cell.parse("B1"))
    drag(grid, handle(grid), hands.point("B4"))
    assert formula(document, "B4") == "=A4*$D$1"


def test_a_drag_shows_its_target_and_escape_gives_it_up(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.put("A1", (1.0,))
    grid.select(Cell.parse("A1"))
    port = grid.viewport()
    QTest.mousePress(port, LEFT, NONE, handle(grid))
    QTest.mouseMove(port, hands.point("A4"))
    assert [mark.region for mark in grid.overlay.marks("drag")] == [Region.parse("A1:A4")]
    hands.press("Escape")
    QTest.mouseRelease(port, LEFT, NONE, hands.point("A4"))
    assert document.value("A4") is None
    assert grid.overlay.marks("drag") == ()


def test_double_click_fills_down_beside_filled_cells(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.put("A1", (1.0,), (2.0,), (3.0,), (4.0,))
    document.enter(grid.sheet_id, Cell.parse("B1"), "=A1*2")
    grid.select(Cell.parse("B1"))
    hands.double_click(handle(grid))
    assert formula(document, "B4") == "=A4*2"
    assert document.formula("B5") is None


@pytest.mark.parametrize("corner", ["topLeft", "bottomRight"])
def test_a_click_on_any_part_of_the_handle_fills_nothing(
    document: SheetDocument, grid: GridView, hands: Hands, corner: str
) -> None:
    document.put("A1", (1.0,))
    grid.select(Cell.parse("A1"))
    at = getattr(grid.handle_rect().adjusted(-1, -1, 1, 1), corner)()
    QTest.mousePress(grid.viewport(), LEFT, NONE, at)
    QTest.mouseMove(grid.viewport(), at + QPoint(1, 1))
    QTest.mouseRelease(grid.viewport(), LEFT, NONE, at + QPoint(1, 1))
    assert grid.selection == [Region.parse("A1")]
    assert values(document, "B1", "A2", "B2") == [None, None, None]


def test_double_click_with_nothing_beside_fills_nothing(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.put("D1", (1.0,))
    grid.select(Cell.parse("D1"))
    hands.double_click(handle(grid))
    assert document.value("D2") is None


def test_ctrl_d_and_ctrl_r_fill_from_above_and_from_the_left(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.enter(grid.sheet_id, Cell.parse("B1"), "=A1+1")
    grid.select(Region.parse("B1:B3"))
    hands.press("Ctrl+D")
    assert formula(document, "B3") == "=A3+1"
    grid.select(Region.parse("B3:D3"))
    hands.press("Ctrl+R")
    assert formula(document, "D3") == "=C3+1"
    grid.select(Cell.parse("B4"))
    hands.press("Ctrl+D")
    assert formula(document, "B4") == "=A4+1"


def test_cells_dragged_by_their_edge_move_and_references_follow(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.put("B2", (7.0,), (8.0,))
    document.enter(grid.sheet_id, Cell.parse("A9"), "=SUM(B2:B3)")
    grid.select(Region.parse("B2:B3"))
    drag(grid, edge(grid, "B2"), hands.point("D4"))
    assert values(document, "B2", "D4", "D5") == [None, 7.0, 8.0]
    assert formula(document, "A9") == "=SUM(D4:D5)"
    assert grid.selection == [Region.parse("D4:D5")]
    document.undo()
    assert formula(document, "A9") == "=SUM(B2:B3)"


def test_ctrl_at_the_end_of_the_drag_copies(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.enter(grid.sheet_id, Cell.parse("B2"), "=A2*2")
    grid.select(Cell.parse("B2"))
    drag(grid, edge(grid, "B2"), hands.point("B5"), CTRL)
    assert formula(document, "B2") == "=A2*2"
    assert formula(document, "B5") == "=A5*2"


def test_a_drag_back_to_its_place_is_no_edit(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.put("B2", (7.0,))
    grid.select(Cell.parse("B2"))
    before = len(document.history.labels)
    drag(grid, edge(grid, "B2"), hands.point("B2"))
    assert len(document.history.labels) == before


def test_a_selected_column_dragged_by_its_header_moves(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.put("B1", (1.0, 2.0))
    document.enter(grid.sheet_id, Cell.parse("H1"), "=B1")
    layout = grid.layout_now
    grid.alter_selection(lambda s: s.span_columns(1, 1))
    start = QPoint(layout.x_of(1) + 30, 8)
    drag(grid, start, QPoint(layout.x_of(4) + 5, 8))
    assert values(document, "B1", "D1") == [2.0, 1.0]
    assert formula(document, "H1") == "=D1"
    assert grid.selection == [Region(0, 3, grid.extent.rows, 4)]


def test_a_selected_row_dragged_by_its_header_moves(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.put("A2", (1.0,), (2.0,), (3.0,))
    layout = grid.layout_now
    grid.alter_selection(lambda s: s.span_rows(3, 3))
    drag(grid, QPoint(10, layout.y_of(3) + 8), QPoint(10, layout.y_of(1) + 3))
    assert values(document, "A2", "A3", "A4") == [3.0, 1.0, 2.0]


def test_a_click_on_a_selected_header_selects_it_alone(grid: GridView, hands: Hands) -> None:
    layout = grid.layout_now
    grid.alter_selection(lambda s: s.span_columns(1, 3))
    hands.click(QPoint(layout.x_of(2) + 30, 8))
    assert grid.selection == [Region(0, 2, grid.extent.rows, 3)]


def test_the_pointer_shows_what_can_be_dragged(grid: GridView, hands: Hands) -> None:
    grid.select(Region.parse("B2:C3"))
    port = grid.viewport()
    QTest.mouseMove(port, hands.point("F9"))
    assert port.cursor().shape() == Qt.CursorShape.ArrowCursor
    QTest.mouseMove(port, handle(grid))
    assert port.cursor().shape() == Qt.CursorShape.CrossCursor
    QTest.mouseMove(port, edge(grid, "B2"))
    assert port.cursor().shape() == Qt.CursorShape.SizeAllCursor
    QTest.mouseMove(port, QPoint(grid.layout_now.x_of(2), 8))
    assert port.cursor().shape() == Qt.CursorShape.SplitHCursor


def test_there_is_no_handle_for_several_ranges_or_whole_lines(grid: GridView) -> None:
    grid.select([Region.parse("A1"), Region.parse("C3")])
    assert grid.handle_rect().isNull()
    grid.alter_selection(lambda s: s.span_columns(1, 1))
    assert grid.handle_rect().isNull()
    grid.select(Cell.parse("A1"))
    assert not grid.handle_rect().isNull()


@pytest.mark.parametrize("count", [2, 3])
def test_columns_selected_whole_are_resized_together(
    grid: GridView, hands: Hands, count: int
) -> None:
    layout = grid.layout_now
    grid.alter_selection(lambda s: s.span_columns(1, count))
    start = QPoint(layout.x_of(2) - 1, 8)
    hands.drag(start, start + QPoint(20, 0))
    assert set(grid.sheet.column_widths) == set(range(1, count + 1))
    assert len(set(grid.sheet.column_widths.values())) == 1
