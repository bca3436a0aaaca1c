"""Ratings without a file: a set from a server on this computer, and ratings made up."""

from __future__ import annotations

import hashlib
import io
import re
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel
from pytestqt.qtbot import QtBot

from gradsheet.qt.dialogs.get_movielens import GetMovieLens
from gradsheet.qt.dialogs.make_ratings import MakeRatings
from gradsheet.qt.main_window import MainWindow
from gradsheet.qt.ratings import commands as ratings_commands
from gradsheet.ratings.download import Remote
from gradsheet.ratings.movielens import CATALOGUE, MovieLens

LEFT = Qt.MouseButton.LeftButton
PATIENCE = 10.0


def zipped_ratings() -> bytes:
    rng = np.random.default_rng(0)
    lines = ["userId,movieId,rating,timestamp"]
    for user in range(1, 21):
        for item in rng.permutation(30)[:20]:
            lines.append(f"{user},{item + 1},{rng.integers(1, 11) / 2},0")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("ml-test/ratings.csv", "\n".join(lines) + "\n")
    return packed.getvalue()


@dataclass
class Server:
    url: str = ""
    body: bytes = field(default_factory=zipped_ratings)
    stall_at: int | None = None
    status: int = 200
    go_on: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    does = Server()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def do_GET(self) -> None:
            if does.status != 200:
                self.send_error(does.status)
                return
            self.send_response(200)
            self.send_header("Content-Type", "application/zip")
            self.send_header("Content-Length", str(len(does.body)))
            self.end_headers()
            try:
                self.wfile.write(does.body[: does.stall_at])
                self.wfile.flush()
                if does.stall_at is not None:
                    does.go_on.wait(PATIENCE)
                    self.wfile.write(does.body[does.stall_at :])
            except OSError:  # the client has gone
                return

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    does.url = f"http://127.0.0.1:{listening.server_port}/ml-test.zip"
    yield does
    does.go_on.set()
    listening.shutdown()
    listening.server_close()
    thread.join(PATIENCE)


@pytest.fixture
def catalogue(server: Server) -> tuple[MovieLens, ...]:
    md5 = hashlib.md5(server.body).hexdigest()
    remote = Remote(server.url, "ml-test.zip", len(server.body), md5, "https://grouplens.org")
    return (replace(CATALOGUE[0], remote=remote), *CATALOGUE[1:])


@pytest.fixture
def dialog(
    window: MainWindow, catalogue: tuple[MovieLens, ...], tmp_path: Path
) -> Iterator[GetMovieLens]:
    dialog = GetMovieLens(
        window, window.clock, catalogue=catalogue, folder=tmp_path / "data", stall_s=2.0
    )
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    dialog.got.connect(lambda path: window.open_ratings(path, ask=False))
    dialog.show()
    yield dialog
    dialog.close()


def about(dialog: GetMovieLens) -> str:
    return next(
        label.text()
        for label in dialog.findChildren(QLabel)
        if label.accessibleName() == "Conditions"
    )


# ------------------------------------------------------------------ MovieLens


def test_size_count_and_conditions_show_before_any_download(
    dialog: GetMovieLens, qtbot: QtBot
) -> None:
    row = dialog.table.visualItemRect(dialog.table.item(3, 1)).center()
    qtbot.mouseClick(dialog.table.viewport(), LEFT, pos=row)
    assert dialog.chosen.id == "25m"
    texts = [dialog.table.item(3, column).text() for column in range(6)]
    assert texts == ["25M", "25,000,095", "162,541", "62,423", "262 MB", ""]
    assert "not for commercial use" in about(dialog)
    assert "ml-25m-README.html" in about(dialog)
    assert "Harper" in about(dialog)
    assert "will be kept" in dialog.note
    assert not dialog.is_busy


def test_the_arrow_keys_choose_a_set(dialog: GetMovieLens, qtbot: QtBot) -> None:
    dialog.table.setFocus()
    qtbot.keyClick(dialog.table, Qt.Key.Key_Down)
    assert dialog.chosen.id == "100k"
    assert "do not pass it on" in about(dialog)


