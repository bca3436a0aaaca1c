"""Writes the gradient-descent workbook: one tab for the data and one for each optimizer.

Owns how a `Kind` of `descent_layout` becomes cells, names, roles and notes, and the edits that
change the number of rows, the mini-batch or the correction of a sheet afterwards.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from gradsheet.formula.address import Cell, Region, column_index
from gradsheet.formula.syntax import Expr, parse
from gradsheet.learn.epoch_step import epoch_step_of
from gradsheet.learn.problem import Parameter, Problem
from gradsheet.lessons.descent_data import LineData, drawn, lecture
from gradsheet.lessons.descent_layout import (
    FIRST_ROW,
    KINDS,
    MEAN_L2,
    Column,
    Kind,
    below,
    columns_of,
)
from gradsheet.lessons.descent_reset import warm_up
from gradsheet.lessons.lesson import Crosstab, LessonBook
from gradsheet.sheet.cells import Content, Formula
from gradsheet.sheet.edits import FormatChange, SetCells, SetFormat, SetRoles
from gradsheet.sheet.names import DefinedName
from gradsheet.sheet.workbook import Role, RoleRegion, Sheet, Workbook

DATA_SHEET = "data"
DATA_FIRST_ROW = 5
LOG_OFFSET = 6
"""The log of errors begins so many rows below the last row of data: C38 for 29 rows."""


@dataclass(frozen=True, slots=True)
class SheetPlan:
    """One optimizer's sheet: its kind, its number of rows and the size of its mini-batches."""

    kind: Kind
    rows: int
    batch: int = 1

    @property
    def last(self) -> int:
        """Row number of the last x and y."""
        return FIRST_ROW + self.rows - 1


def build(
    active: str,
    seed: int = 0,
    data: LineData | None = None,
    plans: Mapping[str, SheetPlan] | None = None,
    only: Collection[str] = tuple(KINDS),
) -> LessonBook:
    """Make the workbook, ready to run on one of its sheets.

    Parameters
    ----------
    active : str
        Name of the sheet to show.
    seed : int
        0: the lecture's points; else the seed of drawn ones.
    data : LineData, optional
        The points, instead.
    plans : mapping of sheet name to SheetPlan, optional
        For the sheets that are not to be as the lecture has them.
    only : collection of sheet name
        The sheets to make, all if not given; `active` is among them.
    """
    points = data or (lecture() if seed == 0 else drawn(seed))
    workbook = Workbook.with_sheet(DATA_SHEET)
    write_data(workbook, workbook.sheets[0], points)
    for kind in (KINDS[name] for name in KINDS if name in only):
        sheet = workbook.make_sheet(kind.name)
        workbook.sheets.append(sheet)
        plan = (plans or {}).get(kind.name) or SheetPlan(kind, points.rows)
        write_sheet(workbook, sheet, plan)
        warm_up(workbook, sheet)
    return book_on(workbook, active)


def build_for(active: str, seed: int, data: Crosstab | None) -> LessonBook:
    """Build as the list of lessons asks for it; ratings are no points and are not used."""
    return build(active, seed)


def book_on(workbook: Workbook, active: str, loss_name: str = "error") -> LessonBook:
    """Return what a document needs to run one sheet of the workbook."""
    sheet = sheet_named(workbook, active)
    epoch = epoch_step_of(workbook, sheet.id)
    assert epoch is not None
    assert epoch.loss is not None
    kind = KINDS[active]
    return LessonBook(
        workbook=workbook,
        problem=Problem(
            loss=(sheet.id, epoch.loss),
            parameters=tuple(Parameter(sheet.id, target) for target in epoch.targets),
        ),
        optimizer=kind.rule,
        sheet=sheet.id,
        selection=Cell(FIRST_ROW - 1, 2),
        loss_name=loss_name,
    )


def sheet_named(workbook: Workbook, name: str) -> Sheet:
    """Return a sheet by name; it is a mistake of the caller if there is none."""
    sheet = workbook.by_name(name)
    assert sheet is not None, name
    return sheet


# --- the data ---------------------------------------------------------------------------------


