"""Recommendations, each with what it is made of.

Owns the choice of items and the split of a prediction into contributions. Must not know windows;
numpy only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gradsheet.collab.factors import Factors

Doubles: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Contributions:
    """A prediction as a sum, in stars.

    Attributes
    ----------
    base : float
        The global mean; with a sigmoid, the middle of its range and the mean's own part.
    user_bias, item_bias : float
    factors : ndarray (k,) float64
        Product of the user's and the item's factor, one by one.
    limit : float
        What limiting the sum to the range of ratings takes off or adds; 0 inside the range.
    prediction : float
        The sum of all of these.
    """

    base: float
    user_bias: float
    item_bias: float
    factors: Doubles
    limit: float
    prediction: float


def contributions(model: Factors, item: int, bias: float, row: npt.ArrayLike) -> Contributions:
    """Split a user's prediction of an item.

    Parameters
    ----------
    model : Factors
    item : int
    bias : float
        The user's.
    row : array_like (k,)
        The user's factors.

    Notes
    -----
    With a sigmoid the parts of the score are scaled by (prediction - middle) / score, the slope
    of the secant from the middle of the range ("rescale rule": Shrikumar and others 2017), so
    that they sum to the prediction and keep their signs and proportions.
    """
    parts = np.asarray(row, dtype=np.float64) * model.item_factors[item].astype(np.float64)
    base, item_bias = model.mean, float(model.item_bias[item])
    score = base + bias + item_bias + float(parts.sum())
    prediction = float(model.linked(score))
    if model.link != "sigmoid":
        return Contributions(base, bias, item_bias, parts, prediction - score, prediction)
    middle, span = (model.low + model.high) / 2, model.high - model.low
    slope = (prediction - middle) / score if abs(score) > 1e-8 else span / 4
    parts = parts * slope
    base, bias, item_bias = middle + base * slope, bias * slope, item_bias * slope
    limit = prediction - (base + bias + item_bias + float(parts.sum()))
    return Contributions(base, bias, item_bias, parts, limit, prediction)


@dataclass(frozen=True, slots=True, eq=False)
class Recommendation:
    """An item for a user.

    Attributes
    ----------
    item : int
        Code.
    score : float
        What it is ranked by: the prediction before it is limited to the range.
    contributions : Contributions
    """

    item: int
    score: float
    contributions: Contributions

    @property
    def prediction(self) -> float:
        """Predicted rating, in stars."""
        return self.contributions.prediction


def recommend(
    model: Factors,
    bias: float,
    row: npt.ArrayLike,
    count: int = 10,
    *,
    seen: npt.ArrayLike = (),
    hide_seen: bool = True,
    item_counts: npt.NDArray[Any] | None = None,
    at_least: int = 0,
    at_most: int | None = None,
    worst: bool = False,
) -> list[Recommendation]:
    """Return the items with the highest prediction for a user, the best first.

    Parameters
    ----------
    model : Factors
    bias : float
        The user's; for a stored user ``model.user_bias[u]``, for a new one what the fold-in gave.
    row : array_like (k,)
        The user's factors.
    count : int
    seen : array_like of int
        Items that the user has rated.
    hide_seen : bool
    item_counts : ndarray (n_items,), optional
        Ratings of each item, for the popularity filter.
    at_least, at_most : int
        Ratings that an item must and may have.
    worst : bool
        The lowest instead.
    """
    factors = np.asarray(row, dtype=np.float64)
    scores = model.mean + bias + model.item_bias + model.item_factors @ factors
    allowed = np.ones(model.n_items, dtype=bool)
    if hide_seen:
        allowed[np.asarray(seen, dtype=np.int64)] = False
    if item_counts is not None:
        allowed &= item_counts >= at_least
        if at_most is not None:
            allowed &= item_counts <= at_most
    codes = np.flatnonzero(allowed)
    order = scores[codes] if worst else -scores[codes]
    if len(codes) > count:
        nearest = np.argpartition(order, count - 1)[:count] if count else np.empty(0, np.int64)
        # argpartition leaves equals in any order; codes put right which of them come first.
        nearest = np.sort(nearest)
        codes, order = codes[nearest], order[nearest]
    chosen = codes[np.argsort(order, kind="stable")]
    return [
        Recommendation(int(i), float(scores[i]), contributions(model, int(i), bias, factors))
        for i in chosen
    ]
