"""The file that a rating set came from, and whether it is still the same one.

Owns its path, how it was read, and its fingerprint. Must not know sessions or windows.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradsheet.formula.values import UserError
from gradsheet.ratings.table import Check, unchecked

if TYPE_CHECKING:
    from gradsheet.ratings.sniffing import ReadOptions
    from gradsheet.ratings.table import RatingTable
    from gradsheet.tasks import Control, Progress

_BLOCK_BYTES = 1 << 24
"""Read of a file at a time."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where ratings came from.

    Attributes
    ----------
    path : Path
    options : ReadOptions
    size : int
        Bytes, when it was read.
    changed_ns : int
        When it was last changed before it was read.
    """

    path: Path
    options: ReadOptions
    size: int
    changed_ns: int

    @classmethod
    def of(cls, path: Path, options: ReadOptions) -> Origin | None:
        """Note a file that is about to be read; None for a folder, which is several files."""
        if not path.is_file():
            return None
        found = path.stat()
        return cls(path.resolve(), options, found.st_size, found.st_mtime_ns)

    def is_as_read(self) -> bool:
        """Whether the file has not been touched since."""
        try:
            found = self.path.stat()
        except OSError:
            return False
        return (found.st_size, found.st_mtime_ns) == (self.size, self.changed_ns)

    def facts(self) -> dict[str, Any]:
        """Return it as JSON, with the fingerprint of the whole file."""
        return {
            "path": str(self.path),
            "options": dataclasses.asdict(self.options),
            "size": self.size,
            "blake2b": _fingerprint_once(self.path, self.size, self.changed_ns),
        }

    @classmethod
    def of_facts(
        cls, facts: Mapping[str, Any], beside: Path, check: Check = unchecked
    ) -> Origin:
        """Return the file that :meth:`facts` told of, where it was or beside another file.

        ``check`` is called often while the whole file is compared.

        Raises
        ------
        UserError
            If it is gone, or another one now.
        """
        from gradsheet.ratings.sniffing import ReadOptions

        told = Path(facts["path"])
        for path in (told, beside.parent / told.name):
            if path.is_file():
                break
        else:
            raise UserError(
                f"The ratings lie in {told}, which is not there any more.",
                f"Put {told.name} back, or beside {beside.name}.",
            )
        if path.stat().st_size != facts["size"] or fingerprint(path, check) != facts["blake2b"]:
            raise UserError(
                f"{path} is not the file any more that {beside.name} was saved with.",
                f"Put the old {path.name} beside {beside.name}, or open the new one by itself.",
            )
        found = Origin.of(path, ReadOptions(**facts["options"]))
        assert found is not None
        return found

    def read_again(
        self, control: Control | None = None
    ) -> Generator[Progress, None, RatingTable]:
        """Return the ratings, read as before; work for a task."""
        from gradsheet.ratings import reader

        result = yield from reader.read(self.path, self.options, control)
        return result.table


@lru_cache(maxsize=8)
def _fingerprint_once(path: Path, size: int, changed_ns: int) -> str:
    """Return the digest of a file that is as it was read, so that no autosave reads it again."""
    return fingerprint(path)


def fingerprint(path: Path, check: Check = unchecked) -> str:
    """Return the BLAKE2b digest of a file, which 25 million ratings take a second for."""
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            check()
            digest.update(block)
    return digest.hexdigest()
