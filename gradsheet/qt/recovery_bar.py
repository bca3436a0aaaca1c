"""Work that an earlier window left unsaved, offered above the sheet; never modal.

Owns how the offers look and that throwing work away is asked twice. Opens and removes nothing:
it says what was asked for.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gradsheet.app.saving.recovery import about
from gradsheet.files.autosaves import Autosaved
from gradsheet.qt import icons
from gradsheet.qt.theme import SPACE, STRIPE_PX, current_theme
from gradsheet.qt.widgets.styling import set_style

MOST_ROWS = 3
"""More are scrolled to, so that the sheet keeps its room."""


class RecoveryBar(QFrame):
    """Offers autosaves: Recover, Open original, Discard.

    Parameters
    ----------
    parent : QWidget
    """

    recover_asked = Signal(object)
    """The `Autosaved` to open."""
    original_asked = Signal(object)
    """The `Autosaved` whose older file is to be opened."""
    discard_asked = Signal(object)
    """The `Autosaved` to remove; it was confirmed."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("recovery")
        self.setAccessibleName("Unsaved work")
        self.rows: list[RecoveryRow] = []
        self._icon = QLabel(self)
        self._icon.setFixedSize(20, 20)
        self._heading = QLabel(self)
        self._heading.setWordWrap(True)
        self._close = QToolButton(self)
        self._close.setToolTip("Later: it is kept, and stands in File > Unsaved work")
        self._close.setAccessibleName("Close; the work is kept")
        self._close.clicked.connect(self.hide)
        head = QHBoxLayout()
        head.setSpacing(SPACE)
        head.addWidget(self._icon)
        head.addWidget(self._heading, 1)
        head.addWidget(self._close)
        self._holder = QWidget(self)
        self._holder.setObjectName("recovery_rows")
        self._lines = QVBoxLayout(self._holder)
        self._lines.setContentsMargins(20 + SPACE, 0, 0, 0)
        self._lines.setSpacing(SPACE // 2)
        self._area = QScrollArea(self)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setWidget(self._holder)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE + STRIPE_PX, SPACE // 2, SPACE // 2, SPACE)
        column.setSpacing(SPACE // 2)
        column.addLayout(head)
        column.addWidget(self._area)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.hide()

    def offer(self, entries: Sequence[Autosaved], heading: str) -> None:
        """Show these under a heading; nothing of it if there are none."""
        for row in self.rows:
            self._lines.removeWidget(row)
            row.deleteLater()
        self.rows = [RecoveryRow(entry, self) for entry in entries]
        for row in self.rows:
            self._lines.addWidget(row)
            row.show()
        self._heading.setText(f"<b>{html.escape(heading)}</b>")
        self.setAccessibleDescription(
            " ".join([heading, *(f"{e.origin.title}, {about(e)}." for e in entries)])
        )
        self._colour()
        self._fit()
        self.setVisible(bool(entries))

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a new theme, the size of a new font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_area"):
            self._colour()
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange) and self.isVisible():
            self._fit()

    def _fit(self) -> None:
        heights = [row.sizeHint().height() for row in self.rows[:MOST_ROWS]]
        gaps = self._lines.spacing() * max(len(heights) - 1, 0)
        half = heights[-1] // 2 if len(self.rows) > MOST_ROWS else 0
        # A row that is cut through its middle shows that there is more below it.
        self._area.setFixedHeight(sum(heights) + gaps + half)

    def _colour(self) -> None:
        theme = current_theme()
        set_style(
            self,
            f"#recovery {{ background: {theme.chrome}; border: none;"
            f" border-left: {STRIPE_PX}px solid {theme.accent};"
            f" border-bottom: 1px solid {theme.lines}; }}"
            " #recovery_rows, QScrollArea { background: transparent; }",
        )
        self._icon.setPixmap(icons.pixmap("archive-restore", 20, QColor(theme.accent)))
        self._close.setIcon(icons.icon("x"))


class RecoveryRow(QWidget):
    """One piece of work: what it is, and what can be done with it."""

    def __init__(self, entry: Autosaved, bar: RecoveryBar) -> None:
        super().__init__(bar)
        self.entry = entry
        self._bar = bar
        title = QLabel(f"<b>{html.escape(entry.origin.title)}</b>", self)
        title.setToolTip(entry.origin.original or "It has never been saved in a file.")
        self.text = QLabel(about(entry), self)
        self.text.setWordWrap(True)
        self.recover = self._button("Recover", "Open it as it was, with its run, to be saved")
        self.original = self._button("Open original", "Open the file as it was last saved")
        self.discard = self._button("Discard…", "Remove this work for good")
        self.sure = self._button("Discard for good", "This cannot be undone")
        self.keep = self._button("Keep", "Leave it where it is")
        self.recover.clicked.connect(partial(bar.recover_asked.emit, entry))
        self.original.clicked.connect(partial(bar.original_asked.emit, entry))
        self.discard.clicked.connect(partial(self._ask, True))
        self.keep.clicked.connect(partial(self._ask, False))
        self.sure.clicked.connect(partial(bar.discard_asked.emit, entry))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE)
        row.addWidget(title)
        row.addWidget(self.text, 1)
        for button in (self.original, self.recover, self.discard, self.sure, self.keep):
            row.addWidget(button)
        self._ask(False)

    def _button(self, text: str, tip: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setToolTip(tip)
        button.setAccessibleName(f"{text}: {self.entry.origin.title}")
        return button

    def _ask(self, is_asking: bool, _checked: bool = False) -> None:
        """Ask whether this work may really go, or go back to what can be done with it."""
        for button in (self.sure, self.keep):
            button.setVisible(is_asking)
        for button in (self.recover, self.discard):
            button.setVisible(not is_asking)
        self.original.setVisible(not is_asking and self.entry.original is not None)
        if is_asking:
            self.keep.setFocus()
