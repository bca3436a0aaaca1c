"""Colours of dots by ratings, year, bias or genre, and the legend that says what they mean.

Owns the scales. Knows arrays and names, no model and no widget of the map.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from gradsheet.qt.theme import Theme, blend, current_theme, px, ui_font

LEGEND_PX = 12
STEPS = 64
BLUE, ORANGE = "#0072B2", "#D55E00"


class Coloured(NamedTuple):
    """Colours of dots and what they mean.

    Attributes
    ----------
    colours : ndarray (n,) uint32
        0xFFRRGGBB.
    ramp : tuple of str
        Colours of the legend, from low to high; one: only that one is explained.
    low, high : str
        Texts at the ends.
    """

    colours: npt.NDArray[np.uint32]
    ramp: tuple[str, ...]
    low: str
    high: str


def _ramp(stops: tuple[str, ...]) -> tuple[str, ...]:
    """Return STEPS colours between stops."""
    found = []
    for k in range(STEPS):
        place = k / (STEPS - 1) * (len(stops) - 1)
        first = min(int(place), len(stops) - 2)
        found.append(blend(stops[first], stops[first + 1], place - first))
    return tuple(found)


def _spread(theme: Theme) -> tuple[str, ...]:
    """Return a scale whose both ends stand out from the sheet, dark to light in lightness."""
    if theme.is_dark:
        return _ramp(("#3E5C76", "#56B4E9", "#F0E442"))
    return _ramp(("#C9DDEB", "#4FA3D1", "#00334F"))


def _pick(ramp: tuple[str, ...], shares: npt.NDArray[np.float64]) -> npt.NDArray[np.uint32]:
    table = np.array([0xFF000000 | int(c[1:], 16) for c in ramp], dtype=np.uint32)
    index = np.clip(np.nan_to_num(shares, nan=0.0) * (len(ramp) - 1), 0, len(ramp) - 1)
    return table[np.round(index).astype(np.int64)]


def by_count(counts: npt.NDArray[np.int64]) -> Coloured:
    """Colour by how often an item was rated, logarithmic."""
    ramp = _spread(current_theme())
    logs = np.log(np.maximum(counts, 1).astype(np.float64))
    low, high = float(logs.min()), float(logs.max())
    shares = (logs - low) / max(high - low, 1e-9)
    return Coloured(_pick(ramp, shares), ramp, f"{int(counts.min()):,}",
                    f"{int(counts.max()):,} ratings, log scale")  # fmt: skip


def by_year(years: npt.NDArray[np.int64]) -> Coloured:
    """Colour by year; what has none is pale. Years before the first twentieth share a colour."""
    theme = current_theme()
    ramp = _spread(theme)
    known = years[years > 0]
    if not len(known):
        pale = np.full(len(years), _argb(_pale(theme)), np.uint32)
        return Coloured(pale, (), "no years are known", "")
    low, high = int(np.quantile(known, 0.05)), int(known.max())
    shares = (years - low) / max(high - low, 1)
    colours = _pick(ramp, np.clip(shares, 0, 1))
    colours[years <= 0] = _argb(_pale(theme))
    return Coloured(colours, ramp, f"{low} and before", str(high))


def by_bias(biases: npt.NDArray[np.floating]) -> Coloured:
    """Colour by bias: orange below 0, blue above."""
    theme = current_theme()
    ramp = _ramp((ORANGE, blend(theme.sheet, theme.muted, 0.35), BLUE if not theme.is_dark
                  else "#56B4E9"))  # fmt: skip
    most = max(float(np.quantile(np.abs(biases), 0.99)), 1e-9)
    shares = 0.5 + 0.5 * np.clip(np.asarray(biases, np.float64) / most, -1, 1)
    return Coloured(_pick(ramp, shares), ramp, f"bias {-most:.2f}", f"{most:+.2f}")


def by_genre(has: npt.NDArray[np.bool_], name: str) -> Coloured:
    """Colour the items of a genre; all others are pale."""
    theme = current_theme()
    colour = theme.role_colour("item")
    colours = np.where(has, np.uint32(_argb(colour)), np.uint32(_argb(_pale(theme))))
    text = f"{name}: {int(has.sum()):,} of {len(has):,}"
    return Coloured(colours.astype(np.uint32), (colour,), "", text)


def by_nothing(count: int) -> Coloured:
    """Colour all alike, as item embeddings are everywhere."""
    colour = current_theme().role_colour("item")
    return Coloured(np.full(count, _argb(colour), np.uint32), (), "", "")


def _pale(theme: Theme) -> str:
    return blend(theme.sheet, theme.muted, 0.3)


def _argb(colour: str) -> int:
    return 0xFF000000 | int(colour[1:], 16)


class ColourLegend(QWidget):
    """One line: a ramp with its ends, or one colour with its name."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._shown: Coloured | None = None
        self.setAccessibleName("What the colours mean")

    def show_colours(self, coloured: Coloured) -> None:
        """Explain these colours."""
        self._shown = coloured
        self.setAccessibleDescription(f"{coloured.low} to {coloured.high}".strip(" to"))
        self.update()

    def sizeHint(self) -> QSize:
        """One line of text."""
        return QSize(200, round(px(22)))

    def minimumSizeHint(self) -> QSize:
        """One line of text."""
        return QSize(80, round(px(22)))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the line."""
        theme, shown = current_theme(), self._shown
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.sheet))
        if shown is not None:
            painter.setFont(ui_font(LEGEND_PX))
            metrics = QFontMetrics(ui_font(LEGEND_PX))
            painter.setPen(QColor(theme.muted))
            middle = int(Qt.AlignmentFlag.AlignVCenter)
            x, height = px(8), float(self.height())
            wide = metrics.horizontalAdvance(shown.low)
            painter.drawText(QRectF(x, 0, wide + 2, height), middle, shown.low)
            x += wide + (px(6) if wide else 0)
            room = px(90) if len(shown.ramp) > 1 else px(12)
            for k, colour in enumerate(shown.ramp):
                step = room / len(shown.ramp)
                painter.fillRect(QRectF(x + k * step, height / 2 - px(5), step + 1, px(10)),
                                 QColor(colour))  # fmt: skip
            x += room + px(6) if shown.ramp else 0
            painter.drawText(QRectF(x, 0, self.width() - x, height), middle, shown.high)
        painter.end()
