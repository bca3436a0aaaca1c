"""Undo and redo, and that any sequence of edits is taken back bit by bit."""

from __future__ import annotations

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import parse, unparse
from gradsheet.formula.values import ErrorCode, UserError
from gradsheet.sheet.cells import Content, Formula
from gradsheet.sheet.colour_scale import ColourScale
from gradsheet.sheet.edits import (
    AddSheet,
    ClearCells,
    DeleteColumns,
    DeleteRows,
    DuplicateSheet,
    Edit,
    Fill,
    FormatChange,
    Freeze,
    InsertColumns,
    InsertRows,
    MoveCells,
    MoveColumns,
    MoveRows,
    MoveSheet,
    RemoveSheet,
    RenameSheet,
    ResizeRows,
    SetCells,
    SetFormat,
    SetLabels,
    SetLooks,
    SetNote,
    SetRoles,
    SetScales,
    SetTabColour,
    SetValues,
)
from gradsheet.sheet.formats import Format
from gradsheet.sheet.history import History
from gradsheet.sheet.workbook import Role, RoleRegion, Workbook

WINDOW = Region(0, 0, 160, 40)


def snapshot(workbook: Workbook) -> object:
    """Everything that a workbook holds, comparable bit by bit."""
    sheets = []
    for sheet in workbook.sheets:
        values, kinds = sheet.cells.read(WINDOW)
        formulas = {
            cell: (unparse(f.expr, cell), f.expr, f.array, f.dynamic)
            for cell, f in sheet.cells.formulas().items()
        }
        sheets.append(
            (sheet.id, sheet.name, sheet.facts(), values.tobytes(), kinds.tobytes(), formulas,
             sheet.cells.used())
        )  # fmt: skip
    return sheets, workbook.names, workbook.tables


def formula(cell: Cell, text: str) -> Formula:
    return Formula(parse(text, cell))


cells = st.builds(Cell, st.integers(0, 130), st.integers(0, 17))
texts = st.sampled_from(["=A1+$B$2", "=SUM(A1:C9)", "=Sheet1!A1", "=Two!B:B", "=3:4", "=1"])
constants = st.one_of(
    st.none(),
    st.floats(),
    st.sampled_from(["a", "b", ""]),
    st.booleans(),
    st.sampled_from(ErrorCode),
)


@st.composite
def contents(draw: st.DrawFn) -> tuple[Cell, Content]:
    cell = draw(cells)
    if draw(st.integers(0, 3)) == 0:
        if draw(st.integers(0, 3)) == 0:
            area = Region(cell.row, cell.col, cell.row + 3, cell.col + 2)
            return cell, Formula(parse("=A1:B3", cell), area, draw(st.booleans()))
        return cell, formula(cell, draw(texts))
    return cell, draw(constants)


@st.composite
def regions(draw: st.DrawFn) -> Region:
    first = draw(cells)
    rows, cols = draw(st.integers(0, 9)), draw(st.integers(1, 5))
    return Region(first.row, first.col, first.row + rows, first.col + cols)


def cell_edits(sheet: int) -> st.SearchStrategy[Edit]:
    one = st.just(sheet)
    return st.one_of(
        st.builds(SetCells, one, st.lists(contents(), max_size=6).map(tuple)),
        st.builds(
            lambda region, seed: SetValues(
                sheet, region, np.random.default_rng(seed).normal(size=region.shape),
                np.random.default_rng(seed).integers(0, 2, region.shape).astype(np.uint8),
            ),
            regions(), st.integers(0, 99),
        ),
        st.builds(ClearCells, one, regions()),
        st.builds(MoveCells, one, regions(), cells, st.sampled_from([None, 1, 2])),
        st.builds(Fill, one, regions(), regions(), st.booleans()),
    )  # fmt: skip


def other_edits(sheet: int) -> st.SearchStrategy[Edit]:
    one, count = st.just(sheet), st.integers(1, 3)
    rows, cols = st.integers(0, 20), st.integers(0, 17)
    role = st.builds(RoleRegion, regions(), st.sampled_from(Role), st.just("x"))
    scale = st.builds(ColourScale, regions(), st.just("#0072B2"), st.just("#E69F00"))
    look = st.tuples(regions(), st.builds(Format, bold=st.booleans()))
    return st.one_of(
        st.builds(InsertRows, one, rows, count),
        st.builds(InsertColumns, one, cols, count),
        st.builds(DeleteRows, one, rows, count),
        st.builds(DeleteColumns, one, cols, count),
        st.builds(MoveRows, one, rows, count, rows),
        st.builds(MoveColumns, one, cols, count, cols),
        st.builds(SetScales, one, st.lists(scale, max_size=3).map(tuple)),
        st.builds(SetLooks, one, st.lists(look, max_size=3).map(tuple)),
        st.builds(SetTabColour, one, st.sampled_from(["", "#D55E00"])),
        st.builds(DuplicateSheet, one),
        st.builds(SetFormat, one, regions(), st.builds(FormatChange, bold=st.booleans())),
        st.builds(SetRoles, one, st.lists(role, max_size=3).map(tuple)),
        st.builds(SetNote, one, cells, st.none() | st.just("note")),
        st.builds(Freeze, one, cells),
        st.builds(lambda row: ResizeRows(sheet, ((row, 33),)), rows),
        st.builds(lambda row: SetLabels(sheet, "row", ((row, "label"),)), rows),
        st.builds(AddSheet, st.sampled_from(["", "Two"]), st.none()),
        st.builds(RenameSheet, one, st.sampled_from(["Two", "three four", "Sheet1"])),
        st.builds(RemoveSheet, one),
        st.builds(MoveSheet, one, st.integers(0, 2)),
    )


