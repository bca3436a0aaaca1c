"""How a text that cannot be read is shown where it was typed: marked, with the reason below.

Owns the little panel and the marking; the text itself is never changed.
"""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLabel, QLineEdit, QWidget

from gradsheet.formula.values import FormulaError, UserError
from gradsheet.qt.theme import SPACE, current_theme

_MOST_WIDTH = 420


class InlineError(QLabel):
    """A note below (or above) a line editor that says what is wrong and what to do."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("inlineError")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def show_below(self, editor: QWidget, error: UserError) -> None:
        """Say `error` under the editor, above it where there is no room."""
        theme = current_theme()
        self.setStyleSheet(
            f"QLabel {{ background: {theme.sheet}; color: {theme.error}; padding: 4px {SPACE}px;"
            f" border: 1px solid {theme.error}; border-radius: 4px; }}"
        )
        self.setText(f"{error.text}\n{error.hint}" if error.hint else error.text)
        self.setAccessibleName(self.text())
        parent = self.parentWidget()
        assert parent is not None
        self.ensurePolished()  # the style sheet's font and padding count for the size
        lines = self.text().splitlines()
        need = max(self.fontMetrics().horizontalAdvance(line) for line in lines) + 3 * SPACE
        self.setFixedWidth(min(need, _MOST_WIDTH, max(160, parent.width() - 2 * SPACE)))
        self.setFixedHeight(self.heightForWidth(self.width()))
        place = editor.mapTo(parent, QPoint(0, editor.height() + 4))
        if place.y() + self.height() > parent.height():
            above = editor.mapTo(parent, QPoint(0, 0)).y() - self.height() - 4
            place.setY(max(0, above))
        place.setX(max(0, min(place.x(), parent.width() - self.width() - SPACE)))
        self.move(place)
        self.show()
        self.raise_()


def mark_error(editor: QLineEdit, error: UserError) -> None:
    """Select the characters that are wrong, or put the caret where something is missing."""
    if not isinstance(error, FormulaError) or error.column < 1:
        return
    start = min(error.column - 1, len(editor.text()))
    if error.length:
        editor.setSelection(start, error.length)
    else:
        editor.setCursorPosition(start)
