"""The lesson's three models: EmbeddingDot, EmbeddingDotBias and EmbeddingNet.

Owns their parameters, start values and arithmetic. Must not know how they are trained nor where
ratings come from. All randomness comes from a torch.Generator that is handed in.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

Side = Literal["users", "items"]


class Lookup(NamedTuple):
    """An embedding, and whether users or items are looked up in it."""

    table: nn.Embedding
    side: Side


class LayerGroup(NamedTuple):
    """Parameters that share a learning rate and are frozen together."""

    name: str
    modules: tuple[nn.Module, ...]


def half_of_categories(count: int) -> int:
    """Return the first lesson's embedding size: half the categories, at most 50."""
    return min(50, (count + 1) // 2)


def power_of_categories(count: int) -> int:
    """Return the later lesson's embedding size: min(600, round(1.6 count ** 0.56))."""
    return min(600, round(1.6 * math.pow(count, 0.56)))


class Recommender(nn.Module):
    """What the three have in common: rows are looked up, then combined.

    Training makes use of the split: it takes the gradient of the rows of a batch instead of that
    of whole tables.
    """

    n_users: int
    n_items: int

    def lookups(self) -> tuple[Lookup, ...]:
        """Return the embeddings in the order in which :meth:`combine` takes their rows."""
        raise NotImplementedError

    def groups(self) -> tuple[LayerGroup, ...]:
        """Return the layer groups, from the input to the output."""
        raise NotImplementedError

    def combine(self, rows: Sequence[Tensor], items: Tensor, times: Tensor | None) -> Tensor:
        """Return the predictions (n,) from the looked-up rows, each (n, width)."""
        raise NotImplementedError

    def forward(self, users: Tensor, items: Tensor, times: Tensor | None = None) -> Tensor:
        """Return the predicted ratings.

        Parameters
        ----------
        users, items : Tensor (n,) integer
        times : Tensor (n, n_times) float32, optional
            Features of the moment of rating, for a net that has them.

        Returns
        -------
        Tensor (n,) float32
        """
        codes = {"users": users, "items": items}
        rows = [lookup.table(codes[lookup.side]) for lookup in self.lookups()]
        return self.combine(rows, items, times)


class EmbeddingDot(Recommender):
    """Rating = <user's factors, item's factors> (lesson 5, ``EmbeddingDot``).

    Parameters
    ----------
    n_users, n_items : int
    n_factors : int
    init_range : (float, float)
        Factors start uniform in it.
    generator : torch.Generator
        On the CPU.
    """

    def __init__(
        self,
        n_users: int,
        n_items: int,
        n_factors: int = 50,
        *,
        init_range: tuple[float, float] = (0.0, 0.05),
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.n_users, self.n_items = n_users, n_items
        self.u = uniform_embedding(n_users, n_factors, init_range, generator)
        self.m = uniform_embedding(n_items, n_factors, init_range, generator)

    def lookups(self) -> tuple[Lookup, ...]:
        """See :meth:`Recommender.lookups`."""
        return Lookup(self.u, "users"), Lookup(self.m, "items")

    def groups(self) -> tuple[LayerGroup, ...]:
        """See :meth:`Recommender.groups`."""
        return (LayerGroup("factors", (self.u, self.m)),)

    def combine(self, rows: Sequence[Tensor], items: Tensor, times: Tensor | None) -> Tensor:
        """See :meth:`Recommender.combine`."""
        u, m = rows
        return (u * m).sum(1)


class EmbeddingDotBias(Recommender):
    """Rating = <user's factors, item's factors> + user's bias + item's bias (lesson 5).

    Parameters
    ----------
    n_users, n_items : int
    n_factors : int
    y_range : (float, float), optional
        If given, the sum goes through a sigmoid that spans it; lesson 5 has the smallest and the
        largest rating, the later lesson (0, 5.5).
    init_range : (float, float)
        Factors and biases start uniform in it.
    generator : torch.Generator
        On the CPU.
    """

    def __init__(
        self,
        n_users: int,
        n_items: int,
        n_factors: int = 50,
        *,
        y_range: tuple[float, float] | None = (0.5, 5.0),
        init_range: tuple[float, float] = (-0.01, 0.01),
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.n_users, self.n_items, self.y_range = n_users, n_items, y_range
        self.u = uniform_embedding(n_users, n_factors, init_range, generator)
        self.m = uniform_embedding(n_items, n_factors, init_range, generator)
        self.ub = uniform_embedding(n_users, 1, init_range, generator)
        self.mb = uniform_embedding(n_items, 1, init_range, generator)

    def lookups(self) -> tuple[Lookup, ...]:
        """See :meth:`Recommender.lookups`."""
        return (
            Lookup(self.u, "users"),
            Lookup(self.m, "items"),
            Lookup(self.ub, "users"),
            Lookup(self.mb, "items"),
        )

    def groups(self) -> tuple[LayerGroup, ...]:
        """See :meth:`Recommender.groups`."""
        return LayerGroup("factors", (self.u, self.m)), LayerGroup("biases", (self.ub, self.mb))

    def combine(self, rows: Sequence[Tensor], items: Tensor, times: Tensor | None) -> Tensor:
        """See :meth:`Recommender.combine`."""
        u, m, ub, mb = rows
        res = (u * m).sum(1) + ub.squeeze(1) + mb.squeeze(1)
        return res if self.y_range is None else sigmoid_range(res, *self.y_range)


class EmbeddingNet(Recommender):
    """Rating = a small net on user's and item's factors side by side (lesson 5).

    Parameters
    ----------
    n_users, n_items : int
    user_factors, item_factors : int
        Widths of the two embeddings; see :func:`half_of_categories`, :func:`power_of_categories`.
    hidden : sequence of int
        Units of the hidden layers; the lesson has one of 10.
    dropouts : sequence of float
        After the embeddings, then after each hidden layer.
    y_range : (float, float), optional
        Span of the last sigmoid; the lesson goes half a star beyond both ends.
    init_range : (float, float)
        Embeddings start uniform in it; linear layers as nn.Linear does.
    genres : Tensor (n_items, n_genres), optional
        One column a genre, 0 or 1; joined to each item's factors.
    n_times : int
        Features of the moment of rating, handed to ``forward``.
    generator : torch.Generator
        On the CPU.
    """

    genres: Tensor | None

    def __init__(
        self,
        n_users: int,
        n_items: int,
        user_factors: int = 50,
        item_factors: int = 50,
        *,
        hidden: Sequence[int] = (10,),
        dropouts: Sequence[float] = (0.05, 0.5),
        y_range: tuple[float, float] | None = (0.0, 5.5),
        init_range: tuple[float, float] = (-0.01, 0.01),
        genres: Tensor | None = None,
        n_times: int = 0,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        if len(dropouts) != len(hidden) + 1:
            raise ValueError(f"{len(hidden)} hidden layers need {len(hidden) + 1} dropouts")
        self.n_users, self.n_items, self.y_range, self.n_times = n_users, n_items, y_range, n_times
        self.u = uniform_embedding(n_users, user_factors, init_range, generator)
        self.m = uniform_embedding(n_items, item_factors, init_range, generator)
        self.register_buffer("genres", genres)
        width = user_factors + item_factors + n_times
        width += 0 if genres is None else genres.shape[1]
        sizes = (width, *hidden, 1)
        self.lins = nn.ModuleList(linear(a, b, generator) for a, b in itertools.pairwise(sizes))
        self.drops = nn.ModuleList(SeededDropout(p) for p in dropouts)

    def lookups(self) -> tuple[Lookup, ...]:
        """See :meth:`Recommender.lookups`."""
        return Lookup(self.u, "users"), Lookup(self.m, "items")

    def groups(self) -> tuple[LayerGroup, ...]:
        """See :meth:`Recommender.groups`."""
        found = [LayerGroup("embeddings", (self.u, self.m))]
        found += [
            LayerGroup(f"hidden layer {i}", (layer,)) for i, layer in enumerate(self.lins[:-1], 1)
        ]
        return (*found, LayerGroup("output layer", (self.lins[-1],)))

    def combine(self, rows: Sequence[Tensor], items: Tensor, times: Tensor | None) -> Tensor:
        """See :meth:`Recommender.combine`."""
        parts = list(rows)
        if self.genres is not None:
            parts.append(self.genres[items].to(rows[0].dtype))
        if self.n_times:
            if times is None or times.shape[1] != self.n_times:
                raise ValueError(f"this net wants {self.n_times} time features")
            parts.append(times)
        x = self.drops[0](torch.cat(parts, 1))
        for layer, drop in zip(self.lins[:-1], self.drops[1:], strict=True):
            x = drop(functional.relu(layer(x)))
        res: Tensor = self.lins[-1](x).squeeze(1)
        return res if self.y_range is None else sigmoid_range(res, *self.y_range)


class SeededDropout(nn.Module):
    """Dropout whose mask comes from a generator of its own (Srivastava and others 2014).

    With a generator in the state of torch's own it gives the numbers of nn.Dropout.

    Attributes
    ----------
    p : float
        Share that is dropped in training.
    generator : torch.Generator or None
        On the device of the input; None: torch's own.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError(f"a dropout of {p} is not possible")
        self.p = p
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Return x with a random share of zeros, the rest scaled up; x itself outside training."""
        if not self.training or not self.p:
            return x
        mask = torch.empty_like(x).bernoulli_(1 - self.p, generator=self.generator)
        return x * mask.div_(1 - self.p)


def sigmoid_range(x: Tensor, low: float, high: float) -> Tensor:
    """Return low + (high - low) * sigmoid(x)."""
    return torch.sigmoid(x) * (high - low) + low


def uniform_embedding(
    count: int, width: int, init_range: tuple[float, float], generator: torch.Generator
) -> nn.Embedding:
    """Return an embedding that starts uniform in a range, torch's own generator untouched."""
    weight = torch.empty(count, width).uniform_(*init_range, generator=generator)
    make: Callable[..., nn.Embedding] = nn.Embedding.from_pretrained
    return make(weight, freeze=False)


def linear(inputs: int, outputs: int, generator: torch.Generator) -> nn.Linear:
    """Return a linear layer that starts as nn.Linear does (He and others 2015, a = sqrt 5)."""
    make: Callable[..., nn.Linear] = nn.utils.skip_init
    layer = make(nn.Linear, inputs, outputs)
    bound = 1 / math.sqrt(inputs) if inputs else 0.0
    with torch.no_grad():
        layer.weight.uniform_(-bound, bound, generator=generator)
        layer.bias.uniform_(-bound, bound, generator=generator)
    return layer
