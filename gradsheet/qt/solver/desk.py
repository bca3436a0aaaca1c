"""Solver in the window: its dock, Goal Seek, their commands, and the wires to grid and clock.

Owns when the parts are made and what they are told.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from gradsheet.app import roles
from gradsheet.app.commands import command
from gradsheet.app.messages import message_of
from gradsheet.app.solver.report import report_edit, report_of, sensitivity
from gradsheet.app.solver.session import SolverSession, parameters_of
from gradsheet.app.solver.text import area_text, areas_of, first_model, is_saved
from gradsheet.formula.values import UserError
from gradsheet.qt.actions import WINDOW_COMMANDS
from gradsheet.qt.widgets.late_dock import LateDock
from gradsheet.sheet.book_edits import PutNames

if TYPE_CHECKING:
    from gradsheet.app.run import RunView
    from gradsheet.app.solver.report import Report
    from gradsheet.files.solver_model import SolverModel
    from gradsheet.formula.address import Region
    from gradsheet.qt.main_window import MainWindow
    from gradsheet.qt.solver.goal_seek import GoalSeek
    from gradsheet.qt.solver.panel import SolverPanel

DOCK_PX = 400
MOST_DATA = 400

_train = partial(command, table=WINDOW_COMMANDS, menu="Train", group=4)


@_train("train.solver", "Solver…", shortcuts=("Ctrl+Alt+S",), icon="goal",
        checked=lambda window: window.solver.dock.is_open)  # fmt: skip
def toggle_solver(window: MainWindow) -> None:
    """Show or hide Solver: objective, changing cells, constraints, many starts."""
    window.solver.dock.toggle()


@_train("train.goal_seek", "Goal Seek…", shortcuts=("Alt+G",), icon="crosshair")
def goal_seek(window: MainWindow) -> None:
    """Bring one cell to a value by changing one other."""
    window.solver.open_goal_seek()


class SolverDesk(QObject):
    """The parts of Solver of one window.

    Parameters
    ----------
    window : MainWindow
        Made, with grid, notifier and clock.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._document = window.document
        self.session = SolverSession(self._document, self._on_session)
        self.seeking = SolverSession(self._document, self._on_session)
        self.dialog: GoalSeek | None = None
        self._changing = ""
        self.dock = LateDock(
            window, "solver", "Solver", "Train > Solver", self._make, least_px=DOCK_PX
        )
        window.tabifyDockWidget(window.docks["loss"], self.dock)
        self.dock.made.connect(self._fill)
        window.notifier.replaced.connect(self._on_replaced)
        window.notifier.run_changed.connect(self._on_run)
        window.notifier.changed.connect(self._on_change)

    # ------------------------------------------------------------------ dock

    @property
    def panel(self) -> SolverPanel | None:
        """The panel, once it was looked at."""
        return cast("SolverPanel | None", self.dock.panel)

    def _make(self, parent: QWidget) -> SolverPanel:
        from gradsheet.qt.solver.panel import SolverPanel

        panel = SolverPanel(self._document, self.session, self._sheet, self._selection, parent)
        panel.solve_asked.connect(self._on_solve)
        panel.report_asked.connect(self._on_report)
        panel.results.ranges.lock_asked.connect(self._on_lock)
        panel.results.ranges.rates_asked.connect(self._on_rates)
        panel.results.sensitivity.asked.connect(self._on_sensitivity)
        panel.form.changing.line.editingFinished.connect(self._show_ranges)
        return panel

    def _sheet(self) -> int:
        return self._window.grid.sheet_id

    def _selection(self) -> str:
        return ",".join(str(region) for region in self._window.grid.selection)

    def _fill(self) -> None:
        if self.panel is None:
            return
        self.panel.form.show_model(first_model(self._document, self._sheet()))
        if self._document.run.state != "loading":
            self.panel.form.fill_methods()
        self._show_ranges()

    # ------------------------------------------------------------------ the document speaks

    def _on_replaced(self) -> None:
        self._fill()

    def _on_run(self, run: RunView) -> None:
        if self.panel is not None and run.state != "loading":
            self.panel.form.fill_methods()

    def _on_change(self, change: Any) -> None:
        if self.panel is not None and (change.structure or change.formats):
            self._show_ranges()

    def _on_session(self) -> None:
        if self.panel is not None:
            self.panel.refresh()
        if self.dialog is not None:
            self.dialog.refresh()
        self._window.status.show_run(self._document.run_view())

    # ------------------------------------------------------------------ solving

    def _on_solve(self) -> None:
        panel = self.dock.filled()
        try:
            model = panel.form.model()
            if not is_saved(self._document, model):
                self._save(model)
            self.session.start(model, panel.form.chosen_method())
        except UserError as error:
            panel.complain(f"{error.text} {error.hint}".strip())
        self._window.after_command()

    def _save(self, model: SolverModel) -> None:
        """Keep the model in the workbook, where Excel's Solver finds it too."""
        from gradsheet.files.solver_model import with_model

        workbook = self._document.workbook
        names = with_model(workbook.names, workbook, model)
        self._document.apply(PutNames(names, workbook.tables, "Solver model"))

    def _on_report(self) -> None:
        session, document = self.session, self._document
        ready, run, model, solution = session.ready, session.run, session.model, session.solution
        if ready is None or run is None or model is None or solution is None:
            return
        if session.is_open:
            session.keep()
        calculation, method = document.calculation, run.method

        def make() -> Report:
            return report_of(document, ready, model, run, solution, method, calculation.current())

        def show(report: Report) -> None:
            workbook = document.workbook
            names = [sheet.name for sheet in workbook.sheets]
            sheet = workbook.next_id
            document.apply(report_edit(names, report, sheet), "Solver report")
            self._window.show_tabs()
            if sheet in workbook.sheet_ids():
                self._window.grid.go_to_sheet(sheet)

        document.engine.submit(make, show, self._failed, "making the report")
        self._window.clock.wake()

    def _failed(self, error: BaseException) -> None:
        self._document.say(message_of(error, "asking about the solution"))

    # ------------------------------------------------------------------ ranges

    def _ranges(self) -> list[tuple[str, Any]]:
        panel, workbook = self.dock.filled(), self._document.workbook
        try:
            areas = areas_of(workbook, self._sheet(), panel.form.changing.text())
        except UserError:
            return []
        return [
            (area_text(workbook, self._sheet(), (p.sheet, p.region)), p)
            for p in parameters_of(workbook, areas)
        ]

    def _show_ranges(self) -> None:
        if self.panel is not None:
            self.panel.results.ranges.show_ranges(self._ranges())

    def _on_lock(self, place: int, locked: bool) -> None:
        parameter = self._ranges()[place][1]
        self._do(partial(roles.lock_cells, self._document, parameter.sheet,
                         parameter.region, locked))  # fmt: skip

    def _on_rates(self, low: float, high: float) -> None:
        places = [(p.sheet, p.region) for _, p in self._ranges()]
        self._do(partial(roles.spread_rates, self._document, places, low, high))

    def _do(self, operation: Any) -> None:
        try:
            operation()
        except UserError as error:
            self._document.say(message_of(error, "changing the ranges"))
        self._show_ranges()
        self._window.after_command()

    # ------------------------------------------------------------------ sensitivity

    def _on_sensitivity(self) -> None:
        session, table = self.session, self.dock.filled().results.sensitivity
        ready, solution = session.ready, session.solution
        regions, sheet = self._window.grid.selection, self._sheet()
        if ready is None or solution is None or session.state not in ("done", "idle"):
            table.show_moves((), "There is no solution yet. Press Solve first.")
            return
        if session.state == "idle" and session.kept is None:
            table.show_moves((), "The cells were restored. Solve, and keep the solution.")
            return
        if sum(region.size for region in regions) > MOST_DATA:
            table.show_moves((), f"Select at most {MOST_DATA} cells.")
            return
        calculation, workbook = self._document.calculation, self._document.workbook

        def make() -> list[tuple[str, float, float]]:
            program, rows = calculation.current(), []
            for region in regions:
                slopes = sensitivity(program, ready, solution, sheet, region)
                values = workbook.sheet(sheet).cells.read(region)[0]
                rows += _rows(region, values, slopes)
            return rows

        def failed(error: BaseException) -> None:
            text = error.text if isinstance(error, UserError) else str(error)
            table.show_moves((), f"{text} {getattr(error, 'hint', '')}".strip())

        note = "What one unit more in the cell changes the optimum by, to first order."
        self._document.engine.submit(
            make, lambda rows: table.show_moves(rows, note), failed, "sensitivity"
        )
        self._window.clock.wake()

    # ------------------------------------------------------------------ Goal Seek

    def open_goal_seek(self) -> None:
        """Show Goal Seek, with the selected cell."""
        if self.dialog is None:
            from gradsheet.qt.solver.goal_seek import GoalSeek

            self.dialog = GoalSeek(
                self._document, self.seeking, self._sheet, self._selection,
                self._window.clock.wake, self._window,
            )  # fmt: skip
        self.dialog.begin(str(self._window.grid.current))

    def stop(self) -> None:
        """The window closes: put nothing back, the document is going too."""
        if self.dialog is not None:
            self.seeking.close()
            self.dialog.close()


def _rows(region: Region, values: Any, slopes: Any) -> list[tuple[str, float, float]]:
    return [
        (str(cell), float(values[cell.row - region.top, cell.col - region.left]),
         float(slopes[cell.row - region.top, cell.col - region.left]))
        for cell in region.cells()
    ]  # fmt: skip
