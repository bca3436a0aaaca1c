"""Going through a run in the window: the dock of its branches, the light on a step's phase.

Owns when these are made and what they are told; the run is the document's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QWidget

from gradsheet.app.commands import command
from gradsheet.qt.actions import WINDOW_COMMANDS
from gradsheet.qt.space_key import SpacePressesButtons
from gradsheet.qt.widgets.late_dock import LateDock

if TYPE_CHECKING:
    from gradsheet.app.phases import Phase
    from gradsheet.app.run import RunView
    from gradsheet.qt.main_window import MainWindow
    from gradsheet.qt.panels.branches import BranchesPanel

DOCK_PX = 380


@command(
    "view.branches", "Branches", menu="View", shortcuts=("Ctrl+Shift+B",), icon="git-branch",
    group=1, checked=lambda window: window.time_travel.dock.is_open, table=WINDOW_COMMANDS,
)  # fmt: skip
def toggle_branches(window: MainWindow) -> None:
    """Show or hide the futures of the run that were left for another."""
    window.time_travel.toggle()


class TimeTravel(QObject):
    """The dock of branches, and which cells a phase lights.

    Parameters
    ----------
    window : MainWindow
        Made, with its docks, its notifier and its sight.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._lent_gradients = False
        self.dock = LateDock(
            window, "branches", "Branches", "View > Branches", self._make, least_px=DOCK_PX
        )
        self.dock.visibilityChanged.connect(self._on_visible)
        window.notifier.run_changed.connect(self._on_run)

    def toggle(self) -> None:
        """Show the panel below the loss, or hide it."""
        self.dock.toggle()
        window, loss = self._window, self._window.docks["loss"]
        if self.dock.is_open and not loss.isHidden() and not loss.isFloating():  # equal shares
            window.resizeDocks([loss, self.dock], [1, 1], Qt.Orientation.Vertical)

    def _on_visible(self, visible: bool) -> None:
        if visible:
            self.dock.filled().show_run(self._window.document.run_view())

    def _make(self, parent: QWidget) -> BranchesPanel:
        from gradsheet.qt.panels.branches import BranchesPanel

        panel = BranchesPanel(self._window.document, parent)
        SpacePressesButtons(panel)
        return panel

    def _on_run(self, run: RunView) -> None:
        if self.dock.panel is not None and self.dock.is_open and run.state != "running":
            self.dock.panel.show_run(run)
        sight, name = self._window.sight, run.phase.name if run.phase is not None else ""
        if run.phase is not None and run.phase.places != sight.layers.phase:
            self._window.status.show_note(f"{run.phase.name.capitalize()}: {run.phase.text}")
            self._bring_into_view(run.phase)
        sight.layers.light_phase(run.phase.places if run.phase is not None else ())
        if name == "gradient" and not sight.layer.is_on:
            self._lent_gradients = True
            sight.toggle_gradients()
        elif name != "gradient" and self._lent_gradients:
            self._lent_gradients = False
            if sight.layer.is_on:
                sight.toggle_gradients()

    def _bring_into_view(self, phase: Phase) -> None:
        """Scroll to the first cells of a phase where none of them shows."""
        grid = self._window.grid
        here = [region for sheet, region in phase.places if sheet == grid.sheet_id]
        seen = grid.visible_region()
        if here and not any(region.intersect(seen) for region in here):
            grid.show_cell(here[0].first)
