"""Formula trees back to text.

Owns the quoting of sheet and column names and where parentheses are needed. Knows nothing of
reading; `parse(unparse(x, host), host) == x` for every tree that the parser can give.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gradsheet.formula.address import MAX_COLS, MAX_ROWS, Cell, column_name
from gradsheet.formula.nodes import (
    Array,
    Binary,
    Boolean,
    Call,
    Columns,
    ErrorLiteral,
    Expr,
    Intersection,
    Missing,
    Name,
    Number,
    Percent,
    Range,
    RangeOf,
    Ref,
    Rows,
    SpillRef,
    TableRef,
    Text,
    Unary,
    Union,
    cell_of,
)

# How tightly each operator holds its operands; higher is tighter.
POWERS = {
    "=": 1, "<>": 1, "<": 1, ">": 1, "<=": 1, ">=": 1,
    "&": 2, "+": 3, "-": 3, "*": 4, "/": 4, "^": 5,
}  # fmt: skip
SIGN_POWER = 6
PERCENT_POWER = 7
AT_POWER = 8
INTERSECTION_POWER = 9
RANGE_POWER = 10
ATOM_POWER = 11

_PLAIN_SHEET = re.compile(r"[^\W\d][\w.]*")
_LOOKS_LIKE_ADDRESS = re.compile(r"[A-Za-z]{1,3}[0-9]+|[rR]?[0-9]*[cC]?[0-9]*|true|false", re.I)
_PLAIN_COLUMN = re.compile(r"\w(?:[\w ]*\w)?")
_PLAIN_THIS_ROW_COLUMN = re.compile(r"\w+")
_ESCAPED = re.compile(r"(['\[\]#@])")


def unparse(
    expr: Expr,
    host: Cell,
    *,
    argument_separator: str = ",",
    column_separator: str = ",",
    row_separator: str = ";",
) -> str:
    """Formula text, with its leading `=`, as it reads in the cell `host`.

    References that point off the sheet become #REF!.

    Parameters
    ----------
    argument_separator : between arguments of a function and parts of a union
    column_separator, row_separator : between the elements of an array constant
    """
    writer = _Writer(host, argument_separator, column_separator, row_separator)
    return "=" + writer.write(expr)[0]


def quote_sheet(name: str) -> str:
    """A sheet's name as formula text needs it, in quotes where necessary."""
    if _PLAIN_SHEET.fullmatch(name) and not _LOOKS_LIKE_ADDRESS.fullmatch(name):
        return name
    return "'" + name.replace("'", "''") + "'"


def number_text(value: float) -> str:
    """The shortest spelling that reads back as the same double."""
    text = repr(value).replace("e", "E")
    return text[:-2] if text.endswith(".0") else text


