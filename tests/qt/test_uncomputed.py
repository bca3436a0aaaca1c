"""The window shows what cannot be computed, and circles: mark, legend, tip, banner, line."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from gradsheet.app.saving.opening import open_file
from gradsheet.files.xlsx_write import write_xlsx
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import parse
from gradsheet.qt.grid.held_mark import HELD, LEGEND_TEXT
from gradsheet.qt.main_window import MainWindow
from gradsheet.qt.theme import current_theme
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.edits import SetCells
from gradsheet.sheet.workbook import Workbook

B1 = Cell.parse("B1")


@pytest.fixture
def opened(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> MainWindow:
    """A file whose B1 nobody can compute."""
    workbook = Workbook.with_sheet("Sheet1")
    sheet = workbook.sheets[0]
    formula = Formula(parse('=CUBEVALUE("x",A1)', B1))
    workbook.apply(SetCells(sheet.id, ((Cell(0, 0), 2.0), (B1, formula))))
    sheet.cells.write(Region.of(B1), 41.0)
    path = tmp_path / "held.xlsx"
    write_xlsx(workbook, path)
    open_file(window.document, path)
    window.document.finish()
    qtbot.waitUntil(lambda: window.grid.sheet.cells.formula(B1) is not None)
    window.grid.select(Cell.parse("D5"))
    return window


def corner(window: MainWindow, cell: Cell) -> QColor:
    box = window.grid.layout_now.cell_rect(cell)
    return window.grid.viewport().grab(box).toImage().pixelColor(1, 1)


def test_held_cell_bears_a_mark_that_others_do_not(opened: MainWindow) -> None:
    warning = QColor(current_theme().warning)
    assert corner(opened, B1) == warning
    assert corner(opened, Cell.parse("A1")) != warning
    opened.document.enter(opened.grid.sheet_id, B1, "=A1*2")
    opened.document.finish()
    assert corner(opened, B1) != warning


def test_held_cell_says_why_to_a_screen_reader_and_in_its_tip(opened: MainWindow) -> None:
    reason = "not computed here (function CUBEVALUE): the value that the file stored"
    assert opened.grid.accessible_text(B1) == f"B1, 41, {reason}"
    point = opened.grid.layout_now.cell_rect(B1).center()
    assert reason in opened.grid.mouse.tip_at(point)


def test_legend_explains_the_mark_while_there_is_one(opened: MainWindow, qtbot: QtBot) -> None:
    if not opened.sight.has_legend:
        opened.actions_by_id.by_id["view.legend"].trigger()
    assert [(e.role, e.label) for e in opened.sight.legend.entries] == [(HELD, LEGEND_TEXT)]
    opened.document.enter(opened.grid.sheet_id, Cell.parse("A1"), "3")
    opened.document.finish()
    qtbot.waitUntil(lambda: opened.sight.legend.entries == ())


def test_held_cell_is_explained_as_such(opened: MainWindow, qtbot: QtBot) -> None:
    opened.grid.select(B1)
    line = opened.sight.explain
    qtbot.waitUntil(lambda: line.shown is not None and line.shown.explanation.cell == B1)
    assert line.shown is not None
    assert "not computed here (function CUBEVALUE)" in line.shown.explanation.text


def test_circle_is_named_in_the_banner_and_in_the_explain_line(
    window: MainWindow, qtbot: QtBot
) -> None:
    document, sheet = window.document, window.grid.sheet_id
    for address, text in (("X50", "=Y50"), ("Y50", "=X50+1")):
        document.enter(sheet, Cell.parse(address), text)
        document.finish()
    message = window.banner.message
    assert message is not None
    assert (message.level, message.text) == (
        "warning", "Circular reference: X50 → Y50 → X50."
    )  # fmt: skip
    cell = Cell.parse("Y50")
    window.grid.select(cell)
    line = window.sight.explain
    qtbot.waitUntil(lambda: line.shown is not None and line.shown.explanation.cell == cell)
    assert line.shown is not None
    assert "circular reference: Y50 → X50 → Y50" in line.shown.explanation.text
