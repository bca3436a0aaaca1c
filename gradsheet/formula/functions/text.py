"""Functions of texts.

Owns cutting, joining, searching and formatting. Texts are computed value by value, equal ones
once; no gradient passes through a text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

from gradsheet.formula.batch import (
    Batch,
    by_host,
    number_of,
    spelled_number,
    text_of,
)
from gradsheet.formula.functions.number_format import formatted
from gradsheet.formula.functions.search import wildcard
from gradsheet.formula.functions.table import function
from gradsheet.formula.values import ErrorCode, Scalar, parse_number

if TYPE_CHECKING:
    from gradsheet.formula.evaluate import Evaluator

FAMILY = "Texts"
_NONE = "none: a text has no slope"
_LONGEST = 32_767


def text(name: str, arguments: str, help_: str) -> Callable[[Callable[..., Scalar]], object]:
    """Enter a function of single values, given as a Python function of them."""

    def enter(code: Callable[..., Scalar]) -> object:
        def limited(*args: Scalar) -> Scalar:
            result = code(*args)
            too_long = isinstance(result, str) and len(result) > _LONGEST
            return ErrorCode.VALUE if too_long else result

        def run(evaluator: Evaluator, *batches: Batch) -> Batch:
            return by_host(limited, batches, evaluator.strings)

        function(name, arguments, help_, family=FAMILY, gradient=_NONE)(run)
        return code

    return enter


@text("LEN", "text", "How many characters a text has.")
def len_(value: Scalar) -> Scalar:
    """Length in characters."""
    return float(len(text_of(value)))


def _count(value: Scalar, default: int = 1) -> int | ErrorCode:
    number = number_of(value)
    if isinstance(number, ErrorCode):
        return number
    return int(number)


@text("LEFT", "text, [num_chars]", "The first characters of a text.")
def left(value: Scalar, count: Scalar = 1.0) -> Scalar:
    """First characters; #VALUE! for a negative count."""
    n = _count(count)
    if isinstance(n, ErrorCode):
        return n
    return ErrorCode.VALUE if n < 0 else text_of(value)[:n]


@text("RIGHT", "text, [num_chars]", "The last characters of a text.")
def right(value: Scalar, count: Scalar = 1.0) -> Scalar:
    """Last characters; #VALUE! for a negative count."""
    n = _count(count)
    if isinstance(n, ErrorCode):
        return n
    if n < 0:
        return ErrorCode.VALUE
    return text_of(value)[-n:] if n else ""


@text("MID", "text, start_num, num_chars", "Characters from the middle of a text.")
def mid(value: Scalar, start: Scalar, count: Scalar) -> Scalar:
    """Characters from a place on; #VALUE! for a start below 1 or a negative count."""
    first, n = _count(start), _count(count)
    if isinstance(first, ErrorCode):
        return first
    if isinstance(n, ErrorCode):
        return n
    if first < 1 or n < 0:
        return ErrorCode.VALUE
    return text_of(value)[first - 1 : first - 1 + n]


@text("UPPER", "text", "A text in capitals.")
def upper(value: Scalar) -> Scalar:
    """Capitals."""
    return text_of(value).upper()


@text("LOWER", "text", "A text in small letters.")
def lower(value: Scalar) -> Scalar:
    """Small letters."""
    return text_of(value).lower()


@text("PROPER", "text", "A text with a capital at the start of each word.")
def proper(value: Scalar) -> Scalar:
    """Capital after anything that is no letter."""
    return re.sub(r"[^\W\d_]+", lambda m: m[0].capitalize(), text_of(value))


@text("TRIM", "text", "A text without surplus spaces.")
def trim(value: Scalar) -> Scalar:
    """Single spaces between words, none around."""
    return " ".join(part for part in text_of(value).split(" ") if part)


@text("CLEAN", "text", "A text without control characters.")
def clean(value: Scalar) -> Scalar:
    """Characters below 32 removed."""
    return "".join(c for c in text_of(value) if ord(c) >= 32)


