"""Which part of a plane is in view: one scale for both axes, zoom and pan.

Owns the arithmetic between the plane and the pixels. Knows no widget.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]

CLOSEST = 4000.0
"""Zoom at most, relative to the whole."""


@dataclass(frozen=True, slots=True)
class MapView:
    """A part of a plane in a picture.

    Attributes
    ----------
    width, height : float
        Of the picture, pixels.
    x, y : float
        What is in its middle.
    scale : float
        Pixels a unit, the same along both axes.
    whole : float
        The scale at which everything fits.
    """

    width: float
    height: float
    x: float = 0.0
    y: float = 0.0
    scale: float = 1.0
    whole: float = 1.0

    def to_pixels(self, points: Doubles) -> Doubles:
        """Return the pixels (n, 2) of points (n, 2)."""
        scale = self.scale
        out: Doubles = points * (scale, -scale)
        out += (self.width / 2 - self.x * scale, self.height / 2 + self.y * scale)
        return out

    def to_plane(self, px: float, py: float) -> tuple[float, float]:
        """Return the point of a pixel."""
        return (
            self.x + (px - self.width / 2) / self.scale,
            self.y - (py - self.height / 2) / self.scale,
        )

    def fitted(self, points: Doubles) -> MapView:
        """Return the view of all points, a margin around them."""
        if not len(points):
            return self
        low, high = points.min(axis=0), points.max(axis=0)
        size = np.maximum(high - low, 1e-9)
        scale = float(min(0.86 * self.width / size[0], 0.86 * self.height / size[1]))
        scale = max(scale, 1e-9)
        x, y = (low + high) / 2
        return replace(self, x=float(x), y=float(y), scale=scale, whole=scale)

    def zoomed(self, factor: float, px: float, py: float) -> MapView:
        """Return a closer (factor above 1) or wider view; the point at a pixel stays there."""
        scale = min(max(self.scale * factor, self.whole / 3), self.whole * CLOSEST)
        x, y = self.to_plane(px, py)
        return replace(
            self,
            x=x - (px - self.width / 2) / scale,
            y=y + (py - self.height / 2) / scale,
            scale=scale,
        )

    def panned(self, dx: float, dy: float) -> MapView:
        """Return the view after its content moved by pixels."""
        return replace(self, x=self.x - dx / self.scale, y=self.y + dy / self.scale)

    def resized(self, width: float, height: float) -> MapView:
        """Return the view in a picture of another size; what was in sight stays."""
        old = min(self.width, self.height)
        ratio = min(width, height) / old if old > 0 else 1.0
        return replace(
            self, width=width, height=height, scale=self.scale * ratio, whole=self.whole * ratio
        )

    def shows(self, x: float, y: float) -> bool:
        """Whether a point is in sight."""
        px, py = self.width / 2 + (x - self.x) * self.scale, (
            self.height / 2 - (y - self.y) * self.scale
        )
        return 0 <= px <= self.width and 0 <= py <= self.height

    def ticks(self, is_x: bool, apart_px: float) -> list[float]:
        """Return round numbers along an axis, about so many pixels apart."""
        length, middle = (self.width, self.x) if is_x else (self.height, self.y)
        low, high = middle - length / 2 / self.scale, middle + length / 2 / self.scale
        rough = apart_px / self.scale
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(m * power for m in (1.0, 2.0, 5.0, 10.0) if m * power >= rough * 0.999)
        first = math.ceil(low / step)
        return [k * step for k in range(first, math.floor(high / step) + 1)]
