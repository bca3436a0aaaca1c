"""An experiment on a rating set as a script of plain PyTorch, which learns the same again.

Owns what goes into the templates under resources/scripts: model, plan of the run, data. Must not
know documents or windows.
"""

from __future__ import annotations

import dataclasses
import pprint
from typing import TYPE_CHECKING, Any

from gradsheet import resources

if TYPE_CHECKING:
    import numpy.typing as npt

    from gradsheet.app.ratings.choices import ModelChoice
    from gradsheet.app.ratings.learners import FastLearner, LessonLearner
    from gradsheet.collab.splits import Split

Data = dict[str, "npt.NDArray[Any]"]

TORCH_OPTIMIZERS = ("sgd", "momentum", "nesterov", "rmsprop", "adagrad", "adam", "adamw")
TABLES = {
    ("users", False): "u", ("items", False): "m", ("users", True): "ub", ("items", True): "mb",
}  # fmt: skip

_DOT = '''class Model(nn.Module):
    """Rating = <user's factors, item's factors>."""

    def __init__(self):
        super().__init__()
        self.u, self.m = embedding(N_USERS, {k}), embedding(N_ITEMS, {k})

    def groups(self):
        return {{"factors": (self.u, self.m)}}

    def forward(self, users, items, times=None):
        return (self.u(users) * self.m(items)).sum(1)
'''
_BIAS = '''class Model(nn.Module):
    """Rating = <user's factors, item's factors> + user's bias + item's bias{through}."""

    def __init__(self):
        super().__init__()
        self.u, self.m = embedding(N_USERS, {k}), embedding(N_ITEMS, {k})
        self.ub, self.mb = embedding(N_USERS, 1), embedding(N_ITEMS, 1)

    def groups(self):
        return {{"factors": (self.u, self.m), "biases": (self.ub, self.mb)}}

    def forward(self, users, items, times=None):
        res = (self.u(users) * self.m(items)).sum(1)
        res = res + self.ub(users).squeeze(1) + self.mb(items).squeeze(1)
        return {result}
'''
_NET = '''def linear(inputs, outputs):
    layer, bound = nn.Linear(inputs, outputs), 1 / math.sqrt(inputs)
    layer.weight.data.uniform_(-bound, bound, generator=start)
    layer.bias.data.uniform_(-bound, bound, generator=start)
    return layer


class Dropout(nn.Module):
    """nn.Dropout with random numbers of its own."""

    def __init__(self, p):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training or not self.p:
            return x
        mask = torch.empty_like(x).bernoulli_(1 - self.p, generator=masks)
        return x * mask.div_(1 - self.p)


class Model(nn.Module):
    """Rating = a small net on user's and item's factors side by side."""

    def __init__(self):
        super().__init__()
        self.u, self.m = embedding(N_USERS, {user_width}), embedding(N_ITEMS, {item_width})
        sizes = {sizes}
        self.lins = nn.ModuleList(linear(a, b) for a, b in zip(sizes[:-1], sizes[1:]))
        self.drops = nn.ModuleList(Dropout(p) for p in {dropouts})

    def groups(self):
        hidden = {{f"hidden layer {{i}}": (x,) for i, x in enumerate(self.lins[:-1], 1)}}
        return {{"embeddings": (self.u, self.m), **hidden, "output layer": (self.lins[-1],)}}

    def forward(self, users, items, times=None):
        parts = [self.u(users), self.m(items)]
        if "genres" in DATA:
            parts.append(DATA["genres"][items])
        if times is not None:
            parts.append(times)
        x = self.drops[0](torch.cat(parts, 1))
        for layer, drop in zip(self.lins[:-1], self.drops[1:]):
            x = drop(functional.relu(layer(x)))
        res = self.lins[-1](x).squeeze(1)
        return {result}
'''


