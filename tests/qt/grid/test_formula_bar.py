"""The name box and the formula line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from gradsheet.formula.address import Cell, Region
from gradsheet.qt.grid.formula_bar import FormulaBar
from gradsheet.qt.grid.view import GridView

if TYPE_CHECKING:
    from tests.qt.grid.conftest import Hands, SheetDocument


@pytest.fixture
def bar(qtbot: QtBot, lesson: SheetDocument, theme: None) -> Iterator[FormulaBar]:
    """A window with the lesson's grid and its formula bar."""
    window = QWidget()
    qtbot.addWidget(window)
    grid = GridView(lesson, window)  # type: ignore[arg-type]
    lesson.listeners.append(grid.apply_change)
    bar = FormulaBar(lesson, grid, window)  # type: ignore[arg-type]
    column = QVBoxLayout(window)
    column.addWidget(bar)
    column.addWidget(grid, 1)
    window.resize(1000, 600)
    with qtbot.waitExposed(window):
        window.show()
    window.activateWindow()
    grid.setFocus()
    qtbot.waitUntil(grid.hasFocus)
    yield bar
    window.close()


@pytest.fixture
def keys(bar: FormulaBar, hands_on: Callable[[GridView], Hands]) -> Hands:
    """Hands on the window of the bar."""
    return hands_on(bar._grid)


def test_the_line_shows_the_formula_of_the_current_cell(bar: FormulaBar) -> None:
    bar._grid.select(Cell.parse("H25"))
    assert bar.line.text() == '=IF(H2="",0,MMULT($B25:$F25,H$19:H$23))'
    bar._grid.select(Cell.parse("V39"))
    assert bar.line.text() == '=IF(V16="",0,MMULT($B39:$F39,V$19:V$23))'
    assert bar.name_box.text() == "V39"


def test_the_line_follows_a_change_of_the_current_cell(
    bar: FormulaBar, lesson: SheetDocument
) -> None:
    bar._grid.select(Cell.parse("A1"))
    lesson.put("A1", (0.1 + 0.2,))
    assert bar.line.text() == "0.30000000000000004"


def test_enter_in_the_line_commits_and_moves_down(
    bar: FormulaBar, lesson: SheetDocument, keys: Hands
) -> None:
    bar._grid.select(Cell.parse("A1"))
    bar.line.setFocus()
    keys.type("=1+1")
    keys.press("Return")
    assert lesson.formula("A1") is not None
    assert bar._grid.current == Cell.parse("A2")
    assert bar._grid.hasFocus()


def test_escape_in_the_line_shows_the_cell_again(
    bar: FormulaBar, lesson: SheetDocument, keys: Hands
) -> None:
    bar._grid.select(Cell.parse("V41"))
    bar.line.setFocus()
    keys.type("99")
    keys.press("Escape")
    assert bar.line.text() == "2.34567"
    assert not lesson.changes


def test_what_cannot_be_read_stays_marked_and_explained(
    qtbot: QtBot, bar: FormulaBar, lesson: SheetDocument, keys: Hands
) -> None:
    bar.line.setFocus()
    bar.line.selectAll()
    with qtbot.waitSignal(bar._grid.message):
        keys.type("=SUM(1;")
        keys.press("Return")
    assert bar.line.text() == "=SUM(1;"
    assert bar.line.hasFocus()
    assert bar.error is not None
    assert bar.error.isVisible()
    assert not lesson.changes
    keys.press("Escape")
    assert not bar.error.isVisible()


def test_an_unchanged_line_makes_no_edit(
    bar: FormulaBar, lesson: SheetDocument, keys: Hands
) -> None:
    bar._grid.select(Cell.parse("H25"))
    bar.line.setFocus()
    keys.press("Return")
    assert not lesson.changes


def test_the_name_box_shows_and_selects_regions(bar: FormulaBar, keys: Hands) -> None:
    bar._grid.select(Region.parse("H2:V16"))
    assert bar.name_box.text() == "H2:V16"
    bar.name_box.setFocus()
    keys.type("b25:f39")
    keys.press("Return")
    assert bar._grid.selection == [Region.parse("B25:F39")]
    assert bar._grid.hasFocus()


def test_a_name_that_is_no_address_is_refused(qtbot: QtBot, bar: FormulaBar, keys: Hands) -> None:
    bar.name_box.setFocus()
    with qtbot.waitSignal(bar._grid.message):
        keys.type("A0")
        keys.press("Return")
    assert bar._grid.current == Cell(0, 0)


def test_the_line_shows_what_is_typed_in_the_grid(bar: FormulaBar, keys: Hands) -> None:
    bar._grid.select(Cell.parse("V41"))
    keys.type("=1+2")
    assert bar.line.text() == "=1+2"
    keys.press("Escape")
    assert bar.line.text() == "2.34567"


def test_an_explanation_is_tall_enough_for_its_text(bar: FormulaBar, keys: Hands) -> None:
    bar.line.setFocus()
    bar.line.selectAll()
    keys.type("=FOO(1,,")
    keys.press("Return")
    assert bar.error is not None
    lines = len(bar.error.text().splitlines())
    assert bar.error.height() >= lines * bar.error.fontMetrics().height()
    keys.press("Escape")
