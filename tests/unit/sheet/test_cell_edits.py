"""Typing, pasting, clearing and filling cells."""

from __future__ import annotations

import numpy as np
import pytest

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import parse, unparse
from gradsheet.formula.values import ErrorCode, Kind, Scalar, UserError, unpack
from gradsheet.sheet.cells import Content, Formula
from gradsheet.sheet.edits import (
    ClearCells,
    Composite,
    Fill,
    FormatChange,
    SetCells,
    SetFormat,
    SetValues,
)
from gradsheet.sheet.workbook import Workbook


def book(**cells: Content) -> Workbook:
    """A workbook of one sheet with contents by address; text with `=` is a formula."""
    workbook = Workbook.with_sheet()
    put(workbook, **cells)
    return workbook


def put(workbook: Workbook, **cells: Content) -> None:
    contents: list[tuple[Cell, Content]] = []
    for address, content in cells.items():
        cell = Cell.parse(address)
        if isinstance(content, str) and content.startswith("="):
            content = Formula(parse(content, cell))
        contents.append((cell, content))
    workbook.apply(SetCells(workbook.sheets[0].id, tuple(contents)))


def shown(workbook: Workbook, address: str) -> Scalar:
    """The value of a cell, or the text of its formula."""
    cell = Cell.parse(address)
    store = workbook.sheets[0].cells
    formula = store.formula(cell)
    if formula is not None:
        return unparse(formula.expr, cell)
    return unpack(*store.get(cell), workbook.strings)


def column(workbook: Workbook, name: str, count: int) -> list[Scalar]:
    return [shown(workbook, f"{name}{row + 1}") for row in range(count)]


def test_every_kind_of_content_is_kept() -> None:
    workbook = book(A1=1.5, A2="text", A3=True, A4=ErrorCode.NA, A5=0.0, A6="=A1*2")
    assert column(workbook, "A", 7) == [1.5, "text", True, ErrorCode.NA, 0.0, "=A1*2", None]


def test_an_edit_reports_where_values_and_formulas_changed() -> None:
    workbook = book(A1="=1")
    sheet = workbook.sheets[0].id
    cells = ((Cell(0, 0), 5.0), (Cell(1, 0), 6.0), (Cell(4, 4), 7.0))
    _, change = workbook.apply(SetCells(sheet, cells))
    assert change.values == ((sheet, Region.parse("A1:A2")), (sheet, Region.parse("E5")))
    assert change.formulas == ((sheet, Region.parse("A1")),)
    assert not change.structure


def test_typing_a_constant_over_a_constant_changes_no_formula() -> None:
    workbook = book(A1=1.0)
    _, change = workbook.apply(SetCells(workbook.sheets[0].id, ((Cell(0, 0), 2.0),)))
    assert change.formulas == ()


def test_the_inverse_brings_back_formula_and_value() -> None:
    workbook = book(A1="=1+1")
    sheet = workbook.sheets[0]
    sheet.cells.write(Region.parse("A1"), 2.0)
    inverse, _ = workbook.apply(SetCells(sheet.id, ((Cell(0, 0), "gone"),)))
    workbook.apply(inverse)
    assert shown(workbook, "A1") == "=1+1"
    assert sheet.cells.get((0, 0)) == (2.0, Kind.NUMBER)


def test_the_inverse_leaves_neighbours_alone() -> None:
    workbook = book(A1=1.0, A3=3.0)
    sheet = workbook.sheets[0]
    cells = ((Cell(0, 0), 7.0), (Cell(2, 0), 7.0))
    inverse, _ = workbook.apply(SetCells(sheet.id, cells))
    sheet.cells.write(Region.parse("A2"), 99.0)
    workbook.apply(inverse)
    assert column(workbook, "A", 3) == [1.0, 99.0, 3.0]


def test_values_of_a_region_replace_formulas_and_come_back() -> None:
    workbook = book(A1="=1", A2=2.0)
    sheet = workbook.sheets[0].id
    region = Region.parse("A1:B2")
    kinds = np.array([[1, 0], [1, 1]], np.uint8)
    inverse, change = workbook.apply(SetValues(sheet, region, np.full((2, 2), 9.0), kinds))
    assert [shown(workbook, a) for a in ("A1", "B1", "A2", "B2")] == [9.0, None, 9.0, 9.0]
    assert change.formulas == ((sheet, Region.parse("A1")),)
    workbook.apply(inverse)
    assert [shown(workbook, a) for a in ("A1", "B1", "A2", "B2")] == ["=1", None, 2.0, None]


