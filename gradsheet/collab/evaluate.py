"""How good predictions are: errors, baselines, predicted against actual, error by popularity.

Owns the arithmetic and the records that plots and tables are made of. Must not know how the
predictions came about; numpy only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gradsheet.ratings.table import RatingTable

Doubles: TypeAlias = npt.NDArray[np.float64]
Counts: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Errors:
    """Errors of predictions, in stars.

    Attributes
    ----------
    rmse, mae : float
        NaN where there is no rating.
    mean : float
        Of prediction - rating: above 0, predictions are too high.
    count : int
    """

    rmse: float
    mae: float
    mean: float
    count: int


def errors(predicted: npt.ArrayLike, actual: npt.ArrayLike) -> Errors:
    """Return the errors of predictions (n,) of ratings (n,)."""
    difference = np.asarray(predicted, dtype=np.float64) - np.asarray(actual, dtype=np.float64)
    if not difference.size:
        return Errors(np.nan, np.nan, np.nan, 0)
    return Errors(
        float(np.sqrt(np.mean(difference**2))),
        float(np.mean(np.abs(difference))),
        float(np.mean(difference)),
        difference.size,
    )


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a model without factors reaches.

    Attributes
    ----------
    name : str
    formula : str
        For the tooltip.
    errors : Errors
    """

    name: str
    formula: str
    errors: Errors


def baselines(train: RatingTable, valid: RatingTable, strength: float = 3.0) -> list[Baseline]:
    """Judge the simple predictions that a model must beat.

    Parameters
    ----------
    train, valid : RatingTable
        With the same users and items; learned from the one, judged on the other.
    strength : float
        Ridge of the biases (see :func:`fit_biases`).

    Returns
    -------
    list of Baseline
        Global mean, user means, item means, their sum, biases only; predictions are limited to
        the range of the training ratings. Who has no training rating gets the global mean.
    """
    mean = float(np.mean(train.ratings, dtype=np.float64))
    users, items, low, high = valid.users, valid.items, train.ratings.min(), train.ratings.max()
    user_part = _means(train.users, train, train.n_users) - mean
    item_part = _means(train.items, train, train.n_items) - mean
    user_bias, item_bias = fit_biases(train, strength)
    found = {
        ("global mean", "mean"): np.full(len(valid), mean),
        ("user mean", "mean of the user"): mean + user_part[users],
        ("item mean", "mean of the item"): mean + item_part[items],
        ("user and item means", "mean of the user + mean of the item - mean"): (
            mean + user_part[users] + item_part[items]
        ),
        ("biases only", "mean + user bias + item bias"): mean + user_bias[users] + item_bias[items],
    }
    return [
        Baseline(name, formula, errors(np.clip(predicted, low, high), valid.ratings))
        for (name, formula), predicted in found.items()
    ]


def _means(codes: npt.NDArray[Any], train: RatingTable, count: int) -> Doubles:
    """Return the mean rating of each code (count,); the global mean where there is none."""
    counts = np.bincount(codes, minlength=count)
    sums = np.bincount(codes, weights=train.ratings, minlength=count)
    mean = float(np.mean(train.ratings, dtype=np.float64))
    return np.where(counts > 0, sums / np.maximum(counts, 1), mean)


def fit_biases(
    train: RatingTable, strength: float = 3.0, sweeps: int = 10
) -> tuple[Doubles, Doubles]:
    """Return user and item biases around the global mean, by alternating ridge regressions.

    Notes
    -----
    Koren 2010, section 2.1, iterated: b_i = sum(r - mean - b_u) / (n_i + strength), then b_u.
    """
    residual = train.ratings - np.mean(train.ratings, dtype=np.float64)
    user_counts, item_counts = train.user_counts() + strength, train.item_counts() + strength
    user_bias = np.zeros(train.n_users)
    item_bias = np.zeros(train.n_items)
    for _ in range(sweeps):
        left = residual - user_bias[train.users]
        item_bias = np.bincount(train.items, left, train.n_items) / item_counts
        left = residual - item_bias[train.items]
        user_bias = np.bincount(train.users, left, train.n_users) / user_counts
    return user_bias, item_bias


