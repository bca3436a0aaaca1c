"""Further statistics: means of other kinds, skewness, modes, percentiles, forecasts.

Owns what `stats` and `spread` do not have. Gradients pass wherever the value is smooth.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gradsheet.formula import trace
from gradsheet.formula.batch import (
    BLANK,
    TEXT,
    Batch,
    earlier,
    error,
    errors_of,
    flagged,
    is_kind,
    numbered,
    numbers,
    plain,
)
from gradsheet.formula.functions.samples import batches_of, first_error
from gradsheet.formula.functions.spread import line_moments, picked, row_of
from gradsheet.formula.functions.table import Domain, function, numeric
from gradsheet.formula.values import ErrorCode

if TYPE_CHECKING:
    from gradsheet.formula.evaluate import Evaluator, Value

FAMILY = "Statistics"


def _mean_of(evaluator: Evaluator, values: tuple[Value, ...], kind: str) -> Batch:
    row, mask, held, errors = row_of(evaluator, values)
    bad = ((row <= 0) & mask).any(2, keepdim=True) | (held == 0)
    safe = torch.where(mask & ~bad, row, 1.0)
    count = held.clamp(min=1)
    if kind == "geometric":
        result = torch.exp(torch.log(safe).sum(2, keepdim=True) / count)
    else:
        result = count / torch.where(mask, 1.0 / safe, 0.0).sum(2, keepdim=True).clamp(min=1e-300)
    if bool(bad.any()):
        errors = flagged(errors, bad[..., None], ErrorCode.NUM)
    return numbered(result[..., None], errors)


@function("GEOMEAN", "number1, [number2], ...", "Geometric mean of positive numbers.",
          family=FAMILY, params="r", gradient="smooth")  # fmt: skip
def geomean(evaluator: Evaluator, *values: Value) -> Batch:
    """n-th root of the product; #NUM! for numbers that are not positive."""
    return _mean_of(evaluator, values, "geometric")


@function("HARMEAN", "number1, [number2], ...", "Harmonic mean of positive numbers.",
          family=FAMILY, params="r", gradient="smooth")  # fmt: skip
def harmean(evaluator: Evaluator, *values: Value) -> Batch:
    """Inverse of the mean of inverses; #NUM! for numbers that are not positive."""
    return _mean_of(evaluator, values, "harmonic")


@function("AVEDEV", "number1, [number2], ...", "Mean distance from the mean.", family=FAMILY,
          params="r", gradient="subgradient at the mean: 0")  # fmt: skip
def avedev(evaluator: Evaluator, *values: Value) -> Batch:
    """Mean of |x − mean|; #NUM! for no numbers."""
    row, mask, held, errors = row_of(evaluator, values)
    count = held.clamp(min=1)
    mean = torch.where(mask, row, 0.0).sum(2, keepdim=True) / count
    total = torch.where(mask, (row - mean).abs(), 0.0).sum(2, keepdim=True)
    if bool((held == 0).any()):
        errors = flagged(errors, (held == 0)[..., None], ErrorCode.NUM)
    return numbered((total / count)[..., None], errors)


def _shape(evaluator: Evaluator, values: tuple[Value, ...], power: int) -> Batch:
    row, mask, n, errors = row_of(evaluator, values)
    few = n < power
    n = torch.where(few, float(power + 1), n)
    mean = torch.where(mask, row, 0.0).sum(2, keepdim=True) / n
    deviation = torch.where(mask, row - mean, 0.0)
    variance = (deviation * deviation).sum(2, keepdim=True) / (n - 1)
    flat = few | ~(variance > 0)
    sd = torch.sqrt(torch.where(flat, 1.0, variance))
    total = ((deviation / sd) ** power).sum(2, keepdim=True)
    if power == 3:
        result = total * n / ((n - 1) * (n - 2))
    else:
        scale = n * (n + 1) / ((n - 1) * (n - 2) * (n - 3))
        result = total * scale - 3 * (n - 1) ** 2 / ((n - 2) * (n - 3))
    if trace.seen_any(flat):
        errors = flagged(errors, flat[..., None], ErrorCode.DIV0)
    return numbered(result[..., None], errors)


