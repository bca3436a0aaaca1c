"""The knobs of learning: optimizer, rates, decay, schedule, layer groups, or those of the fast way.

Owns the fields and which of them apply; says `chosen` with a new `LearnChoice`. Knows no session.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QLabel, QWidget

from gradsheet.app.ratings.choices import LearnChoice, ModelChoice
from gradsheet.app.ratings.plan import (
    OPTIMIZER_TITLES,
    SCHEDULE_TITLES,
    TableFacts,
    group_rates,
    knobs_of,
    layer_groups,
    start_of,
)
from gradsheet.qt.theme import SPACE
from gradsheet.qt.widgets.form import (
    Form,
    Row,
    choice,
    number_field,
    show_choice,
    show_switch,
    switch,
)
from gradsheet.qt.widgets.number_field import NumberField

RATES = (
    ("one", "One for all"),
    ("hi", "slice(hi): others a third"),
    ("lo-hi", "slice(lo, hi): equal factors"),
)
SHARES = (("noise", "By the noise"), ("given", "As given"))


@dataclass(frozen=True, slots=True)
class Knob:
    """A number of `LearnChoice` or, for optimizers, of its `Hyper`."""

    name: str
    title: str
    about: str
    low: float = 0.0
    high: float = 1e9
    whole: bool = False
    open_high: bool = False
    open_low: bool = False
    towards_one: bool = False


_LESSON = (
    Knob("epochs", "epochs", "How often all ratings are gone through.", 1, 1e6, whole=True),
    Knob("batch_size", "batch size", "Ratings whose mean gradient makes one step.", 1, 1e8,
         whole=True),
)  # fmt: skip
_HYPER = (
    Knob("momentum", "momentum", "Share of the last step that is kept in the next.", 0, 1,
         open_high=True, towards_one=True),
    Knob("beta1", "β₁", "Share of the averaged gradient that is kept.", 0, 1, open_high=True,
         towards_one=True),
    Knob("beta2", "β₂", "Share of the averaged squared gradient that is kept (RMSprop's alpha).",
         0, 1, open_high=True, towards_one=True),
    Knob("eps", "ε", "Added to the root of the squared gradient.", 0, 1),
)  # fmt: skip
_SWITCHES = {
    "nesterov": ("Nesterov", "The gradient is taken after the momentum's part of the step."),
    "amsgrad": ("AMSGrad", "Steps by the largest squared gradient so far."),
    "centered": ("centred", "The squared gradient less the square of its mean."),
}
_CYCLES = (
    Knob("cycle_len", "cycle_len", "Epochs in the first cycle.", 1, 1e6, whole=True),
    Knob("cycle_mult", "cycle_mult", "How much longer each next cycle is.", 1, 100, whole=True),
)
_STOP = Knob("patience", "early stopping", "Epochs without a better validation error after which "
             "it stops and goes back to the best; 0: never.", 0, 1e6, whole=True)  # fmt: skip
_SEED = Knob("seed", "seed", "Of the order of the ratings and of dropout.", 0, 2**31 - 1,
             whole=True)  # fmt: skip
_FAST = (
    Knob("passes", "passes", "At most so many passes over all ratings.", 1, 1e5, whole=True),
    Knob("strength", "strength", "Ridge on each row of factors, the same for all.", 0, 1e6),
    Knob("strength_share", "per rating", "Ridge on a row for each of its ratings.", 0, 1e3),
    Knob("bias_strength", "on biases", "A bias of n ratings shrinks by n / (n + this).", 0, 1e6),
    Knob("fast_rate", "rate", "Of each pass, relative to the bound on a row's curvature.", 0, 100,
         open_low=True),
    Knob("fast_momentum", "momentum", "Nesterov's; it sets in gradually.", 0, 1, open_high=True,
         towards_one=True),
    Knob("fast_patience", "early stopping", "Passes without a better validation error after which "
         "it stops; 0: never.", 0, 1e5, whole=True),
)  # fmt: skip


class LearnForm(Form):
    """Fields of a `LearnChoice`, those of its mode only."""

    chosen = Signal(object)
    """The new `LearnChoice`."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("Learning", parent)
        self._choice = LearnChoice()
        self._model = ModelChoice()
        self.fields: dict[str, NumberField] = {}
        self.rows: dict[str, Row] = {}
        self.switches: dict[str, QCheckBox] = {}
        for knob in _LESSON:
            self._number(knob, self._on_number)
        self._build_optimizer()
        self._build_schedule()
        self._build_groups()
        for knob in (_STOP, _SEED):
            self._number(knob, self._on_number)
        self._build_fast()

    # ------------------------------------------------------------------ parts

    def _number(self, knob: Knob, slot: Any) -> NumberField:
        field = number_field(
            self, knob.title.capitalize(), knob.about, knob.low, knob.high, whole=knob.whole,
            open_high=knob.open_high, open_low=knob.open_low, towards_one=knob.towards_one,
        )  # fmt: skip
        field.committed.connect(partial(slot, knob))
        self.fields[knob.name] = field
        self.rows[knob.name] = self.add(knob.title, field)
        return field

    def _build_optimizer(self) -> None:
        self.optimizer = choice(
            self, "Optimizer", "The rule that turns a gradient into a step. A newly chosen one "
            "begins with a rate of its own.", list(OPTIMIZER_TITLES.items()),
        )  # fmt: skip
        self.optimizer.activated.connect(self._on_optimizer)
        self.rows["optimizer"] = self.add("optimizer", self.optimizer)
        rate = Knob("lr", "learning rate", "How far a step goes along the gradient.", 0, 1e6,
                    open_low=True)  # fmt: skip
        self._number(rate, self._on_hyper)
        for knob in _HYPER:
            self._number(knob, self._on_hyper)
        for name, (title, about) in _SWITCHES.items():
            box = self.switches[name] = switch(self, title, about)
            box.toggled.connect(partial(self._on_switch, name))
            self.rows[name] = self.add(" ", box)
        decay = Knob("weight_decay", "weight decay", "How strongly weights are pulled to zero.",
                     0, 1e6)  # fmt: skip
        self._number(decay, self._on_hyper)
        self.decay = choice(
            self, "Weight decay is", "L2: its square is part of the loss, so the optimizer scales "
            "it with the gradient. Decoupled: weights shrink by rate × decay beside the step; "
            "Adam with it is AdamW.", (("l2", "L2 in the loss"), ("decoupled", "Decoupled")),
        )  # fmt: skip
        self.decay.activated.connect(self._on_decay)
        self.rows["decoupled"] = self.add("decay is", self.decay)

    def _build_schedule(self) -> None:
        self.schedule = choice(
            self, "Schedule", "How the rate goes over the run; it is drawn beside the loss.",
            list(SCHEDULE_TITLES.items()),
        )  # fmt: skip
        self.schedule.activated.connect(self._on_schedule)
        self.rows["schedule"] = self.add("schedule", self.schedule)
        for knob in _CYCLES:
            self._number(knob, self._on_number)

    def _build_groups(self) -> None:
        self.rates = choice(
            self, "Rates of the layer groups", "One rate for all; or the last group's rate and a "
            "third of it for the others; or from lo to hi by equal factors.", RATES,
        )  # fmt: skip
        self.rates.activated.connect(self._on_rates)
        self.rows["rates"] = self.add("layer groups", self.rates)
        for name, about in (("lo", "Rate of the first layer group."),
                            ("hi", "Rate of the last layer group.")):  # fmt: skip
            self._number(Knob(name, name, about, 0, 1e6, open_low=True), self._on_slice)
        self.groups = QWidget(self)
        self._group_grid = QGridLayout(self.groups)
        self._group_grid.setContentsMargins(0, 0, 0, 0)
        self._group_grid.setHorizontalSpacing(SPACE)
        self._group_grid.setVerticalSpacing(2)
        self._group_grid.setColumnStretch(0, 1)
        self.group_boxes: dict[str, QCheckBox] = {}
        self._group_texts: dict[str, QLabel] = {}
        self.rows["groups"] = self.add("", self.groups)

    def _build_fast(self) -> None:
        self.share = choice(
            self, "Strength per rating", "The ridge that grows with the ratings of a row: found "
            "from the noise of the residuals, or a number of yours.", SHARES,
        )  # fmt: skip
        self.share.activated.connect(self._on_share)
        for knob in _FAST:
            if knob.name == "strength_share":
                self.rows["share"] = self.add("per rating", self.share)
            self._number(knob, self._on_number)
        self.rows["strength_share"].title.setText("")

    # ------------------------------------------------------------------ showing

    def show_choice(self, learn: LearnChoice, model: ModelChoice, facts: TableFacts) -> None:
        """Show the choices of learning; fields that do not apply are hidden."""
        self._choice, self._model = learn, model
        for name, field in self.fields.items():
            holder = learn if hasattr(learn, name) else learn.hyper
            value = getattr(holder, name, None)
            if isinstance(value, int | float):
                field.show_number(float(value))
        for name, box in self.switches.items():
            show_switch(box, getattr(learn.hyper, name))
        if self.optimizer.findData(learn.optimizer) >= 0:
            show_choice(self.optimizer, learn.optimizer)
        show_choice(self.decay, "decoupled" if learn.hyper.decoupled else "l2")
        show_choice(self.schedule, learn.schedule)
        show_choice(self.share, "noise" if learn.strength_share is None else "given")
        lo, hi = learn.group_rates or (None, learn.hyper.lr)
        self.fields["hi"].show_number(hi)
        self.fields["lo"].show_number(lo if lo is not None else hi / 10)
        show_choice(self.rates, self._rates_kind())
        shown = self._lesson_rows() if learn.mode == "lesson" else self._fast_rows()
        for name, row in self.rows.items():
            row.setVisible(name in shown)
        steps = facts.steps_per_epoch(learn)
        self.rows["batch_size"].say(f"{steps:,} steps an epoch" if facts.n_train else "")
        self._show_groups()

    def _rates_kind(self) -> str:
        if self._choice.group_rates is None:
            return "one"
        return "hi" if self._choice.group_rates[0] is None else "lo-hi"

    def _lesson_rows(self) -> set[str]:
        learn = self._choice
        shown = {"epochs", "batch_size", "optimizer", "schedule", "weight_decay", "patience",
                 "seed", *knobs_of(learn.optimizer)}  # fmt: skip
        if learn.optimizer != "adamw" and learn.hyper.weight_decay:
            shown.add("decoupled")
        if learn.schedule == "restarts":
            shown |= {"cycle_len", "cycle_mult"}
        if len(layer_groups(self._model)) > 1:
            shown |= {"rates", "groups"}
        rates = self._rates_kind()
        if rates == "one" or len(layer_groups(self._model)) == 1:
            shown.add("lr")
        else:
            shown |= {"hi"} if rates == "hi" else {"lo", "hi"}
        return shown

    def _fast_rows(self) -> set[str]:
        shown = {knob.name for knob in _FAST} | {"share"}
        if self._choice.strength_share is None:
            shown.discard("strength_share")
        return shown

    def _show_groups(self) -> None:
        """A line for each layer group: whether it learns, and its rate."""
        names = layer_groups(self._model)
        if tuple(self.group_boxes) != names:
            self._make_groups(names)
        rates = group_rates(self._model, self._choice)
        for name, box in self.group_boxes.items():
            show_switch(box, name not in self._choice.frozen)
            text = f"{rates[name]:.3g}" if rates[name] else "frozen"
            self._group_texts[name].setText(text)
        self.rows["groups"].complain("")

    def _make_groups(self, names: tuple[str, ...]) -> None:
        for widget in (*self.group_boxes.values(), *self._group_texts.values()):
            self._group_grid.removeWidget(widget)
            widget.setParent(None)
            widget.deleteLater()
        self.group_boxes, self._group_texts = {}, {}
        for i, name in enumerate(names):
            box = switch(self.groups, name, f"Whether {name} learn; without the tick: frozen.")
            box.toggled.connect(partial(self._on_group, name))
            text = QLabel(self.groups)
            self._group_grid.addWidget(box, i, 0)
            self._group_grid.addWidget(text, i, 1)
            self.group_boxes[name], self._group_texts[name] = box, text

    # ------------------------------------------------------------------ what the user does

    def _change(self, **changes: Any) -> None:
        self.chosen.emit(replace(self._choice, **changes))

    def _change_hyper(self, **changes: Any) -> None:
        self._change(hyper=replace(self._choice.hyper, **changes))

    def _on_number(self, knob: Knob, number: float) -> None:
        self._change(**{knob.name: int(number) if knob.whole else number})

    def _on_hyper(self, knob: Knob, number: float) -> None:
        self._change_hyper(**{knob.name: number})

    def _on_switch(self, name: str, on: bool) -> None:
        self._change_hyper(**{name: on})

    def _on_optimizer(self) -> None:
        name = self.optimizer.currentData()
        if name != self._choice.optimizer:
            hyper = start_of(name, self._choice.hyper)
            self._change(optimizer=name, hyper=hyper, group_rates=None)

    def _on_decay(self) -> None:
        self._change_hyper(decoupled=self.decay.currentData() == "decoupled")

    def _on_schedule(self) -> None:
        self._change(schedule=self.schedule.currentData())

    def _on_rates(self) -> None:
        kind, rate = self.rates.currentData(), self._choice.hyper.lr
        lo, hi = self._choice.group_rates or (None, rate)
        found = {"one": None, "hi": (None, hi), "lo-hi": (lo or hi / 10, hi)}[kind]
        self._change(group_rates=found)

    def _on_slice(self, knob: Knob, number: float) -> None:
        lo, hi = self._choice.group_rates or (None, self._choice.hyper.lr)
        self._change(group_rates=(number, hi) if knob.name == "lo" else (lo, number))

    def _on_group(self, name: str, learns: bool) -> None:
        frozen = tuple(
            other for other in layer_groups(self._model)
            if (not learns if other == name else other in self._choice.frozen)
        )  # fmt: skip
        if len(frozen) == len(layer_groups(self._model)):
            show_switch(self.group_boxes[name], True)
            self.rows["groups"].complain("Every group would be frozen: at least one must learn.")
            return
        self._change(frozen=frozen)

    def _on_share(self) -> None:
        given = self.share.currentData() == "given"
        self._change(strength_share=max(self.fields["strength_share"].number, 0.02) if given
                     else None)  # fmt: skip
