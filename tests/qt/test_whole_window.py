"""The whole application in its window: random sequences by key, mouse and slider."""

from __future__ import annotations

import gc
import threading
from pathlib import Path

import pytest
from application_driver import Driver, small_problem
from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gradsheet import tasks
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import Kind, parse_entry, unpack
from gradsheet.qt.main_window import MainWindow

SEQUENCES = 60
MOVES = 8
SETTLED = 20
"""Sequences after which every panel and cache has been used once."""
STEADY_MB = 30.0
DOCKS = ("view.branches", "view.trajectory", "view.gradients", "train.solver")


def resident_mb() -> float | None:
    """Return the resident memory of this process, where the system tells it."""
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    line = next(t for t in status.read_text(encoding="ascii").splitlines() if "VmRSS" in t)
    return int(line.split()[1]) / 1024


class Hands(Driver):
    """Somebody at the window: keys, buttons and the slider where the document has calls."""

    def __init__(self, window: MainWindow, seed: int, path: Path) -> None:
        super().__init__(window.document, seed, path, self.wait)
        self.window = window

    def wait(self) -> None:
        """Let the window do what there is to do."""
        self.document.finish()
        QApplication.processEvents()
        self.document.finish()

    def key(self, key: Qt.Key, modifiers: Qt.KeyboardModifier) -> None:
        """Press a key in the grid."""
        self.window.grid.setFocus()
        QTest.keyClick(self.window.grid, key, modifiers)

    def type(self, cell: Cell, text: str) -> None:
        """See Driver."""
        sheet = self.document.workbook.sheets[0].id
        if self.window.grid.sheet_id != sheet:
            self.window.tabs.setCurrentIndex(0)
        self.window.grid.select(Region.of(cell))
        if not text:
            self.key(Qt.Key.Key_Delete, Qt.KeyboardModifier.NoModifier)
            return
        self.window.grid.setFocus()
        QTest.keyClick(self.window.grid, text[0])
        editor = self.window.grid.editing.editor
        assert QApplication.focusWidget() is editor
        QTest.keyClicks(editor, text[1:])
        QTest.keyClick(editor, Qt.Key.Key_Return)
        if text[0] != "=":
            scalar = parse_entry(text)
            value, kind = self.document.workbook.sheet(sheet).cells.get(cell)
            assert unpack(value, Kind(kind), self.document.workbook.strings) == scalar

    def step(self) -> None:
        """See Driver."""
        for _ in range(self.random.randrange(1, 6)):
            self.key(Qt.Key.Key_Space, Qt.KeyboardModifier.NoModifier)

    def run(self) -> None:
        """See Driver."""
        self.key(Qt.Key.Key_F5, Qt.KeyboardModifier.NoModifier)
        self.wait()
        while self.document.run_view().state == "running" and self.random.random() < 0.97:
            QApplication.processEvents()
            self.document.poll()
        self.document.pause_run()

    def back(self) -> None:
        """See Driver."""
        self.key(Qt.Key.Key_Space, Qt.KeyboardModifier.ShiftModifier)

    def phase(self) -> None:
        """See Driver."""
        self.key(Qt.Key.Key_F6, Qt.KeyboardModifier.NoModifier)

    def scrub(self) -> None:
        """See Driver."""
        slider = self.window.time_bar.slider
        for _ in range(self.random.randrange(1, 5)):
            slider.setValue(self.random.randint(slider.minimum(), slider.maximum()))
            QApplication.processEvents()

    def redo(self) -> None:
        """See Driver."""
        self.key(Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)

    def other(self) -> None:
        """Open or close a dock, or change the size of the window."""
        name = self.random.choice(DOCKS)
        if self.window.actions_by_id.by_id[name].isEnabled():
            self.window.actions_by_id.by_id[name].trigger()
        self.window.resize(self.random.choice((1366, 1100)), 768)


def counts() -> tuple[int, int, int]:
    """Return how many widgets, timers and living threads there are."""
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    widgets = QApplication.allWidgets()
    roots: list[QObject] = [w for w in widgets if w.parent() is None]
    timers = sum(len(root.findChildren(QTimer)) for root in roots)
    return len(widgets), timers, threading.active_count()


@pytest.mark.slow
def test_random_sequences_leak_nothing_and_break_no_invariant(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    document = window.document
    document.finish()
    for name in DOCKS:  # each is made once, the first time that it shows
        for _ in range(2):
            window.actions_by_id.by_id[name].trigger()
            QApplication.processEvents()
    settled: tuple[int, int, int] | None = None
    memory: float | None = None
    for seed in range(SEQUENCES):
        small_problem(document, 1000 + seed)
        document.history.clear()
        hands = Hands(window, 1000 + seed, tmp_path / "a.gradsheet")
        try:
            hands.go(MOVES)
        except Exception as error:
            raise AssertionError(f"sequence {seed}, after {hands.done}: {error!r}") from error
        if seed == SETTLED:
            settled, memory = counts(), resident_mb()
    widgets, timers, threads = counts()
    assert settled is not None
    assert widgets <= settled[0] + 5, "widgets are left behind"
    assert timers <= settled[1] + 2, "timers are left behind"
    assert threads <= settled[2], "threads are left behind"
    assert not [task for task in tasks.live_tasks() if not task.is_done]
    now = resident_mb()
    if memory is not None and now is not None:
        assert now - memory < STEADY_MB, f"memory grew from {memory:.0f} to {now:.0f} MB"
