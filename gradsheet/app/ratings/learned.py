"""What a model has learned, frozen: embeddings, and predictions from them.

Owns `Learned` and the net's arithmetic on numpy arrays. Must not know training; numpy only, so
that a window can predict without torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from gradsheet.collab.factors import Codes, Doubles, Factors, Floats

Side = Literal["users", "items"]
_PART = 1 << 16


@dataclass(frozen=True, slots=True, eq=False)
class NetLayers:
    """The layers of an EmbeddingNet after its embeddings.

    Attributes
    ----------
    weights : tuple of ndarray (outputs, inputs) float32
        ReLU between two of them.
    biases : tuple of ndarray (outputs,) float32
    genres : ndarray (n_items, n_genres) float32 or None
    n_times : int
        Features of the moment; predictions here are of an average moment, features 0.
    y_range : (float, float) or None
    """

    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]
    genres: Floats | None
    n_times: int
    y_range: tuple[float, float] | None

    def predict(self, users: Floats, items: Floats, codes: Codes) -> Doubles:
        """Return predictions from rows of embeddings (n, k), (n, m) of items ``codes``."""
        return self.ranged(self.activations(self.inputs(users, items, codes))[-1])[:, 0]

    def inputs(self, users: Floats, items: Floats, codes: Codes) -> Doubles:
        """Return what the first layer reads (n, inputs): embeddings, genres, moment."""
        parts = [users.astype(np.float64), items.astype(np.float64)]
        if self.genres is not None:
            parts.append(self.genres[codes].astype(np.float64))
        if self.n_times:
            parts.append(np.zeros((len(codes), self.n_times)))
        return np.concatenate(parts, axis=1)

    def activations(self, inputs: Doubles) -> list[Doubles]:
        """Return the outputs (n, width) of each layer; the last one's are scores (n, 1)."""
        found = [inputs]
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            found.append(np.maximum(found[-1] @ weight.T + bias, 0.0))
        found.append(found[-1] @ self.weights[-1].T + self.biases[-1])
        return found[1:]

    def ranged(self, scores: Doubles) -> Doubles:
        """Return predictions in stars from scores."""
        if self.y_range is None:
            return scores
        low, high = self.y_range
        stars: Doubles = low + (high - low) * (0.5 + 0.5 * np.tanh(0.5 * scores))
        return stars


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """A model as it stands.

    Attributes
    ----------
    revision : int
        Grows with every change, so that a view can tell one from another.
    user_rows, item_rows : ndarray (n_users, k), (n_items, m) float32
        The embeddings.
    factors : Factors or None
        With the biases; None for a net.
    net : NetLayers or None
    low, high : float
        Range of the ratings.
    """

    revision: int
    user_rows: Floats
    item_rows: Floats
    factors: Factors | None
    net: NetLayers | None
    low: float
    high: float

    @property
    def user_bias(self) -> Floats | None:
        """Biases (n_users,); None where the model has none."""
        return None if self.factors is None else self.factors.user_bias

    @property
    def item_bias(self) -> Floats | None:
        """Biases (n_items,); None where the model has none."""
        return None if self.factors is None else self.factors.item_bias

    def predict(self, users: npt.ArrayLike, items: npt.ArrayLike) -> Doubles:
        """Return the predictions of pairs.

        Parameters
        ----------
        users, items : array_like (n,) int
            Codes.

        Returns
        -------
        ndarray (n,) float64
            In stars.
        """
        u: npt.NDArray[Any] = np.asarray(users)
        i: npt.NDArray[Any] = np.asarray(items)
        if self.factors is not None:
            return self.factors.predict(u, i)
        assert self.net is not None
        out = np.empty(len(u))
        for begin in range(0, len(u), _PART):
            part = slice(begin, begin + _PART)
            out[part] = self.net.predict(self.user_rows[u[part]], self.item_rows[i[part]], i[part])
        return out
