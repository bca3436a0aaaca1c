"""Facts about the training loop: what a step, a snapshot and a pause are."""

from __future__ import annotations

import dataclasses
import math
import threading
from collections.abc import Generator, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import UserError
from gradsheet.learn.optimizers import OPTIMIZERS, make_optimizer
from gradsheet.learn.problem import Parameter, Problem
from gradsheet.learn.schedules import Factors
from gradsheet.learn.trainer import SpeedLimit, Trainer
from gradsheet.tasks import Cancelled, Control, Task, cancel_all, live_tasks

PATIENCE = 10.0


@pytest.fixture(autouse=True)
def no_task_left() -> Iterator[None]:
    yield
    assert cancel_all(PATIENCE) == ()
    assert live_tasks() == ()


class Bowl:
    """Loss = 0.5 sum(curvature * (theta - centre)^2) + floor, with its gradient by hand."""

    def __init__(self, size: int = 4, floor: float = 0.0) -> None:
        self.curvature = torch.linspace(0.5, 2.0, size, dtype=torch.float64)
        self.centre = torch.arange(1.0, size + 1, dtype=torch.float64)
        self.theta0 = torch.zeros(size, dtype=torch.float64)
        self.floor = floor
        self.evaluations = 0

    def loss(self, theta: Tensor) -> float:
        return float(0.5 * (self.curvature * (theta - self.centre) ** 2).sum()) + self.floor

    def loss_and_gradient(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        self.evaluations += 1
        away = theta - self.centre
        gradient = self.curvature * away
        return 0.5 * (gradient * away).sum() + self.floor, gradient

    def values(self, theta: Tensor) -> list[Any]:
        return [theta.clone()]


class Factorisation:
    """The lesson's problem: RMSE of rated cells under user @ movie, gradient by autograd."""

    def __init__(self, users: int = 15, items: int = 15, factors: int = 5) -> None:
        generator = torch.Generator().manual_seed(7)
        shape = {"dtype": torch.float64, "generator": generator}
        true = torch.rand(users, factors, **shape) @ torch.rand(factors, items, **shape)
        self.rated = torch.rand(users, items, **shape) < 0.9
        self.ratings = true * 2
        self.shape = (users, items, factors)
        self.theta0 = torch.rand(factors * (users + items), **shape)

    def predictions(self, theta: Tensor) -> Tensor:
        users, items, factors = self.shape
        left = theta[: users * factors].view(users, factors)
        return left @ theta[users * factors :].view(factors, items)

    def loss_and_gradient(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        leaf = theta.detach().requires_grad_()
        errors = (self.predictions(leaf) - self.ratings)[self.rated]
        loss = errors.square().mean().sqrt()
        (gradient,) = torch.autograd.grad(loss, leaf)
        return loss.detach(), gradient

    def values(self, theta: Tensor) -> list[Any]:
        return [self.predictions(theta)]


class FakeTime:
    """A clock that moves only when told, and a Control whose waits move it."""

    def __init__(self, per_call: float = 0.0) -> None:
        self.now = 0.0
        self.per_call = per_call
        time = self

        class WaitingControl(Control):
            def wait(self, seconds: float) -> bool:
                time.now += seconds
                return self.asked

        self.control = WaitingControl()

    def __call__(self) -> float:
        self.now += self.per_call
        return self.now


def problem(
    *parameters: Parameter, goal: Any = "minimise", target: float = 0.0, size: int = 4
) -> Problem:
    whole = (Parameter(0, Region(0, 0, 1, size)),)
    return Problem((0, Cell(9, 9)), parameters or whole, goal, target)


def sgd(lr: float = 0.1) -> Any:
    return make_optimizer("sgd", lr=lr)


def test_trace_holds_the_loss_before_each_update() -> None:
    bowl, thetas = Bowl(), []
    trainer = Trainer(bowl, sgd())
    for _ in range(5):
        thetas.append(trainer.theta)
        trainer.advance()
    steps, losses = trainer.trace.arrays()
    assert steps.tolist() == [0, 1, 2, 3, 4]
    assert losses.tolist() == pytest.approx([bowl.loss(t) for t in thetas], rel=1e-15)


def test_snapshot_after_n_steps_shows_step_n_with_its_own_loss_and_values() -> None:
    bowl = Bowl()
    trainer = Trainer(bowl, sgd())
    trainer.advance(7)
    snapshot = trainer.snapshot()
    assert snapshot.step == 7
    assert snapshot.loss == pytest.approx(bowl.loss(snapshot.theta), rel=1e-15)
    assert torch.equal(snapshot.computed[0], snapshot.theta)
    assert torch.equal(trainer.theta, snapshot.theta)
    assert snapshot.trace_length == 8
    assert trainer.trace.last() == (7, snapshot.loss)


def test_looking_costs_no_evaluation_and_changes_nothing() -> None:
    watched, alone = Bowl(), Bowl()
    looking, blind = Trainer(watched, sgd()), Trainer(alone, sgd())
    for _ in range(20):
        looking.snapshot()
        looking.snapshot()
        looking.advance()
    blind.advance(20)
    assert torch.equal(looking.theta, blind.theta)
    assert watched.evaluations == alone.evaluations == 20
    assert looking.trace.arrays()[1].tolist() == blind.trace.arrays()[1].tolist()


def test_snapshot_is_a_copy() -> None:
    trainer = Trainer(Bowl(), sgd())
    snapshot = trainer.snapshot()
    trainer.advance(3)
    assert snapshot.theta.tolist() == [0.0] * 4


def test_start_and_number_can_be_given() -> None:
    start = torch.full((4,), 0.5, dtype=torch.float64)
    trainer = Trainer(Bowl(), sgd(), theta=start, step=10)
    trainer.advance()
    assert start.tolist() == [0.5] * 4
    assert trainer.trace.arrays()[0].tolist() == [10]
    assert trainer.step == 11


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_lowers_the_loss_of_the_factorisation(name: str) -> None:
    rates = {
        "lesson_momentum": 0.5, "lesson_nesterov": 0.5, "lesson_adagrad": 0.001, "sgd": 0.5,
        "adagrad": 0.1,
    }  # fmt: skip
    trainer = Trainer(Factorisation(), make_optimizer(name, lr=rates.get(name, 0.01)))
    assert trainer.advance(300) == 300
    losses = trainer.trace.arrays()[1]
    assert losses[-1] < 0.6 * losses[0]


def test_run_equals_the_same_loop_with_torch_optim() -> None:
    model = Factorisation()
    trainer = Trainer(model, make_optimizer("adam", lr=0.05))
    trainer.advance(100)
    leaf = model.theta0.clone().requires_grad_()
    oracle = torch.optim.Adam([leaf], lr=0.05)
    for _ in range(100):
        oracle.zero_grad()
        loss = ((model.predictions(leaf) - model.ratings)[model.rated]).square().mean().sqrt()
        loss.backward()
        oracle.step()
    torch.testing.assert_close(trainer.theta, leaf.detach(), rtol=0, atol=1e-9)


def test_maximise_climbs() -> None:
    class Hill(Bowl):
        def loss_and_gradient(self, theta: Tensor) -> tuple[Tensor, Tensor]:
            loss, gradient = super().loss_and_gradient(theta)
            return -loss, -gradient

    trainer = Trainer(Hill(), sgd(0.3), problem=problem(goal="maximise"))
    trainer.advance(200)
    assert trainer.theta.tolist() == pytest.approx([1.0, 2.0, 3.0, 4.0])
    losses = trainer.trace.arrays()[1]
    assert losses[0] < losses[-1] <= 0


def test_value_goal_reaches_its_target_and_shows_the_cell_itself() -> None:
    trainer = Trainer(Bowl(floor=1.0), sgd(0.002), problem=problem(goal="value", target=5.0))
    trainer.advance(2000)
    assert trainer.snapshot().loss == pytest.approx(5.0)


def test_value_goal_descends_the_squared_distance() -> None:
    bowl = Bowl()
    trainer = Trainer(bowl, sgd(0.01), problem=problem(goal="value", target=3.0))
    loss, gradient = bowl.loss_and_gradient(bowl.theta0)
    trainer.advance()
    expected = -0.01 * 2 * (loss - 3.0) * gradient
    torch.testing.assert_close(trainer.theta, expected, rtol=1e-15, atol=0)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("decoupled", [False, True])
def test_locked_parameters_and_their_state_keep_every_bit(name: str, decoupled: bool) -> None:
    start = torch.tensor([-0.0, 0.1, 1 / 3, -7e-310], dtype=torch.float64)
    locks = problem(
        Parameter(0, Region(0, 0, 1, 1), locked=True),
        Parameter(0, Region(0, 1, 1, 3)),
        Parameter(0, Region(0, 3, 1, 4), rate_scale=0.0),
    )
    optimizer = make_optimizer(name, lr=0.01, weight_decay=0.1, decoupled=decoupled)
    trainer = Trainer(Bowl(), optimizer, problem=locks, theta=start)
    trainer.advance(50)
    after = trainer.theta.numpy().view(np.int64)
    before = start.numpy().view(np.int64)
    assert after[0] == before[0]
    assert after[3] == before[3]
    assert after[1] != before[1]
    for state in OPTIMIZERS[name].state:
        assert float(optimizer.state[state][0]) == 0.0
        assert float(optimizer.state[state][3]) == 0.0


def test_rate_per_range_scales_the_step() -> None:
    rates = problem(Parameter(0, Region(0, 0, 1, 2)), Parameter(0, Region(0, 2, 1, 4), 0.5))
    scaled, plain = Trainer(Bowl(), sgd(), problem=rates), Trainer(Bowl(), sgd())
    scaled.advance()
    plain.advance()
    ratio = scaled.theta / plain.theta
    assert ratio.tolist() == pytest.approx([1.0, 1.0, 0.5, 0.5])


def test_all_locked_is_refused_with_advice() -> None:
    locked = problem(Parameter(0, Region(0, 0, 1, 4), locked=True))
    with pytest.raises(UserError, match="locked") as refusal:
        Trainer(Bowl(), sgd(), problem=locked)
    assert refusal.value.hint


def test_problem_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="5"):
        Trainer(Bowl(), sgd(), problem=problem(size=5))


def test_schedule_multiplies_the_rate_by_the_step() -> None:
    trainer = Trainer(Bowl(), sgd(), schedule=lambda step: Factors(1.0 if step == 1 else 0.0))
    trainer.advance()
    assert trainer.theta.tolist() == [0.0] * 4
    trainer.advance()
    assert trainer.theta.tolist() != [0.0] * 4


# --- failure ------------------------------------------------------------------------------------


class Cliff(Bowl):
    """A bowl that gives ``what`` not finite from evaluation ``at`` on, while ``broken``."""

    def __init__(self, at: int, loss: float = 1.0, gradient: float = 1.0) -> None:
        super().__init__()
        self.at, self.bad_loss, self.bad_gradient = at, loss, gradient
        self.broken = True

    def loss_and_gradient(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        loss, gradient = super().loss_and_gradient(theta)
        if self.broken and self.evaluations > self.at:
            loss = loss * self.bad_loss
            gradient = gradient.clone()
            gradient[2] *= self.bad_gradient
        return loss, gradient


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ({"loss": math.nan}, "The loss became not a number at step 5."),
        ({"loss": math.inf}, "The loss became infinite at step 5."),
        ({"loss": -math.inf}, "The loss became infinite at step 5."),
        ({"gradient": math.nan}, "The gradient became not a number at step 5."),
        ({"gradient": math.inf}, "The gradient became not a number at step 5."),
    ],
)
def test_non_finite_numbers_stop_the_run_at_the_last_finite_state(
    what: dict[str, float], text: str
) -> None:
    trainer = Trainer(Cliff(5, **what), make_optimizer("adam", lr=0.1))
    sane = Trainer(Bowl(), make_optimizer("adam", lr=0.1))
    assert trainer.advance(100) == 5
    sane.advance(4)
    snapshot = trainer.snapshot()
    assert snapshot.failure == trainer.failure == text
    assert snapshot.step == trainer.step == 4
    assert torch.equal(snapshot.theta, sane.theta)
    assert torch.equal(trainer.optimizer.memory, sane.optimizer.memory)
    assert trainer.optimizer.steps_taken == 4
    assert snapshot.loss == sane.snapshot().loss
    assert snapshot.trace_length == 5
    assert trainer.advance(3) == 0


