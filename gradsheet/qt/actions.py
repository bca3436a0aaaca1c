"""Commands turned into actions: menus, shortcuts, icons and tooltips come from one table.

Owns the table of commands that need a window, and the QActions of both tables. What a command
does is asked of the document (`gradsheet.app.commands`) or of the window, never done here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QIcon, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from gradsheet.app.commands import COMMANDS, Command, command
from gradsheet.app.messages import doing, message_of
from gradsheet.formula.values import UserError
from gradsheet.qt import icons
from gradsheet.qt.export.commands import EXPORT_COMMANDS
from gradsheet.qt.file_commands import FILE_COMMANDS
from gradsheet.qt.grid_commands import GRID_COMMANDS, GRID_KEYS
from gradsheet.qt.line_commands import LINE_KEYS
from gradsheet.qt.ratings.commands import RATINGS_COMMANDS

if TYPE_CHECKING:
    from gradsheet.app.document import Document
    from gradsheet.qt.main_window import MainWindow

MENUS = ("File", "Edit", "View", "Sheet", "Train", "Lesson", "Help")
THEMES = {"system": "As the system", "light": "Light", "dark": "Dark", "contrast": "High contrast"}
THEME_ICONS = {"system": "monitor", "light": "sun", "dark": "moon", "contrast": "contrast"}

WINDOW_COMMANDS: dict[str, Command] = {}

GRID_ONLY = frozenset(
    {"edit.cut", "edit.copy", "edit.paste", "edit.clear", "edit.cell", "sheet.fill_down",
     "sheet.fill_right"}
) | GRID_KEYS | LINE_KEYS  # fmt: skip
"""Their keys count only while the grid has the focus; text fields have keys of their own."""

_window = partial(command, table=WINDOW_COMMANDS)


# ------------------------------------------------------------------------------ File


@_window("file.open_ratings", "Open ratings…", menu="File", shortcuts=("Ctrl+Shift+O",),
         icon="table-2")  # fmt: skip
def open_ratings(window: MainWindow) -> None:
    """Open a file of ratings: CSV, TSV, a MovieLens folder or zip."""
    window.ask_for_ratings()


@_window("file.quit", "Quit", menu="File", shortcuts=("Ctrl+Q",), icon="power", group=9)
def quit_program(window: MainWindow) -> None:
    """Close the window and end the program."""
    window.close()


# ------------------------------------------------------------------------------ Edit


@_window("edit.cut", "Cut", menu="Edit", shortcuts=("Ctrl+X",), icon="scissors", group=1)
def cut(window: MainWindow) -> None:
    """Copy the selected cells and clear them."""
    window.grid.cut()


@_window("edit.copy", "Copy", menu="Edit", shortcuts=("Ctrl+C",), icon="copy", group=1)
def copy(window: MainWindow) -> None:
    """Copy the selected cells, values and formulas."""
    window.grid.copy()


@_window("edit.paste", "Paste", menu="Edit", shortcuts=("Ctrl+V",), icon="clipboard-paste",
         group=1)  # fmt: skip
def paste(window: MainWindow) -> None:
    """Put the copied cells where the selection is."""
    window.grid.paste()


@_window("edit.clear", "Clear", menu="Edit", shortcuts=("Del",), icon="eraser", group=1)
def clear(window: MainWindow) -> None:
    """Empty the selected cells."""
    window.grid.clear()


@_window("edit.cell", "Edit cell", menu="Edit", shortcuts=("F2",), icon="pencil", group=2)
def edit_cell(window: MainWindow) -> None:
    """Edit the current cell where it stands."""
    window.grid.edit()


# ------------------------------------------------------------------------------ View


@_window("view.zoom_in", "Zoom in", menu="View", shortcuts=("Ctrl++", "Ctrl+="), icon="zoom-in")
def zoom_in(window: MainWindow) -> None:
    """Show the sheet larger."""
    window.zoom(+1)


@_window("view.zoom_out", "Zoom out", menu="View", shortcuts=("Ctrl+-",), icon="zoom-out")
def zoom_out(window: MainWindow) -> None:
    """Show the sheet smaller."""
    window.zoom(-1)


@_window("view.zoom_reset", "Normal size", menu="View", shortcuts=("Ctrl+0",), icon="scan")
def zoom_reset(window: MainWindow) -> None:
    """Show the sheet at 100 %."""
    window.zoom(0)


@_window("view.lessons", "Lessons and guide", menu="View", shortcuts=("Ctrl+Shift+L",),
         icon="panel-left", group=1,
         checked=lambda window: window.is_panel_open("lessons"))  # fmt: skip
def toggle_lessons(window: MainWindow) -> None:
    """Show or hide the list of lessons and the guide."""
    window.toggle_panel("lessons")


@_window("view.loss", "Loss plot", menu="View", shortcuts=("Ctrl+Alt+P",), icon="panel-right",
         group=1, checked=lambda window: window.is_panel_open("loss"))  # fmt: skip
def toggle_loss(window: MainWindow) -> None:
    """Show or hide the curve of the loss."""
    window.toggle_panel("loss")


@_window("view.log_loss", "Logarithmic loss axis", menu="View", shortcuts=("Ctrl+L",),
         icon="chart-line", group=1, checked=lambda window: window.loss_plot.is_log)  # fmt: skip
def toggle_log(window: MainWindow) -> None:
    """Draw the loss on a logarithmic or a linear axis."""
    window.loss_plot.set_log(not window.loss_plot.is_log)


def _declare_themes() -> None:
    for name, title in THEMES.items():

        def choose(window: MainWindow, name: str = name) -> None:
            window.choose_theme(name)

        choose.__doc__ = {
            "system": "Light or dark, as the system is set.",
            "light": "Dark text on white.",
            "dark": "Light text on dark grey.",
            "contrast": "White on black, the strongest difference.",
        }[name]

        def is_chosen(window: MainWindow, name: str = name) -> bool:
            return window.settings.theme == name

        _window(f"view.theme.{name}", title, menu="View/Theme", icon=THEME_ICONS[name],
                group=2, checked=is_chosen)(choose)  # fmt: skip


_declare_themes()


@_window("view.full_screen", "Full screen", menu="View", shortcuts=("Ctrl+Shift+F",),
         icon="maximize", group=3, checked=lambda window: window.isFullScreen())  # fmt: skip
def toggle_full_screen(window: MainWindow) -> None:
    """Fill the screen with the window, and back."""
    window.toggle_full_screen()


@_window("view.reset_layout", "Reset layout", menu="View", icon="layout-dashboard", group=3)
def reset_layout(window: MainWindow) -> None:
    """Put every panel back where it was at first."""
    window.reset_layout()


# ------------------------------------------------------------------------------ Sheet


@_window("sheet.next", "Next sheet", menu="Sheet", shortcuts=("Ctrl+PgDown",),
         icon="chevron-right", enabled=lambda window: window.tabs.count() > 1)  # fmt: skip
def next_sheet(window: MainWindow) -> None:
    """Show the sheet to the right."""
    window.move_sheet(+1)


@_window("sheet.previous", "Previous sheet", menu="Sheet", shortcuts=("Ctrl+PgUp",),
         icon="chevron-left", enabled=lambda window: window.tabs.count() > 1)  # fmt: skip
def previous_sheet(window: MainWindow) -> None:
    """Show the sheet to the left."""
    window.move_sheet(-1)


@_window("sheet.loss_cell", "Go to the loss", menu="Sheet", shortcuts=("Ctrl+Shift+G",),
         icon="target")  # fmt: skip
def go_to_loss(window: MainWindow) -> None:
    """Select the cell that training makes small."""
    window.go_to_loss()


@_window("sheet.fill_down", "Fill down", menu="Sheet", shortcuts=("Ctrl+D",),
         icon="arrow-down-to-line", group=1)  # fmt: skip
def fill_down(window: MainWindow) -> None:
    """Copy the top row of the selection into the rows below."""
    window.grid.fill(True)


@_window("sheet.fill_right", "Fill right", menu="Sheet", shortcuts=("Ctrl+R",),
         icon="arrow-right-to-line", group=1)  # fmt: skip
def fill_right(window: MainWindow) -> None:
    """Copy the left column of the selection into the columns to its right."""
    window.grid.fill(False)


# ------------------------------------------------------------------------------ Help


@_window("help.shortcuts", "Keyboard shortcuts", menu="Help", shortcuts=("F1",), icon="keyboard")
def show_shortcuts(window: MainWindow) -> None:
    """List every command with its keys."""
    window.show_shortcuts()


@_window("help.messages", "Messages", menu="Help", shortcuts=("Ctrl+Shift+M",),
         icon="message-square-text",
         checked=lambda window: window.message_log.dock.is_open)  # fmt: skip
def show_messages(window: MainWindow) -> None:
    """Show or hide everything the program has said since it was started, to read and to copy."""
    window.show_messages()


@_window("help.about", "About gradsheet", menu="Help", icon="info", group=1)
def show_about(window: MainWindow) -> None:
    """Show the version, and whose work the program stands on."""
    window.show_about()


# ------------------------------------------------------------------------------ actions


def all_commands() -> dict[str, Command]:
    """Return the commands of the document and of the window by id, in menu order."""
    tables = (FILE_COMMANDS, EXPORT_COMMANDS, RATINGS_COMMANDS, WINDOW_COMMANDS, GRID_COMMANDS)
    return {**COMMANDS, **{name: entry for table in tables for name, entry in table.items()}}


def tooltip(entry: Command) -> str:
    """Return title, keys and help of a command as rich text."""
    keys = " or ".join(_native(key) for key in entry.shortcuts)
    head = f"<b>{entry.title}</b>" + (f"&nbsp;&nbsp;({keys})" if keys else "")
    return f"{head}<br>{entry.help}"


def _native(key: str) -> str:
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)


class Actions(QObject):
    """The QActions of all commands, by id.

    Parameters
    ----------
    document : Document
        Context of the commands of `gradsheet.app.commands`.
    window : MainWindow
        Context of the window's own commands; owner of the actions.
    """

    def __init__(self, document: Document, window: MainWindow) -> None:
        super().__init__(window)
        self._document = document
        self._window = window
        self.by_id: dict[str, QAction] = {}
        for entry in all_commands().values():
            self.by_id[entry.id] = self._make(entry)

    def _make(self, entry: Command) -> QAction:
        action = QAction(entry.title, self._window)
        action.setObjectName(entry.id)
        action.setShortcuts([QKeySequence(key) for key in entry.shortcuts])
        action.setToolTip(tooltip(entry))
        action.setIcon(_icon_of(entry))
        # No status tip: it would push the run's numbers out of the status bar.
        action.setCheckable(entry.is_checked is not None)
        action.setIconVisibleInMenu(entry.is_checked is None)  # the check mark takes its place
        # A held key may repeat a step or a zoom, but must not toggle a run twice.
        repeats = ("train.step", "train.back", "view.zoom_in", "view.zoom_out")
        action.setAutoRepeat(entry.id in repeats)
        if entry.id in GRID_ONLY:
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        else:
            self._window.addAction(action)
        action.triggered.connect(partial(self._trigger, entry))
        return action

    def attach_to_grid(self, grid: QWidget) -> None:
        """Let the keys of the commands in `GRID_ONLY` work while the grid has the focus."""
        for name in sorted(GRID_ONLY):
            grid.addAction(self.by_id[name])

    def fill(self, bar: QMenuBar, after: Mapping[str, QMenu]) -> None:
        """Make the menus; groups are divided by separators.

        Parameters
        ----------
        bar : QMenuBar
        after : mapping of command id to QMenu
            Menus of the window's own, each to stand behind that command.
        """
        for menu_name in MENUS:
            menu = bar.addMenu(f"&{menu_name}")
            menu.setObjectName(menu_name)
            menu.setToolTipsVisible(True)
            self._fill_menu(menu, menu_name, after)

    def _fill_menu(self, menu: QMenu, menu_name: str, after: Mapping[str, QMenu]) -> None:
        entries = [e for e in all_commands().values() if e.menu.split("/")[0] == menu_name]
        submenus: dict[str, QMenu] = {}
        group: int | None = None
        for entry in sorted(entries, key=_group):
            if group is not None and entry.group != group:
                menu.addSeparator()
            group = entry.group
            target = menu
            if "/" in entry.menu:
                title = entry.menu.split("/")[1]
                if title not in submenus:
                    submenus[title] = menu.addMenu(title)
                    submenus[title].setToolTipsVisible(True)
                target = submenus[title]
            target.addAction(self.by_id[entry.id])
            if entry.id in after:
                target.addMenu(after[entry.id])

    def refresh(self) -> None:
        """Enable and check what the document and the window allow and show now."""
        for entry in all_commands().values():
            action = self.by_id[entry.id]
            context = self._context(entry)
            action.setEnabled(entry.is_enabled(context))
            if entry.is_checked is not None:
                action.setChecked(entry.is_checked(context))

        history = self._document.history
        self.by_id["edit.undo"].setText(f"Undo {history.undo_label}".strip())
        self.by_id["edit.redo"].setText(f"Redo {history.redo_label}".strip())

    def retint(self) -> None:
        """Load the icons again in the colours of a new theme."""
        for entry in all_commands().values():
            self.by_id[entry.id].setIcon(_icon_of(entry))

    def _context(self, entry: Command) -> Document | MainWindow:
        return self._document if entry.id in COMMANDS else self._window

    def _trigger(self, entry: Command, _checked: bool = False) -> None:
        care = self._window.care
        if care is not None and care.asks_before(entry.id):
            care.ask(partial(self._run, entry))
        else:
            self._run(entry)

    def _run(self, entry: Command) -> None:
        try:
            with doing(f'doing "{entry.title}"'):
                entry.run(self._context(entry))
        except UserError as error:
            self._document.say(message_of(error, entry.title))
        self._window.after_command()


def _icon_of(entry: Command) -> QIcon:
    # A drawing that an installation lacks is no reason to open no window; the tests demand all.
    try:
        return icons.icon(entry.icon)
    except FileNotFoundError:
        return QIcon()


def _group(entry: Command) -> int:
    return entry.group


def shortcut_table() -> list[tuple[str, str, str, str]]:
    """Return (menu, title, keys, help) of every command that has keys, in menu order."""
    return [
        (menu, entry.title, ", ".join(_native(key) for key in entry.shortcuts), entry.help)
        for menu in MENUS for entry in all_commands().values()
        if entry.menu.split("/")[0] == menu and entry.shortcuts
    ]


def clashes(tables: Mapping[str, Command] | None = None) -> list[str]:
    """Return keys that two commands claim; there must be none."""
    seen: dict[str, str] = {}
    found = []
    for entry in (tables or all_commands()).values():
        for key in entry.shortcuts:
            if key in seen:
                found.append(f"{key}: {seen[key]} and {entry.id}")
            seen[key] = entry.id
    return found
