"""What a workbook file says that a `Workbook` has no place for, kept so that it can be written.

Owns the records. Knows no file format and no cells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from gradsheet.formula.address import Region

StopKind = Literal["min", "max", "num", "percent", "percentile"]


@dataclass(frozen=True, slots=True)
class ColorStop:
    """One end, or the middle, of a colour scale.

    Parameters
    ----------
    kind : how `value` is meant; without one for "min" and "max"
    color : `#RRGGBB`
    """

    kind: StopKind
    color: str
    value: float | None = None


@dataclass(frozen=True, slots=True)
class ColorScale:
    """Cells coloured by their value: two or three stops, from low to high."""

    regions: tuple[Region, ...]
    stops: tuple[ColorStop, ...]


@dataclass(frozen=True, slots=True)
class SheetPlace:
    """Where a sheet is in its package.

    Parameters
    ----------
    part : name of its part
    position : among all sheets of the file, chart sheets too; names count by it
    """

    part: str
    position: int


@dataclass(frozen=True, slots=True)
class FileFacts:
    """Beside the workbook itself.

    Parameters
    ----------
    hidden_sheets : ids of the sheets that Excel does not show
    color_scales : by id of the sheet
    active_sheet : id of the sheet to show first, None if not known
    has_macros : whether the file holds macros, which are never run
    places : by id of the sheet, for saving back into the same package
    dynamic : value of `cm` that marks dynamic arrays in the file, 0 if there is none
    """

    hidden_sheets: frozenset[int] = frozenset()
    color_scales: Mapping[int, tuple[ColorScale, ...]] = field(default_factory=dict)
    active_sheet: int | None = None
    has_macros: bool = False
    places: Mapping[int, SheetPlace] = field(default_factory=dict)
    dynamic: int = 0
