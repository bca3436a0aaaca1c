"""Where the bytes of a ratings file are: in a file, a folder, a zip or a gzip.

Owns finding, opening and cutting into blocks of whole lines as UTF-8. Must not know what the
columns mean; standard library and numpy only. What the user can put right comes as UserError.
"""

from __future__ import annotations

import codecs
import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, cast

import numpy as np

from gradsheet.formula.values import UserError

RATING_FILES = ("ratings.csv", "ratings.dat", "u.data", "ratings.tsv", "ratings.csv.gz")
TITLE_FILES = ("movies.csv", "u.item", "movies.dat")
DOUBLE_COLON = "::"
UNIT = "\x1f"
"""Stands for '::' inside blocks: the fast parser takes separators of one character only."""

_LONGEST_LINE = 1 << 26
_LINE_BREAK = ord("\n")


@dataclass(frozen=True, slots=True)
class Source:
    """A file to read, or a member of a zip.

    Attributes
    ----------
    path : Path
    member : str or None
        Name inside the zip.
    size : int or None
        Bytes once unpacked; None if that is not known before reading.
    """

    path: Path
    member: str | None
    size: int | None

    @property
    def name(self) -> str:
        """What to call it in messages."""
        return self.path.name if self.member is None else f"{self.path.name}: {self.member}"


def locate(path: Path | str) -> Source:
    """Find the ratings: the file itself, or the one in a MovieLens folder or zip.

    Raises
    ------
    UserError
        If nothing is there, or nothing that could be ratings.
    """
    path = Path(path)
    with readable(path):
        if path.is_dir():
            for name in RATING_FILES:
                if (path / name).is_file():
                    return locate(path / name)
            raise UserError(
                f"{path.name} is a folder without a file of ratings.",
                "Choose the file itself, or a folder that holds ratings.csv, ratings.dat or "
                "u.data.",
            )
        size = path.stat().st_size
        if not zipfile.is_zipfile(path):
            return Source(path, None, None if path.suffix == ".gz" else size)
        with zipfile.ZipFile(path) as archive:
            member = _member_with_ratings(path, archive)
            return Source(path, member.filename, member.file_size)


