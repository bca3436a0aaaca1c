"""Adding a rating by the keyboard, removing one with Delete, editing an embedding; undo of each."""

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
from gradsheet.app.ratings.workbook import FIRST, RATING, RatingsBook
from gradsheet.formula.address import Cell
from gradsheet.qt.dialogs.add_rating import AddRating
from gradsheet.ratings.synthetic import synthetic_ratings

Held = Qt.KeyboardModifier


@pytest.fixture
def book(window: Any, qtbot: Any) -> RatingsBook:
    table = synthetic_ratings(40, 30, 500, factors=2, seed=1)[0]
    session = RatingsSession(table, "made up", model=ModelChoice(factors=3, y_range=None),
                             learn=LearnChoice(epochs=1))  # fmt: skip
    book = RatingsBook(session, busiest_pairs(table, session.totals, 6, 5))
    window.document.open_ratings(book)
    qtbot.waitUntil(lambda: session.learned is not None, timeout=30_000)
    window.grid.setFocus()
    return book


def press(key: Qt.Key, held: Held = Held.NoModifier) -> None:
    QTest.keyClick(QApplication.focusWidget(), key, held)


def test_a_rating_is_added_by_keys_and_deleted_from_its_row(
    window: Any, qtbot: Any, book: RatingsBook
) -> None:
    table, by_id = book.session.table, window.actions_by_id.by_id
    rated = set(zip(table.users.tolist(), table.items.tolist(), strict=True))
    user = 7
    item = next(code for code in range(30) if (user, code) not in rated)
    by_id["ratings.add"].trigger()
    dialog = window.findChild(AddRating)
    assert not dialog.isModal()
    qtbot.waitUntil(lambda: not dialog.is_busy, timeout=10_000)
    assert not dialog.button.isEnabled()
    for search, ids, code in (
        (dialog.find_user, table.user_ids, user), (dialog.find_item, table.item_ids, item),
    ):  # fmt: skip
        qtbot.keyClicks(search, str(ids[code]))
        assert search.found[0] == code
        qtbot.keyClick(search, Qt.Key.Key_Return)
    dialog.stars.selectAll()
    qtbot.keyClicks(dialog.stars, "2.5")
    qtbot.keyClick(dialog.stars, Qt.Key.Key_Return)
    now = book.session.table
    assert (now.users[-1], now.items[-1], now.ratings[-1]) == (user, item, 2.5)
    assert window.grid.sheet_id == book.ratings.id
    assert window.grid.current == Cell(501, RATING)
    qtbot.mouseClick(dialog.button, Qt.MouseButton.LeftButton)
    assert "has rated this item" in dialog.note.text()
    dialog.close()
    window.activateWindow()
    window.grid.setFocus()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is not None, timeout=5_000)
    press(Qt.Key.Key_Delete)
    assert len(book.session.table) == 500
    window.after_command()
    assert by_id["edit.undo"].text().startswith("Undo ")
    press(Qt.Key.Key_Z, Held.ControlModifier)
    assert len(book.session.table) == 501
    press(Qt.Key.Key_Z, Held.ControlModifier)
    assert len(book.session.table) == 500


def test_an_embedding_typed_into_users_changes_model_and_prediction_and_undo_brings_both_back(
    window: Any, qtbot: Any, book: RatingsBook
) -> None:
    session, document = book.session, window.document
    user, item = int(book.pairs.users[2]), int(book.pairs.items[1])
    place = Cell(book.shape.predictions.top + 2, book.shape.first_item + 1)
    document.finish(30)
    was, learned = book.crosstab.cells.get(place)[0], session.learned.user_rows[user].copy()
    window.grid.set_sheet(book.users.id)
    window.grid.select(Cell(user + 1, FIRST["users"] + 1))
    window.grid.setFocus()
    for letter in "2.5":  # the first one opens the editor, which has the keyboard then
        QTest.keyClicks(QApplication.focusWidget(), letter)
    press(Qt.Key.Key_Return)
    assert session.learned.user_rows[user, 1] == 2.5
    expected = session.learned.predict([user], [item])[0]
    document.finish(30)
    assert book.crosstab.cells.get(place)[0] == pytest.approx(expected)
    assert expected != pytest.approx(was)
    press(Qt.Key.Key_Z, Held.ControlModifier)
    assert np.array_equal(session.learned.user_rows[user], learned)
    document.finish(30)
    assert book.crosstab.cells.get(place)[0] == pytest.approx(was)


def test_a_number_typed_into_an_empty_cell_of_the_crosstab_is_a_rating_more(
    window: Any, qtbot: Any, book: RatingsBook
) -> None:
    i, j = map(int, np.argwhere(book.pairs.rows < 0)[0])
    pair = (int(book.pairs.users[i]), int(book.pairs.items[j]))
    cell = Cell(1 + i, book.shape.first_item + j)
    window.grid.set_sheet(book.crosstab.id)
    window.grid.select(cell)
    window.grid.setFocus()
    qtbot.keyClicks(window.grid, "4")
    press(Qt.Key.Key_Return)
    table = book.session.table
    assert (int(table.users[-1]), int(table.items[-1]), float(table.ratings[-1])) == (*pair, 4.0)
    assert book.crosstab.cells.get(cell)[0] == 4.0
    press(Qt.Key.Key_Z, Held.ControlModifier)
    assert len(book.session.table) == 500
    window.document.finish(30)
