"""Colour scales on the screen: the ends of each scale on show, and its colours in a theme.

Owns what is kept between two frames of a run so that colours hold still. Knows no widget; the
rule that places the ends is `sheet.colour_scale`'s.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from PySide6.QtGui import QColor, QPainter

from gradsheet.formula.address import Region
from gradsheet.qt.grid.exposed import Block
from gradsheet.qt.theme import Theme, blend, contrast_ratio
from gradsheet.sheet.colour_scale import STEPS, ColourScale, Span, span_of
from gradsheet.sheet.workbook import Sheet

MOST_LOOKED_AT = 1_000_000
"""Cells of a scale's range that are read for its ends; of a larger one the first rows."""
_STRONGEST = 0.7
_LEAST_CONTRAST = 4.6


class Heat:
    """The spans of the colour scales of one sheet."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._spans: dict[ColourScale, Span] = {}

    @property
    def scales(self) -> tuple[ColourScale, ...]:
        """The scales of the sheet, later ones on top."""
        return self._sheet.scales

    def span(self, scale: ColourScale) -> Span:
        """Where the ends of a scale lie."""
        known = self._spans.get(scale)
        if known is None:
            known = self._spans[scale] = self._measured(scale, None)
        return known

    def follow(self, regions: Iterable[Region]) -> list[Region]:
        """Values in these regions are others: return the ranges whose scale moved for it."""
        touched = list(regions)
        moved = []
        for scale in self._sheet.scales:
            if all(region.intersect(scale.region) is None for region in touched):
                continue
            before = self.span(scale)
            now = self._measured(scale, before)
            if now != before:
                self._spans[scale] = now
                moved.append(scale.region)
        return moved

    def _measured(self, scale: ColourScale, before: Span | None) -> Span:
        cells = self._sheet.cells
        region = scale.region.intersect(cells.used()) or Region(0, 0, 0, 0)
        if region.size > MOST_LOOKED_AT:
            rows = max(1, MOST_LOOKED_AT // region.cols)
            region = Region(region.top, region.left, region.top + rows, region.right)
        return span_of(scale, *cells.read(region), before)


def paint_heat(painter: QPainter, block: Block, heat: Heat, theme: Theme) -> None:
    """Paint the grounds of all colour scales in a block, inside the hairlines."""
    own = Region(
        block.region.top,
        block.region.left + block.before,
        block.region.bottom,
        block.region.left + block.stop,
    )
    fill = painter.fillRect
    for scale in heat.scales:
        part = scale.region.intersect(own)
        if part is None:
            continue
        rows, cols = part.slices_in(block.region)
        values, kinds = block.planes
        steps = heat.span(scale).steps(values[rows, cols], kinds[rows, cols])
        colours = colours_of(scale.low, scale.middle, scale.high, theme)
        xs, ys = block.xs[cols.start : cols.stop + 1], block.ys[rows.start : rows.stop + 1]
        places = [(x, xs[j + 1] - x - 1) for j, x in enumerate(xs[:-1])]
        for i, row in enumerate(steps.tolist()):
            y, height = ys[i], ys[i + 1] - ys[i] - 1
            for (x, width), step in zip(places, row, strict=True):
                if step >= 0 and width > 0 and height > 0:
                    fill(x, y, width, height, colours[step])


@lru_cache(maxsize=64)
def colours_of(low: str, middle: str, high: str, theme: Theme) -> tuple[QColor, ...]:
    """The colour of each step, as strong as text on it can still be read."""
    ends = [_softened(colour, theme) for colour in (low, high)]
    half = (STEPS - 1) // 2
    centre = _softened(middle, theme) if middle else theme.sheet
    lower = [blend(centre, ends[0], (half - i) / half) for i in range(half)]
    upper = [blend(centre, ends[1], i / half) for i in range(half + 1)]
    return tuple(QColor(colour) for colour in (*lower, *upper))


def _softened(colour: str, theme: Theme) -> str:
    share = _STRONGEST
    while share > 0.05:
        mixed = blend(theme.sheet, colour, share)
        if contrast_ratio(mixed, theme.text) >= _LEAST_CONTRAST:
            return mixed
        share -= 0.05
    return theme.sheet
