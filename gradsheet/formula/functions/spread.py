"""Variance, order and relation of samples: medians, ranks, deviations, lines of best fit.

Owns the statistics that need more than one pass over the numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gradsheet.formula import trace
from gradsheet.formula.batch import (
    Batch,
    Errors,
    earlier,
    error,
    flagged,
    joint_shape,
    numbered,
    numbers,
)
from gradsheet.formula.functions.samples import pooled, sampled
from gradsheet.formula.functions.stats import pairs
from gradsheet.formula.functions.table import function
from gradsheet.formula.values import ErrorCode

if TYPE_CHECKING:
    from gradsheet.formula.evaluate import Evaluator, Value

FAMILY = "Statistics"
_SORTED = "smooth between ties: that of the number chosen"


def row_of(
    evaluator: Evaluator, values: tuple[Value, ...]
) -> tuple[Tensor, Tensor, Tensor, Errors]:
    """Numbers (R, C, n), which count, how many (R, C, 1), errors."""
    samples, errors = sampled(evaluator, values)
    row, mask = pooled(samples)
    if mask is None:
        mask = torch.ones((1, 1, row.shape[2]), dtype=torch.bool)
    mask = mask.expand(row.shape)
    return row, mask, mask.sum(2, keepdim=True, dtype=torch.float64), errors


def _deviations(row: Tensor, mask: Tensor, held: Tensor) -> Tensor:
    """Sum of the squared deviations from the mean, (R, C, 1)."""
    mean = torch.where(mask, row, 0.0).sum(2, keepdim=True) / held.clamp(min=1)
    difference = torch.where(mask, row - mean, 0.0)
    return (difference * difference).sum(2, keepdim=True)


def _variance(evaluator: Evaluator, values: tuple[Value, ...], lost: int, root: bool) -> Batch:
    row, mask, held, errors = row_of(evaluator, values)
    few = held <= lost
    result = _deviations(row, mask, held) / torch.where(few, 1.0, held - lost)
    if root:
        zero = ~(result > 0)
        if trace.seen_any(zero):  # the slope of a root is not finite at 0
            result = torch.where(zero, 0.0, torch.sqrt(torch.where(zero, 1.0, result)))
        else:
            result = torch.sqrt(result)
    if bool(few.any()):
        errors = flagged(errors, few[..., None], ErrorCode.DIV0)
    return numbered(result[..., None], errors)


def _enter_variance(names: tuple[str, ...], help_: str, lost: int, root: bool) -> None:
    def code(evaluator: Evaluator, *values: Value) -> Batch:
        return _variance(evaluator, values, lost, root)

    gradient = "subgradient at 0: 0" if root else "smooth"
    for name in names:
        function(name, "number1, [number2], ...", help_, family=FAMILY, params="r",
                 gradient=gradient)(code)  # fmt: skip


_enter_variance(("VAR.P", "VARP"), "Variance of a whole population.", 0, False)
_enter_variance(("VAR.S", "VAR"), "Variance estimated from a sample.", 1, False)
_enter_variance(("STDEV.P", "STDEVP"), "Standard deviation of a whole population.", 0, True)
_enter_variance(("STDEV.S", "STDEV"), "Standard deviation estimated from a sample.", 1, True)


@function("DEVSQ", "number1, [number2], ...", "Sum of squared deviations from the mean.",
          family=FAMILY, params="r", gradient="smooth")  # fmt: skip
def devsq(evaluator: Evaluator, *values: Value) -> Batch:
    """Σ(x − mean)²."""
    row, mask, held, errors = row_of(evaluator, values)
    return numbered(_deviations(row, mask, held)[..., None], errors)


def _ordered(row: Tensor, mask: Tensor) -> Tensor:
    """Ascending, what does not count last."""
    return torch.where(mask, row, float("inf")).sort(2)[0]


def _at(ordered: Tensor, place: Tensor) -> Tensor:
    """Element at places (R, C, m) that may lie between two, by linear interpolation."""
    rows = max(ordered.shape[0], place.shape[0])
    cols = max(ordered.shape[1], place.shape[1])
    last = ordered.shape[2] - 1
    low = torch.floor(place).clamp(0, last)
    high = torch.ceil(place).clamp(0, last)
    full = ordered.expand(rows, cols, -1)
    below = full.gather(2, low.to(torch.int64).expand(rows, cols, -1))
    above = full.gather(2, high.to(torch.int64).expand(rows, cols, -1))
    share = place - low
    between = torch.where(share > 0, above - below, 0.0)
    return below + torch.where(share > 0, share, 0.0) * between


@function("MEDIAN", "number1, [number2], ...", "The middle number.", family=FAMILY, params="r",
          gradient=_SORTED)  # fmt: skip
def median(evaluator: Evaluator, *values: Value) -> Batch:
    """The number in the middle, the mean of two for an even count; #NUM! for none."""
    row, mask, held, errors = row_of(evaluator, values)
    none = held == 0
    result = _at(_ordered(row, mask), ((held - 1) / 2).clamp(min=0))
    if bool(none.any()):
        errors = flagged(errors, none[..., None], ErrorCode.NUM)
        result = torch.where(none, 0.0, result)
    return numbered(result[..., None], errors)


