"""A model on its ratings in one form, whichever way it learns: mini-batches or full passes.

Owns what the session asks of a learner: learn on, copy what is learned, take and give back its
state, take an edit. Knows torch and collab; must not know documents or windows. One thread at a
time uses a learner.
"""

# LONG: the two ways to learn stand beside the protocol that keeps them alike.

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from gradsheet.app.ratings.choices import LearnChoice, ModelChoice, check_together
from gradsheet.app.ratings.learned import Learned, NetLayers, Side
from gradsheet.app.ratings.making import fast_settings, fit_settings, make_model, times_of
from gradsheet.collab import fast, fit, models
from gradsheet.collab.devices import choose_device
from gradsheet.collab.factors import Factors
from gradsheet.collab.fast import FastRun
from gradsheet.collab.fit import Fit
from gradsheet.collab.learned import factors_of, model_of
from gradsheet.collab.report import FitSnapshot
from gradsheet.collab.shards import Group
from gradsheet.collab.splits import Split
from gradsheet.formula.values import UserError
from gradsheet.ratings.table import Check, unchecked
from gradsheet.tasks import Control, Pace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradsheet.collab.rate_test import RateTest


class Learner(ABC):
    """What learns one model on one split.

    Attributes
    ----------
    model, learn : ModelChoice, LearnChoice
    split : Split
    device_text : str
        The device and why.
    start : dict
        The state before the first step, once its maker has put it there.
    """

    def __init__(self, model: ModelChoice, learn: LearnChoice, split: Split) -> None:
        self.model, self.learn, self.split = model, learn, split
        choice = choose_device(learn.device, len(split.train))
        self.device = choice.device
        self.device_text = f"{choice.device} ({choice.reason})"
        self.start: dict[str, Any] = {}
        ratings = split.train.ratings
        self.low, self.high = float(ratings.min()), float(ratings.max())

    @abstractmethod
    def frames(self, control: Control, count: int | None) -> Generator[FitSnapshot, None, None]:
        """Learn; ``count`` epochs or passes more, or (None) to the end of what was begun."""

    @abstractmethod
    def steps(self, control: Control, count: int) -> Generator[FitSnapshot, None, None]:
        """Take so many mini-batches, or passes."""

    @abstractmethod
    def snapshot(self) -> FitSnapshot:
        """Return the run as it stands."""

    @property
    @abstractmethod
    def leg(self) -> tuple[float, float]:
        """Epochs or passes at which what was begun last began and is to end."""

    @abstractmethod
    def gather(self) -> None:
        """Put together what several processes have learned; every one of them has to ask."""

    @abstractmethod
    def end_leg(self) -> None:
        """Give up the rest of what was begun; learning on begins anew."""

    @abstractmethod
    def rate_test(self, control: Control) -> Generator[RateTest, None, RateTest]:
        """Raise the rate step by step on a copy of the model as it stands."""

    @abstractmethod
    def learned(self, revision: int) -> Learned:
        """Return a copy of what is learned."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Return a copy of all that the rest of the run depends on."""

    @abstractmethod
    def load(self, saved: dict[str, Any]) -> None:
        """Go back to a state, bit for bit."""

    def saved(self) -> dict[str, Any]:
        """Return the state for a file: it can be loaded by a learner made of the same choices."""
        return self.portable(self.state())

    @staticmethod
    @abstractmethod
    def portable(state: dict[str, Any]) -> dict[str, Any]:
        """Return a state as :meth:`saved` gives it."""

    def load_saved(self, saved: dict[str, Any], check: Check = unchecked) -> None:
        """Take over what :meth:`saved` gave; ``check`` may give it up, the learner with it."""
        self.load({**saved, "learn": self.learn})

    @abstractmethod
    def remembered(self) -> dict[str, Any]:
        """Return the state to go back to, without what is as large as the ratings."""

    @abstractmethod
    def recall(self, saved: dict[str, Any]) -> None:
        """Go back to what :meth:`remembered` gave; the run goes on from there bit for bit."""

    @property
    @abstractmethod
    def is_between_epochs(self) -> bool:
        """Whether the model is as the last epoch, or pass, has left it."""

    @abstractmethod
    def write(self, side: Side, rows: Sequence[int], columns: Sequence[int], values: Any) -> None:
        """Set embeddings (columns 0 ...) and biases (column -1), one value each."""

    @abstractmethod
    def ratings_changed(self) -> None:
        """Ratings of the split were edited in place."""

    @abstractmethod
    def take_split(self, split: Split) -> None:
        """Learn on from other ratings of the same users and items."""


