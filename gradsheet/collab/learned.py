"""Between the lesson's models and plain factors: reading what was learned, and writing it back.

Owns the translation both ways. Must not know training.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from gradsheet.collab.factors import Factors, Floats
from gradsheet.collab.models import EmbeddingDot, EmbeddingDotBias, Recommender
from gradsheet.formula.values import UserError


def factors_of(model: Recommender, low: float, high: float) -> Factors:
    """Return what a dot-product model has learned.

    Parameters
    ----------
    model : EmbeddingDot or EmbeddingDotBias
    low, high : float
        Range of the ratings; not used where the model has a sigmoid range of its own.

    Raises
    ------
    UserError
        For a net, whose prediction is no sum over factors.
    """
    if isinstance(model, EmbeddingDot):
        return Factors(
            0.0,
            np.zeros(model.n_users, np.float32),
            np.zeros(model.n_items, np.float32),
            _array(model.u),
            _array(model.m),
            "identity",
            low,
            high,
        )
    if isinstance(model, EmbeddingDotBias):
        y_range = model.y_range
        return Factors(
            0.0,
            _array(model.ub)[:, 0],
            _array(model.mb)[:, 0],
            _array(model.u),
            _array(model.m),
            "identity" if y_range is None else "sigmoid",
            *(y_range or (low, high)),
        )
    raise UserError(
        "A net's predictions do not split into factors.",
        "Train EmbeddingDotBias to see contributions; the map and neighbours work for nets too.",
    )


def item_rows(model: Recommender) -> Floats:
    """Return the items' embeddings (n_items, k) of any model, for map and neighbours."""
    return _array(next(x.table for x in model.lookups() if x.side == "items"))


def write_back(model: EmbeddingDot | EmbeddingDotBias, factors: Factors) -> None:
    """Set a model's parameters, as an edit of the sheets Users and Items does.

    The model keeps its memory, so a run that learns it goes on from the new numbers. A mean is
    added to the items' biases.

    Raises
    ------
    ValueError
        If the shapes differ, or the model has no biases and the factors do.
    """
    item_bias = factors.item_bias + np.float32(factors.mean)
    pairs: list[tuple[nn.Embedding, Floats]] = [
        (model.u, factors.user_factors),
        (model.m, factors.item_factors),
    ]
    if isinstance(model, EmbeddingDotBias):
        pairs += [(model.ub, factors.user_bias[:, None]), (model.mb, item_bias[:, None])]
    elif item_bias.any() or factors.user_bias.any():
        raise ValueError("EmbeddingDot has no biases to write to")
    with torch.no_grad():
        for table, values in pairs:
            if tuple(table.weight.shape) != values.shape:
                raise ValueError(f"{tuple(table.weight.shape)} cannot take {values.shape}")
            table.weight.copy_(torch.from_numpy(np.ascontiguousarray(values)))


def model_of(factors: Factors) -> EmbeddingDotBias:
    """Return factors as the lesson's model, for learning on mini-batches from there.

    The mean becomes part of the items' biases. The lesson's model does not limit predictions to
    the range of ratings, which ``link="clip"`` does.
    """
    model = EmbeddingDotBias(
        factors.n_users,
        factors.n_items,
        factors.width,
        y_range=(factors.low, factors.high) if factors.link == "sigmoid" else None,
        generator=torch.Generator(),
    )
    write_back(model, factors)
    return model


def _array(table: nn.Embedding) -> Floats:
    weight: Tensor = table.weight.detach().cpu()
    out: Floats = weight.numpy().copy()
    return out