def picked(
    evaluator: Evaluator,
    value: Value,
    k: Batch,
    place: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]],
) -> Batch:
    """The number at a place computed from (k, count), which gives also where it is illegal."""
    row, mask, held, errors = row_of(evaluator, (value,))
    rank, rank_errors = numbers(k, evaluator.strings)
    errors = errors if rank_errors is None else (
        rank_errors if errors is None else torch.where(errors > 0, errors, rank_errors)
    )  # fmt: skip
    height, width = rank.shape[2], rank.shape[3]
    at, bad = place(rank.flatten(2), held)
    at = torch.where(bad, 0.0, at)
    result = _at(_ordered(row, mask), at)
    result = torch.where(bad, 0.0, result)
    if bool(bad.any()):
        shape = (*bad.shape[:2], height, width)
        errors = flagged(errors, bad.reshape(shape), ErrorCode.NUM)
    return numbered(result.reshape(*result.shape[:2], height, width), errors)


@function("LARGE", "array, k", "The k-th largest number.", family=FAMILY, params="rv",
          gradient=_SORTED)  # fmt: skip
def large(evaluator: Evaluator, value: Value, k: Batch) -> Batch:
    """k-th from the top; #NUM! outside of 1 to the count."""

    def place(k: Tensor, held: Tensor) -> tuple[Tensor, Tensor]:
        k = torch.ceil(k)
        return held - k, (k < 1) | (k > held)

    return picked(evaluator, value, k, place)


@function("SMALL", "array, k", "The k-th smallest number.", family=FAMILY, params="rv",
          gradient=_SORTED)  # fmt: skip
def small(evaluator: Evaluator, value: Value, k: Batch) -> Batch:
    """k-th from below; #NUM! outside of 1 to the count."""

    def place(k: Tensor, held: Tensor) -> tuple[Tensor, Tensor]:
        k = torch.ceil(k)
        return k - 1, (k < 1) | (k > held)

    return picked(evaluator, value, k, place)


def _percentile(evaluator: Evaluator, value: Value, k: Batch) -> Batch:
    def place(k: Tensor, held: Tensor) -> tuple[Tensor, Tensor]:
        return k * (held - 1), (k < 0) | (k > 1) | (held == 0)

    return picked(evaluator, value, k, place)


def _quartile(evaluator: Evaluator, value: Value, k: Batch) -> Batch:
    def place(k: Tensor, held: Tensor) -> tuple[Tensor, Tensor]:
        k = torch.floor(k)
        return k / 4 * (held - 1), (k < 0) | (k > 4) | (held == 0)

    return picked(evaluator, value, k, place)


for _name in ("PERCENTILE.INC", "PERCENTILE"):
    function(_name, "array, k", "The number below which a share of all lies.", family=FAMILY,
             params="rv", gradient=_SORTED)(_percentile)  # fmt: skip
for _name in ("QUARTILE.INC", "QUARTILE"):
    function(_name, "array, quart", "Minimum, quartiles or maximum.", family=FAMILY,
             params="rv", gradient=_SORTED)(_quartile)  # fmt: skip


def _rank(evaluator: Evaluator, number: Batch, value: Value, order: Batch | None = None) -> Batch:
    row, mask, _, errors = row_of(evaluator, (value,))
    x, x_errors = numbers(number, evaluator.strings)
    up = torch.zeros(1, 1, 1, 1, 1, dtype=torch.float64)
    if order is not None:
        up = numbers(order, evaluator.strings)[0][..., None]
    x, others, counted = x[..., None], row[:, :, None, None], mask[:, :, None, None]
    before = torch.where(up != 0, others < x, others > x) & counted
    found = ((others == x) & counted).any(4)
    errors = earlier(x_errors, errors)
    rank = before.sum(4, dtype=torch.float64) + 1
    if not bool(found.all()):
        errors = flagged(errors, ~found, ErrorCode.NA)
    return numbered(rank, errors)


