"""Facts about the fast mode."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from gradsheet.collab import kernels
from gradsheet.collab.devices import available_devices
from gradsheet.collab.evaluate import baselines, fit_biases
from gradsheet.collab.fast import FastRun, FastSettings
from gradsheet.collab.kernels import lay_out
from gradsheet.collab.starts import fit_biases as fit_biases_fast
from gradsheet.collab.tune import tune
from gradsheet.ratings.synthetic import synthetic_ratings
from gradsheet.ratings.table import RatingTable
from gradsheet.tasks import Cancelled, Control, Task


def rmse(run: FastRun) -> float:
    return min(row.valid_rmse for row in run.epochs if row.valid_rmse is not None)


@pytest.mark.parametrize("device", available_devices())
def test_it_finds_planted_factors(device: str) -> None:
    table, _ = synthetic_ratings(400, 200, 24_000, factors=3, noise=0.4, seed=0)
    train, valid = table.split(0.2, 0)
    run = FastRun(train, valid, device=device)
    factors = run.run()
    biases = next(b for b in baselines(train, valid) if b.name == "biases only")
    assert rmse(run) < 0.8 * biases.errors.rmse
    predicted = factors.predict(valid.users, valid.items)
    assert np.sqrt(np.mean((predicted - valid.ratings) ** 2)) == pytest.approx(rmse(run), abs=1e-4)


def test_it_reaches_the_minimum_of_its_objective(planted: RatingTable) -> None:
    """The gradient of the objective as the module states it vanishes at the end."""
    settings = FastSettings(factors=4, passes=1500, patience=0, strength_share=0.02)
    run = FastRun(planted, None, settings)
    found = run.run()
    tensors = [
        torch.from_numpy(x).double().requires_grad_(True)
        for x in (found.user_bias, found.item_bias, found.user_factors, found.item_factors)
    ]
    ub, ib, uf, itf = tensors
    users, items = (torch.from_numpy(c).long() for c in (planted.users, planted.items))
    score = found.mean + ub[users] + ib[items] + (uf[users] * itf[items]).sum(1)
    objective = (torch.from_numpy(planted.ratings).double() - score).square().sum()
    for factors, counts in ((uf, planted.user_counts()), (itf, planted.item_counts())):
        strength = settings.strength + 0.02 * torch.from_numpy(counts)
        objective = objective + (strength[:, None] * factors.square()).sum()
    objective = objective + settings.bias_strength * (ub.square().sum() + ib.square().sum())
    for gradient in torch.autograd.grad(objective, tensors):
        assert float(gradient.abs().max()) < 0.02


def test_the_objective_never_rises_for_long(planted: RatingTable) -> None:
    run = FastRun(planted, None, FastSettings(passes=60, patience=0))
    run.run()
    lowest = np.minimum.accumulate(run.objectives)
    assert np.all(run.objectives <= 1.02 * lowest)
    assert run.objectives[-1] < 0.95 * run.objectives[0]
    assert len(run.objectives) == 60


def test_biases_are_those_of_alternating_ridge_regressions(planted: RatingTable) -> None:
    layout = lay_out(planted)
    fast = fit_biases_fast(layout, layout.ratings - layout.ratings.mean(), 3.0, sweeps=10)
    users, items = fit_biases(planted, 3.0, sweeps=10)
    np.testing.assert_allclose(fast[: layout.n_users], users, atol=1e-4)
    np.testing.assert_allclose(fast[layout.n_users :], items, atol=1e-4)


def test_the_same_seed_gives_the_same_numbers(planted: RatingTable) -> None:
    a, b = FastRun(planted).run(), FastRun(planted).run()
    assert np.array_equal(a.user_factors, b.user_factors)
    other = FastRun(planted, None, FastSettings(seed=1)).run()
    assert not np.array_equal(a.user_factors, other.user_factors)


def test_epochs_count_stages_and_passes(planted: RatingTable) -> None:
    run = FastRun(planted, None, FastSettings(passes=3, patience=0))
    *_, last = run.frames()
    assert [row.stage for row in last.epochs] == ["biases", "start", "pass", "pass", "pass"]
    assert last.state == "done"
    assert last.progress.fraction == 1.0
    assert [row.seconds for row in last.epochs] == sorted(row.seconds for row in last.epochs)


def test_it_stops_when_validation_gets_no_better(planted: RatingTable) -> None:
    train, valid = planted.split(0.3, 0)
    settings = FastSettings(strength=0.01, strength_share=0.0, passes=300)
    run = FastRun(train, valid, settings)
    factors = run.run()
    assert run.state == "stopped early"
    errors = factors.predict(valid.users, valid.items) - valid.ratings
    assert np.sqrt(np.mean(errors**2)) == pytest.approx(rmse(run), abs=1e-4)


def test_without_validation_it_stops_when_the_objective_stands(planted: RatingTable) -> None:
    run = FastRun(planted, None, FastSettings(passes=5000))
    run.run()
    assert run.state == "stopped early"


def test_a_cancelled_run_goes_on_where_it_was(planted: RatingTable) -> None:
    settings = FastSettings(passes=12, patience=0)
    whole = FastRun(planted, None, settings).run()
    run = FastRun(planted, None, settings)
    control = Control()
    frames = run.frames(control)
    for _ in range(5):
        next(frames)
    control.cancel()
    with pytest.raises(Cancelled):
        next(frames)
    for _ in run.frames():
        pass
    assert np.array_equal(run.factors().item_factors, whole.item_factors)


class GivesUpAt(Control):
    """Is cancelled at its n-th checkpoint."""

    __slots__ = ("left",)

    def __init__(self, n: int) -> None:
        super().__init__()
        self.left = n

    def checkpoint(self) -> None:
        self.left -= 1
        if not self.left:
            self.cancel()
        super().checkpoint()


def test_given_up_at_any_checkpoint_it_goes_on_to_the_same_numbers(
    planted: RatingTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Passes are cut into parts, so that most checkpoints lie inside of a pass."""
    monkeypatch.setattr(kernels, "_BETWEEN_CHECKS", len(planted) // 5)
    train, valid = planted.split(0.2, 0)
    settings = FastSettings(factors=4, passes=6, patience=0)
    whole = FastRun(train, valid, settings)
    whole.run()
    given_up = 0
    broken = FastRun(train, valid, settings)
    for n in range(1, 60):
        try:
            for _ in broken.frames(GivesUpAt(n)):
                pass
        except Cancelled:
            given_up += 1
    for _ in broken.frames():
        pass
    assert given_up > 5
    assert [row.valid_rmse for row in broken.epochs] == [row.valid_rmse for row in whole.epochs]
    assert np.array_equal(broken.factors().user_factors, whole.factors().user_factors)


def test_parts_do_not_change_the_numbers(
    planted: RatingTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = FastSettings(factors=4, passes=4, patience=0)
    whole = FastRun(planted, None, settings).run()
    monkeypatch.setattr(kernels, "_BETWEEN_CHECKS", len(planted) // 7)
    parted = FastRun(planted, None, settings).run()
    np.testing.assert_allclose(parted.user_factors, whole.user_factors, rtol=1e-4, atol=1e-5)


def test_what_was_shown_is_not_changed_by_learning_on(planted: RatingTable) -> None:
    run = FastRun(planted, None, FastSettings(factors=4, passes=3, patience=0))
    run.run()
    shown, state = run.factors(), run.state_dict()
    before = shown.user_factors.copy(), state["_table"].clone()
    for _ in run.frames(passes=2):
        pass
    run.write("users", [0], [0], [9.0])
    assert np.array_equal(shown.user_factors, before[0])
    assert torch.equal(state["_table"], before[1])
    run.load(state)
    assert np.array_equal(run.factors().user_factors, before[0])


def test_a_finished_run_can_be_given_more_passes(planted: RatingTable) -> None:
    run = FastRun(planted, None, FastSettings(passes=3, patience=0))
    run.run()
    for _ in run.frames(passes=4):
        pass
    assert len(run.epochs) == 2 + 3 + 4
    assert run.state == "done"


def test_it_runs_as_a_task(planted: RatingTable) -> None:
    run = FastRun(planted)
    task = Task("fast", run.frames).start()
    assert task.join(30)
    assert task.result().n_users == planted.n_users


def one_rating() -> RatingTable:
    return RatingTable(
        np.array([1], np.int32),
        np.array([2], np.int32),
        np.array([4.0], np.float32),
        np.arange(3),
        np.arange(4),
    )


@pytest.mark.parametrize("factors", [0, 1, 7, 50])
def test_tiny_tables_and_any_width_give_finite_numbers(factors: int) -> None:
    found = FastRun(one_rating(), None, FastSettings(factors=factors)).run()
    assert found.width == factors
    assert found.predict(np.array([0, 1]), np.array([0, 2])) == pytest.approx([4.0, 4.0])


def test_equal_ratings_are_predicted_exactly(planted: RatingTable) -> None:
    flat = dataclasses.replace(planted, ratings=np.full(len(planted), 3.0, np.float32))
    found = FastRun(flat, flat).run()
    assert found.predict(flat.users, flat.items) == pytest.approx(np.full(len(flat), 3.0))


def test_where_factors_do_not_help_they_are_zero(planted: RatingTable) -> None:
    train, valid = planted.split(0.3, 0)
    noise = np.random.default_rng(0).permutation(train.ratings)
    run = FastRun(dataclasses.replace(train, ratings=noise), valid, FastSettings(factors=6))
    found = run.run()
    best = min(run.epochs, key=lambda row: row.valid_rmse or 9.0)
    assert found.width == 6
    assert found.user_factors.any() == (best.stage != "biases")


def test_a_rate_that_is_too_great_is_lowered(planted: RatingTable) -> None:
    run = FastRun(planted, None, FastSettings(rate=20.0, passes=80, patience=0))
    run.run()
    assert run.epochs[-1].lr < 20.0
    assert run.epochs[-1].train_rmse < run.epochs[0].train_rmse


def test_tuning_sees_only_the_training_part(planted: RatingTable) -> None:
    trials = []
    search = tune(planted, FastSettings(passes=10), strengths=(1.0, 300.0), shares_of_noise=(0.3,))
    try:
        while True:
            trials.append(next(search))
    except StopIteration as end:
        best = end.value
    assert len(trials) == 2
    assert best.strength == 1.0
    assert min(trials, key=lambda t: t.rmse).settings.strength == 1.0


def test_movielens_is_learned_to_below_088(movielens: RatingTable) -> None:
    train, valid = movielens.split(0.2, 0)
    run = FastRun(train, valid)
    run.run()
    assert rmse(run) < 0.88
    assert run.epochs[0].valid_rmse is not None
    assert run.epochs[0].valid_rmse < 0.90
