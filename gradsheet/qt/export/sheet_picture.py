"""A part of a sheet painted on anything: a pixel image, vector graphics, a frame of an animation.

Owns the size and the layout of such a picture; cells and headers are painted by the grid's own
painters. Touches no widget, so that it may be called on any thread.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QColor, QPainter

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import Strings, UserError
from gradsheet.qt.grid.cell_style import CellStyles
from gradsheet.qt.grid.decimals import DecimalPoints
from gradsheet.qt.grid.extent import extent_of
from gradsheet.qt.grid.geometry import COLUMN_WIDTH_PX, ROW_HEIGHT_PX, Axis, Layout
from gradsheet.qt.grid.headers import HeaderPainter, header_sizes
from gradsheet.qt.grid.heat import Heat
from gradsheet.qt.grid.painter import GridPainter, Scene
from gradsheet.qt.grid.roles import place_tags
from gradsheet.qt.theme import Theme
from gradsheet.sheet.workbook import Sheet

MOST_PX = 12_000
"""The longest side of a picture of a sheet."""


class SheetPicture:
    """Cells of a sheet with their headers, in one theme.

    Parameters
    ----------
    sheet : Sheet
    strings : Strings
        The texts of its workbook.
    region : Region
        What to show.
    theme : Theme
    held : sequence of Cell
        Cells that show what the file stored.
    zoom : float

    Attributes
    ----------
    size : QSize
        Of the picture, in px.

    Raises
    ------
    UserError
        If the region is empty or too large for a picture.
    """

    def __init__(
        self, sheet: Sheet, strings: Strings, region: Region, theme: Theme, *,
        held: Sequence[Cell] = (), zoom: float = 1.0,
    ) -> None:  # fmt: skip
        if region.is_empty:
            raise UserError(f"There is nothing on {sheet.name} to make a picture of.",
                            "Fill some cells, or choose another sheet.")  # fmt: skip
        self._sheet, self._strings, self._held = sheet, strings, held
        self._painter = GridPainter(theme, zoom)
        faces = self._painter.faces
        self._headers = HeaderPainter(theme, faces, zoom)
        extent = extent_of(sheet)
        rows = Axis(extent.rows, ROW_HEIGHT_PX, sheet.row_heights, zoom)
        columns = Axis(extent.cols, COLUMN_WIDTH_PX, sheet.column_widths, zoom)
        self._sizes = header_sizes(sheet, faces, zoom, region.bottom - 1, columns)
        left, top = columns.offset(region.left), rows.offset(region.top)
        wide = columns.offset(region.right) - left + self._sizes.width
        high = rows.offset(region.bottom) - top + self._sizes.height
        if max(wide, high) > MOST_PX:
            raise UserError(f"{region} makes a picture of {wide:,} by {high:,} px.",
                            f"Select fewer cells: {MOST_PX:,} px is the most.")  # fmt: skip
        self._layout = Layout(rows, columns, wide, high, self._sizes.width, self._sizes.height,
                              Cell(0, 0), left, top)  # fmt: skip
        self._tags = place_tags(sheet.roles, columns, extent.rows,
                                lambda part: not sheet.cells.read(part)[1].any(),
                                faces.tag.width)  # fmt: skip
        self.size = QSize(wide, high)

    def paint(self, painter: QPainter) -> None:
        """Paint it at the origin of a painter."""
        sheet, layout = self._sheet, self._layout
        whole = QRect(0, 0, layout.width, layout.height)
        scene = Scene(sheet, self._strings, CellStyles(sheet), self._tags, (), Cell(-1, -1), False,
                      Heat(sheet), DecimalPoints(sheet), (), False, self._held)  # fmt: skip
        painter.fillRect(whole, QColor(self._painter.theme.sheet))
        for pane in layout.panes():
            self._painter.paint(painter, layout, pane, whole, scene)
        painter.setClipRect(whole)
        self._headers.paint(painter, layout, self._sizes, whole, sheet, ())
        painter.setClipping(False)


def used_region(sheet: Sheet) -> Region:
    """Return everything of a sheet that holds something, from A1 on, its roles too."""
    used = sheet.cells.used()
    for role in sheet.roles:
        used = used.union_hull(role.region)
    return Region(0, 0, used.bottom, used.right)
