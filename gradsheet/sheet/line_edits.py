"""Inserting, deleting and moving rows and columns; everything that names cells follows.

Owns the order of what happens: cells move, then formulas, names, tables, roles, sizes, labels,
notes and formats are put as they must read afterwards. Each part has an exact inverse.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradsheet.formula.address import MAX_COLS, MAX_ROWS, Cell, Region
from gradsheet.formula.values import UserError
from gradsheet.sheet.book_edits import PutNames
from gradsheet.sheet.cell_edits import Block, PutFormulas
from gradsheet.sheet.cells import Axis, Formula, line_region
from gradsheet.sheet.change import Change, Composite, Edit
from gradsheet.sheet.followers import facts_after, formulas_after, name_after, table_after
from gradsheet.sheet.rewriting import Deletion, Insertion, LineMap, Movement
from gradsheet.sheet.sheet_edits import PutFacts

if TYPE_CHECKING:
    from gradsheet.sheet.workbook import Sheet, Workbook

@dataclass(frozen=True, slots=True, eq=False)
class OpenLines(Edit):
    """Open lines and put contents into them; nothing follows."""

    sheet: int
    axis: Axis
    at: int
    count: int
    blocks: tuple[Block, ...] = ()
    formulas: tuple[tuple[Cell, Formula], ...] = ()

    @property
    def label(self) -> str:
        """For the undo menu."""
        return f"Insert {self.axis}s"

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        store = workbook.sheet(self.sheet).cells
        store.insert_lines(self.axis, self.at, self.count)
        for region, values, kinds in self.blocks:
            store.write(region, values, kinds)
        for cell, formula in self.formulas:
            store.set_formula(cell, formula)
        touched = _behind(store.used(), self.axis, self.at)
        return CloseLines(self.sheet, self.axis, self.at, self.count), Change(
            values=((self.sheet, touched),), structure=True
        )


@dataclass(frozen=True, slots=True)
class CloseLines(Edit):
    """Take lines out with what they hold; nothing follows."""

    sheet: int
    axis: Axis
    at: int
    count: int

    @property
    def label(self) -> str:
        """For the undo menu."""
        return f"Delete {self.axis}s"

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        store = workbook.sheet(self.sheet).cells
        band = line_region(self.axis, self.at, self.at + self.count)
        inverse = OpenLines(
            self.sheet,
            self.axis,
            self.at,
            self.count,
            tuple(store.contents(band)),
            tuple(store.formulas_in(band).items()),
        )
        touched = _behind(store.used(), self.axis, self.at)
        store.delete_lines(self.axis, self.at, self.count)
        return inverse, Change(values=((self.sheet, touched),), structure=True)


def _behind(used: Region, axis: Axis, at: int) -> Region:
    return used.intersect(line_region(axis, at, None)) or Region(0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class InsertRows(Edit):
    """Insert `count` blank rows before row `at`."""

    sheet: int
    at: int
    count: int = 1

    @property
    def label(self) -> str:
        """For the undo menu."""
        return _label("Insert", "row", self.count)

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        return _insert(workbook, self.sheet, "row", self.at, self.count, self.label)


@dataclass(frozen=True, slots=True)
class InsertColumns(Edit):
    """Insert `count` blank columns before column `at`."""

    sheet: int
    at: int
    count: int = 1

    @property
    def label(self) -> str:
        """For the undo menu."""
        return _label("Insert", "column", self.count)

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        return _insert(workbook, self.sheet, "column", self.at, self.count, self.label)


@dataclass(frozen=True, slots=True)
class DeleteRows(Edit):
    """Delete `count` rows from row `at` on."""

    sheet: int
    at: int
    count: int = 1

    @property
    def label(self) -> str:
        """For the undo menu."""
        return _label("Delete", "row", self.count)

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        return _delete(workbook, self.sheet, "row", self.at, self.count, self.label)


@dataclass(frozen=True, slots=True)
class DeleteColumns(Edit):
    """Delete `count` columns from column `at` on."""

    sheet: int
    at: int
    count: int = 1

    @property
    def label(self) -> str:
        """For the undo menu."""
        return _label("Delete", "column", self.count)

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        return _delete(workbook, self.sheet, "column", self.at, self.count, self.label)


@dataclass(frozen=True, slots=True)
class MoveRows(Edit):
    """Move `count` rows from row `at` on before the row that has index `to` now."""

    sheet: int
    at: int
    count: int
    to: int

    @property
    def label(self) -> str:
        """For the undo menu."""
        return _label("Move", "row", self.count)

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        return _move(workbook, self.sheet, Movement("row", self.at, self.count, self.to),
                     self.label)  # fmt: skip


@dataclass(frozen=True, slots=True)
class MoveColumns(Edit):
    """Move `count` columns from column `at` on before the column that has index `to` now."""

    sheet: int
    at: int
    count: int
    to: int

    @property
    def label(self) -> str:
        """For the undo menu."""
        return _label("Move", "column", self.count)

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        return _move(workbook, self.sheet, Movement("column", self.at, self.count, self.to),
                     self.label)  # fmt: skip


def _label(verb: str, axis: Axis, count: int) -> str:
    return f"{verb} {axis}" if count == 1 else f"{verb} {count} {axis}s"


def _insert(
    workbook: Workbook, sheet_id: int, axis: Axis, at: int, count: int, label: str
) -> tuple[Edit, Change]:
    sheet = workbook.sheet(sheet_id)
    lines = Insertion(axis, at, count)
    _check_lines(lines, at, count)
    used = sheet.cells.used()
    end = used.bottom if axis == "row" else used.right
    if end > at and end + count > lines.limit:
        raise UserError(
            f"There is no room for {count} more {axis}s: cells at the end of the sheet are in use.",
            f"Clear the last {axis}s first.",
        )
    _check_arrays(sheet, lines, label)
    moves: tuple[Edit, ...] = (OpenLines(sheet_id, axis, at, count),)
    return _with_followers(workbook, sheet, lines, moves, label)


def _delete(
    workbook: Workbook, sheet_id: int, axis: Axis, at: int, count: int, label: str
) -> tuple[Edit, Change]:
    sheet = workbook.sheet(sheet_id)
    lines = Deletion(axis, at, count)
    _check_lines(lines, at, count)
    _check_arrays(sheet, lines, label)
    moves: tuple[Edit, ...] = (CloseLines(sheet_id, axis, at, count),)
    return _with_followers(workbook, sheet, lines, moves, label)


def _move(
    workbook: Workbook, sheet_id: int, lines: Movement, label: str
) -> tuple[Edit, Change]:
    sheet = workbook.sheet(sheet_id)
    axis, at, count = lines.axis, lines.at, lines.count
    _check_lines(lines, at, count)
    if not 0 <= lines.to <= lines.limit:
        raise UserError(f"There is no {axis} {lines.to + 1} to move to.", "Choose another place.")
    if at < lines.to < at + count:
        raise UserError(f"The {axis}s cannot move into themselves.", "Choose a place outside.")
    _check_arrays(sheet, lines, label)
    band = line_region(axis, at, at + count)
    distance = lines.landing - at
    rows, cols = (distance, 0) if axis == "row" else (0, distance)
    blocks = tuple((r.shift(rows, cols), v, k) for r, v, k in sheet.cells.contents(band))
    formulas = tuple(
        (Cell(cell.row + rows, cell.col + cols), formula)
        for cell, formula in sheet.cells.formulas_in(band).items()
    )
    moves: tuple[Edit, ...] = (
        CloseLines(sheet_id, axis, at, count),
        OpenLines(sheet_id, axis, lines.landing, count, blocks, formulas),
    )
    return _with_followers(workbook, sheet, lines, moves, label)


def _check_lines(lines: LineMap, at: int, count: int) -> None:
    if at < 0 or count < 1 or at + count > lines.limit:
        limit = MAX_ROWS if lines.axis == "row" else MAX_COLS
        raise UserError(
            f"{count} {lines.axis}s from {lines.axis} {at + 1} on do not fit the sheet.",
            f"A sheet has {limit:,} {lines.axis}s.",
        )


def _check_arrays(sheet: Sheet, lines: LineMap, label: str) -> None:
    """Raise UserError if an array formula would be torn."""
    for anchor, area in sheet.cells.arrays().items():
        formula = sheet.cells.formula(anchor)
        if formula is None or formula.dynamic:
            continue
        moved = lines.region(area)
        is_whole = moved is not None and moved.shape == area.shape
        if is_whole and isinstance(lines, Movement):
            first, last = lines.cell(area.first), lines.cell((area.bottom - 1, area.right - 1))
            assert moved is not None
            is_whole = first == moved.first and last == (moved.bottom - 1, moved.right - 1)
        if moved is not None and not is_whole:
            raise UserError(
                f"{label} would cut the array formula in {area}.",
                f"Clear {area} first, or choose other {lines.axis}s.",
            )


def _with_followers(
    workbook: Workbook, sheet: Sheet, lines: LineMap, moves: tuple[Edit, ...], label: str
) -> tuple[Edit, Change]:
    """Move lines, and put all that names cells of the sheet as it must read afterwards."""
    facts = PutFacts(sheet.id, facts_after(sheet.facts(), lines), label, Change(structure=True))
    formulas = PutFormulas(formulas_after(workbook, sheet, lines), label)
    names = PutNames(
        tuple(name_after(name, sheet, lines) for name in workbook.names),
        tuple(t for table in workbook.tables if (t := table_after(table, sheet, lines))),
        label,
    )
    return Composite((*moves, formulas, facts, names), label).apply_to(workbook)
