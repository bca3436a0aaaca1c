"""The legend below the sheet: the roles with their signs, and the scales of the gradient layer.

Owns how they are drawn in one line. It is told what to show and holds no fact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from gradsheet.qt.grid.gradient_layer import STEPS, derivative_text, shade
from gradsheet.qt.grid.roles import SIGN_PX, draw_sign
from gradsheet.qt.theme import SPACE, UI_FONT_PX, current_theme, scale, ui_font

HEIGHT_PX = 28
BAR_PX = 56
TITLE = "d loss / d cell"
ARROWS = "▲ ▼ the way descent moves the cell"


@dataclass(frozen=True, slots=True)
class Entry:
    """One role of the legend.

    Attributes
    ----------
    role : str
        `Role.value`, "" for cells without a role.
    label : str
    limit : float or None
        Where its scale of derivatives ends; None shows no scale.
    """

    role: str
    label: str
    limit: float | None = None


class Legend(QWidget):
    """Roles and scales in one line; what does not fit is left out at the right, never cut."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("legend")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._entries: tuple[Entry, ...] = ()
        self._has_scales = False
        self._fit()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What is on show."""
        return self._entries

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """Show these and no others."""
        if tuple(entries) == self._entries:
            return
        self._entries = tuple(entries)
        self._has_scales = any(entry.limit is not None for entry in entries)
        said = "; ".join(_said(entry) for entry in self._entries)
        self.setAccessibleName(f"Legend: {said}")
        self.setToolTip(said)
        self.update()

    def sizeHint(self) -> QSize:
        """One line."""
        return QSize(40 * SPACE, round(HEIGHT_PX * scale()))

    def _fit(self) -> None:
        self.setFixedHeight(self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = current_theme()
        try:
            painter.fillRect(event.rect(), QColor(theme.chrome))
            painter.setPen(QPen(QColor(theme.lines), 1))
            painter.drawLine(0, 0, self.width(), 0)
            painter.setFont(ui_font(UI_FONT_PX - 1))
            metrics = QFontMetrics(painter.font())
            x = float(2 * SPACE)
            if self._has_scales:
                x = self._text(painter, metrics, x, TITLE, theme.text) + 2 * SPACE
            for entry in self._entries:
                if x + self._width(metrics, entry) > self.width():
                    break
                x = self._entry(painter, metrics, x, entry) + 2 * SPACE
            if self._has_scales and x + metrics.horizontalAdvance(ARROWS) < self.width() - SPACE:
                self._text(painter, metrics, x, ARROWS, theme.muted)
        finally:
            painter.end()

    def _width(self, metrics: QFontMetrics, entry: Entry) -> float:
        width = SIGN_PX * scale() + SPACE + metrics.horizontalAdvance(entry.label)
        if entry.limit is not None:
            end = metrics.horizontalAdvance(derivative_text(entry.limit))
            width += 2 * end + BAR_PX * scale() + 3 * SPACE
        return float(width)

    def _text(
        self, painter: QPainter, metrics: QFontMetrics, x: float, text: str, colour: str
    ) -> float:
        width = metrics.horizontalAdvance(text)
        painter.setPen(QColor(colour))
        box = QRectF(x, 0, width + 2, self.height())
        painter.drawText(box, int(Qt.AlignmentFlag.AlignVCenter), text)
        return x + width

    def _entry(self, painter: QPainter, metrics: QFontMetrics, x: float, entry: Entry) -> float:
        theme = current_theme()
        side = SIGN_PX * scale()
        if entry.role:
            box = QRectF(x, (self.height() - side) / 2, side, side)
            draw_sign(painter, entry.role, box, theme.role_colour(entry.role))
            x += side + SPACE * 0.75
        x = self._text(painter, metrics, x, entry.label, theme.text)
        if entry.limit is None:
            return x
        end = derivative_text(entry.limit)
        x = self._text(painter, metrics, x + SPACE, f"−{end}", theme.muted) + SPACE / 2
        width, height = BAR_PX * scale(), 10 * scale()
        top = (self.height() - height) / 2
        for place in range(-STEPS, STEPS + 1):
            ground, _ = shade(theme, place)
            left = x + (place + STEPS) * width / (2 * STEPS + 1)
            painter.fillRect(QRectF(left, top, width / (2 * STEPS + 1) + 1, height),
                             QColor(ground))  # fmt: skip
        painter.setPen(QPen(QColor(theme.strong_lines), 1))
        painter.drawRect(QRectF(x, top, width, height))
        return self._text(painter, metrics, x + width + SPACE / 2, end, theme.muted)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._fit()
            self.update()


def _said(entry: Entry) -> str:
    if entry.limit is None:
        return entry.label
    return f"{entry.label} from −{derivative_text(entry.limit)} to {derivative_text(entry.limit)}"
