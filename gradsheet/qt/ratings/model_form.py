"""The knobs of the model: which of the lesson's three, sizes, range, start, features.

Owns the fields and which of them apply; says `chosen` with a new `ModelChoice`. Knows no session.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from gradsheet.app.ratings.choices import ModelChoice
from gradsheet.app.ratings.plan import (
    MODEL_TITLES,
    SIZE_TITLES,
    TableFacts,
    embedding_sizes,
    parameter_count,
)
from gradsheet.qt.widgets.form import (
    Form,
    ListField,
    PairField,
    choice,
    number_field,
    show_choice,
    show_switch,
    switch,
)
from gradsheet.qt.widgets.number_field import NumberField

_ABOUT = {
    "dot": "Rating = user's factors · item's factors.",
    "bias": "The dot product, plus a bias of the user and one of the item.",
    "net": "A small net reads the user's and the item's factors side by side.",
}
MOST_FACTORS = 2000


class ModelForm(Form):
    """Fields of a `ModelChoice`."""

    chosen = Signal(object)
    """The new `ModelChoice`."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("Model", parent)
        self._choice = ModelChoice()
        self._facts = TableFacts(0, 0, 0, 0.0, 0.0)
        self.kind = choice(
            self, "Model", "The lesson's three models.", list(MODEL_TITLES.items())
        )
        self.kind.activated.connect(self._on_kind)
        self.kind_row = self.add("", self.kind)
        self._build_sizes()
        self._build_net()
        self._build_range()
        self._build_start()

    # ------------------------------------------------------------------ parts

    def _build_sizes(self) -> None:
        self.factors = self._whole("Factors", "Numbers learned for each user and each item.",
                                   "factors", MOST_FACTORS)  # fmt: skip
        self.factors_row = self.add("factors", self.factors)
        self.size_rule = choice(
            self, "Embedding sizes",
            "How many numbers for each user and item: as given, half the categories (first "
            "lesson), or 1.6 n^0.56 (later lesson).",
            list(SIZE_TITLES.items()),
        )  # fmt: skip
        self.size_rule.activated.connect(self._on_size_rule)
        self.size_rule_row = self.add("embedding sizes", self.size_rule)
        self.user_factors = self._whole("User factors", "Width of the users' embedding.",
                                        "user_factors", MOST_FACTORS)  # fmt: skip
        self.user_row = self.add("user factors", self.user_factors)
        self.item_factors = self._whole("Item factors", "Width of the items' embedding.",
                                        "item_factors", MOST_FACTORS)  # fmt: skip
        self.item_row = self.add("item factors", self.item_factors)

    def _build_net(self) -> None:
        self.hidden = ListField(
            self, "Hidden layers", "Units of each hidden layer, such as 100, 50; empty for none.",
            whole=True, low=1, high=100_000,
        )  # fmt: skip
        self.hidden.committed.connect(self._on_hidden)
        self.hidden_row = self.add("hidden layers", self.hidden)
        self.dropouts = ListField(
            self, "Dropouts", "Share of numbers left out while learning: after the embeddings, "
            "then after each hidden layer.", whole=False, low=0, high=1, open_high=True,
        )  # fmt: skip
        self.dropouts.committed.connect(self._on_dropouts)
        self.dropouts_row = self.add("dropouts", self.dropouts)
        self.genres = switch(self, "genres of the item", "A column of 0 and 1 for each genre.")
        self.genres.toggled.connect(self._on_genres)
        self.genres_row = self.add("also reads", self.genres)
        self.time = switch(self, "moment of rating", "Date, time of day and day of the week.")
        self.time.toggled.connect(self._on_time)
        self.time_row = self.add("also reads", self.time)

    def _build_range(self) -> None:
        self.sigmoid = switch(
            self, "sigmoid", "Squeeze every prediction into a range. A sigmoid reaches its ends "
            "never, so a range a little wider than the ratings predicts the extremes better.",
        )  # fmt: skip
        self.sigmoid.toggled.connect(self._on_sigmoid)
        self.sigmoid_row = self.add("range by", self.sigmoid)
        self.y_range = PairField(self, "Range of predictions", "Span of the sigmoid, in stars.")
        self.y_range.committed.connect(self._on_range)
        self.range_row = self.add("from", self.y_range)

    def _build_start(self) -> None:
        self.start = PairField(
            self, "Start", "Embeddings start at random numbers in this range. The notebook: 0 to "
            "0.05 for EmbeddingDot, -0.01 to 0.01 for the others.",
        )  # fmt: skip
        self.start.committed.connect(self._on_start)
        self.start_row = self.add("start", self.start)
        self.seed = self._whole("Seed of the start", "The same seed gives the same start.",
                                "seed", 2**31 - 1, low=0)  # fmt: skip
        self.seed_row = self.add("seed", self.seed)

    def _whole(
        self, name: str, about: str, field: str, high: float, low: int = 1
    ) -> NumberField:
        editor = number_field(self, name, about, low, high, whole=True)
        editor.committed.connect(partial(self._on_whole, field))
        return editor

    # ------------------------------------------------------------------ showing

    def show_choice(self, model: ModelChoice, facts: TableFacts) -> None:
        """Show a model's choices; fields that do not apply are hidden."""
        self._choice, self._facts = model, facts
        is_net, is_given = model.kind == "net", model.size_rule == "given"
        show_choice(self.kind, model.kind)
        self.kind_row.say(self._summary())
        self.factors.show_number(model.factors)
        show_choice(self.size_rule, model.size_rule)
        self.user_factors.show_number(model.user_factors)
        self.item_factors.show_number(model.item_factors)
        self.hidden.show_numbers(model.hidden)
        self.dropouts.show_numbers(model.dropouts)
        show_switch(self.genres, model.genres)
        show_switch(self.time, model.time)
        show_switch(self.sigmoid, model.y_range is not None)
        self.y_range.show_pair(*(model.y_range or (facts.low, facts.high)))
        self.start.show_pair(*model.start_range)
        self.seed.show_number(model.seed)
        for row, applies in (
            (self.factors_row, not is_net),
            (self.size_rule_row, is_net),
            (self.user_row, is_net and is_given),
            (self.item_row, is_net and is_given),
            (self.hidden_row, is_net),
            (self.dropouts_row, is_net),
            (self.genres_row, is_net and facts.has_genres),
            (self.time_row, is_net and facts.has_times),
            (self.sigmoid_row, model.kind != "dot"),
            (self.range_row, model.kind != "dot" and model.y_range is not None),
        ):
            row.setVisible(applies)

    def _summary(self) -> str:
        model, facts = self._choice, self._facts
        text = _ABOUT[model.kind]
        if not facts.n_users:
            return text
        count = parameter_count(model, facts.n_users, facts.n_items)
        if model.kind == "net":
            users, items = embedding_sizes(model, facts.n_users, facts.n_items)
            text += f" {facts.n_users:,} users → {users}, {facts.n_items:,} items → {items}."
        return f"{text} {count:,} numbers to learn."

    # ------------------------------------------------------------------ what the user does

    def _change(self, **changes: Any) -> None:
        self.chosen.emit(replace(self._choice, **changes))

    def _on_whole(self, field: str, number: float) -> None:
        self._change(**{field: int(number)})

    def _on_kind(self) -> None:
        self._change(kind=self.kind.currentData())

    def _on_size_rule(self) -> None:
        self._change(size_rule=self.size_rule.currentData())

    def _on_hidden(self, hidden: tuple[int, ...]) -> None:
        """Another number of layers brings its dropouts along: the last one is repeated."""
        wanted, dropouts = len(hidden) + 1, self._choice.dropouts
        dropouts = (*dropouts, *dropouts[-1:] * wanted)[:wanted]
        self._change(hidden=hidden, dropouts=dropouts)

    def _on_dropouts(self, dropouts: tuple[float, ...]) -> None:
        wanted = len(self._choice.hidden) + 1
        if len(dropouts) != wanted:
            self.dropouts_row.complain(
                f"{wanted} numbers are needed: after the embeddings, and after each of the "
                f"{wanted - 1} hidden layers. There are {len(dropouts)}."
            )
            return
        self._change(dropouts=dropouts)

    def _on_genres(self, on: bool) -> None:
        self._change(genres=on)

    def _on_time(self, on: bool) -> None:
        self._change(time=on)

    def _on_sigmoid(self, on: bool) -> None:
        self._change(y_range=(self.y_range.low.number, self.y_range.high.number) if on else None)

    def _on_range(self, low: float, high: float) -> None:
        self._change(y_range=(low, high))

    def _on_start(self, low: float, high: float) -> None:
        self._change(init_range=(low, high))
