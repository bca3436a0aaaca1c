"""What a lesson is, and the crosstab of ratings that the collaborative-filtering lessons share.

Owns the records that every lesson returns. Knows no window and no engine.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gradsheet import resources
from gradsheet.formula.address import Cell
from gradsheet.learn.problem import Problem
from gradsheet.sheet.workbook import Workbook

if TYPE_CHECKING:
    from gradsheet.ratings.table import RatingTable

BUSIEST = 15
"""Users and items in the lesson's crosstab."""


@dataclass(frozen=True, slots=True)
class Crosstab:
    """Some users by some items, as the lessons lay them out.

    Attributes
    ----------
    ratings : ndarray (n_users, n_items) float64
        NaN where the user did not rate the item.
    users, items : tuple of int
        Zero-based index of each user and item in order of first appearance in the file: the
        row of its embedding.
    user_labels, item_labels : tuple of str
        What the rows and columns are called: the file's own ids, or titles.
    source : str
        Where the ratings come from, for the title of the window.
    """

    ratings: NDArray[np.float64]
    users: tuple[int, ...]
    items: tuple[int, ...]
    user_labels: tuple[str, ...]
    item_labels: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class LessonBook:
    """A workbook ready to learn.

    Attributes
    ----------
    workbook : Workbook
    problem : Problem or None
        The loss cell and the changing regions; None until roles say them.
    optimizer : str
        Name in `gradsheet.learn.optimizers.OPTIMIZERS`.
    hyper : mapping of str to float
        Changes to that optimizer's defaults.
    sheet : int
        Id of the sheet to show first.
    selection : Cell
        The cell to select first.
    loss_name : str
        What the loss is called on the axis and in the status bar.
    """

    workbook: Workbook
    problem: Problem | None
    optimizer: str
    sheet: int
    selection: Cell
    loss_name: str = "loss"
    hyper: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lesson:
    """A lesson of the list.

    Attributes
    ----------
    id : str
        Short name for the command line (``lesson:dotprod``) and for files.
    title, summary : str
        One line each.
    text : str
        Name of the Markdown guide below `resources/`.
    build : callable (seed, crosstab or None) -> LessonBook
        Makes the workbook; the same seed gives the same numbers on every machine.
    takes_ratings : bool
        Whether the user's own ratings can be put into it.
    again : callable (Workbook) -> LessonBook, optional
        Makes the workbook once more for what the open one is about, where that can be chosen.
    """

    id: str
    title: str
    summary: str
    text: str
    build: Callable[[int, Crosstab | None], LessonBook]
    takes_ratings: bool = True
    again: Callable[[Workbook], LessonBook] | None = None

    def guide(self) -> str:
        """Return the Markdown text of the guide."""
        return resources.path(self.text).read_text(encoding="utf-8")


def lesson_crosstab() -> Crosstab:
    """Return the lecture's own 15 x 15 ratings, 206 of 225 cells rated."""
    path = resources.path("lessons/ratings.csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    users = sorted({int(row["user"]) for row in rows})
    titles = {int(row["movie"]): row["title"] for row in rows}
    items = sorted(titles)
    ratings = np.full((len(users), len(items)), np.nan)
    for row in rows:
        ratings[users.index(int(row["user"])), items.index(int(row["movie"]))] = float(
            row["rating"]
        )
    return Crosstab(
        ratings=ratings,
        users=tuple(users),
        items=tuple(items),
        user_labels=tuple(f"user {user}" for user in users),
        item_labels=tuple(titles[item] for item in items),
        source="MovieLens, the lecture's 15 x 15",
    )


def crosstab_of(table: RatingTable, source: str, n: int = BUSIEST, m: int = BUSIEST) -> Crosstab:
    """Cut the `n` users with most ratings by the `m` most rated items out of a rating table."""
    users, items = table.busiest(n, m)
    return Crosstab(
        ratings=_shortest(table.crosstab(users, items)),
        users=tuple(int(u) for u in users),
        items=tuple(int(i) for i in items),
        user_labels=tuple(_label("user", table.user_ids[u]) for u in users),
        item_labels=tuple(_label("item", table.item_title(int(i))) for i in items),
        source=source,
    )


def _label(what: str, name: object) -> str:
    """Return a name as it is, and a bare number with the word for what it numbers."""
    text = str(name)
    return f"{what} {text}" if text.lstrip("-").isdigit() else text


def _shortest(ratings: NDArray[Any]) -> NDArray[np.float64]:
    """Return single-precision ratings as the doubles that people wrote: 4.1, not 4.0999999."""
    texts = np.asarray(ratings, dtype=np.float32).astype(str)
    return texts.astype(np.float64)
