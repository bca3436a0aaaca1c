"""What the mouse does in the grid: selecting, pointing, dragging, the wheel and tool tips.

Owns the gesture that is under way; what can be dragged is in `drags`. Positions become cells
by the view's layout; selecting and editing are the view's.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from PySide6.QtCore import QBasicTimer, QEvent, QObject, QPoint, Qt, QTimerEvent
from PySide6.QtGui import QHelpEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QToolTip

from gradsheet.formula.address import Cell, Region
from gradsheet.qt.grid import lines, spoken
from gradsheet.qt.grid.drags import Drag, FillDrag, LinesDrag, MoveDrag, ResizeDrag, lines_with
from gradsheet.qt.grid.geometry import ROW_HEIGHT_PX
from gradsheet.qt.grid.headers import grip_at

if TYPE_CHECKING:
    from gradsheet.qt.grid.view import GridView

_ROWS_PER_NOTCH = 3
_NOTCH = 120
_ZOOM_STEP = 1.1
_AUTOSCROLL_MS = 30
_EDGE_PX = 3
"""How near to the selection's frame the pointer must be to drag the cells."""


class _Gesture(Enum):
    NONE = auto()
    CELLS = auto()
    ROWS = auto()
    COLUMNS = auto()
    POINT = auto()
    DRAG = auto()


