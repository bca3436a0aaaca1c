"""The way from a file's name to ratings in the sheet: look, ask, read; nothing is modal.

Owns the order of the three and their tasks. The first look and the reading run in threads; the
window's clock polls here. The open workbook stays as it was until all has been read.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from gradsheet.app.document import Document
from gradsheet.app.messages import message_of
from gradsheet.app.ratings.importing import RatingsImport
from gradsheet.tasks import Control, Progress, Task

if TYPE_CHECKING:
    from gradsheet.qt.dialogs.import_ratings import ImportRatings
    from gradsheet.ratings.reader import Preview


FILE_FILTER = "Ratings (*.csv *.tsv *.txt *.data *.dat *.base *.test *.zip *.gz);;All files (*)"


def ask_for_file(window: QWidget, folder: Path) -> Path | None:
    """Let the user choose a file of ratings; None if the choice was given up."""
    name, _ = QFileDialog.getOpenFileName(window, "Open ratings", str(folder), FILE_FILTER)
    return Path(name) if name else None


class RatingsOpening(QObject):
    """Opens one file of ratings at a time.

    Parameters
    ----------
    document : Document
    window : QWidget
        Parent of the import dialog.
    """

    progressed = Signal(object)
    """A `Progress`, or None when nothing is under way any more."""
    opened = Signal(object)
    """The `Path` of a file whose ratings are in the sheet now."""

    def __init__(self, document: Document, window: QWidget) -> None:
        super().__init__(window)
        self._document = document
        self._window = window
        self._path: Path | None = None
        self._ask = True
        self._looking: Task[Progress, Preview] | None = None
        self._import: RatingsImport | None = None
        self._follows = False
        self.dialog: ImportRatings | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a thread looks at or reads a file."""
        return self._looking is not None or self._import is not None

    @property
    def is_reading(self) -> bool:
        """Whether a file is being read, after the look at it."""
        return self._import is not None

    def open(self, path: Path, *, ask: bool = True) -> None:
        """Begin with a file; what was under way is given up.

        Parameters
        ----------
        path : Path
        ask : bool
            False reads the file as guessed, without the dialog.
        """
        self.cancel()
        self._path = path
        self._ask = ask
        self._looking = Task(f"looking at {path.name}", _looker(path)).start()
        self.progressed.emit(Progress(None, f"Looking at {path.name}"))

    def poll(self) -> None:
        """Go on where a thread has finished; called by the frame clock."""
        if self._looking is not None and self._looking.is_done:
            self._on_looked(self._looking)
        if self._import is not None:
            self._on_reading(self._import)
        self._follow_document()

    def _follow_document(self) -> None:
        """Show how far a session is whose ratings the document reads from their file."""
        reading = self._document.reading
        progress = None if reading is None else reading.progress
        if not self.is_busy and (progress is not None or self._follows):
            self.progressed.emit(progress)
        self._follows = progress is not None

    def cancel(self) -> None:
        """Give up whatever is under way."""
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
        if self._import is not None:
            self._import.cancel()
            self._import = None
        if self.dialog is not None:
            self.dialog.close()
        self._document.give_up_reading()
        self.progressed.emit(None)

    def read(self, preview: Preview) -> None:
        """Read the file as the preview says."""
        assert self._path is not None
        self._import = RatingsImport(self._document, self._path, preview, whole=True)
        self._import.start()
        self.progressed.emit(self._import.progress)

    def _on_looked(self, task: Task[Progress, Preview]) -> None:
        self._looking = None
        self.progressed.emit(None)
        if task.is_cancelled or self._path is None:
            return
        if task.error is not None:
            self._document.say(message_of(task.error, f"looking at {self._path.name}"))
            return
        if self._ask:
            self._show_dialog(self._path, task.result())
        else:
            self.read(task.result())

    def _show_dialog(self, path: Path, preview: Preview) -> None:
        from gradsheet.qt.dialogs.import_ratings import ImportRatings

        self.dialog = ImportRatings(path, preview, self._window)
        self.dialog.accepted_preview.connect(self.read)
        self.dialog.destroyed.connect(self._forget_dialog)
        self.dialog.open()

    def _forget_dialog(self) -> None:
        self.dialog = None

    def _on_reading(self, reading: RatingsImport) -> None:
        before = self._document.book
        if not reading.poll():
            self.progressed.emit(reading.progress)
            return
        self._import = None
        self.progressed.emit(None)
        if self._document.book is not before:
            self.opened.emit(reading.path)


def _looker(path: Path) -> Callable[[Control], Generator[Progress, None, Preview]]:
    def look(control: Control) -> Generator[Progress, None, Preview]:
        from gradsheet.ratings import reader

        yield Progress(None, f"Looking at {path.name}")
        control.checkpoint()
        return reader.sniff(path)

    return look
