"""What Solver found: a table of minima, the ranges it changes, how the optimum moves with data.

Owns three tabs and their tables. What they show is asked of the app by the panel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QTableWidgetItem,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from gradsheet.qt.solver.fields import put_row, quiet_table
from gradsheet.qt.theme import SPACE
from gradsheet.qt.widgets.figures import count_text, loss_text
from gradsheet.qt.widgets.number_field import NumberField

if TYPE_CHECKING:
    from gradsheet.learn.minima import Minimum
    from gradsheet.learn.problem import Parameter

MINIMA = ("Start", "Began at", "Minimum", "Steps")
RANGES = ("Range", "Rate ×", "Locked")
MOVES = ("Cell", "Value", "d optimum / d cell")


class MinimaTable(QWidget):
    """What each start led to; a click shows one in the cells."""

    chosen = Signal(int)
    """The place of a minimum in the table."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._shown: tuple[object, ...] = ()
        self._order: list[int] = []
        """Which minimum stands in each row."""
        self.table = quiet_table("Minima", MINIMA, self)
        self.table.cellClicked.connect(self._on_click)
        self.note = QLabel(
            "Every start leads to a minimum; they are listed here. Click one to see it.", self
        )
        self.note.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, SPACE // 2, 0, 0)
        column.addWidget(self.table, 1)
        column.addWidget(self.note)

    def show_minima(self, minima: Sequence[Minimum], best: Minimum | None) -> None:
        """List minima in the order of their starts, but the best first."""
        shown = (tuple(id(m) for m in minima), id(best))
        if shown == self._shown:
            return
        self._shown = shown
        self.table.setRowCount(len(minima))
        self._order = sorted(range(len(minima)), key=lambda place: minima[place] is not best)
        for row, place in enumerate(self._order):
            minimum = minima[place]
            is_best = minimum is best
            texts = (
                f"{minimum.start + 1}" + ("  ★ best" if is_best else ""),
                loss_text(minimum.began),
                f"{minimum.objective:.7g}",
                count_text(minimum.steps),
            )
            put_row(self.table, row, texts)
            for column in range(len(texts)):
                item = self.table.item(row, column)
                font = item.font()
                font.setBold(is_best)
                item.setFont(font)
                if minimum.doubt:
                    item.setToolTip(f"It may be no minimum: {minimum.doubt}")
        doubtful = sum(bool(m.doubt) for m in minima)
        words = "" if not doubtful else f"{doubtful} of {len(minima)} starts: " + next(
            m.doubt for m in minima if m.doubt
        ) + "."
        if best is not None and best.doubt:
            words = f"The best may be no solution: {best.doubt}."
        if minima:
            self.note.setText(words or "Click a row to see that minimum in the cells.")
        else:
            self.note.setText("Every start leads to a minimum; they are listed here.")

    def _on_click(self, row: int, _column: int) -> None:
        self.chosen.emit(self._order[row])


class RangesTable(QWidget):
    """The changing ranges: which are locked, and how fast each learns."""

    lock_asked = Signal(int, bool)
    """The place of a range, and whether it shall be locked."""
    rates_asked = Signal(float, float)
    """The factors of the first and the last range; those between in equal ratios."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.table = quiet_table("Ranges", RANGES, self)
        self.table.itemChanged.connect(self._on_item)
        self.low = NumberField("First factor", "Of the rate of the first range", self, high=1e6)
        self.high = NumberField("Last factor", "Of the rate of the last range", self, high=1e6)
        self.low.show_number(0.01)
        self.high.show_number(1.0)
        self.spread = QPushButton("Spread rates", self)
        self.spread.setAutoDefault(False)
        self.spread.setToolTip(
            "<b>slice(lo, hi)</b><br>The first range learns with the first factor, the last with "
            "the last, those between in equal ratios"
        )
        self.spread.clicked.connect(self._on_spread)
        about = QLabel(
            "A locked range is a frozen layer. Rates count for the optimizers, not for L-BFGS.",
            self,
        )
        about.setWordWrap(True)
        row = QHBoxLayout()
        row.addWidget(QLabel("slice(", self))
        row.addWidget(self.low)
        row.addWidget(QLabel(",", self))
        row.addWidget(self.high)
        row.addWidget(QLabel(")", self))
        row.addWidget(self.spread)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, SPACE // 2, 0, 0)
        column.addWidget(self.table, 1)
        column.addLayout(row)
        column.addWidget(about)

    def show_ranges(self, ranges: Sequence[tuple[str, Parameter]]) -> None:
        """List ranges with their names."""
        with QSignalBlocker(self.table):
            self.table.setRowCount(len(ranges))
            for row, (name, parameter) in enumerate(ranges):
                put_row(self.table, row, (name, f"{parameter.rate_scale:g}"))
                lock = QTableWidgetItem()
                lock.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable)
                checked = Qt.CheckState.Checked if parameter.locked else Qt.CheckState.Unchecked
                lock.setCheckState(checked)
                lock.setToolTip("Locked cells keep their values to the last bit")
                self.table.setItem(row, 2, lock)

    def _on_item(self, item: QTableWidgetItem) -> None:
        if item.column() == 2:
            self.lock_asked.emit(item.row(), item.checkState() == Qt.CheckState.Checked)

    def _on_spread(self) -> None:
        self.low.commit()
        self.high.commit()
        self.rates_asked.emit(self.low.number, self.high.number)


class SensitivityTable(QWidget):
    """How much the optimum moves with the data."""

    asked = Signal()
    """The derivative by the cells that are selected in the sheet."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.button = QPushButton("By the selected cells", self)
        self.button.setAutoDefault(False)
        self.button.setToolTip(
            "What one unit more in each of these data cells would change the best objective by"
        )
        self.button.clicked.connect(self.asked)
        self.table = quiet_table("Sensitivity", MOVES, self)
        self.note = QLabel(
            "Solve, select data such as a rating in the sheet, then press the button.", self
        )
        self.note.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, SPACE // 2, 0, 0)
        column.addWidget(self.button)
        column.addWidget(self.table, 1)
        column.addWidget(self.note)

    def show_moves(self, rows: Sequence[tuple[str, float, float]], note: str) -> None:
        """List cells with their value and the derivative of the optimum."""
        self.table.setRowCount(len(rows))
        for row, (name, value, slope) in enumerate(rows):
            put_row(self.table, row, (name, f"{value:.9g}", f"{slope:.9g}"))
        self.note.setText(note)


class Results(QTabWidget):
    """The three tabs."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.minima = MinimaTable(self)
        self.ranges = RangesTable(self)
        self.sensitivity = SensitivityTable(self)
        self.addTab(self.minima, "Minima")
        self.addTab(self.ranges, "Ranges")
        self.addTab(self.sensitivity, "Sensitivity")
        self.setDocumentMode(True)
        self.setMinimumHeight(20 * SPACE)
