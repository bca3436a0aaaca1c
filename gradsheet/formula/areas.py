"""Where a reference points, for every cell of a block at once, and rectangles of cells.

Owns Area (a rectangle that follows the block's cell by fixed steps), Scatter (places found by
computing), and the decomposition of cells into strided rectangles. Knows no values, no torch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gradsheet.formula.address import MAX_COLS, MAX_ROWS, Cell, Region
from gradsheet.formula.nodes import Columns, Ref, Rows, span_of
from gradsheet.formula.syntax import Range


class Part(NamedTuple):
    """Cells at equal distances: `rows` x `cols` of them from (top, left)."""

    sheet: int
    top: int
    left: int
    rows: int
    cols: int
    row_stride: int = 1
    col_stride: int = 1

    @property
    def region(self) -> Region:
        """The smallest region around the cells."""
        return Region(
            self.top,
            self.left,
            self.top + (self.rows - 1) * self.row_stride + 1,
            self.left + (self.cols - 1) * self.col_stride + 1,
        )

    @property
    def host(self) -> Cell:
        """The first cell."""
        return Cell(self.top, self.left)

    @property
    def slices(self) -> tuple[slice, slice]:
        """Where the cells are in an array that starts at A1."""
        region = self.region
        return (
            slice(region.top, region.bottom, self.row_stride),
            slice(region.left, region.right, self.col_stride),
        )

    def cells(self) -> Iterator[Cell]:
        """Every cell, row by row."""
        for r in range(self.rows):
            for c in range(self.cols):
                yield Cell(self.top + r * self.row_stride, self.left + c * self.col_stride)


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle of cells that moves by a step from one row or column of the block to the next.

    `row_step` and `col_step` are 0 where the reference is absolute, or the block has one row
    or column. `dynamic` areas were computed and are not among the edges of the graph.
    """

    sheet: int
    top: int
    left: int
    height: int
    width: int
    row_step: int = 0
    col_step: int = 0
    dynamic: bool = False

    @property
    def is_cell(self) -> bool:
        """Whether every cell of the block sees a single cell."""
        return self.height == 1 and self.width == 1

    def hull(self, rows: int, cols: int) -> Region:
        """All cells that a block of so many rows and columns sees."""
        return Region(
            self.top,
            self.left,
            self.top + (rows - 1) * self.row_step + self.height,
            self.left + (cols - 1) * self.col_step + self.width,
        )


@dataclass(frozen=True, slots=True)
class Scatter:
    """Areas of one size whose places were computed cell by cell.

    `tops` and `lefts` int64 and `errors` float64 (codes, 0 for none) broadcast to the block's
    shape. Rows and columns below 0 never occur where there is no error.
    """

    sheet: int
    tops: npt.NDArray[np.int64]
    lefts: npt.NDArray[np.int64]
    height: int
    width: int
    errors: npt.NDArray[np.float64] | None = None

    @property
    def is_cell(self) -> bool:
        """Whether every cell of the block sees a single cell."""
        return self.height == 1 and self.width == 1


@dataclass(frozen=True, slots=True)
class Areas:
    """Several references as one, `(A1:B2,D4)`."""

    parts: tuple[Area | Scatter, ...]


def area_of(node: Ref | Range | Columns | Rows, sheet: int, part: Part) -> Area | None:
    """Where a reference points from every cell of a block, None where it leaves the sheet.

    The block must not be one that `is_ragged` or that `leaves_sheet` in some of its cells only.
    """
    match node:
        case Ref():
            rows = _span(node.row, node.row, node.row_abs, node.row_abs, part.top)
            cols = _span(node.col, node.col, node.col_abs, node.col_abs, part.left)
            row_abs, col_abs = node.row_abs, node.col_abs
        case Range(a, b):
            rows = _span(a.row, b.row, a.row_abs, b.row_abs, part.top)
            cols = _span(a.col, b.col, a.col_abs, b.col_abs, part.left)
            row_abs, col_abs = a.row_abs, a.col_abs
        case Columns():
            rows, row_abs = (0, MAX_ROWS - 1), True
            cols, col_abs = span_of(node, part.left), node.first_abs
        case Rows():
            cols, col_abs = (0, MAX_COLS - 1), True
            rows, row_abs = span_of(node, part.top), node.first_abs
    row_step = 0 if row_abs or part.rows == 1 else part.row_stride
    col_step = 0 if col_abs or part.cols == 1 else part.col_stride
    if rows[0] < 0 or cols[0] < 0:
        return None
    if rows[1] + (part.rows - 1) * row_step >= MAX_ROWS:
        return None
    if cols[1] + (part.cols - 1) * col_step >= MAX_COLS:
        return None
    return Area(
        sheet, rows[0], cols[0], rows[1] - rows[0] + 1, cols[1] - cols[0] + 1, row_step, col_step
    )


