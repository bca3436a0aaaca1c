"""A formula as mathematics: once in symbols, once with its numbers put in.

Owns the step from Excel's functions to the notation of a textbook: sums with bounds, fractions,
roots, powers. Uses the terms that `explain_numbers` writes out; knows no typesetter.
"""

# LONG: one builder, whose rules share the mode (symbols or numbers) and the letters used up.

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.explain_cells import (
    Array,
    Source,
    View,
    error_text,
    is_array_argument,
    is_whole,
)
from gradsheet.formula.mathtree import (
    Big,
    Fenced,
    Frac,
    Index,
    Num,
    Power,
    Root,
    Row,
    Sign,
    Sym,
    Tree,
    Words,
)
from gradsheet.formula.nodes import Columns, Range, Ref, Rows
from gradsheet.formula.syntax import Binary, Call, Expr, Number, Percent, Unary
from gradsheet.formula.unparse import unparse
from gradsheet.formula.values import Kind, Scalar

MOST_TERMS = 6
"""Up to so many terms of a sum are written out; of more, the first two and the last."""
_SUM, _PRODUCT, _SIGN, _POWER, _ATOM = 3, 4, 5, 6, 9
_EXCEL_POWERS = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _ATOM, "^": _POWER}
_RELATIONS = {"=": "=", "<>": "≠", "<": "<", ">": ">", "<=": "≤", ">=": "≥"}
_NAMES = {"EXP": "exp", "LN": "ln", "LOG10": "log", "LOG": "log", "SIN": "sin", "COS": "cos",
          "TAN": "tan", "TANH": "tanh", "MAX": "max", "MIN": "min", "MEDIAN": "median",
          "LEARN.SIGMOID": "σ", "LEARN.RELU": "relu", "LEARN.SOFTMAX": "softmax"}  # fmt: skip

