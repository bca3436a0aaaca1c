"""Finds titles and genres of items in the file of movies that lies beside a file of ratings.

Owns the three layouts that MovieLens uses. Must not know how ratings are read; a file that does
not fit is left alone.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gradsheet.formula.values import UserError
from gradsheet.ratings.source import Source, readable, title_files
from gradsheet.ratings.table import Labels

_FLAGS_FROM = 5
"""Columns of u.item before its 19 flags: id, title, two dates, address."""
_FLAGS = (
    "unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary",
    "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi",
    "Thriller", "War", "Western",
)  # fmt: skip
"""The genres in the order of their flags, as the file u.genre of MovieLens 100K has them."""


class Film(NamedTuple):
    """A row of a file of movies; ``genres`` as MovieLens writes them, "Adventure|Comedy"."""

    title: str
    genres: str


class Beside(NamedTuple):
    """What a file of movies says.

    Attributes
    ----------
    titles : ndarray (n_items,) of str objects, or None
        Empty where none is known.
    genres : tuple of str (n_items,), or None
        "Adventure|Comedy"; empty where none is known, None where the file has none at all.
    notes : tuple of str
        For the user.
    """

    titles: Labels | None
    genres: tuple[str, ...] | None
    notes: tuple[str, ...]


def titles_beside(source: Source, item_ids: Labels) -> Beside:
    """Return titles and genres of the items.

    They are taken from the first of movies.csv, u.item and movies.dat that knows at least half
    of the items.
    """
    notes: list[str] = []
    for name, data in title_files(source):
        known = _films(name, data)
        films = [known.get(str(item), Film("", "")) for item in item_ids.tolist()]
        found = sum(bool(film.title) for film in films)
        if 2 * found >= len(films):
            genres = tuple(film.genres for film in films)
            has_genres = any(genres)
            what = "Titles and genres" if has_genres else "Titles"
            note = f"{what} of {found:,} of {len(films):,} items from {name}."
            titles = _objects([film.title for film in films])
            return Beside(titles, genres if has_genres else None, (*notes, note))
        notes.append(f"{name} does not belong to these items: it knows {found:,} of them.")
    return Beside(None, None, tuple(notes))


def titles_in(path: Path, item_ids: Labels) -> Beside:
    """Return titles and genres of the items from a file that the user chose.

    Which of the three layouts it has is told by its first line.

    Raises
    ------
    UserError
        If it cannot be read, or knows none of the items.
    """
    with readable(path):
        data = path.read_bytes()
    line = data[:4096].split(b"\n")[0]
    is_flagged = line.count(b"|") > 3 and b"," not in line.split(b"|")[0]
    name = "movies.dat" if b"::" in line else "u.item" if is_flagged else "movies.csv"
    known = _films(name, data)
    films = [known.get(str(item), Film("", "")) for item in item_ids.tolist()]
    found = sum(bool(film.title) for film in films)
    if not found:
        raise UserError(
            f"{path.name} has no title of these items.",
            "Choose a file whose first column holds the items' ids and whose second their titles.",
        )
    genres = tuple(film.genres for film in films)
    note = f"Titles of {found:,} of {len(films):,} items from {path.name}."
    return Beside(
        _objects([film.title for film in films]), genres if any(genres) else None, (note,)
    )


def _films(name: str, data: bytes) -> dict[str, Film]:
    """Return title and genres by id as text."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace") if name != "u.item" else data.decode("latin-1")
    if name == "movies.csv":
        rows = csv.reader(io.StringIO(text, newline=""))
    else:
        separator = "|" if name == "u.item" else "::"
        rows = (line.split(separator) for line in text.splitlines())  # type: ignore[assignment]
    genres = _flagged if name == "u.item" else _written
    return {row[0].strip(): Film(row[1].strip(), genres(row)) for row in rows if len(row) > 1}


def _written(row: list[str]) -> str:
    return row[2].strip() if len(row) > 2 else ""


def _flagged(row: list[str]) -> str:
    """Return the genres of a line of u.item, whose last 19 columns are 0 or 1."""
    flags = row[_FLAGS_FROM:]
    if len(flags) != len(_FLAGS):
        return ""
    return "|".join(
        name for name, flag in zip(_FLAGS[1:], flags[1:], strict=True) if flag.strip() == "1"
    )


def _objects(texts: list[str]) -> Labels:
    out: np.ndarray[Any, np.dtype[Any]] = np.empty(len(texts), dtype=object)
    out[:] = texts
    return out
