"""Runs a sheet of recurrences epoch by epoch: carry the last row's results up, recalculate, log.

Owns `EpochTrainer`, which a document runs like a `Trainer`; here a step is an epoch. The formulas
do the work, so whatever optimizer is written in them is what runs. Works on a copy of the cells.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping
from copy import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.results import Computed
from gradsheet.formula.values import Kind
from gradsheet.learn.epoch_sheet import EpochSheet
from gradsheet.learn.epoch_step import EpochStep
from gradsheet.learn.optimizers import Optimizer, make_optimizer
from gradsheet.learn.pacing import PacedRun, Snapshot
from gradsheet.learn.schedules import Schedule
from gradsheet.learn.sheet_copy import SheetCopy
from gradsheet.learn.trace import LossTrace
from gradsheet.learn.trail import Trail

if TYPE_CHECKING:
    from gradsheet.formula.graph import Inputs
    from gradsheet.learn.trajectory import Recording

Floats = npt.NDArray[np.float64]

LOG_ROWS = 10_000
"""Errors that are written to the sheet; the trace keeps all."""
_NO_DRAWS = torch.Generator().get_state()
"""Epochs draw no random numbers: the state of a generator that nobody asked."""


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
    settings : collection of Cell
        Cells of rates and betas, which belong to a step like what is carried.
    optimizer : Optimizer, optional
        The rule that the sheet holds and its settings, as a record of the run keeps them. It does
        no work here: the formulas do.
    clock : callable
        Seconds, monotonic.

    Attributes
    ----------
    trail : Trail
        (intercept, slope) that every row used, epoch after epoch.
    failed_cell : Cell or None
        The first cell that became an error.
    recording : Recording or None
        Told of every step, so that any of them can be shown again.
    origin : object
        What the run was made from, as its maker notes it for the recording.
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
        settings: Collection[Cell] = (),
        optimizer: Optimizer | None = None,
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
        self.optimizer = optimizer or make_optimizer("sgd")
        self.generator = torch.Generator()
        self.recording: Recording | None = None
        self.origin: object = None
        self._cells = SheetCopy(inputs, epoch.sheet)
        self.log_top = self._end_of_log()
        """The row, from 0, below the errors that the sheet listed at the start."""
        self._log: list[float] = []
        self._writes_log = True
        self._changes: dict[Cell, float] = {}
        self._lock = threading.Lock()
        self._sheet = EpochSheet(self._cells, epoch.sheet)
        self._base = {
            cell: (base or {}).get(cell, self._sheet.number(cell))
            for cell in (epoch.rate, epoch.momentum)
            if cell is not None
        }
        self._kept = self._regions_kept(settings)
        self._note()

    def _regions_kept(self, settings: Collection[Cell]) -> tuple[Region, ...]:
        """Return the regions that make a step: what is carried, rates and betas."""
        regions = list(self.epoch.targets)
        formulas = self._cells.formulas(self.epoch.sheet)
        for cell in (*self._base, *settings):
            is_number = cell not in formulas and math.isfinite(self._sheet.number(cell))
            if is_number and not any(region.contains(cell) for region in regions):
                regions.append(Region.of(cell))
        return tuple(regions)

    # --- the record

    def cells_kept(self) -> list[Cell]:
        """Return the cells whose numbers make a step, in the order of its ``theta``."""
        return [cell for region in self._kept for cell in region.cells()]

    def twin(self) -> EpochTrainer:
        """Return a trainer of the same sheet to make this one's steps again with."""
        other = copy(self)
        other._sheet = self._sheet.twin()
        other.optimizer = self.optimizer.clone()
        other.trace, other.trail, other.recording = LossTrace(), Trail(), None
        other._log, other._changes, other._lock = [], {}, threading.Lock()
        other._writes_log = False
        other._marks = deque()
        return other

    def state_dict(self) -> dict[str, Any]:
        """Return what a step is: the numbers that are carried, and the settings."""
        numbers = [self._sheet.read(region).ravel() for region in self._kept]
        return {
            "step": self._step,
            "theta": torch.from_numpy(np.concatenate(numbers)),
            "optimizer": self.optimizer.state_dict(),
            "generator": _NO_DRAWS,
        }

    def load(self, saved: Mapping[str, Any]) -> None:
        """Go to a state from :meth:`state_dict`: every cell as it was, to the last bit."""
        self._step, self.failure, self.failed_cell = int(saved["step"]), None, None
        self.optimizer.load(saved["optimizer"])
        numbers = saved["theta"].numpy()
        sizes = np.cumsum([region.size for region in self._kept])[:-1]
        parts = np.split(numbers, sizes)
        moves = {r: p.reshape(r.shape) for r, p in zip(self._kept, parts, strict=True)}
        self._sheet.move({r: p for r, p in moves.items() if np.isfinite(p).all()})
        self.trace.truncate(0)
        self._log.clear()
        self.trail.clear()

    def follow(self, trace: LossTrace) -> None:
        """Go on with another trace: points from here on give way to the pass that is shown."""
        trace.truncate(int(trace.arrays()[0].searchsorted(self._step)))
        trace.append(self._step, self.loss)
        self.trace = trace

    @property
    def sheets(self) -> frozenset[int]:
        """The sheet and those that it reads, by id."""
        return self._cells.sheets

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
        """Return the cells that epochs change, and the settings."""
        regions = self._kept
        sheet, read = self.epoch.sheet, self._sheet.read
        return [Computed(sheet, r, read(r), np.full(r.shape, Kind.NUMBER, np.uint8))
                for r in regions]  # fmt: skip

    def _logged(self) -> list[Computed]:
        start, log = self.epoch.log, self._log[:LOG_ROWS]
        if start is None or not log or not self._writes_log:
            return []
        top = self.log_top
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
        if self.recording is not None:
            self.recording.rates_used(self._step, self.optimizer.hyper)
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
        if self.recording is not None:
            self.recording.stepped(self)
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
