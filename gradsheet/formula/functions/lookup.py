"""Looking values up: INDEX, MATCH and their kin.

Owns the search by Excel's rules; no gradient flows through a place that was searched for, but
it flows through the value that is found there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from gradsheet.formula.areas import Area, Areas, Scatter
from gradsheet.formula.batch import Batch, error, numbers, truths
from gradsheet.formula.functions.search import Keys, find
from gradsheet.formula.functions.table import function
from gradsheet.formula.syntax import Expr, Missing
from gradsheet.formula.values import ErrorCode

if TYPE_CHECKING:
    from gradsheet.formula.evaluate import Evaluator, Value
    from gradsheet.formula.functions.search import Places

FAMILY = "Lookup"
_FOUND = "that of the value found; none through its place"
_PLACE = "none: a place is no number to differentiate by"


def _mode(evaluator: Evaluator, batch: Batch | None, default: int) -> int | None:
    """A mode that is one whole number for the whole block; None for anything else."""
    if batch is None:
        return default
    num, errors = numbers(batch, evaluator.strings)
    if errors is not None:
        return None
    values = np.unique(num.detach().numpy())
    return int(values[0]) if len(values) == 1 else None


def _vector(batch: Batch) -> Batch | None:
    """An array of one row or column as a column; None for a rectangle."""
    if batch.width == 1:
        return batch
    if batch.height == 1:
        return batch.view(lambda x: x.transpose(2, 3))
    return None


def _positions(evaluator: Evaluator, places: Places, wanted: Batch) -> Batch:
    """Places from 1 as numbers, #N/A where nothing was found."""
    values, codes = places
    num = torch.from_numpy(np.where(codes > 0, codes, values + 1.0))
    kind = torch.from_numpy(np.where(codes > 0, 4, 1).astype(np.uint8))
    out = Batch(num, 1 if not codes.any() else kind)
    evaluator.follow(out, wanted)
    return out


@function("MATCH", "lookup_value, lookup_array, [match_type]",
          "Place of a value in a row or column.", family=FAMILY, params="vwv",
          gradient=_PLACE)  # fmt: skip
def match(evaluator: Evaluator, wanted: Batch, array: Batch, kind: Batch | None = None) -> Batch:
    """Place from 1: exact for type 0 (texts may hold * ? ~), last not above for 1 (array
    ascending), last not below for -1 (descending)."""
    mode = _mode(evaluator, kind, 1)
    vector = _vector(array)
    if mode is None:
        return error(ErrorCode.VALUE)
    if vector is None:
        return error(ErrorCode.NA)
    keys = Keys(vector, evaluator.strings)
    how = "wild" if mode == 0 else ("below" if mode > 0 else "above")
    return _positions(evaluator, find(keys, wanted, how, evaluator.strings), wanted)


@function("XMATCH", "lookup_value, lookup_array, [match_mode], [search_mode]",
          "Place of a value in a row or column.", family=FAMILY, params="vwv",
          gradient=_PLACE)  # fmt: skip
def xmatch(
    evaluator: Evaluator, wanted: Batch, array: Batch, mode: Batch | None = None,
    search: Batch | None = None,
) -> Batch:  # fmt: skip
    """Place from 1: exact (0), exact or next smaller (-1), next larger (1), wildcards (2)."""
    places = _xfind(evaluator, wanted, array, mode, search)
    if isinstance(places, Batch):
        return places
    return _positions(evaluator, places, wanted)


def _xfind(
    evaluator: Evaluator, wanted: Batch, array: Batch, mode: Batch | None, search: Batch | None
) -> Places | Batch:
    how = {0: "exact", -1: "next_below", 1: "next_above", 2: "wild"}.get(
        _mode(evaluator, mode, 0) or 0
    )
    direction = _mode(evaluator, search, 1)
    vector = _vector(array)
    if how is None or vector is None or direction not in (1, -1, 2, -2):
        return error(ErrorCode.VALUE)
    keys = Keys(vector, evaluator.strings)
    return find(keys, wanted, how, evaluator.strings, last=direction == -1)


def at_places(
    evaluator: Evaluator, source: Value, down: Places | None, right: Places | None,
    what: str, size: tuple[int, int] = (1, 1),
) -> Value:  # fmt: skip
    """The part of a reference or array at computed rows and columns from its first cell.

    `down` and `right` are (places, codes) that broadcast to (R, C, h, w); None for 0.
    """
    zero = (np.zeros((1, 1, 1, 1)), np.zeros((1, 1, 1, 1)))
    rows, row_codes = down or zero
    cols, col_codes = right or zero
    codes = np.where(row_codes > 0, row_codes, col_codes)
    if isinstance(source, Areas):
        return error(ErrorCode.VALUE)
    if not isinstance(source, Batch) and rows.shape[2:] == cols.shape[2:] == (1, 1):
        return _referred(evaluator, source, rows[..., 0, 0], cols[..., 0, 0],
                         codes[..., 0, 0], size)  # fmt: skip
    batch = evaluator.whole(source)
    return _taken(batch, rows, cols, codes, size)


