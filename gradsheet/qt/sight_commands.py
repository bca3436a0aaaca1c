"""Commands of what cells know and of how it is seen: roles, gradients, explanations, presentation.

Owns their titles, keys and menus, in the form of `actions`; what each does is asked of the
window's `sight`. Importing it enters them into the table.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from gradsheet.app.commands import command
from gradsheet.qt.actions import WINDOW_COMMANDS
from gradsheet.qt.explain_line import TITLES
from gradsheet.sheet.roles import Role

if TYPE_CHECKING:
    from gradsheet.formula.explain import Language
    from gradsheet.qt.main_window import MainWindow

_sight = partial(command, table=WINDOW_COMMANDS)
_ROLES: tuple[tuple[str, Role | None, str, str, str], ...] = (
    ("none", None, "ban", "No role", "Take the role from these cells."),
    ("parameter", Role.PARAMETER, "cross", "Parameter", "Training may change these numbers."),
    ("data", Role.DATA, "circle", "Data", "These numbers are given: what is to be predicted."),
    ("prediction", Role.PREDICTION, "diamond", "Prediction", "These cells are what comes out."),
    ("loss", Role.LOSS, "triangle", "Loss", "This one cell is to be made small."),
)
"""Name, role, icon (as its sign in the grid), title and help; the key is Alt and the place."""
_LANGUAGE_ICONS = {"excel": "table", "maths": "radical", "pytorch": "flame"}
RATES = {"×10": 10.0, "×1": 1.0, "×0.1": 0.1}


# ------------------------------------------------------------------------------ View


@_sight("view.gradients", "Gradients", menu="View", shortcuts=("F7",),
        icon="sigma", group=1, checked=lambda window: window.sight.layer.is_on)  # fmt: skip
def toggle_gradients(window: MainWindow) -> None:
    """Show d loss / d cell over every cell on the way to the loss, and the way it would move."""
    window.sight.toggle_gradients()


@_sight("view.legend", "Legend of roles", menu="View", icon="list", group=1,
        checked=lambda window: window.sight.has_legend)  # fmt: skip
def toggle_legend(window: MainWindow) -> None:
    """Show or hide what the colours and signs of the ranges mean."""
    window.sight.toggle_legend()


@_sight("view.explain", "Explain line", menu="View", shortcuts=("Ctrl+Shift+X",),
        icon="panel-top", group=1, checked=lambda window: window.sight.is_explaining)  # fmt: skip
def toggle_explain(window: MainWindow) -> None:
    """Show or hide the current cell with its numbers put in."""
    window.sight.toggle_explain()


@_sight("view.explain.next", "Next language", menu="View/Explain in", shortcuts=("F8",),
        icon="languages", group=1)  # fmt: skip
def next_language(window: MainWindow) -> None:
    """Explain the cell as Excel, then as mathematics, then as PyTorch."""
    window.sight.explain.next_language()


def _declare_languages() -> None:
    for name, title in TITLES.items():

        def choose(window: MainWindow, name: Language = name) -> None:
            window.sight.explain_in(name)

        def is_chosen(window: MainWindow, name: Language = name) -> bool:
            return bool(window.sight.explain.language == name)

        choose.__doc__ = f"Explain the current cell in {title}."
        _sight(f"view.explain.{name}", title, menu="View/Explain in", group=1,
               icon=_LANGUAGE_ICONS[name], checked=is_chosen)(choose)  # fmt: skip


_declare_languages()


@_sight("view.presentation", "Presentation mode", menu="View", shortcuts=("F11",),
        icon="presentation", group=3,
        checked=lambda window: window.sight.presentation.is_on)  # fmt: skip
def toggle_presentation(window: MainWindow) -> None:
    """Fill the screen with larger letters, headers, plots and pens; again gives the sizes back."""
    window.sight.presentation.toggle(window.settings.presentation_scale)


# ------------------------------------------------------------------------------ Sheet > Role


def _declare_roles() -> None:
    for key, (name, role, icon, title, about) in enumerate(_ROLES):

        def give(window: MainWindow, role: Role | None = role) -> None:
            window.sight.set_role(role)

        def is_it(window: MainWindow, role: Role | None = role) -> bool:
            return bool(window.sight.current_role() is role)

        give.__doc__ = about
        _sight(f"role.{name}", title, menu="Sheet/Role", shortcuts=(f"Alt+{key}",),
               icon=icon, group=2, checked=is_it)(give)  # fmt: skip


_declare_roles()


@_sight("role.lock", "Lock (freeze)", menu="Sheet/Role", shortcuts=("Alt+5",), icon="lock",
        group=2, checked=lambda window: window.sight.is_locked)  # fmt: skip
def toggle_lock(window: MainWindow) -> None:
    """Let training leave the selected parameters as they are, or change them again."""
    window.sight.toggle_lock()


def _declare_rates() -> None:
    for title, factor in RATES.items():

        def scale(window: MainWindow, factor: float = factor) -> None:
            window.sight.set_rate(factor)

        scale.__doc__ = f"Learn the selected parameters with {title} the rate."
        _sight(f"role.rate.{factor:g}", f"Rate {title}", menu="Sheet/Role", icon="gauge",
               group=2)(scale)  # fmt: skip


_declare_rates()


# ------------------------------------------------------------------------------ Help


@_sight("help.palette", "All commands…", menu="Help", shortcuts=("Ctrl+Shift+P",),
        icon="command")  # fmt: skip
def open_palette(window: MainWindow) -> None:
    """Find any command by a few letters of its name."""
    window.sight.palette.open()
