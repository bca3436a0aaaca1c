"""The document's listener, turned into Qt signals.

Owns no fact. The document calls its listeners on the GUI thread; whoever shows something
connects here, and Qt ends the connection when the widget dies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    from gradsheet.app.document import Document, RunView
    from gradsheet.app.messages import Message
    from gradsheet.sheet.edits import Change


class Notifier(QObject):
    """Repeats what a document says.

    Parameters
    ----------
    document : Document
    parent : QObject
    """

    changed = Signal(object)
    """A `Change`: regions whose values, formulas or formats differ now."""
    run_changed = Signal(object)
    """The new `RunView`."""
    replaced = Signal()
    """Another workbook is open: forget everything."""
    messaged = Signal(object)
    """A `Message` for the user."""

    def __init__(self, document: Document, parent: QObject) -> None:
        super().__init__(parent)
        document.add_listener(self)

    def on_change(self, change: Change) -> None:
        """Cells changed."""
        self.changed.emit(change)

    def on_run(self, run: RunView) -> None:
        """The run moved, or its settings did."""
        self.run_changed.emit(run)

    def on_replaced(self) -> None:
        """The workbook is another one."""
        self.replaced.emit()

    def on_message(self, message: Message) -> None:
        """There is something to say."""
        self.messaged.emit(message)
