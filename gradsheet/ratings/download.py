"""Fetching one file of data: resumed, cancelled, checked, and whole or not there at all.

Owns the request, the checksum and what is said when a
network misbehaves. Must not know which files there are. Standard library only: what resumes a
download and ends it between two chunks has to own the loop over the chunks.
"""

from __future__ import annotations

import errno
import hashlib
import http.client
import re
import shutil
import socket
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import IO, Any

from gradsheet.formula.values import UserError
from gradsheet.ratings.part_file import Part
from gradsheet.tasks import Control, Pace, Progress

STALL_S = 20.0
"""How long a server may send nothing before the download is given up."""
CHUNK = 1 << 16
AGENT = "gradsheet"
MOST_TIMES = 4
"""A file that is this many times as large as it should be is another file."""
AGAIN = "Try again: the download goes on where it stopped."


@dataclass(frozen=True, slots=True)
class Remote:
    """A file on a server.

    Attributes
    ----------
    url : str
        http or https.
    name : str
        File name on this computer.
    size : int
        Bytes that it had when this was written.
    md5 : str or None
        Hexadecimal; None if the file may change: then its checksum is asked at `md5_url`.
    page : str
        Where a person finds the file if the address has changed.
    """

    url: str
    name: str
    size: int
    md5: str | None
    page: str

    @property
    def md5_url(self) -> str:
        """Where the publisher states the checksum."""
        return f"{self.url}.md5"

    @property
    def host(self) -> str:
        """The server's name."""
        return urllib.parse.urlsplit(self.url).hostname or self.url


def download(
    remote: Remote, folder: Path, control: Control, *, stall_s: float = STALL_S
) -> Generator[Progress, None, Path]:
    """Bring a file into a folder, for a `Task`; the file appears there only when it is checked.

    What had arrived when a download broke off or was cancelled stays in ``NAME.part`` and is
    gone on with, if the server still has the same file. A file that is there already is checked
    again and kept.

    Parameters
    ----------
    remote : Remote
    folder : Path
        Made if it is missing.
    control : Control
        Asked before and after each chunk.
    stall_s : float
        Seconds without a byte after which the download is given up.

    Yields
    ------
    Progress
        With the time that remains.

    Returns
    -------
    Path

    Raises
    ------
    UserError
        If the network, the server, the file or the disk is not as it should be.
    """
    target = folder / remote.name
    noted = folder / f"{remote.name}.md5"
    with _disk(remote.name):
        folder.mkdir(parents=True, exist_ok=True)
    known = remote.md5 or _read_md5(noted)
    if known and target.exists() and (yield from _is_md5(target, known, control)):
        return target
    md5 = remote.md5
    if md5 is None:
        yield Progress(None, f"Asking {remote.host} for the checksum")
        md5 = _published_md5(remote, stall_s)
    part = Part(folder, remote.name)
    had = yield from _fetch(remote, part, control, stall_s)
    right = yield from _is_md5(part.path, md5, control)
    if not right and had:
        # The beginning came from another file, or was damaged: once more, from the first byte.
        with _disk(remote.name):
            part.discard()
        yield from _fetch(remote, part, control, stall_s)
        right = yield from _is_md5(part.path, md5, control)
    if not right:
        with _disk(remote.name):
            part.discard()
        raise UserError(
            f"{remote.name} arrived, but its checksum is not the one that was published.",
            f"It was thrown away. Try again, or look at {remote.page} in a browser: a login page "
            "of the network may have answered instead.",
        )
    with _disk(remote.name):
        if remote.md5 is None:
            noted.write_text(f"{md5}  {remote.name}\n", encoding="ascii")
        part.finish(target)
    return target


