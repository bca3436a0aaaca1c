"""The title of a dock: its name and a button that closes it, in the theme's own lines.

Owns the look. Dragging and double-clicking the title stay Qt's.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QLabel, QToolButton, QWidget

from gradsheet.qt import icons
from gradsheet.qt.theme import SPACE, current_theme
from gradsheet.qt.widgets.styling import set_style


class DockTitle(QWidget):
    """Stands in for the title bar of a dock.

    Parameters
    ----------
    dock : QDockWidget
    way_back : str
        How a closed dock is shown again, for the button's tooltip.
    """

    def __init__(self, dock: QDockWidget, way_back: str) -> None:
        super().__init__(dock)
        self.setObjectName("dock_title")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        label = QLabel(dock.windowTitle(), self)
        font = QFont(self.font())
        font.setWeight(QFont.Weight.DemiBold)
        label.setFont(font)
        self.close_button = QToolButton(self)
        self.close_button.setToolTip(f"Close; {way_back} shows it again")
        self.close_button.setAccessibleName(f"Close {dock.windowTitle()}")
        self.close_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.close_button.clicked.connect(dock.close)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE + SPACE // 2, SPACE // 2, SPACE // 2, SPACE // 2)
        row.addWidget(label, 1)
        row.addWidget(self.close_button)
        self._apply_theme()

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "close_button"):
            self._apply_theme()

    def _apply_theme(self) -> None:
        theme = current_theme()
        self.close_button.setIcon(icons.icon("x"))
        set_style(
            self,
            f"#dock_title {{ background: {theme.chrome}; border-bottom: 1px solid {theme.lines}; }}"
            " QToolButton { padding: 2px; }",
        )


def make_dock(
    window: QWidget, name: str, title: str, content: QWidget, way_back: str
) -> QDockWidget:
    """Return a dock with our title; `name` is the key of its remembered place."""
    dock = QDockWidget(title, window)
    dock.setObjectName(name)
    dock.setWidget(content)
    dock.setTitleBarWidget(DockTitle(dock, way_back))
    return dock
