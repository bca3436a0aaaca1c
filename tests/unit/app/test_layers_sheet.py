"""A net as a sheet of layers: its formulas give the model's own predictions, and follow it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from rating_documents import settle

from gradsheet.app.document import Document
from gradsheet.app.ratings.choices import LearnChoice, ModelChoice
from gradsheet.app.ratings.layers_sheet import Layout, NetShape
from gradsheet.app.ratings.pairs import busiest_pairs
from gradsheet.app.ratings.session import RatingsSession
from gradsheet.app.ratings.workbook import FIRST, OtherPairs
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import UserError
from gradsheet.ratings.synthetic import synthetic_ratings
from gradsheet.sheet.edits import RenameSheet

NET = ModelChoice(kind="net", user_factors=3, item_factors=4, hidden=(6, 5), dropouts=(0.1,) * 3,
                  y_range=(0.0, 5.5), genres=True, time=True)  # fmt: skip
TABLE = synthetic_ratings(40, 30, 500, factors=2, seed=1)[0]
Open = Callable[..., Document]


@pytest.fixture
def opened(show_ratings: Callable[[RatingsSession], Document]) -> Open:
    def build(model: ModelChoice = NET) -> Document:
        times = np.random.default_rng(0).integers(0, 10**9, 500)
        genres = ["Comedy" if k % 2 else "Drama|War" for k in range(30)]
        session = RatingsSession(replace(TABLE, timestamps=times), "made up", genres, model=model,
                                 learn=LearnChoice(epochs=1))  # fmt: skip
        return show_ratings(session)

    return build


def of_the_model(document: Document) -> np.ndarray:
    """Return the crosstab's predictions by the torch model itself, at an average moment."""
    session, pairs = document.ratings, document.ratings_book.pairs
    model = session.learner.fit.model.eval()
    users = torch.from_numpy(np.repeat(pairs.users, len(pairs.items)))
    items = torch.from_numpy(np.tile(pairs.items, len(pairs.users)))
    times = torch.zeros(len(users), model.n_times) if model.n_times else None
    with torch.no_grad():
        found = model(users, items, times) if times is not None else model(users, items)
    return found.numpy().reshape(len(pairs.users), len(pairs.items))


def recalculated(document: Document) -> np.ndarray:
    """Return the crosstab's predictions by formulas alone."""
    book = document.ratings_book
    for sheet, region in (
        (book.crosstab, book.shape.predictions), (book.layers, book.shape.layers.predictions),
        *((book.layers, layer) for layer in book.shape.layers.layers),
    ):  # fmt: skip
        sheet.cells.write(region, -9.0)
    document.engine.submit(
        document.calculation.everything, document.write, lambda e: None, "a test"
    )
    settle(document)
    return book.crosstab.cells.read(book.shape.predictions)[0]


@pytest.mark.parametrize(
    "model",
    [
        NET,
        replace(NET, hidden=(8,), dropouts=(0.0,) * 2, genres=False, time=False, y_range=None),
    ],
    ids=["two layers, genres, times, sigmoid", "one layer"],
)
def test_the_formulas_of_the_layers_give_the_models_predictions(
    opened: Open, model: ModelChoice
) -> None:
    document = opened(model)
    document.start_run()
    settle(document)
    book = document.ratings_book
    assert book.crosstab.cells.formula(book.shape.predictions.first) is not None
    shown = book.crosstab.cells.read(book.shape.predictions)[0]
    assert recalculated(document) == pytest.approx(of_the_model(document), abs=1e-5)
    assert shown == pytest.approx(of_the_model(document), abs=1e-5)
    hidden = book.shape.layers.layers[0]
    assert book.layers.cells.formula(hidden.first) is not None
    assert (book.layers.cells.read(hidden)[0] >= 0).all()


