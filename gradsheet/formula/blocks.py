"""Blocks, and which block computes a cell.

Owns Block and the map from cells to blocks of one sheet. Knows no dependencies and no torch.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gradsheet.formula.address import Region
from gradsheet.formula.areas import Part
from gradsheet.formula.syntax import Expr


@dataclass(frozen=True, slots=True)
class Block:
    """Cells that share one relative formula, in a rectangle (with strides).

    Parameters
    ----------
    index : its place in `Graph.blocks`
    part : its cells
    expr : the formula with names and tables resolved
    array : region of an array formula, or where a dynamic one spills now
    dynamic : whether its result may spill
    """

    index: int
    part: Part
    expr: Expr
    array: Region | None = None
    dynamic: bool = False

    @property
    def sheet(self) -> int:
        """Id of its sheet."""
        return self.part.sheet

    @property
    def region(self) -> Region:
        """The smallest region around its cells (around its results, for an array)."""
        return self.part.region if self.array is None else self.array


class OwnerMap:
    """Which block computes a cell, on one sheet."""

    DENSE_LIMIT = 40_000_000

    def __init__(self, blocks: Iterable[Block]) -> None:
        self._blocks = list(blocks)
        hull = Region(0, 0, 0, 0)
        for block in self._blocks:
            hull = hull.union_hull(block.region)
        self._hull = hull
        self._plane: npt.NDArray[np.int32] | None = None
        if hull.size <= self.DENSE_LIMIT:
            self._plane = np.full(hull.shape, -1, dtype=np.int32)
            for block in self._blocks:
                self._plane[self._local(_slices(block))] = block.index

    def at(self, cell: tuple[int, int]) -> int | None:
        """Index of the block that computes a cell."""
        if not self._hull.contains(cell):
            return None
        if self._plane is not None:
            found = int(self._plane[cell[0] - self._hull.top, cell[1] - self._hull.left])
            return None if found < 0 else found
        one = (slice(cell[0], cell[0] + 1), slice(cell[1], cell[1] + 1))
        for index in self.within(one):
            return index
        return None

    def within(self, slices: tuple[slice, slice]) -> set[int]:
        """Indices of the blocks that compute any cell in the slices."""
        rows, cols = slices
        hull = self._hull
        if rows.start >= hull.bottom or cols.start >= hull.right:
            return set()
        if rows.stop <= hull.top or cols.stop <= hull.left:
            return set()
        if self._plane is None:
            return {block.index for block in self._blocks if _overlap(_slices(block), slices)}
        seen = self._plane[self._local(slices)]
        if seen.size == 0:
            return set()
        first = int(seen.flat[0])
        if seen.size == 1 or bool((seen == first).all()):
            return set() if first < 0 else {first}
        return {int(index) for index in np.unique(seen) if index >= 0}

    def _local(self, slices: tuple[slice, slice]) -> tuple[slice, slice]:
        return (
            _moved(slices[0], self._hull.top),
            _moved(slices[1], self._hull.left),
        )


def _slices(block: Block) -> tuple[slice, slice]:
    if block.array is None:
        return block.part.slices
    region = block.array
    return slice(region.top, region.bottom, 1), slice(region.left, region.right, 1)


def _moved(part: slice, origin: int) -> slice:
    start = part.start - origin
    if start < 0:  # the first place of the stride that is not before the origin
        start += -(start // part.step) * part.step
    return slice(start, max(0, part.stop - origin), part.step)


def _overlap(a: tuple[slice, slice], b: tuple[slice, slice]) -> bool:
    return all(
        max(x.start, y.start) < min(x.stop, y.stop)
        and bool(set(range(*x.indices(x.stop))) & set(range(*y.indices(y.stop))))
        for x, y in zip(a, b, strict=True)
    )
