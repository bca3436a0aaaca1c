"""Inserting, deleting and moving rows and columns; everything that names cells follows.

Owns the order of what happens: cells move, then formulas, names, tables, roles, sizes, labels,
notes and formats are put as they must read afterwards. Each part has an exact inverse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from gradsheet.formula.address import MAX_COLS, MAX_ROWS, Cell, Region
from gradsheet.formula.values import UserError
from gradsheet.sheet.book_edits import PutNames
from gradsheet.sheet.cell_edits import Block, PutFormulas
from gradsheet.sheet.cells import Axis, Formula, line_region
from gradsheet.sheet.change import Change, Composite, Edit
from gradsheet.sheet.names import DefinedName, Table
from gradsheet.sheet.rewriting import Deletion, Insertion, LineMap, Movement, follow
from gradsheet.sheet.sheet_edits import PutFacts

if TYPE_CHECKING:
    from gradsheet.sheet.workbook import Sheet, SheetFacts, Workbook

_V = TypeVar("_V")
_A1 = Cell(0, 0)


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
    facts = PutFacts(sheet.id, _facts_after(sheet.facts(), lines), label, Change(structure=True))
    formulas = PutFormulas(_formulas_after(workbook, sheet, lines), label)
    names = PutNames(
        tuple(_name_after(name, workbook, sheet, lines) for name in workbook.names),
        tuple(t for table in workbook.tables if (t := _table_after(table, sheet, lines))),
        label,
    )
    return Composite((*moves, formulas, facts, names), label).apply_to(workbook)


def _formulas_after(
    workbook: Workbook, moved: Sheet, lines: LineMap
) -> tuple[tuple[int, Cell, Formula], ...]:
    """Every formula that reads differently afterwards, at its new place."""
    rewritten: list[tuple[int, Cell, Formula]] = []
    moved_name = moved.name.casefold()
    for sheet in workbook.sheets:
        is_own = sheet is moved

        def is_moved(name: str | None, is_own: bool = is_own) -> bool:
            return is_own if name is None else name.casefold() == moved_name

        for cell, formula in sheet.cells.formulas().items():
            new_cell = lines.cell(cell) if is_own else cell
            if new_cell is None:
                continue
            expr = follow(formula.expr, lines, cell, new_cell, is_moved)
            array = formula.array
            if is_own and array is not None:
                array = lines.region(array)
            if expr is not formula.expr or array != formula.array:
                rewritten.append((sheet.id, new_cell, replace(formula, expr=expr, array=array)))
    return tuple(rewritten)


def _name_after(
    name: DefinedName, workbook: Workbook, moved: Sheet, lines: LineMap
) -> DefinedName:
    def is_moved(sheet: str | None) -> bool:
        if sheet is None:
            return name.sheet == moved.id
        return sheet.casefold() == moved.name.casefold()

    expr = follow(name.expr, lines, _A1, _A1, is_moved)
    return name if expr is name.expr else replace(name, expr=expr)


def _table_after(table: Table, moved: Sheet, lines: LineMap) -> Table | None:
    if table.sheet != moved.id:
        return table
    region = lines.region(table.region)
    if region is None:
        return None
    columns = table.columns
    if lines.axis == "column" and (region.shape != table.region.shape or region != table.region):
        places = {
            lines.line(table.region.left + at): name for at, name in enumerate(table.columns)
        }
        taken = {name.casefold() for name in table.columns}
        columns = tuple(
            places[col] if col in places else _new_column(taken)
            for col in range(region.left, region.right)
        )
    return replace(table, region=region, columns=columns)


def _new_column(taken: set[str]) -> str:
    """A column name that the table does not have, as Excel gives: Column1, Column2 ..."""
    number = 1
    while f"column{number}" in taken:
        number += 1
    taken.add(f"column{number}")
    return f"Column{number}"


def _facts_after(facts: SheetFacts, lines: LineMap) -> SheetFacts:
    """Roles, sizes, labels, notes and formats where they belong afterwards."""
    is_row = lines.axis == "row"
    widths = facts.column_widths if is_row else _lines_after(facts.column_widths, lines)
    if isinstance(lines, Insertion) and not is_row and lines.at - 1 in facts.column_widths:
        like = facts.column_widths[lines.at - 1]
        widths.update(dict.fromkeys(range(lines.at, lines.at + lines.count), like))
    return replace(
        facts,
        formats=facts.formats.moved(lines.format_region),
        roles=tuple(
            replace(role, region=region)
            for role in facts.roles
            if (region := lines.region(role.region)) is not None
        ),
        column_widths=widths,
        row_heights=_lines_after(facts.row_heights, lines) if is_row else facts.row_heights,
        row_labels=_lines_after(facts.row_labels, lines) if is_row else facts.row_labels,
        column_labels=facts.column_labels if is_row else _lines_after(facts.column_labels, lines),
        frozen=_frozen_after(facts.frozen, lines),
        notes={new: text for cell, text in facts.notes.items() if (new := lines.cell(cell))},
    )


def _lines_after(by_line: Mapping[int, _V], lines: LineMap) -> dict[int, _V]:
    moved = ((lines.line(index), value) for index, value in by_line.items())
    return {index: value for index, value in moved if index is not None}


def _frozen_after(frozen: Cell, lines: LineMap) -> Cell:
    """How many rows and columns stay in sight: those that were, and what came among them."""
    count = frozen.row if lines.axis == "row" else frozen.col
    if count == 0 or isinstance(lines, Movement):
        return frozen
    span = lines.span(0, count - 1)
    kept = 0 if span is None else span[1] + 1
    return frozen._replace(row=kept) if lines.axis == "row" else frozen._replace(col=kept)
