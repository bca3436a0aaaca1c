"""A slider over the steps of a run, with marks where something happened.

Owns the painting of the marks and what is said of one that the mouse is at. Which steps have a
mark is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent, QPolygonF
from PySide6.QtWidgets import QSlider, QStyle, QStyleOptionSlider, QToolTip, QWidget

from gradsheet.qt.theme import current_theme

if TYPE_CHECKING:
    from gradsheet.app.timeline import Mark

NEAR_PX = 6
SIZE_PX = 4.5
ROOM_PX = 8
"""Below the handle, for the marks; as much above, so that the groove stays in the middle."""
ABOUT = "Drag to see the run at any of its steps, exactly as it was"


class MarkedSlider(QSlider):
    """A horizontal slider; each kind of mark has a colour and a form of its own.

    A star's place is a triangle from below (best), a branch a diamond, a change a bar, a failure
    a cross.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._marks: tuple[Mark, ...] = ()
        self.about = ABOUT
        """What is said where there is no mark."""
        self.setToolTip(ABOUT)
        self.setMinimumHeight(self.sizeHint().height() + ROOM_PX)

    @property
    def marks(self) -> tuple[Mark, ...]:
        """The marks, by step."""
        return self._marks

    def show_marks(self, marks: Sequence[Mark]) -> None:
        """Show these marks."""
        if tuple(marks) != self._marks:
            self._marks = tuple(marks)
            self.update()

    def place_of(self, step: int) -> float:
        """Return where a step lies, in pixels from the left: where the handle's middle would be."""
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        style, slider = self.style(), QStyle.ComplexControl.CC_Slider
        groove = style.subControlRect(slider, option, QStyle.SubControl.SC_SliderGroove, self)
        handle = style.subControlRect(slider, option, QStyle.SubControl.SC_SliderHandle, self)
        span = groove.width() - handle.width()
        steps = max(1, self.maximum() - self.minimum())
        return groove.left() + handle.width() / 2 + span * (step - self.minimum()) / steps

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the slider, then the marks below it."""
        super().paintEvent(event)
        if not self._marks or not self.isEnabled():
            return
        theme = current_theme()
        colours = {
            "branch": theme.accent, "change": theme.muted,
            "best": theme.role_colour("item"), "failure": theme.error,
        }  # fmt: skip
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(Qt.PenStyle.NoPen)
        taken: set[tuple[str, int]] = set()
        for mark in self._marks:
            if not self.minimum() <= mark.step <= self.maximum():
                continue
            x = self.place_of(mark.step)
            if (mark.kind, round(x / 2)) in taken:  # a slider that was turned makes many changes
                continue
            taken.add((mark.kind, round(x / 2)))
            painter.setBrush(QColor(colours[mark.kind]))
            painter.drawPolygon(_form(mark.kind, x, self.height() - SIZE_PX - 0.5))
        painter.end()

    def event(self, event: QEvent) -> bool:
        """Say what a mark means where the mouse is at one."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            said = self.text_at(event.pos().x())
            QToolTip.showText(event.globalPos(), said or self.about, self)
            return True
        return super().event(event)

    def text_at(self, x: float) -> str:
        """Return what the marks near a place mean; empty where there is none."""
        near = [mark for mark in self._marks if abs(self.place_of(mark.step) - x) <= NEAR_PX]
        near.sort(key=lambda mark: abs(self.place_of(mark.step) - x))
        return "<br>".join(mark.text for mark in near[:4])


def _form(kind: str, x: float, y: float) -> QPolygonF:
    """Return the outline of a mark around its middle."""
    s = SIZE_PX
    if kind == "branch":
        corners = [(0, -s), (s, 0), (0, s), (-s, 0)]
    elif kind == "best":
        corners = [(0, -s), (s, s), (-s, s)]
    elif kind == "change":
        corners = [(-0.8, -s), (0.8, -s), (0.8, s), (-0.8, s)]
    else:
        t = s * 0.35
        corners = [
            (-s, -s + t), (-s + t, -s), (0, -t), (s - t, -s), (s, -s + t), (t, 0),
            (s, s - t), (s - t, s), (0, t), (-s + t, s), (-s, s - t), (-t, 0),
        ]  # fmt: skip
    return QPolygonF([QPointF(x + dx, y + dy) for dx, dy in corners])
