"""A window on a real document, and the rule that a test leaves nothing behind."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication, QMainWindow

from gradsheet import tasks
from gradsheet.qt.theme import LIGHT, apply_theme

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from gradsheet.app.document import Document
    from gradsheet.qt.main_window import MainWindow


@pytest.fixture(autouse=True, scope="session")
def garbage_is_collected_between_tests() -> Iterator[None]:
    """Keep Python's collector off the threads of the tests, as `qt.garbage` does in the program."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(autouse=True)
def nothing_left_behind(qapp: QApplication) -> Iterator[None]:
    """Fail a test after which threads, tasks or windows are still there."""
    threads_before = set(threading.enumerate())
    yield
    qapp.processEvents()
    # No event loop runs between tests, so deferred deletion has to be asked for by name: windows
    # that stay make every later change of the theme slower.
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    for task in tasks.live_tasks():
        assert task.is_done or task.control.cancelled, f"{task} was left running"
        assert task.join(10), f"{task} does not stop"
    left = [t.name for t in set(threading.enumerate()) - threads_before if t.is_alive()]
    assert not [name for name in left if name.startswith(("engine", "training", "reading"))]
    # WORKAROUND(PySide6<6.12): with data on the clipboard the offscreen platform crashes at exit.
    qapp.clipboard().clear()
    if gc.get_count()[0] > 10 * gc.get_threshold()[0]:
        gc.collect(1)
    shown = [w for w in qapp.topLevelWidgets() if w.isVisible()]
    assert not shown, f"windows left open: {shown}"
    kept = [w for w in qapp.topLevelWidgets() if isinstance(w, QMainWindow)]
    assert not kept, f"windows that something still holds: {kept}"


@pytest.fixture
def document() -> Iterator[Document]:
    """Return the first lesson, calculated and ready to run."""
    from gradsheet.app.document import Document

    document = Document()
    document.finish()
    yield document
    document.close()


@pytest.fixture
def window(qapp: QApplication, qtbot: QtBot, document: Document) -> Iterator[MainWindow]:
    """Return a shown window on the first lesson, with its plot, the grid focused."""
    from gradsheet.app.settings import Settings
    from gradsheet.qt.main_window import MainWindow

    apply_theme(qapp, LIGHT)
    window = MainWindow(document, Settings())
    qtbot.addWidget(window)
    window.setWindowState(Qt.WindowState.WindowNoState)
    window.show()
    qtbot.waitExposed(window)
    qapp.processEvents()
    window.resize(1366, 768)  # only now, for a new window is fitted to the screen: 800 x 800 here
    qapp.processEvents()
    assert window.width() == 1366
    window.loss_plot.make_plot()
    window.activateWindow()
    window.grid.setFocus()
    qtbot.waitUntil(lambda: window.grid.hasFocus() or window.grid.viewport().hasFocus())
    yield window
    window.close()
