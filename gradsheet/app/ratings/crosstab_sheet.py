"""The sheet Crosstab of a rating set: where its blocks lie, their formulas and their numbers.

Owns the layout, which is the bias lesson's, widened to any number of factors. The formulas read
the sheets Users and Items; `computed` gives the same numbers without an engine, for live runs.
Must not know documents or windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from gradsheet.app.ratings.choices import LearnChoice, ModelChoice
from gradsheet.app.ratings.layers_sheet import Layout, NetShape
from gradsheet.app.ratings.learned import Learned
from gradsheet.formula.address import Cell, Region, column_name
from gradsheet.formula.syntax import Ref, parse
from gradsheet.sheet.cells import Content, Formula
from gradsheet.sheet.roles import Role, RoleRegion

if TYPE_CHECKING:
    from gradsheet.sheet.workbook import Sheet

LAYERS = "Layers"
"""Name of the sheet of a net's layers."""
Link = Literal["identity", "sigmoid", "clip", "net"]
Doubles = npt.NDArray[np.float64]

LESSON_FACTORS = 5
"""Factors that the layout has room for at least, and shows all of: the lesson's number."""
SHOWN_OF_MANY = 3
"""Factors whose rows and columns are not hidden where there are more, so that items are seen."""
_RANGE_LABELS = {
    "sigmoid": ("lowest prediction", "highest prediction"),
    "clip": ("lowest prediction", "highest prediction", "mean of all ratings"),
}
RANGE_COLUMN = 3
"""Column D: the range of predictions and the mean, above the user embeddings."""
FACTOR_PX, ID_PX, ITEM_PX = 50, 64, 56


@dataclass(frozen=True, slots=True)
class Shape:
    """What the layout and the formulas depend on.

    Attributes
    ----------
    users, items : int
        Of the crosstab.
    user_factors, item_factors : int
    has_bias : bool
    link : {"identity", "sigmoid", "clip", "net"}
    net : NetShape or None
        Of a net whose layers are laid out as formulas.
    """

    users: int
    items: int
    user_factors: int
    item_factors: int
    has_bias: bool
    link: Link
    net: NetShape | None = None

    @property
    def layers(self) -> Layout | None:
        """Where the layers stand on their own sheet; None where they are not laid out."""
        return None if self.net is None else Layout(self.net, self.users, self.items)

    @property
    def first_item(self) -> int:
        """Column of the first item; H for five factors or fewer."""
        return max(self.user_factors, LESSON_FACTORS) + 2

    @property
    def ratings(self) -> Region:
        """The actual ratings."""
        return Region(1, self.first_item, 1 + self.users, self.first_item + self.items)

    @property
    def item_block(self) -> Region:
        """Item biases, if there are any, and below them a column of factors for each item."""
        top = self.users + 3
        rows = self.has_bias + self.item_factors
        return Region(top, self.first_item, top + rows, self.first_item + self.items)

    @property
    def predictions(self) -> Region:
        """The predictions."""
        top = self.item_block.bottom + 1
        return Region(top, self.first_item, top + self.users, self.first_item + self.items)

    @property
    def user_block(self) -> Region:
        """A row for each user: the bias, if there is one, in column A, the factors from B on."""
        left = 0 if self.has_bias else 1
        return Region(self.predictions.top, left, self.predictions.bottom, 1 + self.user_factors)

    @property
    def loss(self) -> Cell:
        """The error of the predictions of rated cells."""
        return Cell(self.predictions.bottom + 1, self.predictions.right - 1)

    def roles(self) -> tuple[RoleRegion, ...]:
        """Return the lesson's colours."""
        b = int(self.has_bias)
        items, users = self.item_block, self.user_block
        found = (
            RoleRegion(self.ratings, Role.DATA, "actual rating"),
            RoleRegion(Region(items.top, items.left, items.top + b, items.right), Role.ITEM,
                       "item bias"),
            RoleRegion(Region(items.top + b, items.left, items.bottom, items.right), Role.ITEM,
                       "item embedding"),
            RoleRegion(Region(users.top, 0, users.bottom, b), Role.USER, "user bias"),
            RoleRegion(Region(users.top, 1, users.bottom, users.right), Role.USER,
                       "user embedding"),
            RoleRegion(self.predictions, Role.PREDICTION, "prediction"),
            RoleRegion(Region.of(self.loss), Role.LOSS, "RMSE"),
        )  # fmt: skip
        return tuple(role for role in found if not role.region.is_empty)


