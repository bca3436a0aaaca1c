"""A sheet that stands for a table: cells made from arrays when they are read, none stored.

Owns `VirtualStore`, which has the interface of `CellStore`, and the edit of its cells. Columns
come from whoever owns the arrays. Knows no table in particular; numpy only.
"""

# LONG: the columns, the store over them and its two edits are read together.

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gradsheet.formula.address import MAX_COLS, Cell, Region
from gradsheet.formula.values import Kind, Strings, UserError
from gradsheet.sheet.cells import CellStore, Direction, Floats, Formula, Indices, Kinds
from gradsheet.sheet.change import Change, Edit, regions_over
from gradsheet.sheet.table_view import ALL, Showing
from gradsheet.sheet.tiles import Axis

if TYPE_CHECKING:
    from gradsheet.sheet.workbook import Workbook


MOST_RUNS = 30
"""Regions that a formula names instead of one where a table is sorted."""
MOST_ROWS = 100_000
"""Rows of a sorted table that are pointed at and looked up one by one."""
MOST_LOOKED_AT = 10_000_000
"""Comparisons that finding where rows are shown may take: a few milliseconds."""


class Column(ABC):
    """One column of a table.

    Attributes
    ----------
    title : str
        The cell in the header row.
    why_fixed : str
        Why its cells cannot be edited; empty where they can.
    holds_text : bool
        Whether its cells are texts.
    """

    title: str
    why_fixed: str = ""
    holds_text: bool = False

    @abstractmethod
    def read(self, rows: Indices) -> tuple[Floats, Kinds]:
        """Return values (n,) float64 and kinds (n,) uint8 of rows of the table."""

    def sort_keys(self, rows: Indices) -> Floats:
        """Return a number for each row that sorts as the column does; NaN, last, for a blank."""
        values, kinds = self.read(rows)
        return np.where(kinds == Kind.BLANK, np.nan, values)

    def texts(self, rows: Indices) -> Sequence[str]:
        """Return what the cells say, numbers with all their digits; empty for a blank."""
        values, kinds = self.read(rows)
        pairs = zip(values.tolist(), kinds.tolist(), strict=True)
        return [f"{value:.15g}" if kind != Kind.BLANK else "" for value, kind in pairs]

    def write(self, rows: Indices, values: Floats, kinds: Kinds) -> None:
        """Change rows of the table.

        Raises
        ------
        UserError
            If the column is fixed, or takes no such value; nothing has changed then.
        """
        raise UserError(
            f"The column {self.title} cannot be edited.", self.why_fixed or "Edit another column."
        )


class Numbers(Column):
    """A column of numbers from a function of row numbers; NaN is a blank cell."""

    def __init__(
        self, title: str, numbers: Callable[[Indices], npt.NDArray[Any]], why_fixed: str = ""
    ) -> None:
        self.title, self._numbers, self.why_fixed = title, numbers, why_fixed

    def read(self, rows: Indices) -> tuple[Floats, Kinds]:
        """See Column."""
        values = np.asarray(self._numbers(rows), dtype=np.float64)
        blank = np.isnan(values)
        kinds = np.where(blank, Kind.BLANK, Kind.NUMBER).astype(np.uint8)
        return np.where(blank, 0.0, values), kinds


class Texts(Column):
    """A column of texts; only those that are read get a number in the workbook's strings."""

    holds_text = True

    def __init__(
        self,
        title: str,
        strings: Strings,
        texts: Callable[[Indices], Sequence[str]],
        why_fixed: str = "",
    ) -> None:
        self.title, self._strings, self._texts, self.why_fixed = title, strings, texts, why_fixed

    def read(self, rows: Indices) -> tuple[Floats, Kinds]:
        """See Column."""
        ids = [self._strings.id_of(text) if text else -1 for text in self._texts(rows)]
        values = np.array(ids, dtype=np.float64).reshape(len(rows))
        kinds = np.where(values >= 0, Kind.TEXT, Kind.BLANK).astype(np.uint8)
        return np.maximum(values, 0.0), kinds

    def texts(self, rows: Indices) -> Sequence[str]:
        """See Column."""
        return self._texts(rows)

    def sort_keys(self, rows: Indices) -> Floats:
        """See Column: by letters, capitals or not; the workbook's strings are not touched."""
        texts = np.array([text.casefold() for text in self._texts(rows)], dtype=object)
        _, places = np.unique(texts, return_inverse=True)
        return np.where(texts == "", np.nan, places.reshape(len(rows)).astype(np.float64))


