"""Distributions by the incomplete gamma and beta functions, and their quantiles.

Owns Student's t, chi square, F, beta and gamma. They are computed value by value, by series and
continued fractions (Numerical Recipes, 6.2 and 6.4); no gradient passes, which is said.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from gradsheet.formula.batch import Batch, by_host, number_of
from gradsheet.formula.functions.table import function
from gradsheet.formula.values import ErrorCode, FormulaError, Scalar

if TYPE_CHECKING:
    from gradsheet.formula.evaluate import Evaluator

FAMILY = "Chance"
_NONE = "none: computed outside of tensors; refused on the way from changing cells to a loss"
_TINY, _CLOSE, _MOST = 1e-300, 1e-16, 10_000


def _enter(
    name: str, arguments: str, help_: str, code: Callable[..., float | ErrorCode]
) -> None:
    """Enter a function of numbers; what it raises is #NUM!."""

    def value(*args: Scalar) -> Scalar:
        numbers = [number_of(arg) for arg in args]
        for number in numbers:
            if isinstance(number, ErrorCode):
                return number
        try:
            return code(*numbers)
        except (ValueError, OverflowError, ZeroDivisionError):
            return ErrorCode.NUM

    def run(evaluator: Evaluator, *batches: Batch) -> Batch:
        from gradsheet.formula import trace

        if any(trace.depends(batch.num) for batch in batches):
            raise FormulaError(
                f"{name} in {evaluator.place} depends on the parameters, and no gradient flows "
                "through it.",
                hint="Let it depend on cells that do not change, or choose other cells to change.",
            )
        return by_host(value, batches, evaluator.strings)

    function(name, arguments, help_, family=FAMILY, gradient=_NONE)(run)


