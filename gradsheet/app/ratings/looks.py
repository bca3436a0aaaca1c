"""What the views of a rating set show: records, and the arithmetic that fills them.

Owns what is judged on which ratings, and how often the picture of a live run is drawn anew is
`looking`'s. Must not know sessions, threads or windows; numpy only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from gradsheet.app.ratings.item_names import ItemNames
from gradsheet.collab import evaluate, explore
from gradsheet.collab.evaluate import Baseline, Errors, Hexbin, PopularityBand
from gradsheet.ratings.table import RatingTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradsheet.app.ratings.learned import Learned

Doubles = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

COMPONENTS = 10
"""Axes of the map that can be chosen."""
FEWEST = 30
"""Items with enough ratings below which the map takes all."""
LIVE_MOST = 100_000
"""Ratings on which a running model is judged; a finished one is judged on all."""
ACROSS = 20
"""Hexagons in a row where ratings are not a few steps."""
STEPS_ACROSS = 15
"""About as many where ratings are steps: each step gets its own row of the lattice."""
MOST_STEPS = 24
"""Ratings of more different values than this are no steps."""


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """What does not change while a model learns.

    Attributes
    ----------
    train, valid : RatingTable
        ``valid`` may be empty.
    names : ItemNames
    item_counts, user_counts : ndarray int64
        Ratings of each in the training part.
    baselines : tuple of Baseline
    simple : ndarray (n,) float64
        What the biases alone predict of the judged ratings, for comparison by popularity.
    judged : RatingTable
        The ratings that models are judged on: the validation part, else the training part.
    part : {"validation", "training"}
        Which of the two it is.
    """

    train: RatingTable
    valid: RatingTable
    names: ItemNames
    item_counts: Counts
    user_counts: Counts
    baselines: tuple[Baseline, ...]
    simple: Doubles
    judged: RatingTable
    part: Literal["validation", "training"]


def facts_of(
    train: RatingTable, valid: RatingTable, genres: Sequence[str] | None = None
) -> Facts:
    """Gather what the views show besides the model.

    Parameters
    ----------
    train, valid : RatingTable
        With the same users and items.
    genres : sequence of str (n_items,), optional
        As in ``ItemNames``.
    """
    judged = valid if len(valid) else train
    user_bias, item_bias = evaluate.fit_biases(train)
    mean = float(np.mean(train.ratings, dtype=np.float64))
    simple = mean + user_bias[judged.users] + item_bias[judged.items]
    counts = train.item_counts()
    whole = counts + (valid.item_counts() if len(valid) else 0)
    titles = [train.item_title(code) for code in range(train.n_items)]
    return Facts(
        train=train,
        valid=valid,
        names=ItemNames(titles, whole, genres),
        item_counts=counts,
        user_counts=train.user_counts(),
        baselines=tuple(evaluate.baselines(train, judged)),
        simple=np.clip(simple, train.ratings.min(), train.ratings.max()),
        judged=judged,
        part="validation" if len(valid) else "training",
    )


@dataclass(frozen=True, slots=True, eq=False)
class ErrorLook:
    """How good the predictions are.

    Attributes
    ----------
    errors : Errors
        Of the model.
    cells : Hexbin
        Of the judged ratings; ``x`` is the prediction and ``y`` the rating, so that each rating
        of a few steps has a column of hexagons to itself when they are drawn upright.
    popularity, simple_popularity : tuple of PopularityBand
        Of the model, and of biases alone.
    used, available : int
        Ratings judged on, of how many there are.
    """

    errors: Errors
    cells: Hexbin
    popularity: tuple[PopularityBand, ...]
    simple_popularity: tuple[PopularityBand, ...]
    used: int
    available: int


def error_look(learned: Learned, facts: Facts, most: int | None = None) -> ErrorLook:
    """Judge a model.

    Parameters
    ----------
    most : int, optional
        Ratings to judge on at most, drawn at random with a fixed seed; None: all.
    """
    judged, simple = facts.judged, facts.simple
    available = len(judged)
    if most is not None and available > most:
        rows = np.sort(np.random.default_rng(0).choice(available, most, replace=False))
        judged, simple = judged.take(rows), simple[rows]
    predicted = learned.predict(judged.users, judged.items)
    low, high, across = lattice(judged.ratings)
    return ErrorLook(
        errors=evaluate.errors(predicted, judged.ratings),
        cells=evaluate.hexbin(predicted, judged.ratings, low, high, across),
        popularity=tuple(evaluate.error_by_popularity(predicted, judged, facts.item_counts)),
        simple_popularity=tuple(evaluate.error_by_popularity(simple, judged, facts.item_counts)),
        used=len(judged),
        available=available,
    )


def lattice(ratings: npt.NDArray[np.float32]) -> tuple[float, float, float]:
    """Return range and hexagons across that put each rating in the middle of a hexagon.

    Rows of hexagons are ``width * sqrt(3)`` apart; ratings in steps want a row each.
    """
    values = np.unique(ratings[: 1 << 20])
    low, high = float(values[0]), float(values[-1])
    if high <= low:
        return low - 0.5, high + 0.5, float(ACROSS)
    if len(values) > MOST_STEPS:
        return low, high, float(ACROSS)
    step = float(np.min(np.diff(values)))
    rows = max(1, round(step * STEPS_ACROSS / ((high - low) * np.sqrt(3.0))))
    return low, high, (high - low) * np.sqrt(3.0) * rows / step


@dataclass(frozen=True, slots=True, eq=False)
class MapLook:
    """Items by their embeddings.

    Attributes
    ----------
    items : ndarray (n,) int64
        Codes of those on the map.
    components : Components
        Of their embeddings; a row of the coordinates for each item in ``items``.
    at_least : int
        Training ratings that each has.
    """

    items: Counts
    components: explore.Components
    at_least: int


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One state of a model, as the views show it; None where nobody asked or there is none.

    Attributes
    ----------
    revision : int
        Of the model.
    learned : Learned
    errors : ErrorLook or None
    ranking : Ranking or None
        Of all items with a rating, the highest bias first; None for models without biases.
    map : MapLook or None
    """

    revision: int
    learned: Learned
    errors: ErrorLook | None = None
    ranking: explore.Ranking | None = None
    map: MapLook | None = None


