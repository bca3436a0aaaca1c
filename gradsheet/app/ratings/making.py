"""The user's choices as models and settings of collab.

Owns the translation. Knows torch; must not know documents or windows.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import torch

from gradsheet.app.ratings.choices import LearnChoice, ModelChoice
from gradsheet.collab import models
from gradsheet.collab.fast import FastSettings
from gradsheet.collab.features import genre_flags, time_features
from gradsheet.collab.fit import FitSettings
from gradsheet.collab.splits import Split
from gradsheet.formula.values import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence


def make_model(
    choice: ModelChoice, split: Split, genres: Sequence[str] | None = None
) -> models.Recommender:
    """Return the model at its random start."""
    train = split.train
    n_users, n_items = train.n_users, train.n_items
    generator = torch.Generator().manual_seed(choice.seed)
    start = choice.start_range
    if choice.kind == "dot":
        return models.EmbeddingDot(
            n_users, n_items, choice.factors, init_range=start, generator=generator
        )
    if choice.kind == "bias":
        return models.EmbeddingDotBias(
            n_users,
            n_items,
            choice.factors,
            y_range=choice.y_range,
            init_range=start,
            generator=generator,
        )
    if choice.genres and genres is None:
        raise UserError(
            "No genres are known for these items.",
            "Open the ratings with a movies file beside them, or leave genres out.",
        )
    users, items = embedding_sizes(choice, n_users, n_items)
    return models.EmbeddingNet(
        n_users,
        n_items,
        users,
        items,
        hidden=choice.hidden,
        dropouts=choice.dropouts,
        y_range=choice.y_range,
        init_range=start,
        genres=genre_flags(genres).flags if choice.genres and genres is not None else None,
        n_times=0 if times_of(choice, split)[0] is None else 5,
        generator=generator,
    )


def embedding_sizes(choice: ModelChoice, n_users: int, n_items: int) -> tuple[int, int]:
    """Return the widths of a net's two embeddings by its rule."""
    if choice.size_rule == "given":
        return choice.user_factors, choice.item_factors
    rule = {"half": models.half_of_categories, "power": models.power_of_categories}
    width = rule[choice.size_rule]
    return width(n_users), width(n_items)


def times_of(choice: ModelChoice, split: Split) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    """Return the time features of both parts for a net that sees them, else None."""
    if choice.kind != "net" or not choice.time:
        return None, None
    timed = split.with_times()
    train, valid = timed.train.timestamps, timed.valid.timestamps
    if train is None:
        raise UserError(
            "These ratings have no times.", "Leave time out, or open a file with a column of times."
        )
    missing = valid is None
    return (
        time_features(train),
        None if missing else time_features(valid, train),  # type: ignore[arg-type]
    )


def fit_settings(learn: LearnChoice) -> FitSettings:
    """Return a choice as the settings of collab.fit."""
    rates = learn.group_rates
    return FitSettings(
        epochs=learn.epochs,
        batch_size=learn.batch_size,
        optimizer=learn.optimizer,
        hyper=learn.hyper,
        group_rates=None if rates is None else slice(*rates),
        frozen=learn.frozen,
        schedule=learn.schedule,
        cycle_len=learn.cycle_len,
        cycle_mult=learn.cycle_mult,
        patience=learn.patience,
        seed=learn.seed,
    )


def fast_settings(model: ModelChoice, learn: LearnChoice) -> FastSettings:
    """Return choices as the settings of collab.fast."""
    return dataclasses.replace(
        FastSettings(),
        factors=model.factors,
        strength=learn.strength,
        strength_share=learn.strength_share,
        bias_strength=learn.bias_strength,
        passes=learn.passes,
        rate=learn.fast_rate,
        momentum=learn.fast_momentum,
        patience=learn.fast_patience,
        seed=learn.seed,
    )
