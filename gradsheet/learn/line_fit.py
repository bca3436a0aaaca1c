"""Fits y = a x + b with the optimizers of `learn.optimizers`, row by row as the sheets do.

Owns the online and mini-batch loop over the lesson's two weights and the lesson's annealing. Must
not know any sheet: that both give the same numbers is what the tests show.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gradsheet.formula.values import UserError
from gradsheet.learn.hyper import Hyper
from gradsheet.learn.optimizers import OPTIMIZERS, Optimizer
from gradsheet.learn.schedules import Schedule

WARM_START = 10_000.0
"""What the lecture's Reset puts into the squared averages before two passes warm them up."""
ANNEAL_RATIO, ANNEAL_FACTOR = 2.0, 4.0
"""The annealed sheets divide the rate by 4 once a statistic has grown to twice its smallest."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A lesson's optimizer with its settings on the line fit.

    Attributes
    ----------
    rule : str
        Name in OPTIMIZERS.
    hyper : Hyper
    warm_up_passes : int
        Passes of Reset that carry only the squared averages.
    anneals : "", "gradients" or "roots"
        How the annealed sheets judge an epoch: by its gradients over those of the epoch before
        (adagrad_ann), or by the roots of the squared averages (adam_ann).
    """

    rule: str
    hyper: Hyper
    warm_up_passes: int = 0
    anneals: str = ""


