"""Keys pressed faster than the engine answers: no step is lost, doubled or taken from the past."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from run_moves import cells

from gradsheet.app import roles
from gradsheet.app.document import Document
from gradsheet.formula.address import Cell, Region
from gradsheet.sheet.edits import SetCells
from gradsheet.sheet.roles import Role

A1, A2 = Cell.parse("A1"), Cell.parse("A2")
USER = Cell.parse("B25")


@contextmanager
def engine_held(document: Document) -> Iterator[None]:
    """Keep the engine's thread busy, so that whatever is asked meanwhile has to wait."""
    gate = threading.Event()
    document.engine.submit(gate.wait, lambda _: None, lambda _: None, "being held")
    try:
        yield
    finally:
        gate.set()


def number(document: Document, cell: Cell) -> float:
    return document.workbook.sheets[0].cells.get(cell)[0]


def after_steps(count: int) -> tuple[bytes, list[float]]:
    """Cells and losses of so many steps of the first lesson, each waited for."""
    document = Document()
    document.finish()
    for _ in range(count):
        document.step_run()
        document.finish()
    assert document.run.trace is not None
    result = cells(document), list(document.run.trace.arrays()[1])
    document.close()
    return result


def test_steps_asked_for_before_the_first_trainer_is_ready_are_all_taken(
    document: Document,
) -> None:
    with engine_held(document):
        for _ in range(3):
            document.step_run()
        assert document.run.step == 0
    document.finish()
    expected, losses = after_steps(3)
    assert document.run.step == 3
    assert cells(document) == expected
    assert document.run.trace is not None
    assert list(document.run.trace.arrays()[1]) == losses


def test_steps_asked_for_while_one_is_on_its_way_come_after_it(document: Document) -> None:
    document.step_run()
    document.finish()
    with engine_held(document):
        document.step_run()
        document.step_run(2)
    document.finish()
    assert document.run.step == 4
    assert cells(document) == after_steps(4)[0]


def test_many_steps_asked_for_at_once_are_one_entry_to_undo(document: Document) -> None:
    before = cells(document)
    with engine_held(document):
        for _ in range(4):
            document.step_run()
    document.finish()
    assert document.undo() == "Training run"
    document.finish()
    assert cells(document) == before
    assert not document.history.can_undo


def test_a_run_started_behind_a_step_that_waits_runs_on(document: Document) -> None:
    with engine_held(document):
        document.step_run()
        document.start_run()
        assert document.run.state == "running"
    document.finish()
    assert document.run.task is not None
    document.pause_run()
    assert document.run.step >= 1


def test_a_run_paused_before_it_began_does_not_begin(document: Document) -> None:
    with engine_held(document):
        document.toggle_run()
        document.toggle_run()
    document.finish()
    assert document.run.task is None
    assert (document.run.state, document.run.step) == ("idle", 0)


def test_a_step_asked_for_before_an_edit_does_not_take_the_edit_back(document: Document) -> None:
    sheet = document.workbook.sheets[0].id
    with engine_held(document):
        document.step_run()
        document.apply(SetCells(sheet, ((USER, 2.0),)))
    document.finish()
    assert document.run.step == 1
    # One step of the lesson moves a number by little; the edit was by much.
    assert 1.5 < number(document, USER) < 2.5


def test_an_edit_waits_for_the_step_that_is_on_its_way(document: Document) -> None:
    sheet = document.workbook.sheets[0].id
    document.step_run()
    document.finish()
    gate = threading.Event()
    document.engine.submit(gate.wait, lambda _: None, lambda _: None, "being held")
    document.step_run()
    threading.Timer(0.05, gate.set).start()
    document.apply(SetCells(sheet, ((USER, 2.0),)))
    assert document.run.step == 2
    assert number(document, USER) == 2.0
    document.finish()
    assert number(document, USER) == 2.0


def test_undo_takes_back_steps_that_have_not_begun(document: Document) -> None:
    before = cells(document)
    with engine_held(document):
        document.step_run()
        assert document.undo() == "steps"
    document.finish()
    assert document.run.step == 0
    assert cells(document) == before


def test_stepping_through_the_record_faster_than_it_is_read_loses_no_step(
    document: Document,
) -> None:
    document.step_run(20)
    document.finish()
    document.seek_run(5)
    document.finish()
    with engine_held(document):
        for _ in range(4):
            document.step_run()
    document.finish()
    assert document.run.step == 9
    assert document.run_view().last_step == 20
    assert cells(document) == after_steps(9)[0]


def test_a_step_back_right_after_a_step_ends_where_it_began(document: Document) -> None:
    document.step_run(3)
    document.finish()
    here = cells(document)
    document.step_run()
    document.step_back()
    document.finish()
    assert document.run.step == 3
    assert cells(document) == here


def test_a_role_taken_away_while_a_step_waits_stops_it_with_a_reason(document: Document) -> None:
    document.new_workbook()
    document.finish()
    sheet = document.workbook.sheets[0].id
    document.enter(sheet, A1, "5")
    document.enter(sheet, A2, "=(A1-2)^2")
    roles.set_role(document, sheet, [Region.of(A1)], Role.PARAMETER)
    roles.set_role(document, sheet, [Region.of(A2)], Role.LOSS)
    document.finish()
    with engine_held(document):
        document.step_run()
        roles.set_role(document, sheet, [Region.of(A2)], None)
    document.finish()
    assert document.run.step == 0
    assert document.log.messages()[-1].text == "No cell is the loss yet."


def test_reset_brings_formulas_of_trained_cells_back(document: Document) -> None:
    document.new_workbook()
    document.finish()
    sheet = document.workbook.sheets[0].id
    document.enter(sheet, A1, "=2+3")
    document.enter(sheet, A2, "=(A1-2)^2")
    roles.set_role(document, sheet, [Region.of(A1)], Role.PARAMETER)
    roles.set_role(document, sheet, [Region.of(A2)], Role.LOSS)
    document.finish()
    formula = document.workbook.sheets[0].cells.formula(A1)
    assert formula is not None
    entries = document.history.undo_label
    document.step_run(3)
    document.finish()
    assert document.workbook.sheets[0].cells.formula(A1) is None
    document.undo()
    document.finish()
    assert document.workbook.sheets[0].cells.formula(A1) == formula
    assert document.history.undo_label == entries
    document.redo()
    document.finish()
    document.reset_run()
    document.finish()
    assert document.workbook.sheets[0].cells.formula(A1) == formula
    assert number(document, A1) == 5.0


def test_pausing_waits_for_the_step_on_its_way_so_that_a_file_holds_all_of_it(
    document: Document,
) -> None:
    document.step_run()
    document.finish()
    gate = threading.Event()
    document.engine.submit(gate.wait, lambda _: None, lambda _: None, "being held")
    document.step_run()
    threading.Timer(0.05, gate.set).start()
    document.pause_run()
    assert document.run.step == 2
