"""A dock whose panel is made the first time it is looked at.

Owns when the panel is made, how the dock is shown in front, and that it is wide enough then. What
the panel shows, and commands that show or hide it, belong to who makes the dock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDockWidget, QMainWindow, QVBoxLayout, QWidget

from gradsheet.qt.widgets.dock_title import DockTitle

RIGHT = Qt.DockWidgetArea.RightDockWidgetArea
BOTTOM = Qt.DockWidgetArea.BottomDockWidgetArea


class LateDock(QDockWidget):
    """A dock of a window, hidden at first.

    Parameters
    ----------
    window : QMainWindow
    name : str
        The key of its remembered place.
    title : str
    way_back : str
        How a closed dock is shown again, for the tooltip of its button.
    make : callable
        Returns the panel, given its parent; imports that take long belong in here.
    least_px : int
        Its width, at the bottom its height, is at least this when it is opened.
    area : Qt.DockWidgetArea

    Attributes
    ----------
    panel : QWidget or None
        None until it was looked at.
    """

    made = Signal()
    """There is a panel now."""

    def __init__(
        self,
        window: QMainWindow,
        name: str,
        title: str,
        way_back: str,
        make: Callable[[QWidget], QWidget],
        *,
        least_px: int,
        area: Qt.DockWidgetArea = RIGHT,
    ) -> None:
        super().__init__(title, window)
        self.panel: Any = None
        self._make, self._least_px = make, least_px
        self._across = area == BOTTOM
        self.setObjectName(name)
        self.setTitleBarWidget(DockTitle(self, way_back))
        self._holder = QWidget(self)
        QVBoxLayout(self._holder).setContentsMargins(0, 0, 0, 0)
        self.setWidget(self._holder)
        window.addDockWidget(area, self)
        self.hide()
        self.visibilityChanged.connect(self._on_visible)

    @property
    def is_open(self) -> bool:
        """Whether it shows (it may lie behind another one)."""
        return not self.isHidden()

    def toggle(self) -> None:
        """Show it in front, or hide it."""
        if self.is_open:
            self.hide()
        else:
            self.open()

    def open(self) -> None:
        """Show it in front of those it shares its place with."""
        self.filled()
        self.show()
        self.raise_()
        window = self.parentWidget()
        if not isinstance(window, QMainWindow):
            return
        if self._across and self.height() < self._least_px:
            window.resizeDocks([self], [self._least_px], Qt.Orientation.Vertical)
        elif not self._across and self.width() < self._least_px:
            window.resizeDocks([self], [self._least_px], Qt.Orientation.Horizontal)

    def filled(self) -> Any:
        """Return the panel; it is made if it is not there yet."""
        if self.panel is None:
            self.panel = self._make(self._holder)
            layout = self._holder.layout()
            assert layout is not None
            layout.addWidget(self.panel)
            self.made.emit()
        return self.panel

    def _on_visible(self, visible: bool) -> None:
        if visible:
            self.filled()
