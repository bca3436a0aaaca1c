"""Starts the program: application, theme, window, exception hooks; and ends it cleanly.

Owns what is done once for a process. Knows no panel. The window is on the screen before torch
is imported; whatever goes wrong later becomes a message, never a crash dialog.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType

from PySide6.QtCore import (
    QCoreApplication,
    QMessageLogContext,
    QObject,
    QtMsgType,
    Signal,
    qInstallMessageHandler,
)
from PySide6.QtWidgets import QApplication

from gradsheet import __version__, tasks
from gradsheet.app import settings as settings_file
from gradsheet.app.document import Document
from gradsheet.app.engine import Engine
from gradsheet.app.messages import Message, MessageLog, message_of
from gradsheet.app.saving.autosave import folder
from gradsheet.app.saving.crash import LastWords
from gradsheet.formula.values import UserError
from gradsheet.qt import icons
from gradsheet.qt.file_care import FileCare
from gradsheet.qt.main_window import MainWindow
from gradsheet.qt.theme import apply_theme
from gradsheet.qt.theme_choice import chosen_theme

SAME_ERROR_S = 5.0
"""An error that comes again within this time is not told again: a clock may fail at 60 Hz."""
SHUTDOWN_S = 5.0

_QT_LEVELS = {
    QtMsgType.QtWarningMsg: "warning",
    QtMsgType.QtCriticalMsg: "error",
    QtMsgType.QtFatalMsg: "error",
}


class Reporter(QObject):
    """Carries what goes wrong anywhere, in any thread, to one log and one banner.

    Parameters
    ----------
    log : MessageLog
    parent : QObject
    """

    reported = Signal(object)
    """A `Message`, always delivered on the GUI thread."""

    def __init__(self, log: MessageLog, parent: QObject) -> None:
        super().__init__(parent)
        self._log = log
        self.before_ending: Callable[[], object] | None = None
        """Called when Qt is about to end the process."""
        self._seen: dict[str, float] = {}
        self._lock = threading.Lock()

    def report(self, error: BaseException, doing: str) -> None:
        """Log an exception and show it, unless it was reported a moment ago."""
        if self._is_repeated(f"{type(error).__name__}: {error}"):
            return
        message = message_of(error, doing)
        print(message.detail or message.text, file=sys.stderr)
        self._log.add(message)
        self.reported.emit(message)

    def report_qt(self, kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
        """Log what Qt itself complains of; it is no news for the user, so no banner."""
        level = _QT_LEVELS.get(kind)
        is_here = threading.current_thread() is threading.main_thread()
        if kind == QtMsgType.QtFatalMsg and is_here and self.before_ending is not None:
            self.before_ending()
        if level is None or self._is_repeated(text):
            return
        print(f"Qt: {text}", file=sys.stderr)
        where = f"{context.file}:{context.line}" if context.file else ""
        self._log.add(Message("error" if level == "error" else "warning", f"Qt: {text}", "", where))

    def _is_repeated(self, key: str) -> bool:
        now = time.monotonic()
        with self._lock:
            before = self._seen.get(key)
            self._seen[key] = now
            if len(self._seen) > 200:
                self._seen = {k: t for k, t in self._seen.items() if now - t < SAME_ERROR_S}
        return before is not None and now - before < SAME_ERROR_S


class Hooks:
    """The process's exception hooks, put in place and taken away again."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._before: tuple[object, object] | None = None

    def install(self) -> None:
        """Send uncaught exceptions of all threads and Qt's own warnings to the reporter."""
        self._before = (sys.excepthook, threading.excepthook)
        sys.excepthook = self._on_exception
        threading.excepthook = self._on_thread_exception
        qInstallMessageHandler(self._reporter.report_qt)

    def remove(self) -> None:
        """Put back what was there before."""
        if self._before is not None:
            sys.excepthook, threading.excepthook = self._before  # type: ignore[assignment]
            qInstallMessageHandler(None)
            self._before = None

    def _on_exception(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            QCoreApplication.quit()
            return
        self._reporter.report(error.with_traceback(trace), f"handling input{_where(trace)}")

    def _on_thread_exception(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            name = args.thread.name if args.thread else "a thread"
            self._reporter.report(args.exc_value, f"working in {name}")


def _where(trace: TracebackType | None) -> str:
    """Return which of our functions an exception went out of: the first, where input came in."""
    while trace is not None:
        code = trace.tb_frame.f_code
        if "gradsheet" in trace.tb_frame.f_globals.get("__name__", ""):
            return f" ({code.co_qualname})"
        trace = trace.tb_next
    return ""


class PatientDocument(Document):
    """A document whose engine waits until the window has been painted.

    The engine imports torch as soon as it exists, and two threads share one interpreter: without
    the wait the first paint comes half a second later (1.2 s instead of 0.7 s on two cores).

    Parameters
    ----------
    log : MessageLog
    """

    def __init__(self, log: MessageLog) -> None:
        self._may_begin = threading.Event()
        super().__init__(log)

    def begin(self) -> None:
        """Let the engine go."""
        self._may_begin.set()

    def close(self) -> None:
        """Stop the run and the engine, whether it has begun or not."""
        self.begin()
        super().close()

    @property
    def engine(self) -> Engine:
        """The engine, whose first job is to wait."""
        return self._engine

    @engine.setter
    def engine(self, engine: Engine) -> None:
        self._engine = engine
        waits = threading.Event()

        def wait() -> None:
            waits.set()
            self._may_begin.wait()

        engine.submit(wait, lambda _: None, lambda _: None, "waiting for the window")
        # A job that has not begun could be dropped with the jobs of the lesson before.
        waits.wait()


def create_application(arguments: list[str] | None = None) -> QApplication:
    """Return the QApplication, made if there is none yet."""
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        return existing
    application = QApplication(arguments if arguments is not None else sys.argv[:1])
    application.setApplicationName("gradsheet")
    application.setApplicationVersion(__version__)
    application.setDesktopFileName("gradsheet")
    application.setWindowIcon(icons.app_icon())
    return application


def open_window(options: Namespace, log: MessageLog) -> MainWindow:
    """Make the window that the command line asks for, not yet shown."""
    settings = settings_file.load()
    if options.theme:
        settings.theme = options.theme
    application = create_application()
    apply_theme(application, chosen_theme(settings.theme))
    document = PatientDocument(log)
    window = MainWindow(document, settings)
    window.garbage.start()
    window.painted.connect(document.begin)
    window.painted.connect(FileCare(window).look_for_lost)
    try:
        if options.lesson:
            document.open_lesson(options.lesson)
        if options.path:
            window.open_path(Path(options.path))
    except UserError as error:
        document.say(message_of(error, "starting"))
    return window


def run(options: Namespace) -> int:
    """Show the window and stay until it is closed.

    Parameters
    ----------
    options : Namespace
        ``path`` of ratings or None, ``lesson`` id or None, ``theme`` name or None.

    Returns
    -------
    int
        The exit code of the process.
    """
    application = create_application()
    log = MessageLog()
    reporter = Reporter(log, application)
    hooks, last_words = Hooks(reporter), LastWords(folder())
    hooks.install()
    last_words.listen()
    try:
        window = open_window(options, log)
        reporter.before_ending = window.care.save_aside
        reporter.reported.connect(window.show_message)
        window.closed.connect(application.quit)
        application.commitDataRequest.connect(window.care.save_aside)
        _close_on_signals(window.care.end)
        window.show()
        code = application.exec()
        _shut_down(window, reporter)
        window.garbage.stop()
        last_words.stop()
    finally:
        hooks.remove()
    return code


def _shut_down(window: MainWindow, reporter: Reporter) -> None:
    """Close what is open, keep the settings, leave no thread behind."""
    window.care.end()
    if QApplication.platformName() == "offscreen":
        # WORKAROUND(PySide6<6.12): data on its clipboard crashes the process at exit.
        QApplication.clipboard().clear()
    try:
        settings_file.save(window.settings)
    except OSError as error:
        reporter.report(error, "saving the settings")
    for late in tasks.cancel_all(SHUTDOWN_S):
        print(f"gradsheet: {late.name} did not stop in {SHUTDOWN_S:g} s", file=sys.stderr)


def _close_on_signals(close: Callable[[], object]) -> None:
    """Close the window on Ctrl+C, SIGTERM, SIGHUP; the clock lets Python see them ten times a s."""

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        close()

    if threading.current_thread() is threading.main_thread():
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            if hasattr(signal, name):  # Windows has no SIGHUP
                signal.signal(getattr(signal, name), on_signal)
