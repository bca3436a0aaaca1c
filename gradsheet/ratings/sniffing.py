"""Guesses how a file of ratings is written, from its first 64 kB, and says why.

Owns Preview, ReadOptions and the guesses of encoding, separator and decimal comma. Must not read
on: the reader does that with the options, guessed or corrected. Standard library only.
"""

# A Preview and the ReadOptions inside it are what the import dialog shows and changes.

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from gradsheet.formula.values import UserError
from gradsheet.ratings.columns import Columns, guess_columns, is_number, looks_like_header
from gradsheet.ratings.source import DOUBLE_COLON, Source, locate, opened

SAMPLE_BYTES = 1 << 16
_FEWEST_LINES = 20
_LARGEST_SAMPLE = 1 << 22
_PREVIEW_ROWS = 50
_SEPARATORS = {DOUBLE_COLON: "two colons", "\t": "tab", ";": "semicolon", ",": "comma", "|": "bar"}

TimeKind = Literal["seconds", "milliseconds", "date"]


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read a file of ratings; each can be changed by the user.

    Attributes
    ----------
    separator : str
        One character or "::".
    encoding : str
        A Python codec name.
    header : bool
        Whether the first row holds names.
    decimal : "." or ","
    user, item, rating : int or None
        Zero-based columns; a crosstab needs ``user`` only.
    timestamp : int or None
        Column of the times; None: not read.
    time_kind : "seconds", "milliseconds" or "date"
    day_first : bool
        In dates such as 01.02.2003 the day comes first.
    text_users, text_items : bool
        Ids are kept as text; else as whole numbers.
    crosstab : bool
        Users down, items across, instead of one rating a row.
    quoting : bool
        Whether double quotes enclose fields.
    skip : int
        Lines before the header (or the data) that are none of both.
    block_bytes : int
        Bytes read at a time, which bounds memory and the time between two checkpoints.
    """

    separator: str = ","
    encoding: str = "utf-8"
    header: bool = True
    decimal: Literal[".", ","] = "."
    user: int | None = 0
    item: int | None = 1
    rating: int | None = 2
    timestamp: int | None = None
    time_kind: TimeKind = "seconds"
    day_first: bool = False
    text_users: bool = False
    text_items: bool = False
    crosstab: bool = False
    quoting: bool = True
    skip: int = 0
    block_bytes: int = 1 << 23


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file looks like.

    Attributes
    ----------
    source : Source
    options : ReadOptions
        The guess, ready to read with.
    columns : tuple of str
        Names from the header, or "Column 1" and so on.
    rows : tuple of tuple of str
        The first rows of data, as text.
    notes : tuple of str
        What was guessed and why, one sentence each.
    titles : {"beside", "none"} or Path
        Where titles and genres come from: a file of movies beside the ratings if there is one,
        nowhere, or a file that was chosen.
    """

    source: Source
    options: ReadOptions
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = field(default=())
    titles: Literal["beside", "none"] | Path = "beside"

    @property
    def separator(self) -> str:
        """The guessed separator."""
        return self.options.separator

    @property
    def encoding(self) -> str:
        """The guessed encoding."""
        return self.options.encoding

    @property
    def header(self) -> bool:
        """Whether the first row seems to hold names."""
        return self.options.header

    @property
    def roles(self) -> dict[str, int]:
        """Columns by role: "user", "item", "rating", "timestamp"."""
        found = {
            role: getattr(self.options, role) for role in ("user", "item", "rating", "timestamp")
        }
        return {role: column for role, column in found.items() if column is not None}


def sniff(path: Path | str) -> Preview:
    """Guess how a file of ratings is written, from its first 64 kB.

    Raises
    ------
    UserError
        If the file cannot be read, is empty or holds no text.
    """
    source = locate(path)
    sample, whole = read_sample(source)
    encoding, why = guess_encoding(sample, source.name)
    text = _decoded(sample, encoding)
    lines = text.splitlines() if whole else text.splitlines()[:-1] or text.splitlines()
    notes = [f"Encoding {encoding}: {why}."]
    skip, separator = 0, ""
    match = re.fullmatch(r'"?sep=(.)"?', lines[0], re.IGNORECASE) if lines else None
    if match:  # Excel's own way to name the separator
        skip, separator = 1, match[1]
        notes.append("The separator is named in the first line.")
    lines = lines[skip:]
    if not any(line.strip() for line in lines):
        raise UserError(f"{source.name} holds no rows.", "Choose a file with ratings in it.")
    if not separator:
        separator, why = _guess_separator(lines)
        notes.append(why)
    quoting = separator in ",;" or any(line.startswith('"') for line in lines)
    rows = split_rows(lines, separator, quoting)
    decimal = _guess_decimal(rows, separator)
    if decimal == ",":
        notes.append("Numbers have a decimal comma.")
    header, why = looks_like_header(rows, decimal)
    notes.append(why)
    names = rows[0] if header else [f"Column {i + 1}" for i in range(len(rows[0]))]
    body = rows[1:] if header else rows
    guessed = guess_columns(list(names) if header else [], body, decimal)
    options = _options(guessed, separator, encoding, header, decimal, quoting, skip)
    shown = tuple(tuple(row) for row in body[:_PREVIEW_ROWS])
    return Preview(source, options, tuple(names), shown, (*notes, *guessed.notes))


