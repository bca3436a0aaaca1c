"""Asks the engine for what two panels of the lab show: derivatives, and slices of the loss.

Owns what is under way: one measurement at a time, of many wishes the newest. The work is done on
the engine's thread; its results come back with the clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from gradsheet.app.lab import derivative_bench
from gradsheet.app.lab import desk as lab
from gradsheet.app.lab.slice_session import SliceSession
from gradsheet.formula.values import UserError

if TYPE_CHECKING:
    from gradsheet.qt.main_window import MainWindow


class Measurements(QObject):
    """Serves the derivative bench and the slice.

    Parameters
    ----------
    window : MainWindow
        Gives document, grid and clock.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._document = window.document
        self.slice_session = SliceSession(window.document)
        self._bench: Any = None
        self._slice: Any = None
        self._is_measuring = False
        self._wanted: tuple[str, float] | None = None
        self._is_cutting = False
        self._cut_at = -1

    def begin(self) -> None:
        """Another workbook is open: the jobs for the old one will not come back."""
        self._is_measuring = self._is_cutting = False
        self._wanted, self._cut_at = None, -1
        self.slice_session.note()

    # ------------------------------------------------------------------ derivatives

    def serve_bench(self, panel: Any) -> None:
        """Measure what a `DerivativeBenchPanel` asks for."""
        self._bench = panel
        panel.asked.connect(self.measure)

    def measure(self, weight: str, epsilon: float) -> None:
        """Measure the derivative by the selected row's weight, or by the selected cell."""
        if self._is_measuring:
            self._wanted = (weight, epsilon)
            return
        try:
            kind: Any = weight
            target = derivative_bench.target_of(self._document, self._window.grid.current, kind)
        except UserError as error:
            self._bench.show_complaint(str(error))
            return
        self._is_measuring = True
        self._document.engine.submit(
            lambda: derivative_bench.measure(target, epsilon), self._measured,
            self._not_measured, "measuring a derivative",
        )  # fmt: skip
        self._window.clock.wake()

    def _measured(self, bench: derivative_bench.Bench) -> None:
        self._is_measuring = False
        self._bench.show_bench(bench)
        self._measure_wanted()

    def _not_measured(self, error: BaseException) -> None:
        self._is_measuring = False
        self._bench.show_complaint(str(error))
        self._measure_wanted()

    def _measure_wanted(self) -> None:
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            self.measure(*wanted)

    # ------------------------------------------------------------------ slices

    def serve_slice(self, panel: Any) -> None:
        """Cut what a `LossSlicePanel` asks for."""
        self._slice = panel
        panel.cut_asked.connect(self._cut)
        panel.principal_asked.connect(self._on_directions)

    def follow_run(self) -> None:
        """Cut through where the run is whenever it rests somewhere new."""
        run = self._document.run
        if run.state != "running" and run.step != self._cut_at:
            self._cut()

    def _on_directions(self, principal: bool) -> None:
        """Take the principal directions, or those of the selected parameter cells."""
        self.slice_session.axes = None
        if not principal:
            grid = self._window.grid
            cells = [cell for region in grid.selection for cell in region.cells()]
            axes = [lab.place_of(self._document, grid.sheet_id, cell) for cell in cells]
            places = [axis for axis in axes if axis is not None]
            if len(places) < 2:
                self._slice.show_complaint(
                    "Select two parameter cells first; their directions make the slice."
                )
                return
            self.slice_session.axes = (places[0], places[-1])
        self._cut()

    def _cut(self) -> None:
        if self._is_cutting:
            return
        self._cut_at = self._document.run.step
        try:
            work = self.slice_session.job()
        except UserError as error:
            self._slice.show_complaint(str(error))
            return
        self._is_cutting = True

        def show(found: Any) -> None:
            self._is_cutting = False
            self._slice.show_slice(found)

        def complain(error: BaseException) -> None:
            self._is_cutting = False
            self._slice.show_complaint(str(error))

        self._document.engine.submit(work, show, complain, "cutting a slice")
        self._window.clock.wake()
