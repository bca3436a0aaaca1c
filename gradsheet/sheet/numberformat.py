"""Excel's number format codes: `0.00`, `#,##0;[Red]-#,##0`, `0%`, `yyyy-mm-dd`, `@`.

Owns the reading of codes and the text of one number. Knows no cells and no strings' ids.
A code that is not understood shows as General, never as an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TypeAlias

Formatter: TypeAlias = Callable[[float], str]

# Excel rounds what it shows to 15 digits first, so that 2.675 shows as 2.68 although the double
# lies below it. Two units in the last place do the same where they cannot reach a shown digit.
_NUDGE = 1.0 + 2.0**-51
_COLORS = {
    "black": "#000000", "blue": "#0000FF", "cyan": "#00FFFF", "green": "#00FF00",
    "magenta": "#FF00FF", "red": "#FF0000", "white": "#FFFFFF", "yellow": "#FFFF00",
}  # fmt: skip
_PIECE = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|_(?P<space>.)|\*(?P<fill>.)|\[(?P<bracket>[^\]]*)\]'
    r"|(?P<general>General)|(?P<ampm>AM/PM|A/P)|(?P<date>y+|m+|d+|h+|s+(?:\.0+)?)"
    r"|(?P<exponent>E[+-]0+)|(?P<digits>[0#?.,]+)|(?P<percent>%)|(?P<text>@)|(?P<plain>.)",
    re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?[0-9.]+)")
_MONTHS = "January February March April May June July August September October November December"
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"


def general_text(value: float, max_chars: int = 11) -> str:
    """A number in format General: the shortest decimal of at most `max_chars` characters.

    At most 15 significant digits; very large and very small numbers come in scientific
    notation. The result is longer than `max_chars` only where no spelling fits.
    """
    size = abs(value)
    if size == 0.0:
        return "0"
    sign = 1 if value < 0 else 0
    if 0.1 <= size < 1e14:  # the quick way for what tables are full of
        digits = max_chars - sign - (2 if size < 1 else 1)
        text = f"{value:.{min(digits, 15)}g}" if digits > 0 else "e"
        if "e" not in text:
            return text
    text = repr(value)
    if text.endswith(".0"):
        text = text[:-2]
    if len(text) <= max_chars and len(text) <= 16 and "e" not in text:
        return text
    if 1e-4 <= size < 1e15:
        whole = len(str(int(size)))
        decimals = min(max_chars - sign - whole - 1, 15 - (whole if size >= 1 else 0))
        if whole + sign <= max_chars:
            fixed = f"{value:.{max(decimals, 0)}f}"
            if "." in fixed:
                fixed = fixed.rstrip("0").rstrip(".")
            if len(fixed) <= max_chars and fixed.strip("-0."):
                return fixed
    for digits in range(min(14, max(0, max_chars - sign - 6)), -1, -1):
        mantissa, _, exponent = f"{value:.{digits}e}".partition("e")
        if "." in mantissa:
            mantissa = mantissa.rstrip("0").rstrip(".")
        spelled = f"{mantissa}E{exponent}"
        if len(spelled) <= max_chars or digits == 0:
            return spelled
    return text


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """A format code, ready to use; make it with `number_format`.

    Parameters
    ----------
    code : as written
    is_general : whether numbers show in General, whose text depends on the room
    is_date : whether numbers show as dates or times
    is_text : whether the code is `@`: numbers show in General, as text
    sections : for numbers, in order of choice
    text_section : (before, after) what is put around text, or None where text shows as it is
    """

    code: str
    is_general: bool
    is_date: bool
    is_text: bool
    sections: tuple[Section, ...]
    text_section: tuple[str, str] | None

    def section(self, value: float) -> Section:
        """The section that shows a number."""
        for section in self.sections:
            if section.matches(value):
                return section
        return self.sections[-1]

    def text(self, value: float, max_chars: int = 11) -> str:
        """A number as it shows, not cut to any width but for General."""
        section = self.section(value)
        if section.formatter is None:
            number = abs(value) if section.drops_sign else value
            return section.before + general_text(number, max_chars) + section.after
        return section.formatter(value)

    def color(self, value: float) -> str | None:
        """The colour that the code asks for, `#RRGGBB`, or None."""
        return self.section(value).color


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a code, between semicolons; a `formatter` of None means General."""

    formatter: Formatter | None
    color: str | None
    condition: tuple[str, float] | None
    before: str = ""
    after: str = ""
    drops_sign: bool = False

    def matches(self, value: float) -> bool:
        """Whether the section is for this number."""
        if self.condition is None:
            return True
        op, limit = self.condition
        match op:
            case "<":
                return value < limit
            case ">":
                return value > limit
            case "<=":
                return value <= limit
            case ">=":
                return value >= limit
            case "=":
                return value == limit
            case _:
                return value != limit


_GENERAL = Section(None, None, None)


