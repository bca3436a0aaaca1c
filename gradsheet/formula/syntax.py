"""The formula language in one door: node types, `parse`, `unparse`, `tokens` and walking.

Owns nothing but this list; the parts are `nodes`, `lexer`, `structured`, `parser` and
`unparse`. Standard library only; knows no sheet, table or name.
"""

from __future__ import annotations

from gradsheet.formula.lexer import Token, tokens
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
    Reference,
    Rows,
    SpillRef,
    TableRef,
    Text,
    Unary,
    Union,
    cell_of,
    children,
    depth,
    references,
    region_of,
    span_of,
    transform,
)
from gradsheet.formula.parser import MAX_DEPTH, MAX_LENGTH, parse
from gradsheet.formula.unparse import number_text, quote_sheet, unparse

__all__ = [
    "MAX_DEPTH",
    "MAX_LENGTH",
    "Array",
    "Binary",
    "Boolean",
    "Call",
    "Columns",
    "ErrorLiteral",
    "Expr",
    "Intersection",
    "Missing",
    "Name",
    "Number",
    "Percent",
    "Range",
    "RangeOf",
    "Ref",
    "Reference",
    "Rows",
    "SpillRef",
    "TableRef",
    "Text",
    "Token",
    "Unary",
    "Union",
    "cell_of",
    "children",
    "depth",
    "number_text",
    "parse",
    "quote_sheet",
    "references",
    "region_of",
    "span_of",
    "tokens",
    "transform",
    "unparse",
]
