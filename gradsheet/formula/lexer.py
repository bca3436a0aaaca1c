"""Formula text cut into tokens, tolerant of half-typed text.

Owns the spelling of everything that is one token: addresses, names, structured references,
sheet prefixes, numbers, strings. Knows nothing of precedence or trees.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple, TypeAlias

TokenKind: TypeAlias = Literal[
    "space", "string", "error", "external", "sheet", "structure", "cell", "range", "columns",
    "rows", "number", "function", "boolean", "name", "op", "bad", "end",
]  # fmt: skip


class Token(NamedTuple):
    """One token; `start` and `end` are zero-based offsets into the text given."""

    kind: TokenKind
    text: str
    start: int
    end: int


_CELL = r"\$?[A-Za-z]{1,3}\$?[0-9]{1,7}(?![\w.(\[!\\?])"
_COLUMN = r"\$?[A-Za-z]{1,3}"
_WORD = r"[^\W\d][\w.\\?]*|\\[\w.\\?]*"
_ERROR = (
    r"#(?:NULL!|DIV/0!|VALUE!|REF!|NAME\?|NUM!|N/A|SPILL!|CALC!|CIRC!|UNSUPPORTED!"
    r"|GETTING_DATA|FIELD!|BLOCKED!|CONNECT!|BUSY!|UNKNOWN!)"
)
# [1]Sheet1!A1, '[a.xlsx]S 1'!A1, Sheet1:Sheet3!A1: a prefix and what belongs to it.
_EXTERNAL = (
    r"(?:\[[^\[\]]+\][\w.\\]*|'(?:[^'\[\]:]|'')*[\[:](?:[^']|'')*'|(?<!!)[\w.\\]+:[\w.\\]+)!"
    r"(?:#REF!|[$\w.\\?]+(?::[$\w.\\?]+)?)?"
)
_PATTERN = re.compile(
    "|".join(
        (
            r"(?P<space>\s+)",
            r'(?P<string>"(?:[^"]|"")*")',
            rf"(?P<error>{_ERROR})",
            rf"(?P<external>{_EXTERNAL})",
            r"(?P<sheet>(?:'(?:[^']|'')+'|[\w.\\]+)!)",
            rf"(?P<range>{_CELL}:{_CELL})",
            rf"(?P<cell>{_CELL})",
            rf"(?P<columns>{_COLUMN}:{_COLUMN}(?![\w.(\[!\\?$]))",
            r"(?P<rows>\$?[0-9]{1,7}:\$?[0-9]{1,7}(?![\w.(\[!\\?$]))",
            r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)",
            rf"(?P<name>{_WORD})",
            r"(?P<structure>\[(?:'.|[^\[\]']|\[(?:'.|[^\[\]'])*\])*\])",
            r"(?P<op><>|<=|>=|[-+*/^&=<>%@:,;(){}#])",
            r"(?P<bad>.)",
        )
    ),
    re.IGNORECASE | re.DOTALL,
)


def scan(text: str, start: int = 0) -> list[Token]:
    """Every token from offset `start`, spaces left out, closed by one of kind "end".

    Characters that begin no token come as kind "bad"; nothing raises.
    """
    found: list[Token] = []
    add = found.append
    for match in _PATTERN.finditer(text, start):
        kind = match.lastgroup
        if kind != "space":
            add(Token(kind, match[0], match.start(), match.end()))  # type: ignore[arg-type]
    add(Token("end", "", len(text), len(text)))
    return found


def tokens(text: str) -> list[Token]:
    """Tokens for colouring, completion and F4 while a formula is being typed.

    Unlike `scan` this keeps spaces, joins a sheet prefix with what it belongs to (the token of
    `'my sheet'!A1:B2` is one range), tells functions from names, and has no "end".
    """
    merged: list[Token] = []
    matches = list(_PATTERN.finditer(text, 1 if text.startswith("=") else 0))
    for at, match in enumerate(matches):
        kind: str = match.lastgroup or "bad"
        token = Token(kind, match[0], match.start(), match.end())  # type: ignore[arg-type]
        if kind == "name":
            follower = matches[at + 1][0] if at + 1 < len(matches) else ""
            if follower == "(":
                token = token._replace(kind="function")
            elif token.text.upper() in ("TRUE", "FALSE"):
                token = token._replace(kind="boolean")
        before = merged[-1] if merged else None
        joins_sheet = (
            before is not None
            and before.kind == "sheet"
            and kind in ("cell", "range", "columns", "rows", "name", "error")
        )
        joins_table = before is not None and before.kind == "name" and kind == "structure"
        if before is not None and (joins_sheet or joins_table):
            whole = text[before.start : token.end]
            token = Token(token.kind, whole, before.start, token.end)
            merged.pop()
        merged.append(token)
    return merged
