"""Copies of what a learner depends on, made where it learns, for who writes them to a file.

Owns who asks, who hands over, and that nothing changes a learner while it is being copied. Must
not know what runs, nor what is done with a copy. Asked on the window's thread.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from gradsheet.formula.values import UserError
from gradsheet.tasks import Control, Task

if TYPE_CHECKING:
    from gradsheet.app.ratings.learners import FastLearner, LessonLearner

WAIT_S = 120.0
"""How long a copy may take: a run hands it over between two passes."""


class StateCopy:
    """A copy that is being made; another thread waits for it."""

    def __init__(self) -> None:
        self._is_there = threading.Event()
        self._state: dict[str, Any] | None = None

    def put(self, state: dict[str, Any] | None) -> None:
        """Hand it over; None: there is no learner yet."""
        self._state = state
        self._is_there.set()

    def get(self) -> dict[str, Any] | None:
        """Wait for it.

        Raises
        ------
        UserError
            If it does not come in time.
        """
        if not self._is_there.wait(WAIT_S):
            raise UserError("The model could not be copied.", "Pause the run, then save again.")
        return self._state


class StateCopies:
    """The copies of one session."""

    def __init__(self) -> None:
        self._asked: deque[StateCopy] = deque()
        self._task: Task[None, None] | None = None

    def ask(
        self,
        learner: LessonLearner | FastLearner | None,
        run: Task[Any, Any] | None,
        present: dict[str, Any] | None = None,
    ) -> StateCopy:
        """Have a copy made, by the run that is on or in a task; nothing is waited for.

        ``present``: the state to be copied where the learner stands at another one.
        """
        copy = StateCopy()
        if learner is None:
            copy.put(None)
        elif present is not None:
            copy.put(learner.portable(present))
        elif run is not None and not run.is_done:
            self._asked.append(copy)
        else:
            self.finish()

            def work(_: Control) -> Generator[None, None, None]:
                copy.put(learner.saved())
                yield

            self._task = Task("copying the model", work).start()
        return copy

    def hand_over(self, learner: LessonLearner | FastLearner) -> None:
        """Make those that are asked for; called where the learner is at rest."""
        while self._asked:
            self._asked.popleft().put(learner.saved())

    def finish(self) -> None:
        """Let the learner change: wait for the copy that is being made."""
        if self._task is not None:
            self._task.join()
            self._task = None
