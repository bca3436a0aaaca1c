"""The Solver panel: the form, Solve and Pause and Stop, Keep or Restore, what was found.

Owns the widgets and when each can be used. The solving is `app.solver_session`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from gradsheet.qt.solver.model_form import ModelForm
from gradsheet.qt.solver.results import Results
from gradsheet.qt.theme import SPACE, current_theme
from gradsheet.qt.widgets.figures import count_text, loss_text
from gradsheet.qt.widgets.styling import set_style

if TYPE_CHECKING:
    from gradsheet.app.document import Document
    from gradsheet.app.solver.session import SolverSession


class SolverPanel(QWidget):
    """Excel's Solver with our methods, live in the sheet.

    Parameters
    ----------
    document : Document
    session : SolverSession
    sheet : gives the id of the sheet that shows
    selection : gives the text of what is selected there
    parent : QWidget
    """

    solve_asked = Signal()
    report_asked = Signal()

    def __init__(
        self,
        document: Document,
        session: SolverSession,
        sheet: Callable[[], int],
        selection: Callable[[], str],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("solver_panel")
        self._session = session
        inner = QWidget(self)
        self.form = ModelForm(document, sheet, selection, inner)
        self.form.complained.connect(self.complain)
        self.results = Results(inner)
        self.results.minima.chosen.connect(self._on_minimum)
        self._build_buttons(inner)
        column = QVBoxLayout(inner)
        column.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        column.setSpacing(SPACE // 2)
        column.addWidget(self.form)
        column.addLayout(self._row(self.solve, self.pause, self.stop))
        column.addWidget(self.status)
        column.addLayout(self._row(self.keep, self.restore, self.report))
        column.addWidget(self.results, 1)
        scroll = QScrollArea(self)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidget(inner)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)
        self.setMinimumWidth(340)
        self.refresh()

    def _build_buttons(self, parent: QWidget) -> None:
        def button(text: str, about: str, slot: Callable[..., Any]) -> QPushButton:
            made = QPushButton(text, parent)
            made.setToolTip(about)
            made.setAutoDefault(False)
            made.clicked.connect(slot)
            return made

        self.solve = button("Solve", "Solve, live in the cells", self.solve_asked)
        self.solve.setObjectName("primary")
        self.pause = button("Pause", "Hold still, and go on again", self._on_pause)
        self.stop = button("Stop", "End it at the best found so far", self._on_stop)
        self.keep = button("Keep", "Keep the numbers shown; one entry to undo", self._on_keep)
        self.restore = button("Restore", "Put every cell back, to the last bit", self._on_restore)
        self.report = button(
            "Report", "Keep the numbers, and put a report on a new sheet", self.report_asked
        )
        self.status = QLabel(parent)
        self.status.setWordWrap(True)
        self.status.setMinimumHeight(5 * SPACE)

    def _row(self, *buttons: QPushButton) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(SPACE // 2)
        for button in buttons:
            row.addWidget(button, 1)
        return row

    # ------------------------------------------------------------------ showing

    def complain(self, text: str) -> None:
        """Say what is wrong with the fields; "" if nothing is."""
        if text:
            self._say(text, is_error=True)
        else:
            self.refresh()

    def _say(self, text: str, *, is_error: bool = False) -> None:
        self.status.setText(text)
        colour = current_theme().error if is_error else current_theme().text
        set_style(self.status, f"QLabel {{ color: {colour}; }}")

    def refresh(self) -> None:
        """Show how the solving stands."""
        session, state = self._session, self._session.state
        is_on = state in ("preparing", "solving", "paused")
        self.solve.setEnabled(not is_on)
        self.form.setEnabled(not is_on)
        self.pause.setEnabled(state in ("solving", "paused"))
        self.pause.setText("Go on" if state == "paused" else "Pause")
        self.stop.setEnabled(state in ("solving", "paused"))
        self.keep.setEnabled(session.is_open)
        self.restore.setEnabled(session.is_open)
        run = session.run
        self.report.setEnabled(state in ("done", "idle") and run is not None and bool(run.minima))
        minima = list(run.minima) if run is not None else []
        self.results.minima.show_minima(minima, run.best if run is not None else None)
        self._say(self._words())

    def _words(self) -> str:
        session, run = self._session, self._session.run
        if session.state == "preparing":
            return "Preparing …"
        if run is None:
            return "Solve runs live in the sheet. Then keep the numbers, or restore them."
        value = loss_text(session.objective)
        found = f"{value} after {count_text(session.step)} iterations"
        if session.state in ("solving", "paused"):
            at = min(len(run.minima) + 1, run.method.starts)
            verb = "Solving" if session.state == "solving" else "Paused"
            return f"{verb}: start {at} of {run.method.starts}, {found}."
        best = run.best
        if session.state == "done":
            doubt = f" It may be no solution: {best.doubt}." if best and best.doubt else ""
            notes = " ".join(session.ready.notes) if session.ready is not None else ""
            return f"Found {found}. Keep it, or restore what was there.{doubt} {notes}".strip()
        if session.kept is not None:
            return f"Kept {loss_text(session.kept.objective)}; undo takes it back."
        return "Every cell holds again what it held before."

    # ------------------------------------------------------------------ what the user does

    def _on_pause(self) -> None:
        if self._session.state == "paused":
            self._session.resume()
        else:
            self._session.pause()

    def _on_stop(self) -> None:
        self._session.stop()

    def _on_keep(self) -> None:
        self._session.keep()

    def _on_restore(self) -> None:
        self._session.restore()

    def _on_minimum(self, row: int) -> None:
        run = self._session.run
        if run is not None and row < len(run.minima):
            self._session.show(run.minima[row])
