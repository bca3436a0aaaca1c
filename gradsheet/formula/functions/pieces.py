"""Texts and arrays cut into pieces, and put into other shapes.

Owns TEXTBEFORE, TEXTSPLIT and their kin, CHOOSECOLS, WRAPROWS and EXPAND.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import torch

from gradsheet.formula.batch import Batch, error, number_of, plain, text_of, truths
from gradsheet.formula.functions.table import function
from gradsheet.formula.functions.text import text
from gradsheet.formula.values import ErrorCode, Scalar, pack, unpack

if TYPE_CHECKING:
    from gradsheet.formula.evaluate import Evaluator

ARRAYS, TEXTS = "Arrays", "Texts"
_MOVED = "that of the numbers, wherever they go"
_NONE = "none: a text has no slope"


# ------------------------------------------------------------------ arrays


def _lines(
    evaluator: Evaluator, batch: Batch, numbers: tuple[Batch, ...], by_rows: bool, name: str
) -> Batch:
    extent = batch.height if by_rows else batch.width
    chosen: list[int] = []
    for number in numbers:
        places, codes = evaluator.integers(number, f"The line in {name}")
        if places.shape[0] * places.shape[1] > 1:
            evaluator.split()
        if codes.any():
            return error(int(codes.max()))
        chosen += [int(place) for place in places.ravel()]
    if any(not 1 <= abs(place) <= extent for place in chosen):
        return error(ErrorCode.VALUE)
    lines = torch.tensor([place - 1 if place > 0 else extent + place for place in chosen])
    return batch.view(lambda x: x.index_select(2 if by_rows else 3, lines))


@function("CHOOSEROWS", "array, row_num1, [row_num2], ...", "Rows by their numbers.",
          family=ARRAYS, params="aa", gradient=_MOVED)  # fmt: skip
def chooserows(evaluator: Evaluator, batch: Batch, *numbers: Batch) -> Batch:
    """Rows in the order asked for; negative numbers count from the end."""
    return _lines(evaluator, batch, numbers, True, "CHOOSEROWS")


@function("CHOOSECOLS", "array, col_num1, [col_num2], ...", "Columns by their numbers.",
          family=ARRAYS, params="aa", gradient=_MOVED)  # fmt: skip
def choosecols(evaluator: Evaluator, batch: Batch, *numbers: Batch) -> Batch:
    """Columns in the order asked for; negative numbers count from the end."""
    return _lines(evaluator, batch, numbers, False, "CHOOSECOLS")


def _padded(batch: Batch, down: int, right: int, pad: Batch | None) -> Batch:
    """An array with more rows and columns, of the pad's value or #N/A."""
    value, kind = float(ErrorCode.NA), 4
    if pad is not None and not pad.is_only(0):
        given, given_kinds = plain(pad)
        value, kind = float(given.flat[0]), int(given_kinds.flat[0])
    space = (0, right, 0, down)
    num = torch.nn.functional.pad(batch.num, space, value=value)
    kinds = batch.kinds().expand(batch.num.shape)
    return Batch(num, torch.nn.functional.pad(kinds, space, value=kind))


@function("EXPAND", "array, rows, [columns], [pad_with]", "An array made larger.",
          family=ARRAYS, params="avvv", gradient=_MOVED)  # fmt: skip
def expand(evaluator: Evaluator, batch: Batch, *args: Batch) -> Batch:
    """Array with #N/A, or a value, in what is added; #VALUE! for fewer lines than it has."""
    sizes = [
        evaluator.size(args[i], "EXPAND") if i < len(args) and not args[i].is_only(0) else have
        for i, have in enumerate((batch.height, batch.width))
    ]
    down, right = sizes[0] - batch.height, sizes[1] - batch.width
    if down < 0 or right < 0:
        return error(ErrorCode.VALUE)
    return _padded(batch, down, right, args[2] if len(args) > 2 else None)


def _wrapped(
    evaluator: Evaluator, batch: Batch, count: Batch, pad: Batch | None, by_rows: bool
) -> Batch:
    if 1 not in (batch.height, batch.width):
        return error(ErrorCode.VALUE)
    each = evaluator.size(count, "WRAPROWS" if by_rows else "WRAPCOLS")
    if each < 1:
        return error(ErrorCode.NUM)
    length = batch.height * batch.width
    each = min(each, length) if length < each and pad is None else each
    row = batch.view(lambda x: x.flatten(2)[:, :, None])
    full = _padded(row, 0, -length % each, pad)
    return full.view(
        lambda x: x.reshape(*x.shape[:2], -1, each) if by_rows
        else x.reshape(*x.shape[:2], -1, each).transpose(2, 3)
    )  # fmt: skip


@function("WRAPROWS", "vector, wrap_count, [pad_with]", "A row or column as rows of a length.",
          family=ARRAYS, params="avv", gradient=_MOVED)  # fmt: skip
def wraprows(evaluator: Evaluator, batch: Batch, count: Batch, pad: Batch | None = None) -> Batch:
    """Rows of so many values, the last one filled up."""
    return _wrapped(evaluator, batch, count, pad, True)


@function("WRAPCOLS", "vector, wrap_count, [pad_with]", "A row or column as columns of a length.",
          family=ARRAYS, params="avv", gradient=_MOVED)  # fmt: skip
