"""Edits of what cells hold: typing, pasting, clearing, filling.

Owns how values and formulas replace each other and how that is taken back bit by bit. Knows
nothing of formats or of rows and columns that move.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from gradsheet.formula.address import MAX_COLS, MAX_ROWS, Cell, Region
from gradsheet.formula.values import Kind, UserError, pack
from gradsheet.sheet.cells import CellStore, Content, Floats, Formula, Indices, Kinds
from gradsheet.sheet.change import Change, Composite, Edit, regions_over

if TYPE_CHECKING:
    from gradsheet.sheet.workbook import Workbook

MOST_CELLS = 20_000_000
"""Cells that one edit may fill."""

MOST_OF_TABLE = 1_000_000
"""Cells of a table (`sheet.virtual`) that one edit may change."""

Block: TypeAlias = tuple[Region, Floats, Kinds]


@dataclass(frozen=True, slots=True)
class SetCells(Edit):
    """Put contents into cells, each replacing whatever value or formula is there.

    A formula's cell is blank until it is calculated. Contents are values as `pack` takes them,
    None for blank, or a `Formula`. If a cell comes twice the last content counts.

    Raises (on apply)
    -----------------
    UserError
        If a cell lies outside the sheet, or inside an array formula that another cell holds.
    """

    sheet: int
    cells: tuple[tuple[Cell, Content], ...]

    @property
    def label(self) -> str:
        """`Type into A1`, or `Change 12 cells`."""
        if len(self.cells) == 1:
            cell, content = self.cells[0]
            return f"{'Clear' if content is None else 'Type into'} {Cell(*cell)}"
        return f"Change {len(self.cells)} cells"

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        store = workbook.sheet(self.sheet).cells
        contents: dict[Cell, Content] = {Cell(*cell): content for cell, content in self.cells}
        for cell in contents if not store.is_table else ():
            check_inside(Region.of(cell))
        for cell in _freed_cells(store, contents.__contains__):
            contents.setdefault(cell, None)
        for cell, content in list(contents.items()):
            if isinstance(content, Formula) and content.array is not None and not content.dynamic:
                _check_array(cell, content.array)
                for member in content.array.cells():
                    contents.setdefault(member, None)
        count = len(contents)
        rows = np.fromiter((cell.row for cell in contents), np.int64, count)
        cols = np.fromiter((cell.col for cell in contents), np.int64, count)
        values, kinds = np.zeros(count), np.zeros(count, np.uint8)
        formulas: list[tuple[Cell, Formula]] = []
        for at, (cell, content) in enumerate(contents.items()):
            if isinstance(content, Formula):
                formulas.append((cell, content))
            elif content is not None:
                values[at], kinds[at] = pack(content, workbook.strings)
        return PutCells(
            self.sheet, rows, cols, values, kinds, tuple(formulas), self.label
        ).apply_to(workbook)


@dataclass(frozen=True, slots=True, eq=False)
class PutCells(Edit):
    """Make cells hold exactly these values, kinds and formulas; the inverse of `SetCells`.

    Parameters
    ----------
    rows, cols : (n,) int64, each cell once
    values, kinds : (n,) float64 and uint8, of formulas too
    formulas : for the cells that hold one; the others hold none afterwards
    """

    sheet: int
    rows: Indices
    cols: Indices
    values: Floats
    kinds: Kinds
    formulas: tuple[tuple[Cell, Formula], ...]
    name: str

    @property
    def label(self) -> str:
        """The name given."""
        return self.name

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        store = workbook.sheet(self.sheet).cells
        if store.is_table:
            for cell, formula in self.formulas:
                store.set_formula(cell, formula)  # says why not
            return write_table(self, store).apply_to(workbook)
        cells = [Cell(*pair) for pair in zip(self.rows.tolist(), self.cols.tolist(), strict=True)]
        old_values, old_kinds = store.take(self.rows, self.cols)
        old = [(cell, f) for cell in cells if (f := store.formula(cell)) is not None]
        new = dict(self.formulas)
        for cell, _ in old:
            if cell not in new:
                store.set_formula(cell, None)
        for cell, formula in self.formulas:
            store.set_formula(cell, formula)
        store.put(self.rows, self.cols, self.values, self.kinds)
        inverse = PutCells(
            self.sheet, self.rows, self.cols, old_values, old_kinds, tuple(old), self.name
        )
        before = dict(old)
        rewritten = [c for c in {**before, **new} if before.get(c) != new.get(c)]
        return inverse, Change(
            values=tuple((self.sheet, region) for region in regions_over(cells)),
            formulas=tuple((self.sheet, region) for region in regions_over(rewritten)),
        )


@dataclass(frozen=True, slots=True, eq=False)
class SetValues(Edit):
    """Put values and kinds into a region at once; formulas there are replaced.

    Parameters
    ----------
    values : broadcast to the region, float64
    kinds : broadcast to the region, uint8 of `Kind`
    """

    sheet: int
    region: Region
    values: npt.ArrayLike
    kinds: npt.ArrayLike = Kind.NUMBER

    @property
    def label(self) -> str:
        """`Change A1:B2`."""
        return f"Change {self.region}"

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        values = np.broadcast_to(np.asarray(self.values, np.float64), self.region.shape)
        kinds = np.broadcast_to(np.asarray(self.kinds, np.uint8), self.region.shape)
        blocks = ((self.region, values, kinds),)
        return ReplaceRegion(self.sheet, self.region, blocks, (), self.label).apply_to(workbook)


@dataclass(frozen=True, slots=True)
class ClearCells(Edit):
    """Make a region blank, values and formulas; whole rows and columns cost what they hold."""

    sheet: int
    region: Region

    @property
    def label(self) -> str:
        """`Clear A1:B2`."""
        return f"Clear {self.region}"

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        return ReplaceRegion(self.sheet, self.region, (), (), self.label).apply_to(workbook)


@dataclass(frozen=True, slots=True, eq=False)
class PutBlocks(Edit):
    """Make a region hold exactly these blocks and formulas, and nothing else."""

    sheet: int
    region: Region
    blocks: tuple[Block, ...]
    formulas: tuple[tuple[Cell, Formula], ...]
    name: str

    @property
    def label(self) -> str:
        """The name given."""
        return self.name

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        store = workbook.sheet(self.sheet).cells
        blocks = tuple(store.contents(self.region))
        before = store.formulas_in(self.region)
        after = dict(self.formulas)
        if len(self.blocks) != 1 or self.blocks[0][0] != self.region:
            store.clear(self.region)
        else:
            for cell in before:
                if cell not in after:
                    store.set_formula(cell, None)
        for region, values, kinds in self.blocks:
            store.write(region, values, kinds)
        for cell, formula in self.formulas:
            store.set_formula(cell, formula)
        inverse = PutBlocks(self.sheet, self.region, blocks, tuple(before.items()), self.name)
        rewritten = [c for c in {**before, **after} if before.get(c) != after.get(c)]
        return inverse, Change(
            values=((self.sheet, self.region),),
            formulas=tuple((self.sheet, region) for region in regions_over(rewritten)),
        )


@dataclass(frozen=True, slots=True)
class PutFormulas(Edit):
    """Replace formulas by others and leave the values; how structure edits rewrite them."""

    formulas: tuple[tuple[int, Cell, Formula], ...]
    name: str

    @property
    def label(self) -> str:
        """The name given."""
        return self.name

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`. Every cell must hold a formula already."""
        old: list[tuple[int, Cell, Formula]] = []
        touched: dict[int, list[Cell]] = {}
        for sheet, cell, formula in self.formulas:
            store = workbook.sheet(sheet).cells
            before = store.formula(cell)
            assert before is not None
            old.append((sheet, cell, before))
            store.set_formula(cell, formula)
            touched.setdefault(sheet, []).append(cell)
        places = tuple(
            (sheet, region) for sheet, cells in touched.items() for region in regions_over(cells)
        )
        return PutFormulas(tuple(old), self.name), Change(values=places, formulas=places)


