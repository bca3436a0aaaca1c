"""Showing a table's rows in another order, or fewer of them.

Owns the thread that finds the rows and what the sort key means the next time: up, down, as in
the file. The table itself is never moved: one edit shows its rows in another order.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy.typing as npt
from PySide6.QtCore import QObject, Signal

from gradsheet.app.messages import Message, message_of
from gradsheet.sheet.table_view import Showing, rows_of
from gradsheet.sheet.virtual import ShowRows, VirtualStore
from gradsheet.tasks import Control, Task

if TYPE_CHECKING:
    from gradsheet.qt.main_window import MainWindow

Order = npt.NDArray[Any] | None


class _Asked(NamedTuple):
    """What is being looked for, for which table."""

    sheet: int
    store: VirtualStore
    showing: Showing
    name: str


class TableSorting(QObject):
    """Sorts and filters the table on show in one window; one at a time."""

    failed = Signal(str)
    """Why the rows that were asked for cannot be found."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._task: Task[None, Order] | None = None
        self._asked: _Asked | None = None
        window.clock.ticked.connect(self._poll)
        window.closed.connect(self.cancel)

    @property
    def table(self) -> VirtualStore | None:
        """The table on show; None where the sheet is none."""
        store = self._window.grid.sheet.cells
        return store if isinstance(store, VirtualStore) else None

    def sort(self) -> None:
        """Sort by the current column: ascending, again descending, again as in the file."""
        grid, store = self._window.grid, self.table
        col = grid.current.col
        if store is None or col >= len(store.columns):
            grid.message.emit(
                "There is no table in this column.",
                "Select a cell in a column of Users, Items, Ratings or Predictions.",
            )
            return
        title, conditions = store.columns[col].title, store.showing.conditions
        if store.showing.sort == (col, True):
            self.show(Showing(conditions), "Sort as in the file", "Sorting as in the file.")
            return
        descending = store.showing.sort == (col, False)
        way = "descending" if descending else "ascending"
        self.show(Showing(conditions, (col, descending)), f"Sort by {title}",
                  f"Sorting by {title}, {way}.")  # fmt: skip

    def show(self, showing: Showing, name: str, note: str = "") -> None:
        """Show the rows that are asked for, as an edit of that name; found in a thread."""
        store = self.table
        self.cancel()
        if store is None or showing == store.showing:
            return
        columns, count = store.columns, store.count

        def work(control: Control) -> Generator[None, None, Order]:
            yield
            return rows_of(columns, count, showing, control.checkpoint)

        self._asked = _Asked(self._window.grid.sheet_id, store, showing, name)
        self._task = Task(f"finding rows: {name}", work).start()
        if note:
            self._window.document.say(Message("info", note, ""))
        self._window.clock.wake()

    def cancel(self) -> None:
        """Give up the search that is under way."""
        if self._task is not None:
            self._task.cancel()
        self._task = None

    def _poll(self) -> None:
        task, asked = self._task, self._asked
        if task is None or asked is None or not task.is_done:
            return
        self._task = None
        document = self._window.document
        if all(each.cells is not asked.store for each in document.workbook.sheets):
            return  # another workbook is open, or the table was laid out anew
        if task.error is not None:
            message = message_of(task.error, asked.name)
            self.failed.emit(f"{message.text} {message.hint}".strip())
            return
        edit = ShowRows(asked.sheet, task.result(), asked.name, asked.showing)
        self._window.grid.attempt(edit, None)