def _member_with_ratings(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    files = [m for m in archive.infolist() if not m.is_dir() and not _is_clutter(m.filename)]
    if any(m.filename == "[Content_Types].xml" for m in files):
        raise UserError(
            f"{path.name} is a workbook or a document, not a text file of ratings.",
            "Open a workbook with File > Open, or save its ratings as CSV first.",
        )
    files.sort(key=lambda m: (m.filename.count("/"), m.filename))
    for name in RATING_FILES:
        for member in files:
            if PurePosixPath(member.filename).name.lower() == name:
                return member
    tables = [m for m in files if PurePosixPath(m.filename).suffix.lower() in (".csv", ".tsv")]
    if not tables:
        raise UserError(
            f"{path.name} has no ratings inside.",
            "It should hold ratings.csv, ratings.dat, u.data or another .csv file.",
        )
    return max(tables, key=lambda m: m.file_size)


def _is_clutter(name: str) -> bool:
    return name.startswith("__MACOSX/") or PurePosixPath(name).name.startswith("._")


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what can go wrong with a file into a UserError that names it."""
    try:
        yield
    except FileNotFoundError as error:
        raise UserError(
            f"There is no file {path}.", "Check the name; it may have been moved."
        ) from error
    except OSError as error:
        raise UserError(
            f"{path.name} cannot be read: {error.strerror or error}.",
            "Check that you may read it, and that no other program holds it.",
        ) from error
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise UserError(
            f"{path.name} is damaged: {error}.", "Download or copy it once more."
        ) from error


@contextmanager
def opened(source: Source) -> Iterator[IO[bytes]]:
    """Open the bytes of a source, unpacked on the way."""
    with readable(source.path):
        if source.member is not None:
            with zipfile.ZipFile(source.path) as archive:
                try:
                    stream = archive.open(source.member)
                except (RuntimeError, NotImplementedError) as error:  # encrypted, unknown packing
                    raise UserError(
                        f"{source.name} cannot be unpacked: {error}.",
                        "Unpack it with another program and choose the file inside.",
                    ) from error
                with stream:
                    yield stream
        elif source.path.suffix == ".gz":
            with source.path.open("rb") as packed, gzip.GzipFile(fileobj=packed) as unpacked:
                yield cast(IO[bytes], unpacked)
        else:
            with source.path.open("rb") as plain:
                yield plain


def title_names(source: Source) -> tuple[str, ...]:
    """Return the names of the files of titles that lie beside the source, none of them read."""
    with readable(source.path):
        if source.member is None:
            beside = (source.path.parent / name for name in TITLE_FILES)
            return tuple(path.name for path in beside if path.is_file() and path != source.path)
        folder = PurePosixPath(source.member).parent
        with zipfile.ZipFile(source.path) as archive:
            inside = set(archive.namelist()) - {source.member}
        return tuple(name for name in TITLE_FILES if str(folder / name) in inside)


def title_files(source: Source) -> Iterator[tuple[str, bytes]]:
    """Give name and bytes of each file of titles that lies beside the source."""
    with readable(source.path):
        if source.member is None:
            for name in TITLE_FILES:
                beside = source.path.parent / name
                if beside.is_file() and beside != source.path:
                    yield name, beside.read_bytes()
            return
        folder = PurePosixPath(source.member).parent
        with zipfile.ZipFile(source.path) as archive:
            names = set(archive.namelist())
            for name in TITLE_FILES:
                if str(folder / name) in names and str(folder / name) != source.member:
                    yield name, archive.read(str(folder / name))


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines of a file.

    Attributes
    ----------
    first_line : int
        Number of the first line in the file, from 1.
    data : bytes
        UTF-8, lines ended by a newline (the last may not be), '::' replaced by UNIT if asked.
    bytes_read : int
        How much of the file has been read, in its own encoding.
    """

    first_line: int
    data: bytes
    bytes_read: int


def blocks(
    stream: IO[bytes], encoding: str, separator: str, quoting: bool, size: int
) -> Iterator[Block]:
    """Cut a stream into blocks of about ``size`` bytes that end between records.

    A line break inside a quoted field ends no record. Bytes that UTF-8 does not allow stay as
    they are in a UTF-8 file; in other encodings they become U+FFFD.
    """
    utf8 = codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")
    decoder = None if utf8 else codecs.getincrementaldecoder(encoding)("replace")
    rest, line, read = b"", 1, 0
    while True:
        raw = stream.read(size)
        read += len(raw)
        fresh = raw if decoder is None else decode(decoder, raw, final=not raw).encode()
        if read == len(raw):
            fresh = fresh.removeprefix(codecs.BOM_UTF8)
        data = rest + fresh
        if b"\r" in fresh and b"\n" not in data:  # line ends of the old Macintosh
            data = data.replace(b"\r", b"\n")
        end = _cut(data, quoting, patience=4 * size) if raw else len(data)
        if not end and len(data) > _LONGEST_LINE:
            raise UserError(
                f"Line {line} is longer than {_LONGEST_LINE >> 20} MB.",
                "This does not look like a text file of ratings.",
            )
        if end:
            block, rest = data[:end], data[end:]
            if separator == DOUBLE_COLON:
                block = block.replace(DOUBLE_COLON.encode(), UNIT.encode())
            yield Block(line, block, read)
            line += line_breaks(block)
        else:
            rest = data
        if not raw:
            return


def line_breaks(data: bytes) -> int:
    """Return how many there are; where they are many, ten times as fast as `bytes.count`."""
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == _LINE_BREAK))


def decode(decoder: codecs.IncrementalDecoder, raw: bytes, *, final: bool) -> str:
    """Decode the next bytes of a file.

    Raises
    ------
    UserError
        If the encoding allows no such bytes at all.
    """
    try:
        return decoder.decode(raw, final)
    except UnicodeError as error:
        raise UserError(
            f"The file is not in the encoding that was chosen: {error}.", "Choose another encoding."
        ) from error


def _cut(data: bytes, quoting: bool, patience: int) -> int:
    """Return where the last whole record of ``data`` ends; 0 if none does."""
    end = data.rfind(b"\n") + 1
    if quoting and data.count(b'"', 0, end) % 2 and len(data) <= patience:
        # The last quote opens a field: the record begins after the line break before it.
        end = data.rfind(b"\n", 0, data.rfind(b'"', 0, end)) + 1
    return end