@dataclass(frozen=True, slots=True, eq=False)
class ReplaceRegion(Edit):
    """Make a region hold exactly these blocks and formulas, minding the arrays that it meets.

    Raises (on apply)
    -----------------
    UserError
        If the region reaches off the sheet, is too large to fill, or tears an array formula.
    """

    sheet: int
    region: Region
    blocks: tuple[Block, ...]
    formulas: tuple[tuple[Cell, Formula], ...]
    name: str

    @property
    def label(self) -> str:
        """The name given."""
        return self.name

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        region = self.region
        if region.is_empty:
            return Composite((), self.name), Change()
        store = workbook.sheet(self.sheet).cells
        if store.is_table:
            return self._scattered(store.used()).apply_to(workbook)
        if self.blocks or self.formulas:
            check_inside(region)
        freed = [cell for cell in _freed_cells(store, region.contains) if not region.contains(cell)]
        put = PutBlocks(self.sheet, region, self.blocks, self.formulas, self.name)
        if not freed:
            return put.apply_to(workbook)
        blanks = SetCells(self.sheet, tuple((cell, None) for cell in freed))
        # The array's own cell goes first: only then are the cells it filled free to be cleared.
        return Composite((put, blanks), self.name).apply_to(workbook)

    def _scattered(self, used: Region) -> PutCells:
        """Return the same for a table, which knows no regions: cell by cell."""
        part = self.region if self.blocks else self.region.intersect(used)
        if part is None:
            part = Region(0, 0, 0, 0)
        if part.size > MOST_OF_TABLE:
            raise UserError(
                f"{part.size:,} cells of a table cannot be changed at once.",
                f"Choose at most {MOST_OF_TABLE:,} cells.",
            )
        values, kinds = np.zeros(part.shape), np.zeros(part.shape, np.uint8)
        for region, block, block_kinds in self.blocks:
            at = region.slices_in(part)
            values[at], kinds[at] = block, block_kinds
        rows = np.repeat(np.arange(part.top, part.bottom), part.cols)
        cols = np.tile(np.arange(part.left, part.right), part.rows)
        return PutCells(
            self.sheet, rows, cols, values.ravel(), kinds.ravel(), self.formulas, self.name
        )


