"""Sorting the rows of a table by the column of the current cell.

Owns the thread that finds the order and what the same key means the next time: up, down, as in
the file. The table itself is never moved: one edit shows its rows in another order.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject

from gradsheet.app.messages import Message, message_of
from gradsheet.sheet.virtual import ShowRows, VirtualStore
from gradsheet.tasks import Control, Task

if TYPE_CHECKING:
    from gradsheet.qt.main_window import MainWindow

Order = npt.NDArray[np.int64]


class TableSorting(QObject):
    """Sorts the table on show in one window; one sort at a time."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._task: Task[None, Order] | None = None
        self._asked: tuple[int, VirtualStore, int, bool] | None = None
        self._shown: tuple[Order, int, bool] | None = None
        window.clock.ticked.connect(self._poll)
        window.closed.connect(self.cancel)

    def sort(self) -> None:
        """Sort by the current column: ascending, again descending, again as in the file."""
        grid = self._window.grid
        store, col = grid.sheet.cells, grid.current.col
        if not isinstance(store, VirtualStore) or col >= len(store.columns):
            grid.message.emit(
                "There is no table in this column.",
                "Select a cell in a column of Users, Items, Ratings or Predictions.",
            )
            return
        self.cancel()
        descending = False
        if self._shown is not None and self._shown[0] is store.order and self._shown[1] == col:
            if self._shown[2]:
                grid.attempt(ShowRows(grid.sheet_id, None, "Sort as in the file"), None)
                return
            descending = True
        column, count = store.columns[col], store.count

        def work(control: Control) -> Generator[None, None, Order]:
            keys = column.sort_keys(np.arange(count))
            yield
            return np.argsort(-keys if descending else keys, kind="stable")

        self._asked = (grid.sheet_id, store, col, descending)
        self._task = Task(f"sorting by {column.title}", work).start()
        way = "descending" if descending else "ascending"
        self._window.document.say(Message("info", f"Sorting by {column.title}, {way}.", ""))
        self._window.clock.wake()

    def cancel(self) -> None:
        """Give up the sort that is under way."""
        if self._task is not None:
            self._task.cancel()
        self._task = None

    def _poll(self) -> None:
        task, asked = self._task, self._asked
        if task is None or asked is None or not task.is_done:
            return
        self._task = None
        sheet, store, col, descending = asked
        document = self._window.document
        if all(each.cells is not store for each in document.workbook.sheets):
            return  # another workbook is open, or the table was laid out anew
        if task.error is not None:
            document.say(message_of(task.error, task.name))
            return
        order: npt.NDArray[Any] = task.result()
        self._shown = (order, col, descending)
        self._window.grid.attempt(
            ShowRows(sheet, order, f"Sort by {store.columns[col].title}"), None
        )
