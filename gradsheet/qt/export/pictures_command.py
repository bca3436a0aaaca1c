"""Pictures without a window: what `gradsheet export` does for .png, .svg and .gif.

Owns what its arguments mean for a picture. Needs no screen.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QGuiApplication, QPainter

from gradsheet.app.document import Document
from gradsheet.app.headless.export_command import run
from gradsheet.formula.address import Region
from gradsheet.formula.values import UserError
from gradsheet.qt.export.curve_picture import LossCurve
from gradsheet.qt.export.pictures import write_picture
from gradsheet.qt.export.sheet_picture import SheetPicture, used_region
from gradsheet.qt.theme import CONTRAST, DARK, LIGHT, Theme
from gradsheet.sheet.workbook import Sheet
from gradsheet.tasks import Task

THEMES = {"light": LIGHT, "dark": DARK, "contrast": CONTRAST}
STEPS = 100
"""Steps of an animation that none were asked for."""
_PLOT = QSize(800, 400)


def paint(document: Document, sheet: Sheet, path: Path, options: argparse.Namespace) -> None:
    """Write a picture of a document.

    Raises
    ------
    UserError
        If the cells cannot be shown or the file cannot be written.
    """
    _application()
    theme = THEMES[options.theme]
    region = _region(options.range) if options.range else used_region(sheet)
    if path.suffix.lower() == ".gif":
        _animate(document, sheet, region, theme, path, options)
    elif options.plot:
        trace = document.run.trace
        assert trace is not None
        curve = LossCurve(*trace.arrays(), document.book.loss_name)

        def draw(painter: QPainter) -> None:
            curve.paint(painter, QRectF(0, 0, _PLOT.width(), _PLOT.height()), theme)

        write_picture(path, _PLOT, draw, scale=options.scale, title=document.title)
    else:
        picture = SheetPicture(sheet, document.workbook.strings, region, theme,
                               held=document.uncomputed.on(sheet.id))  # fmt: skip
        write_picture(path, picture.size, picture.paint, scale=options.scale,
                      title=f"{document.title}: {sheet.name}")  # fmt: skip


def _animate(
    document: Document, sheet: Sheet, region: Region, theme: Theme, path: Path,
    options: argparse.Namespace,
) -> None:  # fmt: skip
    from gradsheet.qt.export.animation import animation_of, make_gif

    run(document, STEPS if options.steps is None else options.steps)
    what = "loss" if options.plot else "both"
    made = animation_of(document, sheet.id, region, theme, what=what)
    task: Task[object, int] = Task("drawing", lambda control: make_gif(made, path, control))
    task.start()
    task.join()
    if task.error is not None:
        raise task.error


def _region(text: str) -> Region:
    try:
        return Region.parse(text.replace("$", "").upper())
    except ValueError as error:
        raise UserError(f"{text!r} is no range of cells.", "Write it as A1:V42.") from error


_kept: list[QGuiApplication] = []
"""The application, if it was made here: it must outlive all painting."""


def _application() -> None:
    if QGuiApplication.instance() is None:
        if sys.platform.startswith("linux"):
            os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        _kept.append(QGuiApplication(["gradsheet"]))
