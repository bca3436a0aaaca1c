"""Made-up ratings with a long tail and planted factors, for tests, benchmarks and demonstrations.

Owns the random model only. Must not know files or learners. The same seed and sizes always give
the same table.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gradsheet.ratings.table import RatingTable
from gradsheet.tasks import Control, Pace, Progress

_PART = 1 << 20  # ratings computed at a time, so that the memory stays bounded
_DRAWN = 1 << 18  # users and items drawn at a time: each is looked up in a table of its own
_SORTED = 1 << 20  # keys sorted at a time
_STRETCHES = 5  # users, items and order of the pairs are a stretch each, their ratings two


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
    work = making_ratings(
        n_users, n_items, n_ratings, factors=factors, noise=noise, tail=tail, seed=seed
    )
    while True:
        try:
            next(work)
        except StopIteration as end:
            made: tuple[RatingTable, Planted] = end.value
            return made


def making_ratings(
    n_users: int,
    n_items: int,
    n_ratings: int,
    control: Control | None = None,
    *,
    factors: int = 5,
    noise: float = 0.5,
    tail: float = 0.9,
    seed: int = 0,
) -> Generator[Progress, None, tuple[RatingTable, Planted]]:
    """Make :func:`synthetic_ratings` a million at a time; work for a task.

    Cancelled, it stops within the stretch under way. Parts of stretches make up the same table:
    the random numbers of one are those that follow on those of the one before.
    """
    if min(n_users, n_items, n_ratings) < 1 or n_ratings > n_users * n_items // 2:
        raise ValueError(f"{n_ratings} ratings do not fit {n_users} users x {n_items} items")
    random = np.random.default_rng(seed)
    planted = _plant(random, n_users, n_items, factors)
    activity = random.lognormal(0.0, 1.0, n_users)
    popularity = random.permutation((np.arange(n_items) + 10.0) ** -tail)
    control = control or Control()
    pace = Pace(_STRETCHES * n_ratings, control)
    keys = np.empty(0, dtype=np.int64)
    pairs = _distinct_pairs(random, np.cumsum(activity), np.cumsum(popularity), n_ratings, control)
    while True:
        try:
            yield pace.progress(min(next(pairs), (_STRETCHES - 1) * n_ratings), "Who rates what")
        except StopIteration as end:
            keys = end.value
            break
    users, items = np.empty(n_ratings, dtype=np.int32), np.empty(n_ratings, dtype=np.int32)
    ratings = np.empty(n_ratings, dtype=np.float32)
    for begin in range(0, n_ratings, _PART):
        control.checkpoint()
        yield pace.progress((_STRETCHES - 1) * n_ratings + begin, f"{begin:,} ratings")
        part = slice(begin, begin + _PART)
        u, i = (each.astype(np.int32) for each in np.divmod(keys[part], n_items))
        users[part], items[part] = u, i
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
    control: Control,
) -> Generator[int, None, npt.NDArray[np.int64]]:
    """Return ``count`` sorted keys user * n_items + item, drawn by the cumulated weights.

    Yields how many have been drawn and sorted so far, once for users, items and order each.
    """
    n_items, size = len(item_sums), len(user_sums) * len(item_sums)
    keys, done = np.empty(0, dtype=np.int64), 0
    for _ in range(30):
        missing = count - len(keys)
        if missing <= 0:
            break
        draws = int(missing * 1.15) + 64
        drawn = np.empty(draws + len(keys), dtype=np.int64)
        drawn[: len(keys)] = keys
        fresh = drawn[len(keys) :]
        for sums, is_first in ((user_sums, True), (item_sums, False)):
            for begin in range(0, draws, _DRAWN):
                control.checkpoint()
                part = fresh[begin : begin + _DRAWN]
                found = np.searchsorted(sums, random.random(len(part)) * sums[-1], side="right")
                if is_first:
                    np.multiply(found, n_items, out=part)
                else:
                    part += found
                done += len(part)
                yield done
        keys = _sorted_distinct(drawn, user_sums, n_items, control)
        done += draws
        yield done
    while len(keys) < count:  # the heavy pairs are used up: take the rest evenly
        control.checkpoint()
        more = random.integers(0, size, 2 * (count - len(keys)) + 64)
        keys = _sorted_distinct(np.concatenate([keys, more]), user_sums, n_items, control)
    if len(keys) > count:
        control.checkpoint()
        dropped = random.choice(len(keys), len(keys) - count, replace=False)
        control.checkpoint()
        keys = np.delete(keys, dropped)
    return keys


def _sorted_distinct(
    keys: npt.NDArray[np.int64],
    user_sums: npt.NDArray[np.float64],
    n_items: int,
    control: Control,
) -> npt.NDArray[np.int64]:
    """Return each key once, in order; sorted for about a million at a time."""
    groups = max(len(keys) // _SORTED, 1)
    shares = np.arange(1, groups) / groups * user_sums[-1]
    edges = np.unique(np.searchsorted(user_sums, shares)) * n_items
    group_of = np.empty(len(keys), dtype=np.int16)
    for begin in range(0, len(keys), _PART):
        control.checkpoint()
        part = slice(begin, begin + _PART)
        group_of[part] = np.searchsorted(edges, keys[part], side="right")
    out, done = np.empty_like(keys), 0
    for group in range(len(edges) + 1):
        control.checkpoint()
        found = keys[group_of == group]
        found.sort()
        first = np.append(True, found[1:] != found[:-1])[: len(found)]
        single = np.compress(first, found)
        out[done : done + len(single)] = single
        done += len(single)
    return out[:done]
