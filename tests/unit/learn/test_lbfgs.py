"""L-BFGS against torch's, on functions with known minima, and its restarts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.results import Computed
from gradsheet.formula.values import UserError
from gradsheet.learn.lbfgs import Effort, LbfgsRun
from gradsheet.learn.problem import Parameter, Problem
from gradsheet.tasks import Task


class Function:
    """An objective made of a tensor function."""

    def __init__(self, function: Callable[[Tensor], Tensor], start: list[float]) -> None:
        self._function = function
        self.theta0 = torch.tensor(start, dtype=torch.float64)

    def loss_and_gradient(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        root = theta.clone().requires_grad_()
        loss = self._function(root)
        (gradient,) = torch.autograd.grad(loss, [root])
        return loss.detach(), gradient

    def values(self, theta: Tensor) -> list[Computed]:
        return []


def rosenbrock(x: Tensor) -> Tensor:
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def problem(n: int, **goal: object) -> Problem:
    return Problem((1, Cell(99, 99)), (Parameter(1, Region(0, 0, n, 1)),), **goal)  # type: ignore[arg-type]


def test_rosenbrocks_valley_is_followed_to_its_end() -> None:
    run = LbfgsRun(Function(rosenbrock, [-1.2, 1.0] * 5), effort=Effort(restarts=0))
    end = run.solve()
    assert end.loss < 1e-20
    assert torch.allclose(end.theta, torch.ones(10, dtype=torch.float64), atol=1e-9)
    assert run.evaluations < 200


def test_it_needs_no_more_evaluations_than_torch() -> None:
    objective = Function(rosenbrock, [-1.2, 1.0] * 5)
    run = LbfgsRun(objective, effort=Effort(restarts=0))
    run.solve()
    x = objective.theta0.clone().requires_grad_()
    oracle = torch.optim.LBFGS(
        [x], max_iter=500, max_eval=2000, history_size=20, line_search_fn="strong_wolfe",
        tolerance_grad=1e-10, tolerance_change=0.0,
    )  # fmt: skip
    evaluations = 0

    def closure() -> Tensor:
        nonlocal evaluations
        evaluations += 1
        loss, x.grad = objective.loss_and_gradient(x.detach())
        return loss

    oracle.step(closure)
    assert float(rosenbrock(x.detach())) < 1e-15
    assert run.loss <= float(rosenbrock(x.detach())) + 1e-15
    assert run.evaluations <= 1.5 * evaluations


def test_a_restart_leaves_a_local_minimum() -> None:
    def two_valleys(x: Tensor) -> Tensor:
        return (x * x - 1).square().sum() + 0.3 * x.sum()

    stuck = LbfgsRun(Function(two_valleys, [1.0]), effort=Effort(restarts=0))
    free = LbfgsRun(Function(two_valleys, [1.0]), effort=Effort(restarts=8))
    assert stuck.solve().theta.item() > 0
    assert free.solve().theta.item() < 0
    assert free.restart > 0


def test_the_same_seed_gives_the_same_run() -> None:
    ends = [
        LbfgsRun(Function(rosenbrock, [0.0] * 4), effort=Effort(restarts=2), seed=7).solve()
        for _ in range(2)
    ]
    assert torch.equal(ends[0].theta, ends[1].theta)
    assert ends[0].step == ends[1].step


def test_locked_cells_do_not_move() -> None:
    held = Problem(
        (1, Cell(99, 99)),
        (Parameter(1, Region(0, 0, 1, 1), locked=True), Parameter(1, Region(1, 0, 3, 1))),
    )
    end = LbfgsRun(Function(lambda x: x.square().sum(), [3.0, 4.0, 5.0]), held).solve()
    assert end.theta[0].item() == 3.0
    assert end.theta[1:].abs().max() < 1e-12


def test_locking_everything_is_refused() -> None:
    held = Problem((1, Cell(99, 99)), (Parameter(1, Region(0, 0, 2, 1), locked=True),))
    with pytest.raises(UserError):
        LbfgsRun(Function(lambda x: x.sum(), [1.0, 2.0]), held)


def test_maximise_goes_up() -> None:
    end = LbfgsRun(
        Function(lambda x: -(x - 2).square().sum(), [0.0, 0.0]), problem(2, goal="maximise")
    ).solve()
    assert end.loss == pytest.approx(0.0, abs=1e-20)


def test_goal_value_reaches_the_value() -> None:
    run = LbfgsRun(
        Function(lambda x: torch.exp(x).sum(), [0.0, 0.0]),
        problem(2, goal="value", target=10.0),
    )
    assert run.solve().loss == pytest.approx(10.0, rel=1e-11)


def test_a_wall_is_turned_back_from() -> None:
    def logarithm(x: Tensor) -> Tensor:
        return (x - 0.5 * torch.log(x)).sum()  # not a number below 0

    end = LbfgsRun(Function(logarithm, [30.0]), effort=Effort(restarts=3)).solve()
    assert end.theta.item() == pytest.approx(0.5, rel=1e-7)


def test_no_number_at_any_start_is_a_failure() -> None:
    run = LbfgsRun(Function(lambda x: torch.log(-x.square() - 1).sum(), [1.0]))
    end = run.solve()
    assert end.failure is not None
    assert np.isnan(end.loss)
    assert run.is_done


def test_a_flat_loss_ends_at_once() -> None:
    run = LbfgsRun(Function(lambda x: 0.0 * x.sum() + 1.0, [1.0, 2.0]))
    assert run.solve().loss == 1.0
    assert run.step == 0


def test_frames_end_with_the_best_point_and_can_be_cancelled() -> None:
    run = LbfgsRun(Function(rosenbrock, [-1.2, 1.0] * 3))
    task: Task[object, None] = Task("solving", run.frames)
    task.start()
    task.join(30)
    assert task.is_done
    newest = task.latest()
    assert newest is not None
    assert newest.loss < 1e-15
