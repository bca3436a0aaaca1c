"""What the cells of the window know, put together: explain line, gradient layer, roles, legend.

Owns the wiring of these parts to the document and to the grid of one window, and the switches
that the commands use. Each part is a module of its own; the facts are the document's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QToolBar

from gradsheet.app import roles
from gradsheet.app.explain import Explainer, Question
from gradsheet.app.gradients import GradientLayer
from gradsheet.formula.address import Cell, Region
from gradsheet.qt.explain_line import TITLES, Dressed, ExplainLine, dress
from gradsheet.qt.grid import spoken
from gradsheet.qt.grid.gradient_layer import CellLayers, derivative_text
from gradsheet.qt.grid.held_mark import HELD, LEGEND_TEXT
from gradsheet.qt.legend import Entry, Legend
from gradsheet.qt.palette import CommandPalette
from gradsheet.qt.presentation import Presentation
from gradsheet.qt.theme import ROLE_NAMES, set_scale
from gradsheet.sheet.roles import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradsheet.app.run import RunView
    from gradsheet.formula.explain import Language
    from gradsheet.formula.explain_cells import Source
    from gradsheet.qt.main_window import MainWindow
    from gradsheet.sheet.workbook import Change


class Sight(QObject):
    """The parts of one window that show what cells know.

    Parameters
    ----------
    window : MainWindow
        Made, with its grid and formula bar; not yet shown.

    Attributes
    ----------
    explain : ExplainLine
    layer : GradientLayer
    layers : CellLayers
    legend : Legend
    palette : CommandPalette
    presentation : Presentation
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._is_stopped = False
        self._document = window.document
        self._grid = window.grid
        settings = window.settings
        language = settings.explain_language if settings.explain_language in TITLES else "excel"
        self.layer = GradientLayer(self._document, self._on_gradients)
        self.layers = CellLayers(self._grid, self.layer)
        self._build_explain_line(language)  # type: ignore[arg-type]
        self.legend = Legend(window.centralWidget())
        column = window.centralWidget().layout()
        column.insertWidget(column.indexOf(self._grid) + 1, self.legend)  # type: ignore[attr-defined]
        self.palette = CommandPalette(window.actions_by_id.by_id, window)
        self.presentation = Presentation(window)
        self._explainer: Explainer[Dressed] = Explainer(self._document, dress, self._on_explained)
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(20)
        self._patience.timeout.connect(self._explainer_again)
        window.notifier.changed.connect(self._on_change)
        window.notifier.run_changed.connect(self._on_run)
        window.notifier.replaced.connect(self._on_replaced)
        self._grid.current_changed.connect(self.refresh_explanation)
        self._grid.content_changed.connect(self.refresh_explanation)
        self._on_replaced()

    def _build_explain_line(self, language: Language) -> None:
        window = self._window
        window.addToolBarBreak()
        self.bar = QToolBar("Explain line", window)
        self.bar.setObjectName("explain_bar")
        self.bar.setMovable(False)
        self.bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.bar.setStyleSheet("#explain_bar { padding: 0; }")
        self.bar.toggleViewAction().setEnabled(False)
        self.explain = ExplainLine(language, self.bar)
        self.bar.addWidget(self.explain)
        self.bar.layout().setContentsMargins(0, 0, 0, 0)
        window.addToolBar(self.bar)
        self.bar.setVisible(window.settings.explain)
        self.explain.pointed.connect(self._on_pointed)
        self.explain.go_to.connect(self._on_go_to)
        self.explain.language_changed.connect(self._on_language)

    def stop(self) -> None:
        """Ask nothing more: the document is about to close."""
        self._is_stopped = True
        self._patience.stop()
        self._explainer.forget()
        set_scale(1.0)

    # ------------------------------------------------------------------ explain line

    @property
    def is_explaining(self) -> bool:
        """Whether the explain line shows."""
        return not self.bar.isHidden()

    def toggle_explain(self) -> None:
        """Show or hide the explain line."""
        self.bar.setVisible(self.bar.isHidden())
        self._window.settings.explain = self.is_explaining
        self.refresh_explanation()

    def explain_in(self, language: Language) -> None:
        """Explain in this language, and show the line if it is hidden."""
        self.explain.set_language(language)
        if not self.is_explaining:
            self.toggle_explain()

    @property
    def _source_cell(self) -> Cell:
        """The current cell as formulas know it: a sorted table shows its rows elsewhere."""
        row, col = self._grid.current
        return Cell(self._grid.sheet.cells.source_row(row), col)

    def refresh_explanation(self) -> None:
        """Explain the current cell again, as soon as the engine has time."""
        # Before the engine is there, torch would have to be imported first: `_on_run` asks then.
        if self._is_stopped:
            return
        if self.is_explaining and self._document.run.state != "loading":
            language = self.explain.language
            self._explainer.ask(Question(self._grid.sheet_id, self._source_cell, language))
            self._window.clock.wake()
            self._patience.start()

    def _explainer_again(self) -> None:
        self._explainer.poll()
        if self._explainer.is_waiting:
            self._patience.start()

    def _on_explained(self, dressed: Dressed) -> None:
        explanation = dressed.explanation
        if (explanation.sheet, explanation.cell) == (self._grid.sheet_id, self._source_cell):
            self.explain.show_dressed(dressed)

    def _on_language(self, language: str) -> None:
        self._window.settings.explain_language = language
        self.refresh_explanation()
        self._window.after_command()

    def _on_pointed(self, source: Source | None) -> None:
        self.layers.light(None if source is None else (source.sheet, source.region))

    def _on_go_to(self, source: Source) -> None:
        self.layers.light(None)
        if source.sheet != self._grid.sheet_id:
            self._window.tabs.show_sheets(self._document.workbook.sheets, source.sheet)
            self._grid.set_sheet(source.sheet)
        self._grid.select(source.region, Cell(source.region.top, source.region.left))
        self._grid.setFocus()

    # ------------------------------------------------------------------ gradients, legend

    def toggle_gradients(self) -> None:
        """Show d loss / d cell over the cells, or the cells again. Raises UserError."""
        self.layer.switch(not self.layer.is_on)
        self._grid.viewport().update()
        self._refresh_legend()
        self._window.clock.wake()

    def toggle_legend(self) -> None:
        """Show or hide the legend of roles."""
        self._window.settings.legend = not self._window.settings.legend
        self._refresh_legend()

    @property
    def has_legend(self) -> bool:
        """Whether the legend shows."""
        return not self.legend.isHidden()

    def _refresh_legend(self) -> None:
        is_wanted = self._window.settings.legend or self.layer.is_on
        if is_wanted:
            self.legend.show_entries(self._entries())
        self.legend.setVisible(is_wanted)

    def _entries(self) -> list[Entry]:
        shown = self.layer.scales if self.layer.is_on else ()
        scales = {(scale.role, scale.label): scale for scale in shown}
        entries: dict[tuple[str, str], Entry] = {}
        for role in self._grid.sheet.roles:
            key = (role.role.value, role.label)
            name = role.label or ROLE_NAMES[role.role.value]
            found = scales.get(key)
            ends = (found.limit, found.exponent) if found is not None else (None, 0)
            entries.setdefault(key, Entry(role.role.value, name, *ends))
        for scale in shown:
            if not scale.role:
                entries["", scale.label] = Entry("", scale.label, scale.limit, scale.exponent)
        if self.layer.is_on:
            return [entry for entry in entries.values() if entry.limit is not None]
        held = self._document.uncomputed.on(self._grid.sheet_id)
        return [*entries.values(), *([Entry(HELD, LEGEND_TEXT)] if held else [])]

    def _on_gradients(self, regions: Sequence[tuple[int, Region]]) -> None:
        self.layers.refresh(list(regions))
        self._refresh_legend()

    # ------------------------------------------------------------------ roles

    def set_role(self, role: Role | None) -> None:
        """Give the selection a role, or none. Raises UserError."""
        roles.set_role(self._document, self._grid.sheet_id, self._grid.selection, role)
        self._after_roles()

    @property
    def is_locked(self) -> bool:
        """Whether the parameters in the selection are locked."""
        workbook = self._document.workbook
        return roles.is_locked(workbook, self._grid.sheet_id, self._grid.selection)

    def toggle_lock(self) -> None:
        """Freeze the parameters of the selection, or let them go. Raises UserError."""
        sheet, selection = self._grid.sheet_id, self._grid.selection
        roles.set_locked(self._document, sheet, selection, not self.is_locked)
        self._after_roles()

    def set_rate(self, factor: float) -> None:
        """Multiply the rate of the parameters of the selection. Raises UserError."""
        roles.set_rate(self._document, self._grid.sheet_id, self._grid.selection, factor)
        self._after_roles()

    def current_role(self) -> Role | None:
        """The role of the current cell."""
        found = roles.role_of(self._document.workbook, self._grid.sheet_id, self._grid.current)
        return found.role if found is not None else None

    def _after_roles(self) -> None:
        self._grid.viewport().update()
        self._refresh_legend()

    # ------------------------------------------------------------------ the document speaks

    def _on_change(self, change: Change) -> None:
        if self._is_stopped:
            return
        is_held = any(entry.role == HELD for entry in self.legend.entries)
        has_held = bool(self._document.uncomputed.on(self._grid.sheet_id))
        if change.formats or change.structure or is_held != has_held:
            self._refresh_legend()
        if self._document.run.task is None:
            self.layer.follow()

    def _on_run(self, run: RunView) -> None:
        if self._is_stopped:
            return
        self.layer.follow()
        self._explainer.poll()
        if self.explain.shown is None and run.state != "loading":
            self.refresh_explanation()

    def _on_replaced(self) -> None:
        self._explainer.forget()
        self.layer.forget()
        if self.layer.is_on and not self._document.has_problem:
            self.layer.switch(False)
        self.explain.show_dressed(None)
        spoken.add_to(self._document.workbook, self._spoken_more)
        self._refresh_legend()
        self.refresh_explanation()

    def _spoken_more(self, sheet: int, cell: Cell) -> str:
        """What is added to a cell's accessible text and tool tip."""
        parts = (self._document.uncomputed.note(sheet, cell), self._spoken_gradient(sheet, cell))
        return ", ".join(part for part in parts if part)

    def _spoken_gradient(self, sheet: int, cell: Cell) -> str:
        """What is added to a cell's accessible text: its derivative, while the layer is on."""
        if not self.layer.is_on:
            return ""
        value = self.layer.at(sheet, cell)
        if value is None:
            return "no gradient"
        way = "stays" if value == 0 else "up" if value * self.layer.moves_up > 0 else "down"
        return f"gradient {derivative_text(value)}, moves {way}" if value else "gradient 0"
