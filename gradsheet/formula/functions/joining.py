"""Texts joined from many cells.

Owns CONCAT, CONCATENATE and TEXTJOIN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from gradsheet.formula.batch import (
    TEXT,
    Batch,
    Errors,
    by_host,
    earlier,
    error,
    numbered,
    plain,
    text_of,
)
from gradsheet.formula.functions.samples import batches_of
from gradsheet.formula.functions.table import function
from gradsheet.formula.values import ErrorCode, unpack

if TYPE_CHECKING:
    from gradsheet.formula.evaluate import Evaluator, Value

FAMILY = "Texts"
_NONE = "none: a text has no slope"
_LONGEST = 32_767


def _parts(
    evaluator: Evaluator, values: tuple[Value, ...], blank_too: bool
) -> tuple[list[list[str]], tuple[int, int], Errors]:
    """For each cell of the block the texts of all values, row by row, and errors."""
    lists: list[list[str]] = []
    shape = (1, 1)
    errors: Errors = None
    found = []
    for batch in batches_of(evaluator, values):
        num, kinds = plain(batch)
        found.append((num, kinds))
        shape = (max(shape[0], num.shape[0]), max(shape[1], num.shape[1]))
    codes = np.zeros((*shape, 1, 1))
    for r in range(shape[0]):
        for c in range(shape[1]):
            texts: list[str] = []
            for num, kinds in found:
                at = (min(r, num.shape[0] - 1), min(c, num.shape[1] - 1))
                for v, k in zip(num[at].ravel().tolist(), kinds[at].ravel().tolist(), strict=True):
                    if k == 4 and codes[r, c, 0, 0] == 0:
                        codes[r, c, 0, 0] = v
                    scalar = unpack(v, k, evaluator.strings)
                    piece = text_of(scalar)
                    if piece or blank_too:
                        texts.append(piece)
            lists.append(texts)
    if codes.any():
        errors = torch.from_numpy(codes)
    return lists, shape, errors


def _joined(
    evaluator: Evaluator, lists: list[list[str]], shape: tuple[int, int], errors: Errors,
    between: list[str],
) -> Batch:  # fmt: skip
    ids = []
    for texts in lists:
        whole = "".join(
            piece if i == 0 else between[(i - 1) % len(between)] + piece
            for i, piece in enumerate(texts)
        )
        ids.append(float(evaluator.strings.id_of(whole)) if len(whole) <= _LONGEST else -1.0)
    num = torch.tensor(ids, dtype=torch.float64).reshape(*shape, 1, 1)
    if bool((num < 0).any()):
        long = torch.where(num < 0, float(ErrorCode.VALUE), 0.0).to(torch.float64)
        errors = earlier(errors, long)
    return numbered(num, errors, TEXT)


def _concat(evaluator: Evaluator, *values: Value) -> Batch:
    lists, shape, errors = _parts(evaluator, values, False)
    return _joined(evaluator, lists, shape, errors, [""])


function("CONCAT", "text1, [text2], ...", "Texts one after another, ranges too.", family=FAMILY,
         params="r", gradient=_NONE)(_concat)  # fmt: skip


def _concatenate(evaluator: Evaluator, *batches: Batch) -> Batch:
    return by_host(lambda *parts: "".join(map(text_of, parts)), batches, evaluator.strings)


function("CONCATENATE", "text1, [text2], ...", "Texts one after another.", family=FAMILY,
         gradient=_NONE)(_concatenate)  # fmt: skip


@function("TEXTJOIN", "delimiter, ignore_empty, text1, [text2], ...",
          "Texts with something between them.", family=FAMILY, params="vvr",
          gradient=_NONE)  # fmt: skip
def textjoin(evaluator: Evaluator, delimiter: Batch, ignore: Batch, *values: Value) -> Batch:
    """Texts joined; empty ones left out if asked."""
    num, kinds = plain(ignore)
    if (kinds == 4).any():
        return error(int(num[kinds == 4][0]))
    lists, shape, errors = _parts(evaluator, values, not bool(num.flat[0]))
    num, kinds = plain(delimiter)
    if (kinds == 4).any():
        return error(int(num[kinds == 4][0]))
    if num.shape[0] * num.shape[1] > 1:
        evaluator.split()
    pairs = zip(num.ravel().tolist(), kinds.ravel().tolist(), strict=True)
    between = [text_of(unpack(v, k, evaluator.strings)) for v, k in pairs]
    return _joined(evaluator, lists, shape, errors, between)
