"""A document without an engine, and a grid on it that shows the lesson's layout."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gradsheet.app.uncomputed import Uncomputed
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import parse
from gradsheet.formula.values import Kind, Scalar, parse_entry, unpack
from gradsheet.qt.grid.view import GridView
from gradsheet.qt.theme import LIGHT, apply_theme
from gradsheet.sheet.cells import Content, Formula
from gradsheet.sheet.edits import Edit, SetCells
from gradsheet.sheet.formats import FormatChange
from gradsheet.sheet.history import History
from gradsheet.sheet.workbook import Change, Role, RoleRegion, Workbook

RATINGS, ITEMS = Region.parse("H2:V16"), Region.parse("H19:V23")
USERS, PREDICTIONS = Region.parse("B25:F39"), Region.parse("H25:V39")
LOSS = Region.parse("V41")


class SheetDocument:
    """What the grid reads and calls of `Document`, without calculation and runs."""

    def __init__(self, workbook: Workbook) -> None:
        self.workbook = workbook
        self.uncomputed = Uncomputed(workbook)
        self.history = History()
        self.changes: list[Change] = []
        self.listeners: list[Callable[[Change], None]] = []

    def apply(self, edit: Edit, label: str | None = None) -> None:
        inverse, change = self.workbook.apply(edit)
        self.history.push(label or edit.label, inverse)
        self.tell(change)

    def content(self, cell: Cell, text: str) -> Content:
        if text.startswith("=") and len(text) > 1:
            return Formula(parse(text, cell))
        return parse_entry(text)

    def enter(self, sheet: int, cell: Cell, text: str) -> None:
        self.apply(SetCells(sheet, ((cell, self.content(cell, text)),)))

    def undo(self) -> None:
        undone = self.history.undo(self.workbook)
        assert undone is not None
        self.tell(undone[1])

    def tell(self, change: Change) -> None:
        self.changes.append(change)
        for listener in self.listeners:
            listener(change)

    def value(self, address: str) -> Scalar:
        value, kind = self.workbook.sheets[0].cells.get(Cell.parse(address))
        return unpack(value, kind, self.workbook.strings)

    def formula(self, address: str) -> Formula | None:
        return self.workbook.sheets[0].cells.formula(Cell.parse(address))

    def put(self, address: str, *rows: tuple[Content, ...]) -> None:
        """Fill cells from an address on, without history."""
        top, left = Cell.parse(address)
        cells = tuple(
            (Cell(top + i, left + j), content)
            for i, row in enumerate(rows)
            for j, content in enumerate(row)
        )
        _, change = self.workbook.apply(SetCells(self.workbook.sheets[0].id, cells))
        self.tell(change)


def lesson_workbook() -> Workbook:
    """The first lesson's layout with planted numbers."""
    workbook = Workbook.with_sheet("dotprod")
    sheet = workbook.sheets[0]
    generator = np.random.default_rng(0)
    items, users = generator.normal(size=ITEMS.shape), generator.normal(size=USERS.shape)
    rated = generator.random(RATINGS.shape) < 0.9
    sheet.cells.write(RATINGS, np.where(rated, 3.0, 0.0), np.where(rated, Kind.NUMBER, Kind.BLANK))
    sheet.cells.write(Region.parse("H2"), 3.0)
    sheet.cells.write(ITEMS, items)
    sheet.cells.write(USERS, users)
    sheet.cells.write(PREDICTIONS, users @ items)
    sheet.cells.write(Region.parse("H25"), 3.25)
    sheet.cells.write(LOSS, 2.34567)
    formula = Formula(parse('=IF(H2="",0,MMULT($B25:$F25,H$19:H$23))', Cell(24, 7)))
    for cell in PREDICTIONS.cells():
        sheet.cells.set_formula(cell, formula)
    change = FormatChange(number="0.00")
    for region in (ITEMS, USERS, PREDICTIONS):
        sheet.formats = sheet.formats.changed(region, change)
    sheet.roles = (
        RoleRegion(RATINGS, Role.DATA, "actual rating"),
        RoleRegion(ITEMS, Role.ITEM, "movie embedding"),
        RoleRegion(USERS, Role.USER, "user embedding"),
        RoleRegion(PREDICTIONS, Role.PREDICTION, "prediction"),
        RoleRegion(LOSS, Role.LOSS, "RMSE"),
    )
    sheet.column_labels[7] = "Braveheart"
    sheet.row_labels[24] = sheet.row_labels[1] = "user 14"
    sheet.column_widths.update(dict.fromkeys(range(22), 50))
    return workbook


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[None]:
    """Every test begins in the light theme."""
    apply_theme(qapp, LIGHT)
    yield
    apply_theme(qapp, LIGHT)


