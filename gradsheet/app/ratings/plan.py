"""What choices mean before anything is learned: which knobs apply, rates, schedule, differences.

Owns the words and curves that a window shows of choices. Must not know tensors or windows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from gradsheet.app.ratings.choices import LearnChoice, ModelChoice
from gradsheet.learn import schedules
from gradsheet.learn.group_rates import rates_of_groups
from gradsheet.learn.hyper import Hyper

Doubles = npt.NDArray[np.float64]

MODEL_TITLES: Mapping[str, str] = MappingProxyType(
    {"dot": "EmbeddingDot", "bias": "EmbeddingDotBias", "net": "EmbeddingNet"}
)
MODE_TITLES: Mapping[str, str] = MappingProxyType({"lesson": "As in the lesson", "fast": "Fast"})
OPTIMIZER_TITLES: Mapping[str, str] = MappingProxyType(
    {"sgd": "SGD", "momentum": "Momentum", "rmsprop": "RMSprop", "adam": "Adam", "adamw": "AdamW"}
)
SCHEDULE_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "constant": "Constant",
        "annealed": "Annealed (cosine)",
        "restarts": "Cosine with restarts",
        "one-cycle": "One cycle",
    }
)
SIZE_TITLES: Mapping[str, str] = MappingProxyType(
    {"given": "As given", "half": "Half, at most 50", "power": "1.6 n^0.56, at most 600"}
)
_CURVE_POINTS = 600
_KNOBS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "sgd": (),
        "momentum": ("momentum", "nesterov"),
        "rmsprop": ("beta2", "momentum", "eps", "centered"),
        "adam": ("beta1", "beta2", "eps", "amsgrad"),
        "adamw": ("beta1", "beta2", "eps", "amsgrad"),
    }
)
_STARTS: Mapping[str, Hyper] = MappingProxyType(
    {
        "sgd": Hyper(lr=0.1),
        "momentum": Hyper(lr=0.1),
        "rmsprop": Hyper(lr=1e-3, beta2=0.99, momentum=0.0),
        "adam": Hyper(lr=1e-3),
        "adamw": Hyper(lr=2e-3, weight_decay=0.1, decoupled=True),
    }
)


@dataclass(frozen=True, slots=True)
class TableFacts:
    """What of a rating set decides which knobs apply and what they come to.

    Attributes
    ----------
    n_users, n_items, n_train : int
        ``n_train``: ratings to learn from.
    low, high : float
        The smallest and the largest rating.
    has_genres, has_times : bool
        Whether genres of the items and times of the ratings are known.
    """

    n_users: int
    n_items: int
    n_train: int
    low: float
    high: float
    has_genres: bool = False
    has_times: bool = False

    def steps_per_epoch(self, learn: LearnChoice) -> int:
        """Return the mini-batches of an epoch; the fast way has one pass."""
        return 1 if learn.mode == "fast" else -(-self.n_train // learn.batch_size) or 1


def knobs_of(optimizer: str) -> tuple[str, ...]:
    """Return the fields of Hyper that an optimizer reads besides the rate and the decay."""
    return _KNOBS.get(optimizer, ())


def start_of(optimizer: str, before: Hyper) -> Hyper:
    """Return the settings that a newly chosen optimizer begins with.

    The rate is its own, for a rate that suits one optimizer spoils another; a weight decay of
    the same meaning stays.
    """
    found = _STARTS[optimizer]
    if before.decoupled == found.decoupled:
        return replace(found, weight_decay=before.weight_decay)
    return found


def layer_groups(model: ModelChoice) -> tuple[str, ...]:
    """Return the names of a model's layer groups, from the input to the output."""
    if model.kind == "dot":
        return ("factors",)
    if model.kind == "bias":
        return ("factors", "biases")
    hidden = (f"hidden layer {i}" for i in range(1, len(model.hidden) + 1))
    return ("embeddings", *hidden, "output layer")


def group_rates(model: ModelChoice, learn: LearnChoice) -> dict[str, float]:
    """Return the learning rate of each layer group; 0 where it is frozen."""
    names = layer_groups(model)
    rate: float | slice = learn.hyper.lr
    if learn.group_rates is not None:
        rate = slice(*learn.group_rates)
    rates = rates_of_groups(rate, len(names))
    return {
        name: 0.0 if name in learn.frozen else found
        for name, found in zip(names, rates, strict=True)
    }


