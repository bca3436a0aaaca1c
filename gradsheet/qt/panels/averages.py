"""Exponentially weighted averages of the run's own gradients, beta on a slider.

Owns the picture; the averages are `learn.averages`, the gradients those of the sheet that runs.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gradsheet.app.lab.path_view import PathView
from gradsheet.learn.averages import weighted_averages
from gradsheet.qt.theme import SPACE, current_theme
from gradsheet.qt.widgets.quiet_plot import QuietPlot, finite_range, spread_labels

BETAS = (
    0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.92, 0.95, 0.97, 0.98, 0.99, 0.995,
)  # fmt: skip


class AveragesPanel(QWidget):
    """Gradients of the rows, their average, and the average corrected for its start at zero."""

    sheet_asked = Signal(float)
    """The user wants the averages as a tab, with this beta."""
    beta_chosen = Signal(float)
    """The slider was let go at this beta."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._view: PathView | None = None
        self._sheet = QToolButton(self)
        self._sheet.setText("As a sheet")
        self._sheet.setToolTip("A tab with these averages as formulas, beta in its cell B1")
        self._sheet.clicked.connect(self._ask_sheet)
        self._which = QComboBox(self)
        self._which.addItems(["de/db", "de/da"])
        self._which.setAccessibleName("Gradient")
        self._which.currentIndexChanged.connect(self._draw)
        self._slider = QSlider(Qt.Orientation.Horizontal, self)
        self._slider.setRange(0, len(BETAS) - 1)
        self._slider.setValue(BETAS.index(0.9))
        self._slider.setAccessibleName("beta")
        self._slider.setToolTip("How much of the average is kept from row to row")
        self._slider.valueChanged.connect(self._draw)
        self._slider.valueChanged.connect(self._say_beta)
        self._beta = QLabel(self)
        self._beta.setMinimumWidth(9 * SPACE)
        head = QHBoxLayout()
        head.setContentsMargins(SPACE, SPACE // 2, SPACE, 0)
        head.addWidget(self._which)
        head.addWidget(self._slider, 1)
        head.addWidget(self._beta)
        head.addWidget(self._sheet)
        self.plot = QuietPlot(self, "row of this epoch", "gradient")
        self._words = QLabel(self)
        self._words.setWordWrap(True)
        self._words.setMargin(SPACE)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.plot, 1)
        column.addWidget(self._words)
        self._curves = [self.plot.curve("#888888", w) for w in (1, 2, 2)]
        self._labels = [self.plot.label("", "#888888") for _ in range(3)]
        self.setMinimumSize(260, 240)
        self.apply_theme()

    @property
    def beta(self) -> float:
        """The beta that the slider stands at."""
        return BETAS[self._slider.value()]

    @property
    def slider(self) -> QSlider:
        """The slider of beta."""
        return self._slider

    def _ask_sheet(self) -> None:
        self.sheet_asked.emit(self.beta)

    def _say_beta(self, _: int) -> None:
        self.beta_chosen.emit(self.beta)

    def show_path(self, view: PathView | None) -> None:
        """Show the gradients of a descent."""
        self._view = view
        self._draw()

    def _draw(self, *_: object) -> None:
        self._beta.setText(f"β = {self.beta:g}")
        view = self._view
        if view is None:
            self._words.setText("The gradients of a gradient-descent sheet appear here.")
            return
        series = view.gradients[:, self._which.currentIndex()]
        series = series[np.isfinite(series)]
        found = weighted_averages(series, self.beta)
        rows = np.arange(1, len(series) + 1, dtype=np.float64)
        names = ("gradient", "average", "corrected")
        kept = (found.values, found.plain, found.corrected)
        for curve, label, name, values in zip(
            self._curves, self._labels, names, kept, strict=True
        ):
            curve.setData(rows, values)
            label.setText(name)
        span = finite_range(np.concatenate(kept))
        if span is None:
            return
        self.plot.show_range((1, len(series) * 1.22), span)
        ends = [(label, float(v[-1])) for label, v in zip(self._labels, kept, strict=True)]
        spread_labels(self.plot, ends, float(rows[-1]), *span)
        first = f"{found.plain[0]:.4g} of {series[0]:.4g}" if len(series) else ""
        self._words.setText(
            f"The average remembers about {found.memory:.0f} rows. It starts at 0, so after one "
            f"row it is {first}; divided by 1 − βᵗ it is right from the start."
        )

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_labels"):
            self.apply_theme()

    def apply_theme(self) -> None:
        """Paint with the theme that is on."""
        theme = current_theme()
        self.plot.apply_theme()
        tints = (theme.strong_lines, theme.role_colour("user"), theme.accent)
        texts = (theme.muted, theme.text, theme.text)
        for curve, label, tint, text in zip(
            self._curves, self._labels, tints, texts, strict=True
        ):
            pen = curve.opts["pen"]
            pen.setColor(tint)
            curve.setPen(pen)
            label.setColor(text)
        self._draw()
