"""Starting, stepping, pausing and taking back the training run of a document.

Owns how a run meets the workbook and its history: a run is one entry, its start can be had
back, an edit in its middle is taken. Works on the document's thread; the steps themselves are
made in a task or on the engine's thread.
"""

# LONG: one run with its history, its record and its problem; each needs the others.

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gradsheet.app.messages import Message, message_of
from gradsheet.app.roles import problem_from_roles, random_start, roles_of
from gradsheet.app.run import Run, RunMark
from gradsheet.app.schedule_choice import ScheduleChoice
from gradsheet.app.timeline import Timeline
from gradsheet.formula.values import UserError
from gradsheet.learn.problem import Problem
from gradsheet.lessons.lesson import LessonBook
from gradsheet.sheet.edits import Composite, Edit, SetValues
from gradsheet.sheet.workbook import Change, Workbook

if TYPE_CHECKING:
    from gradsheet.app.document import Document
    from gradsheet.formula.objective import Objective
    from gradsheet.learn.trainer import Snapshot
    from gradsheet.learn.trajectory import Recording

PATIENCE_S = 0.008
"""How long a step may keep the window waiting; its result comes with the clock then."""


class Training:
    """The run of one open workbook.

    Parameters
    ----------
    document : Document
        Whose cells are trained.
    book : LessonBook
        Gives problem, optimizer and rates.
    """

    def __init__(self, document: Document, book: LessonBook) -> None:
        self._document = document
        self._problem = book.problem
        self._lack = UserError("Nothing says yet what is to be learned.", "Give cells roles.")
        """Why there is no problem, while there is none."""
        self._roles = roles_of(document.workbook)
        if book.problem is None:
            self._read_roles()
        self.run = Run(book.optimizer, dict(book.hyper))
        self._start: Edit | None = None
        """Puts the changing cells back to what they were at step 0."""
        self._marks: dict[int, RunMark] = {}
        """Where the run stood before (after undo: after) a history entry, by its number."""
        self._timelines: dict[int, Timeline] = {}
        """The record before (after undo: after) an edit of the data, by its history entry."""
        self._wanted: int | None = None
        """The step asked for last, while another is on its way."""

    @property
    def problem(self) -> Problem:
        """What is trained, and for what.

        Raises
        ------
        UserError
            If the roles of the workbook leave something open; it says what.
        """
        if self._problem is None:
            raise UserError(self._lack.text, self._lack.hint)
        return self._problem

    @problem.setter
    def problem(self, problem: Problem) -> None:
        self._problem = problem

    @property
    def has_problem(self) -> bool:
        """Whether something can be trained."""
        return self._problem is not None

    def set_schedule(self, choice: ScheduleChoice | None) -> None:
        """Let the rate follow a schedule from the next step on; None: as it is set."""
        self.run.schedule = choice
        self.run.trainer = None

    def refresh(self) -> None:
        """Read the problem again where roles have changed; what was recorded is void then."""
        roles = roles_of(self._document.workbook)
        if roles != self._roles:
            before, self._roles = self._problem, roles
            self._read_roles()
            self.run.timeline.forget()
            now, optimizer = self._problem, self.run.optimizer
            if optimizer is not None and now is not None and not _is_alike(before, now):
                self.run.optimizer = type(optimizer)(optimizer.rule, optimizer.hyper)

    def _read_roles(self) -> None:
        old = self._problem
        try:
            self._problem = problem_from_roles(
                self._document.workbook,
                old.goal if old else "minimise",
                old.target if old else 0.0,
            )
        except UserError as lack:
            self._problem, self._lack = None, lack

    def ready(self) -> None:
        """The engine is there: make the optimizer."""
        self.run.ready()
        self._document.notify_run()

    def failed(self, error: BaseException) -> None:
        """What the run needed could not be made: stop, and say why."""
        self.run.state = "failed" if self.run.step else "idle"
        self.run.note = str(error)
        self._document.say(message_of(error, "training"))
        self._document.notify_run()

    # ------------------------------------------------------------------ start and stop

    def start(self) -> None:
        """Run until paused. Starts as soon as the engine is ready.

        Raises
        ------
        UserError
            If there is no problem yet.
        """
        self._check_problem()
        if self.run.task is None and self.run.state != "running":
            self.run.state = "running"
            self._with_trainer(self._begin)
            self._document.notify_run()

    def _check_problem(self) -> None:
        _ = self.problem

    def _begin(self) -> None:
        if self.run.state == "running":
            self._open_entry()
            self.run.start()

    def step(self, n: int) -> None:
        """Take `n` steps, then pause; where they are recorded and nothing changed, show them."""
        self._check_problem()
        self.stop()
        run = self.run
        if run.timeline.is_replaying and run.step + n <= run.timeline.end(run.step):
            self.seek(run.step + n)
            return
        self._with_trainer(lambda: self._advance(n))
        self._document.engine.settle(PATIENCE_S)

    def _advance(self, n: int) -> None:
        trainer = self.run.trainer
        if trainer is None:
            return
        self._open_entry()
        trainer.clear_failure()
        self.run.state, self.run.note = "paused", ""

        def advance() -> Snapshot:
            trainer.advance(n)
            return trainer.snapshot()

        def show(snapshot: Snapshot) -> None:
            self._show(snapshot)
            self._document.notify_run()

        self._document.engine.submit(advance, show, self.failed, "taking a step")

    def pause(self) -> None:
        """Stop between two steps."""
        if self.run.state == "running":
            self.stop()
            self._document.notify_run()

    def stop(self) -> bool:
        """Stop between two steps and show where the run stands; return whether one was on."""
        run = self.run
        was_running = run.state == "running"
        last = run.stop()
        if last is not None:
            self._show(last)
        if was_running and run.state != "failed":
            run.state = "paused" if run.step else "idle"
        return was_running and run.state != "failed"

    def poll(self) -> None:
        """Show the newest snapshot of a run that is on, and notice its end."""
        task = self.run.task
        if task is None:
            return
        done = task.is_done
        snapshot = task.latest()
        if snapshot is not None:
            self._show(snapshot)
        if done:
            error = task.error
            self.stop()
            if error is not None:
                self.failed(error)
        if snapshot is not None or done:
            self._document.notify_run()

    def _show(self, snapshot: Snapshot) -> None:
        failed_before = self.run.state == "failed"
        self.run.take(snapshot)
        self._document.write(snapshot.computed, by_run=True)
        if snapshot.failure and not failed_before:
            hint = "Undo the run, or reset it, and try a tenth of the learning rate."
            message = Message("warning", snapshot.failure, hint, action="train.retry_slower")
            self._document.say(message)

    # ------------------------------------------------------------------ going back

    def reset(self) -> None:
        """Put the changing cells back to exactly what they were before the first step."""
        self.stop()
        if self._start is not None and self.run.step:
            self._marked("Reset", self._start)

    def new_start(self, fresh: Workbook, label: str) -> None:
        """Take the changing cells from another workbook of the same layout, at step 0.

        Where roles have changed since, they get new random numbers of their own.
        """
        self.stop()
        if self._problem == self._document.book.problem:
            self._marked(label, self._values_of(fresh))
        else:
            edit = random_start(self._document.workbook, self.problem, self._document.seed)
            self._marked(label, edit)

    def _marked(self, label: str, edit: Edit) -> None:
        """Rewind the run by an edit whose undo also brings the run back to where it stood."""
        mark = self.run.mark()
        inverse, change = self._document.workbook.apply(edit)
        self._marks[self._document.history.push(label, inverse)] = mark
        self.run.rewind()
        self._document.follow(change)
        self._document.notify_run()

    def travelled(self, entry: int, here: RunMark) -> None:
        """An entry was undone or redone: go where the run stood on its other side."""
        mark = self._marks.get(entry)
        if mark is not None:
            self._marks[entry] = here
            self.run.restore(mark)
        timeline = self._timelines.get(entry)
        if timeline is not None:
            self._timelines[entry] = here.timeline
            self.run.timeline = timeline.copy()

    def edited(self, entry: int, change: Change) -> None:
        """An edit was made: the record goes on if it touched changing cells only."""
        timeline = self.run.timeline
        if self._is_of_parameters(change):
            timeline.changed()
        elif timeline.recording is not None:
            self._timelines[entry] = timeline.copy()
            timeline.forget()

    def _is_of_parameters(self, change: Change) -> bool:
        if change.formulas or change.structure:
            return False
        parameters = self._problem.parameters if self._problem else ()
        return all(
            any(p.sheet == sheet and p.region.contains(region) for p in parameters)
            for sheet, region in change.values
        )

    # ------------------------------------------------------------------ going through time

    def seek(self, step: int) -> None:
        """Show the run at a recorded step, as it was to the last bit; a run that is on pauses."""
        self.stop()
        run = self.run
        record = run.timeline.recording
        if record is None:
            return
        step = max(record.start, min(step, record.end))
        busy, self._wanted = self._wanted is not None, step
        if not busy and step != run.step:
            self._look_up(record, step)
            self._document.engine.settle(PATIENCE_S)
        elif not busy:
            self._wanted = None

    def _look_up(self, record: Recording, step: int) -> None:
        def show(found: tuple[Mapping[str, Any], Snapshot]) -> None:
            wanted, self._wanted = self._wanted, None
            if self.run.timeline.recording is not record or self.run.task is not None:
                return
            self.run.stand_at(*found)
            self._document.write(found[1].computed, by_run=True)
            self._document.notify_run()
            if wanted is not None and wanted != step:
                self._wanted = wanted
                self._look_up(record, wanted)

        def failed(error: BaseException) -> None:
            self._wanted = None
            self.failed(error)

        self._document.engine.submit(lambda: record.show(step), show, failed, "going through time")

    def seek_best(self) -> None:
        """Show the recorded step of the smallest loss."""
        trace = self.run.trace
        record = self.run.timeline.recording
        if trace is None or record is None:
            return
        steps, losses = trace.arrays()
        inside = (steps >= record.start) & (steps <= record.end)
        if inside.any():
            self.seek(int(steps[inside][losses[inside].argmin()]))

    # ------------------------------------------------------------------ rates

    def choose(self, name: str) -> None:
        """Change the optimizer; a run goes on with it."""
        resume = self.stop()
        self.run.choose(name)
        if resume:
            self.start()
        self._document.notify_run()

    def set_hyper(self, **changes: Any) -> None:
        """Change rates. Raises UserError; the old ones hold then."""
        try:
            self.run.set_hyper(lambda hyper: replace(hyper, **changes))
        except (TypeError, ValueError) as error:
            raise UserError(f"That rate is not possible: {error}.", "Enter another.") from error
        self._document.notify_run()

    # ------------------------------------------------------------------ run and history

    def _with_trainer(self, then: Callable[[], None]) -> None:
        """Make sure that the trainer fits the cells as they are, then go on."""
        if self.run.trainer is not None:
            then()
            return
        self._freeze_formulas()
        document, problem = self._document, self.problem
        calculation = document.calculation

        def adopt(objective: Objective) -> None:
            self.run.attach(objective, problem)
            then()

        document.engine.submit(
            lambda: calculation.objective(problem), adopt, self.failed, "preparing the run"
        )
        document.engine.settle(PATIENCE_S)

    def _freeze_formulas(self) -> None:
        """Turn formulas in changing cells (random weights) into their numbers: the run wins.

        They come back when the run is undone or reset.
        """
        workbook = self._document.workbook
        for parameter in self.problem.parameters:
            if workbook.sheet(parameter.sheet).cells.formulas_in(parameter.region):
                self._open_entry()
                return

    def _open_entry(self) -> None:
        """Begin the history entry of this run, unless the last entry is this run already."""
        document = self._document
        top = document.history.top
        if top is not None and top in self._marks and self.run.step > 0:
            return
        mark = self.run.mark()
        inverse, change = document.workbook.apply(self._values_of(document.workbook))
        if self.run.step == 0:
            self._start = inverse
        self._marks[document.history.push("Training run", inverse)] = mark
        if change.formulas:
            document.follow(change)

    def _values_of(self, workbook: Workbook) -> Edit:
        """Return the edit that puts a workbook's changing cells, as numbers, into this one."""
        edits: list[Edit] = []
        for parameter in self.problem.parameters:
            values, kinds = workbook.sheet(parameter.sheet).cells.read(parameter.region)
            edits.append(SetValues(parameter.sheet, parameter.region, values, kinds))
        return Composite(tuple(edits))


def _is_alike(before: Problem | None, now: Problem) -> bool:
    """Whether an optimizer's state of one problem serves the other: same cells, same rates."""
    if before is None or before.regions != now.regions:
        return False
    return [p.rate_scale for p in before.parameters] == [p.rate_scale for p in now.parameters]
