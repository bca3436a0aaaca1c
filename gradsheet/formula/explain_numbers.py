"""A formula with its numbers put in: `3.25 = 0.21*-1.69 + 1.61*1.01 + ...`.

Owns the writing of arithmetic as a teacher would at the board: sums and products of ranges term
by term, long ones cut with their count, and of an IF the branch that was taken. Every number
keeps the cell it came from. Knows no typesetting and no PyTorch.
"""

# LONG: one writer, whose rules share the notes and whether arrays are meant.

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.explain_cells import (
    Array,
    Segment,
    Source,
    View,
    error_text,
    is_array_argument,
    is_whole,
)
from gradsheet.formula.nodes import Columns, Range, Ref, Rows
from gradsheet.formula.syntax import (
    Binary,
    Boolean,
    Call,
    ErrorLiteral,
    Expr,
    Intersection,
    Missing,
    Name,
    Number,
    Percent,
    RangeOf,
    Text,
    Unary,
    Union,
)
from gradsheet.formula.unparse import POWERS, unparse
from gradsheet.formula.values import ErrorCode, Kind, Scalar

FEW = 8
"""Up to so many terms of a sum are written out; of more, the first three and the last."""
_SUM, _PRODUCT, _SIGN, _ATOM = 3, 4, 6, 11
_AGGREGATES = ("SUM", "SUMSQ", "AVERAGE")
_PAIRED = ("SUMXMY2", "SUMPRODUCT", "SUMX2MY2", "SUMX2PY2")
_ARRAY_FUNCTIONS = frozenset({"SUMPRODUCT", "MMULT"})


@dataclass(frozen=True, slots=True)
class Written:
    """Text under construction, and how tightly it holds together."""

    segments: tuple[Segment, ...]
    power: int = _ATOM
    is_negative: bool = False


@dataclass(slots=True)
class Notes:
    """Remarks collected on the way, said once each."""

    texts: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        """Add a remark."""
        if text not in self.texts:
            self.texts.append(text)


def numbers_put_in(view: View) -> tuple[Segment, ...]:
    """The value of a cell, `=`, and its formula with every number put in.

    A cell without a formula gives its value alone.
    """
    head = _value(view, view.value, Source(view.sheet, Region.of(view.cell)))
    if view.expr is None:
        return head.segments
    notes = Notes()
    body = Writer(view, notes).write_result()
    remarks = tuple(Segment(f"   {text}", tone="note") for text in notes.texts)
    return (*head.segments, Segment(" = "), *body.segments, *remarks)


def _value(view: View, value: Scalar, source: Source | None) -> Written:
    if isinstance(value, ErrorCode):
        return Written((Segment(value.text, source),))
    if isinstance(value, bool):
        return Written((Segment("TRUE" if value else "FALSE", source),))
    if isinstance(value, str):
        shown = value if len(value) <= 24 else f"{value[:23]}…"
        return Written((Segment(f'"{shown}"', source),))
    if value is None:
        return Written((Segment("blank", source),))
    text = view.number_text(value, source)
    is_negative = text.startswith("-")
    return Written((Segment(text, source),), _SIGN if is_negative else _ATOM, is_negative)


