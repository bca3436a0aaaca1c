"""A quiet table over columns of numbers and texts, sorted by a click on a header.

Owns order, filter, texts and the small bars in cells. Knows nothing of what the columns mean;
rows are known by their place in the columns, whatever the order they are shown in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFontMetrics, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from gradsheet.qt.theme import SPACE, blend, current_theme, px, ui_font

Index = QModelIndex | QPersistentModelIndex

ROW_PX = 24
BAR_PX = 72
BAR = Qt.ItemDataRole.UserRole + 1
GAP = -1
"""In an order of rows: a line that stands for those left out."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes
    ----------
    title : str
    values : sequence
        What is sorted by and written.
    write : callable
        value -> text.
    is_number : bool
        Right-aligned, and first sorted from the largest.
    about : str
        Tooltip of the header.
    bars : (float, str, str) or None
        Value whose bar is full, and the colours of bars above and below 0; left of the number.
    """

    title: str
    values: Sequence[Any] | np.ndarray
    write: Callable[[Any], str] = str
    is_number: bool = False
    about: str = ""
    bars: tuple[float, str, str] | None = None


class ColumnModel(QAbstractTableModel):
    """Columns in some order of their rows."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.columns: tuple[Column, ...] = ()
        self.rows: list[int] = []
        self.gap_text = ""
        self.sorted_by: tuple[int, bool] | None = None
        """Column and whether from the smallest; None: in the order given."""
        self._given: list[int] = []

    def set_columns(
        self, columns: Sequence[Column], rows: Sequence[int] | None = None, gap_text: str = ""
    ) -> None:
        """Show other columns, or other rows of them, in the order that was chosen before."""
        self.beginResetModel()
        self.columns = tuple(columns)
        count = len(self.columns[0].values) if self.columns else 0
        self._given = list(range(count)) if rows is None else list(rows)
        self.gap_text = gap_text
        self._arrange()
        self.endResetModel()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; -1 gives the order back in which the rows came."""
        self.layoutAboutToBeChanged.emit()
        ascending = order == Qt.SortOrder.AscendingOrder
        self.sorted_by = None if column < 0 else (column, ascending)
        self._arrange()
        self.layoutChanged.emit()

    def _arrange(self) -> None:
        self.rows = list(self._given)
        if self.sorted_by is None or self.sorted_by[0] >= len(self.columns):
            return
        column, ascending = self.columns[self.sorted_by[0]], self.sorted_by[1]
        real = np.array([row for row in self._given if row != GAP], dtype=np.int64)
        if column.is_number:
            keys = np.asarray(column.values, dtype=np.float64)[real]
            order = np.argsort(keys if ascending else -keys, kind="stable")
        else:
            texts = [str(column.values[row]).casefold() for row in real]
            places = sorted(range(len(texts)), key=texts.__getitem__, reverse=not ascending)
            order = np.array(places, dtype=np.int64)
        self.rows = real[order].tolist() if len(real) else []

    # Qt asks these.

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, column = self.rows[index.row()], self.columns[index.column()]
        if row == GAP:
            is_text = role == Qt.ItemDataRole.DisplayRole and not column.is_number
            return self.gap_text if is_text else None
        if role == Qt.ItemDataRole.DisplayRole:
            return column.write(column.values[row])
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column.is_number else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{column.title} {column.write(column.values[row])}"
        if role == Qt.ItemDataRole.ToolTipRole and not column.is_number:
            return column.write(column.values[row])
        if role == BAR and column.bars is not None:
            full, above, below = column.bars
            value = float(column.values[row])
            if not np.isfinite(value) or full <= 0:
                return None
            return max(min(value / full, 1.0), -1.0), above if value >= 0 else below
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        if self.rows[index.row()] == GAP:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal or section >= len(self.columns):
            return None
        column = self.columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{column.about}<br>Click to sort." if column.about else "Click to sort."
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column.is_number else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None


class ColumnTable(QTableView):
    """Shows a ColumnModel."""

    chosen = Signal(list)
    """The user selected these rows (places in the columns)."""
    activated_row = Signal(int)
    """Enter or a double click on a row."""

    def __init__(self, parent: QWidget, name: str, *, several: bool = False) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.columns_model = ColumnModel(self)
        self._is_telling = False
        self.setModel(self.columns_model)
        self.setItemDelegate(_BarDelegate(self))
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(round(px(ROW_PX)))
        self.setShowGrid(False)
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(
            QAbstractItemView.SelectionMode.ExtendedSelection
            if several
            else QAbstractItemView.SelectionMode.SingleSelection
        )
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(True)
        header.setSortIndicatorShown(True)
        header.setSortIndicatorClearable(True)
        header.setMinimumSectionSize(24)
        header.sectionClicked.connect(self.sort_by)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.selectionModel().selectionChanged.connect(self._on_selected)
        self.doubleClicked.connect(self._on_activated)

    def set_columns(
        self, columns: Sequence[Column], rows: Sequence[int] | None = None, gap_text: str = ""
    ) -> None:
        """Show other columns; what was selected and where it was scrolled to stays."""
        selected, top = self.selected(), self.verticalScrollBar().value()
        same = [c.title for c in columns] == [c.title for c in self.columns_model.columns]
        self._is_telling = True
        self.columns_model.set_columns(columns, rows, gap_text)
        self._is_telling = False
        if not same:
            self._stretch()
        self._fit_widths()
        self.select(selected, show=False)
        self.verticalScrollBar().setValue(top)

    def _stretch(self) -> None:
        header = self.horizontalHeader()
        texts = [i for i, c in enumerate(self.columns_model.columns) if not c.is_number]
        for i in range(len(self.columns_model.columns)):
            is_wide = bool(texts) and i == texts[0]
            mode = QHeaderView.ResizeMode
            header.setSectionResizeMode(i, mode.Stretch if is_wide else mode.Fixed)

    def _fit_widths(self) -> None:
        """Give each number as much room as its title and the longest of some values need."""
        metrics, model = QFontMetrics(ui_font()), self.columns_model
        texts = [i for i, c in enumerate(model.columns) if not c.is_number]
        for i, column in enumerate(model.columns):
            if texts and i == texts[0]:
                continue
            count = len(column.values)
            some = range(0, count, max(1, count // 50))
            longest = max((metrics.horizontalAdvance(column.write(column.values[j]))
                           for j in some), default=0)  # fmt: skip
            title = metrics.horizontalAdvance(column.title) + 2 * SPACE + 14
            bars = round(px(BAR_PX)) + SPACE if column.bars else 0
            wide = max(longest + 2 * SPACE + 4, title) + bars
            self.horizontalHeader().resizeSection(i, wide)

    def sort_by(self, column: int) -> None:
        """Sort by a column: numbers from the largest first; again turns it round."""
        model = self.columns_model
        first_up = not model.columns[column].is_number
        before = model.sorted_by
        up = not before[1] if before is not None and before[0] == column else first_up
        order = Qt.SortOrder.AscendingOrder if up else Qt.SortOrder.DescendingOrder
        selected = self.selected()
        self._is_telling = True
        self.horizontalHeader().setSortIndicator(column, order)
        model.sort(column, order)
        self._is_telling = False
        self.select(selected)

    def sort_as_given(self) -> None:
        """Show the rows in the order in which they came."""
        self.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.columns_model.sort(-1)

    def selected(self) -> list[int]:
        """Return the selected rows as places in the columns."""
        if not self.columns_model.columns:
            return []
        lines = sorted(index.row() for index in self.selectionModel().selectedRows())
        return [self.columns_model.rows[line] for line in lines]

    def select(self, rows: Sequence[int], *, show: bool = True) -> None:
        """Select rows without saying so; those not listed are left out."""
        wanted = set(rows)
        model, selection = self.columns_model, self.selectionModel()
        lines = [line for line, row in enumerate(model.rows) if row in wanted and row != GAP]
        self._is_telling = True
        selection.clearSelection()
        flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
        for line in lines[:500]:
            selection.select(model.index(line, 0), flags)
        if lines:
            here = model.index(lines[0], 0)
            selection.setCurrentIndex(here, QItemSelectionModel.SelectionFlag.NoUpdate)
            if show:
                self.scrollTo(here)
        self._is_telling = False

    def keyPressEvent(self, event: Any) -> None:
        """Enter takes the current row."""
        index = self.currentIndex()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and index.isValid():
            self._on_activated(index)
        else:
            super().keyPressEvent(event)

    def _on_selected(self) -> None:
        if not self._is_telling:
            self.chosen.emit(self.selected())

    def _on_activated(self, index: QModelIndex) -> None:
        row = self.columns_model.rows[index.row()]
        if row != GAP:
            self.activated_row.emit(row)


class _BarDelegate(QStyledItemDelegate):
    """Draws the bar beside a number, and selection as a wash rather than a solid."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        theme = current_theme()
        box = QRect(option.rect)
        is_selected = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        if is_selected:
            painter.fillRect(box, QColor(blend(theme.sheet, theme.accent, 0.2)))
            if index.column() == 0:
                painter.fillRect(box.left(), box.top(), 3, box.height(), QColor(theme.accent))
        bar = index.data(BAR)
        if bar is not None:
            share, colour = bar
            half = round(px(BAR_PX)) // 2
            middle, width = box.left() + SPACE + half, max(1, round(half * abs(share)))
            left = middle if share >= 0 else middle - width
            painter.fillRect(left, box.top() + 5, width, box.height() - 10, QColor(colour))
            painter.fillRect(middle, box.top() + 2, 1, box.height() - 4, QColor(theme.strong_lines))
        text = index.data(Qt.ItemDataRole.DisplayRole)
        if text:
            flags = index.flags()
            enabled = bool(flags & Qt.ItemFlag.ItemIsEnabled)
            painter.setPen(QColor(theme.text if enabled else theme.muted))
            painter.setFont(ui_font())
            align = index.data(Qt.ItemDataRole.TextAlignmentRole) or int(
                Qt.AlignmentFlag.AlignVCenter
            )
            inner = box.adjusted(SPACE, 0, -SPACE, 0)
            shown = painter.fontMetrics().elidedText(
                str(text), Qt.TextElideMode.ElideRight, inner.width()
            )
            painter.drawText(inner, int(align), shown)
        painter.restore()
