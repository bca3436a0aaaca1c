"""The tool bar of a run: reset, step, run or pause, speed, optimizer and its rates.

Owns the widgets only: what they show is read from `RunView`, what they change goes to the
`Document`. The optimizers' names come from `gradsheet.learn` once the engine has loaded it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QAction, QFontMetrics
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSlider,
    QStackedWidget,
    QToolBar,
    QToolButton,
    QWidget,
)

from gradsheet.app.messages import message_of
from gradsheet.formula.values import UserError
from gradsheet.qt import icons
from gradsheet.qt.theme import SPACE, current_theme
from gradsheet.qt.widgets.number_field import NumberField
from gradsheet.qt.widgets.styling import set_style

if TYPE_CHECKING:
    from gradsheet.app.document import Document, RunView

SPEEDS: tuple[float | None, ...] = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, None)
"""Steps a second at the slider's positions; the last is as fast as it goes."""

BUTTONS = ("train.reset", "train.step", "train.run")
PHASE_WORDS = ("forward", "loss", "gradient", "update")


@dataclass(frozen=True, slots=True)
class RateField:
    """How one field of `Hyper` is shown."""

    name: str
    label: str
    title: str
    about: str
    high: float = 1e6
    open_high: bool = False
    towards_one: bool = False
    first_rung: float = 1e-5


RATE_FIELDS = (
    RateField("lr", "learning rate", "Learning rate", "How far a step goes along the gradient."),
    RateField(
        "weight_decay",
        "weight decay",
        "Weight decay",
        "How strongly every step pulls the weights towards zero.",
    ),
    RateField(
        "momentum",
        "momentum",
        "Momentum",
        "Share of the last step that is kept in the next.",
        high=1.0,
        open_high=True,
        towards_one=True,
    ),
    RateField(
        "beta1",
        "β₁",
        "Beta 1, momentum",
        "Share of the averaged gradient that is kept.",
        high=1.0,
        open_high=True,
        towards_one=True,
    ),
    RateField(
        "beta2",
        "β₂",
        "Beta 2",
        "Share of the averaged squared gradient that is kept.",
        high=1.0,
        open_high=True,
        towards_one=True,
    ),
)


def speed_text(steps_per_second: float | None) -> str:
    """Return what a position of the speed slider means."""
    if steps_per_second is None:
        return "full speed"
    return (
        f"{steps_per_second:,.0f} step/s"
        if steps_per_second == 1
        else (f"{steps_per_second:,.0f} steps/s")
    )


