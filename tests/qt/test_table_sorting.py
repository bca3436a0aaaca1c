"""Sorting a table's rows by the keyboard: up, down, as in the file, and undo."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from gradsheet.app.ratings.choices import LearnChoice, ModelChoice
from gradsheet.app.ratings.pairs import busiest_pairs
from gradsheet.app.ratings.session import RatingsSession
from gradsheet.app.ratings.workbook import RATING, RatingsBook
from gradsheet.formula.address import Cell, Region
from gradsheet.ratings.synthetic import synthetic_ratings
from gradsheet.sheet.virtual import ShowRows

Held = Qt.KeyboardModifier
CHOICE = ModelChoice(factors=3)


def test_the_sort_key_sorts_up_then_down_then_as_in_the_file_and_undo_goes_back(
    window: Any, qtbot: Any
) -> None:
    table = synthetic_ratings(40, 30, 500, factors=2, seed=1)[0]
    session = RatingsSession(table, "made up", model=CHOICE, learn=LearnChoice(epochs=1))
    book = RatingsBook(session, busiest_pairs(table, session.totals, 6, 5))
    window.document.open_ratings(book)
    qtbot.waitUntil(lambda: session.learned is not None, timeout=30_000)
    window.grid.set_sheet(book.ratings.id)
    window.grid.select(Cell(3, RATING))
    body = Region(1, RATING, 1 + len(table), RATING + 1)

    def shown() -> list[float]:
        return book.ratings.cells.read(body)[0].ravel().tolist()

    def press(key: Qt.Key, held: Held) -> None:
        QTest.keyClick(QApplication.focusWidget(), key, held)

    as_read = shown()
    assert as_read != sorted(as_read)
    window.grid.setFocus()
    for expected in (sorted(as_read), sorted(as_read, reverse=True), as_read):
        press(Qt.Key.Key_O, Held.ControlModifier | Held.AltModifier)
        qtbot.waitUntil(lambda expected=expected: shown() == expected, timeout=10_000)
    press(Qt.Key.Key_Z, Held.ControlModifier)
    assert shown() == sorted(as_read, reverse=True)
    keys = book.ratings.cells.columns[0].sort_keys(np.arange(len(table)))
    assert keys.tolist() == table.user_ids[table.users].tolist()


def test_pointing_at_a_sorted_table_names_the_tables_own_rows(window: Any, qtbot: Any) -> None:
    table = synthetic_ratings(40, 30, 500, factors=2, seed=1)[0]
    session = RatingsSession(table, "made up", model=CHOICE, learn=LearnChoice(epochs=1))
    book = RatingsBook(session, busiest_pairs(table, session.totals, 6, 5))
    window.document.open_ratings(book)
    qtbot.waitUntil(lambda: session.learned is not None, timeout=30_000)
    order = np.argsort(table.ratings, kind="stable")
    window.document.apply(ShowRows(book.ratings.id, order, "Sort"))
    grid, free = window.grid, Cell(0, 70)
    grid.set_sheet(book.crosstab.id)
    grid.select(free)
    grid.setFocus()
    QTest.keyClicks(QApplication.focusWidget(), "=")
    typing = grid.typing
    QTest.keyClicks(typing.line, "SUM(")
    grid.set_sheet(book.ratings.id)
    typing.point(Cell(3, RATING), Cell(3, RATING))
    assert typing.line.text() == f"=SUM(Ratings!D{order[2] + 2}"
    marks = [mark.region for mark in grid.overlay.marks("typing")]
    assert marks == [Region.of(Cell(3, RATING))]
    typing.point(Cell(1, RATING), Cell(3, RATING))
    assert len(set(np.sort(order[:3])[1:] - np.sort(order[:3])[:-1]) - {1}) > 0  # they lie apart
    QTest.keyClicks(typing.line, ")")
    QTest.keyClick(typing.line, Qt.Key.Key_Return)
    window.document.finish()
    found = book.crosstab.cells.get(free)[0]
    assert found == table.ratings[order[:3]].sum()
