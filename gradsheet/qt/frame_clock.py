"""The one place where the results of threads enter the window: 60 times a second.

Owns the timer that polls the document and the record of its tick intervals. Knows neither the
document nor its tasks: it is given a call to make and a question to ask. While nothing works it
ticks at 10 Hz, so that an idle window costs nothing; `wake` brings it back at once, and a thread
that has a result calls `ask`.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, QTimer, Signal

FRAME_MS = 16
"""A Qt timer takes whole milliseconds: 16 is 62.5 Hz, the first at or above 60."""
IDLE_MS = 100
LINGER_S = 0.5
"""How long the clock stays fast after the last sign of work."""
KEPT_INTERVALS = 4096
HAND_OVER_S = 0.001
"""A thread at work lets the window have the interpreter after so long; of itself after 5 ms, and
a frame in which the window waits for it three times has no time left."""


@dataclass(frozen=True, slots=True)
class TickReport:
    """Intervals between ticks at full rate, in milliseconds."""

    ticks: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    longest_ms: float


class FrameClock(QObject):
    """Calls `poll` on the GUI thread, 60 Hz while `is_busy` says so, else 10 Hz.

    Parameters
    ----------
    poll : callable
        Fetches the newest results; what it raises reaches the exception hook, not the timer.
    is_busy : callable () -> bool
        Whether anything runs whose results are worth 60 Hz.
    parent : QObject
    """

    ticked = Signal()
    """After every poll; a panel that redraws at its own pace counts these."""
    _asked = Signal()

    def __init__(
        self, poll: Callable[[], object], is_busy: Callable[[], bool], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._poll = poll
        self._is_busy = is_busy
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(IDLE_MS)
        self._timer.timeout.connect(self._tick)
        self._asked.connect(self._answer, Qt.ConnectionType.QueuedConnection)
        self._is_asked = False
        self._intervals_ms: deque[float] = deque(maxlen=KEPT_INTERVALS)
        self._last_tick: float | None = None
        self._fast_until = 0.0
        self.ticks = 0

    @property
    def is_fast(self) -> bool:
        """Whether the clock ticks at full rate."""
        return self._timer.interval() == FRAME_MS

    @property
    def is_running(self) -> bool:
        """Whether the clock ticks at all."""
        return self._timer.isActive()

    def start(self) -> None:
        """Begin to tick, fast at first."""
        sys.setswitchinterval(HAND_OVER_S)
        self._timer.start()
        self.wake()

    def stop(self) -> None:
        """Stop ticking."""
        self._timer.stop()

    def wake(self) -> None:
        """Tick at full rate from now on for at least half a second."""
        self._fast_until = time.monotonic() + LINGER_S
        self._set_fast(True)

    def ask(self) -> None:
        """Poll as soon as the window has time, before the next tick; from any thread."""
        if not self._is_asked:
            self._is_asked = True
            self._asked.emit()

    def report(self) -> TickReport:
        """Return the percentiles of the last intervals at full rate."""
        ordered = sorted(self._intervals_ms)
        if not ordered:
            return TickReport(0, 0.0, 0.0, 0.0, 0.0)

        def at(share: float) -> float:
            return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

        return TickReport(len(ordered), at(0.5), at(0.95), at(0.99), ordered[-1])

    def clear_report(self) -> None:
        """Forget the intervals recorded so far."""
        self._intervals_ms.clear()
        self._last_tick = None

    def _set_fast(self, fast: bool) -> None:
        interval = FRAME_MS if fast else IDLE_MS
        if self._timer.interval() != interval:
            self._timer.setInterval(interval)
            self._last_tick = None

    def _answer(self) -> None:
        self._is_asked = False
        if self.is_running:
            self._poll()

    def _tick(self) -> None:
        now = time.monotonic()
        if self.is_fast and self._last_tick is not None:
            self._intervals_ms.append((now - self._last_tick) * 1000.0)
        self._last_tick = now
        self.ticks += 1
        try:
            self._poll()
        finally:
            if self._is_busy():
                self._fast_until = now + LINGER_S
            self._set_fast(now < self._fast_until)
        self.ticked.emit()
