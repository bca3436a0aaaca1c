"""What a training run tells those who look at it: epochs, curves, rate, remaining time.

Owns the records that every way of learning yields. Must not know models or tensors; numpy only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from gradsheet.tasks import Progress

State = Literal["running", "done", "stopped early", "failed"]


@dataclass(frozen=True, slots=True)
class EpochRow:
    """One line of the epoch table.

    Attributes
    ----------
    epoch : int
        From 1. The fast mode counts its bias sweep, its start and each pass.
    train_rmse : float
        Over the ratings as the epoch met them, so with the parameters of that moment, in the
        training mode of the model (dropout on).
    valid_rmse, valid_mae : float or None
        After the epoch, in stars; None without a validation part.
    seconds : float
        Time spent learning since the start, without validation and pauses.
    lr : float
        Learning rate of the last step.
    stage : str
        What the fast mode did: "biases", "start" or "pass"; empty for epochs.
    """

    epoch: int
    train_rmse: float
    valid_rmse: float | None
    valid_mae: float | None
    seconds: float
    lr: float
    stage: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class FitSnapshot:
    """A run as it stands.

    Attributes
    ----------
    state : State
    epochs : tuple of EpochRow
    steps : ndarray (n,) int64
        Steps of the points of the training curve.
    losses : ndarray (n,) float64
        Mean squared error of the batches between the point before and this one.
    progress : Progress
    ratings_per_second : float
        Over the time spent learning; 0 before there is anything to measure.
    device : str
    note : str
        Why it stopped or failed; empty while it runs.
    """

    state: State
    epochs: tuple[EpochRow, ...]
    steps: npt.NDArray[np.int64]
    losses: npt.NDArray[np.float64]
    progress: Progress
    ratings_per_second: float
    device: str
    note: str = ""
