"""The list of lessons: a title and one line each.

Owns how an entry looks and which one is open. Knows lessons as (id, title, summary) and nothing
of documents: it says `chosen` and is told `show_lesson`.
"""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from gradsheet.lessons.lesson import Lesson
from gradsheet.qt.theme import SPACE, STRIPE_PX, blend, current_theme

ID = Qt.ItemDataRole.UserRole
SUMMARY = Qt.ItemDataRole.UserRole + 1
AnyIndex = QModelIndex | QPersistentModelIndex


class _EntryDelegate(QStyledItemDelegate):
    """Paints a title in the text colour and its summary below, muted and wrapped."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        theme = current_theme()
        state = option.state
        rect = option.rect
        painter.save()
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, QColor(theme.selection_wash()))
            stripe = QRect(rect.left(), rect.top(), STRIPE_PX, rect.height())
            painter.fillRect(stripe, QColor(theme.accent))
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, QColor(blend(theme.sheet, theme.text, 0.04)))
        inner = rect.adjusted(SPACE + STRIPE_PX, SPACE // 2 + 2, -SPACE, -SPACE // 2)
        painter.setFont(_bold(option.font))
        painter.setPen(QColor(theme.text))
        title_height = QFontMetrics(painter.font()).height()
        title_rect = QRect(inner.left(), inner.top(), inner.width(), title_height)
        painter.drawText(title_rect, Qt.AlignmentFlag.AlignLeft, index.data())
        painter.setFont(option.font)
        painter.setPen(QColor(theme.muted))
        rest = inner.adjusted(0, title_height + 1, 0, 0)
        flags = Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap
        painter.drawText(rest, flags, index.data(SUMMARY))
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QColor(theme.accent))
            painter.drawRect(rect.adjusted(0, 0, -1, -1))
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        view = self.parent()
        assert isinstance(view, QListWidget)
        width = max(view.viewport().width(), 16 * SPACE)
        flags = int(Qt.AlignmentFlag.AlignLeft) | int(Qt.TextFlag.TextWordWrap)
        available = QRect(0, 0, width - 2 * SPACE - STRIPE_PX, 10_000)
        text = QFontMetrics(option.font).boundingRect(available, flags, index.data(SUMMARY))
        title_height = QFontMetrics(_bold(option.font)).height()
        return QSize(width, title_height + text.height() + SPACE + 4)


def _bold(font: QFont) -> QFont:
    result = QFont(font)
    result.setWeight(QFont.Weight.DemiBold)
    return result


class LessonList(QListWidget):
    """The lessons in the order of the lecture; a click or Enter opens one."""

    chosen = Signal(str)
    """Id of the lesson that the user wants to open."""

    def __init__(self, lessons: Iterable[Lesson], parent: QWidget) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setItemDelegate(_EntryDelegate(self))
        self.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setResizeMode(QListWidget.ResizeMode.Adjust)
        self.setAccessibleName("Lessons")
        self.setMouseTracking(True)
        for lesson in lessons:
            item = QListWidgetItem(lesson.title, self)
            item.setData(ID, lesson.id)
            item.setData(SUMMARY, lesson.summary)
            item.setToolTip(f"<b>{lesson.title}</b><br>{lesson.summary}")
            item.setData(
                Qt.ItemDataRole.AccessibleTextRole, f"Lesson {lesson.title}. {lesson.summary}"
            )
        self._open_id = ""
        self.itemClicked.connect(self._choose)
        self.itemActivated.connect(self._choose)

    @property
    def open_id(self) -> str:
        """Id of the lesson that is marked as open."""
        return self._open_id

    def show_lesson(self, lesson_id: str) -> None:
        """Mark the lesson that is open."""
        self._open_id = lesson_id
        for row in range(self.count()):
            if self.item(row).data(ID) == lesson_id:
                self.setCurrentRow(row)

    def sizeHint(self) -> QSize:
        """Ask for the height of all entries."""
        return QSize(30 * SPACE, self._content_height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Never be higher than the entries are at this width."""
        super().resizeEvent(event)
        self.setMaximumHeight(self._content_height())

    def _content_height(self) -> int:
        return sum(self.sizeHintForRow(row) for row in range(self.count())) + SPACE // 2

    def changeEvent(self, event: QEvent) -> None:
        """Paint the entries in the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.viewport().update()

    def _choose(self, item: QListWidgetItem) -> None:
        lesson_id = item.data(ID)
        if lesson_id != self._open_id:
            self.chosen.emit(lesson_id)
