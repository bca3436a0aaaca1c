"""What reading or writing a file could not carry over, as records to show.

Owns `Finding` and `Report`. Knows no file format and no window.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Weight(Enum):
    """How much a finding matters to somebody who goes on working with the workbook."""

    NOTE = "note"
    """Worth knowing; nothing that is calculated is touched."""
    LOST = "lost"
    """In the file, not in gradsheet: shown nowhere, kept only by saving over the same file."""
    WRONG = "wrong"
    """Cells that could not be understood: they keep what the file stored, or show an error."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a file that was not understood or not taken over.

    Parameters
    ----------
    what : the kind of thing, in the singular: `chart`, `macro module`, `function CUBEVALUE`
    where : sheet, cell or part of the file; "" for the whole workbook
    count : how many of them there
    detail : one sentence more, may be empty
    """

    what: str
    where: str
    count: int = 1
    weight: Weight = Weight.LOST
    detail: str = ""

    def __str__(self) -> str:
        times = f"{self.count:,} × " if self.count != 1 else ""
        place = f" in {self.where}" if self.where else ""
        return f"{times}{self.what}{place}{': ' + self.detail if self.detail else ''}"


@dataclass(frozen=True, slots=True)
class Report:
    """What was not understood in a file, where, and how much of it.

    Parameters
    ----------
    source : the file's name
    findings : the most serious first
    """

    source: str
    findings: tuple[Finding, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Whether all of the file was understood."""
        return all(finding.weight is Weight.NOTE for finding in self.findings)

    @property
    def lost(self) -> tuple[Finding, ...]:
        """What a new file would not have."""
        return tuple(f for f in self.findings if f.weight is Weight.LOST)

    @property
    def text(self) -> str:
        """The findings for people, one a line; "" if there are none."""
        return "\n".join(str(finding) for finding in self.findings)

    def __str__(self) -> str:
        return f"{self.source}: {self.text}" if self.findings else f"{self.source}: all read"


class Findings:
    """Collects findings; equal ones are counted."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, Weight, str], int] = {}

    def add(
        self,
        what: str,
        where: str = "",
        weight: Weight = Weight.LOST,
        detail: str = "",
        count: int = 1,
    ) -> None:
        """Note one thing, or `count` of them."""
        key = (what, where, weight, detail)
        self._found[key] = self._found.get(key, 0) + count

    def extend(self, findings: Iterable[Finding]) -> None:
        """Note what somebody else found."""
        for f in findings:
            self.add(f.what, f.where, f.weight, f.detail, f.count)

    def report(self, source: str) -> Report:
        """Everything found, the most serious first."""
        order = (Weight.WRONG, Weight.LOST, Weight.NOTE)
        found = [
            Finding(what, where, count, weight, detail)
            for (what, where, weight, detail), count in self._found.items()
        ]
        return Report(source, tuple(sorted(found, key=lambda f: order.index(f.weight))))
