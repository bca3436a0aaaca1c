"""Copying, cutting and pasting in one grid, and the frame around what was copied.

Owns what the frame stands for and how long it stays; the formats are `clipboard`'s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradsheet.formula.address import Region
from gradsheet.formula.values import UserError
from gradsheet.qt.grid.clipboard import CellClipboard
from gradsheet.qt.grid.copying import PasteWhat
from gradsheet.qt.grid.marks import Mark, MarkKind
from gradsheet.qt.theme import current_theme

if TYPE_CHECKING:
    from gradsheet.qt.grid.view import GridView

MARKS = "copied"


class CopyPaste:
    """The clipboard as one grid's hands use it."""

    def __init__(self, view: GridView) -> None:
        self._view = view
        self._clipboard = CellClipboard()
        self._source: tuple[int, Region] | None = None

    def copy(self, is_cut: bool) -> bool:
        """Put the selected cells on the clipboard; False, and a message, if that cannot be."""
        view = self._view
        if not view.finish_typing():
            return False
        try:
            region = self._clipboard.copy(
                view.document.workbook, view.sheet_id, view.selection, is_cut
            )
        except UserError as error:
            view.message.emit(error.text, error.hint)
            return False
        self._source = (view.sheet_id, region)
        self.show()
        return True

    def show(self) -> None:
        """Frame what was copied, if it lies on the sheet on show."""
        marks: tuple[Mark, ...] = ()
        if self._source is not None and self._source[0] == self._view.sheet_id:
            marks = (Mark(self._source[1], MarkKind.COPIED, current_theme().accent),)
        self._view.overlay.set_marks(MARKS, marks)

    def end(self) -> bool:
        """Take the frame away; what was cut stays where it is. False if there was none."""
        had = self._source is not None
        self.forget()
        self.show()
        return had

    def forget(self) -> None:
        """Another workbook is open: there is nothing to frame."""
        self._source = None
        self._clipboard.forget_cut()

    def paste(self, what: PasteWhat) -> None:
        """Paste at the selection; all of it, or nothing and a message why."""
        view = self._view
        if not view.finish_typing():
            return
        try:
            pasted = self._clipboard.paste(
                view.document, view.sheet_id, view.selection, view.extent.region, what
            )
        except UserError as error:
            view.message.emit(error.text, error.hint)
            return
        if pasted is None:
            return
        kept = None if pasted.was_cut else self._source
        if view.attempt(pasted.edit, "Move cells" if pasted.was_cut else "Paste"):
            self._source = kept
            self.show()
            view.select(pasted.region)
