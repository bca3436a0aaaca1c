"""The line fit by the optimizers' own step functions: torch's numbers where the rule is torch's."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from gradsheet.formula.values import UserError
from gradsheet.learn.hyper import Hyper
from gradsheet.learn.line_fit import RECIPES, LineFit, Recipe
from gradsheet.learn.schedules import constant, one_cycle

X = [14.0, 86, 28, 51, 28, 29, 72, 62, 84, 15, 42, 62, 47, 35, 9,
     38, 44, 99, 13, 21, 28, 20, 8, 64, 99, 70, 27, 17, 8]  # fmt: skip
Y = [2 * x + 30 for x in X]


def by_torch(make: object, epochs: int) -> tuple[float, float]:
    theta = torch.tensor([1.0, 1.0], dtype=torch.float64, requires_grad=True)
    optimizer = make([theta])  # type: ignore[operator]
    for _ in range(epochs):
        for x, y in zip(X, Y, strict=True):
            optimizer.zero_grad()
            ((theta[1] * x + theta[0] - y) ** 2).backward()
            optimizer.step()
    b, a = theta.tolist()
    return a, b


def test_sgd_is_torchs() -> None:
    fit = LineFit(X, Y, RECIPES["sgd"])
    epochs = [fit.epoch() for _ in range(5)]
    a, b = by_torch(lambda p: torch.optim.SGD(p, lr=1e-4), 5)
    assert (epochs[-1].a, epochs[-1].b) == pytest.approx((a, b), rel=1e-12)


def test_the_lessons_momentum_is_torchs_with_dampening_but_for_the_first_step() -> None:
    """Torch begins with the first gradient whole, the lesson with its (1 - beta)-th part."""
    fit = LineFit(X, Y, RECIPES["momentum"])
    found = fit.epoch()
    a, b = by_torch(lambda p: torch.optim.SGD(p, lr=1e-4, momentum=0.9, dampening=0.9), 1)
    assert found.a != pytest.approx(a, rel=1e-3)
    lesson = Recipe("momentum", Hyper(lr=1e-5, momentum=0.9))  # v = m / (1 - beta) from 0
    assert LineFit(X, Y, lesson).epoch().a == pytest.approx(found.a, rel=1e-12)
    assert b > 1


def test_the_lessons_nesterov_is_torchs_at_a_tenth_of_the_rate() -> None:
    fit = LineFit(X, Y, RECIPES["nesterov"])
    epochs = [fit.epoch() for _ in range(3)]
    a, b = by_torch(lambda p: torch.optim.SGD(p, lr=1e-5, momentum=0.9, nesterov=True), 3)
    assert (epochs[-1].a, epochs[-1].b) == pytest.approx((a, b), rel=1e-12)


def test_adam_with_bias_correction_from_zero_is_torchs() -> None:
    hyper = Hyper(lr=0.1, beta1=0.7, beta2=0.9, eps=0.0, bias_correction=True)
    fit = LineFit(X, Y, Recipe("adam", hyper))
    epochs = [fit.epoch() for _ in range(3)]
    a, b = by_torch(lambda p: torch.optim.Adam(p, lr=0.1, betas=(0.7, 0.9), eps=0.0), 3)
    assert (epochs[-1].a, epochs[-1].b) == pytest.approx((a, b), rel=1e-10)


@pytest.mark.parametrize("name", list(RECIPES))
def test_every_optimizer_reaches_the_line_from_one_and_one(name: str) -> None:
    fit = LineFit(X, Y, RECIPES[name])
    for _ in range(2500):
        epoch = fit.epoch()
        if abs(epoch.a - 2) < 0.05 and abs(epoch.b - 30) < 1:
            return
    pytest.fail(f"{name} is at a = {epoch.a}, b = {epoch.b}")


def test_the_2019_betas_circle_round_the_line_for_ever() -> None:
    recipe = replace(RECIPES["adam"], hyper=replace(RECIPES["adam"].hyper, beta1=0.9))
    fit = LineFit(X, Y, recipe)
    ends = [fit.epoch() for _ in range(500)]
    assert not any(abs(e.a - 2) < 0.05 and abs(e.b - 30) < 1 for e in ends)


def test_the_mean_gradient_of_all_rows_makes_one_update_an_epoch() -> None:
    fit = LineFit(X, Y, RECIPES["sgd"], batch=len(X))
    found = fit.epoch()
    slope = sum(2 * (x + 1 - y) * x for x, y in zip(X, Y, strict=True)) / len(X)
    assert found.a == pytest.approx(1 - 1e-4 * slope, rel=1e-14)


def test_a_rate_that_is_too_large_names_epoch_row_and_a_tenth() -> None:
    recipe = replace(RECIPES["sgd"], hyper=Hyper(lr=1.0))
    fit = LineFit(X, Y, recipe)
    with pytest.raises(UserError, match=r"epoch \d+, row \d+: the learning rate 1 ") as error:
        _ = [fit.epoch() for _ in range(100)]
    assert error.value.hint == "Try 0.1."


def test_the_annealed_sheets_quarter_the_rate() -> None:
    fit = LineFit(X, Y, RECIPES["adam_ann"])
    for _ in range(100):
        fit.epoch()
    ratio = RECIPES["adam_ann"].hyper.lr / fit.hyper.lr
    assert ratio in [4.0**k for k in range(1, 20)]


def test_a_schedule_that_changes_nothing_changes_nothing() -> None:
    plain, scheduled = (
        LineFit(X, Y, RECIPES["adam"], schedule=s) for s in (None, constant())
    )
    assert plain.epoch() == scheduled.epoch()
    cycle = LineFit(X, Y, RECIPES["adam"], schedule=one_cycle(10, base_momentum=0.7))
    assert cycle.epoch() != plain.epoch()


@pytest.mark.parametrize("batch", [0, 30])
def test_a_batch_that_does_not_fit_is_refused(batch: int) -> None:
    with pytest.raises(UserError):
        LineFit(X, Y, RECIPES["sgd"], batch=batch)


def test_x_without_y_is_refused() -> None:
    with pytest.raises(UserError):
        LineFit(X, Y[:-1], RECIPES["sgd"])
