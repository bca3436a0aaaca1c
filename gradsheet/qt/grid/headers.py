"""The headers of the grid: column letters and titles, row numbers and labels, role stripes.

Owns how large the headers must be, how they are painted and where an edge can be dragged. It
reads the sheet's labels, roles and sizes and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from PySide6.QtCore import QLine, QPoint, QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from gradsheet.formula.address import Region, column_name
from gradsheet.qt.grid.geometry import ROW_HEIGHT_PX, Axis, Layout
from gradsheet.qt.grid.typeface import Face, Faces
from gradsheet.qt.theme import Theme
from gradsheet.sheet.roles import RoleRegion
from gradsheet.sheet.workbook import Sheet

BAND_PX = 3
BAND_GAP_PX = 1
MOST_BANDS = 3
LABEL_LINES = 3
MOST_LABEL_PX = 160
LABEL_GAP_PX = 3
GRIP_PX = 4
"""How near to an edge the pointer must be to drag it."""
_LABELS_MEASURED = 500
"""Row labels that are measured for the width of the header; a longer one later is elided."""
_LEAST_ROW_NUMBER = 99


@dataclass(frozen=True, slots=True)
class Band:
    """A role's stripe in a header, over some rows or columns; `place` 0 is next to the cells."""

    role: str
    first: int
    stop: int
    place: int


def bands_of(roles: Iterable[RoleRegion], vertical: bool) -> tuple[Band, ...]:
    """Give each role's rows (or columns) a stripe of its own; equal neighbours share one.

    Parameters
    ----------
    vertical : bool
        True for the row headers.
    """
    spans: list[tuple[int, int, str]] = []
    for role in roles:
        region = role.region
        first, stop = (region.top, region.bottom) if vertical else (region.left, region.right)
        spans.append((first, stop, role.role.value))
    bands: list[Band] = []
    for first, stop, name in dict.fromkeys(spans):
        same = [b for b in bands if b.role == name and b.first <= first and stop <= b.stop]
        if same:
            continue
        used = {b.place for b in bands if b.first < stop and first < b.stop}
        place = next(i for i in range(len(bands) + 1) if i not in used)
        if place < MOST_BANDS:
            bands.append(Band(name, first, stop, place))
    return tuple(bands)


@dataclass(frozen=True, slots=True)
class HeaderSizes:
    """How large the headers are in px, and the stripes in them.

    Attributes
    ----------
    letters : int
        Height of the line of column letters.
    lines : int
        Lines of column labels below it.
    numbers : int
        Width of the row numbers; the rest of `width` is labels and stripes.
    """

    width: int
    height: int
    letters: int
    lines: int
    numbers: int
    columns: tuple[Band, ...]
    rows: tuple[Band, ...]


def header_sizes(sheet: Sheet, faces: Faces, zoom: float, last_row: int, columns: Axis
                 ) -> HeaderSizes:  # fmt: skip
    """Measure the headers of a sheet whose last visible row is `last_row` (zero-based)."""
    gap = max(2, round(6 * zoom))
    cells = sheet.cells
    last = last_row + 1 if cells.order is None else cells.source_extent().bottom
    digits = len(str(max(last, _LEAST_ROW_NUMBER)))
    numbers = round(faces.header.number_width("0" * digits)) + 2 * gap
    column_bands, row_bands = bands_of(sheet.roles, False), bands_of(sheet.roles, True)
    width = numbers + _depth(row_bands)
    label = max((faces.header.width(t) for t in _some(sheet.row_labels)), default=0)
    if label:
        width += min(label, round(MOST_LABEL_PX * zoom)) + gap
    letters = max(faces.header.height + 4, round(ROW_HEIGHT_PX * zoom))
    lines = _label_lines(sheet.column_labels, faces, columns, gap)
    height = letters + lines * faces.labels[0].height + (gap if lines else 0) + _depth(column_bands)
    return HeaderSizes(width, height, letters, lines, numbers, column_bands, row_bands)


