"""The workbook of a rating set: live formulas, edits and their undo, runs as one step."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from rating_documents import settle

from gradsheet.app.commands import COMMANDS
from gradsheet.app.document import Document
from gradsheet.app.ratings.choices import LearnChoice, ModelChoice
from gradsheet.app.ratings.laid_out import laid_out as whole
from gradsheet.app.ratings.pairs import pairs_of
from gradsheet.app.ratings.session import RatingsSession
from gradsheet.app.ratings.workbook import RATING, OtherPairs
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import Kind, UserError
from gradsheet.lessons.lesson import crosstab_of
from gradsheet.ratings.synthetic import synthetic_ratings
from gradsheet.sheet.edits import ClearCells, SetCells, SetValues
from gradsheet.sheet.virtual import ShowRows
from gradsheet.tasks import Task

LESSON, FAST = LearnChoice(epochs=1), LearnChoice(mode="fast", passes=4)
BIAS = ModelChoice(kind="bias", factors=7, y_range=(0.0, 5.5))
WAYS = {
    "dot": (ModelChoice(kind="dot", factors=3), LESSON),
    "bias with a sigmoid": (BIAS, LESSON),
    "bias": (ModelChoice(kind="bias", factors=6, y_range=None), LESSON),
    "net": (ModelChoice(kind="net", user_factors=3, item_factors=4), LESSON),
    "fast": (BIAS, FAST),
}

Open = Callable[..., Document]


@pytest.fixture
def opened(show_ratings: Callable[[RatingsSession], Document]) -> Open:
    def build(model: ModelChoice = BIAS, learn: LearnChoice = LESSON) -> Document:
        table = synthetic_ratings(40, 30, 500, factors=2, seed=1)[0]
        return show_ratings(RatingsSession(table, "made up", model=model, learn=learn))

    return build


def numbers(document: Document, sheet, region: Region) -> np.ndarray:
    values, kinds = document.workbook.sheet(sheet.id).cells.read(region)
    return np.where(kinds == Kind.NUMBER, values, np.nan)


def learn(document: Document) -> None:
    document.start_run()
    settle(document)


@pytest.mark.parametrize("way", list(WAYS))
def test_formulas_give_the_models_own_predictions(opened: Open, way: str) -> None:
    document = opened(*WAYS[way])
    learn(document)
    book, session = document.ratings_book, document.ratings
    users, items = book.pairs.users, book.pairs.items
    expected = session.learned.predict(np.repeat(users, 5), np.tile(items, 6)).reshape(6, 5)
    shape = book.shape
    assert book.crosstab.cells.formula(shape.predictions.first) is not None
    # Whatever a run has shown, the engine's own numbers must be the same.
    book.crosstab.cells.write(shape.predictions, 0.0)
    document.follow(book.lay_out_anew())
    book.crosstab.cells.write(shape.predictions, -1.0)
    document.engine.submit(
        document.calculation.everything, document.write, lambda e: None, "a test"
    )
    settle(document)
    assert numbers(document, book.crosstab, shape.predictions) == pytest.approx(expected, abs=1e-9)
    actual = numbers(document, book.crosstab, shape.ratings)
    rmse = np.sqrt(np.nanmean((actual - expected) ** 2))
    assert document.loss_now() == pytest.approx(rmse)


def test_an_edit_on_users_changes_the_model_and_undo_takes_it_back(opened: Open) -> None:
    document = opened()
    learn(document)
    book, session = document.ratings_book, document.ratings
    user, item = int(book.pairs.users[2]), int(book.pairs.items[1])
    place = Region.of(Cell(book.shape.predictions.top + 2, book.shape.first_item + 1))
    before = session.learned
    was = numbers(document, book.crosstab, place)[0, 0]
    document.enter(book.users.id, Cell(user + 1, 3), "2")
    settle(document)
    assert session.learned.user_bias[user] == 2.0
    assert session.learned.predict([user], [item])[0] > was
    assert numbers(document, book.crosstab, place)[0, 0] == pytest.approx(
        session.learned.predict([user], [item])[0]
    )
    document.undo()
    settle(document)
    assert np.array_equal(session.learned.user_bias, before.user_bias)
    assert numbers(document, book.crosstab, place)[0, 0] == pytest.approx(was, abs=1e-12)


def test_a_number_typed_over_an_embedding_in_the_crosstab_is_the_models(opened: Open) -> None:
    document = opened()
    book, session = document.ratings_book, document.ratings
    cell = Cell(book.shape.item_block.top + 2, book.shape.first_item + 3)
    document.enter(book.crosstab.id, cell, "0.5")
    settle(document)
    assert session.learned.item_rows[book.pairs.items[3], 1] == 0.5
    assert book.crosstab.cells.formula(cell) is not None
    assert book.crosstab.cells.get(cell)[0] == 0.5


def test_a_rating_typed_into_the_crosstab_changes_table_and_split(opened: Open) -> None:
    document = opened()
    book, session = document.ratings_book, document.ratings
    i, j = map(int, np.argwhere(book.pairs.rows >= 0)[0])
    row = int(book.pairs.rows[i, j])
    old = float(session.table.ratings[row])
    mean = session.means("users", np.array([book.pairs.users[i]]))[0]
    cell = Cell(1 + i, book.shape.first_item + j)
    document.enter(book.crosstab.id, cell, "1.5")
    settle(document)
    split = session.split
    assert session.table.ratings[row] == 1.5
    learned_from = np.concatenate([split.train.ratings, split.valid.ratings])
    assert np.sort(learned_from).tolist() == np.sort(session.table.ratings).tolist()
    assert split.valid.ratings.tolist() == session.table.ratings[split.held].tolist()
    assert book.crosstab.cells.get(cell)[0] == 1.5
    assert session.means("users", np.array([book.pairs.users[i]]))[0] != mean
    document.undo()
    settle(document)
    assert session.table.ratings[row] == old
    assert book.crosstab.cells.get(cell)[0] == old
    assert session.means("users", np.array([book.pairs.users[i]]))[0] == pytest.approx(mean)


def test_a_rating_edited_in_a_sorted_table_is_undone_in_any_order(opened: Open) -> None:
    document = opened()
    book, session = document.ratings_book, document.ratings
    order = np.argsort(-session.table.ratings, kind="stable")
    document.apply(ShowRows(book.ratings.id, order, "Sort"))
    old = session.table.ratings.copy()
    document.enter(book.ratings.id, Cell(1, RATING), "0.5")
    assert session.table.ratings[order[0]] == 0.5
    document.apply(ShowRows(book.ratings.id, None, "Show all"))
    for _ in range(3):
        document.undo()
    assert session.table.ratings.tolist() == old.tolist()
    settle(document)


def test_sorting_and_filtering_a_table_change_no_formula(opened: Open) -> None:
    document = opened()
    learn(document)
    book = document.ratings_book
    document.enter(book.crosstab.id, Cell(0, 200), "=SUM(Items!C:C)")
    settle(document)
    before = numbers(document, book.crosstab, Region(0, 0, 40, 201))
    assert before[0, 200] == 500
    document.apply(ShowRows(book.items.id, np.arange(30)[::-1], "Sort"))
    document.apply(ShowRows(book.users.id, np.array([3, 1]), "Filter"))
    document.engine.submit(
        document.calculation.everything, document.write, lambda e: None, "a test"
    )
    settle(document)
    after = numbers(document, book.crosstab, Region(0, 0, 40, 201))
    assert np.array_equal(after, before, equal_nan=True)
    assert book.users.cells.source_row(1) == 4
    assert book.users.cells.used().bottom == 3


@pytest.mark.parametrize("kind", ["bias", "dot"])
def test_opened_as_a_lesson_its_busiest_users_and_items_learn_in_formulas(
    opened: Open, kind: str
) -> None:
    document = opened(WAYS[kind][0])
    table, session = document.ratings.table, document.ratings
    busiest = crosstab_of(table, "made up", 6, 5)
    COMMANDS["lesson.of_ratings"].run(document)
    document.finish(60)
    assert not COMMANDS["lesson.of_ratings"].is_enabled(document)
    assert document.ratings is None
    assert session.task is None
    assert document.lesson.id == {"bias": "bias", "dot": "dotprod"}[kind]
    assert np.array_equal(document.data.ratings, busiest.ratings, equal_nan=True)
    assert replace(document.data, ratings=None) == replace(busiest, ratings=None)
    before = document.loss_now()
    document.step_run(5)
    document.finish(60)
    assert document.loss_now() < before


def test_a_run_is_one_undo_step_and_comes_back_bit_for_bit(opened: Open) -> None:
    document = opened()
    start = document.ratings.learned
    learn(document)
    end = document.ratings.learned
    assert document.history.labels == ("Training run",)
    document.undo()
    settle(document)
    assert np.array_equal(document.ratings.learned.user_rows, start.user_rows)
    document.redo()
    settle(document)
    assert np.array_equal(document.ratings.learned.user_rows, end.user_rows)
    assert document.run.step == document.ratings.steps_done > 0


def test_steps_one_after_another_are_one_undo_step(opened: Open) -> None:
    document = opened()
    for _ in range(3):
        document.step_run()
        settle(document)
    assert document.run.step == 3
    document.undo()
    settle(document)
    assert document.run.step == 0


def test_another_model_lays_the_sheets_out_anew_and_undo_brings_them_back(opened: Open) -> None:
    document = opened()
    learn(document)
    book = document.ratings_book
    shape = book.shape
    width = book.items.cells.used().cols
    document.ratings.set_model(ModelChoice(kind="dot", factors=3))
    settle(document)
    assert book.items.cells.used().cols == width - 4
    assert not book.shape.has_bias
    document.undo()
    settle(document)
    assert book.shape == shape
    users, items = book.pairs.users, book.pairs.items
    expected = document.ratings.learned.predict(users[:1], items[:1])[0]
    assert book.crosstab.cells.get(shape.predictions.first)[0] == pytest.approx(expected)


def test_other_users_and_items_can_be_chosen_and_taken_back(opened: Open) -> None:
    document = opened()
    book, table = document.ratings_book, document.ratings.table
    before = book.pairs
    document.apply(OtherPairs(book, pairs_of(table, [3, 5], [0, 7, 9])))
    settle(document)
    assert (book.shape.users, book.shape.items) == (2, 3)
    expected = document.ratings.learned.predict([5], [9])[0]
    cell = Cell(book.shape.predictions.bottom - 1, book.shape.predictions.right - 1)
    assert book.crosstab.cells.get(cell)[0] == pytest.approx(expected)
    document.undo()
    settle(document)
    assert book.pairs is before


def test_a_crosstab_laid_out_in_a_thread_is_the_one_laid_out_at_once(opened: Open) -> None:
    document = opened()
    book, table = document.ratings_book, document.ratings.table
    pairs = pairs_of(table, [3, 5, 8], [0, 7, 9])
    laid = Task("laying out", lambda control: book.laying_out(control, pairs)).start()
    laid.join()
    document.apply(OtherPairs(book, pairs))
    settle(document)
    at_once = book.crosstab.cells
    document.undo()
    document.apply(OtherPairs(book, pairs, laid.result()))
    settle(document)
    assert book.crosstab.cells is laid.result().cells
    assert book.crosstab.cells.formulas() == at_once.formulas()
    for mine, others in zip(
        book.crosstab.cells.read(at_once.used()), at_once.read(at_once.used()), strict=True
    ):
        assert mine.tolist() == others.tolist()


def test_what_was_laid_out_for_another_model_is_laid_out_anew(opened: Open) -> None:
    document = opened()
    book, table = document.ratings_book, document.ratings.table
    pairs = pairs_of(table, [3, 5], [0, 7])
    laid = Task("laying out", lambda control: book.laying_out(control, pairs)).start()
    laid.join()
    document.ratings.set_model(replace(BIAS, factors=3))
    settle(document)
    document.apply(OtherPairs(book, pairs, laid.result()))
    settle(document)
    assert book.shape.user_factors == 3
    assert book.crosstab.cells is not laid.result().cells


def test_undo_takes_the_cells_that_there_were(opened: Open) -> None:
    document = opened()
    book, table = document.ratings_book, document.ratings.table
    before = book.crosstab.cells
    document.apply(OtherPairs(book, pairs_of(table, [3, 5], [0, 7, 9])))
    other = book.crosstab.cells
    document.undo()
    assert book.crosstab.cells is before
    document.redo()
    assert book.crosstab.cells is other


@pytest.mark.parametrize("way", ["bias", "net", "fast"])
def test_a_large_crosstab_is_laid_out_on_the_engines_thread(
    opened: Open, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gradsheet.app.ratings.laid_out.AT_ONCE", 1)
    threads = []

    def laid_out(*arguments: Any) -> Any:
        threads.append(threading.current_thread())
        return whole(*arguments)

    monkeypatch.setattr("gradsheet.app.ratings.workbook.laid_out", laid_out)
    document = opened()
    book, (model, learn) = document.ratings_book, WAYS[way]
    threads.clear()
    document.ratings.set_choices(model, learn)
    settle(document)
    assert book.fits()
    assert threads
    assert threading.main_thread() not in threads
    expected = document.ratings.learned.predict(book.pairs.users[:1], book.pairs.items[:1])[0]
    first = book.shape.predictions.first
    assert book.crosstab.cells.get(first)[0] == pytest.approx(expected, abs=1e-5)


def test_what_a_table_cannot_take_is_refused_in_words(opened: Open) -> None:
    document = opened()
    book = document.ratings_book
    old = document.ratings.table.ratings.copy()
    blank = np.argwhere(book.pairs.rows < 0)[0]
    for edit, words in (
        (SetCells(book.ratings.id, ((Cell(2, RATING), "good"),)), "number"),
        (SetCells(book.ratings.id, ((Cell(2, 2), "Title"),)), "title"),
        (SetCells(book.ratings.id, ((Cell(0, 0), 1.0),)), "header"),
        (SetCells(book.ratings.id, ((Cell(900, RATING), 1.0),)), "ends before"),
        (ClearCells(book.ratings.id, Region(1, 2, 4, RATING)), "title"),
        (ClearCells(book.ratings.id, Region(1, RATING, 501, RATING + 1)), "would be left"),
        (SetValues(book.users.id, Region(1, 2, 3, 5), 1.0), "mean"),
        (SetCells(book.crosstab.id, ((Cell(1 + blank[0], book.shape.first_item + blank[1]),
                                      None),)), "no rating"),
    ):  # fmt: skip
        with pytest.raises(UserError, match=words):
            document.apply(edit)
    with pytest.raises(UserError, match="formulas"):
        document.enter(book.ratings.id, Cell(2, RATING), "=1+1")
    assert document.ratings.table.ratings.tolist() == old.tolist()
    assert not document.history.can_undo
    settle(document)


def test_a_formula_of_ones_own_reads_the_learned_tables(opened: Open) -> None:
    document = opened()
    book = document.ratings_book
    cell = Cell(40, 0)
    document.enter(book.crosstab.id, cell, "=SUM(Items!E2:E31)")
    learn(document)
    document.enter(book.crosstab.id, Cell(41, 0), "1")
    settle(document)
    total = float(document.ratings.learned.item_bias.astype(np.float64).sum())
    assert book.crosstab.cells.get(cell)[0] == pytest.approx(total)
