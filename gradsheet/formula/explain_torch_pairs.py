"""What Excel's functions of two ranges and of matrices become in PyTorch.

Owns sums over pairs, statistics of two samples, and products of matrices; importing it enters
them into the table of `explain_torch_functions`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gradsheet.formula.explain_cells import Array, Segment, Source
from gradsheet.formula.explain_code import ADD, ATOM, MULTIPLY, Code, NoTensorError
from gradsheet.formula.explain_torch import Coder
from gradsheet.formula.explain_torch_functions import enter, filled, sample
from gradsheet.formula.syntax import Call
from gradsheet.formula.values import Kind


def _pair(coder: Coder, expr: Call) -> tuple[Code, Code, bool]:
    """Two ranges of one size, and whether NaN stands where a pair is incomplete."""
    if len(expr.args) != 2:
        raise NoTensorError
    (x, at_x), (y, at_y) = coder.read(expr, 0), coder.read(expr, 1)
    if x.values.shape != y.values.shape:
        raise NoTensorError
    if (x.kinds == Kind.ERROR).any() or (y.kinds == Kind.ERROR).any():
        raise NoTensorError
    mask = x.numbers & y.numbers
    if not mask.any():
        raise NoTensorError
    if mask.all():
        return coder.tensor(x.values, at_x), coder.tensor(y.values, at_y), False
    codes = []
    for found, place in ((x, at_x), (y, at_y)):
        own = found.numbers
        if own.all():
            codes.append(coder.tensor(found.values, place, gaps=True))
        else:
            coder.note(f"{coder.name(place)} holds NaN where a cell has no number")
            held = np.where(own, found.values, np.nan)
            codes.append(coder.tensor(held, place, gaps=True))
    return codes[0], codes[1], True


_PAIRED: Mapping[str, str] = {
    "SUMXMY2": "({0!} - {1!}).square()",
    "SUMX2MY2": "({0!}.square() - {1!}.square())",
    "SUMX2PY2": "({0!}.square() + {1!}.square())",
}


@enter(*_PAIRED)
def _sum_of_pairs(coder: Coder, expr: Call) -> Code:
    x, y, has_gaps = _pair(coder, expr)
    return filled(coder, _PAIRED[expr.name] + (".nansum()" if has_gaps else ".sum()"), [x, y])


@enter("LEARN.MSE", "LEARN.RMSE")
def _mean_of_squares(coder: Coder, expr: Call) -> Code:
    x, y, has_gaps = _pair(coder, expr)
    mean = "({0!} - {1!}).square()" + (".nanmean()" if has_gaps else ".mean()")
    return filled(coder, f"{mean}.sqrt()" if expr.name == "LEARN.RMSE" else mean, [x, y])


_STATISTICS: Mapping[str, str] = {
    "CORREL": "torch.corrcoef(torch.stack([{0!}.flatten(), {1!}.flatten()]))[0, 1]",
    "PEARSON": "torch.corrcoef(torch.stack([{0!}.flatten(), {1!}.flatten()]))[0, 1]",
    "RSQ": "torch.corrcoef(torch.stack([{0!}.flatten(), {1!}.flatten()]))[0, 1].square()",
    "COVARIANCE.P": "(({0!} - {0!}.mean()) * ({1!} - {1!}.mean())).mean()",
    "COVARIANCE.S": "torch.cov(torch.stack([{0!}.flatten(), {1!}.flatten()]))[0, 1]",
    "SLOPE": "(({1!} - {1!}.mean()) * ({0!} - {0!}.mean())).sum()"
    " / ({1!} - {1!}.mean()).square().sum()",
    "INTERCEPT": "{0!}.mean() - {1!}.mean() * (({1!} - {1!}.mean())"
    " * ({0!} - {0!}.mean())).sum() / ({1!} - {1!}.mean()).square().sum()",
}


@enter(*_STATISTICS)
def _statistic(coder: Coder, expr: Call) -> Code:
    x, y, has_gaps = _pair(coder, expr)
    if has_gaps:
        raise NoTensorError
    power = {"SLOPE": MULTIPLY, "INTERCEPT": ADD}.get(expr.name, ATOM)
    return filled(coder, _STATISTICS[expr.name], [x, y], power)


# ---------------------------------------------------------------------- products, matrices


@enter("SUMPRODUCT")
def _sumproduct(coder: Coder, expr: Call) -> Code:
    parts = [coder.counted(_as_numbers(coder, expr, i)) for i in range(len(expr.args))]
    if len(parts) == 1:
        return filled(coder, "{0!}.sum()", parts)
    if len({part.shape for part in parts}) != 1:
        raise NoTensorError
    if len(parts) == 2 and all(part.is_flat for part in parts):
        return filled(coder, "torch.dot({0}, {1})", parts)
    product = " * ".join(f"{{{i}!}}" for i in range(len(parts)))
    return filled(coder, f"({product}).sum()", parts)


def _as_numbers(coder: Coder, expr: Call, index: int) -> Code:
    """An argument of SUMPRODUCT: what is no number counts as 0."""
    found, place = coder.read(expr, index)
    if (found.kinds == Kind.ERROR).any():
        raise NoTensorError
    if place is None:
        return coder.argument_at(expr, index)
    if not found.numbers.all():
        coder.note(f"{coder.view.name(place)} holds cells without a number, which count as 0")
    return coder.tensor(np.where(found.numbers, found.values, 0.0), place)


@enter("MMULT")
def _product(coder: Coder, expr: Call) -> Code:
    view = coder.view
    is_top = view.expr is expr and view.at not in (None, (0, 0))
    sides = []
    for i in range(2):
        found, place = coder.read(expr, i)
        if not found.numbers.all():
            raise NoTensorError
        sides.append((found, place))
    (a, at_a), (b, at_b) = sides
    if is_top or (view.expr is expr and view.at == (0, 0)):
        assert view.at is not None
        (a, at_a), (b, at_b) = _row(a, at_a, view.at[0]), _column(b, at_b, view.at[1])
    x = coder.tensor(a.values, at_a) if at_a else coder.argument_at(expr, 0)
    y = coder.tensor(b.values, at_b) if at_b else coder.argument_at(expr, 1)
    if x.shape[0] == 1 and y.shape[1] == 1 and x.is_flat and y.is_flat:
        return filled(coder, "torch.dot({0}, {1})", [x, y])
    x, y = _two_dimensional(coder, x), _two_dimensional(coder, y)
    shape = (x.shape[0], y.shape[1])
    result = filled(coder, "{0!} @ {1!}", [x, y], MULTIPLY, shape=shape)
    return filled(coder, "({0})[0, 0]", [result]) if shape == (1, 1) else result


def _row(found: Array, place: Source | None, row: int) -> tuple[Array, Source | None]:
    if place is None or row >= found.values.shape[0]:
        raise NoTensorError
    r = place.region
    region = type(r)(r.top + row, r.left, r.top + row + 1, r.right)
    part = Array(found.values[row : row + 1], found.kinds[row : row + 1])
    return part, Source(place.sheet, region)


def _column(found: Array, place: Source | None, col: int) -> tuple[Array, Source | None]:
    if place is None or col >= found.values.shape[1]:
        raise NoTensorError
    r = place.region
    region = type(r)(r.top, r.left + col, r.bottom, r.left + col + 1)
    part = Array(found.values[:, col : col + 1], found.kinds[:, col : col + 1])
    return part, Source(place.sheet, region)


def _two_dimensional(coder: Coder, part: Code) -> Code:
    if not part.is_flat and not part.is_one:
        return part
    if not part.is_tensor:
        part = Code(coder.argument(part))
    tail = Segment(f".reshape({part.shape[0]}, {part.shape[1]})")
    return Code((*coder.held(part, ATOM), tail), shape=part.shape)


_MATRICES: Mapping[str, tuple[str, bool]] = {
    "TRANSPOSE": ("{0!}.T", True),
    "MINVERSE": ("torch.linalg.inv({0})", False),
    "MDETERM": ("torch.linalg.det({0})", False),
}


@enter(*_MATRICES)
def _matrix(coder: Coder, expr: Call) -> Code:
    part = _two_dimensional(coder, _as_matrix(coder, expr, 0))
    template, turns = _MATRICES[expr.name]
    shape = (part.shape[1], part.shape[0]) if turns else part.shape
    return filled(coder, template, [part], shape=(1, 1) if expr.name == "MDETERM" else shape)


def _as_matrix(coder: Coder, expr: Call, index: int) -> Code:
    found, place = coder.read(expr, index)
    if not found.numbers.all():
        raise NoTensorError
    return coder.tensor(found.values, place) if place else coder.argument_at(expr, index)


@enter("LEARN.SOFTMAX")
def _softmax(coder: Coder, expr: Call) -> Code:
    scores = sample(coder, expr, 0, 1)
    if len(expr.args) == 2:
        score = coder.argument_at(expr, 1)
        return filled(coder, "torch.exp({1}) / {0!}.exp().sum()", [scores, score], MULTIPLY)
    return filled(coder, "{0!}.flatten().softmax(0)", [scores], shape=scores.shape, is_flat=True)
