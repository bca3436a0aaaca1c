"""Sums, counts and extremes of the cells that meet a criterion.

Owns the reading of criteria such as ">=3", "a*" or 5, and the functions with IF or IFS in their
names. A gradient flows through the numbers that are summed, none through the criteria.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gradsheet.formula.areas import Area
from gradsheet.formula.batch import Batch, Errors, error, errors_of, plain
from gradsheet.formula.dates import parse_date
from gradsheet.formula.functions.search import wildcard
from gradsheet.formula.functions.stats import over, uncomputed
from gradsheet.formula.functions.table import function
from gradsheet.formula.values import ErrorCode, Kind, Strings, parse_entry

if TYPE_CHECKING:
    from gradsheet.formula.evaluate import Evaluator, Value

FAMILY = "Conditional sums"
_CHOSEN = "that of the numbers that meet the criteria; none through the criteria"
_COUNTED = "none: a count does not change smoothly"
_SIGNS = ("<=", ">=", "<>", "<", ">", "=")
_ORDER: dict[str, Callable[[npt.NDArray[np.float64], float], npt.NDArray[np.bool_]]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


def meets(
    num: npt.NDArray[np.float64],
    kinds: npt.NDArray[np.uint8],
    value: float,
    kind: int,
    strings: Strings,
) -> npt.NDArray[np.bool_]:
    """Mask of the cells (n,) that meet a criterion given as a cell's value and kind."""
    if kind == Kind.TEXT:
        return _meets_text(num, kinds, strings.text(int(value)), strings)
    if kind == Kind.BLANK:
        value, kind = 0.0, int(Kind.NUMBER)
    mask: npt.NDArray[np.bool_] = (kinds == kind) & (num == value)
    if kind == Kind.NUMBER:
        mask |= _spelled(num, kinds, value, strings)
    return mask


def _spelled(
    num: npt.NDArray[np.float64], kinds: npt.NDArray[np.uint8], value: float, strings: Strings
) -> npt.NDArray[np.bool_]:
    """Texts that spell the number count as equal to it."""
    mask = np.zeros(num.shape, np.bool_)
    texts = np.flatnonzero(kinds == Kind.TEXT)
    if len(texts):
        same = {i for i in set(num[texts].tolist()) if parse_entry(strings.text(int(i))) == value}
        mask[texts] = [i in same for i in num[texts].tolist()]
    return mask


def _meets_text(
    num: npt.NDArray[np.float64], kinds: npt.NDArray[np.uint8], text: str, strings: Strings
) -> npt.NDArray[np.bool_]:
    sign = next((s for s in _SIGNS if text.startswith(s)), "")
    rest = text[len(sign) :]
    operand = parse_entry(rest)
    if isinstance(operand, str):
        date = parse_date(rest)
        operand = operand if date is None else date
    if sign in _ORDER:
        return _ordered(num, kinds, sign, operand, rest, strings)
    if sign == "" and text == "":
        mask: npt.NDArray[np.bool_] = (kinds == Kind.BLANK) | _texts(num, kinds, "", strings)
        return mask
    if sign == "=" and rest == "":
        return np.asarray(kinds == Kind.BLANK)
    if sign == "<>" and rest == "":
        return np.asarray(kinds != Kind.BLANK)
    if isinstance(operand, ErrorCode):
        mask = (kinds == Kind.ERROR) & (num == float(operand))
    elif isinstance(operand, bool):
        mask = (kinds == Kind.BOOLEAN) & (num == float(operand))
    elif isinstance(operand, float):
        mask = (kinds == Kind.NUMBER) & (num == operand)
        mask |= _spelled(num, kinds, operand, strings)
    else:
        mask = _texts(num, kinds, rest, strings)
    return ~mask if sign == "<>" else mask


def _texts(
    num: npt.NDArray[np.float64], kinds: npt.NDArray[np.uint8], pattern: str, strings: Strings
) -> npt.NDArray[np.bool_]:
    mask = np.zeros(num.shape, np.bool_)
    texts = np.flatnonzero(kinds == Kind.TEXT)
    match = wildcard(pattern)
    fitting = {i for i in set(num[texts].tolist()) if match.fullmatch(strings.text(int(i)))}
    mask[texts] = [i in fitting for i in num[texts].tolist()]
    return mask


