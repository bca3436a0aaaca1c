"""Line icons, tinted when they are loaded.

Owns the way from `resources/icons/NAME.svg` to a QIcon: the drawing's ``currentColor`` becomes
the colour of the palette's button text (dimmed where disabled), so one set serves every theme.
Knows no theme and no command; whoever holds an icon asks again after a palette change.
"""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer

from gradsheet.resources import path

SIZES = (16, 20, 24, 30, 40)
"""Logical sizes drawn; each also at the screen's pixel ratio, so that lines stay crisp."""


def icon(name: str, colour: QColor | None = None) -> QIcon:
    """Return the line icon ``name`` in the colours of the application's palette.

    Parameters
    ----------
    name : str
        File name below ``resources/icons`` without ``.svg``; "" gives an empty icon.
    colour : QColor, optional
        Colour of the lines instead of the palette's button text.

    Raises
    ------
    FileNotFoundError
        If there is no such drawing.
    """
    if not name:
        return QIcon()
    palette = QGuiApplication.palette()
    active = QPalette.ColorGroup.Active
    disabled = QPalette.ColorGroup.Disabled
    lines = colour or palette.color(active, QPalette.ColorRole.ButtonText)
    dimmed = palette.color(disabled, QPalette.ColorRole.ButtonText)
    ratio = max((screen.devicePixelRatio() for screen in QGuiApplication.screens()), default=1.0)
    return _tinted(name, lines.rgba(), dimmed.rgba(), ratio)


def pixmap(name: str, size: int, colour: QColor) -> QPixmap:
    """Return the line icon ``name`` as a picture of ``size`` logical pixels in one colour."""
    ratio = max((screen.devicePixelRatio() for screen in QGuiApplication.screens()), default=1.0)
    return _drawn(name, size, colour.rgba(), ratio)


def app_icon() -> QIcon:
    """Return the icon of the application in its own colours, for windows and task bars."""
    drawing = path("icons/gradsheet.svg").read_bytes()
    result = QIcon()
    for size in (16, 24, 32, 48, 64, 128, 256):
        result.addPixmap(_render(drawing, size, 1.0))
    return result


@lru_cache(maxsize=256)
def _tinted(name: str, lines: int, dimmed: int, ratio: float) -> QIcon:
    result = QIcon()
    for size in SIZES:
        result.addPixmap(_drawn(name, size, lines, ratio), QIcon.Mode.Normal)
        result.addPixmap(_drawn(name, size, lines, ratio), QIcon.Mode.Active)
        result.addPixmap(_drawn(name, size, dimmed, ratio), QIcon.Mode.Disabled)
    return result


def _drawn(name: str, size: int, rgba: int, ratio: float) -> QPixmap:
    colour = QColor.fromRgba(rgba)
    svg = path(f"icons/{name}.svg").read_text(encoding="utf-8")
    return _render(svg.replace("currentColor", colour.name()).encode(), size, ratio)


def _render(svg: bytes, size: int, ratio: float) -> QPixmap:
    renderer = QSvgRenderer(QByteArray(svg))
    result = QPixmap(round(size * ratio), round(size * ratio))
    result.fill(Qt.GlobalColor.transparent)
    painter = QPainter(result)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    renderer.render(painter, QRectF(0, 0, result.width(), result.height()))
    painter.end()
    result.setDevicePixelRatio(ratio)
    return result
