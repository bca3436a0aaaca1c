"""The buttons of a run on ratings, and what it says: epoch, speed, time left, device.

Owns the widgets; each button is a signal. Knows no session: it is told how the run stands.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from gradsheet.qt import icons
from gradsheet.qt.theme import SPACE, current_theme, scale
from gradsheet.qt.widgets.figures import duration_text
from gradsheet.qt.widgets.number_field import NumberField
from gradsheet.qt.widgets.styling import set_style

PARTS = 1000


def speed_text(ratings_per_second: float) -> str:
    """Return a speed to two digits: 1.2 million ratings/s, 340,000 ratings/s."""
    if not ratings_per_second > 0:
        return ""
    if ratings_per_second >= 1e6:
        return f"{ratings_per_second / 1e6:.2g} million ratings/s".replace("e+02", "00")
    digits = 10 ** max(0, len(str(int(ratings_per_second))) - 2)
    return f"{round(ratings_per_second / digits) * digits:,} ratings/s"


@dataclass(frozen=True, slots=True)
class RunStatus:
    """How a run stands, for the buttons and the line below them.

    Attributes
    ----------
    state : str
        As the session's: preparing, idle, running, paused, failed, done.
    text : str
        What it does or why it ended.
    fraction : float or None
        Of the run that is done.
    ratings_per_second : float
    remaining_s : float or None
    device : str
        The device and the rule that chose it.
    has_learned, can_undo : bool
    is_fast : bool
    """

    state: str
    text: str = ""
    fraction: float | None = None
    ratings_per_second: float = 0.0
    remaining_s: float | None = None
    device: str = ""
    has_learned: bool = False
    can_undo: bool = False
    is_fast: bool = False


class TrainingBar(QWidget):
    """Run or pause, stop, continue, undo; keep under a name; RMSE or MSE."""

    toggled_run = Signal()
    stop_asked = Signal()
    continue_asked = Signal(int, float)
    """Epochs, and the factor on the rate: 1 or 0.1."""
    undo_asked = Signal()
    keep_asked = Signal(str)
    """The name under which the trained model is to be kept."""
    unit_chosen = Signal(str)
    """"rmse" or "mse"."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._status = RunStatus("idle")
        self._build_buttons()
        self._build_status()
        grid = QGridLayout(self)
        grid.setContentsMargins(SPACE, SPACE // 2, SPACE, SPACE // 2)
        grid.setVerticalSpacing(SPACE // 2)
        grid.addLayout(self._first, 0, 0)
        grid.addLayout(self._second, 1, 0)
        grid.addLayout(self._third, 2, 0)
        grid.addWidget(self.line, 3, 0)
        grid.addWidget(self.device, 4, 0)
        self._apply_theme()
        self.show_status(self._status)

    def _build_buttons(self) -> None:
        self.run = self._button("Run", "Learn, or pause (F5)", self.toggled_run)
        self.stop = self._button("Stop", "End the run; what is learned stays", self.stop_asked)
        self.undo = self._button("Undo", "Back to before the last run", self.undo_asked)
        widest = max(QFontMetrics(self.font()).horizontalAdvance(t) for t in ("Run", "Pause"))
        self.run.setMinimumWidth(widest + 6 * SPACE)
        self.go_on = self._button("Continue", "Learn so many epochs more, the schedule from its "
                                  "start", None)  # fmt: skip
        self.go_on.clicked.connect(self._on_continue)
        self.more = NumberField("Epochs more", "How many epochs Continue learns.", self, low=1,
                                high=1e5, whole=True)  # fmt: skip
        self.more.show_number(3)
        self.more.setFixedWidth(round(5 * SPACE * scale()))
        self.tenth = QCheckBox("at a tenth of the rate", self)
        self.tenth.setToolTip("The notebook's second three epochs: the rate is set to a tenth")
        self._first, self._second = QHBoxLayout(), QHBoxLayout()
        for row in (self._first, self._second):
            row.setSpacing(SPACE // 2 + 2)
        for widget in (self.run, self.stop, self.undo):
            self._first.addWidget(widget)
        self._first.addStretch(1)
        self.units: dict[str, QToolButton] = {}
        group = QButtonGroup(self)
        for unit, about in (("rmse", "Root of the mean squared error, in stars"),
                            ("mse", "Mean squared error, the notebook's figures")):  # fmt: skip
            button = self._button(unit.upper(), about, None)
            button.setCheckable(True)
            group.addButton(button)
            self.units[unit] = button
            self._first.addWidget(button)
        self.units["rmse"].setChecked(True)
        group.buttonClicked.connect(self._on_unit)
        self._epochs_word = QLabel("epochs", self)
        for widget in (self.go_on, self.more, self._epochs_word, self.tenth):
            self._second.addWidget(widget)
        self._second.addStretch(1)

    def _build_status(self) -> None:
        self._third = QHBoxLayout()
        self.name = QLineEdit(self)
        self.name.setPlaceholderText("name of this model")
        self.name.setAccessibleName("Name under which the trained model is kept")
        self.name.returnPressed.connect(self._on_keep)
        self.keep = self._button("Keep", "Keep the trained model under this name, to compare and "
                                 "to come back to", None)  # fmt: skip
        self.keep.clicked.connect(self._on_keep)
        self._third.addWidget(self.name, 1)
        self._third.addWidget(self.keep)
        self.line = QWidget(self)
        self._bar = QProgressBar(self.line)
        self._bar.setRange(0, PARTS)
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(4)
        self.text = self._quiet_label(self.line)
        self.left = self._quiet_label(self.line)
        self.left.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        rows = QGridLayout(self.line)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setVerticalSpacing(2)
        rows.addWidget(self._bar, 0, 0, 1, 2)
        rows.addWidget(self.text, 1, 0)
        rows.addWidget(self.left, 1, 1)
        rows.setColumnStretch(0, 1)
        self.device = self._quiet_label(self)
        self.device.setToolTip("Where it learns, and the rule that chose it")

    def _quiet_label(self, parent: QWidget) -> QLabel:
        """A line that is cut rather than widening the panel while numbers change."""
        label = QLabel(parent)
        label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        label.setWordWrap(False)
        return label

    def _button(self, text: str, about: str, signal: object) -> QToolButton:
        button = QToolButton(self)
        button.setText(text)
        button.setToolTip(about)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setIconSize(QSize(16, 16))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        if signal is not None:
            button.clicked.connect(signal)  # type: ignore[arg-type]
        return button

    # ------------------------------------------------------------------ showing

    def show_status(self, status: RunStatus) -> None:
        """Show how the run stands."""
        was, self._status = self._status, status
        running = status.state == "running"
        if (was.state == "running") != running or not self.run.text():
            self._retint()
        self.run.setText("Pause" if running else "Run")
        self.run.setEnabled(status.state != "preparing")
        self.stop.setEnabled(status.state in ("running", "paused"))
        self.undo.setEnabled(status.can_undo and not running)
        self.go_on.setEnabled(status.has_learned and not running)
        self.tenth.setVisible(not status.is_fast)
        self._epochs_word.setText("passes" if status.is_fast else "epochs")
        self.keep.setEnabled(status.has_learned)
        shown = status.fraction if running else None
        self._bar.setValue(round((shown or 0.0) * PARTS))
        parts = [status.text, speed_text(status.ratings_per_second)]
        self._write(self.text, "  ·  ".join(part for part in parts if part))
        self._write(self.left, duration_text(status.remaining_s) if running else "")
        self._write(self.device, f"Learns on {status.device}" if status.device else "")

    @staticmethod
    def _write(label: QLabel, text: str) -> None:
        if label.text() != text:
            label.setText(text)

    def suggest_name(self, name: str) -> None:
        """Offer a name for the model, unless the user is typing one."""
        if not self.name.isModified():
            self.name.setText(name)

    def show_unit(self, unit: str) -> None:
        """Show in which unit the curves are."""
        self.units[unit].setChecked(True)

    # ------------------------------------------------------------------ what the user does

    def _on_continue(self) -> None:
        factor = 0.1 if self.tenth.isChecked() and not self._status.is_fast else 1.0
        self.tenth.setChecked(False)
        self.continue_asked.emit(int(self.more.number), factor)

    def _on_keep(self) -> None:
        if self.keep.isEnabled():
            name = self.name.text().strip()
            self.name.setModified(False)
            self.keep_asked.emit(name)

    def _on_unit(self) -> None:
        self.unit_chosen.emit(next(u for u, button in self.units.items() if button.isChecked()))

    # ------------------------------------------------------------------ look

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "device"):
            self._apply_theme()

    def _retint(self) -> None:
        running = self._status.state == "running"
        self.run.setIcon(icons.icon("pause" if running else "play"))
        self.stop.setIcon(icons.icon("square"))
        self.undo.setIcon(icons.icon("undo-2"))
        self.go_on.setIcon(icons.icon("fast-forward"))
        self.keep.setIcon(icons.icon("bookmark-plus"))

    def _apply_theme(self) -> None:
        self._retint()
        theme = current_theme()
        for label in (self.text, self.left, self.device):
            set_style(label, f"QLabel {{ color: {theme.muted}; }}")
        set_style(
            self._bar,
            f"QProgressBar {{ border: none; background: {theme.lines}; }}"
            f" QProgressBar::chunk {{ background: {theme.accent}; }}",
        )
