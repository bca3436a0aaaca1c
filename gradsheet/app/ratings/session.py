"""A rating set that is being learned: choices, the run, what is learned, what was kept.

Owns every fact that the ratings window shows. Learning happens in a task; `poll` brings its
newest frame in, on the thread that calls everything else here (the window's). Must not know
cells or windows; torch is imported in the task.
"""

# LONG: the one facade of a rating set; its methods are short and hand on to learner and task.

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from gradsheet.app.ratings.choices import (
    LearnChoice,
    ModelChoice,
    SplitChoice,
    check_together,
    proposed,
)
from gradsheet.app.ratings.learned import Learned
from gradsheet.app.ratings.splitting import split_of
from gradsheet.app.ratings.totals import Totals
from gradsheet.collab.report import EpochRow, FitSnapshot
from gradsheet.collab.splits import Split
from gradsheet.formula.values import UserError
from gradsheet.ratings.table import RatingTable
from gradsheet.tasks import Control, Task

if TYPE_CHECKING:
    from gradsheet.app.ratings.learners import FastLearner, LessonLearner
    from gradsheet.app.ratings.origin import Origin

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


@dataclass(frozen=True, slots=True)
class Selection:
    """Users and items, by code, that are lit up everywhere."""

    users: tuple[int, ...] = ()
    items: tuple[int, ...] = ()


@dataclass(slots=True, eq=False)
class Mark:
    """Where a session stood: enough to go back there, the model bit for bit.

    ``state`` is filled in by the task before it learns; None: nothing has changed since.
    """

    model_choice: ModelChoice
    learn_choice: LearnChoice
    split_choice: SplitChoice
    split: Split | None
    learner: LessonLearner | FastLearner | None
    snapshot: FitSnapshot | None
    state: dict[str, Any] | None = field(default=None)


@dataclass(frozen=True, slots=True, eq=False)
class KeptModel:
    """A trained model that was kept for comparison.

    Attributes
    ----------
    name : str
    model_choice, learn_choice
    epochs : tuple of EpochRow
    errors : (float, float) or None
        Validation RMSE and MAE, in stars; None without a validation part.
    learned : Learned
    mark : Mark
        To restore it.
    """

    name: str
    model_choice: ModelChoice
    learn_choice: LearnChoice
    epochs: tuple[EpochRow, ...]
    errors: tuple[float, float] | None
    learned: Learned
    mark: Mark


