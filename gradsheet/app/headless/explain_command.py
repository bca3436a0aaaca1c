"""`gradsheet explain FILE SHEET!CELL`: one cell in three languages, on the terminal.

Owns the arguments and the printing. The formulas are computed first; volatile ones keep the
value that the file stored, so that the cell explained is the one that Excel shows.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradsheet.app.explain import aside_of, symbol_of, view_of
from gradsheet.app.headless.source_file import SourceFile, read_source
from gradsheet.app.solver.text import area_of
from gradsheet.formula.address import Cell
from gradsheet.formula.values import ErrorCode, Kind, UserError
from gradsheet.sheet.workbook import Workbook

if TYPE_CHECKING:
    from gradsheet.formula.explain_cells import View

LESSON = "lesson:"


def main(argv: Sequence[str]) -> int:
    """Run `explain` with its arguments (the word `explain` first).

    Returns
    -------
    int
        0 done, 1 failed with a message.
    """
    options = _parser().parse_args(argv[1:])
    try:
        workbook, view, aside = explained(options.file, options.cell)
    except UserError as error:
        print(f"gradsheet: {error.text}\n{error.hint}".rstrip(), file=sys.stderr)
        return 1
    from gradsheet.formula.explain import in_three_languages

    symbols = symbol_of(workbook)
    if options.json:
        print(json.dumps(as_json(workbook, view, aside)))
    else:
        print(in_three_languages(view, symbols, aside))
    return 0


def explained(file: str, place: str) -> tuple[Workbook, View, str]:
    """Read and compute a file, and look at one cell.

    Parameters
    ----------
    file : path, or `lesson:` and the name of a lesson
    place : `SHEET!CELL`; a cell alone is on the sheet that the file shows first

    Returns
    -------
    Workbook
    View
        The cell with its formula.
    str
        What else there is to say of it.

    Raises
    ------
    UserError
        If the file cannot be read, or there is no such cell.
    """
    source = _source(file)
    workbook = source.workbook
    home, text = source.facts.active_sheet or workbook.sheets[0].id, place
    name, _, rest = place.rpartition("!")
    named = workbook.by_name(name.strip("'").replace("''", "'")) if name else None
    if named is not None:  # a name with blanks, too, whose quotes the shell took away
        home, text = named.id, rest
    sheet, region = area_of(workbook, home, text)
    if region.size != 1:
        raise UserError(f"{place} is more than one cell.", "Name one cell, Sheet1!B2 say.")
    source.compute(_stored_volatile(workbook))
    cell = region.first
    view = view_of(workbook, sheet, cell)
    note = source.uncomputed.note(sheet, cell) if source.uncomputed is not None else ""
    return workbook, view, note or aside_of(workbook, view)


def as_json(workbook: Workbook, view: View, aside: str) -> dict[str, Any]:
    """A cell explained as plain data.

    Returns
    -------
    dict
        ``sheet``, ``cell``, ``value``, ``formula``, ``note``, ``numbers`` (the formula with
        numbers put in), ``sources`` (each of these numbers with its cells), ``maths`` (LaTeX),
        ``pytorch`` (a program that leaves the number in `result`).
    """
    from gradsheet.formula.explain import explain
    from gradsheet.formula.unparse import unparse

    value = view.value.text if isinstance(view.value, ErrorCode) else view.value
    line = explain(view, "excel")
    return {
        "sheet": workbook.sheet_name(view.sheet),
        "cell": str(view.cell),
        "value": value,
        "formula": "" if view.formula is None else unparse(view.formula.expr, view.host),
        "note": aside,
        "numbers": line.text,
        "sources": [
            {
                "text": segment.text,
                "sheet": workbook.sheet_name(segment.source.sheet),
                "cells": str(segment.source.region),
            }
            for segment in line.segments
            if segment.source is not None
        ],
        "maths": explain(view, "maths", symbol_of(workbook)).copied,
        "pytorch": explain(view, "pytorch").copied,
    }


def _source(file: str) -> SourceFile:
    if not file.startswith(LESSON):
        return read_source(Path(file))
    from gradsheet.lessons import catalogue

    book = catalogue.find(file.removeprefix(LESSON)).build(0, None)
    return SourceFile(book.workbook, book.problem)


def _stored_volatile(workbook: Workbook) -> set[tuple[int, Cell]]:
    """Cells drawn at random for which there is a value: that of the file counts."""
    from gradsheet.files.support import is_volatile

    return {
        (sheet.id, cell)
        for sheet in workbook.sheets
        for cell, formula in sheet.cells.formulas().items()
        if sheet.cells.get(cell)[1] != Kind.BLANK
        and is_volatile(formula.expr, workbook, sheet.id)
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gradsheet explain",
        description="A cell's formula, the same with its numbers, as mathematics and as PyTorch.",
    )
    parser.add_argument("file", help="an .xlsx, .xlsm, .csv or .gradsheet file, or lesson:NAME")
    parser.add_argument("cell", help="SHEET!CELL, or a cell of the sheet that is shown first")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser
