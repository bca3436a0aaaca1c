"""The loss of every step of a run, thinned for drawing, and when it is a million steps long.

Owns the growing arrays and their min/max decimation; one thread appends while others read.
Must not know how the losses came about; numpy only.
"""

from __future__ import annotations

import threading

import numpy as np
import numpy.typing as npt

Steps = npt.NDArray[np.int64]
Losses = npt.NDArray[np.float64]

_BLOCK = 256  # points summarised by one minimum and one maximum; drawing needs no finer grain

MOST_POINTS = 1 << 18
"""When there are more, the older half keeps only the extremes of every four points."""


class LossTrace:
    """Pairs (step k, loss at the parameters after k updates), in the order of the run.

    Sixteen bytes a step; appending takes constant time on average. Arrays handed out are
    read-only views that later appends and truncations never change. An hour of a small problem
    makes thirty million steps: from `most` points on the older half is thinned to the lowest and
    the highest of each four, so that the best step and every spike stay.
    """

    def __init__(self, capacity: int = 1024, most: int = MOST_POINTS) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._steps: Steps = np.empty(capacity, dtype=np.int64)
        self._losses: Losses = np.empty(capacity, dtype=np.float64)
        self._length = 0
        # Positions of the smallest and largest loss of each full block, extended when asked for.
        self._extremes: npt.NDArray[np.int64] = np.empty((0, 2), dtype=np.int64)

    def __len__(self) -> int:
        """Return the number of points."""
        return self._length

    def append(self, step: int, loss: float) -> None:
        """Add a point; steps must grow (see :meth:`truncate` to go back)."""
        with self._lock:
            i = self._length
            if i >= self._most:
                i = self._thin()
            elif i == len(self._losses):
                self._steps = np.concatenate([self._steps, np.empty_like(self._steps)])
                self._losses = np.concatenate([self._losses, np.empty_like(self._losses)])
            self._steps[i] = step
            self._losses[i] = loss
            self._length = i + 1

    def _thin(self) -> int:
        """Thin the older half into fresh arrays, for the old ones may be on show; return how many
        points are left."""
        half = self._length // 8 * 4
        rows = _low_and_high(self._losses[:half].reshape(-1, 4))
        kept = np.unique(rows + np.arange(0, half, 4)[:, None])
        chosen = np.concatenate([kept, np.arange(half, self._length)])
        steps, losses = np.empty(self._most + 1, np.int64), np.empty(self._most + 1, np.float64)
        steps[: len(chosen)] = self._steps[chosen]
        losses[: len(chosen)] = self._losses[chosen]
        self._steps, self._losses, self._length = steps, losses, len(chosen)
        self._extremes = self._extremes[:0]
        return self._length

    def truncate(self, length: int) -> None:
        """Forget all but the first ``length`` points, as when a run is taken back."""
        with self._lock:
            length = max(0, min(length, self._length))
            capacity = max(1024, 2 * length)
            # Fresh arrays: the old ones may be on show somewhere.
            steps, losses = np.empty(capacity, np.int64), np.empty(capacity, np.float64)
            steps[:length] = self._steps[:length]
            losses[:length] = self._losses[:length]
            self._steps, self._losses, self._length = steps, losses, length
            self._extremes = self._extremes[: length // _BLOCK]

    def copy(self) -> LossTrace:
        """Return an independent trace of the same points."""
        steps, losses = self.arrays()
        other = LossTrace(max(1024, 2 * len(steps)))
        other._steps[: len(steps)] = steps
        other._losses[: len(steps)] = losses
        other._length = len(steps)
        return other

    def arrays(self) -> tuple[Steps, Losses]:
        """Return (steps (n,) int64, losses (n,) float64), read-only."""
        with self._lock:
            steps, losses = self._steps[: self._length], self._losses[: self._length]
        steps.flags.writeable = False
        losses.flags.writeable = False
        return steps, losses

    def last(self) -> tuple[int, float] | None:
        """Return the newest point, or None if there is none."""
        with self._lock:
            if not self._length:
                return None
            return int(self._steps[self._length - 1]), float(self._losses[self._length - 1])

    def decimated(self, count: int) -> tuple[Steps, Losses]:
        """Return at most ``count`` points that look the same when drawn.

        Each of count / 2 stretches gives its lowest and its highest point in their order, so no
        spike is lost; the first and the last point are always there.

        Parameters
        ----------
        count : int
            At least 4; twice the width of the plot in pixels is enough.
        """
        if count < 4:
            raise ValueError(f"a trace cannot be drawn with {count} points")
        with self._lock:
            steps, losses = self._steps[: self._length], self._losses[: self._length]
            full = self._length // _BLOCK
            known = len(self._extremes)
        if len(losses) <= count:
            return steps.copy(), losses.copy()
        stretches = (count - 2) // 2
        if len(losses) // stretches < 4 * _BLOCK:
            picked = _extremes(losses, stretches)
        else:
            picked = self._coarse(losses, full, known)
            picked = picked[_extremes(losses[picked], stretches)]
        picked = np.unique(np.concatenate([[0], picked, [len(losses) - 1]]))
        return steps[picked], losses[picked]

    def _coarse(self, losses: Losses, full: int, known: int) -> npt.NDArray[np.int64]:
        """Return positions of the extremes of all full blocks, and of the rest behind them."""
        with self._lock:
            old = self._extremes[:known]
        if full > len(old):
            fresh = losses[len(old) * _BLOCK : full * _BLOCK].reshape(-1, _BLOCK)
            offsets = np.arange(len(old), full)[:, None] * _BLOCK
            new = np.vstack([old, _low_and_high(fresh) + offsets])
            with self._lock:
                if len(self._extremes) < len(new) <= self._length // _BLOCK:
                    self._extremes = new
            old = new
        rest = np.arange(full * _BLOCK, len(losses))
        return np.concatenate([old[:full].ravel(), rest])


def _low_and_high(rows: Losses) -> npt.NDArray[np.int64]:
    """Return per row the positions of its extremes (n, 2), the earlier first; NaN is ignored."""
    low = np.argmin(np.where(np.isnan(rows), np.inf, rows), axis=1)
    high = np.argmax(np.where(np.isnan(rows), -np.inf, rows), axis=1)
    return np.column_stack([np.minimum(low, high), np.maximum(low, high)])


def _extremes(losses: Losses, stretches: int) -> npt.NDArray[np.int64]:
    """Return sorted positions of the extremes of about ``stretches`` equal parts (at most)."""
    width = -(-len(losses) // stretches)
    whole = len(losses) // width
    picked = _low_and_high(losses[: whole * width].reshape(whole, width))
    positions = picked + np.arange(whole)[:, None] * width
    rest = losses[whole * width :]
    if len(rest):
        positions = np.vstack([positions, _low_and_high(rest[None, :]) + whole * width])
    return np.unique(positions)
