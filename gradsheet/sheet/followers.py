"""What names cells, as it must read after rows or columns moved.

Owns how formulas, names, tables, roles, sizes, labels, notes, formats and frozen panes follow.
Changes nothing: it computes what the edits put.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from gradsheet.formula.address import Cell
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.names import DefinedName, Table
from gradsheet.sheet.rewriting import Insertion, LineMap, Movement, follow

if TYPE_CHECKING:
    from gradsheet.sheet.workbook import Sheet, SheetFacts, Workbook

_V = TypeVar("_V")
_A1 = Cell(0, 0)


def formulas_after(
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


def name_after(name: DefinedName, moved: Sheet, lines: LineMap) -> DefinedName:
    """A defined name afterwards."""

    def is_moved(sheet: str | None) -> bool:
        if sheet is None:
            return name.sheet == moved.id
        return sheet.casefold() == moved.name.casefold()

    expr = follow(name.expr, lines, _A1, _A1, is_moved)
    return name if expr is name.expr else replace(name, expr=expr)


def table_after(table: Table, moved: Sheet, lines: LineMap) -> Table | None:
    """A table afterwards, None if it is gone; new columns get names of their own."""
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


def facts_after(facts: SheetFacts, lines: LineMap) -> SheetFacts:
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
        scales=tuple(
            replace(scale, region=region)
            for scale in facts.scales
            if (region := lines.region(scale.region)) is not None
        ),
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
