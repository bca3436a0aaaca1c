"""Ratings added and removed by hand: table, split, sheets and learner follow, undo goes back."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from rating_documents import settle

from gradsheet.app.document import Document
from gradsheet.app.ratings import rating_edits
from gradsheet.app.ratings.choices import LearnChoice, ModelChoice
from gradsheet.app.ratings.pairs import busiest_pairs, pairs_of
from gradsheet.app.ratings.session import RatingsSession
from gradsheet.app.ratings.workbook import RATING, OtherPairs
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import UserError
from gradsheet.ratings.synthetic import synthetic_ratings
from gradsheet.sheet.edits import ClearCells, Composite, DeleteRows
from gradsheet.sheet.virtual import ShowRows

MODEL = ModelChoice(kind="bias", factors=4, y_range=None)
WAYS = {"lesson": LearnChoice(epochs=1), "fast": LearnChoice(mode="fast", passes=4)}
Open = Callable[..., Document]


@pytest.fixture
def opened(show_ratings: Callable[[RatingsSession], Document]) -> Open:
    def build(learn: LearnChoice = WAYS["lesson"]) -> Document:
        table = synthetic_ratings(40, 30, 500, factors=2, seed=1)[0]
        return show_ratings(RatingsSession(table, "made up", model=MODEL, learn=learn))

    return build


def learn(document: Document) -> None:
    document.start_run()
    settle(document)


def triples(session: RatingsSession) -> list[tuple[int, int, float]]:
    table = session.table
    columns = (table.users, table.items, table.ratings)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def check_whole(document: Document) -> None:
    """Split, counts, crosstab and tables tell the same as the table."""
    session, book = document.ratings, document.ratings_book
    table, split = session.table, session.split
    assert split.held is not None
    for part, chosen in ((split.train, ~split.held), (split.valid, split.held)):
        assert part.ratings.tolist() == table.ratings[chosen].tolist()
        assert part.users.tolist() == table.users[chosen].tolist()
    assert session.counts("items").tolist() == table.item_counts().tolist()
    fresh = pairs_of(table, book.pairs.users, book.pairs.items)
    assert np.array_equal(book.pairs.ratings, fresh.ratings, equal_nan=True)
    values, kinds = book.crosstab.cells.read(book.shape.ratings)
    assert np.array_equal(np.where(kinds > 0, values, np.nan), fresh.ratings, equal_nan=True)
    assert book.ratings_store.count == len(table)
    shown = book.ratings.cells.read(Region(1, RATING, 1 + len(table), RATING + 1))[0]
    if book.ratings_store.order is None:
        assert shown.ravel().tolist() == table.ratings.tolist()
    assert book.predictions.cells.count == len(split.valid)
    assert session.learner.split is split


@pytest.mark.parametrize("way", list(WAYS))
def test_a_number_typed_where_there_is_no_rating_adds_one_and_undo_takes_it(
    opened: Open, way: str
) -> None:
    document = opened(WAYS[way])
    learn(document)
    session, book = document.ratings, document.ratings_book
    before, learned = triples(session), session.learned.item_rows.copy()
    i, j = map(int, np.argwhere(book.pairs.rows < 0)[0])
    pair = int(book.pairs.users[i]), int(book.pairs.items[j])
    document.enter(book.crosstab.id, Cell(1 + i, book.shape.first_item + j), "4.5")
    settle(document)
    assert triples(session) == [*before, (*pair, 4.5)]
    assert not session.split.held[-1]
    assert np.array_equal(session.learned.item_rows, learned)
    assert document.history.undo_label == "Type into " + str(Cell(1 + i, book.shape.first_item + j))
    check_whole(document)
    done = session.steps_done
    session.continue_(1)
    settle(document)
    assert session.state == "done"
    assert session.steps_done > done
    assert not np.array_equal(session.learned.item_rows, learned)
    document.undo()
    document.undo()
    settle(document)
    assert triples(session) == before
    assert np.array_equal(session.learned.item_rows, learned)
    check_whole(document)
    document.redo()
    assert triples(session)[-1] == (*pair, 4.5)
    settle(document)


@pytest.mark.parametrize("way", list(WAYS))
def test_cleared_ratings_are_removed_wherever_the_table_shows_them(opened: Open, way: str) -> None:
    document = opened(WAYS[way])
    learn(document)
    session, book = document.ratings, document.ratings_book
    before = triples(session)
    order = np.argsort(-session.table.ratings, kind="stable")
    document.apply(ShowRows(book.ratings.id, order, "Sort"))
    document.apply(ClearCells(book.ratings.id, Region(2, RATING, 4, RATING + 1)))
    gone = {int(row) for row in order[1:3]}
    left = [triple for row, triple in enumerate(before) if row not in gone]
    assert triples(session) == left
    assert document.history.undo_label == "Remove 2 ratings"
    kept = [int(row) for row in order if row not in gone]
    shown = [left[k] for k in book.ratings_store.order.tolist()]
    assert shown == [before[row] for row in kept]
    settle(document)
    check_whole(document)
    document.apply(Composite((DeleteRows(book.ratings.id, 1, 1),)), "Delete row")
    assert len(triples(session)) == 497
    session.continue_(1)
    settle(document)
    for _ in range(3):
        document.undo()
    settle(document)
    assert triples(session) == before
    assert book.ratings_store.order.tolist() == order.tolist()
    check_whole(document)


def test_delete_in_the_crosstab_removes_ratings_but_no_embedding(opened: Open) -> None:
    document = opened()
    session, book = document.ratings, document.ratings_book
    count = len(triples(session))
    rated = int(np.count_nonzero(book.pairs.rows >= 0))
    document.apply(ClearCells(book.crosstab.id, book.shape.ratings))
    settle(document)
    assert len(triples(session)) == count - rated
    assert (book.pairs.rows < 0).all()
    check_whole(document)
    with pytest.raises(UserError, match="cannot be cleared"):
        document.apply(ClearCells(book.crosstab.id, book.shape.item_block))
    with pytest.raises(UserError, match="no rating in these cells"):
        document.apply(ClearCells(book.crosstab.id, book.shape.ratings))
    document.undo()
    assert len(triples(session)) == count
    settle(document)


def test_a_kept_model_goes_on_with_the_ratings_there_are_now(opened: Open) -> None:
    document = opened()
    learn(document)
    session, book = document.ratings, document.ratings_book
    session.kept.keep("first")
    document.apply(rating_edits.removed(book, [0, 1, 2]))
    settle(document)
    session.set_model(ModelChoice(kind="dot", factors=3))
    settle(document)
    session.kept.go_back_to(0)
    settle(document)
    check_whole(document)
    session.continue_(1)
    settle(document)
    assert session.state == "done"
    assert len(session.table) == 497


def test_what_cannot_be_added_says_why(opened: Open) -> None:
    document = opened()
    session, book = document.ratings, document.ratings_book
    user, item, _ = triples(session)[0]
    with pytest.raises(UserError, match="has rated this item"):
        rating_edits.added(book, user, item, 3.0)
    with pytest.raises(UserError, match="A rating is a number"):
        rating_edits.added(book, user, item, float("nan"))
    with pytest.raises(UserError, match="No rating would be left"):
        rating_edits.removed(book, range(500))
    rows = np.flatnonzero(~session.split.held)
    with pytest.raises(UserError, match="left to learn from"):
        rating_edits.removed(book, rows)
    assert len(session.table) == 500


def test_another_crosstab_and_a_removed_rating_are_undone_in_order(opened: Open) -> None:
    document = opened()
    session, book = document.ratings, document.ratings_book
    document.apply(OtherPairs(book, busiest_pairs(session.table, session.totals, 3, 4)))
    document.apply(rating_edits.removed(book, [5]))
    assert book.pairs.ratings.shape == (3, 4)
    for _ in range(2):
        document.undo()
    assert book.pairs.ratings.shape == (6, 5)
    settle(document)
    check_whole(document)
