"""Starting, stepping, pausing and taking back the training run of a document.

Owns how a run meets the workbook and its history: a run is one entry, its start can be had
back, an edit in its middle is taken. Works on the document's thread; the steps themselves are
made in a task or on the engine's thread.
"""

# LONG: one run with its history, its record and its problem; each needs the others.

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from gradsheet.app.known_problem import KnownProblem, is_alike
from gradsheet.app.lab.schedule_choice import ScheduleChoice
from gradsheet.app.messages import Message, message_of
from gradsheet.app.rewinding import Rewinding
from gradsheet.app.roles import random_start
from gradsheet.app.run import Run, RunMark
from gradsheet.app.run_entries import RunEntries
from gradsheet.app.saving.origin import Origin
from gradsheet.app.step_search import Found, StepSearch, best_steps
from gradsheet.app.timeline import Branch, Mark
from gradsheet.app.turns import Turns
from gradsheet.formula.values import UserError
from gradsheet.learn.problem import Problem
from gradsheet.lessons.lesson import LessonBook
from gradsheet.sheet.edits import Composite, Edit, SetValues
from gradsheet.sheet.workbook import Change, Workbook

if TYPE_CHECKING:
    from gradsheet.app.document import Document
    from gradsheet.formula.objective import Objective
    from gradsheet.formula.results import Computed
    from gradsheet.learn.trail import Points
    from gradsheet.learn.trainer import Snapshot
    from gradsheet.learn.trajectory import Recording, Replayable

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
        self._problem = KnownProblem(document.workbook, book.problem)
        self.run = Run(book.optimizer, dict(book.hyper))
        self.entries = RunEntries(document, self.run, self._values_of)
        self._search = StepSearch(
            document.engine, self._show_recorded, lambda: self._turns.go_on(), self.failed
        )
        self._rewinding = Rewinding()
        self._best_known: tuple[tuple[int, ...], int | None] = (), None
        """The best step, and of which record: asked for at every frame, it is found once."""
        self._is_stepping = False
        """Whether steps are being taken on the engine's thread."""
        self._turns = Turns(
            self._prepare,
            lambda: not self._is_stepping and not self._search.is_on,
        )

    @property
    def problem(self) -> Problem:
        """What is trained, and for what. Raises UserError where something is left open."""
        return self._problem.get()

    @problem.setter
    def problem(self, problem: Problem) -> None:
        self._problem.known = problem

    @property
    def has_problem(self) -> bool:
        """Whether something can be trained."""
        return self._problem.known is not None

    def set_schedule(self, choice: ScheduleChoice | None) -> None:
        """Let the rate follow a schedule from the next step on; None: as it is set."""
        self.run.schedule = choice
        self.run.forget_trainer()
        self.run.timeline.changed()

    def refresh(self) -> None:
        """Read the problem again where roles have changed; what was recorded is void then."""
        before = self._problem.known
        if self._problem.follow_roles():
            self.run.timeline.forget()
            now, optimizer = self._problem.known, self.run.optimizer
            if optimizer is not None and now is not None and not is_alike(before, now):
                self.run.optimizer = type(optimizer)(optimizer.rule, optimizer.hyper)

    def ready(self) -> None:
        """The engine is there: make the optimizer."""
        self.run.ready()
        self._document.notify_run()

    def failed(self, error: BaseException) -> None:
        """What the run needed could not be made: stop, and say why."""
        self._turns.withdraw()
        self._turns.go_on()
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
        self._rewinding.stop()
        if self.run.task is None and self.run.state != "running":
            self.run.state = "running"
            self._turns.take(self._begin)
            self._document.engine.settle(PATIENCE_S)
            self._document.notify_run()

    def _check_problem(self) -> None:
        _ = self.problem

    def _begin(self) -> bool:
        if self.run.state == "running":
            if self.run.trainer is None:
                return False
            self.entries.begin()
            self.run.start()
            self._document.notify_run()
        return True

    def step(self, n: int) -> None:
        """Take `n` steps, then pause; where they are recorded and nothing changed, show them.

        Steps asked for while others are on their way are taken after them.
        """
        self._check_problem()
        self._halt()
        self._turns.take(lambda: self._take_steps(n))
        self._document.engine.settle(PATIENCE_S)

    def after_steps(self, call: Callable[[], None]) -> None:
        """Call this once the steps that were asked for have been taken; never if one fails."""

        def turn() -> bool:
            call()
            return True

        self._turns.take(turn)

    def _take_steps(self, n: int) -> bool:
        run = self.run
        if run.timeline.is_replaying and run.step + n <= run.timeline.end(run.step):
            self._seek(run.step + n)
            return True
        return self._advance(n)

    def _advance(self, n: int) -> bool:
        trainer = self.run.trainer
        if trainer is None:
            return False
        self.entries.begin()
        trainer.clear_failure()
        self.run.note = ""
        if self.run.state != "running":  # it may have been told to run on after this step
            self.run.state = "paused"
        self._is_stepping = True

        def advance() -> Snapshot:
            trainer.advance(n)
            return trainer.snapshot()

        def show(snapshot: Snapshot) -> None:
            self._is_stepping = False
            self._show(snapshot)
            if snapshot.failure:
                self._turns.withdraw()
            self._turns.go_on()
            self._document.notify_run()

        def failed(error: BaseException) -> None:
            self._is_stepping = False
            self.failed(error)

        self._document.engine.submit(advance, show, failed, "taking a step")
        return True

    def pause(self) -> None:
        """Stop between two steps; steps that are on their way arrive first."""
        was_rewinding = self._rewinding.is_on
        if self.stop() or was_rewinding or self.run.state == "failed":
            self._document.notify_run()

    def stop(self) -> bool:
        """Stop between two steps and show where the run stands; return whether one was on.

        What is on its way already is waited for, as the step of a run is.
        """
        was_running = self._halt()
        while (self._is_stepping or self._search.is_on) and self._document.engine.doing:
            self._document.engine.settle(0.1)
        return was_running

    def _halt(self) -> bool:
        """Stop the thread of a run, or a run that has not begun yet."""
        run = self.run
        was_running = run.state == "running"
        self._rewinding.stop()
        self._turns.drop(self._begin)
        last = run.stop()
        if last is not None:
            self._show(last)
        if was_running and run.state != "failed":
            run.state = "paused" if run.step else "idle"
        return was_running and run.state != "failed"

    def withdraw(self) -> bool:
        """Take back steps that were asked for and have not begun; whether there were any."""
        return self._turns.withdraw()

    def poll(self) -> None:
        """Show the newest snapshot of a run that is on, and notice its end."""
        task = self.run.task
        if task is None:
            self._rewind()
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
            self.run.timeline.failed_at = snapshot.step
            self._document.say(self._warning(snapshot.failure))

    def _warning(self, failure: str) -> Message:
        """Return what is said of a failed run, with the way back."""
        good = self.good_step()
        if good is None:
            hint = "Undo the run, or reset it, and try a tenth of the learning rate."
            return Message("warning", failure, hint, action="train.retry_slower")
        hint = f"The {self._document.book.loss_name} was best at step {good:,}."
        return Message(
            "warning", failure, hint, action="train.retry_slower",
            offer=f"Back to step {good:,} at a tenth of the rate",
        )  # fmt: skip

    # ------------------------------------------------------------------ going back

    def good_step(self) -> int | None:
        """Return the last recorded step of the best loss: there a run that failed was still well.

        None where nothing is recorded.
        """
        best = best_steps(self.run.trace, self.run.timeline.recording, self._problem.known)
        return int(best[-1]) if len(best) else None

    def best_step(self) -> int | None:
        """Return the first recorded step of the best loss; None where nothing is recorded."""
        best = best_steps(self.run.trace, self.run.timeline.recording, self._problem.known)
        return int(best[0]) if len(best) else None

    def marks(self) -> tuple[Mark, ...]:
        """Return what is worth a mark on the line of time."""
        trace, record = self.run.trace, self.run.timeline.recording
        if trace is None or record is None:
            return ()
        key = (id(trace), len(trace), id(record), record.end)
        if self._best_known[0] != key:
            self._best_known = key, self.best_step()
        return self.run.timeline.marks(self._best_known[1])

    def retry_slower(self) -> None:
        """Go back to the last good step, exactly as it was, and set a tenth of the rate.

        One entry of the history: undo shows what failed again, with the rate that it had.
        """
        self.withdraw()
        self.stop()
        run, optimizer = self.run, self.run.optimizer
        good, record = self.good_step(), run.timeline.recording
        if good is None or record is None:
            self._document.undo()
            if optimizer is not None:
                self.set_hyper(lr=optimizer.hyper.lr / 10)
            return
        mark, failed = run.mark(), self._values_of(self._document.workbook)

        def slower() -> None:
            self.entries.push(f"Back to step {good:,} at a tenth of the rate", failed, mark)
            if mark.hyper is not None:
                self._slow_down(mark.hyper.lr / 10)
            self._document.notify_run()

        self._search.find(record, good, slower)
        self._document.engine.settle(PATIENCE_S)

    def _slow_down(self, rate: float) -> None:
        """Set the rate, as part of the entry that is on top of the history."""
        self.run.set_hyper(lambda hyper: replace(hyper, lr=rate))

    def reset(self) -> None:
        """Put the changing cells back to exactly what they were before the first step."""
        self.withdraw()
        self.stop()
        if self.entries.start_edit is not None and self.run.step:
            self._marked("Reset", self.entries.start_edit)

    def new_start(self, fresh: Workbook, label: str) -> None:
        """Take the changing cells from another workbook of the same layout, at step 0.

        Where roles have changed since, they get new random numbers of their own.
        """
        self.withdraw()
        self.stop()
        if self._problem.known == self._document.book.problem:
            self._marked(label, self._values_of(fresh))
        else:
            edit = random_start(self._document.workbook, self.problem, self._document.seed)
            self._marked(label, edit)

    def _marked(self, label: str, edit: Edit) -> None:
        """Rewind the run by an edit whose undo also brings the run back to where it stood."""
        change = self.entries.apply(label, edit)
        self.run.rewind()
        self._document.follow(change)
        self._document.notify_run()

    def rewind_with(self, entry: int) -> None:
        """Start anew with an edit that is made already; undoing it brings the run back too."""
        self.entries.note(entry)
        self.run.rewind()

    def come_back(self) -> Change | None:
        """Show again where the run stood before a look elsewhere; what is undone is of there."""
        return self.entries.come_back()

    def travelled(self, entry: int, here: RunMark) -> None:
        """An entry was undone or redone: go where the run stood on its other side."""
        self.entries.travelled(entry, here)

    def edited(self, entry: int, change: Change) -> None:
        """An edit was made: the record goes on if it touched changing cells only."""
        timeline = self.run.timeline
        if timeline.recording is None:
            return
        self.entries.note_timeline(entry)
        if self._is_of_parameters(change):
            timeline.changed()
        else:
            timeline.forget()

    def _is_of_parameters(self, change: Change) -> bool:
        if change.formulas or change.structure:
            return False
        known = self._problem.known
        parameters = known.parameters if known is not None else ()
        return all(
            any(p.sheet == sheet and p.region.contains(region) for p in parameters)
            for sheet, region in change.values
        )

    # ------------------------------------------------------------------ going through time

    def seek(self, step: int) -> None:
        """Show the run at a recorded step, as it was to the last bit; a run that is on pauses."""
        self.withdraw()
        self._halt()
        self._seek(step)

    def back(self) -> None:
        """Show the step before."""
        self.withdraw()
        self.stop()
        self._seek(self.run.step - 1)

    def _seek(self, step: int) -> None:
        run = self.run
        record = run.timeline.recording
        if record is None:
            return
        step = max(record.start, min(step, record.end))
        if self._search.is_on:
            self._search.want(step)
        elif step != run.step or self._is_stepping:
            if run.trainer is not None and not self._is_stepping:
                record.hold(cast("Replayable", run.trainer))
            self.entries.look_away()
            self._search.find(record, step)
            self._document.engine.settle(PATIENCE_S)

    def _show_recorded(self, record: Recording, step: int, found: Found) -> bool:
        """Stand at a step that was made again, where the run still waits for it."""
        if self.run.timeline.recording is not record or self.run.task is not None:
            return False
        beside = self._beside(step)
        self.run.stand_at(*found)
        self._document.write([*found[1].computed, *beside], by_run=True)
        self._stood()
        self._document.notify_run()
        return True

    def _beside(self, step: int) -> list[Computed]:
        """Return what else the cells show at a step, before the run stands there."""
        return []

    def _stood(self) -> None:
        """The run has gone to a recorded step."""

    def seek_best(self) -> None:
        """Show the recorded step of the best loss."""
        best = self.best_step()
        if best is not None:
            self.seek(best)

    @property
    def first_step(self) -> int:
        """The first step that can be shown."""
        return self.run.timeline.start if self.run.timeline.recording else self.run.step

    @property
    def last_step(self) -> int:
        """The last step that can be shown."""
        return self.run.timeline.end(self.run.step)

    @property
    def ticks(self) -> tuple[int, ...]:
        """The only steps that can be shown; empty: all can."""
        return ()

    @property
    def place(self) -> str:
        """Where the run stands, where a step is too small a unit for it."""
        return ""

    @property
    def is_rewinding(self) -> bool:
        """Whether the run is being played backwards."""
        return self._rewinding.is_on

    def play_back(self) -> None:
        """Play the run backwards to its start, or stop doing so; a run that is on pauses."""
        was_on = self._rewinding.is_on
        self.withdraw()
        self.stop()
        if not was_on:
            run = self.run
            self._rewinding.start(run.step, self.first_step, run.steps_per_second_limit)
        self._document.notify_run()

    def _rewind(self) -> None:
        """Show the next step backwards, as soon as the one before has come."""
        if self._rewinding.is_on and not self._search.is_on:
            step = self._rewinding.due()
            if step is not None and step < self.run.step:
                self._seek(step)
            elif step is not None and step == self.first_step:
                self._document.notify_run()

    # ------------------------------------------------------------------ branches

    def delete_branch(self, branch: Branch) -> None:
        """Forget a branch; undo brings it back."""
        self.entries.push_branches(f"Delete {branch.name}")
        self.run.timeline.delete(branch)
        self._document.notify_run()

    def rename_branch(self, branch: Branch | None, name: str) -> None:
        """Give a branch, or (None) the future that is on, another name."""
        self.entries.push_branches(f"Name {name}")
        self.run.timeline.rename(branch, name)
        self._document.notify_run()

    def take_up(self, branch: Branch) -> None:
        """Go to the end of a branch and on from there; the future that was on becomes a branch.

        Raises
        ------
        UserError
            If the data have changed since the branch was left.
        """
        if not branch.is_open:
            raise UserError(
                f"{branch.name} cannot be gone on with: the data have changed since.",
                "Undo the change first, or keep it to compare with.",
            )
        self.withdraw()
        self.stop()
        run = self.run
        if run.trace is None:
            return
        self.entries.look_away()
        record = run.timeline.take_up(branch, run.trace, self._path())
        run.trace = branch.trace.copy()
        run.forget_trainer()
        self._search.find(record, record.end)
        self._document.engine.settle(PATIENCE_S)

    def _path(self) -> Points | None:
        """Return where the run has been in the plane, if it is one in two parameters."""
        return None

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

    def _prepare(self) -> None:
        """Ask the engine for what makes the trainer, for the cells as they are then."""
        try:
            problem = self.problem
            self._freeze_formulas()
            job, adopt = self._making(problem)
        except UserError as error:  # a role or a name went while the step waited
            self.failed(error)
            return
        fit = self.run.fit

        def take(made: Any) -> None:
            # Else an edit came between: what was made is of the past.
            if fit == self.run.fit and self.run.trainer is None:
                adopt(made)
            self._turns.go_on()

        self._document.engine.submit(job, take, self.failed, "preparing the run")

    def _making(self, problem: Problem) -> tuple[Callable[[], Any], Callable[[Any], None]]:
        """Return the engine's job, and what makes its result the trainer of the run."""
        document, run = self._document, self.run
        calculation = document.calculation
        origin = Origin(
            document.workbook.snapshot(), problem, calculation.held, run.schedule, run.momentum
        )

        def adopt(objective: Objective) -> None:
            run.attach(objective, problem, origin)

        return lambda: calculation.objective(problem), adopt

    def _freeze_formulas(self) -> None:
        """Turn formulas in changing cells (random weights) into their numbers: the run wins.

        They come back when the run is undone or reset.
        """
        workbook = self._document.workbook
        for parameter in self.problem.parameters:
            if workbook.sheet(parameter.sheet).cells.formulas_in(parameter.region):
                self.entries.begin_frozen()
                return

    def _values_of(self, workbook: Workbook) -> Edit:
        """Return the edit that puts a workbook's changing cells, as numbers, into this one."""
        edits: list[Edit] = []
        for parameter in self.problem.parameters:
            values, kinds = workbook.sheet(parameter.sheet).cells.read(parameter.region)
            edits.append(SetValues(parameter.sheet, parameter.region, values, kinds))
        return Composite(tuple(edits))
