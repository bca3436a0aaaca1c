"""How a role looks apart from its colour: its drawn sign, its stripe and its name tag.

Owns the shapes and where a tag finds room on a sheet. Colours come from the theme; whether a
cell is blank is asked of the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath

from gradsheet.formula.address import Region
from gradsheet.qt.grid.geometry import Axis
from gradsheet.qt.grid.typeface import Face
from gradsheet.qt.theme import ROLE_NAMES, STRIPE_PX, Theme
from gradsheet.sheet.roles import RoleRegion

SIGN_PX = 9
TAG_GAP_PX = 5
TAG_PAD_PX = 6
_REACH_OVER = 2
"""How many filled cells (ids, headings) may stand between a range and its tag at the left."""


def sign_path(role: str, box: QRectF) -> QPainterPath:
    """The sign of a role inside a square: circle, diamond, triangle, square, bar or cross.

    Shapes that are told apart without colour: data a circle, prediction a diamond, loss a
    triangle, item a square, user an upright bar, other parameters a cross.
    """
    path = QPainterPath()
    x, y, w, h = box.x(), box.y(), box.width(), box.height()
    if role == "data":
        path.addEllipse(box)
    elif role == "prediction":
        middle = box.center()
        points = [
            QPointF(middle.x(), y - 0.5),
            QPointF(x + w + 0.5, middle.y()),
            QPointF(middle.x(), y + h + 0.5),
            QPointF(x - 0.5, middle.y()),
        ]
        _close(path, points)
    elif role == "loss":
        _close(path, [QPointF(x + w / 2, y), QPointF(x + w, y + h), QPointF(x, y + h)])
    elif role == "item":
        path.addRect(box.adjusted(0.5, 0.5, -0.5, -0.5))
    elif role == "user":
        path.addRect(QRectF(x + w * 0.28, y, w * 0.44, h))
    else:
        arm = w * 0.34
        path.addRect(QRectF(x + (w - arm) / 2, y, arm, h))
        bar = QPainterPath()
        bar.addRect(QRectF(x, y + (h - arm) / 2, w, arm))
        path = path.united(bar)
    return path


def _close(path: QPainterPath, points: list[QPointF]) -> None:
    path.moveTo(points[0])
    for point in points[1:]:
        path.lineTo(point)
    path.closeSubpath()


def draw_sign(painter: QPainter, role: str, box: QRectF, colour: str) -> None:
    """Fill a role's sign. The one place in the grid that is antialiased."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.fillPath(sign_path(role, box), QColor(colour))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def tag_text(role: RoleRegion) -> str:
    """What the tag says: the range's own label, else the name of its role."""
    return role.label or ROLE_NAMES[role.role.value]


@dataclass(frozen=True, slots=True)
class Tag:
    """A name tag: the sign and the text, in blank cells beside a role's range.

    Attributes
    ----------
    cells : Region
        One row of blank cells that has room for it.
    align : Qt.AlignmentFlag
        AlignLeft or AlignRight inside these cells.
    text : str
        Empty where only the sign found room.
    """

    role: str
    text: str
    cells: Region
    align: Qt.AlignmentFlag


def draw_stripe(painter: QPainter, area: QRect, box: QRect, colour: str) -> None:
    """The solid edge of a range: three px on the left and upper line, a hairline at the others.

    It lies on the lines around the cells, mostly outside, so that it never touches a digit; at
    the edge of a pane (`area`) it moves inside, so that it is never cut off.
    """
    solid = QColor(colour)
    left, top = box.left(), box.top()
    x = left if left == area.left() else left - STRIPE_PX + 1
    y = top if top == area.top() else top - STRIPE_PX + 1
    painter.fillRect(x, y, STRIPE_PX, box.bottom() + 1 - y, solid)
    painter.fillRect(x, y, box.right() + 1 - x, STRIPE_PX, solid)
    painter.fillRect(left, box.bottom(), box.width(), 1, solid)
    painter.fillRect(box.right(), top, 1, box.height(), solid)


def draw_tag(
    painter: QPainter, box: QRect, tag: Tag, face: Face, theme: Theme, zoom: float
) -> None:
    """Write a tag, sign and text, into the rectangle of its cells."""
    sign = max(5, round(SIGN_PX * zoom))
    gap = max(2, round(TAG_GAP_PX * zoom))
    if tag.align == Qt.AlignmentFlag.AlignRight:
        pad = max(2, round(TAG_PAD_PX * zoom))
        x = box.right() + 1 - pad - face.width(tag.text) - gap - sign
    else:
        x = box.left() + 1
    y = box.top() + (box.height() - 1 - sign) / 2
    draw_sign(painter, tag.role, QRectF(x, y, sign, sign), theme.role_colour(tag.role))
    painter.setFont(face.font)
    painter.setPen(QColor(theme.text))
    baseline = box.top() + (box.height() - face.height) // 2 + face.ascent
    painter.drawText(x + sign + gap, baseline, tag.text)


def place_tags(
    roles: Sequence[RoleRegion],
    columns: Axis,
    rows: int,
    is_blank: Callable[[Region], bool],
    width_of: Callable[[str], int],
) -> tuple[Tag, ...]:
    """Find room for the tag of each role region; one without room has its stripe only.

    Above the range first (for one cell: at its left first), else at its left beyond ids and
    headings, else right below it, else at its right.
    """
    taken = [role.region for role in roles]
    tags: list[Tag] = []

    def free(cells: Region) -> bool:
        return (
            0 <= cells.top < rows
            and cells.left >= 0
            and cells.right <= columns.count
            and all(cells.intersect(other) is None for other in taken)
            and is_blank(cells)
        )

    for role in roles:
        if role.region.is_empty:
            continue
        text = tag_text(role)
        need = width_of(text) + SIGN_PX + TAG_GAP_PX + 12
        ways = [_above, _left, _below, _right]
        if role.region.size == 1:
            ways = [_left, _above, _right, _below]
        for way in ways:
            found = way(role.region, columns, need, free)
            if found is not None:
                cells, align = found
                tags.append(Tag(role.role.value, text, cells, align))
                taken.append(cells)
                break
    return tuple(tags)


_Free = Callable[[Region], bool]
_Found = tuple[Region, Qt.AlignmentFlag] | None


def _run_right(row: int, first: int, columns: Axis, need: int, free: _Free) -> _Found:
    right = first
    width = 0
    while width < need and right < columns.count:
        width += columns.size(right)
        right += 1
    cells = Region(row, first, row + 1, right)
    return (cells, Qt.AlignmentFlag.AlignLeft) if width >= need and free(cells) else None


def _above(region: Region, columns: Axis, need: int, free: _Free) -> _Found:
    return _run_right(region.top - 1, region.left, columns, need, free)


def _below(region: Region, columns: Axis, need: int, free: _Free) -> _Found:
    return _run_right(region.bottom, region.left, columns, need, free)


def _right(region: Region, columns: Axis, need: int, free: _Free) -> _Found:
    return _run_right(region.top, region.right, columns, need, free)


def _left(region: Region, columns: Axis, need: int, free: _Free) -> _Found:
    for skipped in range(_REACH_OVER + 1):
        right = region.left - skipped
        left = right
        width = 0
        while width < need and left > 0:
            left -= 1
            width += columns.size(left)
        cells = Region(region.top, left, region.top + 1, right)
        if width >= need and free(cells):
            return cells, Qt.AlignmentFlag.AlignRight
    return None
