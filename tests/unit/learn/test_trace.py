"""Facts about the loss trace: nothing is lost, and drawing it stays cheap."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from gradsheet.learn.trace import LossTrace


def trace_of(losses: np.ndarray) -> LossTrace:
    trace = LossTrace(capacity=4)
    for step, loss in enumerate(losses.tolist()):
        trace.append(step, loss)
    return trace


def test_every_point_is_kept_while_the_arrays_grow() -> None:
    losses = np.random.default_rng(0).random(5000)
    steps, kept = trace_of(losses).arrays()
    assert steps.tolist() == list(range(5000))
    assert kept.tolist() == losses.tolist()


def test_arrays_are_read_only_and_later_appends_do_not_change_them() -> None:
    trace = trace_of(np.ones(10))
    steps, losses = trace.arrays()
    for i in range(10, 3000):
        trace.append(i, 2.0)
    assert losses.tolist() == [1.0] * 10
    with pytest.raises(ValueError, match="read-only"):
        losses[0] = 3.0
    with pytest.raises(ValueError, match="read-only"):
        steps[0] = 3


def test_arrays_survive_a_truncation() -> None:
    trace = trace_of(np.arange(10.0))
    _, losses = trace.arrays()
    trace.truncate(5)
    trace.append(5, -1.0)
    assert losses.tolist() == list(range(10))
    assert trace.arrays()[1].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, -1.0]


def test_last_is_the_newest_point() -> None:
    trace = LossTrace()
    assert trace.last() is None
    trace.append(4, 0.5)
    assert trace.last() == (4, 0.5)
    assert len(trace) == 1


def test_short_traces_are_not_thinned() -> None:
    losses = np.random.default_rng(0).random(100)
    steps, kept = trace_of(losses).decimated(100)
    assert steps.tolist() == list(range(100))
    assert kept.tolist() == losses.tolist()


@pytest.mark.parametrize("length", [101, 1000, 4097, 60_001])
@pytest.mark.parametrize("count", [4, 50, 100])
def test_thinned_trace_keeps_ends_and_extremes(length: int, count: int) -> None:
    losses = np.random.default_rng(length).random(length)
    losses[length // 3], losses[length // 2] = 50.0, -50.0
    steps, kept = trace_of(losses).decimated(count)
    assert len(steps) <= count
    assert steps[0] == 0
    assert steps[-1] == length - 1
    assert {50.0, -50.0} <= set(kept.tolist())
    assert (np.diff(steps) > 0).all()
    assert kept.tolist() == losses[steps].tolist()


def test_thinning_a_growing_trace_equals_thinning_it_at_once() -> None:
    losses = np.random.default_rng(1).standard_normal(40_000).cumsum()
    trace = LossTrace()
    for step, loss in enumerate(losses.tolist()):
        trace.append(step, loss)
        if step % 7001 == 0:
            trace.decimated(20)
    steps, kept = trace.decimated(20)
    fresh_steps, fresh = trace_of(losses).decimated(20)
    assert steps.tolist() == fresh_steps.tolist()
    assert kept.tolist() == fresh.tolist()


def test_thinning_after_going_back_shows_the_new_points() -> None:
    trace = trace_of(np.zeros(30_000))
    trace.decimated(20)
    trace.truncate(15_000)
    for step in range(15_000, 30_000):
        trace.append(step, 100.0 if step == 20_000 else 1.0)
    steps, losses = trace.decimated(20)
    assert losses.max() == 100.0
    assert steps[losses.argmax()] == 20_000


def test_nan_does_not_hide_its_neighbours() -> None:
    losses = np.ones(1000)
    losses[500:520] = np.nan
    losses[521] = 9.0
    assert np.nanmax(trace_of(losses).decimated(20)[1]) == 9.0


def test_too_few_points_to_draw_are_refused() -> None:
    with pytest.raises(ValueError, match="3 points"):
        trace_of(np.ones(9)).decimated(3)


def test_reading_while_another_thread_appends_gives_whole_points() -> None:
    trace, stop = LossTrace(capacity=2), threading.Event()

    def write() -> None:
        for step in range(200_000):
            if stop.is_set():
                return
            trace.append(step, float(step))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(200):
            steps, losses = trace.arrays()
            assert steps.tolist()[-50:] == losses.tolist()[-50:]
            steps, losses = trace.decimated(10)
            assert steps.tolist() == losses.tolist()
    finally:
        stop.set()
        writer.join()


def test_a_very_long_trace_keeps_its_extremes_and_its_newest_points() -> None:
    generator = np.random.default_rng(3)
    losses = generator.normal(size=5000)
    trace = LossTrace(most=256)
    for step, loss in enumerate(losses.tolist()):
        trace.append(step, loss)
    steps, kept = trace.arrays()
    assert len(trace) <= 257
    assert (np.diff(steps) > 0).all()
    assert (losses[steps] == kept).all()
    assert losses.min() in kept
    assert losses.max() in kept
    assert steps[-64:].tolist() == list(range(4936, 5000))
    drawn, _ = trace.decimated(40)
    assert drawn[-1] == 4999
