"""Unsaved work is written aside in time, offered when its window is gone, and let go when saved."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from rating_documents import settle, show

from gradsheet.app.document import Document
from gradsheet.app.ratings.choices import LearnChoice
from gradsheet.app.ratings.session import RatingsSession
from gradsheet.app.saving.autosave import AUTOSAVE_S, COMPLAIN_S, Autosave, folder
from gradsheet.app.saving.filing import Filing
from gradsheet.app.saving.opening import open_file, save_file
from gradsheet.app.saving.recovery import about, discard, everything, lost, recover
from gradsheet.files import autosaves
from gradsheet.files.autosaves import MOST_PUT_ASIDE, Autosaved, Origin, Slot, part_files
from gradsheet.files.ratings_records import take_out
from gradsheet.files.session import load_session
from gradsheet.formula.address import Cell
from gradsheet.formula.values import UserError
from gradsheet.ratings.synthetic import synthetic_ratings
from gradsheet.sheet.edits import DeleteRows

LESSON = LearnChoice(epochs=1)


class Desk:
    """A document with its autosave, on a clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.document = Document()
        self.document.finish()
        self.filing = Filing(self.document)
        self.autosave = Autosave(self.document, clock=lambda: self.now)

    def type(self, text: str, at: str = "A40") -> None:
        sheet = self.document.workbook.sheets[0].id
        self.document.enter(sheet, Cell.parse(at), text)
        self.document.finish()

    def step(self, n: int = 1) -> None:
        self.document.step_run(n)
        self.document.finish()

    def wait(self, seconds: float) -> None:
        """Let time pass, looking twice a second, and let the writing end."""
        until = self.now + seconds
        while self.now < until:
            self.now += 0.5
            self.autosave.poll()
            for task in (self.autosave._task, *(going.task for going in self.autosave._going)):
                if task is not None:
                    task.join()
        self.now += 0.5
        self.autosave.poll()

    def die(self) -> None:
        """End as a process does that is killed: nothing is written, its locks are free."""
        slot, self.autosave._slot = self.autosave._slot, None
        if slot is not None:
            handle, slot._lock._handle = slot._lock._handle, None
            os.close(handle)
        self.filing.leave()
        self.document.on_leaving = None
        self.document.close()


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.document.close()


def text_at(document: Document, at: str) -> object:
    cells = document.workbook.sheets[0].cells
    return document.workbook.strings.text(int(cells.get(Cell.parse(at))[0]))


def test_nothing_is_written_while_nothing_is_changed(desk: Desk) -> None:
    desk.wait(100)
    assert not folder().exists()


def test_a_change_is_written_within_the_time_and_once(desk: Desk) -> None:
    desk.type("first")
    desk.wait(AUTOSAVE_S - 2)
    assert not list(folder().glob("*.gradsheet"))
    desk.wait(4)
    (path,) = folder().glob("*.gradsheet")
    version = path.stat().st_mtime_ns
    desk.wait(60)
    assert path.stat().st_mtime_ns == version
    desk.type("second")
    desk.wait(AUTOSAVE_S + 2)
    assert path.stat().st_mtime_ns > version
    assert AUTOSAVE_S < 30


def test_work_without_a_pause_is_written_again_and_again(desk: Desk) -> None:
    written = [desk.now]
    for number in range(400):
        desk.document.set_hyper(lr=0.001 + number / 1e5)
        desk.now += 0.5
        desk.autosave.poll()
        if desk.autosave._task is not None:
            desk.autosave._task.join()
            written.append(desk.now)
    gaps = [later - earlier for earlier, later in pairwise(written)]
    assert len(gaps) >= 8
    assert max(gaps) <= AUTOSAVE_S + 2


@pytest.mark.parametrize("what", ["a step", "a rate", "an optimizer", "an edit"])
def test_whatever_is_changed_counts(desk: Desk, what: str) -> None:
    assert not desk.document.is_changed
    if what == "a step":
        desk.step()
    elif what == "a rate":
        desk.document.set_hyper(lr=0.123)
    elif what == "an optimizer":
        desk.document.set_optimizer("adam")
    else:
        desk.type("x")
    assert desk.document.is_changed
    desk.wait(AUTOSAVE_S + 2)
    assert list(folder().glob("*.gradsheet"))


