"""Functions of numbers, element by element.

Owns roots, powers, logarithms, rounding and trigonometry with the numbers on which Excel shows
an error. Inputs without a result are replaced before they are computed, so that the gradient
of a masked value is 0 and not NaN.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gradsheet.formula import trace
from gradsheet.formula.functions.table import Domain, numeric
from gradsheet.formula.values import ErrorCode

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
