"""The fonts of the grid at one zoom, and how wide a text is in them.

Owns the measuring, which the painter asks for a thousand times a frame: numbers by a table of
their characters, other texts by a bounded cache. Knows no cell.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QFontMetricsF

from gradsheet.qt.theme import GRID_FONT_PX, ui_font

_CACHE_LIMIT = 20_000
_STRETCHES = (100, 88, 78, 70, 64)
"""Widths of a label's letters in percent: as narrow as a title needs, no narrower."""
_MEASURED = "0123456789.,-+eE%$€£¥/:()# "


class Face:
    """One font with its measures.

    Attributes
    ----------
    ascent, height : int
        In px; a baseline lies `ascent` below the top of the line.
    """

    __slots__ = ("_advance_of", "_elided", "_metrics", "_widths", "ascent", "font", "height")

    def __init__(self, font: QFont) -> None:
        self.font = font
        self._metrics = QFontMetricsF(font)
        self.ascent = round(self._metrics.ascent())
        self.height = round(self._metrics.ascent() + self._metrics.descent())
        advance = {c: self._metrics.horizontalAdvance(c) for c in _MEASURED}
        self._advance_of = advance.__getitem__
        self._widths: dict[str, int] = {}
        self._elided: dict[tuple[str, int], str] = {}

    def number_width(self, text: str) -> int:
        """Width of a number's text in px, from the table of its characters; not cached."""
        try:
            return round(sum(map(self._advance_of, text)))
        except KeyError:
            return self.width(text)

    def width(self, text: str) -> int:
        """Width of any text in px."""
        known = self._widths.get(text)
        if known is None:
            if len(self._widths) > _CACHE_LIMIT:
                self._widths.clear()
            known = self._widths[text] = round(self._metrics.horizontalAdvance(text) + 0.4)
        return known

    def elided(self, text: str, width: int) -> str:
        """The text, with an ellipsis for what does not go into `width` px."""
        if self.width(text) <= width:
            return text
        known = self._elided.get((text, width))
        if known is None:
            if len(self._elided) > _CACHE_LIMIT:
                self._elided.clear()
            known = self._metrics.elidedText(text, Qt.TextElideMode.ElideRight, max(0, width))
            self._elided[text, width] = known
        return known

    def wrapped(self, text: str, width: int, lines: int) -> tuple[list[str], bool]:
        """The text broken at spaces into at most `lines` lines, and whether all of it fits.

        What does not fit is elided.
        """
        words = text.split()
        result: list[str] = []
        while words and len(result) < lines:
            line = words.pop(0)
            while words and self.width(f"{line} {words[0]}") <= width:
                line = f"{line} {words.pop(0)}"
            result.append(line)
        if words:
            result[-1] = f"{result[-1]} {' '.join(words)}"
        fits = all(self.width(line) <= width for line in result)
        return [self.elided(line, width) for line in result], fits


class Faces:
    """The faces of the grid at a zoom: cells in four styles, headers, labels and tags.

    Attributes
    ----------
    styles : tuple of Face
        By the bold (1) and italic (2) bits of a cell's font.
    narrow : tuple of tuple of Face
        The same in letters ever narrower, for numbers that have too little room.
    labels : tuple of Face
        For column labels, ever narrower.
    """

    def __init__(self, zoom: float) -> None:
        size = max(5.0, GRID_FONT_PX * zoom)
        small = max(5.0, (GRID_FONT_PX - 2) * zoom)
        self.styles = tuple(
            Face(_styled(size, bold=bool(style & 1), italic=bool(style & 2))) for style in range(4)
        )
        self.narrow = tuple(
            tuple(Face(_stretched_like(face.font, percent)) for percent in (88, 78))
            for face in self.styles
        )
        self.header = Face(ui_font(max(5.0, (GRID_FONT_PX - 1) * zoom), is_scaled=False))
        self.header_bold = Face(_weight(self.header.font))
        self.labels = tuple(
            Face(_stretched_like(ui_font(small, is_scaled=False), percent))
            for percent in _STRETCHES
        )
        self.tag = Face(_weight(ui_font(max(5.0, (GRID_FONT_PX - 1) * zoom), is_scaled=False)))

    @property
    def plain(self) -> Face:
        """The face of ordinary cells."""
        return self.styles[0]


def _styled(size: float, bold: bool, italic: bool) -> QFont:
    font = ui_font(size, is_scaled=False)
    font.setBold(bold)
    font.setItalic(italic)
    return font


def _weight(font: QFont) -> QFont:
    heavier = QFont(font)
    heavier.setWeight(QFont.Weight.DemiBold)
    return heavier


def _stretched_like(font: QFont, percent: int) -> QFont:
    narrower = QFont(font)
    narrower.setStretch(percent)
    return narrower
