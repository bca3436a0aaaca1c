"""Edits of the gradient-descent workbook: other points, another mini-batch, bias correction, Reset.

Owns how a sheet is written anew without losing what the user set, as one edit that can be
undone. Knows no document.
"""

from __future__ import annotations

from dataclasses import replace

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import UserError, unpack
from gradsheet.learn.epoch_step import named_region
from gradsheet.learn.straightline import StraightLine
from gradsheet.lessons.descent_book import DATA_FIRST_ROW, DATA_SHEET, SheetPlan, build
from gradsheet.lessons.descent_data import LineData, given
from gradsheet.lessons.descent_layout import ADAM_CORRECTED, KINDS, Kind
from gradsheet.lessons.descent_reset import warm_up
from gradsheet.sheet.book_edits import PutNames
from gradsheet.sheet.cells import Content
from gradsheet.sheet.change import Composite, Edit
from gradsheet.sheet.edits import ClearCells, SetCells, SetNote, SetRoles
from gradsheet.sheet.workbook import Sheet, Workbook


def is_descent(workbook: Workbook, sheet: int) -> bool:
    """Whether a sheet is one of the lecture's, laid out as here."""
    return workbook.sheet(sheet).name in KINDS and _is_laid_out(workbook, sheet)


def _is_laid_out(workbook: Workbook, sheet: int) -> bool:
    return named_region(workbook, sheet, "constpath") is not None


def plan_of(workbook: Workbook, sheet: Sheet) -> SheetPlan:
    """Return kind, rows and mini-batch of a sheet as it stands.

    Raises
    ------
    UserError
        If the sheet is none of the gradient-descent sheets.
    """
    path = named_region(workbook, sheet.id, "constpath")
    if path is None or sheet.name not in KINDS:
        raise UserError(
            f"{sheet.name} is not one of the gradient-descent sheets.", "Open one of them first."
        )
    kind = KINDS[sheet.name]
    if named_region(workbook, sheet.id, "steptarget") is not None:
        kind = ADAM_CORRECTED
    means = sheet.cells.formulas_in(_column(kind, path))
    ends = sorted(cell.row for cell in means)
    batch = ends[0] - path.top + 1 if ends else 1
    return SheetPlan(kind, path.rows, batch)


def _column(kind: Kind, path: Region) -> Region:
    left = Region.parse(f"{kind.mean[0]}1").left
    return Region(path.top, left, path.bottom, left + 1)


def set_points(workbook: Workbook, data: LineData) -> Edit:
    """Return the edit that puts other points into the workbook: every sheet follows.

    Rates, betas and mini-batches stay; weights, states and the log of errors start anew.
    """
    sheets = [s for s in workbook.sheets if s.name in KINDS and _is_laid_out(workbook, s.id)]
    if not sheets:
        raise UserError("There are no gradient-descent sheets here.", "Open one of the lessons.")
    plans = {s.name: replace(plan_of(workbook, s), rows=data.rows) for s in sheets}
    plans = {n: replace(p, batch=min(p.batch, p.rows)) for n, p in plans.items()}
    fresh = build(sheets[0].name, data=data, plans=plans, only=[*plans]).workbook
    edits: list[Edit] = []
    home, source = workbook.by_name(DATA_SHEET), fresh.by_name(DATA_SHEET)
    if home is not None and source is not None:
        edits += transplanted(workbook, home, fresh, source)
    for sheet in sheets:
        edits += _anew(workbook, sheet, fresh)
    edits.append(names_of(workbook, sheets, fresh))
    return Composite(tuple(edits), f"Learn from {data.source}")


def set_batch(workbook: Workbook, sheet: Sheet, batch: int) -> Edit:
    """Return the edit that makes mini-batches of so many rows.

    Start weights and settings stay; the states are warmed up anew.

    Raises
    ------
    UserError
        If there are not so many rows.
    """
    plan = plan_of(workbook, sheet)
    if not 1 <= batch <= plan.rows:
        raise UserError(
            f"A mini-batch cannot have {batch} rows.", f"Choose from 1 to {plan.rows} rows."
        )
    return _rewritten(workbook, sheet, replace(plan, batch=batch), f"Mini-batch of {batch}")


def set_correction(workbook: Workbook, sheet: Sheet, is_corrected: bool) -> Edit:
    """Return the edit that adds or removes Adam's bias correction, as columns of its own.

    The states start anew: at zero with correction, warmed up without. Raises UserError.
    """
    plan = plan_of(workbook, sheet)
    if plan.kind.name != "adam":
        raise UserError("Bias correction belongs to Adam.", "Open the sheet adam.")
    kind = ADAM_CORRECTED if is_corrected else KINDS["adam"]
    label = "Add bias correction" if is_corrected else "Remove bias correction"
    return _rewritten(workbook, sheet, replace(plan, kind=kind), label)


