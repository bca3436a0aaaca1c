"""The commands of File > Export: the workbook, the sheet, the run as a program, pictures.

Owns their titles and file dialogs, in the same form as `actions`. What stands in a file is
`app.exporting`'s and `qt.pictures`'.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog

from gradsheet.app.commands import Command, command
from gradsheet.app.export import exporting
from gradsheet.qt.file_commands import folder_of

if TYPE_CHECKING:
    from gradsheet.qt.main_window import MainWindow

EXPORT_COMMANDS: dict[str, Command] = {}
_export = partial(command, menu="File/Export", group=3, table=EXPORT_COMMANDS)


def _can_run(window: MainWindow) -> bool:
    return window.document.has_problem and window.document.ratings is None


_NEEDS = "Nothing in this workbook is learned by formulas"


@_export("export.xlsx", "Workbook for Excel (.xlsx)…", icon="file-spreadsheet")
def export_xlsx(window: MainWindow) -> None:
    """Write every sheet with live formulas and no macros, for Excel and LibreOffice."""
    _ask_and_export(window, "Export the workbook", "Workbook (*.xlsx)")


@_export("export.csv", "Values of this sheet (.csv)…", icon="file-text")
def export_csv(window: MainWindow) -> None:
    """Write the values of the sheet in sight, with all their digits."""
    _ask_and_export(window, "Export the values of this sheet", "Values (*.csv)")


@_export("export.script", "Run as a PyTorch script (.py)…", icon="file-code",
         enabled=_can_run, needs=_NEEDS)  # fmt: skip
def export_script(window: MainWindow) -> None:
    """Write a program that makes this run again; it needs torch and nothing else."""
    _ask_and_export(window, "Export the run as a script", "Python script (*.py)")


@_export("export.notebook", "Run as a notebook (.ipynb)…", icon="notebook-pen",
         enabled=_can_run, needs=_NEEDS)  # fmt: skip
def export_notebook(window: MainWindow) -> None:
    """Write a Jupyter notebook that explains this run and makes it again in plain PyTorch."""
    _ask_and_export(window, "Export the run as a notebook", "Notebook (*.ipynb)")


@_export("export.picture", "Picture of the sheet or a plot (.png, .svg)…", icon="image")
def export_picture(window: MainWindow) -> None:
    """Save or copy a picture of the sheet or of a plot, in pixels or as vectors."""
    window.pictures.ask()


@_export("export.animation", "Run as an animation (.gif)…", icon="film",
         enabled=lambda window: window.document.run.timeline.recording is not None,
         needs="No run has been recorded yet")  # fmt: skip
def export_animation(window: MainWindow) -> None:
    """Draw the run, step after step, into an animated picture."""
    window.pictures.ask_animation()


def ask_for_target(window: MainWindow, title: str, kinds: str, stem: str = "") -> Path | None:
    """Ask for the name of a file to export to; the kind that is chosen gives the ending."""
    document = window.document
    own = document.path.stem if document.path is not None else document.lesson.id
    ending = kinds.partition("*")[2][:-1].partition(")")[0].partition(" ")[0] or ".xlsx"
    start = folder_of(window) / f"{stem or own}{ending}"
    name, kind = QFileDialog.getSaveFileName(window, title, str(start), kinds)
    if not name:
        return None
    path = Path(name)
    wanted = [part.rstrip(")") for part in kind.split("*")[1:]] or [ending]
    return path if path.suffix else path.with_suffix(wanted[0])


def _ask_and_export(window: MainWindow, title: str, kinds: str) -> None:
    path = ask_for_target(window, title, kinds)
    if path is not None:
        exporting.export_file(window.document, path, window.grid.sheet_id)
        window.clock.wake()
