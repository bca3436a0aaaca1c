"""The cells of one sheet: sparse tiles of float64 values, uint8 kinds, and formulas.

Owns storage only: what a sheet of 100,000 x 10,000 cells costs depends on the cells in use.
Knows no undo, no formats, no calculation: results are written like any other value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from gradsheet.formula.address import MAX_COLS, MAX_ROWS, Cell, Region
from gradsheet.formula.values import Kind, Scalar
from gradsheet.sheet.edges import edge_in_runs
from gradsheet.sheet.tiles import (
    TILE_COLS,
    TILE_ROWS,
    Axis,
    Floats,
    Formula,
    Indices,
    Key,
    Kinds,
    Tile,
    by_tile,
    hull_of,
    key_of,
    line_region,
    tile_region,
)  # fmt: skip

__all__ = ["Axis", "CellStore", "Content", "Direction", "Floats", "Formula", "Indices", "Kinds",
           "line_region"]  # fmt: skip

Direction: TypeAlias = Literal["up", "down", "left", "right"]
Content: TypeAlias = Scalar | Formula
"""What can be put into a cell."""


class CellStore:
    """Values, kinds and formulas of one sheet.

    One thread writes; others may read at the same time and see each tile before or after.
    """

    is_table = False
    """Whether the cells stand for a table of their own, see `sheet.virtual`."""
    order: npt.NDArray[Any] | None = None
    """Rows that are shown, where these are others than formulas see; see `sheet.virtual`."""

    def __init__(self) -> None:
        self._tiles: dict[Key, Tile] = {}
        self._formulas: dict[Cell, Formula] = {}
        self._arrays: dict[Cell, Region] = {}
        self._used: Region | None = Region(0, 0, 0, 0)
        self._shared: set[Key] = set()
        """Tiles that a snapshot holds too: copied before they are written into."""

    def snapshot(self) -> CellStore:
        """These cells as they are now, for another thread; tiles are copied when one changes."""
        other = CellStore()
        other._tiles = self._tiles.copy()
        other._formulas = self._formulas.copy()
        other._arrays = self._arrays.copy()
        other._used = self._used
        self._shared = set(self._tiles)
        other._shared = self._shared.copy()
        return other

    def not_shared_with(self, other: CellStore) -> list[Region]:
        """Where two stores may differ: tiles that are not the same one in both."""
        return [
            tile_region(key)
            for key in sorted(self._tiles.keys() | other._tiles.keys())
            if self._tiles.get(key) is not other._tiles.get(key)
        ]

    def _own(self, key: Key) -> Tile | None:
        """The tile of a key to write into, which no snapshot holds; None if there is none."""
        tile = self._tiles.get(key)
        if tile is not None and key in self._shared:
            tile = self._tiles[key] = tile.copy()
        self._shared.discard(key)
        return tile

    # Values.

    def get(self, cell: tuple[int, int]) -> tuple[float, Kind]:
        """Value and kind of one cell."""
        tile = self._tiles.get(key_of(cell))
        if tile is None:
            return 0.0, Kind.BLANK
        at = cell[0] % TILE_ROWS, cell[1] % TILE_COLS
        return float(tile.values[at]), Kind(int(tile.kinds[at]))

    def read(self, region: Region) -> tuple[Floats, Kinds]:
        """Fresh copies of values (rows, cols) float64 and kinds (rows, cols) uint8."""
        values, kinds = np.zeros(region.shape), np.zeros(region.shape, np.uint8)
        for tile, part, inner in self._parts(region):
            outer = part.slices_in(region)
            values[outer] = tile.values[inner]
            kinds[outer] = tile.kinds[inner]
        return values, kinds

    def read_source(self, region: Region) -> tuple[Floats, Kinds]:
        """Values and kinds as formulas see them, whatever the order that rows are shown in."""
        return self.read(region)

    def source_extent(self) -> Region:
        """Smallest region around everything that formulas can see."""
        return self.used()

    def source_row(self, row: int) -> int:
        """Row that formulas call what is shown in a row."""
        return row

    def write(
        self,
        region: Region,
        values: npt.ArrayLike,
        kinds: npt.ArrayLike = Kind.NUMBER,
    ) -> None:
        """Put values and kinds, both broadcast to the region; formulas stay as they are.

        The value of a blank cell is always stored as 0.0.

        Raises
        ------
        ValueError
            If a shape does not fit the region, or the region begins before A1.
        """
        if region.is_empty:
            return
        if region.top < 0 or region.left < 0:
            raise ValueError(f"rows and columns begin at 0, not at {region.top}, {region.left}")
        all_values = np.broadcast_to(np.asarray(values, np.float64), region.shape)
        all_kinds = np.broadcast_to(np.asarray(kinds, np.uint8), region.shape)
        blanks = all_kinds == Kind.BLANK
        has_blanks = bool(blanks.any())
        if has_blanks:
            all_values = np.where(blanks, 0.0, all_values)
        for key in self._keys_over(region):
            part = region.intersect(tile_region(key))
            assert part is not None  # every key over a region meets it
            outer, inner = part.slices_in(region), part.slices_in(tile_region(key))
            tile = self._own(key)
            if tile is None:
                if has_blanks and blanks[outer].all():
                    continue
                tile = self._tiles[key] = Tile()
            tile.values[inner] = all_values[outer]
            tile.kinds[inner] = all_kinds[outer]
            if has_blanks and tile.is_empty:
                del self._tiles[key]
        self._note_written(region, None if not has_blanks else blanks)

    def clear(self, region: Region) -> None:
        """Make cells blank and remove their formulas; cheap for whole rows and columns."""
        for cell in list(self.formulas_in(region)):
            self.set_formula(cell, None)
        for _, part, inner in self._parts(region):
            tile = self._own(key_of(part.first))
            assert tile is not None  # it has just been found
            tile.values[inner] = 0.0
            tile.kinds[inner] = Kind.BLANK
            if tile.is_empty:
                del self._tiles[key_of(part.first)]
        self._used = None

    def take(self, rows: Indices, cols: Indices) -> tuple[Floats, Kinds]:
        """Values and kinds of scattered cells; all arrays have the shape (n,)."""
        values, kinds = np.zeros(len(rows)), np.zeros(len(rows), np.uint8)
        for key, chosen in by_tile(rows, cols):
            tile = self._tiles.get(key)
            if tile is not None:
                inner = rows[chosen] % TILE_ROWS, cols[chosen] % TILE_COLS
                values[chosen] = tile.values[inner]
                kinds[chosen] = tile.kinds[inner]
        return values, kinds

    def put(
        self,
        rows: Indices,
        cols: Indices,
        values: Floats,
        kinds: Kinds,
    ) -> None:
        """Write scattered cells, the inverse of `take`; formulas stay as they are."""
        if not len(rows):
            return
        values = np.where(kinds == Kind.BLANK, 0.0, values)
        for key, chosen in by_tile(rows, cols):
            tile = self._own(key)
            if tile is None:
                tile = self._tiles[key] = Tile()
            inner = rows[chosen] % TILE_ROWS, cols[chosen] % TILE_COLS
            tile.values[inner] = values[chosen]
            tile.kinds[inner] = kinds[chosen]
            if tile.is_empty:
                del self._tiles[key]
        self._used = None

    def contents(self, region: Region) -> list[tuple[Region, Floats, Kinds]]:
        """What is not blank in a region, as copies of rectangles no larger than a tile."""
        found = []
        for tile, part, inner in self._parts(region):
            kinds = tile.kinds[inner]
            if kinds.any():
                hull = hull_of(kinds != Kind.BLANK, part)
                at = hull.slices_in(tile_region(key_of(hull.first)))
                found.append((hull, tile.values[at].copy(), tile.kinds[at].copy()))
        return sorted(found, key=lambda block: block[0])

    # Formulas.

    def formula(self, cell: tuple[int, int]) -> Formula | None:
        """The formula of a cell, None where it holds a constant or nothing."""
        return self._formulas.get(Cell(*cell))

    def set_formula(self, cell: tuple[int, int], formula: Formula | None) -> None:
        """Put or remove a formula; the cell's value stays as it is."""
        cell = Cell(*cell)
        key = key_of(cell)
        self._arrays.pop(cell, None)
        if formula is None:
            if self._formulas.pop(cell, None) is not None:
                tile = self._own(key)
                assert tile is not None  # it holds the formula
                del tile.formulas[cell]
                if tile.is_empty:
                    del self._tiles[key]
                self._used = None
            return
        tile = self._own(key)
        if tile is None:
            tile = self._tiles[key] = Tile()
        self._formulas[cell] = formula
        tile.formulas[cell] = formula
        if formula.array is not None:
            self._arrays[cell] = formula.array
        if self._used is not None and not self._used.contains(cell):
            self._used = self._used.union_hull(Region.of(cell))

    def formulas(self) -> Mapping[Cell, Formula]:
        """Every formula by its cell: a copy, so that another thread may walk through it."""
        return self._formulas.copy()

    def formulas_in(self, region: Region) -> dict[Cell, Formula]:
        """The formulas of a region, in no particular order."""
        found: dict[Cell, Formula] = {}
        for tile, part, _ in self._parts(region):
            if part.size == TILE_ROWS * TILE_COLS:
                found.update(tile.formulas)
            elif tile.formulas:
                found.update((c, f) for c, f in tile.formulas.items() if part.contains(c))
        return found

    def arrays(self) -> Mapping[Cell, Region]:
        """The area of every array formula by the cell that holds it; a copy."""
        return self._arrays.copy()

    @property
    def formula_count(self) -> int:
        """Number of cells that hold a formula."""
        return len(self._formulas)

    # Extent.

    def used(self) -> Region:
        """The smallest region around all cells that hold a value or a formula."""
        if self._used is None:
            hull = Region(0, 0, 0, 0)
            for key, tile in list(self._tiles.items()):
                box = tile_region(key)
                if not hull.is_empty and hull.contains(box):
                    continue
                if tile.kinds.any():
                    hull = hull.union_hull(hull_of(tile.kinds != Kind.BLANK, box))
                if tile.formulas:
                    rows, cols = zip(*list(tile.formulas), strict=True)
                    box = Region(min(rows), min(cols), max(rows) + 1, max(cols) + 1)
                    hull = hull.union_hull(box)
            self._used = hull
        return self._used

    def next_edge(
        self, cell: tuple[int, int], direction: Direction, limit: Region | None = None
    ) -> Cell:
        """Where Ctrl and an arrow lead: the end of the block, the next block, or the edge.

        Parameters
        ----------
        limit : the sheet's cells, Excel's million rows by default
        """
        bounds = limit or Region(0, 0, MAX_ROWS, MAX_COLS)
        vertical = direction in ("up", "down")
        forward = direction in ("down", "right")
        row, col = cell
        start, line = (row, col) if vertical else (col, row)
        low, high = (bounds.top, bounds.bottom) if vertical else (bounds.left, bounds.right)
        edge = high - 1 if forward else low
        step = 1 if forward else -1
        if start == edge or not low <= start < high:
            return Cell(row, col)
        runs = self._runs(vertical, line, forward)
        end = edge_in_runs(runs, start, step)
        if end is None or (end > edge if forward else end < edge):
            end = edge
        return Cell(end, line) if vertical else Cell(line, end)

    def _runs(self, vertical: bool, line: int, forward: bool) -> Iterator[tuple[int, int]]:
        """Occupied stretches (first, last) of a row or column in walking order, unmerged."""
        length, across = (TILE_ROWS, TILE_COLS) if vertical else (TILE_COLS, TILE_ROWS)
        along = 0 if vertical else 1
        keys = sorted(
            (key for key in self._tiles if key[1 - along] == line // across),
            key=lambda key: key[along],
            reverse=not forward,
        )
        for key in keys:
            tile = self._tiles[key]
            inside = line % across
            kinds = tile.kinds[:, inside] if vertical else tile.kinds[inside]
            occupied = np.zeros(length + 2, np.bool_)
            occupied[1:-1] = kinds != Kind.BLANK
            for cell in tile.formulas:
                if cell[1 - along] == line:
                    occupied[1 + cell[along] % length] = True
            changes = np.flatnonzero(occupied[1:] != occupied[:-1]) + key[along] * length
            runs = [(int(a), int(b) - 1) for a, b in zip(changes[::2], changes[1::2], strict=True)]
            yield from (runs if forward else reversed(runs))

    # Rows and columns.

    def insert_lines(self, axis: Axis, at: int, count: int) -> None:
        """Open `count` blank rows or columns before index `at`; formulas move unchanged."""
        self._move_lines(axis, at, count)

    def delete_lines(self, axis: Axis, at: int, count: int) -> None:
        """Remove rows or columns with all they hold; formulas behind them move unchanged."""
        self.clear(line_region(axis, at, at + count))
        self._move_lines(axis, at + count, -count)

    def _move_lines(self, axis: Axis, start: int, distance: int) -> None:
        moving = line_region(axis, start, None)
        rows, cols = (distance, 0) if axis == "row" else (0, distance)
        blocks = self.contents(moving)
        formulas = self.formulas_in(moving)
        self.clear(moving)
        for region, values, kinds in blocks:
            self.write(region.shift(rows, cols), values, kinds)
        for cell, formula in formulas.items():
            self.set_formula(Cell(cell.row + rows, cell.col + cols), formula)

    # Tiles.

    def _keys_over(self, region: Region) -> Iterator[Key]:
        for row in range(region.top // TILE_ROWS, (region.bottom - 1) // TILE_ROWS + 1):
            for col in range(region.left // TILE_COLS, (region.right - 1) // TILE_COLS + 1):
                yield row, col

    def _parts(self, region: Region) -> Iterator[tuple[Tile, Region, tuple[slice, slice]]]:
        """Tiles that exist under a region, the part of each, and where that is in the tile."""
        if region.is_empty:
            return
        high = (region.bottom - 1) // TILE_ROWS - region.top // TILE_ROWS + 1
        wide = (region.right - 1) // TILE_COLS - region.left // TILE_COLS + 1
        keys = list(self._tiles) if high * wide > len(self._tiles) else self._keys_over(region)
        for key in keys:
            tile = self._tiles.get(key)
            if tile is None:
                continue
            box = tile_region(key)
            part = region.intersect(box)
            if part is not None:
                yield tile, part, part.slices_in(box)

    def _note_written(self, region: Region, blanks: npt.NDArray[np.bool_] | None) -> None:
        """Keep the used region true after a write without looking at all tiles."""
        used = self._used
        if used is None:
            return
        if blanks is None:
            self._used = used.union_hull(region)
            return
        inside = (
            used.top < region.top
            and region.bottom < used.bottom
            and used.left < region.left
            and region.right < used.right
        )
        if not inside:
            self._used = None
