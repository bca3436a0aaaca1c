"""Opening a file of ratings: read in a task, then shown in the lesson that is open.

Owns the running import: its progress, its cancel, its result. The open workbook is untouched
until the whole file has been read and has ratings in it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gradsheet.app.document import Document
from gradsheet.app.messages import Level, Message, message_of
from gradsheet.app.ratings.origin import Origin
from gradsheet.app.ratings.pairs import busiest_pairs
from gradsheet.app.ratings.session import RatingsSession
from gradsheet.app.ratings.totals import Totals
from gradsheet.app.ratings.workbook import RatingsBook
from gradsheet.lessons.lesson import crosstab_of
from gradsheet.tasks import Control, Progress, Task

if TYPE_CHECKING:
    from gradsheet.ratings.reader import ReadResult
    from gradsheet.ratings.sniffing import Preview, ReadOptions


class Read(NamedTuple):
    """What came of a file, and its workbook where that was asked for."""

    result: ReadResult
    book: RatingsBook | None


class RatingsImport:
    """One file on its way into a document. Poll it from the clock until `is_done`.

    Parameters
    ----------
    document : Document
    path : Path
    options : Preview or ReadOptions, optional
        What to read and how, perhaps changed by the user; sniffed from the file if not given.
    whole : bool
        Open the workbook of the whole rating set instead of a lesson on its busiest part.
    """

    def __init__(
        self,
        document: Document,
        path: Path,
        options: Preview | ReadOptions | None = None,
        *,
        whole: bool = False,
    ) -> None:
        self.path = path
        self.progress = Progress(None, f"Reading {path.name}")
        self.is_done = False
        self._document = document
        self._task: Task[Progress, Read] = Task(
            f"reading {path.name}", _reader(path, options, whole)
        )

    def start(self) -> None:
        """Begin reading."""
        self._task.start()

    def cancel(self) -> None:
        """Give up; the document stays as it was."""
        self._task.cancel()

    def poll(self) -> bool:
        """Take the newest progress; once read, open the crosstab. Return whether it ended."""
        if self.is_done:
            return True
        done = self._task.is_done
        self.progress = self._task.latest() or self.progress
        if not done:
            return False
        self.is_done = True
        error = self._task.error
        if error is not None:
            self._document.say(message_of(error, f"opening {self.path.name}"))
        elif not self._task.is_cancelled:
            self._open(self._task.result())
        return True

    def wait(self) -> None:
        """Read to the end (headless use and tests). Raises what the reading raised."""
        self._task.join()
        error = self._task.error
        self.poll()
        if error is not None:
            raise error

    def _open(self, read: Read) -> None:
        result, book = read
        table = result.table
        if book is not None:
            self._document.open_ratings(book)
        else:
            self._document.open_crosstab(crosstab_of(table, self.path.name))
        text = f"{self.path.name}: {len(table.ratings):,} ratings"
        if result.bad_count:
            text += f", {result.bad_count:,} rows could not be read"
        hint = "The sheet shows the busiest users by the most rated titles."
        if result.bad_rows:
            first = result.bad_rows[0]
            hint = f"The first is line {first.line}: {first.reason}."
        level: Level = "warning" if result.bad_count else "info"
        self._document.say(Message(level, text + ".", hint))


def _reader(
    path: Path, options: Preview | ReadOptions | None, whole: bool
) -> Callable[[Control], Generator[Progress, None, Read]]:
    def read_file(control: Control) -> Generator[Progress, None, Read]:
        nonlocal options
        from gradsheet.ratings import reader
        from gradsheet.ratings.sniffing import ReadOptions

        yield Progress(None, f"Looking at {path.name}")
        if options is None:
            options = reader.sniff(path)
        how = options if isinstance(options, ReadOptions) else options.options
        origin = Origin.of(path, how)
        result = yield from reader.read(path, options, control)
        if not whole:
            return Read(result, None)
        yield Progress(None, "Laying out the sheets")
        control.checkpoint()
        totals = Totals.of(result.table, control.checkpoint)
        session = RatingsSession(result.table, path.name, result.genres, totals=totals)
        session.origin = origin
        pairs = busiest_pairs(result.table, session.totals, control=control)
        return Read(result, RatingsBook(session, pairs))

    return read_file
