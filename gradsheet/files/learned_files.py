"""What a recommender has learned, in files of one's own: CSV, safetensors.

Owns their columns and names. Must not know documents or windows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file

from gradsheet.files.atomic import write_atomically
from gradsheet.files.tensor_file import save_arrays
from gradsheet.formula.values import UserError

_PART = 1 << 14
FORMAT = "gradsheet model"


def write_rows(
    path: Path,
    head: Sequence[str],
    columns: Callable[[slice], Sequence[npt.NDArray[Any]]],
    count: int,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Write a table as CSV.

    Parameters
    ----------
    columns : callable
        Gives the columns of a stretch of rows, (n,) or (n, k). Numbers are written with all
        digits of their type; texts are quoted where they must be.
    count : int
        Rows.
    check : callable
        Called often; it may raise to give the work up, and the file stays as it was.
    """

    def write(draft: Path) -> None:
        with draft.open("w", encoding="utf-8", newline="") as file:
            file.write(",".join(map(_quoted, head)) + "\n")
            for begin in range(0, count, _PART):
                check()
                file.write(_lines(columns(slice(begin, min(begin + _PART, count)))))

    write_atomically(path, write)


def _lines(parts: Sequence[npt.NDArray[Any]]) -> str:
    texts: list[list[str]] = []
    for part in parts:
        for column in part.T if part.ndim == 2 else (part,):
            if column.dtype.kind == "f":
                digits = "%.9g" if column.dtype.itemsize == 4 else "%.17g"
                texts.append([digits % number for number in column.tolist()])
            elif column.dtype.kind in "iu":
                texts.append([str(number) for number in column.tolist()])
            else:
                texts.append([_quoted(str(text)) for text in column.tolist()])
    return "".join(",".join(row) + "\n" for row in zip(*texts, strict=True))


def _quoted(text: str) -> str:
    if any(sign in text for sign in ',"\n\r'):
        return '"' + text.replace('"', '""') + '"'
    return text


def write_tensors(
    path: Path, arrays: Mapping[str, npt.NDArray[Any]], facts: Mapping[str, Any]
) -> None:
    """Write arrays as safetensors, with facts as JSON in its metadata."""
    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    metadata = {"format": FORMAT, "facts": json.dumps(dict(facts))}
    write_atomically(path, lambda draft: save_arrays(whole, draft, metadata))


def read_tensors(path: Path) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
    """Return arrays and facts of a file from :func:`write_tensors`.

    Raises
    ------
    UserError
        If it cannot be read or is something else.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            metadata = file.metadata() or {}
        if metadata.get("format") != FORMAT:
            raise UserError(
                f"{path.name} is no model of gradsheet.",
                "Choose the model.safetensors that `gradsheet train --output` wrote.",
            )
        return load_file(path), json.loads(metadata["facts"])
    except (OSError, SafetensorError, KeyError, ValueError) as fault:
        raise UserError(
            f"{path.name} cannot be read: {fault}.",
            "Choose the model.safetensors that `gradsheet train --output` wrote.",
        ) from fault
