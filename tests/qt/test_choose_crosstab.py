"""Choosing users and items of the crosstab: search, lists, the busiest, undo."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from gradsheet.app.ratings.choices import LearnChoice, ModelChoice
from gradsheet.app.ratings.pairs import busiest_pairs
from gradsheet.app.ratings.session import RatingsSession
from gradsheet.app.ratings.workbook import RatingsBook
from gradsheet.formula.address import Cell
from gradsheet.qt.dialogs.choose_crosstab import ChooseCrosstab
from gradsheet.ratings.synthetic import synthetic_ratings

Held = Qt.KeyboardModifier


@pytest.fixture
def book(window: Any, qtbot: Any) -> RatingsBook:
    table = synthetic_ratings(40, 50, 800, factors=2, seed=1)[0]
    session = RatingsSession(table, "made up", model=ModelChoice(factors=3, y_range=None),
                             learn=LearnChoice(epochs=1))  # fmt: skip
    book = RatingsBook(session, busiest_pairs(table, session.totals, 6, 5))
    window.document.open_ratings(book)
    qtbot.waitUntil(lambda: session.learned is not None, timeout=30_000)
    return book


@pytest.fixture
def dialog(window: Any, qtbot: Any, book: RatingsBook) -> ChooseCrosstab:
    window.grid.setFocus()
    QTest.keyClick(window.grid, Qt.Key.Key_X, Held.ControlModifier | Held.AltModifier)
    found = window.findChild(ChooseCrosstab)
    qtbot.waitUntil(lambda: not found.is_busy, timeout=10_000)
    return found


def show(dialog: ChooseCrosstab, qtbot: Any) -> None:
    qtbot.mouseClick(dialog.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not dialog.is_busy, timeout=10_000)


def test_a_title_that_is_found_by_keys_is_a_column_of_live_predictions(
    window: Any, qtbot: Any, book: RatingsBook, dialog: ChooseCrosstab
) -> None:
    assert not dialog.isModal()
    before = book.pairs
    assert dialog.lists["items"].codes == before.items.tolist()
    other = next(code for code in range(50) if code not in before.items)
    name = str(book.session.table.item_ids[other])
    search = dialog.search["items"]
    search.setFocus()
    qtbot.keyClicks(search, name)
    assert search.found[0] == other
    qtbot.keyClick(search, Qt.Key.Key_Return)
    assert dialog.lists["items"].codes == [*before.items.tolist(), other]
    chosen = dialog.lists["users"]
    chosen.setCurrentRow(1)
    qtbot.keyClick(chosen, Qt.Key.Key_Delete)
    show(dialog, qtbot)
    document, session = window.document, book.session
    assert book.pairs.items[-1] == other
    assert len(book.pairs.users) == 5
    assert before.users[1] not in book.pairs.users
    document.finish(30)
    cell = Cell(book.shape.predictions.top, book.shape.predictions.right - 1)
    assert book.crosstab.cells.formula(cell) is not None
    expected = session.learned.predict(book.pairs.users[:1], [other])[0]
    assert book.crosstab.cells.get(cell)[0] == pytest.approx(expected)
    assert window.actions_by_id.by_id["edit.undo"].text() == "Undo Choose the crosstab"
    window.actions_by_id.by_id["edit.undo"].trigger()
    assert book.pairs is before


def test_the_busiest_are_those_with_most_ratings_and_the_selected_can_be_added(
    window: Any, qtbot: Any, book: RatingsBook, dialog: ChooseCrosstab
) -> None:
    for side, count in (("users", "9"), ("items", "7")):
        field = dialog.counts[side]
        field.selectAll()
        qtbot.keyClicks(field, count)
        qtbot.mouseClick(dialog.busiest[side], Qt.MouseButton.LeftButton)
    counts = book.session.counts("users")
    chosen = dialog.lists["users"].codes
    assert len(chosen) == 9
    assert counts[chosen].min() >= np.delete(counts, chosen).max()
    rare = int(np.argmin(book.session.counts("items")))
    book.session.select(items=[rare])
    qtbot.mouseClick(dialog.selected["items"], Qt.MouseButton.LeftButton)
    show(dialog, qtbot)
    assert book.pairs.ratings.shape == (9, 8)
    assert book.pairs.items[-1] == rare


def test_an_empty_or_too_large_choice_says_why_and_cannot_be_shown(
    qtbot: Any, book: RatingsBook, dialog: ChooseCrosstab
) -> None:
    chosen = dialog.lists["items"]
    chosen.selectAll()
    qtbot.keyClick(chosen, Qt.Key.Key_Delete)
    assert "Choose items" in dialog.note.text()
    assert not dialog.button.isEnabled()
    for code in range(31):
        dialog.add("items", code)
    assert "31 items are too many" in dialog.note.text()
    assert not dialog.button.isEnabled()


def test_another_workbook_closes_the_window(
    window: Any, qtbot: Any, dialog: ChooseCrosstab
) -> None:
    window.document.new_workbook()
    qtbot.waitUntil(lambda: window.findChild(ChooseCrosstab) is None, timeout=5_000)
    assert not window.actions_by_id.by_id["sheet.choose_crosstab"].isEnabled()
    assert QApplication.activeModalWidget() is None


def test_a_rating_set_opens_on_its_embeddings_and_predictions(
    window: Any, book: RatingsBook
) -> None:
    seen = window.grid.visible_region()
    shape = book.shape
    assert seen.top <= shape.item_block.top - 1
    assert seen.contains(shape.predictions.first)
    assert seen.top == 0 or seen.bottom <= shape.loss.row + 2
