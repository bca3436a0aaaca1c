"""The two products that full-batch learning is made of: residuals of all ratings, and their sums.

Owns the sorted layout of a rating table on a device and the choice of kernel per device. Must not
know what is learned with them.
"""

# LONG: each product stands beside its twin for the other devices, over one layout.

from __future__ import annotations

import itertools
import warnings
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from gradsheet.collab.shards import Group
from gradsheet.ratings.table import Check, RatingTable, groups_of_codes, unchecked

Side = Literal["both", "users", "items"]

_PART = 1 << 18  # ratings handled at a time where a device has no sparse kernels
_BETWEEN_CHECKS = 1 << 20  # ratings handled at a time on the CPU, so that a cancel is heard soon
_SPARSE_DEVICES = ("cpu", "cuda")

with warnings.catch_warnings():
    # torch says once per process that CSR tensors are in beta; the operators used here are tested.
    warnings.simplefilter("ignore")
    torch.sparse_csr_tensor(
        torch.tensor([0, 1]), torch.tensor([0]), torch.ones(1), (1, 1), check_invariants=False
    )


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """Which users rated which items, for predicting those pairs.

    Attributes
    ----------
    n_users, n_items : int
    ratings : Tensor (n,) float32
        Sorted by user.
    items : Tensor (n,) int32
        Item code of each rating, in that order.
    user_starts : Tensor (n_users + 1,) int32
        Where each user's ratings begin.
    user_parts : tuple of (row, row, entry, entry)
        Stretches of users and of their ratings, of about a million ratings each.
    """

    n_users: int
    n_items: int
    ratings: Tensor
    items: Tensor
    user_starts: Tensor
    user_parts: tuple[tuple[int, int, int, int], ...]

    def __len__(self) -> int:
        """Return the number of ratings."""
        return len(self.ratings)

    @property
    def n_rows(self) -> int:
        """Rows of a factor table: users and items."""
        return self.n_users + self.n_items

    @property
    def device(self) -> torch.device:
        """Where the tensors are."""
        return self.ratings.device


@dataclass(frozen=True, slots=True, eq=False)
class Layout(Pattern):
    """Ratings as a graph between rows: users first, then items, in one table of rows.

    A factor table for it is (n_users + n_items, width) float32; row n_users + i belongs to item i.

    Attributes
    ----------
    by_item : Tensor (n,) int32
        Positions of the ratings, sorted by item.
    raters : Tensor (n,) int32
        User code of each rating, sorted by item.
    item_starts : Tensor (n_items + 1,) int32
        Where each item's part of ``by_item`` and ``raters`` begins.
    item_parts : tuple of (row, row, entry, entry)
        Stretches of items and of their ratings, as ``user_parts``.
    counts : Tensor (n_users + n_items, 1) float32
        Ratings of each row.
    group : Group or None
        Where other processes have the ratings of other users: counts of items are over all of
        them, all else is of this one's ratings.
    """

    by_item: Tensor
    raters: Tensor
    item_starts: Tensor
    item_parts: tuple[tuple[int, int, int, int], ...]
    counts: Tensor
    group: Group | None = None

    def summed(self, tensor: Tensor) -> Tensor:
        """Return the sum over the processes that learn together."""
        return tensor if self.group is None else self.group.summed(tensor)

    def total(self, value: Tensor | float) -> float:
        """Return the sum of a number over the processes that learn together."""
        if self.group is None:
            return float(value)
        number = torch.as_tensor(value, dtype=torch.float64, device=self.device)
        return float(self.group.summed(number))


def pattern_of(
    table: RatingTable, device: torch.device | str = "cpu", check: Check = unchecked
) -> Pattern:
    """Sort a rating table by user, for predicting its pairs only; see :func:`lay_out`."""
    users, items, ratings = _by_user(table, check)
    starts = _starts(torch.bincount(_tensor(users), minlength=table.n_users).numpy())
    return Pattern(
        n_users=table.n_users,
        n_items=table.n_items,
        ratings=_tensor(ratings.astype(np.float32, copy=False)).to(device),
        items=_tensor(items).to(device),
        user_starts=_tensor(starts).to(device),
        user_parts=tuple(_parts(starts)),
    )


