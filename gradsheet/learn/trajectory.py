"""The record of a run: keyframes, and any step between them by running again.

Owns which states are kept, within a budget of bytes, and how a step that was not kept is made
again, bit for bit. Must not know cells or windows. The trainer's thread writes it, others read it.
"""

from __future__ import annotations

import bisect
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, Self

import torch
from torch import Tensor

if TYPE_CHECKING:
    from gradsheet.learn.hyper import Hyper
    from gradsheet.learn.optimizers import Optimizer
    from gradsheet.learn.pacing import Snapshot

BUDGET_BYTES = 24 << 20
"""Of all keyframes of a record; 10,000 steps of the `bias` lesson take 4 MB."""
FIRST_SPACING = 16
"""Steps between two keyframes until the budget is used up; each thinning doubles it."""
MOST_NEAR, LEAST_NEAR = 64, 64
"""States kept of re-runs, and the least steps between two."""
_OVERHEAD_BYTES = 2048
"""What Python's objects add to the numbers of a keyframe, measured on the lessons."""


class Abandoned(Exception):
    """A re-run ended because its step is no longer wanted."""


class Replayable(Protocol):
    """A run whose steps can be made again: `Trainer` and `EpochTrainer`."""

    optimizer: Optimizer
    failure: str | None
    generator: torch.Generator
    recording: Recording | None
    origin: object

    @property
    def step(self) -> int:
        """Updates made."""

    def twin(self) -> Self:
        """Return another run of the same kind, to make steps again with."""

    def state_dict(self) -> dict[str, Any]:
        """Return step, theta, optimizer and generator."""

    def load(self, saved: Mapping[str, Any]) -> None:
        """Go to such a state, bit for bit."""

    def advance(self, n: int = 1) -> int:
        """Make steps; return how many."""

    def snapshot(self) -> Snapshot:
        """Return the run as it stands."""


@dataclass(slots=True)
class Stretch:
    """A part of a run with one objective and one optimizer: what a re-run needs.

    Attributes
    ----------
    make : callable () -> Replayable
        Makes a trainer of this objective that only ever replays, such as `Trainer.twin`; called
        when a step is first made again.
    steps : list of int
        The steps whose states are kept, ascending; the first is where the stretch begins.
    states : list of mapping
        `state_dict` at those steps.
    rates : list of (int, Hyper)
        The settings in force from a step's update on; the first from the beginning.
    origin : object
        What the objective was made from, for whoever keeps the run in a file.
    """

    make: Callable[[], Replayable]
    steps: list[int] = field(default_factory=list)
    states: list[Mapping[str, Any]] = field(default_factory=list)
    rates: list[tuple[int, Hyper]] = field(default_factory=list)
    origin: object = None
    _trainer: Replayable | None = None

    @property
    def trainer(self) -> Replayable:
        """What replays this stretch."""
        if self._trainer is None:
            self._trainer = self.make()
        return self._trainer

    def rates_at(self, step: int) -> Hyper:
        """Return the settings of the update that leads away from a step."""
        at = bisect.bisect_right(self.rates, step, key=lambda entry: entry[0])
        return self.rates[max(0, at - 1)][1]

    def until(self, step: int) -> Stretch:
        """Return this stretch without what came after a step."""
        kept = bisect.bisect_right(self.steps, step)
        rates = [entry for entry in self.rates if entry[0] <= step] or self.rates[:1]
        return Stretch(self._maker(), self.steps[:kept], self.states[:kept], rates, self.origin)

    def _maker(self) -> Callable[[], Replayable]:
        return self.make if self._trainer is None else self._trainer.twin

    def copy(self) -> Stretch:
        """Return a stretch that shares the states but grows on its own."""
        return Stretch(
            self._maker(), self.steps.copy(), self.states.copy(), self.rates.copy(), self.origin
        )

    def nbytes(self) -> int:
        """Return about how much memory the states take, in bytes."""
        if not self.states:
            return 0
        first, last = self.states[0]["generator"], self.states[-1]["generator"]
        generator: int = first.numel() * first.element_size()
        each: int = _bytes_of(self.states[0]) + (0 if last is first else generator)
        return generator + len(self.states) * each


@dataclass(frozen=True, slots=True)
class Turn:
    """A step from which a run went on with something changed by hand.

    Attributes
    ----------
    step : int
    rules : (str, str)
        Names of the optimizer before and after.
    hypers : (Hyper, Hyper)
        Its settings before and after.
    """

    step: int
    rules: tuple[str, str]
    hypers: tuple[Hyper, Hyper]