def _fetch(
    remote: Remote, part: Part, control: Control, stall_s: float
) -> Generator[Progress, None, int]:
    """Receive what is missing; return how many bytes of an earlier try were kept."""
    yield Progress(None, f"Connecting to {remote.host}")
    control.checkpoint()
    offset, validator = part.there()
    headers = {"User-Agent": AGENT, "Accept-Encoding": "identity"}
    if offset:
        headers |= {"Range": f"bytes={offset}-", "If-Range": validator}
    with _network(remote, stall_s):
        try:
            # The addresses are our own: http and https only.
            response = urllib.request.urlopen(
                urllib.request.Request(remote.url, headers=headers), timeout=stall_s
            )
        except urllib.error.HTTPError as error:
            if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or not offset:
                raise
            error.close()
            response = None
    if response is None:  # nothing lies behind the last byte: it may all be here already
        return offset
    with response:
        total = _announced(response, offset, validator)
        if total != _OTHER_FILE:
            if response.status == http.HTTPStatus.OK:
                offset = 0  # the file has changed, or the server cannot resume
            yield from _receive(remote, part, response, offset, total, control, stall_s)
            return offset
    if not offset:
        raise _refused(remote, response.status)
    with _disk(remote.name):
        part.discard()
    return (yield from _fetch(remote, part, control, stall_s))


_OTHER_FILE = -1


def _announced(response: Any, offset: int, validator: str) -> int | None:
    """Return the size of the whole file, None if unknown, _OTHER_FILE if the part does not fit."""
    if response.status == http.HTTPStatus.OK:
        length = response.headers.get("Content-Length", "")
        return int(length) if length.isdigit() else None
    if response.status != http.HTTPStatus.PARTIAL_CONTENT:
        return _OTHER_FILE
    given = re.fullmatch(
        r"bytes (\d+)-(\d+)/(\d+)", response.headers.get("Content-Range", "").strip()
    )
    same = _validator(response.headers) in ("", validator)
    if not offset or not given or int(given[1]) != offset or not same:
        return _OTHER_FILE
    return int(given[3])


def _receive(
    remote: Remote,
    part: Part,
    response: Any,
    offset: int,
    total: int | None,
    control: Control,
    stall_s: float,
) -> Generator[Progress, None, None]:
    if response.headers.get_content_type() == "text/html":
        raise UserError(
            f"Instead of {remote.name}, {remote.host} sent a web page.",
            "Open any page in a browser: the network may want you to log in first.",
        )
    most = MOST_TIMES * remote.size
    if (total or 0) > most:
        raise _too_large(remote)
    _need_space(part.path.parent, (total or remote.size) - offset, remote.name)
    pace = Pace((total or remote.size) - offset, control)
    done = offset
    with _disk(remote.name):
        if not offset:
            part.begin(_validator(response.headers))
        file = part.opened_at(offset)
    with file:
        while True:
            control.checkpoint()
            with _network(remote, stall_s):
                data = response.read1(CHUNK)
            control.checkpoint()  # a server may have been silent meanwhile
            if not data:
                break
            with _disk(remote.name):
                _write(file, data)
            done += len(data)
            if done > most:
                raise _too_large(remote)
            text = f"{remote.name}: {megabytes(done)} of {megabytes(total or remote.size)}"
            left = pace.progress(done - offset, text).remaining_s
            yield Progress(min(1.0, done / total) if total else None, text, left)
    if total is not None and done < total:
        raise UserError(
            f"The connection to {remote.host} ended after {megabytes(done)} of {megabytes(total)}.",
            AGAIN,
        )


def _too_large(remote: Remote) -> UserError:
    return UserError(
        f"{remote.host} offers something much larger than {remote.name} should be.",
        f"Look at {remote.page} in a browser: the file may have moved.",
    )