def _lower_gamma(a: float, x: float) -> float:
    """P(a, x), the lower incomplete gamma function over Γ(a)."""
    if x <= 0:
        return 0.0
    scale = math.exp(-x + a * math.log(x) - math.lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        n = a
        for _ in range(_MOST):
            n += 1
            term *= x / n
            total += term
            if term < total * _CLOSE:
                break
        return total * scale
    return 1 - _upper_fraction(a, x) * scale


def _upper_gamma(a: float, x: float) -> float:
    """Q(a, x) = 1 - P(a, x), without loss where it is small."""
    if x < a + 1:
        return 1 - _lower_gamma(a, x)
    return _upper_fraction(a, x) * math.exp(-x + a * math.log(x) - math.lgamma(a))


def _upper_fraction(a: float, x: float) -> float:
    b = x + 1 - a
    c, d = 1 / _TINY, 1 / b
    h = d
    for i in range(1, _MOST):
        an = -i * (i - a)
        b += 2
        d = 1 / (an * d + b or _TINY)
        c = b + an / c or _TINY
        h *= c * d
        if abs(c * d - 1) < _CLOSE:
            break
    return h


def _beta(a: float, b: float, x: float) -> float:
    """I_x(a, b), the regularised incomplete beta function."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
        + a * math.log(x) + b * math.log1p(-x)
    )  # fmt: skip
    if x < (a + 1) / (a + b + 2):
        return front * _beta_fraction(a, b, x) / a
    return 1 - front * _beta_fraction(b, a, 1 - x) / b


def _beta_fraction(a: float, b: float, x: float) -> float:
    c = 1.0
    d = 1 / (1 - (a + b) * x / (a + 1) or _TINY)
    h = d
    for m in range(1, _MOST):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1 / (1 + even * d or _TINY)
        c = 1 + even / c or _TINY
        h *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1 / (1 + odd * d or _TINY)
        c = 1 + odd / c or _TINY
        h *= d * c
        if abs(d * c - 1) < _CLOSE:
            break
    return h


def _quantile(p: float, area: Callable[[float], float], low: float, high: float) -> float:
    """Where an area that grows from `low` on comes to p; `high` is doubled until it does."""
    while math.isfinite(high) and area(high) < p:
        low, high = high, high * 2
    for _ in range(400):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if area(middle) < p:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _checked(is_fine: bool) -> None:
    if not is_fine:
        raise ValueError


# ------------------------------------------------------------------ Student's t


def _two_tails(t: float, df: float) -> float:
    return _beta(df / 2, 0.5, df / (df + t * t))


def _t_area(t: float, df: float) -> float:
    half = _two_tails(t, df) / 2
    return half if t < 0 else 1 - half


def _t_dist(x: float, df: float, cumulative: float) -> float:
    df = math.trunc(df)
    _checked(df >= 1)
    if cumulative:
        return _t_area(x, df)
    log = math.lgamma((df + 1) / 2) - math.lgamma(df / 2) - math.log(df * math.pi) / 2
    return math.exp(log - (df + 1) / 2 * math.log1p(x * x / df))


def _t_dist_2t(x: float, df: float) -> float:
    _checked(x >= 0 and math.trunc(df) >= 1)
    return _two_tails(x, math.trunc(df))


def _t_dist_rt(x: float, df: float) -> float:
    df = math.trunc(df)
    _checked(df >= 1)
    half = _two_tails(x, df) / 2
    return half if x > 0 else 1 - half


def _t_inv_2t(p: float, df: float) -> float:
    df = math.trunc(df)
    _checked(0 < p <= 1 and df >= 1)
    return _quantile(-p, lambda t: -_two_tails(t, df), 0.0, 2.0) if p < 1 else 0.0


def _t_inv(p: float, df: float) -> float:
    _checked(0 < p < 1)
    return math.copysign(_t_inv_2t(2 * min(p, 1 - p), df), p - 0.5) if p != 0.5 else 0.0


def _t_dist_tails(x: float, df: float, tails: float) -> float:
    _checked(math.trunc(tails) in (1, 2) and x >= 0)
    return _t_dist_2t(x, df) * math.trunc(tails) / 2


def _confidence_t(alpha: float, sd: float, size: float) -> float | ErrorCode:
    n = math.trunc(size)
    _checked(0 < alpha < 1 and sd > 0 and n >= 1)
    return ErrorCode.DIV0 if n == 1 else _t_inv_2t(alpha, n - 1) * sd / math.sqrt(n)


_enter("T.DIST", "x, deg_freedom, cumulative", "Student's t distribution.", _t_dist)
_enter("T.DIST.2T", "x, deg_freedom", "Both tails of Student's t.", _t_dist_2t)
_enter("T.DIST.RT", "x, deg_freedom", "Right tail of Student's t.", _t_dist_rt)
_enter("TDIST", "x, deg_freedom, tails", "One or both tails of Student's t.", _t_dist_tails)
_enter("T.INV", "probability, deg_freedom", "Quantile of Student's t.", _t_inv)
for _name in ("T.INV.2T", "TINV"):
    _enter(_name, "probability, deg_freedom", "Two-tailed quantile of Student's t.", _t_inv_2t)
_enter("CONFIDENCE.T", "alpha, standard_dev, size",
       "Half width of a mean's confidence interval by Student's t.", _confidence_t)  # fmt: skip


# ------------------------------------------------------------------ gamma and chi square


def _gamma_dist(x: float, alpha: float, beta: float, cumulative: float) -> float:
    _checked(x >= 0 and alpha > 0 and beta > 0)
    if cumulative:
        return _lower_gamma(alpha, x / beta)
    if x == 0:
        _checked(alpha >= 1)
        return 1 / beta if alpha == 1 else 0.0
    log = (alpha - 1) * math.log(x) - x / beta - math.lgamma(alpha) - alpha * math.log(beta)
    return math.exp(log)


def _gamma_inv(p: float, alpha: float, beta: float) -> float:
    _checked(0 <= p < 1 and alpha > 0 and beta > 0)
    return _quantile(p, lambda x: _lower_gamma(alpha, x), 0.0, alpha) * beta if p else 0.0


def _chi(x: float, df: float, cumulative: float) -> float:
    df = math.trunc(df)
    _checked(x >= 0 and 1 <= df <= 1e10)
    return _gamma_dist(x, df / 2, 2.0, cumulative)


def _chi_rt(x: float, df: float) -> float:
    df = math.trunc(df)
    _checked(x >= 0 and 1 <= df <= 1e10)
    return _upper_gamma(df / 2, x / 2) if x else 1.0


def _chi_inv(p: float, df: float) -> float:
    df = math.trunc(df)
    _checked(df >= 1)
    return _gamma_inv(p, df / 2, 2.0)


def _chi_inv_rt(p: float, df: float) -> float:
    df = math.trunc(df)
    _checked(0 < p <= 1 and df >= 1)
    return _quantile(-p, lambda x: -_upper_gamma(df / 2, x / 2), 0.0, df) if p < 1 else 0.0


for _name in ("GAMMA.DIST", "GAMMADIST"):
    _enter(_name, "x, alpha, beta, cumulative", "Gamma distribution or its density.", _gamma_dist)
for _name in ("GAMMA.INV", "GAMMAINV"):
    _enter(_name, "probability, alpha, beta", "Quantile of a gamma distribution.", _gamma_inv)
_enter("CHISQ.DIST", "x, deg_freedom, cumulative", "Chi-square distribution.", _chi)
_enter("CHISQ.INV", "probability, deg_freedom", "Quantile of chi square.", _chi_inv)
for _name in ("CHISQ.DIST.RT", "CHIDIST"):
    _enter(_name, "x, deg_freedom", "Right tail of chi square.", _chi_rt)
for _name in ("CHISQ.INV.RT", "CHIINV"):
    _enter(_name, "probability, deg_freedom", "Quantile of chi square's right tail.", _chi_inv_rt)


# ------------------------------------------------------------------ beta and F


def _beta_dist(
    x: float, alpha: float, beta: float, cumulative: float, a: float = 0.0, b: float = 1.0
) -> float:
    _checked(alpha > 0 and beta > 0 and a <= x <= b and a < b)
    share = (x - a) / (b - a)
    if cumulative:
        return _beta(alpha, beta, share)
    log = math.lgamma(alpha + beta) - math.lgamma(alpha) - math.lgamma(beta)
    height: float = share ** (alpha - 1) * (1 - share) ** (beta - 1)
    return math.exp(log) * height / (b - a)


def _beta_inv(p: float, alpha: float, beta: float, a: float = 0.0, b: float = 1.0) -> float:
    _checked(0 < p < 1 and alpha > 0 and beta > 0 and a < b)
    return a + (b - a) * _quantile(p, lambda x: _beta(alpha, beta, x), 0.0, 1.0)


def _freedoms(one: float, two: float) -> tuple[int, int]:
    first, second = math.trunc(one), math.trunc(two)
    _checked(first >= 1 and second >= 1)
    return first, second


def _f_dist(x: float, one: float, two: float, cumulative: float) -> float:
    m, n = _freedoms(one, two)
    _checked(x >= 0)
    if cumulative:
        return _beta(m / 2, n / 2, m * x / (m * x + n))
    if x == 0:
        return {1: math.inf, 2: 1.0}.get(m, 0.0)
    log = math.lgamma((m + n) / 2) - math.lgamma(m / 2) - math.lgamma(n / 2)
    log += m / 2 * math.log(m / n) + (m / 2 - 1) * math.log(x)
    return math.exp(log - (m + n) / 2 * math.log1p(m * x / n))


def _f_rt(x: float, one: float, two: float) -> float:
    m, n = _freedoms(one, two)
    _checked(x >= 0)
    return _beta(n / 2, m / 2, n / (m * x + n))


def _f_inv(p: float, one: float, two: float) -> float:
    m, n = _freedoms(one, two)
    _checked(0 <= p < 1)
    return _quantile(p, lambda x: _f_dist(x, m, n, 1.0), 0.0, 1.0) if p else 0.0


def _f_inv_rt(p: float, one: float, two: float) -> float:
    m, n = _freedoms(one, two)
    _checked(0 < p <= 1)
    return _quantile(-p, lambda x: -_f_rt(x, m, n), 0.0, 1.0) if p < 1 else 0.0


_enter("BETA.DIST", "x, alpha, beta, cumulative, [A], [B]", "Beta distribution.", _beta_dist)
for _name in ("BETA.INV", "BETAINV"):
    _enter(_name, "probability, alpha, beta, [A], [B]", "Quantile of a beta distribution.",
           _beta_inv)  # fmt: skip
_enter("F.DIST", "x, deg_freedom1, deg_freedom2, cumulative", "F distribution.", _f_dist)
_enter("F.INV", "probability, deg_freedom1, deg_freedom2", "Quantile of F.", _f_inv)
for _name in ("F.DIST.RT", "FDIST"):
    _enter(_name, "x, deg_freedom1, deg_freedom2", "Right tail of F.", _f_rt)
for _name in ("F.INV.RT", "FINV"):
    _enter(_name, "probability, deg_freedom1, deg_freedom2", "Quantile of F's right tail.",
           _f_inv_rt)  # fmt: skip
