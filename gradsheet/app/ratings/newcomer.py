"""Type yourself in: a new user, or a new item, whose row alone is learned.

Owns the arithmetic from typed ratings to a learned row and to recommendations with all that
they are made of. Must not know sessions, threads or windows; numpy only.
"""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from gradsheet.collab.factors import Factors
from gradsheet.collab.foldin import (
    FoldedIn,
    Ridge,
    fold_in_user,
    fold_in_user_by_steps,
)
from gradsheet.collab.recommend import Contributions, recommend
from gradsheet.ratings.table import RatingTable

Side = Literal["user", "item"]
Way = Literal["closed", "steps"]
Doubles = npt.NDArray[np.float64]

STEPS = 200
"""Of the way by steps."""
LADDER = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""Strengths among which a ridge is chosen where the training gives none."""
SHARE = 0.1
"""Ridge per rating, beside the strength (Zhou and others 2008)."""
TRIED = 100
"""Users on whose ratings it is chosen."""
FEW = 12
"""Ratings of each from which it is learned then: about what somebody types in."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a newcomer's row is learned, and what is listed.

    Attributes
    ----------
    way : {"closed", "steps"}
    hide_rated : bool
        Leave out what the newcomer has rated.
    at_least, at_most : int
        Training ratings that what is listed must and may have; ``at_most`` 0: no limit.
    worst : bool
        The lowest predictions instead of the highest.
    count : int
        How many are listed.
    """

    way: Way = "closed"
    hide_rated: bool = True
    at_least: int = 20
    at_most: int = 0
    worst: bool = False
    count: int = 50


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """What is recommended.

    Attributes
    ----------
    code : int
        Of an item for a new user, of a user for a new item.
    prediction : float
    parts : Contributions or None
        What the prediction is made of; None for a net, whose prediction is no sum.
    """

    code: int
    prediction: float
    parts: Contributions | None


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a model makes of a newcomer.

    Attributes
    ----------
    side : {"user", "item"}
        What the newcomer is.
    codes : ndarray (n,) int64
        What it rated, or who rated it.
    ratings, fitted : ndarray (n,) float64
        As typed, and as the learned row predicts them.
    row : FoldedIn
    listed : tuple of Listed
    predictions : ndarray (m,) float64
        Of all items, or of all users.
    model : Factors or None
        As the newcomer sees it: for a new item, users and items change places. None for a net.
    ridge : Ridge or None
    milliseconds : float
        That the learning of the row took.
    losses : ndarray (s,) float64
        RMSE on the typed ratings after each step; one for the closed form.
    """

    side: Side
    codes: npt.NDArray[np.int64]
    ratings: Doubles
    fitted: Doubles
    row: FoldedIn
    listed: tuple[Listed, ...]
    predictions: Doubles
    model: Factors | None
    ridge: Ridge | None
    milliseconds: float
    losses: Doubles


def swapped(model: Factors) -> Factors:
    """Return the model with users and items in each other's place; its scores stay."""
    return dataclasses.replace(
        model,
        user_bias=model.item_bias,
        item_bias=model.user_bias,
        user_factors=model.item_factors,
        item_factors=model.user_factors,
    )


def answer(
    model: Factors,
    side: Side,
    typed: dict[int, float],
    wishes: Wishes,
    counts: npt.NDArray[Any],
    ridge: Ridge | None = None,
    learns_bias: bool = True,
) -> Answer:
    """Learn a newcomer's row and list what fits it.

    Parameters
    ----------
    model : Factors
    side : {"user", "item"}
    typed : dict of code to rating
        Codes of items for a new user, of users for a new item.
    wishes : Wishes
    counts : ndarray (m,)
        Training ratings of each item, or of each user.
    ridge : Ridge, optional
    learns_bias : bool
        False for models without biases.
    """
    seen = model if side == "user" else swapped(model)
    codes = np.fromiter(typed.keys(), np.int64, len(typed))
    ratings = np.fromiter(typed.values(), np.float64, len(typed))
    pull = ridge or Ridge()
    began = time.perf_counter()
    if wishes.way == "closed":
        row = fold_in_user(seen, codes, ratings, pull, learns_bias)
        losses = np.array([row.rmse])
    else:
        steps = list(fold_in_user_by_steps(seen, codes, ratings, pull, STEPS, learns_bias))
        row = steps[-1]
        losses = np.array([step.rmse for step in steps])
    took = 1000 * (time.perf_counter() - began)
    listed = recommend(
        seen, row.bias, row.factors, wishes.count, seen=codes, hide_seen=wishes.hide_rated,
        item_counts=counts, at_least=wishes.at_least, at_most=wishes.at_most or None,
        worst=wishes.worst,
    )  # fmt: skip
    predictions = seen.predict_items(row.bias, row.factors)
    return Answer(
        side, codes, ratings, predictions[codes], row,
        tuple(Listed(r.item, r.prediction, r.contributions) for r in listed),
        predictions, seen, pull, took, losses,
    )  # fmt: skip


