"""Defined names and tables of a workbook, as records.

Owns what they are; looking them up is the workbook's. Knows no cells.
"""

from __future__ import annotations

from dataclasses import dataclass

from gradsheet.formula.address import Region
from gradsheet.formula.syntax import Expr


@dataclass(frozen=True, slots=True)
class DefinedName:
    """A name for a formula, most often for cells.

    Parameters
    ----------
    expr : relative to A1
    sheet : id of the sheet in whose formulas the name counts, None for all
    hidden : whether lists leave it out, as those of Excel's Solver
    """

    name: str
    expr: Expr
    sheet: int | None = None
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table that structured references can name.

    Parameters
    ----------
    sheet : id of the sheet
    region : with its header and totals rows
    columns : names from left to right, one for each column of the region
    """

    name: str
    sheet: int
    region: Region
    columns: tuple[str, ...]
    header_rows: int = 1
    totals_rows: int = 0