@pytest.fixture
def document() -> SheetDocument:
    """An empty workbook."""
    return SheetDocument(Workbook.with_sheet("Sheet1"))


@pytest.fixture
def lesson() -> SheetDocument:
    """The lesson's layout."""
    return SheetDocument(lesson_workbook())


@pytest.fixture
def show(qtbot: QtBot, theme: None) -> Callable[[SheetDocument], GridView]:
    """Make a grid on a document, shown, with the keyboard."""

    def make(document: SheetDocument) -> GridView:
        grid = GridView(document)  # type: ignore[arg-type]
        qtbot.addWidget(grid)
        document.listeners.append(grid.apply_change)
        grid.resize(1200, 700)
        with qtbot.waitExposed(grid):
            grid.show()
        grid.activateWindow()
        grid.setFocus()
        qtbot.waitUntil(grid.hasFocus)
        return grid

    return make


@pytest.fixture
def grid(document: SheetDocument, show: Callable[[SheetDocument], GridView]) -> GridView:
    """A grid on an empty workbook."""
    return show(document)


@pytest.fixture
def lesson_grid(lesson: SheetDocument, show: Callable[[SheetDocument], GridView]) -> GridView:
    """A grid on the lesson's layout."""
    return show(lesson)


class Hands:
    """Real keys and mouse clicks for whatever has the keyboard."""

    def __init__(self, grid: GridView) -> None:
        self.grid = grid

    def press(self, *keys: str) -> None:
        """Press keys such as `Down`, `Ctrl+Shift+End`, `F2`."""
        for key in keys:
            *held, name = key.split("+")
            modifiers = Qt.KeyboardModifier.NoModifier
            for modifier in held:
                modifiers |= {
                    "Ctrl": Qt.KeyboardModifier.ControlModifier,
                    "Shift": Qt.KeyboardModifier.ShiftModifier,
                    "Alt": Qt.KeyboardModifier.AltModifier,
                }[modifier]
            QTest.keyClick(self._target(), getattr(Qt.Key, f"Key_{name}"), modifiers)

    def type(self, text: str) -> None:
        """Type characters one after another, wherever the keyboard goes meanwhile."""
        for character in text:
            QTest.keyClicks(self._target(), character)

    def _target(self) -> object:
        return QApplication.focusWidget() or self.grid

    def point(self, address: str) -> QPoint:
        """The middle of a cell in the viewport."""
        return self.grid.layout_now.cell_rect(Cell.parse(address)).center()

    def click(
        self,
        place: str | QPoint,
        modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
        button: Qt.MouseButton = Qt.MouseButton.LeftButton,
    ) -> None:
        point = self.point(place) if isinstance(place, str) else place
        QTest.mouseClick(self.grid.viewport(), button, modifier, point)

    def double_click(self, place: str | QPoint) -> None:
        point = self.point(place) if isinstance(place, str) else place
        QTest.mouseDClick(
            self.grid.viewport(),
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
            point,
        )

    def drag(self, start: QPoint, end: QPoint) -> None:
        port = self.grid.viewport()
        left = Qt.MouseButton.LeftButton
        QTest.mousePress(port, left, Qt.KeyboardModifier.NoModifier, start)
        QTest.mouseMove(port, (start + end) / 2)
        QTest.mouseMove(port, end)
        QTest.mouseRelease(port, left, Qt.KeyboardModifier.NoModifier, end)


@pytest.fixture
def hands(grid: GridView) -> Hands:
    """Hands on the empty grid."""
    return Hands(grid)


@pytest.fixture
def lesson_hands(lesson_grid: GridView) -> Hands:
    """Hands on the lesson's grid."""
    return Hands(lesson_grid)


@pytest.fixture
def hands_on() -> Callable[[GridView], Hands]:
    """Hands on a grid of the test's own."""
    return Hands
