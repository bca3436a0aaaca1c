"""Cells, regions and their A1 spelling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradsheet.formula.address import Cell, Region, column_index, column_name

small = st.integers(0, 8)


@st.composite
def regions(draw: st.DrawFn) -> Region:
    top, left = draw(small), draw(small)
    return Region(top, left, top + draw(small), left + draw(small))


def test_columns_after_z_have_two_letters() -> None:
    assert [column_name(i) for i in (0, 25, 26, 701, 702, 16_383)] == [
        "A", "Z", "AA", "ZZ", "AAA", "XFD",
    ]  # fmt: skip


@given(st.integers(0, 10_000_000))
def test_a_column_name_reads_back_as_its_index(index: int) -> None:
    assert column_index(column_name(index)) == index
    assert column_index(column_name(index).lower()) == index


@given(st.integers(0, 2_000_000), st.integers(0, 20_000))
def test_a_cell_reads_back_from_its_text(row: int, col: int) -> None:
    assert Cell.parse(str(Cell(row, col))) == Cell(row, col)


def test_dollar_signs_are_allowed_in_a_cell() -> None:
    assert Cell.parse("$H$25") == Cell(24, 7)
    assert str(Cell(24, 7)) == "H25"


@pytest.mark.parametrize("text", ["", "A", "1", "A0", "A1B", "1A", "A-1", "A1:B2", "É1"])
def test_text_that_is_no_cell_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="cell"):
        Cell.parse(text)


def test_a_region_excludes_its_bottom_and_right() -> None:
    region = Region.parse("H2:V16")
    assert region == Region(1, 7, 16, 22)
    assert region.shape == (15, 15)
    assert region.contains(Cell(15, 21))
    assert not region.contains(Cell(16, 21))


def test_corners_come_in_any_order() -> None:
    assert Region.parse("V16:H2") == Region.parse("V2:H16") == Region.parse("H2:V16")


@given(regions())
def test_a_region_reads_back_from_its_text(region: Region) -> None:
    if not region.is_empty:
        assert Region.parse(str(region)) == region


@given(regions(), regions())
def test_intersection_is_the_set_of_cells_in_both(a: Region, b: Region) -> None:
    both = a.intersect(b)
    assert set(both.cells() if both else ()) == set(a.cells()) & set(b.cells())


@given(regions(), regions())
def test_the_parts_of_a_difference_are_disjoint_and_complete(a: Region, b: Region) -> None:
    parts = a.subtract(b)
    cells = [cell for part in parts for cell in part.cells()]
    assert len(cells) == len(set(cells))
    assert set(cells) == set(a.cells()) - set(b.cells())
    assert len(parts) <= 4


@given(regions(), regions())
def test_the_hull_is_the_smallest_region_around_both(a: Region, b: Region) -> None:
    hull = a.union_hull(b)
    assert hull.contains(a)
    assert hull.contains(b)
    cells = [*a.cells(), *b.cells()]
    if cells:
        assert hull.top == min(cell.row for cell in cells)
        assert hull.right == max(cell.col for cell in cells) + 1


@given(regions(), st.integers(-5, 5), st.integers(-5, 5))
def test_shifting_there_and_back_changes_nothing(region: Region, rows: int, cols: int) -> None:
    assert region.shift(rows, cols).shift(-rows, -cols) == region
    assert region.shift(rows, cols).shape == region.shape


def test_slices_address_a_region_in_its_surroundings() -> None:
    assert Region.parse("C3:D5").slices_in(Region.parse("B2:F9")) == (slice(1, 4), slice(1, 3))
    with pytest.raises(ValueError, match="inside"):
        Region.parse("A1").slices_in(Region.parse("B2:F9"))


def test_an_empty_region_has_no_cells_and_meets_nothing() -> None:
    empty = Region(3, 3, 3, 9)
    assert empty.is_empty
    assert empty.size == 0
    assert empty.intersect(Region(0, 0, 9, 9)) is None
    assert Region(0, 0, 2, 2).contains(empty)


def test_regions_sort_by_row() -> None:
    assert sorted([Region.parse("A2"), Region.parse("B1")]) == [
        Region.parse("B1"), Region.parse("A2"),
    ]  # fmt: skip
