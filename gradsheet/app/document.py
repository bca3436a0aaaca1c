"""The one mutable facade of an open workbook: cells, history, program, problem and run.

Views read it and call it, on one thread (the GUI's, or a test's); what takes long runs on the
engine's thread or in a task, and `poll` brings the results in. Holds every fact a view shows.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from gradsheet.app.engine import Calculation, Engine, warm_up
from gradsheet.app.messages import Message, MessageLog, message_of
from gradsheet.app.run import Run, RunMark, RunView
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import parse
from gradsheet.formula.values import Kind, UserError, parse_entry
from gradsheet.lessons import catalogue
from gradsheet.lessons.lesson import Crosstab, Lesson, LessonBook
from gradsheet.sheet.cells import Content, Formula
from gradsheet.sheet.edits import Composite, Edit, SetCells, SetValues
from gradsheet.sheet.history import History
from gradsheet.sheet.workbook import Change, Workbook

if TYPE_CHECKING:
    from gradsheet.formula.objective import Objective
    from gradsheet.formula.results import Computed
    from gradsheet.learn.trainer import Snapshot

PATIENCE_S = 0.008
"""How long an edit waits for its recalculation before the window goes on without it."""


class Listener(Protocol):
    """Who shows a document. Always called on the thread that calls the document."""

    def on_change(self, change: Change) -> None:
        """Cells, formats or sheets changed."""

    def on_run(self, view: RunView) -> None:
        """The run moved, started, paused or failed, or a rate changed."""

    def on_replaced(self) -> None:
        """Another workbook is open."""

    def on_message(self, message: Message) -> None:
        """Something is to be said."""


@dataclass(slots=True)
class _Pending:
    """A job on the engine's thread and what to do with its result."""

    future: Future[Any]
    then: Callable[[Any], None]
    doing: str
    run_waits: bool


