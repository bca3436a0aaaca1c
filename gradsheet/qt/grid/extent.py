"""How far a sheet reaches: the rows and columns that the grid can show.

Owns the default extent. A sheet that stands for a table says its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from gradsheet.formula.address import MAX_COLS, MAX_ROWS, Region
from gradsheet.sheet.workbook import Sheet


@dataclass(frozen=True, slots=True)
class Extent:
    """Number of rows and columns."""

    rows: int
    cols: int

    @property
    def region(self) -> Region:
        """All cells."""
        return Region(0, 0, self.rows, self.cols)


def extent_of(sheet: Sheet) -> Extent:
    """The sheet's own `extent` where it has one, else Excel's size, or more if more is used."""
    own = getattr(sheet, "extent", None)
    if isinstance(own, Region):
        return Extent(own.bottom, own.right)
    used = sheet.cells.used()
    return Extent(max(MAX_ROWS, used.bottom), max(MAX_COLS, used.right))
