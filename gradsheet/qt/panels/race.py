"""A race of optimizers: paths on the contours, losses, the search for rates, and who got where.

Owns the widgets; what is raced and the race itself are `app.race_session`'s. Knows no document.
"""

# LONG: one panel, one class; its parts share the curves of the runners.

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
import pyqtgraph as pg
import torch
from PySide6.QtCore import QEvent, QPointF, QSignalBlocker, Qt
from PySide6.QtGui import QBrush, QColor, QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QMenu,
    QTableWidget,
    QTableWidgetItem,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gradsheet.app.lab.race_session import SHEET_LINE, TYPED, RaceSession
from gradsheet.formula.values import UserError
from gradsheet.learn.functions2d import PRESETS
from gradsheet.learn.race import RUNNERS
from gradsheet.lessons.descent_data import NOISY, NOISY_ABOUT
from gradsheet.qt import icons
from gradsheet.qt.lab.optimizer_colours import colour_of
from gradsheet.qt.lab.plane_plot import PlanePlot
from gradsheet.qt.theme import SPACE, current_theme
from gradsheet.qt.widgets.figures import exact_text
from gradsheet.qt.widgets.line_chart import FLOATS
from gradsheet.qt.widgets.number_field import NumberField
from gradsheet.qt.widgets.polyline import Envelope, PathItem
from gradsheet.qt.widgets.quiet_plot import QuietPlot, finite_range, log10, spread_labels, thinned

RULES = {"same": "Same rate", "best": "Own best rate", "budget": "Same budget"}
HEADS = ("optimizer", "rate", "loss", "at target")
NAMES_ROOM = 1.28
"""The loss plot is so many times as wide as its steps: the names stand in the rest."""
COLUMNS = 500
"""A curve is drawn anew when it has grown by such a share: less than a pixel."""
EDGE = 0.05
"""Half the height of a name, as a share of the plot's."""
OUT_OF_SIGHT = 1e6
"""A runner so far away gets no dot."""
LEAST = 1e-16
"""Smaller losses are drawn as this: zero has no logarithm."""
COMPACT_PX = 800
"""Below this height the table shares its place with the curves."""
TABLE_PX = 9 * 22 + 10
TABS_PX = 236
"""Room for eight names at the ends of the losses."""
TABLE_EVERY = 6
"""Frames between two writings of the table: ten a second can be read."""


