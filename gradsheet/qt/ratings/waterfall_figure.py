"""A prediction as the sum of its parts: each bar begins where the one before it ends.

Owns the drawing. Knows parts with labels, no model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QWidget

from gradsheet.qt.theme import current_theme, px, ui_font
from gradsheet.qt.widgets.column_table import Column
from gradsheet.qt.widgets.figure import Figure

if TYPE_CHECKING:
    from gradsheet.app.ratings.newcomer import Part

LINE_PX = 19
TEXT_PX = 12


class WaterfallFigure(Figure):
    """Parts from top to bottom, the prediction last."""

    room_changed = Signal()
    """There is room for more lines, or fewer."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, "What the prediction is made of")
        self.setMinimumHeight(round(px(5 * LINE_PX)))
        self._parts: tuple[Part, ...] = ()
        self._whole: tuple[Part, ...] = ()
        self._prediction = 0.0

    @property
    def lines(self) -> int:
        """How many parts there is room for."""
        return max(4, int(self.height() / px(LINE_PX)) - 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Ask for as many lines as there is room for."""
        super().resizeEvent(event)
        if event.oldSize().height() != event.size().height():
            self.room_changed.emit()

    def show_parts(
        self, parts: Sequence[Part], whole: Sequence[Part], prediction: float
    ) -> None:
        """Draw parts; the table has ``whole``, each factor by itself."""
        self._parts, self._whole, self._prediction = tuple(parts), tuple(whole), prediction
        said = ", ".join(f"{p.label} {p.stars:+.2f}" for p in parts)
        self.setAccessibleDescription(f"{said}: {prediction:.2f}")
        self.update()

    def columns(self) -> Sequence[Column]:
        """Return every part: its label, what it was multiplied from, and stars."""
        parts = self._whole
        stars = [p.stars for p in parts]
        return (
            Column("part", [p.label for p in parts]),
            Column("from", [p.note for p in parts]),
            Column("stars", stars, lambda v: f"{v:+.6f}", True, "They sum to the prediction"),
            Column("sum", np.cumsum(stars) if stars else [], lambda v: f"{v:.6f}", True,
                   "Of this part and those above it"),
        )  # fmt: skip

    def draw(self, painter: QPainter, box: QRectF) -> None:
        """Draw a line for each part."""
        if not self._parts:
            return
        theme = current_theme()
        metrics = QFontMetrics(ui_font(TEXT_PX))
        names = min(max(metrics.horizontalAdvance(p.label) for p in self._parts) + px(20),
                    box.width() * 0.42)  # fmt: skip
        figure = metrics.horizontalAdvance("+0.000") + px(14)
        plot = QRectF(names, 0, max(box.width() - names - figure, px(40)), box.height())
        ends = np.cumsum([p.stars for p in self._parts])
        begins = ends - np.array([p.stars for p in self._parts])
        begins[0] = ends[0]  # the first is where it all begins, and no step
        low, high = float(min(ends.min(), begins.min())), float(max(ends.max(), begins.max()))
        margin = max(0.06 * (high - low), 0.02)
        low, high = low - margin, high + margin

        def across(stars: float) -> float:
            return plot.left() + (stars - low) / (high - low) * plot.width()

        height = px(LINE_PX)
        for k, part in enumerate(self._parts):
            y = k * height
            self._write(painter, part.label, f"{part.stars:+.3f}", y, names, box, is_bold=False)
            first, last = across(float(begins[k])), across(float(ends[k]))
            if k == 0:
                painter.setPen(QPen(QColor(theme.muted), px(2)))
                painter.drawLine(QPointF(last, y + 3), QPointF(last, y + height - 2))
                continue
            painter.setPen(QPen(QColor(theme.strong_lines), 1))
            painter.drawLine(QPointF(first, y - 3), QPointF(first, y + 4))
            colour = theme.role_colour("data" if part.stars >= 0 else "loss")
            bar = QRectF(min(first, last), y + 3, max(abs(last - first), 1.0), height - 6)
            painter.fillRect(bar, QColor(colour))
        y = len(self._parts) * height
        end = across(float(ends[-1]))
        painter.setPen(QPen(QColor(theme.role_colour("prediction")), px(3)))
        painter.drawLine(QPointF(end, y + 2), QPointF(end, y + height - 2))
        self._write(painter, "= prediction", f"{self._prediction:.3f}", y, names, box, is_bold=True)

    @staticmethod
    def _write(
        painter: QPainter, label: str, number: str, y: float, names: float, box: QRectF,
        *, is_bold: bool,
    ) -> None:  # fmt: skip
        font = ui_font(TEXT_PX)
        font.setBold(is_bold)
        painter.setFont(font)
        painter.setPen(QColor(current_theme().text))
        middle = Qt.AlignmentFlag.AlignVCenter
        height = px(LINE_PX)
        text = painter.fontMetrics().elidedText(
            label, Qt.TextElideMode.ElideRight, int(names - px(14))
        )
        painter.drawText(QRectF(px(8), y, names - px(12), height), int(middle), text)
        place = QRectF(box.left(), y, box.width() - px(8), height)
        painter.drawText(place, int(middle | Qt.AlignmentFlag.AlignRight), number)
