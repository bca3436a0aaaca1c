"""The dock of the message log: shown below the sheet, filled when it is first looked at.

Owns when the panel is made and that its list is up to date. The log itself is the document's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from gradsheet.app.messages import Message, MessageLog
from gradsheet.qt.panels.message_log import MessageLogPanel
from gradsheet.qt.widgets.late_dock import BOTTOM, LateDock

if TYPE_CHECKING:
    from gradsheet.qt.main_window import MainWindow

HEIGHT_PX = 200
LATEST = 50
"""Among so many a message is looked for that may have been listed when the list was made."""


class MessageDock(QObject):
    """Shows the log, and one message of it with its details.

    Parameters
    ----------
    log : MessageLog
    window : MainWindow
        Gets the dock at its bottom, hidden at first.
    """

    _heard = Signal(object)
    """A `Message` that was logged in any thread; it arrives on the GUI thread."""

    def __init__(self, log: MessageLog, window: MainWindow) -> None:
        super().__init__(window)
        self._log = log
        self._window = window
        self.dock = LateDock(
            window, "messages", "Messages", "Help > Messages", self._make,
            least_px=HEIGHT_PX, area=BOTTOM,
        )  # fmt: skip
        self._heard.connect(self._add)
        self._unsubscribe = log.subscribe(self._heard.emit)

    def show_details(self, message: Message) -> None:
        """Show the log with the details of one message beside it."""
        self.dock.open()
        self.dock.filled().choose(message)

    def stop(self) -> None:
        """The window closes."""
        self._unsubscribe()

    def _add(self, message: Message) -> None:
        panel = self.dock.panel
        if panel is not None and message not in panel.messages[-LATEST:]:
            panel.add(message)

    def _make(self, parent: QWidget) -> MessageLogPanel:
        panel = MessageLogPanel(parent)
        panel.show_all(self._log.messages())
        return panel