def test_a_change_taken_back_is_none(desk: Desk) -> None:
    desk.type("x")
    assert desk.document.is_changed
    desk.document.undo()
    desk.document.finish()
    assert not desk.document.is_changed
    rate = desk.document.run_view().hyper.lr
    desk.document.set_hyper(lr=rate * 2)
    desk.document.set_hyper(lr=rate)
    assert not desk.document.is_changed


def test_looking_at_another_sheet_of_epochs_is_no_change(desk: Desk) -> None:
    desk.document.open_lesson("adam")
    desk.document.finish()
    for sheet in desk.document.workbook.sheets:
        desk.document.show_sheet(sheet.id)
        desk.document.finish()
    assert not desk.document.is_changed
    desk.step()
    assert desk.document.is_changed


def open_ratings(desk: Desk, learn: LearnChoice = LESSON) -> RatingsSession:
    table = synthetic_ratings(40, 30, 500, factors=2, seed=1)[0]
    session = RatingsSession(table, "made up", learn=learn)
    show(desk.document, session)
    assert not desk.document.is_changed
    return session


def beside(entry: Autosaved) -> set[str]:
    return {path.name for path in part_files(entry.path)}


@pytest.mark.parametrize("learn", [LESSON, LearnChoice(mode="fast", passes=4)])
def test_a_rating_set_comes_back_after_a_crash_with_all_that_was_done(
    desk: Desk, learn: LearnChoice
) -> None:
    session = open_ratings(desk, learn)
    session.step(3)
    settle(desk.document)
    session.kept.keep("three steps")
    book = desk.document.ratings_book
    assert book is not None
    desk.document.enter(book.ratings.id, Cell(3, 3), "1")
    desk.document.apply(book.embedding_edit("items", 4, {0: 0.625}))
    user, item = np.argwhere(book.pairs.rows < 0)[0].tolist()
    shown = book.shape.ratings
    desk.document.enter(book.crosstab.id, Cell(shown.top + user, shown.left + item), "2")
    assert len(session.table) == 501
    settle(desk.document)
    desk.wait(AUTOSAVE_S + 2)
    desk.die()
    (entry,) = lost()
    other = Desk()
    try:
        recover(other.document, other.autosave, entry)
        other.document.finish()
        back = settle(other.document)
        assert back.table.ratings.tolist() == session.table.ratings.tolist()
        assert back.learned is not None
        assert session.learned is not None
        assert np.array_equal(back.learned.item_rows, session.learned.item_rows)
        assert back.learned.item_rows[4, 0] == 0.625
        assert [kept.name for kept in back.kept] == ["three steps"]
        assert back.steps_done == 3
        assert other.document.is_edited
        for one in (session, back):
            one.step(2)
            one.wait(60)
        assert np.array_equal(back.learned.item_rows, session.learned.item_rows)
    finally:
        other.document.close()


def test_what_does_not_change_of_a_rating_set_is_written_once(desk: Desk) -> None:
    session = open_ratings(desk)
    session.step(1)
    settle(desk.document)
    desk.wait(AUTOSAVE_S + 2)
    path = desk.autosave._slot.path
    first = {part.name: part.stat().st_mtime_ns for part in part_files(path)}
    assert len(first) == 3  # table, split and start
    session.step(1)
    settle(desk.document)
    desk.wait(AUTOSAVE_S + 2)
    assert {part.name: part.stat().st_mtime_ns for part in part_files(path)} == first
    session.kept.keep("two steps")
    desk.wait(AUTOSAVE_S + 2)
    assert first.keys() < {part.name for part in part_files(path)}
    book = desk.document.ratings_book
    assert book is not None
    desk.document.apply(DeleteRows(book.ratings.id, 5, 1))
    settle(desk.document)
    desk.wait(AUTOSAVE_S + 2)
    names = {part.name for part in part_files(path)}
    assert len(names) == 4
    assert len(names & first.keys()) == 1  # of the start; table and split are others
    save_file(desk.document, path.with_name("mine.gradsheet"))
    settle(desk.document)
    desk.wait(2)
    assert not part_files(path)
    assert not path.exists()


