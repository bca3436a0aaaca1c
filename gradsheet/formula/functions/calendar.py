"""Functions of dates and times.

Owns DATE and its kin on serial numbers. They are computed value by value; no gradient passes
through the calendar.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch

from gradsheet.formula import dates
from gradsheet.formula.batch import Batch, by_host, number_of, plain, text_of
from gradsheet.formula.dates import Moment, moment, parse_date, serial
from gradsheet.formula.functions.table import function
from gradsheet.formula.values import ErrorCode, Scalar, unpack

if TYPE_CHECKING:
    from gradsheet.formula.evaluate import Evaluator

FAMILY = "Dates"
_NONE = "none: a calendar has no slope"


def dated(name: str, arguments: str, help_: str) -> Callable[[Callable[..., Scalar]], object]:
    """Enter a function of numbers (dates spelled as texts are read), value by value."""

    def enter(code: Callable[..., Scalar]) -> object:
        def read(*args: Scalar) -> Scalar:
            numbers = [number_of(arg) for arg in args]
            for number in numbers:
                if isinstance(number, ErrorCode):
                    return number
            return code(*numbers)

        def run(evaluator: Evaluator, *batches: Batch) -> Batch:
            return by_host(read, batches, evaluator.strings)

        function(name, arguments, help_, family=FAMILY, gradient=_NONE)(run)
        return code

    return enter


def _or_num(number: int | None) -> Scalar:
    return ErrorCode.NUM if number is None else float(number)


@dated("DATE", "year, month, day", "The serial number of a date; months and days may run over.")
def date(year: float, month: float, day: float) -> Scalar:
    """Days since 1900; years below 1900 count from 1900."""
    y = math.floor(year)
    if y < 0 or y >= 10_000:
        return ErrorCode.NUM
    return _or_num(serial(y + 1900 if y < 1900 else y, math.floor(month), math.floor(day)))


@dated("TIME", "hour, minute, second", "A time as a part of a day.")
def time(hour: float, minute: float, second: float) -> Scalar:
    """Share of a day, whole days dropped."""
    total = math.floor(hour) * 3600 + math.floor(minute) * 60 + math.floor(second)
    return ErrorCode.NUM if total < 0 else (total % 86_400) / 86_400


def _enter_part(name: str, help_: str, part: Callable[[Moment], int]) -> None:
    @dated(name, "serial_number", help_)
    def run(number: float) -> Scalar:
        found = moment(number)
        return ErrorCode.NUM if found is None else float(part(found))


_enter_part("HOUR", "Hour of a time, 0 to 23.", lambda m: m.hour)
_enter_part("MINUTE", "Minute of a time.", lambda m: m.minute)
_enter_part("SECOND", "Second of a time.", lambda m: m.second)


def _enter_day_part(name: str, help_: str, part: Callable[[Moment], int]) -> None:
    @dated(name, "serial_number", help_)
    def run(number: float) -> Scalar:
        found = moment(math.floor(number))
        return ErrorCode.NUM if found is None else float(part(found))


_enter_day_part("YEAR", "Year of a date.", lambda m: m.year)
_enter_day_part("MONTH", "Month of a date, 1 to 12.", lambda m: m.month)
_enter_day_part("DAY", "Day of a date, 1 to 31.", lambda m: m.day)


@dated("WEEKDAY", "serial_number, [return_type]", "Day of the week, 1 for Sunday.")
def weekday(number: float, kind: float = 1.0) -> Scalar:
    """Weekday by one of Excel's countings (1, 2, 3, 11 to 17)."""
    if not 0 <= number <= dates.last():
        return ErrorCode.NUM
    sunday = dates.weekday(number)
    k = int(kind)
    if k == 3:
        return float((sunday - 1) % 7)
    first = {1: 0, 2: 1}.get(k, k - 10 if 11 <= k <= 17 else -1)
    return ErrorCode.NUM if first < 0 else float((sunday - first) % 7 + 1)


