"""The gradient layer: right derivatives, kept up to date while running, standing and editing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from gradsheet.app.document import Document
from gradsheet.app.gradients import GradientLayer, Scale, Watched, round_limit, steady_limit
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import UserError

PREDICTION, LOSS, ITEM = Cell.parse("H26"), Cell.parse("V42"), Cell.parse("H20")


@pytest.fixture
def document() -> Iterator[Document]:
    document = Document()
    document.open_lesson("bias")
    document.finish()
    yield document
    document.close()


@pytest.fixture
def layer(document: Document) -> GradientLayer:
    layer = GradientLayer(document, lambda regions: None)
    layer.switch(True)
    document.finish()
    return layer


def loss_with(document: Document, cell: Cell, value: float) -> float:
    """The loss after a cell is given another value; the cell is put back."""
    document.enter(document.book.sheet, cell, repr(value))
    document.finish()
    found = document.loss_now()
    document.undo()
    document.finish()
    assert found is not None
    return found


def test_a_parameters_derivative_is_what_moving_it_does(
    document: Document, layer: GradientLayer
) -> None:
    sheet = document.book.sheet
    now = document.workbook.sheet(sheet).cells.get(ITEM)[0]
    numeric = (loss_with(document, ITEM, now + 1e-5) - loss_with(document, ITEM, now - 1e-5)) / 2e-5
    assert layer.at(sheet, ITEM) == pytest.approx(numeric, rel=1e-6)


def test_a_predictions_derivative_is_its_share_of_the_error(
    document: Document, layer: GradientLayer
) -> None:
    cells = document.workbook.sheet(document.book.sheet).cells
    predicted, actual = cells.get(PREDICTION)[0], cells.get(Cell.parse("H2"))[0]
    loss = document.loss_now()
    assert loss is not None
    expected = (predicted - actual) / (206 * loss)
    assert layer.at(document.book.sheet, PREDICTION) == pytest.approx(expected, rel=1e-9)


def test_the_loss_itself_has_the_derivative_one(document: Document, layer: GradientLayer) -> None:
    assert layer.at(document.book.sheet, LOSS) == 1.0


def test_a_cell_off_the_path_has_none(document: Document, layer: GradientLayer) -> None:
    assert layer.at(document.book.sheet, Cell.parse("H2")) is None


def test_it_follows_a_step(document: Document, layer: GradientLayer) -> None:
    sheet = document.book.sheet
    before = layer.at(sheet, ITEM)
    document.step_run(3)
    document.finish()
    layer.follow()
    document.finish()
    assert layer.at(sheet, ITEM) != before


def test_it_follows_an_edit_of_the_data(document: Document, layer: GradientLayer) -> None:
    sheet = document.book.sheet
    before = layer.at(sheet, PREDICTION)
    document.enter(sheet, Cell.parse("H2"), "1")
    layer.follow()
    document.finish()
    assert layer.at(sheet, PREDICTION) != before


def test_it_is_computed_in_the_trainers_thread_while_a_run_goes_on(
    document: Document, layer: GradientLayer
) -> None:
    shown = layer.shown
    document.start_run()
    for _ in range(2_000_000):
        document.poll()
        layer.follow()
        if layer.shown is not shown and document.run.step > 10:
            break
    assert isinstance(document.run.trainer.objective, Watched)
    assert layer.shown is not shown
    document.pause_run()


def test_a_layer_that_is_off_costs_the_run_nothing(document: Document) -> None:
    layer = GradientLayer(document, lambda regions: None)
    document.step_run()
    document.finish()
    layer.follow()
    assert not isinstance(document.run.trainer.objective, Watched)
    assert layer.shown == ()


def test_switching_off_says_which_cells_to_paint_again(document: Document) -> None:
    touched: list[tuple[int, Region]] = []
    layer = GradientLayer(document, touched.extend)
    layer.switch(True)
    document.finish()
    touched.clear()
    layer.switch(False)
    assert (document.book.sheet, Region.parse("H26:V40")) in touched
    assert layer.at(document.book.sheet, PREDICTION) is None


def test_without_a_problem_it_says_why(document: Document) -> None:
    document.new_workbook()
    document.finish()
    with pytest.raises(UserError, match="No cell is the loss yet"):
        GradientLayer(document, lambda regions: None).switch(True)


def test_the_nudge_is_against_the_gradient_when_minimising(layer: GradientLayer) -> None:
    assert layer.moves_up == -1.0


def test_a_scale_ends_at_a_round_number() -> None:
    assert [round_limit(x) for x in (0.012, 0.05, 3.0, 1.0, 0.0)] == [0.02, 0.05, 5.0, 1.0, 1.0]


def test_one_outlier_does_not_stretch_the_scale() -> None:
    sizes = np.array([0.1] * 99 + [50.0])
    assert steady_limit(None, sizes) == 0.1


def test_a_scale_does_not_flicker() -> None:
    limit = steady_limit(None, np.array([0.9]))
    assert limit == 1.0
    assert steady_limit(limit, np.array([0.5])) == 1.0
    assert steady_limit(limit, np.array([0.02])) == 0.02
    assert steady_limit(limit, np.array([1.4])) == 2.0


def test_small_scales_are_written_in_powers_of_ten() -> None:
    found = [Scale("", "", limit).exponent for limit in (5e-4, 0.02, 0.1, 1.0, 200.0, 5e4)]
    assert found == [-4, -2, 0, 0, 0, 4]
