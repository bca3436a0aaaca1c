"""What a learner was at the end of each epoch, thinned to a byte budget.

Owns which states are kept. A future that was left goes first; of the run that is on, the start,
the best and the last epoch stay, and others as evenly as there is room. Must not know runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

BUDGET = 128 << 20
"""Bytes that all states of a session may take: some 20 epochs of MovieLens 100k with AdamW."""


@dataclass(slots=True, eq=False)
class EpochState:
    """A learner at the end of an epoch.

    Attributes
    ----------
    epochs : int
        That had been learned; 0: the start.
    step : int
        Mini-batches, or passes.
    valid_rmse : float or None
    ratings : int
        Revision of the ratings that it learned from.
    state : dict or None
        As the learner gave it; None once it had to make room.
    """

    epochs: int
    step: int
    valid_rmse: float | None
    ratings: int
    state: dict[str, Any] | None


Line = tuple[EpochState, ...]


class EpochStates:
    """The states of one session.

    Parameters
    ----------
    budget : int
        Bytes.

    Attributes
    ----------
    line : tuple of EpochState
        Of the run that is on, in their order.
    """

    def __init__(self, budget: int = BUDGET) -> None:
        self._budget = budget
        self._all: list[EpochState] = []
        self.line: Line = ()

    def add(self, new: EpochState) -> None:
        """Keep one more; it is the last of the line."""
        self.line = (*(kept for kept in self.line if kept.state is not None), new)
        self._all = [kept for kept in self._all if kept.state is not None] + [new]
        while self._bytes() > self._budget:
            least = self._least()
            if least is None:
                return
            least.state = None
            self._all.remove(least)
        self.line = tuple(kept for kept in self.line if kept.state is not None)

    def take_line(self, line: Line) -> None:
        """Go on with another line, as far as it is still kept."""
        self.line = tuple(kept for kept in line if kept.state is not None)

    @property
    def best(self) -> EpochState | None:
        """The epoch of the line with the lowest validation error; None without one."""
        rated = [(kept.valid_rmse, kept.step, kept) for kept in self.line if kept.valid_rmse]
        return min(rated, key=lambda entry: entry[:2])[2] if rated else None

    def _least(self) -> EpochState | None:
        """Return what is missed least; None where nothing may go."""
        for kept in self._all:
            if kept not in self.line:
                return kept
        line = [kept for kept in self.line if kept.state is not None]
        best = self.best
        gaps = [
            (after.step - before.step, -kept.step, kept)
            for before, kept, after in zip(line, line[1:], line[2:], strict=False)
            if kept is not best
        ]
        return min(gaps, key=lambda gap: gap[:2])[2] if gaps else None

    def _bytes(self) -> int:
        sizes: dict[int, int] = {}
        for kept in self._all:
            _measure(kept.state, sizes)
        return sum(sizes.values())


def _measure(value: Any, sizes: dict[int, int]) -> None:
    """Note the bytes of arrays and tensors, each memory once."""
    if hasattr(value, "untyped_storage"):
        storage = value.untyped_storage()
        sizes[storage.data_ptr()] = storage.nbytes()
    elif hasattr(value, "nbytes"):
        sizes[id(value)] = value.nbytes
    elif isinstance(value, Mapping):
        _measure(value.values(), sizes)
    elif isinstance(value, Iterable) and not isinstance(value, str | bytes):
        for part in value:
            _measure(part, sizes)
