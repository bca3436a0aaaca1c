"""The sheets Users, Items, Ratings and Predictions: columns over a session's arrays.

Owns which column shows what and what editing it changes. Must not know documents or windows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gradsheet.app.ratings.embedding_edits import write_learned
from gradsheet.app.ratings.rating_edits import write_ratings
from gradsheet.formula.values import Kind, Strings, UserError
from gradsheet.ratings.table import UNKNOWN_TIME, RatingTable
from gradsheet.sheet.cells import Floats, Indices, Kinds
from gradsheet.sheet.virtual import Column, Numbers, Texts

if TYPE_CHECKING:
    from gradsheet.app.ratings.learned import Side
    from gradsheet.app.ratings.session import RatingsSession

FROM_FILE = "It comes from the file; ratings and embeddings can be edited."
COMPUTED = "It is computed; edit the ratings, or the embeddings on Users and Items."
DAY_S = 86_400.0
EPOCH_DAY = 25_569.0
"""Excel's number of 1970-01-01."""


class Parameters(Column):
    """Biases (column -1) or one factor of all users or items; edited, they change the model."""

    def __init__(self, title: str, session: RatingsSession, side: Side, column: int) -> None:
        self.title = title
        self._session, self._side, self._column = session, side, column

    def read(self, rows: Indices) -> tuple[Floats, Kinds]:
        """See Column."""
        learned = self._session.learned
        if learned is None:
            return np.zeros(len(rows)), np.zeros(len(rows), np.uint8)
        of_users = self._side == "users"
        if self._column < 0:
            source = learned.user_bias if of_users else learned.item_bias
        else:
            table = learned.user_rows if of_users else learned.item_rows
            source = table[:, self._column] if self._column < table.shape[1] else None
        if source is None:
            return np.zeros(len(rows)), np.zeros(len(rows), np.uint8)
        return source[rows].astype(np.float64), np.full(len(rows), Kind.NUMBER, np.uint8)

    def write(self, rows: Indices, values: Floats, kinds: Kinds) -> None:
        """See Column."""
        if (kinds != Kind.NUMBER).any() or not np.isfinite(values).all():
            raise UserError("An embedding is a number.", "Enter a number such as 0.5.")
        columns = [self._column] * len(rows)
        write_learned(self._session, self._side, rows.tolist(), columns, values.tolist())


class Ratings(Column):
    """The ratings themselves; edited, they change the table and the split."""

    title = "rating"

    def __init__(self, session: RatingsSession) -> None:
        self._session = session

    def read(self, rows: Indices) -> tuple[Floats, Kinds]:
        """See Column."""
        return shortest(self._session.table.ratings[rows]), np.full(
            len(rows), Kind.NUMBER, np.uint8
        )

    def write(self, rows: Indices, values: Floats, kinds: Kinds) -> None:
        """See Column."""
        if (kinds == Kind.BLANK).any():
            raise UserError("A rating cannot be removed here.", "Enter a number of stars.")
        if (kinds != Kind.NUMBER).any() or not np.isfinite(values).all():
            raise UserError("A rating is a number.", "Enter a number of stars such as 4.5.")
        write_ratings(self._session, rows, values)


def shortest(ratings: npt.NDArray[Any]) -> Floats:
    """Return single-precision ratings as the doubles that people wrote: 4.1, not 4.0999999."""
    doubles = ratings.astype(np.float64)
    tenths = np.round(doubles, 6)
    return np.where(np.abs(tenths - doubles) < 1e-6 * np.abs(doubles), tenths, doubles)


def id_column(title: str, strings: Strings, ids: npt.NDArray[Any]) -> Column:
    """Return a column of ids, numbers where they are numbers."""
    if ids.dtype.kind in "iu":
        return Numbers(title, lambda rows: ids[rows], FROM_FILE)
    return Texts(title, strings, lambda rows: [str(x) for x in ids[rows].tolist()], FROM_FILE)


def title_column(strings: Strings, table: RatingTable) -> Column:
    """Return a column of the items' titles, by item code."""
    titles = table.titles

    def texts(rows: Indices) -> list[str]:
        return [] if titles is None else [str(t) for t in titles[rows].tolist()]

    if titles is None:
        return Numbers("title", lambda rows: np.full(len(rows), np.nan), FROM_FILE)
    return Texts("title", strings, texts, FROM_FILE)


