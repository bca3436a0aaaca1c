"""Cells to and from the clipboard: TSV that Excel understands, and our own with formulas.

Owns the two formats, tiling and the reading of foreign text (decimal commas included). Makes
edits and applies none: a paste is done whole or not at all.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QMimeData
from PySide6.QtGui import QGuiApplication

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import Kind, UserError, parse_entry
from gradsheet.qt.grid.entry import entry_text
from gradsheet.sheet.cells import Content
from gradsheet.sheet.edits import ClearCells, Composite, Edit, Fill, SetCells
from gradsheet.sheet.formats import edit_text
from gradsheet.sheet.workbook import Sheet, Workbook

if TYPE_CHECKING:
    from gradsheet.app.document import Document

CELLS_FORMAT = "application/x-gradsheet-cells"
MOST_CELLS = 1_000_000
_MOST_NAMED = 3
"""Bad cells that a message names before it only counts."""


@dataclass(frozen=True, slots=True)
class Pasted:
    """An edit that pastes, and the cells that it fills."""

    edit: Edit
    region: Region


# ------------------------------------------------------------------------------------------ out


def copy(workbook: Workbook, sheet_id: int, regions: Sequence[Region], is_cut: bool = False
         ) -> None:  # fmt: skip
    """Put one rectangle on the clipboard.

    The TSV has every number at full precision, so that no digit is lost; our own format keeps
    formulas. Formulas that were cut keep the cells they refer to, copied ones move with the
    paste, as in Excel.

    Raises
    ------
    UserError
        If several rectangles or more than a million cells are selected.
    """
    region = _one(regions, "copied")
    sheet = workbook.sheet(sheet_id)
    region = _used_part(sheet, region)
    if region.size > MOST_CELLS:
        raise UserError(
            f"{region} has {region.size:,} cells, more than can be copied at once.",
            f"Select at most {MOST_CELLS:,} cells.",
        )
    entries = [
        [entry_text(workbook, sheet_id, Cell(row, col)) for col in range(region.left, region.right)]
        for row in range(region.top, region.bottom)
    ]
    payload = {"cut": is_cut, "top": region.top, "left": region.left, "entries": entries}
    data = QMimeData()
    data.setText(_tsv(workbook, sheet, region))
    data.setData(CELLS_FORMAT, QByteArray(json.dumps(payload).encode()))
    QGuiApplication.clipboard().setMimeData(data)


def _one(regions: Sequence[Region], done: str) -> Region:
    if len(regions) != 1:
        raise UserError(
            f"Several ranges cannot be {done} together.", "Select one rectangle of cells."
        )
    return regions[0]


def _used_part(sheet: Sheet, region: Region) -> Region:
    """Whole rows and columns are cut to what they hold; other regions stay as they are."""
    used = sheet.cells.used()
    bottom, right = min(region.bottom, used.bottom), min(region.right, used.right)
    if region.rows > 10_000:
        region = Region(region.top, region.left, max(bottom, region.top + 1), region.right)
    if region.cols > 1_000:
        region = Region(region.top, region.left, region.bottom, max(right, region.left + 1))
    return region


def _tsv(workbook: Workbook, sheet: Sheet, region: Region) -> str:
    values, kinds = sheet.cells.read(region)
    strings = workbook.strings
    lines = []
    for row, row_kinds in zip(values.tolist(), kinds.tolist(), strict=True):
        texts = [
            _quoted(strings.text(int(value)))
            if kind == Kind.TEXT
            else edit_text(value, kind, strings)
            for value, kind in zip(row, row_kinds, strict=True)
        ]
        lines.append("\t".join(texts))
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    if any(mark in text for mark in '\t\n\r"'):
        return '"' + text.replace('"', '""') + '"'
    return text


def clear_edit(sheet: Sheet, regions: Sequence[Region]) -> Edit | None:
    """The edit that makes the regions blank; None if they are already."""
    edits: list[Edit] = [
        ClearCells(sheet.id, part)
        for region in regions
        if (part := region.intersect(sheet.cells.used())) is not None
    ]
    if not edits:
        return None
    return edits[0] if len(edits) == 1 else Composite(tuple(edits), "Clear")


def fill_edit(sheet_id: int, region: Region, down: bool) -> Edit | None:
    """Fill from the first row (column) of a region; one row is filled from the row above it."""
    top, left, bottom, right = region.top, region.left, region.bottom, region.right
    if down:
        if region.rows == 1:
            top -= 1
        source, target = Region(top, left, top + 1, right), Region(top + 1, left, bottom, right)
    else:
        if region.cols == 1:
            left -= 1
        source, target = Region(top, left, bottom, left + 1), Region(top, left + 1, bottom, right)
    if source.top < 0 or source.left < 0:
        return None
    return Fill(sheet_id, source, target)


# ------------------------------------------------------------------------------------------- in


def paste(document: Document, sheet_id: int, regions: Sequence[Region], whole: Region
          ) -> Pasted | None:  # fmt: skip
    """The edit that puts the clipboard's cells at the selection; None if there is nothing.

    A selection that is a multiple of what was copied is filled with copies of it.

    Parameters
    ----------
    whole : Region
        All cells of the sheet.

    Raises
    ------
    UserError
        If it does not fit on the sheet or some cells cannot be read; these are named.
    """
    target = _one(regions, "pasted into")
    data = QGuiApplication.clipboard().mimeData()
    if data is None:
        return None
    is_ours = data.hasFormat(CELLS_FORMAT)
    if is_ours:
        payload = json.loads(data.data(CELLS_FORMAT).data())
        entries: list[list[str]] = payload["entries"]
        origin = None if payload["cut"] else Cell(payload["top"], payload["left"])
    else:
        entries, origin = read_tsv(data.text()), None
    if not entries or not entries[0]:
        return None
    rows, cols = len(entries), len(entries[0])
    region = tiled(target, rows, cols)
    if not whole.contains(region):
        raise UserError(
            f"What was copied, {rows:,} x {cols:,} cells, does not fit at {target.first}.",
            "Select a cell further up or left.",
        )
    if region.size > MOST_CELLS:
        raise UserError(
            f"Pasting would fill {region.size:,} cells.", f"Select at most {MOST_CELLS:,} cells."
        )
    decimal = "." if is_ours else decimal_sign(entries)
    cells = _contents(document, entries, region, origin, decimal)
    return Pasted(SetCells(sheet_id, tuple(cells)), region)


def tiled(target: Region, rows: int, cols: int) -> Region:
    """The cells that a paste of rows x cols fills when `target` is selected."""
    fits = target.rows % rows == 0 and target.cols % cols == 0
    if fits:
        return target
    return Region(target.top, target.left, target.top + rows, target.left + cols)


def read_tsv(text: str) -> list[list[str]]:
    """Rows of equal length from tab-separated text; quoted fields may hold tabs and newlines."""
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter="\t"))
    while rows and not rows[-1]:
        rows.pop()
    width = max((len(row) for row in rows), default=0)
    return [row + [""] * (width - len(row)) for row in rows]


def decimal_sign(entries: Sequence[Sequence[str]]) -> str:
    """The decimal sign with which more of the texts are numbers; a point if it is a draw."""

    def numbers(decimal: str) -> int:
        return sum(
            isinstance(parse_entry(text, decimal), float)
            for row in entries
            for text in row
            if text[:1] != "="
        )

    return "," if numbers(",") > numbers(".") else "."


def _contents(
    document: Document,
    entries: list[list[str]],
    region: Region,
    origin: Cell | None,
    decimal: str,
) -> list[tuple[Cell, Content]]:
    """What every cell of a region gets.

    `origin` is the place the entries' formulas were written for, None if each formula is to
    be read as typed into its own cell.
    """
    rows, cols = len(entries), len(entries[0])
    cells: list[tuple[Cell, Content]] = []
    bad: list[tuple[Cell, str]] = []
    for cell in region.cells():
        i, j = (cell.row - region.top) % rows, (cell.col - region.left) % cols
        text = entries[i][j]
        if text[:1] != "=" or len(text) == 1:
            cells.append((cell, parse_entry(text, decimal)))
            continue
        host = cell if origin is None else Cell(origin.row + i, origin.col + j)
        try:
            cells.append((cell, document.content(host, text)))
        except UserError as error:
            bad.append((cell, error.text))
    if bad:
        named = "; ".join(f"{cell}: {text}" for cell, text in bad[:_MOST_NAMED])
        more = f" and {len(bad) - _MOST_NAMED} more" if len(bad) > _MOST_NAMED else ""
        raise UserError(
            f"Nothing was pasted: {len(bad)} of {len(cells) + len(bad)} cells cannot be read "
            f"({named}{more}).",
            "Correct them where they come from, or paste them as values.",
        )
    return cells
