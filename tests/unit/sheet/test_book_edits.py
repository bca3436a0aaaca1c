"""Sheets that come, go and change their names; defined names."""

from __future__ import annotations

import pytest

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import parse, unparse
from gradsheet.formula.values import UserError
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.edits import (
    AddSheet,
    DefineName,
    DuplicateSheet,
    FormatChange,
    MoveSheet,
    RemoveSheet,
    RenameSheet,
    SetCells,
    SetFormat,
    SetRoles,
)
from gradsheet.sheet.workbook import Role, RoleRegion, Table, Workbook

A1 = Cell(0, 0)


def two_sheets(text: str = "=Data!A1+SUM(Data!B:B)") -> Workbook:
    """Sheets Data (id 1) and Other (id 2), whose A1 holds a formula."""
    workbook = Workbook.with_sheet("Data")
    workbook.apply(AddSheet("Other"))
    workbook.apply(SetCells(2, ((A1, Formula(parse(text, A1))),)))
    return workbook


def formula(workbook: Workbook) -> str:
    found = workbook.sheet(2).cells.formula(A1)
    assert found is not None
    return unparse(found.expr, A1)


def names(workbook: Workbook) -> list[str]:
    return [sheet.name for sheet in workbook.sheets]


def test_sheets_are_found_by_id_and_by_name_in_any_case() -> None:
    workbook = two_sheets()
    assert workbook.sheet(1).name == "Data"
    found = workbook.by_name("OTHER")
    assert found is workbook.sheet(2)
    assert workbook.by_name("none") is None
    assert workbook.sheet_ids() == [1, 2]
    assert workbook.sheet_id("data") == 1
    assert workbook.position(2) == 1


def test_an_added_sheet_keeps_its_id_through_undo_and_redo() -> None:
    workbook = Workbook.with_sheet()
    inverse, change = workbook.apply(AddSheet())
    assert names(workbook) == ["Sheet1", "Sheet2"]
    assert change.structure
    sheet = workbook.sheets[1]
    again, _ = workbook.apply(inverse)
    assert names(workbook) == ["Sheet1"]
    workbook.apply(again)
    assert workbook.sheets[1] is sheet
    workbook.apply(AddSheet(position=0))
    assert workbook.sheets[0].id not in (1, sheet.id)


def test_renaming_a_sheet_rewrites_every_reference_to_it() -> None:
    workbook = two_sheets("=DATA!A1+SUM(Data!B:B)+Data!A1#+Data!rate+Data!A1:INDEX(data!B2,1)+A1")
    workbook.apply(DefineName("rate", parse("=Data!$C$1", A1)))
    before = formula(workbook)
    inverse, _ = workbook.apply(RenameSheet(1, "my data"))
    assert names(workbook) == ["my data", "Other"]
    assert formula(workbook) == (
        "='my data'!A1+SUM('my data'!B:B)+'my data'!A1#+'my data'!rate"
        "+'my data'!A1:INDEX('my data'!B2,1)+A1"
    )
    rate = workbook.defined_name("rate", 2)
    assert rate is not None
    assert unparse(rate, A1) == "='my data'!$C$1"
    workbook.apply(inverse)
    assert names(workbook) == ["Data", "Other"]
    assert formula(workbook) == before


def test_a_sheet_may_change_the_case_of_its_name() -> None:
    workbook = two_sheets()
    workbook.apply(RenameSheet(1, "DATA"))
    assert formula(workbook) == "=DATA!A1+SUM(DATA!B:B)"


@pytest.mark.parametrize("name", ["", "  ", "x" * 32, "a/b", "a[b", "other", "'a", "a:b", "what?"])
def test_names_that_a_sheet_cannot_have_are_refused(name: str) -> None:
    workbook = two_sheets()
    with pytest.raises(UserError):
        workbook.apply(RenameSheet(1, name))
    assert names(workbook) == ["Data", "Other"]
    assert formula(workbook) == "=Data!A1+SUM(Data!B:B)"


