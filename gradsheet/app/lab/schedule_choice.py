"""Which schedule the user chose for the learning rate, as a record that can be kept.

Owns the names and what they mean; the curves are `learn.schedules`. No torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gradsheet.formula.values import UserError
from gradsheet.learn import schedules
from gradsheet.learn.schedules import Schedule

TITLES = {
    "constant": "Constant",
    "linear": "Linear fall",
    "cosine": "Cosine fall",
    "exponential": "Exponential fall",
    "restarts": "Cosine with restarts",
    "one-cycle": "One cycle",
    "range": "Range test",
}
"""The schedules by name, as a list shows them."""
EXPONENTIAL_END = 0.01


@dataclass(frozen=True, slots=True)
class ScheduleChoice:
    """A schedule by name and length.

    Attributes
    ----------
    name : str
        One of TITLES.
    total : int
        Steps (epochs on a sheet of epochs) that it is made for.
    cycle_len, cycle_mult : int
        Of the restarts: length of the first cycle, and how much longer each next one is.

    Raises
    ------
    UserError
        If the name is not known or a number is below 1.
    """

    name: str = "constant"
    total: int = 100
    cycle_len: int = 10
    cycle_mult: int = 2

    def __post_init__(self) -> None:
        """Refuse what no schedule can be."""
        if self.name not in TITLES:
            raise UserError(f"There is no schedule {self.name!r}.", f"Choose {', '.join(TITLES)}.")
        if self.total < 2 or self.cycle_len < 1 or self.cycle_mult < 1:
            raise UserError("A schedule cannot be that short.", "Enter whole numbers from 2 up.")

    @property
    def length(self) -> int:
        """Steps to draw: the first three cycles of restarts, else all."""
        if self.name == "restarts":
            return self.cycle_len * (1 + self.cycle_mult + self.cycle_mult**2)
        return self.total

    def left(self, step: int) -> int | None:
        """Return how many steps the schedule still lasts; None for one that has no end.

        Also None from its end on: who runs on then wants its last rate.
        """
        if self.name in ("constant", "restarts") or step >= self.total:
            return None
        return self.total - step

    def schedule(self, base_momentum: float = 0.9) -> Schedule | None:
        """Return the factors by step; None for the constant rate."""
        if self.name == "constant":
            return None
        if self.name == "restarts":
            return schedules.cosine_restarts(self.cycle_len, self.cycle_mult)
        if self.name == "one-cycle":
            return schedules.one_cycle(self.total, base_momentum=base_momentum or 0.95)
        if self.name == "range":
            return schedules.range_test(self.total, *schedules.RANGE_FACTORS)
        end = EXPONENTIAL_END if self.name == "exponential" else 0.0
        shape: Any = self.name
        return schedules.annealing(self.total, end, shape)

    def curve(
        self, base_momentum: float = 0.9, length: int | None = None, most: int = 2000
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return steps, rate factors and momentum factors, for drawing up to a length."""
        end = length or self.length
        steps = np.unique(np.linspace(0, end, min(end, most) + 1).astype(int))
        found = self.schedule(base_momentum) or schedules.constant()
        factors = np.array([found(int(step)) for step in steps], dtype=np.float64)
        return steps.astype(np.float64), factors[:, 0], factors[:, 1]
