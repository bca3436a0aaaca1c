"""How a workbook is looked at, as its file keeps it: sheet, selection, zoom, open panels.

Owns the way between the window and `Document.view`. The window's own size and place are the
user's, not the file's: those are `layout_memory`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gradsheet.formula.address import MAX_COLS, MAX_ROWS, Region
from gradsheet.qt.zoom import STEPS

if TYPE_CHECKING:
    from gradsheet.qt.main_window import MainWindow


class ViewMemory:
    """Tells a document how its window looks at it, and looks so again when a file is opened.

    Parameters
    ----------
    window : MainWindow
        With all its docks.
    """

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        window.document.view_source = self.view

    def view(self) -> dict[str, Any]:
        """Return how the workbook is looked at now, as JSON."""
        window, grid = self._window, self._window.grid
        return {
            **window.document.shown_view,
            "sheet": grid.sheet_id,
            "selection": list(grid.current),
            "ranges": [str(region) for region in grid.selection],
            "zoom": grid.zoom,
            "panels": self._open_panels(),
        }

    def restore(self) -> None:
        """Look at the workbook as its file says; what it does not say stays."""
        view, window = self._window.document.shown_view, self._window
        zoom = view.get("zoom")
        if isinstance(zoom, int | float):
            window.grid.zoom = min(max(float(zoom), STEPS[0]), STEPS[-1])
        ranges = _regions(view)
        if ranges:
            window.grid.select(ranges, window.document.book.selection)
        panels = view.get("panels")
        if isinstance(panels, list):
            self._show_panels({str(name) for name in panels})

    def stop(self) -> None:
        """The window goes; the document keeps what it last knew."""
        document = self._window.document
        document.shown_view, document.view_source = self.view(), None

    def _open_panels(self) -> list[str]:
        window = self._window
        names = [name for name, dock in window.docks.items() if not dock.isHidden()]
        names += [name for name in window.lab.docks if window.lab.is_open(name)]
        if window.solver.dock.is_open:
            names.append("solver")
        return sorted(names)

    def _show_panels(self, wanted: set[str]) -> None:
        window = self._window
        for name in window.lab.docks:
            if (name in wanted) != window.lab.is_open(name):
                window.lab.toggle(name)
        if ("solver" in wanted) != window.solver.dock.is_open:
            window.solver.dock.toggle()
        for name, dock in window.docks.items():
            dock.setVisible(name in wanted)


def _regions(view: Mapping[str, Any]) -> list[Region]:
    """Return the selected regions that a view names; none if it names something else."""
    found = view.get("ranges")
    try:
        regions = [Region.parse(str(text)) for text in found] if isinstance(found, list) else []
    except ValueError:
        return []
    return [r for r in regions if r.bottom <= MAX_ROWS and r.right <= MAX_COLS]
