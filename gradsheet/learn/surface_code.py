"""A formula in x and y as tensor code with its two derivatives, by the chain rule forwards.

Owns the translation of formula trees (the spreadsheet's own grammar and function names) to a
function of two tensors of any one shape. Whatever it does not know it refuses by name.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor

from gradsheet.formula.address import Cell
from gradsheet.formula.syntax import Binary, Call, Expr, Name, Number, Percent, Unary, parse
from gradsheet.formula.values import FormulaError

ValueAndSlopes: TypeAlias = Callable[[Tensor, Tensor], tuple[Tensor, Tensor, Tensor]]
Values: TypeAlias = Callable[[Tensor, Tensor], Tensor]


class _Term(NamedTuple):
    """Names (or literals) of a value and its derivatives by x and y; "" is zero."""

    value: str
    dx: str = ""
    dy: str = ""

    @property
    def is_constant(self) -> bool:
        return not (self.dx or self.dy)


_SLOPES = {
    "SQRT": ("sqrt({0})", "0.5/{v}"),
    "EXP": ("exp({0})", "{v}"),
    "LN": ("log({0})", "1/{0}"),
    "LOG10": ("log10({0})", f"{1 / math.log(10)!r}/{{0}}"),
    "SIN": ("sin({0})", "cos({0})"),
    "COS": ("cos({0})", "-sin({0})"),
    "TAN": ("tan({0})", "(1+{v}*{v})"),
    "SINH": ("sinh({0})", "cosh({0})"),
    "COSH": ("cosh({0})", "sinh({0})"),
    "TANH": ("tanh({0})", "(1-{v}*{v})"),
    "ATAN": ("arctan({0})", "1/(1+{0}*{0})"),
    "ABS": ("abs({0})", "sign({0})"),
}
"""Excel's name to the code of the value and of its derivative by the argument."""
_TESTS = {"<": "<", ">": ">", "<=": "<=", ">=": ">=", "=": "==", "<>": "!="}
FUNCTIONS = (*_SLOPES, "PI", "POWER", "MIN", "MAX", "IF", "SUMSQ", "SUM")
"""What an expression may call."""


def compile_surface(text: str) -> tuple[Values, ValueAndSlopes]:
    """Return an expression in x and y as a function, alone and with its derivatives.

    Parameters
    ----------
    text : str
        As typed into a cell, with or without the leading ``=``: ``(1-x)^2+100*(y-x^2)^2``.

    Returns
    -------
    (x, y) -> Tensor, and (x, y) -> (value, d/dx, d/dy)
        All tensors of one shape, float64. Not finite where the formula is undefined.

    Raises
    ------
    FormulaError
        If the text cannot be read, or calls what is not known here.
    """
    expr = parse(text, Cell(0, 0))
    writer = _Writer()
    result = writer.term(expr)
    value = f"shaped(x,{result.value})"
    slopes = [f"shaped(x,{slope or '0.0'})" for slope in (result.dx, result.dy)]
    body = "\n ".join(writer.lines)
    plain = "\n ".join(writer.value_lines)
    source = (
        f"def values(x, y):\n {plain}\n return {value}\n"
        f"def slopes(x, y):\n {body}\n return {value}, {slopes[0]}, {slopes[1]}\n"
    )
    scope: dict[str, Callable[..., object]] = {}
    exec(compile(source, "<surface>", "exec"), _scope(), scope)
    return scope["values"], scope["slopes"]  # type: ignore[return-value]


def _scope() -> dict[str, object]:
    names = ("sqrt", "exp", "log", "log10", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arctan",
             "abs", "sign")  # fmt: skip
    scope: dict[str, object] = {name: _on_numbers(getattr(torch, name)) for name in names}
    scope["where"] = torch.where
    scope["full"] = lambda like, number: torch.full_like(like, float(number))
    scope["shaped"] = _shaped
    scope["__builtins__"] = {}
    return scope


def _on_numbers(function: Callable[[Tensor], Tensor]) -> Callable[[object], object]:
    """Let a tensor function take a plain number too."""

    def either(x: object) -> object:
        if isinstance(x, Tensor):
            return function(x)
        return function(torch.tensor(x, dtype=torch.float64))

    return either


def _shaped(like: Tensor, result: Tensor | float) -> Tensor:
    """Return a constant as a tensor of the shape of the points."""
    return result if isinstance(result, Tensor) else torch.full_like(like, result)


