"""Loans, savings and investments.

Owns the functions of interest. Annuities follow Excel's signs: what is paid out is negative.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gradsheet.formula.batch import Batch, Errors, earlier, error, numbered, numbers, plain
from gradsheet.formula.functions.samples import pooled, sampled
from gradsheet.formula.functions.table import Domain, function, numeric
from gradsheet.formula.values import ErrorCode

if TYPE_CHECKING:
    from gradsheet.formula.evaluate import Evaluator, Value

FAMILY = "Finance"
_ROOT = "smooth, by the equation that it solves"


def _growth(rate: Tensor, periods: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(1 + r)^n, ((1 + r)^n - 1)/r, which is n at 0, and where r is too small to tell."""
    zero = rate == 0
    safe = torch.where(zero, 1.0, rate)
    log = torch.log1p(torch.where(rate > -1, rate, 0.0))
    growth = torch.where(rate > -1, torch.exp(periods * log), (1 + rate) ** periods)
    return growth, torch.where(zero, periods, (growth - 1) / safe), zero


@numeric("PMT", "rate, nper, pv, [fv], [type]", "Payment of a loan in each period.",
         family=FAMILY, defaults=(0.0, 0.0))  # fmt: skip
def pmt(rate: Tensor, nper: Tensor, pv: Tensor, fv: Tensor, due: Tensor) -> tuple[Tensor, Domain]:
    """-(pv (1+r)^n + fv)/((1 + r type)((1+r)^n - 1)/r)."""
    growth, annuity, _ = _growth(rate, nper)
    bottom = (1 + rate * (due != 0)) * annuity
    none = bottom == 0
    result = -(pv * growth + fv) / torch.where(none, 1.0, bottom)
    return result, [(none, ErrorCode.NUM)]


@numeric("FV", "rate, nper, pmt, [pv], [type]", "What equal payments come to.",
         family=FAMILY, defaults=(0.0, 0.0))  # fmt: skip
def fv(rate: Tensor, nper: Tensor, paid: Tensor, pv: Tensor, due: Tensor) -> Tensor:
    """-(pv (1+r)^n + pmt (1 + r type)((1+r)^n - 1)/r)."""
    growth, annuity, _ = _growth(rate, nper)
    return -(pv * growth + paid * (1 + rate * (due != 0)) * annuity)


@numeric("PV", "rate, nper, pmt, [fv], [type]", "What equal payments are worth today.",
         family=FAMILY, defaults=(0.0, 0.0))  # fmt: skip
def pv(rate: Tensor, nper: Tensor, paid: Tensor, fv: Tensor, due: Tensor) -> Tensor:
    """-(fv + pmt (1 + r type)((1+r)^n - 1)/r)/(1+r)^n."""
    growth, annuity, _ = _growth(rate, nper)
    return -(fv + paid * (1 + rate * (due != 0)) * annuity) / growth


@numeric("NPER", "rate, pmt, pv, [fv], [type]", "How many periods a loan takes.",
         family=FAMILY, defaults=(0.0, 0.0))  # fmt: skip
def nper(
    rate: Tensor, paid: Tensor, pv: Tensor, fv: Tensor, due: Tensor
) -> tuple[Tensor, Domain]:
    """log((p - fv r)/(p + pv r))/log(1 + r) with p = pmt (1 + r type)."""
    zero = rate == 0
    each = paid * (1 + rate * (due != 0))
    top, bottom = each - fv * rate, each + pv * rate
    bad = torch.where(zero, paid == 0, (top * bottom <= 0) | (rate <= -1))
    straight = -(pv + fv) / torch.where(zero & (paid != 0), paid, 1.0)
    open_ = ~zero & ~bad
    ratio = torch.where(open_, top, 1.0) / torch.where(open_, bottom, 1.0)
    curved = torch.log(ratio) / torch.log1p(torch.where(open_, rate, 1.0))
    return torch.where(zero, straight, curved), [(bad, ErrorCode.NUM)]


