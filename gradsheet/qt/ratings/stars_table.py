"""The ratings somebody types in: titles with stars, changed by mouse or keys.

Owns the painting of stars and the keys. Knows ratings by code, no model.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPainterPath
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from gradsheet.qt.theme import SPACE, blend, current_theme, px, ui_font
from gradsheet.qt.widgets.column_table import Column, ColumnTable, Index

STARS_MOST = 10
"""On longer scales ratings are written as numbers."""
STAR_PX = 16


class StarsTable(ColumnTable):
    """Titles, their stars, and what the learned row predicts for them."""

    rated = Signal(int, float)
    """A code and its new rating."""
    removed = Signal(int)
    done = Signal()
    """Enter: the next title can be searched."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, "Your ratings")
        self._codes: list[int] = []
        self._stars: list[float] = []
        self._scale = (0.5, 5.0, 0.5)
        self._typed = ""
        self.setItemDelegate(_StarsDelegate(self))

    def show_ratings(
        self,
        codes: Sequence[int],
        titles: Sequence[str],
        stars: Sequence[float],
        fitted: Sequence[float],
        scale: tuple[float, float, float],
    ) -> None:
        """Show ratings, and the predictions for them (empty while there are none)."""
        self._codes, self._stars, self._scale = list(codes), list(stars), scale
        columns = [
            Column("item", list(titles)),
            Column("your rating", list(stars), lambda v: f"{v:g}", True,
                   "Click the stars, or type a number; Left and Right step; Del removes."),
        ]  # fmt: skip
        if len(fitted) == len(codes) and codes:
            columns.append(Column("predicted", list(fitted), lambda v: f"{v:.2f}", True,
                                  "By the row that was learned from your ratings"))  # fmt: skip
        self.set_columns(columns)
        if len(columns) > 1:
            wide = round(px(STAR_PX) * self.stars + 2 * SPACE) if self.stars else 0
            header = self.horizontalHeader()
            header.resizeSection(1, max(wide, header.sectionSize(1)))

    @property
    def stars(self) -> int:
        """How many stars are painted; 0: numbers."""
        high = math.ceil(self._scale[1])
        return high if self._scale[0] >= 0 and high <= STARS_MOST else 0

    def focus_on(self, code: int) -> None:
        """Select a title and take the keyboard."""
        if code in self._codes:
            self.select([self._codes.index(code)])
            self.setFocus(Qt.FocusReason.OtherFocusReason)

    def stars_rect(self, index: Index) -> QRect:
        """Return where the stars of a line are."""
        box = self.visualRect(index)  # type: ignore[arg-type]
        wide = round(px(STAR_PX) * self.stars)
        return QRect(box.right() - SPACE - wide, box.top(), wide, box.height())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Digits rate, Left and Right step, Delete removes, Enter goes on."""
        index = self.currentIndex()
        key = event.key()
        if not index.isValid() or not self._codes:
            super().keyPressEvent(event)
            return
        row = self.columns_model.rows[index.row()]
        code, stars = self._codes[row], self._stars[row]
        low, high, step = self._scale
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            change = step if key == Qt.Key.Key_Right else -step
            self._rate(code, min(max(stars + change, low), high))
        elif event.text().isdigit() or event.text() in (".", ","):
            self._type(code, event.text().replace(",", "."))
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.removed.emit(code)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.done.emit()
        else:
            self._typed = ""
            super().keyPressEvent(event)

    def _rate(self, code: int, stars: float) -> None:
        self._typed = ""
        self.rated.emit(code, stars)

    def _type(self, code: int, letter: str) -> None:
        """Take "4", then ".5" after it; a digit that does not go on begins anew."""
        low, high, _ = self._scale
        for text in (self._typed + letter, letter):
            try:
                stars = float(f"{text}0" if text.endswith(".") else text)
            except ValueError:
                continue
            if stars <= high and (stars >= low or text.startswith(("0", "."))):
                self._typed = text
                if stars >= low:
                    self.rated.emit(code, stars)
                return
        self._typed = ""

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Give the stars that were clicked."""
        index = self.indexAt(event.position().toPoint())
        super().mousePressEvent(event)
        if not index.isValid() or index.column() != 1 or not self.stars:
            return
        box = self.stars_rect(index)
        share = (event.position().x() - box.left()) / max(box.width(), 1)
        low, high, step = self._scale
        stars = math.ceil(share * self.stars / step - 1e-9) * step
        row = self.columns_model.rows[index.row()]
        self._rate(self._codes[row], min(max(stars, low), high))


class _StarsDelegate(QStyledItemDelegate):
    """Paints a number as stars."""

    def __init__(self, table: StarsTable) -> None:
        super().__init__(table)
        self._table = table

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Room for the stars."""
        return QSize(round(px(STAR_PX) * 5 + 2 * SPACE), round(px(24)))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint text, or stars with their filled part."""
        theme, box = current_theme(), QRect(option.rect)
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(box, QColor(blend(theme.sheet, theme.accent, 0.2)))
            if index.column() == 0:
                painter.fillRect(box.left(), box.top(), 3, box.height(), QColor(theme.accent))
        model = self._table.columns_model
        column = model.columns[index.column()]
        value = column.values[model.rows[index.row()]]
        if index.column() == 1 and self._table.stars:
            self._paint_stars(painter, index, float(value))
        else:
            painter.setPen(QColor(theme.text))
            painter.setFont(ui_font())
            side = Qt.AlignmentFlag.AlignRight if column.is_number else Qt.AlignmentFlag.AlignLeft
            inner = box.adjusted(SPACE, 0, -SPACE, 0)
            text = painter.fontMetrics().elidedText(
                column.write(value), Qt.TextElideMode.ElideRight, inner.width()
            )
            painter.drawText(inner, int(side | Qt.AlignmentFlag.AlignVCenter), text)
        painter.restore()

    def _paint_stars(self, painter: QPainter, index: Index, value: float) -> None:
        theme = current_theme()
        box = self._table.stars_rect(index)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        one = box.width() / self._table.stars
        for k in range(self._table.stars):
            middle = QPointF(box.left() + (k + 0.5) * one, box.center().y() + 1)
            star = _star(middle, one * 0.46)
            painter.setBrush(QColor(theme.lines))
            painter.drawPath(star)
            share = min(max(value - k, 0.0), 1.0)
            if share > 0:
                painter.save()
                painter.setClipRect(QRect(box.left() + round(k * one), box.top(),
                                          round(one * share), box.height()))  # fmt: skip
                painter.setBrush(QColor(theme.role_colour("data")))
                painter.drawPath(star)
                painter.restore()


def _star(middle: QPointF, radius: float) -> QPainterPath:
    path = QPainterPath()
    for k in range(10):
        length = radius if k % 2 == 0 else radius * 0.45
        angle = -math.pi / 2 + k * math.pi / 5
        corner = QPointF(middle.x() + length * math.cos(angle),
                         middle.y() + length * math.sin(angle))  # fmt: skip
        if k == 0:
            path.moveTo(corner)
        else:
            path.lineTo(corner)
    path.closeSubpath()
    return path
