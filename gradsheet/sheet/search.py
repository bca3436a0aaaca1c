"""Finding cells by what they show or hold, and what replacing makes of their text.

Owns the matching and the order of the finds. Changes nothing and knows no window.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import unparse
from gradsheet.formula.values import Kind
from gradsheet.sheet.formats import display_text, edit_text
from gradsheet.sheet.workbook import Sheet, Workbook

_NOT_IN_NUMBERS = re.compile(r"[^-+0-9.,%eE()\s$€£¥/:]")


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for.

    Parameters
    ----------
    text : not empty
    in_formulas : look at what cells are edited as, else at what they show
    match_case : tell capitals from small letters
    whole_cell : the cell must hold nothing else
    """

    text: str
    in_formulas: bool = False
    match_case: bool = False
    whole_cell: bool = False

    def pattern(self) -> re.Pattern[str]:
        """The expression that finds the text."""
        body = re.escape(self.text)
        if self.whole_cell:
            body = rf"\A{body}\Z"
        return re.compile(body, 0 if self.match_case else re.IGNORECASE)


def find_all(workbook: Workbook, sheet: Sheet, search: Search) -> list[Cell]:
    """The cells of a sheet that match, row by row."""
    if not search.text:
        return []
    matches = search.pattern().search
    found = set(_in_texts(workbook, sheet, matches))
    formulas = sheet.cells.formulas()
    if search.in_formulas:
        found = {cell for cell in found if cell not in formulas}
        found |= {c for c, f in formulas.items() if matches(unparse(f.expr, c)) is not None}
    # A text without a digit or sign cannot be in a number; most searches are for words.
    if _NOT_IN_NUMBERS.search(search.text) is None:
        found |= _in_numbers(workbook, sheet, search, matches)
    return sorted(found)


_Matches = Callable[[str], re.Match[str] | None]


def _in_texts(workbook: Workbook, sheet: Sheet, matches: _Matches) -> list[Cell]:
    found: list[Cell] = []
    known: dict[int, bool] = {}
    for region, values, kinds in sheet.cells.contents(sheet.cells.used()):
        rows, cols = np.nonzero((kinds == Kind.TEXT) | (kinds == Kind.BOOLEAN)
                                | (kinds == Kind.ERROR))  # fmt: skip
        for row, col in zip(rows.tolist(), cols.tolist(), strict=True):
            value, kind = float(values[row, col]), int(kinds[row, col])
            key = int(value) * 8 + kind
            hit = known.get(key)
            if hit is None:
                text = (
                    workbook.strings.text(int(value))
                    if kind == Kind.TEXT
                    else edit_text(value, kind, workbook.strings)
                )
                hit = known[key] = matches(text) is not None
            if hit:
                found.append(Cell(region.top + row, region.left + col))
    return found


def _in_numbers(workbook: Workbook, sheet: Sheet, search: Search, matches: _Matches) -> set[Cell]:
    found: set[Cell] = set()
    formulas = sheet.cells.formulas() if search.in_formulas else {}
    for region, values, kinds in sheet.cells.contents(sheet.cells.used()):
        rows, cols = np.nonzero(kinds == Kind.NUMBER)
        looks = None if search.in_formulas else sheet.formats.plane(region)
        for row, col in zip(rows.tolist(), cols.tolist(), strict=True):
            cell = Cell(region.top + row, region.left + col)
            value = float(values[row, col])
            if looks is None:
                if cell in formulas:
                    continue
                text = edit_text(value, Kind.NUMBER, workbook.strings)
            else:
                look = workbook.palette.format(int(looks[row, col]))
                text = display_text(
                    value, Kind.NUMBER, look, workbook.strings, date_1904=workbook.date_1904
                )
            if matches(text) is not None:
                found.add(cell)
    return found


def next_find(finds: list[Cell], start: Cell, forward: bool = True) -> Cell | None:
    """The find after (before) a cell, round the end; None if there is none."""
    if not finds:
        return None
    if forward:
        return next((cell for cell in finds if cell > start), finds[0])
    return next((cell for cell in reversed(finds) if cell < start), finds[-1])


def replaced_text(text: str, search: Search, replacement: str) -> str:
    """What a cell is to be edited as after replacing every match in its text."""
    return search.pattern().sub(lambda _: replacement, text)


def text_to_edit(workbook: Workbook, sheet: Sheet, cell: Cell) -> str:
    """The text that a cell is edited as: its formula, else its constant."""
    formula = sheet.cells.formula(cell)
    if formula is not None:
        return unparse(formula.expr, cell)
    return edit_text(*sheet.cells.get(cell), workbook.strings)


def within(finds: list[Cell], regions: list[Region]) -> list[Cell]:
    """The finds that lie in any of the regions."""
    return [cell for cell in finds if any(region.contains(cell) for region in regions)]
