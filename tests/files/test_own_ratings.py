"""Opening a file of ratings: the lecture's users from its own data set; bad files are named."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest

from gradsheet.app.document import Document
from gradsheet.app.ratings.importing import RatingsImport
from gradsheet.app.saving.opening import save_file
from gradsheet.formula.values import UserError
from gradsheet.lessons.lesson import lesson_crosstab

TIED = {"American Beauty"}


@pytest.fixture
def document() -> Iterator[Document]:
    document = Document()
    document.finish()
    yield document
    document.close()


def open_file(document: Document, path: Path) -> None:
    reading = RatingsImport(document, path)
    reading.start()
    reading.wait()
    document.finish()


def cells_of(document: Document) -> tuple[bytes, bytes]:
    cells = document.workbook.sheets[0].cells
    values, kinds = cells.read(cells.used())
    return values.tobytes(), kinds.tobytes()


def test_movielens_gives_the_lectures_users_and_films(document: Document, reference: Path) -> None:
    open_file(document, reference / "ml-latest-small" / "ratings.csv")
    assert document.data is not None
    lecture = lesson_crosstab()
    assert document.data.users == lecture.users
    missing = set(lecture.items) - set(document.data.items)
    assert len(missing) <= 1, "all but the tie"
    assert any("Toy Story" in title for title in document.data.item_labels)
    before = cells_of(document)
    loss = document.loss_now()
    document.step_run(200)
    document.finish()
    after = document.loss_now()
    assert loss is not None
    assert after is not None
    assert after < 0.6 * loss
    document.undo()
    document.finish()
    assert cells_of(document) == before


def test_the_same_file_trains_in_the_bias_lesson(document: Document, reference: Path) -> None:
    document.open_lesson("bias")
    open_file(document, reference / "ml-latest-small" / "ratings.csv")
    assert document.lesson.id == "bias"
    document.step_run(1000)
    document.finish()
    loss = document.loss_now()
    assert loss is not None
    assert loss < 0.4


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.csv", b""),
        ("prose.csv", b"once upon a time\nthere was a file\nwithout any ratings\n"),
        ("header_only.csv", b"userId,movieId,rating\n"),
        ("no_numbers.csv", b"userId,movieId,rating\n1,2,good\n2,3,bad\n"),
        ("binary.csv", bytes(range(256)) * 40),
    ],
)
def test_a_bad_file_is_named_and_the_open_workbook_stays(
    document: Document, tmp_path: Path, name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    before = cells_of(document)
    with pytest.raises(UserError) as caught:
        open_file(document, path)
    assert name in caught.value.text
    assert caught.value.hint
    assert cells_of(document) == before
    assert document.lesson.id == "dotprod"
    assert document.data is None


def test_a_file_that_is_not_there_is_named(document: Document, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere\.csv"):
        open_file(document, tmp_path / "nowhere.csv")


def test_a_file_smaller_than_fifteen_by_fifteen_opens(document: Document, tmp_path: Path) -> None:
    path = tmp_path / "few.csv"
    path.write_text("who;what;stars\nann;tea;4,5\nann;milk;2\nbob;tea;3\n", encoding="utf-8")
    open_file(document, path)
    assert document.data is not None
    assert document.data.user_labels == ("ann", "bob")
    assert document.data.item_labels == ("tea", "milk")
    document.step_run(300)
    document.finish()
    loss = document.loss_now()
    assert loss is not None
    assert loss < 0.1


def test_cancel_leaves_the_workbook_as_it_was(document: Document, tmp_path: Path) -> None:
    path = tmp_path / "many.csv"
    rows = "".join(f"{i % 997},{i % 701},{1 + i % 5}\n" for i in range(400_000))
    path.write_text("userId,movieId,rating\n" + rows, encoding="utf-8")
    before = cells_of(document)
    reading = RatingsImport(document, path)
    reading.start()
    reading.cancel()
    deadline = time.monotonic() + 10
    while not reading.poll():
        assert time.monotonic() < deadline
        time.sleep(0.001)
    assert cells_of(document) == before
    assert document.data is None


def test_the_whole_set_opens_with_live_formulas_and_saves_for_excel(
    document: Document, tmp_path: Path
) -> None:
    path = tmp_path / "some.csv"
    rows = "".join(f"{i % 37},{i % 29},{1 + i % 5}\n" for i in range(900))
    path.write_text("userId,movieId,rating\n" + rows, encoding="utf-8")
    reading = RatingsImport(document, path, whole=True)
    reading.start()
    reading.wait()
    document.finish()
    assert document.ratings is not None
    document.ratings.wait(60)
    document.finish()
    names = [sheet.name for sheet in document.workbook.sheets]
    assert names == ["Crosstab", "Users", "Items", "Ratings", "Predictions"]
    assert document.title == "some.csv"
    save_file(document, tmp_path / "some.gradsheet")
    document.finish()
    assert (tmp_path / "some.gradsheet").is_file()
    save_file(document, tmp_path / "some.xlsx")
    document.finish()
    book = openpyxl.load_workbook(tmp_path / "some.xlsx")
    assert any(
        str(cell.value).startswith("=Users!") for row in book["Crosstab"].rows for cell in row
    )
    assert book["Ratings"].max_row == 1 + len(document.ratings.table)
