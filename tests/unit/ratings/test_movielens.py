"""Getting a set: whole and checked, or not there at all, whatever server and network do."""

from __future__ import annotations

import errno
import hashlib
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email.message import Message
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from gradsheet.formula.values import UserError
from gradsheet.ratings import download as downloading
from gradsheet.ratings.download import Remote, download
from gradsheet.ratings.movielens import CATALOGUE, data_folder, getter, kept
from gradsheet.tasks import Cancelled, Control, Progress, Task

BODY = bytes(range(256)) * 2_000  # 512,000 bytes: eight chunks
HALF = len(BODY) // 2
STALL_S = 0.2
PATIENCE = 10.0


@dataclass
class Behaviour:
    """What the server does; changed between requests."""

    body: bytes = BODY
    etag: str = '"one"'
    cut_at: int | None = None
    """Close the connection after so many bytes of the answer."""
    stall_at: int | None = None
    """Send nothing more after so many bytes of the answer."""
    length: int | None = None
    """Announced length, if it is not the true one; -1: none at all."""
    status: int = 200
    content_type: str = "application/zip"
    ranges: bool = True
    honours_if_range: bool = True
    content_range: str = ""
    md5_text: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Path and Range of each request."""
    ended: threading.Event = field(default_factory=threading.Event)


class Handler(BaseHTTPRequestHandler):
    behaviour: Behaviour

    def log_message(self, *_: object) -> None: ...

    def do_GET(self) -> None:
        does = self.behaviour
        asked_range = self.headers.get("Range", "")
        does.asked.append((self.path, asked_range))
        if self.path.endswith(".md5"):
            self.answer(200, does.md5_text.encode(), {})
            return
        if does.status != 200:
            self.send_error(does.status)
            return
        headers = {"Content-Type": does.content_type}
        if does.etag:
            headers["ETag"] = does.etag
        same = self.headers.get("If-Range") == does.etag or not does.honours_if_range
        if asked_range and does.ranges and same:
            begin = int(asked_range.removeprefix("bytes=").removesuffix("-"))
            if begin >= len(does.body):
                self.send_error(416)
                return
            whole = len(does.body)
            headers["Content-Range"] = does.content_range or f"bytes {begin}-{whole - 1}/{whole}"
            self.answer(206, does.body[begin:], headers)
        else:
            self.answer(200, does.body, headers)

    def answer(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        does = self.behaviour
        length = len(data) if does.length is None else does.length
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if length >= 0 or self.path.endswith(".md5"):
            self.send_header("Content-Length", str(max(length, 0)))
        self.end_headers()
        try:
            self.wfile.write(data[: does.cut_at if does.cut_at is not None else does.stall_at])
            self.wfile.flush()
        except OSError:  # the client has had enough
            return
        if does.stall_at is not None:
            does.ended.wait(PATIENCE)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Behaviour]]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    behaviour = Behaviour()
    handler = type("TestHandler", (Handler,), {"behaviour": behaviour})
    listening = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{listening.server_port}", behaviour
    behaviour.ended.set()
    listening.shutdown()
    listening.server_close()
    thread.join(PATIENCE)


@pytest.fixture
def does(server: tuple[str, Behaviour]) -> Behaviour:
    return server[1]


@pytest.fixture
def remote(server: tuple[str, Behaviour]) -> Remote:
    md5 = hashlib.md5(BODY).hexdigest()
    return Remote(
        f"{server[0]}/ml-test.zip", "ml-test.zip", len(BODY), md5, "https://grouplens.org"
    )


def get(remote: Remote, folder: Path) -> list[Progress]:
    return list(download(remote, folder, Control(), stall_s=STALL_S))


def fails(remote: Remote, folder: Path) -> UserError:
    with pytest.raises(UserError) as caught:
        get(remote, folder)
    assert caught.value.hint
    assert not (folder / remote.name).exists()
    return caught.value


def is_whole(folder: Path) -> bool:
    """The file is right, and nothing else is left."""
    left = [path.name for path in folder.iterdir() if not path.name.endswith(".md5")]
    return left == ["ml-test.zip"] and (folder / "ml-test.zip").read_bytes() == BODY


# ------------------------------------------------------------------ the usual way


def test_a_file_arrives_whole_with_progress(remote: Remote, tmp_path: Path) -> None:
    folder = tmp_path / "not" / "there"
    seen = get(remote, folder)
    assert is_whole(folder)
    fractions = [p.fraction for p in seen if p.text.startswith("ml-test.zip: ")]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert seen[-1].text == "Checking ml-test.zip"
    assert any("of 0.5 MB" in p.text for p in seen)


def test_a_file_that_is_there_is_not_fetched_again(
    remote: Remote, tmp_path: Path, does: Behaviour
) -> None:
    get(remote, tmp_path)
    get(remote, tmp_path)
    assert len(does.asked) == 1


def test_a_file_that_was_damaged_on_the_disk_is_fetched_again(
    remote: Remote, tmp_path: Path
) -> None:
    (tmp_path / remote.name).write_bytes(BODY[:-1] + b"x")
    get(remote, tmp_path)
    assert is_whole(tmp_path)


def test_without_a_length_the_checksum_decides(
    remote: Remote, tmp_path: Path, does: Behaviour
) -> None:
    does.length = -1
    seen = get(remote, tmp_path)
    assert is_whole(tmp_path)
    assert all(p.fraction is None for p in seen if p.text.startswith("ml-test.zip: "))


@pytest.mark.parametrize("form", ["MD5 (ml-test.zip) = {}\n", "{}  ml-test.zip\n"])
def test_a_checksum_that_is_not_known_is_asked(
    remote: Remote, tmp_path: Path, does: Behaviour, form: str
) -> None:
    does.md5_text = form.format(remote.md5)
    changing = replace(remote, md5=None)
    get(changing, tmp_path)
    assert [path for path, _ in does.asked] == ["/ml-test.zip.md5", "/ml-test.zip"]
    assert is_whole(tmp_path)
    get(changing, tmp_path)
    assert len(does.asked) == 2  # what was checked once is remembered


# ------------------------------------------------------------------ going on


def test_a_download_that_broke_off_goes_on_where_it_stopped(
    remote: Remote, tmp_path: Path, does: Behaviour
) -> None:
    does.cut_at = HALF
    error = fails(remote, tmp_path)
    assert "ended after 0.3 MB of 0.5 MB" in error.text
    assert "goes on where it stopped" in error.hint
    does.cut_at = None
    get(remote, tmp_path)
    assert [asked for _, asked in does.asked] == ["", f"bytes={HALF}-"]
    assert is_whole(tmp_path)


def test_what_no_tag_tells_apart_is_begun_anew(
    remote: Remote, tmp_path: Path, does: Behaviour
) -> None:
    does.etag = 'W/"weak"'
    does.cut_at = HALF
    fails(remote, tmp_path)
    does.cut_at = None
    get(remote, tmp_path)
    assert [asked for _, asked in does.asked] == ["", ""]
    assert is_whole(tmp_path)


def test_a_date_of_change_serves_where_there_is_no_tag() -> None:
    headers = Message()
    headers["Last-Modified"] = formatdate(0, usegmt=True)
    assert downloading._validator(headers) == "Thu, 01 Jan 1970 00:00:00 GMT"


def test_a_server_that_cannot_resume_sends_it_all_again(
    remote: Remote, tmp_path: Path, does: Behaviour
) -> None:
    does.cut_at = HALF
    fails(remote, tmp_path)
    does.cut_at, does.ranges = None, False
    get(remote, tmp_path)
    assert is_whole(tmp_path)


@pytest.mark.parametrize("honours_if_range", [True, False])
def test_a_file_that_changed_in_between_is_begun_anew(
    remote: Remote, tmp_path: Path, does: Behaviour, honours_if_range: bool
) -> None:
    does.body, does.etag, does.cut_at = b"old" * 100_000, '"old"', HALF
    fails(remote, tmp_path)
    does.body, does.etag, does.cut_at = BODY, '"new"', None
    does.honours_if_range = honours_if_range
    get(remote, tmp_path)
    assert is_whole(tmp_path)


def test_a_part_of_another_file_under_the_same_tag_is_found_by_the_checksum(
    remote: Remote, tmp_path: Path, does: Behaviour
) -> None:
    does.body, does.cut_at = b"old" * 200_000, HALF
    fails(remote, tmp_path)
    does.body, does.cut_at = BODY, None
    get(remote, tmp_path)
    assert [asked for _, asked in does.asked] == ["", f"bytes={HALF}-", ""]
    assert is_whole(tmp_path)


@pytest.mark.parametrize("lie", [f"bytes 7-{len(BODY) - 1}/{len(BODY)}", "bytes */9", "nonsense"])
def test_a_range_that_was_not_asked_for_is_not_taken(
    remote: Remote, tmp_path: Path, does: Behaviour, lie: str
) -> None:
    does.cut_at = HALF
    fails(remote, tmp_path)
    does.cut_at, does.content_range = None, lie
    get(remote, tmp_path)
    assert is_whole(tmp_path)


def test_a_part_that_is_complete_is_only_checked(
    remote: Remote, tmp_path: Path, does: Behaviour
) -> None:
    part = downloading.Part(tmp_path, remote.name)
    part.begin(does.etag)
    part.path.write_bytes(BODY)
    get(remote, tmp_path)
    assert is_whole(tmp_path)
    assert does.asked == [("/ml-test.zip", f"bytes={len(BODY)}-")]


def test_a_part_that_is_too_long_is_thrown_away(
    remote: Remote, tmp_path: Path, does: Behaviour
) -> None:
    part = downloading.Part(tmp_path, remote.name)
    part.begin(does.etag)
    part.path.write_bytes(BODY + b"more")
    get(remote, tmp_path)
    assert is_whole(tmp_path)


@pytest.mark.parametrize("facts", ["", "[]", "{", '{"validator": 3}'])
def test_a_part_of_unknown_origin_is_not_gone_on_with(
    remote: Remote, tmp_path: Path, does: Behaviour, facts: str
) -> None:
    (tmp_path / "ml-test.zip.part").write_bytes(b"who knows")
    (tmp_path / "ml-test.zip.part.json").write_text(facts)
    get(remote, tmp_path)
    assert does.asked == [("/ml-test.zip", "")]
    assert is_whole(tmp_path)


# ------------------------------------------------------------------ what goes wrong


def test_a_silent_server_is_given_up(remote: Remote, tmp_path: Path, does: Behaviour) -> None:
    does.stall_at = HALF
    error = fails(remote, tmp_path)
    assert error.text == "127.0.0.1 has sent nothing for 0.2 seconds."
    assert (tmp_path / "ml-test.zip.part").stat().st_size == HALF


def test_a_length_that_promises_too_much_is_a_broken_connection(
    remote: Remote, tmp_path: Path, does: Behaviour
) -> None:
    does.length = len(BODY) + 5
    assert "ended after" in fails(remote, tmp_path).text


def test_a_length_that_promises_too_little_is_a_wrong_checksum(
    remote: Remote, tmp_path: Path, does: Behaviour
) -> None:
    does.length = HALF
    assert "checksum" in fails(remote, tmp_path).text


def test_wrong_bytes_are_thrown_away(remote: Remote, tmp_path: Path, does: Behaviour) -> None:
    does.body = b"x" * len(BODY)
    error = fails(remote, tmp_path)
    assert "checksum" in error.text
    assert list(tmp_path.iterdir()) == []


def test_a_login_page_is_recognised(remote: Remote, tmp_path: Path, does: Behaviour) -> None:
    does.body, does.content_type = b"<html>Welcome to the hotel", "text/html"
    assert "web page" in fails(remote, tmp_path).text


def test_a_checksum_file_without_a_checksum_is_said(
    remote: Remote, tmp_path: Path, does: Behaviour
) -> None:
    does.md5_text = "<html>Welcome to the hotel"
    assert "does not say" in fails(replace(remote, md5=None), tmp_path).text


@pytest.mark.parametrize("announced", [True, False])
def test_a_file_far_too_large_is_refused(
    remote: Remote, tmp_path: Path, does: Behaviour, announced: bool
) -> None:
    does.length = None if announced else -1
    assert "much larger" in fails(replace(remote, size=100), tmp_path).text


@pytest.mark.parametrize(
    ("status", "text"), [(404, "not at http"), (503, "refused"), (403, "refused")]
)
def test_a_refusal_names_its_number(
    remote: Remote, tmp_path: Path, does: Behaviour, status: int, text: str
) -> None:
    does.status = status
    error = fails(remote, tmp_path)
    assert text in error.text
    assert str(status) in error.text


def test_no_server_is_said(remote: Remote, tmp_path: Path) -> None:
    assert "cannot be reached" in fails(replace(remote, url="http://127.0.0.1:9/x"), tmp_path).text


def test_an_unknown_name_is_said(
    remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise downloading.socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr("socket.getaddrinfo", unknown)
    error = fails(replace(remote, url="http://files.invalid/x"), tmp_path)
    assert error.text == "files.invalid was not found."


def test_an_invalid_certificate_is_said_and_not_ignored(
    remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def expired(*_: object, **__: object) -> None:
        fault = downloading.ssl.SSLCertVerificationError(1, "bad")
        fault.verify_message = "certificate has expired"
        raise downloading.urllib.error.URLError(fault)

    monkeypatch.setattr(downloading.urllib.request, "urlopen", expired)
    assert "certificate has expired" in fails(remote, tmp_path).text


def test_too_little_space_is_said_before_anything_is_written(
    remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1_000))
    assert "needs 0.5 MB" in fails(remote, tmp_path).text
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_keeps_what_arrived(
    remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(file: Any, data: bytes) -> None:
        if file.tell() > HALF:
            raise OSError(errno.ENOSPC, "No space left on device")
        file.write(data)

    with monkeypatch.context() as patch:
        patch.setattr(downloading, "_write", write)
        error = fails(remote, tmp_path)
    assert "No space left" in error.text
    assert "Make room" in error.hint
    assert (tmp_path / "ml-test.zip.part").stat().st_size > HALF
    get(remote, tmp_path)
    assert is_whole(tmp_path)


def test_a_folder_that_cannot_be_made_is_said(remote: Remote, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="could not be written"):
        get(remote, tmp_path / "file" / "data")


# ------------------------------------------------------------------ cancelling


def test_a_cancelled_download_stops_at_the_next_chunk_and_can_go_on(
    remote: Remote, tmp_path: Path, does: Behaviour
) -> None:
    control = Control()
    work = download(remote, tmp_path, control, stall_s=STALL_S)
    for progress in work:
        if progress.text.startswith("ml-test.zip: "):
            break
    control.cancel()
    with pytest.raises(Cancelled):
        next(work)
    assert not (tmp_path / remote.name).exists()
    kept_bytes = (tmp_path / "ml-test.zip.part").stat().st_size
    assert 0 < kept_bytes < len(BODY)
    get(remote, tmp_path)
    assert does.asked[-1][1] == f"bytes={kept_bytes}-"
    assert is_whole(tmp_path)


def test_it_runs_as_a_task(remote: Remote, tmp_path: Path) -> None:
    entry = replace(CATALOGUE[0], remote=remote)
    task = Task("getting", getter(entry, tmp_path, stall_s=STALL_S)).start()
    assert task.join(PATIENCE)
    assert task.result() == kept(entry, tmp_path) == tmp_path / "ml-test.zip"


# ------------------------------------------------------------------ the catalogue


def test_every_set_states_its_conditions_and_lies_at_grouplens() -> None:
    assert [entry.id for entry in CATALOGUE] == ["latest-small", "100k", "1m", "25m", "32m"]
    for entry in CATALOGUE:
        assert entry.remote.url == (
            f"https://files.grouplens.org/datasets/movielens/ml-{entry.id}.zip"
        )
        assert entry.licence_url.startswith("https://files.grouplens.org/datasets/movielens/ml-")
        assert len(entry.conditions) == 4
        assert (entry.remote.md5 is None) == (entry.id == "latest-small")
        assert entry.remote.md5 is None or len(bytes.fromhex(entry.remote.md5)) == 16


def test_the_folder_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADSHEET_DATA", str(tmp_path))
    assert data_folder() == tmp_path
    assert kept(CATALOGUE[0]) is None
    monkeypatch.delenv("GRADSHEET_DATA")
    assert data_folder().name == "gradsheet"
