"""Filtering a table's rows by the keyboard, with the sort, and undo."""

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
from gradsheet.app.ratings.workbook import RATING, RatingsBook
from gradsheet.formula.address import Cell, Region
from gradsheet.ratings.synthetic import synthetic_ratings

Held = Qt.KeyboardModifier


@pytest.fixture
def book(window: Any, qtbot: Any) -> RatingsBook:
    table = synthetic_ratings(40, 30, 500, factors=2, seed=1)[0]
    session = RatingsSession(table, "made up", model=ModelChoice(factors=3),
                             learn=LearnChoice(epochs=1))  # fmt: skip
    book = RatingsBook(session, busiest_pairs(table, session.totals, 6, 5))
    window.document.open_ratings(book)
    qtbot.waitUntil(lambda: session.learned is not None, timeout=30_000)
    window.grid.set_sheet(book.ratings.id)
    window.grid.select(Cell(3, RATING))
    window.grid.setFocus()
    return book


def press(key: Qt.Key, held: Held = Held.NoModifier) -> None:
    QTest.keyClick(QApplication.focusWidget(), key, held)


def stars(book: RatingsBook) -> list[float]:
    store = book.ratings.cells
    return store.read(Region(1, RATING, 1 + store.shown, RATING + 1))[0].ravel().tolist()


def test_the_filter_keys_show_rows_that_fit_and_undo_shows_all_again(
    window: Any, qtbot: Any, book: RatingsBook
) -> None:
    all_of_them = stars(book)
    high = [value for value in all_of_them if value >= 4.5]
    press(Qt.Key.Key_F, Held.ControlModifier | Held.AltModifier)
    bar = window.filter_bar
    qtbot.waitUntil(bar.isVisible, timeout=5_000)
    assert (bar.column.currentText(), bar.test.currentText()) == ("rating", "at least")
    qtbot.keyClicks(QApplication.focusWidget(), "4.5")
    press(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: stars(book) == high, timeout=10_000)
    assert bar.state.text() == f"{len(high)} of 500 rows where rating at least 4.5"
    assert window.actions_by_id.by_id["edit.undo"].text() == "Undo Filter by rating"
    press(Qt.Key.Key_Escape)
    assert not bar.isVisible()
    press(Qt.Key.Key_O, Held.ControlModifier | Held.AltModifier)
    qtbot.waitUntil(lambda: stars(book) == sorted(high), timeout=10_000)
    press(Qt.Key.Key_Z, Held.ControlModifier)
    assert stars(book) == high
    press(Qt.Key.Key_Z, Held.ControlModifier)
    assert stars(book) == all_of_them
    press(Qt.Key.Key_Y, Held.ControlModifier)
    assert stars(book) == high
    window.actions_by_id.by_id["rows.show_all"].trigger()
    qtbot.waitUntil(lambda: stars(book) == all_of_them, timeout=10_000)


def test_a_cell_of_a_filtered_table_is_the_row_it_shows(
    window: Any, qtbot: Any, book: RatingsBook
) -> None:
    store, table = book.ratings.cells, book.session.table
    press(Qt.Key.Key_F, Held.ControlModifier | Held.AltModifier)
    qtbot.keyClicks(QApplication.focusWidget(), "5")
    press(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: store.shown < 500, timeout=10_000)
    row = int(np.flatnonzero(table.ratings == 5)[1])
    press(Qt.Key.Key_Escape)
    window.grid.select(Cell(2, RATING))
    qtbot.keyClicks(window.grid, "2")
    press(Qt.Key.Key_Return)
    assert table.ratings[row] == 2
    press(Qt.Key.Key_Z, Held.ControlModifier)
    assert table.ratings[row] == 5


def test_a_row_of_a_filtered_table_keeps_the_number_that_formulas_know(
    window: Any, qtbot: Any, book: RatingsBook
) -> None:
    press(Qt.Key.Key_F, Held.ControlModifier | Held.AltModifier)
    qtbot.keyClicks(QApplication.focusWidget(), "5")
    press(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: book.ratings.cells.shown < 500, timeout=10_000)
    row = int(np.flatnonzero(book.session.table.ratings == 5)[2])
    window.grid.select(Cell(3, RATING))
    assert window.formula_bar.name_box.text() == f"D{row + 2}"
    document = window.document
    document.enter(book.crosstab.id, Cell(0, 60), f"=Ratings!D{row + 2}")
    document.finish(30)
    assert book.crosstab.cells.get(Cell(0, 60))[0] == 5


def test_a_condition_that_does_not_fit_is_answered_in_the_strip(
    window: Any, qtbot: Any, book: RatingsBook
) -> None:
    press(Qt.Key.Key_F, Held.ControlModifier | Held.AltModifier)
    qtbot.keyClicks(QApplication.focusWidget(), "many")
    press(Qt.Key.Key_Return)
    bar = window.filter_bar
    qtbot.waitUntil(lambda: "is no number" in bar.state.text(), timeout=10_000)
    assert book.ratings.cells.shown == 500
    window.grid.go_to_sheet(book.crosstab.id)
    assert not bar.isVisible()


def test_the_speed_limit_is_hidden_until_a_lesson_opens(
    window: Any, qtbot: Any, book: RatingsBook
) -> None:
    bar = window.run_bar.speed_slider
    assert not bar.isVisible()
    window.document.open_lesson("dotprod")
    qtbot.waitUntil(bar.isVisible, timeout=5_000)