@lru_cache(maxsize=1024)
def number_format(code: str, date_1904: bool = False) -> NumberFormat:
    """Read a format code. Codes that are not understood behave as General.

    Parameters
    ----------
    date_1904 : whether day 0 is 1904-01-01 (old Macintosh workbooks) and not 1899-12-30
    """
    try:
        return _read(code, date_1904)
    except (ValueError, IndexError):
        return NumberFormat(code, True, False, False, (_GENERAL,), None)


@dataclass(slots=True)
class _Pieces:
    """One section taken apart."""

    pieces: list[tuple[str, str]]
    color: str | None = None
    condition: tuple[str, float] | None = None

    def has(self, kind: str) -> bool:
        return any(k == kind for k, _ in self.pieces)


def _read(code: str, date_1904: bool) -> NumberFormat:
    if not code.strip():
        raise ValueError("an empty code")
    parts = [_take_apart(text) for text in _split(code)]
    text_part = parts.pop() if len(parts) == 4 or (parts and parts[-1].has("text")) else None
    text_section = None
    if text_part is not None:
        around = "".join("\0" if k == "text" else t for k, t in text_part.pieces)
        before, _, after = around.partition("\0")
        text_section = (before, after)
    if not parts:  # the code is for text only: `@`
        return NumberFormat(code, False, False, True, (_GENERAL,), text_section)
    conditioned = any(part.condition for part in parts)
    sections: list[Section] = []
    for at, part in enumerate(parts):
        condition = part.condition
        if not conditioned and len(parts) > 1:
            condition = _default_condition(at, len(parts))
        drops_sign = len(parts) > 1 and at == 1 and not conditioned
        sections.append(_section(part, condition, drops_sign, date_1904))
    return NumberFormat(
        code,
        all(s.formatter is None and not s.before and not s.after for s in sections),
        any(part.has("date") for part in parts),
        False,
        tuple(sections),
        text_section,
    )


def _split(code: str) -> list[str]:
    """Sections between semicolons that are not quoted."""
    parts, start = [], 0
    for match in re.finditer(r'"[^"]*"|\\.|;', code, re.DOTALL):
        if match[0] == ";":
            parts.append(code[start : match.start()])
            start = match.end()
    return [*parts, code[start:]][:4]


def _take_apart(text: str) -> _Pieces:
    found = _Pieces([])
    for match in _PIECE.finditer(text):
        kind = match.lastgroup or "plain"
        body = match[kind]
        if kind == "bracket":
            condition = _CONDITION.fullmatch(body.strip())
            if condition is not None:
                found.condition = condition[1], float(condition[2])
            elif body.lower() in _COLORS:
                found.color = _COLORS[body.lower()]
            elif re.fullmatch(r"h+|m+|s+", body, re.I):
                found.pieces.append(("elapsed", body.lower()))
            elif body.startswith("$"):  # [$€-407]: a currency sign with a language
                found.pieces.append(("plain", body[1:].partition("-")[0]))
        elif kind in ("quoted", "escaped", "plain"):
            found.pieces.append(("plain", body))
        elif kind == "space":
            found.pieces.append(("plain", " "))
        elif kind != "fill":
            found.pieces.append((kind, body))
    return found


def _default_condition(at: int, count: int) -> tuple[str, float] | None:
    if at == 0:
        return (">=", 0.0) if count == 2 else (">", 0.0)
    if at == 1:
        return ("<", 0.0)
    return None


def _section(
    part: _Pieces, condition: tuple[str, float] | None, drops_sign: bool, date_1904: bool
) -> Section:
    if part.has("date") or part.has("elapsed"):
        return Section(_date_formatter(part, date_1904), part.color, condition)
    if part.has("digits") or part.has("exponent"):
        return Section(_digits_formatter(part, drops_sign), part.color, condition)
    around = "".join("\0" if kind == "general" else text for kind, text in part.pieces)
    if part.has("general"):
        before, _, after = around.partition("\0")
        return Section(None, part.color, condition, before, after, drops_sign)
    return Section(lambda _value: around, part.color, condition)


def _digits_formatter(part: _Pieces, drops_sign: bool) -> Formatter:
    """The text of a number in a section such as `$#,##0.00`."""
    at = [i for i, (kind, _) in enumerate(part.pieces) if kind in ("digits", "exponent")]
    before = "".join(text for _, text in part.pieces[: at[0]])
    after = "".join(text for _, text in part.pieces[at[-1] + 1 :])
    middle = part.pieces[at[0] : at[-1] + 1]
    if any(kind not in ("digits", "exponent") for kind, _ in middle):
        raise ValueError("text between the digits")
    digits = "".join(text for kind, text in middle if kind == "digits")
    exponents = [text for kind, text in middle if kind == "exponent"]
    whole, _, fraction = digits.partition(".")
    thousands = len(whole.rstrip(",")) and "," in whole.rstrip(",")
    scale = 100.0 ** sum(kind == "percent" for kind, _ in part.pieces)
    scale /= 1000.0 ** (len(digits) - len(digits.rstrip(",")))
    fraction = fraction.replace(",", "")
    decimals, needed = len(fraction), fraction.count("0")
    least_whole = whole.count("0")
    if exponents:
        return _scientific(decimals, exponents[0], before, after, drops_sign)
    # A nudge is safe while it stays below a twentieth of the last digit shown.
    limit = 10.0 ** (14 - decimals)
    spec = f"{',' if thousands else ''}.{decimals}f"

    def show(value: float) -> str:
        number = value * scale if scale != 1.0 else value
        if drops_sign:
            number = abs(number)
        text = format(number * _NUDGE if -limit < number < limit else number, spec)
        if decimals > needed:
            text = _without_zeros(text, decimals - needed)
        if least_whole != 1:
            text = _with_whole_digits(text, least_whole)
        if before and text.startswith("-"):
            return f"-{before}{text[1:]}{after}"
        return f"{before}{text}{after}" if before or after else text

    return show


