"""What a formula sees from its cell: the values of its parts and where they come from.

Owns the evaluation of parts of one formula over the cells as they are stored now, for the
explanations. Reads Inputs only where asked, so a table of any length costs nothing; knows no
program, no language of explanation and no window.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from gradsheet.formula import dates
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.areas import Area, Part, Scatter
from gradsheet.formula.batch import Batch, plain
from gradsheet.formula.evaluate import Evaluator, Value, World
from gradsheet.formula.functions import FUNCTIONS
from gradsheet.formula.graph import FormulaLike, Inputs
from gradsheet.formula.resolve import resolved
from gradsheet.formula.syntax import (
    Call,
    Columns,
    Expr,
    Name,
    Range,
    Ref,
    Rows,
    children,
    parse,
    transform,
)
from gradsheet.formula.values import ErrorCode, Kind, Scalar, unpack
from gradsheet.formula.windows import Planes, Window

Floats = npt.NDArray[np.float64]
Kinds = npt.NDArray[np.uint8]
Reference = (Ref, Range, Columns, Rows)
_MOST_NODES = 2000
"""A formula whose LET variables, written out, give more parts than this keeps their values."""


class Source(NamedTuple):
    """The cells that a number comes from."""

    sheet: int
    region: Region


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of an explanation's text.

    Attributes
    ----------
    text : as it is shown, numbers rounded
    source : the cells a number comes from; None for operators and constants
    exact : as it stands in code that runs; the text itself if empty
    tone : "note" for a remark beside the formula
    """

    text: str
    source: Source | None = None
    exact: str = ""
    tone: Literal["plain", "note"] = "plain"


NumberText = Callable[[float, "Source | None"], str]


def short_number(value: float, source: Source | None = None) -> str:
    """A number in at most five significant digits: `3.25`, `-0.0012`, `206`."""
    if value == int(value) and abs(value) < 1e7:
        return str(int(value))
    return f"{value:.5g}" if 1e-4 <= abs(value) < 1e7 else f"{value:.3e}"


class _Stored(Planes):
    """The cells of a workbook, read where a formula looks."""

    def __init__(self, inputs: Inputs) -> None:
        super().__init__({})
        self._inputs = inputs

    def window(self, sheet: int, region: Region) -> Window:
        """Numbers and kinds of a region."""
        values, kinds = self._inputs.read(sheet, region)
        first = int(kinds[0, 0]) if kinds.size else 0
        if (kinds == first).all():
            return torch.from_numpy(values), first
        return torch.from_numpy(values), torch.from_numpy(kinds)

    def extent(self) -> tuple[int, int]:
        """Rows and columns that whole-column and whole-row references reach."""
        used = [self._inputs.used(sheet) for sheet in self._inputs.sheet_ids()]
        return max(u.bottom for u in used) or 1, max(u.right for u in used) or 1


@dataclass(frozen=True, slots=True)
class Array:
    """Values of a part of a formula: one number, or many.

    Attributes
    ----------
    values : ndarray (rows, columns) float64
    kinds : ndarray (rows, columns) uint8
    """

    values: Floats
    kinds: Kinds

    @property
    def is_one(self) -> bool:
        """Whether it is a single value."""
        return self.values.size == 1

    @property
    def numbers(self) -> npt.NDArray[np.bool_]:
        """Mask of the numbers; blanks, texts, booleans and errors are none."""
        return np.asarray(self.kinds == Kind.NUMBER)


