"""Writes the workbook of a function of x and y: its tab, and a tab for each optimizer.

Owns the tab `function`, the start of the optimizers' states, and the edits that put another
function, or bias correction, into the workbook. The optimizers' tabs are `descent_book`'s.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import parse
from gradsheet.formula.values import UserError
from gradsheet.learn.epoch_step import named_region
from gradsheet.learn.straightline import StraightLine, Untranslatable
from gradsheet.lessons.descent_book import SheetPlan, book_on, sheet_named, write_sheet
from gradsheet.lessons.descent_edits import names_of, transplanted
from gradsheet.lessons.descent_layout import FIRST_ROW, KINDS
from gradsheet.lessons.function_layout import (
    FUNCTION_SHEET,
    NUDGE,
    ROWS,
    STEEPNESS,
    Function,
    at,
    kind_for,
    templates,
)
from gradsheet.lessons.lesson import LessonBook
from gradsheet.sheet.cells import Content, Formula
from gradsheet.sheet.change import Composite, Edit
from gradsheet.sheet.edits import FormatChange, SetCells, SetFormat, SetRoles
from gradsheet.sheet.workbook import Role, RoleRegion, Sheet, Workbook

_TABLE_ROW = 10
"""Row number of the first point to try on the sheet `function`."""
_TRIED = 5
SUMMED = ("adagrad", "adagrad_ann")
"""Sheets whose squares are summed up, not averaged."""


def build_function(function: Function, active: str = "basic") -> LessonBook:
    """Make the workbook of a function, ready to run on one of its sheets.

    Raises
    ------
    UserError
        If the formula cannot be read or differentiated, or has no value at the start.
    """
    workbook = Workbook.with_sheet(FUNCTION_SHEET)
    _write_function(workbook, workbook.sheets[0], function)
    for name in KINDS:
        sheet = workbook.make_sheet(name)
        workbook.sheets.append(sheet)
        write_sheet(workbook, sheet, SheetPlan(kind_for(name, function), ROWS))
        prime(workbook, sheet)
    return book_on(workbook, active, loss_name="f")


def is_function(workbook: Workbook) -> bool:
    """Whether the workbook's sheets descend on a function rather than through points."""
    return workbook.by_name(FUNCTION_SHEET) is not None


def formula_of(workbook: Workbook) -> str:
    """Return the formula that the sheet `function` shows, as it was typed."""
    value, kind = sheet_named(workbook, FUNCTION_SHEET).cells.get(Cell.parse("B1"))
    return workbook.strings.text(int(value)) if kind == 2 else ""


def start_of(workbook: Workbook) -> tuple[float, float]:
    """Return the start that the sheet `function` shows."""
    values, _ = sheet_named(workbook, FUNCTION_SHEET).cells.read(Region.parse("B6:C6"))
    return float(values[0, 0]), float(values[0, 1])


def steepness_of(workbook: Workbook) -> float | None:
    """Return k, None where the formula has none."""
    value, kind = sheet_named(workbook, FUNCTION_SHEET).cells.get(STEEPNESS)
    return value if kind == 1 else None


