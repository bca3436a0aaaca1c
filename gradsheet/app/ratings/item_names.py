"""Items by their names: search, years and genres.

Owns the reading of titles and their search. Must not know what was learned; numpy only.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Generator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from gradsheet.ratings.table import RatingTable
    from gradsheet.tasks import Control

_YEAR = re.compile(r"\((\d{4})(?:[-–]\d{0,4})?\)\s*$")
_NO_GENRE = "(no genres listed)"


@lru_cache(maxsize=200_000)
def folded(text: str) -> str:
    """Return text as it is compared: small letters, no accents, only letters and digits."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    kept = (c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    return "".join(kept)


def year_of(title: str) -> int:
    """Return the year at the end of a title, "Alien (1979)"; 0 where there is none."""
    found = _YEAR.search(title)
    return int(found.group(1)) if found else 0


class ItemNames:
    """The names of items (or of users), the most rated first where there is a choice.

    Parameters
    ----------
    titles : sequence of str
    counts : ndarray (n,) int
        Ratings of each.
    genres : sequence of str, optional
        As MovieLens writes them, "Adventure|Comedy".

    Attributes
    ----------
    titles : tuple of str
    order : ndarray (n,) int64
        Codes, the most rated first.
    years : ndarray (n,) int64
        0 where unknown.
    genre_names : tuple of str
        Alphabetically; empty where none are known.
    """

    def __init__(
        self,
        titles: Sequence[str],
        counts: npt.NDArray[Any],
        genres: Sequence[str] | None = None,
    ) -> None:
        self.titles = tuple(titles)
        self.counts = counts
        self.order = np.argsort(-counts, kind="stable")
        self.years = np.array([year_of(title) for title in self.titles], dtype=np.int64)
        self._genres = tuple(_split(text) for text in genres or ())
        self.genre_names = tuple(sorted(set().union(*self._genres))) if self._genres else ()
        self._folded: list[str] | None = None

    def __len__(self) -> int:
        """Return the number of names."""
        return len(self.titles)

    def genres_of(self, code: int) -> tuple[str, ...]:
        """Return the genres of an item."""
        return self._genres[code] if self._genres else ()

    def has_genre(self, name: str) -> npt.NDArray[np.bool_]:
        """Return which items have a genre (n,)."""
        if not self._genres:
            return np.zeros(len(self.titles), dtype=bool)
        return np.array([name in own for own in self._genres], dtype=bool)

    def search(self, text: str, most: int | None = None) -> list[int]:
        """Return the codes whose title has every word of the text, the most rated first.

        Words may be parts of words; case, accents and punctuation do not count. A title that is
        the text comes before all others, then those that begin with it.
        """
        wanted = folded(text).split()
        if not wanted:
            return []
        names = self._names()
        found = []
        for code in self.order.tolist():
            name = names[code]
            if all(word in name for word in wanted):
                found.append(code)
                if most is not None and len(found) >= 8 * most:
                    break
        start = " ".join(wanted)
        found.sort(key=lambda code: _rank(names[code], start))
        return found if most is None else found[:most]

    def _names(self) -> list[str]:
        if self._folded is None:
            self._folded = [" ".join(folded(title).split()) for title in self.titles]
        return self._folded


class Names(NamedTuple):
    """What both sides of a table are called."""

    users: ItemNames
    items: ItemNames


def find_names(table: RatingTable, control: Control) -> Generator[None, None, Names]:
    """Read the names of a table; work for a task."""
    yield
    titles = [table.item_title(code) for code in range(table.n_items)]
    control.checkpoint()
    ids = [str(user) for user in table.user_ids.tolist()]
    control.checkpoint()
    return Names(ItemNames(ids, table.user_counts()), ItemNames(titles, table.item_counts()))


def _rank(name: str, start: str) -> int:
    if name == start:
        return 0
    return 1 if name.startswith(start) else 2


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split("|") if part.strip() not in ("", _NO_GENRE))
