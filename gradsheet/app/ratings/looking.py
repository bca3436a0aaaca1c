"""Looking into what a rating set has learned: what is computed when, and what is shown.

Owns the tasks that turn a model into what the views show, at most five times a second while it
learns, and which views are in sight. Must not know windows. Polled from the frame clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from gradsheet.app.messages import Message, message_of
from gradsheet.tasks import Control, Progress, Task

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from gradsheet.app.ratings.learned import Learned
    from gradsheet.app.ratings.looks import Facts, Look
    from gradsheet.app.ratings.session import RatingsSession
    from gradsheet.collab.splits import Split

Want = Literal["errors", "ranking", "map"]

MAP_LEAST = 20
"""Items rated less often have hardly left their random start."""
LEAST_S = 0.2
"""Between two pictures of a model that learns."""


class _Key(NamedTuple):
    """What a picture depends on."""

    revision: int
    is_live: bool
    map_least: int
    wanted: frozenset[Want]


class Looking:
    """What the views of one rating set show.

    Parameters
    ----------
    session : RatingsSession
    say : callable (Message) -> None
        Told of a computation that failed.
    clock : callable
        Seconds, monotonic.

    Attributes
    ----------
    facts : Facts or None
        Known a moment after the parts are.
    look : Look or None
        The newest picture; its revision may be behind the model's for a fifth of a second.
    map_least : int
        Training ratings that an item must have to be on the map and to shape it.
    """

    def __init__(
        self,
        session: RatingsSession,
        say: Callable[[Message], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.facts: Facts | None = None
        self.look: Look | None = None
        self.map_least = MAP_LEAST
        self.session = session
        self._say = say
        self._clock = clock
        self._wanted: frozenset[Want] = frozenset()
        self._facts_of: Split | None = None
        self._facts_task: Task[Progress, Facts] | None = None
        self._look_task: Task[Progress, Look] | None = None
        self._looked_at: _Key | None = None
        self._began = float("-inf")
        self._holds_axes = False
        self._listeners: list[Callable[[], object]] = []

    # ------------------------------------------------------------------ who looks

    def add_listener(self, listener: Callable[[], object]) -> None:
        """Call this on the polling thread whenever facts or look are new."""
        self._listeners.append(listener)

    def want(self, wanted: frozenset[Want]) -> None:
        """Say which views are in sight; the others cost nothing."""
        self._wanted = wanted

    def hold_axes(self, held: bool) -> None:
        """Keep the axes of the map as they are while a dot is dragged on it."""
        self._holds_axes = held

    def show_moved(self, code: int, there: npt.NDArray[np.float64]) -> None:
        """Let a dot be at its new place at once; the next picture has it from the model.

        Parameters
        ----------
        code : int
            Of the item.
        there : ndarray (c,)
            Along all components.
        """
        look = self.look
        if look is None or look.map is None:
            return
        coordinates = look.map.components.coordinates.copy()
        coordinates[look.map.items == code] = there
        parts = replace(look.map.components, coordinates=coordinates)
        self.look = replace(look, map=replace(look.map, components=parts))

    @property
    def is_busy(self) -> bool:
        """Whether something is being computed."""
        return self._facts_task is not None or self._look_task is not None

    # ------------------------------------------------------------------ the clock

    def poll(self) -> None:
        """Take what is computed, begin what is due; never waits."""
        is_new = self._take_facts()
        is_new = self._take_look() or is_new
        self._begin_facts()
        self._begin_look()
        if is_new:
            for listener in list(self._listeners):
                listener()

    def finish(self, timeout_s: float = 60.0) -> None:
        """Compute all that is wanted (headless use and tests)."""
        for _ in range(3):
            self._began = float("-inf")
            self.poll()
            for task in (self._facts_task, self._look_task):
                if task is not None:
                    task.join(timeout_s)
        self.poll()

    def close(self) -> None:
        """Stop computing."""
        for task in (self._facts_task, self._look_task):
            if task is not None:
                task.cancel()
        self._facts_task = self._look_task = None
        self._wanted = frozenset()
        self._listeners.clear()

    # ------------------------------------------------------------------ facts

    def _begin_facts(self) -> None:
        split = self.session.split
        if split is None or not self._wanted or self._facts_task is not None:
            return
        if split is self._facts_of or not len(split.train):
            return
        self._facts_of = split
        genres = self.session.genres

        def gather(_: Control) -> Generator[Progress, None, Facts]:
            from gradsheet.app.ratings import looks

            yield Progress(None, "Counting ratings")
            return looks.facts_of(split.train, split.valid, genres)

        self._facts_task = Task("looking at ratings", gather).start()

    def _take_facts(self) -> bool:
        task = self._facts_task
        if task is None or not task.is_done:
            return False
        self._facts_task = None
        if task.error is not None:
            self._say(message_of(task.error, "counting the ratings"))
            return False
        self.facts, self.look, self._looked_at = task.result(), None, None
        return True

    # ------------------------------------------------------------------ looks

    @property
    def _is_live(self) -> bool:
        """Whether the model is about to change again."""
        return self._holds_axes or self.session.state == "running"

    def _begin_look(self) -> None:
        learned, facts = self.session.learned, self.facts
        if self._look_task is not None or facts is None or not self._wanted:
            return
        if learned is None:
            if self.look is not None:
                self.look, self._looked_at = None, None
                for listener in list(self._listeners):
                    listener()
            return
        key = _Key(learned.revision, self._is_live, self.map_least, self._wanted)
        before = self._looked_at
        if before is not None and before[:3] == key[:3] and self._wanted <= before.wanted:
            return  # a view that has gone out of sight changes nothing
        if self._clock() - self._began < LEAST_S:
            return
        self._began = self._clock()
        self._looked_at = key
        self._look_task = Task("looking into the model", self._looker(learned, facts)).start()

    def _looker(
        self, learned: Learned, facts: Facts
    ) -> Callable[[Control], Generator[Progress, None, Look]]:
        wanted, is_live, before = self._wanted, self._is_live, self.look
        holds, least = self._holds_axes, self.map_least

        def look(control: Control) -> Generator[Progress, None, Look]:
            from gradsheet.app.ratings import looks

            yield Progress(None, "Looking into the model")
            ranking = looks.ranking_of(learned, facts) if "ranking" in wanted else None
            control.checkpoint()
            shown = None if before is None else before.map
            items = None
            if "map" in wanted:
                items = looks.map_look(learned, facts, least, shown, hold=holds)
            control.checkpoint()
            most = looks.LIVE_MOST if is_live else None
            errors = looks.error_look(learned, facts, most) if "errors" in wanted else None
            return looks.Look(learned.revision, learned, errors, ranking, items)

        return look

    def _take_look(self) -> bool:
        task = self._look_task
        if task is None or not task.is_done:
            return False
        self._look_task = None
        if task.error is not None:
            self._say(message_of(task.error, "looking into the model"))
            return False
        self.look = task.result()
        return True
