"""The augmented Lagrangian: conditions as part of what is minimised, ever more exactly.

Owns the merit function of one round and the update of multipliers and penalty between rounds.
Must not know cells, nor how a round is minimised. Powell, Hestenes and Rockafellar; Nocedal and
Wright, Numerical Optimization (2nd edition), section 17.4; the update of the penalty as in
Andreani, Birgin, Martinez and Schuverdt, SIAM J. Optim. 18 (2007).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from torch import Tensor

from gradsheet.learn.constraints import Conditions, Floats

FIRST_PENALTY = 10.0
LARGEST_PENALTY = 1e10
LARGEST_MULTIPLIER = 1e12
_ENOUGH = 0.25
"""A round that leaves more than this part of the violation raises the penalty."""
_RAISE = 10.0
_STEEP = 100.0
"""Gradients above this are scaled down, so that one penalty suits all conditions."""


class Merit:
    """f plus the penalty and multiplier terms, for the free cells.

    Parameters
    ----------
    evaluate : gives what is minimised (goal applied) and its gradient (n,), None where undefined
    conditions : Conditions
    theta_of : makes the whole theta (n_all,) from the free cells (n,)
    free : Tensor (n,) int64, places of the free cells
    x : (n,), the start; the scales are chosen there

    Attributes
    ----------
    multipliers : ndarray (m,)
        Of the conditions as they are written: dL = df + multipliers . dg.
    penalty : float
    rounds : int
    """

    def __init__(
        self,
        evaluate: Callable[[Floats], tuple[float, Floats] | None],
        conditions: Conditions,
        theta_of: Callable[[Floats], Tensor],
        free: Tensor,
        x: Floats,
    ) -> None:
        self._evaluate = evaluate
        self._conditions = conditions
        self._theta_of = theta_of
        self._free = free.numpy()
        self._equal = conditions.is_equation
        self._weights = np.zeros(conditions.count)
        self.penalty = FIRST_PENALTY
        self.rounds = 0
        self._last_excess = math.inf
        self.scale = 1.0
        self.scales = np.ones(conditions.count)
        self._choose_scales(x)

    @property
    def multipliers(self) -> Floats:
        """The multipliers in the units of the problem."""
        return self._weights * self.scales / self.scale

    @property
    def weight(self) -> float:
        """The largest multiplier in the units of the merit."""
        return float(np.abs(self._weights).max(initial=0.0))

    def _choose_scales(self, x: Floats) -> None:
        found = self._evaluate(x)
        if found is None:
            return
        steep = float(np.abs(found[1]).max(initial=0.0))
        self.scale = 1.0 / max(1.0, steep / _STEEP)
        theta = self._theta_of(x)
        for number in range(self._conditions.count):
            unit = np.zeros(self._conditions.count)
            unit[number] = 1.0
            pull = self._conditions.pull(theta, unit)[self._free]
            steep = float(np.abs(pull).max(initial=0.0))
            if math.isfinite(steep):
                self.scales[number] = 1.0 / max(1.0, steep / _STEEP)
        differences = self.scales * self._conditions.differences(theta)
        worst = float(np.square(self._excess_of(differences)).sum())
        if worst > 0 and math.isfinite(worst):
            # ALGENCAN's first penalty: the two parts of the merit weigh about the same.
            guess = 10.0 * max(1.0, abs(found[0]) * self.scale) / max(1.0, 0.5 * worst)
            self.penalty = min(max(guess, 1e-1), FIRST_PENALTY)

    def _excess_of(self, differences: Floats) -> Floats:
        return np.where(self._equal, differences, np.maximum(differences, 0.0))

    def __call__(self, x: Floats) -> tuple[float, Floats] | None:
        """Return the merit at x and its gradient (n,); None where there is none."""
        found = self._evaluate(x)
        if found is None:
            return None
        theta = self._theta_of(x)
        differences = self._conditions.differences(theta)
        if not bool(np.isfinite(differences).all()):
            return None
        scaled = self.scales * differences
        push = self._push(scaled)
        value = self.scale * found[0]
        value += float((push**2 - self._weights**2).sum()) / (2 * self.penalty)
        gradient = self.scale * found[1]
        if push.any():
            gradient = gradient + self._conditions.pull(theta, self.scales * push)[self._free]
        if not math.isfinite(value) or not bool(np.isfinite(gradient).all()):
            return None
        return value, gradient

    def _push(self, scaled: Floats) -> Floats:
        push = self._weights + self.penalty * scaled
        return np.where(self._equal, push, np.maximum(push, 0.0))

    def update(self, x: Floats, *, harder: bool = True) -> float:
        """End a round at x: new multipliers and penalty; return how far the round was off.

        Parameters
        ----------
        harder : whether the penalty may rise; an optimizer of small steps rather waits

        Returns
        -------
        float
            The largest scaled violation, or slack times multiplier that should be 0.
        """
        scaled = self.scales * self._conditions.differences(self._theta_of(x))
        # An inactive condition counts as long as it still has a multiplier.
        off = np.where(self._equal, scaled, np.maximum(scaled, -self._weights / self.penalty))
        excess = float(np.abs(off).max(initial=0.0))
        self._weights = np.clip(self._push(scaled), -LARGEST_MULTIPLIER, LARGEST_MULTIPLIER)
        is_slow = excess > _ENOUGH * self._last_excess
        if harder and is_slow and self.penalty < LARGEST_PENALTY:
            self.penalty *= _RAISE
        self._last_excess = excess
        self.rounds += 1
        return excess


def violation_of(conditions: Conditions | None, theta: Tensor) -> float:
    """Return the largest violation of conditions at a theta; 0 where there are none."""
    if conditions is None or not conditions.count:
        return 0.0
    differences = conditions.differences(theta)
    if not bool(np.isfinite(differences).all()):
        return math.inf
    excess = np.where(conditions.is_equation, np.abs(differences), np.maximum(differences, 0.0))
    return float(excess.max(initial=0.0))