@text("EXACT", "text1, text2", "Whether two texts are the same, case included.")
def exact(a: Scalar, b: Scalar) -> Scalar:
    """Equality with case."""
    return text_of(a) == text_of(b)


@text("REPT", "text, number_times", "A text repeated.")
def rept(value: Scalar, times: Scalar) -> Scalar:
    """Repetition; #VALUE! for a negative count or a text that is too long."""
    n = _count(times)
    if isinstance(n, ErrorCode):
        return n
    piece = text_of(value)
    if n < 0 or n * len(piece) > _LONGEST:
        return ErrorCode.VALUE
    return piece * n


@text("CHAR", "number", "The character of a number from 1 to 255.")
def char(value: Scalar) -> Scalar:
    """Character in Windows' Latin set."""
    n = _count(value)
    if isinstance(n, ErrorCode):
        return n
    if not 1 <= n <= 255:
        return ErrorCode.VALUE
    return bytes([n]).decode("cp1252", errors="replace")


@text("CODE", "text", "The number of a text's first character.")
def code(value: Scalar) -> Scalar:
    """Number in Windows' Latin set."""
    piece = text_of(value)
    if not piece:
        return ErrorCode.VALUE
    return float(piece[0].encode("cp1252", errors="replace")[0])


@text("UNICHAR", "number", "The character of a Unicode number.")
def unichar(value: Scalar) -> Scalar:
    """Character by its code point."""
    n = _count(value)
    if isinstance(n, ErrorCode):
        return n
    if not 1 <= n <= 0x10FFFF or 0xD800 <= n < 0xE000:
        return ErrorCode.VALUE
    return chr(n)


@text("UNICODE", "text", "The Unicode number of a text's first character.")
def unicode(value: Scalar) -> Scalar:
    """Code point."""
    piece = text_of(value)
    return float(ord(piece[0])) if piece else ErrorCode.VALUE


def _search(needle: Scalar, within: Scalar, start: Scalar, wild: bool) -> Scalar:
    first = _count(start)
    if isinstance(first, ErrorCode):
        return first
    hay, piece = text_of(within), text_of(needle)
    if first < 1 or first > len(hay) + 1:
        return ErrorCode.VALUE
    if wild:
        found = wildcard(piece).search(hay, first - 1)
        place = found.start() if found else -1
    else:
        place = hay.find(piece, first - 1)
    return ErrorCode.VALUE if place < 0 else float(place + 1)


@text("FIND", "find_text, within_text, [start_num]", "Place of a text in another, with case.")
def find(needle: Scalar, within: Scalar, start: Scalar = 1.0) -> Scalar:
    """Place from 1; #VALUE! if it is not there."""
    return _search(needle, within, start, False)


@text("SEARCH", "find_text, within_text, [start_num]",
      "Place of a text in another, without case; * and ? stand for any.")  # fmt: skip
def search(needle: Scalar, within: Scalar, start: Scalar = 1.0) -> Scalar:
    """Place from 1; #VALUE! if it is not there."""
    return _search(needle, within, start, True)


@text("SUBSTITUTE", "text, old_text, new_text, [instance_num]", "A text with parts replaced.")
def substitute(value: Scalar, old: Scalar, new: Scalar, which: Scalar = None) -> Scalar:
    """Every occurrence, or the one asked for, replaced."""
    whole, gone, come = text_of(value), text_of(old), text_of(new)
    if not gone:
        return whole
    if which is None:
        return whole.replace(gone, come)
    n = _count(which)
    if isinstance(n, ErrorCode) or n < 1:
        return ErrorCode.VALUE
    parts = whole.split(gone)
    if n >= len(parts):
        return whole
    return gone.join(parts[:n]) + come + gone.join(parts[n:])


