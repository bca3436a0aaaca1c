"""Benchmark of the training loop: optimizers against torch.optim, and the trainer's own cost.

Run ``python tests/bench/bench_learn.py``; every table compares figures of one run.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gradsheet.learn.optimizers import make_optimizer
from gradsheet.learn.trace import LossTrace
from gradsheet.learn.trainer import Trainer
from gradsheet.tasks import Control

SIZE = 180


def microseconds(action: Callable[[], object], calls: int = 2000, repeats: int = 7) -> float:
    """Return the median over ``repeats`` of the time of one call."""
    for _ in range(calls // 4):
        action()
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        for _ in range(calls):
            action()
        times.append((time.perf_counter() - began) / calls * 1e6)
    return statistics.median(times)


class Free:
    """An objective that costs next to nothing, to see what the trainer itself costs."""

    def __init__(self) -> None:
        self.theta0 = torch.rand(SIZE, dtype=torch.float64)
        self.loss = torch.tensor(1.0, dtype=torch.float64)
        self.gradient = torch.randn(SIZE, dtype=torch.float64) * 1e-9

    def loss_and_gradient(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """Return the same numbers every time."""
        return self.loss, self.gradient

    def values(self, theta: Tensor) -> list[Any]:
        """Return nothing to show."""
        return []


def compare_optimizers() -> None:
    """Print our step against torch.optim's on a vector of 180, alternating in one run."""
    oracles: dict[str, Callable[[list[Tensor]], torch.optim.Optimizer]] = {
        "sgd": lambda p: torch.optim.SGD(p, lr=1e-3),
        "momentum": lambda p: torch.optim.SGD(p, lr=1e-3, momentum=0.9),
        "nesterov": lambda p: torch.optim.SGD(p, lr=1e-3, momentum=0.9, nesterov=True),
        "adagrad": lambda p: torch.optim.Adagrad(p, lr=1e-3),
        "rmsprop": lambda p: torch.optim.RMSprop(p, lr=1e-3),
        "adam": lambda p: torch.optim.Adam(p, lr=1e-3),
        "adamw": lambda p: torch.optim.AdamW(p, lr=1e-3),
    }
    print(f"one step on {SIZE} numbers   ours us   torch us   ratio")
    for name, make in oracles.items():
        theta, gradient = torch.rand(SIZE).double(), torch.randn(SIZE).double()
        leaf = theta.clone().requires_grad_()
        leaf.grad = gradient.clone()
        ours, theirs = make_optimizer(name, lr=1e-3), make([leaf])
        mine = microseconds(lambda o=ours, t=theta, g=gradient: o.step(t, g))
        other = microseconds(theirs.step, calls=1000)
        print(f"{name:22s} {mine:12.2f} {other:10.2f} {other / mine:7.1f}")


def measure_overhead() -> None:
    """Print what the trainer adds to the objective and the optimizer."""
    objective, calls = Free(), 20_000
    print("\ntrainer, per step     all us   optimizer us   own us")
    for name in ("sgd", "adam"):
        theta, gradient = objective.theta0.clone(), objective.gradient
        optimizer = make_optimizer(name)
        step = microseconds(lambda o=optimizer, t=theta, g=gradient: o.step(t, g))
        trainer = Trainer(objective, make_optimizer(name))
        bare = microseconds(trainer.advance)
        began = time.perf_counter()
        for _ in trainer.frames(Control(), max_steps=calls):
            pass
        looped = (time.perf_counter() - began) / calls * 1e6
        print(f"{name + ' advance()':18s} {bare:9.2f} {step:14.2f} {bare - step:8.2f}")
        print(f"{name + ' frames()':18s} {looped:9.2f} {step:14.2f} {looped - step:8.2f}")


def measure_trace() -> None:
    """Print what recording and thinning a long run cost."""
    trace, count = LossTrace(), 4_000_000
    losses = np.random.default_rng(0).random(1000).tolist()
    began = time.perf_counter()
    for step in range(count):
        trace.append(step, losses[step % 1000])
    append = (time.perf_counter() - began) / count * 1e6
    began = time.perf_counter()
    trace.decimated(4000)
    first = (time.perf_counter() - began) * 1e3
    again = microseconds(lambda: trace.decimated(4000), calls=20) / 1e3
    print(f"\ntrace of {count:,} points: append {append:.2f} us, thin to 4,000 "
          f"first {first:.1f} ms, then {again:.2f} ms")  # fmt: skip


def measure_checkpoint() -> None:
    """Print what asking a Control costs when nothing is asked."""
    control = Control()
    print(f"checkpoint {microseconds(control.checkpoint, calls=100_000) * 1e3:.0f} ns")


if __name__ == "__main__":
    torch.set_num_threads(1)
    compare_optimizers()
    measure_overhead()
    measure_trace()
    measure_checkpoint()
