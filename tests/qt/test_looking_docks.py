"""Looking into a rating set in the window: linked views, a dragged dot, typing oneself in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from gradsheet.app.ratings.choices import LearnChoice, ModelChoice
from gradsheet.app.ratings.pairs import busiest_pairs
from gradsheet.app.ratings.session import RatingsSession
from gradsheet.app.ratings.workbook import RatingsBook
from gradsheet.formula.address import Cell
from gradsheet.ratings.synthetic import synthetic_ratings

TABLE = synthetic_ratings(80, 50, 1_600, factors=3, noise=0.4, seed=1)[0]
MODEL = ModelChoice(factors=4, y_range=None)
LEARN = LearnChoice("fast", passes=6)


@pytest.fixture
def opened(window: Any, qtbot: Any) -> Any:
    """The window on a rating set of which nothing is learned yet."""
    session = RatingsSession(TABLE, "made up", model=MODEL, learn=LEARN)
    window.document.open_ratings(RatingsBook(session, busiest_pairs(TABLE, session.totals, 6, 5)))
    qtbot.waitUntil(lambda: session.state == "idle" and session.split is not None, timeout=30_000)
    return window


@pytest.fixture
def learned(opened: Any, qtbot: Any) -> Any:
    """The window on a rating set that is learned."""
    session = opened.document.ratings
    session.start()
    qtbot.waitUntil(lambda: session.state == "done", timeout=30_000)
    return opened


def show(window: Any, qtbot: Any, name: str) -> Any:
    """Open a dock by its command and wait for what it shows."""
    window.actions_by_id.by_id[f"view.{name}"].trigger()
    panel = window.looking_docks.panels[name]
    if hasattr(panel, "pages"):
        qtbot.waitUntil(lambda: not panel.pages.is_empty, timeout=20_000)
    return panel


def test_an_empty_panel_says_what_will_appear_and_how(opened: Any, qtbot: Any) -> None:
    for name in ("ranking", "map"):
        opened.actions_by_id.by_id[f"view.{name}"].trigger()
        panel = opened.looking_docks.panels[name]
        assert panel.pages.is_empty
        assert "will appear here" in panel.pages.empty.text
        assert "F5" in panel.pages.empty.text


def test_the_model_stands_beside_the_baselines_and_figures_are_tables_too(
    learned: Any, qtbot: Any
) -> None:
    panel = show(learned, qtbot, "predictions")
    names = panel.baselines.columns()[0].values
    assert "global mean" in names
    assert names[-1] == "this model"
    view = panel.views["hexbin"]
    qtbot.mouseClick(view.switch, Qt.MouseButton.LeftButton)
    counts = view.table.columns_model.columns[2].values
    session = learned.document.ratings
    assert int(np.sum(counts)) == len(session.split.valid)


def test_a_click_on_the_map_selects_in_ranking_and_grid(learned: Any, qtbot: Any) -> None:
    ranking, panel = show(learned, qtbot, "ranking"), show(learned, qtbot, "map")
    book = learned.document.ratings_book
    learned.grid.go_to_sheet(book.items.id)
    canvas = panel.canvas
    code = int(canvas.items[0])
    code = canvas.dot_at(canvas.place_of(code))
    qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=canvas.place_of(code).toPoint())
    assert learned.document.ratings.selection.items == (code,)
    assert learned.grid.current.row == code + 1
    items = ranking._ranking.items
    assert [int(items[row]) for row in ranking.table.selected()] == [code]


def test_a_row_of_the_grid_lights_up_on_the_map(learned: Any, qtbot: Any) -> None:
    panel = show(learned, qtbot, "map")
    book = learned.document.ratings_book
    learned.grid.go_to_sheet(book.items.id)
    code = int(panel.canvas.items[3])
    learned.grid.select(Cell(code + 1, 2))
    assert panel.canvas.selected == (code,)
    learned.grid.go_to_sheet(book.crosstab.id)
    learned.grid.select(Cell(2, book.shape.first_item + 1))
    assert learned.document.ratings.selection.items == (int(book.pairs.items[1]),)


def test_a_dragged_dot_moves_its_embedding_and_undo_brings_it_back(
    learned: Any, qtbot: Any
) -> None:
    panel = show(learned, qtbot, "map")
    session, canvas = learned.document.ratings, panel.canvas
    code = canvas.dot_at(canvas.place_of(int(canvas.items[0])))
    before = session.learned.item_rows[code].copy()
    place = canvas.place_of(code).toPoint()
    qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=place)
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=place)
    there = place + QPoint(25, -15)
    wanted = canvas.view.to_plane(there.x() - canvas._left(), there.y())
    qtbot.mouseMove(canvas, there)
    assert not np.array_equal(session.learned.item_rows[code], before)
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=there)
    after = session.learned.item_rows[code]
    parts = learned.looking_docks.looking.look.map.components
    moved = (after - before).astype(np.float64) @ parts.axes.T
    shift = np.array(wanted) - parts.coordinates[list(canvas.items).index(code), :2]
    assert np.linalg.norm(moved[:2]) > 0
    assert np.abs(moved[2:]).max() < 1e-4, "what the map does not show stays"
    assert np.abs(shift).max() < 1e-3
    assert learned.document.history.can_undo
    learned.document.undo()
    assert session.learned.item_rows[code] == pytest.approx(before)


def test_keys_go_from_name_to_name_and_nudge(learned: Any, qtbot: Any) -> None:
    panel = show(learned, qtbot, "map")
    canvas, session = panel.canvas, learned.document.ratings
    canvas.grab()
    qtbot.keyClick(canvas, Qt.Key.Key_Right)
    assert len(canvas.selected) == 1
    code = canvas.selected[0]
    before = session.learned.item_rows[code].copy()
    qtbot.keyClick(canvas, Qt.Key.Key_Left, Qt.KeyboardModifier.ControlModifier)
    assert not np.array_equal(session.learned.item_rows[code], before)
    qtbot.keyClick(canvas, Qt.Key.Key_Escape)
    assert canvas.selected == ()


def test_names_on_the_map_do_not_lie_over_one_another(learned: Any, qtbot: Any) -> None:
    from gradsheet.qt.ratings.map_labels import LabelRoom, place_labels

    random = np.random.default_rng(0)
    dots = [(k, *random.uniform(0, 400, 2), 60.0) for k in range(300)]
    placed = place_labels(LabelRoom(400, 400), dots, 14, 5, 300)
    assert len(placed) > 20
    for a in placed:
        for b in placed:
            if a is not b:
                assert abs(a.x - b.x) >= 60 or abs(a.y - b.y) >= 14


def test_ranking_sorts_by_mean_and_searches(learned: Any, qtbot: Any) -> None:
    panel = show(learned, qtbot, "ranking")
    panel.table.sort_by(2)
    rows = panel.table.columns_model.rows
    means = panel._ranking.means[rows]
    assert (np.diff(means) <= 0).all()
    title = panel._names.titles[int(panel._ranking.items[0])]
    panel.search.setFocus()
    qtbot.keyClicks(panel.search, title)
    assert title in [
        panel.table.columns_model.columns[0].values[row] for row in panel.table.columns_model.rows
    ]


def test_typing_oneself_in_from_the_keyboard_gives_parts_that_sum(
    learned: Any, qtbot: Any
) -> None:
    panel = show(learned, qtbot, "type_in")
    typing = learned.looking_docks.typing
    typing.wish(at_least=0)
    qtbot.waitUntil(lambda: panel.names is not None, timeout=20_000)
    panel.search.setFocus()
    qtbot.keyClicks(panel.search, "12")
    qtbot.keyClick(panel.search, Qt.Key.Key_Return)
    assert len(typing.typed) == 1
    qtbot.keyClick(panel.typed, Qt.Key.Key_1)
    qtbot.keyClicks(panel.typed, ".5")
    assert list(typing.typed.values()) == [1.5]
    qtbot.keyClick(panel.typed, Qt.Key.Key_Right)
    assert list(typing.typed.values()) == [2.0]
    qtbot.waitUntil(lambda: typing.answer is not None and not typing.is_busy, timeout=20_000)
    stars = panel.waterfall.columns()[2].values
    first = typing.answer.listed[0]
    assert float(np.sum(stars)) == pytest.approx(first.prediction, abs=1e-6)
    qtbot.keyClick(panel.typed, Qt.Key.Key_Delete)
    assert typing.typed == {}


def test_opening_a_panel_leaves_the_selection_and_covers_no_other(
    learned: Any, qtbot: Any
) -> None:
    learned.ratings_docks.show("training")
    before = learned.grid.selection
    for name in ("predictions", "ranking", "map"):
        show(learned, qtbot, name)
        assert learned.grid.selection == before
    others = learned.tabifiedDockWidgets(learned.looking_docks.docks["map"])
    assert learned.ratings_docks.docks["training"] in others
    assert learned.looking_docks.docks["ranking"] in others


def test_the_genres_of_a_movies_file_colour_the_map_and_feed_the_net(
    window: Any, qtbot: Any, tmp_path: Path
) -> None:
    titles = [f"{i},Film {i} ({1950 + i}),{'Drama' if i % 2 else 'Comedy'}" for i in range(1, 51)]
    (tmp_path / "movies.csv").write_text("\n".join(["movieId,title,genres", *titles]), "utf-8")
    rows = zip(TABLE.users.tolist(), TABLE.items.tolist(), TABLE.ratings.tolist(), strict=True)
    lines = [f"{u + 1},{i + 1},{r}" for u, i, r in rows]
    path = tmp_path / "ratings.csv"
    path.write_text("\n".join(["userId,movieId,rating", *lines]), "utf-8")
    window.open_ratings(path, ask=False)
    qtbot.waitUntil(lambda: window.document.ratings is not None, timeout=30_000)
    session = window.document.ratings
    qtbot.waitUntil(lambda: session.state == "idle" and session.split is not None, timeout=30_000)
    assert window.ratings_docks.facts().has_genres
    session.set_choices(
        ModelChoice("net", user_factors=3, item_factors=3, hidden=(4,), dropouts=(0.0,) * 2,
                    genres=True),
        LearnChoice(epochs=1),
    )  # fmt: skip
    session.start()
    qtbot.waitUntil(lambda: session.state == "done", timeout=30_000)
    assert session.learned.net.weights[0].shape == (4, 3 + 3 + 2)
    panel = show(window, qtbot, "map")
    choices = [panel.colour.itemText(k) for k in range(panel.colour.count())]
    assert [*choices[:2], *choices[-2:]] == ["Ratings", "Year", "Comedy", "Drama"]
    seen = set()
    for name in ("Ratings", "Year", "Drama"):
        panel.colour.setCurrentIndex(choices.index(name))
        panel.colour.activated.emit(panel.colour.currentIndex())
        seen.add(panel.canvas._colours.tobytes())
        assert len(np.unique(panel.canvas._colours)) > 1
    assert len(seen) == 3
    item = session.table.item_title(0)
    assert session.genres[0] == ("Drama" if int(item.split()[1]) % 2 else "Comedy")
