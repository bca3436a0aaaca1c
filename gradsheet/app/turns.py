"""What is asked of a run while it is busy: done later, each in its turn, none lost or doubled.

Owns the queue of steps and starts between a key and the moment the trainer is ready for them.
Knows neither trainer nor engine: it is told when they are ready and when they are free.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

Turn = Callable[[], bool]
"""Does something and returns True, or returns False where it needs a trainer first."""


class Turns:
    """A queue that goes on whenever the trainer is ready and free.

    Parameters
    ----------
    prepare : callable () -> None
        Asks for a trainer that fits the cells as they are; it is asked once until `go_on`.
    is_free : callable () -> bool
        Whether nothing is on its way that has to arrive first.
    """

    def __init__(self, prepare: Callable[[], None], is_free: Callable[[], bool]) -> None:
        self._prepare, self._is_free = prepare, is_free
        self._waiting: deque[Turn] = deque()
        self._is_preparing = False

    def take(self, turn: Turn) -> None:
        """Do this when its turn comes, at once if it can be."""
        self._waiting.append(turn)
        self._pump()

    def go_on(self) -> None:
        """Do what waits: what was prepared is there, or what was on its way has arrived."""
        self._is_preparing = False
        self._pump()

    def _pump(self) -> None:
        while self._waiting and not self._is_preparing and self._is_free():
            turn = self._waiting.popleft()
            if not turn():
                self._waiting.appendleft(turn)
                self._is_preparing = True
                self._prepare()

    def drop(self, turn: Turn) -> None:
        """Forget this where it waits."""
        self._waiting = deque(other for other in self._waiting if other != turn)

    def withdraw(self) -> bool:
        """Forget everything that waits; return whether anything did."""
        any_waited = bool(self._waiting)
        self._waiting.clear()
        return any_waited
