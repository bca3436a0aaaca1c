"""A race as a user sets it up and runs it: function, optimizers, rule, start, and the run itself.

Owns these facts for the race panel and runs the race in a task. Knows no window; imports torch
only when a race is made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from gradsheet.formula.values import UserError
from gradsheet.lessons.descent_data import NOISY, NOISY_ABOUT
from gradsheet.tasks import Task

if TYPE_CHECKING:
    from gradsheet.app.document import Document
    from gradsheet.learn.functions2d import Surface
    from gradsheet.learn.rate_search import RacePlan

RaceState = Literal["idle", "running", "paused", "done"]
TYPED = "typed"
"""The function that the user types."""
NEAR = 1.0
"""A line fit is at its target when its mean squared error is so near to the least."""
SHEET_LINE = "line"
"""The line fit on the points of the sheet data."""


@dataclass(frozen=True, slots=True)
class RaceSetup:
    """What is raced.

    Attributes
    ----------
    function : str
        Id of a preset, "line", "noisy-line" or "typed".
    formula : str
        Of "typed".
    condition : float
        Condition number of the bowl.
    batch : int
        Rows of the line fit that a step sees, 0 for all.
    names : tuple of str
        Runners; empty for the first eight.
    rule : "same", "best" or "budget"
    lr : float or None
        The rate of "same"; None for the function's own.
    start : (x, y) or None
        None for the function's own.
    steps : int
    """

    function: str = "rosenbrock"
    formula: str = "(x-1)^2+SIN(3*y)^2+y^2/4"
    condition: float = 20.0
    batch: int = 0
    names: tuple[str, ...] = ()
    rule: Literal["same", "best", "budget"] = "best"
    lr: float | None = None
    start: tuple[float, float] | None = None
    steps: int = 500


@dataclass(frozen=True, slots=True)
class Course:
    """A function with what a race on it needs.

    Attributes
    ----------
    surface : Surface
    title : str
    note : str
        What there is to see; its source.
    window : (left, right, bottom, top)
    start : (x, y)
    rate : float
        A sensible one.
    target : float
    axes : (str, str)
        Titles of the two axes.
    """

    surface: Surface
    title: str
    note: str
    window: tuple[float, float, float, float]
    start: tuple[float, float]
    rate: float
    target: float
    axes: tuple[str, str]


class RaceSession:
    """The race of a document.

    Parameters
    ----------
    document : Document
        Whose sheet `data` the line fit takes its points from.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self.setup = RaceSetup()
        self.course: Course | None = None
        self.plan: RacePlan | None = None
        self.state: RaceState = "idle"
        self._task: Task[Any, Any] | None = None
        self._shown = -1

    @property
    def is_busy(self) -> bool:
        """Whether a race is on."""
        return self._task is not None

    @property
    def step(self) -> int:
        """Steps made."""
        return self.plan.race.step if self.plan is not None else 0

    def change(self, **changes: Any) -> None:
        """Change the setup; the race begins anew.

        Raises
        ------
        UserError
            If the function cannot be read or a number is out of range; the old setup holds.
        """
        before = self.setup
        self.setup = replace(self.setup, **changes)
        if "function" in changes and "start" not in changes:
            self.setup = replace(self.setup, start=None, lr=None)
        try:
            self.prepare()
        except UserError:
            self.setup = before
            raise

    def prepare(self) -> None:
        """Put everyone at the start. Raises UserError."""
        from gradsheet.learn.race import chosen
        from gradsheet.learn.rate_search import plan_race

        self.pause()
        setup, course = self.setup, self._course()
        self.plan = plan_race(
            setup.rule, course.surface, chosen(setup.names), setup.start or course.start,
            setup.steps, lr=setup.lr or course.rate, target=course.target,
        )  # fmt: skip
        self.course, self.state, self._shown = course, "idle", -1

    def start(self) -> None:
        """Run to the end of the race or until paused."""
        if self.plan is None or self.state == "done":
            self.prepare()
        plan = self.plan
        if plan is None or self._task is not None:
            return
        left = plan.steps - plan.race.step
        race = plan.race
        self._task = Task("race", lambda control: race.frames(control, left))
        self.state = "running"
        self._task.start()

    def advance(self, steps: int = 1) -> None:
        """Make a few steps at once."""
        self.pause()
        if self.plan is None or self.state == "done":
            self.prepare()
        if self.plan is not None:
            self.plan.race.advance(min(steps, self.plan.steps - self.plan.race.step))
            self.state = "done" if self.plan.race.step >= self.plan.steps else "paused"

    def pause(self) -> None:
        """Stop between two steps."""
        if self._task is not None:
            self._task.cancel()
            self._task.join()
            self._task = None
            self.state = "paused"

    def poll(self) -> bool:
        """Notice the end of the race; return whether there is anything new to draw."""
        task = self._task
        if task is not None and task.is_done:
            error = task.error
            self._task = None
            self.state = "done"
            if error is not None:
                raise error
        is_news = self.step != self._shown
        self._shown = self.step
        return is_news or (task is not None and self._task is None)

    def close(self) -> None:
        """Stop for good."""
        self.pause()

    def _course(self) -> Course:
        from gradsheet.learn import functions2d

        setup = self.setup
        if setup.function in (SHEET_LINE, NOISY):
            return self._line()
        if setup.function == TYPED:
            surface = functions2d.FormulaSurface(setup.formula)
            return Course(surface, setup.formula, "A function of yours.", (-4, 4, -4, 4),
                          (-2.0, 2.0), 0.01, 1e-3, ("x", "y"))  # fmt: skip
        surface, preset = functions2d.surface_of(setup.function)
        if setup.function == "quadratic":
            surface = functions2d.FormulaSurface(functions2d.quadratic(setup.condition))
        lowest = 0.0
        if preset.minimum is not None:
            import torch

            lowest = float(surface.loss(torch.tensor([preset.minimum], dtype=torch.float64)))
        return Course(surface, preset.title, f"{preset.note} ({preset.source})", preset.window,
                      preset.start, preset.rate, lowest + 1e-3, ("x", "y"))  # fmt: skip

    def _line(self) -> Course:
        from gradsheet.learn.functions2d import LineSurface
        from gradsheet.lessons import descent_edits
        from gradsheet.lessons.descent_data import lecture, noisy

        note = "The mean squared error of y = slope x + intercept."
        if self.setup.function == NOISY:
            (x, y), note = noisy().values(), f"{NOISY_ABOUT}. {note}"
        else:
            try:
                x, y = descent_edits.points_of(self._document.workbook)
            except UserError:
                x, y = lecture().values()
        surface = LineSurface(x, y, self.setup.batch)
        return Course(surface, "Line fit", note, (-10, 50, -0.5, 3.5), (1.0, 1.0), 1e-4,
                      surface.lowest + NEAR, ("intercept", "slope"))  # fmt: skip
