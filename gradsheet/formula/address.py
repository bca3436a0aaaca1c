"""Where things are on a sheet: cells, rectangular regions and their A1 spelling.

Owns the translation between zero-based indices and A1 text, and the algebra of regions.
Standard library only; knows nothing of values, formulas or sheets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

MAX_ROWS = 1_048_576
"""Rows that Excel's formula text can name; a virtual table may be longer."""
MAX_COLS = 16_384
"""Columns that Excel's formula text can name (A to XFD)."""

_A1 = re.compile(r"\$?([A-Za-z]{1,7})\$?([0-9]{1,10})")


def column_name(index: int) -> str:
    """Letters of a zero-based column: 0 is A, 25 is Z, 26 is AA.

    Raises
    ------
    ValueError
        If `index` is negative.
    """
    name = _FIRST_NAMES.get(index)
    return name if name is not None else _spell_column(index)


def _spell_column(index: int) -> str:
    if index < 0:
        raise ValueError(f"no column has the index {index}")
    letters = ""
    rest = index + 1
    while rest:
        rest, letter = divmod(rest - 1, 26)
        letters = chr(65 + letter) + letters
    return letters


_FIRST_NAMES: dict[int, str] = {}
_FIRST_NAMES.update((i, _spell_column(i)) for i in range(1024))


def column_index(name: str) -> int:
    """Zero-based index of a column's letters, in either case: A is 0, XFD is 16383.

    Raises
    ------
    ValueError
        If `name` holds anything but the letters A to Z.
    """
    index = 0
    for letter in name.upper():
        if not "A" <= letter <= "Z":
            raise ValueError(f"{name!r} is no column name; columns are spelled A to Z, AA, AB ...")
        index = index * 26 + ord(letter) - 64
    if index == 0:
        raise ValueError("a column name cannot be empty")
    return index - 1


class Cell(NamedTuple):
    """One cell by its zero-based row and column; sorts row by row."""

    row: int
    col: int

    @classmethod
    def parse(cls, text: str) -> Cell:
        """Read A1 text; dollar signs are allowed and ignored.

        Raises
        ------
        ValueError
            If `text` is not one cell in A1 notation.
        """
        match = _A1.fullmatch(text.strip())
        if match is None or int(match[2]) == 0:
            raise ValueError(f"{text!r} is no cell; write a column and a row, such as H25")
        return cls(int(match[2]) - 1, column_index(match[1]))

    def __str__(self) -> str:
        return f"{column_name(self.col)}{self.row + 1}"


@dataclass(frozen=True, slots=True, order=True)
class Region:
    """A rectangle of cells, zero-based and half-open: `bottom` and `right` lie outside.

    A region whose bottom is not below its top, or whose right is not right of its left, is
    empty: it contains nothing and intersects nothing.
    """

    top: int
    left: int
    bottom: int
    right: int

    @classmethod
    def parse(cls, text: str) -> Region:
        """Read `H2:V16` (corners in any order) or one cell, `H2`.

        Raises
        ------
        ValueError
            If `text` is neither.
        """
        first, colon, last = text.partition(":")
        a = Cell.parse(first)
        b = Cell.parse(last) if colon else a
        return cls(min(a.row, b.row), min(a.col, b.col), max(a.row, b.row) + 1,
                   max(a.col, b.col) + 1)  # fmt: skip

    @classmethod
    def of(cls, cell: tuple[int, int]) -> Region:
        """The region of one cell."""
        row, col = cell
        return cls(row, col, row + 1, col + 1)

    @property
    def rows(self) -> int:
        """Number of rows, never negative."""
        return max(0, self.bottom - self.top)

    @property
    def cols(self) -> int:
        """Number of columns, never negative."""
        return max(0, self.right - self.left)

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.rows, self.cols

    @property
    def size(self) -> int:
        """Number of cells."""
        return self.rows * self.cols

    @property
    def is_empty(self) -> bool:
        """Whether the region holds no cell."""
        return self.bottom <= self.top or self.right <= self.left

    @property
    def first(self) -> Cell:
        """The top left cell."""
        return Cell(self.top, self.left)

    def __str__(self) -> str:
        if self.is_empty:
            return "(no cells)"
        first = Cell(self.top, self.left)
        if self.size == 1:
            return str(first)
        return f"{first}:{Cell(self.bottom - 1, self.right - 1)}"

    def contains(self, other: tuple[int, int] | Region) -> bool:
        """Whether a cell, or every cell of another region, lies inside; empty ones always do."""
        if isinstance(other, Region):
            return other.is_empty or (
                self.top <= other.top
                and other.bottom <= self.bottom
                and self.left <= other.left
                and other.right <= self.right
            )
        row, col = other
        return self.top <= row < self.bottom and self.left <= col < self.right

    def intersect(self, other: Region) -> Region | None:
        """The cells in both, or None where there are none."""
        top, bottom = max(self.top, other.top), min(self.bottom, other.bottom)
        left, right = max(self.left, other.left), min(self.right, other.right)
        if top >= bottom or left >= right:
            return None
        return Region(top, left, bottom, right)

    def union_hull(self, other: Region) -> Region:
        """The smallest region around both; an empty one adds nothing."""
        if self.is_empty:
            return other
        if other.is_empty:
            return self
        return Region(
            min(self.top, other.top),
            min(self.left, other.left),
            max(self.bottom, other.bottom),
            max(self.right, other.right),
        )

    def shift(self, rows: int, cols: int) -> Region:
        """The same shape moved down by `rows` and right by `cols`."""
        return Region(self.top + rows, self.left + cols, self.bottom + rows, self.right + cols)

    def cells(self) -> Iterator[Cell]:
        """Every cell, row by row."""
        for row in range(self.top, self.bottom):
            for col in range(self.left, self.right):
                yield Cell(row, col)

    def slices_in(self, outer: Region) -> tuple[slice, slice]:
        """Row and column slices of this region in an array that holds `outer`.

        Raises
        ------
        ValueError
            If `outer` does not contain this region.
        """
        if not outer.contains(self):
            raise ValueError(f"{self} does not lie inside {outer}")
        return (
            slice(self.top - outer.top, self.bottom - outer.top),
            slice(self.left - outer.left, self.right - outer.left),
        )

    def subtract(self, other: Region) -> list[Region]:
        """The cells that are not in `other`, as at most four disjoint regions."""
        cut = self.intersect(other)
        if cut is None:
            return [] if self.is_empty else [self]
        parts = (
            Region(self.top, self.left, cut.top, self.right),
            Region(cut.top, self.left, cut.bottom, cut.left),
            Region(cut.top, cut.right, cut.bottom, self.right),
            Region(cut.bottom, self.left, self.bottom, self.right),
        )
        return [part for part in parts if not part.is_empty]
