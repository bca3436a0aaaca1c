"""The mark of a cell whose formula cannot be computed here, and that shows the file's value.

Owns its shape, for the grid and for the legend: slanted lines over the ground and a corner cut
off, neither of which any other state of a cell has. Knows no document.
"""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPolygon

from gradsheet.qt.theme import Theme, translucent

HELD = "held"
"""Stands for this state where roles have their names, as in the legend."""
LEGEND_TEXT = "not computed here: the value of the file"
_CORNER_PX = 8
_LINES = 0.45


def paint_held(painter: QPainter, box: QRect, theme: Theme, zoom: float) -> None:
    """Mark the rectangle of a cell, under its text; the lines around the cell stay."""
    inner = box.adjusted(0, 0, -1, -1)
    painter.fillRect(
        inner, QBrush(translucent(theme.warning, _LINES), Qt.BrushStyle.BDiagPattern)
    )
    side = min(max(5, round(_CORNER_PX * zoom)), inner.height())
    corner = QPolygon(
        [inner.topLeft(), inner.topLeft() + QPoint(side, 0), inner.topLeft() + QPoint(0, side)]
    )
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.warning))
    painter.drawPolygon(corner)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def draw_held_sign(painter: QPainter, box: QRectF, theme: Theme) -> None:
    """The same mark as a sign of the legend."""
    place = box.toAlignedRect()
    painter.fillRect(place, QColor(theme.sheet))
    paint_held(painter, place, theme, place.width() / (2 * _CORNER_PX))
    painter.setPen(QColor(theme.strong_lines))
    painter.drawRect(place.adjusted(0, 0, -1, -1))