def test_a_failed_run_goes_on_exactly_when_the_cause_is_gone() -> None:
    cliff = Cliff(5, loss=math.nan)
    trainer = Trainer(cliff, make_optimizer("adam", lr=0.1))
    trainer.advance(100)
    cliff.broken = False
    trainer.clear_failure()
    trainer.advance(10)
    sane = Trainer(Bowl(), make_optimizer("adam", lr=0.1))
    sane.advance(14)
    assert torch.equal(trainer.theta, sane.theta)
    assert trainer.trace.arrays()[0].tolist() == list(range(14))


def test_failure_at_the_start_says_so_and_keeps_the_start() -> None:
    trainer = Trainer(Cliff(0, loss=math.nan), sgd())
    snapshot = trainer.snapshot()
    assert snapshot.failure == "The loss is not a number at the start (step 0)."
    assert snapshot.step == 0
    assert snapshot.theta.tolist() == [0.0] * 4
    assert math.isnan(snapshot.loss)
    assert snapshot.trace_length == 0


def test_diverging_descent_fails_by_itself_and_names_the_step() -> None:
    trainer = Trainer(Bowl(), sgd(lr=1e6))
    made = trainer.advance(10_000)
    assert trainer.failure is not None
    assert f"step {made}" in trainer.failure
    assert bool(torch.isfinite(trainer.theta).all())