def _span(first: int, last: int, first_abs: bool, last_abs: bool, host: int) -> tuple[int, int]:
    a = first if first_abs else host + first
    b = last if last_abs else host + last
    return (a, b) if a <= b else (b, a)


def is_ragged(node: object) -> tuple[bool, bool]:
    """Whether a range grows from row to row, and from column to column, as `A$1:A5` does."""
    match node:
        case Range(a, b):
            return a.row_abs != b.row_abs, a.col_abs != b.col_abs
        case Columns():
            return False, node.first_abs != node.last_abs
        case Rows():
            return node.first_abs != node.last_abs, False
        case _:
            return False, False


def offsets_of(node: object) -> tuple[list[int], list[int]]:
    """The relative row offsets and column offsets in a reference."""
    rows: list[int] = []
    cols: list[int] = []
    ends: Iterable[Any] = (node.first, node.last) if isinstance(node, Range) else (node,)
    for end in ends:
        match end:
            case Ref(_, row, col, row_abs, col_abs):
                rows += [] if row_abs else [row]
                cols += [] if col_abs else [col]
            case Columns(_, first, last, first_abs, last_abs):
                cols += ([] if first_abs else [first]) + ([] if last_abs else [last])
            case Rows(_, first, last, first_abs, last_abs):
                rows += ([] if first_abs else [first]) + ([] if last_abs else [last])
    return rows, cols


def footprint(area: Area, rows: int, cols: int) -> Iterator[tuple[slice, slice]]:
    """Slices of exactly the cells that a block sees through an area."""
    for row_slice in _axis(area.top, area.height, area.row_step, rows):
        for col_slice in _axis(area.left, area.width, area.col_step, cols):
            yield row_slice, col_slice


def _axis(start: int, extent: int, step: int, count: int) -> list[slice]:
    end = start + (count - 1) * step
    if step <= extent or count == 1:
        return [slice(start, end + extent, 1)]
    return [slice(start + k, end + k + 1, step) for k in range(extent)]


def rectangles(cells: Iterable[tuple[int, int]]) -> list[tuple[int, int, int, int, int, int]]:
    """Cells as strided rectangles: (top, left, rows, columns, row stride, column stride).

    Rows are cut into runs of equal distance, and rows with the same run at equal distances are
    joined. The result covers every cell once.
    """
    by_row: dict[int, list[int]] = {}
    for row, col in cells:
        by_row.setdefault(row, []).append(col)
    by_run: dict[tuple[int, int, int], list[int]] = {}
    for row in sorted(by_row):
        for run in _runs(sorted(by_row[row])):
            by_run.setdefault(run, []).append(row)
    found = []
    for (left, cols, col_stride), rows in by_run.items():
        for top, count, row_stride in _runs(rows):
            found.append((top, left, count, cols, row_stride, col_stride))
    return sorted(found)


def _runs(places: list[int]) -> list[tuple[int, int, int]]:
    """Ascending numbers as (first, count, distance); adjacent ones are kept together first."""
    adjacent: list[tuple[int, int]] = []
    start = previous = places[0]
    for place in places[1:]:
        if place != previous + 1:
            adjacent.append((start, previous - start + 1))
            start = place
        previous = place
    adjacent.append((start, previous - start + 1))
    runs: list[tuple[int, int, int]] = []
    i = 0
    while i < len(adjacent):
        first, count = adjacent[i]
        last = i
        if count == 1 and i + 1 < len(adjacent) and adjacent[i + 1][1] == 1:
            distance = adjacent[i + 1][0] - first
            while (
                last + 1 < len(adjacent)
                and adjacent[last + 1] == (adjacent[last][0] + distance, 1)
            ):  # fmt: skip
                last += 1
            runs.append((first, last - i + 1, distance))
        else:
            runs.append((first, count, 1))
        i = last + 1
    return runs