def chosen_ridge(
    model: Factors, train: RatingTable, valid: RatingTable, learns_bias: bool = True
) -> Ridge:
    """Choose the ridge with which known users, learned anew as newcomers, are predicted best.

    Parameters
    ----------
    train, valid : RatingTable
        A user's row is learned from a few ratings of the one and judged on the other; without
        validation ratings a fifth of the training ratings of each user is kept back.
    """
    source = valid if len(valid) else train
    users, counts = np.unique(source.users, return_counts=True)
    users = users[counts >= 3]
    if not len(users):
        return Ridge()
    picked = np.random.default_rng(0).permutation(users)[:TRIED]
    trials = [_trial(int(user), train, valid) for user in picked]
    trials = [trial for trial in trials if len(trial[0]) and len(trial[2])]
    if not trials:
        return Ridge()
    best, least = Ridge(), np.inf
    for strength in LADDER:
        ridge = Ridge(strength, SHARE, min(strength, Ridge().bias_strength))
        total = 0.0
        for items, ratings, held_items, held in trials:
            row = fold_in_user(model, items, ratings, ridge, learns_bias)
            scores = model.item_factors[held_items] @ row.factors
            predicted = model.linked(model.mean + row.bias + model.item_bias[held_items] + scores)
            total += float(np.sum((predicted - held) ** 2))
        if total < least:
            best, least = ridge, total
    return best


def _trial(
    user: int, train: RatingTable, valid: RatingTable
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """Return items and ratings to learn a user from, then items and ratings to judge it on."""
    rows = np.flatnonzero(train.users == user)
    if len(valid):
        own, held = rows[:FEW], np.flatnonzero(valid.users == user)
        return train.items[own], train.ratings[own], valid.items[held], valid.ratings[held]
    is_held = np.arange(len(rows)) % 5 == 4
    own, kept = rows[~is_held][:FEW], rows[is_held]
    return train.items[own], train.ratings[own], train.items[kept], train.ratings[kept]


def with_newcomer(table: RatingTable, side: Side, typed: dict[int, float]) -> RatingTable:
    """Return a table with one more user or item, the last, and its ratings."""
    codes = np.fromiter(typed.keys(), np.int32, len(typed))
    new = np.full(len(codes), table.n_users if side == "user" else table.n_items, np.int32)
    users, items = (new, codes) if side == "user" else (codes, new)
    ids = {"user": table.user_ids, "item": table.item_ids}
    ids[side] = np.append(ids[side].astype(object), "new")
    titles = table.titles
    if titles is not None and side == "item":
        titles = np.append(titles, "")
    times = table.timestamps
    if times is not None:
        times = np.append(times, np.full(len(codes), times.max() if len(times) else 0))
    return RatingTable(
        np.concatenate([table.users, users]),
        np.concatenate([table.items, items]),
        np.concatenate([table.ratings, np.fromiter(typed.values(), np.float32, len(typed))]),
        ids["user"],
        ids["item"],
        titles,
        times,
    )


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a prediction, in stars.

    Attributes
    ----------
    label : str
    note : str
        What it was multiplied from; empty where it was not.
    stars : float
    """

    label: str
    note: str
    stars: float


def parts_of(answer: Answer, found: Listed, most: int | None = None) -> tuple[Part, ...]:
    """Return the parts of a prediction; they sum to it. Empty for a net.

    Parameters
    ----------
    most : int, optional
        Factors listed one by one, the largest first; the others become one part. None: all, in
        their own order.
    """
    parts, model = found.parts, answer.model
    if parts is None or model is None:
        return ()
    me, other = ("your", "the item's") if answer.side == "user" else ("the item's", "the user's")
    middle = "middle of the scale" if model.link == "sigmoid" else "average"
    out = [
        Part(label, "", stars)
        for label, stars in (
            (middle, parts.base), (f"{me} bias", parts.user_bias),
            (f"{other} bias", parts.item_bias),
        )
        if stars
    ]  # fmt: skip
    values = parts.factors
    order = np.argsort(-np.abs(values), kind="stable") if most is not None else range(len(values))
    shown = [int(j) for j in order][: len(values) if most is None else most]
    theirs = model.item_factors[found.code]
    for j in shown:
        note = f"{answer.row.factors[j]:.3f} × {float(theirs[j]):.3f}"
        out.append(Part(f"factor {j + 1}", note, float(values[j])))
    rest = len(values) - len(shown)
    if rest:
        total = float(values.sum() - values[shown].sum())
        out.append(Part(f"{rest} other factors", "", total))
    if abs(parts.limit) > 1e-9:
        out.append(Part("end of the scale", "", parts.limit))
    return tuple(out)
