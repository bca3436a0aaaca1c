"""One colour for each branch of a run, the same in plots and in their table.

Owns the order of the hues: Okabe and Ito's without that of the loss, lightened in dark themes.
"""

from __future__ import annotations

from PySide6.QtGui import QColor, QIcon, QPixmap

from gradsheet.qt.theme import Theme, blend

_HUES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#9A8C00")
SWATCH_PX = 12


def branch_colour(place: int, theme: Theme) -> str:
    """Return the colour of the branch at a place of the list, as `#RRGGBB`."""
    hue = _HUES[place % len(_HUES)]
    return blend(hue, "#FFFFFF", 0.3) if theme.is_dark else hue


def swatch(colour: str) -> QIcon:
    """Return a small square of a colour."""
    picture = QPixmap(SWATCH_PX, SWATCH_PX)
    picture.fill(QColor(colour))
    return QIcon(picture)
