"""Who shows a document, and how it is told.

Owns the protocols `Listener` and `Live` and the list of those who listen. Everything is said on
the thread that calls the document.
"""

from __future__ import annotations

from typing import Protocol

from gradsheet.app.messages import Message, MessageLog
from gradsheet.app.run import RunView
from gradsheet.sheet.workbook import Change


class Listener(Protocol):
    """Who shows a document. Always called on the thread that calls the document."""

    def on_change(self, change: Change) -> None:
        """Cells, formats or sheets changed."""

    def on_run(self, view: RunView) -> None:
        """The run moved, started, paused or failed, or a rate changed."""

    def on_replaced(self) -> None:
        """Another workbook is open."""

    def on_message(self, message: Message) -> None:
        """Something is to be said."""


class Live(Protocol):
    """Who shows numbers in the cells before the history has them; see `Document.live`."""

    @property
    def is_busy(self) -> bool:
        """Whether more numbers are to come."""

    def poll(self) -> None:
        """Show the newest."""

    def settle(self) -> None:
        """Keep them or put back what was there: something else is about to change cells."""

    def close(self) -> None:
        """End; the workbook is no longer shown."""


class Audience:
    """Those who listen, and the log of what was said to them."""

    def __init__(self, log: MessageLog) -> None:
        self.log = log
        self._listeners: list[Listener] = []

    def add(self, listener: Listener) -> None:
        """Tell this listener from now on."""
        self._listeners.append(listener)

    def remove(self, listener: Listener) -> None:
        """Tell it no more."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def changed(self, change: Change) -> None:
        """Say that cells, formats or sheets changed."""
        for listener in list(self._listeners):
            listener.on_change(change)

    def run(self, view: RunView) -> None:
        """Say how the run stands."""
        for listener in list(self._listeners):
            listener.on_run(view)

    def replaced(self) -> None:
        """Say that another workbook is open."""
        for listener in list(self._listeners):
            listener.on_replaced()

    def say(self, message: Message) -> None:
        """Log a message and pass it on."""
        self.log.add(message)
        for listener in list(self._listeners):
            listener.on_message(message)
