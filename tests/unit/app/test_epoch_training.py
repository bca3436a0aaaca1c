"""A document that runs sheets of epochs: steps, undo, reset, rates in cells, tabs, schedules."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from run_moves import step

from gradsheet.app.document import Document
from gradsheet.app.epoch_training import EpochTraining
from gradsheet.app.lab import desk as lab
from gradsheet.app.lab.path_view import path_view
from gradsheet.app.lab.schedule_choice import TITLES, ScheduleChoice
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import parse
from gradsheet.formula.values import Kind, UserError
from gradsheet.lessons.catalogue import LESSONS
from gradsheet.lessons.descent_layout import KINDS
from gradsheet.sheet.edits import SetRoles
from gradsheet.sheet.names import DefinedName
from gradsheet.sheet.roles import Role, RoleRegion


@pytest.fixture
def document() -> Iterator[Document]:
    opened = Document()
    opened.open_lesson("momentum")
    opened.finish()
    yield opened
    opened.close()


def number(document: Document, address: str, sheet: str = "momentum") -> float:
    found = document.workbook.by_name(sheet)
    assert found is not None
    return found.cells.get(Cell.parse(address))[0]


def kind(document: Document, address: str) -> Kind:
    return document.workbook.sheet(document.book.sheet).cells.get(Cell.parse(address))[1]


def cells(document: Document, sheet: str = "momentum") -> bytes:
    """Every cell of a sheet but what lies below row 200, where blanks of the log may stand."""
    found = document.workbook.by_name(sheet)
    assert found is not None
    values, kinds = found.cells.read(Region(0, 0, 200, 40))
    return values.tobytes() + kinds.tobytes()


def poll_until(document: Document, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come"
        document.poll()
        time.sleep(0.001)


def test_every_sheet_of_the_lecture_is_a_lesson_with_a_guide() -> None:
    for name in KINDS:
        assert "## Try it" in LESSONS[name].guide()


def test_a_step_is_an_epoch(document: Document) -> None:
    produced = number(document, "H32"), number(document, "I32")
    step(document)
    assert (number(document, "C1"), number(document, "C2")) == produced
    assert document.run.step == 1
    assert number(document, "C38") == pytest.approx(number(document, "L33"))
    assert document.loss_now() == number(document, "L33")


def test_five_epochs_log_five_errors(document: Document) -> None:
    step(document, 5)
    assert kind(document, "C42") == Kind.NUMBER
    assert kind(document, "C43") == Kind.BLANK
    step(document)
    assert number(document, "C43") == number(document, "L33")


def test_undo_takes_the_epochs_and_their_log_back(document: Document) -> None:
    step(document, 3)
    document.undo()
    document.finish()
    assert number(document, "C2") == 1
    assert kind(document, "C38") == Kind.BLANK
    assert document.run.step == 0
    document.redo()
    document.finish()
    assert kind(document, "C40") == Kind.NUMBER
    assert document.run.step == 3


def test_reset_gives_exactly_the_start(document: Document) -> None:
    before = number(document, "L33")
    step(document, 3)
    document.reset_run()
    document.finish()
    assert number(document, "L33") == before
    assert kind(document, "C38") == Kind.BLANK
    assert document.run.step == 0


def test_the_rate_in_the_run_bar_is_the_cell(document: Document) -> None:
    hyper = document.run_view().hyper
    assert hyper is not None
    assert (hyper.lr, hyper.beta1) == (1e-4, 0.9)
    document.set_hyper(lr=2e-4)
    assert number(document, "D2") == 2e-4
    document.enter(document.book.sheet, Cell.parse("J1"), "0.5")
    hyper = document.run_view().hyper
    assert hyper is not None
    assert hyper.beta1 == 0.5
    document.undo()
    document.undo()
    assert number(document, "D2") == 1e-4


def test_a_setting_without_a_cell_is_refused(document: Document) -> None:
    with pytest.raises(UserError, match="no cell for beta2"):
        document.set_hyper(beta2=0.5)


def test_an_edit_between_steps_is_taken(document: Document) -> None:
    step(document)
    document.enter(document.book.sheet, Cell.parse("C2"), "2")
    document.finish()
    step(document)
    assert document.run.step == 2
    assert document.run.trace is not None
    assert len(document.run.trace) == 3


def test_a_run_goes_on_until_paused(document: Document) -> None:
    document.start_run()
    deadline = time.monotonic() + 20
    while document.run.step < 50 and time.monotonic() < deadline:
        document.poll()
    document.pause_run()
    document.poll()
    assert document.run.step >= 50
    assert document.run.state == "paused"
    training = document.training
    assert isinstance(training, EpochTraining)
    assert training.walked is not None
    assert len(training.walked.trail) >= 29 * 51


def test_a_tab_runs_its_own_optimizer_and_keeps_its_run(document: Document) -> None:
    step(document, 2)
    adam, momentum = document.workbook.by_name("adam"), document.workbook.by_name("momentum")
    assert adam is not None
    assert momentum is not None
    document.show_sheet(adam.id)
    document.finish()
    assert document.run.step == 0
    assert document.run_view().optimizer == "lesson_adam"
    step(document)
    assert number(document, "C2", "adam") != 1
    document.show_sheet(momentum.id)
    assert document.run.step == 2
    data = document.workbook.by_name("data")
    assert data is not None
    document.show_sheet(data.id)
    assert document.run.step == 2


def test_undo_on_another_tab_takes_the_right_run_back(document: Document) -> None:
    step(document, 2)
    adam = document.workbook.by_name("adam")
    assert adam is not None
    document.show_sheet(adam.id)
    document.finish()
    step(document, 3)
    document.undo()
    document.finish()
    assert document.run.step == 0
    document.undo()
    document.finish()
    document.show_sheet(document.book.sheet)
    assert document.run.step == 0
    assert number(document, "C2") == 1


def test_a_divergence_stops_and_names_cell_and_epoch(document: Document) -> None:
    document.set_hyper(lr=0.1)
    step(document, 200)
    assert document.run.state == "failed"
    assert "momentum!" in document.run.note
    assert f"epoch {document.run.step + 1}" in document.run.note
    said = document.log.messages()[-1]
    assert said.action == "train.retry_slower"
    assert said.offer == "Back to step 0 at a tenth of the rate"


def test_after_a_divergence_the_last_good_epoch_comes_back_exactly(document: Document) -> None:
    carried = ("C1", "C2", "J33", "K33")
    seen = {}
    for _ in range(6):
        step(document)
        seen[document.run.step] = [number(document, address) for address in carried]
    document.set_hyper(lr=0.1)
    step(document, 200)
    assert document.run.state == "failed"
    # Epoch 6 is shown anew with the new rate, and is bad already.
    assert document.log.messages()[-1].offer == "Back to step 5 at a tenth of the rate"
    document.retry_slower()
    document.finish()
    assert document.run.step == 5
    assert document.run.state == "paused"
    assert [number(document, address) for address in carried] == seen[5]
    assert number(document, "D2") == pytest.approx(0.01)
    assert kind(document, "C42") == Kind.NUMBER
    assert kind(document, "C43") == Kind.BLANK


def test_undo_after_a_tenth_of_the_rate_shows_what_failed_with_the_rate_it_had(
    document: Document,
) -> None:
    document.set_hyper(lr=0.1)
    step(document, 200)
    failed = cells(document, "momentum")
    at, trail = document.run.step, path_view(document).trail.copy()  # type: ignore[union-attr]
    document.retry_slower()
    document.finish()
    assert document.run_view().hyper.lr == pytest.approx(0.01)  # type: ignore[union-attr]
    assert document.undo() == "Back to step 0 at a tenth of the rate"
    document.finish()
    assert document.run.step == at
    assert document.run_view().hyper.lr == 0.1  # type: ignore[union-attr]
    assert cells(document, "momentum") == failed
    document.redo()
    document.finish()
    assert document.run.step == 0
    assert number(document, "D2") == pytest.approx(0.01)
    step(document, 5)
    document.undo()
    document.undo()
    document.finish()
    assert document.run_view().hyper.lr == 0.1  # type: ignore[union-attr]
    assert (path_view(document).trail == trail).all()  # type: ignore[union-attr]


def test_a_new_start_draws_other_points(document: Document) -> None:
    step(document)
    before = number(document, "A4")
    document.new_start()
    document.finish()
    assert document.run.step == 0
    assert [number(document, f"A{r}") for r in (4, 5)] != [before, 86]
    document.undo()
    document.finish()
    assert number(document, "A4") == before
    assert document.run.step == 1


@pytest.mark.parametrize("name", TITLES)
def test_every_schedule_moves_the_rate_as_it_draws_it(document: Document, name: str) -> None:
    choice = ScheduleChoice(name, total=20, cycle_len=5)
    document.set_schedule(choice)
    step(document, 3)
    factor = (choice.schedule(0.9) or (lambda _: (1.0, 1.0)))(3)[0]
    assert number(document, "D2") == pytest.approx(1e-4 * factor)
    steps, rates, _ = choice.curve()
    assert rates[list(steps).index(3)] == pytest.approx(factor)


def test_one_cycle_moves_the_momentum_the_other_way(document: Document) -> None:
    document.set_schedule(ScheduleChoice("one-cycle", total=20))
    step(document, 5)
    assert number(document, "J1") < 0.95
    assert number(document, "D2") > 1e-4 / 25


def test_a_schedule_holds_from_the_epoch_on_show(document: Document) -> None:
    document.set_schedule(ScheduleChoice("range", total=50))
    document.finish()
    assert number(document, "D2") == pytest.approx(1e-8)
    step(document, 2)
    losses = document.run.trace.arrays()[1]  # type: ignore[union-attr]
    assert losses[0] == pytest.approx(losses[1], rel=0.01), "such a rate changes nothing"


def test_undo_takes_a_schedule_back(document: Document) -> None:
    document.set_schedule(ScheduleChoice("one-cycle", total=20))
    document.finish()
    assert number(document, "D2") == pytest.approx(1e-4 / 25)
    document.undo()
    document.finish()
    assert number(document, "D2") == 1e-4
    assert number(document, "J1") == 0.9
    assert document.run.schedule is None
    document.redo()
    document.finish()
    step(document, 1)
    assert document.run.schedule == ScheduleChoice("one-cycle", total=20)
    assert 1e-4 / 25 < number(document, "D2") < 1e-4


def test_reset_begins_a_schedule_anew_and_keeps_a_rate_that_was_set(document: Document) -> None:
    document.set_schedule(ScheduleChoice("range", total=50))
    step(document, 3)
    document.reset_run()
    document.finish()
    assert number(document, "D2") == pytest.approx(1e-8)
    step(document, 3)
    document.set_schedule(None)
    document.set_hyper(lr=2e-4)
    document.reset_run()
    document.finish()
    assert number(document, "D2") == 2e-4
    assert number(document, "J1") == 0.9


def test_a_run_pauses_where_its_schedule_ends_and_can_go_on(document: Document) -> None:
    document.set_schedule(ScheduleChoice("linear", total=20))
    document.start_run()
    poll_until(document, lambda: document.run.state == "paused")
    assert document.run.step == 20
    document.start_run()
    poll_until(document, lambda: document.run.step > 25)
    document.pause_run()
    assert number(document, "D2") == 0


def test_a_schedule_holds_on_ratings_too() -> None:
    document = Document()
    document.finish()
    document.set_schedule(ScheduleChoice("linear", total=2))
    step(document, 2)
    before = document.loss_now()
    step(document, 3)
    assert document.loss_now() == before
    document.close()


@pytest.mark.parametrize(("name", "total"), [("banana", 10), ("linear", 1)])
def test_a_schedule_that_cannot_be_is_refused(name: str, total: int) -> None:
    with pytest.raises(UserError):
        ScheduleChoice(name, total)


# --- going through time ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["momentum", "eve", "adagrad_ann", "adamw"])
def test_every_epoch_comes_back_as_it_was_to_the_last_bit(name: str) -> None:
    document = Document()
    document.open_lesson(name)
    document.finish()
    seen = {}
    for _ in range(40):
        step(document)
        seen[document.run.step] = cells(document, name)
    for to in (39, 7, 16, 17, 1, 33, 40):
        document.seek_run(to)
        document.finish()
        assert document.run.step == to
        assert cells(document, name) == seen[to]
    document.seek_run(0)
    document.finish()
    assert number(document, "C2", name) == 1
    assert kind(document, "C38") == Kind.BLANK
    view = document.run_view()
    assert (view.first_step, view.last_step) == (0, 40)
    document.close()


def test_a_change_in_the_past_makes_a_branch_and_leaves_the_past(document: Document) -> None:
    step(document, 20)
    document.seek_run(10)
    document.finish()
    logged, start = [number(document, f"C{row}") for row in range(38, 48)], number(document, "C1")
    document.set_hyper(lr=5e-5)
    step(document, 5)
    view = document.run_view()
    assert (view.step, view.last_step) == (15, 15)
    assert [branch.left_at for branch in view.branches] == [10]
    assert len(view.branches[0].trace) == 21
    assert number(document, "D2") == 5e-5
    document.seek_run(10)
    document.finish()
    document.seek_run(9)
    document.finish()
    assert number(document, "D2") == 1e-4
    document.seek_run(10)
    document.finish()
    assert logged == [number(document, f"C{row}") for row in range(38, 48)]
    assert kind(document, "C48") == Kind.BLANK
    assert number(document, "C1") == start


def test_running_on_from_the_past_makes_the_same_future(document: Document) -> None:
    step(document, 30)
    end = cells(document)
    document.seek_run(12)
    document.finish()
    document.seek_run(30)
    document.finish()
    assert cells(document) == end
    document.seek_run(12)
    document.finish()
    training = document.training
    assert isinstance(training, EpochTraining)
    document.start_run()
    deadline = time.monotonic() + 20
    while document.run.step < 30 and time.monotonic() < deadline:
        document.poll()
    document.pause_run()
    document.finish()
    document.seek_run(30)
    document.finish()
    assert cells(document) == end
    assert not document.run_view().branches


def test_the_best_epoch_is_the_one_with_the_smallest_error(document: Document) -> None:
    adam = document.workbook.by_name("adam")
    assert adam is not None
    document.show_sheet(adam.id)
    document.finish()
    document.set_hyper(lr=1.0)
    step(document, 60)
    assert document.run.trace is not None
    steps, losses = document.run.trace.arrays()
    document.seek_best()
    document.finish()
    assert document.run.step == steps[losses.argmin()]
    assert document.loss_now() == losses.min()


def test_an_edit_on_another_tab_leaves_the_record(document: Document) -> None:
    step(document, 5)
    adam = document.workbook.by_name("adam")
    assert adam is not None
    document.enter(adam.id, Cell.parse("D2"), "0.5")
    document.finish()
    document.seek_run(2)
    document.finish()
    assert document.run.step == 2
    document.seek_run(5)
    document.finish()
    data = document.workbook.by_name("data")
    assert data is not None
    document.enter(data.id, Cell.parse("B5"), "40")
    document.finish()
    step(document)
    assert document.run_view().first_step == 5


def test_undo_of_other_points_brings_the_runs_of_all_tabs_back(document: Document) -> None:
    step(document, 3)
    adam = document.workbook.by_name("adam")
    assert adam is not None
    document.show_sheet(adam.id)
    document.finish()
    step(document, 4)
    lab.draw_points(document, 5, 20, 3.0, 10.0, 1.0)
    document.finish()
    assert document.run.step == 0
    document.show_sheet(document.book.sheet)
    assert document.run.step == 0
    document.undo()
    document.finish()
    assert document.run.step == 3
    assert len(path_view(document).trail) == 4 * 29  # type: ignore[union-attr]
    document.seek_run(1)
    document.finish()
    assert document.run.step == 1
    document.show_sheet(adam.id)
    assert document.run.step == 4
    document.redo()
    document.finish()
    assert document.run.step == 0


def test_the_path_is_that_of_the_epochs_in_the_record(document: Document) -> None:
    step(document, 6)
    whole = path_view(document)
    assert whole is not None
    assert (len(whole.trail), whole.began) == (7 * 29, 6 * 29)
    document.seek_run(2)
    document.finish()
    early = path_view(document)
    assert early is not None
    assert (len(early.trail), early.began) == (7 * 29, 2 * 29)
    assert (early.trail[early.began : early.began + 29] == early.rows).all()
    document.set_hyper(lr=5e-5)
    step(document)
    assert len(path_view(document).trail) == 4 * 29  # type: ignore[union-attr]


def sheet_of_epochs(name: str, error: str = "") -> Document:
    """A document whose sheet carries C2 to C1 as the lecture's names say, its error unnamed."""
    document = Document()
    document.new_workbook()
    sheet = document.book.sheet
    for cell, text in {
        "C1": "8", "C2": "=C1/2", "D1": "4", "D2": "=D1/2", "E1": "=C1^2", "E2": "=C2^2",
    }.items():  # fmt: skip
        document.enter(sheet, Cell.parse(cell), text)
    if error:
        document.enter(sheet, Cell.parse("E3"), error)
    host = Cell(0, 0)
    places = {"const": "C1", "lastconst": "C2", "slope": "D1", "lastslope": "D2"}
    for named, cell in places.items():
        column, row = cell
        expr = parse(f"=${column}${row}", host)
        document.workbook.names += (DefinedName(named, expr, sheet),)
    document.finish()
    document.workbook.sheet(sheet).name = name
    workbook = document.workbook.snapshot()
    document.open_book(replace(document.book, workbook=workbook), document.lesson, None)
    return document


def test_epochs_run_on_a_sheet_without_an_error() -> None:
    document = sheet_of_epochs("adam")
    try:
        document.step_run(2)  # asked for before the engine is there
        document.finish()
        cells = document.workbook.sheets[0].cells
        assert [cells.get(Cell.parse(at))[0] for at in ("C1", "D1")] == [2.0, 1.0]
        assert document.run.step == 2
        assert document.loss_now() is None
    finally:
        document.close()


def test_the_error_of_a_sheet_is_the_root_of_a_sum_of_squares() -> None:
    document = sheet_of_epochs("momentum", "=SQRT(SUM(E1:E2))")
    try:
        document.step_run(1)
        document.finish()
        assert document.loss_now() == pytest.approx((16 + 4) ** 0.5)
    finally:
        document.close()


def test_a_role_says_what_the_error_of_a_sheet_is() -> None:
    document = sheet_of_epochs("rmsprop", "=E1+E2")
    try:
        document.finish()
        sheet = document.book.sheet
        role = RoleRegion(Region.parse("E3"), Role.LOSS, "error")
        document.apply(SetRoles(sheet, (role,)))
        document.step_run(1)
        document.finish()
        assert document.loss_now() == pytest.approx(16 + 4)
    finally:
        document.close()
