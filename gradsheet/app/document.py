"""The one mutable facade of an open workbook: cells, history, program, problem and run.

Views read it and call it, on one thread (the GUI's, or a test's); what takes long runs on the
engine's thread or in a task, and `poll` brings the results in. Holds every fact a view shows;
how a run is made is `training`'s.
"""

# LONG: the one facade; its methods are short and hand on to training, engine and history.

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradsheet.app.engine import Engine, warm_up
from gradsheet.app.epoch_training import training_for
from gradsheet.app.lab.schedule_choice import ScheduleChoice
from gradsheet.app.listeners import Audience, Listener, Live
from gradsheet.app.messages import Message, MessageLog
from gradsheet.app.phases import Phases
from gradsheet.app.recalculation import Recalculation
from gradsheet.app.run import Run, RunView
from gradsheet.app.saving.stamp import RunStamp, Stamp
from gradsheet.app.timeline import Branch, Mark
from gradsheet.app.training import Training
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import parse
from gradsheet.formula.values import Kind, parse_entry
from gradsheet.learn.epoch_step import epoch_step_of
from gradsheet.learn.problem import Problem
from gradsheet.lessons import blank, catalogue
from gradsheet.lessons.lesson import Crosstab, Lesson, LessonBook
from gradsheet.sheet.cells import Content, Formula
from gradsheet.sheet.change import Places
from gradsheet.sheet.edits import Edit, SetCells
from gradsheet.sheet.history import History, Travelled
from gradsheet.sheet.workbook import Change, Workbook

if TYPE_CHECKING:
    from gradsheet.app.ratings.session import RatingsSession
    from gradsheet.app.ratings.workbook import RatingsBook
    from gradsheet.app.saving.filing import Filing
    from gradsheet.app.saving.reading import Reading
    from gradsheet.formula.results import Computed

RUN_LABELS = ("Training run", "Reset", "New random start")
"""How entries of the history begin that pressing Run makes again."""


