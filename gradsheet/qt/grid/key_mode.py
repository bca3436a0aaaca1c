"""F8 and Shift+F8: keys that stretch the selection, or add to it, until Escape.

Owns which of the two is on. Knows no widget.
"""

from __future__ import annotations


class KeyMode:
    """What unshifted arrows do to the selection."""

    def __init__(self) -> None:
        self.extends = False
        self.adds = False

    def toggle_extend(self) -> None:
        """F8: arrows stretch the selection."""
        self.extends, self.adds = not self.extends, False

    def toggle_add(self) -> bool:
        """Shift+F8: what is selected stays, the next arrows choose another range.

        Returns
        -------
        Whether it is on now.
        """
        self.adds, self.extends = not self.adds, False
        return self.adds

    def leave(self) -> bool:
        """Escape: neither; False if none was on."""
        was = self.extends or self.adds
        self.extends = self.adds = False
        return was
