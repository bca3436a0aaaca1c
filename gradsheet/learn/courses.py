"""One start of Solver followed to its minimum: by L-BFGS or by an optimizer's small steps.

Owns when a start has come as far as is worth while, and the rounds of the augmented Lagrangian.
Must not know cells, nor what other starts there are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from gradsheet.learn.augmented_lagrangian import LARGEST_PENALTY, Merit
from gradsheet.learn.bounded import BoundedDescent
from gradsheet.learn.constraints import Bounds, Floats
from gradsheet.learn.lbfgs import Descent
from gradsheet.learn.optimizers import Optimizer

Evaluate = Callable[[Floats], "tuple[float, Floats] | None"]
FEASIBLE = 1e-9
"""Largest scaled violation at which the rounds end."""
FLAT = 1e-7
"""Largest projected gradient of the merit at which the rounds end."""
MOST_ROUNDS = 60
_ROUND_ITERATIONS = 200
_ROUND_TOLERANCE = 1e-13
_NEARLY = 1e-7
_NEARLY_FLAT = 1e-4
"""Off by no more than these it counts as settled."""
_FIRST_ROUND_FLAT = 1e-3


class Course(Protocol):
    """A start on its way."""

    @property
    def x(self) -> Floats:
        """Where it is, (n,)."""

    @property
    def value(self) -> float:
        """What is minimised there: the objective or the merit."""

    def iterate(self) -> bool:
        """Make one iteration; False if there is nothing more to gain."""


@dataclass(frozen=True, slots=True)
class Patience:
    """When to stop.

    Parameters
    ----------
    iterations : most of them
    tolerance : stop when `window` iterations lower the value by less than this part of it
    window : iterations
    memory : pairs that stand for the curvature
    """

    iterations: int = 500
    tolerance: float = 1e-6
    window: int = 10
    memory: int = 20


class SmoothCourse:
    """L-BFGS without conditions, with or without bounds.

    Raises
    ------
    ValueError
        If there is no value at the start.
    """

    def __init__(self, evaluate: Evaluate, x: Floats, bounds: Bounds, patience: Patience) -> None:
        x = bounds.projected(x)
        found = evaluate(x)
        if found is None:
            raise ValueError("no value at the start")
        self._descent: Descent | BoundedDescent
        if bounds.are_none:
            self._descent = Descent(evaluate, x, *found, patience.memory)
        else:
            self._descent = BoundedDescent(evaluate, x, *found, patience.memory, bounds)
        self._bounds = bounds
        self._patience = patience
        self._values: deque[float] = deque([found[0]], maxlen=patience.window + 1)
        self.made = 0

    @property
    def x(self) -> Floats:
        """See Course."""
        return self._descent.x

    @property
    def value(self) -> float:
        """See Course."""
        return self._descent.value

    @property
    def slope(self) -> float:
        """The largest element of the projected gradient."""
        found = self._bounds.slope(self._descent.x, self._descent.gradient)
        return float(np.abs(found).max(initial=0.0))

    def iterate(self) -> bool:
        """See Course."""
        if self.made >= self._patience.iterations or not self._descent.iterate():
            return False
        self.made += 1
        self._values.append(self.value)
        if len(self._values) <= self._patience.window:
            return True
        gained = self._values[0] - self._values[-1]
        return gained > self._patience.tolerance * abs(self._values[-1])


class LagrangeCourse:
    """Rounds of L-BFGS on the merit, until the conditions hold and nothing is gained.

    Attributes
    ----------
    is_settled : bool
        Whether the last round found the conditions of Karush, Kuhn and Tucker to hold.
    """

    def __init__(self, merit: Merit, x: Floats, bounds: Bounds, patience: Patience) -> None:
        self.merit = merit
        self._bounds = bounds
        self._patience = patience
        self._flat = _FIRST_ROUND_FLAT
        self._round = self._begin(bounds.projected(x))
        self.made = 0
        self.is_settled = False

    @property
    def x(self) -> Floats:
        """See Course."""
        return self._round.x

    @property
    def value(self) -> float:
        """See Course."""
        return self._round.value

    def _begin(self, x: Floats) -> SmoothCourse:
        patience = Patience(
            _ROUND_ITERATIONS, _ROUND_TOLERANCE, self._patience.window, self._patience.memory
        )
        return SmoothCourse(self.merit, x, self._bounds, patience)

    def iterate(self) -> bool:
        """See Course; the iterations count over all rounds."""
        if self.made >= 20 * self._patience.iterations:
            return False
        moved = self._round.iterate()
        self.made += moved
        if moved and self._round.slope > self._flat:
            return True
        return self._next_round()

    def _next_round(self) -> bool:
        slope = self._round.slope
        excess = self.merit.update(self.x)
        self.is_settled = excess <= _NEARLY and slope <= _NEARLY_FLAT * max(1.0, self.merit.weight)
        # A round without a step cannot be bettered: numbers have no more digits.
        is_idle = self._round.made == 0 and self.is_settled
        stuck = self.merit.penalty >= LARGEST_PENALTY and self.merit.rounds > MOST_ROUNDS // 2
        is_there = excess <= FEASIBLE and slope <= FLAT
        if is_there or is_idle or stuck or self.merit.rounds >= MOST_ROUNDS:
            return False
        self._flat = max(0.1 * self._flat, FLAT)
        self._round = self._begin(self.x)
        return True


class SteppedCourse:
    """An optimizer's own steps, each brought back within the bounds; it keeps the best point."""

    def __init__(
        self,
        evaluate: Evaluate,
        x: Floats,
        bounds: Bounds,
        optimizer: Optimizer,
        iterations: int,
        merit: Merit | None,
    ) -> None:
        self._evaluate = evaluate if merit is None else merit
        self._bounds = bounds
        self._optimizer = optimizer
        self._left = iterations
        self._theta: Tensor = torch.from_numpy(bounds.projected(x).copy())
        found = self._evaluate(self._theta.numpy())
        if found is None:
            raise ValueError("no value at the start")
        self._here = found
        self.merit = merit
        self._since = 0
        optimizer.prepare(self._theta)

    @property
    def x(self) -> Floats:
        """See Course."""
        return self._theta.numpy().copy()

    @property
    def value(self) -> float:
        """See Course."""
        return self._here[0]

    def iterate(self) -> bool:
        """See Course."""
        if self._left <= 0:
            return False
        self._left -= 1
        before = self._theta.clone()
        self._optimizer.step(self._theta, torch.from_numpy(self._here[1]), self._here[0])
        within = self._bounds.projected(self._theta.numpy())
        self._theta.copy_(torch.from_numpy(within))
        self._since += 1
        if self.merit is not None and self._since >= _ROUND_ITERATIONS:
            self.merit.update(within, harder=False)
            self._since = 0
        found = self._evaluate(within)
        if found is None:
            self._theta.copy_(before)
            return False
        self._here = found
        return True
