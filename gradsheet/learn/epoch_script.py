"""A sheet of epochs as a PyTorch script: its rows as a loop, its columns as tensors.

Owns the translation of the cells that a run changes. `C[5]` of the script is C5 of the sheet.
What it cannot translate it refuses by name. Knows no document and no window.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from gradsheet.formula.address import Cell, Region, column_name
from gradsheet.formula.resolve import resolved
from gradsheet.formula.script_cells import NoScriptError, float_text
from gradsheet.formula.syntax import Expr, Range, Ref, cell_of, references, region_of, unparse
from gradsheet.formula.values import FormulaError, Kind
from gradsheet.learn.epoch_script_line import FormulaLine
from gradsheet.learn.epoch_step import EpochStep

if TYPE_CHECKING:
    from gradsheet.formula.graph import Inputs

TOTAL = '''def total(cells):
    """Return the sum of some cells, rounded once."""
    return tensor(math.fsum(cells.tolist()))'''
_LONGEST_PERIOD = 64


@dataclass(frozen=True, slots=True)
class EpochCode:
    """A sheet of epochs as code.

    Attributes
    ----------
    setup : tuple of str
        Lines that make the columns and put the numbers in.
    body : tuple of str
        Lines of `recalculate()`, without indentation.
    sources, targets : tuple of str
        Cells carried at the end of an epoch, pairwise.
    loss : str
        The cell of the error.
    rate, momentum : str
        The cells that a schedule moves; "" where there are none.
    """

    setup: tuple[str, ...]
    body: tuple[str, ...]
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    loss: str
    rate: str
    momentum: str


def epoch_code(
    inputs: Inputs, epoch: EpochStep, start: Mapping[Cell, float], remarks: Mapping[Cell, str]
) -> EpochCode:
    """Write a sheet of epochs as code.

    Parameters
    ----------
    inputs : Inputs
        The workbook, calculated.
    epoch : EpochStep
    start : mapping of Cell to float
        Numbers to begin with, where they differ from the workbook's.
    remarks : mapping of Cell to str
        What people call single cells, and the titles of columns.

    Raises
    ------
    FormulaError
        If a formula on the way has no counterpart in the script.
    """
    try:
        return _Sheet(inputs, epoch, start, remarks).code()
    except NoScriptError as missing:
        raise FormulaError(
            f"The sheet cannot be written as plain PyTorch: {missing}.",
            hint="Export it as .xlsx, or write that formula with other functions.",
        ) from missing


class _Sheet:
    """The cells of one sheet that a run changes, and what they read."""

    def __init__(
        self, inputs: Inputs, epoch: EpochStep, start: Mapping[Cell, float],
        remarks: Mapping[Cell, str],
    ) -> None:  # fmt: skip
        if epoch.loss is None:
            raise NoScriptError("the sheet names no error")
        self._inputs, self._epoch, self._id = inputs, epoch, epoch.sheet
        self._start, self._remarks = start, remarks
        self._formulas = inputs.formulas(epoch.sheet)
        self._moved = {cell for carry in epoch.carries for cell in carry.target.cells()}
        self._moved |= {cell for cell in (epoch.rate, epoch.momentum) if cell is not None}
        self._moved = {c for c in self._moved if c not in self._formulas}
        self._trees: dict[Cell, Expr] = {}
        self._reads: dict[Cell, list[Cell]] = {}
        self._constants: set[Cell] = set(self._moved)

    def code(self) -> EpochCode:
        epoch = self._epoch
        assert epoch.loss is not None
        sources = [cell for carry in epoch.carries for cell in carry.source.cells()]
        targets = [cell for carry in epoch.carries for cell in carry.target.cells()]
        dynamic = self._dynamic([*sources, epoch.loss])
        order = _ordered({cell: self._reads[cell] for cell in dynamic})
        self._constants.update(sources, {epoch.loss})
        body = list(self._body(order))
        return EpochCode(
            tuple(self._setup(set(order))), tuple(body),
            tuple(map(_spelled, sources)), tuple(map(_spelled, targets)), _spelled(epoch.loss),
            _spelled(epoch.rate) if epoch.rate in self._moved and epoch.rate else "",
            _spelled(epoch.momentum) if epoch.momentum in self._moved and epoch.momentum else "",
        )  # fmt: skip

    # ------------------------------------------------------------------ which cells

    def _dynamic(self, wanted: Sequence[Cell]) -> set[Cell]:
        """Return the formula cells that lead to the wanted ones and follow from moved ones."""
        pending = list(wanted)
        while pending:
            cell = pending.pop()
            if cell in self._reads or cell not in self._formulas:
                continue
            formula = self._formulas[cell]
            if formula.array is not None:
                raise NoScriptError(f"{cell} is part of an array formula")
            tree = resolved(formula.expr, self._id, cell, self._inputs, {})
            self._trees[cell] = tree
            self._reads[cell] = list(self._cells_read(tree, cell))
            pending += self._reads[cell]
        found, grows = set(self._moved), True
        while grows:
            more = {c for c, reads in self._reads.items()
                    if c not in found and any(r in found for r in reads)}  # fmt: skip
            found |= more
            grows = bool(more)
        return found - self._moved

    def _cells_read(self, tree: Expr, host: Cell) -> Iterator[Cell]:
        for node in references(tree):
            if not isinstance(node, (Ref, Range)):
                raise NoScriptError(f"{host} reads whole rows or columns")
            region = region_of(node, host)
            if region is None:
                raise NoScriptError(f"{host} has lost a reference")
            if self._sheet_of(node) == self._id:
                yield from region.cells()

    def _sheet_of(self, node: Ref | Range) -> int | None:
        named = node.first.sheet if isinstance(node, Range) else node.sheet
        return self._id if named is None else self._inputs.sheet_id(named)

    # ------------------------------------------------------------------ numbers

    def _number(self, sheet: int, cell: Cell) -> float | None:
        if sheet == self._id and cell in self._start:
            return self._start[cell]
        values, kinds = self._inputs.read(sheet, Region.of(cell))
        if kinds[0, 0] == Kind.BLANK:
            return 0.0
        return float(values[0, 0]) if kinds[0, 0] == Kind.NUMBER else None

    def _setup(self, computed: set[Cell]) -> Iterator[str]:
        """The columns, and the numbers that stand in them."""
        cells = sorted(self._constants | computed, key=lambda c: (c.col, c.row))
        size = max(cell.row for cell in cells) + 2
        for col in dict.fromkeys(cell.col for cell in cells):
            title = self._remarks.get(Cell(2, col), "")
            note = f"  # {title}" if title else ""
            yield f"{column_name(col)} = torch.zeros({size}, dtype=torch.float64){note}"
            fixed = [c.row for c in cells if c.col == col and c not in computed]
            for first, last in _runs(fixed):
                yield self._filled(col, first, last)

    def _filled(self, col: int, first: int, last: int) -> str:
        numbers = []
        for row in range(first, last + 1):
            number = self._number(self._id, Cell(row, col))
            if number is None:
                raise NoScriptError(f"{Cell(row, col)} holds no number")
            numbers.append(float_text(number))
        name = column_name(col)
        if first == last:
            remark = self._remarks.get(Cell(first, col), "")
            return f"{name}[{first + 1}] = {numbers[0]}" + (f"  # {remark}" if remark else "")
        lines, line = [], "   "
        for text in numbers:
            if len(line) + len(text) > 94:
                lines.append(line)
                line = "   "
            line += f" {text},"
        body = "\n".join([*lines, line])
        return f"{name}[{first + 1}:{last + 2}] = tensor([\n{body}\n])"

    # ------------------------------------------------------------------ lines

    def _body(self, order: Sequence[Cell]) -> Iterator[str]:
        """Lines for the cells in their order; rows that repeat as a loop."""
        groups: list[list[Cell]] = []
        for cell in order:
            if groups and groups[-1][0].row == cell.row:
                groups[-1].append(cell)
            else:
                groups.append([cell])
        keys = [tuple((c.col, self._trees[c]) for c in group) for group in groups]
        rows = [group[0].row for group in groups]
        at = 0
        while at < len(groups):
            period, times = _repeats(keys, rows, at)
            if times < 2:
                yield from self._lines(groups[at], None, 0)
                at += 1
                continue
            first, stop = rows[at] + 1, rows[at] + period * times + 1
            step = f", {period}" if period > 1 else ""
            yield f"for row in range({first}, {stop}{step}):"
            for i in range(period):
                for line in self._lines(groups[at + i], rows[at], period * times):
                    yield f"    {line}"
            at += period * times

    def _lines(self, group: Sequence[Cell], base: int | None, span: int) -> Iterator[str]:
        for cell in group:
            tree = self._trees[cell]
            writer = FormulaLine(self, cell, base, span)
            text = writer.text(tree, 0)
            remark = " ".join(unparse(tree, cell).split())
            yield f"# {remark}" if len(remark) < 90 else f"# {remark[:90]}…"
            yield f"{writer.place(cell.row, cell.col, is_absolute=False)} = {text}"

    def read_constant(self, cell: Cell) -> None:
        """Note that a cell is read which no formula of the script computes."""
        self._constants.add(cell)

    def is_whole(self, region: Region) -> bool:
        """Whether every cell of a region holds a number, so that it can be counted."""
        for cell in region.cells():
            if cell not in self._trees and (
                self._inputs.read(self._id, Region.of(cell))[1][0, 0] != Kind.NUMBER
            ):
                return False
        return True

    def foreign(self, node: Ref) -> str:
        """A number of another sheet, which no epoch changes."""
        sheet, cell = self._sheet_of(node), cell_of(node, Cell(0, 0))
        if sheet is None or cell is None or not (node.row_abs and node.col_abs):
            raise NoScriptError("a formula reads other sheets row by row")
        number = self._number(sheet, cell)
        if number is None:
            raise NoScriptError(f"{cell} of another sheet holds no number")
        return float_text(number)

    def is_own(self, node: Ref | Range) -> bool:
        """Whether a reference means this very sheet."""
        return self._sheet_of(node) == self._id


def _spelled(cell: Cell) -> str:
    return f"{column_name(cell.col)}[{cell.row + 1}]"


def _ordered(reads: Mapping[Cell, Sequence[Cell]]) -> list[Cell]:
    """Return cells so that each comes after those it reads, else row by row."""
    waits = {cell: sum(1 for r in set(found) if r in reads) for cell, found in reads.items()}
    readers: dict[Cell, list[Cell]] = {}
    for cell, found in reads.items():
        for r in set(found):
            if r in reads:
                readers.setdefault(r, []).append(cell)
    ready = [cell for cell, count in waits.items() if not count]
    ready.sort()
    order: list[Cell] = []
    while ready:
        cell = heappop(ready)
        order.append(cell)
        for reader in readers.get(cell, ()):
            waits[reader] -= 1
            if not waits[reader]:
                heappush(ready, reader)
    if len(order) < len(reads):
        raise NoScriptError("some cells depend on themselves")
    return order


def _repeats(keys: Sequence[object], rows: Sequence[int], at: int) -> tuple[int, int]:
    """Return how many groups from `at` make a round that repeats below, and how often."""
    best = (1, 1)
    for period in range(1, _LONGEST_PERIOD + 1):
        times, follows = 1, True
        while follows and at + period * (times + 1) <= len(keys):
            for i in range(period):
                here = at + period * times + i
                follows = keys[here] == keys[at + i] and rows[here] == rows[at] + period * times + i
                follows = follows and rows[at + i] == rows[at] + i
                if not follows:
                    break
            times += follows
        if times > 1 and period * times > best[0] * best[1]:
            best = (period, times)
            if period == 1:
                break
    return best


def _runs(rows: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Return runs of consecutive rows as (first, last)."""
    first = last = None
    for row in sorted(rows):
        if first is None or last is None or row != last + 1:
            if first is not None and last is not None:
                yield first, last
            first = row
        last = row
    if first is not None and last is not None:
        yield first, last
