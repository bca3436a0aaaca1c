"""The lesson on any function of x and y: the optimizers' sheets without points.

Owns which functions can be chosen and with which start, rate and stride each sheet begins.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from gradsheet.formula.values import UserError
from gradsheet.learn.presets2d import PRESETS, Preset
from gradsheet.lessons.function_book import (
    build_function,
    formula_of,
    is_function,
    start_of,
)
from gradsheet.lessons.function_layout import Function
from gradsheet.lessons.lesson import Crosstab, Lesson, LessonBook
from gradsheet.sheet.workbook import Workbook

FIRST = "rosenbrock"
TYPED = "typed"
TYPED_WINDOW = (-4.0, 4.0, -4.0, 4.0)
_FORMULAS = {"quadratic": "(x^2+k*y^2)/2"}
"""Where a number of the formula is a dial on the sheet."""
_STRIDE = 0.01
"""Stride of the rules that divide by the size of the gradient, as a share of the window."""


def function_named(name: str) -> Function:
    """Return a preset as a function to descend on.

    Raises
    ------
    UserError
        If there is none of that name.
    """
    preset = PRESETS.get(name)
    if preset is None:
        raise UserError(f"There is no function called {name!r}.", f"Choose {', '.join(PRESETS)}.")
    left, right, bottom, top = preset.window
    return Function(
        id=name,
        title=preset.title.split(",")[0],
        formula=_FORMULAS.get(name, preset.formula),
        start=(float(preset.start[0]), float(preset.start[1])),
        rate=preset.rate,
        stride=_STRIDE * max(right - left, top - bottom),
        source=preset.source,
        note=preset.note,
    )


def typed(formula: str, start: tuple[float, float] = (-2.0, 2.0)) -> Function:
    """Return a typed formula as a function to descend on."""
    return Function(TYPED, "a formula of yours", formula, start, 0.01, 8 * _STRIDE)


def preset_of(formula: str) -> Preset | None:
    """Return the preset that a formula is, None if it is a typed one."""
    for name, preset in PRESETS.items():
        if formula == _FORMULAS.get(name, preset.formula):
            return preset
    return None


def build(name: str, seed: int, data: Crosstab | None) -> LessonBook:
    """Build as the list of lessons asks for it; neither seed nor ratings change it."""
    return build_function(function_named(name))


def build_again(workbook: Workbook) -> LessonBook:
    """Build for the function of a workbook, a typed one too; the first where that is gone."""
    if not is_function(workbook):
        return build(FIRST, 0, None)
    formula = formula_of(workbook)
    preset = preset_of(formula)
    if preset is not None:
        return build(preset.id, 0, None)
    try:
        return build_function(typed(formula))
    except UserError:  # no value where typed functions start
        return build_function(typed(formula, start_of(workbook)))


LESSON = Lesson(
    id="functions",
    title="Any function",
    summary="The same optimizers on a function of x and y: a preset, or one that you type.",
    text="lessons/functions.md",
    build=partial(build, FIRST),
    takes_ratings=False,
    again=build_again,
)


def lesson_on(name: str) -> Lesson:
    """Return the lesson that begins with this preset."""
    return replace(LESSON, build=partial(build, name))
