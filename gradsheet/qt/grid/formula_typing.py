"""Typing a formula: pointing at cells, F4, coloured references, completion and argument help.

Owns what happens in a line while its text is a formula, in the cell and in the formula bar
alike. Committing and leaving are the line's owner's affair.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, QRect, Qt
from PySide6.QtGui import (
    QColor,
    QInputMethodEvent,
    QKeyEvent,
    QTextCharFormat,
    QTextFormat,
)
from PySide6.QtWidgets import QApplication

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import FormulaError
from gradsheet.qt.grid.completion import Completion, Offer, call_at, completion_at
from gradsheet.qt.grid.completion_popup import ArgumentHint, CompletionList
from gradsheet.qt.grid.formula_line import FormulaLine
from gradsheet.qt.grid.marks import Mark, MarkKind, reference_colour, reference_text_colour
from gradsheet.qt.grid.reference_text import (
    Spot,
    is_formula,
    reference_text,
    spots,
    takes_reference,
    with_dollars_cycled,
)
from gradsheet.qt.theme import current_theme
from gradsheet.sheet.cells import Direction
from gradsheet.sheet.virtual import shown_regions, source_regions

if TYPE_CHECKING:
    from gradsheet.qt.grid.view import GridView

MARKS = "typing"
SCATTERED = "These rows lie apart in the table, in too many places to name each."
SCATTERED_HINT = "Point at fewer of them, or show the rows as in the file first."
_PAGE_ROWS = 8
_ARROWS: dict[int, tuple[Direction, int, int]] = {
    Qt.Key.Key_Up: ("up", -1, 0),
    Qt.Key.Key_Down: ("down", 1, 0),
    Qt.Key.Key_Left: ("left", 0, -1),
    Qt.Key.Key_Right: ("right", 0, 1),
}


class FormulaTyping(QObject):
    """The formula that is being typed into one line, for one cell.

    Parameters
    ----------
    line : the line editor
    view : the grid that is pointed into
    finish : commits the line; False if its text cannot be read
    """

    def __init__(self, line: FormulaLine, view: GridView, finish: Callable[[], bool]) -> None:
        super().__init__(line)
        self.line = line
        self.finish = finish
        self.sheet_id = view.sheet_id
        self.cell = Cell(0, 0)
        self._view = view
        self._is_on = False
        self._is_writing = False
        self._is_coloured = False
        self._pointing: tuple[int, int] | None = None
        self._anchor = self._reach = Cell(0, 0)
        self._completion: Completion | None = None
        self._list: CompletionList | None = None
        self._hint: ArgumentHint | None = None
        line.textChanged.connect(self._on_text)
        line.textEdited.connect(self._on_edited)
        line.cursorPositionChanged.connect(self._on_caret)

    # ------------------------------------------------------------------------- begin and end

    @property
    def is_on(self) -> bool:
        """Whether something is being typed."""
        return self._is_on

    def begin(self, sheet_id: int, cell: Cell) -> None:
        """The line now edits this cell."""
        self.sheet_id, self.cell = sheet_id, cell
        self._is_on = True
        self._pointing = None
        self._view.typing = self
        self._refresh()

    def end(self) -> None:
        """Nothing is typed any more; the grid shows the cell's own sheet again."""
        if not self._is_on:
            return
        self._is_on = False
        self._pointing = None
        self._hide_help()
        self._colour([])
        view = self._view
        if view.typing is self:
            view.typing = None
        view.overlay.set_marks(MARKS, ())
        view.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        if view.sheet_id != self.sheet_id:
            view.return_to_sheet(self.sheet_id)

    @property
    def spots(self) -> list[Spot]:
        """The references in the line, with the cells they name."""
        workbook = self._view.document.workbook
        try:
            return spots(self.line.text(), self.cell, self.sheet_id, workbook.sheet_id)
        except FormulaError:
            return []

    def _refresh(self) -> None:
        """Colours, frames and the grid's focus for the text as it is now."""
        text = self.line.text()
        # A click into the grid must not take the keyboard away while it may point at cells.
        policy = Qt.FocusPolicy.NoFocus if is_formula(text) else Qt.FocusPolicy.StrongFocus
        self._view.setFocusPolicy(policy)
        found = self.spots
        self._colour(found)
        self.show_marks(found)

    def show_marks(self, found: list[Spot] | None = None) -> None:
        """Frame the references that lie on the sheet on show."""
        cells = self._view.sheet.cells
        marks = {
            region: Mark(region, MarkKind.REFERENCE, reference_colour(spot.place))
            for spot in (self.spots if found is None else found)
            if spot.sheet == self._view.sheet_id
            for region in shown_regions(cells, spot.region)
        }
        self._view.overlay.set_marks(MARKS, tuple(marks.values()))

    def _colour(self, found: list[Spot]) -> None:
        """Write each reference in the colour of its frame.

        QLineEdit has no rich text; the formats of an input method do the same.
        """
        line = self.line
        if (not found and not self._is_coloured) or line.is_composing:
            return
        theme, caret = current_theme(), line.cursorPosition()
        attributes = []
        for spot in found:
            look = QTextCharFormat()
            look.setForeground(QColor(reference_text_colour(spot.place, theme)))
            kind = QInputMethodEvent.AttributeType.TextFormat
            attributes.append(
                QInputMethodEvent.Attribute(
                    kind, spot.start - caret, spot.end - spot.start, QTextFormat(look)
                )
            )
        self._is_coloured = bool(found)
        QApplication.sendEvent(line, QInputMethodEvent("", attributes))

    def _on_text(self) -> None:
        if self._is_on:
            self._refresh()

    def _on_edited(self) -> None:
        if self._is_on and not self._is_writing:
            self._pointing = None
            self._help(offers=True)

    def _on_caret(self) -> None:
        if not self._is_on or self._is_writing:
            return
        self._pointing = None
        if self._completion is not None and self.line.cursorPosition() != self._completion.end:
            self._hide_list()
        if self._completion is None:
            self._help(offers=False)

    # -------------------------------------------------------------------------------- the keys

    def press_key(self, event: QKeyEvent, arrows_point: bool) -> bool:
        """The keys that a formula takes before the line and its owner; False for all others."""
        key, held = event.key(), event.modifiers()
        shift = bool(held & Qt.KeyboardModifier.ShiftModifier)
        ctrl = bool(held & Qt.KeyboardModifier.ControlModifier)
        if self._completion is not None and self._press_for_list(key):
            return True
        if key == Qt.Key.Key_F4 and not ctrl:
            self.cycle_dollars()
            return True
        if arrows_point and key in _ARROWS and self.can_point():
            self._point_by_key(*_ARROWS[Qt.Key(key)], shift, ctrl)
            return True
        return False

    def _press_for_list(self, key: int) -> bool:
        assert self._list is not None
        steps = {
            Qt.Key.Key_Up: -1,
            Qt.Key.Key_Down: 1,
            Qt.Key.Key_PageUp: -_PAGE_ROWS,
            Qt.Key.Key_PageDown: _PAGE_ROWS,
        }
        if key in steps:
            self._list.step(steps[Qt.Key(key)])
        elif key == Qt.Key.Key_Tab:
            self.accept(self._list.chosen)
        elif key == Qt.Key.Key_Escape:
            self._hide_list()
        else:
            return False
        return True

    def cycle_dollars(self) -> None:
        """F4: make the reference at the caret absolute, mixed, relative in turn."""
        changed = with_dollars_cycled(self.line.text(), self.line.cursorPosition())
        if changed is None:
            return
        text, start, end = changed
        old = self.line.text()
        self._write(start, end - len(text) + len(old), text[start:end])

    # -------------------------------------------------------------------------------- pointing

    def can_point(self) -> bool:
        """Whether a click or an arrow would put a reference in now."""
        if not self._is_on:
            return False
        if self._pointing is not None:
            return True
        return takes_reference(self.line.text(), self.line.cursorPosition())

    @property
    def is_pointing(self) -> bool:
        """Whether the reference before the caret is one that is being pointed at."""
        return self._pointing is not None

    def point(self, anchor: Cell, reach: Cell, add: bool = False) -> None:
        """Name the cells between two corners, in place of those pointed at before.

        Parameters
        ----------
        add : keep those before, and name these after a comma
        """
        self._anchor, self._reach = anchor, reach
        region = Region(
            min(anchor.row, reach.row),
            min(anchor.col, reach.col),
            max(anchor.row, reach.row) + 1,
            max(anchor.col, reach.col) + 1,
        )
        self.point_at(region, add)

    def point_at(self, region: Region, add: bool = False) -> None:
        """Name a region; see `point`."""
        view = self._view
        sheet = None if view.sheet_id == self.sheet_id else view.sheet.name
        whole = view.extent.region
        # A sorted table shows its rows elsewhere; formulas read it by its own.
        is_whole = region.rows >= whole.rows
        named = (region,) if is_whole else source_regions(view.sheet.cells, region)
        if not named:
            view.message.emit(SCATTERED, SCATTERED_HINT)
            return
        text = ",".join(reference_text(part, whole, sheet) for part in named)
        caret = self.line.cursorPosition()
        start, end = self._pointing or (caret, caret)
        if add and self._pointing is not None:
            self._write(end, end, ",")
            start = end = end + 1
        self._write(start, end, text)
        self._pointing = (start, start + len(text))
        self._help(offers=False)

    @property
    def anchor(self) -> Cell:
        """The corner from which pointing stretches."""
        return self._anchor

    def _point_by_key(
        self, direction: Direction, down: int, right: int, shift: bool, ctrl: bool
    ) -> None:
        view = self._view
        if self._pointing is None:
            start = self.cell if view.sheet_id == self.sheet_id else view.current
            self._anchor = self._reach = start
        start = self._reach
        if ctrl:
            target = view.sheet.cells.next_edge(start, direction, view.extent.region)
        else:
            layout = view.layout_now
            target = Cell(
                layout.rows.step(start.row, down) if down else start.row,
                layout.columns.step(start.col, right) if right else start.col,
            )
        self.point(self._anchor if shift else target, target)
        view.show_cell(target)

    def _write(self, start: int, end: int, text: str) -> None:
        """Replace part of the line's text; the line's own undo can take it back."""
        self._is_writing = True
        self.line.setCursorPosition(0)  # a moved caret begins an undo step of its own
        self.line.setSelection(start, end - start)
        self.line.insert(text)
        self._is_writing = False
        self._refresh()

    # ----------------------------------------------------------------- completion and the hint

    def accept(self, offer: Offer) -> None:
        """Put a completion in."""
        completion = self._completion
        if completion is None:
            return
        line = self.line
        follows = line.text()[completion.end : completion.end + 1]
        text = offer.text
        if offer.kind == "function" and follows != "(":
            text += "("
        self._hide_list()
        self._write(completion.start, completion.end, text)
        if offer.kind == "function" and follows == "(":
            line.setCursorPosition(line.cursorPosition() + 1)
        self._pointing = None
        self._help(offers=False)

    @property
    def offers(self) -> tuple[Offer, ...]:
        """What completion offers now."""
        return self._list.offers if self._list is not None else ()

    @property
    def hint(self) -> ArgumentHint | None:
        """The argument help, None before it was first shown."""
        return self._hint

    def _help(self, offers: bool) -> None:
        line, caret = self.line, self.line.cursorPosition()
        if not line.isVisible():
            return
        found = completion_at(line.text(), caret, self._view.document.workbook) if offers else None
        if found is not None:
            self._completion = found
            self._little_windows()
            assert self._list is not None
            assert self._hint is not None
            self._hint.hide()
            self._list.show_offers(found.offers, found.end - found.start, self._place())
            return
        self._hide_list()
        call = call_at(line.text(), caret)
        if call is None:
            if self._hint is not None:
                self._hint.hide()
            return
        self._little_windows()
        assert self._hint is not None
        self._hint.show_call(call, self._place())

    def _little_windows(self) -> None:
        """Make them on first use, inside the window that the line is in now."""
        window = self.line.window()
        if self._list is None or self._list.parentWidget() is not window:
            self._list = CompletionList(window)
            self._list.picked.connect(self.accept)
            self._hint = ArgumentHint(window)

    def _place(self) -> QRect:
        line = self.line
        return QRect(line.mapTo(line.window(), QPoint(0, 0)), line.size())

    def _hide_list(self) -> None:
        self._completion = None
        if self._list is not None:
            self._list.hide()

    def _hide_help(self) -> None:
        self._hide_list()
        if self._hint is not None:
            self._hint.hide()
