"""The context menus of cells, headers and tabs.

Owns what stands in them; the entries are the actions of the menu bar, so that keys, icons and
help are the same everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from gradsheet.qt.actions import all_commands

_CLIPBOARD = ("edit.cut", "edit.copy", "edit.paste", "edit.paste_special", "edit.paste_values")
_MENUS: dict[str, tuple[Sequence[str], ...]] = {
    "cells": (
        _CLIPBOARD,
        ("rows.insert", "columns.insert", "rows.delete", "columns.delete", "edit.clear"),
        ("format.cells", ">Sheet/Format", ">Sheet/Colour scale", ">Sheet/Role"),
        ("note.edit", "note.remove", ">Sheet/Trace"),
    ),
    "columns": (
        _CLIPBOARD,
        ("columns.insert", "columns.insert_after", "columns.delete", "edit.clear"),
        ("columns.hide", "columns.unhide", "columns.fit", "rows.sort", "rows.filter"),
        ("format.cells", ">Sheet/Colour scale", ">Sheet/Role"),
    ),
    "rows": (
        _CLIPBOARD,
        ("rows.insert", "rows.insert_after", "rows.delete", "edit.clear"),
        ("rows.hide", "rows.unhide", "rows.fit", "rows.size"),
        ("rows.move_up", "rows.move_down"),
        ("format.cells", ">Sheet/Colour scale", ">Sheet/Role"),
    ),
    "corner": (
        _CLIPBOARD,
        ("rows.unhide", "columns.unhide", "columns.fit"),
        ("format.cells",),
    ),
}
"""Ids of commands in groups; `>` and a menu's name stands for all its commands, in a submenu."""
_TABS: tuple[Sequence[str], ...] = (
    ("sheet.add", "sheet.duplicate", "sheet.rename", "sheet.delete"),
    ("sheet.move_left", "sheet.move_right", ">Sheet/Tab colour"),
)


def cell_menu(actions: Mapping[str, QAction], place: str, parent: QWidget) -> QMenu:
    """The menu of "cells", "columns", "rows" or "corner"; it is gone when it closes."""
    return _menu(actions, _MENUS[place], parent)


def tab_menu(actions: Mapping[str, QAction], parent: QWidget) -> QMenu:
    """The menu of a sheet's tab."""
    return _menu(actions, _TABS, parent)


def _menu(
    actions: Mapping[str, QAction], groups: Sequence[Sequence[str]], parent: QWidget
) -> QMenu:
    menu = QMenu(parent)
    menu.setObjectName("contextMenu")
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    for group in groups:
        if not menu.isEmpty():
            menu.addSeparator()
        for name in group:
            if name.startswith(">"):
                _add_submenu(menu, actions, name[1:])
            elif name in actions:
                menu.addAction(actions[name])
    return menu


def _add_submenu(menu: QMenu, actions: Mapping[str, QAction], path: str) -> None:
    names = [entry.id for entry in all_commands().values() if entry.menu == path]
    if names:
        submenu = menu.addMenu(path.partition("/")[2])
        for name in names:
            submenu.addAction(actions[name])
