"""The line above the grid: name box, fx and the formula of the current cell.

Owns the editing of a cell from there. It follows the grid's current cell, commits like the
in-place editor, and shows what cannot be read where it was typed.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QMenu, QWidget

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import parse
from gradsheet.formula.values import UserError
from gradsheet.qt import icons
from gradsheet.qt.grid.entry import enter_text, entry_text
from gradsheet.qt.grid.formula_line import FormulaLine
from gradsheet.qt.grid.formula_typing import FormulaTyping
from gradsheet.qt.grid.inline_error import InlineError, mark_error
from gradsheet.qt.grid.places import Place, absolute_text, find_place, known_places, name_of
from gradsheet.qt.grid.view import GridView
from gradsheet.qt.theme import SPACE, current_theme, mono_font, ui_font
from gradsheet.sheet.edits import DefineName

if TYPE_CHECKING:
    from gradsheet.app.document import Document

NAME_WIDTH_PX = 128
_NAME = re.compile(r"[^\W\d][\w.]{2,}")
"""What is taken for a new name; shorter words are more likely an address written wrong."""


class FormulaBar(QWidget):
    """Name box and formula line, bound to a grid.

    Attributes
    ----------
    name_box, line : QLineEdit
    """

    def __init__(self, document: Document, grid: GridView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._grid = grid
        self._is_closing = False
        self._before = ""
        self.name_box = _NameBox(self)
        self.line = _FormulaLine(self)
        self.fx = QLabel("fx", self)
        font = ui_font()
        font.setItalic(True)
        self.fx.setFont(font)
        self.fx.setToolTip("The formula of the current cell; F2 edits it in the grid")
        self.error: InlineError | None = None
        self.typing = FormulaTyping(self.line, grid, self.commit)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(SPACE, SPACE // 2, SPACE, SPACE // 2)
        layout.setSpacing(SPACE)
        layout.addWidget(self.name_box)
        layout.addWidget(self.fx)
        layout.addWidget(self.line, 1)
        grid.current_changed.connect(self.refresh)
        grid.selection_changed.connect(self._show_name)
        grid.content_changed.connect(self.refresh)
        grid.typed.connect(self._mirror)
        self._restyle()
        self.refresh()

    # -------------------------------------------------------------------------------- show

    def refresh(self) -> None:
        """Show the current cell; a text that is being edited here stays."""
        self._show_name()
        if not self.is_editing and not self._grid.editing.is_open:
            text = self._current_text()
            if text != self.line.text():
                self.line.setText(text)
                self.line.setCursorPosition(0)

    def _mirror(self, text: str) -> None:
        """Show what is being typed in the grid."""
        if not self.is_editing:
            self.line.setText(text)

    @property
    def is_editing(self) -> bool:
        """Whether a cell is edited in the line, changed or not yet."""
        return self.typing.is_on

    def _current_text(self) -> str:
        grid = self._grid
        return entry_text(self._document.workbook, grid.sheet_id, grid.current)

    def _show_name(self) -> None:
        if self.name_box.hasFocus():
            return
        region = self._grid.selection[-1]
        row, col = self._grid.current
        text = str(Cell(self._grid.sheet.cells.source_row(row), col))
        name = name_of(self._document.workbook, self._grid.sheet_id, region)
        if name:
            text = name
        elif region.size > 1:
            text = (
                f"{region.rows:,} x {region.cols:,}"
                if _is_whole(self._grid, region)
                else (str(region))
            )
        self.name_box.setText(text)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "line"):
            self._restyle()

    def _restyle(self) -> None:
        theme = current_theme()
        self.line.setFont(mono_font())
        self.fx.setStyleSheet(f"color: {theme.muted};")

    # -------------------------------------------------------------------------------- edit

    def begin(self) -> None:
        """The line got the keyboard: it now edits the current cell."""
        if not self.typing.is_on and not self._grid.editing.is_open:
            self._before = self._current_text()
            self.typing.begin(self._grid.sheet_id, self._grid.current)

    def commit(self) -> bool:
        """Put the line's text into the cell; False, with the text kept, if it cannot be read."""
        if not self.typing.is_on or self.line.text() == self._before:
            self._settle()
            return True
        typing = self.typing
        try:
            enter_text(self._document, typing.sheet_id, typing.cell, self.line.text())
        except UserError as error:
            self._refuse(error)
            return False
        self._settle()
        return True

    def revert(self) -> None:
        """Show the cell's own text again."""
        self._settle()

    def _settle(self) -> None:
        self.typing.end()
        self.line.setModified(False)
        if self.error is not None:
            self.error.hide()
        self.refresh()

    def _refuse(self, error: UserError) -> None:
        self.line.setFocus(Qt.FocusReason.OtherFocusReason)
        mark_error(self.line, error)
        if self.error is None or self.error.parentWidget() is not self.window():
            self.error = InlineError(self.window())
        self.error.show_below(self.line, error)
        self._grid.message.emit(error.text, error.hint)

    def press_key(self, event: QKeyEvent) -> bool:
        """The keys that end editing in the formula line; False leaves a key to it."""
        key = event.key()
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if self.typing.press_key(event, arrows_point=False):
            return True
        if key == Qt.Key.Key_Escape:
            self.revert()
            self._leave()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self.commit():
                self._leave()
                self._grid.editing.go_on("enter", shift)
        elif key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            if self.commit():
                self._leave()
                self._grid.editing.go_on("tab", shift or key == Qt.Key.Key_Backtab)
        else:
            return False
        return True

    def _leave(self) -> None:
        self._is_closing = True
        self._grid.setFocus(Qt.FocusReason.OtherFocusReason)
        self._is_closing = False

    def lost_focus(self) -> None:
        """Another widget was chosen: commit what was typed."""
        if not self._is_closing:
            self.commit()

    def go_to(self, text: str) -> bool:
        """Go where the name box says, or name the selection with it; False if it cannot be.

        `H25`, `H2:V16`, `B:C`, `Sheet2!A1`, a name; a name that is new is defined.
        """
        grid, workbook = self._grid, self._document.workbook
        place = find_place(workbook, grid.sheet_id, text)
        if place is not None:
            self._leave()
            inside = all(grid.extent.region.contains(region) for region in place.regions)
            if inside and grid.go_to_sheet(place.sheet):
                grid.select(list(place.regions), place.regions[0].first)
                return True
        elif _NAME.fullmatch(text.strip()) is not None:
            return self._define(text.strip())
        grid.message.emit(
            f"{text!r} is no cell of this workbook.",
            "Write an address such as H25 or H2:V16, or a new name for the selected cells.",
        )
        return False

    def _define(self, name: str) -> bool:
        grid, workbook = self._grid, self._document.workbook
        meaning = absolute_text(workbook, grid.sheet_id, grid.selection[-1], grid.extent.region)
        defined = grid.attempt(DefineName(name, parse(meaning, Cell(0, 0))), None)
        if defined:
            self._leave()
            self._show_name()
        return defined

    def show_places(self) -> None:
        """Drop down the names, tables and ranges of the model, to go to one."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for place in known_places(self._document.workbook):
            action = menu.addAction(f"{place.name}\t{place.regions[0]}")
            action.triggered.connect(partial(self._visit, place))
        if menu.isEmpty():
            menu.addAction("Type a name here to name the selected cells").setEnabled(False)
        menu.popup(self.name_box.mapToGlobal(self.name_box.rect().bottomLeft()))

    def _visit(self, place: Place, _checked: bool = False) -> None:
        self._leave()
        if self._grid.go_to_sheet(place.sheet):
            self._grid.select(list(place.regions), place.regions[0].first)


def _is_whole(grid: GridView, region: Region) -> bool:
    whole = grid.extent
    return region.rows == whole.rows or region.cols == whole.cols


class _FormulaLine(FormulaLine):
    def __init__(self, bar: FormulaBar) -> None:
        super().__init__(bar)
        self._bar = bar
        self.setObjectName("formulaLine")
        self.setAccessibleName("Formula of the current cell")
        self.textEdited.connect(self._on_edited)

    def _on_edited(self) -> None:
        if self._bar.error is not None:
            self._bar.error.hide()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._bar.press_key(event):
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._bar.begin()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() not in (
            Qt.FocusReason.PopupFocusReason,
            Qt.FocusReason.ActiveWindowFocusReason,
        ):
            self._bar.lost_focus()


class _NameBox(QLineEdit):
    def __init__(self, bar: FormulaBar) -> None:
        super().__init__(bar)
        self._bar = bar
        self.setObjectName("nameBox")
        self.setAccessibleName("Name box")
        self.setToolTip("Type an address or a name to go there, a new name to name the selection")
        trailing = QLineEdit.ActionPosition.TrailingPosition
        arrow = self.addAction(icons.icon("chevron-down"), trailing)
        arrow.setToolTip("Names and ranges of the model (Alt+Down)")
        arrow.triggered.connect(bar.show_places)
        self.setFixedWidth(NAME_WIDTH_PX)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.selectAll()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._bar.refresh()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if not self._bar.go_to(self.text()):
                self.selectAll()
        elif event.key() == Qt.Key.Key_Down:
            self._bar.show_places()
        elif event.key() == Qt.Key.Key_Escape:
            self._bar.revert()
            self.clearFocus()
            self._bar._leave()
        else:
            super().keyPressEvent(event)