def test_an_embedding_edited_on_items_goes_through_the_layers(opened: Open) -> None:
    document = opened()
    document.start_run()
    settle(document)
    book = document.ratings_book
    was = recalculated(document)
    item = int(book.pairs.items[2])
    document.enter(book.items.id, Cell(item + 1, FIRST["items"] + 1), "3")
    settle(document)
    now = book.crosstab.cells.read(book.shape.predictions)[0]
    assert not np.allclose(now[:, 2], was[:, 2])
    assert np.array_equal(now[:, [0, 1, 3, 4]], was[:, [0, 1, 3, 4]])
    assert now == pytest.approx(of_the_model(document), abs=1e-5)
    document.undo()
    settle(document)
    assert recalculated(document) == pytest.approx(was, abs=1e-12)


def test_the_sheet_comes_and_goes_with_the_net_and_follows_the_crosstab(opened: Open) -> None:
    document = opened()
    book, session = document.ratings_book, document.ratings
    assert [sheet.name for sheet in document.workbook.sheets][:2] == ["Crosstab", "Layers"]
    document.apply(OtherPairs(book, busiest_pairs(session.table, session.totals, 4, 3)))
    settle(document)
    assert book.shape.layers.predictions.rows == 12
    assert recalculated(document) == pytest.approx(of_the_model(document), abs=1e-5)
    session.set_model(ModelChoice(kind="dot", factors=3))
    settle(document)
    assert "Layers" not in [sheet.name for sheet in document.workbook.sheets]
    document.undo()
    settle(document)
    assert recalculated(document) == pytest.approx(of_the_model(document), abs=1e-5)


def test_a_sheet_of_ones_own_of_that_name_stays_and_the_net_shows_numbers(opened: Open) -> None:
    document = opened(ModelChoice(kind="dot", factors=3))
    own = document.workbook.make_sheet("Layers")
    document.workbook.sheets.append(own)
    document.ratings.set_model(NET)
    settle(document)
    book = document.ratings_book
    assert book.layers is None
    assert own in document.workbook.sheets
    shown = book.crosstab.cells.read(book.shape.predictions)[0]
    assert shown == pytest.approx(of_the_model(document), abs=1e-5)


def test_a_renamed_sheet_of_layers_is_written_anew_under_its_name(opened: Open) -> None:
    document = opened()
    book, session = document.ratings_book, document.ratings
    document.apply(RenameSheet(book.layers.id, "My net"))
    settle(document)
    assert recalculated(document) == pytest.approx(of_the_model(document), abs=1e-5)
    document.apply(OtherPairs(book, busiest_pairs(session.table, session.totals, 4, 3)))
    settle(document)
    assert book.layers.name == "Layers"
    assert recalculated(document) == pytest.approx(of_the_model(document), abs=1e-5)


def test_the_layers_cannot_be_overwritten(opened: Open) -> None:
    document = opened()
    book = document.ratings_book
    with pytest.raises(UserError, match="shows the net as it is"):
        document.enter(book.layers.id, book.shape.layers.weights()[0].first, "1")
    assert not document.history.can_undo


def test_so_large_a_net_shows_numbers_and_says_so(opened: Open) -> None:
    document = opened(replace(NET, hidden=(2_000,), dropouts=(0.0,) * 2))
    book = document.ratings_book
    assert book.shape.layers is None
    assert book.layers is None
    cell = book.shape.predictions.first
    assert book.crosstab.cells.formula(cell) is None
    assert book.crosstab.cells.get(cell)[0] == pytest.approx(of_the_model(document)[0, 0], abs=1e-5)
    labels = book.crosstab.cells.read(Region(1, 0, 5, 1))
    texts = [document.workbook.strings.text(int(k)) for k in labels[0].ravel()]
    assert "so large a net is not laid out" in texts


def test_blocks_of_the_layout_do_not_lie_over_one_another() -> None:
    layout = Layout(NetShape(3, 4, 2, 5, (6, 5, 1), True), 6, 5)
    blocks = [
        layout.user_inputs, layout.item_inputs, layout.features, *layout.layers,
        layout.predictions, *layout.weights(), *layout.biases(),
    ]  # fmt: skip
    for k, block in enumerate(blocks):
        assert not any(block.intersect(other) for other in blocks[k + 1 :])
        assert layout.everything.contains(block)
