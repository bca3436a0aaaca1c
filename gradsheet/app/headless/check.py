"""`gradsheet check FILE`: recompute every formula of a workbook, compare with what it stores.

Owns the comparison and its printing. Volatile cells, and those that cannot be computed, are
taken at their stored value, so that what depends on them is compared too.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradsheet.formula.address import Cell
from gradsheet.formula.values import ErrorCode, Kind, Scalar, UserError, unpack
from gradsheet.sheet.workbook import Workbook

if TYPE_CHECKING:
    from gradsheet.files.xlsx_read import Imported
    from gradsheet.formula.results import Computed

RELATIVE, ABSOLUTE = 1e-9, 1e-12
"""Numbers are equal when they differ by less than either."""
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A cell whose computed value is not what the file stores, both as they show."""

    sheet: str
    cell: str
    stored: str
    computed: str


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A formula that cannot be computed."""

    sheet: str
    cell: str
    reason: str


@dataclass(slots=True)
class SheetCount:
    """Counts of one sheet; see `CheckResult`."""

    formula_cells: int = 0
    compared: int = 0
    matched: int = 0
    mismatched: int = 0
    unsupported: int = 0
    volatile: int = 0
    not_stored: int = 0


@dataclass(slots=True)
class CheckResult:
    """What came of a check.

    Attributes
    ----------
    formula_cells : cells with a formula, members of array formulas included
    compared, matched : of them; the rest is volatile, unsupported or not stored
    not_stored : cells for which the file stores no value
    seconds : of reading, compiling and calculating
    """

    file: str
    formula_cells: int = 0
    compared: int = 0
    matched: int = 0
    volatile: int = 0
    not_stored: int = 0
    mismatched: list[Mismatch] = field(default_factory=list)
    unsupported: list[Unsupported] = field(default_factory=list)
    sheets: dict[str, SheetCount] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    report: list[str] = field(default_factory=list)


def main(argv: Sequence[str]) -> int:
    """Run `check` with its arguments (the word `check` first).

    Returns
    -------
    int
        0 if nothing is mismatched, 1 if something is, 2 if the file cannot be read.
    """
    options = _parser().parse_args(argv[1:])
    try:
        result = check(Path(options.file))
    except UserError as error:
        print(f"gradsheet: {error.text}\n{error.hint}".rstrip(), file=sys.stderr)
        return 2
    print(json.dumps(as_json(result)) if options.json else as_text(result))
    return 1 if result.mismatched else 0


def check(path: Path) -> CheckResult:
    """Read a workbook, compute all of its formulas and compare.

    Raises
    ------
    UserError
        If the file cannot be read.
    """
    from gradsheet.files.held import HeldWorkbook
    from gradsheet.files.support import is_volatile, unsupported_cells
    from gradsheet.files.xlsx_read import read_xlsx
    from gradsheet.formula.compiler import compile_program

    began = time.perf_counter()
    imported = read_xlsx(path)
    read = time.perf_counter()
    workbook = imported.workbook
    unsupported = unsupported_cells(workbook)
    volatile = {
        (sheet.id, cell)
        for sheet in workbook.sheets
        for cell, formula in sheet.cells.formulas().items()
        if is_volatile(formula.expr, workbook, sheet.id)
    }
    held = volatile | unsupported.keys()
    prepared = time.perf_counter()
    program = compile_program(HeldWorkbook(workbook, held))
    compiled = time.perf_counter()
    computed = program.recalculate()
    ended = time.perf_counter()
    result = CheckResult(path.name, report=imported.report.text.splitlines())
    result.seconds = {
        "read": read - began,
        "compile": compiled - prepared,
        "calculate": ended - compiled,
    }
    _count_held(result, workbook, volatile - unsupported.keys(), unsupported)
    _compare(result, imported, computed, unsupported)
    for count in result.sheets.values():
        result.formula_cells += count.formula_cells
        result.compared += count.compared
        result.matched += count.matched
        result.volatile += count.volatile
        result.not_stored += count.not_stored
    return result


def _count_held(
    result: CheckResult,
    workbook: Workbook,
    volatile: set[tuple[int, Cell]],
    unsupported: dict[tuple[int, Cell], str],
) -> None:
    for sheet, cell in volatile:
        count = result.sheets.setdefault(workbook.sheet_name(sheet), SheetCount())
        size = _size(workbook, sheet, cell)
        count.formula_cells += size
        count.volatile += size
    for (sheet, cell), reason in sorted(unsupported.items()):
        name = workbook.sheet_name(sheet)
        count = result.sheets.setdefault(name, SheetCount())
        size = _size(workbook, sheet, cell)
        count.formula_cells += size
        count.unsupported += size
        result.unsupported.append(Unsupported(name, str(cell), reason))


def _size(workbook: Workbook, sheet: int, cell: Cell) -> int:
    formula = workbook.sheet(sheet).cells.formula(cell)
    return 1 if formula is None or formula.array is None else formula.array.size


def _compare(
    result: CheckResult,
    imported: Imported,
    computed: Sequence[Computed],
    unsupported: dict[tuple[int, Cell], str],
) -> None:
    workbook = imported.workbook
    known = set(unsupported)
    for sheet, cell, stored, value in _pairs(imported, computed):
        name = workbook.sheet_name(sheet)
        count = result.sheets.setdefault(name, SheetCount())
        count.formula_cells += 1
        if value is ErrorCode.UNSUPPORTED and stored is not ErrorCode.UNSUPPORTED:
            # Found out only while computing: an argument that is not implemented, say.
            if (sheet, cell) not in known:
                count.unsupported += 1
                result.unsupported.append(
                    Unsupported(name, str(cell), "an argument, or a cell that it reads")
                )
        elif stored is None:
            count.not_stored += 1
        else:
            count.compared += 1
            if is_same(stored, value):
                count.matched += 1
            else:
                count.mismatched += 1
                result.mismatched.append(Mismatch(name, str(cell), shown(stored), shown(value)))


def _pairs(
    imported: Imported, computed: Sequence[Computed]
) -> Iterator[tuple[int, Cell, Scalar, Scalar]]:
    """Stored and computed value of every cell that was computed."""
    workbook = imported.workbook
    strings = workbook.strings
    for piece in computed:
        region = piece.region
        values, kinds = workbook.read(piece.sheet, region)
        for cell in region.cells():
            at = cell.row - region.top, cell.col - region.left
            new = unpack(piece.values[at], int(piece.kinds[at]), strings)
            stored = unpack(values[at], int(kinds[at]), strings)
            if new is None and stored is None and kinds[at] == Kind.BLANK:
                continue  # where a smaller array leaves a cell alone
            yield piece.sheet, cell, stored, new


def is_same(stored: Scalar, computed: Scalar) -> bool:
    """Whether two values are equal: numbers nearly, all else exactly and of one type."""
    if isinstance(stored, bool) or isinstance(computed, bool):
        return stored is computed
    if isinstance(stored, float) and isinstance(computed, float):
        return math.isclose(stored, computed, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    return type(stored) is type(computed) and stored == computed


def shown(value: Scalar) -> str:
    """A value as text that tells its type."""
    if isinstance(value, ErrorCode):
        return value.text
    if isinstance(value, bool):
        return str(value).upper()
    if value is None:
        return "(blank)"
    return repr(value)


def as_json(result: CheckResult) -> dict[str, Any]:
    """The result as plain data, with the keys that scripts read."""
    return asdict(result)


def as_text(result: CheckResult) -> str:
    """The result for people."""
    summary = (
        f"{result.file}: {result.formula_cells:,} formula cells, {result.compared:,} compared, "
        f"{result.matched:,} matched, {len(result.mismatched):,} differ, "
        f"{result.volatile:,} volatile, {len(result.unsupported):,} unsupported"
    )
    if result.not_stored:
        summary += f", {result.not_stored:,} without a stored value"
    lines = [summary]
    titles = ("formulas", "matched", "differ", "volatile", "unsupported")
    lines.append(f"  {'sheet':<31}" + "".join(f"{title:>12}" for title in titles))
    for name, c in result.sheets.items():
        numbers = (c.formula_cells, c.matched, c.mismatched, c.volatile, c.unsupported)
        lines.append(f"  {name:<31}" + "".join(f"{number:>12,}" for number in numbers))
    for wrong in result.mismatched[:_SHOWN]:
        lines.append(f"  {wrong.sheet}!{wrong.cell}: stored {wrong.stored}, "
                     f"computed {wrong.computed}")  # fmt: skip
    for missing in result.unsupported[:_SHOWN]:
        lines.append(f"  {missing.sheet}!{missing.cell}: {missing.reason}")
    lines.extend(f"  {line}" for line in result.report)
    times = ", ".join(f"{what} {seconds:.3f} s" for what, seconds in result.seconds.items())
    lines.append(f"  {times}")
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gradsheet check",
        description="Recompute every formula of a workbook and compare with its stored values.",
    )
    parser.add_argument("file", help="an .xlsx or .xlsm workbook")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser
