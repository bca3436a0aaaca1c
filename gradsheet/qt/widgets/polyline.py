"""Long paths and curves, reduced to what the pixels of a plot can show.

Owns the reduction, which takes in only what is new since the last frame, and the cut at the edge:
Qt paints lines wrongly that end a million pixels away. Knows no run and no race.
"""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtGui import QPen

from gradsheet.qt.widgets.line_chart import FLOATS
from gradsheet.qt.widgets.quiet_plot import QuietCurve

MARGIN = 4.0
"""A path is cut so many widths of the view away from it."""
FAR = 1e9
"""Beyond so many sizes of the view is the distance."""

Rect = tuple[float, float, float, float]
"""Left, right, bottom, top."""


def cut(points: FLOATS, rect: Rect) -> FLOATS:
    """Return the parts of a polyline (n, 2) within a rectangle, a row of NaN between two parts.

    Notes
    -----
    Liang and Barsky 1984, on all segments at once.
    """
    low, high = np.array([rect[0], rect[2]]), np.array([rect[1], rect[3]])
    inside = ((points >= low) & (points <= high)).all(axis=1)
    if inside.all() or len(points) < 2:
        return points[inside]
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        start, way = _ways(points, (low + high) / 2, FAR * (high - low))
        first, last = (low - start) / way, (high - start) / way
        still = (way == 0) & (start >= low) & (start <= high)
        enter = np.where(still, -np.inf, np.minimum(first, last)).max(axis=1)
        leave = np.where(still, np.inf, np.maximum(first, last)).min(axis=1)
        is_seen = (enter <= leave) & (leave >= 0) & (enter <= 1)
    seen = np.flatnonzero(is_seen)
    enter, leave = np.clip(enter[seen], 0, 1), np.clip(leave[seen], 0, 1)
    found = np.full((len(seen), 3, 2), np.nan)
    found[:, 0] = start[seen] + enter[:, None] * way[seen]
    found[:, 1] = start[seen] + leave[:, None] * way[seen]
    follows = np.zeros(len(seen), dtype=bool)
    follows[1:] = (np.diff(seen) == 1) & (leave[:-1] == 1) & (enter[1:] == 0)
    kept = np.ones((len(seen), 3), dtype=bool)
    kept[follows, 0] = False
    kept[:-1, 2] = ~follows[1:]
    kept[-1:, 2] = False
    return found[kept]


def _ways(points: FLOATS, middle: FLOATS, far: FLOATS) -> tuple[FLOATS, FLOATS]:
    """Return where the segments start and how far they go, those into the distance shortened.

    Between two points of the distance nothing is known to the width of a view: no segment.
    """
    start, end = points[:-1].copy(), points[1:].copy()
    reach = (np.abs(points - middle) / far).max(axis=1)
    is_far = ~(reach <= 1)
    ends, starts = is_far[1:] & ~is_far[:-1], is_far[:-1] & ~is_far[1:]
    end[ends] = start[ends] + (end[ends] - start[ends]) / reach[1:][ends, None]
    start[starts] = end[starts] + (start[starts] - end[starts]) / reach[:-1][starts, None]
    start[is_far[:-1] & is_far[1:]] = np.nan
    return start, end - start


def distinct(points: FLOATS, pixel: FLOATS) -> FLOATS:
    """Return the points of a path (n, 2) that lie in another pixel than the one before, the first.

    Of a stretch that is not finite one point stays, so that the path breaks there.
    """
    if not len(points):
        return points
    finite = np.isfinite(points).all(axis=1)
    with np.errstate(invalid="ignore", over="ignore"):
        places = np.floor(points / pixel)
        moved = (places[1:] != places[:-1]).any(axis=1)
    kept = np.ones(len(points), dtype=bool)
    kept[1:] = (moved & finite[1:]) | (finite[1:] != finite[:-1])
    return points[kept]