def script_of(learner: LessonLearner | FastLearner, source: str) -> tuple[str, Data] | None:
    """Return the script and its data; None where the run cannot be made again from its log.

    That is so for optimizers that torch does not have, once ratings were edited in the middle, and
    for the fast way once its numbers were edited by hand.
    """
    from gradsheet.app.ratings.learners import LessonLearner

    data = _data_of(learner.split)
    if isinstance(learner, LessonLearner):
        return _lesson(learner, source, data)
    return _fast(learner, source, data)


def _data_of(split: Split) -> Data:
    train, valid = split.train, split.valid
    data = {"users": train.users, "items": train.items, "ratings": train.ratings.copy()}
    if len(valid):
        data |= {"valid_users": valid.users, "valid_items": valid.items}
        data["valid_ratings"] = valid.ratings.copy()
    return data


def _lesson(learner: LessonLearner, source: str, data: Data) -> tuple[str, Data] | None:
    fit, choice = learner.fit, learner.model
    if any(entry[0] == "ratings" for entry in fit.log):
        return None
    legs = [{"first": entry[1], **entry[2]} for entry in fit.log if entry[0] == "leg"]
    if not legs or any(leg["optimizer"] not in TORCH_OPTIMIZERS for leg in legs):
        return None
    edits = [
        (step, TABLES[side, column < 0], row, max(column, 0), value)
        for kind, step, *rest in fit.log
        if kind == "edit"
        for side, row, column, value in [rest]
    ]
    back = [(entry[1], entry[2]) for entry in fit.log if entry[0] == "back"]
    data |= learner.extra_data()
    low, high = choice.start_range
    return _filled(
        "scripts/lesson.py.txt",
        TITLE=f"{source}: {_TITLES[choice.kind]}, {fit.step:,} mini-batches.",
        N_USERS=learner.split.train.n_users,
        N_ITEMS=learner.split.train.n_items,
        STEPS=fit.step,
        PLAN=pprint.pformat(legs, sort_dicts=False, width=96),
        EDITS=pprint.pformat(edits, width=96),
        BACK_TO=back,
        LOW=low,
        HIGH=high,
        MODEL=_model_text(choice, learner).rstrip("\n"),
        MODEL_SEED=choice.seed,
        SEED=fit.first_seed,
    ), data


_TITLES = {"dot": "EmbeddingDot", "bias": "EmbeddingDotBias", "net": "EmbeddingNet"}


def _model_text(choice: ModelChoice, learner: LessonLearner) -> str:
    if choice.kind == "dot":
        return _DOT.format(k=choice.factors)
    result, through = "res", ""
    if choice.y_range is not None:
        low, high = choice.y_range
        result = f"torch.sigmoid(res) * ({high!r} - {low!r}) + {low!r}"
        through = f", by a sigmoid from {low:g} to {high:g}"
    if choice.kind == "bias":
        return _BIAS.format(k=choice.factors, result=result, through=through)
    net: Any = learner.fit.model
    sizes = (net.lins[0].in_features, *choice.hidden, 1)
    return _NET.format(
        user_width=net.u.embedding_dim,
        item_width=net.m.embedding_dim,
        sizes=sizes,
        dropouts=choice.dropouts,
        result=result,
    )


def _fast(learner: FastLearner, source: str, data: Data) -> tuple[str, Data] | None:
    run = learner.run
    if any(entry[0] != "settings" for entry in run.log):
        return None
    plan = [{"first": stage, **dataclasses.asdict(settings)} for _, stage, settings in run.log]
    return _filled(
        "scripts/fast.py.txt",
        TITLE=f"{source}: biases and {run.settings.factors} factors, {len(run.epochs)} stages.",
        N_USERS=learner.split.train.n_users,
        N_ITEMS=learner.split.train.n_items,
        STAGES=len(run.epochs),
        FACTORS=run.settings.factors,
        PLAN=pprint.pformat(plan, sort_dicts=False, width=96),
    ), data


def _filled(name: str, **values: Any) -> str:
    text = resources.path(name).read_text(encoding="utf-8")
    for key, value in values.items():
        text = text.replace(f"@@{key}@@", str(value))
    return text
