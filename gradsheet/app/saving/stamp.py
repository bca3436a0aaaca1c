"""What tells one state of an open workbook from another: its edits, and how its runs stand.

Owns the comparison only. Knows no file and no window; reads runs, changes none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradsheet.app.lab.schedule_choice import ScheduleChoice
    from gradsheet.app.run import Run
    from gradsheet.learn.hyper import Hyper


@dataclass(frozen=True, slots=True)
class RunStamp:
    """How one run stands.

    Attributes
    ----------
    step : int
    optimizer : str
    hyper : Hyper or None
        Its rates; None while torch is being imported, when they are nobody's doing.
    schedule : ScheduleChoice or None
    branches : tuple of str
        Their names.
    last_step : int
        Of what is recorded.
    """

    step: int
    optimizer: str
    hyper: Hyper | None
    schedule: ScheduleChoice | None
    branches: tuple[str, ...]
    last_step: int

    @classmethod
    def of(cls, run: Run) -> RunStamp:
        """Return how a run stands now."""
        timeline = run.timeline
        return cls(
            run.step,
            run.optimizer_name,
            run.optimizer.hyper if run.optimizer is not None else None,
            run.schedule,
            tuple(branch.name for branch in timeline.branches),
            timeline.end(run.step),
        )

    def differs(self, other: RunStamp) -> bool:
        """Whether something a user would miss lies between the two."""
        mine = (self.step, self.optimizer, self.schedule, self.branches, self.last_step)
        its = (other.step, other.optimizer, other.schedule, other.branches, other.last_step)
        are_known = self.hyper is not None and other.hyper is not None
        return mine != its or (are_known and self.hyper != other.hyper)


@dataclass(frozen=True, slots=True)
class Stamp:
    """A state of an open workbook.

    Attributes
    ----------
    top : int or None
        The newest entry of the history that is done.
    runs : mapping of int to RunStamp
        By the sheet that each belongs to; none for a rating set.
    ratings : tuple or None
        Of a rating set: the choices, the steps learned, which models are kept.
    """

    top: int | None
    runs: Mapping[int, RunStamp]
    ratings: tuple[object, ...] | None = None

    def differs(self, other: Stamp) -> bool:
        """Whether one is a change of the other; a run that only one of them knows is none."""
        shared = self.runs.keys() & other.runs.keys()
        return (
            self.top != other.top
            or self.ratings != other.ratings
            or any(self.runs[sheet].differs(other.runs[sheet]) for sheet in shared)
        )

    def with_run(self, sheet: int, run: RunStamp) -> Stamp:
        """Return the same state with one more run."""
        return replace(self, runs={sheet: run, **self.runs})

    def with_rates(self, sheet: int, hyper: Hyper | None) -> Stamp:
        """Return the same state, its run of this sheet with these rates if it had none yet."""
        run = self.runs.get(sheet)
        if run is None or run.hyper is not None:
            return self
        return replace(self, runs={**self.runs, sheet: replace(run, hyper=hyper)})
