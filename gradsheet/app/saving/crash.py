"""What a process says with its last breath, kept where the next one finds it.

Owns the files into which Python's fault handler writes where each thread stood when the process
was ended by a fault below Python. Standard library and locks only.
"""

from __future__ import annotations

import faulthandler
import os
import time
from pathlib import Path
from typing import TextIO

from gradsheet.files.autosaves import remove
from gradsheet.files.locks import FileLock, is_held

PREFIX, SUFFIX = "crash-", ".txt"
LONGEST = 20_000
"""Characters of a report that are shown."""


class LastWords:
    """The file of this process, as long as it lives.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: TextIO | None = None
        self._lock: FileLock | None = None
        self._path = folder / f"{PREFIX}{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}{SUFFIX}"

    def listen(self) -> None:
        """Have faults written down from now on. A folder that cannot be written has none."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock.acquire(self._path.with_suffix(".lock"))
            self._file = self._path.open("w", encoding="utf-8")
        except OSError:
            return
        faulthandler.enable(self._file, all_threads=True)

    def stop(self) -> None:
        """The process ends in order: there is nothing to tell."""
        if self._file is not None:
            faulthandler.disable()
            self._file.close()
            self._file = None
            remove(self._path)
        if self._lock is not None:
            self._lock.release()
            self._lock = None


def reports(folder: Path) -> list[str]:
    """Return what processes that are gone have left, and remove it: it is told once."""
    found = []
    for path in sorted(folder.glob(f"{PREFIX}*{SUFFIX}")):
        lock = path.with_suffix(".lock")
        if is_held(lock):
            continue
        try:
            text = path.read_text(encoding="utf-8", errors="replace")[:LONGEST]
        except OSError:
            continue
        if text.strip():
            moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(path.stat().st_mtime))
            found.append(f"{moment}\n{text}")
        remove(path)
        remove(lock)
    return found