def test_huge_but_finite_gradients_do_not_stop_the_run() -> None:
    class Steep(Bowl):
        def loss_and_gradient(self, theta: Tensor) -> tuple[Tensor, Tensor]:
            return torch.tensor(1.0).double(), torch.full((4,), 1e308, dtype=torch.float64)

    trainer = Trainer(Steep(), sgd(lr=1e-300))
    assert trainer.advance(3) == 3


# --- state --------------------------------------------------------------------------------------


def test_loading_a_state_replays_the_run_bit_for_bit() -> None:
    trainer = Trainer(Factorisation(), make_optimizer("adam", lr=0.05))
    trainer.advance(10)
    saved = trainer.state_dict()
    trainer.advance(15)
    theta, losses = trainer.theta, trainer.trace.arrays()[1].copy()
    trainer.load(saved)
    assert trainer.step == 10
    assert len(trainer.trace) == 10
    trainer.advance(15)
    assert torch.equal(trainer.theta, theta)
    assert trainer.trace.arrays()[1].tolist() == losses.tolist()


def test_another_trainer_can_branch_from_a_state() -> None:
    trainer = Trainer(Factorisation(), make_optimizer("adamw", lr=0.05))
    trainer.advance(10)
    branch = Trainer(Factorisation(), make_optimizer("adamw"))
    branch.load(trainer.state_dict())
    trainer.advance(5)
    branch.advance(5)
    assert torch.equal(branch.theta, trainer.theta)


