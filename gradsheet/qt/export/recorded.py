"""What widgets paint, recorded on the window's thread and drawn on any other.

Owns the recording: some milliseconds of drawing commands, from which pixels and vectors are made
elsewhere. Knows no files. A scene of Qt's and a widget may be asked to paint on their own thread
only; a record, an image and a painter of one's own may be used anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize
from PySide6.QtGui import QBrush, QColor, QImage, QPainter, QPicture, QTransform
from PySide6.QtWidgets import QGraphicsView, QWidget

from gradsheet.qt.theme import current_theme
from gradsheet.qt.widgets.figure import Figure

Paint = Callable[[QPainter], None]
_Image = tuple[QTransform, QPointF, QImage]
"""An image, where it is drawn, and the coordinates that count there."""


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """One widget's painting and where it lies."""

    box: QRect
    images: tuple[_Image, ...]
    commands: QPicture

    def paint(self, painter: QPainter) -> None:
        painter.save()
        painter.translate(self.box.topLeft())
        painter.setClipRect(QRect(QPoint(0, 0), self.box.size()))
        for place, at, image in self.images:
            painter.save()
            painter.setTransform(place, True)
            painter.drawImage(at, image)
            painter.restore()
        painter.drawPicture(0, 0, self.commands)
        painter.restore()


class _WithoutImages(QPainter):
    """Keeps images aside, which a `QPicture` would pack as PNG: 25 ms for a map."""

    def __init__(self, commands: QPicture) -> None:
        super().__init__(commands)
        self.images: list[_Image] = []

    def drawImage(self, *args: object) -> None:
        """Keep an image that is drawn at a point; other forms as they are."""
        if len(args) == 2 and isinstance(args[0], QPointF) and isinstance(args[1], QImage):
            # A copy: the pixels may be those of an array that goes with the next painting.
            self.images.append((QTransform(self.worldTransform()), args[0], args[1].copy()))
        else:
            super().drawImage(*args)


def record_widgets(widgets: Sequence[QWidget], home: QWidget) -> tuple[QSize, Paint]:
    """Return size and painting of some widgets where they lie in another one, without the rest.

    To be called on the window's thread; what it returns paints on any.
    """
    boxes = [QRect(w.mapTo(home, QPoint(0, 0)), w.size()) for w in widgets]
    whole = QRect()
    for box in boxes:
        whole = whole.united(box)
    ground = QColor(current_theme().sheet)
    parts = [_part(widget, box.translated(-whole.topLeft()))
             for widget, box in zip(widgets, boxes, strict=True)]  # fmt: skip

    def paint(painter: QPainter) -> None:
        painter.fillRect(QRect(QPoint(0, 0), whole.size()), ground)
        for part in parts:
            part.paint(painter)

    return whole.size(), paint


def _part(widget: QWidget, box: QRect) -> _Part:
    """Record a figure or a plot."""
    finish = getattr(widget, "finish_drawing", None)
    if finish is not None:
        finish()
    commands = QPicture()
    painter = _WithoutImages(commands)
    try:
        if isinstance(widget, Figure):
            # Its images lie below all else, as in `MapCanvas`.
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setFont(widget.font())
            widget.draw(painter, QRectF(widget.rect()))
        elif isinstance(widget, QGraphicsView):  # as a widget, it would paint pixels
            with _exporting(widget), _pictures_aside(widget) as pictures:
                painter.images += pictures
                widget.render(painter, QRectF(widget.rect()), widget.viewport().rect())
        else:
            raise TypeError(f"{type(widget).__name__} is neither a figure nor a plot")
    finally:
        painter.end()
    return _Part(box, tuple(painter.images), commands)


@contextmanager
def _pictures_aside(view: QGraphicsView) -> Iterator[list[_Image]]:
    """Have a plot leave out the pictures that lie behind all else, and what they cover."""
    items = [item for item in view.scene().items() if hasattr(item, "aside")]
    grids = [(item, item.grid) for item in view.scene().items() if hasattr(item, "setGrid")]
    ground, pictures = view.backgroundBrush(), []
    for item in items:
        kept = item.aside()
        if kept is not None:
            box, image = view.viewportTransform().mapRect(kept[0]).toRect(), kept[1]
            place = QTransform.fromTranslate(box.x(), box.y())
            place.scale(box.width() / image.width(), box.height() / image.height())
            pictures.append((place, QPointF(0, 0), image))
            item.is_aside = True
    if pictures:
        view.setBackgroundBrush(QBrush())
        for axis, _ in grids:
            axis.setGrid(False)
    try:
        yield pictures
    finally:
        for item in items:
            item.is_aside = False
        if pictures:
            view.setBackgroundBrush(ground)
            for axis, opacity in grids:
                axis.setGrid(opacity)


@contextmanager
def _exporting(view: QGraphicsView) -> Iterator[None]:
    """Have the items of a plot draw shapes where they copy pixels on the screen."""
    items = [item for item in view.scene().items() if hasattr(item, "setExportMode")]
    for item in items:
        item.setExportMode(True, {"antialias": True, "resolutionScale": 1.0})
    try:
        yield
    finally:
        for item in items:
            item.setExportMode(False)