@dataclass(frozen=True, slots=True, eq=False)
class Hexbin:
    """Predicted against actual as hexagons, with the marginal histograms.

    Attributes
    ----------
    x, y : ndarray (n,) float64
        Centres of the hexagons that hold something: actual across, predicted up.
    counts : ndarray (n,) int64
    width, height : float
        Distances between centres of a row, and between every other row.
    x_edges, y_edges : ndarray (b + 1,) float64
    x_counts, y_counts : ndarray (b,) int64
        Marginals.
    """

    x: Doubles
    y: Doubles
    counts: Counts
    width: float
    height: float
    x_edges: Doubles
    y_edges: Doubles
    x_counts: Counts
    y_counts: Counts


def hexbin(
    actual: npt.ArrayLike,
    predicted: npt.ArrayLike,
    low: float,
    high: float,
    across: float = 20,
    bins: int = 40,
) -> Hexbin:
    """Count pairs in hexagons.

    Parameters
    ----------
    actual, predicted : array_like (n,)
    low, high : float
        Range of both axes; what lies outside counts at the edge.
    across : float
        Hexagons in a row: the width of a hexagon is the range over it.
    bins : int
        Of the marginal histograms.

    Notes
    -----
    Two rectangular lattices, shifted by half a cell, and each point to the nearer centre (Carr and
    others 1987), as matplotlib's hexbin does it.
    """
    x = np.clip(np.asarray(actual, dtype=np.float64), low, high)
    y = np.clip(np.asarray(predicted, dtype=np.float64), low, high)
    width = (high - low) / across
    height = width * np.sqrt(3.0)
    u, v = (x - low) / width, (y - low) / height
    rows = int(np.ceil((high - low) / height)) + 2
    even = np.round(u).astype(np.int64), np.round(v).astype(np.int64)
    odd = np.floor(u).astype(np.int64), np.floor(v).astype(np.int64)
    to_even = (u - even[0]) ** 2 + 3.0 * (v - even[1]) ** 2
    to_odd = (u - odd[0] - 0.5) ** 2 + 3.0 * (v - odd[1] - 0.5) ** 2
    is_even = to_even < to_odd
    i = np.where(is_even, even[0], odd[0])
    j = np.where(is_even, even[1], odd[1])
    key = (i * rows + j) * 2 + ~is_even
    keys, counts = np.unique(key, return_counts=True)
    half = 0.5 * (keys % 2)
    cells = keys // 2
    edges = np.linspace(low, high, bins + 1)
    return Hexbin(
        x=low + (cells // rows + half) * width,
        y=low + (cells % rows + half) * height,
        counts=counts.astype(np.int64),
        width=width,
        height=height,
        x_edges=edges,
        y_edges=edges,
        x_counts=np.histogram(x, edges)[0].astype(np.int64),
        y_counts=np.histogram(y, edges)[0].astype(np.int64),
    )


@dataclass(frozen=True, slots=True)
class PopularityBand:
    """Errors on items with between ``low`` and ``high`` training ratings, both included."""

    low: int
    high: int
    errors: Errors


def error_by_popularity(
    predicted: npt.ArrayLike, valid: RatingTable, item_counts: npt.NDArray[Any]
) -> list[PopularityBand]:
    """Return the errors by how often an item was rated, in bands of doubling width.

    Parameters
    ----------
    predicted : array_like (n,)
        Of the ratings of ``valid``.
    item_counts : ndarray (n_items,)
        Training ratings of each item.

    Returns
    -------
    list of PopularityBand
        0, 1, 2 to 3, 4 to 7 ...; bands without a rating are left out.
    """
    counts = np.asarray(item_counts)[valid.items]
    band = np.where(counts > 0, np.floor(np.log2(np.maximum(counts, 1))).astype(np.int64) + 1, 0)
    values = np.asarray(predicted, dtype=np.float64)
    found = []
    for b in np.unique(band).tolist():
        here = band == b
        low, high = (0, 0) if b == 0 else (2 ** (b - 1), 2**b - 1)
        found.append(PopularityBand(low, high, errors(values[here], valid.ratings[here])))
    return found
