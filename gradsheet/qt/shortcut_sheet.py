"""The sheet of keys (F1): every command that has one, menu by menu, in columns.

Owns its layout and its search. The rows come from the table of commands, so that none is missing;
keys of the grid itself, which are no commands, are listed here.
"""

from __future__ import annotations

import html

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLineEdit,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from gradsheet.qt.actions import shortcut_table
from gradsheet.qt.theme import SPACE, current_theme, scale
from gradsheet.qt.widgets.styling import PLAIN_BUTTONS, set_style

WIDTH_PX, HEIGHT_PX = 980, 640
COLUMNS = 2

GRID_KEYS: tuple[tuple[str, str, str], ...] = (
    ("Move", "Arrows, Tab, Enter", "Tab goes right; Enter goes down, back to where Tab began"),
    ("Edge of the block", "Ctrl+Arrow", "With Shift the selection goes along"),
    ("Start and end", "Ctrl+Home, Ctrl+End", "The first cell, the last used one"),
    ("Rows, columns", "Shift+Space, Ctrl+Space", "Select them whole"),
    ("Type", "any character", "Replaces the cell; an arrow key commits"),
    ("Reference", "F4", "While typing a formula: $A$1, A$1, $A1, A1"),
    ("Several cells", "Ctrl+Enter", "Puts what was typed into the whole selection"),
)
"""Title, keys and help of what the grid does itself."""


def rows(query: str = "") -> list[tuple[str, str, str, str]]:
    """(menu, title, keys, help) of every command with keys and of the grid's own keys.

    Parameters
    ----------
    query : only rows that hold every word of it, in either case
    """
    found = [*shortcut_table(), *(("In the grid", *entry) for entry in GRID_KEYS)]
    words = query.casefold().split()
    return [row for row in found if all(word in " ".join(row).casefold() for word in words)]


def sheet_html(query: str = "") -> str:
    """The sheet as rich text in columns of about equal length."""
    groups: dict[str, list[tuple[str, str, str, str]]] = {}
    for row in rows(query):
        groups.setdefault(row[0], []).append(row)
    if not groups:
        return "<p>No key does that. Ctrl+Shift+P finds commands without keys too.</p>"
    total = sum(len(group) + 2 for group in groups.values())
    columns: list[list[str]] = [[]]
    filled = 0
    for menu, group in groups.items():
        if filled > total / COLUMNS * len(columns) - 3 and len(columns) < COLUMNS:
            columns.append([])
        columns[-1].append(_group_html(menu, group))
        filled += len(group) + 2
    cells = "".join(
        f"<td width='{100 // COLUMNS}%' valign='top'>{''.join(column)}</td>" for column in columns
    )
    return f"<table width='100%' cellspacing='0' cellpadding='8'><tr>{cells}</tr></table>"


def _group_html(menu: str, group: list[tuple[str, str, str, str]]) -> str:
    theme = current_theme()
    parts = [f"<p><b>{html.escape(menu)}</b></p><table cellspacing='0' cellpadding='3'>"]
    for _, title, keys, about in group:
        parts.append(
            f"<tr><td><b>{html.escape(keys)}</b>&nbsp;&nbsp;</td><td>{html.escape(title)}"
            f"<br><span style='color:{theme.muted}'>{html.escape(about)}</span></td></tr>"
        )
    return "".join([*parts, "</table>"])


class ShortcutSheet(QDialog):
    """The sheet, with a line to search in; never modal."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Keyboard shortcuts")
        available = self.screen().availableGeometry()
        self.resize(
            min(round(WIDTH_PX * scale()), available.width() - 8 * SPACE),
            min(round(HEIGHT_PX * scale()), available.height() - 12 * SPACE),
        )
        set_style(self, PLAIN_BUTTONS)
        self.search = QLineEdit(self)
        self.search.setPlaceholderText("Search keys and commands")
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName("Search keys and commands")
        self.text = QTextBrowser(self)
        self.text.setAccessibleName("Keyboard shortcuts")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.setSpacing(SPACE)
        column.addWidget(self.search)
        column.addWidget(self.text, 1)
        column.addWidget(buttons)
        self.search.textChanged.connect(self._show)
        self._show("")
        self.search.setFocus()

    def _show(self, query: str) -> None:
        self.text.setHtml(sheet_html(query))
