"""Everything the program has said since its start, with the details to read and to copy.

Owns how the list looks and what is copied. Knows no document and no window: it is given
messages.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from gradsheet.app.messages import LOG_LIMIT, Message
from gradsheet.qt import icons
from gradsheet.qt.message_levels import ICONS, level_colour
from gradsheet.qt.theme import SPACE, current_theme, mono_font
from gradsheet.qt.widgets.styling import set_style

EMPTY = (
    "Nothing has been said yet.\n"
    "Warnings, errors and notes appear here with their time, and stay until the program ends."
)


def as_text(messages: Iterable[Message]) -> str:
    """Return messages with their details as plain text, for a report."""
    return "\n\n".join(
        "\n".join(
            filter(None, (f"{_moment(m)} {m.level}: {m.text}", m.hint, m.detail.rstrip()))
        )
        for m in messages
    )


class MessageLogPanel(QWidget):
    """The list of messages, newest last, beside the whole text of those that are chosen.

    Parameters
    ----------
    parent : QWidget
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._messages: list[Message] = []
        self._list = self._make_list()
        self._whole = QPlainTextEdit(self)
        self._whole.setReadOnly(True)
        self._whole.setFont(mono_font())
        self._whole.setLineWrapMode(QPlainTextEdit.LineWrapMode.WidgetWidth)
        self._whole.setAccessibleName("The whole message with its details")
        self.copy_button = QPushButton("Copy", self)
        self.copy_button.setToolTip("Copy the chosen messages with their details")
        self.copy_all_button = QPushButton("Copy all", self)
        self.copy_all_button.setToolTip("Copy every message with its details, for a report")
        self.copy_button.clicked.connect(self.copy)
        self.copy_all_button.clicked.connect(self.copy_all)
        self._list.itemSelectionChanged.connect(self._on_chosen)
        keys = QShortcut(QKeySequence.StandardKey.Copy, self._list)
        keys.setContext(Qt.ShortcutContext.WidgetShortcut)
        keys.activated.connect(self.copy)
        self._lay_out()
        self._style()
        self._show_state()
        self._on_chosen()

    def _make_list(self) -> QTreeWidget:
        tree = QTreeWidget(self)
        tree.setHeaderHidden(True)
        tree.setRootIsDecorated(False)
        tree.setUniformRowHeights(True)
        tree.setAllColumnsShowFocus(True)
        tree.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        tree.setFrameShape(QTreeWidget.Shape.NoFrame)
        set_style(tree, "QTreeWidget { padding: 4px 8px; }")
        tree.setColumnCount(2)
        tree.setAccessibleName("Messages, newest last")
        header = tree.header()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        return tree

    def _lay_out(self) -> None:
        right = QWidget(self)
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE // 2)
        column.addWidget(self._whole, 1)
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, SPACE, SPACE // 2)
        row.addStretch(1)
        row.addWidget(self.copy_button)
        row.addWidget(self.copy_all_button)
        column.addLayout(row)
        split = QSplitter(Qt.Orientation.Horizontal, self)
        split.addWidget(self._list)
        split.addWidget(right)
        split.setStretchFactor(0, 3)
        split.setStretchFactor(1, 2)
        split.setChildrenCollapsible(False)
        empty = QLabel(EMPTY, self)
        empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        empty.setWordWrap(True)
        self._empty = empty
        self._stack = QStackedWidget(self)
        self._stack.addWidget(empty)
        self._stack.addWidget(split)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._stack)

    # ------------------------------------------------------------------ what is shown

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages listed, oldest first."""
        return tuple(self._messages)

    def show_all(self, messages: Sequence[Message]) -> None:
        """List these."""
        self._list.clear()
        self._messages = []
        for message in messages:
            self._append(message)
        self._show_state()
        self._on_chosen()

    def add(self, message: Message) -> None:
        """Append a message that has just come; the list follows if its end was in view."""
        bar = self._list.verticalScrollBar()
        at_end = bar.value() == bar.maximum()
        self._append(message)
        if len(self._messages) > LOG_LIMIT:
            self._messages.pop(0)
            self._list.takeTopLevelItem(0)
        self._show_state()
        if at_end:
            self._list.scrollToBottom()

    def choose(self, message: Message) -> None:
        """Choose a message, so that its details are read beside the list."""
        if message not in self._messages:
            self.add(message)
        place = len(self._messages) - 1 - self._messages[::-1].index(message)
        item = self._list.topLevelItem(place)
        self._list.clearSelection()
        self._list.setCurrentItem(item)
        item.setSelected(True)
        self._list.scrollToItem(item)

    def chosen(self) -> list[Message]:
        """Return the messages that are chosen, oldest first."""
        chosen = [self._list.indexOfTopLevelItem(item) for item in self._list.selectedItems()]
        return [self._messages[place] for place in sorted(chosen)]

    def whole_text(self) -> str:
        """Return what stands beside the list."""
        return self._whole.toPlainText()

    def text(self) -> str:
        """Return all messages with their details as plain text."""
        return as_text(self._messages)

    def copy(self) -> None:
        """Put the chosen messages on the clipboard."""
        QGuiApplication.clipboard().setText(as_text(self.chosen()))

    def copy_all(self) -> None:
        """Put all messages on the clipboard."""
        QGuiApplication.clipboard().setText(self.text())

    def _append(self, message: Message) -> None:
        self._messages.append(message)
        item = QTreeWidgetItem([_clock(message), f"{message.text} {message.hint}".strip()])
        item.setToolTip(1, f"{message.text} {message.hint}".strip())
        item.setData(
            1, Qt.ItemDataRole.AccessibleTextRole, f"{message.level}: {message.text} {message.hint}"
        )
        self._colour(item, message)
        self._list.addTopLevelItem(item)

    def _colour(self, item: QTreeWidgetItem, message: Message) -> None:
        colour = QColor(level_colour(message.level))
        item.setIcon(0, QIcon(icons.pixmap(ICONS[message.level], 16, colour)))
        item.setForeground(0, QColor(current_theme().muted))

    def _show_state(self) -> None:
        self._stack.setCurrentIndex(1 if self._messages else 0)

    def _on_chosen(self) -> None:
        chosen = self.chosen()
        self.copy_button.setEnabled(bool(chosen))
        hint = "Choose a message to read it whole, with its details."
        self._whole.setPlainText(as_text(chosen) if chosen else hint)

    # ------------------------------------------------------------------ looks

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_stack"):
            for place, message in enumerate(self._messages):
                self._colour(self._list.topLevelItem(place), message)
            self._style()

    def _style(self) -> None:
        theme = current_theme()
        set_style(self._empty, f"color: {theme.muted};")
        set_style(self._whole, f"QPlainTextEdit {{ border: none; background: {theme.chrome}; }}")


def _clock(message: Message) -> str:
    return time.strftime("%H:%M:%S", time.localtime(message.at))


def _moment(message: Message) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(message.at))