def test_removing_a_sheet_loses_references_and_undo_finds_them_again() -> None:
    workbook = two_sheets("=Data!A1+SUM(Data!B:B,Data!A1:B2)+Data!A1#+A2")
    workbook.apply(DefineName("local", parse("=Data!$A$1", A1), 1))
    workbook.apply(DefineName("common", parse("=Data!$A$1", A1)))
    workbook.tables = (Table("T", 1, workbook.used(1), ("a",)),)
    workbook.apply(SetCells(1, ((A1, 5.0),)))
    before = formula(workbook), workbook.names, workbook.tables
    inverse, _ = workbook.apply(RemoveSheet(1))
    assert names(workbook) == ["Other"]
    assert formula(workbook) == "=#REF!+SUM(#REF!,#REF!)+#REF!+A2"
    assert [name.name for name in workbook.names] == ["common"]
    assert workbook.tables == ()
    workbook.apply(inverse)
    assert (formula(workbook), workbook.names, workbook.tables) == before
    assert workbook.sheet(1).cells.get(A1)[0] == 5.0


def test_the_last_sheet_stays() -> None:
    with pytest.raises(UserError, match="only sheet"):
        Workbook.with_sheet().apply(RemoveSheet(1))


def test_sheets_change_places() -> None:
    workbook = two_sheets()
    workbook.apply(AddSheet("Third"))
    inverse, _ = workbook.apply(MoveSheet(3, 0))
    assert names(workbook) == ["Third", "Data", "Other"]
    workbook.apply(inverse)
    assert names(workbook) == ["Data", "Other", "Third"]


def test_a_name_of_the_sheet_comes_before_one_of_the_workbook() -> None:
    workbook = two_sheets()
    workbook.apply(DefineName("rate", parse("=1", A1)))
    workbook.apply(DefineName("Rate", parse("=2", A1), 1))
    assert workbook.defined_name("RATE", 1) == parse("=2", A1)
    assert workbook.defined_name("RATE", 2) == parse("=1", A1)
    inverse, _ = workbook.apply(DefineName("rate", None))
    assert workbook.defined_name("rate", 2) is None
    workbook.apply(inverse)
    assert workbook.defined_name("rate", 2) == parse("=1", A1)


@pytest.mark.parametrize("name", ["", "1a", "a b", "A1", "R1C1", "r", "true", "x!"])
def test_addresses_and_odd_spellings_are_no_names(name: str) -> None:
    with pytest.raises(UserError, match="cannot be a name"):
        Workbook.with_sheet().apply(DefineName(name, parse("=1", A1)))


def test_tables_are_found_by_name_and_by_place() -> None:
    workbook = two_sheets()
    workbook.apply(SetCells(1, ((A1, 1.0), (Cell(3, 2), 1.0))))
    table = Table("Films", 1, workbook.used(1), ("a", "b", "c"))
    workbook.tables = (table,)
    assert workbook.table("FILMS") is table
    assert workbook.table("x") is None
    assert workbook.table_at(1, Cell(2, 1)) is table
    assert workbook.table_at(2, Cell(2, 1)) is None


def test_a_duplicate_has_cells_formulas_and_looks_but_nothing_that_trains() -> None:
    workbook = Workbook.with_sheet("Data")
    here = Region.parse("A1:A2")
    formula = Formula(parse("=A1", Cell(1, 0)))
    workbook.apply(SetCells(1, ((Cell(0, 0), 1.5), (Cell(1, 0), formula))))
    workbook.apply(SetFormat(1, here, FormatChange(bold=True)))
    roles = (RoleRegion(here, Role.DATA, "x"), RoleRegion(Region.parse("B1"), Role.LOSS, "y"))
    workbook.apply(SetRoles(1, roles))
    inverse, _ = workbook.apply(DuplicateSheet(1))
    copy = workbook.sheets[1]
    assert copy.name == "Data (2)"
    assert copy.cells.get(Cell(0, 0))[0] == 1.5
    assert copy.cells.formula(Cell(1, 0)) is not None
    assert copy.formats.at(Cell(0, 0)).bold
    assert [role.role for role in copy.roles] == [Role.DATA]
    workbook.apply(DuplicateSheet(copy.id))
    assert [sheet.name for sheet in workbook.sheets] == ["Data", "Data (2)", "Data (3)"]
    workbook.apply(inverse)
    assert [sheet.name for sheet in workbook.sheets] == ["Data"]
