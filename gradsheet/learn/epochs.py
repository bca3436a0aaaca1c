"""Runs a sheet of recurrences epoch by epoch: carry the last row's results up, recalculate, log.

Owns `EpochTrainer`, which a document runs like a `Trainer`; here a step is an epoch. The formulas
do the work, so whatever optimizer is written in them is what runs. Works on a copy of the cells.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.compiler import Program, compile_program
from gradsheet.formula.results import Computed
from gradsheet.formula.values import ErrorCode, Kind
from gradsheet.learn.epoch_step import EpochStep
from gradsheet.learn.pacing import PacedRun, Snapshot
from gradsheet.learn.schedules import Schedule
from gradsheet.learn.sheet_copy import SheetCopy
from gradsheet.learn.straightline import StraightLine, Untranslatable
from gradsheet.learn.trace import LossTrace
from gradsheet.learn.trail import Trail
from gradsheet.sheet.change import regions_over

if TYPE_CHECKING:
    from gradsheet.formula.graph import Inputs

Floats = npt.NDArray[np.float64]

LOG_ROWS = 10_000
"""Errors that are written to the sheet; the trace keeps all."""
_AGREES = 1e-11
"""How well the fast arithmetic must agree with the engine to be used: relative."""


class EpochTrainer(PacedRun):
    """A run of epochs on one sheet.

    Epoch number k shows the pass that starts from what pass k - 1 left: ``step`` counts the
    carries made. The trace holds (k, error of the pass that is shown at k).

    Parameters
    ----------
    inputs : Inputs
        The workbook; its cells are copied.
    epoch : EpochStep
    step : int
        Epochs already made.
    trace : LossTrace, optional
        To go on with; points at and after ``step`` are replaced.
    trail : Trail, optional
        To go on with.
    schedule : Schedule, optional
        Multiplies the rate (and momentum) cell by the number of the epoch.
    base : mapping of Cell to float, optional
        What a schedule multiplies; the cells' own numbers if not given.
    clock : callable
        Seconds, monotonic.

    Attributes
    ----------
    trail : Trail
        (intercept, slope) that every row used, epoch after epoch.
    failed_cell : Cell or None
        The first cell that became an error.
    """

    def __init__(
        self,
        inputs: Inputs,
        epoch: EpochStep,
        *,
        step: int = 0,
        trace: LossTrace | None = None,
        trail: Trail | None = None,
        schedule: Schedule | None = None,
        base: Mapping[Cell, float] | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        super().__init__(step, clock)
        self.epoch = epoch
        self.schedule = schedule
        self.trail = Trail() if trail is None else trail
        if trace is not None:
            self.trace = trace
            trace.truncate(int(trace.arrays()[0].searchsorted(step)))
        self.pass_began = len(self.trail)
        """Where the pass that is shown begins in the trail."""
        self.failed_cell: Cell | None = None
        self._cells = SheetCopy(inputs, epoch.sheet)
        self._log_top = self._end_of_log()
        self._log: list[float] = []
        self._changes: dict[Cell, float] = {}
        self._lock = threading.Lock()
        self._sheet = _Sheet(self._cells, epoch.sheet)
        self._base = {
            cell: (base or {}).get(cell, self._sheet.number(cell))
            for cell in (epoch.rate, epoch.momentum)
            if cell is not None
        }
        self._note()

    # --- what it is at

    @property
    def is_fast(self) -> bool:
        """Whether the sheet runs as one function rather than through the engine."""
        return self._sheet.is_fast

    @property
    def loss(self) -> float:
        """The error of the pass that is shown; NaN where the sheet has none."""
        return math.nan if self.epoch.loss is None else self._sheet.number(self.epoch.loss)

    def number(self, cell: Cell) -> float:
        """Return the number in a cell of the sheet, NaN where it holds none."""
        return self._sheet.number(cell)

    def change(self, cell: Cell, value: float) -> None:
        """Put a number into a setting's cell before the next epoch; from any thread."""
        with self._lock:
            self._changes[cell] = value

    def snapshot(self) -> Snapshot:
        """See PacedRun; ``theta`` is what the next epoch starts from, carry after carry."""
        state = [self._sheet.read(carry.source).ravel() for carry in self.epoch.carries]
        return Snapshot(
            step=self._step,
            loss=self.loss,
            theta=torch.from_numpy(np.concatenate(state)),
            computed=[*self._sheet.computed(), *self._carried(), *self._logged()],
            trace_length=len(self.trace),
            steps_per_second=self._rate(),
            failure=self.failure,
        )

    def _carried(self) -> list[Computed]:
        """Return the cells that epochs change, and the settings that a schedule moves."""
        regions = [*self.epoch.targets, *(Region.of(cell) for cell in self._base)]
        sheet, read = self.epoch.sheet, self._sheet.read
        return [Computed(sheet, r, read(r), np.full(r.shape, Kind.NUMBER, np.uint8))
                for r in regions]  # fmt: skip

    def _logged(self) -> list[Computed]:
        start, log = self.epoch.log, self._log[:LOG_ROWS]
        if start is None or not log:
            return []
        top = self._log_top
        region = Region(top, start.col, top + len(log), start.col + 1)
        values = np.array(log, dtype=np.float64).reshape(-1, 1)
        return [Computed(self.epoch.sheet, region, values, np.ones(values.shape, np.uint8))]

    def _end_of_log(self) -> int:
        """Return the row below the errors that the sheet already lists."""
        start = self.epoch.log
        if start is None:
            return 0
        used = self._cells.used(self.epoch.sheet)
        region = Region(start.row, start.col, max(used.bottom, start.row + 1), start.col + 1)
        _, kinds = self._cells.read(self.epoch.sheet, region)
        blanks = np.flatnonzero(kinds[:, 0] == Kind.BLANK)
        return start.row + (int(blanks[0]) if len(blanks) else region.rows)

    # --- steps

    def _advance_once(self) -> bool:
        if not all(np.isfinite(self._sheet.read(c.source)).all() for c in self.epoch.carries):
            blank = (self.epoch.carries[0].source.first, "no number")
            self.failed_cell, what = self._sheet.first_error() or blank
            self.failure = f"{self._named(self.failed_cell)} shows {what} at the start."
            return False
        before = {carry.target: self._sheet.read(carry.target) for carry in self.epoch.carries}
        settings = {Region.of(cell): self._sheet.read(Region.of(cell)) for cell in self._base}
        moves = {c.target: self._sheet.read(c.source) for c in self.epoch.carries}
        moves.update(self._scheduled())
        with self._lock:
            wanted, self._changes = self._changes, {}
        moves.update({Region.of(cell): np.full((1, 1), v) for cell, v in wanted.items()})
        failed = self._sheet.move(moves)
        if failed is None and self.epoch.loss is not None and not math.isfinite(self.loss):
            failed = self.epoch.loss, "no number"
        if failed is not None:
            self._fail(*failed)
            self._sheet.move({**before, **settings})
            return False
        self._step += 1
        self._log.append(self.loss)
        self._note()
        return True

    def _scheduled(self) -> dict[Region, Floats]:
        if self.schedule is None:
            return {}
        factors = self.schedule(self._step + 1)
        moved = zip((self.epoch.rate, self.epoch.momentum), factors, strict=True)
        return {
            Region.of(cell): np.full((1, 1), self._base[cell] * factor)
            for cell, factor in moved
            if cell is not None
        }

    def _fail(self, cell: Cell, what: str) -> None:
        self.failed_cell = cell
        self.failure = f"{self._named(cell)} became {what} in epoch {self._step + 1}."

    def _named(self, cell: Cell) -> str:
        return f"{self._cells.sheet_name(self.epoch.sheet)}!{cell}"

    def _note(self) -> None:
        """Add the pass that is shown to trace and trail."""
        last = self.trace.last()
        if last is None or last[0] < self._step:
            self.trace.append(self._step, self.loss)
        if self.epoch.path is not None:
            const, slope = (self._sheet.read(region).ravel() for region in self.epoch.path)
            self.pass_began = len(self.trail)
            self.trail.extend(const.tolist(), slope.tolist())


