"""What a learner holds, as JSON and arrays and back: tensors, epochs, settings, by a list of types.

Owns the spelling of a rating set's run in a session file. Only types on the list are ever made,
so a file cannot name code to run. Must not know documents or windows; torch only where a file
holds tensors.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, MutableMapping
from typing import Any

import numpy as np
import numpy.typing as npt

from gradsheet.formula.values import UserError

Arrays = MutableMapping[str, npt.NDArray[Any]]


def _records() -> dict[str, type[Any]]:
    from gradsheet.collab.fast import FastSettings
    from gradsheet.collab.foldin import Ridge
    from gradsheet.collab.report import EpochRow
    from gradsheet.learn.hyper import Hyper

    return {kind.__name__: kind for kind in (EpochRow, FastSettings, Hyper, Ridge)}


def lay_out(value: Any, arrays: Arrays, at: str) -> Any:
    """Return a value as JSON can hold it; its arrays and tensors go into ``arrays``.

    Parameters
    ----------
    value
        None, numbers, texts, arrays, tensors, the records on the list, and lists, tuples and
        mappings of such.
    arrays : mutable mapping
        Gets an entry ``{at}{number}`` for each array.
    at : str
        What their names begin with.

    Raises
    ------
    TypeError
        If a value of another type occurs.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    name = type(value).__name__
    if _records().get(name) is type(value):
        entries = value._asdict() if hasattr(value, "_asdict") else _fields(value)
        return {"@" + name: {key: lay_out(entry, arrays, at) for key, entry in entries.items()}}
    if isinstance(value, Mapping):
        pairs = [[lay_out(k, arrays, at), lay_out(v, arrays, at)] for k, v in value.items()]
        return {"@map": pairs}
    if isinstance(value, tuple):
        return {"@tuple": [lay_out(entry, arrays, at) for entry in value]}
    if isinstance(value, list):
        return [lay_out(entry, arrays, at) for entry in value]
    key = f"{at}{len(arrays)}"
    if isinstance(value, np.ndarray):
        arrays[key] = value
        return {"@array": key}
    if hasattr(value, "detach"):
        arrays[key] = value.detach().cpu().numpy()
        return {"@tensor": key}
    raise TypeError(f"a session file has no spelling for {name}")


def _fields(value: Any) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def take_out(entry: Any, arrays: Mapping[str, npt.NDArray[Any]]) -> Any:
    """Return the value that :func:`lay_out` spelled; tensors are on the CPU.

    Raises
    ------
    UserError
        If an entry is of no known kind, or its array is missing.
    """
    if isinstance(entry, list):
        return [take_out(part, arrays) for part in entry]
    if not isinstance(entry, dict):
        return entry
    try:
        ((key, content),) = entry.items()
        if key == "@map":
            return {take_out(k, arrays): take_out(v, arrays) for k, v in content}
        if key == "@tuple":
            return tuple(take_out(part, arrays) for part in content)
        if key == "@array":
            return np.array(arrays[content])
        if key == "@tensor":
            import torch

            return torch.from_numpy(np.array(arrays[content]))
        kind = _records()[key.removeprefix("@")]
        return kind(**{name: take_out(part, arrays) for name, part in content.items()})
    except (KeyError, TypeError, ValueError) as fault:
        raise UserError(
            f"The session file holds something of a run that cannot be read ({fault}).",
            "It may be damaged or from a newer gradsheet; an older copy may be whole.",
        ) from fault
