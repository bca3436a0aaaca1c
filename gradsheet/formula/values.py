"""What a cell can hold: kinds, Excel's error codes, interned text, and what typing gives.

Owns the packing of a value into a float64 and a uint8 kind, and the errors shown to a user.
Knows nothing of sheets, formulas' syntax or tensors.
"""

from __future__ import annotations

import math
import re
import threading
from enum import IntEnum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt


class UserError(Exception):
    """Something the user can put right.

    Parameters
    ----------
    text : what happened and where
    hint : what to do next, may be empty
    """

    def __init__(self, text: str, hint: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.text} {self.hint}".strip()


class FormulaError(UserError):
    """Formula text that cannot be read.

    Parameters
    ----------
    message : what is wrong
    column : one-based column of the text where it is wrong, 0 if nowhere in particular
    length : characters that are wrong, 0 for a place between two characters
    hint : what to do next
    """

    def __init__(self, message: str, column: int = 0, length: int = 0, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.column = column
        self.length = length


class Kind(IntEnum):
    """What the float64 beside it means."""

    BLANK = 0
    NUMBER = 1
    TEXT = 2
    BOOLEAN = 3
    ERROR = 4


class ErrorCode(IntEnum):
    """Excel's errors by their ERROR.TYPE numbers, and two of our own from 100 upwards."""

    NULL = 1
    DIV0 = 2
    VALUE = 3
    REF = 4
    NAME = 5
    NUM = 6
    NA = 7
    SPILL = 9
    CALC = 14
    CIRC = 100
    UNSUPPORTED = 101

    @property
    def text(self) -> str:
        """What the cell shows."""
        return _ERROR_TEXTS[self]

    @classmethod
    def parse(cls, text: str) -> ErrorCode:
        """Read an error as a cell shows it, in either case.

        Raises
        ------
        ValueError
            If `text` is no error.
        """
        code = _ERRORS_BY_TEXT.get(text.strip().upper())
        if code is None:
            raise ValueError(f"{text!r} is none of {', '.join(_ERRORS_BY_TEXT)}")
        return code


_ERROR_TEXTS = {
    ErrorCode.NULL: "#NULL!",
    ErrorCode.DIV0: "#DIV/0!",
    ErrorCode.VALUE: "#VALUE!",
    ErrorCode.REF: "#REF!",
    ErrorCode.NAME: "#NAME?",
    ErrorCode.NUM: "#NUM!",
    ErrorCode.NA: "#N/A",
    ErrorCode.SPILL: "#SPILL!",
    ErrorCode.CALC: "#CALC!",
    ErrorCode.CIRC: "#CIRC!",
    ErrorCode.UNSUPPORTED: "#UNSUPPORTED!",
}
_ERRORS_BY_TEXT = {text: code for code, text in _ERROR_TEXTS.items()}

Scalar: TypeAlias = float | str | bool | ErrorCode | None
"""One cell's value; None is a blank cell."""


class Strings:
    """The texts of a workbook, each stored once and named by a number that never changes.

    Ids count up from 0, which is the empty text. Nothing is ever removed, so an id stays valid
    in undo and in other threads. Reading needs no lock; adding takes one.
    """

    def __init__(self) -> None:
        self._texts: list[str] = [""]
        self._ids: dict[str, int] = {"": 0}
        self._folded: list[int] = [0]
        self._classes: dict[str, int] = {"": 0}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._texts)

    def id_of(self, text: str) -> int:
        """The id of `text`, which is added if it is new."""
        known = self._ids.get(text)
        if known is not None:
            return known
        with self._lock:
            known = self._ids.get(text)
            if known is None:
                known = len(self._texts)
                self._folded.append(self._classes.setdefault(text.casefold(), known))
                self._texts.append(text)
                self._ids[text] = known  # last: a reader that sees the id finds the rest
            return known

    def find(self, text: str) -> int | None:
        """The id of `text`, or None if no cell ever held it."""
        return self._ids.get(text)

    def text(self, text_id: int) -> str:
        """The text of an id.

        Raises
        ------
        IndexError
            If no text has this id.
        """
        if text_id < 0:
            raise IndexError(f"no text has the id {text_id}")
        return self._texts[text_id]

    def folded(self, text_id: int) -> int:
        """The id of the first text that equals this one but for case.

        Two texts are equal in Excel's sense when their folded ids are equal.
        """
        return self._folded[text_id]

    def folded_ids(self) -> npt.NDArray[np.int64]:
        """`folded` of every id at once, shape (len(self),), int64; for vectorised comparison."""
        return np.array(self._folded[: len(self._texts)], dtype=np.int64)