class Document:
    """An open workbook that can learn.

    Parameters
    ----------
    log : MessageLog, optional
        Where messages go besides the listeners.
    """

    def __init__(self, log: MessageLog | None = None) -> None:
        self.log = log or MessageLog()
        self._engine = Engine()
        self._listeners: list[Listener] = []
        self._pending: deque[_Pending] = deque()
        self._closed = False
        self._revision = 0
        self._open(catalogue.find("dotprod"), 0, None)

    # ------------------------------------------------------------------ what is open

    def open_lesson(self, lesson_id: str, seed: int = 0) -> None:
        """Open a lesson on the lecture's own ratings."""
        self._open(catalogue.find(lesson_id), seed, None)

    def open_crosstab(self, data: Crosstab, lesson_id: str | None = None, seed: int = 0) -> None:
        """Open a lesson on the user's own ratings; the lesson that is open unless told."""
        self._open(catalogue.find(lesson_id or self.lesson.id), seed, data)

    def restart_lesson(self) -> None:
        """Open the lesson again as it was at the start; one key for the next student."""
        self._open(self.lesson, self.seed, self.data)

    def _open(self, lesson: Lesson, seed: int, data: Crosstab | None) -> None:
        book = lesson.build(seed, data)
        self._stop_run()
        self.lesson, self.seed, self.data = lesson, seed, data
        self._adopt(book)
        self._submit(warm_up, self._on_ready, "starting the engine", run_waits=True)
        self._recalculate_all()
        for listener in list(self._listeners):
            listener.on_replaced()
        self._notify_run()

    def _adopt(self, book: LessonBook) -> None:
        self._pending.clear()
        self._revision += 1
        self.workbook = book.workbook
        self.problem = book.problem
        self.book = book
        self.history = History()
        self.run = Run(book.optimizer, dict(book.hyper))
        self._objective: Objective | None = None
        self._start: Edit | None = None
        self._marks: dict[int, RunMark] = {}
        self._calculation = Calculation(book.workbook)

    @property
    def title(self) -> str:
        """What the window is called."""
        source = f" - {self.data.source}" if self.data else ""
        return f"{self.lesson.title}{source}"

    def close(self) -> None:
        """Stop the run and the engine; the document cannot be used afterwards."""
        if not self._closed:
            self._closed = True
            self._stop_run()
            self._pending.clear()
            self._engine.close()

    # ------------------------------------------------------------------ listeners

    def add_listener(self, listener: Listener) -> None:
        """Tell this listener from now on."""
        self._listeners.append(listener)

    def remove_listener(self, listener: Listener) -> None:
        """Tell it no more."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def say(self, message: Message) -> None:
        """Put a message in the log and before the listeners."""
        self.log.add(message)
        for listener in list(self._listeners):
            listener.on_message(message)

    def _notify(self, change: Change) -> None:
        for listener in list(self._listeners):
            listener.on_change(change)

    def _notify_run(self) -> None:
        view = self.run_view()
        for listener in list(self._listeners):
            listener.on_run(view)

    # ------------------------------------------------------------------ edits

    def apply(self, edit: Edit, label: str | None = None) -> None:
        """Apply an edit, put it into the history and recalculate what depends on it.

        A run that is on pauses, takes the edit and goes on.

        Raises
        ------
        UserError
            If the edit is not possible; nothing has changed then.
        """
        resume = self._stop_run()
        try:
            inverse, change = self.workbook.apply(edit)
            self.history.push(label or edit.label, inverse)
            self._follow(change)
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
            return Formula(parse(text, cell))
        return parse_entry(text)

    def undo(self) -> str | None:
        """Take the last edit or run back; return its name, None if there is nothing."""
        return self._travel(self.history.undo)

    def redo(self) -> str | None:
        """Do again what was undone last; return its name, None if there is nothing."""
        return self._travel(self.history.redo)

    def _travel(self, move: Callable[[Workbook], Any]) -> str | None:
        self._stop_run()
        here = self.run.mark()
        travelled = move(self.workbook)
        if travelled is None:
            return None
        label, change, entry = travelled
        mark = self._marks.get(entry)
        if mark is not None:
            self._marks[entry] = here
            self.run.restore(mark)
        self._follow(change)
        self._notify_run()
        return str(label)

    def _follow(self, change: Change) -> None:
        """Show a change, then recalculate what depends on it."""
        if change.formulas or change.structure:
            self._revision += 1
        self.run.trainer = None
        self._objective = None
        self._notify(change)
        calculation = self._calculation
        self._submit(
            lambda: calculation.follow(change), self._stored(self._revision), "recalculating"
        )
        self._settle(PATIENCE_S)

    def _recalculate_all(self) -> None:
        self._submit(self._calculation.everything, self._stored(self._revision), "recalculating")

    def _stored(self, revision: int) -> Callable[[Sequence[Computed]], None]:
        def store(results: Sequence[Computed]) -> None:
            # A formula that was replaced while this was on its way must not be overwritten; the
            # newer job in the queue compiles and calculates everything anew.
            if revision == self._revision:
                self._write(results)
                self._notify_run()

        return store

    def _write(self, results: Sequence[Computed]) -> None:
        touched: list[tuple[int, Region]] = []
        for result in results:
            sheet = self.workbook.sheet(result.sheet)
            sheet.cells.write(result.region, result.values, result.kinds)
            touched.append((result.sheet, result.region))
        if touched:
            self._notify(Change(values=tuple(touched)))

    # ------------------------------------------------------------------ the clock

    def poll(self) -> None:
        """Bring in what the engine and the run have done since; call it at 60 Hz."""
        self._settle(0.0)
        task = self.run.task
        if task is None:
            return
        done = task.is_done
        snapshot = task.latest()
        if snapshot is not None:
            self._show(snapshot)
        if done:
            error = task.error
            self._stop_run()
            if error is not None:
                self.run.state = "failed"
                self.run.note = str(error)
                self.say(message_of(error, "training"))
        if snapshot is not None or done:
            self._notify_run()

    @property
    def is_busy(self) -> bool:
        """Whether the engine or a run is at work, so that the clock should be quick."""
        return bool(self._pending) or self.run.task is not None

    def finish(self, timeout_s: float = 60.0) -> None:
        """Wait until the engine has nothing left to do (headless use and tests).

        Raises
        ------
        TimeoutError
            If it takes longer.
        """
        self._settle(timeout_s)
        if self._pending:
            raise TimeoutError(f"{self._pending[0].doing} took over {timeout_s} s")

    def _submit(
        self,
        job: Callable[[], Any],
        then: Callable[[Any], None],
        doing: str,
        *,
        run_waits: bool = False,
    ) -> None:
        self._pending.append(_Pending(self._engine.submit(job), then, doing, run_waits))

    def _settle(self, patience_s: float) -> None:
        """Take finished jobs in order, waiting for them at most so long in all."""
        deadline = time.monotonic() + patience_s
        while self._pending:
            first = self._pending[0]
            if not first.future.done():
                wait([first.future], timeout=max(0.0, deadline - time.monotonic()))
                if not first.future.done():
                    return
            if self._pending and self._pending[0] is first:
                self._pending.popleft()
                self._take(first)

    def _take(self, job: _Pending) -> None:
        error = job.future.exception()
        if error is None:
            job.then(job.future.result())
            return
        if job.run_waits:
            self.run.state = "failed" if self.run.step else "idle"
            self.run.note = str(error)
        self.say(message_of(error, job.doing))
        self._notify_run()

    def _on_ready(self, _: object) -> None:
        self.run.ready()
        self._notify_run()

    # ------------------------------------------------------------------ the run

    def run_view(self) -> RunView:
        """Return what there is to show of the run."""
        run = self.run
        return RunView(
            state=run.state,
            step=run.step,
            loss=self.loss_now(),
            loss_name=self.book.loss_name,
            steps_per_second=run.steps_per_second,
            device="cpu",
            optimizer=run.optimizer_name,
            hyper=run.optimizer.hyper if run.optimizer else None,
            trace=run.trace,
            note=run.note,
        )

    def loss_now(self) -> float | None:
        """Return the number in the loss cell; None if it holds none."""
        sheet, cell = self.problem.loss
        value, kind = self.workbook.sheet(sheet).cells.get(cell)
        return float(value) if kind == Kind.NUMBER else None

    def start_run(self) -> None:
        """Run until paused. Starts as soon as the engine is ready."""
        if self.run.task is None and self.run.state != "running":
            self.run.state = "running"
            self._with_trainer(self._begin)
            self._notify_run()

    def step_run(self, n: int = 1) -> None:
        """Take `n` optimizer steps, then pause."""
        self._stop_run()
        self._with_trainer(lambda: self._advance(n))
        self._settle(PATIENCE_S)

    def pause_run(self) -> None:
        """Stop between two steps. A step that is under way is finished first."""
        if self.run.state == "running":
            self._stop_run()
            self._notify_run()

    def toggle_run(self) -> None:
        """Run if paused, pause if running."""
        if self.run.state == "running":
            self.pause_run()
        else:
            self.start_run()

    def reset_run(self) -> None:
        """Put the changing cells back to exactly what they were before the first step."""
        self._stop_run()
        if self._start is None or self.run.step == 0:
            return
        self._marked("Reset", self._start)
        self.run.rewind()
        self._notify_run()

    def new_start(self) -> None:
        """Draw the random start anew with the next seed."""
        self._stop_run()
        self.seed += 1
        fresh = self.lesson.build(self.seed, self.data).workbook
        edits: list[Edit] = []
        for parameter in self.problem.parameters:
            values, kinds = fresh.sheet(parameter.sheet).cells.read(parameter.region)
            edits.append(SetValues(parameter.sheet, parameter.region, values, kinds))
        self._marked(f"New random start (seed {self.seed})", Composite(tuple(edits)))
        self.run.rewind()
        self._notify_run()

    def set_optimizer(self, name: str) -> None:
        """Train on with another optimizer, at its own default rates and with a fresh state."""
        resume = self._stop_run()
        self.run.choose(name)
        if resume:
            self.start_run()
        self._notify_run()

    def set_hyper(self, **changes: Any) -> None:
        """Change rates; a run that is on takes them at its next step.

        Raises
        ------
        UserError
            If a rate is not possible; the old one holds.
        """
        try:
            self.run.set_hyper(lambda hyper: replace(hyper, **changes))
        except (TypeError, ValueError) as error:
            raise UserError(f"That rate is not possible: {error}.", "Enter another.") from error
        self._notify_run()

    def set_speed(self, steps_per_second: float | None) -> None:
        """Limit the steps a second of a run; None lets it run as fast as it can."""
        self.run.limit_speed(steps_per_second)

    def _with_trainer(self, then: Callable[[], None]) -> None:
        """Make sure that the trainer fits the cells as they are, then go on."""
        if self.run.trainer is not None:
            then()
            return
        self._freeze_formulas()
        calculation, problem = self._calculation, self.problem

        def adopt(objective: Objective) -> None:
            self.run.attach(objective, problem)
            then()

        self._submit(
            lambda: calculation.objective(problem), adopt, "preparing the run", run_waits=True
        )
        self._settle(PATIENCE_S)

    def _freeze_formulas(self) -> None:
        """Turn formulas in changing cells (random weights) into their numbers: the run wins.

        They come back when the run is undone or reset.
        """
        held = [
            p
            for p in self.problem.parameters
            if self.workbook.sheet(p.sheet).cells.formulas_in(p.region)
        ]
        if held:
            self._open_entry()

    def _open_entry(self) -> None:
        """Begin the history entry of this run, unless the last entry is this run already."""
        top = self.history.top
        if top is not None and top in self._marks and self.run.step > 0:
            return
        mark = self.run.mark()
        inverse, change = self.workbook.apply(self._parameters_now())
        if self.run.step == 0:
            self._start = inverse
        self._marks[self.history.push("Training run", inverse)] = mark
        if change.formulas:
            self._follow(change)

    def _marked(self, label: str, edit: Edit) -> None:
        """Apply an edit whose undo also brings the run back to where it stood."""
        mark = self.run.mark()
        inverse, change = self.workbook.apply(edit)
        self._marks[self.history.push(label, inverse)] = mark
        self._follow(change)

    def _parameters_now(self) -> Edit:
        edits: list[Edit] = []
        for parameter in self.problem.parameters:
            values, kinds = self.workbook.sheet(parameter.sheet).cells.read(parameter.region)
            edits.append(SetValues(parameter.sheet, parameter.region, values, kinds))
        return Composite(tuple(edits))

    def _begin(self) -> None:
        if self.run.state == "running":
            self._open_entry()
            self.run.start()

    def _advance(self, n: int) -> None:
        trainer = self.run.trainer
        assert trainer is not None
        self._open_entry()
        if self.run.state != "running":
            self.run.state = "paused"

        def advance() -> Snapshot:
            trainer.advance(n)
            return trainer.snapshot()

        def show(snapshot: Snapshot) -> None:
            self._show(snapshot)
            self._notify_run()

        self._submit(advance, show, "taking a step", run_waits=True)

    def _show(self, snapshot: Snapshot) -> None:
        failed_before = self.run.state == "failed"
        self.run.take(snapshot)
        self._write(snapshot.computed)
        if snapshot.failure and not failed_before:
            hint = "Undo the run, or reset it, and try a tenth of the learning rate."
            self.say(Message("warning", snapshot.failure, hint, action="train.retry_slower"))

    def retry_slower(self) -> None:
        """Go back to before the run and set a tenth of the learning rate."""
        self.undo()
        optimizer = self.run.optimizer
        if optimizer is not None:
            self.set_hyper(lr=optimizer.hyper.lr / 10)

    def _stop_run(self) -> bool:
        """Stop a run between two steps and show where it stands; say whether one was on."""
        if not hasattr(self, "run"):
            return False
        was_running = self.run.state == "running"
        failure = self.run.state == "failed"
        last = self.run.stop()
        if last is not None:
            self._show(last)
        if failure:
            self.run.state = "failed"
        elif was_running and self.run.state != "failed":
            self.run.state = "paused" if self.run.step else "idle"
        return was_running and self.run.state != "failed"
