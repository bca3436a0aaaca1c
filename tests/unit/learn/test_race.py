"""The race: the common form of the rules against the rules themselves, and what a race tells."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from gradsheet.formula.values import UserError
from gradsheet.learn.functions2d import PRESETS, FormulaSurface, LineSurface, surface_of
from gradsheet.learn.hyper import Hyper
from gradsheet.learn.optimizers import OPTIMIZERS, Optimizer
from gradsheet.learn.race import RUNNERS, Race, Runner, chosen, with_sgd
from gradsheet.learn.rate_search import plan_race, search_rates
from gradsheet.learn.schedules import annealing
from gradsheet.tasks import Task, cancel_all, live_tasks

BOWL = FormulaSurface("(x^2+20*y^2)/2")
START = (-3.0, 1.0)


def alone(runner: Runner, surface: FormulaSurface, steps: int) -> torch.Tensor:
    """The path of the rule of learn.optimizers on its own."""
    optimizer = Optimizer(OPTIMIZERS[runner.name], runner.hyper)
    theta = torch.tensor([START], dtype=torch.float64)
    for number in range(steps):
        loss, gradient = surface.loss_and_gradient(theta, number)
        optimizer.step(theta, gradient, float(loss))
    return theta[0]


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("name", RUNNERS)
def test_a_runner_goes_where_its_rule_goes_alone(name: str, decay: float) -> None:
    runner = RUNNERS[name]
    hyper = replace(runner.hyper, lr=0.01, weight_decay=decay)
    if name == "rmsprop":
        hyper = replace(hyper, momentum=0.0)
    runner = replace(runner, hyper=hyper)
    race = Race(BOWL, [runner], START)
    race.advance(50)
    at = [r.name for r in race.runners].index(name)
    expected = alone(runner, BOWL, 50).tolist()
    assert race.theta[at].tolist() == pytest.approx(expected, rel=1e-12, abs=1e-14)


def test_eight_run_as_they_would_alone() -> None:
    field = chosen(lr=0.01)
    together = Race(BOWL, field, START)
    together.advance(60)
    for i, runner in enumerate(field):
        single = Race(BOWL, [runner], START)
        single.advance(60)
        own = single.theta[[r.name for r in single.runners].index(runner.name)]
        assert together.theta[i].tolist() == pytest.approx(own.tolist(), rel=1e-13)


def test_bias_correction_goes_on_over_a_thousand_steps() -> None:
    runner = replace(RUNNERS["adam"], hyper=Hyper(lr=0.001, beta2=0.9999))
    race = Race(BOWL, [runner], START)
    race.advance(1500)
    assert race.theta[1].tolist() == pytest.approx(alone(runner, BOWL, 1500).tolist(), rel=1e-9)


def test_sgd_always_runs() -> None:
    assert [r.name for r in with_sgd([RUNNERS["adam"]])] == ["sgd", "adam"]


def test_nine_are_too_many() -> None:
    with pytest.raises(UserError):
        with_sgd([RUNNERS["adam"]] * 8)


def test_an_unknown_runner_is_named() -> None:
    with pytest.raises(UserError, match="'adma'"):
        chosen(["adma"])


def test_a_runner_that_diverges_leaves_the_others_alone() -> None:
    fast = replace(RUNNERS["momentum"], hyper=Hyper(lr=10.0, momentum=0.9))
    race = Race(BOWL, [fast, replace(RUNNERS["sgd"], hyper=Hyper(lr=0.01))], START)
    race.advance(500)
    momentum, sgd = race.standings()
    assert momentum.diverged is not None
    assert math.isfinite(momentum.loss)
    assert sgd.diverged is None
    assert sgd.loss < 1


def test_histories_hold_the_start_and_every_step() -> None:
    race = Race(BOWL, chosen(["adam"], lr=0.1), START, target=1.0)
    race.advance(1)
    race.advance(1999)
    assert race.paths().shape == (2001, 2, 2)
    assert race.losses().shape == (2001, 2)
    assert race.paths()[0].tolist() == [list(START)] * 2
    assert race.losses()[0].tolist() == pytest.approx([14.5, 14.5])
    assert race.losses()[-1].tolist() == BOWL.loss(race.theta).tolist()
    for standing in race.standings():
        assert standing.reached is not None
        i = [r.name for r in race.runners].index(standing.name)
        assert race.losses()[standing.reached, i] <= 1.0 < race.losses()[standing.reached - 1, i]


def test_all_see_the_same_batches() -> None:
    x = [1.0, 2.0, 3.0, 4.0]
    surface = LineSurface(x, [2 * v + 1 for v in x], batch=2)
    race = Race(surface, [replace(RUNNERS["sgd"], hyper=Hyper(lr=0.01))], (0.0, 0.0))
    race.advance(2)
    b = a = 0.0
    for rows in ([0, 1], [2, 3]):
        errors = [a * x[i] + b - (2 * x[i] + 1) for i in rows]
        db = sum(errors)
        da = sum(e * x[i] for e, i in zip(errors, rows, strict=True))
        b, a = b - 0.01 * db, a - 0.01 * da
    assert race.theta[0].tolist() == pytest.approx([b, a], rel=1e-13)


def test_the_line_surface_is_the_mean_squared_error() -> None:
    x, y = [1.0, 2.0, 5.0], [3.0, 4.0, 9.0]
    points = torch.tensor([[0.5, 1.5], [2.0, -1.0]], dtype=torch.float64)
    expected = [
        sum((a * u + b - v) ** 2 for u, v in zip(x, y, strict=True)) / 3 for b, a in points.tolist()
    ]
    assert LineSurface(x, y).loss(points).tolist() == pytest.approx(expected, rel=1e-13)


def test_a_schedule_moves_every_rate() -> None:
    runner = replace(RUNNERS["sgd"], hyper=Hyper(lr=0.1))
    race = Race(BOWL, [runner], START, schedule=annealing(2, 0.0, "linear"))
    race.advance(5)
    paths = race.paths()[:, 0]
    assert paths[2].tolist() == paths[5].tolist()
    assert paths[2, 0] == pytest.approx(-3 * 0.9 * 0.95)


def test_the_search_finds_what_single_runs_find() -> None:
    found = search_rates(BOWL, chosen(["sgd"]), START, 30, count=9)
    losses = []
    for rate in found.rates:
        race = Race(BOWL, [replace(RUNNERS["sgd"], hyper=Hyper(lr=float(rate)))], START)
        race.advance(30)
        losses.append(race.losses()[-1, 0])
    assert found.losses[0][np.isfinite(losses)] == pytest.approx(
        np.array(losses)[np.isfinite(losses)], rel=1e-12
    )
    assert found.best[0] == found.rates[int(np.nanargmin(losses))]


def test_the_same_rate_is_the_same_for_all() -> None:
    plan = plan_race("same", BOWL, chosen(), START, 10, lr=0.02)
    assert {r.hyper.lr for r in plan.race.runners} == {0.02}
    assert plan.search is None


def test_the_own_best_rate_is_no_worse_than_any_other_tried() -> None:
    plan = plan_race("best", BOWL, chosen(), START, 40)
    plan.race.advance(plan.steps)
    assert plan.search is not None
    lowest = plan.search.losses.min(axis=1)
    assert plan.race.losses()[-1].tolist() == pytest.approx(lowest.tolist(), rel=1e-9)


def test_the_budget_pays_for_the_search() -> None:
    plan = plan_race("budget", BOWL, chosen(), START, 1000)
    assert plan.search is not None
    assert plan.search.evaluations + plan.steps == 1000
    assert plan.search.evaluations <= 500


def test_a_race_in_a_task_can_be_watched_and_stopped() -> None:
    race = Race(BOWL, chosen(lr=0.001), START)
    task: Task[int, None] = Task("race", lambda control: race.frames(control, 100_000))
    task.start()
    while race.step < 10:
        assert not task.is_done
    task.cancel()
    assert task.join(10)
    assert live_tasks() == ()
    assert cancel_all() == ()
    assert race.step < 100_000
    assert len(race.losses()) == race.step + 1


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_lowest_where_it_says(name: str) -> None:
    surface, preset = surface_of(name)
    assert preset.minimum is not None
    offsets = torch.tensor([[0, 0], [0.05, 0], [-0.05, 0], [0, 0.05], [0, -0.05]])
    around = torch.tensor([preset.minimum], dtype=torch.float64) + offsets
    losses = surface.loss(around)
    assert int(losses.argmin()) == 0
    start = surface.loss(torch.tensor([preset.start], dtype=torch.float64))
    assert float(start) > float(losses[0])


def test_an_unknown_preset_is_named() -> None:
    with pytest.raises(UserError, match="'banana'"):
        surface_of("banana")
