"""Start, exception hooks and end of the process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from argparse import Namespace
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, QTimer, qWarning
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gradsheet.app.messages import MessageLog
from gradsheet.app.saving.recovery import lost
from gradsheet.formula.values import UserError
from gradsheet.qt import application
from gradsheet.qt.application import Hooks, Reporter

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def log() -> MessageLog:
    return MessageLog()


@pytest.fixture
def reporter(qapp: QApplication, log: MessageLog) -> Reporter:
    return Reporter(log, qapp)


def test_a_bug_becomes_a_message_with_its_traceback(reporter: Reporter, log: MessageLog) -> None:
    try:
        raise ZeroDivisionError("by zero")
    except ZeroDivisionError as error:
        reporter.report(error, "dividing")
    (message,) = log.messages()
    assert message.level == "error"
    assert "while dividing" in message.text
    assert "test_application.py" in message.detail


def test_a_user_error_speaks_for_itself(reporter: Reporter, log: MessageLog) -> None:
    reporter.report(UserError("The file is empty.", "Choose another."), "opening")
    assert log.messages()[0].text == "The file is empty."
    assert log.messages()[0].level == "warning"


def test_the_same_error_sixty_times_a_second_is_said_once(
    reporter: Reporter, log: MessageLog
) -> None:
    for _ in range(60):
        reporter.report(RuntimeError("again"), "polling")
    assert len(log.messages()) == 1


def test_hooks_catch_slots_threads_and_qt_and_are_taken_away(
    qtbot: QtBot, reporter: Reporter, log: MessageLog, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (sys.excepthook, threading.excepthook)
    shown: list[str] = []
    reporter.reported.connect(lambda message: shown.append(message.text))
    hooks = Hooks(reporter)
    hooks.install()
    try:

        def fail(text: str) -> None:
            raise RuntimeError(text)

        owner = QObject()
        QTimer.singleShot(0, owner, lambda: fail("in a slot"))
        thread = threading.Thread(target=fail, args=("in a thread",), name="worker")
        thread.start()
        thread.join()
        qWarning("from Qt")
        qtbot.waitUntil(lambda: len(log.messages()) == 3)
        qtbot.waitUntil(lambda: len(shown) == 2)
    finally:
        hooks.remove()
    texts = " | ".join(message.text for message in log.messages())
    assert "in a slot" in texts
    assert "working in worker" in texts
    assert "Qt: from Qt" in texts
    assert (sys.excepthook, threading.excepthook) == before
    capsys.readouterr()


def test_the_command_line_chooses_lesson_and_theme(qapp: QApplication, log: MessageLog) -> None:
    from gradsheet.qt.theme import DARK, LIGHT, apply_theme, current_theme

    try:
        window = application.open_window(Namespace(path=None, lesson="bias", theme="dark"), log)
        assert window.document.lesson.id == "bias"
        assert window.settings.theme == "dark"
        assert current_theme() is DARK
        window.close()
        window.deleteLater()
    finally:
        apply_theme(qapp, LIGHT)


def test_an_unknown_lesson_is_said_and_the_first_one_opens(
    qapp: QApplication, log: MessageLog
) -> None:
    window = application.open_window(Namespace(path=None, lesson="nothing", theme=None), log)
    assert window.document.lesson.id == "dotprod"
    assert "no lesson called" in log.messages()[0].text
    assert window.banner.message is not None
    window.close()
    window.deleteLater()


START = """
import sys, time
from argparse import Namespace
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from gradsheet.qt import application, main_window

assert "torch" not in sys.modules and "pandas" not in sys.modules
assert "pyqtgraph" not in sys.modules
real = main_window.MainWindow.show
def show(window):
    real(window)
    print("torch before the window:", "torch._C" in sys.modules)
    {action}
