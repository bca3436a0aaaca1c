"""Finds the titles of items in the file of movies that lies beside a file of ratings.

Owns the three layouts that MovieLens uses. Must not know how ratings are read; a file that does
not fit is left alone.
"""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np

from gradsheet.ratings.source import Source, title_files
from gradsheet.ratings.table import Labels


def titles_beside(source: Source, item_ids: Labels) -> tuple[Labels | None, tuple[str, ...]]:
    """Return a title for each item, empty where none is known, and a note for the user.

    Titles are taken from the first of movies.csv, u.item and movies.dat that knows at least half
    of the items; else None.
    """
    notes: list[str] = []
    for name, data in title_files(source):
        known = _titles(name, data)
        titles = [known.get(str(item), "") for item in item_ids.tolist()]
        found = sum(map(bool, titles))
        if 2 * found >= len(titles):
            note = f"Titles of {found:,} of {len(titles):,} items from {name}."
            return _objects(titles), (*notes, note)
        notes.append(f"{name} does not belong to these items: it knows {found:,} of them.")
    return None, tuple(notes)


def _titles(name: str, data: bytes) -> dict[str, str]:
    """Return title by id as text."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace") if name != "u.item" else data.decode("latin-1")
    if name == "movies.csv":
        rows = csv.reader(io.StringIO(text, newline=""))
    else:
        separator = "|" if name == "u.item" else "::"
        rows = (line.split(separator) for line in text.splitlines())  # type: ignore[assignment]
    return {row[0].strip(): row[1].strip() for row in rows if len(row) > 1}


def _objects(texts: list[str]) -> Labels:
    out: np.ndarray[Any, np.dtype[Any]] = np.empty(len(texts), dtype=object)
    out[:] = texts
    return out
