"""The plane that a descent of two parameters is drawn on: its axes, its loss, what to show first.

Owns `Plane` for the points of a line and for a function of x and y. Knows no sheet and no plot;
imports torch only when a function is compiled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Window = tuple[float, float, float, float]

LINE_WINDOW: Window = (-12.0, 50.0, -0.5, 4.0)


@dataclass(frozen=True, slots=True)
class Plane:
    """A loss over two parameters.

    Attributes
    ----------
    axes : (str, str)
        Titles of the axes.
    names : (str, str)
        What the two parameters are called in running text.
    loss_name : str
    window : (left, right, bottom, top)
        What a plot shows first.
    key : tuple
        Planes with the same key look the same.
    loss : callable (n, 2) -> (n,)
    """

    axes: tuple[str, str]
    names: tuple[str, str]
    loss_name: str
    window: Window
    key: tuple[object, ...]
    loss: Callable[[Floats], Floats] = field(compare=False)


def line_plane(x: Floats, y: Floats) -> Plane | None:
    """Return the mean squared error of y = slope x + intercept; None without any point."""
    good = np.isfinite(x) & np.isfinite(y)
    x, y = x[good], y[good]
    if not len(x):
        return None
    moments = tuple(
        float(m) for m in (x.mean(), (x * x).mean(), y.mean(), (x * y).mean(), (y * y).mean())
    )

    def loss(points: Floats) -> Floats:
        mean_x, xx, mean_y, xy, yy = moments
        b, a = points[:, 0], points[:, 1]
        found = b * (b + 2 * (mean_x * a - mean_y)) + a * (xx * a - 2 * xy) + yy
        return np.asarray(np.maximum(found, 0.0))

    return Plane(
        ("intercept b", "slope a"), ("b", "a"), "mean squared error", LINE_WINDOW, moments, loss
    )


@lru_cache(maxsize=32)
def function_plane(formula: str, window: Window) -> Plane:
    """Return a function of x and y as a plane.

    Raises
    ------
    FormulaError
        If the formula cannot be read.
    """
    import torch

    from gradsheet.learn.functions2d import FormulaSurface

    surface = FormulaSurface(formula)

    def loss(points: Floats) -> Floats:
        found = surface.loss(torch.from_numpy(np.array(points, dtype=np.float64)))
        return np.asarray(found.numpy(), dtype=np.float64)

    return Plane(("x", "y"), ("x", "y"), "f", window, (formula, window), loss)
