"""Paints cells: a part of a pane, straight from the planes of the store.

Owns grounds, hairlines, numbers, role stripes and tags, and the selection frame. It reads one
block of values, kinds and format ids for the exposed cells and keeps nothing but fonts, widths
and where text ran over; it changes no document.

Measured (PySide6 6.11, raster, 1,080 changing numbers): `drawText(x, y, str)` at whole pixels
2.6 ms, `drawText` in a rectangle with alignment 3.4, one QGlyphRun for all 3.6 (building its
positions in Python), QStaticText 2.6 when it hits its cache but 7.3 when the numbers are new,
a QGlyphRun a cell 5.7. So: measure here, `drawText(x, y, str)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QLine, QRect
from PySide6.QtGui import QColor, QPainter, QPen, QRegion

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import ErrorCode, Kind, Strings
from gradsheet.qt.grid.cell_style import CellStyle, CellStyles
from gradsheet.qt.grid.decimals import DecimalPoints
from gradsheet.qt.grid.exposed import Block, Part, exposed_part, read_block
from gradsheet.qt.grid.geometry import Layout, Pane
from gradsheet.qt.grid.heat import Heat, paint_heat
from gradsheet.qt.grid.held_mark import paint_held
from gradsheet.qt.grid.marks import Mark, handle_box, paint_mark
from gradsheet.qt.grid.roles import Tag, draw_stripe, draw_tag
from gradsheet.qt.grid.typeface import Face, Faces
from gradsheet.qt.theme import (
    FRAME_PX,
    ROLE_COLOURS,
    Theme,
    blend,
    contrast_ratio,
    legible,
    translucent,
)
from gradsheet.sheet.roles import RoleRegion
from gradsheet.sheet.workbook import Sheet

PAD_PX = 6
_FAR_PX = 1 << 20
TIGHT_PX = 2
"""A number keeps at least this distance from the lines before it gives way to ###."""

_BLANK, _NUMBER, _TEXT = int(Kind.BLANK), int(Kind.NUMBER), int(Kind.TEXT)
_ERROR = int(Kind.ERROR)


@dataclass(frozen=True, slots=True)
class Scene:
    """What the painter needs to know of the view at this moment."""

    sheet: Sheet
    strings: Strings
    styles: CellStyles
    tags: tuple[Tag, ...]
    regions: Sequence[Region]
    current: Cell
    has_focus: bool
    heat: Heat
    points: DecimalPoints
    marks: Sequence[Mark] = ()
    has_handle: bool = False
    held: Sequence[Cell] = ()


