"""Biases and factors as learned, in one form, whatever model and mode they were learned by.

Owns prediction from them. Must not know how they were learned; numpy only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float32]
Doubles: TypeAlias = npt.NDArray[np.float64]
Codes: TypeAlias = npt.NDArray[Any]

Link = Literal["identity", "clip", "sigmoid"]

_PART = 1 << 18


@dataclass(frozen=True, slots=True, eq=False)
class Factors:
    """score = mean + user bias + item bias + <user factors, item factors>; prediction = link.

    Attributes
    ----------
    mean : float
        What a user and an item of which nothing is known get; 0 for models without it.
    user_bias, item_bias : ndarray (n_users,), (n_items,) float32
        Zero for models without biases.
    user_factors, item_factors : ndarray (n_users, k), (n_items, k) float32
    link : {"identity", "clip", "sigmoid"}
        The prediction is the score; the score limited to the range; or
        low + (high - low) * sigmoid(score).
    low, high : float
        The range, in stars.
    """

    mean: float
    user_bias: Floats
    item_bias: Floats
    user_factors: Floats
    item_factors: Floats
    link: Link
    low: float
    high: float

    @property
    def n_users(self) -> int:
        """Number of users."""
        return len(self.user_bias)

    @property
    def n_items(self) -> int:
        """Number of items."""
        return len(self.item_bias)

    @property
    def width(self) -> int:
        """Number of factors."""
        return int(self.item_factors.shape[1])

    def scores(self, users: Codes, items: Codes) -> Doubles:
        """Return the scores of pairs (n,) float64."""
        out = np.empty(len(users), dtype=np.float64)
        for begin in range(0, len(users), _PART):
            part = slice(begin, begin + _PART)
            u, i = users[part], items[part]
            dot = np.einsum("nk,nk->n", self.user_factors[u], self.item_factors[i], dtype=float)
            dot += self.mean  # float64, unlike the biases: nothing is rounded on the way
            dot += self.user_bias[u]
            out[part] = dot + self.item_bias[i]
        return out

    def predict(self, users: Codes, items: Codes) -> Doubles:
        """Return the predictions of pairs (n,) float64, in stars."""
        return self.linked(self.scores(users, items))

    def predict_items(self, bias: float, factors: npt.ArrayLike) -> Doubles:
        """Return a user's predictions of all items (n_items,) float64.

        Parameters
        ----------
        bias : float
        factors : array_like (k,)
        """
        row = np.asarray(factors, dtype=np.float64)
        scores: Doubles = self.item_factors @ row + (self.mean + bias) + self.item_bias
        return self.linked(scores)

    def linked(self, scores: npt.ArrayLike) -> Doubles:
        """Return the predictions that belong to scores."""
        out: Doubles = np.asarray(scores, dtype=np.float64)
        if self.link == "sigmoid":
            # tanh does not overflow where exp would.
            return self.low + (self.high - self.low) * (0.5 + 0.5 * np.tanh(0.5 * out))
        if self.link == "clip":
            out = np.clip(out, self.low, self.high)
        return out
