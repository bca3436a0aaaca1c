"""A scroll area that shows one sheet: layout, scrolling, zoom and painting; nothing is edited.

Owns where things are on the screen and what of it must be painted again. It reads the document
and the selection that it is to show; `GridView` adds the hands.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QRegion, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QWidget

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import Kind
from gradsheet.qt.grid.cell_style import CellStyles
from gradsheet.qt.grid.decimals import DecimalPoints
from gradsheet.qt.grid.extent import Extent, extent_of
from gradsheet.qt.grid.geometry import COLUMN_WIDTH_PX, ROW_HEIGHT_PX, Axis, Layout, px_per_step
from gradsheet.qt.grid.headers import HeaderPainter, header_sizes
from gradsheet.qt.grid.heat import Heat
from gradsheet.qt.grid.overlay import Overlay
from gradsheet.qt.grid.painter import GridPainter, Scene
from gradsheet.qt.grid.roles import Tag, place_tags
from gradsheet.qt.grid.scroll_bars import set_bars
from gradsheet.qt.grid.selection import Selection
from gradsheet.qt.theme import current_theme
from gradsheet.sheet.workbook import Sheet

if TYPE_CHECKING:
    from gradsheet.app.document import Document

LEAST_ZOOM, MOST_ZOOM = 0.3, 4.0
FRAME_MARGIN_PX = 4
"""How far a selection's frame, its handle and a role's stripe reach out of their cells."""
_MOST_EXPOSED_PARTS = 12
"""More rectangles than this are painted as the one around them."""


class GridCanvas(QAbstractScrollArea):
    """Shows a sheet of a document.

    Signals
    -------
    zoom_changed(float)
        The zoom is another one.
    """

    zoom_changed = Signal(float)

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.document = document
        self._zoom = 1.0
        self._scroll = (0, 0)
        self._syncing = False
        self._tags: tuple[Tag, ...] | None = None
        self._preview: tuple[int, int, int] | None = None  # axis, index, px
        self.overlay = Overlay(self)
        self._left: dict[int, tuple[Selection, tuple[int, int]]] = {}
        self.setFrameShape(QAbstractScrollArea.Shape.NoFrame)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._choose_painters()
        self._open_sheet(document.workbook.sheets[0].id)

    # ------------------------------------------------------------------------- what is shown

    @property
    def sheet_id(self) -> int:
        """The id of the sheet on show."""
        return self._sheet_id

    @property
    def sheet(self) -> Sheet:
        """The sheet on show."""
        return self.document.workbook.sheet(self._sheet_id)

    @property
    def extent(self) -> Extent:
        """How many rows and columns the sheet on show has."""
        return self._extent

    @property
    def styles(self) -> CellStyles:
        """How the cells of the sheet on show are formatted."""
        return self._styles

    @property
    def layout_now(self) -> Layout:
        """What lies where in the viewport."""
        return self._layout

    def visible_region(self) -> Region:
        """The scrolling cells on the screen, partly visible ones included."""
        return self._layout.visible_region()

    def cell_at(self, point: QPoint) -> Cell:
        """The cell under a point of the viewport, the nearest one outside the cells."""
        return self._layout.cell_at(point)

    @property
    def zoom(self) -> float:
        """How much larger than at 100 % everything is; between 0.3 and 4."""
        return self._zoom

    @zoom.setter
    def zoom(self, factor: float) -> None:
        factor = round(min(max(factor, LEAST_ZOOM), MOST_ZOOM), 2)
        if factor == self._zoom:
            return
        first = self.visible_region()
        self._zoom = factor
        self._choose_painters()
        self._measure()
        self.show_at_top(first.first)
        self.layout_changed()
        self.zoom_changed.emit(factor)

    def layout_changed(self) -> None:
        """Called after cells have moved on the screen; for what lies over them."""

    def is_active(self) -> bool:
        """Whether the selection's frame is the strong one."""
        return self.hasFocus()

    def has_handle(self) -> bool:
        """Whether the selection shows its fill handle."""
        return False

    def _open_sheet(self, sheet_id: int) -> None:
        """Show a sheet, at the place and with the selection where it was left."""
        self._sheet_id = sheet_id
        extent = self._extent = extent_of(self.sheet)
        fresh = (Selection(extent.rows, extent.cols), (0, 0))
        self._selection, self._scroll = self._left.get(sheet_id, fresh)
        self._measure()

    def _leave_sheet(self) -> None:
        self._left[self._sheet_id] = (self._selection, self._scroll)

    # -------------------------------------------------------------------------------- layout

    def _choose_painters(self) -> None:
        theme = current_theme()
        self._painter = GridPainter(theme, self._zoom)
        self._header_painter = HeaderPainter(theme, self._painter.faces, self._zoom)

    def _measure(self) -> None:
        """Measure everything anew: sizes, zoom, fonts, labels or roles are others."""
        sheet = self.sheet
        sizes = [sheet.row_heights, sheet.column_widths]
        if self._preview is not None:
            axis, index, px = self._preview
            sizes[axis] = {**sizes[axis], index: px}
        self._axes = (
            Axis(self._extent.rows, ROW_HEIGHT_PX, sizes[0], self._zoom),
            Axis(self._extent.cols, COLUMN_WIDTH_PX, sizes[1], self._zoom),
        )
        self._tags = None
        self._roles_shown = sheet.roles
        self._order_shown = sheet.cells.order
        self._styles = CellStyles(sheet)
        self._heat = Heat(sheet)
        self._points = DecimalPoints(sheet)
        self._painter.overruns.clear()
        self._lay_out()
        self.viewport().update()

    def preview_size(self, orientation: Qt.Orientation, index: int, px: int | None) -> None:
        """Show a row or column at another size while its edge is dragged; None ends it."""
        axis = 1 if orientation == Qt.Orientation.Horizontal else 0
        self._preview = None if px is None else (axis, index, px)
        self._measure()
        self.layout_changed()

    def _lay_out(self) -> None:
        """Make the layout of this moment from sizes, scroll position and viewport."""
        rows, columns = self._axes
        viewport = self.viewport()
        x, y = self._scroll
        last = rows.index_at(y + viewport.height())
        sizes = header_sizes(self.sheet, self._painter.faces, self._zoom, last, columns)
        self._header = sizes
        self._layout = Layout(
            rows,
            columns,
            viewport.width(),
            viewport.height(),
            sizes.width,
            sizes.height,
            self.sheet.frozen,
            x,
            y,
        )
        most_x, most_y = self._layout.max_scroll_x, self._layout.max_scroll_y
        if x > most_x or y > most_y:
            self._scroll = (min(x, most_x), min(y, most_y))
            self._lay_out()
            return
        self._sync_bars()

    def _sync_bars(self) -> None:
        self._syncing = True
        set_bars(
            self._layout,
            self.sheet.cells.used(),
            self.horizontalScrollBar(),
            self.verticalScrollBar(),
        )
        self._syncing = False

    @property
    def tags(self) -> tuple[Tag, ...]:
        """The name tags of the roles, where they found room."""
        if self._tags is None:
            cells = self.sheet.cells
            self._tags = place_tags(
                self.sheet.roles,
                self._axes[1],
                self._extent.rows,
                lambda region: not cells.read(region)[1].any(),
                self._painter.faces.tag.width,
            )
        return self._tags

    # ------------------------------------------------------------------------------ scrolling

    def show_cell(self, cell: Cell) -> None:
        """Scroll as little as brings a cell wholly into view."""
        self._move_to(*self._layout.scroll_to_show(cell))

    def show_at_top(self, cell: Cell) -> None:
        """Scroll so that a cell is the first in view, above and to the left, if there is room."""
        down, across = self._axes
        row, col = self.sheet.frozen
        self._move_to(across.offset(cell.col) - across.offset(col),
                      down.offset(cell.row) - down.offset(row))  # fmt: skip

    def scroll_by(self, dx: int, dy: int) -> None:
        """Scroll by so many px, as the wheel does; may go beyond the scroll bars' ends."""
        self._move_to(self._scroll[0] + dx, self._scroll[1] + dy)

    def _move_to(self, x: int, y: int) -> None:
        """Scroll to a place in px; move what is on the screen and paint only what is new."""
        before = self._layout
        x = min(max(x, 0), before.max_scroll_x)
        y = min(max(y, 0), before.max_scroll_y)
        dx, dy = self._scroll[0] - x, self._scroll[1] - y
        if not dx and not dy:
            return
        self._scroll = (x, y)
        self._lay_out()
        layout = self._layout
        # A screen with a fractional pixel ratio cannot move what is painted by whole pixels.
        has_whole_pixels = float(self.viewport().devicePixelRatioF()).is_integer()
        is_resized = before.header_width != layout.header_width
        if self.overlay.arrows or not has_whole_pixels or (dx and dy) or is_resized:
            self.viewport().update()
        elif dy:
            self._shift(
                QRect(0, layout.split_y, layout.width, layout.height - layout.split_y), 0, dy
            )
        else:
            self._shift(
                QRect(layout.split_x, 0, layout.width - layout.split_x, layout.height), dx, 0
            )
        self.layout_changed()

    def _shift(self, area: QRect, dx: int, dy: int) -> None:
        if abs(dx) >= area.width() or abs(dy) >= area.height():
            self.viewport().update(area)
        else:
            self.viewport().scroll(dx, dy, area)

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        if self._syncing:
            return
        x, y = self._scroll
        if dx:
            x = self.horizontalScrollBar().value() * px_per_step(self._layout.max_scroll_x)
        if dy:
            y = self.verticalScrollBar().value() * px_per_step(self._layout.max_scroll_y)
        self._move_to(x, y)

    # ------------------------------------------------------------------------------- painting

    def update_region(self, region: Region, margin: int = 0) -> None:
        """Paint the visible cells of a region again, and `margin` px around them."""
        for rect in self._layout.region_rects(region):
            self.viewport().update(rect.adjusted(-margin, -margin, margin, margin))

    def update_headers(self) -> None:
        """Paint the headers again."""
        layout = self._layout
        self.viewport().update(0, 0, layout.width, layout.header_height)
        self.viewport().update(0, 0, layout.header_width, layout.height)

    def update_values(self, regions: Iterable[Region]) -> None:
        """Paint cells again whose values are others, with the texts that ran out of them."""
        regions = list(regions)
        regions += [*self._heat.follow(regions), *self._points.follow(regions)]
        regions = [part for region in regions for part in self._as_painted(region)]
        for region in regions:
            self.update_region(region)
        for (row, col), end in self._painter.overruns.items():
            span = Region(row, col, row + 1, end)
            if any(span.intersect(region) is not None for region in regions):
                self.update_region(span)

    def update_tags(self) -> None:
        """Place the name tags anew, and paint again where they were and where they are."""
        if self._tags is not None:
            before, self._tags = self._tags, None
            for tag in set(before) ^ set(self.tags):
                self.update_region(tag.cells)

    def is_in_role(self, region: Region) -> bool:
        """Whether all of a region plays one role, so that it holds no tag."""
        return any(role.region.contains(region) for role in self._roles_shown)

    def _as_painted(self, region: Region) -> list[Region]:
        """The visible parts of a region; the whole rows of it where text may run over.

        A text that is new runs on to the right, and one at the left comes in where cells are
        blank now. Numbers, as a run writes them, stay within their cells.
        """
        parts = []
        for pane in self._layout.panes():
            part = region.intersect(pane.region)
            if part is not None:
                kinds = self.sheet.cells.read(part)[1]
                if (kinds != Kind.NUMBER).any():
                    part = Region(part.top, pane.cols.start, part.bottom, pane.cols.stop)
                parts.append(part)
        return parts

    def paintEvent(self, event: QPaintEvent) -> None:
        exposed = event.region()
        many = exposed.rectCount() > _MOST_EXPOSED_PARTS
        painter = QPainter(self.viewport())
        try:
            for rect in [event.rect()] if many else exposed:
                self.paint(painter, rect)
        finally:
            painter.end()  # Qt crashes if an error leaves a painter behind

    def paint(self, painter: QPainter, exposed: QRect) -> None:
        """Paint a part of the viewport: also for pictures of the grid."""
        layout = self._layout
        scene = Scene(
            self.sheet,
            self.document.workbook.strings,
            self._styles,
            self.tags,
            self._selection.regions,
            self._selection.current,
            self.is_active(),
            self._heat,
            self._points,
            self.overlay.all_marks(),
            self.has_handle(),
            self.document.uncomputed.on(self._sheet_id),
        )
        covered = QRegion(0, 0, layout.width, layout.header_height)
        covered += QRegion(0, 0, layout.header_width, layout.height)
        for pane in layout.panes():
            covered += pane.area
            self._painter.paint(painter, layout, pane, exposed, scene)
        painter.setClipRect(exposed)
        for beyond in QRegion(exposed).subtracted(covered):
            painter.fillRect(beyond, self._painter.theme.chrome)
        self._header_painter.paint(
            painter, layout, self._header, exposed, scene.sheet, scene.regions
        )
        self._painter.split_lines(painter, layout, exposed)
        self.overlay.paint(painter, exposed, self._painter.theme)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()
        self.viewport().update()
        self.layout_changed()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        kinds = (QEvent.Type.PaletteChange, QEvent.Type.FontChange)
        if event.type() in kinds and hasattr(self, "_layout"):
            self._choose_painters()
            self._measure()
