"""Sums, counts, means and the other statistics of ranges.

Owns the functions that reduce many cells to one number. Only numbers count; blanks, texts and
booleans in cells are skipped, errors are passed on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gradsheet.formula.batch import (
    BLANK,
    NUMBER,
    TEXT,
    Batch,
    Errors,
    aligned,
    earlier,
    error,
    errors_of,
    flagged,
    is_kind,
    numbered,
    numbers,
    settled,
)
from gradsheet.formula.functions.samples import (
    batches_of,
    cell,
    first_error,
    pooled,
    sampled,
)
from gradsheet.formula.functions.table import function
from gradsheet.formula.values import ErrorCode

if TYPE_CHECKING:
    from gradsheet.formula.evaluate import Evaluator, Value

FAMILY = "Statistics"
PAIRED = "smooth"


@function("SUM", "number1, [number2], ...", "Adds its arguments.", family=FAMILY, params="r",
          gradient="smooth")  # fmt: skip
def sum_(evaluator: Evaluator, *values: Value) -> Batch:
    """Sum of all numbers."""
    samples, errors = sampled(evaluator, values)
    total = samples[0].num.sum((2, 3), keepdim=True)
    for sample in samples[1:]:
        total = total + sample.num.sum((2, 3), keepdim=True)
    return numbered(total, errors)


@function("SUMSQ", "number1, [number2], ...", "Adds the squares of its arguments.",
          family=FAMILY, params="r", gradient="smooth")  # fmt: skip
def sumsq(evaluator: Evaluator, *values: Value) -> Batch:
    """Sum of the squares of all numbers."""
    samples, errors = sampled(evaluator, values)
    total = square_sum(samples[0].num)
    for sample in samples[1:]:
        total = total + square_sum(sample.num)
    return numbered(total, errors)


def square_sum(num: Tensor) -> Tensor:
    """Sum of squares over the array, (R|1, C|1, 1, 1)."""
    if num.shape[0] == 1 and num.shape[1] == 1:
        flat = num.reshape(-1)
        return torch.dot(flat, flat).view(1, 1, 1, 1)
    return (num * num).sum((2, 3), keepdim=True)


@function("PRODUCT", "number1, [number2], ...", "Multiplies its arguments.", family=FAMILY,
          params="r", gradient="smooth")  # fmt: skip
def product(evaluator: Evaluator, *values: Value) -> Batch:
    """Product of all numbers; 0 if there are none."""
    samples, errors = sampled(evaluator, values)
    row, mask = pooled(samples)
    if mask is None:
        return numbered(cell(row.prod(2)), errors)
    result = torch.where(mask, row, 1.0).prod(2)
    return numbered(cell(torch.where(mask.any(2), result, 0.0)), errors)


@function("COUNT", "value1, [value2], ...", "Counts the numbers among its arguments.",
          family=FAMILY, params="r", gradient="none: a count does not change smoothly")  # fmt: skip
def count(evaluator: Evaluator, *values: Value) -> Batch:
    """How many numbers there are; errors do not count, but what is not computed is passed on."""
    total = torch.zeros((1, 1, 1, 1), dtype=torch.float64)
    errors: Errors = None
    for batch in batches_of(evaluator, values):
        errors = earlier(errors, first_error(uncomputed(batch)))
        if batch.direct and not batch.is_array:
            kinds = batch.kinds()
            counted = (kinds == NUMBER) | (kinds == 3) | (kinds == BLANK)
            if bool((kinds == TEXT).any()):
                unread = numbers(batch, evaluator.strings)[1]
                counted |= (kinds == TEXT) & (torch.zeros(1) if unread is None else unread).eq(0)
        else:
            counted = is_kind(batch, NUMBER)
        total = total + counted.expand_as(_like(batch, counted)).sum(
            (2, 3), keepdim=True, dtype=torch.float64
        )
    return numbered(total, errors)


def _like(batch: Batch, mask: Tensor) -> Tensor:
    height, width = batch.num.shape[2], batch.num.shape[3]
    return torch.empty((mask.shape[0], mask.shape[1], height, width), dtype=torch.bool)


def uncomputed(batch: Batch) -> Errors:
    """Errors that stand for no value of Excel's: circles and functions not supported."""
    errors = errors_of(batch)
    if errors is None or not bool((errors >= 100).any()):
        return None
    return torch.where(errors >= 100, errors, 0.0)


