"""Names beside dots, without one lying over another.

Owns the search for free places. Knows rectangles only; stdlib only.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

CELL_PX = 4
"""Free room is kept in cells of this size."""


class Placed(NamedTuple):
    """A name and the left upper corner of its place, in pixels."""

    which: int
    x: float
    y: float


class LabelRoom:
    """The free room of a picture.

    Parameters
    ----------
    width, height : float
        In pixels.
    """

    def __init__(self, width: float, height: float) -> None:
        self._width, self._height = width, height
        # A number a row of cells, a bit a cell: labels are tried thousands of times a second.
        self._taken = [0] * (int(height) // CELL_PX + 2)

    def take(self, x: float, y: float, width: float, height: float) -> bool:
        """Take a rectangle if all of it is free and inside; return whether it was."""
        if x < 0 or y < 0 or x + width > self._width or y + height > self._height:
            return False
        first, last = int(x) // CELL_PX, int(x + width) // CELL_PX
        cells = ((1 << (last - first + 1)) - 1) << first
        rows = range(int(y) // CELL_PX, int(y + height) // CELL_PX + 1)
        taken = self._taken
        for row in rows:
            if taken[row] & cells:
                return False
        for row in rows:
            taken[row] |= cells
        return True


def place_labels(
    room: LabelRoom,
    dots: Iterable[tuple[int, float, float, float]],
    height: float,
    gap: float,
    most: int,
) -> list[Placed]:
    """Find places for names, those first that come first.

    Parameters
    ----------
    dots : iterable of (which, x, y, width of the name)
        In pixels.
    height : float
        Of a name.
    gap : float
        Between dot and name.
    most : int
        Names at most.

    Returns
    -------
    list of Placed
        Names for which neither right, left, above nor below has room are left out.
    """
    found: list[Placed] = []
    for which, x, y, width in dots:
        if len(found) >= most:
            break
        for left, top in (
            (x + gap, y - height / 2),
            (x - gap - width, y - height / 2),
            (x - width / 2, y - gap - height),
            (x - width / 2, y + gap),
        ):
            if room.take(left, top, width, height):
                found.append(Placed(which, left, top))
                break
    return found
