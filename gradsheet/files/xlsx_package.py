"""The zip package of a workbook: its parts, their relationships, and limits on all of it.

Owns what keeps an untrusted file harmless: sizes are counted while unpacking, names stay inside
the package, nothing is unpacked to disk and no outside link is followed. Knows no sheet.
"""

from __future__ import annotations

import posixpath
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from types import TracebackType
from xml.etree.ElementTree import Element

from gradsheet.files.xml_reading import UnreadablePart, refused, tree
from gradsheet.formula.values import UserError

MAX_FILE_BYTES = 512 << 20
MAX_PARTS = 20_000
MAX_PART_BYTES = 768 << 20
"""Of one part, unpacked."""
MAX_TOTAL_BYTES = 2048 << 20
"""Of all parts that are read, unpacked."""
MAX_TREE_BYTES = 64 << 20
"""Of a part that is held in memory whole."""
FREE_BYTES = 24 << 20
"""Unpacked bytes of a part that are allowed at any ratio."""
MAX_RATIO = 220
"""Unpacked to packed size beyond that; sheets of one repeated formula reach about 60."""

_CHUNK = 1 << 18
_COMPOUND_FILE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP_FAULTS = (
    zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError,
    ValueError, struct.error, OverflowError, IndexError, KeyError,
)  # fmt: skip
"""What zipfile raises on files that are damaged on purpose."""


@dataclass(frozen=True, slots=True)
class Relationship:
    """A link from one part to another.

    Parameters
    ----------
    kind : the last word of its type: `worksheet`, `comments`, `externalLink`
    target : name of the part, or the outside address if `is_external`
    """

    id: str
    kind: str
    target: str
    is_external: bool


class Package:
    """An open workbook file. Use it as a context manager.

    Parameters
    ----------
    source : path, or the bytes of the file

    Raises
    ------
    UserError
        If it is no zip file, is encrypted, or is larger than the limits.
    """

    def __init__(self, source: Path | bytes) -> None:
        self.name = source.name if isinstance(source, Path) else "workbook"
        self._budget = MAX_TOTAL_BYTES
        self._file = self._opened(source)
        infos = self._file.infolist()
        if len(infos) > MAX_PARTS:
            self.close()
            raise UserError(
                f"{self.name} has {len(infos):,} parts, more than any workbook.",
                "It may be damaged, or made to do harm.",
            )
        self._infos: dict[str, zipfile.ZipInfo] = {}
        for info in infos:
            if info.filename and not info.is_dir():
                # Part names are compared without case (ECMA-376 part 2, 6.2.2.3).
                self._infos.setdefault(_clean(info.filename).lower(), info)
        self._links: dict[str, list[Relationship]] = {}

    def _opened(self, source: Path | bytes) -> zipfile.ZipFile:
        try:
            head, size = _head(source)
        except OSError as fault:
            raise UserError(
                f"{self.name} cannot be opened: {fault.strerror or fault}.",
                "Check that it is there and that you may read it.",
            ) from fault
        if head == _COMPOUND_FILE:
            raise UserError(
                f"{self.name} is protected by a password, or is an old .xls file.",
                "Open it in Excel or LibreOffice and save it as .xlsx without a password.",
            )
        if size > MAX_FILE_BYTES:
            raise UserError(
                f"{self.name} has {size >> 20:,} MB, the limit is {MAX_FILE_BYTES >> 20} MB.",
                "Large tables are better read as CSV.",
            )
        try:
            return zipfile.ZipFile(BytesIO(source) if isinstance(source, bytes) else source)
        except _ZIP_FAULTS as fault:
            raise UserError(
                f"{self.name} is not a workbook, or is damaged.",
                "gradsheet reads .xlsx and .xlsm files; others open from CSV.",
            ) from fault

    def __enter__(self) -> Package:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the file."""
        self._file.close()

    def parts(self) -> list[str]:
        """Names of all parts as the file spells them, without a leading slash."""
        return [_clean(info.filename) for info in self._infos.values()]

    def has(self, part: str) -> bool:
        """Whether there is such a part."""
        return part.lower() in self._infos

    def chunks(self, part: str, limit: int = MAX_PART_BYTES) -> Iterator[bytes]:
        """The unpacked bytes of a part, counted as they come.

        Raises
        ------
        UserError
            If it is missing, damaged, or unpacks to more than a workbook can need.
        """
        info = self._infos.get(part.lower())
        if info is None:
            raise UserError(f"{self.name} is damaged: {part} is missing.", _SAVE_AGAIN)
        allowed = min(limit, max(FREE_BYTES, info.compress_size * MAX_RATIO))
        total = 0
        try:
            with self._file.open(info) as stream:
                while chunk := stream.read(_CHUNK):
                    total += len(chunk)
                    self._budget -= len(chunk)
                    if total > allowed or self._budget < 0:
                        raise _TooLarge
                    yield chunk
        except _TooLarge:
            raise UserError(
                f"{self.name} unpacks to more than {total >> 20:,} MB in {part}.",
                "It was refused because files of this kind can fill the memory.",
            ) from None
        except _ZIP_FAULTS as fault:
            raise UserError(f"{self.name} is damaged in {part}.", _SAVE_AGAIN) from fault

    def read(self, part: str) -> bytes:
        """All bytes of a small part. Raises UserError as `chunks` does."""
        return b"".join(self.chunks(part, MAX_TREE_BYTES))

    def tree(self, part: str) -> Element:
        """A part as a tree with local names. Raises UserError if it cannot be read."""
        try:
            return tree(self.chunks(part, MAX_TREE_BYTES))
        except UnreadablePart as fault:
            raise refused(part, fault) from fault

    def links(self, part: str) -> list[Relationship]:
        """The relationships of a part, "" for those of the package; none if there are none.

        Targets that lead out of the package are left out. Raises UserError if damaged.
        """
        if part not in self._links:
            self._links[part] = self._read_links(part)
        return self._links[part]

    def _read_links(self, part: str) -> list[Relationship]:
        folder, name = posixpath.split(part)
        source = posixpath.join(folder, "_rels", f"{name}.rels")
        if not self.has(source):
            return []
        found = []
        for item in self.tree(source):
            given = item.attrib
            target = given.get("Target", "")
            is_external = given.get("TargetMode") == "External"
            if not is_external:
                inside = resolved_target(folder, target)
                if inside is None:
                    continue
                target = inside
            kind = given.get("Type", "").rpartition("/")[2]
            found.append(Relationship(given.get("Id", ""), kind, target, is_external))
        return found

    def linked(self, part: str, kind: str) -> list[str]:
        """Names of the parts of a kind that a part links to and that are there."""
        return [
            link.target
            for link in self.links(part)
            if link.kind == kind and not link.is_external and self.has(link.target)
        ]


def resolved_target(folder: str, target: str) -> str | None:
    """A relationship's target as a part name; None if it leads out of the package."""
    joined = target.lstrip("/") if target.startswith("/") else posixpath.join(folder, target)
    path = posixpath.normpath(joined.partition("#")[0])
    return None if path in (".", "..") or path.startswith("../") or "\0" in path else path


class _TooLarge(Exception):
    pass


_SAVE_AGAIN = "Open it in the program that made it and save it again."


def _head(source: Path | bytes) -> tuple[bytes, int]:
    if isinstance(source, bytes):
        return source[:8], len(source)
    with source.open("rb") as file:
        return file.read(8), source.stat().st_size


def _clean(name: str) -> str:
    return name.replace("\\", "/").lstrip("/")
