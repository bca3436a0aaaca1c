"""Solver on an open workbook: live in its cells, then kept as one entry or put back to the bit.

Owns the solving under way and what the cells held before. The method is `learn.solver_run`'s,
what a model means `solver_problem`'s. Knows no window.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from gradsheet.app.messages import Message, message_of
from gradsheet.app.solver.problem import Prepared, prepare
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import Kind, UserError
from gradsheet.learn.problem import Parameter
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.edits import Composite, Edit, SetValues
from gradsheet.sheet.roles import RoleRegion
from gradsheet.tasks import Task

if TYPE_CHECKING:
    from gradsheet.app.document import Document
    from gradsheet.files.solver_model import SolverModel
    from gradsheet.learn.minima import Method, Minimum
    from gradsheet.learn.pacing import Snapshot
    from gradsheet.learn.solver_run import SolverRun
    from gradsheet.sheet.workbook import Workbook

State = Literal["idle", "preparing", "solving", "paused", "done"]
TRAINED = ("parameter", "item", "user")


@dataclass(frozen=True, slots=True)
class Held:
    """What cells held before Solver began: to be put back bit by bit."""

    sheet: int
    region: Region
    values: npt.NDArray[np.float64]
    kinds: npt.NDArray[np.uint8]


class SolverSession:
    """One solving at a time.

    Parameters
    ----------
    document : Document
        Settles the session (`settle`) before anything else changes its cells.
    changed : callable () -> None
        Called on the document's thread whenever there is something new to show.

    Attributes
    ----------
    state : "idle", "preparing", "solving", "paused" or "done"
        "done": solved or stopped, and neither kept nor put back yet.
    model : SolverModel or None
        That is being solved, or was solved last.
    ready : Prepared or None
    run : SolverRun or None
    step : int
    objective : float or None
        The objective cell as shown now.
    kept : Minimum or None
        The minimum that the cells show, once it was kept.
    """

    def __init__(self, document: Document, changed: Callable[[], None]) -> None:
        self._document = document
        self._changed = changed
        self.state: State = "idle"
        self.model: SolverModel | None = None
        self.ready: Prepared | None = None
        self.run: SolverRun | None = None
        self.step = 0
        self.objective: float | None = None
        self.kept: Minimum | None = None
        self._shown: Minimum | None = None
        self._task: Task[Any, Any] | None = None
        self._held: tuple[Held, ...] = ()
        self._label = "Solver"
        self._round = 0

    @property
    def is_busy(self) -> bool:
        """Whether results are to come, so that the clock should be quick."""
        return self.state in ("preparing", "solving")

    @property
    def is_open(self) -> bool:
        """Whether cells show numbers that are neither kept nor put back."""
        return self.state in ("solving", "paused", "done")

    # ------------------------------------------------------------------ start and stop

    def start(
        self,
        model: SolverModel,
        method: Method,
        *,
        parameters: Sequence[Parameter] | None = None,
        label: str = "Solver",
    ) -> None:
        """Solve a model, live in the cells.

        Parameters
        ----------
        model : SolverModel
        method : Method
        parameters : the changing cells with locks and rates; from the roles if not given
        label : for the undo menu

        Raises
        ------
        UserError
            If the model is not complete.
        """
        document = self._document
        model.problem()  # what is missing is said before anything stops
        document.settle_live()
        document.pause_run()
        workbook, calculation = document.workbook, document.calculation
        chosen = tuple(parameters or parameters_of(workbook, model.changing))
        self._round += 1
        asked_in, self._label = self._round, label
        self.model, self.state, self.run, self.kept = model, "preparing", None, None
        stamp = document.history.top

        def make() -> tuple[Prepared, SolverRun, list[Any]]:
            from gradsheet.learn.solver_run import SolverRun

            ready = prepare(calculation.current(), model, chosen)
            run = SolverRun(
                ready.objective, ready.problem, bounds=ready.bounds,
                conditions=ready.conditions, method=method,
            )  # fmt: skip
            return ready, run, ready.objective.values(run.start)

        def begin(made: tuple[Prepared, SolverRun, list[Any]]) -> None:
            if asked_in == self._round and document.history.top == stamp:
                self._begin(*made)

        def failed(error: BaseException) -> None:
            if asked_in == self._round:
                self.state = "idle"
                document.say(message_of(error, "preparing Solver"))
                self._changed()

        document.engine.submit(make, begin, failed, "preparing Solver")
        self._changed()

    def _begin(self, ready: Prepared, run: SolverRun, shown: list[Any]) -> None:
        workbook = self._document.workbook
        places = [(piece.sheet, piece.region) for piece in shown]
        self._held = tuple(
            Held(sheet, region, *workbook.sheet(sheet).cells.read(region))
            for sheet, region in places
        )
        self.ready, self.run, self.state = ready, run, "solving"
        self._shown = None
        self.step, self.objective = 0, None
        self._document.live = self
        self._task = Task("solving", run.frames).start()
        self._changed()

    def pause(self) -> None:
        """Hold still; the cells show where it is."""
        if self.state == "solving" and self._task is not None:
            self._task.pause()
            self.state = "paused"
            self._changed()

    def resume(self) -> None:
        """Go on after a pause."""
        if self.state == "paused" and self._task is not None:
            self._task.resume()
            self.state = "solving"
            self._changed()

    def stop(self) -> None:
        """End it; the cells show the best that was found."""
        task, run = self._task, self.run
        if task is None or run is None:
            return
        self._task = None
        task.cancel()
        task.join()
        run.stop_here()
        self._show(run.snapshot())
        self.state = "done"
        self._changed()

    def poll(self) -> None:
        """Show the newest numbers; called by the document's clock."""
        task = self._task
        if task is None:
            return
        done = task.is_done
        snapshot = task.latest()
        if snapshot is not None:
            self._show(snapshot)
        if done:
            self._task = None
            self.state = "done"
            if task.error is not None:
                self._document.say(message_of(task.error, "solving"))
            elif self.run is not None and self.run.failure:
                hint = "Give the changing cells numbers where the objective is one."
                self._document.say(Message("warning", self.run.failure, hint))
        if done or snapshot is not None:
            self._changed()

    def _show(self, snapshot: Snapshot) -> None:
        self.step, self.objective = snapshot.step, snapshot.loss
        self._document.write(snapshot.computed, by_run=True)

    # ------------------------------------------------------------------ keep or restore

    def show(self, minimum: Minimum) -> None:
        """Show a minimum of the table in the cells; only it is kept then."""
        if self.state == "done" and self.ready is not None:
            self.objective, self._shown = minimum.objective, minimum
            self._document.write(self.ready.objective.values(minimum.theta), by_run=True)
            self._changed()

    @property
    def solution(self) -> Minimum | None:
        """The minimum that is kept, or would be: the one shown last, else the best."""
        if self.kept is not None:
            return self.kept
        return self._shown or (self.run.best if self.run is not None else None)

    def keep(self) -> None:
        """Keep the minimum that is shown, the best unless chosen, as one entry to undo."""
        if self._task is not None:
            self.stop()
        chosen = self.solution
        if self.state != "done" or self.ready is None or chosen is None:
            self.restore()
            return
        ready = self.ready
        self._put_back()
        edits: list[Edit] = []
        for piece in ready.objective.parameters(chosen.theta):
            edits.append(SetValues(piece.sheet, piece.region, piece.values, piece.kinds))
        self.state, self.kept, self.objective = "idle", chosen, chosen.objective
        self._document.apply(Composite(tuple(edits)), self._label)
        self._changed()

    def restore(self) -> None:
        """Put every cell back to what it held before, bit by bit."""
        if self._task is not None:
            self.stop()
        if self.is_open:
            self._put_back()
        self.state = "idle"
        self._changed()

    def _put_back(self) -> None:
        from gradsheet.formula.results import Computed

        self._document.live = None
        held, self._held = self._held, ()
        self._document.write(
            [Computed(h.sheet, h.region, h.values, h.kinds) for h in held], by_run=True
        )

    def settle(self) -> None:
        """Something else is about to change cells: keep what was found, and say so."""
        if not self.is_open:
            return
        self.keep()
        if self.kept is not None:
            self._document.say(
                Message("info", f"{self._label} ended and its numbers were kept.", "Undo is next.")
            )

    def close(self) -> None:
        """Another workbook takes the place: end without a trace."""
        self._round += 1
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            task.join()
        self._held, self.run, self.ready, self.model = (), None, None, None
        self.state, self.kept = "idle", None
        self._changed()


