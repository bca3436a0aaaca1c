"""The derivative of a formula by one of its names, as a formula again.

Owns the rules of calculus on formula trees and the little algebra that keeps the results short.
Whatever it has no rule for it refuses by name. Knows no cell values and no tensors.
"""

from __future__ import annotations

from gradsheet.formula.nodes import (
    Binary,
    Call,
    Expr,
    Name,
    Number,
    Percent,
    Unary,
    children,
)
from gradsheet.formula.values import FormulaError

_SHORT = 6
"""Characters of a number that a division by another may become: 2 x / 4, but not x / 3."""
ZERO, ONE, TWO = Number(0.0, "0"), Number(1.0, "1"), Number(2.0, "2")


def derivative(expr: Expr, name: str) -> Expr:
    """Return d expr / d name.

    Parameters
    ----------
    expr : Expr
        Of numbers, names, cells, + - * / ^, %, and the usual functions of one argument, MIN, MAX,
        IF, SUM, SUMSQ and POWER.
    name : str
        The variable; all other names and all cells are constants.

    Raises
    ------
    FormulaError
        If there is no rule for a part of it.
    """
    if not depends_on(expr, name):
        return ZERO
    match expr:
        case Name():
            return ONE
        case Unary("-", x):
            return negated(derivative(x, name))
        case Unary("+", x):
            return derivative(x, name)
        case Percent(x):
            return product(Number(0.01, "0.01"), derivative(x, name))
        case Binary("+", a, b):
            return total(derivative(a, name), derivative(b, name))
        case Binary("-", a, b):
            return total(derivative(a, name), negated(derivative(b, name)))
        case Binary("*", a, b):
            return total(product(derivative(a, name), b), product(derivative(b, name), a))
        case Binary("/", a, b):
            return _of_quotient(a, b, name)
        case Binary("^", a, b):
            return _of_power(a, b, name)
        case Call(function, args):
            return _of_call(function, args, name)
    raise FormulaError(
        f"{type(expr).__name__} has no derivative here.",
        hint="Use numbers, names, + - * / ^ and functions such as SIN or EXP.",
    )


def depends_on(expr: Expr, name: str) -> bool:
    """Whether a name occurs in an expression."""
    if isinstance(expr, Name):
        return expr.name.casefold() == name.casefold()
    return any(depends_on(child, name) for child in children(expr))


# --- rules ------------------------------------------------------------------------------------


def _of_quotient(a: Expr, b: Expr, name: str) -> Expr:
    """(a / b)' = a' / b - a b' / b^2."""
    first = quotient(derivative(a, name), b)
    if not depends_on(b, name):
        return first
    second = quotient(product(a, derivative(b, name)), power(b, TWO))
    return total(first, negated(second))


def _of_power(a: Expr, b: Expr, name: str) -> Expr:
    """(a^n)' = n a^(n-1) a'; with n moving too, a^b (b' ln a + b a' / a)."""
    if not depends_on(b, name):
        less = Number(b.value - 1) if isinstance(b, Number) else Binary("-", b, ONE)
        return product(product(b, power(a, less)), derivative(a, name))
    grows = product(derivative(b, name), Call("LN", (a,)))
    return product(
        Binary("^", a, b), total(grows, quotient(product(b, derivative(a, name)), a))
    )


def _call(name: str, *args: Expr) -> Expr:
    return Call(name, args)


def _slope(function: str, x: Expr) -> Expr | None:
    """Return the derivative of a function of one argument by that argument."""
    match function:
        case "SQRT":
            return quotient(ONE, product(TWO, _call("SQRT", x)))
        case "EXP":
            return _call("EXP", x)
        case "LN":
            return quotient(ONE, x)
        case "LOG10":
            return quotient(ONE, product(x, _call("LN", Number(10.0, "10"))))
        case "SIN":
            return _call("COS", x)
        case "COS":
            return negated(_call("SIN", x))
        case "TAN":
            return total(ONE, power(_call("TAN", x), TWO))
        case "SINH":
            return _call("COSH", x)
        case "COSH":
            return _call("SINH", x)
        case "TANH":
            return total(ONE, negated(power(_call("TANH", x), TWO)))
        case "ATAN":
            return quotient(ONE, total(ONE, power(x, TWO)))
        case "ABS":
            return _call("SIGN", x)
    return None


