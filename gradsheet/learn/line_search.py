"""How far to go along a direction: the strong Wolfe line search.

Owns algorithms 3.5 and 3.6 of Nocedal and Wright, Numerical Optimization (2nd edition), with
cubic steps (equation 3.59) and walls: places where there is no value. Knows no optimizer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

DECREASE = 1e-4
CURVATURE = 0.9
MOST_TRIALS = 25
_FARTHER = 4.0
_MARGIN = 0.1
"""Part of an interval at both of its ends that a cubic step keeps away from."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A point on the way.

    Parameters
    ----------
    length : how far it is
    value : of the function; inf behind a wall
    slope : derivative along the direction; NaN behind a wall
    gradient : (n,), None behind a wall
    """

    length: float
    value: float
    slope: float
    gradient: Floats | None


def strong_wolfe(
    at: Callable[[float], Trial | None], start: Trial, first: float
) -> Trial | None:
    """A point that satisfies the strong Wolfe conditions, or nearly.

    Parameters
    ----------
    at : gives the trial at a length, None behind a wall
    start : at length 0, with a negative slope
    first : the length to try first

    Returns
    -------
    Trial or None
        None if no point lower than the start was found.
    """
    previous, length, wall = start, first, math.inf
    for number in range(MOST_TRIALS):
        here = at(length)
        if here is None:
            wall = length
            length = (previous.length + length) / 2
            continue
        too_high = here.value > start.value + DECREASE * length * start.slope
        if too_high or (number and here.value >= previous.value):
            return _zoom(at, start, previous, here, MOST_TRIALS - number)
        if abs(here.slope) <= -CURVATURE * start.slope:
            return here
        if here.slope >= 0:
            return _zoom(at, start, here, previous, MOST_TRIALS - number)
        previous = here
        length = length * _FARTHER if wall == math.inf else (length + wall) / 2
    return previous if previous.value < start.value else None


def _zoom(
    at: Callable[[float], Trial | None], start: Trial, low: Trial, high: Trial, most: int
) -> Trial | None:
    """Search between the lower end and the higher one (algorithm 3.6)."""
    for _ in range(most):
        length = _between(low, high)
        if length in (low.length, high.length):
            break
        here = at(length)
        if here is None:
            high = Trial(length, math.inf, math.nan, None)
            continue
        too_high = here.value > start.value + DECREASE * length * start.slope
        if too_high or here.value >= low.value:
            high = here
            continue
        if abs(here.slope) <= -CURVATURE * start.slope:
            return here
        if here.slope * (high.length - low.length) >= 0:
            high = low
        low = here
    return low if low.value < start.value else None


def _between(a: Trial, b: Trial) -> float:
    """The minimum of the cubic through two trials, or the middle where it has none inside."""
    middle = (a.length + b.length) / 2
    if not math.isfinite(b.value) or not math.isfinite(b.slope):
        return middle
    width = b.length - a.length
    first = a.slope + b.slope - 3 * (b.value - a.value) / width
    square = first * first - a.slope * b.slope
    if square < 0:
        return middle
    second = math.copysign(math.sqrt(square), width)
    divisor = b.slope - a.slope + 2 * second
    if divisor == 0 or not math.isfinite(divisor):
        return middle
    length = b.length - width * (b.slope + second - first) / divisor
    if not math.isfinite(length):
        return middle
    low, high = sorted((a.length + _MARGIN * width, b.length - _MARGIN * width))
    return min(max(length, low), high)
