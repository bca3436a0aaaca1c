"""Solver in the window: solved by clicking only, kept, restored, its constraints and Goal Seek."""

from __future__ import annotations

import numpy as np
import torch
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from gradsheet.formula.address import Cell, Region
from gradsheet.learn.minima import Minimum
from gradsheet.qt.main_window import MainWindow
from gradsheet.qt.solver.panel import SolverPanel
from gradsheet.qt.solver.results import MinimaTable
from gradsheet.qt.widgets.figures import loss_text

LONG_MS = 60_000


def click(widget: QWidget) -> None:
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


def opened(window: MainWindow) -> SolverPanel:
    window.document.finish()
    window.actions_by_id.by_id["train.solver"].trigger()
    panel = window.solver.panel
    assert panel is not None
    return panel


def held(window: MainWindow) -> bytes:
    sheet = window.grid.sheet
    values, kinds = sheet.cells.read(sheet.cells.used())
    return values.tobytes() + kinds.tobytes()


def test_the_lesson_is_solved_by_clicking_only_and_kept(window: MainWindow, qtbot: QtBot) -> None:
    panel = opened(window)
    panel.form.starts.show_number(1)
    click(panel.solve)
    qtbot.waitUntil(panel.keep.isEnabled, timeout=LONG_MS)
    qtbot.waitUntil(lambda: window.solver.session.state == "done", timeout=LONG_MS)
    click(panel.keep)
    window.document.finish()
    loss = window.document.loss_now()
    assert loss is not None
    assert loss < 0.42
    assert window.document.history.undo_label == "Solver"
    assert panel.results.minima.table.rowCount() == 1


def test_restore_by_clicking_gives_the_same_bits(window: MainWindow, qtbot: QtBot) -> None:
    window.document.finish()
    before = held(window)
    panel = opened(window)
    panel.form.starts.show_number(50)
    click(panel.solve)
    qtbot.waitUntil(lambda: window.solver.session.step > 20, timeout=LONG_MS)
    click(panel.pause)
    assert panel.pause.text() == "Go on"
    click(panel.stop)
    assert held(window) != before
    click(panel.restore)
    assert held(window) == before
    assert not panel.keep.isEnabled()


def test_constraints_are_taken_from_the_selection_and_whole_numbers_refused(
    window: MainWindow,
) -> None:
    panel = opened(window)
    form = panel.form
    window.grid.select(Region.parse("H19:V23"))
    click(form.left.take)
    assert form.left.text() == "H19:V23"
    form.right.setText("0.5")
    click(form.add)
    form.relation.setCurrentIndex(form.relation.findData("integer"))
    assert "not supported" in panel.status.text()
    click(form.add)
    assert form.list.item(0).text() == "H19:V23 <= 0.5"
    assert "not supported" in form.list.item(1).text()
    click(form.delete)
    assert [str(c) for c in form.model().constraints] == ["H19:V23 <= 0.5"]


def test_an_incomplete_model_is_explained_in_the_panel(window: MainWindow) -> None:
    panel = opened(window)
    panel.form.objective.set_text("")
    click(panel.solve)
    assert "objective is empty" in panel.status.text()
    assert panel.solve.isEnabled()


def test_goal_seek_finds_the_cell_by_clicking(window: MainWindow, qtbot: QtBot) -> None:
    document = window.document
    document.new_workbook()
    document.finish()
    sheet = window.grid.sheet_id
    document.enter(sheet, Cell.parse("A1"), "1")
    document.enter(sheet, Cell.parse("B1"), "=A1*4")
    document.finish()
    window.actions_by_id.by_id["train.goal_seek"].trigger()
    dialog = window.solver.dialog
    assert dialog is not None
    dialog.cell.set_text("B1")
    dialog.value.setText("10")
    window.grid.select(Region.parse("A1"))
    click(dialog.changing.take)
    click(dialog.seek)
    qtbot.waitUntil(dialog.keep.isEnabled, timeout=LONG_MS)
    qtbot.waitUntil(lambda: window.solver.seeking.state == "done", timeout=LONG_MS)
    assert "B1 is 10 where A1 is 2.5" in dialog.words.text()
    click(dialog.keep)
    document.finish()
    assert window.grid.sheet.cells.get(Cell.parse("A1"))[0] == 2.5
    dialog.close()