@function("SKEW", "number1, [number2], ...", "Skewness of a sample.", family=FAMILY, params="r",
          gradient="smooth")  # fmt: skip
def skew(evaluator: Evaluator, *values: Value) -> Batch:
    """Third standardised moment of a sample; #DIV/0! for fewer than three numbers."""
    return _shape(evaluator, values, 3)


@function("KURT", "number1, [number2], ...", "Excess kurtosis of a sample.", family=FAMILY,
          params="r", gradient="smooth")  # fmt: skip
def kurt(evaluator: Evaluator, *values: Value) -> Batch:
    """Fourth standardised moment of a sample, less 3; #DIV/0! for fewer than four numbers."""
    return _shape(evaluator, values, 4)


@function("SKEW.P", "number1, [number2], ...", "Skewness of a whole population.",
          family=FAMILY, params="r", gradient="smooth")  # fmt: skip
def skew_p(evaluator: Evaluator, *values: Value) -> Batch:
    """Third standardised moment; #DIV/0! for fewer than three numbers."""
    row, mask, n, errors = row_of(evaluator, values)
    few = n < 3
    n = torch.where(few, 1.0, n)
    mean = torch.where(mask, row, 0.0).sum(2, keepdim=True) / n
    deviation = torch.where(mask, row - mean, 0.0)
    variance = (deviation * deviation).sum(2, keepdim=True) / n
    flat = few | ~(variance > 0)
    sd = torch.sqrt(torch.where(flat, 1.0, variance))
    if trace.seen_any(flat):
        errors = flagged(errors, flat[..., None], ErrorCode.DIV0)
    return numbered((((deviation / sd) ** 3).sum(2, keepdim=True) / n)[..., None], errors)


def _mode(evaluator: Evaluator, *values: Value) -> Batch:
    row, mask, _, errors = row_of(evaluator, values)
    evaluator.split() if row.shape[0] * row.shape[1] > 1 else None
    nums, kept = plain(Batch(row[..., None]))[0].ravel(), mask.expand(row.shape).reshape(-1)
    counts = Counter(x for x, held in zip(nums.tolist(), kept.tolist(), strict=True) if held)
    best = max(counts.items(), key=lambda item: item[1], default=(0.0, 0))
    if best[1] < 2:
        return error(ErrorCode.NA) if errors is None else numbered(errors, errors)
    return numbered(torch.full((1, 1, 1, 1), best[0], dtype=torch.float64), errors)


for _name in ("MODE.SNGL", "MODE"):
    function(_name, "number1, [number2], ...", "The most frequent number.", family=FAMILY,
             params="r", gradient="none: a most frequent value does not change smoothly")(
        _mode
    )  # fmt: skip


@function("MODE.MULT", "number1, [number2], ...", "The most frequent numbers.", family=FAMILY,
          params="r", gradient="none: a most frequent value does not change smoothly")  # fmt: skip
def mode_mult(evaluator: Evaluator, *values: Value) -> Batch:
    """All numbers that occur most often, below each other; #N/A if none occurs twice."""
    row, mask, _, errors = row_of(evaluator, values)
    evaluator.split() if row.shape[0] * row.shape[1] > 1 else None
    nums, kept = plain(Batch(row[..., None]))[0].ravel(), mask.expand(row.shape).reshape(-1)
    counts = Counter(x for x, held in zip(nums.tolist(), kept.tolist(), strict=True) if held)
    most = max(counts.values(), default=0)
    if most < 2 or errors is not None:
        return error(ErrorCode.NA) if errors is None else numbered(errors, errors)
    found = [x for x, times in counts.items() if times == most]
    return numbered(torch.tensor(found, dtype=torch.float64)[None, None, :, None])


_SORTED = "smooth between ties: that of the number chosen"


