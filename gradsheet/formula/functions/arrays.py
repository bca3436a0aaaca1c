"""Functions that make or rearrange arrays.

Owns SEQUENCE and the stacking, filtering and sorting of arrays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gradsheet.formula.batch import Batch, error, numbered, numbers, plain, truths
from gradsheet.formula.functions.search import key_of
from gradsheet.formula.functions.table import function
from gradsheet.formula.values import ErrorCode, Strings

if TYPE_CHECKING:
    from gradsheet.formula.evaluate import Evaluator

FAMILY = "Arrays"
_MOVED = "that of the numbers, wherever they go"


@function("SEQUENCE", "rows, [columns], [start], [step]", "Numbers at equal distances.",
          family=FAMILY, gradient="smooth in start and step")  # fmt: skip
def sequence(evaluator: Evaluator, *args: Batch) -> Batch:
    """start, start + step, ... row by row."""
    rows, cols = (
        evaluator.size(args[i], "SEQUENCE") if i < len(args) and not args[i].is_only(0) else 1
        for i in (0, 1)
    )
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


def _kinds(batch: Batch) -> torch.Tensor:
    return batch.kinds().expand(batch.num.shape)


def _stacked(batches: tuple[Batch, ...], dim: int) -> Batch:
    """Arrays below or beside each other; what is missing is #N/A."""
    other = 5 - dim
    size = max(batch.num.shape[other] for batch in batches)
    rows = max(batch.num.shape[0] for batch in batches)
    cols = max(batch.num.shape[1] for batch in batches)
    nums, kinds = [], []
    for batch in batches:
        missing = size - batch.num.shape[other]
        pad = (0, missing, 0, 0) if other == 3 else (0, 0, 0, missing)
        num = batch.num.expand(rows, cols, -1, -1)
        kind = _kinds(batch).expand(rows, cols, -1, -1)
        nums.append(torch.nn.functional.pad(num, pad, value=float(ErrorCode.NA)))
        kinds.append(torch.nn.functional.pad(kind, pad, value=4))
    kind = torch.cat(kinds, dim)
    return Batch(torch.cat(nums, dim), torch.where(kind == 0, 1, kind).to(torch.uint8))


@function("VSTACK", "array1, [array2], ...", "Arrays below each other.", family=FAMILY,
          params="a", gradient=_MOVED)  # fmt: skip
def vstack(evaluator: Evaluator, *batches: Batch) -> Batch:
    """Rows of all arrays."""
    return _stacked(batches, 2)


@function("HSTACK", "array1, [array2], ...", "Arrays beside each other.", family=FAMILY,
          params="a", gradient=_MOVED)  # fmt: skip
def hstack(evaluator: Evaluator, *batches: Batch) -> Batch:
    """Columns of all arrays."""
    return _stacked(batches, 3)


def _kept(evaluator: Evaluator, batch: Batch, args: tuple[Batch, ...], takes: bool) -> Batch:
    spans = []
    for i, extent in enumerate((batch.height, batch.width)):
        if i >= len(args) or args[i].is_only(0):
            spans.append(slice(0, extent))
            continue
        places, codes = evaluator.integers(args[i], "The size in TAKE or DROP")
        if codes.any() or not (places == places.flat[0]).all():
            evaluator.split()
        n = int(places.flat[0])
        if takes:
            spans.append(slice(0, n) if n > 0 else slice(max(0, extent + n), extent))
        else:
            spans.append(slice(n, extent) if n >= 0 else slice(0, extent + n))
    if any(len(range(*s.indices(e))) == 0 for s, e in zip(spans, batch.num.shape[2:], strict=True)):
        return error(ErrorCode.CALC)
    return batch.view(lambda x: x[:, :, spans[0], spans[1]])


@function("TAKE", "array, rows, [columns]", "The first or last rows and columns.",
          family=FAMILY, params="avv", gradient=_MOVED)  # fmt: skip
