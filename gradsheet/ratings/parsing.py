"""Turns blocks of text into codes and ratings with the pandas C parser, and finds bad rows.

Owns the fast and the slow way to parse a block, and the growing codes of users and items. Must
not know where blocks come from nor how progress is shown.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from gradsheet.ratings.columns import BLANK_WORDS
from gradsheet.ratings.sniffing import ReadOptions
from gradsheet.ratings.source import DOUBLE_COLON, UNIT, Block
from gradsheet.ratings.table import UNKNOWN_TIME, Labels, RatingTable

KEPT_BAD_ROWS = 1000
_SMALL = 1 << 26
_TYPES: dict[str, Any] = {
    "users": np.int32, "items": np.int32, "ratings": np.float32, "timestamps": np.int64,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was left out.

    Attributes
    ----------
    line : int
        Its line in the file, from 1.
    text : str
        The line as it stands, at most 200 characters.
    reason : str
    """

    line: int
    text: str
    reason: str


class IdsAreText(Exception):
    """An id was met that is no whole number, though the ids before it were."""

    def __init__(self, role: Literal["user", "item"], example: str) -> None:
        super().__init__(f"The {role} id “{example[:40]}” is no whole number")
        self.role = role


class _Codes:
    """Zero-based codes by order of first appearance, over all blocks.

    Small whole numbers are looked up in an array, all else in a dict: four times as fast, and
    nearly all files have them.
    """

    def __init__(self) -> None:
        self._codes: dict[Any, int] = {}
        self._code_of: npt.NDArray[np.int32] | None = np.full(1 << 16, -1, dtype=np.int32)

    def encode(self, ids: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
        """Return the codes of ids (n,) int32, giving new ids the next codes."""
        small = ids.dtype == np.int64 and len(ids) and ids.min() >= 0 and ids.max() < _SMALL
        if self._code_of is None or not small:
            self._code_of = None
            local, distinct = pd.factorize(ids)
            encoded: npt.NDArray[np.int32] = self._extend(distinct)[local]
            return encoded
        size, table = int(ids.max()) + 1, self._code_of
        if size > len(table):
            grown = np.full(max(size, 2 * len(table)), -1, dtype=np.int32)
            grown[: len(table)] = table
            self._code_of = table = grown
        codes: npt.NDArray[np.int32] = table[ids]
        unknown = codes < 0
        if unknown.any():
            distinct = pd.unique(ids[unknown])
            table[distinct] = self._extend(distinct)
            codes = table[ids]
        return codes

    def _extend(self, distinct: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
        known = self._codes
        codes = [known.setdefault(label, len(known)) for label in distinct.tolist()]
        return np.array(codes, dtype=np.int32)

    def labels(self, text: bool) -> Labels:
        """Return the id of each code."""
        if not text:
            return np.fromiter(self._codes, dtype=np.int64, count=len(self._codes))
        out: Labels = np.empty(len(self._codes), dtype=object)
        out[:] = [_mended(label) for label in self._codes]
        return out


class Gatherer:
    """Collects the ratings of one file.

    Parameters
    ----------
    options : ReadOptions
    names : tuple of str
        Of the columns; in a crosstab the items across.
    """

    def __init__(self, options: ReadOptions, names: tuple[str, ...]) -> None:
        self._options = options
        self._names = names
        self._users, self._items = _Codes(), _Codes()
        self._columns: dict[str, npt.NDArray[Any]] = {n: np.empty(0, k) for n, k in _TYPES.items()}
        self._capacity = 0
        self._replaced_times = 0
        self.bad_rows: list[BadRow] = []
        self.bad_count = 0
        self.count = 0
        if options.crosstab:
            across = [n for i, n in enumerate(names) if i != options.user]
            self._items.encode(np.array(across, dtype=object))

    def first_bad(self) -> BadRow | None:
        """Return the first row that was left out."""
        return self.bad_rows[0] if self.bad_rows else None

    def notes(self) -> list[str]:
        """Return what the user should know of the parsing."""
        if not self._replaced_times:
            return []
        return [f"{self._replaced_times:,} times could not be read; their ratings are kept."]

    def add(self, block: Block, skip: int) -> None:
        """Parse a block; ``skip`` of its lines are no data."""
        if self._options.crosstab:
            self._add_crosstab(block, skip)
            return
        options = self._options
        frame = self._parse_fast(block.data, skip)
        if frame is not None and options.timestamp is not None:
            cells = frame[options.timestamp]
            # Whole seconds, the usual case, are ready as they are.
            ready = options.time_kind == "seconds" and cells.dtype == np.int64
            frame[options.timestamp] = cells if ready else self._seconds(cells)
        if frame is None:
            frame = self._parse_slowly(block, skip)
        times = None if options.timestamp is None else frame[options.timestamp].to_numpy()
        self._append(
            self._users.encode(frame[options.user].to_numpy()),
            self._items.encode(frame[options.item].to_numpy()),
            frame[options.rating].to_numpy(dtype=np.float32),
            times,
        )

    def _append(
        self, users: npt.NDArray[np.int32], items: npt.NDArray[np.int32], ratings: Any, times: Any
    ) -> None:
        columns = dict(zip(_TYPES, (users, items, ratings, times), strict=True))
        self.reserve(self.count + len(users))
        for name, part in columns.items():
            if part is not None:
                self._columns[name][self.count : self.count + len(part)] = part
        self.count += len(users)

    def reserve(self, rows: int) -> None:
        """Make room for so many rows; memory is only taken as they come."""
        if rows <= self._capacity:
            return
        self._capacity = max(rows, 2 * self._capacity, 1 << 16)
        for name, kind in _TYPES.items():
            grown = np.empty(self._capacity, kind)
            grown[: self.count] = self._columns[name][: self.count]
            self._columns[name] = grown

    def table(self) -> RatingTable:
        """Return the table of all blocks."""
        options = self._options
        has_times = options.timestamp is not None and not options.crosstab
        columns = {
            name: column[: self.count]
            for name, column in self._columns.items()
            if has_times or name != "timestamps"
        }
        return RatingTable(
            **columns,
            user_ids=self._users.labels(options.text_users),
            item_ids=self._items.labels(options.text_items or options.crosstab),
        )

    # --- one rating a row -----------------------------------------------------------------------

    def _wanted(self) -> list[int]:
        o = self._options
        return [c for c in (o.user, o.item, o.rating, o.timestamp) if c is not None]

    def _pandas(self, data: bytes, skip: int, quoting: bool, **more: Any) -> pd.DataFrame:
        separator = UNIT if self._options.separator == DOUBLE_COLON else self._options.separator
        wanted = self._wanted()
        return pd.read_csv(
            io.BytesIO(data),
            sep=separator,
            header=None,
            names=range(max(wanted) + 1),
            usecols=wanted,
            index_col=False,
            skiprows=skip,
            na_filter=False,
            quoting=csv.QUOTE_MINIMAL if quoting else csv.QUOTE_NONE,
            encoding_errors="surrogateescape",
            **more,
        )

    def _parse_fast(self, data: bytes, skip: int) -> pd.DataFrame | None:
        """Return the columns with their types; None if any cell does not fit its type."""
        o = self._options
        types: dict[int | None, Any] = {
            o.user: object if o.text_users else np.int64,
            o.item: object if o.text_items else np.int64,
            o.rating: np.float64,
        }
        if o.timestamp is not None:
            types[o.timestamp] = object if o.time_kind == "date" else np.int64
        try:
            # An infinity cast to an id must not pass in silence.
            with np.errstate(invalid="raise"):
                frame = self._pandas(data, skip, o.quoting, dtype=types, decimal=o.decimal)
        except (ValueError, ArithmeticError):  # pandas' ParserError and EmptyDataError among them
            return None
        except IndexError:
            # WORKAROUND(pandas<=3.1): a block without data and types by number, _get_empty_meta.
            return None
        for column, text in ((o.user, o.text_users), (o.item, o.text_items)):
            if text:
                ids = frame[column].str.strip()
                if (ids == "").any():
                    return None
                frame[column] = ids
        return frame if np.isfinite(frame[o.rating].to_numpy()).all() else None

    def _parse_slowly(self, block: Block, skip: int) -> pd.DataFrame:
        """Return the good rows of a block; note the bad ones with their lines."""
        o = self._options
        raw, line_of, lines = self._as_text(block, skip)
        users, items, stars = (raw[c].str.strip() for c in (o.user, o.item, o.rating))
        numbers = stars.str.replace(o.decimal, ".", regex=False) if o.decimal != "." else stars
        ratings = pd.to_numeric(numbers, errors="coerce").astype(np.float64)
        blank = (users == "") & (items == "") & (stars == "")
        good = np.isfinite(ratings) & (users != "") & (items != "")
        for i in np.flatnonzero(~good & ~blank):
            line = int(line_of[i])
            if users[i] == "" or items[i] == "":
                reason = "no user" if users[i] == "" else "no item"
            elif stars[i] == "":
                reason = "no rating"
            else:
                reason = f"the rating “{_mended(stars[i])[:40]}” is not a number"
            self._note_bad(block.first_line + line, lines[line], reason)
        kept = pd.DataFrame(
            {
                o.user: _ids(users[good], "user", o.text_users),
                o.item: _ids(items[good], "item", o.text_items),
                o.rating: ratings[good].to_numpy(),
            }
        )
        if o.timestamp is not None:
            kept[o.timestamp] = self._seconds(raw[o.timestamp][good])
        return kept

    def _as_text(
        self, block: Block, skip: int
    ) -> tuple[pd.DataFrame, npt.NDArray[np.int64], list[bytes]]:
        """Return the wanted cells as text, the line of each row, and the lines themselves."""
        lines = block.data.split(b"\n")
        body = b"\n".join(lines[skip:])
        separator = UNIT if self._options.separator == DOUBLE_COLON else self._options.separator
        # A row in front that has all columns, since the parser takes their number from it.
        front = (separator * max(self._wanted())).encode() + b"\n"
        more: dict[str, Any] = {"dtype": object, "skip_blank_lines": False}
        quoting = self._options.quoting
        try:
            raw = self._pandas(front + body, 0, quoting, **more)
        except ValueError:  # a quote that nothing closes
            quoting = False
            raw = self._pandas(front + body, 0, quoting, **more)
        raw = raw.iloc[1:].reset_index(drop=True)
        starts = np.arange(len(raw))
        breaks = len(lines) - skip - (lines[-1] == b"")
        if quoting and len(raw) != breaks:  # line breaks inside quotes
            reader = csv.reader(
                io.StringIO(body.decode("utf-8", "replace"), newline=""), delimiter=separator
            )
            ends = np.array([0, *(reader.line_num for _ in reader)], dtype=np.int64)
            starts = np.resize(ends[:-1], len(raw)) if len(ends) > 1 else starts
        return raw, np.minimum(starts + skip, len(lines) - 1), lines

    def _note_bad(self, line: int, text: bytes, reason: str) -> None:
        self.bad_count += 1
        if len(self.bad_rows) < KEPT_BAD_ROWS:
            shown = text.decode("utf-8", "surrogateescape").rstrip("\r").replace(UNIT, DOUBLE_COLON)
            self.bad_rows.append(BadRow(line, _mended(shown)[:200], reason))

    def _seconds(self, cells: pd.Series[Any]) -> npt.NDArray[np.int64]:
        """Return times in seconds since 1970; UNKNOWN_TIME where a cell says none."""
        o = self._options
        if o.time_kind == "date":
            found = pd.to_datetime(
                cells, errors="coerce", utc=True, dayfirst=o.day_first, format="mixed"
            )
            times = found.dt.tz_convert(None).to_numpy().astype("datetime64[s]").astype(np.int64)
            missing = found.isna().to_numpy()
        else:
            numbers = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float64)
            missing = ~(np.abs(numbers) < 1e17)  # NaN too; beyond is no time
            per_second = 1000 if o.time_kind == "milliseconds" else 1
            times = (np.where(missing, 0, numbers) // per_second).astype(np.int64)
        self._replaced_times += int(missing.sum())
        return np.where(missing, UNKNOWN_TIME, times)

    # --- crosstab -------------------------------------------------------------------------------

    def _add_crosstab(self, block: Block, skip: int) -> None:
        """Take a block of a crosstab apart: a row is a user, a column an item."""
        o = self._options
        lines = block.data.split(b"\n")
        text = b"\n".join(lines[skip:]).decode("utf-8", "surrogateescape")
        separator = UNIT if o.separator == DOUBLE_COLON else o.separator
        mode: Literal[0, 3] = csv.QUOTE_MINIMAL if o.quoting else csv.QUOTE_NONE
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, quoting=mode)
        user_column = o.user or 0
        users: list[Any] = []
        columns: list[int] = []
        ratings: list[float] = []
        for row in rows:
            line = block.first_line + skip + rows.line_num - 1
            if not any(cell.strip() for cell in row):
                continue
            user = row[user_column].strip() if user_column < len(row) else ""
            if not user:
                self._note_bad(line, lines[skip + rows.line_num - 1], "no user")
                continue
            for i, cell in enumerate(row[: len(self._names)]):
                if i == user_column or cell.strip().lower() in BLANK_WORDS:
                    continue
                rating = _number(cell, o.decimal)
                if rating is None:
                    reason = f"“{cell.strip()[:40]}” under “{self._names[i]}” is not a number"
                    self._note_bad(line, lines[skip + rows.line_num - 1], reason)
                    continue
                users.append(user)
                columns.append(i - (i > user_column))
                ratings.append(rating)
        ids = _ids(pd.Series(users, dtype=object), "user", o.text_users)
        names = np.array([n for i, n in enumerate(self._names) if i != user_column], dtype=object)
        items = self._items.encode(names)[np.array(columns, dtype=np.int64)]
        self._append(self._users.encode(ids), items, np.array(ratings, dtype=np.float32), None)


def _number(text: str, decimal: str) -> float | None:
    try:
        value = float(text.strip().replace(decimal, "."))
    except ValueError:
        return None
    return value if np.isfinite(value) else None


def _ids(texts: pd.Series[Any], role: Literal["user", "item"], text: bool) -> npt.NDArray[Any]:
    """Return ids as they are, or as int64.

    Raises
    ------
    IdsAreText
        If they should be whole numbers and one is not.
    """
    if text:
        return np.asarray(texts, dtype=object)
    out = np.empty(len(texts), dtype=np.int64)
    for i, word in enumerate(texts):
        try:
            whole, _, fraction = word.partition(".")
            if fraction.strip("0"):
                raise ValueError
            out[i] = int(whole)
        except (ValueError, OverflowError):
            raise IdsAreText(role, word) from None
    return out


def _mended(text: str) -> str:
    """Return text whose bytes were no UTF-8 after all as Western European."""
    try:
        text.encode()
        return text
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
