"""Choosing the fast mode's settings on a validation part of the training data.

Owns the search. Must never see the part that the result is judged by.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import torch

from gradsheet.collab.fast import FastRun, FastSettings
from gradsheet.ratings.table import RatingTable
from gradsheet.tasks import Control

STRENGTHS = (1.5, 3.0, 6.0)
SHARES_OF_NOISE = (0.25, 0.35, 0.5)


@dataclass(frozen=True, slots=True)
class Trial:
    """Settings, and the validation RMSE that they reached after so many passes."""

    settings: FastSettings
    rmse: float
    passes: int


def tune(
    train: RatingTable,
    base: FastSettings | None = None,
    control: Control | None = None,
    *,
    strengths: Sequence[float] = STRENGTHS,
    shares_of_noise: Sequence[float] = SHARES_OF_NOISE,
    valid_share: float = 0.1,
    device: torch.device | str = "cpu",
    seed: int = 0,
) -> Generator[Trial, None, FastSettings]:
    """Try settings on a part of ``train`` and yield each trial; return the best.

    The number of passes of the best trial becomes ``passes``, so that learning on the whole of
    ``train`` afterwards needs no validation part.

    Parameters
    ----------
    train : RatingTable
    base : FastSettings, optional
        What is not searched.
    strengths, shares_of_noise : sequence of float
        What is: every pair.
    valid_share : float
    seed : int
        Of the split.

    Raises
    ------
    Cancelled
        At a checkpoint after a cancel.
    """
    base = FastSettings() if base is None else base
    part, held = train.split(valid_share, seed)
    best: Trial | None = None
    for strength in strengths:
        for share in shares_of_noise:
            settings = dataclasses.replace(base, strength=strength, share_of_noise=share)
            run = FastRun(part, held, settings, device)
            for _ in run.frames(control):
                pass
            reached = [
                (row.valid_rmse, row.epoch) for row in run.epochs if row.valid_rmse is not None
            ]
            rmse, epoch = min(reached)
            trial = Trial(settings, rmse, max(epoch - 2, 0))
            if best is None or rmse < best.rmse:
                best = trial
            yield trial
    if best is None:
        raise ValueError("there is nothing to try")
    return dataclasses.replace(best.settings, passes=best.passes)
