"""Explains the selected cell of a document, also while it trains, without the window waiting.

Owns the order of questions (one under way, the newest one next) and what the workbook adds to an
explanation: number formats and letters of roles. Work is done on the engine's thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from gradsheet.app.messages import message_of
from gradsheet.formula.address import Cell, Region
from gradsheet.sheet.roles import Role, RoleRegion
from gradsheet.sheet.workbook import Sheet, Workbook

if TYPE_CHECKING:
    from gradsheet.app.document import Document
    from gradsheet.formula.explain import Explanation, Language
    from gradsheet.formula.explain_cells import NumberText, Source, View
    from gradsheet.formula.mathtree import Sym

T = TypeVar("T")

LEAST_INTERVAL_S = 1 / 15
"""A running cell is explained at most so often: faster cannot be read."""


def role_at(sheet: Sheet, region: Region) -> RoleRegion | None:
    """Return the role region that holds all of a region, the smallest if several do."""
    found = [role for role in sheet.roles if role.region.contains(region)]
    return min(found, key=lambda role: role.region.size, default=None)


def symbol_of(workbook: Workbook) -> Callable[[Source], Sym | None]:
    """Return the letters of mathematics for cells with a role.

    Actual ratings are y, predictions y-hat, the loss L, item embeddings v, user embeddings u,
    other parameters w; a range whose label speaks of a bias is b with that letter as index.
    """
    from gradsheet.formula.mathtree import Sym

    letters = {
        Role.DATA: Sym("y"),
        Role.PREDICTION: Sym("y", hat=True),
        Role.LOSS: Sym("L"),
        Role.ITEM: Sym("v"),
        Role.USER: Sym("u"),
        Role.PARAMETER: Sym("w"),
    }

    def symbol(source: Source) -> Sym | None:
        found = role_at(workbook.sheet(source.sheet), source.region)
        if found is None:
            return None
        letter = letters[found.role]
        if "bias" in found.label.casefold():
            return Sym("b", letter.text)
        return letter

    return symbol


def number_text_of(workbook: Workbook) -> NumberText:
    """Return how numbers are written in an explanation: as the grid shows them.

    A format that adds other signs than digits (percent, a currency, a date) is left aside, for
    in arithmetic the number itself must stand.
    """
    from gradsheet.formula.explain_cells import short_number
    from gradsheet.sheet.numberformat import number_format

    def text(value: float, source: Source | None) -> str:
        if source is None or source.region.size != 1:
            return short_number(value)
        place = Cell(source.region.top, source.region.left)
        chosen = number_format(workbook.sheet(source.sheet).formats.at(place).code)
        if chosen.is_general or chosen.is_text:
            return short_number(value)
        shown = chosen.text(value, 12).strip()
        is_plain = shown.lstrip("-").replace(".", "", 1).isdigit()
        # What rounds to nothing shows its size: 0.00 explains no product.
        return shown if is_plain and (float(shown) or not value) else short_number(value)

    return text


def view_of(workbook: Workbook, sheet: int, cell: Cell, document: Document | None = None) -> View:
    """Return a cell with its formula, that of an array it is a member of included."""
    from gradsheet.formula.explain_cells import View

    cells = workbook.sheet(sheet).cells
    spills = document.calculation.spills() if document is not None else {}
    formula, host = cells.formula(cell), cell
    if formula is None:
        areas = [(sheet, anchor, area) for anchor, area in cells.arrays().items()]
        areas += [(home, anchor, area) for (home, anchor), area in spills.items()]
        for home, anchor, area in areas:
            if home == sheet and area.contains(cell):
                formula, host = cells.formula(anchor), anchor
                break
    return View(workbook, sheet, cell, formula, host, number_text_of(workbook), spills)


def aside_of(workbook: Workbook, view: View) -> str:
    """Return what a cell without a formula is: typed in, or changed by training."""
    if view.formula is not None or view.value is None:
        return ""
    role = role_at(workbook.sheet(view.sheet), Region.of(view.cell))
    if not isinstance(view.value, float) or role is None:
        return f"a {'number' if isinstance(view.value, float) else 'text'} typed in"
    name = role.label or role.role.value
    if role.role not in (Role.PARAMETER, Role.ITEM, Role.USER):
        return f"{name}, a number typed in"
    return f"{name}, {'locked: training leaves it' if role.locked else 'training changes it'}"


@dataclass(frozen=True, slots=True)
class Question:
    """Which cell is to be explained, and in which language."""

    sheet: int
    cell: Cell
    language: Language


class Explainer(Generic[T]):
    """Answers questions about cells, the newest one last.

    Parameters
    ----------
    document : Document
    finish : callable (Explanation) -> T
        Makes of an explanation what a view shows (typesetting); called on the engine's thread.
    then : callable (T) -> None
        Takes the answer, on the document's thread.
    clock : callable
        Seconds, monotonic.
    """

    def __init__(
        self,
        document: Document,
        finish: Callable[[Explanation], T],
        then: Callable[[T], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._document = document
        self._finish = finish
        self._then = then
        self._clock = clock
        self._next: Question | None = None
        self._under_way = False
        self._round = 0
        self._answered = -LEAST_INTERVAL_S

    def ask(self, question: Question) -> None:
        """Explain a cell as soon as the engine is free; an older question is dropped."""
        self._next = question
        self._begin()

    def poll(self) -> None:
        """Begin what had to wait for its time; call it with the clock."""
        self._begin()

    def forget(self) -> None:
        """Drop every question: another workbook is open, and the engine has dropped its jobs."""
        self._next, self._under_way = None, False
        self._round += 1

    @property
    def is_waiting(self) -> bool:
        """Whether a question is still open."""
        return self._next is not None or self._under_way

    def _begin(self) -> None:
        question, document = self._next, self._document
        if question is None or self._under_way:
            return
        is_moving = document.run.state == "running"
        if is_moving and self._clock() - self._answered < LEAST_INTERVAL_S:
            return
        self._next, self._under_way = None, True
        workbook, asked_in = document.workbook, self._round

        def answer() -> T:
            from gradsheet.formula.explain import explain

            view = view_of(workbook, question.sheet, question.cell, document)
            note = document.uncomputed.note(question.sheet, question.cell)
            aside = note or aside_of(workbook, view)
            return self._finish(explain(view, question.language, symbol_of(workbook), aside))

        def take(result: T) -> None:
            if asked_in == self._round:
                self._under_way = False
                self._answered = self._clock()
                self._then(result)

        def failed(error: BaseException) -> None:
            if asked_in == self._round:
                self._under_way = False
            document.say(message_of(error, "explaining a cell"))

        document.engine.submit(answer, take, failed, "explaining a cell")
