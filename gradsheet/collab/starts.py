"""Where the fast mode starts: biases by ridge regression, factors by subspace iteration.

Owns both, and the measure of noise that the default regularisation is taken from. Must not know
the passes that follow.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from gradsheet.collab.kernels import Layout, Side, neighbour_sums, residuals
from gradsheet.ratings.table import Check, unchecked

_ORTHONORMAL = 3  # iterations after which the subspace is made orthonormal anew


class StartSettings(NamedTuple):
    """Width, count shrinkage and iterations of :func:`spectral_start`."""

    factors: int
    shrinkage: float
    iterations: int


def fit_biases(
    layout: Layout, targets: Tensor, strength: float, sweeps: int = 2, check: Check = unchecked
) -> Tensor:
    """Return biases (n_rows,) by alternating ridge regressions, items first.

    Notes
    -----
    Koren 2010, section 2.1, iterated: b_i = sum(e - b_u) / (n_i + strength), then the users'.
    """
    users = layout.n_users
    strengths = layout.counts + strength
    ones = torch.ones(layout.n_rows, 1, device=layout.device)
    sums = neighbour_sums(layout, ones, targets, check=check)
    biases = torch.zeros_like(sums)
    sides: tuple[tuple[Side, slice], ...] = (
        ("items", slice(users, None)),
        ("users", slice(0, users)),
    )
    for sweep in range(sweeps):
        for side, rows in sides:
            if sweep == 0 and side == "items":  # the users' biases are still zero
                biases[rows] = sums[rows] / strengths[rows]
                continue
            others = neighbour_sums(layout, biases, side=side, check=check)
            biases[rows] = (sums[rows] - others) / strengths[rows]
    return biases[:, 0]


def noise_level(layout: Layout, left: Tensor) -> float:
    """Return about the largest singular value that noise has once counts are normalised away.

    A matrix of independent noise of standard deviation s with n entries in a row and m in a column
    has s (sqrt(n) + sqrt(m)); divided by sqrt(n m) that is s (1 / sqrt(n) + 1 / sqrt(m)), here
    averaged over the ratings. A ridge of that share of each row's count would shrink noise to
    nothing (Bandeira and van Handel 2016; Salakhutdinov and Srebro 2010 for the weighting).

    Parameters
    ----------
    left : Tensor (n,) float32
        Residuals of the biases.
    """
    count, users = layout.total(len(left)), layout.n_users
    roots = layout.counts.sqrt()
    total = layout.total(roots[:users].sum()) + float(roots[users:].sum())
    return math.sqrt(layout.total(left @ left) / count) * total / count


def spectral_start(
    layout: Layout, left: Tensor, noise: Tensor, start: StartSettings, check: Check = unchecked
) -> Tensor:
    """Return factors (n_rows, width) from the residuals' leading singular vectors.

    The matrix is D_u E D_i with D = (count + shrinkage) ** -0.5, so that rows of many
    ratings do not rule and rows of few cannot.

    Parameters
    ----------
    left : Tensor (n,) float32
        Residuals of the biases.
    noise : Tensor (n_users, width) float32
        Random start of the subspace iteration; columns of zeros stay zero.

    Notes
    -----
    Subspace iteration (Halko, Martinsson and Tropp 2011, algorithm 4.4), orthogonalised by the
    eigenvectors of the small Gram matrix instead of QR, which is four times faster here.
    """
    users, k = layout.n_users, start.factors
    scale = (layout.counts + start.shrinkage).rsqrt_()
    table = torch.zeros(layout.n_rows, noise.shape[1], device=layout.device)
    table[:users] = noise * scale[:users]
    found = neighbour_sums(layout, table, left, "items", check)
    torch.mul(found, scale[users:], out=table[users:])
    for i in range(start.iterations):
        table[users:].mul_(scale[users:])
        found = neighbour_sums(layout, table, left, "users", check).mul_(scale[:users])
        if i == start.iterations - 1 or i % _ORTHONORMAL == _ORTHONORMAL - 1:
            found = _orthonormal(layout, found, k)
        table[:users] = found
        table[:users].mul_(scale[:users])
        found = neighbour_sums(layout, table, left, "items", check)
        torch.mul(found, scale[users:], out=table[users:])
    values, vectors = _eigen(_gram(table[users:], k), table)
    singular = values.sqrt()
    # The smallest of them is mostly noise: what it holds is taken off the others.
    shrunk = (singular - 0.8 * singular[0]).clamp_(min=0.0)
    inverse = torch.where(singular > 0, singular.reciprocal(), 0.0)
    table[:users] = table[:users] @ (vectors * shrunk.sqrt())
    table[users:] = (table[users:] @ (vectors * (shrunk.sqrt() * inverse))).mul_(scale[users:])
    zeros = left.new_zeros(1).expand(len(left))
    fitted = residuals(layout, zeros, table, check).neg_()
    norm = layout.summed(fitted @ fitted)
    slope = (layout.summed(fitted @ left) / norm).clamp_(min=0.0) if norm > 0 else norm
    return table.mul_((0.7 * slope).sqrt())


def _gram(tall: Tensor, k: int) -> Tensor:
    return tall[:, :k].t() @ tall[:, :k]


def _eigen(gram: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return eigenvalues (width,), eigenvectors (width, width) of gram (k, k), float64 inside.

    Computed on the CPU, where the small problem is fastest and every device has it. Columns from
    k on are padding to the width of ``like``; their eigenvectors are zeroed.
    """
    k, width = len(gram), like.shape[1]
    values, vectors = torch.linalg.eigh(gram.to("cpu", torch.float64))
    out = torch.zeros(width, width, dtype=torch.float32)
    out[:k, :k] = vectors
    padded = torch.zeros(width, dtype=torch.float32)
    padded[:k] = values.clamp_(min=0.0)
    padded[k:] = padded[0] if k else 0.0
    return padded.to(like.device), out.to(like.device)


def _orthonormal(layout: Layout, tall: Tensor, k: int) -> Tensor:
    """Return an orthonormal basis of the users' columns (zero columns where the rank is less)."""
    values, vectors = _eigen(layout.summed(_gram(tall, k)), tall)
    small = values <= 1e-10 * values.max()
    return tall @ (vectors * torch.where(small, 0.0, values.rsqrt()))
