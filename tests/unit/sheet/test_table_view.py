"""Conditions on a table's columns and its order: which rows are shown."""

from __future__ import annotations

import numpy as np
import pytest

from gradsheet.formula.values import Strings, UserError
from gradsheet.sheet.table_view import Condition, Showing, rows_of
from gradsheet.sheet.virtual import Numbers, Texts, VirtualStore

STARS = np.array([4.5, np.nan, 3.0, 5.0, 0.5])
NAMES = ["Star Wars", "", "Alien", "stardust", "Star Trek"]
DAYS = np.array([38383.0, 38383.9, 38384.0, 38382.99, np.nan])
"""2005-01-31, in its evening, the day after, the day before."""
COLUMNS = (
    Numbers("stars", lambda rows: STARS[rows]),
    Texts("title", Strings(), lambda rows: [NAMES[row] for row in rows]),
    Numbers("time", lambda rows: DAYS[rows]),
)


def shown(*conditions: Condition, sort: tuple[int, bool] | None = None) -> list[int] | None:
    found = rows_of(COLUMNS, 5, Showing(conditions, sort))
    return None if found is None else found.tolist()


@pytest.mark.parametrize(
    ("column", "test", "wanted", "rows"),
    [
        (0, "at least", "4.5", [0, 3]),
        (0, "above", "4.5", [3]),
        (0, "at most", "3", [2, 4]),
        (0, "below", "3", [4]),
        (0, "is", "5", [3]),
        (0, "is not", "5", [0, 1, 2, 4]),
        (0, "is", "", [1]),
        (0, "is not", " ", [0, 2, 3, 4]),
        (0, "contains", ".5", [0, 4]),
        (1, "contains", "STAR", [0, 3, 4]),
        (1, "does not contain", "star", [1, 2]),
        (1, "is", "alien", [2]),
        (1, "is", "", [1]),
        (1, "is not", "alien", [0, 1, 3, 4]),
        (2, "is", "2005-01-31", [0, 1]),
        (2, "at most", "2005-01-31", [0, 1, 3]),
        (2, "above", "2005-01-31", [2]),
        (2, "at least", "2005-01-31", [0, 1, 2]),
        (2, "below", "2005-01-31", [3]),
    ],
)
def test_a_condition_finds_its_rows(column: int, test: str, wanted: str, rows: list[int]) -> None:
    assert shown(Condition(column, test, wanted)) == rows


def test_conditions_on_two_columns_both_hold_and_the_sort_orders_what_is_left() -> None:
    both = Condition(1, "contains", "star"), Condition(0, "at least", "1")
    assert shown(*both) == [0, 3]
    assert shown(*both, sort=(0, True)) == [3, 0]
    assert shown(sort=(1, False)) == [2, 4, 0, 3, 1]
    assert shown() is None


def test_a_new_condition_takes_the_place_of_its_columns_old_one() -> None:
    showing = Showing((Condition(0, "at least", "4"), Condition(1, "contains", "x")))
    assert showing.having(Condition(0, "below", "2")).conditions == (
        Condition(1, "contains", "x"), Condition(0, "below", "2"),
    )  # fmt: skip
    assert showing.without(1).says(COLUMNS) == "stars at least 4"
    assert Showing((Condition(0, "is", " "),)).says(COLUMNS) == "stars is blank"


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (Condition(1, "at least", "4"), "title holds texts"),
        (Condition(0, "above", "many"), "“many” is no number"),
        (Condition(1, "contains", " "), "nothing to look for"),
    ],
)
def test_a_condition_that_does_not_fit_says_why(condition: Condition, text: str) -> None:
    with pytest.raises(UserError, match=text):
        shown(condition)


def test_the_search_can_be_given_up_in_every_part() -> None:
    parts: list[int] = []
    count = 3 << 18
    rows_of((Numbers("n", lambda rows: rows % 7),), count, Showing((Condition(0, "is", "3"),)),
            lambda: parts.append(1))  # fmt: skip
    assert len(parts) == 3
    assert VirtualStore(COLUMNS, 5, Strings()).showing == Showing()
