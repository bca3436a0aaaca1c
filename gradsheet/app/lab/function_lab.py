"""What a user can do with the sheets of a function of x and y.

Owns the operations on a document: which function, its k, the start, bias correction, Reset. Each
but opening another workbook is one entry of the history. Knows no window.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gradsheet.app.lab.plane import Plane, function_plane
from gradsheet.formula.syntax import number_text
from gradsheet.formula.values import FormulaError, UserError
from gradsheet.learn.presets2d import PRESETS
from gradsheet.lessons import catalogue, function_book, functions
from gradsheet.lessons.descent_data import NOISY, NOISY_ABOUT, noisy
from gradsheet.lessons.descent_layout import KINDS
from gradsheet.lessons.function_layout import (
    FUNCTION_SHEET,
    STEEPNESS,
    Function,
    with_steepness,
)
from gradsheet.sheet.edits import SetCells

if TYPE_CHECKING:
    from gradsheet.app.document import Document
    from gradsheet.sheet.change import Edit
    from gradsheet.sheet.workbook import Workbook

LINE = "line"


@dataclass(frozen=True, slots=True)
class FunctionView:
    """The function that the open workbook descends on.

    Attributes
    ----------
    name : str
        Id of a preset, "typed", or "line" for points.
    formula, note : str
    steepness : float or None
        k, where the formula has one.
    """

    name: str
    formula: str = ""
    note: str = ""
    steepness: float | None = None


def choices() -> list[tuple[str, str, str]]:
    """Return id, title and source of everything that can be chosen."""
    found = [(LINE, "Line fit", "the lecture's 29 points"),
             (NOISY, "Noisy line fit", NOISY_ABOUT)]  # fmt: skip
    found += [(p.id, p.title.split(",")[0], f"{p.formula}<br>{p.source}") for p in PRESETS.values()]
    return [*found, (functions.TYPED, "A formula of yours", "in x, y and k")]


def view_of(document: Document) -> FunctionView:
    """Return what the workbook descends on."""
    workbook = document.workbook
    if not function_book.is_function(workbook):
        return FunctionView(LINE)
    formula = function_book.formula_of(workbook)
    preset = functions.preset_of(formula)
    return FunctionView(
        preset.id if preset else functions.TYPED, formula, preset.note if preset else "",
        function_book.steepness_of(workbook),
    )  # fmt: skip


def plane_of(workbook: Workbook) -> Plane | None:
    """Return the function of a workbook as a plane, k as it stands; None if there is none.

    A formula that cannot be drawn has no plane.
    """
    formula = function_book.formula_of(workbook)
    preset = functions.preset_of(formula)
    window = preset.window if preset else functions.TYPED_WINDOW
    steepness = function_book.steepness_of(workbook)
    if steepness is not None:
        formula = with_steepness(formula, number_text(steepness))
    try:
        return function_plane(formula, window)
    except FormulaError:
        return None


def choose(document: Document, name: str) -> None:
    """Descend on a preset, on the lecture's points, or on noisy ones. Raises UserError."""
    from gradsheet.app.lab import desk as lab

    active = _active(document)
    if name in (LINE, NOISY):
        if function_book.is_function(document.workbook) or lab.plan_of(document) is None:
            document.open_lesson(active)
        if name == NOISY:
            lab.set_points(document, noisy())
        return
    if name == functions.TYPED:
        type_formula(document, view_of(document).formula or PRESETS[functions.FIRST].formula)
        return
    _put(document, functions.function_named(name), name)


def type_formula(document: Document, formula: str) -> None:
    """Descend on a typed formula. Raises UserError."""
    formula = formula.strip().removeprefix("=")
    preset = functions.preset_of(formula)
    if preset is not None:
        _put(document, functions.function_named(preset.id), preset.id)
    else:
        _put(document, functions.typed(formula), functions.FIRST)


def set_steepness(document: Document, k: float) -> None:
    """Give the formula's k another value; every sheet follows. Raises UserError."""
    if not 0 < k <= 1e6:
        raise UserError(f"k cannot be {k:g}.", "Choose a number above 0, up to 1,000,000.")
    sheet = document.workbook.by_name(FUNCTION_SHEET)
    if sheet is not None and function_book.steepness_of(document.workbook) != k:
        document.apply(SetCells(sheet.id, ((STEEPNESS, k),)), f"Set k to {k:g}")


def start_edit(document: Document, sheet: int, x: float, y: float) -> Edit:
    """Return the edit that starts a sheet at a point. Raises UserError."""
    workbook = document.workbook
    return function_book.set_start(workbook, workbook.sheet(sheet), current(document), x, y)


def reset_edit(document: Document, sheet: int) -> Edit:
    """Return the edit that puts a sheet back to the function's start. Raises UserError."""
    workbook = document.workbook
    return function_book.reset(workbook, workbook.sheet(sheet), current(document))


def correction_edit(document: Document, sheet: int, is_corrected: bool) -> Edit:
    """Return the edit that adds or removes Adam's bias correction. Raises UserError."""
    workbook = document.workbook
    return function_book.set_correction(
        workbook, workbook.sheet(sheet), current(document), is_corrected
    )


def random_point(document: Document, seed: int) -> tuple[float, float]:
    """Return a start within the part of the plane that shows first."""
    plane = plane_of(document.workbook)
    left, right, bottom, top = plane.window if plane is not None else functions.TYPED_WINDOW
    draw = random.Random(seed)
    return round(draw.uniform(left, right), 3), round(draw.uniform(bottom, top), 3)


def current(document: Document) -> Function:
    """Return the function of the workbook, with the start that its tab shows."""
    workbook = document.workbook
    formula = function_book.formula_of(workbook)
    preset = functions.preset_of(formula)
    start = function_book.start_of(workbook)
    if preset is None:
        return functions.typed(formula, start)
    return replace(functions.function_named(preset.id), start=start)


def _active(document: Document) -> str:
    """Return the name of the optimizer's sheet that is on show, the first if none is."""
    training = document.training
    if training is not None and training.has_problem:
        name = document.workbook.sheet(training.problem.loss[0]).name
        if name in KINDS and name in catalogue.LESSONS:
            return name
    return "basic"


def _put(document: Document, function: Function, restart_with: str) -> None:
    """Put a function into the workbook of functions, or open that workbook with it."""
    from gradsheet.app.lab import desk as lab

    if function_book.is_function(document.workbook):
        lab.mark(document, function_book.set_function(document.workbook, function))
        document.rewind_others()
        return
    book = function_book.build_function(function, _active(document))
    document.open_book(book, functions.lesson_on(restart_with), None)
