"""The curve of the loss, live.

Owns decimation, range, the label at the line's end and the empty state. Knows a run only as a
`RunView`. pyqtgraph takes half a second to import, so `prepare` does it in a thread; the window
calls it once it has been painted.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QContextMenuEvent, QGuiApplication
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLabel,
    QMenu,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gradsheet.qt import icons
from gradsheet.qt.branch_colours import branch_colour
from gradsheet.qt.theme import SPACE, current_theme
from gradsheet.qt.widgets.figures import loss_text
from gradsheet.qt.widgets.styling import set_style
from gradsheet.tasks import Control, Task

if TYPE_CHECKING:
    from gradsheet.app.document import RunView
    from gradsheet.app.timeline import Branch

FLOATS = NDArray[np.float64]

DECIMATE_ABOVE = 10_000
DRAWN_BUCKETS = 2_000
DRAW_S = 1 / 30
DRAW_LONG_S = 0.2
"""Redraw at most this often once the trace is long: copying a million points is not free."""
RANGE_S = 0.2
IMPORT_POLL_MS = 20
EMPTY_TEXT = (
    "The loss after every step appears here, live.<br><br>"
    "Press <b>Space</b> for one step or <b>F5</b> to run."
)


def decimate(x: FLOATS, y: FLOATS, buckets: int = DRAWN_BUCKETS) -> tuple[FLOATS, FLOATS]:
    """Keep the lowest and the highest point of each bucket, in order, and the last point.

    Parameters
    ----------
    x, y : ndarray (n,) float64
    buckets : int
        At most ``2 * buckets + 1`` points remain of more than that.

    Returns
    -------
    x, y : ndarray (m,) float64
        A not finite value stays, so that the line breaks where the run broke.
    """
    if len(x) <= 2 * buckets + 1:
        return x, y
    per_bucket = -(-len(x) // buckets)
    whole = len(x) // per_bucket * per_bucket
    table = y[:whole].reshape(-1, per_bucket)
    base = np.arange(0, whole, per_bucket)
    low = base + np.where(np.isnan(table), -np.inf, table).argmin(axis=1)
    high = base + np.where(np.isnan(table), -np.inf, table).argmax(axis=1)
    kept = np.unique(np.concatenate([low, high, np.arange(whole, len(x)), [len(x) - 1]]))
    return x[kept], y[kept]


def _import_chart(_control: Control) -> Generator[None, None, None]:
    import gradsheet.qt.widgets.line_chart  # noqa: F401

    yield


class LossPlot(QWidget):
    """Loss against step, with the current value written at the line's end."""

    picture_asked = Signal()
    """A picture of the plot is wanted."""
    log_changed = Signal(bool)
    """The user chose the logarithmic (True) or the linear axis."""

    def __init__(self, parent: QWidget, *, log: bool = False) -> None:
        super().__init__(parent)
        self._log = log
        self._run: RunView | None = None
        self._plot: Any = None
        self._fitted = True
        self._drawn_at = 0.0
        self._ranged_at = 0.0
        self._points: tuple[FLOATS, FLOATS] = (np.empty(0), np.empty(0))
        self._branches: tuple[Branch, ...] = ()
        self._loss_name = "loss"
        self._redraw = QTimer(self)
        self._redraw.setSingleShot(True)
        self._redraw.timeout.connect(self._draw)
        self._importing: Task[None, None] | None = None
        self._imported = QTimer(self)
        self._imported.setInterval(IMPORT_POLL_MS)
        self._imported.timeout.connect(self._on_imported)
        self._build()

    def _build(self) -> None:
        self._linear = self._switch("Linear", "Equal distances are equal differences")
        self._logarithmic = self._switch("Log", "Equal distances are equal ratios")
        group = QButtonGroup(self)
        group.addButton(self._linear)
        group.addButton(self._logarithmic)
        (self._logarithmic if self._log else self._linear).setChecked(True)
        self._logarithmic.toggled.connect(self.set_log)
        self._fit = QToolButton(self)
        self._fit.setToolTip("Show the whole run again")
        self._fit.setAccessibleName("Fit")
        self._fit.clicked.connect(self.fit)
        self._fit.setEnabled(False)

        head = QHBoxLayout()
        head.setContentsMargins(SPACE, SPACE // 2, SPACE // 2, 0)
        head.setSpacing(2)
        head.addStretch(1)
        for button in (self._linear, self._logarithmic, self._fit):
            head.addWidget(button)

        self._empty = QLabel(EMPTY_TEXT, self)
        self._empty.setWordWrap(True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setMargin(3 * SPACE)
        self._stack = QStackedWidget(self)
        self._stack.addWidget(self._empty)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self._stack, 1)
        self.setMinimumSize(200, 120)
        self._apply_theme()

    def _switch(self, text: str, about: str) -> QToolButton:
        button = QToolButton(self)
        button.setText(text)
        button.setCheckable(True)
        button.setToolTip(f"{text} loss axis: {about[0].lower()}{about[1:]}")
        return button

    def prepare(self) -> None:
        """Import pyqtgraph in a thread, then make the plot; the window stays alive meanwhile."""
        if self._importing is None:
            self._importing = Task("importing the plot", _import_chart).start()
            self._imported.start()

    def _on_imported(self) -> None:
        assert self._importing is not None
        if self._importing.is_done:
            self._imported.stop()
            self.make_plot()

    def make_plot(self) -> None:
        """Make the plot, at once; the empty state stays until there is a loss."""
        if self._plot is not None:
            return
        from gradsheet.qt.widgets.line_chart import LineChart

        self._plot = LineChart(self)
        self._plot.moved_by_hand.connect(self._unfit)
        self._stack.addWidget(self._plot)
        self._apply_theme()
        self._plot.set_log(self._log)
        self._draw()

    @property
    def is_empty(self) -> bool:
        """Whether the empty state shows."""
        return self._stack.currentWidget() is self._empty

    @property
    def is_log(self) -> bool:
        """Whether the loss axis is logarithmic."""
        return self._log

    def points(self) -> tuple[FLOATS, FLOATS]:
        """Return the steps and losses as drawn last."""
        return self._points

    def show_run(self, run: RunView) -> None:
        """Follow a run; draws at most 30 times a second."""
        self._run = run
        self._loss_name = run.loss_name or "loss"
        wait_s = self._drawn_at + self._pause_s() - time.monotonic()
        if wait_s <= 0 or run.trace is None or run.step == 0:
            self._draw()
        elif not self._redraw.isActive():
            self._redraw.start(int(wait_s * 1000) + 1)

    def set_log(self, log: bool) -> None:
        """Switch the loss axis; the same points, another ruler."""
        if log == self._log:
            return
        self._log = log
        (self._logarithmic if log else self._linear).setChecked(True)
        if self._plot is not None:
            self._plot.set_log(log)
            self._ranged_at = 0.0
            self._draw()
        self.log_changed.emit(log)

    def fit(self) -> None:
        """Follow the whole run again after the user moved or zoomed the plot."""
        self._fitted = True
        self._fit.setEnabled(False)
        self._ranged_at = 0.0
        self._draw()

    def copy_table(self) -> None:
        """Put every step and loss on the clipboard as a table, for a sheet or a screen reader."""
        if self._run is None or self._run.trace is None:
            return
        steps, losses = self._run.trace.arrays()
        rows = (f"{int(s)}\t{float(v)!r}" for s, v in zip(steps, losses, strict=True))
        text = "\n".join([f"step\t{self._loss_name}", *rows])
        QGuiApplication.clipboard().setText(text)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer the data as a table, and a picture."""
        menu = QMenu(self)
        copy = QAction(icons.icon("copy"), "Copy steps and losses as a table", menu)
        copy.setEnabled(not self.is_empty)
        copy.triggered.connect(self.copy_table)
        menu.addAction(copy)
        picture = QAction(icons.icon("image"), "Export a picture…", menu)
        picture.setEnabled(not self.is_empty)
        picture.triggered.connect(self.picture_asked)
        menu.addAction(picture)
        menu.exec(event.globalPos())
        menu.deleteLater()

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_stack"):
            self._apply_theme()

    def _pause_s(self) -> float:
        return DRAW_LONG_S if len(self._points[0]) >= DRAWN_BUCKETS else DRAW_S

    def _unfit(self) -> None:
        self._fitted = False
        self._fit.setEnabled(True)

    def _draw(self) -> None:
        trace = self._run.trace if self._run is not None else None
        if self._plot is None or trace is None:
            self._stack.setCurrentWidget(self._empty)
            self._points = (np.empty(0), np.empty(0))
            return
        steps, losses = trace.arrays()
        if len(steps) == 0:
            self._stack.setCurrentWidget(self._empty)
            self._points = (np.empty(0), np.empty(0))
            return
        self._drawn_at = time.monotonic()
        x = np.asarray(steps, dtype=np.float64)
        y = np.asarray(losses, dtype=np.float64)
        if len(x) > DECIMATE_ABOVE:
            x, y = decimate(x, y)
        self._points = (x, y)
        self._stack.setCurrentWidget(self._plot)
        assert self._run is not None
        stands = self._run.step < x[-1] and self._run.state != "running"
        self._plot.set_position(float(self._run.step) if stands else None)
        self._draw_branches(self._run.branches)
        here = min(int(x.searchsorted(self._run.step, "right")), len(x)) - 1 if stands else -1
        self._plot.set_points(x, y, self._loss_name, loss_text(float(y[max(here, -1)])))
        grows = self._run is not None and self._run.state == "running"
        if self._fitted and (not grows or self._drawn_at - self._ranged_at >= RANGE_S):
            self._ranged_at = self._drawn_at
            self._plot.fit(grows=grows)

    def _draw_branches(self, branches: tuple[Branch, ...]) -> None:
        """Draw the curves of the branches that are shown, from where they were left."""
        if branches == self._branches:
            return
        from gradsheet.qt.widgets.line_chart import Beside

        self._branches = branches
        self._ranged_at = 0.0
        lines = []
        for place, branch in enumerate(branches):
            if branch.is_shown:
                steps, losses = branch.trace.arrays()
                begin = max(0, int(steps.searchsorted(branch.left_at)))
                x, y = decimate(steps[begin:].astype(np.float64), losses[begin:])
                lines.append(Beside(x, y, branch_colour(place, current_theme()), branch.name))
        self._plot.set_beside(lines)

    def _apply_theme(self) -> None:
        theme = current_theme()
        self._fit.setIcon(icons.icon("maximize"))
        set_style(self._empty, f"QLabel {{ color: {theme.muted}; background: {theme.sheet}; }}")
        if self._plot is not None:
            branches, self._branches = self._branches, ()
            self._draw_branches(branches)
            self._plot.set_colours(theme)