@dataclass(frozen=True, slots=True)
class _Writer:
    host: Cell
    argument_separator: str
    column_separator: str
    row_separator: str

    # One case for each node; the table below it would be longer than the chain.
    def write(self, expr: Expr) -> tuple[str, int]:
        """Text of a node and how tightly it holds together."""
        match expr:
            case Ref() | Range() | Columns() | Rows() | TableRef() | Name() | SpillRef():
                return self._reference(expr), ATOM_POWER
            case Number(value, text):
                # A number written with a sign would read back as Unary: keep it together.
                spelled = text or number_text(value)
                return spelled, SIGN_POWER if spelled.startswith("-") else ATOM_POWER
            case Binary(op, a, b):
                power = POWERS[op]
                return self._held(a, power) + op + self._held(b, power + 1), power
            case Call(name, args):
                inside = self.argument_separator.join([self.write(arg)[0] for arg in args])
                return f"{name}({inside})", ATOM_POWER
            case Unary(op, x):
                power = AT_POWER if op == "@" else SIGN_POWER
                return op + self._held(x, power), power
            case Percent(x):
                return self._held(x, PERCENT_POWER) + "%", PERCENT_POWER
            case Text(value):
                return '"' + value.replace('"', '""') + '"', ATOM_POWER
            case Boolean(value):
                return ("TRUE" if value else "FALSE"), ATOM_POWER
            case ErrorLiteral(code, text):
                return text or code.text, ATOM_POWER
            case Missing():
                return "", ATOM_POWER
            case Array(rows):
                return self._array(rows), ATOM_POWER
            case Union(parts):
                inside = self.argument_separator.join([self.write(part)[0] for part in parts])
                return f"({inside})", ATOM_POWER
            case Intersection(a, b):
                return self._intersection(a, b), INTERSECTION_POWER
            case RangeOf(a, b):
                return self._computed_range(a, b), RANGE_POWER

    def _held(self, expr: Expr, power: int) -> str:
        text, own = self.write(expr)
        return text if own >= power else f"({text})"

    def _array(self, rows: tuple[tuple[Expr, ...], ...]) -> str:
        lines = [self.column_separator.join([self.write(x)[0] for x in row]) for row in rows]
        return "{" + self.row_separator.join(lines) + "}"

    def _intersection(self, a: Expr, b: Expr) -> str:
        left = self._held(a, INTERSECTION_POWER)
        right = self._held(b, INTERSECTION_POWER + 1)
        # `name (` would read back as a call of a function.
        if right.startswith("(") and not left.endswith(")"):
            left = f"({left})"
        return f"{left} {right}"

    def _computed_range(self, a: Expr, b: Expr) -> str:
        left = self._held(a, RANGE_POWER)
        right = self._held(b, RANGE_POWER + 1)
        # `a:b` of two names would read back as columns, `A1:B1#` as a range that spills.
        if isinstance(b, (Ref, Range, Columns, Rows, Name, SpillRef)):
            right = f"({right})"
        return f"{left}:{right}"

    def _reference(
        self, node: Ref | Range | Columns | Rows | TableRef | Name | SpillRef
    ) -> str:
        match node:
            case Ref():
                return _sheet_prefix(node.sheet) + self._cell(node)
            case Range(first, last):
                a, b = self._cell(first), self._cell(last)
                lost = "#REF!" in (a, b)
                return _sheet_prefix(first.sheet) + ("#REF!" if lost else f"{a}:{b}")
            case Columns():
                a_col, b_col = self._ends(node, self.host.col, MAX_COLS)
                lost = a_col is None or b_col is None
                text = "#REF!" if lost else (
                    f"{'$' * node.first_abs}{column_name(a_col or 0)}:"
                    f"{'$' * node.last_abs}{column_name(b_col or 0)}"
                )  # fmt: skip
                return _sheet_prefix(node.sheet) + text
            case Rows():
                a_row, b_row = self._ends(node, self.host.row, MAX_ROWS)
                lost = a_row is None or b_row is None
                text = "#REF!" if lost else (
                    f"{'$' * node.first_abs}{(a_row or 0) + 1}:"
                    f"{'$' * node.last_abs}{(b_row or 0) + 1}"
                )  # fmt: skip
                return _sheet_prefix(node.sheet) + text
            case Name(sheet, name):
                return _sheet_prefix(sheet) + name
            case SpillRef(ref):
                text = self._reference(ref)
                return text if text.endswith("#REF!") else text + "#"
            case TableRef():
                return table_ref_text(node)

    def _cell(self, ref: Ref) -> str:
        cell = cell_of(ref, self.host)
        if cell is None:
            return "#REF!"
        row, col = cell
        return f"{'$' * ref.col_abs}{column_name(col)}{'$' * ref.row_abs}{row + 1}"

    def _ends(
        self, node: Columns | Rows, host_index: int, limit: int
    ) -> tuple[int | None, int | None]:
        first = node.first if node.first_abs else host_index + node.first
        last = node.last if node.last_abs else host_index + node.last
        return (
            first if 0 <= first < limit else None,
            last if 0 <= last < limit else None,
        )


def _sheet_prefix(sheet: str | None) -> str:
    return "" if sheet is None else quote_sheet(sheet) + "!"


def table_ref_text(node: TableRef) -> str:
    """A structured reference as Excel shows it, `@` for #This Row."""
    if node.items == ("#This Row",):
        if node.first is None:
            return f"{node.table}[@]"
        if node.last is None and _PLAIN_THIS_ROW_COLUMN.fullmatch(node.first):
            return f"{node.table}[@{node.first}]"
        return f"{node.table}[@{_bracketed_columns(node)}]"
    if not node.items:
        if node.first is None:
            return f"{node.table}[]"
        if node.last is None and _PLAIN_COLUMN.fullmatch(node.first):
            return f"{node.table}[{node.first}]"
        return f"{node.table}[{_bracketed_columns(node)}]"
    if len(node.items) == 1 and node.first is None:
        return f"{node.table}[{node.items[0]}]"
    parts = [f"[{item}]" for item in node.items]
    if node.first is not None:
        parts.append(_bracketed_columns(node))
    return f"{node.table}[{','.join(parts)}]"


def _bracketed_columns(node: TableRef) -> str:
    first = "[" + _ESCAPED.sub(r"'\1", node.first or "") + "]"
    if node.last is None:
        return first
    return first + ":[" + _ESCAPED.sub(r"'\1", node.last) + "]"
