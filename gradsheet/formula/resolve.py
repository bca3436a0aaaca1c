"""Names, tables and spills of a formula replaced by the references they stand for.

Owns the expansion of defined names (also nested), structured references and `A1#`. What cannot
be found becomes the error that Excel shows. Knows no values and no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import (
    Call,
    ErrorLiteral,
    Expr,
    Name,
    Range,
    Ref,
    SpillRef,
    TableRef,
    Union,
    cell_of,
    children,
    transform,
)
from gradsheet.formula.values import ErrorCode

if TYPE_CHECKING:
    from gradsheet.formula.graph import Inputs, TableLike

_DEEPEST_NAME = 32


def resolved(
    expr: Expr,
    sheet: int,
    host: Cell,
    inputs: Inputs,
    spills: Mapping[tuple[int, Cell], Region],
    depth: int = 0,
) -> Expr:
    """A formula without names (but LET's variables), tables and spill references.

    An unknown name becomes #NAME?, an unknown table or column #REF!.
    """
    bound = _bound_names(expr)

    def change(node: Expr) -> Expr:
        match node:
            case Name(scope, name):
                if scope is None and name.casefold() in bound:
                    return node
                return _name(scope, name, sheet, host, inputs, spills, depth)
            case TableRef():
                return _table(node, sheet, host, inputs)
            case SpillRef(ref):
                return _spill(ref, sheet, host, inputs, spills, depth)
            case _:
                return node

    return transform(expr, change)


def depends_on_host(expr: Expr) -> bool:
    """Whether what a formula stands for differs from cell to cell, beyond relative places."""
    pending = [expr]
    while pending:
        node = pending.pop()
        if isinstance(node, SpillRef):
            return True
        if isinstance(node, TableRef) and (not node.table or "#This Row" in node.items):
            return True
        pending.extend(children(node))
    return False


def _bound_names(expr: Expr) -> set[str]:
    bound = set()
    pending = [expr]
    while pending:
        node = pending.pop()
        if isinstance(node, Call) and node.name == "LET":
            bound |= {a.name.casefold() for a in node.args[:-1:2] if isinstance(a, Name)}
        pending.extend(children(node))
    return bound


def _name(
    scope: str | None,
    name: str,
    sheet: int,
    host: Cell,
    inputs: Inputs,
    spills: Mapping[tuple[int, Cell], Region],
    depth: int,
) -> Expr:
    home = sheet if scope is None else inputs.sheet_id(scope)
    if home is None:
        return ErrorLiteral(ErrorCode.REF)
    expr = inputs.defined_name(name, home)
    if expr is None:
        table = inputs.table(name) if scope is None else None
        if table is not None:
            return _table(TableRef(name, (), None, None), sheet, host, inputs)
        return ErrorLiteral(ErrorCode.NAME)
    if depth >= _DEEPEST_NAME:  # a name that stands for itself
        return ErrorLiteral(ErrorCode.NAME)
    return resolved(expr, home, host, inputs, spills, depth + 1)


def _spill(
    ref: Ref | Name,
    sheet: int,
    host: Cell,
    inputs: Inputs,
    spills: Mapping[tuple[int, Cell], Region],
    depth: int,
) -> Expr:
    target: Expr = ref
    if isinstance(ref, Name):
        target = _name(ref.sheet, ref.name, sheet, host, inputs, spills, depth)
    if not isinstance(target, Ref):
        return ErrorLiteral(ErrorCode.REF)
    home = sheet if target.sheet is None else inputs.sheet_id(target.sheet)
    cell = cell_of(target, host)
    if home is None or cell is None:
        return ErrorLiteral(ErrorCode.REF)
    formula = inputs.formulas(home).get(cell)
    if formula is None or not formula.dynamic:
        return ErrorLiteral(ErrorCode.REF)
    return _absolute(spills.get((home, cell), Region.of(cell)), target.sheet)


def _absolute(region: Region, sheet: str | None) -> Range:
    return Range(
        Ref(sheet, region.top, region.left, True, True),
        Ref(None, region.bottom - 1, region.right - 1, True, True),
    )


def _table(node: TableRef, sheet: int, host: Cell, inputs: Inputs) -> Expr:
    table = inputs.table(node.table) if node.table else inputs.table_at(sheet, host)
    if table is None:
        return ErrorLiteral(ErrorCode.REF)
    name = None if table.sheet == sheet else inputs.sheet_name(table.sheet)
    columns = _columns(node, table)
    if columns is None:
        return ErrorLiteral(ErrorCode.REF)
    left, right = columns
    if "#This Row" in node.items:
        top, end = table.region.top + table.header_rows, table.region.bottom - table.totals_rows
        if not top <= host.row < end:
            return ErrorLiteral(ErrorCode.VALUE)
        # relative rows: the same row of whatever sheet the table is on
        return Range(Ref(name, 0, left, False, True), Ref(None, 0, right, False, True))
    spans = _row_spans(node, table)
    parts = tuple(_absolute(Region(top, left, end, right + 1), name) for top, end in spans)
    if not parts:
        return ErrorLiteral(ErrorCode.REF)
    return parts[0] if len(parts) == 1 else Union(parts)


def _columns(node: TableRef, table: TableLike) -> tuple[int, int] | None:
    names = [column.casefold() for column in table.columns]
    if node.first is None:
        return table.region.left, table.region.right - 1
    wanted = [node.first.casefold(), (node.last or node.first).casefold()]
    if any(name not in names for name in wanted):
        return None
    first, last = (table.region.left + names.index(name) for name in wanted)
    return min(first, last), max(first, last)


def _row_spans(node: TableRef, table: TableLike) -> list[tuple[int, int]]:
    region = table.region
    data = (region.top + table.header_rows, region.bottom - table.totals_rows)
    spans = {
        "#Headers": (region.top, data[0]),
        "#Data": data,
        "#Totals": (data[1], region.bottom),
        "#All": (region.top, region.bottom),
    }
    asked = [spans[item] for item in (node.items or ("#Data",)) if item in spans]
    joined: list[tuple[int, int]] = []
    for top, end in sorted(span for span in asked if span[0] < span[1]):
        if joined and top <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((top, end))
    return joined
