"""Colour scales of a file as those of a sheet, and back.

Owns the step between Excel's two or three stops and the ends and the middle that the grid paints.
Knows no XML.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gradsheet.files.file_facts import ColorScale, ColorStop
from gradsheet.formula.address import Region
from gradsheet.sheet.colour_scale import ColourScale

MOST_SHOWN = 200
_GROUND = "#FFFFFF"


def shown_scales(scales: Iterable[ColorScale], used: Region) -> tuple[ColourScale, ...]:
    """The scales of a file as the grid shows them, one for each range; whole columns are cut.

    Percentages and percentiles at the ends become the smallest and the largest number.
    """
    found = (
        _shown(scale, inner)
        for scale in scales
        for region in scale.regions
        if (inner := region.intersect(used)) is not None
    )
    return tuple(made for made, _ in zip(found, range(MOST_SHOWN), strict=False))


def _shown(scale: ColorScale, region: Region) -> ColourScale:
    first, last = scale.stops[0], scale.stops[-1]
    middle = scale.stops[1] if len(scale.stops) == 3 else None
    follows = first.kind == "min" and last.kind == "max"
    is_diverging = (
        middle is not None and middle.kind == "num" and middle.value == 0.0 and follows
    )
    return ColourScale(
        region,
        first.color,
        last.color,
        middle.color if middle is not None else "",
        first.value if first.kind == "num" else None,
        last.value if last.kind == "num" else None,
        is_diverging,
    )


def file_scales(scales: Iterable[ColourScale]) -> Iterator[ColorScale]:
    """The scales of a sheet as Excel writes them."""
    for scale in scales:
        low = _end("min", scale.low, scale.low_at)
        high = _end("max", scale.high, scale.high_at)
        if scale.is_diverging:
            middle = [ColorStop("num", scale.middle or _GROUND, 0.0)]
        else:
            middle = [ColorStop("percent", scale.middle, 50.0)] if scale.middle else []
        yield ColorScale((scale.region,), (low, *middle, high))


def _end(kind: str, color: str, at: float | None) -> ColorStop:
    if at is not None:
        return ColorStop("num", color, at)
    return ColorStop("min" if kind == "min" else "max", color)
