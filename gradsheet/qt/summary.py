"""Sum, average and count of a selection.

Owns the counting, and when it is done anew while cells change sixty times a second. Regions are
clipped to the used part of the sheet: selecting a whole column costs what is in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from gradsheet.formula.address import Region
from gradsheet.formula.values import Kind

if TYPE_CHECKING:
    from gradsheet.qt.grid.view import GridView
    from gradsheet.sheet.cells import CellStore

ROWS_AT_ONCE = 4096
PAUSE_MS = 100
MOST_CELLS = 4_000_000
"""Above this no sum is shown: it would hold the window up for longer than a glance."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What the numbers of a selection add up to.

    Attributes
    ----------
    cells : int
        Selected cells.
    count : int
        Those that are not blank.
    numbers : int
        Those that are numbers.
    total : float
        Sum of the numbers.
    """

    cells: int
    count: int
    numbers: int
    total: float


def summarise(cells: CellStore, regions: Sequence[Region]) -> Summary | None:
    """Add up the numbers in `regions`; None if there are too many cells to do it at once.

    A cell that lies in two regions counts once.
    """
    used = cells.used()
    parts: list[Region] = []
    for region in regions:
        clipped = region.intersect(used)
        pieces = [clipped] if clipped is not None and not clipped.is_empty else []
        for earlier in parts:
            pieces = [rest for piece in pieces for rest in piece.subtract(earlier)]
        parts.extend(pieces)
    if sum(part.size for part in parts) > MOST_CELLS:
        return None
    count = numbers = 0
    total = 0.0
    for part in parts:
        for top in range(part.top, part.bottom, ROWS_AT_ONCE):
            band = Region(top, part.left, min(top + ROWS_AT_ONCE, part.bottom), part.right)
            values, kinds = cells.read(band)
            count += int(np.count_nonzero(kinds != Kind.BLANK))
            is_number = kinds == Kind.NUMBER
            numbers += int(np.count_nonzero(is_number))
            total += float(values[is_number].sum())
    return Summary(sum(region.size for region in regions), count, numbers, total)


class SelectionSummary(QObject):
    """Adds up the selection of a grid, ten times a second at most.

    Parameters
    ----------
    grid : GridView
    parent : QObject
    """

    summarised = Signal(object)
    """A `Summary`, or None for a single cell or too many."""

    def __init__(self, grid: GridView, parent: QObject) -> None:
        super().__init__(parent)
        self._grid = grid
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self._summarise)
        grid.selection_changed.connect(self.refresh)

    def refresh(self) -> None:
        """Add up anew soon."""
        if not self._timer.isActive():
            self._timer.start()

    def stop(self) -> None:
        """Add up nothing any more."""
        self._timer.stop()

    def _summarise(self) -> None:
        regions = self._grid.selection
        if sum(region.size for region in regions) < 2:
            self.summarised.emit(None)
        else:
            self.summarised.emit(summarise(self._grid.sheet.cells, regions))
