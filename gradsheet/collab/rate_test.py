"""The learning-rate range test: a few steps with a rising rate, and what they say.

Owns the test on a copy of the model; the model itself stays as it was. Must not know plots.
"""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gradsheet.collab.fit import Fit, FitSettings
from gradsheet.collab.models import Recommender
from gradsheet.learn.schedules import RateSuggestion, range_test, suggest_rate
from gradsheet.ratings.table import RatingTable
from gradsheet.tasks import Control


@dataclass(frozen=True, slots=True, eq=False)
class RateTest:
    """Losses at rising rates.

    Attributes
    ----------
    rates, losses : ndarray (n,) float64
        Rate of each step, and the batch's mean squared error before it.
    suggestion : RateSuggestion or None
        None while the loss has not fallen.
    """

    rates: npt.NDArray[np.float64]
    losses: npt.NDArray[np.float64]
    suggestion: RateSuggestion | None


def rate_test(
    model: Recommender,
    train: RatingTable,
    settings: FitSettings,
    control: Control | None = None,
    *,
    device: torch.device | str = "cpu",
    times: Tensor | None = None,
    count: int = 200,
    first: float = 1e-6,
    last: float = 10.0,
) -> Generator[RateTest, None, RateTest]:
    """Raise the rate from ``first`` to ``last`` over ``count`` steps; yield every tenth.

    It ends early once the smoothed loss is four times its lowest, as the lesson's lr_find does.

    Raises
    ------
    Cancelled
        At a checkpoint after a cancel.

    Notes
    -----
    Smith 2017, section 3.3. Layer groups keep the proportions of their rates.
    """
    control = Control() if control is None else control
    hyper = dataclasses.replace(settings.hyper, lr=1.0)
    groups = settings.group_rates
    if groups is not None:
        start = None if groups.start is None else groups.start / groups.stop
        groups = slice(start, 1.0)
    settings = dataclasses.replace(settings, hyper=hyper, group_rates=groups)
    fit = Fit(copy.deepcopy(model), train, None, settings, device, times)
    fit.model.train()
    schedule = range_test(count, first, last)
    rates: list[float] = []
    losses: list[float] = []
    average, lowest = 0.0, math.inf
    for step in range(count):
        control.checkpoint()
        factors = schedule(step)
        fit.learn_batch(factors)
        loss = fit.last_loss
        rates.append(factors.lr)
        losses.append(loss)
        average = 0.9 * average + 0.1 * loss
        smoothed = average / (1 - 0.9 ** (step + 1))
        lowest = min(lowest, smoothed)
        if not math.isfinite(loss) or (step > 10 and smoothed > 4 * lowest):
            break
        if step % 10 == 9:
            yield _result(rates, losses)
    result = _result(rates, losses)
    yield result
    return result


def _result(rates: list[float], losses: list[float]) -> RateTest:
    return RateTest(np.array(rates), np.array(losses), suggest_rate(rates, losses))
