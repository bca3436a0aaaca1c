"""A sheet of numbers as one Python function without a branch on cells: a whole epoch at once.

Owns the translation of formula trees to float arithmetic, for the few operators and functions
that recurrences over rows are written with. Whatever it cannot translate it refuses, and what
becomes an error raises: the engine then computes the sheet with full semantics. No torch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.resolve import resolved
from gradsheet.formula.syntax import (
    Binary,
    Call,
    Columns,
    Expr,
    Number,
    Percent,
    Range,
    Ref,
    Rows,
    Unary,
    cell_of,
    references,
    region_of,
)
from gradsheet.formula.values import Kind

if TYPE_CHECKING:
    from gradsheet.formula.graph import Inputs

Place: TypeAlias = tuple[int, Cell]
"""Sheet id and cell."""

_MOST_CELLS = 400_000


class Untranslatable(Exception):
    """The sheet holds something that this translation does not cover."""


def _power(x: float, y: float) -> float:
    if x == 0 and y == 0:
        raise ValueError("0^0 is an error in Excel")
    result: float | complex = x**y
    if isinstance(result, complex):
        raise ValueError("a root of a negative number")
    return result


def _sign(x: float) -> float:
    return float(x > 0) - float(x < 0)


_SCOPE = {"__builtins__": {}, "sqrt": math.sqrt, "exp": math.exp, "ln": math.log, "abs": abs,
          "min": min, "max": max, "sum_of": math.fsum, "power": _power, "log10": math.log10,
          "sin": math.sin, "cos": math.cos, "tan": math.tan, "sinh": math.sinh,
          "cosh": math.cosh, "tanh": math.tanh, "arctan": math.atan, "sign": _sign}  # fmt: skip
_OPERATORS = {"+": "+", "-": "-", "*": "*", "/": "/", "=": "==", "<>": "!=", "<": "<", ">": ">",
              "<=": "<=", ">=": ">="}  # fmt: skip
_ONE_TO_ONE = {"SQRT": "sqrt", "EXP": "exp", "LN": "ln", "ABS": "abs", "LOG10": "log10",
               "SIN": "sin", "COS": "cos", "TAN": "tan", "SINH": "sinh", "COSH": "cosh",
               "TANH": "tanh", "ATAN": "arctan", "SIGN": "sign"}  # fmt: skip


class StraightLine:
    """Formulas as one function of the constants that they read.

    Parameters
    ----------
    inputs : Inputs
        The workbook; read once.
    outputs : sequence of (sheet id, Cell)
        Formula cells whose values are wanted; those they depend on are computed on the way.

    Attributes
    ----------
    inputs : tuple of (sheet id, Cell)
        The constants, in the order in which :meth:`run` takes them.
    start : list of float
        Their values in the workbook.

    Raises
    ------
    Untranslatable
        If a formula needs more than numbers and the operators known here.
    """

    def __init__(self, inputs: Inputs, outputs: Sequence[Place]) -> None:
        self._workbook = inputs
        self._formulas = {sheet: inputs.formulas(sheet) for sheet in inputs.sheet_ids()}
        self._names: dict[Place, str] = {}
        self._constants: dict[Place, int] = {}
        self.start: list[float] = []
        self._lines: list[str] = []
        for place in outputs:
            self._compute(place)
        self.inputs = tuple(self._constants)
        self._run = self._made(outputs)

    def run(self, constants: Sequence[float]) -> tuple[float, ...]:
        """Return the outputs for these constants.

        Raises
        ------
        ArithmeticError, ValueError
            Where a cell would show an error (division by zero, overflow, root of a negative).
        """
        return self._run(constants)

    def _made(self, outputs: Sequence[Place]) -> Callable[[Sequence[float]], tuple[float, ...]]:
        loads = "".join(f"k{i}," for i in range(len(self._constants)))
        body = [f"{loads}=K"] if loads else []
        body += self._lines
        results = "".join(f"{self._names[place]}," for place in outputs)
        text = "def run(K):\n " + "\n ".join([*body, f"return ({results})"])
        scope: dict[str, Callable[[Sequence[float]], tuple[float, ...]]] = {}
        exec(compile(text, "<sheet>", "exec"), dict(_SCOPE), scope)
        return scope["run"]

    # --- order

    def _compute(self, wanted: Place) -> None:
        """Write the lines of a cell after those of the cells that it reads, without recursion."""
        open_cells: set[Place] = set()
        pending: list[tuple[Place, Expr | None]] = [(wanted, None)]
        while pending:
            place, expr = pending.pop()
            if place in self._names:
                continue
            if expr is not None:
                name = f"v{len(self._names)}"
                self._lines.append(f"{name}={self._text(expr, place)}")
                self._names[place] = name
                open_cells.discard(place)
                continue
            if place in open_cells:
                raise Untranslatable(f"{place[1]} depends on itself")
            if len(self._names) > _MOST_CELLS:
                raise Untranslatable("too many cells")
            open_cells.add(place)
            expr = self._formula(place)
            pending.append((place, expr))
            for node in references(expr):
                for target in self._cells(node, place):
                    if target[1] in self._formulas[target[0]] and target not in self._names:
                        if target in open_cells:
                            raise Untranslatable(f"{target[1]} depends on itself")
                        pending.append((target, None))

    def _formula(self, place: Place) -> Expr:
        formula = self._formulas[place[0]].get(place[1])
        if formula is None:
            raise Untranslatable(f"{place[1]} holds no formula")
        if formula.array is not None:
            raise Untranslatable(f"{place[1]} is part of an array formula")
        return resolved(formula.expr, place[0], place[1], self._workbook, {})

    def _cells(self, node: Expr, place: Place) -> list[Place]:
        if not isinstance(node, (Ref, Range, Columns, Rows)):
            raise Untranslatable(f"{type(node).__name__} in {place[1]}")
        region = region_of(node, place[1])
        named = node.first.sheet if isinstance(node, Range) else node.sheet
        sheet = place[0] if named is None else self._workbook.sheet_id(named)
        if region is None or sheet is None:
            raise Untranslatable(f"a lost reference in {place[1]}")
        if region.size > _MOST_CELLS:
            region = region.intersect(self._workbook.used(sheet)) or Region(0, 0, 0, 0)
        return [(sheet, cell) for cell in region.cells()]

    # --- text

    def _text(self, expr: Expr, place: Place) -> str:
        """Return the Python expression of a tree."""
        match expr:
            case Number(value):
                return repr(float(value))
            case Ref():
                return self._cell_text(expr, place)
            case Unary("-", x):
                return f"(-{self._text(x, place)})"
            case Unary(_, x):
                return self._text(x, place)
            case Percent(x):
                return f"({self._text(x, place)}/100.0)"
            case Binary("^", a, Number(2.0)):
                base = self._text(a, place)
                return f"({base}*{base})" if base.isidentifier() else f"((t:={base})*t)"
            case Binary("^", a, b):
                return f"power({self._text(a, place)},{self._text(b, place)})"
            case Binary(op, a, b) if op in _OPERATORS:
                return f"({self._text(a, place)}{_OPERATORS[op]}{self._text(b, place)})"
            case Call(name, args):
                return self._call(name, args, place)
        raise Untranslatable(f"{type(expr).__name__} in {place[1]}")

    def _cell_text(self, ref: Ref, place: Place) -> str:
        cell = cell_of(ref, place[1])
        sheet = place[0] if ref.sheet is None else self._workbook.sheet_id(ref.sheet)
        if cell is None or sheet is None:
            raise Untranslatable(f"a lost reference in {place[1]}")
        text = self._number((sheet, cell), blank="0.0")
        if text is None:
            raise Untranslatable(f"{cell} holds no number")
        return text

    def _number(self, place: Place, blank: str | None) -> str | None:
        """Return the name of a cell's number, `blank` for an empty cell, None for text."""
        if place in self._names:
            return self._names[place]
        if place in self._constants:
            return f"k{self._constants[place]}"
        values, kinds = self._workbook.read(place[0], Region.of(place[1]))
        kind = int(kinds[0, 0])
        if kind == Kind.BLANK:
            return blank
        if kind == Kind.TEXT:
            return None
        if kind != Kind.NUMBER:
            raise Untranslatable(f"{place[1]} holds no number")
        self._constants[place] = len(self._constants)
        self.start.append(float(values[0, 0]))
        return f"k{self._constants[place]}"

    def _call(self, name: str, args: tuple[Expr, ...], place: Place) -> str:
        if name in _ONE_TO_ONE and len(args) == 1:
            return f"{_ONE_TO_ONE[name]}({self._text(args[0], place)})"
        if name == "PI" and not args:
            return repr(math.pi)
        if name == "POWER" and len(args) == 2:
            return self._text(Binary("^", *args), place)
        if name == "IF" and len(args) == 3:
            test, yes, no = (self._text(arg, place) for arg in args)
            return f"({yes} if {test} else {no})"
        if name == "SUMPRODUCT" and len(args) == 2:
            columns = [self._items(arg, place, blank="0.0") for arg in args]
            pairs = (f"{a}*{b}" for a, b in zip(*columns, strict=True))
            return f"sum_of(({','.join(pairs)},))"
        if name == "ROWS" and len(args) == 1 and isinstance(args[0], Range):
            region = region_of(args[0], place[1])
            return repr(float(region.rows if region else 0))
        items = [item for arg in args for item in self._items(arg, place)]
        return _fold(name, items, place)

    def _items(self, arg: Expr, place: Place, blank: str | None = None) -> list[str]:
        """Return the numbers of an argument; blanks and text of a range are passed over."""
        if isinstance(arg, (Range, Columns, Rows)):
            found = (self._number(target, blank) for target in self._cells(arg, place))
            return [text for text in found if text is not None]
        return [self._text(arg, place)]


def _fold(name: str, items: list[str], place: Place) -> str:
    """Return the text of a function over any number of numbers."""
    if not items:
        raise Untranslatable(f"{name} of nothing in {place[1]}")
    if name == "SUM":
        return f"sum_of(({','.join(items)},))"
    if name == "SUMSQ":
        return f"sum_of(({','.join(f'{x}*{x}' for x in items)},))"
    if name == "AVERAGE":
        return f"(sum_of(({','.join(items)},))/{float(len(items))!r})"
    if name == "COUNT":
        return repr(float(len(items)))
    if name in ("MIN", "MAX"):
        return f"{name.lower()}({','.join(items)})" if len(items) > 1 else items[0]
    raise Untranslatable(f"{name} in {place[1]}")
