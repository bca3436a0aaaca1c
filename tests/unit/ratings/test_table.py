"""Facts about rating tables."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from gradsheet.ratings import table as table_module
from gradsheet.ratings.table import RatingTable, groups_of_codes


def table(rows: list[tuple[int, int, float]], **more: Any) -> RatingTable:
    users, items, ratings = zip(*rows, strict=True) if rows else ((), (), ())
    n_users, n_items = max(users, default=-1) + 1, max(items, default=-1) + 1
    return RatingTable(
        np.array(users, dtype=np.int32),
        np.array(items, dtype=np.int32),
        np.array(ratings, dtype=np.float32),
        np.arange(100, 100 + n_users),
        np.arange(200, 200 + n_items),
        **more,
    )


ROWS = [(0, 0, 1.0), (0, 1, 2.0), (1, 1, 3.0), (2, 1, 4.0), (2, 0, 5.0), (2, 2, 0.5)]


def test_sizes_and_counts() -> None:
    t = table(ROWS)
    assert (len(t), t.n_users, t.n_items) == (6, 3, 3)
    assert t.user_counts().tolist() == [2, 1, 3]
    assert t.item_counts().tolist() == [2, 3, 1]


def test_busiest_are_sorted_by_code() -> None:
    users, items = table(ROWS).busiest(2, 2)
    assert users.tolist() == [0, 2]
    assert items.tolist() == [0, 1]


def test_of_equally_busy_the_first_to_appear_is_taken() -> None:
    users, items = table([(0, 0, 1.0), (1, 1, 1.0), (2, 2, 1.0)]).busiest(2, 1)
    assert users.tolist() == [0, 1]
    assert items.tolist() == [0]


def test_busiest_gives_fewer_where_there_are_fewer() -> None:
    users, items = table(ROWS).busiest(10, 10)
    assert users.tolist() == items.tolist() == [0, 1, 2]


def test_crosstab_has_nan_where_nothing_is_rated() -> None:
    grid = table(ROWS).crosstab([0, 2], [2, 1])
    assert np.isnan(grid[0, 0])
    assert grid.dtype == np.float64
    assert np.nan_to_num(grid, nan=-1).tolist() == [[-1, 2.0], [0.5, 4.0]]


def test_crosstab_of_nobody_is_empty() -> None:
    assert table(ROWS).crosstab([], [0, 1]).shape == (0, 2)


def test_last_of_several_ratings_of_a_pair_wins() -> None:
    t = table([(0, 0, 1.0), (0, 1, 2.0), (0, 0, 4.0), (0, 0, 3.0)])
    assert t.crosstab([0], [0, 1]).tolist() == [[3.0, 2.0]]
    assert t.crosstab_counts([0], [0, 1]).tolist() == [[3, 1]]
    assert t.duplicate_count() == 2
    single = t.without_duplicates()
    assert single.ratings.tolist() == [2.0, 3.0]
    assert single.items.tolist() == [1, 0]
    assert single.duplicate_count() == 0


def test_table_without_duplicates_stays_itself() -> None:
    t = table(ROWS)
    assert t.without_duplicates() is t


def test_crosstab_equals_a_slow_count_on_random_tables() -> None:
    random = np.random.default_rng(0)
    for _ in range(20):
        rows = [
            (int(u), int(i), float(r))
            for u, i, r in zip(
                random.integers(0, 9, 60), random.integers(0, 7, 60), random.random(60), strict=True
            )
        ]
        t = table(rows)
        expected = np.full((t.n_users, t.n_items), np.nan)
        for u, i, r in rows:
            expected[u, i] = np.float32(r)
        users, items = range(t.n_users), range(t.n_items)
        np.testing.assert_array_equal(t.crosstab(list(users), list(items)), expected)
        assert t.duplicate_count() == len(rows) - np.isfinite(expected).sum()


def test_empty_table_has_no_busiest_and_no_duplicates() -> None:
    t = table([])
    assert t.duplicate_count() == 0
    assert [a.tolist() for a in t.busiest(3, 3)] == [[], []]


def test_title_falls_back_to_the_id() -> None:
    titled = table(ROWS, titles=np.array(["Fargo", "", "Jaws"], dtype=object))
    assert [titled.item_title(i) for i in range(3)] == ["Fargo", "201", "Jaws"]
    assert table(ROWS).item_title(2) == "202"


def test_split_is_seeded_and_loses_nothing() -> None:
    t = table([(i % 5, i % 3, float(i)) for i in range(100)], timestamps=np.arange(100))
    train, valid = t.split(0.2, seed=4)
    assert (len(train), len(valid)) == (80, 20)
    assert sorted([*train.ratings.tolist(), *valid.ratings.tolist()]) == list(range(100))
    assert t.split(0.2, seed=4)[1].ratings.tolist() == valid.ratings.tolist()
    assert t.split(0.2, seed=5)[1].ratings.tolist() != valid.ratings.tolist()
    assert train.timestamps is not None
    assert train.timestamps.tolist() == train.ratings.tolist()
    with pytest.raises(ValueError, match="share"):
        t.split(1.5, seed=0)


@pytest.mark.parametrize(
    "change",
    [
        {"timestamps": np.arange(3)},
        {"titles": np.array(["one"], dtype=object)},
        {"users": np.array([0, 0, 0, 0, 0, 9], dtype=np.int32)},
        {"items": np.array([0, 0, 0, 0, 0, -1], dtype=np.int32)},
        {"users": np.array([0], dtype=np.int32)},
    ],
)
def test_arrays_that_do_not_fit_are_refused(change: dict[str, Any]) -> None:
    import dataclasses

    with pytest.raises(ValueError, match=r"code|length|title"):
        dataclasses.replace(table(ROWS), **change)


def test_duplicates_are_found_where_codes_are_too_large_to_pack() -> None:
    huge = 2**31 - 1
    ids = np.broadcast_to(np.int64(7), (huge,))
    last = huge - 1
    t = RatingTable(
        np.array([last, 0, last, last], dtype=np.int32),
        np.array([last, 0, last, 5], dtype=np.int32),
        np.array([1, 2, 3, 4], dtype=np.float32),
        ids,
        ids,
    )
    assert t.duplicate_count() == 1
    assert t.without_duplicates().ratings.tolist() == [2.0, 3.0, 4.0]


@pytest.mark.parametrize("is_sorted", [True, False])
def test_groups_hold_every_row_once_and_all_rows_of_a_code(is_sorted: bool) -> None:
    codes = np.random.default_rng(0).integers(0, 40, 1000).astype(np.int32)
    codes = np.sort(codes) if is_sorted else codes
    groups = [np.arange(1000)[rows] for rows in groups_of_codes(codes, 40, size=130)]
    assert 5 < len(groups) < 20
    assert sorted(np.concatenate(groups).tolist()) == list(range(1000))
    ranges = [(codes[rows].min(), codes[rows].max()) for rows in groups]
    assert all(before[1] < after[0] for before, after in itertools.pairwise(ranges))


def test_duplicates_are_found_in_groups_as_in_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(1)
    users, items = (random.integers(0, n, 5000).astype(np.int32) for n in (60, 80))
    stars = random.integers(1, 6, 5000).astype(np.float32)
    t = RatingTable(users, items, stars, np.arange(60), np.arange(80))
    whole = t.without_duplicates()
    monkeypatch.setattr(table_module.groups_of_codes, "__defaults__", (300,))
    parted = t.without_duplicates()
    assert len(whole) < len(t)
    assert np.array_equal(parted.users, whole.users)
    assert np.array_equal(parted.ratings, whole.ratings)


def test_looking_for_duplicates_can_be_given_up() -> None:
    t = RatingTable(
        np.array([0, 1], np.int32), np.array([0, 0], np.int32), np.ones(2, np.float32),
        np.arange(2), np.arange(1),
    )  # fmt: skip

    def check() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        t.without_duplicates(check)
