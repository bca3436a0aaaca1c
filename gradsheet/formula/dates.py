"""Dates and times as Excel counts them: days since 1900, with its 29 February 1900.

Owns serial numbers, their parts and the texts that spell dates, and the other calendar, whose day
0 is 1 January 1904: it holds within `counted`, on the thread that asked. Standard library only.
"""

from __future__ import annotations

import datetime
import math
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

LAST = 2_958_465
"""31 December 9999."""
_EPOCH = datetime.date(1899, 12, 30).toordinal()
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September",
          "October", "November", "December")  # fmt: skip
DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


_SHIFT = 1462
"""1 January 1904 in the calendar of 1900."""
_calendar = threading.local()


@contextmanager
def counted(is_1904: bool) -> Iterator[None]:
    """Count dates from 1904, or from 1900, while the context lasts."""
    before = getattr(_calendar, "is_1904", False)
    _calendar.is_1904 = is_1904
    try:
        yield
    finally:
        _calendar.is_1904 = before


def is_1904() -> bool:
    """Whether dates count from 1904 now."""
    return bool(getattr(_calendar, "is_1904", False))


def last() -> int:
    """Serial number of 31 December 9999."""
    return LAST - _SHIFT if is_1904() else LAST


def weekday(number: float) -> int:
    """Day of the week of a serial number, 0 for Sunday."""
    return (math.floor(number) + (_SHIFT if is_1904() else 0) - 1) % 7


class Moment(NamedTuple):
    """A serial number taken apart."""

    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int


def serial(year: int, month: int, day: int) -> int | None:
    """Serial number of a date whose month and day may run over; None outside the calendar."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    if not 1899 <= year <= 10_000:
        return None
    if year == 10_000:
        first = LAST + 1 if month == 1 else LAST + 400
    else:
        first = datetime.date(year, month, 1).toordinal() - _EPOCH
    if first <= 60:  # before the day that never was
        first -= 1
    number = first + day - 1 - (_SHIFT if is_1904() else 0)
    return number if 0 <= number <= last() else None


def moment(number: float) -> Moment | None:
    """Parts of a serial number, to the nearest second; None outside of Excel's calendar."""
    if not 0 <= number < last() + 1:
        return None
    number += _SHIFT if is_1904() else 0
    day = math.floor(number)
    seconds = math.floor((number - day) * 86_400 + 0.5)
    if seconds == 86_400:
        day, seconds = day + 1, 0
    clock = (seconds // 3600, seconds // 60 % 60, seconds % 60)
    if day == 0:
        return Moment(1900, 1, 0, *clock)
    if day == 60:
        return Moment(1900, 2, 29, *clock)
    date = datetime.date.fromordinal(min(day, LAST) + _EPOCH + (1 if day < 60 else 0))
    return Moment(date.year, date.month, date.day, *clock)


_TIME = r"(\d{1,4}):(\d{1,2})(?::(\d{1,2}(?:\.\d+)?))?(?:\s*([AaPp])[Mm])?"
_ISO = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})")
_SLASHED = re.compile(r"(\d{1,2})[-/](\d{1,2})(?:[-/](\d{2}|\d{4}))?")
_NAMED = re.compile(r"(\d{1,2})[- ]([A-Za-z]{3,9})(?:[- ](\d{2}|\d{4}))?")
_AMERICAN = re.compile(r"([A-Za-z]{3,9}) (\d{1,2}),? (\d{4})")
_WHOLE = re.compile(rf"(?:(.*?)\s+)?{_TIME}")


def parse_date(text: str) -> float | None:
    """The serial number that a text spells as a date, a time or both, month first; or None."""
    text = text.strip()
    if not text or not any(c.isdigit() for c in text):
        return None
    clock = _WHOLE.fullmatch(text)
    if clock is None:
        return _date(text)
    time = _clock(clock[2], clock[3], clock[4], clock[5])
    if time is None:
        return None
    if not clock[1]:
        return time
    day = _date(clock[1])
    return None if day is None else day + time


