"""What an epoch of a sheet is: which cells it carries where, what it logs, what Reset puts back.

Owns the record and how it is read from the defined names of a workbook (`lastslope` and `slope`,
`momlast` and `momtarget` and so on), as the lecture's macros did. No torch, no calculation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import Binary, Call, Range, Ref, region_of

if TYPE_CHECKING:
    from gradsheet.formula.graph import Inputs

PAIRS = (
    ("lastconst", "const"),
    ("lastslope", "slope"),
    ("momlast", "momtarget"),
    ("ms_last", "gradtarget"),
    ("histgrad", "gradtarget"),
    ("laststep", "steptarget"),
    ("l2lastconst", "l2const"),
    ("l2lastslope", "l2slope"),
    ("l2momlast", "l2momtarget"),
    ("l2ms_last", "l2gradtarget"),
    ("ft_1", "ft_2"),
    ("loss", "ft_1"),
    ("dtee", "dt_1"),
    ("nextlr", "lr"),
    ("nextsmallest", "prev_grad2"),
)
"""Names of what an epoch leaves and of where the next one takes it up; first pairs win."""
_LOSSES = ("rmse", "loss")
_LOG_STARTS_BELOW = 2


@dataclass(frozen=True, slots=True)
class Carry:
    """Cells copied at the end of an epoch; both regions have the same shape."""

    source: Region
    target: Region


@dataclass(frozen=True, slots=True)
class EpochStep:
    """An epoch of one sheet: all carries at once, recalculate, append the error to the log.

    Attributes
    ----------
    sheet : int
        The sheet's id.
    carries : tuple of Carry
        Every source is read before any target is written.
    loss : Cell or None
        The error of an epoch; None where the sheet has none.
    log : Cell or None
        Where the list of errors begins; it grows downwards.
    rate, momentum : Cell or None
        What a schedule moves.
    path : (Region, Region) or None
        The columns of intercepts and slopes of the rows, for the trajectory.
    """

    sheet: int
    carries: tuple[Carry, ...]
    loss: Cell | None = None
    log: Cell | None = None
    rate: Cell | None = None
    momentum: Cell | None = None
    path: tuple[Region, Region] | None = None

    @property
    def targets(self) -> tuple[Region, ...]:
        """The cells that an epoch changes, without the log."""
        return tuple(carry.target for carry in self.carries)


def epoch_step_of(inputs: Inputs, sheet: int) -> EpochStep | None:
    """Read the epoch of a sheet from its names; None if it has no `slope` and `lastslope`.

    Ours name the cells of the *new* weights, which the last row produced. The lecture's own files
    name those that the last row used, and are then run as they say.
    """
    found = {name: named_region(inputs, sheet, name) for pair in PAIRS for name in pair}
    carries: list[Carry] = []
    for source_name, target_name in PAIRS:
        source, target = found[source_name], found[target_name]
        if source is None or target is None or source.shape != target.shape:
            continue
        if all(carry.target != target for carry in carries):
            carries.append(Carry(source, target))
    if found["slope"] is None or found["lastslope"] is None or not carries:
        return None
    start = named_region(inputs, sheet, "rmsestart")
    named = next((r.first for name in _LOSSES if (r := named_region(inputs, sheet, name))), None)
    return EpochStep(
        sheet,
        tuple(carries),
        loss=named or _summed_error(inputs, sheet, found["lastslope"]),
        log=Cell(start.top + _LOG_STARTS_BELOW, start.left) if start else None,
        rate=_first(inputs, sheet, "lr"),
        momentum=_first(inputs, sheet, "momentum"),
        path=_path(inputs, sheet),
    )


def _summed_error(inputs: Inputs, sheet: int, last: Region) -> Cell | None:
    """The cell that holds `=SQRT(SUM(...))` of a column of squares down to the last row.

    The lecture names the error on the first of its sheets only.
    """
    formulas = inputs.formulas(sheet)
    for cell, formula in sorted(formulas.items()):
        match formula.expr:
            case Call("SQRT", (Call("SUM", (Range() as column,)),)):
                region = region_of(column, cell)
            case _:
                continue
        if region is None or region.cols != 1 or region.bottom != last.bottom:
            continue
        squared = formulas.get(Cell(region.bottom - 1, region.left))
        if squared is not None and isinstance(squared.expr, Binary) and squared.expr.op == "^":
            return cell
    return None


def _path(inputs: Inputs, sheet: int) -> tuple[Region, Region] | None:
    const, slope = (named_region(inputs, sheet, name) for name in ("constpath", "slopepath"))
    return None if const is None or slope is None else (const, slope)


def _first(inputs: Inputs, sheet: int, name: str) -> Cell | None:
    region = named_region(inputs, sheet, name)
    return region.first if region else None


def named_region(inputs: Inputs, sheet: int, name: str) -> Region | None:
    """Return the cells of this very sheet that a name stands for, None if there are none."""
    expr = inputs.defined_name(name, sheet)
    if not isinstance(expr, (Ref, Range)):
        return None
    named = expr.first.sheet if isinstance(expr, Range) else expr.sheet
    if named is not None and inputs.sheet_id(named) != sheet:
        return None
    return region_of(expr, Cell(0, 0))
