"""How curved a function is where a solution stands: its condition, estimated from gradients.

Owns differences of gradients and the eigenvalues that they give. Must not know cells or what is
solved. Many free cells: Lanczos (Golub and Van Loan, Matrix Computations, 4th edition, 10.1).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from gradsheet.learn.constraints import Floats

MOST_EXACT = 120
LANCZOS_STEPS = 40
_STEP = 6e-6  # the cube root of float64's precision: best for central differences


def _product(gradient: Callable[[Floats], Floats], x: Floats, along: Floats) -> Floats:
    size = float(np.abs(along).max())
    if size == 0:
        return np.zeros_like(x)
    step = _STEP * max(1.0, float(np.abs(x).max(initial=0.0))) / size
    return (gradient(x + step * along) - gradient(x - step * along)) / (2 * step)


def extreme_curvatures(
    gradient: Callable[[Floats], Floats], x: Floats
) -> tuple[float, float, bool]:
    """Return the smallest and largest eigenvalue by size of the Hessian, and whether all are known.

    Parameters
    ----------
    gradient : gives the gradient (n,) at a point (n,)
    x : (n,)

    Returns
    -------
    least, greatest : float
        Of the absolute eigenvalues; NaN for no cells.
    is_exact : bool
        False: of so many cells only the ends of the spectrum were looked for.
    """
    n = len(x)
    if n == 0:
        return math.nan, math.nan, True
    if n <= MOST_EXACT:
        columns = [_product(gradient, x, unit) for unit in np.eye(n)]
        matrix = np.stack(columns)
        sizes = np.abs(np.linalg.eigvalsh((matrix + matrix.T) / 2))
        return float(sizes.min()), float(sizes.max()), True
    sizes = np.abs(_lanczos(gradient, x))
    return float(sizes.min()), float(sizes.max()), False


def _lanczos(gradient: Callable[[Floats], Floats], x: Floats) -> Floats:
    """Ritz values after some steps from a fixed start, with full reorthogonalisation."""
    basis = [np.random.default_rng(0).normal(size=len(x))]
    basis[0] /= np.linalg.norm(basis[0])
    diagonal, beside = [], []
    for _ in range(LANCZOS_STEPS):
        w = _product(gradient, x, basis[-1])
        diagonal.append(float(w @ basis[-1]))
        for q in basis:
            w = w - (w @ q) * q
        length = float(np.linalg.norm(w))
        if length < 1e-10 * max(1.0, abs(diagonal[0])):
            break
        beside.append(length)
        basis.append(w / length)
    k = len(diagonal)
    matrix = np.diag(diagonal) + np.diag(beside[: k - 1], 1) + np.diag(beside[: k - 1], -1)
    return np.asarray(np.linalg.eigvalsh(matrix))


def condition_of(least: float, greatest: float) -> float:
    """Return the condition number; infinite where a direction is flat."""
    if not greatest > 0:
        return math.nan
    return math.inf if least <= 1e-10 * greatest else greatest / least
