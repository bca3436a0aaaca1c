"""The window on a real document, driven by real keys and clicks."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QToolButton
from pytestqt.qtbot import QtBot

from gradsheet.app.document import Document
from gradsheet.app.messages import Message
from gradsheet.app.settings import Settings
from gradsheet.formula.address import Cell, Region
from gradsheet.qt.main_window import MainWindow
from gradsheet.qt.theme import DARK, LIGHT, current_theme

RATINGS = Region.parse("H2:V16")
EMBEDDINGS = Region.parse("H19:V23")


def numbers(window: MainWindow, region: Region) -> np.ndarray:
    return window.grid.sheet.cells.read(region)[0]


def press(qtbot: QtBot, window: MainWindow, key: Qt.Key, modifier: str = "") -> None:
    modifiers = Qt.KeyboardModifier.NoModifier
    for name in filter(None, modifier.split("+")):
        modifiers |= getattr(Qt.KeyboardModifier, f"{name}Modifier")
    qtbot.keyClick(QApplication.focusWidget() or window, key, modifiers)


def test_it_opens_in_the_first_lesson_with_data_in_it(window: MainWindow) -> None:
    assert window.windowTitle().startswith("Dot product")
    assert window.lesson_list.open_id == "dotprod"
    assert "embedding" in window.guide.toPlainText()
    assert np.count_nonzero(numbers(window, RATINGS)) == 206
    assert window.tabs.tabText(window.tabs.currentIndex()) == "dotprod"
    assert window.loss_plot.is_empty


def test_space_takes_one_step_and_something_moves(window: MainWindow, qtbot: QtBot) -> None:
    before = numbers(window, EMBEDDINGS)
    press(qtbot, window, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: window.document.run.step == 1)
    assert not np.array_equal(numbers(window, EMBEDDINGS), before)
    qtbot.waitUntil(lambda: "step 1" in window.status.texts())
    qtbot.waitUntil(lambda: not window.loss_plot.is_empty)
    assert window.document.run.state == "paused"


def test_f5_runs_and_pauses(window: MainWindow, qtbot: QtBot) -> None:
    press(qtbot, window, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: window.document.run.step > 50)
    assert window.actions_by_id.by_id["train.run"].iconText() == "Pause"
    assert window.status.texts()[0] == "Running"
    press(qtbot, window, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: window.document.run.state == "paused")
    assert window.actions_by_id.by_id["train.run"].iconText() == "Run"
    steps = window.document.run.step
    qtbot.waitUntil(lambda: f"step {steps:,}" in window.status.texts())
    assert window.document.run.step == steps


def test_a_run_is_undone_in_one_step_and_done_again(window: MainWindow, qtbot: QtBot) -> None:
    start = numbers(window, EMBEDDINGS)
    press(qtbot, window, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: window.document.run.step > 20)
    press(qtbot, window, Qt.Key.Key_F5)
    end = numbers(window, EMBEDDINGS)
    press(qtbot, window, Qt.Key.Key_Z, "Control")
    assert np.array_equal(numbers(window, EMBEDDINGS), start)
    press(qtbot, window, Qt.Key.Key_Z, "Control+Shift")
    assert np.array_equal(numbers(window, EMBEDDINGS), end)


def test_reset_gives_exactly_the_start(window: MainWindow, qtbot: QtBot) -> None:
    start = numbers(window, EMBEDDINGS)
    press(qtbot, window, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: window.document.run.step > 20)
    button = window.run_bar.widgetForAction(window.actions_by_id.by_id["train.reset"])
    qtbot.waitUntil(button.isEnabled)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.document.run.step == 0)
    assert np.array_equal(numbers(window, EMBEDDINGS), start)
    qtbot.waitUntil(lambda: window.loss_plot.is_empty)


def test_space_types_a_space_while_a_cell_is_edited(window: MainWindow, qtbot: QtBot) -> None:
    window.grid.select(Cell.parse("J1"))
    qtbot.keyClicks(QApplication.focusWidget(), "a")
    qtbot.keyClicks(QApplication.focusWidget(), " b")
    press(qtbot, window, Qt.Key.Key_Return)
    assert window.document.run.step == 0
    value, _ = window.grid.sheet.cells.get(Cell.parse("J1"))
    assert window.document.workbook.strings.text(int(value)) == "a b"


def test_space_types_a_space_in_the_formula_bar(window: MainWindow, qtbot: QtBot) -> None:
    window.formula_bar.line.setFocus()
    qtbot.keyClicks(window.formula_bar.line, " ")
    assert " " in window.formula_bar.line.text()
    assert window.document.run.step == 0
    press(qtbot, window, Qt.Key.Key_Escape)


def test_space_presses_the_button_that_has_the_focus(window: MainWindow, qtbot: QtBot) -> None:
    log = next(b for b in window.loss_plot.findChildren(QToolButton) if b.text() == "Log")
    log.setFocus()
    qtbot.waitUntil(log.hasFocus)
    qtbot.keyClick(log, Qt.Key.Key_Space)
    assert window.loss_plot.is_log
    assert window.document.run.step == 0


def test_typing_into_a_cell_changes_its_row_and_the_loss(window: MainWindow, qtbot: QtBot) -> None:
    row = Region.parse("H25:V25")
    other = Region.parse("H26:V26")
    loss = window.document.loss_now()
    before, other_before = numbers(window, row), numbers(window, other)
    window.grid.select(Cell.parse("B25"))
    qtbot.keyClicks(QApplication.focusWidget(), "5")
    press(qtbot, window, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.document.loss_now() != loss)
    assert not np.array_equal(numbers(window, row), before)
    assert np.array_equal(numbers(window, other), other_before)


def test_the_selection_is_added_up(window: MainWindow, qtbot: QtBot) -> None:
    window.grid.select(Region.parse("H2:V16"))
    qtbot.waitUntil(lambda: window.status.texts()[-1] == "Count 206")
    total = numbers(window, RATINGS).sum()
    assert window.status.texts()[-3] == f"Sum {total:g}"
    window.grid.select(Cell.parse("H2"))
    qtbot.waitUntil(lambda: window.status.texts()[-1] == "")


def test_copy_and_paste_go_through_the_menu_commands(window: MainWindow, qtbot: QtBot) -> None:
    window.grid.select(Region.parse("H2:I3"))
    press(qtbot, window, Qt.Key.Key_C, "Control")
    window.grid.select(Cell.parse("X2"))
    press(qtbot, window, Qt.Key.Key_V, "Control")
    copied = numbers(window, Region.parse("X2:Y3"))
    assert np.array_equal(copied, numbers(window, Region.parse("H2:I3")))
    press(qtbot, window, Qt.Key.Key_Z, "Control")
    assert not numbers(window, Region.parse("X2:Y3")).any()


def test_a_lesson_opens_from_the_list(window: MainWindow, qtbot: QtBot) -> None:
    item = window.lesson_list.item(1)
    rect = window.lesson_list.visualItemRect(item)
    qtbot.mouseClick(window.lesson_list.viewport(), Qt.MouseButton.LeftButton, pos=rect.center())
    assert window.document.lesson.id == "bias"
    assert window.lesson_list.open_id == "bias"
    assert window.windowTitle().startswith("Dot product with bias")
    assert window.grid.sheet.name == "bias"
    assert window.grid.hasFocus() or window.grid.viewport().hasFocus()
    window.document.finish()


def test_opening_a_lesson_during_a_run_stops_the_run(window: MainWindow, qtbot: QtBot) -> None:
    press(qtbot, window, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: window.document.run.step > 5)
    window.actions_by_id.by_id["lesson.open.bias"].trigger()
    assert window.document.run.task is None
    qtbot.waitUntil(lambda: window.document.run.state == "idle")
    assert window.loss_plot.is_empty


def test_speed_limits_the_run(window: MainWindow, qtbot: QtBot) -> None:
    window.run_bar.speed_slider.setValue(2)
    assert window.settings.steps_per_second == 5
    press(qtbot, window, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: window.document.run.step >= 2)
    assert window.document.run.step < 50
    press(qtbot, window, Qt.Key.Key_F5)


def test_the_theme_changes_everywhere_and_is_remembered(window: MainWindow, qtbot: QtBot) -> None:
    press(qtbot, window, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: not window.loss_plot.is_empty)
    try:
        window.actions_by_id.by_id["view.theme.dark"].trigger()
        assert current_theme() is DARK
        assert window.settings.theme == "dark"
        for widget in (window.loss_plot._plot, window.guide.viewport(), window.grid.viewport()):
            picture = widget.grab().toImage()
            corner = picture.pixelColor(picture.width() - 3, picture.height() - 3)
            assert corner.lightness() < 80, widget
        assert window.actions_by_id.by_id["view.theme.dark"].isChecked()
        assert not window.actions_by_id.by_id["view.theme.light"].isChecked()
    finally:
        window.actions_by_id.by_id["view.theme.light"].trigger()
    assert current_theme() is LIGHT


def test_panels_close_come_back_and_the_layout_resets(window: MainWindow, qtbot: QtBot) -> None:
    button = window.docks["loss"].titleBarWidget().close_button
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert not window.is_panel_open("loss")
    window.docks["lessons"].setFloating(True)
    window.actions_by_id.by_id["view.reset_layout"].trigger()
    assert window.is_panel_open("loss")
    assert not window.docks["lessons"].isFloating()


def test_the_layout_is_remembered(qtbot: QtBot, window: MainWindow) -> None:
    window.toggle_panel("lessons")
    window.remember_layout()
    document = Document()
    try:
        second = MainWindow(document, window.settings)
        qtbot.addWidget(second)
        assert not second.is_panel_open("lessons")
        assert second.is_panel_open("loss")
    finally:
        second.close()


def test_zoom_keys_change_the_sheet(window: MainWindow, qtbot: QtBot) -> None:
    press(qtbot, window, Qt.Key.Key_Plus, "Control")
    assert window.grid.zoom > 1.0
    press(qtbot, window, Qt.Key.Key_0, "Control")
    assert window.grid.zoom == 1.0
    press(qtbot, window, Qt.Key.Key_Minus, "Control")
    assert window.grid.zoom < 1.0


def test_going_to_the_loss_selects_its_cell(window: MainWindow, qtbot: QtBot) -> None:
    press(qtbot, window, Qt.Key.Key_G, "Control+Shift")
    assert window.grid.current == Cell.parse("V41")
    assert window.grid.visible_region().contains(Cell.parse("V41"))


def test_a_warning_shows_in_the_banner_and_a_note_in_the_status_bar(window: MainWindow) -> None:
    window.document.say(Message("warning", "Three rows are missing.", "Look at line 7."))
    assert window.banner.isVisible()
    assert window.banner.message is not None
    window.banner.dismiss()
    window.document.say(Message("info", "Copied 4 cells."))
    assert not window.banner.isVisible()
    assert "Copied 4 cells." in window.status.texts()


def test_an_offered_command_is_one_click_away(window: MainWindow, qtbot: QtBot) -> None:
    press(qtbot, window, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: window.document.run.step == 1)
    window.document.say(Message("warning", "It diverged.", "Reset?", action="train.reset"))
    qtbot.mouseClick(window.banner._offer, Qt.MouseButton.LeftButton)
    assert window.document.run.step == 0
    assert not window.banner.isVisible()


def test_a_run_that_diverges_says_so_and_offers_the_way_back(
    window: MainWindow, qtbot: QtBot
) -> None:
    start = numbers(window, EMBEDDINGS)
    window.document.set_optimizer("sgd")
    window.document.set_hyper(lr=1e6)
    press(qtbot, window, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: window.document.run.state == "failed")
    assert window.banner.isVisible()
    assert "step" in window.banner._text.text()
    qtbot.mouseClick(window.banner._offer, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.document.run.state != "failed")
    assert np.array_equal(numbers(window, EMBEDDINGS), start)
    assert window.run_bar.rate_field("lr").number == pytest.approx(1e5)


def test_all_messages_are_kept_in_the_log(window: MainWindow, qtbot: QtBot) -> None:
    window.document.say(Message("warning", "First.", detail="Traceback"))
    window.actions_by_id.by_id["help.messages"].trigger()
    panel = window.message_log.dock.panel
    assert panel.isVisible()
    window.document.say(Message("error", "Second."))
    text = panel.text()
    assert text.index("First.") < text.index("Traceback") < text.index("Second.")
    assert text.count("Second.") == 1
    window.actions_by_id.by_id["help.messages"].trigger()
    assert not panel.isVisible()


def test_details_of_the_banner_open_the_log_at_that_message(
    window: MainWindow, qtbot: QtBot
) -> None:
    window.document.say(Message("error", "Broken.", "Try again.", "line 1\nline 2"))
    window.document.say(Message("info", "Later."))
    qtbot.mouseClick(window.banner._details, Qt.MouseButton.LeftButton)
    assert window.message_log.dock.is_open
    assert "line 1\nline 2" in window.message_log.dock.panel.whole_text()
    assert "Later." not in window.message_log.dock.panel.whole_text()


def test_what_is_logged_in_a_thread_stands_in_the_log(window: MainWindow, qtbot: QtBot) -> None:
    window.show_messages()
    thread = threading.Thread(target=window.document.log.add, args=[Message("info", "Far.")])
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: "Far." in window.message_log.dock.panel.text())


def test_closing_during_a_run_leaves_no_thread(qtbot: QtBot, document: Document) -> None:
    window = MainWindow(document, Settings())
    qtbot.addWidget(window)
    window.show()
    document.start_run()
    qtbot.waitUntil(lambda: document.run.step > 5)
    with qtbot.waitSignal(window.closed):
        window.close()
    assert document.run.task is None
    assert not window.clock.is_running


def test_nothing_jumps_while_numbers_grow(window: MainWindow, qtbot: QtBot) -> None:
    places = [field.geometry() for field in (window.status._loss, window.status._speed)]
    run_button = window.run_bar.widgetForAction(window.actions_by_id.by_id["train.run"])
    width = run_button.width()
    press(qtbot, window, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: window.document.run.step > 1_000)
    assert [f.geometry() for f in (window.status._loss, window.status._speed)] == places
    assert run_button.width() == width
    press(qtbot, window, Qt.Key.Key_F5)