def _referred(
    evaluator: Evaluator, source: Area | Scatter, rows: np.ndarray, cols: np.ndarray,
    codes: np.ndarray, size: tuple[int, int],
) -> Value:  # fmt: skip
    tops, lefts, errors = evaluator.corners(source)
    height, width = size
    tops = tops + np.where(codes > 0, 0, rows).astype(np.int64)
    lefts = lefts + np.where(codes > 0, 0, cols).astype(np.int64)
    codes = np.where(errors > 0, errors, codes)
    return evaluator.placed(source.sheet, tops, lefts, height, width, codes,
                            dynamic=isinstance(source, Area) and source.dynamic)  # fmt: skip


def _taken(
    batch: Batch, rows: np.ndarray, cols: np.ndarray, codes: np.ndarray, size: tuple[int, int]
) -> Batch:
    """Elements of an array at computed places."""
    height, width = size
    down = rows.astype(np.int64) + np.arange(height)[:, None]
    right = cols.astype(np.int64) + np.arange(width)
    shape = np.broadcast_shapes(down.shape, right.shape, codes.shape, (*batch.num.shape[:2], 1, 1))
    down = np.clip(np.broadcast_to(down, shape), 0, batch.height - 1)
    right = np.clip(np.broadcast_to(right, shape), 0, batch.width - 1)
    r = torch.arange(shape[0])[:, None, None, None] if batch.num.shape[0] > 1 else 0
    c = torch.arange(shape[1])[None, :, None, None] if batch.num.shape[1] > 1 else 0
    i, j = torch.from_numpy(down.copy()), torch.from_numpy(right.copy())
    num = batch.num[r, c, i, j]
    if not codes.any():
        if isinstance(batch.kind, int):
            return Batch(num, batch.kind)
        return Batch(num, batch.kind.expand(batch.num.shape)[r, c, i, j])
    bad = torch.from_numpy(np.broadcast_to(codes, shape).copy())
    kinds = batch.kinds().expand(batch.num.shape)[r, c, i, j]
    kinds = torch.where(bad > 0, 4, kinds).to(torch.uint8)
    return Batch(torch.where(bad > 0, bad, num), kinds)


@function("INDEX", "array, row_num, [column_num], [area_num]",
          "The value (or reference) at a row and column of an array.", family=FAMILY,
          params="rvvv", gradient=_FOUND)  # fmt: skip
def index(
    evaluator: Evaluator, source: Value, row: Batch, col: Batch | None = None,
    area: Batch | None = None,
) -> Value:  # fmt: skip
    """Element by row and column from 1; a whole row or column for 0; #REF! outside."""
    if isinstance(source, Areas):
        number = _mode(evaluator, area, 1)
        if number is None or not 1 <= number <= len(source.parts):
            return error(ErrorCode.REF)
        source = source.parts[number - 1]
    if isinstance(source, Area):
        source = evaluator.clipped(source)
    height, width = source.height, source.width
    rows, row_codes = evaluator.integers(row, "The row in INDEX")
    if col is None and height == 1 and width > 1:
        rows, row_codes, cols, col_codes = np.ones((1, 1, 1, 1)), row_codes * 0, rows, row_codes
    elif col is None:
        cols, col_codes = (np.ones if width == 1 else np.zeros)((1, 1, 1, 1)), row_codes * 0
    else:
        cols, col_codes = evaluator.integers(col, "The column in INDEX")
    all_rows, all_cols = bool((rows == 0).all()), bool((cols == 0).all())
    if (not all_rows and (rows == 0).any()) or (not all_cols and (cols == 0).any()):
        evaluator.split()
    codes = np.where(row_codes > 0, row_codes, col_codes)
    outside = (rows < 0) | (cols < 0) | (rows > height) | (cols > width)
    negative = (rows < 0) | (cols < 0)
    codes = np.where(codes > 0, codes, np.where(negative, float(ErrorCode.VALUE),
                                                np.where(outside, float(ErrorCode.REF), 0.0)))
    size = (height if all_rows else 1, width if all_cols else 1)
    down = np.zeros_like(rows) if all_rows else rows - 1
    right = np.zeros_like(cols) if all_cols else cols - 1
    none = np.zeros((1, 1, 1, 1))
    return at_places(evaluator, source, (down, codes), (right, none), "INDEX", size)


