"""The gradient-descent lab: epochs a second, what a race of eight costs, frames with a race on.

Run: python tests/bench/bench_descent.py [--window]
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from itertools import pairwise

import torch

from gradsheet.formula.compiler import compile_program
from gradsheet.learn.epoch_step import epoch_step_of
from gradsheet.learn.epochs import EpochTrainer
from gradsheet.learn.functions2d import LineSurface, Surface, surface_of
from gradsheet.learn.optimizers import make_optimizer
from gradsheet.learn.race import RUNNERS, Race, chosen
from gradsheet.lessons.descent_book import build
from gradsheet.lessons.descent_data import lecture
from gradsheet.lessons.descent_layout import KINDS


def per_call_us(work: Callable[[int], object], count: int, repeats: int = 5) -> float:
    work(count // 10)
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        work(count)
        times.append((time.perf_counter() - began) / count * 1e6)
    return statistics.median(times)


def epochs() -> None:
    workbook = build("basic").workbook
    for result in compile_program(workbook).recalculate():
        workbook.sheet(result.sheet).cells.write(result.region, result.values, result.kinds)
    print("| sheet | formulas | epoch, fast (us) | epoch, engine (us) | ratio |")
    print("|---|---|---|---|---|")
    for name in KINDS:
        sheet = workbook.by_name(name)
        assert sheet is not None
        epoch = epoch_step_of(workbook, sheet.id)
        assert epoch is not None
        fast, slow = EpochTrainer(workbook, epoch), EpochTrainer(workbook, epoch)
        slow._sheet._fast = None
        quick = per_call_us(fast.advance, 200)
        plain = per_call_us(slow.advance, 20, 3)
        count = len(sheet.cells.formulas())
        print(f"| {name} | {count} | {quick:.0f} | {plain:.0f} | {plain / quick:.0f} |")


def race(title: str, surface: Surface, start: tuple[float, float], lr: float) -> None:
    eight = Race(surface, chosen(lr=lr), start)
    one = Race(surface, chosen(["sgd"], lr), start)
    cost_eight = per_call_us(eight.advance, 2000)
    cost_one = per_call_us(one.advance, 2000)
    alone = []
    for name in list(RUNNERS)[:8]:
        optimizer = make_optimizer(name, lr=lr)
        theta = torch.tensor([start], dtype=torch.float64)

        def steps(count: int, optimizer=optimizer, theta=theta) -> None:  # type: ignore[no-untyped-def]
            for number in range(count):
                loss, gradient = surface.loss_and_gradient(theta, number)
                optimizer.step(theta, gradient, float(loss))

        alone.append(per_call_us(steps, 1000, 3))
    print(
        f"| {title} | {cost_eight:.0f} | {cost_one:.0f} | {cost_eight / cost_one:.2f} "
        f"| {sum(alone):.0f} | {sum(alone) / cost_eight:.1f} |"
    )


def races() -> None:
    print("\n| function | eight (us/step) | one | eight / one | eight alone, summed | gain |")
    print("|---|---|---|---|---|---|")
    rosenbrock, preset = surface_of("rosenbrock")
    race("Rosenbrock", rosenbrock, preset.start, 1e-4)
    x, y = lecture().values()
    race("line fit, batch 4", LineSurface(x, y, 4), (1.0, 1.0), 1e-5)


def window() -> None:
    """Frames a second with a race of eight on and 10,000 points of history in view."""
    from PySide6.QtWidgets import QApplication

    from gradsheet.app.document import Document
    from gradsheet.app.settings import Settings
    from gradsheet.qt.main_window import MainWindow
    from gradsheet.qt.theme import LIGHT, apply_theme

    application = QApplication.instance() or QApplication([])
    apply_theme(application, LIGHT)
    document = Document()
    document.finish()
    shown = MainWindow(document, Settings())
    shown.show()
    shown.showNormal()
    shown.resize(1366, 768)
    document.open_lesson("momentum")
    document.finish()
    shown.lab.show("race")
    session, panel = shown.lab.race_session, shown.lab.panels["race"]
    session.change(steps=200_000, rule="same", lr=1e-4)
    panel.follow()
    session.advance(10_000)
    panel.draw(True)
    session.start()
    frames: list[float] = []
    shown.clock.ticked.connect(lambda: frames.append(time.perf_counter()))
    shown.clock.wake()
    worked = time.thread_time()
    until = time.perf_counter() + 5
    while time.perf_counter() < until:
        application.processEvents()
        time.sleep(0.0005)
    worked = 1e3 * (time.thread_time() - worked) / len(frames)
    steps = session.step
    session.pause()
    gaps = sorted(1e3 * (b - a) for a, b in pairwise(frames[10:]))
    rate = 1e3 * len(gaps) / sum(gaps)
    print(f"\nrace of eight, {steps:,} steps in view: {rate:.1f} frames/s, "
          f"p95 {gaps[int(0.95 * len(gaps))]:.1f} ms, longest {gaps[-1]:.1f} ms; the window's "
          f"thread works {worked:.1f} ms a frame; load of the machine {os.getloadavg()[0]:.1f}, "
          f"{os.cpu_count()} processors")  # fmt: skip
    shown.close()


if __name__ == "__main__":
    torch.set_num_threads(1)
    if "--window" in sys.argv:
        window()
    else:
        epochs()
        races()