def test_a_set_goes_from_the_server_into_the_sheet(
    window: MainWindow, dialog: GetMovieLens, qtbot: QtBot, tmp_path: Path
) -> None:
    with qtbot.waitSignal(window.opening.opened):
        qtbot.mouseClick(dialog.button, LEFT)
    assert not dialog.isVisible()
    assert window.document.ratings is not None
    assert (tmp_path / "data" / "ml-test.zip").is_file()
    assert window.settings.recent == [str(tmp_path / "data" / "ml-test.zip")]
    qtbot.waitUntil(lambda: window.document.run.state == "idle")


def test_a_set_that_is_here_is_opened_without_the_server(
    window: MainWindow, dialog: GetMovieLens, qtbot: QtBot, server: Server, tmp_path: Path
) -> None:
    server.status = 500
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "ml-test.zip").write_bytes(server.body)
    dialog.table.setFocus()
    qtbot.keyClick(dialog.table, Qt.Key.Key_Down)
    qtbot.keyClick(dialog.table, Qt.Key.Key_Up)
    assert dialog.button.text() == "Open"
    assert dialog.table.item(0, 5).text() == "yes"
    with qtbot.waitSignal(window.opening.opened):
        qtbot.mouseClick(dialog.button, LEFT)
    qtbot.waitUntil(lambda: window.document.run.state == "idle")


def test_what_goes_wrong_is_said_in_the_window_and_can_be_tried_again(
    window: MainWindow, dialog: GetMovieLens, qtbot: QtBot, server: Server
) -> None:
    server.status = 404
    qtbot.mouseClick(dialog.button, LEFT)
    qtbot.waitUntil(lambda: not dialog.is_busy)
    assert "not at http" in dialog.note
    assert dialog.isVisible()
    assert not dialog.strip.isVisible()
    assert window.document.data is None
    server.status = 200
    with qtbot.waitSignal(window.opening.opened):
        qtbot.mouseClick(dialog.button, LEFT)
    qtbot.waitUntil(lambda: window.document.run.state == "idle")


def test_a_download_can_be_cancelled_and_leaves_everything_as_it_was(
    window: MainWindow, dialog: GetMovieLens, qtbot: QtBot, server: Server, tmp_path: Path
) -> None:
    server.stall_at = len(server.body) // 2
    qtbot.mouseClick(dialog.button, LEFT)
    assert not dialog.button.isEnabled()
    assert dialog.strip.isVisible()
    part = tmp_path / "data" / "ml-test.zip.part"
    qtbot.waitUntil(lambda: part.exists() and part.stat().st_size == server.stall_at)
    qtbot.mouseClick(dialog.strip.cancel_button, LEFT)
    assert dialog.note == "Stopping …"
    server.go_on.set()
    qtbot.waitUntil(lambda: not dialog.is_busy)
    assert "Stopped" in dialog.note
    assert dialog.button.isEnabled()
    assert dialog.button.text() == "Download"
    assert window.document.data is None
    assert not (tmp_path / "data" / "ml-test.zip").exists()


