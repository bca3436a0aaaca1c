"""Typing oneself in: what was typed, what the model makes of it, and retraining beside it.

Owns the typed ratings of a new user and of a new item, how the answer is wished, and the tasks
that answer. Must not know windows. Polled from the frame clock.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gradsheet.app.messages import Message, message_of
from gradsheet.app.ratings.newcomer import (
    Answer,
    Side,
    Wishes,
    answer,
    chosen_ridge,
    with_newcomer,
)
from gradsheet.formula.values import UserError
from gradsheet.tasks import Control, Progress, Task

if TYPE_CHECKING:
    import numpy.typing as npt

    from gradsheet.app.ratings.learned import Learned
    from gradsheet.app.ratings.looking import Looking
    from gradsheet.app.ratings.looks import Facts
    from gradsheet.app.ratings.session import RatingsSession
    from gradsheet.collab.foldin import Ridge
    from gradsheet.collab.splits import Split

LEAST_S = 0.2
"""Between two answers of a model that learns."""


@dataclass(frozen=True, slots=True, eq=False)
class Retrained:
    """What the whole model, learned anew with the newcomer in it, predicts.

    Attributes
    ----------
    side : {"user", "item"}
    typed : dict of code to rating
        What it was learned with.
    predictions : ndarray (m,) float64
        Of all items for a new user, of all users for a new item.
    rmse : float
        On the typed ratings.
    seconds : float
    """

    side: Side
    typed: dict[int, float]
    predictions: npt.NDArray[np.float64]
    rmse: float
    seconds: float


class TypingIn:
    """A newcomer to one rating set.

    Parameters
    ----------
    session : RatingsSession
    looking : Looking
        Gives the facts.
    say : callable (Message) -> None

    Attributes
    ----------
    side : {"user", "item"}
    wishes : Wishes
    answer : Answer or None
        None while nothing is typed or learned.
    retrained : Retrained or None
    progress : Progress or None
        Of a retraining that is on.
    """

    def __init__(
        self, session: RatingsSession, looking: Looking, say: Callable[[Message], object]
    ) -> None:
        self.side: Side = "user"
        self.wishes = Wishes()
        self.answer: Answer | None = None
        self.retrained: Retrained | None = None
        self.progress: Progress | None = None
        self.is_wanted = False
        self._typed: dict[Side, dict[int, float]] = {"user": {}, "item": {}}
        self._session, self._looking, self._say = session, looking, say
        self._revision = 0
        self._answered: tuple[int, int] | None = None
        self._began = float("-inf")
        self._ridge: tuple[int, Ridge] | None = None
        self._task: Task[Progress, tuple[Answer, Ridge | None]] | None = None
        self._retrain: Task[Progress, Retrained] | None = None
        self._listeners: list[Callable[[], object]] = []

    # ------------------------------------------------------------------ what is typed

    def add_listener(self, listener: Callable[[], object]) -> None:
        """Call this on the polling thread when there is something new to show."""
        self._listeners.append(listener)

    @property
    def typed(self) -> dict[int, float]:
        """Ratings by code, in the order in which they were typed; a copy."""
        return dict(self._typed[self.side])

    @property
    def scale(self) -> tuple[float, float, float]:
        """Lowest and highest rating of this set, and the step between two."""
        ratings = self._session.table.ratings
        low, high = float(ratings.min()), float(ratings.max())
        values = np.unique(ratings[:100_000])
        gaps = np.diff(values)
        step = float(gaps.min()) if len(gaps) else 1.0
        return low, high, step if step >= (high - low) / 100 else (high - low) / 10 or 1.0

    def rate(self, code: int, stars: float) -> None:
        """Give a rating, kept within the scale."""
        low, high, _ = self.scale
        if not np.isfinite(stars):
            raise UserError("A rating is a number.", f"Enter one from {low:g} to {high:g}.")
        self._typed[self.side][int(code)] = min(max(float(stars), low), high)
        self._changed()

    def take_back(self, code: int) -> None:
        """Forget a rating."""
        self._typed[self.side].pop(int(code), None)
        self._changed()

    def clear(self) -> None:
        """Forget all ratings of this newcomer."""
        self._typed[self.side].clear()
        self._changed()

    def set_side(self, side: Side) -> None:
        """Type in a new user, or a new item; what was typed for the other stays."""
        self.side = side
        self.stop_retraining()
        self.retrained = None
        self._changed()

    def wish(self, **changes: Any) -> None:
        """Change how the row is learned or what is listed."""
        self.wishes = dataclasses.replace(self.wishes, **changes)
        self._changed()

    def _changed(self) -> None:
        self._revision += 1
        if not self.typed:
            self.answer = None
        self._tell()

    def _tell(self) -> None:
        for listener in list(self._listeners):
            listener()

    # ------------------------------------------------------------------ the clock

    @property
    def is_busy(self) -> bool:
        """Whether something is being computed."""
        return self._task is not None or self._retrain is not None

    @property
    def is_retraining(self) -> bool:
        """Whether everything is being learned anew."""
        return self._retrain is not None

    @property
    def why_not(self) -> str:
        """Why there can be no answer to what is typed; "" if there can."""
        learned = self._session.learned
        if learned is None or not self._session.steps_done:
            return "Nothing is learned yet: press F5 to learn, then your row can."
        if learned.factors is None and self.side == "item":
            return "A net takes new users here, not new items; choose EmbeddingDotBias for those."
        return ""

    def poll(self) -> None:
        """Take what is computed, begin what is due; never waits."""
        is_new = self._take_answer()
        is_new = self._take_retrained() or is_new
        self._begin()
        if is_new:
            self._tell()

    def finish(self, timeout_s: float = 120.0) -> None:
        """Compute the answer, and a retraining that is on (headless use and tests)."""
        for _ in range(2):
            self._began = float("-inf")
            self.poll()
            for task in (self._task, self._retrain):
                if task is not None:
                    task.join(timeout_s)
        self.poll()

    def close(self) -> None:
        """Stop computing."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self.stop_retraining()
        self.is_wanted = False
        self._listeners.clear()

    # ------------------------------------------------------------------ the answer

    def _begin(self) -> None:
        learned, facts = self._session.learned, self._looking.facts
        if not self.is_wanted or self._task is not None or learned is None or facts is None:
            return
        if not self.typed or self.why_not:
            if self.answer is not None:
                self.answer, self._answered = None, None
                self._tell()
            return
        key = (learned.revision, self._revision)
        if key == self._answered:
            return
        is_typed = self._answered is None or self._answered[1] != self._revision
        now = time.monotonic()
        if not is_typed and now - self._began < LEAST_S:
            return
        self._began, self._answered = now, key
        self._task = Task("learning a row", self._answerer(learned, facts)).start()

    def _answerer(
        self, learned: Learned, facts: Facts
    ) -> Callable[[Control], Generator[Progress, None, tuple[Answer, Ridge | None]]]:
        side, typed, wishes = self.side, self.typed, self.wishes
        choice, genres, split = self._session.model_choice, self._session.genres, self._split()
        counts = facts.item_counts if side == "user" else facts.user_counts
        known, is_live = self._ridge, self._session.state == "running"

        def work(_: Control) -> Generator[Progress, None, tuple[Answer, Ridge | None]]:
            yield Progress(None, "Learning a row")
            if learned.factors is None:
                from gradsheet.app.ratings.net_newcomer import net_answer, net_of

                net = net_of(learned, choice, split, genres)
                return net_answer(net, typed, wishes, counts), None
            has_bias = choice.kind != "dot"
            is_current = known is not None and (is_live or known[0] == learned.revision)
            ridge = known[1] if known is not None and is_current else None
            if ridge is None:
                ridge = chosen_ridge(learned.factors, facts.train, facts.valid, has_bias)
            return answer(learned.factors, side, typed, wishes, counts, ridge, has_bias), ridge

        return work

    def _split(self) -> Split:
        assert self._session.split is not None
        return self._session.split

    def _take_answer(self) -> bool:
        task = self._task
        if task is None or not task.is_done:
            return False
        self._task = None
        if task.error is not None:
            self._say(message_of(task.error, "learning your row"))
            return False
        found, ridge = task.result()
        if ridge is not None and self._answered is not None:
            self._ridge = (self._answered[0], ridge)
        if self._answered is not None and self._answered[1] == self._revision:
            self.answer = found
        return True

    # ------------------------------------------------------------------ retraining

    def retrain(self) -> None:
        """Learn the whole model anew with the newcomer's ratings in it, beside this one.

        Raises
        ------
        UserError
            If nothing is typed, or the set is not ready.
        """
        if not self.typed:
            raise UserError("Nothing is typed in yet.", "Rate a few titles first.")
        if self._session.split is None:
            raise UserError("The ratings are still being set aside.", "Wait a moment.")
        self.stop_retraining()
        self._retrain = Task("retraining all", self._retrainer(self.side, self.typed)).start()
        self.progress = Progress(0.0, "Retraining all")
        self._tell()

    def stop_retraining(self) -> None:
        """Give a retraining up."""
        if self._retrain is not None:
            self._retrain.cancel()
            self._retrain, self.progress = None, None
            self._tell()

    def _retrainer(
        self, side: Side, typed: dict[int, float]
    ) -> Callable[[Control], Generator[Progress, None, Retrained]]:
        session, split = self._session, self._split()
        model, learn, genres = session.model_choice, session.learn_choice, session.genres

        def work(control: Control) -> Generator[Progress, None, Retrained]:
            from gradsheet.app.ratings.learners import make_learner
            from gradsheet.collab.splits import Split

            yield Progress(0.0, "Retraining all")
            began = time.perf_counter()
            timed = split.with_times()
            parts = Split(
                with_newcomer(timed.train, side, typed), with_newcomer(timed.valid, side, {}),
                split.note,
            )  # fmt: skip
            all_genres = [*genres, ""] if genres is not None and side == "item" else genres
            learner = make_learner(model, learn, parts, all_genres)
            for snapshot in learner.frames(control, None):
                yield snapshot.progress
            learned = learner.learned(0)
            train = parts.train
            count = train.n_items if side == "user" else train.n_users
            new = np.full(count, (train.n_users if side == "user" else train.n_items) - 1)
            other = np.arange(count)
            users, items = (new, other) if side == "user" else (other, new)
            predictions = learned.predict(users, items)
            codes = np.fromiter(typed.keys(), np.int64, len(typed))
            ratings = np.fromiter(typed.values(), np.float64, len(typed))
            rmse = float(np.sqrt(np.mean((predictions[codes] - ratings) ** 2)))
            return Retrained(side, typed, predictions, rmse, time.perf_counter() - began)

        return work

    def _take_retrained(self) -> bool:
        task = self._retrain
        if task is None:
            return False
        newest = task.latest()
        self.progress = newest or self.progress
        if not task.is_done:
            return newest is not None
        self._retrain, self.progress = None, None
        if task.error is not None:
            self._say(message_of(task.error, "retraining all"))
        else:
            self.retrained = task.result()
        return True