def _table_lookup(
    evaluator: Evaluator, wanted: Batch, table: Value, number: Batch, mode: Batch | None,
    vertical: bool,
) -> Value:  # fmt: skip
    if isinstance(table, Areas):
        return error(ErrorCode.VALUE)
    if isinstance(table, Area):
        table = evaluator.clipped(table)
    what = "The column in VLOOKUP" if vertical else "The row in HLOOKUP"
    places, codes = evaluator.integers(number, what)
    extent = table.width if vertical else table.height
    codes = np.where(codes > 0, codes, np.where(
        places < 1, float(ErrorCode.VALUE), np.where(places > extent, float(ErrorCode.REF), 0.0)
    ))  # fmt: skip
    keys = evaluator.whole(table)
    first = keys.view(lambda x: x[..., :1] if vertical else x[:, :, :1].transpose(2, 3))
    near = True
    if mode is not None:
        mask, _ = truths(mode, evaluator.strings)
        near = bool(mask.all())
    evaluator.refuse_gradient(wanted, "The value looked up")
    found = find(Keys(first, evaluator.strings), wanted, "below" if near else "wild",
                 evaluator.strings)  # fmt: skip
    across = (places - 1, codes)
    down, right = (found, across) if vertical else (across, found)
    return at_places(evaluator, table, down, right, what)


@function("VLOOKUP", "lookup_value, table_array, col_index_num, [range_lookup]",
          "The value in another column of the row that holds a value.", family=FAMILY,
          params="vrvv", gradient=_FOUND)  # fmt: skip
def vlookup(
    evaluator: Evaluator, wanted: Batch, table: Value, col: Batch, near: Batch | None = None
) -> Value:
    """Value of a column where the first column has the value (or the last not above it)."""
    return _table_lookup(evaluator, wanted, table, col, near, True)


@function("HLOOKUP", "lookup_value, table_array, row_index_num, [range_lookup]",
          "The value in another row of the column that holds a value.", family=FAMILY,
          params="vrvv", gradient=_FOUND)  # fmt: skip
def hlookup(
    evaluator: Evaluator, wanted: Batch, table: Value, row: Batch, near: Batch | None = None
) -> Value:
    """Value of a row where the first row has the value (or the last not above it)."""
    return _table_lookup(evaluator, wanted, table, row, near, False)


@function("LOOKUP", "lookup_value, lookup_vector, [result_vector]",
          "The value beside the last one that is not above.", family=FAMILY, params="vrr",
          gradient=_FOUND)  # fmt: skip
def lookup(
    evaluator: Evaluator, wanted: Batch, vector: Value, results: Value | None = None
) -> Value:
    """Value beside the last key not above the one wanted; keys ascend."""
    keys = evaluator.whole(vector)
    if results is None:
        across = keys.width > keys.height
        first = keys.view(lambda x: x[:, :, :1].transpose(2, 3) if across else x[..., :1])
        evaluator.refuse_gradient(wanted, "The value looked up")
        found = find(Keys(first, evaluator.strings), wanted, "below", evaluator.strings)
        last = np.full((1, 1, 1, 1), float((keys.height if across else keys.width) - 1))
        edge = (last, np.zeros((1, 1, 1, 1)))
        down, right = (edge, found) if across else (found, edge)
        return at_places(evaluator, vector, down, right, "LOOKUP")
    column = _vector(keys)
    if column is None:
        return error(ErrorCode.NA)
    evaluator.refuse_gradient(wanted, "The value looked up")
    found = find(Keys(column, evaluator.strings), wanted, "below", evaluator.strings)
    return _along(evaluator, results, found)


def _along(evaluator: Evaluator, results: Value, found: Places) -> Value:
    if isinstance(results, Areas):
        return error(ErrorCode.VALUE)
    if results.width == 1:
        return at_places(evaluator, results, found, None, "a lookup")
    return at_places(evaluator, results, None, found, "a lookup")


@function("XLOOKUP",
          "lookup_value, lookup_array, return_array, [if_not_found], [match_mode], [search_mode]",
          "The value beside the one that is looked for.", family=FAMILY, params="vrrevv",
          gradient=_FOUND)  # fmt: skip
def xlookup(
    evaluator: Evaluator, wanted: Batch, array: Value, results: Value,
    instead: Expr | None = None, mode: Batch | None = None, search: Batch | None = None,
) -> Value:  # fmt: skip
    """Value (or row, or column) of the results where the keys hold the value wanted."""
    keys = evaluator.whole(array)
    places = _xfind(evaluator, wanted, keys, mode, search)
    if isinstance(places, Batch):
        return places
    evaluator.refuse_gradient(wanted, "The value looked up")
    if isinstance(results, Area):
        results = evaluator.clipped(results)
    if isinstance(results, Areas):
        return error(ErrorCode.VALUE)
    if (keys.height if keys.width == 1 else keys.width) != (
        results.height if keys.width == 1 else results.width
    ):
        return error(ErrorCode.VALUE)
    vertical = keys.width == 1 and keys.height == results.height
    if vertical:
        found = at_places(evaluator, results, places, None, "XLOOKUP", (1, results.width))
    else:
        found = at_places(evaluator, results, None, places, "XLOOKUP", (results.height, 1))
    if instead is None or isinstance(instead, Missing) or not places[1].any():
        return found
    from gradsheet.formula.batch import aligned, chosen

    none = torch.from_numpy(places[1] == float(ErrorCode.NA))
    mask, yes, no = aligned([Batch(none), evaluator.batch(instead), evaluator.one(found)])
    return chosen(mask.num.to(torch.bool), yes, no)
