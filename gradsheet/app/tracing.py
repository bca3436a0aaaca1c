"""Who reads whom: the cells that a formula reads, and the cells that read a cell.

Owns the question and how it is asked on the engine's thread, so that a large workbook does not
hold the window up. Knows no window and draws nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, TypeAlias

from gradsheet.app.messages import message_of
from gradsheet.formula.address import Cell, Region
from gradsheet.sheet.change import regions_over

if TYPE_CHECKING:
    from gradsheet.app.document import Document
    from gradsheet.formula.compiler import Program

Kind: TypeAlias = Literal["precedent", "dependent"]
Found: TypeAlias = list[tuple[int, Region]]

MOST_ASKED = 4_000
"""Cells of one block that are asked one by one whether they read a cell; of a larger block the
answer is the whole block."""
MOST_REGIONS = 64


def trace(
    document: Document,
    sheet: int,
    cell: Cell,
    kind: Kind,
    then: Callable[[Found], None],
) -> None:
    """Find what a cell reads, or who reads it, and tell `then` on the document's thread."""
    calculation = document.calculation

    def job() -> Found:
        program = calculation.program()
        if kind == "precedent":
            return program.precedents(sheet, cell)
        return _readers(program, sheet, cell)

    def failed(error: BaseException) -> None:
        document.say(message_of(error, "tracing formulas"))

    document.engine.submit(job, then, failed, "tracing formulas")


def _readers(program: Program, sheet: int, cell: Cell) -> Found:
    """The cells that read a cell; of each block only those that do."""
    found: Found = []
    for home, region in program.dependents(sheet, cell):
        if region.size > MOST_ASKED:
            found.append((home, region))
            continue
        readers = [
            reader
            for reader in region.cells()
            if any(s == sheet and r.contains(cell) for s, r in program.precedents(home, reader))
        ]
        found += [(home, part) for part in regions_over(readers, MOST_REGIONS)]
    return found
