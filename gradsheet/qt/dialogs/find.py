"""Find and replace: a strip below the grid, so that nothing covers what is found.

Owns what is looked for and which find is current. Matching is `sheet.search`'s; what is
replaced becomes one edit of the document.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QHideEvent, QKeyEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QToolButton,
    QWidget,
)

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import UserError
from gradsheet.qt import icons
from gradsheet.qt.grid.entry import typed_content
from gradsheet.qt.grid.marks import Mark, MarkKind
from gradsheet.qt.grid.view import GridView
from gradsheet.qt.theme import ROLE_COLOURS, SPACE
from gradsheet.sheet.cells import Content
from gradsheet.sheet.edits import Composite, Edit, SetCells
from gradsheet.sheet.search import (
    Search,
    find_all,
    next_find,
    replaced_text,
    text_to_edit,
    within,
)
from gradsheet.sheet.workbook import Change

MARKS = "found"
MOST_MARKED = 400
_EVERYWHERE, _SHEET, _SELECTION = "All sheets", "This sheet", "Selection"


class FindBar(QFrame):
    """The strip; hidden until it is asked for."""

    def __init__(self, grid: GridView, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("findBar")
        self._grid = grid
        self._within: list[Region] = []
        self.text = QLineEdit(self)
        self.replacement = QLineEdit(self)
        self.count = QLabel(self)
        self.scope = QComboBox(self)
        self.in_formulas = QCheckBox("In formulas", self)
        self.match_case = QCheckBox("Match case", self)
        self.whole_cell = QCheckBox("Whole cell", self)
        self._build()
        self.hide()

    def _build(self) -> None:
        self.text.setPlaceholderText("Find")
        self.text.setAccessibleName("Find")
        self.text.setClearButtonEnabled(True)
        self.replacement.setPlaceholderText("Replace with")
        self.replacement.setAccessibleName("Replace with")
        self.scope.addItems([_SHEET, _EVERYWHERE, _SELECTION])
        self.scope.setAccessibleName("Where to look")
        self.count.setMinimumWidth(self.fontMetrics().horizontalAdvance("0,000 of 0,000"))
        previous = self._tool("chevron-up", "Previous (Shift+Enter)")
        following = self._tool("chevron-down", "Next (Enter)")
        close = self._tool("x", "Close (Esc)")
        self._replace_one = QPushButton("Replace", self)
        self._replace_all = QPushButton("Replace all", self)
        previous.clicked.connect(self.find_previous)
        following.clicked.connect(self.find_next)
        close.clicked.connect(self.leave)
        self._replace_one.clicked.connect(self.replace_one)
        self._replace_all.clicked.connect(self.replace_all)
        self.text.textEdited.connect(self._on_text)
        for box in (self.in_formulas, self.match_case, self.whole_cell):
            box.toggled.connect(self._on_options)
        self.scope.currentIndexChanged.connect(self._on_options)
        for line in (self.text, self.replacement):
            line.setMinimumWidth(220)
        first, second = QHBoxLayout(), QHBoxLayout()
        for widget in (previous, following, self.count, self.scope, self.in_formulas,
                       self.match_case, self.whole_cell):  # fmt: skip
            first.addWidget(widget)
        first.addStretch(1)
        first.addWidget(close)
        for widget in (self._replace_one, self._replace_all):
            second.addWidget(widget)
        second.addStretch(1)
        layout = QGridLayout(self)
        layout.setContentsMargins(SPACE, SPACE // 2, SPACE // 2, SPACE // 2)
        layout.setSpacing(SPACE // 2)
        layout.setHorizontalSpacing(SPACE)
        layout.addWidget(self.text, 0, 0)
        layout.addLayout(first, 0, 1)
        layout.addWidget(self.replacement, 1, 0)
        layout.addLayout(second, 1, 1)

    def _tool(self, icon: str, tip: str) -> QToolButton:
        button = QToolButton(self)
        button.setIcon(icons.icon(icon))
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    # ------------------------------------------------------------------------- open and close

    def open(self, replace: bool) -> None:
        """Show the strip, with what the selection says as the range to look in."""
        grid = self._grid
        self._within = grid.selection
        is_range = sum(region.size for region in self._within) > 1
        self.scope.setCurrentText(_SELECTION if is_range and replace else _SHEET)
        for widget in (self.replacement, self._replace_one, self._replace_all):
            widget.setVisible(replace)
        self.show()
        self.text.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.text.selectAll()
        self._refresh()

    def leave(self) -> None:
        """Hide the strip and give the keyboard to the grid."""
        self.hide()
        self._grid.setFocus(Qt.FocusReason.OtherFocusReason)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._grid.overlay.set_marks(MARKS, ())

    def follow(self, change: Change) -> None:
        """The document changed: count again, unless only numbers ran."""
        if not self.isHidden() and (change.formulas or change.structure):
            self._refresh()

    # ----------------------------------------------------------------------------------- find

    @property
    def search(self) -> Search:
        """What is looked for."""
        return Search(
            self.text.text(),
            self.in_formulas.isChecked(),
            self.match_case.isChecked(),
            self.whole_cell.isChecked(),
        )

    def finds(self, sheet_id: int | None = None) -> list[Cell]:
        """The finds on a sheet, the one on show unless told, row by row."""
        workbook = self._grid.document.workbook
        sheet = workbook.sheet(self._grid.sheet_id if sheet_id is None else sheet_id)
        found = find_all(workbook, sheet, self.search)
        if self.scope.currentText() == _SELECTION:
            found = within(found, self._within)
        return found

    def _on_text(self) -> None:
        found = self._refresh()
        current = self._grid.current
        if found and current not in found:
            self._show(next_find(found, current))

    def _on_options(self) -> None:
        self._refresh()

    def _refresh(self) -> list[Cell]:
        found = self.finds() if self.text.text() else []
        if not self.text.text():
            self.count.setText("")
        elif not found:
            self.count.setText("Not found")
        else:
            current = self._grid.current
            place = f"{found.index(current) + 1:,} of " if current in found else ""
            self.count.setText(f"{place}{len(found):,}" + ("" if place else " found"))
        colour = ROLE_COLOURS["user"]
        marks = tuple(
            Mark(Region.of(cell), MarkKind.FOUND, colour) for cell in found[:MOST_MARKED]
        )
        self._grid.overlay.set_marks(MARKS, marks if self.isVisible() else ())
        return found

    def _show(self, cell: Cell | None) -> None:
        if cell is None:
            return
        if self.scope.currentText() == _SELECTION:
            self._grid.select(self._within, cell)
            self._grid.show_cell(cell)
        else:
            self._grid.select(cell)
        self._refresh()

    def find_next(self) -> None:
        """Go to the next find, on the next sheet after the last one."""
        self._go(forward=True)

    def find_previous(self) -> None:
        """Go to the find before."""
        self._go(forward=False)

    def _go(self, forward: bool) -> None:
        grid = self._grid
        found = self._refresh()
        cell = next_find(found, grid.current, forward)
        if self.scope.currentText() != _EVERYWHERE:
            self._show(cell)
            return
        is_further = cell is not None and (cell > grid.current) == forward
        if cell is not None and is_further and cell != grid.current:
            self._show(cell)
            return
        order = grid.document.workbook.sheet_ids()
        at = order.index(grid.sheet_id)
        rest = order[at + 1 :] + order[: at + 1] if forward else (
            order[:at][::-1] + order[at:][::-1]
        )
        for sheet_id in rest:
            others = self.finds(sheet_id)
            if others and grid.go_to_sheet(sheet_id):
                self._show(others[0] if forward else others[-1])
                return

    # -------------------------------------------------------------------------------- replace

    def replace_one(self) -> None:
        """Replace in the current cell if it is a find, then go to the next."""
        grid = self._grid
        if grid.current in self.finds():
            self._replace({grid.sheet_id: [grid.current]})
        self.find_next()

    def replace_all(self) -> None:
        """Replace in all finds as one edit, or in none if one could not be read."""
        workbook, here = self._grid.document.workbook, self._grid.sheet_id
        sheets = workbook.sheet_ids() if self.scope.currentText() == _EVERYWHERE else [here]
        self._replace({sheet: self.finds(sheet) for sheet in sheets})
        self._refresh()

    def _replace(self, finds: dict[int, list[Cell]]) -> None:
        grid, search = self._grid, self.search
        workbook = grid.document.workbook
        replacement = self.replacement.text()
        edits: list[Edit] = []
        count = 0
        for sheet_id, found in finds.items():
            contents: list[tuple[Cell, Content]] = []
            for cell in found:
                before = text_to_edit(workbook, workbook.sheet(sheet_id), cell)
                after = replaced_text(before, search, replacement)
                if after == before:
                    continue
                try:
                    contents.append((cell, typed_content(grid.document, cell, after)))
                except UserError as error:
                    grid.message.emit(
                        f"Nothing was replaced: {cell} would read {after}, and {error.text}",
                        "Look for more of the text, or replace one by one.",
                    )
                    return
            if contents:
                edits.append(SetCells(sheet_id, tuple(contents)))
                count += len(contents)
        if edits and grid.attempt(Composite(tuple(edits)), f"Replace in {count:,} cells"):
            self.count.setText(f"{count:,} replaced")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if key == Qt.Key.Key_Escape:
            self.leave()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self.replacement.hasFocus():
                self.replace_one()
            else:
                self._go(forward=not shift)
        else:
            super().keyPressEvent(event)
