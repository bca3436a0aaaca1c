"""Matrix functions.

Owns MMULT and its kin, on matrices that every cell of a block may see differently.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gradsheet.formula.batch import ERROR, NUMBER, Batch, Errors, earlier, error, flagged, numbered
from gradsheet.formula.functions.samples import first_error
from gradsheet.formula.functions.table import function
from gradsheet.formula.values import ErrorCode

if TYPE_CHECKING:
    from gradsheet.formula.evaluate import Evaluator

FAMILY = "Matrices"


def _matrix(batch: Batch) -> tuple[Tensor, Errors]:
    """Numbers of a matrix; #VALUE! if anything in it is no number, as Excel's MMULT has it."""
    if batch.is_only(NUMBER):
        return batch.num, None
    kinds = batch.kinds()
    errors = torch.where(kinds == 4, batch.num, 0.0)
    errors = torch.where((kinds != NUMBER) & (kinds != 4), float(ErrorCode.VALUE), errors)
    num = torch.where(kinds == NUMBER, batch.num, 0.0)
    if not bool((errors > 0).any()):
        return num, None
    return num, first_error(errors.expand(num.shape).to(torch.float64))


@function("MMULT", "array1, array2", "Matrix product of two arrays.", family=FAMILY, params="a",
          gradient="smooth")  # fmt: skip
def mmult(evaluator: Evaluator, a: Batch, b: Batch) -> Batch:
    """Matrix product; over a block that varies the rows of one and the columns of the other it
    is one product for the whole block."""
    if a.width != b.height:
        return error(ErrorCode.VALUE)
    x, first = _matrix(a)
    y, then = _matrix(b)
    return _everywhere(matrix_product(x, y), earlier(first, then))


def _everywhere(num: Tensor, errors: Errors) -> Batch:
    """A matrix, or one error instead of a matrix of them."""
    if errors is not None and bool((errors > 0).all()):
        return Batch(errors, ERROR)
    return numbered(num, errors)


def matrix_product(a: Tensor, b: Tensor) -> Tensor:
    """Product of (R|1, C|1, h, k) and (R|1, C|1, k, w) for every cell of the block."""
    if a.shape[0] == a.shape[1] == b.shape[0] == b.shape[1] == 1:
        return (a[0, 0] @ b[0, 0])[None, None]
    if a.shape[1] == 1 and b.shape[0] == 1:
        rows, height, inner = a.shape[0], a.shape[2], a.shape[3]
        cols, width = b.shape[1], b.shape[3]
        left = a[:, 0].reshape(rows * height, inner)
        right = b[0].permute(1, 0, 2).reshape(inner, cols * width)
        product = left @ right
        if height == 1 and width == 1:
            return product[:, :, None, None]
        return product.view(rows, height, cols, width).permute(0, 2, 1, 3)
    return torch.matmul(a, b)


@function("TRANSPOSE", "array", "Turns rows into columns.", family=FAMILY, params="a",
          gradient="smooth")  # fmt: skip
def transpose(evaluator: Evaluator, a: Batch) -> Batch:
    """Rows as columns; blanks become 0."""
    turned = a.view(lambda x: x.transpose(2, 3))
    if turned.is_only(NUMBER):
        return turned
    kinds = turned.kinds()
    return Batch(turned.num, torch.where(kinds == 0, 1, kinds).to(torch.uint8))


@function("MUNIT", "dimension", "Identity matrix of a given size.", family=FAMILY,
          gradient="none: a size is no number to differentiate by")  # fmt: skip
def munit(evaluator: Evaluator, size: Batch) -> Batch:
    """Identity matrix, n by n."""
    places, codes = evaluator.integers(size, "The size in MUNIT")
    if codes.any():
        return error(ErrorCode(int(codes.max())))
    n = int(places.flat[0])
    if n < 1 or n > 10_000 or bool((places != n).any()):
        return error(ErrorCode.VALUE)
    return Batch(torch.eye(n, dtype=torch.float64)[None, None])


def _square(a: Batch) -> bool:
    return a.height == a.width


@function("MDETERM", "array", "Determinant of a square matrix.", family=FAMILY, params="a",
          gradient="smooth where the matrix is not singular")  # fmt: skip
def mdeterm(evaluator: Evaluator, a: Batch) -> Batch:
    """Determinant."""
    if not _square(a):
        return error(ErrorCode.VALUE)
    x, errors = _matrix(a)
    return numbered(torch.linalg.det(x)[:, :, None, None], errors)


@function("MINVERSE", "array", "Inverse of a square matrix.", family=FAMILY, params="a",
          gradient="smooth where the matrix is not singular")  # fmt: skip
def minverse(evaluator: Evaluator, a: Batch) -> Batch:
    """Inverse; #NUM! if the matrix is singular."""
    if not _square(a):
        return error(ErrorCode.VALUE)
    x, errors = _matrix(a)
    inverse, info = torch.linalg.inv_ex(x.contiguous())
    singular = (info != 0)[:, :, None, None]
    if bool(singular.any()):
        eye = torch.eye(a.height, dtype=torch.float64)
        inverse = torch.linalg.inv_ex(torch.where(singular, eye, x))[0]
        errors = flagged(errors, singular, ErrorCode.NUM)
    return _everywhere(inverse, errors)
