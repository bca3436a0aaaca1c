"""Tokens of addresses to reference nodes: cells, ranges, whole columns and rows, sheets.

Owns which spellings are addresses and which are names that only look like one. Knows no
operators and no functions.
"""

from __future__ import annotations

from gradsheet.formula.address import MAX_COLS, MAX_ROWS, Cell, column_index
from gradsheet.formula.faults import Faults
from gradsheet.formula.lexer import Token
from gradsheet.formula.nodes import (
    Call,
    Columns,
    ErrorLiteral,
    Expr,
    Intersection,
    Name,
    Range,
    RangeOf,
    Ref,
    Rows,
    SpillRef,
    TableRef,
    Union,
)  # fmt: skip
from gradsheet.formula.values import ErrorCode

REFERENCE_LIKE = (
    Ref, Range, Columns, Rows, Name, TableRef, SpillRef, RangeOf, Union, Intersection, Call,
    ErrorLiteral,
)  # fmt: skip
"""Nodes that can stand for cells."""


class ReferenceReader(Faults):
    """A place in a list of tokens, and the references that can be read there."""

    __slots__ = ("host",)

    def __init__(self, tokens: list[Token], host: Cell) -> None:
        super().__init__(tokens)
        self.host = host

    def cell(self, text: str, sheet: str | None) -> Ref | Name:
        """A cell, or a name that looks like one beyond the last column or row."""
        rest = text
        col_abs = rest[0] == "$"
        if col_abs:
            rest = rest[1:]
        letters = 3
        while letters > len(rest) or not rest[:letters].isalpha():
            letters -= 1
        col = column_index(rest[:letters])
        rest = rest[letters:]
        row_abs = rest[0] == "$"
        row = int(rest[1:] if row_abs else rest) - 1
        if col >= MAX_COLS or not 0 <= row < MAX_ROWS:
            return Name(sheet, text)
        host = self.host
        return Ref(
            sheet,
            row if row_abs else row - host.row,
            col if col_abs else col - host.col,
            row_abs,
            col_abs,
        )

    def range(self, token: Token, sheet: str | None) -> Expr:
        """`A1:B2` in one token."""
        first, _, last = token.text.partition(":")
        return self.range_of(self.cell(first, sheet), self.cell(last, None), token)

    def range_of(self, a: Expr, b: Expr, token: Token) -> Expr:
        """A plain range where both ends are cells of one sheet, else a computed one."""
        if isinstance(a, Ref) and isinstance(b, Ref):
            if b.sheet is None:
                return Range(a, b)
            if a.sheet is not None and a.sheet.casefold() == b.sheet.casefold():
                return Range(a, Ref(None, b.row, b.col, b.row_abs, b.col_abs))
        for end in (a, b):
            if not isinstance(end, REFERENCE_LIKE):
                self.fail("The `:` needs a reference on both sides.", token, "Write A1:B2.")
        return RangeOf(a, b)

    def columns(self, token: Token, sheet: str | None) -> Expr:
        """`A:C`."""
        first, _, last = token.text.partition(":")
        a_abs, b_abs = first[0] == "$", last[0] == "$"
        a, b = column_index(first.lstrip("$")), column_index(last.lstrip("$"))
        if max(a, b) >= MAX_COLS:
            return self.range_of(Name(sheet, first), Name(None, last), token)
        col = self.host.col
        return Columns(sheet, a if a_abs else a - col, b if b_abs else b - col, a_abs, b_abs)

    def rows(self, token: Token, sheet: str | None) -> Expr:
        """`2:5`."""
        first, _, last = token.text.partition(":")
        a_abs, b_abs = first[0] == "$", last[0] == "$"
        a, b = int(first.lstrip("$")) - 1, int(last.lstrip("$")) - 1
        if min(a, b) < 0 or max(a, b) >= MAX_ROWS:
            self.fail(f"Rows are numbered from 1 to {MAX_ROWS:,}.", token)
        row = self.host.row
        return Rows(sheet, a if a_abs else a - row, b if b_abs else b - row, a_abs, b_abs)

    def on_sheet(self, token: Token) -> Expr:
        """What follows `Sheet1!`."""
        sheet = token.text[:-1]
        if sheet.startswith("'"):
            sheet = sheet[1:-1].replace("''", "'")
        after = self.tokens[self.at]
        self.at += 1
        if after.start == token.end:
            if after.kind == "cell":
                return self.cell(after.text, sheet)
            if after.kind == "range":
                return self.range(after, sheet)
            if after.kind == "columns":
                return self.columns(after, sheet)
            if after.kind == "rows":
                return self.rows(after, sheet)
            if after.kind == "name":
                return Name(sheet, after.text)
            if after.kind == "error" and after.text.upper() == "#REF!":
                return ErrorLiteral(ErrorCode.REF)
        self.fail(f"A cell is missing after {token.text}", token, f"Write {token.text}A1.")
