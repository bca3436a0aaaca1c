"""Learning as in the lesson: mini-batches, and the optimizer step by step.

Owns the run: order of the ratings, schedule, epoch table, early stopping, what to continue from.
It gives the numbers of a plain PyTorch loop over the same batches. Must not know windows or
files; one thread drives it at a time.
"""

# LONG: one run; its steps, epochs, legs and states are about the same dozen fields.

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from gradsheet.collab.batches import Columns, thinned
from gradsheet.collab.models import Recommender, SeededDropout
from gradsheet.collab.parameters import FlatParameters, Stepper
from gradsheet.collab.report import EpochRow, FitSnapshot, State
from gradsheet.collab.shards import Group
from gradsheet.learn import schedules
from gradsheet.learn.group_rates import rates_of_groups
from gradsheet.learn.hyper import Hyper
from gradsheet.ratings.table import RatingTable
from gradsheet.tasks import Control, Pace

ScheduleKind = Literal["constant", "annealed", "restarts", "one-cycle"]

_PAGE = 1 << 16  # ratings put into their random order at a time, so that memory stays bounded
_VALID_BATCH = 1 << 16
_UNSCALED = schedules.Factors(1.0)


@dataclass(frozen=True, slots=True)
class FitSettings:
    """Knobs of learning as in the lesson.

    Attributes
    ----------
    epochs : int
    batch_size : int
    optimizer : str
        Key of learn.optimizers.OPTIMIZERS.
    hyper : Hyper
        Rate, momentum, weight decay (``decoupled`` or L2 in the loss) and so on.
    group_rates : slice, optional
        Rates of the layer groups instead of ``hyper.lr``: slice(hi) or slice(lo, hi).
    frozen : tuple of str
        Layer groups that do not learn.
    schedule : {"constant", "annealed", "restarts", "one-cycle"}
        Over the steps of one call of :meth:`Fit.frames`. Annealed: cosine to 0.
    cycle_len, cycle_mult : int
        Of restarts: epochs in the first cycle, and how much longer each next one is.
    patience : int
        Epochs without a better validation RMSE after which it stops and goes back to the best;
        0: never.
    seed : int
        Of the order of the ratings and of dropout; the model's start has its own.
    """

    epochs: int = 3
    batch_size: int = 64
    optimizer: str = "momentum"
    hyper: Hyper = field(default_factory=lambda: Hyper(lr=0.1, momentum=0.9, weight_decay=2e-4))
    group_rates: slice | None = None
    frozen: tuple[str, ...] = ()
    schedule: ScheduleKind = "constant"
    cycle_len: int = 1
    cycle_mult: int = 1
    patience: int = 0
    seed: int = 0


