"""SUBTOTAL and AGGREGATE, and what is said of formulas themselves.

Owns what these leave out of a range: other totals, hidden rows, errors. The statistics are those
of the other families, by name.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import torch

from gradsheet.formula.areas import Area, Areas
from gradsheet.formula.batch import ERROR, Batch, error, is_kind, logical
from gradsheet.formula.functions.table import TABLE, function
from gradsheet.formula.syntax import Call, Expr, children
from gradsheet.formula.values import ErrorCode

if TYPE_CHECKING:
    from gradsheet.formula.evaluate import Evaluator, Value

FAMILY = "Totals"
TOTALS = frozenset({"SUBTOTAL", "AGGREGATE"})
"""Functions that leave cells with such a function out."""
_REDUCTIONS = (
    "AVERAGE", "COUNT", "COUNTA", "MAX", "MIN", "PRODUCT", "STDEV.S", "STDEV.P", "SUM", "VAR.S",
    "VAR.P", "MEDIAN", "MODE.SNGL",
)  # fmt: skip
_PICKS = ("LARGE", "SMALL", "PERCENTILE.INC", "QUARTILE.INC", "PERCENTILE.EXC", "QUARTILE.EXC")
_THEIRS = "that of the function which the number names"
_NONE = "none: says something of a formula, not of a number"


@lru_cache(maxsize=65536)
def calls(expr: Expr, names: frozenset[str]) -> bool:
    """Whether a formula calls one of some functions."""
    pending = [expr]
    while pending:
        node = pending.pop()
        if isinstance(node, Call) and node.name in names:
            return True
        pending.extend(children(node))
    return False


@function("SUBTOTAL", "function_num, ref1, [ref2], ...",
          "A statistic of ranges without the totals in them.", family=FAMILY, params="vr",
          gradient=_THEIRS)  # fmt: skip
def subtotal(evaluator: Evaluator, number: Batch, *values: Value) -> Batch:
    """1 AVERAGE to 11 VAR.P; 101 to 111 the same without hidden rows."""
    which = evaluator.size(number, "SUBTOTAL")
    if not (1 <= which <= 11 or 101 <= which <= 111):
        return error(ErrorCode.VALUE)
    if any(isinstance(value, Batch) and not value.is_only(ERROR) for value in values):
        return error(ErrorCode.VALUE)
    left = [part for v in values for part in _left(evaluator, v, which > 100, True, False)]
    return _batch(evaluator, _REDUCTIONS[which % 100 - 1], *left)


@function("AGGREGATE", "function_num, options, array, [k], ...",
          "A statistic of ranges without errors, hidden rows or totals, as asked.",
          family=FAMILY, params="e", gradient=_THEIRS)  # fmt: skip
def aggregate(evaluator: Evaluator, number: Expr, options: Expr, *args: Expr) -> Batch:
    """1 to 13 of ranges, 14 LARGE to 19 QUARTILE.EXC of an array and k; options 0 to 7."""
    which = evaluator.size(evaluator.batch(number), "AGGREGATE")
    option = evaluator.size(evaluator.batch(options), "AGGREGATE")
    if not 1 <= which <= 19 or not 0 <= option <= 7:
        return error(ErrorCode.VALUE)
    hidden, errors, totals = option in (1, 3, 5, 7), option in (2, 3, 6, 7), option < 4
    if which < 14:
        left = [
            part
            for arg in args
            for part in _left(evaluator, evaluator.value(arg), hidden, totals, errors)
        ]
        return _batch(evaluator, _REDUCTIONS[which - 1], *left)
    if len(args) != 2:
        return error(ErrorCode.VALUE)
    value = evaluator.value(args[0])
    if isinstance(value, Batch):
        value = evaluator.array(args[0])
    (array, *more) = _left(evaluator, value, hidden, totals, errors)
    if more:
        return error(ErrorCode.VALUE)
    return _batch(evaluator, _PICKS[which - 14], array, evaluator.batch(args[1]))


def _batch(evaluator: Evaluator, name: str, *args: Batch) -> Batch:
    result: Batch = TABLE[name].code(evaluator, *args)
    return result


def _left(
    evaluator: Evaluator, value: Value, hidden: bool, totals: bool, errors: bool
) -> list[Batch]:
    """The values of a reference, blank where something is left out."""
    found = []
    for part in value.parts if isinstance(value, Areas) else (value,):
        batch = evaluator.whole(part)
        kept = _kept(evaluator, part, batch, hidden, totals) if isinstance(part, Area) else None
        if errors:
            fine = ~is_kind(batch, ERROR)
            kept = fine if kept is None else kept & fine
        if kept is not None and not bool(kept.all()):
            num = torch.where(kept, batch.num, 0.0)
            kinds = torch.where(kept, batch.kinds(), 0).to(torch.uint8)
            batch = Batch(num, kinds.expand(num.shape), direct=False)
        found.append(batch)
    return found


def _kept(
    evaluator: Evaluator, area: Area, batch: Batch, hidden: bool, totals: bool
) -> torch.Tensor | None:
    """Mask (1, 1, h, w) of the cells that count, None for all."""
    rows, cells = evaluator.world.set_aside(area.sheet)
    rows, cells = rows if hidden else frozenset(), cells if totals else frozenset()
    if not rows and not cells:
        return None
    if area.row_step or area.col_step:
        evaluator.split()  # which cells are left out differs from cell to cell
    top, left = area.hull(1, 1).first
    height, width = batch.num.shape[2:]
    mask = torch.ones((1, 1, height, width), dtype=torch.bool)
    for row in rows:
        if top <= row < top + height:
            mask[0, 0, row - top] = False
    for row, col in cells:
        if top <= row < top + height and left <= col < left + width:
            mask[0, 0, row - top, col - left] = False
    return mask


def _formula_text(evaluator: Evaluator, value: Value) -> str | None:
    if not isinstance(value, Area):
        return None
    if value.row_step or value.col_step:
        evaluator.split()
    return evaluator.world.formula_text(value.sheet, value.hull(1, 1).first)


@function("FORMULATEXT", "reference", "The formula of a cell as text.", family=FAMILY,
          params="r", gradient=_NONE)  # fmt: skip
def formulatext(evaluator: Evaluator, value: Value) -> Batch:
    """Formula with its `=`; #N/A for a cell without one."""
    text = _formula_text(evaluator, value)
    return error(ErrorCode.NA) if text is None else evaluator.constant(text)


@function("ISFORMULA", "reference", "Whether a cell holds a formula.", family=FAMILY,
          params="r", gradient=_NONE)  # fmt: skip
def isformula(evaluator: Evaluator, value: Value) -> Batch:
    """TRUE for a formula; #VALUE! for what is no reference."""
    if isinstance(value, Batch):
        return value if value.is_only(ERROR) else error(ErrorCode.VALUE)
    text = _formula_text(evaluator, value)
    return logical(torch.full((1, 1, 1, 1), text is not None))
