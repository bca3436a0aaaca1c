"""What the program says to its user: a banner above the grid, and the log of all messages.

Owns how a `Message` looks. Never modal. Knows no document; a hint that offers a command is
given back as `action_asked`.
"""

from __future__ import annotations

import html
import textwrap
import time
from collections.abc import Iterable, Mapping

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QAction, QColor, QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QTextBrowser,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gradsheet.app.messages import Message, MessageLog
from gradsheet.qt import icons
from gradsheet.qt.styling import PLAIN_BUTTONS, set_style
from gradsheet.qt.theme import SPACE, STRIPE_PX, current_theme, mono_font

MOST_CHARACTERS = 240
"""A banner has two or three lines; the whole text is in the details and in the log."""
ICONS = {"info": "info", "warning": "triangle-alert", "error": "circle-x"}


def level_colour(level: str) -> str:
    """Return the colour of a level's icon and stripe, ``#RRGGBB``."""
    theme = current_theme()
    return {"info": theme.accent, "warning": theme.warning, "error": theme.error}[level]


class MessageBanner(QFrame):
    """The newest message, until it is closed or another takes its place.

    Parameters
    ----------
    actions : mapping of command id to QAction
        For messages whose hint offers a command.
    parent : QWidget
    """

    details_asked = Signal(object)
    """The `Message` whose details are to be shown."""

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self.setAccessibleName("Message")
        self._actions = actions
        self._message: Message | None = None
        self._icon = QLabel(self)
        self._icon.setFixedSize(20, 20)
        self._text = QLabel(self)
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.RichText)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._offer = QPushButton(self)
        self._details = QPushButton("Details…", self)
        self._details.clicked.connect(self._ask_details)
        self._close = QToolButton(self)
        self._close.setToolTip("Close this message (it stays in Help > Messages)")
        self._close.setAccessibleName("Close message")
        self._close.clicked.connect(self.dismiss)
        self._offer.clicked.connect(self._take_offer)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE + STRIPE_PX, SPACE // 2, SPACE // 2, SPACE // 2)
        row.setSpacing(SPACE)
        row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self._text, 1)
        for button in (self._offer, self._details, self._close):
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
        self.hide()

    @property
    def message(self) -> Message | None:
        """The message shown; None while the banner is closed."""
        return self._message

    def show_message(self, message: Message) -> None:
        """Show a message in place of the one before."""
        self._message = message
        short = textwrap.shorten(message.text, MOST_CHARACTERS, placeholder=" …")
        text = f"<b>{html.escape(short)}</b>"
        if message.hint:
            text += f"&nbsp; {html.escape(message.hint)}"
        self._text.setText(text)
        self._details.setVisible(bool(message.detail) or len(message.text) > MOST_CHARACTERS)
        offered = self._actions.get(message.action)
        self._offer.setVisible(offered is not None)
        if offered is not None:
            self._offer.setText(message.offer or offered.text().replace("&", ""))
        self._colour()
        self.setAccessibleDescription(f"{message.level}: {message.text} {message.hint}")
        self.show()

    def dismiss(self) -> None:
        """Close the banner."""
        self._message = None
        self.hide()

    def dismiss_offer(self) -> None:
        """Close the banner if it offers a command: what that was about is no longer open."""
        if self._message is not None and self._message.action:
            self.dismiss()

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and getattr(self, "_message", None):
            self._colour()

    def _colour(self) -> None:
        if self._message is None:
            return
        theme = current_theme()
        colour = level_colour(self._message.level)
        set_style(
            self,
            f"#banner {{ background: {theme.chrome}; border: none;"
            f" border-left: {STRIPE_PX}px solid {colour};"
            f" border-bottom: 1px solid {theme.lines}; }}",
        )
        self._icon.setPixmap(icons.pixmap(ICONS[self._message.level], 20, QColor(colour)))
        self._close.setIcon(icons.icon("x"))

    def _ask_details(self) -> None:
        if self._message is not None:
            self.details_asked.emit(self._message)

    def _take_offer(self) -> None:
        offered = self._actions.get(self._message.action) if self._message else None
        self.dismiss()
        if offered is not None:
            offered.trigger()


