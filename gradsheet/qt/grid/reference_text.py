"""References inside a formula that is being typed: found, accepted, spelled and made absolute.

Owns the text side of pointing at cells: where a reference may stand, which cells each one
names, how F4 changes it. Knows no widget and changes no document.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from gradsheet.formula.address import Cell, Region, column_name
from gradsheet.formula.syntax import (
    Columns,
    Range,
    Ref,
    Rows,
    Token,
    parse,
    quote_sheet,
    region_of,
    tokens,
)
from gradsheet.formula.values import FormulaError

_REFERENCES = ("cell", "range", "columns", "rows")
_ENDS = frozenset(")}%#")
"""Operators after which no reference can begin."""
_PART = re.compile(r"(\$?)([A-Za-z]{1,3})(\$?)([0-9]{1,7})")
_COLUMN = re.compile(r"(\$?)([A-Za-z]{1,3})")
_ROW = re.compile(r"(\$?)([0-9]{1,7})")
_CYCLE = (("", ""), ("$", "$"), ("", "$"), ("$", ""))
"""What F4 puts before the column and before the row, in turn."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A reference in a text: where it stands, and the cells it names.

    Attributes
    ----------
    start, end : offsets into the text
    sheet : id of the sheet
    place : the same for references to the same cells, counted from 0 in order of appearance
    """

    start: int
    end: int
    sheet: int
    region: Region
    place: int


def spots(
    text: str, host: Cell, home: int, sheet_named: Callable[[str], int | None]
) -> list[Spot]:
    """Every reference of a formula text, half-typed as it may be.

    Parameters
    ----------
    host : the cell that is edited
    home : id of its sheet
    sheet_named : the id of the sheet of a name, None if there is none
    """
    if not is_formula(text):
        return []
    found: list[Spot] = []
    places: dict[tuple[int, Region], int] = {}
    for token in tokens(text):
        named = _named(token, host) if token.kind in _REFERENCES else None
        if named is None:
            continue
        name, region = named
        sheet = home if name is None else sheet_named(name)
        if sheet is not None:
            place = places.setdefault((sheet, region), len(places))
            found.append(Spot(token.start, token.end, sheet, region, place))
    return found


def _named(token: Token, host: Cell) -> tuple[str | None, Region] | None:
    try:
        node = parse(token.text, host)
    except FormulaError:
        return None
    if not isinstance(node, (Ref, Range, Columns, Rows)):
        return None
    sheet = node.first.sheet if isinstance(node, Range) else node.sheet
    region = region_of(node, host)
    return None if region is None else (sheet, region)


def is_formula(text: str) -> bool:
    """Whether a text that is being typed is, or begins, a formula."""
    return text.startswith("=")


def takes_reference(text: str, caret: int) -> bool:
    """Whether a reference can be put in at the caret: after an operator, a bracket or a comma."""
    if not is_formula(text) or caret < 1:
        return False
    after = text[caret : caret + 1]
    if after and (after.isalnum() or after in "$_.\"'#"):
        return False
    before = [token for token in tokens(text[:caret]) if token.kind != "space"]
    if not before:
        return True
    last = before[-1]
    if last.kind == "sheet":
        return False
    return last.kind == "op" and last.text not in _ENDS


def reference_at(text: str, caret: int) -> Token | None:
    """The reference that the caret stands in or beside."""
    if not is_formula(text):
        return None
    for token in tokens(text):
        if token.kind in _REFERENCES and token.start <= caret <= token.end:
            return token
    return None


def with_dollars_cycled(text: str, caret: int) -> tuple[str, int, int] | None:
    """The text after F4 at the caret, and where the reference begins and ends now.

    In turn: $A$1, A$1, $A1, A1. A range changes as a whole, by its first corner.
    """
    token = reference_at(text, caret)
    if token is None:
        return None
    prefix, sign, body = token.text.rpartition("!")
    if token.kind in ("cell", "range"):
        first = _PART.match(body)
        if first is None:
            return None
        now = _CYCLE.index((first[1], first[3]))
        col, row = _CYCLE[(now + 1) % 4]
        body = _PART.sub(lambda m: f"{col}{m[2]}{row}{m[4]}", body)
    else:
        pattern = _COLUMN if token.kind == "columns" else _ROW
        dollar = "" if body.startswith("$") else "$"
        body = pattern.sub(lambda m: f"{dollar}{m[2]}", body)
    new = prefix + sign + body
    changed = text[: token.start] + new + text[token.end :]
    return changed, token.start, token.start + len(new)


def reference_text(region: Region, whole: Region, sheet: str | None = None) -> str:
    """How a formula names a region that was pointed at: `A1`, `B2:C5`, `C:C`, `2:2`.

    Parameters
    ----------
    whole : all cells of the sheet; a region that spans it is named by its columns or rows
    sheet : name of the sheet, None for the formula's own
    """
    if region.rows >= whole.rows:
        text = f"{column_name(region.left)}:{column_name(region.right - 1)}"
    elif region.cols >= whole.cols:
        text = f"{region.top + 1}:{region.bottom}"
    else:
        text = str(region)
    return text if sheet is None else f"{quote_sheet(sheet)}!{text}"
