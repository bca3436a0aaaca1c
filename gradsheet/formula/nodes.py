"""The formula tree: frozen, hashable nodes whose references are relative to the host cell.

Owns the node types and walking, rebuilding and resolving them. Two cells that hold the same
relative formula have equal trees, which makes the tree the key of a block. Knows no text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from gradsheet.formula.address import MAX_COLS, MAX_ROWS, Cell, Region
from gradsheet.formula.values import ErrorCode


@dataclass(frozen=True, slots=True)
class Number:
    """A number; `text` keeps its spelling (`1e-3`, `1.50`) and takes no part in equality."""

    value: float
    text: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Text:
    """A string literal without its quotes."""

    value: str


@dataclass(frozen=True, slots=True)
class Boolean:
    """TRUE or FALSE."""

    value: bool


@dataclass(frozen=True, slots=True)
class ErrorLiteral:
    """An error written in a formula.

    What is understood but cannot be computed here, such as a reference into another file, is
    an UNSUPPORTED error with its spelling in `text`.
    """

    code: ErrorCode
    text: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """An empty argument, as the second one of `IF(A1,,2)`."""


@dataclass(frozen=True, slots=True)
class Array:
    """An array constant, `{1,2;3,4}`: rows of equal length of Number, Text, Boolean or error.

    Numbers in an array carry their sign; everywhere else a minus is a `Unary`.
    """

    rows: tuple[tuple[Expr, ...], ...]


@dataclass(frozen=True, slots=True)
class Ref:
    """One cell. Where not absolute, `row` and `col` are offsets from the host cell."""

    sheet: str | None
    row: int
    col: int
    row_abs: bool
    col_abs: bool


@dataclass(frozen=True, slots=True)
class Range:
    """`A1:B2`. Only `first` carries the sheet; the corners may be in any order."""

    first: Ref
    last: Ref


@dataclass(frozen=True, slots=True)
class Columns:
    """Whole columns, `A:C`; `first` and `last` are offsets where not absolute."""

    sheet: str | None
    first: int
    last: int
    first_abs: bool
    last_abs: bool


@dataclass(frozen=True, slots=True)
class Rows:
    """Whole rows, `2:5`; `first` and `last` are offsets where not absolute."""

    sheet: str | None
    first: int
    last: int
    first_abs: bool
    last_abs: bool


@dataclass(frozen=True, slots=True)
class Name:
    """A defined name, or a variable of LET."""

    sheet: str | None
    name: str


@dataclass(frozen=True, slots=True)
class TableRef:
    """A structured reference, `Table[[#This Row],[a]:[b]]`.

    Parameters
    ----------
    table : the table's name, "" for the table that holds the host cell
    items : of "#All", "#Data", "#Headers", "#Totals", "#This Row", in the order written
    first, last : column names without escapes; `last` only for a span of columns
    """

    table: str
    items: tuple[str, ...]
    first: str | None
    last: str | None


@dataclass(frozen=True, slots=True)
class SpillRef:
    """`A1#`: the array that spills from a cell. `ref` is a `Ref` or a `Name`."""

    ref: Ref | Name


@dataclass(frozen=True, slots=True)
class RangeOf:
    """`a:b` where an end is computed, as in `A1:INDEX(B:B,3)`."""

    a: Expr
    b: Expr


@dataclass(frozen=True, slots=True)
class Union:
    """`(A1,B2:B5)`: several references as one."""

    parts: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Intersection:
    """`A1:B5 B:B`: the cells that two references share."""

    a: Expr
    b: Expr


@dataclass(frozen=True, slots=True)
class Unary:
    """A sign, or `@` (implicit intersection), before `x`."""

    op: str
    x: Expr


@dataclass(frozen=True, slots=True)
class Percent:
    """`x%`."""

    x: Expr


@dataclass(frozen=True, slots=True)
class Binary:
    """`a op b` with one of `+ - * / ^ & = <> < > <= >=`."""

    op: str
    a: Expr
    b: Expr


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its name in capitals and without `_xlfn.`."""

    name: str
    args: tuple[Expr, ...]


