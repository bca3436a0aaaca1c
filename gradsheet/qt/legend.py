"""The legend below the sheet: the roles with their signs, and the scales of the gradient layer.

Owns how they are drawn. It is told what to show and holds no fact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gradsheet.qt.grid.gradient_layer import STEPS, derivative_text, shade, unit_text
from gradsheet.qt.grid.held_mark import HELD, draw_held_sign
from gradsheet.qt.grid.roles import SIGN_PX, draw_sign
from gradsheet.qt.theme import SPACE, UI_FONT_PX, current_theme, scale, ui_font

HEIGHT_PX = 28
MOST_LINES, MOST_SHORT_LINES = 2, 3
"""What needs more is in the tool tip: the sheet must keep its room."""
BAR_PX, SHORT_BAR_PX = 48, 24
TITLE = "d loss / d cell"
ARROWS = "▲ ▼ the way descent moves the cell"
SHORT_ARROWS = "▲ ▼ descent"


@dataclass(frozen=True, slots=True)
class Entry:
    """One role of the legend.

    Attributes
    ----------
    role : str
        `Role.value`, "" for cells without a role, `HELD` for those that are not computed.
    label : str
    limit : float or None
        Where its scale of derivatives ends; None shows no scale.
    exponent : int
        The power of ten in which the cells of the scale are written.
    """

    role: str
    label: str
    limit: float | None = None
    exponent: int = 0


class Legend(QWidget):
    """Roles and scales, in two lines, or shorter in up to three."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("legend")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._entries: tuple[Entry, ...] = ()
        self._has_scales = False
        self._is_short = False
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
        self._fit()
        self.update()

    def sizeHint(self) -> QSize:
        """As many lines as are needed."""
        lines = 1 + max((line for line, _, _ in self._places()), default=0)
        return QSize(40 * SPACE, self._line_height() * lines + SPACE // 2)

    def _fit(self) -> None:
        height = self.sizeHint().height()
        if height != self.height():
            self.setFixedHeight(height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    @staticmethod
    def _line_height() -> int:
        return round(HEIGHT_PX * scale())

    def _places(self) -> list[tuple[int, float, Entry | str]]:
        """Line and x of everything, from left to right, line after line.

        Where it needs more lines than there are, bars and gaps are shorter.
        """
        for self._is_short in (False, True):
            places = self._flow()
            if not places or places[-1][0] < MOST_LINES:
                break
        return [place for place in places if place[0] < MOST_SHORT_LINES]

    def _flow(self) -> list[tuple[int, float, Entry | str]]:
        metrics = QFontMetrics(ui_font(UI_FONT_PX - 1))
        gap = SPACE if self._is_short else 2 * SPACE
        parts: list[Entry | str] = [TITLE] if self._has_scales else []
        parts += self._entries
        if self._has_scales:
            parts.append(SHORT_ARROWS if self._is_short else ARROWS)
        places: list[tuple[int, float, Entry | str]] = []
        line, x = 0, float(SPACE)
        for part in parts:
            is_text = isinstance(part, str)
            width = metrics.horizontalAdvance(part) if is_text else self._width(metrics, part)
            if x + width > self.width() - SPACE and x > SPACE:
                line, x = line + 1, float(SPACE)
            places.append((line, x, part))
            x += width + gap
        return places

    def _bar(self) -> float:
        """The width of a scale, px."""
        return float(SHORT_BAR_PX if self._is_short else BAR_PX) * scale()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = current_theme()
        try:
            painter.fillRect(event.rect(), QColor(theme.chrome))
            painter.setPen(QPen(QColor(theme.lines), 1))
            painter.drawLine(0, 0, self.width(), 0)
            painter.setFont(ui_font(UI_FONT_PX - 1))
            metrics = QFontMetrics(painter.font())
            for line, x, part in self._places():
                top = line * self._line_height() + SPACE / 4
                if isinstance(part, str):
                    colour = theme.text if part == TITLE else theme.muted
                    self._text(painter, metrics, x, top, part, colour)
                else:
                    self._entry(painter, metrics, x, top, part)
        finally:
            painter.end()

    def _width(self, metrics: QFontMetrics, entry: Entry) -> float:
        width = metrics.horizontalAdvance(entry.label) + (SIGN_PX * scale() + 0.75 * SPACE)
        if entry.limit is not None:
            low, high = _ends(entry)
            width += metrics.horizontalAdvance(low) + metrics.horizontalAdvance(high)
            width += self._bar() + 2 * SPACE
        return float(width)

    def _text(
        self, painter: QPainter, metrics: QFontMetrics, x: float, top: float, text: str,
        colour: str,
    ) -> float:  # fmt: skip
        width = metrics.horizontalAdvance(text)
        painter.setPen(QColor(colour))
        box = QRectF(x, top, width + 2, self._line_height())
        painter.drawText(box, int(Qt.AlignmentFlag.AlignVCenter), text)
        return x + width

    def _entry(
        self, painter: QPainter, metrics: QFontMetrics, x: float, top: float, entry: Entry
    ) -> None:
        theme = current_theme()
        middle = top + self._line_height() / 2
        side = SIGN_PX * scale()
        if entry.role:
            box = QRectF(x, middle - side / 2, side, side)
            if entry.role == HELD:
                draw_held_sign(painter, box, theme)
            else:
                draw_sign(painter, entry.role, box, theme.role_colour(entry.role))
            x += side + SPACE * 0.75
        x = self._text(painter, metrics, x, top, entry.label, theme.text)
        if entry.limit is None:
            return
        low, high = _ends(entry)
        x = self._text(painter, metrics, x + SPACE, top, low, theme.muted) + SPACE / 2
        width, height = self._bar(), 10 * scale()
        for place in range(-STEPS, STEPS + 1):
            ground, _ = shade(theme, place)
            left = x + (place + STEPS) * width / (2 * STEPS + 1)
            part = QRectF(left, middle - height / 2, width / (2 * STEPS + 1) + 1, height)
            painter.fillRect(part, QColor(ground))
        painter.setPen(QPen(QColor(theme.strong_lines), 1))
        painter.drawRect(QRectF(x, middle - height / 2, width, height))
        self._text(painter, metrics, x + width + SPACE / 2, top, high, theme.muted)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._fit()
            self.update()


def _ends(entry: Entry) -> tuple[str, str]:
    """The numbers at both ends of a scale, the unit of its cells after the second."""
    limit = entry.limit or 0.0
    end = f"{limit / 10.0**entry.exponent:g}"
    return f"−{end}", f"{end} {unit_text(entry.exponent)}".strip()


def _said(entry: Entry) -> str:
    if entry.limit is None:
        return entry.label
    return f"{entry.label} from −{derivative_text(entry.limit)} to {derivative_text(entry.limit)}"
