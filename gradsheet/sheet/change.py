"""What an edit is and what it reports.

Owns `Edit`, `Change` and `Composite`. An edit is data: applied to a workbook it gives its
inverse, which is an edit too. Knows no particular edit.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from gradsheet.formula.address import Cell, Region

if TYPE_CHECKING:
    from gradsheet.sheet.workbook import Workbook

Places: TypeAlias = tuple[tuple[int, Region], ...]
"""Regions by the id of their sheet."""


@dataclass(frozen=True, slots=True)
class Change:
    """What an edit touched.

    Parameters
    ----------
    values : regions whose values may differ
    formulas : regions whose formulas differ, so that a program must be compiled anew
    formats : regions that look different
    structure : whether rows, columns or sheets moved, sizes or names changed
    """

    values: Places = ()
    formulas: Places = ()
    formats: Places = ()
    structure: bool = False

    def __or__(self, other: Change) -> Change:
        return Change(
            self.values + other.values,
            self.formulas + other.formulas,
            self.formats + other.formats,
            self.structure or other.structure,
        )


class Edit(ABC):
    """A change of a workbook as data; apply it through `Workbook.apply` only."""

    __slots__ = ()

    @property
    @abstractmethod
    def label(self) -> str:
        """What the edit does, for the undo menu: `Type into A1`."""

    @abstractmethod
    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """Change the workbook; return the inverse edit and what was touched.

        Raises
        ------
        UserError
            If the edit is not possible; nothing has changed then.
        """


@dataclass(frozen=True, slots=True)
class Composite(Edit):
    """Several edits as one: all of them happen, or none."""

    edits: tuple[Edit, ...]
    name: str = ""

    @property
    def label(self) -> str:
        """The name given, else the label of the first edit."""
        if self.name or not self.edits:
            return self.name
        return self.edits[0].label

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """Apply one after another; if one fails, those before it are taken back."""
        inverses: list[Edit] = []
        change = Change()
        try:
            for edit in self.edits:
                inverse, touched = edit.apply_to(workbook)
                inverses.append(inverse)
                change |= touched
        except BaseException:
            for inverse in reversed(inverses):
                inverse.apply_to(workbook)
            raise
        return Composite(tuple(reversed(inverses)), self.label), change


def regions_over(cells: Iterable[Cell], most: int = 64) -> tuple[Region, ...]:
    """A few regions that hold all the cells, exactly so unless that takes more than `most`."""
    rows: dict[int, list[int]] = {}
    for row, col in cells:
        rows.setdefault(row, []).append(col)
    done: list[Region] = []
    open_spans: dict[tuple[int, int], int] = {}
    last_row = -2
    for row in sorted(rows):
        spans = _spans(sorted(rows[row]))
        if row != last_row + 1:
            spans_kept: set[tuple[int, int]] = set()
        else:
            spans_kept = {span for span in spans if span in open_spans}
        for (left, right), top in open_spans.items():
            if (left, right) not in spans_kept:
                done.append(Region(top, left, last_row + 1, right))
        open_spans = {span: open_spans[span] if span in spans_kept else row for span in spans}
        last_row = row
    done.extend(Region(top, a, last_row + 1, b) for (a, b), top in open_spans.items())
    if len(done) > most:
        hull = done[0]
        for region in done:
            hull = hull.union_hull(region)
        return (hull,)
    return tuple(sorted(done))


def _spans(cols: list[int]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for col in cols:
        if spans and col < spans[-1][1]:
            continue
        if spans and col == spans[-1][1]:
            spans[-1] = (spans[-1][0], col + 1)
        else:
            spans.append((col, col + 1))
    return spans
