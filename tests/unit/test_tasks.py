"""Facts about tasks: newest yield wins, and work can be paused, resumed and cancelled at will."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Generator, Iterator

import pytest

from gradsheet.tasks import Cancelled, Control, Pace, Progress, Task, cancel_all, live_tasks

PATIENCE = 10.0  # seconds until a test gives up waiting for a condition


@pytest.fixture(autouse=True)
def no_task_left() -> Iterator[None]:
    yield
    assert cancel_all(PATIENCE) == ()
    assert live_tasks() == ()


def counting(count: int) -> Generator[int, None, str]:
    yield from range(count)
    return "counted"


def finish(task: Task[int, str]) -> Task[int, str]:
    assert task.start().join(PATIENCE)
    return task


class Endless:
    """Work that ticks for ever; a test can wait for ticks and see that none come."""

    def __init__(self, yields: bool = True) -> None:
        self.ticks = 0
        self.ticked = threading.Event()
        self.closed = threading.Event()
        self.yields = yields

    def __call__(self, control: Control) -> Generator[int, None, None]:
        try:
            while True:
                self.ticks += 1
                self.ticked.set()
                if self.yields:
                    yield self.ticks
                else:
                    control.checkpoint()
        finally:
            self.closed.set()

    def wait_for_tick(self) -> None:
        self.ticked.clear()
        assert self.ticked.wait(PATIENCE)


def test_result_is_what_the_generator_returned() -> None:
    task = finish(Task("count", lambda control: counting(3)))
    assert task.is_done
    assert task.result() == "counted"
    assert task.error is None
    assert not task.is_cancelled


def test_newest_yield_wins_and_older_ones_are_dropped() -> None:
    task = finish(Task("count", lambda control: counting(1000)))
    assert task.latest() == 999
    assert task.latest() is None


def test_each_yield_is_given_once() -> None:
    gate, handed = threading.Event(), threading.Event()

    def gated(control: Control) -> Generator[int, None, None]:
        yield 1
        handed.set()
        gate.wait(PATIENCE)
        yield 2

    task = Task("gated", gated).start()
    assert handed.wait(PATIENCE)
    assert task.latest() == 1
    assert task.latest() is None
    gate.set()
    assert task.join(PATIENCE)
    assert task.latest() == 2
    assert task.latest() is None


def test_concurrent_readers_never_see_a_yield_twice() -> None:
    task = Task("count", lambda control: counting(20_000))
    seen: list[list[int]] = [[], []]

    def read(mine: list[int]) -> None:
        while not task.is_done:
            value = task.latest()
            if value is not None:
                mine.append(value)

    readers = [threading.Thread(target=read, args=(mine,)) for mine in seen]
    task.start()
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(PATIENCE)
    both = seen[0] + seen[1]
    assert len(both) == len(set(both))
    assert all(mine == sorted(mine) for mine in seen)


def test_a_result_asked_too_early_is_refused() -> None:
    work = Endless()
    task = Task("endless", work).start()
    with pytest.raises(RuntimeError, match="endless"):
        task.result()
    task.cancel()


def test_generator_is_made_in_the_thread() -> None:
    where: list[str] = []

    def make(control: Control) -> Generator[int, None, str]:
        where.append(threading.current_thread().name)
        return counting(1)

    finish(Task("worker", make))
    assert where == ["worker"]


def test_thread_is_a_daemon() -> None:
    daemons: list[bool] = []

    def make(control: Control) -> Generator[int, None, str]:
        daemons.append(threading.current_thread().daemon)
        return counting(1)

    finish(Task("worker", make))
    assert daemons == [True]


def test_pause_stops_yielding_work_until_resume() -> None:
    work = Endless()
    task = Task("endless", work).start()
    work.wait_for_tick()
    task.pause()
    assert task.control.wait_until_paused(PATIENCE)
    stopped_at = work.ticks
    assert task.latest() == stopped_at
    assert task.latest() is None
    task.resume()
    work.wait_for_tick()
    assert work.ticks > stopped_at
    task.cancel()


def test_pause_takes_effect_at_the_next_checkpoint() -> None:
    work = Endless(yields=False)
    task = Task("endless", work).start()
    work.wait_for_tick()
    before = work.ticks
    task.pause()
    assert task.control.wait_until_paused(PATIENCE)
    stopped_at = work.ticks
    assert stopped_at >= before
    assert "paused" in repr(task)
    assert work.ticks == stopped_at
    task.cancel()


def test_pause_before_start_holds_the_work_back() -> None:
    work = Endless()
    task = Task("endless", work)
    task.pause()
    task.start()
    assert task.control.wait_until_paused(PATIENCE)
    assert work.ticks == 0
    task.resume()
    work.wait_for_tick()
    task.cancel()


def test_pausing_many_times_loses_no_step() -> None:
    seen: list[int] = []

    def steps(control: Control) -> Generator[int, None, None]:
        for i in range(50):
            control.checkpoint()
            seen.append(i)
            control.pause()
            yield i

    task = Task("steps", steps).start()
    for expected in range(50):
        assert task.control.wait_until_paused(PATIENCE)
        assert task.latest() == expected
        task.resume()
    assert task.join(PATIENCE)
    assert seen == list(range(50))


@pytest.mark.parametrize("yields", [True, False])
def test_cancel_ends_running_work_and_runs_its_finally(yields: bool) -> None:
    work = Endless(yields)
    task = Task("endless", work).start()
    work.wait_for_tick()
    task.cancel()
    assert task.join(PATIENCE)
    assert work.closed.is_set()
    assert task.is_cancelled
    assert task.error is None
    with pytest.raises(Cancelled):
        task.result()


def test_cancel_ends_paused_work() -> None:
    work = Endless()
    task = Task("endless", work).start()
    work.wait_for_tick()
    task.pause()
    assert task.control.wait_until_paused(PATIENCE)
    task.cancel()
    assert task.join(PATIENCE)
    assert work.closed.is_set()
    assert task.is_cancelled


def test_cancel_before_start_runs_nothing() -> None:
    work = Endless()
    task = Task("endless", work)
    task.cancel()
    assert task.start().join(PATIENCE)
    assert work.ticks == 0
    assert task.is_cancelled


def test_last_yield_of_cancelled_work_can_still_be_fetched() -> None:
    def last_words(control: Control) -> Generator[str, None, None]:
        yield "first"
        while not control.cancelled:
            control.wait(PATIENCE)
        yield "last"
        raise AssertionError("a cancelled task must not go on after a yield")

    task = Task("last words", last_words).start()
    task.cancel()
    assert task.join(PATIENCE)
    assert task.latest() in ("first", "last", None)
    assert task.error is None


def test_except_exception_in_the_work_does_not_swallow_cancel() -> None:
    started = threading.Event()

    def stubborn(control: Control) -> Generator[int, None, None]:
        while True:
            try:
                started.set()
                control.checkpoint()
            except Exception:
                yield 0

    task = Task("stubborn", stubborn).start()
    assert started.wait(PATIENCE)
    task.cancel()
    assert task.join(PATIENCE)
    assert task.is_cancelled


def test_error_keeps_its_traceback_and_result_raises_it() -> None:
    def culprit(control: Control) -> Generator[int, None, None]:
        yield 1
        raise ValueError("broken rating")

    task = Task("culprit", culprit).start()
    assert task.join(PATIENCE)
    assert task.is_done
    assert isinstance(task.error, ValueError)
    assert "in culprit" in "".join(traceback.format_exception(task.error))
    assert task.latest() == 1
    with pytest.raises(ValueError, match="broken rating"):
        task.result()


def test_error_while_making_the_generator_is_kept() -> None:
    def make(control: Control) -> Generator[int, None, None]:
        raise OSError("no such file")

    task = Task("make", make).start()
    assert task.join(PATIENCE)
    assert isinstance(task.error, OSError)


def test_error_in_the_cleanup_of_cancelled_work_is_kept() -> None:
    started = threading.Event()

    def messy(control: Control) -> Generator[int, None, None]:
        try:
            while True:
                started.set()
                yield 1
        finally:
            raise OSError("disk full")

    task = Task("messy", messy).start()
    assert started.wait(PATIENCE)
    task.cancel()
    assert task.join(PATIENCE)
    assert isinstance(task.error, OSError)


def test_a_task_starts_once() -> None:
    task = finish(Task("count", lambda control: counting(1)))
    with pytest.raises(RuntimeError):
        task.start()


def test_a_start_does_not_wait_for_the_new_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    may_begin = threading.Event()
    task = Task("late", lambda control: counting(1))
    start = task._thread.start

    def late() -> None:
        may_begin.wait()
        start()

    monkeypatch.setattr(task._thread, "start", late)
    task.start()
    assert not task.join(0.01)
    assert task in live_tasks()
    may_begin.set()
    assert task.join(PATIENCE)
    assert task not in live_tasks()


def test_a_thread_that_the_system_refuses_is_an_error_of_the_task(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    task = Task("refused", Endless())

    def refuse() -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(task._thread, "start", refuse)
    assert task.start().join(PATIENCE)
    assert "new thread" in str(task.error)
    assert task not in live_tasks()


def test_live_tasks_lists_started_tasks_until_they_end() -> None:
    work = Endless()
    task = Task("endless", work)
    assert task not in live_tasks()
    task.start()
    assert task in live_tasks()
    task.cancel()
    assert task.join(PATIENCE)
    assert task not in live_tasks()


def test_cancel_all_ends_running_and_paused_tasks() -> None:
    running = Task("running", Endless()).start()
    paused = Task("paused", Endless()).start()
    paused.pause()
    assert paused.control.wait_until_paused(PATIENCE)
    assert cancel_all(PATIENCE) == ()
    assert running.is_cancelled
    assert paused.is_cancelled


def test_join_gives_up_after_its_timeout() -> None:
    task = Task("endless", Endless()).start()
    assert not task.join(0.001)
    task.cancel()


def test_wait_ends_early_when_asked() -> None:
    waiting, ended = threading.Event(), threading.Event()

    def sleeper(control: Control) -> Generator[int, None, bool]:
        waiting.set()
        asked = control.wait(3600.0)
        ended.set()
        yield 1
        return asked

    task = Task("sleeper", sleeper).start()
    assert waiting.wait(PATIENCE)
    task.pause()
    assert ended.wait(PATIENCE)
    task.resume()
    assert task.join(PATIENCE)
    assert task.result() is True


def test_wait_of_no_time_returns_at_once() -> None:
    assert Control().wait(0.0) is False
    assert Control().wait(-1.0) is False


def test_checkpoint_of_which_nothing_is_asked_costs_well_under_a_microsecond() -> None:
    control = Control()
    best = float("inf")
    for _ in range(20):
        began = time.perf_counter()
        for _ in range(1000):
            control.checkpoint()
        best = min(best, (time.perf_counter() - began) / 1000)
    assert best < 0.5e-6


def test_remaining_time_follows_the_pace() -> None:
    now = 100.0
    pace = Pace(1000.0, clock=lambda: now)
    assert pace.progress(0, "Reading") == Progress(0.0, "Reading", None)
    now = 102.0
    assert pace.progress(250, "Reading") == Progress(0.25, "Reading", 6.0)
    assert pace.progress(1000, "Reading") == Progress(1.0, "Reading", 0.0)


def test_more_done_than_planned_is_all_done() -> None:
    pace = Pace(10.0)
    assert pace.progress(11.0, "Reading").fraction == 1.0


def test_unknown_total_gives_no_fraction() -> None:
    assert Pace(None).progress(10, "Reading") == Progress(None, "Reading", None)
    assert Pace(0).progress(10, "Reading") == Progress(None, "Reading", None)


def test_pauses_do_not_count_as_elapsed_time() -> None:
    now = 0.0
    control = Control()
    pace = Pace(100.0, control, clock=lambda: now)
    control._paused_s = 8.0
    now = 10.0
    assert pace.progress(50, "Reading").remaining_s == pytest.approx(2.0)