def write_table(put: PutCells, store: CellStore) -> Edit:
    """Return the edit of a table's own rows that puts values into its cells."""
    from gradsheet.sheet.virtual import VirtualStore  # which builds on the edits' own ground

    assert isinstance(store, VirtualStore)
    return store.edit_of(put.sheet, put.rows, put.cols, put.values, put.kinds, put.name)


def _freed_cells(store: CellStore, is_touched: Callable[[Cell], bool]) -> list[Cell]:
    """Cells that an array formula filled whose own cell is about to be replaced.

    Raises
    ------
    UserError
        If part of an array formula would be replaced but not the cell that holds it.
    """
    freed: list[Cell] = []
    for anchor, area in store.arrays().items():
        if is_touched(anchor):
            freed += [c for c in area.cells() if c != anchor and store.formula(c) is None]
            continue
        formula = store.formula(anchor)
        if formula is None or formula.dynamic:
            continue
        for cell in area.cells():
            if is_touched(cell):
                raise UserError(
                    f"{cell} is part of the array formula in {area}.",
                    f"Edit {anchor}, which holds the formula, or clear all of {area}.",
                )
    return freed


def _check_array(cell: Cell, area: Region) -> None:
    check_inside(area)
    if area.is_empty or area.first != cell:
        raise UserError(
            f"The array formula in {cell} cannot fill {area}.",
            "Its own cell must be the top left one.",
        )


def check_inside(region: Region) -> None:
    """Raise UserError if a region reaches off the sheet or is too large to fill."""
    if region.top < 0 or region.left < 0 or region.bottom > MAX_ROWS or region.right > MAX_COLS:
        raise UserError(
            "The edit reaches past the edge of the sheet.",
            f"A sheet has {MAX_ROWS:,} rows and {MAX_COLS:,} columns.",
        )
    if region.size > MOST_CELLS:
        raise UserError(
            f"{region} has {region.size:,} cells, too many to fill at once.",
            f"Choose at most {MOST_CELLS:,} cells.",
        )
