"""Cells to and from the clipboard: TSV and HTML that others understand, and our own.

Owns what is put there, what was cut, and the choice of what to paste. Reading what others put
there is `clipboard_read`'s. Makes edits and applies none.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QMimeData
from PySide6.QtGui import QGuiApplication

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import Kind, UserError, unpack
from gradsheet.qt.grid.clipboard_html import HtmlCell, table_html
from gradsheet.qt.grid.clipboard_read import (
    MOST_CELLS,
    checked,
    foreign_edit,
    read_clipboard,
    tiled,
)
from gradsheet.qt.grid.copying import EVERYTHING, PasteWhat, Piece, paste_edit, take_piece
from gradsheet.qt.grid.entry import entry_text
from gradsheet.sheet.edits import ClearCells, Composite, Edit, Fill, MoveCells
from gradsheet.sheet.formats import display_texts, edit_text
from gradsheet.sheet.workbook import Sheet, Workbook

if TYPE_CHECKING:
    from gradsheet.app.document import Document

CELLS_FORMAT = "application/x-gradsheet-cells"
MOST_FORMATTED = 50_000
"""Cells that are also offered as HTML, and to other windows of ours with their formulas."""
_tokens = itertools.count(1)


@dataclass(frozen=True, slots=True, eq=False)
class Copied:
    """What this window put on the clipboard last."""

    token: str
    workbook: Workbook
    sheet: int
    region: Region
    piece: Piece
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Pasted:
    """An edit that pastes, and the cells that it fills."""

    edit: Edit
    region: Region
    was_cut: bool = False


class CellClipboard:
    """The clipboard of one grid."""

    def __init__(self) -> None:
        self._copied: Copied | None = None

    # ------------------------------------------------------------------------------------- out

    def copy(
        self, workbook: Workbook, sheet_id: int, regions: Sequence[Region], is_cut: bool = False
    ) -> Region:
        """Put one rectangle on the clipboard; return it.

        As text every number keeps all its digits. Cells that are cut stay where they are until
        they are pasted; then every reference follows them.

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
        piece = take_piece(workbook, sheet_id, region)
        token = f"{id(self)}.{next(_tokens)}"
        payload: dict[str, object] = {"token": token}
        data = QMimeData()
        if region.size <= MOST_FORMATTED:
            payload |= {"top": region.top, "left": region.left}
            payload["entries"] = [
                [entry_text(workbook, sheet_id, Cell(row, col))
                 for col in range(region.left, region.right)]
                for row in range(region.top, region.bottom)
            ]  # fmt: skip
            rows = html_cells(workbook, piece)
            # Calc makes two rows of a line break in an HTML cell; text it reads right.
            if not any("\n" in cell.text for row in rows for cell in row):
                data.setHtml(table_html(rows))
        data.setText(_tsv(workbook, piece))
        data.setData(CELLS_FORMAT, QByteArray(json.dumps(payload).encode()))
        QGuiApplication.clipboard().setMimeData(data)
        self._copied = Copied(token, workbook, sheet_id, region, piece, is_cut)
        return region

    def forget_cut(self) -> None:
        """What was cut is only copied from now on."""
        if self._copied is not None and self._copied.is_cut:
            self._copied = replace(self._copied, is_cut=False)

    @property
    def is_cut(self) -> bool:
        """Whether cells wait to be moved."""
        return self._copied is not None and self._copied.is_cut

    # -------------------------------------------------------------------------------------- in

    def paste(
        self,
        document: Document,
        sheet_id: int,
        regions: Sequence[Region],
        whole: Region,
        what: PasteWhat = EVERYTHING,
    ) -> Pasted | None:
        """The edit that pastes what is on the clipboard; None if that is nothing for cells.

        Raises
        ------
        UserError
            If it does not fit, or cells cannot be read: all of them are named.
        """
        target = _one(regions, "pasted into")
        data = QGuiApplication.clipboard().mimeData()
        if data is None:
            return None
        payload = _payload(data)
        copied = self._copied
        if payload and copied is not None and payload.get("token") == copied.token:
            if copied.workbook is document.workbook:
                return _paste_own(document, sheet_id, target, whole, what, copied)
            if copied.is_cut:
                self.forget_cut()
        entries, looks, origin = read_clipboard(data, payload)
        if not entries or not entries[0]:
            return None
        if what.transpose:
            entries = [list(row) for row in zip(*entries, strict=True)]
            looks = [list(row) for row in zip(*looks, strict=True)] if looks else None
        region = checked(tiled(target, len(entries), len(entries[0])), target, whole)
        edit = foreign_edit(document, sheet_id, entries, looks, region, origin, what)
        return Pasted(edit, region)

    def has_cells(self) -> bool:
        """Whether there is something on the clipboard that can be pasted."""
        data = QGuiApplication.clipboard().mimeData()
        return data is not None and (data.hasText() or data.hasFormat(CELLS_FORMAT))


# ------------------------------------------------------------------------------------ writing


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


def _tsv(workbook: Workbook, piece: Piece) -> str:
    strings = workbook.strings
    lines = []
    for row, row_kinds in zip(piece.values.tolist(), piece.kinds.tolist(), strict=True):
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


def html_cells(workbook: Workbook, piece: Piece) -> list[list[HtmlCell]]:
    """The cells of a piece as they show, with their values and formats."""
    shown = display_texts(
        piece.values, piece.kinds, piece.looks, workbook.palette, workbook.strings, 15
    )
    rows = []
    for texts, values, kinds, looks in zip(
        shown, piece.values.tolist(), piece.kinds.tolist(), piece.looks.tolist(), strict=True
    ):
        row = []
        for text, value, kind, look_id in zip(texts, values, kinds, looks, strict=True):
            look = workbook.palette.format(look_id)
            scalar = unpack(value, kind, workbook.strings)
            held = scalar if isinstance(scalar, (bool, float)) else None
            row.append(HtmlCell(text, held, "", look.code, look.bold, look.italic))
        rows.append(row)
    return rows


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


def _payload(data: QMimeData) -> dict[str, object]:
    if not data.hasFormat(CELLS_FORMAT):
        return {}
    payload: dict[str, object] = json.loads(bytes(data.data(CELLS_FORMAT).data()))
    return payload


def _paste_own(
    document: Document,
    sheet_id: int,
    target: Region,
    whole: Region,
    what: PasteWhat,
    copied: Copied,
) -> Pasted:
    if copied.is_cut and what == EVERYTHING:
        source = copied.region
        to = Region(
            target.top, target.left, target.top + source.rows, target.left + source.cols
        )
        region = checked(to, target, whole)
        return Pasted(MoveCells(copied.sheet, source, to.first, sheet_id), region, True)
    rows, cols = copied.piece.shape
    if what.transpose:
        rows, cols = cols, rows
    region = checked(tiled(target, rows, cols), target, whole)
    edit = paste_edit(document.workbook, copied.piece, sheet_id, region, what)
    return Pasted(edit, region, copied.is_cut)
