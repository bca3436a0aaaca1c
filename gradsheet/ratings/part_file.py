"""The unfinished file of a download, beside the file that it will become.

Owns its name, the note of which version of the remote file it comes from, and the rename at the
end. Knows no network.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import IO


class Part:
    """The unfinished file, and from which version of the file on the server it comes.

    Parameters
    ----------
    folder : Path
    name : str
        Of the file that it will become.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / f"{name}.part"
        self._facts = folder / f"{name}.part.json"

    def there(self) -> tuple[int, str]:
        """Return how many bytes can be kept, and the validator of their version; (0, "") if none.

        A validator is a strong ETag or a date of change (RFC 9110, section 13.1.5).
        """
        try:
            validator = json.loads(self._facts.read_text(encoding="utf-8"))["validator"]
            size = self.path.stat().st_size
        except (OSError, ValueError, KeyError, TypeError):
            return 0, ""
        return (size, validator) if size and isinstance(validator, str) and validator else (0, "")

    def begin(self, validator: str) -> None:
        """Start an empty file of this version."""
        self.discard()
        self._facts.write_text(json.dumps({"validator": validator}), encoding="utf-8")
        self.path.touch()

    def opened_at(self, offset: int) -> IO[bytes]:
        """Open for writing from a byte on; not for appending, so that a second program that
        fetches the same file writes the same bytes to the same places."""
        file = self.path.open("rb+", buffering=0)
        file.seek(offset)
        return file

    def discard(self) -> None:
        """Forget what has arrived."""
        self.path.unlink(missing_ok=True)
        self._facts.unlink(missing_ok=True)

    def finish(self, target: Path) -> None:
        """Flush to the disk, then take the target's place."""
        with self.path.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(self.path, target)
        self._facts.unlink(missing_ok=True)
