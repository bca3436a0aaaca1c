"""Guesses which column holds users, items, ratings and times, and says why.

Owns the names and the shapes by which columns are told apart. Must not know files or encodings:
it sees rows of text. Standard library only.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

_NAMES = {
    "user": (
        {"userid", "user", "uid", "users", "reviewerid", "customerid", "customer", "username",
         "reviewer", "person", "member", "memberid", "accountid", "viewer", "nutzer"},
        ("user", "reviewer", "customer", "member"),
    ),
    "item": (
        {"movieid", "itemid", "productid", "asin", "bookid", "isbn", "filmid", "movie", "item",
         "product", "book", "film", "iid", "songid", "trackid", "artistid", "gameid", "animeid",
         "businessid", "recipeid", "title"},
        ("movie", "item", "product", "book", "film", "isbn", "song", "track", "title"),
    ),
    "rating": (
        {"rating", "ratings", "score", "stars", "overall", "grade", "points", "bewertung",
         "bookrating", "note"},
        ("rating", "score", "stars"),
    ),
    "timestamp": (
        {"timestamp", "time", "date", "datetime", "unixreviewtime", "ts", "datum", "ratedat",
         "createdat", "reviewtime", "zeit"},
        ("time", "date"),
    ),
}  # fmt: skip

_DATE = re.compile(r"\s*(\d{1,4})([-/.])(\d{1,2})\2(\d{1,4})(?!\d).*")
_WHOLE = re.compile(r"\s*(0|-?[1-9]\d{0,17})(\.0*)?\s*")
BLANK_WORDS = ("", "na", "n/a", "nan", "null", "-", "?")
"""What stands in a crosstab where nothing is rated, in lower case."""

_SECONDS = 1e8  # a time after 1973 in seconds; in milliseconds it is above 1e11
_MILLISECONDS = 1e11


@dataclass(frozen=True, slots=True)
class Columns:
    """The guess; fields as in ReadOptions, and a sentence for each in ``notes``."""

    user: int | None = None
    item: int | None = None
    rating: int | None = None
    timestamp: int | None = None
    time_kind: Literal["seconds", "milliseconds", "date"] = "seconds"
    day_first: bool = False
    text_users: bool = False
    text_items: bool = False
    crosstab: bool = False
    notes: tuple[str, ...] = field(default=())


def is_number(text: str, decimal: str = ".") -> bool:
    """Return whether a cell is a finite decimal number (no thousands separators)."""
    number = r"\s*[-+]?(\d+{0}?\d*|{0}\d+)([eE][-+]?\d+)?\s*".format(re.escape(decimal))
    return re.fullmatch(number, text) is not None


def looks_like_header(rows: Sequence[Sequence[str]], decimal: str) -> tuple[bool, str]:
    """Return whether the first row holds names, and the reason."""
    first, body = rows[0], rows[1:200]
    known = [cell for cell in first if _role_of(cell, exact=True)]
    if len(known) >= 2:
        return True, f"Header: the first row has the names {' and '.join(known[:2])}."
    for i, cell in enumerate(first):
        below = [row[i] for row in body if i < len(row) and row[i].strip()]
        numbers = sum(is_number(text, decimal) for text in below)
        if below and numbers >= 0.8 * len(below) and cell.strip() and not is_number(cell, decimal):
            return True, f"Header: “{cell.strip()[:40]}” stands above numbers."
    # Item ids across the top of a crosstab are numbers themselves; its corner is empty or a word.
    corner, rest = (first[0].strip() if first else ""), first[1:]
    blank = sum(not cell.strip() for row in body for cell in row)
    if len(first) > 4 and blank and not is_number(corner, decimal) and all(c.strip() for c in rest):
        return True, "Header: the first row is full where the rows below have gaps."
    return False, "No header: the first row looks like the others."


def guess_columns(names: Sequence[str], rows: Sequence[Sequence[str]], decimal: str) -> Columns:
    """Guess the roles of columns.

    Parameters
    ----------
    names : sequence of str
        The header; empty if there is none.
    rows : sequence of rows of text
        Data only.
    decimal : "." or ","
    """
    width = max([len(names), *(len(row) for row in rows)])
    cells = [[row[i].strip() for row in rows if i < len(row)] for i in range(width)]
    # Broken rows say nothing about the ids.
    usual = Counter(len(row) for row in rows).most_common(1)[0][0] if rows else 0
    sound = [row for row in rows if len(row) == usual]
    roles, notes = _by_name(names)
    if "rating" not in roles and _is_crosstab(names, cells, decimal):
        note = f"Crosstab: users down, {width - 1} items across, blanks between the ratings."
        return Columns(user=0, text_users=_is_text(rows, 0), crosstab=True, notes=(note,))
    times = [i for i in range(width) if _time_kind(cells[i])]
    _by_content(roles, notes, cells, times, decimal)
    for role in ("user", "item", "rating"):
        if role not in roles:
            notes.append(f"No column looks like the {role}: choose one.")
    column = roles.get("timestamp")
    user, item = roles.get("user"), roles.get("item")
    return Columns(
        user=user,
        item=item,
        rating=roles.get("rating"),
        timestamp=column,
        time_kind=(_time_kind(cells[column]) if column is not None else None) or "seconds",
        day_first=column is not None and _day_first(cells[column]),
        text_users=user is not None and _is_text(sound, user),
        text_items=item is not None and _is_text(sound, item),
        notes=tuple(notes),
    )


def _role_of(name: str, exact: bool) -> str | None:
    plain = re.sub(r"[^a-z]", "", name.lower())
    for role, (known, parts) in _NAMES.items():
        if plain in known or (not exact and any(part in plain for part in parts)):
            return role
    return None


def _by_name(names: Sequence[str]) -> tuple[dict[str, int], list[str]]:
    roles: dict[str, int] = {}
    for exact in (True, False):
        for i, name in enumerate(names):
            role = _role_of(name, exact)
            if role and role not in roles and i not in roles.values():
                roles[role] = i
            elif role == "item" and "id" in name.lower() and exact:
                # An id is a better key than a title that stands before it.
                current = names[roles["item"]].lower() if "item" in roles else ""
                if current in ("title", "movie", "item", "book", "film", "product"):
                    roles["item"] = i
    return roles, [
        f"{role.capitalize()}: column {i + 1}, named “{names[i].strip()}”."
        for role, i in sorted(roles.items(), key=lambda entry: entry[1])
    ]


def _by_content(
    roles: dict[str, int],
    notes: list[str],
    cells: list[list[str]],
    times: list[int],
    decimal: str,
) -> None:
    """Fill in the roles that no name gave."""
    taken = set(roles.values())
    free = [i for i in range(len(cells)) if i not in taken]
    if "timestamp" not in roles:
        column = next((i for i in free if i in times), None)
        if column is not None:
            roles["timestamp"] = column
            free.remove(column)
            notes.append(f"Timestamp: column {column + 1}, its cells look like times.")
    if "rating" not in roles:
        found = [i for i in free if i not in times and _could_be_rating(cells[i], decimal)]
        found.sort(key=lambda i: (i != 2, -i))  # user, item, rating is the usual order
        if found and (len(free) > 2 or "user" in roles or "item" in roles):
            roles["rating"] = found[0]
            free.remove(found[0])
            notes.append(f"Rating: column {found[0] + 1}, small numbers with few values.")
    for role in ("user", "item"):
        if role not in roles and free:
            roles[role] = free.pop(0)
            notes.append(f"{role.capitalize()}: column {roles[role] + 1}, by its place.")


def _could_be_rating(cells: list[str], decimal: str) -> bool:
    numbers = [float(c.replace(decimal, ".")) for c in cells if is_number(c, decimal)]
    filled = sum(bool(c) for c in cells)
    return (
        len(numbers) > 0.5 * filled
        and bool(numbers)
        and max(map(abs, numbers)) <= 100
        and len(set(numbers)) <= 101
    )


def _time_kind(cells: list[str]) -> Literal["seconds", "milliseconds", "date"] | None:
    filled = [c for c in cells if c]
    if not filled:
        return None
    if sum(_DATE.fullmatch(c) is not None for c in filled) > 0.5 * len(filled):
        return "date"
    numbers = sorted(float(c) for c in filled if is_number(c))
    if len(numbers) <= 0.5 * len(filled) or numbers[len(numbers) // 2] < _SECONDS:
        return None
    return "milliseconds" if numbers[len(numbers) // 2] > _MILLISECONDS else "seconds"


def _day_first(cells: list[str]) -> bool:
    matches = [m for c in cells if (m := _DATE.fullmatch(c))]
    if any(len(m[1]) > 2 for m in matches):
        return False
    if any(int(m[3]) > 12 for m in matches):
        return False
    return any(int(m[1]) > 12 for m in matches) or any(m[2] == "." for m in matches)


def _is_text(rows: Sequence[Sequence[str]], column: int) -> bool:
    """Return whether ids must stay text: some is no whole number, or has leading zeros."""
    cells = (row[column].strip() for row in rows if column < len(row))
    return not all(_WHOLE.fullmatch(c) for c in cells if c)


def _is_crosstab(names: Sequence[str], cells: list[list[str]], decimal: str) -> bool:
    if len(names) < 4 or len(cells) < 4 or len(cells) > len(names) + 1:
        return False
    body = [c for column in cells[1:] for c in column]
    filled = [c for c in body if c.lower() not in BLANK_WORDS]
    small = sum(
        is_number(c, decimal) and abs(float(c.replace(decimal, "."))) <= 100 for c in filled
    )
    gaps = len(filled) < len(body)
    return bool(filled) and small >= 0.8 * len(filled) and (gaps or len(cells) > 6)
