"""Rows and columns as a whole: insert, delete, hide, fit, freeze; and filling beside others.

Owns what the selection means for them. Every function makes one edit with a name of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import Kind
from gradsheet.qt.grid.drags import fill_to
from gradsheet.qt.grid.geometry import COLUMN_WIDTH_PX, ROW_HEIGHT_PX
from gradsheet.qt.grid.headers import fit_label
from gradsheet.sheet.edits import (
    Composite,
    DeleteColumns,
    DeleteRows,
    Edit,
    Fill,
    Freeze,
    InsertColumns,
    InsertRows,
    MoveColumns,
    MoveRows,
    ResizeColumns,
    ResizeRows,
)

if TYPE_CHECKING:
    from gradsheet.qt.grid.view import GridView

Axis = Literal["row", "column"]
MOST_LINES = 100_000
_MOST_FITTED = 20_000
"""Cells of a column that are measured; a longer one is fitted to its first cells."""
_MOST_WIDTH_PX = 480
_ROOM_PX = 12


def spans(view: GridView, axis: Axis) -> list[tuple[int, int]]:
    """First and last-but-one line of each selected stretch, joined, from the top or left."""
    pairs = sorted(
        (r.top, r.bottom) if axis == "row" else (r.left, r.right) for r in view.selection
    )
    joined: list[tuple[int, int]] = []
    for first, stop in pairs:
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(stop, joined[-1][1]))
        else:
            joined.append((first, stop))
    return joined


def _is_everything(view: GridView, axis: Axis, stretches: list[tuple[int, int]]) -> bool:
    limit = view.extent.rows if axis == "row" else view.extent.cols
    if stretches == [(0, limit)]:
        other = "columns" if axis == "row" else "rows"
        view.message.emit(
            f"All {axis}s are selected.", f"Click a {axis}'s header, or select fewer {other}."
        )
        return True
    return False


def insert(view: GridView, axis: Axis, after: bool = False) -> None:
    """Insert as many lines as are selected, before each stretch (or after it)."""
    stretches = spans(view, axis)
    if _is_everything(view, axis, stretches):
        return
    kind = InsertRows if axis == "row" else InsertColumns
    edits: list[Edit] = [
        kind(view.sheet_id, stop if after else first, stop - first)
        for first, stop in reversed(stretches)
    ]
    count = sum(stop - first for first, stop in stretches)
    view.attempt(Composite(tuple(edits)), _label("Insert", axis, count))


def delete(view: GridView, axis: Axis) -> None:
    """Delete the selected lines; formulas close up, and become #REF! where all is gone."""
    stretches = spans(view, axis)
    if _is_everything(view, axis, stretches):
        return
    kind = DeleteRows if axis == "row" else DeleteColumns
    edits: list[Edit] = [
        kind(view.sheet_id, first, stop - first) for first, stop in reversed(stretches)
    ]
    count = sum(stop - first for first, stop in stretches)
    if view.attempt(Composite(tuple(edits)), _label("Delete", axis, count)):
        view.select(view.current)


def move(view: GridView, axis: Axis, forward: bool) -> None:
    """Move the selected lines past their neighbour; formulas and the selection follow."""
    stretches = spans(view, axis)
    if _is_everything(view, axis, stretches):
        return
    if len(stretches) > 1:
        view.message.emit(
            f"The selected {axis}s do not lie together.", f"Select {axis}s that do, and move them."
        )
        return
    first, stop = stretches[0]
    limit = view.extent.rows if axis == "row" else view.extent.cols
    to = stop + 1 if forward else first - 1
    if not 0 <= to <= limit:
        view.message.emit(f"There is no {axis} to go past.", "They are at the edge of the sheet.")
        return
    kind = MoveRows if axis == "row" else MoveColumns
    regions, current = view.selection, view.current
    edit = kind(view.sheet_id, first, stop - first, to)
    if view.attempt(edit, edit.label):
        by = 1 if forward else -1
        down, across = (by, 0) if axis == "row" else (0, by)
        moved = [
            Region(r.top + down, r.left + across, r.bottom + down, r.right + across)
            for r in regions
        ]
        view.select(moved, Cell(current.row + down, current.col + across))


