"""`gradsheet convert IN OUT`: recompute a workbook from its inputs and write it anew.

Owns the choice of formats by their endings. No stored value of a formula is trusted but where
gradsheet cannot compute it, and the output says so.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from gradsheet.app.headless.source_file import SourceFile, read_source
from gradsheet.formula.values import UserError
from gradsheet.sheet.workbook import Workbook

WRITTEN = (".xlsx", ".csv", ".gradsheet")
"""Endings of the files that can be written."""


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
    source : .xlsx, .xlsm, .csv or .gradsheet
    target : .xlsx, .csv or .gradsheet; anything else is refused
    sheet : for CSV, the sheet to write; the first if not given

    Returns
    -------
    list of str
        What the new file does not have, and cells that could not be recomputed.

    Raises
    ------
    UserError
        If a file cannot be read or written, or is of another kind.
    """
    ending = target.suffix.lower()
    if ending not in WRITTEN:
        raise UserError(f"{target.name} is not of a kind that can be written.",
                        f"Choose {', '.join(WRITTEN[:-1])} or {WRITTEN[-1]}.")  # fmt: skip
    known = read_source(source)
    known.compute()
    notes = list(known.notes) + _uncomputed_notes(known)
    if ending == ".gradsheet":
        _write_session(known, target)
    elif ending == ".xlsx":
        from gradsheet.files.xlsx_write import write_xlsx

        report = write_xlsx(known.workbook, target, known.facts)
        notes += [str(finding) for finding in report.findings]
    else:
        _write_sheet(known.workbook, sheet, target)
    return notes


def _write_sheet(workbook: Workbook, sheet: str | None, target: Path) -> None:
    from gradsheet.files.csv_sheet import write_csv

    chosen = workbook.sheets[0] if sheet is None else workbook.by_name(sheet)
    if chosen is None:
        names = ", ".join(known.name for known in workbook.sheets)
        raise UserError(f"There is no sheet {sheet!r}.", f"Sheets: {names}.")
    write_csv(workbook, chosen, target)


def _write_session(known: SourceFile, target: Path) -> None:
    """Write a session: the Solver model says what it learns, unless the source did."""
    from gradsheet.files.session import Session, save_session
    from gradsheet.files.solver_model import chosen_model

    workbook, problem = known.workbook, known.problem
    shown = known.facts.active_sheet or workbook.sheets[0].id
    model = chosen_model(workbook, shown) if problem is None else None
    if model is not None and model.changing:
        problem, shown = model.problem(), model.sheet
    facts = dict(known.session_facts) or {"title": target.stem, "home": shown}
    if known.uncomputed is not None:
        facts["held"] = [[home, *cell] for home, cell in sorted(known.uncomputed.held())]
    # A run goes on from cells that have been computed anew, so its record no longer fits.
    facts.pop("runs", None)
    facts.pop("kept", None)
    arrays = {name: array for name, array in known.arrays.items() if name.startswith("data/")}
    save_session(Session(workbook, problem, facts, arrays), target)


def _uncomputed_notes(known: SourceFile) -> list[str]:
    """Say which cells keep a value that nobody recomputed, and which lost it."""
    uncomputed = known.uncomputed
    if uncomputed is None:
        return []
    return [
        f"{known.workbook.sheet_name(sheet)}!{cell}: {uncomputed.note(sheet, cell)}"
        for sheet, cell in uncomputed.places()
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gradsheet convert", description="Recompute a workbook and write it anew."
    )
    parser.add_argument("input", help="an .xlsx, .xlsm, .csv or .gradsheet file")
    parser.add_argument("output", help="an .xlsx, .csv or .gradsheet file")
    parser.add_argument("--sheet", help="for .csv: the sheet to write, the first by default")
    return parser