class View:
    """A formula as seen from one of its cells.

    Parameters
    ----------
    inputs : the workbook
    sheet, cell : where the formula's result stands
    formula : what computes the cell, None for a constant
    host : the cell the formula is written in, another one for a member of an array formula
    number_text : how a number is written, given the cell it comes from
    spills : where dynamic arrays reach, by sheet and host

    Attributes
    ----------
    expr : the formula with names, tables and LET's variables written out
    at : row and column of the cell in the result of an array formula, else None
    """

    def __init__(
        self,
        inputs: Inputs,
        sheet: int,
        cell: Cell,
        formula: FormulaLike | None,
        host: Cell | None = None,
        number_text: NumberText = short_number,
        spills: Mapping[tuple[int, Cell], Region] | None = None,
    ) -> None:
        self.inputs = inputs
        self.sheet, self.cell, self.formula = sheet, cell, formula
        self.host = cell if host is None else host
        self.number_text = number_text
        value, kind = inputs.read(sheet, Region.of(cell))
        self.value: Scalar = unpack(value[0, 0], int(kind[0, 0]), inputs.strings)
        self._spills = dict(spills or {})
        self.expr: Expr | None = None
        self.is_array = False
        self.at: tuple[int, int] | None = None
        if formula is not None:
            self.is_array = formula.array is not None or formula.dynamic
            whole = resolved(formula.expr, sheet, self.host, inputs, self._spills)
            self.expr = _written_out(whole)
            if self.is_array:
                self.at = cell.row - self.host.row, cell.col - self.host.col
        self._world = World(
            source=_Stored(inputs),
            strings=inputs.strings,
            sheet_of=inputs.sheet_id,
            sheet_name=inputs.sheet_name,
            parse=self._parsed,
            date_1904=inputs.date_1904,
        )

    def _parsed(self, text_id: int, sheet: int, row: int, col: int) -> Expr:
        host = Cell(row, col)
        expr = parse(self.inputs.strings.text(text_id), host)
        return resolved(expr, sheet, host, self.inputs, self._spills)

    def _evaluator(self, is_array: bool) -> Evaluator:
        return Evaluator(self._world, Part(self.sheet, *self.host, 1, 1), is_array)

    def array(self, expr: Expr, is_array: bool, whole: bool = False) -> Array:
        """The values of a part; `whole` does not intersect a range with the host's row."""
        with torch.no_grad(), dates.counted(self.inputs.date_1904):
            evaluator = self._evaluator(is_array)
            value: Value = evaluator.value(expr)
            batch: Batch = evaluator.whole(value) if whole else evaluator.one(value)
            num, kinds = plain(batch)
        return Array(num[0, 0], kinds[0, 0])

    def scalar(self, expr: Expr, is_array: bool = False) -> Scalar:
        """The one value of a part (of an array its first)."""
        found = self.array(expr, is_array)
        return unpack(found.values[0, 0], int(found.kinds[0, 0]), self.inputs.strings)

    def place(self, expr: Expr, is_array: bool, whole: bool = False) -> Source | None:
        """The cells that a reference, or a function that gives one, means; None for a value.

        Whole columns end at the last used cell. Without `whole` a range outside of an array
        formula is its cell in the host's row or column.
        """
        if not isinstance(expr, (*Reference, Call)) or (
            isinstance(expr, Call) and not _gives_reference(expr.name)
        ):
            return None
        with torch.no_grad(), dates.counted(self.inputs.date_1904):
            evaluator = self._evaluator(is_array)
            value = evaluator.value(expr)
            if isinstance(value, (Area, Scatter)) and not (whole or is_array or value.is_cell):
                value = _crossing(evaluator, value)
        if isinstance(value, Scatter) and value.errors is None and value.tops.size == 1:
            top, left = int(value.tops.flat[0]), int(value.lefts.flat[0])
            return Source(
                value.sheet, Region(top, left, top + value.height, left + value.width)
            )
        if not isinstance(value, Area):
            return None
        return Source(value.sheet, evaluator.clipped(value).hull(1, 1))

    def read(self, source: Source) -> Array:
        """The stored values of some cells."""
        return Array(*self.inputs.read(source.sheet, source.region))

    def name(self, source: Source) -> str:
        """The address of cells, with the sheet's name if it is another one."""
        if source.sheet == self.sheet:
            return str(source.region)
        from gradsheet.formula.unparse import quote_sheet

        return f"{quote_sheet(self.inputs.sheet_name(source.sheet))}!{source.region}"

    def scalar_of(self, value: float, kind: int) -> Scalar:
        """A stored value as what it stands for."""
        return unpack(value, kind, self.inputs.strings)


def _crossing(evaluator: Evaluator, value: Area | Scatter) -> Value:
    """The cell of a range in the host's row or column, if there is one."""
    if isinstance(value, Scatter) or (value.height > 1 and value.width > 1):
        return evaluator.intersected(value)
    row, col = evaluator.part.host
    top, left = (row, value.left) if value.height > 1 else (value.top, col)
    hull = Region(value.top, value.left, value.top + value.height, value.left + value.width)
    if not hull.contains(Cell(top, left)):
        return evaluator.intersected(value)
    return Area(value.sheet, top, left, 1, 1)


def _gives_reference(name: str) -> bool:
    return name in ("OFFSET", "INDEX", "INDIRECT", "CHOOSE")


def _written_out(expr: Expr) -> Expr:
    """The formula with LET's variables replaced by what they stand for."""
    if not any(isinstance(node, Call) and node.name == "LET" for node in _nodes(expr)):
        return expr
    result = transform(expr, _without_let)
    return expr if len(_nodes(result)) > _MOST_NODES else result


def _without_let(node: Expr) -> Expr:
    if not (isinstance(node, Call) and node.name == "LET" and len(node.args) % 2 == 1):
        return node
    known: dict[str, Expr] = {}

    def put_in(part: Expr) -> Expr:
        is_variable = isinstance(part, Name) and part.sheet is None
        return known.get(part.name.casefold(), part) if is_variable else part  # type: ignore[union-attr]

    for variable, value in zip(node.args[:-1:2], node.args[1:-1:2], strict=True):
        if isinstance(variable, Name):
            written = transform(value, put_in)
            known[variable.name.casefold()] = written
    return transform(node.args[-1], put_in)


def _nodes(expr: Expr) -> list[Expr]:
    """Every node, from the root on; stops early where there are far too many."""
    found = [expr]
    for node in found:
        if len(found) > 2 * _MOST_NODES:
            break
        found.extend(children(node))
    return found


def is_whole(name: str, index: int) -> bool:
    """Whether a function takes its argument of that place as a range of cells."""
    entry = FUNCTIONS.get(name)
    if entry is None or not entry.params:
        return False
    return entry.params[min(index, len(entry.params) - 1)] in "rwae"


def is_array_argument(name: str, index: int, is_array: bool) -> bool:
    """Whether a function evaluates its argument of that place as an array formula does."""
    entry = FUNCTIONS.get(name)
    if is_array or entry is None or not entry.params:
        return is_array
    return entry.params[min(index, len(entry.params) - 1)] == "a"


def error_text(value: Scalar) -> str:
    """The text of an error, else empty."""
    return value.text if isinstance(value, ErrorCode) else ""