def _options(
    columns: Columns,
    separator: str,
    encoding: str,
    header: bool,
    decimal: Literal[".", ","],
    quoting: bool,
    skip: int,
) -> ReadOptions:
    return ReadOptions(
        separator=separator,
        encoding=encoding,
        header=header,
        decimal=decimal,
        user=columns.user,
        item=columns.item,
        rating=columns.rating,
        timestamp=columns.timestamp,
        time_kind=columns.time_kind,
        day_first=columns.day_first,
        text_users=columns.text_users,
        text_items=columns.text_items,
        crosstab=columns.crosstab,
        quoting=quoting,
        skip=skip,
    )


def read_sample(source: Source) -> tuple[bytes, bool]:
    """Return the first 64 kB, and whether that is the whole file.

    More is read where that is not a few lines: a wide crosstab has lines of hundreds of kB.
    """
    with opened(source) as stream:
        sample = stream.read(SAMPLE_BYTES)
        while sample.count(b"\n") < _FEWEST_LINES and len(sample) < _LARGEST_SAMPLE:
            more = stream.read(len(sample))
            if not more:
                return sample, True
            sample += more
        return sample, not stream.read(1)


def guess_encoding(sample: bytes, name: str) -> tuple[str, str]:
    """Return a codec name and the reason.

    Raises
    ------
    UserError
        If the bytes are no text, or there are none.
    """
    if not sample.strip(b" \t\r\n\xef\xbb\xbf"):
        raise UserError(f"{name} is empty.", "Choose a file with ratings in it.")
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if sample.startswith(mark):
            return encoding, "the byte order mark says so"
    nulls = sample.count(0)
    if nulls:
        for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
            if sample[first::2].count(0) > 0.4 * len(sample) and nulls < 0.55 * len(sample):
                return encoding, "every second byte is zero"
        raise _no_text(name)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
        return "utf-8", "no byte of the first 64 kB contradicts it"
    except UnicodeDecodeError:
        pass
    control = sum(sample.count(bytes([c])) for c in (*range(1, 9), *range(14, 27)))
    if control > 0.01 * len(sample):
        raise _no_text(name)
    try:
        sample.decode("cp1252")
        return "cp1252", "it is not UTF-8, so Western European"
    except UnicodeDecodeError:
        return "latin-1", "it is neither UTF-8 nor Windows-1252"


def _no_text(name: str) -> UserError:
    return UserError(
        f"{name} is not a text file.",
        "Choose a CSV or another text file of ratings, or a zip with one inside.",
    )


def _decoded(sample: bytes, encoding: str) -> str:
    # A character cut at the end of the sample is left out by the incremental decoder.
    return codecs.getincrementaldecoder(encoding)("replace").decode(sample).replace("\0", "")


def split_rows(lines: Sequence[str], separator: str, quoting: bool) -> list[list[str]]:
    """Split lines into fields; blank lines are left out."""
    if separator == DOUBLE_COLON:
        return [line.split(DOUBLE_COLON) for line in lines if line.strip()]
    mode: Literal[0, 3] = csv.QUOTE_MINIMAL if quoting else csv.QUOTE_NONE
    text = io.StringIO("\n".join(lines), newline="")
    rows = csv.reader(text, delimiter=separator, quoting=mode, skipinitialspace=quoting)
    return [row for row in rows if any(cell.strip() for cell in row)]


def _guess_separator(lines: list[str]) -> tuple[str, str]:
    """Return the separator that gives most lines the same number of fields, at least two."""
    best, best_score, why = ",", 0.0, "Separator: none found, so each line is one field."
    used = lines[:500]
    for separator, name in _SEPARATORS.items():
        if not any(separator in line for line in used):
            continue
        rows = split_rows(used, separator, quoting=separator in ",;\t")
        fields, count = Counter(len(row) for row in rows).most_common(1)[0]
        if fields < 2:
            continue
        # Three fields at least make a rating; the earlier separators are the less ambiguous.
        score = count / len(rows) * min(fields, 3)
        if score > best_score * 1.05:
            best, best_score = separator, score
            why = f"Separator {name}: {count} of the first {len(rows)} rows have {fields} fields."
    return best, why


def _guess_decimal(rows: list[list[str]], separator: str) -> Literal[".", ","]:
    if separator == ",":
        return "."
    cells = [cell for row in rows[:500] for cell in row]
    commas = sum(is_number(cell, ",") and "," in cell for cell in cells)
    points = sum(is_number(cell, ".") and "." in cell for cell in cells)
    return "," if commas > points else "."