@function("COUNTA", "value1, [value2], ...", "Counts the cells that are not blank.",
          family=FAMILY, params="r", gradient="none: a count does not change smoothly")  # fmt: skip
def counta(evaluator: Evaluator, *values: Value) -> Batch:
    """How many cells hold anything, errors too."""
    total = torch.zeros((1, 1, 1, 1), dtype=torch.float64)
    errors: Errors = None
    for batch in batches_of(evaluator, values):
        errors = earlier(errors, first_error(uncomputed(batch)))
        held = ~is_kind(batch, BLANK)
        if batch.direct and not batch.is_array:
            held = torch.ones_like(held)  # an empty argument counts
        total = total + held.expand_as(_like(batch, held)).sum(
            (2, 3), keepdim=True, dtype=torch.float64
        )
    return numbered(total, errors)


@function("COUNTBLANK", "range", "Counts the blank cells and the empty texts of a range.",
          family=FAMILY, params="w", gradient="none: a count does not change smoothly")  # fmt: skip
def countblank(evaluator: Evaluator, batch: Batch) -> Batch:
    """How many cells are blank or hold the empty text."""
    empty = is_kind(batch, BLANK) | (is_kind(batch, TEXT) & (batch.num == 0))
    errors = first_error(uncomputed(batch))
    held = empty.expand_as(_like(batch, empty))
    return numbered(held.sum((2, 3), keepdim=True, dtype=torch.float64), errors)


@function("AVERAGE", "number1, [number2], ...", "Mean of its arguments.", family=FAMILY,
          params="r", gradient="smooth")  # fmt: skip
def average(evaluator: Evaluator, *values: Value) -> Batch:
    """Mean of all numbers; #DIV/0! if there are none."""
    samples, errors = sampled(evaluator, values)
    total = samples[0].num.sum((2, 3), keepdim=True)
    held = samples[0].count
    for sample in samples[1:]:
        total = total + sample.num.sum((2, 3), keepdim=True)
        held = held + sample.count
    return over(total, held, errors)


def over(total: Tensor, held: Tensor, errors: Errors) -> Batch:
    """`total / held`, #DIV/0! where nothing is held."""
    none = held <= 0
    if bool(none.any()):
        errors = flagged(errors, none, ErrorCode.DIV0)
        held = torch.where(none, 1.0, held)
    return numbered(total / held, errors)


def _extreme(evaluator: Evaluator, values: tuple[Value, ...], largest: bool) -> Batch:
    samples, errors = sampled(evaluator, values)
    row, mask = pooled(samples)
    row, bad = settled(row)
    if bad is not None:
        errors = earlier(errors, first_error(bad[..., None]))
    if mask is None:
        return numbered(cell(row.amax(2) if largest else row.amin(2)), errors)
    outside = float("-inf") if largest else float("inf")
    masked = torch.where(mask, row, outside)
    found = masked.amax(2) if largest else masked.amin(2)
    return numbered(cell(torch.where(mask.any(2), found, 0.0)), errors)


_TIES = "subgradient at ties: shared equally among the equal numbers"


@function("MAX", "number1, [number2], ...", "Largest of its arguments.", family=FAMILY,
          params="r", gradient=_TIES)  # fmt: skip
def max_(evaluator: Evaluator, *values: Value) -> Batch:
    """Largest number; 0 if there are none."""
    return _extreme(evaluator, values, True)


@function("MIN", "number1, [number2], ...", "Smallest of its arguments.", family=FAMILY,
          params="r", gradient=_TIES)  # fmt: skip
def min_(evaluator: Evaluator, *values: Value) -> Batch:
    """Smallest number; 0 if there are none."""
    return _extreme(evaluator, values, False)


