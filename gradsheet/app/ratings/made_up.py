"""A rating set made up from planted tastes that have names, as a workbook.

Owns the names: what an item's title and genres say of the factors it was made from. Must not know
windows; the random model is `ratings.synthetic`'s.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gradsheet.app.ratings.pairs import busiest_pairs
from gradsheet.app.ratings.session import RatingsSession
from gradsheet.app.ratings.totals import Totals
from gradsheet.app.ratings.workbook import RatingsBook
from gradsheet.ratings.synthetic import Planted, making_ratings
from gradsheet.ratings.table import RatingTable
from gradsheet.tasks import Control, Progress

TASTES = (
    "romance", "action", "wit", "horror", "spectacle", "history", "music", "crime", "family",
    "science",
)  # fmt: skip
"""Names of the planted factors, where none are given."""
SOURCE = "made ratings"
_STRONG = 0.8
"""An item has a taste as genre from so many standard deviations on."""
_PART = 1 << 14


@dataclasses.dataclass(frozen=True, slots=True)
class Recipe:
    """What ratings are made from.

    Attributes
    ----------
    users, items, ratings, factors : int
    noise : float
        Standard deviation, in stars.
    seed : int
    names : tuple of str
        Of the factors; those that are missing get names of `TASTES`.
    """

    users: int
    items: int
    ratings: int
    factors: int = 5
    noise: float = 0.5
    seed: int = 0
    names: tuple[str, ...] = ()

    def taste_names(self) -> tuple[str, ...]:
        """Return a name for each factor, each once."""
        spare = [name for name in TASTES if name not in self.names]
        spare += [f"taste {k + 1}" for k in range(self.factors)]
        return (*self.names, *spare)[: self.factors]


def names_in(text: str) -> tuple[str, ...]:
    """Return the names in a text that separates them by commas, each once."""
    parts = (" ".join(part.replace("|", " ").split()) for part in text.split(","))
    return tuple(dict.fromkeys(part for part in parts if part))


def make(recipe: Recipe, control: Control) -> Generator[Progress, None, RatingsBook]:
    """Make ratings and their workbook; work for a task."""
    yield Progress(0.0, f"Making {recipe.ratings:,} ratings")
    table, planted = yield from making_ratings(
        recipe.users,
        recipe.items,
        recipe.ratings,
        control,
        factors=recipe.factors,
        noise=recipe.noise,
        seed=recipe.seed,
    )
    control.checkpoint()
    yield Progress(None, "Naming the items")
    titles, genres = named_items(table, planted, recipe.taste_names(), control)
    table = dataclasses.replace(table, titles=titles)
    yield Progress(None, "Laying out the sheets")
    control.checkpoint()
    totals = Totals.of(table, control.checkpoint)
    session = RatingsSession(table, SOURCE, genres, totals=totals)
    return RatingsBook(session, busiest_pairs(table, session.totals, control=control))


def named_items(
    table: RatingTable, planted: Planted, names: Sequence[str], control: Control | None = None
) -> tuple[npt.NDArray[Any], tuple[str, ...] | None]:
    """Return titles (n_items,) that name the two strongest tastes, and genres; None without any.

    A title reads "Item 17 (+wit, −horror)": much of the first, the opposite of the second. Its
    genres are the tastes that it has much of.
    """
    titles = np.empty(table.n_items, dtype=object)
    genres: list[str] = []
    factors, ids = planted.item_factors, table.item_ids
    if not names:
        titles[:] = [f"Item {x}" for x in ids.tolist()]
        return titles, None
    least = _STRONG * float(factors.std())
    for begin in range(0, table.n_items, _PART):
        if control is not None:
            control.checkpoint()
        part = factors[begin : begin + _PART]
        strongest = np.argsort(-np.abs(part), axis=1, kind="stable")[:, :2]
        signs = np.take_along_axis(part, strongest, axis=1) > 0
        for i, (which, ups) in enumerate(zip(strongest.tolist(), signs.tolist(), strict=True)):
            said = (f"{'+' if up else '−'}{names[k]}" for k, up in zip(which, ups, strict=True))
            titles[begin + i] = f"Item {ids[begin + i]} ({', '.join(said)})"
        genres += ["|".join(names[k] for k in np.flatnonzero(row).tolist()) for row in part > least]
    return titles, tuple(genres)