def _interest(
    rate: Tensor, per: Tensor, nper: Tensor, pv: Tensor, fv: Tensor, due: Tensor
) -> tuple[Tensor, Tensor, Domain]:
    """Interest and payment of one period."""
    paid, domain = pmt(rate, nper, pv, fv, due)
    ahead = due != 0
    before = torch.where(ahead, per - 2, per - 1)
    growth, annuity, _ = _growth(rate, before)
    left = pv * growth + paid * torch.where(ahead, 1 + rate, 1.0) * annuity
    owed = torch.where(ahead, left + paid, left)
    interest = torch.where(ahead & (per == 1), 0.0, -owed * rate)
    bad = (per < 1) | (per >= nper + 1)
    return interest, paid, [*domain, (bad, ErrorCode.NUM)]


@numeric("IPMT", "rate, per, nper, pv, [fv], [type]", "Interest in one period of a loan.",
         family=FAMILY, defaults=(0.0, 0.0))  # fmt: skip
def ipmt(*args: Tensor) -> tuple[Tensor, Domain]:
    """Rate times what is owed at the start of the period."""
    interest, _, domain = _interest(*args)
    return interest, domain


@numeric("PPMT", "rate, per, nper, pv, [fv], [type]", "Repayment in one period of a loan.",
         family=FAMILY, defaults=(0.0, 0.0))  # fmt: skip
def ppmt(*args: Tensor) -> tuple[Tensor, Domain]:
    """Payment less interest."""
    interest, paid, domain = _interest(*args)
    return paid - interest, domain


@numeric("SLN", "cost, salvage, life", "Straight-line depreciation of a period.", family=FAMILY)
def sln(cost: Tensor, salvage: Tensor, life: Tensor) -> tuple[Tensor, Domain]:
    """(cost - salvage)/life."""
    none = life == 0
    return (cost - salvage) / torch.where(none, 1.0, life), [(none, ErrorCode.DIV0)]


@numeric("SYD", "cost, salvage, life, per", "Depreciation by the sum of the years' digits.",
         family=FAMILY)  # fmt: skip
def syd(cost: Tensor, salvage: Tensor, life: Tensor, per: Tensor) -> tuple[Tensor, Domain]:
    """(cost - salvage)(life - per + 1) 2/(life (life + 1))."""
    bad = (life <= 0) | (per < 1) | (per > life) | (salvage < 0)
    life = torch.where(bad, 1.0, life)
    return (cost - salvage) * (life - per + 1) * 2 / (life * (life + 1)), [(bad, ErrorCode.NUM)]


@numeric("EFFECT", "nominal_rate, npery", "Yearly rate with interest on interest.", family=FAMILY)
def effect(nominal: Tensor, periods: Tensor) -> tuple[Tensor, Domain]:
    """(1 + r/n)^n - 1."""
    periods = torch.trunc(periods)
    bad = (nominal <= 0) | (periods < 1)
    n = torch.where(bad, 1.0, periods)
    return (1 + nominal / n) ** n - 1, [(bad, ErrorCode.NUM)]


@numeric("NOMINAL", "effect_rate, npery", "Yearly rate without interest on interest.",
         family=FAMILY)  # fmt: skip
def nominal(effective: Tensor, periods: Tensor) -> tuple[Tensor, Domain]:
    """n((1 + r)^(1/n) - 1)."""
    periods = torch.trunc(periods)
    bad = (effective <= 0) | (periods < 1)
    n = torch.where(bad, 1.0, periods)
    return n * ((1 + torch.where(bad, 0.0, effective)) ** (1 / n) - 1), [(bad, ErrorCode.NUM)]


@numeric("RRI", "nper, pv, fv", "Rate at which an investment grows.", family=FAMILY)
def rri(nper: Tensor, pv: Tensor, fv: Tensor) -> tuple[Tensor, Domain]:
    """(fv/pv)^(1/n) - 1."""
    bad = (nper <= 0) | (pv == 0) | (fv * pv < 0)
    ratio = torch.where(bad, 1.0, fv) / torch.where(bad, 1.0, pv)
    return ratio ** (1 / torch.where(bad, 1.0, nper)) - 1, [(bad, ErrorCode.NUM)]


@numeric("PDURATION", "rate, pv, fv", "Periods until an investment is worth so much.",
         family=FAMILY)  # fmt: skip
