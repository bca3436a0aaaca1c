"""Undo and redo: a stack of inverse edits, each with a name and a number.

Owns the order of what was done. Applies edits through `Workbook.apply` only, so that no view
can tell undo from edit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from gradsheet.sheet.change import Change, Edit
from gradsheet.sheet.workbook import Workbook


class Travelled(NamedTuple):
    """What an undo or redo did.

    Parameters
    ----------
    label : of the edit that was taken back or done again
    change : what it touched
    entry : the number that `push` gave, kept over any undo and redo
    """

    label: str
    change: Change
    entry: int


@dataclass(frozen=True, slots=True)
class _Entry:
    number: int
    label: str
    edit: Edit


class History:
    """What was done to one workbook, newest last.

    Parameters
    ----------
    limit : entries kept; the oldest are forgotten
    """

    def __init__(self, limit: int = 1000) -> None:
        self._limit = limit
        self._done: list[_Entry] = []
        self._undone: list[_Entry] = []
        self._next = 1

    def push(self, label: str, inverse: Edit) -> int:
        """Note an edit that was applied, by its inverse; what was undone is forgotten.

        Returns
        -------
        The number of the entry, never used again.
        """
        number = self._next
        self._next += 1
        self._undone.clear()
        self._done.append(_Entry(number, label, inverse))
        del self._done[: -self._limit]
        return number

    def undo(self, workbook: Workbook) -> Travelled | None:
        """Take the newest edit back; None if there is nothing."""
        return self._travel(workbook, self._done, self._undone)

    def redo(self, workbook: Workbook) -> Travelled | None:
        """Do again what was undone last; None if there is nothing."""
        return self._travel(workbook, self._undone, self._done)

    @staticmethod
    def _travel(workbook: Workbook, source: list[_Entry], target: list[_Entry]) -> Travelled | None:
        if not source:
            return None
        entry = source[-1]
        inverse, change = workbook.apply(entry.edit)
        source.pop()
        target.append(_Entry(entry.number, entry.label, inverse))
        return Travelled(entry.label, change, entry.number)

    @property
    def can_undo(self) -> bool:
        """Whether there is something to take back."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """Whether there is something to do again."""
        return bool(self._undone)

    @property
    def undo_label(self) -> str:
        """What would be taken back, "" for nothing."""
        return self._done[-1].label if self._done else ""

    @property
    def redo_label(self) -> str:
        """What would be done again, "" for nothing."""
        return self._undone[-1].label if self._undone else ""

    @property
    def top(self) -> int | None:
        """Number of the newest entry that is done, None if there is none."""
        return self._done[-1].number if self._done else None

    @property
    def labels(self) -> tuple[str, ...]:
        """What was done, oldest first."""
        return tuple(entry.label for entry in self._done)

    def clear(self) -> None:
        """Forget everything, as after opening another workbook."""
        self._done.clear()
        self._undone.clear()
