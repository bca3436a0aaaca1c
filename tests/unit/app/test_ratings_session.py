"""A rating set as a session: choices, runs, undo, kept models, edits."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest

from gradsheet.app.ratings.choices import LearnChoice, ModelChoice, SplitChoice
from gradsheet.app.ratings.embedding_edits import edit_row
from gradsheet.app.ratings.session import RatingsSession
from gradsheet.formula.values import UserError
from gradsheet.ratings.synthetic import synthetic_ratings
from gradsheet.tasks import live_tasks

TABLE = synthetic_ratings(60, 40, 900, factors=2, seed=1)[0]
LESSON = LearnChoice(mode="lesson", epochs=2)
FAST = LearnChoice(mode="fast", passes=6, fast_patience=0)
MODELS = {
    "dot": ModelChoice(kind="dot", factors=4),
    "bias": ModelChoice(kind="bias", factors=4),
    "net": ModelChoice(kind="net", user_factors=3, item_factors=4),
}


@pytest.fixture
def make() -> Iterator[object]:
    made = []

    def build(model: str = "bias", learn: LearnChoice = LESSON) -> RatingsSession:
        # Without a validation part the fast way shows its last pass, not its best one.
        split = SplitChoice(share=0.0 if learn.mode == "fast" else 0.2)
        session = RatingsSession(TABLE, "made up", model=MODELS[model], learn=learn, split=split)
        made.append(session)
        session.prepare()
        session.wait(60)
        return session

    yield build
    for session in made:
        session.close()
    assert not live_tasks()


def run(session: RatingsSession) -> None:
    session.start()
    session.wait(120)


@pytest.mark.parametrize("kind", list(MODELS))
def test_a_run_ends_done_with_a_row_for_each_epoch(make, kind) -> None:
    session = make(kind)
    assert session.state == "idle"
    run(session)
    assert session.state == "done"
    assert [row.epoch for row in session.epochs] == [1, 2]
    assert session.epochs[1].train_rmse < session.epochs[0].train_rmse


@pytest.mark.parametrize(("kind", "learn"), [("bias", LESSON), ("net", LESSON), ("bias", FAST)])
def test_undo_brings_the_model_back_bit_for_bit(make, kind, learn) -> None:
    session = make(kind, learn)
    session.step(3)
    session.wait(60)
    before = session.learned
    run(session)
    assert not np.array_equal(session.learned.item_rows, before.item_rows)
    assert session.undo()
    assert np.array_equal(session.learned.item_rows, before.item_rows)
    assert np.array_equal(session.learned.user_rows, before.user_rows)
    assert session.steps_done == 3


@pytest.mark.parametrize("learn", [LESSON, FAST])
def test_a_run_from_an_undone_state_gives_the_same_numbers_again(make, learn) -> None:
    session = make("bias", learn)
    run(session)
    first = session.learned
    session.undo()
    run(session)
    assert np.array_equal(session.learned.item_rows, first.item_rows)


def test_reset_goes_to_the_start_and_undo_comes_back(make) -> None:
    session = make()
    start = session.learned
    run(session)
    end = session.learned
    session.reset()
    assert np.array_equal(session.learned.user_rows, start.user_rows)
    assert session.steps_done == 0
    session.undo()
    assert np.array_equal(session.learned.user_rows, end.user_rows)


def test_a_paused_run_goes_on_to_the_same_end(make) -> None:
    whole, broken = make(), make()
    run(whole)
    broken.start()
    broken.stop()
    run(broken)
    assert np.array_equal(whole.learned.item_rows, broken.learned.item_rows)


def test_another_model_is_one_undo_away(make) -> None:
    session = make()
    run(session)
    learned = session.learned
    session.set_model(MODELS["dot"])
    session.wait(60)
    assert session.learned.factors.link == "identity"
    assert not session.epochs
    session.undo()
    assert session.model_choice == MODELS["bias"]
    assert np.array_equal(session.learned.item_rows, learned.item_rows)


def test_predictions_of_a_net_are_those_of_torch(make) -> None:
    import torch

    session = make("net")
    run(session)
    users, items = np.array([0, 5, 9]), np.array([3, 1, 30])
    model = session._learner.fit.model.eval()
    with torch.no_grad():
        expected = model(torch.from_numpy(users), torch.from_numpy(items)).numpy()
    assert session.learned.predict(users, items) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("learn", [LESSON, FAST])
def test_an_edited_embedding_changes_the_prediction_and_can_be_undone(make, learn) -> None:
    session = make("bias", learn)
    run(session)
    before = session.learned.predict([2], [3])[0]
    edit_row(session, "users", 2, {-1: session.learned.user_bias[2] - 1.0})
    assert session.learned.predict([2], [3])[0] < before
    session.undo()
    assert session.learned.predict([2], [3])[0] == before


def test_a_rate_changed_in_the_middle_keeps_the_epochs_and_the_model(make) -> None:
    session = make()
    run(session)
    rows = session.learned.item_rows
    hyper = dataclasses.replace(LESSON.hyper, lr=1e-3)
    session.set_learn(dataclasses.replace(LESSON, hyper=hyper, schedule="constant"))
    assert np.array_equal(session.learned.item_rows, rows)
    session.continue_(1)
    session.wait(60)
    assert [row.epoch for row in session.epochs] == [1, 2, 3]
    assert session.epochs[-1].lr == 1e-3


def test_from_fast_to_lesson_the_factors_stay(make) -> None:
    session = make("bias", FAST)
    session.set_model(ModelChoice(kind="bias", factors=4, y_range=None))
    session.wait(60)
    run(session)
    factors = session.learned.item_rows
    session.set_learn(LESSON)
    session.wait(60)
    assert np.array_equal(session.learned.item_rows, factors)


def test_what_cannot_be_is_refused_and_changes_nothing(make) -> None:
    session = make("net")
    with pytest.raises(UserError, match="layers"):
        session.set_learn(FAST)
    with pytest.raises(UserError, match="dropouts"):
        session.set_model(ModelChoice(kind="net", hidden=(10, 5)))
    with pytest.raises(UserError, match="times"):
        session.set_split(SplitChoice(kind="last"))
    assert session.learn_choice == LESSON


def test_a_kept_model_comes_back_as_it_was(make) -> None:
    session = make()
    run(session)
    kept = session.kept.keep("first")
    session.continue_(1)
    session.wait(60)
    session.kept.go_back_to(0)
    assert np.array_equal(session.learned.item_rows, kept.learned.item_rows)
    assert len(session.epochs) == 2
    session.undo()
    assert len(session.epochs) == 3


def test_a_start_before_the_model_is_made_runs_once_it_is(make) -> None:
    session = RatingsSession(TABLE, model=MODELS["bias"], learn=LESSON)
    session.prepare()
    session.start()
    while session.state in ("preparing", "running"):
        session.wait(60)
    assert session.state == "done"
    session.close()


def test_selection_is_told_once(make) -> None:
    session = make()
    heard: list[str] = []
    session.add_listener(heard.append)
    session.select(items=[3, 4])
    session.select(items=[3, 4])
    assert heard == ["selection"]
    assert session.selection.items == (3, 4)
