"""Filling a region from a smaller one: copies, or series that go on.

Owns what each filled cell gets, as in Excel's fill handle. Knows no undo but that of its parts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import Kind, Strings, UserError
from gradsheet.sheet.cell_edits import ReplaceRegion, check_inside
from gradsheet.sheet.cells import CellStore, Floats, Formula, Kinds
from gradsheet.sheet.change import Change, Composite, Edit
from gradsheet.sheet.formats import FormatRules
from gradsheet.sheet.sheet_edits import PutFacts

if TYPE_CHECKING:
    from gradsheet.sheet.workbook import Workbook

_MOST_LOOKS = 4096  # a larger patchwork of looks is not worth a rule for every cell
_COUNTED = re.compile(r"(.*?)([0-9]{1,15})", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Fill(Edit):
    """Fill `target` from `source`, whose cells keep what they hold.

    The source repeats in both directions, counted from its own place; formulas are copied as
    they are, so their relative references follow.

    Parameters
    ----------
    source : the cells to repeat, inside `target` or beside it
    series : whether a target that extends the source up, down, left or right only goes on with
        a row of two or more numbers (by least squares) and with texts that end in digits
    from_one : whether, in a series, a single number goes on by ones
    """

    sheet: int
    source: Region
    target: Region
    series: bool = False
    from_one: bool = False

    @property
    def label(self) -> str:
        """`Fill A1:A9`."""
        return f"Fill {self.target}"

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        if self.source.is_empty:
            raise UserError("There is nothing to fill from.", "Select the cells to repeat.")
        check_inside(self.target)
        sheet = workbook.sheet(self.sheet)
        store = sheet.cells
        used = store.used()
        source = self.source
        formulas = _source_formulas(store, source)
        edits: list[Edit] = []
        for part in self.target.subtract(source):
            values, kinds = _repeat(store, source, part)
            if self.series:
                least = 1 if self.from_one else 2
                _continue_series(store, workbook.strings, source, part, values, kinds, least)
            copies = _copies(formulas, source, part)
            is_idle = not formulas and not kinds.any() and part.intersect(used) is None
            if not is_idle:
                blocks = ((part, values, kinds),)
                edits.append(ReplaceRegion(self.sheet, part, blocks, copies, self.label))
        formats = _formats_after(sheet.formats, source, self.target)
        if formats is not sheet.formats:
            change = Change(formats=((self.sheet, self.target),))
            facts = replace(sheet.facts(), formats=formats)
            edits.append(PutFacts(self.sheet, facts, self.label, change))
        return Composite(tuple(edits), self.label).apply_to(workbook)


def _formats_after(formats: FormatRules, source: Region, target: Region) -> FormatRules:
    """The looks of the source repeated; by whole columns or rows where it is a line."""
    looks = formats.plane(source)
    for part in target.subtract(source):
        if (formats.plane(part) == looks[0, 0]).all() and (looks == looks[0, 0]).all():
            continue
        for where, row, col in _alike(part, source, bool((looks == looks[0, 0]).all())):
            formats = formats.with_format(where, formats.palette.format(int(looks[row, col])))
    return formats


def _alike(part: Region, source: Region, is_uniform: bool) -> Iterator[tuple[Region, int, int]]:
    """Regions of a part that look like one cell (row, col) of the source."""
    if is_uniform:
        yield part, 0, 0
    elif source.rows == 1:
        for col in range(part.left, part.right):
            at = (col - source.left) % source.cols
            yield Region(part.top, col, part.bottom, col + 1), 0, at
    elif source.cols == 1:
        for row in range(part.top, part.bottom):
            at = (row - source.top) % source.rows
            yield Region(row, part.left, row + 1, part.right), at, 0
    elif part.size <= _MOST_LOOKS:
        for cell in part.cells():
            yield (
                Region.of(cell),
                (cell.row - source.top) % source.rows,
                (cell.col - source.left) % source.cols,
            )


def _source_formulas(store: CellStore, source: Region) -> dict[Cell, Formula]:
    for anchor, area in store.arrays().items():
        formula = store.formula(anchor)
        is_fixed = formula is not None and not formula.dynamic
        if is_fixed and area.intersect(source) is not None and area.size > 1:
            raise UserError(
                f"{source} holds a part of the array formula in {area}.",
                "Copy an array formula as a whole, or fill from other cells.",
            )
    return store.formulas_in(source)


def _steps(part: Region, source: Region) -> tuple[Floats, Floats]:
    rows = np.arange(part.top, part.bottom) - source.top
    cols = np.arange(part.left, part.right) - source.left
    return rows.astype(np.float64), cols.astype(np.float64)


def _repeat(store: CellStore, source: Region, part: Region) -> tuple[Floats, Kinds]:
    values, kinds = store.read(source)
    for area in store.arrays().values():  # what spilled there is no content of its own
        shown = area.intersect(source)
        if shown is not None:
            at = shown.slices_in(source)
            values[at] = 0.0
            kinds[at] = Kind.BLANK
    for cell in store.formulas_in(source):
        values[cell.row - source.top, cell.col - source.left] = 0.0
        kinds[cell.row - source.top, cell.col - source.left] = Kind.BLANK
    rows = (np.arange(part.top, part.bottom) - source.top) % source.rows
    cols = (np.arange(part.left, part.right) - source.left) % source.cols
    at_all = np.ix_(rows, cols)
    return values[at_all], kinds[at_all]


def _copies(
    formulas: dict[Cell, Formula], source: Region, part: Region
) -> tuple[tuple[Cell, Formula], ...]:
    """Each formula of the source at all its places in a part."""
    copies: list[tuple[Cell, Formula]] = []
    for cell, formula in formulas.items():
        first_row = part.top + (cell.row - part.top) % source.rows
        first_col = part.left + (cell.col - part.left) % source.cols
        for row in range(first_row, part.bottom, source.rows):
            for col in range(first_col, part.right, source.cols):
                copy = formula
                if formula.array is not None:
                    # A dynamic array spills anew; one cell's array formula stays one.
                    array = None if formula.dynamic else Region(row, col, row + 1, col + 1)
                    copy = replace(formula, array=array)
                copies.append((Cell(row, col), copy))
    return tuple(copies)


def _continue_series(
    store: CellStore,
    strings: Strings,
    source: Region,
    part: Region,
    values: Floats,
    kinds: Kinds,
    least: int,
) -> None:
    """Put series over copies, in place, where a part extends the source in one direction.

    `least` is how many numbers make a series.
    """
    is_vertical = part.left == source.left and part.right == source.right
    is_horizontal = part.top == source.top and part.bottom == source.bottom
    if is_vertical == is_horizontal:
        return
    known, known_kinds = store.read(source)
    held = store.formulas_in(source)
    steps = _steps(part, source)[0 if is_vertical else 1]
    for line in range(source.cols if is_vertical else source.rows):
        here = (slice(None), line) if is_vertical else (line, slice(None))
        cells = (
            (source.left + line == cell.col if is_vertical else source.top + line == cell.row)
            for cell in held
        )
        if any(cells):
            continue
        if (known_kinds[here] == Kind.NUMBER).all() and known[here].size >= least:
            values[here] = _extrapolate(known[here], steps)
        elif (known_kinds[here] == Kind.TEXT).all():
            texts = [strings.text(int(value)) for value in known[here]]
            values[here] = [float(strings.id_of(t)) for t in _count_on(texts, steps)]


def _extrapolate(known: Floats, steps: Floats) -> Floats:
    """The straight line through numbers at 0, 1, 2 ... (least squares), at other places."""
    if len(known) == 1:
        only: Floats = known[0] + steps
        return only
    differences = np.diff(known)
    if (differences == differences[0]).all():
        result: Floats = known[0] + differences[0] * steps
        return result
    at = np.arange(len(known), dtype=np.float64)
    slope, start = np.polyfit(at, known, 1)
    line: Floats = start + slope * steps
    return line


def _count_on(texts: list[str], steps: Floats) -> list[str]:
    """Texts that end in digits go on counting; others repeat."""
    matches = [_COUNTED.fullmatch(text) for text in texts]
    stems = {match[1] for match in matches if match is not None}
    if None in matches or len(stems) != 1:
        return [texts[int(step) % len(texts)] for step in steps]
    numbers = [int(match[2]) for match in matches if match is not None]
    width = len(matches[0][2]) if matches[0] is not None and matches[0][2][0] == "0" else 1
    gap = numbers[1] - numbers[0] if len(numbers) > 1 else 1
    stem = stems.pop()
    return [f"{stem}{abs(numbers[0] + gap * int(step)):0{width}d}" for step in steps]
