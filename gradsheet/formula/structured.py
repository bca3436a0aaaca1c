"""Structured references: what stands in the square brackets after a table's name.

Owns their grammar and escapes. Knows no table: columns are looked up at evaluation.
"""

from __future__ import annotations

import re

from gradsheet.formula.nodes import TableRef
from gradsheet.formula.values import FormulaError

_ITEMS = {
    item.casefold(): item for item in ("#All", "#Data", "#Headers", "#Totals", "#This Row")
}
_PART = re.compile(r"\s*\[((?:'.|[^\[\]'])*)\]\s*", re.DOTALL)
_UNESCAPE = re.compile(r"'(.)", re.DOTALL)


def read_structure(table: str, brackets: str, column: int) -> TableRef:
    """Read `[...]` after a table's name.

    Parameters
    ----------
    table : the name, "" inside the table itself
    brackets : with the outer brackets
    column : one-based column of the opening bracket, for errors

    Raises
    ------
    FormulaError
        If the brackets hold no structured reference.
    """
    inside = brackets[1:-1]
    stripped = inside.strip()
    if not stripped:
        return TableRef(table, (), None, None)
    if stripped.startswith("@"):
        rest = stripped[1:]
        if not rest.strip():
            return TableRef(table, ("#This Row",), None, None)
        if not rest.lstrip().startswith("["):
            return TableRef(table, ("#This Row",), _unescape(rest), None)
        items, columns = _read_parts(rest, brackets, column)
        if items:
            raise _fault(brackets, column)
        return TableRef(table, ("#This Row",), *columns)
    if stripped.startswith("["):
        items, columns = _read_parts(stripped, brackets, column)
        return TableRef(table, tuple(items), *columns)
    if stripped.startswith("#"):
        return TableRef(table, (_item(stripped, brackets, column),), None, None)
    if "[" in _UNESCAPE.sub("", inside):
        raise _fault(brackets, column)
    return TableRef(table, (), _unescape(inside), None)


def _read_parts(
    text: str, brackets: str, column: int
) -> tuple[list[str], tuple[str | None, str | None]]:
    """Items and columns of `[#Headers],[a]:[b]`."""
    items: list[str] = []
    first: str | None = None
    last: str | None = None
    at = 0
    while True:
        match = _PART.match(text, at)
        if match is None or first is not None:
            raise _fault(brackets, column)
        at = match.end()
        if match[1].startswith("#"):
            items.append(_item(match[1], brackets, column))
        else:
            first = _unescape(match[1])
            if text.startswith(":", at):
                end = _PART.match(text, at + 1)
                if end is None:
                    raise _fault(brackets, column)
                last, at = _unescape(end[1]), end.end()
        if at == len(text):
            return items, (first, last)
        if text[at] != ",":
            raise _fault(brackets, column)
        at += 1


def _item(text: str, brackets: str, column: int) -> str:
    known = _ITEMS.get(" ".join(text.split()).casefold())
    if known is None:
        raise FormulaError(
            f"{text} is no part of a table.",
            column,
            len(brackets),
            "The parts are #All, #Data, #Headers, #Totals and #This Row.",
        )
    return known


def _unescape(text: str) -> str:
    return _UNESCAPE.sub(r"\1", text)


def _fault(brackets: str, column: int) -> FormulaError:
    return FormulaError(
        f"{brackets} in column {column} is no structured reference.",
        column,
        len(brackets),
        "Write Table[column], Table[@column] or Table[[#Headers],[first]:[last]].",
    )
