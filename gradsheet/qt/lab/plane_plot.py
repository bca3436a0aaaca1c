"""A loss over two parameters as bands, with paths, points and arrows on it.

Owns the picture of the bands (computed for the part in view, again after a zoom) and the mouse on
the plane. Knows a loss only as a function of points.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPixmap, QTransform
from PySide6.QtWidgets import QWidget

from gradsheet.qt.theme import blend, current_theme, scale
from gradsheet.qt.widgets.line_chart import FLOATS
from gradsheet.qt.widgets.polyline import PathItem
from gradsheet.qt.widgets.quiet_plot import QuietPlot

Loss = Callable[[FLOATS], FLOATS]
"""Points (n, 2) -> losses (n,)."""
BANDS = 18
LONGEST_SIDE_PX = 420
REDRAW_MS = 30
_SLATE = "#5C6F82"


class PlanePlot(QuietPlot):
    """Contour bands under paths."""

    clicked = Signal(float, float)
    """A click on the plane, in its coordinates."""
    moved_by_hand = Signal()

    def __init__(self, parent: QWidget, x_title: str, y_title: str) -> None:
        super().__init__(parent, x_title, y_title, axis_px=48)
        self._loss: Loss | None = None
        self._log = True
        self._image = _Bands()
        self._image.setZValue(-2000)
        self.addItem(self._image, ignoreBounds=True)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REDRAW_MS)
        self._timer.timeout.connect(self.draw_bands)
        box = self.getPlotItem().getViewBox()
        box.sigRangeChanged.connect(self._on_range)
        box.sigRangeChangedManually.connect(self._on_manual)
        self.scene().sigMouseClicked.connect(self._on_click)
        self.setAccessibleName("Loss over two parameters")

    def path(self, colour: str, width: int = 0, dashed: bool = False) -> PathItem:
        """Add an empty path; fill it with `set_path`."""
        pen = pg.mkPen(colour, width=round((width or 1) * scale()))
        pen.setCosmetic(True)
        if dashed:
            pen.setDashPattern([4, 4])
        item = PathItem(pen)
        self.addItem(item, ignoreBounds=True)
        return item

    @property
    def is_log(self) -> bool:
        """Whether equal bands are equal ratios of the loss."""
        return self._log

    def set_loss(self, loss: Loss | None) -> None:
        """Draw the bands of another function."""
        self._loss = loss
        self._timer.start()

    def set_log(self, log: bool) -> None:
        """Let equal bands be equal ratios (True) or equal differences."""
        self._log = log
        self._timer.start()

    def set_equal(self, equal: bool) -> None:
        """Give both axes the same scale (1:1), or let each fill its side."""
        self.getPlotItem().getViewBox().setAspectLocked(equal)

    def apply_theme(self) -> None:
        """Paint with the theme that is on."""
        super().apply_theme()
        if hasattr(self, "_timer"):
            self._timer.start()

    def view_rect(self) -> tuple[float, float, float, float]:
        """Return left, right, bottom, top of what is in view."""
        (left, right), (bottom, top) = self.getPlotItem().getViewBox().viewRange()
        return left, right, bottom, top

    def finish_drawing(self) -> None:
        """Draw at once what a timer would draw in a moment: a picture is made."""
        if self._timer.isActive():
            self._timer.stop()
            self.draw_bands()

    def draw_bands(self) -> None:
        """Compute and paint the bands of the part in view."""
        if self._loss is None:
            self._image.show_picture(None, QRectF())
            return
        left, right, bottom, top = self.view_rect()
        box = self.getPlotItem().getViewBox()
        width, height = max(int(box.width()), 2), max(int(box.height()), 2)
        shrink = min(1.0, LONGEST_SIDE_PX / max(width, height))
        cols, rows = max(2, int(width * shrink)), max(2, int(height * shrink))
        xs = np.linspace(left, right, cols)
        ys = np.linspace(bottom, top, rows)
        grid = np.stack(np.meshgrid(xs, ys), -1).reshape(-1, 2)
        with np.errstate(all="ignore"):
            values = self._loss(grid).reshape(rows, cols)
        picture = banded(values, self._log)
        # As large as on the screen: to stretch it in every frame would cost more than the paths.
        down, across = np.arange(height)[::-1] * rows // height, np.arange(width) * cols // width
        picture = picture.take(down, axis=0)
        if cols != width:
            picture = picture.take(across, axis=1)
        self._image.show_picture(picture, QRectF(left, bottom, right - left, top - bottom))

    def _on_range(self, *_: object) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _on_manual(self, *_: object) -> None:
        self.moved_by_hand.emit()

    def _on_click(self, event: object) -> None:
        if event.button() != Qt.MouseButton.LeftButton or event.isAccepted():  # type: ignore[attr-defined]
            return
        box = self.getPlotItem().getViewBox()
        if box.sceneBoundingRect().contains(event.scenePos()):  # type: ignore[attr-defined]
            place: QPointF = box.mapSceneToView(event.scenePos())  # type: ignore[attr-defined]
            self.clicked.emit(place.x(), place.y())


class _Bands(pg.GraphicsObject):
    """A picture that lies behind everything, painted as it is kept."""

    def __init__(self) -> None:
        super().__init__()
        self._pixmap = QPixmap()
        self._rect = QRectF()
        self.is_aside = False
        """Whether it is left out when painted: an export draws it elsewhere."""

    def aside(self) -> tuple[QRectF, QImage] | None:
        """Return where it lies in the scene and what is painted there; None if it is empty."""
        if self._pixmap.isNull():
            return None
        return self.sceneTransform().mapRect(self._rect), self._pixmap.toImage()

    def show_picture(self, picture: np.ndarray | None, rect: QRectF) -> None:
        """Show a picture (rows, cols, 3) uint8, the top row first, on a part of the plane."""
        self.prepareGeometryChange()
        self._rect, self._pixmap = rect, QPixmap()
        if picture is not None:
            rows, cols, _ = picture.shape
            data = np.ascontiguousarray(picture)
            image = QImage(data.data, cols, rows, 3 * cols, QImage.Format.Format_RGB888)
            self._pixmap = QPixmap.fromImage(image)  # copies
        self.update()

    def boundingRect(self) -> QRectF:
        """Where the picture lies."""
        return self._rect

    def paint(self, painter: QPainter, *_: object) -> None:
        """Paint upright, whichever way the axis goes."""
        if self._pixmap.isNull() or self.is_aside:
            return
        place = painter.worldTransform().mapRect(self._rect).toRect()
        painter.save()
        painter.setWorldTransform(QTransform())
        painter.drawPixmap(place, self._pixmap)
        painter.restore()


def banded(values: FLOATS, log: bool) -> np.ndarray:
    """Return the picture (rows, cols, 3) uint8 of a loss in bands, light where it is low.

    Parameters
    ----------
    values : ndarray (rows, cols)
        What is not finite is painted as the highest.
    log : bool
        Whether bands are equal ratios.
    """
    theme = current_theme()
    is_good = np.isfinite(values)
    good = values[is_good] if is_good.any() else np.zeros(1)
    low, high = float(good.min()), float(np.quantile(good, 0.995))
    span = max(high - low, 1e-300)
    share = np.where(is_good, values, high)
    share -= low
    share /= span
    np.clip(share, 0, 1, out=share)
    if log:
        # A logarithm with a floor: 1/3000 of the span and less is one band.
        share = np.log1p(share * 3000) / np.log1p(3000)
    band = np.minimum((share * BANDS).astype(np.int64), BANDS - 1)
    strongest = 0.5 if theme.is_dark else 0.62
    tint = "#9DB2C6" if theme.is_dark else _SLATE
    colours = [blend(theme.sheet, tint, strongest * i / (BANDS - 1)) for i in range(BANDS)]
    table = np.array([QColor(c).getRgb()[:3] for c in colours], dtype=np.uint8)
    line = np.array(QColor(blend(theme.sheet, tint, strongest + 0.12)).getRgb()[:3], np.float64)
    on_edge = (0.5 * table + 0.5 * line).astype(np.uint8)
    edges = np.zeros(band.shape, dtype=bool)
    edges[:, 1:] |= band[:, 1:] != band[:, :-1]
    edges[1:] |= band[1:] != band[:-1]
    np.add(band, BANDS, out=band, where=edges)
    return np.concatenate((table, on_edge)).take(band, axis=0)
