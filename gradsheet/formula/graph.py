"""The blocks of a workbook, what each one reads, and the order to compute them in.

Owns what the engine pulls from a workbook (Inputs), the grouping of formula cells into blocks,
exact dependencies, strongly connected parts and their order. Knows no values and no torch.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from gradsheet.formula.address import MAX_COLS, MAX_ROWS, Cell, Region
from gradsheet.formula.areas import (
    Area,
    Part,
    area_of,
    footprint,
    is_ragged,
    offsets_of,
    rectangles,
)
from gradsheet.formula.blocks import Block, OwnerMap
from gradsheet.formula.order import strong_components
from gradsheet.formula.resolve import depends_on_host, resolved
from gradsheet.formula.syntax import Call, Columns, Expr, Range, Ref, Rows, children
from gradsheet.formula.values import Strings


class FormulaLike(Protocol):
    """A formula as a sheet keeps it."""

    @property
    def expr(self) -> Expr:
        """The tree, relative to the cell."""

    @property
    def array(self) -> Region | None:
        """The region of an array formula, from its anchor; None for an ordinary formula."""

    @property
    def dynamic(self) -> bool:
        """Whether its result may spill."""


class TableLike(Protocol):
    """A table as structured references see it."""

    @property
    def sheet(self) -> int:
        """Id of the sheet that holds it."""

    @property
    def region(self) -> Region:
        """The whole table with its header and totals rows."""

    @property
    def columns(self) -> Sequence[str]:
        """Column names, left to right."""

    @property
    def header_rows(self) -> int:
        """Rows of headers, 0 or 1."""

    @property
    def totals_rows(self) -> int:
        """Rows of totals, 0 or 1."""


class Inputs(Protocol):
    """What a program pulls from a workbook."""

    @property
    def strings(self) -> Strings:
        """The texts of the workbook."""

    def sheet_ids(self) -> list[int]:
        """Ids of the sheets in their order."""

    def sheet_name(self, sheet: int) -> str:
        """Name of a sheet."""

    def sheet_id(self, name: str) -> int | None:
        """Id of the sheet of this name, in either case."""

    def used(self, sheet: int) -> Region:
        """Smallest region around everything on a sheet."""

    def read(
        self, sheet: int, region: Region
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.uint8]]:
        """Values and kinds of a region, as fresh arrays."""

    def formulas(self, sheet: int) -> Mapping[Cell, FormulaLike]:
        """Formulas of a sheet by their cells; an array formula at its anchor only."""

    def defined_name(self, name: str, sheet: int) -> Expr | None:
        """What a name stands for, looked up in the sheet's scope first."""

    def table(self, name: str) -> TableLike | None:
        """The table of this name."""

    def table_at(self, sheet: int, cell: Cell) -> TableLike | None:
        """The table that a cell belongs to."""

    def hidden_rows(self, sheet: int) -> Collection[int]:
        """The rows of a sheet that do not show."""

    @property
    def date_1904(self) -> bool:
        """Whether serial numbers of dates count from 1904."""


@dataclass(frozen=True, slots=True)
class Component:
    """Blocks to compute together: one block, or several that read each other (a recurrence)."""

    blocks: tuple[int, ...]
    is_recurrence: bool


ADDRESS_ARGUMENTS: dict[str, tuple[int, ...]] = {
    "ROW": (0,),
    "COLUMN": (0,),
    "ROWS": (0,),
    "COLUMNS": (0,),
    "OFFSET": (0,),
    "ISREF": (0,),
    "ISFORMULA": (0,),
    "FORMULATEXT": (0,),
    "AREAS": (0,),
}
"""Arguments that are addresses: the cells that they name are not read."""

DYNAMIC_FUNCTIONS = frozenset({"OFFSET", "INDIRECT"})
"""Functions whose targets are known only when they are computed."""