def write_data(workbook: Workbook, sheet: Sheet, data: LineData) -> None:
    """Fill the sheet `data`: the line in C1:C2, the points from row 5."""
    first, last = DATA_FIRST_ROW, DATA_FIRST_ROW + data.rows - 1
    cells: dict[str, Content] = {"A1": "b", "A2": "a", "B4": "x", "C4": "y"}
    if data.y:
        span = f"C{first}:C{last},B{first}:B{last}"
        cells |= {"B1": "least squares", "B2": "least squares"}
        cells["C1"] = _formula(f"=INTERCEPT({span})", "C1")
        cells["C2"] = _formula(f"=SLOPE({span})", "C2")
    else:
        cells |= {"B1": "const", "C1": data.intercept, "B2": "slope", "C2": data.slope}
        if data.noise:
            cells |= {"A3": "noise", "B3": "spread", "C3": data.spread, "D4": "noise drawn"}
    line = f"=$C$1+B{first}*$C$2" + (f"+$C$3*D{first}" if data.noise else "")
    made = _formula(line, f"C{first}")
    for i, x in enumerate(data.x):
        row = first + i
        cells[f"B{row}"] = x
        cells[f"C{row}"] = data.y[i] if data.y else made
        if data.noise and not data.y:
            cells[f"D{row}"] = data.noise[i]
    workbook.apply(SetCells(sheet.id, tuple((Cell.parse(a), c) for a, c in cells.items())))
    points = Region(first - 1, 1, last, 3)
    workbook.apply(SetRoles(sheet.id, (RoleRegion(points, Role.DATA, "data"),)))
    sheet.frozen = Cell(DATA_FIRST_ROW - 1, 0)
    sheet.notes[Cell(3, 1)] = (
        "Every other sheet reads x and y from here: change, paste or draw them and all follow."
    )


# --- one optimizer's sheet --------------------------------------------------------------------


def write_sheet(workbook: Workbook, sheet: Sheet, plan: SheetPlan) -> None:
    """Fill an empty sheet: settings, table, state, log, names, roles and notes."""
    cells = {**_frame(plan), **_table(plan)}
    workbook.apply(SetCells(sheet.id, tuple(cells.items())))
    workbook.names = tuple(n for n in workbook.names if n.sheet != sheet.id) + tuple(
        _names(sheet.id, plan)
    )
    workbook.apply(SetRoles(sheet.id, _roles(plan)))
    workbook.apply(
        SetFormat(sheet.id, Region(2, 0, 3, 40), FormatChange(bold=True, align="right"))
    )
    sheet.frozen = Cell(FIRST_ROW - 1, 2)
    sheet.notes.update(_notes(plan))


def _frame(plan: SheetPlan) -> dict[Cell, Content]:
    """Return what stands above and below the table."""
    cells: dict[Cell, Content] = {}
    for address, content in plan.kind.fixed.items():
        cells[Cell.parse(address)] = _content(content, Cell.parse(address), plan)
    for (letter, offset), content in plan.kind.below.items():
        cell = below(letter, offset, plan.rows)
        cells[cell] = _content(content, cell, plan)
    if plan.kind.total:
        error = below(plan.kind.error, 1, plan.rows)
        cells[error] = _content(plan.kind.total.replace("{e}", plan.kind.error), error, plan)
    top = below("C", LOG_OFFSET, plan.rows)
    titles = ("f after every pass:", "f") if plan.kind.is_function else (
        "Error of every epoch:", "rmse")  # fmt: skip
    cells[Cell(top.row - 2, top.col)], cells[Cell(top.row - 1, top.col)] = titles
    cells[Cell.parse("A1")] = "steps" if plan.kind.is_function else "batch"
    batch = plan.rows if plan.kind.is_function else min(plan.batch, plan.rows)
    batch_end = FIRST_ROW + batch - 1
    cells[Cell.parse("A2")] = _formula(f"=ROWS(A{FIRST_ROW}:A{batch_end})", "A2")
    return cells


