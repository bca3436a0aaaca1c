"""The table of epochs: errors on both parts, rate and time, the best one marked.

Owns the widget only; rows are `EpochRow`s.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QAction, QColor, QContextMenuEvent, QFont, QGuiApplication
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QMenu,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from gradsheet.collab.report import EpochRow
from gradsheet.qt import icons
from gradsheet.qt.theme import current_theme, scale, ui_font
from gradsheet.qt.widgets.figures import exact_text

ROW_PX = 22
HEADS = ("epoch", "train", "valid.", "MAE", "rate", "time")
TIPS = (
    "One going through all ratings",
    "Error over the ratings as the epoch met them, dropout on",
    "Error on the ratings that are kept back, after the epoch; the best is bold",
    "Mean absolute error on the ratings that are kept back, in stars",
    "Learning rate of the last step",
    "Seconds spent learning since the start, without validation and pauses",
)


def time_text(seconds: float) -> str:
    """Return a time spent: 12 ms, 3.4 s, 2:05 min."""
    if seconds < 0.1:
        return f"{seconds * 1000:.3g} ms"
    if seconds < 100:
        return f"{seconds:.3g} s"
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d} min"


class EpochTable(QTableWidget):
    """A row an epoch, the newest in view."""

    epoch_chosen = Signal(int)
    """The row of an epoch that is to be shown again: a double click, or Enter."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(0, len(TIPS), parent)
        self._unit = "rmse"
        self._rows: tuple[EpochRow, ...] = ()
        self._best = -1
        self._stands_at: int | None = None
        self.cellActivated.connect(self._on_activated)
        self.setAccessibleName("Epochs")
        self.verticalHeader().hide()
        self.setShowGrid(False)
        self.setFrameShape(QTableWidget.Shape.NoFrame)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self.horizontalHeader().setMinimumSectionSize(36)
        self.horizontalHeader().setHighlightSections(False)
        self._write_heads()

    @property
    def best(self) -> int:
        """Row of the lowest validation error; -1 without one."""
        return self._best

    def set_unit(self, unit: str) -> None:
        """Show "rmse" or "mse"."""
        if unit != self._unit:
            self._unit = unit
            self._write_heads()
            rows, self._rows = self._rows, ()
            self.setRowCount(0)
            self.show_epochs(rows)

    def show_epochs(self, rows: Sequence[EpochRow]) -> None:
        """Show a run's epochs; only rows that are new are written."""
        rows = tuple(rows)
        same = 0
        for old, new in zip(self._rows, rows, strict=False):
            if old != new:
                break
            same += 1
        if same == len(rows) == len(self._rows):
            return
        self._rows = rows
        self.setRowCount(len(rows))
        for i in range(same, len(rows)):
            self._write_row(i, rows[i])
        self._mark_best()
        if rows:
            self.scrollToBottom()

    def stand_at(self, epochs: int | None) -> None:
        """Select the row of the epoch that is shown; None: the end, no row."""
        if epochs != self._stands_at:
            self._stands_at = epochs
            self.clearSelection()
            if epochs:
                self.selectRow(epochs - 1)

    def _on_activated(self, row: int, _column: int) -> None:
        self.epoch_chosen.emit(row)

    def text(self) -> str:
        """Return the table as tab-separated text in full digits."""
        lines = ["epoch\tstage\ttrain RMSE\tvalidation RMSE\tvalidation MAE\trate\tseconds"]
        for row in self._rows:
            cells = (row.train_rmse, row.valid_rmse, row.valid_mae, row.lr, row.seconds)
            texts = ["" if cell is None else exact_text(cell) for cell in cells]
            lines.append("\t".join([str(row.epoch), row.stage, *texts]))
        return "\n".join(lines)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer the table for a sheet."""
        menu = QMenu(self)
        copy = QAction(icons.icon("copy"), "Copy the table", menu)
        copy.setEnabled(bool(self._rows))
        copy.triggered.connect(self.copy)
        menu.addAction(copy)
        menu.exec(event.globalPos())
        menu.deleteLater()

    def copy(self) -> None:
        """Put the table on the clipboard."""
        QGuiApplication.clipboard().setText(self.text())

    def changeEvent(self, event: QEvent) -> None:
        """Rows grow with the font."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.PaletteChange):
            self.verticalHeader().setDefaultSectionSize(round(ROW_PX * scale()))

    def _write_heads(self) -> None:
        self.verticalHeader().setDefaultSectionSize(round(ROW_PX * scale()))
        for column, (head, tip) in enumerate(zip(HEADS, TIPS, strict=True)):
            item = QTableWidgetItem(head)
            item.setToolTip(tip)
            item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.setHorizontalHeaderItem(column, item)

    def _error(self, rmse: float | None) -> str:
        if rmse is None:
            return "–"
        return f"{rmse if self._unit == 'rmse' else rmse * rmse:.4f}"

    def _write_row(self, i: int, row: EpochRow) -> None:
        mae = "–" if row.valid_mae is None else f"{row.valid_mae:.4f}"
        texts = (
            row.stage if row.stage in ("biases", "start") else str(row.epoch),
            self._error(row.train_rmse), self._error(row.valid_rmse), mae, f"{row.lr:.2g}",
            time_text(row.seconds),
        )  # fmt: skip
        for column, text in enumerate(texts):
            item = QTableWidgetItem(text)
            item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.setItem(i, column, item)

    def _mark_best(self) -> None:
        rated = [(row.valid_rmse, i) for i, row in enumerate(self._rows) if row.valid_rmse]
        best = min(rated)[1] if rated else -1
        for i, is_best in ((self._best, False), (best, True)):
            item = self.item(i, 2) if 0 <= i < self.rowCount() else None
            if item is not None:
                font = ui_font()
                font.setWeight(QFont.Weight.Bold if is_best else QFont.Weight.Normal)
                item.setFont(font)
                item.setForeground(QColor(current_theme().text))
        self._best = best
