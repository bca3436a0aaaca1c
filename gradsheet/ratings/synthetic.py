"""Made-up ratings with a long tail and planted factors, for tests, benchmarks and demonstrations.

Owns the random model only. Must not know files or learners. The same seed and sizes always give
the same table.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gradsheet.ratings.table import RatingTable

_PART = 1 << 20  # ratings computed at a time, so that the memory stays bounded


@dataclass(frozen=True, slots=True, eq=False)
class Planted:
    """What the ratings were made from.

    The expected rating is mean + user_bias[u] + item_bias[i] + user_factors[u] @ item_factors[i],
    before noise, clipping and rounding.

    Attributes
    ----------
    mean : float
    user_bias, item_bias : ndarray (n_users,), (n_items,) float32
    user_factors, item_factors : ndarray (n_users, k), (n_items, k) float32
    """

    mean: float
    user_bias: npt.NDArray[np.float32]
    item_bias: npt.NDArray[np.float32]
    user_factors: npt.NDArray[np.float32]
    item_factors: npt.NDArray[np.float32]


def synthetic_ratings(
    n_users: int,
    n_items: int,
    n_ratings: int,
    *,
    factors: int = 5,
    noise: float = 0.5,
    tail: float = 0.9,
    seed: int = 0,
) -> tuple[RatingTable, Planted]:
    """Return ratings from 0.5 to 5 in halves, each pair at most once, sorted by user.

    Parameters
    ----------
    n_users, n_items, n_ratings : int
        At least 1; the ratings may fill at most half of all pairs.
    factors : int
        Planted factors; their share of the rating has standard deviation 0.6.
    noise : float
        Standard deviation of what nobody can predict, in stars.
    tail : float
        Popularity of the j-th item falls as (j + 10) ** -tail; users' activity is log-normal.
    seed : int

    Returns
    -------
    table : RatingTable
        Ids are 1 to n_users and 1 to n_items; codes are not in order of first appearance, they
        index the planted arrays. Users and items without a rating keep their codes.
    planted : Planted
    """
    if min(n_users, n_items, n_ratings) < 1 or n_ratings > n_users * n_items // 2:
        raise ValueError(f"{n_ratings} ratings do not fit {n_users} users x {n_items} items")
    random = np.random.default_rng(seed)
    planted = _plant(random, n_users, n_items, factors)
    activity = random.lognormal(0.0, 1.0, n_users)
    popularity = random.permutation((np.arange(n_items) + 10.0) ** -tail)
    keys = _distinct_pairs(random, np.cumsum(activity), np.cumsum(popularity), n_ratings)
    users, items = (keys // n_items).astype(np.int32), (keys % n_items).astype(np.int32)
    ratings = np.empty(n_ratings, dtype=np.float32)
    for begin in range(0, n_ratings, _PART):
        part = slice(begin, begin + _PART)
        u, i = users[part], items[part]
        taste = np.einsum("nk,nk->n", planted.user_factors[u], planted.item_factors[i])
        expected = planted.mean + planted.user_bias[u] + planted.item_bias[i] + taste
        stars = expected + noise * random.standard_normal(len(u), dtype=np.float32)
        ratings[part] = np.clip(np.round(stars * 2) / 2, 0.5, 5.0)
    ids = np.arange(1, n_users + 1), np.arange(1, n_items + 1)
    return RatingTable(users, items, ratings, *ids), planted


def _plant(random: np.random.Generator, n_users: int, n_items: int, factors: int) -> Planted:
    def normal(scale: float, *shape: int) -> npt.NDArray[np.float32]:
        return random.standard_normal(shape, dtype=np.float32) * np.float32(scale)

    # The product of two normal numbers of variance s^2 has variance s^4, and k of them are summed.
    scale = (0.6**2 / max(factors, 1)) ** 0.25
    return Planted(
        3.5,
        normal(0.4, n_users),
        normal(0.45, n_items),
        normal(scale, n_users, factors),
        normal(scale, n_items, factors),
    )


def _distinct_pairs(
    random: np.random.Generator,
    user_sums: npt.NDArray[np.float64],
    item_sums: npt.NDArray[np.float64],
    count: int,
) -> npt.NDArray[np.int64]:
    """Return ``count`` sorted keys user * n_items + item, drawn by the cumulated weights."""
    n_items, size = len(item_sums), len(user_sums) * len(item_sums)
    keys = np.empty(0, dtype=np.int64)
    for _ in range(30):
        missing = count - len(keys)
        if missing <= 0:
            break
        draws = int(missing * 1.15) + 64
        users = np.searchsorted(user_sums, random.random(draws) * user_sums[-1], side="right")
        items = np.searchsorted(item_sums, random.random(draws) * item_sums[-1], side="right")
        keys = _sorted_distinct(np.concatenate([keys, users * n_items + items]))
    while len(keys) < count:  # the heavy pairs are used up: take the rest evenly
        fresh = random.integers(0, size, 2 * (count - len(keys)) + 64)
        keys = _sorted_distinct(np.concatenate([keys, fresh]))
    if len(keys) > count:
        keys = np.delete(keys, random.choice(len(keys), len(keys) - count, replace=False))
    return keys


def _sorted_distinct(keys: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    keys.sort()
    first = np.append(True, keys[1:] != keys[:-1])
    return np.compress(first, keys)
