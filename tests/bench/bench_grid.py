"""How fast the grid paints, beside a stock QTableView in the same run.

    python tests/bench/bench_grid.py

Prints the median repaint of 40 x 27 changing numbers, edit to pixels, without and with a colour
scale, and the frames a second while a table of 25,000,000 x 4 scrolls. Compare the ratio, not
the milliseconds.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QTableView

from gradsheet.app.uncomputed import Uncomputed
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import Kind
from gradsheet.qt.grid.geometry import COLUMN_WIDTH_PX, ROW_HEIGHT_PX
from gradsheet.qt.grid.view import GridView
from gradsheet.qt.theme import LIGHT, apply_theme
from gradsheet.sheet.cells import Direction
from gradsheet.sheet.colour_scale import ColourScale
from gradsheet.sheet.edits import SetFormat, SetRoles, SetScales
from gradsheet.sheet.formats import FormatChange
from gradsheet.sheet.workbook import Change, Role, RoleRegion, Workbook

ROWS, COLUMNS = 40, 27
REGION = Region(0, 0, ROWS, COLUMNS)
LONG, WIDE = 25_000_000, 4
FRAMES = 60


class BenchDocument:
    """As much of a document as the grid reads."""

    def __init__(self, workbook: Workbook) -> None:
        self.workbook = workbook
        self.uncomputed = Uncomputed(workbook)


class ArrayModel(QAbstractTableModel):
    """The usual model on an array: two decimals, right-aligned, a ground by role."""

    def __init__(self, has_scale: bool) -> None:
        super().__init__()
        self.values = np.zeros((ROWS, COLUMNS))
        self._has_scale = has_scale
        self._ground = QColor(LIGHT.role_tint("prediction"))
        self._align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008
        return ROWS

    def columnCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008
        return COLUMNS

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = 0) -> object:
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{self.values[index.row(), index.column()]:.2f}"
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._align
        if role == Qt.ItemDataRole.BackgroundRole:
            if not self._has_scale:
                return self._ground
            share = min(max(float(self.values[index.row(), index.column()]) / 18 + 0.5, 0.0), 1.0)
            return QColor.fromRgbF(1 - share / 2, 0.8, 0.5 + share / 2)
        return None


class LongTable:
    """A table of 25 million rows that computes what is read: id, user, movie, rating."""

    def used(self) -> Region:
        return Region(0, 0, LONG, WIDE)

    def read(self, region: Region) -> tuple[np.ndarray, np.ndarray]:
        rows = np.arange(region.top, region.bottom, dtype=np.float64)[:, None]
        table = np.hstack([rows, rows % 162_541, rows * 7 % 59_047, rows % 10 / 2 + 0.5])
        kinds = np.full(region.shape, Kind.NUMBER, np.uint8)
        return table[:, region.left : region.right], kinds

    def get(self, cell: tuple[int, int]) -> tuple[float, Kind]:
        return float(self.read(Region.of(cell))[0][0, 0]), Kind.NUMBER

    def formula(self, cell: tuple[int, int]) -> None:
        return None

    def next_edge(
        self, cell: tuple[int, int], direction: Direction, limit: Region | None = None
    ) -> Cell:
        return Cell(*cell)


def median_ms(application: QApplication, frame: Callable[[int], None]) -> float:
    """Median time in ms of a frame and the painting that follows it."""
    times = []
    for i in range(FRAMES):
        start = time.perf_counter()
        frame(i)
        application.processEvents()
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


def grid_ms(application: QApplication, values: np.ndarray, has_scale: bool = False) -> float:
    workbook = Workbook.with_sheet("numbers")
    sheet = workbook.sheets[0]
    workbook.apply(SetFormat(sheet.id, REGION, FormatChange(number="0.00")))
    role = RoleRegion(REGION, Role.PREDICTION, "prediction")
    workbook.apply(SetRoles(sheet.id, (role,)))
    if has_scale:
        scale = ColourScale(REGION, "#0072B2", "#D55E00", is_diverging=True)
        workbook.apply(SetScales(sheet.id, (scale,)))
    grid = GridView(BenchDocument(workbook))  # type: ignore[arg-type]
    grid.resize(1900, 960)
    grid.show()
    application.processEvents()
    visible = grid.visible_region()
    assert visible.contains(REGION), f"only {visible} is visible"

    def frame(i: int) -> None:
        sheet.cells.write(REGION, values[i % len(values)])
        grid.apply_change(Change(values=((sheet.id, REGION),)))

    result = median_ms(application, frame)
    grid.close()
    grid.deleteLater()
    return result


def table_view_ms(application: QApplication, values: np.ndarray, has_scale: bool = False) -> float:
    model = ArrayModel(has_scale)
    table = QTableView()
    table.setModel(model)
    table.verticalHeader().setDefaultSectionSize(ROW_HEIGHT_PX)
    table.horizontalHeader().setDefaultSectionSize(COLUMN_WIDTH_PX)
    table.resize(1900, 960)
    table.show()
    application.processEvents()

    def frame(i: int) -> None:
        model.values = values[i % len(values)]
        model.dataChanged.emit(model.index(0, 0), model.index(ROWS - 1, COLUMNS - 1))

    result = median_ms(application, frame)
    table.close()
    table.deleteLater()
    return result


def scrolling_fps(application: QApplication) -> tuple[float, float]:
    """Frames a second scrolling three rows a frame, and jumping anywhere."""
    workbook = Workbook.with_sheet("ratings")
    sheet = workbook.sheets[0]
    sheet.cells = LongTable()  # type: ignore[assignment]
    sheet.extent = Region(0, 0, LONG, WIDE)  # type: ignore[attr-defined]
    grid = GridView(BenchDocument(workbook))  # type: ignore[arg-type]
    grid.resize(1900, 960)
    grid.show()
    application.processEvents()
    smooth = median_ms(application, lambda _: grid.scroll_by(0, 3 * ROW_HEIGHT_PX))
    jumps = np.random.default_rng(0).integers(0, LONG, FRAMES).tolist()
    jumping = median_ms(application, lambda i: grid.show_cell(Cell(jumps[i], 0)))
    grid.show_cell(Cell(LONG - 1, 0))
    application.processEvents()
    assert grid.visible_region().bottom == LONG
    grid.close()
    grid.deleteLater()
    return 1e3 / smooth, 1e3 / jumping


def main() -> None:
    application = QApplication.instance() or QApplication([])
    assert isinstance(application, QApplication)
    apply_theme(application, LIGHT)
    values = np.random.default_rng(0).normal(scale=3.0, size=(8, ROWS, COLUMNS))
    grid_ms(application, values)  # warm: fonts, glyphs
    smooth, jumping = scrolling_fps(application)
    print(f"{ROWS} x {COLUMNS} changing numbers, median of 5 x {FRAMES} repaints, in turns")
    for title, has_scale in (("", False), (", colour scale on", True)):
        turns = [
            (grid_ms(application, values, has_scale), table_view_ms(application, values, has_scale))
            for _ in range(5)
        ]
        ours, stock = (statistics.median(column) for column in zip(*turns, strict=True))
        print(f"  QTableView with data(){title:<20} {stock:8.1f} ms")
        print(f"  GridView{title:<34} {ours:8.1f} ms   {ours / stock:.2f} of it")
    print(f"{LONG:,} x {WIDE}")
    print(f"  scrolling 3 rows a frame {smooth:8.0f} fps")
    print(f"  jumping anywhere         {jumping:8.0f} fps")


if __name__ == "__main__":
    main()
