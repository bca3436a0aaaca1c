"""What lies over the cells of a grid and is not the selection: frames and arrows.

Owns who shows which frames now. What they say is their owners' affair; they are gone when the
owner takes them away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect
from PySide6.QtGui import QPainter

from gradsheet.qt.grid.arrows import Arrow, paint_arrows
from gradsheet.qt.grid.marks import Mark
from gradsheet.qt.theme import Theme

if TYPE_CHECKING:
    from gradsheet.qt.grid.canvas import GridCanvas

_MARGIN_PX = 4


class Overlay:
    """The frames and arrows over one canvas."""

    def __init__(self, canvas: GridCanvas) -> None:
        self._canvas = canvas
        self._marks: dict[str, tuple[Mark, ...]] = {}
        self._arrows: tuple[Arrow, ...] = ()

    def set_marks(self, owner: str, marks: tuple[Mark, ...]) -> None:
        """Show frames over cells in place of those that `owner` showed before."""
        before = self._marks.get(owner, ())
        if marks == before:
            return
        self._marks[owner] = marks
        for mark in set(before) ^ set(marks):
            self._canvas.update_region(mark.region, _MARGIN_PX)

    def marks(self, owner: str) -> tuple[Mark, ...]:
        """The frames that `owner` shows."""
        return self._marks.get(owner, ())

    def all_marks(self) -> list[Mark]:
        """The frames of all owners."""
        return [mark for marks in self._marks.values() for mark in marks]

    @property
    def arrows(self) -> tuple[Arrow, ...]:
        """The arrows on show."""
        return self._arrows

    def set_arrows(self, arrows: tuple[Arrow, ...]) -> None:
        """Show these arrows and no others."""
        if arrows != self._arrows:
            self._arrows = arrows
            self._canvas.viewport().update()

    def paint(self, painter: QPainter, exposed: QRect, theme: Theme) -> None:
        """Paint the arrows; the frames are painted with their cells."""
        if self._arrows:
            layout = self._canvas.layout_now
            painter.setClipRect(exposed.intersected(layout.cells_area()))
            paint_arrows(painter, layout, self._arrows, theme)
