"""Roles given to ranges: what they make the document learn, and what undo brings back."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from gradsheet.app import roles
from gradsheet.app.document import Document
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import UserError
from gradsheet.sheet.roles import Role


@pytest.fixture
def document() -> Iterator[Document]:
    """An empty workbook."""
    document = Document()
    document.new_workbook()
    document.finish()
    yield document
    document.close()


@pytest.fixture
def line(document: Document) -> Document:
    """A straight line y = 3x + 1 to be found, without roles."""
    sheet = document.book.sheet
    for row in range(2, 12):
        document.enter(sheet, Cell.parse(f"A{row}"), str(row))
        document.enter(sheet, Cell.parse(f"B{row}"), str(3 * row + 1))
        document.enter(sheet, Cell.parse(f"C{row}"), f"=D$1*A{row}+D$2")
    document.enter(sheet, Cell.parse("D1"), "0.5")
    document.enter(sheet, Cell.parse("D2"), "0")
    document.enter(sheet, Cell.parse("D4"), "=LEARN.MSE(B2:B11,C2:C11)")
    document.finish()
    return document


def give(document: Document, address: str, role: Role | None) -> None:
    roles.set_role(document, document.book.sheet, [Region.parse(address)], role)


def value(document: Document, address: str) -> float:
    document.finish()
    return document.workbook.sheet(document.book.sheet).cells.get(Cell.parse(address))[0]


def state(document: Document) -> None:
    give(document, "D1:D2", Role.PARAMETER)
    give(document, "D4", Role.LOSS)


def test_an_empty_workbook_says_what_is_missing(document: Document) -> None:
    with pytest.raises(UserError, match="No cell is the loss yet"):
        document.step_run()
    assert document.loss_now() is None
    assert document.run_view().state == "idle"


def test_a_loss_without_parameters_says_so(line: Document) -> None:
    give(line, "D4", Role.LOSS)
    with pytest.raises(UserError, match="No cells are parameters yet"):
        line.start_run()


def test_a_sheet_typed_by_hand_learns_once_it_has_roles(line: Document) -> None:
    state(line)
    line.step_run(1500)
    line.finish()
    assert line.loss_now() is not None
    assert line.loss_now() < 0.1
    assert line.problem.loss == (line.book.sheet, Cell.parse("D4"))


def test_a_loss_that_does_not_depend_on_the_parameters_is_refused_with_a_reason(
    line: Document,
) -> None:
    give(line, "D1:D2", Role.PARAMETER)
    line.enter(line.book.sheet, Cell.parse("E1"), "=SUM(A2:A11)")
    give(line, "E1", Role.LOSS)
    line.step_run()
    line.finish()
    assert "does not depend on the parameters" in line.log.messages()[-1].text


def test_the_loss_is_one_cell(line: Document) -> None:
    with pytest.raises(UserError, match="The loss is one cell"):
        give(line, "D4:D5", Role.LOSS)


def test_a_new_loss_takes_the_role_from_the_old_one(line: Document) -> None:
    state(line)
    give(line, "E5", Role.LOSS)
    losses = [r for r in line.workbook.sheets[0].roles if r.role is Role.LOSS]
    assert [str(r.region) for r in losses] == ["E5"]


def test_a_text_cannot_be_a_parameter(line: Document) -> None:
    line.enter(line.book.sheet, Cell.parse("D3"), "slope")
    give(line, "D1:D3", Role.PARAMETER)
    give(line, "D4", Role.LOSS)
    with pytest.raises(UserError, match="Sheet1!D3 is no number"):
        line.step_run()


def test_undo_takes_a_role_back_and_redo_gives_it_again(line: Document) -> None:
    state(line)
    assert line.undo() == "Make D4 loss"
    with pytest.raises(UserError):
        _ = line.problem
    assert line.redo() == "Make D4 loss"
    assert line.problem.size == 2


def test_a_role_cut_out_of_another_leaves_the_rest(line: Document) -> None:
    give(line, "A2:C11", Role.DATA)
    give(line, "B4:B5", None)
    covered = sum(r.region.size for r in line.workbook.sheets[0].roles)
    assert covered == 30 - 2
    assert roles.role_of(line.workbook, line.book.sheet, Cell.parse("B4")) is None
    assert roles.role_of(line.workbook, line.book.sheet, Cell.parse("B6")).role is Role.DATA


def test_a_locked_cell_keeps_its_value_to_the_last_bit(line: Document) -> None:
    state(line)
    sheet = line.book.sheet
    roles.set_locked(line, sheet, [Region.parse("D1")], True)
    assert roles.is_locked(line.workbook, sheet, [Region.parse("D1")])
    assert not roles.is_locked(line.workbook, sheet, [Region.parse("D1:D2")])
    line.step_run(50)
    assert value(line, "D1") == 0.5
    assert value(line, "D2") != 0.0
    line.undo()
    assert line.undo() == "Lock D1"
    assert not any(p.locked for p in line.problem.parameters)


def test_nothing_to_lock_is_said(line: Document) -> None:
    with pytest.raises(UserError, match="No parameters are selected"):
        roles.set_locked(line, line.book.sheet, [Region.parse("A2")], True)


def test_a_rate_per_range_scales_the_steps_of_its_cells(line: Document) -> None:
    state(line)
    sheet = line.book.sheet
    line.set_optimizer("sgd")
    line.set_hyper(lr=1e-4)
    line.step_run()
    plain = value(line, "D2")
    line.undo()
    roles.set_rate(line, sheet, [Region.parse("D2")], 10.0)
    line.step_run()
    assert value(line, "D2") == pytest.approx(10 * plain, rel=1e-9)
    with pytest.raises(UserError, match="cannot be -1 times"):
        roles.set_rate(line, sheet, [Region.parse("D2")], -1.0)


def test_roles_follow_inserted_rows_and_so_does_the_problem(line: Document) -> None:
    from gradsheet.sheet.edits import InsertRows

    state(line)
    line.apply(InsertRows(line.book.sheet, 0, 2))
    line.finish()
    assert line.problem.loss[1] == Cell.parse("D6")
    line.step_run(3)
    assert value(line, "D3") != 0.5


def test_a_new_random_start_draws_the_parameters_and_nothing_else(line: Document) -> None:
    state(line)
    before = value(line, "A2")
    line.new_start()
    assert value(line, "D1") not in (0.0, 0.5)
    assert value(line, "A2") == before
    assert str(line.undo()).startswith("New random start")
    assert value(line, "D1") == 0.5


def test_the_lessons_roles_state_the_lessons_problem() -> None:
    document = Document()
    try:
        stated = roles.problem_from_roles(document.workbook)
        assert stated.loss == document.problem.loss
        assert set(stated.regions) == set(document.problem.regions)
    finally:
        document.close()


def test_locking_a_lessons_embedding_freezes_it() -> None:
    document = Document()
    try:
        document.finish()
        sheet, items = document.book.sheet, Region.parse("H19:V23")
        cells = document.workbook.sheet(sheet).cells
        before = cells.read(items)[0].copy()
        roles.set_locked(document, sheet, [items], True)
        document.step_run(5)
        document.finish()
        assert np.array_equal(cells.read(items)[0], before)
    finally:
        document.close()
