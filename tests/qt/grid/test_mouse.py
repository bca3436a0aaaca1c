"""Clicks, drags and the wheel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from gradsheet.formula.address import Cell, Region
from gradsheet.qt.grid.view import GridView

if TYPE_CHECKING:
    from tests.qt.grid.conftest import Hands, SheetDocument


def turn_wheel(
    grid: GridView,
    notches: int,
    modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
) -> None:
    middle = QPointF(grid.viewport().rect().center())
    event = QWheelEvent(
        middle,
        QPointF(grid.viewport().mapToGlobal(middle.toPoint())),
        QPoint(),
        QPoint(0, -120 * notches),
        Qt.MouseButton.NoButton,
        modifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(grid.viewport(), event)


def test_a_click_selects_and_shift_click_extends(grid: GridView, hands: Hands) -> None:
    hands.click("C4")
    assert grid.current == Cell.parse("C4")
    hands.click("E6", Qt.KeyboardModifier.ShiftModifier)
    assert grid.selection == [Region.parse("C4:E6")]
    assert grid.current == Cell.parse("C4")


def test_ctrl_click_adds_a_region(grid: GridView, hands: Hands) -> None:
    hands.click("A1")
    hands.click("C3", Qt.KeyboardModifier.ControlModifier)
    assert [str(region) for region in grid.selection] == ["A1", "C3"]
    hands.press("Escape")
    assert grid.selection == [Region.parse("C3")]


def test_dragging_selects_a_region(grid: GridView, hands: Hands) -> None:
    hands.drag(hands.point("B2"), hands.point("D5"))
    assert grid.selection == [Region.parse("B2:D5")]


def test_a_drag_held_below_the_edge_scrolls(qtbot, grid: GridView, hands: Hands) -> None:
    port, left = grid.viewport(), Qt.MouseButton.LeftButton
    none = Qt.KeyboardModifier.NoModifier
    below = QPoint(hands.point("B2").x(), port.height() + 40)
    QTest.mousePress(port, left, none, hands.point("B2"))
    QTest.mouseMove(port, below)
    bottom = grid.visible_region().bottom
    qtbot.waitUntil(lambda: grid.visible_region().top > 3)
    QTest.mouseRelease(port, left, none, below)
    assert grid.selection[0].bottom > bottom
    top = grid.visible_region().top
    QApplication.processEvents()
    assert grid.visible_region().top == top


def test_headers_select_rows_columns_and_everything(grid: GridView, hands: Hands) -> None:
    layout = grid.layout_now
    column_c = QPoint(hands.point("C1").x(), 5)
    hands.click(column_c)
    assert grid.selection == [Region(0, 2, grid.extent.rows, 3)]
    hands.click(QPoint(hands.point("E1").x(), 5), Qt.KeyboardModifier.ShiftModifier)
    assert grid.selection == [Region(0, 2, grid.extent.rows, 5)]
    hands.drag(QPoint(5, hands.point("A3").y()), QPoint(5, hands.point("A6").y()))
    assert grid.selection == [Region(2, 0, 6, grid.extent.cols)]
    hands.click(QPoint(layout.header_width // 2, layout.header_height // 2))
    assert grid.selection == [grid.extent.region]


def test_dragging_a_column_edge_is_one_edit(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    edge = QPoint(grid.layout_now.x_of(2) - 1, 8)
    hands.drag(edge, edge + QPoint(36, 0))
    assert grid.sheet.column_widths == {1: 100}
    assert len(document.changes) == 1
    assert grid.layout_now.columns.size(1) == 100
    document.undo()
    assert grid.layout_now.columns.size(1) == 64


def test_dragging_a_row_edge_resizes_all_rows_selected_with_it(
    grid: GridView, hands: Hands
) -> None:
    hands.drag(QPoint(5, hands.point("A2").y()), QPoint(5, hands.point("A4").y()))
    edge = QPoint(8, grid.layout_now.y_of(3) - 1)
    hands.drag(edge, edge + QPoint(0, 10))
    assert grid.sheet.row_heights == {1: 30, 2: 30, 3: 30}


def test_double_click_on_an_edge_fits_the_column_to_what_it_holds(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.put("B1", ("a text that is much wider than its column",), (1 / 3,))
    hands.double_click(QPoint(grid.layout_now.x_of(2) - 1, 8))
    wide = grid.sheet.column_widths[1]
    assert grid.faces.plain.width("a text that is much wider than its column") <= wide <= 300
    document.put("B1", (1.0,), (2.0,))
    hands.double_click(QPoint(grid.layout_now.x_of(2) - 1, 8))
    assert grid.sheet.column_widths[1] < 40


def test_the_pointer_shows_where_an_edge_can_be_dragged(grid: GridView, hands: Hands) -> None:
    port = grid.viewport()
    QTest.mouseMove(port, QPoint(grid.layout_now.x_of(2), 8))
    assert port.cursor().shape() == Qt.CursorShape.SplitHCursor
    QTest.mouseMove(port, hands.point("C3"))
    assert port.cursor().shape() == Qt.CursorShape.ArrowCursor


def test_the_wheel_scrolls_three_rows_a_notch(grid: GridView) -> None:
    turn_wheel(grid, 2)
    assert grid.visible_region().top == 6
    turn_wheel(grid, -5)
    assert grid.visible_region().top == 0
    turn_wheel(grid, 1, Qt.KeyboardModifier.ShiftModifier)
    assert grid.layout_now.scroll_x > 0


def test_ctrl_and_wheel_zooms_and_keeps_the_first_cell(grid: GridView, qtbot) -> None:
    grid.select(Cell(500, 0))
    top = grid.visible_region().top
    with qtbot.waitSignal(grid.zoom_changed):
        turn_wheel(grid, -3, Qt.KeyboardModifier.ControlModifier)
    assert grid.zoom > 1.2
    assert grid.visible_region().top == top
    grid.zoom = 99.0
    assert grid.zoom == 4.0
    grid.zoom = 1.0


def test_a_right_click_selects_a_cell_outside_the_selection_only(
    grid: GridView, hands: Hands
) -> None:
    grid.select(Region.parse("B2:C3"))
    hands.click("C3", button=Qt.MouseButton.RightButton)
    assert grid.selection == [Region.parse("B2:C3")]
    hands.click("F6", button=Qt.MouseButton.RightButton)
    assert grid.selection == [Region.parse("F6")]


def test_the_scroll_bar_leads_to_the_end_of_what_is_used(
    document: SheetDocument, grid: GridView
) -> None:
    document.put("A5000", (1.0,))
    grid.resize(grid.width() + 1, grid.height())
    bar = grid.verticalScrollBar()
    bar.setValue(bar.maximum())
    assert grid.visible_region().contains(Cell.parse("A5000"))
    assert bar.maximum() < 5100 * 20
    bar.setValue(0)
    assert grid.visible_region().top == 0
