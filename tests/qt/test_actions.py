"""Commands become actions: one table, keys claimed once, icons that exist."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QKeySequence
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from gradsheet import resources
from gradsheet.formula.address import Cell
from gradsheet.qt import actions, icons
from gradsheet.qt.main_window import MainWindow

COMMANDS = actions.all_commands()


def test_no_key_is_claimed_twice() -> None:
    assert actions.clashes() == []


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_command_has_help_and_known_keys(name: str) -> None:
    entry = COMMANDS[name]
    assert entry.help.endswith(".")
    assert entry.menu.split("/")[0] in actions.MENUS
    for key in entry.shortcuts:
        assert not QKeySequence(key).isEmpty()
    keys = [
        QKeySequence(k).toString(QKeySequence.SequenceFormat.NativeText) for k in entry.shortcuts
    ]
    assert all(key in actions.tooltip(entry) for key in keys)


@pytest.mark.parametrize("name", sorted(n for n in COMMANDS if not n.startswith("lesson.open.")))
def test_a_command_has_an_icon(qapp: object, name: str) -> None:
    assert COMMANDS[name].icon
    assert not icons.icon(COMMANDS[name].icon).isNull()


def test_no_icon_lies_unused() -> None:
    used = {entry.icon for entry in COMMANDS.values()} | {"gradsheet"}
    for module in Path(icons.__file__).parent.rglob("*.py"):
        used |= set(re.findall(r'"([a-z0-9]+(?:-[a-z0-9]+)*)"', module.read_text("utf-8")))
    drawn = {path.stem for path in resources.path("icons").glob("*.svg")}
    assert drawn - used == set()


def test_the_icons_carry_their_licence() -> None:
    text = resources.path("icons/LICENSE-lucide.txt").read_text("utf-8")
    assert "ISC License" in text


def test_an_icon_is_tinted(qapp: object) -> None:
    image = icons.pixmap("play", 20, QColor("#D55E00")).toImage()
    solid = {
        image.pixelColor(x, y).name()
        for x in range(image.width())
        for y in range(image.height())
        if image.pixelColor(x, y).alpha() == 255
    }
    assert solid == {"#d55e00"}


def test_an_unknown_icon_is_an_error(qapp: object) -> None:
    with pytest.raises(FileNotFoundError):
        icons.icon("no-such-drawing")


def test_every_command_stands_in_its_menu(window: MainWindow) -> None:
    found: dict[str, set[str]] = {}
    for menu in window.menuBar().findChildren(QMenu):
        for action in menu.actions():
            if action.objectName():
                found.setdefault(action.objectName(), set()).add(menu.title().replace("&", ""))
    for name, entry in COMMANDS.items():
        assert found[name] == {entry.menu.split("/")[-1]}
    titles = [a.text().replace("&", "") for a in window.menuBar().actions()]
    assert titles == list(actions.MENUS)


def test_switches_show_whether_they_are_on(window: MainWindow, qtbot: QtBot) -> None:
    action = window.actions_by_id.by_id["view.loss"]
    assert action.isChecked()
    action.trigger()
    assert not window.is_panel_open("loss")
    assert not action.isChecked()
    action.trigger()
    assert window.is_panel_open("loss")
    assert action.isChecked()


def test_undo_names_what_it_takes_back(window: MainWindow, qtbot: QtBot) -> None:
    undo = window.actions_by_id.by_id["edit.undo"]
    assert undo.text() == "Undo"
    window.grid.select(Cell.parse("H2"))
    window.document.enter(window.grid.sheet_id, Cell.parse("H2"), "4.5")
    window.after_command()
    assert undo.text() == "Undo Type into H2"
    undo.trigger()
    assert undo.text() == "Undo"
    assert window.actions_by_id.by_id["edit.redo"].text() == "Redo Type into H2"


def test_what_cannot_be_done_now_is_disabled(window: MainWindow) -> None:
    by_id = window.actions_by_id.by_id
    assert not by_id["edit.undo"].isEnabled()
    assert not by_id["train.reset"].isEnabled()
    assert by_id["train.step"].isEnabled()


def test_a_key_of_another_table_of_commands_is_a_clash() -> None:
    """`command` sees its own table only; a key of the Solver's must not go to the grid too."""
    taken = COMMANDS["train.solver"].shortcuts
    greedy = replace(COMMANDS["rows.sort"], shortcuts=taken)
    assert actions.clashes({**COMMANDS, "rows.sort": greedy}) == [
        f"{taken[0]}: train.solver and rows.sort"
    ]