class GridPainter:
    """Paints cells in one theme at one zoom.

    Attributes
    ----------
    overruns : dict of (row, col) to int
        Cells whose text ran over blank neighbours when last painted, and the column up to which
        it did; a change there must repaint all of it.
    """

    def __init__(self, theme: Theme, zoom: float) -> None:
        self.theme = theme
        self.faces = Faces(zoom)
        self.zoom = zoom
        self.pad = max(2, round(PAD_PX * zoom))
        self.overruns: dict[tuple[int, int], int] = {}
        self._sheet_colour = QColor(theme.sheet)
        self._text = QPen(QColor(theme.text))
        self._error = QPen(QColor(theme.error))
        self._line = QPen(QColor(theme.lines), 1)
        self._tints = {role: QColor(theme.role_tint(role)) for role in ROLE_COLOURS}
        self._tint_lines = {
            role: QPen(QColor(blend(theme.lines, colour, theme.tint)), 1)
            for role, colour in ROLE_COLOURS.items()
        }
        self._strong_line = QPen(QColor(theme.strong_lines), 1)
        self._wash = translucent(theme.accent, theme.wash)
        self._accent = QColor(theme.accent)

    # ------------------------------------------------------------------------------- one part

    def paint(self, painter: QPainter, layout: Layout, pane: Pane, exposed: QRect, scene: Scene
              ) -> None:  # fmt: skip
        """Paint what `exposed` uncovers of a pane."""
        clip = exposed.intersected(pane.area)
        if clip.isEmpty():
            return
        part = exposed_part(layout, pane, clip)
        block = read_block(layout, pane, part, scene.sheet.cells, scene.styles)
        self._forget_overruns(block.region)
        painter.setClipRect(clip)
        roles = [r for r in scene.sheet.roles if r.region.intersect(pane.region) is not None]
        self._grounds(painter, layout, pane, part, roles)
        overruns = self._run_over(painter, block, scene)
        self._open_lines(painter, layout, pane, scene.tags)
        self._fills(painter, block)
        paint_heat(painter, block, scene.heat, self.theme)
        for cell in scene.held:
            if pane.region.contains(cell):
                box = self._box(layout, pane, Region.of(cell))
                paint_held(painter, box, self.theme, self.zoom)
        self._washes(painter, layout, pane, scene)
        self._texts(painter, block, scene, overruns)
        self._notes(painter, layout, pane, scene)
        for role in roles:
            colour = self.theme.role_colour(role.role)
            draw_stripe(painter, pane.area, self._box(layout, pane, role.region), colour)
        for tag in scene.tags:
            if tag.cells.intersect(pane.region) is not None:
                box = self._box(layout, pane, tag.cells)
                draw_tag(painter, box, tag, self.faces.tag, self.theme, self.zoom)
        for region in scene.regions:
            if region.intersect(pane.region) is not None:
                self._frame(painter, self._box(layout, pane, region), scene, region)
        for mark in scene.marks:
            if mark.region.intersect(pane.region) is not None:
                paint_mark(painter, self._box(layout, pane, mark.region), mark)

    @staticmethod
    def _box(layout: Layout, pane: Pane, region: Region) -> QRect:
        """A region's rectangle in a pane, cut far outside of what can be seen."""
        left = max(layout.columns.offset(region.left) - pane.shift_x, -_FAR_PX)
        top = max(layout.rows.offset(region.top) - pane.shift_y, -_FAR_PX)
        right = min(layout.columns.offset(region.right) - pane.shift_x, _FAR_PX)
        bottom = min(layout.rows.offset(region.bottom) - pane.shift_y, _FAR_PX)
        return QRect(left, top, right - left, bottom - top)

    def _grounds(
        self, painter: QPainter, layout: Layout, pane: Pane, part: Part, roles: Sequence[RoleRegion]
    ) -> None:
        """The sheet and the roles' tints with hairlines on them, opaque and each px filled once.

        Laying translucent tints over the sheet took longer than all the numbers.
        """
        rest = QRegion(part.clip)
        tinted = []
        for role in reversed(roles):
            box = self._box(layout, pane, role.region)
            visible = rest.intersected(box)
            rest = rest.subtracted(box)
            for rect in visible:
                painter.fillRect(rect, self._tints[role.role.value])
                tinted.append((rect, self._tint_lines[role.role.value]))
        for rect in rest:
            painter.fillRect(rect, self._sheet_colour)
        self._lines(painter, part, part.clip, self._line)
        for rect, pen in tinted:
            self._lines(painter, part, rect, pen)

    @staticmethod
    def _lines(painter: QPainter, part: Part, box: QRect, pen: QPen) -> None:
        """Hairlines at the right and lower edge of each cell, inside a rectangle."""
        painter.setPen(pen)
        left, right = box.left(), min(box.right(), part.xs[-1] - 1)
        top, bottom = box.top(), min(box.bottom(), part.ys[-1] - 1)
        lines = [QLine(x - 1, top, x - 1, bottom) for x in part.xs[1:] if left < x <= right + 1]
        lines += [QLine(left, y - 1, right, y - 1) for y in part.ys[1:] if top < y <= bottom + 1]
        painter.drawLines(lines)

    def _washes(self, painter: QPainter, layout: Layout, pane: Pane, scene: Scene) -> None:
        for region in scene.regions:
            if region.size == 1:
                continue
            for part in region.subtract(Region.of(scene.current)):
                if part.intersect(pane.region) is not None:
                    painter.fillRect(self._box(layout, pane, part), self._wash)

    def _notes(self, painter: QPainter, layout: Layout, pane: Pane, scene: Scene) -> None:
        """A small corner in the accent's colour where a cell has a note."""
        for cell in scene.sheet.notes:
            box = self._box(layout, pane, Region.of(cell))
            if pane.region.contains(cell) and not box.isEmpty():
                for i in range(5):
                    painter.fillRect(box.right() - 5 + i, box.top() + i, 5 - i, 1, self._accent)

    def split_lines(self, painter: QPainter, layout: Layout, exposed: QRect) -> None:
        """The lines between frozen and scrolling cells."""
        painter.setClipRect(exposed)
        painter.setPen(self._strong_line)
        if layout.frozen.row:
            painter.drawLine(0, layout.split_y - 1, layout.width, layout.split_y - 1)
        if layout.frozen.col:
            painter.drawLine(layout.split_x - 1, 0, layout.split_x - 1, layout.height)

    def _fills(self, painter: QPainter, block: Block) -> None:
        """Grounds that formats ask for, over the hairlines' cells but not the lines."""
        for i, row in enumerate(block.styles):
            if i and row is block.styles[i - 1] and not any(style.fill for style in row):
                return  # one style, without a ground, for all
            for j, style in enumerate(row):
                if style.fill and block.before <= j < block.stop:
                    x, y = block.xs[j], block.ys[i]
                    width, height = block.xs[j + 1] - x - 1, block.ys[i + 1] - y - 1
                    if width > 0 and height > 0:  # Qt paints negative sizes too
                        painter.fillRect(x, y, width, height, QColor(style.fill))

    def _frame(self, painter: QPainter, box: QRect, scene: Scene, region: Region) -> None:
        """The selection's two-pixel frame, on the lines around the cells."""
        x, y, w, h = box.x() - 1, box.y() - 1, box.width() + 1, box.height() + 1
        thick = FRAME_PX if scene.has_focus and region is scene.regions[-1] else 1
        painter.fillRect(x, y, w, thick, self._accent)
        painter.fillRect(x, y + h - thick, w, thick, self._accent)
        painter.fillRect(x, y, thick, h, self._accent)
        painter.fillRect(x + w - thick, y, thick, h, self._accent)
        if scene.has_handle and region is scene.regions[-1]:
            handle = handle_box(box)
            painter.fillRect(handle.adjusted(-1, -1, 1, 1), self._sheet_colour)
            painter.fillRect(handle, self._accent)

    # -------------------------------------------------------------------------------- texts

    def _texts(
        self, painter: QPainter, block: Block, scene: Scene, overruns: dict[tuple[int, int], int]
    ) -> None:
        """Draw the text of every cell.

        The loop over plain numbers is written out here, for it is the program's busiest: about
        2 us a cell, most of it in drawText. Everything else is collected and drawn after it.
        """
        face = self.faces.plain
        painter.setFont(face.font)
        painter.setPen(self._text)
        draw, width_of, pad = painter.drawText, face.number_width, self.pad
        xs, ys, before, stop = block.xs, block.ys, block.before, block.stop
        digit = max(1, face.number_width("0"))
        rest: list[tuple[int, int]] = []
        lined = scene.points.plane(block.region)
        for i, (row, row_kinds) in enumerate(zip(block.values, block.kinds, strict=True)):
            if ys[i + 1] == ys[i]:
                continue  # hidden: its digits would stick out over the rows around it
            styles = block.styles[i]
            baseline = ys[i] + (ys[i + 1] - ys[i] - face.height) // 2 + face.ascent
            for j, kind in enumerate(row_kinds[:stop]):
                if kind == _BLANK or (j < before and kind != _TEXT):
                    continue
                style = styles[j]
                if kind != _NUMBER or not style.is_plain or (lined and lined[i][j]):
                    rest.append((i, j))
                    continue
                right = xs[j + 1]
                room = right - xs[j] - TIGHT_PX - TIGHT_PX
                text = style.number(row[j], room // digit)
                width = width_of(text)
                if width > room:
                    rest.append((i, j))
                    continue
                draw(right - min(pad, room + TIGHT_PX - width) - width, baseline, text)
        for i, j in rest:
            decimals = lined[i][j] if lined else 0
            self._other(painter, block, i, j, scene, overruns.get((i, j)), decimals)

    def _other(
        self, painter: QPainter, block: Block, i: int, j: int, scene: Scene, end: int | None,
        decimals: int,
    ) -> None:  # fmt: skip
        """Draw a text, a boolean, an error or a number in a style of its own.

        `end` is the column of the block up to which a text runs over, if it does; a General
        number keeps room for `decimals`.
        """
        kind, style, value = block.kinds[i][j], block.styles[i][j], block.values[i][j]
        face = self.faces.styles[style.font]
        left, right = block.xs[j], block.xs[j + 1]
        room = right - left - 2 * TIGHT_PX
        if room <= 0:
            return
        align = style.align
        colour = self._text
        if kind == _NUMBER:
            text = style.number(value, room // max(1, face.number_width("0")))
            if face.number_width(text) > room:
                face, text = self._squeezed(style, value, text, room)
            align = "right" if align == "auto" else align
            colour = self._pen(style.number_color(value), style.fill)
        elif kind == _TEXT:
            text = scene.strings.text(int(value)).replace("\n", " ").join(style.around_text)
            align = "left" if align == "auto" else align
            colour = self._pen(style.color, style.fill)
            right = block.xs[end] if end is not None else right
            text = face.elided(text, right - left - 2 * TIGHT_PX)
        else:
            text = ErrorCode(int(value)).text if kind == _ERROR else ("FALSE", "TRUE")[int(value)]
            text = face.elided(text, room)
            align = "center" if align == "auto" else align
            colour = self._error if kind == _ERROR else self._pen(style.color, style.fill)
        width = face.width(text)
        pad = max(0, min(self.pad, (right - left - width) // 2))
        if align == "left":
            x = left + pad
        elif align == "right":
            x = right - pad - width
            if decimals and kind == _NUMBER and style.is_general:
                short = decimals - len(text.partition(".")[2])
                spare = face.number_width("0" * short + "." * ("." not in text))
                x = max(left + TIGHT_PX, x - spare) if short > 0 else x
        else:
            x = left + (right - left - width) // 2
        top, bottom = block.ys[i], block.ys[i + 1]
        painter.setFont(face.font)
        painter.setPen(colour)
        painter.drawText(x, top + (bottom - top - face.height) // 2 + face.ascent, text)

    def _squeezed(self, style: CellStyle, value: float, text: str, room: int) -> tuple[Face, str]:
        """A number that has too little room: fewer digits in General, else narrower letters."""
        face = self.faces.styles[style.font]
        if not style.is_general:
            for narrow in self.faces.narrow[style.font]:
                if narrow.number_width(text) <= room:
                    return narrow, text
        return face, style.fitted(value, room, face.number_width)

    def _pen(self, colour: str, fill: str) -> QPen:
        """The pen of a format's own colour, the theme's without one, that its ground lets read."""
        if not colour and not fill:
            return self._text
        ground = fill or self.theme.sheet
        against = self.theme.text
        if fill:
            against = "#000000" if contrast_ratio(fill, "#000000") > 6 else "#FFFFFF"
        return QPen(QColor(legible(colour or self.theme.text, ground, against)))

    def _run_over(
        self, painter: QPainter, block: Block, scene: Scene
    ) -> dict[tuple[int, int], int]:
        """Find the texts that run over blank neighbours, and open the lines between these.

        Returns the column of the block up to which each goes, by its place in the block.
        """
        found: dict[tuple[int, int], int] = {}
        for i, kinds in enumerate(block.kinds):
            if _TEXT not in kinds or block.ys[i + 1] == block.ys[i]:
                continue
            for j, kind in enumerate(kinds[: block.stop]):
                style = block.styles[i][j]
                if kind != _TEXT or style.align not in ("auto", "left"):
                    continue
                width = self.faces.styles[style.font].width(
                    scene.strings.text(int(block.values[i][j])).join(style.around_text)
                )
                end = j + 1
                while (
                    end < len(kinds)
                    and kinds[end] == _BLANK
                    and block.xs[end] - block.xs[j] < width + 2 * TIGHT_PX
                ):
                    end += 1
                if end > j + 1:
                    found[i, j] = end
                    top, height = block.ys[i], block.ys[i + 1] - block.ys[i] - 1
                    origin = Cell(block.region.top + i, block.region.left + j)
                    ground = self._ground_at(origin, scene.sheet.roles)
                    for x in block.xs[j + 1 : end]:
                        painter.fillRect(x - 1, top, 1, height, ground)
                    self.overruns[origin] = block.region.left + end
        return found

    def _ground_at(self, cell: Cell, roles: Sequence[RoleRegion]) -> QColor:
        for role in reversed(roles):
            if role.region.contains(cell):
                return self._tints[role.role.value]
        return self._sheet_colour

    def _open_lines(
        self, painter: QPainter, layout: Layout, pane: Pane, tags: Sequence[Tag]
    ) -> None:
        """Take away the lines between the cells that a tag is written over."""
        for tag in tags:
            if tag.cells.intersect(pane.region) is None:
                continue
            box = self._box(layout, pane, tag.cells)
            for col in range(tag.cells.left + 1, tag.cells.right):
                x = layout.columns.offset(col) - pane.shift_x - 1
                painter.fillRect(x, box.top(), 1, box.height() - 1, self._sheet_colour)

    def _forget_overruns(self, region: Region) -> None:
        if self.overruns:
            for cell in [cell for cell in self.overruns if region.contains(cell)]:
                del self.overruns[cell]
