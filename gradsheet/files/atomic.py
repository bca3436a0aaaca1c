"""Files are replaced whole or not at all.

Owns the temporary file, the flush to disk and the rename. Knows nothing of what is written.
"""

from __future__ import annotations

import glob
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from gradsheet.formula.values import UserError

NEW_FILE_MODE = 0o666
DRAFT = ".part"
DRAFT_S = 3600.0
"""A draft that has not been written to for so long belongs to no writing."""


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a file beside `path`, then put it in the place of `path`.

    Whatever happens, `path` holds either its old bytes or all of the new ones.

    Parameters
    ----------
    write : callable
        Gets the path of an empty file to overwrite.

    Raises
    ------
    UserError
        If the folder is missing, is read-only or is full.
    """
    target = path.resolve()  # a link keeps pointing at the file that it points at
    _clear_drafts(target)
    try:
        handle, name = tempfile.mkstemp(
            prefix=f".{target.name}.", suffix=DRAFT, dir=target.parent
        )
    except OSError as fault:
        raise _refused(path, fault) from fault
    os.close(handle)
    draft = Path(name)
    try:
        write(draft)
        with draft.open("rb+") as file:
            os.fsync(file.fileno())
        draft.chmod(target.stat().st_mode & 0o777 if target.exists() else _usual_mode())
        os.replace(draft, target)
    except OSError as fault:
        raise _refused(path, fault) from fault
    finally:
        draft.unlink(missing_ok=True)
    _flush_folder(target.parent)


def write_text(path: Path, text: str) -> None:
    """Write a text in UTF-8. Raises UserError as `write_atomically`."""

    def write(draft: Path) -> None:
        draft.write_text(text, encoding="utf-8")

    write_atomically(path, write)


def _clear_drafts(target: Path) -> None:
    """Remove what a writing of this file has left that was killed long ago."""
    oldest = time.time() - DRAFT_S
    for draft in target.parent.glob(f".{glob.escape(target.name)}.*{DRAFT}"):
        try:
            if draft.stat().st_mtime < oldest:
                draft.unlink()
        except OSError:
            continue


def _usual_mode() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return NEW_FILE_MODE & ~mask


def _flush_folder(folder: Path) -> None:
    """Make the rename itself lasting; systems that cannot flush a folder do without."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)


def _refused(path: Path, fault: OSError) -> UserError:
    return UserError(
        f"{path.name} could not be written: {fault.strerror or fault}.",
        "Choose another folder, or close the program that has the file open.",
    )