_ADAM = Hyper(lr=0.1, beta1=0.7, beta2=0.9, eps=0.0, bias_correction=False)
_ADAGRAD = Hyper(lr=1e-3, eps=0.0)
RECIPES: dict[str, Recipe] = {
    "sgd": Recipe("sgd", Hyper(lr=1e-4)),
    "momentum": Recipe("lesson_momentum", Hyper(lr=1e-4, beta1=0.9)),
    "nesterov": Recipe("lesson_nesterov", Hyper(lr=1e-4, beta1=0.9)),
    "adagrad": Recipe("lesson_adagrad", _ADAGRAD, 1),
    "rmsprop": Recipe("lesson_rmsprop", Hyper(lr=0.02, beta2=0.9, eps=0.0, lagged=True), 2),
    "adam": Recipe("lesson_adam", _ADAM, 2),
    "adamw": Recipe("lesson_adam", replace(_ADAM, weight_decay=0.01, decoupled=True), 2),
    "adam_l2": Recipe("lesson_adam", replace(_ADAM, weight_decay=0.01), 2),
    "eve": Recipe("eve", Hyper(lr=0.1, beta1=0.7, beta2=0.9, beta3=0.9, eps=0.0), 2),
    "adagrad_ann": Recipe("lesson_adagrad", replace(_ADAGRAD, lr=0.1), 1, "gradients"),
    "adam_ann": Recipe("lesson_adam", replace(_ADAM, lr=1.0, beta1=0.9, beta2=0.95), 2, "roots"),
}
"""The lesson's optimizers at its defaults, by the names of the command line."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """What an epoch left.

    Attributes
    ----------
    epoch : int
        From 1.
    a, b : float
        Slope and intercept after its last update.
    error : float
        Root of the sum of its squared errors, each made before its update: what the sheet logs.
    """

    epoch: int
    a: float
    b: float
    error: float


class LineFit:
    """A fit under way.

    Parameters
    ----------
    x, y : sequence of float
    recipe : Recipe
    batch : int
        Rows in a mini-batch, 1 is online; the gradient of a batch is the mean of its rows'.
    a, b : float
        Start.
    schedule : Schedule, optional
        Multiplies the rate and the momentum by the number of the epoch, from 0.

    Attributes
    ----------
    theta : Tensor (2,) float64
        Intercept and slope, in the order of the sheets.
    epochs : int
        Made so far.

    Raises
    ------
    UserError
        If x and y differ in number, or the mini-batch does not fit.
    """

    def __init__(
        self,
        x: Sequence[float],
        y: Sequence[float],
        recipe: Recipe,
        *,
        batch: int = 1,
        a: float = 1.0,
        b: float = 1.0,
        schedule: Schedule | None = None,
    ) -> None:
        if len(x) != len(y) or not x:
            raise UserError(f"There are {len(x)} x and {len(y)} y.", "Give one y for every x.")
        if not 1 <= batch <= len(x):
            raise UserError(
                f"A mini-batch cannot have {batch} rows.", f"Choose from 1 to {len(x)} rows."
            )
        self.epochs = 0
        self.schedule = schedule
        self._recipe = recipe
        self._rows = [
            (list(x[i : i + batch]), list(y[i : i + batch])) for i in range(0, len(x), batch)
        ]
        self.theta = torch.tensor([b, a], dtype=torch.float64)
        self._hyper = replace(recipe.hyper, period=len(self._rows))
        self.optimizer = Optimizer(OPTIMIZERS[recipe.rule], self._hyper)
        self._loss = self._warm_up()
        self._smallest = 100.0 if recipe.anneals == "gradients" else 1e9

    @property
    def hyper(self) -> Hyper:
        """The settings of the next epoch, without a schedule's factors."""
        return self._hyper

    def epoch(self) -> Epoch:
        """Run through the rows once.

        Raises
        ------
        UserError
            If a number is no longer finite; it names the epoch and the row.
        """
        hyper = self._hyper
        if self.schedule is not None:
            factors = self.schedule(self.epochs)
            hyper = hyper.scaled(factors.lr, factors.momentum)
        statistic = self._statistic()
        loss, row = self._pass(self.theta, hyper)
        self.epochs += 1
        if not math.isfinite(loss):
            raise UserError(
                f"The error is no longer a number in epoch {self.epochs}, row {row}: "
                f"the learning rate {hyper.lr:g} is too large.",
                f"Try {hyper.lr / 10:g}.",
            )
        self._loss = loss
        self._anneal(statistic)
        b, a = self.theta.tolist()
        return Epoch(self.epochs, a, b, loss)

    def _pass(self, theta: Tensor, hyper: Hyper) -> tuple[float, int]:
        """Update theta batch by batch; return the error and the row where it ended."""
        total, row = 0.0, 0
        gradient = torch.empty(2, dtype=torch.float64)
        for xs, ys in self._rows:
            b, a = theta.tolist()
            de_db = de_da = 0.0
            for x, y in zip(xs, ys, strict=True):
                error = a * x + b - y
                total += error * error
                de_db += 2 * error
                de_da += 2 * error * x
            row += len(xs)
            if not math.isfinite(total) or not math.isfinite(de_da):
                return math.inf, row
            gradient[0], gradient[1] = de_db / len(xs), de_da / len(xs)
            self.optimizer.step(theta, gradient, self._loss, hyper)
        return math.sqrt(total), row

    # --- the start of the states, and the lesson's annealing

    def _warm_up(self) -> float:
        """Do the passes of the lecture's Reset; return the error of the last (Eve's first)."""
        passes, optimizer = self._recipe.warm_up_passes, self.optimizer
        optimizer.prepare(self.theta)
        state = optimizer.state
        squares = state.get("statistic", state.get("square"))
        if not passes or squares is None:
            return 0.0
        squares.fill_(WARM_START)
        self._loss = 1.0
        error = 0.0
        for _ in range(passes):
            kept = squares.clone()
            optimizer.memory.zero_()
            squares.copy_(kept)
            optimizer.steps_taken = self._first_step()
            error, _ = self._pass(self.theta.clone(), self._hyper)
        kept = squares.clone()
        optimizer.memory.zero_()
        squares.copy_(kept)
        optimizer.steps_taken = self._first_step()
        return error

    def _first_step(self) -> int:
        """Return the steps that the optimizer is told to have made: an epoch where it needs one.

        Lesson Adagrad divides by the statistic of the epoch before, which is there already.
        """
        return len(self._rows) if "statistic" in self.optimizer.state else 0

    def _statistic(self) -> list[float]:
        found = self.optimizer.state.get("statistic")
        return found.tolist() if found is not None else []

    def _anneal(self, before: list[float]) -> None:
        """Quarter the rate of the next epoch as the annealed sheets do."""
        if not self._recipe.anneals:
            return
        lr = self._hyper.lr
        if self._recipe.anneals == "gradients":
            now = sum(g * (lr / r) for g, r in zip(self._statistic(), before, strict=True))
        else:
            now = sum(math.sqrt(s) for s in self.optimizer.state["square"].tolist())
        if now / self._smallest > ANNEAL_RATIO:
            self._hyper = replace(self._hyper, lr=lr / ANNEAL_FACTOR)
        self._smallest = min(self._smallest, now)