def shape_of(model: ModelChoice, learn: LearnChoice, users: int, items: int,
             widths: tuple[int, int], net: NetShape | None = None) -> Shape:  # fmt: skip
    """Return the shape for choices.

    ``widths`` are those of the user and item embeddings; ``net`` is given once a net is made.
    """
    link: Link = "identity"
    if model.kind == "net":
        link = "net"
    elif learn.mode == "fast":
        link = "clip"
    elif model.kind == "bias" and model.y_range is not None:
        link = "sigmoid"
    if net is not None and not net.fits(users * items):
        net = None
    return Shape(users, items, *widths, has_bias=model.kind == "bias", link=link, net=net)


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """The users and items of a crosstab and the ratings between them.

    Attributes
    ----------
    users, items : ndarray of int
        Codes.
    user_ids, item_ids : sequence of str or int
    user_labels, item_labels : sequence of str
        Beside the row numbers and column letters.
    ratings : ndarray (n_users, n_items) float64
        NaN where there is none.
    rows : ndarray (n_users, n_items) int64
        Row of each rating in the table, -1 where there is none.
    """

    users: npt.NDArray[np.int64]
    items: npt.NDArray[np.int64]
    user_ids: Sequence[str | float]
    item_ids: Sequence[str | float]
    user_labels: Sequence[str]
    item_labels: Sequence[str]
    ratings: Doubles
    rows: npt.NDArray[np.int64]


def cells_of(shape: Shape, pairs: Pairs, learned: Learned | None) -> list[tuple[Cell, Content]]:
    """Return everything that stands on the sheet."""
    first, corner = shape.predictions, shape.first_item - 1
    cells: list[tuple[Cell, Content]] = [
        (Cell(0, corner), "item"),
        (Cell(first.top - 1, corner), "item"),
    ]
    for j, item in enumerate(pairs.item_ids):
        cells += [(Cell(row, shape.first_item + j), item) for row in (0, first.top - 1)]
    for i, user in enumerate(pairs.user_ids):
        cells += [(Cell(top + i, corner), user) for top in (1, first.top)]
    for (i, j), rating in np.ndenumerate(pairs.ratings):
        if not np.isnan(rating):
            cells.append((Cell(1 + i, shape.first_item + j), float(rating)))
    cells += _range_cells(shape, learned)
    cells += _embeddings(shape, pairs)
    text = prediction(shape)
    if text:
        formula = Formula(parse(text, first.first))
        cells += [(cell, formula) for cell in first.cells()]
    cells.append((Cell(shape.loss.row, shape.loss.col - 1), "RMSE"))
    cells.append((shape.loss, Formula(parse(_rmse(shape), shape.loss))))
    return cells


def _range_cells(shape: Shape, learned: Learned | None) -> list[tuple[Cell, Content]]:
    """Return what stands above the user embeddings: the range of predictions, and the mean."""
    if shape.link == "net" and shape.layers is not None:
        return [(Cell(1, 0), "The net's formulas:"), (Cell(2, 0), "see the sheet Layers.")]
    if shape.link == "net":
        return [
            (Cell(1, 0), "The model's own predictions:"),
            (Cell(2, 0), "so large a net is not laid out"),
            (Cell(3, 0), "as formulas. Choose fewer"),
            (Cell(4, 0), "users, items or units."),
        ]
    numbers = _range(shape, learned)
    cells: list[tuple[Cell, Content]] = []
    for row, label in enumerate(_RANGE_LABELS.get(shape.link, ()), 1):
        number = numbers[row - 1, 0] if len(numbers) else None
        cells += [(Cell(row, 0), label), (Cell(row, RANGE_COLUMN), number)]
    return cells


def _range(shape: Shape, learned: Learned | None) -> Doubles:
    """Return the numbers of those cells, down; none while nothing is known."""
    count = len(_RANGE_LABELS.get(shape.link, ()))
    if not count or learned is None or learned.factors is None:
        return np.empty((0, 1))
    factors = learned.factors
    return np.array([factors.low, factors.high, factors.mean][:count], np.float64)[:, None]


def _embeddings(shape: Shape, pairs: Pairs) -> list[tuple[Cell, Content]]:
    """Return the formulas that read Users and Items: ``=Users!F17``."""
    cells: list[tuple[Cell, Content]] = []
    users, items, first = shape.user_block, shape.item_block, shape.first_item
    for i, user in enumerate(pairs.users.tolist()):
        for c in range(users.left, users.right):
            cell = Cell(users.top + i, c)
            # Column D holds the bias on Users, E on Items; the factors follow.
            cells.append((cell, _reference("Users", 3 + c, user + 2, cell)))
    skip = 0 if shape.has_bias else 1
    for j, item in enumerate(pairs.items.tolist()):
        for r in range(items.rows):
            cell = Cell(items.top + r, first + j)
            cells.append((cell, _reference("Items", 4 + skip + r, item + 2, cell)))
    return cells


def _reference(sheet: str, col: int, row: int, host: Cell) -> Formula:
    """Return ``=sheet!`` the cell of a column and a row number, put together: parsing is slow."""
    return Formula(Ref(sheet, row - 1 - host.row, col - host.col, False, False))


