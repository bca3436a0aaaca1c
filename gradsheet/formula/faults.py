"""What is wrong with a formula, in words: where, what, and what to do next.

Owns the text of syntax errors. Knows tokens and the place the parser has reached, no trees.
"""

from __future__ import annotations

from typing import NoReturn

from gradsheet.formula.lexer import Token
from gradsheet.formula.values import FormulaError

STARTS_REFERENCE = frozenset(
    ("cell", "range", "columns", "rows", "name", "structure", "sheet", "external", "error")
)
"""Kinds of token that begin a reference."""
OPERANDS = STARTS_REFERENCE | {"string", "number"}
"""Kinds of token that begin a value."""

LOOKALIKES = {
    "−": "-", "–": "-", "—": "-", "×": "*", "·": "*", "÷": "/", "≤": "<=", "≥": ">=",
    "≠": "<>", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "’": "'",
}  # fmt: skip


class Faults:
    """A place in a list of tokens, and the errors that can be raised there."""

    __slots__ = ("at", "tokens")

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.at = 0

    def fail(self, message: str, token: Token, hint: str = "") -> NoReturn:
        """Raise a FormulaError at a token."""
        raise FormulaError(message, token.start + 1, token.end - token.start, hint)

    def fail_unclosed(self, found: Token, opener: Token, what: str, closer: str = ")") -> NoReturn:
        """Raise for a bracket that is not closed where `found` stands."""
        if found.kind in OPERANDS or found.kind == "bad":
            self.fail_after(found)
        column = opener.start + 1
        raise FormulaError(
            f"`{closer}` missing for {what} that opens in column {column}.",
            column,
            opener.end - opener.start,
            f"Type `{closer}` "
            + ("at the end." if found.kind == "end" else f"before column {found.start + 1}."),
        )

    def fail_after(self, token: Token) -> NoReturn:
        """Raise for a token that cannot follow what was read so far."""
        if token.kind == "bad":
            self.fail_operand(token)
        before = self.tokens[self.at - 1] if self.at else token
        column = token.start + 1
        if token.text in (")", "}"):
            opener = "(" if token.text == ")" else "{"
            self.fail(
                f"The `{token.text}` in column {column} closes nothing.",
                token,
                f"Delete it, or type the `{opener}` that it closes.",
            )
        if token.kind in OPERANDS or token.text in ("(", "{"):
            self.fail(
                f"An operator is missing between `{before.text}` and `{token.text}`"
                f" in column {column}.",
                token,
                "Write * for a product, & to join texts, a comma between arguments.",
            )
        self.fail(f"`{token.text}` cannot stand in column {column}.", token)

    def fail_operand(self, token: Token) -> NoReturn:
        """Raise for a token where a value should begin."""
        column = token.start + 1
        if token.kind == "bad":
            meant = LOOKALIKES.get(token.text)
            hint = f"Type {meant} instead." if meant else ""
            if token.text == '"':
                self.fail(f"The text that opens in column {column} has no closing quote.", token,
                          'Type " at its end; a quote inside a text is doubled.')  # fmt: skip
            if token.text == "[":
                self.fail(f"`]` missing for the `[` in column {column}.", token)
            if token.text == "'":
                self.fail(f"The sheet name that opens in column {column} does not end in `'!`.",
                          token, "Write 'my sheet'!A1.")  # fmt: skip
            self.fail(f"`{token.text}` in column {column} is not understood.", token, hint)
        if token.kind == "end":
            before = self.tokens[self.at - 2] if self.at > 1 else token
            self.fail(f"Something is missing after `{before.text}` at the end.", token,
                      "Type a number, a cell or a function.")  # fmt: skip
        self.fail(f"A value is missing before `{token.text}` in column {column}.", token,
                  "Type a number, a cell or a function.")  # fmt: skip