def test_the_inverse_of_values_holds_all_of_them_also_those_that_did_not_change() -> None:
    workbook = book(A1=1.0, A2=2.0)
    sheet = workbook.sheets[0]
    region = Region.parse("A1:A2")
    inverse, _ = workbook.apply(SetValues(sheet.id, region, *sheet.cells.read(region)))
    sheet.cells.write(region, 5.0)  # as a run writes its results, past the history
    workbook.apply(inverse)
    assert column(workbook, "A", 2) == [1.0, 2.0]


def test_clearing_whole_columns_is_cheap_and_exact() -> None:
    workbook = book(A1=1.0, A3="=A1", B1=2.0)
    sheet = workbook.sheets[0].id
    inverse, _ = workbook.apply(ClearCells(sheet, Region(0, 0, 1_048_576, 1)))
    assert column(workbook, "A", 3) == [None, None, None]
    assert shown(workbook, "B1") == 2.0
    workbook.apply(inverse)
    assert column(workbook, "A", 3) == [1.0, None, "=A1"]


def test_a_composite_happens_wholly_or_not_at_all() -> None:
    workbook = book(A1=1.0)
    sheet = workbook.sheets[0].id
    good = SetCells(sheet, ((Cell(0, 0), 2.0),))
    bad = SetCells(sheet, ((Cell(-1, 0), 2.0),))
    with pytest.raises(UserError):
        workbook.apply(Composite((good, bad), "both"))
    assert shown(workbook, "A1") == 1.0
    inverse, _ = workbook.apply(Composite((good, SetCells(sheet, ((Cell(0, 0), 3.0),)))))
    assert shown(workbook, "A1") == 3.0
    workbook.apply(inverse)
    assert shown(workbook, "A1") == 1.0


def test_cells_off_the_sheet_are_refused() -> None:
    workbook = book(A1=1.0)
    with pytest.raises(UserError, match="edge"):
        workbook.apply(SetCells(workbook.sheets[0].id, ((Cell(0, 0), 2.0), (Cell(0, 16_384), 2.0))))
    assert shown(workbook, "A1") == 1.0
    with pytest.raises(UserError, match="no longer"):
        workbook.apply(SetCells(99, ()))


def array_book() -> Workbook:
    """A2:A4 filled by an array formula in A2, next to constants."""
    workbook = book(B1=1.0)
    area = Region.parse("A2:A4")
    formula = Formula(parse("=B1:B3*2", Cell(1, 0)), area)
    workbook.apply(SetCells(workbook.sheets[0].id, ((Cell(1, 0), formula),)))
    workbook.sheets[0].cells.write(area, [[2.0], [4.0], [6.0]])
    return workbook


def test_part_of_an_array_formula_cannot_be_changed() -> None:
    workbook = array_book()
    sheet = workbook.sheets[0].id
    with pytest.raises(UserError, match="A3 is part of the array formula in A2:A4"):
        workbook.apply(SetCells(sheet, ((Cell(2, 0), 1.0),)))
    with pytest.raises(UserError, match="part of the array"):
        workbook.apply(SetValues(sheet, Region.parse("A3:B9"), 0.0))
    assert workbook.sheets[0].cells.get((2, 0)) == (4.0, Kind.NUMBER)


def test_replacing_an_array_formula_clears_what_it_filled() -> None:
    for edit in (
        SetCells(1, ((Cell(1, 0), 7.0),)),
        SetValues(1, Region.parse("A2"), 7.0),
    ):
        workbook = array_book()
        inverse, _ = workbook.apply(edit)
        assert column(workbook, "A", 5) == [None, 7.0, None, None, None]
        workbook.apply(inverse)
        assert column(workbook, "A", 5) == [None, "=B1:B3*2", 4.0, 6.0, None]
        assert workbook.sheets[0].cells.get((1, 0)) == (2.0, Kind.NUMBER)


