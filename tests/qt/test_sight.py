"""Explain line, gradient layer, roles, palette and presentation, driven by real keys and clicks."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QByteArray, QEvent, QPointF, Qt
from PySide6.QtGui import QColor, QContextMenuEvent, QGuiApplication, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolButton
from pytestqt.qtbot import QtBot

from gradsheet.formula.address import Cell, Region
from gradsheet.qt.grid.gradient_layer import (
    STEPS,
    cell_number,
    derivative_text,
    place_on_scale,
    shade,
    unit_text,
)
from gradsheet.qt.main_window import MainWindow
from gradsheet.qt.palette import match
from gradsheet.qt.presentation import LEAST_HEIGHT_PX, LEAST_PX
from gradsheet.qt.shortcut_sheet import ShortcutSheet, rows, sheet_html
from gradsheet.qt.theme import THEMES, contrast_ratio, scale
from gradsheet.qt.widgets.typeset import typeset
from gradsheet.sheet.roles import Role

MODIFIERS = {"Ctrl": Qt.KeyboardModifier.ControlModifier, "Alt": Qt.KeyboardModifier.AltModifier,
             "Shift": Qt.KeyboardModifier.ShiftModifier}  # fmt: skip


def press(window: MainWindow, keys: str) -> None:
    """Press keys such as `Ctrl+Shift+P` wherever the keyboard is."""
    *held, name = keys.split("+")
    modifiers = Qt.KeyboardModifier.NoModifier
    for modifier in held:
        modifiers |= MODIFIERS[modifier]
    target = QApplication.focusWidget() or window
    QTest.keyClick(target, getattr(Qt.Key, f"Key_{name}"), modifiers)


def explained(window: MainWindow, qtbot: QtBot, cell: str, language: str = "excel") -> str:
    """The explanation of a cell once it is on show."""

    def is_there() -> bool:
        dressed = window.sight.explain.shown
        return (
            dressed is not None
            and str(dressed.explanation.cell) == cell
            and dressed.explanation.language == language
        )

    qtbot.waitUntil(is_there)
    dressed = window.sight.explain.shown
    assert dressed is not None
    return dressed.explanation.text or dressed.explanation.copied


def hover(window: MainWindow, cell: str) -> None:
    """Move the pointer over the number that comes from a cell."""
    line = window.sight.explain.line
    box = next(box for box, source in line.spots() if str(source.region) == cell)
    move = QMouseEvent(
        QEvent.Type.MouseMove, box.center(), line.mapToGlobal(box.center()),
        Qt.MouseButton.NoButton, Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    QApplication.sendEvent(line, move)


# ------------------------------------------------------------------------------ explain line


def test_the_selected_cell_is_explained(window: MainWindow, qtbot: QtBot) -> None:
    window.grid.select(Cell.parse("H25"))
    assert 'H2="" is FALSE' in explained(window, qtbot, "H25")
    press(window, "Down")
    assert explained(window, qtbot, "H26") != ""


def test_f8_goes_from_excel_to_mathematics_to_pytorch(window: MainWindow, qtbot: QtBot) -> None:
    window.grid.select(Cell.parse("H25"))
    explained(window, qtbot, "H25")
    press(window, "F8")
    assert r"\sum_{k = 1}^{5}" in explained(window, qtbot, "H25", "maths")
    press(window, "F8")
    assert explained(window, qtbot, "H25", "pytorch").startswith("torch.dot(tensor([")
    press(window, "F8")
    assert window.settings.explain_language == "excel"


def test_a_click_on_a_language_chooses_it(window: MainWindow, qtbot: QtBot) -> None:
    button = window.sight.explain.buttons["pytorch"]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert window.sight.explain.language == "pytorch"
    assert button.isChecked()


@pytest.mark.parametrize("language", ["excel", "maths", "pytorch"])
def test_a_number_under_the_pointer_lights_its_cell(
    window: MainWindow, qtbot: QtBot, language: str
) -> None:
    window.grid.select(Cell.parse("H25"))
    window.sight.explain_in(language)
    explained(window, qtbot, "H25", language)
    hover(window, "C25")
    assert window.sight.layers.lit == (window.grid.sheet_id, Region.parse("C25"))
    QApplication.sendEvent(window.sight.explain.line, QEvent(QEvent.Type.Leave))
    assert window.sight.layers.lit is None


def test_a_lit_cell_shows_it(window: MainWindow, qtbot: QtBot) -> None:
    window.grid.select(Cell.parse("H25"))
    explained(window, qtbot, "H25")
    window.grid.show_cell(Cell.parse("C25"))
    box = window.grid.layout_now.cell_rect(Cell.parse("C25"))
    before = window.grid.viewport().grab(box).toImage()
    hover(window, "C25")
    assert window.grid.viewport().grab(box).toImage() != before


def test_a_click_on_a_number_goes_to_its_cell(window: MainWindow, qtbot: QtBot) -> None:
    window.grid.select(Cell.parse("H25"))
    explained(window, qtbot, "H25")
    line = window.sight.explain.line
    box = next(box for box, source in line.spots() if str(source.region) == "H20")
    qtbot.mouseClick(line, Qt.MouseButton.LeftButton, pos=box.center().toPoint())
    assert window.grid.current == Cell.parse("H20")
    assert window.grid.hasFocus()


def test_numbers_are_reached_by_the_keyboard_too(window: MainWindow, qtbot: QtBot) -> None:
    window.grid.select(Cell.parse("H25"))
    explained(window, qtbot, "H25")
    line = window.sight.explain.line
    line.setFocus()
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Return):
        QTest.keyClick(line, key)
    assert window.grid.current == Cell.parse("B25")


def test_the_line_follows_a_step(window: MainWindow, qtbot: QtBot) -> None:
    window.grid.select(Cell.parse("H25"))
    before = explained(window, qtbot, "H25")
    press(window, "Space")
    qtbot.waitUntil(lambda: explained(window, qtbot, "H25") != before)


def test_copy_gives_a_program_that_runs(window: MainWindow, qtbot: QtBot) -> None:
    window.grid.select(Cell.parse("V41"))
    window.sight.explain_in("pytorch")
    explained(window, qtbot, "V41", "pytorch")
    qtbot.mouseClick(window.sight.explain.copy_button, Qt.MouseButton.LeftButton)
    scope: dict[str, object] = {}
    exec(QGuiApplication.clipboard().text(), scope)
    assert float(scope["result"]) == pytest.approx(window.document.loss_now(), rel=1e-9)


def test_the_line_can_be_closed_and_comes_back(window: MainWindow, qtbot: QtBot) -> None:
    press(window, "Ctrl+Shift+X")
    assert not window.sight.is_explaining
    assert not window.settings.explain
    press(window, "Ctrl+Shift+X")
    assert window.sight.is_explaining


def test_typeset_mathematics_say_where_their_numbers_stand() -> None:
    page = '<math display="block"><mn id="n0">3.25</mn><mo>=</mo><mn id="n1">2</mn></math>'
    found = typeset(page, 16.0, "#123456")
    assert set(found.places) == {0, 1}
    assert found.places[0].right() < found.places[1].left()
    assert "#123456" in found.svg


# ------------------------------------------------------------------------------ gradients


def test_f7_shows_the_gradients_with_a_legend(window: MainWindow, qtbot: QtBot) -> None:
    window.grid.show_cell(Cell.parse("H25"))
    plain = window.grid.grab().toImage()
    press(window, "F7")
    qtbot.waitUntil(lambda: bool(window.sight.layer.shown))
    assert window.grid.grab().toImage() != plain
    labels = [entry.label for entry in window.sight.legend.entries]
    assert labels == ["movie embedding", "user embedding", "prediction", "RMSE"]
    assert window.sight.has_legend
    press(window, "F7")
    assert not window.sight.has_legend
    qtbot.waitUntil(lambda: window.grid.grab().toImage() == plain)


def test_switching_the_layer_changes_no_cell(window: MainWindow, qtbot: QtBot) -> None:
    cells = window.grid.sheet.cells
    before = cells.read(cells.used())[0].copy()
    press(window, "F7")
    qtbot.waitUntil(lambda: bool(window.sight.layer.shown))
    press(window, "F7")
    assert (cells.read(cells.used())[0] == before).all()
    assert not window.document.history.can_undo


def test_the_layer_follows_a_step_in_the_window(window: MainWindow, qtbot: QtBot) -> None:
    sheet, cell = window.grid.sheet_id, Cell.parse("H25")
    press(window, "F7")
    qtbot.waitUntil(lambda: window.sight.layer.at(sheet, cell) is not None)
    before = window.sight.layer.at(sheet, cell)
    press(window, "Space")
    qtbot.waitUntil(lambda: window.sight.layer.at(sheet, cell) != before)


def test_a_cell_says_its_gradient_while_the_layer_is_on(window: MainWindow, qtbot: QtBot) -> None:
    cell = Cell.parse("H25")
    assert "gradient" not in window.grid.accessible_text(cell)
    press(window, "F7")
    qtbot.waitUntil(lambda: bool(window.sight.layer.shown))
    assert "gradient -" in window.grid.accessible_text(cell)
    assert window.grid.accessible_text(cell).endswith("moves up")
    assert window.grid.accessible_text(Cell.parse("H2")).endswith("no gradient")


@pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
def test_text_can_be_read_on_every_shade(theme: object) -> None:
    for place in range(-STEPS, STEPS + 1):
        ground, text = shade(theme, place)  # type: ignore[arg-type]
        assert contrast_ratio(ground, text) >= 4.5


def test_the_scale_is_symmetric_and_ends() -> None:
    assert place_on_scale(0.0, 1.0) == 0
    assert place_on_scale(5.0, 1.0) == STEPS
    assert place_on_scale(-5.0, 1.0) == -STEPS
    assert place_on_scale(1e-9, 1.0) == 1  # not nothing
    assert (
        QColor(shade(THEMES["light"], STEPS)[0]).red()
        > QColor(shade(THEMES["light"], -STEPS)[0]).red()
    )


def test_derivatives_are_written_short() -> None:
    assert [derivative_text(x) for x in (0.0, 1.0, -0.01234, 2e-9)] == ["0", "1.00", "-0.0123",
                                                                       "2.0e-9"]  # fmt: skip
    assert [cell_number(x, -3) for x in (0.0, -7.6e-4, 0.0254, -1e-9)] == ["0", "-0.76", "25.4",
                                                                           "0.00"]  # fmt: skip
    assert unit_text(-4) == "×10⁻⁴"
    assert unit_text(0) == ""


# ------------------------------------------------------------------------------ roles


def type_in(window: MainWindow, address: str, text: str) -> None:
    window.grid.select(Cell.parse(address))
    for character in text:
        QTest.keyClicks(QApplication.focusWidget(), character)
    press(window, "Return")


def test_a_sheet_typed_from_nothing_learns(window: MainWindow, qtbot: QtBot) -> None:
    press(window, "Ctrl+N")
    assert window.windowTitle().startswith("New workbook")
    type_in(window, "A1", "5")
    type_in(window, "A2", "=(A1-2)^2")
    window.grid.select(Cell.parse("A1"))
    press(window, "Alt+1")
    window.grid.select(Cell.parse("A2"))
    press(window, "Alt+4")
    assert [role.role for role in window.grid.sheet.roles] == [Role.PARAMETER, Role.LOSS]
    for step in (1, 2, 3):
        press(window, "Space")
        qtbot.waitUntil(lambda step=step: window.document.run.step == step)
    value = window.grid.sheet.cells.get(Cell.parse("A1"))[0]
    assert 4.5 < value < 5.0
    press(window, "Ctrl+Z")
    qtbot.waitUntil(lambda: window.grid.sheet.cells.get(Cell.parse("A1"))[0] == 5.0)


def test_a_step_without_a_problem_says_what_to_do(window: MainWindow, qtbot: QtBot) -> None:
    press(window, "Ctrl+N")
    press(window, "Space")
    message = window.document.log.messages()[-1]
    assert message.text == "No cell is the loss yet."
    assert "Sheet > Role > Loss" in message.hint


def test_the_roles_menu_ticks_the_role_of_the_cell(window: MainWindow, qtbot: QtBot) -> None:
    window.grid.select(Cell.parse("H25"))
    window.after_command()
    actions = window.actions_by_id.by_id
    assert actions["role.prediction"].isChecked()
    assert not actions["role.data"].isChecked()


def test_a_locked_range_shows_a_padlock(window: MainWindow, qtbot: QtBot) -> None:
    window.grid.select(Region.parse("H19:V23"), Cell.parse("H19"))
    plain = window.grid.grab().toImage()
    press(window, "Alt+5")
    assert window.actions_by_id.by_id["role.lock"].isChecked()
    assert window.grid.grab().toImage() != plain
    press(window, "Ctrl+Z")
    assert not window.sight.is_locked


def test_the_legend_names_the_roles(window: MainWindow, qtbot: QtBot) -> None:
    window.actions_by_id.by_id["view.legend"].trigger()
    assert next(entry.label for entry in window.sight.legend.entries) == "actual rating"
    assert "prediction" in window.sight.legend.accessibleName()


# ------------------------------------------------------------------------------ palette, keys


def test_the_palette_finds_a_command_by_a_few_letters(window: MainWindow, qtbot: QtBot) -> None:
    press(window, "Ctrl+Shift+P")
    palette = window.sight.palette
    assert palette.isVisible()
    QTest.keyClicks(QApplication.focusWidget(), "gradi")
    assert palette.found[0].id == "view.gradients"
    assert palette.found[0].keys == "F7"
    press(window, "Return")
    assert not palette.isVisible()
    assert window.sight.layer.is_on


def test_the_palette_says_why_a_command_is_not_possible(window: MainWindow, qtbot: QtBot) -> None:
    press(window, "Ctrl+Shift+P")
    QTest.keyClicks(QApplication.focusWidget(), "redo")
    found = next(f for f in window.sight.palette.found if f.id == "edit.redo")
    assert found.reason == "Nothing has been undone"
    press(window, "Escape")
    assert not window.sight.palette.isVisible()
    assert window.grid.hasFocus()


def test_arrow_keys_move_in_the_palette(window: MainWindow, qtbot: QtBot) -> None:
    press(window, "Ctrl+Shift+P")
    palette = window.sight.palette
    press(window, "Down")
    assert palette.list.currentRow() == 1
    press(window, "Up")
    press(window, "Up")
    assert palette.list.currentRow() == palette.list.count() - 1
    press(window, "Escape")


def test_a_menu_and_a_title_find_that_command_before_those_whose_help_has_the_words(
    window: MainWindow, qtbot: QtBot
) -> None:
    press(window, "Ctrl+Shift+P")
    QTest.keyClicks(QApplication.focusWidget(), "lesson momentum")
    assert window.sight.palette.found[0].id == "lesson.open.momentum"
    press(window, "Escape")


def test_letters_must_come_in_order_and_starts_of_words_count() -> None:
    assert match("zz", "Zoom in") is None
    assert match("fs", "Full screen")[0] > match("fs", "Offset")[0]  # type: ignore[index]
    assert match("fs", "Full screen")[1] == (0, 5)  # type: ignore[index]
    assert match("", "anything") == (0.0, ())


def test_every_command_with_keys_is_on_the_sheet_of_keys(window: MainWindow) -> None:
    from gradsheet.qt.actions import all_commands

    titles = {row[1] for row in rows()}
    assert {entry.title for entry in all_commands().values() if entry.shortcuts} <= titles


def test_f1_opens_the_sheet_of_keys_and_searches(window: MainWindow, qtbot: QtBot) -> None:
    press(window, "F1")
    sheet = window.findChild(ShortcutSheet)
    assert sheet is not None
    qtbot.keyClicks(sheet.search, "presentation")
    assert "F11" in sheet.text.toPlainText()
    assert "Ctrl+Z" not in sheet.text.toPlainText()
    assert "No key does that" in sheet_html("xyzzy")
    sheet.close()


# ------------------------------------------------------------------------------ presentation


def test_f11_enlarges_everything_and_gives_every_size_back(
    window: MainWindow, qtbot: QtBot
) -> None:
    def sizes() -> list[object]:
        axis = window.loss_plot._plot.getPlotItem().getAxis("left")
        return [
            window.grid.zoom,
            window.formula_bar.line.font().pixelSize(),
            window.status.font().pixelSize(),
            window.menuBar().font().pixelSize(),
            window.sight.explain.height(),
            axis.style["tickFont"].pixelSize(),
            float(axis.labelStyle["font-size"].removesuffix("px")),
            window.time_bar.buttons["train.back"].iconSize().width(),
            window.grid.layout_now.header_height,
        ]

    before = sizes()
    press(window, "F11")
    assert scale() == window.settings.presentation_scale == 1.5
    qtbot.waitUntil(lambda: window.isFullScreen())
    larger = sizes()
    for old, new in zip(before, larger, strict=True):
        assert new == pytest.approx(1.5 * old, rel=0.12)  # type: ignore[operator]
    press(window, "F11")
    assert scale() == 1.0
    qtbot.waitUntil(lambda: not window.isFullScreen())
    assert sizes() == before


def test_presentation_mode_gives_the_sheet_the_room_of_the_lessons_where_it_is_narrow(
    window: MainWindow, qtbot: QtBot
) -> None:
    assert window.screen().size().width() / 1.5 < LEAST_PX
    widths = {name: dock.width() for name, dock in window.docks.items()}
    bar = window.run_bar.sizeHint().height()
    press(window, "F11")
    qtbot.waitUntil(lambda: window.isFullScreen())
    assert not window.is_panel_open("lessons")
    assert window.is_panel_open("loss")
    switches = window.loss_plot.findChildren(QToolButton)
    qtbot.waitUntil(lambda: all(b.width() >= b.sizeHint().width() for b in switches))
    press(window, "F11")
    qtbot.waitUntil(lambda: not window.isFullScreen())
    window.resize(1366, 768)
    qtbot.waitUntil(lambda: {n: d.width() for n, d in window.docks.items()} == widths)
    assert window.is_panel_open("lessons")
    assert window.run_bar.sizeHint().height() == bar


def test_a_panel_opened_in_presentation_mode_stays_open_after_it(window: MainWindow) -> None:
    press(window, "F11")
    window.toggle_panel("lessons")
    window.toggle_panel("loss")
    press(window, "F11")
    assert window.is_panel_open("lessons")
    assert not window.is_panel_open("loss")


def test_the_current_cell_is_in_sight_in_presentation_mode(
    window: MainWindow, qtbot: QtBot
) -> None:
    window.grid.select(Cell.parse("H25"))
    window.grid.show_cell(Cell.parse("H25"))
    press(window, "F11")
    port = window.grid.viewport()
    qtbot.waitUntil(
        lambda: port.rect().contains(window.grid.layout_now.cell_rect(Cell.parse("H25")))
    )
    press(window, "F11")


def test_docks_above_one_another_become_tabs_on_a_low_screen_and_come_back(
    window: MainWindow, qtbot: QtBot
) -> None:
    press(window, "Ctrl+Shift+T")
    loss, path = window.docks["loss"], window.lab.docks["trajectory"]
    qtbot.waitUntil(lambda: path.isVisible() and path.y() > loss.y())
    assert window.screen().size().height() / 1.5 < LEAST_HEIGHT_PX
    press(window, "F11")
    assert window.tabifiedDockWidgets(loss) == [path]
    assert path.isVisible()
    press(window, "F11")
    qtbot.waitUntil(lambda: not window.isFullScreen())
    assert window.tabifiedDockWidgets(loss) == []
    qtbot.waitUntil(lambda: loss.isVisible() and path.isVisible() and path.y() > loss.y())


def test_the_current_cell_stays_in_sight_when_the_legend_takes_room(
    window: MainWindow, qtbot: QtBot
) -> None:
    rows = window.grid.visible_region()
    last = Cell(rows.bottom - 2, rows.left + 2)
    window.grid.select(last)
    before = window.grid.viewport().height()
    press(window, "F7")
    qtbot.waitUntil(lambda: window.grid.viewport().height() < before)
    port = window.grid.viewport()
    qtbot.waitUntil(lambda: port.rect().contains(window.grid.layout_now.cell_rect(last)))
    press(window, "F7")


def test_a_narrow_legend_says_everything_in_shorter_signs(window: MainWindow, qtbot: QtBot) -> None:
    press(window, "F7")
    legend = window.sight.legend
    qtbot.waitUntil(lambda: any(entry.limit is not None for entry in legend.entries))
    for width in (1100, 700, 420):
        legend.resize(width, legend.height())
        shown = [part for _, _, part in legend._places()]
        assert set(legend.entries) <= set(shown), width
    press(window, "F7")


def test_a_window_closed_in_presentation_mode_remembers_how_it_was_before(
    window: MainWindow, qtbot: QtBot
) -> None:
    press(window, "F11")
    qtbot.waitUntil(lambda: window.isFullScreen())
    window.close()
    assert scale() == 1.0
    assert not window.isFullScreen()
    state = next(text for key, text in window.settings.layout.items() if key.endswith("state"))
    for dock in window.docks.values():
        dock.hide()
    assert window.restoreState(QByteArray.fromBase64(state.encode("ascii")))
    assert window.is_panel_open("lessons")


def test_presentation_mode_keeps_the_theme_and_another_theme_keeps_the_mode(
    window: MainWindow, qtbot: QtBot
) -> None:
    press(window, "F11")
    window.choose_theme("dark")
    assert window.menuBar().font().pixelSize() == pytest.approx(19.5, abs=1)
    window.choose_theme("light")
    press(window, "F11")
    assert window.menuBar().font().pixelSize() == 13


def test_point_of_a_spot_is_inside_the_line(window: MainWindow, qtbot: QtBot) -> None:
    window.grid.select(Cell.parse("V41"))
    window.sight.explain_in("maths")
    explained(window, qtbot, "V41", "maths")
    line = window.sight.explain.line
    assert line.spots()
    assert all(box.top() >= 0 and box.bottom() <= line.height() for box, _ in line.spots())
    assert isinstance(line.spots()[0][0].center(), QPointF)


def test_the_context_menu_of_a_cell_gives_it_a_role(window: MainWindow, qtbot: QtBot) -> None:
    window.grid.select(Cell.parse("C5"))
    port = window.grid.viewport()
    point = window.grid.layout_now.cell_rect(Cell.parse("C5")).center()
    right = Qt.MouseButton.RightButton
    QTest.mouseClick(port, right, Qt.KeyboardModifier.NoModifier, point)
    asked = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, point, port.mapToGlobal(point))
    QApplication.sendEvent(port, asked)
    menu = QApplication.activePopupWidget()
    assert menu is not None
    roles = next(a.menu() for a in menu.actions() if a.menu() and a.text() == "Role")
    data = next(action for action in roles.actions() if action.text() == "Data")
    data.trigger()
    menu.close()
    assert window.sight.current_role() is Role.DATA
