"""A rating set in a session file: what was learned comes back bit for bit and goes on."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from rating_documents import settle, show

from gradsheet.app.document import Document
from gradsheet.app.ratings import saving
from gradsheet.app.ratings.choices import LearnChoice, ModelChoice, SplitChoice
from gradsheet.app.ratings.learned import Learned
from gradsheet.app.ratings.origin import Origin
from gradsheet.app.ratings.pairs import busiest_pairs
from gradsheet.app.ratings.rating_edits import write_ratings
from gradsheet.app.ratings.session import RatingsSession
from gradsheet.app.ratings.workbook import RatingsBook
from gradsheet.app.saving.opening import open_file, save_file
from gradsheet.app.saving.reading import Reading
from gradsheet.files.session import load_session
from gradsheet.formula.address import Cell
from gradsheet.formula.values import Kind
from gradsheet.ratings.sniffing import sniff
from gradsheet.ratings.synthetic import synthetic_ratings
from gradsheet.sheet.book_edits import AddSheet
from gradsheet.tasks import Cancelled, Control, Progress, live_tasks

TABLE = synthetic_ratings(80, 50, 1500, factors=2, seed=1)[0]
LESSON = LearnChoice(epochs=2, batch_size=64)
FAST = LearnChoice(mode="fast", passes=6, fast_patience=0)
WAYS = {
    "dot": (ModelChoice(kind="dot", factors=3), dataclasses.replace(LESSON, optimizer="momentum")),
    "bias": (ModelChoice(kind="bias", factors=6), LESSON),
    "net": (ModelChoice(kind="net", user_factors=3, item_factors=4), LESSON),
    "fast": (ModelChoice(kind="bias", factors=5), FAST),
}
Open = Callable[[str], Document]


@pytest.fixture
def documents() -> Iterator[list[Document]]:
    made: list[Document] = []
    yield made
    for document in made:
        document.close()
    assert not live_tasks()


@pytest.fixture
def opened(documents: list[Document]) -> Open:
    def build(way: str) -> Document:
        model, learn = WAYS[way]
        session = RatingsSession(TABLE, "made up", model=model, learn=learn)
        document = Document()
        documents.append(document)
        show(document, session)
        return document

    return build


def again(document: Document, path: Path, documents: list[Document]) -> Document:
    """Save a document and open the file in another one."""
    save_file(document, path)
    document.finish()
    assert document.path == path
    assert not document.is_changed
    other = Document()
    documents.append(other)
    open_file(other, path)
    settle(other)
    return other


def arrays_of(learned: Learned | None) -> list[np.ndarray]:
    assert learned is not None
    found = [learned.user_rows, learned.item_rows, learned.user_bias, learned.item_bias]
    if learned.net is not None:
        found += [*learned.net.weights, *learned.net.biases]
    return [x for x in found if x is not None]


def same(a: RatingsSession, b: RatingsSession) -> bool:
    pairs = zip(arrays_of(a.learned), arrays_of(b.learned), strict=True)
    rows = [[dataclasses.replace(row, seconds=0.0) for row in s.epochs] for s in (a, b)]
    return all(np.array_equal(x, y) for x, y in pairs) and rows[0] == rows[1]


@pytest.mark.parametrize("way", WAYS)
def test_a_run_comes_back_bit_for_bit_and_goes_on_alike(
    opened: Open, documents: list[Document], tmp_path: Path, way: str
) -> None:
    document = opened(way)
    session = settle(document)
    session.step(4)
    settle(document)
    other = again(document, tmp_path / "kept.gradsheet", documents)
    resumed = settle(other)
    assert same(session, resumed)
    assert resumed.state == session.state
    assert resumed.steps_done == 4
    assert other.title == "kept.gradsheet"
    assert not other.is_changed
    for one in (session, resumed):
        one.continue_(2)
        one.wait(120)
    assert same(session, resumed)
    assert resumed.state == "done"


@pytest.mark.parametrize("way", ["bias", "fast"])
def test_reset_after_opening_goes_to_the_same_start(
    opened: Open, documents: list[Document], tmp_path: Path, way: str
) -> None:
    document = opened(way)
    session = settle(document)
    session.step(3)
    settle(document)
    resumed = settle(again(document, tmp_path / "kept.gradsheet", documents))
    for one in (session, resumed):
        one.reset()
    assert same(session, resumed)


def test_edits_formulas_choices_and_kept_models_come_back(
    opened: Open, documents: list[Document], tmp_path: Path
) -> None:
    document = opened("fast")
    session = settle(document)
    session.step(4)
    settle(document)
    session.kept.keep("four stages")
    session.set_split(SplitChoice(share=0.3, seed=5))
    settle(document)
    session.start()
    settle(document)
    write_ratings(session, np.array([7]), np.array([4.5]))
    book = document.ratings_book
    assert book is not None
    document.enter(book.crosstab.id, Cell(60, 0), "=Users!E2*2")
    document.apply(AddSheet("Mine"))
    mine = document.workbook.sheets[-1]
    document.enter(mine.id, Cell(0, 0), "a note of mine")
    document.finish()
    other = again(document, tmp_path / "kept.gradsheet", documents)
    resumed = settle(other)
    assert same(session, resumed)
    assert resumed.split_choice == session.split_choice
    assert resumed.learn_choice == session.learn_choice
    assert resumed.table.ratings[7] == 4.5
    assert session.split is not None
    assert resumed.split is not None
    assert np.array_equal(resumed.split.train.ratings, session.split.train.ratings)
    kept = resumed.kept[0]
    assert (kept.name, kept.epochs, kept.errors) == (
        "four stages", session.kept[0].epochs, session.kept[0].errors,
    )  # fmt: skip
    assert np.array_equal(kept.learned.user_rows, session.kept[0].learned.user_rows)
    value, kind = other.workbook.sheets[0].cells.get(Cell(60, 0))
    assert kind == Kind.NUMBER
    assert resumed.learned is not None
    assert value == pytest.approx(2 * float(resumed.learned.user_rows[0, 0]), rel=1e-6)
    assert [sheet.name for sheet in other.workbook.sheets][-1] == "Mine"
    before = resumed.learned
    resumed.kept.go_back_to(0)
    assert np.array_equal(arrays_of(resumed.learned)[0], arrays_of(kept.learned)[0])
    other.undo()
    assert np.array_equal(arrays_of(resumed.learned)[0], arrays_of(before)[0])


@pytest.fixture
def large(
    tmp_path: Path, documents: list[Document], monkeypatch: pytest.MonkeyPatch
) -> tuple[Document, Path]:
    """A set that counts as too large to be kept in the session file."""
    monkeypatch.setattr(saving, "KEPT_WHOLE", 100)
    source = tmp_path / "ratings.csv"
    rows = "".join(f"{i % 37},{i % 29},{1 + i % 5}\n" for i in range(900))
    source.write_text("userId,movieId,rating\n" + rows, encoding="utf-8")
    origin = Origin.of(source, sniff(source).options)
    assert origin is not None
    table = Reading().follow(origin.read_again())
    session = RatingsSession(table, "ratings.csv", learn=FAST)
    session.origin = origin
    document = Document()
    documents.append(document)
    document.open_ratings(RatingsBook(session, busiest_pairs(session.table, session.totals, 5, 5)))
    settle(document).step(3)
    settle(document)
    write_ratings(session, np.array([3, 11]), np.array([5.0, 1.0]))
    return document, source


def test_of_a_large_set_the_file_is_named_and_edits_are_kept(
    large: tuple[Document, Path], documents: list[Document], tmp_path: Path
) -> None:
    document, _ = large
    session = settle(document)
    path = tmp_path / "kept.gradsheet"
    resumed = settle(again(document, path, documents))
    assert same(session, resumed)
    assert np.array_equal(resumed.table.ratings, session.table.ratings)
    for one in (session, resumed):
        one.step(1)
        one.wait(60)
    assert same(session, resumed)


@pytest.mark.parametrize(("change", "told"), [("gone", "not there"), ("other", "not the file")])
def test_a_large_set_whose_file_is_gone_or_changed_is_refused(
    large: tuple[Document, Path], documents: list[Document], tmp_path: Path, change: str, told: str
) -> None:
    document, source = large
    save_file(document, tmp_path / "kept.gradsheet")
    document.finish()
    if change == "gone":
        source.unlink()
    else:
        source.write_text(source.read_text().replace("36,23,", "36,24,"), encoding="utf-8")
    other = Document()
    documents.append(other)
    open_file(other, tmp_path / "kept.gradsheet")
    other.finish()
    assert other.ratings is None
    assert any(told in message.text for message in other.log.messages())


class CancelledAt(Control):
    """A control that is cancelled at one of its checkpoints."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number, self.seen = number, 0

    def checkpoint(self) -> None:
        self.seen += 1
        if self.seen == self.number:
            self.cancel()
        super().checkpoint()


