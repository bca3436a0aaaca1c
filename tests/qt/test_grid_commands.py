"""The grid's commands in the window, by their keys: lines, formats, find, names, notes, sheets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QMenu

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import unparse
from gradsheet.formula.values import Scalar, unpack
from gradsheet.qt.dialogs.format_cells import FormatCells
from gradsheet.qt.dialogs.go_to import GoTo
from gradsheet.qt.dialogs.names import Names
from gradsheet.qt.dialogs.paste_special import PasteSpecial

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from gradsheet.qt.main_window import MainWindow

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
ALT, NONE = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.NoModifier
Key = Qt.Key


def press(window: MainWindow, key: Qt.Key, held: Qt.KeyboardModifier = NONE) -> None:
    QTest.keyClick(QApplication.focusWidget() or window.grid, key, held)
    QApplication.processEvents()


def type_text(window: MainWindow, text: str) -> None:
    for character in text:
        QTest.keyClicks(QApplication.focusWidget() or window.grid, character)


def value(window: MainWindow, address: str) -> Scalar:
    got, kind = window.grid.sheet.cells.get(Cell.parse(address))
    return unpack(got, kind, window.document.workbook.strings)


def formula(window: MainWindow, address: str) -> str:
    cell = Cell.parse(address)
    found = window.grid.sheet.cells.formula(cell)
    assert found is not None
    return unparse(found.expr, cell)


def select(window: MainWindow, address: str) -> None:
    window.grid.select(Region.parse(address))


def dialog(window: MainWindow, kind: type[QDialog]) -> QDialog:
    QApplication.processEvents()
    shown = [d for d in window.findChildren(kind) if d.isVisible()]
    assert shown, f"no {kind.__name__} is open"
    return shown[-1]


def undo_label(window: MainWindow) -> str:
    return window.document.history.undo_label


# ---------------------------------------------------------------------------- rows, columns


def test_ctrl_alt_plus_inserts_rows_and_formulas_follow(window: MainWindow) -> None:
    select(window, "H20:H21")
    press(window, Key.Key_Equal, CTRL | ALT)
    assert undo_label(window) == "Insert 2 rows"
    assert formula(window, "H27") == '=IF(H2="",0,MMULT($B27:$F27,H$19:H$25))'
    press(window, Key.Key_Z, CTRL)
    assert formula(window, "H25") == '=IF(H2="",0,MMULT($B25:$F25,H$19:H$23))'


def test_ctrl_alt_plus_inserts_columns_where_columns_are_selected(window: MainWindow) -> None:
    window.grid.alter_selection(lambda s: s.span_columns(1, 1))
    press(window, Key.Key_Equal, CTRL | ALT)
    assert undo_label(window) == "Insert column"
    assert formula(window, "I25") == '=IF(I2="",0,MMULT($C25:$G25,I$19:I$23))'


def test_ctrl_alt_minus_deletes_and_undo_restores(window: MainWindow) -> None:
    before = window.document.loss_now()
    select(window, "A20")
    press(window, Key.Key_Minus, CTRL | ALT)
    assert undo_label(window) == "Delete row"
    assert formula(window, "H24").endswith("H$19:H$22))")
    press(window, Key.Key_Z, CTRL)
    window.document.finish()
    assert window.document.loss_now() == before


def test_training_follows_when_rows_are_inserted_above_the_loss(window: MainWindow) -> None:
    before = window.document.loss_now()
    select(window, "A1")
    press(window, Key.Key_Equal, CTRL | ALT)
    window.document.finish()
    assert window.document.problem.loss[1] == Cell.parse("V42")
    assert window.document.loss_now() == before


def test_several_ranges_are_deleted_as_one_edit(window: MainWindow) -> None:
    window.grid.select([Region.parse("A44:A45"), Region.parse("A48")])
    window.actions_by_id.by_id["rows.delete"].trigger()
    assert undo_label(window) == "Delete 3 rows"


def test_ctrl_9_hides_rows_and_ctrl_shift_9_brings_them_back_in_their_size(
    window: MainWindow,
) -> None:
    grid = window.grid
    grid.preview_size(Qt.Orientation.Vertical, 4, None)
    window.document.workbook.sheets[0].row_heights[4] = 33
    select(window, "B4:B6")
    press(window, Key.Key_9, CTRL)
    assert [grid.layout_now.rows.size(row) for row in (3, 4, 5)] == [0, 0, 0]
    assert grid.current.row == 6
    select(window, "B2:B8")
    press(window, Key.Key_9, CTRL | SHIFT)
    assert grid.sheet.row_heights == {4: 33}
    assert undo_label(window) == "Show 3 rows"


def test_columns_are_hidden_and_arrows_step_over_them(window: MainWindow) -> None:
    window.grid.alter_selection(lambda s: s.span_columns(2, 3))
    press(window, Key.Key_0, CTRL | ALT)
    window.grid.select(Cell.parse("B2"))
    press(window, Key.Key_Right)
    assert window.grid.current == Cell.parse("E2")
    window.grid.alter_selection(lambda s: s.span_columns(1, 4))
    press(window, Key.Key_0, CTRL | SHIFT)
    assert window.grid.layout_now.columns.size(2) > 0


def test_showing_hidden_rows_where_there_are_none_says_so(
    window: MainWindow, qtbot: QtBot
) -> None:
    select(window, "B4")
    with qtbot.waitSignal(window.grid.message) as told:
        window.actions_by_id.by_id["rows.unhide"].trigger()
    assert "No hidden rows" in told.args[0]


def test_columns_fit_what_they_hold(window: MainWindow) -> None:
    select(window, "B19")
    window.actions_by_id.by_id["columns.fit"].trigger()
    assert window.grid.sheet.column_widths[1] > 150
    assert undo_label(window) == "Fit column"


def test_panes_freeze_at_the_current_cell_and_let_go(window: MainWindow) -> None:
    action = window.actions_by_id.by_id["view.freeze"]
    select(window, "H2")
    action.trigger()
    assert window.grid.sheet.frozen == Cell(1, 7)
    assert action.isChecked()
    action.trigger()
    assert window.grid.sheet.frozen == Cell(0, 0)
    assert not action.isChecked()


@pytest.mark.parametrize(
    ("name", "frozen"), [("view.freeze_row", Cell(1, 0)), ("view.freeze_column", Cell(0, 1))]
)
def test_the_first_line_is_frozen(window: MainWindow, name: str, frozen: Cell) -> None:
    window.actions_by_id.by_id[name].trigger()
    assert window.grid.sheet.frozen == frozen
    assert undo_label(window) == "Freeze panes"


# --------------------------------------------------------------------------------- formats


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (Key.Key_1, "#,##0.00"), (Key.Key_2, "h:mm"), (Key.Key_3, "yyyy-mm-dd"),
        (Key.Key_4, "$#,##0.00"), (Key.Key_5, "0%"), (Key.Key_6, "0.00E+00"),
    ],
)  # fmt: skip
def test_ctrl_shift_and_a_digit_choose_a_number_format(
    window: MainWindow, key: Qt.Key, code: str
) -> None:
    select(window, "H25:I26")
    before = value(window, "H25")
    press(window, key, CTRL | SHIFT)
    assert window.grid.sheet.formats.at(Cell.parse("I26")).code == code
    assert value(window, "H25") == before


def test_more_and_fewer_decimals_change_what_shows_and_no_value(window: MainWindow) -> None:
    select(window, "H25")
    before = value(window, "H25")
    press(window, Key.Key_Period, CTRL | ALT)
    assert window.grid.sheet.formats.at(Cell.parse("H25")).code == "0.000"
    press(window, Key.Key_Comma, CTRL | ALT)
    press(window, Key.Key_Comma, CTRL | ALT)
    assert window.grid.sheet.formats.at(Cell.parse("H25")).code == "0.0"
    assert value(window, "H25") == before
    assert undo_label(window) == "Fewer decimals"


def test_decimals_of_general_begin_at_what_it_shows(window: MainWindow) -> None:
    select(window, "X2")
    type_text(window, "3.25")
    press(window, Key.Key_Return)
    select(window, "X2")
    press(window, Key.Key_Comma, CTRL | ALT)
    assert window.grid.sheet.formats.at(Cell.parse("X2")).code == "0.0"


def test_bold_and_italic_switch(window: MainWindow) -> None:
    select(window, "H25:H26")
    press(window, Key.Key_B, CTRL)
    press(window, Key.Key_I, CTRL)
    look = window.grid.sheet.formats.at(Cell.parse("H26"))
    assert look.bold
    assert look.italic
    assert window.actions_by_id.by_id["format.bold"].isChecked()
    press(window, Key.Key_B, CTRL)
    assert not window.grid.sheet.formats.at(Cell.parse("H26")).bold


def test_ctrl_1_opens_the_formats_with_a_sample(window: MainWindow) -> None:
    select(window, "H2")
    press(window, Key.Key_1, CTRL)
    asked = dialog(window, FormatCells)
    assert isinstance(asked, FormatCells)
    asked.categories.setCurrentRow(3)
    asked.decimals.setValue(1)
    assert asked.sample.text() == "300.0%"
    asked.align.setCurrentText("Centre")
    asked.accept()
    look = window.grid.sheet.formats.at(Cell.parse("H2"))
    assert look.code == "0.0%"
    assert look.align == "center"
    assert undo_label(window) == "Format cells"


def test_an_unchanged_format_dialog_makes_no_edit(window: MainWindow) -> None:
    select(window, "H25")
    press(window, Key.Key_1, CTRL)
    asked = dialog(window, FormatCells)
    asked.accept()
    assert not window.document.history.can_undo


def test_a_colour_scale_follows_a_run_and_goes(window: MainWindow) -> None:
    select(window, "H19:V23")
    window.actions_by_id.by_id["heat.diverging"].trigger()
    assert [str(scale.region) for scale in window.grid.sheet.scales] == ["H19:V23"]
    before = window.grid.grab().toImage()
    window.document.step_run(30)
    window.document.finish()
    QApplication.processEvents()
    assert window.grid.grab().toImage() != before
    select(window, "I20")
    window.actions_by_id.by_id["heat.none"].trigger()
    assert window.grid.sheet.scales == ()


# ------------------------------------------------------------------------------------ find


def test_ctrl_f_finds_as_one_types_and_enter_goes_on(window: MainWindow) -> None:
    select(window, "A1")
    press(window, Key.Key_F, CTRL)
    bar = window.find_bar
    assert bar.isVisible()
    type_text(window, "userid")
    assert window.grid.current == Cell.parse("G2") or value(window, str(window.grid.current))
    first = window.grid.current
    assert bar.count.text() == "1 of 2"
    press(window, Key.Key_Return)
    assert window.grid.current != first
    assert bar.count.text() == "2 of 2"
    press(window, Key.Key_Return, SHIFT)
    assert window.grid.current == first
    press(window, Key.Key_Escape)
    assert not bar.isVisible()
    assert window.grid.hasFocus()
    assert window.grid.overlay.marks("found") == ()


def test_what_is_not_there_is_said_and_nothing_moves(window: MainWindow) -> None:
    select(window, "B3")
    press(window, Key.Key_F, CTRL)
    type_text(window, "zebra")
    assert window.find_bar.count.text() == "Not found"
    assert window.grid.current == Cell.parse("B3")


def test_finds_are_marked(window: MainWindow) -> None:
    press(window, Key.Key_F, CTRL)
    type_text(window, "movieId")
    assert len(window.grid.overlay.marks("found")) == 2


def test_formulas_are_searched_when_asked(window: MainWindow) -> None:
    press(window, Key.Key_F, CTRL)
    window.find_bar.in_formulas.setChecked(True)
    type_text(window, "SUMXMY2")
    assert window.grid.current == Cell.parse("V41")


def test_replace_all_is_one_edit(window: MainWindow) -> None:
    select(window, "A1")
    press(window, Key.Key_H, CTRL)
    bar = window.find_bar
    bar.text.setText("movieId")
    bar.replacement.setText("film")
    bar.replace_all()
    assert bar.count.text() == "2 replaced" or undo_label(window) == "Replace in 2 cells"
    assert value(window, "G1") == "film"
    press(window, Key.Key_Escape)
    press(window, Key.Key_Z, CTRL)
    assert value(window, "G1") == "movieId"


def test_replace_one_goes_on_to_the_next(window: MainWindow) -> None:
    select(window, "G1")
    press(window, Key.Key_H, CTRL)
    bar = window.find_bar
    bar.text.setText("movieId")
    bar.replacement.setText("film")
    bar.replace_one()
    assert value(window, "G1") == "film"
    assert value(window, str(window.grid.current)) == "movieId"


def test_a_replacement_that_breaks_a_formula_changes_nothing(
    window: MainWindow, qtbot: QtBot
) -> None:
    press(window, Key.Key_H, CTRL)
    bar = window.find_bar
    bar.in_formulas.setChecked(True)
    bar.text.setText("MMULT(")
    bar.replacement.setText("MMULT)")
    with qtbot.waitSignal(window.grid.message) as told:
        bar.replace_all()
    assert "Nothing was replaced" in told.args[0]
    assert not window.document.history.can_undo


# ----------------------------------------------------------------------------- go to, names


def test_ctrl_g_goes_to_an_address_and_to_a_range_of_the_model(window: MainWindow) -> None:
    press(window, Key.Key_G, CTRL)
    asked = dialog(window, GoTo)
    assert isinstance(asked, GoTo)
    asked.line.setText("B25:F39")
    asked.accept()
    assert window.grid.selection == [Region.parse("B25:F39")]
    window.actions_by_id.by_id["edit.go_to"].trigger()
    asked = dialog(window, GoTo)
    assert isinstance(asked, GoTo)
    asked.list.setCurrentRow(0)
    asked.line.setText(asked.list.currentItem().data(Qt.ItemDataRole.UserRole).name)
    asked.accept()
    assert window.grid.selection == [Region.parse("H2:V16")]


def test_a_place_that_is_not_there_is_said_in_the_window(window: MainWindow) -> None:
    press(window, Key.Key_G, CTRL)
    asked = dialog(window, GoTo)
    assert isinstance(asked, GoTo)
    asked.line.setText("no such place")
    asked.accept()
    assert asked.isVisible()
    assert asked.problem.isVisible()
    asked.reject()


def test_the_name_box_names_the_selection_and_goes_to_names(window: MainWindow) -> None:
    select(window, "H19:V23")
    box = window.formula_bar.name_box
    box.setFocus()
    type_text(window, "movies")
    press(window, Key.Key_Return)
    assert undo_label(window) == "Define name movies"
    assert box.text() == "movies"
    select(window, "A1")
    box.setFocus()
    type_text(window, "movies")
    press(window, Key.Key_Return)
    assert window.grid.selection == [Region.parse("H19:V23")]


def test_a_name_counts_in_formulas(window: MainWindow) -> None:
    select(window, "H2:H16")
    window.formula_bar.go_to("first_film")
    select(window, "X2")
    type_text(window, "=AVERAGE(first_film)")
    press(window, Key.Key_Return)
    window.document.finish()
    assert value(window, "X2") == pytest.approx(
        float(window.grid.sheet.cells.read(Region.parse("H2:H16"))[0].sum()) / 11, rel=1
    )


def test_names_are_defined_changed_and_removed_in_their_window(window: MainWindow) -> None:
    select(window, "V41")
    press(window, Key.Key_F3, CTRL)
    names = dialog(window, Names)
    assert isinstance(names, Names)
    assert names.meaning.text() == "=dotprod!$V$41"
    names.name.setText("rmse")
    names.define.click()
    assert names.table.rowCount() == 1
    names.meaning.setText("=dotprod!$V$40")
    names.define.click()
    assert names.table.item(0, 1).text() == "=dotprod!$V$40"
    names.name.setText("not a name")
    names.define.click()
    assert "cannot be a name" in names.problem.text()
    names.table.selectRow(0)
    names.remove.click()
    assert names.table.rowCount() == 0
    names.reject()
    assert undo_label(window) == "Remove name rmse"


# ------------------------------------------------------------------------------ paste special


def test_paste_special_asks_what(window: MainWindow) -> None:
    select(window, "H25")
    press(window, Key.Key_C, CTRL)
    select(window, "X2")
    press(window, Key.Key_V, CTRL | ALT)
    asked = dialog(window, PasteSpecial)
    assert isinstance(asked, PasteSpecial)
    asked.choices[2].setChecked(True)
    asked.accept()
    assert value(window, "X2") == value(window, "H25")
    assert window.grid.sheet.cells.formula(Cell.parse("X2")) is None


def test_ctrl_shift_v_pastes_values(window: MainWindow) -> None:
    select(window, "H25:I25")
    press(window, Key.Key_C, CTRL)
    select(window, "X2")
    press(window, Key.Key_V, CTRL | SHIFT)
    assert value(window, "Y2") == value(window, "I25")
    assert window.grid.sheet.cells.formula(Cell.parse("Y2")) is None


# ------------------------------------------------------------------------------------ notes


def test_shift_f2_writes_a_note_that_shows_under_the_pointer(window: MainWindow) -> None:
    select(window, "H25")
    press(window, Key.Key_F2, SHIFT)
    assert window.tools.note.isVisible()
    type_text(window, "look here")
    press(window, Key.Key_Return, CTRL)
    assert window.grid.sheet.notes == {Cell.parse("H25"): "look here"}
    assert window.grid.hasFocus()
    point = window.grid.layout_now.cell_rect(Cell.parse("H25")).center()
    assert window.grid.mouse.tip_at(point).startswith("look here")
    assert undo_label(window) == "Note on H25"


def test_escape_leaves_a_note_as_it_was_and_empty_removes_it(window: MainWindow) -> None:
    window.tools._write_note(Cell.parse("H25"), "first")
    select(window, "H25")
    press(window, Key.Key_F2, SHIFT)
    type_text(window, "second")
    press(window, Key.Key_Escape)
    assert window.grid.sheet.notes == {Cell.parse("H25"): "first"}
    window.actions_by_id.by_id["note.remove"].trigger()
    assert window.grid.sheet.notes == {}
    assert undo_label(window) == "Remove note on H25"


# ------------------------------------------------------------------------------------ arrows


def test_arrows_come_from_what_a_cell_reads(window: MainWindow, qtbot: QtBot) -> None:
    select(window, "H25")
    press(window, Key.Key_BracketLeft, CTRL)
    qtbot.waitUntil(lambda: len(window.grid.overlay.arrows) == 3)
    starts = {str(arrow.start) for arrow in window.grid.overlay.arrows}
    assert starts == {"H2", "B25:F25", "H19:H23"}
    press(window, Key.Key_Escape)
    assert window.grid.overlay.arrows == ()


def test_arrows_go_to_the_cells_that_read_one_and_further(
    window: MainWindow, qtbot: QtBot
) -> None:
    select(window, "H19")
    press(window, Key.Key_BracketRight, CTRL)
    qtbot.waitUntil(lambda: bool(window.grid.overlay.arrows))
    assert {str(arrow.end) for arrow in window.grid.overlay.arrows} == {"H25:H39"}
    press(window, Key.Key_BracketRight, CTRL)
    qtbot.waitUntil(
        lambda: any(str(arrow.end) == "V41" for arrow in window.grid.overlay.arrows)
    )
    assert not window.document.history.can_undo


def test_a_cell_that_reads_nothing_says_so(window: MainWindow, qtbot: QtBot) -> None:
    select(window, "A1")
    press(window, Key.Key_BracketLeft, CTRL)
    qtbot.waitUntil(
        lambda: any("reads no cell" in m.text for m in window.document.log.messages())
    )


# ------------------------------------------------------------------------------------ sheets


def test_shift_f11_adds_a_sheet_and_shows_it(window: MainWindow) -> None:
    press(window, Key.Key_F11, SHIFT)
    assert [window.tabs.tabText(i) for i in range(window.tabs.count())] == ["dotprod", "Sheet1"]
    assert window.grid.sheet.name == "Sheet1"
    assert window.tabs.currentIndex() == 1
    press(window, Key.Key_Z, CTRL)
    assert window.tabs.count() == 1
    assert window.grid.sheet.name == "dotprod"


def test_double_click_on_a_tab_renames_the_sheet_and_formulas_follow(window: MainWindow) -> None:
    press(window, Key.Key_F11, SHIFT)
    type_text(window, "=dotprod!V41")
    press(window, Key.Key_Return)
    tabs = window.tabs
    QTest.mouseDClick(tabs, Qt.MouseButton.LeftButton, NONE, tabs.tabRect(0).center())
    assert tabs.name_editor.isVisible()
    type_text(window, "my model")
    press(window, Key.Key_Return)
    assert tabs.tabText(0) == "my model"
    assert formula(window, "A1") == "='my model'!V41"
    assert undo_label(window) == "Rename sheet to my model"


def test_a_name_that_is_taken_is_refused_and_the_tab_keeps_its_own(
    window: MainWindow, qtbot: QtBot
) -> None:
    press(window, Key.Key_F11, SHIFT)
    window.tabs.edit_name(1)
    type_text(window, "DotProd")
    with qtbot.waitSignal(window.grid.message):
        press(window, Key.Key_Return)
    assert window.tabs.tabText(1) == "Sheet1"


def test_escape_keeps_the_name(window: MainWindow) -> None:
    window.tabs.edit_name(0)
    type_text(window, "x")
    press(window, Key.Key_Escape)
    assert window.tabs.tabText(0) == "dotprod"


def test_a_sheet_is_duplicated_with_formulas_and_formats(window: MainWindow) -> None:
    window.actions_by_id.by_id["sheet.duplicate"].trigger()
    assert window.grid.sheet.name == "dotprod (2)"
    window.document.finish()
    assert formula(window, "H25") == '=IF(H2="",0,MMULT($B25:$F25,H$19:H$23))'
    assert window.grid.sheet.formats.at(Cell.parse("H25")).code == "0.00"
    assert value(window, "V41") == window.document.loss_now()


def test_a_sheet_is_deleted_and_undo_brings_it_back(window: MainWindow) -> None:
    press(window, Key.Key_F11, SHIFT)
    type_text(window, "7")
    press(window, Key.Key_Return)
    window.actions_by_id.by_id["sheet.delete"].trigger()
    assert window.tabs.count() == 1
    assert undo_label(window) == "Delete sheet Sheet1"
    press(window, Key.Key_Z, CTRL)
    assert window.tabs.count() == 2


def test_the_sheet_that_is_trained_is_not_deleted(window: MainWindow) -> None:
    press(window, Key.Key_F11, SHIFT)
    window.tabs.setCurrentIndex(0)
    window.actions_by_id.by_id["sheet.delete"].trigger()
    assert window.tabs.count() == 2
    assert any("is trained" in m.text for m in window.document.log.messages())


def test_sheets_move_by_key_and_by_dragging_their_tab(window: MainWindow) -> None:
    press(window, Key.Key_F11, SHIFT)
    press(window, Key.Key_PageUp, CTRL | SHIFT)
    assert [s.name for s in window.document.workbook.sheets] == ["Sheet1", "dotprod"]
    assert undo_label(window) == "Move sheet Sheet1"
    tabs = window.tabs
    start, end = tabs.tabRect(0).center(), tabs.tabRect(1).center() + QPoint(20, 0)
    left = Qt.MouseButton.LeftButton
    QTest.mousePress(tabs, left, NONE, start)
    for share in (0.3, 0.6, 1.0):
        QTest.mouseMove(tabs, start + (end - start) * share)
    QTest.mouseRelease(tabs, left, NONE, end)
    assert [s.name for s in window.document.workbook.sheets] == ["dotprod", "Sheet1"]


def test_a_tab_takes_a_colour(window: MainWindow) -> None:
    before = window.tabs.grab().toImage()
    window.actions_by_id.by_id["sheet.colour.loss"].trigger()
    assert window.grid.sheet.tab_colour == "#D55E00"
    assert window.tabs.grab().toImage() != before
    assert undo_label(window) == "Colour tab"


def test_a_formula_points_into_another_sheet_by_its_tab(window: MainWindow) -> None:
    press(window, Key.Key_F11, SHIFT)
    type_text(window, "=2*")
    tabs = window.tabs
    QTest.mouseClick(tabs, Qt.MouseButton.LeftButton, NONE, tabs.tabRect(0).center())
    assert window.grid.sheet.name == "dotprod"
    window.grid.show_cell(Cell.parse("H2"))
    point = window.grid.layout_now.cell_rect(Cell.parse("H2")).center()
    QTest.mouseClick(window.grid.viewport(), Qt.MouseButton.LeftButton, NONE, point)
    assert window.formula_bar.line.text() == "=2*dotprod!H2"
    press(window, Key.Key_Return)
    assert window.grid.sheet.name == "Sheet1"
    assert tabs.currentIndex() == 1
    assert formula(window, "A1") == "=2*dotprod!H2"


# ------------------------------------------------------------------------------------- menus


@pytest.mark.parametrize(
    ("place", "some"),
    [
        ("cells", {"edit.cut", "rows.insert", "note.edit", "format.cells"}),
        ("columns", {"columns.insert", "columns.hide", "columns.fit"}),
        ("rows", {"rows.insert", "rows.hide"}),
        ("corner", {"rows.unhide"}),
    ],
)
def test_every_place_has_a_menu_of_the_same_actions(
    window: MainWindow, place: str, some: set[str]
) -> None:
    window.grid.menu_asked.emit(place, window.mapToGlobal(QPoint(300, 300)))
    QApplication.processEvents()
    menu = next(m for m in window.findChildren(QMenu, "contextMenu") if m.isVisible())
    names = {action.objectName() for action in menu.actions()}
    assert some <= names
    menu.close()


def test_a_right_click_on_a_tab_shows_its_menu(window: MainWindow) -> None:
    window.tabs.menu_asked.emit(window.mapToGlobal(QPoint(300, 300)))
    QApplication.processEvents()
    menu = next(m for m in window.findChildren(QMenu, "contextMenu") if m.isVisible())
    assert {"sheet.add", "sheet.rename"} <= {action.objectName() for action in menu.actions()}
    menu.close()


def test_f2_in_the_window_edits_and_toggles_the_mode(window: MainWindow) -> None:
    select(window, "X2")
    type_text(window, "=")
    press(window, Key.Key_F2)
    press(window, Key.Key_Down)
    assert window.grid.editing.editor.text() == "="
    press(window, Key.Key_F2)
    press(window, Key.Key_Down)
    assert window.grid.editing.editor.text() == "=X3"
    press(window, Key.Key_Escape)


def test_f4_in_the_window_cycles_dollars(window: MainWindow) -> None:
    select(window, "X2")
    type_text(window, "=A1")
    press(window, Key.Key_F4)
    assert window.grid.editing.editor.text() == "=$A$1"
    press(window, Key.Key_Escape)
