"""The run as a line of time: a slider over its steps with marks, back and forth, to the best.

Owns its widgets. It is told a `RunView` and asks the document for a step; the record of the run
is the document's. Where only some steps are kept, the ends of epochs, it is a slider over those.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QAction, QFontMetrics
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from gradsheet.qt.theme import SPACE
from gradsheet.qt.widgets.figures import count_text
from gradsheet.qt.widgets.marked_slider import ABOUT, MarkedSlider

if TYPE_CHECKING:
    from gradsheet.app.document import Document
    from gradsheet.app.run import RunView
    from gradsheet.app.timeline import Mark

BUTTONS_LEFT = ("train.first", "train.play_back", "train.back")
BUTTONS_RIGHT = ("train.phase", "train.last", "train.best")
MARKS_S = 0.5
"""The marks of a run that is on are looked for this often."""
ABOUT_EPOCHS = "Drag to see the model as each epoch left it; learning goes on from there"
PAGE = 100
WIDEST = f"step {count_text(88_888_888)} of {count_text(88_888_888)}"
WIDEST_EPOCH = "epoch 888 of 888"
MOST_STEPS = 2**31 - 1
"""A Qt slider counts in 32 bits."""


class TimeBar(QWidget):
    """Goes through the steps of a run; nothing to do before the first step.

    Parameters
    ----------
    document : Document
    actions : mapping of str to QAction
        By command id; the buttons are theirs.
    parent : QWidget
    """

    def __init__(
        self, document: Document, actions: Mapping[str, QAction], parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._marked_at = 0.0
        self._ticks: tuple[int, ...] = ()
        """The steps that the slider counts; empty: all."""
        self.slider = MarkedSlider(self)
        self.slider.setAccessibleName("Step of the run")
        self.slider.setPageStep(PAGE)
        self.slider.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.slider.valueChanged.connect(self._on_moved)
        self._place = QLabel(self)
        self._place.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._give_room(WIDEST)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE, 0, SPACE, 0)
        row.setSpacing(SPACE // 2)
        self.buttons: dict[str, QToolButton] = {}
        for name in BUTTONS_LEFT:
            row.addWidget(self._button(name, actions[name]))
        row.addWidget(self.slider, 1)
        for name in BUTTONS_RIGHT:
            row.addWidget(self._button(name, actions[name]))
        row.addWidget(self._place)
        self.show_run(document.run_view())

    def _button(self, name: str, action: QAction) -> QToolButton:
        button = QToolButton(self)
        button.setDefaultAction(action)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        button.setAutoRaise(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.buttons[name] = button
        return button

    def show_run(self, run: RunView) -> None:
        """Stand where the run stands."""
        first, last, at = run.first_step, min(run.last_step, MOST_STEPS), run.step
        self._count(run.ticks)
        if run.ticks:
            first, last, at = 0, len(run.ticks) - 1, bisect_right(run.ticks, run.step) - 1
        with QSignalBlocker(self.slider):
            self.slider.setRange(first, max(first, last))
            if not self.slider.isSliderDown():
                self.slider.setValue(min(at, MOST_STEPS))
        self.slider.setEnabled(last > first)
        now = time.monotonic()
        if run.state != "running" or now - self._marked_at > MARKS_S:
            self._marked_at = now
            self.slider.show_marks([self._placed(mark) for mark in self._document.marks()])
        if run.ticks:
            text = run.place
        elif last > run.step:
            text = f"step {count_text(run.step)} of {count_text(last)}"
        elif last > first:
            text = f"step {count_text(run.step)}"
        else:
            text = ""
        self._place.setText(text)

    def _count(self, ticks: tuple[int, ...]) -> None:
        """Count these steps, or (none) each."""
        if bool(ticks) != bool(self._ticks):
            self._give_room(WIDEST_EPOCH if ticks else WIDEST)
            self.buttons["train.phase"].setVisible(not ticks)
            self.slider.setPageStep(1 if ticks else PAGE)
            self.slider.about = ABOUT_EPOCHS if ticks else ABOUT
        self._ticks = ticks

    def _give_room(self, widest: str) -> None:
        """Let the label have room, so that the slider keeps its length while numbers change."""
        self._place.setMinimumWidth(QFontMetrics(self.font()).horizontalAdvance(widest))

    def _placed(self, mark: Mark) -> Mark:
        """Return a mark where the slider has its step."""
        if not self._ticks:
            return mark
        return replace(mark, step=bisect_right(self._ticks, mark.step) - 1)

    def _on_moved(self, place: int) -> None:
        self._document.seek_run(self._ticks[place] if self._ticks else place)
