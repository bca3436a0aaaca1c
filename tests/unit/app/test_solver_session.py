"""Solver on an open workbook: live, kept as one entry, or put back bit by bit."""

from __future__ import annotations

import numpy as np
import pytest

from gradsheet.app.document import Document
from gradsheet.app.solver.report import report_edit, report_of, sensitivity
from gradsheet.app.solver.session import SolverSession, goal_seek_model
from gradsheet.app.solver.text import area_of, areas_of, constraint_of, first_model
from gradsheet.files.solver_model import Constraint, SolverModel
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import UserError
from gradsheet.learn.minima import Method
from gradsheet.sheet.edits import SetCells


def held(document: Document) -> list[bytes]:
    """Every number and kind of the workbook, as bytes."""
    found = []
    for sheet in document.workbook.sheets:
        values, kinds = sheet.cells.read(sheet.cells.used())
        found += [values.tobytes(), kinds.tobytes()]
    return found


def solve(document: Document, session: SolverSession) -> None:
    document.finish()
    task = session._task
    assert task is not None
    assert task.join(120)
    document.poll()
    assert session.state == "done"


def begun(document: Document, starts: int = 1) -> SolverSession:
    session = SolverSession(document, lambda: None)
    model = first_model(document, document.book.sheet)
    session.start(model, Method(starts=starts, iterations=200))
    solve(document, session)
    return session


def test_restore_puts_every_cell_back_to_the_bit(document: Document) -> None:
    before = held(document)
    session = begun(document)
    assert held(document) != before
    session.restore()
    document.finish()
    assert held(document) == before
    assert not document.history.can_undo


def test_keep_is_one_entry_and_undo_gives_the_bits_back(document: Document) -> None:
    before = held(document)
    session = begun(document)
    session.keep()
    document.finish()
    loss = document.loss_now()
    assert loss is not None
    assert loss < 0.42
    assert document.history.undo_label == "Solver"
    document.undo()
    document.finish()
    assert held(document) == before


def test_an_edit_while_numbers_are_live_keeps_them_first(document: Document) -> None:
    session = begun(document)
    document.enter(document.book.sheet, Cell(90, 0), "7")
    document.finish()
    assert session.state == "idle"
    assert document.live is None
    document.undo()
    assert document.history.undo_label == "Solver"


def test_another_workbook_ends_solving_without_a_trace(document: Document) -> None:
    session = begun(document)
    document.open_lesson("bias")
    document.finish()
    assert session.state == "idle"
    assert document.live is None
    assert not document.history.can_undo


def little(document: Document, cells: dict[str, float | str]) -> int:
    document.new_workbook()
    sheet = document.workbook.sheets[0].id
    for place, content in cells.items():
        document.apply(
            SetCells(sheet, ((Cell.parse(place), document.content(Cell.parse(place),
                                                                  str(content))),))
        )  # fmt: skip
    document.finish()
    return sheet


def model_of(sheet: int, *rows: tuple[str, str, str], goal: str = "minimise") -> SolverModel:
    constraints = tuple(Constraint(*row) for row in rows)  # type: ignore[arg-type]
    changing = ((sheet, Region.parse("A1:B1")),)
    return SolverModel(
        sheet, (sheet, Cell.parse("D1")), changing, goal, 0.0, constraints  # type: ignore[arg-type]
    )


CELLS: dict[str, float | str] = {
    "A1": 1, "B1": 1, "A3": 3, "A4": 4, "A5": 2, "A6": 0.5,
    "D1": "=(A1-A3)^2+(B1-A4)^2*A6", "E1": "=A1+B1",
}  # fmt: skip


