"""The guide of a lesson: Markdown, typeset for reading.

Owns measure, spacing and sizes of the text. Knows no lesson but its text.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QUrl, Signal
from PySide6.QtGui import (
    QColor,
    QDesktopServices,
    QFont,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextFragment,
)
from PySide6.QtWidgets import QFrame, QTextBrowser, QWidget

from gradsheet.qt.theme import SPACE, UI_FONT_PX, blend, current_theme, mono_font, ui_font
from gradsheet.qt.widgets.styling import set_style

BODY_PX = UI_FONT_PX + 1
HEADING_PX = {1: 20, 2: 16, 3: 14}
LINE_HEIGHT_PERCENT = 132.0


class Guide(QTextBrowser):
    """Shows one Markdown text."""

    command_asked = Signal(str)
    """A link `command:ID` was clicked."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setOpenLinks(False)
        self.setAccessibleName("Guide of the lesson")
        self.anchorClicked.connect(self._follow)
        self._text = ""
        self._typesetting = False
        self.show_text("")

    def show_text(self, markdown: str) -> None:
        """Show a text from its beginning."""
        self._text = markdown
        self._typeset()
        self.moveCursor(QTextCursor.MoveOperation.Start)
        self.verticalScrollBar().setValue(0)

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a new theme, and stay where the reader was."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and not self._typesetting:
            at = self.verticalScrollBar().value()
            self._typeset()
            self.verticalScrollBar().setValue(at)

    def _typeset(self) -> None:
        self._typesetting = True
        try:
            theme = current_theme()
            # The style sheet's border and padding would put a box inside the dock's box.
            set_style(
                self,
                f"QTextBrowser {{ border: none; border-radius: 0; background: {theme.sheet};"
                f" padding: 0 {SPACE // 2}px; }}",
            )
            document = self.document()
            document.setDocumentMargin(SPACE + SPACE // 2)
            document.setDefaultFont(ui_font(BODY_PX))
            document.setMarkdown(self._text, QTextDocument.MarkdownFeature.MarkdownDialectGitHub)
            block = document.begin()
            while block.isValid():
                self._typeset_block(block)
                block = block.next()
        finally:
            self._typesetting = False

    def _typeset_block(self, block: QTextBlock) -> None:
        cursor = QTextCursor(block)
        shape = QTextBlockFormat(block.blockFormat())
        level = shape.headingLevel()
        shape.setLineHeight(
            LINE_HEIGHT_PERCENT if not level else 115.0,
            QTextBlockFormat.LineHeightTypes.ProportionalHeight.value,
        )
        in_list = block.textList() is not None
        shape.setTopMargin(SPACE * 2 if level > 1 else 0)
        shape.setBottomMargin(SPACE // 2 if in_list else SPACE)
        cursor.setBlockFormat(shape)
        for piece in _fragments(block):
            cursor.setPosition(piece.position())
            cursor.setPosition(piece.position() + piece.length(), QTextCursor.MoveMode.KeepAnchor)
            cursor.setCharFormat(_typeset_characters(piece.charFormat(), level))

    def _follow(self, url: QUrl) -> None:
        if url.scheme() == "command":
            self.command_asked.emit(url.path())
        elif url.scheme() in ("http", "https"):
            QDesktopServices.openUrl(url)


def _fragments(block: QTextBlock) -> list[QTextFragment]:
    found = []
    pieces = block.begin()
    while not pieces.atEnd():
        found.append(pieces.fragment())
        pieces += 1
    return found


def _typeset_characters(given: QTextCharFormat, level: int) -> QTextCharFormat:
    """Return the format of a piece of text in a heading of `level`, or in the body for 0."""
    theme = current_theme()
    result = QTextCharFormat(given)
    # Markdown gives headings a relative size, which would win over the font's own.
    result.clearProperty(QTextFormat.Property.FontSizeAdjustment)
    if level:
        font = ui_font(HEADING_PX.get(level, BODY_PX))
        font.setWeight(QFont.Weight.DemiBold)
        result.setFont(font)
    elif given.fontFixedPitch():
        result.setFont(mono_font(BODY_PX - 1))
        result.setBackground(QColor(blend(theme.sheet, theme.text, 0.06)))
    return result
