"""Functions of two numbers to descend on, as tensor code: presets, typed ones, the line fit.

Owns `Surface`, what a race and a contour plot need of a function. Must not know optimizers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from gradsheet.formula.values import UserError
from gradsheet.learn.presets2d import PRESETS as PRESETS
from gradsheet.learn.presets2d import Preset as Preset
from gradsheet.learn.presets2d import quadratic as quadratic
from gradsheet.learn.surface_code import compile_surface


class Surface(Protocol):
    """A loss over two parameters, for many points at once."""

    @property
    def batches(self) -> int:
        """Steps until the batches repeat; 1 where every step sees the whole function."""

    def loss(self, points: Tensor) -> Tensor:
        """Return the true loss (n,) at points (n, 2)."""

    def loss_and_gradient(self, points: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """Return the true loss (n,), and the gradient (n, 2) of the batch of a step."""


EXACT_UP_TO = 100_000
"""Residuals that are worked out one by one; beyond, the loss comes from moments."""
LINE = "line"
"""The id of the line fit beside the presets."""


class FormulaSurface:
    """A typed function of x and y.

    Parameters
    ----------
    formula : str

    Raises
    ------
    FormulaError
        If it cannot be read.
    """

    batches = 1

    def __init__(self, formula: str) -> None:
        self.formula = formula
        self._values, self._slopes = compile_surface(formula)

    def loss(self, points: Tensor) -> Tensor:
        """See Surface."""
        return self._values(points[:, 0], points[:, 1])

    def loss_and_gradient(self, points: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """See Surface."""
        value, dx, dy = self._slopes(points[:, 0], points[:, 1])
        return value, torch.stack((dx, dy), 1)


class LineSurface:
    """The mean squared error of y = slope x + intercept, over (intercept, slope).

    Parameters
    ----------
    x, y : sequence of float
    batch : int
        Rows that a step sees, in turn; 0 for all of them.
    """

    def __init__(self, x: Sequence[float], y: Sequence[float], batch: int = 0) -> None:
        self._x = torch.tensor(x, dtype=torch.float64)
        self._y = torch.tensor(y, dtype=torch.float64)
        self._design = torch.stack((torch.ones_like(self._x), self._x))
        count = len(x)
        size = batch or count
        if not 1 <= size <= count:
            raise UserError(
                f"A mini-batch cannot have {size} rows.", f"Choose from 1 to {count} rows."
            )
        self._spans = [(i, min(i + size, count)) for i in range(0, count, size)]
        self.batches = len(self._spans)
        # Means of 1, x, x^2, y, xy, y^2: the loss is a quadratic of the two parameters.
        self._moments = [float(m.mean()) for m in (
            self._x, self._x**2, self._y, self._x * self._y, self._y**2)]  # fmt: skip
        self._part_moments = [
            [float(m[a:b].mean()) for m in (self._x, self._x**2, self._y, self._x * self._y)]
            for a, b in self._spans
        ]

    @property
    def lowest(self) -> float:
        """The least that the loss can be: that of the least squares line."""
        found = torch.linalg.lstsq(self._design.T, self._y[:, None]).solution
        return float(self.loss(found.T))

    def loss(self, points: Tensor) -> Tensor:
        """See Surface."""
        if self._design.shape[1] * len(points) <= EXACT_UP_TO:
            # A difference of large moments would end in noise, even below 0, near the minimum.
            return torch.addmm(self._y, points, self._design, beta=-1).square_().mean(1)
        x, xx, y, xy, yy = self._moments
        b, a = points[:, 0], points[:, 1]
        return (b * (b + 2 * (x * a - y)) + a * (xx * a - 2 * xy) + yy).clamp_(min=0)

    def loss_and_gradient(self, points: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """See Surface; the gradient is that of the step's rows."""
        x, xx, y, xy = self._part_moments[step % self.batches]
        matrix = torch.tensor([[2.0, 2 * x], [2 * x, 2 * xx]], dtype=torch.float64)
        offset = torch.tensor([-2 * y, -2 * xy], dtype=torch.float64)
        return self.loss(points), torch.addmm(offset, points, matrix)


def surface_of(name: str) -> tuple[FormulaSurface, Preset]:
    """Return a preset as a surface.

    Raises
    ------
    UserError
        If there is none of that name.
    """
    preset = PRESETS.get(name)
    if preset is None:
        raise UserError(
            f"There is no function called {name!r}.",
            f"Choose {', '.join(PRESETS)}, or type a formula in x and y.",
        )
    return FormulaSurface(preset.formula), preset
