"""One sheet as CSV, both ways.

Owns the guessing of separator and encoding, and that text which begins with `=` stays text:
nothing in a CSV is ever run.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from gradsheet.files.atomic import write_atomically
from gradsheet.formula.address import MAX_COLS, MAX_ROWS, Region
from gradsheet.formula.values import ErrorCode, Kind, UserError, pack, parse_entry
from gradsheet.sheet.formats import display_text
from gradsheet.sheet.workbook import Sheet, Workbook

MAX_BYTES = 256 << 20
MAX_CELLS = 20_000_000
_SEPARATORS = ",;\t|"
_BAND = 4096
_WIDEST = 1 << 20
"""Characters that a cell may take: none is cut."""


def read_csv(source: Path | bytes, name: str = "") -> Workbook:
    """A workbook of one sheet from a CSV file.

    Numbers, TRUE and FALSE are read as such; a decimal comma is understood where the separator
    is a semicolon. Everything else is text, `=1+1` too.

    Parameters
    ----------
    source : path, or the bytes of the file
    name : of the sheet; the file's own if not given

    Raises
    ------
    UserError
        If the file cannot be read or is too large for a sheet.
    """
    data, title = _bytes(source)
    text = _decoded(data)
    separator = _separator(text)
    decimal = "," if separator == ";" else "."
    workbook = Workbook.with_sheet(_sheet_name(name or title))
    sheet = workbook.sheets[0]
    band: list[list[str]] = []
    top = cells = 0
    csv.field_size_limit(_WIDEST)
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            band.append(row)
            cells += len(row)
            if cells > MAX_CELLS or top + len(band) > MAX_ROWS or len(row) > MAX_COLS:
                raise UserError(f"{title} does not fit into a sheet.",
                                "Import it as ratings, or cut it into parts.")  # fmt: skip
            if len(band) == _BAND:
                _put(workbook, sheet, top, band, decimal)
                top, band = top + _BAND, []
    except csv.Error as fault:
        raise UserError(f"{title} is no CSV file: {fault}.", "Check its separators.") from fault
    _put(workbook, sheet, top, band, decimal)
    return workbook


def _put(workbook: Workbook, sheet: Sheet, top: int, rows: list[list[str]], decimal: str) -> None:
    width = max((len(row) for row in rows), default=0)
    if not width:
        return
    values = np.zeros((len(rows), width))
    kinds = np.zeros((len(rows), width), np.uint8)
    for i, row in enumerate(rows):
        for j, text in enumerate(row):
            if text:
                # An apostrophe is part of the text here: it was not typed into a cell.
                scalar = text if text[0] in "'=" else parse_entry(text, decimal)
                values[i, j], kinds[i, j] = pack(scalar, workbook.strings)
    sheet.cells.write(Region(top, 0, top + len(rows), width), values, kinds)


def write_csv(workbook: Workbook, sheet: Sheet, path: Path, *, separator: str = ",") -> None:
    """Write the values of a sheet: numbers to the last digit, dates as they show.

    Raises
    ------
    UserError
        If the file cannot be written.
    """

    def write(draft: Path) -> None:
        with draft.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, delimiter=separator).writerows(_rows(workbook, sheet))

    write_atomically(path, write)


def _rows(workbook: Workbook, sheet: Sheet) -> Iterator[list[str]]:
    from gradsheet.sheet.numberformat import number_format

    used = sheet.cells.used()
    palette = workbook.palette
    dates = {
        i for i in range(len(palette)) if number_format(palette.format(i).code).is_date
    }
    for top in range(0, used.bottom, _BAND):
        band = Region(top, 0, min(top + _BAND, used.bottom), used.right)
        values, kinds = sheet.cells.read(band)
        looks = sheet.formats.plane(band)
        for row_values, row_kinds, row_looks in zip(
            values.tolist(), kinds.tolist(), looks.tolist(), strict=True
        ):
            line = []
            for value, kind, look in zip(row_values, row_kinds, row_looks, strict=True):
                if kind == Kind.NUMBER:
                    if look in dates:
                        shown = display_text(
                            value, kind, palette.format(look), workbook.strings, _WIDEST,
                            workbook.date_1904,
                        )
                        line.append(shown)
                    else:
                        line.append(repr(value).removesuffix(".0"))
                elif kind == Kind.TEXT:
                    line.append(workbook.strings.text(int(value)))
                elif kind == Kind.BOOLEAN:
                    line.append("TRUE" if value else "FALSE")
                else:
                    line.append(ErrorCode(int(value)).text if kind == Kind.ERROR else "")
            yield line


def _bytes(source: Path | bytes) -> tuple[bytes, str]:
    if isinstance(source, bytes):
        return source, "CSV"
    try:
        if source.stat().st_size > MAX_BYTES:
            raise UserError(f"{source.name} has more than {MAX_BYTES >> 20} MB.",
                            "Import it as ratings: those are read piece by piece.")  # fmt: skip
        return source.read_bytes(), source.name
    except OSError as fault:
        raise UserError(
            f"{source.name} cannot be opened: {fault.strerror or fault}.",
            "Check that it is there and that you may read it.",
        ) from fault


def _decoded(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _separator(text: str) -> str:
    """The sign that cuts most of the first lines into equally many parts."""
    lines = text[:20_000].splitlines()[:20]
    best = (0, 0, ",")
    for order, separator in enumerate(_SEPARATORS):
        counts = [len(row) for row in csv.reader(lines, delimiter=separator) if row]
        wide = [count for count in counts if count > 1]
        if wide:
            usual = max(set(wide), key=wide.count)
            best = max(best, (counts.count(usual), -order, separator))
    return best[2]


def _sheet_name(title: str) -> str:
    stem = title.rsplit(".", 1)[0] if "." in title else title
    plain = "".join(" " if sign in "[]:*?/\\" else sign for sign in stem).strip(" '")
    return plain[:31].rstrip(" '") or "Sheet1"