class RacePanel(QWidget):
    """The race of a session."""

    def __init__(self, session: RaceSession, parent: QWidget) -> None:
        super().__init__(parent)
        self._session = session
        self._frames = 0
        self._is_compact = False
        self._paths: list[PathItem] = []
        self._losses: list[pg.PlotCurveItem] = []
        self._strips: list[pg.PlotCurveItem] = []
        self._names: list[pg.TextItem] = []
        self._brushes: list[QBrush] = []
        self._envelope, self._column_drawn = Envelope(1), -1
        self._losses_shown: tuple[float, float, float] | None = None
        self._build_controls()
        self._build_plots()
        self._lay_out()
        self._try(session.prepare)
        self.follow()

    # ------------------------------------------------------------------ parts

    def _build_controls(self) -> None:
        self.function = QComboBox(self)
        self.function.setAccessibleName("Function")
        policy = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        self.function.setSizeAdjustPolicy(policy)
        self.function.setMinimumContentsLength(12)
        for preset in PRESETS.values():
            self.function.addItem(preset.title, preset.id)
            tip = f"{preset.formula}<br>{preset.source}"
            self.function.setItemData(self.function.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.function.addItem("Line fit of the sheet", SHEET_LINE)
        self.function.addItem("Noisy line fit", NOISY)
        tip = Qt.ItemDataRole.ToolTipRole
        self.function.setItemData(self.function.count() - 1, NOISY_ABOUT, tip)
        self.function.addItem("A formula of yours", TYPED)
        self.function.setCurrentIndex(self.function.findData(self._session.setup.function))
        self.function.activated.connect(self._on_function)
        self.formula = QLineEdit(self._session.setup.formula, self)
        self.formula.setAccessibleName("Formula in x and y")
        self.formula.setToolTip("A formula in x and y, as in a cell: (1-x)^2+100*(y-x^2)^2")
        self.formula.editingFinished.connect(self._on_formula)
        self.rule = QComboBox(self)
        self.rule.setAccessibleName("Rule of the race")
        for name, title in RULES.items():
            self.rule.addItem(title, name)
        self.rule.setCurrentIndex(list(RULES).index(self._session.setup.rule))
        self.rule.activated.connect(self._on_rule)
        self.rate = self._number("Rate", "The rate of all, under the rule Same rate", "lr", 1e-9)
        self.rate.setFixedWidth(8 * SPACE)
        self.steps = self._number("Steps", "How long the race is", "steps", 1, 200_000)
        self.condition = self._number("Condition number", "Steep side over flat side of the bowl",
                                      "condition", 1, 1e6)  # fmt: skip
        self.batch = self._number("Mini-batch", "Rows that a step sees; 0 for all", "batch", 0, 1e4)
        about = "Which optimizers race, eight at most; SGD always does"
        self.runners = self._button("Optimizers", "list", about, None)
        self.runners.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.runners.setMenu(self._build_menu())
        self.run_button = self._button("Run", "play", "Run the race, or pause it", self._on_run)
        self.step_button = self._button("Step", "step-forward", "One step of all", self._on_step)
        about = "Everyone back to the start"
        self.again = self._button("Again", "rotate-ccw", about, self._on_again)
        about = "Choose the start: then click in the plane"
        self._start = self._button("Set start", "crosshair", about, None)
        self._start.setCheckable(True)
        self._buttons = (self.runners, self.run_button, self.step_button, self.again, self._start)

    def _build_menu(self) -> QMenu:
        """Return the list of who can race, those who do with a tick."""
        menu = QMenu(self)
        for name, runner in RUNNERS.items():
            action = menu.addAction(runner.title)
            action.setCheckable(True)
            action.setEnabled(name != "sgd")
            action.setData(name)
            action.triggered.connect(self._on_runners)
        return menu

    def _number(
        self, name: str, about: str, field: str, low: float, high: float = 1e6
    ) -> NumberField:
        editor = NumberField(name, about, self, low=low, high=high)
        editor.setFixedWidth(7 * SPACE)
        editor.committed.connect(partial(self._on_number, field))
        return editor

    def _button(self, text: str, icon: str, about: str, slot: Any) -> QToolButton:
        button = QToolButton(self)
        button.setText(text)
        button.setIcon(icons.icon(icon))
        button.setProperty("icon_name", icon)
        button.setToolTip(about)
        button.setAccessibleName(text)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        if slot is not None:
            button.clicked.connect(slot)
        return button

    def _build_plots(self) -> None:
        self.plane = PlanePlot(self, "x", "y")
        self.plane.clicked.connect(self._on_plane)
        self.loss_plot = QuietPlot(self, "step", "loss", log_y=True)
        self.strip = QuietPlot(self, "learning rate", "loss at the end", log_x=True, log_y=True)
        self.tabs = QTabWidget(self)
        self.tabs.setDocumentMode(True)
        self.tabs.setMinimumHeight(TABS_PX)
        self.tabs.addTab(self.loss_plot, "Losses")
        self.tabs.addTab(self.strip, "Search of rates")
        self.table = QTableWidget(0, len(HEADS), self)
        self.table.setHorizontalHeaderLabels(HEADS)
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.verticalHeader().setDefaultSectionSize(22)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.table.itemSelectionChanged.connect(self._emphasise)
        self.table.setAccessibleName("Standings")
        self._note = QLabel(self)
        self._note.setWordWrap(True)
        self._note.setMargin(SPACE // 2)

    def _lay_out(self) -> None:
        what, how = QHBoxLayout(), QHBoxLayout()
        self._labels: dict[str, QLabel] = {}
        for row, items in (
            (what, (("function", self.function), ("rule", self.rule))),
            (how, (("steps", self.steps), ("rate", self.rate), ("condition", self.condition),
                   ("batch", self.batch))),
        ):  # fmt: skip
            row.setSpacing(SPACE // 2)
            for title, widget in items:
                label = self._labels[title] = QLabel(title, self)
                label.setBuddy(widget)
                row.addWidget(label)
                row.addWidget(widget, 1 if widget is self.function else 0)
        how.addStretch(1)
        what.addWidget(self.runners)
        for button in self._buttons[1:]:
            how.addWidget(button)
        head = QVBoxLayout()
        head.setContentsMargins(SPACE, SPACE // 2, SPACE // 2, SPACE // 2)
        head.setSpacing(SPACE // 2)
        head.addLayout(what)
        head.addWidget(self.formula)
        head.addLayout(how)
        column = self._column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.plane, 4)
        column.addWidget(self._note)
        column.addWidget(self.tabs, 3)
        column.addWidget(self.table)
        self.table.setFixedHeight(TABLE_PX)
        self.setMinimumWidth(320)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the table a place of its own only where there is room."""
        super().resizeEvent(event)
        is_compact = self.height() < COMPACT_PX
        if is_compact == self._is_compact:
            return
        self._is_compact = is_compact
        if is_compact:
            self.table.setMinimumHeight(0)
            self.table.setMaximumHeight(TABLE_PX)
            self.tabs.insertTab(1, self.table, "Standings")
        else:
            self.tabs.removeTab(self.tabs.indexOf(self.table))
            self.table.setFixedHeight(TABLE_PX)
            self._column.addWidget(self.table)
            self.table.show()
        self._write_note()

    def _write_note(self) -> None:
        """Say what there is to see and what the rule is; where it is narrow, the rule only."""
        plan, course = self._session.plan, self._session.course
        if plan is None or course is None:
            return
        rule = f"{plan.note[:1].upper()}{plan.note[1:]}."
        self._note.setText(rule if self._is_compact else f"{course.note} {rule}")
        self._note.setToolTip(course.note)

    # ------------------------------------------------------------------ what the user does

    def _try(self, call: Any, *arguments: Any, **changes: Any) -> bool:
        """Do something that may be refused; say why where the note stands."""
        try:
            call(*arguments, **changes)
        except UserError as error:
            self._note.setText(f"{error.text} {error.hint}")
            return False
        return True

    def _change(self, **changes: Any) -> None:
        if self._try(self._session.change, **changes):
            self.follow()

    def _on_function(self, _: int) -> None:
        self._change(function=self.function.currentData())

    def _on_formula(self) -> None:
        if self.formula.text() != self._session.setup.formula:
            self._change(function=TYPED, formula=self.formula.text())

    def _on_rule(self, _: int) -> None:
        self._change(rule=self.rule.currentData())

    def _on_runners(self, *_: object) -> None:
        names = [a.data() for a in self.runners.menu().actions() if a.isChecked()]
        if not self._try(self._session.change, names=tuple(names)):
            self._show_runners()
            return
        self.follow()

    def _show_runners(self) -> None:
        plan = self._session.plan
        racing = {runner.name for runner in plan.race.runners} if plan is not None else set()
        for action in self.runners.menu().actions():
            action.setChecked(action.data() in racing)

    def _on_number(self, field: str, number: float) -> None:
        self._change(**{field: int(number) if field in ("steps", "batch") else number})

    def _on_run(self) -> None:
        if self._session.is_busy:
            self._session.pause()
        else:
            fresh = self._session.state == "done"
            self._try(self._session.start)
            if fresh:
                self.follow()
        self._show_state()

    def _on_step(self) -> None:
        self._session.advance()
        self.draw(True)

    def _on_again(self) -> None:
        if self._try(self._session.prepare):
            self.follow()

    def _on_plane(self, x: float, y: float) -> None:
        if self._start.isChecked():
            self._start.setChecked(False)
            self._change(start=(x, y))
            return
        self._select_nearest(x, y)

    def _select_nearest(self, x: float, y: float) -> None:
        """Select the runner whose path passes nearest to a click."""
        plan = self._session.plan
        if plan is None:
            return
        box = self.plane.getPlotItem().getViewBox()
        here = box.mapViewToScene(QPointF(x, y))
        best, which = 15.0**2, None
        for i in range(len(plan.race.runners)):
            for point in thinned(plan.race.paths()[:, i], 200):
                if np.isfinite(point).all():
                    place = box.mapViewToScene(QPointF(*point))
                    far = (place.x() - here.x()) ** 2 + (place.y() - here.y()) ** 2
                    if far < best:
                        best, which = far, i
        if which is not None:
            self.table.selectRow(which)

    # ------------------------------------------------------------------ showing

    def poll(self) -> None:
        """Draw what is new; the frame clock calls it."""
        if self._session.poll():
            self._frames += 1
            self.draw(self._frames % TABLE_EVERY == 0 or not self._session.is_busy)
            self._show_state()

    def follow(self) -> None:
        """Show another race from its start."""
        session = self._session
        plan, course, setup = session.plan, session.course, session.setup
        if plan is None or course is None:
            return
        for widget, data in ((self.function, setup.function), (self.rule, setup.rule)):
            with QSignalBlocker(widget):
                widget.setCurrentIndex(widget.findData(data))
        self.rate.show_number(setup.lr or course.rate)
        self.steps.show_number(setup.steps)
        self.condition.show_number(setup.condition)
        self.batch.show_number(setup.batch)
        self._show_only("condition", self.condition, setup.function == "quadratic")
        self._show_only("batch", self.batch, setup.function in (SHEET_LINE, NOISY))
        self._show_only("rate", self.rate, setup.rule == "same")
        self.formula.setVisible(setup.function == TYPED)
        self.plane.set_titles(*course.axes)
        left, right, bottom, top = course.window
        self.plane.show_range((left, right), (bottom, top))
        surface = course.surface
        self.plane.set_loss(
            lambda points: surface.loss(torch.from_numpy(np.ascontiguousarray(points))).numpy()
        )
        self._write_note()
        self._show_runners()
        self._make_curves(plan)
        self.draw(True)
        self._show_state()

    def _show_only(self, title: str, widget: QWidget, shown: bool) -> None:
        widget.setVisible(shown)
        self._labels[title].setVisible(shown)

    def _make_curves(self, plan: Any) -> None:
        theme = current_theme()
        for plot, curves in (
            (self.plane, self._paths), (self.loss_plot, self._losses), (self.strip, self._strips),
        ):  # fmt: skip
            for curve in curves:
                plot.removeItem(curve)
            curves.clear()
        for label in self._names:
            self.loss_plot.removeItem(label)
        self._names.clear()
        for old in ("_ends", "_bests"):
            if hasattr(self, old):
                (self.plane if old == "_ends" else self.strip).removeItem(getattr(self, old))
        for runner in plan.race.runners:
            colour = colour_of(runner.name, theme)
            # The lecture's own rules have the colours of those that they are like.
            dashed = runner.name.startswith("lesson_")
            self._paths.append(self.plane.path(colour, dashed=dashed))
            self._losses.append(self.loss_plot.curve(colour, dashed=dashed))
            self._strips.append(self.strip.curve(colour, dashed=dashed))
            self._names.append(self.loss_plot.label(runner.title, colour))
        self._brushes = [QBrush(QColor(colour_of(r.name, theme))) for r in plan.race.runners]
        self._envelope, self._losses_shown = Envelope(plan.steps, COLUMNS), None
        self._ends = pg.ScatterPlotItem(size=9, pen=None, antialias=True)
        self.plane.addItem(self._ends, ignoreBounds=True)
        self._bests = pg.ScatterPlotItem(size=8, pen=None, antialias=True)
        self.strip.addItem(self._bests, ignoreBounds=True)
        self._draw_strip(plan)
        self.table.setRowCount(len(plan.race.runners))
        for row, runner in enumerate(plan.race.runners):
            swatch = QPixmap(10, 10)
            swatch.fill(QColor(colour_of(runner.name, theme)))
            for column in range(len(HEADS)):
                item = QTableWidgetItem()
                if column:
                    item.setTextAlignment(
                        Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                    )
                else:
                    item.setText(runner.title)
                    item.setData(Qt.ItemDataRole.DecorationRole, swatch)
                self.table.setItem(row, column, item)

    def _draw_strip(self, plan: Any) -> None:
        self.tabs.setTabEnabled(self.tabs.indexOf(self.strip), plan.search is not None)
        if plan.search is None:
            if self.tabs.currentWidget() is self.strip:
                self.tabs.setCurrentIndex(0)
            return
        rates = np.log10(plan.search.rates)
        bests = []
        for i, curve in enumerate(self._strips):
            losses = log10(np.minimum(plan.search.losses[i], 1e12))
            curve.setData(rates, losses, connect="finite")
            at = int(np.argmin(plan.search.losses[i]))
            bests.append((rates[at], losses[at], colour_of(plan.race.runners[i].name,
                                                           current_theme())))  # fmt: skip
        good = [(x, y, c) for x, y, c in bests if np.isfinite(y)]
        self._bests.setData([b[0] for b in good], [b[1] for b in good],
                            brush=[QColor(b[2]) for b in good])  # fmt: skip
        span = finite_range(log10(plan.search.losses))
        if span is not None:
            self.strip.show_range((rates[0], rates[-1]), (span[0], min(span[1], span[0] + 12, 8)))

    def draw(self, with_table: bool) -> None:
        """Draw paths and losses as they are."""
        plan = self._session.plan
        if plan is None:
            return
        race = plan.race
        paths, losses = race.paths(), race.losses()
        for i, path in enumerate(self._paths):
            path.follow(paths[:, i])
        self._draw_ends(paths[-1])
        column = len(losses) * COLUMNS // plan.steps
        if with_table or column != self._column_drawn:
            self._column_drawn = column
            self._draw_losses(losses, plan.steps)
        if with_table:
            self._write_table(race)

    def _draw_losses(self, losses: FLOATS, total: int) -> None:
        steps, reduced = self._envelope.follow(losses)
        heights = log10(np.maximum(reduced, LEAST))
        for i, curve in enumerate(self._losses):
            curve.setData(steps, heights[:, i], connect="finite")
        self._fit_losses(heights, total)

    def _draw_ends(self, points: FLOATS) -> None:
        """Put a dot where each runner is, but those that left the plane."""
        near = (np.abs(points) < OUT_OF_SIGHT).all(axis=1)
        brushes = [brush for brush, is_near in zip(self._brushes, near, strict=True) if is_near]
        self._ends.setData(points[near, 0], points[near, 1], brush=brushes)

    def _fit_losses(self, heights: FLOATS, steps: int) -> None:
        """Show all steps to come, and the losses in whole powers of ten: the axis rarely moves."""
        span = finite_range(heights)
        if span is None:
            return
        start = float(heights[0, 0]) if np.isfinite(heights[0, 0]) else span[1]
        low, high = max(span[0], start - 14), min(span[1], start + 2)
        shown = (steps * NAMES_ROOM, math.floor(low), math.ceil(high))
        if shown != self._losses_shown:
            self._losses_shown = shown
            self.loss_plot.show_range((0, shown[0]), (shown[1], shown[2]))
        self._place_names(heights, shown[1], shown[2])

    def _place_names(self, heights: FLOATS, low: float, high: float) -> None:
        """Write each name at its line's end, moved apart where they would overlap."""
        last = heights[-1]
        ends = np.where(np.isfinite(last), last, high)
        places = list(zip(self._names, ends.tolist(), strict=True))
        edge = EDGE * (high - low)  # no name is cut at the top
        at = float(self._session.step)
        spread_labels(self.loss_plot, places, at, low + edge, high - edge)

    def _write_table(self, race: Any) -> None:
        for row, standing in enumerate(race.standings()):
            reached = "–" if standing.reached is None else f"{standing.reached:,}"
            if standing.diverged is not None:
                reached = f"diverged at {standing.diverged:,}"
            texts = (exact_text(float(f"{standing.lr:.3g}")), f"{standing.loss:.4g}", reached)
            for column, text in enumerate(texts, 1):
                self.table.item(row, column).setText(text)

    def _emphasise(self) -> None:
        rows = {index.row() for index in self.table.selectedIndexes()}
        for i, (path, loss) in enumerate(zip(self._paths, self._losses, strict=True)):
            for curve in (path, loss):
                pen = curve.opts["pen"]
                pen.setWidth(3 if i in rows else 1)
                curve.setPen(pen)
                curve.setZValue(10 if i in rows else 0)

    def _show_state(self) -> None:
        is_busy = self._session.is_busy
        self.run_button.setText("Pause" if is_busy else "Run")
        self.run_button.setProperty("icon_name", "pause" if is_busy else "play")
        self.run_button.setIcon(icons.icon("pause" if is_busy else "play"))

    # ------------------------------------------------------------------ look

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_labels"):
            for plot in (self.plane, self.loss_plot, self.strip):
                plot.apply_theme()
            for button in self._buttons:
                button.setIcon(icons.icon(str(button.property("icon_name"))))
            plan = self._session.plan
            if plan is not None:
                self._make_curves(plan)
                self.draw(True)
