"""How the cells of a sheet are to be painted: formats, made ready once per format.

Owns the step from format ids to what the painter calls a thousand times a frame. Knows fonts
only by number and no colours but those that a format asks for itself.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradsheet.formula.address import Cell, Region
from gradsheet.sheet.formats import Format
from gradsheet.sheet.numberformat import NumberFormat, general_text, number_format
from gradsheet.sheet.workbook import Sheet

BOLD, ITALIC = 1, 2


class CellStyle:
    """One format, ready for painting.

    Attributes
    ----------
    number : callable (value, chars) -> str
        The text of a number; General rounds to `chars` characters, other formats ignore them.
    font : int
        `BOLD` and `ITALIC` bits.
    align : {"auto", "left", "center", "right"}
    color, fill : str
        `#RRGGBB`, or "" for the theme's.
    is_general : bool
        Whether a number may lose digits to fit the room there is.
    is_plain : bool
        Whether numbers are painted right-aligned in the theme's colour and regular letters.
    around_text : tuple of str
        What the format puts before and after a text.
    """

    __slots__ = (
        "_format",
        "align",
        "around_text",
        "color",
        "fill",
        "font",
        "is_general",
        "is_plain",
        "number",
    )

    def __init__(self, look: Format, date_1904: bool = False) -> None:
        self._format = number_format(look.code, date_1904)
        self.font = BOLD * look.bold | ITALIC * look.italic
        self.align = look.align
        self.color = look.color
        self.fill = look.fill
        self.around_text = self._format.text_section or ("", "")
        self.is_general = self._format.is_general or self._format.is_text
        self.number = _number_text(self._format)
        colours = any(section.color for section in self._format.sections)
        self.is_plain = not (
            self.font or self.color or self.fill or colours or self.align != "auto"
        )

    def number_color(self, value: float) -> str:
        """The colour a format asks for a number, "" for the theme's."""
        return self._format.color(value) or self.color

    def fitted(self, value: float, room: int, width_of: Callable[[str], int]) -> str:
        """A number in `room` px: General with fewer digits, else the sign of lack of room."""
        if self.is_general:
            for chars in range(12, 0, -1):
                text = general_text(value, chars)
                if len(text) <= chars and width_of(text) <= room:
                    return text
        hash_width = max(1, width_of("#"))
        return "#" * max(1, min(8, room // hash_width))


def _number_text(chosen: NumberFormat) -> Callable[[float, int], str]:
    if chosen.is_general or chosen.is_text:
        return general_text
    formatter = chosen.sections[0].formatter
    if len(chosen.sections) == 1 and formatter is not None:
        return lambda value, _chars: formatter(value)
    return chosen.text


class CellStyles:
    """The styles of one sheet, by cell."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._styles: dict[int, CellStyle] = {}

    def style(self, format_id: int) -> CellStyle:
        """The style of a format's number."""
        known = self._styles.get(format_id)
        if known is None:
            palette = self._sheet.formats.palette
            known = CellStyle(palette.format(format_id), palette.date_1904)
            self._styles[format_id] = known
        return known

    def at(self, cell: Cell) -> CellStyle:
        """The style of one cell."""
        return self.style(int(self._sheet.formats.plane(Region.of(cell))[0, 0]))

    def plane(self, region: Region) -> list[list[CellStyle]]:
        """The styles of a region, row by row. Rows may be one and the same list."""
        ids = self._sheet.formats.plane(region)
        first = int(ids[0, 0])
        if (ids == first).all():
            return [[self.style(first)] * region.cols] * region.rows
        styles = {int(i): self.style(int(i)) for i in np.unique(ids)}
        return [[styles[i] for i in row] for row in ids.tolist()]