def test_random_numbers_come_from_the_seed_and_are_part_of_the_state() -> None:
    a, b = Trainer(Bowl(), sgd(), seed=3), Trainer(Bowl(), sgd(), seed=3)
    assert torch.equal(torch.rand(3, generator=a.generator), torch.rand(3, generator=b.generator))
    saved = a.state_dict()
    drawn = torch.rand(3, generator=a.generator)
    a.load(saved)
    assert torch.equal(torch.rand(3, generator=a.generator), drawn)


def test_edited_parameters_replace_the_point_of_their_step() -> None:
    bowl = Bowl()
    trainer = Trainer(bowl, sgd())
    trainer.advance(3)
    trainer.snapshot()
    edited = torch.full((4,), 9.0, dtype=torch.float64)
    trainer.set_theta(edited)
    snapshot = trainer.snapshot()
    assert snapshot.step == 3
    assert snapshot.loss == pytest.approx(bowl.loss(edited))
    assert trainer.trace.arrays()[0].tolist() == [0, 1, 2, 3]
    assert trainer.trace.last() == (3, snapshot.loss)


# --- frames -------------------------------------------------------------------------------------


def test_last_frame_always_shows_the_last_step() -> None:
    time = FakeTime(per_call=0.001)
    trainer = Trainer(Bowl(), sgd(), clock=time)
    frames = list(trainer.frames(time.control, max_steps=100))
    assert frames[-1].step == trainer.step == 100
    shown = [frame.step for frame in frames]
    assert shown == sorted(set(shown))


