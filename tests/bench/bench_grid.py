"""How fast the grid paints, beside a stock QTableView in the same run.

    python tests/bench/bench_grid.py

Prints the median repaint of 1,334 changing numbers, as a full-HD window has, edit to pixels,
without and with a colour scale, and how tables of 25,000,000 x 4 and 100,000 x 10,000 open and
scroll: time, memory, frames a second. Where other work runs beside it the clock on the wall counts
that too: the second column is the time that the processor spent on the frame, and the ratio is
that of the processor times of one run.
"""

from __future__ import annotations

import os
import statistics
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QTableView

from gradsheet.app.uncomputed import Uncomputed
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import Strings
from gradsheet.qt.grid.geometry import COLUMN_WIDTH_PX, ROW_HEIGHT_PX
from gradsheet.qt.grid.view import GridView
from gradsheet.qt.theme import LIGHT, apply_theme
from gradsheet.sheet.colour_scale import ColourScale
from gradsheet.sheet.edits import SetFormat, SetRoles, SetScales
from gradsheet.sheet.formats import FormatChange
from gradsheet.sheet.virtual import Numbers, VirtualStore
from gradsheet.sheet.workbook import Change, Role, RoleRegion, Workbook

WIDTH, HEIGHT = 1920, 960
ROWS, COLUMNS = 46, 29
REGION = Region(0, 0, ROWS, COLUMNS)
TABLES = ((25_000_000, 4), (100_000, 10_000))
TURNS, FRAMES = 3, 40


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


def table_of(rows: int, columns: int, strings: Strings) -> VirtualStore:
    """A table that computes what is read."""

    def column(number: int) -> Numbers:
        return Numbers(f"c{number}", lambda row: row * (number + 7.0) % 59_047 / 2)

    return VirtualStore([column(i) for i in range(columns)], rows, strings)


class Took(NamedTuple):
    """Median time of a frame and the painting that follows it, in ms."""

    wall: float
    processor: float


def frames(application: QApplication, frame: Callable[[int], None]) -> Took:
    """Make frames one after another, and say what one took."""
    wall, processor = [], []
    for i in range(FRAMES):
        start, start_own = time.perf_counter(), time.thread_time()
        frame(i)
        application.processEvents()
        wall.append((time.perf_counter() - start) * 1e3)
        processor.append((time.thread_time() - start_own) * 1e3)
    return Took(statistics.median(wall), statistics.median(processor))


def grid_took(application: QApplication, values: np.ndarray, has_scale: bool = False) -> Took:
    workbook = Workbook.with_sheet("numbers")
    sheet = workbook.sheets[0]
    workbook.apply(SetFormat(sheet.id, REGION, FormatChange(number="0.00")))
    role = RoleRegion(REGION, Role.PREDICTION, "prediction")
    workbook.apply(SetRoles(sheet.id, (role,)))
    if has_scale:
        scale = ColourScale(REGION, "#0072B2", "#D55E00", is_diverging=True)
        workbook.apply(SetScales(sheet.id, (scale,)))
    grid = GridView(BenchDocument(workbook))  # type: ignore[arg-type]
    grid.resize(WIDTH, HEIGHT)
    grid.show()
    application.processEvents()
    visible = grid.visible_region()
    assert visible.contains(REGION), f"only {visible} is visible"

    def frame(i: int) -> None:
        sheet.cells.write(REGION, values[i % len(values)])
        grid.apply_change(Change(values=((sheet.id, REGION),)))

    result = frames(application, frame)
    grid.close()
    grid.deleteLater()
    return result


def table_view_took(application: QApplication, values: np.ndarray, has_scale: bool = False) -> Took:
    model = ArrayModel(has_scale)
    table = QTableView()
    table.setModel(model)
    table.verticalHeader().setDefaultSectionSize(ROW_HEIGHT_PX)
    table.horizontalHeader().setDefaultSectionSize(COLUMN_WIDTH_PX)
    table.resize(WIDTH, HEIGHT)
    table.show()
    application.processEvents()

    def frame(i: int) -> None:
        model.values = values[i % len(values)]
        model.dataChanged.emit(model.index(0, 0), model.index(ROWS - 1, COLUMNS - 1))

    result = frames(application, frame)
    table.close()
    table.deleteLater()
    return result