class Editing(RuleBasedStateMachine):
    """Random edits, undos and redos against a list of remembered states."""

    def __init__(self) -> None:
        super().__init__()
        self.workbook = Workbook.with_sheet()
        self.history = History()
        self.states = [snapshot(self.workbook)]
        self.at = 0

    def edit(self, data: st.DataObject, edits_of: object) -> None:
        sheet = data.draw(st.sampled_from(self.workbook.sheet_ids()))
        edit = data.draw(edits_of(sheet))  # type: ignore[operator]
        before = self.states[self.at]
        try:
            inverse, _ = self.workbook.apply(edit)
        except UserError as error:
            refused = str(error)
            assert refused
            assert snapshot(self.workbook) == before
            return
        self.history.push(edit.label, inverse)
        self.at += 1
        self.states[self.at :] = [snapshot(self.workbook)]

    @rule(data=st.data())
    def edit_cells(self, data: st.DataObject) -> None:
        self.edit(data, cell_edits)

    @rule(data=st.data())
    def edit_the_rest(self, data: st.DataObject) -> None:
        self.edit(data, other_edits)

    @precondition(lambda self: self.at > 0)
    @rule()
    def undo(self) -> None:
        travelled = self.history.undo(self.workbook)
        assert travelled is not None
        self.at -= 1
        assert snapshot(self.workbook) == self.states[self.at]

    @precondition(lambda self: self.at + 1 < len(self.states))
    @rule()
    def redo(self) -> None:
        travelled = self.history.redo(self.workbook)
        assert travelled is not None
        self.at += 1
        assert snapshot(self.workbook) == self.states[self.at]

    @invariant()
    def the_history_knows_what_can_be_done(self) -> None:
        assert self.history.can_undo == (self.at > 0)
        assert self.history.can_redo == (self.at + 1 < len(self.states))

    def teardown(self) -> None:
        while self.history.undo(self.workbook) is not None:
            self.at -= 1
            assert snapshot(self.workbook) == self.states[self.at]


TestAnySequenceOfEditsIsTakenBack = Editing.TestCase
TestAnySequenceOfEditsIsTakenBack.settings = settings(
    max_examples=60, stateful_step_count=25, deadline=None
)


def type_in(workbook: Workbook, history: History, value: float) -> int:
    edit = SetCells(1, ((Cell(0, 0), value),))
    return history.push(edit.label, workbook.apply(edit)[0])


def test_entries_keep_their_number_and_label() -> None:
    workbook, history = Workbook.with_sheet(), History()
    assert history.top is None
    assert history.undo(workbook) is None
    first, second = type_in(workbook, history, 1.0), type_in(workbook, history, 2.0)
    assert history.top == second
    assert history.undo_label == "Type into A1"
    label, change, entry = history.undo(workbook) or ("", None, 0)
    assert (label, entry) == ("Type into A1", second)
    assert change is not None
    assert change.values == ((1, Region.parse("A1")),)
    assert history.top == first
    assert history.redo_label == "Type into A1"
    again = history.redo(workbook)
    assert again is not None
    assert again.entry == second
    assert workbook.sheets[0].cells.get((0, 0))[0] == 2.0


def test_a_new_edit_forgets_what_was_undone() -> None:
    workbook, history = Workbook.with_sheet(), History()
    type_in(workbook, history, 1.0)
    history.undo(workbook)
    assert history.can_redo
    type_in(workbook, history, 3.0)
    assert not history.can_redo
    assert history.redo(workbook) is None


def test_the_oldest_entries_are_forgotten() -> None:
    workbook, history = Workbook.with_sheet(), History(limit=3)
    for value in range(6):
        type_in(workbook, history, float(value))
    assert len(history.labels) == 3
    while history.undo(workbook):
        pass
    assert workbook.sheets[0].cells.get((0, 0))[0] == 2.0


def test_an_undo_that_fails_stays_to_be_tried_again() -> None:
    workbook, history = Workbook.with_sheet(), History()
    type_in(workbook, history, 1.0)
    sheet = workbook.sheets.pop()
    try:
        history.undo(workbook)
    except UserError:
        workbook.sheets.append(sheet)
    assert history.can_undo
    assert history.undo(workbook) is not None
