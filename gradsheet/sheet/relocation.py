"""References that follow cells which are cut and pasted elsewhere, as in Excel.

Owns the rewriting of one formula tree: what referred to the moved cells still does, what
referred to cells that they now cover is lost. Knows no workbook.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import (
    Columns,
    ErrorLiteral,
    Expr,
    Name,
    Range,
    Ref,
    Rows,
    SpillRef,
    cell_of,
    region_of,
    transform,
)
from gradsheet.formula.values import ErrorCode

_LOST = ErrorLiteral(ErrorCode.REF)


@dataclass(frozen=True, slots=True)
class Relocation:
    """Cells that go elsewhere.

    Parameters
    ----------
    source : the cells before
    target : the cells afterwards, of the same shape
    source_sheet, target_sheet : names of the sheets
    """

    source: Region
    target: Region
    source_sheet: str
    target_sheet: str

    @property
    def shift(self) -> tuple[int, int]:
        """How many rows and columns the cells go."""
        return self.target.top - self.source.top, self.target.left - self.source.left

    def place(self, sheet: str, region: Region) -> tuple[str, Region] | None:
        """Where a region that a formula names lies afterwards; None if it is covered.

        A region follows only when all of it moves; it is lost only when all of it is covered.
        """
        if _same(sheet, self.source_sheet) and self.source.contains(region):
            return self.target_sheet, region.shift(*self.shift)
        if _same(sheet, self.target_sheet) and self.target.contains(region):
            return None
        return sheet, region


def relocated(
    expr: Expr, move: Relocation, home: str | None, old_host: Cell, new_home: str | None,
    new_host: Cell,
) -> Expr:  # fmt: skip
    """A formula tree after cells moved.

    Parameters
    ----------
    home, new_home : name of the sheet that holds the formula, before and after; None for a
        name's formula, whose references without a sheet are left alone
    old_host, new_host : the cell that holds it, before and after

    Returns
    -------
    The same object where nothing changes.
    """

    def change(node: Expr) -> Expr:
        match node:
            case SpillRef(Ref() as inner):
                ref = follow(inner)
                return node if ref is inner else SpillRef(ref) if isinstance(ref, Ref) else ref
            case Name(None, _) | SpillRef():
                return node
            case Ref() | Range() | Columns() | Rows():
                return follow(node)
            case _:
                return node

    def follow(node: Ref | Range | Columns | Rows) -> Expr:
        written = node.first.sheet if isinstance(node, Range) else node.sheet
        sheet = written or home
        region = region_of(node, old_host)
        if sheet is None:
            return node
        if region is None:  # it points off the sheet, from wherever it stands
            return node
        placed = move.place(sheet, region)
        if placed is None:
            return _LOST
        new_sheet, new_region = placed
        shift = new_region.top - region.top, new_region.left - region.left
        stays_written = written is not None and _same(new_sheet, sheet)
        needs = new_home is None or not _same(new_sheet, new_home)
        name = written if stays_written else new_sheet if needs else None
        return _restated(node, name, shift, old_host, new_host)

    return transform(expr, change)


def _same(a: str | None, b: str | None) -> bool:
    return a is not None and b is not None and a.casefold() == b.casefold()


def _restated(
    node: Ref | Range | Columns | Rows,
    sheet: str | None,
    shift: tuple[int, int],
    old: Cell,
    new: Cell,
) -> Expr:
    """The reference, as absolute as it was, to the shifted cells on a sheet, seen from `new`."""
    match node:
        case Range(first, last):
            a, b = _ref(first, sheet, shift, old, new), _ref(last, None, shift, old, new)
            return node if a is first and b is last else Range(a, b)
        case Ref():
            return _ref(node, sheet, shift, old, new)
        case _:
            along = 1 if isinstance(node, Columns) else 0
            low = node.first + shift[along] + (0 if node.first_abs else old[along] - new[along])
            high = node.last + shift[along] + (0 if node.last_abs else old[along] - new[along])
            if (low, high, sheet) == (node.first, node.last, node.sheet):
                return node
            return replace(node, sheet=sheet, first=low, last=high)


def _ref(ref: Ref, sheet: str | None, shift: tuple[int, int], old: Cell, new: Cell) -> Ref:
    cell = cell_of(ref, old)
    assert cell is not None  # asked only of references that lie on the sheet
    row, col = cell.row + shift[0], cell.col + shift[1]
    row = row if ref.row_abs else row - new.row
    col = col if ref.col_abs else col - new.col
    if (sheet, row, col) == (ref.sheet, ref.row, ref.col):
        return ref
    return Ref(sheet, row, col, ref.row_abs, ref.col_abs)
