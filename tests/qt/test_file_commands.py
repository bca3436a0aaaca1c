"""Opening and saving from the menu: sessions, workbooks, the file dialog's answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog

from gradsheet.qt.file_commands import open_path, save_path
from gradsheet.qt.main_window import MainWindow


def test_save_asks_for_a_name_once_and_then_saves_there(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def answer(*_: object) -> tuple[str, str]:
        asked.append("name")
        return str(tmp_path / "lesson"), "Session, with the run (*.gradsheet)"

    monkeypatch.setattr(QFileDialog, "getSaveFileName", answer)
    window.document.step_run(3)
    window.document.finish()
    window.actions_by_id.by_id["file.save"].trigger()
    window.document.finish()
    assert (tmp_path / "lesson.gradsheet").exists()
    assert "lesson.gradsheet" in window.windowTitle()
    window.document.step_run(3)
    window.document.finish()
    window.actions_by_id.by_id["file.save"].trigger()
    window.document.finish()
    assert asked == ["name"]
    assert not window.document.is_changed


def test_a_session_opens_where_it_was_and_stands_among_the_recent_files(
    window: MainWindow, tmp_path: Path
) -> None:
    path = tmp_path / "run.gradsheet"
    window.document.step_run(7)
    window.document.finish()
    save_path(window, path)
    window.document.finish()
    window.document.open_lesson("bias")
    window.document.finish()
    open_path(window, path)
    window.document.finish()
    assert window.document.run_view().step == 7
    assert window.grid.sheet.name == "dotprod"
    assert window.settings.recent[0] == str(path)


def test_a_damaged_file_is_told_in_the_banner(window: MainWindow, tmp_path: Path) -> None:
    path = tmp_path / "broken.xlsx"
    path.write_bytes(b"PK not really")
    open_path(window, path)
    window.document.finish()
    assert window.banner.isVisible()
    assert window.document.lesson.id == "dotprod"
