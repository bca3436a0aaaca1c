"""The map of items: dots, names, what is selected and its neighbours; mouse and keys on it.

Owns what is in view and how it is painted. It is handed places, names and colours and says what
the user selects, points at or drags; it knows no model.
"""

# LONG: one canvas; its mouse, keys and painting share the view and the places of the dots.

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFont,
    QFontMetrics,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QToolTip, QWidget

from gradsheet.qt.ratings.map_labels import LabelRoom, place_labels
from gradsheet.qt.ratings.map_view import MapView
from gradsheet.qt.theme import blend, current_theme, px, scale, ui_font
from gradsheet.qt.widgets.column_table import Column
from gradsheet.qt.widgets.dots import DotColours, paint_dots, radius_for
from gradsheet.qt.widgets.figure import Figure

Codes = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]

NAME_PX = 12
NAMES_MOST = 90
TRIED_MOST = 240
"""Dots for whose name a place is looked for."""
NAME_LETTERS = 34
NEAR_PX = 9.0
"""A click this near to a dot takes it."""
NUDGE_PX = 8.0
STEP_PX = 60.0


class MapCanvas(Figure):
    """Dots on a plane with the same scale along both axes."""

    chosen = Signal(list)
    """The user selected these items, by code."""
    drag_begun = Signal(int)
    dragged = Signal(int, float, float)
    """An item is dragged to a place of the plane."""
    drag_ended = Signal(int)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, "Map of the items")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(240, 200)
        self.items: Codes = np.empty(0, np.int64)
        self.places: Doubles = np.empty((0, 2))
        self._titles: Sequence[str] = ()
        self._order: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self._place_of: dict[int, int] = {}
        self._colours: npt.NDArray[np.uint32] = np.empty(0, np.uint32)
        self._drawn_colours: DotColours | None = None
        self._seen: npt.NDArray[np.bool_] = np.empty(0, bool)
        self._counts: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self._axes = ("", "")
        self._selected: tuple[int, ...] = ()
        self._near: tuple[int, ...] = ()
        self.view = MapView(100.0, 100.0)
        self._is_fitted = True
        self._picture: QImage | None = None
        self._picture_pixels: npt.NDArray[np.uint32] | None = None
        self._pixels: Doubles = np.empty((0, 2))
        self._widths: dict[tuple[str, bool], float] = {}
        self._pressed: QPointF | None = None
        self._was_view: MapView | None = None
        self._dragging: int | None = None
        self._band: QRectF | None = None
        self.named: list[int] = []
        """Codes whose names are shown, for tests and for the keys."""

    # ------------------------------------------------------------------ what it shows

    def show_items(
        self,
        items: Codes,
        places: Doubles,
        titles: Sequence[str],
        counts: npt.NDArray[np.int64],
        axes: tuple[str, str],
    ) -> None:
        """Show items.

        Parameters
        ----------
        items : ndarray (n,)
            Codes.
        places : ndarray (n, 2)
        titles : sequence of str
            By code.
        counts : ndarray (n,)
            Ratings of each; names are given to the most rated first.
        axes : (str, str)
            Titles of the axes.
        """
        is_other = axes != self._axes or len(items) != len(self.items)
        self.items, self.places, self._titles = items, np.ascontiguousarray(places), titles
        if is_other or not np.array_equal(counts, self._counts):
            self._counts = counts
            self._order = np.argsort(-counts, kind="stable")
            self._drawn_colours = None
        self._place_of = {int(code): k for k, code in enumerate(items.tolist())}
        self._axes = axes
        if len(self._colours) != len(items):
            self._colours = np.full(len(items), _argb(current_theme().role_colour("item")),
                                    np.uint32)  # fmt: skip
            self._drawn_colours = None
        if self._is_fitted and self._dragging is None:
            self.fit()
        self._redraw()

    def set_colours(self, colours: npt.NDArray[np.uint32]) -> None:
        """Colour the dots; 0xFFRRGGBB in the order of the items."""
        self._colours, self._drawn_colours = colours, None
        self._redraw()

    def show_selection(self, items: Sequence[int], near: Sequence[int] = ()) -> None:
        """Light up items and, more quietly, their neighbours."""
        self._selected = tuple(c for c in items if c in self._place_of)
        self._near = tuple(c for c in near if c in self._place_of)
        if self._selected:
            self.setAccessibleDescription(self.spoken(self._selected[0]))
        self.update()

    @property
    def selected(self) -> tuple[int, ...]:
        """Codes of the items that are lit up."""
        return self._selected

    def spoken(self, code: int) -> str:
        """Return what is said of an item."""
        x, y = self.places[self._place_of[code]]
        count = int(self._counts[self._place_of[code]])
        return f"{self._titles[code]}, {count:,} ratings, at {x:.3f}, {y:.3f}"

    def columns(self) -> Sequence[Column]:
        """Return title, both places and ratings of each item."""
        return (
            Column("item", [self._titles[code] for code in self.items.tolist()]),
            Column("across", self.places[:, 0], lambda v: f"{v:.4f}", True, self._axes[0]),
            Column("up", self.places[:, 1], lambda v: f"{v:.4f}", True, self._axes[1]),
            Column("ratings", self._counts, lambda v: f"{int(v):,}", True, "Training ratings"),
        )

    # ------------------------------------------------------------------ the view

    def fit(self) -> None:
        """Show everything."""
        self.view = self.view.fitted(self.places)
        self._is_fitted = True
        self._redraw()

    def zoom(self, factor: float, at: QPointF | None = None) -> None:
        """Show more of less, around a place or the middle."""
        here = at or QPointF(self.view.width / 2, self.view.height / 2)
        self.view = self.view.zoomed(factor, here.x(), here.y())
        self._is_fitted = False
        self._redraw()

    def show_item(self, code: int, least_zoom: float = 1.0) -> None:
        """Move the view, if need be, so that an item is well in sight."""
        if code not in self._place_of:
            return
        x, y = self.places[self._place_of[code]]
        if self.view.scale < least_zoom * self.view.whole:
            self.zoom(least_zoom * self.view.whole / self.view.scale)
        if not self.view.shows(x, y):
            self.view = MapView(self.view.width, self.view.height, float(x), float(y),
                                self.view.scale, self.view.whole)  # fmt: skip
            self._is_fitted = False
        self._redraw()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep in sight what was."""
        super().resizeEvent(event)
        plot = self._plot_size()
        self.view = self.view.resized(*plot)
        if self._is_fitted:
            self.fit()
        self._redraw()

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours and sizes of a new theme."""
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "view"):
            self._widths.clear()
            self.view = self.view.resized(*self._plot_size())
            self._redraw()
        super().changeEvent(event)

    def _plot_size(self) -> tuple[float, float]:
        return max(self.width() - self._left(), 40.0), max(self.height() - self._below(), 40.0)

    @staticmethod
    def _left() -> float:
        return px(52)

    @staticmethod
    def _below() -> float:
        return px(42)

    def _redraw(self) -> None:
        self._picture = None
        # Not in the painting: a click may come before it, and means what is shown from now on.
        view = self.view
        self._pixels = view.to_pixels(self.places)
        x, y = self._pixels[:, 0], self._pixels[:, 1]
        self._seen = (x >= 0) & (x < view.width) & (y >= 0) & (y < view.height)
        self.update()

    # ------------------------------------------------------------------ painting

    def draw(self, painter: QPainter, box: QRectF) -> None:
        """Draw grid, dots, names, selection."""
        if not len(self.items):
            return
        painter.save()
        painter.translate(self._left(), 0)
        if self._picture is None:
            self._paint_picture()
        assert self._picture is not None
        painter.drawImage(QPointF(0, 0), self._picture)
        painter.setClipRect(QRectF(0, 0, self.view.width, self.view.height))
        self._draw_links(painter)
        self._draw_rings(painter)
        self._draw_names(painter)
        if self._band is not None:
            painter.setPen(QPen(QColor(current_theme().accent), 1))
            painter.setBrush(QColor(0, 114, 178, 30))
            painter.drawRect(self._band)
        painter.restore()
        self._draw_axes(painter)

    def _paint_picture(self) -> None:
        theme, view = current_theme(), self.view
        ratio = self.devicePixelRatioF()
        width, height = max(1, round(view.width * ratio)), max(1, round(view.height * ratio))
        radius = radius_for(int(np.count_nonzero(self._seen))) * ratio * scale()
        order = self._order[::-1]  # the most rated lie on top
        ground = _argb(theme.sheet)
        colours = self._drawn_colours
        if colours is None or colours.ground != ground:
            colours = self._drawn_colours = DotColours(self._colours[order], ground)
        places = self._pixels[order]
        if ratio != 1.0:
            places *= ratio
        dots = paint_dots(width, height, places[:, 0], places[:, 1], colours, radius)
        # The image is a view of these pixels: they live as long as it.
        self._picture_pixels = dots.pixels
        image = QImage(dots.pixels.data, width, height, 4 * dots.stride,
                       QImage.Format.Format_RGB32)  # fmt: skip
        image.setDevicePixelRatio(ratio)
        self._picture = image

    def _draw_axes(self, painter: QPainter) -> None:
        theme, view = current_theme(), self.view
        painter.setFont(ui_font(NAME_PX))
        left, bottom = self._left(), view.height
        painter.setPen(QPen(QColor(theme.lines), 1))
        painter.drawLine(QPointF(left, bottom), QPointF(left + view.width, bottom))
        painter.drawLine(QPointF(left, 0), QPointF(left, bottom))
        painter.setPen(QColor(theme.muted))
        apart = px(80)
        for value in view.ticks(True, apart):
            x = left + view.width / 2 + (value - view.x) * view.scale
            if left + px(14) < x < left + view.width - px(14):
                place = QRectF(x - px(40), bottom + px(2), px(80), px(18))
                painter.drawText(place, int(Qt.AlignmentFlag.AlignCenter), _number(value))
        for value in view.ticks(False, apart):
            y = view.height / 2 - (value - view.y) * view.scale
            if px(9) < y < bottom - px(9):
                place = QRectF(px(14), y - px(9), left - px(20), px(18))
                align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                painter.drawText(place, int(align), _number(value))
        title = QRectF(left, bottom + px(20), view.width, px(20))
        painter.drawText(title, int(Qt.AlignmentFlag.AlignCenter), self._axes[0])
        painter.save()
        painter.translate(px(9), bottom / 2)
        painter.rotate(-90)
        across = QRectF(-bottom / 2, -px(9), bottom, px(18))
        upward = painter.fontMetrics().elidedText(
            self._axes[1].replace(" of the variance", "")
            if painter.fontMetrics().horizontalAdvance(self._axes[1]) > bottom
            else self._axes[1],
            Qt.TextElideMode.ElideRight, int(bottom),
        )  # fmt: skip
        painter.drawText(across, int(Qt.AlignmentFlag.AlignCenter), upward)
        painter.restore()

    def _draw_links(self, painter: QPainter) -> None:
        """Draw a hairline from the selected item to each of its neighbours."""
        if not self._selected or not self._near:
            return
        painter.setPen(QPen(QColor(blend(current_theme().sheet, current_theme().accent, 0.6)), 1))
        here = QPointF(*self._pixels[self._place_of[self._selected[0]]])
        for code in self._near:
            painter.drawLine(here, QPointF(*self._pixels[self._place_of[code]]))

    def _draw_rings(self, painter: QPainter) -> None:
        theme = current_theme()
        dot = radius_for(int(np.count_nonzero(self._seen))) * scale()
        for codes, radius, width in ((self._near, px(5), 1.5), (self._selected, px(7), 2.5)):
            for code in codes[:500]:
                place = self._place_of[code]
                centre = QPointF(*self._pixels[place])
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(theme.sheet))  # no other dot within the ring
                painter.drawEllipse(centre, radius, radius)
                painter.setBrush(QColor.fromRgb(int(self._colours[place])))
                painter.drawEllipse(centre, dot, dot)
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(QPen(QColor(theme.accent), px(width)))
                painter.drawEllipse(centre, radius, radius)
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.accent), 1))
            painter.drawRect(QRectF(1, 1, self.view.width - 2, self.view.height - 2))

    def _draw_names(self, painter: QPainter) -> None:
        """Name what is selected, its neighbours, then the most rated where there is room."""
        theme, view, pixels = current_theme(), self.view, self._pixels
        height = px(NAME_PX + 4)
        room = LabelRoom(view.width, view.height)
        strong = [self._place_of[code] for code in (*self._selected[:30], *self._near)]
        others = self._most_rated_seen()
        bold, plain = ui_font(NAME_PX), ui_font(NAME_PX)
        bold.setWeight(QFont.Weight.DemiBold)
        texts: dict[int, str] = {}

        def dots(rows: Sequence[int], font: QFont) -> Iterator[tuple[int, float, float, float]]:
            is_bold = font is bold
            for row, (x, y) in zip(rows, pixels[rows].tolist(), strict=True):
                text = texts[row] = self._name(int(self.items[row]))
                yield row, x, y, self._width(text, font, is_bold)

        gap = px(7)
        first = place_labels(room, dots(list(dict.fromkeys(strong)), bold), height, gap, 60)
        taken = set(strong)
        rest = place_labels(room, dots([r for r in others if r not in taken], plain), height, gap,
                            NAMES_MOST)  # fmt: skip
        ground = QColor(theme.sheet)
        ground.setAlphaF(0.72)
        for labels, font, colour in ((rest, plain, theme.muted), (first, bold, theme.text)):
            painter.setFont(font)
            painter.setPen(QColor(colour))
            for label in labels:
                text = texts[label.which]
                place = QRectF(label.x, label.y, self._width(text, font, font is bold), height)
                painter.fillRect(place, ground)
                painter.drawText(place, int(Qt.AlignmentFlag.AlignCenter), text)
        self.named = [int(self.items[label.which]) for label in (*first, *rest)]

    def _name(self, code: int) -> str:
        title = self._titles[code]
        return title if len(title) <= NAME_LETTERS else f"{title[: NAME_LETTERS - 1].rstrip()}…"

    def _width(self, text: str, font: QFont, is_bold: bool) -> float:
        key = (text, is_bold)
        if key not in self._widths:
            self._widths[key] = QFontMetrics(font).horizontalAdvance(text) + 4.0
        return self._widths[key]

    def _most_rated_seen(self) -> list[int]:
        """Return the first of the dots in sight, the most rated first."""
        found: list[int] = []
        for begin in range(0, len(self._order), 4096):
            part = self._order[begin : begin + 4096]
            found += part[self._seen[part]].tolist()
            if len(found) >= TRIED_MOST:
                break
        return found[:TRIED_MOST]

    # ------------------------------------------------------------------ the mouse

    def dot_at(self, place: QPointF) -> int | None:
        """Return the code of the dot at a place of the widget; None where there is none."""
        if not len(self._pixels):
            return None
        far = (self._pixels[:, 0] - (place.x() - self._left())) ** 2 + (
            self._pixels[:, 1] - place.y()
        ) ** 2
        far = np.where(far < px(NEAR_PX) ** 2, far - 1e-3 * np.minimum(self._counts, 1000), np.inf)
        nearest = int(np.argmin(far))
        return int(self.items[nearest]) if np.isfinite(far[nearest]) else None

    def place_of(self, code: int) -> QPointF:
        """Return where an item is, in pixels of the widget."""
        pixel = self.view.to_pixels(self.places[self._place_of[code]][None])[0]
        return QPointF(pixel[0] + self._left(), pixel[1])

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to drag the selected dot, to draw a band, or to move the view."""
        if event.button() != Qt.MouseButton.LeftButton or not len(self.items):
            return
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self._pressed, self._was_view = event.position(), self.view
        code = self.dot_at(event.position())
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._band = QRectF()
        elif code is not None and self._selected == (code,):
            self._dragging = code

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag what was taken; say what is under the mouse."""
        place = event.position()
        if self._pressed is None:
            self._hover(event)
            return
        moved = place - self._pressed
        if moved.manhattanLength() < QApplication.startDragDistance() and self._was_view == (
            self.view
        ) and not self._is_dragging:  # fmt: skip
            return
        if self._band is not None:
            left = QPointF(self._left(), 0)
            self._band = QRectF(self._pressed - left, place - left).normalized()
            self.update()
        elif self._dragging is not None:
            if not self._is_dragging:
                self._is_dragging = True
                self.drag_begun.emit(self._dragging)
            x, y = self.view.to_plane(place.x() - self._left(), place.y())
            self.dragged.emit(self._dragging, x, y)
        elif self._was_view is not None:
            self.view = self._was_view.panned(moved.x(), moved.y())
            self._is_fitted = False
            self._redraw()

    _is_dragging = False

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a drag, or select what was clicked."""
        if self._pressed is None or event.button() != Qt.MouseButton.LeftButton:
            return
        was_click = self._was_view == self.view and not self._is_dragging
        pressed, band, dragging = self._pressed, self._band, self._dragging
        self._pressed = self._was_view = self._band = self._dragging = None
        if self._is_dragging and dragging is not None:
            self._is_dragging = False
            self.drag_ended.emit(dragging)
        elif band is not None and band.width() > 2:
            inside = [k for k, (x, y) in enumerate(self._pixels) if band.contains(x, y)]
            self._choose([int(self.items[k]) for k in inside])
        elif was_click:
            code = self.dot_at(pressed)
            adds = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
            if code is None:
                self._choose([])
            elif adds:
                kept = [c for c in self._selected if c != code]
                self._choose(kept if code in self._selected else [*kept, code])
            else:
                self._choose([code])
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Show everything again after a double click beside the dots."""
        if self.dot_at(event.position()) is None:
            self.fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom around the mouse."""
        if len(self.items):
            here = event.position() - QPointF(self._left(), 0)
            self.zoom(1.0015 ** event.angleDelta().y(), here)
            event.accept()

    def _hover(self, event: QMouseEvent) -> None:
        code = self.dot_at(event.position())
        is_own = code is not None and self._selected == (code,)
        self.setCursor(Qt.CursorShape.SizeAllCursor if is_own else Qt.CursorShape.ArrowCursor)
        if code is None:
            QToolTip.hideText()
            return
        more = "\nDrag it: its embedding follows." if is_own else ""
        QToolTip.showText(event.globalPosition().toPoint(), self.spoken(code) + more, self)

    def _choose(self, codes: list[int]) -> None:
        self.show_selection(codes)
        self.chosen.emit(codes)

    # ------------------------------------------------------------------ the keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows go from name to name, with Shift move the view, with Ctrl drag the dot."""
        ways = {
            Qt.Key.Key_Left: (-1.0, 0.0), Qt.Key.Key_Right: (1.0, 0.0),
            Qt.Key.Key_Up: (0.0, -1.0), Qt.Key.Key_Down: (0.0, 1.0),
        }  # fmt: skip
        key, held = Qt.Key(event.key()), event.modifiers()
        if key in ways and len(self.items):
            dx, dy = ways[key]
            if held & Qt.KeyboardModifier.ControlModifier:
                self._nudge(dx * NUDGE_PX, -dy * NUDGE_PX)
            elif held & Qt.KeyboardModifier.ShiftModifier:
                self.view = self.view.panned(-dx * STEP_PX, -dy * STEP_PX)
                self._is_fitted = False
                self._redraw()
            else:
                self._go(dx, dy)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom(1.4)
        elif key == Qt.Key.Key_Minus:
            self.zoom(1 / 1.4)
        elif key in (Qt.Key.Key_0, Qt.Key.Key_Home):
            self.fit()
        elif key == Qt.Key.Key_Escape and self._selected:
            self._choose([])
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        """Keep the keys that the map needs from the window's shortcuts while it has the focus."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            keys = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down,
                    Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus, Qt.Key.Key_0,
                    Qt.Key.Key_Home)  # fmt: skip
            if event.key() in keys and not (
                event.modifiers() & Qt.KeyboardModifier.AltModifier
            ):
                event.accept()
                return True
        return super().event(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show that the keys go here."""
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Show that they do not."""
        super().focusOutEvent(event)
        self.update()

    def _go(self, dx: float, dy: float) -> None:
        """Select the nearest named dot in a direction."""
        named = [self._place_of[code] for code in self.named if code in self._place_of]
        if not named:
            return
        here = np.array([self.view.width / 2, self.view.height / 2])
        if self._selected:
            here = self._pixels[self._place_of[self._selected[0]]]
        away = self._pixels[named] - here
        along, beside = away @ np.array([dx, dy]), np.abs(away @ np.array([dy, dx]))
        cost = np.where(along > 2.0, along + 2.0 * beside, np.inf)
        best = int(np.argmin(cost))
        if np.isfinite(cost[best]):
            self._choose([int(self.items[named[best]])])

    def _nudge(self, dx: float, dy: float) -> None:
        """Move the one selected dot by pixels."""
        if len(self._selected) != 1:
            return
        code = self._selected[0]
        x, y = self.places[self._place_of[code]]
        self.drag_begun.emit(code)
        self.dragged.emit(code, float(x + dx / self.view.scale), float(y + dy / self.view.scale))
        self.drag_ended.emit(code)


def _argb(colour: str) -> int:
    return 0xFF000000 | int(colour[1:], 16)


def _number(value: float) -> str:
    return f"{value:.6g}" if abs(value) > 1e-12 else "0"