main_window.MainWindow.show = show
code = application.run(Namespace(path=None, lesson=None, theme=None))
from gradsheet import tasks
import threading
print("tasks left:", len(tasks.live_tasks()))
print("exit", code)
"""


def run_process(action: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "GRADSHEET_CONFIG": str(tmp_path), "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", START.format(action=action)],
        capture_output=True, text=True, timeout=120, check=False, env=environment,
    )  # fmt: skip


@pytest.mark.parametrize(
    "action",
    [
        "QTimer.singleShot(0, window.close)",
        "window.document.start_run(); QTimer.singleShot(300, window.close)",
        "window.document.start_run(); QTimer.singleShot(300, QApplication.instance().quit)",
        "window.grid.copy(); QTimer.singleShot(0, window.close)",
    ],
    ids=["at once", "while the run starts", "by the session manager", "after a copy"],
)
def test_it_can_be_closed_at_any_moment(action: str, tmp_path: Path) -> None:
    result = run_process(action, tmp_path)
    assert result.returncode == 0, result.stderr
    assert "tasks left: 0" in result.stdout
    assert "exit 0" in result.stdout
    assert result.stderr == ""
    assert (tmp_path / "settings.json").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send")
def test_a_signal_closes_the_window_in_order(tmp_path: Path) -> None:
    action = (
        "import os, signal; QTimer.singleShot(500, lambda: os.kill(os.getpid(), signal.SIGTERM))"
    )
    result = run_process(action, tmp_path)
    assert result.returncode == 0, result.stderr
    assert "exit 0" in result.stdout
    assert signal.SIGTERM


TYPED = (
    "window.document.enter(window.document.workbook.sheets[0].id, (39, 0), 'precious'); "
    "window.document.finish(); "
)
"""Once torch is there, for the engine waits for the first paint."""


def left(tmp_path: Path) -> list[str]:
    """Return the titles of the work that lies aside."""
    return [entry.origin.title for entry in lost(tmp_path / "recovery")]


def soon(code: str) -> str:
    """Return an action that does something half a second after the window shows."""
    return f"QTimer.singleShot(500, lambda: exec({code!r}, {{'window': window}}))"


def test_a_signal_closes_without_a_question_and_keeps_the_work(tmp_path: Path) -> None:
    action = soon(TYPED + "import os, signal; os.kill(os.getpid(), signal.SIGTERM)")
    result = run_process(action, tmp_path)
    assert "exit 0" in result.stdout, result.stderr
    assert left(tmp_path) == ["Dot product"]


def test_before_qt_ends_the_process_the_work_is_kept(tmp_path: Path) -> None:
    action = soon(TYPED + "from PySide6.QtCore import qFatal; qFatal('over')")
    result = run_process(action, tmp_path)
    assert result.returncode != 0
    assert left(tmp_path) == ["Dot product"]


def test_a_fault_below_python_is_told_at_the_next_start(tmp_path: Path) -> None:
    result = run_process(soon("import faulthandler; faulthandler._sigsegv()"), tmp_path)
    assert result.returncode != 0
    assert list((tmp_path / "recovery").glob("crash-*.txt"))
    tell = (
        "QTimer.singleShot(1500, lambda: (print(window.document.log.messages()), window.close()))"
    )
    result = run_process(tell, tmp_path)
    assert "ended by a fault the last time" in result.stdout, result.stderr
    assert "Segmentation fault" in result.stdout
    assert not list((tmp_path / "recovery").iterdir())


def test_an_exception_in_a_slot_is_told_and_the_work_written_aside_first(
    tmp_path: Path,
) -> None:
    action = soon(
        TYPED + "window.zoom = None; window.actions_by_id.by_id['view.zoom_in'].trigger()"
    ) + "; " + (
        "QTimer.singleShot(1500, lambda: (print('SAID', window.banner.message.text), "
        "print('ASIDE', window.care.autosave._slot is not None), window.care.end()))"
    )  # fmt: skip
    result = run_process(action, tmp_path)
    assert 'SAID Something went wrong while doing "Zoom in": TypeError' in result.stdout
    assert "ASIDE True" in result.stdout
    assert "exit 0" in result.stdout


def test_torch_waits_for_the_first_paint_and_no_longer(tmp_path: Path) -> None:
    action = (
        "window.painted.connect(lambda: print('at paint:', 'torch._C' in sys.modules)); "
        "wait = QTimer(window); wait.setInterval(20); "
        "wait.timeout.connect(lambda: window.document.run.state == 'idle' and window.close()); "
        "wait.start()"
    )
    result = run_process(action, tmp_path)
    assert result.returncode == 0, result.stderr
    assert "torch before the window: False" in result.stdout
    assert "at paint: False" in result.stdout
    assert "exit 0" in result.stdout