def test_frames_come_at_most_fps_times_a_second() -> None:
    time = FakeTime(per_call=0.0005)
    trainer = Trainer(Bowl(), sgd(), clock=time)
    began = time.now
    frames = list(trainer.frames(time.control, max_steps=5000, fps=60))
    assert len(frames) <= (time.now - began) * 60 + 1
    assert len(frames) > (time.now - began) * 60 * 0.8


def test_no_steps_still_give_one_frame() -> None:
    trainer = Trainer(Bowl(), sgd())
    assert [frame.step for frame in trainer.frames(Control(), max_steps=0)] == [0]


def test_slow_values_take_at_most_a_third_of_the_time() -> None:
    time = FakeTime(per_call=1e-4)

    class Slow(Bowl):
        def values(self, theta: Tensor) -> list[Any]:
            time.now += 0.1
            return super().values(theta)

    trainer = Trainer(Slow(), sgd(), clock=time)
    frames = list(trainer.frames(time.control, max_steps=20_000))
    assert (len(frames) - 1) * 0.1 <= time.now / 3 + 0.1


def test_consecutive_runs_go_on_where_the_last_ended() -> None:
    trainer, whole = Trainer(Bowl(), sgd()), Trainer(Bowl(), sgd())
    for _ in range(3):
        list(trainer.frames(Control(), max_steps=4))
    whole.advance(12)
    assert trainer.step == 12
    assert torch.equal(trainer.theta, whole.theta)


def test_frames_end_with_the_failure() -> None:
    trainer = Trainer(Cliff(5, loss=math.nan), sgd())
    frames = list(trainer.frames(Control()))
    assert frames[-1].failure == "The loss became not a number at step 5."
    assert frames[-1].step == 4


def test_steps_per_frame_limits_each_frame() -> None:
    time = FakeTime(per_call=1e-6)
    trainer = Trainer(Bowl(), sgd(), clock=time)
    trainer.speed = SpeedLimit(steps_per_frame=3)
    shown = [frame.step for frame in trainer.frames(time.control, max_steps=12, fps=60)]
    assert shown == [3, 6, 9, 12]
    assert time.now == pytest.approx(3 / 60, rel=0.2)


def test_steps_per_second_limits_the_run_and_shows_every_step() -> None:
    time = FakeTime(per_call=1e-6)
    trainer = Trainer(Bowl(), sgd(), clock=time)
    trainer.speed = SpeedLimit(steps_per_second=2)
    shown = [frame.step for frame in trainer.frames(time.control, max_steps=8)]
    assert shown == list(range(1, 9))
    assert time.now == pytest.approx(8 / 2, rel=0.15)


def test_measured_speed_is_that_of_the_last_second() -> None:
    time = FakeTime(per_call=0.0)

    class Timed(Bowl):
        cost = 0.01

        def loss_and_gradient(self, theta: Tensor) -> tuple[Tensor, Tensor]:
            time.now += self.cost
            return super().loss_and_gradient(theta)

    model = Timed()
    trainer = Trainer(model, sgd(), clock=time)
    last = list(trainer.frames(time.control, max_steps=500))[-1]
    assert last.steps_per_second == pytest.approx(100, rel=0.03)
    model.cost = 0.002
    last = list(trainer.frames(time.control, max_steps=2000))[-1]
    assert last.steps_per_second == pytest.approx(500, rel=0.03)


