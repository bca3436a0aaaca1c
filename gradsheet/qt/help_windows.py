"""What the Help menu shows: the keys of every command, and whose work this stands on.

Owns the text about the program; the sheet of keys is `shortcut_sheet`'s.
"""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from gradsheet import __version__
from gradsheet.qt.dialogs.text_window import TextWindow
from gradsheet.qt.shortcut_sheet import ShortcutSheet

ABOUT = (
    f"<h2>gradsheet {__version__}</h2>"
    "<p>A spreadsheet that can learn: formulas compile to PyTorch, every cell has a value and a "
    "gradient.</p>"
    "<p>It stands on Qt and PySide6 (LGPL), PyTorch, NumPy, pandas, pyqtgraph and ziamath. Icons: "
    "Lucide (ISC) and Feather (MIT). Mathematics are set in STIX Two (OFL). Role colours: Okabe "
    "and Ito, 2008. The lessons' ratings: MovieLens, F. M. Harper and J. A. Konstan, 2015.</p>"
)


def show_shortcuts(parent: QWidget) -> ShortcutSheet:
    """Show every command with its keys."""
    window = ShortcutSheet(parent)
    window.show()
    return window


def show_about(parent: QWidget) -> TextWindow:
    """Show the version, and whose work the program stands on."""
    window = TextWindow("About gradsheet", ABOUT, parent, width=480)
    window.show()
    return window