class Document:
    """An open workbook that can learn.

    Parameters
    ----------
    log : MessageLog, optional
        Where messages go besides the listeners.

    Attributes
    ----------
    workbook : Workbook
        Read it; change it through `apply`.
    history : History
    book : LessonBook
    lesson : Lesson
    seed : int
        Of the random start.
    data : Crosstab or None
        The user's own ratings, None for the lecture's.
    ratings : RatingsSession or None
        The rating set that is open; None while another workbook is.
    ratings_book : RatingsBook or None
        Its sheets.
    """

    workbook: Workbook
    history: History
    book: LessonBook
    lesson: Lesson
    seed: int
    data: Crosstab | None
    _recalculation: Recalculation
    home: int
    """Id of the sheet that the main run belongs to."""
    shown_view: dict[str, Any]
    """How the workbook was looked at when its file was written."""

    def __init__(self, log: MessageLog | None = None) -> None:
        self.log = log or MessageLog()
        self.engine = Engine()
        self.training: Training | None = None
        self.ratings: RatingsSession | None = None
        self.ratings_book: RatingsBook | None = None
        self.live: Live | None = None
        """Who shows numbers in the cells that no entry of the history has yet."""
        self.phases = Phases(self)
        """A step looked at phase by phase."""
        self._trainings: dict[int, Training] = {}
        self._audience = Audience(self.log)
        self.view_source: Callable[[], dict[str, Any]] | None = None
        """Tells how the workbook is looked at, where there is a window."""
        self.on_leaving: Callable[[], None] | None = None
        """Called before another workbook takes the place of the one that is open."""
        self.is_read_only = False
        """Whether its file may not be written: another window has it open."""
        self.reading: Reading | None = None
        """The file that is being read to take the place of what is open."""
        self.filing: Filing | None = None
        """Holds the file that is open against other windows, where there are any."""
        self._closed = False
        self._open(catalogue.find("dotprod"), 0, None)

    # ------------------------------------------------------------------ what is open

    def open_lesson(self, lesson_id: str, seed: int = 0) -> None:
        """Open a lesson on the lecture's own ratings."""
        self._open(catalogue.find(lesson_id), seed, None)

    def open_crosstab(self, data: Crosstab, lesson_id: str | None = None, seed: int = 0) -> None:
        """Open a lesson on the user's own ratings; the lesson that is open unless told."""
        known = self.lesson.id if self.lesson.takes_ratings else "dotprod"
        self._open(catalogue.find(lesson_id or known), seed, data)

    def open_ratings(
        self, book: RatingsBook, path: Path | None = None, view: Mapping[str, Any] | None = None
    ) -> None:
        """Open the workbook of a rating set; its model is made at once, in a task.

        ``path`` and ``view`` are of the session file that it was kept in.
        """
        lesson = replace(blank.LESSON, title=book.session.source, text="lessons/ratings.md")
        self.open_book(book.lesson_book(), lesson, path, ratings=book, view=view)

    def new_workbook(self) -> None:
        """Open an empty workbook; what it learns is said by giving roles to cells."""
        self._open(blank.LESSON, 0, None)

    def restart_lesson(self) -> None:
        """Open the lesson again as it was at the start; one key for the next student."""
        if self.ratings is not None:
            self.ratings.reset()
            return
        if self.lesson.again is not None:
            self.open_book(self.lesson.again(self.workbook), self.lesson, None, seed=self.seed)
            return
        self._open(self.lesson, self.seed, self.data)

    def _open(self, lesson: Lesson, seed: int, data: Crosstab | None) -> None:
        self.open_book(lesson.build(seed, data), lesson, None, seed=seed, data=data)

    def open_book(
        self,
        book: LessonBook,
        lesson: Lesson,
        path: Path | None,
        *,
        seed: int = 0,
        data: Crosstab | None = None,
        held: Mapping[tuple[int, Cell], Formula] | None = None,
        view: Mapping[str, Any] | None = None,
        ratings: RatingsBook | None = None,
    ) -> None:
        """Show a workbook in the place of what is open.

        Parameters
        ----------
        book : LessonBook
        lesson : Lesson
            Whose it is; for one's own workbook its title is the workbook's.
        path : Path or None
            The file it came from.
        seed, data
            As the lesson would take them to build it anew.
        held : mapping of (int, Cell) to Formula, optional
            Formulas that cannot be computed here; their cells keep the file's values.
        view : mapping, optional
            How it was looked at, as `view` gave it.
        ratings : RatingsBook, optional
            Whose workbook it is, where it is that of a rating set.
        """
        if self.on_leaving is not None:
            self.on_leaving()
        self.give_up_reading()
        if self.ratings is not None:
            self.ratings.close()
        elif self.training is not None:
            self.training.stop()
        self._drop_live()
        self.engine.drop()
        if self.training is not None:
            self._recalculation.close()
        self.lesson, self.seed, self.data, self.book = lesson, seed, data, book
        self.workbook, self.history = book.workbook, History()
        self.path, self.is_read_only = path, False
        if self.filing is not None:
            self.filing.replaced()
        recalculation = self._recalculation = Recalculation(
            book.workbook, held, self.engine, self._audience, self.notify_run
        )
        self.uncomputed, self.calculation = recalculation.uncomputed, recalculation.calculation
        self.ratings_book = ratings
        self.ratings = None if ratings is None else ratings.session
        training = self.training = (
            training_for(self, book, book.sheet)
            if ratings is None
            else ratings_training(self, book, ratings)
        )
        self._trainings, self.home = {book.sheet: training}, book.sheet
        self._saved: Stamp | None = self.stamp()
        self.shown_view = dict(view or {})
        shown = self.shown_view.get("sheet")
        if shown in book.workbook.sheet_ids():
            self.book = replace(book, sheet=shown)
        self.engine.submit(
            warm_up, lambda _: self._ready(book.sheet), training.failed, "starting the engine"
        )
        recalculation.everything()
        self._audience.replaced()
        self.notify_run()

    def give_up_reading(self) -> None:
        """Read no more of a file that was to take the place of what is open."""
        if self.reading is not None:
            self.reading.cancel()
            self.reading = None

    def view(self) -> dict[str, Any]:
        """Return how the workbook is looked at, as JSON: sheet, selection, and the window's own."""
        if self.view_source is not None:
            return self.view_source()
        own = {"sheet": self.book.sheet, "selection": list(self.book.selection)}
        return {**self.shown_view, **own}

    @property
    def trainings(self) -> Mapping[int, Training]:
        """The runs by the sheet that each belongs to."""
        return self._trainings

    def training_at(self, sheet: int) -> Training | None:
        """Return the run that belongs to a sheet, made if the sheet has epochs of its own."""
        known = self._trainings.get(sheet)
        if known is None and epoch_step_of(self.workbook, sheet) is not None:
            known = self._trainings[sheet] = training_for(self, self.book, sheet)
            if self._saved is not None:
                self._saved = self._saved.with_run(sheet, RunStamp.of(known.run))
            self.engine.submit(
                warm_up, lambda _: self._ready(sheet), known.failed, "starting the run"
            )
        return known

    def _ready(self, sheet: int) -> None:
        """Torch is there: a run gets its optimizer, and what it starts with is no change."""
        training = self._trainings[sheet]
        training.ready()
        if self._saved is not None:
            self._saved = self._saved.with_rates(sheet, RunStamp.of(training.run).hyper)

    @property
    def main_problem(self) -> Problem | None:
        """What the workbook's main run is for; None while nothing says it."""
        training = self._trainings[self.home]
        return training.problem if training.has_problem else None

    def stamp(self) -> Stamp:
        """Return what tells one state of the open workbook from another."""
        if self.ratings is not None:
            return Stamp(self.history.top, {}, self.ratings.stamp())
        runs = {sheet: RunStamp.of(each.run) for sheet, each in self._trainings.items()}
        return Stamp(self.history.top, runs)

    def saved(self, path: Path, stamp: Stamp) -> None:
        """Note that a state of the workbook lies in a file."""
        self.path, self._saved = path, stamp
        self.notify_run()

    def recovered(self, original: Path | None) -> None:
        """Note that what is open lies in no file of the user's; `original` is its older one."""
        self.path, self._saved = original, None
        self.notify_run()

    @property
    def is_changed(self) -> bool:
        """Whether there is something that no file has yet: an edit, a step, a rate."""
        return self._saved is None or self._saved.differs(self.stamp())

    @property
    def is_edited(self) -> bool:
        """Whether there is a change that pressing Run again would not bring back."""
        if self.path is not None or self._saved is None or self.ratings is not None:
            return self.is_changed
        return any(not label.startswith(RUN_LABELS) for label in self.history.labels)

    @property
    def title(self) -> str:
        """What the window is called."""
        if self.path is not None:
            return self.path.name
        source = f" - {self.data.source}" if self.data else ""
        return f"{self.lesson.title}{source}"

    def close(self) -> None:
        """Stop the run and the engine; the document cannot be used afterwards."""
        if not self._closed:
            self._closed = True
            self.give_up_reading()
            if self.ratings is not None:
                self.ratings.close()
            self._drop_live()
            self._training.stop()
            self.engine.close()

    # ------------------------------------------------------------------ listeners

    def add_listener(self, listener: Listener) -> None:
        """Tell this listener from now on."""
        self._audience.add(listener)

    def remove_listener(self, listener: Listener) -> None:
        """Tell it no more."""
        self._audience.remove(listener)

    def say(self, message: Message) -> None:
        """Put a message in the log and before the listeners."""
        self._audience.say(message)

    def notify_run(self) -> None:
        """Tell the listeners how the run stands."""
        self._audience.run(self.run_view())

    # ------------------------------------------------------------------ edits

    def apply(self, edit: Edit, label: str | None = None) -> None:
        """Apply an edit, put it into the history and recalculate what depends on it.

        A run that is on pauses, takes the edit and goes on.

        Raises
        ------
        UserError
            If the edit is not possible; nothing has changed then.
        """
        self.settle_live()
        if self.ratings_book is not None:
            edit = self.ratings_book.redirected(edit)
        resume = self._training.stop()
        try:
            inverse, change = self.workbook.apply(edit)
            for training in self._trainings.values():
                training.entries.settle_looking()
            entry = self.history.push(label or edit.label, inverse)
            for training in self._trainings.values():
                training.edited(entry, change)
            self.follow(change)
        finally:
            if resume:
                self.start_run()

    def enter(self, sheet: int, cell: Cell, text: str) -> None:
        """Put what the user typed into a cell: a formula, a number, text, or nothing.

        Raises
        ------
        FormulaError
            If a formula cannot be read; it names the column.
        """
        self.apply(SetCells(sheet, ((cell, self.content(cell, text)),)), f"Type into {cell}")

    def content(self, cell: Cell, text: str) -> Content:
        """Return what typing `text` into a cell puts there. Raises FormulaError."""
        if text.startswith("=") and len(text) > 1:
            from gradsheet.formula.shapes import may_spill

            expr = parse(text, cell)
            return Formula(expr, dynamic=may_spill(expr, cell))
        return parse_entry(text)

    def undo(self) -> str | None:
        """Take the last edit or run back; return its name, None if there is nothing.

        Steps that were asked for and have not begun count as the last.
        """
        if self._training.withdraw():
            self.notify_run()
            return "steps"
        return self._travel(self.history.undo) if self.history.can_undo else None

    def redo(self) -> str | None:
        """Do again what was undone last; return its name, None if there is nothing."""
        return self._travel(self.history.redo) if self.history.can_redo else None

    def _travel(self, move: Callable[[Workbook], Travelled | None]) -> str | None:
        self.settle_live()
        self._training.stop()
        back = [training.come_back() for training in self._trainings.values()]
        marks = [(training, training.run.mark()) for training in self._trainings.values()]
        travelled = move(self.workbook)
        if travelled is None:
            return None
        for training, here in marks:
            training.travelled(travelled.entry, here)
        for change in (*back, travelled.change):
            if change is not None:
                self.follow(change)
        self.notify_run()
        return travelled.label

    def settle_live(self) -> None:
        """Have live numbers kept or put back: something else is about to change cells."""
        if self.live is not None:
            self.live.settle()

    def _drop_live(self) -> None:
        live, self.live = self.live, None
        if live is not None:
            live.close()

    def follow(self, change: Change) -> None:
        """Show a change of the workbook, then recalculate what depends on it."""
        for training in self._trainings.values():
            training.run.forget_trainer()
            training.refresh()
        self._recalculation.follow(change)

    def refresh_sheet(self, sheet: int, read: Sequence[tuple[int, Region]]) -> None:
        """Recalculate one sheet from cells that a run has written, when the engine is free."""
        self._recalculation.refresh_sheet(sheet, read)

    def write(self, results: Sequence[Computed], *, by_run: bool = False) -> None:
        """Store computed values and show them, see `Recalculation.write`."""
        self._recalculation.write(results, by_run=by_run)

    def touched(self, places: Places) -> None:
        """Show that cells changed which no edit has changed: those of a table that is learned."""
        self._recalculation.touched(places)

    # ------------------------------------------------------------------ the clock

    def poll(self) -> None:
        """Bring in what the engine and the run have done since; call it at 60 Hz."""
        self.engine.settle(0.0)
        self._training.poll()
        if self.live is not None:
            self.live.poll()

    @property
    def is_busy(self) -> bool:
        """Whether the engine or a run is at work, so that the clock should be quick."""
        is_live = self.live is not None and self.live.is_busy
        is_moving = self.run.task is not None or self._training.is_rewinding
        return bool(self.engine.doing) or is_moving or is_live

    def finish(self, timeout_s: float = 60.0) -> None:
        """Wait until the engine has nothing left to do (headless use and tests).

        Raises
        ------
        TimeoutError
            If it takes longer.
        """
        self.engine.settle(timeout_s)
        if self.engine.doing:
            raise TimeoutError(f"{self.engine.doing} took over {timeout_s} s")

    # ------------------------------------------------------------------ the run

    @property
    def _training(self) -> Training:
        assert self.training is not None
        return self.training

    def show_sheet(self, sheet: int) -> None:
        """Let a sheet that has epochs of its own be what runs; other sheets change nothing.

        Each such sheet keeps its run; the one that was running pauses.
        """
        known = self.training_at(sheet)
        if known is not None and known is not self.training:
            self._training.stop()
            self.training = known
            self.notify_run()

    def rewind_others(self) -> None:
        """Start the runs of the other sheets anew: the last edit changed what they learn from."""
        entry = self.history.top
        for training in self._trainings.values():
            if training is not self.training and entry is not None:
                training.rewind_with(entry)

    def set_schedule(self, choice: ScheduleChoice | None) -> None:
        """Let the rate follow a schedule from the next step on; None: as it is set."""
        resume = self._training.stop()
        self._training.set_schedule(choice)
        if resume:
            self.start_run()
        self.notify_run()

    @property
    def run(self) -> Run:
        """How far the run has come."""
        return self._training.run

    @property
    def problem(self) -> Problem:
        """The loss cell and the changing cells."""
        return self._training.problem

    @property
    def has_problem(self) -> bool:
        """Whether something can be trained."""
        return self._training.has_problem

    def run_view(self) -> RunView:
        """Return what there is to show of the run."""
        run = self.run
        return RunView(
            state=run.state,
            step=run.step,
            loss=self.loss_now(),
            loss_name=self.book.loss_name,
            steps_per_second=run.steps_per_second,
            device=run.device,
            optimizer=run.optimizer_name,
            hyper=run.optimizer.hyper if run.optimizer else None,
            trace=run.trace,
            note=run.note,
            first_step=self._training.first_step,
            last_step=self._training.last_step,
            ticks=self._training.ticks,
            place=self._training.place,
            branches=run.timeline.branches,
            name=run.timeline.name,
            is_rewinding=self._training.is_rewinding,
            phase=self.phases.now,
        )

    def loss_now(self) -> float | None:
        """Return the number in the loss cell; None if it holds none, or there is no loss."""
        if not self._training.has_problem:
            return None
        sheet, cell = self.problem.loss
        value, kind = self.workbook.sheet(sheet).cells.get(cell)
        return float(value) if kind == Kind.NUMBER else None

    def start_run(self) -> None:
        """Run until paused. Starts as soon as the engine is ready."""
        self.settle_live()
        self._training.start()

    def step_run(self, n: int = 1) -> None:
        """Take `n` optimizer steps, then pause."""
        self.settle_live()
        self._training.step(n)

    def pause_run(self) -> None:
        """Stop between two steps. A step that is under way is finished first."""
        self._training.pause()

    def toggle_run(self) -> None:
        """Run if paused, pause if running."""
        if self.run.state == "running":
            self.pause_run()
        else:
            self.start_run()

    def seek_run(self, step: int) -> None:
        """Show the run as it was at a recorded step; the nearest there is."""
        self.settle_live()
        self._training.seek(step)

    def step_back(self) -> None:
        """Show the step before, as it was."""
        self.settle_live()
        self._training.back()

    def seek_best(self) -> None:
        """Show the recorded step of the smallest loss."""
        self.settle_live()
        self._training.seek_best()

    def play_back(self) -> None:
        """Play the run backwards to its start, or stop doing so."""
        self.settle_live()
        self._training.play_back()

    def next_phase(self) -> None:
        """Look at the next of the four phases of a step. Raises UserError."""
        self.settle_live()
        self.phases.next()

    def marks(self) -> tuple[Mark, ...]:
        """Return the steps of the run that are worth finding again."""
        return self._training.marks()

    def rename_branch(self, branch: Branch | None, name: str) -> None:
        """Give a branch, or (None) the future that is on, another name."""
        self._training.rename_branch(branch, name.strip())

    def show_branch(self, branch: Branch, shown: bool) -> None:
        """Draw the curves of a branch, or no more."""
        self.run.timeline.show_branch(branch, shown)
        self.notify_run()

    def delete_branch(self, branch: Branch) -> None:
        """Forget a branch; undo brings it back."""
        self._training.delete_branch(branch)

    def take_up_branch(self, branch: Branch) -> None:
        """Go on from the end of a branch. Raises UserError if the data have changed since."""
        self.settle_live()
        self._training.take_up(branch)

    def reset_run(self) -> None:
        """Put the changing cells back to exactly what they were before the first step."""
        self.settle_live()
        self._training.reset()

    def new_start(self) -> None:
        """Draw the random start anew with the next seed."""
        self.settle_live()
        if self.ratings is not None:
            self._training.new_start(self.workbook, "New random start")
            return
        self.seed += 1
        fresh = self.lesson.build(self.seed, self.data).workbook
        self._training.new_start(fresh, f"New random start (seed {self.seed})")

    def retry_slower(self) -> None:
        """Go back to the last good step of a run that failed, and set a tenth of its rate."""
        self._training.retry_slower()

    def set_optimizer(self, name: str) -> None:
        """Train on with another optimizer, at its own default rates and with a fresh state."""
        self._training.choose(name)

    def set_hyper(self, **changes: Any) -> None:
        """Change rates; a run that is on takes them at its next step.

        Raises
        ------
        UserError
            If a rate is not possible; the old one holds.
        """
        self._training.set_hyper(**changes)

    def set_speed(self, steps_per_second: float | None) -> None:
        """Limit the steps a second of a run; None lets it run as fast as it can."""
        self.run.limit_speed(steps_per_second)


def ratings_training(document: Document, book: LessonBook, ratings: RatingsBook) -> Training:
    """Return what runs a rating set."""
    from gradsheet.app.ratings.training import RatingsTraining

    return RatingsTraining(document, book, ratings)
