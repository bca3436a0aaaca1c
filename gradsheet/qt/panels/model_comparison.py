"""Two trained models side by side: choices, errors, curves, popularity, disagreements.

Owns the widgets. Knows a `Comparison` and names of models; says which pair is wanted.
"""

# LONG: one panel of four views on the same pair.

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QButtonGroup,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QSizePolicy,
    QStackedWidget,
    QTableWidget,
    QTableWidgetItem,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gradsheet.collab.evaluate import PopularityBand
from gradsheet.collab.report import EpochRow
from gradsheet.qt import icons
from gradsheet.qt.theme import SPACE, current_theme, scale
from gradsheet.qt.widgets.line_chart import FLOATS
from gradsheet.qt.widgets.quiet_plot import QuietPlot, finite_range, log10, spread_labels
from gradsheet.qt.widgets.styling import set_style

if TYPE_CHECKING:
    from gradsheet.app.ratings.comparison import Comparison

ROW_PX = 22
EMPTY_TEXT = (
    "Two trained models are compared here: their choices, errors and curves, and the titles on "
    "which they disagree.<br><br>Run, then <b>Keep</b> the model under a name; change something "
    "and run again."
)
LOG_FROM = 8.0
"""Times of two runs that differ by more than this factor are drawn on a logarithmic axis."""


def band_text(band: PopularityBand) -> str:
    """Return where a band of training ratings begins, short enough for an axis: 0, 1, 2–, 4–."""
    return f"{band.low:,}" if band.low == band.high else f"{band.low:,}–"


