"""Which formulas cannot be computed here, and why; which are drawn or timed anew each time.

Owns the looking; the engine owns what it can do. The functions are imported when first asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from gradsheet.files.report import Findings, Weight
from gradsheet.formula.address import Cell
from gradsheet.formula.syntax import Call, ErrorLiteral, Expr, Name, children, references
from gradsheet.formula.values import ErrorCode
from gradsheet.sheet.workbook import Workbook

_DEEPEST_NAME = 32


def note_unsupported(workbook: Workbook, findings: Findings) -> None:
    """Report every reason for which formulas cannot be computed, by sheet."""
    for sheet in workbook.sheets:
        for formula in sheet.cells.formulas().values():
            reason = unsupported_reason(formula.expr)
            if reason:
                findings.add(reason, sheet.name, Weight.WRONG,
                             "the cells keep the values that the file stored")  # fmt: skip


@lru_cache(maxsize=65536)
def unsupported_reason(expr: Expr) -> str:
    """Why a formula cannot be computed, "" if it can.

    A function that nobody knows counts too: it may belong to an add-in or a macro, so that the
    value that the file stored is right and #NAME? would not be.
    """
    from gradsheet.formula.functions import FUNCTIONS

    for node in _nodes(expr):
        if isinstance(node, Call) and node.name not in FUNCTIONS:
            return f"function {node.name[:60]}"
        if isinstance(node, ErrorLiteral) and node.code is ErrorCode.UNSUPPORTED:
            return "reference into another file or through sheets" if "!" in node.text else (
                "formula that cannot be read"
            )  # fmt: skip
    return ""


def is_volatile(expr: Expr, workbook: Workbook, sheet: int) -> bool:
    """Whether a formula gives another result each time: RAND, NOW, also through a name."""
    return _draws(expr, workbook, sheet, 0)


def _draws(expr: Expr, workbook: Workbook, sheet: int, depth: int) -> bool:
    if _calls_volatile(expr):
        return True
    if depth > _DEEPEST_NAME:
        return False
    for node in references(expr):
        if isinstance(node, Name):
            home = sheet if node.sheet is None else workbook.sheet_id(node.sheet)
            named = None if home is None else workbook.defined_name(node.name, home)
            if named is not None and _draws(named, workbook, sheet, depth + 1):
                return True
    return False


@lru_cache(maxsize=65536)
def _calls_volatile(expr: Expr) -> bool:
    from gradsheet.formula.functions import FUNCTIONS

    return any(
        isinstance(node, Call) and node.name in FUNCTIONS and FUNCTIONS[node.name].is_volatile
        for node in _nodes(expr)
    )


def _nodes(expr: Expr) -> Iterator[Expr]:
    pending = [expr]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(children(node))


def unsupported_cells(workbook: Workbook) -> dict[tuple[int, Cell], str]:
    """The reason of every formula cell that cannot be computed, by (sheet id, cell)."""
    found = {}
    for sheet in workbook.sheets:
        for cell, formula in sheet.cells.formulas().items():
            reason = unsupported_reason(formula.expr)
            if reason:
                found[sheet.id, cell] = reason
    return found
