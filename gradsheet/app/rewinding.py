"""Playing a recorded run backwards: which step is to be shown when.

Owns the pace. Knows neither the record nor the cells.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

WHOLE_RUN_S = 6.0
"""A run at full speed is played back in so many seconds, however long it was."""
SLOWEST = 30.0
"""Steps a second of a short run at full speed."""


@dataclass(frozen=True, slots=True)
class _Ride:
    start: int
    first: int
    pace: float
    began: float


class Rewinding:
    """Says which step shows while a run is played backwards.

    Parameters
    ----------
    clock : callable () -> float
        Seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ride: _Ride | None = None

    @property
    def is_on(self) -> bool:
        """Whether the run is being played backwards."""
        return self._ride is not None

    def start(self, step: int, first: int, steps_per_second: float | None) -> None:
        """Begin at a step.

        Parameters
        ----------
        step, first : int
            Where it begins and ends.
        steps_per_second : float or None
            None: the whole way in a few seconds.
        """
        pace = steps_per_second or max(SLOWEST, (step - first) / WHOLE_RUN_S)
        self._ride = _Ride(step, first, pace, self._clock()) if step > first else None

    def stop(self) -> bool:
        """End it; return whether it was on."""
        was_on, self._ride = self.is_on, None
        return was_on

    def due(self) -> int | None:
        """Return the step that should show now; None while off. The first step ends it."""
        ride = self._ride
        if ride is None:
            return None
        step = max(ride.first, ride.start - int((self._clock() - ride.began) * ride.pace))
        if step == ride.first:
            self._ride = None
        return step
