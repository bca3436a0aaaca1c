"""Which ratings are kept back to judge a model by.

Owns the three ways: a random share, each user's last ratings, a given set. numpy only.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gradsheet.formula.values import UserError
from gradsheet.ratings.table import Check, RatingTable, groups_of_codes, unchecked


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Two tables with the same users and items.

    Attributes
    ----------
    train, valid : RatingTable
        Without times where they are parts of one table: few models ask for them, and they are
        two fifths of a table's memory. See :meth:`with_times`.
    note : str
        What was done, in words, for the epoch table's title.
    held : ndarray (n,) bool or None
        Which rows of the whole table are kept back, in their order; None: all are in ``train``.
    timestamps : ndarray (n,) int64 or None
        Of the whole table, if it has any and ``held`` is given.
    """

    train: RatingTable
    valid: RatingTable
    note: str
    held: npt.NDArray[np.bool_] | None = None
    timestamps: npt.NDArray[np.int64] | None = None

    @classmethod
    def of(
        cls, table: RatingTable, held: npt.NDArray[np.bool_], note: str, check: Check = unchecked
    ) -> Split:
        """Return a table's rows in two parts, those that are ``held`` for validation."""
        plain = dataclasses.replace(table, timestamps=None)
        return cls(plain.take(~held, check), plain.take(held, check), note, held, table.timestamps)

    def with_times(self) -> Split:
        """Return the same with each part's times in its table."""
        times, held = self.timestamps, self.held
        if times is None or held is None:
            return self
        return dataclasses.replace(
            self,
            train=dataclasses.replace(self.train, timestamps=times[~held]),
            valid=dataclasses.replace(self.valid, timestamps=times[held]),
        )


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


def last_of_each_user(
    table: RatingTable, count: int = 1, share: float | None = None, check: Check = unchecked
) -> Split:
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
    held = np.zeros(len(table), dtype=bool)
    for rows in groups_of_codes(table.users, table.n_users):
        check()
        users = table.users[rows]
        if len(users):
            users = users - users.min()
            counts = np.bincount(users)
            wanted = np.full(len(counts), count) if share is None else (counts * share).astype(int)
            wanted[wanted >= counts] = 0
            order = np.lexsort((table.timestamps[rows], users))  # of equals the later row is last
            from_end = np.repeat(np.cumsum(counts), counts) - 1 - np.arange(len(users))
            last = np.empty(len(users), dtype=bool)
            last[order] = from_end < np.repeat(wanted, counts)
            held[rows] = last
    what = f"the last {count}" if share is None else f"the last {share:.0%}"
    return _checked(table, held, f"{what} of each user", check)


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
    return Split.of(table, held, note, check)
