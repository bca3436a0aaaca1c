"""Which ratings are kept back to judge a model by.

Owns the three ways: a random share, each user's last ratings, a given set. numpy only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gradsheet.formula.values import UserError
from gradsheet.ratings.table import Check, RatingTable, unchecked


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Two tables with the same users and items.

    Attributes
    ----------
    train, valid : RatingTable
    note : str
        What was done, in words, for the epoch table's title.
    held : ndarray (n,) bool or None
        Which rows of the whole table are kept back, in their order; None: all are in ``train``.
    """

    train: RatingTable
    valid: RatingTable
    note: str
    held: npt.NDArray[np.bool_] | None = None


def random_share(
    table: RatingTable, share: float, seed: int = 0, check: Check = unchecked
) -> Split:
    """Keep back a random share of the ratings.

    Raises
    ------
    UserError
        If nothing would be left to learn from.
    """
    held = table.held_back(share, seed, check)
    return _checked(table, held, f"{share:.0%} at random", check)


def last_of_each_user(table: RatingTable, count: int = 1, share: float | None = None) -> Split:
    """Keep back each user's newest ratings; users of whom too little would be left keep all.

    Parameters
    ----------
    count : int
        Ratings of each user; of equal times the later row counts as newer.
    share : float, optional
        Of each user's ratings instead, rounded down.

    Raises
    ------
    UserError
        If the table has no times, or nothing would be left to learn from.
    """
    if table.timestamps is None:
        raise UserError(
            "These ratings have no times, so there are no last ratings.",
            "Choose a random share, or a file that has a column of times.",
        )
    order = np.lexsort((np.arange(len(table)), table.timestamps, table.users))
    counts = table.user_counts()
    ends = np.cumsum(counts)
    from_end = np.empty(len(table), dtype=np.int64)
    from_end[order] = ends[table.users[order]] - 1 - np.arange(len(table))
    wanted = np.full(len(counts), count) if share is None else (counts * share).astype(np.int64)
    wanted[wanted >= counts] = 0
    held = from_end < wanted[table.users]
    what = f"the last {count}" if share is None else f"the last {share:.0%}"
    return _checked(table, held, f"{what} of each user")


def given(table: RatingTable, valid: RatingTable) -> Split:
    """Judge by a table of its own, matched by the original ids.

    Ratings of users or items that the training table does not have are left out and counted in
    the note; pairs that are in both stay in both, as the giver of the set wanted it.

    Raises
    ------
    UserError
        If no rating of the set can be matched.
    """
    users = _matched(table.user_ids, valid.user_ids)[valid.users]
    items = _matched(table.item_ids, valid.item_ids)[valid.items]
    known = (users >= 0) & (items >= 0)
    if not known.any():
        raise UserError(
            "No rating of the validation file has a user and an item of the training file.",
            "Check that both files use the same ids.",
        )
    matched = RatingTable(
        users[known].astype(np.int32),
        items[known].astype(np.int32),
        valid.ratings[known],
        table.user_ids,
        table.item_ids,
        table.titles,
        None if valid.timestamps is None else valid.timestamps[known],
    )
    left_out = len(valid) - len(matched)
    return Split(table, matched, f"given, {left_out:,} of {len(valid):,} unknown and left out")


def _matched(known: npt.NDArray[Any], wanted: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return the position of each wanted id among the known ones, -1 where there is none."""
    positions = {str(name): i for i, name in enumerate(known.tolist())}
    return np.array([positions.get(str(name), -1) for name in wanted.tolist()], dtype=np.int64)


def _checked(
    table: RatingTable, held: npt.NDArray[np.bool_], note: str, check: Check = unchecked
) -> Split:
    if held.all():
        raise UserError(
            "No rating is left to learn from.", "Keep back a smaller share for validation."
        )
    return Split(table.take(~held, check), table.take(held, check), note, held)
