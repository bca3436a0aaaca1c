"""Learning on several processes, each with the ratings of some of the users.

Owns the group of processes (torch.distributed, started by torchrun) and who has which users. Must
not know models or files: a learner asks for sums over all processes, and all of them take the same
decisions because they see the same sums.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.distributed as dist
from torch import Tensor

from gradsheet.ratings.table import RatingTable


@dataclass(frozen=True, slots=True)
class Group:
    """The processes that learn together.

    Attributes
    ----------
    rank : int
        Which of them this is, from 0.
    size : int
    """

    rank: int
    size: int

    def summed(self, tensor: Tensor) -> Tensor:
        """Return the sum over all processes; every process has to ask."""
        whole = tensor.contiguous().clone()
        dist.all_reduce(whole)
        return whole

    def owned(self, table: RatingTable) -> npt.NDArray[np.bool_]:
        """Return whose ratings (n_users,) this process has: a stretch of users, about one share."""
        before = np.cumsum(table.user_counts()) - 1
        share = before * self.size // max(len(table), 1)
        mine: npt.NDArray[np.bool_] = np.clip(share, 0, self.size - 1) == self.rank
        return mine

    def part(self, table: RatingTable) -> RatingTable:
        """Return the ratings of this process; users, items and codes stay."""
        return table.take(self.owned(table)[table.users])


@contextmanager
def group_of_processes(device: str = "auto") -> Iterator[Group | None]:
    """Join the processes that torchrun has started; None where there is only this one.

    Parameters
    ----------
    device : str
        As the user asked for: nccl where that is a CUDA device, else gloo.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size < 2:
        yield None
        return
    on_gpu = device in ("auto", "cuda") and torch.cuda.is_available()
    if on_gpu:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    dist.init_process_group("nccl" if on_gpu else "gloo")
    try:
        yield Group(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()
