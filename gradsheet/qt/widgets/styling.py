"""Style sheets of single widgets, set without setting off another round of change events.

Setting a style sheet sends the widget a PaletteChange even when the text is the same; a widget
that restyles itself on that event would never come to an end.
"""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

PLAIN_BUTTONS = "QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }"
"""Buttons of dialogs without the style's own coloured icons."""


def set_style(widget: QWidget, text: str) -> None:
    """Give a widget this style sheet, unless it has it already."""
    if widget.styleSheet() != text:
        widget.setStyleSheet(text)
