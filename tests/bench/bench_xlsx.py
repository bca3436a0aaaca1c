"""Times of reading, compiling, calculating and writing workbooks: `python bench_xlsx.py`.

One run prints a table; openpyxl beside it where it is installed, for the ratio.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from gradsheet.files.xlsx_read import read_xlsx
from gradsheet.files.xlsx_write import write_xlsx
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.compiler import compile_program
from gradsheet.formula.syntax import parse
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.workbook import Workbook

REFERENCE = Path(__file__).parents[3] / "shared/reference/workbooks"
ROWS = 2_500


def book_of_formulas() -> Workbook:
    """25,000 formulas in ten columns beside 25,000 numbers, each formula written out."""
    workbook = Workbook.with_sheet("sheet")
    sheet = workbook.sheets[0]
    sheet.cells.write(Region(0, 0, ROWS, 10), [[r * 0.1 + c for c in range(10)]
                                                for r in range(ROWS)])  # fmt: skip
    for c in range(10):
        host = Cell(0, 10 + c)
        texts = ("=A1*2+$B$1", "=IF(A1>B1,SUM(A1:J1),LOG10(C1+2))", "=K1^2+SQRT(ABS(D1))")
        formula = Formula(parse(texts[c % 3], host))
        for row in range(ROWS):
            sheet.cells.set_formula(Cell(row, 10 + c), formula)
    sheet.cells.write(Region(0, 10, ROWS, 20), 1.0)
    return workbook


def best(work: Callable[[], object], times: int = 3) -> float:
    """The shortest of some runs, seconds."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return min(found)


def row(name: str, path: Path) -> None:
    """One line of the table."""
    workbook = read_xlsx(path).workbook
    program = compile_program(workbook)
    formulas = sum(sheet.cells.formula_count for sheet in workbook.sheets)
    seconds = [
        best(lambda: read_xlsx(path)),
        best(lambda: compile_program(workbook)),
        best(lambda: compile_program(workbook).recalculate()) - best(
            lambda: compile_program(workbook)
        ),
        best(program.recalculate),
        best(lambda: write_xlsx(workbook, path.with_suffix(".out"))),
    ]  # fmt: skip
    line = "".join(f"{value * 1000:>11.1f}" for value in seconds)
    print(f"{name:<24}{formulas:>9,}{line}{openpyxl_time(path):>11}")


def openpyxl_time(path: Path) -> str:
    """Milliseconds for openpyxl's load of formulas and its load of values."""
    if importlib.util.find_spec("openpyxl") is None:
        return "-"
    import openpyxl
    from openpyxl.pivot.cache import CalculatedItem

    CalculatedItem.formula.allow_none = True
    began = time.perf_counter()
    openpyxl.load_workbook(path)
    openpyxl.load_workbook(path, data_only=True)
    return f"{(time.perf_counter() - began) * 1000:.1f}"


def main() -> int:
    """Print the table."""
    titles = ("read ms", "compile", "calc first", "calc again", "write", "openpyxl")
    print(f"{'workbook':<24}{'formulas':>9}" + "".join(f"{title:>11}" for title in titles))
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "made.xlsx"
        write_xlsx(book_of_formulas(), made)
        row("25,000 written out", made)
        for path in sorted(REFERENCE.glob("*.xlsx")) if REFERENCE.is_dir() else ():
            copy = Path(folder) / path.name
            copy.write_bytes(path.read_bytes())
            row(path.stem, copy)
    return 0


if __name__ == "__main__":
    sys.exit(main())
