"""Cells as tensors: one plane per sheet, with computed pieces laid over it for objectives.

Owns the storage that a program computes on and the reading of windows: a direct view of one
source where possible, a composition where a window spans several. Knows no formulas.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gradsheet.formula import trace
from gradsheet.formula.address import Region
from gradsheet.formula.areas import Area, Part, Scatter
from gradsheet.formula.batch import BLANK, ERROR, Batch
from gradsheet.formula.values import ErrorCode, UserError

Window: TypeAlias = tuple[Tensor, int | Tensor]
"""Numbers (rows, columns) float64 and their kind or kinds uint8."""


MOST_CELLS = 400_000_000
"""Cells between A1 and the last one that formulas of a sheet use; 3.6 GB."""


def check_size(rows: int, cols: int) -> None:
    """Raise UserError if a plane of this size would not fit in memory."""
    if rows * cols > MOST_CELLS:
        raise UserError(
            f"Formulas use cells as far as row {rows:,} and column {cols:,} of one sheet.",
            hint="Move them closer together, or name shorter ranges.",
        )


class Plane:
    """Values and kinds of one sheet from A1 to the last cell that matters.

    A plane holds at most `MOST_CELLS`.
    """

    def __init__(self, values: npt.NDArray[np.float64], kinds: npt.NDArray[np.uint8]) -> None:
        self._set(values, kinds)
        self.is_shared = False

    def _set(self, values: npt.NDArray[np.float64], kinds: npt.NDArray[np.uint8]) -> None:
        self.values = values
        self.kinds = kinds
        self.rows, self.cols = values.shape
        self._numbers = torch.from_numpy(values)
        self._kind_tensor = torch.from_numpy(kinds)

    def grow(self, rows: int, cols: int) -> None:
        """Make room for so many rows and columns, blank where new."""
        if rows <= self.rows and cols <= self.cols:
            return
        check_size(max(rows, self.rows), max(cols, self.cols))
        more = ((0, max(0, rows - self.rows)), (0, max(0, cols - self.cols)))
        self._set(np.pad(self.values, more), np.pad(self.kinds, more))
        self.is_shared = False

    def write(
        self,
        slices: tuple[slice, slice] | tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
        values: npt.NDArray[np.float64] | float,
        kinds: npt.NDArray[np.uint8] | int,
    ) -> None:
        """Store values; what a snapshot shares is copied first."""
        if self.is_shared:
            self._set(self.values.copy(), self.kinds.copy())
            self.is_shared = False
        self.values[slices] = values
        self.kinds[slices] = kinds

    def snapshot(self) -> Plane:
        """The plane as it is now; neither side sees what the other writes from here on."""
        twin = Plane(self.values, self.kinds)
        twin.is_shared = self.is_shared = True
        return twin

    def window(self, region: Region) -> Window:
        """Numbers and kinds of a region, blank outside of the plane."""
        if region.bottom > self.rows or region.right > self.cols:
            return self._padded(region)
        rows, cols = slice(region.top, region.bottom), slice(region.left, region.right)
        kinds = self.kinds[rows, cols]
        first = int(kinds[0, 0])
        if kinds.size == 1 or bool((kinds == first).all()):
            return self._numbers[rows, cols], first
        return self._numbers[rows, cols], self._kind_tensor[rows, cols]

    def _padded(self, region: Region) -> Window:
        inner = region.intersect(Region(0, 0, self.rows, self.cols))
        if inner is None:
            return torch.zeros(region.shape, dtype=torch.float64), BLANK
        values, kinds = np.zeros(region.shape), np.zeros(region.shape, dtype=np.uint8)
        values[inner.slices_in(region)] = self.values[inner.slices_in(self.region)]
        kinds[inner.slices_in(region)] = self.kinds[inner.slices_in(self.region)]
        return torch.from_numpy(values), torch.from_numpy(kinds)

    @property
    def region(self) -> Region:
        """All that is stored."""
        return Region(0, 0, self.rows, self.cols)


class Planes:
    """The planes of a workbook.

    Parameters
    ----------
    planes : by sheet, each from A1 to the last cell that a formula reads or computes
    reach : rows and columns of what any sheet holds
    """

    def __init__(self, planes: dict[int, Plane], reach: tuple[int, int] = (1, 1)) -> None:
        self.planes = planes
        self.reach = reach

    def extent(self) -> tuple[int, int]:
        """Rows and columns that whole-column and whole-row references reach, on every sheet."""
        return self.reach

    def window(self, sheet: int, region: Region) -> Window:
        """Numbers and kinds of a region."""
        return self.planes[sheet].window(region)

    def snapshot(self) -> Planes:
        """The values as they are now."""
        planes = {sheet: plane.snapshot() for sheet, plane in self.planes.items()}
        return Planes(planes, self.reach)


class Piece:
    """A computed tensor that stands over the cells of a part."""

    __slots__ = ("kind", "num", "part")

    def __init__(self, part: Part, num: Tensor, kind: int | Tensor) -> None:
        self.part = part
        self.num = num
        self.kind = kind


class Layered(Planes):
    """Planes with pieces over them: parameters, and what was computed from them.

    Nothing is written to the planes, so that gradients flow through the pieces.
    """

    def __init__(self, below: Planes) -> None:
        super().__init__(below.planes, below.extent())
        self._owner: dict[int, npt.NDArray[np.int32]] = {}
        self._locked: dict[int, npt.NDArray[np.bool_]] = {}
        self.pieces: list[Piece] = []

    def lay(
        self, part: Part, num: Tensor, kind: int | Tensor, *, locked: bool = False
    ) -> Piece:
        """Put a tensor (part.rows, part.cols) over the cells of a part.

        Cells under a locked piece keep what that piece gives them.
        """
        owner = self._owner.get(part.sheet)
        if owner is None:
            plane = self.planes[part.sheet]
            owner = self._owner[part.sheet] = np.full((plane.rows, plane.cols), -1, np.int32)
        if locked:
            self._locked.setdefault(part.sheet, np.zeros(owner.shape, np.bool_))[part.slices] = True
            owner[part.slices] = len(self.pieces)
        elif part.sheet in self._locked:
            free = ~self._locked[part.sheet][part.slices]
            owner[part.slices][free] = len(self.pieces)
        else:
            owner[part.slices] = len(self.pieces)
        piece = Piece(part, num, kind)
        self.pieces.append(piece)
        return piece

    def window(self, sheet: int, region: Region) -> Window:
        """Numbers and kinds: a view of one piece, the plane, or a composition of several."""
        owner = self._owner.get(sheet)
        if owner is None:
            return super().window(sheet, region)
        seen = owner[region.top : region.bottom, region.left : region.right]
        first = int(seen[0, 0]) if seen.size else -1
        if seen.size == 0 or (seen.size == region.size and bool((seen == first).all())):
            if first < 0:
                return super().window(sheet, region)
            return _cut(self.pieces[first], region)
        present = [int(i) for i in np.unique(seen) if i >= 0]
        if not present:
            return super().window(sheet, region)
        return self._composed(sheet, region, present, seen)

    def _composed(
        self, sheet: int, region: Region, present: list[int], seen: npt.NDArray[np.int32]
    ) -> Window:
        num, kind = super().window(sheet, region)
        stacked = self._stacked(region, present, num, seen)
        kinds = _kind_plane(kind, region)
        base = num if stacked is None else stacked
        for index in present:
            rows, cols = np.nonzero(seen == index)
            piece = self.pieces[index]
            to = torch.from_numpy(rows * region.cols + cols)
            part = piece.part
            from_rows = (rows + region.top - part.top) // part.row_stride
            from_cols = (cols + region.left - part.left) // part.col_stride
            origin = torch.from_numpy(from_rows * part.cols + from_cols)
            if stacked is None:
                base = pasted(base, to, piece.num, origin)
            if isinstance(piece.kind, int):
                piece_kind = torch.full((len(rows),), piece.kind, dtype=torch.uint8)
                kinds = kinds.reshape(-1).index_copy(0, to, piece_kind).view(region.shape)
            else:
                kinds = pasted(kinds, to, piece.kind.expand(piece.num.shape), origin)
        return base, _one_kind(kinds)

    def _places(self, index: int, region: Region) -> tuple[slice, slice]:
        part = self.pieces[index].part
        rows = _within(part.top, part.rows, part.row_stride, region.top, region.bottom)
        cols = _within(part.left, part.cols, part.col_stride, region.left, region.right)
        return (
            slice(rows[0] - region.top, rows[1] - region.top, rows[2]),
            slice(cols[0] - region.left, cols[1] - region.left, cols[2]),
        )

    def _stacked(
        self, region: Region, present: list[int], below: Tensor, seen: npt.NDArray[np.int32]
    ) -> Tensor | None:
        """Pieces that follow each other down or across the whole window, as one `cat`."""
        places = [(self._places(i, region), i) for i in present]
        for (rows, cols), i in places:
            if len(range(*rows.indices(region.rows))) * len(
                range(*cols.indices(region.cols))
            ) != int((seen == i).sum()):
                return None
        for axis, extent, across in ((0, region.rows, region.cols), (1, region.cols, region.rows)):
            parts: list[Tensor] = []
            at = 0
            order = sorted(range(len(places)), key=[p[0][axis].start for p in places].__getitem__)
            for place, i in (places[k] for k in order):
                along, other = place[axis], place[1 - axis]
                span = range(*along.indices(extent))
                full = range(*other.indices(across)) == range(across)
                if not full or span.start < at or (len(span) > 1 and along.step != 1):
                    break
                if span.start > at:
                    parts.append(below.narrow(axis, at, span.start - at))
                parts.append(_cut(self.pieces[i], region)[0])
                at = span.start + len(span)
            else:
                if at < extent:
                    parts.append(below.narrow(axis, at, extent - at))
                return torch.cat(parts, axis)
        return None


def _within(start: int, count: int, stride: int, low: int, high: int) -> tuple[int, int, int]:
    """The places of a stride that lie in low..high, as (start, stop, step)."""
    first = start if start >= low else start + -(-(low - start) // stride) * stride
    last = min(high, start + (count - 1) * stride + 1)
    return first, max(first, last), stride


def _cut(piece: Piece, region: Region) -> Window:
    part = piece.part
    rows = _within(part.top, part.rows, part.row_stride, region.top, region.bottom)
    cols = _within(part.left, part.cols, part.col_stride, region.left, region.right)
    first_row = (rows[0] - part.top) // part.row_stride
    first_col = (cols[0] - part.left) // part.col_stride
    height, width = len(range(*rows)), len(range(*cols))
    if height == part.rows and width == part.cols:
        return piece.num, piece.kind
    where = (
        slice(first_row, first_row + height),
        slice(first_col, first_col + width),
    )
    if isinstance(piece.kind, int):
        return piece.num[where], piece.kind
    return piece.num[where], piece.kind[where]


def pasted(below: Tensor, to: Tensor, piece: Tensor, origin: Tensor) -> Tensor:
    """`below` with elements `origin` of a piece at its places `to`; differentiable in both."""
    flat = piece.reshape(-1)
    if origin.numel() != flat.numel():
        flat = flat[origin]
    return below.reshape(-1).index_copy(0, to, flat).view(below.shape)


def _kind_plane(kind: int | Tensor, region: Region) -> Tensor:
    if isinstance(kind, int):
        return torch.full(region.shape, kind, dtype=torch.uint8)
    return kind.clone()


def _one_kind(kinds: Tensor) -> int | Tensor:
    if trace.depends(kinds):
        return kinds
    first = int(kinds[0, 0])
    return first if bool((kinds == first).all()) else kinds


def spread(window: Tensor, area: Area, rows: int, cols: int) -> Tensor:
    """The hull of an area as (R|1, C|1, h, w): what each cell of a block sees of it.

    Always a view. `rows` and `cols` are those of the block.
    """
    down = area.row_step > 0 and rows > 1
    right = area.col_step > 0 and cols > 1
    if (down and area.height > 1) or (right and area.width > 1):
        sliding = window.unfold(0, area.height, area.row_step or 1)
        return sliding.unfold(1, area.width, area.col_step or 1)
    if down and area.row_step > 1:
        window = window[:: area.row_step]
    if right and area.col_step > 1:
        window = window[:, :: area.col_step]
    if down:
        return window[:, :, None, None] if right else window[:, None, None, :]
    return window.t()[None, :, :, None] if right else window[None, None]


def read(source: Planes, area: Area, rows: int, cols: int) -> Batch:
    """The values that each cell of a block sees through an area."""
    num, kind = source.window(area.sheet, area.hull(rows, cols))
    if not isinstance(kind, int):
        kind = spread(kind, area, rows, cols)
    return Batch(spread(num, area, rows, cols), kind, direct=False)


def gather(source: Planes, scatter: Scatter) -> Batch:
    """The values at scattered places, errors where a place could not be computed."""
    tops, lefts = scatter.tops, scatter.lefts
    good = None if scatter.errors is None else scatter.errors == 0
    if good is not None:
        if not good.any():
            return Batch(torch.from_numpy(_four(scatter.errors)), ERROR)
        shape = np.broadcast_shapes(tops.shape, lefts.shape, good.shape)
        tops, lefts, good = (np.broadcast_to(x, shape) for x in (tops, lefts, good))
        tops = np.where(good, tops, tops[good].min())
        lefts = np.where(good, lefts, lefts[good].min())
    top, left = int(tops.min()), int(lefts.min())
    bottom, right = int(tops.max()) + scatter.height, int(lefts.max()) + scatter.width
    num, kind = source.window(scatter.sheet, Region(top, left, bottom, right))
    rows = torch.from_numpy(tops - top)[:, :, None, None] + torch.arange(scatter.height)[:, None]
    cols = torch.from_numpy(lefts - left)[:, :, None, None] + torch.arange(scatter.width)
    found = num[rows, cols]
    if not isinstance(kind, int):
        kind = kind[rows, cols]
    if good is None or scatter.errors is None:
        return Batch(found, kind, direct=False)
    errors = torch.from_numpy(_four(scatter.errors))
    kinds = torch.where(errors > 0, ERROR, kind).to(torch.uint8)
    return Batch(torch.where(errors > 0, errors, found), kinds, direct=False)


def _four(codes: npt.NDArray[np.float64] | None) -> npt.NDArray[np.float64]:
    if codes is None:
        return np.full((1, 1, 1, 1), float(ErrorCode.REF))
    return np.array(codes, dtype=np.float64)[:, :, None, None]
