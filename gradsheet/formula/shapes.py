"""How many values a formula gives, as far as its text alone says.

Owns the decision whether a formula that is typed may spill, as Excel makes it when it is entered.
Evaluates nothing.
"""

from __future__ import annotations

from gradsheet.formula.address import Cell
from gradsheet.formula.functions import FUNCTIONS
from gradsheet.formula.syntax import (
    Array,
    Binary,
    Boolean,
    Call,
    ErrorLiteral,
    Expr,
    Missing,
    Number,
    Percent,
    Range,
    Ref,
    Text,
    Unary,
    region_of,
)

Shape = tuple[int, int]

ONE: Shape = (1, 1)
_SEVERAL = frozenset({
    "BYCOL", "BYROW", "CHOOSE", "CHOOSECOLS", "CHOOSEROWS", "DROP", "EXPAND", "FILTER",
    "FREQUENCY", "GROWTH", "HSTACK", "IFS", "INDEX", "INDIRECT", "LEARN.SOFTMAX", "LET", "LINEST",
    "LOGEST", "MINVERSE", "MODE.MULT", "MUNIT", "OFFSET", "RANDARRAY", "ROW", "COLUMN",
    "SEQUENCE", "SOFTMAX", "SORT", "SORTBY", "SWITCH", "TAKE", "TEXTSPLIT", "TOCOL", "TOROW",
    "TREND", "UNIQUE", "VSTACK", "WRAPCOLS", "WRAPROWS", "XLOOKUP",
})  # fmt: skip
"""Functions whose number of values depends on more than the sizes of their arguments."""


def may_spill(expr: Expr, host: Cell) -> bool:
    """Return whether a formula may give more than one value, so that it is kept as dynamic.

    Parameters
    ----------
    expr : Expr
        Relative to `host`.
    host : Cell
    """
    return shape_of(expr, host) != ONE


def shape_of(expr: Expr, host: Cell) -> Shape | None:
    """Return (rows, columns) of what a formula gives; None where only evaluating it tells."""
    if isinstance(expr, Number | Text | Boolean | ErrorLiteral | Missing | Ref):
        return ONE
    if isinstance(expr, Range):
        region = region_of(expr, host)
        return region.shape if region is not None else None
    if isinstance(expr, Array):
        return (len(expr.rows), len(expr.rows[0]))
    if isinstance(expr, Unary):
        return ONE if expr.op == "@" else shape_of(expr.x, host)
    if isinstance(expr, Percent):
        return shape_of(expr.x, host)
    if isinstance(expr, Binary):
        return _broadcast([shape_of(expr.a, host), shape_of(expr.b, host)])
    if isinstance(expr, Call):
        return _shape_of_call(expr, host)
    return None


def _shape_of_call(call: Call, host: Cell) -> Shape | None:
    function = FUNCTIONS.get(call.name)
    if function is None or call.name in _SEVERAL:
        return None
    shapes = [shape_of(argument, host) for argument in call.args]
    if call.name == "MMULT" and len(shapes) == 2:
        a, b = shapes
        return (a[0], b[1]) if a is not None and b is not None else None
    if call.name == "TRANSPOSE" and len(shapes) == 1:
        return (shapes[0][1], shapes[0][0]) if shapes[0] is not None else None
    # An argument that is wanted as one value lifts the function over an array; one that is
    # wanted whole (a range to sum) does not.
    letters = function.params
    lifting = [
        shape for at, shape in enumerate(shapes) if letters[min(at, len(letters) - 1)] in "ve"
    ]
    return _broadcast(lifting)


def _broadcast(shapes: list[Shape | None]) -> Shape | None:
    rows, cols = 1, 1
    for shape in shapes:
        if shape is None:
            return None
        rows, cols = max(rows, shape[0]), max(cols, shape[1])
    return rows, cols
