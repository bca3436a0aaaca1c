"""The settings of an optimizer.

Owns their names, ranges and meaning; imports no torch, so that a window can show them early.
Must not know which rule reads which setting.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from gradsheet.formula.values import UserError


@dataclass(frozen=True, slots=True)
class Hyper:
    """Settings of an optimizer; a rule reads those it needs.

    Attributes
    ----------
    lr : float
        Learning rate.
    weight_decay : float
        Strength of the pull towards zero.
    decoupled : bool
        True: weights shrink by lr * weight_decay outside the gradient (Loshchilov and Hutter 2019,
        algorithm 2). False: weight_decay * theta is added to the gradient (L2 in the loss).
    momentum, dampening, nesterov
        As torch.optim.SGD; ``momentum`` also serves RMSprop's momentum.
    beta1, beta2 : float
        Decay of the average of gradients and of squared gradients (RMSprop's alpha is beta2).
    eps : float
        Added to the root; with 0 an element whose statistic is 0 does not move.
    amsgrad, centered, lr_decay, initial_accumulator
        As in torch.optim.Adam, RMSprop, Adagrad, Adagrad.
    bias_correction : bool
        Whether Adam's averages are corrected for their start at zero.
    lagged : bool
        Lesson rules: step with the statistic as it was before this gradient entered it.
    period : int
        Steps in an epoch: lesson Adagrad gathers its statistic over it, Eve's d follows once in it.
    beta3 : float
        Eve: decay of the average of the loss's relative change.
    """

    lr: float = 0.01
    weight_decay: float = 0.0
    decoupled: bool = False
    momentum: float = 0.9
    dampening: float = 0.0
    nesterov: bool = False
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    amsgrad: bool = False
    centered: bool = False
    lr_decay: float = 0.0
    initial_accumulator: float = 0.0
    bias_correction: bool = True
    lagged: bool = False
    period: int = 1
    beta3: float = 0.9

    def __post_init__(self) -> None:
        """Refuse settings under which no rule makes sense."""
        for name in ("lr", "weight_decay", "eps", "lr_decay", "initial_accumulator", "dampening"):
            value = getattr(self, name)
            if not math.isfinite(value) or (value < 0 and name != "dampening"):
                raise UserError(f"{name} cannot be {value:g}.", "Enter a number of 0 or more.")
        for name in ("momentum", "beta1", "beta2", "beta3"):
            if not 0 <= getattr(self, name) < 1:
                raise UserError(
                    f"{name} cannot be {getattr(self, name):g}.",
                    "Enter a number from 0 to less than 1, such as 0.9.",
                )
        if self.period < 1:
            raise UserError(f"period cannot be {self.period}.", "An epoch has at least one step.")

    def scaled(self, lr: float, momentum: float = 1.0) -> Hyper:
        """Return these settings with the rate and the momentum multiplied, as schedules ask."""
        if momentum == 1.0:
            return dataclasses.replace(self, lr=self.lr * lr)
        return dataclasses.replace(
            self,
            lr=self.lr * lr,
            momentum=min(self.momentum * momentum, 0.9999),
            beta1=min(self.beta1 * momentum, 0.9999),
        )