_Cells: TypeAlias = tuple[Array, Source]
SymbolOf = Callable[[Source], "Sym | None"]


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of notation, how tightly it holds together, and whether it begins with a minus."""

    tree: Tree
    power: int = _ATOM
    negative: Tree | None = None
    """The piece without its minus, where it has one."""


@dataclass(frozen=True, slots=True)
class Equation:
    """A formula as mathematics.

    Attributes
    ----------
    tree : the whole: name = symbols = numbers = value
    """

    tree: Tree


def equation(view: View, symbol_of: SymbolOf | None = None) -> Equation:
    """What a cell is, in symbols and in numbers.

    Parameters
    ----------
    view : the cell
    symbol_of : letters for cells with a role; without one a cell is called by its address
    """
    own = Source(view.sheet, Region.of(view.cell))
    name = (symbol_of(own) if symbol_of else None) or Sym(str(view.cell))
    value = _scalar(view, view.value, own).tree
    if view.expr is None:
        return Equation(Row((name, Sign("="), value)))
    symbols = _Builder(view, symbol_of, is_symbolic=True).result()
    numbers = _Builder(view, symbol_of, is_symbolic=False).result()
    parts: list[Tree] = [name, Sign("="), symbols.tree, Sign("="), numbers.tree]
    if numbers.tree != value:
        parts += [Sign("="), value]
    if symbols.tree == numbers.tree:
        del parts[1:3]
    return Equation(Row(tuple(parts)))


def _scalar(view: View, value: Scalar, source: Source | None) -> _Part:
    if isinstance(value, float):
        text = view.number_text(value, source)
        if text.startswith("-"):
            return _Part(Num(text, source), _SIGN, Num(text[1:], source))
        return _Part(Num(text, source))
    if value is None:
        return _Part(Num("0", source))
    if isinstance(value, bool):
        return _Part(Words("true" if value else "false"))
    return _Part(Words(error_text(value) or f"“{value}”"))


class _Builder:
    """Builds the notation of one formula, in symbols or in numbers."""

    def __init__(self, view: View, symbol_of: SymbolOf | None, is_symbolic: bool) -> None:
        self._view = view
        self._symbol_of = symbol_of
        self._is_symbolic = is_symbolic
        self._is_array = view.is_array
        self._letters = iter("kij")

    def result(self) -> _Part:
        """The whole formula; of a product of matrices the element of this cell."""
        view = self._view
        assert view.expr is not None
        if isinstance(view.expr, Call) and view.expr.name == "MMULT":
            found = self._dot(view.expr, view.at or (0, 0))
            if found is not None:
                return found
        return self.write(view.expr)

    def write(self, expr: Expr) -> _Part:
        """A part of the formula."""
        match expr:
            case Number(value, text):
                return _Part(Num(text or self._view.number_text(value, None)))
            case Ref() | Range() | Columns() | Rows():
                return self._reference(expr)
            case Binary(op, a, b):
                return self._binary(op, a, b)
            case Unary(op, x):
                return self._unary(op, x)
            case Percent(x):
                return _Part(Row((self._held(self.write(x), _ATOM), Sign("%"))), _POWER)
            case Call():
                return self._call(expr)
            case _:
                return _Part(Words(unparse(expr, self._view.host)[1:]))

    # ------------------------------------------------------------------ cells

    def _reference(self, expr: Expr) -> _Part:
        place = self._view.place(expr, self._is_array)
        return _Part(Words(unparse(expr, self._view.host)[1:])) if place is None else (
            self._cells(place)
        )  # fmt: skip

    def _cells(self, place: Source) -> _Part:
        if self._is_symbolic or place.region.size > 1:
            return _Part(self._symbol(place))
        found = self._view.read(place)
        value = self._view.scalar_of(found.values[0, 0], int(found.kinds[0, 0]))
        return _scalar(self._view, value, place)

    def _symbol(self, place: Source) -> Sym:
        known = self._symbol_of(place) if self._symbol_of else None
        if known is not None:
            return Sym(known.text, known.sub, known.hat, place)
        return Sym(self._view.name(place), source=place)

    # ------------------------------------------------------------------ operators

    def _held(self, part: _Part, power: int) -> Tree:
        return part.tree if part.power >= power else Fenced(part.tree)

    def _binary(self, op: str, a: Expr, b: Expr) -> _Part:
        left, right = self.write(a), self.write(b)
        if op == "/":
            return _Part(Frac(left.tree, right.tree))
        if op == "^":
            base = self._held(left, _ATOM)
            return _Part(Power(base, right.tree), _POWER)
        if op == "*":
            return self._times(left, right)
        if op in "+-":
            return self._added([(left, False), (right, op == "-")])
        sign = _RELATIONS.get(op, op)
        return _Part(Row((left.tree, Sign(sign), right.tree)), 1)

    def _times(self, left: _Part, right: _Part) -> _Part:
        second = self._held(right, _POWER)
        first = left.negative if left.negative is not None else self._held(left, _PRODUCT)
        sign = Sign("·")
        both = [self._is_plain(first), self._is_plain(second)]
        inner: Tree = Row((first, second) if all(both) else (first, sign, second))
        if left.negative is None:
            return _Part(inner, _PRODUCT)
        return _Part(Row((Sign("−"), inner)), _PRODUCT, inner)

    def _is_plain(self, tree: Tree) -> bool:
        """Whether it is a letter that needs no dot before or after it."""
        return self._is_symbolic and isinstance(tree, (Sym, Index)) and (
            not isinstance(tree, Sym) or len(tree.text) == 1
        )  # fmt: skip

    def _added(self, terms: list[tuple[_Part, bool]]) -> _Part:
        """Terms with the signs between them; True for one that is subtracted."""
        items: list[Tree] = []
        for i, (part, is_less) in enumerate(terms):
            if i == 0:
                items.append(part.tree)
            elif is_less:
                items += [Sign("−"), self._held(part, _PRODUCT) if part.negative is None
                          else Fenced(part.tree)]  # fmt: skip
            elif part.negative is not None:
                items += [Sign("−"), part.negative]
            else:
                items += [Sign("+"), part.tree]
        return _Part(Row(tuple(items)), _SUM)

    def _unary(self, op: str, x: Expr) -> _Part:
        inner = self.write(x)
        if op != "-":
            return inner
        body = Fenced(inner.tree) if inner.negative is not None else self._held(inner, _PRODUCT)
        return _Part(Row((Sign("−"), body)), _SIGN, body)

    # ------------------------------------------------------------------ calls

    def _call(self, expr: Call) -> _Part:
        rule = _RULES.get(expr.name)
        found = rule(self, expr) if rule is not None else None
        if found is not None:
            return found
        place = self._view.place(expr, self._is_array)
        if place is not None:
            return self._cells(place)
        name = _NAMES.get(expr.name, expr.name.removeprefix("LEARN.").lower())
        parts = [self._argument(expr.name, i, arg) for i, arg in enumerate(expr.args)]
        items: list[Tree] = []
        for i, part in enumerate(parts):
            items += [Sign(","), part.tree] if i else [part.tree]
        return _Part(Row((Words(name), Fenced(Row(tuple(items))))), _POWER)

    def _argument(self, name: str, index: int, arg: Expr) -> _Part:
        before = self._is_array
        self._is_array = is_array_argument(name, index, before)
        try:
            if is_whole(name, index):
                place = self._view.place(arg, self._is_array, whole=True)
                if place is not None:
                    return self._cells(place)
            return self.write(arg)
        finally:
            self._is_array = before

    def _sqrt(self, expr: Call) -> _Part | None:
        return _Part(Root(self.write(expr.args[0]).tree)) if len(expr.args) == 1 else None

    def _abs(self, expr: Call) -> _Part | None:
        inner = self.write(expr.args[0]).tree
        return _Part(Fenced(inner, "|", "|")) if len(expr.args) == 1 else None

    def _exp(self, expr: Call) -> _Part | None:
        return _Part(Power(Sym("e"), self.write(expr.args[0]).tree), _POWER)

    def _power(self, expr: Call) -> _Part | None:
        return self._binary("^", *expr.args) if len(expr.args) == 2 else None

    def _count(self, expr: Call) -> _Part | None:
        value = self._view.scalar(expr, self._is_array)
        source = self._view.place(expr.args[0], self._is_array, whole=True)
        if self._is_symbolic:
            return _Part(Sym("n", source=source))
        return _scalar(self._view, value, source)

    def _if(self, expr: Call) -> _Part | None:
        if self._is_array or not 2 <= len(expr.args) <= 3:
            return None
        test = self._view.scalar(expr.args[0], False)
        if error_text(test) or isinstance(test, str):
            return None
        if not test and len(expr.args) == 2:
            return _Part(Words("false"))
        return self.write(expr.args[1] if test else expr.args[2])

    # ------------------------------------------------------------------ sums

    def _numbers(self, name: str, index: int, arg: Expr) -> _Cells | None:
        is_array = is_array_argument(name, index, self._is_array)
        place = self._view.place(arg, is_array, whole=True)
        return None if place is None else (self._view.read(place), place)

    def _two(self, expr: Call) -> tuple[_Cells, _Cells] | None:
        found = [self._numbers(expr.name, i, arg) for i, arg in enumerate(expr.args)]
        if len(found) != 2 or found[0] is None or found[1] is None:
            return None
        return found[0], found[1]

    def _element(self, numbers: _Cells, row: int, col: int) -> _Part:
        array, (sheet, region) = numbers
        source = Source(sheet, Region.of(Cell(region.top + row, region.left + col)))
        is_number = array.kinds[row, col] == Kind.NUMBER
        return _scalar(self._view, float(array.values[row, col]) if is_number else None, source)

    def _indexed(self, place: Source, letter: str) -> Tree:
        return Index(self._symbol(place), Sym(letter))

    def _dot(self, expr: Call, at: tuple[int, int] = (0, 0)) -> _Part | None:
        """A row times a column."""
        both = self._two(expr)
        if both is None:
            return None
        a, b = both
        count = a[0].values.shape[1]
        if b[0].values.shape[0] != count or at[0] >= a[0].values.shape[0]:
            return None

        def term(k: int) -> _Part:
            return self._times(self._element(a, at[0], k), self._element(b, k, at[1]))

        row = Region(a[1].region.top + at[0], a[1].region.left, a[1].region.top + at[0] + 1,
                     a[1].region.right)  # fmt: skip
        col = Region(b[1].region.top, b[1].region.left + at[1], b[1].region.bottom,
                     b[1].region.left + at[1] + 1)  # fmt: skip
        places = [Source(a[1].sheet, row), Source(b[1].sheet, col)]
        return self._sum(count, term, lambda k: Row(tuple(
            self._spaced([self._indexed(place, k) for place in places]))))  # fmt: skip

    def _spaced(self, factors: list[Tree]) -> list[Tree]:
        items: list[Tree] = []
        for i, factor in enumerate(factors):
            needs_dot = i and not all(
                isinstance(f, Index) and isinstance(f.base, Sym) and len(f.base.text) == 1
                for f in factors
            )
            items += [Sign("·"), factor] if needs_dot else [factor]
        return items

    def _sumproduct(self, expr: Call) -> _Part | None:
        found = [self._numbers(expr.name, i, arg) for i, arg in enumerate(expr.args)]
        given = [numbers for numbers in found if numbers is not None]
        if len(given) < 2 or len(given) != len(found):
            return None
        if len({array.values.shape for array, _ in given}) != 1:
            return None
        cols = given[0][0].values.shape[1]

        def term(k: int) -> _Part:
            part = self._element(given[0], *divmod(k, cols))
            for other in given[1:]:
                part = self._times(part, self._element(other, *divmod(k, cols)))
            return part

        return self._sum(given[0][0].values.size, term, lambda k: Row(tuple(
            self._spaced([self._indexed(place, k) for _, place in given]))))  # fmt: skip

    def _squares_of_pairs(self, expr: Call) -> _Part | None:
        both = self._two(expr)
        if both is None:
            return None
        a, b = both
        if a[0].values.shape != b[0].values.shape:
            return None
        places = np.argwhere(a[0].numbers & b[0].numbers)

        def term(i: int) -> _Part:
            row, col = (int(x) for x in places[i])
            x, y = self._element(a, row, col), self._element(b, row, col)
            inner = self._added([(x, False), (y, True)]).tree
            return _Part(Power(Fenced(inner), Num("2")), _POWER)

        return self._sum(len(places), term, lambda k: Power(
            Fenced(Row((self._indexed(a[1], k), Sign("−"), self._indexed(b[1], k)))), Num("2")
        ))  # fmt: skip

    def _aggregate(self, expr: Call) -> _Part | None:
        if len(expr.args) != 1:
            return None
        numbers = self._numbers(expr.name, 0, expr.args[0])
        if numbers is None:
            return None
        places = np.argwhere(numbers[0].numbers)
        square = expr.name == "SUMSQ"

        def term(i: int) -> _Part:
            row, col = (int(x) for x in places[i])
            part = self._element(numbers, row, col)
            return _Part(Power(self._held(part, _POWER), Num("2")), _POWER) if square else part

        def general(k: str) -> Tree:
            one = self._indexed(numbers[1], k)
            return Power(one, Num("2")) if square else one

        total = self._sum(len(places), term, general)
        if expr.name != "AVERAGE" or not len(places):
            return total
        count = Num(f"{len(places):,}", numbers[1])
        if self._is_symbolic:
            return _Part(Row((Frac(Num("1"), count), total.tree)), _PRODUCT)
        return _Part(Frac(total.tree, count))

    def _sum(
        self, count: int, term: Callable[[int], _Part], general: Callable[[str], Tree]
    ) -> _Part:
        """∑ with bounds in symbols; the terms, many of them cut, in numbers."""
        if self._is_symbolic:
            letter = next(self._letters, "m")
            under = Row((Sym(letter), Sign("="), Num("1")))
            return _Part(Big("∑", under, Num(f"{count:,}"), general(letter)), _SUM)
        if count == 0:
            return _Part(Num("0"))
        if count <= MOST_TERMS:
            found = self._added([(term(k), False) for k in range(count)])
            return found if count > 1 else term(0)
        dots = _Part(Sign("⋯"))
        shown = [term(0), term(1), dots, term(count - 1)]
        return self._added([(part, False) for part in shown])


_RULES: dict[str, Callable[[_Builder, Call], _Part | None]] = {
    "SQRT": _Builder._sqrt,
    "ABS": _Builder._abs,
    "EXP": _Builder._exp,
    "POWER": _Builder._power,
    "COUNT": _Builder._count,
    "IF": _Builder._if,
    "MMULT": _Builder._dot,
    "SUMPRODUCT": _Builder._sumproduct,
    "SUMXMY2": _Builder._squares_of_pairs,
    "SUM": _Builder._aggregate,
    "SUMSQ": _Builder._aggregate,
    "AVERAGE": _Builder._aggregate,
}
