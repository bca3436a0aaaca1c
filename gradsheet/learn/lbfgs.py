"""L-BFGS with restarts: the method of `Solve`, for smooth problems of up to some 10,000 cells.

Owns the run: its iterations, its random restarts and the best point so far. Must not know cells
or formulas. The steps are torch.optim.LBFGS's with the strong Wolfe line search (Nocedal and
Wright, Numerical Optimization, 2nd edition, algorithms 7.5 and 3.5).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass

import torch
from torch import Tensor

from gradsheet.formula.values import UserError
from gradsheet.learn.pacing import PacedRun, Snapshot
from gradsheet.learn.problem import Problem
from gradsheet.learn.trainer import Objective
from gradsheet.tasks import Control

# Higher than any loss, low enough that the line search's cubics stay finite: an error on the way
# to the loss (a logarithm of 0, say) is a wall to turn back from.
_WALL = 1e100
_SMALL_START = 0.1
_LINE_SEARCH = 25
"""Evaluations of one line search, torch's own limit."""
_QUIET_ITERATIONS = 4


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to try.

    Parameters
    ----------
    restarts : random starts after the first one
    iterations : most of them from each start
    tolerance : a start is done when its loss has changed by less than this part of it, some
        iterations in a row
    memory : pairs of steps and gradients that stand for the curvature
    """

    restarts: int = 4
    iterations: int = 500
    tolerance: float = 1e-11
    memory: int = 20


class LbfgsRun(PacedRun):
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
        Whether all starts have been tried.

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
        self.is_done = False
        self._problem = problem
        self._generator = torch.Generator().manual_seed(seed)
        self._start = (objective.theta0 if theta is None else theta).detach().double().clone()
        self._free = _free_places(problem, self._start)
        self._spread = _spread(problem, self._start)
        self._start_number = 0
        self._points: list[tuple[Tensor, float, float, Tensor]] = []
        self._best: tuple[float, float, Tensor] | None = None
        self._x = self._start[self._free].clone()
        self._begin_start()

    @property
    def theta(self) -> Tensor:
        """A copy of the best parameters so far (n,)."""
        return self._start.clone() if self._best is None else self._best[2].clone()

    @property
    def loss(self) -> float:
        """The loss cell at `theta`; NaN before the first evaluation."""
        return math.nan if self._best is None else self._best[1]

    def _begin_start(self) -> None:
        self._x.requires_grad_()
        self._optimizer = torch.optim.LBFGS(
            [self._x],
            max_iter=1,
            max_eval=_LINE_SEARCH + 1,
            history_size=self.effort.memory,
            tolerance_grad=0.0,
            tolerance_change=0.0,
            line_search_fn="strong_wolfe",
        )
        self._iterations = self._quiet = 0
        self._before = math.inf
        self._points.clear()

    # One iteration.

    def _advance_once(self) -> bool:
        if self.is_done:
            return False
        here = self._value_at(self._x.detach())
        if here is None:
            if self._best is None and self._start_number >= self.effort.restarts:
                self._fail()
                return False
            self._next_start()
            return not self.is_done
        value, loss, gradient = here
        if not self.trace.last():
            self.trace.append(self._step, loss)
        self._optimizer.step(self._closure)  # type: ignore[no-untyped-call]
        self._iterations += 1
        self._step += 1
        self._points = self._points[-1:] if self._is_newest() else self._points
        after = self._value_at(self._x.detach())
        if after is None:
            self._next_start()
            return True
        self.trace.append(self._step, after[1])
        self._note_quiet(value, after[0], gradient)
        if self._quiet >= _QUIET_ITERATIONS or self._iterations >= self.effort.iterations:
            self._next_start()
        return True

    def _is_newest(self) -> bool:
        return bool(self._points) and torch.equal(self._points[-1][0], self._x.detach())

    def _note_quiet(self, before: float, after: float, gradient: Tensor) -> None:
        change = abs(before - after)
        level = self.effort.tolerance * max(abs(after), 1e-300)
        is_flat = not gradient.numel() or float(gradient.abs().max()) == 0.0
        is_solved = self._problem is not None and self._problem.goal == "value" and after < 1e-24
        self._quiet = self._quiet + 1 if change <= level else 0
        if is_flat or is_solved:
            self._quiet = _QUIET_ITERATIONS

    def _closure(self) -> float:
        found = self._value_at(self._x.detach())
        if found is None:
            self._x.grad = torch.zeros_like(self._x)
            return _WALL
        self._x.grad = found[2].clone()
        return found[0]

    def _value_at(self, x: Tensor) -> tuple[float, float, Tensor] | None:
        """What is minimised, the loss, and the gradient (free cells); None where not finite.

        The optimizer asks for points again that its line search has seen: they are kept for the
        iteration.
        """
        for seen, value, loss, gradient in reversed(self._points):
            if torch.equal(seen, x):
                return None if math.isnan(value) else (value, loss, gradient)
        theta = self._start.clone()
        theta[self._free] = x
        tensor, full = self.objective.loss_and_gradient(theta)
        self.evaluations += 1
        loss = tensor.item()
        gradient = full[self._free]
        value, gradient = self._goal(loss, gradient)
        if not math.isfinite(value) or not bool(torch.isfinite(gradient).all()):
            self._points.append((x.clone(), math.nan, loss, gradient))
            return None
        self._points.append((x.clone(), value, loss, gradient))
        if self._best is None or value < self._best[0]:
            self._best = (value, loss, theta)
            self.restart = self._start_number
        return value, loss, gradient

    def _goal(self, loss: float, gradient: Tensor) -> tuple[float, Tensor]:
        """What is minimised for the problem's goal."""
        problem = self._problem
        if problem is None or problem.goal == "minimise":
            return loss, gradient
        if problem.goal == "maximise":
            return -loss, -gradient
        away = loss - problem.target
        return away * away, gradient * (2.0 * away)

    def _next_start(self) -> None:
        """Go to the next random start, or end at the best point."""
        self._start_number += 1
        if self._start_number > self.effort.restarts or self._is_solved():
            self.is_done = True
            self._x = self.theta[self._free]
            return
        draw = torch.randn(self._start.shape, generator=self._generator, dtype=torch.float64)
        self._x = (draw * self._spread)[self._free]
        self._begin_start()

    def _is_solved(self) -> bool:
        """Whether nothing better can be found: the wanted value is reached."""
        problem = self._problem
        if problem is None or problem.goal != "value" or self._best is None:
            return False
        return self._best[0] <= (1e-12 * max(1.0, abs(problem.target))) ** 2

    def _fail(self) -> None:
        self.is_done = True
        where = getattr(self.objective, "failure", lambda _: "")(self._start)
        self.failure = f"The loss is not a number at any start. {where}".rstrip()

    # Looking.

    def snapshot(self) -> Snapshot:
        """The best point so far; see PacedRun."""
        if self._best is None:
            self._value_at(self._x.detach())
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

    def frames(
        self, control: Control, max_steps: int | None = None, fps: float = 60.0
    ) -> Generator[Snapshot, None, None]:
        """Run to the end, or for `max_steps`; see PacedRun. The last snapshot is the best one."""
        self._restart_rate()
        end = math.inf if max_steps is None else self._step + max_steps
        next_frame = self._clock() + 1.0 / fps
        while not self.is_done and self._step < end:
            if control.asked:
                yield self.snapshot()
                control.checkpoint()
                self._restart_rate()
            self._advance_once()
            if self._clock() >= next_frame:
                yield self.snapshot()
                next_frame = self._clock() + 1.0 / fps
        yield self.snapshot()

    def solve(self) -> Snapshot:
        """Run to the end without looking; the best point."""
        while not self.is_done:
            self._advance_once()
        return self.snapshot()


def _free_places(problem: Problem | None, start: Tensor) -> Tensor:
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


def _spread(problem: Problem | None, start: Tensor) -> Tensor:
    """Standard deviation of the random starts, (n,): the size of each range's numbers."""
    sizes = [start.numel()] if problem is None else [p.region.size for p in problem.parameters]
    parts = [
        torch.full_like(part, max(float(part.square().mean().sqrt()), _SMALL_START))
        for part in torch.split(start, sizes)
    ]
    return torch.cat(parts)
