"""Comparing two trained models, testing rates, ending a run."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest

from gradsheet.app.ratings.choices import LearnChoice, ModelChoice, SplitChoice
from gradsheet.app.ratings.comparison import compare, trained_models
from gradsheet.app.ratings.rate_search import RateSearch
from gradsheet.app.ratings.session import RatingsSession
from gradsheet.formula.values import UserError
from gradsheet.learn.hyper import Hyper
from gradsheet.ratings.synthetic import synthetic_ratings

TABLE = synthetic_ratings(60, 40, 900, factors=2, seed=1)[0]
LEARN = LearnChoice(epochs=2, optimizer="momentum", hyper=Hyper(lr=0.05), schedule="constant")


@pytest.fixture
def session() -> Iterator[RatingsSession]:
    session = RatingsSession(TABLE, "made up", model=ModelChoice(factors=4), learn=LEARN)
    session.prepare()
    session.wait(60)
    yield session
    session.close()


def learn(session: RatingsSession) -> None:
    session.start()
    session.wait(60)


def test_the_comparison_agrees_with_the_epoch_tables(session: RatingsSession) -> None:
    learn(session)
    session.kept.keep("two epochs")
    session.set_model(dataclasses.replace(session.model_choice, factors=2))
    session.wait(60)
    learn(session)
    now, kept = trained_models(session)
    assert (now.name, kept.name) == ("now", "two epochs")
    frames = compare(now, kept, session.split.train, session.split.valid)
    found = next(frames)
    assert found.errors[0].rmse == pytest.approx(session.epochs[-1].valid_rmse, abs=1e-6)
    assert found.errors[1].rmse == pytest.approx(session.kept[0].errors[0], abs=1e-6)
    assert [(d.title, d.first, d.second) for d in found.choices] == [("factors", "2", "4")]
    assert sum(band.errors.count for band in found.bands[0]) == len(session.split.valid)
    apart = [abs(d.first - d.second) for d in found.disagreements]
    assert apart == sorted(apart, reverse=True)
    valid = session.split.valid
    all_apart = np.abs(
        now.learned.predict(valid.users, valid.items)
        - kept.learned.predict(valid.users, valid.items)
    )
    assert apart[0] == pytest.approx(all_apart.max())


def test_models_of_other_splits_are_said_to_be_so(session: RatingsSession) -> None:
    learn(session)
    session.kept.keep("first")
    session.set_split(SplitChoice(seed=7))
    session.wait(60)
    learn(session)
    now, kept = trained_models(session)
    found = next(compare(now, kept, session.split.train, session.split.valid))
    assert "other ratings kept back" in found.part


def test_a_rate_test_leaves_the_model_as_it_was(session: RatingsSession) -> None:
    before = session.learner.learned(0)
    search = RateSearch(session)
    search.start()
    search._task.join(60)
    assert search.poll()
    assert not search.is_running
    assert len(search.result.rates) > 20
    assert np.array_equal(session.learner.learned(0).item_rows, before.item_rows)
    assert session.steps_done == 0


def test_the_fast_way_has_no_rate_to_test(session: RatingsSession) -> None:
    session.set_learn(LearnChoice(mode="fast"))
    session.wait(60)
    with pytest.raises(UserError, match="no learning rate"):
        RateSearch(session).start()


def test_a_run_that_was_ended_begins_anew(session: RatingsSession) -> None:
    session.step(5)
    session.wait(60)
    session.end()
    assert session.state == "done"
    learn(session)
    # Two epochs more, of which the broken-off one is finished first and does not count.
    assert session.epochs[-1].epoch == 3
    assert session.leg[1] == 3.0


def test_model_and_learning_change_in_one_undo(session: RatingsSession) -> None:
    learn(session)
    net = ModelChoice(kind="net", user_factors=3, item_factors=3)
    adam = dataclasses.replace(LEARN, optimizer="adam", hyper=Hyper(lr=1e-3))
    session.set_choices(net, adam)
    session.wait(60)
    assert (session.model_choice, session.learn_choice) == (net, adam)
    session.undo()
    assert (session.model_choice.kind, session.learn_choice) == ("bias", LEARN)
    assert session.state == "done"
