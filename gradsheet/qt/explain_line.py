"""The line under the formula bar: the selected cell as Excel, mathematics or PyTorch.

Owns how an explanation is shown and pointed at: a number under the pointer lights its cells, a
click goes there. What is said comes from `gradsheet.app.explain`; it holds no fact.
"""

# LONG: the line and its switch, which share sizes and colours.

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QGuiApplication,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QWheelEvent,
)
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QToolButton, QToolTip, QWidget

from gradsheet.qt import icons
from gradsheet.qt.theme import SPACE, UI_FONT_PX, current_theme, mono_font, scale, ui_font

if TYPE_CHECKING:
    from gradsheet.formula.explain import Explanation, Language
    from gradsheet.formula.explain_cells import Source
    from gradsheet.qt.widgets.typeset import Typeset

TITLES: dict[Language, str] = {"excel": "Excel", "maths": "Maths", "pytorch": "PyTorch"}
TEXT_HEIGHT_PX = 30
MATHS_HEIGHT_PX = 62
MATHS_PX = 17
_HIT_MARGIN_PX = 3
_UNDERLINE_GAP_PX = 2


@dataclass(frozen=True, slots=True)
class Dressed:
    """An explanation ready to be painted; the mathematics are set in type."""

    explanation: Explanation
    maths: Typeset | None = None
    links: tuple[Source, ...] = field(default=())


def dress(explanation: Explanation) -> Dressed:
    """Set an explanation in type where it is mathematics. Called on the engine's thread."""
    if explanation.maths is None:
        return Dressed(explanation)
    from gradsheet.qt.widgets.typeset import typeset

    page, links = explanation.mathml()
    return Dressed(explanation, typeset(page, MATHS_PX * scale(), current_theme().text), links)


