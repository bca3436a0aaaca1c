"""The grid's commands: clipboard, lines, panes, formats, names, notes, tracing, sheets.

Owns their titles, keys and menus, in the same form as `actions`; what each does is asked of
the grid or of the window's parts, never done here. Knows no widget of its own.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from gradsheet.app.commands import Command, command
from gradsheet.qt.grid import formatting, lines
from gradsheet.qt.grid.copying import PasteWhat
from gradsheet.qt.grid.formatting import SCALES
from gradsheet.qt.theme import ROLE_COLOURS

if TYPE_CHECKING:
    from gradsheet.qt.main_window import MainWindow

GRID_COMMANDS: dict[str, Command] = {}
_grid = partial(command, table=GRID_COMMANDS)

GRID_KEYS = frozenset(
    {
        "edit.paste_special", "edit.paste_values", "cells.insert", "cells.delete", "rows.hide",
        "rows.sort", "rows.filter",
        "rows.unhide", "columns.hide", "columns.unhide", "format.cells", "format.bold",
        "format.italic", "format.more_decimals", "format.fewer_decimals", "note.edit",
        "trace.precedents", "trace.dependents", "trace.clear",
        *(f"format.number.{name}" for name in formatting.NUMBER_FORMATS),
    }
)  # fmt: skip
"""Their keys count only while the grid has the focus."""


# ------------------------------------------------------------------------------ Edit


@_grid("edit.paste_special", "Paste special…", menu="Edit", shortcuts=("Ctrl+Alt+V",),
       icon="clipboard-list", group=1)  # fmt: skip
def paste_special(window: MainWindow) -> None:
    """Choose what is pasted: formulas, values, formats; turned, without blanks."""
    window.tools.paste_special()


@_grid("edit.paste_values", "Paste values", menu="Edit", shortcuts=("Ctrl+Shift+V",),
       icon="clipboard-type", group=1)  # fmt: skip
def paste_values(window: MainWindow) -> None:
    """Paste what the copied formulas give, without formulas and formats."""
    window.grid.paste(PasteWhat("values", looks=False))


@_grid("edit.find", "Find…", menu="Edit", shortcuts=("Ctrl+F",), icon="search", group=3)
def find(window: MainWindow) -> None:
    """Look for a text, a number or a part of a formula."""
    window.tools.find(replace=False)


@_grid("edit.replace", "Find and replace…", menu="Edit", shortcuts=("Ctrl+H",), icon="replace",
       group=3)  # fmt: skip
def replace(window: MainWindow) -> None:
    """Look for a text and put another in its place."""
    window.tools.find(replace=True)


@_grid("edit.go_to", "Go to…", menu="Edit", shortcuts=("Ctrl+G",), icon="locate-fixed", group=3)
def go_to(window: MainWindow) -> None:
    """Go to an address, a name or a range of the model."""
    window.tools.go_to()


# ------------------------------------------------------------------------------ View


@_grid("view.freeze", "Freeze panes here", menu="View", icon="snowflake", group=4,
       checked=lambda window: window.grid.sheet.frozen != (0, 0))  # fmt: skip
def freeze(window: MainWindow) -> None:
    """Keep what is above and left of the current cell in sight; again lets it go."""
    lines.freeze_here(window.grid)


@_grid("view.freeze_row", "Freeze the top row", menu="View", icon="panel-top", group=4)
def freeze_row(window: MainWindow) -> None:
    """Keep row 1 in sight."""
    lines.freeze(window.grid, 1, 0)


@_grid("view.freeze_column", "Freeze the first column", menu="View", icon="panel-left-close",
       group=4)  # fmt: skip
def freeze_column(window: MainWindow) -> None:
    """Keep column A in sight."""
    lines.freeze(window.grid, 0, 1)


# ------------------------------------------------------------------------------ rows, columns


@_grid("cells.insert", "Insert rows or columns", menu="Sheet", shortcuts=("Ctrl+Alt+=",),
       icon="square-plus", group=2)  # fmt: skip
def insert_lines(window: MainWindow) -> None:
    """Insert as many columns as are selected whole, else as many rows as are selected."""
    lines.insert(window.grid, _axis(window))


@_grid("cells.delete", "Delete rows or columns", menu="Sheet", shortcuts=("Ctrl+Alt+-",),
       icon="square-minus", group=2)  # fmt: skip
def delete_lines(window: MainWindow) -> None:
    """Delete the columns that are selected whole, else the rows of the selection."""
    lines.delete(window.grid, _axis(window))


@_grid("rows.sort", "Sort rows by this column", menu="Sheet", shortcuts=("Ctrl+Alt+O",),
       icon="arrow-down-wide-narrow", group=2)  # fmt: skip
def sort_rows(window: MainWindow) -> None:
    """Sort a table by the current column: ascending, again descending, again as in the file."""
    window.tools.sorting.sort()


@_grid("rows.filter", "Filter rows…", menu="Sheet", shortcuts=("Ctrl+Alt+F",),
       icon="list-filter", group=2)  # fmt: skip
def filter_rows(window: MainWindow) -> None:
    """Show only the rows of a table that fit conditions on its columns."""
    window.tools.filter()


@_grid("rows.show_all", "Show all rows", menu="Sheet", icon="list", group=2,
       enabled=lambda window: window.tools.is_filtered,
       needs="No rows are filtered out on this sheet")  # fmt: skip
def show_all_rows(window: MainWindow) -> None:
    """Take the conditions on a table's columns away."""
    window.filter_bar.show_all()


