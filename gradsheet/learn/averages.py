"""Exponentially weighted averages of a series, with and without bias correction.

Owns the averages and how long their memory is. Must not know where the series comes from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gradsheet.formula.values import UserError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Averages:
    """A series and its averages.

    Attributes
    ----------
    values : ndarray (n,)
    plain : ndarray (n,)
        m = beta m + (1 - beta) v from m = 0: pulled towards 0 at the start.
    corrected : ndarray (n,)
        m / (1 - beta^t), t from 1 (Kingma and Ba 2015, section 3).
    beta : float
    """

    values: Floats
    plain: Floats
    corrected: Floats
    beta: float

    @property
    def memory(self) -> float:
        """How many values the average is about the mean of: 1 / (1 - beta)."""
        return 1 / (1 - self.beta)


def weighted_averages(values: npt.ArrayLike, beta: float) -> Averages:
    """Average a series.

    Parameters
    ----------
    values : array_like (n,)
    beta : float
        From 0 (no memory) to below 1.

    Raises
    ------
    UserError
        If beta is out of range.
    """
    if not 0 <= beta < 1:
        raise UserError(
            f"beta cannot be {beta:g}.", "Enter a number from 0 to less than 1, such as 0.9."
        )
    series = np.asarray(values, dtype=np.float64)
    plain = np.empty_like(series)
    average = 0.0
    for i, value in enumerate(series.tolist()):
        average = beta * average + (1 - beta) * value
        plain[i] = average
    corrected = plain / (1 - beta ** np.arange(1, len(series) + 1)) if beta else plain.copy()
    return Averages(series, plain, corrected, beta)
