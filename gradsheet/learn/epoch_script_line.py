"""One formula of a sheet of epochs as a line of Python on tensors.

Owns operators, functions and the spelling of rows, which count from that of the loop. What the
cells hold is asked of the sheet that is being written.
"""

from __future__ import annotations

from typing import Protocol

from gradsheet.formula.address import Cell, Region, column_name
from gradsheet.formula.script_cells import NoScriptError, number_text
from gradsheet.formula.syntax import (
    Binary,
    Call,
    Expr,
    Number,
    Percent,
    Range,
    Ref,
    Unary,
    cell_of,
    references,
    region_of,
)

_OPERATORS = {"+": 3, "-": 3, "*": 4, "/": 4, "^": 6}
_TESTS = {"=": "==", "<>": "!=", "<": "<", ">": ">", "<=": "<=", ">=": ">="}
_ONE = {
    "SQRT": "math.sqrt", "EXP": "math.exp", "LN": "math.log", "LOG10": "math.log10",
    "ABS": "abs", "SIN": "math.sin", "COS": "math.cos", "TAN": "math.tan", "SINH": "math.sinh",
    "COSH": "math.cosh", "TANH": "math.tanh", "ATAN": "math.atan",
}  # fmt: skip
"""Functions of one number. On single numbers torch.sqrt may be off by the last bit, math.sqrt not:
over hundreds of epochs that bit grows."""


class SheetCells(Protocol):
    """What a line asks of the sheet around it."""

    def is_own(self, node: Ref | Range) -> bool:
        """Whether a reference means this very sheet."""

    def foreign(self, node: Ref) -> str:
        """A number of another sheet, which no epoch changes."""

    def is_whole(self, region: Region) -> bool:
        """Whether every cell of a region holds a number."""

    def read_constant(self, cell: Cell) -> None:
        """Note that a cell is read."""


class FormulaLine:
    """The text of one formula; rows relative to `row` of the loop that it stands in."""

    def __init__(self, sheet: SheetCells, host: Cell, base: int | None, span: int) -> None:
        self._sheet, self._host, self._base, self._span = sheet, host, base, span

    def row(self, row: int, is_absolute: bool, more: int = 0) -> str:
        """A row of the sheet, counted from 1, as an index."""
        if self._base is None or is_absolute:
            return str(row + 1 + more)
        offset = row - self._base + more
        return f"row {'+' if offset > 0 else '-'} {abs(offset)}" if offset else "row"

    def place(self, row: int, col: int, *, is_absolute: bool) -> str:
        """A cell as an element of its column."""
        return f"{column_name(col)}[{self.row(row, is_absolute)}]"

    def text(self, tree: Expr, power: int) -> str:
        """A part of the formula, in parentheses if it holds less tightly than `power`."""
        text, own = self._text(tree)
        return f"({text})" if own < power else text

    def _text(self, tree: Expr) -> tuple[str, int]:
        match tree:
            case Number(value):
                return number_text(value), 9 if value >= 0 else 5
            case Ref():
                return self._ref(tree), 9
            case Unary("-", x):
                return f"-{self.text(x, 6)}", 5
            case Unary("+", x):
                return self._text(x)
            case Percent(x):
                return f"{self.text(x, 4)} / 100", 4
            case Binary(op, a, b) if op in _OPERATORS:
                power = _OPERATORS[op]
                sign = "**" if op == "^" else op
                first = self.text(a, power + (op == "^"))
                return f"{first} {sign} {self.text(b, power + 1)}", power
            case Binary(op, a, b) if op in _TESTS:
                return f"{self.text(a, 3)} {_TESTS[op]} {self.text(b, 3)}", 1
            case Call(name, args):
                return self._call(name, args), 9
        raise NoScriptError(f"{type(tree).__name__} in {self._host}")

    def _ref(self, node: Ref) -> str:
        if not self._sheet.is_own(node):
            return self._sheet.foreign(node)
        cell = cell_of(node, self._host)
        if cell is None:
            raise NoScriptError(f"{self._host} has lost a reference")
        self._note(Region.of(cell), node.row_abs)
        return self.place(cell.row, cell.col, is_absolute=node.row_abs)

    def _note(self, region: Region, is_absolute: bool) -> None:
        """Have every cell that the formula reads, in each round of a loop, among the numbers."""
        rounds = 1 if self._base is None or is_absolute else self._span
        for row in range(region.top, region.bottom - 1 + rounds):
            for col in range(region.left, region.right):
                self._sheet.read_constant(Cell(row, col))

    def _range(self, node: Expr) -> str:
        """A range as a tensor of one dimension."""
        if not isinstance(node, Range) or not self._sheet.is_own(node):
            return f"tensor({self.text(node, 0)}).reshape(1)"
        region = region_of(node, self._host)
        if region is None or node.first.row_abs != node.last.row_abs:
            raise NoScriptError(f"a range that grows in {self._host}")
        if not self._sheet.is_whole(region):
            raise NoScriptError(f"{region} holds blanks")
        absolute = node.first.row_abs
        self._note(region, absolute)
        rows = f"{self.row(region.top, absolute)}:{self.row(region.bottom - 1, absolute, 1)}"
        parts = [f"{column_name(col)}[{rows}]" for col in range(region.left, region.right)]
        return parts[0] if len(parts) == 1 else f"torch.cat([{', '.join(parts)}])"

    def _call(self, name: str, args: tuple[Expr, ...]) -> str:
        if name in _ONE and len(args) == 1:
            return f"{_ONE[name]}({self.text(args[0], 0)})"
        if name == "SIGN":
            return f"torch.sign({self._tensor(args[0])})"
        if name == "PI":
            return "math.pi"
        if name == "POWER" and len(args) == 2:
            return f"({self.text(Binary('^', *args), 0)})"
        if name == "IF" and len(args) == 3:
            test, yes, no = (self.text(arg, 0) for arg in args)
            return f"({yes} if {test} else {no})"
        if name == "ROWS" and isinstance(args[0], Range):
            region = region_of(args[0], self._host)
            return str(region.rows if region else 0)
        if name in ("MIN", "MAX") and not any(isinstance(arg, Range) for arg in args):
            texts = [self.text(arg, 0) for arg in args]
            return f"{name.lower()}({', '.join(texts)})" if len(texts) > 1 else texts[0]
        if name == "SUMPRODUCT":
            return f"total({' * '.join(self._range(arg) for arg in args)})"
        if len(args) == 1 and isinstance(args[0], Range):
            cells = self._range(args[0])
            found = {"SUM": f"total({cells})", "SUMSQ": f"total({cells} ** 2)",
                     "AVERAGE": f"total({cells}) / len({cells})", "COUNT": f"len({cells})",
                     "MIN": f"torch.amin({cells})", "MAX": f"torch.amax({cells})"}  # fmt: skip
            if name in found:
                return f"({found[name]})" if name == "AVERAGE" else found[name]
        elif name == "SUM":
            return f"({' + '.join(self.text(arg, 3) for arg in args)})"
        raise NoScriptError(f"{name} in {self._host}")

    def _tensor(self, arg: Expr) -> str:
        text = self.text(arg, 0)
        return f"tensor({text})" if not any(True for _ in references(arg)) else text
