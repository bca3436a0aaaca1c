"""What can be dragged in the grid: edges, the fill handle, the selection, whole lines.

Owns one gesture from press to release each. A drag shows where it would lead and makes one
edit at its end; Escape or a second button makes none.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt

from gradsheet.formula.address import Cell, Region
from gradsheet.qt.grid import copying
from gradsheet.qt.grid.marks import Mark, MarkKind
from gradsheet.qt.theme import current_theme
from gradsheet.sheet.edits import Fill, MoveCells, MoveColumns, MoveRows, ResizeColumns, ResizeRows

if TYPE_CHECKING:
    from gradsheet.qt.grid.view import GridView

MARKS = "drag"
LEAST_SIZE_PX = 8
MOST_RESIZED = 10_000
_SLACK_PX = 4
STILL_PX = 4
"""A pointer that has moved less from where it was pressed has not moved."""


class Drag(ABC):
    """A gesture under way."""

    scrolls = True
    """Whether the grid scrolls while the pointer is held outside."""

    def __init__(self, view: GridView) -> None:
        self.view = view

    @abstractmethod
    def move(self, point: QPoint, modifiers: Qt.KeyboardModifier) -> None:
        """The pointer is here now."""

    @abstractmethod
    def release(self, point: QPoint, modifiers: Qt.KeyboardModifier) -> None:
        """The button was let go: do it."""

    def cancel(self) -> None:
        """Leave everything as it was."""
        self.view.overlay.set_marks(MARKS, ())

    def show_target(self, region: Region) -> None:
        """Frame where the drag would lead."""
        mark = Mark(region, MarkKind.TARGET, current_theme().accent)
        self.view.overlay.set_marks(MARKS, (mark,))


class ResizeDrag(Drag):
    """The edge of a row or column header."""

    scrolls = False

    def __init__(self, view: GridView, grip: tuple[Qt.Orientation, int], point: QPoint) -> None:
        super().__init__(view)
        self._grip = grip
        self._is_column = grip[0] == Qt.Orientation.Horizontal
        layout = view.layout_now
        axis = layout.columns if self._is_column else layout.rows
        self._start = (self._along(point), axis.size(grip[1]))

    def _along(self, point: QPoint) -> int:
        return point.x() if self._is_column else point.y()

    def _px(self, point: QPoint) -> int:
        size = self._start[1] + self._along(point) - self._start[0]
        return max(LEAST_SIZE_PX, round(size / self.view.zoom))

    def move(self, point: QPoint, modifiers: Qt.KeyboardModifier) -> None:
        """Show the size without an edit yet."""
        self.view.preview_size(*self._grip, self._px(point))

    def release(self, point: QPoint, modifiers: Qt.KeyboardModifier) -> None:
        """Resize the line, and with it all that are selected whole."""
        self.view.preview_size(*self._grip, None)
        if self._along(point) != self._start[0]:
            resize(self.view, self._grip, self._px(point))

    def cancel(self) -> None:
        """See `Drag.cancel`."""
        self.view.preview_size(*self._grip, None)


def resize(view: GridView, grip: tuple[Qt.Orientation, int], px: int) -> None:
    """Resize a line, and with it all rows or columns that are selected whole with it."""
    is_column = grip[0] == Qt.Orientation.Horizontal
    sizes = tuple((i, px) for i in lines_with(view, grip[1], is_column))
    if is_column:
        view.attempt(ResizeColumns(view.sheet_id, sizes), "Resize columns")
    else:
        view.attempt(ResizeRows(view.sheet_id, sizes), "Resize rows")


def lines_with(view: GridView, index: int, is_column: bool) -> list[int]:
    """The lines that go with a dragged one: those selected whole, if it is one of them."""
    extent = view.extent
    found: list[int] = []
    for region in view.selection:
        if is_column and region.rows == extent.rows:
            found.extend(range(region.left, min(region.right, region.left + MOST_RESIZED)))
        elif not is_column and region.cols == extent.cols:
            found.extend(range(region.top, min(region.bottom, region.top + MOST_RESIZED)))
    return sorted(set(found)) if index in found else [index]


class FillDrag(Drag):
    """The fill handle: a series, or with Ctrl the copy (for one number the other way round).

    The handle reaches into the next row and column: a click on it, and the first click of two, fill
    nothing though they end there.
    """

    def __init__(self, view: GridView, point: QPoint) -> None:
        super().__init__(view)
        self._source = view.selection[-1]
        self._target = self._source
        self._pressed_at: QPoint | None = point

    def move(self, point: QPoint, modifiers: Qt.KeyboardModifier) -> None:
        """Show what would be filled."""
        if self._pressed_at is not None and (point - self._pressed_at).manhattanLength() < STILL_PX:
            return
        self._pressed_at = None
        self._target = self._reaching(self.view.cell_at(point))
        self.show_target(self._target)

    def _reaching(self, cell: Cell) -> Region:
        """The source stretched to a cell in the one direction in which it lies farther away."""
        source = self._source
        down = max(cell.row - source.bottom + 1, 0) - max(source.top - cell.row, 0)
        right = max(cell.col - source.right + 1, 0) - max(source.left - cell.col, 0)
        if not down and not right:
            return source
        if abs(down) >= abs(right):
            top, bottom = min(source.top, cell.row), max(source.bottom, cell.row + 1)
            return Region(top, source.left, bottom, source.right)
        left, right = min(source.left, cell.col), max(source.right, cell.col + 1)
        return Region(source.top, left, source.bottom, right)

    def release(self, point: QPoint, modifiers: Qt.KeyboardModifier) -> None:
        """Fill as one edit, and select it."""
        self.move(point, modifiers)
        self.cancel()
        ctrl = bool(modifiers & Qt.KeyboardModifier.ControlModifier)
        fill_to(self.view, self._source, self._target, other_way=ctrl)


def fill_to(view: GridView, source: Region, target: Region, other_way: bool = False) -> None:
    """Fill a target from a source as the handle does.

    Parameters
    ----------
    other_way : copy what would go on, count on from what would be copied
    """
    if target == source:
        return
    is_one = source.size == 1 and view.document.workbook.sheet(view.sheet_id).cells.get(
        source.first
    )[1].name == "NUMBER"  # fmt: skip
    edit = Fill(
        view.sheet_id, source, target, series=not other_way or is_one, from_one=other_way
    )
    if view.attempt(edit, f"Fill {target}"):
        view.select(target, source.first)


class MoveDrag(Drag):
    """The edge of the selection: the cells go elsewhere; with Ctrl a copy does."""

    def __init__(self, view: GridView, point: QPoint) -> None:
        super().__init__(view)
        self._source = view.selection[-1]
        self._from = view.cell_at(point)
        self._to = self._source

    def move(self, point: QPoint, modifiers: Qt.KeyboardModifier) -> None:
        """Show where the cells would land."""
        cell, whole = self.view.cell_at(point), self.view.extent.region
        rows = min(cell.row - self._from.row, whole.bottom - self._source.bottom)
        cols = min(cell.col - self._from.col, whole.right - self._source.right)
        self._to = self._source.shift(
            max(rows, -self._source.top), max(cols, -self._source.left)
        )
        self.show_target(self._to)

    def release(self, point: QPoint, modifiers: Qt.KeyboardModifier) -> None:
        """Move or copy the cells as one edit, and select them where they are now."""
        self.move(point, modifiers)
        self.cancel()
        view = self.view
        if self._to == self._source:
            return
        if modifiers & Qt.KeyboardModifier.ControlModifier:
            edit = copying.copy_edit(
                view.document.workbook, view.sheet_id, self._source, view.sheet_id, self._to
            )
            done = view.attempt(edit, f"Copy {self._source}")
        else:
            move = MoveCells(view.sheet_id, self._source, self._to.first)
            done = view.attempt(move, f"Move {self._source}")
        if done:
            view.select(self._to)


class LinesDrag(Drag):
    """A selected row or column header: the lines go between others; a click selects."""

    def __init__(self, view: GridView, point: QPoint, is_column: bool) -> None:
        super().__init__(view)
        self._is_column = is_column
        region = view.selection[-1]
        self._first = region.left if is_column else region.top
        self._count = region.cols if is_column else region.rows
        self._press = point
        self._to: int | None = None

    def _index(self, point: QPoint) -> int:
        layout = self.view.layout_now
        return layout.column_at(point.x()) if self._is_column else layout.row_at(point.y())

    def move(self, point: QPoint, modifiers: Qt.KeyboardModifier) -> None:
        """Show the edge before which the lines would land."""
        away = point - self._press
        if self._to is None and abs(away.x()) + abs(away.y()) <= _SLACK_PX:
            return
        layout, index = self.view.layout_now, self._index(point)
        if self._is_column:
            half = layout.x_of(index) + layout.columns.size(index) // 2
            self._to = index + (point.x() > half)
        else:
            half = layout.y_of(index) + layout.rows.size(index) // 2
            self._to = index + (point.y() > half)
        self.view.overlay.set_marks(MARKS, (self._edge(self._to),))

    def _edge(self, to: int) -> Mark:
        extent, accent = self.view.extent, current_theme().accent
        if self._is_column:
            col = min(to, extent.cols - 1)
            return Mark(Region(0, col, extent.rows, col + 1), MarkKind.BEFORE_COLUMN, accent)
        row = min(to, extent.rows - 1)
        return Mark(Region(row, 0, row + 1, extent.cols), MarkKind.BEFORE_ROW, accent)

    def release(self, point: QPoint, modifiers: Qt.KeyboardModifier) -> None:
        """Move the lines, or select the one that was only clicked."""
        self.cancel()
        view, to = self.view, self._to
        if to is None:
            index = self._index(point)
            span = (lambda s: s.span_columns(index, index)) if self._is_column else (
                lambda s: s.span_rows(index, index)
            )
            view.alter_selection(span)
            return
        if self._first <= to <= self._first + self._count:
            return
        edit_type = MoveColumns if self._is_column else MoveRows
        if view.attempt(edit_type(view.sheet_id, self._first, self._count, to), None):
            landing = to if to < self._first else to - self._count
            last = landing + self._count - 1
            if self._is_column:
                view.alter_selection(lambda s: s.span_columns(landing, last))
            else:
                view.alter_selection(lambda s: s.span_rows(landing, last))
