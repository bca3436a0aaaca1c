"""Choosing the users and items of a crosstab, and finding the ratings between them.

Owns both, in parts so that memory stays bounded. Must not know cells or models.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from gradsheet.app.ratings.crosstab_sheet import Pairs
from gradsheet.app.ratings.table_sheets import shortest
from gradsheet.app.ratings.totals import Totals
from gradsheet.lessons.lesson import Crosstab
from gradsheet.ratings.table import RatingTable
from gradsheet.tasks import Control

BUSIEST = 15
"""Users and items of the crosstab at first, as in the lesson."""
_PART = 1 << 21


def busiest_pairs(
    table: RatingTable,
    totals: Totals,
    n: int = BUSIEST,
    m: int = BUSIEST,
    control: Control | None = None,
) -> Pairs:
    """Return the n users with most ratings by the m most rated items."""
    return pairs_of(table, top(totals.user_counts, n), top(totals.item_counts, m), control)


def top(counts: npt.NDArray[np.int64], n: int) -> npt.NDArray[np.int64]:
    """Return the codes of the n largest counts above 0, ascending; of equals the first."""
    order = np.argsort(-counts, kind="stable")[: max(n, 0)]
    return np.sort(order[counts[order] > 0])


def pairs_of(
    table: RatingTable,
    users: Sequence[int] | npt.NDArray[np.int64],
    items: Sequence[int] | npt.NDArray[np.int64],
    control: Control | None = None,
) -> Pairs:
    """Return the crosstab of some users and items.

    Parameters
    ----------
    users, items : codes, each at most once
    control : Control, optional
        For cancel, once a part of the table.
    """
    u, i = np.asarray(users, np.int64), np.asarray(items, np.int64)
    row_of = np.full(table.n_users, -1, np.int32)
    row_of[u] = np.arange(len(u))
    column_of = np.full(table.n_items, -1, np.int32)
    column_of[i] = np.arange(len(i))
    rows = np.full((len(u), len(i)), -1, np.int64)
    for begin in range(0, len(table), _PART):
        if control is not None:
            control.checkpoint()
        part = slice(begin, begin + _PART)
        inside = np.flatnonzero(row_of[table.users[part]] >= 0)
        columns = column_of[table.items[part][inside]]
        inside, columns = inside[columns >= 0], columns[columns >= 0]
        rows[row_of[table.users[part][inside]], columns] = inside + begin
    ratings = np.where(rows >= 0, shortest(table.ratings[np.maximum(rows, 0)]), np.nan)
    return Pairs(
        u,
        i,
        [_id(table.user_ids[code]) for code in u],
        [_id(table.item_ids[code]) for code in i],
        [_label("user", table.user_ids[code]) for code in u],
        [_label("item", table.item_title(int(code))) for code in i],
        ratings,
        rows,
    )


def lesson_crosstab_of(pairs: Pairs, source: str) -> Crosstab:
    """Return a crosstab as the lessons take it; edited ratings as they are now."""
    return Crosstab(
        ratings=pairs.ratings.copy(),
        users=tuple(pairs.users.tolist()),
        items=tuple(pairs.items.tolist()),
        user_labels=tuple(pairs.user_labels),
        item_labels=tuple(pairs.item_labels),
        source=source,
    )


def _id(name: object) -> str | float:
    return float(name) if isinstance(name, int | np.integer) else str(name)


def _label(what: str, name: object) -> str:
    """Return a name as it is, and a bare number with the word for what it numbers."""
    text = str(name)
    return f"{what} {text}" if text.lstrip("-").isdigit() else text
