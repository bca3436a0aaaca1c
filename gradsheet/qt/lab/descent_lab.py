"""The panels of the gradient-descent lab: their docks, and the wires to document and grid.

Owns when a panel is made (the first time it shows, for plots take long to import) and what it is
told. Panels know nothing of one another.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QStackedWidget, QVBoxLayout, QWidget

from gradsheet.app.epoch_training import EpochTraining
from gradsheet.app.lab import averages_sheet, function_lab
from gradsheet.app.lab import desk as lab
from gradsheet.app.lab.path_view import cell_of, path_view, row_of
from gradsheet.app.lab.race_session import RaceSession
from gradsheet.app.lab.schedule_choice import ScheduleChoice
from gradsheet.app.messages import message_of
from gradsheet.formula.values import UserError
from gradsheet.qt.dock_commands import declare_docks
from gradsheet.qt.lab.lab_measurements import Measurements
from gradsheet.qt.widgets.late_dock import LateDock

if TYPE_CHECKING:
    from gradsheet.app.run import RunView
    from gradsheet.qt.main_window import MainWindow

LAB_PX = 460
LOSS_SHARE = 0.3
DOCKS = {
    "trajectory": ("Path", "chart-line", "Ctrl+Shift+T",
        "Show or hide the path over intercept and slope."),
    "race": ("Race", "chart-line", "Ctrl+Shift+E",
        "Show or hide the race of optimizers."),
    "bench": ("Derivative bench", "chart-line", "Ctrl+Shift+D",
        "Show or hide finite differences and their U."),
    "averages": ("Averages", "chart-line", "",
        "Show or hide the averages of the run's gradients."),
    "schedule": ("Schedule", "chart-line", "",
        "Show or hide the schedule of the learning rate."),
}  # fmt: skip
"""Title, icon, keys and help by name of the dock."""


declare_docks(DOCKS, lambda window: window.lab, group=1)


class DescentLab(QObject):
    """Makes, feeds and hears the panels of the lab.

    Parameters
    ----------
    window : MainWindow
        Gives document, grid and clock; the docks are put on its right side.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._document = window.document
        self.race_session = RaceSession(window.document)
        self.measurements = Measurements(window)
        self.panels: dict[str, Any] = {}
        self.docks: dict[str, LateDock] = {}
        self._is_stale = True
        self._took_room = False
        self._makers: dict[str, Callable[[QWidget], QWidget]] = {
            "trajectory": self._make_trajectory, "race": self._make_race,
            "bench": self._make_bench, "averages": self._make_averages,
            "schedule": self._make_schedule,
        }  # fmt: skip
        self._make_docks()

    def _make_docks(self) -> None:
        window, first = self._window, None
        for name, (title, *_) in DOCKS.items():
            dock = LateDock(
                window, name, title, f"View > {title}", self._makers[name], least_px=LAB_PX
            )
            if first is None:
                first = dock
            else:
                window.tabifyDockWidget(first, dock)
            dock.made.connect(partial(self._feed, name))
            dock.visibilityChanged.connect(partial(self._on_visible, name))
            self.docks[name] = dock

    def connect_to(self) -> None:
        """Hear the document, the grid and the clock; once the window has them."""
        window = self._window
        window.notifier.changed.connect(self._on_change)
        window.notifier.run_changed.connect(self._on_run)
        window.notifier.replaced.connect(self._on_replaced)
        window.grid.current_changed.connect(self._on_cell)
        window.clock.ticked.connect(self._refresh)
        self.measurements.slice_session.note()

    # ------------------------------------------------------------------ docks

    def is_open(self, name: str) -> bool:
        """Whether a dock shows (it may lie behind another one)."""
        return self.docks[name].is_open

    def toggle(self, name: str) -> None:
        """Show a dock in front, or hide it."""
        if self.is_open(name):
            self.docks[name].hide()
        else:
            self.show(name)

    def show(self, name: str) -> None:
        """Show a dock in front of those it shares its place with."""
        self.docks[name].open()
        if name == "trajectory":
            self._share_height()

    def _on_visible(self, name: str, visible: bool) -> None:
        if visible:
            self._is_stale = True
            self._make_way(name)
        elif not any(self.is_open(other) for other in DOCKS):
            self._give_way_back()

    def _make_way(self, name: str) -> None:
        """A panel with curves of its own gets the room of the loss plot, while it is in front."""
        loss = self._window.docks["loss"]
        if name == "trajectory":
            self._give_way_back()
        elif not loss.isHidden() and not loss.isFloating():
            self._took_room = True
            loss.hide()

    def _give_way_back(self) -> None:
        if self._took_room:
            self._took_room = False
            self._window.docks["loss"].show()
            self._share_height()

    def _share_height(self) -> None:
        """Let the plane be nearly square and the curve above it flat."""
        window = self._window
        loss, dock = window.docks["loss"], self.docks["trajectory"]
        if not loss.isHidden() and not loss.isFloating():
            height = loss.height() + dock.height()
            share = int(height * LOSS_SHARE)
            window.resizeDocks([loss, dock], [share, height - share], Qt.Orientation.Vertical)

    def _make_trajectory(self, parent: QWidget) -> QWidget:
        from gradsheet.qt.panels.descent_settings import DescentSettings
        from gradsheet.qt.panels.loss_slice import LossSlicePanel
        from gradsheet.qt.panels.trajectory import TrajectoryPanel

        stack = self._stack = QStackedWidget(parent)
        both = QWidget(stack)
        column = QVBoxLayout(both)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        settings, panel = DescentSettings(both), TrajectoryPanel(both)
        column.addWidget(settings)
        column.addWidget(panel, 1)
        self.settings = settings
        self.slice_panel = LossSlicePanel(stack)
        stack.addWidget(both)
        stack.addWidget(self.slice_panel)
        self.measurements.serve_slice(self.slice_panel)
        self.panels["trajectory"] = panel
        document = self._document
        panel.point_chosen.connect(self._on_point)
        panel.start_chosen.connect(self._do(partial(lab.set_start, document)))
        settings.batch_chosen.connect(self._do(partial(lab.set_batch, document)))
        settings.correction_chosen.connect(self._do(partial(lab.set_correction, document)))
        settings.points_asked.connect(self._do(partial(lab.draw_points, document)))
        settings.reset_asked.connect(self._do(partial(lab.reset_as_the_lecture, document)))
        settings.function_chosen.connect(self._do(partial(function_lab.choose, document)))
        settings.formula_typed.connect(self._do(partial(function_lab.type_formula, document)))
        settings.steepness_chosen.connect(self._do(partial(function_lab.set_steepness, document)))
        settings.paste_asked.connect(self._do(self._paste))
        settings.file_asked.connect(self._do(self._open_file))
        return stack

    def _make_race(self, parent: QWidget) -> QWidget:
        from gradsheet.qt.panels.race import RacePanel

        panel = self.panels["race"] = RacePanel(self.race_session, parent)
        panel.run_button.clicked.connect(self._window.clock.wake)
        return panel

    def _make_bench(self, parent: QWidget) -> QWidget:
        from gradsheet.qt.panels.derivative_bench import DerivativeBenchPanel

        panel = self.panels["bench"] = DerivativeBenchPanel(parent)
        self.measurements.serve_bench(panel)
        return panel

    def _make_averages(self, parent: QWidget) -> QWidget:
        from gradsheet.qt.panels.averages import AveragesPanel

        panel = self.panels["averages"] = AveragesPanel(parent)
        document = self._document
        panel.sheet_asked.connect(self._do(partial(averages_sheet.show, document)))
        panel.beta_chosen.connect(self._do(partial(averages_sheet.set_beta, document)))
        return panel

    def _make_schedule(self, parent: QWidget) -> QWidget:
        from gradsheet.qt.panels.schedule import SchedulePanel

        panel = self.panels["schedule"] = SchedulePanel(parent)
        panel.chosen.connect(self._on_schedule)
        panel.rate_suggested.connect(self._on_rate)
        return panel

    def _do(self, operation: Callable[..., object]) -> Callable[..., None]:
        """Return a slot that does something and says what went wrong."""

        def slot(*arguments: Any) -> None:
            try:
                operation(*arguments)
            except UserError as error:
                self._document.say(message_of(error, "changing the lesson"))
            self._is_stale = True
            self._feed_settings()
            self._window.after_command()

        return slot

    # ------------------------------------------------------------------ feeding

    @property
    def is_busy(self) -> bool:
        """Whether a race is on."""
        return self.race_session.is_busy

    def poll(self) -> None:
        """Bring in what the race has done; called by the frame clock."""
        panel = self.panels.get("race")
        if panel is not None and self.is_open("race"):
            panel.poll()
        elif self.race_session.is_busy:
            self.race_session.poll()

    def _on_change(self, _: object) -> None:
        self._is_stale = True

    def _on_run(self, run: RunView) -> None:
        self._is_stale = True
        if not isinstance(self._document.training, EpochTraining):
            self.measurements.slice_session.note()

    def _on_replaced(self) -> None:
        """Another workbook: the path shows by itself where there is one."""
        self._is_stale = True
        self.measurements.begin()
        is_lab = isinstance(self._document.training, EpochTraining)
        if is_lab and not any(self.is_open(name) for name in DOCKS):
            self.show("trajectory")
        self._feed_settings()
        if "schedule" in self.panels:
            self.panels["schedule"].show_choice(self._document.run.schedule)

    def sheet_shown(self, sheet: int) -> None:
        """Another tab is in front: its optimizer is what runs now."""
        self._document.show_sheet(sheet)
        self._is_stale = True
        self._feed_settings()
        if "schedule" in self.panels:
            self.panels["schedule"].show_choice(self._document.run.schedule)

    def _refresh(self) -> None:
        """Draw what has changed in the panels that show, once a frame."""
        if not self._is_stale:
            return
        self._is_stale = False
        for name in self.panels:
            if self.docks[name].isVisible():
                self._feed(name)

    def _feed(self, name: str) -> None:
        panel = self.panels[name]
        if name in ("trajectory", "averages"):
            view = path_view(self._document)
            panel.show_path(view)
            if name == "trajectory":
                self._show_row()
                self._stack.setCurrentIndex(0 if view is not None else 1)
                if view is None:
                    self.measurements.follow_run()
        elif name == "schedule":
            run = self._document.run_view()
            base = run.hyper.lr if run.hyper is not None else 1.0
            optimizer = self._document.run.optimizer
            uses = optimizer.rule.uses if optimizer is not None else ()
            has_momentum = "momentum" in uses or "beta1" in uses
            momentum = self._document.run.momentum if has_momentum else None
            if (self._document.run.schedule or ScheduleChoice()) != panel.choice:
                panel.show_choice(self._document.run.schedule)
            panel.show_run(run, base, run.state == "running", momentum)
        elif name == "bench" and self._document.run.state != "running":
            self.measurements.measure(panel.weight, panel.epsilon)
        if name == "trajectory":
            self._feed_settings()

    def _feed_settings(self) -> None:
        if "trajectory" not in self.panels:
            return
        plan = lab.plan_of(self._document)
        self.settings.setEnabled(plan is not None)
        if plan is not None:
            has_switch = plan.kind.name == "adam"
            corrected = plan.kind.title.endswith("correction") if has_switch else None
            self.settings.show_plan(plan.rows, plan.batch, corrected)
            self.settings.show_function(function_lab.view_of(self._document))

    # ------------------------------------------------------------------ grid and panels

    def _on_cell(self) -> None:
        if "trajectory" in self.panels and self.docks["trajectory"].isVisible():
            self._show_row()
        if "bench" in self.panels and self.docks["bench"].isVisible():
            panel = self.panels["bench"]
            self.measurements.measure(panel.weight, panel.epsilon)

    def _show_row(self) -> None:
        view, grid = path_view(self._document), self._window.grid
        if view is None or grid.sheet_id != view.sheet:
            return
        self.panels["trajectory"].show_row(row_of(view, grid.current))

    def _on_point(self, row: int) -> None:
        view, grid = path_view(self._document), self._window.grid
        if view is not None and grid.sheet_id == view.sheet:
            cell = cell_of(view, row)
            grid.select(cell)
            grid.show_cell(cell)

    def _on_schedule(self, choice: ScheduleChoice) -> None:
        self._document.set_schedule(choice)

    def _on_rate(self, rate: float) -> None:
        def use() -> None:
            self.panels["schedule"].choose("constant")
            self._document.reset_run()
            self._document.set_hyper(lr=rate)

        self._do(use)()

    def _paste(self) -> None:
        lab.paste_points(self._document, QGuiApplication.clipboard().text())

    def _open_file(self) -> None:
        name, _ = QFileDialog.getOpenFileName(
            self._window, "Open points", str(Path.home()), "Two columns (*.csv *.tsv *.txt)"
        )
        if name:
            lab.open_points(self._document, Path(name))
