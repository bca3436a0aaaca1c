"""How the session of a rating set meets a document: its run, its history, its sheets.

Owns the way from the session's events to cells and to `RunView`, and the undo of runs and of
changed choices. Works on the document's thread. Must not know windows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gradsheet.app.lab.schedule_choice import ScheduleChoice
from gradsheet.app.messages import Message, message_of
from gradsheet.app.ratings.session import RUN
from gradsheet.app.run import RunMark, RunState
from gradsheet.app.timeline import Mark as TimeMark
from gradsheet.app.training import Training
from gradsheet.formula.address import Region
from gradsheet.formula.values import UserError
from gradsheet.learn.problem import Parameter, Problem
from gradsheet.lessons.lesson import LessonBook
from gradsheet.sheet.change import Change, Edit
from gradsheet.sheet.workbook import Workbook

if TYPE_CHECKING:
    from gradsheet.app.document import Document
    from gradsheet.app.ratings.laid_out import LaidOut
    from gradsheet.app.ratings.learned import Side
    from gradsheet.app.ratings.learning import Event
    from gradsheet.app.ratings.marks import Mark
    from gradsheet.app.ratings.session import RatingsSession
    from gradsheet.app.ratings.workbook import RatingsBook

_STATES: dict[str, RunState] = {
    "preparing": "loading",
    "idle": "idle",
    "running": "running",
    "paused": "paused",
    "done": "paused",
    "failed": "failed",
}


@dataclass(frozen=True, slots=True, eq=False)
class GoToMark(Edit):
    """Put a session back where it stood; its model bit for bit."""

    session: RatingsSession
    book: RatingsBook
    mark: Mark
    name: str

    @property
    def label(self) -> str:
        """The name given."""
        return self.name

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        self.session.stop()
        here = self.session.mark(with_state=True)
        self.session.restore(self.mark)
        inverse = GoToMark(self.session, self.book, here, self.name)
        return inverse, Change(values=self.book.learned_places())


class RatingsTraining(Training):
    """The run of a rating set.

    Parameters
    ----------
    document : Document
    book : LessonBook
    ratings : RatingsBook
    """

    def __init__(self, document: Document, book: LessonBook, ratings: RatingsBook) -> None:
        self.book, self.session = ratings, ratings.session
        super().__init__(document, book)
        self.refresh()
        self._run_entry: int | None = None
        self._is_laying = False
        self._failure_said = ""
        self.session.record = self._record
        self.session.editor = self._edit
        self.session.add_listener(self._heard)
        self._follow_run()

    def refresh(self) -> None:
        """See Training; the loss is the crosstab's, the problem says only where its cells lie."""
        sheet, shape = self.book.crosstab.id, self.book.shape
        regions = (shape.user_block, shape.item_block)
        self.problem = Problem(
            (sheet, shape.loss), tuple(Parameter(sheet, region) for region in regions)
        )

    def ready(self) -> None:
        """Torch is there: make split and model, so that there is something to see."""
        self.run.ready()
        self.session.prepare()
        self._follow_run()
        self._document.notify_run()

    # ------------------------------------------------------------------ the run

    def start(self) -> None:
        """See Training."""
        self.session.start()

    def step(self, n: int) -> None:
        """Take mini-batches, or passes; where an epoch of the past is shown, show the next."""
        past = self.session.past
        if past.is_shown:
            self._seek(next(tick for tick in past.ticks if tick > self.session.steps_done))
            return
        self.session.step(n)

    def pause(self) -> None:
        """See Training; the pass under way may have to end first."""
        if self._rewinding.stop():
            self._document.notify_run()
        self.session.pause()

    def stop(self) -> bool:
        """See Training."""
        self._rewinding.stop()
        return self.session.stop()

    def withdraw(self) -> bool:
        """Nothing waits."""
        return False

    def poll(self) -> None:
        """See Training."""
        self.session.poll()
        self._rewind()

    def reset(self) -> None:
        """See Training."""
        self.session.reset()

    def new_start(self, fresh: Workbook, label: str) -> None:
        """Draw the model's start anew."""
        choice = self.session.model_choice
        self.session.set_model(dataclasses.replace(choice, seed=choice.seed + 1))

    def retry_slower(self) -> None:
        """Go back to before the run, and set a tenth of the rate."""
        self._document.undo()
        learn = self.session.learn_choice
        if learn.mode == "fast":
            self.session.set_learn(dataclasses.replace(learn, fast_rate=learn.fast_rate / 10))
        else:
            self.set_hyper(lr=learn.hyper.lr / 10)

    def choose(self, name: str) -> None:
        """See Training."""
        from gradsheet.learn.optimizers import OPTIMIZERS

        learn = self.session.learn_choice
        hyper = OPTIMIZERS[name].defaults
        self.session.set_learn(dataclasses.replace(learn, optimizer=name, hyper=hyper))

    def set_hyper(self, **changes: Any) -> None:
        """See Training."""
        learn = self.session.learn_choice
        try:
            hyper = dataclasses.replace(learn.hyper, **changes)
        except (TypeError, ValueError) as error:
            raise UserError(f"That rate is not possible: {error}.", "Enter another.") from error
        self.session.set_learn(dataclasses.replace(learn, hyper=hyper))

    def set_schedule(self, choice: ScheduleChoice | None) -> None:
        """The schedule of a rating set is among its choices."""

    # ------------------------------------------------------------------ going through time

    @property
    def first_step(self) -> int:
        """See Training."""
        return self.session.past.ticks[0]

    @property
    def last_step(self) -> int:
        """See Training."""
        return self.session.past.end

    @property
    def ticks(self) -> tuple[int, ...]:
        """The ends of the epochs that are kept, and of the run."""
        return self.session.past.ticks

    @property
    def place(self) -> str:
        """The epoch, or pass, that is shown, of all that have been learned."""
        session = self.session
        whole, shown = session.past.whole, len(session.epochs)
        if whole is None or not session.past.end:
            return ""
        word = "pass" if session.learn_choice.mode == "fast" else "epoch"
        if session.past.is_shown:
            return f"{word} {shown} of {len(whole.epochs)}" if shown else "the start"
        return f"{word} {shown}"

    def play_back(self) -> None:
        """Play the epochs backwards to the start, or stop doing so; a run that is on pauses."""
        was_on = self._rewinding.is_on
        self.stop()
        if not was_on:
            self._rewinding.start(self.session.steps_done, self.first_step, None)
        self._document.notify_run()

    def marks(self) -> tuple[TimeMark, ...]:
        """The epoch of the lowest validation error."""
        best, ticks = self.session.past.best, self.session.past.ticks
        if best is None or best.step not in ticks or len(ticks) < 2:
            return ()
        text = f"Best validation, epoch {best.epochs}: RMSE {best.valid_rmse:.4f}"
        return (TimeMark(best.step, "best", text),)

    def seek(self, step: int) -> None:
        """Show the kept epoch nearest to a step; a run that is on pauses."""
        self._rewinding.stop()
        self._seek(step)

    def _seek(self, step: int) -> None:
        self.session.past.look(step)

    def back(self) -> None:
        """Show the kept epoch before."""
        self._rewinding.stop()
        before = [tick for tick in self.ticks if tick < self.session.steps_done]
        if before:
            self._seek(before[-1])

    def seek_best(self) -> None:
        """Show the epoch of the lowest validation error."""
        best = self.session.past.best
        if best is not None:
            self.seek(best.step)

    def come_back(self) -> Change | None:
        """See Training: what is undone is of the end of the run."""
        if self.session.past.come_back():
            return Change(values=self.book.learned_places())
        return None

    def rewind_with(self, entry: int) -> None:
        """Nothing of it depends on other sheets."""

    def travelled(self, entry: int, here: RunMark) -> None:
        """The history's own edit has put the session where it was."""

    def edited(self, entry: int, change: Change) -> None:
        """Nothing is recorded that an edit could make untrue."""

    # ------------------------------------------------------------------ history

    def _record(self, label: str, mark: Mark) -> None:
        history = self._document.history
        if label == RUN and self._run_entry is not None and history.top == self._run_entry:
            return  # the same run goes on
        entry = history.push(label, GoToMark(self.session, self.book, mark, label))
        self._run_entry = entry if label.startswith(RUN) else None

    def _edit(self, side: Side, row: int, numbers: Mapping[int, float]) -> None:
        self._document.apply(self.book.embedding_edit(side, row, numbers))

    # ------------------------------------------------------------------ events

    def _heard(self, event: Event) -> None:
        document = self._document
        if event == "learned":
            self._show_learned()
        elif event == "ratings":
            self._show_ratings()
        elif event in ("state", "snapshot", "choice"):
            self._follow_run()
            document.notify_run()
        if event == "state":
            self._say_failure()

    def _show_learned(self) -> None:
        document, book = self._document, self.book
        if not book.fits():
            if book.is_large:
                self._lay_out_elsewhere()
                return
            document.follow(book.lay_out_anew())
        document.write(book.numbers(), by_run=True)
        if self.session.state == "running" and self.session.is_at_work:
            document.touched(book.learned_places())
        else:  # formulas of one's own that read the tables follow too
            document.follow(Change(values=book.learned_places()))

    def _lay_out_elsewhere(self) -> None:
        """Lay a large crosstab out on the engine's thread; the old one stays until it is there."""
        if self._is_laying:
            return
        self._is_laying = True
        document, work = self._document, self.book.laying_out_now()

        def show(laid: LaidOut) -> None:
            self._is_laying = False
            if self.book.is_for_now(laid):
                document.follow(self.book.lay_out_anew(laid=laid))
            self._show_learned()

        def failed(error: BaseException) -> None:
            self._is_laying = False
            document.say(message_of(error, "laying out the crosstab"))

        document.engine.submit(work, show, failed, "laying out the crosstab")

    def _show_ratings(self) -> None:
        document, book = self._document, self.book
        document.write(book.ratings_again(), by_run=True)
        document.write(book.numbers(), by_run=True)
        means = (
            (book.users.id, Region(1, 1, book.users.cells.used().bottom, 3)),
            (book.items.id, Region(1, 2, book.items.cells.used().bottom, 4)),
            (book.ratings.id, Region(1, 3, book.ratings.cells.used().bottom, 4)),
        )
        document.touched((*means, *book.learned_places()))

    def _follow_run(self) -> None:
        """Let the run say what the session says."""
        session, run = self.session, self.run
        learn = session.learn_choice
        run.state = _STATES[session.state]
        run.step, run.note = session.steps_done, session.note
        run.task = session.task
        run.optimizer_name, run.device = learn.optimizer, session.device_text or "cpu"
        snapshot = session.past.whole
        rows = max(len(session.split.train) if session.split is not None else 1, 1)
        per_step = rows if learn.mode == "fast" else min(learn.batch_size, rows)
        running = session.state == "running"
        run.steps_per_second = session.ratings_per_second / per_step if running else 0.0
        if run.optimizer is None or run.trace is None:
            return  # torch is on its way
        run.optimizer.hyper = learn.hyper
        if run.optimizer.rule.name != learn.optimizer:
            from gradsheet.learn.optimizers import make_optimizer

            run.optimizer = make_optimizer(learn.optimizer)
            run.optimizer.hyper = learn.hyper
        from gradsheet.learn.trace import LossTrace

        run.trace = LossTrace()
        if snapshot is not None:
            for step, loss in zip(snapshot.steps.tolist(), snapshot.losses.tolist(), strict=True):
                run.trace.append(step, loss**0.5)

    def _say_failure(self) -> None:
        session = self.session
        if session.state != "failed":
            self._failure_said = ""
        elif session.note != self._failure_said:
            self._failure_said = session.note
            if session.error is not None:
                self._document.say(message_of(session.error, "learning the ratings"))
                return
            hint = "Undo the run, or try a tenth of the learning rate."
            self._document.say(Message("warning", session.note, hint, action="train.retry_slower"))
