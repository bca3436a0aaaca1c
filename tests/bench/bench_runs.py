"""Ten thousand Adam steps of `bias`: memory of the record, time until any step shows.

    python tests/bench/bench_runs.py [STEPS]

Prints what the keyframes take by their own account, how far the process grew, and how long
`show` took for steps drawn at random, for neighbours of such a step, and for the end: by the clock,
and in processor time of its thread, which other work on the machine does not lengthen. The bounds
are 100 ms and 64 MB.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from pathlib import Path

from gradsheet.app.document import Document

DRAWN = 300


def resident_mb() -> float:
    """Return the resident memory of this process in MB."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("this system does not tell the memory of a process")


def main(steps: int = 10_000) -> None:
    """Run and print the table."""
    document = Document()
    document.open_lesson("bias")
    document.finish()
    document.set_optimizer("adam")
    document.step_run(100)
    document.finish(600)
    before = resident_mb()
    began = time.perf_counter()
    document.step_run(steps - 100)
    document.finish(600)
    seconds = time.perf_counter() - began
    record = document.run.timeline.recording
    assert record is not None
    keyframes = sum(len(stretch.steps) for stretch in record.stretches)
    print(f"{steps:,} steps in {seconds:.1f} s; a keyframe every {record.spacing} steps")
    print(f"keyframes: {keyframes:,}, {record.nbytes() / 2**20:.1f} MB; "
          f"process grew {resident_mb() - before:+.1f} MB")  # fmt: skip
    draw = random.Random(0)
    print("show                 median ms   p95 ms  longest ms | cpu: median ms  longest ms")
    places = [draw.randint(0, steps) for _ in range(DRAWN)]
    for name, wanted in (
        ("any step", places),
        ("the step before it", [max(0, places[-1] - i) for i in range(DRAWN)]),
        ("the end", [steps] * 20),
    ):
        times, busy = [], []
        for step in wanted:
            began, at = time.perf_counter(), time.thread_time()
            record.show(step)
            times.append((time.perf_counter() - began) * 1000)
            busy.append((time.thread_time() - at) * 1000)
        times.sort()
        print(f"{name:20s} {statistics.median(times):10.1f} {times[int(len(times) * 0.95)]:8.1f} "
              f"{times[-1]:11.1f} | {statistics.median(busy):14.1f} {max(busy):11.1f}")  # fmt: skip
    document.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
