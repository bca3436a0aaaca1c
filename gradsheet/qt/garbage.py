"""Cyclic garbage is collected on the window's thread only, in short turns between frames.

Owns Python's collector from `start` to `stop`. Left to itself it runs on whichever thread
allocates, and there destroys widgets that a cycle held, while Qt works on them without the
interpreter's lock: PySide then crashes anywhere in Qt. Knows nothing of what is collected.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtGui import QCursor

from gradsheet.qt.frame_clock import FrameClock

BRIEF_S = 0.004
"""A full collection that took no longer may come between two frames of a run."""
SHARE = 100
"""After a full collection there is none for so many times its length."""
STILL_S = 5.0
"""A long one waits until nothing has run and the mouse has not moved for so long."""
OVERDUE_S = 120.0
"""So late, it comes nevertheless: memory must not grow for ever."""
HEAVY = "torch"
"""Its import makes most of the objects that stay to the end; before it none are set apart."""


class GarbageTurns(QObject):
    """Collects by the generations' own thresholds, after ticks of the frame clock.

    What is there once torch has been imported is set apart (`gc.freeze`), so that a full
    collection looks only at what came since. When another workbook has been opened, what is set
    apart is looked through as well, once everything is still: the old workbook may be in it.

    Parameters
    ----------
    clock : FrameClock
        While it is not fast, nothing runs and nobody types.
    seconds : callable () -> float
        Monotonic.
    """

    def __init__(
        self, clock: FrameClock, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(clock)
        self._clock, self._seconds = clock, seconds
        self._is_on = self._is_set_apart = self._is_replaced = False
        self._full_at = self._full_s = 0.0
        self._cursor, self._moved_at = QCursor.pos(), seconds()
        self.longest_s = 0.0
        """The longest turn so far, but for those that waited until everything was still."""

    def start(self) -> None:
        """Take collection away from all threads but this one."""
        if not self._is_on:
            self._is_on = True
            gc.disable()
            self._clock.ticked.connect(self.turn)

    def stop(self) -> None:
        """Let Python collect by itself again."""
        if self._is_on:
            self._is_on = self._is_set_apart = False
            self._clock.ticked.disconnect(self.turn)
            gc.unfreeze()
            gc.enable()

    def replaced(self) -> None:
        """Another workbook is open: look for what is left of the old one, when there is time."""
        self._is_replaced = True

    def turn(self) -> None:
        """Collect what is due."""
        now, cursor = self._seconds(), QCursor.pos()
        if self._clock.is_fast or cursor != self._cursor:
            self._cursor, self._moved_at = cursor, now
        is_still = now - self._moved_at > STILL_S
        if is_still and self._is_set_apart and self._is_replaced:
            self._is_replaced = False
            gc.unfreeze()
            gc.collect()
            gc.freeze()
        elif not self._is_set_apart and HEAVY in sys.modules and not self._clock.is_fast:
            self._is_set_apart, self._is_replaced = True, False
            gc.freeze()
        generation = self._due(now, is_still)
        if generation is not None:
            gc.collect(generation)
            took = self._seconds() - now
            if generation == 2:
                self._full_at, self._full_s = now + took, took
            if not is_still:
                self.longest_s = max(self.longest_s, took)

    def _due(self, now: float, is_still: bool) -> int | None:
        """Return the oldest generation to collect now; None if there is too little garbage."""
        counts, limits = gc.get_count(), gc.get_threshold()
        since = now - self._full_at
        if self._is_set_apart and counts[2] >= limits[2] and since >= SHARE * self._full_s:
            is_brief = self._full_s < BRIEF_S
            if is_still or is_brief or since > OVERDUE_S:
                return 2
        if counts[0] < limits[0]:
            return None
        # Ten times the youngest would have been collected one by one with the one before.
        return 1 if counts[1] >= limits[1] or counts[0] >= 10 * limits[0] else 0
