"""The dock of the message log: shown below the sheet, filled when it is first looked at.

Owns when the panel is made and that its list is up to date. The log itself is the document's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gradsheet.app.messages import Message, MessageLog
from gradsheet.qt.panels.message_log import MessageLogPanel
from gradsheet.qt.widgets.dock_title import make_dock

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
        self.panel: MessageLogPanel | None = None
        holder = QWidget(window)
        QVBoxLayout(holder).setContentsMargins(0, 0, 0, 0)
        self.dock = make_dock(window, "messages", "Messages", holder, "Help > Messages")
        window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, self.dock)
        self.dock.hide()
        self.dock.visibilityChanged.connect(self._on_visible)
        self._heard.connect(self._add)
        self._unsubscribe = log.subscribe(self._heard.emit)

    @property
    def is_open(self) -> bool:
        """Whether the log shows."""
        return not self.dock.isHidden()

    def toggle(self) -> None:
        """Show or hide the log."""
        if self.is_open:
            self.dock.hide()
        else:
            self.show_log()

    def show_log(self) -> None:
        """Show everything that has been said since the start."""
        self._ensure()
        self.dock.show()
        self.dock.raise_()
        if self.dock.height() < HEIGHT_PX:
            self._window.resizeDocks([self.dock], [HEIGHT_PX], Qt.Orientation.Vertical)

    def show_details(self, message: Message) -> None:
        """Show the log with the details of one message beside it."""
        self.show_log()
        self._ensure().choose(message)

    def stop(self) -> None:
        """The window closes."""
        self._unsubscribe()

    def _add(self, message: Message) -> None:
        if self.panel is not None and message not in self.panel.messages[-LATEST:]:
            self.panel.add(message)

    def _on_visible(self, visible: bool) -> None:
        if visible:
            self._ensure()

    def _ensure(self) -> MessageLogPanel:
        if self.panel is None:
            holder = self.dock.widget()
            self.panel = MessageLogPanel(holder)
            self.panel.show_all(self._log.messages())
            holder.layout().addWidget(self.panel)
        return self.panel