def _of_call(function: str, args: tuple[Expr, ...], name: str) -> Expr:
    if len(args) == 1:
        slope = _slope(function, args[0])
        if slope is not None:
            return product(slope, derivative(args[0], name))
    if function == "POWER" and len(args) == 2:
        return _of_power(args[0], args[1], name)
    if function in ("SUM", "SUMSQ"):
        terms = [Binary("^", arg, TWO) if function == "SUMSQ" else arg for arg in args]
        found: Expr = ZERO
        for term in terms:
            found = total(found, derivative(term, name))
        return found
    if function == "IF" and len(args) == 3:
        return Call("IF", (args[0], derivative(args[1], name), derivative(args[2], name)))
    if function in ("MIN", "MAX") and args:
        best, slope = args[0], derivative(args[0], name)
        for other in args[1:]:
            test = Binary("<=" if function == "MIN" else ">=", best, other)
            slope = Call("IF", (test, slope, derivative(other, name)))
            best = Call(function, (best, other))
        return slope
    raise FormulaError(
        f"{function} has no derivative here.",
        hint="Known are SQRT, EXP, LN, SIN, COS, TAN, ABS, MIN, MAX, IF, POWER and SUMSQ.",
    )


# --- a little algebra -------------------------------------------------------------------------


def total(a: Expr, b: Expr) -> Expr:
    """a + b, without zeros, and with a minus rather than the addition of a negative product."""
    if _number(a) == 0:
        return b
    if _number(b) == 0:
        return a
    factor, rest = _split(b)
    if factor < 0:
        return Binary("-", a, _joined(-factor, rest))
    return Binary("+", a, b)


def negated(a: Expr) -> Expr:
    """-a, the sign taken into its number."""
    factor, rest = _split(a)
    return _joined(-factor, rest)


def product(a: Expr, b: Expr) -> Expr:
    """a b, the numbers multiplied and put in front."""
    first, left = _split(a)
    second, right = _split(b)
    if isinstance(left, Binary) and left.op == "/" and _number(left.a) == 1:
        return quotient(_joined(first * second, right), left.b)
    return _joined(first * second, _chain(left, right))


def quotient(a: Expr, b: Expr) -> Expr:
    """a / b."""
    if _number(a) == 0:
        return ZERO
    return a if _number(b) == 1 else _joined(*_split(Binary("/", a, b)))


def power(a: Expr, b: Expr) -> Expr:
    """a ^ b."""
    exponent = _number(b)
    if exponent == 0:
        return ONE
    return a if exponent == 1 else Binary("^", a, b)


def _number(expr: Expr) -> float | None:
    match expr:
        case Number(value):
            return value
        case Unary("-", Number(value)):
            return -value
    return None


def _split(expr: Expr) -> tuple[float, Expr | None]:
    """Return the number in front of a product, and the rest; None for no rest."""
    number = _number(expr)
    if number is not None:
        return number, None
    match expr:
        case Unary("-", x):
            factor, rest = _split(x)
            return -factor, rest
        case Binary("*", a, b):
            first, left = _split(a)
            second, right = _split(b)
            if left is None or right is None:
                return first * second, left or right
            return first * second, _chain(left, right)
        case Binary("/", a, Number(below)) if below:
            factor, rest = _split(a)
            if len(repr(factor / below)) <= _SHORT:
                return factor / below, rest
    return 1.0, expr


def _chain(left: Expr | None, right: Expr | None) -> Expr | None:
    """Return a product without brackets on its right: (a b) c."""
    if left is None or right is None:
        return left or right
    if isinstance(right, Binary) and right.op == "*":
        return Binary("*", _chain(left, right.a) or left, right.b)
    return Binary("*", left, right)


def _joined(factor: float, rest: Expr | None) -> Expr:
    size = Number(abs(factor))
    signed: Expr = Unary("-", size) if factor < 0 else size
    if rest is None or factor == 0:
        return ZERO if factor == 0 else signed
    if abs(factor) == 1:
        return Unary("-", rest) if factor < 0 else rest
    return _chain(signed, rest) or signed
