"""The commands of the View menu that show and hide the docks which one part of the window keeps.

Owns how such a command is declared. Must not know which docks there are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from gradsheet.app.commands import command
from gradsheet.qt.actions import WINDOW_COMMANDS

if TYPE_CHECKING:
    from gradsheet.qt.main_window import MainWindow


class Docks(Protocol):
    """What keeps docks, by name."""

    def toggle(self, name: str) -> None:
        """Show a dock, or hide it."""

    def is_open(self, name: str) -> bool:
        """Whether a dock shows."""


def declare_docks(
    docks: Mapping[str, tuple[str, str, str, str]],
    kept_by: Callable[[MainWindow], Docks],
    group: int,
    **rest: Any,
) -> None:
    """Enter ``view.NAME`` for each dock into the window's table.

    Parameters
    ----------
    docks : title, icon, keys (or none) and help by name
    kept_by : what of a window keeps these docks
    group : of the menu
    rest : further arguments of `command`
    """
    for name, (title, icon, keys, about) in docks.items():

        def toggle(window: MainWindow, name: str = name) -> None:
            kept_by(window).toggle(name)

        def is_open(window: MainWindow, name: str = name) -> bool:
            return kept_by(window).is_open(name)

        toggle.__doc__ = about
        command(
            f"view.{name}", title, menu="View", shortcuts=(keys,) if keys else (), group=group,
            icon=icon, checked=is_open, table=WINDOW_COMMANDS, **rest,
        )(toggle)  # fmt: skip