@text("REPLACE", "old_text, start_num, num_chars, new_text", "A text with a stretch replaced.")
def replace(value: Scalar, start: Scalar, count: Scalar, new: Scalar) -> Scalar:
    """Characters from a place on replaced."""
    first, n = _count(start), _count(count)
    if isinstance(first, ErrorCode) or isinstance(n, ErrorCode) or first < 1 or n < 0:
        return ErrorCode.VALUE
    whole = text_of(value)
    return whole[: first - 1] + text_of(new) + whole[first - 1 + n :]


@text("VALUE", "text", "The number that a text spells.")
def value(given: Scalar) -> Scalar:
    """Number; #VALUE! for a text that spells none."""
    if isinstance(given, bool):
        return ErrorCode.VALUE
    if isinstance(given, str):
        read = spelled_number(given)
        return ErrorCode.VALUE if read is None else read
    return number_of(given)


@text("NUMBERVALUE", "text, [decimal_separator], [group_separator]",
      "The number that a text spells, whatever its separators.")  # fmt: skip
def numbervalue(given: Scalar, decimal: Scalar = ".", group: Scalar = ",") -> Scalar:
    """Number; the group separator is dropped before the decimal one, spaces everywhere."""
    whole = text_of(given).replace(" ", "")
    point, comma = text_of(decimal)[:1] or ".", text_of(group)[:1]
    front, sign, back = whole.partition(point)
    if comma:
        front = front.replace(comma, "")
    percents = len(whole) - len(whole.rstrip("%"))
    read = parse_number((front + ("." if sign else "") + back).rstrip("%") or "0")
    return ErrorCode.VALUE if read is None else read / 100.0**percents


@text("FIXED", "number, [decimals], [no_commas]", "A number as text with fixed decimals.")
def fixed(given: Scalar, decimals: Scalar = 2.0, plain_: Scalar = False) -> Scalar:
    """Rounded and grouped by thousands unless asked otherwise."""
    number, places = number_of(given), _count(decimals)
    if isinstance(number, ErrorCode):
        return number
    if isinstance(places, ErrorCode) or places > 127:
        return ErrorCode.VALUE
    whole = "0" if number_of(plain_) else "#,##0"
    if places < 0:
        number = float(round(Decimal(repr(number)), places))
    return formatted(number, whole + ("." + "0" * places if places > 0 else ""))


@text("T", "value", "A value if it is text, else the empty text.")
def t(given: Scalar) -> Scalar:
    """Text only."""
    return given if isinstance(given, str) else ""


@text("TEXT", "value, format_text", "A number as text in a format.")
def text_(given: Scalar, pattern: Scalar) -> Scalar:
    """Formatted number; a format that is not understood gives #UNSUPPORTED!."""
    return formatted(given, text_of(pattern))


@text("ADDRESS", "row_num, column_num, [abs_num], [a1], [sheet_text]", "A cell's address as text.")
def address(
    row: Scalar, col: Scalar, kind: Scalar = 1.0, a1: Scalar = True, sheet: Scalar = None
) -> Scalar:
    """`$A$1` in one of four kinds: 1 absolute, 2 row, 3 column, 4 relative."""
    from gradsheet.formula.address import MAX_COLS, MAX_ROWS, column_name
    from gradsheet.formula.syntax import quote_sheet

    r, c = _count(row), _count(col)
    k = 1 if kind is None else _count(kind)
    if isinstance(r, ErrorCode) or isinstance(c, ErrorCode) or isinstance(k, ErrorCode):
        return ErrorCode.VALUE
    if not (1 <= r <= MAX_ROWS and 1 <= c <= MAX_COLS and 1 <= k <= 4):
        return ErrorCode.VALUE
    row_mark, col_mark = "$" if k in (1, 2) else "", "$" if k in (1, 3) else ""
    if a1 is not None and not number_of(a1):
        cell = f"R{r}" if row_mark else f"R[{r}]"
        cell += f"C{c}" if col_mark else f"C[{c}]"
    else:
        cell = f"{col_mark}{column_name(c - 1)}{row_mark}{r}"
    return cell if sheet is None else f"{quote_sheet(text_of(sheet))}!{cell}"
