"""Formula text to trees: a Pratt parser with Excel's precedence.

Owns precedence, the limits on length and depth, and the wording of syntax errors. Knows no
sheet, table or name: whether they exist is found out at evaluation.
"""

from __future__ import annotations

import math

from gradsheet.formula.address import Cell
from gradsheet.formula.faults import STARTS_REFERENCE
from gradsheet.formula.lexer import Token, scan
from gradsheet.formula.nodes import (
    Array,
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
    Ref,
    SpillRef,
    Text,
    Unary,
    Union,
    depth,
)
from gradsheet.formula.reference_reader import REFERENCE_LIKE, ReferenceReader
from gradsheet.formula.structured import read_structure
from gradsheet.formula.unparse import (
    AT_POWER,
    INTERSECTION_POWER,
    PERCENT_POWER,
    POWERS,
    RANGE_POWER,
    SIGN_POWER,
)
from gradsheet.formula.values import ErrorCode, FormulaError

MAX_LENGTH = 32_768
"""Characters of one formula; Excel stops at 8,192."""
MAX_DEPTH = 200
"""Levels of one formula's tree; Excel stops at 64 nested functions."""

_PREFIXES = ("_XLFN.", "_XLWS.", "_XLPM.", "_XLL.", "_XLUDF.")


def parse(text: str, host: Cell) -> Expr:
    """Read a formula as it stands in the cell `host`.

    Parameters
    ----------
    text : with or without its leading `=`, in Excel's en-US spelling; `;` between arguments is
        understood too
    host : the cell that relative references are counted from

    Raises
    ------
    FormulaError
        With the one-based column of the fault in `text`.
    """
    if len(text) > MAX_LENGTH:
        raise FormulaError(
            f"The formula has {len(text):,} characters, the limit is {MAX_LENGTH:,}.",
            MAX_LENGTH + 1,
            len(text) - MAX_LENGTH,
            "Split it over several cells.",
        )
    start = 1 if text.startswith("=") else 0
    if not start:
        leading = len(text) - len(text.lstrip())
        start = leading + 1 if text.startswith("=", leading) else 0
    parser = _Parser(text, start, host)
    try:
        return parser.formula()
    except RecursionError:  # a caller close to the limit of the stack
        raise _too_deep() from None


def _too_deep() -> FormulaError:
    return FormulaError(
        f"The formula is nested or chained more than {MAX_DEPTH} levels deep.",
        0,
        0,
        "Split it over several cells, or use SUM or CONCAT for a long chain.",
    )


