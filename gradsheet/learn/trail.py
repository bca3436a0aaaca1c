"""The points that a run has been at, for drawing its path.

Owns a growing list of points; one thread appends while others read. Long trails are thinned:
every second point of all but the newest goes. Must not know what the coordinates mean.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]


class Trail:
    """Points (n, 2) float64 in the order in which the run was at them.

    Parameters
    ----------
    most : int
        When there are more, the older half is thinned to every second point.
    """

    def __init__(self, most: int = 200_000) -> None:
        self._lock = threading.Lock()
        self._points: Points = np.empty((1024, 2))
        self._length = 0
        self._most = most

    def __len__(self) -> int:
        """Return the number of points."""
        return self._length

    def extend(self, first: Sequence[float], second: Sequence[float]) -> None:
        """Add points by their coordinates."""
        count = len(first)
        with self._lock:
            end = self._length + count
            if end > len(self._points):
                room = np.empty((max(2 * len(self._points), end), 2))
                room[: self._length] = self._points[: self._length]
                self._points = room
            self._points[self._length : end, 0] = first
            self._points[self._length : end, 1] = second
            self._length = end
            if end > self._most:
                half = end // 2
                kept = np.concatenate([self._points[:half:2], self._points[half:end]])
                # A fresh array: the old one may be on show somewhere.
                self._points = np.concatenate([kept, np.empty((self._most // 4, 2))])
                self._length = len(kept)

    def points(self) -> Points:
        """Return the points (n, 2), read-only."""
        with self._lock:
            view = self._points[: self._length]
        view.flags.writeable = False
        return view

    def cut(self, length: int) -> None:
        """Forget all but the first ``length`` points."""
        with self._lock:
            if length < self._length:
                # A fresh array: the old one may be on show somewhere.
                self._points = self._points.copy()
                self._length = max(0, length)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._points = np.empty((1024, 2))
            self._length = 0
