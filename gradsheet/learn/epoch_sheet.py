"""One sheet's numbers and how they follow from one another: as one function, or by the engine.

Owns `EpochSheet`, the cells that an epoch moves and recalculates. Knows neither epochs nor runs;
works on a copy of the cells.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from copy import copy

import numpy as np
import numpy.typing as npt

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.compiler import Program, compile_program
from gradsheet.formula.results import Computed
from gradsheet.formula.values import ErrorCode, Kind
from gradsheet.learn.sheet_copy import SheetCopy
from gradsheet.learn.straightline import StraightLine, Untranslatable
from gradsheet.sheet.change import regions_over

Floats = npt.NDArray[np.float64]

_AGREES = 1e-11
"""How well the fast arithmetic must agree with the engine to be used: relative."""


class EpochSheet:
    """The numbers of a sheet, moved and recalculated as epochs go.

    Parameters
    ----------
    cells : SheetCopy
        Written to as the numbers move.
    sheet : int
        Its id.
    """

    def __init__(self, cells: SheetCopy, sheet: int) -> None:
        self._cells = cells
        self._id = sheet
        self._formulas = sorted(cells.formulas(sheet))
        self._regions = regions_over(self._formulas)
        used = cells.used(sheet)
        for region in self._regions:
            used = used.union_hull(region)
        self._hull = Region(0, 0, used.bottom, used.right)
        self._values, self._kinds = cells.read(sheet, self._hull)
        self._program: Program | None = None
        self._calculate([])
        self._errors_at_start = set(self._errors())
        rows = [cell.row for cell in self._formulas]
        self._at = (np.array(rows), np.array([cell.col for cell in self._formulas]))
        self._fast = self._translated()
        self._constants: list[float] = []
        self._inputs: dict[Cell, int] = {}
        if self._fast is not None:
            self._constants = list(self._fast.start)
            self._inputs = {c: i for i, (s, c) in enumerate(self._fast.inputs) if s == sheet}
            # From the first pass on the same arithmetic, so that each comes back to the last bit.
            self._ran_fast(self._fast)

    def twin(self) -> EpochSheet:
        """Return an independent sheet with the same numbers and the same arithmetic."""
        other = copy(self)
        other._cells = self._cells.twin()
        other._program = None
        other._values, other._kinds = self._values.copy(), self._kinds.copy()
        other._constants = list(self._constants)
        return other

    @property
    def is_fast(self) -> bool:
        """Whether the formulas run as one function rather than through the engine."""
        return self._fast is not None

    def _translated(self) -> StraightLine | None:
        """Return the sheet as one function if that gives the engine's numbers, else None."""
        try:
            line = StraightLine(self._cells, [(self._id, cell) for cell in self._formulas])
            found = line.run(line.start)
        except (Untranslatable, ArithmeticError, ValueError):
            return None
        for cell, value in zip(self._formulas, found, strict=True):
            if self._kinds[cell] != Kind.NUMBER:
                return None
            if not math.isclose(value, self._values[cell], rel_tol=_AGREES, abs_tol=1e-300):
                return None
        return line

    def number(self, cell: Cell) -> float:
        """Return the number in a cell, NaN where it holds none."""
        if self._kinds[cell] != Kind.NUMBER:
            return math.nan
        return float(self._values[cell])

    def read(self, region: Region) -> Floats:
        """Return a copy of the numbers of a region, NaN for what is none."""
        at = region.slices_in(self._hull)
        return np.where(self._kinds[at] == Kind.NUMBER, self._values[at], np.nan)

    def move(self, moves: dict[Region, Floats]) -> tuple[Cell, str] | None:
        """Put numbers into cells and recalculate; return the first new error and its text."""
        for region, values in moves.items():
            if not np.isfinite(values).all():
                return region.first, "no number"
            self._cells.write(self._id, region, values)
            at = region.slices_in(self._hull)
            self._values[at], self._kinds[at] = values, Kind.NUMBER
            for cell, value in zip(region.cells(), values.ravel().tolist(), strict=True):
                if cell in self._inputs:
                    self._constants[self._inputs[cell]] = value
        if self._fast is not None and self._ran_fast(self._fast):
            return None
        self._calculate([*moves])
        return self.first_error(besides=self._errors_at_start)

    def first_error(self, besides: AbstractSet[Cell] = frozenset()) -> tuple[Cell, str] | None:
        """Return the first cell that shows an error, row by row, and what it shows."""
        for cell in self._errors():
            if cell not in besides:
                return cell, ErrorCode(int(self._values[cell])).text
        return None

    def _ran_fast(self, line: StraightLine) -> bool:
        try:
            found = line.run(self._constants)
            if not math.isfinite(math.fsum(found)) and not all(map(math.isfinite, found)):
                return False
        except (ArithmeticError, ValueError):
            return False
        self._values[self._at] = found
        self._kinds[self._at] = Kind.NUMBER
        return True

    def _calculate(self, moved: Sequence[Region]) -> None:
        """Let the engine compute what depends on these regions; everything at first."""
        if self._program is None:
            self._program = compile_program(self._cells)
            results = self._program.recalculate()
        else:
            results = self._program.recalculate([(self._id, region) for region in moved])
        for result in results:
            if result.sheet == self._id:
                at = result.region.slices_in(self._hull)
                self._values[at], self._kinds[at] = result.values, result.kinds

    def _errors(self) -> list[Cell]:
        """Return the cells that show an error, row by row."""
        rows, cols = np.nonzero(self._kinds == Kind.ERROR)
        return [Cell(int(r), int(c)) for r, c in zip(rows, cols, strict=True)]

    def computed(self) -> list[Computed]:
        """Return the values of every formula."""
        found = []
        for region in self._regions:
            at = region.slices_in(self._hull)
            values, kinds = self._values[at].copy(), self._kinds[at].copy()
            found.append(Computed(self._id, region, values, kinds))
        return found
