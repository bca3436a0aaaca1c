"""Pictures in files: pixels (PNG) and vectors (SVG) of whatever can be painted.

Owns the two formats, and the light ground for a dark screen. Knows neither commands nor what is
painted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QBuffer, QCoreApplication, QEvent, QPoint, QRect, QSize, QTimer
from PySide6.QtGui import QColor, QFont, QFontInfo, QImage, QPainter, QPalette
from PySide6.QtWidgets import QWidget

from gradsheet.files.atomic import write_atomically, write_text
from gradsheet.formula.values import UserError
from gradsheet.qt.export.recorded import Paint
from gradsheet.qt.export.svg_plain import with_plain_strokes
from gradsheet.qt.theme import LIGHT, Theme, current_theme, lent_theme, palette

CSS_DPI = 96
"""Pixels of an inch on a page of the web: a picture has the size that it has on the screen."""
ENDINGS = (".png", ".svg")
LENT = "lent_ground"
"""A property of widgets that look otherwise for a moment."""


def write_picture(path: Path, size: QSize, paint: Paint, *, scale: int = 1, title: str = ""
                  ) -> None:  # fmt: skip
    """Write a picture in the format that the ending says.

    Parameters
    ----------
    size : QSize
        In px; a .png has `scale` times as many in each direction.
    paint : callable
        Gets a painter whose origin is the picture's.
    title : str
        What an .svg says of itself.

    Raises
    ------
    UserError
        If the ending is another, or the file cannot be written.
    """
    ending = path.suffix.lower()
    if ending == ".png":
        image = painted(size, paint, scale)
        write_atomically(path, lambda draft: _save(image, draft))
    elif ending == ".svg":
        write_text(path, drawn(size, paint, title or path.stem))
    else:
        raise UserError(f"gradsheet cannot write pictures as {ending or 'a file without ending'}.",
                        "Choose a name that ends in .png or .svg.")  # fmt: skip


def painted(size: QSize, paint: Paint, scale: int = 1) -> QImage:
    """Return what is painted as pixels."""
    image = QImage(size * scale, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(scale)
    image.fill(QColor("#FFFFFF"))
    painter = QPainter(image)
    try:
        paint(painter)
    finally:
        painter.end()
    return image


def pixels_of(image: QImage) -> npt.NDArray[np.uint8]:
    """Return an image as an array (height, width, 3)."""
    plain = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(plain.constBits(), dtype=np.uint8)
    rows = rows.reshape(plain.height(), plain.bytesPerLine())[:, : plain.width() * 3]
    return rows.reshape(plain.height(), plain.width(), 3).copy()


def _save(image: QImage, draft: Path) -> None:
    if not image.save(str(draft), "PNG"):
        raise OSError("the picture could not be saved")


def drawn(size: QSize, paint: Paint, title: str) -> str:
    """Return what is painted as SVG."""
    from PySide6.QtSvg import QSvgGenerator

    buffer = QBuffer()
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setResolution(CSS_DPI)
    generator.setSize(size)
    generator.setViewBox(QRect(QPoint(0, 0), size))
    generator.setTitle(title)
    generator.setDescription("Made by gradsheet")
    painter = _NarrowTexts(generator)
    try:
        paint(painter)
    finally:
        painter.end()
    text = with_plain_strokes(bytes(buffer.data()).decode("utf-8"))
    return re.sub(r'font-family="([^"]*)"', _family, text)


class _NarrowTexts(QPainter):
    """Draws narrow letters by a scale: Qt's SVG does not say that a font is stretched."""

    def drawText(self, *args: object) -> object:
        """Draw `text` at x, y; other forms as they are."""
        font = self.font()
        stretch = font.stretch()
        if stretch in (0, 100) or len(args) != 3 or not isinstance(args[2], str):
            return super().drawText(*args)
        x, y, text = args
        wide = QFont(font)
        wide.setStretch(100)
        self.save()
        self.translate(x, y)
        self.scale(stretch / 100, 1.0)
        self.setFont(wide)
        super().drawText(0, 0, text)
        self.restore()
        return None


def _family(found: re.Match[str]) -> str:
    """Name the font that was measured with: Qt's "Sans Serif" is known to no browser."""
    family = QFontInfo(QFont(found[1])).family()
    return f"font-family=\"'{family}', sans-serif\""


@contextmanager
def ground(theme: Theme, widget: QWidget) -> Iterator[None]:
    """Have a widget and its children look as on this theme for a moment, unseen.

    The whole application would take half a second. They get their own look back in an event of its
    own, and paint nothing until then: both ways at once would cost a frame.
    """
    if theme == current_theme() and not widget.property(LENT):
        yield
        return
    if not widget.property(LENT):
        QTimer.singleShot(0, widget, partial(_give_back, widget))
    widget.setProperty(LENT, True)
    widget.setUpdatesEnabled(False)
    with lent_theme(theme):
        widget.setPalette(palette(theme))
        _tell(widget)
        yield


def _give_back(widget: QWidget) -> None:
    """Have a widget look as everything else does."""
    widget.setProperty(LENT, False)
    widget.setPalette(QPalette())
    _tell(widget)
    widget.setUpdatesEnabled(True)


def _tell(widget: QWidget) -> None:
    """Have a widget and all in it read the theme; style sheets keep a palette from some."""
    for one in (widget, *widget.findChildren(QWidget)):
        QCoreApplication.sendEvent(one, QEvent(QEvent.Type.PaletteChange))


def theme_for(is_light: bool) -> Theme:
    """Return the light theme, or that of the screen."""
    return LIGHT if is_light else current_theme()
