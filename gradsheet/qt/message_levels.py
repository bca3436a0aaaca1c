"""How the levels of a message look: an icon and a colour each.

Owns these only; the banner and the log of messages share them.
"""

from __future__ import annotations

from gradsheet.qt.theme import current_theme

ICONS = {"info": "info", "warning": "triangle-alert", "error": "circle-x"}


def level_colour(level: str) -> str:
    """Return the colour of a level's icon and stripe, ``#RRGGBB``."""
    theme = current_theme()
    return {"info": theme.accent, "warning": theme.warning, "error": theme.error}[level]