class Writer:
    """Writes the parts of one formula.

    Parameters
    ----------
    view : the formula and its cells
    notes : takes remarks such as which branch of an IF was taken
    """

    def __init__(self, view: View, notes: Notes) -> None:
        self._view = view
        self._notes = notes
        self._is_array = view.is_array

    def write_result(self) -> Written:
        """The whole formula; of an array formula the part that gives this cell."""
        view = self._view
        assert view.expr is not None
        if (view.at is not None and view.at != (0, 0)) or _is_product(view.expr):
            found = self._member(view.expr, view.at or (0, 0))
            if found is not None:
                return found
        return self.write(view.expr)

    def _member(self, expr: Expr, at: tuple[int, int]) -> Written | None:
        """One element of a product of matrices or of a reference, or None."""
        if isinstance(expr, Call) and expr.name == "MMULT" and len(expr.args) == 2:
            return self._dot(expr, at)
        place = self._view.place(expr, True, whole=True)
        if place is not None and place.region.rows > at[0] and place.region.cols > at[1]:
            cell = Cell(place.region.top + at[0], place.region.left + at[1])
            return self._cell(Source(place.sheet, Region.of(cell)))
        row, col = at[0] + 1, at[1] + 1
        if at != (0, 0):
            self._notes.add(f"row {row}, column {col} of the result")
        return None

    def write(self, expr: Expr) -> Written:
        """A part of the formula."""
        match expr:
            case Number() | Text() | Boolean() | ErrorLiteral() | Missing():
                return self._constant(expr)
            case Ref() | Range() | Columns() | Rows():
                return self._reference(expr)
            case Binary(op, a, b):
                return self._binary(op, a, b)
            case Unary(op, x):
                return self._unary(op, x)
            case Percent(x):
                inner = self._held(self.write(x), 7)
                return Written((*inner, Segment("%")), 7)
            case Call():
                return self._call(expr)
            case Name() | RangeOf() | Union() | Intersection():
                return self._result_of(expr)
            case _:
                return Written((Segment(unparse(expr, self._view.host)[1:]),))

    # ------------------------------------------------------------------ leaves

    def _constant(self, expr: Expr) -> Written:
        if isinstance(expr, Number):
            return Written((Segment(expr.text or self._view.number_text(expr.value, None)),))
        return Written((Segment(unparse(expr, self._view.host)[1:]),))

    def _reference(self, expr: Expr) -> Written:
        place = self._view.place(expr, self._is_array)
        if place is None:
            return self._result_of(expr)
        return self._cell(place) if place.region.size == 1 else self._range(place)

    def _cell(self, place: Source) -> Written:
        found = self._view.read(place)
        value = self._view.scalar_of(found.values[0, 0], int(found.kinds[0, 0]))
        return _value(self._view, value, place)

    def _range(self, place: Source) -> Written:
        """Cells as an array: `{1, 2, … 15 values}`."""
        found = self._view.read(place)
        parts: list[Written] = []
        for row, col, is_gap in _chosen(found.values.shape):
            if is_gap:
                parts.append(Written((Segment("…"),)))
            cell = Cell(place.region.top + row, place.region.left + col)
            parts.append(self._cell(Source(place.sheet, Region.of(cell))))
        inside = _joined(parts, ", ")
        size = place.region.size
        tail = (Segment(f", {size:,} cells", place),) if size > FEW else ()
        return Written((Segment("{"), *inside, *tail, Segment("}")))

    def _result_of(self, expr: Expr, source: Source | None = None) -> Written:
        """What a part is worth, where how it came about is not arithmetic."""
        found = self._view.array(expr, self._is_array)
        if not found.is_one:
            return Written((Segment(unparse(expr, self._view.host)[1:]),))
        value = self._view.scalar_of(found.values[0, 0], int(found.kinds[0, 0]))
        return _value(self._view, value, source)

    # ------------------------------------------------------------------ operators

    def _held(self, part: Written, power: int) -> tuple[Segment, ...]:
        if part.power >= power:
            return part.segments
        return (Segment("("), *part.segments, Segment(")"))

    def _binary(self, op: str, a: Expr, b: Expr) -> Written:
        power = POWERS[op]
        left, right = self.write(a), self.write(b)
        if op in "+-" and right.is_negative and op == "+":
            return Written((*self._held(left, _SUM), *_signed(right)), _SUM)
        first = self._held(left, power)
        # Excel takes a sign before the power, people do not: (-2)^2.
        if op == "^" and left.is_negative:
            first = (Segment("("), *left.segments, Segment(")"))
        needs = power + 1
        if right.is_negative and op in "-^":
            needs = _ATOM
        gap = " " if power <= _SUM else ""
        return Written((*first, Segment(f"{gap}{op}{gap}"), *self._held(right, needs)), power,
                       left.is_negative and power >= _SUM)  # fmt: skip

    def _unary(self, op: str, x: Expr) -> Written:
        inner = self.write(x)
        if op in "@+":
            return inner
        needs = _ATOM if inner.is_negative else _SIGN
        return Written((Segment("-"), *self._held(inner, needs)), _SIGN, True)

    # ------------------------------------------------------------------ calls

    def _call(self, expr: Call) -> Written:
        rule = _RULES.get(expr.name)
        if rule is not None:
            found = rule(self, expr)
            if found is not None:
                return found
        place = self._view.place(expr, self._is_array)
        if place is not None:
            self._notes.add(f"{expr.name} finds {self._view.name(place)}")
            return self._cell(place) if place.region.size == 1 else self._range(place)
        return self._plain_call(expr)

    def _plain_call(self, expr: Call) -> Written:
        parts = [self._argument(expr.name, i, arg) for i, arg in enumerate(expr.args)]
        inside = _joined(parts, ", ")
        return Written((Segment(f"{expr.name}("), *inside, Segment(")")))

    def _argument(self, name: str, index: int, arg: Expr) -> Written:
        before = self._is_array
        self._is_array = is_array_argument(name, index, before)
        try:
            if is_whole(name, index):
                place = self._view.place(arg, self._is_array, whole=True)
                if place is not None:
                    one = place.region.size == 1
                    return self._cell(place) if one else self._range(place)
            return self.write(arg)
        finally:
            self._is_array = before

    def _numbers(self, name: str, index: int, arg: Expr) -> _Numbers | None:
        """The values of an argument, each with the cell it came from where it has one."""
        is_array = is_array_argument(name, index, self._is_array)
        place = self._view.place(arg, is_array, whole=True)
        if place is not None:
            return _Numbers(self._view.read(place), place)
        found = self._view.array(arg, is_array, whole=True)
        return None if (found.kinds == Kind.ERROR).any() else _Numbers(found, None)

    def _number(self, numbers: _Numbers, row: int, col: int) -> Written:
        """One of them; a blank or a text counts as 0 here."""
        if not numbers.array.numbers[row, col]:
            return Written((Segment("0", numbers.at(row, col)),))
        return _value(self._view, float(numbers.array.values[row, col]), numbers.at(row, col))

    def _dot(self, expr: Call, at: tuple[int, int] = (0, 0)) -> Written | None:
        """A row times a column, product by product."""
        a, b = (self._numbers(expr.name, i, arg) for i, arg in enumerate(expr.args))
        if a is None or b is None or at[0] >= a.rows or at[1] >= b.cols or a.cols != b.rows:
            return None
        if not (a.array.numbers[at[0]].all() and b.array.numbers[:, at[1]].all()):
            return None

        def term(k: int) -> Written:
            return self._times(self._number(a, at[0], k), self._number(b, k, at[1]))

        return self._sum(a.cols, term, "products")

    def _sumproduct(self, expr: Call) -> Written | None:
        given = [self._numbers(expr.name, i, arg) for i, arg in enumerate(expr.args)]
        if len(given) < 2 or any(g is None or g.source is None for g in given):
            return None
        factors = [g for g in given if g is not None]
        if len({g.array.values.shape for g in factors}) != 1:
            return None
        cols = factors[0].cols

        def term(k: int) -> Written:
            parts = [self._number(g, *divmod(k, cols)) for g in factors]
            return functools.reduce(self._times, parts)

        return self._sum(factors[0].array.values.size, term, "products")

    def _times(self, a: Written, b: Written) -> Written:
        segments = (*self._held(a, _PRODUCT), Segment("*"), *self._held(b, _PRODUCT))
        return Written(segments, _PRODUCT, a.is_negative)

    def _squares_of_pairs(self, expr: Call) -> Written | None:
        """SUMXMY2 as (a - b)^2 + ..., over the pairs of numbers."""
        if len(expr.args) != 2:
            return None
        a, b = (self._numbers(expr.name, i, arg) for i, arg in enumerate(expr.args))
        if a is None or b is None or a.array.values.shape != b.array.values.shape:
            return None
        places = np.argwhere(a.array.numbers & b.array.numbers)

        def term(k: int) -> Written:
            row, col = (int(i) for i in places[k])
            x, y = self._number(a, row, col), self._number(b, row, col)
            inner = (*x.segments, Segment(" - "), *self._held(y, _ATOM))
            return Written((Segment("("), *inner, Segment(")^2")), 5)

        return self._sum(len(places), term, "pairs")

    def _aggregate(self, expr: Call) -> Written | None:
        """SUM, SUMSQ and AVERAGE as sums of their numbers."""
        found = [self._numbers(expr.name, i, arg) for i, arg in enumerate(expr.args)]
        terms: list[tuple[_Numbers, int, int]] = []
        for numbers in found:
            if numbers is None:
                return None
            terms += [(numbers, int(r), int(c)) for r, c in np.argwhere(numbers.array.numbers)]
        if not terms:
            return None
        square = expr.name == "SUMSQ"

        def term(k: int) -> Written:
            one = self._number(*terms[k])
            if not square:
                return one
            return Written((*self._held(one, _ATOM), Segment("^2")), 5)

        total = self._sum(len(terms), term, "numbers")
        if expr.name != "AVERAGE":
            return total
        held = self._held(total, _PRODUCT)
        sources = [n.source for n in found if n is not None and n.source is not None]
        count = Segment(f"{len(terms):,}", sources[0] if len(sources) == 1 else None)
        return Written((*held, Segment("/"), count), _PRODUCT)

    def _count(self, expr: Call) -> Written | None:
        """COUNT and ROWS as the number they give, tied to the cells counted."""
        source = self._view.place(expr.args[0], self._is_array, whole=True) if expr.args else None
        return self._result_of(expr, source)

    def _sum(self, count: int, term: Callable[[int], Written], what: str) -> Written:
        """Terms with their signs between them; of many the first three and the last."""
        if count == 0:
            return Written((Segment("0"),))
        chosen = list(range(count)) if count <= FEW else [0, 1, 2, count - 1]
        segments: list[Segment] = []
        for position, k in enumerate(chosen):
            part = term(k)
            if position == 0:
                segments += self._held(part, _SUM)
                if count == 1:
                    return part
                continue
            if count > FEW and k == count - 1:
                segments.append(Segment(" + …"))
            segments += _signed(part) if part.is_negative else (Segment(" + "), *part.segments)
        if count > FEW:
            self._notes.add(f"{count:,} {what}")
        return Written(tuple(segments), _SUM)

    def _if(self, expr: Call) -> Written | None:
        """The branch that was taken, with a remark that says why."""
        if self._is_array or not 2 <= len(expr.args) <= 3:
            return None
        test = self._view.scalar(expr.args[0], self._is_array)
        if error_text(test) or isinstance(test, str):
            return None
        condition = unparse(expr.args[0], self._view.host)[1:]
        self._notes.add(f"{condition} is {'TRUE' if test else 'FALSE'}")
        if not test and len(expr.args) == 2:
            return Written((Segment("FALSE"),))
        return self.write(expr.args[1] if test else expr.args[2])

    def _if_error(self, expr: Call) -> Written | None:
        if self._is_array or len(expr.args) != 2:
            return None
        first = self._view.scalar(expr.args[0], self._is_array)
        is_caught = first is ErrorCode.NA if expr.name == "IFNA" else bool(error_text(first))
        if is_caught:
            condition = unparse(expr.args[0], self._view.host)[1:]
            self._notes.add(f"{condition} is {error_text(first)}")
        return self.write(expr.args[1] if is_caught else expr.args[0])


