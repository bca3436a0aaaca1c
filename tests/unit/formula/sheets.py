"""A tiny in-memory workbook for the engine's tests: the Inputs protocol over dictionaries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.compiler import Program, compile_program
from gradsheet.formula.syntax import Expr, parse
from gradsheet.formula.values import Scalar, Strings, pack, unpack


@dataclass(frozen=True)
class PlainFormula:
    expr: Expr
    array: Region | None = None
    dynamic: bool = False


@dataclass(frozen=True)
class PlainTable:
    sheet: int
    region: Region
    columns: tuple[str, ...]
    header_rows: int = 1
    totals_rows: int = 0


@dataclass
class Book:
    """Cells by sheet; texts that start with `=` are formulas."""

    names: list[str] = field(default_factory=lambda: ["Sheet1"])
    strings: Strings = field(default_factory=Strings)
    cells: dict[int, dict[Cell, tuple[float, int]]] = field(default_factory=dict)
    expressions: dict[int, dict[Cell, PlainFormula]] = field(default_factory=dict)
    defined: dict[tuple[int | None, str], Expr] = field(default_factory=dict)
    tables: dict[str, PlainTable] = field(default_factory=dict)

    def sheet_ids(self) -> list[int]:
        return list(range(len(self.names)))

    def sheet_name(self, sheet: int) -> str:
        return self.names[sheet]

    def sheet_id(self, name: str) -> int | None:
        folded = [n.casefold() for n in self.names]
        return folded.index(name.casefold()) if name.casefold() in folded else None

    def used(self, sheet: int) -> Region:
        held = [*self.cells.get(sheet, {}), *self.expressions.get(sheet, {})]
        if not held:
            return Region(0, 0, 0, 0)
        rows, cols = [cell.row for cell in held], [cell.col for cell in held]
        return Region(min(rows), min(cols), max(rows) + 1, max(cols) + 1)

    def read(self, sheet: int, region: Region) -> tuple[np.ndarray, np.ndarray]:
        values, kinds = np.zeros(region.shape), np.zeros(region.shape, np.uint8)
        for cell, (value, kind) in self.cells.get(sheet, {}).items():
            if region.contains(cell):
                values[cell.row - region.top, cell.col - region.left] = value
                kinds[cell.row - region.top, cell.col - region.left] = kind
        return values, kinds

    def formulas(self, sheet: int) -> Mapping[Cell, PlainFormula]:
        return self.expressions.get(sheet, {})

    def defined_name(self, name: str, sheet: int) -> Expr | None:
        folded = name.casefold()
        return self.defined.get((sheet, folded), self.defined.get((None, folded)))

    def table(self, name: str) -> PlainTable | None:
        return self.tables.get(name.casefold())

    def table_at(self, sheet: int, cell: Cell) -> PlainTable | None:
        for table in self.tables.values():
            if table.sheet == sheet and table.region.contains(cell):
                return table
        return None

    def hidden_rows(self, sheet: int) -> frozenset[int]:
        return frozenset()

    @property
    def date_1904(self) -> bool:
        return False

    def put(
        self,
        address: str,
        content: Scalar,
        sheet: int = 0,
        array: str | None = None,
        dynamic: bool = False,
    ) -> None:
        """Enter a value, or a formula text, into a cell or every cell of a range."""
        for cell in Region.parse(address).cells():
            if isinstance(content, str) and content.startswith("="):
                region = Region.parse(array) if array else None
                formula = PlainFormula(parse(content, Region.parse(address).first), region, dynamic)
                if array or dynamic:
                    self.expressions.setdefault(sheet, {})[cell] = formula
                    break
                self.expressions.setdefault(sheet, {})[cell] = formula
            else:
                number, kind = pack(content, self.strings)
                self.cells.setdefault(sheet, {})[cell] = (number, int(kind))

    def fill(self, address: str, rows: list[list[Scalar]], sheet: int = 0) -> None:
        """Enter a table of values from a cell on."""
        first = Cell.parse(address)
        for r, row in enumerate(rows):
            for c, content in enumerate(row):
                self.put(str(Cell(first.row + r, first.col + c)), content, sheet)

    def define(self, name: str, text: str, sheet: int | None = None) -> None:
        """Give a name to what a formula text stands for."""
        self.defined[sheet, name.casefold()] = parse(text, Cell(0, 0))


class Calculated:
    """A book, its program, and the values after a recalculation."""

    def __init__(self, book: Book, seed: int = 0) -> None:
        self.book = book
        self.program: Program = compile_program(book, seed=seed)
        self.values: dict[tuple[int, Cell], Scalar] = {}
        self.recalculate()

    def recalculate(self, changed: list[tuple[int, Region]] | None = None) -> set[str]:
        """Run the program; the addresses of what was computed."""
        found = set()
        for computed in self.program.recalculate(changed):
            for cell in computed.region.cells():
                r, c = cell.row - computed.region.top, cell.col - computed.region.left
                value = unpack(computed.values[r, c], int(computed.kinds[r, c]), self.book.strings)
                self.values[computed.sheet, cell] = value
                found.add(str(cell))
        return found

    def __getitem__(self, address: str) -> Scalar:
        return self.values[0, Cell.parse(address)]


def calculate(cells: Mapping[str, Scalar], **array: str) -> Calculated:
    """Values of a sheet given as `{"A1": 1, "B1:B9": "=A1+1"}`."""
    book = Book()
    for address, content in cells.items():
        book.put(address, content)
    return Calculated(book)


def value_of(formula: str, cells: Mapping[str, Scalar] | None = None) -> Scalar:
    """The value of one formula in Z99, with other cells given."""
    return calculate({**(cells or {}), "Z99": formula})["Z99"]
