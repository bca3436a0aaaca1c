"""What the Help menu shows: the keys of every command, and whose work this stands on.

Owns the texts. The keys come from the table of commands, so that none is missing.
"""

from __future__ import annotations

import html

from PySide6.QtWidgets import QWidget

from gradsheet import __version__
from gradsheet.qt.actions import shortcut_table
from gradsheet.qt.dialogs.text_window import TextWindow

ABOUT = (
    f"<h2>gradsheet {__version__}</h2>"
    "<p>A spreadsheet that can learn: formulas compile to PyTorch, every cell has a value and a "
    "gradient.</p>"
    "<p>It stands on Qt and PySide6 (LGPL), PyTorch, NumPy, pandas and pyqtgraph. Icons: Lucide "
    "(ISC) and Feather (MIT). Role colours: Okabe and Ito, 2008. The lessons' ratings: MovieLens, "
    "F. M. Harper and J. A. Konstan, 2015.</p>"
)


def shortcuts_html() -> str:
    """Return the table of all keys as rich text, menu by menu."""
    parts = ["<table cellspacing='0' cellpadding='4'>"]
    menu_before = ""
    for menu, title, keys, about in shortcut_table():
        if menu != menu_before:
            parts.append(f"<tr><td colspan='3'><br><b>{menu}</b></td></tr>")
            menu_before = menu
        cells = (f"<b>{html.escape(keys)}</b>", html.escape(title), html.escape(about))
        parts.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    parts.append("</table>")
    return "".join(parts)


def show_shortcuts(parent: QWidget) -> TextWindow:
    """Show every command with its keys."""
    window = TextWindow("Keyboard shortcuts", shortcuts_html(), parent, width=760)
    window.show()
    return window


def show_about(parent: QWidget) -> TextWindow:
    """Show the version, and whose work the program stands on."""
    window = TextWindow("About gradsheet", ABOUT, parent, width=480)
    window.show()
    return window