def _axis(window: MainWindow) -> lines.Axis:
    grid = window.grid
    is_columns = all(region.rows == grid.extent.rows for region in grid.selection)
    return "column" if is_columns else "row"


def _declare_lines() -> None:
    """The same commands for rows and for columns."""
    for axis, menu, keys in (
        ("row", "Sheet/Rows", {"hide": ("Ctrl+9",), "unhide": ("Ctrl+Shift+9",)}),
        ("column", "Sheet/Columns", {"hide": ("Ctrl+Alt+0",), "unhide": ("Ctrl+Shift+0",)}),
    ):
        before, after = ("above", "below") if axis == "row" else ("left", "right")
        line = "rows" if axis == "row" else "columns"
        table = (
            ("insert", f"Insert {line} {before}", _insert, f"between-{_across(axis)}-start",
             f"Insert as many {line} as are selected; formulas follow."),
            ("insert_after", f"Insert {line} {after}", _insert_after,
             f"between-{_across(axis)}-end",
             f"Insert as many {line} as are selected after them; formulas follow."),
            ("delete", f"Delete {line}", _delete, "list-x" if axis == "row" else "circle-slash-2",
             f"Delete the selected {line}; formulas close up."),
            ("hide", f"Hide {line}", _hide, "eye-off", f"Hide the selected {line}."),
            ("unhide", f"Show hidden {line}", _unhide, "eye",
             f"Show the hidden {line} in and beside the selection again."),
            ("fit", f"Fit {line}", _fit, f"move-{'vertical' if axis == 'row' else 'horizontal'}",
             f"Make the selected {line} as large as what they hold."),
        )  # fmt: skip
        for name, title, run, icon, about in table:
            entry = partial(run, axis=axis)
            entry.__doc__ = about  # type: ignore[attr-defined]
            _grid(f"{line}.{name}", title, menu=menu, shortcuts=keys.get(name, ()), icon=icon,
                  group=2)(entry)  # fmt: skip


def _across(axis: str) -> str:
    return "horizontal" if axis == "row" else "vertical"


def _insert(window: MainWindow, axis: lines.Axis) -> None:
    lines.insert(window.grid, axis)


def _insert_after(window: MainWindow, axis: lines.Axis) -> None:
    lines.insert(window.grid, axis, after=True)


def _delete(window: MainWindow, axis: lines.Axis) -> None:
    lines.delete(window.grid, axis)


def _hide(window: MainWindow, axis: lines.Axis) -> None:
    lines.hide(window.grid, axis)


def _unhide(window: MainWindow, axis: lines.Axis) -> None:
    lines.unhide(window.grid, axis)


