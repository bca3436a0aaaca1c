"""Tens of thousands of dots as one picture, fast enough to be moved at 60 frames a second.

Owns the drawing of discs into pixels; numpy only. Knows neither widgets nor what a dot stands for.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint32]

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


def paint_dots(
    width: int,
    height: int,
    x: npt.NDArray[np.floating],
    y: npt.NDArray[np.floating],
    colours: Pixels,
    ground: int,
    radius: float,
) -> Pixels:
    """Return a picture of discs.

    Parameters
    ----------
    width, height : int
        Of the picture, in pixels.
    x, y : ndarray (n,)
        Centres; those outside the picture are left out. Later ones lie over earlier ones.
    colours : ndarray (n,) uint32
        0xFFRRGGBB.
    ground : int
        0xFFRRGGBB.
    radius : float
        In pixels.

    Returns
    -------
    ndarray (height, width) uint32
    """
    reach = int(np.ceil(radius))
    inside = (x >= -reach) & (x < width + reach) & (y >= -reach) & (y < height + reach)
    column = np.floor(x[inside]).astype(np.int64) + 2 * reach
    row = np.floor(y[inside]).astype(np.int64) + 2 * reach
    wide = width + 4 * reach
    buffer = np.full((height + 4 * reach) * wide, ground, dtype=np.uint32)
    place = row * wide + column
    own = colours[inside]
    mixed: dict[float, Pixels] = {}
    # Edges of all dots come before the middles of all, so that no edge cuts into another dot.
    for dx, dy, share in _stamp(radius):
        if share not in mixed:
            mixed[share] = own if share == 1.0 else _mix(own, ground, share)
        buffer[place + (dy * wide + dx)] = mixed[share]
    picture = buffer.reshape(height + 4 * reach, wide)
    return np.ascontiguousarray(picture[2 * reach : 2 * reach + height,
                                        2 * reach : 2 * reach + width])  # fmt: skip


def _mix(colours: Pixels, ground: int, share: float) -> Pixels:
    out = np.full(len(colours), 0xFF000000, dtype=np.uint32)
    for shift in (0, 8, 16):
        own = ((colours >> np.uint32(shift)) & np.uint32(0xFF)).astype(np.float32)
        under = float((ground >> shift) & 0xFF)
        channel = (under + (own - under) * share).astype(np.uint32)
        out |= channel << np.uint32(shift)
    return out
