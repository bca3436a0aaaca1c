"""What the gradient layer costs a run, and what an explanation costs: run it, it prints a table.

    python tests/bench/bench_gradient_layer.py [seconds]

The same run of `bias` is timed with the layer off and on, by turns, in one process; the ratio of
the times of a step is what Must-show asks for (at most 1.5).
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import torch

from gradsheet.app.document import Document
from gradsheet.app.explain import symbol_of, view_of
from gradsheet.app.gradients import GradientLayer
from gradsheet.formula.address import Cell
from gradsheet.formula.explain import LANGUAGES, explain

ROUNDS = 4
FRAME_S = 1 / 60


def steps_per_second(document: Document, layer: GradientLayer, seconds: float) -> float:
    """Run for so long, polling as the window does; steps made per second."""
    document.start_run()
    while document.run.task is None:
        document.poll()
    document.poll()
    layer.follow()
    first, began = document.run.step, time.perf_counter()
    while time.perf_counter() - began < seconds:
        time.sleep(FRAME_S)
        document.poll()
        layer.follow()
    made = (document.run.step - first) / (time.perf_counter() - began)
    document.pause_run()
    document.finish()
    return made


def milliseconds(work: Callable[[], object], times: int = 30) -> float:
    """Median time of a piece of work."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return 1e3 * statistics.median(taken)


def main(seconds: float) -> None:
    """Print the table."""
    torch.set_num_threads(1)
    document = Document()
    document.open_lesson("bias")
    document.finish()
    frames: list[int] = []
    layer = GradientLayer(document, lambda regions: frames.append(len(regions)))
    steps_per_second(document, layer, 0.5)  # warm
    rates: dict[bool, list[float]] = {False: [], True: []}
    shown = 0
    for turn in range(2 * ROUNDS):
        on = bool(turn % 2)
        layer.switch(on)
        document.finish()
        frames.clear()
        rates[on].append(steps_per_second(document, layer, seconds))
        shown += len(frames) if on else 0
    off, on = statistics.median(rates[False]), statistics.median(rates[True])
    print(f"run of bias, layer off      {off:8,.0f} steps/s")
    print(f"run of bias, layer on       {on:8,.0f} steps/s")
    print(f"cost of a step with layer   {off / on:8.2f} times (at most 1.5)")
    print(f"layer frames                {shown / (ROUNDS * seconds):8.1f} a second")
    objective = document.calculation.objective(document.problem)
    theta = objective.theta0
    print(f"gradients of all cells      {milliseconds(lambda: objective.gradients(theta)):8.2f} ms")
    step = milliseconds(lambda: objective.loss_and_gradient(theta))
    print(f"loss and gradient           {step:8.2f} ms")
    layer.switch(False)
    sheet = document.book.sheet
    for address in ("H26", "V42"):
        for language in LANGUAGES:

            def work(address: str = address, language: str = language) -> object:
                view = view_of(document.workbook, sheet, Cell.parse(address), document)
                return explain(view, language, symbol_of(document.workbook))  # type: ignore[arg-type]

            print(f"explain {address} in {language:8}     {milliseconds(work):8.2f} ms")
    document.close()


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 2.0)
