"""The document without a window: edits, recalculation, runs, undo."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from gradsheet.app.commands import COMMANDS
from gradsheet.app.document import Document
from gradsheet.app.messages import Message
from gradsheet.app.run import RunView
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import UserError
from gradsheet.sheet.edits import SetCells
from gradsheet.sheet.workbook import Change

LOSS = Cell.parse("V41")
USERS = Region.parse("B25:F39")
ITEMS = Region.parse("H19:V23")
PREDICTIONS = Region.parse("H25:V39")


class Recorder:
    """A listener that keeps what it hears."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.views: list[RunView] = []
        self.messages: list[Message] = []
        self.replaced = 0

    def on_change(self, change: Change) -> None:
        self.changes.append(change)

    def on_run(self, view: RunView) -> None:
        self.views.append(view)

    def on_replaced(self) -> None:
        self.replaced += 1

    def on_message(self, message: Message) -> None:
        self.messages.append(message)


def poll_until(document: Document, condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come"
        document.poll()
        time.sleep(0.001)


def everything(document: Document) -> tuple[bytes, ...]:
    """Return every cell of the first sheet, to the last bit."""
    sheet = document.workbook.sheets[0]
    values, kinds = sheet.cells.read(sheet.cells.used())
    formulas = sorted((cell, formula.expr) for cell, formula in sheet.cells.formulas().items())
    return values.tobytes(), kinds.tobytes(), repr(formulas).encode()


def number(document: Document, cell: Cell) -> float:
    return document.workbook.sheets[0].cells.get(cell)[0]


def test_opens_in_the_first_lesson_with_its_loss(document: Document) -> None:
    assert document.lesson.id == "dotprod"
    loss = document.loss_now()
    assert loss is not None
    assert loss > 1.0


def test_a_number_typed_into_an_embedding_moves_its_row_and_the_loss(document: Document) -> None:
    before, _ = document.workbook.sheets[0].cells.read(PREDICTIONS)
    loss = document.loss_now()
    document.enter(document.workbook.sheets[0].id, Cell.parse("B25"), "5")
    document.finish()
    after, _ = document.workbook.sheets[0].cells.read(PREDICTIONS)
    assert (after[0] != before[0]).sum() >= 10
    np.testing.assert_array_equal(after[1:], before[1:])
    assert document.loss_now() != loss


def test_a_formula_typed_into_a_cell_recalculates(document: Document) -> None:
    sheet = document.workbook.sheets[0].id
    document.enter(sheet, Cell.parse("X1"), "=V41*2")
    document.finish()
    assert number(document, Cell.parse("X1")) == 2 * number(document, LOSS)
    document.enter(sheet, Cell.parse("B25"), "1.5")
    document.finish()
    assert number(document, Cell.parse("X1")) == 2 * number(document, LOSS)


def test_a_wrong_formula_is_refused_and_nothing_changes(document: Document) -> None:
    before = everything(document)
    with pytest.raises(UserError):
        document.enter(document.workbook.sheets[0].id, Cell.parse("B25"), "=SUM(1,")
    assert everything(document) == before
    assert not document.history.can_undo


def test_steps_lower_the_loss_and_undo_takes_the_run_back_exactly(document: Document) -> None:
    before = everything(document)
    loss = document.loss_now()
    for _ in range(5):
        document.step_run()
        document.finish()
    view = document.run_view()
    assert view.step == 5
    assert view.state == "paused"
    assert view.loss is not None
    assert loss is not None
    assert view.loss < loss
    assert document.undo() is not None
    document.finish()
    assert everything(document) == before
    assert document.run_view().step == 0


def test_a_run_is_one_undo_step_and_redo_brings_it_back(document: Document) -> None:
    before = everything(document)
    document.start_run()
    poll_until(document, lambda: document.run_view().step > 50)
    document.pause_run()
    document.start_run()
    step = document.run_view().step
    poll_until(document, lambda: document.run_view().step > step + 50)
    document.pause_run()
    document.finish()
    step = document.run_view().step
    embeddings = document.workbook.sheets[0].cells.read(USERS)[0].tobytes()
    document.undo()
    document.finish()
    assert everything(document) == before
    assert not document.history.can_undo
    document.redo()
    document.finish()
    assert document.workbook.sheets[0].cells.read(USERS)[0].tobytes() == embeddings
    assert document.run_view().step == step


def test_an_edit_during_a_run_is_taken_and_the_run_goes_on(document: Document) -> None:
    document.start_run()
    poll_until(document, lambda: document.run_view().step > 20)
    sheet = document.workbook.sheets[0].id
    document.apply(SetCells(sheet, ((Cell.parse("B25"), 9.0),)), "Type into B25")
    step = document.run_view().step
    assert document.run_view().state == "running"
    poll_until(document, lambda: document.run_view().step > step + 20)
    document.pause_run()
    labels = list(document.history.labels)
    assert labels == ["Training run", "Type into B25", "Training run"]


def test_editing_a_rating_during_a_run_changes_what_is_learned(document: Document) -> None:
    document.start_run()
    poll_until(document, lambda: document.run_view().step > 20)
    sheet = document.workbook.sheets[0].id
    document.enter(sheet, Cell.parse("H2"), "")
    step = document.run_view().step
    poll_until(document, lambda: document.run_view().step > step + 20)
    document.pause_run()
    document.finish()
    assert number(document, Cell.parse("H25")) == 0.0


def test_reset_gives_exactly_the_start(document: Document) -> None:
    before = everything(document)
    document.step_run(20)
    document.finish()
    document.reset_run()
    document.finish()
    assert everything(document) == before
    view = document.run_view()
    assert view.step == 0
    assert view.state == "idle"


def test_two_documents_take_the_same_steps(document: Document) -> None:
    other = Document()
    try:
        other.finish()
        for each in (document, other):
            each.step_run(30)
            each.finish()
        assert everything(document) == everything(other)
    finally:
        other.close()


def test_a_rate_too_large_stops_the_run_and_says_so(document: Document) -> None:
    recorder = Recorder()
    document.add_listener(recorder)
    document.set_optimizer("sgd")
    document.set_hyper(lr=1e6)
    document.start_run()
    poll_until(document, lambda: document.run_view().state == "failed")
    assert "step" in recorder.messages[-1].text
    document.retry_slower()
    document.finish()
    view = document.run_view()
    assert view.hyper is not None
    assert view.hyper.lr == pytest.approx(1e5)
    assert document.loss_now() is not None
    document.undo()
    document.finish()
    assert document.run_view().hyper.lr == 1e6  # type: ignore[union-attr]
    assert document.run_view().step > 0


def test_another_optimizer_takes_over_in_the_middle(document: Document) -> None:
    document.step_run(10)
    document.finish()
    document.set_optimizer("rmsprop")
    document.step_run(10)
    document.finish()
    view = document.run_view()
    assert view.optimizer == "rmsprop"
    assert view.step == 20


def test_a_new_random_start_is_seeded_and_undone(document: Document) -> None:
    before = everything(document)
    document.new_start()
    document.finish()
    assert everything(document) != before
    document.undo()
    document.finish()
    assert everything(document) == before


def test_opening_a_lesson_stops_the_run_and_starts_anew(document: Document) -> None:
    recorder = Recorder()
    document.add_listener(recorder)
    document.start_run()
    poll_until(document, lambda: document.run_view().step > 5)
    document.open_lesson("bias")
    document.finish()
    assert recorder.replaced == 1
    assert document.run_view().step == 0
    assert document.run_view().state == "idle"
    assert not document.history.can_undo


def test_closing_in_the_middle_of_a_run_leaves_no_thread(document: Document) -> None:
    from gradsheet import tasks

    document.start_run()
    poll_until(document, lambda: document.run_view().step > 5)
    document.close()
    assert not [task for task in tasks.live_tasks() if task.name == "training"]


def test_an_edit_after_training_is_computed_from_the_trained_cells(document: Document) -> None:
    document.step_run(50)
    document.finish()
    trained = document.workbook.sheets[0].cells.read(PREDICTIONS)[0]
    sheet = document.workbook.sheets[0].id
    document.enter(sheet, Cell.parse("B25"), "2")
    document.finish()
    after = document.workbook.sheets[0].cells.read(PREDICTIONS)[0]
    np.testing.assert_allclose(after[1:], trained[1:], rtol=1e-12)
    users = document.workbook.sheets[0].cells.read(USERS)[0]
    items = document.workbook.sheets[0].cells.read(ITEMS)[0]
    np.testing.assert_allclose(after[0, 0], users[0] @ items[:, 0], rtol=1e-12)
    document.step_run(1)
    document.finish()
    loss = document.loss_now()
    assert loss is not None
    assert loss < 2.0, "the run goes on from the trained cells"
    moved = document.workbook.sheets[0].cells.read(USERS)[0]
    assert abs(moved - users).max() < 0.2


def test_a_typed_array_spills_follows_and_clears(document: Document) -> None:
    document.new_workbook()
    document.finish()
    sheet = document.workbook.sheets[0]

    def column(address: str) -> list[float]:
        top = Cell.parse(address)
        return sheet.cells.read(Region(0, top.col, 5, top.col + 1))[0].ravel().tolist()

    def enter(address: str, text: str) -> None:
        document.enter(sheet.id, Cell.parse(address), text)
        document.finish()

    enter("A1", "=SEQUENCE(3)")
    enter("C1", "=A1#*2")
    assert column("A1") == [1, 2, 3, 0, 0]
    assert column("C1") == [2, 4, 6, 0, 0]
    enter("E1", "=SUM(C1#)")
    assert column("E1")[0] == 12
    enter("A1", "=SEQUENCE(2)")
    assert column("A1") == [1, 2, 0, 0, 0]
    assert column("C1") == [2, 4, 0, 0, 0]
    enter("A1", "")
    assert column("A1") == [0, 0, 0, 0, 0]
    document.undo()
    document.finish()
    assert column("A1") == [1, 2, 0, 0, 0]


def test_five_steps_are_five_epochs_of_a_descent_sheet(document: Document) -> None:
    document.open_lesson("momentum")
    document.finish()
    COMMANDS["train.five"].run(document)
    document.finish()
    view = document.run_view()
    assert (view.step, view.state) == (5, "paused")


def test_the_run_says_on_which_device_it_steps(
    document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gradsheet.formula.objective import Objective

    document.step_run()
    document.finish()
    assert document.run_view().device == "cpu"
    document.reset_run()
    monkeypatch.setattr(Objective, "device", property(lambda _: "cuda"))
    document.step_run()
    document.finish()
    assert document.run_view().device == "cuda"
