"""Cells that are cut and pasted: references follow them, as in Excel."""

from __future__ import annotations

import pytest

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import parse, unparse
from gradsheet.formula.values import ErrorCode, UserError
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.colour_scale import ColourScale
from gradsheet.sheet.edits import (
    AddSheet,
    DefineName,
    FormatChange,
    MoveCells,
    SetCells,
    SetFormat,
    SetNote,
    SetRoles,
    SetScales,
)
from gradsheet.sheet.workbook import Role, RoleRegion, Workbook


def book(**formulas: str) -> Workbook:
    """A workbook of the sheets Data and Other with formulas on the first one."""
    workbook = Workbook.with_sheet("Data")
    workbook.apply(AddSheet("Other"))
    cells = tuple(
        (Cell.parse(at), Formula(parse(text, Cell.parse(at)))) for at, text in formulas.items()
    )
    workbook.apply(SetCells(1, cells))
    return workbook


def texts(workbook: Workbook, sheet: int = 1) -> dict[str, str]:
    cells = workbook.sheet(sheet).cells
    return {str(c): unparse(f.expr, c) for c, f in cells.formulas().items()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("=B2", "=E5"), ("=$B$2*2", "=$E$5*2"), ("=B$3", "=E$6"), ("=SUM(B2:B3)", "=SUM(E5:E6)"),
        ("=SUM(B2:B4)", "=SUM(B2:B4)"), ("=SUM(A1:C9)", "=SUM(A1:C9)"), ("=A1", "=A1"),
        ("=E5", "=#REF!"), ("=SUM(E5:E6)", "=SUM(#REF!)"), ("=SUM(E5:E7)", "=SUM(E5:E7)"),
        ("=Data!B2", "=Data!E5"), ("=Other!B2", "=Other!B2"), ("=B:B", "=B:B"), ("=B2#", "=E5#"),
    ],
)  # fmt: skip
def test_a_formula_elsewhere_follows_what_moves(text: str, expected: str) -> None:
    workbook = book(H20=text)
    inverse, _ = workbook.apply(MoveCells(1, Region.parse("B2:B3"), Cell.parse("E5")))
    assert texts(workbook) == {"H20": expected}
    workbook.apply(inverse)
    assert texts(workbook) == {"H20": text}


def test_a_moved_formula_means_the_same_cells() -> None:
    workbook = book(B2="=A1+$C$3+SUM(A:A)", B3="=B2*2")
    workbook.apply(MoveCells(1, Region.parse("B2:B3"), Cell.parse("F9")))
    assert texts(workbook) == {"F9": "=A1+$C$3+SUM(A:A)", "F10": "=F9*2"}


def test_to_another_sheet_references_name_their_sheets() -> None:
    workbook = book(B2="=A1+B3", B3="=1", D1="=B2")
    inverse, change = workbook.apply(
        MoveCells(1, Region.parse("B2:B3"), Cell.parse("C5"), to_sheet=2)
    )
    assert texts(workbook, 2) == {"C5": "=Data!A1+C6", "C6": "=1"}
    assert texts(workbook) == {"D1": "=Other!C5"}
    assert (2, Region.parse("C5:C6")) in change.values
    workbook.apply(inverse)
    assert texts(workbook) == {"B2": "=A1+B3", "B3": "=1", "D1": "=B2"}
    assert texts(workbook, 2) == {}


def test_overlapping_cells_move_whole() -> None:
    workbook = Workbook.with_sheet()
    workbook.apply(SetCells(1, tuple((Cell(row, 0), float(row)) for row in range(4))))
    workbook.apply(MoveCells(1, Region.parse("A1:A4"), Cell(1, 0)))
    values, kinds = workbook.sheets[0].cells.read(Region.parse("A1:A5"))
    assert kinds[:, 0].tolist() == [0, 1, 1, 1, 1]
    assert values[:, 0].tolist() == [0, 0, 1, 2, 3]


def test_looks_notes_roles_and_scales_go_along() -> None:
    workbook = Workbook.with_sheet()
    here = Region.parse("B2:B3")
    workbook.apply(SetFormat(1, here, FormatChange(bold=True)))
    workbook.apply(SetNote(1, Cell.parse("B2"), "look"))
    workbook.apply(SetRoles(1, (RoleRegion(here, Role.ITEM, "x"),)))
    workbook.apply(SetScales(1, (ColourScale(here, "#0072B2", "#E69F00"),)))
    before = workbook.sheets[0].facts()
    inverse, _ = workbook.apply(MoveCells(1, here, Cell.parse("D4")))
    sheet = workbook.sheets[0]
    assert sheet.formats.at(Cell.parse("D5")).bold
    assert not sheet.formats.at(Cell.parse("B2")).bold
    assert sheet.notes == {Cell.parse("D4"): "look"}
    assert sheet.roles[0].region == sheet.scales[0].region == Region.parse("D4:D5")
    workbook.apply(inverse)
    assert workbook.sheets[0].facts() == before


def test_a_name_follows() -> None:
    workbook = book()
    workbook.apply(DefineName("rate", parse("=Data!$B$2", Cell(0, 0))))
    workbook.apply(MoveCells(1, Region.parse("B2"), Cell.parse("F9")))
    assert unparse(workbook.names[0].expr, Cell(0, 0)) == "=Data!$F$9"


def test_a_part_of_an_array_formula_stays() -> None:
    workbook = Workbook.with_sheet()
    array = Formula(parse("=D1:D2", Cell(0, 0)), Region.parse("A1:A2"))
    workbook.apply(SetCells(1, ((Cell(0, 0), array), (Cell(5, 5), ErrorCode.NA))))
    with pytest.raises(UserError):
        workbook.apply(MoveCells(1, Region.parse("A2"), Cell(9, 9)))
    workbook.apply(MoveCells(1, Region.parse("A1:A2"), Cell(9, 9)))
    moved = workbook.sheets[0].cells.formula(Cell(9, 9))
    assert moved is not None
    assert moved.array == Region.parse("J10:J11")
