"""A workbook some of whose formulas count as the values that the file stored for them.

Owns the view that the engine compiles instead of the workbook. Changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import Expr
from gradsheet.formula.values import Strings
from gradsheet.sheet.cells import Floats, Formula, Kinds
from gradsheet.sheet.names import Table
from gradsheet.sheet.workbook import Workbook


class HeldWorkbook:
    """What a program pulls (`formula.graph.Inputs`), without the formulas of some cells.

    Parameters
    ----------
    held : (sheet id, cell) of the formulas to leave out
    """

    def __init__(self, workbook: Workbook, held: Collection[tuple[int, Cell]]) -> None:
        self._workbook = workbook
        self._held = held

    @property
    def strings(self) -> Strings:
        """The texts of the workbook."""
        return self._workbook.strings

    def sheet_ids(self) -> list[int]:
        """Ids of the sheets in their order."""
        return self._workbook.sheet_ids()

    def sheet_name(self, sheet: int) -> str:
        """Name of a sheet."""
        return self._workbook.sheet_name(sheet)

    def sheet_id(self, name: str) -> int | None:
        """Id of the sheet of this name, in either case."""
        return self._workbook.sheet_id(name)

    def used(self, sheet: int) -> Region:
        """Smallest region around everything on a sheet."""
        return self._workbook.used(sheet)

    def read(self, sheet: int, region: Region) -> tuple[Floats, Kinds]:
        """Values and kinds of a region, as fresh arrays."""
        return self._workbook.read(sheet, region)

    def formulas(self, sheet: int) -> Mapping[Cell, Formula]:
        """The formulas of a sheet that are not held."""
        found = self._workbook.formulas(sheet)
        if not self._held:
            return found
        return {cell: f for cell, f in found.items() if (sheet, cell) not in self._held}

    def defined_name(self, name: str, sheet: int) -> Expr | None:
        """What a name stands for."""
        return self._workbook.defined_name(name, sheet)

    def table(self, name: str) -> Table | None:
        """The table of this name."""
        return self._workbook.table(name)

    def table_at(self, sheet: int, cell: Cell) -> Table | None:
        """The table that a cell belongs to."""
        return self._workbook.table_at(sheet, cell)

    def hidden_rows(self, sheet: int) -> Collection[int]:
        """The rows of a sheet that do not show."""
        return self._workbook.hidden_rows(sheet)

    @property
    def date_1904(self) -> bool:
        """Whether serial numbers of dates count from 1904."""
        return self._workbook.date_1904
