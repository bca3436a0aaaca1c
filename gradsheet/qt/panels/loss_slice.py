"""A slice through a loss of many parameters, with the run's path projected on it.

Owns the picture and says in words that it is a slice. Knows a `learn.slices.Slice`, no document.
"""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from gradsheet.learn.slices import Slice
from gradsheet.qt.lab.plane_plot import PlanePlot
from gradsheet.qt.theme import SPACE, current_theme

EMPTY = "A slice through the loss, with the path of the run on it, appears here once the run moves."


class LossSlicePanel(QWidget):
    """Contours on a plane of the parameter space, and the projected path."""

    cut_asked = Signal()
    """Please cut anew, through where the run is now."""
    principal_asked = Signal(bool)
    """The two directions of most movement (True), or those of the two selected cells."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._slice: Slice | None = None
        self._principal = QToolButton(self)
        self._principal.setText("Principal directions")
        self._principal.setCheckable(True)
        self._principal.setChecked(True)
        self._principal.setToolTip(
            "On: the directions in which the run moved most. "
            "Off: those of the first and the last selected parameter cell"
        )
        self._principal.toggled.connect(self.principal_asked)
        self._again = QToolButton(self)
        self._again.setText("Cut again")
        self._again.setToolTip("Through where the run is now")
        self._again.clicked.connect(self.cut_asked)
        head = QHBoxLayout()
        head.setContentsMargins(SPACE, SPACE // 2, SPACE // 2, 0)
        head.addWidget(self._principal)
        head.addStretch(1)
        head.addWidget(self._again)
        self.plot = PlanePlot(self, "along the first direction", "along the second")
        self._path = self.plot.curve("#888888")
        self._ends = pg.ScatterPlotItem(size=10, pen=None)
        self.plot.addItem(self._ends, ignoreBounds=True)
        self.words = QLabel(EMPTY, self)
        self.words.setWordWrap(True)
        self.words.setMargin(SPACE)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.plot, 1)
        column.addWidget(self.words)
        self.setMinimumSize(260, 300)
        self.apply_theme()

    def show_complaint(self, text: str) -> None:
        """Say why there is no slice."""
        self.words.setText(text)

    def show_slice(self, found: Slice) -> None:
        """Show a slice; the part of it that was worked out fills the plot."""
        self._slice = found
        self.plot.set_loss(found.at)
        self.plot.show_range((found.xs[0], found.xs[-1]), (found.ys[0], found.ys[-1]))
        self._path.setData(found.path[:, 0], found.path[:, 1])
        self._ends.setData([found.path[0, 0], found.path[-1, 0]],
                           [found.path[0, 1], found.path[-1, 1]])  # fmt: skip
        count = len(found.plane.centre)
        self.words.setText(
            f"This is a slice: a plane through {count:,} parameters along {found.plane.words}. "
            f"{found.plane.share:.0%} of the movement between the {len(found.path)} points noted "
            f"lies in it; they are projected. "
            f"At the start the slice says {found.loss_on_slice:.5g}, the true loss was "
            f"{found.true_loss:.5g}; where the run is now both are {found.loss_now:.5g}."
        )

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "words"):
            self.apply_theme()

    def apply_theme(self) -> None:
        """Paint with the theme that is on."""
        theme = current_theme()
        self.plot.apply_theme()
        self._path.setPen(pg.mkPen(theme.accent, width=2))
        self._ends.setBrush(QColor(theme.accent))

    def corners(self) -> np.ndarray:
        """Return the corners (2, 2) of the part that was worked out; zeros if there is none."""
        found = self._slice
        if found is None:
            return np.zeros((2, 2))
        return np.array([[found.xs[0], found.ys[0]], [found.xs[-1], found.ys[-1]]])