class LessonLearner(Learner):
    """Learns as in the lesson: collab.fit.

    Parameters
    ----------
    model, learn : ModelChoice, LearnChoice
    split : Split
    genres : sequence of str, optional
        Genres of each item, "Adventure|Comedy", for a net that sees them.
    start : Factors, optional
        Where to start from instead of random numbers; for "bias" without a range.
    """

    def __init__(
        self,
        model: ModelChoice,
        learn: LearnChoice,
        split: Split,
        genres: Sequence[str] | None = None,
        start: Factors | None = None,
        group: Group | None = None,
    ) -> None:
        super().__init__(model, learn, split)
        self._times, self._valid_times = times_of(model, split)
        made = model_of(start) if start is not None else make_model(model, split, genres)
        self._first_weights = None
        if start is not None:
            self._first_weights = {k: v.numpy().copy() for k, v in made.state_dict().items()}
        self.fit = Fit(
            made,
            split.train,
            split.valid,
            fit_settings(learn),
            self.device,
            self._times,
            self._valid_times,
            group,
        )

    def frames(self, control: Control, count: int | None) -> Generator[FitSnapshot, None, None]:
        """See Learner."""
        yield from self.fit.frames(control, count, fps=10.0)

    def steps(self, control: Control, count: int) -> Generator[FitSnapshot, None, None]:
        """See Learner."""
        fit, pace = self.fit, Pace(count, control)
        fit.model.train()
        for done in range(count):
            control.checkpoint()
            fit.learn_batch()
            if done % 100 == 99:
                yield fit.snapshot(pace, done + 1)
        yield fit.snapshot(pace, count)

    def snapshot(self) -> FitSnapshot:
        """See Learner."""
        return self.fit.snapshot(Pace(None), 0)

    @property
    def leg(self) -> tuple[float, float]:
        """See Learner."""
        begin, end = self.fit.leg
        return begin / self.fit.steps_per_epoch, end / self.fit.steps_per_epoch

    def gather(self) -> None:
        """See Learner: every process has the whole model, and the same numbers in it."""

    def end_leg(self) -> None:
        """See Learner."""
        self.fit.end_leg()

    def rate_test(self, control: Control) -> Generator[RateTest, None, RateTest]:
        """Raise the rate step by step on a copy of the model as it stands."""
        from gradsheet.collab.rate_test import rate_test

        return (
            yield from rate_test(
                self.fit.model,
                self.split.train,
                self.fit.settings,
                control,
                device=self.device,
                times=self._times,
            )
        )

    def learned(self, revision: int) -> Learned:
        """See Learner."""
        model = self.fit.model
        if not isinstance(model, models.EmbeddingNet):
            factors = factors_of(model, self.low, self.high)
            return Learned(
                revision,
                factors.user_factors,
                factors.item_factors,
                factors,
                None,
                self.low,
                self.high,
            )
        rows = {x.side: x.table.weight.detach().cpu().numpy().copy() for x in model.lookups()}
        linears: Any = model.lins
        net = NetLayers(
            tuple(layer.weight.detach().cpu().numpy().copy() for layer in linears),
            tuple(layer.bias.detach().cpu().numpy().copy() for layer in linears),
            None if model.genres is None else model.genres.cpu().numpy(),
            model.n_times,
            model.y_range,
        )
        return Learned(revision, rows["users"], rows["items"], None, net, self.low, self.high)

    def state(self) -> dict[str, Any]:
        """See Learner."""
        return {**self.fit.state_dict(), "learn": self.learn, "state": self.fit.state,
                "note": self.fit.note}  # fmt: skip

    @staticmethod
    def portable(state: dict[str, Any]) -> dict[str, Any]:
        """See Learner."""
        return {name: value for name, value in fit.portable(state).items() if name != "learn"}

    def load(self, saved: dict[str, Any]) -> None:
        """See Learner."""
        if saved["learn"] != self.learn:
            self.reconfigure(saved["learn"])
        self.fit.load(saved)
        self.fit.state, self.fit.note = saved["state"], saved["note"]

    def remembered(self) -> dict[str, Any]:
        """See Learner."""
        return self.state()

    def recall(self, saved: dict[str, Any]) -> None:
        """See Learner."""
        self.load(saved)

    @property
    def is_between_epochs(self) -> bool:
        """See Learner. Stopped early it has gone back to an epoch before the last."""
        return self.fit.is_between_epochs and self.fit.state != "stopped early"

    def take_split(self, split: Split) -> None:
        """See Learner."""
        self.split = split
        self._times, self._valid_times = times_of(self.model, split)
        self.reconfigure(self.learn, in_epoch=False)
        if self.fit.step:
            self.fit.log.append(("ratings", self.fit.step))

    def reconfigure(self, learn: LearnChoice, in_epoch: bool = True) -> None:
        """Learn on with other settings; the optimizer keeps its state where only rates differ.

        An epoch that has begun goes on only while its batches are the same, and if `in_epoch`.
        """
        old, self.learn = self.fit, learn
        settings, before = fit_settings(learn), old.settings
        same_rule = settings.optimizer == before.optimizer and settings.frozen == before.frozen
        state = old.state_dict()
        self.fit = Fit(
            old.model,
            self.split.train,
            self.split.valid,
            settings,
            self.device,
            self._times,
            self._valid_times,
        )
        fresh = self.fit.state_dict()
        if same_rule:
            state["stepper"]["hyper"] = fresh["stepper"]["hyper"]
        else:
            state["stepper"] = fresh["stepper"]
        if not in_epoch or settings.batch_size != before.batch_size:
            # The rest of the epoch that was begun would be counted in other steps.
            state["order"], state["position"] = None, 0
        state["leg"] = (state["step"], state["step"])
        self.fit.load(state)
        self.fit.state, self.fit.note = old.state, old.note

    def write(self, side: Side, rows: Sequence[int], columns: Sequence[int], values: Any) -> None:
        """See Learner."""
        tables = [x.table.weight for x in self.fit.model.lookups() if x.side == side]
        with torch.no_grad():
            for row, column, value in zip(rows, columns, values, strict=True):
                table = tables[0] if column >= 0 else tables[-1]
                if column < 0 and len(tables) == 1:
                    raise UserError("This model has no biases.", "Choose EmbeddingDotBias.")
                table[row, max(column, 0)] = float(value)
                self.fit.log.append(("edit", self.fit.step, side, row, column, float(value)))

    def ratings_changed(self) -> None:
        """See Learner. The columns share the split's memory; only the page is a copy."""
        self.fit.load(self.fit.state_dict())
        if self.fit.step:
            self.fit.log.append(("ratings", self.fit.step))

    def extra_data(self) -> dict[str, Any]:
        """Return what a script needs beside the ratings: features, and where it started from."""
        found: dict[str, Any] = {}
        for name, times in (("times", self._times), ("valid_times", self._valid_times)):
            if times is not None:
                found[name] = times.numpy()
        genres = getattr(self.fit.model, "genres", None)
        if genres is not None:
            found["genres"] = genres.float().cpu().numpy()
        if self._first_weights is not None:
            found |= {f"start/{name}": value for name, value in self._first_weights.items()}
        return found