def _is_literal(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


class _Writer:
    """Writes one assignment a node; derivative lines beside the values they need."""

    def __init__(self) -> None:
        self.lines: list[str] = ["pass"]
        self.value_lines: list[str] = ["pass"]
        self._count = 0

    def term(self, expr: Expr) -> _Term:
        match expr:
            case Number(value):
                return _Term(repr(float(value)))
            case Name(None, name) if name.casefold() == "x":
                return _Term("x", "1.0", "")
            case Name(None, name) if name.casefold() == "y":
                return _Term("y", "", "1.0")
            case Unary("-", inner):
                return self._scaled(self.term(inner), "-1.0")
            case Unary(_, inner):
                return self.term(inner)
            case Percent(inner):
                return self._scaled(self.term(inner), "0.01")
            case Binary(op, a, b) if op in "+-*/^":
                return self._binary(op, self.term(a), self.term(b))
            case Call(name, args):
                return self._call(name, args)
        raise FormulaError(
            f"{_shown(expr)} cannot stand in a function of x and y.",
            hint="Use x, y, numbers, + - * / ^ and functions such as SIN or EXP.",
        )

    def _set(self, text: str, is_slope: bool = False) -> str:
        name = f"t{self._count}"
        self._count += 1
        self.lines.append(f"{name}={text}")
        if not is_slope:
            self.value_lines.append(f"{name}={text}")
        return name

    def _chained(self, value: str, slope: str, inner: _Term) -> _Term:
        """The value of a function of one term and its derivatives, slope times inner ones."""
        if inner.is_constant:
            return _Term(value)
        factor = self._set(slope, True)
        return _Term(value, self._product(factor, inner.dx), self._product(factor, inner.dy))

    def _product(self, factor: str, slope: str) -> str:
        if not slope:
            return ""
        return factor if slope == "1.0" else self._set(f"{factor}*{slope}", True)

    def _sum(self, a: str, b: str, op: str = "+") -> str:
        if not b:
            return a
        if not a:
            return b if op == "+" else self._set(f"-{b}", True)
        return self._set(f"{a}{op}{b}", True)

    def _scaled(self, inner: _Term, factor: str) -> _Term:
        return self._chained(self._set(f"{inner.value}*{factor}"), factor, inner)

    def _binary(self, op: str, a: _Term, b: _Term) -> _Term:
        if op in "+-":
            value = self._set(f"{a.value}{op}{b.value}")
            return _Term(value, self._sum(a.dx, b.dx, op), self._sum(a.dy, b.dy, op))
        if op == "*":
            value = self._set(f"{a.value}*{b.value}")
            return _Term(value, *(
                self._sum(self._product(b.value, da), self._product(a.value, db))
                for da, db in ((a.dx, b.dx), (a.dy, b.dy))
            ))  # fmt: skip
        if op == "/":
            value = self._set(f"{a.value}/{b.value}")
            return _Term(value, *(self._quotient(value, b.value, da, db)
                                  for da, db in ((a.dx, b.dx), (a.dy, b.dy))))  # fmt: skip
        return self._power(a, b)

    def _quotient(self, value: str, below: str, da: str, db: str) -> str:
        """(a / b)' = (a' - (a / b) b') / b."""
        top = self._sum(da, self._product(value, db), "-")
        return self._set(f"{top}/{below}", True) if top else ""

    def _power(self, a: _Term, b: _Term) -> _Term:
        if b.is_constant and _is_literal(b.value):
            exponent = float(b.value)
            if exponent == 2.0:
                return self._chained(self._set(f"{a.value}*{a.value}"), f"2.0*{a.value}", a)
            value = self._set(f"{a.value}**{exponent!r}")
            return self._chained(value, f"{exponent!r}*{a.value}**{exponent - 1!r}", a)
        value = self._set(f"exp(log({a.value})*{b.value})")
        left = self._chained(value, f"{value}*{b.value}/{a.value}", a)
        right = self._chained(value, f"{value}*log({a.value})", b)
        return _Term(value, self._sum(left.dx, right.dx), self._sum(left.dy, right.dy))

    def _call(self, name: str, args: tuple[Expr, ...]) -> _Term:
        if name in _SLOPES and len(args) == 1:
            inner = self.term(args[0])
            value = self._set(_SLOPES[name][0].format(inner.value))
            return self._chained(value, _SLOPES[name][1].format(inner.value, v=value), inner)
        if name == "PI" and not args:
            return _Term(repr(math.pi))
        if name == "POWER" and len(args) == 2:
            return self._power(self.term(args[0]), self.term(args[1]))
        if name in ("SUM", "SUMSQ") and args:
            terms = [self.term(arg) for arg in args]
            if name == "SUMSQ":
                terms = [self._power(term, _Term("2.0")) for term in terms]
            total = terms[0]
            for term in terms[1:]:
                total = self._binary("+", total, term)
            return total
        if name in ("MIN", "MAX") and args:
            best = self.term(args[0])
            for arg in args[1:]:
                other = self.term(arg)
                sign = "<=" if name == "MIN" else ">="
                best = self._choice(f"{self._full(best.value)}{sign}{other.value}", best, other)
            return best
        if name == "IF" and len(args) == 3 and isinstance(args[0], Binary):
            test = args[0]
            if test.op in _TESTS:
                a, b = self.term(test.a), self.term(test.b)
                condition = f"{self._full(a.value)}{_TESTS[test.op]}{b.value}"
                return self._choice(condition, self.term(args[1]), self.term(args[2]))
        raise FormulaError(
            f"{name} cannot be used in a function of x and y.",
            hint=f"Known are {', '.join(FUNCTIONS)}.",
        )

    def _full(self, text: str) -> str:
        return f"full(x,{text})" if _is_literal(text) else text

    def _choice(self, condition: str, yes: _Term, no: _Term) -> _Term:
        test = self._set(condition)

        def chosen(a: str, b: str, is_slope: bool) -> str:
            if not a and not b:
                return ""
            picks = (self._full(a or "0.0"), self._full(b or "0.0"))
            return self._set(f"where({test},{picks[0]},{picks[1]})", is_slope)

        return _Term(chosen(yes.value, no.value, False), chosen(yes.dx, no.dx, True),
                     chosen(yes.dy, no.dy, True))  # fmt: skip


def _shown(expr: Expr) -> str:
    return expr.name if isinstance(expr, Name) else type(expr).__name__
