"""What a paint event uncovers of a pane: which cells, where they lie, and what they hold.

Owns the reading of the store for painting, texts that run in from further left included. It
draws nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRect

from gradsheet.formula.address import Region
from gradsheet.formula.values import Kind
from gradsheet.qt.grid.cell_style import CellStyle, CellStyles
from gradsheet.qt.grid.geometry import Layout, Pane
from gradsheet.sheet.cells import CellStore, Floats, Kinds

_OVERRUN_COLUMNS = 24
"""How many columns a text may run over."""


@dataclass(frozen=True, slots=True)
class Part:
    """The cells of a pane that a clip touches: their edges in the viewport, and the clip."""

    rows: range
    cols: range
    xs: list[int]
    ys: list[int]
    clip: QRect


@dataclass(frozen=True, slots=True)
class Block:
    """What the cells of a part hold, and their neighbours where texts run over.

    Attributes
    ----------
    region : Region
        The cells read. The columns from `before` up to `stop`, counted in the block, are the
        part's own; those before are there for their texts, those after for their blanks.
    xs, ys : list of int
        Edges in the viewport, one more than columns and rows.
    values, kinds, styles : rows of the store's float64, its `Kind` and the format
    planes : the same values (rows, cols) float64 and kinds uint8 as arrays
    """

    region: Region
    xs: list[int]
    ys: list[int]
    values: list[list[float]]
    kinds: list[list[int]]
    styles: Sequence[Sequence[CellStyle]]
    before: int
    stop: int
    planes: tuple[Floats, Kinds]


def exposed_part(layout: Layout, pane: Pane, clip: QRect) -> Part:
    """The cells of a pane that a clip touches."""
    rows = layout.rows.visible(clip.top() + pane.shift_y, clip.bottom() + 1 + pane.shift_y)
    cols = layout.columns.visible(clip.left() + pane.shift_x, clip.right() + 1 + pane.shift_x)
    xs = [x - pane.shift_x for x in layout.columns.edges(cols)]
    ys = [y - pane.shift_y for y in layout.rows.edges(rows)]
    return Part(rows, cols, xs, ys, clip)


def read_block(
    layout: Layout, pane: Pane, part: Part, cells: CellStore, styles: CellStyles
) -> Block:
    """Read what a part shows. Cells at the right are read only where there is a text."""
    is_frozen = pane.cols.start < layout.frozen.col
    before = min(_OVERRUN_COLUMNS, part.cols.start - (0 if is_frozen else layout.frozen.col))
    left, right = part.cols.start - before, part.cols.stop
    region = Region(part.rows.start, left, part.rows.stop, right)
    values, kinds = cells.read(region)
    if (kinds == Kind.TEXT).any():
        last = min(layout.frozen.col, layout.columns.count) if is_frozen else layout.columns.count
        right = max(right, min(right + _OVERRUN_COLUMNS, last))
        region = Region(part.rows.start, left, part.rows.stop, right)
        values, kinds = cells.read(region)
    xs = [x - pane.shift_x for x in layout.columns.edges(range(left, right))]
    return Block(
        region,
        xs,
        part.ys,
        values.tolist(),
        kinds.tolist(),
        styles.plane(region),
        before,
        before + len(part.cols),
        (values, kinds),
    )
