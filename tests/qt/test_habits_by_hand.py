"""Habits that go through menus, dialogs and tabs, every one by keys and mouse alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QContextMenuEvent, QHelpEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox, QDialog, QLabel, QMenu, QToolTip, QWidget

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import unparse
from gradsheet.formula.values import Scalar, unpack
from gradsheet.sheet.roles import Role

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from gradsheet.qt.main_window import MainWindow

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
ALT, NONE = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.NoModifier
LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
HELD = {"Ctrl": CTRL, "Shift": SHIFT, "Alt": ALT}


class Person:
    """Somebody at the keyboard and the mouse of a window."""

    def __init__(self, window: MainWindow) -> None:
        self.window, self.grid = window, window.grid

    def press(self, *keys: str) -> None:
        """Press keys such as `Ctrl+Shift+V` wherever the keyboard is."""
        for text in keys:
            self._come_back()
            *held, name = text.split("+")
            modifiers = NONE
            for modifier in held:
                modifiers |= HELD[modifier]
            target = QApplication.activePopupWidget() or QApplication.focusWidget() or self.grid
            QTest.keyClick(target, getattr(Qt.Key, f"Key_{name}"), modifiers)
            QApplication.processEvents()

    def _come_back(self) -> None:
        """Make the window active once a dialog or a menu has closed, as a platform does."""
        QApplication.processEvents()
        active = QApplication.activeWindow()
        if active is None or not active.isVisible():
            self.window.activateWindow()
            QApplication.processEvents()

    def type(self, text: str) -> None:
        self._come_back()
        for character in text:
            QTest.keyClicks(QApplication.focusWidget() or self.grid, character)

    def go_to(self, place: str) -> None:
        """Select by the Go to window."""
        self.press("Ctrl+G")
        self.type(place)
        self.press("Return")

    def point(self, address: str) -> QPoint:
        return self.grid.layout_now.cell_rect(Cell.parse(address)).center()

    def click(self, address: str, held: Qt.KeyboardModifier = NONE) -> None:
        QTest.mouseClick(self.grid.viewport(), LEFT, held, self.point(address))

    def choose(self, *path: str) -> None:
        """Open a menu of the menu bar with the mouse, and choose in it by keys."""
        bar = self.window.menuBar()
        action = next(a for a in bar.actions() if a.text().replace("&", "") == path[0])
        QTest.mouseClick(bar, LEFT, NONE, bar.actionGeometry(action).center())
        self.pick(*path[1:])

    def pick(self, *path: str) -> None:
        """Choose in the open menu by keys."""
        for depth, title in enumerate(path):
            menu = QApplication.activePopupWidget()
            assert isinstance(menu, QMenu)
            for _ in range(len(menu.actions()) + 1):
                at = menu.activeAction()
                if at is not None and at.text().replace("&", "").split("\t")[0] == title:
                    break
                QTest.keyClick(menu, Qt.Key.Key_Down)
            else:
                raise AssertionError(f"no {title} in {[a.text() for a in menu.actions()]}")
            is_last = depth == len(path) - 1
            QTest.keyClick(menu, Qt.Key.Key_Return if is_last else Qt.Key.Key_Right)
        QApplication.processEvents()

    def menu_of(self, widget: QWidget, point: QPoint) -> None:
        """Click with the right button, as a platform tells it."""
        QTest.mouseClick(widget, RIGHT, NONE, point)
        asked = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, point, widget.mapToGlobal(point))
        QApplication.sendEvent(widget, asked)
        QApplication.processEvents()

    def tell(self, kind: str) -> QDialog:
        """The open dialog of this title."""
        QApplication.processEvents()
        return next(
            d for d in self.window.findChildren(QDialog)
            if d.isVisible() and d.windowTitle() == kind
        )  # fmt: skip

    def open_dialogs(self) -> list[str]:
        QApplication.processEvents()
        return [d.windowTitle() for d in self.window.findChildren(QDialog) if d.isVisible()]

    # What there is to see.

    def value(self, address: str) -> Scalar:
        got, kind = self.grid.sheet.cells.get(Cell.parse(address))
        return unpack(got, kind, self.window.document.workbook.strings)

    def formula(self, address: str) -> str:
        found = self.grid.sheet.cells.formula(Cell.parse(address))
        return "" if found is None else unparse(found.expr, Cell.parse(address))

    def code(self, address: str) -> str:
        return self.grid.sheet.formats.at(Cell.parse(address)).code

    def undo_text(self) -> str:
        return self.window.actions_by_id.by_id["edit.undo"].text()

    def tabs(self) -> list[str]:
        tabs = self.window.tabs
        return [tabs.tabText(i) for i in range(tabs.count())]

    def tab_point(self, index: int) -> QPoint:
        return self.window.tabs.tabRect(index).center()


@pytest.fixture
def person(window: MainWindow) -> Person:
    """Somebody at the first lesson."""
    return Person(window)


# ------------------------------------------------------------------------------- undo, named


def test_ctrl_z_and_ctrl_y_take_a_paste_back_and_do_it_again_as_one(person: Person) -> None:
    person.go_to("H2:I4")
    person.press("Ctrl+C")
    person.go_to("X2")
    person.press("Ctrl+V")
    assert person.undo_text() == "Undo Paste"
    person.press("Ctrl+Z")
    assert person.value("X2") is None
    assert person.value("Y4") is None
    person.press("Ctrl+Y")
    assert person.value("Y4") == person.value("I4")


def test_ctrl_z_takes_a_fill_back_as_one(person: Person) -> None:
    person.go_to("X2")
    person.type("4")
    person.press("Return")
    person.go_to("X2:X9")
    person.press("Ctrl+D")
    assert person.value("X9") == 4.0
    assert person.undo_text() == "Undo Fill down"
    person.press("Ctrl+Z")
    assert person.value("X3") is None
    assert person.value("X2") == 4.0


def test_ctrl_z_takes_a_whole_run_back_as_one(person: Person, qtbot: QtBot) -> None:
    before = person.value("H19")
    person.go_to("X2")
    person.press("Ctrl+F5", "Ctrl+F5")
    qtbot.waitUntil(lambda: person.window.document.run.step == 10)
    person.window.document.finish()
    assert person.value("H19") != before
    person.press("Ctrl+Z")
    person.window.document.finish()
    assert person.value("H19") == before


@pytest.mark.parametrize(
    ("do", "named"),
    [
        (lambda p: p.press("Ctrl+B"), "Undo Bold"),
        (lambda p: p.press("Delete"), "Undo Clear"),
        (lambda p: p.press("Ctrl+Alt+Equal"), "Undo Insert row"),
        (lambda p: p.press("Ctrl+Alt+Minus"), "Undo Delete row"),
        (lambda p: p.press("Ctrl+9"), "Undo Hide row"),
        (lambda p: p.press("Ctrl+Shift+5"), "Undo Format as percent"),
        (lambda p: p.choose("View", "Freeze panes here"), "Undo Freeze panes"),
        (lambda p: p.choose("Sheet", "Colour scale", "White to blue"), "Undo Colour scale"),
        (lambda p: p.choose("Sheet", "Tab colour", "Green"), "Undo Colour tab"),
        (lambda p: p.choose("Sheet", "Duplicate sheet"), "Undo Duplicate sheet"),
        (lambda p: p.choose("Sheet", "Columns", "Fit columns"), "Undo Fit column"),
    ],
)
def test_every_habit_has_its_name_in_the_menu_and_is_taken_back(
    person: Person, do: Callable[[Person], None], named: str
) -> None:
    person.go_to("H19")
    sheet = person.grid.sheet
    facts, cells = sheet.facts(), sheet.cells.read(Region.parse("A1:Z60"))[0].tobytes()
    do(person)
    assert person.undo_text().startswith(named), person.undo_text()
    person.press("Ctrl+Z")
    person.window.document.finish()
    assert person.grid.sheet.facts() == facts
    assert person.grid.sheet.cells.read(Region.parse("A1:Z60"))[0].tobytes() == cells


# ---------------------------------------------------------------------------- rows, columns


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("Insert rows above", "Z6"), ("Insert rows below", "Z5"), ("Delete rows", "Z4"),
        ("Hide rows", "Z5"),
    ],
)  # fmt: skip
def test_the_menu_of_a_row_header_changes_rows_and_formulas_follow(
    person: Person, entry: str, expected: str
) -> None:
    person.go_to("Z5")
    person.type("7")
    person.press("Return")
    person.go_to("AA1")
    person.type("=Z5")
    person.press("Return")
    row = 3 if entry == "Delete rows" else 4
    rows = person.grid.layout_now
    point = QPoint(8, rows.cell_rect(Cell(row, person.grid.visible_region().left)).center().y())
    person.menu_of(person.grid.viewport(), point)
    person.pick(entry)
    assert person.formula("AA1") == f"={expected}"
    assert person.value(expected) == 7.0
    assert (person.grid.layout_now.rows.size(4) == 0) == (entry == "Hide rows")


@pytest.mark.parametrize(
    ("place", "keys", "named", "formula"),
    [
        ("B5:C6", "Alt+Shift+Down", "Undo Move 2 rows", "=B6"),
        ("B5:C6", "Alt+Shift+Up", "Undo Move 2 rows", "=B4"),
        ("B5", "Alt+Shift+Left", "Undo Move column", "=A5"),
        ("B5", "Alt+Shift+Right", "Undo Move column", "=C5"),
    ],
)
def test_lines_move_by_keys_and_formulas_and_selection_follow(
    person: Person, place: str, keys: str, named: str, formula: str
) -> None:
    person.press("Ctrl+N")
    person.window.document.finish()
    person.go_to("B5")
    person.type("7")
    person.press("Return")
    person.go_to("H1")
    person.type("=B5")
    person.press("Return")
    person.go_to(place)
    person.press(keys)
    assert person.undo_text().startswith(named)
    assert person.formula("H1") == formula
    assert str(person.grid.current) == formula.removeprefix("=")
    person.press("Ctrl+Z")
    assert person.formula("H1") == "=B5"


def test_the_first_row_has_no_row_above_to_go_past(person: Person, qtbot: QtBot) -> None:
    person.go_to("B1")
    with qtbot.waitSignal(person.grid.message) as told:
        person.press("Alt+Shift+Up")
    assert "no row to go past" in told.args[0]
    assert person.undo_text() == "Undo"


@pytest.mark.parametrize(
    ("menu", "entry", "size"),
    [("Rows", "Row height…", "row_heights"), ("Columns", "Column width…", "column_widths")],
)
def test_a_size_is_typed(person: Person, menu: str, entry: str, size: str) -> None:
    person.go_to("B2:C3")
    person.choose("Sheet", menu, entry)
    person.type("123")
    person.press("Return")
    sizes = getattr(person.grid.sheet, size)
    assert [sizes[i] for i in ((1, 2))] == [123, 123]
    assert person.undo_text() == f"Undo Resize 2 {menu.lower()}"


@pytest.mark.parametrize(
    ("start", "place", "end", "expected"),
    [
        ("3", "X2:X6", "X6", 7.0), ("1\n1.5", "X2:X6", "X6", 3.0),
        ("user 1", "X2:X4", "X4", "user 3"), ("5", "X2:AA2", "AA2", 8.0),
    ],
)  # fmt: skip
def test_a_series_goes_on_by_keys(
    person: Person, start: str, place: str, end: str, expected: object
) -> None:
    person.go_to("X2")
    for text in start.split("\n"):
        person.type(text)
        person.press("Return")
    person.go_to(place)
    person.press("Ctrl+Alt+D")
    assert person.value(end) == expected
    assert person.undo_text() == "Undo Fill series"


def test_a_series_without_a_start_says_what_to_select(person: Person, qtbot: QtBot) -> None:
    person.go_to("X2:X6")
    with qtbot.waitSignal(person.grid.message) as told:
        person.press("Ctrl+Alt+D")
    assert "nothing to go on with" in told.args[0]


def test_the_menu_of_a_column_header_inserts_columns(person: Person) -> None:
    person.go_to("B19")
    x = person.point("B19").x()
    person.menu_of(person.grid.viewport(), QPoint(x, 6))
    person.pick("Insert columns right")
    assert person.formula("I25") == '=IF(I2="",0,MMULT($B25:$G25,I$19:I$23))'


def test_panes_freeze_and_let_go_from_the_menu(person: Person) -> None:
    person.go_to("H2")
    person.choose("View", "Freeze panes here")
    assert person.grid.sheet.frozen == Cell(1, 7)
    person.go_to("V60")
    assert person.grid.layout_now.cell_rect(Cell(0, 0)).isValid()
    person.choose("View", "Freeze panes here")
    assert person.grid.sheet.frozen == Cell(0, 0)


@pytest.mark.parametrize(
    ("entry", "frozen"),
    [("Freeze the top row", Cell(1, 0)), ("Freeze the first column", Cell(0, 1))],
)
def test_the_first_line_freezes_from_the_menu(person: Person, entry: str, frozen: Cell) -> None:
    person.choose("View", entry)
    assert person.grid.sheet.frozen == frozen


# --------------------------------------------------------------------------- formats, scales


def test_ctrl_1_asks_for_a_format_and_enter_gives_it(person: Person) -> None:
    person.go_to("H19:H23")
    before = person.value("H19")
    person.press("Ctrl+1")
    dialog = person.tell("Format cells")
    person.press("End", "Up", "Up", "Up", "Up", "Up")  # the list of kinds: Percent
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    assert person.code("H20") == "0%"
    assert person.value("H19") == before


def test_a_colour_scale_comes_and_goes_by_the_menu(person: Person) -> None:
    person.go_to("H19:V23")
    person.choose("Sheet", "Colour scale", "Blue, white, orange around 0")
    assert [str(scale.region) for scale in person.grid.sheet.scales] == ["H19:V23"]
    person.choose("Sheet", "Colour scale", "No colour scale")
    assert person.grid.sheet.scales == ()


def test_a_role_and_its_lock_are_given_by_keys(person: Person) -> None:
    person.go_to("X2:X4")
    person.press("Alt+1")
    assert person.window.sight.current_role() is Role.PARAMETER
    person.press("Alt+5")
    locked = [p for p in person.window.document.problem.parameters if p.locked]
    assert [str(p.region) for p in locked] == ["X2:X4"]


# ------------------------------------------------------------------------------ paste special


@pytest.mark.parametrize(
    ("keys", "left", "code"),
    [
        ((), "=IF(X2", "0.00"), (("Down",), "=IF(X2", "General"), (("Down",) * 2, "", "General"),
        (("Down",) * 3, "", "0.00"),
    ],
)  # fmt: skip
def test_paste_special_is_chosen_by_arrow_keys(
    person: Person, keys: tuple[str, ...], left: str, code: str
) -> None:
    person.go_to("H25")
    expected = person.value("H25")
    person.press("Ctrl+C")
    person.go_to("X25")
    person.press("Ctrl+Alt+V")
    person.tell("Paste special")
    person.press(*keys, "Return")
    assert person.formula("X25").startswith(left) if left else person.formula("X25") == ""
    if not left:
        assert person.value("X25") == expected
    assert person.code("X25") == code


def test_paste_special_turns_rows_into_columns(person: Person) -> None:
    person.go_to("H2:K2")
    person.press("Ctrl+C")
    person.go_to("X2")
    person.press("Ctrl+Alt+V")
    box = person.tell("Paste special").findChildren(QCheckBox)[0]
    QTest.mouseClick(box, LEFT, NONE, QPoint(8, box.height() // 2))
    person.press("Return")
    assert [person.value(f"X{i}") for i in (2, 3, 4, 5)] == [person.value(f"{c}2") for c in "HIJK"]


# ----------------------------------------------------------------------------- go to, names


def test_go_to_offers_the_ranges_of_the_model_to_arrow_keys(person: Person) -> None:
    person.press("Ctrl+G")
    person.tell("Go to")
    person.press("Down", "Return")
    assert [str(r) for r in person.grid.selection] == ["H2:V16"]


def test_what_is_no_place_is_said_and_asked_again(person: Person) -> None:
    person.press("Ctrl+G")
    person.type("nowhere at all")
    person.press("Return")
    dialog = person.tell("Go to")
    said = [label.text() for label in dialog.findChildren(QLabel) if label.isVisible()]
    assert any("is no cell and no name" in text for text in said)
    person.press("Escape")
    assert not person.open_dialogs()


def test_a_name_is_defined_used_and_removed_by_keys(person: Person) -> None:
    person.go_to("V41")
    person.press("Ctrl+F3")
    person.tell("Names")
    person.type("rmse")
    person.press("Return")
    assert person.undo_text() == "Undo Define name rmse"
    person.press("Escape")
    assert not person.open_dialogs()
    person.go_to("X1")
    person.type("=rmse*2")
    person.press("Return")
    person.window.document.finish()
    assert person.value("X1") == 2 * person.value("V41")
    person.go_to("rmse")
    assert person.grid.current == Cell.parse("V41")
    person.press("Ctrl+F3")
    names = person.tell("Names")
    table = names.table
    point = table.visualItemRect(table.item(0, 0)).center()
    QTest.mouseClick(table.viewport(), LEFT, NONE, point)
    QTest.mouseClick(names.remove, LEFT)
    person.press("Escape")
    assert person.undo_text() == "Undo Remove name rmse"


# ------------------------------------------------------------------------------------- find


def test_replace_all_by_keys_is_one_edit(person: Person) -> None:
    person.go_to("A1")
    person.press("Ctrl+H")
    person.type("movieId")
    person.press("Tab")
    while QApplication.focusWidget() is not person.window.find_bar.replacement:
        person.press("Tab")
    person.type("film")
    QTest.mouseClick(person.window.find_bar._replace_all, LEFT)
    assert person.value("G1") == "film"
    assert person.undo_text().startswith("Undo Replace")
    person.press("Escape", "Ctrl+Z")
    assert person.value("G1") == "movieId"


def test_find_looks_in_formulas_when_its_box_is_ticked(person: Person) -> None:
    person.go_to("A1")
    person.press("Ctrl+F")
    box = person.window.find_bar.in_formulas
    QTest.mouseClick(box, LEFT, NONE, QPoint(8, box.height() // 2))
    person.window.find_bar.text.setFocus()
    person.type("SUMXMY2")
    assert person.grid.current == Cell.parse("V41")


# ------------------------------------------------------------------------------------ notes


def test_a_note_is_written_shown_under_the_pointer_and_removed(
    person: Person, qtbot: QtBot
) -> None:
    person.go_to("H25")
    person.press("Shift+F2")
    person.type("look here")
    person.press("Ctrl+Return")
    port, point = person.grid.viewport(), person.point("H25")
    asked = QHelpEvent(QEvent.Type.ToolTip, point, port.mapToGlobal(point))
    QApplication.sendEvent(port, asked)
    qtbot.waitUntil(lambda: QToolTip.text().startswith("look here"))
    QToolTip.hideText()
    person.menu_of(port, point)
    person.pick("Remove note")
    assert person.grid.sheet.notes == {}


# ----------------------------------------------------------------------------------- arrows


def test_arrows_come_from_the_context_menu_and_go_with_escape(person: Person, qtbot: QtBot) -> None:
    person.go_to("H25")
    person.menu_of(person.grid.viewport(), person.point("H25"))
    person.pick("Trace", "What it reads")
    qtbot.waitUntil(lambda: len(person.grid.overlay.arrows) == 3)
    person.press("Escape")
    assert person.grid.overlay.arrows == ()


# ----------------------------------------------------------------------------------- sheets


def test_the_plus_beside_the_tabs_adds_a_sheet_and_ctrl_page_keys_go_between(
    person: Person,
) -> None:
    plus = next(
        b for b in person.window.tabs.parentWidget().findChildren(QWidget)
        if b.isVisible() and "Add" in (b.toolTip() or "") and "sheet" in b.toolTip()
    )  # fmt: skip
    QTest.mouseClick(plus, LEFT)
    assert person.tabs() == ["dotprod", "Sheet1"]
    person.grid.setFocus()
    person.press("Ctrl+PageUp")
    assert person.grid.sheet.name == "dotprod"
    person.press("Ctrl+PageDown")
    assert person.grid.sheet.name == "Sheet1"


def test_a_tabs_menu_duplicates_renames_colours_and_deletes(person: Person) -> None:
    tabs = person.window.tabs
    person.menu_of(tabs, person.tab_point(0))
    person.pick("Duplicate sheet")
    assert person.tabs() == ["dotprod", "dotprod (2)"]
    person.menu_of(tabs, person.tab_point(1))
    person.pick("Rename sheet")
    person.type("copy")
    person.press("Return")
    assert person.tabs() == ["dotprod", "copy"]
    person.menu_of(tabs, person.tab_point(1))
    person.pick("Tab colour", "Vermilion")
    assert person.grid.sheet.tab_colour == "#D55E00"
    person.menu_of(tabs, person.tab_point(1))
    person.pick("Delete sheet")
    assert person.tabs() == ["dotprod"]
    person.grid.setFocus()
    person.press("Ctrl+Z")
    assert person.tabs() == ["dotprod", "copy"]


def test_a_tab_is_moved_by_its_menu(person: Person) -> None:
    person.press("Shift+F11")
    person.menu_of(person.window.tabs, person.tab_point(1))
    person.pick("Move sheet left")
    assert person.tabs() == ["Sheet1", "dotprod"]


# ------------------------------------------------------------------------- zoom, status, views


def test_ctrl_plus_minus_and_0_zoom(person: Person) -> None:
    person.press("Ctrl+Plus", "Ctrl+Plus")
    larger = person.grid.zoom
    assert larger > 1.0
    person.press("Ctrl+Minus")
    assert 1.0 < person.grid.zoom < larger
    person.press("Ctrl+0")
    assert person.grid.zoom == 1.0


def test_a_dragged_selection_is_added_up_in_the_status_bar(person: Person, qtbot: QtBot) -> None:
    person.go_to("H2")
    port = person.grid.viewport()
    QTest.mousePress(port, LEFT, NONE, person.point("H2"))
    QTest.mouseMove(port, person.point("I3"))
    QTest.mouseMove(port, person.point("J4"))
    QTest.mouseRelease(port, LEFT, NONE, person.point("J4"))
    cells = [person.value(f"{c}{r}") for c in "HIJ" for r in (2, 3, 4)]
    numbers = [cell for cell in cells if isinstance(cell, float)]
    qtbot.waitUntil(lambda: person.window.status.texts()[-3] == f"Sum {sum(numbers):g}")
    assert person.window.status.texts()[-1] == f"Count {len(numbers)}"


def test_a_command_is_found_and_done_from_the_palette(person: Person, qtbot: QtBot) -> None:
    person.go_to("H25")
    person.press("Ctrl+Shift+P")
    person.type("more dec")
    person.press("Return")
    assert person.code("H25") == "0.000"
    assert person.grid.hasFocus()


def test_the_menu_key_opens_the_menu_of_the_cell(person: Person) -> None:
    person.go_to("H25")
    point = person.point("H25")
    asked = QContextMenuEvent(
        QContextMenuEvent.Reason.Keyboard, point, person.grid.viewport().mapToGlobal(point)
    )
    QApplication.sendEvent(person.grid.viewport(), asked)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    person.press("Escape")
    assert QApplication.activePopupWidget() is None
