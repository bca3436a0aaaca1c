"""Facts about what is kept back for validation."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import pytest

from gradsheet.collab.splits import given, last_of_each_user, random_share
from gradsheet.formula.values import UserError
from gradsheet.ratings.table import RatingTable, groups_of_codes


def timed(table: RatingTable) -> RatingTable:
    stamps = np.random.default_rng(0).integers(0, 1000, len(table))
    return dataclasses.replace(table, timestamps=stamps)


def test_a_random_share_depends_on_the_seed(planted: RatingTable) -> None:
    a, b, c = (
        random_share(planted, 0.2, 1),
        random_share(planted, 0.2, 1),
        random_share(planted, 0.2, 2),
    )
    assert len(a.valid) == 1200
    assert len(a.train) + len(a.valid) == len(planted)
    assert np.array_equal(a.valid.items, b.valid.items)
    assert not np.array_equal(a.valid.items, c.valid.items)
    with pytest.raises(UserError, match="left to learn"):
        random_share(planted, 1.0)


def test_the_last_ratings_are_each_users_newest(planted: RatingTable) -> None:
    table = timed(planted)
    split = last_of_each_user(table, 2).with_times()
    assert split.train.timestamps is not None
    assert split.valid.timestamps is not None
    for user in range(table.n_users):
        held = split.valid.timestamps[split.valid.users == user]
        kept = split.train.timestamps[split.train.users == user]
        assert len(held) == (2 if len(held) + len(kept) > 2 else 0)
        if len(held):
            assert kept.max() <= held.min()


def test_the_last_ratings_are_the_same_in_any_order_of_the_file_and_any_groups(
    planted: RatingTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamps = np.random.default_rng(0).permutation(len(planted))  # no two at a time
    table = dataclasses.replace(planted, timestamps=stamps)
    whole = last_of_each_user(table, 3)
    by_hundreds = functools.partial(groups_of_codes, size=100)
    monkeypatch.setattr("gradsheet.collab.splits.groups_of_codes", by_hundreds)
    mixed = np.random.default_rng(1).permutation(len(table))
    other = last_of_each_user(table.take(mixed), 3)
    assert whole.held is not None
    assert other.held is not None
    assert np.array_equal(whole.held[mixed], other.held)


def test_parts_have_their_times_when_they_are_asked_for(planted: RatingTable) -> None:
    table = timed(planted)
    split = random_share(table, 0.2, 1)
    assert split.train.timestamps is None
    assert split.held is not None
    parts = split.with_times()
    assert np.array_equal(parts.train.timestamps, table.timestamps[~split.held])
    assert np.array_equal(parts.valid.timestamps, table.timestamps[split.held])
    assert np.array_equal(parts.train.ratings, split.train.ratings)


def test_the_last_share_is_rounded_down(planted: RatingTable) -> None:
    split = last_of_each_user(timed(planted), share=0.25)
    expected = (planted.user_counts() * 0.25).astype(int)
    assert np.array_equal(split.valid.user_counts(), expected)


def test_last_ratings_need_times(planted: RatingTable) -> None:
    with pytest.raises(UserError, match="no times"):
        last_of_each_user(planted)


def test_a_given_set_is_matched_by_ids() -> None:
    train = RatingTable(
        np.array([0, 1], np.int32), np.array([0, 1], np.int32), np.array([1.0, 2.0], np.float32),
        np.array([7, 9]), np.array(["a", "b"], dtype=object),
    )  # fmt: skip
    valid = RatingTable(
        np.array([0, 1, 1], np.int32), np.array([0, 0, 1], np.int32),
        np.array([3.0, 4.0, 5.0], np.float32), np.array([9, 8]), np.array(["b", "z"], dtype=object),
    )  # fmt: skip
    split = given(train, valid)
    assert split.valid.users.tolist() == [1]
    assert split.valid.items.tolist() == [1]
    assert split.valid.ratings.tolist() == [3.0]
    assert "2 of 3 unknown" in split.note
    with pytest.raises(UserError, match="same ids"):
        given(train, valid.take(np.array([1])))
