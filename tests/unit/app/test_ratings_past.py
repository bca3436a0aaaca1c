"""Epochs of a rating set's run are shown again bit for bit, and learning goes on from them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from rating_documents import settle, show

from gradsheet.app.document import Document
from gradsheet.app.ratings.choices import LearnChoice, ModelChoice
from gradsheet.app.ratings.epoch_states import EpochState, EpochStates
from gradsheet.app.ratings.session import RatingsSession
from gradsheet.app.ratings.workbook import FIRST
from gradsheet.app.saving.opening import open_file, save_file
from gradsheet.formula.address import Cell
from gradsheet.ratings.synthetic import synthetic_ratings
from gradsheet.tasks import live_tasks

TABLE = synthetic_ratings(60, 40, 1200, factors=2, seed=3)[0]
MODEL = ModelChoice(factors=4)
WAYS = {
    "lesson": LearnChoice(batch_size=64),
    "fast": LearnChoice(mode="fast", passes=3, fast_patience=0),
}
Rows = list[np.ndarray]


class Run:
    """A document whose rating set has learned, with the model as each epoch left it."""

    def __init__(self, way: str) -> None:
        self.session = RatingsSession(TABLE, "made up", model=MODEL, learn=WAYS[way])
        self.document = Document()
        show(self.document, self.session)
        assert self.document.ratings_book is not None
        self.book = self.document.ratings_book
        self.models: dict[int, Rows] = {0: self.model}

    def settle(self) -> None:
        settle(self.document)

    @property
    def model(self) -> Rows:
        learned = self.session.learned
        assert learned is not None
        parts = (learned.user_rows, learned.item_rows, learned.user_bias, learned.item_bias)
        return [part.copy() for part in parts if part is not None]

    def learn(self, count: int = 1) -> None:
        for _ in range(count):
            self.session.continue_(1)
            self.settle()
            self.models[self.session.steps_done] = self.model

    def look(self, step: int) -> None:
        self.document.seek_run(step)
        self.settle()

    def shows(self, model: Rows) -> bool:
        return all(np.array_equal(x, y) for x, y in zip(self.model, model, strict=True))


@pytest.fixture(params=WAYS)
def run(request: pytest.FixtureRequest) -> Iterator[Run]:
    run = Run(request.param)
    yield run
    run.document.close()
    assert not live_tasks()


def test_every_epoch_is_shown_as_it_was(run: Run) -> None:
    run.learn(4)
    steps = [step for step in run.session.past.ticks if step in run.models]
    assert len(steps) == 5
    for step in (*reversed(steps), *steps):
        run.look(step)
        assert run.session.steps_done == step
        assert run.shows(run.models[step])
    view = run.document.run_view()
    assert (view.first_step, view.last_step) == (0, steps[-1])


def test_the_sheets_show_the_epoch(run: Run) -> None:
    run.learn(3)
    step = run.session.past.ticks[-3]
    run.look(step)
    users = run.book.users.cells
    assert users.get((1 + 7, FIRST["users"] + 1))[0] == run.models[step][0][7, 1]
    block = run.book.shape.user_block
    first = run.document.workbook.sheet(run.book.crosstab.id).cells
    user = run.book.pairs.users[0]
    shown, _ = first.read(block)
    assert np.isin(run.models[step][0][user].astype(np.float64), shown[0]).all()


def test_learning_goes_on_from_an_epoch_as_it_did(run: Run) -> None:
    run.learn(4)
    steps = run.session.past.ticks
    run.look(steps[-3])
    run.session.continue_(1)
    run.settle()
    assert run.session.steps_done == steps[-2]
    assert run.shows(run.models[steps[-2]])
    assert run.session.past.ticks == steps[:-1]


def test_undo_brings_back_what_came_after_the_epoch(run: Run) -> None:
    run.learn(4)
    steps = run.session.past.ticks
    run.look(steps[-3])
    run.session.continue_(1)
    run.settle()
    assert run.document.undo() == f"Training run from epoch {len(run.session.epochs) - 2}"
    run.settle()
    assert run.shows(run.models[steps[-1]])
    assert run.session.past.ticks == steps
    run.document.redo()
    run.settle()
    assert run.shows(run.models[steps[-2]])
    run.look(steps[-4])
    assert run.shows(run.models[steps[-4]])


def test_looking_alone_is_neither_a_change_nor_in_the_history(run: Run, tmp_path: Path) -> None:
    run.learn(3)
    save_file(run.document, tmp_path / "kept.gradsheet")
    run.settle()
    labels = list(run.document.history.labels)
    run.document.step_back()
    run.settle()
    run.document.step_back()
    run.settle()
    assert run.session.past.is_shown
    assert not run.document.is_changed
    run.document.step_run()
    run.settle()
    run.document.step_run()
    run.settle()
    assert not run.session.past.is_shown
    assert list(run.document.history.labels) == labels
    assert run.shows(run.models[run.session.past.end])


def test_undo_while_an_epoch_is_shown_is_of_the_end(run: Run) -> None:
    run.learn(3)
    end = run.model
    run.document.apply(run.book.embedding_edit("items", 3, {0: 0.5}))
    run.settle()
    run.look(run.session.past.ticks[1])
    run.document.undo()
    run.settle()
    assert not run.session.past.is_shown
    assert run.shows(end)


def test_an_edit_of_an_epoch_leaves_the_future_one_undo_away(run: Run) -> None:
    run.learn(4)
    steps = run.session.past.ticks
    run.look(steps[-2])
    run.document.apply(run.book.embedding_edit("items", 3, {0: 0.5}))
    run.settle()
    assert not run.session.past.is_shown
    assert run.session.steps_done == run.session.past.end == steps[-2]
    assert run.model[1][3, 0] == 0.5
    run.document.undo()
    run.settle()
    assert run.shows(run.models[steps[-2]])
    run.document.undo()
    run.settle()
    assert run.shows(run.models[steps[-1]])


def test_a_rating_edited_in_the_past_is_learned_from(run: Run) -> None:
    run.learn(3)
    steps = run.session.past.ticks
    run.look(steps[-2])
    assert run.session.split is not None
    assert run.session.split.held is not None
    row = int(np.flatnonzero(~run.session.split.held)[0])
    other = "1" if run.session.table.ratings[row] > 3 else "5"
    run.document.enter(run.book.ratings.id, Cell(1 + row, 3), other)
    run.settle()
    run.session.continue_(1)
    run.settle()
    assert not run.shows(run.models[steps[-1]])
    run.look(steps[-3])  # learned from the rating as it was
    assert run.shows(run.models[steps[-3]])


def test_keeping_and_saving_in_the_past(run: Run, tmp_path: Path) -> None:
    run.learn(3)
    steps = run.session.past.ticks
    run.look(steps[-2])
    kept = run.session.kept.keep("the one before")
    assert np.array_equal(kept.learned.user_rows, run.models[steps[-2]][0])
    assert len(kept.epochs) == len(run.session.epochs)
    save_file(run.document, tmp_path / "kept.gradsheet")
    run.settle()
    other = Run("lesson")
    try:
        open_file(other.document, tmp_path / "kept.gradsheet")
        other.document.finish()
        assert other.document.ratings is not None
        other.session = other.document.ratings
        other.settle()
        assert other.shows(run.models[steps[-1]])  # the whole run, not the epoch that was shown
        other.session.kept.go_back_to(0)
        assert other.shows(run.models[steps[-2]])
    finally:
        other.document.close()


def test_another_model_has_a_past_of_its_own(run: Run) -> None:
    run.learn(2)
    steps = run.session.past.ticks
    run.look(steps[1])
    run.session.set_model(ModelChoice(factors=3))
    run.settle()
    assert run.session.past.ticks == (0,)
    run.document.undo()
    run.settle()
    assert run.session.past.ticks == steps
    assert run.shows(run.models[steps[-1]])


def test_the_best_epoch_is_marked_and_gone_to(run: Run) -> None:
    run.learn(4)
    rows = run.session.epochs
    best = min(rows, key=lambda row: row.valid_rmse or np.inf)
    (mark,) = run.document.marks()
    assert mark.kind == "best"
    run.look(0)
    run.document.seek_best()
    run.settle()
    assert run.session.epochs[-1] == best


def test_playing_backwards_ends_at_the_start(run: Run) -> None:
    run.learn(3)
    run.document.play_back()
    seen = set()
    while run.document.run_view().is_rewinding or run.session.is_at_work:
        run.document.poll()
        seen.add(run.session.steps_done)
    assert run.session.steps_done == 0
    assert len(seen) > 1


def test_rates_are_those_of_the_epoch_and_come_back() -> None:
    run = Run("lesson")
    try:
        run.learn(1)
        fast_rate = run.session.learn_choice.hyper.lr
        run.document.set_hyper(lr=fast_rate / 10)
        run.learn(1)
        run.look(run.session.past.ticks[1])
        assert run.session.learn_choice.hyper.lr == fast_rate
        run.look(run.session.past.end)
        assert run.session.learn_choice.hyper.lr == fast_rate / 10
    finally:
        run.document.close()


def state(epochs: int, rmse: float) -> EpochState:
    return EpochState(epochs, epochs, rmse, 0, {"weights": np.zeros(1000)})


def test_over_budget_start_best_and_end_stay_and_the_rest_thins_evenly() -> None:
    states = EpochStates(budget=8 * 8000)
    for epoch in range(33):
        states.add(state(epoch, abs(epoch - 5) + 1.0))
        assert sum(kept.state is not None for kept in states.line) <= 8
    kept = [entry.epochs for entry in states.line]
    assert {0, 5, 32} <= set(kept)
    assert np.diff(kept).max() <= 8


def test_a_future_that_was_left_makes_room_first() -> None:
    states = EpochStates(budget=6 * 8000)
    for epoch in range(6):
        states.add(state(epoch, 10.0 - epoch))
    left = states.line
    states.take_line(left[:3])
    states.add(state(3, 1.0))
    states.add(state(4, 0.5))
    assert [entry.epochs for entry in states.line] == [0, 1, 2, 3, 4]
    states.take_line(left)
    assert [entry.epochs for entry in states.line] == [0, 1, 2, 5]


def test_memory_that_states_share_counts_once() -> None:
    states = EpochStates(budget=3 * 8000)
    shared = np.zeros(2000)
    for epoch in range(20):
        states.add(EpochState(epoch, epoch, 1.0, 0, {"table": shared}))
    assert len(states.line) == 20
