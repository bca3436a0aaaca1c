"""Conditions and the tests of what a cell holds.

Owns IF and its kin, AND, OR, the IS functions and the handling of errors. A branch is computed
only if some cell of the block takes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gradsheet.formula import trace
from gradsheet.formula.batch import (
    Batch,
    Errors,
    aligned,
    chosen,
    numbered,
    truths,
)
from gradsheet.formula.functions.table import function
from gradsheet.formula.syntax import Expr, Missing

if TYPE_CHECKING:
    from gradsheet.formula.evaluate import Evaluator, Value

FAMILY = "Logic"
_BRANCH = "that of the branch taken; none through the condition"


def with_errors(batch: Batch, errors: Errors) -> Batch:
    """The batch, an error wherever a code is given."""
    if errors is None:
        return batch
    code = Batch(errors, 4)
    return chosen(errors > 0, code, batch)


@function("IF", "test, [value_if_true], [value_if_false]", "One value or another by a test.",
          family=FAMILY, params="e", gradient=_BRANCH)  # fmt: skip
def if_(evaluator: Evaluator, test: Expr, *branches: Expr) -> Value:
    """The branch that the test chooses; FALSE for one that is left out, 0 for an empty one."""
    condition, errors = truths(evaluator.batch(test), evaluator.strings)
    return select(evaluator, condition, errors, branches)


def select(
    evaluator: Evaluator, condition: Tensor, errors: Errors, branches: tuple[Expr, ...]
) -> Value:
    """The first branch where the condition holds, else the second; errors where given."""

    def branch(i: int) -> Value:
        if i >= len(branches):
            return evaluator.constant(i == 0 and None)
        if isinstance(branches[i], Missing):
            return evaluator.constant(0.0)
        return evaluator.value(branches[i])

    if errors is None:
        if trace.surely_all(condition):
            return branch(0)
        if trace.surely_none(condition):
            return branch(1)
    yes, no = evaluator.one(branch(0)), evaluator.one(branch(1))
    test, yes, no = aligned([Batch(condition), yes, no])
    return with_errors(chosen(test.num.to(torch.bool), yes, no), errors)


def test(mask: Tensor) -> Batch:
    """Booleans of a test that has no errors."""
    return numbered(mask.to(torch.float64), None, 3)