def test_a_run_goes_on_while_its_rating_set_is_written_aside(desk: Desk) -> None:
    session = open_ratings(desk, LearnChoice(epochs=10_000))
    session.start()
    while session.steps_done < 50:
        desk.document.poll()
    task = session.task
    desk.wait(AUTOSAVE_S + 2)
    assert session.task is task
    assert session.state == "running"
    session.stop()
    desk.die()
    (entry,) = lost()
    facts = load_session(entry.path).facts["ratings"]
    assert take_out(facts["run"], load_session(entry.path).arrays)["step"] >= 50


def test_another_workbook_puts_a_trained_rating_set_aside(desk: Desk) -> None:
    session = open_ratings(desk)
    session.step(2)
    settle(desk.document)
    desk.document.open_lesson("bias")
    desk.document.finish()
    desk.wait(2)
    (entry,) = everything()
    assert entry.origin.title == "made up"
    assert beside(entry)


def test_a_living_window_is_offered_to_nobody_a_dead_one_is(desk: Desk) -> None:
    desk.type("mine")
    desk.wait(AUTOSAVE_S + 2)
    assert lost() == []
    desk.die()
    (entry,) = lost()
    assert entry.origin.title == desk.document.title
    assert entry.original is None
    assert "never saved in a file" in about(entry)


def test_recovered_work_is_as_it_was_and_unsaved_until_it_is_saved(
    desk: Desk, tmp_path: Path
) -> None:
    path = tmp_path / "own.gradsheet"
    save_file(desk.document, path)
    desk.document.finish()
    desk.type("precious")
    desk.step(7)
    desk.wait(AUTOSAVE_S + 2)
    desk.die()
    (entry,) = lost()
    assert entry.original == path
    assert "the file is from today" in about(entry)
    other = Desk()
    try:
        recover(other.document, other.autosave, entry)
        other.document.finish()
        assert text_at(other.document, "A40") == "precious"
        assert other.document.run_view().step == 7
        assert other.document.path == path
        assert other.document.is_changed
        assert lost() == []  # it has a window again
        other.wait(AUTOSAVE_S + 2)
        assert entry.path.exists()
        save_file(other.document, path)
        other.document.finish()
        assert not other.document.is_changed
        other.wait(2)
        assert not entry.path.exists()
        assert "autosave" not in load_session(path).facts
    finally:
        other.document.close()


def test_work_that_is_recovered_and_lost_again_is_still_there(desk: Desk) -> None:
    desk.type("precious")
    desk.wait(AUTOSAVE_S + 2)
    desk.die()
    for _ in range(2):
        (entry,) = lost()
        other = Desk()
        recover(other.document, other.autosave, entry)
        other.document.finish()
        assert text_at(other.document, "A40") == "precious"
        other.die()
    discard(entry)
    assert everything() == []


def test_two_windows_cannot_recover_the_same_work(desk: Desk) -> None:
    desk.type("precious")
    desk.wait(AUTOSAVE_S + 2)
    desk.die()
    (entry,) = lost()
    slot = Slot.adopt(entry)
    assert slot is not None
    other = Desk()
    try:
        with pytest.raises(UserError, match="another window"):
            recover(other.document, other.autosave, entry)
        discard(entry)
        assert entry.path.exists()
    finally:
        slot.leave()
        other.document.close()