def pduration(rate: Tensor, pv: Tensor, fv: Tensor) -> tuple[Tensor, Domain]:
    """log(fv/pv)/log(1 + r)."""
    bad = (rate <= 0) | (pv <= 0) | (fv <= 0)
    ratio = torch.where(bad, 1.0, fv) / torch.where(bad, 1.0, pv)
    return torch.log(ratio) / torch.log1p(torch.where(bad, 1.0, rate)), [(bad, ErrorCode.NUM)]


@function("NPV", "rate, value1, [value2], ...", "What later payments are worth today.",
          family=FAMILY, params="vr", gradient="smooth")  # fmt: skip
def npv(evaluator: Evaluator, rate: Batch, *values: Value) -> Batch:
    """Sum of the i-th number over (1 + r)^i; what is no number is skipped."""
    r, errors = numbers(rate, evaluator.strings)
    samples, more = sampled(evaluator, values)
    row, mask = pooled(samples)
    if mask is None:
        mask = torch.ones((1, 1, row.shape[2]), dtype=torch.bool)
    at = mask.cumsum(2).to(torch.float64)
    present = torch.where(mask, row, 0.0) / (1 + r[..., 0]) ** at
    return numbered(present.sum(2)[:, :, None, None], earlier(errors, more))


def _root(
    start: float, value: Callable[[float], float], lowest: float = -1.0
) -> float | None:
    """Where a function of a rate is 0, by secants, then by halves; None if that is not found."""
    a, b = start, start + 0.01 if start + 0.01 > lowest else start / 2
    fa = _tried(value, a)
    for _ in range(60):
        fb = _tried(value, b)
        if fb == 0.0 or abs(b - a) < 1e-15 * max(1.0, abs(b)):
            return b
        if not (math.isfinite(fa) and math.isfinite(fb)) or fb == fa:
            break
        a, b, fa = b, b - fb * (b - a) / (fb - fa), fb
        if b <= lowest:
            b = (a + lowest) / 2
    return _halved(value, lowest)


def _halved(value: Callable[[float], float], lowest: float) -> float | None:
    points = [lowest + 1e-9, -0.99, -0.9, -0.5, -0.1, 0.0, 0.01, 0.1, 0.5, 1.0, 5.0, 50.0, 1e4]
    values = [_tried(value, point) for point in points]
    for (a, fa), (b, fb) in zip(
        zip(points, values, strict=True), list(zip(points, values, strict=True))[1:], strict=False
    ):
        if math.isfinite(fa) and math.isfinite(fb) and fa * fb <= 0:
            for _ in range(200):
                middle = (a + b) / 2
                fm = _tried(value, middle)
                if fa * fm <= 0:
                    b = middle
                else:
                    a, fa = middle, fm
            return (a + b) / 2
    return None


def _tried(value: Callable[[float], float], at: float) -> float:
    try:
        return value(at)
    except (OverflowError, ZeroDivisionError, ValueError):
        return math.nan


def _solved(found: float, equation: Callable[[Tensor], Tensor]) -> Tensor:
    """The root with the slopes that the equation gives it: one Newton step from it."""
    with torch.enable_grad():
        at = torch.tensor(found, dtype=torch.float64, requires_grad=True)
        (slope,) = torch.autograd.grad(equation(at).sum(), [at])
    return found - equation(at.detach()) / slope


def _single(evaluator: Evaluator, *batches: Batch) -> None:
    """What differs from cell to cell is solved cell by cell."""
    if any(batch.num.shape[0] * batch.num.shape[1] > 1 for batch in batches):
        evaluator.split()


def _amounts(evaluator: Evaluator, value: Value) -> tuple[Tensor, Errors]:
    """The numbers of an argument in a row, what is none left out."""
    samples, errors = sampled(evaluator, (value,))
    row, mask = pooled(samples)
    if row.shape[0] * row.shape[1] > 1:
        evaluator.split()
    row = row[0, 0]
    return (row if mask is None else row[mask.expand(1, 1, -1)[0, 0]]), errors


