"""Which users and items the crosstab shows: search, lists, the busiest; nothing is modal.

Owns the window, its two lists and the thread that finds and lays out what is between them. What
is chosen becomes one edit of the document.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from gradsheet.app.messages import message_of
from gradsheet.app.ratings.item_names import ItemNames, Names, find_names
from gradsheet.app.ratings.pairs import pairs_of, top
from gradsheet.qt.ratings.title_search import TitleSearch
from gradsheet.qt.theme import SPACE, current_theme, px
from gradsheet.qt.widgets.number_field import NumberField
from gradsheet.qt.widgets.styling import PLAIN_BUTTONS, set_style
from gradsheet.tasks import Control, Task

if TYPE_CHECKING:
    from gradsheet.app.ratings.laid_out import LaidOut
    from gradsheet.app.ratings.workbook import RatingsBook
    from gradsheet.qt.frame_clock import FrameClock

MOST = 30
"""Users, and items, that the sheet lays out in formulas; more is no crosstab to look at."""
_CODE = Qt.ItemDataRole.UserRole
Side = Literal["users", "items"]


class ChosenList(QListWidget):
    """The chosen ones, in the order of the sheet; Delete takes away, dragging reorders."""

    changed = Signal()

    def __init__(self, parent: QWidget, name: str) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setToolTip(f"{name}: Delete takes one away, dragging changes the order.")
        self.setSelectionMode(QListWidget.SelectionMode.ExtendedSelection)
        self.setDragDropMode(QListWidget.DragDropMode.InternalMove)
        self.model().rowsMoved.connect(self.changed)

    @property
    def codes(self) -> list[int]:
        """The chosen ones."""
        return [int(self.item(row).data(_CODE)) for row in range(self.count())]

    def show_codes(self, codes: Sequence[int], names: ItemNames) -> None:
        """Show others."""
        self.clear()
        for code in codes:
            self._append(code, names)
        self.changed.emit()

    def add(self, code: int, names: ItemNames) -> None:
        """Put one at the end, or go to it where it is."""
        if code not in self.codes:
            self._append(code, names)
            self.changed.emit()
        self.setCurrentRow(self.codes.index(code))

    def _append(self, code: int, names: ItemNames) -> None:
        item = QListWidgetItem(f"{names.titles[code]}   {int(names.counts[code]):,}", self)
        item.setToolTip(f"{names.titles[code]}, {int(names.counts[code]):,} ratings")
        item.setData(_CODE, code)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete takes the selected ones away."""
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            for item in self.selectedItems():
                self.takeItem(self.row(item))
            self.changed.emit()
        else:
            super().keyPressEvent(event)


