"""Trace arrows: from the cells that a formula reads, and to those that read a cell.

Owns what an arrow is and how it is painted over the grid. Who reads whom is the document's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from gradsheet.formula.address import Cell, Region
from gradsheet.qt.grid.geometry import Layout
from gradsheet.qt.theme import ROLE_COLOURS, Theme, translucent

HEAD_PX = 9.0
DOT_PX = 3.0
ELSEWHERE_PX = 34.0
_FAR = 20_000


@dataclass(frozen=True, slots=True)
class Arrow:
    """One arrow.

    Attributes
    ----------
    start, end : the regions it joins; it begins and ends in their first cell, or in the middle
        of a region; None for cells on another sheet
    kind : whether it was drawn for what a cell reads or for who reads it
    """

    start: Region | None
    end: Region | None
    kind: Literal["precedent", "dependent"]


def colour_of(kind: str, theme: Theme) -> str:
    """Blue for what is read, orange for who reads."""
    if kind == "precedent":
        return theme.accent
    return ROLE_COLOURS["loss"]


def paint_arrows(
    painter: QPainter, layout: Layout, arrows: tuple[Arrow, ...], theme: Theme
) -> None:
    """Paint arrows over the cells; the painter's clip is set by the caller."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    for arrow in arrows:
        colour = QColor(colour_of(arrow.kind, theme))
        for region in (arrow.start, arrow.end):
            if region is not None and region.size > 1:
                box = _box(layout, region)
                painter.setBrush(translucent(colour.name(), 0.07))
                painter.setPen(QPen(colour, 1.5))
                painter.drawRoundedRect(box.adjusted(0.5, 0.5, -1.5, -1.5), 2, 2)
        start, end = _ends(layout, arrow)
        painter.setPen(QPen(colour, 1.75, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        if arrow.start is None or arrow.end is None:
            painter.setPen(QPen(colour, 1.75, Qt.PenStyle.DashLine))
        painter.drawLine(start, end)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawEllipse(start, DOT_PX, DOT_PX)
        painter.drawPolygon(_head(start, end))
        if arrow.start is None or arrow.end is None:
            _elsewhere(painter, start if arrow.start is None else end, colour, theme)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def _box(layout: Layout, region: Region) -> QRectF:
    left, top = layout.x_of(region.left), layout.y_of(region.top)
    right = layout.x_of(region.right - 1) + layout.columns.size(region.right - 1)
    bottom = layout.y_of(region.bottom - 1) + layout.rows.size(region.bottom - 1)
    edges = [min(max(edge, -_FAR), _FAR) for edge in (left, top, right, bottom)]
    return QRectF(edges[0], edges[1], edges[2] - edges[0], edges[3] - edges[1])


def _ends(layout: Layout, arrow: Arrow) -> tuple[QPointF, QPointF]:
    start = _anchor(layout, arrow.start)
    end = _anchor(layout, arrow.end)
    if start is None:
        assert end is not None
        start = QPointF(end.x() - ELSEWHERE_PX, end.y() - ELSEWHERE_PX)
    if end is None:
        end = QPointF(start.x() + ELSEWHERE_PX, start.y() + ELSEWHERE_PX)
    return start, end


def _anchor(layout: Layout, region: Region | None) -> QPointF | None:
    if region is None:
        return None
    first = Cell(region.top, region.left)
    box = _box(layout, Region.of(first))
    # Low in the cell, so that a line along a row runs below its numbers.
    return QPointF(box.left() + min(12.0, box.width() / 2), box.top() + 0.8 * box.height())


def _head(start: QPointF, end: QPointF) -> QPolygonF:
    angle = math.atan2(end.y() - start.y(), end.x() - start.x())
    wings = [
        QPointF(
            end.x() - HEAD_PX * math.cos(angle + side),
            end.y() - HEAD_PX * math.sin(angle + side),
        )
        for side in (0.42, -0.42)
    ]
    return QPolygonF([end, *wings])


def _elsewhere(painter: QPainter, at: QPointF, colour: QColor, theme: Theme) -> None:
    """The sign of another sheet: a little table."""
    box = QRectF(at.x() - 8, at.y() - 7, 16, 13)
    painter.setBrush(QColor(theme.sheet))
    painter.setPen(QPen(colour, 1.25))
    painter.drawRect(box)
    painter.drawLine(QPointF(box.left(), at.y() - 2.5), QPointF(box.right(), at.y() - 2.5))
    painter.drawLine(QPointF(at.x() - 2, box.top()), QPointF(at.x() - 2, box.bottom()))
