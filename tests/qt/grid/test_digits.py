"""Values never lose digits: 10,000 random floats on every way a number can take, bit by bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtCore import QMimeData
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from gradsheet.files.session import Session, load_session, save_session
from gradsheet.files.xlsx_read import read_xlsx
from gradsheet.files.xlsx_write import write_xlsx
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import Kind
from gradsheet.qt.grid.formula_bar import FormulaBar
from gradsheet.qt.grid.view import GridView
from gradsheet.sheet.workbook import Workbook

if TYPE_CHECKING:
    from tests.qt.grid.conftest import Hands, SheetDocument

COUNT = 10_000
IN_BAR, IN_CELL = 200, 300
OPENED = 1_000
TYPED, PASTED = Region(0, 0, COUNT, 1), Region(0, 2, COUNT, 3)
TEXT_PASTED, HTML_PASTED = Region(0, 4, COUNT, 5), Region(0, 6, COUNT, 7)
EVERYWHERE = (TYPED, PASTED, TEXT_PASTED, HTML_PASTED)


def random_floats() -> npt.NDArray[np.float64]:
    """Any finite float64 with the same chance: both signs, every exponent, subnormals too."""
    bits = np.random.default_rng(4).integers(0, 2**64, COUNT + 100, dtype=np.uint64)
    floats = bits.view(np.float64)
    return floats[np.isfinite(floats)][:COUNT].reshape(COUNT, 1)


def put_html(html: str) -> None:
    data = QMimeData()
    data.setHtml(html)
    QGuiApplication.clipboard().setMimeData(data)


@pytest.fixture
def bar(qtbot: QtBot, document: SheetDocument, theme: None) -> Iterator[FormulaBar]:
    """A window with an empty grid and its formula bar, the keyboard in the grid."""
    window = QWidget()
    qtbot.addWidget(window)
    grid = GridView(document, window)  # type: ignore[arg-type]
    document.listeners.append(grid.apply_change)
    bar = FormulaBar(document, grid, window)  # type: ignore[arg-type]
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


def bits_of(workbook: Workbook, region: Region) -> bytes:
    values, kinds = workbook.sheets[0].cells.read(region)
    assert (kinds == Kind.NUMBER).all()
    return values.tobytes()


@pytest.mark.slow
@pytest.mark.timeout(900)  # some twenty seconds where nothing else runs
def test_10000_random_floats_keep_every_bit_through_edit_copy_paste_save_and_load(
    bar: FormulaBar, document: SheetDocument, hands_on: Callable[[GridView], Hands], tmp_path: Path
) -> None:
    grid = bar.parentWidget().findChild(GridView)
    numbers, workbook, hands = random_floats(), document.workbook, hands_on(grid)

    # Typed in the formula bar, typed in the cell, put into the open cell; Enter goes down.
    for row, number in enumerate(numbers[:, 0].tolist()):
        text = repr(number)
        if row < IN_BAR:
            grid.select(Cell(row, 0))
            bar.line.setFocus()
            QTest.keyClicks(bar.line, text)
        elif row < IN_BAR + IN_CELL:
            QTest.keyClicks(grid, text[0])
            QTest.keyClicks(QApplication.focusWidget(), text[1:])
        else:
            QGuiApplication.clipboard().setText(text)
            hands.press("F2", "Ctrl+V")
        hands.press("Return")
    assert grid.current == Cell(COUNT, 0)
    assert bits_of(workbook, TYPED) == numbers.tobytes()

    # F2, then Enter: nothing has changed, and nothing was told or can be undone.
    told, label = len(document.changes), document.history.undo_label
    grid.select(Cell(0, 0))
    for _ in range(OPENED):
        hands.press("F2", "Return")
    assert grid.current == Cell(OPENED, 0)
    assert len(document.changes) == told
    assert document.history.undo_label == label
    assert bits_of(workbook, TYPED) == numbers.tobytes()

    # Copied and pasted: by ourselves, and as the text and the table that others get.
    grid.select(TYPED)
    hands.press("Ctrl+C")
    offered = QGuiApplication.clipboard().mimeData()
    text, html = offered.text(), offered.html()
    grid.select(Cell(0, PASTED.left))
    hands.press("Ctrl+V")
    QGuiApplication.clipboard().setText(text)
    grid.select(Cell(0, TEXT_PASTED.left))
    hands.press("Ctrl+V")
    put_html(html)
    grid.select(Cell(0, HTML_PASTED.left))
    hands.press("Ctrl+V")
    for region in EVERYWHERE:
        assert bits_of(workbook, region) == numbers.tobytes(), region

    # Saved and loaded in both formats.
    save_session(Session(workbook, None, {}), tmp_path / "digits.gradsheet")
    write_xlsx(workbook, tmp_path / "digits.xlsx")
    loaded = load_session(tmp_path / "digits.gradsheet").workbook
    imported = read_xlsx(tmp_path / "digits.xlsx").workbook
    for back in (loaded, imported):
        for region in EVERYWHERE:
            assert bits_of(back, region) == numbers.tobytes(), region
