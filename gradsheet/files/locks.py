"""Who has a file open: a lock beside it that ends with the process that holds it.

Owns the lock file and what stands in it. The operating system drops the lock when its process
ends, however it ends, so a lock that can be taken is nobody's; where two machines share a folder
without sharing locks, its holder keeps touching it. Knows nothing of what is locked.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path

STALE_S = 180.0
"""A lock of another machine that has not been touched for so long is nobody's."""
_BYTE = 1 << 30
"""Which byte is locked on Windows, where others cannot read what is locked."""
_UNSUPPORTED = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock.

    Attributes
    ----------
    pid : int
        Of the process; 0 where nothing could be read.
    host : str
    since : float
        Seconds since the epoch.
    """

    pid: int
    host: str
    since: float

    @classmethod
    def here(cls) -> Holder:
        """Return what this process writes into a lock."""
        return cls(os.getpid(), socket.gethostname(), time.time())


class FileLock:
    """A lock that is held. Made by `acquire`."""

    def __init__(self, path: Path, handle: int) -> None:
        self.path = path
        self._handle: int | None = handle

    @classmethod
    def acquire(cls, path: Path) -> FileLock | None:
        """Take the lock and write who holds it; None if another process or window has it.

        Raises
        ------
        OSError
            If there can be no file at `path`, as in a folder that is read-only.
        """
        while True:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                is_free = _lock(handle) and not _is_of_another_machine(path)
            except BaseException:
                os.close(handle)
                raise
            if not is_free:
                os.close(handle)
                return None
            # Its holder may have removed the file between the opening and the locking.
            if _is_same(path, handle):
                break
            os.close(handle)
        here = Holder.here()
        try:
            os.ftruncate(handle, 0)
            os.write(handle, json.dumps([here.pid, here.host, here.since]).encode())
        except OSError:  # on a full disk it stays empty, and locks as well
            pass
        return cls(path, handle)

    def touch(self) -> None:
        """Say that the holder is still there; other machines look at it."""
        try:
            os.utime(self.path)
        except OSError:
            return

    def release(self) -> None:
        """Give the lock back and remove its file."""
        if self._handle is None:
            return
        handle, self._handle = self._handle, None
        if sys.platform == "win32":  # pragma: no cover  a file that is open cannot be removed
            os.close(handle)
            self._remove()
        else:
            self._remove()
            os.close(handle)

    def __del__(self) -> None:
        """Give the lock back when nobody knows of it any more: a file is not opened after all."""
        self.release()

    def _remove(self) -> None:
        try:
            self.path.unlink(missing_ok=True)
        except OSError:  # the folder has become read-only: an empty lock of nobody stays
            return


def lock_path(path: Path) -> Path:
    """Return where the lock of a file lies: beside it, hidden."""
    target = path.resolve()
    return target.with_name(f".~{target.name}.lock")


def holder(path: Path) -> Holder:
    """Return what the holder of a lock wrote."""
    try:
        pid, host, since = json.loads(path.read_text(encoding="utf-8"))
        return Holder(int(pid), str(host), float(since))
    except (OSError, ValueError, TypeError):
        return Holder(0, "", 0.0)


def is_held(path: Path) -> bool:
    """Whether somebody holds the lock at this path; asking takes nothing from anybody."""
    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return not _lock(handle) or _is_of_another_machine(path)
    finally:
        os.close(handle)


def _is_same(path: Path, handle: int) -> bool:
    try:
        there, here = path.stat(), os.fstat(handle)
    except OSError:
        return False
    return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)


def _is_of_another_machine(path: Path) -> bool:
    """Whether a machine that does not share our locks holds this one, as far as can be told."""
    other = holder(path)
    try:
        is_fresh = time.time() - path.stat().st_mtime < STALE_S
    except OSError:
        return False
    return is_fresh and bool(other.host) and other.host != socket.gethostname()


def _lock(handle: int) -> bool:
    """Lock an open file; False if another has it locked."""
    if sys.platform == "win32":  # pragma: no cover
        import msvcrt

        os.lseek(handle, _BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(handle, 0, os.SEEK_SET)
        return True
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as fault:
        # A file system without locks: what stands in the file is all that there is to go by.
        if fault.errno not in _UNSUPPORTED:
            raise
    return True