def _by_user(
    table: RatingTable, check: Check
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    users, items, ratings = table.users, table.items, table.ratings
    if not bool((users[1:] >= users[:-1]).all()):
        order = _order(users, table.n_users, check)
        users, items, ratings = users[order], items[order], ratings[order]
    return users, items, ratings


def lay_out(
    table: RatingTable,
    device: torch.device | str = "cpu",
    check: Check = unchecked,
    group: Group | None = None,
) -> Layout:
    """Sort a rating table for full-batch learning.

    Parameters
    ----------
    table : RatingTable
        At least one rating, at most 2**30.
    device : torch.device or str
    check : callable
        Called often; it may raise to give the work up. So in all functions here.

    Notes
    -----
    The sorts are of numbers with the code above and the position below, of 32 bits where both fit:
    numpy sorts those with SIMD instructions, many times faster than ``argsort`` of the codes.
    """
    count = len(table)
    if not 0 < count <= 1 << 30:
        raise ValueError(f"{count} ratings cannot be laid out")
    users, items, ratings = _by_user(table, check)
    by_item = _order(items, table.n_items, check)
    check()
    raters = np.take(users, by_item)
    check()
    # torch counts int32 codes four times as fast as numpy, which makes them int64 first.
    counts = [
        torch.bincount(_tensor(codes), minlength=size).numpy()
        for codes, size in ((users, table.n_users), (items, table.n_items))
    ]
    user_starts, item_starts = (_starts(each) for each in counts)

    def put(array: npt.NDArray[Any]) -> Tensor:
        return _tensor(array).to(device)

    all_counts = put(np.concatenate(counts).astype(np.float32)[:, None])
    if group is not None:
        all_counts[table.n_users :] = group.summed(all_counts[table.n_users :])
    return Layout(
        n_users=table.n_users,
        n_items=table.n_items,
        ratings=put(ratings.astype(np.float32, copy=False)),
        items=put(items),
        user_starts=put(user_starts),
        user_parts=tuple(_parts(user_starts)),
        by_item=put(by_item),
        raters=put(raters),
        item_starts=put(item_starts),
        item_parts=tuple(_parts(item_starts)),
        counts=all_counts,
        group=group,
    )


def _starts(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    """Return where each row's ratings begin, and where the last one's end."""
    starts = np.zeros(len(counts) + 1, dtype=np.int32)
    np.cumsum(counts, out=starts[1:])
    return starts


def _parts(starts: npt.NDArray[np.int32]) -> list[tuple[int, int, int, int]]:
    """Cut rows where about a million ratings more have passed."""
    wanted = np.arange(_BETWEEN_CHECKS, int(starts[-1]), _BETWEEN_CHECKS)
    cuts = np.unique([0, *np.searchsorted(starts, wanted), len(starts) - 1]).tolist()
    return [(a, b, int(starts[a]), int(starts[b])) for a, b in itertools.pairwise(cuts)]


def _tensor(array: npt.NDArray[Any]) -> Tensor:
    """Return the array as a tensor; what must not be written is copied."""
    return torch.from_numpy(np.require(array, requirements=["C", "W"]))


def _order(codes: npt.NDArray[np.int32], n_codes: int, check: Check) -> npt.NDArray[np.int32]:
    """Return the stable sorting order of codes below ``n_codes``."""
    place_bits = max(len(codes) - 1, 1).bit_length()
    fits = max(n_codes - 1, 1).bit_length() + place_bits <= 32
    kind, shift = (np.dtype(np.uint32), place_bits) if fits else (np.dtype(np.int64), 32)
    order = np.empty(len(codes), dtype=np.int32)
    done = 0
    for rows in groups_of_codes(codes, n_codes):
        check()
        packed: npt.NDArray[np.integer[Any]] = codes[rows].astype(kind)
        packed <<= shift
        places = np.arange(rows.start, rows.stop) if isinstance(rows, slice) else rows
        packed |= places.astype(kind, copy=False)
        packed.sort()
        packed &= (1 << shift) - 1
        order[done : done + len(packed)] = packed
        done += len(packed)
    return order


def residuals(
    layout: Pattern, targets: Tensor, table: Tensor, check: Check = unchecked, mean: float = 0.0
) -> Tensor:
    """Return targets - mean - <user row, item row> for each rating.

    Parameters
    ----------
    layout : Pattern
    targets : Tensor (n,) float32
        In the order of ``layout.ratings``.
    table : Tensor (n_rows, width) float32
    check : callable
    mean : float
        Taken off the targets part by part, so that no copy of them is held.

    Returns
    -------
    Tensor (n,) float32

    Notes
    -----
    A sampled dense-dense product, SDDMM (``torch.sparse.sampled_addmm``), where the device has
    one; gathers in parts elsewhere.
    """
    if layout.device.type not in _SPARSE_DEVICES:
        return gathered_residuals(layout, targets, table, check, mean)
    items, users = table[layout.n_users :].t(), layout.n_users
    parts = layout.user_parts
    if layout.device.type != "cpu" or len(parts) == 1:
        parts = ((0, users, 0, len(layout)),)
    out = targets.new_empty(len(targets) if len(parts) > 1 else 0)
    for first, last, begin, end in parts:
        check()
        starts = layout.user_starts[first : last + 1]
        pattern = torch.sparse_csr_tensor(
            starts - begin if begin else starts,
            layout.items[begin:end],
            targets[begin:end] - mean if mean else targets[begin:end].contiguous(),
            (last - first, layout.n_items),
            check_invariants=False,
        )
        product = torch.sparse.sampled_addmm(pattern, table[first:last], items, alpha=-1.0)
        if len(parts) == 1:
            values: Tensor = product.values()
            return values
        out[begin:end] = product.values()
    return out


def gathered_residuals(
    layout: Pattern, targets: Tensor, table: Tensor, check: Check = unchecked, mean: float = 0.0
) -> Tensor:
    """Return what :func:`residuals` does, by gathers in parts: runs on every device."""
    out = targets.new_empty(len(targets))
    codes = torch.arange(layout.n_users, device=layout.device)
    users = torch.repeat_interleave(codes, layout.user_starts.diff().to(torch.int64))
    for begin in range(0, len(layout), _PART):
        check()
        part = slice(begin, min(begin + _PART, len(layout)))
        left = table.index_select(0, users[part])
        right = table.index_select(0, layout.items[part] + layout.n_users)
        out[part] = targets[part] - mean - (left * right).sum(1)
    return out


def neighbour_sums(
    layout: Layout,
    table: Tensor,
    weights: Tensor | None = None,
    side: Side = "both",
    check: Check = unchecked,
) -> Tensor:
    """Return for each row the weighted sum of the rows it shares a rating with.

    Parameters
    ----------
    layout : Layout
    table : Tensor (n_rows, width) float32
    weights : Tensor (n,) float32, optional
        One for each rating, in the order of ``layout.ratings``; 1 if not given.
    side : {"both", "users", "items"}
        Which rows are wanted.

    Returns
    -------
    Tensor (n_rows, width) float32, or (n_users, width), or (n_items, width)
        Zero for rows without ratings; for items over all processes that learn together.
    """
    users = layout.n_users
    if layout.device.type not in _SPARSE_DEVICES:
        both = gathered_sums(layout, table, weights, check)
        sums = {"both": both, "users": both[:users], "items": both[users:]}[side]
    else:
        wanted = {"both": (0, layout.n_rows), "users": (0, users), "items": (users, layout.n_rows)}
        first, last = wanted[side]
        sums = table.new_empty(last - first, table.shape[1])
        product = _bag_sums if layout.device.type == "cpu" else _graph_product
        if side != "items":
            product(layout, table, weights, "users", sums[:users], check)
        if side != "users":
            product(layout, table, weights, "items", sums[users - first :], check)
    if layout.group is not None and side != "users":
        own = sums[users if side == "both" else 0 :]
        own.copy_(layout.summed(own))
    return sums


def _graph_product(
    layout: Layout,
    table: Tensor,
    weights: Tensor | None,
    side: Literal["users", "items"],
    out: Tensor,
    check: Check,
) -> None:
    """Write the sums of all users or all items: the product of a sparse matrix with the table."""
    users = layout.n_users
    of_users = side == "users"
    others, starts = (
        (layout.items, layout.user_starts) if of_users else (layout.raters, layout.item_starts)
    )
    if weights is None:
        weights = table.new_ones(len(others))
    elif not of_users:
        weights = weights.index_select(0, layout.by_item)
    shape = (users, layout.n_items) if of_users else (layout.n_items, users)
    graph = torch.sparse_csr_tensor(starts, others, weights, shape, check_invariants=False)
    out.copy_(graph @ (table[users:] if of_users else table[:users]))


def _bag_sums(
    layout: Layout,
    table: Tensor,
    weights: Tensor | None,
    side: Literal["users", "items"],
    out: Tensor,
    check: Check,
) -> None:
    """Write the sums of all users or all items on the CPU.

    Notes
    -----
    ``embedding_bag`` computes the product five times faster than the CSR product of MKL.
    """
    users = layout.n_users
    of_users = side == "users"
    others, starts, parts, rows = (
        (layout.items, layout.user_starts, layout.user_parts, table[users:])
        if of_users
        else (layout.raters, layout.item_starts, layout.item_parts, table[:users])
    )
    for first, last, begin, end in parts:
        check()
        part = None
        if weights is not None and of_users:
            part = weights[begin:end]
        elif weights is not None:
            part = weights.index_select(0, layout.by_item[begin:end])
        begins = starts[first:last]
        out[first:last] = functional.embedding_bag(
            others[begin:end],
            rows,
            begins - begin if begin else begins,
            mode="sum",
            per_sample_weights=part,
        )


def gathered_sums(
    layout: Layout, table: Tensor, weights: Tensor | None = None, check: Check = unchecked
) -> Tensor:
    """Return what :func:`neighbour_sums` does, by gathers in parts: runs on every device."""
    out, users = torch.zeros_like(table), layout.n_users
    for first, others, starts in (
        (0, layout.items + users, layout.user_starts),
        (users, layout.raters, layout.item_starts),
    ):
        counts = starts.diff().to(torch.int64)
        codes = torch.arange(first, first + len(counts), device=layout.device)
        rows = torch.repeat_interleave(codes, counts)
        for begin in range(0, len(layout), _PART):
            check()
            part = slice(begin, min(begin + _PART, len(layout)))
            values = table.index_select(0, others[part])
            if weights is not None:
                of_part = weights[part] if not first else weights[layout.by_item[part].long()]
                values = values * of_part[:, None]
            out.index_add_(0, rows[part], values)
    return out
