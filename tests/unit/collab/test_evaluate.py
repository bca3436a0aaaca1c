"""Facts about errors, baselines, hexagons and popularity."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from gradsheet.collab.evaluate import (
    baselines,
    error_by_popularity,
    errors,
    hexbin,
)
from gradsheet.ratings.table import RatingTable


def test_errors_are_those_of_the_definition() -> None:
    found = errors([1.0, 2.0, 5.0], [2.0, 2.0, 3.0])
    assert found.rmse == pytest.approx(np.sqrt(5 / 3))
    assert found.mae == pytest.approx(1.0)
    assert found.mean == pytest.approx(1 / 3)
    assert found.count == 3
    assert np.isnan(errors([], []).rmse)


def tiny() -> tuple[RatingTable, RatingTable]:
    ids = np.arange(2), np.arange(3)
    train = RatingTable(
        np.array([0, 0, 1], np.int32), np.array([0, 1, 1], np.int32),
        np.array([1.0, 3.0, 5.0], np.float32), *ids,
    )  # fmt: skip
    valid = RatingTable(
        np.array([1, 0], np.int32), np.array([0, 2], np.int32),
        np.array([3.0, 2.0], np.float32), *ids,
    )  # fmt: skip
    return train, valid


def test_baselines_are_means_by_hand() -> None:
    train, valid = tiny()
    found = {b.name: b.errors.rmse for b in baselines(train, valid)}
    assert found["global mean"] == pytest.approx(np.sqrt((0 + 1) / 2))
    assert found["user mean"] == pytest.approx(np.sqrt((2.0**2 + 0) / 2))
    assert found["item mean"] == pytest.approx(np.sqrt((2.0**2 + 1) / 2))  # item 2: global mean
    assert found["user and item means"] == pytest.approx(0.0)  # 5 + 1 - 3 = 3 and 2 + 3 - 3 = 2


def test_biases_beat_the_means(planted: RatingTable) -> None:
    train, valid = planted.split(0.2, 0)
    found = {b.name: b.errors.rmse for b in baselines(train, valid)}
    assert found["biases only"] < found["item mean"] < found["global mean"]


def test_every_pair_falls_into_its_nearest_hexagon() -> None:
    random = np.random.default_rng(0)
    x, y = random.uniform(0.5, 5, 500), random.normal(3, 1.5, 500)
    found = hexbin(x, y, 0.5, 5.0, across=12)
    assert found.counts.sum() == 500
    assert found.x_counts.sum() == found.y_counts.sum() == 500
    y = np.clip(y, 0.5, 5.0)
    distance = (x[:, None] - found.x) ** 2 + (y[:, None] - found.y) ** 2
    assert np.array_equal(np.bincount(distance.argmin(1), minlength=len(found.x)), found.counts)
    # No centre is nearer to another than a hexagon is wide.
    gaps = np.hypot(found.x[:, None] - found.x, found.y[:, None] - found.y)
    assert gaps[gaps > 0].min() == pytest.approx(found.width)


def test_popularity_bands_double_and_cover_all(planted: RatingTable) -> None:
    train, valid = planted.split(0.5, 0)
    counts = train.item_counts()
    bands = error_by_popularity(np.full(len(valid), 3.0), valid, counts)
    assert sum(band.errors.count for band in bands) == len(valid)
    for band in bands:
        inside = (counts[valid.items] >= band.low) & (counts[valid.items] <= band.high)
        assert band.errors.count == inside.sum()
    assert all(b.low > a.high for a, b in itertools.pairwise(bands))
