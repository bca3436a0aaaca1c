"""`gradsheet convert IN OUT`: recompute a workbook from its inputs and write it anew.

Owns the choice of formats by their endings. No stored value of a formula is trusted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from gradsheet.app.solving import store
from gradsheet.files.file_facts import FileFacts
from gradsheet.formula.values import UserError
from gradsheet.sheet.workbook import Workbook


def main(argv: Sequence[str]) -> int:
    """Run `convert` with its arguments (the word `convert` first).

    Returns
    -------
    int
        0 done, 1 failed with a message.
    """
    options = _parser().parse_args(argv[1:])
    try:
        for line in convert(Path(options.input), Path(options.output), options.sheet):
            print(line)
    except UserError as error:
        print(f"gradsheet: {error.text}\n{error.hint}".rstrip(), file=sys.stderr)
        return 1
    return 0


def convert(source: Path, target: Path, sheet: str | None = None) -> list[str]:
    """Read, recompute and write a workbook.

    Parameters
    ----------
    source : .xlsx, .xlsm or .csv
    target : .xlsx or .csv; anything else is refused
    sheet : for CSV, the sheet to write; the first if not given

    Returns
    -------
    list of str
        What the new file does not have.

    Raises
    ------
    UserError
        If a file cannot be read or written, or is of another kind.
    """
    from gradsheet.files.csv_sheet import write_csv
    from gradsheet.files.xlsx_write import write_xlsx
    from gradsheet.formula.compiler import compile_program

    ending = target.suffix.lower()
    if ending not in (".xlsx", ".csv"):
        raise UserError(f"{target.name} is neither .xlsx nor .csv.", "Choose one of them.")
    workbook, facts, notes = _read(source)
    program = compile_program(workbook)
    store(workbook, program.recalculate(), program)
    if ending == ".xlsx":
        return notes + [str(finding) for finding in write_xlsx(workbook, target, facts).findings]
    chosen = workbook.sheets[0] if sheet is None else workbook.by_name(sheet)
    if chosen is None:
        names = ", ".join(known.name for known in workbook.sheets)
        raise UserError(f"There is no sheet {sheet!r}.", f"Sheets: {names}.")
    write_csv(workbook, chosen, target)
    return []


def _read(source: Path) -> tuple[Workbook, FileFacts, list[str]]:
    from gradsheet.files.csv_sheet import read_csv
    from gradsheet.files.xlsx_read import read_xlsx

    if source.suffix.lower() == ".csv":
        return read_csv(source), FileFacts(), []
    imported = read_xlsx(source)
    return imported.workbook, imported.facts, [str(f) for f in imported.report.lost]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gradsheet convert", description="Recompute a workbook and write it anew."
    )
    parser.add_argument("input", help="an .xlsx, .xlsm or .csv file")
    parser.add_argument("output", help="an .xlsx or .csv file")
    parser.add_argument("--sheet", help="for .csv: the sheet to write, the first by default")
    return parser
