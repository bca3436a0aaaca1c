"""Rows and columns that are inserted, deleted and moved, and what follows them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradsheet.formula.address import MAX_ROWS, Cell, Region
from gradsheet.formula.syntax import parse, unparse
from gradsheet.formula.values import UserError
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.edits import (
    DefineName,
    DeleteColumns,
    DeleteRows,
    Edit,
    FormatChange,
    Freeze,
    InsertColumns,
    InsertRows,
    MoveColumns,
    MoveRows,
    ResizeColumns,
    SetCells,
    SetFormat,
    SetLabels,
    SetNote,
    SetRoles,
)
from gradsheet.sheet.rewriting import Movement
from gradsheet.sheet.workbook import Role, RoleRegion, Table, Workbook

FAR = Cell(900, 50)
"""A cell whose formula is looked at; it moves with the lines, as a real one does."""


def after(edit: Edit, text: str, at: Cell = FAR) -> str:
    """The text of a formula after an edit of its sheet (id 1), wherever its cell went."""
    workbook = Workbook.with_sheet("Data")
    workbook.apply(SetCells(1, ((at, Formula(parse(text, at))),)))
    inverse, _ = workbook.apply(edit)
    ((cell, formula),) = workbook.sheets[0].cells.formulas().items()
    result = unparse(formula.expr, cell)
    workbook.apply(inverse)
    assert {c: unparse(f.expr, c) for c, f in workbook.sheets[0].cells.formulas().items()} == {
        at: unparse(parse(text, at), at)
    }
    return result


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("=A4", "=A4"), ("=A5", "=A7"), ("=$A$5", "=$A$7"), ("=A$9", "=A$11"),
        ("=A1:A4", "=A1:A4"), ("=A1:A5", "=A1:A7"), ("=A5:A9", "=A7:A11"), ("=A9:A1", "=A11:A1"),
        ("=A:B", "=A:B"), ("=3:6", "=3:8"), ("=$5:$5", "=$7:$7"), ("=Data!A5", "=Data!A7"),
        ("=Other!A5", "=Other!A5"), ("=A5#", "=A7#"), ("=A1:INDEX(A5:A9,1)", "=A1:INDEX(A7:A11,1)"),
        ("=A1:A1048576", "=A1:A1048576"), ("=A1048576", "=#REF!"),
        ("=SUM((A5,A4),x)", "=SUM((A7,A4),x)"), ("=data!5:6", "=data!7:8"),
    ],
)  # fmt: skip
def test_references_follow_inserted_rows(before: str, expected: str) -> None:
    assert after(InsertRows(1, 4, 2), before) == expected


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("=A4", "=A4"), ("=A5", "=#REF!"), ("=A7", "=A5"), ("=$A$7", "=$A$5"),
        ("=A1:A9", "=A1:A7"), ("=A5:A6", "=#REF!"), ("=A5:A9", "=A5:A7"), ("=A1:A5", "=A1:A4"),
        ("=A6:A7", "=A5:A5"), ("=5:6", "=#REF!"), ("=4:5", "=4:4"), ("=A:A", "=A:A"),
        ("=A5#", "=#REF!"), ("=SUM(A5,A7)", "=SUM(#REF!,A5)"),
    ],
)  # fmt: skip
def test_references_follow_deleted_rows(before: str, expected: str) -> None:
    assert after(DeleteRows(1, 4, 2), before) == expected


def test_references_follow_columns_too() -> None:
    assert after(InsertColumns(1, 1, 2), "=A1+B1+A:B+A1:B1+1:1") == "=A1+D1+A:D+A1:D1+1:1"
    assert after(DeleteColumns(1, 1, 1), "=A1+B1+C1+A:C+B:B") == "=A1+#REF!+B1+A:B+#REF!"


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("=A2", "=A6"), ("=A3", "=A7"), ("=A4", "=A2"), ("=A7", "=A5"), ("=A8", "=A8"),
        ("=A2:A3", "=A6:A7"), ("=A1:A9", "=A1:A9"), ("=A2:A7", "=A2:A7"), ("=A5:A9", "=A3:A9"),
        ("=A3:A5", "=A2:A3"), ("=3:3", "=7:7"),
    ],
)  # fmt: skip
def test_references_follow_moved_rows(before: str, expected: str) -> None:
    """Rows 2 and 3 go before row 8: the order becomes 1 4 5 6 7 2 3 8."""
    assert after(MoveRows(1, 1, 2, 7), before) == expected


def test_moving_back_is_moving_up() -> None:
    assert after(MoveRows(1, 5, 2, 1), "=A6+A2+A1+A9") == "=A2+A4+A1+A9"
    assert after(MoveColumns(1, 0, 1, 2), "=A1+B1+C1") == "=B1+A1+C1"


@given(st.integers(0, 12), st.integers(1, 4), st.integers(0, 16))
def test_a_movement_is_a_permutation(at: int, count: int, to: int) -> None:
    if at < to < at + count:
        return
    lines = Movement("row", at, count, to)
    order = [line for line in range(20) if not at <= line < at + count]
    landing = order.index(to) if to in order else order.index(at + count)
    order[landing:landing] = range(at, at + count)
    assert [order.index(line) for line in range(20)] == [lines.line(line) for line in range(20)]


def test_a_formula_that_moves_with_its_cells_keeps_its_relative_form() -> None:
    workbook = Workbook.with_sheet()
    formula = Formula(parse("=A10+1", Cell(9, 1)))
    workbook.apply(SetCells(1, ((Cell(9, 1), formula),)))
    workbook.apply(InsertRows(1, 0, 5))
    assert workbook.sheets[0].cells.formula((14, 1)) is formula


def test_formulas_of_other_sheets_follow() -> None:
    workbook = Workbook.with_sheet("Data")
    other = workbook.make_sheet("Other")
    workbook.sheets.append(other)
    text = "=data!A5+A5+SUM('Data'!A1:A9)"
    workbook.apply(SetCells(other.id, ((Cell(0, 0), Formula(parse(text, Cell(0, 0)))),)))
    workbook.apply(InsertRows(1, 4, 2))
    formula = other.cells.formula((0, 0))
    assert formula is not None
    assert unparse(formula.expr, Cell(0, 0)) == "=data!A7+A5+SUM(Data!A1:A11)"


def full_book() -> Workbook:
    workbook = Workbook.with_sheet("Data")
    workbook.apply(SetRoles(1, (
        RoleRegion(Region.parse("B2:C9"), Role.DATA, "ratings"),
        RoleRegion(Region.parse("A5:A5"), Role.LOSS, "RMSE"),
    )))  # fmt: skip
    workbook.apply(SetLabels(1, "row", ((3, "before"), (4, "gone"), (8, "after"))))
    workbook.apply(ResizeColumns(1, ((0, 40), (1, 90), (5, 70))))
    workbook.apply(SetNote(1, Cell(4, 0), "on row 5"))
    workbook.apply(SetNote(1, Cell(9, 3), "on row 10"))
    workbook.apply(SetFormat(1, Region.parse("A1:C4"), FormatChange(bold=True)))
    workbook.apply(SetFormat(1, Region.parse("D6:D7"), FormatChange(number="0%")))
    workbook.apply(Freeze(1, Cell(5, 1)))
    workbook.apply(DefineName("rate", parse("=Data!$A$7", Cell(0, 0))))
    workbook.tables = (Table("T", 1, Region.parse("B2:D9"), ("a", "b", "c")),)
    return workbook


def test_everything_on_the_sheet_follows_inserted_rows() -> None:
    workbook = full_book()
    workbook.apply(InsertRows(1, 4, 2))
    sheet = workbook.sheets[0]
    assert [str(role.region) for role in sheet.roles] == ["B2:C11", "A7"]
    assert sheet.row_labels == {3: "before", 6: "gone", 10: "after"}
    assert sheet.column_widths == {0: 40, 1: 90, 5: 70}
    assert sheet.notes == {Cell(6, 0): "on row 5", Cell(11, 3): "on row 10"}
    assert sheet.frozen == Cell(7, 1)
    assert sheet.formats.at((5, 0)).bold  # new rows look like the row above
    assert sheet.formats.at((7, 3)).number == "0%"
    assert sheet.formats.at((5, 3)).number == "General"
    name = workbook.defined_name("RATE", 1)
    assert name is not None
    assert unparse(name, Cell(0, 0)) == "=Data!$A$9"
    assert workbook.tables[0].region == Region.parse("B2:D11")


def test_everything_on_the_sheet_follows_deleted_rows() -> None:
    workbook = full_book()
    workbook.apply(DeleteRows(1, 4, 2))
    sheet = workbook.sheets[0]
    assert [str(role.region) for role in sheet.roles] == ["B2:C7"]
    assert sheet.row_labels == {3: "before", 6: "after"}
    assert sheet.notes == {Cell(7, 3): "on row 10"}
    assert sheet.frozen == Cell(4, 1)
    assert sheet.formats.at((4, 3)).number == "0%"
    assert sheet.formats.at((5, 3)).number == "General"


def test_columns_carry_widths_and_table_columns() -> None:
    workbook = full_book()
    workbook.apply(InsertColumns(1, 2, 1))
    assert workbook.sheets[0].column_widths == {0: 40, 1: 90, 2: 90, 6: 70}
    assert workbook.tables[0].columns == ("a", "Column1", "b", "c")
    workbook.apply(DeleteColumns(1, 1, 2))
    assert workbook.sheets[0].column_widths == {0: 40, 4: 70}
    assert workbook.tables[0].columns == ("b", "c")


def facts(workbook: Workbook) -> object:
    sheet = workbook.sheets[0]
    formulas = {c: (unparse(f.expr, c), f.array) for c, f in sheet.cells.formulas().items()}
    values, kinds = sheet.cells.read(Region(0, 0, 60, 30))
    return (
        sheet.facts(), formulas, values.tobytes(), kinds.tobytes(), sheet.cells.used(),
        workbook.names, workbook.tables,
    )  # fmt: skip


line_edits = st.one_of(
    st.builds(InsertRows, st.just(1), st.integers(0, 12), st.integers(1, 3)),
    st.builds(InsertColumns, st.just(1), st.integers(0, 6), st.integers(1, 3)),
    st.builds(DeleteRows, st.just(1), st.integers(0, 12), st.integers(1, 3)),
    st.builds(DeleteColumns, st.just(1), st.integers(0, 6), st.integers(1, 3)),
    st.builds(MoveRows, st.just(1), st.integers(0, 12), st.integers(1, 3), st.integers(0, 15)),
    st.builds(MoveColumns, st.just(1), st.integers(0, 6), st.integers(1, 3), st.integers(0, 9)),
)


@given(st.lists(line_edits, min_size=1, max_size=6), st.integers(0, 99))
@settings(deadline=None)
def test_any_sequence_is_taken_back_and_done_again_exactly(edits: list[Edit], seed: int) -> None:
    workbook = full_book()
    rng = np.random.default_rng(seed)
    workbook.sheets[0].cells.write(Region(0, 0, 12, 6), rng.normal(size=(12, 6)))
    for cell in (Cell(0, 0), Cell(5, 2), Cell(11, 5)):
        text = "=SUM(B2:C9)+$A$7*A5-D:D+4:6+rate+T[a]+Data!B3"
        workbook.sheets[0].cells.set_formula(cell, Formula(parse(text, cell)))
    states, inverses = [facts(workbook)], []
    for edit in edits:
        try:
            inverse, change = workbook.apply(edit)
        except UserError:
            assert facts(workbook) == states[-1]
            continue
        assert change.structure
        inverses.append(inverse)
        states.append(facts(workbook))
    redo = []
    for at in range(len(inverses) - 1, -1, -1):
        again, _ = workbook.apply(inverses[at])
        redo.append(again)
        assert facts(workbook) == states[at]
    for at, edit in enumerate(reversed(redo)):
        workbook.apply(edit)
        assert facts(workbook) == states[at + 1]


def test_a_sheet_in_use_to_its_end_takes_no_more_rows() -> None:
    workbook = Workbook.with_sheet()
    workbook.apply(SetCells(1, ((Cell(MAX_ROWS - 1, 0), 1.0),)))
    with pytest.raises(UserError, match="no room"):
        workbook.apply(InsertRows(1, 3, 1))
    assert workbook.sheets[0].cells.get((MAX_ROWS - 1, 0))[0] == 1.0


@pytest.mark.parametrize(
    "edit",
    [InsertRows(1, -1, 1), InsertRows(1, 0, 0), DeleteRows(1, MAX_ROWS, 1), MoveRows(1, 2, 3, 4),
     MoveColumns(1, 2, 3, 99_999)],
)  # fmt: skip
def test_impossible_lines_are_refused(edit: Edit) -> None:
    with pytest.raises(UserError):
        Workbook.with_sheet().apply(edit)


def test_an_array_formula_is_not_torn() -> None:
    workbook = Workbook.with_sheet()
    formula = Formula(parse("=C1:C3", Cell(1, 0)), Region.parse("A2:A4"))
    workbook.apply(SetCells(1, ((Cell(1, 0), formula),)))
    for edit in (InsertRows(1, 2, 1), DeleteRows(1, 3, 2), MoveRows(1, 3, 1, 9),
                 MoveRows(1, 1, 1, 3)):  # fmt: skip
        with pytest.raises(UserError, match="array formula"):
            workbook.apply(edit)
    workbook.apply(InsertRows(1, 1, 1))
    moved = workbook.sheets[0].cells.formula((2, 0))
    assert moved is not None
    assert moved.array == Region.parse("A3:A5")
    workbook.apply(DeleteRows(1, 2, 3))
    assert workbook.sheets[0].cells.formula_count == 0