def _table(plan: SheetPlan) -> dict[Cell, Content]:
    """Return the rows of x and y and every column of the optimizer."""
    cells = {} if plan.kind.is_function else _points(plan)
    ends = _ends(plan)
    for column in (*plan.kind.columns, *_means(plan)):
        at = column_index(column.letter)
        title = Cell(2, at)
        cells[title] = _content(column.title, title, plan)
        for row in range(FIRST_ROW, plan.last + 1):
            text = _row_text(column, row, plan, ends[row])
            if text:
                cell = Cell(row - 1, at)
                cells[cell] = _content(text, cell, plan)
    return cells


def _points(plan: SheetPlan) -> dict[Cell, Content]:
    """Return the columns of x and y, which read the sheet `data`."""
    cells: dict[Cell, Content] = {Cell(2, 0): "x", Cell(2, 1): "y"}
    x = _formula(f"={DATA_SHEET}!B{DATA_FIRST_ROW}", str(Cell(FIRST_ROW - 1, 0)))
    for row in range(FIRST_ROW - 1, plan.last):
        cells[Cell(row, 0)] = cells[Cell(row, 1)] = x
    return cells


def _ends(plan: SheetPlan) -> dict[int, tuple[int, int]]:
    """Return for every row the first and the last row of its mini-batch."""
    found = {}
    for row in range(FIRST_ROW, plan.last + 1):
        start = row - (row - FIRST_ROW) % plan.batch
        found[row] = (start, min(start + plan.batch - 1, plan.last))
    return found


def _row_text(column: Column, row: int, plan: SheetPlan, ends: tuple[int, int]) -> str:
    """Return the formula of a column in a row, "" where it has none."""
    start, end = ends
    if column.is_update and row != end:
        return ""
    text = column.formula
    if column.held and row != start:
        text = column.held
    elif column.first and row == FIRST_ROW:
        text = column.first
    batched = plan.batch > 1
    gb, ga = plan.kind.mean if batched else plan.kind.gradient
    right = MEAN_L2 if batched else ("W", "X")
    return _fill(text, {
        "r": str(row), "u": str(row - 1),
        "p": str(start - 1),  # the row of the update before, or row 3 with last epoch's state
        "gb": f"{gb}{row}", "ga": f"{ga}{row}",
        "g2b": f"{right[0]}{row}", "g2a": f"{right[1]}{row}", "q": str(start),
    })  # fmt: skip


def _means(plan: SheetPlan) -> tuple[Column, ...]:
    """Return the columns of mean gradients, which only mini-batches have."""
    if plan.batch == 1:
        return ()
    pairs = [*zip(plan.kind.mean, plan.kind.gradient, strict=True)]
    if any(column.letter == "AE" for column in plan.kind.columns):
        pairs += [*zip(MEAN_L2, ("W", "X"), strict=True)]
    return tuple(
        Column(to, f"mean {name}", f"=AVERAGE({of}{{q}}:{of}{{r}})", is_update=True)
        for (to, of), name in zip(pairs, ("de/db", "de/da") * 2, strict=False)
    )


def _content(content: str | float, cell: Cell, plan: SheetPlan) -> Content:
    if isinstance(content, float) or not content.startswith("="):
        return content
    gradient = plan.kind.gradient if plan.batch == 1 else plan.kind.mean
    state = plan.last + 1
    spans = [f"{letter}{FIRST_ROW}:{letter}{plan.last}" for letter in gradient]
    text = _fill(content, {
        "a": str(FIRST_ROW), "z": str(plan.last), "s": str(state), "s1": str(state + 1),
        "s2": str(state + 2), "s3": str(state + 3), "d": str(state + 5),
        "gb": spans[0], "ga": spans[1],
    })  # fmt: skip
    return _formula(text, str(cell))


def _fill(text: str, values: Mapping[str, str]) -> str:
    """Put values into the braces of a template; unknown ones stay."""
    for key, value in values.items():
        text = text.replace("{" + key + "}", value)
    return text


@lru_cache(maxsize=8192)
def _formula(text: str, at: str) -> Formula:
    return Formula(parse(text, Cell.parse(at)))


# --- names, roles, notes ----------------------------------------------------------------------


