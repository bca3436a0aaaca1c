"""A table of ratings in compact arrays, and the small crosstabs cut out of it.

Owns RatingTable: codes, labels, counts, the busiest users and items, splits. Must not know files,
sheets or learning; numpy only, so that it imports fast.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Codes: TypeAlias = npt.NDArray[np.int32]
Labels: TypeAlias = npt.NDArray[Any]

UNKNOWN_TIME = int(np.iinfo(np.int64).min)
"""A timestamp that was missing or could not be read."""

Check: TypeAlias = Callable[[], None]
"""Called often in long work; raises when the work is to be given up."""
GROUP = 1 << 21
"""Ratings that are sorted or drawn at a time."""


def unchecked() -> None:
    """Never ask for the work to be given up."""



@dataclass(frozen=True, slots=True, eq=False)
class RatingTable:
    """Who gave which item what.

    Attributes
    ----------
    users, items : ndarray (n,) int32
        Zero-based codes, by order of first appearance in the file.
    ratings : ndarray (n,) float32
    user_ids, item_ids : ndarray (n_users,), (n_items,)
        The original id of each code: int64, or str objects.
    titles : ndarray (n_items,) of str objects, or None
        Title of each item; empty where none is known.
    timestamps : ndarray (n,) int64, or None
        Seconds since 1970, UTC; UNKNOWN_TIME where there is none.

    Raises
    ------
    ValueError
        If lengths or codes do not fit together.
    """

    users: Codes
    items: Codes
    ratings: npt.NDArray[np.float32]
    user_ids: Labels
    item_ids: Labels
    titles: Labels | None = None
    timestamps: npt.NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        """Refuse arrays that do not belong together."""
        rows = len(self.ratings)
        columns = (self.users, self.items) + (() if self.timestamps is None else (self.timestamps,))
        if any(len(column) != rows for column in columns):
            raise ValueError("users, items, ratings and timestamps differ in length")
        if self.titles is not None and len(self.titles) != len(self.item_ids):
            raise ValueError("there must be one title for each item")
        for codes, labels, what in (
            (self.users, self.user_ids, "user"),
            (self.items, self.item_ids, "item"),
        ):
            if rows and not 0 <= int(codes.min()) <= int(codes.max()) < len(labels):
                raise ValueError(f"a {what} code lies outside its ids")

    def __len__(self) -> int:
        """Return the number of ratings."""
        return len(self.ratings)

    @property
    def n_users(self) -> int:
        """Number of users."""
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        """Number of items."""
        return len(self.item_ids)

    def user_counts(self) -> npt.NDArray[np.int64]:
        """Return the number of ratings of each user (n_users,)."""
        return np.bincount(self.users, minlength=self.n_users)

    def item_counts(self) -> npt.NDArray[np.int64]:
        """Return the number of ratings of each item (n_items,)."""
        return np.bincount(self.items, minlength=self.n_items)

    def item_title(self, code: int) -> str:
        """Return the title of an item, or its id where no title is known."""
        title = "" if self.titles is None else str(self.titles[code])
        return title or str(self.item_ids[code])

    def busiest(self, n: int, m: int) -> tuple[Codes, Codes]:
        """Return the n users with most ratings and the m most rated items.

        Of equals, the one that appeared first counts as busier. Fewer come back where there are
        fewer.

        Returns
        -------
        users : ndarray (<= n,) int32, ascending
        items : ndarray (<= m,) int32, ascending
        """
        return _top(self.user_counts(), n), _top(self.item_counts(), m)

    def crosstab(
        self, users: Sequence[int] | Codes, items: Sequence[int] | Codes
    ) -> npt.NDArray[np.float64]:
        """Return the ratings of some users (down) for some items (across).

        Parameters
        ----------
        users, items : sequence of int
            Codes, each at most once.

        Returns
        -------
        ndarray (len(users), len(items)) float64
            NaN where there is no rating; of several for a pair, the last of the table.
        """
        cells, ratings = self._cells(users, items)
        out = np.full(len(users) * len(items), np.nan)
        out[cells] = ratings  # of repeated indices numpy keeps the last
        return out.reshape(len(users), len(items))

    def crosstab_counts(
        self, users: Sequence[int] | Codes, items: Sequence[int] | Codes
    ) -> npt.NDArray[np.int64]:
        """Return how many ratings each pair has (len(users), len(items)); above 1: duplicates."""
        cells, _ = self._cells(users, items)
        counts = np.bincount(cells, minlength=len(users) * len(items))
        return counts.reshape(len(users), len(items))

    def _cells(
        self, users: Sequence[int] | Codes, items: Sequence[int] | Codes
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """Return the flat cell of each rating inside the crosstab, and the ratings."""
        row_of = np.full(self.n_users, -1, dtype=np.int64)
        row_of[np.asarray(users, dtype=np.int64)] = np.arange(len(users))
        column_of = np.full(self.n_items, -1, dtype=np.int64)
        column_of[np.asarray(items, dtype=np.int64)] = np.arange(len(items))
        # Few rows survive the first cut, so that the second one is cheap.
        inside = np.flatnonzero(row_of[self.users] >= 0)
        columns = column_of[self.items[inside]]
        inside, columns = inside[columns >= 0], columns[columns >= 0]
        return row_of[self.users[inside]] * len(items) + columns, self.ratings[inside]

    def duplicate_count(self) -> int:
        """Return how many ratings are overruled by a later one for the same user and item."""
        return sum(len(rows) for rows in self._overruled(unchecked))

    def without_duplicates(self, check: Check = unchecked) -> RatingTable:
        """Return the table with only the last rating of each user-item pair, order kept."""
        overruled = [rows for rows in self._overruled(check) if len(rows)]
        if not overruled:
            return self
        kept = np.ones(len(self), dtype=bool)
        for rows in overruled:
            kept[rows] = False
        return self.take(kept, check)

    def _overruled(self, check: Check) -> Iterator[npt.NDArray[np.int64]]:
        """Give the rows that a later one overrules, for one group of users after the other."""
        for rows in groups_of_codes(self.users, self.n_users):
            check()
            users = self.users[rows]
            if not len(users):
                continue
            first = int(users.min())
            keys = users.astype(np.int64)
            keys -= first
            keys *= self.n_items
            keys += self.items[rows]
            bits = len(keys).bit_length()
            if ((int(users.max()) - first + 1) * self.n_items).bit_length() + bits > 63:
                at = np.argsort(keys, kind="stable")
                keys = keys[at]
            else:
                # Pair and place in one number: sorting those takes a fifth of an argsort.
                keys <<= bits
                keys |= np.arange(len(keys))
                keys.sort()
                at = keys & ((1 << bits) - 1)
                keys >>= bits
            found = at[:-1][keys[1:] == keys[:-1]]
            yield found + rows.start if isinstance(rows, slice) else rows[found]

    def take(self, rows: npt.NDArray[Any], check: Check = unchecked) -> RatingTable:
        """Return the table of some rows (positions or a mask); users, items and codes stay."""
        columns: dict[str, Any] = {}
        for name in ("users", "items", "ratings", "timestamps"):
            check()
            column = getattr(self, name)
            columns[name] = None if column is None else column[rows]
        return dataclasses.replace(self, **columns)

    def split(self, share: float, seed: int) -> tuple[RatingTable, RatingTable]:
        """Return (training, validation) tables, a random ``share`` of the rows for validation."""
        held = self.held_back(share, seed)
        return self.take(~held), self.take(held)

    def held_back(
        self, share: float, seed: int, check: Check = unchecked
    ) -> npt.NDArray[np.bool_]:
        """Return which rows (n,) a random ``share`` for validation is.

        Of more than two million rows each stretch of that length gives its share.
        """
        if not 0 <= share <= 1:
            raise ValueError(f"a share of {share} cannot be set aside")
        held = np.zeros(len(self), dtype=bool)
        random, done = np.random.default_rng(seed), 0
        for begin in range(0, len(self), GROUP):
            check()
            end = min(begin + GROUP, len(self))
            count = round(share * end) - done
            held[begin + random.permutation(end - begin)[:count]] = True
            done += count
        return held


def groups_of_codes(
    codes: Codes, n_codes: int, size: int = GROUP
) -> Iterator[slice | npt.NDArray[np.int64]]:
    """Give rows (ascending) in groups of about ``size``, by ascending ranges of codes.

    All rows of a code are in one group; where the codes are sorted, a group is a slice.
    """
    if len(codes) <= size:
        yield slice(0, len(codes))
        return
    if bool((codes[1:] >= codes[:-1]).all()):
        begin = 0
        while begin < len(codes):
            last = codes[min(begin + size, len(codes)) - 1]
            end = int(np.searchsorted(codes, last, side="right"))
            yield slice(begin, end)
            begin = end
        return
    ends = np.cumsum(np.bincount(codes, minlength=n_codes))
    first = 0
    while first < n_codes:
        before = int(ends[first - 1]) if first else 0
        last = max(int(np.searchsorted(ends, before + size, side="right")), first + 1)
        yield np.flatnonzero((codes >= first) & (codes < last))
        first = last


def _top(counts: npt.NDArray[np.int64], n: int) -> Codes:
    """Return the positions of the n largest counts above 0, ascending."""
    order = np.argsort(-counts, kind="stable")[: max(n, 0)]
    return np.sort(order[counts[order] > 0]).astype(np.int32)
