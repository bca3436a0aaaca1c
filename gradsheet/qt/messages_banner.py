"""What the program says to its user: a banner above the grid, never modal.

Owns how a `Message` looks. Knows no document; a hint that offers a command presses its action.
The log of all messages is `panels.message_log`'s.
"""

from __future__ import annotations

import html
import textwrap
from collections.abc import Mapping

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QAction, QColor, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QWidget,
)

from gradsheet.app.messages import Message
from gradsheet.qt import icons
from gradsheet.qt.message_levels import ICONS, level_colour
from gradsheet.qt.theme import SPACE, STRIPE_PX, current_theme
from gradsheet.qt.widgets.styling import set_style

MOST_CHARACTERS = 240
"""A banner has two or three lines; the whole text is in the details and in the log."""
NARROW_PX = 540
"""Below this width buttons stand below the text."""


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
        self._is_narrow: bool | None = None
        grid = self._grid = QGridLayout(self)
        grid.setContentsMargins(SPACE + STRIPE_PX, SPACE // 2, SPACE // 2, SPACE // 2)
        grid.setHorizontalSpacing(SPACE)
        grid.setVerticalSpacing(SPACE // 2)
        grid.setColumnStretch(1, 1)
        self._arrange(False)
        self.hide()

    def _arrange(self, is_narrow: bool) -> None:
        """Put the buttons beside the text, or below it where it would be left a narrow column."""
        if is_narrow == self._is_narrow:
            return
        self._is_narrow = is_narrow
        grid, middle = self._grid, Qt.AlignmentFlag.AlignVCenter
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACE)
        for button in (self._offer, self._details):
            buttons.addWidget(button)
        while grid.count():
            grid.takeAt(0)
        grid.addWidget(self._icon, 0, 0, middle)
        grid.addWidget(self._text, 0, 1)
        grid.addWidget(self._close, 0, 3, middle)
        if is_narrow:
            grid.addLayout(buttons, 1, 1, Qt.AlignmentFlag.AlignLeft)
        else:
            grid.addLayout(buttons, 0, 2, middle)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Make the best of the width."""
        super().resizeEvent(event)
        self._arrange(event.size().width() < NARROW_PX)

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