def _clock(hour: str, minute: str, second: str | None, half: str | None) -> float | None:
    h, m, s = int(hour), int(minute), float(second or 0)
    if m >= 60 or s >= 60 or (half and not 1 <= h <= 12):
        return None
    if half:
        h = h % 12 + (12 if half in "pP" else 0)
    return (h * 3600 + m * 60 + s) / 86_400


def _date(text: str) -> float | None:
    if match := _ISO.fullmatch(text):
        return _checked(int(match[1]), int(match[2]), int(match[3]))
    if match := _SLASHED.fullmatch(text):
        return _checked(_year(match[3]), int(match[1]), int(match[2]))
    if match := _NAMED.fullmatch(text):
        return _checked(_year(match[3]), _month(match[2]), int(match[1]))
    if match := _AMERICAN.fullmatch(text):
        return _checked(int(match[3]), _month(match[1]), int(match[2]))
    return None


def _year(text: str | None) -> int:
    if text is None:
        return datetime.date.today().year
    year = int(text)
    if len(text) == 2:
        return year + (2000 if year < 30 else 1900)
    return year


def _month(name: str) -> int:
    for number, month in enumerate(MONTHS, start=1):
        if name.lower() in (month.lower(), month[:3].lower()):
            return number
    return 0


def _checked(year: int, month: int, day: int) -> float | None:
    if not (1900 <= year <= 9999 and 1 <= month <= 12 and day >= 1):
        return None
    number, following = serial(year, month, day), serial(year, month + 1, 1)
    if number is None or (following is not None and number >= following):
        return None
    return float(number)


_PARTS = re.compile(
    r'"[^"]*"|\\.|\[[hms]+\]|[aA][mM]/[pP][mM]|[aA]/[pP]|y+|m+|d+|h+|s+|.', re.IGNORECASE
)


def shown(number: float, pattern: str) -> str | None:
    """A serial number in a format of dates and times; None outside of Excel's calendar."""
    parts = _PARTS.findall(pattern)
    at = moment(number)
    if at is None:
        return None
    half = any(p.lower() in ("am/pm", "a/p") for p in parts)
    out = []
    for i, part in enumerate(parts):
        low = part.lower()
        if low[0] == "m" and not low.startswith("[") and _is_minute(parts, i):
            out.append(str(at.minute).zfill(len(low)))
        elif low[0] in "ymdhs" and set(low) == {low[0]}:
            out.append(_piece(low, at, number, half))
        elif low in ("am/pm", "a/p"):
            am, pm = part.split("/")
            out.append(am if at.hour < 12 else pm)
        elif low.startswith("[") and len(low) > 2:
            unit = {"h": 24, "m": 1440, "s": 86_400}[low[1]]
            out.append(str(math.floor(number * unit + 1e-6)).zfill(len(low) - 2))
        else:
            out.append(part[1:-1] if part.startswith('"') else part.removeprefix("\\"))
    return "".join(out)


def _is_minute(parts: list[str], i: int) -> bool:
    """Whether an m stands for minutes: after hours or before seconds."""
    letters = [(j, p.lower().strip("[]")[:1]) for j, p in enumerate(parts)
               if p.lower().strip("[]")[:1] in set("ymdhs") and p.strip("[]")]  # fmt: skip
    order = [j for j, _ in letters]
    at = order.index(i)
    before = letters[at - 1][1] if at > 0 else ""
    after = letters[at + 1][1] if at + 1 < len(letters) else ""
    return before == "h" or after == "s"


def _piece(low: str, at: Moment, number: float, half: bool) -> str:
    count = len(low)
    if low[0] == "y":
        return f"{at.year % 100:02d}" if count <= 2 else f"{at.year:04d}"
    if low[0] == "m":
        name = MONTHS[at.month - 1]
        return {1: str(at.month), 2: f"{at.month:02d}", 3: name[:3], 5: name[0]}.get(count, name)
    if low[0] == "d":
        name = DAYS[weekday(number)]
        return {1: str(at.day), 2: f"{at.day:02d}", 3: name[:3]}.get(count, name)
    hour = (at.hour % 12 or 12) if half else at.hour
    value = hour if low[0] == "h" else at.second
    return str(value).zfill(min(count, 2))