class Looked(Column):
    """A column of another table, looked up by the code in each row."""

    def __init__(self, of: Column, codes: Callable[[Indices], npt.NDArray[Any]]) -> None:
        self.title, self.why_fixed, self.holds_text = of.title, of.why_fixed, of.holds_text
        self.of, self.codes = of, codes

    def read(self, rows: Indices) -> tuple[Floats, Kinds]:
        """See Column."""
        return self.of.read(np.asarray(self.codes(rows), dtype=np.int64))

    def texts(self, rows: Indices) -> list[str]:
        """See Column; each code is looked up once."""
        codes, places = np.unique(self.codes(rows), return_inverse=True)
        found = self.of.texts(codes.astype(np.int64))
        return [found[place] for place in places.reshape(len(rows)).tolist()]

    def sort_keys(self, rows: Indices) -> Floats:
        """See Column; each code is looked up once."""
        codes, places = np.unique(self.codes(rows), return_inverse=True)
        keys: Floats = self.of.sort_keys(codes.astype(np.int64))[places.reshape(len(rows))]
        return keys


def user_columns(session: RatingsSession, strings: Strings, factors: int) -> list[Column]:
    """Return the columns of Users: user, ratings, mean, bias, factors 1 to ..."""
    return [
        id_column("user", strings, session.table.user_ids),
        Numbers("ratings", lambda rows: session.counts("users")[rows], COMPUTED),
        Numbers("mean", lambda rows: session.means("users", rows), COMPUTED),
        Parameters("bias", session, "users", -1),
        *(Parameters(f"factor {f + 1}", session, "users", f) for f in range(factors)),
    ]


def item_columns(session: RatingsSession, strings: Strings, factors: int) -> list[Column]:
    """Return the columns of Items: item, title, ratings, mean, bias, factors 1 to ..."""
    return [
        id_column("item", strings, session.table.item_ids),
        title_column(strings, session.table),
        Numbers("ratings", lambda rows: session.counts("items")[rows], COMPUTED),
        Numbers("mean", lambda rows: session.means("items", rows), COMPUTED),
        Parameters("bias", session, "items", -1),
        *(Parameters(f"factor {f + 1}", session, "items", f) for f in range(factors)),
    ]


def rating_columns(session: RatingsSession, strings: Strings) -> list[Column]:
    """Return the columns of Ratings: user, item, title, rating, time."""
    table = session.table

    def times(rows: Indices) -> npt.NDArray[Any]:
        if table.timestamps is None:
            return np.full(len(rows), np.nan)
        seconds = table.timestamps[rows]
        days = EPOCH_DAY + seconds / DAY_S
        return np.where(seconds == UNKNOWN_TIME, np.nan, days)

    return [
        Looked(id_column("user", strings, table.user_ids), lambda rows: table.users[rows]),
        Looked(id_column("item", strings, table.item_ids), lambda rows: table.items[rows]),
        Looked(title_column(strings, table), lambda rows: table.items[rows]),
        Ratings(session),
        Numbers("time", times, FROM_FILE),
    ]


def prediction_columns(session: RatingsSession, strings: Strings) -> list[Column]:
    """Return the columns of Predictions: user, item, title, rating, prediction, error."""
    table = session.table

    def judged() -> RatingTable:
        split = session.split
        if split is None:
            return table.take(np.empty(0, np.int64))
        return split.valid if len(split.valid) else split.train

    def predicted(rows: Indices) -> Floats:
        part, learned = judged(), session.learned
        if learned is None:
            return np.full(len(rows), np.nan)
        return learned.predict(part.users[rows], part.items[rows])

    def errors(rows: Indices) -> Floats:
        return predicted(rows) - shortest(judged().ratings[rows])

    return [
        Looked(id_column("user", strings, table.user_ids), lambda rows: judged().users[rows]),
        Looked(id_column("item", strings, table.item_ids), lambda rows: judged().items[rows]),
        Looked(title_column(strings, table), lambda rows: judged().items[rows]),
        Numbers("rating", lambda rows: shortest(judged().ratings[rows]), COMPUTED),
        Numbers("prediction", predicted, COMPUTED),
        Numbers("error", errors, COMPUTED),
    ]