def wrapcols(evaluator: Evaluator, batch: Batch, count: Batch, pad: Batch | None = None) -> Batch:
    """Columns of so many values, the last one filled up."""
    return _wrapped(evaluator, batch, count, pad, False)


# ------------------------------------------------------------------ texts


def _cut(
    given: Scalar, delimiter: Scalar, instance: Scalar, mode: Scalar, at_end: Scalar,
    missing: Scalar, before: bool,
) -> Scalar:  # fmt: skip
    whole, mark = text_of(given), text_of(delimiter)
    numbers = [1.0 if instance is None else number_of(instance), number_of(mode), number_of(at_end)]
    for number in numbers:
        if isinstance(number, ErrorCode):
            return number
    which, fold, ends = (int(number) for number in numbers)
    if which == 0 or abs(which) > max(len(whole), 1):
        return ErrorCode.VALUE
    if not mark:
        found = [(0, 0)] if which > 0 else [(len(whole), len(whole))]
    else:
        flags = re.IGNORECASE if fold else 0
        found = [m.span() for m in re.finditer(re.escape(mark), whole, flags)]
        if ends:
            found = [*found, (len(whole), len(whole))] if which > 0 else [(0, 0), *found]
    place = which - 1 if which > 0 else len(found) + which
    if not 0 <= place < len(found):
        return ErrorCode.NA if missing is None else missing
    start, end = found[place]
    return whole[:start] if before else whole[end:]


_CUT = "text, delimiter, [instance_num], [match_mode], [match_end], [if_not_found]"


@text("TEXTBEFORE", _CUT, "What stands before a delimiter.")
def textbefore(
    given: Scalar, delimiter: Scalar, instance: Scalar = None, mode: Scalar = 0.0,
    at_end: Scalar = 0.0, missing: Scalar = None,
) -> Scalar:  # fmt: skip
    """Text before the n-th delimiter, from the end for negative n; #N/A without it."""
    return _cut(given, delimiter, instance, mode, at_end, missing, True)


@text("TEXTAFTER", _CUT, "What stands after a delimiter.")
def textafter(
    given: Scalar, delimiter: Scalar, instance: Scalar = None, mode: Scalar = 0.0,
    at_end: Scalar = 0.0, missing: Scalar = None,
) -> Scalar:  # fmt: skip
    """Text after the n-th delimiter, from the end for negative n; #N/A without it."""
    return _cut(given, delimiter, instance, mode, at_end, missing, False)


def _marks(evaluator: Evaluator, batch: Batch | None) -> list[str]:
    if batch is None or batch.is_only(0):
        return []
    num, kinds = plain(batch)
    pairs = zip(num.ravel().tolist(), kinds.ravel().tolist(), strict=True)
    return [text_of(unpack(value, kind, evaluator.strings)) for value, kind in pairs]


def _split(whole: str, marks: list[str], fold: bool, skips_empty: bool) -> list[str]:
    if not marks:
        return [whole]
    pattern = "|".join(re.escape(mark) for mark in sorted(marks, key=len, reverse=True))
    parts = re.split(pattern, whole, flags=re.IGNORECASE if fold else 0)
    return [part for part in parts if part or not skips_empty]


@function("TEXTSPLIT", "text, col_delimiter, [row_delimiter], [ignore_empty], [match_mode], "
          "[pad_with]", "A text as an array of its parts.", family=TEXTS, params="vaavvv",
          gradient=_NONE)  # fmt: skip
def textsplit(
    evaluator: Evaluator, given: Batch, columns: Batch, rows: Batch | None = None, *more: Batch
) -> Batch:
    """Parts between delimiters, rows and columns; short rows are filled with #N/A."""
    if given.num.numel() > 1:
        evaluator.split()
    num, kinds = plain(given)
    if kinds.flat[0] == 4:
        return error(int(num.flat[0]))
    whole = text_of(unpack(float(num.flat[0]), int(kinds.flat[0]), evaluator.strings))
    across, down = _marks(evaluator, columns), _marks(evaluator, rows)
    if not (across or down) or "" in across or "" in down:
        return error(ErrorCode.VALUE)
    skips = len(more) > 0 and bool(truths(more[0], evaluator.strings)[0].any())
    fold = len(more) > 1 and bool(truths(more[1], evaluator.strings)[0].any())
    lines = [_split(line, across, fold, skips) for line in _split(whole, down, fold, skips)]
    width = max((len(line) for line in lines), default=0)
    if not width:
        return error(ErrorCode.CALC)
    pad: tuple[float, int] = (float(ErrorCode.NA), 4)
    if len(more) > 2 and not more[2].is_only(0):
        value, kind = plain(more[2])
        pad = (float(value.flat[0]), int(kind.flat[0]))
    cells = [
        [*(pack(part, evaluator.strings) for part in line), *[pad] * (width - len(line))]
        for line in lines
    ]
    found = np.array([[cell[0] for cell in line] for line in cells])
    marked = np.array([[int(cell[1]) for cell in line] for line in cells], np.uint8)
    return Batch(torch.from_numpy(found)[None, None], torch.from_numpy(marked)[None, None])
