"""Tens of thousands of dots as one picture, fast enough to be moved at 60 frames a second.

Owns the drawing of discs into pixels; numpy only. Knows neither widgets nor what a dot stands for.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint32]

ON_TOP = (300, 60, 12)
"""So many of the last dots cover all before them whole; a dot of the others only in part."""
MANY = 15_000
"""Dots in the picture from which they are drawn smaller."""


def radius_for(count: int) -> float:
    """Return the radius in pixels at which so many dots can still be told apart."""
    if count > MANY:
        return 1.5
    return 2.5 if count > MANY // 10 else 3.5


@lru_cache(maxsize=32)
def _stamp(radius: float) -> tuple[tuple[int, int, float], ...]:
    """Return (dx, dy, share covered) of the pixels of a disc, those of its edge first."""
    reach = int(np.ceil(radius))
    fine = (np.arange(8) - 3.5) / 8
    found = []
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            x, y = np.meshgrid(dx + fine, dy + fine)
            share = float(np.mean(x**2 + y**2 <= radius**2))
            if share > 0.1:
                found.append((dx, dy, 1.0 if share > 0.9 else round(share * 4) / 4))
    return tuple(sorted((p for p in found if p[2] > 0), key=lambda p: p[2]))


class DotColours:
    """Colours of dots (n,) 0xFFRRGGBB, and what they are at an edge; each mixed once."""

    def __init__(self, colours: Pixels, ground: int) -> None:
        self.ground = ground
        self._mixed: dict[float, Pixels] = {1.0: colours}

    def covering(self, share: float) -> Pixels:
        """Return the colours where the dots cover a share of a pixel."""
        if share not in self._mixed:
            self._mixed[share] = _mix(self._mixed[1.0], self.ground, share)
        return self._mixed[share]


class Picture(NamedTuple):
    """Pixels row by row, from the first on, and how many there are from a row to the next."""

    pixels: Pixels
    stride: int


def paint_dots(
    width: int,
    height: int,
    x: npt.NDArray[np.floating],
    y: npt.NDArray[np.floating],
    colours: DotColours,
    radius: float,
) -> Picture:
    """Return a picture of discs.

    Parameters
    ----------
    width, height : int
        Of the picture, in pixels.
    x, y : ndarray (n,)
        Centres; those outside the picture are left out. Of several in one place the last is seen,
        and the last few hundred cover the others.
    colours : DotColours
    radius : float
        In pixels.

    Returns
    -------
    Picture
        Of ``width`` by ``height``; its rows have more pixels than are to be shown.
    """
    reach = int(np.ceil(radius))
    inside = (x >= -reach) & (x < width + reach) & (y >= -reach) & (y < height + reach)
    chosen = None if inside.all() else np.flatnonzero(inside)
    if chosen is not None:
        x, y = x[chosen], y[chosen]
    wide = width + 4 * reach
    buffer = np.full((height + 4 * reach) * wide, colours.ground, dtype=np.uint32)
    corner = reach * (wide + 1)  # of the dot that lies farthest up and left
    # Every centre is 0 or more by now, so that cutting off is rounding down.
    place = (y + reach).astype(np.int64)
    place *= wide
    place += (x + reach).astype(np.int64)
    mixed: dict[float, Pixels] = {}
    ends = [max(len(place) - count, 0) for count in ON_TOP]
    for layer in (slice(*pair) for pair in pairwise([0, *ends, len(place)])):
        # Edges of all dots come before the middles of all: no edge cuts into another dot.
        for dx, dy, share in _stamp(radius):
            if share not in mixed:
                own = colours.covering(share)
                mixed[share] = own if chosen is None else own[chosen]
            # Shifting the picture is cheaper than shifting every place.
            buffer[corner + dy * wide + dx :][place[layer]] = mixed[share][layer]
    return Picture(buffer[2 * reach * (wide + 1) :], wide)


def _mix(colours: Pixels, ground: int, share: float) -> Pixels:
    out = np.full(len(colours), 0xFF000000, dtype=np.uint32)
    for shift in (0, 8, 16):
        own = ((colours >> np.uint32(shift)) & np.uint32(0xFF)).astype(np.float32)
        under = float((ground >> shift) & 0xFF)
        channel = (under + (own - under) * share).astype(np.uint32)
        out |= channel << np.uint32(shift)
    return out
