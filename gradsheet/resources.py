"""Where the files under `resources/` lie: beside the package in a checkout, inside it in a wheel.

Knows file names only; no window, no document. Standard library only.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_INSTALLED = _PACKAGE / "_resources"
_CHECKOUT = _PACKAGE.parent / "resources"


def path(name: str) -> Path:
    """Return the path of a resource.

    Parameters
    ----------
    name : str
        Path below `resources/` with forward slashes, for example ``"lessons/ratings.csv"``.

    Returns
    -------
    Path
        An existing file or folder.

    Raises
    ------
    FileNotFoundError
        If the installation lacks it.
    """
    for root in (_INSTALLED, _CHECKOUT):
        found = root.joinpath(*name.split("/"))
        if found.exists():
            return found
    raise FileNotFoundError(f"The installation of gradsheet lacks resources/{name}: reinstall it.")
