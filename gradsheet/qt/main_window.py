"""The window: menus, run bar, formula bar, sheet with tabs, docks, status bar.

Owns where things stand, the layout's memory and the wiring between document and panels. Holds
no fact of the document: panels are told what to show when the notifier says that it changed.
"""

from __future__ import annotations

import html
from pathlib import Path

from PySide6.QtCore import QByteArray, QEvent, QObject, QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QGuiApplication, QKeyEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QDockWidget,
    QFileDialog,
    QMainWindow,
    QTabBar,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from gradsheet import __version__
from gradsheet.app.document import Document
from gradsheet.app.messages import Message
from gradsheet.app.run import RunView
from gradsheet.app.settings import Settings
from gradsheet.lessons.catalogue import LESSONS
from gradsheet.qt.actions import Actions, shortcut_table
from gradsheet.qt.dialogs.text_window import TextWindow
from gradsheet.qt.dock_title import DockTitle
from gradsheet.qt.frame_clock import FrameClock
from gradsheet.qt.grid.formula_bar import FormulaBar
from gradsheet.qt.grid.view import GridView
from gradsheet.qt.messages_banner import DetailsWindow, MessageBanner, MessageLogWindow
from gradsheet.qt.notifier import Notifier
from gradsheet.qt.panels.guide import Guide
from gradsheet.qt.panels.lesson_list import LessonList
from gradsheet.qt.panels.loss_plot import LossPlot
from gradsheet.qt.panels.progress_strip import ProgressStrip
from gradsheet.qt.panels.run_bar import RunBar
from gradsheet.qt.panels.status import StatusBar
from gradsheet.qt.ratings_opening import RatingsOpening
from gradsheet.qt.summary import summarise
from gradsheet.qt.theme import SPACE, apply_theme
from gradsheet.qt.theme_choice import chosen_theme, follow_system
from gradsheet.sheet.workbook import Change

START_SIZE = (1760, 1000)
"""Enough for the first lesson with both panels open."""
SHARE_OF_SCREEN = 0.92
ZOOM_STEPS = (0.5, 0.67, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)
LEFT_PX = 248
RIGHT_PX = 288
STATUS_EVERY = 4
"""Ticks between two readings of the status bar while running: 15 a second can be read."""
SUMMARY_MS = 100

RATINGS_FILTER = "Ratings (*.csv *.tsv *.txt *.data *.dat *.base *.test *.zip *.gz);;All files (*)"


