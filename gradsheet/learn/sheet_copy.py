"""A private copy of the cells that one sheet's formulas read, for a program in a thread.

Owns `SheetCopy`, which offers what a compiled program pulls (formula.graph.Inputs): the formulas
of one sheet, everything else on it and on the sheets it reads as numbers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from copy import copy
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.resolve import resolved
from gradsheet.formula.syntax import Expr, Range, Ref, references
from gradsheet.formula.values import Kind, Strings

if TYPE_CHECKING:
    from gradsheet.formula.graph import FormulaLike, Inputs, TableLike

_EMPTY = Region(0, 0, 1, 1)


class SheetCopy:
    """The cells of a sheet and of those that it reads, as they were when the copy was made.

    Parameters
    ----------
    inputs : Inputs
        The workbook; not looked at again, but for its names, tables and texts.
    sheet : int
        Id of the sheet whose formulas are kept.
    """

    def __init__(self, inputs: Inputs, sheet: int) -> None:
        self._inputs = inputs
        self.strings: Strings = inputs.strings
        self._sheet = sheet
        self._formulas: Mapping[Cell, FormulaLike] = dict(inputs.formulas(sheet))
        wanted = {sheet} | self._sheets_read()
        self._ids = [i for i in inputs.sheet_ids() if i in wanted]
        self._names = {i: inputs.sheet_name(i) for i in self._ids}
        self._values: dict[int, npt.NDArray[np.float64]] = {}
        self._kinds: dict[int, npt.NDArray[np.uint8]] = {}
        for i in self._ids:
            used = inputs.used(i)
            hull = _EMPTY.union_hull(used)
            self._values[i], self._kinds[i] = inputs.read(i, Region(0, 0, hull.bottom, hull.right))

    @property
    def sheets(self) -> frozenset[int]:
        """The sheet and those that its formulas read, by id."""
        return frozenset(self._ids)

    def twin(self) -> SheetCopy:
        """Return another copy of the same cells, as they are now."""
        other = copy(self)
        other._values = {i: values.copy() for i, values in self._values.items()}
        other._kinds = {i: kinds.copy() for i, kinds in self._kinds.items()}
        return other

    def _sheets_read(self) -> set[int]:
        found: set[int] = set()
        for cell, formula in self._formulas.items():
            for node in references(resolved(formula.expr, self._sheet, cell, self._inputs, {})):
                named = node.first.sheet if isinstance(node, Range) else (
                    node.sheet if isinstance(node, Ref) else None
                )  # fmt: skip
                if named is not None and (other := self._inputs.sheet_id(named)) is not None:
                    found.add(other)
        return found

    def write(self, sheet: int, region: Region, values: npt.ArrayLike) -> None:
        """Put numbers into the copy."""
        inside = region.intersect(self.used(sheet))
        if inside == region:
            at = region.slices_in(self.used(sheet))
            self._values[sheet][at] = values
            self._kinds[sheet][at] = Kind.NUMBER

    def sheet_ids(self) -> list[int]:
        """See Inputs."""
        return self._ids

    def sheet_name(self, sheet: int) -> str:
        """See Inputs."""
        return self._names[sheet]

    def sheet_id(self, name: str) -> int | None:
        """See Inputs."""
        wanted = name.casefold()
        return next((i for i, n in self._names.items() if n.casefold() == wanted), None)

    def used(self, sheet: int) -> Region:
        """See Inputs."""
        rows, cols = self._values[sheet].shape
        return Region(0, 0, rows, cols)

    def read(
        self, sheet: int, region: Region
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.uint8]]:
        """See Inputs."""
        values, kinds = np.zeros(region.shape), np.zeros(region.shape, np.uint8)
        inside = region.intersect(self.used(sheet))
        if inside is not None:
            to, at = inside.slices_in(region), inside.slices_in(self.used(sheet))
            values[to], kinds[to] = self._values[sheet][at], self._kinds[sheet][at]
        return values, kinds

    def formulas(self, sheet: int) -> Mapping[Cell, FormulaLike]:
        """See Inputs; only the copied sheet has any."""
        return self._formulas if sheet == self._sheet else {}

    def defined_name(self, name: str, sheet: int) -> Expr | None:
        """See Inputs."""
        return self._inputs.defined_name(name, sheet)

    def table(self, name: str) -> TableLike | None:
        """See Inputs."""
        return self._inputs.table(name)

    def table_at(self, sheet: int, cell: Cell) -> TableLike | None:
        """See Inputs."""
        return self._inputs.table_at(sheet, cell)

    def hidden_rows(self, sheet: int) -> Collection[int]:
        """See Inputs."""
        return self._inputs.hidden_rows(sheet)

    @property
    def date_1904(self) -> bool:
        """See Inputs."""
        return self._inputs.date_1904
