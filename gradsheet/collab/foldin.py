"""A new user or a new item without retraining: only its own row is learned.

Owns both ways, closed form and steps. Must not know windows; numpy only. For a user's row w =
(factors, bias) and items i with the rest fixed it minimises sum (r - link(score))^2 +
(strength + share * n) |factors|^2 + bias_strength * bias^2; for an item the same with users.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from gradsheet.collab.factors import Factors

Doubles: TypeAlias = npt.NDArray[np.float64]

_NEWTON_STEPS = 30


class Ridge(NamedTuple):
    """How strongly a row is pulled to zero.

    Attributes
    ----------
    strength : float
        Of the factors, whatever the number of ratings.
    share : float
        Of the factors, for each rating.
    bias_strength : float
        Of the bias.
    """

    strength: float = 3.0
    share: float = 0.1
    bias_strength: float = 3.0


def ridge_of_weight_decay(weight_decay: float, n_train: int) -> Ridge:
    """Return the ridge that L2 weight decay amounts to when a model learned from ``n_train``.

    Each step adds weight_decay * w to the gradient of a batch's mean squared error, so an epoch
    weighs weight_decay / 2 |w|^2 as often as there are batches, and each squared error one batch
    size less: n_train * weight_decay / 2 for a sum of squared errors.
    """
    strength = 0.5 * weight_decay * n_train
    return Ridge(strength, 0.0, strength)


class FoldedIn(NamedTuple):
    """A learned row.

    Attributes
    ----------
    bias : float
    factors : ndarray (k,) float64
    rmse : float
        On the ratings it was learned from.
    steps : int
        Steps or Newton iterations taken; 1 for the plain closed form.
    """

    bias: float
    factors: Doubles
    rmse: float
    steps: int


class _Row(NamedTuple):
    """The small problem: features (n, k + 1) with ones last, what is fixed, what is wanted."""

    features: Doubles
    fixed: Doubles
    ratings: Doubles
    pull: Doubles
    model: Factors

    def of(self, w: Doubles) -> tuple[Doubles, Doubles]:
        """Return predictions (n,) and their slopes over the score (n,)."""
        score = self.fixed + self.features @ w
        predicted = self.model.linked(score)
        if self.model.link == "sigmoid":
            share = (predicted - self.model.low) / (self.model.high - self.model.low)
            return predicted, (self.model.high - self.model.low) * share * (1 - share)
        return score, np.ones_like(score)

    def loss(self, w: Doubles) -> float:
        """Return the objective."""
        return float(np.sum((self.ratings - self.of(w)[0]) ** 2) + self.pull @ w**2)

    def folded(self, w: Doubles, steps: int) -> FoldedIn:
        """Return the row as a result."""
        if not len(self.ratings):
            return FoldedIn(float(w[-1]), w[:-1], np.nan, steps)
        predicted = self.model.linked(self.fixed + self.features @ w)
        rmse = float(np.sqrt(np.mean((self.ratings - predicted) ** 2)))
        return FoldedIn(float(w[-1]), w[:-1], rmse, steps)


def _row(
    model: Factors,
    side: str,
    codes: npt.ArrayLike,
    ratings: npt.ArrayLike,
    ridge: Ridge,
    learns_bias: bool,
) -> _Row:
    """Set up the problem of a row of ``side`` ("user" or "item") from the other side's codes."""
    at = np.asarray(codes, dtype=np.int64)
    table = model.item_factors if side == "user" else model.user_factors
    bias = model.item_bias if side == "user" else model.user_bias
    features = np.concatenate([table[at], np.full((len(at), 1), float(learns_bias))], axis=1)
    pull = np.full(features.shape[1], ridge.strength + ridge.share * len(at))
    pull[-1] = ridge.bias_strength if learns_bias else 1.0
    # Without any pull a row that has fewer ratings than factors would not be determined.
    pull = np.maximum(pull, 1e-9)
    return _Row(
        features.astype(np.float64),
        model.mean + bias[at].astype(np.float64),
        np.asarray(ratings, dtype=np.float64),
        pull,
        model,
    )


def _solve(row: _Row) -> FoldedIn:
    """Solve the ridge regression; through a sigmoid, by Gauss-Newton steps of the same form."""
    w: Doubles = np.zeros(row.features.shape[1])
    if row.model.link != "sigmoid":
        normal = row.features.T @ row.features
        normal[np.diag_indices_from(normal)] += row.pull
        solved: Any = np.linalg.solve(normal, row.features.T @ (row.ratings - row.fixed))
        return row.folded(solved, 1)
    loss = row.loss(w)
    for step in range(1, _NEWTON_STEPS + 1):
        predicted, slope = row.of(w)
        bent = row.features * slope[:, None]
        normal = bent.T @ bent
        normal[np.diag_indices_from(normal)] += row.pull
        change = np.linalg.solve(normal, bent.T @ (row.ratings - predicted) - row.pull * w)
        length = 1.0
        while row.loss(w + length * change) > loss and length > 1e-6:
            length *= 0.5
        if length <= 1e-6:
            return row.folded(w, step)
        w = w + length * change
        before, loss = loss, row.loss(w)
        if before - loss <= 1e-12 * (1 + before):
            return row.folded(w, step)
    return row.folded(w, _NEWTON_STEPS)