def set_size(view: GridView, axis: Axis, size_px: int) -> None:
    """Give the selected lines a size, px at 100 %."""
    chosen = [
        (index, size_px)
        for first, stop in spans(view, axis)
        for index in range(first, min(stop, first + MOST_LINES))
    ]
    _resize(view, axis, chosen, _label("Resize", axis, len(chosen)))


def size_now(view: GridView, axis: Axis) -> int:
    """The size of the current cell's line, px at 100 %."""
    if axis == "row":
        return abs(view.sheet.row_heights.get(view.current.row, ROW_HEIGHT_PX))
    return abs(view.sheet.column_widths.get(view.current.col, COLUMN_WIDTH_PX))


def fill_series(view: GridView) -> None:
    """Go on with what stands at the start of the selection: down where it is higher than wide."""
    region = view.selection[-1]
    down = region.rows >= region.cols
    along = region.rows if down else region.cols
    least = min(along, MOST_LINES)
    start = (
        Region(region.top, region.left, region.top + least, region.right) if down
        else Region(region.top, region.left, region.bottom, region.left + least)
    )  # fmt: skip
    _, kinds = view.sheet.cells.read(start)
    filled = (kinds != Kind.BLANK).any(axis=1 if down else 0)
    count = int(filled.argmin()) if not filled.all() else least
    if not 0 < count < along:
        view.message.emit(
            "There is nothing to go on with." if not count else "There is no room to go on.",
            "Select the first one or two numbers of a series and the blank cells after them.",
        )
        return
    source = (
        Region(region.top, region.left, region.top + count, region.right) if down
        else Region(region.top, region.left, region.bottom, region.left + count)
    )  # fmt: skip
    edit = Fill(view.sheet_id, source, region, series=True, from_one=count == 1)
    view.attempt(edit, "Fill series")


def _label(verb: str, axis: Axis, count: int) -> str:
    return f"{verb} {axis}" if count == 1 else f"{verb} {count:,} {axis}s"


def hide(view: GridView, axis: Axis) -> None:
    """Hide the selected lines; they keep their size for when they come back."""
    stretches = spans(view, axis)
    if _is_everything(view, axis, stretches):
        return
    sizes = view.sheet.row_heights if axis == "row" else view.sheet.column_widths
    hidden = [
        (index, -abs(sizes.get(index, 0)))
        for first, stop in stretches
        for index in range(first, min(stop, first + MOST_LINES))
    ]
    _resize(view, axis, hidden, _label("Hide", axis, len(hidden)))
    layout = view.layout_now
    lines, limit = (
        (layout.rows, view.extent.rows) if axis == "row" else (layout.columns, view.extent.cols)
    )
    last = stretches[-1][1]
    seen = last if last < limit and lines.size(last) else lines.step(stretches[0][0], -1)
    row, col = view.current
    view.select(Cell(seen, col) if axis == "row" else Cell(row, seen))


def unhide(view: GridView, axis: Axis) -> None:
    """Show hidden lines in the selection and beside it again, at the size they had."""
    sizes = view.sheet.row_heights if axis == "row" else view.sheet.column_widths
    found: list[tuple[int, int | None]] = []
    for first, stop in spans(view, axis):
        while sizes.get(first - 1, 1) <= 0:
            first -= 1
        while sizes.get(stop, 1) <= 0:
            stop += 1
        found += [(i, -px or None) for i, px in sizes.items() if first <= i < stop and px <= 0]
    if not found:
        view.message.emit(
            f"No hidden {axis}s here.", f"Select the {axis}s on both sides of the hidden ones."
        )
        return
    _resize(view, axis, found, _label("Show", axis, len(found)))


