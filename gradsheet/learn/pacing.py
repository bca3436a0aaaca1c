"""How a run is shown while it goes: at most so many frames a second, paused and cancelled at will.

Owns the loop, its speed limit and the Snapshot that it yields. Must not know what a step is: a
run makes its own.
"""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradsheet.learn.trace import LossTrace
from gradsheet.tasks import Control

if TYPE_CHECKING:
    from torch import Tensor

    from gradsheet.formula.results import Computed


@dataclass(frozen=True, slots=True)
class SpeedLimit:
    """How fast a run may go, for slow motion; None: as fast as it can.

    Attributes
    ----------
    steps_per_second : float or None
    steps_per_frame : int or None
        A frame shows at most this many steps more than the one before.
    """

    steps_per_second: float | None = None
    steps_per_frame: int | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The run as it stands after ``step`` updates; all fields belong together.

    Attributes
    ----------
    step : int
    loss : float
        The loss cell's value at ``theta``, whatever the goal.
    theta : Tensor (n,) float64
        A copy.
    computed : list of Computed
        The values of the objective at ``theta``.
    trace_length : int
        Points of the trace up to and with this step.
    steps_per_second : float
        Over the last second of running; 0 before there is anything to measure.
    failure : str or None
        Why the run cannot go on; step, loss and theta are then the last finite ones.
    """

    step: int
    loss: float
    theta: Tensor
    computed: list[Computed]
    trace_length: int
    steps_per_second: float
    failure: str | None = None


class PacedRun(ABC):
    """A run that makes steps and can be looked at; driven by one thread at a time.

    Attributes
    ----------
    trace : LossTrace
    speed : SpeedLimit
        May be replaced while the run goes on.
    failure : str or None
        Why the run cannot go on.
    """

    def __init__(self, step: int, clock: Callable[[], float] = time.perf_counter) -> None:
        self.trace = LossTrace()
        self.speed = SpeedLimit()
        self.failure: str | None = None
        self._step = step
        self._clock = clock
        self._marks: deque[tuple[float, int]] = deque()

    @property
    def step(self) -> int:
        """Updates made, counted from the number given at the start."""
        return self._step

    def clear_failure(self) -> None:
        """Let a failed run go on from its last finite state, say with a smaller rate."""
        self.failure = None

    def advance(self, n: int = 1) -> int:
        """Make up to ``n`` steps, fewer if the run fails; return how many were made."""
        for made in range(n):
            if self.failure is not None or not self._advance_once():
                return made
        return n

    @abstractmethod
    def snapshot(self) -> Snapshot:
        """Return the run as it stands."""

    @abstractmethod
    def _advance_once(self) -> bool:
        """Make a step; False (and ``failure`` set) if that is not possible."""

    def frames(
        self, control: Control, max_steps: int | None = None, fps: float = 60.0
    ) -> Generator[Snapshot, None, None]:
        """Run, and yield a snapshot at most ``fps`` times a second and always a last one.

        Parameters
        ----------
        control : Control
            Asked before every step. When a pause is asked, the exact state is yielded before the
            loop waits; when a cancel is asked, before it raises.
        max_steps : int, optional
            Steps to make in this call; None: until cancelled.
        fps : float

        Yields
        ------
        Snapshot

        Raises
        ------
        Cancelled
            At a checkpoint after a cancel.
        """
        clock, interval = self._clock, 1.0 / fps
        end = math.inf if max_steps is None else self._step + max_steps
        shown: int | None = None  # step of the newest snapshot yielded
        frame_began = self._step
        self._restart_rate()
        next_step = clock()
        next_frame = next_step + interval
        while self._step < end and self.failure is None:
            if control.asked:
                if shown != self._step:
                    yield self.snapshot()
                    shown = self._step
                control.checkpoint()
                self._restart_rate()
                next_step = clock()
                next_frame = next_step + interval
                frame_began = self._step
                continue
            now = clock()
            if now >= next_frame and shown != self._step:
                snapshot = self.snapshot()
                shown = frame_began = self._step
                yield snapshot
                # However slow the values are to compute, two thirds of the time go to training.
                next_frame = now + max(interval, 3.0 * (clock() - now))
                continue
            speed = self.speed
            hold = next_step if speed.steps_per_second else now
            if speed.steps_per_frame and self._step - frame_began >= speed.steps_per_frame:
                hold = max(hold, next_frame)
            if hold > now:
                if shown != self._step:
                    hold = min(hold, next_frame)
                # Short naps, so that a change of the speed limit is felt at once.
                control.wait(min(hold - now, 0.05))
                continue
            self._advance_once()
            rate = speed.steps_per_second
            next_step = max(next_step, now - interval) + 1.0 / rate if rate else now
        if shown != self._step or self.failure is not None:
            yield self.snapshot()

    def _restart_rate(self) -> None:
        self._marks.clear()
        self._marks.append((self._clock(), self._step))

    def _rate(self) -> float:
        """Steps per second over the last second, from the marks set at each frame."""
        now = self._clock()
        self._marks.append((now, self._step))
        while len(self._marks) > 2 and self._marks[1][0] <= now - 1.0:
            self._marks.popleft()
        began, first = self._marks[0]
        return (self._step - first) / (now - began) if now > began else 0.0


class SolvingRun(PacedRun):
    """A run that ends by itself, where it can find nothing better; its speed has no limit.

    Attributes
    ----------
    is_done : bool
        Whether the run has come to its end.
    """

    is_done: bool = False

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
