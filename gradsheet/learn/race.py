"""Several optimizers down one function from one start, as one tensor program.

Owns the common form of the rules, in which an optimizer is a row of coefficients, and the race
with its paths and losses. The rules themselves are those of `learn.optimizers`; the tests hold the
two together. Must not know plots.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gradsheet.formula.values import UserError
from gradsheet.learn.functions2d import Surface
from gradsheet.learn.hyper import Hyper
from gradsheet.learn.schedules import Schedule
from gradsheet.tasks import Control

Floats = npt.NDArray[np.float64]
MOST_RUNNERS = 8
WATCHED_S = 4.0
"""Seconds that a race takes at least: it is there to be watched."""
HISTORY = 200_000
"""Steps that a race can take."""
_BLOCK = 1024
"""Steps whose bias corrections are worked out at once."""
RaceRule = Literal["same", "best", "budget"]


@dataclass(frozen=True, slots=True)
class Runner:
    """An optimizer in a race.

    Attributes
    ----------
    name : str
        One of RUNNERS.
    title : str
    hyper : Hyper
    """

    name: str
    title: str
    hyper: Hyper


_LESSON = Hyper(lr=0.1, beta1=0.9, beta2=0.9, eps=0.0, bias_correction=False)
RUNNERS: dict[str, Runner] = {
    runner.name: runner
    for runner in (
        Runner("sgd", "SGD", Hyper()),
        Runner("momentum", "Momentum", Hyper(momentum=0.9)),
        Runner("nesterov", "Nesterov", Hyper(momentum=0.9, nesterov=True)),
        Runner("adagrad", "Adagrad", Hyper(eps=1e-10)),
        Runner("rmsprop", "RMSprop", Hyper(beta2=0.9)),
        Runner("adam", "Adam", Hyper(beta1=0.9, beta2=0.999)),
        Runner("adamw", "AdamW", Hyper(beta1=0.9, beta2=0.999, weight_decay=0.01, decoupled=True)),
        Runner("eve", "Eve", replace(_LESSON, beta1=0.7, beta3=0.9, lr=0.01)),
        Runner("lesson_momentum", "Momentum (lesson)", Hyper(beta1=0.9)),
        Runner("lesson_nesterov", "Nesterov (lesson)", Hyper(beta1=0.9)),
        Runner("lesson_adam", "Adam (lesson)", _LESSON),
    )
}
"""Who can run, with settings; the first eight run unless told otherwise."""


class Rules:
    """The update of all runners at once.

    For runner i with gradient g, averages m and s, and the step number t:
    g += wd theta (or theta *= 1 - lr wd, decoupled); m = p m + q g; s = u s + w g^2;
    theta -= lr (j g + k m) / (sqrt(s) + eps), the root being 1 for those that have none. Bias
    correction multiplies k and s by numbers that depend on t. Eve divides lr by d.

    Parameters
    ----------
    runners : sequence of Runner
    """

    def __init__(self, runners: Sequence[Runner]) -> None:
        count = len(runners)
        self.runners = tuple(runners)
        rows = [_coefficients(runner) for runner in runners]
        table = torch.tensor(rows, dtype=torch.float64)
        p, q, u, w, j, k, root, eps, lr, pull, shrink, beta3 = (
            c.unsqueeze(1).contiguous() for c in table.T
        )
        self._p, self._q, self._u, self._w = p, q, u, w
        self._pull, self._shrink, self._beta3 = pull, shrink, beta3
        self._has_pull = bool(self._pull.any())
        self._has_shrink = bool((self._shrink != 0).any())
        self._corrected = [
            (i, r.hyper.beta1, r.hyper.beta2) for i, r in enumerate(runners)
            if r.hyper.bias_correction and r.name in ("adam", "adamw", "adam_l2")
        ]  # fmt: skip
        self._eves = torch.tensor([r.name == "eve" for r in runners]).unsqueeze(1)
        self._has_eve = bool(self._eves.any())
        self.average = torch.zeros(count, 2, dtype=torch.float64)
        self.square = torch.zeros(count, 2, dtype=torch.float64)
        self._d: Tensor = torch.ones(count, 1, dtype=torch.float64)
        self._loss_before: Tensor | None = None
        self._work = torch.empty(count, 2, dtype=torch.float64)
        self._move = torch.empty(count, 2, dtype=torch.float64)
        # sqrt(s) * 1 + eps for those with a root, sqrt(s) * 0 + 1 for the others.
        self._root_scale, self._floor = root, root * eps + (1 - root)
        self._rate_g, self._rate_m = lr * j, lr * k
        self._block = -1
        self._corrected_rates = self._corrected_scales = self._rate_m

    def step(
        self, theta: Tensor, gradient: Tensor, loss: Tensor, number: int, rate: float = 1.0
    ) -> None:
        """Change theta (n, 2) in place.

        Parameters
        ----------
        gradient : Tensor (n, 2)
            May be changed.
        loss : Tensor (n,)
            Eve needs it.
        number : int
            Of the step, from 1.
        rate : float
            A schedule's factor on every rate.
        """
        if self._has_pull:
            gradient.addcmul_(theta, self._pull)
        if self._has_shrink:
            theta.addcmul_(theta, self._shrink, value=-rate)
        self.average.mul_(self._p).addcmul_(gradient, self._q)
        work = torch.mul(gradient, gradient, out=self._work)
        self.square.mul_(self._u).addcmul_(work, self._w)
        scale, rate_m = self._root_scale, self._rate_m
        if self._corrected:
            if number // _BLOCK != self._block:
                self._correct(number // _BLOCK)
            rate_m = self._corrected_rates[number % _BLOCK]
            scale = self._corrected_scales[number % _BLOCK]
        root = torch.mul(self.square, scale, out=work).sqrt_()
        # A quotient of two zeros is no move.
        root.add_(self._floor).clamp_(min=1e-300)
        move = torch.mul(gradient, self._rate_g, out=self._move).addcmul_(self.average, rate_m)
        if self._has_eve:
            move.div_(self._followed(loss, number))
        theta.addcdiv_(move, root, value=-rate)

    def _correct(self, block: int) -> None:
        """Work out bias correction for a block of steps: the rates of m and the scales of s."""
        numbers = torch.arange(block * _BLOCK, (block + 1) * _BLOCK, dtype=torch.float64)
        rates = self._rate_m.expand(_BLOCK, -1, 1).clone()
        scales = self._root_scale.expand(_BLOCK, -1, 1).clone()
        for i, beta1, beta2 in self._corrected:
            rates[:, i, 0] /= 1 - beta1**numbers
            scales[:, i, 0] /= 1 - beta2**numbers
        self._block, self._corrected_rates, self._corrected_scales = block, rates, scales

    def _followed(self, loss: Tensor, number: int) -> Tensor:
        """Return Eve's d (n, 1), 1 for the others; it follows the relative change of the loss."""
        now = loss.unsqueeze(1)
        before = self._loss_before
        if before is not None:
            smaller = torch.minimum(now.abs(), before.abs()).clamp_(min=1e-300)
            change = (now - before).abs_() / smaller
            followed = self._d * self._beta3 + (1 - self._beta3) * change
            self._d = torch.where(self._eves, followed, self._d)
        self._loss_before = now.clone()
        return self._d


