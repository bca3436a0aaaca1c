"""Ratings made up from planted factors: how many, how noisy, from which seed.

Owns the window and the making that it has under way; closing it gives that up. Says `made`
with a workbook; opens nothing itself. Never modal.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from gradsheet.app.messages import message_of
from gradsheet.app.ratings.made_up import TASTES, Recipe, make, names_in
from gradsheet.qt.frame_clock import FrameClock
from gradsheet.qt.panels.progress_strip import ProgressStrip
from gradsheet.qt.theme import SPACE, current_theme
from gradsheet.qt.widgets.number_field import NumberField
from gradsheet.qt.widgets.styling import PLAIN_BUTTONS, set_style
from gradsheet.tasks import Control, Progress, Task

if TYPE_CHECKING:
    from gradsheet.app.ratings.workbook import RatingsBook

FIELDS: tuple[tuple[str, str, str, float, float, float], ...] = (
    ("users", "Users", "People who rate; some rate much more than others.", 600, 2, 1_000_000),
    ("items", "Items", "Things that are rated; few are popular, many are not.", 900, 2, 1_000_000),
    ("ratings", "Ratings", "From 0.5 to 5 in halves, each pair at most once.", 20_000, 1,
     50_000_000),
    ("factors", "Factors", "Planted tastes: what learning should find again.", 5, 0, 100),
    ("noise", "Noise", "Standard deviation, in stars, of what nobody can predict.", 0.5, 0, 5),
    ("seed", "Seed", "The same seed and sizes give the same ratings.", 0, 0, 2**31 - 1),
)  # fmt: skip
"""Name, title, explanation, first value, lowest, highest."""
NAMES = (
    "Names of the factors, separated by commas. Titles and genres of the items tell them, so that "
    "you see whether learning finds them."
)


class MakeRatings(QDialog):
    """Asks for the sizes, makes the ratings in a thread.

    Parameters
    ----------
    parent : QWidget
    clock : FrameClock
        Its ticks bring the result in.
    """

    made = Signal(object)
    """The `RatingsBook` of the ratings made."""

    def __init__(self, parent: QWidget, clock: FrameClock) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Make ratings")
        self._task: Task[Progress, RatingsBook] | None = None
        self._build_fields()
        self._note = QLabel(self)
        self._note.setWordWrap(True)
        self.strip = ProgressStrip(self)
        policy = self.strip.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.strip.setSizePolicy(policy)
        self.strip.cancelled.connect(self.stop)
        set_style(self, PLAIN_BUTTONS)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        self.button = buttons.addButton("Make", QDialogButtonBox.ButtonRole.AcceptRole)
        self.button.setDefault(True)
        # Enter must not close the window while the other button is disabled.
        buttons.button(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)
        buttons.accepted.connect(self.make)
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        column.setSpacing(SPACE)
        column.addLayout(self._grid)
        column.addStretch(1)
        for widget in (self._note, self.strip, buttons):
            column.addWidget(widget)
        self._note.setMinimumHeight(3 * self._note.fontMetrics().height())
        self.resize(700, self.sizeHint().height())
        self.finished.connect(self.stop)
        clock.ticked.connect(self._poll)
        self._show()

    @property
    def complaint(self) -> str:
        """Why no ratings can be made so; "" if they can."""
        for name, title, *_ in FIELDS:
            field = self.fields[name]
            if field.complaint:
                return f"{title}: {field.complaint}"
            if name != "noise" and self._number(name) != int(self._number(name)):
                return f"{title}: The number must be whole."
        users, items, ratings = (self._number(n) for n in ("users", "items", "ratings"))
        if ratings > users * items // 2:
            return (
                f"{ratings:,.0f} ratings are too many: {users:,.0f} users and {items:,.0f} items "
                f"take {users * items // 2:,.0f}, half of all pairs."
            )
        return ""

    @property
    def recipe(self) -> Recipe:
        """What the fields say, while there is no complaint."""
        whole = {name: int(self._number(name)) for name, *_ in FIELDS if name != "noise"}
        return Recipe(**whole, noise=self._number("noise"), names=names_in(self.names.text()))

    @property
    def note(self) -> str:
        """What the window says of the numbers."""
        return self._note.text()

    def make(self) -> None:
        """Make the ratings as the fields say."""
        if self._task is not None or self.complaint:
            return
        recipe = self.recipe
        self._task = Task("making ratings", _maker(recipe)).start()
        self.strip.show_progress(Progress(None, f"Making {recipe.ratings:,} ratings"))
        self._show()

    def stop(self) -> None:
        """Give the making up; the workbook stays as it is."""
        if self._task is not None:
            self._task.cancel()
            self.strip.show_progress(None)
            self._task = None  # it ends by itself and has nothing that could be half-done
            self._show()

    # ------------------------------------------------------------------ parts

    def _build_fields(self) -> None:
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(2 * SPACE)
        self._grid.setVerticalSpacing(SPACE)
        self._grid.setColumnStretch(2, 1)
        self.fields: dict[str, NumberField] = {}
        for row, (name, title, about, first, low, high) in enumerate(FIELDS):
            step = 0.1 if name == "noise" else 1.0
            field = NumberField(title, about, self, low=low, high=high, first_rung=step)
            field.show_number(first)
            field.setFixedWidth(14 * SPACE)
            field.textChanged.connect(self._show)
            label = QLabel(title, self)
            label.setBuddy(field)
            hint = QLabel(about, self)
            hint.setWordWrap(True)
            set_style(hint, f"QLabel {{ color: {current_theme().muted}; }}")
            for column, widget in enumerate((label, field, hint)):
                self._grid.addWidget(widget, row, column)
            self.fields[name] = field
        self.names = QLineEdit(", ".join(TASTES[:5]), self)
        self.names.setAccessibleName("Names of the factors")
        self.names.setCursorPosition(0)
        label, hint = QLabel("Names", self), QLabel(NAMES, self)
        label.setBuddy(self.names)
        hint.setWordWrap(True)
        set_style(hint, f"QLabel {{ color: {current_theme().muted}; }}")
        row = len(FIELDS)
        self._grid.addWidget(label, row, 0)
        self._grid.addWidget(self.names, row, 1, 1, 2)
        self._grid.addWidget(hint, row + 1, 1, 1, 2)

    def _number(self, name: str) -> float:
        return float(self.fields[name].text().strip().replace(",", "."))

    def _show(self) -> None:
        complaint = self.complaint
        text = complaint
        if not complaint:
            users, items, ratings = (self._number(n) for n in ("users", "items", "ratings"))
            text = (
                f"{ratings:,.0f} ratings fill {ratings / (users * items):.2%} of {users:,.0f} "
                f"users by {items:,.0f} items. The sheet will show the busiest."
            )
        self._say(text, is_wrong=bool(complaint))
        self.button.setEnabled(not complaint and self._task is None)
        for field in self.fields.values():
            field.setEnabled(self._task is None)
        self.names.setEnabled(self._task is None)

    def _say(self, text: str, *, is_wrong: bool) -> None:
        theme = current_theme()
        set_style(self._note, f"QLabel {{ color: {theme.error if is_wrong else theme.muted}; }}")
        self._note.setText(text)

    # ------------------------------------------------------------------ the making

    def _poll(self) -> None:
        task = self._task
        if task is None or not task.is_done:
            return
        self._task = None
        self.strip.show_progress(None)
        self._show()
        if task.error is not None:
            message = message_of(task.error, "making ratings")
            self._say(f"{message.text} {message.hint}", is_wrong=True)
        elif not task.is_cancelled:
            self.made.emit(task.result())
            self.close()


def _maker(recipe: Recipe) -> Callable[[Control], Generator[Progress, None, RatingsBook]]:
    def work(control: Control) -> Generator[Progress, None, RatingsBook]:
        return (yield from make(recipe, control))

    return work
