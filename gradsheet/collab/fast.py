"""The fast way to learn: full-batch passes from a spectral start, biases and factors together.

Owns the algorithm and its settings. Must not know files, windows or the lesson's models. It
minimises the sum over ratings of (r - mean - b_u - b_i - <p_u, q_i>)^2 plus, for each row with n
ratings, (strength + strength_share * n) * |factors|^2 + bias_strength * bias^2.
"""

# LONG: the stages share a dozen tensors; undo, edits and continuing are about the same ones.

from __future__ import annotations

import copy
import dataclasses
import math
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gradsheet.collab.factors import Factors
from gradsheet.collab.foldin import Ridge
from gradsheet.collab.kernels import (
    Pattern,
    lay_out,
    neighbour_sums,
    pattern_of,
    residuals,
)
from gradsheet.collab.report import EpochRow, FitSnapshot, State
from gradsheet.collab.shards import Group
from gradsheet.collab.starts import StartSettings, fit_biases, noise_level, spectral_start
from gradsheet.formula.values import UserError
from gradsheet.ratings.table import Check, RatingTable, unchecked
from gradsheet.tasks import Control, Pace

_WIDTH_MULTIPLE = 8  # widths that fill vector registers: 56 columns are faster than 52
_REFRESH = 5  # passes for which the bounds on the curvature are kept
_NOT_STATE = (
    "_train", "_is_stale", "_valid", "_valid_pattern", "device", "_low", "_high",
    "_check", "_lent", "_group", "_owned", "_has_valid", "_count",
)  # fmt: skip
_FROM_RATINGS = ("_layout", "_ridge", "_left")
_CHANGED_IN_PLACE = ("_table", "_velocity")


@dataclass(frozen=True, slots=True)
class FastSettings:
    """Knobs of the fast mode; the defaults were chosen on validation parts of training data.

    Attributes
    ----------
    factors : int
    strength : float
        Ridge on each row of factors, the same for all: the noise's variance over the factors'.
    strength_share : float or None
        Ridge per rating of the row (Zhou and others 2008, ALS-WR). None: ``share_of_noise``
        times :func:`gradsheet.collab.starts.noise_level`, which suits sets of 100 thousand and of
        10 million ratings alike.
    share_of_noise : float
    bias_strength : float
        Ridge on biases: a bias of n ratings shrinks by n / (n + bias_strength).
    passes : int
        At most.
    rate : float
        Of each pass, relative to the bound on the curvature of a row.
    momentum : float
        Nesterov's; it sets in gradually.
    start_shrinkage : float
        Ratings added to each count when the residuals are normalised for the start; 0 iterations
        start from small random factors.
    power_iterations : int
    patience : int
        Passes without a better validation RMSE after which it stops; 0: never. Without a
        validation part, the passes whose objective fell by less than ``tolerance`` are counted.
    tolerance : float
        Relative fall of the objective in one pass that counts as progress.
    seed : int
    """

    factors: int = 50
    strength: float = 3.0
    strength_share: float | None = None
    share_of_noise: float = 0.35
    bias_strength: float = 3.0
    passes: int = 40
    rate: float = 0.7
    momentum: float = 0.9
    start_shrinkage: float = 100.0
    power_iterations: int = 3
    patience: int = 5
    tolerance: float = 1e-4
    seed: int = 0


