"""Everything that is chosen before a recommender learns, in one narrow column.

Owns the order of the parts, the presets, the two ways to learn and the words for what is
impossible. Knows no session: it says what was chosen and is told what to show.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QFrame,
    QLabel,
    QRadioButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from gradsheet.app.ratings.choices import LearnChoice, ModelChoice, SplitChoice
from gradsheet.app.ratings.plan import MODE_TITLES, TableFacts, layer_groups
from gradsheet.app.ratings.presets import PRESETS, preset_of
from gradsheet.qt.ratings.learn_form import LearnForm
from gradsheet.qt.ratings.model_form import ModelForm
from gradsheet.qt.ratings.split_form import SplitForm
from gradsheet.qt.theme import SPACE, current_theme
from gradsheet.qt.widgets.form import Form, choice, show_choice
from gradsheet.qt.widgets.styling import set_style

DEVICES = (
    ("auto", "By rule"),
    ("cpu", "CPU"),
    ("cuda", "CUDA"),
    ("xpu", "XPU"),
    ("mps", "MPS"),
)
OWN = "own"
MODE_WORDS = {
    "lesson": (
        "Mini-batches, and the optimizer step by step: the numbers of a plain PyTorch loop with "
        "the same seed. Every model, every knob; about a second an epoch for 100,000 ratings."
    ),
    "fast": (
        "All ratings in every pass, from a start that is computed, not random: a good model in "
        "a blink, also of millions. Biases and factors only; steps are not the lesson's."
    ),
}


class ModelSettings(QScrollArea):
    """Preset, way of learning, model, learning, validation, device."""

    model_chosen = Signal(object)
    """The new `ModelChoice`."""
    learn_chosen = Signal(object)
    """The new `LearnChoice`."""
    split_chosen = Signal(object)
    """The new `SplitChoice`."""
    both_chosen = Signal(object, object)
    """A `ModelChoice` and a `LearnChoice` that only go together."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._model, self._learn = ModelChoice(), LearnChoice()
        self._facts = TableFacts(0, 0, 0, 0.5, 5.0)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        body = QWidget(self)
        body.setObjectName("settings_body")
        column = QVBoxLayout(body)
        column.setContentsMargins(SPACE + 4, SPACE // 2, SPACE + 4, 2 * SPACE)
        column.setSpacing(SPACE // 2)
        column.addWidget(self._build_top(body))
        self.model_form, self.learn_form = ModelForm(body), LearnForm(body)
        self.split_form = SplitForm(body)
        for form in (self.model_form, self.learn_form, self.split_form):
            column.addWidget(form)
        column.addWidget(self._build_device(body))
        column.addStretch(1)
        self.setWidget(body)
        self.setMinimumWidth(27 * SPACE)
        self.model_form.chosen.connect(self._on_model)
        self.learn_form.chosen.connect(self.learn_chosen)
        self.split_form.chosen.connect(self.split_chosen)
        for box in body.findChildren(QComboBox):
            box.installEventFilter(self)
        self._apply_theme()

    # ------------------------------------------------------------------ parts

    def _build_top(self, parent: QWidget) -> QWidget:
        form = Form("", parent)
        titles = [(preset.id, preset.title) for preset in PRESETS]
        self.preset = choice(form, "Start from", "Ready settings; each knob can be changed after.",
                             [(OWN, "My own settings"), *titles])  # fmt: skip
        for i, preset in enumerate(PRESETS, 1):
            self.preset.setItemData(i, preset.about, Qt.ItemDataRole.ToolTipRole)
        self.preset.activated.connect(self._on_preset)
        form.add("", self.preset)
        self.problem = QLabel(form)
        self.problem.setWordWrap(True)
        self.problem.hide()
        form.column.addWidget(self.problem)
        self.modes: dict[str, QRadioButton] = {}
        self._mode_words: list[QLabel] = []
        group = QButtonGroup(self)
        for mode, title in MODE_TITLES.items():
            button = QRadioButton(title, form)
            words = QLabel(MODE_WORDS[mode], form)
            words.setWordWrap(True)
            words.setIndent(2 * SPACE + 4)
            button.setAccessibleDescription(MODE_WORDS[mode])
            group.addButton(button)
            form.column.addWidget(button)
            form.column.addWidget(words)
            self.modes[mode] = button
            self._mode_words.append(words)
        group.buttonClicked.connect(self._on_mode)
        return form

    def _build_device(self, parent: QWidget) -> QWidget:
        form = Form("Device", parent)
        self.device = choice(
            form, "Device", "Where it learns. By rule: a GPU that torch can use, from a million "
            "ratings on; below that the CPU is faster.", DEVICES,
        )  # fmt: skip
        self.device.activated.connect(self._on_device)
        self.device_row = form.add("learns on", self.device)
        return form

    # ------------------------------------------------------------------ showing

    def show_choices(
        self,
        model: ModelChoice,
        learn: LearnChoice,
        split: SplitChoice,
        facts: TableFacts,
        *,
        device_text: str = "",
        split_note: str = "",
    ) -> None:
        """Show what is chosen; knobs that do not apply are hidden."""
        self._model, self._learn, self._facts = model, learn, facts
        self.show_problem("")
        preset = preset_of(model, learn, facts.low, facts.high)
        show_choice(self.preset, preset.id if preset is not None else OWN)
        self.modes[learn.mode].setChecked(True)
        self.model_form.show_choice(model, facts)
        # The fast way has no sigmoid and no random start of each number.
        for row in (self.model_form.sigmoid_row, self.model_form.range_row,
                    self.model_form.start_row):  # fmt: skip
            row.setVisible(learn.mode == "lesson" and not row.isHidden())
        self.learn_form.show_choice(learn, model, facts)
        self.split_form.show_choice(split, facts, split_note)
        show_choice(self.device, learn.device)
        self.device_row.say(device_text)

    def show_problem(self, text: str) -> None:
        """Say why a choice was refused, at the top where the eye is after a choice; "" to end."""
        self.problem.setText(text)
        self.problem.setVisible(bool(text))
        if text:
            self.ensureWidgetVisible(self.problem)

    # ------------------------------------------------------------------ what the user does

    def _on_preset(self) -> None:
        for preset in PRESETS:
            if preset.id == self.preset.currentData():
                model, learn = preset.make(self._facts.low, self._facts.high)
                self.both_chosen.emit(model, replace(learn, device=self._learn.device))

    def _on_mode(self, *_: Any) -> None:
        mode = next(mode for mode, button in self.modes.items() if button.isChecked())
        learn = replace(self._learn, mode=mode)  # type: ignore[arg-type]
        if mode == "fast" and self._model.kind != "bias":
            self.both_chosen.emit(replace(self._model, kind="bias"), self._fitting(learn, "bias"))
        elif mode != self._learn.mode:
            self.learn_chosen.emit(learn)

    def _on_model(self, model: ModelChoice) -> None:
        learn = self._learn
        if model.kind != "bias" and learn.mode == "fast":
            learn = replace(learn, mode="lesson")
        known = tuple(name for name in learn.frozen if name in layer_groups(model))
        if known == layer_groups(model):
            known = ()
        learn = learn if known == learn.frozen else replace(learn, frozen=known)
        if learn == self._learn:
            self.model_chosen.emit(model)
        else:
            self.both_chosen.emit(model, learn)

    def _fitting(self, learn: LearnChoice, kind: str) -> LearnChoice:
        groups = layer_groups(replace(self._model, kind=kind))  # type: ignore[arg-type]
        return replace(learn, frozen=tuple(name for name in learn.frozen if name in groups))

    def _on_device(self) -> None:
        self.learn_chosen.emit(replace(self._learn, device=self.device.currentData()))

    # ------------------------------------------------------------------ look

    def eventFilter(self, watched: Any, event: QEvent) -> bool:
        """A wheel over a list scrolls the column; it must not change a setting in passing."""
        if event.type() == QEvent.Type.Wheel and not watched.hasFocus():
            assert isinstance(event, QWheelEvent)
            event.ignore()
            return True
        return super().eventFilter(watched, event)

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_mode_words"):
            self._apply_theme()

    def _apply_theme(self) -> None:
        theme = current_theme()
        set_style(self.widget(), f"#settings_body {{ background: {theme.sheet}; }}")
        for words in self._mode_words:
            set_style(words, f"QLabel {{ color: {theme.muted}; }}")
        set_style(self.problem, f"QLabel {{ color: {theme.error}; }}")
        set_style(self.split_form.note, f"QLabel {{ color: {theme.muted}; }}")