@function("PERCENTILE.EXC", "array, k", "The number below which a share of all lies.",
          family=FAMILY, params="rv", gradient=_SORTED)  # fmt: skip
def percentile_exc(evaluator: Evaluator, value: Value, k: Batch) -> Batch:
    """Place k(n + 1); #NUM! where that is not between two numbers."""

    def place(k: Tensor, held: Tensor) -> tuple[Tensor, Tensor]:
        at = k * (held + 1)
        return at - 1, (k <= 0) | (k >= 1) | (at < 1) | (at > held)

    return picked(evaluator, value, k, place)


@function("QUARTILE.EXC", "array, quart", "Quartiles, ends excluded.", family=FAMILY,
          params="rv", gradient=_SORTED)  # fmt: skip
def quartile_exc(evaluator: Evaluator, value: Value, k: Batch) -> Batch:
    """Place q(n + 1)/4; #NUM! for a quart that is not 1 to 3."""

    def place(k: Tensor, held: Tensor) -> tuple[Tensor, Tensor]:
        k = torch.floor(k)
        at = k / 4 * (held + 1)
        return at - 1, (k <= 0) | (k >= 4) | (at < 1) | (at > held)

    return picked(evaluator, value, k, place)


@function("RANK.AVG", "number, ref, [order]", "Place of a number, ties sharing their mean.",
          family=FAMILY, params="vrv", gradient="none: a place in an order")  # fmt: skip
def rank_avg(
    evaluator: Evaluator, number: Batch, value: Value, order: Batch | None = None
) -> Batch:
    """Rank of the first of equal numbers plus half of how many more there are."""
    row, mask, _, errors = row_of(evaluator, (value,))
    x, more = numbers(number, evaluator.strings)
    up = torch.zeros(1, 1, 1, 1, 1, dtype=torch.float64)
    if order is not None:
        up = numbers(order, evaluator.strings)[0][..., None]
    x, others, counted = x[..., None], row[:, :, None, None], mask[:, :, None, None]
    before = (torch.where(up != 0, others < x, others > x) & counted).sum(4, dtype=torch.float64)
    same = ((others == x) & counted).sum(4, dtype=torch.float64)
    errors = earlier(more, errors)
    if bool((same == 0).any()):
        errors = flagged(errors, same == 0, ErrorCode.NA)
    return numbered(before + (same + 1) / 2, errors)


def _percentrank(
    evaluator: Evaluator, value: Value, x: Batch, digits: Batch | None = None, ends: bool = True
) -> Batch:
    """Interpolated place among the numbers, cut to three digits; 0 to 1 if the ends count."""
    row, mask, held, errors = row_of(evaluator, (value,))
    number, more = numbers(x, evaluator.strings)
    places = evaluator.size(digits, "PERCENTRANK") if digits is not None else 3
    row, mask, at = row[:, :, None, None], mask[:, :, None, None], number[..., None]
    below = torch.where(mask & (row <= at), row, -torch.inf).amax(4)
    above = torch.where(mask & (row >= at), row, torch.inf).amin(4)
    bad = torch.isinf(below) | torch.isinf(above)
    first = (mask & (row < below[..., None])).sum(4, dtype=torch.float64)
    gap = torch.where(bad | (above == below), 1.0, above - below)
    part = torch.where(bad | (above == below), 0.0, (number - below) / gap)
    same = (mask & (row == below[..., None])).sum(4, dtype=torch.float64)
    step = torch.where(part > 0, same - 1 + part, 0.0)
    if ends:
        share = (first + step) / (held[..., None] - 1).clamp(min=1)
    else:
        share = (first + step + 1) / (held[..., None] + 1)
    scale = 10.0**places
    errors = earlier(errors, more)
    if bool(bad.any()):
        errors = flagged(errors, bad, ErrorCode.NA)
    return numbered(torch.floor(share * scale + 1e-9) / scale, errors)


def _percentrank_exc(
    evaluator: Evaluator, value: Value, x: Batch, digits: Batch | None = None
) -> Batch:
    return _percentrank(evaluator, value, x, digits, ends=False)


