"""Arrays of a session that do not change while it is open: in its file, or once beside it.

Owns the files beside an autosave, so that a table of millions of ratings is written once and not
with every autosave. What the arrays mean is for who reads them. Knows no window.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file

from gradsheet.files.atomic import write_atomically
from gradsheet.files.autosaves import PART, part_files
from gradsheet.files.tensor_file import save_arrays

Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Arrays that stay as they are.

    Attributes
    ----------
    arrays : mapping of str to ndarray
        By names of the part's own.
    owner : object
        What they are the arrays of: the same object has the same arrays for ever.
    """

    arrays: Arrays
    owner: object = None


class PartFiles:
    """The files beside one autosave, each written once. One thread at a time uses it.

    Parameters
    ----------
    path : Path
        Of the autosave; theirs are named after it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written: list[tuple[object, str]] = []

    def write(self, parts: Sequence[Part]) -> list[str]:
        """Write those that are not there yet; return the names of all.

        Raises
        ------
        UserError
            If the folder is read-only or full.
        """
        return [self._name_of(part) for part in parts]

    def _name_of(self, part: Part) -> str:
        for owner, name in self._written:
            if owner is part.owner:
                return name
        taken = {path.name for path in part_files(self._path)}
        number = 0
        while f"{self._path.stem}.{number}{PART}" in taken:
            number += 1
        path = self._path.with_name(f"{self._path.stem}.{number}{PART}")
        arrays = {key: np.ascontiguousarray(array) for key, array in part.arrays.items()}
        write_atomically(path, lambda draft: save_arrays(arrays, draft))
        self._written.append((part.owner, path.name))
        return path.name

    def keep_only(self, names: Sequence[str]) -> None:
        """Remove the files that the autosave, as it is written now, does not name."""
        self._written = [entry for entry in self._written if entry[1] in names]
        for path in part_files(self._path):
            if path.name not in names:
                path.unlink(missing_ok=True)


def read_parts(path: Path, names: Sequence[str]) -> tuple[Part, ...]:
    """Return the parts that an autosave names; whatever a damaged file raises is passed on."""
    return tuple(Part(load_file(path.with_name(Path(name).name))) for name in names)

