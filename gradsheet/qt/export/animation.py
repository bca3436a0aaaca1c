"""A recorded run as an animated GIF: the sheet, the loss curve, or both, step after step.

Owns the choice of steps and sizes, and the drawing of a frame. It is a generator for a task: it
works on copies and touches no widget. The format is `files.gif`'s.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QPainter

from gradsheet.files.atomic import write_atomically
from gradsheet.files.gif import GifWriter, Palette
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import UserError
from gradsheet.qt.export.curve_picture import LossCurve
from gradsheet.qt.export.pictures import painted, pixels_of
from gradsheet.qt.export.sheet_picture import SheetPicture
from gradsheet.qt.theme import Theme
from gradsheet.sheet.workbook import Workbook
from gradsheet.tasks import Control, Progress

if TYPE_CHECKING:
    from gradsheet.app.document import Document
    from gradsheet.learn.trajectory import Recording

What = Literal["sheet", "loss", "both"]
FRAMES = 60
MOST_SIDE_PX = 1200
"""Wider or higher sheets are drawn smaller."""
LEAST_ZOOM = 0.45
MOST_BYTES = 12 << 20
"""A larger animation gets fewer frames."""
CURVE_PX = 220
LENGTH_MS, HOLD_MS = 6000, 2000


@dataclass(frozen=True, slots=True, eq=False)
class Animation:
    """A run to be drawn.

    Attributes
    ----------
    workbook : Workbook
        A snapshot of its own; the frames are written into it.
    sheet : int
    region : Region
    recording : Recording
        A copy of its own.
    curve : LossCurve
    last : int
        The last step to show.
    what : "sheet", "loss" or "both"
    """

    workbook: Workbook
    sheet: int
    region: Region
    recording: Recording
    curve: LossCurve
    last: int
    theme: Theme
    what: What = "both"
    frames: int = FRAMES
    held: tuple[Cell, ...] = ()


def animation_of(
    document: Document, sheet: int, region: Region, theme: Theme, *, what: What = "both",
    is_log: bool = False,
) -> Animation:  # fmt: skip
    """Note a document's run as it stands, in a moment.

    Raises
    ------
    UserError
        If no run is recorded.
    """
    run = document.run
    record = run.timeline.recording
    if record is None or run.trace is None or record.is_empty or run.step <= record.start:
        raise UserError("There is no recorded run to make an animation of.",
                        "Run a few steps first: F5, or Space.")  # fmt: skip
    steps, losses = run.trace.arrays()
    kept = (steps >= record.start) & (steps <= run.step)
    curve = LossCurve(steps[kept].astype(np.float64), losses[kept], document.book.loss_name, is_log)
    held = tuple(document.uncomputed.on(sheet))
    return Animation(document.workbook.snapshot(), sheet, region, record.copy(), curve, run.step,
                     theme, what, held=held)  # fmt: skip


def make_gif(
    animation: Animation, path: Path, control: Control
) -> Generator[Progress, None, int]:
    """Draw and write an animation; yields how far it is, returns the number of frames.

    Raises
    ------
    UserError
        If the sheet is too large for a picture, or the file cannot be written.
    """
    drawing = _Drawing(animation)
    first, last = animation.recording.start, animation.last
    count = min(animation.frames, last - first + 1)
    steps = _spread(first, last, count)
    yield Progress(0.0, f"Drawing {path.name}")
    samples = [drawing.frame(step) for step in (first, (first + last) // 2, last)]
    control.checkpoint()
    palette = Palette(samples)
    steps = _affordable(steps, drawing, palette, samples)
    began = time.monotonic()
    draft = path.with_name(f".{path.name}.drawing")
    try:
        with draft.open("wb") as file:
            writer = GifWriter(file, (drawing.size.width(), drawing.size.height()), palette)
            for done, step in enumerate(steps):
                control.checkpoint()
                is_last = done == len(steps) - 1
                delay = HOLD_MS if is_last else max(40, LENGTH_MS // len(steps))
                writer.add(drawing.frame(step), delay)
                share = (done + 1) / len(steps)
                remaining = (time.monotonic() - began) * (1 / share - 1)
                yield Progress(share, f"Drawing {path.name}", remaining)
            writer.finish()
        made = draft.read_bytes()
        write_atomically(path, lambda target: _put(target, made))
    except OSError as fault:
        raise UserError(f"{path.name} could not be written: {fault.strerror or fault}.",
                        "Choose another folder.") from fault  # fmt: skip
    finally:
        draft.unlink(missing_ok=True)
    return len(steps)


def _put(target: Path, data: bytes) -> None:
    target.write_bytes(data)


def _spread(first: int, last: int, count: int) -> list[int]:
    """Return steps from first to last, as evenly as whole numbers can be."""
    return [int(s) for s in np.unique(np.linspace(first, last, max(count, 2)).round())]


def _affordable(
    steps: list[int], drawing: _Drawing, palette: Palette, samples: list[npt.NDArray[np.uint8]]
) -> list[int]:
    """Return fewer steps where so many frames would make too large a file."""
    import io

    size = (drawing.size.width(), drawing.size.height())
    trial = GifWriter(io.BytesIO(), size, palette)
    whole = trial.add(samples[0], 40)
    change = max(trial.add(sample, 40) for sample in samples[1:])
    room = max(2, (MOST_BYTES - whole) // max(change, 1))
    return steps if len(steps) <= room else _spread(steps[0], steps[-1], int(room))


class _Drawing:
    """Draws the frames of one animation, all of one size."""

    def __init__(self, animation: Animation) -> None:
        self._made = animation
        self._zoom = 1.0
        self._sheet_size = QSize(0, 0)
        if animation.what != "loss":
            whole = self._picture(1.0).size
            side = max(whole.width(), whole.height() + CURVE_PX * (animation.what == "both"))
            if side > MOST_SIDE_PX:
                self._zoom = MOST_SIDE_PX / side
            if self._zoom < LEAST_ZOOM:
                raise UserError(f"{animation.region} is too large for an animation.",
                                "Select fewer cells first.")  # fmt: skip
            self._sheet_size = self._picture(self._zoom).size
        width = self._sheet_size.width() or 800
        curve = {"sheet": 0, "both": CURVE_PX, "loss": 400}[animation.what]
        self._curve_box = QRectF(0, self._sheet_size.height(), width, curve)
        self.size = QSize(width, self._sheet_size.height() + curve)

    def _picture(self, zoom: float) -> SheetPicture:
        made = self._made
        return SheetPicture(made.workbook.sheet(made.sheet), made.workbook.strings, made.region,
                            made.theme, held=made.held, zoom=zoom)  # fmt: skip

    def frame(self, step: int) -> npt.NDArray[np.uint8]:
        """Return the picture of a step as pixels."""
        made = self._made
        picture = None
        if made.what != "loss":
            _, snapshot = made.recording.show(step)
            for found in snapshot.computed:
                cells = made.workbook.sheet(found.sheet).cells
                cells.write(found.region, found.values, found.kinds)
            picture = self._picture(self._zoom)

        def paint(painter: QPainter) -> None:
            if picture is not None:
                picture.paint(painter)
            if made.what != "sheet":
                made.curve.paint(painter, self._curve_box, made.theme, until=step)

        return pixels_of(painted(self.size, paint))


