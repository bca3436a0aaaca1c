"""A file that is being read for a document: how far it is, and its cancel.

Owns the two; whoever reads tells it, the window asks. Standard library and tasks only.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

from gradsheet.tasks import Control, Progress

T = TypeVar("T")


class Reading:
    """One file on its way.

    Attributes
    ----------
    control : Control
        For the checkpoints of the work; they raise `Cancelled` after a cancel.
    progress : Progress or None
        The newest; None while there is nothing to tell, as for files that are there at once.
    """

    def __init__(self) -> None:
        self.control = Control()
        self.progress: Progress | None = None

    def cancel(self) -> None:
        """Give it up; what is open stays."""
        self.control.cancel()

    def tell(self, fraction: float | None, text: str) -> None:
        """Say how far it is, and be cancelled here."""
        self.progress = Progress(fraction, text)
        self.control.checkpoint()

    def follow(self, work: Generator[Progress, None, T]) -> T:
        """Do work that tells how far it is, and return what it returns."""
        while True:
            try:
                self.progress = next(work)
            except StopIteration as end:
                found: T = end.value
                return found
            self.control.checkpoint()
