"""Rows and columns to pixels and back, against plain addition, and far beyond 32 bits."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint

from gradsheet.formula.address import Cell, Region
from gradsheet.qt.grid.geometry import SCROLL_BAR_STEPS, Axis, Layout, px_per_step

sizes = st.dictionaries(st.integers(0, 40), st.integers(0, 90), max_size=8)
NOTHING_FROZEN = Cell(0, 0)
zooms = st.sampled_from([0.3, 0.5, 1.0, 1.1, 1.5, 4.0])


@given(sizes, zooms)
def test_an_offset_is_the_sum_of_the_sizes_before_it(
    overrides: dict[int, int], zoom: float
) -> None:
    axis = Axis(40, 20, overrides, zoom)
    position = 0
    for index in range(40):
        assert axis.offset(index) == position
        position += axis.size(index)
    assert axis.total == position
    assert axis.edges(range(3, 9)) == [axis.offset(i) for i in range(3, 10)]


@given(sizes, zooms, st.integers(0, 5000))
def test_the_item_at_a_pixel_covers_it(overrides: dict[int, int], zoom: float, px: int) -> None:
    axis = Axis(40, 20, overrides, zoom)
    index = axis.index_at(px)
    if px < axis.total:
        assert axis.offset(index) <= px < axis.offset(index) + axis.size(index)
    else:
        assert index == 39


def test_a_pixel_before_the_start_belongs_to_the_first_item_that_shows() -> None:
    assert Axis(10, 20, {0: 0, 1: 0}).index_at(-5) == 2


def test_a_step_goes_over_hidden_items_and_stops_at_the_ends() -> None:
    axis = Axis(10, 20, {3: 0, 4: 0, 9: 0})
    assert axis.step(2, 1) == 5
    assert axis.step(5, -1) == 2
    assert axis.step(8, 1) == 8
    assert axis.step(0, -3) == 0
    assert Axis(10, 20).step(4, 100) == 9


def layout(frozen: Cell = NOTHING_FROZEN, x: int = 0, y: int = 0, rows: int = 1000) -> Layout:
    return Layout(Axis(rows, 20), Axis(100, 64), 1000, 500, 50, 30, frozen, x, y)


def test_a_cell_is_found_where_its_rectangle_is() -> None:
    for scrolled in (layout(), layout(x=70, y=333), layout(Cell(2, 1), 70, 333)):
        for cell in (Cell(0, 0), Cell(1, 0), Cell(20, 5)):
            rect = scrolled.cell_rect(cell)
            under_frozen = (cell.row >= scrolled.frozen.row and rect.top() < scrolled.split_y) or (
                cell.col >= scrolled.frozen.col and rect.left() < scrolled.split_x
            )
            if not under_frozen:
                assert scrolled.cell_at(rect.center()) == cell


def test_frozen_cells_stay_when_the_rest_scrolls() -> None:
    before, after = layout(Cell(2, 1)), layout(Cell(2, 1), 640, 2000)
    assert before.cell_rect(Cell(1, 0)) == after.cell_rect(Cell(1, 0))
    assert len(after.panes()) == 4
    assert after.panes()[0].region == Region(0, 0, 2, 1)
    assert after.visible_region().top == 2 + 2000 // 20
    assert after.cell_at(QPoint(60, 35)) == Cell(0, 0)


def test_panes_cover_the_cells_without_overlap() -> None:
    for shown in (layout(), layout(Cell(2, 1), 640, 2000), layout(Cell(100, 0), 0, 50)):
        areas = [pane.area for pane in shown.panes()]
        assert sum(a.width() * a.height() for a in areas) == (1000 - 50) * (500 - 30)
        for i, a in enumerate(areas):
            assert not any(a.intersects(b) for b in areas[i + 1 :])


def test_scrolling_to_a_cell_moves_as_little_as_shows_all_of_it() -> None:
    at = layout()
    assert at.scroll_to_show(Cell(3, 3)) == (0, 0)
    x, y = at.scroll_to_show(Cell(100, 50))
    at_cell = layout(x=x, y=y)
    shown = at_cell.cell_rect(Cell(100, 50))
    assert 1000 - 64 < shown.right() + 1 <= 1000
    assert 500 - 20 < shown.bottom() + 1 <= 500
    first = at_cell.visible_region()
    assert at_cell.cell_rect(Cell(first.top, first.left)).topLeft() == QPoint(50, 30)
    assert layout(x=x, y=y).scroll_to_show(Cell(0, 0)) == (0, 0)


def test_twenty_five_million_rows_at_fourfold_zoom_keep_every_pixel() -> None:
    rows = Axis(25_000_000, 20, {7: 33}, zoom=4.0)
    assert rows.total == 25_000_000 * 80 + 132 - 80
    last = Layout(rows, Axis(4, 64), 1000, 500, 50, 30, scroll_y=rows.total - 470)
    assert last.max_scroll_y == rows.total - 470
    assert last.cell_rect(Cell(24_999_999, 0)).bottom() + 1 == 500
    assert last.row_at(499) == 24_999_999


def test_a_scroll_bar_never_needs_more_than_32_bits() -> None:
    for total in (0, 100, SCROLL_BAR_STEPS, 10 * SCROLL_BAR_STEPS + 7, 1 << 45):
        assert -(-total // px_per_step(total)) <= SCROLL_BAR_STEPS


def test_a_region_that_reaches_under_a_frozen_pane_shows_in_its_parts() -> None:
    shown = layout(Cell(2, 0), y=200)
    rects = shown.region_rects(Region(0, 0, 15, 1))
    assert [(r.top(), r.height()) for r in rects] == [(30, 40), (70, 60)]