class ChooseCrosstab(QDialog):
    """Chooses users and items of one rating set.

    Parameters
    ----------
    book : RatingsBook
    clock : FrameClock
        Its ticks bring results in.
    parent : QWidget
    """

    chosen = Signal(object)
    """The crosstab to show, a `LaidOut`."""

    def __init__(self, book: RatingsBook, clock: FrameClock, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Choose the crosstab")
        self.setModal(False)
        self._book, self._session, self._clock = book, book.session, clock
        self._names: Names | None = None
        pairs = book.pairs
        self._shown = {"users": pairs.users.tolist(), "items": pairs.items.tolist()}
        self._task: Task[None, Names | LaidOut] | None = None
        self.search: dict[Side, TitleSearch] = {}
        self.lists: dict[Side, ChosenList] = {}
        self.counts: dict[Side, NumberField] = {}
        self.busiest: dict[Side, QPushButton] = {}
        self.selected: dict[Side, QPushButton] = {}
        self.note = QLabel(self)
        self.note.setWordWrap(True)
        set_style(self, PLAIN_BUTTONS)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        self.button = buttons.addButton("Show", QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self.apply)
        buttons.rejected.connect(self.close)
        for button in buttons.buttons():  # Enter in a search line takes what was found
            button.setAutoDefault(False)  # type: ignore[attr-defined]
        both = QHBoxLayout()
        both.setSpacing(2 * SPACE)
        both.addLayout(self._side("users", "Users, down", "Find a user by id"))
        both.addLayout(self._side("items", "Items, across", "Find a title"))
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        column.setSpacing(SPACE)
        column.addLayout(both, 1)
        column.addWidget(self.note)
        column.addWidget(buttons)
        self.resize(round(px(620)), round(px(460)))
        self.finished.connect(self._give_up)
        clock.ticked.connect(self._poll)
        self._begin(self._find_names, "finding names")
        self._show()

    def _side(self, side: Side, title: str, hint: str) -> QVBoxLayout:
        search = self.search[side] = TitleSearch(self, hint, hint)
        search.taken.connect(lambda code, side=side: self.add(side, code))
        chosen = self.lists[side] = ChosenList(self, title)
        chosen.changed.connect(self._show)
        count = self.counts[side] = NumberField(
            f"How many of the busiest {side}", "", self, low=1, high=MOST
        )
        count.show_number(len(self._shown[side]) or 15)
        count.setFixedWidth(6 * SPACE)
        busiest = self.busiest[side] = QPushButton("Busiest", self)
        busiest.setToolTip(f"The {side} with the most ratings, so many as the number says")
        busiest.clicked.connect(lambda _=False, side=side: self.take_busiest(side))
        selected = self.selected[side] = QPushButton("Add selected", self)
        selected.setToolTip(f"Add the {side} that are selected on the map, in a list or a table")
        selected.clicked.connect(lambda _=False, side=side: self.add_selected(side))
        for button in (busiest, selected):
            button.setAutoDefault(False)
        label = QLabel(f"<b>{title}</b>", self)
        label.setBuddy(search)
        row = QHBoxLayout()
        for widget in (count, busiest, selected):
            row.addWidget(widget)
        row.addStretch(1)
        column = QVBoxLayout()
        for part in (label, search):
            column.addWidget(part)
        column.addWidget(chosen, 1)
        column.addLayout(row)
        return column

    # ------------------------------------------------------------------ what the user does

    def add(self, side: Side, code: int) -> None:
        """Add one to a list."""
        if self._names is not None:
            self.lists[side].add(code, getattr(self._names, side))

    def add_selected(self, side: Side) -> None:
        """Add those that are lit up everywhere."""
        for code in getattr(self._session.selection, side)[:MOST]:
            self.add(side, code)

    def take_busiest(self, side: Side) -> None:
        """Take the busiest in the place of those that were chosen."""
        if self._names is not None and not self.counts[side].complaint:
            count = int(float(self.counts[side].text()))
            codes = top(self._session.counts(side), count).tolist()
            self.lists[side].show_codes(codes, getattr(self._names, side))

    def apply(self) -> None:
        """Find the ratings between the chosen ones; once laid out they are shown."""
        if self._task is None and not self.complaint:
            users, items = self.lists["users"].codes, self.lists["items"].codes

            def find(control: Control) -> Generator[None, None, LaidOut]:
                yield
                pairs = pairs_of(self._session.table, users, items, control)
                return (yield from self._book.laying_out(control, pairs))

            self._begin(find, "finding ratings")
            self._show()

    @property
    def complaint(self) -> str:
        """Why the crosstab cannot be shown so; empty if it can."""
        if self._names is None:
            return "The names are being read."
        for side, chosen in self.lists.items():
            if not chosen.count():
                return f"Choose {side}: find some, or take the busiest."
            if chosen.count() > MOST:
                return f"{chosen.count()} {side} are too many: the sheet lays out {MOST} at most."
        return ""

    # ------------------------------------------------------------------ tasks

    def _begin(self, work: object, name: str) -> None:
        self._task = Task(name, work).start()  # type: ignore[arg-type]
        self._clock.wake()

    @property
    def is_busy(self) -> bool:
        """Whether a thread is at work for this window."""
        return self._task is not None

    def _find_names(self, control: Control) -> Generator[None, None, Names]:
        return find_names(self._session.table, control)

    def _poll(self) -> None:
        task = self._task
        if task is None or not task.is_done:
            return
        self._task = None
        if task.is_cancelled:
            return
        if task.error is not None:
            message = message_of(task.error, task.name)
            self._say(f"{message.text} {message.hint}", is_wrong=True)
            return
        found = task.result()
        if not isinstance(found, Names):
            self.chosen.emit(found)
            self._show()
            return
        self._names = found
        for side, chosen in self.lists.items():
            self.search[side].set_names(getattr(found, side))
            chosen.show_codes(self._shown[side], getattr(found, side))
        self.search["items"].setFocus(Qt.FocusReason.OtherFocusReason)

    def _give_up(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    # ------------------------------------------------------------------ showing

    def _show(self) -> None:
        complaint = self.complaint
        users, items = (self.lists[side].count() for side in ("users", "items"))
        self._say(complaint or f"{users} users by {items} items, in this order.",
                  is_wrong=bool(complaint) and self._names is not None)  # fmt: skip
        self.button.setEnabled(not complaint and self._task is None)

    def _say(self, text: str, *, is_wrong: bool) -> None:
        theme = current_theme()
        set_style(self.note, f"QLabel {{ color: {theme.error if is_wrong else theme.muted}; }}")
        self.note.setText(text)