def prediction(shape: Shape) -> str:
    """Return the formula of the first prediction; empty for a net that is not laid out.

    With a sigmoid, for the lesson's sizes:
    ``=$D$2+($D$3-$D$2)/(1+EXP(-(MMULT($B26:$F26,H$20:H$24)+H$19+$A26)))``.
    """
    if shape.link == "net":
        layers = shape.layers
        return "" if layers is None else layers.prediction_text(LAYERS, shape.predictions.first)
    row, col = shape.predictions.top + 1, column_name(shape.first_item)
    top = shape.item_block.top + 1 + shape.has_bias
    last = column_name(shape.user_factors)
    score = f"MMULT($B{row}:${last}{row},{col}${top}:{col}${shape.item_block.bottom})"
    if shape.has_bias:
        score += f"+{col}${top - 1}+$A{row}"
    low, high, mean = (f"${column_name(RANGE_COLUMN)}${r}" for r in (2, 3, 4))
    if shape.link == "sigmoid":
        return f"={low}+({high}-{low})/(1+EXP(-({score})))"
    if shape.link == "clip":
        return f"=MAX({low},MIN({high},{mean}+{score}))"
    return f"={score}"


def _rmse(shape: Shape) -> str:
    """Return the error over the rated cells; unrated ones have a prediction too."""
    actual, predicted = shape.ratings, shape.predictions
    return f'=SQRT(SUMPRODUCT(({actual}<>"")*({actual}-{predicted})^2)/COUNT({actual}))'


def numbers_of(shape: Shape, pairs: Pairs, learned: Learned) -> list[tuple[Region, Doubles]]:
    """Return the numbers of every cell that follows what is learned, by region."""
    users = np.asarray(learned.user_rows[pairs.users], np.float64)
    items = np.asarray(learned.item_rows[pairs.items], np.float64)
    if shape.has_bias and learned.factors is not None:
        users = np.column_stack([learned.factors.user_bias[pairs.users], users])
        items = np.column_stack([learned.factors.item_bias[pairs.items], items])
    n, m = shape.users, shape.items
    predicted = learned.predict(np.repeat(pairs.users, m), np.tile(pairs.items, n)).reshape(n, m)
    errors = (pairs.ratings - predicted)[~np.isnan(pairs.ratings)]
    found: list[tuple[Region, Doubles]] = [
        (shape.user_block, users),
        (shape.item_block, np.ascontiguousarray(items.T)),
        (shape.predictions, predicted),
    ]
    limits = _range(shape, learned)
    if len(limits):
        found.append((Region(1, RANGE_COLUMN, 1 + len(limits), RANGE_COLUMN + 1), limits))
    if len(errors):
        rmse = np.sqrt(np.mean(errors**2))
        found.append((Region.of(shape.loss), np.array([[rmse]])))
    return found


def shown_factors(factors: int) -> int:
    """Return how many of so many factors have rows or columns that are not hidden."""
    return factors if factors <= LESSON_FACTORS else SHOWN_OF_MANY


def dress(sheet: Sheet, shape: Shape, pairs: Pairs) -> None:
    """Label rows and columns, hide the factors beyond the first five, set widths."""
    sheet.column_labels, sheet.row_labels, sheet.notes = {}, {}, {}
    sheet.column_widths, sheet.row_heights = {}, {}
    users, items, first = shape.user_block, shape.item_block, shape.predictions
    for j, label in enumerate(pairs.item_labels):
        sheet.column_labels[shape.first_item + j] = label
        sheet.column_widths[shape.first_item + j] = ITEM_PX
    for i, label in enumerate(pairs.user_labels):
        sheet.row_labels[1 + i] = sheet.row_labels[first.top + i] = label
    if shape.has_bias:
        sheet.column_labels[0] = sheet.row_labels[items.top] = "bias"
    for f in range(max(shape.user_factors, LESSON_FACTORS)):
        is_shown = f < shown_factors(shape.user_factors)
        sheet.column_widths[1 + f] = FACTOR_PX if is_shown else -FACTOR_PX
        if f < shape.user_factors:
            sheet.column_labels[1 + f] = f"factor {f + 1}"
    for f in range(shape.item_factors):
        row = items.top + shape.has_bias + f
        sheet.row_labels[row] = f"factor {f + 1}"
        if f >= shown_factors(shape.item_factors):
            sheet.row_heights[row] = 0
    sheet.column_widths[0] = FACTOR_PX
    sheet.column_widths[shape.first_item - 1] = ID_PX
    shown = shown_factors(shape.item_factors)
    if shown < shape.item_factors:
        row = items.top - 1
        sheet.notes[Cell(row, shape.first_item)] = (
            f"{shown} of {shape.item_factors} factors are shown; the others are in hidden "
            "rows and columns. Select across them and unhide."
        )
    del users
