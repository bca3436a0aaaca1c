"""Functions of two numbers to descend on: presets with their sources, typed ones, the line fit.

Owns `Surface`, what a race and a contour plot need of a function. Must not know optimizers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from gradsheet.formula.values import UserError
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


@dataclass(frozen=True, slots=True)
class Preset:
    """A function to choose.

    Attributes
    ----------
    id, title : str
    formula : str
        In x and y, as typed into a cell.
    source : str
        Where it comes from.
    window : (left, right, bottom, top)
        What a plot shows first.
    start : (x, y)
    minimum : (x, y) or None
        One of its lowest points.
    rate : float
        A learning rate with which plain descent gets somewhere.
    note : str
        What there is to see.
    """

    id: str
    title: str
    formula: str
    source: str
    window: tuple[float, float, float, float]
    start: tuple[float, float]
    minimum: tuple[float, float] | None
    rate: float
    note: str


def quadratic(condition: float) -> str:
    """Return the formula of a bowl whose curvatures are 1 and `condition`.

    Raises
    ------
    UserError
        If the condition number is below 1.
    """
    if not 1 <= condition <= 1e6:
        raise UserError(
            f"A condition number cannot be {condition:g}.", "Choose from 1 to 1,000,000."
        )
    return f"(x^2+{condition!r}*y^2)/2"


PRESETS: dict[str, Preset] = {
    preset.id: preset
    for preset in (
        Preset("quadratic", "Bowl, condition 20", quadratic(20.0),
               "Boyd and Vandenberghe 2004, section 9.3.2", (-12, 12, -4, 4), (-10, 3), (0, 0),
               0.05, "The rate that the steep side bears is too small for the flat one."),
        Preset("rosenbrock", "Rosenbrock's valley", "(1-x)^2+100*(y-x^2)^2",
               "Rosenbrock 1960", (-2, 2, -1, 3), (-1.2, 1), (1, 1), 0.001,
               "Easy to reach the bent valley, hard to follow it."),
        Preset("beale", "Beale", "(1.5-x+x*y)^2+(2.25-x+x*y^2)^2+(2.625-x+x*y^3)^2",
               "Beale 1958", (-4.5, 4.5, -4.5, 4.5), (1, 1), (3, 0.5), 0.01,
               "Flat in the middle, steep at the corners."),
        Preset("himmelblau", "Himmelblau", "(x^2+y-11)^2+(x+y^2-7)^2", "Himmelblau 1972",
               (-5, 5, -5, 5), (0, 0), (3, 2), 0.005,
               "Four equal minima: where you start decides."),
        Preset("rastrigin", "Rastrigin",
               "20+x^2-10*COS(2*PI()*x)+y^2-10*COS(2*PI()*y)", "Rastrigin 1974",
               (-5.12, 5.12, -5.12, 5.12), (3.3, 2.7), (0, 0), 0.002,
               "A minimum in every dent; only the middle one is the lowest."),
        Preset("saddle", "Saddle", "x^2-y^2+y^4/4", "the simplest saddle with a floor",
               (-2, 2, -2.5, 2.5), (1.5, 0.001), (0, 2**0.5), 0.05,
               "At the saddle the gradient vanishes; noise or momentum gets past it."),
        Preset("valley", "Long valley", "LN(1+(x-8)^2/100)+20*(y-SIN(x/2))^2",
               "a bent valley whose floor is nearly flat", (-12, 12, -3, 3), (-10, 2), (8, -0.7568),
               0.02, "The floor falls so slowly that plain descent seems to stand still."),
    )
}  # fmt: skip
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
