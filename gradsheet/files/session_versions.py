"""The versions of the session file, and how an older one becomes the next.

Owns the number of the version and the steps between versions, on what is in the file before any
record is made of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy.typing as npt

Manifest = dict[str, Any]
Arrays = dict[str, npt.NDArray[Any]]

VERSION = 2


def migrated(manifest: Manifest, arrays: Arrays) -> tuple[Manifest, Arrays]:
    """Return manifest and arrays of an older version as the newest has them.

    Raises
    ------
    KeyError, TypeError, ValueError
        If the manifest is not what its version says.
    """
    while manifest["version"] < VERSION:
        manifest, arrays = MIGRATIONS[manifest["version"]](manifest, arrays)
    return manifest, arrays


def _runs_of_their_own(manifest: Manifest, arrays: Arrays) -> tuple[Manifest, Arrays]:
    """1 to 2: facts of the one run that there was become the first of a list of runs."""
    old = dict(manifest["facts"])
    home = old.pop("sheet", None)
    run = {name: old.pop(name, None) for name in ("optimizer", "hyper", "step", "steps_taken")}
    view = {"selection": old.pop("selection", [0, 0])}
    facts = {**old, "home": home, "view": view, "runs": []}
    if home is not None and run["optimizer"]:
        run.update(sheet=home, step=run["step"] or 0, steps_taken=run["steps_taken"] or 0)
        facts["runs"] = [run]
    moved = {}
    for name, array in arrays.items():
        part = name.removeprefix("run/")
        if part != name and part.split("/")[0] in ("state", "trace"):
            name = f"run/run{home}/{part}"
        moved[name] = array
    return {**manifest, "version": 2, "facts": facts, "books": 0}, moved


MIGRATIONS: dict[int, Callable[[Manifest, Arrays], tuple[Manifest, Arrays]]] = {
    1: _runs_of_their_own,
}
"""By version: makes what a file of it holds into what one of the next holds."""
