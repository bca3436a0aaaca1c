"""The two little windows under a formula that is typed: what could follow, and the argument.

Owns how they look and where they stand. They never take the keyboard: the line that is being
typed into hands them its keys.
"""

from __future__ import annotations

import html

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QLabel, QScrollBar, QVBoxLayout, QWidget

from gradsheet.qt.grid.completion import CallAtCaret, Offer, argument_parts
from gradsheet.qt.theme import SPACE, current_theme, mono_font, ui_font

MOST_ROWS = 9
LIST_WIDTH_PX = 320
_SIGNS = {"function": "ƒ", "name": "N", "table": "T"}


class _Rows(QWidget):
    """The offers as rows; painted by hand, one glance."""

    picked = Signal(int)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.offers: tuple[Offer, ...] = ()
        self.current = 0
        self.first = 0
        self.typed = 0
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.bar = QScrollBar(Qt.Orientation.Vertical, self)
        self.bar.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.bar.valueChanged.connect(self._scrolled)

    def row_height(self) -> int:
        return self.fontMetrics().height() + SPACE

    def show_offers(self, offers: tuple[Offer, ...], typed: int) -> None:
        self.offers, self.current, self.first, self.typed = offers, 0, 0, typed
        shown = min(len(offers), MOST_ROWS)
        self.setFixedHeight(shown * self.row_height())
        self.bar.setRange(0, max(0, len(offers) - shown))
        self.bar.setValue(0)
        self.bar.setVisible(len(offers) > shown)
        self.bar.setGeometry(self.width() - 12, 0, 12, self.height())
        self.update()

    def move_to(self, row: int) -> None:
        self.current = min(max(row, 0), len(self.offers) - 1)
        self.first = min(self.first, self.current)
        self.first = max(self.first, self.current - MOST_ROWS + 1)
        self.bar.setValue(self.first)
        self.update()

    def _scrolled(self, value: int) -> None:
        self.first = value
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        row = self.first + event.position().toPoint().y() // self.row_height()
        if row < len(self.offers):
            self.picked.emit(row)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.sheet))
        height = self.row_height()
        bold = ui_font()
        bold.setBold(True)
        room = self.width() - (12 if self.bar.isVisible() else 0)
        for place, offer in enumerate(self.offers[self.first : self.first + MOST_ROWS]):
            box = QRect(0, place * height, room, height)
            chosen = self.first + place == self.current
            if chosen:
                painter.fillRect(box, QColor(theme.accent))
            text = QColor(theme.on_accent if chosen else theme.text)
            painter.setPen(QColor(theme.on_accent if chosen else theme.muted))
            painter.setFont(ui_font())
            sign = QRect(box.left() + SPACE, box.top(), 16, height)
            middle = Qt.AlignmentFlag.AlignVCenter
            painter.drawText(sign, middle, _SIGNS[offer.kind])
            painter.setPen(text)
            x = box.left() + SPACE + 20
            painter.setFont(bold)
            head = offer.text[: self.typed]
            painter.drawText(QRect(x, box.top(), room - x, height), middle, head)
            x += painter.fontMetrics().horizontalAdvance(head)
            painter.setFont(ui_font())
            tail = offer.text[self.typed :]
            painter.drawText(QRect(x, box.top(), room - x, height), middle, tail)
        painter.end()


