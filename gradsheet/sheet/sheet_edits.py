"""Edits of one sheet but for its cells: looks, roles, sizes, labels, notes, frozen panes.

Owns what these change. Knows nothing of cells' contents or of other sheets.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from gradsheet.formula.address import Cell, Region
from gradsheet.sheet.cells import Axis
from gradsheet.sheet.change import Change, Edit
from gradsheet.sheet.colour_scale import ColourScale
from gradsheet.sheet.formats import Format, FormatChange
from gradsheet.sheet.roles import RoleRegion

if TYPE_CHECKING:
    from gradsheet.sheet.workbook import SheetFacts, Workbook

_K = TypeVar("_K")
_V = TypeVar("_V")


@dataclass(frozen=True, slots=True)
class PutFacts(Edit):
    """Replace all of a sheet but its cells and name."""

    sheet: int
    facts: SheetFacts
    name: str
    change: Change

    @property
    def label(self) -> str:
        """The name given."""
        return self.name

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        sheet = workbook.sheet(self.sheet)
        old = sheet.facts()
        sheet.put_facts(self.facts)
        return replace(self, facts=old), self.change


@dataclass(frozen=True, slots=True)
class SetFormat(Edit):
    """Change how a region looks."""

    sheet: int
    region: Region
    change: FormatChange

    @property
    def label(self) -> str:
        """`Format A1:B2`."""
        return f"Format {self.region}"

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        facts = workbook.sheet(self.sheet).facts()
        if self.region.is_empty:
            return PutFacts(self.sheet, facts, self.label, Change()).apply_to(workbook)
        facts = replace(facts, formats=facts.formats.changed(self.region, self.change))
        change = Change(formats=((self.sheet, self.region),))
        return PutFacts(self.sheet, facts, self.label, change).apply_to(workbook)


@dataclass(frozen=True, slots=True)
class SetLooks(Edit):
    """Give regions these very formats, whatever they had; later ones on top."""

    sheet: int
    looks: tuple[tuple[Region, Format], ...]

    @property
    def label(self) -> str:
        """For the undo menu."""
        return "Paste formats"

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        facts = workbook.sheet(self.sheet).facts()
        formats = facts.formats
        for region, look in self.looks:
            formats = formats.with_format(region, look)
        change = Change(formats=tuple((self.sheet, region) for region, _ in self.looks))
        return PutFacts(self.sheet, replace(facts, formats=formats), self.label, change).apply_to(
            workbook
        )


@dataclass(frozen=True, slots=True)
class SetScales(Edit):
    """Colour the numbers of these regions, and no others, on scales."""

    sheet: int
    scales: tuple[ColourScale, ...]

    @property
    def label(self) -> str:
        """For the undo menu."""
        return "Colour scale"

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        facts = workbook.sheet(self.sheet).facts()
        touched = {scale.region for scale in set(facts.scales) ^ set(self.scales)}
        change = Change(formats=tuple((self.sheet, region) for region in sorted(touched)))
        return PutFacts(
            self.sheet, replace(facts, scales=self.scales), self.label, change
        ).apply_to(workbook)


@dataclass(frozen=True, slots=True)
class SetTabColour(Edit):
    """Colour a sheet's tab: `#RRGGBB`, or "" for none."""

    sheet: int
    colour: str

    @property
    def label(self) -> str:
        """For the undo menu."""
        return "Colour tab"

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        facts = replace(workbook.sheet(self.sheet).facts(), tab_colour=self.colour)
        return PutFacts(self.sheet, facts, self.label, Change(structure=True)).apply_to(workbook)


@dataclass(frozen=True, slots=True)
class SetRoles(Edit):
    """Say what the regions of a sheet stand for, all of them anew."""

    sheet: int
    roles: tuple[RoleRegion, ...]

    @property
    def label(self) -> str:
        """For the undo menu."""
        return "Set roles"

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        facts = workbook.sheet(self.sheet).facts()
        touched = tuple((self.sheet, role.region) for role in (*facts.roles, *self.roles))
        return PutFacts(
            self.sheet, replace(facts, roles=self.roles), self.label, Change(formats=touched)
        ).apply_to(workbook)


@dataclass(frozen=True, slots=True)
class ResizeColumns(Edit):
    """Change the widths of columns.

    Parameters
    ----------
    sizes : (column, pixels), None for the default width
    """

    sheet: int
    sizes: tuple[tuple[int, int | None], ...]

    @property
    def label(self) -> str:
        """For the undo menu."""
        return "Resize columns"

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        facts = workbook.sheet(self.sheet).facts()
        _put_all(facts.column_widths, self.sizes)
        return PutFacts(self.sheet, facts, self.label, Change(structure=True)).apply_to(workbook)


@dataclass(frozen=True, slots=True)
class ResizeRows(Edit):
    """Change the heights of rows: (row, pixels), None for the default height."""

    sheet: int
    sizes: tuple[tuple[int, int | None], ...]

    @property
    def label(self) -> str:
        """For the undo menu."""
        return "Resize rows"

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        facts = workbook.sheet(self.sheet).facts()
        _put_all(facts.row_heights, self.sizes)
        return PutFacts(self.sheet, facts, self.label, Change(structure=True)).apply_to(workbook)


@dataclass(frozen=True, slots=True)
class SetLabels(Edit):
    """Write beside row numbers or column letters: (index, text), None to remove a label."""

    sheet: int
    axis: Axis
    labels: tuple[tuple[int, str | None], ...]

    @property
    def label(self) -> str:
        """For the undo menu."""
        return f"Label {self.axis}s"

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        facts = workbook.sheet(self.sheet).facts()
        _put_all(facts.row_labels if self.axis == "row" else facts.column_labels, self.labels)
        return PutFacts(self.sheet, facts, self.label, Change(structure=True)).apply_to(workbook)


@dataclass(frozen=True, slots=True)
class SetNote(Edit):
    """Put a note on a cell, None to remove it."""

    sheet: int
    cell: Cell
    text: str | None

    @property
    def label(self) -> str:
        """`Note on A1`."""
        return f"Note on {self.cell}"

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        facts = workbook.sheet(self.sheet).facts()
        _put_all(facts.notes, ((Cell(*self.cell), self.text),))
        change = Change(formats=((self.sheet, Region.of(self.cell)),))
        return PutFacts(self.sheet, facts, self.label, change).apply_to(workbook)


@dataclass(frozen=True, slots=True)
class Freeze(Edit):
    """Keep so many rows and columns in sight when scrolling."""

    sheet: int
    frozen: Cell

    @property
    def label(self) -> str:
        """For the undo menu."""
        return "Freeze panes"

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        facts = replace(workbook.sheet(self.sheet).facts(), frozen=self.frozen)
        return PutFacts(self.sheet, facts, self.label, Change(structure=True)).apply_to(workbook)


def _put_all(target: dict[_K, _V], items: tuple[tuple[_K, _V | None], ...]) -> None:
    for key, value in items:
        if value is None:
            target.pop(key, None)
        else:
            target[key] = value
