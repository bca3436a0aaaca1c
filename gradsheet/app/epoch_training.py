"""Runs a sheet of epochs: its formulas are the optimizer, a step copies and recalculates.

Owns how such a run meets the workbook: the rate and the betas are cells, the log of errors grows
in a column, other points are drawn for a new start. The epochs are `learn.epochs`.
"""

# LONG: a run of epochs with its log, its path and its settings; each needs the others.

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gradsheet.app.epoch_path import PathNote, Walked
from gradsheet.app.error_log import ErrorLog
from gradsheet.app.lab.schedule_choice import TITLES, ScheduleChoice
from gradsheet.app.messages import Message
from gradsheet.app.saving.origin import EpochOrigin
from gradsheet.app.training import Training
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import Kind, UserError
from gradsheet.learn.epoch_step import EpochStep, epoch_step_of
from gradsheet.learn.problem import Parameter, Problem
from gradsheet.lessons import descent_edits
from gradsheet.lessons.descent_data import drawn
from gradsheet.lessons.descent_layout import KINDS
from gradsheet.lessons.function_book import is_function
from gradsheet.lessons.lesson import LessonBook
from gradsheet.sheet.edits import Composite, Edit, SetCells, SetValues
from gradsheet.sheet.roles import Role
from gradsheet.sheet.workbook import Change, Workbook

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradsheet.app.document import Document
    from gradsheet.app.run import RunMark
    from gradsheet.app.timeline import Branch
    from gradsheet.formula.results import Computed
    from gradsheet.learn.epochs import EpochTrainer
    from gradsheet.learn.trail import Points


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
    walked : Walked or None
        Where every row of every epoch was; None before the first run.
    """

    def __init__(self, document: Document, book: LessonBook, sheet: int) -> None:
        self.sheet = sheet
        name = document.workbook.sheet(sheet).name
        kind = KINDS.get(name)
        rule = kind.rule if kind else "sgd"
        super().__init__(document, replace(book, optimizer=rule, hyper={}))
        self.walked: Walked | None = None
        self._walks: dict[int, Walked | None] = {}
        """The path before (after undo: after) a history entry that began it anew."""
        self._log = ErrorLog()
        self._reads = frozenset({sheet})
        """The sheets whose numbers the run depends on."""
        self._base: dict[Cell, float] = {}
        """What a schedule multiplies: rate and momentum as they were set."""
        self._schedules: dict[int, tuple[ScheduleChoice | None, dict[Cell, float]]] = {}
        """Schedule and base before (after undo: after) an entry that chose another."""
        self.refresh()

    @property
    def epoch(self) -> EpochStep:
        """What an epoch of the sheet is, by its names as they are now.

        Raises
        ------
        UserError
            If the names are gone.
        """
        found = self._epoch()
        if found is None:
            raise UserError(
                "The sheet no longer says what an epoch is.",
                "Undo, or define the names slope, lastslope, const and lastconst.",
            )
        return found

    def _epoch(self) -> EpochStep | None:
        """The epoch with the error that the sheet's names say, or else a role."""
        workbook = self._document.workbook
        found = epoch_step_of(workbook, self.sheet)
        if found is None or found.loss is not None:
            return found
        roles = workbook.sheet(self.sheet).roles
        told = next((role.region.first for role in roles if role.role is Role.LOSS), None)
        return replace(found, loss=told)

    def refresh(self) -> None:
        """Read problem and settings from the sheet: both may have been edited."""
        epoch = self._epoch()
        if epoch is None:
            return
        parameters = tuple(Parameter(self.sheet, target) for target in epoch.targets)
        self.problem = Problem((self.sheet, epoch.loss or self._blank()), parameters)
        optimizer = self.run.optimizer
        if optimizer is None:
            return
        settings = self._settings()
        numbers = {n: self._base.get(cell, self._number(cell)) for n, cell in settings.items()}
        changes = {name: number for name, number in numbers.items() if number is not None}
        with suppress(UserError):  # a setting that no rule takes: the sheet shows what comes of it
            optimizer.hyper = replace(optimizer.hyper, **changes)  # type: ignore[arg-type]

    def _blank(self) -> Cell:
        """A cell that holds nothing, for a sheet without an error: epochs run, no loss shows."""
        used = self._document.workbook.sheet(self.sheet).cells.used()
        return Cell(used.bottom, used.right)

    def _prepare(self) -> None:
        if self.run.optimizer is not None:  # else `ready` goes on
            super()._prepare()

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

    def path_noted(self) -> PathNote:
        """Return where the run has been, for a file."""
        walked = self.walked
        points = walked.trail.points().copy() if walked is not None else np.empty((0, 2))
        return PathNote(
            points, (walked.first, walked.last) if walked is not None else None,
            self._log.shift, dict(self._log.changed), dict(self._base),
        )  # fmt: skip

    def put_path(self, note: PathNote) -> None:
        """Go on from where a run has been."""
        from gradsheet.learn.trail import Trail

        self._base = dict(note.base)
        self._log.shift, self._log.changed = note.log_shift, dict(note.errors_logged)
        if note.epochs is not None:
            trail = Trail()
            trail.extend(note.points[:, 0].tolist(), note.points[:, 1].tolist())
            self.walked = Walked(trail, *note.epochs)

    def ready(self) -> None:
        """See Training."""
        self.run.ready()
        self.refresh()
        self._turns.go_on()
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
        numbers = {cells[n]: float(v) for n, v in changes.items()}
        numbers.update({c: v for c, v in self._scheduled().items() if c in numbers})
        self._document.apply(SetCells(self.sheet, tuple(numbers.items())))
        self.refresh()
        self._document.notify_run()

    def _slow_down(self, rate: float) -> None:
        """See Training; the rate is a cell, and the path of what failed is kept for undo."""
        entry = self._document.history.top
        if entry is not None and self.walked is not None:
            self._walks[entry], self.walked = self.walked, self.walked.copy()
        cell = self.epoch.rate
        if cell is None:
            return
        if cell in self._base:
            self._base[cell] = rate
        rate = self._scheduled().get(cell, rate)
        _, change = self._document.workbook.apply(SetCells(self.sheet, ((cell, rate),)))
        self.run.timeline.changed()
        self._document.follow(change)

    def set_schedule(self, choice: ScheduleChoice | None) -> None:
        """See Training; rate and momentum of the epoch on show are at once the schedule's."""
        before = self.run.schedule, self._base
        super().set_schedule(choice)
        cells = dict(self._base)
        self._base = {}
        if choice is not None and choice.name != "constant":
            for cell in (self.epoch.rate, self.epoch.momentum):
                number = cells.get(cell, self._number(cell)) if cell is not None else None
                if cell is not None and number is not None:
                    self._base[cell] = number
        cells.update(self._scheduled())
        if cells:
            title = TITLES[choice.name] if choice is not None else TITLES["constant"]
            edit = SetCells(self.sheet, tuple(cells.items()))
            self._document.apply(edit, f"Schedule: {title}")
            entry = self._document.history.top
            assert entry is not None
            self._schedules[entry] = before

    def reset(self) -> None:
        """See Training; rate and momentum stay as they are set, or as a schedule begins."""
        self.withdraw()
        self.stop()
        if self.entries.start_edit is None or not self.run.step:
            return
        epoch = self.epoch
        kept = {
            cell: number
            for cell in (epoch.rate, epoch.momentum)
            if cell is not None and not any(region.contains(cell) for region in epoch.targets)
            and (number := self._number(cell)) is not None
        } | self._scheduled(0)  # fmt: skip
        settings = SetCells(self.sheet, tuple(kept.items()))
        self._marked("Reset", Composite((self.entries.start_edit, settings)))

    def _scheduled(self, step: int | None = None) -> dict[Cell, float]:
        """Return what the schedule makes of rate and momentum, in the epoch on show if not told."""
        chosen, epoch = self.run.schedule, self.epoch
        momentum = self._base.get(epoch.momentum) if epoch.momentum is not None else None
        schedule = chosen.schedule(momentum or 0.95) if chosen is not None else None
        if schedule is None:
            return {}
        factors = schedule(self.run.step if step is None else step)
        places = zip((epoch.rate, epoch.momentum), factors, strict=True)
        return {
            cell: self._base[cell] * factor
            for cell, factor in places if cell is not None and cell in self._base
        }  # fmt: skip

    def choose(self, name: str) -> None:
        """Say that here the tabs are the optimizers."""
        self._document.say(
            Message("info", "Here each tab is an optimizer.", "Choose one below the sheet.")
        )
        self._document.notify_run()

    def new_start(self, fresh: Workbook, label: str) -> None:
        """Draw other points, or another start on a function, from the document's seed."""
        self.withdraw()
        self.stop()
        seed = self._document.seed
        if is_function(self._document.workbook):
            from gradsheet.app.lab import function_lab

            x, y = function_lab.random_point(self._document, seed)
            self.marked(label, function_lab.start_edit(self._document, self.sheet, x, y))
            return
        count = self.epoch.path[0].rows if self.epoch.path else 29
        edit = descent_edits.set_points(self._document.workbook, drawn(seed, count))
        self.marked(f"New points (seed {seed})", edit)
        self._document.rewind_others()

    def marked(self, label: str, edit: Edit) -> None:
        """Apply an edit that starts the run anew; undo brings the run back too."""
        self.stop()
        self._marked(label, edit)

    def _marked(self, label: str, edit: Edit) -> None:
        super()._marked(label, edit)
        entry = self._document.history.top
        if entry is not None:
            self._walks[entry], self.walked = self.walked, None
        self.refresh()

    def rewind_with(self, entry: int) -> None:
        """See Training; the path begins anew too."""
        super().rewind_with(entry)
        self._walks[entry], self.walked = self.walked, None

    def travelled(self, entry: int, here: RunMark) -> None:
        """See Training; the path comes back too."""
        super().travelled(entry, here)
        if entry in self._walks:
            self._walks[entry], self.walked = self.walked, self._walks[entry]
        if self.entries.has_rates(entry):
            self._rebase()
        if entry in self._schedules:
            now = self.run.schedule, self._base
            self.run.schedule, self._base = self._schedules[entry]
            self._schedules[entry] = now

    def edited(self, entry: int, change: Change) -> None:
        """See Training; a setting is no data, and the other optimizers' sheets are not read."""
        if change.structure:
            super().edited(entry, change)
            return
        mine = Change(
            values=tuple(place for place in change.values if place[0] in self._reads),
            formulas=tuple(place for place in change.formulas if place[0] in self._reads),
        )
        settings = [Region.of(cell) for cell in self._settings().values()]
        places = set(mine.values) | set(mine.formulas)
        if all(s == self.sheet and any(r == c for c in settings) for s, r in places):
            if places:
                self.run.timeline.changed()
        else:
            super().edited(entry, mine)

    def _making(self, problem: Problem) -> tuple[Callable[[], Any], Callable[[Any], None]]:
        run, workbook = self.run, self._document.workbook.snapshot()
        epoch, step, trace = self.epoch, run.step, run.trace
        assert run.optimizer is not None
        assert trace is not None
        base, settings = dict(self._base), tuple(self._settings().values())
        optimizer = run.optimizer.clone()
        momentum = base.get(epoch.momentum) if epoch.momentum else None
        chosen = run.schedule
        schedule = chosen.schedule(momentum or 0.95) if chosen else None

        def make() -> EpochTrainer:
            from gradsheet.learn.epochs import EpochTrainer

            return EpochTrainer(
                workbook, epoch, step=step, schedule=schedule, base=base, settings=settings,
                optimizer=optimizer,
            )  # fmt: skip

        def adopt(trainer: EpochTrainer) -> None:
            self._log.note_changed(trace, step)
            run.trainer = trainer
            trainer.origin = EpochOrigin(
                workbook, self.sheet, base, settings, trainer.sheets, chosen, momentum
            )
            goes_on = run.timeline.is_replaying
            run.timeline.begin(trainer, trace, goes_on=goes_on, path=self._path())
            trainer.follow(trace)
            self.walked = Walked.on(self.walked, trainer.trail, step)
            trainer.trail = self.walked.trail
            self._reads = trainer.sheets
            if epoch.log is not None:
                self._log.begin(trainer.log_top - epoch.log.row, step)
            run.limit_speed(run.steps_per_second_limit)

        return make, adopt

    def _path(self) -> Points | None:
        """See Training."""
        return self.walked.trail.points().copy() if self.walked is not None else None

    def take_up(self, branch: Branch) -> None:
        """See Training; the path is that of the branch from now on."""
        from gradsheet.learn.trail import Trail

        first = self.walked.first if self.walked is not None else 0
        super().take_up(branch)
        if branch.path is not None:
            trail = Trail()
            trail.extend(branch.path[:, 0].tolist(), branch.path[:, 1].tolist())
            self.walked = Walked(trail, first, branch.recording.end)

    def _show(self, snapshot: Any) -> None:
        if self.walked is not None:
            self.walked = replace(self.walked, last=max(self.walked.first, snapshot.step))
        super()._show(snapshot)
        self._refresh_averages()

    def _refresh_averages(self) -> None:
        """Let the tab `averages` follow, which reads what the run writes."""
        workbook = self._document.workbook
        averages, path = workbook.by_name("averages"), self.epoch.path
        if averages is not None and path is not None:
            places = Region(path[0].top, path[0].left, path[0].bottom, path[0].left + 12)
            self._document.refresh_sheet(averages.id, [(self.sheet, places)])

    def _beside(self, step: int) -> list[Computed]:
        """Return the log of errors as it was at a step."""
        start, trace = self.epoch.log, self.run.trace
        if start is None or trace is None:
            return []
        cells = self._document.workbook.sheet(self.sheet).cells
        return [self._log.at_step(self.sheet, start, cells, trace, step)]

    def _stood(self) -> None:
        """See Training; what a schedule moves is what it was then."""
        self._rebase()
        self.refresh()
        self._refresh_averages()

    def _rebase(self) -> None:
        """Let the schedule move what the rates are now."""
        if self._base and self.run.optimizer is not None:
            for name, cell in self._settings().items():
                if cell in self._base:
                    self._base[cell] = float(getattr(self.run.optimizer.hyper, name))

    def _values_of(self, workbook: Workbook) -> Edit:
        """Return the edit that puts carried cells, scheduled settings and the log back."""
        epoch = self.epoch
        regions = [*epoch.targets]
        for cell in (epoch.rate, epoch.momentum):
            if cell is not None and all(not region.contains(cell) for region in regions):
                regions.append(Region.of(cell))
        if epoch.log is not None:
            regions.append(self._log.region(epoch.log, workbook.sheet(self.sheet).cells))
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
