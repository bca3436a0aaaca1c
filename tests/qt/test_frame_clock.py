"""The clock that brings results in."""

from __future__ import annotations

import threading

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gradsheet.qt import frame_clock
from gradsheet.qt.frame_clock import FRAME_MS, IDLE_MS, FrameClock


@pytest.fixture
def owner() -> QObject:
    return QObject()


def test_a_busy_clock_ticks_at_sixty_hertz(qtbot: QtBot, owner: QObject) -> None:
    clock = FrameClock(lambda: None, lambda: True, owner)
    clock.start()
    qtbot.waitUntil(lambda: clock.report().ticks >= 30)
    clock.stop()
    assert clock.is_fast
    assert clock.report().p50_ms == pytest.approx(FRAME_MS, abs=4)
    assert clock.report().p50_ms <= clock.report().p95_ms <= clock.report().p99_ms


def test_an_idle_clock_slows_down_and_wakes_at_once(
    qtbot: QtBot, owner: QObject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frame_clock, "LINGER_S", 0.05)
    clock = FrameClock(lambda: None, lambda: False, owner)
    clock.start()
    qtbot.waitUntil(lambda: not clock.is_fast)
    assert clock._timer.interval() == IDLE_MS
    clock.wake()
    assert clock.is_fast
    clock.stop()


def test_work_brings_the_clock_back(
    qtbot: QtBot, owner: QObject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frame_clock, "LINGER_S", 0.0)
    busy = False
    clock = FrameClock(lambda: None, lambda: busy, owner)
    clock.start()
    qtbot.waitUntil(lambda: not clock.is_fast)
    monkeypatch.setattr(frame_clock, "LINGER_S", 0.5)
    busy = True
    qtbot.waitUntil(lambda: clock.is_fast)
    clock.stop()


def test_an_error_in_a_poll_does_not_stop_the_clock(qtbot: QtBot, owner: QObject) -> None:
    calls = []

    def poll() -> None:
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("broken once")

    clock = FrameClock(poll, lambda: True, owner)
    with qtbot.captureExceptions() as caught:
        clock.start()
        qtbot.waitUntil(lambda: len(calls) >= 5)
    clock.stop()
    assert len(caught) == 1


def test_every_tick_is_announced_after_the_poll(qtbot: QtBot, owner: QObject) -> None:
    order: list[str] = []
    clock = FrameClock(lambda: order.append("poll"), lambda: True, owner)
    clock.ticked.connect(lambda: order.append("tick"))
    clock.start()
    qtbot.waitUntil(lambda: len(order) >= 4)
    clock.stop()
    assert order[:4] == ["poll", "tick", "poll", "tick"]


def test_a_thread_that_asks_is_polled_before_the_next_tick(
    qtbot: QtBot, owner: QObject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frame_clock, "IDLE_MS", 3_600_000)
    monkeypatch.setattr(frame_clock, "FRAME_MS", 3_600_000)
    polls: list[int] = []
    clock = FrameClock(lambda: polls.append(threading.get_ident()), lambda: False, owner)
    clock.start()
    for _ in range(3):
        asking = threading.Thread(target=clock.ask)
        asking.start()
        asking.join()
    qtbot.waitUntil(lambda: bool(polls))
    clock.stop()
    assert polls == [threading.main_thread().ident]
    assert clock.ticks == 0


def test_a_clock_that_was_stopped_answers_nobody(qtbot: QtBot, owner: QObject) -> None:
    polls: list[int] = []
    clock = FrameClock(lambda: polls.append(1), lambda: False, owner)
    clock.ask()
    QApplication.processEvents()
    assert polls == []
