"""Two windows on one file: the second is told, and neither writes over the other's work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gradsheet.app.document import Document
from gradsheet.app.saving.filing import Filing
from gradsheet.app.saving.opening import open_file, save_file
from gradsheet.files.locks import is_held, lock_path
from gradsheet.formula.address import Cell
from gradsheet.formula.values import UserError


@pytest.fixture
def windows() -> Iterator[list[Document]]:
    found = []
    for _ in range(2):
        document = Document()
        document.finish()
        Filing(document)
        found.append(document)
    yield found
    for document in found:
        if document.filing is not None:
            document.filing.leave()
        document.close()


def opened(document: Document, path: Path) -> None:
    open_file(document, path)
    document.finish()


def saved(document: Document, path: Path, *, may_replace: bool = False) -> bool:
    told: list[bool] = []
    save_file(document, path, may_replace=may_replace, then=told.append)
    document.finish()
    return told == [True]


def typed(document: Document, text: str) -> None:
    document.enter(document.workbook.sheets[0].id, Cell(39, 0), text)
    document.finish()


@pytest.mark.parametrize("ending", [".gradsheet", ".xlsx"])
def test_the_second_window_is_told_and_cannot_write(
    windows: list[Document], tmp_path: Path, ending: str
) -> None:
    first, second = windows
    path = tmp_path / f"shared{ending}"
    assert saved(first, path)
    opened(first, path)
    assert not first.is_read_only
    opened(second, path)
    told = second.log.messages()[-1]
    assert "open in another window (process" in told.text
    assert told.action == "file.save_as"
    assert second.is_read_only
    before = path.read_bytes()
    typed(second, "mine")
    assert not saved(second, path, may_replace=True)
    assert "another window has it open" in second.log.messages()[-1].text
    assert second.log.messages()[-1].action == "file.save_as"
    assert path.read_bytes() == before
    assert second.is_changed


def test_the_second_window_saves_beside_and_holds_that(
    windows: list[Document], tmp_path: Path
) -> None:
    first, second = windows
    path, beside = tmp_path / "shared.gradsheet", tmp_path / "mine.gradsheet"
    saved(first, path)
    opened(second, path)
    assert saved(second, beside)
    assert not second.is_read_only
    assert is_held(lock_path(path))
    assert is_held(lock_path(beside))
    opened(first, beside)
    assert first.is_read_only
    assert not is_held(lock_path(path))


def test_when_the_first_window_is_gone_the_second_may_save(
    windows: list[Document], tmp_path: Path
) -> None:
    first, second = windows
    path = tmp_path / "shared.gradsheet"
    saved(first, path)
    opened(second, path)
    first.new_workbook()
    assert saved(second, path)
    assert not second.is_read_only


def test_what_another_has_written_meanwhile_is_not_lost(
    windows: list[Document], tmp_path: Path
) -> None:
    first, second = windows
    path = tmp_path / "shared.gradsheet"
    saved(first, path)
    opened(second, path)
    typed(first, "theirs")
    saved(first, path)
    first.new_workbook()
    theirs = path.read_bytes()
    typed(second, "mine")
    assert not saved(second, path)
    assert "has changed since it was opened" in second.log.messages()[-1].text
    assert path.read_bytes() == theirs
    assert saved(second, path, may_replace=True)
    assert path.read_bytes() != theirs
    typed(second, "more")
    assert saved(second, path)


def test_another_workbook_gives_the_file_free(windows: list[Document], tmp_path: Path) -> None:
    first, second = windows
    path = tmp_path / "a.gradsheet"
    saved(first, path)
    assert is_held(lock_path(path))
    first.open_lesson("bias")
    first.finish()
    assert not lock_path(path).exists()
    opened(second, path)
    assert not second.is_read_only


def test_opening_the_same_file_again_keeps_it(windows: list[Document], tmp_path: Path) -> None:
    first, second = windows
    path = tmp_path / "a.gradsheet"
    saved(first, path)
    opened(first, path)
    assert not first.is_read_only
    assert is_held(lock_path(path))
    opened(second, path)
    assert second.is_read_only


def test_a_file_that_cannot_be_read_is_not_held(windows: list[Document], tmp_path: Path) -> None:
    path = tmp_path / "broken.gradsheet"
    path.write_bytes(b"PK nothing")
    opened(windows[0], path)
    assert not lock_path(path).exists()


def test_a_file_that_is_not_opened_after_all_is_not_held(
    windows: list[Document], tmp_path: Path
) -> None:
    first, second = windows
    path = tmp_path / "a.gradsheet"
    saved(first, path)
    first.new_workbook()
    first.finish()
    open_file(first, path)
    first.engine._jobs[-1].future.result(30)  # read, but not shown yet
    assert is_held(lock_path(path))
    first.open_lesson("bias")
    first.finish()
    assert first.lesson.id == "bias"
    assert not is_held(lock_path(path))
    opened(second, path)
    assert not second.is_read_only


def test_a_save_is_finished_though_another_workbook_is_opened(
    windows: list[Document], tmp_path: Path
) -> None:
    first = windows[0]
    path = tmp_path / "a.gradsheet"
    typed(first, "kept")
    save_file(first, path)
    first.open_lesson("bias")
    first.finish()
    assert path.exists()
    assert first.path is None
    assert not is_held(lock_path(path))
    save_file(first, tmp_path / "b.gradsheet")
    first.close()
    assert (tmp_path / "b.gradsheet").exists()


def test_an_ending_that_cannot_be_written_is_refused(windows: list[Document]) -> None:
    with pytest.raises(UserError, match=r"cannot write \.ods"):
        save_file(windows[0], Path("x.ods"))