def take(evaluator: Evaluator, batch: Batch, *args: Batch) -> Batch:
    """Part of an array; negative counts are from the end."""
    return _kept(evaluator, batch, args, True)


@function("DROP", "array, rows, [columns]", "All but the first or last rows and columns.",
          family=FAMILY, params="avv", gradient=_MOVED)  # fmt: skip
def drop(evaluator: Evaluator, batch: Batch, *args: Batch) -> Batch:
    """Rest of an array; negative counts are from the end."""
    return _kept(evaluator, batch, args, False)


def _in_line(evaluator: Evaluator, batch: Batch, args: tuple[Batch, ...]) -> Batch:
    """All values in a row, row by row or column by column, without blanks or errors if asked."""
    ignored = evaluator.size(args[0], "TOCOL") if args and not args[0].is_only(0) else 0
    if not 0 <= ignored <= 3:
        return error(ErrorCode.VALUE)
    if len(args) > 1 and bool(truths(args[1], evaluator.strings)[0].any()):
        batch = batch.view(lambda x: x.transpose(2, 3))
    row = batch.view(lambda x: x.flatten(2)[:, :, None])
    if ignored:
        _one_cell(evaluator, row)
        kinds = _kinds(row)[0, 0, 0]
        dropped = torch.zeros_like(kinds, dtype=torch.bool)
        if ignored in (1, 3):
            dropped |= kinds == 0
        if ignored in (2, 3):
            dropped |= kinds == 4
        lines = [i for i, drops in enumerate(dropped.tolist()) if not drops]
        return _picked(row, lines, False) if lines else error(ErrorCode.CALC)
    return row


@function("TOCOL", "array, [ignore], [scan_by_column]", "An array as one column.", family=FAMILY,
          params="avv", gradient=_MOVED)  # fmt: skip
def tocol(evaluator: Evaluator, batch: Batch, *args: Batch) -> Batch:
    """All values in a column; ignore 1 blanks, 2 errors, 3 both."""
    row = _in_line(evaluator, batch, args)
    return row.view(lambda x: x.transpose(2, 3))


@function("TOROW", "array, [ignore], [scan_by_column]", "An array as one row.", family=FAMILY,
          params="avv", gradient=_MOVED)  # fmt: skip
def torow(evaluator: Evaluator, batch: Batch, *args: Batch) -> Batch:
    """All values in a row; ignore 1 blanks, 2 errors, 3 both."""
    return _in_line(evaluator, batch, args)


def _picked(batch: Batch, lines: list[int], by_rows: bool) -> Batch:
    """Rows or columns by their numbers."""
    places = torch.tensor(lines)
    return batch.view(lambda x: x.index_select(2 if by_rows else 3, places))


def _one_cell(evaluator: Evaluator, batch: Batch) -> None:
    """Arrays that differ from cell to cell are computed cell by cell."""
    if batch.num.shape[0] * batch.num.shape[1] > 1:
        evaluator.split()


@function("FILTER", "array, include, [if_empty]", "The rows or columns that meet a condition.",
          family=FAMILY, params="aaa", gradient=_MOVED)  # fmt: skip
def filter_(
    evaluator: Evaluator, batch: Batch, include: Batch, instead: Batch | None = None
) -> Batch:
    """Rows (or columns) where the condition holds; #CALC! for none."""
    _one_cell(evaluator, batch)
    _one_cell(evaluator, include)
    evaluator.refuse_gradient(include, "The condition in FILTER")
    mask, errors = truths(include, evaluator.strings)
    if errors is not None:
        return error(int(errors.max()))
    by_rows = include.width == 1 and include.height == batch.height
    if not by_rows and not (include.height == 1 and include.width == batch.width):
        return error(ErrorCode.VALUE)
    lines = [i for i, held in enumerate(mask.reshape(-1).tolist()) if held]
    if not lines:
        return error(ErrorCode.CALC) if instead is None else instead
    return _picked(batch, lines, by_rows)


