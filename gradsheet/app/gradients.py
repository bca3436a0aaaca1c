"""The gradient layer: d loss / d cell of every cell on the way to the loss, kept up to date.

Owns the derivatives that are shown, their scales, and when they are computed: in the trainer's
thread at frame rate while a run goes on, on the engine's thread when it stands. Knows no colours.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gradsheet.app.explain import role_at
from gradsheet.app.messages import Message
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import Kind, UserError

if TYPE_CHECKING:
    from torch import Tensor

    from gradsheet.app.document import Document
    from gradsheet.formula.objective import Objective
    from gradsheet.formula.results import Computed
    from gradsheet.learn.problem import Problem
    from gradsheet.sheet.workbook import Workbook

FRAMES_PER_SECOND = 15.0
"""How often a running layer is computed: as often as numbers can be read, no more."""
SHARE_OF_TIME = 0.2
"""Of the trainer's time at most this much goes into the layer, however slow the derivatives."""
_ROBUST = 0.98
"""The scale ends at this quantile, so that one large cell does not bleach all others."""
_SHRINKS_BELOW = 0.3
"""A scale shrinks only when this share of it is enough: it must not flicker."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The symmetric scale of the cells of one role.

    Attributes
    ----------
    role : str
        `Role.value`, "" for cells without a role.
    label : str
    limit : float
        The colours end at minus and plus this number, one of 1, 2, 5 times a power of ten.
    """

    role: str
    label: str
    limit: float

    @property
    def exponent(self) -> int:
        """The power of ten in which its cells are written: 0 where plain numbers are short."""
        power = math.floor(math.log10(self.limit) + 1e-9)
        return 0 if -1 <= power <= 2 else power


def round_limit(size: float) -> float:
    """Return the smallest of 1, 2, 5 times a power of ten that is at least `size`."""
    if not size > 0 or not math.isfinite(size):
        return 1.0
    power = 10.0 ** math.floor(math.log10(size))
    return next(m * power for m in (1.0, 2.0, 5.0, 10.0) if m * power >= size * (1 - 1e-9))


def steady_limit(before: float | None, sizes: npt.NDArray[np.float64]) -> float:
    """Return the end of a scale: robust against outliers, and as it was unless it must change."""
    held = sizes[sizes > 0]
    need = float(np.quantile(held, _ROBUST)) if held.size else 0.0
    if before is not None and _SHRINKS_BELOW * before <= need <= before:
        return before
    return before or 1.0 if need == 0.0 else round_limit(need)


class Watched:
    """An objective that also leaves the derivatives at the values it is asked for.

    Parameters
    ----------
    inner : Objective
    layer : GradientLayer
        Asked whether anybody looks; gets the derivatives. Used in the trainer's thread.
    """

    def __init__(self, inner: Objective, layer: GradientLayer) -> None:
        self.inner = inner
        self._layer = layer
        self._next = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def values(self, theta: Tensor) -> list[Computed]:
        """Return what the cells hold; at frame rate look at the derivatives too."""
        found = self.inner.values(theta)
        began = time.perf_counter()
        if self._layer.is_on and began >= self._next:
            self._layer.leave(self.inner.gradients(theta))
            cost = time.perf_counter() - began
            self._next = began + max(1 / FRAMES_PER_SECOND, cost / SHARE_OF_TIME)
        return found


def _theta(workbook: Workbook, problem: Problem) -> Tensor:
    """Return the parameters as the cells show them, a blank as 0."""
    import torch

    parts = [workbook.sheet(p.sheet).cells.read(p.region) for p in problem.parameters]
    shown = [np.where(kinds == Kind.NUMBER, values, 0.0).reshape(-1) for values, kinds in parts]
    return torch.from_numpy(np.concatenate(shown))