class _Line(QWidget):
    """The line itself, painted; longer ones scroll sideways with the wheel or the arrow keys."""

    pointed = Signal(object)
    """The `Source` under the pointer, None when it leaves."""
    clicked = Signal(object)
    """A `Source` to go to."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._dressed: Dressed | None = None
        self._renderer: QSvgRenderer | None = None
        self._spots: list[tuple[QRectF, Source]] = []
        self._under: Source | None = None
        self._focus = -1
        self._offset = 0.0
        self._length = 0.0

    # ------------------------------------------------------------------ what is shown

    def show_dressed(self, dressed: Dressed | None) -> None:
        """Show an explanation; one of another cell begins at its start."""
        before = self._dressed
        is_other = before is None or dressed is None or (
            before.explanation.cell != dressed.explanation.cell
            or before.explanation.language != dressed.explanation.language
        )  # fmt: skip
        if is_other:
            self._offset, self._focus = 0.0, -1
            self._point_at(None)
        self._dressed = dressed
        self._renderer = None
        if dressed is not None and dressed.maths is not None:
            self._renderer = QSvgRenderer(dressed.maths.svg.encode(), self)
        self._measure()
        self.update()

    def spots(self) -> list[tuple[QRectF, Source]]:
        """Where each linked number stands, in px of this widget, and its cells."""
        return [(box.translated(-self._offset, 0), source) for box, source in self._spots]

    def _measure(self) -> None:
        self._spots = []
        dressed = self._dressed
        if dressed is None:
            self._length = 0.0
        elif dressed.maths is not None:
            factor, top = self._maths_place(dressed.maths)
            for i, box in dressed.maths.places.items():
                spot = QRectF(SPACE + box.x() * factor, top + box.y() * factor,
                              box.width() * factor, box.height() * factor)  # fmt: skip
                self._spots.append((spot, dressed.links[i]))
            self._length = dressed.maths.width * factor
        else:
            self._measure_text(dressed.explanation)
        self._offset = min(self._offset, self._most_offset())

    def _measure_text(self, explanation: Explanation) -> None:
        metrics = QFontMetricsF(mono_font())
        x = float(SPACE)
        top = (self.height() - metrics.height()) / 2
        for segment in explanation.segments:
            width = metrics.horizontalAdvance(segment.text)
            if segment.source is not None:
                self._spots.append((QRectF(x, top, width, metrics.height()), segment.source))
            x += width
        self._length = x - SPACE

    def _maths_place(self, maths: Typeset) -> tuple[float, float]:
        room = self.height() - 4.0
        factor = min(1.0, room / maths.height) if maths.height else 1.0
        return factor, (self.height() - maths.height * factor) / 2

    def _most_offset(self) -> float:
        return max(0.0, self._length + 2 * SPACE - self.width())

    # ------------------------------------------------------------------ painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = current_theme()
        try:
            painter.fillRect(event.rect(), QColor(theme.sheet))
            if self._dressed is not None:
                self._paint_lit(painter)
                painter.translate(-self._offset, 0)
                if self._renderer is not None and self._dressed.maths is not None:
                    factor, top = self._maths_place(self._dressed.maths)
                    size = (self._dressed.maths.width * factor, self._dressed.maths.height * factor)
                    self._renderer.render(painter, QRectF(SPACE, top, *size))
                else:
                    self._paint_text(painter, self._dressed.explanation)
                painter.resetTransform()
                self._paint_more(painter)
            painter.setPen(QPen(QColor(theme.lines), 1))
            painter.drawLine(0, self.height() - 1, self.width(), self.height() - 1)
        finally:
            painter.end()

    def _paint_lit(self, painter: QPainter) -> None:
        theme = current_theme()
        for i, (box, source) in enumerate(self.spots()):
            is_focused = i == self._focus and self.hasFocus()
            if (source == self._under and self._under is not None) or is_focused:
                painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(theme.selection_wash()).darker(104))
                margin = _HIT_MARGIN_PX
                painter.drawRoundedRect(box.adjusted(-margin, -1, margin, 1), 3, 3)
                if is_focused:
                    painter.setPen(QPen(QColor(theme.accent), 1))
                    painter.setBrush(Qt.BrushStyle.NoBrush)
                    painter.drawRoundedRect(box.adjusted(-margin, -1, margin, 1), 3, 3)
                painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _paint_text(self, painter: QPainter, explanation: Explanation) -> None:
        theme = current_theme()
        font = mono_font()
        metrics = QFontMetricsF(font)
        painter.setFont(font)
        baseline = (self.height() - metrics.height()) / 2 + metrics.ascent()
        x = float(SPACE)
        for segment in explanation.segments:
            width = metrics.horizontalAdvance(segment.text)
            is_linked = segment.source is not None
            colour = theme.muted if segment.tone == "note" else theme.text
            painter.setPen(QColor(theme.accent if is_linked else colour))
            painter.drawText(QPointF(x, baseline), segment.text)
            if is_linked and segment.source == self._under:
                y = baseline + _UNDERLINE_GAP_PX
                painter.drawLine(QPointF(x, y), QPointF(x + width, y))
            x += width

    def _paint_more(self, painter: QPainter) -> None:
        """A soft edge and dots where the line goes on outside of what is seen."""
        theme = current_theme()
        painter.setFont(ui_font())
        width = round(3 * SPACE)
        sides = (
            (self._offset > 0.5, 0, Qt.AlignmentFlag.AlignLeft),
            (self._offset < self._most_offset() - 0.5, self.width() - width,
             Qt.AlignmentFlag.AlignRight),
        )  # fmt: skip
        for is_cut, x, align in sides:
            if is_cut:
                painter.fillRect(x, 0, width, self.height() - 1, QColor(theme.sheet))
                painter.setPen(QColor(theme.muted))
                box = QRectF(x + 4, 0, width - 8, self.height())
                painter.drawText(box, int(align | Qt.AlignmentFlag.AlignVCenter), "…")

    # ------------------------------------------------------------------ pointing

    def _at(self, point: QPointF) -> Source | None:
        margin = _HIT_MARGIN_PX
        for box, source in self.spots():
            if box.adjusted(-margin, -margin, margin, margin).contains(point):
                return source
        return None

    def _point_at(self, source: Source | None) -> None:
        if source != self._under:
            self._under = source
            shape = Qt.CursorShape.PointingHandCursor if source else Qt.CursorShape.ArrowCursor
            self.setCursor(shape)
            self.pointed.emit(source)
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._point_at(self._at(event.position()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        source = self._at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and source is not None:
            self.clicked.emit(source)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._point_at(None)

    def wheelEvent(self, event: QWheelEvent) -> None:
        delta = event.angleDelta().x() or event.angleDelta().y()
        self._scroll(-delta / 2)
        event.accept()

    def _scroll(self, by: float) -> None:
        self._offset = min(max(0.0, self._offset + by), self._most_offset())
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right go from number to number, Enter goes to the cell."""
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if step is not None and self._spots:
            self._focus = min(max(0, self._focus + step), len(self._spots) - 1)
            box, source = self._spots[self._focus]
            if box.left() - self._offset < 0 or box.right() - self._offset > self.width():
                self._offset = min(max(0.0, box.left() - 8 * SPACE), self._most_offset())
            self._point_at(source)
            self.update()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._under is not None:
            self.clicked.emit(self._under)
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QEvent) -> None:
        super().focusOutEvent(event)
        self._point_at(None)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            source = self._at(QPointF(event.pos()))
            text = str(source.region) if source is not None else ""
            QToolTip.showText(event.globalPos(), text, self) if text else QToolTip.hideText()
            return True
        return super().event(event)

    def resizeEvent(self, event: QEvent) -> None:
        super().resizeEvent(event)
        self._measure()


