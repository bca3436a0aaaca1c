"""Runs a sheet of epochs: its formulas are the optimizer, a step copies and recalculates.

Owns how such a run meets the workbook: the rate and the betas are cells, the log of errors grows
in a column, other points are drawn for a new start. The epochs are `learn.epochs`.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gradsheet.app.messages import Message
from gradsheet.app.schedule_choice import ScheduleChoice
from gradsheet.app.training import Training
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import Kind, UserError
from gradsheet.learn.epoch_step import EpochStep, epoch_step_of
from gradsheet.learn.problem import Parameter, Problem
from gradsheet.lessons import descent_edits
from gradsheet.lessons.descent_data import drawn
from gradsheet.lessons.descent_layout import KINDS
from gradsheet.lessons.lesson import LessonBook
from gradsheet.sheet.edits import Composite, Edit, SetCells, SetValues
from gradsheet.sheet.workbook import Workbook

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradsheet.app.document import Document
    from gradsheet.learn.epochs import EpochTrainer

LOG_ROWS = 10_000


class EpochTraining(Training):
    """The run of one sheet of epochs.

    Parameters
    ----------
    document : Document
    book : LessonBook
    sheet : int
        Id of the sheet.

    Attributes
    ----------
    trail : Trail or None
        Where every row of every epoch was; None before the first run.
    """

    def __init__(self, document: Document, book: LessonBook, sheet: int) -> None:
        self.sheet = sheet
        name = document.workbook.sheet(sheet).name
        kind = KINDS.get(name)
        rule = kind.rule if kind else "sgd"
        super().__init__(document, replace(book, optimizer=rule, hyper={}))
        self.trail: Any = None
        self._pass_began = 0
        self._base: dict[Cell, float] = {}
        """What a schedule multiplies: rate and momentum as they were set."""
        self.refresh()

    @property
    def epoch(self) -> EpochStep:
        """What an epoch of the sheet is, by its names as they are now.

        Raises
        ------
        UserError
            If the names are gone.
        """
        found = epoch_step_of(self._document.workbook, self.sheet)
        if found is None:
            raise UserError(
                "The sheet no longer says what an epoch is.",
                "Undo, or define the names slope, lastslope, const and lastconst.",
            )
        return found

    def refresh(self) -> None:
        """Read problem and settings from the sheet: both may have been edited."""
        epoch = epoch_step_of(self._document.workbook, self.sheet)
        if epoch is None or epoch.loss is None:
            return
        parameters = tuple(Parameter(self.sheet, target) for target in epoch.targets)
        self.problem = Problem((self.sheet, epoch.loss), parameters)
        optimizer = self.run.optimizer
        if optimizer is None:
            return
        settings = self._settings()
        numbers = {n: self._base.get(cell, self._number(cell)) for n, cell in settings.items()}
        changes = {name: number for name, number in numbers.items() if number is not None}
        with suppress(UserError):  # a setting that no rule takes: the sheet shows what comes of it
            optimizer.hyper = replace(optimizer.hyper, **changes)  # type: ignore[arg-type]

    def _settings(self) -> dict[str, Cell]:
        """Return the cells of the optimizer's settings by their names in Hyper."""
        workbook = self._document.workbook
        name = workbook.sheet(self.sheet).name
        epoch = epoch_step_of(workbook, self.sheet)
        if name not in KINDS or epoch is None or epoch.path is None:
            return {"lr": epoch.rate} if epoch is not None and epoch.rate is not None else {}
        below = str(epoch.path[0].bottom + 6)
        return {
            setting: Cell.parse(place.replace("{d}", below))
            for setting, place in KINDS[name].hyper.items()
        }

    def _number(self, cell: Cell) -> float | None:
        value, kind = self._document.workbook.sheet(self.sheet).cells.get(cell)
        return value if kind == Kind.NUMBER else None

    def ready(self) -> None:
        """See Training."""
        self.run.ready()
        self.refresh()
        self._document.notify_run()

    def set_hyper(self, **changes: Any) -> None:
        """Put settings into their cells, which can be undone. Raises UserError."""
        optimizer = self.run.optimizer
        if optimizer is not None:
            replace(optimizer.hyper, **changes)  # refuses what is out of range
        cells = self._settings()
        missing = [name for name in changes if name not in cells]
        if missing:
            raise UserError(
                f"This sheet has no cell for {missing[0]}.", "Its formulas are the optimizer."
            )
        self._base.update(
            {cells[n]: float(v) for n, v in changes.items() if cells[n] in self._base}
        )
        edit = SetCells(self.sheet, tuple((cells[n], float(v)) for n, v in changes.items()))
        self._document.apply(edit)
        self.refresh()
        self._document.notify_run()

    def set_schedule(self, choice: ScheduleChoice | None) -> None:
        """See Training; what was set comes back into its cells, for the new one to move."""
        super().set_schedule(choice)
        epoch = self.epoch
        if self._base:
            back = SetCells(self.sheet, tuple(self._base.items()))
            self._base = {}
            self._document.apply(back, "Rate as it was set")
        if choice is not None and choice.name != "constant":
            for cell in (epoch.rate, epoch.momentum):
                number = self._number(cell) if cell is not None else None
                if cell is not None and number is not None:
                    self._base[cell] = number

    def choose(self, name: str) -> None:
        """Say that here the tabs are the optimizers."""
        self._document.say(
            Message("info", "Here each tab is an optimizer.", "Choose one below the sheet.")
        )
        self._document.notify_run()

    def new_start(self, fresh: Workbook, label: str) -> None:
        """Draw other points, from the document's seed."""
        self.withdraw()
        self.stop()
        seed = self._document.seed
        count = self.epoch.path[0].rows if self.epoch.path else 29
        edit = descent_edits.set_points(self._document.workbook, drawn(seed, count))
        self.marked(f"New points (seed {seed})", edit)

    def reset(self) -> None:
        """See Training; the path begins anew too."""
        super().reset()
        self.trail, self._pass_began = None, 0

    def marked(self, label: str, edit: Edit) -> None:
        """Apply an edit that starts the run anew; undo brings the run back too."""
        self.stop()
        self._marked(label, edit)
        self.trail, self._pass_began = None, 0
        self.refresh()

    def _making(self, problem: Problem) -> tuple[Callable[[], Any], Callable[[Any], None]]:
        document, run = self._document, self.run
        epoch, workbook, step, trace = self.epoch, document.workbook, run.step, run.trace
        if self.trail is not None:
            self.trail.cut(self._pass_began)
        trail = self.trail
        base = dict(self._base)
        momentum = base.get(epoch.momentum) if epoch.momentum else None
        schedule = run.schedule.schedule(momentum or 0.95) if run.schedule else None

        def make() -> EpochTrainer:
            from gradsheet.learn.epochs import EpochTrainer

            return EpochTrainer(
                workbook, epoch, step=step, trace=trace, trail=trail, schedule=schedule,
                base=base,
            )  # fmt: skip

        def adopt(trainer: EpochTrainer) -> None:
            run.trainer = trainer
            self.trail, self._pass_began = trainer.trail, trainer.pass_began
            run.limit_speed(run.steps_per_second_limit)

        return make, adopt

    def _show(self, snapshot: Any) -> None:
        trainer = self.run.trainer
        if trainer is not None:
            self._pass_began = getattr(trainer, "pass_began", 0)
        super()._show(snapshot)

    def _values_of(self, workbook: Workbook) -> Edit:
        """Return the edit that puts carried cells, scheduled settings and the log back."""
        epoch = self.epoch
        regions = [*epoch.targets]
        for cell in (epoch.rate, epoch.momentum):
            if cell is not None and all(not region.contains(cell) for region in regions):
                regions.append(Region.of(cell))
        if epoch.log is not None:
            used = workbook.sheet(self.sheet).cells.used()
            top = epoch.log.row
            bottom = min(max(used.bottom, top + LOG_ROWS), top + 2 * LOG_ROWS)
            regions.append(Region(top, epoch.log.col, bottom, epoch.log.col + 1))
        cells = workbook.sheet(self.sheet).cells
        edits: list[Edit] = []
        for region in regions:
            values, kinds = cells.read(region)
            edits.append(SetValues(self.sheet, region, values, kinds))
        return Composite(tuple(edits))


def training_for(document: Document, book: LessonBook, sheet: int) -> Training:
    """Return what runs a sheet: its epochs where its names say what they are, else the problem."""
    if epoch_step_of(document.workbook, sheet) is not None:
        return EpochTraining(document, book, sheet)
    return Training(document, book)
