"""Functions of numbers, element by element.

Owns roots, powers, logarithms, rounding and trigonometry with the numbers on which Excel shows
an error. Inputs without a result are replaced before they are computed, so that the gradient
of a masked value is 0 and not NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gradsheet.formula import operators, trace
from gradsheet.formula.batch import Batch, error, plain
from gradsheet.formula.functions.samples import pooled, sampled
from gradsheet.formula.functions.table import Code, Domain, function, numeric
from gradsheet.formula.values import ErrorCode

if TYPE_CHECKING:
    from gradsheet.formula.evaluate import Evaluator, Value

_LN10 = math.log(10.0)

_NOT_AT_ZERO = "subgradient at 0: 0"


@numeric("SQRT", "number", "Square root.", gradient=_NOT_AT_ZERO)
def sqrt(x: Tensor) -> Tensor | tuple[Tensor, Domain]:
    """√x; #NUM! below 0."""
    outside = ~(x > 0)
    if not trace.seen_any(outside):
        return torch.sqrt(x)
    root = torch.where(outside, 0.0, torch.sqrt(torch.where(outside, 1.0, x)))
    return root, [(x < 0, ErrorCode.NUM)]


@numeric("ABS", "number", "Absolute value.", gradient=_NOT_AT_ZERO)
def abs_(x: Tensor) -> Tensor:
    """|x|."""
    return torch.abs(x)


@numeric("EXP", "number", "e raised to a power.", hides=True)
def exp(x: Tensor) -> Tensor:
    """e^x."""
    return torch.exp(x)


def _log(x: Tensor) -> tuple[Tensor, Domain]:
    outside = ~(x > 0)
    if not trace.seen_any(outside):
        return torch.log(x), []
    return torch.log(torch.where(outside, 1.0, x)), [(outside, ErrorCode.NUM)]


@numeric("LN", "number", "Natural logarithm.", gradient="smooth above 0")
def ln(x: Tensor) -> tuple[Tensor, Domain]:
    """ln x; #NUM! at 0 and below."""
    return _log(x)


@numeric("LOG10", "number", "Logarithm to base 10.", gradient="smooth above 0")
def log10(x: Tensor) -> tuple[Tensor, Domain]:
    """log10 x; #NUM! at 0 and below."""
    result, domain = _log(x)
    return result / _LN10, domain


@numeric("LOG", "number, [base]", "Logarithm to a base, 10 unless given.",
         gradient="smooth above 0", defaults=(10.0,))  # fmt: skip
def log(x: Tensor, base: Tensor) -> tuple[Tensor, Domain]:
    """log of x; #NUM! at 0 and below, #DIV/0! for base 1."""
    result, domain = _log(x)
    if trace.fixed_number(base) == 10.0:
        return result / _LN10, domain
    below, more = _log(base)
    one = base == 1
    if bool(one.any()):
        below = torch.where(one, 1.0, below)
    return result / below, [*domain, *more, (one, ErrorCode.DIV0)]


@numeric("SIGN", "number", "-1, 0 or 1 by the sign.", gradient="none: constant but at 0",
         hides=True)  # fmt: skip
def sign(x: Tensor) -> Tensor:
    """Sign of x."""
    return torch.sign(x)


@numeric("MOD", "number, divisor", "Remainder with the sign of the divisor.",
         gradient="smooth between the jumps")  # fmt: skip
def mod(x: Tensor, y: Tensor) -> tuple[Tensor, Domain]:
    """x − y·floor(x / y); #DIV/0! for divisor 0."""
    zero = y == 0
    y = torch.where(zero, 1.0, y)
    return x - y * torch.floor(x / y), [(zero, ErrorCode.DIV0)]


@numeric("QUOTIENT", "numerator, denominator", "Whole part of a division.",
         gradient="none: constant between the jumps")  # fmt: skip
def quotient(x: Tensor, y: Tensor) -> tuple[Tensor, Domain]:
    """x / y towards 0; #DIV/0! for denominator 0."""
    zero = y == 0
    return torch.trunc(x / torch.where(zero, 1.0, y)), [(zero, ErrorCode.DIV0)]


_STEPS = "none: constant between the jumps"


