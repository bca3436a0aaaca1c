"""The futures of a run in a table: shown or not, named, gone on with, deleted.

Owns its widgets. What a branch is and what becomes of it is the document's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, QSignalBlocker, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from gradsheet.app.messages import message_of
from gradsheet.formula.values import UserError
from gradsheet.qt.branch_colours import branch_colour, swatch
from gradsheet.qt.theme import SPACE, current_theme
from gradsheet.qt.widgets.figures import count_text, loss_text

if TYPE_CHECKING:
    from gradsheet.app.document import Document
    from gradsheet.app.run import RunView
    from gradsheet.app.timeline import Branch
    from gradsheet.learn.trace import LossTrace

HEADS = ("Future", "From", "To", "Best", "Last")
EMPTY = (
    "Go back with Shift+Space or the line of time, change a rate, the optimizer or a parameter, "
    "and run on: the future that was left stays here as a branch, to compare and to go on with."
)
FULL = "Ticked branches are drawn beside the run. Double-click a name to change it."
LEAST_PX = 96
"""Of the table: its heads and two rows."""
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class BranchesPanel(QWidget):
    """The run that is on in the first row, its branches below.

    Parameters
    ----------
    document : Document
    parent : QWidget
    """

    def __init__(self, document: Document, parent: QWidget) -> None:
        super().__init__(parent)
        self._document = document
        self._branches: tuple[Branch, ...] = ()
        self._shown: object = None
        self.table = self._made_table()
        self.take_up = self._button(
            "Go on with it", "Stand at the end of the chosen branch; the run becomes a branch"
        )
        self.take_up.clicked.connect(self._on_take_up)
        self.delete = self._button("Delete", "Forget the chosen branch; Undo brings it back")
        self.delete.clicked.connect(self._on_delete)
        self.note = QLabel(self)
        self.note.setWordWrap(True)
        row = QHBoxLayout()
        row.addWidget(self.take_up)
        row.addWidget(self.delete)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        column.addWidget(self.table, 1)
        column.addLayout(row)
        column.addWidget(self.note)
        self.show_run(document.run_view())

    def _made_table(self) -> QTableWidget:
        table = QTableWidget(0, len(HEADS), self)
        table.setAccessibleName("Futures of the run")
        table.setHorizontalHeaderLabels(list(HEADS))
        table.verticalHeader().hide()
        table.setShowGrid(False)
        table.setFrameShape(QTableWidget.Shape.NoFrame)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        head = table.horizontalHeader()
        head.setHighlightSections(False)
        head.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        head.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in range(1, len(HEADS)):
            table.horizontalHeaderItem(column).setTextAlignment(_RIGHT)
        abouts = ("", "The step at which it was left", "Its last step",
                  "Its smallest loss", "Its last loss")  # fmt: skip
        for column, about in enumerate(abouts):
            table.horizontalHeaderItem(column).setToolTip(about)
        table.horizontalHeaderItem(0).setTextAlignment(
            Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        )
        table.setMinimumHeight(LEAST_PX)
        table.itemChanged.connect(self._on_item)
        table.itemSelectionChanged.connect(self._allow)
        return table

    def _button(self, text: str, about: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setToolTip(about)
        button.setAutoDefault(False)
        return button

    # ------------------------------------------------------------------ showing

    def show_run(self, run: RunView) -> None:
        """Show the run and its branches."""
        shown = (run.branches, run.name, run.step, run.last_step, run.state)
        if shown == self._shown:
            return
        is_same_list = run.branches == self._branches and self.table.rowCount() > 0
        self._shown, self._branches = shown, run.branches
        with QSignalBlocker(self.table):
            if not is_same_list:
                self.table.setRowCount(1 + len(run.branches))
                for place, branch in enumerate(run.branches):
                    self._fill_branch(place, branch)
            self._fill_run(run)
        self.note.setText(FULL if run.branches else EMPTY)
        self._allow()

    def _fill_run(self, run: RunView) -> None:
        texts = (run.name or "This run", "", count_text(run.last_step), *_losses(run.trace))
        item = self._fill(0, texts)
        item.setIcon(swatch(current_theme().role_colour("loss")))
        item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
        for column in range(len(HEADS)):
            font = self.table.item(0, column).font()
            font.setBold(True)
            self.table.item(0, column).setFont(font)

    def _fill_branch(self, place: int, branch: Branch) -> None:
        texts = (
            branch.name, count_text(branch.left_at), count_text(branch.recording.end),
            *_losses(branch.trace),
        )  # fmt: skip
        item = self._fill(place + 1, texts)
        item.setIcon(swatch(branch_colour(place, current_theme())))
        item.setFlags(
            item.flags() | Qt.ItemFlag.ItemIsEditable | Qt.ItemFlag.ItemIsUserCheckable
        )
        shown = Qt.CheckState.Checked if branch.is_shown else Qt.CheckState.Unchecked
        item.setCheckState(shown)
        item.setToolTip("" if branch.is_open else "The data have changed since it was left")

    def _fill(self, row: int, texts: tuple[str, ...]) -> QTableWidgetItem:
        for column, text in enumerate(texts):
            item = self.table.item(row, column)
            if item is None:
                item = QTableWidgetItem()
                item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
                self.table.setItem(row, column, item)
                if column:
                    item.setTextAlignment(_RIGHT)
            item.setText(text)
        return self.table.item(row, 0)

    def _chosen(self) -> Branch | None:
        row = self.table.currentRow()
        return self._branches[row - 1] if 0 < row <= len(self._branches) else None

    def _allow(self) -> None:
        branch = self._chosen()
        self.delete.setEnabled(branch is not None)
        self.take_up.setEnabled(branch is not None and branch.is_open)

    # ------------------------------------------------------------------ what the user does

    def _on_item(self, item: QTableWidgetItem) -> None:
        row = item.row()
        if item.column():
            return
        branch = self._branches[row - 1] if row else None
        shown = item.checkState() == Qt.CheckState.Checked
        if branch is not None and shown != branch.is_shown:
            self._document.show_branch(branch, shown)
        elif item.text().strip() and item.text() != (branch.name if branch else ""):
            self._document.rename_branch(branch, item.text())
        else:
            self._again()

    def _again(self) -> None:
        """Show what is true again."""
        self._shown, self._branches = None, ()
        self.show_run(self._document.run_view())

    def _on_take_up(self) -> None:
        branch = self._chosen()
        if branch is None:
            return
        try:
            self._document.take_up_branch(branch)
        except UserError as error:
            self._document.say(message_of(error, "going on with a branch"))

    def _on_delete(self) -> None:
        branch = self._chosen()
        if branch is not None:
            self._document.delete_branch(branch)

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "note"):
            self._again()


def _losses(trace: LossTrace | None) -> tuple[str, str]:
    """Return the smallest and the last loss of a trace."""
    if trace is None:
        return "–", "–"
    _, losses = trace.arrays()
    finite = losses[np.isfinite(losses)]
    if not len(finite):
        return "–", "–"
    return loss_text(float(finite.min())), loss_text(float(losses[-1]))
