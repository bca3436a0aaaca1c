"""L-BFGS with restarts: the method of `Solve`, for smooth problems of up to some 10,000 cells.

Owns the run: its iterations, its random restarts and the best point so far. Must not know cells
or formulas. Nocedal and Wright, Numerical Optimization (2nd edition), algorithms 7.4 and 7.5,
by hand in numpy: torch.optim.LBFGS spends three times as long in its own small tensors as the
sheet takes to compute, and a second on imports; it is the oracle in the tests.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gradsheet.formula.values import UserError
from gradsheet.learn.line_search import Floats, Trial, strong_wolfe
from gradsheet.learn.pacing import Snapshot, SolvingRun
from gradsheet.learn.problem import Problem
from gradsheet.learn.trainer import Objective

_SMALL_START = 0.1
_FINER = 1e-5
_CURVED = 1e-14
"""Of a step times the change of the gradient, as a part of their sizes: below it is noise."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to try.

    Parameters
    ----------
    restarts : random starts after the first one
    iterations : most of them from each start
    tolerance : a start is left when `window` iterations have lowered the loss by less than this
        part of it; the best of all is then refined as far as numbers go
    window : iterations
    memory : pairs of steps and gradients that stand for the curvature
    """

    restarts: int = 4
    iterations: int = 500
    tolerance: float = 1e-6
    window: int = 10
    memory: int = 20


class _Pairs:
    """Steps with their changes of the gradient, the oldest first, and their products.

    The two loops of algorithm 7.4 run over the products, so that an iteration costs a few
    products of matrices rather than six operations a pair.
    """

    def __init__(self, most: int, size: int) -> None:
        self.count = 0
        self._most = most
        self._steps, self._changes = np.zeros((most, size)), np.zeros((most, size))
        self._products = np.zeros((most, most))  # of step i and change j

    def append(self, step: Floats, change: Floats) -> None:
        """Add a pair; the oldest goes where there is no room."""
        if self.count == self._most:
            self.count -= 1
            for rows in (self._steps, self._changes):
                rows[:-1] = rows[1:].copy()
            self._products[:-1, :-1] = self._products[1:, 1:].copy()
        at, self.count = self.count, self.count + 1
        self._steps[at], self._changes[at] = step, change
        self._products[at, : self.count] = self._changes[: self.count] @ step
        self._products[: self.count, at] = self._steps[: self.count] @ change

    def direction(self, gradient: Floats) -> Floats:
        """Minus the inverse Hessian, as far as it is known, times the gradient."""
        n = self.count
        if not n:
            return -gradient
        steps, changes = self._steps[:n], self._changes[:n]
        rows = self._products[:n, :n]
        along = (steps @ gradient).tolist()
        alphas = np.zeros(n)
        for i in range(n - 1, -1, -1):
            later = float(rows[i, i + 1 :] @ alphas[i + 1 :])
            alphas[i] = (-along[i] - later) / rows[i, i]
        q = -gradient - alphas @ changes
        last = changes[n - 1]
        scale = float(rows[n - 1, n - 1]) / float(last @ last)
        across = (scale * (changes @ q)).tolist()
        weights = np.zeros(n)
        for i in range(n):
            before = float(rows[:i, i] @ weights[:i])
            weights[i] = alphas[i] - (across[i] + before) / rows[i, i]
        found: Floats = scale * q + weights @ steps
        return found


class Descent:
    """L-BFGS from one start: `iterate` goes to lower values until it returns False.

    Parameters
    ----------
    evaluate : gives value and gradient (n,) at a point (n,), None where there is no value
    x : (n,), the start; not changed
    memory : as in `Effort`

    Attributes
    ----------
    x, value, gradient : where it is
    """

    def __init__(
        self,
        evaluate: Callable[[Floats], tuple[float, Floats] | None],
        x: Floats,
        value: float,
        gradient: Floats,
        memory: int,
    ) -> None:
        self.x, self.value, self.gradient = x, value, gradient
        self._evaluate = evaluate
        self._pairs = _Pairs(memory, len(x))

    def iterate(self) -> bool:
        """Make one step; False, and nothing has changed, if there is none to lower values."""
        while True:
            if self._step():
                return True
            if not self._pairs.count:
                return False
            self._pairs.count = 0  # a curvature gone stale: try straight down

    def _step(self) -> bool:
        direction = self._pairs.direction(self.gradient)
        slope = float(self.gradient @ direction)
        if not slope < 0:
            return False
        x = self.x

        def at(length: float) -> Trial | None:
            found = self._evaluate(x + length * direction)
            if found is None:
                return None
            return Trial(length, found[0], float(found[1] @ direction), found[1])

        first = 1.0 if self._pairs.count else min(1.0, 1.0 / float(np.abs(self.gradient).sum()))
        start = Trial(0.0, self.value, slope, self.gradient)
        found = strong_wolfe(at, start, first)
        if found is None or found.gradient is None:
            return False
        step = found.length * direction
        change = found.gradient - self.gradient
        curvature = float(step @ change)
        if curvature > _CURVED * float(np.linalg.norm(step) * np.linalg.norm(change)):
            self._pairs.append(step, change)
        self.x = x + step
        self.value, self.gradient = found.value, found.gradient
        return True


class LbfgsRun(SolvingRun):
    """A run of L-BFGS from a start and then from random ones; a step is an iteration.

    The trace holds the loss of every iteration, start after start. When the run is over it
    stands at the best point found. Locked cells do not move; rates per range have no meaning
    here.

    Parameters
    ----------
    objective : Objective
    problem : Problem, optional
        Gives goal, target and locks; default: minimise, all free.
    theta : Tensor (n,), optional
        Where to start; the objective's theta0 if not given.
    effort : Effort
    seed : int
        Of the random starts: normal, per range of the problem as far from 0 as the first start.
    clock : callable
        Seconds, monotonic.

    Attributes
    ----------
    evaluations : int
        Times that loss and gradient were computed.
    restart : int
        Which start leads to the best point: 0 is the first one.
    is_done : bool
        Whether all starts have been tried and the best one has been refined.

    Raises
    ------
    UserError
        If every parameter is locked.
    """

    def __init__(
        self,
        objective: Objective,
        problem: Problem | None = None,
        *,
        theta: Tensor | None = None,
        effort: Effort | None = None,
        seed: int = 0,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        super().__init__(0, clock)
        self.objective = objective
        self.effort = effort or Effort()
        self.evaluations = 0
        self.restart = 0
        self._problem = problem
        self._generator = torch.Generator().manual_seed(seed)
        self._start = (objective.theta0 if theta is None else theta).detach().double().clone()
        self._free = free_places(problem, self._start)
        self._spread = spread_of(problem, self._start)
        self._number = 0
        self._is_refining = False
        self._best: tuple[float, float, Tensor] | None = None
        self._descent: Descent | None = None
        self._values: deque[float] = deque(maxlen=self.effort.window + 1)
        self._made = 0
        self._begin(self._start[self._free].numpy().copy())

    @property
    def theta(self) -> Tensor:
        """A copy of the best parameters so far (n,)."""
        return self._start.clone() if self._best is None else self._best[2].clone()

    @property
    def loss(self) -> float:
        """The loss cell at `theta`; NaN if there is no number at any start."""
        return math.nan if self._best is None else self._best[1]

    def _begin(self, x: Floats) -> None:
        """Start a descent; none if there is no value at `x`."""
        found = self._evaluate(x)
        self._values.clear()
        self._made = 0
        self._descent = None
        if found is not None:
            self._descent = Descent(self._evaluate, x, *found, self.effort.memory)
            self._values.append(found[0])
            if not self.trace.last():
                self._trace(found[0])

    def _trace(self, value: float) -> None:
        problem = self._problem
        if problem is not None and problem.goal == "maximise":
            value = -value
        elif problem is not None and problem.goal == "value":
            value = math.sqrt(value)  # how far the cell is from the value that it shall have
        self.trace.append(self._step, value)

    # One iteration.

    def _advance_once(self) -> bool:
        if self.is_done:
            return False
        descent = self._descent
        if descent is not None and descent.iterate():
            self._step += 1
            self._made += 1
            self._trace(descent.value)
            self._values.append(descent.value)
            if not self._is_enough():
                return True
        self._go_on()
        return not self.is_done

    def _is_enough(self) -> bool:
        """Whether the descent has come as far as is worth while."""
        if self._made >= self.effort.iterations or self._is_solved():
            return True
        if len(self._values) <= self.effort.window:
            return False
        level = self.effort.tolerance * (_FINER if self._is_refining else 1.0)
        return self._values[0] - self._values[-1] <= level * abs(self._values[-1])

    def _go_on(self) -> None:
        """Take the next random start; after the last, refine the best point; then stop."""
        self._number += 1
        if self._number <= self.effort.restarts and not self._is_solved():
            draw = torch.randn(self._start.shape, generator=self._generator, dtype=torch.float64)
            self._begin((draw * self._spread)[self._free].numpy())
            return
        if self._best is None:
            self.is_done = True
            where = getattr(self.objective, "failure", lambda _: "")(self._start)
            self.failure = f"The loss is not a number at any start. {where}".rstrip()
        elif self._is_refining or self._is_solved():
            self.is_done = True
        else:
            self._is_refining = True
            self._begin(self.theta[self._free].numpy().copy())

    def _is_solved(self) -> bool:
        """Whether nothing better can be found: the wanted value is reached."""
        problem = self._problem
        if problem is None or problem.goal != "value" or self._best is None:
            return False
        return self._best[0] <= (1e-12 * max(1.0, abs(problem.target))) ** 2

    def _evaluate(self, x: Floats) -> tuple[float, Floats] | None:
        """What is minimised and its gradient in the free cells; None where not finite."""
        theta = self._start.clone()
        theta[self._free] = torch.from_numpy(x)
        tensor, full = self.objective.loss_and_gradient(theta)
        self.evaluations += 1
        loss = tensor.item()
        value, gradient = self._goal(loss, full[self._free].numpy())
        if not math.isfinite(value) or not bool(np.isfinite(gradient).all()):
            return None
        if self._best is None or value < self._best[0]:
            self._best = (value, loss, theta)
            if not self._is_refining:
                self.restart = self._number
        return value, gradient

    def _goal(self, loss: float, gradient: Floats) -> tuple[float, Floats]:
        problem = self._problem
        if problem is None or problem.goal == "minimise":
            return loss, gradient
        if problem.goal == "maximise":
            return -loss, -gradient
        away = loss - problem.target
        return away * away, gradient * (2.0 * away)

    # Looking.

    def snapshot(self) -> Snapshot:
        """The best point so far; see PacedRun."""
        theta = self.theta
        return Snapshot(
            step=self._step,
            loss=self.loss,
            theta=theta,
            computed=self.objective.values(theta),
            trace_length=len(self.trace),
            steps_per_second=self._rate(),
            failure=self.failure,
        )


def free_places(problem: Problem | None, start: Tensor) -> Tensor:
    """Indices of the cells that may move, (n_free,) int64."""
    mask = None if problem is None else problem.locked_mask()
    if mask is None:
        return torch.arange(start.numel())
    if mask.all():
        raise UserError(
            "Every parameter range is locked, so nothing can be learned.",
            "Unlock at least one range.",
        )
    return torch.from_numpy(~mask).nonzero().reshape(-1)


def spread_of(problem: Problem | None, start: Tensor) -> Tensor:
    """Standard deviation of the random starts, (n,): the size of each range's numbers."""
    sizes = [start.numel()] if problem is None else [p.region.size for p in problem.parameters]
    parts = [
        torch.full_like(part, max(float(part.square().mean().sqrt()), _SMALL_START))
        for part in torch.split(start, sizes)
    ]
    return torch.cat(parts)
