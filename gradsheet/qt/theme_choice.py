"""Which theme the user's choice means now: the system may be light, dark or high contrast.

Owns the question to the system; the themes themselves are `gradsheet.qt.theme`'s.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from gradsheet.qt.theme import CONTRAST, DARK, LIGHT, THEMES, Theme


def chosen_theme(name: str) -> Theme:
    """Return the theme of a choice; "system" asks the system."""
    return THEMES[name] if name in THEMES else _system_theme()


def _system_theme() -> Theme:
    hints = QGuiApplication.styleHints()
    if hasattr(hints, "accessibility"):  # Qt >= 6.10
        preference = hints.accessibility().contrastPreference()
        if preference == Qt.ContrastPreference.HighContrast:
            return CONTRAST
    return DARK if hints.colorScheme() == Qt.ColorScheme.Dark else LIGHT


def follow_system(changed: Callable[[], None]) -> None:
    """Call `changed` whenever the system turns light or dark; ends with its receiver."""
    QGuiApplication.styleHints().colorSchemeChanged.connect(changed)
