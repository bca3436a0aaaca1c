"""Sessions that older gradsheets wrote open, and go on where they were.

`sessions/versionN.gradsheet` is of the last commit that wrote version N: lesson "bias" of seed 1,
"kept" typed into A45, rate 0.02, fifteen steps. Files are added, never written anew.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gradsheet.app.document import Document
from gradsheet.app.saving.opening import open_file, save_file
from gradsheet.files.session import load_session
from gradsheet.files.session_versions import MIGRATIONS, VERSION
from gradsheet.formula.address import Cell

SESSIONS = Path(__file__).with_name("sessions")
LOSS = 3.1201060501521436
"""After fifteen steps, as the gradsheet that wrote the file showed it."""
FILES = sorted(SESSIONS.glob("version*.gradsheet"))


@pytest.fixture
def documents() -> Iterator[tuple[Document, Document]]:
    found = Document(), Document()
    for document in found:
        document.finish()
    yield found
    for document in found:
        document.close()


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as package:
        return {name: package.read(name) for name in package.namelist()}


def version_of(path: Path) -> int:
    return int(json.loads(members(path)["manifest.json"])["version"])


def worked(document: Document) -> None:
    """Do what was done before the files were written."""
    document.open_lesson("bias", seed=1)
    document.finish()
    document.enter(document.workbook.sheets[0].id, Cell.parse("A45"), "kept")
    document.finish()
    document.set_hyper(lr=0.02)
    document.step_run(15)
    document.finish()


def test_there_is_a_file_of_every_version_and_a_way_from_each() -> None:
    assert [version_of(path) for path in FILES] == list(range(1, VERSION + 1))
    assert sorted(MIGRATIONS) == list(range(1, VERSION))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_opens_goes_on_and_is_saved_as_the_newest(
    path: Path, documents: tuple[Document, Document], tmp_path: Path
) -> None:
    document, fresh = documents
    copy = tmp_path / path.name
    shutil.copy(path, copy)
    open_file(document, copy)
    document.finish()
    assert [m for m in document.log.messages() if m.level != "info"] == []
    view = document.run_view()
    assert (view.step, view.hyper.lr) == (15, 0.02)
    assert document.loss_now() == LOSS
    cells = document.workbook.sheets[0].cells
    assert document.workbook.strings.text(int(cells.get(Cell.parse("A45"))[0])) == "kept"
    assert not document.is_changed
    worked(fresh)
    for each in documents:
        each.step_run(10)
        each.finish()
    assert document.loss_now() == fresh.loss_now()
    save_file(document, copy)
    document.finish()
    assert version_of(copy) == VERSION


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_once_it_is_of_the_newest_version_opening_and_saving_changes_no_member(
    path: Path, documents: tuple[Document, Document], tmp_path: Path
) -> None:
    written = []
    source = path
    for number, document in enumerate(documents):
        target = tmp_path / f"{number}.gradsheet"
        shutil.copy(source, target)
        open_file(document, target)
        document.finish()
        save_file(document, target)
        document.finish()
        written.append(members(target))
        source = target
    first, second = written
    assert second == first


def test_a_session_of_an_older_version_is_not_written_to_by_reading(tmp_path: Path) -> None:
    for path in FILES:
        before = path.read_bytes()
        load_session(path)
        assert path.read_bytes() == before
