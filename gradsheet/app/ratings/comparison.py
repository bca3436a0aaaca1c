"""Two trained models side by side: choices that differ, errors, popularity, where they disagree.

Owns the records and the task that fills them. Must not know windows or how models learn.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gradsheet.app.ratings.choices import LearnChoice, ModelChoice
from gradsheet.app.ratings.learned import Learned
from gradsheet.app.ratings.plan import Difference, differences
from gradsheet.collab.evaluate import Doubles, Errors, PopularityBand, error_by_popularity, errors
from gradsheet.collab.report import EpochRow
from gradsheet.ratings.table import RatingTable
from gradsheet.tasks import Control

if TYPE_CHECKING:
    from gradsheet.app.ratings.session import RatingsSession

MOST_RATINGS = 500_000
"""Predictions made for a comparison; of a larger validation part it takes so many at random."""
MOST_DISAGREEMENTS = 50


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A trained model: one that was kept, or what is learned now.

    Attributes
    ----------
    name : str
    model, learn : ModelChoice, LearnChoice
    epochs : tuple of EpochRow
    learned : Learned
    split : object
        Which ratings were kept back when it was trained; equal splits compare equal.
    """

    name: str
    model: ModelChoice
    learn: LearnChoice
    epochs: tuple[EpochRow, ...]
    learned: Learned
    split: object


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A rating that two models predict differently.

    Attributes
    ----------
    user, item : int
        Codes.
    actual, first, second : float
        In stars.
    """

    user: int
    item: int
    actual: float
    first: float
    second: float


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """What two models have and have not in common.

    Attributes
    ----------
    first, second : Trained
    choices : tuple of Difference
    errors : (Errors, Errors)
    bands : (tuple of PopularityBand, tuple of PopularityBand)
        Errors by the training ratings of the item.
    disagreements : tuple of Disagreement
        The largest first.
    part : str
        On which ratings, in words.
    """

    first: Trained
    second: Trained
    choices: tuple[Difference, ...]
    errors: tuple[Errors, Errors]
    bands: tuple[tuple[PopularityBand, ...], tuple[PopularityBand, ...]]
    disagreements: tuple[Disagreement, ...]
    part: str


def trained_models(session: RatingsSession) -> list[Trained]:
    """Return what can be compared: the model as it is now, if it has learned, and those kept."""
    found = []
    if session.learned is not None and session.steps_done:
        found.append(
            Trained(
                "now",
                session.model_choice,
                session.learn_choice,
                tuple(session.epochs),
                session.learned,
                session.split_choice,
            )
        )
    for kept in session.kept:
        found.append(
            Trained(
                kept.name,
                kept.model_choice,
                kept.learn_choice,
                kept.epochs,
                kept.learned,
                kept.mark.split_choice,
            )
        )
    return found


def compare(
    first: Trained,
    second: Trained,
    train: RatingTable,
    valid: RatingTable | None,
    control: Control | None = None,
) -> Generator[Comparison, None, Comparison]:
    """Compare two models on the ratings that are kept back, or else on those learned from.

    Raises
    ------
    Cancelled
        At a checkpoint after a cancel.
    """
    control = Control() if control is None else control
    has_valid = valid is not None and len(valid) > 0
    table = valid if has_valid and valid is not None else train
    part = f"{len(table):,} ratings {'that are kept back' if has_valid else 'learned from'}"
    if len(table) > MOST_RATINGS:
        chosen = np.random.default_rng(0).choice(len(table), MOST_RATINGS, replace=False)
        table = table.take(np.sort(chosen))
        part = f"{MOST_RATINGS:,} of the {part}, at random"
    if first.split != second.split:
        part += "; the models were trained with other ratings kept back, so one may have seen some"
    predictions = []
    for model in (first, second):
        control.checkpoint()
        predictions.append(model.learned.predict(table.users, table.items))
    control.checkpoint()
    counts = train.item_counts()
    result = Comparison(
        first,
        second,
        tuple(differences((first.model, first.learn), (second.model, second.learn))),
        (errors(predictions[0], table.ratings), errors(predictions[1], table.ratings)),
        (
            tuple(error_by_popularity(predictions[0], table, counts)),
            tuple(error_by_popularity(predictions[1], table, counts)),
        ),
        _disagreements(table, predictions[0], predictions[1]),
        part,
    )
    yield result
    return result


def _disagreements(table: RatingTable, first: Doubles, second: Doubles) -> tuple[Disagreement, ...]:
    apart = np.abs(first - second)
    count = min(MOST_DISAGREEMENTS, len(apart))
    top = np.argpartition(-apart, count - 1)[:count] if count else np.empty(0, np.int64)
    top = top[np.argsort(-apart[top], kind="stable")]
    return tuple(
        Disagreement(
            int(table.users[i]),
            int(table.items[i]),
            float(table.ratings[i]),
            float(first[i]),
            float(second[i]),
        )
        for i in top.tolist()
    )