class RatingsSession:
    """One rating set and its model.

    Parameters
    ----------
    table : RatingTable
    source : str
        Where it came from, for titles.
    genres : sequence of str, optional
        Genres of each item, "Adventure|Comedy".
    model, learn, split : optional
        Choices; proposed by the size of the table if not given.
    totals : Totals, optional
        Of the table, where they have been counted.

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
    kept : list of KeptModel
    selection : Selection
    totals : Totals
        Counts and sums of ratings of users and items.
    origin : Origin or None
        The file that the ratings came from.
    edited : set of int
        Rows whose rating is another one than the file's.
    record : callable or None
        Told (label, mark) of what a whole undo step takes back; `Document` puts it into its
        history. Without one the session keeps its own marks.
    editor : callable or None
        Makes an edit of embeddings undoable; `Document` edits the cells of its sheets.
    """

    def __init__(
        self,
        table: RatingTable,
        source: str = "",
        genres: Sequence[str] | None = None,
        *,
        model: ModelChoice | None = None,
        learn: LearnChoice | None = None,
        split: SplitChoice | None = None,
        totals: Totals | None = None,
    ) -> None:
        if not len(table):
            raise UserError("There are no ratings to learn from.", "Open another file.")
        self.table, self.source, self.genres = table, source, genres
        if not table.ratings.flags.writeable:  # ratings can be edited
            self.table = table = dataclasses.replace(table, ratings=table.ratings.copy())
        self.totals = totals or Totals.of(table)
        low, high = float(table.ratings.min()), float(table.ratings.max())
        first_model, first_learn = proposed(low, high, len(table))
        self._model, self._learn = model or first_model, learn or first_learn
        self._split_choice = split or SplitChoice()
        self.state: RunState = "idle"
        self.note = ""
        self.device_text = ""
        self.split: Split | None = None
        self.snapshot: FitSnapshot | None = None
        self.learned: Learned | None = None
        self.kept: list[KeptModel] = []
        self.selection = Selection()
        self.record: Callable[[str, Mark], None] | None = None
        self.editor: Callable[[Side, int, Mapping[int, float]], None] | None = None
        self.error: BaseException | None = None
        self.origin: Origin | None = None
        self.edited: set[int] = set()
        self._learner: LessonLearner | FastLearner | None = None
        self._queued: tuple[Kind, int | None] | None = None
        self._task: Task[Frame, None] | None = None
        self._pausing = False
        self._ending = False
        self._begin_from: Learned | None = None
        self._revision = 0
        self._last: Frame | None = None
        """How the learner stands at the end of a task, put here by the task."""
        self._marks: list[Mark] = []
        self._listeners: list[Callable[[Event], None]] = []

    # ------------------------------------------------------------------ listeners

    def add_listener(self, listener: Callable[[Event], None]) -> None:
        """Tell this one what changes, from now on."""
        self._listeners.append(listener)

    def remove_listener(self, listener: Callable[[Event], None]) -> None:
        """Tell it no more."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def _tell(self, *events: Event) -> None:
        for event in events:
            for listener in list(self._listeners):
                listener(event)

    # ------------------------------------------------------------------ the table

    def counts(self, side: Side) -> npt.NDArray[np.int64]:
        """Return the number of ratings of each user or item."""
        return self.totals.user_counts if side == "users" else self.totals.item_counts

    def means(self, side: Side, rows: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Return mean ratings of users or items; NaN where there is none."""
        return self.totals.means(side, rows)

    # ------------------------------------------------------------------ choices

    @property
    def model_choice(self) -> ModelChoice:
        """The model that is, or is to be, learned."""
        return self._model

    @property
    def learn_choice(self) -> LearnChoice:
        """How it is learned."""
        return self._learn

    @property
    def split_choice(self) -> SplitChoice:
        """Which ratings are kept back."""
        return self._split_choice

    def set_model(self, choice: ModelChoice) -> None:
        """Take another model; what was learned comes back with undo.

        Raises
        ------
        UserError
            If there is no such model; nothing has changed then.
        """
        choice.check()
        check_together(choice, self._learn)
        if choice != self._model:
            self._anew("Change the model", model=choice)

    def set_learn(self, choice: LearnChoice) -> None:
        """Learn in another way from the next step on; a run that is on goes on with it.

        From fast to lesson the factors found so far are where the mini-batches start if the
        model has no sigmoid; else, and from lesson to fast, it starts anew.

        Raises
        ------
        UserError
            If that is not possible; nothing has changed then.
        """
        choice.check()
        check_together(self._model, choice)
        if choice == self._learn:
            return
        new_learner = choice.mode != self._learn.mode or choice.device != self._learn.device
        if new_learner and self._learner is not None:
            self._anew("Change the way of learning", learn=choice)
            return
        resume = self.stop()
        self._learn = choice
        if self._learner is not None:
            self._learner.reconfigure(choice)
        self._tell("choice")
        if resume:
            self.start()

    def set_split(self, choice: SplitChoice) -> None:
        """Keep back other ratings; the model starts anew, for it may have seen them.

        Raises
        ------
        UserError
            If that is not possible; nothing has changed then.
        """
        choice.check()
        if choice.kind == "last" and self.table.timestamps is None:
            raise UserError(
                "These ratings have no times, so there are no last ratings.",
                "Choose a random share, or a file that has a column of times.",
            )
        if choice != self._split_choice:
            self._anew("Change the validation part", split=choice)

    def set_choices(self, model: ModelChoice, learn: LearnChoice) -> None:
        """Take a model and a way of learning that only go together; one undo takes both back.

        Raises
        ------
        UserError
            If that is not possible; nothing has changed then.
        """
        if model == self._model:
            self.set_learn(learn)
            return
        model.check()
        learn.check()
        check_together(model, learn)
        self._anew("Change the model", model=model, learn=learn)

    def _anew(
        self,
        label: str,
        model: ModelChoice | None = None,
        learn: LearnChoice | None = None,
        split: SplitChoice | None = None,
    ) -> None:
        """Put choices in place and drop the learner; what there was is one undo away."""
        self.stop()
        old = self._learner
        if old is not None:
            self._note_mark(label, self.mark(with_state=True))
        self._begin_from = None
        if model is None and old is not None and learn is not None and learn.mode == "lesson":
            from_fast = old.learn.mode == "fast" and self.steps_done
            self._begin_from = self.learned if from_fast else None
        self._model, self._learn = model or self._model, learn or self._learn
        if split is not None:
            self._split_choice, self.split = split, None
        self._forget()
        self.prepare()
        self._tell("choice")

    def _forget(self) -> None:
        self._learner = None
        self.snapshot, self.learned = None, None
        self.state, self.note = "idle", ""
        self._tell("state", "snapshot", "learned")

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
        return self._task is not None

    @property
    def task(self) -> Task[Frame, None] | None:
        """What is under way."""
        return self._task

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
        mark = self.mark()
        self._note_mark("Training run", mark)
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
            self._tell("state")

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
            self._tell("state")

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
        if self._task is not None:
            self._task.cancel()
            self._task.join()
            self._end_task()
        return was_running and self.state == "paused"

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait until the task has ended (headless use and tests). Raises what it raised."""
        if self._task is not None and self._task.join(timeout_s):
            self._end_task()
            if self.error is not None:
                raise self.error

    def close(self) -> None:
        """Stop for good."""
        self.record = None
        self.stop()
        self._listeners.clear()

    def reset(self) -> None:
        """Go back to the start of this model, bit for bit; undo brings the learned one back."""
        self.stop()
        if self._learner is not None and self.steps_done:
            start = self._learner.start
            self._note_mark("Reset", self.mark(with_state=True))
            self.restore(dataclasses.replace(self.mark(), state=start))

    @property
    def can_undo(self) -> bool:
        """Whether :meth:`undo` has something to go back to."""
        return bool(self._marks)

    def undo(self) -> bool:
        """Go back to before the last run or change of choices; False if there is nothing.

        A session in a document is undone through the document's history instead.
        """
        self.stop()
        if not self._marks:
            return False
        self.restore(self._marks.pop())
        return True

    # ------------------------------------------------------------------ the task

    def _launch(self, kind: Kind, count: int | None, mark: Mark | None) -> None:
        def work(control: Control) -> Generator[Frame, None, None]:
            yield from self._work(control, kind, count, mark)

        self.error, self._last = None, None
        self._task = Task("learning ratings", work)
        self._task.start()
        self._tell("state")

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
        learned = learner.learned(self._next_revision())
        if kind == "preparing" or mark is None:
            yield Frame(learner.snapshot(), learned)
            return
        mark.state = learner.state()
        try:
            control.checkpoint()
            yield from self._frames(control, kind, count, learner, learned)
        finally:  # copied here, for the window's thread has 8 ms
            self._last = Frame(learner.snapshot(), learner.learned(self._next_revision()))

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
                learned = learner.learned(self._next_revision())
                copied = time.perf_counter()
                copying_s = copied - now
            yield Frame(snapshot, learned)

    def _make(self, control: Control) -> LessonLearner | FastLearner:
        from gradsheet.app.ratings.learners import make_learner

        if self.split is None:
            self.split = split_of(self.table, self._split_choice, control)
        control.checkpoint()
        begin, self._begin_from = self._begin_from, None
        plain = self._model.kind == "bias" and self._model.y_range is None
        factors = begin.factors if begin is not None and plain else None
        learner = make_learner(self._model, self._learn, self.split, self.genres, factors)
        self.device_text = learner.device_text
        learner.start = learner.state()
        self._learner = learner
        return learner

    def _next_revision(self) -> int:
        self._revision += 1
        return self._revision

    def poll(self) -> bool:
        """Bring in what the task has done since; return whether anything did. Call it at 60 Hz."""
        task = self._task
        if task is None:
            return False
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
            self._tell("state")
        if frame.snapshot is not None:
            self.snapshot = frame.snapshot
            self._tell("snapshot")
        if frame.learned is not None and frame.learned is not self.learned:
            self.learned = frame.learned
            self._tell("learned")

    def _end_task(self, frame: Frame | None = None) -> None:
        """Take the end of the task in: its last numbers, its failure."""
        task = self._task
        assert task is not None
        self._task, self._pausing = None, False
        self.error = task.error
        learner = self._learner
        if self.error is not None:
            self.state, self.note = "failed", str(self.error)
        elif learner is None:
            self.state, self.note = "idle", ""
        else:
            last, self._last = self._last, None
            last = last or Frame(learner.snapshot(), learner.learned(self._next_revision()))
            assert last.snapshot is not None
            self.snapshot, self.learned = last.snapshot, last.learned
            self.note = self.snapshot.note
            self.state = self._state_after()
        self._tell("snapshot", "learned", "state")
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

    # ------------------------------------------------------------------ marks

    def mark(self, with_state: bool = False) -> Mark:
        """Return where the session stands; without its state it holds once a task filled it."""
        mark = Mark(
            self._model,
            self._learn,
            self._split_choice,
            self.split,
            self._learner,
            self.snapshot,
        )
        if with_state and self._learner is not None:
            mark.state = self._learner.state()
        return mark

    def restore(self, mark: Mark) -> None:
        """Go back to a mark."""
        self.stop()
        self._model, self._learn = mark.model_choice, mark.learn_choice
        self._split_choice, self.split = mark.split_choice, mark.split
        if mark.learner is None:
            self._forget()
            self.prepare()
        else:
            self._learner = mark.learner
            if mark.state is not None:
                mark.learner.load(mark.state)
            self.snapshot = mark.learner.snapshot()
            self.learned = mark.learner.learned(self._next_revision())
            self.state, self.note = "paused", self.snapshot.note
            self.state = self._state_after()
            self.device_text = mark.learner.device_text
            self._tell("snapshot", "learned", "state")
        self._tell("choice")

    def _note_mark(self, label: str, mark: Mark) -> None:
        if self.record is not None:
            self.record(label, mark)
        else:
            self._marks.append(mark)

    # ------------------------------------------------------------------ kept models

    def keep(self, name: str = "") -> KeptModel:
        """Keep what is learned now for comparison.

        Raises
        ------
        UserError
            If nothing has been learned yet.
        """
        resume = self.stop()
        if self._learner is None or self.learned is None or not self.steps_done:
            raise UserError("Nothing has been learned yet.", "Run first, then keep the model.")
        last = self.epochs[-1] if self.epochs else None
        errors = None
        if last is not None and last.valid_rmse is not None and last.valid_mae is not None:
            errors = (last.valid_rmse, last.valid_mae)
        kept = KeptModel(
            name or f"Model {len(self.kept) + 1}",
            self._model,
            self._learn,
            tuple(self.epochs),
            errors,
            self.learned,
            self.mark(with_state=True),
        )
        self.kept.append(kept)
        self._tell("kept")
        if resume:
            self.start()
        return kept

    def take_up(self, split: Split, learner: LessonLearner | FastLearner) -> None:
        """Go on with a learner that a file has kept, as it stands."""
        self.split, self._learner = split, learner
        self.device_text = learner.device_text
        self.snapshot = learner.snapshot()
        self.learned = learner.learned(self._next_revision())
        self.note = self.snapshot.note
        self.state = self._state_after()

    def take_up_kept(
        self,
        name: str,
        learner: LessonLearner | FastLearner,
        split: SplitChoice,
        errors: tuple[float, float] | None,
    ) -> None:
        """Have a model among the kept ones that a file has kept."""
        snapshot = learner.snapshot()
        mark = Mark(
            learner.model, learner.learn, split, learner.split, learner, snapshot, learner.state()
        )
        learned, epochs = learner.learned(self._next_revision()), snapshot.epochs
        self.kept.append(
            KeptModel(name, learner.model, learner.learn, epochs, errors, learned, mark)
        )

    def drop(self, index: int) -> None:
        """Forget a kept model."""
        del self.kept[index]
        self._tell("kept")

    def restore_kept(self, index: int) -> None:
        """Make a kept model the one that is shown and learned on; undo brings this one back."""
        self.stop()
        kept = self.kept[index]
        if self._learner is not None:
            self._note_mark(f"Go back to {kept.name}", self.mark(with_state=True))
        self.restore(kept.mark)

    # ------------------------------------------------------------------ selection, edits

    def select(
        self, items: Iterable[int] | None = None, users: Iterable[int] | None = None
    ) -> None:
        """Light up items or users everywhere; None leaves that side as it is."""
        chosen = Selection(
            self.selection.users if users is None else tuple(int(u) for u in users),
            self.selection.items if items is None else tuple(int(i) for i in items),
        )
        if chosen != self.selection:
            self.selection = chosen
            self._tell("selection")

    def write_learned(
        self, side: Side, rows: Sequence[int], columns: Sequence[int], values: Sequence[float]
    ) -> None:
        """Set embeddings (columns 0 ...) and biases (column -1); not undoable by itself.

        Raises
        ------
        UserError
            If the model has no such number, or is not made yet.
        """
        resume = self.stop()
        if self._learner is None:
            raise UserError("The model is still being made.", "Wait a moment, then edit again.")
        try:
            self._learner.write(side, rows, columns, values)
            self.learned = self._learner.learned(self._next_revision())
            self._tell("learned")
        finally:
            if resume:
                self.start()

    def edit_rows(self, side: Side, row: int, column: int, value: float) -> None:
        """Set one embedding number (or the bias, column -1) as an undoable edit.

        Raises
        ------
        UserError
            See `write_learned`; also if the value is not a finite number.
        """
        self.edit_row(side, row, {column: value})

    def edit_row(self, side: Side, row: int, numbers: Mapping[int, float]) -> None:
        """Set several numbers of one user or item, by column, as one undoable edit.

        Raises
        ------
        UserError
            See `edit_rows`.
        """
        if not all(np.isfinite(value) for value in numbers.values()):
            raise UserError("An embedding is a finite number.", "Enter a number such as 0.5.")
        if self.editor is not None:
            self.editor(side, row, numbers)
            return
        self.stop()
        mark = self.mark(with_state=True)
        self.write_learned(side, [row] * len(numbers), list(numbers), list(numbers.values()))
        self._note_mark(f"Edit the {side}", mark)

    def write_ratings(self, rows: npt.NDArray[Any], values: npt.NDArray[Any]) -> None:
        """Change ratings of the table and of the part that has them; not undoable by itself."""
        resume = self.stop()
        new = np.asarray(values, dtype=np.float32)
        self.totals.change(self.table, rows, new)
        self.edited.update(np.asarray(rows).tolist())
        self.table.ratings[rows] = new
        split = self.split
        if split is not None and split.train is not self.table:
            for row, value in zip(np.asarray(rows).tolist(), new.tolist(), strict=True):
                held = split.held
                assert held is not None  # only a split by a file has none, and shares the table
                is_held = bool(held[row])
                before = int(np.count_nonzero(held[:row]))
                part, at = (split.valid, before) if is_held else (split.train, row - before)
                part.ratings[at] = value
        if self._learner is not None:
            self._learner.ratings_changed()
        self._tell("ratings")
        if resume:
            self.start()

    def replace_table(
        self, table: RatingTable, split: Split | None, follow: Callable[[], object]
    ) -> None:
        """Take other ratings of the same users and items; not undoable by itself.

        What is learned stays; an epoch that has begun begins anew. ``follow`` brings the sheets
        to the new rows before anybody is told of them.
        """
        resume = self.stop()
        old, self.table, self.split = self.split, table, split
        self.origin, self.edited = None, set()  # no file has these rows
        self.totals = Totals.of(table)
        kept_marks = [kept.mark for kept in self.kept]
        learners = {id(one): one for one in (self._learner, *(m.learner for m in kept_marks))}
        for learner in learners.values():
            if learner is not None and split is not None:
                learner.take_split(split)
        for mark in kept_marks:
            if mark.split is old:
                mark.split = split
        if self._learner is not None:
            self.snapshot = self._learner.snapshot()
            self.learned = self._learner.learned(self._next_revision())
        follow()
        self._tell("ratings", "snapshot", "learned", "state")
        if resume:
            self.start()
