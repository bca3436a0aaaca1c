"""The sheet Layers of a net: its weights, and a row for each pair of the crosstab in live formulas.

Owns the layout: inputs across, beside them a block of columns for each layer with its weights
above it. The embeddings come from Users and Items. Must not know documents or windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gradsheet.formula.address import Cell, Region, column_name
from gradsheet.formula.syntax import parse
from gradsheet.formula.values import Kind
from gradsheet.sheet.cells import CellStore, Formula
from gradsheet.sheet.roles import Role, RoleRegion

if TYPE_CHECKING:
    from gradsheet.app.ratings.crosstab_sheet import Pairs
    from gradsheet.app.ratings.learned import Learned, NetLayers
    from gradsheet.formula.values import Strings
    from gradsheet.sheet.workbook import Sheet

Doubles = npt.NDArray[np.float64]
Numbers = tuple[Region, Doubles]

MOST_CELLS = 40_000
"""Formulas that the sheet may have; a larger net shows its predictions as numbers."""
FIRST = 2
"""Column of the first input, behind the rows of user and item."""
TOP = 2
"""Row of the first weights."""
INPUT_PX, ROW_PX = 50, 64


@dataclass(frozen=True, slots=True)
class NetShape:
    """Sizes of a net.

    Attributes
    ----------
    users, items, genres, times : int
        Inputs of each sort.
    widths : tuple of int
        Outputs of each layer; the last has 1.
    is_bounded : bool
        Whether a sigmoid keeps the predictions in a range.
    """

    users: int
    items: int
    genres: int
    times: int
    widths: tuple[int, ...]
    is_bounded: bool

    @classmethod
    def of(cls, learned: Learned, net: NetLayers) -> NetShape:
        """Return the sizes of what is learned."""
        return cls(
            learned.user_rows.shape[1],
            learned.item_rows.shape[1],
            0 if net.genres is None else net.genres.shape[1],
            net.n_times,
            tuple(len(weight) for weight in net.weights),
            net.y_range is not None,
        )

    @property
    def inputs(self) -> int:
        """Inputs of the first layer."""
        return self.users + self.items + self.genres + self.times

    def fits(self, pairs: int) -> bool:
        """Whether the sheet can hold the formulas of so many pairs."""
        return pairs * (self.users + self.items + sum(self.widths) + 1) <= MOST_CELLS


@dataclass(frozen=True, slots=True)
class Layout:
    """Where what stands.

    Attributes
    ----------
    net : NetShape
    users, items : int
        Of the crosstab.
    """

    net: NetShape
    users: int
    items: int

    @property
    def bias_row(self) -> int:
        """Row of the layers' biases, below the weights of the widest input."""
        return TOP + max(self.net.inputs, *self.net.widths)

    @property
    def number_row(self) -> int:
        """Row of the factors' numbers, above the pairs."""
        return self.bias_row + 2

    @property
    def rows(self) -> tuple[int, int]:
        """First row of the pairs and the one after the last."""
        first = self.number_row + 1
        return first, first + self.users * self.items

    def block(self, left: int, width: int) -> Region:
        """Return columns of the pairs' rows."""
        return Region(self.rows[0], left, self.rows[1], left + width)

    @property
    def user_inputs(self) -> Region:
        """The users' embeddings."""
        return self.block(FIRST, self.net.users)

    @property
    def item_inputs(self) -> Region:
        """The items' embeddings."""
        return self.block(self.user_inputs.right, self.net.items)

    @property
    def features(self) -> Region:
        """Genres and the moment."""
        return self.block(self.item_inputs.right, self.net.genres + self.net.times)

    @property
    def layers(self) -> list[Region]:
        """The outputs of each layer."""
        found, left = [], self.features.right
        for width in self.net.widths:
            found.append(self.block(left, width))
            left += width
        return found

    @property
    def predictions(self) -> Region:
        """The last column."""
        return self.block(self.layers[-1].right, 1)

    @property
    def everything(self) -> Region:
        """All that the sheet holds."""
        return Region(0, 0, self.rows[1], self.predictions.right)

    def weights(self) -> list[Region]:
        """Return where each layer's weights stand, inputs down, outputs across."""
        inputs = (self.net.inputs, *self.net.widths)
        return [
            Region(TOP, layer.left, TOP + inputs[k], layer.right)
            for k, layer in enumerate(self.layers)
        ]

    def biases(self) -> list[Region]:
        """Return where each layer's biases stand."""
        row = self.bias_row
        return [Region(row, layer.left, row + 1, layer.right) for layer in self.layers]

    def prediction_text(self, sheet: str, first: Cell) -> str:
        """Return the formula of a crosstab whose first prediction stands in a cell."""
        top, bottom = self.rows
        name = column_name(self.predictions.left)
        place = f"(ROW()-{first.row + 1})*{self.items}+COLUMN()-{first.col}"
        return f"=INDEX('{sheet}'!${name}${top + 1}:${name}${bottom},{place})"


