"""Facts about the optimizers: equal to torch.optim, equal to the lesson workbooks."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from gradsheet.formula.values import UserError
from gradsheet.learn.hyper import Hyper
from gradsheet.learn.optimizers import OPTIMIZERS, Optimizer, make_optimizer

STEPS = 200
SIZE = 37
BOOKS = Path(__file__).resolve().parents[4] / "shared" / "reference" / "workbooks"

TorchMaker = Callable[[list[Tensor]], torch.optim.Optimizer]


def numbers(seed: int, *shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def largest_difference(ours: Optimizer, theirs: TorchMaker) -> float:
    mine, reference = numbers(1, SIZE), numbers(1, SIZE).requires_grad_()
    oracle, worst = theirs([reference]), 0.0
    for step in range(STEPS):
        gradient = numbers(100 + step, SIZE) * 10 ** float(numbers(5000 + step, 1))
        reference.grad = gradient.clone()
        oracle.step()
        ours.step(mine, gradient)
        worst = max(worst, float((mine - reference.detach()).abs().max()))
    return worst


def cases() -> Iterator[Any]:
    decays = (0.0, 0.03)
    for wd in decays:
        yield pytest.param(
            make_optimizer("sgd", lr=0.02, weight_decay=wd),
            lambda p, wd=wd: torch.optim.SGD(p, lr=0.02, weight_decay=wd),
            id=f"sgd wd={wd}",
        )
        for dampening, nesterov in ((0.0, False), (0.4, False), (0.0, True)):
            yield pytest.param(
                make_optimizer(
                    "momentum", lr=0.02, momentum=0.8, dampening=dampening,
                    nesterov=nesterov, weight_decay=wd,
                ),
                lambda p, wd=wd, d=dampening, n=nesterov: torch.optim.SGD(
                    p, lr=0.02, momentum=0.8, dampening=d, nesterov=n, weight_decay=wd
                ),
                id=f"momentum dampening={dampening} nesterov={nesterov} wd={wd}",
            )  # fmt: skip
        for decay, start in ((0.0, 0.0), (0.05, 0.3)):
            yield pytest.param(
                make_optimizer(
                    "adagrad", lr=0.1, lr_decay=decay, initial_accumulator=start, weight_decay=wd
                ),
                lambda p, wd=wd, d=decay, s=start: torch.optim.Adagrad(
                    p, lr=0.1, lr_decay=d, initial_accumulator_value=s, weight_decay=wd
                ),
                id=f"adagrad lr_decay={decay} start={start} wd={wd}",
            )
        for centered in (False, True):
            for momentum in (0.0, 0.7):
                yield pytest.param(
                    make_optimizer(
                        "rmsprop", lr=0.01, beta2=0.95, centered=centered, momentum=momentum,
                        weight_decay=wd,
                    ),
                    lambda p, wd=wd, c=centered, m=momentum: torch.optim.RMSprop(
                        p, lr=0.01, alpha=0.95, centered=c, momentum=m, weight_decay=wd
                    ),
                    id=f"rmsprop centered={centered} momentum={momentum} wd={wd}",
                )  # fmt: skip
        for amsgrad in (False, True):
            yield pytest.param(
                make_optimizer("adam", lr=0.02, beta1=0.85, amsgrad=amsgrad, weight_decay=wd),
                lambda p, wd=wd, a=amsgrad: torch.optim.Adam(
                    p, lr=0.02, betas=(0.85, 0.999), amsgrad=a, weight_decay=wd
                ),
                id=f"adam amsgrad={amsgrad} wd={wd}",
            )
            yield pytest.param(
                make_optimizer("adamw", lr=0.02, amsgrad=amsgrad, weight_decay=wd),
                lambda p, wd=wd, a=amsgrad: torch.optim.AdamW(
                    p, lr=0.02, amsgrad=a, weight_decay=wd
                ),
                id=f"adamw amsgrad={amsgrad} wd={wd}",
            )


@pytest.mark.parametrize(("ours", "theirs"), list(cases()))
def test_two_hundred_steps_equal_torch_optim(ours: Optimizer, theirs: TorchMaker) -> None:
    assert largest_difference(ours, theirs) < 1e-12


DEFAULTS: dict[str, TorchMaker] = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.01),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9),
    "nesterov": lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9, nesterov=True),
    "adagrad": lambda p: torch.optim.Adagrad(p, lr=0.01),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.01),
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
}


@pytest.mark.parametrize("name", DEFAULTS)
def test_defaults_are_those_of_torch_optim(name: str) -> None:
    assert largest_difference(make_optimizer(name), DEFAULTS[name]) < 1e-12


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("decoupled", [False, True])
def test_rate_scales_equal_separate_optimizers_with_scaled_rates(
    name: str, decoupled: bool
) -> None:
    factors = (1.0, 0.1, 3.0)
    settings = {"lr": 0.01, "weight_decay": 0.02, "decoupled": decoupled}
    together = make_optimizer(name, **settings)
    together.rate_scale = torch.tensor(factors, dtype=torch.float64).repeat_interleave(4)
    apart = [make_optimizer(name, **{**settings, "lr": 0.01 * f}) for f in factors]
    whole = numbers(3, 12)
    parts = [part.clone() for part in whole.split(4)]
    for step in range(50):
        gradient, loss = numbers(200 + step, 12), 1.0 + abs(float(numbers(900 + step, 1)))
        together.step(whole, gradient, loss)
        for optimizer, part, piece in zip(apart, parts, gradient.split(4), strict=True):
            optimizer.step(part, piece, loss)
    torch.testing.assert_close(whole, torch.cat(parts), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_gradient_of_the_caller_is_left_alone(name: str) -> None:
    optimizer = make_optimizer(name, weight_decay=0.1)
    gradient = numbers(4, SIZE)
    kept = gradient.clone()
    optimizer.step(numbers(5, SIZE), gradient, 1.0)
    assert torch.equal(gradient, kept)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_saved_state_goes_on_bit_for_bit(name: str) -> None:
    optimizer, theta = make_optimizer(name, lr=0.01), numbers(6, SIZE)
    for step in range(7):
        optimizer.step(theta, numbers(step, SIZE), 1.0 / (step + 1))
    copies = [make_optimizer(name), optimizer.clone()]
    copies[0].load(optimizer.state_dict())
    thetas = [theta.clone(), theta.clone()]
    for step in range(7, 14):
        optimizer.step(theta, numbers(step, SIZE), 1.0 / (step + 1))
        for other, its_theta in zip(copies, thetas, strict=True):
            other.step(its_theta, numbers(step, SIZE), 1.0 / (step + 1))
    for other, its_theta in zip(copies, thetas, strict=True):
        assert torch.equal(its_theta, theta)
        assert torch.equal(other.memory, optimizer.memory)
        assert other.steps_taken == 14


def test_saved_state_is_a_copy() -> None:
    optimizer, theta = make_optimizer("adam"), numbers(6, SIZE)
    optimizer.step(theta, numbers(1, SIZE))
    saved = optimizer.state_dict()
    kept = saved["state"]["average"].clone()
    optimizer.step(theta, numbers(2, SIZE))
    assert torch.equal(saved["state"]["average"], kept)


def test_state_of_an_unused_optimizer_can_be_saved_and_loaded() -> None:
    other = make_optimizer("adam", lr=0.5)
    other.load(make_optimizer("adam", lr=0.25).state_dict())
    assert other.hyper.lr == 0.25
    assert other.steps_taken == 0


def test_state_of_another_rule_is_refused() -> None:
    with pytest.raises(ValueError, match="adam"):
        make_optimizer("sgd").load(make_optimizer("adam").state_dict())


def test_parameters_of_another_shape_are_refused() -> None:
    optimizer = make_optimizer("adam")
    optimizer.step(numbers(1, 3), numbers(2, 3))
    with pytest.raises(ValueError, match="shape"):
        optimizer.step(numbers(1, 4), numbers(2, 4))


def test_settings_may_change_between_steps() -> None:
    ours, mine = make_optimizer("adam", lr=0.1), numbers(1, SIZE)
    reference = mine.clone().requires_grad_()
    oracle = torch.optim.Adam([reference], lr=0.1)
    for step in range(20):
        if step == 10:
            ours.hyper = dataclasses.replace(ours.hyper, lr=0.003)
            oracle.param_groups[0]["lr"] = 0.003
        reference.grad = numbers(step, SIZE)
        oracle.step()
        ours.step(mine, numbers(step, SIZE))
    torch.testing.assert_close(mine, reference.detach(), rtol=0, atol=1e-12)


def test_settings_for_one_step_leave_the_others() -> None:
    optimizer, theta = make_optimizer("sgd", lr=1.0), torch.zeros(2, dtype=torch.float64)
    ones = torch.ones(2, dtype=torch.float64)
    optimizer.step(theta, ones, hyper=optimizer.hyper.scaled(0.5))
    assert theta.tolist() == [-0.5, -0.5]
    optimizer.step(theta, ones)
    assert theta.tolist() == [-1.5, -1.5]


def test_every_state_is_shaped_like_the_parameters() -> None:
    for name, rule in OPTIMIZERS.items():
        optimizer = make_optimizer(name)
        optimizer.step(numbers(1, 3, 4), numbers(2, 3, 4), 1.0)
        for state in rule.state:
            assert optimizer.state[state].shape == (3, 4)
        for state in rule.scalars:
            assert optimizer.state[state].shape == ()


@pytest.mark.parametrize("name", ["lesson_adam", "lesson_rmsprop", "lesson_adagrad", "eve"])
def test_lesson_rules_do_not_move_where_the_gradient_is_zero(name: str) -> None:
    optimizer, theta = make_optimizer(name), numbers(1, 3)
    start = theta.clone()
    for _ in range(3):
        optimizer.step(theta, torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64), 1.0)
    assert theta[0] == start[0]
    assert theta[1] != start[1]
    assert bool(torch.isfinite(theta).all())


def test_float32_parameters_have_float32_state() -> None:
    optimizer, theta = make_optimizer("adam"), torch.zeros(3)
    optimizer.step(theta, torch.ones(3))
    assert optimizer.state["average"].dtype == torch.float32


def test_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="adamw"):
        make_optimizer("adamm")


@pytest.mark.parametrize(
    "bad",
    [{"lr": -1.0}, {"lr": float("nan")}, {"beta1": 1.0}, {"momentum": -0.1}, {"eps": -1e-8},
     {"weight_decay": float("inf")}, {"period": 0}],
)  # fmt: skip
def test_settings_out_of_range_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(UserError) as refusal:
        make_optimizer("adam", **bad)
    assert refusal.value.hint


def test_scaled_momentum_stays_below_one() -> None:
    assert Hyper(beta1=0.9).scaled(1.0, 2.0).beta1 < 1


def test_every_rule_says_where_it_is_written_down() -> None:
    for name, rule in OPTIMIZERS.items():
        assert rule.name == name
        assert rule.source
        known = {field.name for field in dataclasses.fields(Hyper)}
        assert set(rule.uses) <= known


# --- the lesson workbooks: their stored values are what Excel computed --------------------------


def sheet(book: str, name: str) -> Any:
    path = BOOKS / book
    if not path.exists():
        pytest.skip("the reference workbooks are not here")
    openpyxl = pytest.importorskip("openpyxl")
    return openpyxl.load_workbook(path, data_only=True)[name]


def follow(page: Any, optimizer: Optimizer, grads: str, news: str, losses: str = "") -> float:
    """Feed the gradients of rows 4 to 32 in; return the largest error of the new b and a."""
    theta = torch.tensor([page["C1"].value, page["C2"].value], dtype=torch.float64)
    worst = 0.0
    for row in range(4, 33):
        exact = [page[f"{c}{row}"].value for c in grads]
        gradient = torch.tensor(exact, dtype=torch.float64)
        optimizer.step(theta, gradient, 1.0 if losses else None)
        for i, column in enumerate(news):
            worst = max(worst, abs(float(theta[i]) - page[f"{column}{row}"].value))
    return worst


def preload(optimizer: Optimizer, **state: list[float]) -> None:
    optimizer.prepare(torch.zeros(2, dtype=torch.float64))
    for name, values in state.items():
        optimizer.state[name].copy_(torch.tensor(values, dtype=torch.float64))


@pytest.mark.parametrize("book", ["graddesc_2017.xlsx", "graddesc_2019.xlsx"])
def test_lesson_momentum_equals_the_sheet(book: str) -> None:
    page = sheet(book, "momentum")
    optimizer = make_optimizer("lesson_momentum", lr=page["D2"].value, beta1=page["J1"].value)
    preload(optimizer, average=[page["J3"].value, page["K3"].value])
    assert follow(page, optimizer, "FG", "HI") < 1e-9


@pytest.mark.parametrize("book", ["graddesc_2017.xlsx", "graddesc_2019.xlsx"])
def test_lesson_rmsprop_equals_the_sheet(book: str) -> None:
    page = sheet(book, "rmsprop")
    optimizer = make_optimizer("lesson_rmsprop", lr=page["D2"].value, beta2=page["J1"].value)
    preload(optimizer, square=[page["J3"].value, page["K3"].value])
    assert follow(page, optimizer, "FG", "HI") < 1e-9


@pytest.mark.parametrize("book", ["graddesc_2017.xlsx", "graddesc_2019.xlsx"])
def test_lesson_adam_equals_the_sheet(book: str) -> None:
    page = sheet(book, "adam")
    optimizer = make_optimizer(
        "lesson_adam", lr=page["D2"].value, beta1=page["J1"].value, beta2=page["L1"].value
    )
    preload(
        optimizer,
        average=[page["J3"].value, page["K3"].value],
        square=[page["L3"].value, page["M3"].value],
    )
    assert follow(page, optimizer, "FG", "HI") < 1e-9


def test_lesson_adagrad_equals_the_sheet() -> None:
    page = sheet("graddesc_2017.xlsx", "adagrad")
    optimizer = make_optimizer("lesson_adagrad", lr=page["D2"].value, period=29)
    preload(optimizer, statistic=[page["F1"].value, page["G1"].value])
    optimizer.steps_taken = 29  # an epoch lies behind, whose statistic stands in F1 and G1
    assert follow(page, optimizer, "FG", "HI") < 1e-9
    assert optimizer.state["statistic"].tolist() == pytest.approx(
        [page["F33"].value, page["G33"].value], rel=1e-12
    )


def test_eve_equals_the_sheet() -> None:
    page = sheet("graddesc_2017.xlsx", "eve")
    optimizer = make_optimizer(
        "eve", lr=page["D2"].value / page["F38"].value, beta1=page["K1"].value,
        beta2=page["M1"].value, beta3=0.0,
    )  # fmt: skip
    preload(
        optimizer,
        average=[page["K3"].value, page["L3"].value],
        square=[page["M3"].value, page["N3"].value],
    )
    # The sheet holds d still for an epoch: step number 1 at every row keeps ours at 1.
    theta = torch.tensor([page["C1"].value, page["C2"].value], dtype=torch.float64)
    for row in range(4, 33):
        gradient = torch.tensor([page[f"{c}{row}"].value for c in "GH"], dtype=torch.float64)
        optimizer.steps_taken = 0
        optimizer.step(theta, gradient, 1.0)
        assert theta.tolist() == pytest.approx([page[f"{c}{row}"].value for c in "IJ"], abs=1e-9)


def test_d_of_eve_follows_the_relative_change_of_the_loss() -> None:
    page = sheet("graddesc_2017.xlsx", "eve")
    f1, f2, d1 = page["F34"].value, page["F35"].value, page["F37"].value
    optimizer, theta = make_optimizer("eve"), torch.ones(1, dtype=torch.float64)
    gradient = torch.ones(1, dtype=torch.float64)
    optimizer.step(theta, gradient, f2)
    assert float(optimizer.state["d"]) == d1 == 1
    optimizer.step(theta, gradient, f1)
    assert float(optimizer.state["d"]) == pytest.approx(page["F38"].value, rel=1e-12)


def test_eve_without_the_loss_is_refused() -> None:
    with pytest.raises(ValueError, match="loss"):
        make_optimizer("eve").step(numbers(1, 2), numbers(2, 2))


def test_lagged_momentum_steps_with_the_previous_average() -> None:
    optimizer = make_optimizer("lesson_momentum", lr=1.0, beta1=0.5, lagged=True)
    theta = torch.zeros(1, dtype=torch.float64)
    optimizer.step(theta, torch.tensor([4.0], dtype=torch.float64))
    assert theta.tolist() == [0.0]
    optimizer.step(theta, torch.tensor([0.0], dtype=torch.float64))
    assert theta.tolist() == [-2.0]
