"""Least squares with several regressors, and counts in classes.

Owns LINEST and its kin, by a QR decomposition, and FREQUENCY. Gradients pass through the numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from gradsheet.formula.batch import (
    NUMBER,
    Batch,
    Errors,
    error,
    errors_of,
    numbered,
    plain,
    truths,
)
from gradsheet.formula.functions.samples import first_error, pooled, sampled
from gradsheet.formula.functions.table import function
from gradsheet.formula.values import ErrorCode

if TYPE_CHECKING:
    from gradsheet.formula.evaluate import Evaluator, Value

FAMILY = "Statistics"
_TINY = 1e-11
"""A column whose part of its own is less than this share of it depends on the others."""


class _RefusedError(Exception):
    """A regression that has no result; the code of the error is the argument."""


def _numbers(evaluator: Evaluator, batch: Batch) -> Tensor:
    """An array of numbers (h, w)."""
    if batch.num.shape[0] * batch.num.shape[1] > 1:
        evaluator.split()
    found = first_error(errors_of(batch))
    if found is not None and bool((found > 0).any()):
        raise _RefusedError(int(found.max()))
    if not batch.is_only(NUMBER) and bool((batch.kinds() != NUMBER).any()):
        raise _RefusedError(ErrorCode.VALUE)
    return batch.num[0, 0]


def _is_given(batches: tuple[Batch, ...], i: int) -> bool:
    return i < len(batches) and not batches[i].is_only(0)


def _flag(evaluator: Evaluator, batches: tuple[Batch, ...], i: int, default: bool) -> bool:
    if not _is_given(batches, i):
        return default
    mask, errors = truths(batches[i], evaluator.strings)
    if errors is not None:
        raise _RefusedError(int(errors.max()))
    return bool(mask.reshape(-1)[0])


def _regressors(evaluator: Evaluator, y: Tensor, x: Batch | None) -> tuple[Tensor, Tensor, bool]:
    """y (n,), x (n, k), and whether observations lie below each other."""
    height, width = y.shape
    if x is None:
        places = torch.arange(1, y.numel() + 1, dtype=torch.float64)[:, None]
        return y.reshape(-1), places, width == 1
    given = _numbers(evaluator, x)
    if given.shape == y.shape:
        return y.reshape(-1), given.reshape(-1, 1), width == 1
    if width == 1 and given.shape[0] == height:
        return y[:, 0], given, True
    if height == 1 and given.shape[1] == width:
        return y[0], given.transpose(0, 1), False
    raise _RefusedError(ErrorCode.REF)


class _Fit:
    """A fitted plane: coefficients (k,), intercept, and what LINEST tells besides."""

    def __init__(self, y: Tensor, x: Tensor, with_constant: bool) -> None:
        self.y, self.x, self.with_constant = y, x, with_constant
        n, k = x.shape
        design = torch.cat([x, torch.ones(n, 1, dtype=torch.float64)], 1) if with_constant else x
        if n < design.shape[1]:
            raise _RefusedError(ErrorCode.UNSUPPORTED)
        q, self.r = torch.linalg.qr(design)
        sizes = design.detach().norm(dim=0).clamp_min(1e-300)
        if bool((self.r.detach().diagonal().abs() < _TINY * sizes).any()):
            raise _RefusedError(ErrorCode.UNSUPPORTED)  # Excel leaves columns out then
        right = (q.transpose(0, 1) @ y)[:, None]
        beta = torch.linalg.solve_triangular(self.r, right, upper=True)[:, 0]
        self.slopes = beta[:k]
        zero = torch.zeros((), dtype=torch.float64)
        self.constant = beta[k] if with_constant else zero
        self.fitted = design @ beta
        self.freedom = n - design.shape[1]

    def at(self, x: Tensor) -> Tensor:
        """Values of the plane."""
        height: Tensor = x @ self.slopes + self.constant
        return height

    def statistics(self) -> list[list[Tensor | None]]:
        """The rows of LINEST below the coefficients; None for #N/A, NaN for #NUM!."""
        k = len(self.slopes)
        residual = ((self.y - self.fitted) ** 2).sum()
        centre = self.y.mean() if self.with_constant else 0.0
        total = ((self.y - centre) ** 2).sum()
        explained = total - residual
        free = self.freedom
        nothing = torch.full((), float("nan"), dtype=torch.float64)
        variance = residual / free if free else nothing * 0
        inverse = torch.linalg.inv(self.r)
        errors = torch.sqrt((inverse**2).sum(1) * variance)
        freedom = torch.tensor(float(free), dtype=torch.float64)
        f = explained / k / variance if free else nothing
        first: list[Tensor | None] = [errors[i] for i in reversed(range(k))]
        first.append(errors[k] if self.with_constant else None)
        rest = [(explained / total, torch.sqrt(variance)), (f, freedom), (explained, residual)]
        return [first, *([a, b, *[None] * (k - 1)] for a, b in rest)]


def _table(rows: list[list[Tensor | None]]) -> Batch:
    num = torch.stack(
        [
            torch.stack([torch.tensor(float(ErrorCode.NA), dtype=torch.float64)
                         if value is None else value for value in row])
            for row in rows
        ]
    )  # fmt: skip
    missing = torch.tensor([[value is None for value in row] for row in rows])
    num = num[None, None]
    undefined = torch.isnan(num.detach())
    kinds = torch.where(missing[None, None] | undefined, 4, NUMBER).to(torch.uint8)
    return Batch(torch.where(undefined, float(ErrorCode.NUM), num), kinds)