class Heard(Reading):
    """A reading that keeps what it was told."""

    def __init__(self, cancelled_at: int = -1) -> None:
        self.all: list[Progress] = []
        super().__init__()
        self.control = self.count = CancelledAt(cancelled_at)

    @property
    def progress(self) -> Progress | None:
        return self.all[-1] if self.all else None

    @progress.setter
    def progress(self, progress: Progress | None) -> None:
        if progress is not None:
            self.all.append(progress)


def test_reopening_a_large_set_tells_how_far_it_is_and_can_be_cancelled_anywhere(
    large: tuple[Document, Path], tmp_path: Path
) -> None:
    path = tmp_path / "kept.gradsheet"
    save_file(large[0], path)
    large[0].finish()
    session, heard = load_session(path), Heard()
    saving.opener_of_ratings(session, path, reading=heard)
    said = [progress.text for progress in heard.all]
    assert said[0] == "Comparing ratings.csv with what was saved"
    assert "900 ratings" in said
    assert any(progress.fraction is not None for progress in heard.all)
    assert said[-1] == "Laying out the sheets"
    assert heard.count.seen > 20
    for number in range(1, heard.count.seen + 1, 4):
        with pytest.raises(Cancelled):
            saving.opener_of_ratings(load_session(path), path, reading=Heard(number))


def test_a_cancelled_reopening_leaves_what_is_open_and_says_nothing(
    large: tuple[Document, Path], documents: list[Document], tmp_path: Path
) -> None:
    path = tmp_path / "kept.gradsheet"
    save_file(large[0], path)
    large[0].finish()
    other = Document()
    documents.append(other)
    other.finish()
    book, said = other.book, len(other.log.messages())
    open_file(other, path)
    other.give_up_reading()
    other.finish()
    assert other.book is book
    assert other.ratings is None
    assert len(other.log.messages()) == said
    open_file(other, path)
    other.finish()
    assert other.ratings is not None
    assert other.reading is None
