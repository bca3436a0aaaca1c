"""Facts about new users and items of models that are no sums over factors."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch

from gradsheet.collab.fit import Fit, FitSettings
from gradsheet.collab.foldin_net import fold_in_rows, predictions_of, stored_rows
from gradsheet.collab.models import EmbeddingDotBias, EmbeddingNet, Recommender
from gradsheet.learn.hyper import Hyper
from gradsheet.ratings.table import RatingTable

NEW = 15  # users, the first, whom the model has never seen


@pytest.fixture(scope="module", params=[EmbeddingDotBias, EmbeddingNet])
def learned(request: pytest.FixtureRequest, planted: RatingTable) -> Recommender:
    generator = torch.Generator().manual_seed(0)
    model: Recommender = request.param(planted.n_users, planted.n_items, 8, generator=generator)
    others = planted.take(planted.users >= NEW)
    settings = FitSettings(optimizer="adam", hyper=Hyper(lr=0.01, weight_decay=1e-4), epochs=6)
    Fit(model, others, None, settings).run()
    return model


def test_new_users_are_predicted_better_than_the_mean_user(
    learned: Recommender, planted: RatingTable
) -> None:
    before = {name: value.clone() for name, value in learned.state_dict().items()}
    mean = tuple(
        x.table.weight.detach().mean(0, keepdim=True)
        for x in learned.lookups()
        if x.side == "users"
    )
    folded: list[float] = []
    average: list[float] = []
    for user in range(NEW):
        mine = np.flatnonzero(planted.users == user)
        known, hidden = mine[::2], mine[1::2]
        *_, last = fold_in_rows(
            learned, "users", planted.items[known], planted.ratings[known], weight_decay=0.1
        )
        for rows, squares in ((last.rows, folded), (mean, average)):
            predicted = predictions_of(learned, rows)[planted.items[hidden]]
            squares += ((predicted - planted.ratings[hidden]) ** 2).tolist()
    assert np.mean(folded) < np.mean(average)
    assert all(torch.equal(value, before[name]) for name, value in learned.state_dict().items())


def test_predictions_of_a_stored_user_are_the_models_own(learned: Recommender) -> None:
    learned.eval()
    items = torch.arange(learned.n_items)
    with torch.no_grad():
        expected = learned(torch.full_like(items, 25), items).numpy()
    found = predictions_of(learned, stored_rows(learned, 25))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_new_item_fits_its_ratings(learned: Recommender) -> None:
    steps = list(fold_in_rows(learned, "items", [1, 2, 4, 8], [5.0, 5.0, 4.5, 5.0]))
    assert steps[-1].rmse < steps[0].rmse
    assert len(steps) == 60


def test_without_ratings_there_is_nothing_to_learn(learned: Recommender) -> None:
    assert list(fold_in_rows(learned, "users", [], [])) == []


def test_sixty_steps_are_quick_enough_to_type_along(learned: Recommender) -> None:
    took = []
    for _ in range(7):
        began = time.process_time()
        list(fold_in_rows(learned, "users", np.arange(40), np.full(40, 4.0)))
        took.append(time.process_time() - began)
    assert min(took) < 0.250  # 20 to 50 ms of the processor where nothing else runs
