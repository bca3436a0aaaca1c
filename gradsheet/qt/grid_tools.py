"""What the grid's commands need a window for: dialogs, notes, trace arrows, sheets.

Owns the wiring between the dialogs and the document. Each change is one edit with a name;
nothing here holds a fact.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint
from PySide6.QtWidgets import QDialog

from gradsheet.app import tracing
from gradsheet.app.messages import Message, message_of
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import Expr
from gradsheet.formula.values import UserError
from gradsheet.qt.dialogs.find import FindBar
from gradsheet.qt.dialogs.format_cells import FormatCells
from gradsheet.qt.dialogs.go_to import GoTo
from gradsheet.qt.dialogs.line_size import LineSize
from gradsheet.qt.dialogs.names import Names
from gradsheet.qt.dialogs.paste_special import PasteSpecial
from gradsheet.qt.grid import formatting, lines
from gradsheet.qt.grid.arrows import Arrow
from gradsheet.qt.grid.note_editor import NoteEditor
from gradsheet.qt.grid.places import Place, absolute_text, find_place
from gradsheet.qt.grid_menus import cell_menu, tab_menu
from gradsheet.qt.ratings.table_sorting import TableSorting
from gradsheet.sheet.edits import (
    AddSheet,
    DefineName,
    DuplicateSheet,
    Edit,
    FormatChange,
    MoveSheet,
    RemoveSheet,
    RenameSheet,
    SetNote,
    SetTabColour,
)
from gradsheet.sheet.workbook import Change

if TYPE_CHECKING:
    from gradsheet.qt.main_window import MainWindow

MOST_ARROWS = 300


class GridTools(QObject):
    """The dialogs and strips around one window's grid."""

    def __init__(self, window: MainWindow, find_bar: FindBar) -> None:
        super().__init__(window)
        self._window = window
        self._grid = window.grid
        self._document = window.document
        self.find_bar = find_bar
        self.sorting = TableSorting(window)
        self.filter_bar = window.filter_bar
        self.filter_bar.connect_to(self.sorting)
        self.note = NoteEditor(self._grid.viewport())
        self.note.written.connect(self._write_note)
        self.note.left.connect(self._grid.setFocus)
        self._grid.menu_asked.connect(self._show_menu)
        self._grid.sheet_shown.connect(window.tabs.show_current)
        tabs = window.tabs
        tabs.renamed.connect(self._rename_sheet)
        tabs.moved.connect(self._move_sheet)
        tabs.menu_asked.connect(self._show_tab_menu)
        self._levels: dict[str, set[tuple[int, Region]]] = {}

    def follow(self, change: Change) -> None:
        """The document changed."""
        self.find_bar.follow(change)
        self.filter_bar.follow(change)

    def _attempt(self, edit: Edit, label: str | None = None) -> bool:
        """Apply an edit, or say why it is not possible."""
        return self._grid.attempt(edit, label)

    # --------------------------------------------------------------------------------- dialogs

    def paste_special(self) -> None:
        """Ask what to paste."""
        dialog = PasteSpecial(self._window)
        dialog.chosen.connect(self._grid.paste)
        self._open(dialog)

    def find(self, replace: bool) -> None:
        """Show the strip for finding (and replacing)."""
        if self._grid.finish_typing():
            self.find_bar.open(replace)

    @property
    def is_filtered(self) -> bool:
        """Whether conditions keep rows of the table on show out of sight."""
        table = self.sorting.table
        return table is not None and bool(table.showing.conditions)

    def filter(self) -> None:
        """Show the strip that filters the rows of a table."""
        if self._grid.finish_typing():
            self.filter_bar.open()

    def go_to(self) -> None:
        """Ask where to go."""
        dialog = GoTo(self._document.workbook, self._grid.sheet_id, self._window)
        dialog.chosen.connect(self._visit)
        self._open(dialog)

    def format_cells(self) -> None:
        """Ask how the selected cells are to look."""
        grid = self._grid
        value, kind = grid.sheet.cells.get(grid.current)
        dialog = FormatCells(
            formatting.look_now(grid), value, kind, self._document.workbook, self._window
        )
        dialog.chosen.connect(self._change_format)
        self._open(dialog)

    def line_size(self, axis: lines.Axis) -> None:
        """Ask for the height of the selected rows or the width of the selected columns."""
        title = "Row height" if axis == "row" else "Column width"
        dialog = LineSize(title, lines.size_now(self._grid, axis), self._window)
        dialog.chosen.connect(partial(lines.set_size, self._grid, axis))
        self._open(dialog)

    def _change_format(self, change: FormatChange) -> None:
        if change != FormatChange():
            formatting.apply_change(self._grid, change, "Format cells")

    def _open(self, dialog: QDialog) -> None:
        """Show a dialog for what is selected now; what is being typed is committed first."""
        if self._grid.finish_typing():
            dialog.open()

    # ----------------------------------------------------------------------------------- names

    def manage_names(self) -> None:
        """Show the names; the selection is proposed for a new one."""
        grid = self._grid
        proposal = absolute_text(
            self._document.workbook, grid.sheet_id, grid.selection[-1], grid.extent.region
        )
        dialog = Names(self._document.workbook, proposal, self._window)
        dialog.asked.connect(self._visit_name)

        def define(name: str, expr: Expr | None, sheet: int | None) -> None:
            try:
                self._document.apply(DefineName(name, expr, sheet))
            except UserError as error:
                dialog.say(f"{error.text} {error.hint}".strip())

        dialog.defined.connect(define)
        self._open(dialog)

    def _visit_name(self, name: str) -> None:
        place = find_place(self._document.workbook, self._grid.sheet_id, name)
        if place is not None:
            self._visit(place)

    def _visit(self, place: Place) -> None:
        if self._grid.go_to_sheet(place.sheet):
            self._grid.select(list(place.regions), place.regions[0].first)
            self._grid.setFocus()

    # ----------------------------------------------------------------------------------- notes

    def edit_note(self) -> None:
        """Write the note of the current cell beside it."""
        grid = self._grid
        if grid.finish_typing():
            grid.show_cell(grid.current)
            box = grid.layout_now.cell_rect(grid.current)
            self.note.open(grid.current, grid.sheet.notes.get(grid.current, ""), box)

    def remove_note(self) -> None:
        """Take the note off the current cell."""
        self._write_note(self._grid.current, "")

    def _write_note(self, cell: Cell, text: str) -> None:
        label = f"Note on {cell}" if text else f"Remove note on {cell}"
        self._attempt(SetNote(self._grid.sheet_id, cell, text or None), label)

    # --------------------------------------------------------------------------------- tracing

    def trace(self, kind: tracing.Kind) -> None:
        """Draw the arrows of the current cell; if they are there, those one step further."""
        grid = self._grid
        here = (grid.sheet_id, Region.of(grid.current))
        if not grid.overlay.arrows or self._levels.get("start") != {here}:
            self._levels = {"start": {here}}
        seen = self._levels.setdefault(kind, set())
        ends = self._levels.get(f"last {kind}") or {here}
        for sheet, region in sorted(ends):
            for cell in list(region.cells())[:MOST_ARROWS]:
                self._trace_one(kind, sheet, cell, seen)
        self._document.engine.settle(0.02)
        self._window.clock.wake()

    def _trace_one(
        self, kind: tracing.Kind, sheet: int, cell: Cell, seen: set[tuple[int, Region]]
    ) -> None:
        start = (sheet, Region.of(cell))

        def show(found: tracing.Found) -> None:
            new = [place for place in found if place not in seen]
            if not found and self._levels.get("start") == {start}:
                self._say_none(kind, cell)
            seen.update(new)
            self._levels[f"last {kind}"] = set(new) or self._levels.get(f"last {kind}", set())
            self._draw(kind, start, found)

        tracing.trace(self._document, sheet, cell, kind, show)

    def _say_none(self, kind: tracing.Kind, cell: Cell) -> None:
        text = "reads no cell" if kind == "precedent" else "is read by no formula"
        self._document.say(Message("info", f"{cell} {text}."))

    def _draw(
        self, kind: tracing.Kind, start: tuple[int, Region], found: tracing.Found
    ) -> None:
        """Add arrows between places, as far as they lie on the sheet on show."""
        grid = self._grid
        arrows = list(grid.overlay.arrows)
        for place in found:
            here, there = (
                region if sheet == grid.sheet_id else None for sheet, region in (start, place)
            )
            if here is None and there is None:
                continue
            arrow = (
                Arrow(there, here, kind) if kind == "precedent" else Arrow(here, there, kind)
            )
            if arrow not in arrows and len(arrows) < MOST_ARROWS:
                arrows.append(arrow)
        grid.overlay.set_arrows(tuple(arrows))

    # ---------------------------------------------------------------------------------- sheets

    def add_sheet(self) -> None:
        """Add an empty sheet behind the current one and show it."""
        workbook = self._document.workbook
        position = workbook.position(self._grid.sheet_id) + 1
        before = set(workbook.sheet_ids())
        if self._attempt(AddSheet("", position)):
            self._show_new(before)

    def duplicate_sheet(self) -> None:
        """Add a copy of the current sheet and show it."""
        before = set(self._document.workbook.sheet_ids())
        if self._attempt(DuplicateSheet(self._grid.sheet_id)):
            self._show_new(before)

    def _show_new(self, before: set[int]) -> None:
        for sheet in self._document.workbook.sheet_ids():
            if sheet not in before:
                self._grid.go_to_sheet(sheet)

    def delete_sheet(self) -> None:
        """Remove the current sheet, unless the model that trains lives there."""
        grid, document = self._grid, self._document
        sheet = grid.sheet
        trained: set[int] = set()
        if document.has_problem:
            problem = document.problem
            trained = {problem.loss[0], *(p.sheet for p in problem.parameters)}
        if sheet.id in trained:
            refusal = UserError(
                f"{sheet.name} holds the model that is trained.",
                "Open another lesson first, or clear its cells.",
            )
            self._document.say(message_of(refusal, "deleting a sheet"))
            return
        if self._attempt(RemoveSheet(sheet.id), f"Delete sheet {sheet.name}"):
            self._document.say(Message("info", f"{sheet.name} is deleted; undo brings it back."))

    def move_sheet(self, by: int) -> None:
        """Move the current sheet among the others."""
        workbook = self._document.workbook
        at = workbook.position(self._grid.sheet_id) + by
        if 0 <= at < len(workbook.sheets):
            self._move_sheet(self._grid.sheet_id, at)

    def _move_sheet(self, sheet_id: int, position: int) -> None:
        name = self._document.workbook.sheet_name(sheet_id)
        if not self._attempt(MoveSheet(sheet_id, position), f"Move sheet {name}"):
            self._window.show_tabs()

    def _rename_sheet(self, sheet_id: int, name: str) -> None:
        if not self._attempt(RenameSheet(sheet_id, name)):
            self._window.show_tabs()
        self._grid.setFocus()

    def colour_tab(self, colour: str) -> None:
        """Colour the tab of the current sheet."""
        self._attempt(SetTabColour(self._grid.sheet_id, colour))

    # ----------------------------------------------------------------------------------- menus

    def _show_menu(self, place: str, point: QPoint) -> None:
        self._window.actions_by_id.refresh()
        cell_menu(self._window.actions_by_id.by_id, place, self._window).popup(point)

    def _show_tab_menu(self, point: QPoint) -> None:
        self._window.actions_by_id.refresh()
        tab_menu(self._window.actions_by_id.by_id, self._window).popup(point)
