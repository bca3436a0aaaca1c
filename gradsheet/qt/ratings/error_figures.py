"""Errors as bars: the model beside the simple predictions, and by how often items were rated.

Owns the drawing. Knows numbers with names, no model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QToolTip, QWidget

from gradsheet.collab.evaluate import PopularityBand
from gradsheet.qt.theme import blend, current_theme, px, ui_font
from gradsheet.qt.widgets.column_table import Column
from gradsheet.qt.widgets.figure import Figure

TICK_PX = 12


@dataclass(frozen=True, slots=True)
class NamedError:
    """A prediction and its errors, in stars; ``is_model`` sets the model apart."""

    name: str
    about: str
    rmse: float
    mae: float
    is_model: bool = False


class BaselineFigure(Figure):
    """One bar a prediction, from 0, the numbers beside it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, "Baselines beside the model")
        self._rows: tuple[NamedError, ...] = ()

    def show_rows(self, rows: Sequence[NamedError]) -> None:
        """Draw other errors, in this order."""
        self._rows = tuple(rows)
        self.setMinimumHeight(round(px(22 * len(rows) + 30)))
        said = "; ".join(f"{r.name} RMSE {r.rmse:.4f}" for r in rows)
        self.setAccessibleDescription(said)
        self.update()

    def columns(self) -> Sequence[Column]:
        """Return name, RMSE and MAE."""
        rows = self._rows
        return (
            Column("prediction", [r.name for r in rows]),
            Column("RMSE", [r.rmse for r in rows], lambda v: f"{v:.4f}", True,
                   "Root of the mean squared error, stars"),
            Column("MAE", [r.mae for r in rows], lambda v: f"{v:.4f}", True,
                   "Mean absolute error, stars"),
        )  # fmt: skip

    def draw(self, painter: QPainter, box: QRectF) -> None:
        """Draw a line for each prediction."""
        if not self._rows:
            return
        theme = current_theme()
        metrics = QFontMetrics(ui_font())
        names = max(metrics.horizontalAdvance(row.name) for row in self._rows) + px(16)
        figures = metrics.horizontalAdvance("0.0000") + px(16)
        left = names
        room = max(box.width() - left - 2 * figures - px(8), px(20))
        most = max(row.rmse for row in self._rows)
        height = min(px(26), max(px(18), (box.height() - px(24)) / len(self._rows)))
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setFont(ui_font(TICK_PX))
        painter.setPen(QColor(theme.muted))
        right = middle | Qt.AlignmentFlag.AlignRight
        for k, title in enumerate(("RMSE", "MAE")):
            head = QRectF(left + room + k * figures, 0, figures - px(4), px(22))
            painter.drawText(head, int(right), title)
        for k, row in enumerate(self._rows):
            y = px(22) + k * height
            role = "prediction" if row.is_model else ""
            colour = theme.role_colour(role) if role else blend(theme.sheet, theme.muted, 0.45)
            painter.fillRect(QRectF(left, y + 3, room * row.rmse / most, height - 6),
                             QColor(colour))  # fmt: skip
            font = ui_font()
            font.setBold(row.is_model)
            painter.setFont(font)
            painter.setPen(QColor(theme.text))
            painter.drawText(QRectF(px(8), y, names, height), int(middle), row.name)
            for j, value in enumerate((row.rmse, row.mae)):
                place = QRectF(left + room + j * figures, y, figures - px(4), height)
                painter.drawText(place, int(right), f"{value:.4f}")

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Say how a baseline predicts."""
        if not self._rows:
            return
        height = min(px(26), max(px(18), (self.height() - px(24)) / len(self._rows)))
        k = int((event.position().y() - px(22)) // height)
        if 0 <= k < len(self._rows):
            text = f"{self._rows[k].name}: {self._rows[k].about}"
            QToolTip.showText(event.globalPosition().toPoint(), text, self)
        else:
            QToolTip.hideText()


def band_text(band: PopularityBand) -> str:
    """Return the counts of a band: "0", "1", "2–3"."""
    return f"{band.low}" if band.low == band.high else f"{band.low}–{band.high}"


class PopularityFigure(Figure):
    """RMSE by how often an item was rated: the model as bars, biases alone as lines over them."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, "Error by popularity")
        self.setMinimumSize(220, 160)
        self._bands: tuple[PopularityBand, ...] = ()
        self._simple: tuple[PopularityBand, ...] = ()
        self._plot = QRectF()

    def show_bands(
        self, bands: Sequence[PopularityBand], simple: Sequence[PopularityBand]
    ) -> None:
        """Draw other errors; both in the same bands."""
        self._bands, self._simple = tuple(bands), tuple(simple)
        said = "; ".join(f"{band_text(b)} ratings: {b.errors.rmse:.4f}" for b in bands)
        self.setAccessibleDescription(said)
        self.update()

    def columns(self) -> Sequence[Column]:
        """Return band, ratings judged, and errors."""
        bands, simple = self._bands, self._simple
        return (
            Column("item's ratings", [b.low for b in bands],
                   lambda low: next(band_text(b) for b in bands if b.low == low), True,
                   "How often the item was rated in the training part"),
            Column("judged", [b.errors.count for b in bands], lambda v: f"{v:,}", True,
                   "Ratings judged"),
            Column("RMSE", [b.errors.rmse for b in bands], lambda v: f"{v:.4f}", True,
                   "Of the model, stars"),
            Column("biases only", [b.errors.rmse for b in simple], lambda v: f"{v:.4f}", True,
                   "RMSE of biases alone, stars"),
            Column("mean error", [b.errors.mean for b in bands], lambda v: f"{v:+.4f}", True,
                   "Above 0: predictions are too high"),
        )  # fmt: skip

    def draw(self, painter: QPainter, box: QRectF) -> None:
        """Draw a bar for each band, the count of what was judged below."""
        if not self._bands:
            return
        theme = current_theme()
        plot = self._plot = box.adjusted(px(46), px(34), -px(12), -px(66))
        if plot.height() < 20 or plot.width() < 20:
            return
        top = max(b.errors.rmse for b in (*self._bands, *self._simple)) * 1.08
        self._draw_axis(painter, plot, top)
        wide = plot.width() / len(self._bands)
        for k, (band, simple) in enumerate(zip(self._bands, self._simple, strict=True)):
            x = plot.left() + k * wide
            height = plot.height() * band.errors.rmse / top
            bar = QRectF(x + wide * 0.18, plot.bottom() - height, wide * 0.64, height)
            painter.fillRect(bar, QColor(theme.role_colour("prediction")))
            y = plot.bottom() - plot.height() * simple.errors.rmse / top
            painter.setPen(QPen(QColor(theme.text), px(2)))
            painter.drawLine(QPointF(x + wide * 0.08, y), QPointF(x + wide * 0.92, y))
        self._draw_names(painter, plot, wide)
        painter.setPen(QColor(theme.muted))
        painter.setFont(ui_font(TICK_PX))
        painter.fillRect(QRectF(plot.left(), px(12), px(12), px(12)),
                         QColor(theme.role_colour("prediction")))  # fmt: skip
        painter.drawText(QPointF(plot.left() + px(18), px(22)), "model")
        x = plot.left() + px(76)
        painter.setPen(QPen(QColor(theme.text), px(2)))
        painter.drawLine(QPointF(x, px(18)), QPointF(x + px(18), px(18)))
        painter.setPen(QColor(theme.muted))
        painter.drawText(QPointF(x + px(24), px(22)), "biases only")

    def _draw_axis(self, painter: QPainter, plot: QRectF, top: float) -> None:
        theme = current_theme()
        painter.setFont(ui_font(TICK_PX))
        step = next((s for s in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0) if top / s <= 6), top / 4)
        for k in range(int(top / step) + 1):
            y = plot.bottom() - plot.height() * k * step / top
            painter.setPen(QPen(QColor(theme.lines), 1))
            painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
            painter.setPen(QColor(theme.muted))
            place = QRectF(0, y - px(9), plot.left() - px(6), px(18))
            align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(place, int(align), f"{k * step:.1f}")
        title = QRectF(plot.left(), plot.bottom() + px(42), plot.width(), px(20))
        painter.drawText(title, int(Qt.AlignmentFlag.AlignCenter),
                         "training ratings of the item; below it, ratings judged")  # fmt: skip

    def _draw_names(self, painter: QPainter, plot: QRectF, wide: float) -> None:
        theme = current_theme()
        metrics = painter.fontMetrics()
        # Each name takes as many places as the widest of them needs.
        widest = max(metrics.horizontalAdvance(band_text(b)) for b in self._bands) + px(6)
        every = max(1, -(-int(widest) // max(int(wide), 1)))
        for k, band in enumerate(self._bands):
            if k % every:
                continue
            middle = plot.left() + (k + 0.5) * wide
            for line, text, colour in (
                (0, band_text(band), theme.text), (1, f"{band.errors.count:,}", theme.muted),
            ):  # fmt: skip
                place = QRectF(middle - widest, plot.bottom() + px(4 + 18 * line), 2 * widest,
                               px(18))  # fmt: skip
                painter.setPen(QColor(colour))
                painter.drawText(place, int(Qt.AlignmentFlag.AlignCenter), text)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Say the numbers of the band under the mouse."""
        if not self._bands or not self._plot.contains(event.position()):
            QToolTip.hideText()
            return
        wide = self._plot.width() / len(self._bands)
        k = int((event.position().x() - self._plot.left()) // wide)
        k = min(max(k, 0), len(self._bands) - 1)
        band, simple = self._bands[k], self._simple[k]
        text = (
            f"Items with {band_text(band)} training ratings: RMSE {band.errors.rmse:.4f}, "
            f"biases only {simple.errors.rmse:.4f}, on {band.errors.count:,} ratings"
        )
        QToolTip.showText(event.globalPosition().toPoint(), text, self)
