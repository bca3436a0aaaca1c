"""Sparse storage of values, kinds and formulas."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradsheet.formula.address import MAX_COLS, MAX_ROWS, Cell, Region
from gradsheet.formula.syntax import parse
from gradsheet.formula.values import Kind
from gradsheet.sheet.cells import CellStore, Direction, Formula

SUM = Formula(parse("=SUM(A1:A3)", Cell(9, 9)))


def test_an_empty_store_reads_blank_everywhere() -> None:
    store = CellStore()
    values, kinds = store.read(Region(99_990, 9_990, 100_000, 10_000))
    assert values.shape == (10, 10)
    assert values.dtype == np.float64
    assert kinds.dtype == np.uint8
    assert not values.any()
    assert not kinds.any()
    assert store.used().is_empty
    assert store.get((5, 5)) == (0.0, Kind.BLANK)


def test_blank_and_zero_are_different() -> None:
    store = CellStore()
    store.write(Region.parse("A1:B1"), [[0.0, 0.0]], [[Kind.NUMBER, Kind.BLANK]])
    assert store.get((0, 0)) == (0.0, Kind.NUMBER)
    assert store.get((0, 1)) == (0.0, Kind.BLANK)
    assert store.used() == Region.parse("A1")


@given(st.floats(allow_nan=False))
def test_doubles_come_back_bit_by_bit(value: float) -> None:
    store = CellStore()
    store.write(Region.of((200, 40)), value)
    assert struct.pack("<d", store.get((200, 40))[0]) == struct.pack("<d", value)


def test_what_is_read_is_a_copy() -> None:
    store = CellStore()
    store.write(Region.parse("A1:C3"), 1.0)
    values, kinds = store.read(Region.parse("A1:C3"))
    values[:] = 7.0
    kinds[:] = Kind.ERROR
    assert store.get((1, 1)) == (1.0, Kind.NUMBER)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_the_store_agrees_with_one_big_array(data: st.DataObject) -> None:
    store, values, kinds = CellStore(), np.zeros((300, 60)), np.zeros((300, 60), np.uint8)
    whole = Region(0, 0, 300, 60)
    for _ in range(data.draw(st.integers(1, 8))):
        top, left = data.draw(st.integers(0, 299)), data.draw(st.integers(0, 59))
        bottom, right = data.draw(st.integers(top, 300)), data.draw(st.integers(left, 60))
        region = Region(top, left, bottom, right)
        at = region.slices_in(whole)
        rng = np.random.default_rng(data.draw(st.integers(0, 99)))
        match data.draw(st.sampled_from(["write", "sparse", "clear", "put"])):
            case "write":
                values[at], kinds[at] = rng.normal(size=region.shape), Kind.NUMBER
                store.write(region, values[at])
            case "sparse":
                kinds[at] = rng.integers(0, 5, region.shape)
                values[at] = np.where(kinds[at] == 0, 0.0, rng.integers(1, 8, region.shape))
                store.write(region, values[at] + (kinds[at] == 0), kinds[at])
            case "clear":
                values[at], kinds[at] = 0.0, 0
                store.clear(region)
            case "put":
                rows, cols = rng.integers(0, 300, 5), rng.integers(0, 60, 5)
                code = np.unique(rows * 100 + cols)
                rows, cols = code // 100, code % 100
                values[rows, cols], kinds[rows, cols] = 3.0, Kind.NUMBER
                store.put(rows, cols, np.full(len(code), 3.0), np.ones(len(code), np.uint8))
    got_values, got_kinds = store.read(whole)
    assert np.array_equal(got_values, values)
    assert np.array_equal(got_kinds, kinds)
    rows, cols = np.nonzero(kinds)
    hull = Region(0, 0, 0, 0)
    if len(rows):
        hull = Region(int(rows.min()), int(cols.min()), int(rows.max()) + 1, int(cols.max()) + 1)
    assert store.used() == hull
    taken = store.take(np.arange(60), np.arange(60))
    assert np.array_equal(taken[0], values[np.arange(60), np.arange(60)])
    pieces = np.zeros_like(values)
    for region, part, _ in store.contents(whole):
        pieces[region.slices_in(whole)] = part
    assert np.array_equal(pieces, values)


def test_a_shape_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="broadcast"):
        CellStore().write(Region.parse("A1:B2"), np.zeros((3, 3)))
    with pytest.raises(ValueError, match="begin at 0"):
        CellStore().write(Region(-1, 0, 1, 1), 0.0)


def test_far_apart_cells_cost_only_their_tiles() -> None:
    store = CellStore()
    for cell in ((0, 0), (99_999, 9_999), (50_000, 5_000)):
        store.write(Region.of(cell), 1.0)
    assert store.used() == Region(0, 0, 100_000, 10_000)
    assert len(store.contents(Region(0, 0, MAX_ROWS, MAX_COLS))) == 3
    store.clear(Region(1, 1, MAX_ROWS, MAX_COLS))
    assert store.used() == Region.parse("A1")


def test_formulas_are_kept_beside_values() -> None:
    store = CellStore()
    store.set_formula((9, 9), SUM)
    store.write(Region.of((9, 9)), 6.0)
    assert store.formula((9, 9)) is SUM
    assert store.formula(Cell(0, 0)) is None
    assert store.formulas() == {Cell(9, 9): SUM}
    assert store.formulas_in(Region(0, 0, 9, 9)) == {}
    assert store.formulas_in(Region(0, 0, 500, 500)) == {Cell(9, 9): SUM}
    assert store.formula_count == 1
    store.set_formula((9, 9), None)
    assert store.get((9, 9)) == (6.0, Kind.NUMBER)
    assert store.formula_count == 0


def test_a_formula_without_a_value_counts_as_used() -> None:
    store = CellStore()
    store.set_formula((9, 9), SUM)
    assert store.used() == Region.parse("J10")
    store.set_formula((9, 9), None)
    assert store.used().is_empty


def test_the_formulas_given_do_not_change_while_they_are_walked() -> None:
    store = CellStore()
    store.set_formula((0, 0), SUM)
    for cell in store.formulas():
        store.set_formula((cell.row + 1, 0), SUM)
    assert store.formula_count == 2


def edge_by_hand(line: list[bool], start: int, step: int) -> int:
    """Ctrl and arrow, cell by cell."""
    last = len(line) - 1 if step > 0 else 0
    at = start
    if at == last:
        return at
    if line[at] and line[at + step]:
        while at != last and line[at + step]:
            at += step
        return at
    at += step
    while at != last and not line[at]:
        at += step
    return at


@given(st.lists(st.integers(0, 299), max_size=14), st.integers(0, 299), st.booleans(),
       st.booleans(), st.integers(1, 160))  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_ctrl_and_arrow_lead_to_the_edge_of_the_block(
    starts: list[int], at: int, vertical: bool, forward: bool, length: int
) -> None:
    store = CellStore()
    line = [False] * 300
    for start in starts:
        for i in range(start, min(300, start + length)):
            line[i] = True
            store.write(Region.of((i, 20) if vertical else (20, i)), 1.0)
    direction: Direction = (
        ("down" if forward else "up") if vertical else ("right" if forward else "left")
    )
    expected = edge_by_hand(line, at, 1 if forward else -1)
    cell = store.next_edge((at, 20) if vertical else (20, at), direction, Region(0, 0, 300, 300))
    assert cell == (Cell(expected, 20) if vertical else Cell(20, expected))


def test_ctrl_and_arrow_on_an_empty_sheet_lead_to_its_rim() -> None:
    store = CellStore()
    assert store.next_edge((5, 5), "down") == Cell(MAX_ROWS - 1, 5)
    assert store.next_edge((5, 5), "right") == Cell(5, MAX_COLS - 1)
    assert store.next_edge((5, 5), "up") == Cell(0, 5)
    assert store.next_edge((5, 0), "left") == Cell(5, 0)


def test_formulas_count_as_occupied_for_ctrl_and_arrow() -> None:
    store = CellStore()
    store.set_formula((9, 9), SUM)
    assert store.next_edge((0, 9), "down") == Cell(9, 9)


@pytest.mark.parametrize("axis", ["row", "column"])
def test_lines_open_and_close_like_those_of_an_array(axis: str) -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(size=(300, 40))
    store = CellStore()
    store.write(Region(0, 0, 300, 40), values)
    store.set_formula((250, 30), SUM)
    along = 0 if axis == "row" else 1
    at = 100 if axis == "row" else 10
    if axis == "row":
        store.insert_lines("row", at, 7)
    else:
        store.insert_lines("column", at, 7)
    wider = np.insert(values, [at] * 7, 0.0, axis=along)
    got, kinds = store.read(Region(0, 0, *wider.shape))
    assert np.array_equal(got, wider)
    assert not np.take(kinds, range(at, at + 7), axis=along).any()
    assert store.formula((257, 30) if axis == "row" else (250, 37)) is SUM
    if axis == "row":
        store.delete_lines("row", at - 5, 12)
    else:
        store.delete_lines("column", at - 5, 12)
    shorter = np.delete(values, range(at - 5, at), axis=along)
    assert np.array_equal(store.read(store.used())[0], shorter)
