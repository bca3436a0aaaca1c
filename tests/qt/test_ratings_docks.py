"""The docks of a rating set: they come and go with it, and each knob does what it says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt

from gradsheet.app.ratings.choices import LearnChoice, ModelChoice
from gradsheet.app.ratings.session import RatingsSession
from gradsheet.learn.hyper import Hyper
from gradsheet.ratings.synthetic import synthetic_ratings

TABLE = synthetic_ratings(60, 40, 900, factors=2, seed=1)[0]
LEARN = LearnChoice(epochs=2, optimizer="momentum", hyper=Hyper(lr=0.05), schedule="constant")


@pytest.fixture
def docks(window: Any, qtbot: Any) -> Iterator[Any]:
    session = RatingsSession(TABLE, "made up", model=ModelChoice(factors=4), learn=LEARN)
    window.clock.ticked.connect(session.poll)
    session.prepare()
    window.ratings_docks.show_session(session)
    qtbot.waitUntil(lambda: session.state == "idle", timeout=30_000)
    yield window.ratings_docks
    window.ratings_docks.show_session(None)
    window.clock.ticked.disconnect(session.poll)
    session.close()


def run(docks: Any, qtbot: Any) -> None:
    button = docks.panels["training"].run
    qtbot.waitUntil(button.isEnabled)  # it hears of a session that is ready at the next tick
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: docks.session.state == "done", timeout=60_000)


def type_into(field: Any, qtbot: Any, text: str) -> None:
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, text)
    qtbot.keyClick(field, Qt.Key.Key_Return)


def test_the_docks_come_and_go_with_the_ratings(window: Any, docks: Any) -> None:
    assert docks.is_open("model")
    assert docks.is_open("training")
    assert window.docks["loss"].isHidden()
    docks.show_session(None)
    assert not any(docks.is_open(name) for name in docks.docks)
    assert not window.docks["loss"].isHidden()


def test_the_status_bar_names_the_device_whole_and_its_tooltip_says_why(
    window: Any, document: Any
) -> None:
    view = document.run_view()
    for device in ("cpu", "cuda:0"):
        text = f"{device} (fewer than a million ratings, where the CPU is faster)"
        window.status.show_run(replace(view, device=text))
        field = window.status._device
        assert field.text() == device
        assert text in field.toolTip()
        assert field.fontMetrics().horizontalAdvance(device) <= field.contentsRect().width()


def test_a_run_fills_curves_and_epoch_table(docks: Any, qtbot: Any) -> None:
    run(docks, qtbot)
    table = docks.panels["epochs"]
    qtbot.waitUntil(lambda: table.rowCount() == 2)
    assert table.item(1, 2).text() == f"{docks.session.epochs[1].valid_rmse:.4f}"
    x, y = docks.panels["curves"].points()["validation"]
    assert list(x) == [1, 2]
    assert y[1] == pytest.approx(docks.session.epochs[1].valid_rmse)


def test_a_typed_number_of_factors_is_the_models(docks: Any, qtbot: Any) -> None:
    form = docks.panels["model"].model_form
    type_into(form.factors, qtbot, "7")
    assert docks.session.model_choice.factors == 7
    type_into(form.factors, qtbot, "2.5")
    assert "whole" in form.factors_row.complaint.text()
    assert docks.session.model_choice.factors == 7


def test_knobs_that_do_not_apply_are_hidden(docks: Any, qtbot: Any) -> None:
    panel = docks.panels["model"]
    qtbot.waitUntil(lambda: panel.learn_form.rows["momentum"].isVisibleTo(panel))
    assert not panel.model_form.hidden_row.isVisibleTo(panel)
    assert not panel.learn_form.rows["beta1"].isVisibleTo(panel)
    panel.modes["fast"].click()
    qtbot.waitUntil(lambda: docks.session.learn_choice.mode == "fast")
    qtbot.waitUntil(lambda: panel.learn_form.rows["strength"].isVisibleTo(panel))
    assert not panel.learn_form.rows["lr"].isVisibleTo(panel)


def test_two_kept_models_are_compared(docks: Any, qtbot: Any) -> None:
    run(docks, qtbot)
    docks.keep("first")
    go_on = docks.panels["training"].go_on
    qtbot.waitUntil(go_on.isEnabled)
    qtbot.mouseClick(go_on, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(docks.session.epochs) == 5, timeout=60_000)
    qtbot.waitUntil(lambda: docks.session.state == "done")
    docks.show("compare")
    table = docks.panels["compare"].choices
    qtbot.waitUntil(lambda: table.rowCount() > 4, timeout=20_000)
    assert table.item(3, 1).text() == "5"
    assert table.item(3, 2).text() == "2"


def test_the_schedules_plot_shows_all_epochs_below_those_of_the_loss(
    docks: Any, qtbot: Any
) -> None:
    docks.session.set_learn(replace(LEARN, epochs=5, schedule="one-cycle"))
    curves = docks.panels["curves"]
    qtbot.waitUntil(lambda: curves._momentum_name.isVisible(), timeout=10_000)
    qtbot.wait(1)
    boxes = [plot.getPlotItem().getViewBox() for plot in (curves.loss_plot, curves.rate_plot)]
    assert boxes[0].viewRange()[0] == pytest.approx(boxes[1].viewRange()[0], abs=0.05)
    name = curves._momentum_name.mapRectToScene(curves._momentum_name.boundingRect())
    assert boxes[1].sceneBoundingRect().contains(name.center())
    assert name.right() <= boxes[1].sceneBoundingRect().right() + 1