def has_item_biases(learned: Learned) -> bool:
    """Whether items can be ranked by bias."""
    return learned.factors is not None and bool(np.any(learned.factors.item_bias))


def ranking_of(learned: Learned, facts: Facts) -> explore.Ranking | None:
    """Rank all items that have a training rating; None where the model has no biases."""
    if learned.factors is None or not has_item_biases(learned):
        return None
    return explore.bias_ranking(learned.factors.item_bias, facts.train)


def map_look(
    learned: Learned,
    facts: Facts,
    at_least: int = 1,
    before: MapLook | None = None,
    hold: bool = False,
) -> MapLook | None:
    """Return the map of the items' embeddings.

    Parameters
    ----------
    at_least : int
        Training ratings that an item must have to be on the map; with too few such items, 1.
    before : MapLook, optional
        The picture before: an axis that points the other way is turned round, so that a live
        map does not flip. Which way an axis points says nothing.
    hold : bool
        Keep axes, centre and shares of the picture before, as while a dot is dragged.
    """
    rows = learned.item_rows
    if hold and before is not None and before.components.axes.shape[1] == rows.shape[1]:
        own = before.components
        there = (rows[before.items].astype(np.float64) - own.centre) @ own.axes.T
        return replace(before, components=replace(own, coordinates=there))
    items = np.flatnonzero(facts.item_counts >= at_least)
    if len(items) < FEWEST:
        at_least, items = 1, np.flatnonzero(facts.item_counts >= 1)
    if not len(items) or not rows.shape[1]:
        return None
    found = explore.principal_components(rows[items], COMPONENTS)
    if before is not None and before.components.axes.shape == found.axes.shape:
        signs = np.where(
            np.einsum("ck,ck->c", before.components.axes, found.axes) < 0, -1.0, 1.0
        )
        found = replace(
            found, axes=found.axes * signs[:, None], coordinates=found.coordinates * signs[None]
        )
    return MapLook(items, found, at_least)
