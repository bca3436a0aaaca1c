"""Commands for lines and series that hands would drag: move, resize, go on, by the keyboard.

Owns their titles and keys, in the table of `grid_commands`; what each does is asked of the grid.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from gradsheet.qt.grid import lines
from gradsheet.qt.grid_commands import _grid

if TYPE_CHECKING:
    from gradsheet.qt.main_window import MainWindow

LINE_KEYS = frozenset(
    {"sheet.fill_series", "rows.move_up", "rows.move_down", "columns.move_left",
     "columns.move_right"}
)  # fmt: skip
"""Their keys count only while the grid has the focus."""


@_grid("sheet.fill_series", "Fill series", menu="Sheet", shortcuts=("Ctrl+Alt+D",),
       icon="list-ordered", group=1)  # fmt: skip
def fill_series(window: MainWindow) -> None:
    """Go on with the one or two numbers at the start of the selection, as its handle would."""
    lines.fill_series(window.grid)


def _move(window: MainWindow, axis: lines.Axis, forward: bool) -> None:
    lines.move(window.grid, axis, forward)


def _size(window: MainWindow, axis: lines.Axis) -> None:
    window.tools.line_size(axis)


def _declare() -> None:
    axes: tuple[tuple[lines.Axis, str, str, str, str], ...] = (
        ("row", "rows", "up", "down", "height"),
        ("column", "columns", "left", "right", "width"),
    )
    for axis, many, back, on, size in axes:
        menu = f"Sheet/{many.title()}"
        for way, forward in ((back, False), (on, True)):
            move = partial(_move, axis=axis, forward=forward)
            move.__doc__ = f"Move the selected {many} past their neighbour; formulas follow."  # type: ignore[attr-defined]
            name, title, keys = f"{many}.move_{way}", f"Move {many} {way}", f"Alt+Shift+{way}"
            icon = f"move-{way}"
            _grid(name, title, menu=menu, shortcuts=(keys.title(),), icon=icon, group=2)(move)
        ask = partial(_size, axis=axis)
        ask.__doc__ = f"Give the selected {many} a {size} in pixels."  # type: ignore[attr-defined]
        icon = f"unfold-{'vertical' if axis == 'row' else 'horizontal'}"
        _grid(f"{many}.size", f"{axis.title()} {size}…", menu=menu, icon=icon, group=2)(ask)


_declare()
