"""A problem: which cell is the loss, which ranges are its parameters, and what is wanted of it.

Owns the statement of the problem, as Excel's Solver dialog has it: goal, locks (freezing), rates
per range (discriminative rates). Must not know how the loss is computed or descended;
imports no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import numpy.typing as npt

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import UserError

Goal = Literal["minimise", "maximise", "value"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A range whose cells the run may change.

    Attributes
    ----------
    sheet : int
        The sheet's id.
    region : Region
    rate_scale : float
        Multiplies the learning rate for these cells.
    locked : bool
        True: these cells keep their values to the last bit (a frozen layer).
    """

    sheet: int
    region: Region
    rate_scale: float = 1.0
    locked: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """What is to be solved.

    Attributes
    ----------
    loss : (int, Cell)
        Sheet id and cell of the number to be driven.
    parameters : tuple of Parameter
        Their cells, region after region, each row by row, are the vector theta.
    goal : "minimise", "maximise" or "value"
        "value" drives the cell to ``target`` by minimising (loss - target)^2.
    target : float

    Raises
    ------
    UserError
        If there is no parameter, two overlap, the loss is one of them, or a rate is negative.
    """

    loss: tuple[int, Cell]
    parameters: tuple[Parameter, ...]
    goal: Goal = "minimise"
    target: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a problem that cannot be run."""
        sheet, cell = self.loss
        if not any(p.region.size for p in self.parameters):
            raise UserError(
                "There are no cells to change.", "Name at least one range of numbers as parameters."
            )
        for p in self.parameters:
            if p.sheet == sheet and p.region.contains(cell):
                raise UserError(
                    f"The loss cell {cell} lies in the parameter range {p.region}.",
                    "Choose a loss that is computed from the parameters.",
                )
            if not 0 <= p.rate_scale < float("inf"):
                raise UserError(
                    f"The rate of {p.region} cannot be {p.rate_scale:g} times the learning rate.",
                    "Enter a number of 0 or more.",
                )
        for a, b in combinations(self.parameters, 2):
            if a.sheet == b.sheet and a.region.intersect(b.region):
                raise UserError(
                    f"The parameter ranges {a.region} and {b.region} overlap.",
                    "Give each cell in one range only.",
                )

    @property
    def regions(self) -> Sequence[tuple[int, Region]]:
        """The parameter ranges as (sheet id, region), in the order of theta."""
        return tuple((p.sheet, p.region) for p in self.parameters)

    @property
    def size(self) -> int:
        """Number of cells in all parameter ranges, locked ones too."""
        return sum(p.region.size for p in self.parameters)

    def locked_mask(self) -> npt.NDArray[np.bool_] | None:
        """Return a mask (n,), True where a cell may not move; None if all may."""
        held = [p.locked or p.rate_scale == 0 for p in self.parameters]
        return np.repeat(np.array(held), self._sizes()) if any(held) else None

    def rate_scale(self) -> npt.NDArray[np.float64] | None:
        """Return the factors on the learning rate (n,); None if all are 1."""
        scales = np.array([p.rate_scale for p in self.parameters], dtype=np.float64)
        return None if (scales == 1.0).all() else np.repeat(scales, self._sizes())

    def _sizes(self) -> list[int]:
        return [p.region.size for p in self.parameters]
