"""What dialogs share: quiet buttons and lists with room between their lines.

Owns looks only.
"""

from __future__ import annotations

from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QDialogButtonBox, QListWidget


def without_icons(buttons: QDialogButtonBox) -> QDialogButtonBox:
    """Take the style's coloured ticks and crosses off the buttons."""
    for button in buttons.buttons():
        button.setIcon(QIcon())
    return buttons


def roomy(listing: QListWidget) -> QListWidget:
    """Give the lines of a list room to be read and hit."""
    listing.setStyleSheet("QListWidget::item { padding: 4px 6px; }")
    return listing
