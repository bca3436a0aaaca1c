"""Working days with other weekends, and the years of 360 days that bonds count in.

Owns NETWORKDAYS.INTL, WORKDAY.INTL, DAYS360 and YEARFRAC.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gradsheet.formula import dates
from gradsheet.formula.batch import Batch, by_host, number_of, plain
from gradsheet.formula.dates import Moment, moment
from gradsheet.formula.functions import calendar
from gradsheet.formula.functions.calendar import dated, holidays_of
from gradsheet.formula.functions.table import function
from gradsheet.formula.values import ErrorCode, Scalar, unpack

if TYPE_CHECKING:
    from gradsheet.formula.evaluate import Evaluator

_FAMILY = calendar.FAMILY
_NONE = "none: a calendar has no slope"
_RESTS = {1: (6, 0), **{n: (n - 3, n - 2) for n in range(3, 8)}, 2: (0, 1)}
"""Days of rest, 0 for Sunday, by Excel's numbers of weekends of two days."""


def _rest_days(weekend: Batch | None, evaluator: Evaluator) -> frozenset[int] | ErrorCode:
    """Days of the week, 0 for Sunday, on which nobody works; all seven are refused."""
    if weekend is None or weekend.is_only(0):
        return frozenset((0, 6))
    num, kinds = plain(weekend)
    value = unpack(float(num.flat[0]), int(kinds.flat[0]), evaluator.strings)
    if isinstance(value, str):
        if len(value) != 7 or set(value) - {"0", "1"} or "0" not in value:
            return ErrorCode.VALUE
        return frozenset((i + 1) % 7 for i, c in enumerate(value) if c == "1")
    number = number_of(value)
    if isinstance(number, ErrorCode):
        return number
    if 11 <= int(number) <= 17:
        return frozenset((int(number) - 11,))
    return frozenset(_RESTS[int(number)]) if int(number) in _RESTS else ErrorCode.NUM


@function("NETWORKDAYS.INTL", "start_date, end_date, [weekend], [holidays]",
          "Working days between two dates with other weekends.", family=_FAMILY, params="vvvw",
          gradient=_NONE)  # fmt: skip
def networkdays_intl(
    evaluator: Evaluator, start: Batch, end: Batch, weekend: Batch | None = None,
    holidays: Batch | None = None,
) -> Batch:  # fmt: skip
    """Days that are neither of the weekend nor holidays, both ends included."""
    free, rest = holidays_of(evaluator, holidays), _rest_days(weekend, evaluator)

    def code(a: Scalar, b: Scalar) -> Scalar:
        first, last = number_of(a), number_of(b)
        if isinstance(rest, ErrorCode):
            return rest
        if isinstance(first, ErrorCode) or isinstance(last, ErrorCode):
            return ErrorCode.VALUE
        low, high = sorted((math.floor(first), math.floor(last)))
        held = sum(
            dates.weekday(day) not in rest and day not in free
            for day in range(low, min(high, dates.last()) + 1)
        )
        return float(held if first <= last else -held)

    return by_host(code, [start, end], evaluator.strings)


@function("WORKDAY.INTL", "start_date, days, [weekend], [holidays]",
          "The day some working days later with other weekends.", family=_FAMILY, params="vvvw",
          gradient=_NONE)  # fmt: skip
def workday_intl(
    evaluator: Evaluator, start: Batch, count: Batch, weekend: Batch | None = None,
    holidays: Batch | None = None,
) -> Batch:  # fmt: skip
    """Date by working days, weekends and holidays skipped."""
    free, rest = holidays_of(evaluator, holidays), _rest_days(weekend, evaluator)

    def code(a: Scalar, n: Scalar) -> Scalar:
        first, steps = number_of(a), number_of(n)
        if isinstance(rest, ErrorCode):
            return rest
        if isinstance(first, ErrorCode) or isinstance(steps, ErrorCode):
            return ErrorCode.VALUE
        day, left = math.floor(first), math.trunc(steps)
        while left:
            day += 1 if left > 0 else -1
            if not 0 <= day <= dates.last():
                return ErrorCode.NUM
            if dates.weekday(day) not in rest and day not in free:
                left -= 1 if left > 0 else -1
        return float(day)

    return by_host(code, [start, count], evaluator.strings)


def _days360(start: float, end: float, european: float = 0.0) -> Scalar:
    """Months of 30 days, by the American rule or the European one."""
    a, b = moment(math.floor(start)), moment(math.floor(end))
    if a is None or b is None:
        return ErrorCode.NUM
    first, last, month, year = a.day, b.day, b.month, b.year
    if european:
        first, last = min(first, 30), min(last, 30)
    else:
        if first == 31 or _ends_february(start):
            first = 30
        if last == 31:
            if first < 30:
                last, month = 1, month + 1
            else:
                last = 30
    return float((year - a.year) * 360 + (month - a.month) * 30 + last - first)


dated("DAYS360", "start_date, end_date, [method]", "Days between two dates in a year of 360.")(
    _days360
)


def _ends_february(number: float) -> bool:
    at, following = moment(math.floor(number)), moment(math.floor(number) + 1)
    return at is not None and following is not None and at.month == 2 and following.month == 3


@dated("YEARFRAC", "start_date, end_date, [basis]", "Part of a year between two dates.")
def yearfrac(start: float, end: float, basis: float = 0.0) -> Scalar:
    """0 American 30/360, 1 actual, 2 actual/360, 3 actual/365, 4 European 30/360."""
    low, high = sorted((math.floor(start), math.floor(end)))
    a, b = moment(low), moment(high)
    kind = int(basis)
    if a is None or b is None or not 0 <= kind <= 4:
        return ErrorCode.NUM
    if kind == 0:
        return _american(low, high, a, b) / 360
    if kind == 4:
        european = _days360(low, high, 1.0)
        return european / 360 if isinstance(european, float) else european
    if kind in (2, 3):
        return (high - low) / (360 if kind == 2 else 365)
    return (high - low) / _mean_year(a, b)


def _american(low: float, high: float, a: Moment, b: Moment) -> float:
    """Days by the rule of bonds, in which both ends of February count as the 30th."""
    first, last = a.day, b.day
    if _ends_february(low) and _ends_february(high):
        last = 30
    if first == 31 or _ends_february(low):
        first = 30
    if last == 31 and first == 30:
        last = 30
    return (b.year - a.year) * 360 + (b.month - a.month) * 30 + last - first


def _mean_year(a: Moment, b: Moment) -> float:
    """Days of a year: of the years touched, or by whether a 29 February lies between."""

    def is_leap(year: int) -> bool:
        return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)

    if (b.year, b.month, b.day) > (a.year + 1, a.month, a.day):
        years = range(a.year, b.year + 1)
        return sum(365 + is_leap(year) for year in years) / len(years)
    if a.year == b.year:
        return 365 + is_leap(a.year)
    leaps = (is_leap(a.year) and (a.month, a.day) <= (2, 29)) or (
        is_leap(b.year) and (b.month, b.day) >= (2, 29)
    )
    return 366 if leaps else 365
