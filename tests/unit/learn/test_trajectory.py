"""The record of a run: any step comes back bit for bit, through rate changes, forks, thinning."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gradsheet.learn.optimizers import OPTIMIZERS, make_optimizer
from gradsheet.learn.trainer import Trainer
from gradsheet.learn.trajectory import Abandoned, Recording


class Bowl:
    """A random convex quadratic with a bit of curvature that is not."""

    def __init__(self, seed: int, size: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        root = torch.randn(size, size, generator=generator, dtype=torch.float64)
        self.matrix = root @ root.T / size + 0.1 * torch.eye(size, dtype=torch.float64)
        self.theta0 = torch.randn(size, generator=generator, dtype=torch.float64)

    def loss_and_gradient(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        pull = self.matrix @ theta
        return 0.5 * theta @ pull + theta.cos().sum(), pull - theta.sin()

    def values(self, theta: Tensor) -> list[Any]:
        return []


def same(a: Any, b: Any) -> bool:
    """Compare two states to the last bit."""
    if isinstance(a, Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return bool(a == b)


def recorded(trainer: Trainer, budget: int = 1 << 20) -> Recording:
    recording = Recording(budget)
    recording.begin(trainer)
    trainer.recording = recording
    return recording


@settings(max_examples=40, deadline=None)
@given(
    name=st.sampled_from(sorted(OPTIMIZERS)),
    seed=st.integers(0, 1000),
    size=st.integers(1, 9),
    steps=st.integers(1, 150),
    changes=st.dictionaries(st.integers(0, 149), st.floats(1e-4, 0.05), max_size=4),
    data=st.data(),
)
def test_any_step_comes_back_bit_for_bit(
    name: str, seed: int, size: int, steps: int, changes: dict[int, float], data: st.DataObject
) -> None:
    trainer = Trainer(Bowl(seed, size), make_optimizer(name, lr=0.01))
    recording = recorded(trainer)
    states = []
    losses = []
    for step in range(steps):
        if step in changes:
            trainer.optimizer.hyper = replace(trainer.optimizer.hyper, lr=changes[step])
        states.append(trainer.state_dict())
        losses.append(trainer.snapshot().loss)
        assert trainer.advance() == 1
    for step in data.draw(st.lists(st.integers(0, steps - 1), min_size=1, max_size=6)):
        state, snapshot = recording.show(step)
        assert same(state, states[step])
        assert snapshot.loss == losses[step]
        assert snapshot.step == step
    assert recording.end == steps


def test_a_fork_goes_its_own_way_and_the_old_record_stays() -> None:
    trainer = Trainer(Bowl(1, 5), make_optimizer("adam", lr=0.01))
    recording = recorded(trainer)
    trainer.advance(100)
    late, _ = recording.show(90)
    branch = recording.fork(40)
    state, _ = branch.show(40)
    other = trainer.twin()
    other.load(state)
    other.optimizer.hyper = replace(other.optimizer.hyper, lr=0.5)
    branch.begin(other)
    other.recording = branch
    other.advance(60)
    assert same(recording.show(90)[0], late)
    assert not same(branch.show(90)[0], late)
    assert same(branch.show(30)[0], recording.show(30)[0])
    assert branch.end == 100
    assert branch.rates_changed_after(39)
    assert not recording.rates_changed_after(0)


def test_thinning_keeps_the_budget_and_every_step() -> None:
    trainer = Trainer(Bowl(2, 8), make_optimizer("adam", lr=0.01))
    recording = recorded(trainer, budget=60_000)
    trainer.advance(2_000)
    assert recording.nbytes() <= 60_000
    plain = trainer.twin()
    plain.advance(1_234)
    assert same(recording.show(1_234)[0], plain.state_dict())


def test_what_was_taken_back_is_forgotten() -> None:
    trainer = Trainer(Bowl(3, 4), make_optimizer("sgd", lr=0.01))
    recording = recorded(trainer)
    trainer.advance(50)
    recording.forget_after(20)
    assert recording.end == 20
    with pytest.raises(ValueError, match="outside 0 to 20"):
        recording.show(21)


def test_another_objective_in_the_middle_is_another_stretch() -> None:
    first = Trainer(Bowl(4, 4), make_optimizer("momentum", lr=0.01))
    recording = recorded(first)
    first.advance(30)
    at_20, _ = recording.show(20)
    second = Trainer(Bowl(5, 4), first.optimizer, theta=first.theta, step=first.step)
    recording.begin(second)
    second.recording = recording
    second.advance(30)
    assert same(recording.show(20)[0], at_20)
    assert same(recording.show(60)[0], second.state_dict())
    assert recording.rates_changed_after(10)
    assert not recording.rates_changed_after(30)


def test_recording_costs_a_run_little_memory() -> None:
    trainer = Trainer(Bowl(6, 180), make_optimizer("adam", lr=0.001))
    recording = recorded(trainer, budget=64 << 20)
    trainer.advance(10_000)
    assert recording.nbytes() < 64 << 20
    state, _ = recording.show(7_777)
    assert state["step"] == 7_777


def test_a_copy_keeps_a_change_that_is_newer_than_its_keyframes() -> None:
    trainer = Trainer(Bowl(7, 4), make_optimizer("adam", lr=0.01))
    recording = recorded(trainer)
    trainer.advance(3)
    trainer.optimizer.hyper = replace(trainer.optimizer.hyper, lr=0.5)
    trainer.advance(5)
    assert same(recording.copy().show(8)[0], trainer.state_dict())


def counted(recording: Recording, step: int) -> int:
    """Show a step; return how many steps had to be made again for it."""
    made = 0
    replayer = recording.replayer(step)
    advance = replayer.advance  # type: ignore[union-attr]

    def count(n: int = 1) -> int:
        nonlocal made
        made += 1
        return advance(n)

    replayer.advance = count  # type: ignore[union-attr, method-assign]
    recording.show(step)
    replayer.advance = advance  # type: ignore[union-attr, method-assign]
    return made


def test_neighbours_of_a_step_come_without_the_whole_way_again() -> None:
    trainer = Trainer(Bowl(8, 6), make_optimizer("adam", lr=0.001))
    recording = recorded(trainer, budget=12_000)
    trainer.advance(6_000)
    assert recording.spacing > 1_000
    plain = trainer.twin()
    plain.advance(3_950)
    first = counted(recording, 4_000)
    assert first > 500
    assert counted(recording, 3_999) <= 64
    assert counted(recording, 3_950) <= 64
    assert same(recording.show(3_950)[0], plain.state_dict())


def test_the_end_of_a_run_that_was_left_is_there_at_once() -> None:
    trainer = Trainer(Bowl(9, 6), make_optimizer("adam", lr=0.001))
    recording = recorded(trainer, budget=12_000)
    trainer.advance(5_999)
    recording.hold(trainer)
    recording.show(10)
    assert counted(recording, 5_999) == 0
    assert same(recording.show(5_999)[0], trainer.state_dict())


def test_a_long_rerun_ends_when_its_step_is_no_longer_wanted() -> None:
    trainer = Trainer(Bowl(10, 6), make_optimizer("adam", lr=0.001))
    recording = recorded(trainer, budget=12_000)
    trainer.advance(6_000)
    with pytest.raises(Abandoned):
        recording.show(3_990, lambda: False)
    assert recording.show(3_990)[1].step == 3_990


def test_a_copy_does_not_wait_for_a_rerun() -> None:
    trainer = Trainer(Bowl(11, 6), make_optimizer("adam", lr=0.001))
    recording = recorded(trainer, budget=12_000)
    trainer.advance(6_000)
    copied = []

    def look() -> bool:  # in the middle of the re-run
        worker = threading.Thread(target=lambda: copied.append(recording.copy()), daemon=True)
        worker.start()
        worker.join(30)
        return True

    recording.show(3_990, look)
    assert copied
    assert copied[0].end == 6_000