def _ordered(
    num: npt.NDArray[np.float64],
    kinds: npt.NDArray[np.uint8],
    sign: str,
    operand: object,
    rest: str,
    strings: Strings,
) -> npt.NDArray[np.bool_]:
    if isinstance(operand, float) and not isinstance(operand, bool):
        return np.asarray((kinds == Kind.NUMBER) & _ORDER[sign](num, operand))
    mask = np.zeros(num.shape, np.bool_)
    if isinstance(operand, bool):
        return np.asarray((kinds == Kind.BOOLEAN) & _ORDER[sign](num, float(operand)))
    folded = rest.casefold()
    for i in np.flatnonzero(kinds == Kind.TEXT):
        text = strings.text(int(num[i])).casefold()
        order = (text > folded) - (text < folded)
        mask[i] = bool(_ORDER[sign](np.array(float(order)), 0.0))
    return mask


def _masks(
    evaluator: Evaluator, ranges: list[Batch], criteria: list[Batch]
) -> tuple[Tensor, npt.NDArray[np.int64]] | Batch:
    """Distinct masks (u, n) float64 and which of them each cell of the block (R, C, h, w) uses."""
    size = ranges[0].num.shape[2:]
    if any(r.num.shape[2:] != size for r in ranges):
        return error(ErrorCode.VALUE)
    for batch in (*ranges, *criteria):
        missing = uncomputed(batch)
        if missing is not None:
            return error(int(missing.max()))
    if any(r.num.shape[0] != 1 or r.num.shape[1] != 1 for r in ranges):
        evaluator.split()
    cells = [(num.reshape(-1), kinds.reshape(-1)) for num, kinds in map(plain, ranges)]
    wanted = [plain(c) for c in criteria]
    shape = np.broadcast_shapes(*[num.shape for num, _ in wanted])
    columns = [np.broadcast_to(x, shape).reshape(-1) for pair in wanted for x in pair]
    distinct, which = np.unique(np.stack(columns, 1), axis=0, return_inverse=True)
    masks = np.ones((len(distinct), cells[0][0].size))
    for row, key in zip(masks, distinct, strict=True):
        for i, (num, kinds) in enumerate(cells):
            row *= meets(num, kinds, float(key[2 * i]), int(key[2 * i + 1]), evaluator.strings)
    return torch.from_numpy(masks), which.reshape(shape).astype(np.int64)


def _pairs_of(evaluator: Evaluator, args: tuple[Value, ...]) -> tuple[list[Batch], list[Batch]]:
    ranges = [evaluator.whole(v) for v in args[::2]]
    return ranges, [evaluator.one(v) for v in args[1::2]]


def _numbers(batch: Batch) -> tuple[Tensor, Tensor, Errors]:
    """Numbers (n,) with 0 elsewhere, which they are, and errors."""
    num = batch.num.reshape(-1)
    kinds = batch.kinds().expand(batch.num.shape).reshape(-1)
    errors = errors_of(batch)
    mask = kinds == int(Kind.NUMBER)
    return torch.where(mask, num, 0.0), mask, None if errors is None else errors.reshape(-1)


def _spread(values: Tensor, which: npt.NDArray[np.int64]) -> Tensor:
    return values[torch.from_numpy(which)]


def _failed(masks: Tensor, errors: Errors, which: npt.NDArray[np.int64]) -> Errors:
    """The first error among the cells that meet the criteria."""
    if errors is None:
        return None
    hit = masks * errors
    if not bool((hit > 0).any()):
        return None
    first = hit.gather(1, (hit > 0).to(torch.uint8).argmax(1, keepdim=True))[:, 0]
    return _spread(first, which)


def _conditional(
    evaluator: Evaluator, summed: Batch | None, args: tuple[Value, ...],
    what: Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor | None]],
) -> Batch:  # fmt: skip
    """Reduce what meets the criteria; `what` gets masks (u, n), numbers (n,), which they are."""
    if len(args) % 2:
        return error(ErrorCode.VALUE)
    ranges, criteria = _pairs_of(evaluator, args)
    found = _masks(evaluator, ranges, criteria)
    if isinstance(found, Batch):
        return found
    masks, which = found
    if summed is None:
        return Batch(_spread(masks.sum(1), which))
    if summed.num.shape[2:] != ranges[0].num.shape[2:]:
        return error(ErrorCode.VALUE)
    if summed.num.shape[0] != 1 or summed.num.shape[1] != 1:
        evaluator.split()
    num, mask, errors = _numbers(summed)
    total, held = what(masks, num, mask)
    failed = _failed(masks, errors, which)
    result = _spread(total, which)
    counts = torch.ones_like(result) if held is None else _spread(held, which)
    return over(result, counts, failed)