class Graph:
    """Blocks of a workbook with their dependencies.

    Parameters
    ----------
    inputs : the workbook
    spills : where dynamic formulas spill now, by (sheet, anchor)
    """

    def __init__(self, inputs: Inputs, spills: Mapping[tuple[int, Cell], Region]) -> None:
        self._inputs = inputs
        self._sheet_ids: dict[str, int | None] = {}
        self.blocks: list[Block] = []
        for sheet in inputs.sheet_ids():
            self._collect(sheet, spills)
        self.owners = {
            sheet: OwnerMap(b for b in self.blocks if b.sheet == sheet)
            for sheet in inputs.sheet_ids()
        }
        self.reads: list[list[Area]] = [list(self._areas(block)) for block in self.blocks]
        self.precedents = [self._blocks_in(i) for i in range(len(self.blocks))]
        self.dependents: list[list[int]] = [[] for _ in self.blocks]
        for index, sources in enumerate(self.precedents):
            for source in sources:
                self.dependents[source].append(index)
        self.components = [
            Component(tuple(members), len(members) > 1 or members[0] in self.precedents[members[0]])
            for members in strong_components(self.precedents)
        ]

    def sheet_of(self, name: str | None, host: int) -> int | None:
        """Id of a sheet named in a reference; the host's own where none is named."""
        if name is None:
            return host
        if name not in self._sheet_ids:
            self._sheet_ids[name] = self._inputs.sheet_id(name)
        return self._sheet_ids[name]

    def owner(self, sheet: int, cell: tuple[int, int]) -> int | None:
        """Index of the block that computes a cell."""
        owners = self.owners.get(sheet)
        return None if owners is None else owners.at(cell)

    def blocks_in(self, sheet: int, region: Region) -> set[int]:
        """Indices of the blocks that compute any cell of a region."""
        owners = self.owners.get(sheet)
        if owners is None or region.is_empty:
            return set()
        return owners.within((slice(region.top, region.bottom, 1),
                              slice(region.left, region.right, 1)))  # fmt: skip

    def readers_of(self, sheet: int, region: Region) -> set[int]:
        """Indices of the blocks that read any cell of a region directly."""
        found = set()
        for index, areas in enumerate(self.reads):
            part = self.blocks[index].part
            for area in areas:
                if area.sheet == sheet and area.hull(part.rows, part.cols).intersect(region):
                    found.add(index)
                    break
        return found

    def _collect(self, sheet: int, spills: Mapping[tuple[int, Cell], Region]) -> None:
        groups: dict[int, tuple[Expr, list[Cell]]] = {}
        single: list[tuple[Cell, FormulaLike]] = []
        for cell, formula in self._inputs.formulas(sheet).items():
            if formula.array is not None or formula.dynamic:
                single.append((cell, formula))
                continue
            group = groups.get(id(formula.expr))
            if group is None:
                group = groups[id(formula.expr)] = (formula.expr, [])
            group[1].append(cell)
        merged: dict[Expr, list[Cell]] = {}
        for expr, cells in groups.values():
            merged.setdefault(expr, []).extend(cells)
        cleaned: dict[Expr, list[Cell]] = {}
        for expr, cells in merged.items():
            for home, clean in self._resolved(expr, sheet, cells, spills):
                cleaned.setdefault(clean, []).extend(home)
        for clean, cells in cleaned.items():
            for part in _parts(clean, sheet, cells):
                self.blocks.append(Block(len(self.blocks), part, clean))
        for cell, formula in single:
            clean = resolved(formula.expr, sheet, cell, self._inputs, spills)
            array = formula.array
            if formula.dynamic:
                array = spills.get((sheet, cell), formula.array or Region.of(cell))
            part = Part(sheet, cell.row, cell.col, 1, 1)
            self.blocks.append(Block(len(self.blocks), part, clean, array, formula.dynamic))

    def _resolved(
        self, expr: Expr, sheet: int, cells: list[Cell], spills: Mapping[tuple[int, Cell], Region]
    ) -> Iterator[tuple[list[Cell], Expr]]:
        """What a formula stands for in its cells: once, unless that depends on the cell."""
        if depends_on_host(expr):
            for cell in cells:
                yield [cell], resolved(expr, sheet, cell, self._inputs, spills)
        else:
            yield cells, resolved(expr, sheet, cells[0], self._inputs, spills)

    def _areas(self, block: Block) -> Iterator[Area]:
        for node in read_references(block.expr):
            sheet = self.sheet_of(sheet_named(node), block.sheet)
            if sheet is not None:
                area = area_of(node, sheet, block.part)
                if area is not None:
                    yield area

    def _blocks_in(self, index: int) -> set[int]:
        part = self.blocks[index].part
        found: set[int] = set()
        for area in self.reads[index]:
            owners = self.owners.get(area.sheet)
            if owners is not None:
                for slices in footprint(area, part.rows, part.cols):
                    found |= owners.within(slices)
        return found


def sheet_named(node: Ref | Range | Columns | Rows) -> str | None:
    """The sheet that a reference names; None for the host's own."""
    return node.first.sheet if isinstance(node, Range) else node.sheet


def read_references(expr: Expr) -> Iterator[Ref | Range | Columns | Rows]:
    """References whose cells are read: all but those that only give an address."""
    pending: list[Expr] = [expr]
    while pending:
        node = pending.pop()
        if isinstance(node, (Ref, Range, Columns, Rows)):
            yield node
            continue
        skipped = ADDRESS_ARGUMENTS.get(node.name, ()) if isinstance(node, Call) else ()
        pending.extend(
            child
            for position, child in reversed(list(enumerate(children(node))))
            if position not in skipped or not isinstance(child, (Ref, Range, Columns, Rows))
        )


def _all_references(expr: Expr) -> Iterator[Ref | Range | Columns | Rows]:
    pending: list[Expr] = [expr]
    while pending:
        node = pending.pop()
        if isinstance(node, (Ref, Range, Columns, Rows)):
            yield node
        pending.extend(children(node))


def _parts(expr: Expr, sheet: int, cells: list[Cell]) -> Iterator[Part]:
    """Rectangles of the cells, cut where references grow or leave the sheet."""
    rows, cols, ragged_rows, ragged_cols = [0], [0], False, False
    for node in _all_references(expr):
        more_rows, more_cols = offsets_of(node)
        rows += more_rows
        cols += more_cols
        down, right = is_ragged(node)
        ragged_rows |= down
        ragged_cols |= right
    inner, outer = cells, []
    if min(rows) < 0 or max(rows) > 0 or min(cols) < 0 or max(cols) > 0:
        legal = Region(-min(rows), -min(cols), MAX_ROWS - max(rows), MAX_COLS - max(cols))
        inner = [cell for cell in cells if legal.contains(cell)]
        outer = [cell for cell in cells if not legal.contains(cell)] if inner != cells else []
    for cell in outer:
        yield Part(sheet, cell.row, cell.col, 1, 1)
    for top, left, count, width, down_by, right_by in rectangles(inner):
        part = Part(sheet, top, left, count, width, down_by, right_by)
        yield from _cut(part, ragged_rows, ragged_cols)


def _cut(part: Part, by_rows: bool, by_cols: bool) -> Iterator[Part]:
    for r in range(part.rows if by_rows else 1):
        for c in range(part.cols if by_cols else 1):
            yield part._replace(
                top=part.top + r * part.row_stride,
                left=part.left + c * part.col_stride,
                rows=1 if by_rows else part.rows,
                cols=1 if by_cols else part.cols,
            )
