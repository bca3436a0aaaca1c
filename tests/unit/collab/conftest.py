"""Rating sets and a single thread for the tests of the recommenders."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from gradsheet.ratings.synthetic import synthetic_ratings
from gradsheet.ratings.table import RatingTable


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Threads that wait for one another on a busy machine make small tensors ten times slower."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def planted() -> RatingTable:
    """6,000 ratings of 150 users and 80 items with three planted factors."""
    table, _ = synthetic_ratings(150, 80, 6_000, factors=3, noise=0.4, seed=1)
    return table


@pytest.fixture(scope="session")
def movielens(reference: Path) -> RatingTable:
    """The lesson's 100,004 ratings with titles."""
    folder = reference / "ml-latest-small"
    with (folder / "ratings.csv").open(encoding="utf-8") as file:
        rows = np.array([[float(x) for x in row] for row in list(csv.reader(file))[1:]])
    with (folder / "movies.csv").open(encoding="utf-8") as file:
        titles = {int(row[0]): row[1] for row in list(csv.reader(file))[1:]}
    user_ids, users = np.unique(rows[:, 0].astype(np.int64), return_inverse=True)
    item_ids, items = np.unique(rows[:, 1].astype(np.int64), return_inverse=True)
    return RatingTable(
        users.astype(np.int32),
        items.astype(np.int32),
        rows[:, 2].astype(np.float32),
        user_ids,
        item_ids,
        np.array([titles[i] for i in item_ids.tolist()], dtype=object),
        rows[:, 3].astype(np.int64),
    )
