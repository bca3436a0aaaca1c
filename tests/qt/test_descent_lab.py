"""The gradient-descent panels in the window: linked with grid and run, each does what it says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QGuiApplication

from gradsheet.app.document import Document
from gradsheet.formula.address import Cell
from gradsheet.formula.values import Kind
from gradsheet.lessons.descent_data import noisy
from gradsheet.qt.lab.optimizer_colours import colour_of
from gradsheet.qt.theme import DARK, LIGHT, THEMES, apply_theme


@pytest.fixture
def lab(window: Any, qtbot: Any) -> Iterator[Any]:
    window.document.open_lesson("momentum")
    window.document.finish()
    qtbot.waitUntil(lambda: "trajectory" in window.lab.panels)
    yield window.lab
    window.lab.race_session.close()


def wait_calm(window: Any, qtbot: Any) -> None:
    window.document.finish()
    qtbot.waitUntil(lambda: not window.document.is_busy)


def number(document: Document, address: str) -> float:
    assert document.training is not None
    sheet = document.training.problem.loss[0]
    return document.workbook.sheet(sheet).cells.get(Cell.parse(address))[0]


def test_the_path_shows_by_itself_where_there_is_one(window: Any, qtbot: Any) -> None:
    assert not window.lab.is_open("trajectory")
    window.document.open_lesson("adam")
    assert window.lab.is_open("trajectory")


def test_a_point_and_its_row_are_one(window: Any, lab: Any, qtbot: Any) -> None:
    panel = lab.panels["trajectory"]
    window.grid.select(Cell(9, 5))
    assert panel.row == 6
    panel.point_chosen.emit(12)
    assert window.grid.current == Cell(15, 2)
    assert panel.row == 12


def test_a_click_on_the_plane_finds_the_nearest_point(window: Any, lab: Any) -> None:
    panel = lab.panels["trajectory"]
    lab._feed("trajectory")
    b, a = panel._view.rows[20]
    assert panel.nearest(b, a) is not None
    assert panel.nearest(b + 30, a) is None


def test_set_start_puts_a_and_b_where_the_click_was(window: Any, lab: Any, qtbot: Any) -> None:
    panel = lab.panels["trajectory"]
    panel._start.setChecked(True)
    panel.plot.clicked.emit(10.0, 3.0)
    wait_calm(window, qtbot)
    assert (number(window.document, "C1"), number(window.document, "C2")) == (10.0, 3.0)
    assert not panel._start.isChecked()
    window.document.undo()
    wait_calm(window, qtbot)
    assert number(window.document, "C1") == 1


def test_the_trail_grows_while_it_runs(window: Any, lab: Any, qtbot: Any) -> None:
    panel = lab.panels["trajectory"]
    window.document.start_run()
    qtbot.waitUntil(lambda: panel._view is not None and len(panel._view.trail) > 29 * 20)
    window.document.pause_run()
    assert np.isfinite(panel._view.trail).all()


def test_the_bands_are_lowest_at_the_goal(lab: Any) -> None:
    panel = lab.panels["trajectory"]
    losses = panel.loss(np.array([[30.0, 2.0], [1.0, 1.0], [30.0, 2.1]]))
    assert losses[0] == pytest.approx(0, abs=1e-6)
    assert losses[1] > losses[2] > losses[0]


def test_the_dial_makes_mini_batches(window: Any, lab: Any, qtbot: Any) -> None:
    lab.settings.batch.setValue(4)
    wait_calm(window, qtbot)
    assert number(window.document, "A2") == 4
    lab.settings.whole.click()
    wait_calm(window, qtbot)
    assert number(window.document, "A2") == 29


def test_bias_correction_is_a_switch_of_adam_only(window: Any, lab: Any, qtbot: Any) -> None:
    assert lab.settings.corrected.isHidden()
    adam = window.document.workbook.by_name("adam")
    window._on_sheet_chosen(adam.id)
    wait_calm(window, qtbot)
    assert not lab.settings.corrected.isHidden()
    lab.settings.corrected.setChecked(True)
    wait_calm(window, qtbot)
    assert adam.cells.get(Cell.parse("Q4"))[1] == Kind.NUMBER


def test_points_can_be_drawn_and_pasted(window: Any, lab: Any, qtbot: Any) -> None:
    lab.settings.fields["points"].show_number(40)
    lab.settings.points_asked.emit(2, 40, -1.0, 5.0, 1.0)
    wait_calm(window, qtbot)
    assert number(window.document, "A43") > 0
    QGuiApplication.clipboard().setText("x\ty\n1\t2\n2\t4\n3\t6\n")
    lab.settings.paste_asked.emit()
    wait_calm(window, qtbot)
    assert number(window.document, "B6") == 6


def test_what_cannot_be_pasted_is_said(window: Any, lab: Any, qtbot: Any) -> None:
    QGuiApplication.clipboard().setText("nothing here")
    lab.settings.paste_asked.emit()
    assert "fitted" in window.document.log.messages()[-1].text


def test_a_tab_changes_what_runs(window: Any, lab: Any, qtbot: Any) -> None:
    eve = window.document.workbook.by_name("eve")
    window._on_sheet_chosen(eve.id)
    wait_calm(window, qtbot)
    assert window.document.run_view().optimizer == "eve"
    qtbot.waitUntil(lambda: lab.panels["trajectory"]._view.name == "eve")


def test_a_race_runs_to_its_end(window: Any, lab: Any, qtbot: Any) -> None:
    lab.show("race")
    panel, session = lab.panels["race"], lab.race_session
    session.change(steps=200)
    panel.follow()
    panel.run_button.click()
    qtbot.waitUntil(lambda: session.state == "done", timeout=20_000)
    assert session.step == 200
    qtbot.waitUntil(lambda: panel.table.item(0, 2).text() not in ("", "0"))
    assert panel.table.rowCount() == 8
    assert panel.table.item(0, 0).text() == "SGD"


def test_who_races_is_chosen_and_sgd_always_does(window: Any, lab: Any) -> None:
    lab.show("race")
    panel, session = lab.panels["race"], lab.race_session
    by_name = {action.data(): action for action in panel.runners.menu().actions()}
    assert not by_name["sgd"].isEnabled()
    assert sum(action.isChecked() for action in by_name.values()) == 8
    by_name["lesson_adam"].trigger()
    assert "eight" in panel._note.text() or "at most 8" in panel._note.text()
    assert not by_name["lesson_adam"].isChecked()
    for name in ("momentum", "nesterov", "adagrad", "rmsprop", "adamw", "eve"):
        by_name[name].trigger()
    by_name["lesson_adam"].trigger()
    assert [r.name for r in session.plan.race.runners] == ["sgd", "adam", "lesson_adam"]
    assert panel.table.rowCount() == 3


def test_arrows_point_where_the_step_goes(window: Any, lab: Any, qtbot: Any) -> None:
    panel = lab.panels["trajectory"]
    lab._feed("trajectory")
    line, head = panel._arrows["gradient"]
    x, y = line.getData()
    assert head.isVisible()
    assert (head.pos().x(), head.pos().y()) == (x[1], y[1])
    assert y[1] > y[0], "at a = b = 1 the slope is too small"
    assert 45 < head.opts["angle"] < 135, "up on the screen"


def test_the_race_takes_a_typed_formula_and_says_what_is_wrong(window: Any, lab: Any) -> None:
    lab.show("race")
    panel, session = lab.panels["race"], lab.race_session
    panel.formula.setText("(x-2)^2+y^2")
    panel._on_formula()
    assert session.setup.function == "typed"
    panel.formula.setText("x+banana")
    panel._on_formula()
    assert "banana" in panel._note.text()
    assert session.setup.formula == "(x-2)^2+y^2"


@pytest.mark.parametrize("function", ["quadratic", "himmelblau", "line"])
@pytest.mark.parametrize("rule", ["same", "best", "budget"])
def test_every_rule_races_on_every_kind_of_function(
    window: Any, lab: Any, function: str, rule: str
) -> None:
    lab.show("race")
    panel = lab.panels["race"]
    panel._change(function=function, rule=rule, steps=120)
    panel._on_step()
    panel.draw(True)
    assert lab.race_session.step == 1
    assert panel.tabs.isTabEnabled(panel.tabs.indexOf(panel.strip)) == (rule != "same")


def test_the_bench_shows_four_derivatives(window: Any, lab: Any, qtbot: Any) -> None:
    window.grid.select(Cell(3, 6))
    lab.show("bench")
    panel = lab.panels["bench"]
    qtbot.waitUntil(lambda: panel._bench is not None)
    assert panel._bench.analytic == pytest.approx(panel._bench.autograd)
    assert panel._values["analytic"].text() == "-1204"
    panel.set_epsilon(1e-13)
    qtbot.waitUntil(lambda: panel._bench.estimate.epsilon < 2e-13)
    assert "rounding" in panel._words.text()


def test_the_bench_measures_a_rating_lessons_parameter_too(window: Any, qtbot: Any) -> None:
    window.document.finish()
    window.grid.select(Cell.parse("H19"))
    window.lab.show("bench")
    panel = window.lab.panels["bench"]
    qtbot.waitUntil(lambda: panel._bench is not None, timeout=20_000)
    assert panel._bench.analytic is None
    found = panel._bench.estimate
    assert found.central == pytest.approx(panel._bench.autograd, rel=1e-2, abs=1e-6)


def test_the_averages_follow_beta(window: Any, lab: Any, qtbot: Any) -> None:
    lab.show("averages")
    panel = lab.panels["averages"]
    panel.slider.setValue(0)
    assert "about 1 rows" in panel._words.text()
    panel.slider.setValue(10)
    assert "about 10 rows" in panel._words.text()


def test_a_schedule_is_drawn_and_followed(window: Any, lab: Any, qtbot: Any) -> None:
    lab.show("schedule")
    panel = lab.panels["schedule"]
    panel.choose("one-cycle", 40)
    window.document.step_run(10)
    wait_calm(window, qtbot)
    assert number(window.document, "D2") < 1e-4
    panel.choose("constant")
    wait_calm(window, qtbot)
    assert number(window.document, "D2") == 1e-4


def test_a_range_test_suggests_a_rate(window: Any, lab: Any, qtbot: Any) -> None:
    lab.show("schedule")
    panel = lab.panels["schedule"]
    window._on_sheet_chosen(window.document.workbook.by_name("adam").id)
    wait_calm(window, qtbot)
    panel.choose("range", 60)
    window.document.step_run(60)
    wait_calm(window, qtbot)
    lab._feed("schedule")
    assert "Suggested rate" in panel._words.text()


def test_the_suggested_rate_is_used_from_the_start(window: Any, lab: Any, qtbot: Any) -> None:
    lab.show("schedule")
    panel, document = lab.panels["schedule"], window.document
    window._on_sheet_chosen(document.workbook.by_name("adam").id)
    wait_calm(window, qtbot)
    panel.choose("range", 60)
    document.start_run()
    qtbot.waitUntil(lambda: document.run.state == "paused", timeout=20_000)
    wait_calm(window, qtbot)
    lab._feed("schedule")
    assert document.run.step == 60
    assert "at step" in panel._words.text()
    assert not panel._use.isHidden()
    panel._use.click()
    wait_calm(window, qtbot)
    assert document.run.step == 0
    assert number(document, "D2") == pytest.approx(0.1 * panel._suggestion.steepest)
    assert 0.001 < number(document, "D2") < 0.1
    assert panel.choice.name == "constant"


def test_restarts_have_their_two_numbers(window: Any, lab: Any, qtbot: Any) -> None:
    lab.show("schedule")
    panel = lab.panels["schedule"]
    panel.choose("restarts")
    panel._cycle.show_number(5)
    panel._mult.show_number(3)
    panel._on_choice()
    wait_calm(window, qtbot)
    chosen = window.document.run.schedule
    assert (chosen.cycle_len, chosen.cycle_mult) == (5, 3)
    assert panel._total.isHidden()
    assert panel._rate.getData()[0][-1] == 5 + 15 + 45


def test_a_function_below_zero_has_a_profile(window: Any, lab: Any, qtbot: Any) -> None:
    panel = lab.panels["trajectory"]
    panel._profile_switch.setChecked(True)
    lab.settings.formula_typed.emit("x^2+y^2-9")
    wait_calm(window, qtbot)
    window.document.step_run(3)
    wait_calm(window, qtbot)
    lab._feed("trajectory")
    heights = panel._profile_line.getData()[1]
    assert np.isfinite(heights).all()
    assert heights[0] == pytest.approx(-1)
    assert heights.min() < -5


def test_restart_keeps_the_function_that_was_typed(window: Any, lab: Any, qtbot: Any) -> None:
    lab.settings.formula_typed.emit("(x-3)^2+y^4")
    wait_calm(window, qtbot)
    window.document.step_run(2)
    window.document.restart_lesson()
    wait_calm(window, qtbot)
    assert lab.settings.formula.text() == "(x-3)^2+y^4"
    assert window.document.run.step == 0


def test_an_offer_goes_with_the_workbook_that_it_was_about(
    window: Any, lab: Any, qtbot: Any
) -> None:
    window.document.set_hyper(lr=0.1)
    window.document.step_run(200)
    wait_calm(window, qtbot)
    assert not window.banner.isHidden()
    window.document.open_lesson("adam")
    assert window.banner.isHidden()


def test_the_noisy_line_races_to_its_own_least_error(window: Any, lab: Any) -> None:
    lab.show("race")
    session = lab.race_session
    session.change(function="noisy-line", steps=50)
    x, y = noisy().values()
    least = np.mean((np.polyval(np.polyfit(x, y, 1), x) - np.array(y)) ** 2)
    assert session.course.target == pytest.approx(least + 1, rel=1e-9)
    assert least > 10


@pytest.mark.parametrize("name", THEMES)
def test_an_optimizer_keeps_its_colour_and_can_be_told_apart(name: str) -> None:
    theme = THEMES[name]
    eight = ["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw", "eve"]
    assert len({colour_of(n, theme) for n in eight}) == 8
    assert colour_of("lesson_adam", theme) == colour_of("adam_ann", theme)
    assert colour_of("basic", theme) == theme.text


def test_every_panel_takes_a_new_theme(window: Any, lab: Any, qtbot: Any, qapp: Any) -> None:
    for name in ("race", "bench", "averages", "schedule", "trajectory"):
        lab.show(name)
    apply_theme(qapp, DARK)
    qapp.processEvents()
    for panel in lab.panels.values():
        plot = getattr(panel, "plot", None) or getattr(panel, "plane", None) or panel.rate_plot
        assert plot.backgroundBrush().color().name().upper() == DARK.sheet
    apply_theme(qapp, LIGHT)


def test_a_divergence_leaves_the_plots_readable(window: Any, lab: Any, qtbot: Any) -> None:
    window.document.set_hyper(lr=0.05)
    window.document.step_run(300)
    wait_calm(window, qtbot)
    assert window.document.run.state == "failed"
    panel = lab.panels["trajectory"]
    lab._feed("trajectory")
    left, right, bottom, top = panel.plot.view_rect()
    assert right - left < 1e5
    assert top - bottom < 1e5


def test_the_loss_plot_makes_way_and_comes_back(window: Any, lab: Any, qtbot: Any) -> None:
    lab.show("race")
    qtbot.waitUntil(lambda: window.docks["loss"].isHidden())
    lab.show("trajectory")
    qtbot.waitUntil(lambda: not window.docks["loss"].isHidden())


def test_points_open_from_a_file(window: Any, lab: Any, qtbot: Any, tmp_path: Path) -> None:
    from gradsheet.app.lab import desk as operations

    path = tmp_path / "points.csv"
    path.write_text("1;2\n2;4\n")
    operations.open_points(window.document, path)
    wait_calm(window, qtbot)
    assert number(window.document, "A5") == 2


def test_arrows_point_against_gradient_and_momentum(window: Any, lab: Any) -> None:
    panel = lab.panels["trajectory"]
    window.grid.select(Cell(20, 2))
    lab._feed("trajectory")
    view, row = panel._view, panel.row
    line, _ = panel._arrows["gradient"]
    x, y = line.getData()
    assert np.sign(y[1] - y[0]) == -np.sign(view.gradients[row, 1])
    line, _ = panel._arrows["momentum"]
    x, y = line.getData()
    assert np.sign(y[1] - y[0]) == -np.sign(view.momentum[row, 1])
    assert x[0] == view.rows[row, 0]


def test_a_scene_place_maps_back(lab: Any) -> None:
    box = lab.panels["trajectory"].plot.getPlotItem().getViewBox()
    there = box.mapSceneToView(box.mapViewToScene(QPointF(3.0, 2.0)))
    assert (there.x(), there.y()) == pytest.approx((3.0, 2.0), abs=0.2)


def test_a_problem_of_many_parameters_shows_a_slice_that_says_so(window: Any, qtbot: Any) -> None:
    window.document.step_run(30)
    wait_calm(window, qtbot)
    window.lab.show("trajectory")
    panel = window.lab.slice_panel
    qtbot.waitUntil(lambda: "This is a slice" in panel.words.text(), timeout=20_000)
    assert "150 parameters" in panel.words.text()
    window.grid.select(Cell.parse("H19"))
    panel._principal.setChecked(False)
    assert "Select two" in panel.words.text()
    from gradsheet.formula.address import Region

    window.grid.select(Region.parse("H19:I19"))
    panel.principal_asked.emit(False)
    qtbot.waitUntil(lambda: "two chosen parameters" in panel.words.text(), timeout=20_000)


def test_a_function_is_chosen_typed_and_made_steeper(window: Any, lab: Any, qtbot: Any) -> None:
    settings, document = lab.settings, window.document
    settings.function_chosen.emit("quadratic")
    wait_calm(window, qtbot)
    assert number(document, "C1") == -10
    panel = lab.panels["trajectory"]
    qtbot.waitUntil(lambda: panel._view is not None and panel._view.plane.axes == ("x", "y"))
    assert settings.batch.isHidden()
    assert not settings.steepness.isHidden()
    at_20 = panel.loss(np.array([[0.0, 1.0]]))[0]
    settings.steepness_chosen.emit(100.0)
    wait_calm(window, qtbot)
    qtbot.waitUntil(lambda: panel.loss(np.array([[0.0, 1.0]]))[0] == pytest.approx(5 * at_20))
    settings.formula_typed.emit("(x-3)^2+SIN(y)^2")
    wait_calm(window, qtbot)
    assert number(document, "F4") == -10
    settings.formula_typed.emit("x+banana")
    assert "banana" in document.log.messages()[-1].text
    document.step_run(3)
    wait_calm(window, qtbot)
    panel.start_chosen.emit(1.0, 1.0)
    wait_calm(window, qtbot)
    assert (number(document, "C1"), number(document, "C2")) == (1.0, 1.0)
    assert document.run.step == 0
    settings.function_chosen.emit("line")
    wait_calm(window, qtbot)
    assert document.lesson.id == "momentum"
    assert not settings.batch.isHidden()