for _name, _code in (
    ("PERCENTRANK.INC", _percentrank), ("PERCENTRANK", _percentrank),
    ("PERCENTRANK.EXC", _percentrank_exc),
):  # fmt: skip
    function(_name, "array, x, [significance]", "Share of the numbers below one.", family=FAMILY,
             params="rvv", gradient="none: cut to a number of digits")(_code)  # fmt: skip


def _with_texts(evaluator: Evaluator, values: tuple[Value, ...], what: str) -> Batch:
    """Reductions that count texts in cells as 0 and TRUE as 1."""
    nums: list[Tensor] = []
    masks: list[Tensor] = []
    errors = None
    for batch in batches_of(evaluator, values):
        if batch.direct and not batch.is_array:
            num, found = numbers(batch, evaluator.strings)
            mask = torch.ones_like(num, dtype=torch.bool)
        else:
            found = first_error(errors_of(batch))
            num = torch.where(is_kind(batch, TEXT) | is_kind(batch, 4), 0.0, batch.num)
            mask = (~is_kind(batch, BLANK)).expand(num.shape)
        errors = earlier(errors, found)
        nums.append(num)
        masks.append(mask)
    rows, cols = (max(n.shape[i] for n in nums) for i in (0, 1))
    row = torch.cat([n.expand(rows, cols, -1, -1).flatten(2) for n in nums], 2)
    mask = torch.cat([m.expand(rows, cols, -1, -1).flatten(2) for m in masks], 2)
    held = mask.sum(2, keepdim=True, dtype=torch.float64)
    if what == "mean":
        total = torch.where(mask, row, 0.0).sum(2, keepdim=True)
        if bool((held == 0).any()):
            errors = flagged(errors, (held == 0)[..., None], ErrorCode.DIV0)
        return numbered((total / held.clamp(min=1))[..., None], errors)
    if what in _SPREADS:
        lost, is_root = _SPREADS[what]
        return _spread_of(row, mask, held, errors, lost, is_root)
    outside = -torch.inf if what == "max" else torch.inf
    masked = torch.where(mask, row, outside)
    best = masked.amax(2, keepdim=True) if what == "max" else masked.amin(2, keepdim=True)
    return numbered(torch.where(held > 0, best, 0.0)[..., None], errors)


_SPREADS = {"var.s": (1, False), "var.p": (0, False), "sd.s": (1, True), "sd.p": (0, True)}


def _spread_of(
    row: Tensor, mask: Tensor, held: Tensor, errors: Tensor | None, lost: int, is_root: bool
) -> Batch:
    few = held <= lost
    mean = torch.where(mask, row, 0.0).sum(2, keepdim=True) / held.clamp(min=1)
    deviation = torch.where(mask, row - mean, 0.0)
    result = (deviation**2).sum(2, keepdim=True) / torch.where(few, 1.0, held - lost)
    if is_root:
        flat = ~(result > 0)
        result = torch.where(flat, 0.0, torch.sqrt(torch.where(flat, 1.0, result)))
    if bool(few.any()):
        errors = flagged(errors, few[..., None], ErrorCode.DIV0)
    return numbered(result[..., None], errors)


def _enter_with_texts(name: str, help_: str, what: str, gradient: str) -> None:
    def code(evaluator: Evaluator, *values: Value) -> Batch:
        return _with_texts(evaluator, values, what)

    function(name, "value1, [value2], ...", help_, family=FAMILY, params="r",
             gradient=gradient)(code)  # fmt: skip


