"""Facts about the products of full-batch learning; every kernel gives the same on every device."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from gradsheet.collab import kernels
from gradsheet.collab.devices import available_devices
from gradsheet.ratings.table import RatingTable

DEVICES = available_devices()


def shuffled(table: RatingTable) -> RatingTable:
    return table.take(np.random.default_rng(0).permutation(len(table)))


def dense(table: RatingTable, values: np.ndarray) -> np.ndarray:
    out = np.zeros((table.n_users, table.n_items))
    out[table.users, table.items] = values
    return out


@pytest.mark.parametrize("device", DEVICES)
def test_residuals_are_targets_minus_dot_products(planted: RatingTable, device: str) -> None:
    layout = kernels.lay_out(shuffled(planted), device)
    table = torch.randn(layout.n_rows, 8, generator=torch.Generator().manual_seed(0)).to(device)
    users = torch.repeat_interleave(
        torch.arange(layout.n_users, device=device), layout.counts[: layout.n_users, 0].long()
    )
    other = table[layout.n_users :][layout.items.long()]
    expected = layout.ratings - (table[users] * other).sum(1)
    torch.testing.assert_close(
        kernels.residuals(layout, layout.ratings, table), expected, rtol=1e-4, atol=1e-4
    )
    torch.testing.assert_close(
        kernels.gathered_residuals(layout, layout.ratings, table), expected, rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("kernel", [kernels.residuals, kernels.gathered_residuals])
def test_a_mean_that_is_given_is_taken_off_the_targets(
    planted: RatingTable, device: str, kernel: Any
) -> None:
    layout = kernels.lay_out(planted, device)
    table = torch.randn(layout.n_rows, 8, generator=torch.Generator().manual_seed(0)).to(device)
    expected = kernel(layout, layout.ratings - 3.5, table)
    torch.testing.assert_close(kernel(layout, layout.ratings, table, mean=3.5), expected)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("kernel", [kernels.neighbour_sums, kernels.gathered_sums])
def test_neighbour_sums_are_the_products_of_the_rating_matrix(
    planted: RatingTable, device: str, kernel: object
) -> None:
    layout = kernels.lay_out(shuffled(planted), device)
    table = torch.randn(layout.n_rows, 5, generator=torch.Generator().manual_seed(0)).to(device)
    sums = kernel(layout, table, layout.ratings).cpu().numpy()  # type: ignore[operator]
    matrix = dense(planted, planted.ratings)
    users, items = table[: layout.n_users].cpu().numpy(), table[layout.n_users :].cpu().numpy()
    np.testing.assert_allclose(sums[: layout.n_users], matrix @ items, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(sums[layout.n_users :], matrix.T @ users, rtol=1e-4, atol=1e-3)
    counted = kernel(layout, torch.ones_like(table[:, :1]))  # type: ignore[operator]
    torch.testing.assert_close(counted, layout.counts)


def test_rows_without_ratings_sum_to_zero() -> None:
    table = RatingTable(
        np.array([2, 2], np.int32),
        np.array([0, 3], np.int32),
        np.array([1.0, 2.0], np.float32),
        np.arange(4),
        np.arange(5),
    )
    layout = kernels.lay_out(table)
    sums = kernels.neighbour_sums(layout, torch.ones(9, 2))
    assert sums[:, 0].tolist() == [0, 0, 2, 0, 1, 0, 0, 1, 0]


def test_the_order_of_the_file_does_not_matter(planted: RatingTable) -> None:
    a, b = kernels.lay_out(planted), kernels.lay_out(shuffled(planted))
    assert torch.equal(a.counts, b.counts)
    assert torch.equal(a.user_starts, b.user_starts)
    assert torch.equal(a.item_starts, b.item_starts)


def test_an_empty_table_is_refused(planted: RatingTable) -> None:
    with pytest.raises(ValueError, match="0 ratings"):
        kernels.lay_out(planted.take(np.empty(0, np.int64)))


def test_arrays_that_must_not_be_written_are_copied(planted: RatingTable) -> None:
    for column in (planted.users, planted.items, planted.ratings):
        column.flags.writeable = False
    try:
        layout = kernels.lay_out(planted)
        layout.ratings.add_(1.0)
        assert planted.ratings.max() <= 5.0
    finally:
        for column in (planted.users, planted.items, planted.ratings):
            column.flags.writeable = True


@pytest.mark.parametrize(("n_codes", "count"), [(50, 4000), (1 << 15, 1 << 17), (1 << 16, 1 << 17)])
def test_a_layout_keeps_the_raters_of_an_item_in_order(n_codes: int, count: int) -> None:
    items = np.random.default_rng(n_codes).integers(0, n_codes, count).astype(np.int32)
    users = np.arange(count, dtype=np.int32)
    table = RatingTable(users, items, np.ones(count, np.float32), users, np.arange(n_codes))
    by_item = kernels.lay_out(table).by_item.numpy()
    np.testing.assert_array_equal(by_item, np.argsort(items, kind="stable"))