class RunBar(QToolBar):
    """Reset, Step, Run/Pause, speed, optimizer, rates.

    Parameters
    ----------
    document : Document
    actions : mapping of command id to QAction
        Those of `BUTTONS` are put at the left.
    parent : QWidget
    steps_per_second : float or None
        Where the speed slider stands at first.
    """

    speed_changed = Signal(object)
    """The new limit, float or None."""

    def __init__(
        self,
        document: Document,
        actions: Mapping[str, QAction],
        parent: QWidget,
        *,
        steps_per_second: float | None = None,
    ) -> None:
        super().__init__("Run bar", parent)
        self.setObjectName("run_bar")
        self.setMovable(False)
        self.setFloatable(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setIconSize(QSize(20, 20))
        self._document = document
        self._run_action = actions["train.run"]
        self._is_running = False
        self._uses: dict[str, tuple[str, ...]] = {}
        for name in BUTTONS:
            self.addAction(actions[name])
        self._fix_run_button()
        self._add_gap()
        self._build_speed(steps_per_second)
        self._add_gap()
        self._build_optimizer()
        self._build_rates()
        self._build_phases()
        self._apply_theme()
        self.show_run(document.run_view())

    # ------------------------------------------------------------------ parts

    def _fix_run_button(self) -> None:
        """Give the button the width of its longer text, so that its neighbours stand still."""
        button = self.widgetForAction(self._run_action)
        assert isinstance(button, QToolButton)
        self._run_action.setIconText("Pause")
        button.ensurePolished()
        width = button.sizeHint().width()
        self._run_action.setIconText("Run")
        button.setFixedWidth(max(width, button.sizeHint().width()))
        for name in BUTTONS:
            widget = self.widgetForAction(self.actions()[BUTTONS.index(name)])
            widget.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def _add_gap(self) -> None:
        gap = QWidget(self)
        gap.setFixedWidth(SPACE)
        self.addWidget(gap)

    def _label(self, text: str, buddy: QWidget | None = None) -> QAction:
        return self.addWidget(self._quiet(text, buddy))

    def _quiet(self, text: str, buddy: QWidget | None = None) -> QLabel:
        label = QLabel(text, self)
        label.setObjectName("quiet")
        label.setContentsMargins(SPACE // 2, 0, SPACE // 4, 0)
        if buddy is not None:
            label.setBuddy(buddy)
        label.setToolTip(buddy.toolTip() if buddy is not None else "")
        return label

    def _build_speed(self, steps_per_second: float | None) -> None:
        self._pace = QStackedWidget(self)
        self._pace.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        speed = QWidget(self._pace)
        row = QHBoxLayout(speed)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        self._speed = QSlider(Qt.Orientation.Horizontal, speed)
        self._speed.setRange(0, len(SPEEDS) - 1)
        self._speed.setPageStep(1)
        self._speed.setFixedWidth(10 * SPACE)
        self._speed.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._speed.setAccessibleName("Speed")
        self._speed.setToolTip(
            "<b>Speed</b><br>Steps a second of a run, from slow motion to as fast as it goes."
        )
        row.addWidget(self._quiet("speed", self._speed))
        row.addWidget(self._speed)
        self._speed_text = QLabel(self)
        self._speed_text.setFixedWidth(
            max(QFontMetrics(self.font()).horizontalAdvance(speed_text(s)) for s in SPEEDS) + SPACE
        )
        self._speed_text.setIndent(SPACE // 2)
        row.addWidget(self._speed_text)
        self._pace.addWidget(speed)
        self._pace_action = self.addWidget(self._pace)
        near = [s for s in SPEEDS if s is not None and s <= (steps_per_second or 0)]
        position = SPEEDS.index(near[-1]) if near else 0
        self._speed.setValue(len(SPEEDS) - 1 if steps_per_second is None else position)
        self._write_speed()
        self._speed.valueChanged.connect(self._on_speed)

    def _build_optimizer(self) -> None:
        self._optimizer = QComboBox(self)
        self._optimizer.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._optimizer.setAccessibleName("Optimizer")
        self._optimizer.setToolTip(
            "<b>Optimizer</b><br>The rule that turns a gradient into a step. A new rule starts "
            "with its own rates and an empty memory; the cells stay as they are."
        )
        self._optimizer.setMinimumContentsLength(10)
        self._optimizer.setEnabled(False)
        self._label("optimizer", self._optimizer)
        self.addWidget(self._optimizer)
        self._optimizer.activated.connect(self._on_optimizer)

    def _build_rates(self) -> None:
        self._rates: dict[str, NumberField] = {}
        self._rate_actions: dict[str, tuple[QAction, QAction]] = {}
        for rate in RATE_FIELDS:
            field = NumberField(
                rate.title,
                rate.about,
                self,
                high=rate.high,
                open_high=rate.open_high,
                towards_one=rate.towards_one,
                first_rung=rate.first_rung,
            )
            field.setFixedWidth(8 * SPACE)
            field.setEnabled(False)
            field.committed.connect(partial(self._on_rate, rate.name))
            label = self._label(rate.label, field)
            self._rate_actions[rate.name] = (label, self.addWidget(field))
            self._rates[rate.name] = field
        self._show_fields(("lr", "weight_decay"))

    def _build_phases(self) -> None:
        """Add the four phases of a step; they stand in the place of the speed, which rests then."""
        self._phase = ""
        self._phases = QLabel(self)
        self._phases.setTextFormat(Qt.TextFormat.RichText)
        self._phases.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._phases.setAccessibleName("Phase of a step")
        self._phases.setToolTip(
            "<b>Phases of a step</b><br>Forward computes the predictions, then comes the loss, "
            "then its gradient, and the update moves the parameters. F6 goes to the next."
        )
        self._pace.addWidget(self._phases)

    # ------------------------------------------------------------------ showing

    def show_speed(self, shown: bool) -> None:
        """Show the speed limit, or not: rating sets always learn as fast as they can."""
        self._pace_action.setVisible(shown)

    @property
    def phase(self) -> str:
        """The phase that is named; empty for none."""
        return self._phase

    def _write_phases(self) -> None:
        theme = current_theme()
        words = [
            f"<span style='color:{theme.accent if word == self._phase else theme.muted};"
            f"text-decoration:{'underline' if word == self._phase else 'none'}'>{word}</span>"
            for word in PHASE_WORDS
        ]
        self._phases.setText(f"<span style='color:{theme.muted}'> › </span>".join(words))

    def rate_field(self, name: str) -> NumberField:
        """Return the editor of one field of `Hyper`."""
        return self._rates[name]

    @property
    def optimizer_box(self) -> QComboBox:
        """The list of optimizers."""
        return self._optimizer

    @property
    def speed_slider(self) -> QSlider:
        """The slider of the speed limit."""
        return self._speed

    def show_run(self, run: RunView) -> None:
        """Show where the run stands."""
        running = run.state == "running"
        phase = run.phase.name if run.phase is not None else ""
        if phase != self._phase:
            self._phase = phase
            self._write_phases()
            self._pace.setCurrentIndex(1 if phase else 0)
        if running != self._is_running:
            self._is_running = running
            self.retint()
        if run.hyper is None:
            return
        if not self._uses:
            self._fill_optimizers()
        index = self._optimizer.findData(run.optimizer)
        if index != self._optimizer.currentIndex():
            with QSignalBlocker(self._optimizer):
                self._optimizer.setCurrentIndex(index)
        self._show_fields(self._uses.get(run.optimizer, ()))
        for name, field in self._rates.items():
            field.show_number(float(getattr(run.hyper, name)))

    def retint(self) -> None:
        """Show Run or Pause, in the colours of the theme."""
        self._run_action.setIcon(icons.icon("pause" if self._is_running else "play"))
        self._run_action.setIconText("Pause" if self._is_running else "Run")

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            # Qt has just put the style's margins back; the padding below is all there is.
            self.layout().setContentsMargins(0, 0, 0, 0)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_rates"):
            self._apply_theme()

    def _apply_theme(self) -> None:
        self.retint()
        self._write_phases()
        set_style(
            self,
            f"#run_bar {{ padding: {SPACE // 2}px {SPACE}px 0 {SPACE}px; }}"
            f" QLabel#quiet {{ color: {current_theme().muted}; }}",
        )

    def _fill_optimizers(self) -> None:
        from gradsheet.learn.optimizers import OPTIMIZERS

        for rule in OPTIMIZERS.values():
            self._uses[rule.name] = rule.uses
            self._optimizer.addItem(rule.title, rule.name)
            at = self._optimizer.count() - 1
            self._optimizer.setItemData(at, rule.source, Qt.ItemDataRole.ToolTipRole)
        self._optimizer.setEnabled(True)
        for field in self._rates.values():
            field.setEnabled(True)

    def _show_fields(self, used: tuple[str, ...]) -> None:
        for name, actions in self._rate_actions.items():
            for action in actions:
                action.setVisible(name in used)

    # ------------------------------------------------------------------ what the user does

    def _write_speed(self) -> None:
        self._speed_text.setText(speed_text(SPEEDS[self._speed.value()]))

    def _on_speed(self, position: int) -> None:
        self._write_speed()
        self._document.set_speed(SPEEDS[position])
        self.speed_changed.emit(SPEEDS[position])

    def _on_optimizer(self, index: int) -> None:
        self._document.set_optimizer(self._optimizer.itemData(index))

    def _on_rate(self, name: str, number: float) -> None:
        try:
            self._document.set_hyper(**{name: number})
        except UserError as error:
            self._document.say(message_of(error, f"setting {name}"))
