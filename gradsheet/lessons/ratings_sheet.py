"""Lays ratings, embeddings, predictions and loss out on a sheet, at the lecture's addresses.

For 15 users, 15 items and 5 factors the blocks lie where collab_filter.xlsx has them; other
sizes move them by the same rules. Knows which cell holds what, not what a lesson says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gradsheet.formula.address import Cell, Region, column_name
from gradsheet.formula.syntax import parse
from gradsheet.learn.problem import Parameter, Problem
from gradsheet.lessons.lesson import Crosstab, LessonBook
from gradsheet.sheet.cells import Content, Formula
from gradsheet.sheet.edits import FormatChange, SetCells, SetFormat, SetRoles
from gradsheet.sheet.workbook import Role, RoleRegion, Sheet, Workbook

FACTORS = 5
FIRST_ITEM_COLUMN = 7
"""Column H: ids of items, ratings, item embeddings and predictions start here."""
USER_ID_COLUMN = 6
"""Column G."""

START_DEVIATION = 0.1
"""Of the random embeddings. The dot product has a local minimum at RMSE 0.402 where starts may end:
1 of seeds 0 to 59, on which this deviation was picked among eight, and 4.5 % of 200 others."""

FACTOR_PX, ID_PX, ITEM_PX = 50, 64, 56
"""Column widths: all columns to the loss fit a full-HD window beside both panels."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the blocks of a collaborative-filtering sheet lie.

    `bias_rows` is 1 where a row of item biases stands above the item embeddings (and a column
    of user biases left of the user embeddings), else 0.
    """

    users: int
    items: int
    factors: int
    bias_rows: int

    @property
    def ratings(self) -> Region:
        """The actual ratings: H2:V16."""
        return Region(1, FIRST_ITEM_COLUMN, 1 + self.users, FIRST_ITEM_COLUMN + self.items)

    @property
    def item_bias(self) -> Region:
        """One bias an item: H19:V19 (empty without biases)."""
        top = self.users + 3
        return Region(top, FIRST_ITEM_COLUMN, top + self.bias_rows, FIRST_ITEM_COLUMN + self.items)

    @property
    def item_factors(self) -> Region:
        """One column of factors an item: H19:V23, below the biases H20:V24."""
        top = self.item_bias.bottom
        return Region(top, FIRST_ITEM_COLUMN, top + self.factors, FIRST_ITEM_COLUMN + self.items)

    @property
    def predictions(self) -> Region:
        """The predictions: H25:V39, with biases H26:V40."""
        top = self.item_factors.bottom + 1
        return Region(top, FIRST_ITEM_COLUMN, top + self.users, FIRST_ITEM_COLUMN + self.items)

    @property
    def user_factors(self) -> Region:
        """One row of factors a user: B25:F39, with biases B26:F40."""
        return Region(self.predictions.top, 1, self.predictions.bottom, 1 + self.factors)

    @property
    def user_bias(self) -> Region:
        """One bias a user: A26:A40 (empty without biases)."""
        return Region(self.predictions.top, 0, self.predictions.bottom, self.bias_rows)

    @property
    def loss(self) -> Cell:
        """The loss: V41, with biases V42."""
        return Cell(self.predictions.bottom + 1, self.predictions.right - 1)


def ratings_book(
    name: str,
    layout: Layout,
    data: Crosstab,
    prediction: str,
    notes: Sequence[tuple[Cell, str]],
    seed: int,
) -> LessonBook:
    """Make the workbook of a collaborative-filtering lesson.

    Parameters
    ----------
    name : str
        Name of its one sheet.
    layout : Layout
    data : Crosstab
        Of the layout's numbers of users and items.
    prediction : str
        Formula of the top-left prediction; the others follow as if filled.
    notes : sequence of (Cell, str)
        Remarks written into cells.
    seed : int
        Of the random start, normal with mean 0 and deviation `START_DEVIATION`.
    """
    workbook = Workbook.with_sheet(name)
    sheet = workbook.sheets[0]
    loss = Region.of(layout.loss)
    roles = [role for role in _roles(layout) if not role.region.is_empty]
    trained = [role.region for role in roles if role.role in (Role.ITEM, Role.USER)]
    generator = np.random.default_rng(seed)
    cells = [*_ids_and_ratings(layout, data), *notes]
    for region in trained:
        cells += numbers(region, generator.normal(0.0, START_DEVIATION, region.shape))
    cells += fill_formula(layout.predictions, prediction)
    cells += fill_formula(loss, root_mean_square_error(layout))
    workbook.apply(SetCells(sheet.id, tuple(cells)))
    workbook.apply(SetRoles(sheet.id, tuple(roles)))
    for region in (*trained, layout.predictions):
        workbook.apply(SetFormat(sheet.id, region, FormatChange(number="0.00")))
    workbook.apply(SetFormat(sheet.id, loss, FormatChange(number="0.0000", bold=True)))
    label_axes(sheet, layout, data)
    return LessonBook(
        workbook=workbook,
        problem=Problem(
            loss=(sheet.id, layout.loss),
            parameters=tuple(Parameter(sheet.id, region) for region in trained),
        ),
        optimizer="adam",
        hyper={"lr": 0.05},
        sheet=sheet.id,
        selection=Cell(layout.predictions.top, layout.predictions.left),
        loss_name="RMSE",
    )


def _roles(layout: Layout) -> tuple[RoleRegion, ...]:
    return (
        RoleRegion(layout.ratings, Role.DATA, "actual rating"),
        RoleRegion(layout.item_bias, Role.ITEM, "movie bias"),
        RoleRegion(layout.item_factors, Role.ITEM, "movie embedding"),
        RoleRegion(layout.user_bias, Role.USER, "user bias"),
        RoleRegion(layout.user_factors, Role.USER, "user embedding"),
        RoleRegion(layout.predictions, Role.PREDICTION, "prediction"),
        RoleRegion(Region.of(layout.loss), Role.LOSS, "RMSE"),
    )


def _ids_and_ratings(layout: Layout, data: Crosstab) -> list[tuple[Cell, Content]]:
    """Return the ids around both crosstabs and the ratings; unrated cells stay blank."""
    first = layout.predictions.top
    cells: list[tuple[Cell, Content]] = [
        (Cell(0, USER_ID_COLUMN), "movieId"),
        (Cell(1, USER_ID_COLUMN - 1), "userId"),
        (Cell(first - 2, USER_ID_COLUMN), "movieId"),
        (Cell(first - 1, USER_ID_COLUMN - 1), "userId"),
    ]
    for j, item in enumerate(data.items):
        for row in (0, first - 1):
            cells.append((Cell(row, FIRST_ITEM_COLUMN + j), float(item)))
    for i, user in enumerate(data.users):
        for row in (1 + i, first + i):
            cells.append((Cell(row, USER_ID_COLUMN), float(user)))
    for cell, rating in numbers(layout.ratings, data.ratings):
        if not np.isnan(rating):
            cells.append((cell, rating))
    return cells


def label_axes(sheet: Sheet, layout: Layout, data: Crosstab) -> None:
    """Write users, items and factors beside the row numbers and column letters."""
    for j, label in enumerate(data.item_labels):
        sheet.column_labels[FIRST_ITEM_COLUMN + j] = label
    for k in range(layout.factors):
        sheet.column_labels[layout.user_factors.left + k] = f"factor {k + 1}"
        sheet.row_labels[layout.item_factors.top + k] = f"factor {k + 1}"
    if not layout.item_bias.is_empty:
        sheet.row_labels[layout.item_bias.top] = "bias"
        sheet.column_labels[layout.user_bias.left] = "bias"
    for i, label in enumerate(data.user_labels):
        sheet.row_labels[layout.ratings.top + i] = label
        sheet.row_labels[layout.predictions.top + i] = label
    sheet.column_widths.update(dict.fromkeys(range(USER_ID_COLUMN), FACTOR_PX))
    sheet.column_widths[USER_ID_COLUMN] = ID_PX
    items = range(layout.ratings.left, layout.ratings.right)
    sheet.column_widths.update(dict.fromkeys(items, ITEM_PX))


def fill_formula(region: Region, text: str) -> list[tuple[Cell, Content]]:
    """Return `text`, written for the top-left cell, as the formula of every cell of a region."""
    formula = Formula(parse(text, Cell(region.top, region.left)))
    return [(cell, formula) for cell in region.cells()]


def numbers(region: Region, values: NDArray[np.float64]) -> list[tuple[Cell, float]]:
    """Return an array as the numbers of a region of the same shape."""
    return [
        (cell, float(value)) for cell, value in zip(region.cells(), values.reshape(-1), strict=True)
    ]


def dot_product(layout: Layout) -> str:
    """Return the prediction of the top-left cell: its user's factors times its item's.

    A cell that nobody rated predicts 0, as in the lecture, so that it cannot enter the loss.
    For the lecture's sizes: ``=IF(H2="",0,MMULT($B25:$F25,H$19:H$23))``.
    """
    rating = Cell(layout.ratings.top, layout.ratings.left)
    user, item = layout.user_factors, layout.item_factors
    row = user.top + 1
    first, last = column_name(user.left), column_name(user.right - 1)
    column = column_name(item.left)
    return (
        f'=IF({rating}="",0,MMULT(${first}{row}:${last}{row},'
        f"{column}${item.top + 1}:{column}${item.bottom}))"
    )


def root_mean_square_error(layout: Layout) -> str:
    """Return the loss over the rated cells: ``=SQRT(SUMXMY2(H2:V16,H25:V39)/COUNT(H2:V16))``."""
    actual, predicted = layout.ratings, layout.predictions
    return f"=SQRT(SUMXMY2({actual},{predicted})/COUNT({actual}))"
