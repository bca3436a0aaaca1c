"""Solver's run: from a start and then from random ones, within bounds and under conditions.

Owns the starts, the table of minima and which is the best. Must not know cells or formulas. A
step is an iteration; the last snapshot stands at the best point found.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from gradsheet.formula.values import UserError
from gradsheet.learn.augmented_lagrangian import Merit, violation_of
from gradsheet.learn.constraints import Bounds, Conditions, Floats
from gradsheet.learn.courses import (
    Course,
    LagrangeCourse,
    Patience,
    SmoothCourse,
    SteppedCourse,
)
from gradsheet.learn.lbfgs import free_places, spread_of
from gradsheet.learn.minima import HOLDS, LBFGS, Method, Minimum
from gradsheet.learn.optimizers import make_optimizer
from gradsheet.learn.pacing import Snapshot, SolvingRun
from gradsheet.learn.problem import Problem
from gradsheet.learn.trainer import Objective

_WIDE = 1e4
_BOUNDLESS = 1e4
"""Multipliers this many times the objective do not exist: the method cannot converge there."""
_FINER = 1e-7


class SolverRun(SolvingRun):
    """A run of Solver; see `Method`.

    Parameters
    ----------
    objective : Objective
    problem : Problem
        Gives goal, target, locks and rates.
    bounds : Bounds, optional
    conditions : Conditions, optional
    method : Method
    clock : callable

    Attributes
    ----------
    minima : list of Minimum
        What each start led to, in their order.
    is_done : bool
    evaluations : int

    Raises
    ------
    UserError
        If every parameter is locked, or a least value is above the greatest.
    """

    def __init__(
        self,
        objective: Objective,
        problem: Problem,
        *,
        bounds: Bounds | None = None,
        conditions: Conditions | None = None,
        method: Method | None = None,
        theta: Tensor | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        super().__init__(0, clock)
        self.objective = objective
        self.problem = problem
        self.method = method or Method()
        self.bounds = bounds or Bounds.none(problem.size)
        self.conditions = conditions if conditions is not None and conditions.count else None
        self.minima: list[Minimum] = []
        self.evaluations = 0
        self.start = (objective.theta0 if theta is None else theta).detach().double().clone()
        self.free = free_places(problem, self.start)
        self._within = self.bounds.at(self.free.numpy())
        if len(self._within.contradictions):
            raise UserError(
                "The constraints leave no room: a cell's least value is above its greatest.",
                "Change or delete one of them.",
            )
        self._spread = spread_of(problem, self.start)
        self._generator = torch.Generator().manual_seed(self.method.seed)
        self._number = 0
        self._refining: Minimum | None = None
        self._course: Course | None = None
        self._began_step = 0
        self._began = math.nan
        self._begin(self.start[self.free].numpy().copy(), self._patience())

    # ------------------------------------------------------------------ starts

    @property
    def best(self) -> Minimum | None:
        """The best of what was found: lowest of those that hold, else the nearest to it."""
        if not self.minima:
            return None
        holding = [m for m in self.minima if m.holds]
        if holding:
            return min(holding, key=lambda m: self.measure(m.objective))
        return min(self.minima, key=lambda m: m.violation)

    def measure(self, loss: float) -> float:
        """Return what is minimised for a value of the objective cell."""
        if self.problem.goal == "maximise":
            return -loss
        if self.problem.goal == "value":
            return (loss - self.problem.target) ** 2
        return loss

    def _patience(self) -> Patience:
        return Patience(self.method.iterations, self.method.tolerance)

    def _begin(self, x: Floats, patience: Patience) -> None:
        """Start at x; a start without a value leads to nothing."""
        x = self._within.projected(x)
        self._began_step, self._course = self._step, None
        self._began = float(self.objective.loss_and_gradient(self._theta_of(x))[0])
        try:
            self._course = self._course_from(x, patience)
        except ValueError:
            return
        if self.trace.last() is None:
            self.trace.append(self._step, self._began)

    def _course_from(self, x: Floats, patience: Patience) -> Course:
        merit = None
        if self.conditions is not None:
            merit = Merit(self._evaluate, self.conditions, self._theta_of, self.free, x)
        if self.method.name != LBFGS:
            optimizer = make_optimizer(self.method.name, **self.method.rates)
            rates = self.problem.rate_scale()
            if rates is not None:
                optimizer.set_rate_scale(torch.from_numpy(rates)[self.free])
            return SteppedCourse(
                self._evaluate, x, self._within, optimizer, self.method.iterations, merit
            )
        if merit is not None:
            return LagrangeCourse(merit, x, self._within, patience)
        return SmoothCourse(self._evaluate, x, self._within, patience)

    def _advance_once(self) -> bool:
        if self.is_done:
            return False
        course = self._course
        if course is not None and course.iterate():
            self._step += 1
            self.trace.append(self._step, self._loss_here())
            return True
        self._end_start()
        return not self.is_done

    def _loss_here(self) -> float:
        """The objective cell at the point on show; the last evaluation was there or near."""
        course = self._course
        if course is None:
            return math.nan
        if isinstance(course, SmoothCourse) and self.problem.goal != "value":
            return -course.value if self.problem.goal == "maximise" else course.value
        return float(self.objective.loss_and_gradient(self._theta_of(course.x))[0])

    def _end_start(self) -> None:
        """Note the minimum of this start and take the next; after the last, refine the best."""
        course = self._course
        if course is not None:
            self._note(course)
        if self._refining is not None or not self._next():
            self._finish()

    def _note(self, course: Course) -> None:
        theta = self._theta_of(course.x)
        merit = getattr(course, "merit", None)
        found = Minimum(
            self._number,
            self._began,
            float(self.objective.loss_and_gradient(theta)[0]),
            violation_of(self.conditions, theta),
            self._step - self._began_step,
            theta,
            merit.multipliers if merit is not None else np.zeros(0),
            self._doubt_of(course),
        )
        before = self._refining
        if before is None:
            self.minima.append(found)
            return
        is_worse = self.measure(found.objective) > self.measure(before.objective)
        if found.holds and not is_worse:
            steps = before.steps + found.steps
            self.minima[self.minima.index(before)] = replace(
                found, start=before.start, began=before.began, steps=steps
            )

    def _doubt_of(self, course: Course) -> str:
        if violation_of(self.conditions, self._theta_of(course.x)) > HOLDS:
            return "not every constraint holds"
        if isinstance(course, LagrangeCourse):
            largest = float(np.abs(course.merit.multipliers).max(initial=0.0))
            if largest > _BOUNDLESS * (1.0 + abs(self._loss_here())):
                return "the multipliers grow without end"
            if not course.is_settled:
                return "the iterations ended before it settled"
        return ""

    def _next(self) -> bool:
        """Begin the next start, or the refinement; False if there is nothing left."""
        self._number += 1
        if self._number < self.method.starts and not self._is_solved():
            self._begin(self._random(), self._patience())
            return True
        best = self.best
        refines = self.method.name == LBFGS and self.conditions is None
        if best is None or not refines or self._is_solved():
            return False
        self._refining, self._number = best, best.start
        patience = replace(self._patience(), tolerance=self.method.tolerance * _FINER)
        self._begin(best.theta[self.free].numpy().copy(), patience)
        return True

    def _finish(self) -> None:
        self.is_done = True
        self._course = None
        best = self.best
        if best is None:
            where = getattr(self.objective, "failure", lambda _: "")(self.start)
            self.failure = f"The objective is not a number at any start. {where}".rstrip()

    def _is_solved(self) -> bool:
        best = self.best
        if self.problem.goal != "value" or best is None or not best.holds:
            return False
        level = 1e-12 * max(1.0, abs(self.problem.target))
        return abs(best.objective - self.problem.target) <= level

    def _random(self) -> Floats:
        """Draw a start: between the bounds where they are near, else normal as large as the first.

        Around the first start's own centre if the cells are far from 0 with little spread.
        """
        draw = torch.randn(self.start.shape, generator=self._generator, dtype=torch.float64)
        share = torch.rand(self.start.shape, generator=self._generator, dtype=torch.float64)
        x: Floats = (draw * self._spread)[self.free].numpy()
        low, high = self._within.low, self._within.high
        near = high - low < _WIDE
        x[near] = low[near] + (share[self.free].numpy()[near]) * (high - low)[near]
        return self._within.projected(x)

    # ------------------------------------------------------------------ evaluating

    def _theta_of(self, x: Floats) -> Tensor:
        theta = self.start.clone()
        theta[self.free] = torch.from_numpy(np.array(x))
        return theta

    def _evaluate(self, x: Floats) -> tuple[float, Floats] | None:
        tensor, full = self.objective.loss_and_gradient(self._theta_of(x))
        self.evaluations += 1
        loss, gradient = tensor.item(), full[self.free].numpy()
        if self.problem.goal == "maximise":
            value, gradient = -loss, -gradient
        elif self.problem.goal == "value":
            away = loss - self.problem.target
            value, gradient = away * away, gradient * (2.0 * away)
        else:
            value = loss
        if not math.isfinite(value) or not bool(np.isfinite(gradient).all()):
            return None
        return value, gradient

    # ------------------------------------------------------------------ looking

    @property
    def theta(self) -> Tensor:
        """A copy of the parameters on show: where it is, in the end the best."""
        if self._course is not None and not self.is_done:
            return self._theta_of(self._course.x)
        best = self.best
        return self.start.clone() if best is None else best.theta.clone()

    def snapshot(self) -> Snapshot:
        """See PacedRun."""
        theta = self.theta
        return Snapshot(
            step=self._step,
            loss=float(self.objective.loss_and_gradient(theta)[0]),
            theta=theta,
            computed=self.objective.values(theta),
            trace_length=len(self.trace),
            steps_per_second=self._rate(),
            failure=self.failure,
        )

    def stop_here(self) -> None:
        """End the run where it is: the point on show is noted as what its start led to."""
        if not self.is_done:
            if self._course is not None:
                self._note(self._course)
            self._finish()
