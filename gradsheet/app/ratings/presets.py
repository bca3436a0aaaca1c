"""Ready choices: the notebook's three models with the notebook's settings, and the fast way.

Owns their numbers (lesson5-movielens) and which of them a choice is. Must not know windows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from gradsheet.app.ratings.choices import LearnChoice, ModelChoice, proposed
from gradsheet.learn.hyper import Hyper

Made = tuple[ModelChoice, LearnChoice]


@dataclass(frozen=True, slots=True)
class Preset:
    """Choices that go together.

    Attributes
    ----------
    id, title, about : str
        ``about`` is one sentence for the tooltip.
    make : callable (low, high) -> (ModelChoice, LearnChoice)
        Gets the smallest and the largest rating.
    """

    id: str
    title: str
    about: str
    make: Callable[[float, float], Made]


def _momentum(weight_decay: float) -> LearnChoice:
    return LearnChoice(
        epochs=3,
        batch_size=64,
        optimizer="momentum",
        hyper=Hyper(lr=0.1, momentum=0.9, weight_decay=weight_decay),
        schedule="constant",
    )


def _dot(low: float, high: float) -> Made:
    return ModelChoice(kind="dot", factors=50, y_range=(low, high)), _momentum(1e-5)


def _bias(low: float, high: float) -> Made:
    return ModelChoice(kind="bias", factors=50, y_range=(low, high)), _momentum(2e-4)


def _net(low: float, high: float) -> Made:
    # The notebook's sigmoid goes half a star beyond both ends.
    model = ModelChoice(kind="net", y_range=(low - 0.5, high + 0.5))
    adam = dataclasses.replace(
        _momentum(1e-5), optimizer="adam", hyper=Hyper(lr=1e-3, weight_decay=1e-5)
    )
    return model, adam


def _proposed(low: float, high: float) -> Made:
    return proposed(low, high, 0)


def _fast(low: float, high: float) -> Made:
    model = ModelChoice(kind="bias", factors=50, y_range=(low, high))
    return model, LearnChoice(mode="fast")


_TWICE = "Three epochs; then Continue with three more at a tenth of the rate, as the notebook does."
PRESETS: tuple[Preset, ...] = (
    Preset("proposed", "As proposed",
           "EmbeddingDotBias in one cycle of AdamW, five epochs: what a set is opened with.",
           _proposed),
    Preset("dot", "Notebook: EmbeddingDot", f"50 factors, SGD 0.1 with momentum 0.9. {_TWICE}",
           _dot),
    Preset("bias", "Notebook: EmbeddingDotBias",
           f"Biases and a sigmoid from the lowest to the highest rating, decay 2e-4. {_TWICE}",
           _bias),
    Preset("net", "Notebook: EmbeddingNet",
           f"One hidden layer of 10, dropout 0.05 and 0.5, Adam 1e-3. {_TWICE}", _net),
    Preset("fast", "Fast", "All ratings in every pass, from singular vectors: the quickest road "
           "to a good model.", _fast),
)  # fmt: skip
"""In the order of the list."""


def preset_of(model: ModelChoice, learn: LearnChoice, low: float, high: float) -> Preset | None:
    """Return the preset that these choices are; None for choices of one's own.

    Seeds and the device do not tell them apart, nor does what the model or the way of learning
    does not read.
    """
    for preset in PRESETS:
        wanted_model, wanted_learn = preset.make(low, high)
        wanted_model = dataclasses.replace(wanted_model, seed=model.seed)
        if preset.id == "dot":  # a dot product has no range
            wanted_model = dataclasses.replace(wanted_model, y_range=model.y_range)
        wanted_learn = dataclasses.replace(wanted_learn, seed=learn.seed, device=learn.device)
        if wanted_learn.mode == "fast" == learn.mode:
            is_model = (wanted_model.kind, wanted_model.factors) == (model.kind, model.factors)
            if is_model and _fast_part(wanted_learn) == _fast_part(learn):
                return preset
        elif wanted_model == model and _lesson_part(wanted_learn) == _lesson_part(learn):
            return preset
    return None


def _fast_part(learn: LearnChoice) -> tuple[object, ...]:
    return (
        learn.mode, learn.passes, learn.strength, learn.strength_share, learn.bias_strength,
        learn.fast_rate, learn.fast_momentum, learn.fast_patience,
    )  # fmt: skip


def _lesson_part(learn: LearnChoice) -> tuple[object, ...]:
    return (
        learn.mode, learn.epochs, learn.batch_size, learn.optimizer, learn.hyper, learn.schedule,
        learn.group_rates, learn.frozen, learn.patience,
    )  # fmt: skip
