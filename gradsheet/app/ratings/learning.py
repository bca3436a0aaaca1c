"""A model that is being learned in a task: what runs, how far it has come, what it has learned.

Owns the task, the learner and the newest numbers of both; `poll` brings a frame in on the thread
that calls everything else here (the window's). Which model, on which ratings, and what undo does
is the session's. Torch is imported in the task.
"""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from gradsheet.app.ratings.learned import Learned
from gradsheet.app.ratings.marks import Mark
from gradsheet.app.ratings.state_copies import StateCopies, StateCopy
from gradsheet.collab.report import EpochRow, FitSnapshot
from gradsheet.collab.splits import Split
from gradsheet.tasks import Control, Task

if TYPE_CHECKING:
    from gradsheet.app.ratings.learners import FastLearner, LessonLearner
    from gradsheet.app.ratings.past import Past

Event = Literal["state", "snapshot", "learned", "kept", "choice", "selection", "ratings"]
RunState = Literal["preparing", "idle", "running", "paused", "failed", "done"]
Side = Literal["users", "items"]
Kind = Literal["preparing", "to the end", "epochs", "steps"]

_COPY_SHARE = 0.05
"""Share of the time that copying what is learned may take while a run is on."""
_COPY_EVERY_S = 0.1


class Frame(NamedTuple):
    """What a task tells: the run, what is learned, and what it does."""

    snapshot: FitSnapshot | None
    learned: Learned | None
    note: str = ""


