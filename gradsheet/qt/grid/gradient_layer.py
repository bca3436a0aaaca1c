"""What lies over the cells of a grid: derivatives with their nudge, padlocks, cells pointed at.

Owns the painting of these over what the grid has painted, and their colours. Which cells have
which derivative is `gradsheet.app.gradients`'s; the grid knows nothing of it.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen, QPolygonF

from gradsheet.formula.address import Region
from gradsheet.qt.grid.geometry import Layout, Pane
from gradsheet.qt.grid.roles import SIGN_PX, TAG_GAP_PX
from gradsheet.qt.grid.typeface import Face, Faces
from gradsheet.qt.theme import (
    FRAME_PX,
    ROLE_COLOURS,
    ROLE_NAMES,
    Theme,
    blend,
    contrast_ratio,
    current_theme,
    translucent,
)

if TYPE_CHECKING:
    from gradsheet.app.gradients import GradientLayer
    from gradsheet.formula.results import Computed
    from gradsheet.qt.grid.view import GridView

STEPS = 20
"""Shades on each side of zero."""
STRONGEST = 0.72
"""How much of the solid colour the end of the scale shows: text must be read on it."""
NEGATIVE, POSITIVE = ROLE_COLOURS["data"], ROLE_COLOURS["user"]
"""Blue and orange of Okabe and Ito: told apart by every kind of colour vision."""
ARROW_PX = 7
PAD_PX = 3
LOCK_PX = 13
LIT_WASH = 0.25
_MARGIN_PX = 10
"""How far a padlock reaches out of its range."""


@lru_cache(maxsize=256)
def shade(theme: Theme, place: int) -> tuple[str, str]:
    """Ground and text colour at a place of the scale, -STEPS to STEPS.

    The middle is the sheet's own colour; the text is the theme's, or the one of black and white
    that is read better.
    """
    share = STRONGEST * abs(place) / STEPS
    ground = blend(theme.sheet, POSITIVE if place > 0 else NEGATIVE, share)
    if contrast_ratio(theme.text, ground) >= 4.5:
        return ground, theme.text
    best = max(("#000000", "#FFFFFF"), key=lambda colour: contrast_ratio(colour, ground))
    return ground, best


def place_on_scale(value: float, limit: float) -> int:
    """The shade of a derivative on a scale that ends at plus and minus `limit`."""
    if not math.isfinite(value) or limit <= 0:
        return 0
    share = max(-1.0, min(1.0, value / limit))
    if share == 0.0:
        return 0
    return round(math.copysign(max(1.0, abs(share) * STEPS), share))


def derivative_text(value: float, digits: int = 3) -> str:
    """A derivative in so many significant digits, without an exponent where it can be."""
    if value == 0.0:
        return "0"
    if not math.isfinite(value):
        return "n/a"
    size = abs(value)
    if size >= 1e5 or size < 10.0 ** (-2 - digits):
        return f"{value:.{max(0, digits - 2)}e}".replace("e-0", "e-").replace("e+0", "e")
    places = max(0, digits - 1 - math.floor(math.log10(size)))
    text = f"{value:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text and places > digits else text


_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def unit_text(exponent: int) -> str:
    """What the numbers of a scale are multiples of: `×10⁻⁴`, empty for 1."""
    return f"×10{str(exponent).translate(_SUPERSCRIPTS)}" if exponent else ""


def cell_number(value: float, exponent: int) -> str:
    """A derivative as its cell shows it, in the unit of its scale: all cells with two decimals."""
    if value == 0.0:
        return "0"
    if not math.isfinite(value):
        return "n/a"
    shown = value / 10.0**exponent
    places = 2 if abs(shown) < 9.995 else 1 if abs(shown) < 99.95 else 0
    text = f"{shown:.{places}f}" if abs(shown) < 99999 else f"{shown:.0e}"
    return "0.00" if text == "-0.00" else text  # the arrow still says which way


class CellLayers(QObject):
    """Paints over one grid.

    Parameters
    ----------
    grid : GridView
    layer : GradientLayer
        Gives the derivatives while it is on.
    """

    def __init__(self, grid: GridView, layer: GradientLayer) -> None:
        super().__init__(grid)
        self._grid = grid
        self._layer = layer
        self._faces: tuple[float, float, Faces] | None = None
        self._lit: tuple[int, Region] | None = None
        self._phase: tuple[tuple[int, Region], ...] = ()
        grid.viewport().installEventFilter(self)

    # ------------------------------------------------------------------ what is shown

    def light(self, place: tuple[int, Region] | None) -> None:
        """Light cells, on whatever sheet they are; None lights none."""
        before, self._lit = self._lit, place
        for lit in (before, place):
            if lit is not None and lit[0] == self._grid.sheet_id:
                self._grid.update_region(lit[1], _MARGIN_PX)

    def light_phase(self, places: tuple[tuple[int, Region], ...]) -> None:
        """Light what a phase of a step computes; nothing ends it."""
        if places == self._phase:
            return
        before, self._phase = self._phase, places
        for sheet, region in (*before, *places):
            if sheet == self._grid.sheet_id:
                self._grid.update_region(region, _MARGIN_PX)

    @property
    def phase(self) -> tuple[tuple[int, Region], ...]:
        """The cells that a phase lights."""
        return self._phase

    @property
    def lit(self) -> tuple[int, Region] | None:
        """The cells that are lit: sheet id and region."""
        return self._lit

    def refresh(self, regions: list[tuple[int, Region]]) -> None:
        """Paint cells again whose derivative is another."""
        for sheet, region in regions:
            if sheet == self._grid.sheet_id:
                self._grid.update_region(region)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the grid paint, then paint over it."""
        if event.type() != QEvent.Type.Paint or not isinstance(event, QPaintEvent):
            return False
        if not self._has_something():
            return False
        self._grid.paintEvent(event)
        painter = QPainter(self._grid.viewport())
        try:
            for rect in event.region():
                self.paint(painter, rect)
        finally:
            painter.end()
        return True

    def _has_something(self) -> bool:
        return (
            self._lit is not None
            or bool(self._phase)
            or (self._layer.is_on and bool(self._layer.shown))
            or any(role.locked or role.rate_scale != 1.0 for role in self._grid.sheet.roles)
        )

    def paint(self, painter: QPainter, exposed: QRect) -> None:
        """Paint what lies over a part of the viewport: also for pictures of the grid."""
        layout = self._grid.layout_now
        for pane in layout.panes():
            clip = exposed.intersected(pane.area)
            if clip.isEmpty():
                continue
            painter.setClipRect(clip)
            if self._layer.is_on:
                for block in self._layer.shown:
                    if block.sheet == self._grid.sheet_id:
                        self._block(painter, layout, pane, clip, block)
                self._units(painter, layout, pane)
                self._frames(painter, layout, pane)
            for sheet, region in self._phase:
                if sheet == self._grid.sheet_id:
                    # The colours of derivatives are to be read as they are: a frame is enough.
                    wash = 0.0 if self._layer.is_on else LIT_WASH
                    self._paint_lit(painter, layout, pane, region, wash)
            if self._lit is not None and self._lit[0] == self._grid.sheet_id:
                self._paint_lit(painter, layout, pane, self._lit[1], LIT_WASH)
        painter.setClipRect(exposed.intersected(layout.cells_area().adjusted(-6, -6, 0, 0)))
        for role in self._grid.sheet.roles:
            if role.locked or role.rate_scale != 1.0:
                self._badge(painter, layout, role.region, role.locked, role.rate_scale)

    # ------------------------------------------------------------------ derivatives

    def _block(
        self, painter: QPainter, layout: Layout, pane: Pane, clip: QRect, block: Computed
    ) -> None:
        part = block.region.intersect(pane.region)
        scale = self._layer.scale_of(block.sheet, block.region)
        if part is None or part.is_empty or scale is None:
            return
        theme, faces = current_theme(), self._fonts()
        xs = [x - pane.shift_x for x in layout.columns.edges(range(part.left, part.right))]
        ys = [y - pane.shift_y for y in layout.rows.edges(range(part.top, part.bottom))]
        rows, cols = part.slices_in(block.region)
        values, kinds = block.values[rows, cols].tolist(), block.kinds[rows, cols].tolist()
        up = self._layer.moves_up
        for i, row in enumerate(values):
            top, bottom = ys[i], ys[i + 1]
            if bottom <= clip.top() or top > clip.bottom() or bottom == top:
                continue
            for j, value in enumerate(row):
                left, right = xs[j], xs[j + 1]
                if not kinds[i][j] or right <= clip.left() or left > clip.right() or right == left:
                    continue
                ground, text = shade(theme, place_on_scale(value, scale.limit))
                box = QRect(left, top, right - left - 1, bottom - top - 1)
                painter.fillRect(box, QColor(ground))
                shown = cell_number(value, scale.exponent)
                self._number(painter, faces, box, shown, text, up * value / scale.limit)

    def _fonts(self) -> Faces:
        zoom, dark = self._grid.zoom, float(self._grid.devicePixelRatioF())
        if self._faces is None or self._faces[:2] != (zoom, dark):
            self._faces = (zoom, dark, Faces(zoom))
        return self._faces[2]

    def _number(
        self,
        painter: QPainter,
        faces: Faces,
        box: QRect,
        text: str,
        colour: str,
        nudge: float,
    ) -> None:
        """The derivative at the right of a cell, its arrow at the left.

        `nudge` is the way the cell would move, 1 for the end of the scale.
        """
        zoom = self._grid.zoom
        arrow, pad = max(4.0, ARROW_PX * zoom), max(2, round(PAD_PX * zoom))
        room = box.width() - 2 * pad
        face = _fitted(faces, text, room - round(arrow) - 1)
        width = face.width(text)
        painter.setFont(face.font)
        painter.setPen(QColor(colour))
        baseline = box.top() + (box.height() + 1 - face.height) // 2 + face.ascent
        if width <= room:
            painter.drawText(box.right() + 1 - pad - width, baseline, text)
        if width + arrow <= room + 1 and nudge:
            share = min(1.0, abs(nudge))
            _arrow(painter, QRectF(box.left() + pad - 1, box.top(), arrow, box.height() + 1),
                   nudge > 0, 0.45 + 0.55 * share, colour)  # fmt: skip

    def _units(self, painter: QPainter, layout: Layout, pane: Pane) -> None:
        """Beside the name of each range, what its numbers are multiples of."""
        theme, face = current_theme(), self._fonts().tag
        exponents = {
            scale.label or ROLE_NAMES.get(scale.role, ""): scale.exponent
            for scale in self._layer.scales
        }
        sign, gap, zoom = SIGN_PX, TAG_GAP_PX, self._grid.zoom
        for tag in self._grid.tags:
            unit = unit_text(exponents.get(tag.text, 0))
            if not unit or tag.cells.intersect(pane.region) is None:
                continue
            left = layout.columns.offset(tag.cells.left) - pane.shift_x
            right = layout.columns.offset(tag.cells.right) - pane.shift_x
            top = layout.rows.offset(tag.cells.top) - pane.shift_y
            height = layout.rows.size(tag.cells.top)
            taken = round((sign + gap) * zoom) + face.width(tag.text) + round(2 * gap * zoom)
            if tag.align == Qt.AlignmentFlag.AlignRight:
                x = right - round(PAD_PX * zoom) - taken - face.width(unit) - round(gap * zoom)
            else:
                x = left + taken
            painter.setFont(face.font)
            painter.setPen(QColor(theme.muted))
            painter.drawText(x, top + (height - face.height) // 2 + face.ascent, unit)

    def _frames(self, painter: QPainter, layout: Layout, pane: Pane) -> None:
        """The selection's frame again, which the colours have partly covered."""
        theme = current_theme()
        for region in self._grid.selection:
            shared = region.intersect(pane.region)
            if shared is None or shared.is_empty:
                continue
            left = layout.columns.offset(region.left) - pane.shift_x - 1
            top = layout.rows.offset(region.top) - pane.shift_y - 1
            right = layout.columns.offset(region.right) - pane.shift_x - 1
            bottom = layout.rows.offset(region.bottom) - pane.shift_y - 1
            thick = FRAME_PX if self._grid.is_active() else 1
            colour = QColor(theme.accent)
            painter.fillRect(left, top, right - left + 1, thick, colour)
            painter.fillRect(left, bottom + 1 - thick, right - left + 1, thick, colour)
            painter.fillRect(left, top, thick, bottom - top + 1, colour)
            painter.fillRect(right + 1 - thick, top, thick, bottom - top + 1, colour)

    # ------------------------------------------------------------------ marks

    def _paint_lit(
        self, painter: QPainter, layout: Layout, pane: Pane, region: Region, wash: float
    ) -> None:
        shared = region.intersect(pane.region)
        if shared is None or shared.is_empty:
            return
        theme = current_theme()
        box = QRect(
            layout.columns.offset(shared.left) - pane.shift_x - 1,
            layout.rows.offset(shared.top) - pane.shift_y - 1,
            layout.columns.offset(shared.right) - layout.columns.offset(shared.left) + 1,
            layout.rows.offset(shared.bottom) - layout.rows.offset(shared.top) + 1,
        )
        painter.fillRect(box, translucent(theme.accent, wash))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(theme.accent), 2))
        painter.drawRect(box.adjusted(1, 1, -1, -1))

    def _badge(
        self, painter: QPainter, layout: Layout, region: Region, locked: bool, rate: float
    ) -> None:
        """A padlock, or the factor on the rate, on the upper left corner of a range."""
        zoom, theme = self._grid.zoom, current_theme()
        size = max(9, round(LOCK_PX * zoom))
        x, y = layout.x_of(region.left), layout.y_of(region.top)
        if not (-size < x < layout.width and -size < y < layout.height):
            return
        if x < layout.header_width - 1 or y < layout.header_height - 1:
            return
        face = self._fonts().labels[0]
        text = "" if rate == 1.0 else f"×{rate:g}"
        width = (size if locked else 0) + (face.width(text) + 4 if text else 0)
        box = QRect(x - 4, y - 4, width, size)
        painter.fillRect(box, QColor(theme.text))
        if locked:
            _padlock(painter, QRectF(box.left(), box.top(), size, size), theme.sheet)
        if text:
            painter.setFont(face.font)
            painter.setPen(QColor(theme.sheet))
            left = box.left() + (size if locked else 0) + 2
            painter.drawText(left, box.top() + (size - face.height) // 2 + face.ascent, text)


def _fitted(faces: Faces, text: str, room: int) -> Face:
    """The widest letters in which a number finds room."""
    for face in (faces.plain, *faces.narrow[0]):
        if face.width(text) <= room:
            return face
    return faces.narrow[0][-1]


def _arrow(painter: QPainter, box: QRectF, is_up: bool, size: float, colour: str) -> None:
    """A triangle that points the way the cell would move; larger for a stronger push."""
    half, height = box.width() / 2 * size, box.width() * 0.95 * size
    x, y = box.center().x(), box.center().y()
    tip = y - height / 2 if is_up else y + height / 2
    base = y + height / 2 if is_up else y - height / 2
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colour))
    painter.drawPolygon(
        QPolygonF([QPointF(x, tip), QPointF(x + half, base), QPointF(x - half, base)])
    )
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def _padlock(painter: QPainter, box: QRectF, colour: str) -> None:
    side = box.width()
    body = QRectF(box.x() + side * 0.22, box.y() + side * 0.46, side * 0.56, side * 0.38)
    bow = QPainterPath()
    bow.moveTo(box.x() + side * 0.33, body.top())
    bow.lineTo(box.x() + side * 0.33, box.y() + side * 0.36)
    bow.arcTo(QRectF(box.x() + side * 0.33, box.y() + side * 0.16, side * 0.34, side * 0.4),
              180, -180)  # fmt: skip
    bow.lineTo(box.x() + side * 0.67, body.top())
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.fillRect(body, QColor(colour))
    painter.setPen(QPen(QColor(colour), max(1.0, side * 0.1)))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(bow)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
