"""What a recorded run was made from, so that its steps can be made again in another process.

Owns `Origin` and `EpochOrigin`: the cells and the settings behind a trainer, and the way from
there to one. Knows no file and no window.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from gradsheet.app.engine import Calculation
from gradsheet.app.lab.schedule_choice import ScheduleChoice
from gradsheet.app.uncomputed import Uncomputed
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import UserError
from gradsheet.learn.epoch_step import epoch_step_of
from gradsheet.learn.problem import Problem
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.workbook import Sheet, Workbook

if TYPE_CHECKING:
    from torch import Tensor

    from gradsheet.learn.epochs import EpochTrainer
    from gradsheet.learn.trainer import Trainer

LOG_ROWS = 10_000
"""How far a log of errors may reach below the cells in use."""


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """Where an objective came from; nothing in it changes.

    Attributes
    ----------
    workbook : Workbook
        A snapshot.
    problem : Problem
    held : mapping of (int, Cell) to Formula
        Formulas that count as the values stored for them.
    schedule : ScheduleChoice or None
    momentum : float
        What the schedule of a one-cycle run starts from.
    """

    workbook: Workbook
    problem: Problem
    held: Mapping[tuple[int, Cell], Formula] = field(default_factory=dict)
    schedule: ScheduleChoice | None = None
    momentum: float = 0.9

    def trainer(self, state: Mapping[str, Any]) -> Trainer:
        """Return a trainer that stands in a recorded state.

        The objective is compiled with the parameters of that state in their cells, as it was at
        first, so that it takes the same course of computation.

        Raises
        ------
        UserError
            If the workbook does not compile to the loss.
        """
        from gradsheet.learn.optimizers import make_optimizer
        from gradsheet.learn.trainer import Trainer

        book = self.workbook.snapshot()
        put_parameters(book, self.problem, state["theta"])
        objective = Calculation(book, Uncomputed(book, self.held)).objective(self.problem)
        saved = state["optimizer"]
        optimizer = make_optimizer(saved["name"], **saved["hyper"])
        schedule = self.schedule.schedule(self.momentum) if self.schedule else None
        trainer = Trainer(objective, optimizer, problem=self.problem, schedule=schedule)
        trainer.origin = self
        trainer.load(state)
        return trainer

    @property
    def sheets(self) -> frozenset[int]:
        """The sheets that the objective may read: all."""
        return frozenset(self.workbook.sheet_ids())

    def free(self) -> list[tuple[int, Region]]:
        """Return the cells that belong to a step rather than to the data."""
        return [(parameter.sheet, parameter.region) for parameter in self.problem.parameters]


@dataclass(frozen=True, slots=True, eq=False)
class EpochOrigin:
    """Where a run of epochs came from; nothing in it changes.

    Attributes
    ----------
    workbook : Workbook
        A snapshot.
    sheet : int
    base : mapping of Cell to float
        What a schedule multiplies.
    settings : tuple of Cell
        The cells of rates and betas.
    sheets : frozenset of int
        The sheets that the run reads.
    schedule, momentum
        As in `Origin`.
    """

    workbook: Workbook
    sheet: int
    base: Mapping[Cell, float]
    settings: tuple[Cell, ...]
    sheets: frozenset[int]
    schedule: ScheduleChoice | None = None
    momentum: float | None = None

    def trainer(self, state: Mapping[str, Any]) -> EpochTrainer:
        """Return a trainer that stands in a recorded state and writes no log.

        Raises
        ------
        UserError
            If the sheet does not say what an epoch is.
        """
        from gradsheet.learn.epochs import EpochTrainer
        from gradsheet.learn.optimizers import make_optimizer

        epoch = epoch_step_of(self.workbook, self.sheet)
        if epoch is None:
            raise UserError("The sheet of a recorded run no longer says what an epoch is.")
        saved = state["optimizer"]
        schedule = self.schedule.schedule(self.momentum or 0.95) if self.schedule else None
        trainer = EpochTrainer(
            self.workbook, epoch, step=int(state["step"]), schedule=schedule, base=self.base,
            settings=self.settings, optimizer=make_optimizer(saved["name"], **saved["hyper"]),
        )  # fmt: skip
        trainer.origin = self
        twin = trainer.twin()
        twin.load(state)
        return twin

    def free(self) -> list[tuple[int, Region]]:
        """Return the cells that belong to a step rather than to the data."""
        epoch = epoch_step_of(self.workbook, self.sheet)
        if epoch is None:
            return []
        cells = [epoch.rate, epoch.momentum, *self.settings]
        regions = [*epoch.targets, *(Region.of(cell) for cell in cells if cell is not None)]
        if epoch.log is not None:
            far = max(self.workbook.used(self.sheet).bottom, epoch.log.row + 1) + LOG_ROWS
            regions.append(Region(epoch.log.row, epoch.log.col, far, epoch.log.col + 1))
        return [(self.sheet, region) for region in regions]


AnyOrigin: TypeAlias = Origin | EpochOrigin


def put_parameters(workbook: Workbook, problem: Problem, theta: Tensor) -> None:
    """Write parameters (n,) into their cells, range after range, row by row."""
    values, at = theta.detach().cpu().numpy(), 0
    for parameter in problem.parameters:
        region = parameter.region
        part = values[at : at + region.size].reshape(region.shape)
        workbook.sheet(parameter.sheet).cells.write(region, part)
        at += region.size


def is_of(origin: AnyOrigin, workbook: Workbook) -> bool:
    """Whether a run means the same in another workbook: what it reads agrees, but for its steps."""
    one, read = origin.workbook, origin.sheets
    if one is workbook:
        return True
    if one.strings is not workbook.strings:
        return False
    if one.names != workbook.names or one.tables != workbook.tables:
        return False
    mine = [sheet for sheet in one.sheets if sheet.id in read]
    its = [sheet for sheet in workbook.sheets if sheet.id in read]
    if [(s.id, s.name) for s in mine] != [(s.id, s.name) for s in its]:
        return False
    free = origin.free()
    return all(
        _same_cells(a, b, [region for sheet, region in free if sheet == a.id])
        for a, b in zip(mine, its, strict=True)
    )


def _same_cells(one: Sheet, other: Sheet, free: list[Region]) -> bool:
    if one.cells.formulas() != other.cells.formulas():
        return False
    free = [*free, *one.cells.arrays().values()]
    for region in one.cells.not_shared_with(other.cells):
        (values, kinds), (others, other_kinds) = one.cells.read(region), other.cells.read(region)
        differs = (values != others) | (kinds != other_kinds)
        for area in free:
            inside = region.intersect(area)
            if inside is not None:
                differs[inside.slices_in(region)] = False
        for cell in one.cells.formulas_in(region):
            differs[cell.row - region.top, cell.col - region.left] = False
        if differs.any():
            return False
    return True