def _some(labels: Mapping[int, str]) -> Iterable[str]:
    return islice(labels.values(), _LABELS_MEASURED)


def _depth(bands: Sequence[Band]) -> int:
    places = max((band.place + 1 for band in bands), default=0)
    return places * (BAND_PX + BAND_GAP_PX) + (BAND_GAP_PX if places else 0)


def _label_lines(labels: Mapping[int, str], faces: Faces, columns: Axis, gap: int) -> int:
    lines = 0
    for col, label in islice(labels.items(), _LABELS_MEASURED):
        lines = max(lines, len(fit_label(label, columns.size(col) - LABEL_GAP_PX, faces)[1]))
    return lines


def fit_label(text: str, width: int, faces: Faces) -> tuple[Face, list[str]]:
    """Break a label into at most three lines, in narrower letters if it does not fit else."""
    face = faces.labels[0]
    lines: list[str] = []
    for face in faces.labels:
        lines, fits = face.wrapped(text, width, LABEL_LINES)
        if fits:
            break
    return face, lines


class HeaderPainter:
    """Paints the headers in one theme with the faces of one zoom."""

    def __init__(self, theme: Theme, faces: Faces, zoom: float) -> None:
        self.theme = theme
        self.faces = faces
        self._gap = max(2, round(6 * zoom))
        self._ground = QColor(theme.header)
        self._selected = QColor(theme.header_selected)
        self._accent = QColor(theme.accent)
        self._line = QPen(QColor(theme.strong_lines), 1)
        self._hairline = QPen(QColor(theme.lines), 1)
        self._text = QPen(QColor(theme.text))
        self._muted = QPen(QColor(theme.muted))
        self._moved = QPen(QColor(theme.accent))

    def paint(
        self,
        painter: QPainter,
        layout: Layout,
        sizes: HeaderSizes,
        exposed: QRect,
        sheet: Sheet,
        regions: Sequence[Region],
    ) -> None:
        """Paint what `exposed` uncovers of both headers and of the corner between them."""
        top = QRect(0, 0, layout.width, layout.header_height).intersected(exposed)
        if not top.isEmpty():
            painter.setClipRect(top)
            painter.fillRect(top, self._ground)
            for cols, left, right, shift in layout.column_spans():
                area = QRect(left, 0, right - left, layout.header_height).intersected(exposed)
                if not area.isEmpty():
                    painter.setClipRect(area)
                    self._columns(painter, layout, sizes, cols, shift, sheet, regions)
        side = QRect(0, layout.header_height, layout.header_width, layout.height)
        side = side.intersected(exposed)
        if not side.isEmpty():
            painter.setClipRect(side)
            painter.fillRect(side, self._ground)
            for rows, begin, end, shift in layout.row_spans():
                area = QRect(0, begin, layout.header_width, end - begin).intersected(exposed)
                if not area.isEmpty():
                    painter.setClipRect(area)
                    self._rows(painter, layout, sizes, rows, shift, sheet, regions)
        painter.setClipRect(exposed)
        painter.setPen(self._line)
        x, y = layout.header_width - 1, layout.header_height - 1
        painter.drawLines([QLine(0, y, layout.width, y), QLine(x, 0, x, layout.height)])

    def _columns(
        self,
        painter: QPainter,
        layout: Layout,
        sizes: HeaderSizes,
        cols: range,
        shift: int,
        sheet: Sheet,
        regions: Sequence[Region],
    ) -> None:
        height = layout.header_height
        edges = [x - shift for x in layout.columns.edges(cols)]
        for i, col in enumerate(cols):
            left, right = edges[i], edges[i + 1]
            if right == left:
                continue
            chosen = any(r.left <= col < r.right for r in regions)
            if chosen:
                painter.fillRect(left, 0, right - left - 1, height - 1, self._selected)
            face = self.faces.header_bold if chosen else self.faces.header
            name = column_name(col)
            painter.setFont(face.font)
            painter.setPen(self._text if chosen else self._muted)
            x = left + (right - left - face.width(name)) // 2
            painter.drawText(x, (sizes.letters - face.height) // 2 + face.ascent, name)
            if label := sheet.column_labels.get(col):
                self._label(painter, label, left, right, sizes.letters)
            painter.setPen(self._hairline)
            painter.drawLine(right - 1, 0, right - 1, height)
        for band in sizes.columns:
            first, stop = max(band.first, cols.start), min(band.stop, cols.stop)
            if first < stop:
                y = height - 1 - (band.place + 1) * (BAND_PX + BAND_GAP_PX)
                left, right = edges[first - cols.start], edges[stop - cols.start]
                colour = QColor(self.theme.role_colour(band.role))
                painter.fillRect(left, y, right - left - 1, BAND_PX, colour)

    def _label(self, painter: QPainter, label: str, left: int, right: int, top: int) -> None:
        """A column's label, centred, in up to three lines."""
        face, lines = fit_label(label, right - left - LABEL_GAP_PX, self.faces)
        painter.setFont(face.font)
        painter.setPen(self._text)
        for line in lines:
            x = left + (right - left - face.width(line)) // 2
            painter.drawText(x, top + face.ascent, line)
            top += face.height

    def _rows(
        self,
        painter: QPainter,
        layout: Layout,
        sizes: HeaderSizes,
        rows: range,
        shift: int,
        sheet: Sheet,
        regions: Sequence[Region],
    ) -> None:
        width = layout.header_width
        room = width - sizes.numbers - _depth(sizes.rows)
        edges = [y - shift for y in layout.rows.edges(rows)]
        for i, row in enumerate(rows):
            top, bottom = edges[i], edges[i + 1]
            if bottom == top:
                continue
            chosen = any(r.top <= row < r.bottom for r in regions)
            if chosen:
                painter.fillRect(0, top, width - 1, bottom - top - 1, self._selected)
            face = self.faces.header_bold if chosen else self.faces.header
            # The row that formulas know it by: sorting and filtering only show it elsewhere.
            number = str(sheet.cells.source_row(row) + 1)
            painter.setFont(face.font)
            quiet = self._muted if sheet.cells.order is None else self._moved
            painter.setPen(self._text if chosen else quiet)
            baseline = top + (bottom - top - face.height) // 2 + face.ascent
            painter.drawText(sizes.numbers - self._gap - face.width(number), baseline, number)
            if label := sheet.row_labels.get(row):
                face = self.faces.header
                painter.setFont(face.font)
                painter.setPen(self._text)
                baseline = top + (bottom - top - face.height) // 2 + face.ascent
                painter.drawText(sizes.numbers, baseline, face.elided(label, room))
            painter.setPen(self._hairline)
            painter.drawLine(0, bottom - 1, width, bottom - 1)
        for band in sizes.rows:
            first, stop = max(band.first, rows.start), min(band.stop, rows.stop)
            if first < stop:
                x = width - 1 - (band.place + 1) * (BAND_PX + BAND_GAP_PX)
                top, bottom = edges[first - rows.start], edges[stop - rows.start]
                colour = QColor(self.theme.role_colour(band.role))
                painter.fillRect(x, top, BAND_PX, bottom - top - 1, colour)


def grip_at(layout: Layout, point: QPoint) -> tuple[Qt.Orientation, int] | None:
    """The column (horizontal) or row (vertical) whose far edge can be dragged at a point."""
    x, y = point.x(), point.y()
    if y < layout.header_height and x >= layout.header_width:
        col = layout.column_at(x)
        left = layout.x_of(col)
        if left + layout.columns.size(col) - x <= GRIP_PX:
            return Qt.Orientation.Horizontal, col
        if x - left < GRIP_PX and col > 0:
            return Qt.Orientation.Horizontal, col - 1
    if x < layout.header_width and y >= layout.header_height:
        row = layout.row_at(y)
        top = layout.y_of(row)
        if top + layout.rows.size(row) - y <= GRIP_PX:
            return Qt.Orientation.Vertical, row
        if y - top < GRIP_PX and row > 0:
            return Qt.Orientation.Vertical, row - 1
    return None
