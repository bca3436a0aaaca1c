"""Blocks, footprints, order and resolution of names, without computing anything."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sheets import Book

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.areas import Part, area_of, footprint, rectangles
from gradsheet.formula.graph import Graph
from gradsheet.formula.order import cycle_through, strong_components
from gradsheet.formula.recurrence import unrolled
from gradsheet.formula.syntax import parse


@given(st.sets(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=60))
def test_rectangles_cover_every_cell_once(cells: set[tuple[int, int]]) -> None:
    found = [cell for shape in rectangles(cells) for cell in Part(0, *shape).cells()]
    assert sorted(found) == sorted(cells)


@pytest.mark.parametrize(
    ("cells", "count"),
    [
        ([(r, c) for r in range(5) for c in range(7)], 1),
        ([(r, c) for r in range(0, 10, 2) for c in range(0, 9, 3)], 1),
        ([(0, 0), (1, 0), (2, 0), (5, 5)], 2),
    ],
)
def test_a_grid_is_one_rectangle(cells: list[tuple[int, int]], count: int) -> None:
    assert len(rectangles(cells)) == count


def test_an_area_follows_relative_ends_and_stays_at_absolute_ones() -> None:
    part = Part(0, 25, 7, 15, 15)
    area = area_of(parse("=$B26:$F26", part.host), 0, part)  # type: ignore[arg-type]
    assert (area.top, area.left, area.height, area.width) == (25, 1, 1, 5)
    assert (area.row_step, area.col_step) == (1, 0)
    assert area.hull(15, 15) == Region.parse("B26:F40")


def test_a_footprint_with_strides_leaves_out_the_rows_between() -> None:
    part = Part(0, 0, 3, 4, 1, 2, 1)
    area = area_of(parse("=A1", part.host), 0, part)  # type: ignore[arg-type]
    ((rows, _),) = footprint(area, 4, 1)
    assert list(range(rows.start, rows.stop, rows.step)) == [0, 2, 4, 6]


def test_strong_components_come_after_what_they_read() -> None:
    reads = [[1], [2], [0, 3], [], [4], [0, 4]]
    groups = strong_components(reads)
    assert groups.index([3]) < groups.index([0, 1, 2]) < groups.index([5])
    assert [4] in groups
    assert cycle_through(reads, [0, 1, 2]) in ([0, 2, 1, 0], [1, 0, 2, 1], [2, 1, 0, 2])


@given(st.lists(st.lists(st.integers(0, 9), max_size=4), min_size=10, max_size=10))
def test_every_node_is_in_one_component_behind_its_sources(reads: list[list[int]]) -> None:
    groups = strong_components(reads)
    place = {node: i for i, group in enumerate(groups) for node in group}
    assert sorted(place) == list(range(10))
    assert all(place[source] <= place[node] for node in range(10) for source in reads[node])


def test_a_deep_chain_of_formulas_does_not_recurse() -> None:
    assert len(strong_components([[i + 1] for i in range(50_000)] + [[]])) == 50_001


def test_a_recurrence_is_split_into_rows_that_run_at_once() -> None:
    book = Book()
    book.put("A2:D9", "=A1+1")
    graph = Graph(book, {})
    (component,) = graph.components
    steps = unrolled(graph, component).steps
    assert component.is_recurrence
    assert [(step.part.rows, step.part.cols) for step in steps] == [(1, 4)] * 8


def test_only_blocks_on_a_circle_of_blocks_are_split() -> None:
    book = Book()
    book.put("B1:B9", "=A1*2")
    book.put("C2:C9", "=C1+B2")
    graph = Graph(book, {})
    assert sorted(c.is_recurrence for c in graph.components) == [False, True]


def test_a_row_of_an_address_is_no_precedent() -> None:
    book = Book()
    book.put("A1:A3", "=ROW(A1)+ROWS(A$1:A1)")
    graph = Graph(book, {})
    assert not any(component.is_recurrence for component in graph.components)


def test_blocks_are_found_by_cell_and_region() -> None:
    book = Book()
    book.put("B1:B9", "=A1*2")
    book.put("D1", "=SUM(B1:B9)")
    graph = Graph(book, {})
    assert graph.owner(0, Cell(4, 1)) is not None
    assert graph.owner(0, Cell(4, 2)) is None
    assert len(graph.blocks_in(0, Region.parse("A1:D1"))) == 2
    assert graph.readers_of(0, Region.parse("B5")) == {graph.owner(0, Cell(0, 3))}


def test_the_graph_does_not_reach_torch() -> None:
    code = "import sys, gradsheet.formula.graph; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
