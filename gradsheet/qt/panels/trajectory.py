"""The path of a descent over intercept and slope, on the contours of its loss.

Owns what is drawn and what a click means; the points are read from the sheet by `app.path_view`.
Draws at most 60 times a second, the bands only when the part in view or the data change.
"""

from __future__ import annotations

import math

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from gradsheet.app.lab.path_view import PathView
from gradsheet.app.lab.plane import LINE_WINDOW, Plane
from gradsheet.qt.branch_colours import branch_colour
from gradsheet.qt.lab.optimizer_colours import colour_of
from gradsheet.qt.lab.plane_plot import PlanePlot
from gradsheet.qt.theme import SPACE, current_theme
from gradsheet.qt.widgets.line_chart import FLOATS
from gradsheet.qt.widgets.polyline import PathItem
from gradsheet.qt.widgets.quiet_plot import QuietPlot, finite_range, log10, thinned

FAR = 160
"""Points so many windows away are not fitted: a run that diverged leaves the plot readable."""
ARROW_SHARE = 0.16
"""Length of the longest arrow as a share of the plot's width."""
NEAR_PX = 10
HEAD = {"headLen": 14, "tipAngle": 44, "baseAngle": 12, "pen": None, "pxMode": True}
"""Of an arrow, in pixels and degrees."""


