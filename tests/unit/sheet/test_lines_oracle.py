"""Formulas follow inserted, deleted and moved lines as in LibreOffice: 500 recorded edits.

`oracle/lines.json` was written by LibreOffice Calc 7.4.7, headless, from 50 random sequences of 10
edits; gradsheet took no part in it. `python tests/unit/sheet/oracle/record_lines.py` records it
anew (`soffice` on the path, some minutes); `oracle/README.md` says what is left out of the
comparison.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gradsheet.formula.address import Cell
from gradsheet.formula.syntax import parse, unparse
from gradsheet.sheet import edits
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.workbook import Workbook

SHEETS = ("Data", "Other")
RECORDED = json.loads((Path(__file__).parent / "oracle/lines.json").read_text("utf-8"))
State = dict[str, str]
_REFERENCE = re.compile(
    r"(?:(Data|Other)!)?(\$?)([A-Z]{1,3})(\$?)([0-9]+)(?::(\$?)([A-Z]{1,3})(\$?)([0-9]+))?|#REF!"
)


def book_of(state: State) -> Workbook:
    workbook = Workbook.with_sheet("Data")
    workbook.apply(edits.AddSheet("Other"))
    for place, text in state.items():
        sheet, _, address = place.partition("!")
        cell = Cell.parse(address)
        content = Formula(parse(text, cell))
        workbook.apply(edits.SetCells(SHEETS.index(sheet) + 1, ((cell, content),)))
    return workbook


def state_of(workbook: Workbook) -> State:
    return {
        f"{sheet.name}!{cell}": unparse(formula.expr, cell)
        for sheet in workbook.sheets
        for cell, formula in sheet.cells.formulas().items()
    }


Reference = tuple[Any, ...] | None


def references(text: str, home: str) -> Iterator[Reference]:
    """What each reference means; None where it is lost.

    Rows and columns in order, and beside them their dollar signs in order: Calc may swap the
    signs of the corners of a range when it moves cells.
    """
    for match in _REFERENCE.finditer(text):
        if match[0] == "#REF!":
            yield None
            continue
        sheet, col_abs, col, row_abs, row, col_abs2, col2, row_abs2, row2 = match.groups()
        rows = sorted({_row(row), _row(row2 or row)})
        cols = sorted({_col(col), _col(col2 or col)})
        signs = (sorted([row_abs, row_abs2 or ""]), sorted([col_abs, col_abs2 or ""]))
        yield sheet or home, bool(row2), (rows[0], rows[-1]), (cols[0], cols[-1]), signs


def _row(text: str) -> int:
    return int(text) - 1


def _col(text: str) -> int:
    return Cell.parse(f"{text}1").col


def lands_at_an_end(before: Reference, edit: list[int | str]) -> bool:
    """Whether a move lands at an end of a range that holds the moved lines."""
    if before is None or not str(edit[0]).startswith("Move"):
        return False
    sheet, is_range, rows, cols, _ = before
    along = rows if "Rows" in str(edit[0]) else cols
    assert isinstance(along, tuple)
    first, last = along
    at, count, to = (int(part) for part in edit[2:])
    on_sheet = sheet == SHEETS[int(edit[1])]
    is_inside = first <= at and at + count <= last + 1
    return bool(is_range and on_sheet and is_inside and to in (first, last + 1))


CASES = [
    (number, step)
    for number, recorded in enumerate(RECORDED)
    for step in range(len(recorded["edits"]))
]


def test_there_are_500_edits() -> None:
    assert len(CASES) == 500


@pytest.mark.parametrize("number", range(len(RECORDED)))
def test_references_follow_as_in_libreoffice(number: int) -> None:
    recorded = RECORDED[number]
    compared = left_out = 0
    for step, edit in enumerate(recorded["edits"]):
        before, after = recorded["states"][step], recorded["states"][step + 1]
        workbook = book_of(before)
        old = state_of(workbook)
        kind, sheet, *rest = edit
        inverse, _ = workbook.apply(getattr(edits, kind)(sheet + 1, *rest))
        ours = state_of(workbook)
        assert set(ours) == set(after), (edit, before)
        moved = dict(zip(place_after(before, edit), before, strict=True))
        for place, text in ours.items():
            home = place.partition("!")[0]
            earlier = list(references(before[moved[place]], home))
            for was, got, expected in zip(
                earlier, references(text, home), references(after[place], home), strict=True
            ):
                if was is None or lands_at_an_end(was, edit):
                    left_out += 1
                    continue
                compared += 1
                assert got == expected, (edit, place, before[moved[place]], text, after[place])
        workbook.apply(inverse)
        assert state_of(workbook) == old
    assert compared > 4 * left_out


def place_after(before: State, edit: list[int | str]) -> Iterator[str]:
    """Where the formulas of a state lie after an edit; a deleted one somewhere else, by itself."""
    kind, sheet, *rest = edit
    marks = {place: f"={number}" for number, place in enumerate(before)}
    marked = book_of(marks)
    marked.apply(getattr(edits, str(kind))(int(sheet) + 1, *rest))
    where = {text: place for place, text in state_of(marked).items()}
    for number, place in enumerate(before):
        yield where.get(f"={number}", f"deleted {place}")
