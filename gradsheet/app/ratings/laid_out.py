"""The cells of a crosstab, made apart from the workbook, so that a thread can make them.

Owns filling them: some ten thousand formulas for 60 users by 60 items, of which the window's
thread then only takes the finished store. Must not know documents or windows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gradsheet.app.ratings import layers_sheet
from gradsheet.app.ratings.crosstab_sheet import Pairs, Shape, cells_of
from gradsheet.formula.values import pack
from gradsheet.sheet.cells import CellStore, Formula
from gradsheet.tasks import Control

if TYPE_CHECKING:
    from gradsheet.app.ratings.learned import Learned
    from gradsheet.formula.values import Strings

AT_ONCE = 2000
"""Cells that the window's thread may fill by itself: 8 ms of work."""


@dataclass(frozen=True, slots=True, eq=False)
class LaidOut:
    """Cells ready to be put into their sheets.

    Attributes
    ----------
    shape : Shape
    pairs : Pairs
    cells : CellStore
        Of the crosstab.
    layers : CellStore or None
        Of a net's layers, where the shape has them.
    """

    shape: Shape
    pairs: Pairs
    cells: CellStore
    layers: CellStore | None

    def is_of(self, shape: Shape, pairs: Pairs) -> bool:
        """Whether it is what a sheet of that shape shows for those pairs."""
        return self.pairs is pairs and self.shape == shape


def laid_out(
    shape: Shape,
    pairs: Pairs,
    learned: Learned | None,
    strings: Strings,
    control: Control | None = None,
) -> LaidOut:
    """Fill new stores with formulas and what does not change while a model learns."""
    store, formulas, constants = CellStore(), [], {}
    for cell, content in cells_of(shape, pairs, learned):
        if isinstance(content, Formula):
            formulas.append((cell, content))
        else:
            constants[cell] = pack(content, strings)
    rows, cols = np.array(list(constants), np.int64).reshape(-1, 2).T
    values, kinds = zip(*constants.values(), strict=True)
    store.put(rows, cols, np.array(values, np.float64), np.array(kinds, np.uint8))
    for at, (cell, formula) in enumerate(formulas):
        if control is not None and not at % AT_ONCE:
            control.checkpoint()
        store.set_formula(cell, formula)
    store.used()  # found here, for whoever takes the store asks at once
    layers = None
    if shape.layers is not None and learned is not None:
        layers = CellStore()
        layers_sheet.fill(layers, shape.layers, pairs, learned, strings)
    return LaidOut(shape, pairs, store, layers)


def is_large(shape: Shape) -> bool:
    """Whether laying it out would hold up the window."""
    blocks = (shape.item_block, shape.user_block, shape.predictions)
    return shape.layers is not None or sum(block.size for block in blocks) > AT_ONCE
