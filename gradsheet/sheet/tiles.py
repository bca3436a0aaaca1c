"""Tiles of cells: small dense arrays that cover a sheet where it is in use.

Owns the size of a tile and which cells lie in which. Knows formulas only as things kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import Expr

Floats: TypeAlias = npt.NDArray[np.float64]
Kinds: TypeAlias = npt.NDArray[np.uint8]
Indices: TypeAlias = npt.NDArray[np.int64]
Axis: TypeAlias = Literal["row", "column"]

TILE_ROWS = 128
TILE_COLS = 16


@dataclass(frozen=True, slots=True)
class Formula:
    """What a cell computes.

    Parameters
    ----------
    expr : relative to the cell that holds it
    array : cells of an array formula whose top left cell holds it, else None
    dynamic : whether an array result spills; without it and without `array` the formula gives
        one value, by implicit intersection
    """

    expr: Expr
    array: Region | None = None
    dynamic: bool = False


class Tile:
    """A dense piece of a sheet, (TILE_ROWS, TILE_COLS), and the formulas in it."""

    __slots__ = ("formulas", "kinds", "values")

    def __init__(self) -> None:
        self.values: Floats = np.zeros((TILE_ROWS, TILE_COLS))
        self.kinds: Kinds = np.zeros((TILE_ROWS, TILE_COLS), np.uint8)
        self.formulas: dict[Cell, Formula] = {}

    def copy(self) -> Tile:
        """A tile of its own that holds the same."""
        other = Tile.__new__(Tile)
        other.values, other.kinds = self.values.copy(), self.kinds.copy()
        other.formulas = self.formulas.copy()
        return other

    @property
    def is_empty(self) -> bool:
        """Whether the tile holds nothing and can be dropped."""
        return not self.formulas and not self.kinds.any()


Key: TypeAlias = tuple[int, int]
"""Row and column of a tile among the tiles."""


def tile_region(key: Key) -> Region:
    """The cells of a tile."""
    top, left = key[0] * TILE_ROWS, key[1] * TILE_COLS
    return Region(top, left, top + TILE_ROWS, left + TILE_COLS)


def key_of(cell: tuple[int, int]) -> Key:
    """The tile that a cell lies in."""
    return cell[0] // TILE_ROWS, cell[1] // TILE_COLS


def line_region(axis: Axis, first: int, end: int | None) -> Region:
    """Whole rows or columns from `first` up to, not including, `end`; None for all."""
    far = 1 << 40  # past the end of the longest virtual table
    last = far if end is None else end
    return Region(first, 0, last, far) if axis == "row" else Region(0, first, far, last)


def hull_of(mask: npt.NDArray[np.bool_], region: Region) -> Region:
    """The smallest region around the True cells of a mask that covers `region`."""
    rows = np.flatnonzero(mask.any(axis=1))
    cols = np.flatnonzero(mask.any(axis=0))
    top, left = region.top, region.left
    return Region(
        top + int(rows[0]), left + int(cols[0]), top + int(rows[-1]) + 1, left + int(cols[-1]) + 1
    )


def by_tile(rows: Indices, cols: Indices) -> Iterator[tuple[Key, Indices]]:
    """Indices of cells, grouped by the tile they lie in."""
    tile_rows, tile_cols = rows // TILE_ROWS, cols // TILE_COLS
    code = tile_rows * (1 << 31) + tile_cols
    order = np.argsort(code, kind="stable")
    cuts = np.flatnonzero(np.diff(code[order])) + 1
    for chosen in np.split(order, cuts):
        if len(chosen):
            yield (int(tile_rows[chosen[0]]), int(tile_cols[chosen[0]])), chosen
