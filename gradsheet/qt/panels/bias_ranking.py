"""Items by their bias, both ends, beside mean rating and count.

Owns search, filter and what of the ranking is listed. Knows no session: ranking and names are
handed in, and what is selected is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gradsheet.qt.theme import SPACE, current_theme
from gradsheet.qt.widgets.column_table import GAP, Column, ColumnTable
from gradsheet.qt.widgets.empty import EmptyOr
from gradsheet.qt.widgets.number_field import NumberField
from gradsheet.qt.widgets.styling import set_style

if TYPE_CHECKING:
    from gradsheet.app.ratings.item_names import ItemNames
    from gradsheet.collab.explore import Ranking

HEADING = "Which items are liked more than their ratings say?"
WHAT = (
    "The items with the highest and the lowest bias will appear here, beside their mean rating "
    "and how often they were rated."
)
END = 25
"""Items listed of each end."""
AT_LEAST = 30
"""Ratings an item must have at first, so that the ends are not chance."""
ENOUGH = 2 * END


class BiasRankingPanel(QWidget):
    """The ranking of the items."""

    chosen = Signal(list)
    """The user selected these items, by code."""
    shown_on_map = Signal(int)
    """Enter or a double click on an item."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setMinimumWidth(300)
        self._ranking: Ranking | None = None
        self._names: ItemNames | None = None
        self._selected: tuple[int, ...] = ()
        self.pages = EmptyOr(HEADING, WHAT, self)
        self._build_controls()
        self.table = ColumnTable(self, "Bias ranking", several=True)
        self.table.chosen.connect(self._on_chosen)
        self.table.activated_row.connect(self._on_activated)
        self.note = QLabel(self)
        self.note.setContentsMargins(SPACE, SPACE // 2, SPACE, SPACE // 2)
        self.note.setWordWrap(True)
        self._lay_out()
        self.show_nothing("Open ratings, then press F5 to learn.")

    def _build_controls(self) -> None:
        self.search = QLineEdit(self)
        self.search.setPlaceholderText("Search titles")
        self.search.setAccessibleName("Search the ranking")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self.refresh)
        self.search.returnPressed.connect(self._on_return)
        self.at_least = NumberField(
            "At least so many ratings", "Leaves out items whose bias rests on few ratings.", self,
            low=1, high=1e7,
        )  # fmt: skip
        self.at_least.setFixedWidth(7 * SPACE)
        self.at_least.show_number(AT_LEAST)
        self.at_least.committed.connect(self.refresh)
        self.both_ends, self.all_items = QToolButton(self), QToolButton(self)
        self._which = QButtonGroup(self)
        for button, text, about in (
            (self.both_ends, "Both ends", f"The {END} highest and the {END} lowest biases"),
            (self.all_items, "All", "All items that pass the filter"),
        ):
            button.setText(text)
            button.setToolTip(about)
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            self._which.addButton(button)
        self.both_ends.setChecked(True)
        self._which.buttonClicked.connect(self._on_which)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setContentsMargins(SPACE, SPACE // 2, SPACE, SPACE // 2)
        row.setSpacing(SPACE // 2)
        row.addWidget(self.search, 1)
        label = QLabel("rated at least", self)
        label.setBuddy(self.at_least)
        row.addWidget(label)
        row.addWidget(self.at_least)
        row.addWidget(self.both_ends)
        row.addWidget(self.all_items)
        full = QWidget(self)
        inner = QVBoxLayout(full)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(0)
        inner.addLayout(row)
        inner.addWidget(self.table, 1)
        inner.addWidget(self.note)
        self.pages.addWidget(full)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.pages)

    # ------------------------------------------------------------------ showing

    def show_nothing(self, why: str) -> None:
        """Say what will appear here and how."""
        self._ranking = None
        self.pages.show_nothing(why)

    def show_ranking(self, ranking: Ranking, names: ItemNames) -> None:
        """Show a ranking; what is selected and typed stays."""
        is_first = self._names is not names
        self._ranking, self._names = ranking, names
        if is_first:
            enough = int(np.count_nonzero(ranking.counts >= AT_LEAST)) >= ENOUGH
            with QSignalBlocker(self.at_least):
                self.at_least.show_number(AT_LEAST if enough else 1)
        self.pages.show_contents()
        self.refresh()

    def show_selection(self, items: Sequence[int]) -> None:
        """Light up items, by code; one that the filter hides is scrolled to if it is listed."""
        if tuple(items) == self._selected:
            return
        self._selected = tuple(items)
        self._mark(show=True)

    def _mark(self, *, show: bool) -> None:
        if self._ranking is not None:
            places = {int(code): place for place, code in enumerate(self._ranking.items.tolist())}
            rows = [places[code] for code in self._selected if code in places]
            self.table.select(rows, show=show)

    def refresh(self, *_: object) -> None:
        """List what passes search and filter."""
        ranking, names = self._ranking, self._names
        if ranking is None or names is None:
            return
        passes = ranking.counts >= self.at_least.number
        text = self.search.text().strip()
        if text:
            found = np.zeros(len(names), dtype=bool)
            found[names.search(text)] = True
            passes &= found[ranking.items]
        rows = np.flatnonzero(passes).tolist()
        listed, gap = self._ends(rows, bool(text))
        self.table.set_columns(_columns(ranking, names), listed, gap)
        self._mark(show=False)
        self._write_note(len(rows), len(ranking.items), text)

    def _ends(self, rows: list[int], is_search: bool) -> tuple[list[int], str]:
        left_out = len(rows) - 2 * END
        is_sorted = self.table.columns_model.sorted_by is not None
        if is_search or self.all_items.isChecked() or left_out <= 0 or is_sorted:
            return rows, ""
        return [*rows[:END], GAP, *rows[-END:]], f"… {left_out:,} between …"

    def _write_note(self, count: int, whole: int, text: str) -> None:
        theme = current_theme()
        least = f"at least {int(self.at_least.number):,} training ratings"
        if not count:
            where = f" with “{text}” in the title" if text else ""
            self.note.setText(f"No item{where} has {least}. Lower the number or search again.")
        else:
            self.note.setText(
                f"{count:,} of {whole:,} items have {least}. "
                "Bias: stars (or score, with a sigmoid) above what its users' own biases say."
            )
        set_style(self.note, f"color: {theme.muted};")

    # ------------------------------------------------------------------ what the user does

    def _on_which(self, _: object) -> None:
        if self.both_ends.isChecked():
            self.table.sort_as_given()
        self.refresh()

    def _on_return(self) -> None:
        """Enter in the search goes to the first item found."""
        rows = [row for row in self.table.columns_model.rows if row != GAP]
        if rows:
            self.table.select(rows[:1])
            self.table.setFocus()
            self._on_chosen(rows[:1])

    def _codes(self, rows: Sequence[int]) -> list[int]:
        if self._ranking is None:
            return []
        return [int(self._ranking.items[row]) for row in rows if row != GAP]

    def _on_chosen(self, rows: list[int]) -> None:
        codes = self._codes(rows)
        self._selected = tuple(codes)
        self.chosen.emit(codes)

    def _on_activated(self, row: int) -> None:
        for code in self._codes([row]):
            self.shown_on_map.emit(code)


def _columns(ranking: Ranking, names: ItemNames) -> tuple[Column, ...]:
    most = float(np.max(np.abs(ranking.biases), initial=0.0))
    titles = names.titles
    items = ranking.items
    return (
        Column("item", _Titles(titles, items), about="Title"),
        Column("bias", ranking.biases, lambda v: f"{v:+.3f}", True,
               "What the model adds for this item, whoever rates it.",
               (most, "#0072B2", "#D55E00")),
        Column("mean", ranking.means, lambda v: f"{v:.2f}", True,
               "Mean of its training ratings. Where it is far from the bias, the item was rated "
               "by generous or by strict users."),
        Column("ratings", ranking.counts, lambda v: f"{int(v):,}", True,
               "Training ratings of the item."),
    )  # fmt: skip


class _Titles(Sequence[str]):
    """Titles in the order of a ranking, read when they are shown."""

    def __init__(self, titles: Sequence[str], items: np.ndarray) -> None:
        self._titles, self._items = titles, items

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, place: int) -> str:  # type: ignore[override]
        return self._titles[int(self._items[place])]
