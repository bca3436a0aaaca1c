"""Numbers in other notations, and bits.

Owns BASE, DECIMAL, the conversions between binary, octal, decimal and hexadecimal, Roman numerals,
the operations on bits, and HYPERLINK. Computed value by value; no gradient passes.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from gradsheet.formula.batch import number_of, text_of
from gradsheet.formula.functions.number_format import formatted
from gradsheet.formula.functions.text import text
from gradsheet.formula.values import ErrorCode, Scalar

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_MOST = 2**53
_WIDE = 10
"""Digits that the conversions of binary, octal and hexadecimal have at most."""
_LETTERS = {"B": (2, "BIN"), "O": (8, "OCT"), "H": (16, "HEX")}


def _written(number: int, base: int) -> str:
    digits = ""
    while True:
        number, last = divmod(number, base)
        digits = _DIGITS[last] + digits
        if not number:
            return digits


def _numbers(*values: Scalar) -> list[float] | ErrorCode:
    found = []
    for value in values:
        number = number_of(value)
        if isinstance(number, ErrorCode):
            return number
        found.append(number)
    return found


@text("BASE", "number, radix, [min_length]", "A number as text in another base.")
def base(number: Scalar, radix: Scalar, least: Scalar = 0.0) -> Scalar:
    """Digits in base 2 to 36, with zeros in front up to a length."""
    given = _numbers(number, radix, least)
    if isinstance(given, ErrorCode):
        return given
    whole, r, length = (math.trunc(x) for x in given)
    if not 0 <= whole < _MOST or not 2 <= r <= 36 or not 0 <= length <= 255:
        return ErrorCode.NUM
    return _written(whole, r).zfill(length)


@text("DECIMAL", "text, radix", "The number that a text spells in another base.")
def decimal(given: Scalar, radix: Scalar) -> Scalar:
    """Number of digits in base 2 to 36."""
    r = number_of(radix)
    if isinstance(r, ErrorCode):
        return r
    spelled = text_of(given).strip()
    if not 2 <= math.trunc(r) <= 36 or len(spelled) > 255:
        return ErrorCode.NUM
    try:
        return float(int(spelled, math.trunc(r))) if spelled else 0.0
    except ValueError:
        return ErrorCode.NUM


def _read(given: Scalar, radix: int) -> int | ErrorCode:
    """Digits as a number; ten digits with the highest bit set are negative."""
    if isinstance(given, bool):
        return ErrorCode.VALUE
    spelled = text_of(given)
    if len(spelled) > _WIDE or any(c not in _DIGITS[:radix] for c in spelled.upper()):
        return ErrorCode.NUM
    number = int(spelled, radix) if spelled else 0
    span = radix**_WIDE
    return number - span if number >= span // 2 else number


def _spelled(number: int, radix: int, places: Scalar) -> Scalar:
    span = radix**_WIDE
    if not -span // 2 <= number < span // 2:
        return ErrorCode.NUM
    digits = _written(number if number >= 0 else number + span, radix)
    if places is None or number < 0:
        return digits
    width = number_of(places)
    if isinstance(width, ErrorCode):
        return width
    if not len(digits) <= math.trunc(width) <= _WIDE:
        return ErrorCode.NUM
    return digits.zfill(math.trunc(width))


def _enter_conversions() -> None:
    for letter, (radix, name) in _LETTERS.items():

        def to_decimal(given: Scalar, radix: int = radix) -> Scalar:
            number = _read(given, radix)
            return number if isinstance(number, ErrorCode) else float(number)

        def from_decimal(given: Scalar, places: Scalar = None, radix: int = radix) -> Scalar:
            number = number_of(given)
            if isinstance(number, ErrorCode):
                return number
            return _spelled(math.trunc(number), radix, places)

        text(f"{name}2DEC", "number", f"A number spelled in base {radix}.")(to_decimal)
        text(f"DEC2{name}", "number, [places]", f"A number in base {radix}.")(from_decimal)
        for other, (to, other_name) in _LETTERS.items():
            if other != letter:
                _enter_between(name, radix, other_name, to)


def _enter_between(name: str, radix: int, other: str, to: int) -> None:
    def convert(given: Scalar, places: Scalar = None) -> Scalar:
        number = _read(given, radix)
        return number if isinstance(number, ErrorCode) else _spelled(number, to, places)

    text(f"{name}2{other}", "number, [places]", f"From base {radix} to base {to}.")(convert)


_enter_conversions()


def _enter_bits(name: str, help_: str, code: Callable[[int, int], int]) -> None:
    def run(a: Scalar, b: Scalar) -> Scalar:
        given = _numbers(a, b)
        if isinstance(given, ErrorCode):
            return given
        if any(x != math.trunc(x) or not 0 <= x < 2**48 for x in given):
            return ErrorCode.NUM
        return float(code(int(given[0]), int(given[1])))

    text(name, "number1, number2", help_)(run)


_enter_bits("BITAND", "Bits that two numbers share.", lambda a, b: a & b)
_enter_bits("BITOR", "Bits that either of two numbers has.", lambda a, b: a | b)
_enter_bits("BITXOR", "Bits that one of two numbers has.", lambda a, b: a ^ b)


def _enter_shift(name: str, help_: str, sign: int) -> None:
    def run(number: Scalar, by: Scalar) -> Scalar:
        given = _numbers(number, by)
        if isinstance(given, ErrorCode):
            return given
        value, shift = given[0], math.trunc(given[1]) * sign
        if value != math.trunc(value) or not 0 <= value < 2**48 or abs(shift) > 53:
            return ErrorCode.NUM
        moved = int(value) << shift if shift >= 0 else int(value) >> -shift
        return float(moved) if moved < 2**48 else ErrorCode.NUM

    text(name, "number, shift_amount", help_)(run)


_enter_shift("BITLSHIFT", "A number with its bits moved to the left.", 1)
_enter_shift("BITRSHIFT", "A number with its bits moved to the right.", -1)

_ROMAN = ((1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"),
          (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))  # fmt: skip


@text("ROMAN", "number, [form]", "A number in Roman numerals.")
def roman(given: Scalar, form: Scalar = 0.0) -> Scalar:
    """Classic numerals of 1 to 3999; other forms are not supported."""
    numbers = _numbers(given, form)
    if isinstance(numbers, ErrorCode):
        return numbers
    number = math.trunc(numbers[0])
    if not 0 <= number <= 3999:
        return ErrorCode.VALUE
    if numbers[1] != 0 and form is not True:
        return ErrorCode.UNSUPPORTED
    found = ""
    for value, letters in _ROMAN:
        count, number = divmod(number, value)
        found += letters * count
    return found


@text("ARABIC", "text", "The number that Roman numerals spell.")
def arabic(given: Scalar) -> Scalar:
    """Number, negative after a minus; 0 for the empty text."""
    spelled = text_of(given).strip().upper()
    sign = -1.0 if spelled.startswith("-") else 1.0
    values = {letter: value for value, letter in _ROMAN if len(letter) == 1}
    digits = [values.get(c, 0) for c in spelled.removeprefix("-")]
    if 0 in digits or len(spelled) > 255:
        return ErrorCode.VALUE
    total = sum(
        -d if i + 1 < len(digits) and d < digits[i + 1] else d for i, d in enumerate(digits)
    )
    return sign * total if total else 0.0


@text("DELTA", "number1, [number2]", "1 where two numbers are equal, else 0.")
def delta(a: Scalar, b: Scalar = 0.0) -> Scalar:
    """Kronecker's delta."""
    given = _numbers(a, b)
    return given if isinstance(given, ErrorCode) else float(given[0] == given[1])


@text("GESTEP", "number, [step]", "1 from a threshold on, else 0.")
def gestep(a: Scalar, b: Scalar = 0.0) -> Scalar:
    """Step function."""
    given = _numbers(a, b)
    return given if isinstance(given, ErrorCode) else float(given[0] >= given[1])


@text("DOLLAR", "number, [decimals]", "A number as text in dollars.")
def dollar(given: Scalar, decimals: Scalar = 2.0) -> Scalar:
    """Rounded, grouped by thousands, in parentheses if negative."""
    numbers = _numbers(given, decimals)
    if isinstance(numbers, ErrorCode):
        return numbers
    number, places = numbers[0], math.trunc(numbers[1])
    if places > 127:
        return ErrorCode.VALUE
    if places < 0:
        scale = 10.0**-places
        number = math.copysign(math.floor(abs(number) / scale + 0.5) * scale, number)
    digits = "#,##0" + ("." + "0" * places if places > 0 else "")
    return formatted(number, f"${digits};($" + digits + ")")


@text("HYPERLINK", "link_location, [friendly_name]", "The text of a link.")
def hyperlink(link: Scalar, name: Scalar = None) -> Scalar:
    """Name of the link, or where it leads; nothing is ever opened."""
    return link if name is None else name
