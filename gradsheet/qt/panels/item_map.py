"""The map of the items: principal components of their embeddings, with names and neighbours.

Owns axes, colours, search and the lists of neighbours. Knows no session: looks are handed in;
what is selected or dragged is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from gradsheet.collab import explore
from gradsheet.qt.ratings import map_colours
from gradsheet.qt.ratings.map_canvas import MapCanvas
from gradsheet.qt.ratings.map_colours import Coloured, ColourLegend
from gradsheet.qt.ratings.title_search import TitleSearch
from gradsheet.qt.theme import SPACE, current_theme
from gradsheet.qt.widgets.column_table import Column, ColumnTable
from gradsheet.qt.widgets.empty import EmptyOr
from gradsheet.qt.widgets.figure import FigureAndTable
from gradsheet.qt.widgets.number_field import NumberField
from gradsheet.qt.widgets.styling import set_style

if TYPE_CHECKING:
    from gradsheet.app.ratings.looks import Facts, Look
    from gradsheet.collab.explore import Measure

HEADING = "Which items are alike?"
WHAT = (
    "A map of the item embeddings will appear here: their two strongest principal components, "
    "with titles."
)
NEIGHBOURS = 10
FOUND_ZOOM = 3.0
MEASURES: dict[Measure, str] = {"cosine": "By cosine (direction)", "dot": "By dot product"}


class ItemMapPanel(QWidget):
    """Map, neighbours and what belongs to them."""

    chosen = Signal(list)
    """The user selected these items, by code."""
    least_changed = Signal(int)
    """Another number of ratings that an item on the map must have."""
    drag_begun = Signal(int)
    dragged = Signal(int, object)
    """An item and the coordinates (c,) that it is dragged to, along all components."""
    drag_ended = Signal(int)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setMinimumWidth(320)
        self._look: Look | None = None
        self._facts: Facts | None = None
        self._selected: tuple[int, ...] = ()
        self._coloured_for: object = None
        self.pages = EmptyOr(HEADING, WHAT, self)
        self.canvas = MapCanvas(self)
        self.view = FigureAndTable(self.canvas, "Map of the items", self)
        self.legend = ColourLegend(self)
        self._build_controls()
        self._build_neighbours()
        self._lay_out()
        self.canvas.chosen.connect(self._on_chosen)
        self.canvas.drag_begun.connect(self.drag_begun)
        self.canvas.dragged.connect(self._on_dragged)
        self.canvas.drag_ended.connect(self.drag_ended)
        self.view.table.chosen.connect(self._on_table)
        self.show_nothing("Open ratings, then press F5 to learn.")

    # ------------------------------------------------------------------ parts

    def _build_controls(self) -> None:
        self.search = TitleSearch(self, "Find an item on the map", "Find a title")
        self.search.taken.connect(self._on_found)
        self.colour = QComboBox(self)
        self.colour.setAccessibleName("Colour by")
        self.colour.setToolTip("What the colour of a dot says")
        self.colour.activated.connect(self._recolour)
        self.across, self.up = QComboBox(self), QComboBox(self)
        for box, name in ((self.across, "Component across"), (self.up, "Component up")):
            box.setAccessibleName(name)
            box.setToolTip(f"{name}, and its share of the variance")
            box.activated.connect(self._on_axes)
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(9)
        self.colour.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.colour.setMinimumContentsLength(9)
        self.at_least = NumberField(
            "At least so many ratings",
            "Only items rated so often are on the map and shape its components.",
            self, low=1, high=1e7,
        )  # fmt: skip
        self.at_least.setFixedWidth(7 * SPACE)
        self.at_least.committed.connect(self._on_least)

    def _build_neighbours(self) -> None:
        self.near: dict[Measure, ColumnTable] = {}
        self._near_box = QWidget(self)
        row = QHBoxLayout(self._near_box)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(1)
        for measure, title in MEASURES.items():
            holder = QWidget(self._near_box)
            column = QVBoxLayout(holder)
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(0)
            label = QLabel(title, holder)
            label.setContentsMargins(SPACE, SPACE // 2, SPACE, 0)
            table = self.near[measure] = ColumnTable(holder, f"Neighbours {title.lower()}")
            table.horizontalHeader().hide()
            table.activated_row.connect(self._on_neighbour)
            column.addWidget(label)
            column.addWidget(table, 1)
            row.addWidget(holder, 1)
        self._near_title = QLabel(self)
        self._near_title.setContentsMargins(SPACE, SPACE // 2, SPACE, 0)
        self._near_title.setWordWrap(True)

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setContentsMargins(SPACE, SPACE // 2, SPACE, SPACE // 2)
        grid.setSpacing(SPACE // 2)
        grid.addWidget(self.search, 0, 0, 1, 2)
        for row, column, text, widget in (
            (0, 2, "colour", self.colour), (1, 0, "across", self.across), (1, 2, "up", self.up),
        ):  # fmt: skip
            label = QLabel(text, self)
            label.setBuddy(widget)
            label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            grid.addWidget(label, row, column)
            grid.addWidget(widget, row, column + 1)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)
        least = QLabel("rated at least", self)
        least.setBuddy(self.at_least)
        grid.addWidget(least, 0, 4)
        grid.addWidget(self.at_least, 1, 4)
        upper, lower = QWidget(self), QWidget(self)
        above, below = QVBoxLayout(upper), QVBoxLayout(lower)
        for layout in (above, below):
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setSpacing(0)
        above.addLayout(grid)
        above.addWidget(self.view, 1)
        above.addWidget(self.legend)
        below.addWidget(self._near_title)
        below.addWidget(self._near_box, 1)
        both = QSplitter(Qt.Orientation.Vertical, self)
        both.setChildrenCollapsible(False)
        both.addWidget(upper)
        both.addWidget(lower)
        both.setStretchFactor(0, 4)
        both.setStretchFactor(1, 1)
        both.setSizes([440, 170])
        self.pages.addWidget(both)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.pages)

    # ------------------------------------------------------------------ showing

    def show_nothing(self, why: str) -> None:
        """Say what will appear here and how."""
        self._look = None
        self.pages.show_nothing(why)

    def show_look(self, look: Look, facts: Facts) -> None:
        """Show another state of the model; view and selection stay."""
        if look.map is None:
            return
        if self._facts is not facts:
            self.search.set_names(facts.names)
            self._fill_colours(facts)
        self._look, self._facts = look, facts
        self._fill_axes(look)
        self.at_least.show_number(look.map.at_least)
        self._place()
        self._recolour()
        self._show_neighbours()
        self.pages.show_contents()

    def show_selection(self, items: Sequence[int]) -> None:
        """Light up items, by code, and the neighbours of the first."""
        if tuple(items) == self._selected:
            return
        self._selected = tuple(items)
        self._show_neighbours()
        if len(items) == 1:
            self.canvas.show_item(items[0])

    def _fill_colours(self, facts: Facts) -> None:
        before = self.colour.currentData()
        with QSignalBlocker(self.colour):
            self.colour.clear()
            for text, data in (("Ratings", "count"), ("Year", "year"), ("Bias", "bias"),
                               ("None", "none")):  # fmt: skip
                self.colour.addItem(text, data)
            if facts.names.genre_names:
                self.colour.insertSeparator(self.colour.count())
            for name in facts.names.genre_names:
                self.colour.addItem(name, f"genre:{name}")
            place = self.colour.findData(before) if before is not None else 0
            self.colour.setCurrentIndex(max(place, 0))

    def _fill_axes(self, look: Look) -> None:
        assert look.map is not None
        shares = look.map.components.shares
        for box, first in ((self.across, 0), (self.up, 1)):
            with QSignalBlocker(box):
                chosen = box.currentIndex() if box.count() == len(shares) else first
                texts = [f"{k + 1}: {share:.1%}" for k, share in enumerate(shares)]
                if box.count() != len(shares):
                    box.clear()
                    box.addItems(texts)
                for k, text in enumerate(texts):
                    box.setItemText(k, text)
                box.setCurrentIndex(min(chosen, len(shares) - 1))

    def _axes(self) -> tuple[int, int]:
        return max(self.across.currentIndex(), 0), max(self.up.currentIndex(), 0)

    def _place(self) -> None:
        look, facts = self._look, self._facts
        assert look is not None
        assert look.map is not None
        assert facts is not None
        parts, (x, y) = look.map.components, self._axes()
        titles = tuple(
            f"component {k + 1} ({parts.shares[k]:.1%} of the variance)" for k in (x, y)
        )
        self.canvas.show_items(
            look.map.items, parts.coordinates[:, [x, y]], facts.names.titles,
            facts.item_counts[look.map.items], (titles[0], titles[1]),
        )  # fmt: skip
        shown = parts.shares[[x]].sum() if x == y else parts.shares[[x, y]].sum()
        self.view.refresh(
            f"{len(look.map.items):,} items rated at least {look.map.at_least:,} times; the two "
            f"axes hold {shown:.1%} of the variance. Nothing is scaled."
        )

    def _recolour(self, *_: object) -> None:
        if self._look is None or self._look.map is None or self._facts is None:
            return
        coloured = self._colours(self._look.map.items)
        self.canvas.set_colours(coloured.colours)
        self.legend.show_colours(coloured)
        self.legend.setVisible(bool(coloured.ramp or coloured.low))

    def _colours(self, items: np.ndarray) -> Coloured:
        look, facts = self._look, self._facts
        assert look is not None
        assert facts is not None
        kind = str(self.colour.currentData() or "count")
        if kind == "count":
            return map_colours.by_count(facts.item_counts[items])
        if kind == "year":
            return map_colours.by_year(facts.names.years[items])
        bias = look.learned.item_bias
        if kind == "bias" and bias is not None:
            return map_colours.by_bias(bias[items])
        if kind.startswith("genre:"):
            name = kind.removeprefix("genre:")
            return map_colours.by_genre(facts.names.has_genre(name)[items], name)
        return map_colours.by_nothing(len(items))

    def _show_neighbours(self) -> None:
        look, facts = self._look, self._facts
        if look is None or look.map is None or facts is None:
            return
        selected = [c for c in self._selected if c < len(look.learned.item_rows)]
        if len(selected) != 1:
            text = "Select a dot, or find a title, to see its nearest neighbours."
            if len(selected) > 1:
                text = f"{len(selected):,} items are selected; neighbours are shown of one."
            self._near_title.setText(text)
            for table in self.near.values():
                table.set_columns(())
            self.canvas.show_selection(self._selected)
            return
        code = selected[0]
        among = np.zeros(len(look.learned.item_rows), dtype=bool)
        among[look.map.items] = True
        is_off = not among[code]
        self._near_title.setText(
            f"Nearest to {facts.names.titles[code]}"
            + (f" (rated {facts.item_counts[code]} times: not on the map)" if is_off else "")
        )
        near: list[int] = []
        for measure, table in self.near.items():
            found = explore.neighbours(look.learned.item_rows, code, NEIGHBOURS, measure, among)
            titles = [facts.names.titles[c] for c in found.codes.tolist()]
            table.set_columns(
                (Column("item", titles), Column(measure, found.values, lambda v: f"{v:.3f}", True))
            )
            table.setProperty("codes", found.codes.tolist())
            if measure == "cosine":
                near = found.codes.tolist()
        self.canvas.show_selection([code], near)

    # ------------------------------------------------------------------ what the user does

    def _on_axes(self, _: int) -> None:
        if self._look is not None:
            self.canvas.fit()
            self._place()
            self.canvas.fit()

    def _on_least(self, number: float) -> None:
        self.least_changed.emit(int(number))

    def _on_found(self, code: int) -> None:
        self._choose([code])
        self.canvas.show_item(code, FOUND_ZOOM)
        self.canvas.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_chosen(self, codes: list[int]) -> None:
        self._choose(codes)

    def _on_table(self, rows: list[int]) -> None:
        if self._look is not None and self._look.map is not None:
            self._choose([int(self._look.map.items[row]) for row in rows])

    def _on_neighbour(self, row: int) -> None:
        for table in self.near.values():
            if table is self.sender():
                self._choose([int(table.property("codes")[row])])
                self.canvas.show_item(self._selected[0])

    def _choose(self, codes: list[int]) -> None:
        self._selected = tuple(codes)
        self._show_neighbours()
        self.chosen.emit(codes)

    def _on_dragged(self, code: int, x: float, y: float) -> None:
        """Say where a dot goes: what this map does not show of it stays."""
        if self._look is None or self._look.map is None:
            return
        place = np.flatnonzero(self._look.map.items == code)
        if not len(place):
            return
        there = self._look.map.components.coordinates[place[0]].copy()
        across, up = self._axes()
        there[across] = x
        there[up] = y
        self.dragged.emit(code, there)

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_near_title"):
            self._recolour()
            set_style(self._near_title, f"color: {current_theme().text};")
