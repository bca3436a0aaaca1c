"""What the mouse does in the grid: selecting, dragging edges, the wheel and tool tips.

Owns the gesture that is under way. Positions become cells by the view's layout; selecting and
editing are the view's.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from PySide6.QtCore import QBasicTimer, QEvent, QObject, QPoint, Qt, QTimerEvent
from PySide6.QtGui import QHelpEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QToolTip

from gradsheet.formula.address import Cell, Region
from gradsheet.qt.grid import spoken
from gradsheet.qt.grid.geometry import ROW_HEIGHT_PX
from gradsheet.qt.grid.headers import grip_at
from gradsheet.sheet.edits import ResizeColumns, ResizeRows

if TYPE_CHECKING:
    from gradsheet.qt.grid.view import GridView

LEAST_SIZE_PX = 8
MOST_RESIZED = 10_000
_ROWS_PER_NOTCH = 3
_NOTCH = 120
_ZOOM_STEP = 1.1
_AUTOSCROLL_MS = 30


class _Gesture(Enum):
    NONE = auto()
    CELLS = auto()
    ROWS = auto()
    COLUMNS = auto()
    RESIZE = auto()


class MouseGestures(QObject):
    """Turns the mouse events of one view into selections and sizes."""

    def __init__(self, view: GridView) -> None:
        super().__init__(view)
        self._view = view
        self._gesture = _Gesture.NONE
        self._timer = QBasicTimer()
        self._last = QPoint()
        self._anchor = 0
        self._edge: tuple[Qt.Orientation, int] | None = None
        self._start = (0, 0)  # pointer px, size px when an edge drag began
        self._wheel = QPoint()

    # ---------------------------------------------------------------------------- pressing

    def press(self, event: QMouseEvent) -> None:
        """Begin a gesture."""
        view = self._view
        point = event.position().toPoint()
        if not view.editing.finish():
            return
        view.setFocus(Qt.FocusReason.MouseFocusReason)
        view.editing.forget_tab()
        self._last = point
        if event.button() == Qt.MouseButton.RightButton:
            self._press_for_menu(point)
            return
        if event.button() != Qt.MouseButton.LeftButton:
            return
        layout = view.layout_now
        grip = grip_at(layout, point)
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        ctrl = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if grip is not None:
            self._begin_resize(grip, point)
        elif point.y() < layout.header_height and point.x() < layout.header_width:
            whole = view.extent.region
            view.alter_selection(lambda s: s.replace(whole, view.current))
        elif point.y() < layout.header_height:
            self._gesture = _Gesture.COLUMNS
            col = layout.column_at(point.x())
            self._anchor = view.current.col if shift else col
            view.alter_selection(lambda s: s.span_columns(self._anchor, col))
        elif point.x() < layout.header_width:
            self._gesture = _Gesture.ROWS
            row = layout.row_at(point.y())
            self._anchor = view.current.row if shift else row
            view.alter_selection(lambda s: s.span_rows(self._anchor, row))
        else:
            self._gesture = _Gesture.CELLS
            self._press_cell(view.cell_at(point), shift, ctrl)

    def _press_cell(self, cell: Cell, shift: bool, ctrl: bool) -> None:
        if shift:
            self._view.alter_selection(lambda s: s.stretch(cell))
        elif ctrl:
            self._view.alter_selection(lambda s: s.add(cell))
        else:
            self._view.alter_selection(lambda s: s.collapse(cell))

    def _press_for_menu(self, point: QPoint) -> None:
        """A right click outside the selection selects the cell before a menu opens."""
        cell = self._view.cell_at(point)
        inside = any(region.contains(cell) for region in self._view.selection)
        if not inside and self._view.layout_now.cells_area().contains(point):
            self._view.alter_selection(lambda s: s.collapse(cell))

    def move(self, event: QMouseEvent) -> None:
        """Go on with a gesture, or show what could be dragged here."""
        self._last = event.position().toPoint()
        if self._gesture is _Gesture.NONE:
            self._show_cursor(self._last)
        elif self._gesture is _Gesture.RESIZE:
            self._resize(self._last)
        else:
            self._drag()
            inside = self._view.viewport().rect().contains(self._last)
            if inside:
                self._timer.stop()
            elif not self._timer.isActive():
                self._timer.start(_AUTOSCROLL_MS, self)

    def release(self, event: QMouseEvent) -> None:
        """End a gesture."""
        if event.button() == Qt.MouseButton.LeftButton:
            if self._gesture is _Gesture.RESIZE:
                self._end_resize(event.position().toPoint())
            self._gesture = _Gesture.NONE
            self._timer.stop()

    def double_click(self, event: QMouseEvent) -> None:
        """Edit the cell, or give a column or row back its own size."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        point = event.position().toPoint()
        grip = grip_at(self._view.layout_now, point)
        if grip is not None:
            self._gesture = _Gesture.NONE
            self._set_size(grip, None)
        elif self._view.layout_now.cells_area().contains(point):
            self._gesture = _Gesture.NONE
            self._view.edit()

    def timerEvent(self, event: QTimerEvent) -> None:
        """Scroll while a drag is held outside, faster the farther out."""
        rect = self._view.viewport().rect()
        dx = min(self._last.x() - rect.left(), 0) or max(self._last.x() - rect.right(), 0)
        dy = min(self._last.y() - rect.top(), 0) or max(self._last.y() - rect.bottom(), 0)
        self._view.scroll_by(dx, dy)
        self._drag()

    def _drag(self) -> None:
        view, layout = self._view, self._view.layout_now
        rect = view.viewport().rect()
        x = min(max(self._last.x(), rect.left()), rect.right())
        y = min(max(self._last.y(), rect.top()), rect.bottom())
        if self._gesture is _Gesture.CELLS:
            cell = view.cell_at(QPoint(x, y))
            view.alter_selection(lambda s: s.stretch(cell))
        elif self._gesture is _Gesture.COLUMNS:
            col = layout.column_at(x)
            view.alter_selection(lambda s: s.span_columns(self._anchor, col))
        elif self._gesture is _Gesture.ROWS:
            row = layout.row_at(y)
            view.alter_selection(lambda s: s.span_rows(self._anchor, row))

    # ----------------------------------------------------------------------------- resizing

    def _show_cursor(self, point: QPoint) -> None:
        grip = grip_at(self._view.layout_now, point)
        shape = Qt.CursorShape.ArrowCursor
        if grip is not None:
            horizontal = grip[0] == Qt.Orientation.Horizontal
            shape = Qt.CursorShape.SplitHCursor if horizontal else Qt.CursorShape.SplitVCursor
        if self._view.viewport().cursor().shape() != shape:
            self._view.viewport().setCursor(shape)

    def _begin_resize(self, grip: tuple[Qt.Orientation, int], point: QPoint) -> None:
        layout = self._view.layout_now
        self._gesture, self._edge = _Gesture.RESIZE, grip
        horizontal = grip[0] == Qt.Orientation.Horizontal
        size = layout.columns.size(grip[1]) if horizontal else layout.rows.size(grip[1])
        self._start = (point.x() if horizontal else point.y(), size)

    def _dragged_px(self, point: QPoint) -> int:
        assert self._edge is not None
        horizontal = self._edge[0] == Qt.Orientation.Horizontal
        at = point.x() if horizontal else point.y()
        size = self._start[1] + at - self._start[0]
        return max(LEAST_SIZE_PX, round(size / self._view.zoom))

    def _resize(self, point: QPoint) -> None:
        """Show the size without an edit yet; the release makes the one edit."""
        assert self._edge is not None
        self._view.preview_size(*self._edge, self._dragged_px(point))

    def _end_resize(self, point: QPoint) -> None:
        edge, self._edge = self._edge, self._edge
        assert edge is not None
        px = self._dragged_px(point)
        self._view.preview_size(*edge, None)
        if abs((point.x() if edge[0] == Qt.Orientation.Horizontal else point.y())
               - self._start[0]) > 0:  # fmt: skip
            self._set_size(edge, px)

    def _set_size(self, edge: tuple[Qt.Orientation, int], px: int | None) -> None:
        """Resize what was dragged, and with it all rows or columns selected whole."""
        view, (orientation, index) = self._view, edge
        if orientation == Qt.Orientation.Horizontal:
            sizes = tuple((i, px) for i in self._whole(index, columns=True))
            view.attempt(ResizeColumns(view.sheet_id, sizes), "Resize columns")
        else:
            sizes = tuple((i, px) for i in self._whole(index, columns=False))
            view.attempt(ResizeRows(view.sheet_id, sizes), "Resize rows")

    def _whole(self, index: int, columns: bool) -> range:
        """The columns (rows) that go with a dragged one: those selected whole with it."""
        extent = self._view.extent
        for region in self._view.selection:
            if columns and region.rows == extent.rows and region.left <= index < region.right:
                return range(region.left, min(region.right, region.left + MOST_RESIZED))
            if not columns and region.cols == extent.cols and region.top <= index < region.bottom:
                return range(region.top, min(region.bottom, region.top + MOST_RESIZED))
        return range(index, index + 1)

    # ---------------------------------------------------------------------- wheel, tool tips

    def wheel(self, event: QWheelEvent) -> None:
        """Scroll; with Ctrl zoom. A touch pad's own px are taken as they are."""
        event.accept()
        angle = event.angleDelta()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._wheel += angle
            notches = int(self._wheel.y() / _NOTCH)
            if notches:
                self._wheel = QPoint()
                self._view.zoom *= _ZOOM_STEP**notches
            return
        pixels = event.pixelDelta()
        if not pixels.isNull():
            dx, dy = -pixels.x(), -pixels.y()
        else:
            notch = _ROWS_PER_NOTCH * ROW_HEIGHT_PX * self._view.zoom / _NOTCH
            dx, dy = round(-angle.x() * notch), round(-angle.y() * notch)
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier and not dx:
            dx, dy = dy, 0
        self._view.scroll_by(dx, dy)

    def tool_tip(self, event: QEvent) -> bool:
        """Say what a note, a shortened number, a cut text or a header has to say."""
        assert isinstance(event, QHelpEvent)
        text = self._tip_at(event.pos())
        if text:
            QToolTip.showText(event.globalPos(), text, self._view.viewport())
        else:
            QToolTip.hideText()
        return True

    def _tip_at(self, point: QPoint) -> str:
        view, layout, sheet = self._view, self._view.layout_now, self._view.sheet
        if point.y() < layout.header_height:
            return sheet.column_labels.get(layout.column_at(point.x()), "")
        if point.x() < layout.header_width:
            return sheet.row_labels.get(layout.row_at(point.y()), "")
        cell = view.cell_at(point)
        text = spoken.cell_text(view.document.workbook, view.sheet_id, cell, view.styles)
        note = sheet.notes.get(cell)
        return "\n".join(part for part in (note, text if self._has_more(cell) else "") if part)

    def _has_more(self, cell: Cell) -> bool:
        sheet = self._view.sheet
        if spoken.role_at(sheet, cell) is not None:
            return True
        return bool(sheet.cells.read(Region.of(cell))[1].any())
