"""Facts about schedules: equal to torch's where torch has them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from gradsheet.learn.schedules import (
    Schedule,
    annealing,
    constant,
    cosine_restarts,
    one_cycle,
    range_test,
    suggest_rate,
)

MakeTorch = Callable[[torch.optim.Optimizer], Any]


def torch_rates(make: MakeTorch, steps: int) -> list[tuple[float, float]]:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0, momentum=0.95)
    schedule = make(optimizer)
    rates = []
    for _ in range(steps):
        group = optimizer.param_groups[0]
        rates.append((group["lr"], group["momentum"]))
        optimizer.step()
        schedule.step()
    return rates


def same(schedule: Schedule, make: MakeTorch, steps: int) -> None:
    theirs = torch_rates(make, steps)
    for step, (lr, momentum) in enumerate(theirs):
        factors = schedule(step)
        assert factors.lr == pytest.approx(lr, abs=1e-12)
        assert factors.momentum * 0.95 == pytest.approx(momentum, abs=1e-12)


SCHEDULER = torch.optim.lr_scheduler


@pytest.mark.parametrize(("length", "mult"), [(7, 1), (5, 2), (3, 3), (1, 2)])
def test_cosine_restarts_equal_torch(length: int, mult: int) -> None:
    same(
        cosine_restarts(length, mult, low=0.1),
        lambda o: SCHEDULER.CosineAnnealingWarmRestarts(o, length, mult, eta_min=0.1),
        100,
    )


@pytest.mark.parametrize(("total", "rise"), [(50, 0.3), (100, 0.25), (10, 0.5)])
def test_one_cycle_equals_torch(total: int, rise: float) -> None:
    same(
        one_cycle(total, rise),
        lambda o: SCHEDULER.OneCycleLR(o, max_lr=1.0, total_steps=total, pct_start=rise),
        total,
    )


def test_linear_annealing_equals_torch() -> None:
    same(
        annealing(20, 0.25, "linear"),
        lambda o: SCHEDULER.LinearLR(o, 1.0, 0.25, total_iters=20),
        30,
    )


def test_exponential_annealing_falls_by_equal_factors() -> None:
    schedule = annealing(10, 1e-3, "exponential")
    rates = [schedule(i).lr for i in range(11)]
    assert rates[0] == 1.0
    assert rates[-1] == pytest.approx(1e-3)
    assert np.diff(np.log(rates)) == pytest.approx(math.log(1e-3) / 10)


@pytest.mark.parametrize("shape", ["linear", "cosine", "exponential"])
def test_annealing_stays_at_its_end(shape: Any) -> None:
    schedule = annealing(10, 0.5, shape)
    assert schedule(10).lr == schedule(1000).lr == pytest.approx(0.5)


def test_constant_changes_nothing() -> None:
    assert constant()(123) == (1.0, 1.0)


def test_restarts_far_into_a_run_fall_on_the_right_step() -> None:
    schedule = cosine_restarts(3, 2)
    for i in range(1, 40):
        begin = 3 * (2**i - 1)
        assert schedule(begin).lr == 1.0
        assert schedule(begin - 1).lr < 1.0


def test_one_cycle_after_its_end_stays() -> None:
    schedule = one_cycle(20)
    assert schedule(19) == schedule(500)


def test_range_test_rises_by_equal_factors() -> None:
    schedule = range_test(11, 1e-5, 1.0)
    rates = [schedule(i).lr for i in range(11)]
    assert rates[0] == pytest.approx(1e-5)
    assert rates[-1] == pytest.approx(1.0)
    assert np.diff(np.log10(rates)) == pytest.approx(0.5)


def test_suggestion_finds_the_fall_and_the_lowest() -> None:
    rates = np.geomspace(1e-6, 10, 200)
    losses = 1 / (1 + (rates / 1e-2) ** 2) + np.where(rates > 1, (rates - 1) ** 2, 0)
    found = suggest_rate(rates, losses, smoothing=0.0)
    assert found is not None
    assert 3e-3 < found.steepest < 3e-2
    assert 0.02 < found.tenth_of_lowest < 0.2


def test_suggestion_stops_at_the_first_non_finite_loss() -> None:
    rates = np.geomspace(1e-6, 10, 100)
    losses = np.linspace(2, 1, 100)
    losses[60] = np.nan
    losses[80] = -100
    found = suggest_rate(rates, losses)
    assert found is not None
    assert len(found.smoothed) == 60


@pytest.mark.parametrize(
    "losses", [[1.0, 0.9, 0.8], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [math.nan] * 9]
)
def test_no_suggestion_where_nothing_falls(losses: list[float]) -> None:
    assert suggest_rate(np.geomspace(1e-3, 1, len(losses)), losses) is None


@pytest.mark.parametrize(
    "make",
    [
        lambda: annealing(0),
        lambda: annealing(5, 0.0, "exponential"),
        lambda: cosine_restarts(0),
        lambda: cosine_restarts(5, 0),
        lambda: one_cycle(1),
        lambda: one_cycle(10, rise=1.0),
        lambda: range_test(1),
        lambda: range_test(10, 1.0, 0.1),
    ],
)
def test_impossible_schedules_are_refused(make: Callable[[], Schedule]) -> None:
    with pytest.raises(ValueError, match="schedule"):
        make()


def test_noise_of_the_first_losses_is_no_steepest_fall() -> None:
    rates = np.geomspace(1e-6, 1.0, 120)
    losses = np.where(rates < 1e-3, 1.5, np.where(rates < 0.1, 1.0, 3.0))
    losses[:3] = (2.2, 1.4, 1.5)  # one unlucky batch at the start
    found = suggest_rate(rates, losses)
    assert found is not None
    assert 1e-3 < found.steepest < 1e-2
