"""What could be typed next in a formula: functions, names, tables, and the argument at hand.

Owns the reading of half-typed text for completion and argument help. It takes the function
table as it finds it: before the engine has loaded it there is nothing to offer, and nothing
here imports it, for that would load torch on the window's thread.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gradsheet.formula.syntax import tokens
from gradsheet.qt.grid.reference_text import is_formula
from gradsheet.sheet.workbook import Workbook

if TYPE_CHECKING:
    from gradsheet.formula.functions.table import Function

MOST_OFFERED = 60
COMMON = (
    "SUM", "AVERAGE", "IF", "COUNT", "MAX", "MIN", "SQRT", "MMULT", "SUMPRODUCT", "SUMXMY2",
    "SUMSQ", "ROUND", "ABS", "EXP", "LN", "LOG", "RAND", "RANDARRAY", "STDEV.S", "INDEX", "MATCH",
    "VLOOKUP", "XLOOKUP", "TRANSPOSE", "AND", "OR", "NOT", "IFERROR", "COUNTIF", "SUMIF", "MEDIAN",
)  # fmt: skip
"""Offered first among those that begin alike."""
_WORD = re.compile(r"[A-Za-z_\\][\w.\\]*\Z")


def known_functions() -> Mapping[str, Function]:
    """The function table, once the engine has loaded it; empty before."""
    module = sys.modules.get("gradsheet.formula.functions")
    if module is None or not hasattr(module, "FAMILIES"):  # its last name: it is fully there
        return {}
    table: Mapping[str, Function] = module.FUNCTIONS
    return table


@dataclass(frozen=True, slots=True)
class Offer:
    """One completion.

    Attributes
    ----------
    text : what is put in
    detail : the call or what the name stands for
    help : one sentence, may be empty
    """

    text: str
    kind: Literal["function", "name", "table"]
    detail: str
    help: str = ""


@dataclass(frozen=True, slots=True)
class Completion:
    """What can stand in place of `text[start:end]`, best first."""

    start: int
    end: int
    offers: tuple[Offer, ...]


def completion_at(text: str, caret: int, workbook: Workbook) -> Completion | None:
    """The completions of the word that ends at the caret; None if there is none."""
    if not is_formula(text) or _in_string(text, caret):
        return None
    match = _WORD.search(text, 1, caret)
    if match is None or text[caret : caret + 1].isalnum():
        return None
    before = text[match.start() - 1]
    if before in "$!'.\"[" or before.isdigit():
        return None
    word = match[0].upper()
    offers = [*_functions(word), *_names(word, workbook)]
    if not offers or (len(offers) == 1 and offers[0].text.upper() == word):
        offers = [offer for offer in offers if offer.kind == "function"]
    if not offers:
        return None
    offers.sort(
        key=lambda offer: (offer.text.upper() != word, offer.text not in COMMON, offer.text.upper())
    )
    return Completion(match.start(), caret, tuple(offers[:MOST_OFFERED]))


def _in_string(text: str, caret: int) -> bool:
    return text.count('"', 0, caret) % 2 == 1


def _functions(word: str) -> list[Offer]:
    return [
        Offer(name, "function", entry.signature, entry.help)
        for name, entry in known_functions().items()
        if name.startswith(word)
    ]


def _names(word: str, workbook: Workbook) -> list[Offer]:
    found = [
        Offer(defined.name, "name", "defined name")
        for defined in workbook.names
        if not defined.hidden and defined.name.upper().startswith(word)
    ]
    found += [
        Offer(table.name, "table", f"table {table.region}")
        for table in workbook.tables
        if table.name.upper().startswith(word)
    ]
    return found


@dataclass(frozen=True, slots=True)
class CallAtCaret:
    """The call whose brackets the caret stands in, and which argument, counted from 0."""

    name: str
    argument: int


def call_at(text: str, caret: int) -> CallAtCaret | None:
    """The innermost call around the caret."""
    if not is_formula(text) or _in_string(text, caret):
        return None
    calls: list[list[object]] = []
    waiting: str | None = None
    for token in tokens(text[:caret]):
        if token.kind == "function":
            waiting = token.text.upper()
            continue
        if token.kind == "space":
            continue
        if token.text == "(":
            calls.append([waiting, 0])
        elif token.text == ")" and calls:
            calls.pop()
        elif token.text in (",", ";") and calls:
            calls[-1][1] = int(str(calls[-1][1])) + 1
        waiting = None
    for name, argument in reversed(calls):
        if name is not None:
            return CallAtCaret(str(name), int(str(argument)))
        return None
    return None


def argument_parts(call: CallAtCaret) -> tuple[list[str], int, str] | None:
    """The arguments of a call by name, which of them is at hand, and what the function does.

    None if the function is not known. An argument that repeats counts as the last named one.
    """
    entry = known_functions().get(call.name.removeprefix("_XLFN."))
    if entry is None:
        return None
    names = list(entry.arguments)
    at = call.argument
    if at >= len(names) or (names and names[min(at, len(names) - 1)] == "..."):
        at = len(names) - 1 if "..." in names else -1
    return names, at, entry.help