def fill(
    cells: CellStore, layout: Layout, pairs: Pairs, learned: Learned, strings: Strings
) -> None:
    """Write into an empty store: numbers, then the formulas over them."""
    for cell, text in _labels(layout).items():
        cells.write(Region.of(cell), float(strings.id_of(text)), Kind.TEXT)
    for region, numbers in [*_facts(layout, pairs, learned), *numbers_of(layout, pairs, learned)]:
        if not region.is_empty:
            cells.write(region, numbers)
    for region, text in _formulas(layout, pairs, learned):
        if not region.is_empty:
            formula = Formula(parse(text, region.first))
            for cell in region.cells():
                cells.set_formula(cell, formula)


def numbers_of(layout: Layout, pairs: Pairs, learned: Learned) -> list[Numbers]:
    """Return every number that follows what is learned, by region."""
    net = learned.net
    assert net is not None
    found: list[Numbers] = []
    for place, weight in zip(layout.weights(), net.weights, strict=True):
        found.append((place, np.ascontiguousarray(weight.T, np.float64)))
    for place, bias in zip(layout.biases(), net.biases, strict=True):
        found.append((place, bias.astype(np.float64)[None, :]))
    users, items = _pairs(pairs)
    inputs = net.inputs(learned.user_rows[users], learned.item_rows[items], items)
    k, m = layout.net.users, layout.net.items
    found += [(layout.user_inputs, inputs[:, :k]), (layout.item_inputs, inputs[:, k : k + m])]
    found += zip(layout.layers, net.activations(inputs), strict=True)
    found.append((layout.predictions, net.ranged(found[-1][1])))
    return found


def _pairs(pairs: Pairs) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    n, m = len(pairs.users), len(pairs.items)
    return np.repeat(pairs.users, m), np.tile(pairs.items, n)


def _facts(layout: Layout, pairs: Pairs, learned: Learned) -> list[Numbers]:
    """Return what does not change while the net learns."""
    net, (top, bottom) = learned.net, layout.rows
    assert net is not None
    users, items = _pairs(pairs)
    features = np.zeros(layout.features.shape)
    if net.genres is not None:
        features[:, : layout.net.genres] = net.genres[items]
    rows = np.column_stack([users + 1, items + 1]).astype(np.float64)
    found = [(Region(top, 0, bottom, 2), rows), (layout.features, features)]
    for block in (layout.user_inputs, layout.item_inputs):
        above = Region(layout.number_row, block.left, layout.number_row + 1, block.right)
        found.append((above, np.arange(1.0, block.cols + 1)[None, :]))
    if net.y_range is not None:
        found.append((Region(TOP, 1, TOP + 2, 2), np.array(net.y_range, np.float64)[:, None]))
    return found