class VirtualStore(CellStore):
    """The cells of a table: a header row, then one row for each row of the table in view.

    Parameters
    ----------
    columns : sequence of Column
    count : int
        Rows of the table.
    strings : Strings
        The workbook's, for the header.

    Attributes
    ----------
    order : ndarray (n,) int or None
        Rows of the table that are shown, in this order; None: all as they are.
    showing : Showing
        What was asked of them when the order was found.
    """

    is_table = True

    def __init__(self, columns: Sequence[Column], count: int, strings: Strings) -> None:
        super().__init__()
        self.columns: tuple[Column, ...] = tuple(columns)
        self.count = count
        self.showing = ALL
        self._header = np.array([strings.id_of(column.title) for column in columns], np.float64)

    @property
    def shown(self) -> int:
        """Rows of the table that are shown."""
        return self.count if self.order is None else len(self.order)

    def table_rows(self, rows: Indices) -> Indices:
        """Return the table's rows behind rows of the sheet (from 1, below the header)."""
        inside = np.asarray(rows, dtype=np.int64) - 1
        if self.order is None:
            return inside
        return np.asarray(self.order[inside], dtype=np.int64)

    def sheet_rows(self, rows: Indices) -> Indices:
        """Return where rows of the table are shown, those that are; in ascending order."""
        if self.order is None:
            return np.asarray(rows, dtype=np.int64) + 1
        return np.flatnonzero(np.isin(self.order, rows)) + 1

    # Values.

    def used(self) -> Region:
        """See CellStore."""
        return Region(0, 0, 1 + self.shown, len(self.columns))

    def get(self, cell: tuple[int, int]) -> tuple[float, Kind]:
        """See CellStore."""
        if not self.used().contains(Cell(*cell)):
            return 0.0, Kind.BLANK
        values, kinds = self.read(Region.of(Cell(*cell)))
        return float(values[0, 0]), Kind(int(kinds[0, 0]))

    def source_extent(self) -> Region:
        """See CellStore: all rows of the table."""
        return Region(0, 0, 1 + self.count, len(self.columns))

    def source_row(self, row: int) -> int:
        """See CellStore."""
        return int(self.table_rows(np.array([row]))[0]) + 1 if 0 < row <= self.shown else row

    def read(self, region: Region) -> tuple[Floats, Kinds]:
        """See CellStore."""
        return self._read(region, self.used(), self.table_rows)

    def read_source(self, region: Region) -> tuple[Floats, Kinds]:
        """See CellStore: sorting and filtering change no formula's value."""
        return self._read(region, self.source_extent(), lambda rows: rows - 1)

    def _read(
        self, region: Region, used: Region, table_rows: Callable[[Indices], Indices]
    ) -> tuple[Floats, Kinds]:
        values, kinds = np.zeros(region.shape), np.zeros(region.shape, np.uint8)
        part = region.intersect(used)
        if part is None:
            return values, kinds
        out_rows, out_cols = part.slices_in(region)
        if part.top == 0:
            values[out_rows.start, out_cols] = self._header[part.left : part.right]
            kinds[out_rows.start, out_cols] = Kind.TEXT
        top = max(part.top, 1)
        if top < part.bottom:
            below = slice(out_rows.start + top - part.top, out_rows.stop)
            rows = table_rows(np.arange(top, part.bottom))
            for at in range(part.left, part.right):
                col = out_cols.start + at - part.left
                values[below, col], kinds[below, col] = self.columns[at].read(rows)
        return values, kinds

    def take(self, rows: Indices, cols: Indices) -> tuple[Floats, Kinds]:
        """See CellStore."""
        values, kinds = np.zeros(len(rows)), np.zeros(len(rows), np.uint8)
        header = (rows == 0) & (cols < len(self.columns))
        values[header], kinds[header] = self._header[cols[header]], Kind.TEXT
        inside = (rows > 0) & (rows <= self.shown)
        for col in np.unique(cols[inside]).tolist():
            if col < len(self.columns):
                chosen = inside & (cols == col)
                found = self.columns[col].read(self.table_rows(rows[chosen]))
                values[chosen], kinds[chosen] = found
        return values, kinds

    def contents(self, region: Region) -> list[tuple[Region, Floats, Kinds]]:
        """See CellStore; one block."""
        part = region.intersect(self.used())
        return [] if part is None else [(part, *self.read(part))]

    def write(
        self, region: Region, values: npt.ArrayLike, kinds: npt.ArrayLike = Kind.NUMBER
    ) -> None:
        """Refused: a table changes by its edit only."""
        raise UserError("The cells of a table cannot be overwritten.", "Edit them one by one.")

    def put(self, rows: Indices, cols: Indices, values: Floats, kinds: Kinds) -> None:
        """See `write`."""
        self.write(Region(0, 0, 0, 0), values)

    def clear(self, region: Region) -> None:
        """See `write`."""
        self.write(region, 0.0)

    # Formulas: there are none.

    def formula(self, cell: tuple[int, int]) -> Formula | None:
        """None."""
        return None

    def set_formula(self, cell: tuple[int, int], formula: Formula | None) -> None:
        """Refuse a formula."""
        if formula is not None:
            raise UserError(
                "A table of ratings holds values, not formulas.",
                "Write formulas on the sheet Crosstab, or on a sheet of your own.",
            )

    def formulas(self) -> Mapping[Cell, Formula]:
        """None."""
        return {}

    # Extent.

    def next_edge(
        self, cell: tuple[int, int], direction: Direction, limit: Region | None = None
    ) -> Cell:
        """See CellStore: the table is one block without gaps."""
        row, col = cell
        used = self.used()
        bounds = limit or Region(0, 0, used.bottom, MAX_COLS)
        if direction == "up":
            return Cell(used.bottom - 1 if row >= used.bottom and col < used.right else 0, col)
        if direction == "left":
            return Cell(row, used.right - 1 if col >= used.right and row < used.bottom else 0)
        if direction == "down":
            is_in = row < used.bottom - 1 and col < used.right
            return Cell(used.bottom - 1 if is_in else bounds.bottom - 1, col)
        is_in = col < used.right - 1 and row < used.bottom
        return Cell(row, used.right - 1 if is_in else bounds.right - 1)

    def insert_lines(self, axis: Axis, at: int, count: int) -> None:
        """Refuse."""
        raise UserError(
            "Rows and columns of a table cannot be inserted or deleted.",
            "Change values, or open another file.",
        )

    def delete_lines(self, axis: Axis, at: int, count: int) -> None:
        """Refuse."""
        self.insert_lines(axis, at, count)

    # Edits.

    def edit_of(
        self, sheet: int, rows: Indices, cols: Indices, values: Floats, kinds: Kinds, name: str
    ) -> WriteTable:
        """Return the edit that puts values into cells, by rows of the table.

        Raises
        ------
        UserError
            If a cell lies outside the table or in the header.
        """
        if (rows == 0).any():
            raise UserError("The header of a table cannot be edited.", "Edit the cells below it.")
        if (rows > self.shown).any() or (cols >= len(self.columns)).any():
            raise UserError(
                "The table ends before that cell.",
                f"It has {self.shown:,} rows and {len(self.columns):,} columns.",
            )
        return WriteTable(sheet, self.table_rows(rows), cols, values, kinds, name)


