"""The commands that open and save: sessions, workbooks of Excel, and ratings by their ending.

Owns their titles, keys and file dialogs, in the same form as `actions`. What a file becomes is
`app.opening`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog

from gradsheet.app.commands import Command, command
from gradsheet.app.saving import opening

if TYPE_CHECKING:
    from gradsheet.qt.main_window import MainWindow

FILE_COMMANDS: dict[str, Command] = {}
_file = partial(command, table=FILE_COMMANDS)

RATINGS = "*.csv *.tsv *.txt *.data *.dat *.base *.test *.zip *.gz"
OPEN_FILTER = (
    f"All that gradsheet reads (*.gradsheet *.xlsx *.xlsm {RATINGS});;"
    f"Sessions (*.gradsheet);;Workbooks (*.xlsx *.xlsm);;Ratings ({RATINGS});;All files (*)"
)
SAVE_FILTER = "Session, with the run (*.gradsheet);;Workbook for Excel (*.xlsx)"


@_file("file.open", "Open…", menu="File", shortcuts=("Ctrl+O",), icon="folder-open")
def ask_and_open(window: MainWindow) -> None:
    """Open a session, a workbook of Excel, or a file of ratings."""
    name, _ = QFileDialog.getOpenFileName(window, "Open", str(folder_of(window)), OPEN_FILTER)
    if name:
        open_path(window, Path(name))


@_file("file.save", "Save", menu="File", shortcuts=("Ctrl+S",), icon="save", group=2)
def save(window: MainWindow) -> None:
    """Save into the file that is open; a session keeps the run too."""
    path = window.document.path
    if path is None:
        ask_and_save(window)
    else:
        save_path(window, path)


@_file("file.save_as", "Save as…", menu="File", shortcuts=("Ctrl+Shift+S",),
       icon="save-all", group=2)  # fmt: skip
def ask_and_save(window: MainWindow, then: Callable[[bool], None] | None = None) -> None:
    """Save under another name: a session, or a workbook with live formulas for Excel."""
    document = window.document
    stem = document.path.stem if document.path is not None else document.lesson.id
    if document.path is None and document.ratings is not None:
        stem = Path(document.ratings.source).stem or stem
    start = folder_of(window) / f"{stem}{opening.SESSION}"
    name, kind = QFileDialog.getSaveFileName(window, "Save as", str(start), SAVE_FILTER)
    if not name:
        return
    path = Path(name)
    if not path.suffix:
        path = path.with_suffix(".xlsx" if "xlsx" in kind else opening.SESSION)
    save_path(window, path, may_replace=True, then=then)


@_file("file.unsaved", "Unsaved work…", menu="File", icon="archive-restore")
def show_unsaved(window: MainWindow) -> None:
    """Offer work that was left without saving: by a crash, or for another lesson."""
    if window.care is not None:
        window.care.show_everything()


def open_path(window: MainWindow, path: Path) -> None:
    """Open a file by its ending: as a session, a workbook, or ratings; ask for unsaved work."""
    window.guard(partial(_open_path, window, path))


def _open_path(window: MainWindow, path: Path) -> None:
    if opening.is_workbook(path):
        opening.open_file(window.document, path)
        _remember(window, path)
    else:
        window.read_ratings(path)


def save_path(
    window: MainWindow,
    path: Path,
    *,
    may_replace: bool = False,
    then: Callable[[bool], None] | None = None,
) -> None:
    """Save what is open under a name. Raises UserError for an ending that cannot be written.

    Parameters
    ----------
    may_replace : bool
        Whether the user has said that the file may be replaced, whatever is in it.
    then : callable, optional
        Told at the end whether it was written.
    """
    opening.save_file(window.document, path, may_replace=may_replace, then=then)
    _remember(window, path)


def _remember(window: MainWindow, path: Path) -> None:
    window.settings.add_recent(path)
    if window.care is not None:
        window.care.remember()
    window.clock.wake()


def folder_of(window: MainWindow) -> Path:
    """Return where a file dialog begins."""
    path = window.document.path
    if path is not None:
        return path.parent
    recent = window.settings.recent
    return Path(recent[0]).parent if recent else Path.home()