def parameters_of(
    workbook: Workbook, changing: Sequence[tuple[int, Region]]
) -> tuple[Parameter, ...]:
    """Return changing cells as parameters, cut where roles lock them or change their rate."""
    found: list[Parameter] = []
    for sheet, region in changing:
        rest = [region]
        for role in workbook.sheet(sheet).roles:
            if role.role.value not in TRAINED or not _is_special(role):
                continue
            for inner in [r for part in rest if (r := part.intersect(role.region)) is not None]:
                found.append(Parameter(sheet, inner, role.rate_scale, role.locked))
                rest = [part for old in rest for part in old.subtract(inner)]
        found += [Parameter(sheet, part) for part in rest if not part.is_empty]
    return tuple(sorted(found, key=lambda p: (p.sheet, p.region.top, p.region.left)))


def _is_special(role: RoleRegion) -> bool:
    return role.locked or role.rate_scale != 1.0


def goal_seek_model(
    workbook: Workbook, target: tuple[int, Cell], value: float, by: tuple[int, Cell]
) -> SolverModel:
    """Return the model of Goal Seek: one cell to a value by one other cell.

    Raises
    ------
    UserError
        If the first cell holds no formula, or the second one does, or text.
    """
    from gradsheet.files.solver_model import SolverModel

    sheet, cell = target
    if workbook.sheet(sheet).cells.formula(cell) is None:
        raise UserError(
            f"{cell} holds no formula, so it cannot be brought to a value.",
            "Choose a cell that is computed from the one to change.",
        )
    home, changing = by
    formula: Formula | None = workbook.sheet(home).cells.formula(changing)
    kind = workbook.sheet(home).cells.get(changing)[1]
    if formula is not None or kind not in (Kind.NUMBER, Kind.BLANK):
        raise UserError(
            f"{changing} holds no number that could be changed.",
            "Choose a cell with a number in it.",
        )
    return SolverModel(sheet, target, ((home, Region.of(changing)),), "value", value)
