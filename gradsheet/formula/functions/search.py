"""The search for values in a column, by Excel's rules.

Owns the classes that values are compared in (number, text, boolean), exact search with
wildcards, and the binary search of MATCH type 1 that Excel also runs on data out of order.
"""

from __future__ import annotations

import re
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from gradsheet.formula.batch import Batch, plain
from gradsheet.formula.values import ErrorCode, Strings

Places: TypeAlias = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]
"""Places from 0 and error codes (0 for none), shape (R, C, h, w) of the values wanted."""
_Column: TypeAlias = tuple[npt.NDArray[np.float64], npt.NDArray[np.uint8]]


class Keys:
    """Columns to search in, (R|1, C|1, n, 1), one for every cell of a block."""

    def __init__(self, batch: Batch, strings: Strings) -> None:
        num, kinds = plain(batch)
        self.rows, self.cols, self.count, _ = num.shape
        self._num, self._kinds = num[..., 0], kinds[..., 0]
        self._strings = strings
        self._columns: dict[tuple[int, int], _Searched] = {}

    def at(self, r: int, c: int) -> _Searched:
        """The column that a cell of the block searches."""
        place = (min(r, self.rows - 1), min(c, self.cols - 1))
        column = self._columns.get(place)
        if column is None:
            column = _Searched(self._num[place], self._kinds[place], self._strings)
            self._columns[place] = column
        return column


class _Searched:
    """One column, prepared for many searches."""

    def __init__(
        self, num: npt.NDArray[np.float64], kinds: npt.NDArray[np.uint8], strings: Strings
    ) -> None:
        self._num, self._kinds, self._strings = num, kinds, strings
        self._first: dict[tuple[int, float | str], int] | None = None
        self._last: dict[tuple[int, float | str], int] = {}
        self._sorted: dict[int, tuple[list[int], list[float | str]]] = {}
        self._known: dict[tuple[int, float | str, str, bool], int] = {}
        missing = num[(kinds == 4) & (num >= 100)]
        self.uncomputed = float(missing[0]) if missing.size else 0.0

    def find(self, kind: int, value: float | str, how: str, last: bool) -> int:
        """Place of a value, -1 for none."""
        key = (kind, value, how, last)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._search(kind, value, how, last)
        return known

    def _search(self, kind: int, value: float | str, how: str, last: bool) -> int:
        if how in ("below", "above"):
            return self._binary(kind, value, how)
        if how == "wild" and isinstance(value, str) and any(c in value for c in "*?~"):
            return self._wild(value, last)
        exact = self._exact(kind, value, last)
        if exact >= 0 or how in ("exact", "wild"):
            return exact
        return self._nearest(kind, value, how, last)

    def _exact(self, kind: int, value: float | str, last: bool) -> int:
        if self._first is None:
            self._first = {}
            for i, key in enumerate(self._keys()):
                self._first.setdefault(key, i)
                self._last[key] = i
        found = self._last if last else self._first
        return found.get((kind, value), -1)

    def _keys(self) -> list[tuple[int, float | str]]:
        return [
            (kind, key_of(value, kind, self._strings))
            for value, kind in zip(self._num.tolist(), self._kinds.tolist(), strict=True)
        ]

    def _of_kind(self, kind: int) -> tuple[list[int], list[float | str]]:
        known = self._sorted.get(kind)
        if known is None:
            places = np.flatnonzero(self._kinds == kind).tolist()
            known = places, [key_of(self._num[i], kind, self._strings) for i in places]
            self._sorted[kind] = known
        return known

    def _binary(self, kind: int, value: float | str, how: str) -> int:
        """Excel's binary search among the values of one kind; of equal ones in a row the last."""
        places, keys = self._of_kind(kind)
        low, high = 0, len(keys) - 1
        while low <= high:
            middle = (low + high) // 2
            key = keys[middle]
            if key == value:
                step = 1 if how == "below" else -1
                while 0 <= middle + step < len(keys) and keys[middle + step] == value:
                    middle += step
                return places[middle]
            below = key < value  # type: ignore[operator]  # of one kind, so of one type
            if below == (how == "below"):
                low = middle + 1
            else:
                high = middle - 1
        return places[high] if high >= 0 else -1

    def _nearest(self, kind: int, value: float | str, how: str, last: bool) -> int:
        places, keys = self._of_kind(kind)
        if how == "next_below":
            below = [k for k in keys if k < value]  # type: ignore[operator]
            near = max(below) if below else None
        else:
            above = [k for k in keys if k > value]  # type: ignore[operator]
            near = min(above) if above else None
        if near is None:
            return -1
        same = [i for i, key in enumerate(keys) if key == near]
        return places[same[-1] if last else same[0]]

    def _wild(self, pattern: str, last: bool) -> int:
        places, keys = self._of_kind(2)
        match = wildcard(pattern)
        order = range(len(keys) - 1, -1, -1) if last else range(len(keys))
        for i in order:
            if match.fullmatch(str(keys[i])):
                return places[i]
        return -1


def key_of(value: float, kind: int, strings: Strings) -> float | str:
    """What a value is compared by: a number, or a text without case."""
    return strings.text(int(value)).casefold() if kind == 2 else float(value)


def wildcard(pattern: str) -> re.Pattern[str]:
    """A pattern with * ? and ~ as an expression on texts without case."""
    out = []
    i = 0
    while i < len(pattern):
        char = pattern[i]
        if char == "~" and i + 1 < len(pattern) and pattern[i + 1] in "*?~":
            out.append(re.escape(pattern[i + 1]))
            i += 1
        elif char in "*?":
            out.append(".*" if char == "*" else ".")
        else:
            out.append(re.escape(char))
        i += 1
    return re.compile("".join(out), re.IGNORECASE | re.DOTALL)


def find(keys: Keys, wanted: Batch, how: str, strings: Strings, last: bool = False) -> Places:
    """Where each wanted value is in the column that its cell of the block searches.

    Parameters
    ----------
    how : "exact", "wild" (exact with wildcards), "below" and "above" (binary search for the
        last not above, not below), "next_below", "next_above" (exact or nearest, any order)
    last : whether the last of equal values is found
    """
    num, kinds = plain(wanted)
    shape = (max(num.shape[0], keys.rows), max(num.shape[1], keys.cols), *num.shape[2:])
    num, kinds = np.broadcast_to(num, shape), np.broadcast_to(kinds, shape)
    places, codes = np.zeros(shape), np.zeros(shape)
    for at in np.ndindex(shape):
        kind = int(kinds[at])
        if kind == 4:
            codes[at] = num[at]
            continue
        column = keys.at(at[0], at[1])
        if column.uncomputed:  # what is not known might be the value
            codes[at] = column.uncomputed
            continue
        value = key_of(float(num[at]), kind, strings)
        found = column.find(1 if kind == 0 else kind, value, how, last)
        places[at] = max(found, 0)
        codes[at] = 0.0 if found >= 0 else float(ErrorCode.NA)
    return places, codes
