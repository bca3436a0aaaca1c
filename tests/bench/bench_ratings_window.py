"""A file of 25 million ratings in the real window: preview, load, crosstab, training, cancel.

    python tests/bench/bench_ratings_window.py [--ratings N] [--file FILE] [--write FILE]

Makes the file in a temporary folder (or takes FILE, which it makes if it is not there), opens it
as a user would, offscreen or on a display, and prints a table: how long each phase took, the gaps
between the ticks of a 5-ms timer in the window's thread, how soon a cancel has taken effect, and
the most memory held in each stretch. The bare pandas read of the same file runs in a process of
its own before and after. ``--write`` puts the table between the markers ``window`` of a file.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import statistics
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication

from gradsheet.app.messages import MessageLog
from gradsheet.app.ratings.embedding_edits import edit_row
from gradsheet.app.ratings.pairs import pairs_of
from gradsheet.app.ratings.workbook import OtherPairs
from gradsheet.qt.application import create_application, open_window
from gradsheet.tasks import Control, Task, live_tasks

TICK_MS = 5
GOALS = {"preview": 1.0, "load": 1.6, "gap": 50.0, "cancel": 0.5, "memory": 3.0}
"""Seconds, times the bare read, milliseconds, seconds, GB."""
CANCELS = 8
TRAINING_S = 15.0


def make_file(path: str, count: int) -> None:
    """Write made-up ratings as MovieLens has them, in the order of the users."""
    import pandas as pd

    from gradsheet.ratings.synthetic import synthetic_ratings

    users, items = max(count // 154, 60), max(count // 423, 40)
    table, _ = synthetic_ratings(users, items, count, factors=10, noise=0.75, seed=0)
    times = np.random.default_rng(0).integers(800_000_000, 1_500_000_000, count)
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        file.write("userId,movieId,rating,timestamp\n")
        for begin in range(0, count, 1 << 20):
            part = slice(begin, begin + (1 << 20))
            columns = (table.users[part] + 1, table.items[part] + 1, table.ratings[part])
            frame = pd.DataFrame(dict(enumerate((*columns, times[part]))))
            frame.to_csv(file, header=False, index=False, lineterminator="\n")


def bare_read(path: str) -> tuple[float, float]:
    """Return the seconds of `pandas.read_csv` as it comes, and with columns and types given."""
    import pandas as pd

    types = {"userId": np.int32, "movieId": np.int32, "rating": np.float32, "timestamp": np.int64}
    began = time.perf_counter()
    pd.read_csv(path)
    plain = time.perf_counter() - began
    gc.collect()
    began = time.perf_counter()
    pd.read_csv(path, usecols=list(types), dtype=types)
    return plain, time.perf_counter() - began


def elsewhere(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a function returns in a process of its own, so that its memory is not ours."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


class Memory:
    """The most memory this process has held in each stretch of the journey, in GB (Linux)."""

    def __init__(self) -> None:
        self.most: dict[str, tuple[float, float]] = {}

    def note(self, stretch: str) -> None:
        """Record the most since the last note and what is held now, and begin anew."""
        lines = Path("/proc/self/status").read_text().splitlines()
        sizes = dict(x.split(":", 1) for x in lines if x.startswith(("VmHWM", "VmRSS")))
        peak, now = (int(sizes[key].split()[0]) / (1 << 20) for key in ("VmHWM", "VmRSS"))
        self.most[stretch] = peak, now
        Path("/proc/self/clear_refs").write_text("5")

    @property
    def peak(self) -> float:
        """The most of all."""
        return max(peak for peak, _ in self.most.values())


class Ticks:
    """Gaps between the ticks of a timer, by phase."""

    def __init__(self) -> None:
        self.gaps: dict[str, list[float]] = {}
        self._phase: str | None = None
        self._last = 0.0
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    @contextmanager
    def during(self, phase: str) -> Iterator[None]:
        """Record the gaps of what happens inside."""
        self.gaps.setdefault(phase, [])
        self._phase, self._last = phase, time.perf_counter()
        try:
            yield
        finally:
            self.gaps[phase].append((time.perf_counter() - self._last) * 1000)
            self._phase = None

    def _tick(self) -> None:
        now = time.perf_counter()
        if self._phase is not None:
            self.gaps[self._phase].append((now - self._last) * 1000)
        self._last = now


class Bench:
    """The window, and the phases of the journey."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.application: QApplication = create_application(["bench"])
        self.window = open_window(Namespace(theme="light", lesson="dotprod", path=None),
                                  MessageLog())  # fmt: skip
        self.window.resize(1920, 1080)
        self.window.show()
        self.document = self.window.document
        self.ticks = Ticks()
        self.wait(lambda: self.document.run_view().state == "idle", 60)
        self.seconds: dict[str, float] = {}
        self.cancels: dict[str, list[float]] = {}
        self.random = np.random.default_rng(0)

    def wait(self, condition: Callable[[], bool], seconds: float = 600.0) -> float:
        """Let the window live until something holds; return how long that took."""
        began = time.perf_counter()
        while not condition():
            if time.perf_counter() - began > seconds:
                raise SystemExit("it took too long")
            self.application.processEvents()
            time.sleep(0.001)  # the application's own loop sleeps, too
        return time.perf_counter() - began

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time a phase and record its ticks."""
        began = time.perf_counter()
        with self.ticks.during(name):
            yield
        self.seconds[name] = time.perf_counter() - began

    def preview(self) -> None:
        """From the choice of the file to the rows on the screen."""
        opening = self.window.opening
        with self.phase("preview"):
            self.window.open_ratings(self.path)
            self.wait(lambda: opening.dialog is not None and opening.dialog.isVisible())
            self.application.processEvents()

    def accept(self) -> None:
        """Read what the preview shows."""
        dialog = self.window.opening.dialog
        assert dialog is not None
        dialog._accept()  # as the button does

    def cancel_loads(self, load_s: float) -> None:
        """Give up loading at moments all over its time; the thread has to end, too."""
        opening = self.window.opening
        for share in np.linspace(0.05, 0.97, CANCELS):
            self.window.open_ratings(self.path, ask=False)
            self.wait(lambda: opening.is_reading)
            began = time.perf_counter()
            self.wait(lambda b=began, s=share: time.perf_counter() - b > s * load_s
                      or not opening.is_busy)  # fmt: skip
            if opening.is_busy:
                opening.cancel()
                self._until_quiet("load")

    def load(self) -> None:
        """From the click on Open to the workbook of the rating set."""
        with self.phase("load"):
            self.accept()
            self.wait(lambda: self.document.ratings is not None and not self.window.opening.is_busy)

    def prepare(self) -> None:
        """Setting the validation part aside and making the model."""
        session = self.session
        with self.phase("set aside"):
            self.wait(lambda: not session.is_at_work)

    @property
    def session(self) -> Any:
        """The rating set that is open."""
        assert self.document.ratings is not None
        return self.document.ratings

    def crosstab(self) -> None:
        """Choose 60 other users by 60 other items, and give the choosing up."""
        table, book = self.session.table, self.document.ratings_book
        assert book is not None
        users = self.random.choice(table.n_users, 60, replace=False)
        items = self.random.choice(table.n_items, 60, replace=False)

        def find(control: Control) -> Generator[None, None, Any]:  # as the dialog does
            yield
            pairs = pairs_of(table, users, items, control)
            return (yield from book.laying_out(control, pairs))

        with self.phase("crosstab"):
            task = Task("crosstab", find).start()
            self.wait(lambda: task.is_done)
            laid = task.result()
            self.document.apply(OtherPairs(book, laid.pairs, laid))
            self.wait(lambda: not self.document.engine.doing)
        for _ in range(CANCELS):
            task = Task("crosstab", find).start()
            self.wait_about(self.seconds["crosstab"] * 0.5)
            task.cancel()
            self._until_quiet("crosstab")

    def train(self) -> None:
        """The fast way, as it is proposed at this size, live in the sheets."""
        session = self.session
        end = time.perf_counter() + TRAINING_S
        with self.phase("training"):
            self.document.start_run()
            self.wait(lambda: session.is_at_work)
            self.wait(lambda: not session.is_at_work
                      or (session.steps_done > 3 and time.perf_counter() > end))  # fmt: skip

    def pauses(self) -> None:
        """Go on and pause, again and again."""
        session = self.session
        for _ in range(CANCELS):
            if not session.is_at_work:
                session.continue_(40)
            self.wait_about(1.0)
            began = time.perf_counter()
            self.document.pause_run()
            self.wait(lambda: not session.is_at_work)
            self.cancels.setdefault("training", []).append(time.perf_counter() - began)

    def travel(self) -> None:
        """Take the run back and make it again, learn on, edit."""
        session = self.session
        with self.phase("undo, redo, edit"):
            self.document.undo()
            self.wait_about(0.5)
            self.document.redo()
            self.wait_about(0.5)
            session.continue_(40)
            self.wait_about(1.0)
            edit_row(session, "items", 3, {0: 0.5})
            self.wait_about(0.5)
        self.document.pause_run()
        self.wait(lambda: not session.is_at_work)

    def wait_about(self, seconds: float) -> None:
        """Let a random while pass, twice as long at most."""
        end = time.perf_counter() + seconds * 2 * self.random.random()
        self.wait(lambda: time.perf_counter() > end)

    def _until_quiet(self, phase: str) -> None:
        began = time.perf_counter()
        self.wait(lambda: not live_tasks())
        self.cancels.setdefault(phase, []).append(time.perf_counter() - began)


def table_of(bench: Bench, bare: list[tuple[float, float]], count: int, memory: Memory) -> str:
    """Return the findings as Markdown, each beside its goal."""
    plain = statistics.mean(x for x, _ in bare)
    typed = statistics.mean(x for _, x in bare)
    load = bench.seconds["load"]
    bare_s = f"{plain:.1f} s; with types given {typed:.1f} s"
    rows = [
        ("preview", f"{bench.seconds['preview']:.2f} s", "1 s"),
        ("load", f"{load:.1f} s = {load / plain:.2f} x the bare read ({bare_s})", "1.6 x"),
    ]
    for phase, gaps in bench.ticks.gaps.items():
        at95 = float(np.percentile(gaps, 95))
        late = sum(gap > GOALS["gap"] for gap in gaps)
        found = f"95 % within {at95:.0f} ms; {late} of {len(gaps):,} over 50 ms, longest"
        took = f"{bench.seconds[phase]:.1f} s"
        rows.append((f"ticks, {phase} ({took})", f"{found} {max(gaps):.0f} ms", "95 % in 50 ms"))
    for phase, found in bench.cancels.items():
        rows.append((
            f"cancel, {phase}",
            f"{statistics.median(found):.2f} s, at most {max(found):.2f} s of {len(found)}",
            "0.5 s",
        ))  # fmt: skip
    for stretch, (peak, now) in memory.most.items():
        rows.append((f"memory, {stretch}", f"at most {peak:.2f} GB, {now:.2f} at its end", "3 GB"))
    rows.append(("most memory", f"{memory.peak:.2f} GB", "3 GB"))
    lines = ["| | found | goal |", "| --- | --- | --- |"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    note = f"{count:,} made-up ratings ({bench.path.stat().st_size / 1e6:,.0f} MB as CSV)"
    return f"{note}, window of 1920 x 1080.\n\n" + "\n".join(lines)


def write(path: Path, text: str) -> None:
    """Replace what stands between the markers."""
    begin, end = "<!-- window -->", "<!-- /window -->"
    head, rest = path.read_text(encoding="utf-8").split(begin, 1)
    path.write_text(f"{head}{begin}\n{text}\n{end}{rest.split(end, 1)[1]}", encoding="utf-8")


def main() -> None:
    """Run all phases once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ratings", type=int, default=25_000_000)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = options.file or Path(folder) / "ratings.csv"
        if not path.exists():
            elsewhere(make_file, str(path), options.ratings)
        bare = [elsewhere(bare_read, str(path))]
        bench, memory = Bench(path), Memory()
        memory.note("an empty window")
        bench.cancel_loads(1.3 * bare[0][0])
        memory.note("loads that are cancelled")
        bench.preview()
        bench.load()
        memory.note("load")
        bench.prepare()
        bench.crosstab()
        memory.note("crosstab")
        bench.train()
        memory.note("training")
        bench.pauses()
        memory.note("pauses")
        bench.travel()
        memory.note("undo, redo, edit")
        bare.append(elsewhere(bare_read, str(path)))
        text = table_of(bench, bare, options.ratings, memory)
        print(text)
        if options.write is not None:
            write(options.write, text)
        sys.stdout.flush()
        bench.window.close()


if __name__ == "__main__":
    main()