class FastRun:
    """A run of the fast mode.

    Parameters
    ----------
    train : RatingTable
    valid : RatingTable, optional
        With the same users and items.
    settings : FastSettings
    device : torch.device or str
    group : Group, optional
        The processes that learn together, each from the ratings of its users; all of them have to
        take the same steps.

    Attributes
    ----------
    epochs : list of EpochRow
    seconds : float
        Time spent learning, sorting included.
    objectives : list of float
        What is minimised, as each pass met it.
    log : list of tuple
        What the run was told: ("settings", stage, settings), ("edit", stage), ("ratings", stage).
    ridge : Ridge
        What the rows are pulled by, for folding in others; known after the biases.
    """

    def __init__(
        self,
        train: RatingTable,
        valid: RatingTable | None = None,
        settings: FastSettings | None = None,
        device: torch.device | str = "cpu",
        group: Group | None = None,
    ) -> None:
        self.settings = FastSettings() if settings is None else settings
        self.device = torch.device(device)
        self.epochs: list[EpochRow] = []
        self.seconds = 0.0
        self.state: State = "running"
        self.note = ""
        self._low, self._high = float(train.ratings.min()), float(train.ratings.max())
        self._has_valid, self._count = valid is not None and len(valid) > 0, len(train)
        self._group = group
        if group is not None:
            owned = group.owned(train)
            self._owned = torch.from_numpy(owned)[:, None].to(self.device)
            valid = None if valid is None else valid.take(owned[valid.users])
            train = train.take(owned[train.users])
        self._train, self._valid = train, valid
        self._valid_pattern: Pattern | None = None
        self._best: tuple[float, Tensor, int] | None = None
        self._idle_passes = 0
        self.objectives: list[float] = []
        self._objective = math.inf
        self._passes_since_restart = 0
        self._rate = self.settings.rate
        self._is_stale = False
        self._end = self.settings.passes + 2
        self.log: list[tuple[Any, ...]] = [("settings", 0, self.settings)]
        self._unclosed: tuple[float, str] | None = None
        """Train RMSE and stage of an epoch that is learned and not yet validated."""
        self._check: Check = unchecked
        self._lent: set[str] = set()
        """Tensors that a state or a copy of the factors shares: they are cloned before a change."""

    # --- stages -------------------------------------------------------------------------------

    def sort_and_fit_biases(self) -> None:
        """Lay out the ratings and fit the biases alone: the first epoch."""
        began = time.perf_counter()
        settings = self.settings
        layout = lay_out(self._train, self.device, self._check, self._group)
        self._layout = layout
        self._k = 0  # the table has no factors yet: biases are quicker without
        total = layout.total(layout.ratings.sum(dtype=torch.float64))
        self._mean = total / layout.total(len(layout))
        targets = layout.ratings - self._mean
        biases = fit_biases(layout, targets, settings.bias_strength, check=self._check)
        del targets
        self._table = self._table_of(biases, 0)
        left = self._residuals()
        share = settings.strength_share
        if share is None:
            share = settings.share_of_noise * noise_level(layout, left)
        self.ridge = Ridge(settings.strength, share, settings.bias_strength)
        self._ridge = settings.strength + share * layout.counts
        self._left = left
        self._close(began, left, "biases")

    def _table_of(self, biases: Tensor, k: int) -> Tensor:
        """Return a table of k factors, all zero, and the biases.

        Column k holds the users' biases against ones, column k + 1 ones against the items'.
        """
        users = self._layout.n_users
        width = -(-(k + 2) // _WIDTH_MULTIPLE) * _WIDTH_MULTIPLE
        table = torch.zeros(len(biases), width, device=self.device)
        table[:users, k] = biases[:users]
        table[users:, k + 1] = biases[users:]
        table[:users, k + 1] = 1.0
        table[users:, k] = 1.0
        return table

    def start_factors(self) -> None:
        """Set the factors from the leading singular vectors of the residuals."""
        began = time.perf_counter()
        settings, layout, k = self.settings, self._layout, self.settings.factors
        users = layout.n_users
        biases = torch.cat([self._table[:users, 0], self._table[users:, 1]])
        table = self._table_of(biases, k)
        generator = torch.Generator().manual_seed(settings.seed)
        width = table.shape[1]
        noise = torch.randn(users, width, generator=generator).to(self.device)
        noise[:, k:] = 0.0
        if settings.power_iterations and k:
            start = StartSettings(k, settings.start_shrinkage, settings.power_iterations)
            found = spectral_start(layout, self._left, noise, start, self._check)
            table[:, :k] = found[:, :k]
        else:
            other = torch.randn(layout.n_items, k, generator=generator).to(self.device)
            table[:users, :k], table[users:, :k] = 0.05 * noise[:, :k], 0.05 * other
        self._k, self._table = k, table
        self._velocity = torch.zeros_like(table)
        self._safe = table.clone()
        left = self._left
        del self._left  # what the passes need is the factors
        self._close(began, left, "start")

    def learn_pass(self) -> None:
        """Take one accelerated step over all ratings; given up on the way, it is as if not begun.

        What it changes before the last check comes out the same when it is done again.
        """
        began = time.perf_counter()
        self._own()
        layout, table, velocity, k = self._layout, self._table, self._velocity, self._k
        users, check = layout.n_users, self._check
        if (len(self.epochs) - 2) % _REFRESH == 0:
            self._bound = self._curvature_bound()
        left = self._residuals()
        objective = self._objective_at(left)
        if not objective <= 1.05 * self._objective:  # too far, or not a number
            self._check = check = unchecked
            self._go_back()
            if self.state == "failed":
                return
            left = self._residuals()
            objective = self._objective_at(left)
        elif objective > self._objective:  # momentum has overshot: start it anew
            velocity.zero_()
            self._passes_since_restart = 0
        if (len(self.epochs) - 2) % _REFRESH == 0:
            self._safe = table.clone()  # states share the one before
        step = neighbour_sums(layout, table, left, check=check)
        if not self._has_valid:
            self._idle_passes += objective > (1 - self.settings.tolerance) * self._objective
        self._objective = objective
        self.objectives.append(objective)
        step.addcmul_(self._ridge, table, value=-1.0)
        extra = self._ridge - self.settings.bias_strength
        step[:users, k].addcmul_(extra[:users, 0], table[:users, k])
        step[users:, k + 1].addcmul_(extra[users:, 0], table[users:, k + 1])
        step.mul_(self._rate / self._bound)
        step[:users, k + 1] = 0.0
        step[users:, k] = 0.0
        # ``table`` is the look-ahead point of Nesterov's method (Sutskever and others 2013, with
        # the change of variables of Bengio and others 2013).
        t = self._passes_since_restart
        momentum = min(self.settings.momentum, (t + 1) / (t + 4))
        self._passes_since_restart += 1
        torch.add(step, velocity, alpha=momentum, out=velocity)
        table.add_(velocity, alpha=momentum).add_(step)
        self._close(began, left, "pass")

    def _residuals(self) -> Tensor:
        """Return what the table leaves of each training rating (n,)."""
        ratings = self._layout.ratings
        return residuals(self._layout, ratings, self._table, self._check, self._mean)

    def _curvature_bound(self) -> Tensor:
        """Return a bound on each row's curvature (n_rows, 1).

        The Hessian of a user's row is the sum of q q' over the items rated plus the ridge. Its
        trace bounds its largest eigenvalue, loosely: three tenths of it were never exceeded.
        """
        k = self._k
        squares = self._table[:, :k].square().sum(1, keepdim=True)
        sums = neighbour_sums(self._layout, squares, check=self._check)
        return sums.mul_(0.3).add_(self._layout.counts).add_(self._ridge)

    def _objective_at(self, left: Tensor) -> float:
        norms = torch.linalg.vector_norm(self._table[:, : self._k], dim=1).square_()
        if self._group is None:
            return float(left @ left + norms @ self._ridge[:, 0])
        users, ridge = self._layout.n_users, self._ridge[:, 0]
        own = left @ left + (norms[:users] * self._owned[:, 0]) @ ridge[:users]
        return self._layout.total(own) + float(norms[users:] @ ridge[users:])

    def _go_back(self) -> None:
        """Go back to the last good factors with half the rate."""
        self._table.copy_(self._safe)
        self._velocity.zero_()
        self._passes_since_restart = 0
        self._rate *= 0.5
        self._bound = self._curvature_bound()
        if self._rate < 1e-4 * self.settings.rate:
            self.state = "failed"
            self.note = (
                f"The error grows at every rate (pass {len(self.epochs) - 1}). "
                "Look for ratings that are not numbers, or use a greater strength."
            )

    def _close(self, began: float, left: Tensor, stage: str) -> None:
        """End what was learned; validation does not count as learning."""
        square = self._layout.total(left @ left) / self._count
        self._unclosed = math.sqrt(square), stage
        self.seconds += time.perf_counter() - began
        self._write_row()

    def _write_row(self) -> None:
        """Validate and write the epoch's row; given up on the way, it is to be done again."""
        assert self._unclosed is not None
        rmse, mae = self._validate()
        (train_rmse, stage), self._unclosed = self._unclosed, None
        row = EpochRow(len(self.epochs) + 1, train_rmse, rmse, mae, self.seconds, self._rate, stage)
        self.epochs.append(row)
        if rmse is not None:
            if self._best is None or rmse < self._best[0]:
                self._best = (rmse, self._table, self._k)
                self._lent.add("_table")
                self._idle_passes = 0
            else:
                self._idle_passes += 1

    def _own(self) -> None:
        """Let nobody else see the changes that follow."""
        for name in self._lent:
            setattr(self, name, getattr(self, name).clone())
        self._lent.clear()

    def _validate(self) -> tuple[float | None, float | None]:
        if not self._has_valid:
            return None, None
        assert self._valid is not None
        errors = torch.zeros(0, device=self.device)
        if len(self._valid):  # one of several processes may have none of it
            if self._valid_pattern is None:
                self._valid_pattern = pattern_of(self._valid, self.device, self._check)
            ratings = self._valid_pattern.ratings
            left = residuals(self._valid_pattern, ratings, self._table, self._check, self._mean)
            errors = (ratings - left).clamp_(self._low, self._high).sub_(ratings)
        total, errors = self._layout.total, errors.double()
        count = total(len(errors))
        return math.sqrt(total(errors @ errors) / count), total(errors.abs_().sum()) / count

    # --- the run ------------------------------------------------------------------------------

    def frames(
        self,
        control: Control | None = None,
        passes: int | None = None,
        *,
        stages: int | None = None,
    ) -> Generator[FitSnapshot, None, Factors]:
        """Learn; yield a snapshot after each epoch and return the factors.

        What was cancelled goes on where it was when this is called again without ``passes``.

        Parameters
        ----------
        control : Control, optional
        passes : int, optional
            Passes to make from here on instead of those of the settings.
        stages : int, optional
            Epochs to make from here on, biases and start counted too.

        Raises
        ------
        Cancelled
            At a checkpoint after a cancel.
        """
        control = Control() if control is None else control
        if passes is not None:
            self._end = max(len(self.epochs), 2) + passes
        elif stages is not None:
            self._end = len(self.epochs) + stages
        if self.state != "failed" and len(self.epochs) < self._end:
            self.state, self.note, self._idle_passes = "running", "", 0
        pace = Pace(self._end - len(self.epochs), control)
        first = len(self.epochs)
        while self.state == "running" and len(self.epochs) < self._end:
            control.checkpoint()
            self._check = control.checkpoint
            if self._is_stale:
                self._take_ratings()
            if self._unclosed is not None:
                self._write_row()
            elif not self.epochs:
                self.sort_and_fit_biases()
            elif len(self.epochs) == 1:
                self.start_factors()
            else:
                self.learn_pass()
            if self.settings.patience and self._idle_passes >= self.settings.patience:
                self.state = "stopped early"
                self.note = f"No progress in {self.settings.patience} passes."
            elif self.state == "running" and len(self.epochs) == self._end:
                self.state = "done"
            yield self.snapshot(pace, len(self.epochs) - first)
        return self.factors()

    @property
    def is_at_end(self) -> bool:
        """Whether all that was asked for has been learned, or it stopped by itself."""
        return self.state == "stopped early" or (
            bool(self.epochs) and len(self.epochs) >= self._end
        )

    @property
    def end(self) -> int:
        """Epochs, biases and start counted, after which the run is done."""
        return self._end

    def end_here(self) -> None:
        """Give up the passes that are left."""
        self._end = len(self.epochs)

    def run(self) -> Factors:
        """Learn to the end and return the factors."""
        frames = self.frames()
        while True:
            try:
                next(frames)
            except StopIteration as end:
                factors: Factors = end.value
                return factors

    def snapshot(self, pace: Pace, done: int) -> FitSnapshot:
        """Return the run as it stands."""
        count = len(self.epochs)
        return FitSnapshot(
            state=self.state,
            epochs=tuple(self.epochs),
            steps=np.arange(1, count + 1),
            losses=np.array([row.train_rmse**2 for row in self.epochs]),
            progress=pace.progress(done, f"pass {count}"),
            ratings_per_second=count * self._count / self.seconds if self.seconds else 0.0,
            device=str(self.device),
            note=self.note,
        )

    def factors(self) -> Factors:
        """Return what was learned: the best by validation where there is one, else the last.

        On the CPU the arrays of factors are views, and what is learned next goes elsewhere.
        """
        table, k = (self._table, self._k) if self._best is None else self._best[1:]
        if k < self.settings.factors:  # the biases alone were best: factors of zero
            n_users = self._layout.n_users
            biases = torch.cat([table[:n_users, k], table[n_users:, k + 1]])
            k = self.settings.factors
            table = self._table_of(biases, k)
        if table is getattr(self, "_table", None):
            self._lent.add("_table")
        users = table[: self._layout.n_users].cpu().numpy()
        items = table[self._layout.n_users :].cpu().numpy()
        return Factors(
            mean=self._mean,
            user_bias=users[:, k].copy(),
            item_bias=items[:, k + 1].copy(),
            user_factors=users[:, :k],
            item_factors=items[:, :k],
            link="clip",
            low=self._low,
            high=self._high,
        )

    # --- edits, undo and continue -------------------------------------------------------------

    def gather(self) -> None:
        """Put the users' rows of all processes together; every process has to ask."""
        if self._group is None:
            return
        users = self._layout.n_users
        for table in {id(t): t for t in (self._table, *(self._best or ())[1:2])}.values():
            table[:users] = self._group.summed(table[:users] * self._owned)

    def state_dict(self) -> dict[str, Any]:
        """Return all that the rest of the run depends on; its tensors are never changed."""
        self._lent.update(name for name in _CHANGED_IN_PLACE if hasattr(self, name))
        return {
            name: value if isinstance(value, Tensor) else copy.copy(value)
            for name, value in vars(self).items()
            if name not in _NOT_STATE
        }

    def load(self, saved: dict[str, Any]) -> None:
        """Go to a state from :meth:`state_dict`; the run goes on from there bit for bit."""
        for name in set(vars(self)) - set(_NOT_STATE):
            delattr(self, name)  # what a later stage made
        for name, value in saved.items():
            setattr(self, name, value if isinstance(value, Tensor) else copy.copy(value))
        self._lent = {name for name in _CHANGED_IN_PLACE if hasattr(self, name)}
        # The ratings may be others than when it was saved.
        if hasattr(self, "_layout") and len(self._layout) != len(self._train):
            self._is_stale = True

    def load_portable(self, saved: dict[str, Any], check: Check = unchecked) -> None:
        """Go to a state from :func:`portable`; a layout that is of the same ratings stays."""
        on_device = {n: v.to(self.device) if isinstance(v, Tensor) else v for n, v in saved.items()}
        best = saved["_best"]
        if best is not None:
            on_device["_best"] = (best[0], best[1].to(self.device), best[2])
        if hasattr(self, "_layout") and saved.get("_mean") == self._mean:
            on_device["_layout"] = self._layout
        self.load(on_device)
        if not self.epochs and self._unclosed is None:
            return
        if "_layout" not in on_device:
            self._layout = lay_out(self._train, self.device, check)
        self._ridge = self.ridge.strength + self.ridge.share * self._layout.counts
        if not self._k:  # the start is still to come
            self._left = self._residuals()

    def set_settings(self, settings: FastSettings) -> None:
        """Go on with other settings; the number of factors is the run's."""
        self.settings = dataclasses.replace(settings, factors=self.settings.factors)
        self.log.append(("settings", len(self.epochs), self.settings))
        self._rate, self._idle_passes = settings.rate, 0
        self._end = max(len(self.epochs), 2) + settings.passes
        if len(self.epochs) > 0:
            share = settings.strength_share
            share = self.ridge.share if share is None else share
            self.ridge = Ridge(settings.strength, share, settings.bias_strength)
            self._ridge = settings.strength + share * self._layout.counts
            self._objective = math.inf

    def write(
        self, side: str, rows: Sequence[int], columns: Sequence[int], values: Sequence[float]
    ) -> None:
        """Set factors (columns 0 ...) and biases (column -1); the best so far is this one then.

        Raises
        ------
        UserError
            Before the first passes: they start from the ratings, not from what is written.
        """
        if len(self.epochs) < 2:
            raise UserError(
                "The fast way finds its own start.", "Take two steps first, then edit the numbers."
            )
        self.log.append(("edit", len(self.epochs)))
        self._adopt_best()
        table = self._table.clone()
        first, bias = (0, self._k) if side == "users" else (self._layout.n_users, self._k + 1)
        for row, column, value in zip(rows, columns, values, strict=True):
            table[first + row, bias if column < 0 else column] = float(value)
        self._objective = math.inf
        self._table = self._safe = table
        self._lent.update(("_table", "_safe"))

    def ratings_changed(self) -> None:
        """Lay the ratings out anew before the next pass; factors and momentum stay."""
        self._is_stale = bool(self.epochs) or self._unclosed is not None
        if self._is_stale:
            self.log.append(("ratings", len(self.epochs)))

    def take_tables(self, train: RatingTable, valid: RatingTable | None) -> None:
        """Learn on from other ratings of the same users and items; factors stay."""
        self._train, self._valid = train, valid
        self._low, self._high = float(train.ratings.min()), float(train.ratings.max())
        self._has_valid, self._count = valid is not None and len(valid) > 0, len(train)
        self._valid_pattern = None
        self.ratings_changed()

    def _take_ratings(self) -> None:
        self._layout = lay_out(self._train, self.device, self._check, self._group)
        if not self._k:  # the start is still to come
            self._left = self._residuals()
        self._is_stale = False
        self._valid_pattern = None
        self._objective, self._best = math.inf, None

    def _adopt_best(self) -> None:
        """Let the factors that :meth:`factors` shows be those that learn on."""
        if self._best is not None:
            _, table, k = self._best
            if k < self._k:
                users = self._layout.n_users
                biases = torch.cat([table[:users, k], table[users:, k + 1]])
                table = self._table_of(biases, self._k)
            self._table, self._velocity = table, torch.zeros_like(table)
            self._lent.add("_table")
            self._passes_since_restart = 0
        self._best = None


def portable(state: dict[str, Any]) -> dict[str, Any]:
    """Return a state of a `FastRun` without what follows from the ratings."""
    return {name: value for name, value in state.items() if name not in _FROM_RATINGS}
