"""What a user chooses before a rating set is learned: split, model, way of learning.

Owns the records and what in them is impossible. Must not know tensors or windows; a window
shows these fields one to one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from gradsheet.formula.values import UserError
from gradsheet.learn.hyper import Hyper

ModelKind = Literal["dot", "bias", "net"]
LearnMode = Literal["lesson", "fast"]
SplitKind = Literal["random", "last", "file"]
SizeRule = Literal["given", "half", "power"]
Schedule = Literal["constant", "annealed", "restarts", "one-cycle"]
Device = Literal["auto", "cpu", "cuda", "mps", "xpu"]

WORTH_FAST = 2_000_000
"""Ratings from which the fast way is proposed: an epoch of mini-batches takes minutes there."""


@dataclass(frozen=True, slots=True)
class SplitChoice:
    """Which ratings are kept back to judge by.

    Attributes
    ----------
    kind : {"random", "last", "file"}
        A random share, the last ratings of each user, or a file of their own.
    share : float
        Of random: 0 keeps none back.
    last : int
        Ratings of each user.
    path : Path or None
        Of file.
    seed : int
        Of random.
    """

    kind: SplitKind = "random"
    share: float = 0.2
    last: int = 1
    path: Path | None = None
    seed: int = 42

    def check(self) -> None:
        """Raise UserError if this cannot be."""
        if not 0 <= self.share < 1:
            raise UserError(
                f"A share of {self.share:.0%} cannot be kept back.",
                "Enter a share from 0 to less than 100 %.",
            )
        if self.last < 1:
            raise UserError("At least one rating of each user must be kept back.", "Enter 1.")
        if self.kind == "file" and self.path is None:
            raise UserError("No validation file is chosen.", "Choose one, or a random share.")


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model of the lesson and its sizes.

    Attributes
    ----------
    kind : {"dot", "bias", "net"}
        EmbeddingDot, EmbeddingDotBias, EmbeddingNet.
    factors : int
        Of dot and bias.
    y_range : (float, float) or None
        Span of the last sigmoid of bias and net; None: no sigmoid.
    user_factors, item_factors : int
        Of the net, where ``size_rule`` is "given".
    size_rule : {"given", "half", "power"}
        Half: half the categories, at most 50. Power: min(600, round(1.6 n ** 0.56)).
    hidden : tuple of int
        Units of the net's hidden layers.
    dropouts : tuple of float
        After the embeddings, then after each hidden layer.
    init_range : (float, float) or None
        Embeddings start uniform in it; None: the lesson's, 0 to 0.05 for dot, -0.01 to 0.01.
    genres, time : bool
        Whether the net also sees the items' genres and the moment of rating.
    seed : int
        Of the start.
    """

    kind: ModelKind = "bias"
    factors: int = 50
    y_range: tuple[float, float] | None = (0.5, 5.0)
    user_factors: int = 50
    item_factors: int = 50
    size_rule: SizeRule = "given"
    hidden: tuple[int, ...] = (10,)
    dropouts: tuple[float, ...] = (0.05, 0.5)
    init_range: tuple[float, float] | None = None
    genres: bool = False
    time: bool = False
    seed: int = 0

    @property
    def start_range(self) -> tuple[float, float]:
        """The range in which embeddings start."""
        if self.init_range is not None:
            return self.init_range
        return (0.0, 0.05) if self.kind == "dot" else (-0.01, 0.01)

    def check(self) -> None:
        """Raise UserError if this cannot be."""
        for name in ("factors", "user_factors", "item_factors"):
            if not 1 <= getattr(self, name) <= 2000:
                raise UserError(
                    f"{getattr(self, name)} {name.replace('_', ' ')} are not possible.",
                    "Enter a number from 1 to 2,000.",
                )
        for span, what in ((self.y_range, "range of predictions"), (self.init_range, "start")):
            if span is None:
                continue
            low, high = span
            if not (math.isfinite(low) and math.isfinite(high) and low < high):
                raise UserError(
                    f"The {what} cannot go from {low:g} to {high:g}.",
                    "The first number must be the smaller one.",
                )
        if self.kind != "net":
            return
        if any(units < 1 for units in self.hidden):
            raise UserError("A hidden layer has at least one unit.", "Enter numbers such as 10.")
        if len(self.dropouts) != len(self.hidden) + 1:
            raise UserError(
                f"{len(self.hidden)} hidden layers need {len(self.hidden) + 1} dropouts.",
                "The first is after the embeddings, then one after each hidden layer.",
            )
        if not all(0 <= p < 1 for p in self.dropouts):
            raise UserError("A dropout is a share.", "Enter numbers from 0 to less than 1.")


