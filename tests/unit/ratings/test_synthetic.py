"""Facts about made-up ratings."""

from __future__ import annotations

import numpy as np
import pytest

from gradsheet.ratings import synthetic
from gradsheet.ratings.synthetic import making_ratings, synthetic_ratings
from gradsheet.tasks import Cancelled, Control


def test_same_seed_same_table() -> None:
    a, _ = synthetic_ratings(200, 100, 3000, seed=5)
    b, _ = synthetic_ratings(200, 100, 3000, seed=5)
    c, _ = synthetic_ratings(200, 100, 3000, seed=6)
    assert a.items.tolist() == b.items.tolist()
    assert a.ratings.tolist() == b.ratings.tolist()
    assert a.items.tolist() != c.items.tolist()


@pytest.mark.parametrize("size", [(1, 2, 1), (10, 10, 50), (300, 200, 10_000), (5, 1000, 2500)])
def test_exactly_as_many_distinct_pairs_as_asked(size: tuple[int, int, int]) -> None:
    table, _ = synthetic_ratings(*size)
    assert (table.n_users, table.n_items, len(table)) == size
    assert table.duplicate_count() == 0


def test_ratings_are_half_stars() -> None:
    table, _ = synthetic_ratings(300, 200, 10_000)
    assert set((table.ratings * 2).tolist()) <= set(range(1, 11))


def test_items_have_a_long_tail() -> None:
    table, _ = synthetic_ratings(2000, 1000, 50_000)
    counts = np.sort(table.item_counts())[::-1]
    assert counts[:100].sum() > 0.25 * len(table)
    assert counts[500:].sum() < 0.35 * len(table)


def test_planted_factors_explain_the_ratings() -> None:
    table, planted = synthetic_ratings(1000, 500, 50_000, noise=0.1)
    u, i = table.users, table.items
    bias_only = planted.mean + planted.user_bias[u] + planted.item_bias[i]
    taste = (planted.user_factors[u] * planted.item_factors[i]).sum(1)
    inside = (table.ratings > 0.5) & (table.ratings < 5)
    without = (table.ratings - bias_only)[inside].std()
    with_taste = (table.ratings - bias_only - taste)[inside].std()
    assert with_taste < 0.25
    assert without > 2 * with_taste


def test_more_ratings_than_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        synthetic_ratings(10, 10, 51)


class CancelledAt(Control):
    """A control that is cancelled at one of its checkpoints."""

    def __init__(self, number: int = -1) -> None:
        super().__init__()
        self.number, self.seen = number, 0

    def checkpoint(self) -> None:
        self.seen += 1
        if self.seen == self.number:
            self.cancel()
        super().checkpoint()


def in_small_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_PART", "_DRAWN", "_SORTED"):
        monkeypatch.setattr(synthetic, name, 700)


def test_the_stretches_do_not_change_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _ = synthetic_ratings(200, 100, 5000, seed=5)
    in_small_stretches(monkeypatch)
    parts, _ = synthetic_ratings(200, 100, 5000, seed=5)
    for name in ("users", "items", "ratings"):
        assert np.array_equal(getattr(whole, name), getattr(parts, name))


def test_making_tells_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    in_small_stretches(monkeypatch)
    shares = [step.fraction for step in making_ratings(200, 100, 5000, seed=5)]
    assert shares == sorted(shares)
    assert len(set(shares)) > 10
    assert shares[0] < 0.1
    assert shares[-1] > 0.9


def test_making_is_cancelled_at_any_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    in_small_stretches(monkeypatch)
    control = CancelledAt()
    for _ in making_ratings(200, 100, 5000, control, seed=5):
        pass
    assert control.seen > 5 * 5000 // 700
    for number in range(1, control.seen + 1, 3):
        work = making_ratings(200, 100, 5000, CancelledAt(number), seed=5)
        with pytest.raises(Cancelled):
            list(work)
