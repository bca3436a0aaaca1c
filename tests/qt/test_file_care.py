"""Nothing is lost from a window: the question, the offer after a crash, a file open elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox
from pytestqt.qtbot import QtBot

from gradsheet.app.document import Document
from gradsheet.app.ratings.choices import LearnChoice
from gradsheet.app.ratings.pairs import busiest_pairs
from gradsheet.app.ratings.session import RatingsSession
from gradsheet.app.ratings.workbook import RatingsBook
from gradsheet.app.saving.autosave import folder
from gradsheet.app.saving.filing import Filing
from gradsheet.app.saving.opening import open_file, save_file
from gradsheet.app.saving.recovery import everything, lost
from gradsheet.files.session import load_session
from gradsheet.formula.address import Cell, Region
from gradsheet.qt.file_care import FileCare
from gradsheet.qt.file_commands import open_path, save_path
from gradsheet.qt.main_window import MainWindow
from gradsheet.ratings.synthetic import synthetic_ratings


@pytest.fixture
def care(window: MainWindow) -> Iterator[FileCare]:
    care = FileCare(window)
    yield care
    care.end()


def typed(window: MainWindow, qtbot: QtBot, text: str, at: str = "A40") -> None:
    """Type into a cell with the keyboard."""
    window.grid.setFocus()
    window.grid.select(Cell.parse(at))
    for character in text:
        qtbot.keyClicks(QApplication.focusWidget() or window.grid, character)
    qtbot.keyClick(QApplication.focusWidget() or window.grid, Qt.Key.Key_Return)
    window.document.finish()
    assert text_at(window.document, at) == text


def text_at(document: Document, at: str = "A40") -> str:
    cells = document.workbook.sheets[0].cells
    return document.workbook.strings.text(int(cells.get(Cell.parse(at))[0]))


def trigger(window: MainWindow, command: str) -> QAction:
    action = window.actions_by_id.by_id[command]
    action.trigger()
    return action


def answer(care: FileCare, qtbot: QtBot, text: str) -> None:
    """Click a button of the question."""
    box = care.question
    assert isinstance(box, QMessageBox)
    qtbot.waitUntil(box.isVisible)
    button = next(b for b in box.buttons() if b.text().replace("&", "").startswith(text))
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def in_file(path: Path) -> str:
    other = Document()
    try:
        open_file(other, path)
        other.finish()
        return text_at(other)
    finally:
        other.close()


def left_behind(path: Path | None = None, text: str = "precious") -> None:
    """Leave an autosave as a process does that is killed."""
    from gradsheet.app.saving.autosave import Autosave

    document = Document()
    document.finish()
    autosave = Autosave(document)
    if path is not None:
        save_file(document, path)
        document.finish()
    document.enter(document.workbook.sheets[0].id, Cell.parse("A40"), text)
    document.finish()
    assert autosave.now()
    slot = autosave._slot
    assert slot is not None
    handle, slot._lock._handle = slot._lock._handle, None
    os.close(handle)
    document.on_leaving = None
    document.close()


# ------------------------------------------------------------------ the question


def test_an_unchanged_window_closes_without_a_question(window: MainWindow, care: FileCare) -> None:
    window.close()
    assert not window.isVisible()
    assert care.question is None


def test_closing_asks_once_and_cancel_keeps_everything(
    window: MainWindow, care: FileCare, qtbot: QtBot
) -> None:
    typed(window, qtbot, "mine")
    window.close()
    window.close()
    assert window.isVisible()
    assert care.question is not None
    assert window.document.title in care.question.text()
    answer(care, qtbot, "Cancel")
    assert window.isVisible()
    assert text_at(window.document) == "mine"
    assert window.document.is_changed


def test_escape_means_cancel(window: MainWindow, care: FileCare, qtbot: QtBot) -> None:
    typed(window, qtbot, "mine")
    window.close()
    qtbot.waitUntil(care.question.isVisible)
    qtbot.keyClick(care.question, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: care.question is None)
    assert window.isVisible()


def test_closing_the_question_itself_means_cancel_and_it_can_be_put_again(
    window: MainWindow, care: FileCare, qtbot: QtBot
) -> None:
    typed(window, qtbot, "mine")
    for _ in range(3):
        window.close()
        question = care.question
        assert question is not None
        question.close()
        assert care.question is None
        assert window.isVisible()
    window.close()
    answer(care, qtbot, "Don't save")
    qtbot.waitUntil(lambda: not window.isVisible())


def test_saving_closes_when_the_file_is_written(
    window: MainWindow, care: FileCare, qtbot: QtBot, tmp_path: Path
) -> None:
    path = tmp_path / "a.gradsheet"
    save_path(window, path)
    window.document.finish()
    typed(window, qtbot, "kept")
    window.close()
    answer(care, qtbot, "Save")
    qtbot.waitUntil(lambda: not window.isVisible())
    assert in_file(path) == "kept"
    assert everything() == []
    assert list(tmp_path.iterdir()) == [path]


def test_saving_without_a_name_asks_for_one_and_giving_that_up_keeps_the_window(
    window: MainWindow,
    care: FileCare,
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = ["", str(tmp_path / "new.gradsheet")]
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (names.pop(0), ""))
    typed(window, qtbot, "kept")
    window.close()
    answer(care, qtbot, "Save…")
    assert window.isVisible()
    assert window.document.is_changed
    window.close()
    answer(care, qtbot, "Save…")
    qtbot.waitUntil(lambda: not window.isVisible())
    assert in_file(tmp_path / "new.gradsheet") == "kept"


def test_a_save_that_fails_keeps_the_window_open(
    window: MainWindow, care: FileCare, qtbot: QtBot, tmp_path: Path
) -> None:
    path = tmp_path / "gone" / "a.gradsheet"
    path.parent.mkdir()
    save_path(window, path)
    window.document.finish()
    typed(window, qtbot, "kept")
    path.unlink()
    care.filing.leave()
    path.parent.rmdir()
    window.close()
    answer(care, qtbot, "Save")
    qtbot.waitUntil(lambda: window.banner.message is not None)
    assert "could not be written" in window.banner.message.text
    assert window.isVisible()
    assert text_at(window.document) == "kept"


def test_not_saving_closes_and_leaves_nothing(
    window: MainWindow, care: FileCare, qtbot: QtBot
) -> None:
    typed(window, qtbot, "gone")
    assert care.autosave.now()
    window.close()
    answer(care, qtbot, "Don't save")
    qtbot.waitUntil(lambda: not window.isVisible())
    care.end()
    assert everything() == []


@pytest.mark.parametrize("command", ["file.new", "lesson.open.bias"])
def test_another_workbook_waits_for_the_answer(
    window: MainWindow, care: FileCare, qtbot: QtBot, command: str
) -> None:
    typed(window, qtbot, "mine")
    trigger(window, command)
    window.document.finish()
    assert window.document.lesson.id == "dotprod"
    answer(care, qtbot, "Cancel")
    assert text_at(window.document) == "mine"
    trigger(window, command)
    answer(care, qtbot, "Don't save")
    window.document.finish()
    assert window.document.lesson.id in ("blank", "bias")
    assert not window.document.is_changed


def test_opening_a_file_waits_for_the_answer(
    window: MainWindow, care: FileCare, qtbot: QtBot, tmp_path: Path
) -> None:
    path = tmp_path / "a.gradsheet"
    save_path(window, path)
    window.document.finish()
    typed(window, qtbot, "mine")
    open_path(window, path)
    window.document.finish()
    assert text_at(window.document) == "mine"
    answer(care, qtbot, "Don't save")
    window.document.finish()
    assert not window.document.is_changed
    assert Cell.parse("A40") not in window.document.workbook.sheets[0].cells.formulas()
    assert window.document.workbook.sheets[0].cells.get(Cell.parse("A40"))[1] == 0


def test_a_lesson_that_was_only_run_is_left_without_a_question_and_lies_aside(
    window: MainWindow, care: FileCare, qtbot: QtBot
) -> None:
    qtbot.keyClick(window.grid, Qt.Key.Key_Space)
    window.document.finish()
    assert window.document.is_changed
    trigger(window, "lesson.open.bias")
    window.document.finish()
    assert window.document.lesson.id == "bias"
    assert care.question is None
    qtbot.waitUntil(lambda: bool(everything()))
    trigger(window, "file.unsaved")
    qtbot.waitUntil(care.bar.isVisible)
    qtbot.mouseClick(care.bar.rows[0].recover, Qt.MouseButton.LeftButton)
    window.document.finish()
    assert window.document.lesson.id == "dotprod"
    assert window.document.run_view().step == 1
    assert not care.bar.isVisible()


def test_a_signal_closes_at_once_and_the_work_is_offered_next_time(
    window: MainWindow, care: FileCare, qtbot: QtBot
) -> None:
    typed(window, qtbot, "mine")
    care.end()
    assert not window.isVisible()
    (entry,) = lost()
    assert entry.origin.title == window.document.title


def test_what_a_rating_set_has_learned_is_asked_about_and_goes_into_a_session(
    window: MainWindow,
    care: FileCare,
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = synthetic_ratings(40, 30, 500, factors=2, seed=1)[0]
    session = RatingsSession(table, "made up", learn=LearnChoice(epochs=1))
    book = RatingsBook(session, busiest_pairs(table, session.totals, 6, 5))
    window.document.open_ratings(book)
    window.clock.wake()
    qtbot.waitUntil(lambda: session.state == "idle", timeout=60_000)
    window.document.step_run(2)
    qtbot.waitUntil(lambda: window.document.is_changed and not session.is_at_work, timeout=60_000)
    offered: list[str] = []

    def name(_window: object, _title: str, start: str, _filter: str) -> tuple[str, str]:
        offered.append(start)
        return str(tmp_path / "learned.gradsheet"), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", name)
    window.close()
    answer(care, qtbot, "Save…")
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=60_000)
    assert offered[0].endswith(".gradsheet")
    assert "ratings" in load_session(tmp_path / "learned.gradsheet").facts


# ------------------------------------------------------------------ recovery


def test_lost_work_is_offered_above_the_sheet_and_comes_back(
    window: MainWindow, care: FileCare, qtbot: QtBot, tmp_path: Path
) -> None:
    path = tmp_path / "mine.gradsheet"
    left_behind(path)
    care.look_for_lost()
    qtbot.waitUntil(care.bar.isVisible)
    assert window.isActiveWindow() or care.bar.window() is window
    (row,) = care.bar.rows
    assert "mine.gradsheet" in care.bar.accessibleDescription()
    assert row.original.isVisible()
    qtbot.mouseClick(row.recover, Qt.MouseButton.LeftButton)
    window.document.finish()
    assert text_at(window.document) == "precious"
    assert window.document.path == path
    assert window.isWindowModified()
    assert not care.bar.isVisible()
    trigger(window, "file.save")
    window.document.finish()
    assert not window.isWindowModified()
    assert in_file(path) == "precious"
    care.autosave._look_at = 0.0
    care.poll()
    assert everything() == []


def test_the_original_can_be_opened_instead(
    window: MainWindow, care: FileCare, qtbot: QtBot, tmp_path: Path
) -> None:
    path = tmp_path / "mine.gradsheet"
    left_behind(path)
    care.look_for_lost()
    qtbot.waitUntil(care.bar.isVisible)
    qtbot.mouseClick(care.bar.rows[0].original, Qt.MouseButton.LeftButton)
    window.document.finish()
    assert window.document.path == path
    assert not window.document.is_changed
    assert care.bar.isVisible()  # the work is still there to be had


def test_discarding_asks_in_its_place(window: MainWindow, care: FileCare, qtbot: QtBot) -> None:
    left_behind()
    care.look_for_lost()
    qtbot.waitUntil(care.bar.isVisible)
    row = care.bar.rows[0]
    assert not row.original.isVisible()  # it was never saved
    qtbot.mouseClick(row.discard, Qt.MouseButton.LeftButton)
    assert len(lost()) == 1
    qtbot.mouseClick(row.keep, Qt.MouseButton.LeftButton)
    assert row.recover.isVisible()
    qtbot.mouseClick(row.discard, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(row.sure, Qt.MouseButton.LeftButton)
    assert lost() == []
    assert not care.bar.isVisible()
    assert not list(folder().glob("*.gradsheet"))


def test_several_are_offered_and_the_sheet_keeps_its_room(
    window: MainWindow, care: FileCare, qtbot: QtBot
) -> None:
    for number in range(5):
        left_behind(text=f"work {number}")
    care.look_for_lost()
    qtbot.waitUntil(care.bar.isVisible)
    assert len(care.bar.rows) == 5
    assert care.bar.height() < window.height() // 4
    qtbot.mouseClick(care.bar.rows[0].recover, Qt.MouseButton.LeftButton)
    window.document.finish()
    assert len(care.bar.rows) == 4
    assert text_at(window.document) == "work 4"  # the newest stands first


def test_nothing_is_offered_where_nothing_was_lost(
    window: MainWindow, care: FileCare, qtbot: QtBot
) -> None:
    care.look_for_lost()
    qtbot.waitUntil(lambda: not care.is_busy)
    assert not care.bar.isVisible()
    trigger(window, "file.unsaved")
    qtbot.waitUntil(lambda: not care.is_busy)
    assert "No unsaved work" in window.document.log.messages()[-1].text


def test_the_offer_waits_for_the_answer_about_other_work(
    window: MainWindow, care: FileCare, qtbot: QtBot
) -> None:
    left_behind()
    care.look_for_lost()
    qtbot.waitUntil(care.bar.isVisible)
    typed(window, qtbot, "mine")
    qtbot.mouseClick(care.bar.rows[0].recover, Qt.MouseButton.LeftButton)
    answer(care, qtbot, "Cancel")
    window.document.finish()
    assert text_at(window.document) == "mine"
    assert len(care.bar.rows) == 1


# ------------------------------------------------------------------ two windows, title, view


def test_the_second_window_is_told_and_saves_beside(
    window: MainWindow,
    care: FileCare,
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path, beside = tmp_path / "shared.gradsheet", tmp_path / "mine.gradsheet"
    other = Document()
    try:
        Filing(other)
        save_file(other, path)
        other.finish()
        open_path(window, path)
        window.document.finish()
        assert "open in another window" in window.banner.message.text
        assert "(read-only)" in window.windowTitle()
        typed(window, qtbot, "mine")
        trigger(window, "file.save")
        window.document.finish()
        assert "was not saved" in window.banner.message.text
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(beside), ""))
        qtbot.mouseClick(window.banner._offer, Qt.MouseButton.LeftButton)
        window.document.finish()
        assert in_file(beside) == "mine"
        assert "(read-only)" not in window.windowTitle()
    finally:
        other.filing.leave()
        other.close()


def test_the_title_shows_that_something_is_unsaved(
    window: MainWindow, care: FileCare, qtbot: QtBot, tmp_path: Path
) -> None:
    assert not window.isWindowModified()
    typed(window, qtbot, "x")
    assert window.isWindowModified()
    assert "[*]" in window.windowTitle()
    save_path(window, tmp_path / "a.gradsheet")
    window.document.finish()
    assert not window.isWindowModified()
    window.document.set_hyper(lr=0.5)
    assert window.isWindowModified()


def test_a_file_is_looked_at_as_it_was_left(
    window: MainWindow, care: FileCare, qtbot: QtBot, tmp_path: Path
) -> None:
    path = tmp_path / "a.gradsheet"
    trigger(window, "sheet.add")
    window.document.finish()
    second = window.grid.sheet_id
    window.grid.zoom = 1.5
    window.grid.select([Region.parse("B2:D9"), Region.parse("F3")], Cell.parse("F3"))
    window.toggle_panel("lessons")
    save_path(window, path)
    window.document.finish()
    window.document.open_lesson("bias")
    window.document.finish()
    window.grid.zoom = 1.0
    window.toggle_panel("lessons")
    open_path(window, path)
    window.document.finish()
    assert window.grid.sheet_id == second
    assert window.grid.zoom == 1.5
    assert window.grid.current == Cell.parse("F3")
    assert [str(r) for r in window.grid.selection] == ["B2:D9", "F3"]
    assert not window.is_panel_open("lessons")
    first = path.read_bytes()
    save_path(window, path)
    window.document.finish()
    assert path.read_bytes() == first


def test_recent_files_are_remembered_at_once(
    window: MainWindow, care: FileCare, qtbot: QtBot, tmp_path: Path
) -> None:
    from gradsheet.app import settings

    save_path(window, tmp_path / "a.gradsheet")
    window.document.finish()
    qtbot.waitUntil(lambda: settings.load().recent == [str(tmp_path / "a.gradsheet")])