class PathItem(QuietCurve):
    """A path on a plane that may grow for long.

    Parameters
    ----------
    pen : QPen
    """

    def __init__(self, pen: QPen) -> None:
        super().__init__(pen=pen, connect="finite", antialias=pen.width() > 1)
        self.setSkipFiniteCheck(False)
        self._points: FLOATS = np.empty((0, 2))
        self._kept: FLOATS = np.empty((0, 2))
        self._seen = 0
        self._pixel = np.ones(2)
        self._view: Rect | None = None

    def set_path(self, points: FLOATS) -> None:
        """Draw another path (n, 2)."""
        self._seen = 0
        self.follow(points)

    def follow(self, points: FLOATS) -> None:
        """Draw the path that was drawn before and has grown; a shorter one begins anew."""
        if len(points) < self._seen:
            self._seen = 0
        is_same = self._seen == len(points) and self._seen > 0
        self._points = points
        if not is_same or self._view != self._looked_at():
            self._draw()

    def viewRangeChanged(self) -> None:
        """Reduce and cut for what is in view now."""
        if self._view != self._looked_at():
            self._draw()

    def viewTransformChanged(self) -> None:
        """See viewRangeChanged; the plot may only have changed its size."""
        super().viewTransformChanged()
        self.viewRangeChanged()

    def _looked_at(self) -> Rect | None:
        box = self.getViewBox()
        if box is None:
            return None
        (left, right), (bottom, top) = box.viewRange()
        return left, right, bottom, top

    def _draw(self) -> None:
        before, view = self._view, self._looked_at()
        self._view = view
        if view is None or not len(self._points):
            self._kept, self._seen = np.empty((0, 2)), 0
            self.setData([], [])
            return
        if not self._reduce() and view == before:
            return
        left, right, bottom, top = view
        wide, tall = MARGIN * (right - left), MARGIN * (top - bottom)
        path = np.concatenate([self._kept, self._points[-1:]])
        path = cut(path, (left - wide, right + wide, bottom - tall, top + tall))
        self.setData(path[:, 0], path[:, 1], connect="finite")

    def _reduce(self) -> bool:
        """Take in what is new, all of it after a zoom; return whether there is more to see."""
        pixel = np.array([_power(size) for size in self.getViewBox().viewPixelSize()])
        is_anew = self._seen == 0 or bool((pixel != self._pixel).any())
        if is_anew:
            self._pixel = pixel
            self._kept = fresh = distinct(self._points, pixel)
        else:
            fresh = distinct(self._points[self._seen - 1 :], pixel)[1:]
            if len(fresh):
                self._kept = np.concatenate([self._kept, fresh])
        self._seen = len(self._points)
        return is_anew or len(fresh) > 0


def _power(size: float) -> float:
    """Return the power of two at or below the size of a pixel: few zooms need another one."""
    return 2.0 ** math.floor(math.log2(size)) if 0 < size < math.inf else 1.0


class Envelope:
    """Curves over the steps, reduced to the lowest and highest of every block of steps.

    Parameters
    ----------
    steps : int
        How many there will be in all.
    columns : int
        How many blocks are enough.
    """

    def __init__(self, steps: int, columns: int = 400) -> None:
        self._block = max(1, -(-steps // columns))
        self._lows: list[FLOATS] = []
        self._highs: list[FLOATS] = []
        self._done = 0

    def follow(self, values: FLOATS) -> tuple[FLOATS, FLOATS]:
        """Take in curves (m, n) that have grown; return what to draw, steps (k,) and values (k, n).

        What is not finite is left out of a block with something finite.
        """
        block, count = self._block, len(values)
        if block < 3:
            return np.arange(count, dtype=np.float64), values
        whole = count // block
        if whole > self._done:
            part = values[self._done * block : whole * block]
            table = part.reshape(whole - self._done, block, -1)
            self._lows.append(np.fmin.reduce(table, axis=1))
            self._highs.append(np.fmax.reduce(table, axis=1))
            self._done = whole
            if len(self._lows) > 64:
                self._lows = [np.concatenate(self._lows)]
                self._highs = [np.concatenate(self._highs)]
        rest = values[whole * block :]
        if not whole:
            return np.arange(count, dtype=np.float64), rest
        both = np.stack([np.concatenate(self._highs), np.concatenate(self._lows)], axis=1)
        middles = (np.arange(whole) + 0.5) * block
        steps = np.concatenate([np.repeat(middles, 2), np.arange(whole * block, count)])
        return steps, np.concatenate([both.reshape(2 * whole, -1), rest])
