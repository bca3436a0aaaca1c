"""Functions that make or rearrange arrays.

Owns SEQUENCE and the stacking, filtering and sorting of arrays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gradsheet.formula.batch import Batch, error, numbered, numbers
from gradsheet.formula.functions.table import function
from gradsheet.formula.values import ErrorCode

if TYPE_CHECKING:
    from gradsheet.formula.evaluate import Evaluator

FAMILY = "Arrays"


@function("SEQUENCE", "rows, [columns], [start], [step]", "Numbers at equal distances.",
          family=FAMILY, gradient="smooth in start and step")  # fmt: skip
def sequence(evaluator: Evaluator, *args: Batch) -> Batch:
    """start, start + step, ... row by row."""
    rows = evaluator.size(args[0], "SEQUENCE")
    cols = evaluator.size(args[1], "SEQUENCE") if len(args) > 1 else 1
    if rows < 1 or cols < 1 or rows * cols > 10_000_000:
        return error(ErrorCode.VALUE if min(rows, cols) < 0 else ErrorCode.CALC)
    start, errors = _given(evaluator, args, 2)
    step, more = _given(evaluator, args, 3)
    places = torch.arange(rows * cols, dtype=torch.float64).view(1, 1, rows, cols)
    return numbered(start + step * places, errors if errors is not None else more)


def _given(
    evaluator: Evaluator, args: tuple[Batch, ...], i: int
) -> tuple[torch.Tensor, torch.Tensor | None]:
    if i < len(args) and not args[i].is_only(0):
        return numbers(args[i], evaluator.strings)
    return torch.ones((1, 1, 1, 1), dtype=torch.float64), None
