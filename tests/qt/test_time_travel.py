"""Going through a run by hand: phases, playing backwards, marks, branches and their curves."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from gradsheet.app.phases import PHASES
from gradsheet.qt.main_window import MainWindow
from gradsheet.qt.panels.branches import BranchesPanel

LONG_MS = 30_000


def click(widget: QWidget) -> None:
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


def take_steps(window: MainWindow, count: int) -> None:
    window.document.finish()
    window.document.step_run(count)
    window.document.finish()


def branched(window: MainWindow) -> BranchesPanel:
    """Run to 40, go back to 15 by the slider, change the rate in its field and run to 25."""
    take_steps(window, 40)
    window.time_bar.slider.setValue(15)
    window.document.finish()
    field = window.run_bar.rate_field("lr")
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, "0.2")
    QTest.keyClick(field, Qt.Key.Key_Return)
    take_steps(window, 10)
    window.actions_by_id.by_id["view.branches"].trigger()
    panel = window.time_travel.dock.panel
    assert panel is not None
    QApplication.processEvents()  # the dock finds its place
    return panel


def test_f6_goes_through_the_four_phases_and_lights_their_cells(window: MainWindow) -> None:
    window.document.finish()
    window.grid.setFocus()
    seen, lit = [], []
    for _ in PHASES:
        QTest.keyClick(window.grid, Qt.Key.Key_F6)
        window.document.finish()
        seen.append(window.run_bar.phase)
        lit.append(window.sight.layers.phase)
        assert window.sight.layer.is_on == (window.run_bar.phase == "gradient")
        assert window.run_bar.phase.capitalize() in window.status.texts()[5]
    assert tuple(seen) == PHASES
    assert all(lit)
    assert len(set(lit)) == 4
    assert window.document.run_view().step == 1
    QTest.keyClick(window.grid, Qt.Key.Key_Space)
    window.document.finish()
    assert window.run_bar.phase == ""
    assert window.sight.layers.phase == ()


def test_the_light_of_a_phase_is_painted_on_its_cells(window: MainWindow) -> None:
    window.document.finish()
    for _ in range(2):
        click(window.time_bar.buttons["train.phase"])
        window.document.finish()
    ((_, loss),) = window.sight.layers.phase
    assert window.grid.visible_region().contains(loss)
    layout = window.grid.layout_now
    corner = QPoint(layout.x_of(loss.left) + 3, layout.y_of(loss.top) + 3)
    lit = window.grid.viewport().grab().toImage().pixelColor(corner)
    window.sight.layers.light_phase(())
    assert window.grid.viewport().grab().toImage().pixelColor(corner) != lit


def test_a_click_plays_the_run_backwards_to_its_start(window: MainWindow, qtbot: QtBot) -> None:
    take_steps(window, 40)
    window.document.set_speed(5_000.0)
    button = window.time_bar.buttons["train.play_back"]
    click(button)
    qtbot.waitUntil(lambda: window.document.run_view().step == 0, timeout=LONG_MS)
    qtbot.waitUntil(lambda: not window.document.run_view().is_rewinding, timeout=LONG_MS)
    assert window.time_bar.slider.value() == 0
    assert window.time_bar.slider.maximum() == 40
    assert not button.isChecked()


def test_the_slider_marks_what_happened_and_says_it(window: MainWindow) -> None:
    branched(window)
    slider = window.time_bar.slider
    assert {mark.kind for mark in slider.marks} == {"branch", "change", "best"}
    said = slider.text_at(slider.place_of(15))
    assert "Branch 1 was left at step 15" in said
    assert "learning rate 0.05 → 0.2" in said
    assert slider.text_at(slider.place_of(8)) == ""


def test_the_loss_plot_shows_where_one_stands(window: MainWindow, qtbot: QtBot) -> None:
    take_steps(window, 40)
    chart = window.loss_plot._plot
    assert chart.position is None
    window.time_bar.slider.setValue(10)
    window.document.finish()
    qtbot.waitUntil(lambda: chart.position == 10.0)
    _, losses = window.document.run_view().trace.arrays()  # type: ignore[union-attr]
    assert chart.end_text() == f"{losses[10]:.4f}"
    window.time_bar.slider.setValue(40)
    window.document.finish()
    qtbot.waitUntil(lambda: chart.position is None)


def test_a_branch_is_listed_drawn_hidden_and_named(window: MainWindow) -> None:
    panel = branched(window)
    table = panel.table
    assert [table.item(row, 0).text() for row in range(2)] == ["This run", "Branch 1"]
    assert [table.item(1, column).text() for column in (1, 2)] == ["15", "40"]
    chart = window.loss_plot._plot
    window.loss_plot.fit()
    (line,) = chart.beside
    assert (line.name, line.x[0], line.x[-1]) == ("Branch 1", 15, 40)
    table.item(1, 0).setCheckState(Qt.CheckState.Unchecked)
    window.loss_plot.fit()
    assert chart.beside == ()
    table.item(1, 0).setText("slow")
    assert window.document.run_view().branches[0].name == "slow"
    table.item(0, 0).setText("fast")
    assert window.document.run_view().name == "fast"
    table.item(1, 0).setText("   ")
    assert table.item(1, 0).text() == "slow"


def test_a_branch_is_gone_on_with_and_deleted_by_clicking(window: MainWindow) -> None:
    panel = branched(window)
    assert not panel.take_up.isEnabled()
    panel.table.selectRow(1)
    click(panel.take_up)
    window.document.finish()
    assert window.document.run_view().step == 40
    assert panel.table.item(0, 0).text() == "Branch 1"
    panel.table.selectRow(1)
    click(panel.delete)
    assert panel.table.rowCount() == 1
    window.actions_by_id.by_id["edit.undo"].trigger()
    window.document.finish()
    assert panel.table.rowCount() == 2


def test_without_branches_the_panel_says_how_they_come(window: MainWindow) -> None:
    window.document.finish()
    window.actions_by_id.by_id["view.branches"].trigger()
    panel = window.time_travel.dock.panel
    assert panel is not None
    assert "change a rate" in panel.note.text()


def test_paths_of_branches_are_drawn_in_the_lab(window: MainWindow) -> None:
    document = window.document
    document.open_lesson("adam")
    document.finish()
    window.tabs.setCurrentIndex(1)
    document.finish()
    take_steps(window, 8)
    document.seek_run(3)
    document.finish()
    document.set_hyper(lr=0.02)
    take_steps(window, 3)
    window.lab.show("trajectory")
    window.lab._is_stale = True
    window.lab._refresh()
    panel = window.lab.panels["trajectory"]
    ((_, name),) = panel._others
    branch = document.run_view().branches[0]
    assert name.toPlainText() == branch.name
    assert branch.path is not None
    assert (name.pos().x(), name.pos().y()) == tuple(branch.path[-1])


def test_derivatives_stay_readable_in_the_gradient_phase(window: MainWindow) -> None:
    window.document.finish()
    for _ in range(3):
        click(window.time_bar.buttons["train.phase"])
        window.document.finish()
    assert window.run_bar.phase == "gradient"
    region = window.document.problem.parameters[0].region
    layout = window.grid.layout_now
    inside = QPoint(layout.x_of(region.left + 1) + 4, layout.y_of(region.top + 1) + 4)
    lit = window.grid.viewport().grab().toImage().pixelColor(inside)
    window.sight.layers.light_phase(())
    assert window.grid.viewport().grab().toImage().pixelColor(inside) == lit
