"""What other programs put on the clipboard, read as cells: TSV, HTML, decimal commas.

Owns tiling, the reading of texts and the edit that they make. Applies none: a paste is done
whole or not at all.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QMimeData

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import Kind, UserError, parse_entry
from gradsheet.qt.grid.clipboard_html import HtmlCell, a1_formula, has_values, read_table
from gradsheet.qt.grid.copying import PasteWhat
from gradsheet.sheet.cells import Content
from gradsheet.sheet.edits import Composite, Edit, FormatChange, SetCells, SetFormat, SetValues

if TYPE_CHECKING:
    from gradsheet.app.document import Document

MOST_CELLS = 1_000_000
"""Cells that are read one by one."""
MOST_TILED = 10_000_000
"""Cells that a paste may fill."""
_MOST_NAMED = 3
"""Bad cells that a message names before it only counts."""
_PLAIN_NUMBERS = re.compile(r"[-+0-9.eE]*")
_LONGEST_EXACT = 15

Entry = str | HtmlCell
Looks = list[list[HtmlCell]] | None


def read_clipboard(
    data: QMimeData, payload: dict[str, object]
) -> tuple[list[list[Entry]], Looks, Cell | None]:
    """What is on the clipboard, best spelling first, and where its formulas were written for."""
    if "entries" in payload:
        entries: list[list[Entry]] = payload["entries"]  # type: ignore[assignment]
        origin = Cell(int(str(payload["top"])), int(str(payload["left"])))
        return entries, None, origin
    if data.hasHtml():
        table = read_table(data.html())
        if table and (has_values(table) or not data.hasText()):
            return [list(row) for row in table], table, None
    return [list(row) for row in read_tsv(data.text())], None, None


def foreign_edit(
    document: Document,
    sheet_id: int,
    entries: list[list[Entry]],
    looks: Looks,
    region: Region,
    origin: Cell | None,
    what: PasteWhat,
) -> Edit:
    """The edit that fills a region with what was read. Raises UserError: cells are named."""
    edits: list[Edit] = []
    if what.contents != "none":
        edits.append(_contents_edit(document, sheet_id, entries, region, origin, what))
    if what.looks and looks:
        edits += _looks_edits(sheet_id, looks, region)
    return Composite(tuple(edits), "Paste")


def checked(region: Region, target: Region, whole: Region) -> Region:
    if not whole.contains(region):
        raise UserError(
            f"What was copied, {region.rows:,} x {region.cols:,} cells, does not fit at "
            f"{target.first}.",
            "Select a cell further up or left.",
        )
    if region.size > MOST_TILED:
        raise UserError(
            f"Pasting would fill {region.size:,} cells.", f"Select at most {MOST_TILED:,} cells."
        )
    return region


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


def bulk_values(entries: Sequence[Sequence[Entry]]) -> tuple[np.ndarray, np.ndarray] | None:
    """Values and kinds of a table of nothing but plain numbers and blanks; None if it is none."""
    texts = [text for row in entries for text in row]
    if not all(isinstance(text, str) and len(text) <= _LONGEST_EXACT + 9 for text in texts):
        return None
    for text in texts:
        assert isinstance(text, str)
        if _PLAIN_NUMBERS.fullmatch(text) is None:
            return None
        if len(text) > _LONGEST_EXACT and not any(mark in text for mark in ".eE"):
            return None  # a long whole number: as text, if it would lose a digit
    blank = np.array([not text for text in texts])
    try:
        values = np.array([text or "0" for text in texts]).astype(np.float64)
    except ValueError:
        return None
    if not np.isfinite(values).all():
        return None
    shape = (len(entries), len(entries[0]))
    kinds = np.where(blank, Kind.BLANK, Kind.NUMBER).astype(np.uint8)
    return values.reshape(shape), kinds.reshape(shape)


def _contents_edit(
    document: Document,
    sheet_id: int,
    entries: list[list[Entry]],
    region: Region,
    origin: Cell | None,
    what: PasteWhat,
) -> Edit:
    times = (region.rows // len(entries), region.cols // len(entries[0]))
    bulk = None if what.skip_blanks else bulk_values(entries)
    if bulk is not None:
        return SetValues(sheet_id, region, np.tile(bulk[0], times), np.tile(bulk[1], times))
    if region.size > MOST_CELLS:
        raise UserError(
            f"Pasting would fill {region.size:,} cells.", f"Select at most {MOST_CELLS:,} cells."
        )
    is_ours = origin is not None
    texts = [[_shown(entry) for entry in row] for row in entries]
    decimal = "." if is_ours else decimal_sign(texts)
    cells = _contents(document, entries, region, origin, decimal)
    if what.skip_blanks:
        cells = [(cell, content) for cell, content in cells if content is not None]
    return SetCells(sheet_id, tuple(cells))


def _shown(entry: Entry) -> str:
    return entry if isinstance(entry, str) else entry.text if entry.value is None else ""


def _contents(
    document: Document,
    entries: list[list[Entry]],
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
        entry = entries[i][j]
        if isinstance(entry, HtmlCell):
            if entry.formula:
                entry = a1_formula(entry.formula, cell)
            elif entry.value is not None:
                cells.append((cell, entry.value))
                continue
            else:
                entry = entry.text
        if entry[:1] != "=" or len(entry) == 1:
            cells.append((cell, parse_entry(entry, decimal)))
            continue
        host = cell if origin is None else Cell(origin.row + i, origin.col + j)
        try:
            cells.append((cell, document.content(host, entry)))
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


def _looks_edits(
    sheet_id: int, looks: list[list[HtmlCell]], region: Region
) -> list[Edit]:
    """Number formats, bold and italic that a table brings along, in runs down the columns."""
    edits: list[Edit] = []
    rows, cols = len(looks), len(looks[0])
    for col in range(region.left, region.right):
        start = region.top
        for row in range(region.top, region.bottom + 1):
            here = looks[(start - region.top) % rows][(col - region.left) % cols]
            if row < region.bottom and _same_look(
                here, looks[(row - region.top) % rows][(col - region.left) % cols]
            ):
                continue
            if here.number_format or here.bold or here.italic:
                change = FormatChange(
                    number=here.number_format or None,
                    bold=here.bold or None,
                    italic=here.italic or None,
                )
                edits.append(SetFormat(sheet_id, Region(start, col, row, col + 1), change))
            start = row
    return edits


def _same_look(a: HtmlCell, b: HtmlCell) -> bool:
    return (a.number_format, a.bold, a.italic) == (b.number_format, b.bold, b.italic)
