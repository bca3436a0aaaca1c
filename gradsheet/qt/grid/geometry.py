"""Where cells are: rows and columns to pixels and back, for sheets of any length.

Owns the arithmetic of sizes, zoom, frozen panes and scroll bars. Offsets are Python integers, so
that 25 million rows at four-fold zoom do not overflow; only what is on the screen becomes Qt's
32-bit coordinates. It knows no document, paints nothing and costs nothing per row.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field

from PySide6.QtCore import QPoint, QRect

from gradsheet.formula.address import Cell, Region

ROW_HEIGHT_PX = 20
COLUMN_WIDTH_PX = 64
SCROLL_BAR_STEPS = 1 << 30
"""A QScrollBar counts in 32 bits: longer sheets give it several px a step."""


class Axis:
    """The rows or the columns: `count` items of one size, but for a few.

    Parameters
    ----------
    count : int
        Number of rows or columns.
    default_px : int
        Size of an item at zoom 1, in px.
    sizes : Mapping[int, int]
        The items of another size, in px at zoom 1; 0 hides an item. Memory and set-up time grow
        with these only.
    zoom : float
        Every size is scaled and rounded on its own, so that all edges lie on whole pixels.
    """

    __slots__ = ("_default", "_edges", "_keys", "_sizes", "count", "zoom")

    def __init__(
        self, count: int, default_px: int, sizes: Mapping[int, int] | None = None, zoom: float = 1.0
    ) -> None:
        self.count = count
        self.zoom = zoom
        self._default = max(1, round(default_px * zoom))
        kept = sorted((i, s) for i, s in (sizes or {}).items() if 0 <= i < count)
        self._keys = [i for i, _ in kept]
        self._sizes = {i: 0 if s <= 0 else max(1, round(s * zoom)) for i, s in kept}
        self._edges: list[int] = []  # offset of the item after each override
        shift = 0
        for i in self._keys:
            shift += self._sizes[i] - self._default
            self._edges.append((i + 1) * self._default + shift)

    def size(self, index: int) -> int:
        """Size of one item in px; 0 if it is hidden."""
        return self._sizes.get(index, self._default)

    def offset(self, index: int) -> int:
        """Where the item begins, in px from the start of the sheet; `count` gives the total."""
        before = bisect_left(self._keys, index)
        if before == 0:
            return index * self._default
        last = self._keys[before - 1]
        return self._edges[before - 1] + (index - last - 1) * self._default

    @property
    def total(self) -> int:
        """Length of the whole axis in px."""
        return self.offset(self.count)

    def index_at(self, px: int) -> int:
        """The item that covers `px`; the first or the last one outside. -1 if there is none."""
        if self.count == 0:
            return -1
        if px <= 0:
            return self._skip_hidden(0)
        after = bisect_right(self._edges, px)  # overrides that end at or before px
        start = self._edges[after - 1] if after else 0
        base = self._keys[after - 1] + 1 if after else 0
        index = base + (px - start) // self._default
        if after < len(self._keys) and index >= self._keys[after]:
            index = self._keys[after]
        return min(index, self.count - 1)

    def _skip_hidden(self, index: int) -> int:
        while index < self.count - 1 and self.size(index) == 0:
            index += 1
        return index

    def visible(self, start_px: int, end_px: int) -> range:
        """The items that show in the px from `start_px` up to `end_px`."""
        if self.count == 0 or end_px <= start_px or start_px >= self.total:
            return range(0)
        return range(self.index_at(start_px), self.index_at(end_px - 1) + 1)

    def edges(self, items: range) -> list[int]:
        """The offsets of the items and of the end of the last one: `len(items) + 1` numbers."""
        position = self.offset(items.start)
        result = [position]
        for i in items:
            position += self._sizes.get(i, self._default)
            result.append(position)
        return result

    def step(self, index: int, by: int) -> int:
        """The item `by` visible items further (hidden ones do not count), kept on the sheet."""
        direction = 1 if by > 0 else -1
        for _ in range(abs(by)) if self._keys else ():
            following = index + direction
            while 0 <= following < self.count and self.size(following) == 0:
                following += direction
            if not 0 <= following < self.count:
                break
            index = following
        if not self._keys:
            index += by
        return min(max(index, 0), self.count - 1)


@dataclass(frozen=True, slots=True)
class Pane:
    """One of up to four areas of cells: `rows` x `cols`, shown inside `area`.

    A cell's x is `columns.offset(col) - shift_x`, its y `rows.offset(row) - shift_y`.
    """

    rows: range
    cols: range
    area: QRect
    shift_x: int
    shift_y: int

    @property
    def region(self) -> Region:
        return Region(self.rows.start, self.cols.start, self.rows.stop, self.cols.stop)


@dataclass(frozen=True, slots=True)
class Layout:
    """What lies where in the viewport at this moment. Records only: a change makes a new one.

    Attributes
    ----------
    rows, columns : Axis
    width, height : int
        Size of the viewport in px.
    header_width, header_height : int
        The row headers at the left, the column headers at the top.
    frozen : Cell
        The number of rows and columns that do not scroll.
    scroll_x, scroll_y : int
        How far the scrolling part has moved, in px (64 bits and beyond).
    """

    rows: Axis
    columns: Axis
    width: int
    height: int
    header_width: int
    header_height: int
    frozen: Cell = field(default_factory=lambda: Cell(0, 0))
    scroll_x: int = 0
    scroll_y: int = 0

    @property
    def split_x(self) -> int:
        """Where the scrolling columns begin."""
        return self.header_width + self.columns.offset(min(self.frozen.col, self.columns.count))

    @property
    def split_y(self) -> int:
        """Where the scrolling rows begin."""
        return self.header_height + self.rows.offset(min(self.frozen.row, self.rows.count))

    @property
    def max_scroll_x(self) -> int:
        room = max(1, self.width - self.header_width)
        return max(0, self.columns.total - room)

    @property
    def max_scroll_y(self) -> int:
        room = max(1, self.height - self.header_height)
        return max(0, self.rows.total - room)

    def _span(self, vertical: bool) -> list[tuple[range, int, int, int]]:
        """For the frozen and the scrolling part: items, begin px, end px, shift."""
        axis = self.rows if vertical else self.columns
        header = self.header_height if vertical else self.header_width
        end = self.height if vertical else self.width
        scroll = self.scroll_y if vertical else self.scroll_x
        frozen = min(self.frozen.row if vertical else self.frozen.col, axis.count)
        split = min(self.split_y if vertical else self.split_x, end)
        spans = []
        if frozen and split > header:
            spans.append((axis.visible(0, split - header), header, split, -header))
        start = split - header + scroll
        items = axis.visible(start, start + end - split)
        if items:
            bottom = min(end, split + axis.total - start)
            spans.append((items, split, bottom, scroll - header))
        return spans

    def column_spans(self) -> list[tuple[range, int, int, int]]:
        """The frozen and the scrolling columns: (columns, left px, right px, shift)."""
        return self._span(vertical=False)

    def row_spans(self) -> list[tuple[range, int, int, int]]:
        """The frozen and the scrolling rows: (rows, top px, bottom px, shift)."""
        return self._span(vertical=True)

    def panes(self) -> list[Pane]:
        """The areas of cells, frozen ones first; together they cover what is visible."""
        return [
            Pane(rows, cols, QRect(left, top, right - left, bottom - top), shift_x, shift_y)
            for rows, top, bottom, shift_y in self.row_spans()
            for cols, left, right, shift_x in self.column_spans()
        ]

    def cells_area(self) -> QRect:
        """The part of the viewport that is neither header."""
        return QRect(
            self.header_width,
            self.header_height,
            max(0, self.width - self.header_width),
            max(0, self.height - self.header_height),
        )

    def x_of(self, col: int) -> int:
        """Left edge of a column in the viewport; may lie far outside or under a frozen pane."""
        scroll = 0 if col < self.frozen.col else self.scroll_x
        return self.header_width + self.columns.offset(col) - scroll

    def y_of(self, row: int) -> int:
        """Top edge of a row in the viewport."""
        scroll = 0 if row < self.frozen.row else self.scroll_y
        return self.header_height + self.rows.offset(row) - scroll

    def cell_rect(self, cell: Cell) -> QRect:
        """The cell's whole rectangle, null if no part of it can be on the screen."""
        x, y = self.x_of(cell.col), self.y_of(cell.row)
        if not (-10_000 < x < 40_000 and -10_000 < y < 40_000):
            return QRect()
        return QRect(x, y, self.columns.size(cell.col), self.rows.size(cell.row))

    def region_rects(self, region: Region) -> list[QRect]:
        """The visible parts of a region, one for each pane that shows some of it."""
        result = []
        for pane in self.panes():
            part = region.intersect(pane.region)
            if part is None or part.is_empty:
                continue
            left = self.columns.offset(part.left) - pane.shift_x
            top = self.rows.offset(part.top) - pane.shift_y
            right = self.columns.offset(part.right) - pane.shift_x
            bottom = self.rows.offset(part.bottom) - pane.shift_y
            result.append(QRect(left, top, right - left, bottom - top).intersected(pane.area))
        return result

    def row_at(self, y: int) -> int:
        """The row at a height of the viewport, the nearest one outside."""
        if y < self.split_y and self.frozen.row:
            return self.rows.index_at(min(y, self.split_y - 1) - self.header_height)
        return self.rows.index_at(max(y, self.split_y) - self.header_height + self.scroll_y)

    def column_at(self, x: int) -> int:
        """The column at a place of the viewport, the nearest one outside."""
        if x < self.split_x and self.frozen.col:
            return self.columns.index_at(min(x, self.split_x - 1) - self.header_width)
        return self.columns.index_at(max(x, self.split_x) - self.header_width + self.scroll_x)

    def cell_at(self, point: QPoint) -> Cell:
        """The cell under a point of the viewport, the nearest one outside the cells."""
        return Cell(self.row_at(point.y()), self.column_at(point.x()))

    def visible_region(self) -> Region:
        """What the scrolling pane shows, partly visible cells included."""
        rows = self.row_spans()
        cols = self.column_spans()
        if not rows or not cols:
            return Region(0, 0, 0, 0)
        return Region(rows[-1][0].start, cols[-1][0].start, rows[-1][0].stop, cols[-1][0].stop)

    def scroll_to_show(self, cell: Cell) -> tuple[int, int]:
        """The scroll position, nearest to the present one, at which the cell is whole.

        The first row and column on show are whole too, where there is room for that.
        """
        x, y = self.scroll_x, self.scroll_y
        if cell.col >= self.frozen.col:
            begin = self.columns.offset(cell.col) + self.header_width
            size = self.columns.size(cell.col)
            x = _scroll_for(self.columns, x, begin, size, self.split_x, self.width,
                            self.header_width)  # fmt: skip
        if cell.row >= self.frozen.row:
            begin = self.rows.offset(cell.row) + self.header_height
            size = self.rows.size(cell.row)
            y = _scroll_for(self.rows, y, begin, size, self.split_y, self.height,
                            self.header_height)  # fmt: skip
        return min(max(x, 0), self.max_scroll_x), min(max(y, 0), self.max_scroll_y)


def _scroll_for(
    axis: Axis, scroll: int, begin: int, size: int, low: int, high: int, header: int
) -> int:
    """Move `scroll` as little as shows `begin .. begin + size` between `low` and `high`.

    Where it must move, it moves on to where an item begins, so that none is cut at `low`.
    """
    if begin - scroll < low:
        return begin - low
    if begin + size - scroll <= high:
        return scroll
    least = min(begin + size - high, begin - low)
    frozen_px = low - header
    first = axis.index_at(least + frozen_px)
    if axis.offset(first) - frozen_px >= least:
        return least
    return min(axis.offset(first + 1) - frozen_px, begin - low)


def px_per_step(max_scroll: int) -> int:
    """How many px one step of a scroll bar stands for, so that it stays within 32 bits."""
    return max(1, -(-max_scroll // SCROLL_BAR_STEPS))
