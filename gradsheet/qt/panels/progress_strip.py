"""Long work in the status bar: what is done, how long it still takes, and Cancel.

Owns the widgets. It is told a `Progress` and says `cancelled`.
"""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QToolButton, QWidget

from gradsheet.qt.theme import SPACE
from gradsheet.qt.widgets.figures import duration_text
from gradsheet.tasks import Progress

PARTS = 1000


class ProgressStrip(QWidget):
    """Hidden until there is progress to show."""

    cancelled = Signal()
    """The user wants the work to stop."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._text = QLabel(self)
        self._bar = QProgressBar(self)
        self._bar.setRange(0, PARTS)
        self._bar.setTextVisible(False)
        self._bar.setFixedSize(20 * SPACE, SPACE)
        self._left = QLabel(self)
        widest = duration_text(88.0)
        self._left.setFixedWidth(QFontMetrics(self.font()).horizontalAdvance(widest) + SPACE)
        self._cancel = QToolButton(self)
        self._cancel.setText("Cancel")
        self._cancel.setToolTip("Stop this; everything stays as it was")
        self._cancel.clicked.connect(self._on_cancel)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE, 0, SPACE, 0)
        row.setSpacing(SPACE)
        for widget in (self._text, self._bar, self._left, self._cancel):
            row.addWidget(widget)
        self.setAccessibleName("Progress")
        self.hide()

    def show_progress(self, progress: Progress | None) -> None:
        """Show how far the work is; None hides the strip."""
        if progress is None:
            self.hide()
            return
        self._text.setText(progress.text)
        if progress.fraction is None:
            self._bar.setRange(0, 0)
        else:
            self._bar.setRange(0, PARTS)
            self._bar.setValue(round(progress.fraction * PARTS))
        self._left.setText(duration_text(progress.remaining_s))
        self._cancel.setEnabled(True)
        self.setAccessibleDescription(f"{progress.text} {self._left.text()}")
        self.show()

    @property
    def cancel_button(self) -> QToolButton:
        """The button that stops the work."""
        return self._cancel

    def _on_cancel(self) -> None:
        self._cancel.setEnabled(False)
        self.cancelled.emit()