def reset(workbook: Workbook, sheet: Sheet) -> Edit:
    """Return the lecture's Reset: a = b = 1, states at their start and warmed up, no log."""
    plan = plan_of(workbook, sheet)
    return _rewritten(workbook, sheet, plan, "Reset", keep=_settings(plan.kind, plan))


def points_of(workbook: Workbook) -> tuple[list[float], list[float]]:
    """Return x and y of the sheet `data`, formulas worked out."""
    sheet = workbook.by_name(DATA_SHEET)
    if sheet is None:
        raise UserError("There is no sheet data.", "Open a gradient-descent lesson.")
    used = sheet.cells.used()
    region = Region(DATA_FIRST_ROW - 1, 1, used.bottom, 3)
    values, kinds = sheet.cells.read(region)
    formulas = sheet.cells.formulas_in(region)
    places = [(sheet.id, cell) for cell in sorted(formulas)]
    line = StraightLine(workbook, places)
    for (_, cell), value in zip(places, line.run(line.start), strict=True):
        values[cell.row - region.top, cell.col - region.left] = value
        kinds[cell.row - region.top, cell.col - region.left] = 1
    full = (kinds == 1).all(axis=1)
    return values[full, 0].tolist(), values[full, 1].tolist()


def _rewritten(
    workbook: Workbook, sheet: Sheet, plan: SheetPlan, label: str, keep: set[Cell] | None = None
) -> Edit:
    """Write one sheet anew by a plan, with the user's settings (and, if told, nothing else)."""
    x, y = points_of(workbook)
    name = plan.kind.name
    fresh = build(name, data=given(x, y), plans={name: plan}, only=[name]).workbook
    edits = _anew(workbook, sheet, fresh, keep)
    edits.append(names_of(workbook, [sheet], fresh))
    return Composite(tuple(edits), label)


def _settings(kind: Kind, plan: SheetPlan) -> set[Cell]:
    """Return the cells of rate, betas and decay."""
    state = plan.last + 5
    return {Cell.parse(a.replace("{d}", str(state + 1))) for a in kind.hyper.values()}


def _anew(
    workbook: Workbook, sheet: Sheet, fresh: Workbook, keep: set[Cell] | None = None
) -> list[Edit]:
    """Return the edits that make a sheet like its fresh version, the user's settings kept.

    With `keep` None the weights at the start are kept too. Squared averages are warmed up anew.
    """
    source = fresh.by_name(sheet.name)
    assert source is not None
    plan = plan_of(workbook, sheet)
    kept = _settings(plan.kind, plan) | {Cell(0, 2), Cell(1, 2)} if keep is None else keep
    own = []
    for cell in kept:
        if sheet.cells.formula(cell) is None and source.cells.formula(cell) is None:
            value, kind = sheet.cells.get(cell)
            if kind == 1:
                own.append((cell, value))
    fresh.apply(SetCells(source.id, tuple(own)))
    if own:
        warm_up(fresh, source)
    return transplanted(workbook, sheet, fresh, source)


def transplanted(workbook: Workbook, to: Sheet, fresh: Workbook, source: Sheet) -> list[Edit]:
    """Return the edits that give one sheet the contents of another."""
    used = source.cells.used()
    values, kinds = source.cells.read(used)
    cells: dict[Cell, Content] = {}
    for cell in used.cells():
        kind = int(kinds[cell.row - used.top, cell.col - used.left])
        if kind:
            value = float(values[cell.row - used.top, cell.col - used.left])
            cells[cell] = unpack(value, kind, fresh.strings)
    cells.update(source.cells.formulas())
    edits: list[Edit] = [ClearCells(to.id, to.cells.used()), SetCells(to.id, tuple(cells.items()))]
    edits.append(SetRoles(to.id, source.roles))
    for cell in {*to.notes, *source.notes}:
        edits.append(SetNote(to.id, cell, source.notes.get(cell)))
    return edits


def names_of(workbook: Workbook, sheets: list[Sheet], fresh: Workbook) -> Edit:
    """Return the edit that gives sheets the names of their fresh versions."""
    ids = {s.id for s in sheets}
    kept = [n for n in workbook.names if n.sheet not in ids]
    for sheet in sheets:
        source = fresh.by_name(sheet.name)
        assert source is not None
        kept += [replace(n, sheet=sheet.id) for n in fresh.names if n.sheet == source.id]
    return PutNames(tuple(kept), workbook.tables, "Names")