def _fit(window: MainWindow, axis: lines.Axis) -> None:
    chosen = [i for first, stop in lines.spans(window.grid, axis) for i in range(first, stop)]
    lines.fit(window.grid, chosen[: lines.MOST_LINES], axis == "column")


_declare_lines()


# ------------------------------------------------------------------------------ formats


@_grid("format.cells", "Format cells…", menu="Sheet/Format", shortcuts=("Ctrl+1",),
       icon="sliders-horizontal", group=3)  # fmt: skip
def format_cells(window: MainWindow) -> None:
    """Choose number format, decimals, alignment and letters."""
    window.tools.format_cells()


def _declare_formats() -> None:
    for name, (title, code, keys, icon, about) in formatting.NUMBER_FORMATS.items():

        def choose(window: MainWindow, code: str = code, title: str = title) -> None:
            formatting.set_number_format(window.grid, code, title)

        choose.__doc__ = about
        _grid(f"format.number.{name}", title, menu="Sheet/Format", shortcuts=keys, icon=icon,
              group=3)(choose)  # fmt: skip


_declare_formats()


@_grid("format.more_decimals", "More decimals", menu="Sheet/Format", shortcuts=("Ctrl+Alt+.",),
       icon="decimals-arrow-right", group=3)  # fmt: skip
def more_decimals(window: MainWindow) -> None:
    """Show one decimal more; the value stays."""
    formatting.change_decimals(window.grid, +1)


@_grid("format.fewer_decimals", "Fewer decimals", menu="Sheet/Format", shortcuts=("Ctrl+Alt+,",),
       icon="decimals-arrow-left", group=3)  # fmt: skip
def fewer_decimals(window: MainWindow) -> None:
    """Show one decimal less; the value stays."""
    formatting.change_decimals(window.grid, -1)


@_grid("format.bold", "Bold", menu="Sheet/Format", shortcuts=("Ctrl+B",), icon="bold", group=3,
       checked=lambda window: formatting.look_now(window.grid).bold)  # fmt: skip
def bold(window: MainWindow) -> None:
    """Make the letters of the selected cells bold, or regular again."""
    formatting.toggle(window.grid, "bold")


@_grid("format.italic", "Italic", menu="Sheet/Format", shortcuts=("Ctrl+I",), icon="italic",
       group=3, checked=lambda window: formatting.look_now(window.grid).italic)  # fmt: skip
def italic(window: MainWindow) -> None:
    """Make the letters of the selected cells italic, or upright again."""
    formatting.toggle(window.grid, "italic")


def _declare_scales() -> None:
    for name, scale in SCALES.items():

        def choose(window: MainWindow, name: str = name) -> None:
            formatting.set_scale(window.grid, name)

        choose.__doc__ = scale.help
        _grid(f"heat.{name}", scale.title, menu="Sheet/Colour scale", icon=scale.icon,
              group=3)(choose)  # fmt: skip

    def remove(window: MainWindow) -> None:
        """Take the colour scales away that reach into the selection."""
        formatting.set_scale(window.grid, None)

    _grid("heat.none", "No colour scale", menu="Sheet/Colour scale", icon="eraser", group=3,
          enabled=lambda window: formatting.has_scale(window.grid))(remove)  # fmt: skip


_declare_scales()


# ------------------------------------------------------------------------------ names, notes


@_grid("names.manage", "Names…", menu="Sheet", shortcuts=("Ctrl+F3",), icon="tags", group=4)
def manage_names(window: MainWindow) -> None:
    """List, define, change and remove names for cells."""
    window.tools.manage_names()


@_grid("note.edit", "Note…", menu="Sheet", shortcuts=("Shift+F2",), icon="sticky-note", group=4)
def edit_note(window: MainWindow) -> None:
    """Write a note on the current cell; it shows when the pointer rests there."""
    window.tools.edit_note()


@_grid("note.remove", "Remove note", menu="Sheet", icon="message-square-x", group=4,
       enabled=lambda window: window.grid.current in window.grid.sheet.notes)  # fmt: skip
