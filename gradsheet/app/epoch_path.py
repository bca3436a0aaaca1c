"""Where a run of epochs has been in the plane, while it is open and as a file keeps it.

Owns the trail and which epochs it belongs to. Knows neither cells nor the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gradsheet.formula.address import Cell

if TYPE_CHECKING:
    from gradsheet.learn.trail import Trail


@dataclass(frozen=True, slots=True)
class Walked:
    """Where the rows of the epochs were.

    Attributes
    ----------
    trail : Trail
    first, last : int
        The epochs whose points it holds, the one that was shown first to the newest.
    """

    trail: Trail
    first: int
    last: int

    @classmethod
    def on(cls, before: Walked | None, newest: Trail, step: int) -> Walked:
        """Return the path up to an epoch, and the points of that one."""
        if before is None or step < before.first:
            return cls(newest, step, step)
        before.trail.cut(before.began(step))
        points = newest.points()
        before.trail.extend(points[:, 0].tolist(), points[:, 1].tolist())
        return cls(before.trail, before.first, step)

    def copy(self) -> Walked:
        """Return the same path, to go on from without changing this one."""
        from gradsheet.learn.trail import Trail

        trail, points = Trail(), self.trail.points()
        trail.extend(points[:, 0].tolist(), points[:, 1].tolist())
        return Walked(trail, self.first, self.last)

    def began(self, step: int) -> int:
        """Return where the points of an epoch begin; about, once old ones have been thinned."""
        epochs = self.last - self.first + 1
        at = (min(max(step, self.first), self.last + 1) - self.first) / epochs
        return round(len(self.trail) * at)


@dataclass(frozen=True, slots=True, eq=False)
class PathNote:
    """Where a run of epochs has been, as a file keeps it.

    Attributes
    ----------
    points : ndarray (n, 2) float64
        Its trail.
    epochs : (int, int) or None
        The first and the last epoch of the trail.
    log_shift, errors_logged
        How the log of errors lies beside the epochs.
    base : mapping of Cell to float
        The settings that a schedule moves, as they were set.
    """

    points: npt.NDArray[np.float64]
    epochs: tuple[int, int] | None
    log_shift: int
    errors_logged: Mapping[int, float]
    base: Mapping[Cell, float]