def source_regions(store: CellStore, region: Region) -> Sequence[Region]:
    """Return what formulas call a region that is shown; none where that is too many regions.

    Rows that a sorted table shows beside each other may lie apart in it.
    """
    if not isinstance(store, VirtualStore) or store.order is None:
        return (region,)
    if region.rows > MOST_ROWS:
        return ()
    rows = np.arange(region.top, region.bottom)
    is_row = (rows > 0) & (rows <= store.shown)
    rows[is_row] = store.table_rows(rows[is_row]) + 1
    return _runs(rows, region)


def shown_regions(store: CellStore, region: Region) -> Sequence[Region]:
    """Return where what formulas call a region is shown; none where it is not, or in too many."""
    if not isinstance(store, VirtualStore) or store.order is None:
        return (region,)
    if region.rows * len(store.order) > MOST_LOOKED_AT:
        return ()
    rows = np.arange(region.top, region.bottom)
    is_row = (rows > 0) & (rows <= store.count)
    return _runs(np.append(rows[~is_row], store.sheet_rows(rows[is_row] - 1)), region)


def _runs(rows: Indices, region: Region) -> list[Region]:
    """Return rows as regions of the region's columns; none if they are too many."""
    rows = np.unique(rows)
    cuts = np.flatnonzero(np.diff(rows) > 1) + 1
    if not len(rows) or len(cuts) >= MOST_RUNS:
        return []
    return [
        Region(int(run[0]), region.left, int(run[-1]) + 1, region.right)
        for run in np.split(rows, cuts)
    ]