class _Parser(ReferenceReader):
    """One pass over the tokens of one formula."""

    __slots__ = ("level",)

    def __init__(self, text: str, start: int, host: Cell) -> None:
        super().__init__(scan(text, start), host)
        self.level = 0

    def formula(self) -> Expr:
        """The whole text; a union may stand without parentheses, as in a defined name."""
        if self.tokens[0].kind == "end":
            self.fail("The formula is empty.", self.tokens[0], "Type something after the `=`.")
        expr = self.expression(0)
        if self.tokens[self.at].text == ",":
            first = self.tokens[self.at]
            parts = self.parts(expr)
            if not all(isinstance(part, REFERENCE_LIKE) for part in parts):
                self.fail("The `,` stands outside of a function.", first,
                          "Commas separate arguments; the decimal sign is a point.")  # fmt: skip
            expr = Union(tuple(parts))
        token = self.tokens[self.at]
        if token.kind != "end":
            self.fail_after(token)
        if len(self.tokens) > MAX_DEPTH and depth(expr) > MAX_DEPTH:
            raise _too_deep()
        return expr

    # The loop is the hot path of loading a workbook, hence one function and no helpers.
    def expression(self, power: int) -> Expr:
        """An operand and all operators that hold tighter than `power`."""
        self.level += 1
        if self.level > MAX_DEPTH:
            raise _too_deep()
        left = self.operand()
        while True:
            token = self.tokens[self.at]
            kind, text, start, _ = token
            if kind == "op":
                binary = POWERS.get(text)
                if binary is not None:
                    if binary <= power:
                        break
                    self.at += 1
                    left = Binary(text, left, self.expression(binary))
                    continue
                if text == ":":
                    if power >= RANGE_POWER:
                        break
                    self.at += 1
                    left = self.range_of(left, self.expression(RANGE_POWER), token)
                    continue
                if text == "%":
                    if power >= PERCENT_POWER:
                        break
                    self.at += 1
                    left = Percent(left)
                    continue
                if text == "#":
                    self.at += 1
                    left = self.spill(left, token)
                    continue
                if text != "(":
                    break
            elif kind not in STARTS_REFERENCE:
                break
            # What follows is an operand: only a space between two references may precede it.
            spaced = start > self.tokens[self.at - 1].end
            if not spaced or not isinstance(left, REFERENCE_LIKE):
                break
            if power >= INTERSECTION_POWER:
                break
            right = self.expression(INTERSECTION_POWER)
            if not isinstance(right, REFERENCE_LIKE):
                self.fail_after(token)
            left = Intersection(left, right)
        self.level -= 1
        return left

    def operand(self) -> Expr:
        """One operand with the signs before it."""
        token = self.tokens[self.at]
        self.at += 1
        kind, text, start, _ = token
        if kind == "cell":
            return self.cell(text, None)
        if kind == "number":
            value = float(text)
            if math.isinf(value):
                self.fail(f"{text} is larger than a cell can hold.", token, "The limit is 1.8E308.")
            return Number(value, text)
        if kind == "name":
            return self.name(token)
        if kind == "range":
            return self.range(token, None)
        if kind == "op":
            if text in ("-", "+"):
                return Unary(text, self.expression(SIGN_POWER))
            if text == "@":
                return Unary(text, self.expression(AT_POWER))
            if text == "(":
                return self.parenthesis(token)
            if text == "{":
                return self.array(token)
        if kind == "string":
            return Text(text[1:-1].replace('""', '"'))
        if kind == "sheet":
            return self.on_sheet(token)
        if kind == "columns":
            return self.columns(token, None)
        if kind == "rows":
            return self.rows(token, None)
        if kind == "error":
            return error_literal(text)
        if kind == "external":
            return ErrorLiteral(ErrorCode.UNSUPPORTED, text)
        if kind == "structure":
            return read_structure("", text, start + 1)
        self.fail_operand(token)

    def name(self, token: Token) -> Expr:
        """A function call, a table, TRUE or FALSE, or a defined name."""
        text = token.text
        after = self.tokens[self.at]
        if after.text == "(":
            return self.call(token)
        if after.kind == "structure" and after.start == token.end:
            self.at += 1
            return read_structure(text, after.text, after.start + 1)
        upper = text.upper()
        if upper == "TRUE":
            return Boolean(True)
        if upper == "FALSE":
            return Boolean(False)
        if upper.startswith("_XL"):
            text = text[len(text) - len(_without_prefix(upper)) :]
        return Name(None, text)

    def call(self, token: Token) -> Expr:
        """A function and its arguments."""
        name = token.text.upper()
        if name.startswith("_XL"):
            name = _without_prefix(name)
        self.at += 1
        if self.tokens[self.at].text == ")":
            self.at += 1
            return Call(name, ())
        args: list[Expr] = []
        while True:
            after = self.tokens[self.at].text
            args.append(Missing() if after in _ENDS_ARGUMENT else self.expression(0))
            end = self.tokens[self.at]
            self.at += 1
            if end.text == ")":
                break
            if end.text != "," and end.text != ";":
                self.at -= 1
                self.fail_unclosed(end, token, f"the {name}")
        if len(args) == 1:
            # How Excel's files spell `@x` and `A1#`.
            if name == "SINGLE":
                return Unary("@", args[0])
            if name == "ANCHORARRAY" and isinstance(args[0], (Ref, Name)):
                return SpillRef(args[0])
        return Call(name, tuple(args))

    def parenthesis(self, opener: Token) -> Expr:
        """An expression or a union in parentheses."""
        expr = self.expression(0)
        if self.tokens[self.at].text == ",":
            comma = self.tokens[self.at]
            parts = self.parts(expr)
            if not all(isinstance(part, REFERENCE_LIKE) for part in parts):
                self.fail("Only references can be joined by a comma.", comma,
                          "Put a function's name before the `(`.")  # fmt: skip
            expr = Union(tuple(parts))
        closer = self.tokens[self.at]
        if closer.text != ")":
            self.fail_unclosed(closer, opener, "the `(`")
        self.at += 1
        return expr

    def parts(self, first: Expr) -> list[Expr]:
        """What follows `first`, separated by commas."""
        parts = [first]
        while self.tokens[self.at].text == ",":
            self.at += 1
            parts.append(self.expression(0))
        return parts

    def spill(self, expr: Expr, token: Token) -> Expr:
        """`A1#`."""
        if isinstance(expr, (Ref, Name)):
            return SpillRef(expr)
        self.fail("The `#` must follow a cell.", token, "Write A1# for what spills from A1.")

    def array(self, opener: Token) -> Expr:
        """An array constant."""
        rows: list[tuple[Expr, ...]] = []
        row: list[Expr] = []
        while True:
            row.append(self.constant())
            token = self.tokens[self.at]
            self.at += 1
            if token.text == ",":
                continue
            if token.text not in (";", "}"):
                self.fail_unclosed(token, opener, "the `{`", "}")
            rows.append(tuple(row))
            if len(row) != len(rows[0]):
                self.fail(
                    f"Row {len(rows)} of the array has {len(row)} values, not {len(rows[0])}.",
                    token,
                    "Every row of {1,2;3,4} needs the same number of values.",
                )
            row = []
            if token.text == "}":
                return Array(tuple(rows))

    def constant(self) -> Expr:
        """One element of an array constant."""
        token = self.tokens[self.at]
        sign = 1.0
        if token.text in ("-", "+"):
            sign = -1.0 if token.text == "-" else 1.0
            self.at += 1
            token = self.tokens[self.at]
            if token.kind != "number":
                self.fail("Only a number can follow a sign in an array constant.", token)
        expr = self.operand() if token.kind in ("number", "string", "error", "name") else None
        if isinstance(expr, Number):
            return expr if sign > 0 else Number(-expr.value, "-" + expr.text)
        if isinstance(expr, (Text, Boolean, ErrorLiteral)):
            return expr
        self.fail(
            "An array constant can hold numbers, texts, TRUE, FALSE and errors only.",
            token,
            "Use cells, or a function such as SEQUENCE, for computed arrays.",
        )


_ENDS_ARGUMENT = (",", ";", ")")


def _without_prefix(upper_name: str) -> str:
    changed = True
    while changed:
        changed = False
        for prefix in _PREFIXES:
            if upper_name.startswith(prefix) and len(upper_name) > len(prefix):
                upper_name = upper_name[len(prefix) :]
                changed = True
    return upper_name


def error_literal(text: str) -> ErrorLiteral:
    """An error in a formula; Excel's rarer ones (#FIELD!, #BUSY!) are kept as unsupported."""
    try:
        return ErrorLiteral(ErrorCode.parse(text))
    except ValueError:
        return ErrorLiteral(ErrorCode.UNSUPPORTED, text.upper())
