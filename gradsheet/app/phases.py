"""One step of an optimizer in its four phases, each looked at by itself.

Owns which cells a phase computes and what is said of it. A sheet is always calculated: the first
three phases change nothing, they show where the numbers of the step come from; the fourth takes it.
Knows no window.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gradsheet.app.messages import message_of
from gradsheet.formula.address import Cell, Region

if TYPE_CHECKING:
    from gradsheet.app.document import Document
    from gradsheet.formula.results import Computed

PhaseName = Literal["forward", "loss", "gradient", "update"]
PHASES: tuple[PhaseName, ...] = ("forward", "loss", "gradient", "update")


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase that is looked at.

    Attributes
    ----------
    name : {"forward", "loss", "gradient", "update"}
    places : tuple of (int, Region)
        The cells that it computes.
    text : str
        What it does, with its numbers.
    """

    name: PhaseName
    places: tuple[tuple[int, Region], ...]
    text: str


class Phases:
    """Goes through the steps of a document's run phase by phase.

    Parameters
    ----------
    document : Document
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._phase: Phase | None = None
        self._stamp: object = None
        self._slopes: list[Computed] = []
        self._is_asked = False

    @property
    def now(self) -> Phase | None:
        """The phase that is looked at; None once anything else has been done."""
        return self._phase if self._stamp == self._here() else None

    def _here(self) -> object:
        document = self._document
        run = document.run
        is_still = run.task is None and run.state != "running"
        return (id(document.training), document.history.top, run.step) if is_still else None

    def next(self) -> None:
        """Go to the next phase; after the update the next step begins.

        Raises
        ------
        UserError
            If nothing can be trained, or a step here has other parts.
        """
        document, before = self._document, self.now
        if self._is_asked and document.engine.doing:
            return
        document.pause_run()
        problem = document.problem
        if before is None or before.name == "update":
            self._ask()
        elif before.name == "forward":
            self._show("loss", (_place(problem.loss),), self._loss_text())
        elif before.name == "loss":
            places = tuple((found.sheet, found.region) for found in self._slopes)
            self._show("gradient", places, self._gradient_text())
        else:
            self._is_asked = True
            document.step_run()
            assert document.training is not None
            document.training.after_steps(self._updated)

    def _ask(self) -> None:
        """Find what lies between the parameters and the loss, and its derivatives."""
        document, problem = self._document, self._document.problem
        calculation = document.calculation
        self._is_asked = True

        def find() -> list[Computed]:
            objective = calculation.objective(problem)
            return objective.gradients(objective.theta0)

        def take(found: list[Computed]) -> None:
            self._is_asked = False
            self._slopes = found
            free, loss = set(self._parameters()), _place(problem.loss)
            places = tuple(
                place for f in found if (place := (f.sheet, f.region)) not in free | {loss}
            )
            cells = sum(region.size for _, region in places)
            of = sum(region.size for _, region in free)
            text = f"{cells:,} cells from {of:,} parameters"
            self._show("forward", places, text)

        document.engine.submit(find, take, self._failed, "looking at a step")

    def _updated(self) -> None:
        self._is_asked = False
        document = self._document
        free = self._parameters()
        count = sum(region.size for _, region in free)
        rule = document.run.optimizer_name
        text = f"{rule} moved {count:,} parameters, step {document.run.step:,}"
        self._show("update", free, text)

    def _failed(self, error: BaseException) -> None:
        self._is_asked = False
        self._document.say(message_of(error, "looking at a step"))

    def _show(
        self, name: PhaseName, places: tuple[tuple[int, Region], ...], text: str
    ) -> None:
        self._phase, self._stamp = Phase(name, places, text), self._here()
        self._document.notify_run()

    def _parameters(self) -> tuple[tuple[int, Region], ...]:
        return tuple((p.sheet, p.region) for p in self._document.problem.parameters)

    def _loss_text(self) -> str:
        loss, name = self._document.loss_now(), self._document.book.loss_name
        return f"{name} of those cells is {loss:.6g}" if loss is not None else f"{name} is unknown"

    def _gradient_text(self) -> str:
        name = self._document.book.loss_name
        return f"d {name} / d cell, back to the parameters"


def _place(loss: tuple[int, Cell]) -> tuple[int, Region]:
    sheet, cell = loss
    return sheet, Region.of(cell)


def can_be_shown(document: Document) -> bool:
    """Return whether a step here has the four phases: not where a step is a whole epoch."""
    from gradsheet.app.training import Training

    return type(document.training) is Training and document.has_problem