def _names(sheet: int, plan: SheetPlan) -> Iterable[DefinedName]:
    kind = plan.kind
    places = dict(kind.names)
    places["rmse"] = (kind.error, 1)
    places["constpath"] = f"C{FIRST_ROW}:C{plan.last}"
    places["slopepath"] = f"D{FIRST_ROW}:D{plan.last}"
    if "beta1" in kind.hyper:
        places["momentum"] = kind.hyper["beta1"]
    places["rmsestart"] = ("C", LOG_OFFSET - 2)
    for name, place in places.items():
        yield DefinedName(name, _reference(kind.name, place, plan.rows), sheet)


def _reference(sheet: str, place: str | tuple[str, int], rows: int) -> Expr:
    """Return an absolute reference to a place of a layout."""
    if isinstance(place, str):
        region = Region.parse(place)
    else:
        first, last = columns_of(place[0])
        row = FIRST_ROW + rows - 2 + place[1]
        region = Region(row, first, row + 1, last + 1)
    corners = [Cell(region.top, region.left), Cell(region.bottom - 1, region.right - 1)]
    texts = [f"${str(c).rstrip('0123456789')}${c.row + 1}" for c in corners]
    text = texts[0] if region.size == 1 else ":".join(texts)
    return parse(f"={sheet}!{text}", Cell(0, 0))


def _roles(plan: SheetPlan) -> tuple[RoleRegion, ...]:
    top, bottom = FIRST_ROW - 1, plan.last
    error = below(plan.kind.error, 1, plan.rows)
    errors = Region(top, error.col, bottom, error.col + 1)
    if plan.kind.is_function:
        return (
            RoleRegion(Region(0, 2, 2, 3), Role.PARAMETER, "start of x and y"),
            RoleRegion(Region(top, 2, bottom + 1, 4), Role.PARAMETER, "x and y"),
            RoleRegion(errors, Role.LOSS, "f(x, y)"),
            RoleRegion(Region.of(error), Role.LOSS, "f after the pass"),
        )
    return (
        RoleRegion(Region(0, 2, 2, 3), Role.PARAMETER, "start of a and b"),
        RoleRegion(Region(top, 0, bottom, 2), Role.DATA, "data"),
        RoleRegion(Region(top, 2, bottom, 4), Role.PARAMETER, "weights"),
        RoleRegion(Region(top, 4, bottom, 5), Role.PREDICTION, "prediction"),
        RoleRegion(errors, Role.LOSS, "squared error"),
        RoleRegion(Region.of(error), Role.LOSS, "error"),
    )


def _notes(plan: SheetPlan) -> dict[Cell, str]:
    last = plan.last
    if plan.kind.is_function:
        return _notes_of_function(plan)
    notes = {
        Cell.parse("C1"): (
            "An epoch copies the new b and a that the last row produced up here and recalculates. "
            "(The lecture's macros copied those that the last row had used.)"
        ),
        Cell.parse(plan.kind.rate): "The learning rate. Change it and every row below follows.",
        Cell.parse("A2"): (
            f"Rows in a mini-batch. Weights change after each {plan.batch} rows, by the mean of "
            "their gradients; until then the rows share them."
            if plan.batch > 1
            else "Online: the weights change after every row."
        ),
        below(plan.kind.error, 1, plan.rows): (
            "The root of the sum of squared errors of this epoch, each made before its update."
        ),
    }
    if "momtarget" in plan.kind.names or "gradtarget" in plan.kind.names:
        notes[Cell(last, 0)] = (
            f"Row {last + 1} holds the optimizer's state from the epoch before; row 3 reads it."
        )
    return notes


def _notes_of_function(plan: SheetPlan) -> dict[Cell, str]:
    last = plan.last
    notes = {
        Cell.parse("C1"): (
            f"Where the pass starts. After {plan.rows} steps a pass copies the new x and y up "
            "here and recalculates."
        ),
        Cell.parse(plan.kind.rate): "The learning rate. Change it and every row below follows.",
        Cell.parse("E4"): "The formula of the sheet function, at this row's x and y.",
        below("E", 1, plan.rows): "f where the pass ended: what an epoch logs below.",
    }
    if "momtarget" in plan.kind.names or "gradtarget" in plan.kind.names:
        notes[Cell(last, 0)] = (
            f"Row {last + 1} holds the optimizer's state from the pass before; row 3 reads it. "
            "The squared averages begin with the squares of the two derivatives at the start."
        )
    return notes