def test_pause_shows_the_exact_state_and_resume_goes_on() -> None:
    trainer, began = Trainer(Bowl(), sgd(1e-4)), threading.Event()

    def frames(control: Control) -> Generator[Any, None, None]:
        for snapshot in trainer.frames(control):
            began.set()
            yield snapshot

    task = Task("train", frames).start()
    assert began.wait(PATIENCE)
    task.pause()
    assert task.control.wait_until_paused(PATIENCE)
    snapshot = task.latest()
    assert snapshot is not None
    assert snapshot.step == trainer.step
    assert torch.equal(snapshot.theta, trainer.theta)
    task.resume()
    task.pause()
    assert task.control.wait_until_paused(PATIENCE)
    task.cancel()
    assert task.join(PATIENCE)
    assert trainer.step >= snapshot.step


def test_cancel_leaves_the_last_snapshot_to_fetch() -> None:
    trainer = Trainer(Bowl(), sgd(1e-4))
    task = Task("train", lambda control: trainer.frames(control)).start()
    task.pause()
    assert task.control.wait_until_paused(PATIENCE)
    task.latest()
    task.resume()
    task.cancel()
    assert task.join(PATIENCE)
    newest = task.latest()
    assert newest is None or newest.step == trainer.step
    assert task.is_cancelled


def test_cancelled_frames_raise_after_the_last_snapshot() -> None:
    trainer, control = Trainer(Bowl(), sgd()), Control()
    trainer.advance(3)
    control.cancel()
    frames = trainer.frames(control)
    assert next(frames).step == 3
    with pytest.raises(Cancelled):
        next(frames)


def test_rate_may_be_changed_while_running() -> None:
    trainer, control = Trainer(Bowl(), sgd(1e-3)), Control()
    frames = trainer.frames(control)
    next(frames)
    trainer.optimizer.hyper = dataclasses.replace(trainer.optimizer.hyper, lr=0.0)
    still = next(frames).theta
    assert torch.equal(next(frames).theta, still)


# --- problem ------------------------------------------------------------------------------------


def test_problem_lists_masks_and_rates_in_the_order_of_theta() -> None:
    stated = problem(
        Parameter(0, Region(0, 0, 2, 2), locked=True),
        Parameter(1, Region(0, 0, 1, 3), rate_scale=0.5),
        Parameter(0, Region(5, 5, 6, 6)),
    )
    assert stated.size == 8
    mask, rates = stated.locked_mask(), stated.rate_scale()
    assert mask is not None
    assert mask.tolist() == [True] * 4 + [False] * 4
    assert rates is not None
    assert rates.tolist() == [1.0] * 4 + [0.5] * 3 + [1.0]
    assert stated.regions[1] == (1, Region(0, 0, 1, 3))


def test_free_problem_has_neither_mask_nor_rates() -> None:
    assert problem().locked_mask() is None
    assert problem().rate_scale() is None


@pytest.mark.parametrize(
    "parameters",
    [
        (),
        (Parameter(0, Region(0, 0, 2, 2)), Parameter(0, Region(1, 1, 3, 3))),
        (Parameter(0, Region(9, 0, 10, 20)),),
        (Parameter(0, Region(0, 0, 1, 1), rate_scale=-1.0),),
        (Parameter(0, Region(0, 0, 1, 1), rate_scale=math.inf),),
        (Parameter(0, Region(0, 0, 1, 1), rate_scale=math.nan),),
    ],
)
def test_problem_that_cannot_be_run_is_refused_with_advice(
    parameters: tuple[Parameter, ...],
) -> None:
    with pytest.raises(UserError) as refusal:
        Problem((0, Cell(9, 9)), parameters)
    assert refusal.value.hint


def test_ranges_of_two_sheets_do_not_overlap() -> None:
    problem(Parameter(0, Region(0, 0, 2, 2)), Parameter(1, Region(0, 0, 2, 2)))
