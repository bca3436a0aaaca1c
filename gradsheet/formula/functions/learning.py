"""Functions for learning that Excel does not have, under the prefix LEARN.

Owns activations and losses; each knows its spelling in functions that Excel has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gradsheet.formula.batch import Batch, Errors, earlier, error, errors_of, numbered
from gradsheet.formula.functions.samples import first_error, pooled, sampled
from gradsheet.formula.functions.stats import over, pairs, square_sum
from gradsheet.formula.functions.table import function, lifted, numeric
from gradsheet.formula.values import ErrorCode

if TYPE_CHECKING:
    from gradsheet.formula.evaluate import Evaluator, Value

FAMILY = "Learning"
_BOOK = "Goodfellow, Bengio, Courville: Deep Learning (2016), chapter 6"


@numeric("LEARN.SIGMOID", "x", "Squeezes a number into 0 to 1.", family=FAMILY, hides=True,
         source=_BOOK, plain="1/(1+EXP(-x))")  # fmt: skip
def sigmoid(x: Tensor) -> Tensor:
    """1 / (1 + e^-x), without overflow."""
    return torch.sigmoid(x)


@numeric("LEARN.RELU", "x", "The number, or 0 if it is negative.", family=FAMILY, source=_BOOK,
         gradient="subgradient at 0: 0", plain="MAX(0,x)", hides=True)  # fmt: skip
def relu(x: Tensor) -> Tensor:
    """max(0, x)."""
    return torch.relu(x)


@numeric("LEARN.LEAKYRELU", "x, [slope]", "The number, times a small slope if it is negative.",
         family=FAMILY, gradient="subgradient at 0: the slope", source=_BOOK,
         plain="IF(x>0,x,slope*x)", defaults=(0.01,))  # fmt: skip
def leaky_relu(x: Tensor, slope: Tensor) -> Tensor:
    """x above 0, slope · x below."""
    return torch.where(x > 0, x, slope * x)


@numeric("LEARN.SOFTPLUS", "x", "A smooth version of RELU.", family=FAMILY, source=_BOOK,
         plain="MAX(0,x)+LN(1+EXP(-ABS(x)))", hides=True)  # fmt: skip
def softplus(x: Tensor) -> Tensor:
    """ln(1 + e^x), without overflow."""
    return torch.logaddexp(x, torch.zeros_like(x))


def _masked_exp(batch: Batch) -> tuple[Tensor, Tensor]:
    mask = (batch.kinds() == 1).expand(batch.num.shape)
    row = torch.where(mask, batch.num, float("-inf"))
    top = row.detach().amax((2, 3), keepdim=True)
    top = torch.where(torch.isfinite(top), top, 0.0)
    shifted = torch.where(mask, batch.num - top, 0.0)
    return torch.where(mask, torch.exp(shifted), 0.0), top


@function("LEARN.SOFTMAX", "scores, [score]",
          "Scores as probabilities; with a second argument the probability of that score.",
          family=FAMILY, params="wv", gradient="smooth", source=_BOOK,
          plain="EXP(score)/SUM(EXP(scores))")  # fmt: skip
def softmax(evaluator: Evaluator, scores: Batch, score: Batch | None = None) -> Batch:
    """e^score / Σ e^scores, shifted by the largest score."""
    exp, top = _masked_exp(scores)
    total = exp.sum((2, 3), keepdim=True)
    errors = first_error(errors_of(scores))
    if score is None:
        return over(exp, total, errors)
    result = lifted(evaluator.strings, [score], lambda x: torch.exp(x - top) / total)
    if errors is None:
        return result
    return numbered(result.num, earlier(errors_of(result), errors))


@function("LEARN.LOGSUMEXP", "scores", "Logarithm of the sum of exponentials.", family=FAMILY,
          params="r", gradient="smooth", source=_BOOK, plain="LN(SUM(EXP(scores)))")  # fmt: skip
def logsumexp(evaluator: Evaluator, scores: Value) -> Batch:
    """ln Σ e^x, without overflow."""
    samples, errors = sampled(evaluator, (scores,))
    row, mask = pooled(samples)
    if mask is not None:
        row = torch.where(mask, row, float("-inf"))
    return numbered(torch.logsumexp(row, 2)[:, :, None, None], errors)


def _squared_error(a: Batch, b: Batch) -> tuple[Tensor, Tensor, Errors] | None:
    found = pairs(a, b)
    if found is None:
        return None
    x, y, mask, errors = found
    difference = x - y
    if mask is None:
        size = float(difference.shape[2] * difference.shape[3])
        return square_sum(difference), torch.full((1, 1, 1, 1), size).double(), errors
    difference = torch.where(mask, difference, 0.0)
    held = mask.expand(difference.shape).sum((2, 3), keepdim=True, dtype=torch.float64)
    return square_sum(difference), held, errors


@function("LEARN.MSE", "actual, predicted", "Mean squared error over the pairs of numbers.",
          family=FAMILY, params="w", gradient="smooth",
          plain="SUMXMY2(actual,predicted)/COUNT(actual)")  # fmt: skip
def mse(evaluator: Evaluator, actual: Batch, predicted: Batch) -> Batch:
    """Mean of (actual − predicted)²; #DIV/0! without a pair."""
    found = _squared_error(actual, predicted)
    if found is None:
        return error(ErrorCode.NA)
    return over(*found)


@function("LEARN.RMSE", "actual, predicted", "Root of the mean squared error.", family=FAMILY,
          params="w", gradient="subgradient at 0: 0",
          plain="SQRT(SUMXMY2(actual,predicted)/COUNT(actual))")  # fmt: skip
def rmse(evaluator: Evaluator, actual: Batch, predicted: Batch) -> Batch:
    """√ of LEARN.MSE."""
    from gradsheet.formula.functions.math import sqrt

    return lifted(evaluator.strings, [mse(evaluator, actual, predicted)], sqrt)