def pack(scalar: Scalar, strings: Strings) -> tuple[float, Kind]:
    """A value as the number and kind that a cell stores.

    Infinities and NaN become #NUM!, for Excel has neither.

    Raises
    ------
    TypeError
        If `scalar` is none of the types of `Scalar` (numpy's scalars count as Python's).
    """
    if scalar is None:
        return 0.0, Kind.BLANK
    if isinstance(scalar, ErrorCode):
        return float(scalar), Kind.ERROR
    if isinstance(scalar, (bool, np.bool_)):
        return float(scalar), Kind.BOOLEAN
    if isinstance(scalar, (float, int, np.floating, np.integer)):
        number = float(scalar)
        if math.isfinite(number):
            return number, Kind.NUMBER
        return float(ErrorCode.NUM), Kind.ERROR
    if isinstance(scalar, str):
        return float(strings.id_of(scalar)), Kind.TEXT
    raise TypeError(f"a cell cannot hold {type(scalar).__name__}")


def unpack(value: float, kind: int, strings: Strings) -> Scalar:
    """The value that a cell's number and kind stand for; the inverse of `pack`."""
    if kind == Kind.NUMBER:
        return float(value)
    if kind == Kind.BLANK:
        return None
    if kind == Kind.TEXT:
        return strings.text(int(value))
    if kind == Kind.BOOLEAN:
        return bool(value)
    return ErrorCode(int(value))


_CURRENCY = "$€£¥"
_PLAIN = re.compile(r"(\d+|\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,6}))?")
_GROUPS = {
    ".": re.compile(r"(?:\d{1,3}(?:,\d{3})+|\d{1,3}(?:['’\u00a0\u202f ]\d{3})+)(?!\d)"),
    ",": re.compile(r"(?:\d{1,3}(?:\.\d{3})+|\d{1,3}(?:['’\u00a0\u202f ]\d{3})+)(?!\d)"),
}
_NOT_A_DIGIT = re.compile(r"[^0-9]")
_LARGEST_EXACT = 2**53


def parse_entry(text: str, decimal: str = ".") -> Scalar:
    """What typing `text` into a cell gives; formulas (leading `=`) are not looked at here.

    Numbers may have a sign, groups of thousands, an exponent, a percent sign, a currency sign
    or accountants' parentheses, and are read to the nearest double. A whole number of more
    digits than a double can hold (a card number, say) stays text, so that no digit is lost.
    TRUE, FALSE and the error texts are read in either case. A leading apostrophe makes text of
    whatever follows. Text that is empty gives None, a blank cell.

    Parameters
    ----------
    decimal : "." or ","; with a decimal comma a point separates groups of thousands
    """
    if text == "":
        return None
    if text[0] == "'":
        return text[1:]
    trimmed = text.strip()
    number = parse_number(trimmed, decimal)
    if number is not None:
        return number
    upper = trimmed.upper()
    if upper in ("TRUE", "FALSE"):
        return upper == "TRUE"
    return _ERRORS_BY_TEXT.get(upper, text)


def parse_number(text: str, decimal: str = ".") -> float | None:
    """The finite double that `text` spells, by the rules of `parse_entry`, or None."""
    body = text.strip()
    negative = False
    if body.startswith("(") and body.endswith(")"):
        negative, body = True, body[1:-1].strip()
        if body[:1] in ("+", "-"):
            return None
    if body[:1] in ("+", "-"):
        negative, body = body[0] == "-", body[1:].lstrip()
    percent = body.endswith("%")
    if percent:
        body = body[:-1].rstrip()
    elif body[:1] and body[0] in _CURRENCY:
        body = body[1:].lstrip()
    elif body[-1:] and body[-1] in _CURRENCY:
        body = body[:-1].rstrip()
    digits = _plain_digits(body, decimal)
    if digits is None:
        return None
    whole, fraction, exponent = digits
    number = float(f"{whole or '0'}.{fraction or '0'}e{exponent - 2 * percent}")
    if not math.isfinite(number):
        return None
    is_integer = not fraction.strip("0") and exponent == 0 and not percent
    if is_integer and number >= _LARGEST_EXACT and int(whole) != int(number):
        return None
    return -number if negative else number


def _plain_digits(body: str, decimal: str) -> tuple[str, str, int] | None:
    """Digits before and after the decimal sign, and the exponent; None if it is no number."""
    if not body.isascii() and not any(mark in body for mark in "’\u00a0\u202f"):
        return None
    grouped = _GROUPS[decimal].match(body)
    if grouped is not None:
        body = _NOT_A_DIGIT.sub("", grouped[0]) + body[grouped.end() :]
    if decimal == ",":
        if "." in body:
            return None
        body = body.replace(",", ".")
    match = _PLAIN.fullmatch(body)
    if match is None or not (match[1] or match[2]):
        return None
    return match[1], match[2] or "", int(match[3] or 0)