@dataclass(frozen=True)
class Opened:
    """What opening and scrolling a table took; the memory is that of Python and numpy."""

    open_ms: float
    open_mb: float
    most_mb: float
    smooth_fps: float
    jumping_fps: float


def open_and_scroll(application: QApplication, rows: int, columns: int) -> Opened:
    """Open a table, scroll by three rows or a column a frame, then jump anywhere in it."""
    workbook = Workbook.with_sheet("ratings")
    sheet = workbook.sheets[0]
    sheet.cells = table_of(rows, columns, workbook.strings)
    sheet.extent = sheet.cells.used()  # type: ignore[attr-defined]
    tracemalloc.start()
    before, start = tracemalloc.get_traced_memory()[0], time.perf_counter()
    grid = GridView(BenchDocument(workbook))  # type: ignore[arg-type]
    grid.resize(WIDTH, HEIGHT)
    grid.show()
    application.processEvents()
    open_ms = (time.perf_counter() - start) * 1e3
    after, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    across = COLUMN_WIDTH_PX if columns > COLUMNS else 0
    smooth = frames(application, lambda _: grid.scroll_by(across, 3 * ROW_HEIGHT_PX))
    chance = np.random.default_rng(0)
    jumps = [Cell(int(r), int(c)) for r, c in chance.integers(0, (rows, columns), (FRAMES, 2))]
    jumping = frames(application, lambda i: grid.show_cell(jumps[i]))
    last = Cell(rows, columns - 1)
    grid.show_cell(last)
    application.processEvents()
    assert grid.visible_region().contains(last)
    grid.close()
    grid.deleteLater()
    mb = [(size - before) / 2**20 for size in (after, most)]
    return Opened(open_ms, *mb, 1e3 / smooth.processor, 1e3 / jumping.processor)


def main() -> None:
    application = QApplication.instance() or QApplication([])
    assert isinstance(application, QApplication)
    apply_theme(application, LIGHT)
    values = np.random.default_rng(0).normal(scale=3.0, size=(8, ROWS, COLUMNS))
    grid_took(application, values)  # warm: fonts, glyphs
    cells = f"{ROWS} x {COLUMNS} = {ROWS * COLUMNS:,} changing cells on {WIDTH} x {HEIGHT} px"
    print(f"{cells}, median of {TURNS} x {FRAMES} repaints, in turns")
    for title, has_scale in (("", False), (", colour scale on", True)):
        turns = [
            (
                grid_took(application, values, has_scale),
                table_view_took(application, values, has_scale),
            )
            for _ in range(TURNS)
        ]
        ours, stock = (
            Took(*(statistics.median(part) for part in zip(*column, strict=True)))
            for column in zip(*turns, strict=True)
        )
        share = ours.processor / stock.processor
        for name, took in (("QTableView with data()", stock), ("GridView", ours)):
            print(f"  {name + title:<42} {took.wall:8.1f} ms {took.processor:8.1f} ms")
        print(f"  {'':<42} {share:17.2f} of it")
    for rows, columns in TABLES:
        opened = open_and_scroll(application, rows, columns)
        print(f"{rows:,} x {columns:,}")
        print(f"  opening                  {opened.open_ms:8.0f} ms (traced)")
        print(f"  memory opened            {opened.open_mb:8.2f} MB, at most {opened.most_mb:.2f}")
        print(f"  scrolling 3 rows a frame {opened.smooth_fps:8.0f} fps")
        print(f"  jumping anywhere         {opened.jumping_fps:8.0f} fps")


if __name__ == "__main__":
    main()