def _write(file: IO[bytes], data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def _validator(headers: Message) -> str:
    tag = str(headers.get("ETag") or "")
    return tag if tag.startswith('"') else str(headers.get("Last-Modified") or "")


def _is_md5(path: Path, md5: str, control: Control) -> Generator[Progress, None, bool]:
    # MD5 is what the publisher states; it finds damage, and who could forge it holds the server.
    digest = hashlib.md5(usedforsecurity=False)
    name = path.name.removesuffix(".part")
    try:
        with path.open("rb") as file:
            pace = Pace(path.stat().st_size, control)
            done = 0
            while data := file.read(16 * CHUNK):
                control.checkpoint()
                digest.update(data)
                done += len(data)
                yield pace.progress(done, f"Checking {name}")
    except OSError:
        return False
    return digest.hexdigest() == md5.lower()


def _published_md5(remote: Remote, stall_s: float) -> str:
    request = urllib.request.Request(remote.md5_url, headers={"User-Agent": AGENT})
    with _network(remote, stall_s), urllib.request.urlopen(request, timeout=stall_s) as response:
        text = response.read(1 << 12).decode("latin-1")
    found = re.search(r"\b[0-9a-fA-F]{32}\b", text)
    if found is None:
        raise UserError(
            f"{remote.host} does not say which checksum {remote.name} has.",
            f"Look at {remote.page} in a browser: a login page of the network may have answered.",
        )
    return found[0].lower()


def _read_md5(path: Path) -> str | None:
    try:
        found = re.match(r"[0-9a-f]{32}\b", path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return found[0] if found else None


def _need_space(folder: Path, size: int, name: str) -> None:
    with _disk(name):
        free = shutil.disk_usage(folder).free
    if free < size:
        raise UserError(
            f"{name} needs {megabytes(size)}, and {folder} has {megabytes(free)} free.",
            "Make room on the disk, or set GRADSHEET_DATA to a folder on another one.",
        )


def megabytes(size: int) -> str:
    """Return a size as people say it: 4.9 MB, 262 MB."""
    return f"{size / 1e6:.1f} MB" if size < 99.95e6 else f"{size / 1e6:,.0f} MB"


@contextmanager
def _disk(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise UserError(
            f"{name} could not be written: {error.strerror or error}.",
            "Make room on the disk, then try again: the download goes on where it stopped."
            if full
            else "Check that you may write to the folder, or set GRADSHEET_DATA to another one.",
        ) from error


@contextmanager
def _network(remote: Remote, stall_s: float) -> Iterator[None]:
    try:
        yield
    except urllib.error.HTTPError as error:
        error.close()
        raise _refused(remote, error.code) from error
    except (OSError, http.client.HTTPException) as error:
        raise _unreachable(remote, error, stall_s) from error


def _refused(remote: Remote, code: int) -> UserError:
    if code in (http.HTTPStatus.NOT_FOUND, http.HTTPStatus.GONE):
        return UserError(
            f"{remote.name} is not at {remote.url} any more ({code}).",
            f"Look at {remote.page} in a browser, save the file, and open it with Open ratings.",
        )
    return UserError(
        f"{remote.host} refused to send {remote.name} ({code}).", "Try again a little later."
    )


def _unreachable(remote: Remote, error: Exception, stall_s: float) -> UserError:
    reason = getattr(error, "reason", error)
    if isinstance(reason, TimeoutError):
        return UserError(f"{remote.host} has sent nothing for {stall_s:g} seconds.", AGAIN)
    if isinstance(reason, ssl.SSLCertVerificationError):
        return UserError(
            f"The certificate of {remote.host} is not valid: {reason.verify_message}.",
            "Check the date of this computer. If it is right, try again another day, or save the "
            f"file from {remote.page} with a browser.",
        )
    if isinstance(reason, socket.gaierror):
        return UserError(
            f"{remote.host} was not found.", "Check that this computer is on the internet."
        )
    if isinstance(error, urllib.error.URLError):
        detail = getattr(reason, "strerror", None) or reason
        return UserError(
            f"{remote.host} cannot be reached: {detail}.",
            "Check that this computer is on the internet, then try again.",
        )
    return UserError(f"The connection to {remote.host} broke off.", AGAIN)
