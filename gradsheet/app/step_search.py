"""Recorded steps that are asked for: the newest wish is found on the engine's thread and shown.

Owns which step is wanted while another is on its way. Knows neither cells nor history: how a
found step is shown is its caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from gradsheet.app.engine import Engine
    from gradsheet.learn.problem import Problem
    from gradsheet.learn.trace import LossTrace, Steps
    from gradsheet.learn.trainer import Snapshot
    from gradsheet.learn.trajectory import Recording

Found = tuple[Mapping[str, Any], "Snapshot"]


class StepSearch:
    """Finds one step after another; of those wanted meanwhile the last.

    Parameters
    ----------
    engine : Engine
    show : callable (Recording, int, Found) -> bool
        Shows a step where it can still be shown; whether it could.
    go_on : callable () -> None
        Called when nothing is wanted any more.
    failed : callable
    """

    def __init__(
        self,
        engine: Engine,
        show: Callable[[Recording, int, Found], bool],
        go_on: Callable[[], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        self._engine, self._show, self._go_on, self._failed = engine, show, go_on, failed
        self._wanted: int | None = None

    @property
    def is_on(self) -> bool:
        """Whether a step is on its way."""
        return self._wanted is not None

    def want(self, step: int) -> None:
        """Show this step after the one that is on its way."""
        self._wanted = step

    def find(
        self,
        record: Recording,
        step: int,
        then: Callable[[], None] | None = None,
        *,
        patient: bool = False,
    ) -> None:
        """Show a step when it has been made again, and call `then`.

        Where another is wanted meanwhile, a long re-run is given up for that one, which then is
        shown in any case (`patient`): a drag must not show nothing at all.
        """
        self._wanted = step

        def show(found: Found) -> None:
            wanted, self._wanted = self._wanted, None
            if self._show(record, step, found):
                if then is not None:
                    then()
                if wanted is not None and wanted != step:
                    self.find(record, wanted)
                    return
            self._go_on()

        def failed(error: BaseException) -> None:
            from gradsheet.learn.trajectory import Abandoned

            wanted, self._wanted = self._wanted, None
            if isinstance(error, Abandoned):
                self.find(record, step if wanted is None else wanted, patient=True)
            else:
                self._failed(error)

        def make() -> Found:
            is_sure = patient or then is not None
            return record.show(step, lambda: is_sure or self._wanted in (step, None))

        self._engine.submit(make, show, failed, "going through time")


def best_steps(
    trace: LossTrace | None, record: Recording | None, problem: Problem | None
) -> Steps:
    """Return the recorded steps of the best loss, ascending; none where nothing is recorded."""
    if trace is None or record is None or problem is None:
        return np.empty(0, np.int64)
    steps, losses = trace.arrays()
    inside = (steps >= record.start) & (steps <= record.end) & np.isfinite(losses)
    if not inside.any():
        return np.empty(0, np.int64)
    badness = np.abs(losses - problem.target) if problem.goal == "value" else losses
    badness = np.where(inside, -badness if problem.goal == "maximise" else badness, np.inf)
    best: Steps = steps[badness == badness.min()]
    return best