_TIES = "subgradient at ties: shared equally among the equal numbers"
_enter_with_texts("AVERAGEA", "Mean, texts in cells as 0 and TRUE as 1.", "mean", "smooth")
_enter_with_texts("MAXA", "Largest, texts in cells as 0 and TRUE as 1.", "max", _TIES)
_enter_with_texts("MINA", "Smallest, texts in cells as 0 and TRUE as 1.", "min", _TIES)
for _name, _help, _what in (
    ("VARA", "Variance of a sample", "var.s"), ("VARPA", "Variance of a population", "var.p"),
    ("STDEVA", "Standard deviation of a sample", "sd.s"),
    ("STDEVPA", "Standard deviation of a population", "sd.p"),
):  # fmt: skip
    _enter_with_texts(_name, f"{_help}, texts in cells as 0 and TRUE as 1.", _what,
                      "subgradient at 0: 0" if _what.startswith("sd") else "smooth")  # fmt: skip


@function("TRIMMEAN", "array, percent", "Mean without a share of both ends.", family=FAMILY,
          params="rv", gradient=_SORTED)  # fmt: skip
def trimmean(evaluator: Evaluator, value: Value, percent: Batch) -> Batch:
    """Mean of the middle; an even number of numbers is left out."""
    row, mask, held, errors = row_of(evaluator, (value,))
    share, more = numbers(percent, evaluator.strings)
    share = share[:, :, :, 0]
    bad = (share < 0) | (share >= 1) | (held == 0)
    cut = torch.floor(held * torch.where(bad, 0.0, share) / 2 + 1e-9)
    ordered = torch.where(mask, row, torch.inf).sort(2)[0]
    places = torch.arange(row.shape[2], dtype=torch.float64)
    inside = (places >= cut) & (places < held - cut)
    total = torch.where(inside, torch.where(inside, ordered, 0.0), 0.0).sum(2, keepdim=True)
    errors = earlier(errors, more)
    if bool(bad.any()):
        errors = flagged(errors, bad[..., None], ErrorCode.NUM)
    return numbered((total / (held - 2 * cut).clamp(min=1))[..., None], errors)


@function("STEYX", "known_y's, known_x's", "Standard error of the line of best fit.",
          family=FAMILY, params="w", gradient="smooth")  # fmt: skip
def steyx(evaluator: Evaluator, y: Batch, x: Batch) -> Batch:
    """√((Σ(y−ȳ)² − (Σ(x−x̄)(y−ȳ))²/Σ(x−x̄)²)/(n − 2))."""
    m = line_moments(x, y)
    if m is None:
        return error(ErrorCode.NA)
    held, _, _, xx, yy, xy, errors = m
    bad = (held < 3) | ~(xx > 0)
    left = (yy - xy * xy / torch.where(bad, 1.0, xx)) / torch.where(bad, 1.0, held - 2)
    exact = ~(left > 0)
    root = torch.where(exact, 0.0, torch.sqrt(torch.where(exact, 1.0, left)))
    if trace.seen_any(bad):
        errors = flagged(errors, bad, ErrorCode.DIV0)
    return numbered(root, errors)


def _forecast(evaluator: Evaluator, at: Batch, y: Batch, x: Batch) -> Batch:
    m = line_moments(x, y)
    if m is None:
        return error(ErrorCode.NA)
    _, mean_x, mean_y, xx, _, xy, errors = m
    number, more = numbers(at, evaluator.strings)
    flat = ~(xx > 0)
    if trace.seen_any(flat):
        errors = flagged(errors, flat, ErrorCode.DIV0)
        xx = torch.where(flat, 1.0, xx)
    return numbered(mean_y + xy / xx * (number - mean_x), earlier(more, errors))


for _name in ("FORECAST.LINEAR", "FORECAST"):
    function(_name, "x, known_y's, known_x's", "Value of the line of best fit.", family=FAMILY,
             params="vww", gradient="smooth")(_forecast)  # fmt: skip


@numeric("STANDARDIZE", "x, mean, standard_dev", "Distance from a mean in standard deviations.",
         family=FAMILY)  # fmt: skip
def standardize(x: Tensor, mean: Tensor, sd: Tensor) -> tuple[Tensor, Domain]:
    """(x − mean)/sd; #NUM! for sd not above 0."""
    bad = ~(sd > 0)
    return (x - mean) / torch.where(bad, 1.0, sd), [(bad, ErrorCode.NUM)]
