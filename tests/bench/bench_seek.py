"""From the slider to the screen: how long until another step of a run shows in the window.

    python tests/bench/bench_seek.py [STEPS]

Opens the real window (under Xvfb or offscreen) on `bias`, takes 10,000 steps of Adam, and moves the
slider of time to steps drawn at random: as a drag does (every 60 ms), now and then (the frame clock
ticks slowly by then), and out of a run at full speed. A time ends when the grid has been painted
with the cells of that step. The bound is 100 ms.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from argparse import Namespace

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication

from gradsheet.app.messages import MessageLog
from gradsheet.qt.application import create_application, open_window
from gradsheet.qt.main_window import MainWindow

MOVES = {"drag": 200, "now and then": 40, "out of a run": 40}
PAUSE_S = {"drag": 0.06, "now and then": 0.8, "out of a run": 0.4}


class Seeker(QObject):
    """Moves the slider and waits for the paint of the step it asked for."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._wanted: int | None = None
        self._asked = 0.0
        self.times_ms: list[float] = []
        self.slot_ms: list[float] = []
        window.grid.viewport().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Note when the step that is wanted has been painted."""
        is_there = self._wanted is not None and self._window.document.run.step == self._wanted
        if event.type() == QEvent.Type.Paint and is_there:
            QTimer.singleShot(0, self, self._painted)
        return super().eventFilter(watched, event)

    def _painted(self) -> None:
        if self._wanted is not None:
            self.times_ms.append((time.perf_counter() - self._asked) * 1000)
            self._wanted = None

    @property
    def is_waiting(self) -> bool:
        """Whether a step has been asked for that does not show yet."""
        return self._wanted is not None

    def move(self, step: int) -> None:
        """Move the slider."""
        self._wanted, self._asked = step, time.perf_counter()
        self._window.time_bar.slider.setValue(step)
        self.slot_ms.append((time.perf_counter() - self._asked) * 1000)


def spin(application: QApplication, seconds: float) -> None:
    """Let the window live for so long."""
    timer = QTimer()
    timer.setSingleShot(True)
    timer.timeout.connect(application.exit)
    timer.start(int(seconds * 1000))
    application.exec()


def main(steps: int = 10_000) -> None:
    """Run and print the table."""
    application = create_application(["bench"])
    window = open_window(Namespace(theme="light", lesson="bias", path=None), MessageLog())
    window.resize(1366, 768)
    window.show()
    document = window.document
    while document.run_view().state == "loading":
        spin(application, 0.1)
    document.set_optimizer("adam")
    document.step_run(steps)
    while document.run_view().step < steps:
        spin(application, 0.1)
    seeker, draw = Seeker(window), random.Random(0)
    print(f"{QApplication.platformName()}, {document.run_view().last_step:,} steps of Adam")
    print("moved         median ms   p95 ms  longest ms | in the slider's call: median  longest")
    for name, moves in MOVES.items():
        seeker.times_ms, seeker.slot_ms = [], []
        for _ in range(moves):
            if name == "out of a run":
                document.start_run()
            spin(application, PAUSE_S[name])
            view = document.run_view()
            step = view.step
            while step in (view.step, window.time_bar.slider.value()):
                step = draw.randint(view.first_step, view.last_step)
            seeker.move(step)
            while seeker.is_waiting:
                spin(application, 0.005)
        times = sorted(seeker.times_ms)
        print(f"{name:13s} {statistics.median(times):9.1f} {times[int(len(times) * 0.95)]:8.1f} "
              f"{times[-1]:11.1f} | {statistics.median(seeker.slot_ms):28.1f} "
              f"{max(seeker.slot_ms):8.1f}", flush=True)  # fmt: skip
    window.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
