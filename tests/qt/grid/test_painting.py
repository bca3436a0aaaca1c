"""What is on the screen: what is painted again, what a role looks like, what a cell says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication

from gradsheet.formula.address import Cell, Region
from gradsheet.qt.grid.geometry import Axis
from gradsheet.qt.grid.headers import bands_of, fit_label
from gradsheet.qt.grid.roles import place_tags
from gradsheet.qt.grid.typeface import Faces
from gradsheet.qt.grid.view import GridView
from gradsheet.qt.theme import DARK, LIGHT, apply_theme, blend
from gradsheet.sheet.edits import ClearCells, FormatChange, SetFormat, SetRoles
from gradsheet.sheet.sheet_edits import Freeze, SetNote
from gradsheet.sheet.workbook import Change, Role, RoleRegion

if TYPE_CHECKING:
    from tests.qt.grid.conftest import Hands, SheetDocument


def on_screen(grid: GridView) -> QImage:
    """What the window system was given, painted bit by bit."""
    QApplication.processEvents()
    picture = grid.screen().grabWindow(grid.winId()).toImage()
    corner = grid.viewport().mapTo(grid, QPoint(0, 0))
    return picture.copy(QRect(corner, grid.viewport().size())).convertToFormat(
        QImage.Format.Format_RGB32
    )


def painted_anew(grid: GridView) -> QImage:
    """The whole viewport painted from nothing."""
    image = QImage(grid.viewport().size(), QImage.Format.Format_RGB32)
    image.fill(QColor("#FF00FF"))
    painter = QPainter(image)
    grid.paint(painter, grid.viewport().rect())
    painter.end()
    return image


def difference(a: QImage, b: QImage) -> str:
    """Where two pictures differ first, empty if they are equal."""
    if a == b:
        return ""
    assert a.size() == b.size()
    for y in range(a.height()):
        for x in range(a.width()):
            if a.pixel(x, y) != b.pixel(x, y):
                return f"at {x}, {y}: {a.pixelColor(x, y).name()} {b.pixelColor(x, y).name()}"
    return ""


def test_what_changed_is_painted_as_if_everything_were(
    lesson: SheetDocument, lesson_grid: GridView
) -> None:
    sheet = lesson.workbook.sheets[0]
    for address, value in (("H25", 4.5), ("V41", 0.123), ("B19", 7.0), ("W2", 1.0)):
        sheet.cells.write(Region.parse(address), value)
        lesson.tell(Change(values=((sheet.id, Region.parse(address)),)))
        assert not difference(on_screen(lesson_grid), painted_anew(lesson_grid))


def test_selecting_scrolling_and_resizing_leave_no_trace(
    lesson: SheetDocument, lesson_grid: GridView, lesson_hands: Hands
) -> None:
    grid = lesson_grid
    lesson.put("B8", ("a text that runs over its blank neighbours",))
    for act in (
        lambda: grid.select(Region.parse("H25:K28")),
        lambda: grid.scroll_by(0, 47),
        lambda: grid.scroll_by(0, -20),
        lambda: grid.scroll_by(133, 0),
        lambda: grid.select(Cell.parse("E8")),
        lambda: lesson_hands.press("Ctrl+Shift+Left"),
        lambda: lesson.put("B9", ("another one, longer still, that is new on the screen",)),
        lambda: lesson.put("D8", (5.0,)),
        lambda: lesson.put("D8", (None,)),
        lambda: lesson.apply(Freeze(grid.sheet_id, Cell(1, 1))),
        lambda: grid.scroll_by(0, 64),
        lambda: grid.scroll_by(-90, 0),
        lambda: setattr(grid, "zoom", 1.25),
    ):
        act()
        assert not difference(on_screen(grid), painted_anew(grid))


def test_only_visible_cells_that_changed_are_painted(
    lesson: SheetDocument, lesson_grid: GridView, monkeypatch: pytest.MonkeyPatch
) -> None:
    QApplication.processEvents()
    sheet = lesson.workbook.sheets[0]
    read: list[Region] = []
    original = sheet.cells.read

    def counted(region: Region) -> object:
        read.append(region)
        return original(region)

    monkeypatch.setattr(sheet.cells, "read", counted)
    lesson.tell(Change(values=((sheet.id, Region.parse("H25:J27")),)))
    QApplication.processEvents()
    hull = read[0]
    for region in read:
        hull = hull.union_hull(region)
    assert hull.bottom <= 27
    assert hull.top >= 24
    read.clear()
    lesson.tell(Change(values=((sheet.id, Region.parse("A5000:Z6000")),)))
    lesson.tell(Change(values=((sheet.id + 1, Region.parse("A1:Z60")),)))
    QApplication.processEvents()
    assert not [region for region in read if region.bottom > 100]
    assert not [region for region in read if region.size > 64]


def test_a_role_has_a_tint_and_a_solid_stripe(lesson_grid: GridView) -> None:
    lesson_grid.select(Cell.parse("A1"))
    image = painted_anew(lesson_grid)
    for address, role in (("H2", "data"), ("H19", "item"), ("B25", "user"), ("H25", "prediction")):
        rect = lesson_grid.layout_now.cell_rect(Cell.parse(address))
        assert image.pixelColor(rect.left(), rect.center().y()) == QColor(LIGHT.role_colour(role))
        assert image.pixelColor(rect.center().x(), rect.top()) == QColor(LIGHT.role_colour(role))
        inside = image.pixelColor(rect.left() + 4, rect.bottom() - 2)
        expected = QColor(LIGHT.role_tint(role))
        assert abs(inside.red() - expected.red()) <= 1
        assert abs(inside.blue() - expected.blue()) <= 1


def test_the_role_stripe_is_in_both_headers(lesson_grid: GridView) -> None:
    image, layout = painted_anew(lesson_grid), lesson_grid.layout_now
    column = {
        image.pixelColor(layout.x_of(10) + 5, y).name().upper() for y in range(layout.header_height)
    }
    assert {LIGHT.role_colour(r) for r in ("data", "item", "prediction")} <= column
    row = {
        image.pixelColor(x, layout.y_of(4) + 5).name().upper() for x in range(layout.header_width)
    }
    assert LIGHT.role_colour("data") in row
    assert LIGHT.role_colour("item") not in row


def test_every_role_of_the_lesson_finds_room_for_its_name(lesson_grid: GridView) -> None:
    tags = {tag.role: tag for tag in lesson_grid.tags}
    assert set(tags) == {"data", "item", "user", "prediction", "loss"}
    assert tags["item"].cells.top == 17
    assert tags["user"].cells.first == Cell.parse("B24")
    assert tags["loss"].cells.right == Cell.parse("V41").col
    for tag in tags.values():
        assert not lesson_grid.sheet.cells.read(tag.cells)[1].any()


def test_a_tag_moves_when_its_cells_are_filled(
    lesson: SheetDocument, lesson_grid: GridView
) -> None:
    lesson.put("B24", ("taken",))
    (tag,) = [tag for tag in lesson_grid.tags if tag.role == "user"]
    assert not tag.cells.contains(Cell.parse("B24"))
    assert not difference(on_screen(lesson_grid), painted_anew(lesson_grid))


def test_a_range_in_a_full_sheet_has_no_tag() -> None:
    role = RoleRegion(Region.parse("B2:C3"), Role.DATA, "data")
    assert place_tags([role], Axis(10, 64), 10, lambda _: False, len) == ()


def test_stripes_of_roles_that_share_columns_lie_side_by_side() -> None:
    roles = [
        RoleRegion(Region.parse("H2:V16"), Role.DATA, ""),
        RoleRegion(Region.parse("H19:V23"), Role.ITEM, ""),
        RoleRegion(Region.parse("B25:F39"), Role.USER, ""),
        RoleRegion(Region.parse("H50:V60"), Role.DATA, ""),
    ]
    columns = bands_of(roles, vertical=False)
    assert [(b.role, b.place) for b in columns] == [("data", 0), ("item", 1), ("user", 0)]
    rows = bands_of(roles, vertical=True)
    assert [b.place for b in rows] == [0, 0, 0, 0]


def test_changed_roles_are_painted_at_once(lesson: SheetDocument, lesson_grid: GridView) -> None:
    height = lesson_grid.layout_now.header_height
    lesson.apply(SetRoles(lesson_grid.sheet_id, ()))
    assert lesson_grid.tags == ()
    assert lesson_grid.layout_now.header_height < height
    assert not difference(on_screen(lesson_grid), painted_anew(lesson_grid))


def test_a_new_theme_paints_everything_anew(qapp: QApplication, lesson_grid: GridView) -> None:
    apply_theme(qapp, DARK)
    image = on_screen(lesson_grid)
    rect = lesson_grid.layout_now.cell_rect(Cell.parse("A5"))
    assert image.pixelColor(rect.center()) == QColor(DARK.sheet)
    assert not difference(image, painted_anew(lesson_grid))


def test_selected_cells_are_washed_but_for_the_current_one(lesson_grid: GridView) -> None:
    lesson_grid.select(Region.parse("B4:C5"), Cell.parse("B4"))
    image, layout = painted_anew(lesson_grid), lesson_grid.layout_now
    current, other = layout.cell_rect(Cell.parse("B4")), layout.cell_rect(Cell.parse("C5"))
    assert image.pixelColor(current.center()) == QColor(LIGHT.sheet)
    washed = QColor(blend(LIGHT.sheet, LIGHT.accent, LIGHT.wash))
    assert abs(image.pixelColor(other.center()).red() - washed.red()) <= 1


def test_a_note_shows_in_the_corner_of_its_cell(
    lesson: SheetDocument, lesson_grid: GridView
) -> None:
    lesson.apply(SetNote(lesson_grid.sheet_id, Cell.parse("A5"), "mind this"))
    rect = lesson_grid.layout_now.cell_rect(Cell.parse("A5"))
    image = on_screen(lesson_grid)
    assert image.pixelColor(rect.right() - 2, rect.top()) == QColor(LIGHT.accent)


def test_hidden_rows_and_columns_paint_nothing_over_their_neighbours(
    lesson: SheetDocument, lesson_grid: GridView
) -> None:
    sheet = lesson.workbook.sheets[0]
    hidden = (Region.parse("H21:V23"), Region.parse("J2:K16"))
    sheet.row_heights.update({20: 0, 21: 0, 22: -20})
    sheet.column_widths.update({9: 0, 10: -50})
    lesson.put("A22", ("a text that runs over its blank neighbours",))
    for region in hidden:
        lesson.apply(SetFormat(sheet.id, region, FormatChange(fill="#FF0000")))
    lesson.apply(SetNote(sheet.id, Cell.parse("M22"), "a note"))
    lesson_grid._measure()
    with_numbers = painted_anew(lesson_grid)
    for region in (*hidden, Region.parse("A22")):
        lesson.apply(ClearCells(sheet.id, region))
        lesson.apply(SetFormat(sheet.id, region, FormatChange(fill="")))
    lesson.apply(SetNote(sheet.id, Cell.parse("M22"), ""))
    lesson_grid._measure()
    assert not difference(with_numbers, painted_anew(lesson_grid))


def test_a_long_title_is_broken_into_lines_or_set_narrower(lesson_grid: GridView) -> None:
    faces = Faces(1.0)
    assert fit_label("Silence of the Lambs", 46, faces)[1] == ["Silence", "of the", "Lambs"]
    face, lines = fit_label("Shawshank Redemption", 50, faces)
    assert face is not faces.labels[0]
    assert lines == ["Shawshank", "Redemption"]
    assert all(face.width(line) <= 50 for line in lines)


def test_a_cell_says_role_labels_and_the_actual_value(
    lesson: SheetDocument, lesson_grid: GridView
) -> None:
    say = lesson_grid.accessible_text
    assert say(Cell.parse("H25")) == "prediction, user 14, Braveheart, 3.25, actual 3"
    assert say(Cell.parse("H2")) == "actual, user 14, Braveheart, 3"
    assert say(Cell.parse("I20")).startswith("item embedding, row 20, column I, ")
    assert say(Cell.parse("V41")) == "loss, RMSE, V41, 2.34567"
    assert say(Cell.parse("A1")) == "A1, blank"
    lesson.put("H2", (None,))
    assert say(Cell.parse("H25")).endswith("no actual value")


def test_a_grid_of_any_size_costs_no_memory_per_row(lesson_grid: GridView) -> None:
    lesson_grid.select(Cell(1_048_575, 16_383))
    assert lesson_grid.visible_region().contains(Cell(1_048_575, 16_383))
    assert not difference(on_screen(lesson_grid), painted_anew(lesson_grid))


def test_another_sheet_is_shown_and_the_first_one_kept_its_place(
    lesson: SheetDocument, lesson_grid: GridView
) -> None:
    second = lesson.workbook.make_sheet("second")
    lesson.workbook.sheets.append(second)
    lesson_grid.select(Cell.parse("C400"))
    lesson_grid.set_sheet(second.id)
    assert lesson_grid.current == Cell(0, 0)
    first = lesson.workbook.sheets[0].id
    lesson_grid.set_sheet(first)
    assert lesson_grid.current == Cell.parse("C400")
    assert lesson_grid.visible_region().contains(Cell.parse("C400"))
