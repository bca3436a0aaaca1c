"""A document that runs sheets of epochs: steps, undo, reset, rates in cells, tabs, schedules."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from gradsheet.app.document import Document
from gradsheet.app.epoch_training import EpochTraining
from gradsheet.app.schedule_choice import TITLES, ScheduleChoice
from gradsheet.formula.address import Cell
from gradsheet.formula.values import Kind, UserError
from gradsheet.lessons.catalogue import LESSONS
from gradsheet.lessons.descent_layout import KINDS


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


def step(document: Document, n: int = 1) -> None:
    document.step_run(n)
    document.finish()


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
    assert len(training.trail) >= 29 * 51


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


def test_a_divergence_stops_names_the_cell_and_a_tenth_goes_on(document: Document) -> None:
    document.set_hyper(lr=0.1)
    step(document, 200)
    assert document.run.state == "failed"
    assert "momentum!" in document.run.note
    assert "epoch" in document.run.note
    document.retry_slower()
    document.finish()
    assert document.run.step == 0
    assert number(document, "D2") == pytest.approx(0.01)


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
