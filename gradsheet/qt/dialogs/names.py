"""Names: a list of what is named, and the defining, changing and removing of names.

Owns the window; what is to be defined is told by a signal, and the list is shown anew.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from gradsheet.formula.address import Cell
from gradsheet.formula.syntax import Expr, parse, unparse
from gradsheet.formula.values import FormulaError
from gradsheet.qt.dialogs.parts import without_icons
from gradsheet.qt.theme import SPACE, current_theme, mono_font
from gradsheet.sheet.workbook import DefinedName, Workbook

_A1 = Cell(0, 0)


class Names(QDialog):
    """The names of a workbook.

    Signals
    -------
    defined(name, Expr or None, sheet id or None)
        A name is to stand for this; None removes it.
    asked(name)
        Go to what a name stands for.
    """

    defined = Signal(str, object, object)
    asked = Signal(str)

    def __init__(self, workbook: Workbook, proposal: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Names")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._workbook = workbook
        self.table = QTableWidget(0, 3, self)
        self.table.setHorizontalHeaderLabels(["Name", "Stands for", "Counts in"])
        self.table.verticalHeader().hide()
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setShowGrid(False)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        header.setHighlightSections(False)
        self.name = QLineEdit(self)
        self.name.setPlaceholderText("rate")
        self.meaning = QLineEdit(proposal, self)
        self.meaning.setFont(mono_font())
        self.problem = QLabel(self)
        self.problem.setWordWrap(True)
        self.problem.setStyleSheet(f"color: {current_theme().error};")
        self.problem.hide()
        self.define = QPushButton("Define", self)
        self.define.setDefault(True)
        self.remove = QPushButton("Remove", self)
        self.visit = QPushButton("Go there", self)
        close = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        form = QFormLayout()
        form.setSpacing(SPACE)
        form.addRow("Name", self.name)
        form.addRow("Stands for", self.meaning)
        row = QHBoxLayout()
        for button in (self.define, self.remove, self.visit):
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        layout.setSpacing(SPACE)
        layout.addWidget(self.table, 1)
        layout.addLayout(form)
        layout.addWidget(self.problem)
        layout.addLayout(row)
        self.resize(560, 400)
        self.define.clicked.connect(self._define)
        self.remove.clicked.connect(self._remove)
        self.visit.clicked.connect(self._visit)
        without_icons(close)
        close.rejected.connect(self.reject)
        self.table.itemSelectionChanged.connect(self._on_chosen)
        self.refresh()
        self.name.setFocus()

    def refresh(self) -> None:
        """Show the names as they are now."""
        names = [defined for defined in self._workbook.names if not defined.hidden]
        self.table.setRowCount(len(names))
        for row, defined in enumerate(sorted(names, key=_folded)):
            scope = "all sheets" if defined.sheet is None else self._workbook.sheet_name(
                defined.sheet
            )
            for column, text in enumerate((defined.name, unparse(defined.expr, _A1), scope)):
                item = QTableWidgetItem(text)
                item.setData(Qt.ItemDataRole.UserRole, defined)
                self.table.setItem(row, column, item)
        self.table.resizeColumnToContents(0)
        self._enable()

    def say(self, text: str) -> None:
        """Show what was not possible."""
        self.problem.setText(text)
        self.problem.setVisible(bool(text))

    def _chosen(self) -> DefinedName | None:
        items = self.table.selectedItems()
        return items[0].data(Qt.ItemDataRole.UserRole) if items else None

    def _enable(self) -> None:
        has = self._chosen() is not None
        self.remove.setEnabled(has)
        self.visit.setEnabled(has)

    def _on_chosen(self) -> None:
        defined = self._chosen()
        if defined is not None:
            self.name.setText(defined.name)
            self.meaning.setText(unparse(defined.expr, _A1))
            self.say("")
        self._enable()

    def _define(self) -> None:
        text = self.meaning.text().strip()
        try:
            expr: Expr = parse(text if text.startswith("=") else f"={text}", _A1)
        except FormulaError as error:
            self.say(f"{error.text} {error.hint}".strip())
            return
        chosen = self._chosen()
        scope = chosen.sheet if chosen is not None and chosen.name == self.name.text() else None
        self.say("")
        self.defined.emit(self.name.text().strip(), expr, scope)
        self.refresh()

    def _remove(self) -> None:
        chosen = self._chosen()
        if chosen is not None:
            self.defined.emit(chosen.name, None, chosen.sheet)
            self.refresh()

    def _visit(self) -> None:
        chosen = self._chosen()
        if chosen is not None:
            self.asked.emit(chosen.name)


def _folded(defined: DefinedName) -> str:
    return defined.name.casefold()
