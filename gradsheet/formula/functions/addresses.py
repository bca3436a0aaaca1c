"""References that are computed, and the places of references.

Owns OFFSET and INDIRECT, whose targets are found when they run, and ROW, COLUMN and their kin,
which take an address and not a value.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import torch

from gradsheet.formula.address import column_name
from gradsheet.formula.areas import Area, Areas
from gradsheet.formula.batch import Batch, constant, error, plain, truths
from gradsheet.formula.functions.table import function
from gradsheet.formula.values import ErrorCode

if TYPE_CHECKING:
    from gradsheet.formula.evaluate import Evaluator, Value

FAMILY = "Lookup"
_ROW_AND_COLUMN = re.compile(r"[Rr](\d{1,7})[Cc](\d{1,5})")
_FOUND = "that of the value found; none through its place"
_PLACE = "none: a place is no number to differentiate by"


@function("OFFSET", "reference, rows, cols, [height], [width]",
          "A reference moved by rows and columns.", family=FAMILY, params="rvvvv",
          gradient=_FOUND)  # fmt: skip
def offset(
    evaluator: Evaluator, base: Value, rows: Batch, cols: Batch, height: Batch | None = None,
    width: Batch | None = None,
) -> Value:  # fmt: skip
    """Reference of the same or a given size, moved; #REF! off the sheet."""
    if isinstance(base, (Batch, Areas)):
        return base if isinstance(base, Batch) and base.is_only(4) else error(ErrorCode.VALUE)
    down, row_codes = evaluator.integers(rows, "The row offset in OFFSET")
    right, col_codes = evaluator.integers(cols, "The column offset in OFFSET")
    tall = _extent(evaluator, height, base.height)
    wide = _extent(evaluator, width, base.width)
    if tall == 0 or wide == 0:
        return error(ErrorCode.REF)
    tops, lefts, errors = evaluator.corners(base)
    if (down.ndim == 4 and down.shape[2:] != (1, 1)) or right.shape[2:] != (1, 1):
        return error(ErrorCode.VALUE)
    tops = tops + down[..., 0, 0].astype(np.int64) + min(0, tall + 1)
    lefts = lefts + right[..., 0, 0].astype(np.int64) + min(0, wide + 1)
    codes = np.where(row_codes > 0, row_codes, col_codes)[..., 0, 0]
    codes = np.where(errors > 0, errors, codes)
    return evaluator.placed(base.sheet, tops, lefts, abs(tall), abs(wide), codes, dynamic=True)


def _extent(evaluator: Evaluator, batch: Batch | None, default: int) -> int:
    if batch is None or batch.is_only(0):
        return default
    places, codes = evaluator.integers(batch, "The size in OFFSET")
    if codes.any() or not (places == places.flat[0]).all():
        evaluator.split()
    return 0 if codes.any() else int(places.flat[0])


@function("INDIRECT", "ref_text, [a1]", "The reference that a text spells.", family=FAMILY,
          params="vv", gradient=_FOUND)  # fmt: skip
def indirect(evaluator: Evaluator, text: Batch, a1: Batch | None = None) -> Value:
    """Reference by its text; #REF! for a text that spells none."""
    evaluator.refuse_gradient(text, "The text in INDIRECT")
    by_number = a1 is not None and not bool(truths(a1, evaluator.strings)[0].all())
    num, kinds = plain(text)
    if not ((num == num.flat[0]).all() and (kinds == kinds.flat[0]).all()):
        evaluator.split()
    if int(kinds.flat[0]) == 4:
        return error(int(num.flat[0]))
    if int(kinds.flat[0]) != 2:
        return error(ErrorCode.REF)
    spelled = evaluator.strings.text(int(num.flat[0]))
    if not by_number:
        return evaluator.spelled(spelled)
    cell = _ROW_AND_COLUMN.fullmatch(spelled.strip())
    if cell is None or int(cell[1]) < 1 or int(cell[2]) < 1:
        return error(ErrorCode.REF)
    return evaluator.spelled(f"{column_name(int(cell[2]) - 1)}{int(cell[1])}")


def _numbers_of_lines(evaluator: Evaluator, value: Value | None, by_row: bool) -> Batch:
    part = evaluator.part
    if value is None:
        first, count, step = (
            (part.top, part.rows, part.row_stride)
            if by_row
            else (part.left, part.cols, part.col_stride)
        )
        line = 1.0 + first + step * torch.arange(count, dtype=torch.float64)
        return Batch(line[:, None, None, None] if by_row else line[None, :, None, None])
    if isinstance(value, Batch):
        return value if value.is_only(4) else error(ErrorCode.VALUE)
    if isinstance(value, Areas):
        return error(ErrorCode.VALUE)
    tops, lefts, codes = evaluator.corners(value)
    if codes.any():
        return error(ErrorCode.REF)
    if isinstance(value, Area):
        value = evaluator.clipped(value)
    if by_row:
        rows = torch.from_numpy(tops.astype(np.float64))[:, :, None, None] + 1.0
        return Batch(rows + torch.arange(value.height, dtype=torch.float64)[:, None])
    cols = torch.from_numpy(lefts.astype(np.float64))[:, :, None, None] + 1.0
    return Batch(cols + torch.arange(value.width, dtype=torch.float64))


@function("ROW", "[reference]", "Row number of a reference, or of the cell itself.",
          family=FAMILY, params="r", gradient=_PLACE)  # fmt: skip
def row(evaluator: Evaluator, value: Value | None = None) -> Batch:
    """Row numbers from 1."""
    return _numbers_of_lines(evaluator, value, True)


@function("COLUMN", "[reference]", "Column number of a reference, or of the cell itself.",
          family=FAMILY, params="r", gradient=_PLACE)  # fmt: skip
def column(evaluator: Evaluator, value: Value | None = None) -> Batch:
    """Column numbers from 1."""
    return _numbers_of_lines(evaluator, value, False)


@function("AREAS", "reference", "How many areas a reference has.", family=FAMILY, params="r",
          gradient=_PLACE)  # fmt: skip
def areas(evaluator: Evaluator, value: Value) -> Batch:
    """Count of areas."""
    if isinstance(value, Batch):
        return value if value.is_only(4) else error(ErrorCode.VALUE)
    return constant(float(len(value.parts)) if isinstance(value, Areas) else 1.0, evaluator.strings)


@function("ISREF", "value", "Whether a value is a reference.", family=FAMILY, params="r",
          gradient=_PLACE)  # fmt: skip
def isref(evaluator: Evaluator, value: Value) -> Batch:
    """Whether the argument names cells."""
    return constant(not isinstance(value, Batch), evaluator.strings)


@function("ROWS", "array", "How many rows an array has.", family=FAMILY, params="r",
          gradient=_PLACE)  # fmt: skip
def rows(evaluator: Evaluator, value: Value) -> Batch:
    """Count of rows."""
    if isinstance(value, Areas):
        return error(ErrorCode.REF)
    if isinstance(value, Batch) and value.is_only(4):
        return value
    return constant(float(value.height), evaluator.strings)


@function("COLUMNS", "array", "How many columns an array has.", family=FAMILY, params="r",
          gradient=_PLACE)  # fmt: skip
def columns(evaluator: Evaluator, value: Value) -> Batch:
    """Count of columns."""
    if isinstance(value, Areas):
        return error(ErrorCode.REF)
    if isinstance(value, Batch) and value.is_only(4):
        return value
    return constant(float(value.width), evaluator.strings)
