"""What a computation hands back: values and kinds of regions.

Owns Computed and the fitting of arrays into the region of an array formula.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gradsheet.formula.address import Region
from gradsheet.formula.areas import Part
from gradsheet.formula.batch import ERROR, Batch
from gradsheet.formula.blocks import Block
from gradsheet.formula.values import ErrorCode
from gradsheet.formula.windows import Plane


@dataclass(frozen=True, slots=True)
class Computed:
    """New values of a region; `values` float64 and `kinds` uint8 have the region's shape."""

    sheet: int
    region: Region
    values: npt.NDArray[np.float64]
    kinds: npt.NDArray[np.uint8]


def as_computed(
    sheet: int, region: Region, values: npt.NDArray[np.float64], kinds: npt.NDArray[np.uint8]
) -> Computed:
    """A result with arrays of its own."""
    return Computed(sheet, region, np.array(values), np.array(kinds))


def of_part(
    part: Part, values: npt.NDArray[np.float64], kinds: npt.NDArray[np.uint8]
) -> Iterator[Computed]:
    """Values (part.rows, part.cols) of cells at distances, as regions without gaps."""
    if part.row_stride == 1 and part.col_stride == 1:
        yield as_computed(part.sheet, part.region, values, kinds)
        return
    if part.col_stride == 1:
        for r in range(part.rows):
            top = part.top + r * part.row_stride
            region = Region(top, part.left, top + 1, part.left + part.cols)
            yield as_computed(part.sheet, region, values[r : r + 1], kinds[r : r + 1])
        return
    for c in range(part.cols):
        left = part.left + c * part.col_stride
        if part.row_stride == 1:
            region = Region(part.top, left, part.top + part.rows, left + 1)
            yield as_computed(part.sheet, region, values[:, c : c + 1], kinds[:, c : c + 1])
            continue
        for r in range(part.rows):
            region = Region.of((part.top + r * part.row_stride, left))
            yield as_computed(
                part.sheet, region, values[r : r + 1, c : c + 1], kinds[r : r + 1, c : c + 1]
            )


class Results:
    """Everything one recalculation computed, the newest for every block."""

    def __init__(self) -> None:
        self._found: dict[tuple[int, object], list[Computed]] = {}

    def add(self, computed: Computed) -> None:
        """Take one region."""
        self._found[computed.sheet, computed.region] = [computed]

    def add_from(self, plane: Plane, block: Block) -> None:
        """Take the cells of a block from a plane."""
        if block.array is not None:
            slices = block.array.slices_in(plane.region)
            self.add(
                as_computed(block.sheet, block.array, plane.values[slices], plane.kinds[slices])
            )
            return
        slices = block.part.slices
        self._found[block.sheet, block.part] = list(
            of_part(block.part, plane.values[slices], plane.kinds[slices])
        )

    def all(self) -> list[Computed]:
        """The regions in the order in which they were first computed."""
        return [computed for group in self._found.values() for computed in group]


def fitted(
    batch: Batch, region: Region
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.uint8]]:
    """An array in the region of an array formula: one row or column repeats, gaps are #N/A."""
    rows, cols = region.shape
    num = batch.num[0, 0].detach().numpy()
    kind = batch.kind
    kinds = (
        np.full(num.shape, kind, np.uint8)
        if isinstance(kind, int)
        else np.broadcast_to(kind.expand(batch.num.shape)[0, 0].numpy(), num.shape)
    )
    num = np.broadcast_to(num, (rows if num.shape[0] == 1 else num.shape[0],
                                cols if num.shape[1] == 1 else num.shape[1]))  # fmt: skip
    kinds = np.broadcast_to(kinds, num.shape)
    values = np.full((rows, cols), float(ErrorCode.NA))
    out = np.full((rows, cols), ERROR, np.uint8)
    height, width = min(rows, num.shape[0]), min(cols, num.shape[1])
    values[:height, :width] = num[:height, :width]
    out[:height, :width] = kinds[:height, :width]
    return values, out