def _resize(
    view: GridView, axis: Axis, sizes: list[tuple[int, int]] | list[tuple[int, int | None]],
    label: str,
) -> None:  # fmt: skip
    kind = ResizeRows if axis == "row" else ResizeColumns
    view.attempt(kind(view.sheet_id, tuple(sizes)), label)


def has_hidden(view: GridView) -> bool:
    """Whether the sheet hides any row or column."""
    sheet = view.sheet
    return any(px <= 0 for px in (*sheet.row_heights.values(), *sheet.column_widths.values()))


def fit(view: GridView, indices: list[int], is_column: bool) -> None:
    """Make columns as wide as what they hold; rows as high as at first."""
    if not is_column:
        rows = tuple((index, None) for index in indices)
        view.attempt(ResizeRows(view.sheet_id, rows), "Fit rows")
        return
    sizes = tuple((index, _fitting_width(view, index)) for index in indices)
    view.attempt(ResizeColumns(view.sheet_id, sizes), _label("Fit", "column", len(sizes)))


def _fitting_width(view: GridView, col: int) -> int:
    """The width in px at zoom 1 that shows every number and most texts of a column."""
    sheet, strings = view.sheet, view.document.workbook.strings
    used = sheet.cells.used()
    region = Region(0, col, min(used.bottom, _MOST_FITTED), col + 1)
    widest = 0
    if not region.is_empty:
        values, kinds = sheet.cells.read(region)
        for i, (value, kind) in enumerate(
            zip(values[:, 0].tolist(), kinds[:, 0].tolist(), strict=True)
        ):
            if kind == Kind.BLANK:
                continue
            style = view.styles.at(Cell(i, col))
            face = view.faces.styles[style.font]
            if kind == Kind.NUMBER:
                width = face.number_width(style.number(value, 12))
            elif kind == Kind.TEXT:
                width = face.width(strings.text(int(value)))
            else:
                width = face.width("#UNSUPPORTED!" if kind == Kind.ERROR else "FALSE")
            widest = max(widest, width)
    label = sheet.column_labels.get(col)
    if label:
        words = max(label.split(), key=len, default="")
        face, _ = fit_label(words, 10_000, view.faces)
        widest = max(widest, face.width(words))
    if not widest:
        return COLUMN_WIDTH_PX
    return min(round(widest / view.zoom) + _ROOM_PX, _MOST_WIDTH_PX)


def freeze(view: GridView, rows: int, cols: int) -> None:
    """Keep so many rows and columns in sight."""
    frozen = Cell(rows, cols)
    label = "Freeze panes" if rows or cols else "Unfreeze panes"
    view.attempt(Freeze(view.sheet_id, frozen), label)


def freeze_here(view: GridView) -> None:
    """Keep what is above and left of the current cell in sight; again: let it go."""
    row, col = view.current
    if view.sheet.frozen != Cell(0, 0):
        freeze(view, 0, 0)
        return
    visible = view.visible_region()
    rows = row if visible.top <= row else 0
    room_high = view.viewport().height() - view.layout_now.header_height - 3 * ROW_HEIGHT_PX
    if view.layout_now.rows.offset(rows) > room_high:
        view.message.emit(
            f"Row {row + 1} lies too far down to keep all above it in sight.",
            "Choose a cell nearer to the top left.",
        )
        return
    freeze(view, rows, col)


def fill_beside(view: GridView) -> None:
    """Double click on the handle: fill down as far as the filled cells beside it reach."""
    source = view.selection[-1]
    cells = view.sheet.cells
    for col in (source.left - 1, source.right):
        if not 0 <= col < view.extent.cols:
            continue
        start = Cell(source.bottom - 1, col)
        below = Cell(source.bottom, col)
        if below.row >= view.extent.rows or cells.get(below)[1] == Kind.BLANK:
            continue
        if cells.get(start)[1] == Kind.BLANK:
            start = below
        end = cells.next_edge(start, "down", view.extent.region)
        fill_to(view, source, Region(source.top, source.left, end.row + 1, source.right))
        return