def solved(window: MainWindow, qtbot: QtBot) -> SolverPanel:
    """Bring a parabola to its minimum by clicking: (A1 - B1)^2 + 1 over A1."""
    document = window.document
    document.new_workbook()
    document.finish()
    sheet = window.grid.sheet_id
    for cell, text in (("A1", "0"), ("B1", "3"), ("C1", "=(A1-B1)^2+B1*2")):
        document.enter(sheet, Cell.parse(cell), text)
    document.finish()
    panel = opened(window)
    panel.form.objective.set_text("C1")
    panel.form.changing.set_text("A1")
    panel.form.changing.line.editingFinished.emit()
    panel.form.starts.show_number(1)
    click(panel.solve)
    qtbot.waitUntil(lambda: window.solver.session.state == "done", timeout=LONG_MS)
    return panel


def test_the_report_button_puts_a_sheet_in_front(window: MainWindow, qtbot: QtBot) -> None:
    panel = solved(window, qtbot)
    click(panel.report)
    window.document.finish()
    names = [sheet.name for sheet in window.document.workbook.sheets]
    assert len(names) == 2
    assert "eport" in names[1]
    assert window.grid.sheet.name == names[1]
    assert window.tabs.tabText(window.tabs.currentIndex()) == names[1]
    window.document.undo()
    window.document.finish()
    assert len(window.document.workbook.sheets) == 1


def test_the_status_bar_follows_the_solver(window: MainWindow, qtbot: QtBot) -> None:
    panel = opened(window)
    panel.form.starts.show_number(1)
    before = window.document.loss_now()
    click(panel.solve)
    qtbot.waitUntil(lambda: window.solver.session.state == "done", timeout=LONG_MS)
    found = window.document.loss_now()
    assert before is not None
    assert found is not None
    assert found < before
    assert any(loss_text(found) in text for text in window.status.texts())
    click(panel.restore)
    assert any(loss_text(before) in text for text in window.status.texts())


def test_the_list_of_constraints_takes_the_room_that_it_needs(window: MainWindow) -> None:
    form = opened(window).form
    heights = [form.list.height()]
    for right in ("0.5", "0.6", "0.7"):
        form.left.set_text("H19:V23")
        form.right.setText(right)
        click(form.add)
        heights.append(form.list.height())
    assert heights[0] == heights[1] < heights[2] < heights[3]


def test_the_best_minimum_stands_first_and_a_click_shows_the_one_that_is_clicked(
    qtbot: QtBot,
) -> None:
    table = MinimaTable(None)
    qtbot.addWidget(table)
    minima = [
        Minimum(start, 4.0, value, 0.0, 10, torch.zeros(1), np.zeros(0))
        for start, value in enumerate((0.9, 0.4, 0.7))
    ]
    table.show_minima(minima, minima[1])
    starts = [table.table.item(row, 0).text() for row in range(3)]
    assert starts == ["2  ★ best", "1", "3"]
    with qtbot.waitSignal(table.chosen) as chosen:
        table.table.cellClicked.emit(1, 0)
    assert chosen.args == [0]


def test_a_range_is_locked_and_rates_are_spread_in_their_tab(window: MainWindow) -> None:
    panel = opened(window)
    table = panel.results.ranges.table
    assert table.rowCount() == 2
    table.item(0, 2).setCheckState(Qt.CheckState.Checked)
    assert [p.locked for p in window.document.problem.parameters].count(True) == 1
    table.item(0, 2).setCheckState(Qt.CheckState.Unchecked)
    assert not any(p.locked for p in window.document.problem.parameters)
    panel.results.ranges.low.show_number(0.1)
    click(panel.results.ranges.spread)
    assert sorted(p.rate_scale for p in window.document.problem.parameters) == [0.1, 1.0]
    assert {table.item(row, 1).text() for row in range(2)} == {"0.1", "1"}


def test_sensitivity_of_the_optimum_is_listed_by_the_selected_cells(
    window: MainWindow, qtbot: QtBot
) -> None:
    panel = solved(window, qtbot)
    tab = panel.results.sensitivity
    window.grid.select(Region.parse("B1"))
    click(tab.button)
    window.document.finish()
    assert tab.table.rowCount() == 1
    assert tab.table.item(0, 0).text() == "B1"
    # The optimum over A1 is 2 * B1: the square is 0 wherever B1 is.
    assert abs(float(tab.table.item(0, 2).text()) - 2.0) < 1e-6


def test_sensitivity_without_a_solution_says_so(window: MainWindow) -> None:
    panel = opened(window)
    click(panel.results.sensitivity.button)
    assert "Press Solve first" in panel.results.sensitivity.note.text()
