"""Goal Seek: one cell to a value by changing one other.

Owns the little window; the seeking is a Solver session's. It stays open while the sheet is used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QDialog, QFormLayout, QHBoxLayout, QLabel, QPushButton, QWidget

from gradsheet.app.solver.session import goal_seek_model
from gradsheet.app.solver.text import cell_of
from gradsheet.formula.values import UserError
from gradsheet.qt.solver.fields import CellField
from gradsheet.qt.theme import SPACE, current_theme
from gradsheet.qt.widgets.figures import exact_text
from gradsheet.qt.widgets.number_field import NumberField

if TYPE_CHECKING:
    from gradsheet.app.document import Document
    from gradsheet.app.solver.session import SolverSession

STARTS = 20
REACHED = 1e-9


class GoalSeek(QDialog):
    """Asks for three fields and shows what was found.

    Parameters
    ----------
    document : Document
    session : SolverSession
        Its own: the Solver panel's stays as it is.
    sheet, selection : as `ModelForm` takes them
    wake : lets the clock bring results in
    parent : QWidget
    """

    def __init__(
        self,
        document: Document,
        session: SolverSession,
        sheet: Callable[[], int],
        selection: Callable[[], str],
        wake: Callable[[], None],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Goal Seek")
        self.setWindowFlag(Qt.WindowType.Tool)
        self._document, self._session, self._sheet, self._wake = document, session, sheet, wake
        self._names = ("", "")
        self.cell = CellField("Set cell", selection, self)
        self.value = NumberField("To value", "What the cell shall show", self,
                                 low=-1e300, high=1e300)  # fmt: skip
        self.value.show_number(0.0)
        self.changing = CellField("By changing cell", selection, self)
        self.seek = QPushButton("Seek", self)
        self.seek.clicked.connect(self._on_seek)
        self.seek.setDefault(True)
        self.keep = QPushButton("Keep", self)
        self.keep.clicked.connect(session.keep)
        self.restore = QPushButton("Restore", self)
        self.restore.clicked.connect(session.restore)
        self.words = QLabel(self)
        self.words.setWordWrap(True)
        self.words.setMinimumHeight(6 * SPACE)
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop)
        buttons = QHBoxLayout()
        for button in (self.seek, self.keep, self.restore):
            button.setAutoDefault(button is self.seek)
            buttons.addWidget(button)
        form = QFormLayout(self)
        form.setContentsMargins(2 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        form.setSpacing(SPACE)
        form.addRow("Set cell", self.cell)
        form.addRow("to value", self.value)
        form.addRow("by changing cell", self.changing)
        form.addRow(buttons)
        form.addRow(self.words)
        self.setMinimumWidth(45 * SPACE)
        self.refresh()

    def begin(self, cell: str) -> None:
        """Show, with a cell to begin with."""
        if not self.cell.text():
            self.cell.set_text(cell)
        self.show()
        self.raise_()
        self.cell.setFocus()

    def refresh(self) -> None:
        """Show how the seeking stands."""
        session = self._session
        is_on = session.state in ("preparing", "solving", "paused")
        self.seek.setEnabled(not is_on)
        self.keep.setEnabled(session.is_open)
        self.restore.setEnabled(session.is_open)
        self.words.setStyleSheet(f"color: {current_theme().text};")
        self.words.setText(self._found())

    def _found(self) -> str:
        session, run = self._session, self._session.run
        if session.state == "preparing":
            return "Preparing …"
        if run is None or session.model is None:
            return "Select a cell in the sheet, then take it over with the button beside a field."
        best = session.solution
        if session.state in ("solving", "paused") or best is None:
            return f"Seeking: {session.step} iterations."
        cell, changing = self._names
        target = session.model.target
        number = exact_text(float(best.theta[0]))
        if abs(best.objective - target) <= REACHED * max(1.0, abs(target)):
            words = f"{cell} is {exact_text(best.objective)} where {changing} is {number}."
        else:
            words = (
                f"No value of {changing} gives {exact_text(target)}. Nearest: {cell} is "
                f"{exact_text(best.objective)} where {changing} is {number}."
            )
        if session.state == "done":
            return f"{words} Keep it, or restore what was there."
        return f"{words} Kept." if session.kept is not None else "Put back as it was."

    def _on_seek(self) -> None:
        from gradsheet.learn.minima import Method

        self.value.commit()
        workbook, sheet = self._document.workbook, self._sheet()
        try:
            target = cell_of(workbook, sheet, self.cell.text(), "The cell to set")
            by = cell_of(workbook, sheet, self.changing.text(), "The cell to change")
            model = goal_seek_model(workbook, target, self.value.number, by)
            self._names = (str(target[1]), str(by[1]))
            self._session.start(
                model, Method(starts=STARTS, iterations=200), label="Goal Seek"
            )
        except UserError as error:
            self.words.setStyleSheet(f"color: {current_theme().error};")
            self.words.setText(f"{error.text} {error.hint}".strip())
            return
        self._wake()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Closing without a word puts the cells back."""
        if self._session.is_open:
            self._session.restore()
        super().closeEvent(event)

    def reject(self) -> None:
        """Escape closes."""
        self.close()