def _sum(masks: Tensor, num: Tensor, mask: Tensor) -> tuple[Tensor, Tensor | None]:
    return masks @ num, None


def _mean(masks: Tensor, num: Tensor, mask: Tensor) -> tuple[Tensor, Tensor | None]:
    return masks @ num, masks @ mask.to(torch.float64)


def _extreme(largest: bool) -> Callable[..., tuple[Tensor, Tensor | None]]:
    outside = float("-inf") if largest else float("inf")

    def code(masks: Tensor, num: Tensor, mask: Tensor) -> tuple[Tensor, Tensor | None]:
        wanted = (masks > 0) & mask
        row = torch.where(wanted, num, outside)
        best = row.amax(1) if largest else row.amin(1)
        return torch.where(wanted.any(1), best, 0.0), None

    return code


def _single(
    evaluator: Evaluator, area: Value, criterion: Value, summed: Value | None,
    what: Callable[..., tuple[Tensor, Tensor | None]],
) -> Batch:  # fmt: skip
    """SUMIF and AVERAGEIF: the range summed takes the size of the range tested."""
    if isinstance(area, Area):
        area = evaluator.clipped(area)
    if summed is None:
        summed = area
    elif isinstance(summed, Area) and isinstance(area, Area):
        same = (summed.height, summed.width) == (area.height, area.width)
        summed = Area(summed.sheet, summed.top, summed.left, area.height, area.width,
                      summed.row_step, summed.col_step, summed.dynamic or not same)  # fmt: skip
    return _conditional(evaluator, evaluator.whole(summed), (area, criterion), what)


@function("SUMIF", "range, criteria, [sum_range]", "Sum of the cells that meet a criterion.",
          family=FAMILY, params="rvr", gradient=_CHOSEN)  # fmt: skip
def sumif(
    evaluator: Evaluator, area: Value, criterion: Value, summed: Value | None = None
) -> Batch:
    """Σ where the range meets the criterion."""
    return _single(evaluator, area, criterion, summed, _sum)


@function("AVERAGEIF", "range, criteria, [average_range]",
          "Mean of the cells that meet a criterion.", family=FAMILY, params="rvr",
          gradient=_CHOSEN)  # fmt: skip
def averageif(
    evaluator: Evaluator, area: Value, criterion: Value, summed: Value | None = None
) -> Batch:
    """Mean where the range meets the criterion; #DIV/0! for none."""
    return _single(evaluator, area, criterion, summed, _mean)


@function("COUNTIF", "range, criteria", "How many cells meet a criterion.", family=FAMILY,
          params="rv", gradient=_COUNTED)  # fmt: skip
def countif(evaluator: Evaluator, area: Value, criterion: Value) -> Batch:
    """Count where the range meets the criterion."""
    return _conditional(evaluator, None, (area, criterion), _sum)


@function("COUNTIFS", "range1, criteria1, ...", "How many cells meet all criteria.",
          family=FAMILY, params="r", gradient=_COUNTED)  # fmt: skip
def countifs(evaluator: Evaluator, *args: Value) -> Batch:
    """Count where every range meets its criterion."""
    return _conditional(evaluator, None, args, _sum)


def _enter_many(
    name: str, argument: str, help_: str, what: Callable[..., tuple[Tensor, Tensor | None]]
) -> None:
    @function(name, f"{argument}, range1, criteria1, ...", help_, family=FAMILY, params="r",
              gradient=_CHOSEN)  # fmt: skip
    def run(evaluator: Evaluator, summed: Value, *args: Value) -> Batch:
        whole = evaluator.whole(summed)
        return _conditional(evaluator, whole, args, what)


_enter_many("SUMIFS", "sum_range", "Sum of the cells that meet all criteria.", _sum)
_enter_many("AVERAGEIFS", "average_range", "Mean of the cells that meet all criteria.", _mean)
_enter_many("MINIFS", "min_range", "Smallest cell that meets all criteria.", _extreme(False))
_enter_many("MAXIFS", "max_range", "Largest cell that meets all criteria.", _extreme(True))

