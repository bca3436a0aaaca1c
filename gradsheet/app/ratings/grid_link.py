"""Where items and users stand on the sheets of a rating set, and who is selected there.

Owns the way between codes and cells. Must not know windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gradsheet.app.ratings.session import Selection
from gradsheet.formula.address import Region

if TYPE_CHECKING:
    from gradsheet.app.ratings.workbook import RatingsBook

MOST = 200
"""Lines that are linked: more than that is everything, and lights nothing up."""


def place_of_items(book: RatingsBook, sheet: int, items: Sequence[int]) -> list[Region]:
    """Return the lines of items on a sheet: rows of Items, columns of the crosstab.

    Empty where the sheet shows none of them.
    """
    if sheet == book.items.id:
        right = max(book.items.cells.used().right, 1)
        return [Region(code + 1, 0, code + 2, right) for code in items[:MOST]]
    if sheet == book.crosstab.id:
        shape = book.shape
        column_of = {int(code): j for j, code in enumerate(book.pairs.items)}
        columns = [shape.first_item + column_of[c] for c in items if c in column_of]
        bottom = shape.predictions.bottom
        return [Region(0, column, bottom, column + 1) for column in sorted(columns)]
    return []


def chosen_in_grid(
    book: RatingsBook, sheet: int, regions: Sequence[Region]
) -> Selection | None:
    """Return who is selected on a sheet.

    The side of which nothing is selected stays as it is. None where the sheet has no lines of
    users or items, or too many are selected.
    """
    now = book.session.selection
    if sheet == book.items.id:
        codes = _rows(regions, book.session.table.n_items)
        return None if codes is None else Selection(now.users, codes)
    if sheet == book.users.id:
        codes = _rows(regions, book.session.table.n_users)
        return None if codes is None else Selection(codes, now.items)
    if sheet != book.crosstab.id:
        return None
    shape, pairs = book.shape, book.pairs
    items: dict[int, None] = {}
    users: dict[int, None] = {}
    for region in regions:
        for column in range(max(region.left, shape.first_item),
                            min(region.right, shape.ratings.right)):  # fmt: skip
            items[int(pairs.items[column - shape.first_item])] = None
        for block in (shape.ratings, shape.predictions):
            for row in range(max(region.top, block.top), min(region.bottom, block.bottom)):
                users[int(pairs.users[row - block.top])] = None
    if not items and not users:
        return None
    return Selection(tuple(users) or now.users, tuple(items) or now.items)


def _rows(regions: Sequence[Region], count: int) -> tuple[int, ...] | None:
    """Return the codes whose rows are selected; None for none or too many."""
    if sum(region.rows for region in regions) > MOST:
        return None
    codes = {
        row - 1
        for region in regions
        for row in range(region.top, region.bottom)
        if 1 <= row <= count
    }
    return tuple(sorted(codes)) or None