class ModelComparison(QWidget):
    """A pair of models, chosen in two lists, and four views on it."""

    pair_chosen = Signal(int, int)
    """Places in the list of models."""
    restore_asked = Signal(int)
    drop_asked = Signal(int)
    rating_chosen = Signal(int, int)
    """User and item, by code, of a disagreement."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._comparison: Comparison | None = None
        self._title_of: Callable[[int], str] = str
        self._user_of: Callable[[int], str] = str
        self._names: list[str] = []
        self._build_head()
        self._build_views()
        self._empty = QLabel(EMPTY_TEXT, self)
        self._empty.setWordWrap(True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setMargin(3 * SPACE)
        self._stack = QStackedWidget(self)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self.tabs)
        self.part = QLabel(self)
        self.part.setWordWrap(True)
        self.part.setContentsMargins(SPACE, SPACE // 2, SPACE, SPACE // 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._head)
        column.addWidget(self._stack, 1)
        column.addWidget(self.part)
        self.apply_theme()
        self.show_models([])

    # ------------------------------------------------------------------ parts

    def _build_head(self) -> None:
        self._head = QWidget(self)
        grid = QGridLayout(self._head)
        grid.setContentsMargins(SPACE, SPACE // 2, SPACE, SPACE // 2)
        grid.setHorizontalSpacing(SPACE)
        grid.setVerticalSpacing(SPACE // 2)
        self.boxes: list[QComboBox] = []
        self.restore_buttons: list[QToolButton] = []
        self.drop_buttons: list[QToolButton] = []
        self._marks: list[QLabel] = []
        for row, which in enumerate(("First model", "Second model")):
            mark = QLabel("■", self._head)
            box = QComboBox(self._head)
            box.setAccessibleName(which)
            box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            box.activated.connect(self._on_box)
            restore = self._button("Go back to it", "Learn on with this model; undo comes back")
            drop = self._button("Forget", "Forget this kept model")
            restore.clicked.connect(self._on_restore if row == 0 else self._on_restore_second)
            drop.clicked.connect(self._on_drop if row == 0 else self._on_drop_second)
            for column, widget in enumerate((mark, box, restore, drop)):
                grid.addWidget(widget, row, column)
            self.boxes.append(box)
            self.restore_buttons.append(restore)
            self.drop_buttons.append(drop)
            self._marks.append(mark)
        grid.setColumnStretch(1, 1)

    def _button(self, text: str, about: str) -> QToolButton:
        button = QToolButton(self._head)
        button.setText(text)
        button.setToolTip(about)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def _build_views(self) -> None:
        self.tabs = QTabWidget(self)
        self.tabs.setDocumentMode(True)
        self.choices = self._table(("", "", ""), "Errors and choices that differ")
        self.curves = self._build_curves()
        self.popularity = QuietPlot(self, "ratings that the item has to learn from", "RMSE, stars")
        self.popularity.getPlotItem().getAxis("bottom").setHeight(round(52 * scale()))
        self.disagreements = self._table(("title", "user", "actual", "", ""), "Disagreements")
        self.disagreements.itemSelectionChanged.connect(self._on_disagreement)
        for widget, title in (
            (self.choices, "Differences"), (self._curves_page, "Curves"),
            (self.popularity, "Popularity"), (self.disagreements, "Disagreements"),
        ):  # fmt: skip
            self.tabs.addTab(widget, title)
        self._lines = [self.curves.curve("#888888", 2) for _ in range(2)]
        self._line_names = [self.curves.label("", "#888888", (1, 1)) for _ in range(2)]
        self._bands = [self.popularity.curve("#888888", 2) for _ in range(2)]
        self._band_dots = [pg.ScatterPlotItem(size=7, pen=None, antialias=True) for _ in range(2)]
        self._band_names = [self.popularity.label("", "#888888", (1, 1)) for _ in range(2)]
        for dots in self._band_dots:
            self.popularity.addItem(dots, ignoreBounds=True)

    def _build_curves(self) -> QuietPlot:
        self._curves_page = QWidget(self)
        plot = QuietPlot(self._curves_page, "epoch", "validation RMSE, stars")
        self.by: dict[str, QToolButton] = {}
        group = QButtonGroup(self)
        head = QHBoxLayout()
        head.setContentsMargins(SPACE, SPACE // 2, SPACE, 0)
        head.addStretch(1)
        for key, text in (("epoch", "by epoch"), ("time", "by time")):
            button = self._button(text, f"Errors {text}")
            button.setCheckable(True)
            group.addButton(button)
            head.addWidget(button)
            self.by[key] = button
        self.by["epoch"].setChecked(True)
        group.buttonClicked.connect(self._draw_curves)
        column = QVBoxLayout(self._curves_page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(plot, 1)
        return plot

    def _table(self, heads: Sequence[str], name: str) -> QTableWidget:
        table = QTableWidget(0, len(heads), self)
        table.setHorizontalHeaderLabels(list(heads))
        table.setAccessibleName(name)
        table.verticalHeader().hide()
        table.setShowGrid(False)
        table.setFrameShape(QTableWidget.Shape.NoFrame)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.verticalHeader().setDefaultSectionSize(round(ROW_PX * scale()))
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        return table

    # ------------------------------------------------------------------ showing

    def show_models(self, names: Sequence[str]) -> None:
        """Offer these models; the pair stays chosen as far as its names are still there."""
        before = [box.currentText() for box in self.boxes]
        self._names = list(names)
        for place, (box, name) in enumerate(zip(self.boxes, before, strict=True)):
            with QSignalBlocker(box):
                box.clear()
                box.addItems(self._names)
                index = self._names.index(name) if name in self._names else place
                box.setCurrentIndex(min(index, len(self._names) - 1))
        first, second = (box.currentIndex() for box in self.boxes)
        if first == second and len(self._names) > 1:
            with QSignalBlocker(self.boxes[1]):
                self.boxes[1].setCurrentIndex(1 if first == 0 else 0)
        self._head.setVisible(bool(self._names))
        self._show_buttons()
        if len(self._names) < 2:
            self.show_comparison(None)

    @property
    def pair(self) -> tuple[int, int] | None:
        """Places of the two models that are chosen; None while there are not two."""
        if len(self._names) < 2:
            return None
        return self.boxes[0].currentIndex(), self.boxes[1].currentIndex()

    def show_comparison(
        self,
        comparison: Comparison | None,
        title_of: Callable[[int], str] = str,
        user_of: Callable[[int], str] = str,
    ) -> None:
        """Show a comparison, items and users by their names."""
        self._comparison, self._title_of, self._user_of = comparison, title_of, user_of
        self._stack.setCurrentWidget(self.tabs if comparison is not None else self._empty)
        self.part.setVisible(comparison is not None)
        if comparison is None:
            return
        self.part.setText(f"On {comparison.part}.")
        self._write_choices(comparison)
        self._write_disagreements(comparison)
        self._draw_curves()
        self._draw_bands(comparison)

    def _show_buttons(self) -> None:
        """What is there now can be neither gone back to nor forgotten."""
        for box, restore, drop in zip(
            self.boxes, self.restore_buttons, self.drop_buttons, strict=True
        ):
            is_kept = bool(self._names) and box.currentText() != "now"
            for button in (restore, drop):
                policy = button.sizePolicy()
                policy.setRetainSizeWhenHidden(True)
                button.setSizePolicy(policy)
                button.setVisible(is_kept)

    def _write_choices(self, found: Comparison) -> None:
        names = (found.first.name, found.second.name)
        rows = [
            ("RMSE, stars", *(f"{e.rmse:.4f}" for e in found.errors)),
            ("MAE, stars", *(f"{e.mae:.4f}" for e in found.errors)),
            ("mean of prediction − rating", *(f"{e.mean:+.4f}" for e in found.errors)),
            ("epochs or passes", *(str(len(m.epochs)) for m in (found.first, found.second))),
            ("time spent learning", *(_time(m.epochs) for m in (found.first, found.second))),
        ]
        better = 1 if found.errors[0].rmse <= found.errors[1].rmse else 2
        rows += [(d.title, d.first or "–", d.second or "–") for d in found.choices]
        table = self.choices
        table.setHorizontalHeaderLabels(["", *names])
        table.setRowCount(len(rows))
        for i, row in enumerate(rows):
            for j, text in enumerate(row):
                item = QTableWidgetItem(text)
                item.setToolTip(text)
                if j:
                    item.setTextAlignment(
                        Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                    )
                if i == 0 and j == better:
                    font = table.font()
                    font.setBold(True)
                    item.setFont(font)
                table.setItem(i, j, item)
        if not found.choices:
            table.insertRow(table.rowCount())
            table.setItem(table.rowCount() - 1, 0, QTableWidgetItem("No choice differs."))

    def _write_disagreements(self, found: Comparison) -> None:
        table = self.disagreements
        with QSignalBlocker(table):
            table.setHorizontalHeaderLabels(
                ["title", "user", "actual", found.first.name, found.second.name]
            )
            table.setRowCount(len(found.disagreements))
            for i, row in enumerate(found.disagreements):
                texts = (
                    self._title_of(row.item), self._user_of(row.user), f"{row.actual:g}",
                    f"{row.first:.2f}", f"{row.second:.2f}",
                )  # fmt: skip
                for j, text in enumerate(texts):
                    item = QTableWidgetItem(text)
                    item.setToolTip(text)
                    if j:
                        item.setTextAlignment(
                            Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                        )
                    table.setItem(i, j, item)

    def _draw_curves(self, *_: object) -> None:
        found = self._comparison
        if found is None:
            return
        by_time = self.by["time"].isChecked()
        points: list[tuple[FLOATS, FLOATS]] = []
        for model in (found.first, found.second):
            rows = [row for row in model.epochs if row.valid_rmse is not None]
            x = [row.seconds if by_time else float(row.epoch) for row in rows]
            points.append((np.array(x), np.array([row.valid_rmse or np.nan for row in rows])))
        every = np.concatenate([x for x, _ in points])
        span, heights = finite_range(every), finite_range(np.concatenate([y for _, y in points]))
        if span is None or heights is None:
            for line in self._lines:
                line.setData([], [])
            return
        log = by_time and span[0] > 0 and span[1] / span[0] > LOG_FROM
        self.curves.set_log("bottom", log)
        self.curves.set_titles("seconds spent learning" if by_time else "epoch or pass",
                               "validation RMSE, stars")  # fmt: skip
        if log:
            points = [(log10(x), y) for x, y in points]
            span = finite_range(log10(every)) or (0.0, 1.0)
        left = span[0] if log else 0.0
        margin = 0.08 * (heights[1] - heights[0]) or 0.02
        low, high = heights[0] - margin, heights[1] + 2 * margin
        self.curves.show_range((left, span[1]), (low, high))
        labels = []
        for line, label, name, (x, y) in zip(
            self._lines, self._line_names, (found.first.name, found.second.name), points,
            strict=True,
        ):  # fmt: skip
            line.setData(x, y)
            label.setText(f"{name} {y[-1]:.4f}" if len(y) else "")
            if len(y):
                labels.append((label, float(y[-1]) + margin / 2))
        spread_labels(self.curves, labels, span[1], low, high)

    def _draw_bands(self, found: Comparison) -> None:
        bands = found.bands[0]
        plot = self.popularity
        ticks = [(float(i), f"{band_text(b)}\n{b.errors.count:,}") for i, b in enumerate(bands)]
        plot.getPlotItem().getAxis("bottom").setTicks([ticks])
        plot.set_titles("ratings of the item to learn from (below: how many judged)",
                        "RMSE, stars")  # fmt: skip
        heights = finite_range(np.array([b.errors.rmse for side in found.bands for b in side]))
        if heights is None:
            return
        margin = 0.12 * (heights[1] - heights[0]) or 0.05
        low, high = heights[0] - margin, heights[1] + margin
        plot.show_range((-0.4, len(bands) - 0.6), (low, high))
        labels = []
        for side, line, dots, label, name in zip(
            found.bands, self._bands, self._band_dots, self._band_names,
            (found.first.name, found.second.name), strict=True,
        ):  # fmt: skip
            x = np.arange(len(side), dtype=np.float64)
            y = np.array([band.errors.rmse for band in side])
            line.setData(x, y)
            dots.setData(x, y)
            label.setText(name)
            labels.append((label, float(y[-1]) + margin / 2))
        spread_labels(plot, labels, len(bands) - 0.6, low, high)

    # ------------------------------------------------------------------ what the user does

    def _on_box(self, *_: object) -> None:
        self._show_buttons()
        if self.pair is not None:
            self.pair_chosen.emit(*self.pair)

    def _on_restore(self) -> None:
        self.restore_asked.emit(self.boxes[0].currentIndex())

    def _on_restore_second(self) -> None:
        self.restore_asked.emit(self.boxes[1].currentIndex())

    def _on_drop(self) -> None:
        self.drop_asked.emit(self.boxes[0].currentIndex())

    def _on_drop_second(self) -> None:
        self.drop_asked.emit(self.boxes[1].currentIndex())

    def _on_disagreement(self) -> None:
        row = self.disagreements.currentRow()
        found = self._comparison
        if found is not None and 0 <= row < len(found.disagreements):
            chosen = found.disagreements[row]
            self.rating_chosen.emit(chosen.user, chosen.item)

    # ------------------------------------------------------------------ look

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a new theme; rows grow with the font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "part"):
            self.apply_theme()

    def apply_theme(self) -> None:
        """Paint with the theme that is on."""
        theme = current_theme()
        for plot in (self.curves, self.popularity):
            plot.apply_theme()
        for button in self.drop_buttons:
            button.setIcon(icons.icon("x"))
        colours = (theme.accent, theme.text)
        for i, colour in enumerate(colours):
            self._lines[i].setPen(pg.mkPen(colour, width=2))
            self._bands[i].setPen(pg.mkPen(colour, width=2))
            self._band_dots[i].setBrush(QColor(colour))
            for label in (self._line_names[i], self._band_names[i]):
                label.setColor(colour)
            set_style(self._marks[i], f"QLabel {{ color: {colour}; }}")
        for table in (self.choices, self.disagreements):
            table.verticalHeader().setDefaultSectionSize(round(ROW_PX * scale()))
        set_style(self._empty, f"QLabel {{ color: {theme.muted}; background: {theme.sheet}; }}")
        set_style(self.part, f"QLabel {{ color: {theme.muted}; }}")


def _time(epochs: Sequence[EpochRow]) -> str:
    seconds = epochs[-1].seconds if epochs else 0.0
    return f"{seconds * 1000:.3g} ms" if seconds < 0.1 else f"{seconds:.3g} s"
