"""References that follow when rows or columns move or sheets change, as in Excel.

Owns where a line goes (`Insertion`, `Deletion`, `Movement`) and the rewriting of one formula
tree. Knows no workbook.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace

from gradsheet.formula.address import MAX_COLS, MAX_ROWS, Cell, Region
from gradsheet.formula.syntax import (
    Columns,
    ErrorLiteral,
    Expr,
    Name,
    Range,
    Ref,
    Rows,
    SpillRef,
    transform,
)
from gradsheet.formula.values import ErrorCode
from gradsheet.sheet.cells import Axis

_LOST = ErrorLiteral(ErrorCode.REF)


class LineMap(ABC):
    """Where each row (or column) of a sheet goes."""

    __slots__ = ()
    axis: Axis

    @abstractmethod
    def line(self, index: int) -> int | None:
        """The new index of a line, None if it is deleted."""

    @abstractmethod
    def span(self, first: int, last: int) -> tuple[int, int] | None:
        """The new first and last line of a stretch (both inclusive), None if nothing is left."""

    @property
    def limit(self) -> int:
        """Number of lines that a sheet has."""
        return MAX_ROWS if self.axis == "row" else MAX_COLS

    def cell(self, cell: tuple[int, int]) -> Cell | None:
        """The new place of a cell."""
        row, col = cell
        if self.axis == "row":
            new = self.line(row)
            return None if new is None else Cell(new, col)
        new = self.line(col)
        return None if new is None else Cell(row, new)

    def region(self, region: Region) -> Region | None:
        """The new place of a region, which grows and shrinks as a range in a formula does."""
        if region.is_empty:
            return region
        if self.axis == "row":
            span = self.span(region.top, region.bottom - 1)
            return span and Region(span[0], region.left, span[1] + 1, region.right)
        span = self.span(region.left, region.right - 1)
        return span and Region(region.top, span[0], region.bottom, span[1] + 1)

    def format_region(self, region: Region) -> Region | None:
        """The new place of a region of one format."""
        return self.region(region)


@dataclass(frozen=True, slots=True)
class Insertion(LineMap):
    """`count` new lines before index `at`."""

    axis: Axis
    at: int
    count: int

    def line(self, index: int) -> int | None:
        """See `LineMap.line`."""
        new = index if index < self.at else index + self.count
        return new if new < self.limit else None

    def span(self, first: int, last: int) -> tuple[int, int] | None:
        """See `LineMap.span`; a stretch that is cut in two grows."""
        new = self.line(first)
        if new is None:
            return None
        end = last if last < self.at else last + self.count
        return new, min(end, self.limit - 1)

    def format_region(self, region: Region) -> Region | None:
        """New lines look like the line before them."""
        end = region.bottom if self.axis == "row" else region.right
        if end != self.at:
            return self.region(region)
        if self.axis == "row":
            return replace(region, bottom=min(end + self.count, self.limit))
        return replace(region, right=min(end + self.count, self.limit))


@dataclass(frozen=True, slots=True)
class Deletion(LineMap):
    """The `count` lines from index `at` on disappear."""

    axis: Axis
    at: int
    count: int

    def line(self, index: int) -> int | None:
        """See `LineMap.line`."""
        if index < self.at:
            return index
        return None if index < self.at + self.count else index - self.count

    def span(self, first: int, last: int) -> tuple[int, int] | None:
        """See `LineMap.span`; a stretch keeps what is not deleted."""
        end = self.at + self.count
        new_first = first if first < self.at else max(first - self.count, self.at)
        new_last = last if last < self.at else self.at - 1 if last < end else last - self.count
        return (new_first, new_last) if new_first <= new_last else None


@dataclass(frozen=True, slots=True)
class Movement(LineMap):
    """The `count` lines from `at` on go before the line that has index `to` now."""

    axis: Axis
    at: int
    count: int
    to: int

    @property
    def landing(self) -> int:
        """Index of the first moved line afterwards."""
        return self.to if self.to <= self.at else self.to - self.count

    def line(self, index: int) -> int | None:
        """See `LineMap.line`."""
        if self.at <= index < self.at + self.count:
            return index - self.at + self.landing
        rest = index if index < self.at else index - self.count
        return rest if rest < self.landing else rest + self.count

    def span(self, first: int, last: int) -> tuple[int, int] | None:
        """See `LineMap.span`.

        A stretch inside the moved lines goes with them. Else it holds on to its lines that stay
        and takes in what lands between them, or what only changed places within it.
        """
        end = self.at + self.count
        if self.at <= first and last < end:
            shift = self.landing - self.at
            return first + shift, last + shift
        within = first <= self.at and end <= last + 1
        if within and first <= self.landing <= last - self.count + 1:
            return first, last
        deleted = Deletion(self.axis, self.at, self.count).span(first, last)
        if deleted is None:
            return None
        return Insertion(self.axis, self.landing, self.count).span(*deleted)


def follow(
    expr: Expr,
    lines: LineMap,
    old_host: Cell,
    new_host: Cell,
    is_moved: Callable[[str | None], bool],
) -> Expr:
    """A formula tree after lines moved.

    Parameters
    ----------
    old_host, new_host : the cell that holds the formula, before and after
    is_moved : whether a reference's sheet (None for the formula's own) is the one whose lines move

    Returns
    -------
    The same object where nothing changes. Cells that are gone become #REF!.
    """

    def change(node: Expr) -> Expr:
        match node:
            case Ref():
                return _ref(node, lines if is_moved(node.sheet) else None, old_host, new_host)
            case Range():
                return _range(node, lines if is_moved(node.first.sheet) else None, old_host,
                              new_host)  # fmt: skip
            case Columns() | Rows():
                return _whole(node, lines if is_moved(node.sheet) else None, old_host, new_host)
            case SpillRef(Ref() as inner):
                ref = _ref(inner, lines if is_moved(inner.sheet) else None, old_host, new_host)
                return SpillRef(ref) if isinstance(ref, Ref) else ref
            case _:
                return node

    return transform(expr, change)


def _ref(node: Ref, lines: LineMap | None, old: Cell, new: Cell) -> Ref | ErrorLiteral:
    row = node.row if node.row_abs else old.row + node.row
    col = node.col if node.col_abs else old.col + node.col
    if lines is not None:
        there = lines.cell((row, col))
        if there is None:
            return _LOST
        row, col = there
    return _ref_to(node, row, col, new)


def _ref_to(node: Ref, row: int, col: int, host: Cell) -> Ref:
    """The reference, as absolute as `node`, that means a row and column from `host`."""
    row = row if node.row_abs else row - host.row
    col = col if node.col_abs else col - host.col
    if (row, col) == (node.row, node.col):
        return node
    return Ref(node.sheet, row, col, node.row_abs, node.col_abs)


def _range(node: Range, lines: LineMap | None, old: Cell, new: Cell) -> Range | ErrorLiteral:
    corners = [
        [
            ref.row if ref.row_abs else old.row + ref.row,
            ref.col if ref.col_abs else old.col + ref.col,
        ]
        for ref in (node.first, node.last)
    ]
    if lines is not None:
        along = 0 if lines.axis == "row" else 1
        a, b = corners[0][along], corners[1][along]
        span = lines.span(min(a, b), max(a, b))
        if span is None:
            return _LOST
        corners[0][along], corners[1][along] = span if a <= b else span[::-1]
    first = _ref_to(node.first, corners[0][0], corners[0][1], new)
    last = _ref_to(node.last, corners[1][0], corners[1][1], new)
    return node if first is node.first and last is node.last else Range(first, last)


def _whole(
    node: Columns | Rows, lines: LineMap | None, old: Cell, new: Cell
) -> Columns | Rows | ErrorLiteral:
    axis: Axis = "column" if isinstance(node, Columns) else "row"
    at_old, at_new = (old.col, new.col) if axis == "column" else (old.row, new.row)
    a = node.first if node.first_abs else at_old + node.first
    b = node.last if node.last_abs else at_old + node.last
    if lines is not None and lines.axis == axis:
        span = lines.span(min(a, b), max(a, b))
        if span is None:
            return _LOST
        a, b = span if a <= b else span[::-1]
    a = a if node.first_abs else a - at_new
    b = b if node.last_abs else b - at_new
    return node if (a, b) == (node.first, node.last) else replace(node, first=a, last=b)


def rename_sheet(expr: Expr, change: Callable[[str], str | None]) -> Expr:
    """A formula tree with the sheets of its references renamed; None makes a reference #REF!."""

    def renamed(node: Expr) -> Expr:
        match node:
            case Range(first, last):
                if first.sheet is None:
                    return node
                name = change(first.sheet)
                if name is None:
                    return _LOST
                return node if name == first.sheet else Range(replace(first, sheet=name), last)
            case SpillRef(ref):
                inner = renamed(ref)
                if inner is ref:
                    return node
                return SpillRef(inner) if isinstance(inner, (Ref, Name)) else _LOST
            case Ref(sheet) | Columns(sheet) | Rows(sheet) | Name(sheet):
                if sheet is None:
                    return node
                name = change(sheet)
                if name is None:
                    return _LOST
                return node if name == sheet else replace(node, sheet=name)
            case _:
                return node

    return transform(expr, renamed)
