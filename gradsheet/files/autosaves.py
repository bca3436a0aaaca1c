"""The folder of autosaves: a session of each window's work, and whether its window still lives.

Owns the names of the files, the locks that tell living windows from dead ones, and what is said
of a file in its manifest. When to write one is `app.autosave`'s. Imports nothing heavy.
"""

from __future__ import annotations

import glob
import json
import os
import time
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradsheet.files.atomic import DRAFT_S
from gradsheet.files.locks import FileLock, is_held

if TYPE_CHECKING:
    from gradsheet.files.session_parts import PartFiles

SUFFIX = ".gradsheet"
PART = ".arrays"
"""Of files beside an autosave that are written once."""
FACT = "autosave"
"""Under this name the facts of a session say what it is an autosave of."""
MOST_PUT_ASIDE = 10
"""So many that nobody asked for are kept; work that a crash has left is never removed."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What an autosave is of.

    Attributes
    ----------
    title : str
        As the window was called.
    original : str
        Path of the file that was open; "" for none.
    at : float
        When it was written, seconds since the epoch.
    is_put_aside : bool
        Whether the work was left on purpose, so that it is not offered at the next start.
    """

    title: str
    original: str
    at: float
    is_put_aside: bool = False

    def fact(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Autosaved:
    """An autosave whose window is gone.

    Attributes
    ----------
    path : Path
        The session file.
    origin : Origin
    """

    path: Path
    origin: Origin

    @property
    def original(self) -> Path | None:
        """The file it was made from; None if there was none or it is gone."""
        path = Path(self.origin.original)
        return path if self.origin.original and path.exists() else None


class Slot:
    """The place of one piece of work in the folder; locked while its window lives.

    Parameters
    ----------
    path : Path
        Of the session file.
    lock : FileLock
    """

    def __init__(self, path: Path, lock: FileLock) -> None:
        self.path = path
        self._lock = lock
        self._parts: PartFiles | None = None

    @classmethod
    def new(cls, folder: Path) -> Slot:
        """Take a place that nobody has had.

        Raises
        ------
        OSError
            If the folder cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        number = 0
        while True:
            stamp = time.strftime("%Y%m%d-%H%M%S")
            path = folder / f"{stamp}-{os.getpid()}-{number}{SUFFIX}"
            lock = FileLock.acquire(_lock_of(path)) if not path.exists() else None
            if lock is not None:
                return cls(path, lock)
            number += 1

    @classmethod
    def adopt(cls, autosaved: Autosaved) -> Slot | None:
        """Take the place of work that was left; None if another window has just done so."""
        try:
            lock = FileLock.acquire(_lock_of(autosaved.path))
        except OSError:
            return None
        return cls(autosaved.path, lock) if lock is not None else None

    @property
    def parts(self) -> PartFiles:
        """What lies beside the file."""
        from gradsheet.files.session_parts import PartFiles

        if self._parts is None:
            self._parts = PartFiles(self.path)
        return self._parts

    def leave(self) -> None:
        """Give the place up; its file stays to be recovered."""
        self._lock.release()

    def discard(self) -> None:
        """Give the place up and remove its file."""
        remove(self.path)
        self._lock.release()

    def touch(self) -> None:
        """Say that the window is still there."""
        self._lock.touch()


def autosaved(folder: Path) -> list[Autosaved]:
    """Return the autosaves of windows that are gone, newest first."""
    found = []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        if not is_held(_lock_of(path)):
            origin = origin_of(path)
            if origin is not None:
                found.append(Autosaved(path, origin))
    return sorted(found, key=lambda entry: entry.origin.at, reverse=True)


def origin_of(path: Path) -> Origin | None:
    """Return what an autosave is of; None if it cannot be read."""
    try:
        with zipfile.ZipFile(path) as package:
            manifest = json.loads(package.read("manifest.json"))
        return Origin(**manifest["facts"][FACT])
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        return None


def remove(path: Path) -> None:
    """Remove an autosave and what lies beside it.

    One that cannot be removed stays: better twice than never.
    """
    try:
        path.unlink(missing_ok=True)
        for part in part_files(path):
            part.unlink(missing_ok=True)
    except OSError:
        return


def part_files(path: Path) -> list[Path]:
    """Return the files that lie beside an autosave."""
    return sorted(path.parent.glob(f"{glob.escape(path.stem)}.*{PART}"))


def prune(folder: Path) -> None:
    """Remove the oldest of what was put aside, and what windows that are gone have left."""
    aside = [entry for entry in autosaved(folder) if entry.origin.is_put_aside]
    for entry in aside[MOST_PUT_ASIDE:]:
        remove(entry.path)
    for part in folder.glob(f"*{PART}"):  # of one that was ended before its first writing had
        file = folder / f"{part.name.split('.')[0]}{SUFFIX}"
        if not file.exists() and not is_held(_lock_of(file)):
            remove(part)
    for lock in folder.glob("*.lock"):
        if not lock.with_suffix(SUFFIX).exists() and not is_held(lock):
            remove(lock)
    for draft in folder.glob(".*.part"):
        if _age_s(draft) > DRAFT_S:
            remove(draft)


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0


def _lock_of(path: Path) -> Path:
    return path.with_suffix(".lock")
