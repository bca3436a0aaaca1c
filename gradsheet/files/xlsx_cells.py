"""The cells of one worksheet as they are read: values in bulk, formulas one by one.

Owns the meaning of cell types, shared and array formulas, and the limits on how far cells lie
apart. Knows no XML: it is given the attributes and texts of one cell at a time.
"""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from gradsheet.files.formula_cache import FormulaCache, kept_text
from gradsheet.files.report import Findings, Weight
from gradsheet.formula.address import MAX_COLS, MAX_ROWS, Cell, Region, column_index
from gradsheet.formula.syntax import Expr
from gradsheet.formula.values import ErrorCode, FormulaError, Kind, Scalar, UserError, pack
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.tiles import TILE_COLS, TILE_ROWS
from gradsheet.sheet.workbook import Sheet, Workbook

MAX_TILES = 20_000
"""Tiles of a workbook, about 370 MB: 20,000 x 128 x 16 cells if they lie together."""
MAX_EXTENT = 40_000_000
"""Cells from A1 to the last one, of all sheets together: calculation spreads them out."""
MAX_FORMULAS = 2_000_000

_BATCH = 1 << 16
_NAMED_PLACES = 40
_ERRORS = {code.text: code for code in ErrorCode if code < ErrorCode.CIRC}
_ISO_TIME = re.compile(r"T?(\d\d):(\d\d)(?::(\d\d(?:\.\d+)?))?Z?")


@dataclass(slots=True)
class Book:
    """What all sheets share while a workbook is read."""

    workbook: Workbook
    findings: Findings
    texts: list[str] = field(default_factory=list)
    """The shared strings by their index."""
    format_ids: list[int] = field(default_factory=lambda: [0])
    """Format number by index of `cellXfs`."""
    dynamic: frozenset[int] = frozenset()
    """Values of `cm` that mark a dynamic array."""
    formulas: FormulaCache = field(default_factory=FormulaCache)
    text_ids: dict[int, int] = field(default_factory=dict)
    formula_count: int = 0
    tile_count: int = 0
    extent: int = 0
    named_places: int = 0

    def text_id(self, index: int) -> int | None:
        """The workbook's id of a shared string; None if there is no such string."""
        known = self.text_ids.get(index)
        if known is None and 0 <= index < len(self.texts):
            known = self.text_ids[index] = self.workbook.strings.id_of(self.texts[index])
        return known

    def wrong(self, what: str, sheet: str, cell: Cell, detail: str = "") -> None:
        """Note a cell that was not understood; the first ones by their address."""
        self.named_places += 1
        if self.named_places <= _NAMED_PLACES:
            self.findings.add(what, f"{sheet}!{cell}", Weight.WRONG, detail)
        else:
            self.findings.add(what, sheet, Weight.WRONG)