for _name in ("RANK.EQ", "RANK"):
    function(_name, "number, ref, [order]", "Place of a number among others, 1 for the largest.",
             family=FAMILY, params="vrv", gradient="none: a place in an order")(_rank)  # fmt: skip


def line_moments(
    a: Batch, b: Batch
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Errors] | None:
    """Count, means, sums of squared deviations of x, of y, and of their product."""
    found = pairs(a, b)
    if found is None:
        return None
    x, y, mask, errors = found
    if mask is None:
        mask = torch.ones((1, 1, 1, 1), dtype=torch.bool)
    shape = joint_shape(x, y, mask)
    mask = mask.expand(shape)
    held = mask.sum((2, 3), keepdim=True, dtype=torch.float64)
    safe = held.clamp(min=1)
    mean_x = torch.where(mask, x, 0.0).sum((2, 3), keepdim=True) / safe
    mean_y = torch.where(mask, y, 0.0).sum((2, 3), keepdim=True) / safe
    dx, dy = torch.where(mask, x - mean_x, 0.0), torch.where(mask, y - mean_y, 0.0)
    xx = (dx * dx).sum((2, 3), keepdim=True)
    yy = (dy * dy).sum((2, 3), keepdim=True)
    xy = (dx * dy).sum((2, 3), keepdim=True)
    return held, mean_x, mean_y, xx, yy, xy, errors


def _ratio(top: Tensor, bottom: Tensor, errors: Errors) -> Batch:
    flat = ~(bottom > 0)
    if trace.seen_any(flat):
        errors = flagged(errors, flat, ErrorCode.DIV0)
        bottom = torch.where(flat, 1.0, bottom)
    return numbered(top / bottom, errors)


def _correl(evaluator: Evaluator, a: Batch, b: Batch) -> Batch:
    m = line_moments(a, b)
    if m is None:
        return error(ErrorCode.NA)
    _, _, _, xx, yy, xy, errors = m
    flat = ~((xx > 0) & (yy > 0))
    product = xx * yy
    if trace.seen_any(flat):
        errors = flagged(errors, flat, ErrorCode.DIV0)
        product = torch.where(flat, 1.0, product)
    return numbered(xy / torch.sqrt(product), errors)


for _name in ("CORREL", "PEARSON"):
    function(_name, "array1, array2", "Correlation of two samples.", family=FAMILY, params="w",
             gradient="smooth")(_correl)  # fmt: skip


@function("RSQ", "known_y's, known_x's", "Square of the correlation.", family=FAMILY, params="w",
          gradient="smooth")  # fmt: skip
def rsq(evaluator: Evaluator, y: Batch, x: Batch) -> Batch:
    """r²."""
    m = line_moments(x, y)
    if m is None:
        return error(ErrorCode.NA)
    return _ratio(m[5] * m[5], m[3] * m[4], m[6])


@function("SLOPE", "known_y's, known_x's", "Slope of the line of best fit.", family=FAMILY,
          params="w", gradient="smooth")  # fmt: skip
def slope(evaluator: Evaluator, y: Batch, x: Batch) -> Batch:
    """Σ(x − x̄)(y − ȳ) / Σ(x − x̄)²."""
    m = line_moments(x, y)
    if m is None:
        return error(ErrorCode.NA)
    return _ratio(m[5], m[3], m[6])


@function("INTERCEPT", "known_y's, known_x's", "Where the line of best fit crosses x = 0.",
          family=FAMILY, params="w", gradient="smooth")  # fmt: skip
def intercept(evaluator: Evaluator, y: Batch, x: Batch) -> Batch:
    """ȳ − slope · x̄."""
    m = line_moments(x, y)
    if m is None:
        return error(ErrorCode.NA)
    ratio = _ratio(m[5], m[3], m[6])
    return Batch(torch.where(ratio.kinds() == 4, ratio.num, m[2] - ratio.num * m[1]), ratio.kind)


def _enter_covariance(names: tuple[str, ...], help_: str, lost: int) -> None:
    def code(evaluator: Evaluator, a: Batch, b: Batch) -> Batch:
        m = line_moments(a, b)
        if m is None:
            return error(ErrorCode.NA)
        return _ratio(m[5], m[0] - lost, m[6])

    for name in names:
        function(name, "array1, array2", help_, family=FAMILY, params="w",
                 gradient="smooth")(code)  # fmt: skip


_enter_covariance(("COVARIANCE.P", "COVAR"), "Covariance of a whole population.", 0)
_enter_covariance(("COVARIANCE.S",), "Covariance estimated from a sample.", 1)