def _scientific(
    decimals: int, exponent: str, before: str, after: str, drops_sign: bool
) -> Formatter:
    places = len(exponent) - 2
    plus = "+" if exponent[1] == "+" else ""

    def show(value: float) -> str:
        number = abs(value) if drops_sign else value
        mantissa, _, power = f"{number:.{decimals}e}".partition("e")
        spelled = f"{abs(int(power)):0{places}d}"
        return f"{before}{mantissa}E{'-' if int(power) < 0 else plus}{spelled}{after}"

    return show


def _without_zeros(text: str, optional: int) -> str:
    """Drop up to `optional` closing zeros, those that `#` stands for."""
    for _ in range(optional):
        if not text.endswith("0"):
            return text
        text = text[:-1]
    return text.removesuffix(".")


def _with_whole_digits(text: str, least: int) -> str:
    """At least so many digits before the point: `000`, or none for `#.00`."""
    sign, body = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, point, fraction = body.partition(".")
    if least == 0:
        whole = "" if whole == "0" else whole
        return sign + whole + point + fraction
    return sign + whole.rjust(least, "0") + point + fraction


def _date_formatter(part: _Pieces, date_1904: bool) -> Formatter:
    pieces = part.pieces
    twelve_hours = part.has("ampm")
    start = datetime(1904, 1, 1) if date_1904 else datetime(1899, 12, 30)
    clock_only = all(kind != "date" or text[0].lower() in "hs" for kind, text in pieces)
    shows_parts = any("." in text for kind, text in pieces if kind == "date")

    def show(value: float) -> str:
        if not 0 <= value < 2_958_466:  # Excel's calendar ends on 9999-12-31
            return general_text(value)
        seconds = value * 86_400.0
        when = start + timedelta(seconds=round(seconds, 3) if shows_parts else round(seconds))
        if not date_1904 and value < 60 and not clock_only:
            when += timedelta(days=1)  # Excel counts a 29 February 1900 that never was
        return "".join(
            _date_piece(pieces, at, when, round(seconds), twelve_hours) for at in range(len(pieces))
        )

    return show


def _date_piece(
    pieces: list[tuple[str, str]], at: int, when: datetime, seconds: int, twelve_hours: bool
) -> str:
    kind, text = pieces[at]
    if kind == "elapsed":
        unit = {"h": 3600, "m": 60, "s": 1}[text[0]]
        return f"{seconds // unit:0{len(text)}d}"
    if kind == "ampm":
        return ("AM" if when.hour < 12 else "PM")[: 2 if len(text) > 3 else 1]
    if kind != "date":
        return text
    letter, width = text[0].lower(), len(text)
    if letter == "y":
        return f"{when.year:04d}" if width > 2 else f"{when.year % 100:02d}"
    if letter == "d":
        return _day_text(when, width)
    if letter == "h":
        hour = (when.hour % 12 or 12) if twelve_hours else when.hour
        return f"{hour:0{min(width, 2)}d}"
    if letter == "s":
        whole, _, parts = text.partition(".")
        shown = f"{when.second:0{min(len(whole), 2)}d}"
        return f"{shown}.{when.microsecond:06d}"[: len(shown) + 1 + len(parts)] if parts else shown
    if _is_minute(pieces, at):
        return f"{when.minute:0{min(width, 2)}d}"
    name = _MONTHS.split()[when.month - 1]
    if width <= 2:
        return f"{when.month:0{width}d}"
    return {3: name[:3], 5: name[0]}.get(width, name)


def _day_text(when: datetime, width: int) -> str:
    if width <= 2:
        return f"{when.day:0{width}d}"
    name = _DAYS.split()[when.weekday()]
    return name[:3] if width == 3 else name


def _is_minute(pieces: list[tuple[str, str]], at: int) -> bool:
    """Whether an `m` stands for minutes: after hours, or before seconds."""
    before = [t[0].lower() for k, t in pieces[:at] if k in ("date", "elapsed")]
    after = [t[0].lower() for k, t in pieces[at + 1 :] if k in ("date", "elapsed")]
    return bool(before and before[-1] == "h") or bool(after and after[0] == "s")
