"""A new user or item for any model, nets included: its rows learn by steps, the rest is fixed.

Owns that small training and a user's predictions of all items. Must not know windows. Models that
are sums over factors have a closed form in `foldin`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from gradsheet.collab.models import Recommender, Side


class NewRows(NamedTuple):
    """The embeddings of a user or an item that the model did not have.

    Attributes
    ----------
    rows : tuple of Tensor (1, width)
        One for each of the model's embeddings of that side, in its order.
    rmse : float
        On the ratings they were learned from.
    """

    rows: tuple[Tensor, ...]
    rmse: float


def fold_in_rows(
    model: Recommender,
    side: Side,
    codes: npt.ArrayLike,
    ratings: npt.ArrayLike,
    *,
    weight_decay: float = 0.0,
    rate: float = 0.05,
    steps: int = 60,
) -> Iterator[NewRows]:
    """Learn the rows of a new user or item; yield them after each step.

    Parameters
    ----------
    model : Recommender
        Stays as it is, its mode included.
    side : {"users", "items"}
        Which is new.
    codes : array_like (n,)
        Codes of what it rated, or of who rated it.
    ratings : array_like (n,)
    weight_decay : float
        Of the mean squared error, as in training.
    rate : float
        Of Adam.
    steps : int

    Notes
    -----
    It starts from the mean row of the side. Dropout is off. A new item has the genres of item 0
    only where the model has genres: hand such a model's items to a retraining instead.
    """
    device = next(model.parameters()).device
    other = torch.as_tensor(np.asarray(codes, dtype=np.int64), device=device)
    wanted = torch.as_tensor(np.asarray(ratings, dtype=np.float32), device=device)
    lookups = model.lookups()
    new = [
        x.table.weight.detach().mean(0, keepdim=True).requires_grad_(True)
        for x in lookups
        if x.side == side
    ]
    fixed = {i: x.table.weight.detach()[other] for i, x in enumerate(lookups) if x.side != side}
    optimizer = torch.optim.Adam(new, lr=rate, weight_decay=weight_decay)
    was_training = model.training
    items = other if side == "users" else torch.zeros_like(other)
    for _ in range(steps if len(wanted) else 0):
        model.eval()
        mine = iter(new)
        rows = [
            fixed[i] if i in fixed else next(mine).expand(len(wanted), -1)
            for i in range(len(lookups))
        ]
        loss = functional.mse_loss(model.combine(rows, items, _no_times(model, rows[0])), wanted)
        gradients = torch.autograd.grad(loss, new)
        model.train(was_training)
        for row, gradient in zip(new, gradients, strict=True):
            row.grad = gradient
        optimizer.step()
        yield NewRows(tuple(row.detach().clone() for row in new), math.sqrt(loss.item()))


def predictions_of(model: Recommender, rows: tuple[Tensor, ...]) -> npt.NDArray[np.float64]:
    """Return what a user with these embeddings is predicted to give each item (n_items,).

    Parameters
    ----------
    model : Recommender
        Stays as it is, its mode included.
    rows : tuple of Tensor (1, width)
        As :func:`fold_in_rows` gives them, or ``stored_rows`` for a user whom the model has.
    """
    was_training = model.training
    model.eval()
    mine = iter(rows)
    with torch.no_grad():
        parts = [
            next(mine).expand(model.n_items, -1) if x.side == "users" else x.table.weight
            for x in model.lookups()
        ]
        items = torch.arange(model.n_items, device=parts[0].device)
        found: Tensor = model.combine(parts, items, _no_times(model, parts[0]))
    model.train(was_training)
    out: npt.NDArray[np.float64] = found.cpu().numpy().astype(np.float64)
    return out


def stored_rows(model: Recommender, user: int) -> tuple[Tensor, ...]:
    """Return the embeddings of a user whom the model has."""
    return tuple(
        x.table.weight.detach()[user : user + 1] for x in model.lookups() if x.side == "users"
    )


def _no_times(model: Recommender, rows: Tensor) -> Tensor | None:
    """Return time features of no particular moment, for a model that wants some."""
    count = int(getattr(model, "n_times", 0))
    return rows.new_zeros(len(rows), count) if count else None
