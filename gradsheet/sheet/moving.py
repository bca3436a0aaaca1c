"""Cutting cells and pasting them elsewhere: one edit, and every reference to them follows.

Owns the order of what happens: the cells go, then formulas, names, looks, notes, roles and
scales are put as they must read afterwards. Each part has an exact inverse.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import UserError
from gradsheet.sheet.book_edits import PutNames
from gradsheet.sheet.cell_edits import PutFormulas, ReplaceRegion, check_inside
from gradsheet.sheet.cells import CellStore, Formula
from gradsheet.sheet.change import Change, Composite, Edit
from gradsheet.sheet.colour_scale import ColourScale
from gradsheet.sheet.formats import FormatRules
from gradsheet.sheet.relocation import Relocation, relocated
from gradsheet.sheet.roles import RoleRegion
from gradsheet.sheet.sheet_edits import PutFacts

if TYPE_CHECKING:
    from gradsheet.sheet.workbook import Sheet, SheetFacts, Workbook

_A1 = Cell(0, 0)
_R = TypeVar("_R", RoleRegion, ColourScale)


@dataclass(frozen=True, slots=True)
class MoveCells(Edit):
    """Move a rectangle of cells, values, formulas, looks and notes, over what lies there.

    Parameters
    ----------
    source : the cells to move
    to : where the top left one goes
    to_sheet : id of the sheet it goes to, None for the same

    Raises (on apply)
    -----------------
    UserError
        If the target reaches off the sheet or an array formula would be torn.
    """

    sheet: int
    source: Region
    to: Cell
    to_sheet: int | None = None

    @property
    def label(self) -> str:
        """`Move A1:B2`."""
        return f"Move {self.source}"

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        home = workbook.sheet(self.sheet)
        there = home if self.to_sheet is None else workbook.sheet(self.to_sheet)
        source = self.source
        target = source.shift(self.to[0] - source.top, self.to[1] - source.left)
        if source.is_empty or (there is home and target == source):
            return Composite((), self.label), Change()
        check_inside(target)
        _check_arrays(home.cells, source)
        move = Relocation(source, target, home.name, there.name)
        rows, cols = move.shift
        blocks = tuple((r.shift(rows, cols), v, k) for r, v, k in home.cells.contents(source))
        formulas = _moved_formulas(home, there, move)
        rest = _other_formulas(workbook, home, there, move)
        edits: list[Edit] = [
            ReplaceRegion(home.id, source, (), (), self.label),
            ReplaceRegion(there.id, target, blocks, formulas, self.label),
            PutFormulas(rest, self.label),
            *_facts_edits(home, there, move, self.label),
        ]
        names = tuple(
            replace(name, expr=expr)
            if (expr := relocated(name.expr, move, None, _A1, None, _A1)) is not name.expr
            else name
            for name in workbook.names
        )
        tables = workbook.tables
        if there is home:
            tables = tuple(
                replace(table, region=table.region.shift(rows, cols))
                if table.sheet == home.id and source.contains(table.region)
                else table
                for table in tables
            )
        if names != workbook.names or tables != workbook.tables:
            edits.append(PutNames(names, tables, self.label))
        return Composite(tuple(edits), self.label).apply_to(workbook)


def _check_arrays(store: CellStore, source: Region) -> None:
    for anchor, area in store.arrays().items():
        formula = store.formula(anchor)
        if formula is None or formula.dynamic or source.contains(area):
            continue
        if area.intersect(source) is not None:
            raise UserError(
                f"{source} holds a part of the array formula in {area}.",
                "Move an array formula as a whole.",
            )


def _moved_formulas(
    home: Sheet, there: Sheet, move: Relocation
) -> tuple[tuple[Cell, Formula], ...]:
    rows, cols = move.shift
    moved = []
    for cell, formula in home.cells.formulas_in(move.source).items():
        new = Cell(cell.row + rows, cell.col + cols)
        expr = relocated(formula.expr, move, home.name, cell, there.name, new)
        array = formula.array.shift(rows, cols) if formula.array is not None else None
        moved.append((new, replace(formula, expr=expr, array=array)))
    return tuple(moved)


def _other_formulas(
    workbook: Workbook, home: Sheet, there: Sheet, move: Relocation
) -> tuple[tuple[int, Cell, Formula], ...]:
    rewritten: list[tuple[int, Cell, Formula]] = []
    for sheet in workbook.sheets:
        for cell, formula in sheet.cells.formulas().items():
            if sheet is home and move.source.contains(cell):
                continue
            if sheet is there and move.target.contains(cell):
                continue
            expr = relocated(formula.expr, move, sheet.name, cell, sheet.name, cell)
            if expr is not formula.expr:
                rewritten.append((sheet.id, cell, replace(formula, expr=expr)))
    return tuple(rewritten)


def _facts_edits(home: Sheet, there: Sheet, move: Relocation, label: str) -> list[Edit]:
    """Looks, notes, roles and scales that go with the cells."""
    rows, cols = move.shift
    before = home.facts()
    leaving = replace(
        before,
        formats=before.formats.cleared(move.source),
        notes={c: t for c, t in before.notes.items() if not move.source.contains(c)},
        roles=tuple(r for r in before.roles if not move.source.contains(r.region)),
        scales=tuple(s for s in before.scales if not move.source.contains(s.region)),
    )
    arriving = leaving if there is home else there.facts()
    after = replace(
        arriving,
        formats=_looks_after(before.formats, arriving.formats, move),
        notes={
            **{c: t for c, t in arriving.notes.items() if not move.target.contains(c)},
            **{
                Cell(c[0] + rows, c[1] + cols): t
                for c, t in before.notes.items()
                if move.source.contains(c)
            },
        },
        roles=_in_place(before.roles, arriving.roles, there is home, move),
        scales=_in_place(before.scales, arriving.scales, there is home, move),
    )
    gone = Change(formats=((home.id, move.source), (there.id, move.target)))
    edits: list[Edit] = []
    if there is home:
        if not _alike(after, before):
            edits.append(PutFacts(home.id, after, label, gone))
        return edits
    if not _alike(leaving, before):
        edits.append(PutFacts(home.id, leaving, label, gone))
    if not _alike(after, arriving):
        edits.append(PutFacts(there.id, after, label, gone))
    return edits


def _alike(a: SheetFacts, b: SheetFacts) -> bool:
    return (a.formats.rules, a.notes, a.roles, a.scales) == (
        b.formats.rules, b.notes, b.roles, b.scales
    )  # fmt: skip


def _in_place(
    before: tuple[_R, ...], arriving: tuple[_R, ...], is_home: bool, move: Relocation
) -> tuple[_R, ...]:
    """Regions that moved, at their old place in the order where they stay on their sheet."""
    rows, cols = move.shift

    def moved(item: _R) -> _R:
        return replace(item, region=item.region.shift(rows, cols))

    if is_home:
        placed = [moved(item) if move.source.contains(item.region) else item for item in before]
    else:
        placed = list(arriving)
        placed += [moved(item) for item in before if move.source.contains(item.region)]
    return tuple(placed)


def _looks_after(before: FormatRules, arriving: FormatRules, move: Relocation) -> FormatRules:
    """The looks of the moved cells at their new place, rule by rule."""
    rows, cols = move.shift
    formats = arriving
    if before.is_plain(move.source) and formats.is_plain(move.target):
        return formats
    formats = formats.cleared(move.target)
    for region, format_id in before.rules:
        part = region.intersect(move.source)
        if part is not None:
            formats = formats.with_format(part.shift(rows, cols), before.palette.format(format_id))
    return formats