def pairs(a: Batch, b: Batch) -> tuple[Tensor, Tensor, Tensor | None, Errors] | None:
    """Two arrays of one size with the mask of the pairs of numbers; None if sizes differ.

    A pair counts only if both sides are numbers; elsewhere both are given as 0.
    """
    if a.num.shape[2:] != b.num.shape[2:]:
        if a.height * a.width != b.height * b.width or 1 not in a.num.shape[2:]:
            return None
        a, b = (batch.view(lambda x: x.flatten(2)[..., None]) for batch in (a, b))
    errors = earlier(first_error(errors_of(a)), first_error(errors_of(b)))
    if a.is_only(NUMBER) and b.is_only(NUMBER):
        return a.num, b.num, None, errors
    mask = is_kind(a, NUMBER) & is_kind(b, NUMBER)
    return a.num, b.num, mask, errors


def _paired(a: Batch, b: Batch, what: str) -> Batch:
    found = pairs(a, b)
    if found is None:
        return error(ErrorCode.NA)
    x, y, mask, errors = found
    if what == "xmy2":
        difference = x - y
        if mask is not None:
            difference = torch.where(mask, difference, 0.0)
        return numbered(square_sum(difference), errors)
    if mask is not None:
        x, y = torch.where(mask, x, 0.0), torch.where(mask, y, 0.0)
    first, then = square_sum(x), square_sum(y)
    return numbered(first - then if what == "x2my2" else first + then, errors)


@function("SUMXMY2", "array_x, array_y", "Sum of the squared differences of two arrays.",
          family=FAMILY, params="w", gradient="smooth")  # fmt: skip
def sumxmy2(evaluator: Evaluator, a: Batch, b: Batch) -> Batch:
    """Σ(x − y)² over the pairs where both are numbers."""
    return _paired(a, b, "xmy2")


@function("SUMX2MY2", "array_x, array_y", "Sum of the differences of squares of two arrays.",
          family=FAMILY, params="w", gradient="smooth")  # fmt: skip
def sumx2my2(evaluator: Evaluator, a: Batch, b: Batch) -> Batch:
    """Σ(x² − y²) over the pairs where both are numbers."""
    return _paired(a, b, "x2my2")


@function("SUMX2PY2", "array_x, array_y", "Sum of the sums of squares of two arrays.",
          family=FAMILY, params="w", gradient="smooth")  # fmt: skip
def sumx2py2(evaluator: Evaluator, a: Batch, b: Batch) -> Batch:
    """Σ(x² + y²) over the pairs where both are numbers."""
    return _paired(a, b, "x2py2")


@function("SUMPRODUCT", "array1, [array2], ...", "Sum of the products of arrays of one size.",
          family=FAMILY, params="a", gradient="smooth")  # fmt: skip
def sumproduct(evaluator: Evaluator, *batches: Batch) -> Batch:
    """Σ of products, element by element; what is no number counts as 0."""
    if len({batch.num.shape[2:] for batch in batches}) > 1:
        return error(ErrorCode.VALUE)
    errors: Errors = None
    nums = []
    for batch in aligned(batches):
        errors = earlier(errors, first_error(errors_of(batch)))
        num = batch.num
        if not batch.is_only(NUMBER):
            num = torch.where(is_kind(batch, NUMBER), num, 0.0)
        nums.append(num)
    return numbered(product_sum(nums), errors)


def product_sum(nums: list[Tensor]) -> Tensor:
    """Sum over the array of the product of tensors (R|1, C|1, h, w)."""
    if len(nums) == 2:
        a, b = nums
        if a.shape[1] == 1 and b.shape[0] == 1 and (a.shape[0] > 1 and b.shape[1] > 1):
            return cell(a[:, 0].flatten(1) @ b[0].flatten(1).t())
        if b.shape[1] == 1 and a.shape[0] == 1 and (b.shape[0] > 1 and a.shape[1] > 1):
            return cell(b[:, 0].flatten(1) @ a[0].flatten(1).t())
    total = nums[0]
    for num in nums[1:]:
        total = total * num
    return total.sum((2, 3), keepdim=True)
