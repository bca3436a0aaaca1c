"""Read the conformance cases: tables of a formula, its inputs and the value that Excel gives.

Owns the format of the tables (README.md beside this file) and how two values are compared.
Knows no engine, so that the same cases run through gradsheet and through the oracles.
Standard library only.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

FOLDER = Path(__file__).resolve().parent
COLUMNS = ("id", "inputs", "formula", "expected", "source", "note")
RELATIVE, ABSOLUTE = 1e-9, 1e-12


SPILLS_BEYOND = "! spills beyond"


class Error(str):
    """An error value by its text, so that it is never taken for a text."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


Value: TypeAlias = "float | str | bool | Error | None"
Grid: TypeAlias = "tuple[tuple[Value, ...], ...]"


@dataclass(frozen=True, slots=True)
class Area:
    """Cells from one corner to the other, zero-based, both corners included."""

    top: int
    left: int
    bottom: int
    right: int

    def __str__(self) -> str:
        first = f"{_letters(self.left)}{self.top + 1}"
        last = f"{_letters(self.right)}{self.bottom + 1}"
        return first if first == last else f"{first}:{last}"


@dataclass(frozen=True, slots=True)
class CellInput:
    """A constant or a formula (text that begins with `=`) in one cell; `sheet` "" is the host's."""

    sheet: str
    row: int
    col: int
    value: Value
    is_formula: bool = False


@dataclass(frozen=True, slots=True)
class NameInput:
    """A defined name; the text is what Excel's name dialog shows after `=`."""

    name: str
    text: str
    is_global: bool


@dataclass(frozen=True, slots=True)
class TableInput:
    """A table whose first row holds the headings and, if `totals`, whose last row is a total."""

    name: str
    area: Area
    totals: bool


@dataclass(frozen=True, slots=True)
class Case:
    """One formula, where it stands, what it sees, and what it must give.

    `mode` is "dynamic" (typed into today's Excel), "plain" (a cell of a file without a dynamic
    flag: implicit intersection) or "cse" (an array formula over `area`). `expected` is the block
    of values from the top left cell of `area` on.
    """

    id: str
    topic: str
    cells: tuple[CellInput, ...]
    names: tuple[NameInput, ...]
    tables: tuple[TableInput, ...]
    mode: str
    area: Area
    formula: str
    expected: Grid
    source: str
    note: str

    @property
    def needs_own_workbook(self) -> bool:
        """Whether it has what one workbook cannot hold twice: sheets, tables, global names."""
        return bool(
            self.tables
            or any(cell.sheet for cell in self.cells)
            or any(name.is_global for name in self.names)
        )

    @property
    def beyond(self) -> tuple[tuple[int, int], ...]:
        """Cells right of and below a dynamic result, which must stay blank: (row, col) each."""
        if self.mode != "dynamic":
            return ()
        area, full = self.area, {(c.row, c.col) for c in self.cells if not c.sheet}
        right = [(row, area.right + 1) for row in range(area.top, area.bottom + 1)]
        below = [(area.bottom + 1, col) for col in range(area.left, area.right + 2)]
        has_spills = any(cell.is_formula for cell in self.cells)
        return () if has_spills else tuple(at for at in right + below if at not in full)

    @property
    def shown_expected(self) -> str:
        """The expectation as the table writes it."""
        return show_grid(self.expected)


_CELL = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7})")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_HOST = re.compile(r"(?:(plain|cse)\s+)?(?:([A-Z]{1,3}\d+(?::[A-Z]{1,3}\d+)?)\s+)?(?==)")
_BARE = re.compile(r"(?<![!A-Z$:])(\$[A-Z]+\$\d+)")
DEFAULT_HOST = "J1"


def topics() -> list[str]:
    """Names of the tables, in alphabetical order."""
    return sorted(path.stem for path in FOLDER.glob("*.tsv"))


def load(topic: str) -> list[Case]:
    """Every case of one table.

    Raises
    ------
    ValueError
        With the table and the line that cannot be read.
    """
    path = FOLDER / f"{topic}.tsv"
    lines = path.read_text(encoding="utf-8").splitlines()
    if tuple(lines[0].split("\t")) != COLUMNS:
        raise ValueError(f"{path.name}: the first line must be {COLUMNS}")
    found: list[Case] = []
    for number, line in enumerate(lines[1:], start=2):
        if not line or line.startswith("#\t"):
            continue
        try:
            found.append(read_case(topic, line.split("\t")))
        except (ValueError, IndexError) as error:
            raise ValueError(f"{path.name}, line {number}: {error}") from error
    return found


def load_all() -> list[Case]:
    """Every case of every table."""
    return [case for topic in topics() for case in load(topic)]


def read_case(topic: str, fields: list[str]) -> Case:
    """One line of a table.

    Raises
    ------
    ValueError
        If a field cannot be read.
    """
    fields = fields + [""] * (len(COLUMNS) - len(fields))
    if len(fields) != len(COLUMNS):
        raise ValueError(f"{len(fields)} columns instead of {len(COLUMNS)}")
    cells: list[CellInput] = []
    names: list[NameInput] = []
    tables: list[TableInput] = []
    for part in split(fields[1], ";"):
        entry = _read_input(part.strip())
        for item in entry:
            if isinstance(item, CellInput):
                cells.append(item)
            elif isinstance(item, NameInput):
                names.append(item)
            else:
                tables.append(item)
    head = _HOST.match(fields[2])
    if head is None:
        raise ValueError(f"no formula in {fields[2]!r}")
    expected = read_grid(fields[3])
    mode = head[1] or "dynamic"
    area = read_area(head[2] or DEFAULT_HOST)
    if mode != "cse":
        area = Area(
            area.top, area.left, area.top + len(expected) - 1, area.left + len(expected[0]) - 1
        )
    formula = fields[2][head.end() :].replace("\\t", "\t")
    return Case(
        fields[0], topic, tuple(cells), tuple(names), tuple(tables), mode, area, formula,
        expected, fields[4], fields[5],
    )  # fmt: skip


