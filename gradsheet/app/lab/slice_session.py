"""The path of a run of many parameters, and the slice of its loss that is drawn.

Owns where the run was (read from the cells, a point a frame at most) and which directions the
slice has. The slice is worked out on the engine's thread. Knows no window.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from gradsheet.formula.values import UserError
from gradsheet.learn.slices import Floats, Plane, Slice, coordinate_plane, cut, principal_plane

if TYPE_CHECKING:
    from gradsheet.app.document import Document
    from gradsheet.learn.problem import Problem

MOST_PARAMETERS = 20_000
MOST_POINTS = 400


class SliceSession:
    """Follows the parameters of a document's run.

    Parameters
    ----------
    document : Document

    Attributes
    ----------
    axes : (int, int) or None
        Two parameters by their place in the problem; None for the principal directions.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self.axes: tuple[int, int] | None = None
        self._path: list[Floats] = []
        self._steps: list[int] = []
        self._problem: Problem | None = None

    @property
    def length(self) -> int:
        """Points of the path so far."""
        return len(self._path)

    def note(self) -> None:
        """Remember where the parameters are now, if the run has moved."""
        document = self._document
        if not document.has_problem:
            return
        problem, step = document.problem, document.run.step
        if problem is not self._problem:
            self._problem, self._path, self._steps = problem, [], []
        if problem.size > MOST_PARAMETERS:
            return
        while self._steps and self._steps[-1] >= step:
            self._steps.pop()
            self._path.pop()
        parts = [
            document.workbook.sheet(p.sheet).cells.read(p.region)[0].ravel()
            for p in problem.parameters
        ]
        self._path.append(np.concatenate(parts))
        self._steps.append(step)
        if len(self._path) > MOST_POINTS:
            # Every second of the older half goes, never the start.
            half = len(self._path) // 2
            kept = [*range(0, half, 2), *range(half, len(self._path))]
            self._path = [self._path[i] for i in kept]
            self._steps = [self._steps[i] for i in kept]

    def job(self, size: int = 33) -> Callable[[], Slice]:
        """Return the work of cutting a slice, for the engine's thread.

        Raises
        ------
        UserError
            While there is no path, or there are too many parameters to keep one.
        """
        problem = self._document.problem
        if problem.size > MOST_PARAMETERS:
            raise UserError(
                f"{problem.size:,} parameters are too many to keep a path of.",
                f"Slices are for up to {MOST_PARAMETERS:,}.",
            )
        if len(self._path) < 2:
            raise UserError("The run has not moved yet.", "Press Space for a step or F5 to run.")
        path = np.array(self._path)
        calculation, axes = self._document.calculation, self.axes

        def work() -> Slice:
            import torch

            objective = calculation.objective(problem)

            def loss(theta: Floats) -> float:
                return float(objective.loss(torch.from_numpy(theta)))

            return cut(loss, self._plane(path, axes), path, size)

        return work

    def _plane(self, path: Floats, axes: tuple[int, int] | None) -> Plane:
        if axes is None or axes[0] == axes[1]:
            return principal_plane(path)
        return coordinate_plane(path, *axes, "two chosen parameters")
