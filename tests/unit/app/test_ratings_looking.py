"""Looking into a rating set: names, errors, map, and newcomers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from gradsheet.app.messages import Message
from gradsheet.app.ratings.choices import LearnChoice, ModelChoice
from gradsheet.app.ratings.embedding_edits import edit_row, write_learned
from gradsheet.app.ratings.item_names import ItemNames, year_of
from gradsheet.app.ratings.looking import Looking
from gradsheet.app.ratings.looks import error_look, lattice
from gradsheet.app.ratings.newcomer import parts_of, with_newcomer
from gradsheet.app.ratings.session import RatingsSession
from gradsheet.app.ratings.typing_in import TypingIn
from gradsheet.formula.values import UserError
from gradsheet.ratings.synthetic import synthetic_ratings
from gradsheet.ratings.table import RatingTable

TITLES = ("Alien (1979)", "Aliens (1986)", "Amélie (2001)", "Godfather, The (1972)", "Alienator")
COUNTS = np.array([50, 90, 30, 100, 1])
GENRES = ("Horror|Sci-Fi", "Sci-Fi", "Comedy", "", "(no genres listed)")


@pytest.fixture(scope="module")
def table() -> RatingTable:
    return synthetic_ratings(120, 60, 3_000, factors=3, noise=0.4, seed=1)[0]


@pytest.fixture
def session(table: RatingTable) -> Iterator[RatingsSession]:
    model = ModelChoice(factors=4, y_range=None)
    session = RatingsSession(table, "made", model=model, learn=LearnChoice("fast", passes=8))
    session.start()
    session.wait()
    session.wait()
    yield session
    session.close()


@pytest.fixture
def looking(session: RatingsSession) -> Iterator[Looking]:
    said: list[Message] = []
    looking = Looking(session, said.append)
    looking.want(frozenset({"errors", "ranking", "map"}))
    looking.finish()
    yield looking
    looking.close()
    assert not said


# ------------------------------------------------------------------ names


def test_search_needs_every_word_whatever_case_accent_and_order() -> None:
    names = ItemNames(TITLES, COUNTS)
    assert names.search("the GODFATHER") == [3]
    assert names.search("amelie") == [2]
    assert names.search("2001 Amé") == [2]
    assert names.search("godfather alien") == []
    assert names.search("  ") == []


def test_of_titles_found_the_more_rated_comes_first() -> None:
    names = ItemNames(TITLES, COUNTS)
    assert names.search("alien") == [1, 0, 4]
    assert names.search("alien", 2) == [1, 0]


def test_years_and_genres_are_read_from_the_names() -> None:
    names = ItemNames(TITLES, COUNTS, GENRES)
    assert names.years.tolist() == [1979, 1986, 2001, 1972, 0]
    assert year_of("2001: A Space Odyssey (1968)") == 1968
    assert names.genre_names == ("Comedy", "Horror", "Sci-Fi")
    assert names.has_genre("Sci-Fi").tolist() == [True, True, False, False, False]


# ------------------------------------------------------------------ what is shown


def test_errors_of_the_model_are_those_of_its_predictions(
    session: RatingsSession, looking: Looking
) -> None:
    assert session.split is not None
    assert session.learned is not None
    assert looking.look is not None
    assert looking.look.errors is not None
    valid = session.split.valid
    predicted = session.learned.predict(valid.users, valid.items)
    expected = float(np.sqrt(np.mean((predicted - valid.ratings) ** 2)))
    assert looking.look.errors.errors.rmse == pytest.approx(expected)
    assert int(looking.look.errors.cells.counts.sum()) == len(valid)
    assert sum(b.errors.count for b in looking.look.errors.popularity) == len(valid)


def test_a_sample_says_how_many_it_is_of(looking: Looking) -> None:
    assert looking.look is not None
    assert looking.facts is not None
    look = error_look(looking.look.learned, looking.facts, 100)
    assert (look.used, look.available) == (100, len(looking.facts.judged))
    assert int(look.cells.counts.sum()) == 100


def test_each_rating_that_is_a_step_has_a_row_of_hexagons() -> None:
    ratings = np.arange(0.5, 5.01, 0.5, dtype=np.float32)
    low, high, across = lattice(ratings)
    row = (high - low) / across * np.sqrt(3.0)
    steps = (ratings - low) / row
    assert steps == pytest.approx(np.round(steps))


def test_the_map_holds_only_items_with_enough_ratings(looking: Looking) -> None:
    assert looking.facts is not None
    looking.map_least = 30
    looking.finish()
    assert looking.look is not None
    assert looking.look.map is not None
    shown = looking.look.map.items
    assert (looking.facts.item_counts[shown] >= 30).all()
    assert np.count_nonzero(looking.facts.item_counts >= 30) == len(shown)


def test_axes_are_held_while_a_dot_is_dragged_and_found_anew_after(
    session: RatingsSession, looking: Looking
) -> None:
    assert looking.look is not None
    assert looking.look.map is not None
    before = looking.look.map.components
    code = int(looking.look.map.items[0])
    there = before.coordinates[0] + 2.0
    row = before.moved(looking.look.learned.item_rows[code], there)
    looking.hold_axes(True)
    write_learned(session, "items", [code] * len(row), range(len(row)), row)
    looking.finish()
    held = looking.look.map
    assert held is not None
    assert np.array_equal(held.components.axes, before.axes)
    assert held.components.coordinates[0] == pytest.approx(there, abs=1e-5)
    assert held.components.coordinates[1:] == pytest.approx(before.coordinates[1:], abs=1e-6)
    looking.hold_axes(False)
    looking.finish()
    assert looking.look.map is not None
    assert not np.array_equal(looking.look.map.components.axes, before.axes)


def test_views_out_of_sight_are_not_computed(session: RatingsSession) -> None:
    looking = Looking(session, print)
    looking.finish()
    assert looking.look is None
    looking.want(frozenset({"ranking"}))
    looking.finish()
    assert looking.look is not None
    assert looking.look.ranking is not None
    assert looking.look.map is None
    looking.close()


def test_a_live_model_is_looked_at_five_times_a_second_at_most(session: RatingsSession) -> None:
    now = [0.0]
    looking = Looking(session, print, lambda: now[0])
    looking.want(frozenset({"ranking"}))
    looking.finish()
    now[0] = 1.0
    edit_row(session, "items", 0, {0: 1.0})
    looking.poll()
    assert looking.is_busy
    while looking.is_busy:
        looking.poll()
    edit_row(session, "items", 0, {0: 2.0})
    now[0] = 1.19
    looking.poll()
    assert not looking.is_busy
    now[0] = 1.21
    looking.poll()
    assert looking.is_busy
    looking.close()


# ------------------------------------------------------------------ newcomers


def test_contributions_sum_to_the_prediction(session: RatingsSession, looking: Looking) -> None:
    typing = TypingIn(session, looking, print)
    typing.is_wanted = True
    typing.wish(at_least=0)
    for side in ("user", "item"):
        typing.set_side(side)
        for code, stars in ((3, 5.0), (10, 1.0), (7, 4.5)):
            typing.rate(code, stars)
        typing.finish()
        assert typing.answer is not None
        assert typing.answer.listed
        for found in typing.answer.listed:
            for most in (None, 2):
                total = sum(p.stars for p in parts_of(typing.answer, found, most))
                assert total == pytest.approx(found.prediction, abs=1e-6)
    typing.close()


def test_what_was_rated_is_hidden_only_if_wished(
    session: RatingsSession, looking: Looking
) -> None:
    typing = TypingIn(session, looking, print)
    typing.is_wanted = True
    typing.wish(at_least=0, count=60)
    typing.rate(3, 5.0)
    typing.finish()
    assert typing.answer is not None
    assert 3 not in [found.code for found in typing.answer.listed]
    typing.wish(hide_rated=False)
    typing.finish()
    assert 3 in [found.code for found in typing.answer.listed]
    typing.close()


def test_a_rating_stays_within_the_scale_and_can_be_taken_back(
    session: RatingsSession, looking: Looking
) -> None:
    typing = TypingIn(session, looking, print)
    typing.rate(3, 9.0)
    assert typing.typed == {3: 5.0}
    with pytest.raises(UserError):
        typing.rate(3, float("nan"))
    typing.take_back(3)
    assert typing.typed == {}
    with pytest.raises(UserError, match="Nothing is typed"):
        typing.retrain()


def test_the_way_by_steps_ends_where_the_closed_form_is(
    session: RatingsSession, looking: Looking
) -> None:
    typing = TypingIn(session, looking, print)
    typing.is_wanted = True
    for code, stars in ((3, 5.0), (10, 1.0), (7, 4.5)):
        typing.rate(code, stars)
    typing.finish()
    assert typing.answer is not None
    closed = typing.answer.row
    typing.wish(way="steps")
    typing.finish()
    assert len(typing.answer.losses) == 200
    assert typing.answer.row.factors == pytest.approx(closed.factors, abs=1e-3)
    typing.close()


def test_retraining_learns_the_newcomer_beside_the_open_model(
    session: RatingsSession, looking: Looking
) -> None:
    before = session.learned
    typing = TypingIn(session, looking, print)
    for code in range(0, 40, 2):
        typing.rate(code, 5.0 if code % 4 else 1.0)
    typing.retrain()
    typing.finish()
    assert typing.retrained is not None
    assert len(typing.retrained.predictions) == session.table.n_items
    assert typing.retrained.rmse < 2.0
    assert session.learned is before


def test_a_newcomer_is_the_last_user_or_item(table: RatingTable) -> None:
    more = with_newcomer(table, "user", {4: 5.0, 2: 1.0})
    assert (more.n_users, more.n_items) == (table.n_users + 1, table.n_items)
    assert more.users[-2:].tolist() == [table.n_users] * 2
    assert more.items[-2:].tolist() == [4, 2]
    item = with_newcomer(table, "item", {4: 5.0})
    assert (item.n_users, item.n_items) == (table.n_users, table.n_items + 1)
    assert item.users[-1] == 4
