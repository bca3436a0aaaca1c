"""A line to search titles in, with what fits below it while one types.

Owns the line and its popup. It is handed the names and tells which one was taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QListWidget, QListWidgetItem, QWidget

from gradsheet.qt.theme import SPACE, scale

if TYPE_CHECKING:
    from gradsheet.app.ratings.item_names import ItemNames

MOST = 12
_CODE = Qt.ItemDataRole.UserRole


class TitleSearch(QLineEdit):
    """Type part of a title; Down chooses, Enter takes, Escape closes the list, then clears."""

    taken = Signal(int)
    """The code of the title that was taken."""

    def __init__(self, parent: QWidget, name: str, hint: str) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setPlaceholderText(hint)
        self.setClearButtonEnabled(True)
        self.setToolTip(f"{name}: type a part of it, choose with Down, take with Enter.")
        self._names: ItemNames | None = None
        self.list = QListWidget(self.window())
        self.list.setFrameShape(QFrame.Shape.Box)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setAccessibleName(f"{name}: found")
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.hide()
        self.list.itemClicked.connect(self._on_clicked)
        self.textEdited.connect(self._search)

    def set_names(self, names: ItemNames) -> None:
        """Search among these."""
        self._names = names

    @property
    def found(self) -> list[int]:
        """Codes in the list."""
        return [int(self.list.item(row).data(_CODE)) for row in range(self.list.count())]

    def _search(self, text: str) -> None:
        self.list.clear()
        names = self._names
        codes = names.search(text, MOST) if names is not None else []
        for code in codes:
            assert names is not None
            count = int(names.counts[code])
            item = QListWidgetItem(f"{names.titles[code]}   {count:,}", self.list)
            item.setToolTip(f"{names.titles[code]}, {count:,} ratings")
            item.setData(_CODE, code)
        if text.strip() and not codes:
            item = QListWidgetItem("Nothing has these letters", self.list)
            item.setFlags(Qt.ItemFlag.NoItemFlags)
            item.setData(_CODE, -1)
        self.list.setCurrentRow(0 if codes else -1)
        self._show_list(bool(text.strip()))

    def _show_list(self, shown: bool) -> None:
        if not shown or not self.isVisible():
            self.list.hide()
            return
        # The popup is a child of the window, so that it takes no keyboard and is no window itself.
        window = self.window()
        if self.list.parentWidget() is not window:
            self.list.setParent(window)
        row = max(self.list.sizeHintForRow(0), round(22 * scale()))
        height = row * self.list.count() + 4
        place = self.mapTo(window, QPoint(0, self.height() + 2))
        width = max(self.width(), round(300 * scale()))
        left = min(place.x(), window.width() - width - SPACE)
        if place.y() + height > window.height():
            place.setY(max(0, self.mapTo(window, QPoint(0, 0)).y() - height - 2))
        self.list.setGeometry(max(left, 0), place.y(), width, height)
        self.list.show()
        self.list.raise_()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys of the list while the line has the keyboard."""
        key, count = event.key(), self.list.count()
        if key in (Qt.Key.Key_Down, Qt.Key.Key_Up) and not self.list.isHidden():
            step = 1 if key == Qt.Key.Key_Down else -1
            self.list.setCurrentRow((self.list.currentRow() + step) % max(count, 1))
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if not self.list.isHidden():
                self._take(self.list.currentItem())
        elif key == Qt.Key.Key_Escape and (not self.list.isHidden() or self.text()):
            if self.list.isHidden():
                self.clear()
            self.list.hide()
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        """Keep Escape from the window while there is something to close."""
        is_own = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if is_own and event.key() == Qt.Key.Key_Escape:  # type: ignore[attr-defined]
            event.accept()
            return True
        return super().event(event)

    def focusOutEvent(self, event: QEvent) -> None:
        """Close the list."""
        super().focusOutEvent(event)  # type: ignore[arg-type]
        self.list.hide()

    def hideEvent(self, event: QEvent) -> None:
        """Close the list with its line."""
        super().hideEvent(event)  # type: ignore[arg-type]
        self.list.hide()

    def _on_clicked(self, item: QListWidgetItem) -> None:
        self._take(item)

    def _take(self, item: QListWidgetItem | None) -> None:
        if item is None or int(item.data(_CODE)) < 0:
            return
        code = int(item.data(_CODE))
        self.list.hide()
        self.clear()
        self.taken.emit(code)