def _read_input(text: str) -> Iterator[CellInput | NameInput | TableInput]:
    """`A1=3`, `A1:B2={1,2;3,4}`, `Data!A1="x"`, `name Rate=$A$1`, `table T=A1:B4 totals`."""
    if not text:
        return
    target, _, content = text.partition("=")
    for keyword in ("name ", "global "):
        if target.startswith(keyword):
            yield NameInput(target[len(keyword) :].strip(), content, keyword == "global ")
            return
    if target.startswith("table "):
        where, _, totals = content.partition(" ")
        yield TableInput(target[6:].strip(), read_area(where), totals == "totals")
        return
    sheet, _, where = target.rpartition("!")
    area = read_area(where)
    if content.startswith("="):
        yield CellInput(sheet, area.top, area.left, content, True)
        return
    grid = read_grid(content)
    is_one = len(grid) == 1 and len(grid[0]) == 1
    rows, cols = area.bottom - area.top + 1, area.right - area.left + 1
    if not is_one and (len(grid) != rows or len(grid[0]) != cols):
        raise ValueError(f"{content} does not fit into {where}")
    for r in range(rows):
        for c in range(cols):
            value = grid[0][0] if is_one else grid[r][c]
            if value is not None:
                yield CellInput(sheet, area.top + r, area.left + c, value)


def read_grid(text: str) -> Grid:
    """`{1,"x";,TRUE}` or a single value; an empty element is a blank cell.

    Raises
    ------
    ValueError
        If the rows have different lengths or a value is none.
    """
    if not text.startswith("{"):
        return ((read_value(text),),)
    if not text.endswith("}"):
        raise ValueError(f"`}}` missing in {text!r}")
    rows = tuple(
        tuple(read_value(item) for item in split(row, ",")) for row in split(text[1:-1], ";")
    )
    if len({len(row) for row in rows}) != 1:
        raise ValueError(f"rows of different lengths in {text!r}")
    return rows


def read_value(text: str) -> Value:
    """A number, a text in quotes, TRUE, FALSE, an error, or nothing for a blank cell.

    Raises
    ------
    ValueError
        If it is none of these.
    """
    text = text.strip()
    if text == "":
        return None
    if text.startswith('"') and text.endswith('"') and len(text) > 1:
        return text[1:-1].replace('""', '"').replace("\\t", "\t").replace("\\n", "\n")
    if text in ("TRUE", "FALSE"):
        return text == "TRUE"
    if text.startswith("#"):
        return Error(text)
    if _NUMBER.fullmatch(text):
        return float(text)
    raise ValueError(f"{text!r} is no value")


def read_area(text: str) -> Area:
    """`B2` or `B2:D9`.

    Raises
    ------
    ValueError
        If it is neither.
    """
    first, _, last = text.partition(":")
    matches = [_CELL.fullmatch(part) for part in (first, last or first)]
    if matches[0] is None or matches[1] is None:
        raise ValueError(f"{text!r} names no cells")
    (left, top), (right, bottom) = ((_column(m[1]), int(m[2]) - 1) for m in matches if m)
    return Area(top, left, bottom, right)


def qualified(text: str, sheet: str) -> str:
    """The text of a name with `sheet` put before cells that stand without one."""
    return _BARE.sub(rf"'{sheet}'!\1", text)


def split(text: str, separator: str) -> list[str]:
    """Split at a separator that stands outside of quotes and brackets."""
    parts: list[str] = []
    level, quoted, start = 0, False, 0
    for at, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif character in "({[":
            level += 1
        elif character in ")}]":
            level -= 1
        elif character == separator and level == 0:
            parts.append(text[start:at])
            start = at + 1
    parts.append(text[start:])
    return parts


def show(value: Value) -> str:
    """A value as the tables write it; the inverse of `read_value`."""
    if value is None:
        return ""
    if isinstance(value, Error):
        return str(value)
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, str):
        body = value.replace('"', '""').replace("\t", "\\t").replace("\n", "\\n")
        return f'"{body}"'
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return repr(float(value))


def show_grid(grid: Grid) -> str:
    """A block of values as the tables write it; the inverse of `read_grid`."""
    if len(grid) == 1 and len(grid[0]) == 1:
        return show(grid[0][0])
    return "{" + ";".join(",".join(show(value) for value in row) for row in grid) + "}"


def same(got: Value, expected: Value) -> bool:
    """Equal in type and value; numbers at 1e-9 relative or 1e-12 absolute."""
    if isinstance(expected, bool) or isinstance(got, bool):
        return isinstance(expected, bool) and isinstance(got, bool) and got == expected
    if isinstance(expected, (int, float)) and isinstance(got, (int, float)):
        return math.isclose(got, expected, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    return type(got) is type(expected) and got == expected


def same_grid(got: Grid, expected: Grid) -> bool:
    """Equal in shape and in every value."""
    return len(got) == len(expected) and all(
        len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
        for a, b in zip(got, expected, strict=True)
    )


def _column(letters: str) -> int:
    index = 0
    for letter in letters.upper():
        index = index * 26 + ord(letter) - 64
    return index - 1


def _letters(index: int) -> str:
    text = ""
    index += 1
    while index:
        index, digit = divmod(index - 1, 26)
        text = chr(65 + digit) + text
    return text
