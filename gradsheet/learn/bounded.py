"""L-BFGS between bounds: steps along the projected path, curvature among the free cells only.

Owns the descent from one start. Must not know cells or conditions. Bertsekas, Projected Newton
methods (SIAM J. Control 20, 1982): cells that would leave their bound are held, the direction is
that of L-BFGS (Nocedal and Wright, algorithm 7.4) among the others, the search is along the
projection of the line.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np

from gradsheet.learn.constraints import Bounds, Floats, Truths

Evaluate = Callable[[Floats], "tuple[float, Floats] | None"]
_DECREASE = 1e-4
_MOST_TRIALS = 25
_MOST_STRETCHES = 12
_CURVED = 1e-14


class BoundedDescent:
    """L-BFGS from one start: `iterate` goes to lower values until it returns False.

    Parameters
    ----------
    evaluate : gives value and gradient (n,) at a point (n,), None where there is no value
    x : (n,) within the bounds
    value, gradient : there
    memory : pairs of steps and changes of the gradient
    bounds : Bounds
    """

    def __init__(
        self,
        evaluate: Evaluate,
        x: Floats,
        value: float,
        gradient: Floats,
        memory: int,
        bounds: Bounds,
    ) -> None:
        self.x, self.value, self.gradient = x, value, gradient
        self.bounds = bounds
        self._evaluate = evaluate
        self._pairs: deque[tuple[Floats, Floats]] = deque(maxlen=memory)

    def iterate(self) -> bool:
        """Make one step; False, and nothing has changed, if there is none to lower values."""
        while True:
            if self._step():
                return True
            if not self._pairs:
                return False
            self._pairs.clear()

    def _step(self) -> bool:
        free = ~self.bounds.is_held(self.x, self.gradient)
        if not free.any() or not np.abs(self.gradient[free]).max() > 0:
            return False
        direction = self._direction(free)
        if not direction @ self.gradient < 0:
            direction = np.where(free, -self.gradient, 0.0)
        steep = float(np.abs(self.gradient[free]).sum())
        first = 1.0 if self._pairs else min(1.0, 1.0 / steep)
        found = self._search(direction, first)
        if found is None:
            return False
        x, value, gradient = found
        step, change = x - self.x, gradient - self.gradient
        if step @ change > _CURVED * float(np.linalg.norm(step) * np.linalg.norm(change)):
            self._pairs.append((step, change))
        self.x, self.value, self.gradient = x, value, gradient
        return True

    def _search(self, direction: Floats, length: float) -> tuple[Floats, float, Floats] | None:
        """Go back until it is lower by enough (Armijo); at once low enough: try farther."""
        found = None
        for _ in range(_MOST_TRIALS):
            trial = self._at(direction, length)
            if trial is not None and self._is_lower(trial):
                found = trial
                break
            shorter = 0.5
            if trial is not None:
                slope = float(self.gradient @ (trial[0] - self.x))
                bend = trial[1] - self.value - slope
                if slope < 0 < bend:
                    shorter = min(max(-slope / (2 * bend), 0.1), 0.5)
            length *= shorter
        for _ in range(_MOST_STRETCHES if found is not None else 0):
            assert found is not None
            moved = found[0] - self.x
            if float(found[2] @ moved) >= 0.9 * float(self.gradient @ moved):
                break  # the slope has become gentle: the curvature condition holds
            length *= 2.0
            trial = self._at(direction, length)
            is_better = trial is not None and trial[1] < found[1] and self._is_lower(trial)
            if trial is None or not is_better:
                break
            found = trial
        return found

    def _at(self, direction: Floats, length: float) -> tuple[Floats, float, Floats] | None:
        x = self.bounds.projected(self.x + length * direction)
        if (x == self.x).all():
            return None
        found = self._evaluate(x)
        return None if found is None else (x, *found)

    def _is_lower(self, trial: tuple[Floats, float, Floats]) -> bool:
        slope = float(self.gradient @ (trial[0] - self.x))
        return trial[1] <= self.value + _DECREASE * min(slope, 0.0) and trial[1] < self.value

    def _direction(self, free: Truths) -> Floats:
        q = np.where(free, -self.gradient, 0.0)
        used = []
        for step, change in reversed(self._pairs):
            s, y = step * free, change * free
            curvature = float(s @ y)
            if curvature <= _CURVED * float(np.linalg.norm(s) * np.linalg.norm(y)):
                continue
            alpha = float(s @ q) / curvature
            q = q - alpha * y
            used.append((s, y, curvature, alpha))
        if used:
            _, y, curvature, _ = used[0]
            q = q * (curvature / float(y @ y))
        for s, y, curvature, alpha in reversed(used):
            q = q + (alpha - float(y @ q) / curvature) * s
        return q