class Recording:
    """Every step of a run, those not kept to be made again.

    Parameters
    ----------
    budget_bytes : int
        Keyframes are thinned when they take more.
    """

    def __init__(self, budget_bytes: int = BUDGET_BYTES) -> None:
        self._budget = budget_bytes
        self._spacing = FIRST_SPACING
        self._stretches: list[Stretch] = []
        self._next = self._end = 0
        self._near_of: Stretch | None = None
        self._near: list[tuple[int, Mapping[str, Any]]] = []
        """States of the last re-runs, in one stretch, so that its neighbours come quickly."""
        self._lock, self._replaying = threading.RLock(), threading.Lock()

    @classmethod
    def of(cls, stretches: Iterable[Stretch], spacing: int, end: int) -> Recording:
        """Return a record that goes on from one kept elsewhere, as `stretches` gave it."""
        record = cls()
        record._stretches = list(stretches)
        record._spacing, record._end = spacing, end
        last = record._stretches[-1].steps[-1] if record._stretches else end
        record._next = max(end + 1, last + spacing)
        return record

    @property
    def stretches(self) -> tuple[Stretch, ...]:
        """The parts of the run, oldest first; to be read in a copy."""
        return tuple(self._stretches)

    def copy(self) -> Recording:
        """Return the record as it is now, sharing the states; safe beside a run that is on."""
        with self._lock:
            other = Recording.of([s.copy() for s in self._stretches], self._spacing, self._end)
            other._budget = self._budget
            return other

    @property
    def spacing(self) -> int:
        """Steps between two keyframes."""
        return self._spacing

    @property
    def start(self) -> int:
        """The first step that can be shown."""
        return self._stretches[0].steps[0] if self._stretches else 0

    @property
    def end(self) -> int:
        """The last step that was reached."""
        return self._end

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been recorded."""
        return not self._stretches

    def nbytes(self) -> int:
        """Return about how much memory the keyframes take, in bytes."""
        with self._lock:
            return sum(stretch.nbytes() for stretch in self._stretches)

    def replayer(self, step: int) -> Replayable | None:
        """Return what makes the steps on from this one again; None if there is no such step."""
        with self._lock:
            found = self._stretch_of(step)
            return found.trainer if found is not None else None

    def begin(self, trainer: Replayable, *, goes_on: bool = False) -> None:
        """Record this trainer from where it stands; what was recorded beyond that is forgotten.

        Parameters
        ----------
        trainer : Replayable
        goes_on : bool
            Whether it does nothing else than the record does from here: objective and state are
            those of the step. Its steps then belong to the stretch that is there.
        """
        with self._lock:
            self.forget_after(trainer.step)
            last = self._stretches[-1] if self._stretches else None
            if goes_on and last is not None:
                return
            if last is not None and last.steps == [trainer.step]:
                self._stretches.pop()
            twin = trainer.twin()
            stretch = Stretch(twin.twin, origin=trainer.origin, _trainer=twin)
            stretch.rates.append((trainer.step, trainer.optimizer.hyper))
            self._stretches.append(stretch)
            self._keep(trainer)

    def rates_used(self, step: int, hyper: Hyper) -> None:
        """Note the settings of the update that leads away from a step."""
        rates = self._stretches[-1].rates
        if rates[-1][1] is not hyper:
            with self._lock:
                if rates[-1][1] == hyper:
                    rates[-1] = (rates[-1][0], hyper)  # the same object is found faster next time
                else:
                    rates.append((step, hyper))

    def stepped(self, trainer: Replayable) -> None:
        """Note that the trainer has made a step; keeps its state where one is due."""
        self._end = trainer.step
        if trainer.step >= self._next:
            with self._lock:
                self._keep(trainer)

    def forget_after(self, step: int) -> None:
        """Forget all steps beyond this one."""
        with self._lock:
            while self._stretches and self._stretches[-1].steps[0] > step:
                self._stretches.pop()
            if self._stretches and self._end > step:
                self._stretches[-1] = self._stretches[-1].until(step)
            self._end = min(self._end, step)
            self._next = min(self._next, step + self._spacing)

    def fork(self, step: int) -> Recording:
        """Return a record of its own of all steps up to this one, sharing the keyframes."""
        with self._lock:
            other = Recording(self._budget)
            other._spacing, other._next, other._end = self._spacing, self._next, self._end
            other._stretches = [s.until(max(step, s.steps[0])) for s in self._stretches]
            other.forget_after(step)
            return other

    def rates_changed_after(self, step: int) -> bool:
        """Whether anything was changed by hand after a step: its future is no mere re-run."""
        with self._lock:
            if any(stretch.steps[0] > step for stretch in self._stretches):
                return True
            return any(at > step for stretch in self._stretches for at, _ in stretch.rates)

    def turns(self) -> tuple[Turn, ...]:
        """Return where something was changed by hand, in the order of the run."""
        found: list[Turn] = []
        before: tuple[str, Hyper] | None = None
        # Without the lock, which a long re-run holds: a view asks, and lists only grow or go.
        for stretch in tuple(self._stretches):
            rule = str(stretch.states[0]["optimizer"]["name"])
            for step, hyper in tuple(stretch.rates):
                if before is not None and step < self._end:
                    turn = Turn(step, (before[0], rule), (before[1], hyper))
                    if found and found[-1].step == step:  # once more before the step was made
                        first = found.pop()
                        turn = Turn(step, (first.rules[0], rule), (first.hypers[0], hyper))
                    found.append(turn)
                before = rule, hyper
        return tuple(found)

    def show(
        self, step: int, is_wanted: Callable[[], bool] = lambda: True
    ) -> tuple[Mapping[str, Any], Snapshot]:
        """Return the state at a step, and what it looks like.

        Parameters
        ----------
        step : int
            From `start` to `end`.
        is_wanted : callable () -> bool
            Asked now and then during a long re-run, which ends when it no longer is.

        Returns
        -------
        state : mapping
            As `state_dict` gave it there, bit for bit.
        snapshot : Snapshot

        Raises
        ------
        ValueError
            If that step was not reached.
        Abandoned
            If it was no longer wanted.
        """
        # Not under the lock of the record: a copy of it, an autosave's, must not wait for seconds.
        with self._replaying:
            with self._lock:
                stretch = self._stretch_of(step)
                if stretch is None:
                    raise ValueError(f"step {step} lies outside {self.start} to {self._end}")
                trainer, nearest = stretch.trainer, self._nearest(stretch, step)
            trainer.load(nearest)
            every = max(LEAST_NEAR, (step - trainer.step) // MOST_NEAR)
            while trainer.step < step:
                trainer.optimizer.hyper = stretch.rates_at(trainer.step)
                if not trainer.advance():
                    raise ValueError(f"step {step} cannot be made again: {trainer.failure}")
                if trainer.step % every == 0:
                    self._keep_near(stretch, trainer)
                    if not is_wanted():
                        raise Abandoned
            trainer.optimizer.hyper = stretch.rates_at(step)
            return trainer.state_dict(), trainer.snapshot()

    def hold(self, trainer: Replayable) -> None:
        """Keep the state of the last step: the run is left, and will be come back to."""
        with self._lock:
            if trainer.recording is self and self._stretches and trainer.step == self._end:
                self._keep(trainer)

    def _nearest(self, stretch: Stretch, step: int) -> Mapping[str, Any]:
        """Return the state at or before a step that is nearest to it."""
        at = bisect.bisect_right(stretch.steps, step) - 1
        before = stretch.steps[at]
        if self._near_of is not stretch:
            self._near_of, self._near = stretch, []
        known = [near for near in self._near if before < near[0] <= step]
        return max(known, key=lambda near: near[0])[1] if known else stretch.states[at]

    def _keep_near(self, stretch: Stretch, trainer: Replayable) -> None:
        """Keep a state of a re-run: what is looked at next mostly lies beside."""
        if all(near[0] != trainer.step for near in self._near):
            self._near.append((trainer.step, trainer.state_dict()))
            del self._near[:-MOST_NEAR]

    def _stretch_of(self, step: int) -> Stretch | None:
        if not self._stretches or not self.start <= step <= self._end:
            return None
        return next(s for s in reversed(self._stretches) if s.steps[0] <= step)

    def _keep(self, trainer: Replayable) -> None:
        stretch = self._stretches[-1]
        if not stretch.steps or stretch.steps[-1] < trainer.step:
            state = trainer.state_dict()
            if stretch.states and torch.equal(stretch.states[-1]["generator"], state["generator"]):
                state["generator"] = stretch.states[-1]["generator"]  # five kilobytes each
            stretch.steps.append(trainer.step)
            stretch.states.append(state)
        self._end = trainer.step
        self._next = trainer.step + self._spacing
        while self.nbytes() > self._budget and self._thin():
            self._next = trainer.step + self._spacing

    def _thin(self) -> bool:
        """Drop every second keyframe but the first of each stretch; False if none can go."""
        before = sum(len(stretch.steps) for stretch in self._stretches)
        for stretch in self._stretches:
            stretch.steps[:] = stretch.steps[::2]
            stretch.states[:] = stretch.states[::2]
        self._spacing *= 2
        return sum(len(stretch.steps) for stretch in self._stretches) < before


def _bytes_of(state: Mapping[str, Any]) -> int:
    """Return about how many bytes a kept state takes, without that of the random generator."""
    tensors = [state["theta"], *state["optimizer"]["state"].values()]
    numbers = sum(t.numel() * t.element_size() for t in tensors if isinstance(t, Tensor))
    return numbers + _OVERHEAD_BYTES
