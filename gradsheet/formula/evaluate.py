"""The value of a formula in every cell of a block at once.

Owns the walk over the tree: references to windows, implicit intersection, operators, calls.
Errors are values here; nothing raises for what a workbook holds. Knows no graph and no order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gradsheet.formula import dates, operators, trace
from gradsheet.formula.areas import Area, Areas, Part, Scatter, area_of
from gradsheet.formula.batch import Batch, constant, error, plain
from gradsheet.formula.functions import FUNCTIONS
from gradsheet.formula.functions.table import Function
from gradsheet.formula.references import References, Value, World
from gradsheet.formula.syntax import (
    Array,
    Binary,
    Boolean,
    Call,
    Columns,
    ErrorLiteral,
    Expr,
    Intersection,
    Missing,
    Name,
    Number,
    Percent,
    Range,
    RangeOf,
    Ref,
    Rows,
    Text,
    Unary,
    Union,
)
from gradsheet.formula.values import ErrorCode, FormulaError, Scalar
from gradsheet.formula.windows import gather, read


class _NotUniformError(Exception):
    """The cells of a block need areas of different sizes."""


class Evaluator(References):
    """Evaluates formulas for one part of a block.

    Parameters
    ----------
    world : the cells and what belongs to them
    part : the cells that hold the formula
    is_array : whether it is an array formula, so that ranges are not intersected
    """

    def __init__(self, world: World, part: Part, is_array: bool) -> None:
        super().__init__(world, part)
        self.is_array = is_array
        self.block = -1  # index of the block, which names what volatile functions draw
        self._drawn = 0
        self._variables: list[tuple[str, Value]] = []

    def result(self, expr: Expr) -> Batch:
        """What the cells show: one value each, or an array for an array formula."""
        if self.world.date_1904 and not dates.is_1904():
            with dates.counted(True):
                return self.result(expr)
        try:
            batch = self.batch(expr)
        except _NotUniformError:
            return self._cell_by_cell(expr)
        if not self.is_array and batch.is_array:
            batch = batch.view(lambda x: x[:, :, :1, :1])
        if isinstance(batch.kind, int) and batch.kind == 0:
            return Batch(torch.zeros_like(batch.num))  # a reference to a blank cell shows 0
        if not isinstance(batch.kind, int):
            kind = torch.where(batch.kind == 0, 1, batch.kind).to(torch.uint8)
            return Batch(batch.num, kind)
        return batch

    def _cell_by_cell(self, expr: Expr) -> Batch:
        """The results of a formula that sees areas of different sizes in its cells."""
        part = self.part
        rows = []
        for r in range(part.rows):
            row = []
            for c in range(part.cols):
                top, left = part.top + r * part.row_stride, part.left + c * part.col_stride
                one = Evaluator(self.world, Part(part.sheet, top, left, 1, 1), self.is_array)
                one.block = self.block
                row.append(one.result(expr))
            rows.append(row)
        num = torch.cat([torch.cat([b.num for b in row], 1) for row in rows], 0)
        if len({b.kind for row in rows for b in row if isinstance(b.kind, int)}) == 1 and all(
            isinstance(b.kind, int) for row in rows for b in row
        ):
            return Batch(num, rows[0][0].kind)
        return Batch(num, torch.cat([torch.cat([b.kinds() for b in row], 1) for row in rows], 0))

    def split(self) -> None:
        """Give up computing all cells at once: evaluate the formula cell by cell instead."""
        if self.part.rows * self.part.cols > 1:
            raise _NotUniformError

    def size(self, batch: Batch, purpose: str) -> int:
        """One whole number for a size, the same in every cell; -1 for an error."""
        places, codes = self.integers(batch, f"The size in {purpose}")
        if not (places == places.flat[0]).all() or codes.any():
            self.split()
        return -1 if codes.any() else int(places.flat[0])

    def follow(self, result: Batch, *inputs: Batch) -> None:
        """Note that a result computed outside of tensors depends on what its inputs do."""
        tracer = trace.active()
        if tracer is not None and any(tracer.depends(batch.num) for batch in inputs):
            tracer.mark(result.num)

    def drawn(self, shape: tuple[int, ...]) -> Tensor:
        """Uniform numbers for the call being evaluated, the same until they are drawn anew."""
        self._drawn += 1
        key = (self.block, self._drawn, self.part, shape)
        known = self.world.draws.get(key)
        if known is None:
            known = torch.rand(shape, generator=self.world.generator, dtype=torch.float64)
            self.world.draws[key] = known
        return known

    def value(self, expr: Expr) -> Value:
        """A value, or the reference that an expression is."""
        return _RULES[type(expr)](self, expr)

    def batch(self, expr: Expr) -> Batch:
        """Values; a range gives the value in the host's row or column, but in array formulas."""
        return self.one(self.value(expr))

    def one(self, value: Value) -> Batch:
        """Values of what was evaluated, by the same rule."""
        if isinstance(value, Batch):
            return value
        if not self.is_array and not (isinstance(value, (Area, Scatter)) and value.is_cell):
            return self.intersected(value)
        return self.whole(value)

    def whole(self, value: Value) -> Batch:
        """All values of a reference."""
        if isinstance(value, Batch):
            return value
        if isinstance(value, Area):
            return self._read(value)
        if isinstance(value, Scatter):
            self.demand_scatter(value)
            return gather(self.world.source, value)
        return error(ErrorCode.VALUE)

    def array(self, expr: Expr) -> Batch:
        """All values, evaluated as in an array formula."""
        before = self.is_array
        self.is_array = True
        try:
            return self.whole(self.value(expr))
        finally:
            self.is_array = before

    def constant(self, value: Scalar) -> Batch:
        """One value as a batch."""
        return constant(value, self.strings)

    def integers(self, batch: Batch, purpose: str) -> tuple[Any, Any]:
        """Values truncated to whole numbers for an address, with error codes (0 for none).

        Raises
        ------
        FormulaError
            If they depend on the parameters of an objective.
        """
        self.refuse_gradient(batch, purpose)
        num, errors = operators.numbers_of(batch, self.strings)
        codes = np.zeros(num.shape) if errors is None else errors.numpy()
        return np.trunc(num.detach().numpy()), codes

    def refuse_gradient(self, batch: Batch, purpose: str) -> None:
        """Raise FormulaError if values depend on the parameters of an objective."""
        if trace.depends(batch.num):
            raise FormulaError(
                f"{purpose} in {self.place} depends on the parameters, and no gradient flows "
                "through an address.",
                hint="Let the address depend on cells that do not change, or choose other cells "
                "to change.",
            )

    @property
    def place(self) -> str:
        """Sheet and cells of the formula, for messages."""
        return f"{self.world.sheet_name(self.part.sheet)}!{self.part.region}"

    def intersected(self, value: Value) -> Batch:
        """The value of a reference in the host's row or column."""
        if isinstance(value, Batch):
            return value.view(lambda x: x[:, :, :1, :1]) if value.is_array else value
        if isinstance(value, Areas):
            return error(ErrorCode.VALUE)
        if value.is_cell:
            return self.whole(value)
        if isinstance(value, Scatter) or (value.height > 1 and value.width > 1):
            return error(ErrorCode.VALUE)
        return self.whole(self.crossing(value))

    def _read(self, area: Area) -> Batch:
        area = self.clipped(area)
        if area.dynamic:
            self.world.demand(area.sheet, area.hull(self.part.rows, self.part.cols))
        return read(self.world.source, area, self.part.rows, self.part.cols)

    def with_variables(self, variables: Sequence[tuple[str, Value]], expr: Expr) -> Value:
        """Evaluate with LET's variables in sight, the last of a name first."""
        self._variables.extend(variables)
        try:
            return self.value(expr)
        finally:
            del self._variables[len(self._variables) - len(variables) :]

    def variable(self, name: str) -> Value | None:
        """The value of a variable of LET."""
        for known, value in reversed(self._variables):
            if known == name:
                return value
        return None

    def call(self, expr: Call) -> Value:
        """The value of a function call."""
        entry = FUNCTIONS.get(expr.name)
        if entry is None:
            return error(ErrorCode.UNSUPPORTED if _is_excel_name(expr.name) else ErrorCode.NAME)
        count = len(expr.args)
        if count < entry.min_args or (entry.max_args is not None and count > entry.max_args):
            return error(ErrorCode.VALUE)
        if entry.params == "e":
            result: Value = entry.code(self, *expr.args)
            return result
        result = entry.code(self, *self._arguments(entry, expr.args))
        return result

    def _arguments(self, entry: Function, args: Sequence[Expr]) -> list[Value | Expr]:
        given: list[Value | Expr] = []
        last = len(entry.params) - 1
        for i, arg in enumerate(args):
            param = entry.params[min(i, last)]
            if param == "v":
                given.append(self.batch(arg))
            elif param == "w":
                given.append(self.whole(self.value(arg)))
            elif param == "a":
                given.append(self.array(arg))
            elif param == "e":
                given.append(arg)
            else:
                given.append(self.value(arg))
        return given

    def _reference(self, node: Ref | Range | Columns | Rows) -> Value:
        name = node.first.sheet if isinstance(node, Range) else node.sheet
        sheet = self.part.sheet if name is None else self.world.sheet_of(name)
        if sheet is None:
            return error(ErrorCode.REF)
        area = area_of(node, sheet, self.part)
        return error(ErrorCode.REF) if area is None else area

    def _unary(self, node: Unary) -> Value:
        if node.op == "@":
            return self.intersected(self.value(node.x))
        if node.op == "+":
            return self.value(node.x)
        return operators.negative(self.strings, self.batch(node.x))

    def _binary(self, node: Binary) -> Value:
        return operators.BINARY[node.op](self.strings, self.batch(node.a), self.batch(node.b))

    def _array(self, node: Array) -> Value:
        cells = [[self.value(item) for item in row] for row in node.rows]
        batches = [[item if isinstance(item, Batch) else error(ErrorCode.VALUE) for item in row]
                   for row in cells]  # fmt: skip
        num = torch.cat([torch.cat([b.num for b in row], 3) for row in batches], 2)
        kind = torch.cat([torch.cat([b.kinds() for b in row], 3) for row in batches], 2)
        return Batch(num, kind, direct=False)

    def _range_of(self, node: RangeOf) -> Value:
        return self.joined(self.value(node.a), self.value(node.b))

    def _union(self, node: Union) -> Value:
        parts: list[Area | Scatter] = []
        for expr in node.parts:
            value = self.value(expr)
            if isinstance(value, Batch):
                return value if value.is_only(4) else error(ErrorCode.VALUE)
            parts.extend(value.parts if isinstance(value, Areas) else (value,))
        return Areas(tuple(parts))

    def _intersection(self, node: Intersection) -> Value:
        a, b = self.value(node.a), self.value(node.b)
        for value in (a, b):
            if isinstance(value, Batch):
                return value if value.is_only(4) else error(ErrorCode.VALUE)
        if not (isinstance(a, Area) and isinstance(b, Area)) or a.sheet != b.sheet:
            return error(ErrorCode.NULL if isinstance(a, Area) else ErrorCode.VALUE)
        if (a.row_step, a.col_step, b.row_step, b.col_step) == (0, 0, 0, 0):
            common = a.hull(1, 1).intersect(b.hull(1, 1))
            if common is None:
                return error(ErrorCode.NULL)
            return Area(a.sheet, common.top, common.left, common.rows, common.cols)
        return error(ErrorCode.UNSUPPORTED)

    def _name(self, node: Name) -> Value:
        value = self.variable(node.name.casefold())
        return error(ErrorCode.NAME) if value is None else value


def _is_excel_name(name: str) -> bool:
    from gradsheet.formula.functions.known import EXCEL_FUNCTIONS

    return name in EXCEL_FUNCTIONS


_RULES: dict[type, Callable[[Evaluator, Any], Value]] = {
    Number: lambda ev, node: ev.constant(node.value),
    Text: lambda ev, node: ev.constant(node.value),
    Boolean: lambda ev, node: ev.constant(node.value),
    ErrorLiteral: lambda ev, node: error(node.code),
    Missing: lambda ev, node: ev.constant(None),
    Array: Evaluator._array,
    Ref: Evaluator._reference,
    Range: Evaluator._reference,
    Columns: Evaluator._reference,
    Rows: Evaluator._reference,
    Name: Evaluator._name,
    RangeOf: Evaluator._range_of,
    Union: Evaluator._union,
    Intersection: Evaluator._intersection,
    Unary: Evaluator._unary,
    Percent: lambda ev, node: operators.percent(ev.strings, ev.batch(node.x)),
    Binary: Evaluator._binary,
    Call: Evaluator.call,
}

__all__ = ["Evaluator", "Value", "World", "plain"]
