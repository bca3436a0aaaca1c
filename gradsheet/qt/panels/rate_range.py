"""The learning-rate range test: losses at rising rates, the rate that is suggested, and why.

Owns the plot and its words. Knows a test only by its rates, losses and suggestion.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from gradsheet.qt import icons
from gradsheet.qt.theme import SPACE, blend, current_theme
from gradsheet.qt.widgets.quiet_plot import QuietPlot, finite_range, log10
from gradsheet.qt.widgets.styling import set_style

EMPTY_TEXT = (
    "A range test learns some 200 batches on a copy of the model, each at a higher rate, and "
    "shows where the loss falls fastest.<br><br>Press <b>Test</b>; the model itself stays as it is."
)
FAST_TEXT = (
    "The fast way has no learning rate to find: each row's step follows from its own curvature."
    "<br><br>Learn <b>as in the lesson</b> to test rates."
)


class RateRange(QWidget):
    """Rates on a logarithmic axis, the loss above; one click takes a rate."""

    test_asked = Signal()
    stop_asked = Signal()
    rate_chosen = Signal(float)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._test: Any = None
        self._is_running = False
        self._applies = True
        self.test_button = self._button("Test", "Raise the rate over 200 batches of a copy")
        self.test_button.clicked.connect(self._on_test)
        self.use_steepest = self._button("", "Take the rate at which the loss falls fastest")
        self.use_steepest.clicked.connect(self._on_steepest)
        self.use_tenth = self._button("", "Take a tenth of the rate at which the loss is lowest")
        self.use_tenth.clicked.connect(self._on_tenth)
        head = QHBoxLayout()
        head.setContentsMargins(SPACE, SPACE // 2, SPACE, SPACE // 2)
        for button in (self.test_button, self.use_steepest, self.use_tenth):
            head.addWidget(button)
        head.addStretch(1)
        self.plot = QuietPlot(self, "learning rate", "loss of the batch, stars²", log_x=True)
        self._raw = self.plot.curve("#888888")
        self._smooth = self.plot.curve("#888888", 2)
        self._marks = [pg.InfiniteLine(angle=90), pg.InfiniteLine(angle=90)]
        self._names = [self.plot.label("", "#888888", (0, 0)) for _ in self._marks]
        for line in self._marks:
            self.plot.addItem(line, ignoreBounds=True)
        self._empty = QLabel(EMPTY_TEXT, self)
        self._empty.setWordWrap(True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setMargin(3 * SPACE)
        self._stack = QStackedWidget(self)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self.plot)
        self.words = QLabel(self)
        self.words.setWordWrap(True)
        self.words.setMargin(SPACE)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self._stack, 1)
        column.addWidget(self.words)
        self.apply_theme()
        self.show_test(None)

    def _button(self, text: str, about: str) -> QToolButton:
        button = QToolButton(self)
        button.setText(text)
        button.setToolTip(about)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    # ------------------------------------------------------------------ showing

    def show_applies(self, applies: bool) -> None:
        """Say whether there is a rate to find: the fast way has none."""
        if applies != self._applies:
            self._applies = applies
            self._empty.setText(EMPTY_TEXT if applies else FAST_TEXT)
            self.show_test(None)

    def show_running(self, running: bool) -> None:
        """Show whether a test is on."""
        self._is_running = running
        self.test_button.setText("Stop" if running else "Test")
        self._retint()
        self._show_buttons()

    def show_test(self, test: Any, error: str = "") -> None:
        """Draw a test, finished or not.

        Parameters
        ----------
        test : RateTest or None
        error : str
            Why there is none.
        """
        self._test = test
        has_curve = test is not None and len(test.rates) > 1
        self._stack.setCurrentWidget(self.plot if has_curve else self._empty)
        if has_curve:
            self._draw()
        self.words.setText(error or self._words_of_test())
        self.words.setVisible(bool(self.words.text()))
        self._show_buttons()

    def _suggestion(self) -> Any:
        return None if self._test is None or self._is_running else self._test.suggestion

    def _show_buttons(self) -> None:
        found = self._suggestion()
        self.test_button.setEnabled(self._applies)
        for button, rate in ((self.use_steepest, found and found.steepest),
                             (self.use_tenth, found and found.tenth_of_lowest)):  # fmt: skip
            button.setVisible(found is not None)
            if found is not None:
                button.setText(f"Use {rate:.2g}")
        if self._test is not None and not self._is_running:
            self.words.setText(self._words_of_test())
            self.words.show()

    def _words_of_test(self) -> str:
        test = self._test
        if test is None:
            return ""
        if self._is_running:
            return f"Rate {test.rates[-1]:.2g}"
        found = test.suggestion
        if found is None:
            return ("The loss never fell, so no rate can be suggested. Begin with another start or "
                    "optimizer, and test again.")  # fmt: skip
        return (
            f"Suggested: {found.steepest:.2g}. There the averaged loss falls fastest for a step "
            f"of the axis, so learning gains most. Safer in a long run: {found.tenth_of_lowest:.2g}"
            ", a tenth of the rate at which the loss is lowest, for there it is about to grow."
        )

    def _draw(self) -> None:
        test = self._test
        x = log10(test.rates)
        found = test.suggestion
        self._raw.setData(x, test.losses)
        smooth = np.empty(0) if found is None else found.smoothed
        self._smooth.setData(x[: len(smooth)], smooth)
        span = finite_range(smooth if len(smooth) else test.losses)
        if span is None:
            return
        low, high = span
        first = float(smooth[0]) if len(smooth) else high
        top = min(high, 1.5 * first) if first > 0 else high
        inner = finite_range(np.asarray(test.losses)[np.asarray(test.losses) < top])
        low = min(low, inner[0]) if inner is not None else low
        room = 0.12 * (top - low)
        self.plot.show_range((float(x[0]), float(x[-1])), (max(0.0, low - room), top + room))
        rates = () if found is None else (found.steepest, found.tenth_of_lowest)
        texts = ("steepest", "a tenth of the lowest")
        for i, (line, name) in enumerate(zip(self._marks, self._names, strict=True)):
            line.setVisible(i < len(rates))
            name.setVisible(i < len(rates))
            if i < len(rates):
                at = float(np.log10(rates[i]))
                line.setPos(at)
                name.setText(f"{texts[i]} {rates[i]:.2g}")
                name.setPos(at, top + room * (0.9 - 0.75 * i))
                name.setAnchor((1 if at > 0.5 * (x[0] + x[-1]) else 0, 0))

    # ------------------------------------------------------------------ what the user does

    def _on_test(self) -> None:
        (self.stop_asked if self._is_running else self.test_asked).emit()

    def _on_steepest(self) -> None:
        if self._suggestion() is not None:
            self.rate_chosen.emit(self._test.suggestion.steepest)

    def _on_tenth(self) -> None:
        if self._suggestion() is not None:
            self.rate_chosen.emit(self._test.suggestion.tenth_of_lowest)

    # ------------------------------------------------------------------ look

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "words"):
            self.apply_theme()

    def _retint(self) -> None:
        self.test_button.setIcon(icons.icon("square" if self._is_running else "gauge"))

    def apply_theme(self) -> None:
        """Paint with the theme that is on."""
        theme = current_theme()
        self._retint()
        self.plot.apply_theme()
        loss = theme.role_colour("loss")
        self._raw.setPen(pg.mkPen(blend(theme.sheet, loss, 0.35), width=1))
        self._smooth.setPen(pg.mkPen(loss, width=2))
        for line, name, colour in zip(
            self._marks, self._names, (theme.accent, theme.strong_lines), strict=True
        ):
            line.setPen(pg.mkPen(colour, width=2))
            name.setColor(theme.text)
        set_style(self._empty, f"QLabel {{ color: {theme.muted}; background: {theme.sheet}; }}")
