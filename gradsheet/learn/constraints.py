"""What a solution must respect: bounds of single cells, and conditions between them.

Owns Bounds (and what projection onto them means) and the protocol of conditions. Must not know
cells or formulas; numpy only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from torch import Tensor

Floats = npt.NDArray[np.float64]
Truths = npt.NDArray[np.bool_]


class Conditions(Protocol):
    """Conditions on theta; `formula.conditions` makes them from cells.

    Attributes
    ----------
    count : int
    is_equation : ndarray (count,) bool
        A difference must be 0 where it is, at most 0 elsewhere.
    """

    @property
    def count(self) -> int:
        """Number of conditions."""

    @property
    def is_equation(self) -> Truths:
        """Which of them are equations."""

    def differences(self, theta: Tensor) -> Floats:
        """Return how far each is from holding (count,)."""

    def pull(self, theta: Tensor, weights: Floats) -> Floats:
        """Return the gradient (n,) of the sum of weight times difference."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and the greatest value of each cell, infinite where there is none.

    Attributes
    ----------
    low, high : ndarray (n,) float64
    """

    low: Floats
    high: Floats

    @classmethod
    def none(cls, count: int) -> Bounds:
        """Return bounds that hold nothing."""
        return cls(np.full(count, -np.inf), np.full(count, np.inf))

    @property
    def are_none(self) -> bool:
        """Whether no cell is bounded."""
        return bool(np.isneginf(self.low).all() and np.isposinf(self.high).all())

    @property
    def contradictions(self) -> npt.NDArray[np.int64]:
        """Places whose least value is greater than their greatest."""
        return np.flatnonzero(self.low > self.high)

    def at(self, places: npt.NDArray[np.int64]) -> Bounds:
        """Return the bounds of some of the cells."""
        return Bounds(self.low[places], self.high[places])

    def projected(self, x: Floats) -> Floats:
        """Return the nearest point within the bounds."""
        return np.minimum(np.maximum(x, self.low), self.high)

    def is_held(self, x: Floats, gradient: Floats) -> Truths:
        """Return which cells lie on a bound and would leave it downhill."""
        at_low = (x <= self.low) & (gradient >= 0)
        at_high = (x >= self.high) & (gradient <= 0)
        return at_low | at_high

    def slope(self, x: Floats, gradient: Floats) -> Floats:
        """Return the projected gradient: how far the projected step of length 1 goes."""
        return x - self.projected(x - gradient)