def fill(workbook: Workbook, source: str, target: str, series: bool = False) -> None:
    edit = Fill(workbook.sheets[0].id, Region.parse(source), Region.parse(target), series)
    workbook.apply(edit)


def test_filling_down_copies_relative_formulas() -> None:
    workbook = book(A1=1.0, B1="=A1*$C$1")
    fill(workbook, "B1", "B1:B3")
    assert column(workbook, "B", 3) == ["=A1*$C$1", "=A2*$C$1", "=A3*$C$1"]


def test_filling_off_the_sheet_gives_lost_references() -> None:
    workbook = book(B2="=A1")
    fill(workbook, "B2", "A1:B2")
    assert shown(workbook, "A1") == "=#REF!"


def test_a_pattern_repeats_in_both_directions() -> None:
    workbook = book(A3=1.0, A4="x")
    fill(workbook, "A3:A4", "A1:A7")
    assert column(workbook, "A", 7) == [1.0, "x", 1.0, "x", 1.0, "x", 1.0]
    workbook = book(A1=1.0, B1="=A1")
    fill(workbook, "A1:B1", "A1:E2")
    assert [shown(workbook, a) for a in ("C1", "D1", "E1", "A2", "B2")] == [
        1.0, "=C1", 1.0, 1.0, "=A2",
    ]  # fmt: skip


def test_blank_cells_are_filled_as_blank() -> None:
    workbook = book(A1=1.0, A4=9.0)
    fill(workbook, "A1:A2", "A1:A4")
    assert column(workbook, "A", 4) == [1.0, None, 1.0, None]


def test_series_go_on_with_numbers_and_counted_texts() -> None:
    workbook = book(A1=1.0, A2=3.0, B1="item 9", C1=5.0, D1="Q07", E1="=A1", F1="plain")
    fill(workbook, "A1:A2", "A1:A5", series=True)
    for name in "BCDEF":
        fill(workbook, f"{name}1", f"{name}1:{name}3", series=True)
    assert column(workbook, "A", 5) == [1.0, 3.0, 5.0, 7.0, 9.0]
    assert column(workbook, "B", 3) == ["item 9", "item 10", "item 11"]
    assert column(workbook, "C", 3) == [5.0, 5.0, 5.0]
    assert column(workbook, "D", 3) == ["Q07", "Q08", "Q09"]
    assert column(workbook, "E", 3) == ["=A1", "=A2", "=A3"]
    assert column(workbook, "F", 3) == ["plain"] * 3


def test_series_go_backwards_and_sideways() -> None:
    workbook = book(A4=1.0, A5=2.0)
    fill(workbook, "A4:A5", "A1:A5", series=True)
    assert column(workbook, "A", 5) == [-2.0, -1.0, 0.0, 1.0, 2.0]
    workbook = book(A1=1.0, B1=1.5)
    fill(workbook, "A1:B1", "A1:D1", series=True)
    assert [shown(workbook, a) for a in ("C1", "D1")] == [2.0, 2.5]


def test_uneven_numbers_go_on_along_their_line() -> None:
    workbook = book(A1=1.0, A2=2.0, A3=6.0)
    fill(workbook, "A1:A3", "A1:A4", series=True)
    assert shown(workbook, "A4") == pytest.approx(8.0)


def test_filling_takes_the_looks_along() -> None:
    workbook = book(A1=1.0, B1=2.0)
    sheet = workbook.sheets[0]
    workbook.apply(SetFormat(sheet.id, Region.parse("B1"), FormatChange(number="0%")))
    before = sheet.formats
    inverse, _ = workbook.apply(Fill(sheet.id, Region.parse("A1:B1"), Region.parse("A1:B5")))
    assert sheet.formats.at((4, 1)).number == "0%"
    assert sheet.formats.at((4, 0)).number == "General"
    workbook.apply(inverse)
    assert sheet.formats == before


def test_part_of_an_array_formula_cannot_be_filled() -> None:
    workbook = array_book()
    with pytest.raises(UserError, match="array formula"):
        fill(workbook, "A2", "A2:A9")


def test_a_fill_of_the_whole_sheet_is_refused_in_words() -> None:
    workbook = book(A1=1.0)
    with pytest.raises(UserError, match="too many"):
        fill(workbook, "A1", "A1:XFD1048576")
