"""A session in a real window on a virtual screen: keys and mouse from outside, nothing else.

`xdotool` is the hands, the picture of the screen and the saved file are the eyes; the program runs
in a process of its own and is never called.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from gradsheet.app.document import Document
from gradsheet.files.session import Session, load_session
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import Kind
from gradsheet.lessons import bias
from gradsheet.qt.theme import LIGHT

WIDTH, HEIGHT = 1366, 768
LOOKS = 15
"""So many looks one after the other have to see the same, or the program may be behind its keys."""
STEPS = 100
RATINGS, PREDICTIONS = Region.parse("H2:V16"), Region.parse("H26:V40")
ITEMS, USERS, LOSS = Region.parse("H19:V24"), Region.parse("A26:F40"), Cell.parse("V42")
OWNER = """
import sys
from PySide6.QtGui import QGuiApplication
application = QGuiApplication([])
QGuiApplication.clipboard().setText(sys.stdin.read())
QGuiApplication.processEvents()
print("ready", flush=True)
application.exec()
"""
"""Another program that has something on the clipboard."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (shutil.which("Xvfb") and shutil.which("xdotool")),
        reason="a real window needs Xvfb and xdotool (Debian: apt-get install xvfb xdotool)",
    ),
]


def wait_until(what: str, condition: Callable[[], bool], timeout_s: float = 120.0) -> None:
    """Look again until it is so."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {timeout_s:.0f} s for {what}"
        time.sleep(0.02)


@dataclass
class Screen:
    """A virtual screen, its hands and its eyes."""

    environment: dict[str, str]
    picture: Path

    def do(self, *arguments: str) -> str:
        """Call xdotool."""
        done = subprocess.run(
            ["xdotool", *arguments], env=self.environment, capture_output=True, text=True,
            timeout=60, check=True,
        )  # fmt: skip
        return done.stdout.strip()

    def press(self, *keys: str) -> None:
        """Press keys, each as xdotool names it."""
        self.do("key", "--delay", "8", *keys)

    def type(self, text: str) -> None:
        """Type a text; a tab and an end of line are the keys Tab and Return."""
        for line in text.splitlines(keepends=True):
            if line != "\n":
                self.do("type", "--delay", "6", line.removesuffix("\n"))
            if line.endswith("\n"):
                self.press("Return")

    def pixels(self) -> npt.NDArray[np.uint32]:
        """Return the screen as it is, 0xRRGGBB; the file is an X window dump (XWDFile.h)."""
        data = self.picture.read_bytes()
        header = struct.unpack(">25I", data[:100])
        size, width, height, order, per_line = (header[i] for i in (0, 4, 5, 7, 12))
        start = size + 12 * header[19]
        rows = np.frombuffer(data, "<u4" if order == 0 else ">u4", per_line // 4 * height, start)
        return (rows.reshape(height, per_line // 4)[:, :width] & 0xFFFFFF).astype(np.uint32)

    def handle(self) -> tuple[int, int] | None:
        """Return the middle of the fill handle: the one square of 5 x 5 px in the accent."""
        accent = self.pixels() == int(LIGHT.accent[1:], 16)
        square = np.lib.stride_tricks.sliding_window_view(accent, (5, 5)).all(axis=(2, 3))
        ys, xs = np.nonzero(square)
        return (int(xs[-1]) + 2, int(ys[-1]) + 2) if len(xs) else None

    def go_to(self, place: str) -> None:
        """Select cells by their address, in the name box."""
        self.do("mousemove", "60", "73", "click", "1")
        self.press("ctrl+a")
        self.type(f"{place}\n")

    def where_handle_rests(self) -> tuple[int, int]:
        """Return where the fill handle is once it is drawn and stands still."""
        seen: list[tuple[int, int] | None] = [None]

        def rests() -> bool:
            seen.append(self.handle())
            return seen[-1] is not None and seen[-LOOKS:] == [seen[-1]] * LOOKS

        wait_until("the fill handle", rests)
        assert seen[-1] is not None
        return seen[-1]


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    """Return a virtual screen of its own with nothing on it."""
    read_end, write_end = os.pipe()
    # -noreset: a server without it starts anew, and turns the program away that is just coming,
    # whenever xdotool was its last client.
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write_end), "-screen", "0", f"{WIDTH}x{HEIGHT}x24",
         "-nolisten", "tcp", "-noreset", "-fbdir", str(tmp_path)],
        pass_fds=(write_end,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write_end)
    with os.fdopen(read_end) as pipe:
        number = pipe.readline().strip()
    assert number, "Xvfb did not start"
    environment = {
        **os.environ, "DISPLAY": f":{number}", "QT_QPA_PLATFORM": "xcb", "HOME": str(tmp_path),
        "GRADSHEET_CONFIG": str(tmp_path / "config"), "QT_SCALE_FACTOR": "1",
    }  # fmt: skip
    yield Screen(environment, tmp_path / "Xvfb_screen0")
    server.terminate()
    server.wait(20)


@pytest.fixture
def window(screen: Screen) -> Iterator[Screen]:
    """Start the program on the screen and give it the keyboard."""
    program = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "gradsheet", "--theme", "light"],
        env=screen.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip

    def named(title: str) -> list[str]:
        found = subprocess.run(
            ["xdotool", "search", "--onlyvisible", "--name", title], env=screen.environment,
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert program.poll() is None, "gradsheet ended"
        return found.stdout.split()

    wait_until("the window", lambda: bool(named("gradsheet")))
    main = named("gradsheet")[-1]
    screen.do("windowmove", main, "0", "0", "windowsize", main, str(WIDTH), str(HEIGHT))
    screen.do("windowfocus", "--sync", main)
    screen.press("ctrl+n")
    wait_until("the new workbook", lambda: bool(named("New workbook")))
    yield screen
    screen.press("ctrl+q")
    try:
        program.wait(20)
    finally:
        program.kill()
    assert program.returncode == 0


def paste_from_another_program(screen: Screen, place: str, table: npt.NDArray[np.float64]) -> None:
    """Put numbers with all their digits on the clipboard, elsewhere, and paste them here."""
    owner = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", OWNER], env=screen.environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert owner.stdin is not None
    assert owner.stdout is not None
    owner.stdin.write("\n".join("\t".join(map(repr, row)) for row in table.tolist()))
    owner.stdin.close()
    assert owner.stdout.readline() == "ready\n"
    screen.go_to(place)
    screen.where_handle_rests()
    before = screen.pixels()
    screen.press("ctrl+v")
    wait_until("the numbers", lambda: (screen.pixels() != before).sum() > 1000)
    owner.terminate()
    owner.wait(20)
    owner.stdout.close()


def saved(screen: Screen, path: Path) -> Session:
    """Save under a name the program already has, and read the file."""
    before = path.stat().st_mtime_ns
    screen.press("ctrl+s")
    wait_until("the file", lambda: path.stat().st_mtime_ns != before)
    return load_session(path)


def steps_of(session: Session) -> int:
    """Return how many steps the run of the one sheet has taken."""
    (run,) = session.facts["runs"]
    return int(run["step"])


def numbers(session: Session, region: Region) -> npt.NDArray[np.float64]:
    values, kinds = session.workbook.sheets[0].cells.read(region)
    return np.where(kinds == Kind.NUMBER, values, np.nan)


def lesson_after(steps: int) -> Document:
    """The built-in lesson after so many steps."""
    document = Document()
    document.open_lesson("bias")
    document.finish()
    if steps:
        document.step_run(steps)
        document.finish()
    return document


def test_the_bias_lesson_typed_filled_and_pasted_learns_as_the_built_in_one(
    window: Screen, tmp_path: Path
) -> None:
    sheet = bias.build(0).workbook.sheets[0]

    def of_lesson(region: Region) -> npt.NDArray[np.float64]:
        values, kinds = sheet.cells.read(region)
        return np.where(kinds == Kind.NUMBER, values, np.nan)

    # Room to see the whole model: both panels away, smaller cells.
    window.press("ctrl+shift+l", "ctrl+alt+p", "ctrl+minus", "ctrl+minus")
    # Typed: ratings row by row, blanks passed by Tab; Enter returns to the column where Tab began.
    window.go_to("H2")
    for row in of_lesson(RATINGS):
        window.type("\t".join("" if np.isnan(x) else f"{x:g}" for x in row) + "\n")
    # Typed once, filled by a drag of the handle: the numbers of the users go on counting.
    window.go_to("G2")
    window.type("1\n2\n")
    window.go_to("G2")
    top = window.where_handle_rests()[1]
    window.go_to("G2:G3")
    x, y = window.where_handle_rests()
    window.do("mousemove", str(x), str(y), "mousedown", "1")
    for row in range(1, 14):
        window.do("mousemove", str(x), str(y + row * (y - top) - 2))
    window.do("mouseup", "1")
    window.go_to("G2:G16")
    window.press("ctrl+c")
    window.go_to("G26")
    window.press("ctrl+v")
    # Pasted: the start, with every digit.
    paste_from_another_program(window, "H19", of_lesson(ITEMS))
    paste_from_another_program(window, "A26", of_lesson(USERS))
    # Typed once, filled to the right by key and down by a double click on the handle.
    window.go_to("H26")
    window.type('=IF(H2="",0,MMULT($B26:$F26,H$20:H$24))+H$19+$A26\n')
    window.go_to("H26:V26")
    window.press("ctrl+r")
    window.do("mousemove", *map(str, window.where_handle_rests()), "click", "--repeat", "2", "1")
    window.go_to(str(LOSS))
    window.type("=SQRT(SUMXMY2(H2:V16,H26:V40)/COUNT(H2:V16))\n")
    # Roles: by key, and from the menu under the pointer.
    window.go_to(str(ITEMS))
    window.press("alt+1")
    window.go_to(str(USERS))
    window.press("alt+1")
    window.go_to(str(LOSS))
    x, y = window.where_handle_rests()
    window.do("mousemove", str(x - 20), str(y - 8), "click", "3")
    window.press("Up", "Up", "Up", "Right", "Down", "Down", "Down", "Down", "Return")

    path = tmp_path / "typed.gradsheet"
    window.press("ctrl+s")
    dialog = window.do("search", "--sync", "--onlyvisible", "--name", "^Save as$").split()[-1]
    window.do("windowfocus", "--sync", dialog)
    window.press("ctrl+a")
    window.type(f"{path}\n")
    wait_until("the saved file", path.is_file)
    main = window.do("search", "--sync", "--onlyvisible", "--name", "typed.gradsheet").split()[-1]
    window.do("windowfocus", "--sync", main)  # as a window manager would, the dialog being gone
    start = load_session(path)
    assert numbers(start, RATINGS).tobytes() == of_lesson(RATINGS).tobytes()
    assert numbers(start, ITEMS).tobytes() == of_lesson(ITEMS).tobytes()
    assert numbers(start, USERS).tobytes() == of_lesson(USERS).tobytes()
    assert start.problem is not None
    assert {p.region for p in start.problem.parameters} == {ITEMS, USERS}
    built_in = lesson_after(0)
    assert numbers(start, Region.of(LOSS)).item() == built_in.loss_now()
    built_in.close()

    window.press(*["ctrl+F5"] * (STEPS // 5))
    sessions = [start]

    def is_trained() -> bool:
        sessions.append(saved(window, path))
        return steps_of(sessions[-1]) == STEPS

    wait_until("the steps", is_trained)
    built_in = lesson_after(STEPS)
    loss = numbers(sessions[-1], Region.of(LOSS)).item()
    assert loss < 1.0 < numbers(start, Region.of(LOSS)).item()
    assert loss == pytest.approx(built_in.loss_now(), rel=1e-12)
    expected = built_in.workbook.sheets[0].cells.read(PREDICTIONS)[0]
    np.testing.assert_allclose(numbers(sessions[-1], PREDICTIONS), expected, rtol=1e-9)
    built_in.close()

    # The whole run is one step back, and every digit of the start is there again.
    window.press("ctrl+z")
    back = saved(window, path)
    assert steps_of(back) == 0
    assert numbers(back, ITEMS).tobytes() == of_lesson(ITEMS).tobytes()
    assert numbers(back, USERS).tobytes() == of_lesson(USERS).tobytes()