def _write_function(workbook: Workbook, sheet: Sheet, function: Function) -> None:
    """Fill the tab: the formula, its derivatives, k, and points to try."""
    text = templates(function.formula)
    shown = [t.removeprefix("=").replace("{x}", "x").replace("{y}", "y") for t in
             (text.value, text.dx, text.dy)]  # fmt: skip
    place = f"{FUNCTION_SHEET}!$B${STEEPNESS.row + 1}"
    shown = [t.replace(place, "k") for t in shown]
    cells: dict[str, Content] = {
        "A1": "f(x, y)", "B1": function.formula.removeprefix("="), "A2": "df/dx", "B2": shown[1],
        "A3": "df/dy", "B3": shown[2], "A4": "source", "B4": function.source or "typed",
        f"A{_TABLE_ROW - 1}": "x", f"B{_TABLE_ROW - 1}": "y", f"C{_TABLE_ROW - 1}": "f(x, y)",
        f"D{_TABLE_ROW - 1}": "df/dx", f"E{_TABLE_ROW - 1}": "df/dy",
        f"F{_TABLE_ROW - 1}": "est df/dx", f"G{_TABLE_ROW - 1}": "est df/dy",
        f"A{_TABLE_ROW - 2}": "points to try", "A6": "start", "B6": function.start[0],
        "C6": function.start[1],
    }  # fmt: skip
    if function.has_steepness:
        cells |= {"A5": "k", str(STEEPNESS): function.steepness}
    for i in range(_TRIED):
        row = _TABLE_ROW + i
        x, y = f"A{row}", f"B{row}"
        cells |= {x: function.start[0] * (1 - i / 4), y: function.start[1] * (1 - i / 4)}
        for letter, formula in (
            ("C", at(text.value, x, y)), ("D", at(text.dx, x, y)), ("E", at(text.dy, x, y)),
            ("F", f"=({at(text.value, f'({x}+{NUDGE})', y)[1:]}-C{row})/{NUDGE}"),
            ("G", f"=({at(text.value, x, f'({y}+{NUDGE})')[1:]}-C{row})/{NUDGE}"),
        ):  # fmt: skip
            cells[f"{letter}{row}"] = Formula(parse(formula, Cell.parse(f"{letter}{row}")))
    workbook.apply(SetCells(sheet.id, tuple((Cell.parse(a), c) for a, c in cells.items())))
    last = _TABLE_ROW + _TRIED - 1
    workbook.apply(SetRoles(sheet.id, (
        RoleRegion(Region(_TABLE_ROW - 1, 0, last, 2), Role.DATA, "points to try"),
        RoleRegion(Region(_TABLE_ROW - 1, 2, last, 3), Role.LOSS, "f(x, y)"),
    )))  # fmt: skip
    heads = Region(_TABLE_ROW - 2, 0, _TABLE_ROW - 1, 7)
    workbook.apply(SetFormat(sheet.id, heads, FormatChange(bold=True, align="right")))
    sheet.notes[Cell.parse("B1")] = (
        "The other sheets hold this formula in column E and its derivatives beside it. Change it "
        "in the panel Path: all of them are written anew."
    )
    if function.has_steepness:
        sheet.notes[STEEPNESS] = "Every sheet reads this number: change it and all follow."


# --- the start of the states ------------------------------------------------------------------


def prime(workbook: Workbook, sheet: Sheet) -> None:
    """Let the squared averages begin with the mean square of both derivatives at the start.

    Adagrad's sums begin at 0. Eve's losses begin with f at the start, so that its d begins with 1.
    With bias correction all states begin at 0, as they stand.

    Raises
    ------
    UserError
        If f or a derivative is not finite at the start.
    """
    if named_region(workbook, sheet.id, "steptarget") is not None:
        return
    kind = KINDS[sheet.name]
    cells = [f"E{FIRST_ROW}", *(f"{letter}{FIRST_ROW}" for letter in kind.gradient)]
    value, dx, dy = _numbers(workbook, sheet, [Cell.parse(c) for c in cells])
    mean_square = (dx * dx + dy * dy) / 2 or 1.0
    found: list[tuple[Cell, float]] = []
    for name in ("gradtarget", "l2gradtarget"):
        region = named_region(workbook, sheet.id, name)
        if region is not None:
            start = 0.0 if sheet.name in SUMMED else mean_square
            found += [(cell, start) for cell in region.cells()]
    for name, share in (("ft_1", 1.0), ("ft_2", 0.5)):
        region = named_region(workbook, sheet.id, name)
        if region is not None:
            found.append((region.first, value * share))
    if found:
        workbook.apply(SetCells(sheet.id, tuple(found)))


def _numbers(workbook: Workbook, sheet: Sheet, cells: Sequence[Cell]) -> tuple[float, ...]:
    try:
        line = StraightLine(workbook, [(sheet.id, cell) for cell in cells])
        found = line.run(line.start)
    except (Untranslatable, ArithmeticError, ValueError):
        found = (math.nan,)
    if not all(math.isfinite(number) for number in found):
        raise UserError(
            "The function has no value, or no slope, at the start.",
            "Choose another start, or another formula.",
        )
    return tuple(found)


