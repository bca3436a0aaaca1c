"""Ratings as tensors, taken batch by batch without a DataLoader, and curves thin enough to draw.

Owns the gathering only. Must not know models or optimizers.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gradsheet.ratings.table import RatingTable

_CURVE_POINTS = 2000


class Columns:
    """The columns of a table as tensors, taken in any order onto a device.

    Parameters
    ----------
    table : RatingTable
    times : Tensor (n, n_times) float32, optional
    """

    def __init__(self, table: RatingTable, times: Tensor | None) -> None:
        self.ratings = table.ratings
        columns = {"users": table.users, "items": table.items, "ratings": table.ratings}
        self._columns = {
            name: torch.from_numpy(np.require(column, requirements=["C", "W"]))
            for name, column in columns.items()
        }
        if times is not None:
            self._columns["times"] = times

    def __len__(self) -> int:
        return len(self.ratings)

    def take(self, rows: Tensor, device: torch.device) -> dict[str, Tensor]:
        """Return the rows of each column; codes as int64, which every operator takes."""
        found = {name: column.index_select(0, rows) for name, column in self._columns.items()}
        found["users"], found["items"] = found["users"].long(), found["items"].long()
        return {name: column.to(device) for name, column in found.items()}


def thinned(
    losses: npt.NDArray[np.float32],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return at most 2,000 points: the means of equal stretches, at the last step of each."""
    width = -(-len(losses) // _CURVE_POINTS) or 1
    ends = np.minimum(np.arange(width, len(losses) + width, width), len(losses))
    if not len(losses):
        return ends.astype(np.int64), np.empty(0)
    sums = np.add.reduceat(losses.astype(np.float64), ends - np.diff(ends, prepend=0))
    return ends.astype(np.int64), sums / np.diff(ends, prepend=0)
