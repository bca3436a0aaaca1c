"""The learning-rate range test of a session: on a copy of its model, in a task of its own.

Owns the running test and its newest result. Must not know windows; torch is imported in the task.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from gradsheet.formula.values import UserError
from gradsheet.tasks import Control, Task

if TYPE_CHECKING:
    from gradsheet.app.ratings.session import RatingsSession
    from gradsheet.collab.rate_test import RateTest


class RateSearch:
    """One test at a time; call `poll` from the clock.

    Parameters
    ----------
    session : RatingsSession
        A run that is on is paused by `start`.

    Attributes
    ----------
    result : RateTest or None
        The newest, finished or not.
    error : str
        Why there is none; empty if nothing went wrong.
    """

    def __init__(self, session: RatingsSession) -> None:
        self._session = session
        self._task: Task[RateTest, RateTest] | None = None
        self.result: RateTest | None = None
        self.error = ""

    @property
    def is_running(self) -> bool:
        """Whether a test is on."""
        return self._task is not None

    def start(self) -> None:
        """Begin a test with the session's model, optimizer, batch size and layer groups.

        Raises
        ------
        UserError
            If the session learns the fast way, or its model is still being made.
        """
        session = self._session
        if session.learn_choice.mode == "fast":
            raise UserError("The fast way has no learning rate to find.",
                            "Learn as in the lesson to test rates.")  # fmt: skip
        session.stop()
        learner = session.learner
        if learner is None:
            raise UserError("The model is still being made.", "Wait a moment, then test again.")
        self.cancel()
        self.result, self.error = None, ""

        def test(control: Control) -> Generator[RateTest, None, RateTest]:
            return (yield from learner.rate_test(control))

        self._task = Task("testing learning rates", test).start()

    def cancel(self) -> None:
        """Give the test up; the model never knew of it."""
        if self._task is not None:
            self._task.cancel()
            self._task.join()
            self._task = None

    def poll(self) -> bool:
        """Bring in what is new; return whether anything is."""
        task = self._task
        if task is None:
            return False
        done = task.is_done
        newest = task.latest()
        if newest is not None:
            self.result = newest
        if done:
            self._task = None
            self.error = "" if task.error is None else str(task.error)
        return done or newest is not None
