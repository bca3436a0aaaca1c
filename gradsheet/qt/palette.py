"""The command palette: type a few letters of what you want, Enter does it.

Owns the search and the popup. Commands, their keys and whether they are possible now come from
the table of commands and its actions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QObject, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetrics,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import (
    QFrame,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from gradsheet.qt.actions import all_commands
from gradsheet.qt.theme import SPACE, current_theme, scale, ui_font

if TYPE_CHECKING:
    from PySide6.QtGui import QAction

    from gradsheet.app.commands import Command

WIDTH_PX = 640
ROW_PX = 44
MOST_ROWS = 9
NOT_NOW = "Not possible now"

_ENTRY = Qt.ItemDataRole.UserRole


@dataclass(frozen=True, slots=True)
class Found:
    """A command that matches.

    Attributes
    ----------
    letters : places in the title that match, to be shown bold
    reason : why it is not possible now, "" if it is
    """

    id: str
    title: str
    menu: str
    keys: str
    about: str
    letters: tuple[int, ...]
    reason: str
    is_checked: bool


def match(query: str, text: str) -> tuple[float, tuple[int, ...]] | None:
    """How well letters typed fit a text: a score and the places that match; None if they do not.

    Letters must come in order, in either case. Starts of words and runs of letters count more,
    late and long texts less.
    """
    wanted, folded = query.casefold().replace(" ", ""), text.casefold()
    if not wanted:
        return 0.0, ()
    best: tuple[float, tuple[int, ...]] | None = None
    for start in (i for i, letter in enumerate(folded) if letter == wanted[0]):
        found = _match_from(wanted, folded, start)
        if found is not None and (best is None or found[0] > best[0]):
            best = found
    return best


def _match_from(wanted: str, text: str, start: int) -> tuple[float, tuple[int, ...]] | None:
    places = [start]
    for letter in wanted[1:]:
        after = places[-1] + 1
        if after < len(text) and text[after] == letter:
            places.append(after)
            continue
        starts = [i for i in range(after, len(text)) if text[i] == letter]
        if not starts:
            return None
        at_word = [i for i in starts if not text[i - 1].isalnum()]
        places.append((at_word or starts)[0])
    score = 0.0
    for k, place in enumerate(places):
        is_start = place == 0 or not text[place - 1].isalnum()
        follows = k > 0 and place == places[k - 1] + 1
        score += 1.0 + 4.0 * is_start + 3.0 * follows
    return score - 0.05 * places[0] - 0.01 * len(text), tuple(places)


def _fit(query: str, entry: Command) -> tuple[float, tuple[int, ...]] | None:
    """How well a command fits: by its title, then with its menu, then by its help too."""
    hit = match(query, entry.title)
    if hit is not None or len(query.strip()) < 3:
        return hit
    for text, share, less in (
        (f"{entry.menu} {entry.title}", 0.6, 5.0),
        (f"{entry.menu} {entry.title} {entry.help}", 0.3, 10.0),
    ):
        found = match(query, text)
        if found is not None:
            return found[0] * share - less, ()
    return None


def search(query: str, actions: dict[str, QAction]) -> list[Found]:
    """The commands that fit, best first; all in menu order while nothing is typed."""
    scored: list[tuple[float, int, Found]] = []
    for place, entry in enumerate(all_commands().values()):
        found = _fit(query, entry)
        if found is None:
            continue
        score, letters = found
        action = actions[entry.id]
        reason = "" if action.isEnabled() else entry.needs or NOT_NOW
        score -= 3.0 if reason and query else 0.0
        scored.append((-score, place, _found(entry, action, letters, reason)))
    scored.sort(key=lambda item: item[:2])
    return [found for _, _, found in scored]


def _found(entry: Command, action: QAction, letters: tuple[int, ...], reason: str) -> Found:
    native = QKeySequence.SequenceFormat.NativeText
    keys = ", ".join(key.toString(native) for key in action.shortcuts()[:1])
    menu = entry.menu.replace("/", " › ")
    return Found(entry.id, action.text().replace("&", ""), menu, keys, entry.help, letters, reason,
                 action.isCheckable() and action.isChecked())  # fmt: skip


class CommandPalette(QFrame):
    """A box over the upper middle of the window: a line to type in, and what fits.

    Parameters
    ----------
    actions : dict of str to QAction
        By command id.
    parent : QWidget
        The window.
    """

    closed = Signal()

    def __init__(self, actions: dict[str, QAction], parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("palette")
        self._actions = actions
        self._focus_before: QWidget | None = None
        self.line = QLineEdit(self)
        self.line.setPlaceholderText("Type what you want to do")
        self.line.setAccessibleName("Search commands")
        self.line.setFrame(False)
        self.list = QListWidget(self)
        self.list.setAccessibleName("Commands")
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setItemDelegate(_RowDelegate(self.list))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setUniformItemSizes(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        column.setSpacing(SPACE // 2)
        column.addWidget(self.line)
        column.addWidget(self.list, 1)
        self.line.textChanged.connect(self._search)
        self.line.installEventFilter(self)
        self.list.itemClicked.connect(self._on_clicked)
        self.hide()

    def open(self) -> None:
        """Show it, empty, with the keyboard."""
        self._focus_before = self.window().focusWidget()
        self.line.setFont(ui_font(16))
        self.line.clear()
        self._search("")
        self.show()
        self.raise_()
        self.line.setFocus(Qt.FocusReason.PopupFocusReason)

    def close_palette(self) -> None:
        """Hide it; the keyboard goes back to where it was."""
        if self.isHidden():
            return
        self.hide()
        if self._focus_before is not None:
            self._focus_before.setFocus(Qt.FocusReason.PopupFocusReason)
        self.closed.emit()

    @property
    def found(self) -> list[Found]:
        """What is listed."""
        return [self.list.item(row).data(_ENTRY) for row in range(self.list.count())]

    def choose(self) -> None:
        """Do what is marked; what is not possible stays listed with its reason."""
        item = self.list.currentItem()
        if item is None:
            return
        entry: Found = item.data(_ENTRY)
        if entry.reason:
            return
        self.close_palette()
        self._actions[entry.id].trigger()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keys of the list while the line has the keyboard."""
        if event.type() == QEvent.Type.FocusOut and not self.isHidden():
            self.close_palette()
        if event.type() != QEvent.Type.KeyPress or not isinstance(event, QKeyEvent):
            return super().eventFilter(watched, event)
        row, count = self.list.currentRow(), self.list.count()
        key = event.key()
        if key == Qt.Key.Key_Escape:
            self.close_palette()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.choose()
        elif key in (Qt.Key.Key_Down, Qt.Key.Key_Up) and count:
            self.list.setCurrentRow((row + (1 if key == Qt.Key.Key_Down else -1)) % count)
        elif key in (Qt.Key.Key_PageDown, Qt.Key.Key_PageUp) and count:
            by = MOST_ROWS - 1 if key == Qt.Key.Key_PageDown else 1 - MOST_ROWS
            self.list.setCurrentRow(min(max(0, row + by), count - 1))
        else:
            return super().eventFilter(watched, event)
        return True

    def _on_clicked(self, item: QListWidgetItem) -> None:
        self.list.setCurrentItem(item)
        self.choose()

    def _search(self, query: str) -> None:
        self.list.clear()
        for found in search(query, self._actions):
            item = QListWidgetItem(self.list)
            item.setData(_ENTRY, found)
            parts = [found.title, found.keys, found.reason or found.about]
            item.setData(Qt.ItemDataRole.AccessibleTextRole, ", ".join(p for p in parts if p))
            item.setToolTip(found.about)
        self.list.setCurrentRow(0)
        self._place()

    def _place(self) -> None:
        window = self.window()
        rows = max(1, min(self.list.count(), MOST_ROWS))
        width = min(round(WIDTH_PX * scale()), window.width() - 4 * SPACE)
        height = self.line.sizeHint().height() + rows * _row_height() + 3 * SPACE
        height = min(height, window.height() - 16 * SPACE)
        self.setGeometry((window.width() - width) // 2, 10 * SPACE, width, height)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.setPen(QPen(QColor(theme.strong_lines), 1))
        painter.setBrush(QColor(theme.sheet))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()


def _row_height() -> int:
    return round(ROW_PX * scale())


class _RowDelegate(QStyledItemDelegate):
    """Title with the matching letters bold, where it stands and what it does; keys at the right."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Any) -> QSize:
        return QSize(100, _row_height())

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Any) -> None:
        found: Found = index.data(_ENTRY)
        theme = current_theme()
        painter.save()
        box: QRect = option.rect
        is_current = bool(option.state & QStyle.StateFlag.State_Selected)
        if is_current:
            painter.fillRect(box, QColor(theme.selection_wash()))
            painter.fillRect(box.left(), box.top(), 3, box.height(), QColor(theme.accent))
        inner = box.adjusted(2 * SPACE, SPACE // 2, -SPACE, -SPACE // 2)
        half = inner.height() // 2
        top = QRect(inner.left(), inner.top(), inner.width(), half)
        below = QRect(inner.left(), inner.top() + half, inner.width(), half)
        keys_width = self._keys(painter, top, found, theme.muted)
        colour = theme.muted if found.reason else theme.text
        check = "✓ " if found.is_checked else ""
        self._title(painter, top.adjusted(0, 0, -keys_width - SPACE, 0), check, found, colour)
        small = ui_font(12)
        painter.setFont(small)
        painter.setPen(QColor(theme.warning if found.reason else theme.muted))
        about = f"{found.menu}  ·  {found.reason or found.about}"
        text = QFontMetrics(small).elidedText(about, Qt.TextElideMode.ElideRight, below.width())
        painter.drawText(below, int(Qt.AlignmentFlag.AlignVCenter), text)
        painter.restore()

    @staticmethod
    def _keys(painter: QPainter, box: QRect, found: Found, colour: str) -> int:
        font = ui_font(12)
        painter.setFont(font)
        painter.setPen(QColor(colour))
        align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(box, int(align), found.keys)
        return QFontMetrics(font).horizontalAdvance(found.keys)

    @staticmethod
    def _title(painter: QPainter, box: QRect, check: str, found: Found, colour: str) -> None:
        plain = ui_font(13)
        bold = QFont(plain)
        bold.setWeight(QFont.Weight.Bold)
        painter.setPen(QColor(colour))
        x = box.left()
        for place, letter in enumerate(check + found.title):
            font = bold if place - len(check) in found.letters else plain
            painter.setFont(font)
            width = QFontMetrics(font).horizontalAdvance(letter)
            if x + width > box.right():
                break
            here = QRect(x, box.top(), width + 4, box.height())
            painter.drawText(here, int(Qt.AlignmentFlag.AlignVCenter), letter)
            x += width