class MouseGestures(QObject):
    """Turns the mouse events of one view into selections, references and edits."""

    def __init__(self, view: GridView) -> None:
        super().__init__(view)
        self._view = view
        self._gesture = _Gesture.NONE
        self._drag: Drag | None = None
        self._timer = QBasicTimer()
        self._last = QPoint()
        self._held = Qt.KeyboardModifier.NoModifier
        self._anchor = 0
        self._kept = 0
        self._wheel = QPoint()

    # ---------------------------------------------------------------------------- pressing

    def press(self, event: QMouseEvent) -> None:
        """Begin a gesture."""
        view = self._view
        point = event.position().toPoint()
        self._last, self._held = point, event.modifiers()
        is_left = event.button() == Qt.MouseButton.LeftButton
        if self._gesture is _Gesture.DRAG:
            self.cancel()
            return
        if is_left and self._begin_pointing(point):
            return
        if not view.finish_typing():
            return
        view.setFocus(Qt.FocusReason.MouseFocusReason)
        view.editing.forget_tab()
        if event.button() == Qt.MouseButton.RightButton:
            self._press_for_menu(point)
        elif is_left:
            self._press_left(point)

    def _press_left(self, point: QPoint) -> None:
        view, layout = self._view, self._view.layout_now
        shift = bool(self._held & Qt.KeyboardModifier.ShiftModifier)
        ctrl = bool(self._held & Qt.KeyboardModifier.ControlModifier)
        grip = grip_at(layout, point)
        if grip is not None:
            self._begin(ResizeDrag(view, grip, point))
        elif point.y() < layout.header_height and point.x() < layout.header_width:
            whole = view.extent.region
            view.alter_selection(lambda s: s.replace(whole, view.current))
        elif point.y() < layout.header_height:
            self._press_header(point, shift, ctrl, is_column=True)
        elif point.x() < layout.header_width:
            self._press_header(point, shift, ctrl, is_column=False)
        elif not shift and view.handle_rect().adjusted(-2, -2, 2, 2).contains(point):
            self._begin(FillDrag(view, point))
        elif not shift and self._is_on_edge(point):
            self._begin(MoveDrag(view, point))
        else:
            self._gesture = _Gesture.CELLS
            self._press_cell(view.cell_at(point), shift, ctrl)

    def _begin(self, drag: Drag) -> None:
        self._gesture, self._drag = _Gesture.DRAG, drag

    def _press_header(self, point: QPoint, shift: bool, ctrl: bool, is_column: bool) -> None:
        """Select lines; those that are selected already can be dragged elsewhere."""
        view, layout = self._view, self._view.layout_now
        index = layout.column_at(point.x()) if is_column else layout.row_at(point.y())
        chosen = lines_with(view, index, is_column)
        is_chosen = len(view.selection) == 1 and len(chosen) >= 1 and self._is_whole(is_column)
        if not shift and not ctrl and is_chosen and index in chosen:
            self._begin(LinesDrag(view, point, is_column))
            return
        self._gesture = _Gesture.COLUMNS if is_column else _Gesture.ROWS
        here = view.current.col if is_column else view.current.row
        self._anchor = here if shift else index
        self._kept = len(view.selection) if ctrl else 0
        self._span(index)

    def _is_whole(self, is_column: bool) -> bool:
        region, extent = self._view.selection[-1], self._view.extent
        if region.size == extent.region.size:
            return False
        return region.rows == extent.rows if is_column else region.cols == extent.cols

    def _span(self, index: int) -> None:
        anchor, kept = self._anchor, self._kept
        if self._gesture is _Gesture.COLUMNS:
            self._view.alter_selection(lambda s: s.span_columns(anchor, index, kept))
        else:
            self._view.alter_selection(lambda s: s.span_rows(anchor, index, kept))

    def _press_cell(self, cell: Cell, shift: bool, ctrl: bool) -> None:
        view = self._view
        if shift or view.keys_mode.extends:
            view.alter_selection(lambda s: s.stretch(cell))
        elif ctrl or view.keys_mode.adds:
            view.alter_selection(lambda s: s.add(cell))
        else:
            view.alter_selection(lambda s: s.collapse(cell))

    def _press_for_menu(self, point: QPoint) -> None:
        """A right click outside the selection selects what it is on before a menu opens."""
        view, layout = self._view, self._view.layout_now
        selection = view.selection
        if layout.cells_area().contains(point):
            cell = view.cell_at(point)
            if not any(region.contains(cell) for region in selection):
                view.alter_selection(lambda s: s.collapse(cell))
        elif point.y() < layout.header_height and point.x() >= layout.header_width:
            col = layout.column_at(point.x())
            if not any(r.rows == view.extent.rows and r.left <= col < r.right for r in selection):
                view.alter_selection(lambda s: s.span_columns(col, col))
        elif point.x() < layout.header_width and point.y() >= layout.header_height:
            row = layout.row_at(point.y())
            if not any(r.cols == view.extent.cols and r.top <= row < r.bottom for r in selection):
                view.alter_selection(lambda s: s.span_rows(row, row))

    def place_of(self, point: QPoint) -> str:
        """What a point lies on: "cells", "columns", "rows" or "corner"."""
        layout = self._view.layout_now
        if point.y() < layout.header_height:
            return "corner" if point.x() < layout.header_width else "columns"
        return "rows" if point.x() < layout.header_width else "cells"

    # ---------------------------------------------------------------------------- pointing

    def _begin_pointing(self, point: QPoint) -> bool:
        """While a formula waits for a reference, a click names cells instead of selecting."""
        view, typing = self._view, self._view.typing
        if typing is None or not typing.can_point() or grip_at(view.layout_now, point):
            return False
        place = self.place_of(point)
        if place == "corner":
            return False
        self._gesture = _Gesture.POINT
        shift = bool(self._held & Qt.KeyboardModifier.ShiftModifier)
        ctrl = bool(self._held & Qt.KeyboardModifier.ControlModifier)
        cell = view.cell_at(point)
        if place == "columns":
            self._point_whole(cell.col, cell.col, True, ctrl)
        elif place == "rows":
            self._point_whole(cell.row, cell.row, False, ctrl)
        elif shift and typing.is_pointing:
            typing.point(typing.anchor, cell)
        else:
            typing.point(cell, cell, add=ctrl)
        self._place = place
        self._anchor = cell.col if place == "columns" else cell.row
        return True

    def _point_whole(self, first: int, last: int, columns: bool, add: bool = False) -> None:
        view, typing = self._view, self._view.typing
        low, high = min(first, last), max(first, last) + 1
        whole = view.extent.region
        region = (
            Region(0, low, whole.bottom, high) if columns else Region(low, 0, high, whole.right)
        )
        if typing is not None:
            typing.point_at(region, add)

    def _go_on_pointing(self, cell: Cell) -> None:
        typing = self._view.typing
        if typing is None:
            return
        if self._place == "columns":
            self._point_whole(self._anchor, cell.col, True)
        elif self._place == "rows":
            self._point_whole(self._anchor, cell.row, False)
        else:
            typing.point(typing.anchor, cell)

    # ------------------------------------------------------------------- moving and releasing

    def move(self, event: QMouseEvent) -> None:
        """Go on with a gesture, or show what could be dragged here."""
        self._last, self._held = event.position().toPoint(), event.modifiers()
        if self._gesture is _Gesture.NONE:
            self._show_cursor(self._last)
            return
        self._go_on()
        inside = self._view.viewport().rect().contains(self._last)
        if inside or (self._drag is not None and not self._drag.scrolls):
            self._timer.stop()
        elif not self._timer.isActive():
            self._timer.start(_AUTOSCROLL_MS, self)

    def release(self, event: QMouseEvent) -> None:
        """End a gesture."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        drag, self._drag = self._drag, None
        self._gesture = _Gesture.NONE
        self._timer.stop()
        if drag is not None:
            drag.release(event.position().toPoint(), event.modifiers())

    def cancel(self) -> bool:
        """Give up a drag; False if none is under way."""
        drag, self._drag = self._drag, None
        self._gesture = _Gesture.NONE
        self._timer.stop()
        if drag is None:
            return False
        drag.cancel()
        return True

    def double_click(self, event: QMouseEvent) -> None:
        """Edit the cell, fit a column to what it holds, or fill down beside filled cells."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        view, point = self._view, event.position().toPoint()
        grip = grip_at(view.layout_now, point)
        if view.typing is not None and view.typing.can_point():
            return
        self.cancel()
        if grip is not None:
            is_column = grip[0] == Qt.Orientation.Horizontal
            lines.fit(view, lines_with(view, grip[1], is_column), is_column)
        elif view.handle_rect().adjusted(-2, -2, 2, 2).contains(point):
            lines.fill_beside(view)
        elif view.layout_now.cells_area().contains(point):
            view.edit()

    def timerEvent(self, event: QTimerEvent) -> None:
        """Scroll while a drag is held outside, faster the farther out."""
        rect = self._view.viewport().rect()
        dx = min(self._last.x() - rect.left(), 0) or max(self._last.x() - rect.right(), 0)
        dy = min(self._last.y() - rect.top(), 0) or max(self._last.y() - rect.bottom(), 0)
        self._view.scroll_by(dx, dy)
        self._go_on()

    def _go_on(self) -> None:
        view, layout = self._view, self._view.layout_now
        rect = view.viewport().rect()
        x = min(max(self._last.x(), rect.left()), rect.right())
        y = min(max(self._last.y(), rect.top()), rect.bottom())
        if self._drag is not None:
            self._drag.move(QPoint(x, y) if self._drag.scrolls else self._last, self._held)
        elif self._gesture is _Gesture.CELLS:
            cell = view.cell_at(QPoint(x, y))
            view.alter_selection(lambda s: s.stretch(cell))
        elif self._gesture is _Gesture.COLUMNS:
            self._span(layout.column_at(x))
        elif self._gesture is _Gesture.ROWS:
            self._span(layout.row_at(y))
        elif self._gesture is _Gesture.POINT:
            self._go_on_pointing(view.cell_at(QPoint(x, y)))

    # ------------------------------------------------------------------- what can be grabbed

    def _is_on_edge(self, point: QPoint) -> bool:
        """Whether a point lies on the frame of the only selected rectangle."""
        view = self._view
        if not view.has_handle():
            return False
        for box in view.layout_now.region_rects(view.selection[-1]):
            outer = box.adjusted(-_EDGE_PX, -_EDGE_PX, _EDGE_PX - 1, _EDGE_PX - 1)
            inner = box.adjusted(_EDGE_PX, _EDGE_PX, -_EDGE_PX, -_EDGE_PX)
            if outer.contains(point) and not inner.contains(point):
                return view.layout_now.cells_area().contains(point)
        return False

    def _show_cursor(self, point: QPoint) -> None:
        view = self._view
        grip = grip_at(view.layout_now, point)
        shape = Qt.CursorShape.ArrowCursor
        if grip is not None:
            horizontal = grip[0] == Qt.Orientation.Horizontal
            shape = Qt.CursorShape.SplitHCursor if horizontal else Qt.CursorShape.SplitVCursor
        elif view.handle_rect().adjusted(-2, -2, 2, 2).contains(point):
            shape = Qt.CursorShape.CrossCursor
        elif self._is_on_edge(point):
            shape = Qt.CursorShape.SizeAllCursor
        if view.viewport().cursor().shape() != shape:
            view.viewport().setCursor(shape)

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
        text = self.tip_at(event.pos())
        if text:
            QToolTip.showText(event.globalPos(), text, self._view.viewport())
        else:
            QToolTip.hideText()
        return True

    def tip_at(self, point: QPoint) -> str:
        """The tool tip of a point, "" for none. A note has a window of its own."""
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
