"""The cells that a program computes on.

Owns the planes: what formulas may use of each sheet is read into them, new constants are taken
in, and what was typed over a spilled result is remembered. Knows no order of computation.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.blocks import Block
from gradsheet.formula.graph import Graph, Inputs
from gradsheet.formula.windows import Plane, Planes, check_size

_BAND_CELLS = 1 << 20
"""Cells read at a time: a table of millions has planes, but is never held in passing as well."""


class Storage:
    """Planes of a workbook, filled from it.

    Attributes
    ----------
    planes : the cells, constants and computed ones
    obstructions : by sheet, cells that were typed into where a formula had spilled
    """

    def __init__(self, inputs: Inputs) -> None:
        self._inputs = inputs
        self.planes = Planes({})
        self.obstructions: dict[int, set[Cell]] = {}

    def load(self, graph: Graph) -> None:
        """Read every cell that formulas may use."""
        planes = {}
        for sheet in self._inputs.sheet_ids():
            hull = _wanted(self._inputs, graph, sheet)
            check_size(*hull.shape)
            values, kinds = np.empty(hull.shape), np.empty(hull.shape, np.uint8)
            for band in _bands(hull):
                values[band.top : band.bottom], kinds[band.top : band.bottom] = self._inputs.read(
                    sheet, band
                )
            planes[sheet] = Plane(values, kinds)
        self.planes = Planes(planes, self._reach())

    def _reach(self) -> tuple[int, int]:
        used = [self._inputs.used(sheet) for sheet in self._inputs.sheet_ids()]
        return (
            max((region.bottom for region in used), default=1) or 1,
            max((region.right for region in used), default=1) or 1,
        )

    def cover(self, sheet: int, region: Region) -> None:
        """Have what a sheet holds in a region on its plane."""
        plane = self.planes.planes[sheet]
        held = region.intersect(self._inputs.used(sheet))
        if held is not None and not plane.region.contains(held):
            self.make_room(sheet, held.bottom + held.bottom // 8, held.right + held.right // 8)

    def make_room(self, sheet: int, rows: int, cols: int) -> None:
        """Have a plane reach so far, with what the sheet holds there."""
        plane = self.planes.planes[sheet]
        before = plane.region
        plane.grow(rows, cols)
        for new in plane.region.subtract(before):
            values, kinds = self._inputs.read(sheet, new)
            plane.write(new.slices_in(plane.region), values, kinds)

    def refresh(self, graph: Graph, sheet: int, region: Region) -> None:
        """Take new constants; formula cells keep what was computed."""
        plane = self.planes.planes.get(sheet)
        if plane is None:
            return
        if region.bottom > self.planes.reach[0] or region.right > self.planes.reach[1]:
            self.planes.reach = self._reach()
        if not plane.region.contains(region):
            self.cover(sheet, _wanted(self._inputs, graph, sheet))
        inner = region.intersect(plane.region)
        if inner is None:
            return
        for band in _bands(inner):
            self._refresh(plane, graph, sheet, band)

    def _refresh(self, plane: Plane, graph: Graph, sheet: int, inner: Region) -> None:
        """Take new constants of a region inside of the plane."""
        values, kinds = self._inputs.read(sheet, inner)
        slices = inner.slices_in(plane.region)
        for index in graph.blocks_in(sheet, inner):
            block = graph.blocks[index]
            kept = self._typed_over(block, inner, values, kinds) if block.dynamic else {}
            for rows, cols in _local_slices(block, inner):
                values[rows, cols] = plane.values[slices][rows, cols]
                kinds[rows, cols] = plane.kinds[slices][rows, cols]
            for at, (value, kind) in kept.items():
                values[at], kinds[at] = value, kind
        plane.write(slices, values, kinds)

    def _typed_over(
        self,
        block: Block,
        inner: Region,
        values: npt.NDArray[np.float64],
        kinds: npt.NDArray[np.uint8],
    ) -> dict[tuple[int, int], tuple[float, int]]:
        """What was typed into cells that a formula spilled into, by its place in `inner`.

        A cell that holds what the formula put there was not typed into.
        """
        plane = self.planes.planes[block.sheet]
        held = self.obstructions.setdefault(block.sheet, set())
        shared = block.region.intersect(inner)
        kept = {}
        for cell in shared.cells() if shared is not None else ():
            at = (cell.row - inner.top, cell.col - inner.left)
            same = (values[at], kinds[at]) == (plane.values[cell], plane.kinds[cell])
            if cell == block.part.host or not kinds[at] or (same and cell not in held):
                held.discard(cell)
                continue
            held.add(cell)
            kept[at] = (float(values[at]), int(kinds[at]))
        return kept


def _bands(region: Region) -> Iterator[Region]:
    """Rows of a region, so many at a time that what is read of them takes little memory."""
    height = max(_BAND_CELLS // max(region.cols, 1), 1)
    for top in range(region.top, region.bottom, height):
        bottom = min(top + height, region.bottom)
        yield Region(top, region.left, bottom, region.right)


def _wanted(inputs: Inputs, graph: Graph, sheet: int) -> Region:
    """From A1 to the last cell of a sheet that is computed, or held and read."""
    used = inputs.used(sheet)
    bottom, right = 1, 1
    for block, areas in zip(graph.blocks, graph.reads, strict=True):
        if block.sheet == sheet:
            bottom, right = max(bottom, block.region.bottom), max(right, block.region.right)
        for area in areas:
            if area.sheet == sheet:
                hull = area.hull(block.part.rows, block.part.cols)
                bottom = max(bottom, min(hull.bottom, used.bottom))
                right = max(right, min(hull.right, used.right))
    return Region(0, 0, bottom, right)


def _local_slices(block: Block, inner: Region) -> Iterator[tuple[slice, slice]]:
    part = block.part
    if block.array is not None:
        shared = block.array.intersect(inner)
        if shared is not None:
            yield shared.slices_in(inner)
        return
    rows = [r - inner.top for r in range(*part.slices[0].indices(1 << 31))
            if inner.top <= r < inner.bottom]  # fmt: skip
    cols = [c - inner.left for c in range(*part.slices[1].indices(1 << 31))
            if inner.left <= c < inner.right]  # fmt: skip
    if rows and cols:
        yield (
            slice(rows[0], rows[-1] + 1, part.row_stride),
            slice(cols[0], cols[-1] + 1, part.col_stride),
        )
