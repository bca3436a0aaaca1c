"""One training run of a document: its trainer, its task, and how far it has come.

Owns what `Document` needs to start, pause, step and mark a run. Knows the trainer, not the
workbook: cells are the document's. Imports torch only when a trainer is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from gradsheet.app.lab.schedule_choice import ScheduleChoice
from gradsheet.app.timeline import Branch, Timeline
from gradsheet.tasks import Task

if TYPE_CHECKING:
    from gradsheet.app.phases import Phase
    from gradsheet.app.saving.origin import Origin
    from gradsheet.formula.objective import Objective
    from gradsheet.learn.optimizers import Hyper, Optimizer
    from gradsheet.learn.pacing import PacedRun, Snapshot
    from gradsheet.learn.problem import Problem
    from gradsheet.learn.trace import LossTrace

RunState = Literal["loading", "idle", "running", "paused", "failed"]


@dataclass(frozen=True, slots=True)
class RunView:
    """What a view shows of the run.

    Attributes
    ----------
    state : {"loading", "idle", "running", "paused", "failed"}
        "loading" until the engine is ready; "idle" before the first step.
    step : int
        Optimizer steps done.
    loss : float or None
        Of the parameters as they stand; None while unknown or not a number.
    loss_name : str
    steps_per_second : float
    device : str
        Where the steps are computed.
    optimizer : str
    hyper : Hyper or None
        None until the engine is ready.
    trace : LossTrace or None
    note : str
        Why the run stopped, or what it waits for.
    first_step, last_step : int
        The steps that can be shown; both are `step` where no record is kept.
    ticks : tuple of int
        The only steps between them that can be shown; empty: all can.
    place : str
        Where the run stands, in its own words; empty: a step is a step.
    branches : tuple of Branch
        Futures that were left for another.
    name : str
        Of the future that is on, if it has one.
    is_rewinding : bool
        Whether the run is being played backwards.
    phase : Phase or None
        The phase of a step that is looked at.
    """

    state: RunState
    step: int
    loss: float | None
    loss_name: str
    steps_per_second: float
    device: str
    optimizer: str
    hyper: Hyper | None
    trace: LossTrace | None
    note: str = ""
    first_step: int = 0
    last_step: int = 0
    ticks: tuple[int, ...] = ()
    place: str = ""
    branches: tuple[Branch, ...] = ()
    name: str = ""
    is_rewinding: bool = False
    phase: Phase | None = None


@dataclass(frozen=True, slots=True)
class RunMark:
    """Where a run stood: enough to go back there once the parameters are restored."""

    step: int
    optimizer: str
    hyper: Hyper | None
    state: dict[str, Any] | None
    trace: LossTrace | None
    timeline: Timeline


@dataclass(slots=True)
class Run:
    """The state of a document's run. All of it is used on one thread, the GUI's."""

    optimizer_name: str
    hyper_changes: dict[str, Any] = field(default_factory=dict)
    state: RunState = "loading"
    step: int = 0
    loss: float | None = None
    note: str = ""
    steps_per_second: float = 0.0
    steps_per_second_limit: float | None = None
    """How fast a run may go; None: as fast as it can."""
    optimizer: Optimizer | None = None
    trainer: PacedRun | None = None
    trace: LossTrace | None = None
    task: Task[Any, Any] | None = None
    schedule: ScheduleChoice | None = None
    """What moves the rate from step to step; None: nothing."""
    device: str = "cpu"
    """Where the steps are computed."""
    timeline: Timeline = field(default_factory=Timeline)
    fit: int = 0
    """Grows whenever the trainer no longer fits the cells, rates or place in time."""

    def ready(self) -> None:
        """Make the optimizer and the trace; called once torch is there."""
        from gradsheet.learn.optimizers import make_optimizer
        from gradsheet.learn.trace import LossTrace

        self.optimizer = make_optimizer(self.optimizer_name, **self.hyper_changes)
        self.trace = LossTrace()
        if self.state == "loading":
            self.state = "idle"

    def attach(
        self, objective: Objective, problem: Problem, origin: Origin | None = None
    ) -> None:
        """Train this objective from its current values, with the optimizer's state as it is.

        `origin` is what it was made from, for the record.
        """
        from gradsheet.learn.trainer import Trainer

        assert self.optimizer is not None
        assert self.trace is not None
        schedule = self.schedule.schedule(self.momentum) if self.schedule else None
        # Where a record goes on unchanged its objective does, too: one more for every pause would
        # fill the memory in an hour of looking back.
        made = self.timeline.replayer(self.step)
        goes_on = isinstance(made, Trainer)
        theta = objective.theta0
        trainer = Trainer(
            made.objective if isinstance(made, Trainer) else objective, self.optimizer,
            theta=theta, step=self.step, problem=problem, schedule=schedule,
        )  # fmt: skip
        self.device = objective.device
        trainer.trace, trainer.origin = self.trace, origin
        self.timeline.begin(trainer, self.trace, goes_on=goes_on)
        # The point of this step, if there is one already, was that of the cells before an edit.
        trainer.set_theta(theta)
        self.trainer = trainer
        self.limit_speed(self.steps_per_second_limit)

    def forget_trainer(self) -> None:
        """Have the next step make another trainer: something else than a step has changed."""
        self.trainer = None
        self.fit += 1

    @property
    def momentum(self) -> float:
        """What a schedule of the momentum starts from."""
        if self.optimizer is None:
            return 0.9
        hyper = self.optimizer.hyper
        return hyper.momentum if "momentum" in self.optimizer.rule.uses else hyper.beta1

    def limit_speed(self, steps_per_second: float | None) -> None:
        """Take at most so many steps a second from now on; None: as fast as it can."""
        self.steps_per_second_limit = steps_per_second
        if self.trainer is not None:
            from gradsheet.learn.trainer import SpeedLimit

            self.trainer.speed = SpeedLimit(steps_per_second=steps_per_second)

    def start(self) -> None:
        """Run the trainer in a thread until it is stopped or its schedule has come to its end."""
        trainer = self.trainer
        assert trainer is not None
        trainer.clear_failure()
        left = self.schedule.left(self.step) if self.schedule is not None else None
        task: Task[Any, Any] = Task("training", lambda control: trainer.frames(control, left))
        self.task = task
        self.state = "running"
        self.note = ""
        task.start()

    def stop(self) -> Snapshot | None:
        """Stop the thread between two steps and return where it stands; None if none ran."""
        if self.task is None or self.trainer is None:
            return None
        self.task.cancel()
        self.task.join()
        self.task = None
        self.state = "paused"
        self.steps_per_second = 0.0
        return self.trainer.snapshot()

    def take(self, snapshot: Snapshot) -> None:
        """Note how far the run has come."""
        self.step = snapshot.step
        self.loss = snapshot.loss
        self.steps_per_second = snapshot.steps_per_second if self.task is not None else 0.0
        if snapshot.failure:
            self.state = "failed"
            self.note = snapshot.failure

    def mark(self) -> RunMark:
        """Return where the run stands."""
        optimizer = self.optimizer
        return RunMark(
            self.step,
            self.optimizer_name,
            optimizer.hyper if optimizer else None,
            optimizer.state_dict() if optimizer else None,
            self.trace.copy() if self.trace is not None else None,
            self.timeline.copy(),
        )

    def restore(self, mark: RunMark) -> None:
        """Go back to a mark: step, optimizer state and trace. The rates stay as they are now."""
        self.forget_trainer()
        self.step = mark.step
        self.state = "paused" if mark.step else "idle"
        self.note = ""
        if self.optimizer is not None and mark.optimizer == self.optimizer_name and mark.state:
            hyper = self.optimizer.hyper
            self.optimizer.load(mark.state)
            self.optimizer.hyper = hyper
        if mark.trace is not None:
            self.trace = mark.trace.copy()
        self.timeline = mark.timeline.copy()
        self.timeline.changed()

    def rewind(self) -> None:
        """Go back to step 0 with a fresh optimizer state and an empty trace."""
        self.forget_trainer()
        self.step = 0
        self.state = "idle"
        self.note = ""
        if self.optimizer is not None and self.trace is not None:
            self.optimizer = type(self.optimizer)(self.optimizer.rule, self.optimizer.hyper)
            self.trace = type(self.trace)()
        self.timeline = Timeline()

    def choose(self, name: str) -> None:
        """Change the optimizer; its rate and state start from that optimizer's defaults."""
        from gradsheet.learn.optimizers import make_optimizer

        self.optimizer_name = name
        self.hyper_changes = {}
        self.optimizer = make_optimizer(name)
        self.forget_trainer()
        self.timeline.changed()

    def set_hyper(self, change: Callable[[Hyper], Hyper]) -> None:
        """Change rates; they hold from the next step on, also in the middle of a run."""
        if self.optimizer is not None:
            self.optimizer.hyper = change(self.optimizer.hyper)
            self.timeline.changed()

    def stand_at(self, state: Mapping[str, Any], snapshot: Snapshot) -> None:
        """Go to a recorded step: its optimizer, rates and loss; the cells are the document's."""
        from gradsheet.learn.optimizers import make_optimizer

        saved = state["optimizer"]
        if self.optimizer is None or self.optimizer.rule.name != saved["name"]:
            self.optimizer = make_optimizer(saved["name"])
            self.optimizer_name = saved["name"]
        self.optimizer.load(saved)
        self.forget_trainer()
        self.step, self.loss = snapshot.step, snapshot.loss
        self.steps_per_second = 0.0
        self.state, self.note = "paused", ""
        self.timeline.is_replaying, self.timeline.state = True, state
