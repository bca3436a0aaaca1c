"""Somebody new, folded in with the window's ridge, is predicted as well as by learning anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from gradsheet.app.ratings.choices import LearnChoice, ModelChoice
from gradsheet.app.ratings.learners import make_learner
from gradsheet.app.ratings.newcomer import chosen_ridge
from gradsheet.collab.factors import Factors
from gradsheet.collab.foldin import fold_in_user
from gradsheet.collab.splits import Split
from gradsheet.learn.hyper import Hyper
from gradsheet.ratings import reader
from gradsheet.ratings.table import RatingTable
from gradsheet.tasks import Control

NEWCOMERS = 30
LESSON = LearnChoice(
    epochs=2, optimizer="momentum", schedule="constant",
    hyper=Hyper(lr=0.1, momentum=0.9, weight_decay=2e-4),
)  # fmt: skip
WAYS = {
    "fast": (ModelChoice(), LearnChoice(mode="fast")),
    "lesson": (ModelChoice(y_range=(0.5, 5.0)), LESSON),
}


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Threads that wait for one another on a busy machine make small tensors ten times slower."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def parts(reference: Path) -> tuple[RatingTable, RatingTable]:
    frames = reader.read(reference / "ml-latest-small" / "ratings.csv")
    while True:
        try:
            next(frames)
        except StopIteration as end:
            train, valid = end.value.table.split(0.2, 0)
            return train, valid


def learned(train: RatingTable, valid: RatingTable, way: str) -> Factors:
    learner = make_learner(*WAYS[way], Split(train, valid, ""))
    for _ in learner.frames(Control(), None):
        pass
    factors = learner.learned(1).factors
    assert factors is not None
    return factors


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_folding_in_is_within_five_per_cent_of_retraining(
    parts: tuple[RatingTable, RatingTable], way: str
) -> None:
    train, valid = parts
    users = np.random.default_rng(0).choice(train.n_users, NEWCOMERS, replace=False)
    without, judged = (table.take(~np.isin(table.users, users)) for table in parts)
    again, before = learned(train, valid, way), learned(without, judged, way)
    ridge = chosen_ridge(before, without, judged)
    folded, retrained = [], []
    for user in users.tolist():
        mine, held = train.users == user, valid.users == user
        row = fold_in_user(before, train.items[mine], train.ratings[mine], ridge)
        predicted = before.predict_items(row.bias, row.factors)[valid.items[held]]
        folded.append(predicted - valid.ratings[held])
        predicted = again.predict(valid.users[held], valid.items[held])
        retrained.append(predicted - valid.ratings[held])
    errors = [np.sqrt(np.mean(np.concatenate(part) ** 2)) for part in (folded, retrained)]
    assert errors[0] <= 1.05 * errors[1]
    assert errors[0] < 0.97  # and that is no small thing: the mean rating has 1.05