def embedding_sizes(model: ModelChoice, n_users: int, n_items: int) -> tuple[int, int]:
    """Return the widths of the users' and the items' embeddings."""
    if model.kind != "net":
        return model.factors, model.factors
    if model.size_rule == "half":
        return min(50, (n_users + 1) // 2), min(50, (n_items + 1) // 2)
    if model.size_rule == "power":
        return _power(n_users), _power(n_items)
    return model.user_factors, model.item_factors


def _power(count: int) -> int:
    return min(600, round(1.6 * math.pow(count, 0.56)))


def parameter_count(model: ModelChoice, n_users: int, n_items: int, n_genres: int = 0) -> int:
    """Return how many numbers are learned."""
    users, items = embedding_sizes(model, n_users, n_items)
    count = n_users * users + n_items * items
    if model.kind == "bias":
        return count + n_users + n_items
    if model.kind == "net":
        inputs = users + items + (n_genres if model.genres else 0) + (5 if model.time else 0)
        for outputs in (*model.hidden, 1):
            count += (inputs + 1) * outputs
            inputs = outputs
    return count


@dataclass(frozen=True, slots=True, eq=False)
class ScheduleCurve:
    """Learning rate and momentum over a run.

    Attributes
    ----------
    epochs : ndarray (n,) float64
        Where in the run, from 0.
    rates, momenta : ndarray (n,) float64
        ``momenta`` is empty where the momentum does not move or is not read.
    """

    epochs: Doubles
    rates: Doubles
    momenta: Doubles


def schedule_curve(learn: LearnChoice, steps_per_epoch: int, epochs: float) -> ScheduleCurve:
    """Return the schedule of a run, the same functions that the run asks.

    The fast way has one rate throughout; the rate is then relative to each row's curvature.
    """
    if learn.mode == "fast":
        ends = np.array([0.0, float(epochs)])
        return ScheduleCurve(ends, np.full(2, learn.fast_rate), np.empty(0))
    total = max(round(epochs * steps_per_epoch), 2)
    is_adam = learn.optimizer in ("adam", "adamw")
    base = learn.hyper.beta1 if is_adam else learn.hyper.momentum
    if learn.schedule == "annealed":
        schedule = schedules.annealing(total)
    elif learn.schedule == "restarts":
        schedule = schedules.cosine_restarts(learn.cycle_len * steps_per_epoch, learn.cycle_mult)
    elif learn.schedule == "one-cycle":
        schedule = schedules.one_cycle(total, base_momentum=base or 0.95)
    else:
        schedule = schedules.constant()
    # The last point is a step of the run, not the one after it, where a restart would show.
    steps = np.unique(np.linspace(0, total - 1, min(total, _CURVE_POINTS)).astype(np.int64))
    factors = np.array([schedule(int(step)) for step in steps], dtype=np.float64)
    rate = learn.hyper.lr if learn.group_rates is None else learn.group_rates[1]
    momenta = np.empty(0)
    if np.ptp(factors[:, 1]) > 0 and learn.optimizer != "sgd" and base:
        momenta = np.minimum(base * factors[:, 1], 0.9999)
    return ScheduleCurve(steps / steps_per_epoch, rate * factors[:, 0], momenta)


def range_text(span: tuple[float, float] | None) -> str:
    """Return a range in words."""
    return "none" if span is None else f"{span[0]:g} to {span[1]:g}"


def described(model: ModelChoice, learn: LearnChoice) -> dict[str, str]:
    """Return the choices that apply, title and text, for a list or a comparison."""
    return {**_model_text(model), **(_fast_text if learn.mode == "fast" else _lesson_text)(learn)}


def _model_text(model: ModelChoice) -> dict[str, str]:
    found = {"model": MODEL_TITLES[model.kind]}
    if model.kind == "net":
        given = model.size_rule == "given"
        sizes = f"{model.user_factors} and {model.item_factors}"
        found["embedding sizes"] = sizes if given else SIZE_TITLES[model.size_rule]
        found["hidden layers"] = ", ".join(map(str, model.hidden)) or "none"
        found["dropouts"] = ", ".join(f"{p:g}" for p in model.dropouts)
        features = [name for name, on in (("genres", model.genres), ("time", model.time)) if on]
        found["features"] = ", ".join(features) or "none"
    else:
        found["factors"] = str(model.factors)
    if model.kind != "dot":
        found["sigmoid range"] = range_text(model.y_range)
    found["start"] = range_text(model.start_range)
    found["seed of the start"] = str(model.seed)
    return found


def _lesson_text(learn: LearnChoice) -> dict[str, str]:
    hyper = learn.hyper
    decay = f"{hyper.weight_decay:g} {'decoupled' if hyper.decoupled else 'as L2'}"
    found = {
        "learning": MODE_TITLES[learn.mode],
        "epochs": str(learn.epochs),
        "batch": str(learn.batch_size),
        "optimizer": OPTIMIZER_TITLES.get(learn.optimizer, learn.optimizer),
        "rate": f"{hyper.lr:g}",
        "weight decay": decay if hyper.weight_decay else "0",
    }
    if learn.group_rates is not None:
        lo, hi = learn.group_rates
        found["rate"] = f"slice({hi:g})" if lo is None else f"slice({lo:g}, {hi:g})"
    for name in knobs_of(learn.optimizer):
        value = getattr(hyper, name)
        found[name] = ("yes" if value else "no") if isinstance(value, bool) else f"{value:g}"
    found["schedule"] = SCHEDULE_TITLES[learn.schedule]
    if learn.schedule == "restarts":
        found["schedule"] += f", cycle_len {learn.cycle_len}, cycle_mult {learn.cycle_mult}"
    found["frozen"] = ", ".join(learn.frozen) or "nothing"
    found["early stopping"] = f"after {learn.patience}" if learn.patience else "never"
    found["seed of the order"] = str(learn.seed)
    return found


def _fast_text(learn: LearnChoice) -> dict[str, str]:
    share = learn.strength_share
    return {
        "learning": MODE_TITLES[learn.mode],
        "passes": f"at most {learn.passes}",
        "strength": f"{learn.strength:g}",
        "strength per rating": "by the noise" if share is None else f"{share:g}",
        "strength on biases": f"{learn.bias_strength:g}",
        "rate": f"{learn.fast_rate:g} of the bound",
        "momentum": f"{learn.fast_momentum:g}",
        "early stopping": f"after {learn.fast_patience}" if learn.fast_patience else "never",
    }


@dataclass(frozen=True, slots=True)
class Difference:
    """A choice in which two trained models differ; "" where one of them has no such choice."""

    title: str
    first: str
    second: str


def differences(
    first: tuple[ModelChoice, LearnChoice], second: tuple[ModelChoice, LearnChoice]
) -> list[Difference]:
    """Return the choices in which two models differ, in the order of the settings."""
    a, b = described(*first), described(*second)
    titles = [*a, *(title for title in b if title not in a)]
    return [
        Difference(title, a.get(title, ""), b.get(title, ""))
        for title in titles
        if a.get(title) != b.get(title)
    ]
