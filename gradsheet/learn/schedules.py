"""Schedules: factors on the learning rate and the momentum, as pure functions of the step.

Owns the curves and the reading of a learning-rate range test. Must not know optimizers: a factor
of 1 means the rate that the user set. Standard library and numpy only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt


class Factors(NamedTuple):
    """What a schedule multiplies at a step."""

    lr: float
    momentum: float = 1.0


_SETTLES = 10
"""Losses that an average needs before its slope means anything."""

Schedule: TypeAlias = Callable[[int], Factors]
"""Step number from 0 -> Factors; the same step always gives the same."""


def constant() -> Schedule:
    """Return the schedule that changes nothing."""
    return lambda step: Factors(1.0)


def annealing(
    total: int, end: float = 0.0, shape: Literal["linear", "cosine", "exponential"] = "cosine"
) -> Schedule:
    """Return a fall from 1 at step 0 to ``end`` at step ``total``, and ``end`` from there on.

    Parameters
    ----------
    total : int
        Steps, at least 1.
    end : float
        Last factor; above 0 for "exponential".
    shape : "linear", "cosine" or "exponential"

    Notes
    -----
    Linear and exponential: Goodfellow, Bengio and Courville 2016, equation 8.14; cosine:
    Loshchilov and Hutter 2017, equation 5 without restarts.
    """
    _require(total >= 1, "total", total)
    _require(end > 0 if shape == "exponential" else end >= 0, "end", end)

    def at(step: int) -> Factors:
        return Factors(_between(1.0, end, min(step / total, 1.0), shape))

    return at


def cosine_restarts(cycle_len: int, cycle_mult: int = 1, low: float = 0.0) -> Schedule:
    """Return cosine annealing from 1 to ``low`` that starts again after every cycle.

    Cycle i is ``cycle_len * cycle_mult**i`` steps long.

    Notes
    -----
    Loshchilov and Hutter 2017 (SGDR), equation 5; the lesson's cycle_len and cycle_mult.
    """
    _require(cycle_len >= 1, "cycle_len", cycle_len)
    _require(cycle_mult >= 1, "cycle_mult", cycle_mult)

    def at(step: int) -> Factors:
        if cycle_mult == 1:
            position, length = step % cycle_len, cycle_len
        else:
            # The cycle in which the step falls: the sum of a geometric series, solved for i. The
            # logarithm may be off by one at a boundary, which the two loops put right.
            i = int(math.log(step * (cycle_mult - 1) / cycle_len + 1, cycle_mult))
            while _cycles_before(i + 1, cycle_len, cycle_mult) <= step:
                i += 1
            while _cycles_before(i, cycle_len, cycle_mult) > step:
                i -= 1
            position = step - _cycles_before(i, cycle_len, cycle_mult)
            length = cycle_len * cycle_mult**i
        return Factors(_between(1.0, low, position / length, "cosine"))

    return at


def _cycles_before(i: int, cycle_len: int, cycle_mult: int) -> int:
    """Return the steps in the first i cycles."""
    return cycle_len * (int(cycle_mult**i) - 1) // (cycle_mult - 1)


def one_cycle(
    total: int,
    rise: float = 0.3,
    div: float = 25.0,
    final_div: float = 1e4,
    momentum: tuple[float, float] = (0.95, 0.85),
    base_momentum: float = 0.95,
) -> Schedule:
    """Return the one-cycle policy: the rate rises to 1 and falls, the momentum goes the other way.

    Parameters
    ----------
    total : int
        Steps of the whole cycle, at least 2; later steps keep the last factors.
    rise : float
        Share of the steps that go up, between 0 and 1.
    div, final_div : float
        First factor is 1 / div, last is 1 / (div * final_div).
    momentum : (float, float)
        Momentum at the ends and at the peak of the rate.
    base_momentum : float
        The momentum (or beta1) that the optimizer is set to; the factors are relative to it.

    Notes
    -----
    Smith 2018, section 5; cosine pieces and numbers as torch.optim.lr_scheduler.OneCycleLR, which
    the tests compare with.
    """
    _require(total >= 2, "total", total)
    _require(0 < rise < 1, "rise", rise)
    peak = rise * total - 1
    high, low = (m / base_momentum for m in momentum)

    def at(step: int) -> Factors:
        step = min(step, total - 1)
        if step <= peak:
            share = step / peak if peak > 0 else 1.0
            return Factors(
                _between(1.0 / div, 1.0, share, "cosine"), _between(high, low, share, "cosine")
            )
        share = (step - peak) / (total - 1 - peak)
        return Factors(
            _between(1.0, 1.0 / (div * final_div), share, "cosine"),
            _between(low, high, share, "cosine"),
        )

    return at


RANGE_FACTORS = (1e-4, 1e3)
"""First and last factor of a range test round a rate that is set already."""


def range_test(count: int, first: float = 1e-7, last: float = 10.0) -> Schedule:
    """Return the exponential rise of a learning-rate range test, for an optimizer set to lr = 1.

    Parameters
    ----------
    count : int
        Steps from ``first`` to ``last``, at least 2.

    Notes
    -----
    Smith 2017, section 3.3, with the exponential rise of the lesson's lr_find.
    """
    _require(count >= 2, "count", count)
    _require(0 < first < last, "first", first)
    ratio = math.log(last / first) / (count - 1)
    return lambda step: Factors(first * math.exp(ratio * min(step, count - 1)))


@dataclass(frozen=True, slots=True)
class RateSuggestion:
    """What a range test says.

    Attributes
    ----------
    steepest : float
        The rate at which the smoothed loss falls fastest over the logarithm of the rate.
    tenth_of_lowest : float
        A tenth of the rate with the lowest smoothed loss.
    smoothed : ndarray (n,) float64
        The smoothed losses, for the plot.
    """

    steepest: float
    tenth_of_lowest: float
    smoothed: npt.NDArray[np.float64]


def suggest_rate(
    rates: npt.ArrayLike, losses: npt.ArrayLike, smoothing: float = 0.9
) -> RateSuggestion | None:
    """Read a range test.

    Parameters
    ----------
    rates, losses : array_like (n,)
        Rising rates and the loss at each; a non-finite loss ends the reading.
    smoothing : float
        Decay of the bias-corrected average of the losses.

    Returns
    -------
    RateSuggestion or None
        None if fewer than five losses are finite or the loss never falls.

    Notes
    -----
    The two readings are those of fast.ai's lr_find (``steep`` and ``minimum``).
    """
    x, y = np.asarray(rates, dtype=np.float64), np.asarray(losses, dtype=np.float64)
    bad = np.flatnonzero(~np.isfinite(y))
    if len(bad):
        x, y = x[: bad[0]], y[: bad[0]]
    if len(y) < 5:
        return None
    smoothed, average = np.empty_like(y), 0.0
    for i, loss in enumerate(y):
        average = smoothing * average + (1 - smoothing) * loss
        smoothed[i] = average / (1 - smoothing ** (i + 1))
    lowest = int(np.argmin(smoothed))
    if lowest == 0:
        return None
    slopes = np.gradient(smoothed[: lowest + 1], np.log(x[: lowest + 1]))
    # The average of the first few noisy losses jumps about: that is no fall (fast.ai skips ten).
    settled = min(_SETTLES, lowest // 2)
    steepest = settled + int(np.argmin(slopes[settled:]))
    return RateSuggestion(float(x[steepest]), float(x[lowest]) / 10, smoothed)


def _between(first: float, last: float, share: float, shape: str) -> float:
    """Return the value at ``share`` (0 to 1) of the way from first to last."""
    if shape == "linear":
        return first + (last - first) * share
    if shape == "exponential":
        return first * math.exp(math.log(last / first) * share)
    return last + (first - last) * (1 + math.cos(math.pi * share)) / 2


def _require(holds: bool, name: str, value: float) -> None:
    if not holds:
        raise ValueError(f"a schedule cannot have {name} = {value}")
