"""Type yourself in: rate a few titles, and see what the model recommends and why.

Owns the widgets; what was typed and what it leads to are `app.ratings.typing_in`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gradsheet.app.ratings.newcomer import parts_of
from gradsheet.formula.values import UserError
from gradsheet.qt.ratings.stars_table import StarsTable
from gradsheet.qt.ratings.title_search import TitleSearch
from gradsheet.qt.ratings.waterfall_figure import WaterfallFigure
from gradsheet.qt.theme import SPACE
from gradsheet.qt.widgets.column_table import Column, ColumnTable
from gradsheet.qt.widgets.figure import FigureAndTable
from gradsheet.qt.widgets.number_field import NumberField

if TYPE_CHECKING:
    from gradsheet.app.ratings.item_names import ItemNames
    from gradsheet.app.ratings.newcomer import Answer, Listed, Side
    from gradsheet.app.ratings.typing_in import TypingIn

WHAT = {
    "user": "Rate a few titles: find one above, Enter, then type its stars. Your own row of the "
            "model is learned from them, nothing else changes, and recommendations appear here.",
    "item": "Type in how known users rated a new item: find a user above by id, Enter, then the "
            "stars. The new item's row is learned, and who would like it appears here.",
}  # fmt: skip
WAYS = {"closed": "closed form", "steps": "200 steps"}
FIRST_SHARE = 0.8
"""Of the scale: what a title has before one types its stars."""


class TypeYourselfInPanel(QWidget):
    """A newcomer, what was typed, recommendations and their parts."""

    item_chosen = Signal(int)
    """An item in the recommendations or among the ratings was selected."""
    wake = Signal()
    """Something is to be computed soon."""

    def __init__(self, typing: TypingIn, parent: QWidget) -> None:
        super().__init__(parent)
        self.setMinimumWidth(340)
        self._typing = typing
        self._names: dict[Side, ItemNames] = {}
        self.names: ItemNames | None = None
        self._build_typed()
        self._build_wishes()
        self._build_listed()
        self._lay_out()
        typing.add_listener(self.refresh)
        self.refresh()

    # ------------------------------------------------------------------ parts

    def _build_typed(self) -> None:
        self.sides: dict[Side, QToolButton] = {}
        group = self._group = QButtonGroup(self)
        for side, text in (("user", "A new user"), ("item", "A new item")):
            button = self._button(text, "Whose row is learned", None)
            button.setCheckable(True)
            group.addButton(button)
            self.sides[side] = button  # type: ignore[index]
        self.sides[self._typing.side].setChecked(True)
        group.buttonClicked.connect(self._on_side)
        self.clear_button = self._button("Clear", "Forget all these ratings", self._typing.clear)
        self.retrain_button = self._button(
            "Retrain all",
            "Learn the whole model anew with these ratings in it, beside the one that is open",
            self._on_retrain,
        )
        self.search = TitleSearch(self, "Find what to rate", "Find a title to rate")
        self.search.taken.connect(self._on_taken)
        self.typed = StarsTable(self)
        self.typed.rated.connect(self._on_rated)
        self.typed.removed.connect(self._on_removed)
        self.typed.done.connect(self._on_done)
        self.typed.chosen.connect(self._on_typed_chosen)
        self.note = QLabel(self)
        self.note.setWordWrap(True)
        self.note.setContentsMargins(SPACE, SPACE // 2, SPACE, SPACE // 2)

    def _build_wishes(self) -> None:
        wishes = self._typing.wishes
        self.way = QComboBox(self)
        self.way.setAccessibleName("How the row is learned")
        self.way.setToolTip(
            "Closed form: the ridge regression, solved at once. Steps: the same loss, downhill."
        )
        for name, text in WAYS.items():
            self.way.addItem(text, name)
        self.way.setCurrentIndex(list(WAYS).index(wishes.way))
        self.way.activated.connect(self._on_way)
        self.hide_rated = QCheckBox("hide rated", self)
        self.hide_rated.setToolTip("Leave out what was rated already")
        self.hide_rated.setChecked(wishes.hide_rated)
        self.hide_rated.toggled.connect(self._on_hide)
        self.order = QComboBox(self)
        self.order.setAccessibleName("Best or worst")
        self.order.addItems(["best first", "worst first"])
        self.order.setCurrentIndex(int(wishes.worst))
        self.order.activated.connect(self._on_order)
        self.at_least = self._count("At least so many ratings", "Leaves out what few have rated",
                                    self._on_least, wishes.at_least)  # fmt: skip
        self.at_most = self._count("At most so many ratings", "Leaves out the popular",
                                   self._on_most, wishes.at_most)  # fmt: skip

    def _count(
        self, name: str, about: str, slot: Callable[[float], None], number: int
    ) -> NumberField:
        field = NumberField(name, about, self, low=0, high=1e7, first_rung=1)
        field.setFixedWidth(7 * SPACE)
        field.show_number(number)
        field.committed.connect(slot)
        return field

    def _button(self, text: str, about: str, slot: Callable[[], None] | None) -> QToolButton:
        button = QToolButton(self)
        button.setText(text)
        button.setToolTip(about)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        if slot is not None:
            button.clicked.connect(slot)
        return button

    def _build_listed(self) -> None:
        self.listed = ColumnTable(self, "Recommendations")
        self.listed.chosen.connect(self._on_listed_chosen)
        self.waterfall = WaterfallFigure(self)
        self.waterfall.room_changed.connect(self._on_room)
        self.parts = FigureAndTable(self.waterfall, "What the prediction is made of", self)

    def _lay_out(self) -> None:
        top, filters = QHBoxLayout(), QHBoxLayout()
        for row in (top, filters):
            row.setContentsMargins(SPACE, SPACE // 2, SPACE, SPACE // 2)
            row.setSpacing(SPACE // 2)
        for button in (*self.sides.values(), self.clear_button, self.retrain_button):
            top.addWidget(button)
        top.insertStretch(2, 1)
        filters.addWidget(self.order)
        filters.addWidget(self.hide_rated)
        filters.addStretch(1)
        filters.addWidget(QLabel("rated", self))
        filters.addWidget(self.at_least)
        filters.addWidget(QLabel("to", self))
        filters.addWidget(self.at_most)
        find = QHBoxLayout()
        find.setContentsMargins(SPACE, 0, SPACE, SPACE // 2)
        find.addWidget(self.search, 1)
        find.addWidget(self.way)
        upper, middle = QWidget(self), QWidget(self)
        for holder, widgets in ((upper, (top, find, self.typed, self.note)),
                                (middle, (filters, self.listed))):  # fmt: skip
            column = QVBoxLayout(holder)
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(0)
            for widget in widgets:
                if isinstance(widget, QWidget):
                    column.addWidget(widget, 1 if isinstance(widget, ColumnTable) else 0)
                else:
                    column.addLayout(widget)
        self._split = QSplitter(Qt.Orientation.Vertical, self)
        self._split.setChildrenCollapsible(False)
        for k, widget in enumerate((upper, middle, self.parts)):
            self._split.addWidget(widget)
            self._split.setStretchFactor(k, 1)
        self._split.setSizes([270, 170, 220])
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._split)

    # ------------------------------------------------------------------ showing

    def set_names(self, items: ItemNames, users: ItemNames) -> None:
        """Say what items and users are called."""
        self._names = {"user": items, "item": users}
        self.names = items
        self.refresh()

    def refresh(self) -> None:
        """Show what was typed and what it leads to."""
        typing = self._typing
        side, names = typing.side, self._names.get(typing.side)
        answer = typing.answer if typing.answer and typing.answer.side == side else None
        is_user = side == "user"
        if names is not None:
            self.search.set_names(names)
            if not self.at_most.hasFocus():  # no limit reads as what the most rated has
                most = typing.wishes.at_most or int(names.counts.max(initial=0))
                self.at_most.show_number(most)
        self.search.setPlaceholderText("Find a title to rate" if is_user else "Find a user by id")
        self.search.setEnabled(names is not None)
        typed = typing.typed
        titles = [self._title(code) for code in typed]
        fitted: list[float] = []
        if answer is not None and answer.codes.tolist() == list(typed):
            fitted = answer.fitted.tolist()
        self.typed.show_ratings(list(typed), titles, list(typed.values()), fitted, typing.scale)
        self.clear_button.setEnabled(bool(typed))
        self.retrain_button.setEnabled(bool(typed))
        self.retrain_button.setText("Stop" if typing.is_retraining else "Retrain all")
        self._write_note(answer)
        self._list(answer)

    def _title(self, code: int) -> str:
        names = self._names.get(self._typing.side)
        return names.titles[code] if names is not None and code < len(names) else str(code)

    def _write_note(self, answer: Answer | None) -> None:
        typing = self._typing
        if typing.why_not:
            text = typing.why_not
        elif not typing.typed:
            text = WHAT[typing.side]
        elif answer is None:
            text = "Learning the row…"
        else:
            whose = "Your row" if typing.side == "user" else "The item's row"
            how = "closed form" if len(answer.losses) == 1 else f"{len(answer.losses)} steps"
            text = (
                f"{whose} alone was learned from {len(answer.codes)} ratings in "
                f"{answer.milliseconds:.1f} ms ({how}); RMSE on them {answer.row.rmse:.3f}."
            )
            if answer.ridge is not None:
                text += f" Ridge {answer.ridge.strength:g}, chosen on known users."
        if typing.is_retraining and typing.progress is not None:
            share = typing.progress.fraction
            text += " Retraining all" + (f": {share:.0%}." if share is not None else "…")
        elif typing.retrained is not None and typing.retrained.typed == typing.typed:
            done = typing.retrained
            text += f" All retrained in {done.seconds:.1f} s: RMSE on yours {done.rmse:.3f}."
        self.note.setText(text)

    def _list(self, answer: Answer | None) -> None:
        listed = answer.listed if answer is not None else ()
        titles = [self._title(found.code) for found in listed]
        columns = [
            Column("recommended" if self._typing.side == "user" else "would rate it", titles),
            Column("prediction", [found.prediction for found in listed], lambda v: f"{v:.2f}",
                   True, "With the row that was learned"),
        ]  # fmt: skip
        done = self._typing.retrained
        if answer is not None and done is not None and done.side == answer.side:
            again = [float(done.predictions[found.code]) for found in listed]
            columns.append(Column("retrained", again, lambda v: f"{v:.2f}", True,
                                  "After the whole model was learned with you in it"))  # fmt: skip
        before = self.listed.selected()
        self.listed.set_columns(columns)
        if listed and not before:
            self.listed.select([0])
        self._explain(answer)

    def _on_room(self) -> None:
        self._explain(self._typing.answer)

    def _explain(self, answer: Answer | None) -> None:
        rows = self.listed.selected()
        found: Listed | None = None
        if answer is not None and rows and rows[0] < len(answer.listed):
            found = answer.listed[rows[0]]
        if answer is None or found is None:
            self.waterfall.show_parts((), (), 0.0)
            self.parts.refresh("Bias by bias and factor by factor, once something is recommended.")
            return
        if found.parts is None:
            self.waterfall.show_parts((), (), found.prediction)
            self.parts.refresh(
                f"{self._title(found.code)}: {found.prediction:.2f}. A net's prediction is no sum "
                "of parts; choose EmbeddingDotBias to see them."
            )
            return
        fixed = 4  # where it begins, two biases, what is left over; the sum has its own line
        some = parts_of(answer, found, max(1, self.waterfall.lines - fixed))
        self.waterfall.show_parts(some, parts_of(answer, found), found.prediction)
        self.parts.refresh(f"{self._title(found.code)}; parts in stars, they sum.")

    # ------------------------------------------------------------------ what the user does

    def _on_side(self, _: object) -> None:
        side: Side = "user" if self.sides["user"].isChecked() else "item"
        self._typing.set_side(side)
        self.wake.emit()

    def _on_taken(self, code: int) -> None:
        low, high, step = self._typing.scale
        if code not in self._typing.typed:
            first = low + np.round((high - low) * FIRST_SHARE / step) * step
            self._typing.rate(code, float(first))
        self.typed.focus_on(code)
        self.wake.emit()

    def _on_rated(self, code: int, stars: float) -> None:
        self._typing.rate(code, stars)
        self.wake.emit()

    def _on_removed(self, code: int) -> None:
        self._typing.take_back(code)
        self.wake.emit()

    def _on_done(self) -> None:
        self.search.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_retrain(self) -> None:
        if self._typing.is_retraining:
            self._typing.stop_retraining()
        else:
            try:
                self._typing.retrain()
            except UserError as error:
                self.note.setText(f"{error.text} {error.hint}")
        self.wake.emit()

    def _on_way(self, _: int) -> None:
        self._typing.wish(way=self.way.currentData())
        self.wake.emit()

    def _on_hide(self, hidden: bool) -> None:
        self._typing.wish(hide_rated=hidden)
        self.wake.emit()

    def _on_order(self, place: int) -> None:
        self._typing.wish(worst=place == 1)
        self.wake.emit()

    def _on_least(self, number: float) -> None:
        self._typing.wish(at_least=int(number))
        self.wake.emit()

    def _on_most(self, number: float) -> None:
        self._typing.wish(at_most=int(number))
        self.wake.emit()

    def _on_listed_chosen(self, rows: list[int]) -> None:
        answer = self._typing.answer
        self._explain(answer)
        if answer is not None and rows and self._typing.side == "user":
            self.item_chosen.emit(answer.listed[rows[0]].code)

    def _on_typed_chosen(self, rows: list[int]) -> None:
        codes = list(self._typing.typed)
        if rows and self._typing.side == "user" and rows[0] < len(codes):
            self.item_chosen.emit(codes[rows[0]])
