"""Pictures of what the window shows: which there are, their files, the animation of a run.

Owns the way from a wish (a menu, a dock's context menu) to a file or the clipboard. Painting is
`pictures`, `recorded`, `sheet_picture` and `animation`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from PySide6.QtCore import QObject, QPoint, QSize, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QDockWidget, QMenu, QWidget

from gradsheet.app.messages import Message, message_of
from gradsheet.formula.address import Region
from gradsheet.formula.values import UserError
from gradsheet.qt import icons
from gradsheet.qt.dialogs.export_picture import ExportPicture, PictureChoice
from gradsheet.qt.export.commands import ask_for_target
from gradsheet.qt.export.pictures import ground, painted, theme_for, write_picture
from gradsheet.qt.export.recorded import Paint, record_widgets
from gradsheet.qt.export.sheet_picture import SheetPicture, used_region
from gradsheet.qt.widgets.figure import Figure
from gradsheet.tasks import Progress, Task

if TYPE_CHECKING:
    from gradsheet.qt.export.animation import What
    from gradsheet.qt.main_window import MainWindow

USED, SELECTED = "The sheet", "The selected cells"
MOVING: dict[str, What] = {
    "The sheet and the loss": "both", "The sheet": "sheet", "The loss": "loss"
}  # fmt: skip
POLL_MS = 60
T = TypeVar("T")


class PictureDesk(QObject):
    """Makes pictures of a window's sheet and plots.

    Parameters
    ----------
    window : MainWindow
        Its docks get a context menu.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.dialog: ExportPicture | None = None
        self._task: Task[Progress, int] | None = None
        self._target: Path | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self.poll)
        for dock in window.findChildren(QDockWidget):
            dock.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
            dock.customContextMenuRequested.connect(partial(self._on_menu, dock))
        window.loss_plot.picture_asked.connect(partial(self.ask, "Loss"))
        window.progress.cancelled.connect(self.cancel)

    # ------------------------------------------------------------------ what there is

    def plots(self) -> dict[str, QDockWidget]:
        """Return the docks in which something is drawn now, by title."""
        docks = self._window.findChildren(QDockWidget)
        return {dock.windowTitle(): dock for dock in docks if plots_in(dock)}

    def subjects(self) -> list[str]:
        """Return the titles of what a picture can be made of now."""
        return [USED, *([SELECTED] if self._selected() is not None else []), *self.plots()]

    def _selected(self) -> Region | None:
        regions = self._window.grid.selection
        region = regions[-1] if len(regions) == 1 else None
        return region if region is not None and region.size > 1 else None

    def _sheet_picture(self, chosen: PictureChoice) -> Callable[[], SheetPicture]:
        """Return what makes the picture of the sheet as it is now, on any thread."""
        window = self._window
        book, sheet_id = window.document.workbook.snapshot(), window.grid.sheet_id
        selected = self._selected() if chosen.subject == SELECTED else None
        theme, held = theme_for(chosen.is_light), window.document.uncomputed.on(sheet_id)

        def make() -> SheetPicture:
            sheet = book.sheet(sheet_id)
            region = selected or used_region(sheet)
            return SheetPicture(sheet, book.strings, region, theme, held=held)

        return make

    def _picture(self, chosen: PictureChoice) -> Callable[[], tuple[QSize, Paint]]:
        """Return what gives size and painting, on any thread, of what shows now.

        Raises
        ------
        UserError
            If there is no such plot now.
        """
        if chosen.subject in (USED, SELECTED):
            make = self._sheet_picture(chosen)

            def sheet() -> tuple[QSize, Paint]:
                picture = make()
                return picture.size, picture.paint

            return sheet
        dock = self.plots().get(chosen.subject)
        if dock is None:
            raise UserError(f"{chosen.subject} shows no plot now.", "Open its panel first.")
        with ground(theme_for(chosen.is_light), dock.widget()):
            recorded = record_widgets(plots_in(dock), dock.widget())
        return lambda: recorded

    # ------------------------------------------------------------------ asking

    def ask(self, first: str = USED) -> None:
        """Ask what to make a picture of; `first` is chosen at first."""
        note = "Save writes .png or .svg, as the name ends; Copy puts it on the clipboard."
        subjects = self.subjects()
        self._open(ExportPicture("Export a picture", subjects, first, note, self._window))
        assert self.dialog is not None
        self.dialog.saved.connect(self._on_saved)
        self.dialog.copied.connect(self._on_copied)

    def ask_animation(self) -> None:
        """Ask what to make an animation of."""
        note = ("The run as it is recorded, up to the step in sight. Of the sheet it shows the "
                "selected cells, or all if only one is selected.")  # fmt: skip
        title = "Export an animation"
        self._open(ExportPicture(title, list(MOVING), next(iter(MOVING)), note, self._window,
                                 is_still=False))  # fmt: skip
        assert self.dialog is not None
        self.dialog.saved.connect(self._on_animation)

    def _open(self, dialog: ExportPicture) -> None:
        if self.dialog is not None:
            self.dialog.close()
        self.dialog = dialog
        dialog.destroyed.connect(partial(self._forget, dialog))
        dialog.open()

    def _forget(self, dialog: ExportPicture, *_: object) -> None:
        if self.dialog is dialog:
            self.dialog = None

    def _on_menu(self, dock: QDockWidget, point: QPoint) -> None:
        if not plots_in(dock):
            return
        menu = QMenu(dock)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        export = menu.addAction(icons.icon("image"), "Export a picture…")
        export.triggered.connect(partial(self.ask, dock.windowTitle()))
        copy = menu.addAction(icons.icon("copy"), "Copy the picture")
        choice = PictureChoice(dock.windowTitle(), is_light=False, scale=2)
        copy.triggered.connect(partial(self._guarded, partial(self.copy, choice), "copying"))
        menu.popup(dock.mapToGlobal(point))

    # ------------------------------------------------------------------ pictures

    def _on_copied(self, chosen: PictureChoice) -> None:
        self._guarded(partial(self.copy, chosen), "copying a picture")

    def _on_saved(self, chosen: PictureChoice) -> None:
        kinds = "Pixels (*.png);;Vectors (*.svg)"
        path = ask_for_target(self._window, "Export a picture", kinds, _stem(chosen.subject))
        if path is not None:
            self._guarded(partial(self.save, chosen, path), f"exporting {path.name}")

    def save(self, chosen: PictureChoice, path: Path) -> None:
        """Write a picture; of a plot, what it draws is noted here and now, and drawn later.

        A message tells when it is written.

        Raises
        ------
        UserError
            If there is no such plot now.
        """
        picture = self._picture(chosen)

        def job() -> None:
            write_picture(path, *picture(), scale=chosen.scale, title=chosen.subject)

        self._submit(job, lambda _: self._say(f"Exported {path.name}."), f"exporting {path.name}")

    def copy(self, chosen: PictureChoice) -> None:
        """Put a picture on the clipboard; a message tells when it is there."""
        picture = self._picture(chosen)

        def put(image: QImage) -> None:
            image.setDevicePixelRatio(1)
            QGuiApplication.clipboard().setImage(image)
            self._say(f"{chosen.subject} is on the clipboard as a picture.")

        self._submit(lambda: painted(*picture(), chosen.scale), put, "copying a picture")

    def _submit(self, job: Callable[[], T], then: Callable[[T], None], doing: str) -> None:
        document = self._window.document
        document.engine.submit(
            job, then, lambda error: document.say(message_of(error, doing)), doing
        )
        self._window.clock.wake()

    def _guarded(self, work: Callable[[], None], doing: str, *_: object) -> None:
        try:
            work()
        except UserError as error:
            self._window.document.say(message_of(error, doing))

    def _say(self, text: str) -> None:
        self._window.document.say(Message("info", text))

    # ------------------------------------------------------------------ animations

    def _on_animation(self, chosen: PictureChoice) -> None:
        path = ask_for_target(self._window, "Export an animation", "Animation (*.gif)")
        if path is not None:
            self._guarded(partial(self.animate, chosen, path), f"exporting {path.name}")

    def animate(self, chosen: PictureChoice, path: Path) -> None:
        """Draw the run into a file, in a task; its progress can be cancelled.

        Raises
        ------
        UserError
            If no run is recorded, or another animation is being drawn.
        """
        from gradsheet.qt.export.animation import animation_of, make_gif

        if self._task is not None:
            raise UserError("Another animation is being drawn.", "Wait for it, or cancel it.")
        window = self._window
        window.document.pause_run()
        sheet = window.grid.sheet
        region = self._selected() or used_region(sheet)
        made = animation_of(
            window.document, sheet.id, region, theme_for(chosen.is_light),
            what=MOVING[chosen.subject], is_log=window.loss_plot.is_log,
        )  # fmt: skip
        task: Task[Progress, int] = Task(
            "drawing an animation", lambda control: make_gif(made, path, control)
        )
        self._task, self._target = task.start(), path
        self._timer.start()

    @property
    def is_drawing(self) -> bool:
        """Whether an animation is being drawn."""
        return self._task is not None

    def poll(self) -> None:
        """Show how far the animation is, and its end."""
        task, path = self._task, self._target
        if task is None or path is None:
            return
        done = task.is_done
        progress = task.latest()
        if progress is not None:
            self._window.progress.show_progress(progress)
        if not done:
            return
        self._task = None
        self._timer.stop()
        self._window.progress.show_progress(None)
        if task.is_cancelled:
            self._say(f"{path.name} was not written.")
        elif task.error is not None:
            self._window.document.say(message_of(task.error, f"exporting {path.name}"))
        else:
            size = path.stat().st_size / 1e6
            self._say(f"Exported {path.name}: {task.result():,} frames, {size:.1f} MB.")

    def cancel(self) -> None:
        """Give the animation up; no file is left."""
        if self._task is not None:
            self._task.cancel()

    def stop(self) -> None:
        """Give everything up at once: the window closes."""
        self._timer.stop()
        if self._task is not None:
            self._task.cancel()
            self._task.join()
            self._task = None


def plots_in(dock: QDockWidget) -> list[QWidget]:
    """Return what is drawn in a dock: its plots and figures, without what lies around them."""
    content = dock.widget()
    if content is None or dock.isHidden():
        return []
    # The plots of pyqtgraph can be there only once it has been imported.
    library: Any = sys.modules.get("pyqtgraph")
    kinds = (Figure,) if library is None else (Figure, library.PlotWidget)
    found = [w for kind in kinds for w in content.findChildren(kind) if w.isVisibleTo(content)]
    return [w for w in found if w.width() > 1 and w.height() > 1]


def _stem(subject: str) -> str:
    return "" if subject in (USED, SELECTED) else subject.lower().replace(" ", "-")
