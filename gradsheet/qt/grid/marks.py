"""Frames over cells that are not the selection: references, what was copied, where a drag goes.

Owns what a mark is and how it is painted. Knows no document; colours are given.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from gradsheet.formula.address import Region
from gradsheet.qt.theme import ROLE_COLOURS, Theme, legible, translucent

REFERENCE_COLOURS = tuple(ROLE_COLOURS.values())
"""One after another for the references of a formula; the lecture's own hues."""
_WASH = 0.10
_DASH_PX = 4
HANDLE_PX = 6


class MarkKind(Enum):
    """What a frame says."""

    REFERENCE = auto()
    COPIED = auto()
    TARGET = auto()
    FOUND = auto()
    BEFORE_COLUMN = auto()
    BEFORE_ROW = auto()


@dataclass(frozen=True, slots=True)
class Mark:
    """A framed region in one colour."""

    region: Region
    kind: MarkKind
    colour: str


def reference_colour(place: int) -> str:
    """The colour of a formula's reference, by its place among them."""
    return REFERENCE_COLOURS[place % len(REFERENCE_COLOURS)]


def reference_text_colour(place: int, theme: Theme) -> str:
    """The same colour as it can be read on the sheet."""
    return legible(reference_colour(place), theme.sheet, theme.text)


def handle_box(box: QRect) -> QRect:
    """The fill handle at the lower right corner of a selection's rectangle."""
    return QRect(box.right() - 3, box.bottom() - 3, HANDLE_PX, HANDLE_PX)


def paint_mark(painter: QPainter, box: QRect, mark: Mark) -> None:
    """Paint a mark around a rectangle of cells, on the lines around them."""
    colour = QColor(mark.colour)
    x, y, w, h = box.x() - 1, box.y() - 1, box.width() + 1, box.height() + 1
    if mark.kind is MarkKind.FOUND:
        painter.fillRect(box.adjusted(0, 0, -1, -1), translucent(mark.colour, 0.16))
        painter.fillRect(box.x(), box.bottom() - 2, box.width() - 1, 2, colour)
        return
    if mark.kind is MarkKind.BEFORE_COLUMN:
        painter.fillRect(x - 1, y, 3, h, colour)
        return
    if mark.kind is MarkKind.BEFORE_ROW:
        painter.fillRect(x, y - 1, w, 3, colour)
        return
    if mark.kind is MarkKind.REFERENCE:
        painter.fillRect(box.adjusted(0, 0, -1, -1), translucent(mark.colour, _WASH))
        for side in _sides(x, y, w, h, 2):
            painter.fillRect(side, colour)
        return
    pen = QPen(colour, 2, Qt.PenStyle.CustomDashLine)
    pen.setDashPattern([_DASH_PX / 2, _DASH_PX / 2])
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(x + 1, y + 1, w - 2, h - 2)


def _sides(x: int, y: int, w: int, h: int, thick: int) -> tuple[QRect, ...]:
    return (
        QRect(x, y, w, thick),
        QRect(x, y + h - thick, w, thick),
        QRect(x, y, thick, h),
        QRect(x + w - thick, y, thick, h),
    )