class CellCollector:
    """Takes the cells of one sheet and puts them into its store."""

    def __init__(self, sheet: Sheet, book: Book) -> None:
        self._sheet = sheet
        self._book = book
        self._rows, self._cols = array("q"), array("q")
        self._values, self._kinds = array("d"), array("B")
        self._tiles: set[int] = set()
        self._bottom = self._right = 0
        self._shared: dict[str, Expr] = {}
        self._waiting: list[tuple[Cell, str]] = []
        self._arrays: list[tuple[Cell, Formula]] = []

    def value(self, row: int, col: int, kind: str, text: str) -> None:
        """Take a value as the file spells it, of a cell type `n s str inlineStr b e d`."""
        if kind == "n" or kind == "":
            try:
                number = float(text)
            except ValueError:
                self._bad(row, col, text)
                return
            if not math.isfinite(number) or "_" in text:
                self._bad(row, col, text)
                return
            self._put(row, col, number, 1)
        elif kind == "s":
            try:
                text_id = self._book.text_id(int(text))
            except ValueError:
                text_id = None
            if text_id is None:
                self._bad(row, col, text)
                return
            self._put(row, col, text_id, 2)
        else:
            scalar = self._scalar(row, col, kind, text)
            self._put(row, col, *pack(scalar, self._book.workbook.strings))

    def _scalar(self, row: int, col: int, kind: str, text: str) -> Scalar:
        if kind == "b":
            return text.strip().lower() in ("1", "true")
        if kind == "e":
            known = _ERRORS.get(text.strip().upper())
            if known is None:
                self._book.wrong(f"error value {text[:40]}", self._sheet.name, Cell(row, col))
            return ErrorCode.UNSUPPORTED if known is None else known
        if kind == "d":
            serial = serial_of(text, self._book.workbook.date_1904)
            return text if serial is None else serial
        return text

    def _bad(self, row: int, col: int, text: str) -> None:
        self._book.wrong("value that cannot be read", self._sheet.name, Cell(row, col), text[:40])
        self._put(row, col, float(ErrorCode.UNSUPPORTED), Kind.ERROR)

    def _put(self, row: int, col: int, value: float, kind: int) -> None:
        self._rows.append(row)
        self._cols.append(col)
        self._values.append(value)
        self._kinds.append(kind)
        if len(self._rows) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Put what was collected into the store. Raises UserError beyond the limits."""
        if not self._rows:
            return
        rows = np.frombuffer(self._rows, np.int64).copy()
        cols = np.frombuffer(self._cols, np.int64).copy()
        values = np.frombuffer(self._values, np.float64).copy()
        kinds = np.frombuffer(self._kinds, np.uint8).copy()
        self._rows, self._cols = array("q"), array("q")
        self._values, self._kinds = array("d"), array("B")
        used = np.unique((rows // TILE_ROWS) * (1 << 20) + cols // TILE_COLS).tolist()
        self._count_tiles(used)
        self._reach(int(rows.max()) + 1, int(cols.max()) + 1)
        self._sheet.cells.put(rows, cols, values, kinds)

    def _count_tiles(self, keys: list[int]) -> None:
        before = len(self._tiles)
        self._tiles.update(keys)
        self._book.tile_count += len(self._tiles) - before
        if self._book.tile_count > MAX_TILES:
            raise _too_far(self._sheet.name, Cell(self._bottom, self._right))

    def _reach(self, bottom: int, right: int) -> None:
        """Note that cells reach so far."""
        old = self._bottom * self._right
        self._bottom, self._right = max(bottom, self._bottom), max(right, self._right)
        self._book.extent += self._bottom * self._right - old
        if self._book.extent > MAX_EXTENT:
            raise _too_far(self._sheet.name, Cell(self._bottom - 1, self._right - 1))

    # Formulas.

    def formula(
        self, cell: Cell, attributes: Mapping[str, str], text: str, metadata: int
    ) -> None:
        """Take a formula element: its attributes, its text and the cell's `cm`."""
        kind = attributes.get("t", "normal")
        if kind == "shared":
            self._take_shared(cell, attributes.get("si", ""), text)
        elif kind == "dataTable":
            self._book.wrong("what-if data table", self._sheet.name, cell,
                             "it keeps the values that the file stored")  # fmt: skip
        elif text.strip():
            expr = self._parsed(text, cell)
            if kind == "array":
                self._take_array(cell, expr, attributes.get("ref", ""), metadata)
            else:
                self._set(cell, Formula(expr))
        # An empty element marks a member of an array formula; its anchor says the rest.

    def _parsed(self, text: str, cell: Cell) -> Expr:
        try:
            return self._book.formulas.parse(text, cell)
        except FormulaError as fault:
            self._book.wrong("formula that cannot be read", self._sheet.name, cell, fault.message)
            return kept_text(text)

    def _take_shared(self, cell: Cell, group: str, text: str) -> None:
        if text.strip():
            expr = self._parsed(text, cell)
            self._shared[group] = expr
        else:
            known = self._shared.get(group)
            if known is None:
                self._waiting.append((cell, group))
                return
            expr = known
        self._set(cell, Formula(expr))

    def _take_array(self, cell: Cell, expr: Expr, ref: str, metadata: int) -> None:
        region = region_of_text(ref) or Region.of(cell)
        if region.first != cell:
            region = Region.of(cell)
        is_dynamic = metadata in self._book.dynamic
        formula = Formula(expr, region, is_dynamic)
        self._reach(region.bottom, region.right)
        self._set(cell, formula)
        self._arrays.append((cell, formula))

    def _set(self, cell: Cell, formula: Formula) -> None:
        self._book.formula_count += 1
        if self._book.formula_count > MAX_FORMULAS:
            raise UserError(
                f"The workbook has more than {MAX_FORMULAS:,} formulas.",
                "Replace those that are done with by their values.",
            )
        self._count_tiles([(cell.row // TILE_ROWS) * (1 << 20) + cell.col // TILE_COLS])
        self._reach(cell.row + 1, cell.col + 1)
        self._sheet.cells.set_formula(cell, formula)

    def finish(self) -> None:
        """Settle what later cells decide: shared groups and the members of arrays."""
        self.flush()
        for cell, group in self._waiting:
            expr = self._shared.get(group)
            if expr is None:
                self._book.wrong("shared formula without its first cell", self._sheet.name, cell,
                                 "it keeps the value that the file stored")  # fmt: skip
            else:
                self._set(cell, Formula(expr))
        for anchor, formula in self._arrays:
            self._settle_array(anchor, formula)

    def _settle_array(self, anchor: Cell, formula: Formula) -> None:
        """Leave the anchor as the only formula of an array."""
        store = self._sheet.cells
        if store.formula(anchor) is not formula or formula.array is None:
            return  # another array had claimed the cell
        for cell in store.formulas_in(formula.array):
            if cell != anchor:
                store.set_formula(cell, None)
                self._book.wrong("formula inside an array formula", self._sheet.name, cell)


def _too_far(sheet: str, cell: Cell) -> UserError:
    return UserError(
        f"The cells of sheet {sheet!r} reach to {cell}, which is too far to calculate.",
        "Delete what stands alone at the far end, or split the workbook.",
    )


def region_of_text(text: str) -> Region | None:
    """A region in A1 notation, None if it is none or leaves the sheet."""
    try:
        region = Region.parse(text)
    except ValueError:
        return None
    inside = region.bottom <= MAX_ROWS and region.right <= MAX_COLS
    return region if inside and not region.is_empty else None


def cell_of_text(text: str, columns: dict[str, int]) -> tuple[int, int]:
    """Row and column of `AB12`.

    Parameters
    ----------
    columns : letters that were seen before; grows

    Raises
    ------
    UserError
        If it is no cell of a sheet.
    """
    letters = text.rstrip("0123456789")
    col = columns.get(letters)
    try:
        if col is None:
            col = columns[letters] = column_index(letters)
        row = int(text[len(letters) :]) - 1
    except ValueError:
        raise UserError(f"The workbook is damaged: {text[:20]!r} is no cell.",
                        "Save it again with the program that made it.") from None  # fmt: skip
    if not (0 <= row < MAX_ROWS and col < MAX_COLS):
        raise UserError(
            f"The workbook has a cell {text[:20]}, which lies outside of any sheet.",
            f"A sheet has {MAX_ROWS:,} rows and {MAX_COLS:,} columns.",
        )
    return row, col


def serial_of(text: str, date_1904: bool) -> float | None:
    """The serial number of an ISO 8601 date, time or both; None if it is none.

    Excel counts a 29 February 1900 that never was, so that days before March 1900 are one less.
    """
    time = _ISO_TIME.fullmatch(text)
    if time is not None:
        hours, minutes, seconds = int(time[1]), int(time[2]), float(time[3] or 0)
        return (hours * 3600 + minutes * 60 + seconds) / 86400
    try:
        moment = datetime.fromisoformat(text.replace("Z", "")).replace(tzinfo=None)
    except ValueError:
        return None
    start = datetime(1904, 1, 1) if date_1904 else datetime(1899, 12, 30)
    since = moment - start
    serial = since.days + since.seconds / 86400 + since.microseconds / 86_400_000_000
    return serial - 1 if not date_1904 and serial < 61 else serial
