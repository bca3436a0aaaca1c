"""Which rows of a table are shown, and in which order: conditions on columns, and a sort.

Owns their records and the finding of the rows, in parts so that memory stays bounded. Must not
know cells of other sheets or windows; numpy only.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from gradsheet.formula.values import Kind, UserError, parse_entry

if TYPE_CHECKING:
    from gradsheet.sheet.virtual import Column

Test = Literal[
    "contains", "does not contain", "is", "is not", "at least", "at most", "above", "below"
]
TESTS: tuple[Test, ...] = get_args(Test)
OF_NUMBERS = ("at least", "at most", "above", "below")
EPOCH_DAY = dt.date(1899, 12, 30)
"""Day 0 of the numbers that stand for dates."""
_PART = 1 << 18

Flags = npt.NDArray[np.bool_]


class Wanted(NamedTuple):
    """What a condition compares with: a text, and the number or day (1) that it writes."""

    text: str
    number: float | None
    is_day: bool


@dataclass(frozen=True, slots=True)
class Condition:
    """What the rows shown have in one column.

    Attributes
    ----------
    column : int
    test : str
        One of `TESTS`. Texts are compared without regard to capitals; "at least" and its like
        compare numbers. A blank cell only *is* nothing, and is not anything else.
    wanted : str
        As typed: a number, a date such as 2005-01-31 (the whole day), or text.
    """

    column: int
    test: Test
    wanted: str

    def says(self, title: str) -> str:
        """Return it in words, for the column of that title."""
        return f"{title} {self.test} {self.wanted.strip() or 'blank'}"


@dataclass(frozen=True, slots=True)
class Showing:
    """What is asked of the rows, and the column (and whether from the largest) they go by."""

    conditions: tuple[Condition, ...] = ()
    sort: tuple[int, bool] | None = None

    def having(self, condition: Condition) -> Showing:
        """Return it with a condition, in the place of the one that its column had."""
        return replace(self.without(condition.column), conditions=(
            *self.without(condition.column).conditions, condition))  # fmt: skip

    def without(self, column: int) -> Showing:
        """Return it without the condition on a column."""
        kept = tuple(each for each in self.conditions if each.column != column)
        return replace(self, conditions=kept)

    def within(self, columns: int) -> Showing:
        """Return what is asked of the first so many columns."""
        kept = tuple(each for each in self.conditions if each.column < columns)
        sort = self.sort if self.sort is not None and self.sort[0] < columns else None
        return Showing(kept, sort)

    def says(self, columns: Sequence[Column]) -> str:
        """Return the conditions in words; empty without any."""
        return " and ".join(each.says(columns[each.column].title) for each in self.conditions)


ALL = Showing()
"""All rows, as they are."""


def rows_of(
    columns: Sequence[Column],
    count: int,
    showing: Showing,
    checkpoint: Callable[[], object] = lambda: None,
) -> npt.NDArray[np.int64] | None:
    """Return the rows of a table to show, in order; None: all as they are.

    Parameters
    ----------
    columns : sequence of Column
    count : int
        Rows of the table.
    checkpoint : callable, optional
        Called once a part of the table; may raise.

    Raises
    ------
    UserError
        If a condition does not fit its column.
    """
    if not showing.conditions and showing.sort is None:
        return None
    wanted = [_read(columns[each.column], each) for each in showing.conditions]
    found = []
    for begin in range(0, count, _PART):
        checkpoint()
        rows = np.arange(begin, min(begin + _PART, count))
        for condition, what in zip(showing.conditions, wanted, strict=True):
            rows = rows[_fits(columns[condition.column], rows, condition.test, what)]
        found.append(rows)
    rows = np.concatenate(found) if found else np.empty(0, np.int64)
    if showing.sort is not None:
        column, descending = showing.sort
        checkpoint()
        keys = columns[column].sort_keys(rows)
        checkpoint()
        rows = rows[np.argsort(-keys if descending else keys, kind="stable")]
    return rows


def _read(column: Column, condition: Condition) -> Wanted:
    text = condition.wanted.strip()
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        entry = parse_entry(text)
        is_number = isinstance(entry, int | float) and not isinstance(entry, bool)
        wanted = Wanted(text.casefold(), float(entry) if is_number else None, False)  # type: ignore[arg-type]
    else:
        wanted = Wanted(text.casefold(), float((day - EPOCH_DAY).days), True)
    if condition.test in OF_NUMBERS and (column.holds_text or wanted.number is None):
        what = f"{column.title} holds texts" if column.holds_text else f"“{text}” is no number"
        raise UserError(
            f"{what}, so nothing can be {condition.test} it.",
            "Choose “contains” or “is”." if column.holds_text else "Enter a number such as 4.5.",
        )
    if not text and "contain" in condition.test:
        raise UserError("There is nothing to look for.", "Type what the cells contain.")
    return wanted


def _fits(column: Column, rows: npt.NDArray[np.int64], test: Test, wanted: Wanted) -> Flags:
    if "contain" in test or column.holds_text:
        return _fits_text(column, rows, test, wanted.text)
    values, kinds = column.read(rows)
    is_number = kinds == Kind.NUMBER
    if wanted.number is None:  # a text, or nothing
        same = kinds == Kind.BLANK if not wanted.text else np.zeros(len(rows), bool)
        return same if test == "is" else ~same
    low = wanted.number
    after = low + 1 if wanted.is_day else np.nextafter(low, np.inf)
    tests: dict[str, Callable[[Any], Any]] = {
        "is": lambda x: (x >= low) & (x < after),
        "is not": lambda x: (x < low) | (x >= after),
        "at least": lambda x: x >= low,
        "below": lambda x: x < low,
        "at most": lambda x: x < after,
        "above": lambda x: x >= after,
    }
    fits: Flags = tests[test](values)
    found: Flags = fits & is_number if test != "is not" else fits | ~is_number
    return found


def _fits_text(column: Column, rows: npt.NDArray[np.int64], test: Test, wanted: str) -> Flags:
    texts = [text.casefold() for text in column.texts(rows)]
    if "contain" in test:
        has = np.fromiter((wanted in text for text in texts), bool, len(texts))
    else:
        has = np.fromiter((wanted == text for text in texts), bool, len(texts))
    return ~has if "not" in test else has