class CompletionList(QFrame):
    """The offers, with the call and one sentence for the chosen one.

    Signals
    -------
    picked(Offer)
        One was clicked.
    """

    picked = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("completionList")
        self.setAccessibleName("Completions")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._rows = _Rows(self)
        self._detail = QLabel(self)
        self._detail.setObjectName("completionDetail")
        self._detail.setTextFormat(Qt.TextFormat.RichText)
        self._detail.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(1, 1, 1, 1)
        layout.setSpacing(0)
        layout.addWidget(self._rows)
        layout.addWidget(self._detail)
        self._rows.picked.connect(self._on_picked)
        self.hide()

    @property
    def offers(self) -> tuple[Offer, ...]:
        """What is offered now; empty while hidden."""
        return self._rows.offers if not self.isHidden() else ()

    @property
    def chosen(self) -> Offer:
        """The offer that Tab accepts."""
        return self._rows.offers[self._rows.current]

    def show_offers(self, offers: tuple[Offer, ...], typed: int, under: QRect) -> None:
        """Offer these below (or above) a rectangle of the parent; `typed` letters are there."""
        theme = current_theme()
        self.setStyleSheet(
            f"#completionList {{ background: {theme.sheet}; border: 1px solid"
            f" {theme.strong_lines}; }} #completionDetail {{ background: {theme.chrome};"
            f" color: {theme.text}; padding: 6px {SPACE}px; border-top: 1px solid {theme.lines}; }}"
        )
        self.setFixedWidth(LIST_WIDTH_PX)
        self._rows.setFixedWidth(LIST_WIDTH_PX - 2)
        self._rows.show_offers(offers, typed)
        self._describe()
        self._place(under)

    def _place(self, under: QRect) -> None:
        detail = self._detail.heightForWidth(LIST_WIDTH_PX - 2)
        self._detail.setFixedHeight(detail)
        self.resize(QSize(LIST_WIDTH_PX, self._rows.height() + detail + 2))
        self.move(_below_or_above(self, under))
        self.show()
        self.raise_()

    def step(self, by: int) -> None:
        """Choose another offer, `by` rows further."""
        top = self.y()
        self._rows.move_to(self._rows.current + by)
        self._describe()
        detail = self._detail.heightForWidth(LIST_WIDTH_PX - 2)
        self._detail.setFixedHeight(detail)
        self.resize(QSize(LIST_WIDTH_PX, self._rows.height() + detail + 2))
        self.move(self.x(), top)

    def _describe(self) -> None:
        offer = self.chosen
        muted = current_theme().muted
        call = f"<span style='color:{muted}'>{html.escape(offer.detail)}</span>"
        self._detail.setText(f"{html.escape(offer.help)}<br>{call}" if offer.help else call)
        self.setAccessibleDescription(f"{offer.text}: {offer.help}")

    def _on_picked(self, row: int) -> None:
        self.picked.emit(self._rows.offers[row])


class ArgumentHint(QLabel):
    """The call around the caret with the argument at hand in bold."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("argumentHint")
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def show_call(self, call: CallAtCaret, under: QRect) -> None:
        """Show a call's arguments below a rectangle of the parent; hide if it is not known."""
        parts = argument_parts(call)
        if parts is None:
            self.hide()
            return
        names, at, about = parts
        theme = current_theme()
        spelled = [
            f"<b>{html.escape(name)}</b>" if i == at else html.escape(name)
            for i, name in enumerate(names)
        ]
        self.setStyleSheet(
            f"#argumentHint {{ background: {theme.sheet}; color: {theme.text};"
            f" border: 1px solid {theme.strong_lines}; padding: 3px {SPACE}px; }}"
        )
        self.setFont(mono_font(12))
        muted = f"font-family: sans-serif; color: {theme.muted}"
        self.setText(
            f"{html.escape(call.name)}({', '.join(spelled)})"
            f"<br><span style='{muted}'>{html.escape(about)}</span>"
        )
        self.setAccessibleName(f"{call.name}: {names[at] if at >= 0 else ''}")
        self.ensurePolished()
        self.adjustSize()
        self.move(_below_or_above(self, under))
        self.show()
        self.raise_()


def _below_or_above(widget: QWidget, under: QRect) -> QPoint:
    """Where a little window stands inside its parent: below a rectangle, else above it."""
    parent = widget.parentWidget()
    assert parent is not None
    y = under.bottom() + 4
    if y + widget.height() > parent.height() and under.top() - widget.height() - 4 >= 0:
        y = under.top() - widget.height() - 4
    x = max(0, min(under.left(), parent.width() - widget.width()))
    return QPoint(x, y)
