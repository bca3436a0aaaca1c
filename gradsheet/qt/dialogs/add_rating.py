"""A rating more in the open set: who, what, how many stars; nothing is modal.

Owns the window and the thread that reads the names. What is asked for becomes one edit; whether
it is possible is said where it is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QLabel, QVBoxLayout, QWidget

from gradsheet.app.messages import message_of
from gradsheet.app.ratings.item_names import Names, find_names
from gradsheet.qt.ratings.title_search import TitleSearch
from gradsheet.qt.theme import SPACE, current_theme, px
from gradsheet.qt.widgets.number_field import NumberField
from gradsheet.qt.widgets.styling import PLAIN_BUTTONS, set_style
from gradsheet.tasks import Task

if TYPE_CHECKING:
    from gradsheet.app.ratings.item_names import ItemNames
    from gradsheet.app.ratings.session import RatingsSession
    from gradsheet.qt.frame_clock import FrameClock

NONE_YET = "none chosen"


class AddRating(QDialog):
    """Asks for user, item and stars of one rating after another.

    Parameters
    ----------
    session : RatingsSession
    clock : FrameClock
        Its ticks bring the names in.
    parent : QWidget
    """

    asked = Signal(int, int, float)
    """User and item, by code, and the stars of a rating to add."""

    def __init__(self, session: RatingsSession, clock: FrameClock, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Add a rating")
        self._names: Names | None = None
        self.user: int | None = None
        self.item: int | None = None
        table = session.table

        def find(control: object) -> object:
            return find_names(table, control)  # type: ignore[arg-type]

        self._task: Task[None, Names] | None = Task("finding names", find).start()  # type: ignore[arg-type]
        self.find_user = TitleSearch(self, "Find a user by id", "Find a user by id")
        self.find_item = TitleSearch(self, "Find a title", "Find a title")
        self._user_name, self._item_name = QLabel(NONE_YET, self), QLabel(NONE_YET, self)
        low, high = float(table.ratings.min()), float(table.ratings.max())
        self.stars = NumberField("Stars", "As many as the set has, or others", self, low=-1e6,
                                 high=1e6)  # fmt: skip
        self.stars.show_number(high)
        self.stars.setFixedWidth(8 * SPACE)
        self._scale = QLabel(f"the set has {low:g} to {high:g}", self)
        self.note = QLabel(self)
        self.note.setWordWrap(True)
        self.note.setMinimumHeight(2 * self.note.fontMetrics().height())
        self._lay_out()
        self.find_user.taken.connect(self._on_user)
        self.find_item.taken.connect(self._on_item)
        self.stars.textChanged.connect(self._show)
        self.finished.connect(self._give_up)
        clock.ticked.connect(self._poll)
        clock.wake()
        self._show()

    def _lay_out(self) -> None:
        set_style(self, PLAIN_BUTTONS)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        self.button = buttons.addButton("Add", QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self.add)
        buttons.rejected.connect(self.close)
        for button in buttons.buttons():  # Enter in a search line takes what was found
            button.setAutoDefault(False)  # type: ignore[attr-defined]
        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * SPACE)
        grid.setVerticalSpacing(SPACE)
        grid.setColumnStretch(2, 1)
        for row, (title, field, said) in enumerate((
            ("User", self.find_user, self._user_name),
            ("Item", self.find_item, self._item_name),
            ("Stars", self.stars, self._scale),
        )):  # fmt: skip
            label = QLabel(title, self)
            label.setBuddy(field)
            grid.addWidget(label, row, 0)
            grid.addWidget(field, row, 1)
            grid.addWidget(said, row, 2)
        for search in (self.find_user, self.find_item):
            search.setMinimumWidth(round(px(200)))
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        column.setSpacing(SPACE)
        column.addLayout(grid)
        column.addStretch(1)
        column.addWidget(self.note)
        column.addWidget(buttons)
        self.resize(round(px(600)), self.sizeHint().height())

    # ------------------------------------------------------------------ what the user does

    def _on_user(self, code: int) -> None:
        self.user = code
        self.find_item.setFocus(Qt.FocusReason.OtherFocusReason)
        self._show()

    def _on_item(self, code: int) -> None:
        self.item = code
        self.stars.setFocus(Qt.FocusReason.OtherFocusReason)
        self.stars.selectAll()
        self._show()

    def add(self) -> None:
        """Ask for the rating."""
        if not self.complaint and self.user is not None and self.item is not None:
            self.asked.emit(self.user, self.item, self.stars.number)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter in the stars adds the rating."""
        is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if is_enter and self.stars.hasFocus():
            self.add()
        elif not is_enter:
            super().keyPressEvent(event)

    @property
    def complaint(self) -> str:
        """Why nothing can be added; empty if it can."""
        if self._names is None:
            return "The names are being read."
        if self.user is None or self.item is None:
            return "Find a user and an item; Enter takes what was found."
        return self.stars.complaint

    # ------------------------------------------------------------------ showing

    @property
    def is_busy(self) -> bool:
        """Whether the names are being read."""
        return self._task is not None

    def _poll(self) -> None:
        task = self._task
        if task is None or not task.is_done:
            return
        self._task = None
        if task.error is not None:
            self.say(message_of(task.error, "reading the names").text)
            return
        self._names = task.result()
        self.find_user.set_names(self._names.users)
        self.find_item.set_names(self._names.items)
        self.find_user.setFocus(Qt.FocusReason.OtherFocusReason)
        self._show()

    def _show(self, *_: object) -> None:
        names = self._names
        for label, code, side in (
            (self._user_name, self.user, names.users if names else None),
            (self._item_name, self.item, names.items if names else None),
        ):
            label.setText(_said(side, code))
        self.say(self.complaint)
        self.button.setEnabled(not self.complaint)

    def say(self, text: str) -> None:
        """Say why something is not possible, or what was done."""
        set_style(self.note, f"QLabel {{ color: {current_theme().muted}; }}")
        self.note.setText(text)

    def _give_up(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None


def _said(names: ItemNames | None, code: int | None) -> str:
    if names is None or code is None:
        return NONE_YET
    return f"{names.titles[code]}, {int(names.counts[code]):,} ratings"