class DetailsWindow(QDialog):
    """The details of one message, to read and to copy."""

    def __init__(self, message: Message, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Details of a message")
        self.resize(720, 420)
        set_style(self, PLAIN_BUTTONS)
        heading = QLabel(f"<b>{html.escape(message.text)}</b><br>{html.escape(message.hint)}", self)
        heading.setWordWrap(True)
        self._detail = QPlainTextEdit(message.detail, self)
        self._detail.setReadOnly(True)
        self._detail.setFont(mono_font())
        self._detail.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        copy = buttons.addButton("Copy", QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(self._copy)
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.setSpacing(SPACE)
        for widget in (heading, self._detail, buttons):
            column.addWidget(widget)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._detail.toPlainText())


class MessageLogWindow(QDialog):
    """All messages since the start, newest last; stays open beside the work."""

    def __init__(self, messages: Iterable[Message], parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Messages")
        self.resize(640, 400)
        set_style(self, PLAIN_BUTTONS)
        self._messages = list(messages)
        self._view = QTextBrowser(self)
        self._view.setAccessibleName("All messages")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        copy = buttons.addButton("Copy all", QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(self._copy)
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.setSpacing(SPACE)
        column.addWidget(self._view, 1)
        column.addWidget(buttons)
        self._show()

    def add(self, message: Message) -> None:
        """Append a message that has just come."""
        self._messages.append(message)
        self._show()

    def text(self) -> str:
        """Return all messages with their details as plain text."""
        return "\n\n".join(
            "\n".join(filter(None, (f"{_clock(m)} {m.level}: {m.text}", m.hint, m.detail)))
            for m in self._messages
        )

    def _show(self) -> None:
        theme = current_theme()
        if not self._messages:
            self._view.setHtml(
                f"<p style='color:{theme.muted}'>Nothing has been said yet. Warnings, errors and "
                "notes appear here with their time.</p>"
            )
            return
        parts = []
        for message in self._messages:
            detail = message.detail and f"<pre>{html.escape(message.detail)}</pre>"
            parts.append(
                f"<p><span style='color:{theme.muted}'>{_clock(message)}</span> &nbsp;"
                f"<span style='color:{level_colour(message.level)}'>{message.level}</span> &nbsp;"
                f"<b>{html.escape(message.text)}</b> {html.escape(message.hint)}</p>{detail}"
            )
        self._view.setHtml("".join(parts))
        self._view.verticalScrollBar().setValue(self._view.verticalScrollBar().maximum())

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text())


class MessageWindows(QObject):
    """Opens the windows of details and of the log, and keeps the log's up to date.

    Parameters
    ----------
    log : MessageLog
    window : QWidget
        Their parent.
    """

    def __init__(self, log: MessageLog, window: QWidget) -> None:
        super().__init__(window)
        self._log = log
        self._window = window
        self.log_window: MessageLogWindow | None = None

    def show_log(self) -> None:
        """Show everything that has been said since the start."""
        if self.log_window is None:
            self.log_window = MessageLogWindow(self._log.messages(), self._window)
            self.log_window.destroyed.connect(self._forget)
        self.log_window.show()
        self.log_window.raise_()

    def show_details(self, message: Message) -> None:
        """Show the details of one message."""
        DetailsWindow(message, self._window).show()

    def add(self, message: Message) -> None:
        """Add a message that has just come to the log's window, if that is open."""
        if self.log_window is not None:
            self.log_window.add(message)

    def _forget(self) -> None:
        self.log_window = None


def _clock(message: Message) -> str:
    return time.strftime("%H:%M:%S", time.localtime(message.at))
