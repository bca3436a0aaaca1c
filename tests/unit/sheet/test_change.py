"""What edits report."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gradsheet.formula.address import Cell, Region
from gradsheet.sheet.change import Change, regions_over

cells = st.lists(st.builds(Cell, st.integers(0, 9), st.integers(0, 9)), max_size=30)


@given(cells)
def test_regions_over_cells_are_disjoint_and_exact(chosen: list[Cell]) -> None:
    regions = regions_over(chosen)
    covered = [cell for region in regions for cell in region.cells()]
    assert len(covered) == len(set(covered))
    assert set(covered) == set(chosen)


def test_a_block_of_cells_is_one_region() -> None:
    block = Region.parse("B2:F40")
    assert regions_over(reversed(list(block.cells()))) == (block,)


def test_too_many_scattered_cells_are_covered_by_their_hull() -> None:
    scattered = [Cell(2 * i, 2 * i) for i in range(100)]
    assert regions_over(scattered) == (Region(0, 0, 199, 199),)


def test_changes_add_up() -> None:
    a = Change(values=((1, Region.parse("A1")),))
    b = Change(formats=((1, Region.parse("B1")),), structure=True)
    assert a | b == Change(a.values, (), b.formats, True)