class TrajectoryPanel(QWidget):
    """Contours, the trail, the rows of this epoch, the current row with its arrows, a profile."""

    point_chosen = Signal(int)
    """The user clicked the point of a row, counted from 0."""
    start_chosen = Signal(float, float)
    """The user wants to start from (intercept, slope)."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._view: PathView | None = None
        self._row: int | None = None
        self._plane: Plane | None = None
        self._fitted = True
        self._is_log_profile = True
        """A function that goes below 0 has no logarithm: its profile is linear."""
        self._build()
        self.apply_theme()
        self.fit()

    # ------------------------------------------------------------------ parts

    def _build(self) -> None:
        self._log = self._button("Log", "Equal bands of colour are equal ratios of the loss", True)
        self._log.setChecked(True)
        self._log.toggled.connect(self._on_log)
        self._equal = self._button("1:1", "The same scale on both axes", True)
        self._equal.toggled.connect(self._on_equal)
        self._fit = self._button("Fit", "Show the whole path again")
        self._fit.clicked.connect(self.fit)
        about = "Then click in the plane: a and b start there"
        self._start = self._button("Set start", about, True)
        about = "The loss of all rows along the path, below the plane"
        self._profile_switch = self._button("Profile", about, True)
        head = QHBoxLayout()
        head.setContentsMargins(SPACE, SPACE // 2, SPACE // 2, 0)
        head.setSpacing(2)
        head.addWidget(self._start)
        head.addStretch(1)
        for button in (self._profile_switch, self._log, self._equal, self._fit):
            head.addWidget(button)
        self.plot = PlanePlot(self, "intercept b", "slope a")
        self.plot.clicked.connect(self._on_click)
        self.plot.moved_by_hand.connect(self._on_moved)
        theme = current_theme()
        self._others: list[tuple[PathItem, pg.TextItem]] = []
        """The paths of branches and their names, behind the trail."""
        self._trail = self.plot.path(theme.text)
        self._epoch = self.plot.path(theme.text, 2)
        self._rows = pg.ScatterPlotItem(size=6, pen=None, antialias=True)
        self.plot.addItem(self._rows, ignoreBounds=True)
        self._current = pg.ScatterPlotItem(size=13, antialias=True)
        self.plot.addItem(self._current, ignoreBounds=True)
        self._arrows = {
            name: (self.plot.curve(theme.text, 2), pg.ArrowItem(**HEAD))
            for name in ("gradient", "momentum")
        }
        for _, head_item in self._arrows.values():
            self.plot.addItem(head_item, ignoreBounds=True)
        self._profile = QuietPlot(self, "", "loss", log_y=True)
        self._profile.setToolTip("The loss at every row of the path, counted over the epochs")
        self._profile.write_closely()
        self._profile.setMinimumHeight(76)
        self._profile.setMaximumHeight(130)
        self._profile.setMouseEnabled(x=False, y=False)
        self._profile_line = self._profile.curve(theme.text)
        self._profile_dot = pg.ScatterPlotItem(size=9, pen=None)
        self._profile.addItem(self._profile_dot, ignoreBounds=True)
        self._profile.hide()
        self._profile_switch.toggled.connect(self._on_profile)
        self._caption = QLabel(self)
        self._caption.setWordWrap(True)
        self._caption.setContentsMargins(SPACE, SPACE // 2, SPACE, SPACE // 2)
        self._caption.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.plot, 2)
        column.addWidget(self._profile, 1)
        column.addWidget(self._caption)
        self.setMinimumSize(260, 300)

    def _button(self, text: str, about: str, checkable: bool = False) -> QToolButton:
        button = QToolButton(self)
        button.setText(text)
        button.setToolTip(about)
        button.setCheckable(checkable)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    # ------------------------------------------------------------------ showing

    @property
    def row(self) -> int | None:
        """The point that is highlighted, counted from 0; None for the last."""
        return self._row

    def show_path(self, view: PathView | None) -> None:
        """Show a descent, or that there is none."""
        before, self._view = self._view, view
        if view is not None and (before is None or before.name != view.name):
            self.apply_theme()
        if view is None:
            self._caption.setText(
                "The path of a gradient-descent sheet appears here. Open one of those lessons."
            )
            for path in (self._trail, self._epoch):
                path.set_path(np.empty((0, 2)))
            self._profile_line.setData([], [])
            self._rows.setData([], [])
            self._current.setData([], [])
            self._draw_branches(None)
            self.plot.set_loss(None)
            self._plane = None
            return
        self._follow_data(view)
        self._draw()

    def show_row(self, row: int | None) -> None:
        """Highlight the point of a row; None: the last."""
        if row != self._row:
            self._row = row
            self._draw_current()

    def fit(self) -> None:
        """Show the whole path, and the goal."""
        self._fitted = True
        self._fit.setEnabled(False)
        left, right, low, high = self._plane.window if self._plane is not None else LINE_WINDOW
        if self._view is not None:
            wide, tall = right - left, high - low
            points = self._view.trail
            near = (np.abs(points) < FAR * np.array([wide, tall])).all(axis=1)
            spans = [finite_range(points[near, i]) for i in (0, 1)]
            if spans[0] is not None and spans[1] is not None:
                edge, rim = 0.02 * wide, 0.02 * tall
                left, right = min(left, spans[0][0] - edge), max(right, spans[0][1] + edge)
                low, high = min(low, spans[1][0] - rim), max(high, spans[1][1] + rim)
        self.plot.show_range((left, right), (low, high))

    def _follow_data(self, view: PathView) -> None:
        """Draw the bands anew where the data or the function have changed."""
        plane = view.plane
        if plane is None:
            self.plot.set_loss(None)
            self._plane = None
            return
        if self._plane is None or plane.key != self._plane.key:
            is_elsewhere = self._plane is None or plane.axes != self._plane.axes
            self._plane = plane
            self.plot.set_titles(*plane.axes)
            self.plot.set_loss(plane.loss)
            if self._fitted or is_elsewhere:
                self.fit()

    def loss(self, points: FLOATS) -> FLOATS:
        """Return the loss of all rows, or the function, at points (n, 2)."""
        if self._plane is None:
            return np.full(len(points), np.nan)
        with np.errstate(all="ignore"):
            return self._plane.loss(points)

    def _draw(self) -> None:
        view = self._view
        if view is None:
            return
        self._trail.set_path(thinned(view.trail))
        self._draw_branches(view)
        self._epoch.set_path(np.vstack([view.rows, view.produced]))
        shown = self._nearby(view.rows)
        self._rows.setData(shown[:, 0], shown[:, 1])
        if self._profile_switch.isChecked():
            self._draw_profile(view)
        self._draw_current()

    def _draw_branches(self, view: PathView | None) -> None:
        """Draw where the branches that are shown went, each with its name at its end."""
        branches = view.branches if view is not None else ()
        theme = current_theme()
        while len(self._others) < len(branches):
            curve = self.plot.path(theme.text)
            curve.setZValue(-10)
            self._others.append((curve, self.plot.label("", theme.text, (0, 1))))
        for curve, name in self._others[len(branches) :]:
            curve.set_path(np.empty((0, 2)))
            name.setText("")
        for (curve, name), (place, text, path) in zip(self._others, branches, strict=False):
            points = thinned(path)
            colour = branch_colour(place, theme)
            curve.setPen(pg.mkPen(colour, width=1))
            curve.set_path(points)
            name.setText(text)
            name.setColor(colour)
            name.setPos(*points[-1])

    def _draw_profile(self, view: PathView) -> None:
        trail = thinned(view.trail, 2000)
        with np.errstate(over="ignore", invalid="ignore"):
            losses = self.loss(trail)
            span = finite_range(losses)
            self._is_log_profile = span is not None and span[0] >= 0
            if self._is_log_profile:
                losses = log10(losses + 1e-12)
                span = finite_range(losses)
        self._profile.set_log("left", self._is_log_profile)
        steps = np.linspace(0, len(view.trail) - 1, len(trail))
        self._profile_line.setData(steps, losses, connect="finite")
        if span is not None:
            top = min(span[1], 12.0) if self._is_log_profile else min(span[1], max(
                10 * abs(float(losses[np.isfinite(losses)][0])), span[0] + 1.0))
            self._profile.show_range((0, max(float(len(view.trail)), 30)), (span[0], top))

    def _draw_current(self) -> None:
        view = self._view
        if view is None or not len(view.rows):
            return
        row = len(view.rows) - 1 if self._row is None else self._row
        point = view.rows[row]
        if not np.isfinite(point).all():
            self._current.setData([], [])
            self._caption.setText(f"Row {view.top + row + 1} has no weights.")
            return
        near = self._nearby(point[None, :])
        self._current.setData(near[:, 0], near[:, 1])
        is_near = len(near) > 0
        self._arrow("gradient", point, -view.gradients[row] if is_near else None)
        momentum = view.momentum[row] if view.momentum is not None and is_near else None
        self._arrow("momentum", point, None if momentum is None else -momentum)
        at = min(view.began + row, len(view.trail) - 1)
        loss = float(self.loss(point[None, :])[0])
        height = log10(np.array([loss + 1e-12]))[0] if self._is_log_profile else loss
        self._profile_dot.setData([at], [height if np.isfinite(height) else 0.0])
        self._caption.setText(self._words(view, row, loss))

    def _nearby(self, points: FLOATS) -> FLOATS:
        """Return the points that are not so far out of view that Qt would paint them wrongly."""
        left, right, bottom, top = self.plot.view_rect()
        size = np.array([right - left, top - bottom])
        middle = np.array([right + left, top + bottom]) / 2
        with np.errstate(over="ignore", invalid="ignore"):
            return points[(np.abs(points - middle) < FAR * size).all(axis=1)]

    def _words(self, view: PathView, row: int, loss: float) -> str:
        b, a = view.rows[row]
        db, da = view.gradients[row]
        theme = current_theme()
        names, what = ("b", "a"), "mean squared error"
        if view.plane is not None:
            names, what = view.plane.names, view.plane.loss_name
        first, second_name = names
        slopes = ("de/db", "de/da") if what != "f" else ("df/dx", "df/dy")
        arrow = f"<span style='color:{theme.role_colour('loss')}'>▬</span> gradient step"
        second = ""
        if view.momentum is not None:
            second = f", <span style='color:{theme.accent}'>▬</span> momentum step"
        return (
            f"Row {view.top + row + 1}: {first} = {b:.6g}, {second_name} = {a:.6g}, "
            f"{what} {loss:.5g}, {slopes[0]} = {db:.4g}, {slopes[1]} = {da:.4g}. "
            f"{arrow}{second}"
        )

    def _arrow(self, name: str, point: FLOATS, towards: FLOATS | None) -> None:
        """Draw an arrow whose longest side is a fixed share of the plot."""
        line, head = self._arrows[name]
        is_there = bool(towards is not None and np.isfinite(towards).all() and np.any(towards))
        head.setVisible(is_there)
        if towards is None or not is_there:
            line.setData([], [])
            return
        left, right, bottom, top = self.plot.view_rect()
        size = np.array([right - left, top - bottom])
        scaled = towards / np.max(np.abs(towards) / size) * ARROW_SHARE
        end = point + scaled
        line.setData([point[0], end[0]], [point[1], end[1]])
        across, up = scaled / np.array(self.plot.getPlotItem().getViewBox().viewPixelSize())
        head.setStyle(angle=math.degrees(math.atan2(up, -across)))
        head.setPos(float(end[0]), float(end[1]))

    # ------------------------------------------------------------------ what the user does

    def _on_profile(self, shown: bool) -> None:
        self._profile.setVisible(shown)
        if self._view is not None:
            self._draw()

    def _on_log(self, log: bool) -> None:
        self.plot.set_log(log)

    def _on_equal(self, equal: bool) -> None:
        self.plot.set_equal(equal)

    def _on_moved(self) -> None:
        self._fitted = False
        self._fit.setEnabled(True)
        self._draw_current()

    def _on_click(self, x: float, y: float) -> None:
        if self._start.isChecked():
            self._start.setChecked(False)
            self.start_chosen.emit(x, y)
            return
        row = self.nearest(x, y)
        if row is not None:
            self.show_row(row)
            self.point_chosen.emit(row)

    def nearest(self, x: float, y: float) -> int | None:
        """Return the row whose point is within ten pixels of a place; None if none is."""
        if self._view is None:
            return None
        box = self.plot.getPlotItem().getViewBox()
        places = [box.mapViewToScene(QPointF(*p)) for p in self._view.rows if np.isfinite(p).all()]
        here = box.mapViewToScene(QPointF(x, y))
        distances = [(p.x() - here.x()) ** 2 + (p.y() - here.y()) ** 2 for p in places]
        if not distances or min(distances) > NEAR_PX**2:
            return None
        return int(np.argmin(distances))

    # ------------------------------------------------------------------ look

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_caption"):
            self.apply_theme()

    def apply_theme(self) -> None:
        """Paint with the theme that is on."""
        theme = current_theme()
        self.plot.apply_theme()
        self._profile.apply_theme()
        colour = colour_of(self._view.name if self._view else "basic", theme)
        self._trail.setPen(pg.mkPen(colour, width=1))
        self._epoch.setPen(pg.mkPen(colour, width=2))
        self._rows.setBrush(QColor(colour))
        self._profile_line.setPen(pg.mkPen(colour, width=1))
        self._profile_dot.setBrush(QColor(theme.accent))
        self._current.setPen(pg.mkPen(theme.accent, width=2))
        self._current.setBrush(QColor(theme.sheet))
        for name, tint in (("gradient", theme.role_colour("loss")), ("momentum", theme.accent)):
            line, head = self._arrows[name]
            line.setPen(pg.mkPen(tint, width=2))
            head.setStyle(brush=QColor(tint))
