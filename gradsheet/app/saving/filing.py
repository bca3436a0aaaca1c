"""Which file a document has open: its lock against other windows, and what it was when read.

Owns the rule that nothing is written over another's work: not into a file that somebody else
has open, not over one that changed since it was read. Knows no window and no format.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gradsheet.app.messages import Message
from gradsheet.files.locks import FileLock, Holder, holder, lock_path
from gradsheet.formula.values import UserError

if TYPE_CHECKING:
    from gradsheet.app.document import Document

Version = tuple[int, int, int]
"""Inode, size and time of change of a file: other after any writing."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A file that is about to be read or written.

    Attributes
    ----------
    path : Path
    lock : FileLock or None
        None where another has it, or where the folder takes no lock.
    other : Holder or None
        Who has the file open.
    version : Version or None
        Of the file; None if there is none.
    """

    path: Path
    lock: FileLock | None
    other: Holder | None
    version: Version | None


def version_of(path: Path) -> Version | None:
    """Return what tells one state of a file from another; None if there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


class Filing:
    """The file of one document.

    Parameters
    ----------
    document : Document
        Asks here before it opens or saves.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._claim: Claim | None = None
        document.filing = self

    def replaced(self) -> None:
        """Another workbook is open: give up the file of the one before."""
        path = self._document.path
        if self._claim is not None and (path is None or not _is_same(path, self._claim.path)):
            self.leave()

    def claim(self, path: Path) -> Claim:
        """Take the lock of a file, if it can be had; may be called on any thread."""
        version, mine = version_of(path), self._claim
        if mine is not None and mine.lock is not None and _is_same(mine.path, path):
            return Claim(path, mine.lock, None, version)
        at = lock_path(path)
        try:
            lock = FileLock.acquire(at)
        except OSError:  # a folder that cannot be written needs no lock, and can have none
            return Claim(path, None, None, version)
        return Claim(path, lock, holder(at) if lock is None else None, version)

    def give_up(self, claim: Claim) -> None:
        """What was claimed is not opened after all."""
        mine = self._claim
        if claim.lock is not None and (mine is None or claim.lock is not mine.lock):
            claim.lock.release()

    def opened(self, claim: Claim) -> None:
        """Note that a file is what is open now; say so if another window has it, too."""
        self._put(claim)
        self._document.is_read_only = claim.other is not None
        if claim.other is not None:
            self._document.notify_run()
            self._document.say(
                Message(
                    "warning",
                    f"{claim.path.name} is open in another window ({_who(claim.other)}).",
                    "Here it is read-only: what you change can be saved under another name.",
                    action="file.save_as",
                )
            )

    def check(self, claim: Claim, *, may_replace: bool) -> None:
        """Raise UserError if writing into a claimed file would lose somebody's work.

        Parameters
        ----------
        may_replace : bool
            Whether the user has said that the file may be replaced.
        """
        name, mine = claim.path.name, self._claim
        if claim.other is not None:
            raise UserError(
                f"{name} was not saved: another window has it open ({_who(claim.other)}).",
                "Save under another name, or close it there and save again.",
            )
        if may_replace or claim.version is None:
            return
        is_known = mine is not None and _is_same(mine.path, claim.path)
        if mine is not None and is_known and mine.version != claim.version:
            raise UserError(
                f"{name} was not saved: the file has changed since it was opened here.",
                "Save under another name, so that neither work is lost.",
            )

    def saved(self, claim: Claim) -> None:
        """Note that the claimed file holds what is open."""
        self._put(Claim(claim.path, claim.lock, None, version_of(claim.path)))
        self._document.is_read_only = False

    def leave(self) -> None:
        """Nothing of a file is open any more."""
        self._put(None)

    def touch(self) -> None:
        """Say that the window is still there; call it every minute or so."""
        if self._claim is not None and self._claim.lock is not None:
            self._claim.lock.touch()

    def _put(self, claim: Claim | None) -> None:
        old, self._claim = self._claim, claim
        if old is not None and old.lock is not None and (claim is None or old.lock != claim.lock):
            old.lock.release()


def _is_same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _who(other: Holder) -> str:
    if not other.host:
        return "it does not say whose"
    since = time.strftime("%H:%M", time.localtime(other.since))
    return f"process {other.pid} on {other.host}, since {since}"