def test_a_damaged_autosave_is_said_and_stays(desk: Desk) -> None:
    desk.type("precious")
    desk.wait(AUTOSAVE_S + 2)
    desk.die()
    (entry,) = lost()
    whole = entry.path.read_bytes()
    entry.path.write_bytes(whole[: len(whole) // 2])
    other = Desk()
    try:
        recover(other.document, other.autosave, entry)
        other.document.finish()
        assert "damaged" in other.document.log.messages()[-1].text
        assert other.document.lesson.id == "dotprod"
        entry.path.write_bytes(whole)
        assert lost() == [entry]
    finally:
        other.document.close()


def test_saving_lets_the_autosave_go(desk: Desk, tmp_path: Path) -> None:
    desk.type("x")
    desk.wait(AUTOSAVE_S + 2)
    assert list(folder().glob("*.gradsheet"))
    save_file(desk.document, tmp_path / "a.gradsheet")
    desk.document.finish()
    desk.wait(2)
    assert not list(folder().iterdir())


def test_another_workbook_puts_unsaved_work_aside(desk: Desk) -> None:
    desk.step(5)
    desk.document.open_lesson("bias")
    desk.document.finish()
    desk.wait(2)
    (entry,) = everything()
    assert lost() == []
    assert entry.origin.is_put_aside
    recover(desk.document, desk.autosave, entry)
    desk.document.finish()
    assert desk.document.lesson.id == "dotprod"
    assert desk.document.run_view().step == 5


def test_what_was_forsaken_is_not_put_aside(desk: Desk) -> None:
    desk.type("x")
    desk.wait(AUTOSAVE_S + 2)
    desk.autosave.forsake()
    desk.document.open_lesson("bias")
    desk.document.finish()
    desk.wait(2)
    assert everything() == []


def test_what_is_changed_after_it_was_forsaken_is_kept(desk: Desk) -> None:
    desk.type("x")
    desk.autosave.forsake()
    desk.type("y")
    desk.document.open_lesson("bias")
    desk.document.finish()
    desk.wait(2)
    assert len(everything()) == 1


def test_only_the_last_that_were_put_aside_are_kept(desk: Desk) -> None:
    desk.step()
    desk.autosave.close(keep=True)
    (first,) = everything()
    for n in range(MOST_PUT_ASIDE + 3):
        slot = Slot.new(folder())
        session = load_session(first.path)
        origin = Origin(f"work {n}", "", n, is_put_aside=True)
        from gradsheet.files.session import Session, save_session

        facts = {autosaves.FACT: origin.fact()}
        save_session(Session(session.workbook, None, facts), slot.path)
        slot.leave()
    autosaves.prune(folder())
    titles = [entry.origin.title for entry in everything()]
    assert len(titles) == MOST_PUT_ASIDE + 1
    assert "work 0" not in titles
    assert first in everything()


def test_ending_keeps_unsaved_work_for_the_next_start(desk: Desk) -> None:
    desk.type("just now")
    desk.autosave.close(keep=True)
    (entry,) = lost()
    assert entry.origin.title == desk.document.title


def test_ending_without_keeping_leaves_nothing(desk: Desk) -> None:
    desk.type("x")
    desk.wait(AUTOSAVE_S + 2)
    desk.autosave.close(keep=False)
    assert not list(folder().iterdir())


def test_a_folder_that_cannot_be_written_is_complained_of_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    said: list[str] = []
    desk.document.log.subscribe(lambda message: said.append(message.text))
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        desk.type("x")
        desk.wait(4 * AUTOSAVE_S)
        assert len(said) == 1
        assert "No space left" in said[0]
        desk.now += COMPLAIN_S
        desk.wait(2 * AUTOSAVE_S)
        assert len(said) == 2
    desk.wait(2 * AUTOSAVE_S)
    assert list(folder().glob("*.gradsheet"))


def test_a_config_folder_that_is_a_file_is_complained_of(desk: Desk) -> None:
    folder().parent.mkdir(parents=True, exist_ok=True)
    folder().write_text("in the way")
    desk.type("x")
    desk.wait(2 * AUTOSAVE_S)
    assert "could not be saved aside" in desk.document.log.messages()[-1].text
    desk.autosave.close(keep=True)


def test_the_document_is_not_held_up_while_an_autosave_is_written(desk: Desk) -> None:
    desk.step(2000)
    desk.autosave.soon()
    assert desk.autosave._task is not None
    desk.type("meanwhile")
    desk.autosave._finish()
    assert desk.autosave.now()
    (path,) = folder().glob("*.gradsheet")
    desk.die()
    other = Desk()
    try:
        recover(other.document, other.autosave, lost()[0])
        other.document.finish()
        assert text_at(other.document, "A40") == "meanwhile"
        assert path.exists()
    finally:
        other.document.close()


def test_a_file_opened_over_a_changed_one_leaves_it_aside(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "a.gradsheet"
    save_file(desk.document, path)
    desk.document.finish()
    desk.type("x")
    open_file(desk.document, path)
    desk.document.finish()
    desk.wait(2)
    (entry,) = everything()
    assert entry.original == path
