"""Showing only some rows of a table: a strip below the grid, one condition a column.

Owns the strip. Which rows fit is `sheet.table_view`'s, the thread and the edit `table_sorting`'s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gradsheet.qt import icons
from gradsheet.qt.theme import SPACE, current_theme
from gradsheet.qt.widgets.styling import set_style
from gradsheet.sheet.table_view import TESTS, Condition, Showing

if TYPE_CHECKING:
    from gradsheet.qt.grid.view import GridView
    from gradsheet.qt.ratings.table_sorting import TableSorting
    from gradsheet.sheet.virtual import VirtualStore
    from gradsheet.sheet.workbook import Change

HINT = "4.5, a date such as 2005-01-31, or text"


class FilterBar(QFrame):
    """The strip; hidden until it is asked for."""

    def __init__(self, grid: GridView, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("findBar")
        self._grid = grid
        self._sorting: TableSorting | None = None
        self.column, self.test = QComboBox(self), QComboBox(self)
        self.value = QLineEdit(self)
        self.state = QLabel(self)
        self.apply_button = QPushButton("Filter", self)
        self.all_button = QPushButton("Show all rows", self)
        self._build()
        self.hide()

    def _build(self) -> None:
        self.column.setAccessibleName("Column")
        for box in (self.column, self.test):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(8)
        self.column.activated.connect(self._show_condition)
        self.test.addItems([*TESTS])
        self.test.setAccessibleName("Condition")
        self.value.setAccessibleName("Value of the condition")
        self.value.setPlaceholderText(HINT)
        self.value.setClearButtonEnabled(True)
        self.value.setMinimumWidth(10 * SPACE)
        self.apply_button.setToolTip("Show the rows that fit (Enter); with nothing typed, all")
        self.apply_button.clicked.connect(self.filter)
        self.all_button.clicked.connect(self.show_all)
        close = QToolButton(self)
        close.setIcon(icons.icon("x"))
        close.setToolTip("Close (Esc); the rows stay as they are")
        close.setAccessibleName("Close")
        close.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        close.clicked.connect(self.leave)
        self.state.setWordWrap(True)
        self.state.setAccessibleName("Rows shown")
        self.state.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        first, second = QHBoxLayout(), QHBoxLayout()
        first.setSpacing(SPACE)
        first.addWidget(self.column)
        first.addWidget(self.test)
        first.addWidget(self.value, 1)
        first.addWidget(self.apply_button)
        first.addWidget(close)
        second.addWidget(self.state, 1)
        second.addWidget(self.all_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE, SPACE // 2, SPACE // 2, SPACE // 2)
        column.setSpacing(SPACE // 2)
        column.addLayout(first)
        column.addLayout(second)

    def connect_to(self, sorting: TableSorting) -> None:
        """Let this one find the rows."""
        self._sorting = sorting
        sorting.failed.connect(self._complain)
        self._grid.selection_changed.connect(self._on_selection)

    # ------------------------------------------------------------------ open and close

    def open(self) -> None:
        """Show the strip for the current column."""
        store = self._table()
        if store is None:
            self._grid.message.emit(
                "There is no table on this sheet to filter.",
                "Go to Users, Items, Ratings or Predictions.",
            )
            return
        self._fill(store)
        col = self._grid.current.col
        self.column.setCurrentIndex(col if col < len(store.columns) else 0)
        self._show_condition()
        self._refresh()
        self.show()
        self.value.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.value.selectAll()

    def leave(self) -> None:
        """Hide the strip and give the keyboard to the grid."""
        self.hide()
        self._grid.setFocus(Qt.FocusReason.OtherFocusReason)

    def follow(self, change: Change) -> None:
        """The document changed: say how many rows are shown now."""
        if not self.isHidden():
            self._refresh()

    def _on_selection(self) -> None:
        """Another sheet may be on show."""
        if not self.isHidden():
            self._refresh()

    # ------------------------------------------------------------------ what the user does

    def filter(self) -> None:
        """Show the rows that fit; nothing typed takes the column's condition away."""
        store, sorting = self._table(), self._sorting
        if store is None or sorting is None:
            return
        column, test = self.column.currentIndex(), TESTS[self.test.currentIndex()]
        showing, text = store.showing, self.value.text()
        title = store.columns[column].title
        if text.strip() or test in ("is", "is not"):
            sorting.show(showing.having(Condition(column, test, text)), f"Filter by {title}")
        else:
            sorting.show(showing.without(column), f"Filter by {title} no more")

    def show_all(self) -> None:
        """Take all conditions away; the order stays."""
        store, sorting = self._table(), self._sorting
        if store is not None and sorting is not None:
            self.value.clear()
            sorting.show(Showing(sort=store.showing.sort), "Show all rows")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter filters, Escape closes."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.filter()
        elif event.key() == Qt.Key.Key_Escape:
            self.leave()
        else:
            super().keyPressEvent(event)

    # ------------------------------------------------------------------ showing

    def _table(self) -> VirtualStore | None:
        return None if self._sorting is None else self._sorting.table

    def _fill(self, store: VirtualStore) -> None:
        titles = [column.title for column in store.columns]
        if titles != [self.column.itemText(k) for k in range(self.column.count())]:
            with QSignalBlocker(self.column):
                self.column.clear()
                self.column.addItems(titles)

    def _show_condition(self, *_: object) -> None:
        """Show what is asked of the chosen column."""
        store = self._table()
        if store is None:
            return
        column = self.column.currentIndex()
        known = {each.column: each for each in store.showing.conditions}
        condition = known.get(column)
        if condition is not None:
            self.test.setCurrentIndex(TESTS.index(condition.test))
            self.value.setText(condition.wanted)
        else:
            test = "contains" if store.columns[column].holds_text else "at least"
            self.test.setCurrentIndex(TESTS.index(test))
            self.value.clear()

    def _refresh(self, *_: object) -> None:
        store = self._table()
        if store is None:
            self.hide()
            return
        self._fill(store)
        set_style(self.state, f"QLabel {{ color: {current_theme().muted}; }}")
        text = f"{store.shown:,} of {store.count:,} rows"
        said = store.showing.says(store.columns)
        if said:
            text += f" where {said}"
        if store.showing.sort is not None:
            column, descending = store.showing.sort
            way = "from the largest" if descending else "from the smallest"
            text += f", by {store.columns[column].title} {way}"
        self.state.setText(text)

    def _complain(self, text: str) -> None:
        if self.isHidden():
            self._grid.message.emit(text, "")
            return
        set_style(self.state, f"QLabel {{ color: {current_theme().error}; }}")
        self.state.setText(text)
