"""Facts about recommendations and what they are made of."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gradsheet.collab.factors import Factors
from gradsheet.collab.fit import Fit, FitSettings
from gradsheet.collab.learned import factors_of, item_rows, model_of, write_back
from gradsheet.collab.models import EmbeddingDot, EmbeddingDotBias, EmbeddingNet
from gradsheet.collab.recommend import contributions, recommend
from gradsheet.formula.values import UserError
from gradsheet.ratings.table import RatingTable

LINKS = ["identity", "clip", "sigmoid"]


def model(link: str) -> Factors:
    random = np.random.default_rng(0)
    return Factors(
        0.2 if link == "sigmoid" else 3.5,
        random.normal(0, 0.5, 20).astype(np.float32),
        random.normal(0, 1.0, 30).astype(np.float32),
        random.normal(0, 0.8, (20, 5)).astype(np.float32),
        random.normal(0, 0.8, (30, 5)).astype(np.float32),
        link,  # type: ignore[arg-type]
        0.5,
        5.0,
    )


@pytest.mark.parametrize("link", LINKS)
def test_contributions_sum_to_the_prediction(link: str) -> None:
    m = model(link)
    for user in range(20):
        for item in range(30):
            found = contributions(m, item, float(m.user_bias[user]), m.user_factors[user])
            total = (
                found.base + found.user_bias + found.item_bias + found.factors.sum() + found.limit
            )
            assert abs(total - found.prediction) < 1e-6
            expected = m.predict(np.array([user]), np.array([item]))[0]
            assert found.prediction == pytest.approx(expected, abs=1e-6)
            if link == "sigmoid":
                assert abs(found.limit) < 1e-9
                parts = m.user_factors[user] * m.item_factors[item]
                assert np.array_equal(np.sign(found.factors), np.sign(parts))


def test_a_score_of_zero_is_the_middle_of_the_range() -> None:
    m = Factors(
        0.0, np.zeros(1, np.float32), np.zeros(1, np.float32), np.ones((1, 2), np.float32),
        np.array([[1.0, -1.0]], np.float32), "sigmoid", 0.5, 5.0,
    )  # fmt: skip
    found = contributions(m, 0, 0.0, m.user_factors[0])
    assert found.prediction == pytest.approx(2.75)
    assert found.factors.tolist() == pytest.approx([1.125, -1.125])


@pytest.mark.parametrize("link", LINKS)
def test_the_best_come_first_and_seen_ones_are_hidden(link: str) -> None:
    m = model(link)
    bias, row = float(m.user_bias[3]), m.user_factors[3]
    order = np.argsort(-m.scores(np.full(30, 3), np.arange(30)))
    found = recommend(m, bias, row, 5, seen=order[:2])
    assert [r.item for r in found] == order[2:7].tolist()
    shown = recommend(m, bias, row, 5, seen=order[:2], hide_seen=False)
    assert [r.item for r in shown] == order[:5].tolist()
    worst = recommend(m, bias, row, 3, worst=True)
    assert [r.item for r in worst] == order[::-1][:3].tolist()
    assert len(recommend(m, bias, row, 100)) == 30
    assert recommend(m, bias, row, 0) == []


def test_the_popularity_filter_has_two_ends() -> None:
    m = model("clip")
    counts = np.arange(30)
    found = recommend(m, 0.0, m.user_factors[0], 50, item_counts=counts, at_least=10, at_most=19)
    assert sorted(r.item for r in found) == list(range(10, 20))


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("y_range", [None, (0.0, 5.5)])
def test_factors_predict_what_the_model_predicts(
    planted: RatingTable, y_range: tuple[float, float] | None
) -> None:
    net = EmbeddingDotBias(
        planted.n_users, planted.n_items, 8, y_range=y_range, generator=generator()
    )
    Fit(net, planted, None, FitSettings(epochs=1)).run()
    factors = factors_of(net, 0.5, 5.0)
    users, items = (torch.from_numpy(c).long() for c in (planted.users, planted.items))
    with torch.no_grad():
        expected = net(users, items).numpy()
    predicted = factors.predict(planted.users, planted.items)
    np.testing.assert_allclose(predicted, expected, atol=1e-5)
    again = model_of(factors)
    with torch.no_grad():
        np.testing.assert_allclose(again(users, items).numpy(), expected, atol=1e-5)


def test_an_edited_cell_changes_the_model_that_learns(planted: RatingTable) -> None:
    net = EmbeddingDotBias(planted.n_users, planted.n_items, 4, generator=generator())
    fit = Fit(net, planted, None, FitSettings(epochs=1))
    fit.run()
    factors = factors_of(net, 0.5, 5.0)
    factors.item_factors[2, 1] = 1.5
    write_back(net, factors)
    assert net.m.weight[2, 1].item() == 1.5
    before = float(fit.parameters.groups[0].theta.detach().abs().max())
    assert before == pytest.approx(1.5)  # the same memory that the optimizer steps


def test_write_back_refuses_what_does_not_fit(planted: RatingTable) -> None:
    dot = EmbeddingDot(20, 30, 5, generator=generator())
    with pytest.raises(ValueError, match="no biases"):
        write_back(dot, model("identity"))
    with pytest.raises(ValueError, match="cannot take"):
        write_back(EmbeddingDotBias(20, 30, 4, generator=generator()), model("identity"))
    plain = factors_of(dot, 0.5, 5.0)
    assert not plain.item_bias.any()
    write_back(dot, plain)


def test_a_net_has_a_map_but_no_contributions() -> None:
    net = EmbeddingNet(4, 7, 3, 5, generator=generator())
    assert item_rows(net).shape == (7, 5)
    with pytest.raises(UserError, match="do not split"):
        factors_of(net, 0.5, 5.0)
