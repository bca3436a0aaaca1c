"""Unsaved work is written aside while one works, so that no end of the program loses it.

Owns when an autosave is due, what stands in it, and when it may go. Looks at the document on
its own thread, in a moment; writing happens in a task. Knows no window.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gradsheet.app import settings
from gradsheet.app.messages import Message
from gradsheet.app.saving.session_state import session_of
from gradsheet.app.saving.stamp import Stamp
from gradsheet.files import autosaves
from gradsheet.files.autosaves import FACT, Autosaved, Origin, Slot
from gradsheet.formula.values import UserError
from gradsheet.tasks import Control, Task

if TYPE_CHECKING:
    from gradsheet.app.document import Document
    from gradsheet.files.session import Session

AUTOSAVE_S = 20.0
"""From a change to the writing: with the writing itself no change is older than 30 s."""
LOOK_S = 0.5
"""Between two looks at the document."""
TOUCH_S = 60.0
"""Between two signs of life to other machines."""
WAIT_S = 30.0
"""How long the end of the program waits for a writing."""
COMPLAIN_S = 600.0
"""A folder that cannot be written is complained of again after this time."""


def folder() -> Path:
    """Return where autosaves lie: beside the settings."""
    return settings.default_path().parent / "recovery"


@dataclass(frozen=True, slots=True)
class _Going:
    """A place in the folder that is given up when its last writing has ended."""

    slot: Slot
    task: Task[None, None] | None
    is_kept: bool


class Autosave:
    """Keeps the unsaved work of one document in a file.

    Parameters
    ----------
    document : Document
    place : Path, optional
        The folder; the user's own if not given.
    every_s : float
        Seconds from a change to its writing.
    clock : callable
        Seconds, monotonic.
    """

    def __init__(
        self,
        document: Document,
        place: Path | None = None,
        *,
        every_s: float = AUTOSAVE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._document = document
        self._folder = place or folder()
        self._every_s, self._clock = every_s, clock
        self._slot: Slot | None = None
        self._task: Task[None, None] | None = None
        self._doing: Stamp | None = None
        self._done: Stamp | None = None
        """What the file holds."""
        self._since: float | None = None
        """When the oldest change was seen that is in no file."""
        self._look_at = self._touch_at = 0.0
        self._complained_at: float | None = None
        self.forsaken: Stamp | None = None
        """The state of which the user has said that it need not be kept."""
        self._going: list[_Going] = []
        """Places of work that has been left, until their last writing has ended."""
        document.on_leaving = self.put_aside

    # ------------------------------------------------------------------ while one works

    def poll(self) -> None:
        """Write what is due, take notice of what is written; call it often."""
        now = self._clock()
        if self._task is not None and self._task.is_done:
            self._take(self._task)
        self._see_off()
        if now < self._look_at or self._task is not None:
            return
        self._look_at = now + min(LOOK_S, self._every_s / 4)
        if now >= self._touch_at:
            self._touch_at = now + TOUCH_S
            self._touch()
        if not self._has_work:
            self._forget()
        elif self._document.stamp() != self._done:
            self._since = now if self._since is None else self._since
            if now - self._since >= self._every_s:
                self._begin()

    def now(self, timeout_s: float = WAIT_S) -> bool:
        """Write at once and wait for it, as before the program ends; whether it is written."""
        self._finish(timeout_s)
        if not self._has_work:
            return True
        if self._document.stamp() != self._done:
            self._begin()
            self._finish(timeout_s)
        return self._document.stamp() == self._done

    def soon(self) -> None:
        """Write without waiting for it, as after an exception."""
        if self._task is None and self._has_work:
            self._begin()

    def forsake(self) -> None:
        """What is open, as it is now, need not be kept: its user has said so, or saved it."""
        self.forsaken = self._document.stamp()

    def adopt(self, autosaved: Autosaved, slot: Slot) -> None:
        """What is open now comes from this autosave; its file is kept up from here."""
        self._forget()
        self._slot = slot
        self._document.recovered(autosaved.original)
        self._done = self._document.stamp()

    # ------------------------------------------------------------------ the end

    def close(self, *, keep: bool) -> None:
        """End; waits until everything is written.

        Parameters
        ----------
        keep : bool
            Whether unsaved work is to be offered at the next start; else it is forgotten.
        """
        if keep:
            self.now()
            self._finish()
            if self._slot is not None and self._has_work:
                self._slot.leave()
                self._slot = None
        self._finish()
        self._forget()
        self._document.on_leaving = None
        for going in self._going:
            if going.task is not None:
                going.task.join(WAIT_S)
        self._see_off()
        autosaves.prune(self._folder)

    def put_aside(self) -> None:
        """Keep what is open where it can be found, though nobody asked for it; does not wait."""
        task, slot = self._task, self._slot
        self._task = self._slot = None
        if self._has_work and self._document.stamp() != self.forsaken:
            self._begin(put_aside=True)
            self._go(is_kept=True)
        # Only after the newer one has been written does the older one go.
        self._task, self._slot = task, slot
        self._go(is_kept=False)
        self._since = self._done = self.forsaken = None

    def _go(self, *, is_kept: bool) -> None:
        if self._slot is not None:
            self._going.append(_Going(self._slot, self._task, is_kept))
        self._task = self._slot = None
        self._see_off()

    def _see_off(self) -> None:
        """Let go of places whose last writing has ended."""
        while self._going:
            slot, task = self._going[0].slot, self._going[0].task
            if task is not None and not task.is_done:
                return
            if task is not None and task.error is not None:
                self._complain_of(task.error)
            if self._going.pop(0).is_kept:
                slot.leave()
            else:
                slot.discard()

    # ------------------------------------------------------------------ one autosave

    def _begin(self, *, put_aside: bool = False) -> None:
        document = self._document
        try:
            slot = self._slot = self._slot or Slot.new(self._folder)
        except OSError as fault:
            self._complain(f"{self._folder} cannot be written: {fault.strerror or fault}")
            return
        original = str(document.path.absolute()) if document.path is not None else ""
        origin = Origin(document.title, original, time.time(), put_aside)
        make, self._doing = _noted(document), document.stamp()
        self._since = None
        self._task = Task("autosaving", _writer(make, slot, origin)).start()

    def _take(self, task: Task[None, None]) -> None:
        self._task = None
        if task.error is None:
            self._done, self._complained_at = self._doing, None
            return
        self._complain_of(task.error)

    def _complain_of(self, fault: BaseException) -> None:
        self._complain(fault.text if isinstance(fault, UserError) else f"{fault!r}")

    def _finish(self, timeout_s: float = WAIT_S) -> None:
        task = self._task
        if task is not None and task.join(timeout_s):
            self._take(task)

    def _forget(self) -> None:
        """Nothing is unsaved: what was written aside may go."""
        self._since = self._done = None
        if self._slot is not None:
            self._slot.discard()
            self._slot = None

    @property
    def _has_work(self) -> bool:
        return self._document.is_changed

    def _touch(self) -> None:
        if self._slot is not None:
            self._slot.touch()
        if self._document.filing is not None:
            self._document.filing.touch()

    def _complain(self, why: str) -> None:
        now = self._clock()
        self._since = now
        if self._complained_at is None or now - self._complained_at > COMPLAIN_S:
            self._complained_at = now
            self._document.say(
                Message(
                    "warning",
                    f"Your work could not be saved aside: {why}",
                    "Save it yourself, if need be in another folder, and make room on the disk.",
                    action="file.save_as",
                )
            )


def _noted(document: Document) -> Callable[[], Session]:
    if document.ratings is None:
        return session_of(document)
    from gradsheet.app.ratings.saving import session_of_ratings

    return session_of_ratings(document, is_autosave=True)


def _writer(
    make: Callable[[], Session], slot: Slot, origin: Origin
) -> Callable[[Control], Generator[None, None, None]]:
    def write(_: Control) -> Generator[None, None, None]:
        from gradsheet.files.session import save_session

        session = make()
        facts = {**session.facts, FACT: origin.fact()}
        save_session(dataclasses.replace(session, facts=facts), slot.path, slot.parts)
        yield

    return write
