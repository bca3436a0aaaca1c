"""What edits of a rating set mean: cells of the crosstab stand for others, rows for ratings.

Owns that meaning. An edit that means itself comes back as it is. Must not know windows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gradsheet.app.ratings import rating_edits
from gradsheet.formula.address import Cell
from gradsheet.formula.values import Kind, UserError
from gradsheet.sheet.change import Edit
from gradsheet.sheet.edits import (
    ClearCells,
    Composite,
    DeleteColumns,
    DeleteRows,
    Fill,
    InsertColumns,
    InsertRows,
    SetCells,
    SetValues,
)
from gradsheet.sheet.virtual import WriteTable

if TYPE_CHECKING:
    from gradsheet.app.ratings.workbook import RatingsBook

RATING = 3
"""Column of the rating on Ratings."""
FIRST = {"users": 4, "items": 5}
"""Column of the first factor on Users and Items; the bias stands before it."""


_WRITES = (SetCells, SetValues, ClearCells, Fill, InsertRows, DeleteRows, InsertColumns,
           DeleteColumns)  # fmt: skip


class Place(NamedTuple):
    """A cell of a table: sheet, row of the table (-1: there is none), column."""

    sheet: int
    row: int
    col: int


def redirected(book: RatingsBook, edit: Edit) -> Edit:
    """Return the edit that is meant.

    Raises
    ------
    UserError
        If what it asks of ratings or embeddings is not possible.
    """
    if book.layers is not None and isinstance(edit, _WRITES) and edit.sheet == book.layers.id:
        raise UserError(
            "The sheet Layers shows the net as it is.",
            "Edit embeddings on Users and Items, or write on a sheet of your own.",
        )
    if isinstance(edit, Composite) and edit.edits:
        parts = [each for each in edit.edits if isinstance(each, ClearCells | DeleteRows)]
        if len(parts) == len(edit.edits) and len({each.sheet for each in parts}) == 1:
            return _cleared(book, parts) or edit
        return edit
    if isinstance(edit, ClearCells | DeleteRows):
        return _cleared(book, [edit]) or edit
    if isinstance(edit, SetCells) and edit.sheet == book.crosstab.id:
        return _typed(book, edit)
    return edit


def _typed(book: RatingsBook, edit: SetCells) -> Edit:
    """Return what was typed into the crosstab, or cleared there."""
    cell, value = edit.cells[0] if len(edit.cells) == 1 else (Cell(0, 0), None)
    if not isinstance(value, int | float):
        touched = [Cell(*cell) for cell, _ in edit.cells]
        if any(_stands_for(book, cell) for cell in touched):
            if all(content is None for _, content in edit.cells):
                return _removed(book, touched)
            raise UserError(
                "These cells show the ratings and the model.",
                "Type one number at a time, or edit them on Ratings, Users and Items.",
            )
        return edit
    cell = Cell(*cell)
    place = _stands_for(book, cell)
    if place is None:
        return edit
    if place.row < 0:
        ratings = book.shape.ratings
        user, item = book.pairs.users[cell.row - ratings.top], book.pairs.items[
            cell.col - ratings.left]  # fmt: skip
        return rating_edits.added(book, int(user), int(item), float(value))
    return WriteTable(
        place.sheet,
        np.array([place.row]),
        np.array([place.col]),
        np.array([float(value)]),
        np.array([Kind.NUMBER], np.uint8),
        f"Type into {cell}",
    )


def _cleared(book: RatingsBook, parts: list[ClearCells | DeleteRows]) -> Edit | None:
    """Return the removal of ratings that clearing means; None where it means itself."""
    sheet = parts[0].sheet
    if sheet == book.crosstab.id and all(isinstance(part, ClearCells) for part in parts):
        shape = book.shape
        own = (shape.ratings, shape.user_block, shape.item_block, shape.predictions)
        regions = [part.region for part in parts if isinstance(part, ClearCells)]
        inside = [r.intersect(block) for r in regions for block in own]
        if not any(inside):
            return None
        cells = [cell for region in inside if region is not None for cell in region.cells()]
        return _removed(book, cells)
    if sheet != book.ratings.id:
        return None
    store = book.ratings_store
    shown: list[int] = []
    for part in parts:
        if isinstance(part, DeleteRows):
            first, stop = part.at, part.at + part.count
        elif part.region.left <= RATING < part.region.right:
            first, stop = part.region.top, part.region.bottom
        else:
            return None
        shown += range(max(first, 1), min(stop, store.shown + 1))
    if not shown:
        return None
    return rating_edits.removed(book, store.table_rows(np.unique(shown)))


def _removed(book: RatingsBook, cells: Iterable[Cell]) -> Edit:
    """Return the removal of ratings that cells of the crosstab show.

    Raises
    ------
    UserError
        If a cell shows something else.
    """
    places = [_stands_for(book, cell) for cell in cells]
    if any(place is None or place.sheet != book.ratings.id for place in places):
        raise UserError(
            "Embeddings and predictions cannot be cleared, ratings can.",
            "Select ratings only, or type other numbers.",
        )
    rows = [place.row for place in places if place is not None and place.row >= 0]
    if not rows:
        raise UserError("There is no rating in these cells.", "Type a number to add one.")
    return rating_edits.removed(book, rows)


def _stands_for(book: RatingsBook, cell: Cell) -> Place | None:
    """Return what a cell of the crosstab shows."""
    shape, pairs = book.shape, book.pairs
    if shape.ratings.contains(cell):
        row = int(pairs.rows[cell.row - 1, cell.col - shape.first_item])
        return Place(book.ratings.id, row, RATING)
    if shape.user_block.contains(cell):
        user = int(pairs.users[cell.row - shape.user_block.top])
        return Place(book.users.id, user, FIRST["users"] - 1 + cell.col)
    if shape.item_block.contains(cell):
        item = int(pairs.items[cell.col - shape.first_item])
        factor = cell.row - shape.item_block.top - shape.has_bias
        return Place(book.items.id, item, FIRST["items"] + factor)
    return None