def remove_note(window: MainWindow) -> None:
    """Take the note off the current cell."""
    window.tools.remove_note()


# ------------------------------------------------------------------------------ tracing


@_grid("trace.precedents", "What it reads", menu="Sheet/Trace", shortcuts=("Ctrl+[",),
       icon="arrow-down-to-dot", group=4)  # fmt: skip
def trace_precedents(window: MainWindow) -> None:
    """Draw arrows from the cells that the current formula reads; again goes further back."""
    window.tools.trace("precedent")


@_grid("trace.dependents", "What reads it", menu="Sheet/Trace", shortcuts=("Ctrl+]",),
       icon="arrow-up-from-dot", group=4)  # fmt: skip
def trace_dependents(window: MainWindow) -> None:
    """Draw arrows to the cells that read the current one; again goes further on."""
    window.tools.trace("dependent")


@_grid("trace.clear", "Remove arrows", menu="Sheet/Trace", shortcuts=("Ctrl+Shift+A",),
       icon="route-off", group=4,
       enabled=lambda window: bool(window.grid.overlay.arrows))  # fmt: skip
def clear_trace(window: MainWindow) -> None:
    """Take the arrows away."""
    window.grid.overlay.set_arrows(())


# ------------------------------------------------------------------------------ sheets


def _has_sheets(window: MainWindow) -> bool:
    return len(window.document.workbook.sheets) > 1


@_grid("sheet.add", "Add sheet", menu="Sheet", shortcuts=("Shift+F11",), icon="plus", group=5)
def add_sheet(window: MainWindow) -> None:
    """Add an empty sheet behind this one."""
    window.tools.add_sheet()


@_grid("sheet.rename", "Rename sheet", menu="Sheet", icon="text-cursor-input", group=5)
def rename_sheet(window: MainWindow) -> None:
    """Give this sheet another name; formulas follow."""
    window.tabs.edit_name()


@_grid("sheet.duplicate", "Duplicate sheet", menu="Sheet", icon="copy-plus", group=5)
def duplicate_sheet(window: MainWindow) -> None:
    """Add a copy of this sheet behind it."""
    window.tools.duplicate_sheet()


@_grid("sheet.delete", "Delete sheet", menu="Sheet", icon="trash-2", group=5,
       enabled=_has_sheets)  # fmt: skip
def delete_sheet(window: MainWindow) -> None:
    """Remove this sheet; undo brings it back."""
    window.tools.delete_sheet()


@_grid("sheet.move_left", "Move sheet left", menu="Sheet", shortcuts=("Ctrl+Shift+PgUp",),
       icon="arrow-left", group=5, enabled=_has_sheets)  # fmt: skip
def move_sheet_left(window: MainWindow) -> None:
    """Move this sheet one place to the left."""
    window.tools.move_sheet(-1)


@_grid("sheet.move_right", "Move sheet right", menu="Sheet", shortcuts=("Ctrl+Shift+PgDown",),
       icon="arrow-right", group=5, enabled=_has_sheets)  # fmt: skip
def move_sheet_right(window: MainWindow) -> None:
    """Move this sheet one place to the right."""
    window.tools.move_sheet(+1)


def _declare_tab_colours() -> None:
    names = {
        "data": "Blue", "prediction": "Purple", "loss": "Vermilion", "item": "Green",
        "user": "Orange", "parameter": "Sky blue",
    }  # fmt: skip
    for role, title in names.items():

        def choose(window: MainWindow, colour: str = ROLE_COLOURS[role]) -> None:
            window.tools.colour_tab(colour)

        choose.__doc__ = f"Colour the tab of this sheet: {title.lower()}."
        _grid(f"sheet.colour.{role}", title, menu="Sheet/Tab colour", icon="paint-bucket",
              group=5)(choose)  # fmt: skip

    def remove(window: MainWindow) -> None:
        """Take the colour off the tab of this sheet."""
        window.tools.colour_tab("")

    _grid("sheet.colour.none", "No colour", menu="Sheet/Tab colour", icon="eraser",
          group=5)(remove)  # fmt: skip


_declare_tab_colours()
