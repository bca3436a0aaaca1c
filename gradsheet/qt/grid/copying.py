"""Copies of cells inside a workbook: values, formulas and looks, tiled, chosen, turned.

Owns what a paste of our own cells puts where. Makes edits and applies none; knows no
clipboard.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import Expr, Range, Ref, transform
from gradsheet.formula.values import Kind, UserError
from gradsheet.sheet.cell_edits import ReplaceRegion
from gradsheet.sheet.cells import Floats, Formula, Kinds
from gradsheet.sheet.edits import Composite, Edit, SetLooks
from gradsheet.sheet.formats import Format
from gradsheet.sheet.workbook import Workbook

MOST_LOOKS = 20_000
"""Cells whose looks are pasted one by one; more in one piece only where they are alike."""


@dataclass(frozen=True, slots=True)
class PasteWhat:
    """What of the copied cells is pasted.

    Parameters
    ----------
    contents : "all" for formulas and constants, "values" for what formulas give, "none"
    looks : whether formats come too
    transpose : rows become columns
    skip_blanks : blank cells leave what they would cover
    """

    contents: str = "all"
    looks: bool = True
    transpose: bool = False
    skip_blanks: bool = False


EVERYTHING = PasteWhat()


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A rectangle of cells as it was when it was copied.

    Attributes
    ----------
    values, kinds : (rows, cols), results of formulas included
    formulas : by (row, col) counted from the corner
    looks : (rows, cols) format ids of the workbook's palette
    """

    values: Floats
    kinds: Kinds
    formulas: dict[tuple[int, int], Formula]
    looks: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        rows, cols = self.values.shape
        return rows, cols

    def turned(self) -> Piece:
        """Rows as columns; relative references turn with the cells."""
        formulas = {
            (col, row): replace(formula, expr=_turned(formula.expr), array=None)
            for (row, col), formula in self.formulas.items()
        }
        return Piece(self.values.T, self.kinds.T, formulas, self.looks.T)


def take_piece(workbook: Workbook, sheet_id: int, region: Region) -> Piece:
    """The cells of a region as they are now."""
    sheet = workbook.sheet(sheet_id)
    values, kinds = sheet.cells.read(region)
    formulas = {
        (cell.row - region.top, cell.col - region.left): formula
        for cell, formula in sheet.cells.formulas_in(region).items()
    }
    return Piece(values, kinds, formulas, sheet.formats.plane(region))


def copy_edit(
    workbook: Workbook, sheet_id: int, source: Region, to_sheet: int, target: Region
) -> Edit:
    """The edit that copies a region over another of its shape."""
    return paste_edit(workbook, take_piece(workbook, sheet_id, source), to_sheet, target)


def paste_edit(
    workbook: Workbook, piece: Piece, sheet_id: int, target: Region, what: PasteWhat = EVERYTHING
) -> Edit:
    """The edit that fills a target with a piece, repeated where the target is larger.

    Parameters
    ----------
    target : a whole number of pieces (turned, if `what` says so) in each direction

    Raises
    ------
    UserError
        If an array formula was copied in part.
    """
    piece = piece.turned() if what.transpose else piece
    edits: list[Edit] = []
    if what.contents != "none":
        edits += _contents(workbook, piece, sheet_id, target, what)
    if what.looks:
        looks = tuple(_looks(workbook, piece, sheet_id, target))
        if looks:
            edits.append(SetLooks(sheet_id, looks))
    return Composite(tuple(edits), "Paste")


def _contents(
    workbook: Workbook, piece: Piece, sheet_id: int, target: Region, what: PasteWhat
) -> Iterator[Edit]:
    rows, cols = piece.shape
    times = (target.rows // rows, target.cols // cols)
    values, kinds = piece.values.copy(), piece.kinds.copy()
    formulas: list[tuple[Cell, Formula]] = []
    if what.contents == "all":
        for (row, col), formula in piece.formulas.items():
            values[row, col], kinds[row, col] = 0.0, Kind.BLANK
            formulas += _placed(formula, row, col, piece.shape, target)
    values, kinds = np.tile(values, times), np.tile(kinds, times)
    if what.skip_blanks:
        below, below_kinds = workbook.sheet(sheet_id).cells.read(target)
        held = workbook.sheet(sheet_id).cells.formulas_in(target)
        blank = kinds == Kind.BLANK
        values, kinds = np.where(blank, below, values), np.where(blank, below_kinds, kinds)
        given = {cell for cell, _ in formulas}
        formulas += [
            (cell, formula)
            for cell, formula in held.items()
            if blank[cell.row - target.top, cell.col - target.left] and cell not in given
        ]
    yield ReplaceRegion(sheet_id, target, ((target, values, kinds),), tuple(formulas), "Paste")


def _placed(
    formula: Formula, row: int, col: int, shape: tuple[int, int], target: Region
) -> Iterator[tuple[Cell, Formula]]:
    """A formula at all its places in the target; a fixed array of several cells cannot repeat."""
    array = formula.array
    is_fixed = array is not None and not formula.dynamic
    if is_fixed and array is not None and (array.rows > shape[0] - row or
                                           array.cols > shape[1] - col):  # fmt: skip
        raise UserError(
            f"The array formula in {array} was copied only in part.", "Copy all of its cells."
        )
    for top in range(target.top + row, target.bottom, shape[0]):
        for left in range(target.left + col, target.right, shape[1]):
            area = None
            if is_fixed and array is not None:
                area = Region(top, left, top + array.rows, left + array.cols)
            yield Cell(top, left), replace(formula, array=area)


def _looks(
    workbook: Workbook, piece: Piece, sheet_id: int, target: Region
) -> Iterator[tuple[Region, Format]]:
    palette = workbook.palette
    looks = piece.looks
    rows, cols = piece.shape
    here = workbook.sheet(sheet_id).formats
    if (looks == looks[0, 0]).all():
        look = palette.format(int(looks[0, 0]))
        if look != Format() or not here.is_plain(target):
            yield target, look
        return
    if (looks == looks[:1]).all():
        for left in range(target.left, target.right):
            look = palette.format(int(looks[0, (left - target.left) % cols]))
            yield Region(target.top, left, target.bottom, left + 1), look
        return
    if target.size > MOST_LOOKS:
        return
    for cell in target.cells():
        at = (cell.row - target.top) % rows, (cell.col - target.left) % cols
        yield Region.of(cell), palette.format(int(looks[at]))


def _turned(expr: Expr) -> Expr:
    """A formula whose relative references turn with the cells; absolute ones stay."""

    def turn(ref: Ref) -> Ref:
        if ref.row_abs or ref.col_abs:
            return ref
        return Ref(ref.sheet, ref.col, ref.row, False, False)

    def change(node: Expr) -> Expr:
        if isinstance(node, Ref):
            return turn(node)
        if isinstance(node, Range):
            return Range(turn(node.first), turn(node.last))
        return node

    return transform(expr, change)
