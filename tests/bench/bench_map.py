"""Frames of the map of items at many dots: what moving it costs the window's thread.

Prints the processor time of a frame, which other programs on the machine disturb less than its
wall-clock time. Run it offscreen: ``QT_QPA_PLATFORM=offscreen python tests/bench/bench_map.py``.
"""

from __future__ import annotations

import time

import numpy as np
from PySide6.QtWidgets import QApplication, QWidget

from gradsheet.qt.ratings.map_canvas import MapCanvas
from gradsheet.qt.theme import LIGHT, apply_theme

FRAMES, WARM_UP = 60, 10


def frame_ms(canvas: MapCanvas, number: int) -> float:
    """Move the map by a few pixels, paint it, and return the milliseconds it took."""
    canvas.view = canvas.view.panned(3 if number % 2 else -3, 1)
    began = time.process_time()
    canvas._redraw()
    canvas.repaint()
    return (time.process_time() - began) * 1e3


def main() -> None:
    """Print a row for each number of dots and each zoom."""
    application = QApplication([])
    apply_theme(application, LIGHT)
    print(f"{'dots':>8} {'zoom':>5} {'median ms':>10} {'p90 ms':>8}")
    for count in (10_000, 60_000):
        random = np.random.default_rng(0)
        holder = QWidget()
        canvas = MapCanvas(holder)
        canvas.resize(900, 700)
        holder.resize(900, 700)
        holder.show()
        titles = [f"Film number {k} (19{k % 90:02d})" for k in range(count)]
        ratings = np.sort(random.integers(1, 5_000, count))[::-1].copy()
        canvas.show_items(np.arange(count), random.normal(size=(count, 2)), titles, ratings,
                          ("component 1", "component 2"))  # fmt: skip
        colours = random.integers(0, 2**24, count).astype(np.uint32) | np.uint32(0xFF000000)
        canvas.set_colours(colours)
        canvas.show_selection([5], [6, 7, 8])
        application.processEvents()
        for zoom in (1, 4):
            if zoom > 1:
                canvas.zoom(zoom)
            times = [frame_ms(canvas, k) for k in range(FRAMES)][WARM_UP:]
            median, most = np.median(times), np.quantile(times, 0.9)
            print(f"{count:>8,} {zoom:>5} {median:>10.2f} {most:>8.2f}")
        holder.close()


if __name__ == "__main__":
    main()