# --- edits ------------------------------------------------------------------------------------


def set_function(workbook: Workbook, function: Function) -> Edit:
    """Return the edit that puts another function into the workbook: all states begin anew.

    Raises
    ------
    UserError
        As :func:`build_function`.
    """
    fresh = build_function(function).workbook
    sheets = [s for s in workbook.sheets if s.name == FUNCTION_SHEET or s.name in KINDS]
    return _replaced(workbook, sheets, fresh, f"Descend on {function.title}")


def reset(workbook: Workbook, sheet: Sheet, function: Function) -> Edit:
    """Return the edit that puts a sheet back to the function's start; its settings stay."""
    return _one(workbook, sheet, function, "Reset", is_corrected=_is_corrected(workbook, sheet))


def set_start(workbook: Workbook, sheet: Sheet, function: Function, x: float, y: float) -> Edit:
    """Return the edit that starts a sheet elsewhere, its states as they begin there."""
    return _one(
        workbook, sheet, function, f"Start at {x:g}, {y:g}", start=(x, y),
        is_corrected=_is_corrected(workbook, sheet),
    )  # fmt: skip


def set_correction(
    workbook: Workbook, sheet: Sheet, function: Function, is_corrected: bool
) -> Edit:
    """Return the edit that adds or removes Adam's bias correction. Raises UserError."""
    if sheet.name != "adam":
        raise UserError("Bias correction belongs to Adam.", "Open the sheet adam.")
    label = "Add bias correction" if is_corrected else "Remove bias correction"
    return _one(workbook, sheet, function, label, is_corrected=is_corrected)


def _is_corrected(workbook: Workbook, sheet: Sheet) -> bool:
    return named_region(workbook, sheet.id, "steptarget") is not None


def _one(
    workbook: Workbook,
    sheet: Sheet,
    function: Function,
    label: str,
    *,
    start: tuple[float, float] | None = None,
    is_corrected: bool = False,
) -> Edit:
    """Write one sheet anew, with the rate, the betas and the k that the user has set."""
    fresh = Workbook.with_sheet(FUNCTION_SHEET)
    _write_function(fresh, fresh.sheets[0], function)
    made = fresh.make_sheet(sheet.name)
    fresh.sheets.append(made)
    kind = kind_for(sheet.name, function, is_corrected=is_corrected)
    write_sheet(fresh, made, SheetPlan(kind, ROWS))
    kept: dict[Cell, float] = {}
    for place in KINDS[sheet.name].hyper.values():
        cell = Cell.parse(place.replace("{d}", str(FIRST_ROW + ROWS + 5)))
        value, what = sheet.cells.get(cell)
        if what == 1 and sheet.cells.formula(cell) is None:
            kept[cell] = value
    kept |= _start_cells(made, start) if start is not None else {}
    fresh.apply(SetCells(made.id, tuple(kept.items())))
    steepness = steepness_of(workbook)
    if steepness is not None and function.has_steepness:
        fresh.apply(SetCells(fresh.sheets[0].id, ((STEEPNESS, steepness),)))
    prime(fresh, made)
    return _replaced(workbook, [sheet], fresh, label)


def _start_cells(sheet: Sheet, start: tuple[float, float]) -> Mapping[Cell, float]:
    cells = {Cell.parse("C1"): start[0], Cell.parse("C2"): start[1]}
    if sheet.name == "adamw":
        cells |= {Cell.parse("T1"): start[0], Cell.parse("T2"): start[1]}
    return cells


def _replaced(
    workbook: Workbook, sheets: Sequence[Sheet], fresh: Workbook, label: str
) -> Edit:
    edits: list[Edit] = []
    for sheet in sheets:
        edits += transplanted(workbook, sheet, fresh, sheet_named(fresh, sheet.name))
    edits.append(names_of(workbook, list(sheets), fresh))
    return Composite(tuple(edits), label)