@dated("WEEKNUM", "serial_number, [return_type]", "Week of the year; week 1 holds 1 January.")
def weeknum(number: float, kind: float = 1.0) -> Scalar:
    """Week number with weeks from Sunday (1) or Monday (2); 21 for ISO weeks."""
    if int(kind) == 21:
        return isoweek(number)
    at = moment(math.floor(number))
    if at is None or int(kind) not in (1, 2, 11, 12, 13, 14, 15, 16, 17):
        return ErrorCode.NUM
    first = serial(at.year, 1, 1) or 0
    start = {1: 0, 2: 1}.get(int(kind), int(kind) - 10) % 7
    return float((math.floor(number) - first + (dates.weekday(first) - start) % 7) // 7 + 1)


@dated("ISOWEEKNUM", "date", "ISO week of the year.")
def isoweeknum(number: float) -> Scalar:
    """Week whose Thursday lies in the year."""
    return isoweek(number)


def isoweek(number: float) -> Scalar:
    """ISO 8601 week of a serial number."""
    at = moment(math.floor(number))
    if at is None or at.day == 0:
        return ErrorCode.NUM
    day = min(at.day, 28) if (at.month, at.day) == (2, 29) and at.year == 1900 else at.day
    return float(datetime.date(at.year, at.month, day).isocalendar().week)


def _moved(number: float, months: float, to_end: bool) -> Scalar:
    at = moment(math.floor(number))
    if at is None:
        return ErrorCode.NUM
    first = serial(at.year, at.month + math.trunc(months), 1)
    following = serial(at.year, at.month + math.trunc(months) + 1, 1)
    if first is None or following is None:
        return ErrorCode.NUM
    return float(following - 1 if to_end else min(first + at.day - 1, following - 1))


@dated("EDATE", "start_date, months", "The same day some months later.")
def edate(number: float, months: float) -> Scalar:
    """Date moved by months, at most to the end of the month."""
    return _moved(number, months, False)


@dated("EOMONTH", "start_date, months", "The last day of the month some months later.")
def eomonth(number: float, months: float) -> Scalar:
    """End of a month."""
    return _moved(number, months, True)


@dated("DAYS", "end_date, start_date", "Days between two dates.")
def days(end: float, start: float) -> Scalar:
    """Difference of whole days."""
    return float(math.floor(end) - math.floor(start))


def _text_function(name: str, argument: str, help_: str, whole: bool) -> None:
    def code(text: Scalar) -> Scalar:
        number = parse_date(text) if isinstance(text, str) else None
        if number is None:
            return ErrorCode.VALUE
        return float(math.floor(number)) if whole else number - math.floor(number)

    def run(evaluator: Evaluator, batch: Batch) -> Batch:
        return by_host(code, [batch], evaluator.strings)

    function(name, argument, help_, family=FAMILY, gradient=_NONE)(run)


_text_function("DATEVALUE", "date_text", "The date that a text spells.", True)
_text_function("TIMEVALUE", "time_text", "The time that a text spells.", False)


def _between(start: float, end: float, unit: str) -> Scalar:
    a, b = moment(math.floor(start)), moment(math.floor(end))
    if a is None or b is None or start > end:
        return ErrorCode.NUM
    months = (b.year - a.year) * 12 + b.month - a.month - (1 if b.day < a.day else 0)
    if unit == "d":
        return float(math.floor(end) - math.floor(start))
    if unit in ("m", "y", "ym"):
        return float({"m": months, "y": months // 12, "ym": months % 12}[unit])
    if unit == "md":
        month = b.month - (1 if b.day < a.day else 0)
        return float(math.floor(end) - (serial(b.year, month, a.day) or 0))
    if unit == "yd":
        year = b.year - (1 if (b.month, b.day) < (a.month, a.day) else 0)
        return float(math.floor(end) - (serial(year, a.month, a.day) or 0))
    return ErrorCode.NUM


@function("DATEDIF", "start_date, end_date, unit", "Time between two dates in a unit.",
          family=FAMILY, gradient=_NONE)  # fmt: skip
def datedif(evaluator: Evaluator, start: Batch, end: Batch, unit: Batch) -> Batch:
    """Whole years (y), months (m) or days (d); ym, md and yd for what is left over."""

    def code(a: Scalar, b: Scalar, u: Scalar) -> Scalar:
        first, last = number_of(a), number_of(b)
        if isinstance(first, ErrorCode):
            return first
        if isinstance(last, ErrorCode):
            return last
        return _between(first, last, text_of(u).lower())

    return by_host(code, [start, end, unit], evaluator.strings)


def holidays_of(evaluator: Evaluator, batch: Batch | None) -> set[int]:
    """Whole serial numbers of the holidays that are given."""
    if batch is None:
        return set()
    num, kinds = plain(batch)
    pairs = zip(num.ravel().tolist(), kinds.ravel().tolist(), strict=True)
    values = (unpack(v, k, evaluator.strings) for v, k in pairs)
    numbers = [number_of(value) for value in values if value is not None]
    return {math.floor(n) for n in numbers if not isinstance(n, ErrorCode)}


def _is_workday(day: int, holidays: set[int]) -> bool:
    return dates.weekday(day) not in (0, 6) and day not in holidays


@function("NETWORKDAYS", "start_date, end_date, [holidays]", "Working days between two dates.",
          family=FAMILY, params="vvw", gradient=_NONE)  # fmt: skip
def networkdays(
    evaluator: Evaluator, start: Batch, end: Batch, holidays: Batch | None = None
) -> Batch:
    """Mondays to Fridays from start to end, both included, without the holidays."""
    free = holidays_of(evaluator, holidays)

    def code(a: Scalar, b: Scalar) -> Scalar:
        first, last = number_of(a), number_of(b)
        if isinstance(first, ErrorCode) or isinstance(last, ErrorCode):
            return ErrorCode.VALUE
        low, high = sorted((math.floor(first), math.floor(last)))
        held = sum(_is_workday(day, free) for day in range(low, min(high, dates.last()) + 1))
        return float(held if first <= last else -held)

    return by_host(code, [start, end], evaluator.strings)


@function("WORKDAY", "start_date, days, [holidays]", "The day some working days later.",
          family=FAMILY, params="vvw", gradient=_NONE)  # fmt: skip
def workday(
    evaluator: Evaluator, start: Batch, count: Batch, holidays: Batch | None = None
) -> Batch:
    """Date by working days, weekends and holidays skipped."""
    free = holidays_of(evaluator, holidays)

    def code(a: Scalar, n: Scalar) -> Scalar:
        first, steps = number_of(a), number_of(n)
        if isinstance(first, ErrorCode) or isinstance(steps, ErrorCode):
            return ErrorCode.VALUE
        day, left = math.floor(first), math.trunc(steps)
        while left:
            day += 1 if left > 0 else -1
            if not 0 <= day <= dates.last():
                return ErrorCode.NUM
            if _is_workday(day, free):
                left -= 1 if left > 0 else -1
        return float(day)

    return by_host(code, [start, count], evaluator.strings)


def _now(evaluator: Evaluator) -> float:
    """The time of the recalculation, the same in every cell of it."""
    key = (-1, "now")
    if key not in evaluator.world.draws:
        now = datetime.datetime.now()
        clock = (now - now.replace(hour=0, minute=0, second=0, microsecond=0)).total_seconds()
        day = serial(now.year, now.month, now.day) or 0
        evaluator.world.draws[key] = torch.tensor(day + clock / 86_400, dtype=torch.float64)
    return evaluator.world.draws[key].item()


@function("NOW", "", "Date and time of the recalculation.", family=FAMILY, gradient=_NONE,
          is_volatile=True)  # fmt: skip
def now(evaluator: Evaluator) -> Batch:
    """Serial number with the time."""
    return evaluator.constant(_now(evaluator))


@function("TODAY", "", "Date of the recalculation.", family=FAMILY, gradient=_NONE,
          is_volatile=True)  # fmt: skip
def today(evaluator: Evaluator) -> Batch:
    """Serial number of the day."""
    return evaluator.constant(float(math.floor(_now(evaluator))))