class _SpacePressesButtons(QObject):
    """Lets Space press the button or open the list that has the focus, instead of stepping."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
            if event.key() == Qt.Key.Key_Space and plain:
                event.accept()
                return True
        return False


class MainWindow(QMainWindow):
    """The one window of the program.

    Parameters
    ----------
    document : Document
        Closed with the window.
    settings : Settings
        Read at the start, written into when the window closes; saving them is the caller's.
    """

    closed = Signal()
    """The window is closed and its document too."""

    def __init__(self, document: Document, settings: Settings) -> None:
        super().__init__()
        self.document = document
        self.settings = settings
        self._log_window: MessageLogWindow | None = None
        self._painted = False
        self._state_shown = ""
        self.setObjectName("gradsheet")
        self.setMinimumSize(640, 420)
        self.setDockNestingEnabled(False)
        self.actions_by_id = Actions(document, self)
        self._build_centre()
        self._build_bars()
        self._build_docks()
        self._build_status()
        self.actions_by_id.fill(self.menuBar())
        self.actions_by_id.attach_to_grid(self.grid)
        self._space_filter = _SpacePressesButtons(self)
        for kind in (QAbstractButton, QComboBox):
            for widget in self.findChildren(kind):
                widget.installEventFilter(self._space_filter)
        self._summary_timer = QTimer(self)
        self._summary_timer.setSingleShot(True)
        self._summary_timer.setInterval(SUMMARY_MS)
        self._summary_timer.timeout.connect(self._summarise)
        self._connect()
        self._first_layout = self.saveState()
        self._restore_layout()
        self._on_replaced()

    # ------------------------------------------------------------------ parts

    def _build_centre(self) -> None:
        centre = QWidget(self)
        self.banner = MessageBanner(self.actions_by_id.by_id, centre)
        self.grid = GridView(self.document, centre)
        self.tabs = QTabBar(centre)
        self.tabs.setShape(QTabBar.Shape.RoundedSouth)
        self.tabs.setExpanding(False)
        self.tabs.setDrawBase(False)
        self.tabs.setUsesScrollButtons(True)
        self.tabs.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.tabs.setAccessibleName("Sheets")
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.banner)
        column.addWidget(self.grid, 1)
        column.addWidget(self.tabs)
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
        column = QVBoxLayout(stack)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.lesson_list, 2)
        column.addWidget(self.guide, 3)
        self.loss_plot = LossPlot(self, log=self.settings.log_loss)
        self.docks: dict[str, QDockWidget] = {}
        self._add_dock("lessons", "Lessons", stack, Qt.DockWidgetArea.LeftDockWidgetArea, LEFT_PX)
        self._add_dock(
            "loss", "Loss", self.loss_plot, Qt.DockWidgetArea.RightDockWidgetArea, RIGHT_PX
        )

    def _add_dock(
        self, name: str, title: str, content: QWidget, area: Qt.DockWidgetArea, width_px: int
    ) -> None:
        dock = QDockWidget(title, self)
        dock.setObjectName(name)
        dock.setWidget(content)
        dock.setTitleBarWidget(DockTitle(dock, f"View > {self._panel_action_title(name)}"))
        self.addDockWidget(area, dock)
        self.resizeDocks([dock], [width_px], Qt.Orientation.Horizontal)
        dock.visibilityChanged.connect(self._refresh_actions)
        self.docks[name] = dock

    def _panel_action_title(self, name: str) -> str:
        return self.actions_by_id.by_id[f"view.{name}"].text()

    def _build_status(self) -> None:
        self.status = StatusBar(self)
        self.progress = ProgressStrip(self.status)
        self.status.add_before_summary(self.progress)
        self.setStatusBar(self.status)
        self.opening = RatingsOpening(self.document, self)
        self.clock = FrameClock(self._poll, self._is_busy, self)

    def _connect(self) -> None:
        self.notifier = Notifier(self.document, self)
        self.notifier.changed.connect(self._on_change)
        self.notifier.run_changed.connect(self._on_run)
        self.notifier.replaced.connect(self._on_replaced)
        self.notifier.messaged.connect(self.show_message)
        self.grid.message.connect(self._on_grid_message)
        self.grid.selection_changed.connect(self._summary_timer.start)
        self.tabs.currentChanged.connect(self._on_tab)
        self.lesson_list.chosen.connect(self._on_lesson_chosen)
        self.loss_plot.log_changed.connect(self._on_log_changed)
        self.run_bar.speed_changed.connect(self._on_speed_changed)
        self.banner.details_asked.connect(self._show_details)
        self.progress.cancelled.connect(self.opening.cancel)
        self.opening.progressed.connect(self.progress.show_progress)
        self.opening.opened.connect(self._on_opened)
        follow_system(self._on_system_theme)

    # ------------------------------------------------------------------ the clock

    def _poll(self) -> None:
        self.document.poll()
        self.opening.poll()

    def _is_busy(self) -> bool:
        return self.document.is_busy or self.opening.is_busy

    # ------------------------------------------------------------------ the document speaks

    def _on_change(self, change: Change) -> None:
        self.grid.apply_change(change)
        if change.structure:
            self._fill_tabs()
        if not self._summary_timer.isActive():
            self._summary_timer.start()
        self.clock.wake()

    def _on_run(self, run: RunView) -> None:
        self.run_bar.show_run(run)
        self.loss_plot.show_run(run)
        is_news = run.state != "running" or run.state != self._state_shown
        if is_news or self.clock.ticks % STATUS_EVERY == 0:
            self._state_shown = run.state
            self.status.show_run(run)
        self._refresh_actions()
        self.clock.wake()

    def _on_replaced(self) -> None:
        document = self.document
        self._fill_tabs(document.book.sheet)
        self.grid.reload(document.book.sheet)
        self.grid.select(document.book.selection)
        self.lesson_list.show_lesson(document.lesson.id)
        self.guide.show_text(document.lesson.guide())
        self.setWindowTitle(f"{document.title} – gradsheet")
        document.set_speed(self.settings.steps_per_second)
        self.loss_plot.fit()
        self._on_run(document.run_view())

    def show_message(self, message: Message) -> None:
        """Show a message: what needs an answer in the banner, what does not in the status bar."""
        if message.level == "info" and not message.action:
            self.status.show_note(f"{message.text} {message.hint}".strip())
        else:
            self.banner.show_message(message)
        if self._log_window is not None:
            self._log_window.add(message)

    def _on_grid_message(self, text: str, hint: str) -> None:
        self.document.say(Message("warning", text, hint))

    # ------------------------------------------------------------------ sheets

    @property
    def sheet_count(self) -> int:
        """How many sheets the workbook has."""
        return len(self.document.workbook.sheets)

    def _fill_tabs(self, current: int | None = None) -> None:
        current = self.grid.sheet_id if current is None else current
        with QSignalBlocker(self.tabs):
            while self.tabs.count():
                self.tabs.removeTab(0)
            for index, sheet in enumerate(self.document.workbook.sheets):
                self.tabs.addTab(sheet.name)
                self.tabs.setTabData(index, sheet.id)
                self.tabs.setTabToolTip(index, f"Sheet {sheet.name}")
                if sheet.id == current:
                    self.tabs.setCurrentIndex(index)

    def _on_tab(self, index: int) -> None:
        sheet_id = self.tabs.tabData(index)
        if sheet_id is None or sheet_id == self.grid.sheet_id:
            return
        self.grid.set_sheet(sheet_id)
        if self.grid.sheet_id != sheet_id:  # the edit that is open cannot be finished as it is
            self._fill_tabs()
        self.grid.setFocus()

    def move_sheet(self, by: int) -> None:
        """Show another sheet, `by` places to the right."""
        self.tabs.setCurrentIndex((self.tabs.currentIndex() + by) % max(1, self.tabs.count()))

    def go_to_loss(self) -> None:
        """Select the cell that training makes small."""
        sheet_id, cell = self.document.problem.loss
        if self.grid.sheet_id != sheet_id:
            self.grid.set_sheet(sheet_id)
            self._fill_tabs()
        self.grid.select(cell)
        self.grid.show_cell(cell)
        self.grid.setFocus()

    def _summarise(self) -> None:
        regions = self.grid.selection
        if sum(region.size for region in regions) < 2:
            self.status.show_summary(None)
            return
        self.status.show_summary(summarise(self.grid.sheet.cells, regions))

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
        now = self.grid.zoom
        if direction == 0:
            self.grid.zoom = 1.0
        elif direction > 0:
            self.grid.zoom = next((z for z in ZOOM_STEPS if z > now + 1e-6), ZOOM_STEPS[-1])
        else:
            smaller = [z for z in ZOOM_STEPS if z < now - 1e-6]
            self.grid.zoom = smaller[-1] if smaller else ZOOM_STEPS[0]

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
        self.actions_by_id.by_id[f"lesson.open.{lesson_id}"].trigger()
        self.grid.setFocus()

    # ------------------------------------------------------------------ ratings

    def ask_for_ratings(self) -> None:
        """Let the user choose a file of ratings."""
        recent = self.settings.recent
        folder = str(Path(recent[0]).parent) if recent else str(Path.home())
        name, _ = QFileDialog.getOpenFileName(self, "Open ratings", folder, RATINGS_FILTER)
        if name:
            self.open_ratings(Path(name))

    def open_ratings(self, path: Path, *, ask: bool = True) -> None:
        """Look at a file of ratings, let the user check what was found, and read it."""
        self.opening.open(path, ask=ask)
        self.clock.wake()

    def _on_opened(self, path: Path) -> None:
        self.settings.add_recent(path)
        self.grid.setFocus()

    # ------------------------------------------------------------------ help

    def show_messages(self) -> None:
        """Show everything that has been said since the start."""
        if self._log_window is None:
            self._log_window = MessageLogWindow(self.document.log.messages(), self)
            self._log_window.destroyed.connect(self._forget_log_window)
        self._log_window.show()
        self._log_window.raise_()

    def _forget_log_window(self) -> None:
        self._log_window = None

    def _show_details(self, message: Message) -> None:
        DetailsWindow(message, self).show()

    def show_shortcuts(self) -> None:
        """List every command with its keys."""
        parts = ["<table cellspacing='0' cellpadding='4'>"]
        menu_before = ""
        for menu, title, keys, about in shortcut_table():
            if menu != menu_before:
                parts.append(f"<tr><td colspan='3'><br><b>{menu}</b></td></tr>")
                menu_before = menu
            cells = (f"<b>{html.escape(keys)}</b>", html.escape(title), html.escape(about))
            parts.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
        parts.append("</table>")
        TextWindow("Keyboard shortcuts", "".join(parts), self, width=760).show()

    def show_about(self) -> None:
        """Show the version, and whose work the program stands on."""
        text = (
            f"<h2>gradsheet {__version__}</h2>"
            "<p>A spreadsheet that can learn: formulas compile to PyTorch, every cell has a value "
            "and a gradient.</p>"
            "<p>It stands on Qt and PySide6 (LGPL), PyTorch, NumPy, pandas and pyqtgraph. Icons: "
            "Lucide (ISC) and Feather (MIT). Role colours: Okabe and Ito, 2008. The lessons' "
            "ratings: MovieLens, F. M. Harper and J. A. Konstan, 2015.</p>"
        )
        TextWindow("About gradsheet", text, self, width=480).show()

    # ------------------------------------------------------------------ layout

    def _layout_key(self, what: str) -> str:
        screen = self.screen().size()
        return f"{screen.width()}x{screen.height()}:{what}"

    def _restore_layout(self) -> None:
        layout = self.settings.layout
        geometry = layout.get(self._layout_key("geometry"))
        state = layout.get(self._layout_key("state"))
        if geometry is None:
            available = self.screen().availableGeometry()
            width, height = START_SIZE
            if available.width() < width or available.height() < height:
                self.setWindowState(self.windowState() | Qt.WindowState.WindowMaximized)
            width = min(width, int(available.width() * SHARE_OF_SCREEN))
            self.resize(width, min(height, int(available.height() * SHARE_OF_SCREEN)))
        else:
            self.restoreGeometry(QByteArray.fromBase64(geometry.encode("ascii")))
        if state is not None:
            self.restoreState(QByteArray.fromBase64(state.encode("ascii")))

    def remember_layout(self) -> None:
        """Put window geometry and panels into the settings."""
        for what, data in (("geometry", self.saveGeometry()), ("state", self.saveState())):
            self.settings.layout[self._layout_key(what)] = bytes(data.toBase64()).decode("ascii")

    def reset_layout(self) -> None:
        """Put every panel back where it was at first."""
        self.restoreState(self._first_layout)
        for dock, width in (("lessons", LEFT_PX), ("loss", RIGHT_PX)):
            self.docks[dock].show()
            self.resizeDocks([self.docks[dock]], [width], Qt.Orientation.Horizontal)

    # ------------------------------------------------------------------ life

    def showEvent(self, event: QShowEvent) -> None:
        """Start the clock; leave what is slow to import until the window has been painted."""
        super().showEvent(event)
        if not self._painted:
            self._painted = True
            # Only now does the grid know its size, and so whether the selection is in view.
            self.grid.reload(self.document.book.sheet)
            self.grid.select(self.document.book.selection)
            self.grid.setFocus()
            self.clock.start()
            QTimer.singleShot(0, self.loss_plot, self.loss_plot.prepare)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop everything at once: clock, import, run, engine."""
        self.remember_layout()
        self.hide()
        self.clock.stop()
        self._summary_timer.stop()
        self.opening.cancel()
        self.document.close()
        super().closeEvent(event)
        self.closed.emit()


__all__ = ["SPACE", "MainWindow"]
