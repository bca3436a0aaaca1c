"""The column in which a sheet of epochs logs the error of each.

Owns how the rows of the log lie beside the epochs, and what it says of one that was changed
afterwards. Knows neither run nor document.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import Kind

if TYPE_CHECKING:
    from gradsheet.formula.results import Computed
    from gradsheet.learn.trace import LossTrace
    from gradsheet.sheet.cells import CellStore

LOG_ROWS = 10_000


class ErrorLog:
    """How a log belongs to its epochs.

    Attributes
    ----------
    shift : int
        Row of the log, from 0, in which the error of epoch 1 stands (or would stand).
    changed : mapping of int to float
        What the log says of an epoch that was changed afterwards.
    """

    def __init__(self) -> None:
        self.shift = 0
        self.changed: Mapping[int, float] = {}

    def begin(self, row: int, step: int) -> None:
        """Note that the next epoch after `step` writes into this row of the log."""
        if row < LOG_ROWS:
            self.shift = row - step

    def note_changed(self, trace: LossTrace, step: int) -> None:
        """Keep the error that the log has of an epoch which is going to be shown anew."""
        known = {s: e for s, e in self.changed.items() if s < step}
        steps, losses = trace.arrays()
        at = int(steps.searchsorted(step))
        if at < len(steps):
            known[step] = float(losses[at])
        self.changed = known

    def at_step(
        self, sheet: int, start: Cell, cells: CellStore, trace: LossTrace, step: int
    ) -> Computed:
        """Return the log as it was at a step."""
        from gradsheet.formula.results import Computed

        top, column = start.row, start.col
        rows = min(max(cells.used().bottom - top, self.shift + step, 1), LOG_ROWS)
        region = Region(top, column, top + rows, column + 1)
        values, kinds = cells.read(region)
        steps, losses = trace.arrays()
        at = steps[1:] + (self.shift - 1)
        inside = (at >= 0) & (at < rows) & (steps[1:] <= step)
        values[at[inside], 0], kinds[at[inside], 0] = losses[1:][inside], Kind.NUMBER
        for epoch, error in self.changed.items():
            if 0 <= (row := epoch + self.shift - 1) < rows:
                values[row, 0] = error
        left = max(0, self.shift + step)
        values[left:], kinds[left:] = 0.0, Kind.BLANK
        return Computed(sheet, region, values, kinds)

    def region(self, start: Cell, cells: CellStore) -> Region:
        """Return the cells that hold the log or may come to hold it."""
        top = start.row
        bottom = min(max(cells.used().bottom, top + LOG_ROWS), top + 2 * LOG_ROWS)
        return Region(top, start.col, bottom, start.col + 1)
