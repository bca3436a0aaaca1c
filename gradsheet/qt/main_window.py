"""The window: menus, run bar, formula bar, sheet with tabs, docks, status bar.

Owns where things stand, the layout's memory and the wiring between document and panels. Holds
no fact of the document: panels are told what to show when the notifier says that it changed.
"""

# LONG: the wiring of all parts stands in one place; no method does more than hand on.

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QGuiApplication, QShowEvent
from PySide6.QtWidgets import (
    QDockWidget,
    QHBoxLayout,
    QMainWindow,
    QToolBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gradsheet.app.document import Document
from gradsheet.app.messages import Message, doing
from gradsheet.app.run import RunView
from gradsheet.app.settings import Settings
from gradsheet.lessons.catalogue import LESSONS
from gradsheet.qt import file_commands, help_windows, sight_commands  # noqa: F401  enters its commands
from gradsheet.qt.actions import Actions
from gradsheet.qt.dialogs.find import FindBar
from gradsheet.qt.export.picture_desk import PictureDesk
from gradsheet.qt.frame_clock import FrameClock
from gradsheet.qt.garbage import GarbageTurns
from gradsheet.qt.grid.formula_bar import FormulaBar
from gradsheet.qt.grid.view import GridView
from gradsheet.qt.grid_tools import GridTools
from gradsheet.qt.lab.descent_lab import DescentLab
from gradsheet.qt.layout_memory import LayoutMemory
from gradsheet.qt.message_dock import MessageDock
from gradsheet.qt.messages_banner import MessageBanner
from gradsheet.qt.notifier import Notifier
from gradsheet.qt.panels.guide import Guide
from gradsheet.qt.panels.lesson_list import LessonList
from gradsheet.qt.panels.loss_plot import LossPlot
from gradsheet.qt.panels.progress_strip import ProgressStrip
from gradsheet.qt.panels.run_bar import RunBar
from gradsheet.qt.panels.status import StatusBar
from gradsheet.qt.panels.time_bar import TimeBar
from gradsheet.qt.ratings.docks import RatingsDocks
from gradsheet.qt.ratings.looking_docks import LookingDocks
from gradsheet.qt.ratings.opening import RatingsOpening, ask_for_file
from gradsheet.qt.ratings.table_filter import FilterBar
from gradsheet.qt.recent_menu import RecentMenu
from gradsheet.qt.sheet_tabs import SheetTabs
from gradsheet.qt.sight import Sight
from gradsheet.qt.solver.desk import SolverDesk
from gradsheet.qt.space_key import SpacePressesButtons
from gradsheet.qt.summary import SelectionSummary
from gradsheet.qt.theme import apply_theme
from gradsheet.qt.theme_choice import chosen_theme, follow_system
from gradsheet.qt.time_travel import TimeTravel
from gradsheet.qt.view_memory import ViewMemory
from gradsheet.qt.widgets.dock_title import make_dock
from gradsheet.qt.zoom import next_zoom
from gradsheet.sheet.workbook import Change

if TYPE_CHECKING:
    from gradsheet.qt.file_care import FileCare

LEFT_PX = 248
LEFT_LEAST_PX = 228
"""Narrower, the titles of the lessons are cut."""
RIGHT_PX = 288
STATUS_EVERY = 4
"""Ticks between two readings of the status bar while running: 15 a second can be read."""


class MainWindow(QMainWindow):
    """The one window of the program.

    Parameters
    ----------
    document : Document
        Closed with the window.
    settings : Settings
        Read at the start, written into when the window closes; saving them is the caller's.
    """

    painted = Signal()
    """The window is on the screen for the first time; what is slow to import may come now."""
    closed = Signal()
    """The window is closed and its document too."""

    def __init__(self, document: Document, settings: Settings) -> None:
        super().__init__()
        self.document = document
        self.settings = settings
        self._was_shown = False
        self._state_shown = ""
        self.care: FileCare | None = None
        """Looks after unsaved work, where the program has one look after it."""
        self.setObjectName("gradsheet")
        self.setMinimumSize(640, 420)
        self.setDockNestingEnabled(False)
        self.actions_by_id = Actions(document, self)
        self._build_centre()
        self._build_bars()
        self._build_docks()
        self._build_status()
        self.recent_menu = RecentMenu(settings, self)
        self.actions_by_id.fill(self.menuBar(), {"file.open_ratings": self.recent_menu})
        self.actions_by_id.attach_to_grid(self.grid)
        SpacePressesButtons(self)
        self._summary = SelectionSummary(self.grid, self)
        self.tools = GridTools(self, self.find_bar)
        self._connect()
        self.solver = SolverDesk(self)
        self.sight = Sight(self)
        self.time_travel = TimeTravel(self)
        self._view = ViewMemory(self)
        self.notifier.replaced.connect(self._view.restore)
        self.pictures = PictureDesk(self)
        widths = {"lessons": LEFT_PX, "loss": RIGHT_PX}
        self._layout = LayoutMemory(
            self, {name: (dock, widths[name]) for name, dock in self.docks.items()}, settings
        )
        self._layout.restore()
        self._on_replaced()
        self.ratings_docks.follow_document()  # the layout of last time may have shown its docks

    # ------------------------------------------------------------------ parts

    def _build_centre(self) -> None:
        centre = QWidget(self)
        self.banner = MessageBanner(self.actions_by_id.by_id, centre)
        self.grid = GridView(self.document, centre)
        self.tabs = SheetTabs(centre)
        self.find_bar = FindBar(self.grid, centre)
        self.filter_bar = FilterBar(self.grid, centre)
        add_sheet = QToolButton(centre)
        add_sheet.setDefaultAction(self.actions_by_id.by_id["sheet.add"])
        add_sheet.setAutoRaise(True)
        below = QHBoxLayout()
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(0)
        below.addWidget(add_sheet)
        below.addWidget(self.tabs, 1)
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.banner)
        column.addWidget(self.grid, 1)
        column.addWidget(self.find_bar)
        column.addWidget(self.filter_bar)
        column.addLayout(below)
        self.time_bar = TimeBar(self.document, self.actions_by_id.by_id, centre)
        column.addWidget(self.time_bar)
        self.setCentralWidget(centre)

    def _build_bars(self) -> None:
        self.run_bar = RunBar(
            self.document,
            self.actions_by_id.by_id,
            self,
            steps_per_second=self.settings.steps_per_second,
        )
        self.addToolBar(self.run_bar)
        self.addToolBarBreak()
        holder = QToolBar("Formula bar", self)
        holder.setObjectName("formula_bar")
        holder.setMovable(False)
        holder.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        holder.setStyleSheet("#formula_bar { padding: 0; }")
        self.formula_bar = FormulaBar(self.document, self.grid, holder)
        holder.addWidget(self.formula_bar)
        self.addToolBar(holder)
        for bar in (self.run_bar, holder):
            bar.layout().setContentsMargins(0, 0, 0, 0)
            # The toggles would be a second way to lose a bar, and no way to find it again.
            bar.toggleViewAction().setEnabled(False)

    def _build_docks(self) -> None:
        self.lesson_list = LessonList(LESSONS.values(), self)
        self.guide = Guide(self)
        stack = QWidget(self)
        stack.setMinimumWidth(LEFT_LEAST_PX)
        column = QVBoxLayout(stack)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.lesson_list, 2)
        column.addWidget(self.guide, 3)
        self.loss_plot = LossPlot(self, log=self.settings.log_loss)
        left, right = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea
        self.docks: dict[str, QDockWidget] = {}
        for name, title, content, area, width in (
            ("lessons", "Lessons", stack, left, LEFT_PX),
            ("loss", "Loss", self.loss_plot, right, RIGHT_PX),
        ):
            way_back = f"View > {self.actions_by_id.by_id[f'view.{name}'].text()}"
            dock = make_dock(self, name, title, content, way_back)
            self.addDockWidget(area, dock)
            self.resizeDocks([dock], [width], Qt.Orientation.Horizontal)
            dock.visibilityChanged.connect(self._refresh_actions)
            self.docks[name] = dock
        self.message_log = MessageDock(self.document.log, self)
        self.lab = DescentLab(self)
        self.looking_docks = LookingDocks(self)
        self.ratings_docks = RatingsDocks(self)

    def _build_status(self) -> None:
        self.status = StatusBar(self)
        self.progress = ProgressStrip(self.status)
        self.status.add_before_summary(self.progress)
        self.setStatusBar(self.status)
        self.opening = RatingsOpening(self.document, self)
        self.clock = FrameClock(self._poll, self._is_busy, self)
        self.document.engine.on_done = self.clock.ask
        self.garbage = GarbageTurns(self.clock)

    def _connect(self) -> None:
        self.notifier = Notifier(self.document, self)
        self.notifier.changed.connect(self._on_change)
        self.notifier.run_changed.connect(self._on_run)
        self.notifier.replaced.connect(self._on_replaced)
        self.notifier.replaced.connect(self.garbage.replaced)
        self.notifier.messaged.connect(self.show_message)
        self.grid.message.connect(self._on_grid_message)
        self._summary.summarised.connect(self.status.show_summary)
        self.tabs.chosen.connect(self._on_sheet_chosen)
        self.lesson_list.chosen.connect(self._on_lesson_chosen)
        self.guide.command_asked.connect(self._on_command_asked)
        self.loss_plot.log_changed.connect(self._on_log_changed)
        self.run_bar.speed_changed.connect(self._on_speed_changed)
        self.banner.details_asked.connect(self.message_log.show_details)
        self.progress.cancelled.connect(self.opening.cancel)
        self.opening.progressed.connect(self.progress.show_progress)
        self.opening.opened.connect(self._on_opened)
        self.recent_menu.chosen.connect(self.open_path)
        self.lab.connect_to()
        self.looking_docks.connect_to()
        self.ratings_docks.connect_to()
        follow_system(self._on_system_theme)

    # ------------------------------------------------------------------ the clock

    def _poll(self) -> None:
        with doing("bringing in results"):
            self.document.poll()
            self.opening.poll()
            self.lab.poll()
            self.looking_docks.poll()
            self.ratings_docks.poll()
        if self.care is not None:
            self.care.poll()

    def _is_busy(self) -> bool:
        parts = (self.document, self.opening, self.lab, self.ratings_docks, self.looking_docks)
        is_looking = self.care is not None and self.care.is_busy
        return is_looking or any(part.is_busy for part in parts)

    # ------------------------------------------------------------------ the document speaks

    def _on_change(self, change: Change) -> None:
        self.grid.apply_change(change)
        if change.structure:
            self.show_tabs()
        self.tools.follow(change)
        self._summary.refresh()
        # The key of Undo may come right after the edit that made it possible.
        if self.actions_by_id.by_id["edit.undo"].isEnabled() != self.document.history.can_undo:
            self._refresh_actions()
        self.clock.wake()

    def _on_run(self, run: RunView) -> None:
        self.run_bar.show_run(run)
        self.time_bar.show_run(run)
        self.loss_plot.show_run(run)
        read_only = " (read-only)" if self.document.is_read_only else ""
        title = f"{self.document.title}{read_only}[*] – gradsheet"
        if title != self.windowTitle():
            self.setWindowTitle(title)
        self.setWindowModified(self.document.is_changed)
        is_news = run.state != "running" or run.state != self._state_shown
        if is_news or self.clock.ticks % STATUS_EVERY == 0:
            self._state_shown = run.state
            self.status.show_run(run)
        self._refresh_actions()
        self.clock.wake()

    def _on_replaced(self) -> None:
        document = self.document
        self.banner.dismiss_offer()
        self.show_tabs(document.book.sheet)
        self.grid.reload(document.book.sheet)
        self.grid.select(document.book.selection)
        self.lesson_list.show_lesson(document.lesson.id)
        self.guide.show_text(document.lesson.guide())
        document.set_speed(self.settings.steps_per_second)
        self.run_bar.show_speed(document.ratings is None)
        self.loss_plot.fit()
        self._on_run(document.run_view())

    def show_message(self, message: Message) -> None:
        """Show a message: what needs an answer in the banner, what does not in the status bar.

        Before a bug is told of, unsaved work is written aside.
        """
        if message.level == "error" and self.care is not None:
            self.care.save_soon()
        if message.level == "info" and not message.action:
            self.status.show_note(f"{message.text} {message.hint}".strip())
        else:
            self.banner.show_message(message)

    def _on_grid_message(self, text: str, hint: str) -> None:
        self.document.say(Message("warning", text, hint))

    # ------------------------------------------------------------------ sheets

    def show_tabs(self, current: int | None = None) -> None:
        """Show a tab for each sheet of the workbook; the current one is that of the grid."""
        current = self.grid.sheet_id if current is None else current
        self.tabs.show_sheets(self.document.workbook.sheets, current)

    def _on_sheet_chosen(self, sheet_id: int) -> None:
        self.grid.set_sheet(sheet_id)
        if self.grid.sheet_id != sheet_id:  # the edit that is open cannot be finished as it is
            self.show_tabs()
        self.lab.sheet_shown(self.grid.sheet_id)
        if self.grid.typing is None:  # else the formula that points here keeps the keyboard
            self.grid.setFocus()

    def move_sheet(self, by: int) -> None:
        """Show another sheet, `by` places to the right."""
        self.tabs.move_by(by)

    def go_to_loss(self) -> None:
        """Select the cell that training makes small."""
        sheet_id, cell = self.document.problem.loss
        if self.grid.go_to_sheet(sheet_id):
            self.grid.select(cell)
            self.grid.setFocus()

    # ------------------------------------------------------------------ commands

    def after_command(self) -> None:
        """Bring results in quickly after something was done; called after every command."""
        self.clock.wake()
        self._refresh_actions()

    def _refresh_actions(self) -> None:
        if hasattr(self, "clock"):
            self.actions_by_id.refresh()

    def zoom(self, direction: int) -> None:
        """Show the sheet larger (+1), smaller (-1) or at 100 % (0)."""
        self.grid.zoom = next_zoom(self.grid.zoom, direction)

    def is_panel_open(self, name: str) -> bool:
        """Whether a dock shows (it may lie behind another one)."""
        return not self.docks[name].isHidden()

    def toggle_panel(self, name: str) -> None:
        """Show or hide a dock."""
        self.docks[name].setVisible(self.docks[name].isHidden())

    def toggle_full_screen(self) -> None:
        """Fill the screen, and back to how the window was."""
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def choose_theme(self, name: str) -> None:
        """Change the look: "system", "light", "dark" or "contrast"."""
        self.settings.theme = name
        application = QGuiApplication.instance()
        apply_theme(application, chosen_theme(name))
        self.actions_by_id.retint()
        self.run_bar.retint()

    def _on_system_theme(self) -> None:
        if self.settings.theme == "system":
            self.choose_theme("system")

    def _on_log_changed(self, log: bool) -> None:
        self.settings.log_loss = log
        self._refresh_actions()

    def _on_speed_changed(self, steps_per_second: float | None) -> None:
        self.settings.steps_per_second = steps_per_second
        self.clock.wake()

    def _on_lesson_chosen(self, lesson_id: str) -> None:
        self._on_command_asked(f"lesson.open.{lesson_id}")
        self.grid.setFocus()

    def _on_command_asked(self, name: str) -> None:
        if name in self.actions_by_id.by_id:
            self.actions_by_id.by_id[name].trigger()

    # ------------------------------------------------------------------ ratings

    def ask_for_ratings(self) -> None:
        """Let the user choose a file of ratings."""
        recent = self.settings.recent
        path = ask_for_file(self, Path(recent[0]).parent if recent else Path.home())
        if path is not None:
            self.open_ratings(path)

    def open_path(self, path: Path) -> None:
        """Open a file by its ending: a session, a workbook, or ratings."""
        file_commands.open_path(self, path)

    def guard(self, then: Callable[[], None]) -> None:
        """Do something after which what is open is gone; unsaved work is asked about first."""
        if self.care is not None:
            self.care.ask(then)
        else:
            then()

    def open_ratings(self, path: Path, *, ask: bool = True) -> None:
        """Look at a file of ratings, let the user check what was found, and read it."""
        self.guard(partial(self.read_ratings, path, ask=ask))

    def read_ratings(self, path: Path, *, ask: bool = True) -> None:
        """Do so without asking about unsaved work."""
        self.opening.open(path, ask=ask)
        self.clock.wake()

    def _on_opened(self, path: Path) -> None:
        self.settings.add_recent(path)
        if self.care is not None:
            self.care.remember()
        self.grid.setFocus()

    # ------------------------------------------------------------------ help

    def show_messages(self) -> None:
        """Show or hide everything that has been said since the start."""
        self.message_log.dock.toggle()

    def show_shortcuts(self) -> None:
        """List every command with its keys."""
        help_windows.show_shortcuts(self)

    def show_about(self) -> None:
        """Show the version, and whose work the program stands on."""
        help_windows.show_about(self)

    # ------------------------------------------------------------------ layout

    def remember_layout(self) -> None:
        """Put window geometry and panels into the settings."""
        self._layout.remember()

    def reset_layout(self) -> None:
        """Put every panel back where it was at first."""
        self._layout.reset()
        if self.ratings_docks.session is not None:
            self.ratings_docks.arrange()

    # ------------------------------------------------------------------ life

    def showEvent(self, event: QShowEvent) -> None:
        """Start the clock; leave what is slow to import until the window has been painted."""
        super().showEvent(event)
        if not self._was_shown:
            self._was_shown = True
            # Only now does the grid know its size, and so whether the selection is in view.
            self.grid.reload(self.document.book.sheet)
            self.grid.select(self.document.book.selection)
            self.grid.setFocus()
            self.clock.start()
            self.grid.viewport().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Hear of the first paint of the sheet."""
        if event.type() == QEvent.Type.Paint:
            self.grid.viewport().removeEventFilter(self)
            QTimer.singleShot(0, self, self._after_first_paint)
        return super().eventFilter(watched, event)

    def _after_first_paint(self) -> None:
        self.painted.emit()
        QTimer.singleShot(0, self.loss_plot, self.loss_plot.prepare)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop everything at once: clock, import, run, engine; unsaved work is asked about."""
        if self.care is not None and not self.care.may_close():
            event.ignore()
            return
        self.sight.presentation.leave()
        self.remember_layout()
        self.hide()
        self.document.engine.on_done = None
        self.clock.stop()
        self._summary.stop()
        self.opening.cancel()
        self.pictures.stop()
        self.lab.race_session.close()
        self.looking_docks.close()
        self.ratings_docks.close()
        self.sight.stop()
        self.solver.stop()
        if self.care is not None:
            self.care.close()
        self._view.stop()
        self.message_log.stop()
        self.document.close()
        super().closeEvent(event)
        self.closed.emit()
