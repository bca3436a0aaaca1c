"""Facts about learning only one new row."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch

from gradsheet.collab.factors import Factors
from gradsheet.collab.fast import FastRun, FastSettings
from gradsheet.collab.foldin import (
    Ridge,
    fold_in_item,
    fold_in_item_by_steps,
    fold_in_user,
    fold_in_user_by_steps,
    ridge_of_weight_decay,
    with_item,
    with_user,
)
from gradsheet.ratings.table import RatingTable


def model(link: str = "clip", k: int = 6, items: int = 40) -> Factors:
    random = np.random.default_rng(0)
    mean = 0.0 if link == "sigmoid" else 3.5
    return Factors(
        mean,
        random.normal(0, 0.3, 30).astype(np.float32),
        random.normal(0, 0.3, items).astype(np.float32),
        random.normal(0, 0.5, (30, k)).astype(np.float32),
        random.normal(0, 0.5, (items, k)).astype(np.float32),
        link,  # type: ignore[arg-type]
        0.5,
        5.0,
    )


ITEMS = np.array([3, 9, 12, 13, 20, 31, 39])
RATINGS = np.array([4.0, 5.0, 1.0, 2.5, 3.0, 4.5, 2.0])


def test_closed_form_is_the_ridge_regression() -> None:
    m, ridge = model(), Ridge(0.7, 0.05, 1.3)
    found = fold_in_user(m, ITEMS, RATINGS, ridge)
    w = torch.zeros(7, dtype=torch.float64, requires_grad=True)
    features = torch.from_numpy(m.item_factors[ITEMS]).double()
    fixed = m.mean + torch.from_numpy(m.item_bias[ITEMS]).double()
    pull = 0.7 + 0.05 * len(ITEMS)

    def loss(w: torch.Tensor) -> torch.Tensor:
        score = fixed + features @ w[:-1] + w[-1]
        error = (torch.from_numpy(RATINGS) - score).square().sum()
        return error + pull * w[:-1].square().sum() + 1.3 * w[-1] ** 2

    with torch.no_grad():
        w[:-1] = torch.from_numpy(found.factors)
        w[-1] = found.bias
    (gradient,) = torch.autograd.grad(loss(w), w)
    assert float(gradient.abs().max()) < 1e-10


@pytest.mark.parametrize("link", ["clip", "identity", "sigmoid"])
def test_steps_end_where_the_closed_form_is(link: str) -> None:
    m, ridge = model(link), Ridge(0.2, 0.0, 0.2)
    closed = fold_in_user(m, ITEMS, RATINGS, ridge)
    *_, last = fold_in_user_by_steps(m, ITEMS, RATINGS, ridge, steps=3000)
    np.testing.assert_allclose(last.factors, closed.factors, atol=1e-4)
    assert last.bias == pytest.approx(closed.bias, abs=1e-4)
    assert last.rmse == pytest.approx(closed.rmse, abs=1e-4)
    users = np.array([1, 5, 7])
    closed = fold_in_item(m, users, [2.0, 3.0, 4.0], ridge)
    *_, last = fold_in_item_by_steps(m, users, [2.0, 3.0, 4.0], ridge, steps=3000)
    np.testing.assert_allclose(last.factors, closed.factors, atol=1e-4)


def test_the_sigmoid_fit_is_a_minimum() -> None:
    m, ridge = model("sigmoid"), Ridge(0.1, 0.0, 0.1)
    found = fold_in_user(m, ITEMS, RATINGS, ridge)

    def loss(bias: float, factors: np.ndarray) -> float:
        predicted = m.predict_items(bias, factors)[ITEMS]
        pulled = 0.1 * float(factors @ factors) + 0.1 * bias**2
        return float(np.sum((predicted - RATINGS) ** 2)) + pulled

    best = loss(found.bias, found.factors)
    random = np.random.default_rng(0)
    for _ in range(200):
        change = 1e-3 * random.normal(size=7)
        assert loss(found.bias + change[0], found.factors + change[1:]) >= best - 1e-9


def test_without_ratings_a_new_user_is_the_average() -> None:
    found = fold_in_user(model(), [], [])
    assert found.bias == 0.0
    assert not found.factors.any()
    assert np.isnan(found.rmse)


def test_a_model_without_biases_learns_none() -> None:
    found = fold_in_user(model(), ITEMS, RATINGS, Ridge(0.5, 0.0, 3.0), learns_bias=False)
    assert found.bias == 0.0
    assert found.factors.any()


def test_a_folded_row_joins_the_model() -> None:
    m = model()
    row = fold_in_user(m, ITEMS, RATINGS)
    more = with_user(m, row)
    predicted = more.predict(np.full(len(ITEMS), 30), ITEMS)
    assert np.sqrt(np.mean((predicted - RATINGS) ** 2)) == pytest.approx(row.rmse, abs=1e-6)
    item = fold_in_item(m, [0, 4], [5.0, 4.0])
    assert with_item(m, item).n_items == 41


def test_an_existing_row_is_found_again(planted: RatingTable) -> None:
    """At the minimum, folding a training user in gives the row that the training gave."""
    run = FastRun(planted, None, FastSettings(factors=4, passes=2000, patience=0))
    m = run.run()
    mine = planted.users == 17
    found = fold_in_user(m, planted.items[mine], planted.ratings[mine], run.ridge)
    np.testing.assert_allclose(found.factors, m.user_factors[17], atol=2e-3)
    assert found.bias == pytest.approx(float(m.user_bias[17]), abs=2e-3)


def test_weight_decay_amounts_to_a_ridge() -> None:
    assert ridge_of_weight_decay(2e-4, 80_000) == Ridge(8.0, 0.0, 8.0)


def test_folding_in_is_quick_at_movielens_size(movielens: RatingTable) -> None:
    """The bound is 50 ms; the best of some tries keeps a busy machine out of it."""
    m = FastRun(movielens, None, FastSettings(passes=5)).run()
    busiest = int(movielens.user_counts().argmax())
    mine = movielens.users == busiest
    items, ratings = movielens.items[mine], movielens.ratings[mine]
    for fold in (
        lambda: fold_in_user(m, items, ratings),
        lambda: list(fold_in_user_by_steps(m, items[:100], ratings[:100], steps=100)),
    ):
        took = []
        for _ in range(7):
            began = time.perf_counter()
            fold()
            took.append(time.perf_counter() - began)
        assert min(took) < 0.050


def test_a_held_out_user_is_predicted_as_well_as_by_retraining(movielens: RatingTable) -> None:
    """Pooled over users, half of whose ratings are typed in and the other half predicted."""
    counts = movielens.user_counts()
    random = np.random.default_rng(0)
    chosen = random.choice(np.flatnonzero((counts >= 60) & (counts <= 400)), 8, replace=False)
    folded: list[float] = []
    retrained: list[float] = []
    for user in chosen.tolist():
        mine = np.flatnonzero(movielens.users == user)
        asked = random.permutation(mine)
        known, hidden = asked[: len(asked) // 2], asked[len(asked) // 2 :]
        others = movielens.take(movielens.users != user)
        run = FastRun(others)
        m = run.run()
        row = fold_in_user(m, movielens.items[known], movielens.ratings[known], run.ridge)
        predicted = m.predict_items(row.bias, row.factors)[movielens.items[hidden]]
        folded += ((predicted - movielens.ratings[hidden]) ** 2).tolist()
        keep = np.ones(len(movielens), dtype=bool)
        keep[hidden] = False
        again = FastRun(movielens.take(keep)).run()
        predicted = again.predict(movielens.users[hidden], movielens.items[hidden])
        retrained += ((predicted - movielens.ratings[hidden]) ** 2).tolist()
    assert np.sqrt(np.mean(folded)) <= 1.05 * np.sqrt(np.mean(retrained))