def _coefficients(
    evaluator: Evaluator, y: Batch, more: tuple[Batch, ...], is_exponential: bool
) -> Batch:
    try:
        given = _numbers(evaluator, y)
        observed, x, _ = _regressors(evaluator, given, more[0] if _is_given(more, 0) else None)
        observed = _logged(observed) if is_exponential else observed
        fit = _Fit(observed, x, _flag(evaluator, more, 1, True))
        found = torch.cat([fit.slopes.flip(0), fit.constant[None]])
        found = torch.exp(found) if is_exponential else found
        rows: list[list[Tensor | None]] = [list(found)]
        if _flag(evaluator, more, 2, False):
            rows += fit.statistics()
        return _table(rows)
    except _RefusedError as refused:
        return error(refused.args[0])


def _logged(y: Tensor) -> Tensor:
    if bool((y.detach() <= 0).any()):
        raise _RefusedError(ErrorCode.NUM)
    return torch.log(y)


@function("LINEST", "known_y's, [known_x's], [const], [stats]",
          "Coefficients of the plane of best fit.", family=FAMILY, params="aavv",
          gradient="smooth")  # fmt: skip
def linest(evaluator: Evaluator, y: Batch, *more: Batch) -> Batch:
    """m_k ... m_1 and b of y = m_1 x_1 + ... + m_k x_k + b, and their statistics if asked."""
    return _coefficients(evaluator, y, more, False)


@function("LOGEST", "known_y's, [known_x's], [const], [stats]",
          "Coefficients of the exponential curve of best fit.", family=FAMILY, params="aavv",
          gradient="smooth")  # fmt: skip
def logest(evaluator: Evaluator, y: Batch, *more: Batch) -> Batch:
    """m_k ... m_1 and b of y = b m_1^x_1 ... m_k^x_k, by least squares of the logarithms."""
    return _coefficients(evaluator, y, more, True)


def _predicted(
    evaluator: Evaluator, y: Batch, more: tuple[Batch, ...], is_exponential: bool
) -> Batch:
    try:
        given = _numbers(evaluator, y)
        known = more[0] if _is_given(more, 0) else None
        observed, x, is_down = _regressors(evaluator, given, known)
        observed = _logged(observed) if is_exponential else observed
        fit = _Fit(observed, x, _flag(evaluator, more, 2, True))
        if _is_given(more, 1):
            new = _numbers(evaluator, more[1])
            shape = new.shape
            if x.shape[1] == 1:
                new = new.reshape(-1, 1)
            elif is_down:
                shape = torch.Size((new.shape[0], 1))
            else:
                new, shape = new.transpose(0, 1), torch.Size((1, new.shape[1]))
            if new.shape[1] != x.shape[1]:
                return error(ErrorCode.REF)
        else:
            new, shape = x, given.shape
        found = fit.at(new).reshape(shape)
        return numbered((torch.exp(found) if is_exponential else found)[None, None])
    except _RefusedError as refused:
        return error(refused.args[0])


@function("TREND", "known_y's, [known_x's], [new_x's], [const]",
          "Values of the plane of best fit.", family=FAMILY, params="aaav",
          gradient="smooth")  # fmt: skip
def trend(evaluator: Evaluator, y: Batch, *more: Batch) -> Batch:
    """The plane that LINEST finds, at the known or at new points."""
    return _predicted(evaluator, y, more, False)


@function("GROWTH", "known_y's, [known_x's], [new_x's], [const]",
          "Values of the exponential curve of best fit.", family=FAMILY, params="aaav",
          gradient="smooth")  # fmt: skip
def growth(evaluator: Evaluator, y: Batch, *more: Batch) -> Batch:
    """The curve that LOGEST finds, at the known or at new points."""
    return _predicted(evaluator, y, more, True)


def _counted(evaluator: Evaluator, value: Value) -> tuple[np.ndarray, Errors]:
    samples, errors = sampled(evaluator, (value,))
    row, mask = pooled(samples)
    if row.shape[0] * row.shape[1] > 1:
        evaluator.split()
    nums = plain(Batch(row[..., None]))[0].ravel()
    return (nums if mask is None else nums[mask.expand(row.shape).reshape(-1).numpy()]), errors


@function("FREQUENCY", "data_array, bins_array", "How many numbers lie in each class.",
          family=FAMILY, params="r", gradient="none: a count does not change smoothly")  # fmt: skip
def frequency(evaluator: Evaluator, data: Value, bins: Value) -> Batch:
    """Numbers up to each bound and above the one below it, then those above the last."""
    values, errors = _counted(evaluator, data)
    bounds, more = _counted(evaluator, bins)
    for found in (errors, more):
        if found is not None and bool((found > 0).any()):
            return error(int(found.max()))
    order = np.argsort(bounds, kind="stable")
    upto = np.searchsorted(np.sort(values), bounds[order], side="right")
    counts = np.zeros(len(bounds) + 1)
    counts[order] = np.diff(upto, prepend=0)
    counts[-1] = len(values) - (upto[-1] if len(upto) else 0)
    if not len(bounds):
        counts = np.array([0.0, float(len(values))])
    return numbered(torch.from_numpy(counts)[None, None, :, None])
