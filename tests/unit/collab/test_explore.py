"""Facts about ranking, map and neighbours."""

from __future__ import annotations

import numpy as np
import pytest

from gradsheet.collab.explore import bias_ranking, neighbours, principal_components
from gradsheet.collab.fast import FastRun
from gradsheet.ratings.table import RatingTable


def rows(seed: int = 0, n: int = 60, k: int = 6) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.normal(size=(n, k)) * np.arange(1, k + 1) + 3.0


def test_ranking_gives_mean_and_count_beside_the_bias(planted: RatingTable) -> None:
    bias = np.linspace(-1, 1, planted.n_items)
    found = bias_ranking(bias, planted)
    assert np.all(np.diff(found.biases) <= 0)
    first = found.items[0]
    mine = planted.items == first
    assert found.counts[0] == mine.sum()
    assert found.means[0] == pytest.approx(planted.ratings[mine].mean())


def test_ranking_can_be_cut_by_count(planted: RatingTable) -> None:
    counts = planted.item_counts()
    found = bias_ranking(np.zeros(planted.n_items), planted, at_least=50)
    assert set(found.items) == set(np.flatnonzero(counts >= 50))
    assert np.all(np.diff(found.counts) <= 0)  # of equal biases the busiest first
    most = bias_ranking(np.zeros(planted.n_items), planted, most_rated=5)
    assert sorted(most.counts, reverse=True) == sorted(counts, reverse=True)[:5]


def test_components_agree_with_the_singular_value_decomposition() -> None:
    data = rows()
    found = principal_components(data, 3)
    centred = data - data.mean(0)
    _, singular, axes = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(np.abs(found.axes @ axes[:3].T), np.eye(3), atol=1e-9)
    np.testing.assert_allclose(found.shares, (singular**2 / (singular**2).sum())[:3])
    np.testing.assert_allclose(found.coordinates.var(0, ddof=0), singular[:3] ** 2 / len(data))


def test_components_are_not_scaled_and_keep_their_sign() -> None:
    data = rows()
    found, doubled = principal_components(data, 2), principal_components(2 * data, 2)
    np.testing.assert_allclose(doubled.coordinates, 2 * found.coordinates)
    mirrored = principal_components(-data, 2)
    np.testing.assert_allclose(mirrored.axes, found.axes)
    largest = np.abs(found.axes).argmax(1)
    assert np.all(found.axes[[0, 1], largest] > 0)


def test_equal_rows_have_no_variance_to_share() -> None:
    found = principal_components(np.ones((4, 3)), 5)
    assert found.coordinates.shape == (4, 3)
    assert found.shares == pytest.approx([0, 0, 0])


def test_a_dragged_dot_lands_where_it_was_put() -> None:
    data = rows()
    found = principal_components(data, 2)
    moved = found.moved(data[7], [5.0, -2.0])
    np.testing.assert_allclose(found.axes @ (moved - found.centre), [5.0, -2.0])
    rest = np.eye(6) - found.axes.T @ found.axes
    np.testing.assert_allclose(rest @ moved, rest @ data[7], atol=1e-12)


def test_neighbours_are_those_of_a_plain_loop() -> None:
    data = rows(1).astype(np.float32)
    for measure in ("dot", "cosine"):
        values = [
            row @ data[4] / (np.linalg.norm(row) * np.linalg.norm(data[4]))
            if measure == "cosine"
            else row @ data[4]
            for row in data.astype(np.float64)
        ]
        expected = [i for i in np.argsort(values)[::-1] if i != 4][:5]
        found = neighbours(data, 4, 5, measure)  # type: ignore[arg-type]
        assert found.codes.tolist() == expected
        assert found.values[0] == pytest.approx(values[expected[0]], rel=1e-6)


def test_neighbours_can_be_chosen_among_some() -> None:
    data = rows(1)
    among = np.zeros(len(data), dtype=bool)
    among[[3, 4, 9]] = True
    assert set(neighbours(data, 4, 5, "dot", among).codes.tolist()) == {3, 9}


def test_a_row_of_zeros_has_no_direction() -> None:
    data = np.zeros((3, 2), np.float32)
    assert neighbours(data, 0, 2, "cosine").values.tolist() == [0.0, 0.0]


def test_the_ends_of_the_lessons_ranking_are_plausible(movielens: RatingTable) -> None:
    factors = FastRun(movielens).run()
    found = bias_ranking(factors.item_bias, movielens, at_least=30)
    titles = [movielens.item_title(int(i)) for i in found.items]
    best, worst = " ".join(titles[:15]), " ".join(titles[-15:])
    assert "Shawshank Redemption" in best
    assert "Godfather, The" in best
    assert "Battlefield Earth" in worst or "Speed 2" in worst or "Batman & Robin" in worst
