"""A full disk and a folder that is read-only give a message, and lose nothing."""

from __future__ import annotations

import errno
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from gradsheet.app.document import Document
from gradsheet.app.saving.autosave import Autosave
from gradsheet.app.saving.filing import Filing
from gradsheet.app.saving.opening import open_file, save_file
from gradsheet.files.atomic import write_atomically
from gradsheet.files.locks import FileLock, lock_path
from gradsheet.files.session import load_session
from gradsheet.files.session_parts import Part, PartFiles
from gradsheet.files.tensor_file import save_arrays
from gradsheet.formula.address import Cell
from gradsheet.formula.values import UserError

AT = Cell.parse("A45")


@pytest.fixture
def document() -> Iterator[Document]:
    document = Document()
    document.finish()
    Filing(document)
    yield document
    document.filing.leave()
    document.close()


@contextmanager
def files_no_longer_than(limit: int) -> Iterator[None]:
    """Let the kernel refuse to write a file further than this, as a full disk does."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def type_number(document: Document, number: int) -> None:
    document.enter(document.workbook.sheets[0].id, AT, str(number))
    document.finish()


def number_in(path: Path) -> int:
    return int(load_session(path).workbook.sheets[0].cells.get(AT)[0])


def saved(document: Document, path: Path) -> bool:
    told: list[bool] = []
    save_file(document, path, then=told.append)
    document.finish()
    return told == [True]


def is_closed(folder: Path) -> bool:
    """Whether no file can be made in a folder."""
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return True
    return False


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
@pytest.mark.parametrize("ending", [".gradsheet", ".xlsx"])
def test_a_disk_that_fills_up_at_any_byte_loses_nothing(
    document: Document, tmp_path: Path, ending: str
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    path = folder / f"a{ending}"
    assert saved(document, path)
    if ending == ".xlsx":
        open_file(document, path)
        document.finish()
    whole = path.read_bytes()
    type_number(document, 7)
    chance = random.Random(5)
    for limit in (0, 1, *(chance.randrange(len(whole) - 200) for _ in range(20))):
        with files_no_longer_than(limit):
            assert not saved(document, path)
        message = document.log.messages()[-1]
        assert message.level == "warning", message
        assert f"{path.name} could not be written: File too large" in message.text
        assert message.action == "file.save_as"
        assert path.read_bytes() == whole
        assert {found.name for found in folder.iterdir()} <= {path.name, lock_path(path).name}
        assert document.is_changed
        assert document.workbook.sheets[0].cells.get(AT)[0] == 7
    assert saved(document, path)
    assert not document.is_changed


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_a_disk_that_fills_up_leaves_the_last_autosave_whole(
    document: Document, tmp_path: Path
) -> None:
    autosave = Autosave(document, tmp_path / "recovery")
    type_number(document, 1)
    assert autosave.now()
    (path,) = (tmp_path / "recovery").glob("*.gradsheet")
    size = path.stat().st_size
    chance = random.Random(6)
    for number in range(2, 14):
        type_number(document, number)
        with files_no_longer_than(chance.randrange(size - 200)):
            assert not autosave.now()
        assert number_in(path) == 1
        assert len(list((tmp_path / "recovery").iterdir())) == 2
    said = [m.text for m in document.log.messages() if "saved aside" in m.text]
    assert len(said) == 1
    assert "File too large" in said[0]
    assert autosave.now()
    assert number_in(path) == 13
    autosave.close(keep=False)


@pytest.mark.parametrize(
    "fault", [(errno.ENOSPC, "No space left on device"), (errno.EIO, "Input/output error"),
              (errno.EDQUOT, "Disk quota exceeded")],
)  # fmt: skip
def test_a_disk_that_fails_at_the_last_moment_is_said_by_its_name(
    document: Document, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: tuple[int, str]
) -> None:
    path = tmp_path / "a.gradsheet"
    type_number(document, 1)
    assert saved(document, path)
    type_number(document, 2)

    def fails(_: int) -> None:
        raise OSError(*fault)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fails)
        assert not saved(document, path)
    assert fault[1] in document.log.messages()[-1].text
    assert number_in(path) == 1
    assert document.is_changed


def test_a_folder_that_is_read_only_is_said_and_another_one_takes_the_work(
    document: Document, tmp_path: Path
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    # Root may write wherever the kernel does not say no itself.
    folder = next((f for f in (closed, Path("/sys"), Path("/proc")) if is_closed(f)), None)
    if folder is None:
        pytest.skip("no folder here is read-only")
    type_number(document, 3)
    assert not saved(document, folder / "a.gradsheet")
    message = document.log.messages()[-1]
    assert "a.gradsheet could not be written" in message.text
    assert "another folder" in message.hint
    assert message.action == "file.save_as"
    assert document.is_changed
    assert saved(document, tmp_path / "b.gradsheet")
    assert number_in(tmp_path / "b.gradsheet") == 3


def test_a_file_in_a_folder_that_takes_no_lock_still_opens(
    document: Document, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.gradsheet"
    type_number(document, 4)
    assert saved(document, path)
    document.new_workbook()
    document.finish()

    def refused(_: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(FileLock, "acquire", refused)
    open_file(document, path)
    document.finish()
    assert document.path == path
    assert not document.is_read_only
    assert document.workbook.sheets[0].cells.get(AT)[0] == 4


def test_drafts_of_a_killed_save_are_cleared_away_by_a_later_one(
    document: Document, tmp_path: Path
) -> None:
    path = tmp_path / "a.gradsheet"
    old, new = tmp_path / ".a.gradsheet.x1.part", tmp_path / ".a.gradsheet.x2.part"
    other = tmp_path / ".b.gradsheet.x1.part"
    for draft in (old, new, other):
        draft.write_bytes(b"half")
    for draft in (old, other):
        os.utime(draft, (0, 0))
    assert saved(document, path)
    assert not old.exists()
    assert new.exists()  # another process may be writing it
    assert other.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_arrays_beside_an_autosave_and_learned_numbers_tell_of_a_full_disk(tmp_path: Path) -> None:
    arrays = {"a": np.zeros(10_000)}
    parts = PartFiles(tmp_path / "work.gradsheet")
    with files_no_longer_than(1000):
        with pytest.raises(UserError, match="File too large"):
            parts.write([Part(arrays)])
        with pytest.raises(UserError, match="File too large"):
            write_atomically(tmp_path / "a.safetensors", lambda draft: save_arrays(arrays, draft))
    assert list(tmp_path.iterdir()) == []