@pytest.mark.parametrize("goal", ["minimise", "maximise"])
def test_sensitivity_is_the_derivative_of_the_optimum_by_solving_again(
    document: Document, goal: str
) -> None:
    rows = (("=E1", "<=", "=A5*2"), ("=A1", ">=", "=A5-1"))
    cells = dict(CELLS)
    if goal == "maximise":
        cells["D1"] = "=0-((A1-A3)^2+(B1-A4)^2*A6)"
    sheet = little(document, cells)
    session = SolverSession(document, lambda: None)

    def optimum() -> float:
        session.start(model_of(sheet, *rows, goal=goal), Method(starts=1))
        solve(document, session)
        assert session.solution is not None
        return session.solution.objective

    optimum()
    assert session.ready is not None
    assert session.solution is not None
    program = document.calculation.current()
    region = Region.parse("A3:A6")
    found = sensitivity(program, session.ready, session.solution, sheet, region)[:, 0]
    session.restore()
    for slope, cell in zip(found, region.cells(), strict=True):
        value, step = document.workbook.sheet(sheet).cells.get(cell)[0], 1e-3
        around = []
        for moved in (value + step, value - step):
            document.enter(sheet, cell, repr(moved))
            around.append(optimum())
            session.restore()
        document.enter(sheet, cell, repr(value))
        by_hand = (around[0] - around[1]) / (2 * step)
        assert slope == pytest.approx(by_hand, abs=2e-4)


def test_a_report_says_what_binds_and_stands_on_a_sheet_of_its_own(document: Document) -> None:
    sheet = little(document, CELLS)
    session = SolverSession(document, lambda: None)
    model = model_of(sheet, ("=E1", "<=", "=4"), ("=A1", ">=", "=0"))
    session.start(model, Method(starts=2))
    solve(document, session)
    session.keep()
    document.finish()
    assert session.ready is not None
    assert session.run is not None
    assert session.solution is not None
    report = report_of(
        document, session.ready, model, session.run, session.solution, session.run.method,
        document.calculation.current(),
    )  # fmt: skip
    assert [line.status for line in report.constraints] == ["binding", "not binding"]
    facts = dict(report.facts)
    assert facts["Norm of the projected gradient"] == pytest.approx(0, abs=1e-5)
    assert facts["Condition (estimate)"] == pytest.approx(2.0, rel=1e-4)
    document.apply(report_edit(["model"], report, document.workbook.next_id), "Solver report")
    assert document.workbook.sheets[-1].name == "Solver report 1"
    assert document.workbook.sheets[-1].cells.used().bottom > 15
    assert document.workbook.sheets[-1].column_widths[0] >= 200  # its longest name can be read
    assert facts["Method"] == "L-BFGS"


def test_goal_seek_brings_a_cell_to_a_value(document: Document) -> None:
    sheet = little(document, {"A1": 1, "B1": "=A1^2+1"})
    session = SolverSession(document, lambda: None)
    target, by = (sheet, Cell.parse("B1")), (sheet, Cell.parse("A1"))
    session.start(goal_seek_model(document.workbook, target, 10.0, by), Method(), label="Goal Seek")
    solve(document, session)
    session.keep()
    document.finish()
    assert document.workbook.sheet(sheet).cells.get(Cell.parse("A1"))[0] == pytest.approx(3.0)
    with pytest.raises(UserError, match="holds no formula"):
        goal_seek_model(document.workbook, by, 1.0, target)


def test_text_becomes_areas_and_constraints(document: Document) -> None:
    sheet = little(document, CELLS)
    workbook = document.workbook
    assert areas_of(workbook, sheet, "A1:B1; A3") == (
        (sheet, Region.parse("A1:B1")), (sheet, Region.parse("A3")),
    )  # fmt: skip
    read = constraint_of(workbook, sheet, "A1:B1", "<=", "0,5")
    assert read == Constraint("=A1:B1", "<=", "=0.5")
    assert constraint_of(workbook, sheet, "A1", "integer", "") == Constraint("=A1", "integer")
    for left, right in (("", "1"), ("A1", ""), ("A1", "=1+")):
        with pytest.raises(UserError):
            constraint_of(workbook, sheet, left, "<=", right)
    with pytest.raises(UserError, match="no range"):
        area_of(workbook, sheet, "1+1")
    assert np.isfinite(workbook.sheet(sheet).cells.get(Cell.parse("E1"))[0])