@dataclass(frozen=True, slots=True, eq=False)
class WriteTable(Edit):
    """Change cells of a table by its own rows, which sorting and filtering do not move.

    Parameters
    ----------
    rows : (n,) int64, rows of the table
    cols : (n,) int64
    values, kinds : (n,)
    """

    sheet: int
    rows: Indices
    cols: Indices
    values: Floats
    kinds: Kinds
    name: str

    @property
    def label(self) -> str:
        """The name given."""
        return self.name

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        store = workbook.sheet(self.sheet).cells
        assert isinstance(store, VirtualStore)
        old_values, old_kinds = np.zeros(len(self.rows)), np.zeros(len(self.rows), np.uint8)
        by_column = [(col, self.cols == col) for col in np.unique(self.cols).tolist()]
        for col, chosen in by_column:
            found = store.columns[col].read(self.rows[chosen])
            old_values[chosen], old_kinds[chosen] = found
        done: list[tuple[int, npt.NDArray[np.bool_]]] = []
        try:
            for col, chosen in by_column:
                store.columns[col].write(self.rows[chosen], self.values[chosen], self.kinds[chosen])
                done.append((col, chosen))
        except UserError:
            for col, chosen in done:
                store.columns[col].write(self.rows[chosen], old_values[chosen], old_kinds[chosen])
            raise
        inverse = WriteTable(self.sheet, self.rows, self.cols, old_values, old_kinds, self.name)
        return inverse, Change(values=self._places(store))

    def _places(self, store: VirtualStore) -> tuple[tuple[int, Region], ...]:
        """Return where the cells are shown now."""
        left, right = int(self.cols.min()), int(self.cols.max()) + 1
        rows = store.sheet_rows(self.rows)
        if len(rows) > 64 or not len(rows):
            whole = Region(1, left, 1 + store.shown, right)
            return ((self.sheet, whole),) if len(rows) else ()
        cells = [Cell(int(row), col) for row in rows for col in range(left, right)]
        return tuple((self.sheet, region) for region in regions_over(cells))


@dataclass(frozen=True, slots=True, eq=False)
class ShowRows(Edit):
    """Show rows of a table in another order, or fewer of them; the table stays as it is.

    Parameters
    ----------
    order : (n,) rows of the table, None for all as they are
    showing : Showing
        What was asked of them.
    """

    sheet: int
    order: npt.NDArray[Any] | None
    name: str
    showing: Showing = ALL

    @property
    def label(self) -> str:
        """The name given."""
        return self.name

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`; the order of a table that had more rows shows all."""
        store = workbook.sheet(self.sheet).cells
        assert isinstance(store, VirtualStore)
        inverse = ShowRows(self.sheet, store.order, self.name, store.showing)
        was = store.used()
        is_old = self.order is not None and len(self.order) and self.order.max() >= store.count
        store.order = None if is_old else self.order
        store.showing = ALL if is_old else self.showing
        whole = was.union_hull(store.used())
        return inverse, Change(values=((self.sheet, whole),))
