"""What is selected: the current cell, the regions around it and how keys and clicks change them.

Owns the rules that hands know from other spreadsheets. It knows the extent of the sheet and
nothing else: no pixels, no values, no widget.
"""

from __future__ import annotations

from collections.abc import Sequence

from gradsheet.formula.address import Cell, Region


class Selection:
    """A current cell and at least one region; the last region is the one that stretches.

    Parameters
    ----------
    rows, cols : int
        Extent of the sheet; nothing outside can be selected.
    """

    __slots__ = ("_reach", "cols", "current", "regions", "rows")

    def __init__(self, rows: int, cols: int) -> None:
        self.rows = rows
        self.cols = cols
        self.current = Cell(0, 0)
        self.regions: list[Region] = [Region.of(self.current)]
        self._reach = self.current

    @property
    def reach(self) -> Cell:
        """The corner that Shift moves; opposite to the current cell."""
        return self._reach

    @property
    def region(self) -> Region:
        """The region that stretches."""
        return self.regions[-1]

    @property
    def is_single(self) -> bool:
        """Whether exactly one cell is selected."""
        return len(self.regions) == 1 and self.region.size == 1

    def clamp(self, cell: tuple[int, int]) -> Cell:
        """The nearest cell that is on the sheet."""
        row, col = cell
        return Cell(min(max(row, 0), self.rows - 1), min(max(col, 0), self.cols - 1))

    def collapse(self, cell: tuple[int, int]) -> None:
        """Select one cell."""
        self.current = self._reach = self.clamp(cell)
        self.regions = [Region.of(self.current)]

    def stretch(self, cell: tuple[int, int]) -> None:
        """Move the reach: the stretching region then spans from the current cell to it."""
        self._reach = self.clamp(cell)
        self.regions[-1] = _between(self.current, self._reach)

    def replace(
        self, regions: Sequence[Region] | Region, current: tuple[int, int] | None = None
    ) -> None:
        """Select given regions, clipped to the sheet; empty ones are left out."""
        given = [regions] if isinstance(regions, Region) else list(regions)
        whole = Region(0, 0, self.rows, self.cols)
        kept = [part for r in given if (part := r.intersect(whole)) is not None]
        if not kept:
            self.collapse(current or self.current)
            return
        self.regions = kept
        last = kept[-1]
        inside = current is not None and any(r.contains(current) for r in kept)
        self.current = Cell(*current) if inside and current else Cell(last.top, last.left)
        self._reach = _opposite(last, self.current)

    def add(self, cell: tuple[int, int]) -> None:
        """Begin another region at a cell, as Ctrl+click does."""
        self.current = self._reach = self.clamp(cell)
        self.regions.append(Region.of(self.current))

    def wander(self, cell: tuple[int, int]) -> None:
        """Move the region that was begun last, while it is one cell, as Shift+F8 lets arrows do."""
        self.current = self._reach = self.clamp(cell)
        self.regions[-1] = Region.of(self.current)

    def turn_corner(self) -> None:
        """Make the next corner of the stretching region the current cell, clockwise."""
        region = self.region
        low, right = region.bottom - 1, region.right - 1
        corners = [
            Cell(region.top, region.left), Cell(region.top, right),
            Cell(low, right), Cell(low, region.left),
        ]  # fmt: skip
        at = corners.index(self.current) if self.current in corners else -1
        self.current = corners[(at + 1) % 4]
        self._reach = _opposite(region, self.current)

    def span_rows(self, first: int, last: int, keep: int = 0) -> None:
        """Select whole rows, in either order; the first one is current.

        The first `keep` regions stay selected, as with Ctrl.
        """
        top, bottom = sorted((first, last))
        kept = self.regions[:keep]
        self.replace([*kept, Region(top, 0, bottom + 1, self.cols)], Cell(first, 0))
        self._reach = Cell(last, self.cols - 1)

    def span_columns(self, first: int, last: int, keep: int = 0) -> None:
        """Select whole columns, in either order; the first one is current; see `span_rows`."""
        left, right = sorted((first, last))
        kept = self.regions[:keep]
        self.replace([*kept, Region(0, left, self.rows, right + 1)], Cell(0, first))
        self._reach = Cell(self.rows - 1, last)

    def cycle(self, forward: bool, by_rows: bool) -> None:
        """Move the current cell inside a selection of several cells, as Enter and Tab do.

        Parameters
        ----------
        forward : bool
            False for the Shift key.
        by_rows : bool
            Whether to go along a row first (Tab) or down a column first (Enter).
        """
        place = next(i for i, r in enumerate(self.regions) if r.contains(self.current))
        region = self.regions[place]
        major, minor = (region.rows, region.cols) if by_rows else (region.cols, region.rows)
        row, col = self.current.row - region.top, self.current.col - region.left
        position = row * minor + col if by_rows else col * minor + row
        position += 1 if forward else -1
        if not 0 <= position < major * minor:
            place = (place + (1 if forward else -1)) % len(self.regions)
            region = self.regions[place]
            position = 0 if forward else region.size - 1
            minor = region.cols if by_rows else region.rows
        first, second = divmod(position, minor)
        row, col = (first, second) if by_rows else (second, first)
        self.current = Cell(region.top + row, region.left + col)
        self._reach = _opposite(self.region, self.current)


def _between(a: Cell, b: Cell) -> Region:
    return Region(min(a.row, b.row), min(a.col, b.col), max(a.row, b.row) + 1,
                  max(a.col, b.col) + 1)  # fmt: skip


def _opposite(region: Region, cell: Cell) -> Cell:
    """The corner of the region that lies across from a cell at another corner."""
    row = region.top if cell.row == region.bottom - 1 and region.rows > 1 else region.bottom - 1
    col = region.left if cell.col == region.right - 1 and region.cols > 1 else region.right - 1
    return Cell(row, col)
