"""Who collects cyclic garbage, and when."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterator
from itertools import count

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from gradsheet.qt.frame_clock import FrameClock
from gradsheet.qt.garbage import OVERDUE_S, STILL_S, GarbageTurns


class Seconds:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def clock(qapp: QApplication) -> Iterator[FrameClock]:
    holder = QObject()
    clock = FrameClock(lambda: None, lambda: False, holder)
    yield clock
    clock.stop()


@pytest.fixture
def turns(clock: FrameClock, seconds: Seconds) -> Iterator[GarbageTurns]:
    """The collector in its hands, and as it was before when the test is over."""
    limits = gc.get_threshold()
    turns = GarbageTurns(clock, seconds)
    turns.start()
    yield turns
    turns.stop()
    gc.set_threshold(*limits)
    gc.disable()  # as the tests of windows have it


class Mark:
    """Notes on which thread it goes."""

    def __init__(self, gone: list[int]) -> None:
        self.gone = gone

    def __del__(self) -> None:
        self.gone.append(threading.get_ident())


class Panel(QWidget):
    """A widget in a cycle of references, which only the collector can destroy."""

    def __init__(self, gone: list[int]) -> None:
        super().__init__()
        self.held_by = [self]
        self.mark = Mark(gone)


def make_garbage(rounds: int) -> None:
    for _ in range(rounds):
        cycle: list[object] = []
        cycle.append(cycle)


def collected(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The generations that are collected from now on."""
    asked: list[int] = []
    monkeypatch.setattr(gc, "collect", lambda generation=2: asked.append(generation))
    return asked


def test_a_widget_in_a_cycle_is_destroyed_on_the_windows_thread_though_another_makes_garbage(
    turns: GarbageTurns, clock: FrameClock, qtbot: QtBot
) -> None:
    gone: list[int] = []
    done = threading.Event()

    def work() -> None:
        while not done.is_set():
            make_garbage(100)

    workers = [threading.Thread(target=work) for _ in range(2)]
    clock.start()
    for worker in workers:
        worker.start()
    try:
        for _ in range(50):
            Panel(gone)
        qtbot.waitUntil(lambda: len(gone) == 50, timeout=30_000)
    finally:
        done.set()
        for worker in workers:
            worker.join()
    assert set(gone) == {threading.main_thread().ident}


def test_other_threads_collect_nothing_until_it_is_stopped(turns: GarbageTurns) -> None:
    assert not gc.isenabled()
    turns.stop()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
    turns.start()


def test_nothing_is_collected_while_there_is_little_garbage(
    turns: GarbageTurns, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = collected(monkeypatch)
    monkeypatch.setattr(gc, "get_count", lambda: (699, 3, 3))
    turns.turn()
    assert asked == []


@pytest.mark.parametrize(
    ("counts", "generation"), [((700, 3, 0), 0), ((700, 10, 0), 1), ((7000, 0, 0), 1)]
)
def test_a_generation_is_collected_at_its_threshold(
    turns: GarbageTurns,
    monkeypatch: pytest.MonkeyPatch,
    counts: tuple[int, int, int],
    generation: int,
) -> None:
    asked = collected(monkeypatch)
    monkeypatch.setattr(gc, "get_count", lambda: counts)
    turns.turn()
    assert asked == [generation]


def long_collections(
    turns: GarbageTurns, seconds: Seconds, monkeypatch: pytest.MonkeyPatch
) -> list[int]:
    """Let a full collection take 50 ms and be always due; the first has been made."""
    asked: list[int] = []

    def collect(generation: int = 2) -> None:
        asked.append(generation)
        seconds.now += 0.05 if generation == 2 else 0.0

    monkeypatch.setitem(sys.modules, "torch", sys)
    monkeypatch.setattr(gc, "freeze", lambda: None)
    monkeypatch.setattr(gc, "collect", collect)
    monkeypatch.setattr(gc, "get_count", lambda: (0, 0, 10))
    turns.turn()
    assert asked == [2]
    return asked


def test_a_long_full_collection_waits_until_everything_is_still(
    turns: GarbageTurns, clock: FrameClock, seconds: Seconds, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = long_collections(turns, seconds, monkeypatch)
    clock.wake()
    seconds.now += 10 * STILL_S
    turns.turn()
    assert asked == [2]
    clock._set_fast(False)
    seconds.now += 1.01 * STILL_S
    turns.turn()
    assert asked == [2, 2]


def test_a_long_full_collection_comes_in_the_end_though_a_run_is_on(
    turns: GarbageTurns, clock: FrameClock, seconds: Seconds, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = long_collections(turns, seconds, monkeypatch)
    clock.wake()
    seconds.now += 1.01 * OVERDUE_S
    turns.turn()
    assert asked == [2, 2]


def test_full_collections_take_no_more_than_a_hundredth_of_the_time(
    turns: GarbageTurns, clock: FrameClock, seconds: Seconds, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = long_collections(turns, seconds, monkeypatch)
    began = seconds.now
    for _ in count():
        seconds.now += 0.1
        turns.turn()
        if seconds.now - began > 120.0:
            break
    assert 10 < len(asked) <= 120.0 / (100 * 0.05) + 1


def test_what_an_older_workbook_left_is_found_though_it_was_set_apart(
    turns: GarbageTurns, seconds: Seconds, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone: list[int] = []
    left = [Mark(gone)]
    left.append(left)  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "torch", sys)
    turns.turn()
    assert gc.get_freeze_count() > 0
    del left
    gc.collect()
    assert gone == []
    turns.replaced()
    turns.turn()
    assert gone == []
    seconds.now += 1.01 * STILL_S
    turns.turn()
    assert len(gone) == 1
    assert gc.get_freeze_count() > 0