@numeric("INT", "number", "Largest whole number that is not above.", gradient=_STEPS)
def int_(x: Tensor) -> Tensor:
    """Floor of x."""
    return torch.floor(x)


_NUDGE = 4e-16
"""Of the size of the number: 1.005 counts as a tie at two digits, as Excel's 15 digits have it."""


def _scaled(x: Tensor, digits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """|x| in units of the last digit kept, its sign, and the unit's inverse."""
    places = torch.trunc(digits)
    power = torch.round(torch.pow(10.0, places.abs()).to(torch.float64))
    size = torch.where(places >= 0, x.abs() * power, x.abs() / power)
    return size, torch.sign(x), torch.where(places >= 0, power, 1.0 / power)


def _unscaled(whole: Tensor, sign_: Tensor, power: Tensor, x: Tensor) -> Tensor:
    result = torch.where(power >= 1, whole / power, whole * torch.round(1.0 / power))
    return torch.where(torch.isfinite(result), sign_ * result, x)


@numeric("ROUND", "number, num_digits", "Rounds half away from zero.", gradient=_STEPS)
def round_(x: Tensor, digits: Tensor) -> Tensor:
    """x to so many digits after the point, or before it if negative."""
    size, sign_, power = _scaled(x, digits)
    return _unscaled(torch.floor(size * (1 + _NUDGE) + 0.5), sign_, power, x)


@numeric("ROUNDUP", "number, num_digits", "Rounds away from zero.", gradient=_STEPS)
def roundup(x: Tensor, digits: Tensor) -> Tensor:
    """x to so many digits, away from zero."""
    size, sign_, power = _scaled(x, digits)
    return _unscaled(torch.ceil(size * (1 - _NUDGE)), sign_, power, x)


@numeric("ROUNDDOWN", "number, num_digits", "Rounds towards zero.", gradient=_STEPS)
def rounddown(x: Tensor, digits: Tensor) -> Tensor:
    """x to so many digits, towards zero."""
    size, sign_, power = _scaled(x, digits)
    return _unscaled(torch.floor(size * (1 + _NUDGE)), sign_, power, x)


@numeric("TRUNC", "number, [num_digits]", "Cuts digits off.", gradient=_STEPS, defaults=(0.0,))
def trunc(x: Tensor, digits: Tensor) -> Tensor:
    """x to so many digits, towards zero."""
    size, sign_, power = _scaled(x, digits)
    return _unscaled(torch.floor(size * (1 + _NUDGE)), sign_, power, x)


def _multiple(x: Tensor, step: Tensor, up: Tensor) -> Tensor:
    """The multiple of a step next above (or below) x; 0 for step 0."""
    step = step.abs()
    none = step == 0
    ratio = x / torch.where(none, 1.0, step)
    near = torch.round(ratio)
    close = (ratio - near).abs() <= _NUDGE * ratio.abs()
    whole = torch.where(close, near, torch.where(up, torch.ceil(ratio), torch.floor(ratio)))
    return torch.where(none, 0.0, whole * step)


@numeric("CEILING.MATH", "number, [significance], [mode]",
         "Rounds up to a multiple; negative numbers away from zero if mode is not 0.",
         gradient=_STEPS, defaults=(1.0, 0.0))  # fmt: skip
def ceiling_math(x: Tensor, step: Tensor, mode: Tensor) -> Tensor:
    """Multiple of the step next above x."""
    return _multiple(x, step, (x >= 0) | (mode == 0))


@numeric("FLOOR.MATH", "number, [significance], [mode]",
         "Rounds down to a multiple; negative numbers towards zero if mode is not 0.",
         gradient=_STEPS, defaults=(1.0, 0.0))  # fmt: skip
def floor_math(x: Tensor, step: Tensor, mode: Tensor) -> Tensor:
    """Multiple of the step next below x."""
    return _multiple(x, step, (x < 0) & (mode != 0))


@numeric("CEILING", "number, significance", "Rounds up to a multiple.", gradient=_STEPS)
def ceiling(x: Tensor, step: Tensor) -> tuple[Tensor, Domain]:
    """Multiple of the step next above; #NUM! for a positive number and a negative step."""
    both_below = (x < 0) & (step < 0)
    result = _multiple(x, step, ~both_below)
    return result, [((x > 0) & (step < 0), ErrorCode.NUM)]


@numeric("FLOOR", "number, significance", "Rounds down to a multiple.", gradient=_STEPS)
def floor(x: Tensor, step: Tensor) -> tuple[Tensor, Domain]:
    """Multiple of the step next below; #NUM! for a positive number and a negative step."""
    both_below = (x < 0) & (step < 0)
    result = _multiple(x, step, both_below)
    return result, [
        ((x > 0) & (step < 0), ErrorCode.NUM),
        ((step == 0) & (x != 0), ErrorCode.DIV0),
    ]


@numeric("MROUND", "number, multiple", "Rounds to the nearest multiple.", gradient=_STEPS)
def mround(x: Tensor, step: Tensor) -> tuple[Tensor, Domain]:
    """Nearest multiple, ties away from zero; #NUM! for different signs."""
    none = step == 0
    ratio = (x / torch.where(none, 1.0, step)).abs()
    near = torch.floor(ratio * (1 + _NUDGE) + 0.5)
    return torch.sign(x) * near * step.abs(), [(x * step < 0, ErrorCode.NUM)]


@numeric("EVEN", "number", "Rounds away from zero to an even number.", gradient=_STEPS)
def even(x: Tensor) -> Tensor:
    """Next even number away from 0."""
    return torch.sign(x) * torch.ceil(x.abs() / 2) * 2


@numeric("ODD", "number", "Rounds away from zero to an odd number.", gradient=_STEPS)
def odd(x: Tensor) -> Tensor:
    """Next odd number away from 0; 1 for 0."""
    up = torch.where(x < 0, -1.0, 1.0)
    return up * (torch.ceil((x.abs() - 1).clamp(min=0) / 2) * 2 + 1)


@numeric("FACT", "number", "Factorial of the whole part.",
         gradient="none: defined on whole numbers")  # fmt: skip
def fact(x: Tensor) -> tuple[Tensor, Domain]:
    """n!; #NUM! below 0."""
    whole = torch.trunc(x)
    safe = whole.clamp(min=0)
    small = torch.tensor([float(math.factorial(i)) for i in range(171)], dtype=torch.float64)
    index = safe.clamp(max=170).to(torch.int64)
    return small[index], [(x < 0, ErrorCode.NUM), (whole > 170, ErrorCode.NUM)]


@numeric("COMBIN", "number, number_chosen", "Ways to choose some out of many.",
         gradient="none: defined on whole numbers")  # fmt: skip
def combin(n: Tensor, k: Tensor) -> tuple[Tensor, Domain]:
    """n over k; #NUM! where k is above n or either is negative."""
    n, k = torch.trunc(n), torch.trunc(k)
    bad = (n < 0) | (k < 0) | (k > n)
    n, k = torch.where(bad, 0.0, n), torch.where(bad, 0.0, k)
    log_ways = torch.lgamma(n + 1) - torch.lgamma(k + 1) - torch.lgamma(n - k + 1)
    return torch.round(torch.exp(log_ways)), [(bad, ErrorCode.NUM)]


def _plain(name: str, help_: str, code: Code, gradient: str = "smooth", hides: bool = False,
           arguments: str = "number") -> None:  # fmt: skip
    """Enter a function that is defined for every number."""
    numeric(name, arguments, help_, gradient=gradient, hides=hides)(code)


_plain("SIN", "Sine of an angle in radians.", torch.sin)
_plain("COS", "Cosine of an angle in radians.", torch.cos)
_plain("TAN", "Tangent of an angle in radians.", torch.tan)
_plain("SINH", "Hyperbolic sine.", torch.sinh)
_plain("COSH", "Hyperbolic cosine.", torch.cosh)
_plain("TANH", "Hyperbolic tangent.", torch.tanh, hides=True)
_plain("ATAN", "Angle of a tangent, in radians.", torch.atan, hides=True)
_plain("ASINH", "Inverse hyperbolic sine.", torch.asinh)
_plain("DEGREES", "Radians as degrees.", torch.rad2deg)
_plain("RADIANS", "Degrees as radians.", torch.deg2rad)


def _inside(x: Tensor, outside: Tensor, code: Code) -> tuple[Tensor, Domain]:
    """A function where it is defined; what lies outside is replaced before."""
    if not trace.seen_any(outside):
        return code(x), []
    return code(torch.where(outside, 0.5, x)), [(outside, ErrorCode.NUM)]


def _at_edge(x: Tensor, code: Code) -> tuple[Tensor, Domain]:
    edge = x.abs() == 1
    result, domain = _inside(torch.where(edge, 0.0, x), x.abs() > 1, code)
    return torch.where(edge, code(torch.where(edge, x, 0.0).detach()), result), domain


@numeric("ASIN", "number", "Angle of a sine, in radians.", gradient="subgradient at -1 and 1: 0")
def asin(x: Tensor) -> tuple[Tensor, Domain]:
    """Arc sine; #NUM! outside -1 to 1."""
    return _at_edge(x, torch.asin)


@numeric("ACOS", "number", "Angle of a cosine, in radians.", gradient="subgradient at -1 and 1: 0")
def acos(x: Tensor) -> tuple[Tensor, Domain]:
    """Arc cosine; #NUM! outside -1 to 1."""
    return _at_edge(x, torch.acos)


@numeric("ATANH", "number", "Inverse hyperbolic tangent.", gradient="smooth between -1 and 1")
def atanh(x: Tensor) -> tuple[Tensor, Domain]:
    """Inverse hyperbolic tangent; #NUM! at -1, 1 and outside."""
    return _inside(x, ~(x.abs() < 1), torch.atanh)


@numeric("ACOSH", "number", "Inverse hyperbolic cosine.", gradient="subgradient at 1: 0")
def acosh(x: Tensor) -> tuple[Tensor, Domain]:
    """Inverse hyperbolic cosine; #NUM! below 1."""
    bad = ~(x > 1)
    result = torch.where(bad, 0.0, torch.acosh(torch.where(bad, 2.0, x)))
    return result, [(x < 1, ErrorCode.NUM)]


@numeric("ATAN2", "x_num, y_num", "Angle of a point seen from the origin, in radians.",
         hides=True)  # fmt: skip
def atan2(x: Tensor, y: Tensor) -> tuple[Tensor, Domain]:
    """Angle of (x, y); #DIV/0! for the origin. Excel names x first."""
    origin = (x == 0) & (y == 0)
    if not bool(origin.any()):
        return torch.atan2(y, x), []
    x = torch.where(origin, 1.0, x)
    return torch.atan2(y, x), [(origin, ErrorCode.DIV0)]


@function("POWER", "number, power", "A number to a power, as ^.", family="Mathematics",
          gradient="smooth above 0; where the power is whole, everywhere")  # fmt: skip
def power(evaluator: Evaluator, a: Batch, b: Batch) -> Batch:
    """a ^ b."""
    return operators.power(evaluator.strings, a, b)


@function("PI", "", "π to 15 digits.", family="Mathematics", gradient="none: a constant")
def pi(evaluator: Evaluator) -> Batch:
    """3.14159265358979."""
    return evaluator.constant(math.pi)


def _of_whole(name: str, help_: str, code: Callable[..., int]) -> None:
    @function(name, "number1, [number2], ...", help_, family="Mathematics", params="r",
              gradient="none: defined on whole numbers")  # fmt: skip
    def run(evaluator: Evaluator, *values: Value) -> Batch:
        samples, errors = sampled(evaluator, values)
        row, mask = pooled(samples)
        if row.shape[0] * row.shape[1] > 1:
            evaluator.split()
        if errors is not None and bool((errors > 0).any()):
            return error(int(errors.max()))
        kept = plain(Batch(row[..., None]))[0].ravel()
        if mask is not None:
            kept = kept[mask.expand(row.shape).reshape(-1).numpy()]
        if (kept < 0).any() or (kept > 2**53).any():
            return error(ErrorCode.NUM)
        return evaluator.constant(float(code(*[int(x) for x in kept])))


_of_whole("GCD", "Greatest common divisor.", math.gcd)
_of_whole("LCM", "Least common multiple.", math.lcm)