class Learning(ABC):
    """The run of one model.

    Attributes
    ----------
    state : {"preparing", "idle", "running", "paused", "failed", "done"}
    note : str
        What is being prepared, why it stopped or failed.
    device_text : str
        The device and why it was chosen; empty until the model is made.
    split : Split or None
        None until it is made, in the first task.
    snapshot : FitSnapshot or None
        The newest of the run.
    learned : Learned or None
        The newest copy of what is learned.
    error : BaseException or None
        Why the last task failed.
    """

    def __init__(self) -> None:
        self.state: RunState = "idle"
        self.note = ""
        self.device_text = ""
        self.split: Split | None = None
        self.snapshot: FitSnapshot | None = None
        self.learned: Learned | None = None
        self.error: BaseException | None = None
        self._learner: LessonLearner | FastLearner | None = None
        self._queued: tuple[Kind, int | None] | None = None
        self._task: Task[Frame, None] | None = None
        self._pausing = False
        self._ending = False
        self._revision = 0
        self._last: Frame | None = None
        """How the learner stands at the end of a task, put here by the task."""
        self._copies = StateCopies()
        self._listeners: list[Callable[[Event], None]] = []

    past: Past

    @abstractmethod
    def _make(self, control: Control) -> LessonLearner | FastLearner:
        """Make the split, if there is none, and the learner. Runs in the task's thread."""

    @abstractmethod
    def _begin_run(self) -> Mark:
        """Return where a run begins, noted for undo; the task fills its state in."""

    # ------------------------------------------------------------------ listeners

    def add_listener(self, listener: Callable[[Event], None]) -> None:
        """Tell this one what changes, from now on."""
        self._listeners.append(listener)

    def remove_listener(self, listener: Callable[[Event], None]) -> None:
        """Tell it no more."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def tell(self, *events: Event) -> None:
        """Tell the listeners what has changed."""
        for event in events:
            for listener in list(self._listeners):
                listener(event)

    # ------------------------------------------------------------------ the run

    @property
    def epochs(self) -> list[EpochRow]:
        """The epoch table."""
        return [] if self.snapshot is None else list(self.snapshot.epochs)

    @property
    def steps_done(self) -> int:
        """Mini-batches, or passes, since the start."""
        if self.snapshot is None or not len(self.snapshot.steps):
            return 0
        return int(self.snapshot.steps[-1])

    @property
    def ratings_per_second(self) -> float:
        """Over the time spent learning."""
        return 0.0 if self.snapshot is None else self.snapshot.ratings_per_second

    @property
    def remaining_s(self) -> float | None:
        """Seconds to the end of what was begun; None while unknown or when nothing runs."""
        if self.snapshot is None or self.state != "running":
            return None
        return self.snapshot.progress.remaining_s

    @property
    def is_at_work(self) -> bool:
        """Whether a task is under way, so that the clock should be quick."""
        return self.task is not None

    @property
    def task(self) -> Task[Any, Any] | None:
        """What is under way."""
        return self._task or self.past.task

    def prepare(self) -> None:
        """Make split and model in a task, so that there is something to look at before a run."""
        if self._task is None and self._learner is None:
            self.state = "preparing"
            self._launch("preparing", None, None)

    def start(self) -> None:
        """Learn to the end of what was begun, or so many epochs more."""
        self._run("to the end", None)

    def continue_(self, epochs: int) -> None:
        """Learn so many epochs (passes) more, the schedule from its start."""
        self._run("epochs", epochs)

    def step(self, n: int = 1) -> None:
        """Take `n` mini-batches (fast: passes), then pause."""
        if self.state != "preparing":
            self.stop()
        self._run("steps", n)

    def _run(self, kind: Kind, count: int | None) -> None:
        if self._task is not None:
            if self.state == "preparing":  # what it makes is needed: run once it is there
                self._queued = (kind, count)
                return
            if self.state == "running" and not self._pausing:
                return
            self.stop()
        self.past.finish()
        mark = self._begin_run()
        self.past.cut(self.steps_done)
        self.state, self.note, self._pausing = "running", "", False
        self._launch(kind, count, mark)

    def toggle(self) -> None:
        """Run if paused, pause if running."""
        if self.state == "running" and not self._pausing:
            self.pause()
        else:
            self.start()

    def pause(self) -> None:
        """Stop at the next chance, a batch or part of a pass from now; returns at once."""
        if self._task is not None and self.state == "running":
            self._pausing = True
            self._task.cancel()
            self.note = "Pausing"
            self.tell("state")

    def end(self) -> None:
        """Give up what was begun: pause, and Run then begins anew from what is learned."""
        self.pause()
        self._ending = True
        if self._task is None:
            self._end_leg()

    def _end_leg(self) -> None:
        self._ending = False
        if self._learner is not None and self.state == "paused":
            self._learner.end_leg()
            self.state = "done"
            self.tell("state")

    @property
    def learner(self) -> LessonLearner | FastLearner | None:
        """What learns; None until it is made. Another thread's while the state is running."""
        return self._learner

    @property
    def leg(self) -> tuple[float, float]:
        """Epochs (passes) at which the run that is on, or was last, began and is to end."""
        return (0.0, 0.0) if self._learner is None else self._learner.leg

    def stop(self) -> bool:
        """Stop and wait for it; return whether a run was on that had not been told to pause."""
        was_running = self.state == "running" and not self._pausing
        self._queued = None
        self._copies.finish()
        self.past.finish()
        if self._task is not None:
            self._task.cancel()
            self._task.join()
            self._end_task()
        return was_running and self.state == "paused"

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait until the task has ended (headless use and tests). Raises what it raised."""
        self.past.finish()
        if self._task is not None and self._task.join(timeout_s):
            self._end_task()
            if self.error is not None:
                raise self.error

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """Stop, do something with what is learned, and go on if a run was on."""
        resume = self.stop()
        try:
            yield
        finally:
            if resume:
                self.start()

    def copy_state(self) -> StateCopy:
        """Have a copy made of all that the rest of the run depends on, for a file.

        A run that is on goes on: the copy is of a moment from now. It is of the end of the run
        also while an epoch of the past is shown.
        """
        self.past.finish()
        return self._copies.ask(self._learner, self._task, self.past.present_state)

    # ------------------------------------------------------------------ the task

    def _launch(self, kind: Kind, count: int | None, mark: Mark | None) -> None:
        def work(control: Control) -> Generator[Frame, None, None]:
            yield from self._work(control, kind, count, mark)

        self.error, self._last = None, None
        self._copies.finish()
        self._task = Task("learning ratings", work)
        self._task.start()
        self.tell("state")

    def _work(
        self, control: Control, kind: Kind, count: int | None, mark: Mark | None
    ) -> Generator[Frame, None, None]:
        """Make what is missing, then learn. Runs in the task's thread."""
        import torch

        torch.set_num_threads(max((os.cpu_count() or 2) - 1, 1))
        learner = self._learner
        if learner is None:
            yield Frame(None, None, "Setting ratings aside and making the model")
            learner = self._make(control)
        if mark is not None and mark.learner is None:
            mark.learner, mark.split = learner, self.split
        learned = self.copy_of(learner)
        if kind == "preparing" or mark is None:
            yield Frame(learner.snapshot(), learned)
            return
        if mark.state is None:
            mark.state = learner.state()
        try:
            control.checkpoint()
            yield from self._frames(control, kind, count, learner, learned)
        finally:  # copied here, for the window's thread has 8 ms
            self._last = Frame(learner.snapshot(), self.copy_of(learner))
            self._copies.hand_over(learner)

    def _frames(
        self,
        control: Control,
        kind: Kind,
        count: int | None,
        learner: LessonLearner | FastLearner,
        learned: Learned,
    ) -> Generator[Frame, None, None]:
        """Learn, with a copy of what is learned as often as copying may take."""
        copied, copying_s = time.perf_counter(), 0.0
        frames = (
            learner.steps(control, count or 1)
            if kind == "steps"
            else learner.frames(control, count)
        )
        for snapshot in frames:
            now = time.perf_counter()
            if now - copied >= max(_COPY_EVERY_S, copying_s / _COPY_SHARE):
                learned = self.copy_of(learner)
                copied = time.perf_counter()
                copying_s = copied - now
            self.past.note(learner, snapshot)
            self._copies.hand_over(learner)
            yield Frame(snapshot, learned)

    def copy_of(self, learner: LessonLearner | FastLearner) -> Learned:
        """Return a copy of what a learner has learned, told from every other one."""
        self._revision += 1
        return learner.learned(self._revision)

    def stand(self, learned: Learned, snapshot: FitSnapshot | None = None) -> None:
        """Show the learner where it has been brought to; its run is ``snapshot`` if not its own."""
        assert self._learner is not None
        self.learned = learned
        self.snapshot = snapshot or self._learner.snapshot()
        self.note = self.snapshot.note
        self.device_text = self._learner.device_text
        self.state = self._state_after()
        self.tell("learned", "snapshot", "state")

    def poll(self) -> bool:
        """Bring in what the task has done since; return whether anything did. Call it at 60 Hz."""
        task = self._task
        if task is None:
            return self.past.poll()
        done = task.is_done
        frame = task.latest()
        if frame is not None and not done:
            self._show(frame)
        if done:
            self._end_task(frame)
        return frame is not None or done

    def _show(self, frame: Frame) -> None:
        if frame.note:
            self.note = frame.note
            self.tell("state")
        if frame.snapshot is not None:
            self.snapshot = frame.snapshot
            self.tell("snapshot")
        if frame.learned is not None and frame.learned is not self.learned:
            self.learned = frame.learned
            self.tell("learned")

    def _end_task(self, frame: Frame | None = None) -> None:
        """Take the end of the task in: its last numbers, its failure."""
        task = self._task
        assert task is not None
        self._task, self._pausing = None, False
        self.error = task.error
        learner = self._learner
        if learner is not None:
            self._copies.hand_over(learner)  # what was asked for after its last look
        if self.error is not None:
            self.state, self.note = "failed", str(self.error)
        elif learner is None:
            self.state, self.note = "idle", ""
        else:
            last, self._last = self._last, None
            last = last or Frame(learner.snapshot(), self.copy_of(learner))
            assert last.snapshot is not None
            self.snapshot, self.learned = last.snapshot, last.learned
            self.note = self.snapshot.note
            self.state = self._state_after()
        self.tell("snapshot", "learned", "state")
        if self._ending:
            self._end_leg()
        queued, self._queued = self._queued, None
        if queued is not None and self.error is None and learner is not None:
            self._run(*queued)

    def _state_after(self) -> RunState:
        assert self.snapshot is not None
        if self.snapshot.state == "failed":
            return "failed"
        if not self.steps_done:
            return "idle"
        if self.snapshot.state in ("done", "stopped early"):
            return "done"
        return "paused"