def fold_in_user(
    model: Factors,
    items: npt.ArrayLike,
    ratings: npt.ArrayLike,
    ridge: Ridge | None = None,
    learns_bias: bool = True,
) -> FoldedIn:
    """Learn a new user's row in closed form, everything else fixed.

    Parameters
    ----------
    model : Factors
    items : array_like (n,)
        Codes of the items rated.
    ratings : array_like (n,)
    ridge : Ridge, optional
        That of the training; see :func:`ridge_of_weight_decay`.
    learns_bias : bool
        False for models without biases.

    Notes
    -----
    A row's ridge regression, as in alternating least squares (Zhou and others 2008, equation 4).
    """
    return _solve(_row(model, "user", items, ratings, ridge or Ridge(), learns_bias))


def fold_in_item(
    model: Factors,
    users: npt.ArrayLike,
    ratings: npt.ArrayLike,
    ridge: Ridge | None = None,
    learns_bias: bool = True,
) -> FoldedIn:
    """Learn a new item's row in closed form; see :func:`fold_in_user`."""
    return _solve(_row(model, "item", users, ratings, ridge or Ridge(), learns_bias))


def fold_in_user_by_steps(
    model: Factors,
    items: npt.ArrayLike,
    ratings: npt.ArrayLike,
    ridge: Ridge | None = None,
    steps: int = 200,
    learns_bias: bool = True,
) -> Iterator[FoldedIn]:
    """Learn a new user's row by steps, for watching; yields the row after each.

    Notes
    -----
    Nesterov's accelerated gradient descent, with a restart when the loss rises (O'Donoghue and
    Candes 2015), at the rate 1 / largest curvature.
    """
    return _steps(_row(model, "user", items, ratings, ridge or Ridge(), learns_bias), steps)


def fold_in_item_by_steps(
    model: Factors,
    users: npt.ArrayLike,
    ratings: npt.ArrayLike,
    ridge: Ridge | None = None,
    steps: int = 200,
    learns_bias: bool = True,
) -> Iterator[FoldedIn]:
    """Learn a new item's row by steps; see :func:`fold_in_user_by_steps`."""
    return _steps(_row(model, "item", users, ratings, ridge or Ridge(), learns_bias), steps)


def _steps(row: _Row, count: int) -> Iterator[FoldedIn]:
    steepest = (row.model.high - row.model.low) / 4 if row.model.link == "sigmoid" else 1.0
    curvature = steepest**2 * np.linalg.norm(row.features, 2) ** 2 if len(row.ratings) else 0.0
    rate = 1.0 / (curvature + float(row.pull.max()))
    w: Doubles = np.zeros(row.features.shape[1])
    ahead = w
    loss, since = row.loss(w), 0
    for step in range(1, count + 1):
        predicted, slope = row.of(ahead)
        gradient = row.pull * ahead - row.features.T @ (slope * (row.ratings - predicted))
        fresh = ahead - rate * gradient
        fresh_loss = row.loss(fresh)
        if fresh_loss > loss:
            since, ahead = 0, w
        else:
            since += 1
            ahead = fresh + since / (since + 3) * (fresh - w)
            w, loss = fresh, fresh_loss
        yield row.folded(w, step)


def with_user(model: Factors, row: FoldedIn) -> Factors:
    """Return the model with one more user, the last."""
    return Factors(
        model.mean,
        np.append(model.user_bias, np.float32(row.bias)),
        model.item_bias,
        _with_row(model.user_factors, row.factors),
        model.item_factors,
        model.link,
        model.low,
        model.high,
    )


def with_item(model: Factors, row: FoldedIn) -> Factors:
    """Return the model with one more item, the last."""
    return Factors(
        model.mean,
        model.user_bias,
        np.append(model.item_bias, np.float32(row.bias)),
        model.user_factors,
        _with_row(model.item_factors, row.factors),
        model.link,
        model.low,
        model.high,
    )


def _with_row(table: npt.NDArray[Any], row: Doubles) -> npt.NDArray[np.float32]:
    return np.concatenate([table, row[None].astype(np.float32)])