class _Sheet:
    """The sheet's numbers and how they follow from one another: quickly, or by the engine."""

    def __init__(self, cells: SheetCopy, sheet: int) -> None:
        self._cells = cells
        self._id = sheet
        self._formulas = sorted(cells.formulas(sheet))
        self._program: Program = compile_program(cells)
        self._regions = regions_over(self._formulas)
        used = cells.used(sheet)
        for region in self._regions:
            used = used.union_hull(region)
        self._hull = Region(0, 0, used.bottom, used.right)
        self._values, self._kinds = cells.read(sheet, self._hull)
        self._take(self._program.recalculate())
        self._errors_at_start = set(self._errors())
        self._fast = self._translated()
        rows = [cell.row for cell in self._formulas]
        self._at = (np.array(rows), np.array([cell.col for cell in self._formulas]))
        self._inputs: dict[Cell, int] = {}
        if self._fast is not None:
            self._constants = list(self._fast.start)
            self._inputs = {c: i for i, (s, c) in enumerate(self._fast.inputs) if s == sheet}

    @property
    def is_fast(self) -> bool:
        return self._fast is not None

    def _translated(self) -> StraightLine | None:
        """Return the sheet as one function if that gives the engine's numbers, else None."""
        try:
            line = StraightLine(self._cells, [(self._id, cell) for cell in self._formulas])
            found = line.run(line.start)
        except (Untranslatable, ArithmeticError, ValueError):
            return None
        for cell, value in zip(self._formulas, found, strict=True):
            if self._kinds[cell] != Kind.NUMBER:
                return None
            if not math.isclose(value, self._values[cell], rel_tol=_AGREES, abs_tol=1e-300):
                return None
        return line

    def number(self, cell: Cell) -> float:
        if self._kinds[cell] != Kind.NUMBER:
            return math.nan
        return float(self._values[cell])

    def read(self, region: Region) -> Floats:
        """Return a copy of the numbers of a region, NaN for what is none."""
        at = region.slices_in(self._hull)
        return np.where(self._kinds[at] == Kind.NUMBER, self._values[at], np.nan)

    def move(self, moves: dict[Region, Floats]) -> tuple[Cell, str] | None:
        """Put numbers into cells and recalculate; return the first new error and its text."""
        for region, values in moves.items():
            if not np.isfinite(values).all():
                return region.first, "no number"
            self._cells.write(self._id, region, values)
            at = region.slices_in(self._hull)
            self._values[at], self._kinds[at] = values, Kind.NUMBER
            for cell, value in zip(region.cells(), values.ravel().tolist(), strict=True):
                if cell in self._inputs:
                    self._constants[self._inputs[cell]] = value
        if self._fast is not None and self._ran_fast(self._fast):
            return None
        self._take(self._program.recalculate([(self._id, region) for region in moves]))
        return self.first_error(besides=self._errors_at_start)

    def first_error(self, besides: AbstractSet[Cell] = frozenset()) -> tuple[Cell, str] | None:
        """Return the first cell that shows an error, row by row, and what it shows."""
        for cell in self._errors():
            if cell not in besides:
                return cell, ErrorCode(int(self._values[cell])).text
        return None

    def _ran_fast(self, line: StraightLine) -> bool:
        try:
            found = line.run(self._constants)
            if not math.isfinite(math.fsum(found)) and not all(map(math.isfinite, found)):
                return False
        except (ArithmeticError, ValueError):
            return False
        self._values[self._at] = found
        self._kinds[self._at] = Kind.NUMBER
        return True

    def _take(self, results: Sequence[Computed]) -> None:
        for result in results:
            if result.sheet == self._id:
                at = result.region.slices_in(self._hull)
                self._values[at], self._kinds[at] = result.values, result.kinds

    def _errors(self) -> list[Cell]:
        """Return the cells that show an error, row by row."""
        rows, cols = np.nonzero(self._kinds == Kind.ERROR)
        return [Cell(int(r), int(c)) for r, c in zip(rows, cols, strict=True)]

    def computed(self) -> list[Computed]:
        """Return the values of every formula."""
        found = []
        for region in self._regions:
            at = region.slices_in(self._hull)
            values, kinds = self._values[at].copy(), self._kinds[at].copy()
            found.append(Computed(self._id, region, values, kinds))
        return found