def _coefficients(runner: Runner) -> list[float]:
    """Return p, q, u, w, j, k, root, eps, lr, pull, shrink, beta3 of a runner."""
    h, name = runner.hyper, runner.name
    p = q = w = k = root = 0.0
    u, j = 1.0, 1.0
    if name in ("momentum", "nesterov"):
        p, q, j, k = h.momentum, 1.0, 0.0, 1.0
        if name == "nesterov":
            j, k = 1.0, h.momentum
    elif name == "lesson_momentum":
        p, q, j, k = h.beta1, 1 - h.beta1, 0.0, 1.0
    elif name == "lesson_nesterov":
        p, q, j, k = h.beta1, 1 - h.beta1, 1 - h.beta1, h.beta1
    elif name == "adagrad":
        w, root = 1.0, 1.0
    elif name == "rmsprop":
        u, w, root = h.beta2, 1 - h.beta2, 1.0
    elif name in ("adam", "adamw", "adam_l2", "lesson_adam", "eve"):
        p, q, u, w = h.beta1, 1 - h.beta1, h.beta2, 1 - h.beta2
        j, k, root = 0.0, 1.0, 1.0
    elif name != "sgd":
        raise UserError(f"{name!r} cannot race.", f"Choose from {', '.join(RUNNERS)}.")
    pull = 0.0 if h.decoupled else h.weight_decay
    shrink = h.lr * h.weight_decay if h.decoupled else 0.0
    return [p, q, u, w, j, k, root, h.eps, h.lr, pull, shrink, h.beta3]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a runner stands.

    Attributes
    ----------
    name, title : str
    lr : float
    loss : float
        Its last finite loss.
    best : float
        Its lowest.
    reached : int or None
        First step at which its loss was at or below the target.
    diverged : int or None
        First step at which its loss was not finite.
    point : (float, float)
        Where it is.
    """

    name: str
    title: str
    lr: float
    loss: float
    best: float
    reached: int | None
    diverged: int | None
    point: tuple[float, float]


class Race:
    """A race under way.

    Parameters
    ----------
    surface : Surface
    runners : sequence of Runner
        At most eight; SGD joins if it is not there.
    start : (x, y)
        The same for all.
    target : float or None
        The loss to reach, for the table of times.
    schedule : Schedule, optional
        Multiplies every rate by the step.

    Attributes
    ----------
    step : int
        Steps made; the histories hold one more point, the start.
    """

    def __init__(
        self,
        surface: Surface,
        runners: Sequence[Runner],
        start: tuple[float, float],
        *,
        target: float | None = None,
        schedule: Schedule | None = None,
    ) -> None:
        self.runners = with_sgd(runners)
        self.surface, self.target, self.schedule = surface, target, schedule
        self.start = start
        self._rules = Rules(self.runners)
        self._theta = torch.tensor([start] * len(self.runners), dtype=torch.float64)
        self.step = 0
        capacity = 1024
        self._paths = np.empty((capacity, len(self.runners), 2))
        self._losses = np.empty((capacity, len(self.runners)))
        self._paths[0] = start
        self._losses[0] = surface.loss(self._theta).numpy()

    @property
    def theta(self) -> Tensor:
        """Where the runners are (n, 2), a copy."""
        return self._theta.clone()

    def advance(self, steps: int = 1) -> None:
        """Let every runner make so many steps."""
        surface, rules, theta = self.surface, self._rules, self._theta
        steps = min(steps, HISTORY - self.step)
        self._make_room(self.step + steps + 1)
        paths, losses = self._paths, self._losses
        shared = torch.from_numpy(paths)
        end = self.step + steps
        for number in range(self.step, end):
            loss, gradient = surface.loss_and_gradient(theta, number)
            losses[number] = loss.numpy()
            self.step = number  # the newest step whose loss is known: others may be looking
            rate = 1.0 if self.schedule is None else self.schedule(number).lr
            rules.step(theta, gradient, loss, number + 1, rate)
            shared[number + 1].copy_(theta)
        losses[end] = surface.loss(theta).numpy()
        self.step = end

    def frames(
        self, control: Control, max_steps: int, fps: float = 60.0
    ) -> Generator[int, None, None]:
        """Run, yielding the step number ``fps`` times a second; for a task.

        Half of each frame is left to who looks on, and a race takes `WATCHED_S` at least.
        """
        end = min(self.step + max_steps, HISTORY)
        most = max(1, min(2000, round(max_steps / (fps * WATCHED_S))))
        pace = min(8, most)
        while self.step < end:
            began = time.perf_counter()
            self.advance(min(pace, end - self.step))
            spent = time.perf_counter() - began
            # As many steps as fill half a frame, so that pause and cancel are felt at once.
            pace = max(1, min(most, int(pace * 0.5 / fps / max(spent, 1e-6))))
            yield self.step
            control.checkpoint()
            control.wait(1 / fps - spent)

    def _make_room(self, length: int) -> None:
        if length > len(self._paths):
            room = max(length, 2 * len(self._paths))
            for name in ("_paths", "_losses"):
                old = getattr(self, name)
                new = np.empty((room, *old.shape[1:]))
                new[: self.step + 1] = old[: self.step + 1]
                setattr(self, name, new)

    def paths(self) -> Floats:
        """Return the points (step + 1, n, 2), not finite after a runner left the plane."""
        return self._paths[: self.step + 1]

    def losses(self) -> Floats:
        """Return the true losses (step + 1, n)."""
        return self._losses[: self.step + 1]

    def standings(self) -> list[Standing]:
        """Return how the runners stand, in their order."""
        losses, found = self.losses(), []
        for i, runner in enumerate(self.runners):
            own = losses[:, i]
            bad = np.flatnonzero(~np.isfinite(own))
            diverged = int(bad[0]) if len(bad) else None
            good = own[:diverged] if diverged is not None else own
            hits = np.flatnonzero(good <= self.target) if self.target is not None else bad[:0]
            last = len(good) - 1
            point = self._paths[max(last, 0), i]
            found.append(
                Standing(
                    runner.name, runner.title, runner.hyper.lr,
                    float(good[-1]) if len(good) else math.nan,
                    float(good.min()) if len(good) else math.nan,
                    int(hits[0]) if len(hits) else None, diverged,
                    (float(point[0]), float(point[1])),
                )
            )  # fmt: skip
        return found


def with_sgd(runners: Sequence[Runner]) -> tuple[Runner, ...]:
    """Return the runners with SGD among them.

    Raises
    ------
    UserError
        If there are more than eight.
    """
    names = [runner.name for runner in runners]
    field = tuple(runners) if "sgd" in names else (RUNNERS["sgd"], *runners)
    if len(field) > MOST_RUNNERS:
        raise UserError(
            f"{len(field)} optimizers cannot race at once (SGD always does).",
            f"Choose at most {MOST_RUNNERS}.",
        )
    return field


def chosen(names: Sequence[str] = (), lr: float | None = None) -> tuple[Runner, ...]:
    """Return runners by name, all eight if none is named, at one rate if one is given.

    Raises
    ------
    UserError
        For a name that is not known.
    """
    unknown = [name for name in names if name not in RUNNERS]
    if unknown:
        raise UserError(f"{unknown[0]!r} cannot race.", f"Choose from {', '.join(RUNNERS)}.")
    field = [RUNNERS[n] for n in (names or list(RUNNERS)[:MOST_RUNNERS])]
    if lr is not None:
        field = [replace(r, hyper=replace(r.hyper, lr=lr)) for r in field]
    return with_sgd(field)


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