Expr: TypeAlias = (
    Number
    | Text
    | Boolean
    | ErrorLiteral
    | Missing
    | Array
    | Ref
    | Range
    | Columns
    | Rows
    | Name
    | TableRef
    | SpillRef
    | RangeOf
    | Union
    | Intersection
    | Unary
    | Percent
    | Binary
    | Call
)
"""Any node of a formula tree."""

Reference: TypeAlias = Ref | Range | Columns | Rows | Name | TableRef | SpillRef
"""A node that names cells; walking and rebuilding treat it as a leaf."""

_REFERENCES = (Ref, Range, Columns, Rows, Name, TableRef, SpillRef)


def children(expr: Expr) -> tuple[Expr, ...]:
    """The parts of a node, left to right; references and constants have none."""
    match expr:
        case Call(_, args):
            return args
        case Binary(_, a, b) | RangeOf(a, b) | Intersection(a, b):
            return (a, b)
        case Unary(_, x) | Percent(x):
            return (x,)
        case Union(parts):
            return parts
        case _:
            return ()


def references(expr: Expr) -> Iterator[Reference]:
    """Every reference in a tree, left to right, a range or spill as one node."""
    pending: list[Expr] = [expr]
    while pending:
        node = pending.pop()
        if isinstance(node, _REFERENCES):
            yield node
        else:
            pending.extend(reversed(children(node)))


def transform(expr: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """Rebuild a tree from the leaves upwards, each node replaced by `change(node)`.

    References (`Range` and `SpillRef` too) are given whole. Parts that do not change are shared
    with the old tree; an unchanged tree is the same object.
    """
    old = children(expr)
    if not old:
        return change(expr)
    new = tuple([transform(child, change) for child in old])
    if all(a is b for a, b in zip(old, new, strict=True)):
        return change(expr)
    rebuilt: Expr
    match expr:
        case Call(name, _):
            rebuilt = Call(name, new)
        case Binary(op, _, _):
            rebuilt = Binary(op, new[0], new[1])
        case RangeOf():
            rebuilt = RangeOf(new[0], new[1])
        case Intersection():
            rebuilt = Intersection(new[0], new[1])
        case Unary(op, _):
            rebuilt = Unary(op, new[0])
        case Percent():
            rebuilt = Percent(new[0])
        case _:
            rebuilt = Union(new)
    return change(rebuilt)


def depth(expr: Expr) -> int:
    """Levels of the tree, 1 for a constant; does not recurse."""
    deepest = 0
    pending: list[tuple[Expr, int]] = [(expr, 1)]
    while pending:
        node, level = pending.pop()
        deepest = max(deepest, level)
        pending.extend((child, level + 1) for child in children(node))
    return deepest


def cell_of(ref: Ref, host: Cell) -> Cell | None:
    """The cell a reference means from `host`, or None where it points off the sheet."""
    row = ref.row if ref.row_abs else host.row + ref.row
    col = ref.col if ref.col_abs else host.col + ref.col
    if 0 <= row < MAX_ROWS and 0 <= col < MAX_COLS:
        return Cell(row, col)
    return None


def region_of(node: Ref | Range | Columns | Rows, host: Cell) -> Region | None:
    """The cells a reference means from `host`, or None where it points off the sheet.

    Corners are put in order. Whole columns and rows reach to Excel's limits.
    """
    match node:
        case Ref():
            cell = cell_of(node, host)
            return None if cell is None else Region.of(cell)
        case Range(first, last):
            a, b = cell_of(first, host), cell_of(last, host)
            if a is None or b is None:
                return None
            top, bottom = (a.row, b.row) if a.row <= b.row else (b.row, a.row)
            left, right = (a.col, b.col) if a.col <= b.col else (b.col, a.col)
            return Region(top, left, bottom + 1, right + 1)
        case Columns():
            low, high = span_of(node, host.col)
            return None if low < 0 or high >= MAX_COLS else Region(0, low, MAX_ROWS, high + 1)
        case Rows():
            low, high = span_of(node, host.row)
            return None if low < 0 or high >= MAX_ROWS else Region(low, 0, high + 1, MAX_COLS)


def span_of(node: Columns | Rows, host_index: int) -> tuple[int, int]:
    """Lowest and highest index of whole columns or rows seen from the host's column or row."""
    first = node.first if node.first_abs else host_index + node.first
    last = node.last if node.last_abs else host_index + node.last
    return min(first, last), max(first, last)
