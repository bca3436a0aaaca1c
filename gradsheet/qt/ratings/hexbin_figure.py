"""Predictions against ratings as hexagons, with the counts of both along the edges.

Owns the drawing and what the mouse says over it. Knows a table of counts, no model.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QMouseEvent, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QToolTip, QWidget

from gradsheet.collab.evaluate import Hexbin
from gradsheet.qt.theme import blend, current_theme, px, ui_font
from gradsheet.qt.widgets.column_table import Column
from gradsheet.qt.widgets.figure import Figure

TICK_PX = 12
LEGEND_PX = 186
"""Room for the legend at the right, where the figure is wide."""
MOST_WIDE = 1.5
"""Stars across may be longer than stars up, so that a low figure is no small one."""
SHADES = 7
"""Steps of the colour scale: more cannot be told apart on a projector."""


class HexbinFigure(Figure):
    """Hexagons standing on a side, a column of them for each rating that is a step."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, "Predictions against ratings")
        self.setMinimumSize(220, 220)
        self._cells: Hexbin | None = None
        self._plot = QRectF()
        self._is_wide = False

    def show_cells(self, cells: Hexbin) -> None:
        """Draw other counts; its ``x`` is the prediction, ``y`` the rating."""
        self._cells = cells
        self.setAccessibleDescription(
            f"{int(cells.counts.sum()):,} ratings in {len(cells.counts)} hexagons; "
            "the table gives the counts."
        )
        self.update()

    def columns(self) -> Sequence[Column]:
        """Return rating, prediction and count of each hexagon."""
        cells = self._cells
        if cells is None:
            return ()
        return (
            Column("rating", cells.y, lambda v: f"{v:.2f}", True, "Middle of the hexagon"),
            Column("prediction", cells.x, lambda v: f"{v:.2f}", True, "Middle of the hexagon"),
            Column("ratings", cells.counts, lambda v: f"{int(v):,}", True,
                   "Ratings in the hexagon"),
        )  # fmt: skip

    # ------------------------------------------------------------------ drawing

    def draw(self, painter: QPainter, box: QRectF) -> None:
        """Draw hexagons, diagonal, axes, margins and the colour scale."""
        cells = self._cells
        if cells is None or not len(cells.counts):
            return
        self._lay_out(box)
        self._draw_grid(painter, cells)
        self._draw_hexagons(painter, cells)
        self._draw_diagonal(painter, cells)
        self._draw_margins(painter, cells)
        self._draw_titles(painter, box)
        self._draw_scale(painter, cells, box)

    def _lay_out(self, box: QRectF) -> None:
        left, top, right = px(54), px(46), px(48)
        self._is_wide = box.width() > box.height() + px(120)
        bottom = px(42) if self._is_wide else px(86)
        right += px(LEGEND_PX) if self._is_wide else 0
        room, high = box.width() - left - right, max(box.height() - top - bottom, 40.0)
        wide = max(min(room, MOST_WIDE * high), 40.0)
        high = min(high, wide)
        x = left + max(0.0, (room - wide) / 2)
        self._plot = QRectF(x, top, wide, high)

    def _span(self, cells: Hexbin) -> tuple[float, float]:
        """Return what both axes go over: the range, and half a hexagon more on both sides."""
        margin = cells.width
        return float(cells.x_edges[0]) - margin, float(cells.x_edges[-1]) + margin

    def _place(self, cells: Hexbin, rating: float, predicted: float) -> QPointF:
        low, high = self._span(cells)
        plot = self._plot
        return QPointF(
            plot.left() + (rating - low) / (high - low) * plot.width(),
            plot.bottom() - (predicted - low) / (high - low) * plot.height(),
        )

    def _ticks(self, cells: Hexbin) -> list[float]:
        low, high = float(cells.x_edges[0]), float(cells.x_edges[-1])
        step = next((s for s in (0.5, 1.0, 2.0, 5.0, 10.0, 20.0) if (high - low) / s <= 6), None)
        step = step or (high - low) / 5
        first = math.ceil(low / step - 1e-9)
        return [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)]

    def _draw_grid(self, painter: QPainter, cells: Hexbin) -> None:
        theme, plot = current_theme(), self._plot
        painter.setFont(ui_font(TICK_PX))
        for value in self._ticks(cells):
            here = self._place(cells, value, value)
            painter.setPen(QPen(QColor(theme.lines), 1))
            painter.drawLine(QPointF(here.x(), plot.top()), QPointF(here.x(), plot.bottom()))
            painter.drawLine(QPointF(plot.left(), here.y()), QPointF(plot.right(), here.y()))
            painter.setPen(QColor(theme.muted))
            text = f"{value:g}"
            below = QRectF(here.x() - px(30), plot.bottom() + px(3), px(60), px(18))
            painter.drawText(below, int(Qt.AlignmentFlag.AlignCenter), text)
            beside = QRectF(plot.left() - px(40), here.y() - px(9), px(34), px(18))
            align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(beside, int(align), text)

    def _shade(self, count: float, most: float) -> QColor:
        theme = current_theme()
        share = math.log1p(count) / math.log1p(most) if most > 0 else 0.0
        step = math.ceil(share * SHADES) / SHADES
        strong = "#7FC4F0" if theme.is_dark else "#003E63"
        return QColor(blend(theme.sheet, strong, 0.10 + 0.90 * step))

    def _draw_hexagons(self, painter: QPainter, cells: Hexbin) -> None:
        low, high = self._span(cells)
        across = self._plot.width() / (high - low)
        up = self._plot.height() / (high - low)
        # x is the prediction: the corners of a hexagon lie to its left and right.
        radius = cells.width / 2 / math.cos(math.pi / 6)
        corners = [(radius * math.cos(a) * across, radius * math.sin(a) * up)
                   for a in (k * math.pi / 3 for k in range(6))]  # fmt: skip
        most = float(cells.counts.max())
        painter.setPen(QPen(QColor(current_theme().sheet), 1))
        for x, y, count in zip(cells.x, cells.y, cells.counts, strict=True):
            here = self._place(cells, float(y), float(x))
            painter.setBrush(self._shade(float(count), most))
            painter.drawPolygon(
                QPolygonF([QPointF(here.x() + dx, here.y() + dy) for dx, dy in corners])
            )

    def _draw_diagonal(self, painter: QPainter, cells: Hexbin) -> None:
        theme = current_theme()
        low, high = self._span(cells)
        pen = QPen(QColor(theme.role_colour("loss")), px(1.5))
        pen.setDashPattern([4, 3])
        painter.setPen(pen)
        painter.drawLine(self._place(cells, low, low), self._place(cells, high, high))

    def _draw_margins(self, painter: QPainter, cells: Hexbin) -> None:
        """Draw the histogram of ratings above and that of predictions at the right."""
        theme, plot = current_theme(), self._plot
        room = px(36)
        painter.setPen(Qt.PenStyle.NoPen)
        # In the cells x is the prediction and y the rating; the figure has ratings across.
        for edges, counts, role, is_above in (
            (cells.y_edges, cells.y_counts, "data", True),
            (cells.x_edges, cells.x_counts, "prediction", False),
        ):
            most = max(int(counts.max()), 1)
            painter.setBrush(QColor(theme.role_colour(role)))
            for k in np.flatnonzero(counts):
                length = room * counts[k] / most
                first = self._place(cells, float(edges[k]), float(edges[k]))
                last = self._place(cells, float(edges[k + 1]), float(edges[k + 1]))
                if is_above:
                    painter.drawRect(QRectF(first.x(), plot.top() - px(2) - length,
                                            max(last.x() - first.x() - 1, 1), length))  # fmt: skip
                else:
                    painter.drawRect(QRectF(plot.right() + px(2), last.y(), length,
                                            max(first.y() - last.y() - 1, 1)))  # fmt: skip

    def _draw_titles(self, painter: QPainter, box: QRectF) -> None:
        theme, plot = current_theme(), self._plot
        painter.setFont(ui_font(TICK_PX))
        painter.setPen(QColor(theme.muted))
        below = QRectF(plot.center().x() - px(90), plot.bottom() + px(20), px(180), px(18))
        painter.drawText(below, int(Qt.AlignmentFlag.AlignCenter), "actual rating, stars")
        painter.save()
        painter.translate(plot.left() - px(44), plot.center().y())
        painter.rotate(-90)
        across = QRectF(-px(90), -px(9), px(180), px(18))
        painter.drawText(across, int(Qt.AlignmentFlag.AlignCenter), "prediction, stars")
        painter.restore()

    def _draw_scale(self, painter: QPainter, cells: Hexbin, box: QRectF) -> None:
        """Draw what the shades mean: one hexagon's count, logarithmic."""
        theme, plot = current_theme(), self._plot
        most = float(cells.counts.max())
        painter.setFont(ui_font(TICK_PX))
        metrics = QFontMetrics(ui_font(TICK_PX))
        left_text, right_text = "1", f"{int(most):,} in a hexagon, log scale"
        swatch, height = px(16), px(10)
        begin = plot.right() + px(52) if self._is_wide else plot.left()
        y = plot.top() if self._is_wide else plot.bottom() + px(44)
        end = begin + metrics.horizontalAdvance(left_text) + px(6)
        x = end
        painter.setPen(QColor(theme.muted))
        painter.drawText(QPointF(begin, y + height), left_text)
        for k in range(1, SHADES + 1):
            count = math.expm1(math.log1p(most) * (k - 0.5) / SHADES)
            painter.fillRect(QRectF(x, y, swatch, height), self._shade(count, most))
            x += swatch
        if self._is_wide:  # below the shades, in two lines: the room is narrow
            painter.drawText(QPointF(x + px(6), y + height), f"{int(most):,}")
            y += px(18)
            painter.drawText(QPointF(begin, y + height), "ratings in a hexagon, log scale")
            y += px(24)
        else:
            painter.drawText(QPointF(x + px(6), y + height), right_text)
            y += px(20)
        pen = QPen(QColor(theme.role_colour("loss")), px(1.5))
        pen.setDashPattern([4, 3])
        painter.setPen(pen)
        painter.drawLine(QPointF(begin, y + height / 2), QPointF(end + 3 * swatch,
                                                                       y + height / 2))
        painter.setPen(QColor(theme.muted))
        painter.drawText(QPointF(end + 3 * swatch + px(6), y + height), "prediction = rating")

    # ------------------------------------------------------------------ the mouse

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Say how many ratings the hexagon under the mouse holds."""
        cells = self._cells
        if cells is None or not len(cells.counts) or not self._plot.contains(event.position()):
            QToolTip.hideText()
            return
        low, high = self._span(cells)
        across = (event.position().x() - self._plot.left()) / self._plot.width()
        up = (self._plot.bottom() - event.position().y()) / self._plot.height()
        rating, predicted = low + across * (high - low), low + up * (high - low)
        far = (cells.y - rating) ** 2 + (cells.x - predicted) ** 2
        nearest = int(np.argmin(far))
        if far[nearest] > (cells.width * 0.6) ** 2:
            QToolTip.hideText()
            return
        text = (
            f"rated about {cells.y[nearest]:.2f}, predicted about {cells.x[nearest]:.2f}: "
            f"{int(cells.counts[nearest]):,} ratings"
        )
        QToolTip.showText(event.globalPosition().toPoint(), text, self)
