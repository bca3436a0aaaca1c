"""Finite differences beside the exact derivative, over a range of step sizes.

Owns the U-shaped error curve and which side of it is truncation, which rounding. Must not know
cells: the function is a callable of one number. numpy only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Function = Callable[[float], float]
ROUND_OFF = 2.0**-53
"""Half a unit in the last place of 1: the relative error of one float64 operation."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Derivatives of one function at one place, side by side.

    Attributes
    ----------
    epsilon : float
        The step of the finite differences.
    forward : float
        (f(x + e) - f(x)) / e.
    central : float
        (f(x + e) - f(x - e)) / 2e.
    exact : float
        From the chain rule, by hand or by autograd.
    """

    epsilon: float
    forward: float
    central: float
    exact: float

    @property
    def forward_error(self) -> float:
        """Distance of the forward difference from the exact derivative."""
        return abs(self.forward - self.exact)

    @property
    def central_error(self) -> float:
        """Distance of the central difference from the exact derivative."""
        return abs(self.central - self.exact)


@dataclass(frozen=True, slots=True)
class ErrorCurve:
    """The error of finite differences over their step.

    Attributes
    ----------
    epsilons : ndarray (n,)
        Rising.
    forward, central : ndarray (n,)
        Absolute errors; NaN where the function was not finite.
    best_forward, best_central : float
        The steps with the smallest errors, the bottom of each U. Left of it the difference of two
        nearly equal numbers loses digits (rounding); right of it the function is not straight over
        the step (truncation).
    slope_forward, slope_central : float
        How the error grows with the step on the truncation side, as a power: 1 and 2 for a
        smooth function; NaN where too few points say so.
    """

    epsilons: Floats
    forward: Floats
    central: Floats
    best_forward: float
    best_central: float
    slope_forward: float
    slope_central: float


def estimate(function: Function, at: float, exact: float, epsilon: float) -> Estimate:
    """Return both differences at one place.

    Parameters
    ----------
    function : callable (float) -> float
    at : float
    exact : float
        The derivative there.
    epsilon : float
        Above 0.
    """
    here, ahead, behind = function(at), function(at + epsilon), function(at - epsilon)
    return Estimate(epsilon, (ahead - here) / epsilon, (ahead - behind) / (2 * epsilon), exact)


def error_curve(
    function: Function, at: float, exact: float, first: float = 1e-15, last: float = 10.0,
    count: int = 97,
) -> ErrorCurve:  # fmt: skip
    """Return the errors for steps from ``first`` to ``last``, evenly on a logarithmic scale."""
    epsilons = np.geomspace(first, last, count)
    rows = [estimate(function, at, exact, float(e)) for e in epsilons]
    forward = np.array([row.forward_error for row in rows])
    central = np.array([row.central_error for row in rows])
    bests = [_best(epsilons, errors) for errors in (forward, central)]
    slopes = [_slope(epsilons, e, b) for e, b in zip((forward, central), bests, strict=True)]
    return ErrorCurve(epsilons, forward, central, *bests, *slopes)


def rule_of_thumb(at: float, order: int) -> float:
    """Return the step that numerical analysis recommends: eps^(1/2) forward, eps^(1/3) central.

    Press and others, Numerical Recipes, section 5.7, with the scale of x itself.
    """
    return float((2 * ROUND_OFF) ** (1 / (order + 1)) * max(abs(at), 1.0))


def _best(epsilons: Floats, errors: Floats) -> float:
    """Return the bottom of the U, smoothed over neighbours: exact hits are luck."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log10(np.maximum(errors, 1e-300))
    logs = np.where(np.isfinite(errors), logs, np.inf)
    padded = np.pad(logs, 2, mode="edge")
    typical = np.median(np.lib.stride_tricks.sliding_window_view(padded, 5), axis=1)
    return float(epsilons[int(np.argmin(typical))])


def _slope(epsilons: Floats, errors: Floats, best: float) -> float:
    """Return the power with which the error grows right of the bottom."""
    right = (epsilons > best * 30) & (epsilons <= 1.0) & np.isfinite(errors) & (errors > 0)
    if right.sum() < 5:
        return math.nan
    return float(np.polyfit(np.log(epsilons[right]), np.log(errors[right]), 1)[0])