class Fit:
    """A run of a model on ratings.

    Parameters
    ----------
    model : Recommender
        Learns in place.
    train : RatingTable
    valid : RatingTable, optional
        With the same users and items.
    settings : FitSettings
    device : torch.device or str
    times, valid_times : Tensor (n, n_times) float32, optional
        Time features of the ratings, for a net that has them.
    group : Group, optional
        The processes that learn together, each from the ratings of its users.

    Attributes
    ----------
    epochs : list of EpochRow
    step : int
        Steps taken.
    seconds : float
        Time spent learning.
    state : State
    log : list of tuple
        What the run was told: ("leg", step, how it learns from there on), ("back", step, step it
        went back to); whoever edits adds ("edit", step, ...) and ("ratings", step).
    first_seed : int
        Of the first run of these settings or those before them.
    """

    def __init__(
        self,
        model: Recommender,
        train: RatingTable,
        valid: RatingTable | None = None,
        settings: FitSettings | None = None,
        device: torch.device | str = "cpu",
        times: Tensor | None = None,
        valid_times: Tensor | None = None,
        group: Group | None = None,
    ) -> None:
        self.settings = FitSettings() if settings is None else settings
        self.device = torch.device(device)
        self.model = model.to(self.device)
        self.epochs: list[EpochRow] = []
        self.step = 0
        self.seconds = 0.0
        self.state: State = "running"
        self.note = ""
        self._train, self._valid = Columns(train, times), None
        self._group, self._count = group, len(train)
        self._has_valid = valid is not None and len(valid) > 0
        if group is not None:
            owned = group.owned(train)
            self._train, self._local = _own_columns(train, times, owned)
            if valid is not None:
                valid_columns, _ = _own_columns(valid, valid_times, owned)
                self._valid = valid_columns if self._has_valid else None
        elif valid is not None and len(valid):
            self._valid = Columns(valid, valid_times)
        self._rate_of_first, self._scales = self._rates()
        self.parameters = FlatParameters(model, self._scales, self.settings.frozen)
        hyper = self.settings.hyper
        if self._rate_of_first is not None:
            hyper = _with_rate(hyper, self._rate_of_first)
        self.stepper = Stepper(self.settings.optimizer, hyper, self.parameters)
        self._lookups = [
            (lookup.table.weight.detach(), lookup.side, self.parameters.rows_gradient(lookup.table))
            for lookup in model.lookups()
        ]
        self.generator = torch.Generator().manual_seed(self.settings.seed)
        own_seed = self.settings.seed + (0 if group is None else group.rank)
        self._dropout = torch.Generator(self.device).manual_seed(own_seed)
        for module in model.modules():
            if isinstance(module, SeededDropout):
                module.generator = self._dropout
        self._order: Tensor | None = None  # of the epoch that has begun
        self._drawn_from: Tensor | None = None  # the generator's state before that order
        self._position = 0  # ratings of it that have been learned from
        self._page: tuple[int, dict[str, Tensor]] | None = None
        self._losses = torch.zeros(1024, device=self.device)
        self._leg = (0, 0)  # first step of the call of frames(), and the step after its last
        self._best: tuple[float, dict[str, Any], int] | None = None
        self._idle_epochs = 0
        self.log: list[tuple[Any, ...]] = []
        self.first_seed = self.settings.seed
        self._logged: tuple[Any, ...] | None = None

    def _rates(self) -> tuple[float | None, tuple[float, ...]]:
        count = len(self.model.groups())
        if self.settings.group_rates is None:
            return None, (1.0,) * count
        rates = rates_of_groups(self.settings.group_rates, count)
        return rates[-1], tuple(rate / rates[-1] for rate in rates)

    # --- single steps -------------------------------------------------------------------------

    @property
    def steps_per_epoch(self) -> int:
        """Batches in an epoch; the last may be smaller."""
        return -(-self._count // self.settings.batch_size)

    @property
    def is_between_epochs(self) -> bool:
        """Whether no epoch has been begun and not ended."""
        return self._order is None

    @property
    def last_loss(self) -> float:
        """Mean squared error of the last batch, before its step; NaN before the first."""
        return float(self._losses[self.step - 1]) if self.step else math.nan

    @property
    def leg(self) -> tuple[int, int]:
        """First step of what :meth:`frames` was told last, and the step after its last."""
        return self._leg

    def end_leg(self) -> None:
        """Give up the steps that are left; :meth:`frames` then learns as many epochs anew."""
        self._leg = (self._leg[0], self.step)

    def set_rate(self, rate: float) -> None:
        """Change the learning rate; the optimizer keeps its state."""
        self.stepper.set_rate(rate)

    def learn_batch(self, factors: schedules.Factors | None = None) -> None:
        """Take the next step, and begin an epoch where one has ended.

        Parameters
        ----------
        factors : Factors, optional
            On rate and momentum instead of the schedule's.
        """
        if self._order is None or self._position >= self._count:
            self._drawn_from = self.generator.get_state()
            self._order = torch.randperm(self._count, generator=self.generator)
            self._position, self._page = 0, None
        if factors is None:
            self._log_leg()
        end = min(self._position + self.settings.batch_size, self._count)
        batch = self._batch(self._position, end)
        factors = factors or self._schedule(self.step - self._leg[0])
        self.learn(batch, factors, end - self._position)
        self._position = end

    def _log_leg(self) -> None:
        told = (self._leg, self.settings, self.stepper.hyper)
        if self._logged is not None and all(
            a is b for a, b in zip(told, self._logged, strict=True)
        ):
            return
        self._logged, settings = told, self.settings
        how = {
            "begin": self._leg[0], "end": self._leg[1], "batch": settings.batch_size,
            "optimizer": settings.optimizer, "hyper": dataclasses.asdict(self.stepper.hyper),
            "rates": list(self._scales), "frozen": list(settings.frozen),
            "schedule": settings.schedule, "cycle_len": settings.cycle_len,
            "cycle_mult": settings.cycle_mult,
        }  # fmt: skip
        self.log.append(("leg", self.step, how))

    def learn(
        self,
        batch: dict[str, Tensor],
        factors: schedules.Factors = _UNSCALED,
        size: int | None = None,
    ) -> None:
        """Take one step on a batch.

        Parameters
        ----------
        batch : dict
            "users", "items" (b,) int64, "ratings" (b,) float32 and perhaps "times" (b, n_times).
        factors : Factors
            Of the schedule at this step.
        size : int, optional
            Ratings of the whole batch, where other processes have some of them.
        """
        rows = []
        for weight, side, gradient in self._lookups:
            row = weight.index_select(0, batch[side])
            if gradient is not None:
                row.requires_grad_(True)
            rows.append(row)
        predictions = self.model.combine(rows, batch["items"], batch.get("times"))
        loss = functional.mse_loss(predictions, batch["ratings"])
        if self._group is not None:
            loss = (predictions - batch["ratings"]).square().sum() / (size or len(predictions))
        loss.backward()  # type: ignore[no-untyped-call]
        for row, (_, side, gradient) in zip(rows, self._lookups, strict=True):
            if gradient is not None and row.grad is not None:
                gradient.index_add_(0, batch[side], row.grad)
        if self._group is not None:
            loss = self._group.summed(loss.detach())
            for flat in self.parameters.groups:
                flat.gradient.copy_(self._group.summed(flat.gradient))
        self.stepper.step(factors, loss.item() if self.stepper.needs_loss else None)
        for _, side, gradient in self._lookups:
            if gradient is not None and self._group is None:
                gradient.index_fill_(0, batch[side], 0.0)
            elif gradient is not None:  # others have filled other rows
                gradient.zero_()
        self.parameters.clear_dense()
        if self.step == len(self._losses):
            self._losses = torch.cat([self._losses, torch.zeros_like(self._losses)])
        self._losses[self.step] = loss.detach()
        self.step += 1

    def _batch(self, begin: int, end: int) -> dict[str, Tensor]:
        """Return the ratings ``begin`` to ``end`` of the epoch's order."""
        size = max(_PAGE // self.settings.batch_size, 1) * self.settings.batch_size
        start = begin - begin % size
        if self._page is None or self._page[0] != start:
            assert self._order is not None
            rows = self._order[start : start + size]
            if self._group is not None:
                rows = self._local[rows]
                self._places = torch.nonzero(rows >= 0)[:, 0]
                rows = rows[self._places]
            self._page = start, self._train.take(rows, self.device)
        page, first, last = self._page[1], begin - start, end - start
        if self._group is not None:
            bounds = torch.tensor([first, last])
            first, last = torch.searchsorted(self._places, bounds).tolist()
        return {name: column[first:last] for name, column in page.items()}

    def _schedule(self, step: int) -> schedules.Factors:
        settings = self.settings
        total = self._leg[1] - self._leg[0]
        if settings.schedule == "annealed":
            return schedules.annealing(max(total, 1))(step)
        if settings.schedule == "restarts":
            length = settings.cycle_len * self.steps_per_epoch
            return schedules.cosine_restarts(length, settings.cycle_mult)(step)
        if settings.schedule == "one-cycle" and total >= 2:
            hyper = settings.hyper
            is_adam = settings.optimizer in ("adam", "adamw")
            base = hyper.beta1 if is_adam else hyper.momentum
            return schedules.one_cycle(total, base_momentum=base or 0.95)(step)
        return _UNSCALED

    # --- the run ------------------------------------------------------------------------------

    def frames(
        self, control: Control | None = None, epochs: int | None = None, fps: float = 20.0
    ) -> Generator[FitSnapshot, None, Recommender]:
        """Learn; yield snapshots at most ``fps`` times a second, and after each epoch.

        What was cancelled goes on where it was when this is called again without ``epochs``;
        otherwise each call learns for so many epochs more, with the schedule from its start.

        Raises
        ------
        Cancelled
            At a checkpoint after a cancel.
        """
        control = Control() if control is None else control
        if epochs is not None or self.step >= self._leg[1]:
            count = self.settings.epochs if epochs is None else epochs
            # An epoch that was broken off is finished first and does not count.
            into_epoch = (
                -(-self._position // self.settings.batch_size) if self._order is not None else 0
            )
            rest = (count + bool(into_epoch)) * self.steps_per_epoch - into_epoch
            self._leg = (self.step, self.step + rest)
        self.state, self.note = "running", ""
        pace = Pace(self._leg[1] - self.step, control)
        began_at, next_frame = self.step, time.perf_counter() + 1.0 / fps
        while self.state == "running" and self.step < self._leg[1]:
            control.checkpoint()
            began = time.perf_counter()
            self.model.train()
            self.learn_batch()
            is_end = self._position == self._count
            if is_end and self.device.type != "cpu":
                self._losses[self.step - 1].item()  # waits for the device, for an honest clock
            now = time.perf_counter()
            self.seconds += now - began
            if is_end:
                self._end_epoch()
            if is_end or now >= next_frame:
                self._check_finite()
                if self.state == "running" and self.step >= self._leg[1]:
                    self.state = "done"
                yield self.snapshot(pace, self.step - began_at)
                next_frame = time.perf_counter() + 1.0 / fps
        return self.model

    def run(self, epochs: int | None = None) -> Recommender:
        """Learn to the end and return the model."""
        for _ in self.frames(epochs=epochs):
            pass
        return self.model

    def _end_epoch(self) -> None:
        self._order, self._position = None, 0
        count = self.steps_per_epoch
        sizes = torch.full((count,), float(self.settings.batch_size), device=self.device)
        sizes[-1] = self._count - (count - 1) * self.settings.batch_size
        losses = self._losses[self.step - count : self.step]
        train_rmse = math.sqrt(max(float(losses @ sizes) / self._count, 0.0))
        rmse, mae = self.validate()
        factors = self._schedule(max(self.step - 1 - self._leg[0], 0))
        self.epochs.append(
            EpochRow(
                len(self.epochs) + 1,
                train_rmse,
                rmse,
                mae,
                self.seconds,
                self.stepper.hyper.lr * factors.lr,
            )
        )
        if rmse is None or not self.settings.patience:
            return
        if self._best is None or rmse < self._best[0]:
            state = {name: value.clone() for name, value in self.model.state_dict().items()}
            self._best, self._idle_epochs = (rmse, state, self.step), 0
            return
        self._idle_epochs += 1
        if self._idle_epochs >= self.settings.patience:
            self.model.load_state_dict(self._best[1])
            self.log.append(("back", self.step, self._best[2]))
            self.state = "stopped early"
            self.note = f"No better validation RMSE in {self._idle_epochs} epochs; back to the best"

    def _check_finite(self) -> None:
        losses = self._losses[: self.step]
        if math.isfinite(float(losses[-1])):
            return
        bad = int(torch.nonzero(~torch.isfinite(losses))[0, 0])
        self.state = "failed"
        self.note = f"The loss became infinite at step {bad + 1}. Learn with a tenth of the rate."

    def validate(self) -> tuple[float | None, float | None]:
        """Return RMSE and MAE on the validation part, in stars; None without one."""
        if self._valid is None:
            return None, None
        errors = self.predict_columns(self._valid) - self._valid.ratings
        if self._group is not None:
            sums = [len(errors), float(errors @ errors), float(np.abs(errors).sum())]
            count, squares, absolutes = self._group.summed(
                torch.tensor(sums, dtype=torch.float64, device=self.device)
            ).tolist()
            return math.sqrt(squares / count), absolutes / count
        return float(np.sqrt(np.mean(errors**2))), float(np.mean(np.abs(errors)))

    def predict_columns(self, columns: Columns) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Return predictions in the evaluation mode (n,) float64."""
        self.model.eval()
        out = np.empty(len(columns))
        with torch.no_grad():
            for begin in range(0, len(columns), _VALID_BATCH):
                rows = torch.arange(begin, min(begin + _VALID_BATCH, len(columns)))
                batch = columns.take(rows, self.device)
                values = self.model(batch["users"], batch["items"], batch.get("times"))
                out[begin : begin + len(rows)] = values.cpu().numpy()
        return out

    def snapshot(self, pace: Pace, steps_done: int) -> FitSnapshot:
        """Return the run as it stands."""
        steps, losses = thinned(self._losses[: self.step].cpu().numpy())
        learned = self.step * min(self.settings.batch_size, len(self._train))
        return FitSnapshot(
            state=self.state,
            epochs=tuple(self.epochs),
            steps=steps,
            losses=losses,
            progress=pace.progress(steps_done, f"epoch {len(self.epochs) + 1}"),
            ratings_per_second=learned / self.seconds if self.seconds else 0.0,
            device=str(self.device),
            note=self.note,
        )

    # --- undo and continue --------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of all that the rest of the run depends on, for undo and for files."""
        return {
            "model": {name: value.clone() for name, value in self.model.state_dict().items()},
            "stepper": self.stepper.state_dict(),
            "generator": self.generator.get_state(),
            "dropout": self._dropout.get_state(),
            "order": self._order,  # is never changed in place
            "drawn_from": self._drawn_from,
            "position": self._position,
            "step": self.step,
            "leg": self._leg,
            "epochs": list(self.epochs),
            "losses": self._losses.clone(),
            "seconds": self.seconds,
            "log": list(self.log),
            "first_seed": self.first_seed,
        }

    def load(self, saved: dict[str, Any]) -> None:
        """Go to a state from :meth:`state_dict`; the run goes on from there bit for bit."""
        self.model.load_state_dict(saved["model"])
        self.stepper.load(saved["stepper"])
        self.generator.set_state(saved["generator"])
        self._dropout.set_state(saved["dropout"])
        self._order, self._position, self._page = saved["order"], saved["position"], None
        self._drawn_from = saved.get("drawn_from")
        if self._order is None and self._position and self._drawn_from is not None:
            drawn = torch.Generator().set_state(self._drawn_from)
            self._order = torch.randperm(self._count, generator=drawn)
        if self._order is not None and len(self._order) != self._count:
            self._order, self._position = None, 0  # ratings were added or removed since
        self.step, self._leg, self.seconds = saved["step"], saved["leg"], saved["seconds"]
        self.epochs, self._losses = list(saved["epochs"]), saved["losses"].clone()
        self._best, self._idle_epochs, self.state, self.note = None, 0, "running", ""
        self.log, self._logged = list(saved["log"]), None
        self.first_seed = saved["first_seed"]


def portable(state: dict[str, Any]) -> dict[str, Any]:
    """Return a state of a `Fit` without an order of the ratings that can be drawn again."""
    return {**state, "order": None} if state.get("drawn_from") is not None else state


def _own_columns(
    table: RatingTable, times: Tensor | None, owned: np.ndarray[Any, np.dtype[np.bool_]]
) -> tuple[Columns, Tensor]:
    """Return the ratings of the owned users, and the place of each rating among them or -1."""
    mine = owned[table.users]
    rows = np.flatnonzero(mine)
    local = np.full(len(table), -1, np.int64)
    local[rows] = np.arange(len(rows))
    part = None if times is None else times[torch.from_numpy(rows)]
    return Columns(table.take(rows), part), torch.from_numpy(local)


def _with_rate(hyper: Hyper, rate: float) -> Hyper:
    return hyper.scaled(rate / hyper.lr)
