"""The loss curve painted on anything, as far as a step: for pictures without a window.

Owns its drawing with a plain painter. Touches no widget, so that it may be called on any thread.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from gradsheet.qt.theme import Theme, ui_font

Floats = npt.NDArray[np.float64]

TEXT_PX = 12
_MOST_POINTS = 4000


@dataclass(frozen=True, slots=True, eq=False)
class LossCurve:
    """Losses over steps.

    Attributes
    ----------
    steps, losses : ndarray (n,)
    name : str
        What the loss is called.
    is_log : bool
        Whether equal distances are equal ratios.
    """

    steps: Floats
    losses: Floats
    name: str
    is_log: bool = False

    def paint(self, painter: QPainter, box: QRectF, theme: Theme, until: float | None = None
              ) -> None:  # fmt: skip
        """Draw it into a box, the axes for the whole run and the line up to a step."""
        painter.save()
        painter.fillRect(box, QColor(theme.sheet))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = ui_font(TEXT_PX, is_scaled=False)
        painter.setFont(font)
        metrics = QFontMetricsF(font)
        steps, heights = self._points()
        if not len(steps):
            painter.setPen(QColor(theme.muted))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, "Nothing has been run yet")
            painter.restore()
            return
        low, high = float(heights.min()), float(heights.max())
        if high - low < 1e-12 * max(1.0, abs(high)):
            low, high = low - 0.5, high + 0.5
        ticks = _ticks(low, high, self.is_log)
        labels = [_text(10**t if self.is_log else t) for t in ticks]
        left = box.left() + max(metrics.horizontalAdvance(t) for t in labels) + 20
        here = float(steps[-1]) if until is None else until
        last_text = f"{self.name} {_text(self._value_at(until))}, step {here:,.0f}"
        right = box.right() - metrics.horizontalAdvance(f"{last_text}00") - 20
        area = QRectF(QPointF(left, box.top() + 20), QPointF(right, box.bottom() - 40))
        first, last = float(steps[0]), max(float(steps[-1]), float(steps[0]) + 1)

        def at(step: float, height: float) -> QPointF:
            x = area.left() + (step - first) / (last - first) * area.width()
            return QPointF(x, area.bottom() - (height - low) / (high - low) * area.height())

        self._axes(painter, area, theme, metrics, at, ticks, labels, (first, last))
        shown = steps <= (last if until is None else until)
        line = QPolygonF([at(s, h) for s, h in zip(steps[shown].tolist(), heights[shown].tolist(),
                                                   strict=True)])  # fmt: skip
        painter.setPen(QPen(QColor(theme.accent), 1.6))
        painter.drawPolyline(line)
        if line:
            end = line[-1]
            painter.setBrush(QColor(theme.accent))
            painter.drawEllipse(end, 3, 3)
            painter.setPen(QColor(theme.text))
            painter.drawText(QPointF(end.x() + 8, end.y() + metrics.ascent() / 2 - 1), last_text)
        painter.restore()

    def _axes(self, painter: QPainter, area: QRectF, theme: Theme, metrics: QFontMetricsF,
              at: object, ticks: list[float], labels: list[str], span: tuple[float, float]
              ) -> None:  # fmt: skip
        for tick, label in zip(ticks, labels, strict=True):
            y = at(span[0], tick).y()  # type: ignore[operator]
            painter.setPen(QPen(QColor(theme.lines), 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(QColor(theme.muted))
            painter.drawText(QPointF(area.left() - 8 - metrics.horizontalAdvance(label),
                                     y + metrics.ascent() / 2 - 1), label)  # fmt: skip
        base = area.bottom() + metrics.height() + 4
        for step, share in ((span[0], 0.0), (span[1], 1.0)):
            text = f"{step:,.0f}"
            x = at(step, ticks[0]).x() - share * metrics.horizontalAdvance(text)  # type: ignore[operator]
            painter.drawText(QPointF(x, base), text)
        title = "step"
        x = area.center().x() - metrics.horizontalAdvance(title) / 2
        painter.drawText(QPointF(x, base), title)

    def _points(self) -> tuple[Floats, Floats]:
        good = np.isfinite(self.losses) & ((self.losses > 0) | (not self.is_log))
        steps, heights = self.steps[good].astype(np.float64), self.losses[good]
        every = -(-len(steps) // _MOST_POINTS)
        if every > 1:
            kept = np.unique(np.append(np.arange(0, len(steps), every), len(steps) - 1))
            steps, heights = steps[kept], heights[kept]
        return steps, np.log10(heights) if self.is_log else heights

    def _value_at(self, until: float | None) -> float:
        shown = self.losses if until is None else self.losses[self.steps <= until]
        return float(shown[-1]) if len(shown) else math.nan


def _ticks(low: float, high: float, is_log: bool) -> list[float]:
    """Return four or so round numbers between two."""
    if is_log and high - low >= 1.5:
        every = max(1, math.ceil((high - low) / 5))
        whole = range(math.ceil(low), math.floor(high) + 1)
        return [float(t) for t in whole if t % every == 0] or [low, high]
    raw = (high - low) / 4
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(m * unit for m in (1, 2, 5, 10) if m * unit >= raw)
    found = [i * step for i in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return found or [low, high]


def _text(value: float) -> str:
    return f"{value:.4g}"
