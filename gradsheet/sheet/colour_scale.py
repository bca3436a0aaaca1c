"""Colour scales: the values of a range as grounds between two or three colours.

Owns where the ends of a scale lie and which step of it a value takes (numpy only). Knows no
theme: the colours are names of the user's choice, softened by whoever paints them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gradsheet.formula.address import Region
from gradsheet.formula.values import Kind
from gradsheet.sheet.tiles import Floats, Kinds

STEPS = 65
"""Colours that a scale is painted with; odd, so that the middle has one of its own."""
NO_STEP = -1
_LEAST_FILLED = 0.55
"""A range of values that fills less of the scale than this gets a tighter scale."""


@dataclass(frozen=True, slots=True)
class ColourScale:
    """A range whose cells are coloured by their numbers.

    Parameters
    ----------
    low, high : `#RRGGBB` of the smallest and the largest number
    middle : `#RRGGBB` half-way, "" for the sheet's own ground
    low_at, high_at : numbers at which the ends lie, None for those of the range's numbers
    is_diverging : whether the middle is 0 and both ends lie equally far from it
    """

    region: Region
    low: str
    high: str
    middle: str = ""
    low_at: float | None = None
    high_at: float | None = None
    is_diverging: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """Where the ends of a scale lie now."""

    low: float
    high: float

    def steps(self, values: Floats, kinds: Kinds) -> npt.NDArray[np.int16]:
        """The step 0 .. `STEPS` - 1 of each value; `NO_STEP` for what is no number."""
        width = self.high - self.low
        if not width > 0:
            steps = np.full(values.shape, (STEPS - 1) // 2, np.int16)
        else:
            share = (np.nan_to_num(values) - self.low) / width
            steps = np.rint(np.clip(share, 0.0, 1.0) * (STEPS - 1)).astype(np.int16)
        steps[kinds != Kind.NUMBER] = NO_STEP
        return steps


def span_of(scale: ColourScale, values: Floats, kinds: Kinds, before: Span | None = None) -> Span:
    """Where the ends of a scale lie for the numbers of its range.

    Ends that follow the numbers are rounded outwards, and those of `before` stay while the
    numbers still fit and fill them: in a run the colours of all other cells hold still.
    """
    numbers = values[kinds == Kind.NUMBER]
    numbers = numbers[np.isfinite(numbers)]
    least = float(numbers.min()) if numbers.size else 0.0
    most = float(numbers.max()) if numbers.size else 0.0
    if scale.is_diverging:
        most = max(abs(least), abs(most))
        least = -most
    if before is not None and before.low <= least and most <= before.high:
        filled = most - least
        if filled >= _LEAST_FILLED * (before.high - before.low):
            return _fixed(scale, before)
    return _fixed(scale, _rounded_outwards(least, most))


def _rounded_outwards(least: float, most: float) -> Span:
    width = most - least
    if not width > 0 or not math.isfinite(width):
        return Span(least, most)
    unit = 10.0 ** math.floor(math.log10(width)) / 4
    return Span(math.floor(least / unit) * unit, math.ceil(most / unit) * unit)


def _fixed(scale: ColourScale, span: Span) -> Span:
    low = span.low if scale.low_at is None else scale.low_at
    high = span.high if scale.high_at is None else scale.high_at
    return Span(low, high)