@dataclass(frozen=True, slots=True)
class _Numbers:
    """The values of an argument and the cells they stand in."""

    array: Array
    source: Source | None

    @property
    def rows(self) -> int:
        return int(self.array.values.shape[0])

    @property
    def cols(self) -> int:
        return int(self.array.values.shape[1])

    def at(self, row: int, col: int) -> Source | None:
        """The cell of one value."""
        if self.source is None:
            return None
        region = self.source.region
        return Source(self.source.sheet, Region.of(Cell(region.top + row, region.left + col)))


def _is_product(expr: Expr) -> bool:
    return isinstance(expr, Call) and expr.name == "MMULT"


def _chosen(shape: tuple[int, ...]) -> list[tuple[int, int, bool]]:
    """Which values of an array are shown, and whether some are left out before each."""
    rows, cols = shape
    size = rows * cols
    order = list(range(size)) if size <= FEW else [0, 1, 2, size - 1]
    return [(*divmod(k, cols), size > FEW and k == size - 1) for k in order]


def _joined(parts: Sequence[Written], sign: str) -> list[Segment]:
    segments: list[Segment] = []
    for i, part in enumerate(parts):
        if i:
            segments.append(Segment(sign))
        segments += part.segments
    return segments


def _signed(part: Written) -> tuple[Segment, ...]:
    """A negative term as ` - ` and the term without its sign."""
    first = part.segments[0]
    if first.text == "-":
        return (Segment(" - "), *part.segments[1:])
    if first.text.startswith("-"):
        rest = Segment(first.text[1:], first.source)
        return (Segment(" - "), rest, *part.segments[1:])
    return (Segment(" + "), *part.segments)


_RULES: dict[str, Callable[[Writer, Call], Written | None]] = {
    "MMULT": Writer._dot,
    "SUMPRODUCT": Writer._sumproduct,
    "SUMXMY2": Writer._squares_of_pairs,
    "SUM": Writer._aggregate,
    "SUMSQ": Writer._aggregate,
    "AVERAGE": Writer._aggregate,
    "COUNT": Writer._count,
    "COUNTA": Writer._count,
    "COUNTIF": Writer._count,
    "IF": Writer._if,
    "IFERROR": Writer._if_error,
    "IFNA": Writer._if_error,
}
