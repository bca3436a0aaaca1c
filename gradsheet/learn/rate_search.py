"""The search for each optimizer's own best rate, all rates of all runners in one tensor program.

Owns the search and its record (the loss over the rate), and how the three rules of a race choose
rates and steps. Must not know plots.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from gradsheet.learn.functions2d import Surface
from gradsheet.learn.race import Race, RaceRule, Rules, Runner, with_sgd
from gradsheet.learn.schedules import Schedule

RATES = 33
"""Rates tried: four to a factor of ten."""
LOWEST, HIGHEST = 1e-6, 1e2


@dataclass(frozen=True, slots=True)
class RateSearch:
    """What a search found.

    Attributes
    ----------
    rates : ndarray (m,)
    losses : ndarray (n, m)
        Each runner's loss after ``steps`` at each rate; infinite where it diverged.
    best : ndarray (n,)
        The rate of each runner's lowest loss.
    steps : int
    """

    rates: npt.NDArray[np.float64]
    losses: npt.NDArray[np.float64]
    best: npt.NDArray[np.float64]
    steps: int

    @property
    def evaluations(self) -> int:
        """Gradients that the search cost each runner."""
        return self.steps * len(self.rates)


def search_rates(
    surface: Surface,
    runners: Sequence[Runner],
    start: tuple[float, float],
    steps: int,
    count: int = RATES,
) -> RateSearch:
    """Try rates from 1e-6 to 100 for every runner and keep the one that ends lowest.

    Parameters
    ----------
    steps : int
        Length of each trial.
    count : int
        Rates to try, evenly spaced on a logarithmic scale.
    """
    rates = np.geomspace(LOWEST, HIGHEST, count)
    trials = [replace(r, hyper=replace(r.hyper, lr=float(lr))) for r in runners for lr in rates]
    rules = Rules(trials)
    theta = torch.tensor([start] * len(trials), dtype=torch.float64)
    for number in range(steps):
        loss, gradient = surface.loss_and_gradient(theta, number)
        rules.step(theta, gradient, loss, number + 1)
    losses = surface.loss(theta).numpy().reshape(len(runners), count).copy()
    losses[~np.isfinite(losses)] = np.inf
    return RateSearch(rates, losses, rates[np.argmin(losses, axis=1)], steps)


@dataclass(frozen=True, slots=True)
class RacePlan:
    """A race that is ready to run.

    Attributes
    ----------
    race : Race
    steps : int
        Steps it may take.
    search : RateSearch or None
        Of the rules that search.
    note : str
        What the rule means here.
    """

    race: Race
    steps: int
    search: RateSearch | None
    note: str


def plan_race(
    rule: RaceRule,
    surface: Surface,
    runners: Sequence[Runner],
    start: tuple[float, float],
    steps: int,
    *,
    lr: float | None = None,
    target: float | None = None,
    schedule: Schedule | None = None,
) -> RacePlan:
    """Set up a race under one of the three rules.

    Parameters
    ----------
    rule : "same", "best" or "budget"
        "same": one rate for all. "best": each at the rate that ends lowest after ``steps``, the
        search not counted. "budget": each may evaluate ``steps`` gradients in all; half of them
        go into its search, in shorter trials, and the rest into the race.
    lr : float, optional
        The rate of "same"; else each keeps its own.
    """
    field = with_sgd(runners)
    search, note = None, "each at the rate that it is set to"
    if rule == "same" and lr is not None:
        field = tuple(replace(r, hyper=replace(r.hyper, lr=lr)) for r in field)
        note = f"all at the rate {lr:g}"
    elif rule == "best":
        search = search_rates(surface, field, start, steps)
        note = f"each at its own best of {RATES} rates after {steps} steps; the search is free"
    elif rule == "budget":
        count = max(5, min(17, steps // 20))
        trial = max(1, steps // 2 // count)
        search = search_rates(surface, field, start, trial, count)
        left = max(1, steps - search.evaluations)
        note = (
            f"{steps} gradients each: {search.evaluations} to try {count} rates for {trial} steps, "
            f"{left} to race"
        )
        steps = left
    if search is not None:
        field = tuple(
            replace(r, hyper=replace(r.hyper, lr=float(best)))
            for r, best in zip(field, search.best, strict=True)
        )
    race = Race(surface, field, start, target=target, schedule=schedule)
    return RacePlan(race, steps, search, note)
