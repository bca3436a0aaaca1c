"""Type yourself in where the model is a net: your embeddings learn by steps, the rest is fixed.

Owns the way from a copy of what is learned back to a net of its own. Knows torch; must not know
sessions or windows.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from gradsheet.app.ratings.learned import Learned
from gradsheet.app.ratings.making import make_model
from gradsheet.app.ratings.newcomer import Answer, Listed, Wishes
from gradsheet.collab.foldin import FoldedIn
from gradsheet.collab.foldin_net import fold_in_rows, predictions_of
from gradsheet.collab.models import EmbeddingNet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gradsheet.app.ratings.choices import ModelChoice
    from gradsheet.collab.splits import Split


def net_of(
    learned: Learned, choice: ModelChoice, split: Split, genres: Sequence[str] | None
) -> EmbeddingNet:
    """Return a net with the numbers of a copy."""
    model = make_model(choice, split, genres)
    assert isinstance(model, EmbeddingNet)
    assert learned.net is not None
    layers: Any = model.lins
    rows = {"users": learned.user_rows, "items": learned.item_rows}
    with torch.no_grad():
        for lookup in model.lookups():
            lookup.table.weight.copy_(torch.from_numpy(rows[lookup.side]))
        for layer, weight, bias in zip(
            layers, learned.net.weights, learned.net.biases, strict=True
        ):
            layer.weight.copy_(torch.from_numpy(weight))
            layer.bias.copy_(torch.from_numpy(bias))
    return model


def net_of_arrays(arrays: Mapping[str, Any], facts: Mapping[str, Any]) -> EmbeddingNet:
    """Return a net with the numbers of a file.

    Parameters
    ----------
    arrays : mapping
        As `outputs.model_file` names them.
    facts : mapping
        Fields of the ModelChoice.
    """
    users, items = (torch.from_numpy(arrays[f"{side}_factors"]) for side in ("user", "item"))
    genres = torch.from_numpy(arrays["genres"]) if "genres" in arrays else None
    inputs = arrays["layer0/weight"].shape[1]
    known = users.shape[1] + items.shape[1] + (0 if genres is None else genres.shape[1])
    model = EmbeddingNet(
        len(users),
        len(items),
        users.shape[1],
        items.shape[1],
        hidden=facts["hidden"],
        dropouts=facts["dropouts"],
        y_range=None if facts["y_range"] is None else tuple(facts["y_range"]),
        genres=genres,
        n_times=inputs - known,
        generator=torch.Generator(),
    )
    layers: Any = model.lins
    with torch.no_grad():
        model.u.weight.copy_(users)
        model.m.weight.copy_(items)
        for i, layer in enumerate(layers):
            layer.weight.copy_(torch.from_numpy(arrays[f"layer{i}/weight"]))
            layer.bias.copy_(torch.from_numpy(arrays[f"layer{i}/bias"]))
    return model


def net_answer(
    model: EmbeddingNet, typed: dict[int, float], wishes: Wishes, counts: npt.NDArray[Any]
) -> Answer:
    """Learn a new user's embeddings and list what fits them.

    Parameters
    ----------
    model : EmbeddingNet
        Stays as it is.
    typed : dict of item to rating
        At least one.
    wishes : Wishes
        ``way`` does not count: a net has no closed form.
    counts : ndarray (n_items,)
        Training ratings.
    """
    codes = np.fromiter(typed.keys(), np.int64, len(typed))
    ratings = np.fromiter(typed.values(), np.float64, len(typed))
    began = time.perf_counter()
    steps = list(fold_in_rows(model, "users", codes, ratings))
    took = 1000 * (time.perf_counter() - began)
    predictions = predictions_of(model, steps[-1].rows)
    allowed = counts >= wishes.at_least
    if wishes.at_most:
        allowed &= counts <= wishes.at_most
    if wishes.hide_rated:
        allowed[codes] = False
    known = np.flatnonzero(allowed)
    order = predictions[known] if wishes.worst else -predictions[known]
    best = known[np.argsort(order, kind="stable")[: wishes.count]]
    factors = np.concatenate([row.numpy()[0] for row in steps[-1].rows]).astype(np.float64)
    losses = np.array([step.rmse for step in steps])
    return Answer(
        "user", codes, ratings, predictions[codes],
        FoldedIn(0.0, factors, float(losses[-1]), len(steps)),
        tuple(Listed(int(i), float(predictions[i]), None) for i in best),
        predictions, None, None, took, losses,
    )  # fmt: skip
