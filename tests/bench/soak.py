"""An hour of Run: does memory stay, do the frames stay even?

    python tests/bench/soak.py [MINUTES]

Opens the real window (under Xvfb or offscreen) on the `bias` lesson and runs it at full speed.
Every few seconds the time slider is dragged through the run and let go at its end, and the run
goes on. Prints by the minute: resident memory, steps, drags and the intervals of frame ticks; then
the growth of memory from the third minute, when every cache has been filled once, and from the
first.
"""

from __future__ import annotations

import random
import sys
import time
from argparse import Namespace
from pathlib import Path

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication

from gradsheet.app.messages import MessageLog
from gradsheet.qt.application import create_application, open_window
from gradsheet.qt.main_window import MainWindow

SCRUB_EVERY_MS = 4000
DRAG_MS = 60
"""Between two places of a drag."""
PLACES = 12
"""Of one drag."""
SETTLED_MINUTE = 3


def resident_mb() -> float:
    """Return the resident memory of this process in MB."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("this system does not tell the memory of a process")


class Soak(QObject):
    """Drives the window by timers, as a user would."""

    def __init__(self, window: MainWindow, minutes: float) -> None:
        super().__init__(window)
        self.window, self.minutes = window, minutes
        self.began = time.monotonic()
        self.memory: list[float] = []
        self.scrubs, self.left = 0, 0
        self.random = random.Random(0)
        self.timers = {}
        for name, every, call in (
            ("scrub", SCRUB_EVERY_MS, self.scrub),
            ("drag", DRAG_MS, self.drag),
            ("report", 60_000, self.report),
        ):
            timer = QTimer(self)
            timer.setInterval(every)
            timer.timeout.connect(call)
            self.timers[name] = timer

    def start(self) -> None:
        """Run, and begin to drag."""
        print("minute    MB  steps     steps/s  drags  ticks  p50 ms  p95 ms  p99 ms  longest ms")
        self.window.document.start_run()
        self.window.clock.clear_report()
        for name in ("scrub", "report"):
            self.timers[name].start()

    def scrub(self) -> None:
        """Begin a drag through the run."""
        self.left = PLACES
        self.timers["drag"].start()

    def drag(self) -> None:
        """Show another step; at the end of the drag go to the newest and run on."""
        document = self.window.document
        view = document.run_view()
        self.left -= 1
        if self.left > 0:
            document.seek_run(self.random.randint(view.first_step, view.last_step))
            self.window.clock.wake()
            return
        self.scrubs += 1
        self.timers["drag"].stop()
        document.seek_run(view.last_step)
        QTimer.singleShot(300, self, self.go_on)

    def go_on(self) -> None:
        """Run on, unless the machine is so busy that the next drag has begun already."""
        if not self.timers["drag"].isActive():
            self.window.document.start_run()

    def report(self) -> None:
        """Print a line; end after the last minute."""
        clock, view = self.window.clock, self.window.document.run_view()
        ticks = clock.report()
        minute = len(self.memory) + 1
        self.memory.append(resident_mb())
        print(
            f"{minute:6d} {self.memory[-1]:6.1f}  {view.last_step:<9,d} "
            f"{view.last_step / (time.monotonic() - self.began):7,.0f} {self.scrubs:6d} "
            f"{ticks.ticks:6d} {ticks.p50_ms:7.1f} {ticks.p95_ms:7.1f} {ticks.p99_ms:7.1f} "
            f"{ticks.longest_ms:11.1f}",
            flush=True,
        )
        clock.clear_report()
        if minute >= self.minutes:
            for timer in self.timers.values():
                timer.stop()
            QApplication.exit()


def main(minutes: float = 60.0) -> None:
    """Run the soak and print its table."""
    application = create_application(["soak"])
    window = open_window(Namespace(theme="light", lesson="bias", path=None), MessageLog())
    window.resize(1366, 768)
    window.show()
    soak = Soak(window, minutes)

    def begin_when_ready() -> None:
        if window.document.run_view().state == "loading":
            QTimer.singleShot(100, soak, begin_when_ready)
        else:
            soak.start()

    begin_when_ready()
    application.exec()
    memory = soak.memory
    settled = memory[min(SETTLED_MINUTE, len(memory)) - 1]
    print(f"{QApplication.platformName()}, {minutes:g} minutes, {soak.scrubs} drags")
    print(f"growth from minute {SETTLED_MINUTE}: {memory[-1] - settled:+.1f} MB (goal: under 50)")
    print(f"growth from minute 1: {memory[-1] - memory[0]:+.1f} MB")
    print(f"messages: {[m.text for m in window.document.log.messages() if m.level != 'info']}")
    window.close()


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0)
