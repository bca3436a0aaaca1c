"""The trainer: steps an optimizer down an objective and shows what it did.

Owns the run's state (step number, parameters, optimizer) and its loss trace. Must not know cells
or formulas: the objective is anything with a loss, a gradient and values to show. It is driven
by one thread at a time, from another thread only its settings may be changed.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor

from gradsheet.formula.values import UserError
from gradsheet.learn.optimizers import Optimizer
from gradsheet.learn.pacing import PacedRun
from gradsheet.learn.pacing import Snapshot as Snapshot
from gradsheet.learn.pacing import SpeedLimit as SpeedLimit
from gradsheet.learn.problem import Goal, Problem
from gradsheet.learn.schedules import Schedule

if TYPE_CHECKING:
    from gradsheet.formula.results import Computed
    from gradsheet.learn.trajectory import Recording


class Objective(Protocol):
    """What is descended; formula.compiler makes one from a loss cell and its parameters."""

    @property
    def theta0(self) -> Tensor:
        """The start (n,) float64."""

    def loss_and_gradient(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss (0-d) and its gradient (n,), both detached."""

    def values(self, theta: Tensor) -> list[Computed]:
        """Return what every cell that depends on theta holds at theta."""


class Trainer(PacedRun):
    """A run of an optimizer on an objective.

    The state after k updates is (k, theta_k). The trace holds (k, loss(theta_k)): the loss at
    step k is the one *before* the update that leads to theta_(k+1). A snapshot at step k shows k,
    theta_k, loss(theta_k) and the values at theta_k. The gradient found for a snapshot is kept for
    the next step, so looking costs no evaluation and changes nothing.

    Parameters
    ----------
    objective : Objective
    optimizer : Optimizer
        Its ``hyper`` may be replaced while the run goes on.
    problem : Problem, optional
        Gives goal, target, locks and rates per range; default: minimise, all free.
    theta : Tensor (n,), optional
        Where to start; the objective's theta0 if not given. Copied.
    step : int
        Number of the first state.
    seed : int
        Of :attr:`generator`.
    schedule : Schedule, optional
        Multiplies rate and momentum by the step number.
    clock : callable
        Seconds, monotonic.

    Attributes
    ----------
    trace : LossTrace
    generator : torch.Generator
        The run's only source of random numbers; part of :meth:`state_dict`.
    speed : SpeedLimit
        May be replaced while the run goes on.
    failure : str or None
    recording : Recording or None
        Told of every step, so that any of them can be shown again.
    origin : object
        What the objective was made from, as its maker notes it for the recording.

    Raises
    ------
    UserError
        If every parameter is locked.
    """

    def __init__(
        self,
        objective: Objective,
        optimizer: Optimizer,
        *,
        problem: Problem | None = None,
        theta: Tensor | None = None,
        step: int = 0,
        seed: int = 0,
        schedule: Schedule | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        super().__init__(step, clock)
        self.objective = objective
        self.optimizer = optimizer
        self.generator = torch.Generator().manual_seed(seed)
        self.schedule = schedule
        self.recording: Recording | None = None
        self.origin: object = None
        self._problem = problem
        self._goal: Goal = problem.goal if problem else "minimise"
        self._target = problem.target if problem else 0.0
        self._theta = (objective.theta0 if theta is None else theta).detach().clone()
        # Loss and gradient at _theta once they are known; the trace then holds the point.
        self._here: tuple[float, Tensor] | None = None
        self._traced: int | None = None  # step of the newest point of the trace
        self._theta_before = self._theta.clone()
        self._memory_before = self._theta.new_empty(0)
        self._loss_before = math.nan
        self._locked = self._read_locks(problem)
        optimizer.prepare(self._theta)
        self._memory_before = optimizer.memory.clone()

    def _read_locks(self, problem: Problem | None) -> Tensor | None:
        if problem is None:
            return None
        if problem.size != self._theta.numel():
            raise ValueError(f"{problem.size} parameter cells, theta has {self._theta.numel()}")
        rates = problem.rate_scale()
        if rates is not None:
            self.optimizer.set_rate_scale(torch.from_numpy(rates).to(self._theta))
        mask = problem.locked_mask()
        if mask is None:
            return None
        if mask.all():
            raise UserError(
                "Every parameter range is locked, so nothing can be learned.",
                "Unlock at least one range.",
            )
        return torch.from_numpy(mask).to(self._theta.device)

    @property
    def theta(self) -> Tensor:
        """A copy of the parameters (n,)."""
        return self._theta.clone()

    def twin(self) -> Trainer:
        """Return a trainer of the same objective to re-run this one's steps with."""
        optimizer = Optimizer(self.optimizer.rule, self.optimizer.hyper)
        return Trainer(
            self.objective, optimizer, problem=self._problem, schedule=self.schedule,
            clock=self._clock,
        )  # fmt: skip

    def set_theta(self, theta: Tensor) -> None:
        """Change the parameters in the middle of a run, as an edit of a cell does.

        The trace's point at this step becomes that of the new parameters; a failure is over.
        """
        self._theta.copy_(theta)
        self._drop_points_from(self._step)

    def _drop_points_from(self, step: int) -> None:
        steps, _ = self.trace.arrays()
        self.trace.truncate(int(steps.searchsorted(step)))
        last = self.trace.last()
        self._traced = last[0] if last else None
        self._loss_before = math.nan  # there is no step to take back
        self._here, self.failure = None, None

    def state_dict(self) -> dict[str, Any]:
        """Return what a deterministic re-run needs: step, theta, optimizer, random generator."""
        return {
            "step": self._step,
            "theta": self._theta.clone(),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
        }

    def load(self, saved: Mapping[str, Any]) -> None:
        """Go to a state from :meth:`state_dict`, bit for bit; later points leave the trace."""
        self._step = int(saved["step"])
        self._theta.copy_(saved["theta"])
        self.optimizer.load(saved["optimizer"])
        self.optimizer.prepare(self._theta)
        self.generator.set_state(saved["generator"])
        self._drop_points_from(self._step)

    # --- single steps -------------------------------------------------------------------------

    def _evaluate(self) -> tuple[float, Tensor] | None:
        """Return loss and gradient at theta, once; None (and failure set) if not finite."""
        if self._here is not None:
            return self._here
        loss_tensor, gradient = self.objective.loss_and_gradient(self._theta)
        loss = loss_tensor.item()
        if not math.isfinite(loss):
            self._fail("loss", loss)
            return None
        # A sum is finite only if all terms are; it may overflow though they are, hence the second
        # look. One reduction costs a fifth of isfinite().all().
        if not math.isfinite(gradient.sum().item()) and not bool(torch.isfinite(gradient).all()):
            self._fail("gradient", math.nan)
            return None
        if self._step != self._traced:
            self.trace.append(self._step, loss)
            self._traced = self._step
        self._here = (loss, gradient)
        return self._here

    def _advance_once(self) -> bool:
        here = self._here or self._evaluate()
        if here is None:
            return False
        loss, gradient = here
        optimizer = self.optimizer
        if self._goal == "maximise":
            gradient = -gradient
        elif self._goal == "value":
            gradient = gradient * (2.0 * (loss - self._target))
        self._theta_before.copy_(self._theta)
        if self._memory_before.numel():
            self._memory_before.copy_(optimizer.memory)
        self._loss_before = loss
        # Read once: they may be replaced from another thread in the middle of the step.
        hyper = optimizer.hyper
        if self.recording is not None:
            self.recording.rates_used(self._step, hyper)
        if self.schedule is not None:
            factors = self.schedule(self._step)
            hyper = hyper.scaled(factors.lr, factors.momentum)
        optimizer.step(self._theta, gradient, loss, hyper)
        if self._locked is not None:
            torch.where(self._locked, self._theta_before, self._theta, out=self._theta)
            optimizer.hold(self._locked, self._memory_before)
        self._step += 1
        self._here = None
        if self.recording is not None:
            self.recording.stepped(self)
        return True

    def _fail(self, what: str, value: float) -> None:
        """Set the failure and go back to the last state with finite loss and gradient."""
        how = "not a number" if math.isnan(value) else "infinite"
        cell = self._lost_cell(what)
        self.failure = f"The {what} became {how} at step {self._step}{cell}."
        if math.isnan(self._loss_before):
            self.failure = f"The {what} is {how} at the start (step {self._step}){cell}."
            return
        self._theta.copy_(self._theta_before)
        self.optimizer.take_back(self._memory_before)
        self._step -= 1
        if self.recording is not None:
            self.recording.forget_after(self._step)

    def _lost_cell(self, what: str) -> str:
        """Return which cell is the first without a number, where the objective knows cells."""
        if what == "loss":
            first = getattr(self.objective, "failure", None)
            found = first(self._theta) if first is not None else ""
            return f": {found}" if found else ""
        place = getattr(self.objective, "place", None)
        _, gradient = self.objective.loss_and_gradient(self._theta)
        lost = torch.nonzero(~torch.isfinite(gradient))
        return f": that of {place(int(lost[0]))}" if place is not None and len(lost) else ""

    # --- looking ------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """Return the run as it stands; evaluates the objective if this step's loss is not known."""
        if self.failure is None:
            self._evaluate()
        loss = self._here[0] if self._here is not None else self._loss_before
        theta = self._theta.clone()
        return Snapshot(
            step=self._step,
            loss=loss,
            theta=theta,
            computed=self.objective.values(theta),
            trace_length=len(self.trace),
            steps_per_second=self._rate(),
            failure=self.failure,
        )
