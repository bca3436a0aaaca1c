"""The thread that calculates, and how it tells that it has done so."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from gradsheet.app.engine import Engine


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine()
    yield engine
    engine.close()


def test_it_tells_on_its_own_thread_when_a_result_can_be_taken(engine: Engine) -> None:
    told = threading.Event()
    threads: list[int] = []
    results: list[int] = []

    def on_done() -> None:
        threads.append(threading.get_ident())
        told.set()

    engine.on_done = on_done
    may_end = threading.Event()
    engine.submit(lambda: may_end.wait() and 3, results.append, results.append, "counting")
    assert not told.is_set()
    may_end.set()
    assert told.wait(60)
    engine.settle(0.0)
    assert results == [3]
    assert threads[0] != threading.main_thread().ident


def test_it_tells_of_a_job_that_fails(engine: Engine) -> None:
    told, faults = threading.Event(), list[BaseException]()

    def fail() -> None:
        raise ValueError("no")

    engine.on_done = told.set
    engine.submit(fail, lambda _: None, faults.append, "failing")
    assert told.wait(60)
    engine.settle(0.0)
    assert str(faults[0]) == "no"
