"""The rules of selecting, without a window."""

from __future__ import annotations

from gradsheet.formula.address import Cell, Region
from gradsheet.qt.grid.selection import Selection


def test_a_stretch_spans_from_the_current_cell_in_any_direction() -> None:
    selection = Selection(100, 50)
    selection.collapse(Cell(5, 5))
    selection.stretch(Cell(2, 8))
    assert selection.regions == [Region(2, 5, 6, 9)]
    assert selection.current == Cell(5, 5)
    selection.stretch(Cell(7, 1))
    assert selection.regions == [Region(5, 1, 8, 6)]


def test_nothing_outside_the_sheet_is_selected() -> None:
    selection = Selection(10, 10)
    selection.collapse(Cell(99, -4))
    assert selection.current == Cell(9, 0)
    selection.replace(Region(5, 5, 50, 50))
    assert selection.regions == [Region(5, 5, 10, 10)]
    selection.replace(Region(20, 20, 30, 30))
    assert selection.is_single


def test_replacing_keeps_a_current_cell_that_lies_inside() -> None:
    selection = Selection(10, 10)
    selection.replace(Region(1, 1, 4, 4), Cell(3, 3))
    assert selection.current == Cell(3, 3)
    assert selection.reach == Cell(1, 1)
    selection.replace(Region(1, 1, 4, 4), Cell(9, 9))
    assert selection.current == Cell(1, 1)


def test_enter_goes_down_columns_and_tab_along_rows_inside_a_selection() -> None:
    selection = Selection(10, 10)
    selection.replace(Region(1, 1, 3, 3))
    seen = []
    for _ in range(4):
        selection.cycle(forward=True, by_rows=False)
        seen.append(str(selection.current))
    assert seen == ["B3", "C2", "C3", "B2"]
    seen = []
    for _ in range(4):
        selection.cycle(forward=True, by_rows=True)
        seen.append(str(selection.current))
    assert seen == ["C2", "B3", "C3", "B2"]
    selection.cycle(forward=False, by_rows=True)
    assert selection.current == Cell(2, 2)
    assert selection.regions == [Region(1, 1, 3, 3)]


def test_cycling_goes_on_in_the_next_region() -> None:
    selection = Selection(10, 10)
    selection.replace([Region(0, 0, 1, 1), Region(5, 5, 6, 7)], Cell(0, 0))
    selection.cycle(forward=True, by_rows=True)
    assert selection.current == Cell(5, 5)
    selection.cycle(forward=False, by_rows=True)
    assert selection.current == Cell(0, 0)


def test_whole_rows_and_columns_are_spanned_in_either_order() -> None:
    selection = Selection(10, 6)
    selection.span_rows(4, 2)
    assert selection.regions == [Region(2, 0, 5, 6)]
    assert selection.current == Cell(4, 0)
    selection.span_columns(1, 3)
    assert selection.regions == [Region(0, 1, 10, 4)]