class GradientLayer:
    """The derivatives of a document's loss by its cells, while switched on.

    Parameters
    ----------
    document : Document
    changed : callable (regions) -> None
        Called on the document's thread with (sheet id, Region) of what shows otherwise now.
    """

    def __init__(
        self, document: Document, changed: Callable[[Sequence[tuple[int, Region]]], None]
    ) -> None:
        self._document = document
        self._changed = changed
        self._on = False
        self._lock = threading.Lock()
        self._left: list[Computed] | None = None
        self._shown: tuple[Computed, ...] = ()
        self._scales: dict[tuple[str, str], Scale] = {}
        self._asked = False
        self._again = False
        self._round = 0
        self._refused = ""

    # ------------------------------------------------------------------ what is shown

    @property
    def is_on(self) -> bool:
        """Whether somebody looks."""
        return self._on

    @property
    def shown(self) -> tuple[Computed, ...]:
        """The derivatives on show, block by block; empty while off or not known."""
        return self._shown

    @property
    def scales(self) -> tuple[Scale, ...]:
        """The scale of each role on show, in the order of the sheet's roles."""
        return tuple(self._scales.values())

    def at(self, sheet: int, cell: Cell) -> float | None:
        """Return d loss / d cell, None off the path to the loss."""
        for found in self._shown:
            if found.sheet == sheet and found.region.contains(cell):
                row, col = cell.row - found.region.top, cell.col - found.region.left
                return float(found.values[row, col]) if found.kinds[row, col] else None
        return None

    def scale_of(self, sheet: int, region: Region) -> Scale | None:
        """Return the scale of a block."""
        return self._scales.get(self._key(sheet, region))

    def _key(self, sheet: int, region: Region) -> tuple[str, str]:
        role = role_at(self._document.workbook.sheet(sheet), region)
        return ("", "other cells") if role is None else (role.role.value, role.label)

    @property
    def moves_up(self) -> float:
        """Return the sign of the way a cell would move per derivative: -1 when minimising."""
        problem = self._document.problem
        if problem.goal == "maximise":
            return 1.0
        loss = self._document.loss_now()
        if problem.goal == "value" and loss is not None and loss < problem.target:
            return 1.0
        return -1.0

    # ------------------------------------------------------------------ switching

    def switch(self, on: bool) -> None:
        """Show the layer or take it away.

        Raises
        ------
        UserError
            If nothing says yet what is to be learned.
        """
        if on:
            _ = self._document.problem  # raises where the problem is incomplete
        self._on = on
        if on:
            self.follow()
            return
        gone = [(found.sheet, found.region) for found in self._shown]
        self._shown, self._scales = (), {}
        self._changed(gone)

    def forget(self) -> None:
        """Another workbook is open: what was asked of the old one is void."""
        self._round += 1
        self._asked = self._again = False
        self._scales = {}
        self._shown = ()
        with self._lock:
            self._left = None
        self._refused = ""

    # ------------------------------------------------------------------ keeping up

    def leave(self, derivatives: list[Computed]) -> None:
        """Take derivatives from the trainer's thread; `follow` shows them."""
        with self._lock:
            self._left = derivatives

    def follow(self) -> None:
        """Show what is newest. Call it when cells or the run have changed."""
        if not self._on:
            return
        trainer = self._document.run.trainer
        objective = getattr(trainer, "objective", None)
        is_new = hasattr(objective, "gradients") and not isinstance(objective, Watched)
        if objective is not None and is_new:
            trainer.objective = Watched(objective, self)  # type: ignore[union-attr]
        if self._document.run.task is None:
            self._ask()
            return
        with self._lock:
            left, self._left = self._left, None
        if left is not None:
            self._show(left)

    def _ask(self) -> None:
        """Compute the derivatives of the cells as they stand on the engine's thread."""
        if self._asked:
            self._again = True
            return
        document, asked_in = self._document, self._round
        try:
            problem = document.problem
        except UserError as error:
            self._refuse(error)
            return
        trainer, calculation = document.run.trainer, document.calculation
        workbook = document.workbook
        self._asked = True

        def compute() -> list[Computed]:
            objective = getattr(trainer, "objective", None)
            if isinstance(objective, Watched):
                return objective.inner.gradients(_theta(workbook, problem))
            fresh = calculation.objective(problem)
            return fresh.gradients(_theta(workbook, problem))

        def take(found: list[Computed]) -> None:
            if asked_in != self._round:
                return
            self._asked, self._refused = False, ""
            if self._on and document.run.task is None:
                self._show(found)
            if self._again:
                self._again = False
                self.follow()

        def failed(error: BaseException) -> None:
            if asked_in == self._round:
                self._asked = self._again = False
                self._refuse(error)

        document.engine.submit(compute, take, failed, "computing gradients")

    def _refuse(self, error: BaseException) -> None:
        """Say once why there is nothing to show."""
        gone = [(found.sheet, found.region) for found in self._shown]
        self._shown, self._scales = (), {}
        self._changed(gone)
        text = str(error)
        if text != self._refused:
            self._refused = text
            hint = getattr(error, "hint", "")
            words = getattr(error, "text", text)
            self._document.say(Message("warning", f"No gradients to show: {words}", hint))

    def _show(self, found: list[Computed]) -> None:
        sizes: dict[tuple[str, str], list[npt.NDArray[np.float64]]] = {}
        for block in found:
            key = self._key(block.sheet, block.region)
            sizes.setdefault(key, []).append(np.abs(block.values[block.kinds > 0]).reshape(-1))
        before, self._scales = self._scales, {}
        for key, arrays in sizes.items():
            known = before.get(key)
            limit = steady_limit(known.limit if known else None, np.concatenate(arrays))
            self._scales[key] = Scale(*key, limit)
        touched = {(block.sheet, block.region) for block in (*self._shown, *found)}
        self._shown = tuple(found)
        self._changed(sorted(touched))
