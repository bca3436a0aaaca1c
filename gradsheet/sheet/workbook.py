"""A workbook and its sheets: the facts of a document.

Owns `Workbook`, `Sheet`, and the door through which every edit goes. Also what a compiled
program pulls from it (formula.graph.Inputs). Knows no history, no calculation, no window.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import Expr
from gradsheet.formula.values import Strings, UserError
from gradsheet.sheet.cells import CellStore, Floats, Formula, Kinds
from gradsheet.sheet.change import Change
from gradsheet.sheet.colour_scale import ColourScale
from gradsheet.sheet.formats import FormatPalette, FormatRules
from gradsheet.sheet.names import DefinedName, Table
from gradsheet.sheet.roles import Role, RoleRegion

if TYPE_CHECKING:
    from gradsheet.sheet.change import Edit

__all__ = ["Change", "DefinedName", "Role", "RoleRegion", "Sheet", "SheetFacts", "Table",
           "Workbook"]  # fmt: skip

_FORBIDDEN = "[]:*?/\\"
_LONGEST_NAME = 31


@dataclass(frozen=True, slots=True)
class SheetFacts:
    """All of a sheet but its cells and name, as a copy that nobody changes.

    Parameters
    ----------
    column_widths, row_heights : pixels by index, where not the default; 0 or less hides, and
        the size without its sign is what unhiding brings back (0: the default)
    row_labels, column_labels : shown beside the row numbers and column letters
    frozen : how many rows and columns stay when scrolling
    scales : colour scales, later ones on top
    tab_colour : `#RRGGBB` of the sheet's tab, "" for none
    """

    formats: FormatRules
    roles: tuple[RoleRegion, ...] = ()
    column_widths: dict[int, int] = field(default_factory=dict)
    row_heights: dict[int, int] = field(default_factory=dict)
    row_labels: dict[int, str] = field(default_factory=dict)
    column_labels: dict[int, str] = field(default_factory=dict)
    frozen: Cell = Cell(0, 0)  # noqa: RUF009  an immutable tuple
    notes: dict[Cell, str] = field(default_factory=dict)
    scales: tuple[ColourScale, ...] = ()
    tab_colour: str = ""


class Sheet:
    """One sheet. Change it through `Workbook.apply`; a new sheet may be filled directly.

    Attributes
    ----------
    id : never changes and is never used again
    """

    def __init__(self, sheet_id: int, name: str, palette: FormatPalette) -> None:
        self.id = sheet_id
        self.name = name
        self.cells = CellStore()
        self.put_facts(SheetFacts(FormatRules(palette)))

    def facts(self) -> SheetFacts:
        """A copy of everything but cells and name."""
        return SheetFacts(
            self.formats,
            self.roles,
            dict(self.column_widths),
            dict(self.row_heights),
            dict(self.row_labels),
            dict(self.column_labels),
            self.frozen,
            dict(self.notes),
            self.scales,
            self.tab_colour,
        )

    def put_facts(self, facts: SheetFacts) -> None:
        """Replace everything but cells and name."""
        self.formats = facts.formats
        self.roles = facts.roles
        self.column_widths = dict(facts.column_widths)
        self.row_heights = dict(facts.row_heights)
        self.row_labels = dict(facts.row_labels)
        self.column_labels = dict(facts.column_labels)
        self.frozen = facts.frozen
        self.notes = dict(facts.notes)
        self.scales = facts.scales
        self.tab_colour = facts.tab_colour


class Workbook:
    """Sheets, texts, formats, names and tables."""

    def __init__(self) -> None:
        self.sheets: list[Sheet] = []
        self.strings = Strings()
        self.palette = FormatPalette()
        self.names: tuple[DefinedName, ...] = ()
        self.tables: tuple[Table, ...] = ()
        self._next_id = 1

    @classmethod
    def with_sheet(cls, name: str = "Sheet1") -> Workbook:
        """A workbook of one empty sheet."""
        workbook = cls()
        workbook.sheets.append(workbook.make_sheet(name))
        return workbook

    @property
    def date_1904(self) -> bool:
        """Whether serial numbers of dates count from 1904."""
        return self.palette.date_1904

    @date_1904.setter
    def date_1904(self, is_1904: bool) -> None:
        self.palette.date_1904 = is_1904

    def apply(self, edit: Edit) -> tuple[Edit, Change]:
        """Change the workbook.

        Returns
        -------
        The inverse edit, which applied at once restores the workbook bit by bit, and what was
        touched.

        Raises
        ------
        UserError
            If the edit is not possible; the workbook is as before.
        """
        return edit.apply_to(self)

    def snapshot(self) -> Workbook:
        """The workbook as it is now, which no later edit changes: to save it, or to run again.

        Cells are shared until one of the two changes, so it costs little. Texts and formats
        that come later are in it too, without a cell that uses them.
        """
        other = Workbook()
        other.strings, other.palette = self.strings, self.palette
        other.names, other.tables = self.names, self.tables
        other._next_id = self._next_id
        for sheet in self.sheets:
            copied = Sheet(sheet.id, sheet.name, self.palette)
            copied.cells = sheet.cells.snapshot()
            copied.put_facts(sheet.facts())
            other.sheets.append(copied)
        return other

    def make_sheet(self, name: str) -> Sheet:
        """A sheet with an id of its own, not yet among the sheets. Raises UserError."""
        self.check_sheet_name(name)
        sheet = Sheet(self._next_id, name, self.palette)
        self._next_id += 1
        return sheet

    @property
    def next_id(self) -> int:
        """The id that the next new sheet gets."""
        return self._next_id

    def reserve_ids(self, highest: int) -> None:
        """Give new sheets ids above this one, as when sheets come from a file with theirs."""
        self._next_id = max(self._next_id, highest + 1)

    def sheet(self, sheet_id: int) -> Sheet:
        """The sheet of an id. Raises UserError if it has been removed."""
        for sheet in self.sheets:
            if sheet.id == sheet_id:
                return sheet
        raise UserError("That sheet is no longer in the workbook.", "Undo its removal first.")

    def by_name(self, name: str) -> Sheet | None:
        """The sheet of a name, in either case."""
        wanted = name.casefold()
        for sheet in self.sheets:
            if sheet.name.casefold() == wanted:
                return sheet
        return None

    def position(self, sheet_id: int) -> int:
        """Where a sheet stands among the sheets, from 0. Raises UserError."""
        return self.sheets.index(self.sheet(sheet_id))

    def free_name(self, start: str = "Sheet") -> str:
        """A name that no sheet has: Sheet1, Sheet2 ..."""
        number = 1
        while self.by_name(f"{start}{number}") is not None:
            number += 1
        return f"{start}{number}"

    def check_sheet_name(self, name: str, owner: Sheet | None = None) -> None:
        """Raise UserError unless a sheet (`owner`, if it is there already) can have this name."""
        if not name.strip() or len(name) > _LONGEST_NAME:
            raise UserError(
                f"A sheet's name has 1 to {_LONGEST_NAME} characters.", "Choose another name."
            )
        bad = [sign for sign in _FORBIDDEN if sign in name]
        if bad or name[0] == "'" or name[-1] == "'":
            raise UserError(
                f"{name!r} cannot be a sheet's name.",
                f"Leave out {' '.join(bad)}." if bad else "It cannot begin or end with '.",
            )
        other = self.by_name(name)
        if other is not None and other is not owner:
            raise UserError(f"There is a sheet {other.name} already.", "Choose another name.")

    # What a program pulls: formula.graph.Inputs.

    def sheet_ids(self) -> list[int]:
        """Ids of the sheets in their order."""
        return [sheet.id for sheet in self.sheets]

    def sheet_name(self, sheet: int) -> str:
        """Name of a sheet."""
        return self.sheet(sheet).name

    def sheet_id(self, name: str) -> int | None:
        """Id of the sheet of this name, in either case."""
        found = self.by_name(name)
        return None if found is None else found.id

    def used(self, sheet: int) -> Region:
        """Smallest region around everything on a sheet, as formulas see it."""
        return self.sheet(sheet).cells.source_extent()

    def read(self, sheet: int, region: Region) -> tuple[Floats, Kinds]:
        """Values and kinds of a region as formulas see it, as fresh arrays."""
        return self.sheet(sheet).cells.read_source(region)

    def formulas(self, sheet: int) -> Mapping[Cell, Formula]:
        """Formulas of a sheet by their cells, a copy; an array formula at its first cell only."""
        return self.sheet(sheet).cells.formulas()

    def defined_name(self, name: str, sheet: int) -> Expr | None:
        """What a name stands for, looked up in the sheet's scope first."""
        wanted = name.casefold()
        common: Expr | None = None
        for defined in self.names:
            if defined.name.casefold() == wanted:
                if defined.sheet == sheet:
                    return defined.expr
                if defined.sheet is None:
                    common = defined.expr
        return common

    def table(self, name: str) -> Table | None:
        """The table of this name, in either case."""
        wanted = name.casefold()
        for table in self.tables:
            if table.name.casefold() == wanted:
                return table
        return None

    def hidden_rows(self, sheet: int) -> frozenset[int]:
        """The rows of a sheet that do not show."""
        heights = self.sheet(sheet).row_heights
        return frozenset(row for row, height in heights.items() if height <= 0)

    def table_at(self, sheet: int, cell: Cell) -> Table | None:
        """The table that a cell belongs to."""
        for table in self.tables:
            if table.sheet == sheet and table.region.contains(cell):
                return table
        return None