class ExplainLine(QWidget):
    """The explanation of the selected cell, with the switch between its languages.

    Signals
    -------
    pointed(Source or None)
        The cells under the pointer.
    go_to(Source)
        Cells that were clicked.
    language_changed(str)
        Another language was chosen.
    """

    pointed = Signal(object)
    go_to = Signal(object)
    language_changed = Signal(str)

    def __init__(self, language: Language, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("explain_line")
        self._dressed: Dressed | None = None
        self._language: Language = language
        self.line = _Line(self)
        self.line.pointed.connect(self.pointed)
        self.line.clicked.connect(self.go_to)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, SPACE, 0)
        row.setSpacing(2)
        row.addWidget(self.line, 1)
        row.addSpacing(SPACE)
        self._group = QButtonGroup(self)
        self.buttons: dict[Language, QToolButton] = {}
        for name, title in TITLES.items():
            button = QToolButton(self)
            button.setText(title)
            button.setCheckable(True)
            button.setToolTip(f"<b>{title}</b><br>{_ABOUT[name]}  (F8 goes to the next)")
            button.setProperty("language", name)
            self._group.addButton(button)
            row.addWidget(button)
            self.buttons[name] = button
        self._group.buttonClicked.connect(self._on_button)
        self.copy_button = QToolButton(self)
        self.copy_button.clicked.connect(self.copy)
        self.copy_button.setToolTip(
            "<b>Copy</b><br>The line, the LaTeX, or the PyTorch program with all digits"
        )
        row.addWidget(self.copy_button)
        self._restyle()
        self.set_language(language)

    @property
    def language(self) -> Language:
        """The language on show."""
        return self._language

    def set_language(self, language: Language) -> None:
        """Explain in another language from now on."""
        is_other = language != self._language
        self._language = language
        self.buttons[language].setChecked(True)
        self._fit()
        if is_other:
            self.show_dressed(None)
            self.language_changed.emit(language)

    def next_language(self) -> None:
        """Go to the next of the three."""
        names = list(TITLES)
        self.set_language(names[(names.index(self._language) + 1) % len(names)])

    def show_dressed(self, dressed: Dressed | None) -> None:
        """Show an explanation in the language that is on; others come too late."""
        if dressed is not None and dressed.explanation.language != self._language:
            return
        self._dressed = dressed
        self.line.show_dressed(dressed)
        self.copy_button.setEnabled(bool(dressed and dressed.explanation.copied))
        said = ""
        if dressed is not None:
            explanation = dressed.explanation
            said = explanation.text or explanation.copied
        self.line.setAccessibleName(f"{TITLES[self._language]}: {said}")

    @property
    def shown(self) -> Dressed | None:
        """What is on show."""
        return self._dressed

    def copy(self) -> None:
        """Put the line, the LaTeX or the program on the clipboard."""
        if self._dressed is not None and self._dressed.explanation.copied:
            QGuiApplication.clipboard().setText(self._dressed.explanation.copied)
            below = self.copy_button.mapToGlobal(QPoint(0, self.copy_button.height()))
            QToolTip.showText(below, "Copied", self.copy_button)

    def sizeHint(self) -> QSize:
        """As high as the language needs; the width is the window's."""
        height = MATHS_HEIGHT_PX if self._language == "maths" else TEXT_HEIGHT_PX
        return QSize(40 * SPACE, round(height * scale()))

    def minimumSizeHint(self) -> QSize:
        """A long line scrolls; it asks for no room."""
        return QSize(20 * SPACE, self.sizeHint().height())

    def _fit(self) -> None:
        self.setFixedHeight(self.sizeHint().height())
        self.updateGeometry()

    def _on_button(self, button: QToolButton) -> None:
        self.set_language(button.property("language"))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "copy_button"):
            self._restyle()
            self.line.update()

    def _restyle(self) -> None:
        self.copy_button.setIcon(icons.icon("copy"))
        size = round(16 * scale())
        self.copy_button.setIconSize(QSize(size, size))
        for button in self.buttons.values():
            button.setFont(ui_font(UI_FONT_PX - 1))
        self._fit()


_ABOUT: dict[Language, str] = {
    "excel": "The formula with its numbers put in; each number leads to its cell.",
    "maths": "The formula as mathematics, in symbols and in numbers.",
    "pytorch": "The same as PyTorch code that runs and gives the same number.",
}
