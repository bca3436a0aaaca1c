"""Frozen records as JSON and back, by a list of the types that may occur.

Owns the spelling of records in a session file. Only types on the list are ever made, so a file
cannot name code to run. Knows no file.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import UserError
from gradsheet.learn.problem import Parameter, Problem
from gradsheet.sheet.colour_scale import ColourScale
from gradsheet.sheet.formats import Format
from gradsheet.sheet.names import Table
from gradsheet.sheet.roles import Role, RoleRegion

_RECORDS: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (ColourScale, Format, Parameter, Problem, RoleRegion, Table)
}


def encode(value: Any) -> Any:
    """Return a value as JSON can hold it.

    Numbers, texts, booleans and None stand for themselves; tuples and lists become lists; cells,
    regions, roles, mappings and the records on the list become objects with one key that
    begins with ``@``.

    Raises
    ------
    TypeError
        If a value of another type occurs.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Cell):
        return {"@cell": [value.row, value.col]}
    if isinstance(value, Region):
        return {"@region": [value.top, value.left, value.bottom, value.right]}
    if isinstance(value, Role):
        return {"@role": value.value}
    if isinstance(value, dict):
        return {"@map": [[encode(key), encode(entry)] for key, entry in value.items()]}
    if isinstance(value, tuple | list):
        return [encode(entry) for entry in value]
    name = type(value).__name__
    if _RECORDS.get(name) is type(value):
        entries = {f.name: encode(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"@" + name: entries}
    raise TypeError(f"a session file has no spelling for {type(value).__name__}")


def decode(value: Any) -> Any:
    """Return what `encode` made JSON of; lists come back as tuples.

    Raises
    ------
    UserError
        If an object is of no known kind or lacks what its kind needs.
    """
    if isinstance(value, list):
        return tuple(decode(entry) for entry in value)
    if not isinstance(value, dict):
        return value
    if len(value) != 1:
        raise _damaged("an object of several keys")
    ((key, content),) = value.items()
    try:
        if key == "@cell":
            return Cell(*map(int, content))
        if key == "@region":
            return Region(*map(int, content))
        if key == "@role":
            return Role(content)
        if key == "@map":
            return {decode(k): decode(v) for k, v in content}
        kind = _RECORDS[key.removeprefix("@")]
        known = {field.name for field in dataclasses.fields(kind)}
        return kind(**{k: decode(v) for k, v in content.items() if k in known})
    except (KeyError, TypeError, ValueError, AttributeError) as fault:
        raise _damaged(key) from fault


def _damaged(what: str) -> UserError:
    return UserError(
        f"The session file holds something that cannot be read ({what}).",
        "It may be damaged or from a newer gradsheet; an autosave may be whole.",
    )
