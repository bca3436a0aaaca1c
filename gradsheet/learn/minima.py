"""What Solver is told and what it found: the method, and the minimum that each start led to.

Owns these records and which minima are one and the same. Must not know cells or how a minimum
is found.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gradsheet.learn.constraints import Floats

if TYPE_CHECKING:
    from torch import Tensor

LBFGS = "lbfgs"
HOLDS = 1e-6
"""A condition that is off by no more counts as holding."""
_SAME = 1e-6


@dataclass(frozen=True, slots=True)
class Method:
    """How to solve.

    Parameters
    ----------
    name : "lbfgs" or the name of an optimizer
    starts : in all; those after the first are random
    iterations : most of them from each start
    tolerance : a start is left when ten iterations gain less than this part of the value
    rates : settings of the optimizer, such as ``lr``
    seed : of the random starts
    """

    name: str = LBFGS
    starts: int = 5
    iterations: int = 500
    tolerance: float = 1e-6
    rates: dict[str, float] = field(default_factory=dict)
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Minimum:
    """What one start led to.

    Attributes
    ----------
    start : int
        0 is the start from the cells.
    began, objective : float
        The objective cell there and at the end.
    violation : float
        How far the worst condition is from holding.
    steps : int
    theta : Tensor (n,)
    multipliers : ndarray (m,)
    """

    start: int
    began: float
    objective: float
    violation: float
    steps: int
    theta: Tensor
    multipliers: Floats
    doubt: str = ""
    """Why it may not be a minimum; "" where nothing speaks against it."""

    @property
    def holds(self) -> bool:
        """Whether every condition holds."""
        return self.violation <= HOLDS


def distinct(minima: list[Minimum]) -> list[tuple[Minimum, int]]:
    """Return the minima that differ, best known order kept, with how often each was found."""
    found: list[tuple[Minimum, int]] = []
    for minimum in minima:
        for at, (known, times) in enumerate(found):
            near = abs(known.objective - minimum.objective)
            if near <= _SAME * max(1.0, abs(known.objective)) and known.holds == minimum.holds:
                found[at] = (known, times + 1)
                break
        else:
            found.append((minimum, 1))
    return found