@dataclass(frozen=True, slots=True)
class LearnChoice:
    """How it is learned.

    Attributes
    ----------
    mode : {"lesson", "fast"}
        Mini-batches, the optimizer step by step; or full passes over all ratings from a
        spectral start (biases and factors only).
    epochs, batch_size, optimizer, hyper, schedule, cycle_len, cycle_mult, frozen, patience, seed
        Of lesson: see collab.fit.FitSettings. ``hyper.lr`` is the rate.
    group_rates : (float or None, float) or None
        Rates of the layer groups, slice(lo, hi) or slice(hi), instead of ``hyper.lr``.
    passes, strength, strength_share, bias_strength, fast_rate, fast_momentum, fast_patience
        Of fast: see collab.fast.FastSettings; its factors are the model's.
    device : {"auto", "cpu", "cuda", "mps", "xpu"}
    """

    mode: LearnMode = "lesson"
    epochs: int = 5
    batch_size: int = 64
    optimizer: str = "adamw"
    hyper: Hyper = field(default_factory=lambda: Hyper(lr=2e-3, weight_decay=0.1, decoupled=True))
    schedule: Schedule = "one-cycle"
    cycle_len: int = 1
    cycle_mult: int = 2
    group_rates: tuple[float | None, float] | None = None
    frozen: tuple[str, ...] = ()
    patience: int = 0
    seed: int = 0
    passes: int = 40
    strength: float = 3.0
    strength_share: float | None = None
    bias_strength: float = 3.0
    fast_rate: float = 0.7
    fast_momentum: float = 0.9
    fast_patience: int = 5
    device: Device = "auto"

    def check(self) -> None:
        """Raise UserError if this cannot be."""
        for name in ("epochs", "batch_size", "passes", "cycle_len", "cycle_mult"):
            if getattr(self, name) < 1:
                raise UserError(
                    f"{name.replace('_', ' ').capitalize()} cannot be {getattr(self, name)}.",
                    "Enter 1 or more.",
                )
        if self.patience < 0 or self.fast_patience < 0:
            raise UserError("Patience cannot be negative.", "Enter 0 to never stop early.")
        for strength in (self.strength, self.bias_strength, self.strength_share or 0.0):
            if not (math.isfinite(strength) and strength >= 0):
                raise UserError("A strength cannot be negative.", "Enter a number such as 3.")
        if not (math.isfinite(self.fast_rate) and self.fast_rate > 0):
            raise UserError("A rate must be above 0.", "Enter a number such as 0.7.")
        if not 0 <= self.fast_momentum < 1:
            raise UserError("Momentum is from 0 to less than 1.", "Enter a number such as 0.9.")
        if self.group_rates is not None:
            lo, hi = self.group_rates
            if hi <= 0 or (lo is not None and lo <= 0):
                raise UserError("A learning rate must be above 0.", "Enter a number such as 0.01.")


def check_together(model: ModelChoice, learn: LearnChoice) -> None:
    """Raise UserError if a model cannot be learned in that way."""
    if learn.mode == "fast" and model.kind == "net":
        raise UserError(
            "The fast way learns factors and biases; a net has layers besides.",
            "Choose EmbeddingDotBias, or learn as in the lesson.",
        )
    if learn.mode == "fast" and model.kind == "dot":
        raise UserError(
            "The fast way always learns biases beside the factors.",
            "Choose EmbeddingDotBias, or learn as in the lesson.",
        )


def proposed(low: float, high: float, n_ratings: int) -> tuple[ModelChoice, LearnChoice]:
    """Return what a rating set is opened with.

    Parameters
    ----------
    low, high : float
        The smallest and the largest rating; the sigmoid goes a ninth of the range beyond on both
        sides (0 to 5.5 for 0.5 to 5, as in the later lesson), for it never reaches its ends.
    n_ratings : int
        From WORTH_FAST on the fast way is proposed.
    """
    margin = (high - low) / 9 or 0.5
    model = ModelChoice(y_range=(low - margin, high + margin))
    learn = LearnChoice(mode="fast" if n_ratings >= WORTH_FAST else "lesson")
    return model, learn
