"""Ratings that change, come and go by hand: what that makes of a session's table and split.

Owns how values are written, the edit that puts another table in place, and what may not be added.
Users and items stay: a new one has no embedding yet and is typed in instead. Must not know
windows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gradsheet.app.ratings.splitting import write_through
from gradsheet.app.ratings.totals import Totals
from gradsheet.collab.splits import Split
from gradsheet.formula.values import UserError
from gradsheet.ratings.table import UNKNOWN_TIME, RatingTable
from gradsheet.sheet.change import Change, Edit
from gradsheet.sheet.table_view import ALL, Showing

if TYPE_CHECKING:
    from gradsheet.app.ratings.session import RatingsSession
    from gradsheet.app.ratings.workbook import RatingsBook
    from gradsheet.sheet.workbook import Workbook

MOST = 3_000_000
"""Ratings of a set from which on single ones are not added or removed: each copies the table."""
Rows = npt.NDArray[Any]


def write_ratings(session: RatingsSession, rows: Rows, values: Rows) -> None:
    """Change ratings of the table and of the part that has them; not undoable by itself."""
    with session.at_rest():
        session.settle()
        session.past.ratings_changed()
        new = np.asarray(values, dtype=np.float32)
        session.totals.change(session.table, rows, new)
        session.edited = np.union1d(session.edited, rows).astype(np.int64)
        session.table.ratings[rows] = new
        if session.split is not None and session.split.train is not session.table:
            write_through(session.split, rows, new)
        if session.learner is not None:
            session.learner.ratings_changed()
        session.tell("ratings")


def replace_table(
    session: RatingsSession,
    table: RatingTable,
    split: Split | None,
    follow: Callable[[], object],
) -> None:
    """Take other ratings of the same users and items; not undoable by itself.

    What is learned stays; an epoch that has begun begins anew. ``follow`` brings the sheets to
    the new rows before anybody is told of them.
    """
    with session.at_rest():
        session.settle()
        session.past.ratings_changed()
        old, session.table, session.split = session.split, table, split
        session.origin, session.edited = None, np.empty(0, np.int64)  # no file has these rows
        session.totals = Totals.of(table)
        marks = [kept.mark for kept in session.kept]
        learners = {id(one): one for one in (session.learner, *(m.learner for m in marks))}
        for learner in learners.values():
            if learner is not None and split is not None:
                learner.take_split(split)
        for mark in marks:
            if mark.split is old:
                mark.split = split
        if session.learner is not None:
            session.snapshot = session.learner.snapshot()
            session.learned = session.copy_of(session.learner)
        follow()
        session.tell("ratings", "snapshot", "learned", "state")


class Order(NamedTuple):
    """Which rows of the table are shown, as in `VirtualStore`."""

    rows: Rows | None = None
    showing: Showing = ALL


@dataclass(frozen=True, slots=True, eq=False)
class OtherRatings(Edit):
    """Put a table, with its split, in the place of the one there is.

    Parameters
    ----------
    book : RatingsBook
    table : RatingTable
        With the same users and items.
    split : Split or None
        Of the table.
    order : Order
        How the sheet Ratings shows it.
    name : str
    """

    book: RatingsBook
    table: RatingTable
    split: Split | None
    order: Order
    name: str

    @property
    def label(self) -> str:
        """The name given."""
        return self.name

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        book, session = self.book, self.book.session
        store = book.ratings_store
        inverse = OtherRatings(
            book, session.table, session.split, Order(store.order, store.showing), self.name
        )
        changes: list[Change] = []

        def follow() -> None:
            changes.append(book.take_table(self.order.rows, self.order.showing))

        replace_table(session, self.table, self.split, follow)
        return inverse, changes[0]


def added(book: RatingsBook, user: int, item: int, rating: float) -> OtherRatings:
    """Return the edit that adds a rating, at the end of the table and to learn from.

    Raises
    ------
    UserError
        If the user has rated the item, or the set cannot take single ratings.
    """
    session = book.session
    table = session.table
    _check(book)
    if not np.isfinite(rating):
        raise UserError("A rating is a number.", "Enter a number of stars such as 4.5.")
    if ((table.users == user) & (table.items == item)).any():
        raise UserError(
            "This user has rated this item.", "Change that rating on the sheet Ratings."
        )
    times = table.timestamps
    longer = dataclasses.replace(
        table,
        users=np.append(table.users, np.int32(user)),
        items=np.append(table.items, np.int32(item)),
        ratings=np.append(table.ratings, np.float32(rating)),
        timestamps=None if times is None else np.append(times, UNKNOWN_TIME),
    )
    store = book.ratings_store
    rows = None if store.order is None else np.append(store.order, len(table))
    split = _split(session.split, longer, lambda held: np.append(held, False))
    return OtherRatings(book, longer, split, Order(rows, store.showing), "Add a rating")


def removed(book: RatingsBook, rows: Sequence[int] | Rows) -> OtherRatings:
    """Return the edit that removes ratings, by their rows of the table.

    Raises
    ------
    UserError
        If nothing would be left to learn from, or the set cannot lose single ratings.
    """
    session, store = book.session, book.ratings_store
    table = session.table
    _check(book)
    kept = np.ones(len(table), bool)
    kept[np.asarray(rows, np.int64)] = False
    gone = int(len(kept) - np.count_nonzero(kept))
    if not kept.any():
        raise UserError("No rating would be left.", "Leave some to learn from.")
    order = None
    if store.order is not None:
        places = np.cumsum(kept) - 1
        order = places[store.order[kept[store.order]]]
    shorter = table.take(kept)
    split = _split(session.split, shorter, lambda held: held[kept])
    name = "Remove a rating" if gone == 1 else f"Remove {gone:,} ratings"
    return OtherRatings(book, shorter, split, Order(order, store.showing), name)


def _check(book: RatingsBook) -> None:
    session = book.session
    if len(session.table) > MOST:
        raise UserError(
            f"Single ratings are not added to or removed from a set of {len(session.table):,}.",
            f"That is done up to {MOST:,}; values can be changed in any set.",
        )
    if session.split is None:
        raise UserError("The model is still being made.", "Wait a moment, then edit again.")


def _split(split: Split | None, table: RatingTable, held_of: Any) -> Split | None:
    """Return the split of a changed table: each rating stays on its side."""
    if split is None:
        return None
    if split.held is None:  # the validation part is a file's own
        return Split(table, split.valid, split.note, None)
    held = held_of(split.held)
    if held.all():
        raise UserError("No rating would be left to learn from.", "Remove fewer.")
    return Split.of(table, held, split.note)