def _internal_rate(
    evaluator: Evaluator, amounts: Tensor, years: Tensor, guess: Batch | None
) -> Batch:
    start = 0.1
    if guess is not None and not guess.is_only(0):
        num, found = numbers(guess, evaluator.strings)
        if found is not None:
            return error(int(found.max()))
        start = float(num.reshape(-1)[0].detach())
    fixed, times = amounts.detach().tolist(), years.tolist()
    if not any(x > 0 for x in fixed) or not any(x < 0 for x in fixed) or start <= -1:
        return error(ErrorCode.NUM)
    rate = _root(start, lambda r: sum(x / (1 + r) ** t for x, t in zip(fixed, times, strict=True)))
    if rate is None:
        return error(ErrorCode.NUM)
    result = _solved(rate, lambda r: (amounts / (1 + r) ** years).sum())
    return numbered(result.reshape(1, 1, 1, 1))


@function("IRR", "values, [guess]", "Rate at which payments are worth nothing today.",
          family=FAMILY, params="rv", gradient=_ROOT)  # fmt: skip
def irr(evaluator: Evaluator, value: Value, guess: Batch | None = None) -> Batch:
    """r with the sum of v_i/(1 + r)^i = 0."""
    amounts, errors = _amounts(evaluator, value)
    if errors is not None:
        return numbered(torch.zeros_like(errors), errors)
    return _internal_rate(
        evaluator, amounts, torch.arange(len(amounts), dtype=torch.float64), guess
    )


def _dated(values: Batch, dates: Batch) -> tuple[Tensor, Tensor] | ErrorCode:
    num, kinds = plain(dates)
    counted = num.reshape(-1)
    if values.num.numel() != counted.size or not (kinds == 1).all():
        return ErrorCode.NUM if values.num.numel() != counted.size else ErrorCode.VALUE
    if (counted < counted[0]).any():
        return ErrorCode.NUM
    years = torch.tensor((counted // 1 - counted[0] // 1) / 365.0, dtype=torch.float64)
    return values.num.reshape(-1), years


@function("XIRR", "values, dates, [guess]", "Rate at which dated payments are worth nothing.",
          family=FAMILY, params="wwv", gradient=_ROOT)  # fmt: skip
def xirr(evaluator: Evaluator, values: Batch, dates: Batch, guess: Batch | None = None) -> Batch:
    """r with the sum of v_i/(1 + r)^((d_i - d_0)/365) = 0."""
    _single(evaluator, values, dates)
    found = _dated(values, dates)
    if isinstance(found, ErrorCode):
        return error(found)
    return _internal_rate(evaluator, *found, guess)


@function("XNPV", "rate, values, dates", "What dated payments are worth on the first date.",
          family=FAMILY, params="vww", gradient="smooth")  # fmt: skip
def xnpv(evaluator: Evaluator, rate: Batch, values: Batch, dates: Batch) -> Batch:
    """Sum of v_i/(1 + r)^((d_i - d_0)/365)."""
    _single(evaluator, rate, values, dates)
    found = _dated(values, dates)
    r, errors = numbers(rate, evaluator.strings)
    if isinstance(found, ErrorCode):
        return error(found)
    if bool((r.detach() <= -1).any()):
        return error(ErrorCode.NUM)
    total = (found[0] / (1 + r.reshape(())) ** found[1]).sum()
    return numbered(total.reshape(1, 1, 1, 1), errors)


@function("RATE", "nper, pmt, pv, [fv], [type], [guess]", "Rate of interest of a loan.",
          family=FAMILY, gradient=_ROOT)  # fmt: skip
def rate(evaluator: Evaluator, *batches: Batch) -> Batch:
    """r at which payments, present and future value balance."""
    _single(evaluator, *batches)
    given: list[Tensor] = []
    for batch in batches:
        num, errors = numbers(batch, evaluator.strings)
        if errors is not None:
            return numbered(num, errors)
        given.append(num.reshape(-1)[0])
    zero = torch.zeros((), dtype=torch.float64)
    n, paid, now = given[:3]
    later, due = (given[i] if i < len(given) else zero for i in (3, 4))
    start = float(given[5].detach()) if len(given) > 5 else 0.1

    def balance(r: Tensor) -> Tensor:
        growth, annuity, _ = _growth(r, n)
        return now * growth + paid * (1 + r * (due != 0)) * annuity + later

    found = _root(
        start, lambda r: float(balance(torch.tensor(r, dtype=torch.float64)).detach())
    )
    if found is None:
        return error(ErrorCode.NUM)
    return numbered(_solved(found, balance).reshape(1, 1, 1, 1))
