"""From a file's name to ratings in the sheet: look, ask, read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialogButtonBox, QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from gradsheet.qt import file_commands
from gradsheet.qt.dialogs.import_ratings import ImportRatings
from gradsheet.qt.main_window import MainWindow
from gradsheet.ratings.sniffing import sniff


def write_ratings(path: Path, separator: str = ",", users: int = 20, items: int = 30) -> Path:
    rng = np.random.default_rng(0)
    lines = [separator.join(("userId", "movieId", "rating"))]
    for user in range(1, users + 1):
        for item in rng.permutation(items)[: items // 2]:
            lines.append(separator.join((str(user), str(item + 1), f"{rng.integers(1, 11) / 2}")))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def ratings_file(tmp_path: Path) -> Path:
    return write_ratings(tmp_path / "ratings.csv")


@pytest.fixture
def dialog(qtbot: QtBot, ratings_file: Path) -> Iterator[ImportRatings]:
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = ImportRatings(ratings_file, sniff(ratings_file), parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    dialog.show()
    yield dialog
    dialog.close()


def choose(dialog: ImportRatings, name: str, data: object) -> None:
    box = dialog.box(name)
    box.setCurrentIndex(box.findData(data))
    box.activated.emit(box.currentIndex())


def test_it_shows_what_was_guessed(dialog: ImportRatings) -> None:
    assert dialog.box("separator").currentData() == ","
    assert dialog.box("encoding").currentData() == "utf-8"
    assert dialog.header_box.isChecked()
    assert [dialog.box(r).currentText() for r in ("user", "item", "rating", "timestamp")] == [
        "userId", "movieId", "rating", "none",
    ]  # fmt: skip
    assert dialog._table.horizontalHeaderItem(1).text().split("\n") == ["movieId", "item"]
    assert dialog._table.rowCount() == 50
    assert "Separator comma" in dialog._note.text()
    assert dialog.complaint == ""


def test_another_separator_splits_the_preview_anew(dialog: ImportRatings) -> None:
    choose(dialog, "separator", ";")
    assert dialog._table.columnCount() == 1
    assert "Choose the column" in dialog.complaint
    assert not dialog._import.isEnabled()
    choose(dialog, "separator", ",")
    assert dialog._table.columnCount() == 3
    assert dialog.complaint == ""
    assert dialog._import.isEnabled()


def test_a_column_chosen_twice_is_refused(dialog: ImportRatings) -> None:
    choose(dialog, "item", 0)
    assert "two things" in dialog.complaint
    assert not dialog._import.isEnabled()
    choose(dialog, "user", 1)
    assert dialog.complaint == ""


def test_without_a_header_the_first_row_is_data(dialog: ImportRatings, qtbot: QtBot) -> None:
    dialog.header_box.setChecked(False)
    assert dialog._table.item(0, 0).text() == "userId"
    assert dialog._table.horizontalHeaderItem(0).text().startswith("Column 1")
    assert not dialog.preview.options.header


def test_a_crosstab_needs_no_item_and_no_rating(dialog: ImportRatings) -> None:
    choose(dialog, "crosstab", True)
    assert not dialog.box("item").isEnabled()
    assert dialog.complaint == ""


def test_import_gives_the_options_as_the_user_left_them(
    dialog: ImportRatings, qtbot: QtBot
) -> None:
    choose(dialog, "item", 0)
    choose(dialog, "user", 1)
    with qtbot.waitSignal(dialog.accepted_preview) as caught:
        qtbot.mouseClick(dialog._import, Qt.MouseButton.LeftButton)
    assert caught.args[0].roles == {"user": 1, "item": 0, "rating": 2}
    assert not dialog.isVisible()


def test_titles_are_taken_from_where_the_user_says(
    dialog: ImportRatings, qtbot: QtBot, tmp_path: Path
) -> None:
    box = dialog.box("titles")
    assert box.currentText() == "none found beside it"
    assert dialog.preview.titles == "beside"
    dialog.choose_titles(tmp_path / "films.csv")
    assert box.currentText() == "films.csv"
    assert dialog.preview.titles == tmp_path / "films.csv"
    box.setCurrentIndex(box.findData("none"))
    box.activated.emit(box.currentIndex())
    assert dialog.preview.titles == "none"
    separators = dialog.box("separator")
    separators.activated.emit(separators.currentIndex())
    assert dialog.preview.titles == "none"


def test_cancel_reads_nothing(dialog: ImportRatings, qtbot: QtBot) -> None:
    cancel = dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Cancel)
    with qtbot.assertNotEmitted(dialog.accepted_preview):
        qtbot.mouseClick(cancel, Qt.MouseButton.LeftButton)
    assert not dialog.isVisible()


def test_a_file_goes_through_the_dialog_into_the_sheet(
    window: MainWindow, qtbot: QtBot, ratings_file: Path
) -> None:
    window.open_ratings(ratings_file)
    qtbot.waitUntil(lambda: window.opening.dialog is not None)
    assert window.document.ratings is None
    with qtbot.waitSignal(window.opening.opened):
        qtbot.mouseClick(window.opening.dialog._import, Qt.MouseButton.LeftButton)
    assert window.document.ratings is not None
    assert "ratings.csv" in window.windowTitle()
    assert not window.progress.isVisible()
    assert window.settings.recent == [str(ratings_file)]
    qtbot.waitUntil(lambda: window.document.run.state == "idle")
    qtbot.waitUntil(lambda: window.opening.dialog is None)


def test_a_file_that_is_not_there_is_said_and_nothing_changes(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    window.open_ratings(tmp_path / "nowhere.csv")
    qtbot.waitUntil(lambda: window.banner.isVisible())
    assert "nowhere.csv" in window.banner.message.text
    assert window.document.ratings is None
    assert not window.opening.is_busy


def test_reading_can_be_cancelled_and_leaves_everything_as_it_was(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    path = write_ratings(tmp_path / "many.csv", users=3_000, items=200)
    workbook = window.document.workbook
    window.open_ratings(path, ask=False)
    qtbot.waitUntil(lambda: window.progress.isVisible())
    qtbot.mouseClick(window.progress.cancel_button, Qt.MouseButton.LeftButton)
    assert not window.opening.is_busy
    assert not window.progress.isVisible()
    assert window.document.workbook is workbook


def test_closing_the_window_while_reading_leaves_no_thread(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    window.open_ratings(write_ratings(tmp_path / "many.csv", users=2_000), ask=False)
    qtbot.waitUntil(lambda: window.opening.is_busy)
    window.close()
    assert not window.opening.is_busy


def test_a_file_opened_before_stands_in_the_recent_menu(
    window: MainWindow, qtbot: QtBot, ratings_file: Path, tmp_path: Path
) -> None:
    menu = window.recent_menu
    menu.refresh()
    assert [a.text() for a in menu.actions()] == ["Nothing yet"]
    window.settings.add_recent(tmp_path / "gone.csv")
    window.settings.add_recent(ratings_file)
    menu.refresh()
    assert [a.text() for a in menu.actions()] == ["ratings.csv", "gone.csv"]
    assert [a.isEnabled() for a in menu.actions()] == [True, False]
    menu.actions()[0].trigger()
    qtbot.waitUntil(lambda: window.opening.dialog is not None)
    window.opening.dialog.close()
    qtbot.waitUntil(lambda: window.opening.dialog is None)


def test_a_rating_set_is_saved_and_opens_again_with_what_was_learned(
    window: MainWindow, qtbot: QtBot, ratings_file: Path, tmp_path: Path
) -> None:
    window.open_ratings(ratings_file, ask=False)
    qtbot.waitUntil(lambda: window.document.ratings is not None, timeout=60_000)
    session = window.document.ratings
    qtbot.waitUntil(lambda: session.state == "idle", timeout=60_000)
    session.step(3)
    qtbot.waitUntil(lambda: session.state == "paused", timeout=60_000)
    path = tmp_path / "kept.gradsheet"
    file_commands.save_path(window, path)
    qtbot.waitUntil(lambda: window.document.path == path, timeout=60_000)
    window.open_path(path)
    qtbot.waitUntil(lambda: window.document.ratings is not session, timeout=60_000)
    resumed = window.document.ratings
    assert resumed.steps_done == 3
    assert np.array_equal(resumed.learned.user_rows, session.learned.user_rows)
    assert window.ratings_docks.session is resumed
    assert "kept.gradsheet" in window.windowTitle()
    assert not window.banner.isVisible()


def test_what_was_learned_is_exported_from_the_menu_into_a_folder(
    window: MainWindow, qtbot: QtBot, ratings_file: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    window.open_ratings(ratings_file, ask=False)
    qtbot.waitUntil(lambda: window.document.ratings is not None, timeout=60_000)
    session = window.document.ratings
    qtbot.waitUntil(lambda: session.state == "idle", timeout=60_000)
    action = window.actions_by_id.by_id["export.learned"]
    assert not action.isEnabled()
    session.step(3)
    qtbot.waitUntil(lambda: session.state == "paused", timeout=60_000)
    qtbot.waitUntil(action.isEnabled, timeout=60_000)
    folder = tmp_path / "out"
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    action.trigger()
    qtbot.waitUntil(lambda: (folder / "experiment.npz").is_file(), timeout=60_000)
    qtbot.waitUntil(lambda: not window.document.engine.doing, timeout=60_000)
    assert {path.name for path in folder.iterdir()} == {
        "users.csv", "items.csv", "predictions.csv", "model.safetensors", "crosstab.xlsx",
        "experiment.py", "experiment.npz",
    }  # fmt: skip
    assert not window.banner.isVisible()
