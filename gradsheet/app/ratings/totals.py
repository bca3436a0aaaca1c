"""How many ratings users and items have, and their sums.

Owns the counting, in parts so that memory stays bounded at any size. numpy only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from gradsheet.ratings.table import Check, RatingTable, unchecked

_PART = 1 << 21


@dataclass(frozen=True, slots=True, eq=False)
class Totals:
    """Counts (n,) int64 and sums (n,) float64 of ratings, by code."""

    user_counts: npt.NDArray[np.int64]
    user_sums: npt.NDArray[np.float64]
    item_counts: npt.NDArray[np.int64]
    item_sums: npt.NDArray[np.float64]

    @classmethod
    def of(cls, table: RatingTable, check: Check = unchecked) -> Totals:
        """Count a table; ``check`` is called often and may give the counting up."""
        return cls(
            *_totals(table.users, table.ratings, table.n_users, check),
            *_totals(table.items, table.ratings, table.n_items, check),
        )

    def means(
        self, side: Literal["users", "items"], rows: npt.NDArray[Any]
    ) -> npt.NDArray[np.float64]:
        """Return mean ratings; NaN where there is none."""
        of_users = side == "users"
        counts = (self.user_counts if of_users else self.item_counts)[rows]
        sums = (self.user_sums if of_users else self.item_sums)[rows]
        means: npt.NDArray[np.float64] = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
        return means

    def change(
        self, table: RatingTable, rows: npt.NDArray[Any], ratings: npt.NDArray[np.float32]
    ) -> None:
        """Follow an edit of ratings that is about to be made."""
        by = ratings.astype(np.float64) - table.ratings[rows]
        np.add.at(self.user_sums, table.users[rows], by)
        np.add.at(self.item_sums, table.items[rows], by)


def _totals(
    codes: npt.NDArray[np.int32], ratings: npt.NDArray[np.float32], size: int, check: Check
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    counts, sums = np.zeros(size, np.int64), np.zeros(size)
    for begin in range(0, len(codes), _PART):
        check()
        part = codes[begin : begin + _PART]
        counts += np.bincount(part, minlength=size)
        sums += np.bincount(part, weights=ratings[begin : begin + _PART], minlength=size)
    return counts, sums
