"""What the whole window does while a lesson trains: frame ticks and steps a second.

    python tests/bench/bench_window.py [SECONDS]

Opens the real window (under Xvfb or offscreen), runs the `bias` lesson at full speed and prints
the intervals between frame ticks, the steps a second, and the same trainer's rate with no window.
"""

from __future__ import annotations

import sys
import time
from argparse import Namespace

from PySide6.QtWidgets import QApplication

from gradsheet.app.messages import MessageLog
from gradsheet.qt.application import create_application, open_window


def main(seconds: float = 10.0) -> None:
    began = time.monotonic()
    application = create_application(["bench"])
    window = open_window(Namespace(theme="light", lesson="bias", path=None), MessageLog())
    window.resize(1920, 1080)
    window.show()
    document = window.document
    wait(application, lambda: document.run_view().state == "idle", 30.0)
    print(f"window and engine ready after {time.monotonic() - began:.2f} s")
    document.start_run()
    wait(application, lambda: document.run_view().step > 100, 10.0)
    window.clock.clear_report()
    first, at = document.run_view().step, time.perf_counter()
    wait(application, lambda: time.perf_counter() - at > seconds, seconds + 10)
    rate = (document.run_view().step - first) / (time.perf_counter() - at)
    report = window.clock.report()
    document.pause_run()
    print(f"{QApplication.platformName()}, 1920 x 1080, lesson bias, {seconds:g} s at full speed")
    print(
        f"  frame ticks {report.ticks}: p50 {report.p50_ms:.1f} ms, p95 {report.p95_ms:.1f} ms, "
        f"p99 {report.p99_ms:.1f} ms, longest {report.longest_ms:.1f} ms (goal: p95 <= 33)"
    )
    trainer = document.run.trainer
    assert trainer is not None
    at = time.perf_counter()
    trainer.advance(5000)
    alone = 5000 / (time.perf_counter() - at)
    print(f"  {rate:,.0f} steps/s while painting (goal: 1,500), {alone:,.0f} without the window")
    window.close()


def wait(application: QApplication, condition, seconds: float) -> None:  # type: ignore[no-untyped-def]
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit("it took too long")
        application.processEvents()
        time.sleep(0.0005)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0)
