"""Where the window and its panels were, remembered for each size of screen.

Owns the coding of Qt's layout state into the settings' texts, and what the first layout is.
Knows a main window and its docks, no document.
"""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow

from gradsheet.app.settings import Settings

START_SIZE = (1760, 1000)
"""Enough for the first lesson with both panels open."""
SHARE_OF_SCREEN = 0.92


class LayoutMemory:
    """Restores, keeps and resets the layout of one window.

    Parameters
    ----------
    window : QMainWindow
        With all its docks and tool bars in place: this is the layout that a reset goes back to.
    docks : mapping of name to (dock, width in px)
    settings : Settings
    """

    def __init__(
        self,
        window: QMainWindow,
        docks: Mapping[str, tuple[QDockWidget, int]],
        settings: Settings,
    ) -> None:
        self._window = window
        self._docks = docks
        self._settings = settings
        self._first = window.saveState()

    def restore(self) -> None:
        """Put the window where it was on a screen of this size; fit a new one to the screen."""
        geometry = self._settings.layout.get(self._key("geometry"))
        state = self._settings.layout.get(self._key("state"))
        if geometry is None:
            self._fit_screen()
        else:
            self._window.restoreGeometry(QByteArray.fromBase64(geometry.encode("ascii")))
        if state is not None:
            self._window.restoreState(QByteArray.fromBase64(state.encode("ascii")))

    def remember(self) -> None:
        """Put window geometry and panels into the settings."""
        window = self._window
        for what, data in (("geometry", window.saveGeometry()), ("state", window.saveState())):
            self._settings.layout[self._key(what)] = bytes(data.toBase64()).decode("ascii")

    def reset(self) -> None:
        """Put every panel back where it was at first, at its first width."""
        self._window.restoreState(self._first)
        for dock, width in self._docks.values():
            dock.show()
            self._window.resizeDocks([dock], [width], Qt.Orientation.Horizontal)

    def _key(self, what: str) -> str:
        screen = self._window.screen().size()
        return f"{screen.width()}x{screen.height()}:{what}"

    def _fit_screen(self) -> None:
        available = self._window.screen().availableGeometry()
        width, height = START_SIZE
        if available.width() < width or available.height() < height:
            self._window.setWindowState(self._window.windowState() | Qt.WindowState.WindowMaximized)
        width = min(width, int(available.width() * SHARE_OF_SCREEN))
        self._window.resize(width, min(height, int(available.height() * SHARE_OF_SCREEN)))