def _sort_key(value: float, kind: int, strings: Strings) -> tuple[int, float | str]:
    order = {1: 0, 0: 4, 2: 1, 3: 2, 4: 3}[kind]
    return order, key_of(value, kind, strings)


def _order(
    evaluator: Evaluator, keys: list[tuple[Batch, bool]], by_rows: bool
) -> list[int]:
    """Numbers of the lines in the order of the keys, later keys deciding ties; stable."""
    count = keys[0][0].height if by_rows else keys[0][0].width
    lines = list(range(count))
    for batch, descending in reversed(keys):
        evaluator.refuse_gradient(batch, "The order in SORT")
        num, kinds = plain(batch)
        pairs = list(zip(num.reshape(-1).tolist(), kinds.reshape(-1).tolist(), strict=True))
        ranks = [_sort_key(v, k, evaluator.strings) for v, k in pairs]
        lines.sort(key=ranks.__getitem__, reverse=descending)
    return lines


@function("SORT", "array, [sort_index], [sort_order], [by_col]", "An array in order.",
          family=FAMILY, params="avvv", gradient=_MOVED)  # fmt: skip
def sort(evaluator: Evaluator, batch: Batch, *args: Batch) -> Batch:
    """Rows (or columns) in the order of one of them; numbers before texts before TRUE."""
    _one_cell(evaluator, batch)
    index = evaluator.size(args[0], "SORT") if args and not args[0].is_only(0) else 1
    order = evaluator.size(args[1], "SORT") if len(args) > 1 and not args[1].is_only(0) else 1
    by_rows = len(args) < 3 or not bool(truths(args[2], evaluator.strings)[0].any())
    if not 1 <= index <= (batch.width if by_rows else batch.height) or order not in (1, -1):
        return error(ErrorCode.VALUE)
    key = batch.view(
        lambda x: x[..., index - 1 : index] if by_rows else x[:, :, index - 1 : index]
    )
    return _picked(batch, _order(evaluator, [(key, order < 0)], by_rows), by_rows)


@function("SORTBY", "array, by_array1, [sort_order1], ...", "An array in the order of others.",
          family=FAMILY, params="a", gradient=_MOVED)  # fmt: skip
def sortby(evaluator: Evaluator, batch: Batch, *args: Batch) -> Batch:
    """Rows (or columns) in the order of keys of the same length."""
    _one_cell(evaluator, batch)
    by_rows = args[0].width == 1
    keys = []
    for i in range(0, len(args), 2):
        length = args[i].height if by_rows else args[i].width
        if length != (batch.height if by_rows else batch.width):
            return error(ErrorCode.VALUE)
        order = evaluator.size(args[i + 1], "SORTBY") if i + 1 < len(args) else 1
        keys.append((args[i], order < 0))
    return _picked(batch, _order(evaluator, keys, by_rows), by_rows)


@function("UNIQUE", "array, [by_col], [exactly_once]", "The different rows or columns.",
          family=FAMILY, params="avv", gradient=_MOVED)  # fmt: skip
def unique(evaluator: Evaluator, batch: Batch, *args: Batch) -> Batch:
    """First of equal rows (or columns), or those that occur once."""
    _one_cell(evaluator, batch)
    evaluator.refuse_gradient(batch, "The array in UNIQUE")
    by_rows = not args or not bool(truths(args[0], evaluator.strings)[0].any())
    once = len(args) > 1 and bool(truths(args[1], evaluator.strings)[0].any())
    num, kinds = plain(batch if by_rows else batch.view(lambda x: x.transpose(2, 3)))
    seen: dict[tuple[tuple[int, float | str], ...], list[int]] = {}
    for i in range(num.shape[2]):
        line = zip(num[0, 0, i].tolist(), kinds[0, 0, i].tolist(), strict=True)
        key = tuple((k, key_of(v, k, evaluator.strings)) for v, k in line)
        seen.setdefault(key, []).append(i)
    lines = [at[0] for at in seen.values() if not once or len(at) == 1]
    return _picked(batch, lines, by_rows) if lines else error(ErrorCode.CALC)
