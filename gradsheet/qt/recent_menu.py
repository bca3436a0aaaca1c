"""The files opened last, in a menu.

Owns the menu; the list is the settings'. Says `chosen`, opens nothing.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from gradsheet.app.settings import Settings


class RecentMenu(QMenu):
    """File > Open recent."""

    chosen = Signal(object)
    """The `Path` of a file to open again."""

    def __init__(self, settings: Settings, parent: QWidget) -> None:
        super().__init__("Open recent", parent)
        self._settings = settings
        self.setToolTipsVisible(True)
        self.aboutToShow.connect(self.refresh)
        self.triggered.connect(self._on_triggered)
        self.refresh()

    def refresh(self) -> None:
        """List the files anew; one that is gone cannot be chosen."""
        self.clear()
        for text in self._settings.recent:
            path = Path(text)
            action = self.addAction(path.name)
            action.setData(text)
            action.setToolTip(text)
            action.setEnabled(path.exists())
        if self.isEmpty():
            self.addAction("Nothing yet").setEnabled(False)

    def _on_triggered(self, action: QAction) -> None:
        self.chosen.emit(Path(action.data()))
