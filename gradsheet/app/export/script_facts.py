"""What of a document's run a script needs to make it again: start, settings, changes by hand.

Owns the record of it, taken on the document's thread in a moment. Writes no text.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gradsheet.app.epoch_training import EpochTraining
from gradsheet.app.lab.schedule_choice import ScheduleChoice
from gradsheet.app.saving.origin import EpochOrigin, Origin
from gradsheet.formula.address import Cell
from gradsheet.formula.values import UserError
from gradsheet.learn.problem import Problem
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.workbook import Workbook

if TYPE_CHECKING:
    from gradsheet.app.document import Document
    from gradsheet.learn.hyper import Hyper
    from gradsheet.learn.trajectory import Recording

STEPS, EPOCHS = 200, 50
"""How far a script goes where nothing was run yet."""


@dataclass(frozen=True, slots=True)
class Leg:
    """A part of a run without a change of cells or optimizer.

    Attributes
    ----------
    begin, end : int
        Steps.
    theta : Tensor (n,) or None
        What the parameters are set to at its begin; None: as they are.
    optimizer : mapping
        `Optimizer.state_dict` at its begin.
    rates : tuple of (int, Hyper)
        The settings from a step on; the first from the begin.
    problem : Problem or None
        Gives locks and rates of ranges; None for epochs.
    """

    begin: int
    end: int
    theta: Any
    optimizer: Mapping[str, Any]
    rates: tuple[tuple[int, Hyper], ...]
    problem: Problem | None

    @property
    def is_continued(self) -> bool:
        """Whether the optimizer goes on in the state in which it was."""
        return int(self.optimizer["steps_taken"]) > 0


@dataclass(frozen=True, slots=True, eq=False)
class RunFacts:
    """A run to be written down.

    Attributes
    ----------
    workbook : Workbook
        A snapshot of its own.
    title, summary, guide, loss_name : str
    problem : Problem
    sheet : int or None
        The sheet whose epochs run; None for a run of an optimizer.
    steps : int
    loss : float or None
        What the document shows there; None if nothing was run.
    seed : int or None
        Of the random start, where a lesson drew it.
    base : mapping of Cell to float
        What a schedule of epochs multiplies, where the cells hold other numbers by now.
    held : mapping
        Formulas that count as the values stored for them.
    """

    workbook: Workbook
    title: str
    summary: str
    guide: str
    loss_name: str
    problem: Problem
    sheet: int | None
    steps: int
    loss: float | None
    seed: int | None
    schedule: ScheduleChoice | None
    momentum: float
    hyper: Mapping[str, Any]
    recording: Recording | None = None
    base: Mapping[Cell, float] = field(default_factory=dict)
    held: Mapping[tuple[int, Cell], Formula] = field(default_factory=dict)

    def legs(self) -> tuple[Leg, ...]:
        """Return the parts of the run; replays a little of it, so call it off the GUI's thread."""
        if self.recording is None:
            return (self._only_leg(),)
        found: list[Leg] = []
        stretches = self.recording.stretches
        for at, stretch in enumerate(stretches):
            begin = stretch.steps[0]
            if begin >= self.steps and at:
                break
            end = stretches[at + 1].steps[0] if at + 1 < len(stretches) else self.steps
            end = min(end, self.steps)
            rates = [(max(step, begin), hyper) for step, hyper in stretch.rates
                     if step < max(end, begin + 1)]  # fmt: skip
            theta = stretch.states[0]["theta"]
            if at and self._came_to(at - 1, begin, theta):
                theta = None
            origin = stretch.origin
            problem = origin.problem if isinstance(origin, Origin) else None
            saved = stretch.states[0]["optimizer"]
            found.append(Leg(begin, end, theta, saved, tuple(_changes(rates)), problem))
        return tuple(found)

    def _came_to(self, at: int, step: int, theta: Any) -> bool:
        """Whether the leg before ended with these parameters of itself."""
        from gradsheet.learn.trajectory import Recording

        assert self.recording is not None
        before = Recording.of([self.recording.stretches[at].copy()], self.recording.spacing, step)
        try:
            reached = before.show(step)[0]["theta"]
        except ValueError:
            return False
        return bool(reached.shape == theta.shape and (reached == theta).all())

    def _only_leg(self) -> Leg:
        from gradsheet.learn.optimizers import make_optimizer

        name = self.hyper["name"]
        changes = {key: value for key, value in self.hyper.items() if key != "name"}
        optimizer = make_optimizer(name, **changes)
        return Leg(0, self.steps, None, optimizer.state_dict(), ((0, optimizer.hyper),),
                   None if self.sheet is not None else self.problem)  # fmt: skip


def _changes(rates: list[tuple[int, Hyper]]) -> list[tuple[int, Hyper]]:
    """Return the last settings of every step, without those that change nothing."""
    last = dict(rates)
    found: list[tuple[int, Hyper]] = []
    for step, hyper in sorted(last.items(), key=lambda item: item[0]):
        if not found or hyper != found[-1][1]:
            found.append((step, hyper))
    return found


def run_facts(document: Document, steps: int | None = None) -> RunFacts:
    """Note the run of a document as it stands, or one of `steps` steps where none was made.

    Raises
    ------
    UserError
        If nothing is learned in the workbook, or it is that of a rating set.
    """
    if document.ratings is not None:
        raise UserError(
            "A whole rating set is trained in mini-batches that are no formulas of a sheet.",
            "Export the sheet as .xlsx or .csv, or put your ratings into a lesson and export it.",
        )
    training = document.training
    assert training is not None
    problem = training.problem
    run, sheet = training.run, training.sheet if isinstance(training, EpochTraining) else None
    record = run.timeline.recording
    was_run = record is not None and not record.is_empty and run.step > record.start
    workbook, held = document.workbook.snapshot(), dict(document.calculation.held)
    base = training.path_noted().base if isinstance(training, EpochTraining) else {}
    schedule, momentum = run.schedule, run.momentum
    if was_run and record is not None:
        record = record.copy()
        origin: Any = record.stretches[0].origin
        workbook = origin.workbook.snapshot()
        schedule, momentum = origin.schedule, origin.momentum or momentum
        problem = origin.problem if isinstance(origin, Origin) else problem
        held = dict(origin.held) if isinstance(origin, Origin) else {}
        base = origin.base if isinstance(origin, EpochOrigin) else {}
    else:
        record = None
    hyper: dict[str, Any] = {"name": run.optimizer_name, **run.hyper_changes}
    if run.optimizer is not None:
        import dataclasses

        hyper = {"name": run.optimizer_name, **dataclasses.asdict(run.optimizer.hyper)}
    lesson = document.lesson
    default = EPOCHS if sheet is not None else STEPS
    seeded = document.seed if document.path is None and lesson.id != "blank" else None
    return RunFacts(
        workbook=workbook,
        title=document.title,
        summary=lesson.summary if document.path is None else "",
        guide=lesson.guide() if document.path is None and lesson.id != "blank" else "",
        loss_name=document.book.loss_name,
        problem=copy.copy(problem),
        sheet=sheet,
        steps=run.step if record is not None else default if steps is None else steps,
        loss=document.loss_now() if record is not None else None,
        seed=seeded,
        schedule=schedule,
        momentum=momentum,
        hyper=hyper,
        recording=record,
        base=dict(base),
        held=held,
    )