def test_closing_the_main_window_ends_a_download(
    window: MainWindow, qtbot: QtBot, server: Server, catalogue: tuple[MovieLens, ...],
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("GRADSHEET_DATA", str(tmp_path))
    monkeypatch.setattr(GetMovieLens.__init__, "__kwdefaults__",
                        {"catalogue": catalogue, "folder": None, "stall_s": 2.0})  # fmt: skip
    server.stall_at = 10
    window.actions_by_id.by_id["file.get_movielens"].trigger()
    dialog = window.findChild(GetMovieLens)
    qtbot.mouseClick(dialog.button, LEFT)
    task = dialog._task
    window.close()
    assert task.control.cancelled
    server.go_on.set()
    assert task.join(PATIENCE)


def test_the_command_shows_one_window_however_often(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADSHEET_DATA", str(tmp_path))
    for _ in range(2):
        window.actions_by_id.by_id["file.get_movielens"].trigger()
        window.actions_by_id.by_id["file.make_ratings"].trigger()
    shown = [d for d in window.findChildren(QDialog) if d.isVisible()]
    assert {type(d) for d in shown} == {GetMovieLens, MakeRatings}
    assert len(shown) == 2
    assert not any(d.isModal() for d in shown)
    close = QDialogButtonBox.StandardButton.Close
    for dialog in shown:
        qtbot.mouseClick(dialog.findChild(QDialogButtonBox).button(close), LEFT)
    qtbot.waitUntil(lambda: window.findChild(GetMovieLens) is None)
    in_file_menu = {name for name in ratings_commands.RATINGS_COMMANDS if name.startswith("file.")}
    assert in_file_menu == {"file.get_movielens", "file.make_ratings"}


# ------------------------------------------------------------------ made ratings


@pytest.fixture
def making(window: MainWindow) -> Iterator[MakeRatings]:
    window.actions_by_id.by_id["file.make_ratings"].trigger()
    dialog = window.findChild(MakeRatings)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    yield dialog
    dialog.close()


def put(making: MakeRatings, qtbot: QtBot, name: str, text: str) -> None:
    making.fields[name].selectAll()
    qtbot.keyClicks(making.fields[name], text)


def test_made_ratings_go_into_the_sheet(
    window: MainWindow, making: MakeRatings, qtbot: QtBot
) -> None:
    put(making, qtbot, "ratings", "5000")
    assert making.note.startswith("5,000 ratings fill 0.93% of 600 users by 900 items")
    with qtbot.waitSignal(making.made):
        qtbot.mouseClick(making.button, LEFT)
    assert not making.isVisible()
    session, book = window.document.ratings, window.document.ratings_book
    assert session.source == "made ratings"
    assert len(session.table) == 5_000
    assert book.pairs.ratings.shape == (15, 15)
    assert "made ratings" in window.windowTitle()
    qtbot.waitUntil(lambda: window.document.run.state == "idle")


def test_made_items_bear_the_names_of_their_tastes(
    window: MainWindow, making: MakeRatings, qtbot: QtBot
) -> None:
    put(making, qtbot, "ratings", "5000")
    put(making, qtbot, "factors", "3")
    making.names.selectAll()
    qtbot.keyClicks(making.names, "slapstick, gore, ")
    with qtbot.waitSignal(making.made):
        qtbot.mouseClick(making.button, LEFT)
    session = window.document.ratings
    assert session.table.item_title(6).startswith("Item 7 (")
    words = set(re.findall(r"[+−](\w+)", " ".join(session.table.titles)))
    assert words == {"slapstick", "gore", "romance"}
    assert set("|".join(session.genres).split("|")) - {""} == words
    for title, genre in zip(session.table.titles, session.genres, strict=True):
        assert not any(f"−{name}" in title for name in genre.split("|") if name)
    qtbot.waitUntil(lambda: window.document.run.state == "idle")


def test_the_same_seed_makes_the_same_ratings_and_another_others(
    window: MainWindow, making: MakeRatings, qtbot: QtBot
) -> None:
    found = []
    for seed in ("1", "1", "2"):
        making.show()
        put(making, qtbot, "seed", seed)
        with qtbot.waitSignal(making.made) as made:
            qtbot.keyClick(making.fields["seed"], Qt.Key.Key_Return)
        found.append(made.args[0].session.table.ratings)
    assert np.array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])
    qtbot.waitUntil(lambda: window.document.run.state == "idle")


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("ratings", "300000", "300,000 ratings are too many"),
        ("users", "many", "Users: “many” is not a number"),
        ("factors", "2.5", "Factors: The number must be whole."),
        ("noise", "9", "Noise: The number must be at most 5."),
    ],
)
def test_numbers_that_make_no_ratings_are_explained(
    making: MakeRatings, qtbot: QtBot, name: str, text: str, complaint: str
) -> None:
    put(making, qtbot, name, text)
    assert making.note.startswith(complaint)
    assert not making.button.isEnabled()
    put(making, qtbot, name, "5")
    assert making.button.isEnabled() == (making.complaint == "")


def test_making_can_be_given_up(window: MainWindow, making: MakeRatings, qtbot: QtBot) -> None:
    put(making, qtbot, "ratings", "200000")
    qtbot.mouseClick(making.button, LEFT)
    assert making.strip.isVisible()
    with qtbot.assertNotEmitted(making.made, wait=50):
        qtbot.mouseClick(making.strip.cancel_button, LEFT)
    assert making.button.isEnabled()
    assert window.document.data is None