class FastLearner(Learner):
    """Learns the fast way: collab.fast."""

    def __init__(
        self,
        model: ModelChoice,
        learn: LearnChoice,
        split: Split,
        group: Group | None = None,
    ) -> None:
        super().__init__(model, learn, split)
        settings = fast_settings(model, learn)
        self.run = FastRun(split.train, split.valid, settings, self.device, group)

    def frames(self, control: Control, count: int | None) -> Generator[FitSnapshot, None, None]:
        """See Learner."""
        if count is None and self.run.is_at_end:
            count = self.learn.passes
        yield from self.run.frames(control, count)

    def steps(self, control: Control, count: int) -> Generator[FitSnapshot, None, None]:
        """See Learner. Biases and start count as passes here: each shows something."""
        yield from self.run.frames(control, stages=count)

    def snapshot(self) -> FitSnapshot:
        """See Learner."""
        return self.run.snapshot(Pace(None), 0)

    @property
    def leg(self) -> tuple[float, float]:
        """See Learner."""
        return (0.0, float(self.run.end))

    def gather(self) -> None:
        """See Learner."""
        self.run.gather()

    def end_leg(self) -> None:
        """See Learner."""
        self.run.end_here()

    def rate_test(self, control: Control) -> Generator[RateTest, None, RateTest]:
        """See Learner.

        Raises
        ------
        UserError
            Always: each row's step follows from its own curvature.
        """
        raise UserError(
            "The fast way has no learning rate to find.", "Learn as in the lesson to test rates."
        )

    def learned(self, revision: int) -> Learned:
        """See Learner."""
        factors = self.run.factors() if self.run.epochs else self._nothing()
        return Learned(
            revision, factors.user_factors, factors.item_factors, factors, None, self.low, self.high
        )

    def _nothing(self) -> Factors:
        """Return what is known before the first pass: nothing but the mean."""
        train, k = self.split.train, self.model.factors
        return Factors(
            float(train.ratings.mean(dtype=np.float64)),
            np.zeros(train.n_users, np.float32),
            np.zeros(train.n_items, np.float32),
            np.zeros((train.n_users, k), np.float32),
            np.zeros((train.n_items, k), np.float32),
            "clip",
            self.low,
            self.high,
        )

    def state(self) -> dict[str, Any]:
        """See Learner."""
        return {**self.run.state_dict(), "learn": self.learn}

    def load(self, saved: dict[str, Any]) -> None:
        """See Learner."""
        self.learn = saved["learn"]
        self.run.load(saved)

    @staticmethod
    def portable(state: dict[str, Any]) -> dict[str, Any]:
        """See Learner."""
        return {name: value for name, value in fast.portable(state).items() if name != "learn"}

    def load_saved(self, saved: dict[str, Any], check: Check = unchecked) -> None:
        """See Learner."""
        self.run.load_portable(saved, check)

    def remembered(self) -> dict[str, Any]:
        """See Learner."""
        return {**self.portable(self.state()), "learn": self.learn}

    def recall(self, saved: dict[str, Any]) -> None:
        """See Learner."""
        if "_layout" in saved:
            self.load(saved)
            return
        self.learn = saved["learn"]
        self.run.load_portable({name: x for name, x in saved.items() if name != "learn"})

    @property
    def is_between_epochs(self) -> bool:
        """See Learner: a pass is taken whole or not at all."""
        return True

    def reconfigure(self, learn: LearnChoice) -> None:
        """Learn on with other settings; factors and momentum stay."""
        self.learn = learn
        self.run.set_settings(fast_settings(self.model, learn))

    def write(self, side: Side, rows: Sequence[int], columns: Sequence[int], values: Any) -> None:
        """See Learner."""
        self.run.write(side, rows, columns, values)

    def ratings_changed(self) -> None:
        """See Learner."""
        self.run.ratings_changed()

    def take_split(self, split: Split) -> None:
        """See Learner."""
        self.split = split
        self.run.take_tables(split.train, split.valid)


def make_learner(
    model: ModelChoice,
    learn: LearnChoice,
    split: Split,
    genres: Sequence[str] | None = None,
    start: Factors | None = None,
    group: Group | None = None,
) -> LessonLearner | FastLearner:
    """Return a learner for the choices; ``start`` as for LessonLearner.

    ``group``: the processes that learn together, each from the ratings of its users.

    Raises
    ------
    UserError
        If the choices do not go together, or the device is not there.
    """
    check_together(model, learn)
    if learn.mode == "fast":
        return FastLearner(model, learn, split, group)
    return LessonLearner(model, learn, split, genres, start, group)