def _labels(layout: Layout) -> dict[Cell, str]:
    found = {
        Cell(0, 0): "The net as formulas: a row for each pair of the crosstab, its layers across",
        Cell(layout.bias_row, 0): "bias",
        Cell(layout.number_row, 0): "user row",
        Cell(layout.number_row, 1): "item row",
    }
    if layout.net.is_bounded:
        found |= {Cell(TOP, 0): "lowest", Cell(TOP + 1, 0): "highest"}
    for k, layer in enumerate(layout.layers):
        found[Cell(TOP - 1, layer.left)] = f"weights of layer {k + 1}: inputs down"
    return found


def _formulas(layout: Layout, pairs: Pairs, learned: Learned) -> list[tuple[Region, str]]:
    row, number = layout.rows[0] + 1, layout.number_row + 1
    found = []
    for block, sheet, first, count, which in (
        (layout.user_inputs, "Users", 4, len(learned.user_rows), "A"),
        (layout.item_inputs, "Items", 5, len(learned.item_rows), "B"),
    ):
        table = f"${column_name(first)}$2:${column_name(first + block.cols - 1)}${count + 1}"
        here = column_name(block.left)
        found.append((block, f"=INDEX({sheet}!{table},${which}{row},{here}${number})"))
    left, right = FIRST, layout.features.right
    for layer, weights, bias in zip(
        layout.layers, layout.weights(), layout.biases(), strict=True
    ):
        here = column_name(layer.left)
        before = f"${column_name(left)}{row}:${column_name(right - 1)}{row}"
        score = (
            f"MMULT({before},{here}${weights.top + 1}:{here}${weights.bottom})"
            f"+{here}${bias.top + 1}"
        )
        is_last = layer == layout.layers[-1]
        found.append((layer, f"={score}" if is_last else f"=MAX(0,{score})"))
        left, right = layer.left, layer.right
    last = f"{column_name(left)}{row}"
    low, high = f"$B${TOP + 1}", f"$B${TOP + 2}"
    bounded = f"={low}+({high}-{low})/(1+EXP(-{last}))"
    found.append((layout.predictions, bounded if layout.net.is_bounded else f"={last}"))
    return found


def dress(sheet: Sheet, layout: Layout, pairs: Pairs) -> None:
    """Label rows and columns, colour the roles."""
    sheet.column_labels, sheet.row_labels = {}, {}
    sheet.column_widths = {0: ROW_PX, 1: ROW_PX}
    sheet.frozen = Cell(0, 0)
    for word, block in (("user", layout.user_inputs), ("item", layout.item_inputs)):
        for f in range(block.cols):
            sheet.column_labels[block.left + f] = f"{word} factor {f + 1}"
    for f in range(layout.features.cols):
        is_genre = f < layout.net.genres
        sheet.column_labels[layout.features.left + f] = "genre" if is_genre else "moment"
    for k, layer in enumerate(layout.layers):
        for unit in range(layer.cols):
            is_last = k == len(layout.layers) - 1
            text = "score" if is_last else f"layer {k + 1}, unit {unit + 1}"
            sheet.column_labels[layer.left + unit] = text
    sheet.column_labels[layout.predictions.left] = "prediction"
    for col in range(FIRST, layout.predictions.right):
        sheet.column_widths[col] = INPUT_PX
    names: Sequence[str] = pairs.item_labels
    top, m = layout.rows[0], len(names)
    for i, user in enumerate(pairs.user_labels):
        for j, item in enumerate(names):
            sheet.row_labels[top + i * m + j] = f"{user}, {item}"


def roles_of(layout: Layout) -> tuple[RoleRegion, ...]:
    """Return the lesson's colours."""
    weights = [RoleRegion(place, Role.PARAMETER, "weights")
               for place in (*layout.weights(), *layout.biases())]  # fmt: skip
    return (
        RoleRegion(layout.user_inputs, Role.USER, "user embedding"),
        RoleRegion(layout.item_inputs, Role.ITEM, "item embedding"),
        *weights,
        RoleRegion(layout.predictions, Role.PREDICTION, "prediction"),
    )
